"""A given allocation priced: the limits it breaks, its worth with all else chosen best, the gap to the best plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from models.data import PlanData
from optimizer.audit.audit import audit
from optimizer.conflict.demands import elastic
from optimizer.errors import AuditError
from optimizer.plan.marginals import row_name
from optimizer.plan.plan import Plan, make_plan
from optimizer.planning import plan_or_error
from optimizer.session import Answer
from optimizer.solver.certify import certify
from optimizer.solver.program import FloatArray, IntArray, LinearProgram
from optimizer.solver.solution import Solution, SolveOptions
from optimizer.solver.solving import certified

WORDS: Final = {
    "balance": "more of {} is used than is delivered and not cancelled",
    "floor_met": "{} has less than its floor",
    "cap_kept": "{} has more than its cap",
    "ramp": "{} grows faster than its ramp",
    "signing_ramp": "{} signs faster than its ramp",
    "deals": "deals of {} come back, or go, without notice",
    "term": "deals of {} end within their term",
    "lock_least": "{} has less than its lock",
    "lock_most": "{} has more than its lock",
    "block_least": "{} is used, and less than its least block",
    "block_most": "{} is used, and less than its least block",
}
"""By constraint: what it means to break it."""

_AUDITED: Final = (
    "balance",
    "idle GW",
    "floor:",
    "cap:",
    "ramp:",
    "lock:",
    "deals in force after",
    "deals within",
    "block of",
)
"""How the audit's findings on those limits begin."""

BROKEN: Final = 1e-6
"""GW beyond a limit that count as breaking it."""

PATHWAY_MONEY: Final = (
    "value", "operating_cost", "migration_cost", "signing_cost", "breach_cost", "shortfall_penalty",
    "move_penalty",
)  # fmt: skip
"""Components of worth that belong to a pathway."""

REST: Final = "contracts and idle"
"""Owner of the other components."""


@dataclass(frozen=True)
class Broken:
    """A limit that a given allocation breaks, on one or several nodes.

    Attributes
    ----------
    words : str
        What is broken.
    most_gw : float
        How far, at most, GW.
    nodes : int
        On how many nodes.
    start, known : str
        First day of the first such node, and what is known there.
    """

    words: str
    most_gw: float
    nodes: int
    start: str
    known: str


@dataclass(frozen=True)
class Evaluation:
    """A given allocation beside the best plan.

    Attributes
    ----------
    plan : Plan
        The given allocation with everything not given chosen best; without marginal values. Where it breaks limits, as
        if those were lifted by what it is beyond them.
    best : Plan
        The best plan.
    broken : tuple of Broken
        The limits that it breaks; as few GW beyond them as possible.
    """

    plan: Plan
    best: Plan
    broken: tuple[Broken, ...]

    @property
    def gap_bn(self) -> float:
        """Worth of the best plan less that of the given allocation, $bn."""
        return self.best.objective_bn - self.plan.objective_bn

    def gap_by_year(self) -> pd.DataFrame:
        """Return where the expected gap arises: rows of pathways and the rest, columns of years, $bn discounted."""
        best, mine = (_by_owner_and_year(plan) for plan in (self.best, self.plan))
        return best.sub(mine, fill_value=0.0).fillna(0.0)


def evaluate(best: Answer, given: FloatArray) -> Evaluation:
    """Price a given allocation.

    Parameters
    ----------
    best : Answer
        The best plan of the instance.
    given : (P, Q, N) float array
        GW; nan where nothing is given.

    Raises
    ------
    AuditError, SolverError, StoppedError
        As `optimizer.solve`.
    """
    program, laid_out = best.program, best.laid_out
    fixed = _fixed(program, laid_out.data, given)
    size = program.shape[1]
    breakable, rows = _elastic(fixed)
    least = _solved(breakable).columns[size:]
    beyond = np.where(least > BROKEN, least, 0.0)
    lifted = replace(
        breakable,
        cost=np.append(program.cost, np.zeros(len(beyond))),
        offset=program.offset,
        column_upper=np.append(fixed.column_upper, beyond + BROKEN / 10 * (beyond > 0)),
    )
    solution = _solved(lifted)
    own = replace(solution, columns=solution.columns[:size], row_duals=np.empty(0), row_ranges=None)
    proof = certify(lifted, solution.columns, solution.row_duals)
    plan = make_plan(laid_out, program, own, proof)
    _check(plan, broken=bool(beyond.any()))
    return Evaluation(plan, best.plan, tuple(_told(best, rows, beyond)))


