"""The grammar of a claim's quantity: arithmetic over cells and plan figures, read with the place of every error.

    quantity  = term {("+" | "-") term}
    term      = factor {("*" | "/") factor}
    factor    = NUMBER | "-" factor | "(" quantity ")" | cell | figure
              | "sum" "(" cell {"*" column} ")"  |  "sum" "(" figure ")"  |  "count" "(" rows ")"
    cell      = rows "." column
    rows      = TABLE ["[" condition {"," condition} "]"]
    condition = column "=" (VALUE | FROM ".." UNTIL)
    figure    = "plan" "." NAME ["[" KEY "=" VALUE "]"]
    column    = COLUMN  |  COLUMN "." COLUMN of the table that the first one names

Nothing else is read, and nothing is ever executed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from gwplan.catalogue.tables import TABLES, Column, allowed_columns
from gwplan.language.cursor import NAME, NUMBER, WORD, Cell, Cursor, as_number
from gwplan.problems import nearest

FORMS: Final = (
    "write numbers, + - * /, parentheses, TABLE[column=value, ...].column, sum(TABLE[...].column), count(TABLE[...]) "
    "or plan.FIGURE"
)

FIGURES: Final = {
    "objective_bn": "",
    "npv_bn": "",
    "idle_gw_years": "",
    "idle_cost_bn": "",
    "utilisation": "",
    "scenarios": "",
    "nodes": "",
    "expected_gw_years": "pathway",
    "cancelled_gw": "contract",
    "signed_gw": "contract",
    "value_bn": "pathway",
    "components_bn": "component",
}
"""Figures of a plan's summary that a quantity may name, each with what it is told apart by."""

DEEPEST: Final = 50
"""Parentheses and signs within each other, at most."""

MOST: Final = 200
"""Operators in one quantity, at most."""


@dataclass(frozen=True)
class Path:
    """A column of a table, or of the table that the column ``via`` names rows of."""

    table: str
    column: Column
    via: str = ""


@dataclass(frozen=True)
class Range:
    """Values in ``[start, until)``; None: open."""

    start: float | dt.date | None
    until: float | dt.date | None


@dataclass(frozen=True)
class Number:
    """A number as written."""

    value: float


@dataclass(frozen=True)
class Cells:
    """Cells of the rows that meet every condition: one cell, or the sum of products over rows, or how many rows."""

    table: str  # table of the catalogue
    where: tuple[tuple[Path, Cell | Range], ...]  # conditions
    columns: tuple[Path, ...]  # the column, or the columns whose cells are multiplied row by row; none for ``count``
    total: Literal["one", "sum", "count"]  # what is made of the rows
    at: int  # place in the text, from 0


@dataclass(frozen=True)
class PlanFigure:
    """A figure of the plan: ``key`` is the pathway or component, a glob within ``sum``."""

    name: str
    key: str
    total: bool
    at: int


@dataclass(frozen=True)
class Operation:
    """Two quantities added, subtracted, multiplied or divided."""

    operator: str
    left: Quantity
    right: Quantity
    at: int


Quantity = Number | Cells | PlanFigure | Operation


def parse(text: str, where: str) -> Quantity:
    """Return the quantity that a text spells."""
    return _QuantityReader(text, where, FORMS).read()


