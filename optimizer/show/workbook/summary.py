"""Scenarios, periods and years of the workbook: what the summary shows of the sheets below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gwplan.catalogue.money import COSTS
from gwplan.catalogue.tolerances import KILOWATT, PROVED
from gwplan.show.theme import FAINT, INK, pathway_colours, pool_colours
from gwplan.show.view import MONTH_NAMES
from gwplan.show.workbook.facts import BookFacts
from gwplan.show.workbook.formulas import Formulas, gathered, products, total
from gwplan.show.workbook.nodes import Nodes, Slacks
from gwplan.show.workbook.page import ACCENT, Exported, Page, put, put_formula

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
        names = page.add("scenario", "scenario", "", "text", [EXPECTED, *facts.scenario_names])
        probability = page.add("probability", "probability", "share", "factor", [1.0, *tree.scenario_probability])
        page.add("leaf", "last node", "", "whole", [None, *leaves])
        worth = self.nodes.worth.ref("path").on(np.array([-1, *leaves]))
        all_worth = page.add("worth", "worth", "$bn", "money", worth)
        expected = products(probability, all_worth, ranges=[(1, len(leaves))])
        worth.values[0], worth.texts[0] = expected.values[0], expected.texts[0]  # the row that sums those below it
        self.expected = page.ref("worth").on(np.array([0]))
        instance = facts.run.instance
        stated: tuple[str, dict[str, str]] = ("risk", {})
        self.aversion = self.nodes.inputs.cell("aversion", "", instance.aversion, "share", stated)
        tail = self.nodes.inputs.cell("tail", "", instance.tail, "share", stated)
        of_future = worth.values[1:]
        below = np.maximum(of_future[:, None] - of_future, 0.0) @ tree.scenario_probability
        chance, money = probability.span(1), all_worth.span(1)
        cells = page.at("worth").texts[1:]
        formulas = [f"{cell}-SUMPRODUCT({chance},({cell}>{money})*({cell}-{money}))/{tail}" for cell in cells]
        cut = Formulas(np.array([np.nan, *(of_future - below / instance.tail)]), ["", *formulas])
        cuts = page.add("cut", "CVaR if cut here", "$bn", "money", cut)
        self.scenarios = page
        self.cvar = Formulas(np.array([np.nanmax(cut.values)]), [f"MAX({cuts.span(1)})"])
        self.names = names.span()

    def _paths(self) -> None:
        tree = self.facts.tree
        note = "The node that each scenario passes in each period, by its row on the sheet of scenarios."
        self.paths = Page(self.exported, "paths", "Paths: scenarios through the tree", note)
        for s in range(len(tree.node_of)):
            self.paths.add(f"s{s}", f"scenario {s + 1}", "node", "whole", tree.node_of[s])

    def _shown(self) -> None:
        """Add to the sheet of worth how much each node counts in what the summary shows."""
        tree, worth, paths = self.facts.tree, self.nodes.worth, self.paths
        last = len(tree.node_of) - 1
        block = f"{paths.sheet}!$A${paths.top + 1}:${paths.letter[f's{last}']}${paths.top + tree.periods}"
        self.pick = f"{self.exported.sheet_name('summary')}!$B$5"
        cells = zip(*(worth.at(key).texts for key in ("probability", "period", "node")), strict=True)
        formulas = [
            f"IF({self.pick}=1,{probability},IF(INDEX({block},{period}+1,MAX(1,{self.pick}-1))={node},1,0))"
            for probability, period, node in cells
        ]
        worth.add("shown", "weight shown", "", "factor", Formulas(tree.probability, formulas))
        table = self.facts.run.tables["marginal_values"]
        table = table[table["constraint"] == "supply"]
        for q, pool in enumerate(self.facts.data.pools):
            rows, marginal = table[table["name"] == pool], np.full(tree.size, np.nan)
            marginal[rows["node"].to_numpy()] = rows["bn_per_gw_year"].to_numpy()
            worth.add(f"marginal{q}", f"{pool} marginal value as solved", "$bn per GW-year", "rate", marginal)

    def _periods(self) -> None:
        facts, data, tree = self.facts, self.facts.data, self.facts.tree
        note = "The future chosen on the summary, or the mean over all of them. Not discounted."
        page = Page(self.exported, "periods", "Periods: the future shown, period by period", note)
        first = np.searchsorted(tree.period, np.arange(tree.periods)).tolist()
        last = (np.searchsorted(tree.period, np.arange(tree.periods), side="right") - 1).tolist()
        self._ranges = list(zip(first, last, strict=True))
        starts = [facts.starts[n] for n in first]
        page.add("start", "start", "", "date", starts)
        page.add("year", "year", "", "whole", [start.year for start in starts])
        self.periods = page
        pathways, pools = range(len(data.pathways)), range(len(data.pools))
        for p in pathways:
            page.add(f"used{p}", data.pathways[p], "GW", "gw", self._mean(f"used{p}"))
        supply = self._mean(*(f"available{q}" for q in pools))
        page.add("supply", "supply after cancellations", "GW", "gw", supply)
        idle = total([page.at("supply"), *(-page.at(f"used{p}") for p in pathways)], tree.periods)
        page.add("idle", "idle", "GW", "gw", idle)
        page.add("value", "value", "$bn", "bn", self._mean("value"))
        costs = self._mean(*(name for name in COSTS if name in self.nodes.components))
        page.add("cost", "cost", "$bn", "bn", -costs)
        for q, name in enumerate(data.pools):
            head = f"marginal value {name} (as solved)"
            page.add(f"marginal{q}", head, "$bn per GW-year", "rate", self._mean(f"marginal{q}"))

    def _mean(self, *columns: str) -> Formulas:
        """Return the mean, over the nodes shown, of the sum of some columns of the sheet of worth."""
        shown = self.nodes.worth.ref("shown")
        terms = [products(shown, self.nodes.worth.ref(column), ranges=self._ranges) for column in columns]
        return total(terms, len(self._ranges))

    def _years(self) -> None:
        data, periods = self.facts.data, self.periods
        note = "The future chosen on the summary, or the mean over all of them. Not discounted."
        page = Page(self.exported, "years", "Years: the future shown, year by year", note)
        all_years = periods.ref("year")
        page.add("year", "year", "", "whole", np.unique(all_years.values))
        year = page.at("year")
        page.add("label", "months", "", "text", self._months(year.values.tolist()))
        names = {f"used{p}": name for p, name in enumerate(data.pathways)}
        for key, head in {**names, "idle": "idle"}.items():
            gw = gathered("SUMIFS", periods.ref(key), all_years, year)
            page.add(key, head, "GW-years", "gw", self.nodes.years(len(gw.texts)) * gw)
        for key in ("value", "cost"):
            page.add(key, key, "$bn", "money", gathered("SUMIFS", periods.ref(key), all_years, year))
        for q, name in enumerate(data.pools):
            mean = gathered("AVERAGEIFS", periods.ref(f"marginal{q}"), all_years, year)
            page.add(f"marginal{q}", f"marginal value {name} (as solved)", "$bn per GW-year", "rate", mean)
        self.years = page

    def _months(self, years: list[int]) -> list[str]:
        """Return years as charts name them: of one that is not whole, with its months."""
        starts = self.facts.timeline.calendar.starts(self.facts.tree.periods + 1).astype("datetime64[M]").astype(int)
        labels = []
        for year in years:
            inside = (starts[:-1] // 12 + 1970) == year
            first, last = int(starts[:-1][inside].min() % 12), int((starts[1:][inside].max() - 1) % 12)
            whole = (first, last) == (0, 11)
            labels.append(f"{year}" if whole else f"{year} {MONTH_NAMES[first]}-{MONTH_NAMES[last]}")
        return labels


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
            look = (
                "head_right" if head in ("now", "as solved", "change") else "head_aside" if head == "unit" else "head"
            )
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
        self, label: str, figure: Formulas, unit: str, name: str = "", *, look: str = "money", solved: Any = ""
    ) -> Formulas:
        """Write one figure as it is now, as solved, and the change; return the cell of what it is now."""
        self.row += 1
        formats, (formula,), value = self.exported.formats, figure.texts, float(figure.values[0])
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
        return Formulas(figure.values, [cell])

    def _figures(self) -> None:
        overview, nodes, summary = self.overview, self.nodes, self.facts.run.summary
        objective = np.array([float(summary["objective_bn"])])
        expected, cvar, unit = overview.expected, overview.cvar, "$bn, discounted"
        aversion = Formulas(np.array([self.facts.run.instance.aversion]), [overview.aversion])
        now = (1 - aversion) * expected + aversion * cvar
        cell = self._line("worth: what the plan maximises", now, unit, "worth_bn", solved=objective[0])
        change = cell - Formulas(objective, [f"C{self.row + 1}"])
        self._line(
            "worth less the solver's objective", change, "0 until overtyped", "check_bn", look="check", solved=None
        )
        self._line("expected worth", expected, unit, "expected_worth_bn")
        self._line("CVaR: mean of the worst futures", cvar, unit, "cvar_bn")
        npv = self._expected(nodes.worth.ref("npv"))
        self._line("NPV: expected cash", npv, unit, "npv_bn", solved=float(summary["npv_bn"]))
        page = nodes.allocation
        cells = Formulas(np.zeros(2), [page.ref("gw0").texts[0], page.ref(list(page.letter)[-1]).texts[-1]]).span()
        slacks = [np.array(page.columns[key].values, dtype=float) for key in self.slacks]
        count = np.array([float(sum((np.nan_to_num(values) < -KILOWATT).sum() for values in slacks))])
        broken = Formulas(count, [f'COUNTIF({cells},"<-{KILOWATT!r}")'])
        self._line("limits broken", broken, "red on allocation", "broken_limits", look="whole", solved=None)
        self._mark()
        moved = "+".join(page.misplaced() for page in (page, nodes.inputs.page, nodes.tiers.page))
        figure = Formulas(np.zeros(1), [moved])
        self._line("rows out of place", figure, "sort them back: 0", "moved_rows", look="whole", solved=None)
        dt, targets = (
            nodes.years(1),
            [p for p in range(len(self.facts.data.pathways)) if f"shortfall{p}" in nodes.worth.columns],
        )
        if targets:
            missed = total([self._expected(nodes.worth.ref(f"shortfall{p}")) for p in targets], 1)
            self._line("unserved demand", dt * missed, "effective GW-years", "unserved_gw_years")
        for p, name in enumerate(self.facts.data.pathways):
            self._line(f"GW-years of {name}", dt * self._expected(nodes.worth.ref(f"used{p}")), "GW-years")
        idle = [self._expected(page.ref(f"idle{q}")) for q in range(len(self.facts.data.pools))]
        self._line("idle GW-years", dt * total(idle, 1), "GW-years", "idle_gw_years")

    def _expected(self, *columns: Formulas) -> Formulas:
        """Return the mean over all nodes, by their probability, of the product of some columns."""
        return products(self.nodes.worth.ref("probability"), *columns)

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
        worth, discount = self.nodes.worth, self.nodes.worth.ref("discount")
        self.row += 2
        put(self.sheet, self.row, 0, "what the expected worth is made of, discounted", self.exported.formats["section"])
        first = self.row + 2
        lines = {f"value{p}": f"value of {name}" for p, name in enumerate(self.facts.data.pathways)}
        lines |= {name: name.replace("_", " ") for name in self.nodes.components if name != "value"}
        for key, label in lines.items():
            self._line(label, self._expected(discount, worth.ref(key)), "$bn")
        self._line("worth beyond the plan's end", self._expected(worth.ref("terminal")), "$bn")
        whole = Formulas(self._expected(worth.ref("worth")).values, [f"SUM(B{first}:B{self.row + 1})"])
        self._line("expected worth", whole, "$bn", look="money_total")

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
        periods, data, book = self.overview.periods, self.facts.data, self.exported.book
        chart, line = book.add_chart({"type": "column", "subtype": "stacked"}), book.add_chart({"type": "line"})
        colours = pathway_colours(data.pathways)
        for p, name in enumerate(data.pathways):
            _series(chart, periods, f"used{p}", name, fill={"color": colours[name]}, gap=8)
        _series(chart, periods, "idle", "idle", fill={"color": "#c9ced6"}, gap=8)
        _series(line, periods, "supply", "supply after cancellations", line={"color": INK, "width": 1.75})
        chart.combine(line)
        chart.set_x_axis(MONTHS)
        self._place(chart, row, "GW by pathway against supply, future shown", "GW", min=0)

    def _money_chart(self, row: int) -> None:
        chart = self.exported.book.add_chart({"type": "column"})
        labels = {"value": True, "num_format": "0.0", "font": FONT}
        for key, colour in (("value", ACCENT), ("cost", "#c65a3e")):
            look = {"fill": {"color": colour}, "gap": 80, "data_labels": labels}
            _series(chart, self.overview.years, key, key, over="label", **look)
        chart.set_x_axis({"num_font": FONT, "label_position": "low"})
        self._place(
            chart,
            row,
            "Value and cost by year, future shown, not discounted",
            "$bn a year",
            **self._from_0("value", "cost"),
        )

    def _marginal(self, row: int) -> None:
        chart = self.exported.book.add_chart({"type": "column"})
        for q, (name, colour) in enumerate(pool_colours(self.facts.data.pools).items()):
            _series(chart, self.overview.years, f"marginal{q}", name, over="label", fill={"color": colour}, gap=80)
        chart.set_x_axis({"num_font": FONT, "label_position": "low"})
        title = "Marginal value of supply as solved: what one more GW would add, mean of the year"
        columns = [f"marginal{q}" for q in range(len(self.facts.data.pools))]
        self._place(chart, row, title, "$bn per GW-year", **self._from_0(*columns))

    def _from_0(self, *columns: str) -> dict[str, float]:
        """Return that an axis begins at 0, where no figure lies below it."""
        figures = [np.nan_to_num(np.asarray(self.overview.years.columns[key].values, dtype=float)) for key in columns]
        return {"min": 0.0} if min(float(each.min(initial=0.0)) for each in figures) >= 0 else {}


def _series(chart: Any, page: Page, key: str, name: str, *, over: str = "", **look: Any) -> None:
    """Add a column to a chart, over another of its page, by default the first."""
    over = over or next(iter(page.columns))
    ranges = {"categories": f"={page.ref(over).span()}", "values": f"={page.ref(key).span()}"}
    chart.add_series({"name": page.series(key, name), **ranges, **look})