def _fixed(program: LinearProgram, data: PlanData, given: FloatArray) -> LinearProgram:
    """Return the program with the allocation held at what is given."""
    label = np.array(program.labels, dtype=object)
    place = {
        kind: {name: i for i, name in enumerate(names)} for kind, names in (("p", data.pathways), ("q", data.pools))
    }
    at, keys = program.columns["allocate"], program.column_keys["allocate"]
    p, q = ([place[kind][label[code]] for code in keys[:, axis]] for axis, kind in enumerate("pq"))
    held = given[p, q, keys[:, 2]]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[at] = np.where(np.isnan(held), lower[at], held)
    upper[at] = np.where(np.isnan(held), upper[at], held)
    return replace(program, column_lower=lower, column_upper=upper)


def _elastic(program: LinearProgram) -> tuple[LinearProgram, IntArray]:
    """Return the program with every limit of `WORDS` allowed to be broken at 1 a GW, and the rows of those limits.

    Each such row has two columns more, one that adds GW to it and one that takes GW away; nothing else costs anything.
    """
    rows = np.concatenate([np.arange(at.start, at.stop) for name, at in program.rows.items() if name in WORDS])
    count = len(rows)
    both, signs = np.tile(rows, 2)[:, None], np.repeat([1.0, -1.0], count)[:, None]
    return elastic(program, both, signs, np.ones(2 * count), np.full(2 * count, np.inf)), rows


def _solved(program: LinearProgram) -> Solution:
    """Return the solution of an elastic program: it has one, since the best plan keeps all that cannot be broken."""
    solution, proof = certified(program, SolveOptions())
    plan_or_error(solution, proof, accept_stopped=False)
    return solution


def _check(plan: Plan, *, broken: bool) -> None:
    """Hold the tables against the instance; of a plan beyond its limits all but those limits must agree."""
    findings = audit(plan.instance, plan.tables, plan.summary)
    wrong = [str(f) for f in findings if not (broken and f.figure.startswith(_AUDITED))]
    if wrong:
        raise AuditError("the given allocation's figures do not agree with the instance's tables", wrong)


def _told(best: Answer, rows: IntArray, beyond: FloatArray) -> list[Broken]:
    """Return the limits that are broken, each once, in the order of the constraints."""
    program, laid_out = best.program, best.laid_out
    gw = beyond[: len(rows)] + beyond[len(rows) :]
    starts = laid_out.calendar.starts()
    found: dict[str, list[tuple[int, float]]] = {}
    for name, at in program.rows.items():
        for row in rows[(rows >= at.start) & (rows < at.stop) & (gw > 0)].tolist() if name in WORDS else ():
            key = program.row_keys[name][row - at.start].tolist()
            words = WORDS[name].format(row_name(program.labels, key[:-1]))
            found.setdefault(words, []).append((key[-1], float(gw[rows == row][0])))
    return [
        Broken(
            words,
            max(gw for _, gw in places),
            len(places),
            str(starts[laid_out.data.tree.period[node]]),
            laid_out.known[node],
        )
        for words, places in found.items()
        for node in [min(node for node, _ in places)]
    ]


def _by_owner_and_year(plan: Plan) -> pd.DataFrame:
    rows = plan.cashflow
    owner = rows["name"].where(rows["component"].isin(PATHWAY_MONEY), REST).rename("owner")
    expected = (rows["discounted_bn"] * rows["probability"]).groupby([owner, rows["start"].dt.year.rename("year")])
    return expected.sum().unstack().fillna(0.0)
