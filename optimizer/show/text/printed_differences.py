"""The printed comparison of kept runs, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.kept.run import Run
from optimizer.show.page import Page, cut, decimals, left_out, number
from optimizer.studies.compare import allocations, caveats, figure_differences, inputs
from optimizer.studies.figures import Figure

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
    _figures(page, runs, everything)
    _allocations(page, runs, everything)


def letter(place: int) -> str:
    """Return what the run at a place is called beside the others."""
    return chr(ord("A") + place) if place < 26 else f"run {place + 1}"


def _inputs(page: Page, first: Run, other: Run, place: int) -> None:
    found = inputs(first.instance, other.instance)
    page.heading("Inputs", f" of A and {letter(place)}" + ("" if found else ": the same"))
    if found:
        rows = [[d.where, cut(d.before or "blank", CELL), cut(d.after or "blank", CELL)] for d in found[:MOST_INPUTS]]
        page.table(["", "A", letter(place)], rows, "nll")
        page.note(left_out((len(found) - MOST_INPUTS, "difference")))


def _figures(page: Page, runs: Sequence[Run], everything: bool) -> None:
    rows = figure_differences(runs, everything=everything)
    page.heading("Figures", (" that differ" if not everything else "") if rows else ": the same")
    if rows:
        named = [[_label(figure), *_beside(values)] for figure, values in rows]
        page.table(["", *_header(runs)], named)


def _label(figure: Figure) -> str:
    return f"{LABELS[figure.group]}: {figure.name}" if figure.name else LABELS[figure.group]


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
