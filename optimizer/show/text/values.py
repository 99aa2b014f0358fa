"""What the next GW is worth, which limits cost most, and what differs between the futures."""

from __future__ import annotations

import math

import numpy as np

from models.tree import FloatArray
from optimizer.plan.marginals import ONE_OFF, PER_YEAR
from optimizer.show.page import Page, cut, decimals, formatter, left_out, number, percent
from optimizer.show.view import Matrix, Span, View

MOST_POOLS = 8
MOST_LIMITS = 5
MOST_OUTCOMES = 16
MOST_PATHWAYS = 5
WITHOUT_NAME = 70
"""Columns that the rest of a limit's line takes."""

ASKS = {
    "target": "{name}: lower target",
    "floor": "{name}: lower floor",
    "cap": "{name}: higher cap",
    "ramp": "{name}: grow faster{than}",
    "signing": "{name}: sign faster{than}",
    "lock": "{name}: looser lock",
}


def next_gw(page: Page, view: View) -> None:
    """Show the marginal value of supply by pool and year beside the pool's average contract price."""
    values = view.marginal("supply")
    page.heading("What the next GW is worth", " > or < its price, $bn per GW-year, mean of the year")
    known = np.isfinite(values.values)
    if not known.any():
        page.note("Not known: only a plan proved optimal has marginal values.")
        return
    spans = view.spans(max((page.width - 20) // 13, 1))
    means, prices = known_means(view, values, spans), average_prices(view, spans)
    size = dict(zip(view.delivered.names, view.delivered.values @ view.tree.probability, strict=True))
    largest = set(sorted(values.names, key=lambda name: -size.get(name, 0.0))[:MOST_POOLS])
    rows = []
    for name, row in zip(values.names, means, strict=True):
        if name in largest:
            rows.append([name, *(_beside(view, v, p) for v, p in zip(row, prices[name], strict=True))])
    page.table(["", *(span.label for span in spans)], rows)
    page.note(left_out((len(values.names) - len(largest), "smaller pool")))
    page.note(
        "Left: what one more GW all year would add in use, before its cost. Right: the pool's average contract price. "
        "> one more GW at that price pays; < it does not."
    )
    if view.plan.summary["marginal_values"] == "integers fixed":
        page.note("With the plan's whole cancellations and the blocks in use as they are (integers fixed).")
    _holds(page, view)


def known_means(view: View, values: Matrix, spans: list[Span]) -> FloatArray:
    """Return expected means over each span of the values that are known, NaN where none is; by name and span."""
    known, sums = np.isfinite(values.values), view.sums(spans)
    weight = known @ sums
    total = np.where(known, values.values, 0.0) @ sums
    means: FloatArray = np.divide(total, weight, out=np.full(weight.shape, np.nan), where=weight > 0)
    return means


def average_prices(view: View, spans: list[Span]) -> dict[str, FloatArray]:
    """Return the average contract price of the GW in service by pool and span, $bn per GW-year, expected."""
    sums, paid = view.sums(spans), view.flows("contract_cost", "bn")
    cost = {pool: np.zeros(len(spans)) for pool in view.delivered.names}
    for name, row in zip(paid.names, -paid.values @ sums, strict=True):
        cost[view.suppliers[name].pool] += row
    years = (view.delivered.values - view.cancelled.values) @ sums * view.calendar.dt
    return {
        pool: np.divide(cost[pool], row, out=np.full(len(spans), np.nan), where=row > 1e-9)
        for pool, row in zip(view.delivered.names, years, strict=True)
    }


def _beside(view: View, value: float, price: float) -> str:
    left, right = view.rate(value), view.rate(price)
    if "-" in (left, right):
        return f"{left}   {right}"
    sign = "=" if left == right else ">" if value > price else "<"
    return f"{left} {sign} {right}"


def _holds(page: Page, view: View) -> None:
    """Say over which change of supply the values hold."""
    kind = ("constraint", "supply")
    low, high = (view.matrix("marginal_values", "name", side, kind) for side in ("from_gw", "to_gw"))
    now = np.stack([view.delivered.of(name) for name in low.names])
    there = np.isfinite(view.marginal("supply").values) & ~np.isnan(low.values) & ~np.isnan(high.values)
    if not there.any():
        return
    weight = np.broadcast_to(view.tree.probability, now.shape)[there]
    less, more = (now - low.values)[there], (high.values - now)[there]
    one_more, one_less = (
        view.matrix("marginal_values", "name", side, kind).values[there] for side in ("relaxed", "tightened")
    )
    kinked = float(weight[~(np.abs(one_more - one_less) <= 1e-6 * (1 + np.abs(one_more)))].sum() / weight.sum())
    text = (
        f"Small changes only: in the median case a {view.instance.resolution}'s value holds for "
        f"{_median(more, weight)} GW more and {_median(less, weight)} GW less"
    )
    differ = f"; in {percent(kinked)} of cases one more and one less differ" if kinked else ""
    page.note(f"{text}{differ}.")


def _median(values: FloatArray, weight: FloatArray) -> str:
    order = np.argsort(values)
    middle = float(values[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)])
    return f"{max(middle, 0.0):.1g}" if math.isfinite(middle) else "any"


def limits(page: Page, view: View) -> None:
    """Show the limits whose relaxing would add most, in words."""
    step = 10.0 ** (round(math.log10(view.peak_gw)) - 3) if view.peak_gw > 0 else 1.0
    probability, deal_pathways = view.tree.probability, view.coded("deals", "pathway")[1]
    found: list[tuple[float, str, float, float, str]] = []
    binding = np.zeros(view.tree.size, dtype=bool)
    for constraint in ("target", "floor", "cap", "ramp", "lock"):
        values, unit = view.marginal(constraint), ONE_OFF if constraint == "ramp" else PER_YEAR
        for name, row in zip(values.names, np.nan_to_num(values.values), strict=True):
            often = float((row > 1e-9) @ probability)
            worth = float(row @ view.weight) * step * (1.0 if unit == ONE_OFF else view.calendar.dt)
            if often and worth > 0:
                binding |= row > 1e-9
                kind = "signing" if constraint == "ramp" and name in deal_pathways else constraint
                ask = ASKS[kind].format(name=cut(page.clean(name), page.width - WITHOUT_NAME), than=_ramp(view, name))
                found.append((worth, ask, often, float(np.maximum(row, 0.0) @ probability) / often, unit))
    if not found:
        return
    found.sort(key=lambda limit: -limit[0])
    shown, period = found[:MOST_LIMITS], view.instance.resolution
    mean = formatter([limit[3] for limit in shown])
    places = max(decimals([1000 * limit[0] for limit in shown]) - 1, 0)
    rows = [
        [ask, percent(often / view.calendar.periods), f"{mean(value)} {unit}", number(1000 * worth, places)]
        for worth, ask, often, value, unit in shown
    ]
    page.heading("Limits that cost most", ": what a planner may ask for")
    page.table(["", "binds", "worth while it binds", "$m gain"], rows)
    text = f"binds: share of the time. $m gain: $ million of worth for {step:g} GW more in every {period}."
    waiting = view.idle.total * probability
    if waiting.sum() * view.calendar.dt >= view.least_gw:
        text += f" {percent(waiting[binding].sum() / waiting.sum())} of idle GW wait while one binds."
    page.note(f"{text} {left_out((len(found) - len(shown), 'cheaper limit'))}")


def _ramp(view: View, name: str) -> str:
    """Return the limit on a pathway's growth in words, where it is the same in all futures."""
    ramp = view.pathway("ramp_gw_per_month").get(name)
    if ramp is None or view.decided_by_outcomes("pathways", "ramp_gw_per_month"):
        return ""
    return f" than {ramp:g} GW/month"


def branches(page: Page, view: View) -> None:
    """Show worth, GW by pathway, idle and cancelled GW given each outcome of each factor."""
    if not view.branching:
        return
    rank = np.argsort(-(view.use.values @ view.tree.probability), kind="stable")[:MOST_PATHWAYS]
    names = [view.use.names[p] for p in sorted(rank.tolist())]
    use = [view.use.of(name) for name in names]
    columns = Matrix([*names, "idle", "cancelled"], np.stack([*use, view.idle.total, view.cancelled.total]))
    rows: list[list[str]] = []
    shown = 0
    for factor in view.branching:
        outcomes = view.instance.factors[factor].outcomes
        if rows and shown + len(outcomes) > MOST_OUTCOMES:
            break
        shown += min(len(outcomes), MOST_OUTCOMES)
        rows.append([f"{view.instance.factors[factor].name}, known from {view.dates[view.reveals[factor]]}:"])
        rows += [_given(view, columns, factor, o) for o in range(min(len(outcomes), MOST_OUTCOMES))]
    page.heading("What differs between the futures", ": worth, $bn, and mean GW once it is known")
    page.table(["", "chance", "worth", *columns.names], rows)
    total = sum(len(view.instance.factors[f].outcomes) for f in view.branching)
    page.note(left_out((total - shown, "outcome"), (len(view.use.names) - len(names), "pathway")))


def _given(view: View, columns: Matrix, factor: int, o: int) -> list[str]:
    """Return the row of one outcome: the mean of all futures that have it."""
    outcome, probability = view.instance.factors[factor].outcomes[o], view.given(factor, o)
    after = np.where(view.tree.known[:, factor] >= 0, probability, 0.0)
    means = columns.values @ after / after.sum()
    worth = view.money(float(view.worth @ probability))
    return [f"  {outcome.name}", percent(outcome.probability), worth, *(view.gw(x) for x in means)]
