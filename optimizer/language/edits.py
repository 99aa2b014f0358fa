"""The command line's spelling of edits: parsed with the position in every error, and written back."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from gwplan.language.cursor import (
    DATE,
    FLAG,
    NUMBER,
    WHOLE,
    WORD,
    Cell,
    Cursor,
    Name,
    Operation,
    as_number,
    kind_of,
)


@dataclass(frozen=True)
class Edit:
    """A change of cells of one table, from a what-if, an outcome or the command line.

    Attributes
    ----------
    table : str
        Table of the catalogue, or ``uncertainty``.
    operation : {"set", "scale", "add", "shift_months", "insert", "drop"}
        What is done to the cells.
    where : mapping of str to Cell
        Column to glob (text), `Name` or value (numbers, dates); all must match; ``row`` is the number of the row in
        its file. For ``insert`` the row.
    column : str
        Column that is changed; blank for ``insert`` and ``drop``.
    value : Cell
        Operand; ``""`` clears a cell.
    start, until : datetime.date or None
        Dates in ``[start, until)`` that the edit reaches; None: open.
    text : str
        The edit in the command line's spelling, for messages and manifests.
    """

    table: str
    operation: Operation
    where: Mapping[str, Cell] = field(default_factory=dict)
    column: str = ""
    value: Cell = ""
    start: dt.date | None = None
    until: dt.date | None = None
    text: str = ""


@dataclass(frozen=True)
class ProbabilityGiven:
    """An outcome's probability where earlier factors came out as named."""

    given: Mapping[str, str]  # outcome by factor, of factors that stand earlier in the file
    probability: float

    @property
    def text(self) -> str:
        """What is given, as it is written: ``factor=outcome`` joined by commas."""
        return ", ".join(f"{factor}={outcome}" for factor, outcome in self.given.items())


@dataclass(frozen=True)
class Outcome:
    """One outcome of an uncertainty factor."""

    name: str
    probability: float  # where none of `probability_given` holds
    edits: tuple[Edit, ...] = ()
    probability_given: tuple[ProbabilityGiven, ...] = ()  # the last that holds counts

    def chance(self, earlier: Mapping[str, str]) -> float:
        """Return its probability where earlier factors came out so."""
        held = [row.probability for row in self.probability_given if row.given.items() <= earlier.items()]
        return held[-1] if held else self.probability


