"""The heart of the workbook: the allocation to overtype, what it leaves and breaks, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gwplan.catalogue.limits import LIMITS
from gwplan.catalogue.money import NOT_CASH
from gwplan.catalogue.tables import TABLES
from gwplan.models.data import BoolArray
from gwplan.models.tree import FloatArray
from gwplan.show.workbook.facts import BookFacts
from gwplan.show.workbook.formulas import Formulas, literals, total
from gwplan.show.workbook.inputs import RATE, Contracts, Inputs, Tiers
from gwplan.show.workbook.page import LONGEST_FORMULA, Exported, Page

Slacks = dict[str, list[int]]
"""Column of what is left of each limit, and the pairs that it concerns."""


def node_columns(page: Page, facts: BookFacts) -> None:
    """Add the columns that name a node."""
    tree = facts.tree
    page.add("node", "node", "", "whole", np.arange(tree.size))
    page.add("period", "period", "", "whole", tree.period)
    page.add("start", "start", "", "date", facts.starts)
    page.add("known", "known", "", "text", facts.timeline.known)
    page.add("probability", "probability", "share", "factor", tree.probability)


class Nodes:
    """The sheets ``allocation`` and ``worth``; a row of each is the same node of the scenario tree."""

    def __init__(self, facts: BookFacts, exported: Exported, inputs: Inputs) -> None:
        self.facts, self.exported, self.inputs = facts, exported, inputs
        self.data, self.tree = facts.data, facts.tree
        rate = facts.run.instance.discount_rate
        self.rate = inputs.cell("discount rate", "", rate, "per year", ("economics", {}))
        exported.define("discount_rate", self.rate)
        self.year = inputs.cell("period length", "", self.data.dt, "years", ("calendar", {}))
        exported.define("period_years", self.year)
        self.dt = self.years(self.tree.size)
        self.tiers = Tiers(facts, exported, inputs)
        self.contracts = Contracts(facts, exported, inputs, self.rate, self.year)
        note = (
            "Overtype a yellow cell: idle GW, what is left of each limit (negative: broken, red) and worth follow. "
            "Notices and breaches stay as planned; deals signed follow from the allocation."
        )
        self.allocation = Page(exported, "allocation", "Allocation: GW by node, pathway and pool", note)
        note = "Worth of the allocation, node by node, in $bn of the period; costs are negative."
        self.worth = Page(exported, "worth", "Worth: what each node of the scenario tree earns and costs", note)
        node_columns(self.allocation, facts)
        node_columns(self.worth, facts)
        self.gw = [
            self.allocation.add(f"gw{g}", facts.pair_name(pair), "GW", "gw_input", facts.allocate[:, g])
            for g, pair in enumerate(facts.pairs)
        ]
        self.initial = [self._initial(g) for g in range(len(facts.pairs))]
        self.components: list[str] = []
        self._use()
        self._pools()
        self._values()
        self._pair_money()
        self._deal_money()
        self._supply_money()
        self._penalties()
        if self.data.near:
            self._move_money()
        tail = self.contracts.tail.where(self.tree.period == self.tree.periods - 1)
        self.worth.add("terminal", "terminal (discounted)", "$bn", "bn", tail)
        self._totals()

    def pairs_of(self, p: int) -> list[int]:
        """Return the pairs of a pathway."""
        return [g for g, pair in enumerate(self.facts.pairs) if pair[0] == p]

    def sum(self, terms: Iterable[Formulas]) -> Formulas:
        """Return the sum of some terms on each node."""
        return total(terms, self.tree.size)

    def years(self, rows: int) -> Formulas:
        """Return the length of a period in years, an input, on so many rows."""
        return Formulas(np.full(rows, self.data.dt), [self.year] * rows)

    def before(self, p: int, used: Formulas) -> Formulas:
        """Return the GW that a pathway used one period earlier."""
        return used.on(self.tree.parent, self.sum(self.initial[g] for g in self.pairs_of(p)))

    def _initial(self, g: int) -> Formulas:
        """Return the GW of a pair before the start, which count at the roots."""
        gw, roots = self.facts.initial[:, g], self.tree.parent < 0
        return self._pair_rate("GW before the start", g, gw, "GW", roots & (gw != 0))

    def _pair_rate(
        self, what: str, g: int, by_node: FloatArray, unit: str, there: BoolArray | np.bool_ | bool = True
    ) -> Formulas:
        p, q = self.facts.pairs[g]
        stated = ("eligibility", {"pathway": self.data.pathways[p], "pool": self.data.pools[q]})
        return self.inputs.cells(what, self.facts.pair_name((p, q)), by_node, unit, stated, there)

    def _effectiveness(self, g: int, unit: str) -> Formulas:
        p, q = self.facts.pairs[g]
        key = {"pathway": self.data.pathways[p], "pool": self.data.pools[q]}
        table = self.facts.run.instance.tables["effectiveness"]
        dated = bool(((table["pathway"] == key["pathway"]) & (table["pool"] == key["pool"])).any())
        stated = ("effectiveness" if dated else "eligibility", key)
        by_node = self.data.effectiveness[p, q]
        return self.inputs.cells("effectiveness", self.facts.pair_name((p, q)), by_node, unit, stated, since=dated)

    def _pathway_rate(
        self, what: str, p: int, by_node: FloatArray, unit: str, there: np.bool_ | bool = True
    ) -> Formulas:
        name = self.data.pathways[p]
        return self.inputs.cells(what, name, by_node, unit, ("pathways", {"pathway": name}), there)

    def _use(self) -> None:
        """Add GW used and effective GW of each pathway to the sheet of worth."""
        for p, name in enumerate(self.data.pathways):
            pairs, unit = self.pairs_of(p), "effective GW per GW"
            effective = [self.gw[g] * self._effectiveness(g, unit) for g in pairs]
            self.worth.add(f"used{p}", f"{name} used", "GW", "gw", self.sum(self.gw[g] for g in pairs))
            self.worth.add(f"effective{p}", f"{name} effective", "effective GW", "gw", self.sum(effective))

    def _pools(self) -> None:
        """Add available GW of each pool to the sheet of worth and idle GW to the allocation."""
        supply = self.facts.run.tables["supply"]
        for q, name in enumerate(self.data.pools):
            rows = supply[supply["pool"] == name].sort_values("node")
            sold = rows["sold_gw"] - rows["unserved_gw"]
            gw = (rows["delivered_gw"] - rows["cancelled_gw"] - sold).to_numpy()
            available = self.worth.add(f"available{q}", f"{name} available", "GW", "gw", gw)
            used = [-self.gw[g] for g, pair in enumerate(self.facts.pairs) if pair[1] == q]
            self.allocation.add(f"idle{q}", f"{name} idle", "GW", "gw", self.sum([available, *used]))

    def component(self, name: str, terms: Iterable[Formulas]) -> None:
        """Add an amount of money, $bn of the period, that is the sum of some terms."""
        self.components.append(name)
        self.worth.add(name, name.replace("_", " "), "$bn", "bn", self.sum(terms))

    def _values(self) -> None:
        """Add what each pathway earns, and what it has less than its target."""
        worth, dt = self.worth, self.dt
        for p, name in enumerate(self.data.pathways):
            effective, target = worth.at(f"effective{p}"), self.data.target[p]
            worth.add(f"value{p}", f"{name} value", "$bn", "bn", dt * self.tiers.earned(p, effective))
            if target.any():
                stated = ("demand", {"pathway": name})
                cells = self.inputs.dated("target", name, target, "effective GW", stated, target > 0)
                worth.add(f"target{p}", f"{name} target", "effective GW", "gw", cells)
                missing = (worth.at(f"target{p}") - effective).positive()
                worth.add(f"shortfall{p}", f"{name} shortfall", "effective GW", "gw", missing)
        self.component("value", [worth.at(f"value{p}") for p in range(len(self.data.pathways))])

    def _pair_money(self) -> None:
        """Add what running pairs and moving onto them cost."""
        facts, data = self.facts, self.data
        operating, migration = facts.of_pairs(data.operating_cost), facts.of_nodes(data.migration_cost)
        costs = [self._pair_rate("operating cost", g, cost, RATE, cost.any()) for g, cost in enumerate(operating.T)]
        self._by_pair("operating_cost", [-self.dt * gw * cost for gw, cost in zip(self.gw, costs, strict=True)])
        costs = [
            self._pathway_rate("migration cost", p, cost, "$bn per GW", cost.any())
            for p, cost in enumerate(migration.T)
        ]
        more = [gw - gw.on(self.tree.parent, self.initial[g]) for g, gw in enumerate(self.gw)]
        moved = [-costs[p] * gw.positive() for (p, _), gw in zip(facts.pairs, more, strict=True)]
        self._by_pair("migration_cost", moved)

    def _by_pair(self, name: str, terms: list[Formulas]) -> None:
        """Add a component that is a sum over pairs: pathway by pathway first where one formula could not hold it."""
        if max(sum(map(len, texts)) for texts in zip(*(term.texts for term in terms), strict=True)) < LONGEST_FORMULA:
            self.component(name, terms)
            return
        for p, pathway in enumerate(self.data.pathways):
            head, mine = f"{pathway} {name.replace('_', ' ')}", self.sum(terms[g] for g in self.pairs_of(p))
            self.worth.add(f"{name}{p}", head, "$bn", "bn", mine)
        self.component(name, [self.worth.at(f"{name}{p}") for p in range(len(self.data.pathways))])

    def _deal_money(self) -> None:
        """Add deals signed, which follow from the allocation, and what signing and breach cost."""
        facts, data, worth = self.facts, self.data, self.worth
        self.deals = [p for p in range(len(data.pathways)) if data.deal[p].any()]
        returned, breached = facts.deals("returned_gw"), facts.deals("breached_gw")
        signing, breach = facts.of_nodes(data.signing_cost), facts.of_nodes(data.breach_cost)
        signed, paid = [], []
        for p in self.deals:
            name, there = data.pathways[p], data.deal[p][self.tree.root]
            worth.add(f"keep{p}", f"{name} kept after churn", "share", "factor", data.keep[p])
            back = returned[:, p] + breached[:, p]
            worth.add(f"back{p}", f"{name} back by notice or breach", "GW", "gw", back)
            used, keep = worth.at(f"used{p}"), worth.at(f"keep{p}")
            new = (used - keep * self.before(p, used) + worth.at(f"back{p}")).where(there)
            worth.add(f"signed{p}", f"{name} signed", "GW", "gw", new)
            signed.append(-self._pathway_rate("signing cost", p, signing[:, p], "$bn per GW") * worth.at(f"signed{p}"))
            gw = breached[:, p]
            cost = np.where(gw > 0, breach[:, p], 0.0)
            rate = self._pathway_rate("breach cost", p, cost, "$bn per GW", cost.any())
            paid.append((-rate * gw).where(cost * gw > 0))
        self.component("signing_cost", signed)
        self.component("breach_cost", paid)

    def _supply_money(self) -> None:
        """Add what contracts and ways out of them cost, and what is sold earns."""
        contracts, dt = self.contracts, self.dt
        self.component("contract_cost", [-dt * contracts.cost])
        self.component("cancellation_fees", [-contracts.fee])
        if len(self.data.offers) or self.data.sold.any():
            self.component("sales", [dt * contracts.sales])
            self.component("offer_cost", [-contracts.signing])
        if self.data.dated:
            self.component("prepayments", [-contracts.prepaid])
            self.component("upfront", [-contracts.upfront])
        if len(self.data.offers) or self.data.sold.any() or self.data.dated:
            self.component("late_credit", [-dt * contracts.credit])

    def _penalties(self) -> None:
        """Add what idle GW and missed targets cost."""
        data, dt, idle = self.data, self.dt, self.facts.of_nodes(self.data.idle_penalty)
        terms = []
        for q, name in enumerate(data.pools):
            stated = ("pools", {"pool": name})
            rate = self.inputs.cells("idle penalty", name, idle[:, q], RATE, stated, idle[:, q].any())
            terms.append(-dt * rate * self.allocation.ref(f"idle{q}"))
        self.component("idle_penalty", terms)
        missed = self.facts.of_nodes(data.shortfall_penalty)
        self.component(
            "shortfall_penalty",
            [
                -dt * self._pathway_rate("shortfall penalty", p, missed[:, p], RATE) * self.worth.at(f"shortfall{p}")
                for p in range(len(data.pathways))
                if data.target[p].any()
            ],
        )

    def _move_money(self) -> None:
        """Add what each pathway has more and less than an earlier plan gave it, and what that costs."""
        data = self.data
        kept = np.array([data.kept[p, q] for p, q in self.facts.pairs]).T
        kept = np.where(self.facts.of_pairs(data.eligible), kept, np.nan)
        cost = np.full(self.tree.size, data.move_cost)
        rate = self.inputs.cells("move cost", "", cost, RATE, ("economics", {}))
        apart = [abs(gw - kept[:, g]).where(~np.isnan(kept[:, g])) for g, gw in enumerate(self.gw)]
        for p, name in enumerate(data.pathways):
            moved = self.sum(apart[g] for g in self.pairs_of(p))
            self.worth.add(f"moved{p}", f"{name} moved from the earlier plan", "GW", "gw", moved)
        self.component(
            "move_penalty", [-self.dt * rate * self.worth.at(f"moved{p}") for p in range(len(data.pathways))]
        )

    def _totals(self) -> None:
        """Add discounting, the worth of each node and of the path to it."""
        worth, parent = self.worth, self.tree.parent
        factors = [f"(1+{self.rate})^-(({period}+0.5)*{self.year})" for period in worth.at("period").texts]
        worth.add("discount", "discount factor", "", "factor", Formulas(self.data.node_discount, factors))
        discount = worth.at("discount")
        cash = self.sum(worth.at(name) for name in self.components if name not in NOT_CASH)
        weights = self.sum(worth.at(name) for name in self.components if name in NOT_CASH)
        worth.add("npv", "cash, discounted", "$bn", "bn", discount * cash)
        whole = worth.at("npv") + discount * weights + worth.at("terminal")
        along = worth.add("worth", "worth, discounted", "$bn", "bn", whole).values.copy()
        for n in range(self.tree.size):
            along[n] += along[parent[n]] if parent[n] >= 0 else 0.0
        worth.add("path", "worth of the path", "$bn", "bn", along)
        worth.columns["path"].formulas = (worth.at("worth") + worth.at("path").on(parent)).texts


class _Limits:
    """Adds what an allocation leaves of every limit beside the allocation: negative where it breaks one."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes, self.facts, self.data = nodes, nodes.facts, nodes.facts.data
        self.slacks: Slacks = {}

    def add(self, key: str, head: str, unit: str, left: Formulas, pairs: list[int]) -> None:
        """Add a column; a row without the limit is blank (nan)."""
        if not np.isnan(left.values).all():
            self.nodes.allocation.add(key, head, unit, "gw", left)
            self.slacks[key] = pairs

    def beside(self, row: str, at: str, name: str, gw: Formulas, bound: FloatArray, pairs: list[int]) -> None:
        """Add what GW leave of a limit of the catalogue, which is an input; no limit: not finite."""
        limit, there = LIMITS[row], np.isfinite(bound)
        if not there.any():
            return
        unit, what = TABLES[limit.table][limit.column].unit, f"{limit.name} {limit.side}".strip()
        key = {"pathway": self.data.pathways[int(at.partition("-")[0])]}
        cells = self.nodes.inputs.dated(what, name, bound, unit, (limit.table, key), there)
        left = (gw - cells if limit.sign > 0 else cells - gw).where(there, np.nan)
        head = f"{name} {'above' if limit.sign > 0 else 'below'} {limit.name}"
        self.add(f"{limit.kind}{at}", head, unit, left, pairs)

    def pathway(self, p: int) -> None:
        """Add what is left of a pathway's floor, cap, ramp and term."""
        data, worth, name = self.data, self.nodes.worth, self.data.pathways[p]
        root, pairs = self.facts.tree.root, self.nodes.pairs_of(p)
        floor = np.where(data.floor[p] > 0, data.floor[p], np.nan)
        used = worth.ref(f"used{p}")
        self.beside("floor_met", f"{p}", name, worth.ref(f"effective{p}"), floor, pairs)
        self.beside("cap_kept", f"{p}", name, used, data.cap[p], pairs)
        rate = data.ramp[p][root]
        stated = ("pathways", {"pathway": name})
        ramp = self.nodes.inputs.cells("ramp", name, rate, "GW per period", stated, np.isfinite(rate))
        slack = ramp - (used - self.nodes.before(p, used))
        if p in self.nodes.deals:
            slack = slack.where(~data.deal[p][root], ramp - worth.ref(f"signed{p}"))
        self.add(f"ramp{p}", f"{name} below ramp", "GW per period", slack.where(np.isfinite(rate), np.nan), pairs)
        if p in self.nodes.deals:
            self.add(f"signed{p}", f"{name} deals signed", "GW", worth.ref(f"signed{p}"), pairs)
            self.add(f"term{p}", f"{name} beyond running terms", "GW", used - self._running(p), pairs)

    def _running(self, p: int) -> Formulas:
        """Return what is in force of the deals whose term still runs."""
        tree, parent = self.facts.tree, self.facts.tree.parent
        breached, term = self.facts.deals("breached_gw")[:, p], self.data.term[p][tree.root]
        signed = self.nodes.worth.ref(f"signed{p}")
        firm = signed - literals(breached).where(breached != 0)
        above, kept, terms = np.arange(tree.size), np.ones(tree.size), []
        for lag in range(int(term.max())):
            terms.append((kept * firm.on(above)).where(lag < term))
            kept = kept * self.data.keep[p][above]
            above = np.where(above >= 0, parent[above], -1)
        return self.nodes.sum(terms)

    def locks(self) -> None:
        """Add what is left of the planner's locks, on pairs and on a pathway's sum."""
        data, nodes, facts = self.data, self.nodes, self.facts
        total_gw = len(data.pools)
        for p, name in enumerate(data.pathways):
            for q in range(total_gw + 1):
                on_pair = q < total_gw
                if on_pair and (p, q) not in facts.pairs:
                    continue
                pairs = [facts.pairs.index((p, q))] if on_pair else nodes.pairs_of(p)
                gw, label = nodes.sum(nodes.gw[g] for g in pairs), facts.pair_name((p, q)) if on_pair else name
                self.beside("lock_least", f"{p}-{q}", label, gw, data.lock_least[p, q], pairs)
                self.beside("lock_most", f"{p}-{q}", label, gw, data.lock_most[p, q], pairs)


def add_limits(nodes: Nodes) -> Slacks:
    """Add columns of what is left of limits to the allocation and return which pairs each concerns."""
    limits = _Limits(nodes)
    for q in range(len(nodes.data.pools)):
        limits.slacks[f"idle{q}"] = [g for g, pair in enumerate(nodes.facts.pairs) if pair[1] == q]
    for p in range(len(nodes.data.pathways)):
        limits.pathway(p)
    limits.locks()
    return limits.slacks
