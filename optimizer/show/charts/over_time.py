"""Charts of a plan over time: GW by pathway against supply, idle GW by pool."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np

from gwplan.models.tree import FloatArray
from gwplan.plan.tables import quantile
from gwplan.show import theme
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels, Times, worth
from gwplan.show.page import percent
from gwplan.show.theme import FAINT, HEIGHT, INK, LINE_HEIGHT, PALE, WIDTH, Layer, NothingToShowError
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
    return stack(view, drawing.periods(view), layers, line, what, [drawing.worth(view)])


def idle_over_time(view: View) -> Drawing:
    """Return the chart of idle GW: expected by pool, stacked over time, and the most that any future has."""
    means, idle = expected(view), view.idle
    fills = theme.shades(len(idle.names))
    layers = theme.stacked((pool, idle.of(pool) @ means, fill) for pool, fill in zip(idle.names, fills, strict=True))
    most = np.zeros(view.calendar.periods)
    np.maximum.at(most, view.tree.period, idle.total)
    line = Layer("most in any future", most, most, None)
    summary = view.plan.summary
    years, cost = float(summary["idle_gw_years"]), float(summary["idle_cost_bn"])
    idle_words = f"{years:.2f} expected GW-years stand idle, which cost ${cost:,.2f}bn in contract prices"
    told_all = [drawing.worth(view), idle_words]
    return stack(view, drawing.periods(view), layers, line, "idle GW by pool", told_all, peak=True)


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
    sold = [f"sold: {name}" for name in view.sold.names]
    fills: list[theme.Fill] = [*theme.pathway_colours([*pathways, *sold]).values(), theme.hatching(200), PALE]
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

    def marks(alt: Any, frame: Frame) -> list[Any]:
        y = drawing.amount(alt, "GW", top)
        areas = drawing.areas(alt, frame, times, layers, y)
        return [*areas, drawing.line(alt, frame, times, line.top, y, color=INK, strokeWidth=1.8)]

    def beside(alt: Any) -> list[Any]:
        return _peaks(alt, labels) if peak else _labels(alt, labels, top, height)

    gw = [layer.top - layer.bottom for layer in layers] + [line.top]
    rows = [[since, *(view.gw(row[t]) for row in gw)] for t, since in enumerate(times.ends[:-1])]
    figures = Figures([times.name, *(f"{layer.name}, GW" for layer in labels)], rows)
    return Drawing(what, subtitle, marks, figures, _entries(labels), times.spots, beside, height)


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


MOST_BRANCHES: Final = 12
"""Branches that are drawn side by side."""

MOST_PATHWAYS: Final = 8
BAND: Final = theme.RAMP[2]
LIKELY: Final = (0.1, 0.9)
"""Quantiles between which the darker band of a fan lies."""


def branches(view: View) -> Panels:
    """Return the chart of GW by pathway on each branch of the tree, side by side on the same scale.

    The factors revealed first are told apart, as many as there is room for; the others are averaged over.
    """
    factors = _told_apart(view)
    if not factors:
        raise NothingToShowError("there is one future only")
    times, highest = drawing.periods(view), 1.04 * view.peak_gw or 1.0
    outcomes = [range(len(view.instance.factors[f].outcomes)) for f in factors]
    drawings = []
    for chosen in product(*outcomes):
        weights, chance = _given(view, factors, chosen)
        layers = use_layers(view, weights)
        line = supply_line(view, layers[-1].top)
        name = ", ".join(view.outcome(f, o) for f, o in zip(factors, chosen, strict=True))
        what = f"{name} ({percent(chance)})"
        drawings.append((chance, stack(view, times, layers, line, what, [], highest=highest, height=120)))
    drawings.sort(key=lambda pair: -pair[0])
    others = len(view.branching) - len(factors)
    averaged = [f"averaged over {others} more factor{'s' if others > 1 else ''}, revealed later"] if others else []
    subtitle = [worth(view), "likeliest branch first, the same scale for all", *averaged]
    return Panels("GW by branch of the tree", subtitle, [d for _, d in drawings], use_key(view))


def _told_apart(view: View) -> list[int]:
    """Return the factors revealed first whose outcomes together fit beside each other."""
    factors: list[int] = []
    count = 1
    for factor in view.branching:
        count *= len(view.instance.factors[factor].outcomes)
        if count > MOST_BRANCHES:
            break
        factors.append(factor)
    return factors


def _given(view: View, factors: list[int], outcomes: tuple[int, ...]) -> tuple[FloatArray, float]:
    """Return what each node counts in each period given outcomes, shape (N, T), and the probability of these."""
    probability, chance = view.given(dict(zip(factors, outcomes, strict=True)))
    return expected(view, probability), chance


def fan(view: View) -> Panels:
    """Return the chart of each pathway's GW as a fan: expected, the likely and the whole range over the futures."""
    if not view.branching:
        raise NothingToShowError("there is one future only")
    means = view.use.values @ view.tree.probability
    largest = sorted(np.argsort(-means, kind="stable")[:MOST_PATHWAYS].tolist())
    names = [view.use.names[p] for p in largest]
    drawings = [_fan(view, name, view.use.of(name)) for name in names]
    drawings.append(_fan(view, "idle", view.idle.total))
    left_out = len(view.use.names) - len(names)
    more = [f"{left_out} smaller pathways are left out"] if left_out else []
    subtitle = [worth(view), "line: expected; dark band: 80% of futures; light band: all futures", *more]
    key = [
        Entry("expected", theme.Stroke(INK, 1.8), (2,)),
        Entry("80% of futures", BAND, (1,)),
        Entry("all futures", FAINT, (0,)),
    ]
    return Panels("GW by pathway, as a fan over the futures", subtitle, drawings, key, columns=2)


def _fan(view: View, name: str, gw: FloatArray) -> Drawing:
    times, tree = drawing.periods(view), view.tree
    at = [np.flatnonzero(tree.period == t) for t in range(view.calendar.periods)]
    least, most = (np.array([f(gw[n]) for n in at]) for f in (np.min, np.max))
    low, high = (np.array([quantile(gw[n], tree.probability[n], share) for n in at]) for share in LIKELY)
    mean = gw @ expected(view)
    top = float(most.max(initial=0.0)) * 1.06 or 1.0

    def marks(alt: Any, frame: Frame) -> list[Any]:
        y = drawing.amount(alt, "GW", top)
        layers = [Layer("all futures", least, most, FAINT), Layer("80% of futures", low, high, BAND)]
        bands = drawing.areas(alt, frame, times, layers, y)
        return [*bands, drawing.line(alt, frame, times, mean, y, color=INK, strokeWidth=1.8)]

    columns = (least, low, mean, high, most)
    rows = [[since, *(view.gw(float(c[t])) for c in columns)] for t, since in enumerate(times.ends[:-1])]
    header = [times.name, "least, GW", "10% quantile, GW", "expected, GW", "90% quantile, GW", "most, GW"]
    return Drawing(name, [], marks, Figures(header, rows), (), times.spots, height=150)
