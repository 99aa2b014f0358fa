"""Cells that are to take other values: named in the spelling of an edit that leaves the value open."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tables import TABLES, Column, allowed_columns
from gwplan.instance.cells import filled_default, shown
from gwplan.instance.edit import EDITABLE, TARGET, as_given, given_rows, probability_in, rows_of
from gwplan.instance.instance import Instance
from gwplan.instance.selection import meets, select
from gwplan.language.cursor import OPERATIONS, Cell, Cursor, Operation
from gwplan.language.edits import Edit, noted, spell
from gwplan.problems import InstanceError, Problem, nearest

FORMS: Final = (
    "write TABLE[column=pattern, ...].column, after it *= for a factor on the cells or += for what is added to them, "
    "and @ FROM..UNTIL for dates"
)

MOST_MONTHS: Final = 24
"""Months that a date is moved by, at most, where no bounds are given."""

WIDEST: Final = 10.0
"""Where a cell has no largest value, other values of it go up to so many times the largest in its column."""

_OPERATOR: Final = re.compile(r"(?:[*+]?=)?")


@dataclass(frozen=True)
class Varied:
    """Cells and how they take a value."""

    # whose cells
    table: str
    column: str
    where: Mapping[str, Cell] = field(default_factory=dict)  # column to pattern; all must match
    # whether a value stands in the cells, multiplies them, is added to them, or moves their dates by months
    way: Operation = "set"
    # dates in ``[start, until)``; None: open
    start: dt.date | None = None
    until: dt.date | None = None

    def edit(self, value: float) -> Edit:
        """Return the edit that gives the cells a value."""
        whole = self.whole and float(value).is_integer()
        cell = int(value) if whole else float(value)
        return noted(Edit(self.table, self.way, self.where, self.column, cell, self.start, self.until))

    @property
    def text(self) -> str:
        """The cells as they are written, in one spelling; it parses back."""
        edit = Edit(self.table, "set", self.where, self.column, 0, self.start, self.until)
        return spell(edit).replace(" = 0", {"scale": " *=", "add": " +="}.get(self.way, ""), 1)

    @property
    def cells_text(self) -> str:
        """The cells alone, whatever way they take a value."""
        return replace(self, way="set").text

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.way == "shift_months" or (self.way != "scale" and self._entry.kind == "integer")

    @property
    def unit(self) -> str:
        """Unit of the values; blank where they have none."""
        if self.way == "shift_months":
            return "months later"
        return "times" if self.way == "scale" else self._entry.unit

    @property
    def _entry(self) -> Column:
        if self.table == TARGET:
            return Column("probability", "number", "", unit="share", least=0.0, most=1.0, open_ends="()")
        return next(c for c in allowed_columns(TABLES[self.table]) if c.name == self.column)

    def cells(self, instance: Instance) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the numbers that stand in the cells, blanks as their default (NaN: "none"); none for dates."""
        if self.way == "shift_months":
            instance.edited(self.edit(0))
            return np.empty(0)
        if self.table == TARGET:
            instance.edited(self.edit(0.5) if self.way == "set" else self.edit(1.0 if self.way == "scale" else 0.0))
            return np.array(self._probabilities(instance))
        table = TABLES[self.table]
        frame, mask = select(self.edit(1.0), table, rows_of(table, dict(instance.tables), instance.present))
        cells = frame[self.column].to_numpy(dtype=np.float64, na_value=np.nan)[mask]
        default = filled_default(self._entry)
        return cells if default is None else np.where(np.isnan(cells), float(default), cells)

    def _probabilities(self, instance: Instance) -> list[float]:
        factor, outcome = (self.where.get(key, "*") for key in ("factor", "outcome"))
        given = as_given(self.where.get("given", ""))
        return [
            probability
            for f in instance.factors
            for o in f.outcomes
            for row in given_rows(f)
            if meets(str(factor), f.name) and meets(str(outcome), o.name) and meets(str(given), row)
            if (probability := probability_in(o, row)) is not None
        ]

    def now(self, instance: Instance) -> float:
        """Return the value that the cells have: 1 for a factor, 0 for what is added."""
        cells = self.cells(instance)
        if self.way != "set":
            return 1.0 if self.way == "scale" else 0.0
        if np.isnan(cells).any():
            remedy = f"give it one first: --set '{self.text} = ...'"
            raise self._refused("a blank cell, which stands for none", "a value must have somewhere to start", remedy)
        if cells.min() != cells.max():
            what = f"{len(cells)} cells from {shown(float(cells.min()))} to {shown(float(cells.max()))}"
            remedy = "select one row, or write *= for a factor on all of them"
            raise self._refused(what, "they have no one value", remedy)
        return float(cells[0])

    def bounds(self, instance: Instance) -> tuple[float, float]:
        """Return the least and largest value to try where none are given: all that the column allows, or tenfold."""
        column, cells = self._entry, self.cells(instance)
        if self.way == "shift_months":
            return -float(MOST_MONTHS), float(MOST_MONTHS)
        cells = cells[~np.isnan(cells)]
        largest = float(np.abs(cells).max(initial=0.0))
        if self.way == "scale":
            most = np.inf if column.most is None or largest == 0 else column.most / largest
            return 0.0 if column.least == 0 else -WIDEST, min(WIDEST, most)
        if self.table != TARGET:
            every = np.abs(instance.filled(self.table)[self.column].to_numpy(dtype=np.float64, na_value=np.nan))
            largest = float(np.nanmax(every, initial=largest))
        reach = WIDEST * largest or 1.0
        low = -reach if column.least is None else column.least
        high = reach if column.most is None else column.most
        if self.way == "add" and cells.size:
            return low - float(cells.min()), high - float(cells.max())
        return low, high

    def _refused(self, what: str, rule: str, remedy: str) -> InstanceError:
        return InstanceError(Problem(self.text, what, rule, remedy))


def varied(text: str) -> Varied:
    """Return the cells that a text names.

    ``TABLE[column=pattern, ...].column [*= or +=] [@ FROM..UNTIL]``; of a column of dates the values are months by
    which they move.
    """
    reader = VariedReader(text, f"cell {text.strip()}", FORMS)
    cells = reader.varied()
    reader.end("the end of the cell or '@' and dates")
    return cells


class VariedReader(Cursor):
    """A cursor on a text that names cells whose value is left open."""

    def varied(self) -> Varied:
        """Read cells, how they take a value, and dates."""
        self.skip()
        table, where, column = self.cells()
        way = self.way(table, column, self.operator(_OPERATOR))
        return Varied(table, column, where, way, *self.dates())

    def way(self, table: str, column: str, operator: str) -> Operation:
        """Return how cells take a value, and refuse those that take none."""
        known = (*EDITABLE, TARGET)
        if table not in known:
            raise self._refused(f"table '{table}'", "no such table to edit", nearest(table, known))
        columns = {"probability": "number"}
        if table != TARGET:
            columns = {c.name: c.kind for c in allowed_columns(TABLES[table])}
        if column not in columns:
            raise self._refused(f"column '{column}'", f"{table} has no such column", nearest(column, columns))
        kind = columns[column]
        if kind not in ("number", "integer", "date"):
            rule = f"{column} is a {kind} column: it takes no numbers"
            raise self._refused(f"column '{column}'", rule, "name a column of numbers or dates")
        if kind == "date" and operator not in ("", "+="):
            raise self._refused(f"'{operator}'", "dates are moved by months", "leave it out")
        return "shift_months" if kind == "date" else OPERATIONS[operator]

    def _refused(self, what: str, rule: str, remedy: str) -> InstanceError:
        return InstanceError(Problem(self.where, what, rule, remedy))
