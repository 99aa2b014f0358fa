"""Charts of many cases: a grid as a line or a heat map, a tornado, a Monte Carlo as a histogram."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.files import printable
from gwplan.kept.sweep import CASES, in_words, label, unit, unit_behind, with_unit
from gwplan.show import theme, vega
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels
from gwplan.show.charts.over_time import expected, stack, supply_line, use_key, use_layers
from gwplan.show.page import cut, decimals, formatter, number, signed
from gwplan.show.theme import FAINT, GAIN, GREY, GREYS, INK, LOSS, MARK, NothingToShowError, Stroke
from gwplan.show.view import View
from gwplan.studies.sweep.sweep import OPTIMAL
from gwplan.studies.uncertainty import Point

CUT: Final = 3
"""How many times as long as the next one the longest bar of what cases are worth may be."""

WIDEST_BAR: Final = 26
"""Of a fan, pixels."""


MOST_BINS: Final = 30
LEAST_BINS: Final = 6
"""Bars of a histogram."""


def montecarlo(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Drawing:
    """Return the chart of a Monte Carlo: how often worth lies where, a histogram of the draws that have a plan."""
    cases = tables[CASES]
    worth = cases["objective_bn"].to_numpy(dtype=float)
    worth = worth[np.isfinite(worth)]
    if not len(worth):
        raise NothingToShowError("no draw has a plan")
    base, draws = float(about["base"]["objective_bn"]), len(cases)
    count, edges = np.histogram(worth, bins=int(np.clip(np.sqrt(len(worth)), LEAST_BINS, MOST_BINS)))
    quantiles = tables["quantiles"]
    of_worth = quantiles[quantiles["figure"] == "objective_bn"].set_index("quantile")["value"]
    low, middle, high = (float(of_worth.get(share, np.quantile(worth, share))) for share in MIDDLE)
    write = formatter([*edges.tolist(), base])
    rows = [
        {"low": a, "high": b, "top": int(n), "bottom": 0}
        for a, b, n in zip(edges[:-1], edges[1:], count.tolist(), strict=True)
    ]
    rules = ((base, _DASHED), (middle, Stroke(INK, 2)), (low, _OUTER), (high, _OUTER))

    def across(frame: Frame) -> dict[str, Any]:
        axis = theme.amount_axis("$bn")
        axis |= {"tickCount": 4 if frame.width < theme.NARROW else 8, "grid": False}
        ends = [min(float(edges[0]), base), max(float(edges[-1]), base)]
        return {"x": vega.by("low:Q", scale={"domain": ends, "zero": False, "nice": False, "padding": 6}, axis=axis)}

    def marks(frame: Frame) -> list[Any]:
        y = vega.by("top:Q", scale={"domain": [0, 1.05 * int(count.max())], "nice": False},
                  axis={"title": "draws", "tickMinStep": 1, "domain": False, "ticks": False})  # fmt: skip
        bar = vega.Marks(rows).draw("bar", fill=MARK, stroke="white", strokeWidth=0.6)
        layers = [bar.encode(**across(frame), x2="high:Q", y=y, y2="bottom:Q")]
        for bn, stroke in rules:
            rule = vega.Marks([{"low": bn}]).draw("rule", **stroke.mark)
            layers.append(rule.encode(**across(frame)))
        return layers

    def spots(frame: Frame) -> list[Any]:
        mark = vega.Marks(rows).draw("rect", fill="transparent")
        return [mark.encode(**across(frame), x2="high:Q", y=vega.value(0), y2=vega.value(frame.height))]

    key = [
        Entry("draws", MARK, (0,)),
        Entry(f"base {write(base)}", _DASHED, (1,)),
        Entry(f"median {write(middle)}", Stroke(INK, 2), (2,)),
        Entry(f"5 % {write(low)}, 95 % {write(high)}", _OUTER, (3, 4)),
    ]
    cells = [[f"{write(row['low'])} to {write(row['high'])}", str(row["top"])] for row in rows]
    subtitle = [f"value of each draw's own plan, $bn; {draws} draws, seed {about['settings']['seed']}"]
    subtitle += without_plan(cases)
    finding = f"In 90 % of draws the plan is worth ${write(low)}bn to ${write(high)}bn"
    return Drawing(
        "worth of the draws", subtitle, marks, Figures(["worth, $bn", "draws"], cells), key, spots, finding=finding
    )


MIDDLE: Final = (0.05, 0.5, 0.95)
"""Quantiles that a histogram shows."""


def gw_years(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Drawing:
    """Return the chart of the quantiles of each pathway's GW-years in a Monte Carlo."""
    start, end = "expected_gw_years[", "]"
    quantiles, cases = tables["quantiles"], tables[CASES]
    mine = quantiles[[str(name).startswith(start) for name in quantiles["figure"]]]
    group = [str(name).removeprefix(start).removesuffix(end) for name in mine["figure"]]
    failed = int((cases["status"] != OPTIMAL).sum())
    subtitle = [f"{len(cases)} draws, seed {about['settings']['seed']}"]
    subtitle += [f"{failed} of {len(cases)} cases have no plan"] if failed else []
    return quantile_fan(mine.assign(group=group), "GW-years of each pathway", subtitle, unit="GW-years")


