"""The inputs that a workbook's formulas read: rates with their sources and grades, and tiers of value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np

from models.data import BoolArray
from models.tree import FloatArray
from optimizer.catalogue.tables import VALUE_FACTORS
from optimizer.show.workbook.facts import UNLIMITED, BookFacts
from optimizer.show.workbook.page import Column, Exported, Page, put, put_formula
from optimizer.spreadsheet.cells import letters

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
            page.add(head, Column(head, "as in unit" if head == "value" else "", look, [row[at] for row in self.rows]))
        page.add("row", Column("row", "", "whole", range(len(self.rows))))
        return page

    def cell(self, what: str, of: str, value: float, unit: str, stated: Told, holds: str = "") -> str:
        """Add one input and return its cell; `stated` is the table and the key of the row that it comes from."""
        self.rows.append([what, of, holds or "always", float(value), unit, *self._source(*stated)])
        return self.page_ref(len(self.rows) - 1)

    def page_ref(self, row: int) -> str:
        """Return the cell of the value in a row."""
        return f"{self.exported.sheet_name('inputs')}!$D${row + 5}"

    def cells(
        self, what: str, of: str, by_node: FloatArray, unit: str, stated: Told, there: BoolArray | None = None
    ) -> list[str]:
        """Add an input for each value that a rate has on the nodes (`there`), and return each one's cell."""
        nodes = np.arange(len(by_node)) if there is None else np.flatnonzero(there)
        values, first, which = np.unique(by_node[nodes], return_index=True, return_inverse=True)
        known = self.facts.timeline.known
        refs = [
            self.cell(what, of, value, unit, stated, known[nodes[at]] if len(values) > 1 else "")
            for value, at in zip(values.tolist(), first.tolist(), strict=True)
        ]
        return [refs[i] for i in which]

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
    formulas: list[tuple[str, str, str]] = field(default_factory=list)
    ranges: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """First and last row of the tiers of each pathway and node."""

    HEADS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("pathway", "", "text"),
        ("first used", "", "date"),
        ("known", "", "text"),
        ("tier", "", "whole"),
        ("width", "effective GW", "width_input"),
        ("value unrealised", "$bn per GW-year", "rate_input"),
        (FACTOR, "share", "factor"),
        ("from", "effective GW", "gw"),
        ("to", "effective GW", "width"),
        ("value", "$bn per GW-year", "rate"),
    )

    def __post_init__(self) -> None:
        data, facts = self.facts.data, self.facts
        for p, pathway in enumerate(data.pathways):
            realised = facts.value_factor[:, p]
            stated = ("pathways", {"pathway": pathway})
            cells = self.inputs.cells(FACTOR, pathway, realised, "share", stated)
            seen: dict[Any, tuple[int, int]] = {}
            for n in range(facts.tree.size):
                count = int(data.tiers[p, n])
                width = np.minimum(data.width[p, :count, n], UNLIMITED)
                key = (width.tobytes(), data.value[p, :count, n].tobytes(), cells[n])
                if key not in seen:
                    seen[key] = self._add(pathway, n, width, data.value[p, :count, n], realised[n], cells[n])
                self.ranges[p, n] = seen[key]

    def _add(
        self, pathway: str, node: int, width: FloatArray, value: FloatArray, realised: float, cell: str
    ) -> tuple[int, int]:
        first = len(self.rows)
        to = np.cumsum(width)
        raw = value / realised if realised else value
        for i in range(len(width)):
            row = len(self.rows) + 5
            begins = f"I{row - 1}" if i else "0"
            start = self.facts.starts[node]
            from_gw = float(to[i - 1]) if i else 0.0
            known = self.facts.timeline.known[node]
            figures = (float(width[i]), float(raw[i]), realised, from_gw, float(to[i]), float(value[i]))
            self.rows.append([pathway, start, known, i + 1, *figures])
            self.formulas.append((cell, begins, f"H{row}+E{row}"))
        return first, len(self.rows) - 1

    @property
    def page(self) -> Page:
        """The sheet of tiers."""
        note = "The first tier is filled first; tiers must not rise in value. A curve is a row of tiers: its chords."
        page = Page(self.exported, "tiers", "Tiers: what effective capacity earns", note)
        for at, (head, unit, look) in enumerate(self.HEADS):
            formulas = {
                FACTOR: [cells[0] for cells in self.formulas],
                "from": [cells[1] for cells in self.formulas],
                "to": [cells[2] for cells in self.formulas],
                "value": [f"F{row + 5}*G{row + 5}" for row in range(len(self.rows))],
            }.get(head)
            page.add(head, Column(head, unit, look, [row[at] for row in self.rows], formulas))
        page.add("row", Column("row", "", "whole", range(len(self.rows))))
        return page

    def earned(self, pathway: int, node: int, effective: str) -> str:
        """Return the formula of what effective GW in a cell earn in a year, $bn."""
        first, last = self.ranges[pathway, node]
        if last < first:
            return "0"
        page = self.page_name
        begins, to, value = (f"{page}!${c}${first + 5}:${c}${last + 5}" for c in "HIJ")
        return (
            f"SUMPRODUCT({value},({effective}>{begins})*({effective}-{begins})-({effective}>{to})*({effective}-{to}))"
        )

    @property
    def page_name(self) -> str:
        """Name of the sheet in formulas."""
        return self.exported.sheet_name("tiers")


@dataclass
class _Block:
    """First and last column, from 1, of GW that are priced alike: by their cost, their fee, their worth at the end."""

    first: int
    last: int


