"""Reports of plans beside each other: what-ifs with their base, and kept runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from gwplan.kept.run import Run
from gwplan.kept.sweep import CASES, KeptSweep, in_words, label, unit_behind, with_unit
from gwplan.problems import InstanceError, Problem
from gwplan.show.charts import sweep as sweep_charts
from gwplan.show.charts.money import differences as why
from gwplan.show.charts.sweep import chart, gw_of_cases, worth_of_cases
from gwplan.show.page import formatter, listed, number
from gwplan.show.report.report import Report
from gwplan.show.text.backtest import backtest
from gwplan.show.text.comparison import attribution, comparison, differences, in_short, letter
from gwplan.show.text.decisions import moves_before_reveal, tree_of_moves
from gwplan.show.text.sweep import hangs_on, montecarlo
from gwplan.show.text.uncertainty import (
    figures,
    frontier,
    futures,
    heading,
    information,
    money_of,
    options,
    peak_gw_of,
)
from gwplan.show.view import View
from gwplan.studies.sweep.sweep import OPTIMAL
from gwplan.studies.uncertainty import Uncertainty
from gwplan.studies.whatif import Attribution, Comparison

MOST_WHY: Final = 8
"""Cases of which it is shown why they are worth more or less."""


def whatif_report(compared: Comparison, shares: Mapping[str, Attribution]) -> Report:
    """Return the report of what-ifs beside their base."""
    instance = compared.instance
    cases = {case.name: View(case.plan) for case in compared.all if case.plan is not None}
    lead = [instance.description] if instance.description else []
    lead.append(f"{len(compared.cases)} what-ifs, each planned anew and held against the base.")
    report = Report(f"What-ifs of {instance.name}", lead)
    report.section("In short")
    report.say(partial(in_short, compared=compared))
    if len(cases) > 1:
        report.chart("worth", partial(worth_of_cases, cases))
    _beside(report, cases)
    report.section("Figures of each")
    report.say(partial(comparison, compared=compared))
    if shares:
        report.section("What each part contributes")
        for case in compared.cases:
            if case.name in shares:
                report.say(partial(attribution, compared=compared, case=case, shares=shares[case.name]))
    return report


def runs_report(runs: Sequence[Run], *, everything: bool = False) -> Report:
    """Return the report of kept runs held against the first."""
    cases = {letter(place): View(run.plan) for place, run in enumerate(runs)}
    report = Report(f"Runs of {runs[0].instance.name}", ["Kept runs, held against the first, A."])
    report.section("In short")
    report.chart("worth", partial(worth_of_cases, cases))
    report.say(partial(differences, runs=runs, everything=everything))
    _beside(report, cases)
    return report


def _beside(report: Report, cases: Mapping[str, View]) -> None:
    """Add GW over time of all cases, and why each is worth more or less than the first."""
    if len(cases) < 2:
        return
    report.section("GW over time")
    report.chart("GW over time", partial(gw_of_cases, cases))
    report.section("Why worth differs")
    (_, base), *others = cases.items()
    for name, view in others[:MOST_WHY]:
        report.chart(f"why {name} differs", partial(why, name, base, view))
    if len(others) > MOST_WHY:
        report.say(lambda page: page.note(f"{len(others) - MOST_WHY} more cases are left out here."))


MOVES = "gwplan uncertainty --json"


def uncertainty_report(result: Uncertainty) -> Report:
    """Return the report on an instance's uncertainty."""
    money = money_of(result)
    moves: dict[str, Any] = {"branches": result.first_moves, "peak_gw": peak_gw_of(result), "rest": MOVES}
    report = Report(
        f"Uncertainty of {result.instance.name}", [result.instance.description] if result.instance.description else []
    )
    report.section("In short")
    report.say(partial(heading, result=result), partial(figures, result=result, money=money))
    if result.frontier:
        report.section("What less risk costs")
        draw = partial(sweep_charts.frontier, result.frontier, result.tail, result.aversion)
        report.chart("the risk frontier", draw)
        report.say(partial(frontier, result=result, money=money))
    if len(result.scenarios) > 1:
        report.section("Worth by future")
        report.say(partial(futures, result=result, money=money))
    if result.information or result.options:
        report.section("What to know and what to keep open")
        report.say(partial(information, result=result, money=money), partial(options, result=result, money=money))
    report.section("What to do first")
    report.say(partial(moves_before_reveal, **moves), partial(tree_of_moves, **moves))
    return report


