"""First moves: what every future agrees on before the first reveal, and what is decided on each branch after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gwplan.catalogue.tolerances import KILOWATT
from gwplan.models.data import PlanData
from gwplan.plan.values import Decided
from gwplan.solver.program import FloatArray, IntArray
from gwplan.tree.timeline import Timeline

NEW, IDLE, ENDED = "new capacity", "idle", "ended contracts"
"""Where capacity comes from or goes to besides the pathways."""

YEARS: Final = 1.0
"""How far a branch's moves reach where nothing is revealed before, years."""


@dataclass(frozen=True)
class Move:
    """A decision on a branch.

    Attributes
    ----------
    decision : str
        ``move`` (capacity, net over the dates shown), ``sign``, ``notice``, ``breach`` (deals, summed over those dates)
        ``cancel`` (a contract) or ``offer`` (that is signed).
    source, target : str
        Pathway that gives and that receives the capacity, or `NEW`, `IDLE`, `ENDED`; the pathway of deals; the
        contract. One of them is blank where there is no other side.
    gw : float
        GW; of a contract the GW for which notice is given, or that are signed.
    since : str
        First day of the period in which it begins.
    """

    decision: str
    source: str
    target: str
    gw: float
    since: str


@dataclass(frozen=True)
class Branch:
    """The part of the tree between two reveals.

    Attributes
    ----------
    number, parent : int
        Number of the branch, and of the one that it follows; -1: none.
    told : str
        The outcomes that begin it, ``factor=outcome`` joined by a comma; blank before the first reveal.
    known : str
        All outcomes known on it.
    probability : float
        Probability that the future leads here.
    since, until : str
        First day, and first day after the dates whose moves are shown: the next reveal, or a year later if that is
        earlier.
    moves : tuple of Move
        What is decided, largest first within each kind.
    """

    number: int
    parent: int
    begins: str
    known: str
    probability: float
    since: str
    until: str
    moves: tuple[Move, ...]


@dataclass
class _Reader:
    """Reads the moves of a plan off its arrays."""

    laid_out: Timeline
    plan: Decided
    branches: list[Branch] = field(default_factory=list)

    def __post_init__(self) -> None:
        tree = self.laid_out.data.tree
        self.starts = [str(day) for day in self.laid_out.calendar.starts(tree.periods + 1)]
        self.children: dict[int, list[int]] = {}
        for n, parent in enumerate(tree.parent.tolist()):
            self.children.setdefault(parent, []).append(n)

    def read(self, node: int, parent: int) -> None:
        """Add the branch that begins at a node, and all that follow it."""
        data, tree = self.laid_out.data, self.laid_out.data.tree
        nodes = [node]
        while len(following := self.children.get(nodes[-1], [])) == 1:
            nodes.append(following[0])
        shown = nodes[: max(round(YEARS / data.dt), 1)]
        before = int(tree.parent[node])
        branch = Branch(
            number=len(self.branches),
            parent=parent,
            begins=self._told(node, before),
            known=self.laid_out.known[node],
            probability=float(tree.probability[node]),
            since=self.starts[int(tree.period[node])],
            until=self.starts[int(tree.period[shown[-1]]) + 1],
            moves=tuple(self._moves(np.array(shown), before)),
        )
        self.branches.append(branch)
        for child in following:
            self.read(child, branch.number)

    def _told(self, node: int, before: int) -> str:
        """Return what is known on a node and was not before; at a root only where there are several."""
        tree, factors = self.laid_out.data.tree, self.laid_out.instance.factors
        known = tree.known[node]
        earlier = tree.known[before] if before >= 0 else np.full(len(known), -1)
        fresh = [f for f in np.flatnonzero((known >= 0) & (earlier < 0)) if before >= 0 or len(tree.roots) > 1]
        several = [f for f in fresh if len(factors[f].outcomes) > 1]
        return ", ".join(f"{factors[f].name}={factors[f].outcomes[known[f]].name}" for f in several)

    def _moves(self, nodes: IntArray, before: int) -> Iterator[Move]:
        yield from _capacity(self.laid_out.data, self.plan, nodes, before, self.starts)
        data = self.laid_out.data
        period = data.tree.period[nodes]
        for decision, amounts in (
            ("sign", self.plan.sign),
            ("notice", self.plan.release),
            ("breach", self.plan.breach),
        ):
            yield from self._summed(decision, data.pathways, amounts[:, nodes], period)
        for decision, newly, of in (
            ("offer", self.plan.newly_signed, data.offer_of),
            ("cancel", self.plan.newly_cancelled, data.way_out_of),
        ):
            gw = np.zeros(data.contracted.shape)
            np.add.at(gw, of, newly)
            yield from self._summed(decision, data.contracts, (gw * data.contracted)[:, nodes], period)

    def _summed(self, decision: str, names: tuple[str, ...], amounts: FloatArray, period: IntArray) -> Iterator[Move]:
        total = amounts.sum(axis=1)
        for i in np.argsort(-total, kind="stable"):
            if total[i] > KILOWATT:
                first = int(period[np.argmax(amounts[i] > KILOWATT / len(period))])
                yield Move(decision, names[i], "", float(total[i]), self.starts[first])


