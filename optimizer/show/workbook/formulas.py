"""Numbers of a workbook's cells and the formulas that give them, made together from one expression."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gwplan.models.data import BoolArray
from gwplan.models.tree import FloatArray, IntArray

CELL, PRODUCT, SUM = range(3)
"""How loosely a formula holds together: a sum takes brackets inside a product and behind a minus."""


@dataclass(frozen=True, eq=False)
class Formulas:
    """What the cells of a column calculate, row by row: their numbers, in the unit of the column, and their formulas.

    `+ - *` and the methods below act on both. A blank formula is nothing: sums pass over it, products with it are
    blank.
    """

    values: NDArray[Any]
    texts: list[str]
    holds: int = CELL

    __array_ufunc__ = None  # arrays to the left of an operator leave it to this class

    def __add__(self, other: Operand) -> Formulas:
        return total([self, self._beside(other)], len(self.texts))

    def __radd__(self, other: Operand) -> Formulas:
        return self._beside(other) + self

    def __neg__(self) -> Formulas:
        inside = [f"({text})" if self.holds == SUM or text[:1] == "-" else text for text in self.texts]
        return Formulas(-self.values, [text and f"-{text}" for text in inside], PRODUCT)

    def __sub__(self, other: Operand) -> Formulas:
        return self + -self._beside(other)

    def __rsub__(self, other: Operand) -> Formulas:
        return self._beside(other) - self

    def __mul__(self, other: Operand) -> Formulas:
        factors = (self, self._beside(other))
        inside = [[f"({text})" if each.holds == SUM and text else text for text in each.texts] for each in factors]
        texts = [f"{one}*{more}" if one and more else "" for one, more in zip(*inside, strict=True)]
        return Formulas(factors[0].values * factors[1].values, texts, PRODUCT)

    def __rmul__(self, other: Operand) -> Formulas:
        return self._beside(other) * self

    def __abs__(self) -> Formulas:
        return Formulas(np.abs(self.values), [text and f"ABS({text})" for text in self.texts])

    def positive(self) -> Formulas:
        """Return what is above 0, and 0 elsewhere."""
        return Formulas(np.maximum(self.values, 0.0), [text and f"MAX(0,{text})" for text in self.texts])

    def where(self, there: BoolArray, otherwise: Operand | None = None) -> Formulas:
        """Return the rows that are there, and something else, or nothing, on the others."""
        other = Formulas(np.zeros(len(there)), [""] * len(there)) if otherwise is None else self._beside(otherwise)
        rows = zip(there, self.texts, other.texts, strict=True)
        texts = [one if held else more for held, one, more in rows]
        return Formulas(np.where(there, self.values, other.values), texts, max(self.holds, other.holds))

    def on(self, rows: IntArray, otherwise: Operand | None = None) -> Formulas:
        """Return the cells of other rows, one for each row; -1: something else, or nothing."""
        taken = Formulas(self.values[rows], [self.texts[row] for row in rows], self.holds)
        return taken.where(rows >= 0, otherwise)

    def span(self, first: int = 0, last: int = -1) -> str:
        """Return the range from one row of a column to another, both included."""
        return f"{self.texts[first]}:{self.texts[last].rpartition('!')[2]}"

    def _beside(self, other: Operand) -> Formulas:
        return other if isinstance(other, Formulas) else literals(np.broadcast_to(np.asarray(other), len(self.texts)))


Operand = Formulas | float | FloatArray


def literals(values: NDArray[Any]) -> Formulas:
    """Return numbers that stand in formulas as they are, nan as a blank."""
    return Formulas(values, ["" if np.isnan(value) else repr(value) for value in values.tolist()])


def total(terms: Iterable[Formulas], rows: int) -> Formulas:
    """Return the sum of some terms, which counts as a sum even if there is one; 0 where there is none."""
    values: FloatArray = np.zeros(rows)
    texts: list[list[str]] = [[] for _ in range(rows)]
    for term in terms:
        values = values + term.values
        for parts, text in zip(texts, term.texts, strict=True):
            if text:
                parts.append(text)
    signed = (["+" + part if part[0] != "-" else part for part in parts] for parts in texts)
    return Formulas(values, ["".join(parts).removeprefix("+") or "0" for parts in signed], SUM)


EVERY_ROW: Final = ((0, -1),)
"""The one range of a column that is all of it."""


def products(*columns: Formulas, ranges: Sequence[tuple[int, int]] = EVERY_ROW) -> Formulas:
    """Return the sums, over ranges of rows, of the products of some columns; what is not known counts as 0."""
    each = np.nan_to_num(np.prod([column.values for column in columns], axis=0))
    values = [each[first : None if last == -1 else last + 1].sum() for first, last in ranges]
    texts = [f"SUMPRODUCT({','.join(column.span(*rows) for column in columns)})" for rows in ranges]
    return Formulas(np.array(values), texts)


def gathered(function: Literal["SUMIFS", "AVERAGEIFS"], column: Formulas, keys: Formulas, key: Formulas) -> Formulas:
    """Return the sum or the mean of a column over the rows that have each row's key."""
    mean = function == "AVERAGEIFS"
    rows = [column.values[keys.values == value] for value in key.values]
    values = [each.mean() if mean else each.sum() for each in rows]
    return Formulas(np.array(values), [f"{function}({column.span()},{keys.span()},{cell})" for cell in key.texts])
