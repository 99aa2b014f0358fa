"""The heart of the workbook: the allocation to overtype, what it leaves and breaks, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.tree import FloatArray
from optimizer.catalogue.money import NOT_CASH
from optimizer.show.workbook.facts import BookFacts
from optimizer.show.workbook.inputs import RATE, Contracts, Inputs, Tiers
from optimizer.show.workbook.page import LONGEST_FORMULA, Column, Exported, Page


def node_columns(page: Page, facts: BookFacts) -> None:
    """Add the columns that name a node."""
    tree = facts.tree
    page.add("node", Column("node", "", "whole", np.arange(tree.size)))
    page.add("period", Column("period", "", "whole", tree.period))
    page.add("start", Column("start", "", "date", facts.starts))
    page.add("known", Column("known", "", "text", facts.timeline.known))
    page.add("probability", Column("probability", "share", "factor", tree.probability))


class Nodes:
    """The sheets ``allocation`` and ``worth``; a row of each is the same node of the scenario tree."""

    def __init__(self, facts: BookFacts, exported: Exported, inputs: Inputs) -> None:
        self.facts, self.exported, self.inputs = facts, exported, inputs
        self.rows = range(facts.tree.size)
        rate = facts.run.instance.discount_rate
        self.rate = inputs.cell("discount rate", "", rate, "per year", ("economics", {}))
        exported.define("discount_rate", self.rate)
        self.tiers = Tiers(facts, exported, inputs)
        self.contracts = Contracts(facts, exported, inputs, self.rate)
        note = (
            "Overtype a yellow cell: idle GW, what is left of each limit (negative: broken, red) and worth follow. "
            "Notices and breaches stay as planned; deals signed follow from the allocation."
        )
        self.allocation = Page(exported, "allocation", "Allocation: GW by node, pathway and pool", note)
        note = "Worth of the allocation, node by node, in $bn of the period; costs are negative."
        self.worth = Page(exported, "worth", "Worth: what each node of the scenario tree earns and costs", note)
        self.allocate = facts.allocate
        self._lay_out()

    def _lay_out(self) -> None:
        node_columns(self.allocation, self.facts)
        node_columns(self.worth, self.facts)
        for g, pair in enumerate(self.facts.pairs):
            head = self.facts.pair_name(pair)
            self.allocation.add(f"gw{g}", Column(head, "GW", "gw_input", self.allocate[:, g]))
        self._use()
        self._pools()
        self._money()
        self._totals()

    def _sum(self, terms: Sequence[str]) -> str:
        return "+".join(terms) if terms else "0"

    def gw(self, g: int, n: int) -> str:
        """Return the cell of a pair's GW on a node."""
        return self.allocation.ref(f"gw{g}", n)

    def _before(self, g: int, n: int) -> str:
        parent = int(self.facts.tree.parent[n])
        return self.gw(g, parent) if parent >= 0 else repr(float(self.facts.initial[n, g]))

    def pairs_of(self, p: int) -> list[int]:
        """Return the pairs of a pathway."""
        return [g for g, pair in enumerate(self.facts.pairs) if pair[0] == p]

    def _formulas(self, make: Callable[[int], str]) -> list[str]:
        return [make(n) for n in self.rows]

    def _use(self) -> None:
        """Add GW used and effective GW of each pathway to the sheet of worth."""
        facts, data = self.facts, self.facts.data
        self.effectiveness = facts.of_pairs(data.effectiveness)
        self.used = np.zeros((facts.tree.size, len(data.pathways)))
        self.effective = np.zeros_like(self.used)
        for p, name in enumerate(data.pathways):
            pairs = self.pairs_of(p)
            cells = {g: self._pair_rate("effectiveness", g, self.effectiveness, "effective GW per GW") for g in pairs}
            self.used[:, p] = self.allocate[:, pairs].sum(axis=1)
            self.effective[:, p] = (self.allocate * self.effectiveness)[:, pairs].sum(axis=1)
            used = self._formulas(lambda n, pairs=pairs: self._sum([self.gw(g, n) for g in pairs]))  # type: ignore[misc]
            effective = self._formulas(
                lambda n, pairs=pairs, cells=cells: self._sum([f"{self.gw(g, n)}*{cells[g][n]}" for g in pairs])  # type: ignore[misc]
            )
            self.worth.add(f"used{p}", Column(f"{name} used", "GW", "gw", self.used[:, p], used))
            column = Column(f"{name} effective", "effective GW", "gw", self.effective[:, p], effective)
            self.worth.add(f"effective{p}", column)

    def _pair_rate(self, what: str, g: int, by_node: FloatArray, unit: str) -> list[str]:
        p, q = self.facts.pairs[g]
        data = self.facts.data
        stated = ("eligibility", {"pathway": data.pathways[p], "pool": data.pools[q]})
        return self.inputs.cells(what, self.facts.pair_name((p, q)), by_node[:, g], unit, stated)

    def _rate(self, what: str, table: str, column: str, name: str, by_node: FloatArray, unit: str) -> list[str]:
        return self.inputs.cells(what, name, by_node, unit, (table, {column: name}))

    def _pools(self) -> None:
        """Add available GW of each pool to the sheet of worth and idle GW to the allocation."""
        facts, data = self.facts, self.facts.data
        supply = facts.run.tables["supply"]
        self.idle = np.zeros((facts.tree.size, len(data.pools)))
        for q, name in enumerate(data.pools):
            rows = supply[supply["pool"] == name].sort_values("node")
            available = (rows["delivered_gw"] - rows["cancelled_gw"]).to_numpy()
            pairs = [g for g, pair in enumerate(facts.pairs) if pair[1] == q]
            self.idle[:, q] = available - self.allocate[:, pairs].sum(axis=1)
            self.worth.add(f"available{q}", Column(f"{name} available", "GW", "gw", available))
            idle = self._formulas(
                lambda n, pairs=pairs, q=q: "-".join(  # type: ignore[misc]
                    [self.worth.ref(f"available{q}", n), *(self.gw(g, n) for g in pairs)]
                )
            )
            self.allocation.add(f"idle{q}", Column(f"{name} idle", "GW", "gw", self.idle[:, q], idle))

    def _money(self) -> None:
        """Add the components of worth, $bn of the period; each a list of values and formulas."""
        facts, data = self.facts, self.facts.data
        dt = data.dt
        self.components: dict[str, FloatArray] = {}
        self._values()
        operating = facts.of_pairs(data.operating_cost)
        migration = facts.of_nodes(data.migration_cost)
        before = facts.before(self.allocate, facts.initial)
        op_cells = [
            self._pair_rate("operating cost", g, operating, RATE) if operating[:, g].any() else None
            for g in range(len(facts.pairs))
        ]
        self._by_pair(
            "operating_cost",
            -dt * operating * self.allocate,
            lambda g, n: f"-{dt!r}*{self.gw(g, n)}*{cell[n]}" if (cell := op_cells[g]) else "",
        )
        moving = [
            self._rate("migration cost", "pathways", "pathway", name, migration[:, p], "$bn per GW")
            if migration[:, p].any()
            else None
            for p, name in enumerate(data.pathways)
        ]
        onboard = np.maximum(self.allocate - before, 0.0)
        per_pair = migration[:, [p for p, _ in facts.pairs]]
        self._by_pair(
            "migration_cost",
            -per_pair * onboard,
            lambda g, n: (
                f"-{cell[n]}*MAX(0,{self.gw(g, n)}-{self._before(g, n)})" if (cell := moving[facts.pairs[g][0]]) else ""
            ),
        )
        self._deal_money()
        self._supply_money()

    def _values(self) -> None:
        facts, data, dt = self.facts, self.facts.data, self.facts.data.dt
        value = np.zeros(facts.tree.size)
        self.shortfall = np.zeros_like(self.used)
        for p, name in enumerate(data.pathways):
            width = np.where(np.isinf(data.width[p]), 1e6, data.width[p])
            begins = np.cumsum(width, axis=0) - width
            held = np.arange(width.shape[0])[:, None] < data.tiers[p]
            serve = np.clip(self.effective[:, p] - begins, 0.0, width) * held
            earned = dt * (data.value[p] * serve).sum(axis=0)
            formulas = self._formulas(
                lambda n, p=p: f"{dt!r}*{self.tiers.earned(p, n, self.worth.at(f'effective{p}', n))}"  # type: ignore[misc]
            )
            self.worth.add(f"value{p}", Column(f"{name} value", "$bn", "bn", earned, formulas))
            value += earned
            target = data.target[p]
            if target.any():
                self.worth.add(f"target{p}", Column(f"{name} target", "effective GW", "gw", target))
                self.shortfall[:, p] = np.maximum(target - self.effective[:, p], 0.0)
                missing = self._formulas(
                    lambda n, p=p: f"MAX(0,{self.worth.at(f'target{p}', n)}-{self.worth.at(f'effective{p}', n)})"  # type: ignore[misc]
                )
                column = Column(f"{name} shortfall", "effective GW", "gw", self.shortfall[:, p], missing)
                self.worth.add(f"shortfall{p}", column)
        self._component("value", value, lambda n: [self.worth.at(f"value{p}", n) for p in range(len(data.pathways))])

    def _by_pair(self, name: str, values: FloatArray, term: Callable[[int, int], str]) -> None:
        """Add a component that is a sum over pairs: pathway by pathway first where one formula could not hold it."""
        pairs = range(len(self.facts.pairs))
        if max(sum(len(term(g, n)) for g in pairs) for n in self.rows) < LONGEST_FORMULA:
            self._component(name, values.sum(axis=1), lambda n: [term(g, n) for g in pairs])
            return
        for p, pathway in enumerate(self.facts.data.pathways):
            mine = self.pairs_of(p)
            formulas = self._formulas(lambda n, mine=mine: self._sum([part for g in mine if (part := term(g, n))]))  # type: ignore[misc]
            head = f"{pathway} {name.replace('_', ' ')}"
            formulas = [formula.replace("+-", "-") for formula in formulas]
            self.worth.add(f"{name}{p}", Column(head, "$bn", "bn", values[:, mine].sum(axis=1), formulas))
        parts = range(len(self.facts.data.pathways))
        self._component(name, values.sum(axis=1), lambda n: [self.worth.at(f"{name}{p}", n) for p in parts])

    def _component(self, name: str, values: FloatArray, terms: Callable[[int], list[str]]) -> None:
        self.components[name] = values
        formulas = self._formulas(lambda n: self._sum([term for term in terms(n) if term]).replace("+-", "-"))
        self.worth.add(name, Column(name.replace("_", " "), "$bn", "bn", values, formulas))

    def _deal_money(self) -> None:
        """Add deals signed, which follow from the allocation, and what signing and breach cost."""
        facts, data = self.facts, self.facts.data
        self.deals = [p for p in range(len(data.pathways)) if data.deal[p].any()]
        returned, breached = facts.deals("returned_gw"), facts.deals("breached_gw")
        before = facts.before(self.used, facts.initial @ _members(facts))
        self.signed = np.zeros_like(self.used)
        signing, breach = facts.of_nodes(data.signing_cost), facts.of_nodes(data.breach_cost)
        cells: dict[int, tuple[list[str], list[str]]] = {}
        for p in self.deals:
            name = data.pathways[p]
            back = returned[:, p] + breached[:, p]
            there = data.deal[p][facts.tree.root]
            self.signed[:, p] = np.where(there, self.used[:, p] - data.keep[p] * before[:, p] + back, 0.0)
            self.worth.add(f"keep{p}", Column(f"{name} kept after churn", "share", "factor", data.keep[p]))
            self.worth.add(f"back{p}", Column(f"{name} back by notice or breach", "GW", "gw", back))
            formulas = self._formulas(lambda n, p=p, there=there: self._signed(p, n) if there[n] else "")  # type: ignore[misc]
            self.worth.add(f"signed{p}", Column(f"{name} signed", "GW", "gw", self.signed[:, p], formulas))
            cost = np.where(breached[:, p] > 0, breach[:, p], 0.0)
            cells[p] = (
                self._rate("signing cost", "pathways", "pathway", name, signing[:, p], "$bn per GW"),
                self._rate("breach cost", "pathways", "pathway", name, cost, "$bn per GW") if cost.any() else [],
            )
        self._component(
            "signing_cost",
            -(signing * self.signed).sum(axis=1),
            lambda n: [f"-{cells[p][0][n]}*{self.worth.at(f'signed{p}', n)}" for p in self.deals],
        )
        paid = np.where(breached > 0, breach, 0.0) * breached
        self._component(
            "breach_cost",
            -paid.sum(axis=1),
            lambda n: [f"-{cells[p][1][n]}*{float(breached[n, p])!r}" for p in self.deals if paid[n, p] > 0],
        )

    def _signed(self, p: int, n: int) -> str:
        used, parent = self.worth.at(f"used{p}", n), int(self.facts.tree.parent[n])
        initial = float(sum(self.facts.initial[n, g] for g in self.pairs_of(p)))
        earlier = self.worth.at(f"used{p}", parent) if parent >= 0 else repr(initial)
        return f"{used}-{self.worth.at(f'keep{p}', n)}*{earlier}+{self.worth.at(f'back{p}', n)}"

    def _supply_money(self) -> None:
        facts, data, dt = self.facts, self.facts.data, self.facts.data.dt
        contracts = self.contracts
        priced = (facts.in_service * data.cost.T).sum(axis=1)
        self._component("contract_cost", -dt * priced, lambda n: _minus(f"{dt!r}*", contracts.times(contracts.cost, n)))
        fees = (facts.newly_cancelled * data.fee.T).sum(axis=1)
        self._component("cancellation_fees", -fees, lambda n: _minus("", contracts.times(contracts.fee, n)))
        idle = facts.of_nodes(data.idle_penalty)
        cells = [
            self._rate("idle penalty", "pools", "pool", name, idle[:, q], RATE) if idle[:, q].any() else None
            for q, name in enumerate(data.pools)
        ]
        self._component(
            "idle_penalty",
            -dt * (idle * self.idle).sum(axis=1),
            lambda n: [
                f"-{dt!r}*{cell[n]}*{self.allocation.ref(f'idle{q}', n)}" for q, cell in enumerate(cells) if cell
            ],
        )
        missed = facts.of_nodes(data.shortfall_penalty)
        penalties = [
            self._rate("shortfall penalty", "pathways", "pathway", name, missed[:, p], RATE)
            if data.target[p].any()
            else None
            for p, name in enumerate(data.pathways)
        ]
        self._component(
            "shortfall_penalty",
            -dt * (missed * self.shortfall).sum(axis=1),
            lambda n: [
                f"-{dt!r}*{cell[n]}*{self.worth.at(f'shortfall{p}', n)}" for p, cell in enumerate(penalties) if cell
            ],
        )
        if data.near:
            self._move_money()
        left = (facts.left * data.terminal_rate.T).sum(axis=1)
        leaf = facts.tree.period == facts.tree.periods - 1
        self.components["terminal"] = left
        tail = self._formulas(lambda n: contracts.times(contracts.tail, n) if leaf[n] else "")
        self.worth.add("terminal", Column("terminal (discounted)", "$bn", "bn", left, tail))

    def _move_money(self) -> None:
        """Add what each pathway has more and less than an earlier plan gave it, and what that costs."""
        facts, data = self.facts, self.facts.data
        kept = np.array([data.kept[p, q] for p, q in facts.pairs]).T
        kept = np.where(facts.of_pairs(data.eligible), kept, np.nan)
        apart = np.where(np.isnan(kept), 0.0, np.abs(self.allocate - kept))
        cost = np.full(facts.tree.size, data.move_cost)
        cell = self.inputs.cells("move cost", "", cost, RATE, ("economics", {}))[0]
        for p, name in enumerate(data.pathways):
            mine = self.pairs_of(p)
            formulas = self._formulas(
                lambda n, mine=mine: self._sum(  # type: ignore[misc]
                    [f"ABS({self.gw(g, n)}-{float(kept[n, g])!r})" for g in mine if not np.isnan(kept[n, g])]
                )
            )
            column = Column(f"{name} moved from the earlier plan", "GW", "gw", apart[:, mine].sum(axis=1), formulas)
            self.worth.add(f"moved{p}", column)
        self._component(
            "move_penalty",
            -data.dt * data.move_cost * apart.sum(axis=1),
            lambda n: [f"-{data.dt!r}*{cell}*{self.worth.at(f'moved{p}', n)}" for p in range(len(data.pathways))],
        )

    def _totals(self) -> None:
        """Add discounting, the worth of each node and of the path to it."""
        facts, worth, dt = self.facts, self.worth, self.facts.data.dt
        discount = facts.data.node_discount
        formulas = self._formulas(lambda n: f"(1+{self.rate})^-(({worth.at('period', n)}+0.5)*{dt!r})")
        worth.add("discount", Column("discount factor", "", "factor", discount, formulas))
        weights = [name for name in self.components if name in NOT_CASH and name != "terminal"]
        cash = [name for name in self.components if name not in NOT_CASH]
        flows = {name: self.components[name] for name in self.components if name != "terminal"}
        npv = discount * sum(flows[name] for name in cash)
        terms = [worth.letter[name] for name in cash]
        formulas = self._formulas(
            lambda n: f"{worth.at('discount', n)}*({'+'.join(f'{t}{n + worth.top + 1}' for t in terms)})"
        )
        worth.add("npv", Column("cash, discounted", "$bn", "bn", npv, formulas))
        self.npv = npv
        total = npv + discount * sum(flows[name] for name in weights) + self.components["terminal"]
        formulas = self._formulas(
            lambda n: (
                f"{worth.at('npv', n)}+{worth.at('discount', n)}*({'+'.join(worth.at(name, n) for name in weights)})"
                f"+{worth.at('terminal', n)}"
            )
        )
        worth.add("worth", Column("worth, discounted", "$bn", "bn", total, formulas))
        self.total = total
        along, above = total.copy(), facts.tree.parent
        for n in self.rows:
            if facts.tree.parent[n] >= 0:
                along[n] += along[facts.tree.parent[n]]
        self.along = along
        column = Column("worth of the path", "$bn", "bn", along)
        worth.add("path", column)
        column.formulas = self._formulas(
            lambda n: worth.at("worth", n) + (f"+{worth.at('path', int(above[n]))}" if above[n] >= 0 else "")
        )


def _minus(factor: str, term: str) -> list[str]:
    return [f"-{factor}{term}"] if term else []


def _members(facts: BookFacts) -> Any:
    """Return which pathway each pair belongs to, shape (G, P)."""
    return np.array([[float(p == of) for p in range(len(facts.data.pathways))] for of, _ in facts.pairs])
