"""Charts of a plan over time: GW by pathway against supply, idle GW by pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gwplan.models.tree import FloatArray
from gwplan.show import theme
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Entry, Figures, Frame, Times
from gwplan.show.page import percent
from gwplan.show.theme import HEIGHT, INK, LINE_HEIGHT, PALE, Layer
from gwplan.show.view import Span, View


def supply_line(view: View, top: FloatArray) -> Layer:
    """Return the line of supply before cancellations: as signed, or with what the plan signs."""
    return Layer("supply with offers signed" if view.plan.laid_out.data.offers else "supply as signed", top, top, None)


def gw_over_time(view: View) -> Drawing:
    """Return the chart of a plan: expected GW by pathway, stacked over time, against supply.

    Hatched stands idle GW, as a line the supply as signed; what lies between the two is cancelled. Each period's
    figures are weighted by the probability of its nodes.
    """
    layers = use_layers(view, expected(view))
    line = supply_line(view, layers[-1].top)
    what = "GW by pathway against supply"
    drawn = stack(view, drawing.periods(view), layers, line, what, [drawing.worth(view)])
    return replace(drawn, finding=_growth(view))


def _growth(view: View) -> str:
    """Say from what to what GW in use change, and who has most of them in the end."""
    means = expected(view)
    total, last = view.use.total @ means, {name: float((view.use.of(name) @ means)[-1]) for name in view.use.names}
    largest = max(last, key=last.__getitem__, default="")
    if not largest or not total[-1]:
        return ""
    verb = "grow" if total[-1] > total[0] else "go"
    share = percent(last[largest] / float(total[-1]))
    ends = [view.gw(float(total[t])) for t in (0, -1)]
    return f"GW in use {verb} from {ends[0]} to {ends[1]}; {largest} has {share} of them at the end"


def idle_over_time(view: View) -> Drawing:
    """Return the chart of idle GW: expected by pool, stacked over time, and the most that any future has."""
    means, idle = expected(view), view.idle
    greys = drawing.pools_of(view)
    layers = theme.stacked((pool, idle.of(pool) @ means, greys[pool]) for pool in idle.names)
    most = np.zeros(view.calendar.periods)
    np.maximum.at(most, view.tree.period, idle.total)
    line = Layer("most in any future", most, most, None)
    summary = view.plan.summary
    years, cost = float(summary["idle_gw_years"]), float(summary["idle_cost_bn"])
    idle_words = f"{years:.2f} expected GW-years stand idle, which cost ${cost:,.2f}bn in contract prices"
    told_all = [drawing.worth(view), idle_words]
    drawn = stack(view, drawing.periods(view), layers, line, "idle GW by pool", told_all, peak=True)
    return replace(drawn, finding=_idles(view, layers[-1].top, most))


def _idles(view: View, mean: FloatArray, most: FloatArray) -> str:
    """Say in which year most GW idle, and how many at the most."""
    spans = view.spans(view.calendar.periods)
    by_year = [float(mean[span.periods].sum()) for span in spans]
    if max(by_year) < view.least_gw:
        return "Next to nothing idles"
    worst = max(range(len(spans)), key=by_year.__getitem__)
    share = percent(by_year[worst] / sum(by_year))
    year = spans[worst].label.replace("\n", " ")
    at_most = f"at most {view.gw(float(most.max()))} GW at a time in any scenario"
    return f"Idle capacity: {share} of it in {year}, {at_most}"


def expected(view: View, probability: FloatArray | None = None) -> FloatArray:
    """Return weights (N, T) that make the expected figure of each period, nodes as likely as told."""
    count = view.calendar.periods
    return view.sums([Span("", np.arange(count) == t) for t in range(count)], probability)


def use_layers(view: View, weights: FloatArray, pathways: Sequence[str] = ()) -> list[Layer]:
    """Return GW by pathway, sold, idle and cancelled, one upon the other; together they are the supply.

    `weights` (N, T) is what each node counts in each period; `pathways` are all plans' where several stand beside each
    other.
    """
    pathways = pathways or list(view.plan.summary["expected_gw_years"])
    sold, colours = [f"sold: {name}" for name in view.sold.names], theme.pathway_colours(pathways)
    fills: list[theme.Fill] = [*colours.values(), *drawing.sold_of(view).values(), theme.hatching(200), PALE]
    heights = [*(view.use.of(p) for p in pathways), *view.sold.values, view.idle.total, view.cancelled.total]
    names = [*pathways, *sold, "idle", "cancelled"]
    return theme.stacked((n, gw @ weights, fill) for n, gw, fill in zip(names, heights, fills, strict=True))


def use_key(view: View, pathways: Sequence[str] = ()) -> list[Entry]:
    """Return the key of GW by pathway against supply, without figures."""
    layers = use_layers(view, np.zeros((view.tree.size, 1)), pathways)
    return _entries([*layers, supply_line(view, layers[-1].top)])


def stack(
    view: View,
    times: Times,
    layers: Sequence[Layer],
    line: Layer,
    what: str,
    subtitle: Sequence[str],
    *,
    peak: bool = False,
    highest: float = 0.0,
    height: int = 0,
) -> Drawing:
    """Return layers as stepped areas over time, with a line above them.

    Layers and line are GW. With `peak` labels tell the most of each layer instead of its last figure; `highest` is GW
    at the top of the scale and `height` that of the plotting area in pixels, by default what layers and labels need.
    """
    labels = [*layers, line]
    height = height or max(HEIGHT, LINE_HEIGHT * (len(labels) + 2))
    top = highest or max(float(layers[-1].top.max()), float(line.top.max())) * 1.04 or 1.0

    def marks(frame: Frame) -> list[Any]:
        y = drawing.amount("GW", top)
        areas = drawing.areas(frame, times, layers, y)
        return [*areas, drawing.line(frame, times, line.top, y, color=INK, strokeWidth=1.8)]

    def beside() -> list[Any]:
        return _peaks(labels) if peak else _labels(labels, top, height)

    gw = [layer.top - layer.bottom for layer in layers] + [line.top]
    rows = [[since, *(view.gw(row[t]) for row in gw)] for t, since in enumerate(times.ends[:-1])]
    figures = Figures([times.name, *(f"{layer.name}, GW" for layer in labels)], rows)
    return Drawing(what, subtitle, marks, figures, _entries(labels), times.spots, beside, height)


def _entries(labels: Sequence[Layer]) -> list[Entry]:
    return [Entry(layer.name, layer.fill, (i,)) for i, layer in reversed(list(enumerate(labels)))]


def _peaks(layers: Sequence[Layer]) -> list[Any]:
    """Return swatch, name and the most GW of each layer in a key, the uppermost layer first."""
    entries = []
    for layer in reversed(layers):
        most = (layer.top - (layer.bottom if layer.fill is not None else 0.0)).max()
        entries.append((f"{layer.name} {most:.2f}", layer.fill))
    return [*theme.key(entries), theme.beside("GW at the most", 13, -0.5 * LINE_HEIGHT, theme.GREY)]


def _labels(layers: Sequence[Layer], highest: float, height: int) -> list[Any]:
    """Return swatch, name and GW of the last period beside the end of each layer, kept from overlapping."""
    middle = [float(layer.bottom[-1] + layer.top[-1]) / 2 * height / highest for layer in layers]
    order = sorted(range(len(layers)), key=middle.__getitem__)
    places = dict(zip(order, theme.apart([middle[i] for i in order], LINE_HEIGHT, height), strict=True))
    entries = []
    for i, layer in enumerate(layers):
        gw = layer.top[-1] - (layer.bottom[-1] if layer.fill is not None else 0.0)
        entries.append((f"{layer.name} {gw:.2f}", layer.fill, height - places[i]))
    above = height - max(places.values()) - LINE_HEIGHT
    return [*theme.swatches(entries), theme.beside("GW at the end", 13, above, theme.GREY)]
