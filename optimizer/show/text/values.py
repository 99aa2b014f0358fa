"""What the next GW is worth, which limits cost most, and what differs between the futures."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd
from rich.cells import cell_len

from gwplan.catalogue.limits import BY_KIND, ONE_OFF, PRICED, Limit
from gwplan.catalogue.money import COSTS, MONEY, NOT_CASH
from gwplan.catalogue.tolerances import PROVED, ROUNDING
from gwplan.models.tree import FloatArray
from gwplan.plan.plan import Plan
from gwplan.show.page import Page, cut, decimals, formatter, left_out, number, percent
from gwplan.show.view import Matrix, Span, View
from gwplan.tree.calendar import calendar_of

MOST_POOLS = 8
MOST_LIMITS = 5
MOST_OUTCOMES = 16
MOST_IN_SCENARIOS = 5
WITHOUT_NAME = 70
"""Columns that the rest of a limit's line takes."""


def next_gw(page: Page, view: View) -> None:
    """Show the marginal value of supply by pool and year beside the pool's average contract price."""
    values = view.adding("supply")
    page.heading("What the next MW are worth", " > or < price, $bn per GW-year, mean of the year")
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
        "Left: what the next few MW all year add, per GW, before their cost. Right: the pool's average contract price. "
        "> pays at that price, < does not; more adds less."
    )
    if view.plan.summary["marginal_values"] == "integers fixed":
        page.note("With the plan's whole offers and cancellations and the blocks in use as they are (integers fixed).")
    _holds(page, view)


def more_supply(page: Page, view: View) -> None:
    """Show what more of each pool adds at sizes that people buy, re-solved, and the size up to which it pays."""
    table = view.plan.more_supply
    asked, best = (table[table["step"] == step] for step in ("asked", "best"))
    if not len(asked):
        return
    sizes = sorted(set(asked["size_gw"].tolist()))
    worth = {(row["pool"], row["year"], row["size_gw"]): row for row in asked.to_dict("records")}
    page.heading("Buy more?", " $bn per GW-year that GW add all through the year, re-solved, and their price")
    rows: list[list[str]] = []
    for year, of_year in best.groupby("year", sort=True):
        rows.append([f"{year}"])
        for row in of_year.to_dict("records"):
            cells = [number(worth[row["pool"], year, size]["worth_bn_per_gw_year"], 2) for size in sizes]
            size, gain = row["size_gw"], row["gain_bn"]
            upto = "any" if math.isinf(size) else f"{size:.2g} GW" if size else "none"
            adds = number(1000 * gain, 0 if gain >= 0.01 else 1) if size and math.isfinite(gain) else "-"
            rows.append([f"  {row['pool']}", *cells, number(row["price_bn_per_gw_year"], 2), upto, adds])
    page.table(
        ["", *(f"{size:g} GW" if size >= 0.1 else "next\n10 MW" for size in sizes), "price", "buy\nup to", "adds\n$m"],
        rows,
    )
    page.note(
        "Every figure is a plan made anew with that much more of the pool in every scenario, at its average contract "
        "price. Up to there worth rises, beyond it falls."
    )


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
        pool: np.divide(cost[pool], row, out=np.full(len(spans), np.nan), where=row > ROUNDING)
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
    kinked = float(weight[~(np.abs(one_more - one_less) <= PROVED * (1 + np.abs(one_more)))].sum() / weight.sum())
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
    costly: list[tuple[float, str, float, float, str]] = []
    binding = np.zeros(view.tree.size, dtype=bool)
    for limits_named in _askable():
        values, unit = view.marginal(limits_named[0].name), limits_named[0].unit
        for name, row in zip(values.names, np.nan_to_num(values.values), strict=True):
            often = float((row > ROUNDING) @ probability)
            worth = float(row @ view.weight) * step * (1.0 if unit == ONE_OFF else view.calendar.dt)
            if often and worth > 0:
                binding |= row > ROUNDING
                limit = limits_named[-1 if name in deal_pathways else 0]
                ask = limit.ask.format(name=cut(page.clean(name), page.width - WITHOUT_NAME), than=_ramp(view, name))
                costly.append((worth, ask, often, float(np.maximum(row, 0.0) @ probability) / often, unit))
    if not costly:
        return
    costly.sort(key=lambda limit: -limit[0])
    shown, period = costly[:MOST_LIMITS], view.instance.resolution
    mean = formatter([limit[3] for limit in shown])
    places = max(decimals([1000 * limit[0] for limit in shown]) - 1, 0)
    rows = [
        [ask, percent(often / view.calendar.periods), f"{mean(value)} {unit}", number(1000 * worth, places)]
        for worth, ask, often, value, unit in shown
    ]
    page.heading("Limits that cost most", ": what a planner may ask for")
    page.table(["", "binds", "worth while it binds", "~$m gain"], rows)
    text = f"binds: share of the time. ~$m gain: what {step:g} GW more in every {period} add at most."
    waiting = view.idle.total * probability
    if waiting.sum() * view.calendar.dt >= view.least_gw:
        text += f" {percent(waiting[binding].sum() / waiting.sum())} of idle GW wait while one binds."
    page.note(f"{text} {left_out((len(costly) - len(shown), 'cheaper limit'))}")
    looser_limits(page, view)


