"""The report of a plan: what to do, what it is worth and why, and what all of it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from optimizer.kept.run import Run
from optimizer.language.edits import spell
from optimizer.plan import claims as of_instance
from optimizer.plan.first_moves import first_moves, kept_decisions
from optimizer.problems import InstanceError
from optimizer.show.charts import charts_futures, charts_money, charts_vendors
from optimizer.show.charts import decisions as charts_decisions
from optimizer.show.charts import money as charts_worth
from optimizer.show.charts import over_time as charts
from optimizer.show.charts import position as charts_position
from optimizer.show.charts.drawing import Chart, worth
from optimizer.show.page import percent
from optimizer.show.report.report import Report
from optimizer.show.report.report_sources import contracts, rests_on, rows_as_written
from optimizer.show.text.claims import figure, judged
from optimizer.show.text.decisions import cancellations, deals, first_period, notices
from optimizer.show.text.exposure import obligations
from optimizer.show.text.first_moves import moves_before_reveal, tree_of_moves
from optimizer.show.text.plan import headline, lead
from optimizer.show.text.printed_overview import use_by_year, worth_by_part
from optimizer.show.text.values import branches, limits, next_gw
from optimizer.show.view import View
from optimizer.studies import exposure
from optimizer.tree.timeline import timeline

WORDS: Final = {
    "GW": "gigawatts of compute capacity that can be used (IT load); a GW-year is one GW used for a year",
    "$bn": "billions of US dollars; worth and cash are discounted to the start of the plan, obligations are not",
    "pathway": "a use of capacity, such as training, ads, a model service or short deals",
    "pool": "capacity of one kind, which any contract that supplies it can serve",
    "idle": "delivered and not cancelled, but in no use",
    "supply as signed": "all that the contracts deliver, before any cancellation",
    "worth": "what the plan maximises: value of use less costs and penalties, and what contracts hold after its end",
    "marginal value": "what one more GW of a pool for a year would add to worth, before its own cost",
    "future": "one combination of outcomes of all that is uncertain; a branch is what some futures have in common",
    "window": "the dates between which notice may be given; the capacity ends when the notice is over",
    "blank": "in the table of what to do now: the pathway may not use that pool",
    "grade": "how sure a row of the inputs is: reported, estimate, scenario, or assumption",
}
"""Words that a reader may not know."""


def plan_report(run: Run) -> Report:
    """Return the report of a kept run.

    Parameters
    ----------
    run : Run
        What to show; everything is read from the run itself.
    """
    view = View(run.plan)
    report = Report(f"Plan of {view.instance.name}", [f"From {view.dates[0]} until {view.dates[-1]}.", *lead(view)])
    for section in (
        _summary, _now, _over_time, _futures, _worth, _next_gw, _ways_out, _supply, _owed, _claims, _sources
    ):  # fmt: skip
        section(report, view)
    _certificate(report, run)
    report.section("Words")
    report.say(lambda page: page.table(["word", "meaning"], list(map(list, WORDS.items())), "nl"))
    return report


def _chart(report: Report, view: View, name: str, draw: Callable[[View], Chart]) -> None:
    report.chart(name, partial(draw, view), [worth(view)])


def _say(report: Report, view: View, *parts: Callable[[Any, View], None]) -> None:
    report.say(*(partial(_part, part, view) for part in parts))


def _part(part: Callable[[Any, View], None], view: View, page: Any) -> None:
    part(page, view)


def _summary(report: Report, view: View) -> None:
    report.section("In short")
    _say(report, view, headline)
    _chart(report, view, "GW over time", charts.gw_over_time)
    _say(report, view, use_by_year)


def _now(report: Report, view: View) -> None:
    report.section("What to do first")
    _say(report, view, first_period)
    report.say(partial(moves_before_reveal, **_moves(view)))


def _moves(view: View) -> dict[str, Any]:
    """Return what the parts on first moves are told."""
    laid_out = timeline(view.instance)
    found = first_moves(laid_out, kept_decisions(laid_out, view.plan.tables))
    return {"branches": found, "peak_gw": view.peak_gw, "rest": "gwplan uncertainty --json"}


def _over_time(report: Report, view: View) -> None:
    report.section("What waits idle")
    _chart(report, view, "idle GW", charts.idle_over_time)


def _futures(report: Report, view: View) -> None:
    if not view.branching:
        return
    report.section("What the future decides")
    _say(report, view, branches)
    rows = [
        [factor.name, str(factor.revealed), outcome.name, percent(outcome.probability),
         "; ".join(map(spell, outcome.edits)) or "nothing"]
        for factor in view.instance.factors for outcome in factor.outcomes
    ]  # fmt: skip
    header = ["what is uncertain", "known from", "outcome", "chance", "what it changes in the inputs"]
    report.more("What each outcome changes", header, rows, "nnnrn")
    _chart(report, view, "GW by branch", charts_futures.branches)
    _chart(report, view, "the fan", charts_futures.fan)
    report.say(partial(tree_of_moves, **_moves(view)))


def _worth(report: Report, view: View) -> None:
    report.section("What it is worth")
    _chart(report, view, "worth", charts_worth.waterfall)
    _say(report, view, worth_by_part)


def _next_gw(report: Report, view: View) -> None:
    report.section("What the next GW is worth")
    _chart(report, view, "marginal values", charts_money.marginal_values)
    _say(report, view, next_gw, limits)


def _ways_out(report: Report, view: View) -> None:
    report.section("Cancellations and deals")
    _chart(report, view, "cancellations", charts_decisions.cancellations)
    _say(report, view, cancellations)
    _every_notice(report, view)
    _chart(report, view, "deals", charts_decisions.deals)
    _say(report, view, deals)


def _every_notice(report: Report, view: View) -> None:
    """Add every notice of cancellation with the future in which it is given, shown when asked for."""
    found, nodes = notices(view), view.plan.tables["nodes"]
    known = dict(zip(nodes["node"].tolist(), nodes["known"].tolist(), strict=True))
    rows = [
        [view.dates[int(view.tree.period[node])], known[node] or "every future",
         percent(float(view.tree.probability[node])), str(found.contract[i]), view.gw(float(found.gw[i])),
         percent(float(found.share[i])), str(found.effective[i].astype("datetime64[D]")),
         view.money(float(found.fee_bn[i]))]
        for i, node in enumerate(found.node.tolist())
    ]  # fmt: skip
    if rows:
        header = ["notice given", "in the future", "chance", "contract", "GW", "of it by then", "ends", "fee, $bn"]
        report.more("Every notice, by future", header, rows, "nnrnrrnr")


def _supply(report: Report, view: View) -> None:
    report.section("Contracts and deliveries")
    _chart(report, view, "deliveries", charts_vendors.ramp)
    _chart(report, view, "what was signed", charts_position.signed_by_quarter)
    _chart(report, view, "prices", charts_position.price_premium)
    contracts(report, view)


def _owed(report: Report, view: View) -> None:
    report.section("What is owed")
    _chart(report, view, "obligations", charts_money.obligations_by_year)
    found = exposure.obligations(view.plan)
    report.say(partial(obligations, found=found))


def _claims(report: Report, view: View) -> None:
    report.section("Claims")
    try:
        found = of_instance.judged(view.instance, lambda: view.plan.summary)
    except InstanceError as error:  # a claim may name what an edit took away; the plan does not rest on it
        report.note(f"The claims cannot be judged: {'; '.join(map(str, error.problems))}")
        return
    report.say(partial(judged, claims=found))
    if found:
        rows = [
            [
                c.claim,
                c.statement,
                f"{figure(c.reported)} {c.unit}",
                f"{figure(c.figure)} {c.unit}",
                c.verdict,
                c.source,
            ]
            for c in found
        ]
        header = ["claim", "statement", "reported", "the data give", "verdict", "source"]
        report.more("What each claim says, and its source", header, rows, "nnrrnn")


def _sources(report: Report, view: View) -> None:
    report.section("What the plan rests on")
    rests_on(report, view)
    _chart(report, view, "grades", charts_vendors.grades)
    rows_as_written(report, view)


def _certificate(report: Report, run: Run) -> None:
    report.section("Can it be trusted")
    summary, manifest = run.summary, run.manifest
    certificate = summary["certificate"]
    report.note(
        "The solver's answer was recomputed from the input tables by code that does not share its source, and proved "
        "from its duals. These are the figures of that proof."
    )
    facts = [("Status", str(summary["status"]).replace("_", " "), "what the solver ended with")]
    meanings = {
        "primal_infeasibility": ("Largest limit broken", "relative; 0 is none"),
        "dual_infeasibility": ("Largest dual infeasibility", "relative; 0 is none"),
        "gap": ("Gap", "relative: by how much more a plan could be worth at the most"),
        "mip_gap": ("MIP gap", "relative: what the search for whole cancellations and blocks left open"),
        "bound_bn": ("Bound", "$bn: no plan is worth more"),
        "recomputed_objective_bn": ("Worth, recomputed", "$bn, from the input tables"),
    }
    for name, (label, meaning) in meanings.items():
        if certificate.get(name) is not None:
            facts.append((label, _precise(name, float(certificate[name])), meaning))
    facts.append(("Futures", f"{int(summary['scenarios']):,}", f"on {int(summary['nodes']):,} nodes of the tree"))
    report.facts(facts)
    warnings = manifest.get("warnings", ())
    report.say(lambda page: page.heading(f"Warnings on the instance: {len(warnings)}"))
    for warning in warnings:
        report.note(f"- {warning}")
    report.more("How the plan was made", ["", ""], _made(manifest), "nl")


def _precise(name: str, value: float) -> str:
    return f"{value:.6f}" if name.endswith("_bn") else f"{value:.1e}"


def _made(manifest: Mapping[str, Any]) -> list[list[str]]:
    rows = [["instance", str(manifest["instance"])], ["made", str(manifest["created"])]]
    rows += [["edit", str(edit)] for edit in manifest["edits"]]
    rows += [[f"version of {name}", str(version)] for name, version in manifest["versions"].items()]
    rows += [[f"seconds: {phase}", f"{seconds:.2f}"] for phase, seconds in manifest["timings"].items()]
    rows.append(["sha256 of the instance", str(manifest["digest"])])
    return rows + [[f"sha256 of {name}", str(digest)] for name, digest in manifest["files"].items()]
