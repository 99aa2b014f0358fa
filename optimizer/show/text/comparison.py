"""The printed comparison of what-ifs with their base, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gwplan.catalogue.tolerances import COUNTS, THREE_DECIMALS, TWO_DECIMALS
from gwplan.kept.run import Run
from gwplan.plan.plan import expected_bn
from gwplan.plan.tables import decision_changes, first_period_gw
from gwplan.show.page import Page, cut, decimals, left_out, listed, maximised, number, percent, signed
from gwplan.studies.compare import Figure, allocations, caveats, figure_differences, inputs
from gwplan.studies.whatif import Attribution, ComparedCase, Comparison

NAME = 24
"""Columns that the names of cases may take."""


def comparison(page: Page, compared: Comparison) -> None:
    """Show worth, use, cancellations and marginal values of each case, and what differs from the base."""
    called = maximised(*(case.plan.instance for case in compared.all if case.plan))
    page.heading("What-ifs", f" of {compared.instance.name}: {called} and use (in brackets: difference to the base)")
    columns = [
        (f"{called}\n$bn", _shown(compared, Figure("objective_bn"))),
        *([("worth,\nexpected", _expected(compared))] if called != "worth" else []),
        ("cash (NPV)\n$bn", _shown(compared, Figure("npv_bn"))),
        ("idle\nGW-years", _shown(compared, Figure("idle_gw_years"))),
        ("in use", lambda case: percent(case.figures[Figure("utilisation")])),
    ]
    _table(page, compared, columns)
    for group, *heading in (
        ("gw_years", "GW-years by pathway", ", expected (difference to the base)"),
        ("cancelled_gw", "Cancelled", " by the end, GW by contract, expected (difference to the base)"),
        ("signed_gw", "Signed", " by the end, GW by offer, expected (difference to the base)"),
        ("marginal_value", "What the next GW is worth", ", mean, $bn per GW-year (difference to the base)"),
    ):
        names = [name for name in compared.named(group) if _told(compared, Figure(group, name))]
        if names:
            page.heading(*heading)
            _table(page, compared, [(name, _shown(compared, Figure(group, name))) for name in names])
        elif group == "cancelled_gw" or (compared.named(group) and group == "signed_gw"):
            page.heading(heading[0], ": nothing in any case")
    for case in compared.cases:
        if case.failure:
            page.note(f"{case.name} has no plan: {case.failure}.")


def in_short(page: Page, compared: Comparison) -> None:
    """Show each case in a line, the largest loss first: value, whether the decision due changes, GW given back."""
    called = (
        "objective" if maximised(*(case.plan.instance for case in compared.all if case.plan)) != "worth" else "value"
    )
    instance, base, worth = compared.instance, compared.base, Figure("objective_bn")
    page.heading("What-ifs", f" of {instance.name}, largest loss first")
    cases = sorted((case for case in compared.cases if case.plan), key=lambda case: case.figures[worth])
    places = decimals([case.figures[worth] for case in (base, *cases)]) - 1
    now = instance.resolution
    rows = [[base.name, number(base.figures[worth], places), "", "", _given_back(base)]]
    for case in cases:
        value, moved = case.figures[worth], case.changes(base)
        first = "no" if not moved else "{} {:.2f}->{:.2f}".format(*moved[0]) + f" +{len(moved) - 1}" * (len(moved) > 1)
        by = signed(number(value - base.figures[worth], places))
        rows.append([cut(case.name, NAME), number(value, places), by, first, _given_back(case)])
    page.table(["", f"{called}\n$bn", "change\n$bn", f"this {now}\nchanges?", "given back\nGW"], rows, "nrrlr")
    for case in compared.cases:
        if case.failure:
            page.note(f"{case.name} has no plan: {case.failure}.")
    same = sum(not case.changes(base) for case in cases)
    if cases:
        page.note(
            f"In {same} of {len(cases)} this {now}'s decision is the same, to {1000 * COUNTS:g} MW a pathway. "
            f"By use, contract and price: {page.where()}"
        )


def _given_back(case: ComparedCase) -> str:
    contracts = case.plan.instance.tables["contracts"] if case.plan else None
    bought = set() if contracts is None else set(contracts["contract"][contracts["side"] != "sell"])
    given = sum(gw for f, gw in case.figures.items() if f.group == "cancelled_gw" and f.name.split("@")[0] in bought)
    return number(given, 2) if given >= TWO_DECIMALS else "-"


def _expected(compared: Comparison) -> Callable[[ComparedCase], str]:
    """Return what writes a case's expected worth, $bn, where plans maximise more than that."""
    worth = Figure("expected_bn")
    cases = tuple(
        replace(case, figures={worth: expected_bn(case.plan.summary)} if case.plan else {}) for case in compared.all
    )
    write = _shown(replace(compared, base=cases[0], cases=cases[1:]), worth)
    own = dict(zip(map(id, compared.all), cases, strict=True))
    return lambda case: write(own[id(case)])


