"""The printed plan: what to do, what it is worth and why, on a terminal of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from rich.console import Console

from gwplan.catalogue.tolerances import DIGITS, ROUNDING
from gwplan.plan.obligations import owed
from gwplan.plan.plan import Plan, expected_bn
from gwplan.show.page import Page, formatter, percent, printed
from gwplan.show.text.brief import brief
from gwplan.show.text.decisions import cancellations, deals, first_period, offers
from gwplan.show.text.values import branches, limits, more_supply, next_gw, use_by_year, worth_by_part
from gwplan.show.view import View

MOST_CHANGES = 4
MOST_WARNINGS = 1

NEXT_TO_NOTHING = 1e-3
"""$bn per GW through a year below which a loss is next to nothing: a GW-year is worth about a thousand times that."""

MATTERS = 0.1
"""Share of a year's use from which on a pathway is named as what it loses most to take a GW from."""


def print_plan(plan: Plan, console: Console | None = None, *, full: bool = False, show: Sequence[str] = ()) -> None:
    """Print a plan in short, in full, or some of its `BLOCKS`.

    Block characters are drawn on a UTF-8 terminal only.
    """
    with printed(console) as page:
        view = View(plan)
        for name in show:
            before = len(page.lines)
            for part in BLOCKS[name]:
                part(page, view)
            if len(page.lines) == before:
                page.note(f"The plan has no {name} to show.")
        if full and not show:
            parts = [heading, headline, use_by_year, worth_by_part, first_period, offers, cancellations, deals, next_gw,
                     more_supply, limits, branches, warnings]  # fmt: skip
            for part in parts:
                part(page, view)
        elif not show:
            brief(page, view, BLOCKS)


def heading(page: Page, view: View) -> None:
    """Say what was planned, for when, and whether the plan is proved best."""
    page.heading("Plan of", f" {view.instance.name}, from {view.dates[0]} until {view.dates[-1]}")
    for line in lead(view):
        page.note(line)


def lead(view: View) -> list[str]:
    """Return what was planned, whether the plan is proved best, over what, and what was changed for it."""
    instance = view.instance
    lines = [instance.description] if instance.description else []
    lines += filter(None, (_proof(view.plan), _firm(view)))
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
        proved = f"{gap:.0e}" if gap > DIGITS else f"< {DIGITS:.0e}"
        if "bound_bn" in certificate:
            return (
                f"Optimal with whole offers, cancellations and blocks: it keeps every limit, and by the solver's "
                f"search no plan is worth more than {certificate['bound_bn']:.6g} $bn (MIP gap {proved})."
            )
        return f"Proved optimal: it keeps every limit and no plan is worth more (gap {proved})."
    known = gap is not None and math.isfinite(gap)
    bound = f"it may miss {100 * gap:.2g}% of worth" if known else "how far it is from the best is not known"
    return f"NOT PROVED BEST, stopped ({plan.status.replace('_', ' ')}): it keeps every limit; {bound}."


def _firm(view: View) -> str:
    """Return in words what it loses to move a GW, least and most, the most of pathways that have something to lose."""
    yearly, now = [], []
    shares = _shares(view)
    for cell in view.plan.tables["firmness"].to_dict("records"):
        for side in ("less", "more"):
            loss, when = cell[f"{side}_loses_bn_per_gw"], cell["when"]
            if not math.isfinite(loss):
                continue
            matters = side == "less" and shares.get((cell["pathway"], when), 0.0) >= MATTERS
            if when == "first":
                now.append(loss)
            else:
                yearly.append((loss, f"{side} {cell['pathway']} in {when}", matters))
    if not yearly:
        return ""
    softest, soft, _ = min(yearly)
    hardest, hard, _ = max((move for move in yearly if move[2]), default=(0.0, soft, True))
    least = "may lose next to nothing" if softest < NEXT_TO_NOTHING else f"loses at least {_millions(softest)}"
    most = f" or at least {_millions(hardest)} ({hard})" if hardest >= NEXT_TO_NOTHING and hard != soft else ""
    begin = min(now, default=0.0)
    first = f"; in the first {view.instance.resolution} at least {_millions(begin)}" if begin >= NEXT_TO_NOTHING else ""
    return f"How firm: 1 GW moved for a year {least} ({soft}){most}{first}."


