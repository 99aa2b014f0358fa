"""The planner's own demands: what can be in conflict, and the columns by which each gives way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gwplan.catalogue.limits import BY_KIND, DEMANDS
from gwplan.catalogue.tolerances import KILOWATT, ROUNDING
from gwplan.errors import SolverError, StoppedError
from gwplan.models.data import PlanData
from gwplan.solver.certify import certify
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import (
    BoolArray,
    FloatArray,
    IntArray,
    LinearProgram,
    Solution,
    SolveOptions,
    Status,
    with_columns,
)
from gwplan.solver.solving import COLD_AGAIN


@dataclass(frozen=True)
class Demand:
    """One demand of the planner's over some periods."""

    kind: str  # kind of a limit of the catalogue that is a demand
    pathway: str  # whose demand it is; blank where it has none
    pool: str
    nodes: IntArray  # the nodes at which it is made
    rows: tuple[IntArray, ...]  # for each node, what a GW by which it gives way there adds to the program's rows
    values: tuple[FloatArray, ...]
    places: IntArray  # for each node, the place of its relief among all
    pointed: IntArray  # the nodes at which it is known to be in conflict

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, pathway and pool."""
        return self.kind, self.pathway, self.pool


def demands(program: LinearProgram, data: PlanData) -> list[Demand]:
    """Return the demands of a program, each over all its periods.

    Deals that may be broken at a price are no demand.
    """
    demanded: list[Demand] = []
    place = 0
    for family, limit in DEMANDS.items():
        keys = program.row_keys.get(family)
        if keys is None:
            continue
        for names in np.unique(keys[:, :-1], axis=0):
            at = np.flatnonzero((keys[:, :-1] == names).all(axis=1))
            owner = dict(zip(limit.of, (program.labels[code] for code in names.tolist()), strict=True))
            pathway, pool = owner.get("pathway", ""), owner.get("pool", "")
            nodes, rows = keys[at, -1], program.rows[family].start + at
            if family == "deals":
                p = data.pathways.index(pathway)
                firm = ~np.isfinite(data.breach_cost[p, data.tree.root[nodes]])
                nodes = nodes[firm]
                enters = [_ended(program, int(names[0]), int(n)) for n in nodes]
            else:
                enters = [(row[None], sign[None]) for row, sign in zip(rows, _sign(program, family, rows), strict=True)]
            if len(nodes):
                where, values = (tuple(part) for part in zip(*enters, strict=True))
                places = place + np.arange(len(nodes))
                demanded.append(Demand(limit.kind, pathway, pool, nodes, where, values, places, nodes))
                place += len(nodes)
    return demanded


def _sign(program: LinearProgram, family: str, rows: IntArray) -> FloatArray:
    """Return the sign with which another GW enters each row where its demand gives way: on the side that it has."""
    if family == "balance":
        return np.full(len(rows), -1.0)
    return np.where(np.isfinite(program.row_lower[rows]), 1.0, -1.0)


def _ended(program: LinearProgram, pathway: int, node: int) -> tuple[IntArray, FloatArray]:
    """Return what a GW of deals that ends without notice enters: all that a GW signed does, with the other sign."""
    keys = program.column_keys["sign"]
    column = program.columns["sign"].start + int(np.flatnonzero((keys == (pathway, node)).all(axis=1))[0])
    entries = slice(int(program.start[column]), int(program.start[column + 1]))
    rows, values = program.index[entries], -program.value[entries]
    inside = np.zeros(len(rows), dtype=bool)
    for family in ("deals", "term"):
        inside |= (rows >= program.rows[family].start) & (rows < program.rows[family].stop)
    return rows[inside], values[inside]


def elastic(
    program: LinearProgram,
    rows: Iterable[IntArray],
    values: Iterable[FloatArray],
    cost: FloatArray,
    most: FloatArray,
) -> LinearProgram:
    """Return a program with more columns, each from 0 to a limit, which alone cost anything."""
    free = replace(program, cost=np.zeros_like(program.cost), offset=0.0)
    return with_columns(free, rows, values, cost, most)


def conflict(program: LinearProgram, data: PlanData, options: SolveOptions) -> list[Demand]:
    """Return demands that cannot all be kept, while without any one of them the others can.

    The duals of the least violation point to demands that are infeasible together; of these, one demand and range of
    periods after another is left out, and stays out if the rest is still infeasible. Where only whole numbers make them
    infeasible there are no duals; the ranges of what is left are narrowed then.
    """
    every = demands(program, data)
    stretched = _stretched(program, every)
    if _can_keep(stretched, every, options):
        return []
    kept = _pointed(stretched, every, data, run_solver(_relaxed(stretched), options, ranges=False).row_duals)
    broad = not kept or _can_keep(stretched, kept, options)
    if broad:
        everywhere = np.ones(stretched.shape[1], dtype=bool)
        kept = [part for demand in every for part in _by_range(demand, data, everywhere)]
    for demand in sorted(kept, key=lambda d: -BY_KIND[d.kind].firm):
        rest = [other for other in kept if other is not demand]
        if not _can_keep(stretched, rest, options):
            kept = rest
    return _in_order(_narrowed(stretched, kept, data, options) if broad else kept, data)


@dataclass(frozen=True)
class Least:
    """The least by which demands must give way, which proves whether there is a plan."""

    gw: float  # GW by which all demands together give way, summed over the nodes
    # demands that cannot all be kept, as the duals prove; not the fewest. Empty where only whole numbers forbid them.
    pointed: list[Demand]

    @property
    def proves_conflict(self) -> bool:
        """Whether it is more than rounding."""
        return self.gw > KILOWATT


def least_missed(program: LinearProgram, data: PlanData, options: SolveOptions) -> Least | None:
    """Return the least by which demands must give way, certified; None where the solver does not find it.

    Whole numbers come in only where demands could all be kept without; then it is the word of the solver's search.
    """
    every = demands(program, data)
    stretched = _stretched(program, every)
    least = None
    for each in (_relaxed(stretched), stretched) if program.whole.any() else (stretched,):
        solution = _least(each, options)
        if solution is None:
            return None
        pointed = [] if each.whole.any() else _pointed(each, every, data, solution.row_duals)
        least = Least(float(solution.columns[program.shape[1] :].sum()), _in_order(pointed, data))
        if least.proves_conflict:
            break
    return least


def _least(stretched: LinearProgram, options: SolveOptions) -> Solution | None:
    for again in ({}, *COLD_AGAIN):
        solution = run_solver(stretched, replace(options, solver={**options.solver, **again}), ranges=False)
        if solution.status is not Status.OPTIMAL:
            return None
        if stretched.whole.any() or certify(stretched, solution.columns, solution.row_duals).optimal:
            return solution
    return None


def _relaxed(program: LinearProgram) -> LinearProgram:
    return replace(program, whole=np.zeros_like(program.whole))


def _pointed(stretched: LinearProgram, every: list[Demand], data: PlanData, duals: FloatArray) -> list[Demand]:
    """Return the demands over each range of periods in which the duals of a linear program point to them."""
    if not len(duals):
        return []
    first = stretched.shape[1] - sum(len(demand.places) for demand in every)
    chosen = np.abs(stretched.transposed_times(duals)[first:]) > ROUNDING
    return [part for demand in every for part in _by_range(demand, data, chosen)]


def _in_order(demanded: list[Demand], data: PlanData) -> list[Demand]:
    return sorted(demanded, key=lambda d: (BY_KIND[d.kind].firm, int(data.tree.period[d.nodes].min()), d.key))


def _narrowed(stretched: LinearProgram, kept: list[Demand], data: PlanData, options: SolveOptions) -> list[Demand]:
    """Return a conflict over as few periods as it takes: each demand ends as early and then begins as late as it may.

    So the conflict that is told is the one that comes first. The fewer periods the others hold in, the more this one is
    needed, so that one pass is enough. Both ends are found by halving: for a demand over T periods in 2 log T solves.
    """
    for place, wide in enumerate(kept):
        others = kept[:place] + kept[place + 1 :]
        periods = np.unique(data.tree.period[wide.nodes])

        def over(first: int, last: int, wide: Demand = wide, periods: IntArray = periods) -> Demand:
            inside = np.isin(data.tree.period[wide.nodes], periods[first : last + 1])
            chosen = np.zeros(stretched.shape[1], dtype=bool)
            chosen[wide.places[inside]] = True
            return _by_range(wide, data, chosen)[0]

        def in_conflict(part: Demand, others: list[Demand] = others) -> bool:
            return not _can_keep(stretched, [*others, part], options)

        last = bisect_left(range(len(periods) - 1), True, key=lambda k: in_conflict(over(0, k)))
        first = bisect_left(range(last), True, key=lambda k: not in_conflict(over(k + 1, last)))
        kept = [*others[:place], over(first, last), *others[place:]]
    return kept


def runs_on(
    program: LinearProgram, data: PlanData, demanded: list[Demand], options: SolveOptions
) -> list[tuple[str, str]]:
    """Return what runs on from before the start, which nobody demands, without any of which there is no conflict."""
    arrays = {"term": "held", "notice": "returning"}
    there = [
        (p, kind) for kind, name in arrays.items() for p in np.flatnonzero(getattr(data, name).any(axis=1)).tolist()
    ]
    every = demands(program, data)

    def in_conflict_with(kept: list[tuple[int, str]]) -> bool:
        parts = {name: getattr(data, name).copy() for name in arrays.values()}
        for p, kind in there:
            if (p, kind) not in kept:
                parts[arrays[kind]][p] = 0.0
        return not _can_keep(_stretched(compiled(replace(data, **parts)), every), demanded, options)

    if not there or in_conflict_with([]):
        return []
    needed = list(there)
    for fact in there:
        fewer = [other for other in needed if other != fact]
        needed = fewer if in_conflict_with(fewer) else needed
    return [(data.pathways[p], kind) for p, kind in needed]


def another(program: LinearProgram, data: PlanData, demanded: list[Demand], options: SolveOptions) -> bool:
    """Return whether demands are in conflict besides those found: whether one of these can go and no plan be there."""
    every = demands(program, data)
    stretched = _stretched(program, every)
    for gone in demanded:
        kept = [replace(demand, places=np.setdiff1d(demand.places, gone.places)) for demand in every]
        if not _can_keep(stretched, kept, options):
            return True
    return False


MOST_FUTURES: Final = 16
"""Futures in each of which it is tried whether demands are in conflict, at the most."""


def in_every_future(program: LinearProgram, data: PlanData, demanded: list[Demand], options: SolveOptions) -> bool:
    """Return whether demands are in conflict in each future by itself; false, too, where there are many futures."""
    tree = data.tree
    last = max(int(tree.period[demand.nodes].max()) for demand in demanded)
    futures = np.flatnonzero(tree.period == last)
    if len(futures) > MOST_FUTURES:
        return False
    stretched = _stretched(program, demands(program, data))
    for node in futures.tolist():
        kept = [replace(demand, places=demand.places[np.isin(demand.nodes, tree.path[node])]) for demand in demanded]
        if _can_keep(stretched, kept, options):
            return False
    return True


def _stretched(program: LinearProgram, every: list[Demand]) -> LinearProgram:
    """Return the program in which every demand gives way at each of its nodes, at a cost of 1 for a GW."""
    rows = [at for demand in every for at in demand.rows]
    values = [by for demand in every for by in demand.values]
    return elastic(program, rows, values, np.ones(len(rows)), np.full(len(rows), np.inf))


def _by_range(demand: Demand, data: PlanData, pointed: BoolArray) -> list[Demand]:
    """Return a demand over each run of successive periods in which some of its nodes are pointed at."""
    period, chosen = data.tree.period[demand.nodes], pointed[demand.places]
    periods = np.unique(period[chosen])
    runs = np.split(periods, np.flatnonzero(np.diff(periods) > 1) + 1) if len(periods) else []
    by_range = []
    for run in runs:
        inside = np.isin(period, run)
        nodes = demand.nodes[inside & chosen]
        by_range.append(replace(demand, nodes=demand.nodes[inside], places=demand.places[inside], pointed=nodes))
    return by_range


def _can_keep(stretched: LinearProgram, kept: list[Demand], options: SolveOptions) -> bool:
    """Return whether some demands can all be kept while all others give way.

    Raises
    ------
    StoppedError, SolverError
        If the solver could not tell.
    """
    first = stretched.shape[1] - int(np.count_nonzero(stretched.cost))
    upper = stretched.column_upper.copy()
    for demand in kept:
        upper[first + demand.places] = 0.0
    answer = run_solver(
        replace(stretched, column_upper=upper, cost=np.zeros_like(stretched.cost)), options, ranges=False
    )
    if answer.status in (Status.INFEASIBLE, Status.INFEASIBLE_OR_UNBOUNDED):  # without costs nothing is unbounded
        return False
    if answer.status is Status.OPTIMAL:
        return True
    if answer.status.stopped:
        raise StoppedError(str(answer.status), answer.seconds, plan_found=False)
    raise SolverError(f"the solver could not tell whether demands can be kept: {answer.message}")
