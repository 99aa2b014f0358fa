"""The allocation of an exported workbook, as a planner overtyped it, back as a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.catalogue.tables import GIVEN
from optimizer.files import printable, read_bytes
from optimizer.instance.cells import Fault, parsed
from optimizer.problems import InstanceError, Problem
from optimizer.show.workbook.book import SHEETS
from optimizer.show.workbook.facts import pair_head
from optimizer.show.workbook.page import TOP, unlike
from optimizer.spreadsheet.cells import Odd, Sheet, Workbook, letters, sheet_of
from optimizer.spreadsheet.graft import MARKER
from optimizer.spreadsheet.package import open_package

_NODE, _FIRST_PAIR = 1, 6
_FORMULA = Odd("a formula", "an allocation is read as numbers", "copy the cell and paste it as a value")


def sheets_by_kind(book: Workbook, prefix: str, where: str) -> dict[str, str]:
    """Return what gwplan's sheets are called in a workbook, by what they hold; the usual names where there are none.

    Hidden names point to the sheets, and follow when a user renames, moves or copies them.
    """
    titles = {title.lower(): title for title in book.parts}
    sheets, problems = {}, []
    for kind in SHEETS:
        usual = f"{prefix}{kind}"
        pointer = book.names.get(f"{prefix}{MARKER}_{kind}".lower())
        title = titles.get(usual.lower())
        if pointer is not None:
            sheet = sheet_of(pointer)
            if title and sheet.lower() not in titles:
                rule, remedy = "gwplan's sheet of that name was deleted", "rename the sheet, or give another prefix"
                problems.append(Problem(f"{where}: sheet '{printable(title)}'", "not gwplan's", rule, remedy))
            title = titles.get(sheet.lower())
        sheets[kind] = title or usual
    if problems:
        raise InstanceError(problems)
    return sheets


def read_allocation(path: str | Path, prefix: str = "", pairs: Iterable[tuple[str, str]] = ()) -> pd.DataFrame:
    """Return the allocation of a workbook that `to_xlsx` or `refresh` wrote.

    `pairs` are the pathways and pools that it may name, in the order of the plan. Without any, a column's heading is
    split where it says " on ".

    Returns
    -------
    pandas.DataFrame
        Columns node, pathway, pool and gw (GW): one row for each node and pair.
    """
    where = printable(str(path))
    book = Workbook(open_package(read_bytes(path), where))
    name = sheets_by_kind(book, prefix, where)["allocation"]
    if name not in book.parts:
        others = [
            key.removesuffix(f"{MARKER}_allocation") for key in book.names if key.endswith(f"{MARKER}_allocation")
        ]
        remedy = f"give --sheet-prefix {others[0]}" if others else "give a workbook that has it"
        rule = "gwplan export --xlsx writes one"
        raise InstanceError(Problem(f"{where}: sheet '{name}'", "no such sheet", rule, remedy))
    sheet = book.sheet(name)
    problems: list[Problem] = []
    columns = _pairs(sheet, name, list(pairs), problems)
    rows = sorted(row for row, cells in sheet.rows.items() if row > TOP and _NODE in cells)
    if not rows:
        problems.append(Problem(name, "no rows", "the allocation has a row for each node", "export the run again"))
    node = [_number(sheet, name, row, _NODE, problems) for row in rows]
    parts = [
        pd.DataFrame(
            {
                "node": np.array(node, dtype=np.float64),
                "pathway": pathway,
                "pool": pool,
                "gw": [_number(sheet, name, row, at, problems) for row in rows],
            }
        )
        for at, (pathway, pool) in columns.items()
    ]
    if problems:
        raise InstanceError(problems)
    table = pd.concat(parts, ignore_index=True).astype({"node": np.int64})
    return table.sort_values(["node"], kind="stable").set_axis(range(2, len(table) + 2))


def _pairs(
    sheet: Sheet, name: str, pairs: list[tuple[str, str]], problems: list[Problem]
) -> dict[int, tuple[str, str]]:
    """Return pathway and pool of each column of GW: those from the first pair to the idle GW of the first pool."""
    known = dict(zip(unlike([pair_head(*pair) for pair in pairs]), pairs, strict=True))
    idle = {f"{pool} idle" for _, pool in pairs}
    by_column: dict[int, tuple[str, str]] = {}
    heads = sheet.rows.get(TOP, {})
    at = _FIRST_PAIR
    while isinstance(head := heads.get(at, ""), str) and " on " in head and (head in known or head not in idle):
        pathway, _, pool = head.partition(" on ")
        by_column[at] = known.get(head, (pathway, pool))
        at += 1
    if not by_column:
        rule = f"row {TOP} names the pairs, as 'pathway on pool'"
        problems.append(Problem(f"{name}!{letters(_FIRST_PAIR)}{TOP}", "no pair", rule, "export the run again"))
    return by_column


def _number(sheet: Sheet, name: str, row: int, at: int, problems: list[Problem]) -> float:
    cell = _FORMULA if (row, at) in sheet.formulas else sheet.rows.get(row, {}).get(at, "0")
    number = Fault(cell.rule, cell.remedy) if isinstance(cell, Odd) else parsed(GIVEN["plan"]["gw"], cell)
    if not isinstance(number, Fault):
        return float(number)
    what, rule, remedy = cell.what if isinstance(cell, Odd) else f"'{cell}'", number.rule, number.remedy
    problems.append(Problem(f"{name}!{letters(at)}{row}", what, rule, remedy))
    return 0.0
