"""Charts of scenarios: what each is worth, what each pathway uses in them, and the plan given each branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gwplan.files import printable
from gwplan.models.tree import FloatArray, IntArray
from gwplan.show import theme, vega
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels, worth
from gwplan.show.charts.over_time import expected, stack, supply_line, use_key, use_layers
from gwplan.show.page import percent
from gwplan.show.theme import INK, NothingToShowError
from gwplan.show.view import View

MOST_BRANCHES: Final = 12
"""Branches that are told apart."""

MOST_SCENARIOS: Final = 24
"""Scenarios that are drawn, the likeliest; more could not be told apart."""

MOST_PATHWAYS: Final = 8
THINNEST, THICKEST = 0.8, 4.5
"""Of the lines of scenarios, pixels: the area of a line tells its probability."""

BRANCH_HEIGHT: Final = 220
"""Of the chart of a branch, pixels."""

_EXPECTED: Final = theme.Stroke(INK, 1.6, (5, 3))


@dataclass(frozen=True)
class _Scenarios:
    """The likeliest scenarios, the best first."""

    leaves: IntArray  # (S,) their last nodes
    names: list[str]  # outcomes of all that is uncertain, as they print
    chance: FloatArray  # (S,) probabilities
    outcome: list[str]  # outcome that colours each: of what is known first and decides anything
    colours: dict[str, str]  # by outcome
    left_out: int  # scenarios that are not among them

    @property
    def notes(self) -> list[str]:
        """What is left out, in words."""
        return [f"{self.left_out} less likely scenarios are left out"] if self.left_out else []


def _scenarios(view: View) -> _Scenarios:
    if not view.branching:
        raise NothingToShowError("there is one future only")
    tree, factors = view.tree, view.instance.factors
    likeliest = np.argsort(-tree.probability[tree.leaves], kind="stable")[:MOST_SCENARIOS]
    leaves = tree.leaves[likeliest]
    leaves = leaves[np.argsort(-view.worth_of_future[tree.example[leaves]], kind="stable")]
    known, first = tree.known[leaves], view.branching[0]

    def name(factor: int, outcome: int) -> str:
        return printable(factors[factor].outcomes[outcome].name)

    names = [", ".join(name(f, int(row[f])) for f in view.branching if row[f] >= 0) for row in known]
    outcomes = [name(first, o) for o in range(len(factors[first].outcomes))]
    return _Scenarios(
        leaves,
        names,
        tree.probability[leaves],
        [name(first, int(o)) for o in known[:, first]],
        theme.outcome_colours(outcomes),
        len(tree.leaves) - len(leaves),
    )


def worth_by_scenario(view: View) -> Drawing:
    """Return the chart of what each scenario is worth: a bar from 0 whose thickness tells its probability, $bn."""
    shown = _scenarios(view)
    bn = view.worth_of_future[view.tree.example[shown.leaves]]
    mean = float(view.worth_of_future @ view.tree.scenario_probability)
    ends = [view.money(x) for x in bn.tolist()]
    rows = [
        {"name": name, "low": 0.0, "high": x, "text": f"${end}bn ({percent(share)})", "at": max(x, mean)}
        for name, x, end, share in zip(shown.names, bn.tolist(), ends, shown.chance.tolist(), strict=True)
    ]
    thick = (6 + 14 * shown.chance / shown.chance.max()).tolist()
    least, most = min(float(bn.min()), 0.0), max(float(bn.max()), 0.0)

    def marks(frame: Frame) -> list[Any]:
        narrow = frame.width < theme.NARROW
        axis = {"domain": False, "ticks": False, "labelLimit": 130 if narrow else 260, "labelPadding": 8}
        y = vega.by("name:N", sort=shown.names, title=None, axis=axis)
        room = (most - least) * (0.45 if narrow else 0.18)
        scale = {"domain": [least, most + room], "nice": False}
        x = vega.by("high:Q", title=None, scale=scale, axis=None)
        layers = []
        for outcome, colour in shown.colours.items():
            mine = [{**row, "thick": t} for row, t, o in zip(rows, thick, shown.outcome, strict=True) if o == outcome]
            bar = vega.Marks(mine).draw("bar", fill=colour)
            size = vega.by("thick:Q", scale=None, legend=None)
            layers.append(bar.encode(x=x, x2="low:Q", y=y, size=size))
        text = vega.Marks(rows).draw("text", align="left", dx=6, color=INK, fontSize=12)
        rule = vega.Marks([{"high": mean}]).draw("rule", **_EXPECTED.mark).encode(x=x)
        return [*layers, rule, text.encode(x=vega.by("at:Q", scale=scale, axis=None), y=y, text="text:N")]

    def spots(frame: Frame) -> list[Any]:
        mark = vega.Marks(rows).draw("rect", fill="transparent")
        return [mark.encode(y=vega.by("name:N", sort=shown.names), x=vega.value(0), x2=vega.value(frame.width))]

    key = [Entry(f"{_first(view)}: {o}", c, (i,)) for i, (o, c) in enumerate(shown.colours.items())]
    key.append(Entry(f"expected, ${view.money(mean)}bn", _EXPECTED, (len(shown.colours),)))
    cells = [[n, percent(s), x, o] for n, s, x, o in zip(shown.names, shown.chance, ends, shown.outcome, strict=True)]
    figures = Figures(["scenario", "probability", "value, $bn", _first(view)], cells)
    subtitle = [f"$bn, {view.weighed}; the thicker a bar, the likelier the scenario", *shown.notes]
    worst, best = (f"${view.money(x)}bn" for x in (float(bn.min()), float(bn.max())))
    finding = f"Scenarios are worth {worst} to {best}; {_decides(view)}"
    return Drawing("value by scenario", subtitle, marks, figures, key, spots, height=26 * len(rows), finding=finding)


def _first(view: View) -> str:
    return printable(view.instance.factors[view.branching[0]].name)


def _decides(view: View) -> str:
    """Say which uncertainty moves worth most: the one whose outcomes' means lie farthest apart."""
    apart = {}
    for factor in view.branching:
        outcomes = range(len(view.instance.factors[factor].outcomes))
        means = [float(view.worth @ view.given({factor: o})[0]) for o in outcomes]
        apart[factor] = max(means) - min(means)
    most = max(apart, key=apart.__getitem__)
    return f"{view.instance.factors[most].name} moves it most, by ${view.money(apart[most])}bn"


