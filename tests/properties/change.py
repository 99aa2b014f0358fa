"""Change an instance as a whole: its tables, and the edits of its outcomes along with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import Instance
from gwplan.language.edits import Edit

NAMES = ("pathway", "pool", "contract")
DATES = ("start", "signed", "end", "date", "opens", "closes", "from", "until", "revealed")
MONEY = re.compile(r"_bn(_|$)")
CAPACITY = re.compile(r"^(?!.*_bn_per_gw)(.*_)?gw(_per_month)?$|^base_value_bn_per_year$")
"""Columns in GW, and the one whose $bn are earned by an amount of GW that another column gives."""

Cells = Callable[[str, Any], Any]


def everywhere(instance: Instance, change: Cells) -> Instance:
    """Return the instance with each cell changed, in tables and in outcomes; `change` gets a column and a cell.

    An outcome's ``scale``, ``add`` of months and ``shift_months`` stay as they are; names in ``where`` may be globs.
    """
    tables = dict(instance.tables)
    for name, frame in tables.items():
        columns = {c: frame[c].map(lambda cell, c=c: change(c, cell), na_action="ignore") for c in frame.columns}
        tables[name] = frame.assign(**{c: cells.astype(frame[c].dtype) for c, cells in columns.items()})
    factors = tuple(
        replace(
            factor,
            revealed=change("revealed", factor.revealed),
            outcomes=tuple(replace(o, edits=tuple(_edit(e, change) for e in o.edits)) for o in factor.outcomes),
        )
        for factor in instance.factors
    )
    return replace(instance, tables=tables, factors=factors)


def _edit(edit: Edit, change: Cells) -> Edit:
    return replace(
        edit,
        where={column: change(column, cell) for column, cell in edit.where.items()},
        value=change(edit.column, edit.value) if edit.operation in ("set", "add") and edit.value != "" else edit.value,
        start=None if edit.start is None else change("from", edit.start),
        until=None if edit.until is None else change("until", edit.until),
    )


def scaled(instance: Instance, columns: re.Pattern[str], factor: float) -> Instance:
    """Return the instance with every cell of some columns multiplied."""
    return everywhere(instance, lambda column, cell: cell * factor if columns.search(column) else cell)


def renamed(instance: Instance, name: Callable[[str], str]) -> Instance:
    """Return the instance with every pathway, pool and contract renamed; blanks stay blank."""
    return everywhere(instance, lambda column, cell: name(cell) if column in NAMES and cell else cell)


def moved(instance: Instance, years: int) -> Instance:
    """Return the instance with its start and every date some years later."""

    def later(column: str, cell: Any) -> Any:
        if column not in DATES or not cell:
            return cell
        date = pd.Timestamp(cell) + pd.DateOffset(years=years)
        return date if isinstance(cell, pd.Timestamp) else date.date()

    return everywhere(instance, later)


def shuffled(instance: Instance, seed: int) -> Instance:
    """Return the instance with the rows and the columns of every table in another order."""
    random = np.random.default_rng(seed)
    tables = {
        name: frame
        if TABLES[name].section
        else frame.iloc[random.permutation(len(frame))][random.permutation(frame.columns)]
        for name, frame in instance.tables.items()
    }
    return replace(instance, tables=tables)


def with_rows(instance: Instance, table: str, rows: Iterable[dict[str, Any]]) -> Instance:
    """Return the instance with rows appended to a table; a table that was missing is there afterwards."""
    frame, rows = instance.tables[table], list(rows)
    texts = {column: "" for column, kind in frame.dtypes.items() if str(kind) == "object"}
    new = pd.DataFrame([texts | row for row in rows], columns=frame.columns, index=[0] * len(rows))
    grown = pd.concat([frame, new.astype(frame.dtypes.to_dict())])
    return replace(instance, tables={**instance.tables, table: grown}, present=instance.present | {table})


def halves(instance: Instance, share: float = 0.3) -> tuple[Instance, list[str]]:
    """Return the instance with contracts split in two, a share and the rest, and the names of those split.

    A contract that an outcome names stays whole, since the outcome would reach one part only.
    """
    edits = [e for factor in instance.factors for outcome in factor.outcomes for e in outcome.edits]
    named = [str(e.where["contract"]) for e in edits if "contract" in e.where]
    split = [k for k in instance.tables["contracts"]["contract"] if not any(fnmatchcase(k, one) for one in named)]
    tables = dict(instance.tables)
    for table in ("contracts", "deliveries", "cancellations"):
        frame = tables[table]
        chosen = frame["contract"].isin(split)
        parts = [frame.copy(), frame[chosen].assign(contract=frame["contract"][chosen] + " (rest)")]
        if table == "deliveries":
            parts[0].loc[chosen, "gw"] *= share
            parts[1]["gw"] *= 1 - share
        tables[table] = pd.concat(parts)
    return replace(instance, tables=tables), split


def without(instance: Instance, unwanted: Callable[[Edit], bool]) -> Instance:
    """Return the instance without some edits of its outcomes."""
    factors = tuple(
        replace(
            factor,
            outcomes=tuple(replace(o, edits=tuple(e for e in o.edits if not unwanted(e))) for o in factor.outcomes),
        )
        for factor in instance.factors
    )
    return replace(instance, factors=factors)


def on_calendar(instance: Instance, resolution: str, periods: int) -> Instance:
    """Return the instance on another calendar with the same start."""
    calendar = instance.tables["calendar"].assign(resolution=resolution, periods=float(periods))
    return replace(instance, tables={**instance.tables, "calendar": calendar})