def first_moves(laid_out: Timeline, plan: Decided) -> tuple[Branch, ...]:
    """Return the branches of the tree, parents first, with what the plan decides on each.

    Parameters
    ----------
    laid_out : Timeline
        The instance on its tree.
    plan : Decided
        What was decided, GW.
    """
    reader = _Reader(laid_out, plan)
    for root in laid_out.data.tree.roots.tolist():
        reader.read(root, -1)
    return tuple(reader.branches)


def _capacity(data: PlanData, plan: Decided, nodes: IntArray, before: int, starts: list[str]) -> Iterator[Move]:
    """Yield the net moves of capacity from before the nodes of a branch to the last of them, all pools together.

    In each pool what one pathway gives up goes to others first; what they lack comes from new and then from idle
    capacity. What a pathway gains in one pool and gives up in another only passes through it: a change of pool is no
    move. A move begins once its source has less and its target more than before.
    """
    last, root = int(nodes[-1]), int(data.tree.root[nodes[0]])
    available = plan.allocate.sum(axis=0) + plan.idle
    used, idle = plan.allocate[:, :, nodes], plan.idle[:, nodes]
    if before >= 0:
        used_before, idle_before, had = plan.allocate[:, :, before], plan.idle[:, before], available[:, before]
    else:
        used_before = data.initial[:, :, root]
        idle_before, had = np.zeros(len(data.pools)), used_before.sum(axis=0)
    moved: dict[tuple[str, str], float] = {}

    def add(source: str, target: str, gw: float) -> None:
        back = min(moved.get((target, source), 0.0), gw)
        moved[target, source] = moved.get((target, source), 0.0) - back
        moved[source, target] = moved.get((source, target), 0.0) + gw - back

    for q in range(len(data.pools)):
        change = dict(zip(data.pathways, (used[:, q, -1] - used_before[:, q]).tolist(), strict=True))
        more = float(available[q, last] - had[q])
        gives = [
            *_largest({p: -gw for p, gw in change.items()}),
            (NEW, more),
            (IDLE, float(idle_before[q] - idle[q, -1])),
        ]
        takes = [*_largest(change), (IDLE, float(idle[q, -1] - idle_before[q])), (ENDED, -more)]
        for source, target, gw in _matched(gives, takes):
            add(source, target, gw)
    for p in data.pathways:
        into = _largest({source: gw for (source, target), gw in moved.items() if target == p})
        out = _largest({target: gw for (source, target), gw in moved.items() if source == p})
        for source, target, gw in _matched(into, out):
            moved[source, p] -= gw
            moved[p, target] -= gw
            add(source, target, gw)
    gained = dict(zip(data.pathways, (used - used_before[:, :, None]).sum(axis=1), strict=True))
    gained[IDLE] = (idle - idle_before[:, None]).sum(axis=0)
    gained[NEW] = gained[ENDED] = (had[:, None] - available[:, nodes]).sum(axis=0)
    for (source, target), gw in sorted(moved.items(), key=lambda item: -item[1]):
        if gw > KILOWATT and source != target and (source in data.pathways or target != ENDED):
            first = max(int(np.argmax(change > KILOWATT)) for change in (-gained[source], gained[target]))
            yield Move("move", source, target, gw, starts[int(data.tree.period[nodes[first]])])


def _largest(amounts: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(((name, gw) for name, gw in amounts.items() if gw > KILOWATT), key=lambda item: -item[1])


def _matched(gives: list[tuple[str, float]], takes: list[tuple[str, float]]) -> Iterator[tuple[str, str, float]]:
    """Yield how much each source gives to each target, in the order of both."""
    left = dict(takes)
    for source, amount in gives:
        for target in left:
            gw = min(amount, left[target])
            if gw > 0:
                yield source, target, gw
                left[target] -= gw
                amount -= gw