class _QuantityReader(Cursor):
    """A cursor on the text of one quantity."""

    depth = operators = 0

    def read(self) -> Quantity:
        self.skip()
        quantity = self._sum()
        self.end("an operator or the end")
        return quantity

    def _sum(self) -> Quantity:
        quantity = self._product()
        while operator := self._operator("+-"):
            quantity = Operation(operator[0], quantity, self._product(), operator[1])
        return quantity

    def _product(self) -> Quantity:
        quantity = self._factor()
        while operator := self._operator("*/"):
            quantity = Operation(operator[0], quantity, self._factor(), operator[1])
        return quantity

    def _operator(self, among: str) -> tuple[str, int] | None:
        match = next(((sign, self.at) for sign in among if self.text.startswith(sign, self.at)), None)
        if match:
            self.operators += 1
            if self.operators > MOST:
                self.fail(f"at most {MOST} operators")
            self.move(self.at + 1)
        return match

    def _factor(self) -> Quantity:
        at = self.at
        if self.text[at : at + 1] not in ("+", "-") and NUMBER.match(self.text, at):
            return Number(float(self.number("a number that a computer can hold")))
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"at most {DEEPEST} parentheses and signs within each other")
        try:
            if self.next("-"):
                return Operation("-", Number(0.0), self._factor(), at)
            if self.next("("):
                quantity = self._sum()
                self.literal(")", "')' or an operator")
                return quantity
            return self._named()
        finally:
            self.depth -= 1

    def _named(self) -> Quantity:
        at, name = self.at, self.name("a number, '(', a table, sum, count or plan")
        if name in ("sum", "count") and self.next("("):
            inner, table = self.at, self.name("a table")
            if name == "sum":
                quantity = self._figure(inner, True) if table == "plan" else self._cells(table, inner, at, "sum")
            else:
                quantity = self._cells(table, inner, at, "count")
            self.literal(")", "')'" if name == "count" or table == "plan" else "')' or '*' and a column")
            return quantity
        return self._figure(at, False) if name == "plan" else self._cells(name, at, at, "one")

    def _cells(self, table: str, named_at: int, at: int, total: Literal["one", "sum", "count"]) -> Cells:
        if table not in TABLES:
            self.refuse(named_at, f"'{table}'", "there is no such table", nearest(table, TABLES))
        where = self._conditions(table)
        columns: list[Path] = []
        if total != "count":
            self.literal(".", "'.' and a column of numbers")
            columns.append(self._numbers(table))
            while total == "sum" and self.next("*"):
                columns.append(self._numbers(table))
        return Cells(table, tuple(where), tuple(columns), total, at)

    def _conditions(self, table: str) -> list[tuple[Path, Cell | Range]]:
        """Read ``[column=value, ...]``, which may be missing."""
        where: list[tuple[Path, Cell | Range]] = []

        def condition() -> None:
            path = self._path(table)
            self.literal("=", f"'=' after the column '{path.column.name}'")
            where.append((path, self._wanted(path)))

        if self.next("["):
            self.listed(condition, "]", "',' or ']'")
        return where

    def _path(self, table: str) -> Path:
        at, name = self.at, self.name("a column's name")
        columns = {column.name: column for column in allowed_columns(TABLES[table])}
        if name not in columns:
            self.refuse(at, f"'{name}'", f"{table} has no such column", nearest(name, columns))
        column = columns[name]
        if not (column.refers_to and self.next(".")):
            return Path(table, column)
        at, other = self.at, self.name(f"a column of {column.refers_to}")
        others = {c.name: c for c in allowed_columns(TABLES[column.refers_to])}
        if other not in others:
            self.refuse(at, f"'{other}'", f"{column.refers_to} has no such column", nearest(other, others))
        return Path(column.refers_to, others[other], via=name)

    def _numbers(self, table: str) -> Path:
        at, path = self.at, self._path(table)
        if path.column.kind not in ("number", "integer"):
            self.refuse(at, f"'{path.column.name}'", "it does not hold numbers", "name a column of numbers")
        return path

    def _wanted(self, path: Path) -> Cell | Range:
        kind, at = path.column.kind, self.at
        word = WORD.match(self.text, at)
        if kind in ("date", "number", "integer") and word and ".." in word.group():
            start, _, until = word.group().partition("..")
            span = Range(self._end(kind, start, at), self._end(kind, until, at + len(start) + 2))
            self.move(word.end())
            return span
        value = self.cell(path.table, path.column.name)
        wrong = {
            "date": not isinstance(value, dt.date),
            "number": isinstance(value, bool) or not isinstance(value, int | float),
            "integer": isinstance(value, bool) or not isinstance(value, int | float),
            "flag": not isinstance(value, bool),
        }
        if wrong.get(kind, not isinstance(value, str)):
            self.at = at
            self.fail({"date": "a date YYYY-MM-DD", "flag": "true or false"}.get(kind, "a number"))
        return value

    def _end(self, kind: str, word: str, at: int) -> float | dt.date | None:
        """Return one end of a range; blank: open."""
        if not word:
            return None
        self.at = at
        if kind == "date":
            return self.calendar_date(word)
        return float(as_number(word)) if NUMBER.fullmatch(word) else self.fail("a number")

    def _figure(self, at: int, total: bool) -> PlanFigure:
        self.literal(".", "'.' and a figure of the plan")
        named_at, name = self.at, self.name("a figure of the plan")
        if name not in FIGURES:
            self.refuse(named_at, f"'{name}'", "the plan has no such figure", nearest(name, FIGURES))
        key = FIGURES[name]
        if not key and not total:
            return PlanFigure(name, "", False, at)
        if not key:
            self.refuse(named_at, f"'{name}'", "there is nothing to sum", f"write plan.{name}")
        if total and not self.text.startswith("[", self.at):
            return PlanFigure(name, "*", True, at)
        self.literal("[", f"'[{key}=...]' after plan.{name}")
        if not NAME.match(self.text, self.at) or self.name(key) != key:
            self.refuse(self.at, "another name", f"plan.{name} is told apart by its {key}", f"write [{key}=...]")
        self.literal("=", f"'=' after '{key}'")
        value = str(self.cell("pathways", "pathway"))
        self.literal("]", "']'")
        return PlanFigure(name, value, total, at)
