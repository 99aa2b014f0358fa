"""Charts of the position that is planned: what was signed when, capacity by use over the years, the price premium."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import VALUE_FACTORS
from gwplan.files import printable
from gwplan.instance.instance import Instance
from gwplan.models.tree import FloatArray
from gwplan.plan.claims import STATUSES
from gwplan.show import theme, vega
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Figures, Frame, Times, edited, worth
from gwplan.show.charts.over_time import expected, stack
from gwplan.show.page import percent
from gwplan.show.theme import GREY, INK, Layer, NothingToShowError
from gwplan.show.view import MONTH_NAMES, Span, View
from gwplan.studies.exposure import bought, gw_by_status
from gwplan.tree.calendar import Calendar, Dates, add_months
from gwplan.tree.contracts import in_service

KINDS: Final = {
    "cloud": "neocloud and other cloud",
    "colocation": "leases (colocation)",
    "self_build": "own campuses",
    "": "kind not said",
}
"""Kinds of contract in the order in which they are stacked, in words."""


def signed_by_quarter(view: View) -> Drawing:
    """Return the chart of what was signed: whole contracts in GW by the quarter of their signature, and by kind."""
    contracts, deliveries = bought(view.instance)
    dated = contracts[contracts["signed"].notna()]
    if dated.empty:
        raise NothingToShowError("no contract says when it was signed")
    delivered = deliveries.groupby("contract")["gw"].sum()
    gw = delivered.reindex(dated["contract"], fill_value=0.0).to_numpy()
    months = dated["signed"].to_numpy().astype("datetime64[M]").astype(np.int64)
    quarter = months // 3
    first, count = int(quarter.min()), int(quarter.max() - quarter.min()) + 1
    kinds = dated["kind"].to_numpy()
    parts: list[tuple[str, FloatArray, theme.Fill]] = []
    fills: list[theme.Fill] = [*theme.shades(3, theme.GREYS), theme.PALE]
    for (kind, words), fill in zip(KINDS.items(), fills, strict=True):
        if (kinds == kind).any():
            height = np.histogram(quarter - first, count, (0, count), weights=gw * (kinds == kind))[0]
            parts.append((words, height, fill))
    places = [f"{(q // 4) + 1970} Q{q % 4 + 1}" for q in range(first, first + count)]
    from_others = gw[kinds != "self_build"]
    half = months[kinds != "self_build"] // 6
    latest = int(half.max(initial=-1))
    note = f"{gw.sum():.1f} GW in all"
    if latest >= 0:
        name = f"the {'second' if latest % 2 else 'first'} half of {latest // 2 + 1970}"
        note += f"; {from_others[half == latest].sum():.1f} GW of cloud and colocation in {name}"
    subtitle = [note, "each contract's GW when all is delivered, by the date of its signature", *edited(view)]
    drawn = drawing.bars("GW signed by quarter", subtitle, theme.stacked(parts), places, "GW")
    total = np.sum([height for _, height, _ in parts], axis=0)
    most = int(total.argmax())
    return replace(drawn, finding=f"{total[most]:.1f} of {total.sum():.1f} GW were signed in {places[most]}")


def capacity_by_year(view: View) -> Drawing:
    """Return the chart of capacity by use over the years: each pathway, what is sold, idle and cancelled."""
    spans = view.spans(view.calendar.periods)
    means = view.means(spans)
    earlier = _before_the_plan(view)
    blank = np.zeros(len(earlier))

    def during(values: FloatArray) -> FloatArray:
        return np.concatenate([blank, values @ means])

    before = np.concatenate([[gw for _, gw in earlier], np.zeros(len(spans))])
    parts: list[tuple[str, FloatArray, theme.Fill]] = [
        ("in service before the plan", before, theme.GREYS[-1]),
        *((name, during(view.use.of(name)), colour) for name, colour in drawing.pathways_of(view).items()),
        *((f"sold: {name}", during(view.sold.of(name)), colour) for name, colour in drawing.sold_of(view).items()),
        ("idle", during(view.idle.total), theme.hatching(60)),
        ("cancelled", during(view.cancelled.total), theme.PALE),
    ]
    labels = [label for label, _ in earlier] + [_label(span) for span in spans]
    subtitle = [worth(view), "mean of each year; contracts of the instance only"]
    layers = theme.stacked(part for part in parts if part[1].any())
    return drawing.bars("capacity by use over the years", subtitle, layers, labels, "GW")


def _before_the_plan(view: View) -> list[tuple[str, float]]:
    """Return mean GW in service in each calendar year before the plan, and in the part of its first year."""
    start = np.datetime64(view.instance.start, "M")
    months = np.arange(np.append(_arrivals(view).astype("datetime64[M]"), start).min(), start)
    gw = _as_written(view, Calendar(start - np.timedelta64(len(months), "M"), 1, len(months))).sum(axis=0)
    years = months.astype("datetime64[Y]").astype(np.int64) + 1970
    before = []
    for year in np.unique(years).tolist():
        inside = years == year
        cut = start.astype(np.int64) % 12 if year == view.instance.start.year else 12
        label = str(year) if cut == 12 else f"{year} Jan-{MONTH_NAMES[cut - 1]}"
        before.append((label, float(gw[inside].sum() / cut)))
    return before


def _arrivals(view: View) -> Dates:
    """Return the date of every delivery as written, its contract's delay included."""
    contracts, deliveries = bought(view.instance)
    late = contracts.set_index("contract")["delay_months"].reindex(deliveries["contract"]).to_numpy(dtype=np.int64)
    return add_months(deliveries["date"].to_numpy().astype("datetime64[D]"), late)


