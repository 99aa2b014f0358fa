"""The chart of what worth is made of: a waterfall of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.money import COSTS, MONEY, NOT_CASH
from gwplan.files import printable
from gwplan.models.tree import FloatArray, IntArray
from gwplan.show import theme, vega
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels, worth
from gwplan.show.page import signed
from gwplan.show.text.values import average_prices, known_means
from gwplan.show.theme import GREY, INK, NothingToShowError
from gwplan.show.view import Span, View
from gwplan.studies.price import MostToPay, OfferPrice

MOST_PATHWAYS = 8
GAIN, LOSS, TOTAL = theme.GAIN, theme.LOSS, INK


@dataclass(frozen=True)
class WorthStep:
    """A step of a waterfall: what it adds, and from where to where, $bn."""

    name: str
    kind: str
    low: float
    high: float
    amount: float


def waterfall(view: View) -> Drawing:
    """Return the chart of worth as a waterfall: value by pathway, costs, cash, then what is not cash.

    Expected and discounted $bn.
    """
    steps = _steps(view)
    notes = [worth(view), f"$bn, {view.weighed}; bars go on from where the one before ended"]
    drawn = steps_drawing("what worth is made of", notes, steps, view)
    value = sum(step.amount for step in steps if step.name.startswith("value of"))
    npv = next(step.amount for step in steps if step.kind == "total")
    finding = f"Uses earn ${view.money(value)}bn, of which costs leave ${view.money(npv)}bn of NPV"
    return replace(drawn, finding=finding)


def steps_drawing(
    what: str, notes: list[str], steps: list[WorthStep], view: View, *, from_zero: bool = True
) -> Drawing:
    """Return steps as a waterfall from the top down, each with its amount in $bn.

    Where the scale need not begin at 0, it begins below the steps, and sums are told as lines at what is reached.
    """
    steps = [replace(step, name=printable(step.name)) for step in steps]  # Vega-Lite sorts by no others
    edges = [edge for step in steps for edge in (step.low, step.high) if from_zero or step.kind != "total"]
    edges += [step.amount for step in steps if step.kind == "total"]
    least, most = (min(*edges, 0.0), max(*edges, 0.0)) if from_zero else (min(edges), max(edges))
    if not from_zero:
        steps = [replace(s, low=s.amount, high=s.amount) if s.kind == "total" else s for s in steps]
    colours = {"gain": GAIN, "loss": LOSS, "total": TOTAL}
    kinds = [kind for kind in colours if any(step.kind == kind for step in steps)]

    def marks(frame: Frame) -> list[Any]:
        narrow = frame.width < theme.NARROW
        room = (most - least) * (0.3 if narrow else 0.12) or 1.0
        below = room if least < 0 or not from_zero else 0.0
        scale = {"domain": [least - below, most + room], "nice": False, "zero": False}
        axis = {"domain": False, "ticks": False, "labelLimit": 105 if narrow else 220, "labelPadding": 8}
        y = vega.by("name:N", sort=[step.name for step in steps], title=None, axis=axis)
        label = "(datum.value < 0 ? '-$' : '$') + format(abs(datum.value), '~f') + 'bn'"
        ticks = {"tickCount": 4 if narrow else 7, "labelExpr": label, "domain": False, "ticks": False}
        x = vega.by("low:Q", title=None, scale=scale, axis=ticks)
        layers = []
        for kind in kinds:
            rows = [{"name": s.name, "low": s.low, "high": s.high} for s in steps if s.kind == kind]
            bar = vega.Marks(rows).draw(
                "bar", fill=colours[kind], height=18, stroke=colours[kind], strokeWidth=0 if from_zero else 1.5
            )
            layers.append(bar.encode(x=x, x2="high:Q", y=y))
        texts = [{"name": s.name, "low": s.high, "text": _signed(view, s)} for s in steps]
        mark = vega.Marks(texts).draw("text", align="left", dx=5, color=INK, fontSize=12)
        return [*layers, mark.encode(x=x, y=y, text="text:N")]

    def spots(frame: Frame) -> list[Any]:
        data = [{"name": step.name} for step in steps]
        mark = vega.Marks(data).draw("rect", fill="transparent")
        return [
            mark.encode(
                y=vega.by("name:N", sort=[step.name for step in steps]), x=vega.value(0), x2=vega.value(frame.width)
            )
        ]

    rows = [[step.name, _signed(view, step), step.kind] for step in steps]
    words = {"gain": "adds", "loss": "takes away", "total": "sum"}
    key = [Entry(words[kind], colours[kind], (i,)) for i, kind in enumerate(kinds)]
    figures = Figures(["part", "$bn", "kind"], rows)
    return Drawing(what, notes, marks, figures, key, spots, height=26 * len(steps))


def differences(name: str, base: View, view: View) -> Drawing:
    """Return the chart of why a plan is worth more or less than another: a waterfall of what each part differs by."""
    start = _expected(base)
    steps: list[WorthStep] = []
    steps.append(_sum("worth it is held against", start))
    parts = [(label, _differing(base, view, key, pathway)) for label, key, pathway in _labels(base, view)]
    reached = summed(steps, [(label, bn) for label, bn in parts if float(base.money(bn))], start)
    rest = _expected(view) - reached
    summed(steps, [("smaller parts", rest if float(base.money(rest)) else 0.0)], reached)
    if len(steps) == 1:
        raise NothingToShowError("each part is worth the same")
    steps.append(_sum(f"worth of {name}", _expected(view)))
    notes = [f"$bn, {view.weighed}; bars go on from where the one before ended"]
    drawn = steps_drawing(f"why {name} is worth more or less", notes, steps, base, from_zero=False)
    most = max(steps[1:-1], key=lambda step: abs(step.amount))
    total = _expected(view) - start
    verb = "adds" if total >= 0 else "costs"
    part = f"{base.money(most.amount)} of it by {most.name}"
    return replace(drawn, finding=f"{printable(name)} {verb} ${base.money(abs(total))}bn; {part}")


def _expected(view: View) -> float:
    return sum(bn for part in view.parts.values() for bn in part.values())


def _labels(base: View, view: View) -> list[tuple[str, str, str]]:
    pathways = dict.fromkeys([*base.parts["value"], *view.parts["value"]])
    return [
        *((f"value of {pathway}", "value", pathway) for pathway in pathways),
        *((MONEY[key].label, key, "") for key in (*COSTS, *NOT_CASH) if key in base.parts or key in view.parts),
    ]


def _differing(base: View, view: View, key: str, pathway: str) -> float:
    return view.parts.get(key, {}).get(pathway, 0.0) - base.parts.get(key, {}).get(pathway, 0.0)


def _signed(view: View, step: WorthStep) -> str:
    text = view.money(step.amount)
    return text if step.kind == "total" else signed(text)


def _steps(view: View) -> list[WorthStep]:
    """Return the parts of worth as steps, with the sums on the way."""
    parts = view.parts
    values = sorted(parts["value"].items(), key=lambda item: -item[1])
    shown, rest = values[:MOST_PATHWAYS], values[MOST_PATHWAYS:]
    if rest:
        shown.append((f"{len(rest)} other pathways", sum(bn for _, bn in rest)))
    cash = [(f"value of {name}", bn) for name, bn in shown]
    cash += [(MONEY[name].label, parts[name][""]) for name in COSTS if name in parts]
    more = [(MONEY[name].label, parts[name][""]) for name in NOT_CASH if name in parts]
    steps: list[WorthStep] = []
    reached = summed(steps, cash, 0.0)
    steps.append(_sum("Cash (NPV)", reached))
    if any(bn for _, bn in more):
        reached = summed(steps, more, reached)
        steps.append(_sum("Worth", reached))
    return steps


def _sum(name: str, reached: float) -> WorthStep:
    return WorthStep(name, "total", min(reached, 0.0), max(reached, 0.0), reached)


def summed(steps: list[WorthStep], parts: list[tuple[str, float]], reached: float) -> float:
    """Add the parts that are not 0 as steps from what was reached, and return what is reached then."""
    for name, amount in parts:
        if amount:
            after = reached + amount
            steps.append(
                WorthStep(name, "gain" if amount > 0 else "loss", min(reached, after), max(reached, after), amount)
            )
            reached = after
    return reached


MOST_VENDORS = 6
"""Vendors that are told apart; the smaller ones are shown together."""

MOST_POOLS = 6
_ROW_HEIGHT = 110
_PERIOD: Final = theme.Stroke(GREY, 1, opacity=0.7)
_PRICE: Final = theme.Stroke(INK, 1.4, (5, 4))
_YEAR: Final = theme.Stroke(theme.MARK, 2.6)


def obligations_by_year(view: View) -> Drawing:
    """Return the chart of what is owed: expected by year and vendor, and what the plan cancels of it."""
    table = view.plan.tables["obligations"]
    table = table[table["side"] == "buy"]
    if not (table["as_signed_bn"] > 0).any():
        raise NothingToShowError("no contract has a price")
    years = np.arange(int(table["year"].min()), int(table["year"].max()) + 1)
    signed, kept = (_by_vendor(table, column, years) for column in ("as_signed_bn", "after_cancellation_bn"))
    largest = sorted(signed, key=lambda vendor: -signed[vendor].sum())
    shown, rest = largest[:MOST_VENDORS], largest[MOST_VENDORS:]
    parts, greys = [(vendor or "no vendor named", kept[vendor]) for vendor in shown], drawing.vendors_of(view)
    fills = [greys[vendor] for vendor in shown]
    if rest:
        parts.append((f"{len(rest)} more vendors", np.sum([kept[vendor] for vendor in rest], axis=0)))
        fills.append(theme.GREYS[-1])
    fills.append(theme.PALE)
    total, left = np.sum(list(signed.values()), axis=0), np.sum(list(kept.values()), axis=0)
    parts.append(("cancelled by the plan", np.maximum(total - left, 0.0)))
    layers = theme.stacked((name, amounts, fill) for (name, amounts), fill in zip(parts, fills, strict=True))
    notes = (
        f"${total.sum():,.1f}bn as signed, ${left.sum():,.1f}bn after what the plan cancels and signs; "
        "undiscounted, without fees"
    )
    names = [str(year) for year in years]
    drawn = drawing.bars("obligations by vendor", [worth(view), notes], list(layers), names, "$bn")
    after = float(left[years >= int(view.dates[-1][:4])].sum())
    ended = f"The plan ends ${total.sum() - left.sum():,.1f}bn of ${total.sum():,.1f}bn owed as signed"
    return replace(drawn, finding=f"{ended}; ${after:,.1f}bn of the rest falls due after the horizon")


def _by_vendor(table: pd.DataFrame, column: str, years: IntArray) -> dict[str, FloatArray]:
    """Return $bn by year of each vendor."""
    by_vendor: dict[str, FloatArray] = {}
    for vendor, rows in table.groupby("vendor", sort=False):
        by_vendor[str(vendor)] = np.histogram(rows["year"], [*years, years[-1] + 1], weights=rows[column])[0]
    return by_vendor


def marginal_values(view: View) -> Panels:
    """Return the chart of what one more GW of each pool would add, against the pool's average contract price."""
    values = view.marginal("supply")
    if not np.isfinite(values.values).any():
        raise NothingToShowError("only a plan proved optimal has marginal values")
    count = view.calendar.periods
    months = [Span("", np.arange(count) == t) for t in range(count)]
    years = view.spans(count)
    monthly, yearly = known_means(view, values, months), known_means(view, values, years)
    prices = average_prices(view, months)
    size = dict(zip(view.delivered.names, view.delivered.values @ view.tree.probability, strict=True))
    pools = sorted(values.names, key=lambda name: -size.get(name, 0.0))[:MOST_POOLS]
    inside = np.stack([span.periods for span in years])
    rows = []
    for pool in pools:
        at = values.names.index(pool)
        rows.append(_Lines(pool, monthly[at], yearly[at][inside.argmax(axis=0)], prices[pool]))
    note = "$bn per GW-year before contract cost: thick each year's mean, thin each period, dashed the contract price"
    left_out = len(values.names) - len(pools)
    more = [f"{left_out} smaller pools are left out"] if left_out else []
    figures = np.concatenate([np.concatenate([row.period, row.year, row.price]) for row in rows])
    limits = min(float(np.nanmin(figures)), 0.0), float(np.nanmax(figures)) * 1.05 or 1.0
    drawings = [_lines(view, row, limits, last=row is rows[-1]) for row in rows]
    key = [
        Entry("mean of the year", _YEAR, (2,)),
        Entry("contract price", _PRICE, (1,)),
        Entry(f"each {view.instance.resolution}", _PERIOD, (0,)),
    ]
    finding = _scarcest(view, rows)
    return Panels("what one more GW would add", [worth(view), note, *more], drawings, key, columns=1, finding=finding)


