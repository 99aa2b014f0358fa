"""Charts of how figures are spread: quantiles as a fan, and the frontier of risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from optimizer.kept.sweep import CASES
from optimizer.show import theme
from optimizer.show.charts.drawing import Drawing, Entry, Figures, Frame
from optimizer.show.page import formatter
from optimizer.show.theme import INK, RAMP, Line, NothingToShowError
from optimizer.storage.sources import printable
from optimizer.studies.sweep.sweep import OPTIMAL
from optimizer.studies.uncertainty.uncertainty_frontier import Point

WIDEST_BAR: Final = 26
"""Of a fan, pixels."""


def montecarlo(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Drawing:
    """Return the chart of a Monte Carlo: the quantiles of each pathway's GW-years."""
    start, end = "expected_gw_years[", "]"
    found, cases = tables["quantiles"], tables[CASES]
    mine = found[[str(name).startswith(start) for name in found["figure"]]]
    group = [str(name).removeprefix(start).removesuffix(end) for name in mine["figure"]]
    failed = int((cases["status"] != OPTIMAL).sum())
    told = [f"{len(cases)} draws, seed {about['settings']['seed']}"]
    told += [f"{failed} of {len(cases)} cases have no plan"] if failed else []
    return quantile_fan(mine.assign(group=group), "GW-years of each pathway", told, unit="GW-years")


def quantile_fan(table: pd.DataFrame, what: str, told: Sequence[str] = (), *, unit: str = "$bn") -> Drawing:
    """Return quantiles as a fan: bars between those that lie as far below as above the median, and the median.

    Parameters
    ----------
    table : pandas.DataFrame
        In long form: ``group`` (the place, in the order given), ``quantile`` (0 to 1) and ``value``.
    what, told : str, sequence of str
        As in `Drawing`.
    unit : str
        Of the values.
    """
    if table.empty:
        raise NothingToShowError("there are no quantiles")
    wide = table.pivot(index="group", columns="quantile", values="value").reindex(list(dict.fromkeys(table["group"])))
    levels = sorted(float(level) for level in wide.columns)
    pairs = [(low, high) for low, high in zip(levels, reversed(levels), strict=True) if low < high]
    fills, names = theme.shades(len(pairs) + 1)[::-1], [printable(str(place)) for place in wide.index]
    middle = wide[0.5].tolist() if 0.5 in levels else []

    def marks(alt: Any, frame: Frame) -> list[Any]:
        x = _places(alt, frame, names)
        y = alt.Y("low:Q", scale=alt.Scale(zero=False), axis=theme.amount_axis(alt, unit))
        size = min(WIDEST_BAR, int(0.7 * frame.width / len(names)))
        layers = []
        for (low, high), fill in zip(pairs, fills, strict=False):
            rows = [
                {"place": place, "low": a, "high": b}
                for place, a, b in zip(names, wide[low].tolist(), wide[high].tolist(), strict=True)
            ]
            bar = alt.Chart(alt.InlineData(values=rows)).mark_bar(fill=fill, size=size)
            layers.append(bar.encode(x=x, y=y, y2="high:Q"))
        if middle:
            rows = [{"place": place, "low": value} for place, value in zip(names, middle, strict=True)]
            tick = alt.Chart(alt.InlineData(values=rows)).mark_tick(color=INK, thickness=3, size=size + 8, opacity=1)
            layers.append(tick.encode(x=x, y=y))
        return layers

    def spots(alt: Any, frame: Frame) -> list[Any]:
        mark = alt.Chart(alt.InlineData(values=[{"place": place} for place in names])).mark_rect(fill="transparent")
        return [mark.encode(x=_places(alt, frame, names), y=alt.value(0), y2=alt.value(frame.height))]

    write = formatter(table["value"])
    header = ["", *(f"{100 * level:g} %, {unit}" for level in levels)]
    rows = [[place, *map(write, row)] for place, row in zip(names, wide[levels].to_numpy().tolist(), strict=True)]
    key = [
        Entry(f"{100 * low:g} to {100 * high:g} % of draws", fill, (i,))
        for i, ((low, high), fill) in enumerate(zip(pairs, fills, strict=False))
    ]
    key += [Entry("median", Line(INK, 3), (len(pairs),))] if middle else []
    return Drawing(what, told, marks, Figures(header, rows), key, spots)


