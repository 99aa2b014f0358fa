"""How every picture looks: one theme, one place for colours, labels beside the marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gwplan.extras import imported
from gwplan.models.tree import FloatArray, IntArray
from gwplan.show import vega
from gwplan.tree.calendar import MONTHS

INK: Final = "#1c2430"
GREY: Final = "#6b7480"
FAINT: Final = "#d9dde2"
PALE: Final = "#f3f4f6"

RAMP: Final = ("#101c47", "#1b4a87", "#15796a", "#b98a2a")
"""Of pathways, dark to light and bluish to yellowish: told apart by any eye, and in print without colour."""

GREYS: Final = ("#2b333d", "#59626e", "#8b939d")
"""Of pools, vendors, kinds and grades, dark to light."""

WARM: Final = ("#5b1a4f", "#a8327a", "#cf6d4c")
"""Of outcomes and scenarios, and of what is sold."""

MARK, GAIN, LOSS = "#1f5fa8", "#3f7f3a", "#707a86"
"""What a picture is about where it is no pathway; what adds, and what takes away."""

RAMPS: Final = {
    RAMP: ("#5f74d6", "#5aa3dc", "#7ccfb0", "#f4e7a1"),
    GREYS: ("#707a86", "#a9b1bb", "#dfe4ea"),
    WARM: ("#b86bab", "#e58fb8", "#f5c9a8"),
}
"""What ramps become on a dark page, none so dark that it sinks into it: all stand out 3 to 1 from either page."""

LIGHT_ON, DARK_ON = "#fffffe", "#1c242f"
"""Of words upon a mark that is dark, or light, on a light page and on a dark one."""

IN_DARK: Final = {
    INK: "#e6e9ee",
    GREY: "#9aa4b0",
    FAINT: "#3a424d",
    MARK: "#8fbdf0",
    GAIN: "#7fc07a",
    LOSS: "#9aa4b0",
    PALE: "#262d36",
    LIGHT_ON: "#ffffff",
    DARK_ON: "#14181e",
    "#ffffff": "#14181e",
}
"""What the other colours become on a dark page; the last is the page itself."""

READ_IN_WHITE: Final = 0.2
"""Luminance below which white stands out more from a colour than black does."""

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

NARROW: Final = 480
"""Plotting areas below this width have no room for months on an axis, or for names beside bars, pixels."""

LINE_HEIGHT: Final = 18
"""Least distance between two labels, pixels."""


@dataclass(frozen=True)
class Stroke:
    """How a line is drawn: colour, width and dashes in pixels, opacity."""

    colour: str = INK
    width: float = 1.8
    dash: tuple[int, ...] = ()
    opacity: float = 1.0

    @property
    def mark(self) -> dict[str, Any]:
        """The same in the words of Vega-Lite."""
        dashes = {"strokeDash": list(self.dash)} if self.dash else {}
        faint = {"opacity": self.opacity} if self.opacity < 1 else {}
        return {"color": self.colour, "strokeWidth": self.width, **dashes, **faint}


Fill = str | dict[str, Any] | Stroke | None
"""How a part of a picture is drawn: a colour, stripes (`hatching`), a line, or None for the usual line."""


class NothingToShowError(ValueError):
    """A picture that an instance has nothing for; the message says what is missing."""


def shades(count: int, ramp: tuple[str, ...] = RAMP) -> list[str]:
    """Return so many colours of a ramp, evenly spaced from its first to its last; of one, that in its middle."""
    at = np.linspace(0, len(ramp) - 1, count) if count > 1 else np.array([(len(ramp) - 1) // 2])
    return _mixed(ramp, at) if count else []


def pathway_colours(pathways: Sequence[str]) -> dict[str, str]:
    """Return one colour for each pathway; every picture and sheet has all pathways of an instance in its order."""
    return dict(zip(pathways, shades(len(pathways)), strict=False))


def pool_colours(pools: Sequence[str]) -> dict[str, str]:
    """Return one grey for each pool, as `pathway_colours`."""
    return dict(zip(pools, shades(len(pools), GREYS), strict=False))


def outcome_colours(outcomes: Sequence[str]) -> dict[str, str]:
    """Return one colour for each outcome of the uncertainty that scenarios are told apart by."""
    return dict(zip(outcomes, shades(len(outcomes), WARM), strict=False))


def in_dark(colour: str) -> str:
    """Return what a colour of a picture becomes on a dark page."""
    if colour in IN_DARK:
        return IN_DARK[colour]
    nearest = []
    for ramp, dark in RAMPS.items():
        places = np.linspace(0, len(ramp) - 1, 1 + 120 * (len(ramp) - 1))  # where on the ramp it lies
        distance = np.abs(_rgb(_mixed(ramp, places)) - _rgb([colour])).sum(axis=1)
        nearest.append((int(distance.min()), _mixed(dark, places[[int(distance.argmin())]])[0]))
    return min(nearest)[1]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as accessibility guidelines reckon it."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(colour: str) -> str:
    """Return the colour of words upon a mark of some colour, which are read on a light page and on a dark one."""
    light, dark = (_luminance(each) < READ_IN_WHITE for each in (colour, in_dark(colour)))
    return (LIGHT_ON if dark else "#ffffff") if light else DARK_ON


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as accessibility guidelines reckon it."""
    parts = _rgb([colour])[0] / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _rgb(colours: Sequence[str]) -> IntArray:
    return np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours])


