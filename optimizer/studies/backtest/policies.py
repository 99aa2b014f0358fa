"""Policies: what a careful planner decides at a review, each by its own way of looking ahead.

Ramps, terms and notices bind all alike, and each may look as far ahead as it takes to keep them. From the simplest on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from gwplan.instance.instance import Instance
from gwplan.models.data import PlanData
from gwplan.plan.values import Decided
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.session import Answer
from gwplan.solver.program import BoolArray, FloatArray, LinearProgram
from gwplan.studies.backtest.state import Course
from gwplan.studies.backtest.walk import Walk
from gwplan.tree.calendar import MONTHS
from gwplan.tree.timeline import Timeline

Decide = Callable[[Walk], Course]
"""Returns what is followed from a review on."""


def shares(walk: Walk) -> Course:
    """Keep the first plan's contracts, and give each pathway its mean share of each pool in that plan."""
    part = walk.desk.once("shares", partial(_mean_shares, walk.desk.first.answer))
    laid_out = walk.seen(tree=False)
    meant = walk.meant(walk.desk.first, laid_out)
    mine = {name: i for i, name in enumerate(walk.desk.first.laid_out.data.pathways)}
    pools = {name: i for i, name in enumerate(walk.desk.first.laid_out.data.pools)}
    given = np.array([[part[mine[p], pools[q]] if p in mine and q in pools else 0.0 for q in laid_out.data.pools]
                      for p in laid_out.data.pathways])  # fmt: skip
    wish = given[:, :, None] * in_service(laid_out.data, meant["cancelled"], meant["signed"])
    contracts = {**meant, "release": np.full_like(meant["release"], np.nan)}
    return walk.follow(walk.near(wish, contracts))


def _mean_shares(answer: Answer) -> FloatArray:
    """Return each pathway's mean share of each pool in a plan, shape (P, Q)."""
    decided, probability = answer.decided, answer.laid_out.data.tree.probability
    used = decided.allocate @ probability
    whole: FloatArray = used.sum(axis=0) + decided.idle @ probability
    return np.divide(used, whole, out=np.zeros_like(used), where=whole > 0)


def in_service(data: PlanData, cancelled: FloatArray, signed: FloatArray) -> FloatArray:
    """Return GW of each pool in service, less what is sold, with shares given back and signed, shape (Q, N)."""
    none = np.zeros((len(data.pathways), data.tree.size))
    pairs, pools = np.zeros((len(data.pathways), *data.supply.shape)), np.zeros_like(data.supply)
    due = np.zeros_like(data.bill)
    decided = Decided(data, pairs, pools, none, none, none, np.nan_to_num(cancelled), np.nan_to_num(signed), due)
    return np.maximum(data.in_pools(data.side[:, None] * decided.in_service), 0.0)


def first(walk: Walk) -> Course:
    """Follow the first plan on its tree, as far as the world lets it."""
    return walk.desk.first


def greedy(walk: Walk) -> Course:
    """Plan for the values of a GW now as if they lasted, up to the longest notice after the next review."""
    view = walk.desk.review + int(walk.world.data.notice.max(initial=0))

    def lasting(data: PlanData) -> PlanData:
        at = np.minimum(np.arange(data.tree.size), walk.period)
        at[: walk.period] = np.arange(walk.period)
        return replace(data, value=data.value[..., at], width=data.width[..., at], tiers=data.tiers[..., at])

    return walk.follow(walk.plan(view=view, change=lasting))


