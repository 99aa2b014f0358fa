"""The data of the planning model: arrays on the scenario tree, named as in the formulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gwplan.models.tree import FloatArray, IntArray, Tree

BoolArray = NDArray[np.bool_]

BY_ROOT: Final = (
    "eligible",
    "operating_cost",
    "initial",
    "min_block",
    "idle_penalty",
    "shortfall_penalty",
    "migration_cost",
    "ramp",
    "signing_cost",
    "breach_cost",
    "notice",
    "term",
)
"""Data without a date, held per root: only a factor revealed at the start can tell them apart."""

BY_NODE: Final = (
    "delivered",
    "contracted",
    "bill",
    "prepaid",
    "upfront",
    "late",
    "late_credit",
    "terminal",
    "terminal_flat",
    "window",
    "cancel_notice",
    "fee",
    "max_share",
    "indivisible",
    "offered",
    "lead",
    "price",
    "signing_fee",
    "most_signed",
    "least_signed",
    "min_signed",
    "signed_whole",
    "unit",
    "due",
    "prepaid_signed",
    "upfront_signed",
    "late_signed",
    "terminal_unit",
    "terminal_unit_flat",
    "effectiveness",
    "floor",
    "target",
    "cap",
    "width",
    "value",
    "tiers",
    "keep",
    "lock_least",
    "lock_most",
    "held",
    "returning",
    "kept",
)
"""Data held per node, the last axis."""


@dataclass(frozen=True)
class Steps:
    """What the shares of offers signed on the way to each node bring there; S is the largest count.

    Attributes
    ----------
    count : (O, N) int array
        How many signatures count.
    node : (O, N, S) int array
        Where they are signed.
    values : tuple of (O, N, S) float array
        What a whole share of each brings, 0 beyond the count.
    """

    count: IntArray
    node: IntArray
    values: tuple[FloatArray, ...]

    def of(self, signed: FloatArray, value: int = 0) -> FloatArray:
        """Return what shares signed, of shape (O, N), bring to each node, shape (O, N)."""
        shares = signed[np.arange(len(signed))[:, None, None], self.node]
        brought: FloatArray = np.einsum("ons,ons->on", shares, self.values[value])
        return brought


@dataclass(frozen=True)
class PlanData:
    """What the model is built from; shapes in terms of pathways P, pools Q, contracts K, ways out W, offers O, nodes N.

    I counts tiers, R roots, T periods. A way out is a window in which notice may be given for a contract, an offer a
    contract that is in force as far as it is signed; the others are firm. A contract sold takes capacity out of its
    pool, and pays its bill to us.

    Data that no date can change are held per root, since only a factor revealed at the start can tell them apart.
    Capacity in GW, rates in $bn per GW-year, one-off amounts in $bn per GW, time in years or periods.

    Attributes
    ----------
    tree : Tree
        The scenario tree.
    pathways, pools, contracts, ways_out, offers : tuple of str
        Names along the axes.
    pool_of, way_out_of, offer_of : (K,), (W,), (O,) int array
        Pool of each contract; contract of each way out and of each offer.
    sold : (K,) bool array
        Whether the contract is sold.
    extends : (O, K) bool array
        Which contract each offer extends, if any.
    dt : float
        Length of a period, years.
    discount : (T,) float array
        Discount factor of each period's flows, mid-period.
    aversion, tail : float
        Weight on CVaR and the share of worst outcomes that it averages.
    eligible : (P, Q, R) bool array
        Pairs that may be used.
    operating_cost, initial, min_block : (P, Q, R) float array
        $bn per GW-year; GW in use before the start; GW.
    effectiveness : (P, Q, N) float array
        Effective GW per GW.
    idle_penalty : (Q, R) float array
        $bn per GW-year.
    shortfall_penalty, migration_cost, ramp, signing_cost, breach_cost : (P, R) float array
        $bn per GW-year; $bn per GW; GW per period (inf: no limit); $bn per GW; $bn per GW (inf: no breach).
    notice, term : (P, R) int array
        Periods; ``term >= notice``, both 0 where the pathway is no deal pathway.
    delivered, contracted : (K, N) float array
        GW in service, of an offer if all of it is signed in time; GW of all deliveries, averaged over the scenarios
        through the node.
    bill : (K, N) float array
        $bn per year due for what is delivered, whoever pays it, less what prepayments cover.
    prepaid, upfront, late : (K, N) float array
        $bn that the whole contract prepays on a node, and pays for what arrives on it; $bn per year received for what
        is due and late.
    late_credit : (K, N) float array
        $bn per GW-year that a contract sold costs for GW due and not there; nan where they must be there, or none are.
    terminal, terminal_flat : (K, N) float array
        At a leaf, what the whole contract adds to worth beyond the horizon, $bn discounted and not, of a contract sold
        with its sign turned; 0 elsewhere.
    window : (W, N) bool array
        Nodes on which notice may be given.
    cancel_notice : (W, N) int array
        Periods from notice to the end of deliveries, at window nodes.
    fee, max_share : (W, N) float array
        $bn for the whole contract; largest share that may be cancelled; at window nodes.
    indivisible : (W, N) bool array
        Whether the contract is cancelled whole or not at all.
    offered : (O, N) bool array
        Nodes on which an offer may be signed.
    lead : (O, N) int array
        Periods from the signature to the first delivery at the earliest, at nodes on which it may be signed.
    price, signing_fee, most_signed, least_signed, min_signed : (O, N) float array
        $bn per GW-year; $bn for the whole offer; largest share, smallest in the end, and smallest but none; at the
        same nodes.
    signed_whole : (O, N) bool array
        Whether the offer is signed whole or not at all.
    unit, due : (O, T, N) float array
        GW in service and $bn per year due on a node for a whole share signed in a period; 0 where it is not offered.
    prepaid_signed, upfront_signed, late_signed : (O, T, N) float array
        `prepaid`, `upfront` and `late` for a whole share signed in a period.
    terminal_unit, terminal_unit_flat : (O, T, N) float array
        The same for a whole share signed in a period.
    floor, target, cap : (P, N) float array
        Effective GW; effective GW; GW (inf: no limit).
    width, value : (P, I, N) float array
        Effective GW (inf: unlimited) and $bn per effective GW-year of each tier, realisation included.
    tiers : (P, N) int array
        Number of tiers in force.
    keep : (P, N) float array
        Share of the deals in force that churn leaves.
    held, returning : (P, N) float array
        GW of deals from before the start that are within their term on the node; GW that come back on it after notice
        given before the start; both less what churned since the start.
    lock_least, lock_most : (P, Q + 1, N) float array
        GW; nan where no lock is in force; the last position along the pools is the pathway's sum.
    kept : (P, Q, N) float array
        GW that an earlier plan gives the pair; nan where it gives none, or there is no earlier plan to stay near.
    signed_supply : (Q, N) float array, optional
        GW bought of each pool, cancelled or not, that a dedicated plan's parts are of; else those of firm contracts.
    dated : bool
        Whether any contract has payments of a date: prepaid, on arrival, for late delivery.
    move_cost : float
        $bn per GW-year by which the plan leaves what is kept.
    """

    tree: Tree
    pathways: tuple[str, ...]
    pools: tuple[str, ...]
    contracts: tuple[str, ...]
    ways_out: tuple[str, ...]
    offers: tuple[str, ...]
    pool_of: IntArray
    way_out_of: IntArray
    offer_of: IntArray
    sold: BoolArray
    extends: BoolArray
    dt: float
    discount: FloatArray
    aversion: float
    tail: float
    eligible: BoolArray
    effectiveness: FloatArray
    operating_cost: FloatArray
    initial: FloatArray
    min_block: FloatArray
    idle_penalty: FloatArray
    shortfall_penalty: FloatArray
    migration_cost: FloatArray
    ramp: FloatArray
    signing_cost: FloatArray
    breach_cost: FloatArray
    notice: IntArray
    term: IntArray
    delivered: FloatArray
    contracted: FloatArray
    bill: FloatArray
    prepaid: FloatArray
    upfront: FloatArray
    late: FloatArray
    late_credit: FloatArray
    terminal: FloatArray
    terminal_flat: FloatArray
    window: BoolArray
    cancel_notice: IntArray
    fee: FloatArray
    max_share: FloatArray
    indivisible: BoolArray
    offered: BoolArray
    lead: IntArray
    price: FloatArray
    signing_fee: FloatArray
    most_signed: FloatArray
    least_signed: FloatArray
    min_signed: FloatArray
    signed_whole: BoolArray
    unit: FloatArray
    due: FloatArray
    prepaid_signed: FloatArray
    upfront_signed: FloatArray
    late_signed: FloatArray
    terminal_unit: FloatArray
    terminal_unit_flat: FloatArray
    floor: FloatArray
    target: FloatArray
    cap: FloatArray
    width: FloatArray
    value: FloatArray
    tiers: IntArray
    keep: FloatArray
    held: FloatArray
    returning: FloatArray
    lock_least: FloatArray
    lock_most: FloatArray
    kept: FloatArray
    dated: bool
    move_cost: float
    signed_supply: FloatArray | None = None

    def on_tree(self, tree: Tree, scenario: IntArray) -> PlanData:
        """Return the same data on a tree that knows more: nothing but what is known when differs.

        The fee basis stays as it is too, averaged over the scenarios that this tree's nodes do not tell apart.

        Parameters
        ----------
        tree : Tree
            Scenarios that share a node of it share one of this tree.
        scenario : (S,) int array
            Scenario of this tree that each of the other's is.
        """
        node = self.tree.node_of[scenario[tree.example], tree.period]
        root = self.tree.root[node[tree.roots]]
        moved = {name: getattr(self, name)[..., node] for name in BY_NODE}
        return replace(
            self, tree=tree, signed_supply=None, **moved, **{name: getattr(self, name)[..., root] for name in BY_ROOT}
        )

    @cached_property
    def firm(self) -> BoolArray:
        """Whether each contract is in force whatever is signed, shape (K,)."""
        firm = np.ones(len(self.contracts), dtype=bool)
        firm[self.offer_of] = False
        return firm

    @cached_property
    def side(self) -> FloatArray:
        """A sign without unit: 1 for a contract bought, -1 for one sold, shape (K,)."""
        return np.where(self.sold, -1.0, 1.0)

    def in_pools(self, by_contract: FloatArray) -> FloatArray:
        """Return figures of contracts, (K, N), summed over each pool in their own unit, shape (Q, N)."""
        summed = np.zeros((len(self.pools), self.tree.size))
        np.add.at(summed, self.pool_of, by_contract)
        return summed

    @cached_property
    def supply(self) -> FloatArray:
        """GW that firm contracts deliver to each pool, less what is sold firmly, shape (Q, N)."""
        return self.in_pools((self.side * self.firm)[:, None] * self.delivered)

    @cached_property
    def most_supply(self) -> FloatArray:
        """GW that all contracts can deliver to each pool, every offer signed, shape (Q, N)."""
        return self.in_pools(np.where(self.sold, 0.0, 1.0)[:, None] * self.delivered)

    @property
    def near(self) -> bool:
        """Whether there is an earlier plan to stay near."""
        return bool(np.isfinite(self.kept).any())

    @cached_property
    def deal(self) -> BoolArray:
        """Whether each pathway is a deal pathway (has a notice or a term), shape (P, R)."""
        return self.term > 0

    @property
    def least_weight(self) -> FloatArray:
        """Weight of each node in the objective without what aversion adds to it in the tail, shape (N,)."""
        return (1 - self.aversion) * self.tree.probability

    @cached_property
    def node_discount(self) -> FloatArray:
        """Share ``d_t`` that a flow on each node is worth at the start, shape (N,)."""
        return self.discount[self.tree.period]

    @cached_property
    def previous_window(self) -> IntArray:
        """The last window node of each way out strictly above each node, -1 where there is none, shape (W, N)."""
        return self._above(self.last_window)

    @cached_property
    def last_window(self) -> IntArray:
        """The last window node of each way out on the path to each node, itself included; else -1, shape (W, N)."""
        return self._last(self.window)

    @cached_property
    def ref(self) -> IntArray:
        """``ref(k, n)``: the last window node at least the way out's notice before the node, else -1, shape (W, N)."""
        return self._effective(self.window, self.cancel_notice)

    @cached_property
    def previous_offer(self) -> IntArray:
        """The last node strictly above each node on which each offer may be signed, else -1, shape (O, N)."""
        return self._above(self.last_offer)

    @cached_property
    def last_offer(self) -> IntArray:
        """The last such node on the path to each node, itself included, else -1, shape (O, N)."""
        return self._last(self.offered)

    @cached_property
    def sref(self) -> IntArray:
        """``sref(k, n)``: the last such node at least the offer's lead before the node, else -1, shape (O, N)."""
        return self._effective(self.offered, self.lead)

    def _last(self, there: BoolArray) -> IntArray:
        last = np.full(there.shape, -1, dtype=np.int64)
        for t in range(self.tree.periods):
            nodes = np.flatnonzero(self.tree.period == t)
            above = last[:, self.tree.parent[nodes]] if t else -1
            last[:, nodes] = np.where(there[:, nodes], nodes, above)
        return last

    def _above(self, last: IntArray) -> IntArray:
        return np.where(self.tree.parent >= 0, last[:, self.tree.parent], -1)

    def _effective(self, there: BoolArray, lag: IntArray) -> IntArray:
        """Return the last node of each row that lies at least the lag that it is given before each node, else -1."""
        latest_of = np.full(there.shape, -1, dtype=np.int64)
        path, period = self.tree.path, self.tree.period
        for row in np.flatnonzero(there.any(axis=1)):
            counts = there[row][path] & (path >= 0) & (period[path] + lag[row][path] <= period[:, None])
            latest = path.shape[1] - 1 - np.argmax(counts[:, ::-1], axis=1)
            latest_of[row] = np.where(counts.any(axis=1), path[np.arange(len(path)), latest], -1)
        return latest_of

    def steps(self, *by_signature: FloatArray) -> Steps:
        """Return what the shares signed on the way to each node bring there.

        With the window nodes a_1, a_2, ... on the path, what is signed between two of them counts as of the first:
        ``sum of signed[a_i] * (unit[a_i] - unit[a_{i+1}])``, the unit after the last one 0.

        Parameters
        ----------
        *by_signature : (O, T, N) float array
            What a whole share brings to a node, by the period in which it is signed.
        """
        path = self.tree.path
        there = self.offered[:, path] & (path >= 0)
        brought = [np.zeros(there.shape) for _ in by_signature]
        for step, unit in zip(brought, by_signature, strict=True):
            after = np.zeros((len(self.offers), self.tree.size))
            for t in reversed(range(self.tree.periods)):
                here = np.where(there[:, :, t], unit[:, t], after)
                step[:, :, t] = here - after
                after = here
        counts = np.any([step != 0 for step in brought], axis=0)
        first = np.argsort(~counts, axis=2, kind="stable")[:, :, : int(counts.sum(axis=2).max(initial=0))]
        node = np.maximum(path[np.arange(self.tree.size)[:, None], first], 0)
        return Steps(counts.sum(axis=2), node, tuple(np.take_along_axis(step, first, axis=2) for step in brought))

    @cached_property
    def in_service(self) -> Steps:
        """GW in service, $bn a year due, $bn prepaid and paid upfront, $bn a year for what is late, by signature."""
        return self.steps(self.unit, self.due, self.prepaid_signed, self.upfront_signed, self.late_signed)

    def paid(self, bill: FloatArray, prepaid: FloatArray, upfront: FloatArray, late: FloatArray) -> FloatArray:
        """Return what is paid in all, less what is received, as $bn per year while a node lasts."""
        return bill + (prepaid + upfront) / self.dt - late

    @cached_property
    def in_the_end(self) -> Steps:
        """Worth beyond the horizon by signature, $bn discounted, at the leaves."""
        return self.steps(self.terminal_unit)

    @cached_property
    def notified(self) -> IntArray:
        """``anc(n, notice)``: the node whose notice gives capacity back at each node, else -1, shape (P, N)."""
        notice = self.notice[:, self.tree.root]
        above = np.stack([self.tree.ancestor(lag) for lag in notice]) if len(notice) else notice
        return np.where(self.deal[:, self.tree.root], above, -1)

    def kept_since(self, pathway: int, lag: int) -> FloatArray:
        """``K(a, n)`` for the ancestor a `lag` periods above each node n: the share that churn left since, shape (N,).

        Where there is no such ancestor the product runs over the whole path.
        """
        kept, node = np.ones(self.tree.size), np.arange(self.tree.size)
        for _ in range(lag):
            kept = np.where(node >= 0, kept * self.keep[pathway][node], kept)
            node = np.where(node >= 0, self.tree.parent[node], -1)
        return kept