def _mixed(ramp: Sequence[str], at: FloatArray) -> list[str]:
    """Return the colours at places of a ramp, from 0 to the number of its last anchor."""
    anchors = _rgb(ramp)
    mixed = np.stack([np.interp(at, np.arange(len(ramp)), anchors[:, i]) for i in range(3)], axis=1)
    return ["#{:02x}{:02x}{:02x}".format(*np.rint(rgb).astype(int)) for rgb in mixed]


def installed(module: str, name: str) -> Any:
    """Import a package of the extra that draws pictures, when one is asked for."""
    return imported(module, name, extra="report", doing="pictures")


def time_axis(periods: int, resolution: str, width: int = WIDTH) -> Any:
    """Return the axis of so many periods of time, which tells every year once."""
    years = periods * MONTHS[resolution] / 12
    if years > 6 or resolution == "year" or (width < NARROW and years > 1.5):
        return {"format": "%Y", "tickCount": "year", "grid": False}
    # a year is told once, below its January or the first tick
    month, year = "utcFormat(datum.value, '%b')", "utcFormat(datum.value, '%Y')"
    label = f"datum.index == 0 || {month} == 'Jan' ? [{month}, {year}] : {month}"
    ticks = {"interval": "month", "step": 6 if years > 4 else 3 if years > 1 else 1}
    return {"tickCount": ticks, "labelExpr": label, "grid": False, "labelOverlap": True}


def hatching(stripes: int) -> dict[str, Any]:
    """Return stripes, as a gradient with hard stops: Vega has no patterns."""
    stops = [
        {"offset": (i + side) / stripes, "color": GREY if i % 2 else FAINT} for i in range(stripes) for side in (0, 1)
    ]
    return {"gradient": "linear", "x1": 0, "x2": 1, "y1": 0, "y2": 0, "stops": stops}