def view(walk: Walk, months: int) -> Course:
    """Plan as written for so many months, with pools' terminal values for what lies beyond."""
    periods = max(-(-months // MONTHS[walk.desk.instance.resolution]), walk.desk.review)
    return walk.follow(walk.plan(view=periods))


def written(walk: Walk) -> Course:
    """Re-plan as written to the end: what has become known counts, what is uncertain is as written."""
    return _replanned(walk, on_tree=False)


def tree(walk: Walk) -> Course:
    """Re-plan on the tree of what is still open."""
    return _replanned(walk, on_tree=True)


def _replanned(walk: Walk, *, on_tree: bool) -> Course:
    """Return the plan that is followed where it foresaw all that is known: it is still the best; else a new one."""
    foreseen = walk.period > 0 and walk.course.node(walk.path, walk.period)[1]
    return walk.course if foreseen else walk.follow(walk.plan(tree=on_tree))


def sign_nothing(walk: Walk) -> Course:
    """Re-plan on the tree, sign no capacity but what must be."""
    return walk.follow(walk.plan(tree=True, narrow=partial(_signing, walk, frozenset())))


def sign_everything(walk: Walk) -> Course:
    """Re-plan on the tree, sign all capacity on offer."""
    return walk.follow(walk.plan(tree=True, narrow=partial(_signing, walk, None)))


def sign_by_margin(walk: Walk) -> Course:
    """Re-plan on the tree without what is on offer; sign what is worth more than its price at the margin of that."""
    chosen = frozenset[str]()
    if _open_now(walk.seen(tree=True).data, walk.period).any():
        without = walk.plan(tree=True, narrow=partial(_signing, walk, frozenset()))
        chosen = frozenset(_worth_signing(without, walk.period))
    return walk.follow(walk.plan(tree=True, narrow=partial(_signing, walk, chosen)))


def _open_now(data: PlanData, period: int) -> BoolArray:
    """Return which offers of capacity may be signed in a period."""
    now: BoolArray = (data.offered & (data.tree.period == period)).any(axis=1) & ~data.sold[data.offer_of]
    return now


def _signing(walk: Walk, chosen: frozenset[str] | None, program: LinearProgram, laid_out: Timeline) -> LinearProgram:
    """Return a program in which some offers of capacity are signed whole from now on, None: all, and no others."""
    data = laid_out.data
    keys = program.column_keys.get("signed", np.empty((0, 2), dtype=np.int64))
    if not len(keys):
        return program
    place = {label: i for i, label in enumerate(data.offers)}
    offer = np.array([place[program.labels[code]] for code in keys[:, 0]], dtype=np.int64)
    now = _open_now(data, walk.period)
    whole = np.array([chosen is None or (now[o] and name in chosen) for o, name in enumerate(data.offers)], dtype=bool)
    before = np.nan_to_num(walk.state.on(laid_out)["signed"]).max(axis=1, initial=0.0)
    least = np.maximum(before, data.least_signed.max(axis=1, initial=0.0))
    level = np.where(whole, data.most_signed.max(axis=1, initial=0.0), least)
    mine = (data.tree.period[keys[:, 1]] >= walk.period) & ~data.sold[data.offer_of][offer]
    at = program.columns["signed"].start + np.flatnonzero(mine)
    lower, upper, integer = program.column_lower.copy(), program.column_upper.copy(), program.whole.copy()
    lower[at] = upper[at] = np.clip(level[offer[mine]], lower[at], upper[at])
    integer[at] = False
    return replace(program, column_lower=lower, column_upper=upper, whole=integer)


_FORM: Final = ("signed_stands", "least_signed", "taken_least", "taken_most")
"""Rules on the form of signatures, which are no part of what a GW is worth."""


def _worth_signing(answer: Answer, period: int) -> Iterable[str]:
    """Yield the offers open in a period of which a small share, signed now, is worth more than it costs."""
    program, data = answer.program, answer.laid_out.data
    duals = answer.row_duals.copy()
    for name in _FORM:
        if name in program.rows:
            duals[program.rows[name]] = 0.0
    reduced = program.cost - program.transposed_times(duals)
    keys, columns = program.column_keys["signed"], reduced[program.columns["signed"]]
    for o, name in enumerate(data.offers):
        mine = (keys[:, 0] == program.labels.index(name)) & (data.tree.period[keys[:, 1]] >= period)
        if _open_now(data, period)[o] and columns[mine].sum() < 0:
            yield name


@dataclass(frozen=True)
class Policy:
    """A policy by its name."""

    name: str
    about: str  # what it does, in a few words
    decide: Decide


_VIEW: Final = re.compile(r"view-(\d{1,3})")

_NAMED: Final[dict[str, tuple[str, Decide]]] = {
    "shares": ("fixed shares of each pool, those of the first plan on average", shares),
    "first": ("the first plan kept, as far as the world lets it", first),
    "greedy": ("the best for the values of now, as if they lasted", greedy),
    "view-6": ("planned as written for six months ahead", partial(view, months=6)),
    "view-12": ("planned as written for twelve months ahead", partial(view, months=12)),
    "written": ("re-planned as written to the end", written),
    "sign-nothing": ("re-planned on the tree, no capacity signed", sign_nothing),
    "sign-everything": ("re-planned on the tree, all capacity on offer signed", sign_everything),
    "sign-margin": ("re-planned on the tree, signed where the marginal value exceeds the price", sign_by_margin),
    "tree": ("re-planned on the tree", tree),
}
"""The policies from the simplest on."""

SIGNING: Final = ("sign-nothing", "sign-everything", "sign-margin")
"""Those that differ only where there are offers of capacity."""


def usual(instance: Instance) -> tuple[str, ...]:
    """Return the policies that are compared unless others are asked for."""
    offered = len(instance.tables["offers"]) > 0
    return tuple(name for name in _NAMED if offered or name not in SIGNING)


def rank(name: str) -> tuple[int, int]:
    """Return where a policy stands from the simplest on: a planner's own first, views by what they see."""
    months = _VIEW.fullmatch(name)
    if months:
        return list(_NAMED).index("view-6"), int(months[1])
    return (list(_NAMED).index(name), 0) if name in _NAMED else (-1, 0)


def policy(name: str) -> Policy:
    """Return a policy by its name; ``view-N`` looks N months ahead."""
    months = _VIEW.fullmatch(name)
    if name in _NAMED:
        return Policy(name, *_NAMED[name])
    if months and int(months[1]):
        return Policy(name, f"planned as written for {months[1]} months ahead", partial(view, months=int(months[1])))
    remedy = f"{nearest(name, _NAMED)}, view-N for N months, or a table of rules"
    raise InstanceError(Problem(f"--policy {name}", "no such policy", remedy))
