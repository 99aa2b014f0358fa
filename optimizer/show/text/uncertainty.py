"""The printed report on uncertainty: what it costs, what flexibility is worth and what to do first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from rich.console import Console

from gwplan.catalogue.tolerances import KILOWATT
from gwplan.show.page import Page, decimals, formatter, left_out, listed, number, percent, printed
from gwplan.show.text.decisions import moves_before_reveal, tree_of_moves
from gwplan.studies.uncertainty import Future, OptionValue, Point, Uncertainty

Money = Callable[[float], str]

MOST_FUTURES: Final = 16
MOST_OPTIONS: Final = 8
MOST_PATHWAYS: Final = 4

OPTIONS: Final = (
    ("cancellation", "the right to cancel a contract in its window"),
    ("exit", "the right to end a pathway's deals by notice"),
    ("notice", "a notice that takes its time, against capacity that is back at once"),
    ("breach", "the right to break deals off without notice"),
    ("contract", "a contract, with all it delivers and costs"),
)
"""Kind of option, and what it is whose value is shown."""


def print_uncertainty(result: Uncertainty, console: Console | None = None, *, full: bool = False) -> None:
    """Print what uncertainty costs and what to decide when, or all that there is to say of it."""
    money, peak_gw = money_of(result), peak_gw_of(result)
    with printed(console) as page:
        if not full:
            in_short(page, result, money, peak_gw)
            frontier(page, result, money)
            return
        heading(page, result)
        figures(page, result, money)
        futures(page, result, money)
        information(page, result, money)
        options(page, result, money)
        frontier(page, result, money)
        moves_before_reveal(page, result.first_moves, peak_gw)
        tree_of_moves(page, result.first_moves, peak_gw)


def in_short(page: Page, result: Uncertainty, money: Money, peak_gw: float) -> None:
    """Show the measures with their shares of the plan, what contracts are worth, and which are signed or ended."""
    many, rp = len(result.scenarios), result.rp_bn

    def share(bn: float | None) -> str:
        return percent(bn / rp) if bn is not None and rp > 0 else "-"

    if many < 2:
        page.heading(f"UNCERTAINTY of {result.instance.name}: none within the plan's dates, one scenario")
    else:
        react = f"; to react to what is learnt is worth {share(result.reallocation_bn)}"
        page.heading(
            f"UNCERTAINTY of {result.instance.name}: perfect information would add {share(result.evpi_bn)} of the plan"
            f"{react if result.reallocation_bn is not None else ''}"
        )
    measures = (
        ("plan under uncertainty (recourse problem, RP)", rp, False),
        ("perfect information would add (EVPI)", result.evpi_bn, True),
        (f"planning for {many} scenarios instead of as written adds (VSS)", result.vss_bn, True),
        ("re-splitting as scenarios unfold is worth", result.reallocation_bn, True),
        ("uses sharing the same capacity are worth", result.fungibility_bn, True),
    )
    rows = [
        [label, "none" if bn is None else money(bn), share(bn) if shared else ""]
        for label, bn, shared in (measures if many > 1 else (measures[0], measures[4]))
    ]
    page.table(["", "$bn", "of plan"], rows, "nrr")
    for kind, label in (("cancellation", "Right to terminate"), ("exit", "Right to end deals")):
        own = sorted((o for o in result.options if o.option == kind), key=lambda o: -(o.value_bn or 0.0))
        worth = [f"{o.name} {money(o.value_bn)}" for o in own if o.value_bn is not None and float(money(o.value_bn))]
        page.note(f"{label}, $bn: {', '.join(worth[:MOST_OPTIONS])}." if worth else "")
    bad = sorted(
        (
            o
            for o in result.options
            if o.option == "contract" and o.value_bn is not None and float(money(o.value_bn)) < 0
        ),
        key=lambda o: o.value_bn or 0.0,
    )
    named = [f"{o.name} {money(o.value_bn or 0.0)}" for o in bad]
    page.note(f"Contracts worth less than they cost, $bn: {', '.join(named[:MOST_OPTIONS])}." if named else "")
    _contract_acts(page, result, peak_gw)
    for name, reason in result.reasons.items():
        page.note(f"{name.removesuffix('_bn')}: none, {reason}.")
    page.note("Scenarios, every option and every move on every branch: --full")


def _contract_acts(page: Page, result: Uncertainty, peak_gw: float) -> None:
    """Show what is signed and given back on each branch: contracts bind, where splits may be changed again."""
    least, write = 0.5 * 10.0 ** -decimals([peak_gw]), formatter([peak_gw])
    lines = []
    for branch in sorted(result.first_moves, key=lambda branch: (branch.since, -branch.probability)):
        acts = []
        for kind, verb in (("offer", "sign"), ("cancel", "give back")):
            named = [
                f"{move.source} {write(move.gw)}" for move in branch.moves if move.decision == kind and move.gw >= least
            ]
            acts += [f"{verb} {', '.join(named)}"] if named else []
        if acts:
            lines.append(f"{branch.since[:7]}  {_known(branch.known)} {percent(branch.probability)}: {'; '.join(acts)}")
    page.heading(
        "WHEN, IF AND HOW LIKELY: contracts to sign and to give notice on, GW"
        if lines
        else "No contract is signed or given back on any branch"
    )
    for line in lines[:MOST_FUTURES]:
        page.item(line)
    more = len(lines) - MOST_FUTURES
    page.note(f"{more} more branches: --full" if more > 0 else "")


def _known(known: str) -> str:
    return ", ".join(part.partition("=")[2] for part in known.split(", ") if part) or "always"


def money_of(result: Uncertainty) -> Money:
    """Return what writes $bn, with one decimal more than worth needs: what is of interest are small differences."""
    places = decimals([result.rp_bn, *(future.worth_bn for future in result.scenarios)]) + 1
    return lambda bn: number(bn, places)


def peak_gw_of(result: Uncertainty) -> float:
    """Return the largest GW that contracts deliver together, by which moves are told large or small."""
    return float(result.plan.laid_out.data.supply.sum(axis=0).max(initial=0.0))


def heading(page: Page, result: Uncertainty) -> None:
    """Say what was planned for, and how futures are weighed."""
    page.heading("Uncertainty of", f" {result.instance.name}")
    count = len(result.scenarios)
    if count > 1:
        page.note(f"{count} futures (combinations of outcomes); they differ from {result.first_reveal} on.")
    else:
        page.note("One future: nothing uncertain is revealed within the plan's dates, so foresight adds nothing.")
    if result.instance.applied:
        page.brief(f"Changed from the instance as written: {'; '.join(result.instance.applied)}", 3)
    weighed = "expected worth"
    if result.aversion:
        weighed = (
            f"{1 - result.aversion:g} x expected worth + {result.aversion:g} x the mean worth of the worst "
            f"{100 * result.tail:g}% of futures"
        )
    page.note(f"All figures in $bn (billions of US dollars): {weighed}, discounted, penalties included.")


def figures(page: Page, result: Uncertainty, money: Money) -> None:
    """Show what foresight, planning for the tree, splitting anew and fungible capacity are worth."""
    kept = f"kept until {result.first_reveal}; the best plan after" if result.first_reveal else "kept throughout"
    meanings = (
        ("RP", "rp_bn", "the plan: every decision is the best that what is known by then allows"),
        ("WS", "ws_bn", "each future planned alone, as if it were known from the start"),
        ("EVPI", "evpi_bn", "WS - RP: the most that any forecast could add"),
        ("EEV", "eev_bn", f"the plan of the instance as written, without outcomes, {kept}"),
        ("VSS", "vss_bn", "RP - EEV: what planning for all futures adds to planning as written"),
        ("rigid", "rigid_bn", "the best plan with one split of the capacity per period for all futures"),
        ("reallocation", "reallocation_bn", "RP - rigid: what it is worth to split anew as futures unfold"),
        ("dedicated", "dedicated_bn", "the best plan in which each pathway owns a fixed part of each pool"),
        ("fungibility", "fungibility_bn", "RP - dedicated: what it is worth that GW can change their use"),
    )
    page.heading("What uncertainty costs and what flexibility is worth", "")
    rows = []
    for label, name, meaning in meanings:
        value = getattr(result, name)
        reason = result.reasons.get(name, "")
        rows.append((label, "none" if value is None else money(value), f"{meaning} - {reason}" if reason else meaning))
    page.facts(rows)
    _reading(page, result)


def _reading(page: Page, result: Uncertainty) -> None:
    """Say the figures in a sentence, as shares of the plan's worth."""
    if result.rp_bn <= 0 or len(result.scenarios) < 2:
        return
    shares = [f"foresight would add {percent(result.evpi_bn / result.rp_bn)} of the plan's worth"]
    if result.reallocation_bn is not None:
        shares.append(f"splitting anew as futures unfold is {percent(result.reallocation_bn / result.rp_bn)} of it")
    if result.fungibility_bn is not None:
        shares.append(f"fungible GW are {percent(result.fungibility_bn / result.rp_bn)} of it")
    page.note(f"In short: {listed(shares)}.")


