"""The planning model on the tree, one method a family of variables, constraints or cash flows."""

from __future__ import annotations

import math
from collections import defaultdict

from tests.oracle.near import Near
from tests.oracle.program import INF, Linear, Program, constant, total
from tests.oracle.signing import Signing
from tests.oracle.tree import Node, Tree

PLANNING_WEIGHTS = ("idle_penalty", "shortfall_penalty", "move_penalty", "terminal")
"""Components of worth that are not cash of the plan's own years."""

Flows = dict[str, Linear]
"""Discounted $bn by component, or by ``value:<pathway>``."""


class Model(Signing):
    """Variables, constraints and cash flows of a tree; `flows` holds the latter by node number."""

    def __init__(self, tree: Tree, near: Near | None = None) -> None:
        self.tree = tree
        self.near = near
        self.last = tree.calendar.periods - 1
        self.program = Program()
        for node in tree.nodes:
            self.add_use(node)
            self.add_deals(node)
            self.add_contracts(node)
        for node in tree.nodes:
            self.balance(node)
            self.demand(node)
            self.growth(node)
            self.deals(node)
            self.commitments(node)
            self.locks(node)
            self.blocks(node)
            self.moves(node)
        self.flows = {node.number: self.cash(node) for node in tree.nodes}

    # Variables

    def add_use(self, n: Node) -> None:
        """Add allocate, serve, idle, shortfall and onboard."""
        data, add = n.data, self.program.add
        for p, q in data.pairs:
            add(("allocate", p, q, n))
            if data.pathways[p]["migration_cost_bn_per_gw"] > 0:
                add(("onboard", p, q, n))
        for q in data.pools:
            add(("idle", q, n))
        for p in data.pathways:
            for i, (width, _) in enumerate(data.tiers(p, n.period)):
                add(("serve", p, i, n), upper=width)
            if data.demand(p, n.period)[1] > 0:
                add(("shortfall", p, n))

    def add_deals(self, n: Node) -> None:
        """Add sign, release and breach of the deal pathways."""
        for p, row in n.data.pathways.items():
            if n.data.term(p) == 0:
                continue
            self.program.add(("sign", p, n))
            if n.period + n.data.notice(p) <= self.last:
                self.program.add(("release", p, n))
            if row["breach_cost_bn_per_gw"] is not None:
                self.program.add(("breach", p, n))

    # What the constraints speak of

    def used(self, p: str, n: Node | None, root: Node) -> Linear:
        """A[p,n] in GW; before the start the initial allocation."""
        if n is None:
            return constant(root.data.initial(p))
        return total(self.program["allocate", p, q, n] for pathway, q in n.data.pairs if pathway == p)

    def effective(self, p: str, n: Node) -> Linear:
        """E[p,n] in effective GW."""
        return total(
            n.data.effectiveness(p, q, n.period) * self.program["allocate", p, q, n]
            for pathway, q in n.data.pairs
            if pathway == p
        )

    def optional(self, *key: object) -> Linear:
        """Return a variable, or nothing where it does not exist."""
        return self.program[key] if key in self.program else Linear()

    def outlasts(self, p: str, a: Node, n: Node) -> float:
        """K(a,n): share of deals in force after a that churn has left by n."""
        return math.prod(b.data.keep(p, b.period) for b in n.path if b.period > a.period)

    # Constraints

    def balance(self, n: Node) -> None:
        """Capacity of each pool is used, idle, sold, cancelled or not there."""
        for q in n.data.pools:
            used = total(self.program["allocate", p, q, n] for p, pool in n.data.pairs if pool == q)
            self.program.equal(used + self.program["idle", q, n] - self.net_supply(q, n))

    def demand(self, n: Node) -> None:
        """Service, target, floor and cap."""
        for p in n.data.pathways:
            floor, target, cap = n.data.demand(p, n.period)
            tiers = range(len(n.data.tiers(p, n.period)))
            effective = self.effective(p, n)
            self.program.at_most(total(self.program["serve", p, i, n] for i in tiers) - effective)
            if target > 0:
                self.program.at_least(effective + self.program["shortfall", p, n], target)
            self.program.at_least(effective, floor)
            if cap is not None:
                self.program.at_most(self.used(p, n, n), cap)

    def growth(self, n: Node) -> None:
        """Ramp and migration."""
        root = n.path[0]
        for p in n.data.pathways:
            ramp = n.data.ramp(p)
            if ramp is None:
                continue
            if n.data.term(p) > 0:
                self.program.at_most(self.program["sign", p, n], ramp)
            else:
                self.program.at_most(self.used(p, n, root) - self.used(p, n.parent, root), ramp)
        for (p, q), row in n.data.pairs.items():
            if ("onboard", p, q, n) in self.program:
                before = self.program["allocate", p, q, n.parent] if n.parent else constant(row["initial_gw"])
                self.program.at_most(self.program["allocate", p, q, n] - before - self.program["onboard", p, q, n])

    def ended(self, p: str, n: Node) -> Linear:
        """GW taken back on a node without notice."""
        return self.optional("breach", p, n)

    def deals(self, n: Node) -> None:
        """Capacity in deals comes back by churn, notice or breach only, and not before its term."""
        root = n.path[0]
        for p in n.data.pathways:
            if n.data.term(p) == 0:
                continue
            kept = n.data.keep(p, n.period) * self.used(p, n.parent, root)
            a = n.back(n.data.notice(p))
            back = self.outlasts(p, a, n) * self.program["release", p, a] if a else Linear()
            back = back + constant(n.data.running(p, "notice", n.period))
            in_force = kept + self.program["sign", p, n] - back - self.ended(p, n)
            self.program.equal(self.used(p, n, root) - in_force)
            young = [b for b in n.path if b.period > n.period - n.data.term(p)]
            bound = constant(n.data.running(p, "term", n.period)) + total(
                self.outlasts(p, b, n) * (self.program["sign", p, b] - self.ended(p, b)) for b in young
            )
            self.program.at_least(self.used(p, n, root) - bound)

    def locks(self, n: Node) -> None:
        """Hold the allocation to the planner's overrides in force."""
        for (p, q), (least, most) in n.data.locks(n.period).items():
            locked = self.optional("allocate", p, q, n) if q else self.used(p, n, n)
            self.program.at_least(locked, least)
            self.program.at_most(locked, most)

    def blocks(self, n: Node) -> None:
        """Use a pair with a least block at 0 or at least that much."""
        for (p, q), row in n.data.pairs.items():
            if row["min_block_gw"] > 0:
                self.program.add(("in use", p, q, n), upper=1.0, integer=True)
                allocate, in_use = self.program["allocate", p, q, n], self.program["in use", p, q, n]
                self.program.at_least(allocate - row["min_block_gw"] * in_use)
                self.program.at_most(allocate - n.data.supply(q, n.period) * in_use)

    def moves(self, n: Node) -> None:
        """Count what a pair has more or less than an earlier plan gave it."""
        for p, q in n.data.pairs if self.near else ():
            kept = self.near.kept(p, q, self.tree.calendar.tau(n.period), n.known) if self.near else None
            if kept is not None:
                self.program.add(("moved", p, q, n))
                allocate, moved = self.program["allocate", p, q, n], self.program["moved", p, q, n]
                self.program.at_least(moved - allocate, -kept)
                self.program.at_least(moved + allocate, kept)

    # Money

    def cash(self, n: Node) -> Flows:
        """Discounted flows of a node by component, signed so that their sum is its part of worth."""
        data, calendar = n.data, self.tree.calendar
        now, years = calendar.discount(n.period), calendar.dt
        flows: defaultdict[str, Linear] = defaultdict(Linear)
        for p, row in data.pathways.items():
            for i, (_, value) in enumerate(data.tiers(p, n.period)):
                flows[f"value:{p}"] += now * years * value * self.program["serve", p, i, n]
            penalty = row["shortfall_penalty_bn_per_gw_year"]
            flows["shortfall_penalty"] -= now * years * penalty * self.optional("shortfall", p, n)
            flows["signing_cost"] -= now * row["signing_cost_bn_per_gw"] * self.optional("sign", p, n)
            flows["breach_cost"] -= now * (row["breach_cost_bn_per_gw"] or 0.0) * self.optional("breach", p, n)
        for (p, q), row in data.pairs.items():
            price = row["operating_cost_bn_per_gw_year"]
            flows["operating_cost"] -= now * years * price * self.program["allocate", p, q, n]
            if self.near:
                flows["move_penalty"] -= now * years * self.near.cost * self.optional("moved", p, q, n)
            onboard = self.optional("onboard", p, q, n)
            flows["migration_cost"] -= now * data.pathways[p]["migration_cost_bn_per_gw"] * onboard
        for q, row in data.pools.items():
            flows["idle_penalty"] -= now * years * row["idle_penalty_bn_per_gw_year"] * self.program["idle", q, n]
        self.contract_flows(n, flows)
        return flows

    def expected(self) -> Flows:
        """Return the expected discounted flows of the tree by component."""
        names = dict.fromkeys(name for flows in self.flows.values() for name in flows)
        return {
            name: total(node.probability * self.flows[node.number].get(name, Linear()) for node in self.tree.nodes)
            for name in names
        }

    def worth(self, leaf: Node) -> Linear:
        """Worth of the plan along the path to a leaf."""
        return total(flow for node in leaf.path for flow in self.flows[node.number].values())

    def objective(self, aversion: float, tail: float) -> Linear:
        """Weigh expected worth against the mean of its worst share (Rockafellar and Uryasev)."""
        expected = total(self.expected().values())
        if aversion == 0:
            return expected
        self.program.add("quantile", lower=-INF)
        below = []
        for leaf in self.tree.leaves:
            self.program.add(("below", leaf))
            self.program.at_least(self.program["below", leaf] + self.worth(leaf) - self.program["quantile"])
            below.append(leaf.probability / tail * self.program["below", leaf])
        return (1 - aversion) * expected + aversion * (self.program["quantile"] - total(below))
