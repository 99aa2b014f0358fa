"""The inputs that a workbook's formulas read: rates with their sources and grades, and tiers of value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np

from gwplan.catalogue.tables import VALUE_FACTORS
from gwplan.models.data import BoolArray
from gwplan.models.tree import FloatArray
from gwplan.show.workbook.facts import UNLIMITED, BookFacts
from gwplan.show.workbook.formulas import Formulas, literals
from gwplan.show.workbook.page import PRINTED, TOP, Exported, Page, put, put_formula
from gwplan.spreadsheet.cells import letters

RATE: Final = "$bn per GW-year"
FACTOR: Final = " x ".join(VALUE_FACTORS)

HEADS: Final = ("what", "of", "holds", "value", "unit", "source", "grade", "note")

Told = tuple[str, dict[str, str]]
"""Table and key of the row of the instance that an input comes from."""


@dataclass
class Inputs:
    """Rates of the workbook, one row for each value that a rate has in some future."""

    facts: BookFacts
    exported: Exported
    rows: list[list[Any]] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The sheet of inputs."""
        note = "Overtype a yellow cell and the worth follows. Grades: reported, estimate, scenario, assumption."
        page = Page(self.exported, "inputs", "Inputs: what the plan is priced with", note)
        for at, head in enumerate(HEADS):
            look = "rate_input" if head == "value" else "wrap" if head in ("source", "note") else "text"
            page.add(head, head, "as in unit" if head == "value" else "", look, [row[at] for row in self.rows])
        page.add("row", "row", "", "whole", range(len(self.rows)))
        return page

    def cell(self, what: str, of: str, value: float, unit: str, stated: Told, holds: str = "") -> str:
        """Add one input and return its cell; `stated` is the table and the key of the row that it comes from."""
        self.rows.append([what, of, holds or "always", float(value), unit, *self._source(*stated)])
        return self.page_ref(len(self.rows) - 1)

    def page_ref(self, row: int) -> str:
        """Return the cell of the value in a row."""
        return f"{self.exported.sheet_name('inputs')}!$D${row + 5}"

    def cells(
        self,
        what: str,
        of: str,
        by_node: FloatArray,
        unit: str,
        stated: Told,
        there: BoolArray | np.bool_ | bool = True,
        *,
        since: bool = False,
    ) -> Formulas:
        """Add an input for each value that a rate has on the nodes where it counts, and return its cell on each.

        With `since` a value is told by the first of these nodes.
        """
        nodes = np.flatnonzero(np.broadcast_to(there, len(by_node)))
        values, first, which = np.unique(by_node[nodes], return_index=True, return_inverse=True)
        known, starts = self.facts.timeline.known, self.facts.starts
        holds = [
            f"from {starts[n]:%Y-%m-%d}{f', {known[n]}' if known[n] else ''}" if since else known[n] for n in nodes
        ]
        refs = [
            self.cell(what, of, value, unit, stated, holds[at] if len(values) > 1 else "")
            for value, at in zip(values.tolist(), first.tolist(), strict=True)
        ]
        rates, texts = np.zeros(len(by_node)), [""] * len(by_node)
        for n, i in zip(nodes, which, strict=True):
            rates[n], texts[n] = by_node[n], refs[i]
        return Formulas(rates, texts)

    def dated(self, what: str, of: str, by_node: FloatArray, unit: str, stated: Told, there: BoolArray) -> Formulas:
        """Add the inputs of a limit that is stated by date, as `cells`; each says from when it holds."""
        return self.cells(what, of, by_node, unit, stated, there, since=True)

    def _source(self, table: str, key: dict[str, str]) -> list[str]:
        frame = self.facts.run.instance.tables[table]
        if "source" not in frame:
            return ["", "", ""]
        chosen = np.ones(len(frame), dtype=bool)
        for column, value in key.items():
            chosen &= (frame[column] == value).to_numpy()
        rows = frame[chosen]
        if not len(rows):
            return ["", "", "default"]
        return [str(rows[column].iloc[0]) for column in ("source", "status", "note")]