def _scarcest(view: View, rows: list[_Lines]) -> str:
    """Say where and when a GW more adds most beyond its price, mean of a year."""
    margins = {row.pool: np.nan_to_num(row.year - row.price, nan=-np.inf) for row in rows}
    pool = max(margins, key=lambda name: float(margins[name].max()))
    at, most = int(margins[pool].argmax()), float(margins[pool].max())
    if not np.isfinite(most):
        return ""
    year = view.dates[at][:4]
    if most <= 0:
        return "Nowhere is the next GW worth its price"
    return f"The next MW are scarcest in {pool} in {year}: ${view.rate(most)}bn per GW-year beyond their price"


@dataclass(frozen=True)
class _Lines:
    """Figures of one pool by period, $bn per GW-year."""

    pool: str
    period: FloatArray
    year: FloatArray
    price: FloatArray


def _lines(view: View, row: _Lines, limits: tuple[float, float], *, last: bool) -> Drawing:
    """Return the chart of one pool; in a picture only the last has an axis of time."""
    times = drawing.periods(view)

    def marks(frame: Frame) -> list[Any]:
        scale = {"domain": list(limits), "nice": False}
        y = vega.by("top:Q", scale=scale, axis={"title": None, "tickCount": 4, "domain": False, "ticks": False})
        x = times.x(frame, axis=last or frame.page)
        return [
            vega.Marks(times.steps(top=values)).draw("line", interpolate="step-after", **style.mark).encode(x=x, y=y)
            for values, style in ((row.period, _PERIOD), (row.price, _PRICE), (row.year, _YEAR))
        ]

    columns = (row.period, row.year, row.price)
    rows = [[since, *(view.rate(values[t]) for values in columns)] for t, since in enumerate(times.ends[:-1])]
    unit = "$bn per GW-year"
    header = [times.name, f"one more GW, {unit}", f"mean of the year, {unit}", f"contract price, {unit}"]
    return Drawing(row.pool, [], marks, Figures(header, rows), (), times.spots, lambda: _words(row), _ROW_HEIGHT)


