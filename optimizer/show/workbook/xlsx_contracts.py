"""The contracts of a workbook: GW in service, cancelled and left at the end, by node, below their prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.data import BoolArray
from models.tree import FloatArray
from optimizer.show.workbook.facts import BookFacts
from optimizer.show.workbook.inputs import RATE, Inputs, Told
from optimizer.show.workbook.page import Column, Exported, Page, put, put_formula
from optimizer.spreadsheet.cells import letters


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

    def _where(self, there: BoolArray, what: str, name: str, by_node: FloatArray, unit: str, told: Told) -> list[str]:
        """Return the cells of a rate on the nodes where it counts, blank elsewhere."""
        cells = np.full(len(by_node), "", dtype=object)
        if there.any():
            cells[there] = self.inputs.cells(what, name, by_node, unit, told, there)
        return [str(cell) for cell in cells]

    def _fee(self, k: int) -> list[tuple[str, float]]:
        name, fee = self.facts.data.contracts[k], self.facts.data.fee[k]
        told = ("cancellations", {"contract": self.facts.timeline.contract_of[k]})
        cells = self._where(self.facts.data.window[k], "cancellation fee", name, fee, "$bn per GW", told)
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
        found = []
        for n, (price, _) in enumerate(self._price(k)):
            m = int(facts.tail_periods[n, k])
            years = (
                f"IF({self.rate}=0,{m}*{dt!r},{dt!r}*(1+{self.rate})^-{(periods + 0.5) * dt!r}"
                f"*(1-(1+{self.rate})^-{m * dt!r})/(1-(1+{self.rate})^-{dt!r}))"
            )
            formula = f"({cells[n]}-{price})*{years}" if m and price and cells[n] else "0"
            found.append((formula, float(data.terminal_rate[k, n])))
        return found

    def _terminal(self, q: int, pool: str, worth: FloatArray) -> list[str]:
        if q not in self._terminals:
            told = ("pools", {"pool": pool})
            self._terminals[q] = self._where(~np.isnan(worth), "terminal value", pool, worth, RATE, told)
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
