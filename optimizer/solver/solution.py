"""What the solver is asked, and what it answers; which solver that is is said in `highs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from optimizer.solver.program import FloatArray


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
