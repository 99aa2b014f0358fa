"""The oracle's model in which the planner's demands give way: by how much they must, and which can be kept.

Written from the description of a relief alone: a floor is lowered or a cap raised in a period, a pool gets more in a
period, a ramp is loosened for good, each lock while it holds, deals end without notice on a node.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path

from tests.oracle.model import Model
from tests.oracle.program import INF, Linear, constant, total
from tests.oracle.reading import read
from tests.oracle.tree import Node, Tree, grow

Key = tuple[str, str, str]
Price = Callable[[Key, int], float]


class Elastic(Model):
    """A tree's model whose demands give way, at a price for each demand and period.

    `price` is given the demand (kind, pathway, pool) and the period; `together` tells whether a demand's relief is one
    figure, as tables have it, or one for each node.
    """

    def __init__(self, tree: Tree, price: Price, *, together: bool) -> None:
        self.price, self.together = price, together
        self.cost: dict[tuple[Hashable, int], float] = {}
        super().__init__(tree)

    def gives(self, key: Key, n: Node, most: float = INF) -> Linear:
        """GW by which a demand gives way on a node."""
        if not self.together:
            name: Hashable = ("gives", key, n.number)
            cost = self.price(key, n.period)
        elif key[0] == "ramp":
            return self.for_good(("gives", key), self.price(key, n.period), n, INF)
        elif key[0] == "deals":
            name, cost = ("gives", key, n.number), self.price(key, n.period) * n.probability
        else:
            name, cost = ("gives", key, "in", n.period), self.price(key, n.period)
        if name not in self.program:
            self.program.add(name, upper=most if self.together else INF)
            self.cost[name, n.period] = cost
        return self.program[name]

    def for_good(self, name: Hashable, cost: float, n: Node, most: float) -> Linear:
        """GW by which one figure gives way in all periods in which it holds, each of which costs."""
        self.cost[name, n.period] = cost
        if name not in self.program:
            self.program.add(name, upper=most)
        return self.program[name]

    def balance(self, n: Node) -> None:
        """Capacity of each pool is used, idle, cancelled or not there."""
        for q in n.data.pools:
            used = total(self.program["allocate", p, q, n] for p, pool in n.data.pairs if pool == q)
            idle = self.program["idle", q, n]
            self.program.equal(used + idle - self.gives(("supply", "", q), n), n.data.supply(q, n.period))

    def demand(self, n: Node) -> None:
        """Floor and cap; what is served or missed costs nothing here."""
        for p in n.data.pathways:
            floor, _, cap = n.data.demand(p, n.period)
            if floor > 0:
                self.program.at_least(self.effective(p, n) + self.gives(("floor", p, ""), n, floor), floor)
            if cap is not None and any(pathway == p for pathway, _ in n.data.pairs):
                self.program.at_most(self.used(p, n, n) - self.gives(("cap", p, ""), n), cap)

    def growth(self, n: Node) -> None:
        """Ramps."""
        root = n.path[0]
        for p in n.data.pathways:
            ramp = n.data.ramp(p)
            if ramp is None:
                continue
            if n.data.term(p) > 0:
                grown = self.program["sign", p, n]
            elif any(pathway == p for pathway, _ in n.data.pairs):
                grown = self.used(p, n, root) - self.used(p, n.parent, root)
            else:
                continue
            self.program.at_most(grown - self.gives(("ramp", p, ""), n), ramp)

    def ended(self, p: str, n: Node) -> Linear:
        """GW that leave deals on a node without notice, at a price or as a relief."""
        if n.data.pathways[p]["breach_cost_bn_per_gw"] is not None:
            return self.program["breach", p, n]
        return self.gives(("deals", p, ""), n)

    def commitments(self, n: Node) -> None:
        """No contract is cancelled: that helps no demand."""

    def cancelled(self, k: str, n: Node) -> Linear:
        """No contract is cancelled."""
        return constant(0.0)

    def locks(self, n: Node) -> None:
        """Hold the allocation to the planner's overrides in force: to each row by itself where each has a relief."""
        for (p, q), (least, most) in n.data.locks(n.period).items():
            locked = self.optional("allocate", p, q, n) if q else self.used(p, n, n)
            if self.together:
                self.each_lock(locked, p, q, n)
                continue
            if least > 0:
                self.program.at_least(locked + self.gives(("lock min", p, q), n), least)
            if most < INF:
                self.program.at_most(locked - self.gives(("lock max", p, q), n), most)

    def each_lock(self, locked: Linear, p: str, q: str, n: Node) -> None:
        """Hold a pair, or a pathway's sum, to every row of the locks that is in force, less that row's own relief."""
        now = n.data.calendar.tau(n.period)
        for place, row in enumerate(n.data.rows["locks"]):
            in_force = row["from"] <= now and (row["until"] is None or now < row["until"])
            if (row["pathway"], row["pool"]) != (p, q) or not in_force:
                continue
            for kind, limit in (("lock min", row["min_gw"]), ("lock max", row["max_gw"])):
                if limit is None or (kind == "lock min" and limit <= 0):
                    continue
                cost = self.price((kind, p, q), n.period)
                by = self.for_good((kind, place), cost, n, limit if kind == "lock min" else INF)
                if kind == "lock min":
                    self.program.at_least(locked + by, limit)
                else:
                    self.program.at_most(locked - by, limit)

    def blocks(self, n: Node) -> None:
        """Least blocks are left out."""

    def least(self) -> float:
        """Return the least cost at which the rest can be kept."""
        paid: dict[Hashable, float] = {}
        for (name, _), cost in self.cost.items():
            paid[name] = paid.get(name, 0.0) + cost
        cost_of_all = total(cost * self.program[name] for name, cost in paid.items())
        status, point = self.program.maximise(cost_of_all * -1.0)
        return cost_of_all.at(point) if status == "optimal" else INF


def least_gw_years(folder: Path) -> float:
    """Return the fewest GW-years by which demands must give way for an instance to have a plan."""
    said = read(Path(folder))
    tree = grow(said)
    dt = tree.calendar.dt
    terms = {p: tree.nodes[0].data.term(p) for p in tree.nodes[0].data.pathways}

    def price(key: Key, period: int) -> float:
        return dt * terms[key[1]] if key[0] == "deals" else dt

    return Elastic(tree, price, together=True).least()


def can_be_kept(folder: Path, demands: set[tuple[Key, int]]) -> bool:
    """Return whether demands, each a key and a period, can all be kept while all others give way."""
    tree = grow(read(Path(folder)))
    return Elastic(tree, lambda key, t: 1.0 if (key, t) in demands else 0.0, together=False).least() < 1e-6