def quantile_fan(table: pd.DataFrame, what: str, subtitle: Sequence[str] = (), *, unit: str = "$bn") -> Drawing:
    """Return quantiles as a fan: bars between those that lie as far below as above the median, and the median."""
    if table.empty:
        raise NothingToShowError("there are no quantiles")
    wide = table.pivot(index="group", columns="quantile", values="value").reindex(list(dict.fromkeys(table["group"])))
    levels = sorted(float(level) for level in wide.columns)
    pairs = [(low, high) for low, high in zip(levels, reversed(levels), strict=True) if low < high]
    fills, names = theme.shades(len(pairs) + 1, theme.GREYS)[::-1], [printable(str(place)) for place in wide.index]
    middle = wide[0.5].tolist() if 0.5 in levels else []

    def marks(frame: Frame) -> list[Any]:
        x = _places(frame, names)
        y = vega.by("low:Q", scale={"zero": False}, axis=theme.amount_axis(unit))
        size = min(WIDEST_BAR, int(0.7 * frame.width / len(names)))
        layers = []
        for (low, high), fill in zip(pairs, fills, strict=False):
            rows = [
                {"place": place, "low": a, "high": b}
                for place, a, b in zip(names, wide[low].tolist(), wide[high].tolist(), strict=True)
            ]
            bar = vega.Marks(rows).draw("bar", fill=fill, size=size)
            layers.append(bar.encode(x=x, y=y, y2="high:Q"))
        if middle:
            rows = [{"place": place, "low": value} for place, value in zip(names, middle, strict=True)]
            tick = vega.Marks(rows).draw("tick", color=INK, thickness=3, size=size + 8, opacity=1)
            layers.append(tick.encode(x=x, y=y))
        return layers

    def spots(frame: Frame) -> list[Any]:
        mark = vega.Marks([{"place": place} for place in names]).draw("rect", fill="transparent")
        return [mark.encode(x=_places(frame, names), y=vega.value(0), y2=vega.value(frame.height))]

    write = formatter(table["value"])
    header = ["", *(f"{100 * level:g} %, {unit}" for level in levels)]
    rows = [[place, *map(write, row)] for place, row in zip(names, wide[levels].to_numpy().tolist(), strict=True)]
    key = [
        Entry(f"{100 * low:g} to {100 * high:g} % of draws", fill, (i,))
        for i, ((low, high), fill) in enumerate(zip(pairs, fills, strict=False))
    ]
    key += [Entry("median", Stroke(INK, 3), (len(pairs),))] if middle else []
    return Drawing(what, subtitle, marks, Figures(header, rows), key, spots)