def futures(page: Page, result: Uncertainty, money: Money) -> None:
    """Show worth, worth with foresight and regret by future, the worst first, and how worth is spread."""
    if len(result.scenarios) < 2:
        return
    ordered = sorted(result.scenarios, key=lambda future: future.worth_bn)
    shown, rest = ordered, 0
    if len(ordered) > MOST_FUTURES:
        worst = MOST_FUTURES * 2 // 3
        shown, rest = [*ordered[:worst], *ordered[worst - MOST_FUTURES :]], len(ordered) - MOST_FUTURES
    page.heading("Worth by future", ", the worst first")
    page.table(
        [_parts(shown[0], 0), "chance", "worth", "with\nforesight", "regret"],
        [
            [_parts(f, 2), percent(f.probability), money(f.worth_bn), money(f.foresight_bn), money(f.regret_bn)]
            for f in shown
        ],
    )
    page.note(left_out((rest, "future between the worst and the best")))
    page.note("regret: what the plan misses in a future against the plan made for that future alone.")
    spread = ", ".join(f"{100 * share:g}%: {money(bn)}" for share, bn in result.quantiles_bn.items())
    page.note(
        f"Expected {money(result.expected_bn)}; mean of the worst {100 * result.tail:g}% (CVaR) "
        f"{money(result.cvar_bn)}. Worth is at most, with a chance of {spread}."
    )