def _words(row: _Lines) -> list[Any]:
    """Return pool, last mean of a year and last price beside its picture."""
    words = [(row.pool, INK)]
    for name, values, colour in (("last year", row.year, theme.MARK), ("price", row.price, INK)):
        words += [(f"{name} {value:.2f}", colour) for value in values[np.isfinite(values)][-1:]]
    return [theme.beside(text, 13, 10 + theme.LINE_HEIGHT * i, colour) for i, (text, colour) in enumerate(words)]


MOST_DATES: Final = 12
"""Dates and futures of signature that a picture shows."""


def offer_prices(result: OfferPrice) -> Drawing:
    """Return the chart of the most to pay for an offer, or the least to take: a mark by date and size, $bn per GW-year.

    Without aversion; the line is the price asked.
    """
    rows = [row for row in result.most if row.aversion == 0 and row.price is not None]
    names = list(dict.fromkeys(_moment(row) for row in rows))[:MOST_DATES]
    rows = [row for row in rows if _moment(row) in names]
    if not rows:
        raise NothingToShowError("the offer is worth no price")
    sizes = sorted({row.gw for row in rows})
    fills = theme.shades(len(sizes))
    prices = [row.price or 0.0 for row in rows]
    low, high = min(*prices, result.asked), max(*prices, result.asked)
    room = 0.1 * (high - low) or 0.1

    def place(frame: Frame) -> Any:
        axis = {"domain": False, "ticks": False, "labelLimit": 105 if frame.width < theme.NARROW else 260}
        return vega.by("name:N", sort=names, title=None, axis=axis)

    def marks(frame: Frame) -> list[Any]:
        scale = {"domain": [low - room, high + room], "nice": False, "zero": False}
        x, layers = vega.by("price:Q", title="$bn per GW-year", scale=scale), []
        for size, fill in zip(sizes, fills, strict=True):
            data = [{"name": _moment(row), "price": row.price} for row in rows if row.gw == size]
            mark = vega.Marks(data).draw("point", filled=True, size=110, color=fill, opacity=1)
            layers.append(mark.encode(x=x, y=place(frame)))
        rule = vega.Marks([{"price": result.asked}]).draw("rule", color=INK, strokeDash=[4, 3])
        return [*layers, rule.encode(x=x)]

    def spots(frame: Frame) -> list[Any]:
        mark = vega.Marks([{"name": name} for name in names]).draw("rect", fill="transparent")
        return [mark.encode(y=place(frame), x=vega.value(0), x2=vega.value(frame.width))]

    at = {(_moment(row), row.gw): f"{row.price:.2f}" for row in rows}
    figures = Figures(
        ["signed", *(f"{gw:g} GW, $bn per GW-year" for gw in sizes)],
        [[name, *(at.get((name, gw), "-") for gw in sizes)] for name in names],
    )
    key = [Entry(f"{gw:g} GW", fill, (i,)) for i, (gw, fill) in enumerate(zip(sizes, fills, strict=True))]
    key.append(Entry("price named", theme.Stroke(INK, 2), (len(sizes),)))
    what = f"the {'least to take' if result.sold else 'most to pay'} for {result.offer}"
    return Drawing(what, ["by date of signature and size"], marks, figures, key, spots, height=40 * len(names) + 40)


def _moment(row: MostToPay) -> str:
    return printable(f"{row.until}, if {row.known}" if row.known else f"by {row.until}")
