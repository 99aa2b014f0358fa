"""Lifting: a plan's tree solved a factor at a time, each stage from the basis of the one before.

Without its factors an instance is a chain of periods, solved in a moment. Its optimal basis, copied onto every node of
the same date, is nearly optimal for the tree with one factor more. The last factor to be revealed comes first, since it
adds the fewest nodes. Before a large stage each outcome of the factor that it adds is solved alone, with all that was
decided before the reveal held: the plan so far and these continuations of it are a plan of the larger tree, from which
the primal simplex has little left to improve. A tree of many leaves is cut there instead (`gwplan.solver.cuts`): what
is decided before the reveal moves, too, and the bases of the parts, put together, are all but optimal. What was
measured is in docs/benchmarks.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gwplan.language.edits import Factor
from gwplan.solver.compile import compiled
from gwplan.solver.cuts import blocks, composed
from gwplan.solver.expand import Places
from gwplan.solver.highs import BASIC, FREE, LOWER, basis_codes, basis_of
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import (
    DEVEX,
    NUMBERED,
    PRIMAL,
    Basis,
    BoolArray,
    FloatArray,
    IntArray,
    LinearProgram,
    Option,
    Solution,
    SolveOptions,
    Status,
)
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, timeline

RISK_ROWS = ("cumulative_worth", "deficit_met")

LEAST_SHARED = 0.9
"""Share of the rows that a carried basis must speak of: a start that leaves much open takes longer than none."""


def carried(
    basis: Basis,
    source: LinearProgram,
    source_tree: Timeline,
    target: LinearProgram,
    target_tree: Timeline,
    worth: FloatArray | None = None,
) -> Basis | None:
    """Return the basis of a solved program as a start for another one.

    A column or row of the target takes the status of the source's with the same names on the node that
    `matching_nodes` finds; what the source lacks starts as if it were not there: a column at its bound, a row slack.

    `worth` (L,) is the $bn of the source's plan at each of its leaves, where the target weighs risk and the source does
    not: the rows and columns of risk then start at what they are for that plan.
    """
    node = matching_nodes(source_tree, target_tree)
    columns, rows = basis_codes(basis)
    free = np.isinf(target.column_lower) & np.isinf(target.column_upper)
    column_codes = np.where(free, FREE, LOWER).astype(np.int8)
    row_codes = np.full(target.shape[0], BASIC, dtype=np.int8)
    label = _label_codes(source.labels, target.labels)
    shared = 0
    for taken, given, mine, theirs, my_keys, their_keys in (
        (column_codes, columns, target.columns, source.columns, target.column_keys, source.column_keys),
        (row_codes, rows, target.rows, source.rows, target.row_keys, source.row_keys),
    ):
        for name in mine.keys() & theirs.keys():
            at = _places(name, their_keys[name], my_keys[name], label, node)
            status, place = given[theirs[name]], mine[name]
            if at is None:
                taken[place] = status
                continue
            there = np.flatnonzero(at >= 0)
            taken[place.start + there] = status[at[there]]
            shared += len(there) if taken is row_codes else 0
    if worth is not None:
        leaf_of = np.full(source_tree.data.tree.size, -1, dtype=np.int64)
        leaf_of[source_tree.data.tree.leaves] = np.arange(len(worth))
        leaf = leaf_of[node[target_tree.data.tree.leaves]]
        _weigh_risk(target, target_tree, np.where(leaf >= 0, worth[leaf], worth.mean()), column_codes, row_codes)
        shared += sum(target.rows[name].stop - target.rows[name].start for name in RISK_ROWS)
    return basis_of(column_codes, row_codes) if shared >= LEAST_SHARED * len(row_codes) else None


def spliced(basis: Basis, other: Basis, program: LinearProgram, nodes: BoolArray) -> Basis:
    """Return a program's basis with the statuses of another one on some nodes, shape (N,) of the mask."""
    mine, theirs = basis_codes(basis), basis_codes(other)
    for codes, given, places, keys in zip(
        mine, theirs, (program.columns, program.rows), (program.column_keys, program.row_keys), strict=True
    ):
        for name, place in places.items():
            if len(keys[name]):  # what has no index stands on no node
                at = place.start + np.flatnonzero(nodes[keys[name][:, -1]])
                codes[at] = given[at]
    return basis_of(*mine)


