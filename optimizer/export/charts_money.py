"""Pictures of a plan's money: obligations by year and vendor, what the next GW is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.export import theme
from optimizer.export.charts import period_ends, titled, worth
from optimizer.export.printed_values import average_prices, known_means
from optimizer.export.printed_view import FloatArray, Span, View
from optimizer.export.theme import GREY, INK, NothingToShowError
from optimizer.results.run import Run

if TYPE_CHECKING:
    from altair import LayerChart, VConcatChart

MOST_VENDORS = 6
"""Vendors that are told apart; the smaller ones are shown together."""

MOST_POOLS = 6
_ROW_HEIGHT = 110
_PERIOD: Final[dict[str, Any]] = {"color": GREY, "strokeWidth": 1, "opacity": 0.7}
_PRICE: Final[dict[str, Any]] = {"color": INK, "strokeWidth": 1.4, "strokeDash": [5, 4]}
_YEAR: Final[dict[str, Any]] = {"color": theme.RAMP[1], "strokeWidth": 2.6}


def obligations_by_year(run: Run) -> LayerChart:
    """Return the picture of what is owed: expected by year and vendor, and what the plan cancels of it.

    Parameters
    ----------
    run : Run
        What to show; beyond the horizon each contract runs to its end.
    """
    alt = theme.installed("altair", "Altair")
    table = run.tables["obligations"]
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
    marks = theme.bars(alt, layers, [str(year) for year in years], "$bn")
    chart: LayerChart = theme.picture(alt, marks, titled(run, "obligations by vendor"), [worth(run), told])
    return chart


def _by_vendor(table: pd.DataFrame, column: str, years: NDArray[np.int64]) -> dict[str, FloatArray]:
    """Return $bn by year of each vendor."""
    found: dict[str, FloatArray] = {}
    for vendor, rows in table.groupby("vendor", sort=False):
        found[str(vendor)] = np.histogram(rows["year"], [*years, years[-1] + 1], weights=rows[column])[0]
    return found


def marginal_values(run: Run) -> VConcatChart:
    """Return the picture of what one more GW of each pool would add, against the pool's average contract price.

    Parameters
    ----------
    run : Run
        What to show; only a plan proved optimal has marginal values.
    """
    alt = theme.installed("altair", "Altair")
    view = View(run.plan)
    values = view.marginal("supply")
    known = np.isfinite(values.values)
    if not known.any():
        raise NothingToShowError("only a plan proved optimal has marginal values")
    months = [Span("", np.arange(view.calendar.periods) == t) for t in range(view.calendar.periods)]
    years = view.spans(view.calendar.periods)
    monthly, yearly = known_means(view, values, months), known_means(view, values, years)
    prices = average_prices(view, months)
    size = dict(zip(view.delivered.names, view.delivered.values @ view.tree.probability, strict=True))
    pools = sorted(values.names, key=lambda name: -size.get(name, 0.0))[:MOST_POOLS]
    inside = np.stack([span.periods for span in years])
    rows = []
    for pool in pools:
        at = values.names.index(pool)
        rows.append(_Lines(pool, monthly[at], yearly[at][inside.argmax(axis=0)], prices[pool]))
    return _rows_of_lines(alt, run, rows, len(values.names) - len(pools))


@dataclass(frozen=True)
class _Lines:
    """Figures of one pool by period, $bn per GW-year."""

    pool: str
    period: FloatArray
    year: FloatArray
    price: FloatArray


def _rows_of_lines(alt: Any, run: Run, rows: list[_Lines], left_out: int) -> VConcatChart:
    """Return one small picture a pool, one above the other, on the same scale."""
    times = period_ends(run)
    figures = np.concatenate([np.concatenate([row.period, row.year, row.price]) for row in rows])
    scale = alt.Scale(domain=[min(float(np.nanmin(figures)), 0.0), float(np.nanmax(figures)) * 1.05 or 1.0], nice=False)
    y = alt.Y("value:Q", scale=scale, axis=alt.Axis(title=None, tickCount=4, domain=False, ticks=False))
    charts = []
    for row in rows:
        axis = theme.time_axis(alt, len(times) - 1, run.instance.resolution) if row is rows[-1] else None
        x = alt.X("time:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
        marks = [
            alt.Chart(_data(alt, times, values)).mark_line(interpolate="step-after", **style).encode(x=x, y=y)
            for values, style in ((row.period, _PERIOD), (row.price, _PRICE), (row.year, _YEAR))
        ]
        charts.append(alt.layer(*marks, *_words(alt, row), width=theme.WIDTH, height=_ROW_HEIGHT))
    told = "$bn per GW-year before contract cost: thick each year's mean, thin each period, dashed the contract price"
    more = [f"{left_out} smaller pools are left out"] if left_out else []
    title = alt.Title(titled(run, "what one more GW would add"), subtitle=[worth(run), told, *more])
    chart: VConcatChart = alt.vconcat(*charts, title=title, spacing=14, config=theme.THEME)
    return chart


def _data(alt: Any, times: list[str], values: FloatArray) -> Any:
    """Return figures by period as data of a stepped line, which ends where the horizon does."""
    pairs = zip(times, [*values.tolist(), float(values[-1])], strict=True)
    return alt.InlineData(values=[{"time": time, "value": value} for time, value in pairs if np.isfinite(value)])


def _words(alt: Any, row: _Lines) -> list[Any]:
    """Return pool, last mean of a year and last price beside its picture."""
    words = [(row.pool, INK)]
    for name, values, colour in (("last year", row.year, theme.RAMP[1]), ("price", row.price, INK)):
        words += [(f"{name} {value:.2f}", colour) for value in values[np.isfinite(values)][-1:]]
    return [
        theme.beside(alt, text, theme.WIDTH + 13, 10 + theme.LINE_HEIGHT * i, colour)
        for i, (text, colour) in enumerate(words)
    ]