def lines(view: View) -> Panels:
    """Return the chart of each pathway's GW in every scenario: a line each, whose width tells its probability."""
    shown = _scenarios(view)
    means = view.use.values @ view.tree.probability
    largest = sorted(np.argsort(-means, kind="stable")[:MOST_PATHWAYS].tolist())
    names = [view.use.names[p] for p in largest]
    drawings = [_lines(view, shown, name, view.use.of(name)) for name in names]
    drawings.append(_lines(view, shown, "idle", view.idle.total))
    left_out = len(view.use.names) - len(names)
    more = [f"{left_out} smaller pathways are left out"] if left_out else []
    key = [Entry(f"{_first(view)}: {o}", theme.Stroke(c, 3), (i,)) for i, (o, c) in enumerate(shown.colours.items())]
    key.append(Entry("expected", _EXPECTED, (len(shown.colours),)))
    subtitle = [worth(view), "a line a scenario, the thicker the likelier", *more, *shown.notes]
    return Panels("GW by pathway in each scenario", subtitle, drawings, key, columns=2, finding=_widest(view, names))


def _widest(view: View, names: Sequence[str]) -> str:
    """Say of which pathway scenarios differ most in the end."""
    ends = {name: view.use.of(name)[view.tree.leaves] for name in names}
    most = max(ends, key=lambda name: float(np.ptp(ends[name])))
    low, high = (view.gw(float(f(ends[most]))) for f in (np.min, np.max))
    return f"Scenarios differ most in {most}: {low} to {high} GW at the end"


