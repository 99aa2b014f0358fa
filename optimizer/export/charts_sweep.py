"""Pictures of many cases: a grid as a line or a heat map, a tornado, quantiles as a fan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.export import theme
from optimizer.export.printed_layout import cut
from optimizer.export.sweep_kept import CASES, unit
from optimizer.export.theme import FAINT, GREY, INK, RAMP, NothingToShowError

BAR: Final = 22
"""Height of one input of a tornado, pixels."""

MOST_INPUTS: Final = 25
"""Inputs that a tornado shows."""

CELL: Final = 34
"""Height of one row of a heat map, pixels."""

MOST_WRITTEN: Final = 12
"""Values of the longer axis up to which a heat map's figures are written into its cells."""

About = Mapping[str, Any]
"""What a kept sweep's manifest says: ``instance``, ``edits``, ``base``, ``settings``."""


def picture(kind: str, tables: Mapping[str, pd.DataFrame], about: About) -> Any:
    """Return the picture of a sweep of a kind.

    Parameters
    ----------
    kind : str
        ``sweep``, ``tornado`` ...
    tables : mapping of str to pandas.DataFrame
        ``cases``, and the tables that were made of them.
    about : mapping
        What its manifest says.

    Raises
    ------
    NothingToShowError
        If there is no picture of that kind, or the sweep has nothing to show in it.
    InstanceError
        If Altair is not installed.
    """
    if kind not in PICTURES:
        raise NothingToShowError(f"there is no picture of a {kind}")
    return PICTURES[kind](tables, about)


def grid(tables: Mapping[str, pd.DataFrame], about: About) -> Any:
    """Return the picture of a grid: of one axis a line, of two a heat map."""
    axes, figure = list(about["settings"]["axes"]), str(about["settings"]["of"])
    table = tables[CASES]
    if len(axes) not in (1, 2):
        raise NothingToShowError("the picture of a grid has one or two axes: sweep two of them at a time")
    if not table[figure].notna().any():
        raise NothingToShowError("no case has a plan")
    return _line(table, axes[0], figure, about) if len(axes) == 1 else _heat_map(table, axes, figure, about)


def _line(table: pd.DataFrame, axis: str, figure: str, about: About) -> Any:
    alt = theme.installed("altair", "Altair")
    numbers = all(isinstance(value, float) for value in table[axis])
    rows = [{"x": x, "y": _plain(y)} for x, y in zip(table[axis].tolist(), table[figure].tolist(), strict=True)]
    x = alt.X(
        f"x:{'Q' if numbers else 'N'}",
        sort=None,
        title=None,
        scale=_scale(alt, numbers),
        axis=alt.Axis(labelAngle=0, grid=False),
    )
    y = alt.Y("y:Q", scale=alt.Scale(zero=False), axis=theme.amount_axis(alt, unit(figure)))
    chart = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
    base = alt.Chart(alt.InlineData(values=[{"y": float(about["base"][figure])}]))
    marks = [
        base.mark_rule(color=GREY, strokeDash=[4, 4]).encode(y=y),
        chart.mark_line(color=RAMP[1], strokeWidth=2),
        chart.mark_point(color=RAMP[0], fill=RAMP[0], size=40, opacity=1),
    ]
    return theme.picture(alt, marks, _title(about, figure), [f"by {axis}; dashed: the base", *_failed(table)])


def _scale(alt: Any, numbers: bool) -> Any:
    return alt.Scale(zero=False, nice=False, padding=12) if numbers else alt.Undefined


