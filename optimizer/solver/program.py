"""The program as arrays: what a Pyomo model becomes and what the solver takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

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


class Status(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    INFEASIBLE_OR_UNBOUNDED = "infeasible_or_unbounded"
    TIME_LIMIT = "time_limit"
    ITERATION_LIMIT = "iteration_limit"
    SEARCH_LIMIT = "search_limit"
    INTERRUPTED = "interrupted"
    SOLVER_ERROR = "solver_error"

    @property
    def stopped(self) -> bool:
        """Whether a limit or the user ended the solve early."""
        return self in (Status.TIME_LIMIT, Status.ITERATION_LIMIT, Status.SEARCH_LIMIT, Status.INTERRUPTED)


Option = str | int | float | bool

RANGED_COLUMNS: Final = 40_000
"""Up to here the ranges of rows are found unasked: HiGHS works through every column for each, some seconds beyond."""

DEVEX: Final[Mapping[str, Option]] = {"simplex_dual_edge_weight_strategy": 1}
"""The dual simplex with weights that start at 1; its default, steepest edge, first solves a system for every row."""

DUAL: Final[Mapping[str, Option]] = {**DEVEX, "dual_simplex_cost_perturbation_multiplier": 0.0}
"""The same without perturbed costs, which near an optimum only have to be put right again."""

PERTURBED_PRIMAL: Final[Mapping[str, Option]] = {"simplex_strategy": 4}
"""The primal simplex as HiGHS sets it: with perturbed bounds, for starts that are farther from the optimum."""

PRIMAL: Final[Mapping[str, Option]] = {**PERTURBED_PRIMAL, "primal_simplex_bound_perturbation_multiplier": 0.0}
"""The primal simplex, without perturbed bounds likewise."""

Basis = Any
"""A basis as HiGHS holds it: handed back to it, or read by `highs.basis_codes`."""


@dataclass(frozen=True)
class SolveOptions:
    """How to solve.

    Attributes
    ----------
    time_limit : float or None
        Seconds after which the solver stops.
    log : bool
        Whether the solver's own log is printed, on stderr.
    solver : mapping of str to Option
        HiGHS options by name.
    meanwhile : callable or None
        Called while the solver runs, which needs no Python.
    start : str
        ``cold``, ``lift`` (see `optimizer.solver.stages`), or blank: by the shape of the model.
    ranges : bool
        Whether the ranges of rows are found for a program of more than `RANGED_COLUMNS` too.
    """

    time_limit: float | None = None
    log: bool = False
    solver: Mapping[str, Option] = field(default_factory=dict)
    meanwhile: Callable[[], object] | None = None
    start: str = ""
    ranges: bool = False


@dataclass(frozen=True)
class Solution:
    """What the solver returned.

    Attributes
    ----------
    status : Status
        How the solve ended.
    columns : (n,) float array
        Values of the columns; empty where the solver has none.
    row_duals : (m,) float array
        Change of the program's objective ($bn) per unit of a row's bound; empty where the solver has none.
    row_ranges : pair of (m,) float arrays or None
        Smallest and largest bound of each row for which its dual holds; None without an optimal basis.
    iterations : int
        Simplex, interior point and crossover iterations.
    seconds : float
        Wall time of the solver.
    message : str
        The solver's own word for how it ended.
    basis : Basis or None
        Where the simplex method ended; None where it did not.
    bound : float or None
        With whole numbers: what no solution's objective can be below, $bn, after the solver's search.
    interrupted : bool
        Whether Ctrl-C was pressed while the solver ran, even if it came too late to stop it.
    """

    status: Status
    columns: FloatArray
    row_duals: FloatArray
    row_ranges: tuple[FloatArray, FloatArray] | None
    iterations: int
    seconds: float
    message: str
    basis: Basis | None = None
    bound: float | None = None
    interrupted: bool = False