@dataclass(frozen=True)
class Factor:
    """Something uncertain, revealed on a date."""

    name: str
    revealed: dt.date
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class WhatIf:
    """A named list of edits, or outcomes taken as known."""

    name: str
    description: str = ""
    edits: tuple[Edit, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lever:
    """What a planner may move, and how far: edits that take one value."""

    label: str
    # with the value at which they change nothing: 1 where it scales, 0 where it is added, else what is written
    edits: tuple[Edit, ...]
    # ends of its range and its step, in the unit of the value
    least: float
    most: float
    step: float
    unit: str = ""  # unit of the value, in words
    group: str = ""  # levers of one group stand together

    @property
    def start(self) -> float:
        """The value at which it changes nothing, in the lever's unit."""
        return float(self.edits[0].value)  # type: ignore[arg-type]

    def at(self, value: float) -> tuple[Edit, ...]:
        """Return the edits that move it to a value, in its unit; none where it stands."""
        whole = int(value) if float(value).is_integer() else float(value)
        return tuple(noted(replace(each, value=whole)) for each in self.edits) if value != self.start else ()


FORMS: Final = (
    'write TABLE[column=pattern, ...].column = value (or *=, +=, -=, also "+= 6 months") @ from..until, '
    "drop TABLE[...] or insert TABLE[column=value, ...]"
)

_VERB = re.compile(r"(drop|insert)\s+(?=[^\W\d])")
GLOB: Final = frozenset("*?[")
"""Characters that make a text a pattern."""

_MONTHS = re.compile(rf"({NUMBER.pattern})\s*months?(?![^\s@])")


def edit(text: str) -> Edit:
    """Parse the command line's spelling of an edit.

    Parameters
    ----------
    text : str
        ``TABLE[column=pattern, ...].column OP VALUE [@ FROM..UNTIL]`` with OP one of ``=``, ``*=``, ``+=``, ``-=``,
        or ``drop TABLE[...]``, or ``insert TABLE[column=value, ...]``.

    Returns
    -------
    Edit
        The edit; its ``text`` is the one spelling that `spell` gives it.

    Raises
    ------
    InstanceError
        If the text is not an edit; the message says at which character.
    """
    return noted(_EditReader(text, f"edit {text.strip()}", FORMS).read())


def noted(edit: Edit) -> Edit:
    """Return the edit with its spelling as ``text``."""
    return replace(edit, text=spell(edit))


def spell(edit: Edit) -> str:
    """Return an edit in the command line's spelling, the inverse of `edit`."""
    cells = spell_cells(edit.where)
    rows = f"{edit.table}[{cells}]" if cells else edit.table
    if edit.operation in ("drop", "insert"):
        return f"{edit.operation} {rows}{_spell_dates(edit)}"
    return f"{rows}.{edit.column} {_spell_change(edit)}{_spell_dates(edit)}"


def spell_cells(where: Mapping[str, Cell]) -> str:
    """Return what picks rows in the command line's spelling: ``pathway=ads, tier=1``."""
    return ", ".join(f"{name}{_spell_is(cell)}{_spell_cell(cell)}" for name, cell in where.items())


def _spell_is(cell: Cell) -> str:
    return "==" if isinstance(cell, Name) and not GLOB.isdisjoint(cell) else "="


def _spell_change(edit: Edit) -> str:
    if edit.operation == "set":
        return f"= {_spell_cell(edit.value)}"
    if edit.operation == "scale":
        return f"*= {_spell_cell(edit.value)}"
    value = edit.value
    sign = "+="
    if isinstance(value, int | float) and value < 0:
        sign, value = "-=", -value
    if edit.operation == "add":
        return f"{sign} {_spell_cell(value)}"
    return f"{sign} {_spell_cell(value)} {'month' if value == 1 else 'months'}"


def _spell_cell(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return repr(cell)
    if isinstance(cell, dt.date):
        return cell.isoformat()
    plain = WORD.fullmatch(cell) and not any(p.fullmatch(cell) for p in (NUMBER, _MONTHS, DATE))
    return cell if plain and cell.lower() not in FLAG else json.dumps(cell, ensure_ascii=False)


def _spell_dates(edit: Edit) -> str:
    if edit.start is None and edit.until is None:
        return ""
    start = edit.start.isoformat() if edit.start else ""
    return f" @ {start}..{edit.until.isoformat()}" if edit.until else f" @ {start}"


class _EditReader(Cursor):
    """A cursor on the text of one edit."""

    def read(self) -> Edit:
        """Return the edit that the whole text spells."""
        self.skip()
        verb = _VERB.match(self.text, self.at)
        if verb:
            self.at = verb.end()
            operation: Operation = "drop" if verb.group(1) == "drop" else "insert"
            table = self.name("a table's name")
            parsed = Edit(table, operation, self.rows(table))
        else:
            parsed = self._change()
        start, until = self.dates()
        remedy = 'values with blanks or commas stand in double quotes ("a b")'
        self.end("the end of the edit or '@' and dates", remedy)
        return replace(parsed, start=start, until=until)

    def _change(self) -> Edit:
        table, where, column = self.cells()
        operation, value = self._operand(self.operator(), table, column)
        return Edit(table, operation, where, column, value)

    def _operand(self, operator: str, table: str, column: str) -> tuple[Operation, Cell]:
        months = _MONTHS.match(self.text, self.at)
        if operator == "=":
            if months and kind_of(table, column) == "date":
                self.fail("a date after =", "months are added with += or taken off with -=")
            return "set", self.cell(table, column)
        expected = f"a number after {operator}"
        number = months or NUMBER.match(self.text, self.at)
        if not number or not (months or WORD.match(self.text, self.at).group() == number.group()):  # type: ignore[union-attr]
            self.fail(expected if operator == "*=" else f"{expected}, or a number of months")
        token = number.group(1) if months else number.group()
        if months and (operator == "*=" or not WHOLE.fullmatch(token)):
            self.fail("a whole number of months after += or -=")
        self.move(number.end())
        value = as_number(token)
        if operator == "*=":
            return "scale", value
        return "shift_months" if months else "add", -value if operator == "-=" else value
