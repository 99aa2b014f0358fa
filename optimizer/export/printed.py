"""The printed plan: what to do, what it is worth and why, on a terminal of 80 columns."""

from __future__ import annotations

import math

from rich.console import Console

from optimizer.export.printed_decisions import cancellations, deals, first_period
from optimizer.export.printed_layout import Page, formatter, left_out, percent, printed
from optimizer.export.printed_overview import use_by_year, worth_by_part
from optimizer.export.printed_values import branches, limits, next_gw
from optimizer.export.printed_view import View
from optimizer.results.plan import Plan

MOST_CHANGES = 4
MOST_WARNINGS = 1
ROUNDING = 1e-12
"""Below this a gap is the arithmetic's own, and differs from machine to machine."""


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """Print a plan that a capacity planner can act on.

    Parameters
    ----------
    plan : Plan
        The plan: capacity in GW, money in $bn.
    console : rich.console.Console, optional
        Where to print; standard output by default. Block characters are drawn on a UTF-8 terminal only.
    """
    with printed(console) as page:
        view = View(plan)
        heading(page, view)
        headline(page, view)
        for part in (use_by_year, worth_by_part, first_period, cancellations, deals, next_gw, limits, branches):
            part(page, view)
        warnings(page, plan)


def heading(page: Page, view: View) -> None:
    """Say what was planned, for when, and whether the plan is proved best."""
    page.heading("Plan of", f" {view.instance.name}, from {view.dates[0]} until {view.dates[-1]}")
    for line in lead(view):
        page.note(line)


def lead(view: View) -> list[str]:
    """Return what was planned, whether the plan is proved best, over what, and what was changed for it."""
    instance = view.instance
    lines = [instance.description] if instance.description else []
    lines += filter(None, (_proof(view.plan), _firm(view.plan)))
    count = f"{view.calendar.periods} {instance.resolution}{'s' if view.calendar.periods > 1 else ''}"
    futures = len(view.tree.leaves)
    tree = f"{futures} futures (combinations of outcomes)" if futures > 1 else "one future (no uncertainty)"
    lines.append(f"{count}, {tree}. $bn = billions of US dollars.")
    if instance.applied:
        more = len(instance.applied) - MOST_CHANGES
        shown = [*instance.applied[:MOST_CHANGES], *([f"{more} more"] if more > 0 else [])]
        lines.append(f"Changed from the instance as written: {'; '.join(shown)}")
    return lines


def _proof(plan: Plan) -> str:
    """Return the certificate in a sentence."""
    certificate = plan.summary["certificate"]
    gap = certificate.get("mip_gap", certificate["gap"])
    if plan.status == "optimal" and certificate["optimal"]:
        proved = f"{gap:.0e}" if gap > ROUNDING else f"< {ROUNDING:.0e}"
        if "bound_bn" in certificate:
            return (
                f"Optimal with whole cancellations and blocks: it keeps every limit, and by the solver's search no "
                f"plan is worth more than {certificate['bound_bn']:.6g} $bn (MIP gap {proved})."
            )
        return f"Proved optimal: it keeps every limit and no plan is worth more (gap {proved})."
    known = gap is not None and math.isfinite(gap)
    bound = f"it may miss {100 * gap:.2g}% of worth" if known else "how far it is from the best is not known"
    return f"NOT PROVED BEST, stopped ({plan.status.replace('_', ' ')}): it keeps every limit; {bound}."


def _firm(plan: Plan) -> str:
    """Return in words what other splits by pathway lose at least; blank where that is not known."""
    sides = [
        (cell[f"{side}_loses_bn_per_gw"], side, cell["pathway"], cell["when"])
        for cell in plan.tables["firmness"].to_dict("records")
        for side in ("less", "more")
        if math.isfinite(cell[f"{side}_loses_bn_per_gw"])
    ]
    if not sides:
        return ""
    first = min((side for side in sides if side[-1] == "first"), default=None)
    loss, side, pathway, when = min((side for side in sides if side[-1] != "first"), default=first or sides[0])
    where = f"{side} {pathway} in {when}"
    now = f"; one now at least {_millions(first[0])}" if first and first[0] else ""
    if not loss:
        return f"How firm: another split may be worth as much, as one with {where}{now}."
    return f"How firm: another split by year loses at least {_millions(loss)} per GW ({where}){now}."


def _millions(bn: float) -> str:
    millions = 1000 * bn
    return f"${millions:,.0f} million" if millions >= 100 else f"${millions:.2g} million"


def headline(page: Page, view: View) -> None:
    """Show worth, cash, use and the range over the futures, each with what it means."""
    summary, money = view.plan.summary, view.money
    aversion, tail = view.instance.aversion, view.instance.tail
    expected = sum(amount for part in view.parts.values() for amount in part.values())
    rows = [("Worth", f"{money(expected)} $bn", f"what the plan maximises: {view.weighed}")]
    if aversion:
        worst = (view.plan.objective_bn - (1 - aversion) * expected) / aversion
        rows = [
            (
                "Objective",
                f"{money(view.plan.objective_bn)} $bn",
                f"what the plan maximises: {1 - aversion:g} x expected worth + {aversion:g} x {money(worst)}, the mean "
                f"worth of the worst {100 * tail:g}% of futures",
            ),
            ("Worth", f"{money(expected)} $bn", view.weighed),
        ]
    rows.append(("Cash (NPV)", f"{money(view.plan.npv_bn)} $bn", "the part of worth that is cash within these dates"))
    rows += _extremes(view) if view.branching else []
    idle = formatter([summary["idle_gw_years"], sum(summary["expected_gw_years"].values())])
    meaning = "of the GW kept, not cancelled"
    if summary["idle_gw_years"] >= view.least_gw:
        cost = f"{money(summary['idle_cost_bn'])} $bn"
        meaning = f"of GW kept; {idle(summary['idle_gw_years'])} idle GW-years cost {cost} in prices"
    rows.append(("In use", percent(summary["utilisation"]), meaning))
    if earlier := view.instance.earlier:
        moved = summary["moved_gw_years"]
        meaning = f"GW-years off the earlier plan, at {earlier.move_cost_bn_per_gw_year:g} $bn per GW-year"
        rows.append(("Moved", formatter([moved])(moved), meaning))
    if count := len(view.plan.warnings):
        rows.append(("Warnings", str(count), "on the instance: read them first, at the end"))
    page.facts(rows)


def _extremes(view: View) -> list[tuple[str, str, str]]:
    leaves, worth = view.tree.leaves, view.worth_of_future[view.tree.example[view.tree.leaves]]
    rows = []
    for label, leaf in (("Worst case", int(worth.argmin())), ("Best case", int(worth.argmax()))):
        known = view.tree.known[leaves[leaf]]
        outcomes = ", ".join(view.outcome(f, int(known[f])) for f in view.branching)
        chance = percent(float(view.tree.probability[leaves[leaf]]))
        rows.append((label, f"{view.money(float(worth[leaf]))} $bn", f"{outcomes} ({chance})"))
    return rows


def warnings(page: Page, plan: Plan) -> None:
    """Show the first warnings and how many there are."""
    if not plan.warnings:
        return
    count = len(plan.warnings)
    page.heading(f"{count} WARNING{'S' if count > 1 else ''} on the instance; `gwplan check` shows all in full")
    for warning in plan.warnings[:MOST_WARNINGS]:
        page.brief(f"- {warning}", most=2)
    page.note(left_out((count - MOST_WARNINGS, "warning")))