def _weigh_risk(
    target: LinearProgram, tree: Timeline, worth: FloatArray, columns: NDArray[np.int8], rows: NDArray[np.int8]
) -> None:
    """Enter the columns and rows of risk into a basis so that a plan that kept every limit still does.

    `worth` has no bounds and follows from its row. The value at risk is the worth of the leaf at which the tail is
    full; the leaves that are worth less have a `deficit`, the others room to spare.
    """
    data = tree.data
    order = np.argsort(worth)
    through = np.cumsum(data.tree.probability[data.tree.leaves][order])
    full = min(int(np.searchsorted(through, data.tail)), len(order) - 1)
    worse, better = order[:full], order[full + 1 :]
    columns[target.columns["worth"]] = columns[target.columns["value_at_risk"]] = BASIC
    rows[target.rows["cumulative_worth"]] = rows[target.rows["deficit_met"]] = LOWER
    columns[target.columns["deficit"]] = LOWER
    columns[target.columns["deficit"].start + worse] = BASIC
    rows[target.rows["deficit_met"].start + better] = BASIC


def matching_nodes(source: Timeline, target: Timeline) -> IntArray:
    """Return, for each node of the target, the source's node of the same date that knows most of the same, else -1."""
    source_starts, target_starts = source.calendar.starts(), target.calendar.starts()
    mine, theirs = target.data.tree, source.data.tree
    known = _known_of(source, target)
    matched = np.full(mine.size, -1, dtype=np.int64)
    for t in range(mine.periods):
        nodes = np.flatnonzero(mine.period == t)
        others = np.flatnonzero(source_starts[theirs.period] == target_starts[t])
        if len(others):
            agree = (known[nodes][:, None, :] == theirs.known[others][None, :, :]).sum(axis=2)
            matched[nodes] = others[np.argmax(agree, axis=1)]
    return matched


def _known_of(source: Timeline, target: Timeline) -> IntArray:
    """Return what the target's nodes know, in the factors and outcomes of the source; -2: nothing that it has."""
    known = np.full((target.data.tree.size, len(source.instance.factors)), -2, dtype=np.int64)
    numbers = {factor.name: i for i, factor in enumerate(target.instance.factors)}
    for place, factor in enumerate(source.instance.factors):
        if factor.name in numbers:
            names = [outcome.name for outcome in target.instance.factors[numbers[factor.name]].outcomes]
            outcomes = {outcome.name: i for i, outcome in enumerate(factor.outcomes)}
            number = np.array([*(outcomes.get(name, -2) for name in names), -1])
            known[:, place] = number[target.data.tree.known[:, numbers[factor.name]]]
    return known


def fixed_where(
    names: tuple[str, ...],
    decided: FloatArray,
    source: LinearProgram,
    target: LinearProgram,
    node: IntArray,
) -> LinearProgram:
    """Return a program with variables fixed to what another one's solution decided."""
    lower, upper = target.column_lower.copy(), target.column_upper.copy()
    label = _label_codes(source.labels, target.labels)
    for name in names:
        at = _places(name, source.column_keys[name], target.column_keys[name], label, node)
        if at is None:
            continue
        place = target.columns[name].start + np.flatnonzero(at >= 0)
        amount = decided[source.columns[name]][at[at >= 0]]
        lower[place] = upper[place] = np.clip(amount, lower[place], upper[place])
    return replace(target, column_lower=lower, column_upper=upper)


def _label_codes(source: tuple[str, ...], target: tuple[str, ...]) -> IntArray:
    """Return the source's code of each name of the target, -1 where it has none."""
    number = {label: i for i, label in enumerate(source)}
    return np.array([number.get(name, -1) for name in target], dtype=np.int64)


def _places(name: str, source: IntArray, target: IntArray, label: IntArray, node: IntArray) -> IntArray | None:
    """Return the place among the source's keys of each of the target's, -1 where there is none; None: without an index.

    The last index is a node.
    """
    if not len(source) or not len(target):
        return np.full(len(target), -1, dtype=np.int64) if len(source) != len(target) else None
    last = target.shape[1] - 1
    numbered = NUMBERED.get(name, ())
    keys = [
        node[codes] if axis == last else codes if axis in numbered else label[codes]
        for axis, codes in enumerate(target.T)
    ]
    return Places(source).find(keys)


LEAST_COLUMNS: Final = 20_000
"""Below this a cold solve takes about as long as the stages and what it takes to lay them out."""

CONTINUED_COLUMNS: Final = 50_000
"""From here on the outcomes of the factor that a stage adds are solved alone first; below, the copied basis is near."""


CUT_LEAVES: Final = 50
"""From so many leaves on a stage is cut at its first reveal: moving what was decided before it pays."""


class Start(StrEnum):
    """Where the solver starts."""

    COLD = "cold"
    LIFT = "lift"