def _lines(view: View, shown: _Scenarios, name: str, gw: FloatArray) -> Drawing:
    times, nodes = drawing.periods(view), view.tree.node_of[view.tree.example[shown.leaves]]
    each, mean = gw[nodes], gw @ expected(view)
    top = max(float(each.max(initial=0.0)), float(mean.max())) * 1.06 or 1.0
    width = THINNEST + (THICKEST - THINNEST) * shown.chance / shown.chance.max()

    def marks(frame: Frame) -> list[Any]:
        x, y, layers = times.x(frame), drawing.amount("GW", top), []
        for outcome, colour in shown.colours.items():
            rows = [
                {"time": since, "top": value, "scenario": s, "wide": round(float(width[s]), 2)}
                for s in range(len(each))
                if shown.outcome[s] == outcome
                for since, value in zip(times.ends, [*each[s].tolist(), float(each[s, -1])], strict=True)
            ]
            mark = vega.Marks(rows).draw("line", interpolate="step-after", color=colour, opacity=0.75, strokeCap="butt")
            wide = vega.by("wide:Q", scale=None, legend=None)
            layers.append(mark.encode(x=x, y=y, detail="scenario:N", strokeWidth=wide))
        return [*layers, drawing.line(frame, times, mean, y, **_EXPECTED.mark)]

    rows = [
        [since, view.gw(float(mean[t])), *(view.gw(float(row[t])) for row in each)]
        for t, since in enumerate(times.ends[:-1])
    ]
    header = [times.name, "expected, GW", *(f"{scenario}, GW" for scenario in shown.names)]
    return Drawing(name, [], marks, Figures(header, rows), (), times.spots, height=150)


def branches(view: View) -> Panels:
    """Return the chart of GW by pathway on each branch of the tree, side by side on the same scale.

    The factors revealed first are told apart, as many as there is room for; the others are averaged over.
    """
    factors = _told_apart(view)
    if not factors:
        raise NothingToShowError("there is one future only")
    highest = 1.04 * view.peak_gw or 1.0
    mean = view.use.total @ expected(view)
    drawings = []
    for chosen in np.unique(view.tree.scenario_outcome[:, factors], axis=0).tolist():
        weights, chance = _given(view, factors, chosen)
        name = ", ".join(view.outcome(f, o) for f, o in zip(factors, chosen, strict=True))
        drawings.append((chance, _branch(view, f"{name} ({percent(chance)})", weights, mean, highest)))
    drawings.sort(key=lambda pair: -pair[0])
    others = len(view.branching) - len(factors)
    averaged = [f"averaged over {others} more factor{'s' if others > 1 else ''}, revealed later"] if others else []
    subtitle = [worth(view), "likeliest first, the same scale for all; dashed: in use as expected", *averaged]
    key = [Entry("in use as expected", _EXPECTED), *use_key(view)]
    what = "GW by pathway in one scenario"
    return Panels(what, subtitle, [d for _, d in drawings], key, chosen="Scenario")


def _branch(view: View, what: str, weights: FloatArray, mean: FloatArray, highest: float) -> Drawing:
    """Return the chart of GW by pathway given outcomes, with a line of what is in use as expected."""
    times, layers = drawing.periods(view), use_layers(view, weights)
    line = supply_line(view, layers[-1].top)
    drawn = stack(view, times, layers, line, what, [], highest=highest, height=BRANCH_HEIGHT)

    def marks(frame: Frame) -> list[Any]:
        y = drawing.amount("GW", highest)
        return [*drawn.marks(frame), drawing.line(frame, times, mean, y, **_EXPECTED.mark)]

    return replace(drawn, marks=marks)


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


def _given(view: View, factors: list[int], outcomes: list[int]) -> tuple[FloatArray, float]:
    """Return what each node counts in each period given outcomes, shape (N, T), and the probability of these."""
    probability, chance = view.given(dict(zip(factors, outcomes, strict=True)))
    return expected(view, probability), chance
