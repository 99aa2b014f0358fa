"""Scenarios, periods and years of the workbook: what the summary shows of the sheets below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from models.tree import FloatArray
from optimizer.show.workbook.facts import BookFacts
from optimizer.show.workbook.nodes import Nodes
from optimizer.show.workbook.page import Column, Exported, Page

EXPECTED: Final = "expected over all futures"
COSTS: Final = (
    "contract_cost",
    "operating_cost",
    "migration_cost",
    "signing_cost",
    "breach_cost",
    "cancellation_fees",
)


@dataclass
class Overview:
    """The pages that gather nodes: by scenario, by period of the future that is shown, and by year."""

    facts: BookFacts
    exported: Exported
    nodes: Nodes

    def __post_init__(self) -> None:
        self.choice = f"{self.exported.sheet_name('summary')}!$B$4"
        self._scenarios()
        self._paths()
        self._shown()
        self._periods()
        self._years()

    def _scenarios(self) -> None:
        facts, tree = self.facts, self.facts.tree
        note = "What each future is worth with this allocation, discounted; the worst of them make the CVaR."
        page = Page(self.exported, "scenarios", "Scenarios: what each future is worth", note)
        leaves = tree.node_of[:, -1]
        worth = self.nodes.along[leaves]
        probability = tree.scenario_probability
        expected = float(tree.probability @ self.nodes.total)
        rows = range(len(leaves))
        page.add("scenario", Column("scenario", "", "text", [EXPECTED, *facts.scenario_names]))
        page.add("probability", Column("probability", "share", "factor", [1.0, *probability]))
        page.add("leaf", Column("last node", "", "whole", [None, *leaves]))
        refs = [self.nodes.worth.ref("path", int(n)) for n in leaves]
        page.add("worth", Column("worth", "$bn", "money", [expected, *worth]))
        span = {name: page.span(name, 1, len(leaves)) for name in ("probability", "worth")}
        total = f"SUMPRODUCT({span['probability']},{span['worth']})"
        page.columns["worth"].formulas = [total, *refs]
        instance = facts.run.instance
        told: tuple[str, dict[str, str]] = ("risk", {})
        self.aversion = self.nodes.inputs.cell("aversion", "", instance.aversion, "share", told)
        self.tail = self.nodes.inputs.cell("tail", "", instance.tail, "share", told)
        below = np.maximum(worth[:, None] - worth[None, :], 0.0) @ probability
        cut = worth - below / instance.tail
        formulas = [""] + [
            f"{page.at('worth', s + 1)}-SUMPRODUCT({span['probability']},({page.at('worth', s + 1)}>{span['worth']})"
            f"*({page.at('worth', s + 1)}-{span['worth']}))/{self.tail}"
            for s in rows
        ]
        page.add("cut", Column("CVaR if cut here", "$bn", "money", [None, *cut], formulas))
        self.scenarios = page
        self.cvar = (f"MAX({page.span('cut', 1, len(leaves))})", float(cut.max()))
        self.expected = (page.ref("worth", 0), expected)
        self.names = page.span("scenario", 0, len(leaves))

    def _paths(self) -> None:
        tree = self.facts.tree
        note = "The node that each scenario passes in each period, by its row on the sheet of scenarios."
        self.paths = Page(self.exported, "paths", "Paths: scenarios through the tree", note)
        for s in range(len(tree.node_of)):
            self.paths.add(f"s{s}", Column(f"scenario {s + 1}", "node", "whole", tree.node_of[s]))

    def _shown(self) -> None:
        """Add to the sheet of worth how much each node counts in what the summary shows."""
        tree, worth, paths = self.facts.tree, self.nodes.worth, self.paths
        last = len(tree.node_of) - 1
        block = f"{paths.sheet}!$A${paths.top + 1}:${paths.letter[f's{last}']}${paths.top + tree.periods}"
        self.pick = f"{self.exported.sheet_name('summary')}!$B$5"
        formulas = [
            f"IF({self.pick}=1,{worth.at('probability', n)},"
            f"IF(INDEX({block},{worth.at('period', n)}+1,MAX(1,{self.pick}-1))={worth.at('node', n)},1,0))"
            for n in self.nodes.rows
        ]
        worth.add("shown", Column("weight shown", "", "factor", tree.probability, formulas))
        table = self.facts.run.tables["marginal_values"]
        table = table[table["constraint"] == "supply"]
        self.marginal = np.full((tree.size, len(self.facts.data.pools)), np.nan)
        for q, pool in enumerate(self.facts.data.pools):
            rows = table[table["name"] == pool]
            self.marginal[rows["node"].to_numpy(), q] = rows["bn_per_gw_year"].to_numpy()
            head = f"{pool} marginal value as solved"
            worth.add(f"marginal{q}", Column(head, "$bn per GW-year", "rate", self.marginal[:, q]))

    def _periods(self) -> None:
        facts, data, tree = self.facts, self.facts.data, self.facts.tree
        note = "The future chosen on the summary, or the mean over all of them. Not discounted."
        page = Page(self.exported, "periods", "Periods: the future shown, period by period", note)
        first = np.searchsorted(tree.period, np.arange(tree.periods))
        last = np.searchsorted(tree.period, np.arange(tree.periods), side="right") - 1
        self._ranges = list(zip(first.tolist(), last.tolist(), strict=True))
        starts = [facts.starts[n] for n in first]
        page.add("start", Column("start", "", "date", starts))
        page.add("year", Column("year", "", "whole", [start.year for start in starts]))
        self.periods = page
        for p, name in enumerate(data.pathways):
            self._mean(f"used{p}", name, "GW", "gw", self.nodes.used[:, p], [f"used{p}"])
        idle = self.nodes.idle.sum(axis=1)
        pools = range(len(data.pools))
        available = self.nodes.used.sum(axis=1) + idle
        self._mean("supply", "supply after cancellations", "GW", "gw", available, [f"available{q}" for q in pools])
        used = [page.letter[f"used{p}"] for p in range(len(data.pathways))]
        values = page.columns["supply"].values - sum(page.columns[f"used{p}"].values for p in range(len(used)))
        formulas = [
            f"{page.at('supply', t)}-" + "-".join(f"{letter}{t + page.top + 1}" for letter in used)
            for t in range(tree.periods)
        ]
        page.add("idle", Column("idle", "GW", "gw", values, formulas))
        components = self.nodes.components
        self._mean("value", "value", "$bn", "bn", components["value"], ["value"])
        cost: FloatArray = -np.sum([components[name] for name in COSTS], axis=0)
        self._mean("cost", "cost", "$bn", "bn", cost, list(COSTS), sign="-")
        for q, name in enumerate(data.pools):
            head = f"marginal value {name} (as solved)"
            known = np.nan_to_num(self.marginal[:, q])
            self._mean(f"marginal{q}", head, "$bn per GW-year", "rate", known, [f"marginal{q}"])

    def _mean(
        self, key: str, head: str, unit: str, look: str, by_node: FloatArray, columns: list[str], sign: str = ""
    ) -> None:
        """Add the mean, over the nodes shown, of the sum of some columns of the sheet of worth."""
        worth = self.nodes.worth
        weighted = by_node * self.facts.tree.probability
        values = np.array([weighted[a : b + 1].sum() for a, b in self._ranges])
        formulas = [
            "+".join(f"SUMPRODUCT({worth.span('shown', a, b)},{worth.span(c, a, b)})" for c in columns)
            for a, b in self._ranges
        ]
        if sign:
            formulas = [f"-({formula})" for formula in formulas]
        self.periods.add(key, Column(head, unit, look, values, formulas))

    def _years(self) -> None:
        data, periods = self.facts.data, self.periods
        note = "The future chosen on the summary, or the mean over all of them. Not discounted."
        page = Page(self.exported, "years", "Years: the future shown, year by year", note)
        all_years = np.array(periods.columns["year"].values)
        years = np.unique(all_years)
        count = len(all_years)
        page.add("year", Column("year", "", "whole", years))
        span = periods.span("year", 0, count - 1)
        sums = [(f"used{p}", name, "GW-years", "gw", data.dt) for p, name in enumerate(data.pathways)]
        sums += [("idle", "idle", "GW-years", "gw", data.dt)]
        sums += [("value", "value", "$bn", "money", 1.0), ("cost", "cost", "$bn", "money", 1.0)]
        for key, head, unit, look, factor in sums:
            cells: Any = np.array(periods.columns[key].values)
            values = [factor * cells[all_years == year].sum() for year in years]
            formulas = [
                (f"{factor!r}*" if factor != 1 else "")
                + f"SUMIFS({periods.span(key, 0, count - 1)},{span},{page.at('year', i)})"
                for i in range(len(years))
            ]
            page.add(key, Column(head, unit, look, values, formulas))
        for q, name in enumerate(data.pools):
            cells = np.array(periods.columns[f"marginal{q}"].values)
            values = [cells[all_years == year].mean() for year in years]
            formulas = [
                f"AVERAGEIFS({periods.span(f'marginal{q}', 0, count - 1)},{span},{page.at('year', i)})"
                for i in range(len(years))
            ]
            head = f"marginal value {name} (as solved)"
            page.add(f"marginal{q}", Column(head, "$bn per GW-year", "rate", values, formulas))
        self.years = page
