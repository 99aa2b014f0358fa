"""A cursor on one line of text: the steps that edits and quantities are read with, and where an error is."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from optimizer.catalogue.tables import TABLES, allowed_columns
from optimizer.problems import InstanceError, Problem

Cell = str | float | int | bool | dt.date

NAME: Final = re.compile(r"[^\W\d]\w*")
WORD: Final = re.compile(r'[^\s,\[\]"=@]+')
NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
WHOLE: Final = re.compile(r"[-+]?\d{1,18}")
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
FLAG: Final = {"true": True, "false": False}
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass
class Cursor:
    """A place in a text, moved on by what is read there.

    Attributes
    ----------
    text : str
        The whole text.
    where : str
        Words that say which text it is, for messages.
    forms : str
        What may be written, for messages.
    at : int
        Place of the next character, from 0.
    """

    text: str
    where: str
    forms: str
    at: int = 0

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
        try:
            return dt.date.fromisoformat(word)
        except ValueError:
            self.fail("a date that exists")

    def name(self, expected: str) -> str:
        """Read a name."""
        found = NAME.match(self.text, self.at)
        if not found:
            self.fail(expected)
        self.move(found.end())
        return found.group()

    def literal(self, literal: str, expected: str) -> None:
        """Step over a literal that must come next."""
        if not self.next(literal):
            self.fail(expected)

    def next(self, literal: str) -> bool:
        """Step over the literal if it comes next."""
        found = self.text.startswith(literal, self.at)
        if found:
            self.move(self.at + len(literal))
        return found

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
        found = f"'{rest}'" if rest else "the end"
        self.refuse(self.at, found, f"expected {expected}", remedy or self.forms)

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