def _heat_map(table: pd.DataFrame, axes: Sequence[str], figure: str, about: About) -> Any:
    alt = theme.installed("altair", "Altair")
    down, across = axes
    rows = [
        {
            "row": _label(a),
            "column": _label(b),
            "value": _plain(value),
            "text": "none" if np.isnan(value) else f"{value:.4g}",
        }
        for a, b, value in zip(table[down].tolist(), table[across].tolist(), table[figure].tolist(), strict=True)
    ]
    x = alt.X("column:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False, orient="top"))
    y = alt.Y("row:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    known = table[figure].dropna()
    middle = float(known.min() + known.max()) / 2
    scale = alt.Scale(range=list(RAMP), domain=_domain(known))
    chart = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
    legend = alt.Legend(title=unit(figure) or figure, gradientLength=160)
    colour = alt.condition("isValid(datum.value)", alt.Color("value:Q", scale=scale, legend=legend), alt.value(FAINT))
    marks = [chart.mark_rect(stroke="white").encode(color=colour)]
    columns, lines = table[across].nunique(), table[down].nunique()
    if max(columns, lines) <= MOST_WRITTEN:
        ink = alt.condition(f"isValid(datum.value) && datum.value < {middle}", alt.value("white"), alt.value(INK))
        marks.append(chart.mark_text(fontSize=11).encode(text="text:N", color=ink))
    told = [f"down: {down}", f"across: {across}", *_failed(table)]
    return theme.picture(alt, marks, _title(about, figure), told, height=max(CELL * lines, 60))


def _domain(known: pd.Series) -> list[float]:
    low, high = float(known.min()), float(known.max())
    step = (high - low) / (len(RAMP) - 1) or 1.0
    return [low + step * i for i in range(len(RAMP))]


def tornado(tables: Mapping[str, pd.DataFrame], about: About) -> Any:
    """Return the picture of a tornado: a bar for each input from the lower case to the higher, the widest on top."""
    alt = theme.installed("altair", "Altair")
    table, figure = tables["tornado"], str(about["settings"]["of"])
    shown = table[table["swing"] > 0].sort_values("swing", ascending=False, kind="stable").head(MOST_INPUTS)
    if shown.empty:
        raise NothingToShowError("no input makes a difference")
    base = float(about["base"][figure])
    rows = [
        {"input": cut(name, 44), "way": way, "from": base, "to": float(value)}
        for name, *ends in shown[["input", "down", "up"]].itertuples(index=False)
        for way, value in zip(("down", "up"), ends, strict=True)
        if np.isfinite(value)
    ]
    y = alt.Y("input:N", sort=None, title=None, axis=alt.Axis(labelLimit=340, ticks=False, domain=False))
    x = alt.X("from:Q", scale=alt.Scale(zero=False), axis=theme.amount_axis(alt, unit(figure)))
    colour = alt.Color(
        "way:N", scale=alt.Scale(domain=["down", "up"], range=[RAMP[0], RAMP[2]]), legend=alt.Legend(title=None)
    )
    bars = alt.Chart(alt.InlineData(values=rows)).mark_bar(height=BAR - 8).encode(x=x, x2="to:Q", y=y, color=colour)
    rule = alt.Chart(alt.InlineData(values=[{"from": base}])).mark_rule(color=INK).encode(x=x)
    share = float(about["settings"]["by"])
    told = [f"each input {100 * share:.4g}% down and up, or over its own range; line: the base, {base:.4g}"]
    hidden = len(table) - len(shown)
    told += [f"{hidden} more with less or no difference"] if hidden else []
    missing = int((table["reason"] != "").sum())
    told += [f"{missing} inputs have a case without a plan"] if missing else []
    return theme.picture(alt, [bars, rule], _title(about, figure), told, height=BAR * len(shown))


def quantile_fan(
    table: pd.DataFrame, title: str, subtitle: Sequence[str] = (), *, unit: str = "$bn", lines: bool = False
) -> Any:
    """Return quantiles as a fan: bands between those that lie as far below as above the median, the median as a line.

    Parameters
    ----------
    table : pandas.DataFrame
        In long form: ``group`` (the place, in the order given), ``quantile`` (0 to 1) and ``value``.
    title, subtitle : str, sequence of str
        Words above it.
    unit : str
        Of the values.
    lines : bool
        Whether the places follow one another, as years do; otherwise each place has a bar.
    """
    alt = theme.installed("altair", "Altair")
    if table.empty:
        raise NothingToShowError("there are no quantiles")
    wide = table.pivot(index="group", columns="quantile", values="value").reindex(list(dict.fromkeys(table["group"])))
    levels = sorted(float(level) for level in wide.columns)
    pairs = [(low, high) for low, high in zip(levels, reversed(levels), strict=True) if low < high]
    x = alt.X("place:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    y = alt.Y("low:Q", scale=alt.Scale(zero=False), axis=theme.amount_axis(alt, unit))
    marks: list[Any] = []
    entries: list[tuple[str, theme.Fill]] = []
    fills = theme.shades(len(pairs) + 1)[::-1]
    for (low, high), fill in zip(pairs, fills, strict=False):
        rows = [
            {"place": str(place), "low": a, "high": b}
            for place, a, b in zip(wide.index, wide[low].tolist(), wide[high].tolist(), strict=True)
        ]
        chart = alt.Chart(alt.InlineData(values=rows))
        mark = chart.mark_area(color=fill, opacity=1) if lines else chart.mark_bar(color=fill, size=26)
        marks.append(mark.encode(x=x, y=y, y2="high:Q"))
        entries.append((f"{100 * low:g} to {100 * high:g} %", fill))
    if 0.5 in levels:
        rows = [
            {"place": str(place), "low": value} for place, value in zip(wide.index, wide[0.5].tolist(), strict=True)
        ]
        chart = alt.Chart(alt.InlineData(values=rows))
        median = chart.mark_line(color=INK) if lines else chart.mark_tick(color=INK, thickness=2, size=26)
        marks.append(median.encode(x=x, y=y))
        entries.append(("median", None))
    return theme.picture(alt, marks + theme.key(alt, entries), title, subtitle)


def _title(about: About, figure: str) -> str:
    return f"{about['instance']}: {figure}"


def _failed(table: pd.DataFrame) -> list[str]:
    count = int((table["status"] != "optimal").sum())
    return [f"{count} of {len(table)} cases have no plan"] if count else []


def _label(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else value


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value


def montecarlo(tables: Mapping[str, pd.DataFrame], about: About) -> Any:
    """Return the picture of a Monte Carlo: the quantiles of each pathway's GW-years."""
    start, end = "expected_gw_years[", "]"
    found = tables["quantiles"]
    mine = found[[str(name).startswith(start) for name in found["figure"]]]
    group = [str(name).removeprefix(start).removesuffix(end) for name in mine["figure"]]
    told = [f"{len(tables[CASES])} draws, seed {about['settings']['seed']}", *_failed(tables[CASES])]
    return quantile_fan(mine.assign(group=group), _title(about, "GW-years of each pathway"), told, unit="GW-years")


PICTURES: Final[Mapping[str, Callable[[Mapping[str, pd.DataFrame], About], Any]]] = {
    "sweep": grid,
    "tornado": tornado,
    "montecarlo": montecarlo,
}
"""The picture of each kind of sweep."""
