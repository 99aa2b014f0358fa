"""Lifting: a plan's tree solved a factor at a time, each stage from the basis of the one before.

Without its factors an instance is a chain of periods, solved in a moment. Its optimal basis, copied onto every node of
the same date, is nearly optimal for the tree with one factor more. The last factor to be revealed comes first, since it
adds the fewest nodes. Before a large stage each outcome of the factor that it adds is solved alone, with all that was
decided before the reveal held: the plan so far and these continuations of it are a plan of the larger tree, from which
the primal simplex has little left to improve. What was measured is in docs/benchmarks.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np

from optimizer.language.edits import Factor
from optimizer.solver.compile import compiled
from optimizer.solver.highs import solve as run_solver
from optimizer.solver.lift import carried, fixed_where, matching_nodes, spliced
from optimizer.solver.program import DEVEX, PRIMAL, Basis, LinearProgram, Option, Solution, SolveOptions, Status
from optimizer.tree.layouts import Layouts
from optimizer.tree.timeline import Timeline, timeline

LEAST_COLUMNS: Final = 20_000
"""Below this a cold solve takes about as long as the stages and what it takes to lay them out."""

CONTINUED_COLUMNS: Final = 50_000
"""From here on the outcomes of the factor that a stage adds are solved alone first; below, the copied basis is near."""


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
    outcome : str
        ``factor=outcome`` that it takes as known; blank: none.
    """

    factors: int
    columns: int
    iterations: int
    seconds: float
    outcome: str = ""


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
    """Solve a program from the bases of smaller trees."""
    lift = _Lift(options, layouts or Layouts(), meanwhile)
    return lift.tree(laid_out, program), tuple(lift.stages)


@dataclass(frozen=True)
class _Reached:
    """A smaller tree's program, and its optimum."""

    basis: Basis
    solution: Solution
    program: LinearProgram
    laid_out: Timeline


class _EndedError(Exception):
    """A limit or the user ended the solve; it carries what there is to tell of it."""

    def __init__(self, solution: Solution) -> None:
        super().__init__()
        self.solution = solution


@dataclass
class _Lift:
    """One lifted solve."""

    options: SolveOptions
    layouts: Layouts
    meanwhile: Callable[[], object] | None
    stages: list[Stage] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)

    def tree(self, laid_out: Timeline, program: LinearProgram) -> Solution | None:
        """Return the solution of a tree's program; None where lifting does not help."""
        reached: _Reached | None = None
        try:
            for here, part, factor in self._smaller_trees(laid_out, program):
                start, way = None, DEVEX
                if reached is not None:
                    start, way = self._start(reached, here, part, factor)
                    if start is None:
                        return None
                solution = self._solved(here, part, start, way, last=part is program)
                if solution.status is not Status.OPTIMAL or solution.basis is None:
                    return None
                reached = _Reached(solution.basis, solution, part, here)
        except _EndedError as ended:
            return ended.solution
        return reached.solution if reached else None

    def _smaller_trees(
        self, laid_out: Timeline, program: LinearProgram
    ) -> Iterator[tuple[Timeline, LinearProgram, Factor | None]]:
        """Yield the tree without factors, then with one more at a time, the last to be revealed first, and that one.

        The factor is None where more than one came in: those before it added no node.
        """
        instance = laid_out.instance
        later_first = sorted(range(len(instance.factors)), key=lambda i: instance.factors[i].revealed, reverse=True)
        size, added = 0, list[Factor]()
        for count in range(len(later_first)):
            held = sorted(later_first[:count])
            smaller = timeline(replace(instance, factors=tuple(instance.factors[i] for i in held)), self.layouts)
            added += [instance.factors[later_first[count - 1]]] if count else []
            if smaller.data.tree.size > size:  # a factor with one outcome, or revealed too late, adds no node
                yield smaller, compiled(smaller.data), added[0] if len(added) == 1 else None
                added = []
            size = smaller.data.tree.size
        added += [instance.factors[i] for i in later_first[-1:]]
        yield laid_out, program, added[0] if len(added) == 1 else None

    def _start(
        self, reached: _Reached, here: Timeline, part: LinearProgram, factor: Factor | None
    ) -> tuple[Basis | None, Mapping[str, Option]]:
        """Return the basis that a stage starts from, None where it would not help, and the way on from it."""
        start = carried(reached.basis, reached.program, reached.laid_out, part, here)
        if start is None or factor is None or part.shape[1] < CONTINUED_COLUMNS:
            return start, DEVEX
        place = [other.name for other in here.instance.factors].index(factor.name)
        way = PRIMAL
        for number, outcome in enumerate(factor.outcomes):
            if not outcome.edits:
                continue
            known = timeline(here.instance.given({factor.name: outcome.name}), self.layouts)
            continued = self._continued(reached, known, place, f"{factor.name}={outcome.name}")
            basis = continued and carried(continued.basis, continued.program, known, part, here)
            if basis is None:
                way = DEVEX
            else:
                start = spliced(start, basis, part, here.data.tree.known[:, place] == number)
        return start, way

    def _continued(self, reached: _Reached, known: Timeline, place: int, outcome: str) -> _Reached | None:
        """Return the best plan of a tree on which an outcome is known, of those that go on from the plan so far.

        Before the reveal everything stays as it was decided. None: there is none, or it takes too long.
        """
        program = compiled(known.data)
        start = carried(reached.basis, reached.program, reached.laid_out, program, known)
        if start is None:
            return None
        before = np.where(known.data.tree.known[:, place] < 0, matching_nodes(reached.laid_out, known), -1)
        decided = reached.solution.columns
        held = fixed_where(tuple(reached.program.columns), decided, reached.program, program, before)
        solution = self._solved(known, held, start, DEVEX, outcome=outcome)
        if solution.status is not Status.OPTIMAL or solution.basis is None:
            return None
        return _Reached(solution.basis, solution, program, known)

    def _solved(
        self,
        here: Timeline,
        program: LinearProgram,
        start: Basis | None,
        way: Mapping[str, Option],
        *,
        last: bool = False,
        outcome: str = "",
    ) -> Solution:
        """Return the solution of one stage.

        Raises
        ------
        _EndedError
            If a limit or the user ended it.
        """
        meanwhile = None if self.stages else self.meanwhile
        solution = run_solver(program, replace(self._settings(program, way), meanwhile=meanwhile), start, ranges=last)
        factors = len(here.instance.factors)
        self.stages.append(Stage(factors, program.shape[1], solution.iterations, solution.seconds, outcome))
        if solution.interrupted and not last:  # it may have come just as the stage had ended
            raise _EndedError(replace(_without_point(solution), status=Status.INTERRUPTED))
        if solution.status in (Status.TIME_LIMIT, Status.INTERRUPTED):
            raise _EndedError(solution if last else _without_point(solution))
        return solution

    def _settings(self, program: LinearProgram, way: Mapping[str, Option]) -> SolveOptions:
        """Return the options of one stage: what is left of the time and, from a basis, as many iterations as cold."""
        limit = self.options.time_limit
        left = None if limit is None else max(limit - (time.perf_counter() - self.began), 0.0)
        if not self.stages:
            return replace(self.options, time_limit=left)
        most = max(self.stages[0].iterations * program.shape[1] // self.stages[0].columns, 1000)
        settings = {**way, "simplex_iteration_limit": most, **self.options.solver}
        return replace(self.options, time_limit=left, solver=settings)


def _without_point(solution: Solution) -> Solution:
    """Return a solution of another program as one without values: it says how the solve ended and no more."""
    return replace(solution, columns=np.empty(0), row_duals=np.empty(0), row_ranges=None, basis=None)
