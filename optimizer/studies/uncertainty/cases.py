"""The plan made with more knowledge, with less care and with less freedom: what each is worth beside the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.restricted import DEDICATED, RIGID
from models.tree import Tree, build_tree
from optimizer.errors import InfeasibleError
from optimizer.instance.instance import Instance
from optimizer.session import Answer, Session
from optimizer.solver.lift import fixed_where, matching_nodes
from optimizer.solver.program import FloatArray, IntArray, LinearProgram
from optimizer.studies.attempt import Solved, why_no_plan
from optimizer.tree.timeline import Timeline, reveals

DECIDED_EARLY = ("allocate", "cancelled", "release")
"""What the plan as written decides before the first reveal; what is signed and breached follows."""


def tried(solve: Callable[[], Answer], reason: str) -> Solved:
    """Return a case's worth, or the reason given where no plan keeps every limit."""
    try:
        return Solved(solve().objective_bn)
    except InfeasibleError:
        return Solved(None, reason)


# ---- more knowledge


def foresight(session: Session) -> FloatArray:
    """Return the worth of each future planned alone, $bn, in the order of the tree's leaves."""
    laid_out = session.base.laid_out
    answers = (session.solve_laid_out(_alone(laid_out, leaf)) for leaf in laid_out.data.tree.leaves.tolist())
    return np.array([answer.objective_bn for answer in answers])


def _alone(laid_out: Timeline, leaf: int) -> Timeline:
    """Return one future as if it were certain; a fee's basis stays what the tree makes it, since a contract says it."""
    tree, factors = laid_out.data.tree, laid_out.instance.factors
    scenario = int(tree.example[leaf])
    path = build_tree(tree.periods, [0] * len(factors), [[1.0]] * len(factors))
    outcomes = zip(factors, tree.scenario_outcome[scenario].tolist(), strict=True)
    certain = laid_out.instance.given({factor.name: factor.outcomes[o].name for factor, o in outcomes})
    data = replace(laid_out.data.on_tree(path, np.array([scenario])), aversion=0.0)
    return Timeline(certain, data, (laid_out.scenarios[scenario],), laid_out.names)


def informed(session: Session, factor: int) -> Answer:
    """Return the plan made when one factor alone is revealed at the start."""
    laid_out = session.base.laid_out
    instance, tree = laid_out.instance, laid_out.data.tree
    revealed = reveals(instance)
    revealed[factor] = 0
    chances = [[outcome.probability for outcome in f.outcomes] for f in instance.factors]
    told = build_tree(tree.periods, revealed, chances)
    factors = tuple(replace(f, revealed=instance.start) if i == factor else f for i, f in enumerate(instance.factors))
    data = laid_out.data.on_tree(told, np.arange(len(tree.node_of)))
    return session.solve_laid_out(
        Timeline(replace(instance, factors=factors), data, laid_out.scenarios, laid_out.names)
    )


# ---- less care


def as_written(instance: Instance) -> Instance:
    """Return an instance without its uncertainty; what is certain to come, an outcome without alternative, stays."""
    return replace(instance, factors=tuple(f for f in instance.factors if len(f.outcomes) == 1))


def expected_result(session: Session) -> Solved:
    """Return the worth of following the plan of the instance as written until the first reveal, the best plan after."""
    laid_out = session.base.laid_out
    tree = laid_out.data.tree
    try:
        written = session.solve_case(as_written(session.instance))
    except InfeasibleError as error:
        return Solved(None, f"the instance as written, without its outcomes, has no plan: {why_no_plan(error)}")
    node = matching_nodes(written.laid_out, laid_out)
    early = tree.period < first_split(tree)
    when = laid_out.calendar.starts(tree.periods + 1)[first_split(tree)]

    def kept(program: LinearProgram) -> LinearProgram:
        decided = np.where(np.abs(written.columns) < 1e-11, 0.0, written.columns)
        return fixed_where(DECIDED_EARLY, decided, written.program, program, np.where(early, node, -1))

    return tried(
        lambda: session.solve_laid_out(laid_out, narrowed=kept),
        f"what the plan as written decides before {when} leaves no plan that keeps every limit in every future",
    )


def first_split(tree: Tree) -> int:
    """Return the period in which the first node has a sibling; the number of periods where none has."""
    nodes: IntArray = np.bincount(tree.period, minlength=tree.periods)
    return int(np.argmax(nodes > 1)) if (nodes > 1).any() else tree.periods


# ---- less freedom


def rigid(session: Session) -> Solved:
    """Return the worth of the best plan with one split of the capacity per period for all futures."""
    return tried(
        lambda: session.solve_laid_out(session.base.laid_out, restriction=RIGID),
        "no split of the capacity that is the same in all futures keeps every limit",
    )


def dedicated(session: Session) -> Solved:
    """Return the worth of the best plan in which each pathway owns a fixed part of each pool.

    The parts that the plan gives on average are tried first: with them fixed the rest is solved fast, and from there
    the best parts are near.
    """
    laid_out = session.base.laid_out
    try:
        start = session.solve_laid_out(
            laid_out, restriction=DEDICATED, narrowed=lambda p: _parts_fixed(p, session.base)
        )
    except InfeasibleError:
        start = None
    return tried(
        lambda: session.solve_laid_out(laid_out, restriction=DEDICATED, start=start),
        "no fixed parts of the pools keep every limit in every future",
    )


def _parts_fixed(program: LinearProgram, answer: Answer) -> LinearProgram:
    """Return the dedicated program with each part at its mean over the nodes of a plan."""
    data = answer.laid_out.data
    supply = data.supply[None, :, :]
    used = np.divide(answer.decided.allocate, supply, out=np.zeros_like(answer.decided.allocate), where=supply > 0)
    years = data.tree.probability * (data.supply > 0)
    share = (used * years).sum(axis=2) / np.maximum(years.sum(axis=1), 1e-300)
    keys = [[program.labels[code] for code in key] for key in program.column_keys["share"].tolist()]
    at = program.columns["share"]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[at] = upper[at] = [share[data.pathways.index(p), data.pools.index(q)] for p, q in keys]
    return replace(program, column_lower=lower, column_upper=upper)
