"""The allocation of an exported workbook, as a planner overtyped it, back as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.files import printable, read_bytes
from optimizer.problems import InstanceError, Problem
from optimizer.show.workbook.page import TOP
from optimizer.spreadsheet.cells import Odd, Sheet, Workbook, letters
from optimizer.spreadsheet.package import open_package

_NODE, _FIRST_PAIR = 1, 6


def read_allocation(path: str | Path, prefix: str = "") -> pd.DataFrame:
    """Return the allocation of a workbook that `to_xlsx` or `refresh` wrote.

    Returns
    -------
    pandas.DataFrame
        Columns node, pathway, pool and gw (GW): one row for each node and pair.

    Raises
    ------
    InstanceError
        If there is no such sheet, or a cell of it is no number; it carries every problem found.
    """
    where = printable(str(path))
    book = Workbook(open_package(read_bytes(path), where))
    name = f"{prefix}allocation"
    if name not in book.parts:
        rule = "gwplan export --xlsx writes one"
        raise InstanceError(Problem(f"{where}: sheet '{name}'", "no such sheet", rule, "give a workbook that has it"))
    sheet = book.sheet(name)
    problems: list[Problem] = []
    pairs = _pairs(sheet, name, problems)
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
        for at, (pathway, pool) in pairs.items()
    ]
    if problems:
        raise InstanceError(problems)
    table = pd.concat(parts, ignore_index=True).astype({"node": np.int64})
    return table.sort_values(["node"], kind="stable", ignore_index=True)


def _pairs(sheet: Sheet, name: str, problems: list[Problem]) -> dict[int, tuple[str, str]]:
    """Return pathway and pool of each column of GW: those from the first pair to the first column of another kind."""
    found: dict[int, tuple[str, str]] = {}
    heads = sheet.rows.get(TOP, {})
    at = _FIRST_PAIR
    while isinstance(head := heads.get(at, ""), str) and " on " in head:
        pathway, _, pool = head.partition(" on ")
        found[at] = (pathway, pool)
        at += 1
    if not found:
        rule = f"row {TOP} names the pairs, as 'pathway on pool'"
        problems.append(Problem(f"{name}!{letters(_FIRST_PAIR)}{TOP}", "no pair", rule, "export the run again"))
    return found


def _number(sheet: Sheet, name: str, row: int, at: int, problems: list[Problem]) -> float:
    cell = sheet.rows.get(row, {}).get(at, "0")
    try:
        if not isinstance(cell, Odd):
            return float(cell)
        what, rule, remedy = cell.what, cell.rule, cell.remedy
    except ValueError:
        what, rule, remedy = f"'{cell}'", "must be a number (GW)", "write digits and a decimal point"
    problems.append(Problem(f"{name}!{letters(at)}{row}", what, rule, remedy))
    return 0.0
