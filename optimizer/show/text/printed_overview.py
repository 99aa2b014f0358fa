"""GW by year and pathway, and what worth is made of."""

from __future__ import annotations

import numpy as np
from rich.cells import cell_len

from models.tree import FloatArray
from optimizer.show.page import Page, percent
from optimizer.show.view import Span, View

MOST_PATHWAYS = 8
LONGEST_NAME = 24
LONGEST_BAR = 10

COSTS = {
    "contract_cost": "contracts",
    "operating_cost": "operation",
    "migration_cost": "moving GW",
    "signing_cost": "signing deals",
    "breach_cost": "breaking deals",
    "cancellation_fees": "cancellation fees",
}
NOT_CASH = {
    "idle_penalty": "idle penalty",
    "shortfall_penalty": "shortfall penalty",
    "move_penalty": "move penalty",
    "terminal": "terminal line",
}


def use_by_year(page: Page, view: View) -> None:
    """Show GW by pathway and year with bars, then what was delivered, cancelled and idle."""
    figure = len(view.gw(view.peak_gw))
    names = ["short of target", *view.use.names]
    room = page.width - 2 - min(max(map(cell_len, names)), LONGEST_NAME)
    spans = view.spans(max(room // (max(figure, len("Jul-Dec")) + 2), 1))
    bar = min(room // len(spans) - figure - 3, LONGEST_BAR)
    shown = _largest(view, spans)
    most = max((float(row.max()) for _, row in shown), default=0.0)
    rows = [(name, [f"{view.gw(x).rjust(figure)} {page.bar(x, most, bar)}" for x in row]) for name, row in shown]
    rows += [(name, [f"{cell:>{figure}}" for cell in cells]) for name, cells in _supply_rows(view, spans)]
    page.heading("GW by year", ": mean of the year" + (", expected over all futures" if view.branching else ""))
    page.table(["", *(span.label for span in spans)], [[name, *cells] for name, cells in rows], "n" + "l" * len(spans))
    about_of = view.pathway("description")
    for name, _ in shown:
        if about := about_of.get(name):
            page.brief(f"{name}: {about}")


def _largest(view: View, spans: list[Span]) -> list[tuple[str, FloatArray]]:
    """Return expected GW by span of the largest pathways, in the instance's order, the others summed."""
    means = view.use.values @ view.means(spans)
    largest = sorted(np.argsort(-means.sum(axis=1), kind="stable")[:MOST_PATHWAYS].tolist())
    shown = [(view.use.names[p], means[p]) for p in largest]
    if others := len(means) - len(largest):
        shown.append((f"{others} others", means.sum(axis=0) - means[largest].sum(axis=0)))
    return shown


def _supply_rows(view: View, spans: list[Span]) -> list[tuple[str, list[str]]]:
    means = view.means(spans)
    used, idle = view.use.total @ means, view.idle.total @ means
    share = np.divide(used, used + idle, out=np.full(len(used), np.nan), where=used + idle > 0)
    rows = [
        ("= in use", used),
        ("+ idle", idle),
        ("+ cancelled", view.cancelled.total @ means),
        ("= delivered", view.delivered.total @ means),
    ]
    shown = [(name, [view.gw(x) for x in row]) for name, row in rows]
    shown.append(("in use %", [percent(x).removesuffix("%") for x in share]))
    missed = shortfall_gw(view)
    if missed is not None and missed.any():
        shown.append(("short of target", [view.gw(x) for x in missed @ means]))
    return shown


def shortfall_gw(view: View) -> FloatArray | None:
    """Return effective GW missing from targets by node, from what they cost; None where outcomes change the rate."""
    if view.decided_by_outcomes("pathways", "shortfall_penalty_bn_per_gw_year"):
        return None
    rate = view.pathway("shortfall_penalty_bn_per_gw_year")
    paid = view.flows("shortfall_penalty", "bn")
    missed = np.zeros(view.tree.size)
    for name, row in zip(paid.names, paid.values, strict=True):
        missed -= row / rate[name] / view.calendar.dt
    return missed


def worth_by_part(page: Page, view: View) -> None:
    """Show the parts that worth sums to: value by pathway, costs, and what is not cash."""
    money, parts = view.money, view.parts
    values = sorted(parts["value"].items(), key=lambda item: -item[1])
    if len(values) > MOST_PATHWAYS:
        rest = values[MOST_PATHWAYS:]
        values = [*values[:MOST_PATHWAYS], (f"{len(rest)} others", sum(amount for _, amount in rest))]
    columns = [
        ("Value of use", values),
        ("Costs", [(label, parts[name][""]) for name, label in COSTS.items() if parts[name][""]]),
        ("Not cash", [(label, parts[name][""]) for name, label in NOT_CASH.items() if _part(view, name)]),
    ]
    columns = [(title, items) for title, items in columns if items]
    depth = max((len(items) for _, items in columns), default=0)
    rows: list[list[str]] = [[] for _ in range(depth + 1)]
    for _, items in columns:
        cells = [(name, money(amount)) for name, amount in items] + [("", "")] * (depth - len(items))
        for row, cell in zip(rows, [*cells, ("sum", money(sum(amount for _, amount in items)))], strict=True):
            row += cell
    page.heading("Worth by part", f": $bn, {view.weighed}; the sums add up to the worth")
    if columns:
        page.table([cell for title, _ in columns for cell in (title, "")], rows, "nr" * len(columns))
    page.note("Cash (NPV) = value + costs. " + _not_cash(view))


def _part(view: View, name: str) -> float:
    """Return one part of worth, $bn; 0 of one that the plan has not."""
    return view.parts.get(name, {}).get("", 0.0)


def _not_cash(view: View) -> str:
    """Say what the parts that are not cash stand for."""
    penalties = any(_part(view, name) for name in NOT_CASH if name != "terminal")
    terminal = f"the terminal line: contracts that run on after {view.dates[-1]}, at value less price"
    if not view.parts["terminal"][""]:
        return "Penalties are planning weights, not cash." if penalties else ""
    return f"Planning weights, not cash: {'penalties, and ' if penalties else ''}{terminal}."