def apart(places: Iterable[float], least: float, most: float) -> list[float]:
    """Return rising places moved to a least distance from each other, half of it from 0, and none beyond `most`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least if moved else least / 2))
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], moved[i + 1] - least if i + 1 < len(moved) else most)
    return moved


@dataclass(frozen=True)
class Layer:
    """One layer of a stack: from `bottom` to `top` at each place, and how it is filled."""

    name: str
    bottom: FloatArray
    top: FloatArray
    fill: Fill


def edge(fill: Fill) -> dict[str, Any]:
    """Return how the edge of a mark is drawn: in grey around one that would sink into the page."""
    return {"stroke": GREY if fill in (PALE, FAINT) else "white", "strokeWidth": 0.6}


def stacked(parts: Iterable[tuple[str, FloatArray, Fill]]) -> list[Layer]:
    """Return parts (name, height at each place, fill) as layers one upon the other."""
    layers: list[Layer] = []
    for name, height, fill in parts:
        bottom = layers[-1].top if layers else np.zeros(len(height))
        layers.append(Layer(name, bottom, bottom + height, fill))
    return layers


def bars(layers: Sequence[Layer], places: Sequence[str], unit: str, width: int = WIDTH) -> list[Any]:
    """Return a stack as bars over named places, with its total above each bar where there is room."""
    total = layers[-1].top
    highest = float(total.max(initial=0.0)) * 1.08 or 1.0
    room = width / len(places)
    angle = 0 if width >= NARROW or room > 7 * max(map(len, places)) else -90
    axis = {"labelAngle": angle, "domain": True, "ticks": False, "labelPadding": 6}
    x = vega.by("place:N", sort=None, title=None, axis=axis)
    y = vega.by("top:Q", scale={"domain": [0, highest], "nice": False}, axis=amount_axis(unit))
    marks = []
    for layer in layers:
        rows = zip(places, layer.bottom.tolist(), layer.top.tolist(), strict=True)
        data = [{"place": place, "bottom": low, "top": high} for place, low, high in rows]
        bar = vega.Marks(data).draw("bar", fill=layer.fill, **edge(layer.fill))
        marks.append(bar.encode(x=x, y=y, y2="bottom:Q"))
    if room < 22:
        return marks
    places_of_total = 2 if room > 30 else 1
    totals = [
        {"place": place, "top": float(top), "text": f"{top:.{places_of_total}f}"}
        for place, top in zip(places, total, strict=True)
    ]
    text = vega.Marks(totals).draw("text", dy=-7, color=INK, fontSize=11)
    return [*marks, text.encode(x=x, y=y, text="text:N")]


def key(entries: Sequence[tuple[str, Fill]]) -> list[Any]:
    """Return swatches with their names beside the picture, from the top down."""
    return swatches([(name, fill, LINE_HEIGHT * (i + 0.5)) for i, (name, fill) in enumerate(entries)])


def swatches(entries: Iterable[tuple[str, Fill, float]]) -> list[Any]:
    """Return swatches (text, fill, pixels from the top) beside the picture."""
    marks: list[Any] = []
    for text, fill, place in entries:
        at = vega.Marks([{}])
        if fill is None or isinstance(fill, Stroke):
            line = fill or Stroke(width=2)
            swatch = at.draw("point", shape="stroke", size=200, **{"opacity": 1, **line.mark})
        else:
            filled = hatching(5) if isinstance(fill, dict) else fill
            swatch = at.draw("point", shape="square", size=140, fill=filled, opacity=1, **edge(fill))
        marks.append(swatch.encode(x=_right(20), y=vega.value(place)))
        marks.append(beside(text, 33, place, INK))
    return marks


def _right(pixels: float) -> Any:
    return vega.value({"expr": f"width + {pixels:g}"})


def beside(text: str, x: float, y: float, colour: str) -> Any:
    """Return words beside the picture: in pixels, to the right of its right edge and below its top."""
    mark = vega.Marks([{"text": text}]).draw("text", align="left", baseline="middle", color=colour, fontSize=12)
    return mark.encode(x=_right(x), y=vega.value(y), text="text:N")


def amount_axis(unit: str) -> Any:
    """Return the axis of an amount, each label with its unit."""
    label = "'$' + datum.label + 'bn'" if unit == "$bn" else f"datum.label + ' {unit}'"
    return {"title": None, "tickCount": 6, "labelExpr": label, "domain": False, "ticks": False}


def picture(marks: Sequence[Any], title: str, subtitle: Sequence[str], height: int = HEIGHT) -> Any:
    """Return marks as a picture with its title."""
    head = {"text": title, "subtitle": list(subtitle)}
    return vega.whole(vega.layered(marks, title=head, width=WIDTH, height=height, config=THEME))