def backtest(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Drawing:
    """Return the chart of a backtest: what each policy is worth more or less than the measure, over the paths."""
    spread = tables["spread"]
    if spread.empty:
        raise NothingToShowError("no two policies have a plan on the same path")
    measure, settings = str(spread["against"].iloc[0]), about["settings"]
    fan = spread.rename(columns={"policy": "group", "difference_bn": "value"})
    subtitle = [f"{len(tables[CASES])} paths, reviewed every {settings['review']}; above 0 worth more than {measure}"]
    return quantile_fan(fan, f"worth less that of {measure} on the same path", subtitle)


def _places(frame: Frame, names: Sequence[str]) -> Any:
    angle = 0 if frame.width / len(names) > 7 * max(map(len, names)) else -90
    return vega.by("place:N", sort=names, title=None, axis={"labelAngle": angle, "ticks": False})


def frontier(points: Sequence[Point], tail: float, own: float) -> Drawing:
    """Return the frontier of risk: expected worth against the mean worth of the worst futures, by aversion.

    The points come by rising aversion; `tail` is the share of futures that are the worst.
    """
    rows = [
        {"worst": p.cvar_bn, "expected": p.expected_bn, "name": f"{p.aversion:g}", "place": place}
        for place, p in enumerate(points)
    ]

    def places(frame: Frame) -> dict[str, Any]:
        axes = {name: theme.amount_axis("$bn") for name in ("worst", "expected")}
        axes["worst"] |= {"tickCount": 3 if frame.width < theme.NARROW else 6}
        axes["worst"]["title"], axes["expected"]["title"] = f"mean of the worst {100 * tail:g}%", "expected worth"
        scale = {"zero": False, "padding": 24}
        return {
            "x": vega.by("worst:Q", scale=scale, axis=axes["worst"]),
            "y": vega.by("expected:Q", scale=scale, axis=axes["expected"]),
        }

    def marks(frame: Frame) -> list[Any]:
        drawn = vega.Marks(rows).encode(**places(frame))
        mine = [row for row, p in zip(rows, points, strict=True) if p.aversion == own]
        at_own = vega.Marks(mine).encode(**places(frame))
        names = vega.Marks(_named(rows)).encode(**places(frame))
        return [
            drawn.draw("line", color=MARK, strokeWidth=2).encode(order="place:Q"),
            drawn.draw("point", color=MARK, fill=MARK, size=40, opacity=1),
            at_own.draw("point", color=INK, fill=INK, shape="diamond", size=110, opacity=1),
            names.draw("text", align="left", dx=8, dy=-8, color=INK, fontSize=12).encode(text="name:N"),
        ]

    def spots(frame: Frame) -> list[Any]:
        mark = vega.Marks(rows).draw("square", size=500, fill="transparent", stroke=None)
        return [mark.encode(**places(frame))]

    write = formatter([value for p in points for value in (p.expected_bn, p.cvar_bn)])
    gw = formatter([value for p in points for value in (p.idle_gw_years, p.cancelled_gw)])
    header = ["aversion", "expected worth, $bn", f"mean of the worst {100 * tail:g}%, $bn", "idle, GW-years",
              "cancelled, GW"]  # fmt: skip
    cells = [
        [f"{p.aversion:g}", write(p.expected_bn), write(p.cvar_bn), gw(p.idle_gw_years), gw(p.cancelled_gw)]
        for p in points
    ]
    key = [
        Entry("plans by aversion to risk", Stroke(MARK, 2), (0, 1, 3)),
        Entry(f"the instance's own aversion, {own:g}", INK, (2,)),
    ]
    subtitle = ["each point is the best plan for one aversion to risk, which stands beside it"]
    return Drawing("expected worth against the mean of the worst", subtitle, marks, Figures(header, cells), key, spots)


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the points of a frontier, those that are one plan together, with the aversions of each."""
    together: dict[tuple[float, float], list[str]] = {}
    for row in rows:
        together.setdefault((round(row["worst"], 6), round(row["expected"], 6)), []).append(row["name"])
    return [{"worst": x, "expected": y, "name": ", ".join(names)} for (x, y), names in together.items()]


BAR: Final = 22
"""Height of one input of a tornado, pixels."""

MOST_INPUTS: Final = 25
"""Inputs that a tornado shows."""

CELL: Final = 34
"""Height of one row of a heat map, pixels."""

MOST_BANDS: Final = 6
"""Shades of a heat map."""

LETTER: Final = 7
"""Width of a letter or digit inside a chart, pixels."""

NO_PLAN: Final = "no plan"

About = Mapping[str, Any]
"""What a kept sweep's manifest says: ``instance``, ``edits``, ``base``, ``settings``."""


def chart(kind: str, tables: Mapping[str, pd.DataFrame], about: About) -> Drawing:
    """Return the chart of a sweep of a kind."""
    if kind not in CHARTS:
        raise NothingToShowError(f"there is no picture of a {kind}")
    return CHARTS[kind](tables, about)


def grid(tables: Mapping[str, pd.DataFrame], about: About) -> Drawing:
    """Return the chart of a grid: of one axis a line, of two a heat map."""
    axes, figure = list(about["settings"]["axes"]), str(about["settings"]["of"])
    table = tables[CASES]
    if len(axes) not in (1, 2):
        raise NothingToShowError("the picture of a grid has one or two axes: sweep two of them at a time")
    if not table[figure].notna().any():
        raise NothingToShowError("no case has a plan")
    return _line(table, axes[0], figure, about) if len(axes) == 1 else _heat_map(table, axes, figure)


def _line(table: pd.DataFrame, axis: str, figure: str, about: About) -> Drawing:
    base = float(about["base"][figure])
    numbers = all(isinstance(value, float) and np.isfinite(value) for value in table[axis])
    places: list[Any] = table[axis].tolist() if numbers else list(map(label, table[axis]))
    values = table[figure].tolist()
    planned = [{"x": x, "y": y} for x, y in zip(places, values, strict=True) if y == y]
    failed = [{"x": x} for x, y in zip(places, values, strict=True) if y != y]

    def across(frame: Frame) -> Any:
        shown = {"labelAngle": _angle(frame, list(map(label, places)), numbers), "grid": False, "tickCount": 8}
        scale = {"scale": {"zero": False, "nice": False, "padding": 12}} if numbers else {}
        order = None if numbers else list(dict.fromkeys(places))
        return vega.by(f"x:{'Q' if numbers else 'N'}", sort=order, title=None, axis=shown, **scale)

    def marks(frame: Frame) -> list[Any]:
        x, y = across(frame), vega.by("y:Q", scale={"zero": False}, axis=theme.amount_axis(unit(figure)))
        rule = vega.Marks([{"y": base}]).draw("rule", color=GREY, strokeDash=[4, 4]).encode(y=y)
        rows = vega.Marks(planned).encode(x=x, y=y)
        none = vega.Marks(failed).draw("point", shape="cross", color=INK, angle=45, opacity=1)
        return [
            rule,
            rows.draw("line", color=MARK, strokeWidth=2),
            rows.draw("point", color=GREYS[0], fill=GREYS[0], size=40, opacity=1),
            *([none.encode(x=x, y=vega.value(frame.height - 8))] if failed else []),
        ]

    def spots(frame: Frame) -> list[Any]:
        ends = _midway(places) if numbers else [{"x": x} for x in places]
        mark = vega.Marks(ends).draw("rect", fill="transparent")
        until = {"x2": "until:Q"} if numbers else {}
        return [mark.encode(x=across(frame), **until, y=vega.value(0), y2=vega.value(frame.height))]

    write, change = formatter([base, *values]), formatter([value - base for value in values])
    rows = [
        [label(x), write(y), signed(change(y - base)), str(status).replace("_", " ")]
        for x, y, status in zip(places, values, table["status"].tolist(), strict=True)
    ]
    header = [axis, with_unit(figure), "against the base", "status"]
    key = [Entry(with_unit(figure), Stroke(MARK, 2), (1, 2)), Entry(f"the base, {write(base)}", _DASHED, (0,))]
    key += [Entry(NO_PLAN, Stroke(INK, 2, (2, 2)), (3,))] if failed else []
    subtitle = [f"by {axis}; dashed: the base", *without_plan(table)]
    return Drawing(in_words(figure), subtitle, marks, Figures(header, rows), key, spots)


_DASHED: Final = Stroke(INK, 1.5, (4, 4))
_OUTER: Final = Stroke(GREY, 1.5, (1, 3))


def _midway(places: Sequence[float]) -> list[dict[str, float]]:
    """Return for each place along a line from where to where it is the nearest."""
    known = np.unique(places)
    if len(known) < 2:
        return [{"x": place, "until": place} for place in places]
    between = (known[1:] + known[:-1]) / 2
    ends = np.concatenate([known[:1], between, known[-1:]])
    index = np.searchsorted(known, places)
    return [{"x": float(ends[i]), "until": float(ends[i + 1])} for i in index]


def _angle(frame: Frame, labels: Sequence[str], numbers: bool) -> int:
    """Return how names along an axis are turned: upright where there is no room for them side by side."""
    if numbers:
        return 0
    return 0 if frame.width / len(set(labels)) > LETTER * max(map(len, labels)) else -90


@dataclass(frozen=True)
class _Band:
    """Cells of a heat map that are drawn alike."""

    name: str
    fill: str
    ink: str
    rows: list[dict[str, str]]


def _heat_map(table: pd.DataFrame, axes: Sequence[str], figure: str) -> Drawing:
    down, across = axes
    lines, columns = (list(dict.fromkeys(map(label, table[axis].tolist()))) for axis in axes)
    bands = _bands(table, axes, figure)
    longest = max(len(row["text"]) for band in bands for row in band.rows)

    def places(frame: Frame) -> dict[str, Any]:
        shown = {"labelAngle": _angle(frame, columns, False), "ticks": False, "orient": "top"}
        limit = 90 if frame.width < theme.NARROW else 180
        return {
            "x": vega.by("column:N", sort=columns, title=None, axis=shown),
            "y": vega.by("row:N", sort=lines, title=None, axis={"ticks": False, "domain": False, "labelLimit": limit}),
        }

    def marks(frame: Frame) -> list[Any]:
        room = 0.85 * frame.width / len(columns) > LETTER * longest
        layers = []
        for band in bands:
            cells = vega.Marks(band.rows).encode(**places(frame))
            layers.append(cells.draw("rect", fill=band.fill, stroke="white"))
            words = cells.draw("text", fontSize=11, color=band.ink, opacity=1 if room else 0)
            layers.append(words.encode(text="text:N"))
        return layers

    def spots(frame: Frame) -> list[Any]:
        cells = [
            {"row": label(a), "column": label(b)}
            for a, b in zip(table[down].tolist(), table[across].tolist(), strict=True)
        ]
        return [vega.Marks(cells).draw("rect", fill="transparent").encode(**places(frame))]

    write = formatter(table[figure])
    rows = [
        [f"{label(a)}; {label(b)}", label(a), label(b), write(value), str(status).replace("_", " ")]
        for a, b, value, status in zip(*(table[name].tolist() for name in (*axes, figure, "status")), strict=True)
    ]
    header = ["case", f"down: {down}", f"across: {across}", with_unit(figure), "status"]
    key = [Entry(band.name, band.fill, (2 * i, 2 * i + 1)) for i, band in reversed(list(enumerate(bands)))]
    subtitle = [f"down: {down}", f"across: {across}", *without_plan(table)]
    height = max(CELL * len(lines), 60)
    return Drawing(in_words(figure), subtitle, marks, Figures(header, rows), key, spots, height=height)


def _bands(table: pd.DataFrame, axes: Sequence[str], figure: str) -> list[_Band]:
    """Return the cells of a heat map by shade, from the lowest figures to the highest, then those without a plan."""
    values = table[figure].to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    count = min(MOST_BANDS, len(np.unique(known)))
    edges = np.linspace(known.min(), known.max(), count + 1)
    band = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, count - 1)
    write, places = formatter(known), [table[axis].tolist() for axis in axes]
    bands = []
    for i, fill in enumerate(theme.shades(count)[::-1] if count > 1 else [MARK]):
        rows = [
            {"row": label(a), "column": label(b), "text": write(value)}
            for a, b, value, of in zip(*places, values.tolist(), band.tolist(), strict=True)
            if value == value and of == i
        ]
        if rows:
            name = f"{write(edges[i])} to {write(edges[i + 1])}{unit_behind(figure)}"
            bands.append(_Band(name, fill, theme.ink_on(fill), rows))
    none = [
        {"row": label(a), "column": label(b), "text": "none"}
        for a, b, value in zip(*places, values.tolist(), strict=True)
        if value != value
    ]
    return [*bands, *([_Band(NO_PLAN, FAINT, INK, none)] if none else [])]