def _as_written(view: View, calendar: Calendar) -> FloatArray:
    """Return GW of each firm contract bought in service as written in another calendar's periods, (K, periods)."""
    laid_out = view.plan.laid_out
    firm = laid_out.data.firm & ~laid_out.data.sold
    return in_service(view.instance, laid_out.names, calendar) * firm[:, None]


def _label(span: Span) -> str:
    return span.label.replace("\n", " ")


def price_premium(view: View) -> Drawing:
    """Return the chart of what outlets pay per GW-year against the mean price of the capacity that is bought."""
    typical, bought = _typical_price(view.instance)
    rows = [(f"typical price ({bought})", typical, typical, GREY)]
    for tier in _first_tiers(view.instance):
        rows.append(tier)
    subtitle = [
        "$bn per GW-year at the first date of each tier, and as a multiple of the typical price",
        "filled: the price times the pathway's realisation, the probability that it is earned; outlined: the price",
        *edited(view),
    ]
    words = [_words(price, realised, typical) for _, price, realised, _ in rows]
    header = ["outlet", "price, $bn per GW-year", "multiple of the typical price", "realised, $bn per GW-year"]
    figures = Figures(
        header,
        [[row[0], *said[:2], said[2] if len(said) > 2 else said[0]] for row, said in zip(rows, words, strict=True)],
    )

    def marks(frame: Frame) -> list[Any]:
        return _price_bars(rows, words, frame)

    outlet, price, *_ = max(rows[1:], key=lambda row: row[1])
    finding = f"{outlet} pays {price / typical:.1f} times what capacity costs"
    return Drawing("price premium", subtitle, marks, figures, height=34 * len(rows), finding=finding)


def _words(price: float, realised: float, typical: float) -> list[str]:
    """Return a price, its multiple of the typical one, and what of it is realised where that is less."""
    return [f"{price:.2f}", f"{price / typical:.1f} x", *([f"{realised:.2f}"] if realised < price else [])]


