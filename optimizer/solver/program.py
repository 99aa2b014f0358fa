"""The program as arrays: what a Pyomo model becomes and what the solver takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


NUMBERED: Final[Mapping[str, tuple[int, ...]]] = {"serve": (1,)}
"""By variable: the places of indices, besides the last, a node, that are whole numbers: tiers."""


@dataclass(frozen=True)
class LinearProgram:
    """Minimise ``cost @ x + offset`` over ``row_lower <= A x <= row_upper``, ``column_lower <= x <= column_upper``.

    Where `whole` says so, columns are whole numbers besides.
    The cost is the negative of worth in $bn, since the plan maximises and the program minimises.

    Attributes
    ----------
    cost, column_lower, column_upper : (n,) float array
        Objective and bounds of the columns.
    offset : float
        Constant of the objective, $bn.
    row_lower, row_upper : (m,) float array
        Bounds of the rows.
    start, index, value : int and float arrays
        The matrix A by columns (compressed): rows ``index[start[j]:start[j + 1]]`` hold column j's coefficients.
    columns, rows : mapping of str to slice
        Where each variable and each constraint of the model stands.
    column_keys : mapping of str to (count, dimensions) int array
        Index of each column of a variable as codes; whole numbers stand for themselves, names for their place in
        `labels`.
    row_keys : mapping of str to (count, dimensions) int array
        The same for the rows of each constraint.
    labels : tuple of str
        Names that the codes stand for.
    whole : (n,) bool array
        Which columns are whole numbers; all false in a linear program.
    """

    cost: FloatArray
    offset: float
    column_lower: FloatArray
    column_upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    start: IntArray
    index: IntArray
    value: FloatArray
    columns: Mapping[str, slice]
    rows: Mapping[str, slice]
    column_keys: Mapping[str, IntArray]
    row_keys: Mapping[str, IntArray]
    labels: tuple[str, ...]
    whole: BoolArray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self.row_lower), len(self.cost)

    def times(self, x: FloatArray) -> FloatArray:
        """Return the row activities ``A x``, shape (m,)."""
        entry_column = np.repeat(np.arange(len(self.cost)), np.diff(self.start))
        return totals(self.index, self.value * x[entry_column], len(self.row_lower))

    def transposed_times(self, y: FloatArray) -> FloatArray:
        """Return ``A' y``, shape (n,)."""
        entry_column = np.repeat(np.arange(len(self.cost)), np.diff(self.start))
        return totals(entry_column, self.value * y[self.index], len(self.cost))


def totals(place: IntArray, amount: FloatArray, size: int) -> FloatArray:
    """Return the sum of the amounts at each place, shape (size,)."""
    return np.bincount(place, weights=amount, minlength=size).astype(np.float64, copy=False)
