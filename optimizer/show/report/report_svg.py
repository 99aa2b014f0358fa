"""Charts as SVG inside a page: colours that follow light and dark, places to point at, no names that clash."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from xml.etree import ElementTree

from optimizer.show import theme
from optimizer.show.charts.drawing import SERIES, SPOTS, Entry

PAINTED: Final = ("fill", "stroke", "stop-color")
_NAMESPACE: Final = re.compile(r"^\{[^}]*\}")
_LONG: Final = re.compile(r"\d+\.\d{3,}")
_OWN: Final = re.compile(rf"\b{SERIES}(\d+)_(?:marks|pathgroup)\b")


class Palette:
    """The colours of a page by the name of the variable that holds each."""

    def __init__(self) -> None:
        self.colours: dict[str, str] = {}

    def variable(self, colour: str) -> str:
        """Return a colour as a variable of the page's style."""
        colour = "#ffffff" if colour == "white" else colour
        name = f"--c{colour[1:]}"
        self.colours[name] = colour
        return f"var({name})"

    def style(self) -> tuple[str, str]:
        """Return what the variables are on a light and on a dark page."""
        light = "".join(f"{name}:{colour};" for name, colour in self.colours.items())
        dark = "".join(f"{name}:{theme.in_dark(colour)};" for name, colour in self.colours.items())
        return light, dark


def svg(chart: Any, palette: Palette, prefix: str, kind: str) -> str:
    """Return a chart as SVG for the body of a page.

    Parameters
    ----------
    chart : altair chart
        The chart, its layers named as by `Drawing.on_page`.
    palette : Palette
        Takes the colours.
    prefix : str
        Begins every identifier, so that charts of a page do not share any.
    kind : str
        Class of the element.
    """
    convert = theme.installed("vl_convert", "vl-convert")
    root = ElementTree.fromstring(convert.vegalite_to_svg(json.dumps(chart.to_dict(validate=False))))
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
        attributes = {_NAMESPACE.sub("", name): value for name, value in element.attrib.items()}
        element.attrib.clear()
        element.attrib.update(_rewritten(attributes, palette, prefix))
    for group in root.iter():
        _name_marks(group)
        for gradient in group.findall("linearGradient"):
            group.remove(gradient)
    width, height = root.attrib["width"], root.attrib["height"]
    root.attrib.clear()
    root.attrib.update({"class": kind, "viewBox": f"0 0 {width} {height}", "width": width, "height": height})
    root.attrib["aria-hidden"] = "true"
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _rewritten(attributes: dict[str, str], palette: Palette, prefix: str) -> Iterable[tuple[str, str]]:
    for name, value in attributes.items():
        if name in PAINTED and (value.startswith("#") or value == "white"):
            yield name, palette.variable(value)
        elif name == "id":
            yield name, f"{prefix}{value}"
        elif name in PAINTED and value.startswith("url(#gradient"):
            yield name, "url(#hatch)"  # charts have no gradients but those that stand for stripes
        elif value.startswith("url(#"):
            yield name, f"url(#{prefix}{value[5:]}"
        elif name in ("d", "transform", "x", "y", "x1", "x2", "y1", "y2"):
            yield name, _LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
        elif name not in ("aria-label", "aria-roledescription", "role", "font-family", "pointer-events", "style"):
            yield name, value


def _name_marks(group: ElementTree.Element) -> None:
    """Number the places to point at, and mark the layers that an entry of the key stands for."""
    names = group.attrib.get("class", "")
    if f"{SPOTS}_marks" in names:
        group.attrib["class"] = "spots"
        for number, mark in enumerate(group):
            mark.attrib["data-row"] = str(number)
    elif found := _OWN.search(names):
        group.attrib["data-layer"] = found[1]
    if names and "data-layer" not in group.attrib and group.attrib["class"] == names:
        del group.attrib["class"]


def swatch(entry: Entry, palette: Palette) -> str:
    """Return a small picture of how an entry of a key is drawn."""
    fill = entry.fill
    begin = '<svg class="swatch" viewBox="0 0 18 12" width="18" height="12" aria-hidden="true">'
    if isinstance(fill, str):
        edge = palette.variable(theme.GREY)
        drawn = (
            f'<rect x="1" y="0.5" width="16" height="11" fill="{palette.variable(fill)}" stroke="{edge}" '
            'stroke-width="0.5"/>'
        )
    elif isinstance(fill, dict):
        drawn = '<rect x="1" y="0.5" width="16" height="11" fill="url(#hatch)"/>'
    else:
        line = fill or theme.Line(width=2)
        dash = f' stroke-dasharray="{" ".join(map(str, line.dash))}"' if line.dash else ""
        drawn = f'<path d="M0,6h18" stroke="{palette.variable(line.colour)}" stroke-width="{line.width:g}"{dash}/>'
    return f"{begin}{drawn}</svg>"


def hatch(palette: Palette) -> str:
    """Return the definition of the stripes of a page, to stand before its charts."""
    stripe, ground = palette.variable(theme.GREY), palette.variable(theme.FAINT)
    return (
        '<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" '
        f'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="{ground}"/>'
        f'<rect width="2.6" height="6" fill="{stripe}"/></pattern></defs></svg>'
    )
