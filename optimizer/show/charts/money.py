"""The chart of what worth is made of: a waterfall of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from optimizer.show import theme
from optimizer.show.charts.drawing import Drawing, Entry, Figures, Frame, worth
from optimizer.show.page import signed
from optimizer.show.text.printed_overview import COSTS, NOT_CASH
from optimizer.show.theme import GREY, INK, NothingToShowError
from optimizer.show.view import View
from optimizer.storage.sources import printable

MOST_PATHWAYS = 8
GAIN, LOSS, TOTAL = theme.RAMP[2], GREY, INK


@dataclass(frozen=True)
class Step:
    """A step of a waterfall: what it adds, and from where to where, $bn."""

    name: str
    kind: str
    low: float
    high: float
    amount: float


def waterfall(view: View) -> Drawing:
    """Return the chart of worth as a waterfall: value by pathway, costs, cash, then what is not cash.

    Parameters
    ----------
    view : View
        What to show; expected and discounted $bn.
    """
    steps = _steps(view)
    told = [worth(view), f"$bn, {view.weighed}; bars go on from where the one before ended"]
    return steps_drawing("what worth is made of", told, steps, view)


def steps_drawing(what: str, told: list[str], steps: list[Step], view: View, *, from_zero: bool = True) -> Drawing:
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

    def marks(alt: Any, frame: Frame) -> list[Any]:
        narrow = frame.width < theme.NARROW
        room = (most - least) * (0.3 if narrow else 0.12) or 1.0
        below = room if least < 0 or not from_zero else 0.0
        scale = alt.Scale(domain=[least - below, most + room], nice=False, zero=False)
        axis = alt.Axis(domain=False, ticks=False, labelLimit=105 if narrow else 220, labelPadding=8)
        y = alt.Y("name:N", sort=[step.name for step in steps], title=None, axis=axis)
        label = "(datum.value < 0 ? '-$' : '$') + format(abs(datum.value), '~f') + 'bn'"
        ticks = alt.Axis(tickCount=4 if narrow else 7, labelExpr=label, domain=False, ticks=False)
        x = alt.X("low:Q", title=None, scale=scale, axis=ticks)
        layers = []
        for kind in kinds:
            rows = [{"name": s.name, "low": s.low, "high": s.high} for s in steps if s.kind == kind]
            bar = alt.Chart(alt.InlineData(values=rows)).mark_bar(
                fill=colours[kind], height=18, stroke=colours[kind], strokeWidth=0 if from_zero else 1.5
            )
            layers.append(bar.encode(x=x, x2="high:Q", y=y))
        texts = [{"name": s.name, "low": s.high, "text": _signed(view, s)} for s in steps]
        mark = alt.Chart(alt.InlineData(values=texts)).mark_text(align="left", dx=5, color=INK, fontSize=12)
        return [*layers, mark.encode(x=x, y=y, text="text:N")]

    def spots(alt: Any, frame: Frame) -> list[Any]:
        data = alt.InlineData(values=[{"name": step.name} for step in steps])
        mark = alt.Chart(data).mark_rect(fill="transparent")
        return [
            mark.encode(
                y=alt.Y("name:N", sort=[step.name for step in steps]), x=alt.value(0), x2=alt.value(frame.width)
            )
        ]

    rows = [[step.name, _signed(view, step), step.kind] for step in steps]
    words = {"gain": "adds", "loss": "takes away", "total": "sum"}
    key = [Entry(words[kind], colours[kind], (i,)) for i, kind in enumerate(kinds)]
    figures = Figures(["part", "$bn", "kind"], rows)
    return Drawing(what, told, marks, figures, key, spots, height=26 * len(steps))


def differences(name: str, base: View, view: View) -> Drawing:
    """Return the chart of why a plan is worth more or less than another: a waterfall of what each part differs by.

    Parameters
    ----------
    name : str
        What the plan is called.
    base, view : View
        The plan it is held against, and the plan.
    """
    start = _expected(base)
    steps: list[Step] = []
    steps.append(_sum("worth it is held against", start))
    parts = [(label, _differing(base, view, key, pathway)) for label, key, pathway in _labels(base, view)]
    reached = summed(steps, [(label, bn) for label, bn in parts if float(base.money(bn))], start)
    rest = _expected(view) - reached
    summed(steps, [("smaller parts", rest if float(base.money(rest)) else 0.0)], reached)
    if len(steps) == 1:
        raise NothingToShowError("each part is worth the same")
    steps.append(_sum(f"worth of {name}", _expected(view)))
    told = [f"$bn, {view.weighed}; bars go on from where the one before ended"]
    return steps_drawing(f"why {name} is worth more or less", told, steps, base, from_zero=False)


def _expected(view: View) -> float:
    return sum(bn for part in view.parts.values() for bn in part.values())


def _labels(base: View, view: View) -> list[tuple[str, str, str]]:
    pathways = dict.fromkeys([*base.parts["value"], *view.parts["value"]])
    return [
        *((f"value of {pathway}", "value", pathway) for pathway in pathways),
        *((label, key, "") for key, label in {**COSTS, **NOT_CASH}.items() if key in base.parts or key in view.parts),
    ]


def _differing(base: View, view: View, key: str, pathway: str) -> float:
    return view.parts.get(key, {}).get(pathway, 0.0) - base.parts.get(key, {}).get(pathway, 0.0)


def _signed(view: View, step: Step) -> str:
    text = view.money(step.amount)
    return text if step.kind == "total" else signed(text)


def _steps(view: View) -> list[Step]:
    """Return the parts of worth as steps, with the sums on the way."""
    parts = view.parts
    values = sorted(parts["value"].items(), key=lambda item: -item[1])
    shown, rest = values[:MOST_PATHWAYS], values[MOST_PATHWAYS:]
    if rest:
        shown.append((f"{len(rest)} other pathways", sum(bn for _, bn in rest)))
    cash = [(f"value of {name}", bn) for name, bn in shown]
    cash += [(label, parts[name][""]) for name, label in COSTS.items()]
    more = [(label, parts[name][""]) for name, label in NOT_CASH.items() if name in parts]
    steps: list[Step] = []
    reached = summed(steps, cash, 0.0)
    steps.append(_sum("Cash (NPV)", reached))
    if any(bn for _, bn in more):
        reached = summed(steps, more, reached)
        steps.append(_sum("Worth", reached))
    return steps


def _sum(name: str, reached: float) -> Step:
    return Step(name, "total", min(reached, 0.0), max(reached, 0.0), reached)


def summed(steps: list[Step], parts: list[tuple[str, float]], reached: float) -> float:
    """Add the parts that are not 0 as steps from what was reached, and return what is reached then."""
    for name, amount in parts:
        if amount:
            after = reached + amount
            steps.append(Step(name, "gain" if amount > 0 else "loss", min(reached, after), max(reached, after), amount))
            reached = after
    return reached
