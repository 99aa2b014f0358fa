"""A report: one page that needs nothing else, with charts that can be pointed at and their figures as tables."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from gwplan.files import refuse_occupied, whole_file
from gwplan.show import theme
from gwplan.show.charts.drawing import SERIES, SPOTS, Chart, Drawing, Entry, Panels
from gwplan.show.page import Page, Twig
from gwplan.show.theme import NothingToShowError

LONG_CELL: Final = 40
"""Letters from which on a cell is wrapped like a paragraph."""

COLUMNS: Final = 160
"""How many columns of text a page is taken to have: more of what a terminal must leave out is shown."""

ITEMS: Final = '<ul class="items">'


@dataclass
class HtmlPage(Page):
    """A page that the printed parts write HTML to; all text is escaped."""

    width: int = COLUMNS
    prefix: str = "part"  # begins the identifiers of its headings
    html: list[str] = field(default_factory=list)  # what was written
    _headings: int = 0

    @property
    def _heading(self) -> str:
        return f"{self.prefix}-{self._headings}"

    def heading(self, title: str, rest: str | None = None) -> None:
        """Begin a part: its title, and below it what else is said of it."""
        rest = rest or ""
        self._headings += 1
        words = capital(f"{title}{rest}" if not title or rest.startswith(" ") else title)
        self.html.append(f'<h3 id="{self._heading}">{self._text(words)}</h3>')
        if more := "" if rest.startswith(" ") or not title else rest.lstrip(",:; "):
            self.html.append(f'<p class="sub">{self._text(capital(more))}</p>')

    def opening(self, title: str, rest: str = "", style: str = "") -> None:
        """Begin a short part: its title, and below it what is said of it."""
        self._headings += 1
        words = capital(_CAPITALS.sub(lambda word: word[0].lower(), title))
        self.html.append(f'<h3 id="{self._heading}">{self._text(words)}</h3>')
        if rest:
            self.html.append(f'<p class="{"sub" if style else "said"}">{self._text(capital(rest))}</p>')

    def rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows of three cells, the last of which wraps."""
        shown = [[cell.replace("->", "\N{RIGHTWARDS ARROW}") for cell in row] for row in rows]
        self.table([""] * 3, shown, "nwn")

    def note(self, text: str) -> None:
        """Add a paragraph, or an item of a list."""
        if text.startswith("- "):
            self.item(text.removeprefix("- "))
        elif text.strip():
            self.html.append(f"<p>{self._text(text)}</p>")

    def item(self, text: str) -> None:
        """Add an item to the list that was begun last, or begin one."""
        begun = self.html.pop() if self.html and self.html[-1].startswith(ITEMS) else f"{ITEMS}</ul>"
        self.html.append(f"{begun.removesuffix('</ul>')}<li>{self._text(capital(text))}</li></ul>")

    def brief(self, text: str, most: int = 1) -> None:
        """Add a paragraph; there is room for all of it."""
        self.note(text)

    def facts(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Add labels, figures and what the figures mean."""
        texts = ([self._text(cell) for cell in row] for row in rows)
        cells = (
            f"<div><dt>{name}</dt><dd><b>{figure}</b> <span>{about}</span></dd></div>" for name, figure, about in texts
        )
        self.html.append(f'<dl class="facts">{"".join(cells)}</dl>')

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> None:
        """Add a table, named by the heading above it; a row of one cell is a heading inside it."""
        named = f'aria-labelledby="{self._heading}"' if self._headings else 'aria-label="Figures"'
        align = "".join(
            "r" if letter == "l" and all(_FIGURE.match(row[at]) for row in rows if len(row) > at > 0) else letter
            for at, letter in enumerate(align)
        )  # what is aligned left for its bars on a terminal
        self.html.append(table(header, rows, align, named, clean=self.clean))

    def where(self, block: str = "") -> str:
        """Return in words where more of a block is told."""
        return "below"

    def bar(self, value: float, most: float, width: int) -> str:
        """Return no bar: a page has charts."""
        return ""

    def tree(self, twigs: Sequence[Twig]) -> None:
        """Add a tree as nested lists."""
        self.html.append(self._list(twigs))

    def _list(self, twigs: Sequence[Twig]) -> str:
        items = (f"<li>{self._text(t.text)}{self._list(t.below) if t.below else ''}</li>" for t in twigs)
        return f'<ul class="tree">{"".join(items)}</ul>'

    def _text(self, text: str) -> str:
        return escape(self.clean(text))


_KINDS: Final = {"r": ' class="r"', "w": ' class="whole"'}
"""Classes of cells by the letter of their column."""


def capital(text: str) -> str:
    """Return a text that begins with a capital, where it is not a name that begins it."""
    return text[:1].upper() + text[1:]


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: str,
    named: str,
    *,
    clean: Callable[[str], str] = str,
    caption: str = "",
) -> str:
    """Return a table inside a region that scrolls sideways where the page is narrow.

    A line break in the header begins a second line; a blank header is left out. The first cell names its row; a row of
    one cell is a heading across all columns. `align` has a letter a column, ``r`` a figure, by default all but the
    first, ``w`` what is never wrapped; `named` is the attribute
    that names the region and the table; `clean` makes text printable; a blank `caption`: a heading says it.
    """
    align = align or "n" + "r" * (len(header) - 1)
    kinds = [_KINDS.get(letter, "") for letter in align]
    tops = (
        f'<th scope="col"{kind}>{"<br>".join(escape(clean(line)) for line in cell.split(chr(10)))}</th>'
        if cell.strip()
        else f"<td{kind}></td>"
        for cell, kind in zip(header, kinds, strict=True)
    )
    body = "".join(_row([clean(cell).strip() for cell in row], kinds) for row in rows)
    head = f"<caption>{escape(clean(caption))}</caption>" if caption else ""
    head += f"<thead><tr>{''.join(tops)}</tr></thead>" if any(header) else ""
    return f'<div class="scroll" role="region" tabindex="0" {named}><table>{head}<tbody>{body}</tbody></table></div>'


def _row(cells: Sequence[str], kinds: Sequence[str]) -> str:
    if len(cells) == 1 < len(kinds):
        return f'<tr class="group"><th scope="colgroup" colspan="{len(kinds)}">{escape(cells[0])}</th></tr>'
    first = f'<th scope="row"{kinds[0] or _wraps(cells[0])}>{escape(cells[0])}</th>' if cells[0] else "<td></td>"
    rest = (f"<td{kind or _wraps(cell)}>{escape(cell)}</td>" for cell, kind in zip(cells[1:], kinds[1:], strict=True))
    return f"<tr>{first}{''.join(rest)}</tr>"


def _wraps(cell: str) -> str:
    """Return the class of a cell of several words or of a name too long for a line."""
    if len(cell) > LONG_CELL:
        return ' class="long"'
    return ' class="words"' if " " in cell else ""


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of plain text."""
    return f"<p{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{escape(text)}</p>"


def identifier(text: str) -> str:
    """Return a text as part of an identifier."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


PAINTED: Final = ("fill", "stroke", "stop-color")
_FIGURE: Final = re.compile(r"\s*[-+]?[\d.]*\s*$")
_CAPITALS: Final = re.compile(r"\b[A-Z]{2,}\b")
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

    `prefix` begins every identifier, so that charts of a page do not share any.
    """
    convert = theme.installed("vl_convert", "vl-convert")
    root = ElementTree.fromstring(convert.vegalite_to_svg(json.dumps(chart)))
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
            yield name, _LONG.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)
        elif name not in ("aria-label", "aria-roledescription", "role", "font-family", "pointer-events", "style"):
            yield name, value