def looser_limits(page: Page, view: View) -> None:
    """Show what limits that cost most add when looser, re-solved, and the size from which on that adds no more."""
    table, named = view.plan.looser_limits, {limits_of[0].name: limits_of for limits_of in _askable()}
    if not len(table):
        return
    deal_pathways = view.coded("deals", "pathway")[1]
    sizes = sorted(set(table["size_gw"][table["step"] == "asked"].tolist()))
    rows = []
    for limit, name in dict.fromkeys(zip(table["limit"].tolist(), table["name"].tolist(), strict=True)):
        of = table[(table["limit"] == limit) & (table["name"] == name)]
        gains = dict(zip(of["size_gw"], of["gain_bn"], strict=True))
        ask = named[limit][-1 if name in deal_pathways else 0].ask
        size, gain = of[of["step"] == "best"][["size_gw", "gain_bn"]].to_numpy()[0].tolist()
        upto = "any" if math.isinf(size) else f"{size:.2g} GW" if size else "none"
        cells = [number(1000 * gains[each], 0) for each in sizes]
        words = ask.format(name=cut(page.clean(name), page.width - WITHOUT_NAME), than=_ramp(view, name))
        rows.append([words, *cells, upto, number(1000 * gain, 0) if math.isfinite(gain) else "-"])
    period = view.instance.resolution
    page.heading("Looser by how much?", f" $m that a limit adds, re-solved, looser in every {period}")
    page.table(["", *(f"{size:g} GW" if size >= 0.1 else "10 MW" for size in sizes), "up to", "adds\n$m"], rows)
    page.note(
        "Each by itself, everywhere it is stated, at no cost; beyond the size in the last columns it adds no more."
    )


def _askable() -> list[list[Limit]]:
    """Return the limits that a planner may ask to relax; of several with one name, that on deals comes last."""
    asked = [limit for limit in PRICED.values() if limit.ask]
    return [[limit for limit in asked if limit.name == name] for name in dict.fromkeys(limit.name for limit in asked)]


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
    rank = np.argsort(-(view.use.values @ view.tree.probability), kind="stable")[:MOST_IN_SCENARIOS]
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
    probability, chance = view.given({factor: o})
    after = np.where(view.tree.known[:, factor] >= 0, probability, 0.0)
    means = columns.values @ after / after.sum()
    worth = view.money(float(view.worth @ probability))
    name = view.instance.factors[factor].outcomes[o].name
    return [f"  {name}", percent(chance), worth, *(view.gw(x) for x in means)]