@dataclass
class Tiers:
    """What pathways earn: every set of tiers that is in force somewhere, and which one holds on which node."""

    facts: BookFacts
    exported: Exported
    inputs: Inputs
    rows: list[list[Any]] = field(default_factory=list)
    factors: list[tuple[float, str]] = field(default_factory=list)
    """What each tier's value is multiplied by, and the cell that holds it."""
    ranges: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """First and last row of the tiers of each pathway and node."""

    HEADS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("pathway", "", "text"),
        ("first used", "", "date"),
        ("known", "", "text"),
        ("tier", "", "whole"),
        ("width", "effective GW", "width_input"),
        ("value unrealised", "$bn per GW-year", "rate_input"),
    )

    def __post_init__(self) -> None:
        data, facts = self.facts.data, self.facts
        for p, pathway in enumerate(data.pathways):
            stated = ("pathways", {"pathway": pathway})
            realised = self.inputs.cells(FACTOR, pathway, facts.value_factor[:, p], "share", stated)
            seen: dict[Any, tuple[int, int]] = {}
            for n, (factor, cell) in enumerate(zip(realised.values.tolist(), realised.texts, strict=True)):
                count = int(data.tiers[p, n])
                width = np.minimum(data.width[p, :count, n], UNLIMITED)
                value = data.value[p, :count, n]
                key = (width.tobytes(), value.tobytes(), cell)
                if key not in seen:
                    first, known = len(self.rows), facts.timeline.known[n]
                    raw = value / factor if factor else value
                    for tier, figures in enumerate(zip(width.tolist(), raw.tolist(), strict=True), start=1):
                        self.rows.append([pathway, facts.starts[n], known, tier, *figures])
                        self.factors.append((factor, cell))
                    seen[key] = first, len(self.rows) - 1
                self.ranges[p, n] = seen[key]
        self.page = self._page()

    def _page(self) -> Page:
        """Return the sheet of tiers."""
        note = "The first tier is filled first; tiers must not rise in value. A curve is a row of tiers: its chords."
        page = Page(self.exported, "tiers", "Tiers: what effective capacity earns", note)
        for at, (head, unit, look) in enumerate(self.HEADS):
            page.add(head, head, unit, look, [row[at] for row in self.rows])
        factors = Formulas(np.array([value for value, _ in self.factors]), [cell for _, cell in self.factors])
        page.add(FACTOR, FACTOR, "share", "factor", factors)
        begins = np.zeros(len(self.rows))
        for row in np.flatnonzero(page.at("tier").values > 1):
            begins[row] = begins[row - 1] + self.rows[row - 1][4]
        texts = [f"I{row + TOP}" if tier > 1 else "0" for row, tier in enumerate(page.at("tier").values)]
        page.add("from", "from", "effective GW", "gw", Formulas(begins, texts))
        page.add("to", "to", "effective GW", "width", page.at("from") + page.at("width"))
        page.add("value", "value", "$bn per GW-year", "rate", page.at("value unrealised") * page.at(FACTOR))
        page.add("row", "row", "", "whole", range(len(self.rows)))
        return page

    def earned(self, pathway: int, effective: Formulas) -> Formulas:
        """Return what effective GW earn in a year on each node, $bn."""
        values, texts = np.zeros(len(effective.values)), []
        columns = [self.page.ref(key) for key in ("value", "from", "to")]
        for n, (gw, cell) in enumerate(zip(effective.values, effective.texts, strict=True)):
            first, last = self.ranges[pathway, n]
            if last < first:
                texts.append("0")
                continue
            value, begins, to = (column.values[first : last + 1] for column in columns)
            values[n] = value @ ((gw > begins) * (gw - begins) - (gw > to) * (gw - to))
            each, low, high = (column.span(first, last) for column in columns)
            texts.append(f"SUMPRODUCT({each},({cell}>{low})*({cell}-{low})-({cell}>{high})*({cell}-{high}))")
        return Formulas(values, texts)