def _places(alt: Any, frame: Frame, names: Sequence[str]) -> Any:
    angle = 0 if frame.width / len(names) > 7 * max(map(len, names)) else -90
    return alt.X("place:N", sort=names, title=None, axis=alt.Axis(labelAngle=angle, ticks=False))


def frontier(points: Sequence[Point], tail: float, own: float) -> Drawing:
    """Return the frontier of risk: expected worth against the mean worth of the worst futures, by aversion.

    Parameters
    ----------
    points : sequence of Point
        The plans, by rising aversion.
    tail : float
        Share of futures that are the worst.
    own : float
        The instance's own aversion.
    """
    rows = [
        {"worst": p.cvar_bn, "expected": p.expected_bn, "name": f"{p.aversion:g}", "place": place}
        for place, p in enumerate(points)
    ]

    def places(alt: Any, frame: Frame) -> dict[str, Any]:
        axes = {name: theme.amount_axis(alt, "$bn") for name in ("worst", "expected")}
        axes["worst"].tickCount = 3 if frame.width < theme.NARROW else 6
        axes["worst"].title, axes["expected"].title = f"mean of the worst {100 * tail:g}%", "expected worth"
        scale = alt.Scale(zero=False, padding=24)
        return {
            "x": alt.X("worst:Q", scale=scale, axis=axes["worst"]),
            "y": alt.Y("expected:Q", scale=scale, axis=axes["expected"]),
        }

    def marks(alt: Any, frame: Frame) -> list[Any]:
        drawn = alt.Chart(alt.InlineData(values=rows)).encode(**places(alt, frame))
        mine = [row for row, p in zip(rows, points, strict=True) if p.aversion == own]
        at_own = alt.Chart(alt.InlineData(values=mine)).encode(**places(alt, frame))
        names = alt.Chart(alt.InlineData(values=_named(rows))).encode(**places(alt, frame))
        return [
            drawn.mark_line(color=RAMP[1], strokeWidth=2).encode(order="place:Q"),
            drawn.mark_point(color=RAMP[1], fill=RAMP[1], size=40, opacity=1),
            at_own.mark_point(color=INK, fill=INK, shape="diamond", size=110, opacity=1),
            names.mark_text(align="left", dx=8, dy=-8, color=INK, fontSize=12).encode(text="name:N"),
        ]

    def spots(alt: Any, frame: Frame) -> list[Any]:
        mark = alt.Chart(alt.InlineData(values=rows)).mark_square(size=500, fill="transparent", stroke=None)
        return [mark.encode(**places(alt, frame))]

    write = formatter([value for p in points for value in (p.expected_bn, p.cvar_bn)])
    gw = formatter([value for p in points for value in (p.idle_gw_years, p.cancelled_gw)])
    header = ["aversion", "expected worth, $bn", f"mean of the worst {100 * tail:g}%, $bn", "idle, GW-years",
              "cancelled, GW"]  # fmt: skip
    cells = [
        [f"{p.aversion:g}", write(p.expected_bn), write(p.cvar_bn), gw(p.idle_gw_years), gw(p.cancelled_gw)]
        for p in points
    ]
    key = [
        Entry("plans by aversion to risk", Line(RAMP[1], 2), (0, 1, 3)),
        Entry(f"the instance's own aversion, {own:g}", INK, (2,)),
    ]
    told = ["each point is the best plan for one aversion to risk, which stands beside it"]
    return Drawing("expected worth against the mean of the worst", told, marks, Figures(header, cells), key, spots)


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the points of a frontier, those that are one plan together, with the aversions of each."""
    together: dict[tuple[float, float], list[str]] = {}
    for row in rows:
        together.setdefault((round(row["worst"], 6), round(row["expected"], 6)), []).append(row["name"])
    return [{"worst": x, "expected": y, "name": ", ".join(names)} for (x, y), names in together.items()]