def tornado(tables: Mapping[str, pd.DataFrame], about: About) -> Drawing:
    """Return the chart of a tornado: a bar for each input from the lower case to the higher, the widest on top."""
    table, figure = tables["tornado"], str(about["settings"]["of"])
    shown = table[table["swing"] > 0].sort_values("swing", ascending=False, kind="stable").head(MOST_INPUTS)
    if shown.empty:
        raise NothingToShowError("no input makes a difference")
    base = float(about["base"][figure])
    names = list(shown["input"])

    def along(frame: Frame) -> Any:
        limit = 120 if frame.width < theme.NARROW else 340
        axis = {"labelLimit": limit, "ticks": False, "domain": False}
        return vega.by("input:N", sort=_shortened(names, frame), title=None, axis=axis)

    def marks(frame: Frame) -> list[Any]:
        axis = theme.amount_axis(unit(figure))
        axis["tickCount"] = 4 if frame.width < theme.NARROW else 8
        x = vega.by("from:Q", title=None, scale={"zero": False}, axis=axis)
        layers = []
        for way, fill, side in (("down", GREYS[0], -1), ("up", MARK, 1)):
            for overlaid in (False, True):  # bars of one side stand above each other, so that neither hides the other
                height = (BAR - 8) // 2 if overlaid else BAR - 8
                rows = [row for row in _swings(shown, way, base, frame) if row.pop("overlaid") == overlaid]
                bars = vega.Marks(rows).draw(
                    "bar", fill=fill, height=height, yOffset=side * height / 2 if overlaid else 0
                )
                layers.append(bars.encode(x=x, x2="to:Q", y=along(frame)))
        rule = vega.Marks([{"from": base}]).draw("rule", color=INK).encode(x=x)
        return [*layers, rule]

    def spots(frame: Frame) -> list[Any]:
        rows = [{"input": name} for name in _shortened(names, frame)]
        mark = vega.Marks(rows).draw("rect", fill="transparent")
        return [mark.encode(y=along(frame), x=vega.value(0), x2=vega.value(frame.width))]

    key = [Entry("down", GREYS[0], (0, 1)), Entry("up", MARK, (2, 3)), Entry("the base", Stroke(INK, 1.2), (4,))]
    height = BAR * len(names)
    subtitle = _told(table, shown, float(about["settings"]["by"]), base)
    widest, write = shown.iloc[0], formatter([base, float(shown["swing"].iloc[0])])
    ends = " to ".join(write(float(f([widest["down"], widest["up"], base]))) for f in (np.nanmin, np.nanmax))
    return Drawing(
        f"{in_words(figure)}, each input lower and higher",
        subtitle,
        marks,
        _swing_figures(shown, figure, base),
        key,
        spots,
        height=height,
        finding=f"{widest['input']} swings it most: {ends}{unit_behind(figure)}",
    )


