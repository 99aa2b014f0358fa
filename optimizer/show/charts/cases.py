"""Charts of plans beside each other: what they are worth, and their GW over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from optimizer.show import theme
from optimizer.show.charts import drawing
from optimizer.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels
from optimizer.show.charts.over_time import SIGNED, expected, stack, use_key, use_layers
from optimizer.show.page import formatter
from optimizer.show.theme import GREY, INK, Layer
from optimizer.show.view import View
from optimizer.storage.sources import printable

MOST_CASES: Final = 24
GAIN, LOSS = theme.RAMP[2], GREY


def worth_of_cases(cases: Mapping[str, View]) -> Drawing:
    """Return the chart of how much more or less than the first each case is worth.

    Parameters
    ----------
    cases : mapping of str to View
        The plans by name; the others are held against the first.
    """
    # Vega-Lite takes no names to sort by that JavaScript would not take as they are
    (first, base), *others = [(printable(name), view) for name, view in cases.items()][: MOST_CASES + 1]
    amounts = {name: view.plan.objective_bn for name, view in others}
    gains = {name: amount - base.plan.objective_bn for name, amount in amounts.items()}
    write = formatter([base.plan.objective_bn, *amounts.values()])
    least, most = min(*gains.values(), 0.0), max(*gains.values(), 0.0)
    names = list(gains)

    def marks(alt: Any, frame: Frame) -> list[Any]:
        narrow = frame.width < theme.NARROW
        room = (most - least) * (0.35 if narrow else 0.14) or 1.0
        axis = alt.Axis(domain=False, ticks=False, labelLimit=120 if narrow else 240, labelPadding=8)
        y = alt.Y("name:N", sort=names, title=None, axis=axis)
        domain = [least - (room if least < 0 else 0.0), most + (room if most > 0 else 0.0) or 1.0]
        x = alt.X("by:Q", title=None, scale=alt.Scale(domain=domain, nice=False), axis=None)
        layers = []
        for kind, fill in ((1, GAIN), (-1, LOSS)):
            mine = {n: by for n, by in gains.items() if (1 if by >= 0 else -1) == kind}
            rows = [{"name": n, "by": by, "from": 0.0} for n, by in mine.items()]
            bar = alt.Chart(alt.InlineData(values=rows)).mark_bar(fill=fill, height=18)
            layers.append(bar.encode(x=x, x2="from:Q", y=y))
            texts = [{"name": n, "by": by, "text": f"{'+' if by >= 0 else ''}{write(by)}"} for n, by in mine.items()]
            mark = alt.Chart(alt.InlineData(values=texts)).mark_text(
                align="left" if kind > 0 else "right", dx=5 * kind, color=INK, fontSize=12
            )
            layers.append(mark.encode(x=x, y=y, text="text:N"))
        return [*layers, alt.Chart(alt.InlineData(values=[{}])).mark_rule(color=INK).encode(x=alt.datum(0))]

    def spots(alt: Any, frame: Frame) -> list[Any]:
        data = alt.InlineData(values=[{"name": name} for name in names])
        mark = alt.Chart(data).mark_rect(fill="transparent")
        return [mark.encode(y=alt.Y("name:N", sort=names), x=alt.value(0), x2=alt.value(frame.width))]

    rows = [[n, write(amounts[n]), f"{'+' if by >= 0 else ''}{write(by)}"] for n, by in gains.items()]
    left_out = len(cases) - 1 - len(others)
    told = [
        f"$bn more or less than {first}, which is worth {write(base.plan.objective_bn)} $bn",
        *([f"{left_out} more cases are left out"] if left_out else []),
    ]
    key = [Entry("worth more", GAIN, (0, 1)), Entry("worth less", LOSS, (2, 3))]
    figures = Figures(["case", "worth, $bn", f"more than {first}, $bn"], rows)
    return Drawing("what each is worth", told, marks, figures, key, spots, height=30 * len(names))


def gw_of_cases(cases: Mapping[str, View]) -> Panels:
    """Return the chart of GW by pathway against supply of each case, side by side on the same scale.

    Parameters
    ----------
    cases : mapping of str to View
        The plans by name.
    """
    shown = dict(list(cases.items())[:MOST_CASES])
    pathways = list(dict.fromkeys(p for view in shown.values() for p in view.plan.summary["expected_gw_years"]))
    layers = {name: use_layers(view, expected(view), pathways) for name, view in shown.items()}
    highest = 1.04 * max(float(of[-1].top.max(initial=0.0)) for of in layers.values()) or 1.0
    drawings = []
    for name, view in shown.items():
        top = layers[name][-1].top
        line = Layer(SIGNED, top, top, None)
        times = drawing.periods(view)
        drawings.append(stack(view, times, layers[name], line, name, [], highest=highest, height=130))
    told = ["expected over the futures, the same scale for all"]
    key = use_key(next(iter(shown.values())), pathways)
    return Panels("GW by pathway against supply", told, drawings, key)
