"""The command line's spelling of edits: parsed with the position in every error, and written back."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from optimizer.instance.instance import Cell, Edit, Operation
from optimizer.instance.problems import InstanceError, Problem
from optimizer.instance.schema import TABLES, allowed_columns

FORMS: Final = (
    'write TABLE[column=pattern, ...].column = value (or *=, +=, -=, also "+= 6 months") @ from..until, '
    "drop TABLE[...] or insert TABLE[column=value, ...]"
)

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[^\W\d]\w*")
_VERB = re.compile(r"(drop|insert)\s+(?=[^\W\d])")
_OPERATOR = re.compile(r"[*+-]?=")
_WORD = re.compile(r'[^\s,\[\]"=@]+')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_MONTHS = re.compile(rf"({_NUMBER.pattern})\s*months?(?![^\s@])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FLAG = {"true": True, "false": False}


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
    return noted(_Reader(text).read())


def noted(edit: Edit) -> Edit:
    """Return the edit with its spelling as ``text``."""
    return replace(edit, text=spell(edit))


def spell(edit: Edit) -> str:
    """Return an edit in the command line's spelling, the inverse of `edit`."""
    cells = ", ".join(f"{name}={_spell_cell(cell)}" for name, cell in edit.where.items())
    rows = f"{edit.table}[{cells}]" if cells else edit.table
    if edit.operation in ("drop", "insert"):
        return f"{edit.operation} {rows}{_spell_dates(edit)}"
    return f"{rows}.{edit.column} {_spell_change(edit)}{_spell_dates(edit)}"


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
    plain = _WORD.fullmatch(cell) and not any(p.fullmatch(cell) for p in (_NUMBER, _MONTHS, _DATE))
    return cell if plain and cell.lower() not in _FLAG else json.dumps(cell, ensure_ascii=False)


def _spell_dates(edit: Edit) -> str:
    if edit.start is None and edit.until is None:
        return ""
    start = edit.start.isoformat() if edit.start else ""
    return f" @ {start}..{edit.until.isoformat()}" if edit.until else f" @ {start}"


@dataclass
class _Reader:
    """A cursor on the text of one edit."""

    text: str
    at: int = 0

    def read(self) -> Edit:
        """Return the edit that the whole text spells."""
        self._skip()
        verb = _VERB.match(self.text, self.at)
        if verb:
            self.at = verb.end()
            operation: Operation = "drop" if verb.group(1) == "drop" else "insert"
            table = self._name("a table's name")
            parsed = Edit(table, operation, self._rows(table))
        else:
            parsed = self._change()
        start, until = self._dates()
        if self.at < len(self.text):
            remedy = 'values with blanks or commas stand in double quotes ("a b")'
            self._fail("the end of the edit or '@' and dates", remedy)
        return replace(parsed, start=start, until=until)

    def _change(self) -> Edit:
        table = self._name("a table's name")
        where = self._rows(table)
        self._literal(".", "'.' and the column to change")
        column = self._name("the column to change")
        found = _OPERATOR.match(self.text, self.at)
        if not found:
            self._fail("one of =, *=, += and -=")
        self._move(found.end())
        operation, value = self._operand(found.group(), table, column)
        return Edit(table, operation, where, column, value)

    def _operand(self, operator: str, table: str, column: str) -> tuple[Operation, Cell]:
        months = _MONTHS.match(self.text, self.at)
        if operator == "=":
            if months and _kind(table, column) == "date":
                self._fail("a date after =", "months are added with += or taken off with -=")
            return "set", self._cell(table, column)
        expected = f"a number after {operator}"
        number = months or _NUMBER.match(self.text, self.at)
        if not number or not (months or _WORD.match(self.text, self.at).group() == number.group()):  # type: ignore[union-attr]
            self._fail(expected if operator == "*=" else f"{expected}, or a number of months")
        token = number.group(1) if months else number.group()
        if months and (operator == "*=" or not _WHOLE.fullmatch(token)):
            self._fail("a whole number of months after += or -=")
        self._move(number.end())
        value = _number(token)
        if operator == "*=":
            return "scale", value
        return "shift_months" if months else "add", -value if operator == "-=" else value

    def _rows(self, table: str) -> dict[str, Cell]:
        """Read ``[column=value, ...]``, which may be missing."""
        where: dict[str, Cell] = {}
        if not self._next("["):
            return where
        while True:
            at, column = self.at, self._name("a column's name")
            if column in where:
                self.at = at
                self._fail(f"every column once, '{column}' stands twice")
            self._literal("=", f"'=' after the column '{column}'")
            where[column] = self._cell(table, column)
            if self._next("]"):
                return where
            self._literal(",", "',' or ']'")

    def _cell(self, table: str, column: str) -> Cell:
        quoted = _QUOTED.match(self.text, self.at)
        if quoted:
            try:
                value = json.loads(quoted.group(), strict=False)
            except json.JSONDecodeError:
                self._fail('text in double quotes in which a backslash is written \\\\ and a double quote \\"')
            self._move(quoted.end())
            return str(value)
        word = _WORD.match(self.text, self.at)
        if not word:
            self._fail("a value", 'an empty value is written ""')
        value = word.group() if _kind(table, column) == "text" else self._plain(word.group())
        self._move(word.end())
        return value

    def _plain(self, word: str) -> Cell:
        """Return an unquoted word as what it looks like."""
        if word.lower() in _FLAG:
            return _FLAG[word.lower()]
        if _NUMBER.fullmatch(word):
            return _number(word)
        return self._calendar_date(word) if _DATE.fullmatch(word) else word

    def _dates(self) -> tuple[dt.date | None, dt.date | None]:
        if not self._next("@"):
            return None, None
        start = self._date() if not self.text.startswith("..", self.at) else None
        until = None
        if self._next(".."):
            more = start is None or self.at < len(self.text)
            until = self._date() if more else None
        return start, until

    def _date(self) -> dt.date:
        found = _DATE.match(self.text, self.at)
        if not found:
            self._fail("a date YYYY-MM-DD")
        date = self._calendar_date(found.group())
        self._move(found.end())
        return date

    def _calendar_date(self, word: str) -> dt.date:
        try:
            return dt.date.fromisoformat(word)
        except ValueError:
            self._fail("a date that exists")

    def _name(self, expected: str) -> str:
        found = _NAME.match(self.text, self.at)
        if not found:
            self._fail(expected)
        self._move(found.end())
        return found.group()

    def _literal(self, literal: str, expected: str) -> None:
        if not self._next(literal):
            self._fail(expected)

    def _next(self, literal: str) -> bool:
        """Step over the literal if it comes next."""
        found = self.text.startswith(literal, self.at)
        if found:
            self._move(self.at + len(literal))
        return found

    def _move(self, at: int) -> None:
        self.at = at
        self._skip()

    def _skip(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def _fail(self, expected: str, remedy: str = FORMS) -> NoReturn:
        rest = self.text[self.at : self.at + 20]
        found = f"'{rest}'" if rest else "the end"
        raise InstanceError(
            Problem(f"edit {self.text.strip()}", f"{found} at character {self.at + 1}", f"expected {expected}", remedy)
        )


def _number(token: str) -> int | float:
    return int(token) if _WHOLE.fullmatch(token) else float(token)


def _kind(table: str, column: str) -> str:
    """Return the kind of a column, blank when there is no such column."""
    if table == "uncertainty":
        return "number" if column == "probability" else "text"
    return next((c.kind for c in allowed_columns(TABLES[table]) if c.name == column), "") if table in TABLES else ""
