"""A cursor on one line of text: cells, operators, values and dates as every spelling has them; where an error is."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from gwplan.catalogue.tables import TABLES, allowed_columns
from gwplan.problems import InstanceError, Problem, composed

Cell = str | float | int | bool | dt.date
Operation = Literal["set", "scale", "add", "shift_months", "insert", "drop"]


class Name(str):
    """A name that stands for itself, whatever ``*``, ``?`` and ``[`` it holds; other text is a pattern."""

    __slots__ = ()


NAME: Final = re.compile(r"[^\W\d]\w*")
WORD: Final = re.compile(r'[^\s,\[\]"=@]+')
NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}")
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OPERATIONS: Final[dict[str, Operation]] = {"": "set", "=": "set", "*=": "scale", "+=": "add", "-=": "add"}
OPERATOR: Final = re.compile(r"[*+-]?=")
FLAG: Final = {"true": True, "false": False}
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass
class Cursor:
    """A place in a text, moved on by what is read there."""

    text: str  # the whole text
    where: str  # words that say which text it is, for messages
    forms: str  # what may be written, for messages
    at: int = 0  # place of the next character, from 0

    def __post_init__(self) -> None:
        self.text = composed(self.text)

    def cells(self) -> tuple[str, dict[str, Cell], str]:
        """Read ``TABLE[column=value, ...].column``: table, conditions and column."""
        table = self.name("a table's name")
        where = self.rows(table)
        self.literal(".", "'.' and the column to change")
        return table, where, self.name("the column to change")

    def rows(self, table: str) -> dict[str, Cell]:
        """Read ``[column=value, ...]``, which may be missing."""
        where: dict[str, Cell] = {}

        def condition() -> None:
            at, column = self.at, self.name("a column's name")
            if column in where:
                self.at = at
                self.fail(f"every column once, '{column}' stands twice")
            self.literal("=", f"'=' after the column '{column}'")
            exact = self.next("=")
            cell = self.cell(table, column)
            where[column] = Name(cell) if exact and isinstance(cell, str) else cell

        if self.next("["):
            self.listed(condition, "]", "',' or ']'")
        return where

    def listed(self, read: Callable[[], object], end: str, expected: str) -> None:
        """Read what is parted by commas, and what ends it."""
        read()
        while not self.next(end):
            self.literal(",", expected)
            read()

    def operator(self, pattern: re.Pattern[str] = OPERATOR, expected: str = "one of =, *=, += and -=") -> str:
        """Read what is done to cells."""
        token = pattern.match(self.text, self.at)
        if not token:
            self.fail(expected)
        self.move(token.end())
        return token.group()

    def number(self, expected: str) -> int | float:
        """Read a number that a computer can hold."""
        token = NUMBER.match(self.text, self.at)
        if not token or not math.isfinite(value := as_number(token.group())):
            self.fail(expected)
        self.move(token.end())
        return value

    def dates(self) -> tuple[dt.date | None, dt.date | None]:
        """Read ``@ FROM..UNTIL``, which may be missing."""
        if not self.next("@"):
            return None, None
        start = self._date() if not self.text.startswith("..", self.at) else None
        until = None
        if self.next(".."):
            more = start is None or self.at < len(self.text)
            until = self._date() if more else None
        return start, until

    def _date(self) -> dt.date:
        token = DATE.match(self.text, self.at)
        date = self.calendar_date(token.group() if token else "")
        self.move(self.at + len(date.isoformat()))
        return date

    def end(self, expected: str, remedy: str = "") -> None:
        """Raise unless the text ends here."""
        if self.at < len(self.text):
            self.fail(expected, remedy)

    def cell(self, table: str, column: str) -> Cell:
        """Read the value of a cell: text in double quotes, or a word as what its column or its look makes it."""
        quoted = _QUOTED.match(self.text, self.at)
        if quoted:
            try:
                value = json.loads(quoted.group(), strict=False)
            except json.JSONDecodeError:
                self.fail('text in double quotes in which a backslash is written \\\\ and a double quote \\"')
            self.move(quoted.end())
            return str(value)
        word = WORD.match(self.text, self.at)
        if not word:
            self.fail("a value", 'an empty value is written ""')
        value = word.group() if kind_of(table, column) == "text" else self.plain(word.group())
        self.move(word.end())
        return value

    def plain(self, word: str) -> Cell:
        """Return an unquoted word as what it looks like."""
        if word.lower() in FLAG:
            return FLAG[word.lower()]
        if NUMBER.fullmatch(word):
            return as_number(word)
        return self.calendar_date(word) if DATE.fullmatch(word) else word

    def calendar_date(self, word: str) -> dt.date:
        """Return the date that a word spells."""
        if not DATE.fullmatch(word):
            self.fail("a date YYYY-MM-DD")
        try:
            return dt.date.fromisoformat(word)
        except ValueError:
            self.fail("a date that exists")

    def name(self, expected: str) -> str:
        """Read a name."""
        name = NAME.match(self.text, self.at)
        if not name:
            self.fail(expected)
        self.move(name.end())
        return name.group()

    def literal(self, literal: str, expected: str) -> None:
        """Step over a literal that must come next."""
        if not self.next(literal):
            self.fail(expected)

    def next(self, literal: str) -> bool:
        """Step over the literal if it comes next."""
        there = self.text.startswith(literal, self.at)
        if there:
            self.move(self.at + len(literal))
        return there

    def move(self, at: int) -> None:
        """Go to a place and on to the next character that is no blank."""
        self.at = at
        self.skip()

    def skip(self) -> None:
        """Go on to the next character that is no blank."""
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def fail(self, expected: str, remedy: str = "") -> NoReturn:
        """Raise: something else was expected here."""
        rest = self.text[self.at : self.at + 20]
        what = f"'{rest}'" if rest else "the end"
        self.refuse(self.at, what, f"expected {expected}", remedy or self.forms)

    def refuse(self, at: int, what: str, rule: str, remedy: str = "") -> NoReturn:
        """Raise: what stands at a place breaks a rule."""
        raise InstanceError(Problem(self.where, f"{what} at character {at + 1}", rule, remedy))


def as_number(token: str) -> int | float:
    """Return the number that a token spells."""
    return int(token) if WHOLE.fullmatch(token) else float(token)


def kind_of(table: str, column: str) -> str:
    """Return the kind of a column, blank when there is no such column."""
    if table == "uncertainty":
        return "number" if column == "probability" else "text"
    return next((c.kind for c in allowed_columns(TABLES[table]) if c.name == column), "") if table in TABLES else ""