MOST_NUMBERS: Final = 20
"""Cases of one reason whose numbers are told."""

MOST_CASES: Final = 500
"""Cases that the table of all shows."""

SHOWN: Final = ("objective_bn", "npv_bn", "idle_gw_years", "utilisation", "first_moves_changed_gw")
"""Figures of a case that the table of all shows, besides those asked for."""

TITLES: Final = {
    "sweep": "Sweep of",
    "tornado": "Tornado of",
    "montecarlo": "Monte Carlo of",
    "backtest": "Backtest of",
}


def sweep_report(kept: KeptSweep) -> Report:
    """Return the report of a kept sweep, tornado, Monte Carlo or backtest."""
    about, kind = kept.manifest, str(kept.manifest["kind"])
    table = kept.tables[CASES]
    if kind not in _SENTENCES:
        rule = f"a report is made of a {listed(list(_SENTENCES), 'or')}"
        raise InstanceError(Problem(str(kept.folder), f"a kept {kind}", rule))
    done = "along each of which policies decide at every review" if kind == "backtest" else "each planned anew"
    lead = [
        f"{len(table)} {'paths' if kind == 'backtest' else 'cases'}, {done}; every plan is proved best, every worth "
        f"audited. Edits of the base: {_edits(about)}."
    ]
    report = Report(f"{TITLES[kind]} {about['instance']}", lead)
    report.section("In short")
    report.say(partial(_SENTENCES[kind], kept=kept))
    report.chart(f"the {kind}", partial(chart, kind, kept.tables, about))
    if kind == "montecarlo":
        report.chart("GW-years", partial(sweep_charts.gw_years, kept.tables, about))
        report.section("Quantiles and inputs")
        report.say(partial(montecarlo, about=about, tables=kept.tables))
    _failed(report, table)
    _cases(report, kept)
    _asked(report, kept)
    return report


def _edits(about: Any) -> str:
    return "; ".join(about["edits"]) or "none"


def _inputs(table: pd.DataFrame) -> list[str]:
    """Return the columns of the cases that say what was put in: they stand before the status."""
    return list(table.columns[1 : table.columns.get_loc("status")])


def _case(table: pd.DataFrame, row: Any) -> str:
    return ", ".join(f"{name} {label(row[name])}" for name in _inputs(table))


def _grid(page: Any, kept: KeptSweep) -> None:
    """Say between what the figure lies, where, and what the base comes to."""
    table, figure = kept.tables[CASES], str(kept.manifest["settings"]["of"])
    planned = table[table["status"] == OPTIMAL]
    if planned.empty:
        page.facts([_base(kept, figure)])
        page.note("No case has a plan.")
        return
    write, values = formatter(planned[figure]), planned[figure].to_numpy()
    rows = [
        (words, f"{write(values[at])}{unit_behind(figure)}", _case(table, planned.iloc[at]))
        for words, at in (("Least", int(values.argmin())), ("Most", int(values.argmax())))
    ]
    page.facts([_base(kept, figure), *rows])


def _tornado(page: Any, kept: KeptSweep) -> None:
    """Say which input swings the figure most, and what the plan hangs on."""
    table, figure = kept.tables["tornado"], str(kept.manifest["settings"]["of"])
    widest = table.iloc[int(table["swing"].to_numpy().argmax())]
    write = formatter([widest["base"], widest["swing"]])
    ends = " and ".join(f"{way} {write(widest[way])}" for way in ("down", "up"))
    swing = ("Widest swing", f"{write(widest['swing'])}{unit_behind(figure)}", f"{widest['input']}: {ends}")
    page.facts([_base(kept, figure), swing])
    hangs_on(page, table)


def _montecarlo(page: Any, kept: KeptSweep) -> None:
    """Say between what worth lies in most draws."""
    quantiles = kept.tables["quantiles"]
    worth = quantiles[quantiles["figure"] == "objective_bn"].set_index("quantile")["value"]
    if worth.empty:
        page.facts([_base(kept, "objective_bn")])
        page.note("No draw has a plan.")
        return
    write = formatter(worth)
    low, high = worth.index.min(), worth.index.max()
    within = f"{write(worth[low])} to {write(worth[high])} $bn"
    page.facts(
        [
            _base(kept, "objective_bn"),
            ("Worth", f"{write(worth[0.5])} $bn", "in the median of the draws that have a plan"),
            ("Most draws", within, f"from the {100 * low:g} % to the {100 * high:g} % quantile of worth"),
        ]
    )