def _name_marks(group: ElementTree.Element) -> None:
    """Number the places to point at, and mark the layers that an entry of the key stands for."""
    names = group.attrib.get("class", "")
    if f"{SPOTS}_marks" in names:
        group.attrib["class"] = "spots"
        for number, mark in enumerate(group):
            mark.attrib["data-row"] = str(number)
    elif layer := _OWN.search(names):
        group.attrib["data-layer"] = layer[1]
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
        line = fill or theme.Stroke(width=2)
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


WIDE, NARROW = 880, 358
"""Widths for which a chart is drawn: for screens and paper, and for phones; pixels."""

SEVERAL: Final = {2: ("two", 430), 3: ("three", 280)}
"""Class and width of charts that stand beside each other, by how many do."""

_DOCTYPE: Final = "<!doctype html>"
GENERATOR: Final = '<meta name="generator" content="gwplan report">'


@dataclass
class Report:
    """A page that is being written."""

    title: str  # what it is about
    lead: Sequence[str] = ()  # paragraphs below the title
    # charts that were left out, each with what is lacking for it
    left_out: dict[str, str] = field(default_factory=dict)
    _sections: list[tuple[str, str, list[str], bool]] = field(default_factory=list)
    _palette: Palette = field(default_factory=Palette)
    _charts: int = 0

    def section(self, title: str, *, annex: bool = False) -> None:
        """Begin a section; an annex is folded until it is asked for."""
        self._sections.append((identifier(title), title, [], annex))

    def add(self, html: str) -> None:
        """Add HTML to the section; what is user-supplied in it is escaped already."""
        self._sections[-1][2].append(html)

    def say(self, *parts: Callable[[HtmlPage], None]) -> None:
        """Add what printed parts say."""
        name, _, html, _ = self._sections[-1]
        for part in parts:
            page = HtmlPage(prefix=f"{name}-{len(html)}")
            part(page)
            html.append("".join(page.html))

    def cards(self, *cards: tuple[str, Sequence[Callable[[HtmlPage], None]]]) -> None:
        """Add cards beside each other: what stands on top of each as HTML, and what printed parts say in it."""
        name, _, html, _ = self._sections[-1]
        written = []
        for number, (top, parts) in enumerate(cards):
            page = HtmlPage(prefix=f"{name}-{len(html)}-{number}", html=[top])
            for part in parts:
                part(page)
            written.append(f'<div class="card">{"".join(page.html)}</div>')
        html.append(f'<div class="cards">{"".join(written)}</div>')

    def note(self, text: str) -> None:
        """Add a paragraph."""
        self.say(lambda page: page.note(text))

    def facts(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Add labels, figures and what they mean."""
        self.say(lambda page: page.facts(rows))

    def more(
        self, summary: str, header: Sequence[str], rows: Sequence[Sequence[str]], align: str = "", caption: str = ""
    ) -> None:
        """Add a table that is shown when asked for."""
        named = f'aria-label="{escape(caption or summary)}"'
        inner = table(header, rows, align, named, caption=caption or summary)
        self.add(f'<details class="wide-cells"><summary>{escape(summary)}</summary>{inner}</details>')

    def chart(self, name: str, draw: Callable[[], Chart], without: Sequence[str] = ()) -> None:
        """Add a chart; one that there is nothing for is told instead."""
        try:
            chart = draw()
        except NothingToShowError as reason:
            self.left_out[name] = str(reason)
            self.add(paragraph(f"No chart of {name}: {reason}.", "told"))
            return
        self._charts += 1
        lines = [line for line in chart.subtitle if line not in without]
        lines = [chart.what, *lines] if chart.finding else lines
        head = f"<h3>{escape(capital(chart.finding or chart.what))}</h3>"
        head += "".join(paragraph(capital(line), "told") for line in lines)
        key = self._key(chart.key, labelled=isinstance(chart, Drawing) and chart.beside is not None)
        if isinstance(chart, Drawing):
            inner = self._drawn(chart, f"k{self._charts}-", [chart.what, *lines])
            self.add(f"<figure><figcaption>{head}</figcaption>{key}{inner}</figure>")
        else:
            self.add(f'<figure class="many"><figcaption>{head}</figcaption>{key}{self._panels(chart, lines)}</figure>')

    def _panels(self, chart: Panels, lines: Sequence[str]) -> str:
        kind, width = ("one", 0) if chart.chosen else SEVERAL.get(chart.columns, ("one", 0))
        inner = []
        for number, drawing in enumerate(chart.drawings):
            prefix = f"k{self._charts}-{number}-"
            drawn = self._drawn(drawing, prefix, [f"{chart.what}, {drawing.what}", *lines], width)
            inner.append(f"<div><h4>{escape(drawing.what)}</h4>{drawn}</div>")
        panels = f'<div class="panels {kind}">{"".join(inner)}</div>'
        if not chart.chosen:
            return panels
        options = "".join(f"<option>{escape(drawing.what)}</option>" for drawing in chart.drawings)
        return f'<label class="choice" hidden>{escape(chart.chosen)} <select>{options}</select></label>{panels}'

    def _drawn(self, drawing: Drawing, prefix: str, words: Sequence[str], width: int = 0) -> str:
        """Return a chart for every width at which it is shown, and its figures."""
        sizes = {"both": width} if width else {"wide": WIDE, "narrow": NARROW}
        drawn = {
            kind: drawing.on_page(across, drawing.height, labelled=kind == "wide") for kind, across in sizes.items()
        }
        pictures = (svg(chart, self._palette, f"{prefix}{kind[0]}", kind) for kind, chart in drawn.items())
        label = escape(capital(". ".join([*words, "Its figures follow as a table"])))
        figures = drawing.figures
        caption = f"{capital(words[0])}: figures"
        inner = table(figures.header, figures.rows, "", f'aria-label="{escape(caption)}"', caption=caption)
        return (
            f'<div class="draw" role="img" tabindex="0" aria-label="{label}">{"".join(pictures)}</div>'
            f'<details class="figures"><summary aria-label="{escape(caption)} as a table">Figures as a table</summary>'
            f"{inner}</details>"
        )

    def _key(self, entries: Sequence[Entry], *, labelled: bool) -> str:
        """Return the key of a chart; of one that is labelled where it is wide, for narrow pages alone."""
        items = (
            f'<li><button type="button" aria-pressed="false" data-layers="{" ".join(map(str, entry.layers))}">'
            f"{swatch(entry, self._palette)}{escape(entry.text)}</button></li>"
            for entry in entries
        )
        return f'<ul class="key{" labelled" if labelled else ""}">{"".join(items)}</ul>' if entries else ""

    def fragment(self) -> str:
        """Return what the sections hold, without their titles, to stand inside another page."""
        return "".join(part for _, _, parts, _ in self._sections for part in parts)

    def html(self) -> str:
        """Return the page."""
        stripes = hatch(self._palette)
        style, script = self._style(), _resource("report.js")
        policy = "; ".join(
            ("default-src 'none'", f"style-src {_hash(style)}", f"script-src {_hash(script)}", "base-uri 'none'")
        )
        links = "".join(
            f'<li{" class=annex" if annex else ""}><a href="#{name}">{escape(title)}</a></li>'
            for name, title, _, annex in self._sections
        )
        lead = "".join(paragraph(line, "lead") for line in self.lead)
        body = "".join(_section(*section) for section in self._sections)
        return (
            f'{_DOCTYPE}\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">{GENERATOR}'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><title>{escape(self.title)}</title><style>{style}</style>'
            f'</head><body><a class="skip" href="#main">Skip to the report</a>{stripes}<div class="shell">'
            f'<nav class="contents" aria-label="Contents"><details open><summary>Contents</summary><ul>{links}</ul>'
            f'</details></nav><div class="page"><header><h1>{escape(self.title)}</h1>{lead}</header>'
            f'<main id="main">{body}</main>'
            "<footer>Made by gwplan. Point at a chart, or focus it and use the arrow keys, for its figures; press "
            "an entry of a key to pick out what it stands for. Nothing in this file is loaded from elsewhere.</footer>"
            '</div></div><div id="tip" class="tip" role="status" hidden></div>'
            f"<script>{script}</script></body></html>\n"
        )

    def _style(self) -> str:
        names = {"ink": theme.INK, "soft": "#59626e", "faint": theme.FAINT, "page": "#ffffff", "card": "#f6f7f9"}
        dark = {**{name: theme.in_dark(names[name]) for name in ("ink", "faint", "page")}, "soft": "#aab3be"}
        dark |= {"card": "#1c222a", "link": "#8fbdf0"}
        light_colours, dark_colours = self._palette.style()

        def root(values: dict[str, str], colours: str) -> str:
            return ":root{" + "".join(f"--{name}:{colour};" for name, colour in values.items()) + colours + "}"

        light = root({**names, "link": "#1f5fa8"}, light_colours)
        return (
            f"{light}@media screen and (prefers-color-scheme: dark){{{root(dark, dark_colours)}}}"
            f"{_resource('report.css')}"
        )

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the page, whole or not at all."""
        target = Path(path)
        refuse(target, force=force)
        text = self.html()
        with whole_file(target) as new:
            new.write_bytes(text.encode("utf-8", "backslashreplace"))
        return target


def _section(name: str, title: str, parts: Sequence[str], annex: bool) -> str:
    head = f'<h2 id="{name}">{escape(title)}</h2>'
    inner = "".join(parts)
    if annex:
        inner, head = f'<details class="annex"><summary>{head}</summary>{inner}</details>', ""
    return f'<section aria-labelledby="{name}">{head}{inner}</section>'


def refuse(path: str | Path, *, force: bool) -> None:
    """Raise unless a report can be written to a path; ask before long work."""
    theme.installed("vl_convert", "vl-convert")
    refuse_occupied(Path(path), force=force, replaceable=_is_report, kind="a report of gwplan's")


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR.encode() in file.read(4096)


def _resource(name: str) -> str:
    return files("gwplan.show.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
