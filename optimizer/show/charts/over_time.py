"""Charts of a plan over time: GW by pathway against supply, idle GW by pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.tree import FloatArray
from optimizer.show import theme
from optimizer.show.charts import drawing
from optimizer.show.charts.drawing import Drawing, Entry, Figures, Frame, Times
from optimizer.show.theme import HEIGHT, INK, LINE_HEIGHT, PALE, WIDTH, Layer
from optimizer.show.view import Span, View

SIGNED = "supply as signed"


def gw_over_time(view: View) -> Drawing:
    """Return the chart of a plan: expected GW by pathway, stacked over time, against supply.

    Parameters
    ----------
    view : View
        What to show. Each period's figures are weighted by the probability of its nodes.

    Returns
    -------
    Drawing
        The stack of pathways and, hatched, idle GW; as a line the supply as signed. What lies between the two is
        cancelled. A picture's labels give the GW of the last period.
    """
    layers = use_layers(view, expected(view))
    line = Layer(SIGNED, layers[-1].top, layers[-1].top, None)
    what = "GW by pathway against supply"
    return stack(view, drawing.periods(view), layers, line, what, [drawing.worth(view)])


def idle_over_time(view: View) -> Drawing:
    """Return the chart of idle GW: expected by pool, stacked over time, and the most that any future has.

    Parameters
    ----------
    view : View
        What to show.
    """
    means, idle = expected(view), view.idle
    fills = theme.shades(len(idle.names))
    layers = theme.stacked((pool, idle.of(pool) @ means, fill) for pool, fill in zip(idle.names, fills, strict=True))
    most = np.zeros(view.calendar.periods)
    np.maximum.at(most, view.tree.period, idle.total)
    line = Layer("most in any future", most, most, None)
    summary = view.plan.summary
    years, cost = float(summary["idle_gw_years"]), float(summary["idle_cost_bn"])
    told = f"{years:.2f} expected GW-years stand idle, which cost ${cost:,.2f}bn in contract prices"
    told_all = [drawing.worth(view), told]
    return stack(view, drawing.periods(view), layers, line, "idle GW by pool", told_all, peak=True)


def expected(view: View) -> FloatArray:
    """Return weights (N, T) that make the expected figure of each period."""
    count = view.calendar.periods
    return view.sums([Span("", np.arange(count) == t) for t in range(count)])


def use_layers(view: View, weights: FloatArray, pathways: Sequence[str] = ()) -> list[Layer]:
    """Return GW by pathway, idle and cancelled, one upon the other; together they are the supply.

    Parameters
    ----------
    view : View
        The plan.
    weights : (N, T) float array
        What each node counts in each period.
    pathways : sequence of str
        The pathways, where they are more than the plan's own: those of all plans beside each other.
    """
    pathways = pathways or list(view.plan.summary["expected_gw_years"])
    fills: list[theme.Fill] = [*theme.pathway_colours(pathways).values(), theme.hatching(200), PALE]
    heights = [*(view.use.of(p) for p in pathways), view.idle.total, view.cancelled.total]
    names = [*pathways, "idle", "cancelled"]
    return theme.stacked((n, gw @ weights, fill) for n, gw, fill in zip(names, heights, fills, strict=True))


def use_key(view: View, pathways: Sequence[str] = ()) -> list[Entry]:
    """Return the key of GW by pathway against supply, without figures."""
    layers = use_layers(view, np.zeros((view.tree.size, 1)), pathways)
    return _entries([*layers, Layer(SIGNED, layers[-1].top, layers[-1].top, None)])


def stack(
    view: View,
    times: Times,
    layers: Sequence[Layer],
    line: Layer,
    what: str,
    told: Sequence[str],
    *,
    peak: bool = False,
    highest: float = 0.0,
    height: int = 0,
) -> Drawing:
    """Return layers as stepped areas over time, with a line above them.

    Parameters
    ----------
    view : View
        Writes the figures.
    times : Times
        The periods.
    layers, line : Layer
        What is drawn, GW.
    what, told : str, sequence of str
        As in `Drawing`.
    peak : bool
        Whether labels tell the most of each layer instead of its last figure.
    highest : float
        GW at the top of the scale; by default what the layers need.
    height : int
        Height of the plotting area, pixels; by default what the labels need.
    """
    labels = [*layers, line]
    height = height or max(HEIGHT, LINE_HEIGHT * (len(labels) + 2))
    top = highest or max(float(layers[-1].top.max()), float(line.top.max())) * 1.04 or 1.0

    def marks(alt: Any, frame: Frame) -> list[Any]:
        y = drawing.amount(alt, "GW", top)
        areas = drawing.areas(alt, frame, times, layers, y)
        return [*areas, drawing.line(alt, frame, times, line.top, y, color=INK, strokeWidth=1.8)]

    def beside(alt: Any) -> list[Any]:
        return _peaks(alt, labels) if peak else _labels(alt, labels, top, height)

    gw = [layer.top - layer.bottom for layer in layers] + [line.top]
    rows = [[since, *(view.gw(row[t]) for row in gw)] for t, since in enumerate(times.ends[:-1])]
    figures = Figures([times.name, *(f"{layer.name}, GW" for layer in labels)], rows)
    return Drawing(what, told, marks, figures, _entries(labels), times.spots, beside, height)


def _entries(labels: Sequence[Layer]) -> list[Entry]:
    return [Entry(layer.name, layer.fill, (i,)) for i, layer in reversed(list(enumerate(labels)))]


def _peaks(alt: Any, layers: Sequence[Layer]) -> list[Any]:
    """Return swatch, name and the most GW of each layer in a key, the uppermost layer first."""
    entries = []
    for layer in reversed(layers):
        most = (layer.top - (layer.bottom if layer.fill is not None else 0.0)).max()
        entries.append((f"{layer.name} {most:.2f}", layer.fill))
    return [*theme.key(alt, entries), theme.beside(alt, "GW at the most", WIDTH + 13, -0.5 * LINE_HEIGHT, theme.GREY)]


def _labels(alt: Any, layers: Sequence[Layer], highest: float, height: int) -> list[Any]:
    """Return swatch, name and GW of the last period beside the end of each layer, kept from overlapping."""
    middle = [float(layer.bottom[-1] + layer.top[-1]) / 2 * height / highest for layer in layers]
    order = sorted(range(len(layers)), key=middle.__getitem__)
    places = dict(zip(order, theme.apart([middle[i] for i in order], LINE_HEIGHT, height), strict=True))
    entries = []
    for i, layer in enumerate(layers):
        gw = layer.top[-1] - (layer.bottom[-1] if layer.fill is not None else 0.0)
        entries.append((f"{layer.name} {gw:.2f}", layer.fill, height - places[i]))
    above = height - max(places.values()) - LINE_HEIGHT
    return [*theme.swatches(alt, entries), theme.beside(alt, "GW at the end", WIDTH + 13, above, theme.GREY)]
