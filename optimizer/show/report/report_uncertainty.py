"""The report on uncertainty: what it costs, the frontier of risk, options, first moves."""

from __future__ import annotations

from functools import partial
from typing import Any

from optimizer.show.charts import charts_spread
from optimizer.show.report.report import Report
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
from optimizer.studies.uncertainty.uncertainty import Uncertainty

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
        draw = partial(charts_spread.frontier, found.frontier, found.tail, found.aversion)
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
