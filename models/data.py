"""The data of the planning model: arrays on the scenario tree, named as in the formulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.tree import FloatArray, IntArray, Tree

BoolArray = NDArray[np.bool_]

BY_ROOT: Final = (
    "eligible",
    "effectiveness",
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
    "cost",
    "window",
    "cancel_notice",
    "fee",
    "max_share",
    "indivisible",
    "terminal_rate",
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
class PlanData:
    """What the model is built from; shapes in terms of pathways P, pools Q, contracts K, tiers I, nodes N, roots R.

    Data that no date can change are held per root, since only a factor revealed at the start can tell them apart.
    Capacity in GW, rates in $bn per GW-year, one-off amounts in $bn per GW, time in years or periods.

    Attributes
    ----------
    tree : Tree
        The scenario tree.
    pathways, pools, contracts : tuple of str
        Names along the axes.
    pool_of : (K,) int array
        Pool of each contract.
    dt : float
        Length of a period, years.
    discount : (T,) float array
        Discount factor of each period's flows, mid-period.
    aversion, tail : float
        Weight on CVaR and the share of worst outcomes that it averages.
    eligible : (P, Q, R) bool array
        Pairs that may be used.
    effectiveness, operating_cost, initial, min_block : (P, Q, R) float array
        Effective GW per GW; $bn per GW-year; GW in use before the start; GW.
    idle_penalty : (Q, R) float array
        $bn per GW-year.
    shortfall_penalty, migration_cost, ramp, signing_cost, breach_cost : (P, R) float array
        $bn per GW-year; $bn per GW; GW per period (inf: no limit); $bn per GW; $bn per GW (inf: no breach).
    notice, term : (P, R) int array
        Periods; ``term >= notice``, both 0 where the pathway is no deal pathway.
    delivered, contracted : (K, N) float array
        GW in service; GW of all deliveries, averaged over the scenarios through the node.
    cost : (K, N) float array
        $bn per GW-year.
    window : (K, N) bool array
        Nodes on which notice may be given.
    cancel_notice : (K, N) int array
        Periods from notice to the end of deliveries, at window nodes.
    fee, max_share : (K, N) float array
        $bn per contracted GW; largest share that may be cancelled; at window nodes.
    indivisible : (K, N) bool array
        Whether the contract is cancelled whole or not at all.
    terminal_rate : (K, N) float array
        At a leaf, ``tail[k] * (terminal_value - cost[k])`` in $bn per GW; 0 elsewhere.
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
    move_cost : float
        $bn per GW-year by which the plan leaves what is kept.
    """

    tree: Tree
    pathways: tuple[str, ...]
    pools: tuple[str, ...]
    contracts: tuple[str, ...]
    pool_of: IntArray
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
    cost: FloatArray
    window: BoolArray
    cancel_notice: IntArray
    fee: FloatArray
    max_share: FloatArray
    indivisible: BoolArray
    terminal_rate: FloatArray
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
    move_cost: float

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
        return replace(self, tree=tree, **moved, **{name: getattr(self, name)[..., root] for name in BY_ROOT})

    @cached_property
    def supply(self) -> FloatArray:
        """GW delivered by each pool's contracts, shape (Q, N)."""
        supply = np.zeros((len(self.pools), self.tree.size))
        np.add.at(supply, self.pool_of, self.delivered)
        return supply

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
        """The last window node of each contract strictly above each node, -1 where there is none, shape (K, N)."""
        return self._last_window(strictly_before=True)

    @cached_property
    def last_window(self) -> IntArray:
        """The last window node of each contract on the path to each node, itself included; else -1, shape (K, N)."""
        return self._last_window(strictly_before=False)

    def _last_window(self, *, strictly_before: bool) -> IntArray:
        last = np.full(self.window.shape, -1, dtype=np.int64)
        for t in range(self.tree.periods):
            nodes = np.flatnonzero(self.tree.period == t)
            parent = self.tree.parent[nodes]
            if t > 0:
                above = last[:, parent]
                last[:, nodes] = np.where(self.window[:, parent], parent, above) if strictly_before else above
            if not strictly_before:
                last[:, nodes] = np.where(self.window[:, nodes], nodes, last[:, nodes])
        return last

    @cached_property
    def ref(self) -> IntArray:
        """``ref(k, n)``: the last window node at least the contract's notice before the node, else -1, shape (K, N)."""
        ref = np.full(self.window.shape, -1, dtype=np.int64)
        path, period = self.tree.path, self.tree.period
        for k in np.flatnonzero(self.window.any(axis=1)):
            in_window = self.window[k][path] & (path >= 0)
            effective = period[path] + self.cancel_notice[k][path]
            counts = in_window & (effective <= period[:, None])
            latest = path.shape[1] - 1 - np.argmax(counts[:, ::-1], axis=1)
            ref[k] = np.where(counts.any(axis=1), path[np.arange(len(path)), latest], -1)
        return ref

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
