"""The printed comparison of what-ifs with their base, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optimizer.show.page import Page, cut, decimals, listed, number, percent, signed
from optimizer.studies.attribution import Attribution
from optimizer.studies.figures import Figure
from optimizer.studies.whatif import Case, Comparison

NAME = 24
"""Columns that the names of cases may take."""

LEAST = 5e-4
"""GW and GW-years below this are not shown as a column."""


def comparison(page: Page, found: Comparison) -> None:
    """Show worth, use, cancellations and marginal values of each case, and what differs from the base."""
    page.heading("What-ifs", f" of {found.instance.name}: worth and use (in brackets: difference to the base)")
    columns = [
        ("worth\n$bn", _shown(found, Figure("objective_bn"))),
        ("cash (NPV)\n$bn", _shown(found, Figure("npv_bn"))),
        ("idle\nGW-years", _shown(found, Figure("idle_gw_years"))),
        ("in use", lambda case: percent(case.figures[Figure("utilisation")])),
    ]
    _table(page, found, columns)
    for group, *heading in (
        ("gw_years", "GW-years by pathway", ", expected (difference to the base)"),
        ("cancelled_gw", "Cancelled", " by the end, GW by contract, expected (difference to the base)"),
        ("marginal_value", "What the next GW is worth", ", mean, $bn per GW-year (difference to the base)"),
    ):
        names = [name for name in found.named(group) if _told(found, Figure(group, name))]
        if names:
            page.heading(*heading)
            _table(page, found, [(name, _shown(found, Figure(group, name))) for name in names])
        elif group == "cancelled_gw":
            page.heading("Cancelled", ": nothing in any case")
    for case in found.cases:
        if case.failure:
            page.note(f"{case.name} has no plan: {case.failure}.")


def attribution(page: Page, found: Comparison, case: Case, shares: Attribution) -> None:
    """Show what each part of a stack contributes to its worth, and who gains and loses the GW."""
    worth = Figure("objective_bn")
    total = case.figures[worth] - found.base.figures[worth]
    page.heading("", f"{case.name}: why it is worth {_signed(total)} $bn against the base")
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
        name: case.figures.get(Figure("gw_years", name), 0.0) - found.base.figures.get(Figure("gw_years", name), 0.0)
        for name in found.named("gw_years")
    }
    ordered = sorted(moved.items(), key=lambda item: item[1])
    for verb, some in (("Gain", ordered[::-1]), ("Lose", ordered)):
        told = [f"{name} {_signed(by)}" for name, by in some if (by >= LEAST if verb == "Gain" else by <= -LEAST)]
        if told:
            page.note(f"{verb} GW-years: {listed(told)}.")


def _signed(value: float) -> str:
    return signed(number(value, 3))


def _told(found: Comparison, figure: Figure) -> bool:
    return any(abs(case.figures.get(figure, 0.0)) >= LEAST for case in found.all)


def _shown(found: Comparison, figure: Figure) -> Callable[[Case], str]:
    """Return what writes a figure of a case, with its difference to the base; a dash where the case has none."""
    values = [case.figures[figure] for case in found.all if figure in case.figures]
    places = min(decimals(values), 3)
    base = found.base.figures.get(figure)

    def write(case: Case) -> str:
        value = case.figures.get(figure)
        if value is None:
            return "-"
        shown = number(value, places)
        if case is found.base or base is None or value != value or base != base:
            return shown
        difference = number(value - base, places)
        sign = "" if difference.startswith("-") or float(difference) == 0 else "+"
        return f"{shown} ({sign}{difference})" if float(difference) else f"{shown} (=)"

    return write


def _table(page: Page, found: Comparison, columns: Sequence[tuple[str, Callable[[Case], str]]]) -> None:
    """Add tables of the cases, each with as many of the columns as the page has room for."""
    names = [cut(case.name, NAME) for case in found.all]
    cells = [[write(case) if case.plan else "none" for case in found.all] for _, write in columns]
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
