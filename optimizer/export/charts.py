"""Pictures of a kept run: one theme, one place for colours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.instance.calendar import MONTHS, add_months
from optimizer.instance.extras import imported
from optimizer.instance.problems import InstanceError, Problem
from optimizer.instance.sources import printable
from optimizer.results.run import Run
from optimizer.whole import refuse_occupied, whole_file

if TYPE_CHECKING:
    from altair import LayerChart, TopLevelMixin

INK: Final = "#1c2430"
GREY: Final = "#6b7480"
FAINT: Final = "#d9dde2"
PALE: Final = "#f3f4f6"

RAMP: Final = ("#1b2a5c", "#2c6e9b", "#57b598", "#e6e58a")
"""Dark to light, and bluish to yellowish: told apart by any eye, and in print without colour."""

FONT: Final = "Helvetica Neue, Helvetica, Arial, DejaVu Sans, sans-serif"

THEME: Final[dict[str, Any]] = {
    "background": "white",
    "font": FONT,
    "padding": 16,
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "color": INK,
        "fontSize": 17,
        "fontWeight": 600,
        "offset": 14,
        "subtitleColor": GREY,
        "subtitleFontSize": 12,
        "subtitleLineHeight": 16,
        "subtitlePadding": 6,
    },
    "axis": {
        "domainColor": GREY,
        "gridColor": FAINT,
        "labelColor": INK,
        "labelFontSize": 12,
        "tickColor": GREY,
        "titleColor": GREY,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}
"""How every picture looks."""

WIDTH, HEIGHT = 680, 360
"""Size of the plotting area, pixels."""

_LINE_HEIGHT: Final = 18
"""Least distance between two labels, pixels."""


def pathway_colours(pathways: Sequence[str]) -> dict[str, str]:
    """Return one colour for each pathway, evenly spaced from dark to light in the order given."""
    anchors = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in RAMP])
    at = np.linspace(0, len(RAMP) - 1, len(pathways)) if len(pathways) > 1 else np.ones(1)
    mixed = np.stack([np.interp(at, np.arange(len(RAMP)), anchors[:, i]) for i in range(3)], axis=1)
    return {p: "#{:02x}{:02x}{:02x}".format(*np.rint(rgb).astype(int)) for p, rgb in zip(pathways, mixed, strict=False)}


def gw_over_time(run: Run) -> LayerChart:
    """Return the picture of a plan: expected GW by pathway, stacked over time, against supply.

    Parameters
    ----------
    run : Run
        What to show. Each period's figures are weighted by the probability of its nodes.

    Returns
    -------
    altair.LayerChart
        The stack of pathways and, hatched, idle GW; as a line the supply as signed. What lies between the two is
        cancelled. The labels give the GW of the last period.

    Raises
    ------
    InstanceError
        If Altair is not installed.
    """
    alt = _installed("altair", "Altair")
    layers = _stacked(run)
    resolution = run.instance.resolution
    starts = np.unique(run.tables["nodes"]["start"].to_numpy()).astype("datetime64[D]")
    # a period's figures hold to its end, so the last ones are repeated where the horizon ends
    times = [str(time) for time in (*starts, *add_months(starts[-1:], np.array([MONTHS[resolution]])))]
    labels = [*layers, _Layer("supply as signed", layers[-1].top, layers[-1].top, None)]
    height = max(HEIGHT, _LINE_HEIGHT * (len(labels) + 2))
    highest = float(layers[-1].top.max()) * 1.04 or 1.0

    x = alt.X("time:T", title=None, scale=alt.Scale(type="utc"), axis=_time_axis(alt, len(starts), resolution))
    axis = alt.Axis(title=None, tickCount=6, labelExpr="datum.label + ' GW'", domain=False, ticks=False)
    y = alt.Y("top:Q", scale=alt.Scale(domain=[0, highest], nice=False), axis=axis)
    marks: list[Any] = []
    for layer in layers:
        area = alt.Chart(_steps(alt, times, layer)).mark_area(
            interpolate="step-after", color=layer.fill, stroke="white", strokeWidth=0.6
        )
        marks.append(area.encode(x=x, y=y, y2="bottom:Q"))
    supply = alt.Chart(_steps(alt, times, labels[-1]))
    marks.append(supply.mark_line(interpolate="step-after", color=INK, strokeWidth=1.8).encode(x=x, y=y))
    marks += _labels(alt, labels, highest, height)
    chart: LayerChart = alt.layer(*marks, title=_title(alt, run), width=WIDTH, height=height, config=THEME)
    return chart


@dataclass(frozen=True)
class _Layer:
    """One layer of the stack: GW from `bottom` to `top` in each period, and how it is filled."""

    name: str
    bottom: NDArray[np.float64]
    top: NDArray[np.float64]
    fill: str | dict[str, Any] | None


def _stacked(run: Run) -> list[_Layer]:
    """Return the layers from the bottom up: each pathway, idle, cancelled."""
    used, supply = expected_gw(run)
    colours = pathway_colours(list(used))
    fills: list[str | dict[str, Any]] = [*colours.values(), _hatching(200), PALE]
    layers: list[_Layer] = []
    for name, gw, fill in zip([*used, "idle", "cancelled"], [*used.values(), *supply.values()], fills, strict=True):
        bottom = layers[-1].top if layers else np.zeros(len(gw))
        layers.append(_Layer(name, bottom, bottom + gw.to_numpy(), fill))
    return layers


def expected_gw(run: Run) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Return expected GW by period: of each pathway, and ``idle_gw`` and ``cancelled_gw``; together the supply."""
    allocation, supply = run.tables["allocation"], run.tables["supply"]
    starts = pd.Index(np.unique(run.tables["nodes"]["start"].to_numpy()), name="start")

    def expected(table: pd.DataFrame, column: str) -> pd.Series:
        by_period = (table[column] * table["probability"]).groupby(table["start"]).sum()
        return by_period.reindex(starts, fill_value=0.0)

    used = {p: expected(allocation[allocation["pathway"] == p], "gw") for p in run.summary["expected_gw_years"]}
    rest = {column: expected(supply, column) for column in ("idle_gw", "cancelled_gw")}
    return used, rest