def _parts(future: Future, place: int) -> str:
    """Return the factors (0) or the outcomes (2) that a future is told by."""
    return " / ".join(part.partition("=")[place] for part in future.known.split(", "))


def information(page: Page, result: Uncertainty, money: Money) -> None:
    """Show what knowing each factor now, and nothing else earlier, would add."""
    if not result.information:
        return
    page.heading("What knowing one thing now would add", "")
    rows = [[entry.factor, entry.revealed, money(entry.value_bn)] for entry in result.information]
    page.table(["if revealed at the start", "not on", "adds"], rows, "nlr")
    together = sum(entry.value_bn for entry in result.information)
    if len(rows) > 1:
        page.note(f"One at a time; their sum is {money(together)}, knowing all at once adds {money(result.evpi_bn)}.")


def options(page: Page, result: Uncertainty, money: Money) -> None:
    """Show what each option in the data adds, by kind, the most valuable first."""
    if not result.options:
        return
    page.heading("What each option adds", ", taken away alone and all else planned anew")
    rows: list[list[str]] = []
    missing: list[str] = []
    for kind, title in OPTIONS:
        own = [option for option in result.options if option.option == kind]
        own.sort(key=lambda o: (o.value_bn is not None, -(o.value_bn or 0.0)))  # first what no plan can do without
        if not own:
            continue
        rows.append([title])
        shown = own if len(own) <= MOST_OPTIONS else [*own[: MOST_OPTIONS // 2], *own[-MOST_OPTIONS // 2 :]]
        rows += [_option(entry, money) for entry in shown]
        if len(own) > len(shown):
            rows.insert(len(rows) - MOST_OPTIONS // 2, [f"  ... {len(own) - len(shown)} between, see --json"])
        missing += [f"{kind} {o.name}: {o.reason}" for o in shown if o.reason]
    page.table(["", "adds", "RP without"], rows)
    page.note("Negative: the plan would be worth more without it.")
    for reason in missing:
        page.note(f"{reason}.")


def _option(entry: OptionValue, money: Money) -> list[str]:
    cells = ("none" if bn is None else money(bn) for bn in (entry.value_bn, entry.without_bn))
    return [f"  {entry.name}", *cells]


def frontier(page: Page, result: Uncertainty, money: Money) -> None:
    """Show expected worth against the mean of the worst, and how the plan changes, by aversion."""
    if not result.frontier:
        return
    first = result.frontier[0]
    differences = {p: max(abs(point.gw_years[p] - gw) for point in result.frontier) for p, gw in first.gw_years.items()}
    named = sorted(first.gw_years, key=lambda p: -differences[p])[:MOST_PATHWAYS]
    named = [p for p in first.gw_years if p in named]
    moved = [np.subtract(_compared(point, named), _compared(first, named)) for point in result.frontier]
    changes = np.where(np.abs(moved) > KILOWATT, moved, 0.0).tolist()  # less is the solver's rounding
    places = max(decimals([change for row in changes for change in row]) - 1, 2)

    def gw(change: float) -> str:
        return number(change, places)

    page.heading("Risk frontier", ": expected worth against the mean of the worst futures")
    page.table(
        ["aversion", "expected", f"worst\n{100 * result.tail:g}%", *(f"{p}\nGW-years" for p in named),
         "idle\nGW-years", "cancel\nGW"],
        [_point(result, index, changes[index], money, gw) for index in range(len(result.frontier))],
    )  # fmt: skip
    page.note(f"Change of the plan against aversion {first.aversion:g}, expected; * the instance's own aversion.")
    page.note(left_out((len(first.gw_years) - len(named), "pathway that changes less")))


def _compared(point: Point, named: Sequence[str]) -> list[float]:
    """Return the figures of the table whose change is told."""
    return [*(point.gw_years[p] for p in named), point.idle_gw_years, point.cancelled_gw]


def _point(result: Uncertainty, index: int, changes: Sequence[float], money: Money, gw: Money) -> list[str]:
    point = result.frontier[index]
    own = "*" if point.aversion == result.aversion else ""
    signed = [gw(change) if change < 0 or float(gw(change)) == 0 else f"+{gw(change)}" for change in changes]
    return [
        f"{point.aversion:g}{own}",
        money(point.expected_bn),
        money(point.cvar_bn),
        *(signed if index else ["" for _ in signed]),
    ]
