"""What the printed parts say, as HTML: headings, paragraphs, facts, tables and trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from optimizer.show.page import Page, Twig

LONG_CELL: Final = 40
"""Letters from which on a cell is wrapped like a paragraph."""

COLUMNS: Final = 160
"""How many columns of text a page is taken to have: more of what a terminal must leave out is shown."""


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

    def note(self, text: str) -> None:
        """Add a paragraph."""
        if text.strip():
            self.html.append(f"<p>{self._text(text)}</p>")

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
        if rows and not any(header):
            header, rows = rows[0], rows[1:]
        named = f'aria-labelledby="{self._heading}"' if self._headings else 'aria-label="Figures"'
        self.html.append(table(header, rows, align, named, clean=self.clean))

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

    A line break in the header begins a second line. The first cell names its row; a row of one cell is a heading across
    all columns. `align` has a letter a column, ``r`` a figure, by default all but the first; `named` is the attribute
    that names the region and the table; `clean` makes text printable; a blank `caption`: a heading says it.
    """
    align = align or "n" + "r" * (len(header) - 1)
    kinds = [' class="r"' if letter == "r" else "" for letter in align]
    tops = (
        f'<th scope="col"{kind}>{"<br>".join(escape(clean(line)) for line in cell.split(chr(10)))}</th>'
        if cell.strip()
        else f"<td{kind}></td>"
        for cell, kind in zip(header, kinds, strict=True)
    )
    body = "".join(_row([clean(cell).strip() for cell in row], kinds) for row in rows)
    head = f"<caption>{escape(clean(caption))}</caption>" if caption else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" {named}><table>{head}<thead><tr>{"".join(tops)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


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