def attribution(page: Page, compared: Comparison, case: ComparedCase, shares: Attribution) -> None:
    """Show what each part of a stack contributes to its worth, and who gains and loses the GW."""
    worth = Figure("objective_bn")
    total = case.figures[worth] - compared.base.figures[worth]
    called = maximised(*(each.plan.instance for each in (compared.base, case) if each.plan))
    what = "it is worth" if called == "worth" else "its objective is"
    page.heading("", f"{case.name}: why {what} {_signed(total)} $bn against the base")
    if shares.failure:
        page.note(f"It cannot be attributed: {shares.failure}.")
        return
    page.table(["", "$bn"], [[name, _signed(share)] for name, share in shares.shares])
    page.note(
        "Shapley shares: what each part adds, averaged over all orders of the parts."
        if shares.exact
        else "What each part adds to those before it, in the order given; with more than 4 parts an order is needed."
    )
    moved = {
        name: case.figures.get(Figure("gw_years", name), 0.0) - compared.base.figures.get(Figure("gw_years", name), 0.0)
        for name in compared.named("gw_years")
    }
    ordered = sorted(moved.items(), key=lambda item: item[1])
    for verb, some in (("Gain", ordered[::-1]), ("Lose", ordered)):
        movers = [f"{name} {_signed(by)}" for name, by in some if (by if verb == "Gain" else -by) >= THREE_DECIMALS]
        if movers:
            page.note(f"{verb} GW-years: {listed(movers)}.")


def _signed(value: float) -> str:
    return signed(number(value, 3))


def _told(compared: Comparison, figure: Figure) -> bool:
    return any(abs(case.figures.get(figure, 0.0)) >= THREE_DECIMALS for case in compared.all)


def _shown(compared: Comparison, figure: Figure) -> Callable[[ComparedCase], str]:
    """Return what writes a figure of a case, with its difference to the base; a dash where the case has none."""
    values = [case.figures[figure] for case in compared.all if figure in case.figures]
    places = min(decimals(values), 3)
    base = compared.base.figures.get(figure)

    def write(case: ComparedCase) -> str:
        value = case.figures.get(figure)
        if value is None:
            return "-"
        shown = number(value, places)
        if case is compared.base or base is None or value != value or base != base:
            return shown
        difference = number(value - base, places)
        sign = "" if difference.startswith("-") or float(difference) == 0 else "+"
        return f"{shown} ({sign}{difference})" if float(difference) else f"{shown} (=)"

    return write


def _table(page: Page, compared: Comparison, columns: Sequence[tuple[str, Callable[[ComparedCase], str]]]) -> None:
    """Add tables of the cases, each with as many of the columns as the page has room for."""
    names = [cut(case.name, NAME) for case in compared.all]
    cells = [[write(case) if case.plan else "none" for case in compared.all] for _, write in columns]
    widths = [
        max(len(cell) for cell in (*column, *header.split("\n")))
        for (header, _), column in zip(columns, cells, strict=True)
    ]
    room = page.width - 2 - max(map(len, names))
    first = 0
    while first < len(columns):
        last, used = first + 1, widths[first] + 2
        while last < len(columns) and used + widths[last] + 2 <= room:
            used += widths[last] + 2
            last += 1
        rows = [[name, *(column[i] for column in cells[first:last])] for i, name in enumerate(names)]
        rows = [row for row in rows if set(row[1:]) != {"-"}] or rows
        page.table(["", *(header for header, _ in columns[first:last])], rows)
        first = last


MOST_INPUTS, MOST_PAIRS = 20, 24
CELL = 30

