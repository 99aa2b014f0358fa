"""The printed price of a given allocation, and of locks, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.show.page import Page, decimals, formatter, left_out, number
from optimizer.studies.evaluate import Evaluation
from optimizer.studies.lock_costs import LockCost

MOST_BROKEN = 12


def evaluation(page: Page, found: Evaluation) -> None:
    """Show the limits that a given allocation breaks, its worth, and where the gap to the best plan arises."""
    plan, best = found.plan, found.best
    money = formatter([plan.objective_bn, best.objective_bn])
    page.heading(f"GIVEN ALLOCATION of {plan.instance.name}: what was not given is chosen best")
    lifted = ", as if the limits that it breaks were lifted that far" if found.broken else ""
    page.facts(
        [
            ("Worth", f"{money(plan.objective_bn)} $bn", f"of the given allocation{lifted}"),
            ("Best plan", f"{money(best.objective_bn)} $bn", "of the plan that gwplan would choose"),
            ("Gap", f"{money(found.gap_bn)} $bn", "best plan less the given allocation"),
            ("Cash (NPV)", f"{money(plan.npv_bn)} $bn", f"against {money(best.npv_bn)} $bn of the best plan"),
        ]
    )
    page.heading(f"LIMITS that it breaks: {len(found.broken)}" if found.broken else "LIMITS: it keeps them all")
    for broken in found.broken[:MOST_BROKEN]:
        where = f"{broken.start}{', ' + broken.known if broken.known else ''}"
        times = f"on {broken.nodes} nodes, first at {where}" if broken.nodes > 1 else f"at {where}"
        page.note(
            f"- {broken.words}: by {number(broken.most_gw, 3)} GW{' at most' if broken.nodes > 1 else ''}, {times}"
        )
    page.note(left_out((len(found.broken) - MOST_BROKEN, "limit")))
    _gap(page, found)


def _gap(page: Page, found: Evaluation) -> None:
    table = found.gap_by_year()
    table = table[(table.abs() > 1e-6).any(axis=1)]
    if not len(table):
        return
    page.heading("WHERE THE GAP ARISES: best plan less the given one, $bn, expected and discounted")
    places = min(decimals(table.to_numpy().ravel()), 3)
    years = [str(year) for year in table.columns]
    rows = [
        [str(owner), *(number(v, places) for v in row), number(row.sum(), places)] for owner, row in table.iterrows()
    ]
    total = [number(v, places) for v in table.sum()]
    page.table(["", *years, "all"], [*rows, ["all", *total, number(float(table.to_numpy().sum()), places)]])
    if found.plan.instance.aversion:
        page.note("The objective weighs bad outcomes too, so that its gap is another than the expected one here.")


def locks(page: Page, costs: Sequence[LockCost]) -> None:
    """Show what each lock costs."""
    page.heading("WHAT EACH LOCK COSTS: worth without it, the others held, less worth with it, $bn")
    places = min(decimals([cost.cost_bn for cost in costs]), 4)
    page.table(["", "$bn"], [[cost.lock, number(cost.cost_bn, places)] for cost in costs])