def _shares(view: View) -> dict[tuple[str, str], float]:
    """Return each pathway's share of what is used in each year, expected."""
    year = np.array([date[:4] for date in view.dates])[view.tree.period]
    shares = {}
    for when in np.unique(year).tolist():
        used = view.use.values[:, year == when] @ view.weight[year == when]
        for name, gw in zip(view.use.names, used.tolist(), strict=True):
            shares[name, when] = gw / max(float(used.sum()), 1e-300)
    return shares


def _millions(bn: float) -> str:
    return f"${1000 * bn:,.0f}m"


def headline(page: Page, view: View) -> None:
    """Show worth, cash, use and the range over the futures, each with what it means."""
    summary, money = view.plan.summary, view.money
    aversion, tail = view.instance.aversion, view.instance.tail
    expected = expected_bn(summary)
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
    rows += _owed_after(view)
    if count := len(view.plan.warnings):
        rows.append(("Warnings", str(count), "on the instance: read them first, at the end"))
    page.facts(rows)


def _owed_after(view: View) -> list[tuple[str, str, str]]:
    """Say what contracts still cost after the horizon, whatever of it the plan counts."""
    after = owed(view.plan.laid_out, view.plan.decided.cancelled, view.plan.decided.signed).bought()
    bn, rows = float(after.probability @ after.after.sum(axis=1)), view.instance.tables["contracts"]
    endless = int((rows["end"].isna() & (rows["side"] != "sell") & (rows["cost_bn_per_gw_year"].fillna(0.0) > 0)).sum())
    if bn < ROUNDING and not endless:
        return []
    words = f"undiscounted, after {view.dates[-1]}"
    words += f"; {endless} contract{'s' if endless > 1 else ''} without end" if endless else ""
    return [("Owed after", f"{view.money(bn)} $bn" if bn >= ROUNDING else "unknown", words)]


def _extremes(view: View) -> list[tuple[str, str, str]]:
    leaves, worth = view.tree.leaves, view.worth_of_future[view.tree.example[view.tree.leaves]]
    rows = []
    for label, leaf in (("Worst case", int(worth.argmin())), ("Best case", int(worth.argmax()))):
        known = view.tree.known[leaves[leaf]]
        outcomes = ", ".join(view.outcome(f, int(known[f])) for f in view.branching)
        chance = percent(float(view.tree.probability[leaves[leaf]]))
        rows.append((label, f"{view.money(float(worth[leaf]))} $bn", f"{outcomes} ({chance})"))
    return rows


def firmness(page: Page, view: View) -> None:
    """Show what a GW less and a GW more of each pathway loses at least, in the first period and by year."""
    rows = view.plan.firmness
    if not rows["less_loses_bn_per_gw"].notna().any():
        page.note("How firm the plan is was not worked out: it takes a linear program proved optimal.")
        return
    when = list(dict.fromkeys(rows["when"]))
    cells = {(row["pathway"], row["when"]): row for row in rows.to_dict("records")}
    page.heading("How firm", ": what a GW less / a GW more of mean use loses at least, $m")
    first = f"first\n{view.instance.resolution}"
    page.table(
        ["", *(first if name == "first" else name for name in when)],
        [[p, *("/".join(_loss(cells[p, w][f"{side}_loses_bn_per_gw"]) for side in ("less", "more")) for w in when)]
         for p in dict.fromkeys(rows["pathway"])],
    )  # fmt: skip
    page.note(
        "0: another split may be worth as much. none: no plan has less, or more. `gwplan alternatives` re-solves."
    )


def _loss(bn: float) -> str:
    return "none" if math.isinf(bn) else "-" if math.isnan(bn) else f"{1000 * bn:,.0f}"


def warnings(page: Page, view: View) -> None:
    """Show the first warnings and how many there are."""
    plan = view.plan
    if not plan.warnings:
        return
    count = len(plan.warnings)
    page.heading(f"{count} WARNING{'S' if count > 1 else ''} on the instance; `gwplan check` shows all in full")
    for warning in plan.warnings[:MOST_WARNINGS]:
        page.brief(f"- {warning}", most=2)


BLOCKS: Final[Mapping[str, tuple[Callable[[Page, View], None], ...]]] = {
    "value": (headline, worth_by_part),
    "contracts": (offers, cancellations),
    "deals": (deals,),
    "buy": (next_gw, more_supply),
    "limits": (limits,),
    "scenarios": (branches,),
    "firmness": (firmness,),
    "warnings": (warnings,),
}
"""What may be shown by itself."""
