"""Reports of plans beside each other: what-ifs with their base, and kept runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from optimizer.kept.run import Run
from optimizer.show.charts.cases import gw_of_cases, worth_of_cases
from optimizer.show.charts.money import differences as why
from optimizer.show.report.report import Report
from optimizer.show.text.comparison import attribution, comparison
from optimizer.show.text.printed_differences import differences, letter
from optimizer.show.view import View
from optimizer.studies.attribution import Attribution
from optimizer.studies.whatif import Comparison

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
