"""Charts of what the capacity comes from: the ramp of deliveries by vendor, GW by how sure their source is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from models.tree import FloatArray
from optimizer.plan.claims import STATUSES
from optimizer.show import theme
from optimizer.show.charts import drawing
from optimizer.show.charts.drawing import Drawing, Figures, Frame, Times, worth
from optimizer.show.charts.over_time import expected, stack
from optimizer.show.theme import Layer, NothingToShowError
from optimizer.show.view import View
from optimizer.studies.unverified import gw_by_status
from optimizer.tree.calendar import MONTHS, add_months
from optimizer.tree.timeline import timeline

MOST_VENDORS: Final = 8
MOST_PERIODS: Final = 120
"""Periods before the plan that are shown at most."""

FILLS: Final = dict(zip(STATUSES, (*theme.RAMP, theme.PALE), strict=True))
"""How it is filled how sure a row is."""


def ramp(view: View) -> Drawing:
    """Return the chart of GW in service by vendor over time, from the first delivery on.

    Parameters
    ----------
    view : View
        What to show: before the plan deliveries as written, from its start on expected over the futures, and as a line
        what the plan keeps of them.
    """
    laid_out = timeline(view.instance)
    names = list(laid_out.contract_of)
    ahead = laid_out.data.delivered @ expected(view)
    before, days = _before(view, names)
    if not ahead.any() and not before.any():
        raise NothingToShowError("nothing is delivered")
    gw = np.concatenate([before, ahead], axis=1)
    vendor_of = {s.contract: s.vendor for s in view.suppliers.values()}
    by_vendor: dict[str, FloatArray] = {}
    for name, row in zip(names, gw, strict=True):
        by_vendor[vendor_of[name]] = by_vendor.get(vendor_of[name], np.zeros(len(row))) + row
    largest = sorted(by_vendor, key=lambda vendor: -by_vendor[vendor].sum())
    parts = [(vendor or "no vendor named", by_vendor[vendor]) for vendor in largest[:MOST_VENDORS]]
    if rest := largest[MOST_VENDORS:]:
        parts.append((f"{len(rest)} smaller vendors", np.sum([by_vendor[vendor] for vendor in rest], axis=0)))
    fills = theme.shades(len(parts))
    layers = theme.stacked((name, row, fill) for (name, row), fill in zip(parts, fills, strict=True))
    kept = layers[-1].top - np.concatenate([np.zeros(len(days)), view.cancelled.total @ expected(view)])
    times = Times([*days, *view.dates], view.instance.resolution)
    told = [worth(view), f"before {view.dates[0]} (dotted) as written, then expected over the futures"]
    line = Layer("kept by the plan", kept, kept, None)
    drawn = stack(view, times, layers, line, "GW in service by vendor", told)

    def marks(alt: Any, frame: Frame) -> list[Any]:
        return [*drawn.marks(alt, frame), times.rules(alt, frame, [view.dates[0]])]

    every = [by_vendor[vendor] for vendor in largest]
    header = [times.name, *(f"{vendor or 'no vendor named'}, GW" for vendor in largest), "all, GW", "kept, GW"]
    columns = [*every, layers[-1].top, kept]
    rows = [[since, *(view.gw(float(gw[t])) for gw in columns)] for t, since in enumerate(times.ends[:-1])]
    return replace(drawn, marks=marks, figures=Figures(header, rows))


def _before(view: View, names: list[str]) -> tuple[FloatArray, list[str]]:
    """Return GW of each contract in service in the periods before the plan, as written, and their first days."""
    contracts = view.instance.filled("contracts").set_index("contract")
    deliveries = view.instance.filled("deliveries")
    of = deliveries["contract"]
    late = contracts["delay_months"].reindex(of).to_numpy(dtype=np.int64)
    since = add_months(deliveries["date"].to_numpy().astype("datetime64[D]"), late)
    until = contracts["end"].reindex(of).to_numpy().astype("datetime64[D]")
    start, step = np.datetime64(view.instance.start, "D"), MONTHS[view.instance.resolution]
    back = add_months(np.full(MOST_PERIODS, start), -step * np.arange(MOST_PERIODS, 0, -1))
    days = back[back >= add_months(np.append(since, start).min(keepdims=True), np.array([-step]))[0]]
    there = (since[:, None] <= days) & (np.isnat(until)[:, None] | (days < until[:, None]))
    gw = np.zeros((len(names), len(days)))
    number = {name: k for k, name in enumerate(names)}
    np.add.at(gw, [number[name] for name in of], there * deliveries["gw"].to_numpy()[:, None])
    if not there.any():
        return gw[:, :0], []
    return gw, [str(day) for day in days]


def grades(view: View) -> Drawing:
    """Return the chart of GW by how sure their source is: that of the contract, and that of its deliveries.

    Parameters
    ----------
    view : View
        What to show; GW as written, when all is delivered.
    """
    found = gw_by_status(view.instance)
    parts: list[tuple[str, FloatArray, theme.Fill]] = [
        (status or "not marked", np.array(found[status]), fill) for status, fill in FILLS.items() if any(found[status])
    ]
    if not parts:
        raise NothingToShowError("nothing is delivered")
    told = ["each contract's GW when all is delivered, by the status of the row that states it"]
    drawn = drawing.bars("GW by how sure they are", told, theme.stacked(parts), ["contract", "dates and GW"], "GW")
    return replace(drawn, height=200)
