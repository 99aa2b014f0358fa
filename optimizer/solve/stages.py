"""Lifting: a plan's tree solved a factor at a time, each stage from the basis of the one before.

Without its factors an instance is a chain of periods, solved in a moment. Its optimal basis, copied onto every node of
the same date, is nearly optimal for the tree with one factor more. The last factor to be revealed comes first, since it
adds the fewest nodes; what was measured is in docs/benchmarks.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from optimizer.instance.layouts import Layouts
from optimizer.instance.timeline import Timeline, timeline
from optimizer.solve.compile import compiled
from optimizer.solve.highs import Solution, SolveOptions, Status
from optimizer.solve.highs import solve as run_solver
from optimizer.solve.lift import carried
from optimizer.solve.program import LinearProgram

LEAST_COLUMNS: Final = 10_000
"""Below this a cold solve takes a fraction of a second, about as long as the stages take to be laid out."""

FROM_A_BASIS: Final = {"simplex_dual_edge_weight_strategy": 1}
"""Devex weights start at 1; the default, steepest edge, solves a system for every row before the first iteration."""


class Start(StrEnum):
    """Where the solver starts."""

    COLD = "cold"
    LIFT = "lift"


@dataclass(frozen=True)
class Stage:
    """One solve on the way to the tree's plan.

    Attributes
    ----------
    factors : int
        How many of the factors its tree has.
    columns : int
        Columns of its program.
    iterations : int
        Iterations of the solver.
    seconds : float
        Wall time of the solver.
    """

    factors: int
    columns: int
    iterations: int
    seconds: float


def start_of(laid_out: Timeline, program: LinearProgram, options: SolveOptions) -> Start:
    """Return where the solver starts: as asked, else by the shape of the tree and the program."""
    tree = laid_out.data.tree
    if program.whole.any():  # a search begins anew, wherever it is asked to start
        return Start.COLD
    if options.start:
        return Start(options.start)
    simplex = str(options.solver.get("solver", "choose")) in ("choose", "simplex")
    worth_it = simplex and program.shape[1] >= LEAST_COLUMNS and 2 * tree.periods <= tree.size
    return Start.LIFT if worth_it else Start.COLD


def lifted(
    laid_out: Timeline,
    program: LinearProgram,
    options: SolveOptions,
    meanwhile: Callable[[], object] | None = None,
    layouts: Layouts | None = None,
) -> tuple[Solution | None, tuple[Stage, ...]]:
    """Solve a program from the bases of smaller trees.

    Parameters
    ----------
    laid_out : Timeline
        The instance on its tree.
    program : LinearProgram
        Its program.
    options : SolveOptions
        The time limit holds for all stages together.
    meanwhile : callable, optional
        Called while the solver runs for the first time.
    layouts : Layouts, optional
        Remembers what was made of the instance's tables.

    Returns
    -------
    (Solution or None, tuple of Stage)
        None where lifting does not help, and a cold solve has to.
    """
    began, stages = time.perf_counter(), list[Stage]()
    reached: tuple[Solution, LinearProgram, Timeline] | None = None
    for here, part in _smaller_trees(laid_out, program, layouts or Layouts()):
        start = None
        if reached is not None:
            start = carried(reached[0].basis, reached[1], reached[2], part, here)
            if start is None:
                return None, tuple(stages)
        asked = replace(_settings(options, stages, part, began), meanwhile=None if stages else meanwhile)
        solution = run_solver(part, asked, start, ranges=part is program)
        stages.append(Stage(len(here.instance.factors), part.shape[1], solution.iterations, solution.seconds))
        if solution.interrupted and part is not program:  # it may have come just as the stage had ended
            return replace(_without_point(solution), status=Status.INTERRUPTED), tuple(stages)
        if solution.status in (Status.TIME_LIMIT, Status.INTERRUPTED):
            return (solution if part is program else _without_point(solution)), tuple(stages)
        if solution.status is not Status.OPTIMAL or solution.basis is None:
            return None, tuple(stages)
        reached = solution, part, here
    return reached[0] if reached else None, tuple(stages)


def _smaller_trees(
    laid_out: Timeline, program: LinearProgram, layouts: Layouts
) -> Iterator[tuple[Timeline, LinearProgram]]:
    """Yield the instance without its factors, then with one factor more at a time, the last to be revealed first."""
    instance = laid_out.instance
    later_first = sorted(range(len(instance.factors)), key=lambda i: instance.factors[i].revealed, reverse=True)
    size = 0
    for count in range(len(later_first)):
        held = sorted(later_first[:count])
        smaller = timeline(replace(instance, factors=tuple(instance.factors[i] for i in held)), layouts)
        if smaller.data.tree.size > size:  # a factor with one outcome, or revealed too late, adds no node
            yield smaller, compiled(smaller.data)
        size = smaller.data.tree.size
    yield laid_out, program


def _settings(options: SolveOptions, stages: list[Stage], program: LinearProgram, began: float) -> SolveOptions:
    """Return the options of one stage: what is left of the time and, from a basis, as many iterations as cold takes."""
    left = None if options.time_limit is None else max(options.time_limit - (time.perf_counter() - began), 0.0)
    if not stages:
        return replace(options, time_limit=left)
    most = max(stages[0].iterations * program.shape[1] // stages[0].columns, 1000)
    settings = {**FROM_A_BASIS, "simplex_iteration_limit": most, **options.solver}
    return replace(options, time_limit=left, solver=settings)


def _without_point(solution: Solution) -> Solution:
    """Return a solution of another program as one without values: it says how the solve ended and no more."""
    return replace(solution, columns=np.empty(0), row_duals=np.empty(0), row_ranges=None, basis=None)