class Contracts:
    """GW by node and contract, one column for each price that a contract has in some future."""

    def __init__(self, facts: BookFacts, exported: Exported, inputs: Inputs, rate: str) -> None:
        self.facts, self.inputs, self.rate = facts, inputs, rate
        self._prices: dict[int, list[str]] = {}
        self._terminals: dict[int, list[str]] = {}
        note = "GW as planned, cancellations included; what a GW costs stands above, from the sheet of inputs."
        self.page = Page(exported, "contracts", "Contracts: GW by node and what they cost", note, top=5)
        tree = facts.tree
        self.page.add("node", Column("node", "", "whole", np.arange(tree.size)))
        self.page.add("start", Column("start", "", "date", facts.starts))
        self.page.add("known", Column("known", "", "text", facts.timeline.known))
        self.prices: list[tuple[str, float]] = [("", 0.0)] * 3
        self.cost = self._block("in service", facts.in_service, self._price)
        self.fee = self._block("cancelled", facts.newly_cancelled, self._fee)
        self.tail = self._block("left at the end", facts.left, self._tail)

    def _block(self, what: str, gw: FloatArray, price: Callable[[int], list[tuple[str, float]]]) -> _Block | None:
        first = len(self.page.columns) + 1
        for k, name in enumerate(self.facts.data.contracts):
            by_node = gw[:, k]
            if not by_node.any():
                continue
            priced = price(k)
            used = dict.fromkeys(priced[n] for n in np.flatnonzero(by_node))
            for number, kind in enumerate(used):
                held = np.array([of == kind for of in priced])
                label = f"{name} {what}" + (f" ({number + 1})" if len(used) > 1 else "")
                self.page.add(label, Column(label, "GW", "gw", np.where(held, by_node, 0.0)))
                self.prices.append(kind)
        last = len(self.page.columns)
        return _Block(first, last) if last >= first else None

    def _told(self, k: int) -> tuple[str, dict[str, str]]:
        return "contracts", {"contract": self.facts.timeline.contract_of[k]}

    def _price(self, k: int) -> list[tuple[str, float]]:
        name, cost = self.facts.data.contracts[k], self.facts.data.cost[k]
        if k not in self._prices:
            there = self.facts.data.delivered[k] > 0
            self._prices[k] = self._where(there, "contract price", name, cost, RATE, self._told(k))
        return list(zip(self._prices[k], cost.tolist(), strict=True))

    def _where(self, there: BoolArray, what: str, name: str, by_node: FloatArray, unit: str, stated: Told) -> list[str]:
        """Return the cells of a rate on the nodes where it counts, blank elsewhere."""
        cells = np.full(len(by_node), "", dtype=object)
        if there.any():
            cells[there] = self.inputs.cells(what, name, by_node, unit, stated, there)
        return [str(cell) for cell in cells]

    def _fee(self, k: int) -> list[tuple[str, float]]:
        name, fee = self.facts.data.contracts[k], self.facts.data.fee[k]
        stated = ("cancellations", {"contract": self.facts.timeline.contract_of[k]})
        cells = self._where(self.facts.data.window[k], "cancellation fee", name, fee, "$bn per GW", stated)
        return list(zip(cells, fee.tolist(), strict=True))

    def _tail(self, k: int) -> list[tuple[str, float]]:
        """Return what a GW left at the end is worth, less what it costs until its contract ends."""
        facts, data = self.facts, self.facts.data
        q = int(data.pool_of[k])
        pool = data.pools[q]
        worth = facts.terminal_value[:, q]
        if np.isnan(worth).all():
            return [("0", 0.0)] * facts.tree.size
        cells = self._terminal(q, pool, worth)
        dt, periods = data.dt, facts.tree.periods
        rows = []
        for n, (price, _) in enumerate(self._price(k)):
            m = int(facts.tail_periods[n, k])
            years = (
                f"IF({self.rate}=0,{m}*{dt!r},{dt!r}*(1+{self.rate})^-{(periods + 0.5) * dt!r}"
                f"*(1-(1+{self.rate})^-{m * dt!r})/(1-(1+{self.rate})^-{dt!r}))"
            )
            formula = f"({cells[n]}-{price})*{years}" if m and price and cells[n] else "0"
            rows.append((formula, float(data.terminal_rate[k, n])))
        return rows

    def _terminal(self, q: int, pool: str, worth: FloatArray) -> list[str]:
        if q not in self._terminals:
            stated = ("pools", {"pool": pool})
            self._terminals[q] = self._where(~np.isnan(worth), "terminal value", pool, worth, RATE, stated)
        return self._terminals[q]

    def times(self, block: _Block | None, node: int) -> str:
        """Return the formula of a node's GW times what a GW costs or is worth; blank where there are none."""
        if block is None:
            return ""
        row, head = node + self.page.top + 1, self.page.top - 2
        first, last, sheet = letters(block.first), letters(block.last), self.page.sheet
        return f"SUMPRODUCT({sheet}!${first}${head}:${last}${head},{sheet}!${first}${row}:${last}${row})"

    def write(self) -> None:
        """Write the sheet, with what a GW costs above each column."""
        sheet: Any = self.page.write(frozen=3)
        look = self.page.exported.formats["rate"]
        row = self.page.top - 3
        put(sheet, row, 2, "$bn per GW(-year)", self.page.exported.formats["unit"])
        for at, (formula, value) in enumerate(self.prices):
            if formula:
                put_formula(sheet, row, at, formula, value, look)
