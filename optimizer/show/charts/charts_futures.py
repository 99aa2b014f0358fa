"""Charts of what differs between the futures: GW side by side on the branches of the tree, and as a fan."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np

from models.tree import FloatArray
from optimizer.plan.worth import quantile
from optimizer.show import theme
from optimizer.show.charts import drawing
from optimizer.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels, worth
from optimizer.show.charts.over_time import SIGNED, expected, stack, use_key, use_layers
from optimizer.show.page import percent
from optimizer.show.theme import FAINT, INK, Layer, NothingToShowError
from optimizer.show.view import View

MOST_BRANCHES: Final = 12
"""Branches that are drawn side by side."""

MOST_PATHWAYS: Final = 8
BAND: Final = theme.RAMP[2]
LIKELY: Final = (0.1, 0.9)
"""Quantiles between which the darker band of a fan lies."""


def branches(view: View) -> Panels:
    """Return the chart of GW by pathway on each branch of the tree, side by side on the same scale.

    The factors revealed first are told apart, as many as there is room for; the others are averaged over.

    Parameters
    ----------
    view : View
        What to show; a plan with one future has no branches.
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
        line = Layer(SIGNED, layers[-1].top, layers[-1].top, None)
        name = ", ".join(view.outcome(f, o) for f, o in zip(factors, chosen, strict=True))
        what = f"{name} ({percent(chance)})"
        drawings.append((chance, stack(view, times, layers, line, what, [], highest=highest, height=120)))
    drawings.sort(key=lambda pair: -pair[0])
    others = len(view.branching) - len(factors)
    averaged = [f"averaged over {others} more factor{'s' if others > 1 else ''}, revealed later"] if others else []
    told = [worth(view), "likeliest branch first, the same scale for all", *averaged]
    return Panels("GW by branch of the tree", told, [d for _, d in drawings], use_key(view))


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
    there, chance = np.ones(view.tree.size), 1.0
    for factor, outcome in zip(factors, outcomes, strict=True):
        there *= view.likelier(factor, outcome)
        chance *= view.instance.factors[factor].outcomes[outcome].probability
    return expected(view) * there[:, None], chance


def fan(view: View) -> Panels:
    """Return the chart of each pathway's GW as a fan: expected, the likely range and the whole range over the futures.

    Parameters
    ----------
    view : View
        What to show; a plan with one future has no fan.
    """
    if not view.branching:
        raise NothingToShowError("there is one future only")
    means = view.use.values @ view.tree.probability
    largest = sorted(np.argsort(-means, kind="stable")[:MOST_PATHWAYS].tolist())
    names = [view.use.names[p] for p in largest]
    drawings = [_fan(view, name, view.use.of(name)) for name in names]
    drawings.append(_fan(view, "idle", view.idle.total))
    left_out = len(view.use.names) - len(names)
    more = [f"{left_out} smaller pathways are left out"] if left_out else []
    told = [worth(view), "line: expected; dark band: 80% of futures; light band: all futures", *more]
    key = [
        Entry("expected", theme.Line(INK, 1.8), (2,)),
        Entry("80% of futures", BAND, (1,)),
        Entry("all futures", FAINT, (0,)),
    ]
    return Panels("GW by pathway, as a fan over the futures", told, drawings, key, columns=2)


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