MOST_BY_YEAR = 8
LONGEST_NAME = 24
LONGEST_BAR = 10


def use_by_year(page: Page, view: View) -> None:
    """Show GW by pathway and year with bars, then what was delivered, cancelled and idle."""
    figure = len(view.gw(view.peak_gw))
    names = ["short of target", *view.use.names]
    room = page.width - 2 - min(max(map(cell_len, names)), LONGEST_NAME)
    spans = view.spans(max(room // (max(figure, len("Jul-Dec")) + 2), 1))
    bar = min(room // len(spans) - figure - 3, LONGEST_BAR)
    shown = _largest(view, spans)
    most = max((float(row.max()) for _, row in shown), default=0.0)
    rows = []
    for name, row in shown:
        rows.append((name, [f"{view.gw(x).rjust(figure)} {page.bar(x, most, bar)}" for x in row]))
        effective = view.effective.of(name) @ view.means(spans)
        if name in view.use.names and (np.abs(effective - row) >= view.least_gw).any():
            rows.append(("  effective", [f"{view.gw(x):>{figure}}" for x in effective]))
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
    largest = sorted(np.argsort(-means.sum(axis=1), kind="stable")[:MOST_BY_YEAR].tolist())
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
        *((f"+ sold: {name}", row) for name, row in zip(view.sold.names, view.sold.values @ means, strict=True)),
        ("+ idle", idle),
        ("+ cancelled", view.cancelled.total @ means),
        ("= delivered", view.delivered.total @ means),
    ]
    shown = [(name, [view.gw(x) for x in row]) for name, row in rows]
    shown.append(("in use %", [percent(x).removesuffix("%") for x in share]))
    missed = shortfall_gw(view)
    if missed is not None and missed.any():
        shown.append(
            ("effective, short" if _differs(view) else "short of target", [view.gw(x) for x in missed @ means])
        )
    return shown


def _differs(view: View) -> bool:
    """Return whether some GW in use is more or less than one effective GW."""
    return any((np.abs(view.effective.of(name) - view.use.of(name)) >= view.least_gw).any() for name in view.use.names)


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
    if len(values) > MOST_BY_YEAR:
        rest = values[MOST_BY_YEAR:]
        values = [*values[:MOST_BY_YEAR], (f"{len(rest)} others", sum(amount for _, amount in rest))]
    sold = [(MONEY["sales"].label, bn)] if (bn := _part(view, "sales")) else []
    costs = [(MONEY[name].label, parts[name][""]) for name in COSTS if name != "sales" and _part(view, name)]
    columns = [
        ("Value of use", [*values, *sold]),
        ("Costs", costs),
        ("Not cash", [(MONEY[name].label, parts[name][""]) for name in NOT_CASH if _part(view, name)]),
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


MOST_SENTENCES: Final = 12
MOST_CELLS: Final = 16


def marginal_values(page: Page, plan: Plan) -> None:
    """Say what a GW more and less of each limit is worth, in the period and future in which it matters most."""
    page.heading("MARGINAL VALUES (shadow prices), each where it matters most, and how far they hold")
    table = plan.marginal_values
    best = table[["relaxed", "tightened", "bn_per_gw_year"]].max(axis=1).fillna(0.0)
    # what a GW more for one period adds to worth, as seen from the start
    rate = plan.instance.discount_rate
    years = calendar_of(plan.instance).dt
    lasting = np.where(table["unit"] == ONE_OFF, 1.0, years)
    counts = best * table["probability"] * lasting * (1 + rate) ** (-(table["period"] + 0.5) * years)
    table = table.assign(counts=counts)[best > ROUNDING]
    if not len(table):
        page.note("None: only a plan proved optimal has them, and no limit of this one is worth anything.")
        return
    first = table.loc[table.groupby(["constraint", "name"])["counts"].idxmax()].sort_values("counts", ascending=False)
    for row in first.head(MOST_SENTENCES).to_dict("records"):
        page.note(f"- {sentence(row, plan.instance.resolution)}")
    more = left_out((len(first) - MOST_SENTENCES, "smaller one"))
    page.note(
        "Gross of contract cost, for that period alone. The range runs from the allowable decrease to the allowable "
        f"increase of the limit. A kept run has all of them, in marginal_values.csv. {more}"
    )


def sentence(row: dict[Any, Any], resolution: str) -> str:
    """Return a row of the marginal values in words."""
    side = str(row["name"]).rpartition(" ")[2] if row["constraint"] == "lock" else ""
    limit = BY_KIND[f"{row['constraint']} {side}".strip()]
    rooms = row["to_gw"] - row["limit_gw"], row["limit_gw"] - row["from_gw"]
    relaxing, tightening = rooms if limit.sign < 0 else rooms[::-1]
    each = "$bn" if row["unit"] == ONE_OFF else "$bn a year"
    known = f" (if {row['known']})" if row["known"] else ""
    more = limit.relaxed.format(str(row["name"]).removesuffix(f" {side}"))
    text = f"{period_name(row['start'], resolution)}{known} {more} "
    if math.isnan(row["relaxed"]):
        text += f"adds at most {row['bn_per_gw_year']:.3g} {each}"
    else:
        text += f"adds {row['relaxed']:.3g} {each}{_room(relaxing)}"
    if not math.isnan(row["tightened"]):
        text += f"; {limit.tightened} costs {row['tightened']:.3g}{_room(tightening)}"
    return f"in {text}"


def period_name(start: pd.Timestamp, resolution: str) -> str:
    """Return a period's name: ``2027-04``, ``2027 Q2`` or ``2027``; a year that begins later by its first month."""
    if resolution == "quarter" and start.month % 3 == 1:
        return f"{start:%Y} Q{(start.month + 2) // 3}"
    return f"{start:%Y}" if resolution == "year" and start.month == 1 else f"{start:%Y-%m}"


def _room(gw: float) -> str:
    if math.isnan(gw):
        return ""
    return f", for up to {max(gw, 0.0):.2g} GW" if math.isfinite(gw) else ", however many"


def allowable_changes(page: Page, plan: Plan) -> None:
    """Show the values and costs by whose change the plan changes soonest."""
    page.heading("ALLOWABLE CHANGES of values and costs: by how much each alone may change before the plan does")
    table = plan.allowable_changes
    low, high = table["allowable_decrease"], table["allowable_increase"]
    known = low.notna()
    if not known.any():
        page.note("Not known: they are worked out for plans proved optimal without aversion to risk or whole numbers.")
        return
    least = np.minimum(low, high)
    matters = known & np.isfinite(least) & (least > ROUNDING)
    shown = table[matters].assign(share=(least / table["value"].abs())[matters]).sort_values("share", kind="stable")
    rows = [
        [f"{row['table']}[{row['row']}].{row['column']}", f"{row['value']:g}", *_changes(row)]
        for row in shown.head(MOST_CELLS).to_dict("records")
    ]
    for name, value, less, more in rows:
        page.note(f"- {name}: {value}, may fall by {less} and rise by {more}")
    free = int((known & ~np.isfinite(least)).sum())
    tied = int((known & (least <= ROUNDING)).sum())
    page.note(
        f"Those that may change least, relative to their size. {tied} may not change at all: another plan is, or may "
        f"be, worth as much. On {free} the plan does not depend. At a degenerate optimum the plan may stay best "
        f"farther. A kept run has all of them, in allowable_changes.csv. "
        f"{left_out((len(shown) - MOST_CELLS, 'cell'))}"
    )


def _changes(row: dict[Any, Any]) -> list[str]:
    return [
        "any amount" if math.isinf(change) else f"{change:.3g}"
        for change in (row["allowable_decrease"], row["allowable_increase"])
    ]