def _price_bars(rows: list[tuple[str, float, float, str]], words: list[list[str]], frame: Frame) -> list[Any]:
    """Return a bar for each outlet, the realised part of it filled, with its figures beside it."""
    narrow = frame.width < theme.NARROW
    scale = {"domain": [0, max(row[1] for row in rows) * (2.2 if narrow else 1.45)], "nice": False}
    axis = {"domain": False, "ticks": False, "labelLimit": 150 if narrow else 260, "labelPadding": 8}
    y = vega.by("outlet:N", sort=[row[0] for row in rows], title=None, axis=axis)
    x = vega.by("price:Q", title=None, scale=scale, axis=None)
    marks = []
    for (outlet, price, realised, fill), said in zip(rows, words, strict=True):
        for length, colour in ((price, theme.PALE), (realised, fill)):
            data = [{"outlet": outlet, "price": length}]
            marks.append(vega.Marks(data).draw("bar", fill=colour, height=18, **theme.edge(colour)).encode(x=x, y=y))
        text = " · ".join([*said[:2], *(f"{part} realised" for part in said[2:])])
        data = [{"outlet": outlet, "price": price, "text": text}]
        label = vega.Marks(data).draw("text", align="left", dx=6, color=INK, fontSize=12)
        marks.append(label.encode(x=x, y=y, text="text:N"))
    return marks


def _typical_price(instance: Instance) -> tuple[float, str]:
    """Return the mean price of cloud contracts, weighted by their GW, and in words what was averaged."""
    contracts, deliveries = bought(instance)
    gw = deliveries.groupby("contract")["gw"].sum().reindex(contracts["contract"], fill_value=0.0).to_numpy()
    price = contracts["cost_bn_per_gw_year"].to_numpy()
    for words, chosen in (
        ("cloud contracts", (contracts["kind"] == "cloud").to_numpy()),
        ("all contracts", np.ones(len(gw), dtype=bool)),
    ):
        if gw[chosen] @ price[chosen] > 0:
            return float(gw[chosen] @ price[chosen] / gw[chosen].sum()), words
    raise NothingToShowError("no contract has a price")


def _first_tiers(instance: Instance) -> list[tuple[str, float, float, str]]:
    """Return name, price, realised price and colour of the tiers that pathways begin with."""
    pathways, value = instance.filled("pathways").set_index("pathway"), instance.filled("value")
    deals = pathways.index[(pathways["notice_days"] > 0) | (pathways["min_term_days"] > 0)]
    chosen = value[value["pathway"].isin(deals)] if value["pathway"].isin(deals).any() else value
    if chosen.empty:
        raise NothingToShowError("no pathway has tiers")
    names = list(dict.fromkeys(chosen["pathway"]))
    colours = theme.pathway_colours(instance.tables["pathways"]["pathway"].tolist())
    rows = []
    for name in names:
        tiers = chosen[chosen["pathway"] == name]
        now: pd.DataFrame = tiers[tiers["from"] == tiers["from"].min()].sort_values("tier")
        for tier, width, price in zip(now["tier"], now["width_gw"], now["value_bn_per_gw_year"], strict=True):
            size = "" if np.isnan(width) else f", {width:g} GW"
            realised = price * math.prod(float(pathways.loc[name, column]) for column in VALUE_FACTORS)
            rows.append((f"{printable(name)} tier {tier:g}{size}", float(price), realised, colours[name]))
    return rows


MOST_VENDORS: Final = 8
MOST_PERIODS: Final = 120
"""Periods before the plan that are shown at most."""

FILLS: Final = dict(zip(STATUSES, (*theme.shades(4, theme.GREYS), theme.PALE), strict=True))
"""How it is filled how sure a row is."""


