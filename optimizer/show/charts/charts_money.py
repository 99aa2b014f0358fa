"""Charts of a plan's money: obligations by year and vendor, what the next GW is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from models.tree import FloatArray, IntArray
from optimizer.show import theme
from optimizer.show.charts import drawing
from optimizer.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels, worth
from optimizer.show.text.values import average_prices, known_means
from optimizer.show.theme import GREY, INK, NothingToShowError
from optimizer.show.view import Span, View

MOST_VENDORS = 6
"""Vendors that are told apart; the smaller ones are shown together."""

MOST_POOLS = 6
_ROW_HEIGHT = 110
_PERIOD: Final = theme.Line(GREY, 1, opacity=0.7)
_PRICE: Final = theme.Line(INK, 1.4, (5, 4))
_YEAR: Final = theme.Line(theme.RAMP[1], 2.6)


def obligations_by_year(view: View) -> Drawing:
    """Return the chart of what is owed: expected by year and vendor, and what the plan cancels of it.

    Parameters
    ----------
    view : View
        What to show; beyond the horizon each contract runs to its end.
    """
    table = view.plan.tables["obligations"]
    if not (table["as_signed_bn"] > 0).any():
        raise NothingToShowError("no contract has a price")
    years = np.arange(int(table["year"].min()), int(table["year"].max()) + 1)
    signed, kept = (_by_vendor(table, column, years) for column in ("as_signed_bn", "after_cancellation_bn"))
    largest = sorted(signed, key=lambda vendor: -signed[vendor].sum())
    shown, rest = largest[:MOST_VENDORS], largest[MOST_VENDORS:]
    parts = [(vendor or "no vendor named", kept[vendor]) for vendor in shown]
    if rest:
        parts.append((f"{len(rest)} smaller vendors", np.sum([kept[vendor] for vendor in rest], axis=0)))
    fills: list[theme.Fill] = [*theme.shades(len(parts)), theme.hatching(60)]
    total, left = np.sum(list(signed.values()), axis=0), np.sum(list(kept.values()), axis=0)
    parts.append(("cancelled by the plan", total - left))
    layers = theme.stacked((name, amounts, fill) for (name, amounts), fill in zip(parts, fills, strict=True))
    told = (
        f"${total.sum():,.1f}bn as signed, ${left.sum():,.1f}bn after the plan's cancellations; "
        "undiscounted, without fees"
    )
    names = [str(year) for year in years]
    return drawing.bars("obligations by vendor", [worth(view), told], list(layers), names, "$bn")


def _by_vendor(table: pd.DataFrame, column: str, years: IntArray) -> dict[str, FloatArray]:
    """Return $bn by year of each vendor."""
    found: dict[str, FloatArray] = {}
    for vendor, rows in table.groupby("vendor", sort=False):
        found[str(vendor)] = np.histogram(rows["year"], [*years, years[-1] + 1], weights=rows[column])[0]
    return found


def marginal_values(view: View) -> Panels:
    """Return the chart of what one more GW of each pool would add, against the pool's average contract price.

    Parameters
    ----------
    view : View
        What to show; only a plan proved optimal has marginal values.
    """
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
    told = "$bn per GW-year before contract cost: thick each year's mean, thin each period, dashed the contract price"
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
    return Panels("what one more GW would add", [worth(view), told, *more], drawings, key, columns=1)


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

    def marks(alt: Any, frame: Frame) -> list[Any]:
        scale = alt.Scale(domain=list(limits), nice=False)
        y = alt.Y("top:Q", scale=scale, axis=alt.Axis(title=None, tickCount=4, domain=False, ticks=False))
        x = times.x(alt, frame, axis=last or frame.page)
        return [
            alt.Chart(times.steps(alt, top=values)).mark_line(interpolate="step-after", **style.mark).encode(x=x, y=y)
            for values, style in ((row.period, _PERIOD), (row.price, _PRICE), (row.year, _YEAR))
        ]

    columns = (row.period, row.year, row.price)
    rows = [[since, *(view.rate(values[t]) for values in columns)] for t, since in enumerate(times.ends[:-1])]
    unit = "$bn per GW-year"
    header = [times.name, f"one more GW, {unit}", f"mean of the year, {unit}", f"contract price, {unit}"]
    return Drawing(
        row.pool, [], marks, Figures(header, rows), (), times.spots, lambda alt: _words(alt, row), _ROW_HEIGHT
    )


def _words(alt: Any, row: _Lines) -> list[Any]:
    """Return pool, last mean of a year and last price beside its picture."""
    words = [(row.pool, INK)]
    for name, values, colour in (("last year", row.year, theme.RAMP[1]), ("price", row.price, INK)):
        words += [(f"{name} {value:.2f}", colour) for value in values[np.isfinite(values)][-1:]]
    return [
        theme.beside(alt, text, theme.WIDTH + 13, 10 + theme.LINE_HEIGHT * i, colour)
        for i, (text, colour) in enumerate(words)
    ]
