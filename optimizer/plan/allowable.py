"""How far each value and cost in the tables may change before the plan does: allowable increase and decrease.

A cell of the tables prices many columns of the program at once. What it does to each is found by laying the instance
out again with the cells of one column moved a little, twice: all by as much, and each by a different share. The ratio
of the two tells which cell a column of the program belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from gwplan.catalogue.money import PRICES
from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import DOUBLE, ONE_CELL
from gwplan.instance.instance import Instance
from gwplan.language.cursor import Cell
from gwplan.language.edits import spell_cells
from gwplan.models.data import PlanData
from gwplan.problems import InstanceError
from gwplan.solver.compile import numbers_of
from gwplan.solver.parametric import Directions
from gwplan.solver.program import FloatArray, IntArray, LinearProgram, Solution
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, timeline

STEP: Final = 1e-4
"""By how much cells are moved, relative to the smallest of their column."""

CELL: Final = ("table", "row", "column", "value", "unit")


def allowable_changes(
    laid_out: Timeline, program: LinearProgram, solution: Solution, *, worked_out: bool
) -> pd.DataFrame:
    """Return every value and cost of the tables with how far it may rise and fall, alone, while the plan stays best."""
    instance = laid_out.instance
    able = worked_out and solution.basis is not None and bool(len(solution.row_duals))
    reach = None
    if able and not program.whole.any() and not instance.aversion:
        reach = _Reaches(laid_out, program, solution)
    parts = [
        _rows(instance, table, column, reach)
        for table, columns in PRICES.items()
        for column in columns
        if len(instance.tables[table])
    ]
    frames = [part for part in parts if len(part)]
    columns = [*CELL, "allowable_increase", "allowable_decrease"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({name: [] for name in columns})


def _rows(
    instance: Instance, table: str, column: str, reach: Callable[[str, str, IntArray], FloatArray] | None
) -> pd.DataFrame:
    """Return the rows of one column of the tables."""
    frame = instance.tables[table]
    value = frame[column].to_numpy(dtype=np.float64)
    rows = np.flatnonzero(np.isfinite(value) & (value != 0))
    changes = reach(table, column, rows) if reach is not None and len(rows) else np.full((len(rows), 2), np.nan)
    return pd.DataFrame(
        {
            "table": table,
            "row": [_key(frame, table, row) for row in rows.tolist()],
            "column": column,
            "value": value[rows],
            "unit": TABLES[table][column].unit,
            "allowable_increase": changes[:, 1],
            "allowable_decrease": changes[:, 0],
        }
    )


def _key(frame: pd.DataFrame, table: str, row: int) -> str:
    """Return the key of a row in the spelling of edits: ``pathway=ads, from=2027-01-01, tier=1``, or its number.

    What is blank is left out where the row is the only one without it.
    """
    if not TABLES[table].key:
        return spell_cells({"row": int(frame.index[row])})
    names = [name for name in TABLES[table].key if frame[name].iloc[row] != ""]
    if len(names) < len(TABLES[table].key) and frame.duplicated(names, keep=False).iloc[row]:
        names = list(TABLES[table].key)
    cells: dict[str, Cell] = {}
    for name in names:
        cell = frame[name].iloc[row]
        if isinstance(cell, pd.Timestamp):
            cells[name] = cell.date()
        else:
            cells[name] = cell if isinstance(cell, str) else int(cell)
    return spell_cells(cells)


class _Reaches:
    """How far cells may be moved while a plan stays best."""

    def __init__(self, laid_out: Timeline, program: LinearProgram, solution: Solution) -> None:
        self._instance, self._program = laid_out.instance, program
        self._directions = Directions(program, solution)
        self._layouts = Layouts()
        timeline(laid_out.instance, self._layouts)
        self._program_of = numbers_of(laid_out.data)

    def __call__(self, table: str, column: str, rows: IntArray) -> FloatArray:
        """Return how far down and up each cell may go, shape (rows, 2); NaN where that is not known."""
        reaches = np.full((len(rows), 2), np.nan)
        directions = self._by_cell(table, column, rows)
        for i, direction in enumerate(directions if directions is not None else ()):
            reaches[i] = self._directions.reach(direction) if direction.any() else (np.inf, np.inf)
        return reaches

    def _by_cell(self, table: str, column: str, rows: IntArray) -> Iterator[FloatArray] | None:
        """Return what a unit more in each cell adds to the cost of every column; None where that cannot be told."""
        value = self._instance.tables[table][column].to_numpy(dtype=np.float64)
        step = STEP * float(np.abs(value[rows]).min())
        place = np.arange(len(rows))
        even = self._moved(table, column, rows, np.full(len(rows), step))
        # the first tier gets most, so that tiers of the same value stay in their order
        uneven = self._moved(table, column, rows, step * (len(rows) - place) / len(rows))
        if even is None or uneven is None:
            return None
        touched = np.abs(even) > DOUBLE * np.abs(self._program.cost)
        share = np.divide(uneven, even, out=np.zeros_like(even), where=touched)
        owner = len(rows) - share * len(rows)
        nearest = np.rint(owner)
        if (np.abs(owner - nearest) > ONE_CELL)[touched].any():
            return None
        return (np.where(touched & (nearest == i), even / step, 0.0) for i in place.tolist())

    def _moved(self, table: str, column: str, rows: IntArray, by: FloatArray) -> FloatArray | None:
        """Return the change of the costs when cells are moved; None where that changes more than costs."""
        frame = self._instance.tables[table].copy()
        cells = frame[column].to_numpy(dtype=np.float64).copy()
        cells[rows] += by
        frame[column] = cells
        try:
            case = replace(self._instance, tables={**self._instance.tables, table: frame})
            data: PlanData = timeline(case, self._layouts.forked()).data
        except InstanceError:
            return None
        moved = self._program_of(data)
        if moved is None:
            return None
        same = ("start", "index", "value", "row_lower", "row_upper", "column_lower", "column_upper")
        if not all(np.array_equal(getattr(moved, name), getattr(self._program, name)) for name in same):
            return None
        change: FloatArray = moved.cost - self._program.cost
        return change
