"""Text cells of one table as typed columns, without a file around them."""

from __future__ import annotations

from functools import partial

import pandas as pd

from gwplan.catalogue.tables import Table
from gwplan.instance.cells import Where, parse, place
from gwplan.problems import Problem


def to_typed(table: Table, raw: pd.DataFrame, where: Where | None = None) -> tuple[pd.DataFrame, list[Problem]]:
    """Return a table's text cells as typed columns, and everything that is wrong with them.

    The index of `raw` holds the row numbers; `where` turns a row number and a column's name into the words that locate
    the cell, by default as in an instance folder.
    """
    cells = {name: raw[name].tolist() for name in raw.columns}
    parsed = parse(table, cells, raw.index, where or partial(place, table))
    return parsed.frame, parsed.problems