def _shortened(names: Sequence[str], frame: Frame) -> list[str]:
    """Return names as short as there is room for, no two alike."""
    most, short_names = 17 if frame.width < theme.NARROW else 44, list[str]()
    for place, name in enumerate(map(printable, names), start=1):
        short = cut(name, most)
        short_names.append(f"{cut(name, most - 4)} {place}" if short in short_names else short)
    return short_names


def _swings(shown: pd.DataFrame, way: str, base: float, frame: Frame) -> list[dict[str, Any]]:
    """Return the bars of one way, and of each whether the other way's lies on the same side of the base."""
    return [
        {"input": name, "from": base, "to": float(mine), "overlaid": (down - base) * (up - base) > 0}
        for name, (down, up, mine) in zip(
            _shortened(list(shown["input"]), frame),
            shown[["down", "up", way]].to_numpy(dtype=float).tolist(),
            strict=True,
        )
        if np.isfinite(mine)
    ]


def _told(table: pd.DataFrame, shown: pd.DataFrame, share: float, base: float) -> list[str]:
    lines = [f"each input {100 * share:.4g}% down and up, or over its own range; line: the base, {base:.4g}"]
    hidden = len(table) - len(shown)
    lines += [f"{hidden} more with less or no difference"] if hidden else []
    missing = int((table["reason"] != "").sum())
    return [*lines, *([f"{missing} inputs have a case without a plan"] if missing else [])]


