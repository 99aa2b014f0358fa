"""Scenarios, periods and years of the workbook: what the summary shows of the sheets below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from models.tree import FloatArray
from optimizer.catalogue.money import COSTS
from optimizer.catalogue.tolerances import KILOWATT, PROVED
from optimizer.show.theme import FAINT, INK, pathway_colours
from optimizer.show.workbook.facts import BookFacts
from optimizer.show.workbook.limits import Slacks
from optimizer.show.workbook.nodes import Nodes
from optimizer.show.workbook.page import ACCENT, Column, Exported, Page, put, put_formula

EXPECTED: Final = "expected over all futures"


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
        stated: tuple[str, dict[str, str]] = ("risk", {})
        self.aversion = self.nodes.inputs.cell("aversion", "", instance.aversion, "share", stated)
        self.tail = self.nodes.inputs.cell("tail", "", instance.tail, "share", stated)
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


HEADS: Final = ("figure", "now", "as solved", "change", "unit")
WIDTHS: Final = (34, 26, 14, 14, 18)
FONT: Final = {"name": "Calibri", "size": 10, "color": INK}
MONTHS: Final = {
    "date_axis": True,
    "num_format": "mmm yyyy",
    "num_font": {**FONT, "rotation": -45},
    "label_position": "low",
    "major_unit": 6,
    "major_unit_type": "months",
}


class Summary:
    """Writes the summary; its figures stand in the same cells in every workbook."""

    def __init__(self, overview: Overview, slacks: Slacks) -> None:
        self.overview, self.slacks = overview, slacks
        self.facts, self.exported, self.nodes = overview.facts, overview.exported, overview.nodes
        self.row = 6

    def write(self) -> None:
        """Write the sheet."""
        run, exported = self.facts.run, self.exported
        status = "optimal" if run.summary["status"] == "optimal" else f"not proved best ({run.summary['status']})"
        title = f"{run.manifest['instance']}: plan"
        note = f"{status}; {len(self.facts.tree.node_of)} futures; overtype yellow cells and the figures follow"
        self.sheet: Any = exported.add("summary", title, note)
        for at, width in enumerate(WIDTHS):
            self.sheet.set_column(at, at, width)
        self.sheet.set_column(len(WIDTHS), len(WIDTHS), 3)
        self._choice()
        for at, head in enumerate(HEADS):
            look = "head_right" if head in ("now", "as solved", "change") else "head"
            put(self.sheet, self.row, at, head, exported.formats[look])
        self._figures()
        self._components()
        self._charts()
        self.sheet.set_default_row(15)
        self.sheet.print_area(0, 0, max(self.row + 1, 62), 19)
        self.sheet.fit_to_pages(1, 1)

    def _choice(self) -> None:
        overview, formats = self.overview, self.exported.formats
        put(self.sheet, 3, 0, "future shown (periods, years, charts)")
        put(self.sheet, 3, 1, EXPECTED, formats["choice"])
        self.sheet.data_validation(
            3,
            1,
            3,
            1,
            {
                "validate": "list",
                "source": f"={overview.names}",
                "input_title": "Future shown",
                "input_message": "Choose one future, or the mean over all.",
                "error_message": "Choose from the list.",
            },
        )
        put(self.sheet, 4, 0, "its row on the sheet of scenarios", formats["note"])
        put_formula(self.sheet, 4, 1, f"MATCH({overview.choice},{overview.names},0)", 1, formats["note"])
        self.exported.define("future_shown", overview.choice)

    def _line(
        self,
        label: str,
        formula: str,
        value: float,
        unit: str,
        name: str = "",
        *,
        look: str = "money",
        solved: Any = "",
    ) -> str:
        """Write one figure as it is now, as solved, and the change; return the cell of what it is now."""
        self.row += 1
        formats = self.exported.formats
        put(self.sheet, self.row, 0, label)
        put_formula(self.sheet, self.row, 1, formula, value, formats[look])
        before = value if solved == "" else solved
        if before is not None:
            put(self.sheet, self.row, 2, before, formats[look])
            row = self.row + 1
            put_formula(self.sheet, self.row, 3, f"B{row}-C{row}", value - before, formats[look])
        put(self.sheet, self.row, 4, unit, formats["aside"])
        cell = f"{self.exported.sheet_name('summary')}!$B${self.row + 1}"
        if name:
            self.exported.define(name, cell)
        return cell

    def _figures(self) -> None:
        overview, nodes, summary = self.overview, self.nodes, self.facts.run.summary
        worth, last = nodes.worth, self.facts.tree.size - 1
        objective = float(summary["objective_bn"])
        probability = worth.span("probability", 0, last)
        (expected, mean), (cvar, worst) = overview.expected, overview.cvar
        weight = self.facts.run.instance.aversion
        now = (1 - weight) * mean + weight * worst
        formula = f"(1-{overview.aversion})*{expected}+{overview.aversion}*{cvar}"
        unit = "$bn, discounted"
        cell = self._line("worth: what the plan maximises", formula, now, unit, "worth_bn", solved=objective)
        label = "worth less the solver's objective"
        formula = f"{cell}-C{self.row + 1}"
        self._line(label, formula, now - objective, "0 until overtyped", "check_bn", look="check", solved=None)
        self._line("expected worth", expected, mean, "$bn, discounted", "expected_worth_bn")
        self._line("CVaR: mean of the worst futures", cvar, worst, "$bn, discounted", "cvar_bn")
        npv = float(self.facts.tree.probability @ nodes.npv)
        formula = f"SUMPRODUCT({probability},{worth.span('npv', 0, last)})"
        solved = float(summary["npv_bn"])
        self._line("NPV: expected cash", formula, npv, "$bn, discounted", "npv_bn", solved=solved)
        page = nodes.allocation
        cells = f"{page.ref('gw0', 0)}:{page.ref(list(page.letter)[-1], last).rpartition('!')[2]}"
        broken = f'COUNTIF({cells},"<-{KILOWATT!r}")'
        slacks = [np.array(page.columns[key].values, dtype=float) for key in self.slacks]
        value = float(sum((np.nan_to_num(values) < -KILOWATT).sum() for values in slacks))
        self._line("limits broken", broken, value, "red on allocation", "broken_limits", look="whole", solved=None)
        self._mark()
        moved = "+".join(page.misplaced() for page in (page, nodes.inputs.page, nodes.tiers.page))
        self._line("rows out of place", moved, 0, "sort them back: 0", "moved_rows", look="whole", solved=None)
        self._use(probability, last)

    def _use(self, probability: str, last: int) -> None:
        nodes, dt = self.nodes, self.facts.data.dt
        chance = self.facts.tree.probability
        for p, name in enumerate(self.facts.data.pathways):
            used = f"{dt!r}*SUMPRODUCT({probability},{nodes.worth.span(f'used{p}', 0, last)})"
            self._line(f"GW-years of {name}", used, float(dt * chance @ nodes.used[:, p]), "GW-years", look="money")
        spans = [nodes.allocation.span(f"idle{q}", 0, last) for q in range(len(self.facts.data.pools))]
        idle = f"{dt!r}*(" + "+".join(f"SUMPRODUCT({probability},{span})" for span in spans) + ")"
        value = float(dt * chance @ nodes.idle.sum(axis=1))
        self._line("idle GW-years", idle, value, "GW-years", "idle_gw_years")

    def _mark(self) -> None:
        """Turn the check and the number of broken limits red where they are not 0."""
        formats = self.exported.formats
        check, broken = 8, self.row
        self.sheet.conditional_format(
            check, 1, check, 1, {"type": "formula", "criteria": f"=ABS($B$9)>{PROVED:f}", "format": formats["broken"]}
        )
        self.sheet.conditional_format(
            broken, 1, broken, 1, {"type": "cell", "criteria": ">", "value": 0, "format": formats["broken"]}
        )

    def _components(self) -> None:
        nodes, facts = self.nodes, self.facts
        last, chance, discount = facts.tree.size - 1, facts.tree.probability, facts.data.node_discount
        worth = nodes.worth
        self.row += 2
        put(self.sheet, self.row, 0, "what the expected worth is made of, discounted", self.exported.formats["section"])
        shares = f"{worth.span('probability', 0, last)},{worth.span('discount', 0, last)}"
        first = self.row + 2
        for p, name in enumerate(facts.data.pathways):
            value = float((chance * discount) @ np.array(worth.columns[f"value{p}"].values))
            self._line(f"value of {name}", f"SUMPRODUCT({shares},{worth.span(f'value{p}', 0, last)})", value, "$bn")
        for key, by_node in nodes.components.items():
            if key == "value":
                continue
            terminal = key == "terminal"
            formula = f"SUMPRODUCT({shares},{worth.span(key, 0, last)})"
            if terminal:
                formula = f"SUMPRODUCT({worth.span('probability', 0, last)},{worth.span(key, 0, last)})"
            value = float((chance * (1.0 if terminal else discount)) @ by_node)
            label = "worth beyond the plan's end" if terminal else key.replace("_", " ")
            self._line(label, formula, value, "$bn")
        total = float(chance @ nodes.total)
        self._line("expected worth", f"SUM(B{first}:B{self.row + 1})", total, "$bn", look="money_total")

    def _charts(self) -> None:
        self._capacity(0)
        self._money_chart(21)
        self._marginal(42)

    def _place(self, chart: Any, row: int, title: str, unit: str, **least: float) -> None:
        chart.set_title({"name": title, "name_font": {**FONT, "size": 13, "bold": True}, "overlay": False})
        axis = {"num_font": FONT, "name_font": {**FONT, "bold": False}, "line": {"color": FAINT}}
        chart.set_y_axis({**axis, "name": unit, "major_gridlines": {"visible": True, "line": {"color": FAINT}},
                          "num_format": "0.0", **least})  # fmt: skip
        chart.set_legend({"position": "bottom", "font": FONT})
        chart.set_size({"width": 860, "height": 400})
        self.sheet.insert_chart(row, len(WIDTHS) + 1, chart, {"description": f"{title}, {unit}"})

    def _capacity(self, row: int) -> None:
        periods, data = self.overview.periods, self.facts.data
        last = self.facts.tree.periods - 1
        chart = self.exported.book.add_chart({"type": "column", "subtype": "stacked"})
        colours = pathway_colours(data.pathways)
        series = [(f"used{p}", name, {"color": colours[name]}) for p, name in enumerate(data.pathways)]
        for key, name, fill in [*series, ("idle", "idle", {"color": "#c9ced6"})]:
            chart.add_series(
                {
                    "name": periods.series(key, name),
                    "categories": f"={periods.span('start', 0, last)}",
                    "values": f"={periods.span(key, 0, last)}",
                    "fill": fill,
                    "gap": 8,
                }
            )
        line = self.exported.book.add_chart({"type": "line"})
        line.add_series(
            {
                "name": "supply after cancellations",
                "categories": f"={periods.span('start', 0, last)}",
                "values": f"={periods.span('supply', 0, last)}",
                "line": {"color": INK, "width": 1.75},
            }
        )
        chart.combine(line)
        chart.set_x_axis(MONTHS)
        self._place(chart, row, "GW by pathway against supply, future shown", "GW", min=0)

    def _money_chart(self, row: int) -> None:
        years = self.overview.years
        last = len(years.columns["year"].values) - 1
        chart = self.exported.book.add_chart({"type": "column"})
        for key, colour in (("value", ACCENT), ("cost", "#c65a3e")):
            chart.add_series(
                {
                    "name": key,
                    "categories": f"={years.span('year', 0, last)}",
                    "values": f"={years.span(key, 0, last)}",
                    "fill": {"color": colour},
                    "gap": 80,
                    "data_labels": {"value": True, "num_format": "0.0", "font": FONT},
                }
            )
        chart.set_x_axis({"num_font": FONT, "label_position": "low"})
        self._place(chart, row, "Value and cost by year, future shown, not discounted", "$bn a year")

    def _marginal(self, row: int) -> None:
        years, data = self.overview.years, self.facts.data
        last = len(years.columns["year"].values) - 1
        chart = self.exported.book.add_chart({"type": "column"})
        for q, (name, colour) in enumerate(pathway_colours(data.pools).items()):
            chart.add_series(
                {
                    "name": years.series(f"marginal{q}", name),
                    "categories": f"={years.span('year', 0, last)}",
                    "values": f"={years.span(f'marginal{q}', 0, last)}",
                    "fill": {"color": colour},
                    "gap": 80,
                }
            )
        chart.set_x_axis({"num_font": FONT, "label_position": "low"})
        title = "Marginal value of supply as solved: what one more GW would add, mean of the year"
        self._place(chart, row, title, "$bn per GW-year")
