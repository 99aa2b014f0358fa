"""What the next GW is worth, which limits cost most, and what differs between the futures."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from optimizer.export.printed_layout import Page, formatter, listed, percent
from optimizer.export.printed_view import FloatArray, Matrix, Span, View

MOST_POOLS = 8
MOST_LIMITS = 5
MOST_OUTCOMES = 16
MOST_PATHWAYS = 5

ASKS = {
    "target": "a lower target for {name}",
    "floor": "a lower floor for {name}",
    "cap": "a higher cap for {name}",
    "ramp": "faster growth of {name}{than}",
    "signing": "faster signing of {name}{than}",
    "lock": "a looser lock of {name}",
}


def next_gw(page: Page, view: View) -> None:
    """Show the marginal value of supply by pool and year beside the pool's average contract price."""
    values = view.marginal("supply")
    page.heading("WHAT THE NEXT GW IS WORTH > or < ITS PRICE, $bn per GW-year, mean of the year")
    if not np.isfinite(values.values).any():
        page.note("Not known: only a plan proved optimal has marginal values.")
        return
    spans = view.spans(max((page.width - 20) // 13, 1))
    prices = _prices(view, spans)
    sums = view.sums(spans)
    known = np.isfinite(values.values)
    weight = known @ sums
    means = np.divide(
        np.where(known, values.values, 0.0) @ sums, weight, out=np.full(weight.shape, np.nan), where=weight > 0
    )
    rank = view.delivered.values @ view.tree.probability
    size = dict(zip(view.delivered.names, rank, strict=True))
    largest = set(sorted(values.names, key=lambda name: -size.get(name, 0.0))[:MOST_POOLS])
    rows = []
    for name, row in zip(values.names, means, strict=True):
        if name in largest:
            rows.append([name, *(_beside(view, v, p) for v, p in zip(row, prices[name], strict=True))])
    page.table(["", *(span.label for span in spans)], rows)
    if len(values.names) > len(largest):
        page.note(f"{len(values.names) - len(largest)} smaller pools are left out.")
    page.note(
        "Left: what one more GW all year would add in use, before its cost. Right: the pool's average contract price. "
        "> one more GW at that price pays; < it does not."
    )
    _holds(page, view)


def _prices(view: View, spans: list[Span]) -> dict[str, FloatArray]:
    """Return the average contract price of the GW in service by pool and span, $bn per GW-year, expected."""
    sums = view.sums(spans)
    paid = view.flows("contract_cost", "bn")
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
    frame = view.plan.marginal_values
    rows = frame[(frame["constraint"] == "supply").to_numpy()]
    merged = rows.merge(view.plan.supply[["node", "pool", "delivered_gw"]], left_on=["node", "name"], right_on=["node", "pool"])
    merged = merged[merged["from_gw"].notna() & merged["to_gw"].notna() & (merged["delivered_gw"] > 0)]
    if merged.empty:
        return
    less, more = merged["delivered_gw"] - merged["from_gw"], merged["to_gw"] - merged["delivered_gw"]
    weight = merged["probability"].to_numpy()
    degenerate = float(weight[(np.minimum(less, more) < 1e-9).to_numpy()].sum() / weight.sum())
    period = view.instance.resolution
    page.note(
        f"A {period}'s value holds from {_median(less, weight)} GW less to {_median(more, weight)} GW more (median); "
        f"in {percent(degenerate)} of cases it differs at once between more and less."
    )


def _median(values: pd.Series[float], weight: FloatArray) -> str:
    order = np.argsort(values.to_numpy())
    half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    middle = float(values.to_numpy()[order][half])
    return f"{middle:.2g}" if math.isfinite(middle) else "any number of"


def limits(page: Page, view: View) -> None:
    """Show the limits whose relaxing would add most, in words."""
    frame = view.plan.marginal_values
    rows = frame[(frame["constraint"] != "supply").to_numpy() & (frame["bn_per_gw_year"].abs() > 1e-9).to_numpy()]
    if rows.empty:
        return
    period = view.instance.resolution
    dt, rate = view.calendar.dt, view.instance.discount_rate
    discount = (1 + rate) ** -((rows["period"] + 0.5) * dt)
    years = np.where(rows["unit"] == "$bn per GW", 1.0, dt)
    step = 10.0 ** (round(math.log10(view.peak_gw)) - 3) if view.peak_gw > 0 else 1.0
    signing = rows["name"].isin(view.plan.deals["pathway"].unique()) & (rows["constraint"] == "ramp")
    rows = rows.assign(
        kind=rows["constraint"].where(~signing, "signing"),
        worth=rows["bn_per_gw_year"] * rows["probability"] * discount * years * step,
        mean=rows["bn_per_gw_year"] * rows["probability"],
        share=rows["probability"] / view.calendar.periods,
    )
    found = rows.groupby(["kind", "name", "unit"], sort=False)[["worth", "mean", "share", "probability"]].sum()
    found = found[found["worth"] > 0].sort_values("worth", ascending=False, kind="stable")
    places = formatter(found["mean"] / found["probability"])
    money = formatter(found["worth"] * 1000)
    lines = []
    for (kind, name, unit), row in zip(found.index[:MOST_LIMITS], found.to_dict("records"), strict=False):
        mean = f"{places(row['mean'] / row['probability'])} {unit}"
        lines.append([ASKS[str(kind)].format(name=name, than=_ramp(view, str(name))), percent(row["share"]), mean, money(1000 * row["worth"])])
    page.heading("LIMITS THAT COST MOST: what would add worth if it could be had")
    header = ["Ask for", "binds, % of\nthe time", "worth where\nit binds", f"$m for {step:g} GW\nin all {period}s"]
    page.table(header, lines)


def _ramp(view: View, name: str) -> str:
    """Return the limit on a pathway's growth in words, where it is the same in all futures."""
    ramps = view.instance.filled("pathways").set_index("pathway")["ramp_gw_per_month"]
    if view.decided_by_outcomes("pathways", "ramp_gw_per_month") or name not in ramps.index:
        return ""
    return f" than {ramps[name]:g} GW a month"


def branches(page: Page, view: View) -> None:
    """Show worth, GW by pathway, idle and cancelled GW given each outcome of each factor."""
    if not view.branching:
        return
    rank = np.argsort(-(view.use.values @ view.tree.probability), kind="stable")[:MOST_PATHWAYS]
    names = [view.use.names[p] for p in sorted(rank.tolist())]
    columns = Matrix(
        (*names, "idle", "cancelled"),
        np.stack([*(view.use.of(name) for name in names), view.idle, view.cancelled.values.sum(axis=0)]),
    )
    rows: list[list[str]] = []
    outcomes = 0
    for factor in view.branching:
        named = view.instance.factors[factor]
        if rows and outcomes + len(named.outcomes) > MOST_OUTCOMES:
            break
        rows.append([f"{named.name}, known from {view.dates[view.reveals[factor]]}:"])
        for o, outcome in enumerate(named.outcomes[:MOST_OUTCOMES]):
            outcomes += 1
            probability = view.given(factor, o)
            after = np.where(view.tree.known[:, factor] >= 0, probability, 0.0)
            means = columns.values @ after / after.sum()
            worth = view.money(float(view.worth @ probability))
            rows.append([f"  {outcome.name}", percent(outcome.probability), worth, *(view.gw(x) for x in means)])
    page.heading("WHAT DIFFERS BETWEEN THE FUTURES: worth, $bn, and mean GW once it is known")
    page.table(["", "chance", "worth", *columns.names], rows)
    total = sum(len(view.instance.factors[f].outcomes) for f in view.branching)
    left = [f"{total - outcomes} outcomes"] if outcomes < total else []
    left += [f"{len(view.use.names) - len(names)} pathways"] if len(names) < len(view.use.names) else []
    if left:
        page.note(f"{listed(left)} are left out.")