def _swing_figures(shown: pd.DataFrame, figure: str, base: float) -> Figures:
    write, places = formatter(shown["swing"]), decimals([base, *shown["swing"]])
    rows = [
        [row["input"], row["range"], row["status"] or "-",
         *("none" if np.isnan(row[way]) else number(row[way], places) for way in ("down", "up")), write(row["swing"]),
         number(row["first_moves_changed_gw"], 3)]
        for row in shown.to_dict("records")
    ]  # fmt: skip
    header = ["input", "range", "grade", f"down, {with_unit(figure)}", f"up, {with_unit(figure)}", "swing",
              "first moves changed, GW"]  # fmt: skip
    return Figures(header, rows)


def without_plan(table: pd.DataFrame) -> list[str]:
    """Return in words how many cases have no plan; nothing where all have one."""
    count = int((table["status"] != OPTIMAL).sum())
    return [f"{count} of {len(table)} cases have no plan"] if count else []


CHARTS: Final[Mapping[str, Callable[[Mapping[str, pd.DataFrame], About], Drawing]]] = {
    "sweep": grid,
    "tornado": tornado,
    "montecarlo": montecarlo,
    "backtest": backtest,
}
"""The chart of each kind of sweep."""


MOST_CASES: Final = 24


def worth_of_cases(cases: Mapping[str, View]) -> Drawing:
    """Return the chart of how much more or less than the first each case is worth."""
    # Vega-Lite takes no names to sort by that JavaScript would not take as they are
    (first, base), *others = [(printable(name), view) for name, view in cases.items()][: MOST_CASES + 1]
    amounts = {name: view.plan.objective_bn for name, view in others}
    gains = {name: amount - base.plan.objective_bn for name, amount in amounts.items()}
    write = formatter([base.plan.objective_bn, *amounts.values()])
    least, most = min(*gains.values(), 0.0), max(*gains.values(), 0.0)
    gains = dict(sorted(gains.items(), key=lambda pair: pair[1]))
    names = list(gains)
    sizes = sorted(map(abs, gains.values()))
    longest = CUT * sizes[-2] if len(sizes) > 1 and sizes[-1] > CUT * sizes[-2] > 0 else np.inf
    least, most = max(least, -longest), min(most, longest)

    def marks(frame: Frame) -> list[Any]:
        narrow = frame.width < theme.NARROW
        room = (most - least) * (0.35 if narrow else 0.14) or 1.0
        axis = {"domain": False, "ticks": False, "labelLimit": 120 if narrow else 240, "labelPadding": 8}
        y = vega.by("name:N", sort=names, title=None, axis=axis)
        domain = [least - (room if least < 0 else 0.0), most + (room if most > 0 else 0.0) or 1.0]
        x = vega.by("by:Q", title=None, scale={"domain": domain, "nice": False}, axis=None)
        layers = []
        for kind, fill in ((1, GAIN), (-1, LOSS)):
            mine = {n: by for n, by in gains.items() if (1 if by >= 0 else -1) == kind}
            rows = [{"name": n, "by": float(np.clip(by, least, most)), "from": 0.0} for n, by in mine.items()]
            bar = vega.Marks(rows).draw("bar", fill=fill, height=18)
            layers.append(bar.encode(x=x, x2="from:Q", y=y))
            texts = [
                {**row, "text": f"{'+' if by >= 0 else ''}{write(by)}{', bar cut' if abs(by) > longest else ''}"}
                for row, by in zip(rows, mine.values(), strict=True)
            ]
            mark = vega.Marks(texts).draw(
                "text", align="left" if kind > 0 else "right", dx=5 * kind, color=INK, fontSize=12
            )
            layers.append(mark.encode(x=x, y=y, text="text:N"))
        return [*layers, vega.Marks([{}]).draw("rule", color=INK).encode(x={"datum": 0})]

    def spots(frame: Frame) -> list[Any]:
        data = [{"name": name} for name in names]
        mark = vega.Marks(data).draw("rect", fill="transparent")
        return [mark.encode(y=vega.by("name:N", sort=names), x=vega.value(0), x2=vega.value(frame.width))]

    rows = [[n, write(amounts[n]), f"{'+' if by >= 0 else ''}{write(by)}"] for n, by in gains.items()]
    left_out = len(cases) - 1 - len(others)
    subtitle = [
        f"$bn more or less than {first}, which is worth {write(base.plan.objective_bn)} $bn",
        *([f"{left_out} more cases are left out"] if left_out else []),
    ]
    key = [Entry("worth more", GAIN, (0, 1)), Entry("worth less", LOSS, (2, 3))]
    figures = Figures(["case", "worth, $bn", f"more than {first}, $bn"], rows)
    lost = sum(by < 0 for by in gains.values())
    worst = f"{names[0]} costs most, ${write(-gains[names[0]])}bn; " if lost else ""
    finding = f"{worst}{lost} of {len(names)} are worth less than {first}"
    return Drawing("what each is worth", subtitle, marks, figures, key, spots, height=30 * len(names), finding=finding)


def gw_of_cases(cases: Mapping[str, View]) -> Panels:
    """Return the chart of GW by pathway against supply of each case, side by side on the same scale."""
    shown = dict(list(cases.items())[:MOST_CASES])
    pathways = list(dict.fromkeys(p for view in shown.values() for p in view.plan.summary["expected_gw_years"]))
    layers = {name: use_layers(view, expected(view), pathways) for name, view in shown.items()}
    highest = 1.04 * max(float(of[-1].top.max(initial=0.0)) for of in layers.values()) or 1.0
    drawings = []
    for name, view in shown.items():
        line = supply_line(view, layers[name][-1].top)
        times = drawing.periods(view)
        drawings.append(stack(view, times, layers[name], line, name, [], highest=highest, height=130))
    subtitle = ["expected over the futures, the same scale for all"]
    key = use_key(next(iter(shown.values())), pathways)
    return Panels("GW by pathway against supply", subtitle, drawings, key)