def save(chart: TopLevelMixin, path: str | Path, force: bool = False) -> Path:
    """Write a picture as PNG (at twice its size in pixels) or SVG, as the path's ending says.

    Parameters
    ----------
    chart : altair chart
        The picture.
    path : str or Path
        A path that ends in ``.png`` or ``.svg``; written whole or not at all.
    force : bool
        Whether a file that is there is replaced.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    InstanceError
        If the ending is another, the path may not be replaced or cannot be written, or vl-convert is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in (".png", ".svg"):
        remedy = "end the name in .png or .svg"
        rule = "the ending says the kind of picture"
        raise InstanceError(Problem(printable(str(target)), f"ending '{target.suffix}'", rule, remedy))
    refuse_occupied(target, force=force, replaceable=Path.is_file, kind="a file")
    convert = _installed("vl_convert", "vl-convert")
    specification = json.dumps(chart.to_dict(validate=False))
    picture: bytes
    if target.suffix.lower() == ".png":
        picture = convert.vegalite_to_png(specification, scale=2)
    else:
        picture = convert.vegalite_to_svg(specification).encode()
    with whole_file(target) as new:
        new.write_bytes(picture)
    return target


def _installed(module: str, name: str) -> Any:
    """Import a package of the extra that draws pictures, when one is asked for."""
    return imported(module, name, extra="report", doing="pictures")


def _steps(alt: Any, times: Sequence[str], layer: _Layer) -> Any:
    """Return a layer as data of a stepped mark, which ends where the horizon does."""
    bottom, top = ([*values.tolist(), float(values[-1])] for values in (layer.bottom, layer.top))
    rows = zip(times, bottom, top, strict=True)
    return alt.InlineData(values=[{"time": time, "bottom": low, "top": high} for time, low, high in rows])


def _time_axis(alt: Any, periods: int, resolution: str) -> Any:
    years = periods * MONTHS[resolution] / 12
    if years > 6 or resolution == "year":
        return alt.Axis(format="%Y", tickCount="year", grid=False)
    # a year is told once, below its January or the first tick
    month, year = "utcFormat(datum.value, '%b')", "utcFormat(datum.value, '%Y')"
    label = f"datum.index == 0 || {month} == 'Jan' ? [{month}, {year}] : {month}"
    ticks = {"interval": "month", "step": 3 if years > 1 else 1}
    return alt.Axis(tickCount=ticks, labelExpr=label, grid=False, labelOverlap=True)


def _hatching(stripes: int) -> dict[str, Any]:
    """Return stripes, as a gradient with hard stops: Vega has no patterns."""
    stops = [
        {"offset": (i + side) / stripes, "color": GREY if i % 2 else FAINT} for i in range(stripes) for side in (0, 1)
    ]
    return {"gradient": "linear", "x1": 0, "x2": 1, "y1": 0, "y2": 0, "stops": stops}


def _labels(alt: Any, layers: Sequence[_Layer], highest: float, height: int) -> list[Any]:
    """Return swatch, name and GW of the last period beside the end of each layer, kept from overlapping."""
    middle = [float(layer.bottom[-1] + layer.top[-1]) / 2 * height / highest for layer in layers]
    places = _apart(middle, _LINE_HEIGHT, height)
    marks: list[Any] = []

    def text(content: str, x: float, place: float, colour: str) -> Any:
        mark = alt.Chart(alt.InlineData(values=[{"text": content}])).mark_text(
            align="left", baseline="middle", color=colour, fontSize=12
        )
        return mark.encode(x=alt.value(x), y=alt.value(height - place), text="text:N")

    for layer, place in zip(layers, places, strict=True):
        gw = layer.top[-1] - (layer.bottom[-1] if layer.fill is not None else 0.0)
        at = alt.Chart(alt.InlineData(values=[{}]))
        if layer.fill is None:
            swatch = at.mark_point(shape="stroke", size=200, color=INK, strokeWidth=2, opacity=1)
        else:
            fill = _hatching(5) if isinstance(layer.fill, dict) else layer.fill
            swatch = at.mark_point(shape="square", size=140, fill=fill, strokeWidth=0, opacity=1)
        marks.append(swatch.encode(x=alt.value(WIDTH + 20), y=alt.value(height - place)))
        marks.append(text(f"{layer.name} {gw:.2f}", WIDTH + 33, place, INK))
    marks.append(text("GW at the end", WIDTH + 13, places[-1] + _LINE_HEIGHT, GREY))
    return marks


def _apart(places: Iterable[float], least: float, most: float) -> list[float]:
    """Return rising places moved to a least distance from each other, half of it from 0, and none beyond `most`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least if moved else least / 2))
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], moved[i + 1] - least if i + 1 < len(moved) else most)
    return moved


def _title(alt: Any, run: Run) -> Any:
    scenarios, worth = int(run.summary["scenarios"]), float(run.summary["objective_bn"])
    futures = f"expected over {scenarios} scenarios" if scenarios > 1 else "one scenario"
    status = str(run.summary["status"])
    proved = "optimal" if status == "optimal" else f"not proved best ({status.replace('_', ' ')})"
    edits = len(run.manifest["edits"])
    edited = f"; {edits} edit{'s' if edits > 1 else ''} applied" if edits else ""
    subtitle = f"{futures}; worth {'-' if worth < 0 else ''}${abs(worth):,.1f}bn, {proved}{edited}"
    return alt.Title(f"{run.manifest['instance']}: GW by pathway against supply", subtitle=[subtitle])
