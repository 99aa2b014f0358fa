"""The planner's own demands as rows of the program: what can be in conflict, and what a program is without some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models.data import PlanData
from optimizer.errors import SolverError, StoppedError
from optimizer.solve.highs import SolveOptions, Status
from optimizer.solve.highs import solve as run_solver
from optimizer.solve.program import BoolArray, FloatArray, IntArray, LinearProgram

KINDS: Final = {
    "floor_met": "floor",
    "lock_least": "lock min",
    "lock_most": "lock max",
    "cap_kept": "cap",
    "balance": "supply",
    "deals": "deals",
    "term": "deals",
    "ramp": "ramp",
    "signing_ramp": "ramp",
    "block_least": "block",
}
"""Kind of demand that each constraint states; all other constraints only keep accounts."""


@dataclass(frozen=True)
class Demand:
    """One demand of the planner's over some periods.

    Attributes
    ----------
    kind : str
        One of the values of `KINDS`.
    pathway, pool : str
        Whose demand it is; blank where it has none.
    rows, nodes : int arrays
        The rows that state it, and the node of each.
    pointed : int array
        The nodes at which it is known to be in conflict.
    """

    kind: str
    pathway: str
    pool: str
    rows: IntArray
    nodes: IntArray
    pointed: IntArray

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, pathway and pool."""
        return self.kind, self.pathway, self.pool


def demands(program: LinearProgram) -> list[Demand]:
    """Return the demands of a program, each over all its periods."""
    rows: dict[tuple[str, str, str], list[IntArray]] = {}
    for family, kind in KINDS.items():
        keys = program.row_keys.get(family)
        if keys is None:
            continue
        first = program.rows[family].start
        for names in np.unique(keys[:, :-1], axis=0):
            at = np.flatnonzero((keys[:, :-1] == names).all(axis=1))
            owner = [program.labels[code] for code in names.tolist()]
            pathway, pool = ("", owner[0]) if family == "balance" else (owner[0], owner[1] if len(owner) > 1 else "")
            found = np.stack([first + at, keys[at, -1]], axis=1)
            rows.setdefault((kind, pathway, pool), []).append(found)
    joined = {key: np.concatenate(parts) for key, parts in rows.items()}
    return [Demand(*key, at[:, 0], at[:, 1], at[:, 1]) for key, at in joined.items()]


def by_range(demand: Demand, data: PlanData, pointed: BoolArray) -> list[Demand]:
    """Return a demand over each run of successive periods in which some of its rows are pointed at."""
    period = data.tree.period[demand.nodes]
    chosen = pointed[demand.rows]
    periods = np.unique(period[chosen])
    runs = np.split(periods, np.flatnonzero(np.diff(periods) > 1) + 1) if len(periods) else []
    found = []
    for run in runs:
        inside = np.isin(period, run)
        nodes = np.unique(demand.nodes[inside & chosen])
        found.append(replace(demand, rows=demand.rows[inside], nodes=demand.nodes[inside], pointed=nodes))
    return found


def yields(program: LinearProgram, rows: IntArray) -> FloatArray:
    """Return the sign with which another GW enters each row where its demand gives way.

    An inequality gives way on the side that it has. Of the two equalities, deals give way by ending, supply by more of
    it.
    """
    sign = np.where(np.isfinite(program.row_lower[rows]), 1.0, -1.0)
    balance = program.rows["balance"]
    return np.where((rows >= balance.start) & (rows < balance.stop), -1.0, sign)


def without(program: LinearProgram, dropped: Iterable[Demand]) -> LinearProgram:
    """Return a program without some demands and without costs: it tells whether the rest can be kept."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    for demand in dropped:
        sign = yields(program, demand.rows)
        lower[demand.rows[sign > 0]] = -np.inf
        upper[demand.rows[sign < 0]] = np.inf
    return replace(program, row_lower=lower, row_upper=upper, cost=np.zeros_like(program.cost))


def feasible(program: LinearProgram, options: SolveOptions) -> bool:
    """Return whether a program without costs has a solution.

    Raises
    ------
    StoppedError, SolverError
        If the solver could not tell.
    """
    answer = run_solver(program, options, ranges=False)
    status = answer.status
    if status in (Status.INFEASIBLE, Status.INFEASIBLE_OR_UNBOUNDED):  # without costs nothing is unbounded
        return False
    if status is Status.OPTIMAL:
        return True
    if status.stopped:
        raise StoppedError(str(status), answer.seconds, plan_found=False)
    raise SolverError(f"the solver could not tell whether demands can be kept: {answer.message}")


def elastic(
    program: LinearProgram, rows: list[IntArray], values: list[FloatArray], cost: FloatArray, most: FloatArray
) -> LinearProgram:
    """Return a program with more columns, each from 0 to a limit, which alone cost anything.

    Parameters
    ----------
    program : LinearProgram
        What has no solution.
    rows, values : lists of arrays
        Where each new column enters, and with what coefficient.
    cost, most : float arrays
        Cost and upper limit of each new column.
    """
    more = len(cost)
    sizes = np.array([len(at) for at in rows], dtype=np.int64)
    return replace(
        program,
        cost=np.concatenate([np.zeros_like(program.cost), cost]),
        offset=0.0,
        column_lower=np.concatenate([program.column_lower, np.zeros(more)]),
        column_upper=np.concatenate([program.column_upper, most]),
        start=np.concatenate([program.start, program.start[-1] + np.cumsum(sizes)]),
        index=np.concatenate([program.index, *rows]),
        value=np.concatenate([program.value, *values]),
        whole=np.concatenate([program.whole, np.zeros(more, dtype=bool)]),
    )


def conflict(program: LinearProgram, data: PlanData, options: SolveOptions) -> list[Demand]:
    """Return demands that cannot all be kept, while without any one of them the others can.

    The duals of the least violation point to rows that are infeasible together; of these, one demand and range of
    periods after another is left out, and stays out if the rest is still infeasible.

    Returns
    -------
    list of Demand
        Empty if the demands can all be kept.
    """
    every = demands(program)
    anywhere = np.ones(program.shape[0], dtype=bool)
    kept = [part for demand in every for part in by_range(demand, data, anywhere)]
    if not program.whole.any():
        rows = np.concatenate([demand.rows for demand in every])
        sign = yields(program, rows)
        one = np.ones(len(rows))
        gives = elastic(program, list(rows[:, None]), list(sign[:, None]), one, np.full(len(rows), np.inf))
        duals = run_solver(gives, options, ranges=False).row_duals
        support = np.abs(duals) > 1e-9 if len(duals) else ~anywhere
        pointed = [part for demand in every for part in by_range(demand, data, support)]
        if pointed and not feasible(_only(program, every, pointed), options):
            kept = pointed
    if feasible(_only(program, every, kept), options):
        return []
    order = {kind: place for place, kind in enumerate(dict.fromkeys(KINDS.values()))}
    for demand in sorted(kept, key=lambda d: -order[d.kind]):
        rest = [other for other in kept if other is not demand]
        if not feasible(_only(program, every, rest), options):
            kept = rest
    return sorted(kept, key=lambda d: (order[d.kind], int(data.tree.period[d.nodes].min()), d.key))


def _only(program: LinearProgram, every: list[Demand], kept: list[Demand]) -> LinearProgram:
    """Return a program with some demands alone."""
    stays = np.zeros(program.shape[0], dtype=bool)
    for demand in kept:
        stays[demand.rows] = True
    dropped = [replace(d, rows=d.rows[~stays[d.rows]], nodes=d.nodes[~stays[d.rows]]) for d in every]
    return without(program, dropped)
