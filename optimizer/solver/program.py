"""The program as arrays: what a Pyomo model becomes and what the solver takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    """

    # (n,) objective and bounds of the columns
    cost: FloatArray
    offset: float  # constant of the objective, $bn
    column_lower: FloatArray
    column_upper: FloatArray
    # (m,) bounds of the rows
    row_lower: FloatArray
    row_upper: FloatArray
    # the matrix A by columns (compressed): rows ``index[start[j]:start[j + 1]]`` hold column j's coefficients
    start: IntArray
    index: IntArray
    value: FloatArray
    # where each variable and each constraint of the model stands
    columns: Mapping[str, slice]
    rows: Mapping[str, slice]
    # index of each column of a variable as codes; whole numbers stand for themselves, names for their place in `labels`
    column_keys: Mapping[str, IntArray]
    row_keys: Mapping[str, IntArray]  # the same for the rows of each constraint
    labels: tuple[str, ...]  # names that the codes stand for
    whole: BoolArray  # (n,) which columns are whole numbers; all false in a linear program
    # (N,) least weight of each node in the objective: its probability, without what aversion adds to it in the tail.
    # Empty where the objective has no such weights.
    node_weight: FloatArray

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


def with_columns(
    program: LinearProgram,
    rows: Iterable[IntArray],
    values: Iterable[FloatArray],
    cost: FloatArray,
    most: FloatArray | float = np.inf,
) -> LinearProgram:
    """Return a program with more columns, each from 0 to a limit; they are on no node, and so nodes have no weights."""
    rows, values, more = list(rows), list(values), len(cost)
    sizes = np.array([len(at) for at in rows], dtype=np.int64)
    return replace(
        program,
        cost=np.append(program.cost, cost),
        column_lower=np.append(program.column_lower, np.zeros(more)),
        column_upper=np.append(program.column_upper, np.broadcast_to(most, more)),
        start=np.append(program.start, program.start[-1] + np.cumsum(sizes)),
        index=np.concatenate([program.index, *rows]),
        value=np.concatenate([program.value, *values]),
        whole=np.append(program.whole, np.zeros(more, dtype=bool)),
        node_weight=np.empty(0),
    )


def part_of(program: LinearProgram, columns: IntArray, rows: IntArray) -> LinearProgram:
    """Return the program of some columns and rows, in that order; they have no names, and nodes no weights."""
    column, row = np.full(program.shape[1], -1), np.full(program.shape[0], -1)
    column[columns], row[rows] = np.arange(len(columns)), np.arange(len(rows))
    of_entry = np.repeat(column, np.diff(program.start))
    kept = np.flatnonzero((of_entry >= 0) & (row[program.index] >= 0))
    kept = kept[np.argsort(of_entry[kept], kind="stable")]
    sizes = np.bincount(of_entry[kept], minlength=len(columns))
    return LinearProgram(
        cost=program.cost[columns],
        offset=0.0,
        column_lower=program.column_lower[columns],
        column_upper=program.column_upper[columns],
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows],
        start=np.concatenate([[0], np.cumsum(sizes)]),
        index=row[program.index[kept]],
        value=program.value[kept],
        columns={},
        rows={},
        column_keys={},
        row_keys={},
        labels=(),
        whole=program.whole[columns],
        node_weight=np.empty(0),
    )


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
        ``cold``, ``lift`` (see `gwplan.solver.stages`), or blank: by the shape of the model.
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
    """What the solver returned."""

    status: Status  # how the solve ended
    columns: FloatArray  # (n,) values of the columns; empty where the solver has none
    # (m,) change of the program's objective ($bn) per unit of a row's bound; empty where the solver has none
    row_duals: FloatArray
    # smallest and largest bound of each row for which its dual holds; None without an optimal basis
    row_ranges: tuple[FloatArray, FloatArray] | None
    iterations: int  # simplex, interior point and crossover iterations
    seconds: float  # wall time of the solver
    message: str  # the solver's own word for how it ended
    basis: Basis | None = None  # where the simplex method ended; None where it did not
    # with whole numbers: what no solution's objective can be below, $bn, after the solver's search
    bound: float | None = None
    interrupted: bool = False  # whether Ctrl-C was pressed while the solver ran, even if it came too late to stop it
    # (m,) duals of the rows on nodes so light that those of the whole are rounding there, with what was decided before
    # held; nan elsewhere. None where there is no such node.
    light_duals: FloatArray | None = None
