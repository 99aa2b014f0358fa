"""Reports of plans beside each other: what-ifs with their base, and kept runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from optimizer.kept.run import Run
from optimizer.show.charts import sweep as sweep_charts
from optimizer.show.charts.cases import gw_of_cases, worth_of_cases
from optimizer.show.charts.money import differences as why
from optimizer.show.report.report import Report
from optimizer.show.text.comparison import attribution, comparison, differences, letter
from optimizer.show.text.first_moves import moves_before_reveal, tree_of_moves
from optimizer.show.text.uncertainty import (
    figures,
    frontier,
    futures,
    heading,
    information,
    money_of,
    options,
    peak_gw_of,
)
from optimizer.show.view import View
from optimizer.studies.uncertainty.uncertainty import Uncertainty
from optimizer.studies.whatif import Attribution, Comparison

MOST_WHY: Final = 8
"""Cases of which it is shown why they are worth more or less."""


def whatif_report(found: Comparison, shares: Mapping[str, Attribution]) -> Report:
    """Return the report of what-ifs beside their base.

    Parameters
    ----------
    found : Comparison
        The cases.
    shares : mapping of str to Attribution
        What each part of a stack contributes, by the name of the case.
    """
    instance = found.instance
    cases = {case.name: View(case.plan) for case in found.all if case.plan is not None}
    lead = [instance.description] if instance.description else []
    lead.append(f"{len(found.cases)} what-ifs, each planned anew and held against the base.")
    report = Report(f"What-ifs of {instance.name}", lead)
    report.section("In short")
    if len(cases) > 1:
        report.chart("worth", partial(worth_of_cases, cases))
    report.say(partial(comparison, found=found))
    _beside(report, cases)
    if shares:
        report.section("What each part contributes")
        for case in found.cases:
            if case.name in shares:
                report.say(partial(attribution, found=found, case=case, shares=shares[case.name]))
    return report


def runs_report(runs: Sequence[Run], *, everything: bool = False) -> Report:
    """Return the report of kept runs held against the first.

    Parameters
    ----------
    runs : sequence of Run
        The runs; their figures mean the same.
    everything : bool
        Whether what is the same is shown too.
    """
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


def uncertainty_report(found: Uncertainty) -> Report:
    """Return the report on an instance's uncertainty.

    Parameters
    ----------
    found : Uncertainty
        What was found: capacity in GW, money in $bn.
    """
    money = money_of(found)
    told: dict[str, Any] = {"branches": found.first_moves, "peak_gw": peak_gw_of(found), "rest": MOVES}
    report = Report(
        f"Uncertainty of {found.instance.name}", [found.instance.description] if found.instance.description else []
    )
    report.section("In short")
    report.say(partial(heading, found=found), partial(figures, found=found, money=money))
    if found.frontier:
        report.section("What less risk costs")
        draw = partial(sweep_charts.frontier, found.frontier, found.tail, found.aversion)
        report.chart("the risk frontier", draw)
        report.say(partial(frontier, found=found, money=money))
    if len(found.scenarios) > 1:
        report.section("Worth by future")
        report.say(partial(futures, found=found, money=money))
    if found.information or found.options:
        report.section("What to know and what to keep open")
        report.say(partial(information, found=found, money=money), partial(options, found=found, money=money))
    report.section("What to do first")
    report.say(partial(moves_before_reveal, **told), partial(tree_of_moves, **told))
    return report