def ramp(view: View) -> Drawing:
    """Return the chart of GW in service by vendor over time, from the first delivery on."""
    names, data = view.plan.laid_out.contract_of, view.plan.laid_out.data
    signed = view.matrix("commitments", "contract", "in_service_gw", ("side", "buy"))
    firm = (data.firm & ~data.sold)[:, None]
    ahead = np.where(firm, data.delivered, np.stack([signed.of(name) for name in data.contracts])) @ expected(view)
    before, days = _before(view)
    if not ahead.any() and not before.any():
        raise NothingToShowError("nothing is delivered")
    gw = np.concatenate([before, ahead], axis=1)
    vendor_of = {s.contract: s.vendor for s in view.suppliers.values()}
    by_vendor: dict[str, FloatArray] = {}
    for name, row, sold in zip(names, gw, data.sold.tolist(), strict=True):
        if sold:
            continue
        by_vendor[vendor_of[name]] = by_vendor.get(vendor_of[name], np.zeros(len(row))) + row
    largest = sorted(by_vendor, key=lambda vendor: -by_vendor[vendor].sum())
    parts = [(vendor or "no vendor named", by_vendor[vendor]) for vendor in largest[:MOST_VENDORS]]
    greys = drawing.vendors_of(view)
    fills = [greys[vendor] for vendor in largest[:MOST_VENDORS]]
    if rest := largest[MOST_VENDORS:]:
        parts.append((f"{len(rest)} more vendors", np.sum([by_vendor[vendor] for vendor in rest], axis=0)))
        fills.append(theme.GREYS[-1])
    layers = theme.stacked((name, row, fill) for (name, row), fill in zip(parts, fills, strict=True))
    kept = np.concatenate([layers[-1].top[: len(days)], (view.delivered.total - view.cancelled.total) @ expected(view)])
    times = Times([*days, *view.dates], view.instance.resolution)
    notes = [worth(view), f"before {view.dates[0]} (dotted) as written, then expected over the futures"]
    line = Layer("kept by the plan", kept, kept, None)
    drawn = stack(view, times, layers, line, "GW in service by vendor", notes)

    def marks(frame: Frame) -> list[Any]:
        return [*drawn.marks(frame), times.rules(frame, [view.dates[0]])]

    every = [by_vendor[vendor] for vendor in largest]
    header = [times.name, *(f"{vendor or 'no vendor named'}, GW" for vendor in largest), "all, GW", "kept, GW"]
    columns = [*every, layers[-1].top, kept]
    rows = [[since, *(view.gw(float(gw[t])) for gw in columns)] for t, since in enumerate(times.ends[:-1])]
    largest_share = by_vendor[largest[0]].sum() / layers[-1].top.sum()
    peak = f"{view.gw(float(layers[-1].top.max()))} GW are in service at the most"
    share = f"{percent(float(largest_share))} of the GW-years"
    finding = f"{peak}; the largest vendor, {largest[0] or 'not named'}, has {share}"
    return replace(drawn, marks=marks, figures=Figures(header, rows), finding=finding)


def _before(view: View) -> tuple[FloatArray, list[str]]:
    """Return GW of each contract in service in the periods before the plan, as written, and their first days."""
    start, step = np.datetime64(view.instance.start, "D"), view.calendar.months
    back = add_months(np.full(MOST_PERIODS, start), -step * np.arange(MOST_PERIODS, 0, -1))
    days = back[back >= add_months(np.append(_arrivals(view), start).min(keepdims=True), np.array([-step]))[0]]
    gw = _as_written(view, Calendar(days[0].astype("datetime64[M]"), step, len(days)))
    return (gw, [str(day) for day in days]) if gw.any() else (gw[:, :0], [])


def grades(view: View) -> Drawing:
    """Return the chart of GW by how sure their source is: that of the contract, and that of its deliveries.

    GW as written, when all is delivered.
    """
    by_status = gw_by_status(view.instance)
    parts: list[tuple[str, FloatArray, theme.Fill]] = [
        (status or "not marked", np.array(by_status[status]), fill)
        for status, fill in FILLS.items()
        if any(by_status[status])
    ]
    if not parts:
        raise NothingToShowError("nothing is delivered")
    notes = ["each contract's GW when all is delivered, by the status of the row that states it"]
    drawn = drawing.bars("GW by how sure they are", notes, theme.stacked(parts), ["contract", "dates and GW"], "GW")
    most = max(by_status, key=lambda status: by_status[status][1])
    share = percent(by_status[most][1] / sum(of[1] for of in by_status.values()))
    finding = f"{share} of GW have dates and sizes whose grade is: {most or 'not marked'}"
    return replace(drawn, height=200, finding=finding)