LABELS = {
    "objective_bn": "worth, $bn",
    "npv_bn": "cash (NPV), $bn",
    "utilisation": "in use, share",
    "idle_gw_years": "idle, GW-years",
    "idle_cost_bn": "idle, cost $bn",
    "moved_gw_years": "moved, GW-years",
    "gw_years": "GW-years",
    "cancelled_gw": "cancelled, GW",
    "signed_gw": "signed, GW",
    "marginal_value": "next GW, $bn/GW-year",
}
"""How each group of figures is called in the table."""


def differences(page: Page, runs: Sequence[Run], *, everything: bool = False) -> None:
    """Show the inputs, figures and allocations of runs that differ from the first one's; or all of them."""
    page.heading("Runs", f" of {runs[0].instance.name}")
    for place, run in enumerate(runs):
        page.note(f"{letter(place)} = {run.folder}" + (" (the others are held against it)" if not place else ""))
    for line in caveats(runs):
        page.note(f"Note: {line}.")
    for place, run in enumerate(runs[1:], start=1):
        _inputs(page, runs[0], run, place)
    _decisions(page, runs)
    _figures(page, runs, everything)
    _allocations(page, runs, everything)


def _decisions(page: Page, runs: Sequence[Run]) -> None:
    """Say whether the runs decide otherwise in the first period."""
    first = first_period_gw(runs[0].plan.decided)
    moved = [decision_changes(first, first_period_gw(run.plan.decided)) for run in runs[1:]]
    page.heading(f"This {runs[0].instance.resolution}'s decision", "" if any(moved) else ": the same")
    for place, changes in enumerate(moved if any(moved) else [], start=1):
        named = [f"{name} {before:.2f} -> {after:.2f} GW" for name, before, after in changes]
        page.note(f"{letter(place)}: " + (f"{listed(named)}." if named else "the same as A's."))


def letter(place: int) -> str:
    """Return what the run at a place is called beside the others."""
    return chr(ord("A") + place) if place < 26 else f"run {place + 1}"


def _inputs(page: Page, first: Run, other: Run, place: int) -> None:
    cells = inputs(first.instance, other.instance)
    page.heading("Inputs", f" of A and {letter(place)}" + ("" if cells else ": the same"))
    if cells:
        rows = [[d.where, cut(d.before or "blank", CELL), cut(d.after or "blank", CELL)] for d in cells[:MOST_INPUTS]]
        page.table(["", "A", letter(place)], rows, "nll")
        page.note(left_out((len(cells) - MOST_INPUTS, "difference")))


def _figures(page: Page, runs: Sequence[Run], everything: bool) -> None:
    rows = figure_differences(runs, everything=everything)
    page.heading("Figures", (" that differ" if not everything else "") if rows else ": the same")
    if rows:
        called = maximised(*(run.instance for run in runs))
        named = [[_label(figure, called), *_beside(values)] for figure, values in rows]
        page.table(["", *_header(runs)], named)


def _label(figure: Figure, called: str) -> str:
    label = LABELS[figure.group].replace("worth", called)
    return f"{label}: {figure.name}" if figure.name else label


def _header(runs: Sequence[Run]) -> list[str]:
    return ["A", *(f"{letter(place)} (difference)" for place in range(1, len(runs)))]


def _beside(values: Sequence[float]) -> list[str]:
    """Return a run's figure and those of the others with what they differ by."""
    first, *others = values
    places = min(decimals(values), 3)
    cells = [number(first, places)]
    for value in others:
        by = value - first
        shown = number(value, places)
        cells.append(f"{shown} ({'' if by < 0 else '+'}{number(by, places)})" if np.isfinite(by) else shown)
    return cells


def _allocations(page: Page, runs: Sequence[Run], everything: bool) -> None:
    table = allocations(runs, everything=everything)
    if not len(table):
        page.heading("Allocation", ": the same")
        return
    moved = table[list(range(1, len(runs)))].sub(table[0], axis=0).abs().max(axis=1)
    shown = table.loc[moved.sort_values(ascending=False, kind="stable").index[:MOST_PAIRS]].sort_index()
    page.heading("Allocation", " that moved: expected GW, mean of the year")
    rows = [
        [f"{row['pathway']} on {row['pool']}", str(row["year"]), *_beside([row[place] for place in range(len(runs))])]
        for _, row in shown.iterrows()
    ]
    page.table(["", "year", *_header(runs)], rows)
    page.note(left_out((len(table) - len(shown), "row")))
