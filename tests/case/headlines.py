"""Over which range of each assumption each headline survives: ``python -m tests.case.headlines`` writes the table.

One assumption at a time is multiplied by 0.25, 0.5, 2 and 4, and where a headline falls the grid is searched between
the last factor at which it holds and the first at which it does not. Then all are drawn together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gwplan.errors import InfeasibleError
from gwplan.problems import InstanceError
from gwplan.session import Answer, Session
from gwplan.show.text.values import average_prices, known_means
from gwplan.show.view import View
from tests.case.figures import instance
from tests.case.pages import HEADLINES

GRID = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0)
DRAWS, SEED = 150, 1
LEAST = 0.1
"""GW, or GW-years, that count as some."""

MSL = ("demand[pathway=msl].target_gw", "demand[pathway=msl].cap_gw", "value[pathway=msl].width_gw")
ASSUMPTIONS: dict[str, tuple[str, ...]] = {
    "MSL target, cap, widths (0.9-4.4 GW)": MSL,
    "MSL value (2.5, 1.0)": ("value[pathway=msl].value_bn_per_gw_year",),
    "MSL shortfall penalty (1.5)": ("pathways[pathway=msl].shortfall_penalty_bn_per_gw_year",),
    "ads realisation (0.45)": ("pathways[pathway=ads].realisation",),
    "ads base (0.5 GW)": ("curves[pathway=ads].base_gw",),
    "ads ramp (0.12 GW a month)": ("pathways[pathway=ads].ramp_gw_per_month",),
    "platform and deal ramps (0.06)": (
        "pathways[pathway=platform].ramp_gw_per_month",
        "pathways[pathway=deals].ramp_gw_per_month",
    ),
    "platform realisation (0.5)": ("pathways[pathway=platform].realisation",),
    "deals realisation (0.6)": ("pathways[pathway=deals].realisation",),
    "platform widths (0.15-0.8 GW)": ("value[pathway=platform].width_gw",),
    "deal widths (0.2-0.8 GW)": ("value[pathway=deals].width_gw",),
    "cancellation fee (0.45)": ("cancellations.fee_bn_per_gw",),
    "price of cloud (1.2)": ("contracts[kind=cloud].cost_bn_per_gw_year",),
    "cost of colocation (0.62)": ("contracts[kind=colocation].cost_bn_per_gw_year",),
    "terminal values (1.2, 1.1, 0.8)": ("pools.terminal_value_bn_per_gw_year",),
    "idle penalty (0.045)": ("pools.idle_penalty_bn_per_gw_year",),
    "migration cost (0.02)": ("pathways.migration_cost_bn_per_gw",),
}
"""Cells that are multiplied together, by what they are assumed to be."""

HEADLINES_TOLD = {
    "A": "each pathway gets 0.1 expected GW-years or more",
    "B": "0.1 GW or more stand idle in some month of some future",
    "C": "0.1 GW or more are cancelled in some future",
    "D": "C, yet in some other future less than that: cancelling waits for news",
    "E": "ads get more GW-years than model service and short deals together",
    "F": "in 2028 the next GW of `regional_cloud` is worth less than its contract price",
    "G": "the position is worth more than nothing",
}


@dataclass(frozen=True)
class Verdicts:
    """Which headlines hold in one case, and its worth, $bn; None without a plan."""

    holds: dict[str, bool]
    worth_bn: float | None


def edits(name: str, factor: float) -> list[str]:
    """Return the edits that multiply an assumption; shares stop at 1."""
    if not name.endswith(")") or "realisation" not in name:
        return [f"{cells} *= {factor}" for cells in ASSUMPTIONS[name]]
    (cells,) = ASSUMPTIONS[name]
    central = float(name.split("(")[1].rstrip(")"))
    return [f"{cells} = {min(central * factor, 1.0)}"]


def verdicts(answer: Answer) -> Verdicts:
    """Return which headlines hold in an answer."""
    view = View(answer.plan)
    years = answer.summary["expected_gw_years"]
    gone = view.matrix("cancellations", "contract", "gw").values[:, view.tree.node_of].max(axis=2).sum(axis=0)
    spans = view.spans(99)
    at = next(i for i, span in enumerate(spans) if span.label.startswith("2028"))
    values = view.marginal("supply")
    worth_of_next = known_means(view, values, spans)[values.names.index("regional_cloud"), at]
    holds = {
        "A": min(years.values()) >= LEAST,
        "B": bool(view.idle.total.max() >= LEAST),
        "C": bool(gone.max() >= LEAST),
        "D": bool(gone.max() >= LEAST > gone.min()),
        "E": years["ads"] > years["platform"] + years["deals"],
        "F": bool(worth_of_next < average_prices(view, spans)["regional_cloud"][at]),
        "G": answer.objective_bn > 0,
    }
    return Verdicts(holds, answer.objective_bn)


def tried(session: Session, changes: list[str]) -> Verdicts:
    """Return the headlines of the instance with edits; none holds where there is no plan."""
    try:
        return verdicts(session.solve(changes))
    except (InfeasibleError, InstanceError):
        return Verdicts(dict.fromkeys(HEADLINES_TOLD, False), None)


def span_of(find: Callable[[float], Verdicts], headline: str) -> tuple[float, float] | None:
    """Return the range of factors on the grid around 1 over which a headline holds; None where it does not at 1."""
    if not find(1.0).holds[headline]:
        return None
    centre = GRID.index(1.0)
    ends = []
    for side in ([0.5, 0.25], [2.0, 4.0]):
        inner, outer = centre, None
        for factor in side:
            at = GRID.index(factor)
            if not find(factor).holds[headline]:
                outer = at
                break
            inner = at
        while outer is not None and abs(outer - inner) > 1:
            middle = (inner + outer) // 2
            inner, outer = (middle, outer) if find(GRID[middle]).holds[headline] else (inner, middle)
        ends.append(GRID[inner])
    return ends[0], ends[1]


def told(span: tuple[float, float] | None) -> str:
    """Return a range in words."""
    if span is None:
        return "no"
    low, high = span
    if (low, high) == (GRID[0], GRID[-1]):
        return "all"
    if low == GRID[0]:
        return f"to x{high:g}"
    return f"x{low:g} up" if high == GRID[-1] else f"x{low:g} to x{high:g}"


def table(session: Session) -> list[str]:
    """Return the rows of the table, one an assumption."""
    rows = []
    for name in ASSUMPTIONS:
        known: dict[float, Verdicts] = {}

        def find(factor: float, name: str = name, known: dict[float, Verdicts] = known) -> Verdicts:
            if factor not in known:
                known[factor] = tried(session, [] if factor == 1.0 else edits(name, factor))
            return known[factor]

        rows.append(f"| {name} | " + " | ".join(told(span_of(find, headline)) for headline in HEADLINES_TOLD) + " |")
        print(rows[-1], file=sys.stderr)
    return rows


def drawn(session: Session) -> str:
    """Return in words how often the headlines hold when all assumptions are drawn at once."""
    random = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        factors = 2.0 ** random.uniform(-1, 1, len(ASSUMPTIONS))
        changes = [
            edit for name, factor in zip(ASSUMPTIONS, factors.tolist(), strict=True) for edit in edits(name, factor)
        ]
        found.append(tried(session, changes))
    share = {h: sum(v.holds[h] for v in found) / DRAWS for h in HEADLINES_TOLD}
    all_of = sum(all(v.holds[h] for h in "ABC") for v in found) / DRAWS
    waiting = sum(all(v.holds[h] for h in "ABD") for v in found) / DRAWS
    worths = [v.worth_bn for v in found if v.worth_bn is not None]
    each = ", ".join(f"{h} in {share[h]:.0%}" for h in HEADLINES_TOLD)
    return (
        f"All {len(ASSUMPTIONS)} together, drawn log-evenly between half and double ({DRAWS} draws): {each}; A, B and "
        f"C at once in {all_of:.0%}, A, B and D in {waiting:.0%}; worth from {min(worths):.0f} to {max(worths):.0f}."
    )


def main() -> None:
    """Write the table."""
    session = Session(instance())
    head = f"| assumption (central) | {' | '.join(HEADLINES_TOLD)} |\n|---|{'---|' * len(HEADLINES_TOLD)}"
    HEADLINES.write_text("\n".join([head, *table(session), "", drawn(session), ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
