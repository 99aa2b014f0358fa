"""What is signed, given back and sold: variables, constraints and cash flows of contracts on the tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from tests.oracle.program import Linear, Program, constant, total
from tests.oracle.tree import Node, Tree


class Signing:
    """The part of the model that is about contracts."""

    program: Program
    tree: Tree
    last: int

    # Variables

    def add_contracts(self, n: Node) -> None:
        """Add cancelled and signed on the nodes of their windows, and what is missing of contracts sold."""
        data = n.data
        for way, row in data.ways_out.items():
            if data.in_window(way, n.period):
                self.program.add(self.way_key(way, n), upper=row["max_share"], integer=row["indivisible"])
        for k, row in data.offers.items():
            if data.offered(k, n.period):
                self.program.add(("signed", k, n), upper=row["max_share"], integer=row["indivisible"])
        for k in data.contracts:
            if data.sold(k) and data.contracts[k]["late_credit_bn_per_gw_year"] is not None:
                self.program.add(("unserved", k, n))

    @staticmethod
    def way_key(way: tuple[str, str], n: Node) -> tuple[object, ...]:
        """Return the key of a variable `cancelled`."""
        k, window = way
        return ("cancelled", k, window, n) if window else ("cancelled", k, n)

    # Shares

    def last_of(self, key: Callable[[Node], tuple[object, ...]], nodes: list[Node]) -> Linear:
        """Return the last variable of a kind on some nodes of a path, nothing where there is none."""
        given = [self.program[key(a)] for a in nodes if key(a) in self.program]
        return given[-1] if given else Linear()

    def last_notice(self, way: tuple[str, str], nodes: list[Node]) -> Linear:
        """Share for which notice was given by the last of some nodes on a path."""
        return self.last_of(lambda a: self.way_key(way, a), nodes)

    def last_signed(self, k: str, nodes: list[Node]) -> Linear:
        """Share of offer k that is signed by the last of some nodes on a path."""
        return self.last_of(lambda a: ("signed", k, a), nodes)

    def cancelled(self, k: str, n: Node) -> Linear:
        """Share of contract k no longer delivered: notice given at least its notice ago, by all its ways out."""
        return total(
            self.last_notice(way, [a for a in n.path if a.period + n.data.notice_of(way) <= n.period])
            for way in n.data.ways_out_of(k)
        )

    def by_signature(self, k: str, n: Node, brings: Callable[[int], float]) -> Linear:
        """What the shares signed on the way to a node bring there, given what a whole share signed in a period does."""
        signed = [a for a in n.path if ("signed", k, a) in self.program]
        units = [*(brings(a.period) for a in signed), 0.0]
        return total((units[i] - units[i + 1]) * self.program["signed", k, a] for i, a in enumerate(signed))

    def in_service(self, k: str, n: Node) -> Linear:
        """GW of contract k in service."""
        data, t = n.data, n.period
        gone = data.delivered(k, t) * self.cancelled(k, n)
        if k in data.offers:
            return self.by_signature(k, n, lambda a: data.unit(k, a, t)) - gone
        return constant(data.delivered(k, t)) - gone

    def bill(self, k: str, n: Node) -> Linear:
        """$bn a year due for contract k."""
        return self.left_of(k, n, partial(n.data.whole_bill, k, n.period))

    def left_of(self, k: str, n: Node, whole: Callable[[int | None], float]) -> Linear:
        """Return what is left of an amount for all of contract k, given it for a whole offer by period of signature."""
        saved = whole(None) * self.cancelled(k, n)
        there = self.by_signature(k, n, whole) if k in n.data.offers else constant(whole(None))
        return there - saved

    def net_supply(self, q: str, n: Node) -> Linear:
        """GW of a pool that may be used: bought less sold, and what of the latter is missing."""
        parts = []
        for k, row in n.data.contracts.items():
            if row["pool"] == q:
                gw = self.in_service(k, n)
                missing = self.program["unserved", k, n] if ("unserved", k, n) in self.program else Linear()
                parts.append(missing - gw if n.data.sold(k) else gw)
        return total(parts)

    # Constraints

    def commitments(self, n: Node) -> None:
        """Notice and signatures stand; no share is given up, extended or missing that is not there."""
        data, before = n.data, n.path[:-1]
        for way in data.ways_out:
            if self.way_key(way, n) in self.program:
                self.program.at_least(self.program[self.way_key(way, n)] - self.last_notice(way, before))
        for k, row in data.offers.items():
            if ("signed", k, n) not in self.program:
                continue
            signed = self.program["signed", k, n]
            self.program.at_least(signed - self.last_signed(k, before))
            if row["min_share"] > 0:
                self.program.add(("taken", k, n), upper=1.0, integer=True)
                self.program.at_least(signed - row["min_share"] * self.program["taken", k, n])
                self.program.at_most(signed - row["max_share"] * self.program["taken", k, n])
            if self.closes_for_some(k, n):
                self.program.at_least(signed, row["least_share"])
        for k in data.contracts:
            self.shares(k, n)
            if ("unserved", k, n) in self.program:
                self.program.at_most(self.program["unserved", k, n] - self.in_service(k, n))

    def closes_for_some(self, k: str, n: Node) -> bool:
        """Whether on some path through a node the offer may not be signed any more."""
        leaves = [leaf for leaf in self.tree.leaves if n in leaf.path]
        return any(not any(("signed", k, a) in self.program for a in leaf.path[n.period + 1 :]) for leaf in leaves)

    def shares(self, k: str, n: Node) -> None:
        """What is given up and extended of a contract is not more than there is, nor than is in service."""
        data, program = n.data, self.program
        ways = data.ways_out_of(k)
        extensions = [e for e in data.offers if data.extended(e) == k]
        if any(self.way_key(way, n) in program for way in ways) or any(("signed", e, n) in program for e in extensions):
            taken = total([self.last_notice(way, n.path) for way in ways])
            taken = taken + total([self.last_signed(e, n.path) for e in extensions])
            there = self.last_signed(k, n.path) if k in data.offers else constant(1.0)
            program.at_least(there - taken)
        if k in data.offers and data.delivered(k, n.period) > 0 and ways:
            begun = self.last_signed(k, [a for a in n.path if a.period + data.lead(k) <= n.period])
            program.at_least(begun - self.cancelled(k, n))

    # Money

    def contract_flows(self, n: Node, flows: defaultdict[str, Linear]) -> None:
        """Add the discounted flows of contracts on a node."""
        data, calendar = n.data, self.tree.calendar
        now, years = calendar.discount(n.period), calendar.dt
        for k, row in data.contracts.items():
            if data.sold(k):
                flows["sales"] += now * years * self.bill(k, n)
            else:
                flows["contract_cost"] -= now * years * self.bill(k, n)
            if data.is_filed(k):
                side = 1 if data.sold(k) else -1
                for what, component in (("ahead", "prepayments"), ("capital", "upfront"), ("late", "late_credit")):
                    amount = partial(data.once, k, n.period, what)
                    flows[component] += (-side if what == "late" else side) * now * self.left_of(k, n, amount)
            if ("unserved", k, n) in self.program:
                credit = row["late_credit_bn_per_gw_year"]
                flows["late_credit"] -= now * years * credit * self.program["unserved", k, n]
            for way in data.ways_out_of(k):
                if self.way_key(way, n) in self.program:
                    more = self.program[self.way_key(way, n)] - self.last_notice(way, n.path[:-1])
                    flows["cancellation_fees"] -= now * n.fee(way) * more
            if ("signed", k, n) in self.program:
                more = self.program["signed", k, n] - self.last_signed(k, n.path[:-1])
                flows["offer_cost"] -= now * data.signing_cost(k, n.period) * n.contracted(k) * more
        if n.period == self.last:
            for k in {k for s in n.scenarios for k in s.data.contracts}:
                flows["terminal"] += self.terminal(k, n)

    def terminal(self, k: str, leaf: Node) -> Linear:
        """What contract k brings after the horizon, the mean over the scenarios through a leaf."""
        found = []
        for s in leaf.scenarios:
            if k not in s.data.contracts:
                continue
            gone = total([self.last_notice(way, leaf.path) for way in s.data.ways_out_of(k)])
            there = s.data.terminal(k) * gone * -1.0
            if k in s.data.offers:
                there += self.by_signature(k, leaf, partial(s.data.terminal, k))
            else:
                there += constant(s.data.terminal(k))
            found.append(s.probability / leaf.probability * there)
        return total(found)