@dataclass(frozen=True)
class Stage:
    """One solve on the way to the tree's plan."""

    factors: int  # how many of the factors its tree has
    columns: int  # columns of its program
    iterations: int  # iterations of the solver
    seconds: float  # wall time of the solver
    outcome: str = ""  # ``factor=outcome`` that it takes as known; blank: none
    rounds: int = 0  # in which the tree was cut at a reveal; 0: it was solved whole


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


@dataclass(frozen=True)
class _Reached:
    """A smaller tree's program, and its optimum."""

    basis: Basis
    solution: Solution
    program: LinearProgram
    laid_out: Timeline


@dataclass
class Lowest:
    """The first stage of a lifted solve: the first stages of cases that are like it start from its basis."""

    reached: _Reached | None = None


def lifted(
    laid_out: Timeline,
    program: LinearProgram,
    options: SolveOptions,
    meanwhile: Callable[[], object] | None = None,
    layouts: Layouts | None = None,
    lowest: Lowest | None = None,
) -> tuple[Solution | None, tuple[Stage, ...]]:
    """Solve a program from the bases of smaller trees."""
    lift = _Lift(options, layouts or Layouts(), meanwhile, lowest or Lowest())
    return lift.tree(laid_out, program), tuple(lift.stages)


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
    lowest: Lowest
    stages: list[Stage] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)

    def tree(self, laid_out: Timeline, program: LinearProgram) -> Solution | None:
        """Return the solution of a tree's program; None where lifting does not help."""
        reached: _Reached | None = None
        try:
            for here, part, factor in self._smaller_trees(laid_out, program):
                if reached is None:
                    solution = self._first(here, part, last=part is program)
                else:
                    start, way = self._start(reached, here, part, factor)
                    if start is None:
                        return None
                    solution = self._solved(here, part, start, way, last=part is program)
                if solution.status is not Status.OPTIMAL or solution.basis is None:
                    return None
                reached = _Reached(solution.basis, solution, part, here)
                self.lowest.reached = self.lowest.reached or reached
        except _EndedError as ended:
            return ended.solution
        return reached.solution if reached else None

    def _first(self, here: Timeline, part: LinearProgram, *, last: bool) -> Solution:
        """Return the solution of the first stage: from that of another case where it leads there, else cold."""
        other = self.lowest.reached
        start = other and carried(other.basis, other.program, other.laid_out, part, here)
        if start is not None:
            solution = self._solved(here, part, start, PRIMAL, last=last)
            if solution.status is Status.OPTIMAL and solution.basis is not None:
                return solution
        return self._solved(here, part, None, {}, last=last)

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
        if len(here.data.tree.leaves) >= CUT_LEAVES:
            cut = self._cut(reached, here, part, start, here.data.tree.known[:, place])
            if cut is not None:
                return cut, PRIMAL
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

    def _cut(
        self, reached: _Reached, here: Timeline, part: LinearProgram, start: Basis, known: IntArray
    ) -> Basis | None:
        """Return the basis that the parts of a tree make, cut where an outcome becomes known, (N,) -1 before."""
        at = blocks(part, known)
        if at is None:
            return None
        began = time.perf_counter()
        before = np.where(known < 0, matching_nodes(reached.laid_out, here), -1)
        held = fixed_where(tuple(reached.program.columns), reached.solution.columns, reached.program, part, before)
        decided = np.where(held.column_lower == held.column_upper, held.column_lower, 0.0)
        try:
            cut = composed(part, at, start, decided, self._settings(part, {}))
        except KeyboardInterrupt:
            ended = replace(_without_point(reached.solution), status=Status.INTERRUPTED, interrupted=True)
            raise _EndedError(ended) from None
        if cut is None:
            return None
        seconds, factors = time.perf_counter() - began, len(here.instance.factors)
        self.stages.append(Stage(factors, part.shape[1], cut.iterations, seconds, rounds=cut.rounds))
        return cut.basis

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
        """Return the solution of one stage."""
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
        first = self.lowest.reached
        if not way or first is None:
            return replace(self.options, time_limit=left)
        most = max(first.solution.iterations * program.shape[1] // first.program.shape[1], 1000)
        settings = {**way, "simplex_iteration_limit": most, **self.options.solver}
        return replace(self.options, time_limit=left, solver=settings)


def _without_point(solution: Solution) -> Solution:
    """Return a solution of another program as one without values: it says how the solve ended and no more."""
    return replace(solution, columns=np.empty(0), row_duals=np.empty(0), row_ranges=None, basis=None)