def _backtest(page: Any, kept: KeptSweep) -> None:
    backtest(page, kept.manifest, kept.tables)


_SENTENCES: Final[dict[str, Callable[..., None]]] = {
    "sweep": _grid,
    "tornado": _tornado,
    "montecarlo": _montecarlo,
    "backtest": _backtest,
}


def _base(kept: KeptSweep, figure: str) -> tuple[str, str, str]:
    base = float(kept.manifest["base"][figure])
    return "Base", f"{formatter([base])(base)}{unit_behind(figure)}", f"{in_words(figure)} with the inputs as they are"


def _failed(report: Report, table: pd.DataFrame) -> None:
    """Add the cases without a plan, each with its reason."""
    report.section("Cases without a plan")
    failed = table[table["status"] != OPTIMAL]
    if failed.empty:
        report.note(f"Every one of the {len(table)} cases has a plan.")
        return
    report.note(f"{len(failed)} of {len(table)} cases have no plan; their figures are blank, not 0.")
    rows: list[list[str]] = []
    for (status, reason), cases in failed.groupby(["status", "reason"], sort=False):
        numbers = [str(case) for case in cases["case"]]
        more = f" and {len(numbers) - MOST_NUMBERS} more" if len(numbers) > MOST_NUMBERS else ""
        first = f"{numbers[0]}: {_case(table, cases.iloc[0])}"
        rows.append([str(reason), str(status).replace("_", " "), ", ".join(numbers[:MOST_NUMBERS]) + more, first])
    report.say(lambda page: page.table(["reason", "status", "cases", "the first of them"], rows, "nnnn"))


def _cases(report: Report, kept: KeptSweep) -> None:
    """Add every case with its inputs and main figures."""
    table = kept.tables[CASES]
    inputs = _inputs(table)
    figures = [name for name in (*SHOWN, *kept.manifest["quantities"]) if name in table]
    settings = kept.manifest["settings"]
    if kept.manifest["kind"] == "backtest":
        figures = [name for each in settings["policies"] if (name := f"worth_bn[{each}]") in table]
    else:
        figures = list(dict.fromkeys([str(settings.get("of", SHOWN[0])), *figures]))
    writers = {name: formatter(table[name]) for name in figures}
    rows = [
        [str(row["case"]), *(label(row[name]) for name in inputs), str(row["status"]).replace("_", " "),
         *(writers[name](row[name]) for name in figures)]
        for row in table.head(MOST_CASES).to_dict("records")
    ]  # fmt: skip
    header = ["case", *inputs, "status", *map(with_unit, figures)]
    report.section("All cases")
    if len(table) > len(rows):
        report.note(f"The first {len(rows)} of {len(table)}; all figures of all are in {CASES}.csv of the kept folder.")
    report.more(f"{len(rows)} cases", header, rows, "r" + "n" * (len(inputs) + 1) + "r" * len(figures))


def _asked(report: Report, kept: KeptSweep) -> None:
    """Add what was asked, of which instance, when and with which versions."""
    about = kept.manifest
    report.section("What was asked")
    rows = [
        ["command", shlex.join(about["command"])],
        ["instance", f"{about['instance']}, sha256 {about['digest']}"],
        ["edits of the base", _edits(about)],
        *([name.replace("_", " "), _setting(value)] for name, value in about["settings"].items()),
        ["more figures", "; ".join(about["quantities"]) or "none"],
        ["seconds for one case", "unlimited" if about["options"]["time_limit"] is None else
         number(about["options"]["time_limit"], 0)],
        ["made", about["created"]],
        ["versions", ", ".join(f"{name} {version}" for name, version in about["versions"].items())],
    ]  # fmt: skip
    report.say(lambda page: page.table(["what", "as asked"], rows, "nn"))


def _setting(value: Any) -> str:
    """Return a setting in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(" ~ ".join(map(label, v)) if isinstance(v, list) else label(v) for v in value)
    return label(value)
