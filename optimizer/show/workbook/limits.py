"""What an allocation leaves of every limit, beside the allocation: negative where it breaks one."""

from __future__ import annotations

import numpy as np

from models.tree import FloatArray
from optimizer.catalogue.limits import LIMITS
from optimizer.catalogue.tables import TABLES
from optimizer.show.workbook.nodes import Nodes
from optimizer.show.workbook.page import Column

Slacks = dict[str, list[int]]
"""Column of each slack, and the pairs that it concerns."""


class _Limits:
    """Adds columns of slack to the allocation."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes, self.facts, self.data = nodes, nodes.facts, nodes.facts.data
        self.slacks: Slacks = {}

    def add(self, key: str, head: str, unit: str, values: FloatArray, formulas: list[str], pairs: list[int]) -> None:
        """Add a column; a row without the limit is blank (nan)."""
        if np.isnan(values).all():
            return
        self.nodes.allocation.add(key, Column(head, unit, "gw", values, formulas))
        self.slacks[key] = pairs

    def beside(
        self, row: str, at: str, name: str, gw: FloatArray, cells: list[str], bound: FloatArray, pairs: list[int]
    ) -> None:
        """Add what GW, and the cells that hold them, leave of a limit of the catalogue; no limit: not finite."""
        limit = LIMITS[row]
        held = np.isfinite(bound)
        values = np.where(held, limit.sign * (gw - np.where(held, bound, 0.0)), np.nan)
        formulas = [
            (f"{cell}-{most!r}" if limit.sign > 0 else f"{most!r}-{cell}") if there else ""
            for there, cell, most in zip(held, cells, bound.tolist(), strict=True)
        ]
        head = f"{name} {'above' if limit.sign > 0 else 'below'} {limit.name}"
        unit = TABLES[limit.table][limit.column].unit
        self.add(f"{limit.kind}{at}", head, unit, values, formulas, pairs)

    def pathway(self, p: int) -> None:
        """Add what is left of a pathway's floor, cap, ramp and term."""
        data, nodes, name = self.data, self.nodes, self.data.pathways[p]
        worth, rows, pairs = nodes.worth, nodes.rows, nodes.pairs_of(p)
        floor = np.where(data.floor[p] > 0, data.floor[p], np.nan)
        cells = [worth.ref(f"effective{p}", n) for n in rows]
        self.beside("floor_met", f"{p}", name, nodes.effective[:, p], cells, floor, pairs)
        cells = [worth.ref(f"used{p}", n) for n in rows]
        self.beside("cap_kept", f"{p}", name, nodes.used[:, p], cells, data.cap[p], pairs)
        self._growth(p, pairs)
        if p in nodes.deals:
            signed = [worth.ref(f"signed{p}", n) for n in rows]
            self.add(f"signed{p}", f"{name} deals signed", "GW", nodes.signed[:, p], signed, pairs)
            self._term(p, pairs)

    def _growth(self, p: int, pairs: list[int]) -> None:
        data, nodes, facts = self.data, self.nodes, self.facts
        ramp, deal = data.ramp[p][facts.tree.root], data.deal[p][facts.tree.root]
        held = np.isfinite(ramp)
        initial = facts.initial[:, pairs].sum(axis=1)
        more = nodes.used[:, p] - facts.before(nodes.used[:, p], initial)
        growth = np.where(deal, nodes.signed[:, p], more)
        formulas = []
        for n in nodes.rows:
            parent = int(facts.tree.parent[n])
            earlier = nodes.worth.ref(f"used{p}", parent) if parent >= 0 else repr(float(initial[n]))
            grown = f"({nodes.worth.ref(f'used{p}', n)}-{earlier})"
            grown = nodes.worth.ref(f"signed{p}", n) if deal[n] else grown
            formulas.append(f"{float(ramp[n])!r}-{grown}" if held[n] else "")
        values = np.where(held, ramp - growth, np.nan)
        self.add(f"ramp{p}", f"{data.pathways[p]} below ramp", "GW per period", values, formulas, pairs)

    def _term(self, p: int, pairs: list[int]) -> None:
        """Add what is in force beyond the deals whose term still runs."""
        data, nodes, facts = self.data, self.nodes, self.facts
        breached = facts.deals("breached_gw")[:, p]
        values, formulas = np.empty(facts.tree.size), []
        for n in nodes.rows:
            bound, terms, kept, a = 0.0, [], 1.0, n
            for _ in range(int(data.term[p][facts.tree.root[n]])):
                if a < 0:
                    break
                bound += kept * (nodes.signed[a, p] - breached[a])
                less = f"-{float(breached[a])!r}" if breached[a] else ""
                terms.append(f"{kept!r}*({nodes.worth.ref(f'signed{p}', a)}{less})")
                kept *= float(data.keep[p][a])
                a = int(facts.tree.parent[a])
            values[n] = nodes.used[n, p] - bound
            formulas.append(f"{nodes.worth.ref(f'used{p}', n)}-({'+'.join(terms) or '0'})")
        self.add(f"term{p}", f"{data.pathways[p]} beyond running terms", "GW", values, formulas, pairs)

    def locks(self) -> None:
        """Add what is left of the planner's locks, on pairs and on a pathway's sum."""
        data, nodes, facts = self.data, self.nodes, self.facts
        total = len(data.pools)
        for p, name in enumerate(data.pathways):
            for q in range(total + 1):
                on_pair = q < total
                if on_pair and (p, q) not in facts.pairs:
                    continue
                pairs = [facts.pairs.index((p, q))] if on_pair else nodes.pairs_of(p)
                gw = nodes.allocate[:, pairs].sum(axis=1)
                cells = ["+".join(nodes.gw(g, n) for g in pairs) for n in nodes.rows]
                label = facts.pair_name((p, q)) if on_pair else name
                self.beside("lock_least", f"{p}-{q}", label, gw, cells, data.lock_least[p, q], pairs)
                cells = [f"({cell})" for cell in cells]
                self.beside("lock_most", f"{p}-{q}", label, gw, cells, data.lock_most[p, q], pairs)


def add_limits(nodes: Nodes) -> Slacks:
    """Add columns of slack to the allocation and return which pairs each concerns."""
    limits = _Limits(nodes)
    for q in range(len(nodes.facts.data.pools)):
        limits.slacks[f"idle{q}"] = [g for g, pair in enumerate(nodes.facts.pairs) if pair[1] == q]
    for p in range(len(nodes.facts.data.pathways)):
        limits.pathway(p)
    limits.locks()
    return limits.slacks
