"""The command line's spelling of an axis: cells that take one value after another."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gwplan.language.cursor import NUMBER, OPERATIONS, Cell, Cursor, as_number
from gwplan.language.edits import Edit, noted

FORMS: Final = (
    "write TABLE[column=pattern, ...].column = VALUE, VALUE, ... @ from..until; *= or += for =, "
    "LOW..HIGH step STEP for numbers, and += 3, 6 months for dates"
)

MOST_VALUES: Final = 10_000
"""Values of one axis, at most."""

MOST_DIGITS: Final = 300
"""Digits of the ends of a range before or behind the point, at most: floats have no more."""

_N: Final = f"({NUMBER.pattern})"
_RANGE: Final = re.compile(rf"{_N}\s*\.\.\s*{_N}(?:\s*step\s*{_N})?(?=\s|,|@|$)")
_MONTHS: Final = re.compile(r"months?(?![^\s@])")


@dataclass(frozen=True)
class ValueAxis:
    """Cells that take one value after another."""

    name: str  # the cells, how they change and when, in the command line's spelling without the values
    edits: tuple[Edit, ...]  # the edit for each value
    values: tuple[str | float, ...]  # the values as a table shows them


def axis(text: str) -> ValueAxis:
    """Return the axis that a text spells.

    ``TABLE[column=pattern, ...].column OP VALUE, VALUE, ... [@ FROM..UNTIL]`` with OP one of ``=``, ``*=``, ``+=``,
    ``-=``. Numbers may be written ``LOW..HIGH step STEP``, and of a date ``+= 3, 6 months``.
    """
    return _AxisReader(text, f"grid {text.strip()}", FORMS).axis()


def limits(text: str) -> ValueAxis:
    """Return the axis of two values, the lower and the higher, that ``CELL OP LOW..HIGH`` spells."""
    return _AxisReader(text, f"range {text.strip()}", "write CELL = LOW..HIGH, or CELL *= LOW..HIGH").axis(ends=True)


class _AxisReader(Cursor):
    """A cursor on the text of one axis."""

    def axis(self, *, ends: bool = False) -> ValueAxis:
        """Return the axis; with `ends` a range stands for its two ends, and nothing else will do."""
        self.skip()
        table, where, column = self.cells()
        head, operator = self.text[: self.at].strip(), self.operator()
        values = self._ends() if ends else self._values(operator, table, column)
        words, at = [head, *([operator] if operator != "=" else [])], self.at
        operation = OPERATIONS[operator]
        if operation == "add" and (months := _MONTHS.match(self.text, self.at)):
            operation = "shift_months"
            if not all(isinstance(value, int) for value in values):
                self.fail("whole numbers before months")
            self.move(months.end())
        start, until = self.dates()
        self.end("',' and one more value, '@' and dates, or the end")
        sign = -1 if operator == "-=" else 1
        edits = [
            noted(Edit(table, operation, where, column, sign * v if sign < 0 else v, start, until))  # type: ignore[operator]
            for v in values
        ]
        return ValueAxis(" ".join([*words, self.text[at:].strip()]).strip(), tuple(edits), tuple(map(_shown, values)))

    def _values(self, operator: str, table: str, column: str) -> list[Cell]:
        """Read values parted by commas."""
        values: list[Cell] = []
        while True:
            if span := _RANGE.match(self.text, self.at):
                values += self._steps(span)
                self.move(span.end())
            else:
                at, value = self.at, self.cell(table, column)
                if operator != "=" and (isinstance(value, bool) or not isinstance(value, int | float)):
                    self.at = at
                    self.fail(f"a number after {operator}")
                values.append(value)
            if not self.next(","):
                break
        seen = set[Cell]()
        for value in values:
            if value in seen:
                self.fail(f"every value once, {_shown(value)} stands twice")
            seen.add(value)
        return values

    def _ends(self) -> list[Cell]:
        span = _RANGE.match(self.text, self.at)
        if not span or span.group(3):
            self.fail("two numbers LOW..HIGH")
        low, high = as_number(span.group(1)), as_number(span.group(2))
        if not low < high:
            self.fail("a range that begins at its lower end")
        self.move(span.end())
        return [low, high]

    def _steps(self, span: re.Match[str]) -> list[Cell]:
        """Return the numbers of a range, each as written in decimals: 0.3 and not 0.1 * 3."""
        if not span.group(3):
            self.fail("a range with its step: LOW..HIGH step STEP")
        low, high, step = (Decimal(part) for part in span.groups())
        if any(part and abs(part.adjusted()) > MOST_DIGITS for part in (low, high, step)):
            self.fail(f"numbers of at most {MOST_DIGITS} digits")
        if step <= 0 or high < low:
            self.fail("a range that rises by steps above 0")
        if (high - low) / step >= MOST_VALUES:
            self.fail(f"at most {MOST_VALUES:,} values")
        return [as_number(str(low + i * step)) for i in range(int((high - low) / step) + 1)]


def _shown(value: Cell) -> str | float:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value