class Contracts:
    """GW by node and contract, one column for each price that a contract has in some future."""

    def __init__(self, facts: BookFacts, exported: Exported, inputs: Inputs, rate: str, year: str) -> None:
        self.facts, self.inputs, self.rate, self.year = facts, inputs, rate, year
        self._prices: dict[int, Formulas] = {}
        self._terminals: dict[int, Formulas] = {}
        note = (
            "GW as planned, cancellations included; what a GW costs stands above, from the sheet of inputs. Billed, "
            "prepaid, arriving: GW, or GW-years, that at this price come to what the contract's terms ask for."
        )
        self.page = Page(exported, "contracts", "Contracts: GW by node and what they cost", note, top=5)
        tree = facts.tree
        self.page.add("node", "node", "", "whole", np.arange(tree.size))
        self.page.add("start", "start", "", "date", facts.starts)
        self.page.add("known", "known", "", "text", facts.timeline.known)
        self.prices: list[tuple[str, float]] = [("", 0.0)] * 3
        data = facts.data
        served = np.where(facts.risen, "billed", np.where(data.sold, "sold", "in service")).tolist()
        self.cost = self._block(served, data.contracts, facts.billed * ~data.sold, self._price)
        self.sales = self._block(served, data.contracts, facts.billed * data.sold, self._price)
        self.fee = self._block("cancelled", data.ways_out, facts.newly_cancelled, self._fee)
        self.signing = self._block("signed", data.offers, facts.newly_signed, self._signing)
        decided = facts.run.plan.decided
        if data.dated:
            side = data.side[:, None]
            prepaid, arriving = facts.at_cost(side * decided.prepaid), side * decided.upfront
            arriving = np.divide(arriving, facts.upfront, out=np.zeros_like(arriving), where=facts.upfront > 0)
            self.prepaid = self._block("prepaid", data.contracts, prepaid, self._price)
            self.upfront = self._block("arriving", data.contracts, arriving.T, self._upfront)
        late = np.divide(decided.late, facts.late_credit, out=np.zeros_like(decided.late), where=facts.late_credit > 0)
        self.credit = self._block("not there", data.contracts, (decided.unserved - late).T, self._credit)
        self.tail = self._block("left at the end", data.contracts, self._left(), self._tail)

    def _left(self) -> FloatArray:
        """Return GW at the end, shape (N, K); of what arrives later or was signed at several prices 1 for all of it."""
        facts = self.facts
        later = np.where(facts.run.plan.decided.terminal != 0, 1.0, 0.0).T
        return np.where(facts.simple_tail, facts.left, later)

    def _block(
        self, what: str | list[str], names: tuple[str, ...], gw: FloatArray, price: Callable[[int], Formulas]
    ) -> Formulas:
        """Add GW by contract and price; return what they cost or are worth on each node, a blank without any."""
        page, money = self.page, np.zeros(len(gw))
        first = len(page.columns) + 1
        for k, name in enumerate(names):
            by_node = gw[:, k]
            if not by_node.any():
                continue
            priced = price(k)
            money += by_node * priced.values
            kinds = list(zip(priced.texts, priced.values.tolist(), strict=True))
            used = dict.fromkeys(kinds[n] for n in np.flatnonzero(by_node))
            for number, kind in enumerate(used):
                held = np.array([of == kind for of in kinds])
                label = f"{name} {what if isinstance(what, str) else what[k]}" + (
                    f" ({number + 1})" if len(used) > 1 else ""
                )
                page.add(label, label, "GW", "gw", np.where(held, by_node, 0.0))
                self.prices.append(kind)
        if len(page.columns) < first:
            return Formulas(money, [""] * len(money))
        begins, ends = (f"{page.sheet}!${letters(first)}$", f":${letters(len(page.columns))}$")
        prices = f"{begins}{page.top - 2}{ends}{page.top - 2}"
        rows = range(page.top + 1, page.top + 1 + len(money))
        return Formulas(money, [f"SUMPRODUCT({prices},{begins}{row}{ends}{row})" for row in rows])

    def _price(self, k: int) -> Formulas:
        if k not in self._prices:
            name, data = self.facts.data.contracts[k], self.facts.data
            there = (data.delivered[k] > 0) | (self.facts.run.plan.decided.prepaid[k] != 0)
            price = np.where(self.facts.risen[k] | (data.delivered[k] == 0), self.facts.cost[k], self.facts.price[k])
            self._prices[k] = self.inputs.cells("contract price", name, price, RATE, self._contract(k), there)
        return self._prices[k]

    def _contract(self, k: int, table: str = "contracts") -> Told:
        return table, {"contract": self.facts.timeline.contract_of[k]}

    def _fee(self, k: int) -> Formulas:
        facts, data = self.facts, self.facts.data
        fee = facts.per_gw(data.fee, data.way_out_of)[k]
        stated = self._contract(data.way_out_of[k], "cancellations")
        return self.inputs.cells("cancellation fee", data.ways_out[k], fee, "$bn per GW", stated, data.window[k])

    def _signing(self, k: int) -> Formulas:
        facts, data = self.facts, self.facts.data
        cost = facts.per_gw(data.signing_fee, data.offer_of)[k]
        stated = self._contract(data.offer_of[k], "offers")
        return self.inputs.cells("signing cost", data.offers[k], cost, "$bn per GW", stated, data.offered[k])

    def _credit(self, k: int) -> Formulas:
        name, credit = self.facts.data.contracts[k], self.facts.late_credit[k]
        return self.inputs.cells("late credit", name, credit, RATE, self._contract(k), credit > 0)

    def _upfront(self, k: int) -> Formulas:
        name, rate = self.facts.data.contracts[k], self.facts.upfront[k]
        return self.inputs.cells("paid upfront", name, rate, "$bn per GW", self._contract(k, "deliveries"), rate > 0)

    def _tail(self, k: int) -> Formulas:
        """Return what a GW left at the end is worth, less what it costs until its contract ends."""
        facts, data = self.facts, self.facts.data
        if not facts.simple_tail[k]:
            return literals(facts.run.plan.decided.terminal[k])
        q = int(data.pool_of[k])
        worth = facts.terminal_value[:, q]
        if np.isnan(worth).all():
            return Formulas(np.zeros(len(worth)), ["0"] * len(worth))
        if q not in self._terminals:
            pool, there = data.pools[q], ~np.isnan(worth)
            stated = ("pools", {"pool": pool})
            self._terminals[q] = self.inputs.cells("terminal value", pool, worth, RATE, stated, there)
        dt, periods = self.year, facts.tree.periods
        texts = []
        for n, (price, value) in enumerate(zip(self._price(k).texts, self._terminals[q].texts, strict=True)):
            m = int(facts.tail_periods[n, k])
            years = (
                f"IF({self.rate}=0,{m}*{dt},{dt}*(1+{self.rate})^-({periods + 0.5!r}*{dt})"
                f"*(1-(1+{self.rate})^-({m}*{dt}))/(1-(1+{self.rate})^-{dt}))"
            )
            texts.append(f"({value}-{price})*{years}" if m and price and value else "0")
        return Formulas(facts.tail_rate[k], texts)

    def write(self) -> None:
        """Write the sheet, with what a GW costs above each column."""
        sheet: Any = self.page.write(frozen=3, printed=PRINTED)
        look = self.page.exported.formats["rate"]
        row = self.page.top - 3
        put(sheet, row, 2, "$bn per GW(-year)", self.page.exported.formats["unit"])
        for at, (formula, value) in enumerate(self.prices):
            if formula:
                put_formula(sheet, row, at, formula, value, look)
