"""Lines of text that fit a terminal: tables, wrapped notes and bars, in no more columns than there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from gwplan.instance.instance import Instance

EIGHTHS = " ▏▎▍▌▋▊▉█"
NARROWEST, WIDEST = 80, 120
"""Columns of the narrowest and of the widest page."""

READABLE_NAME, NARROWEST_NAME = 16, 6
"""Columns to which names are shortened first, and the fewest that they keep."""


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals show figures of this size well: two from 1 to 999, more below, fewer above."""
    sizes = np.abs(np.asarray(list(values), dtype=float))
    size = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    steps = ((1e5, 0), (1e3, 1), (1.0, 2), (0.1, 3), (0.01, 4), (1e-3, 5))
    return next((places for limit, places in steps if size >= limit), 6) if size > 0 else 2


def number(value: float, places: int) -> str:
    """Return a figure with a fixed number of decimals; a dash where there is none, never a negative zero."""
    if not np.isfinite(value):
        return "-"
    if abs(value) >= 1e9:
        return f"{value:.3g}"
    return f"{round(float(value), places) + 0.0:.{places}f}"


def formatter(values: Iterable[float]) -> Callable[[float], str]:
    """Return what writes figures of this size, all with the same decimals."""
    places = decimals(values)
    return lambda value: number(value, places)


def maximised(*instances: Instance) -> str:
    """Return what the figure is called that plans maximise: worth, or with aversion to risk the objective."""
    return "objective" if any(instance.aversion for instance in instances) else "worth"


def signed(text: str) -> str:
    """Return a written change with its sign."""
    return text if text.startswith("-") else f"+{text}"


def percent(share: float) -> str:
    """Return a share as whole percent, with one decimal where that is needed to tell it from 0 or 100."""
    if not np.isfinite(share):
        return "-"
    whole = round(100 * share)
    return f"{100 * share:.1f}%" if whole in (0, 100) and abs(100 * share - whole) >= 0.05 else f"{whole}%"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as a list in words."""
    return f" {last} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def left_out(*counts: tuple[int, str]) -> str:
    """Return in words how many of what a table does not show; blank when it shows all."""
    named = [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count > 0]
    total = sum(count for count, _ in counts if count > 0)
    return f"{listed(named)} {'are' if total > 1 else 'is'} left out." if named else ""


def cut(text: str, width: int) -> str:
    """Return a text in at most `width` columns; of a long one the beginning and the end stay, where names differ."""
    if cell_len(text) <= width:
        return text
    end = max(width - 2, 0) // 3
    tail = _first(text[::-1], end)[::-1]
    return _first(text, width - 2 - end) + "." * min(2, width) + tail


def _first(text: str, width: int) -> str:
    """Return as much of the beginning of a text as fits `width` columns."""
    return chop_cells(text, width)[0] if text and width > 0 else ""


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width` columns, broken between words where it can be."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
        else:
            *whole, last = chop_cells(word, width)
            lines += [line, *whole] if line else whole
            line = last
    return [*lines, line] if line else lines


@dataclass(frozen=True)
class Twig:
    """A line of a tree, and the lines below it."""

    text: str
    below: Sequence[Twig] = ()


@dataclass
class Page:
    """Lines of a printout, none wider than the page."""

    width: int  # columns of the page
    encoding: str = "utf-8"  # encoding of the output; what it cannot hold is written as an escape
    blocks: bool = True  # whether bars may be drawn with block characters; else with ``#``
    lines: list[tuple[str, str]] = field(default_factory=list)

    def clean(self, text: str) -> str:
        """Return a text without control characters and without what the output cannot encode."""
        if text.isascii() and text.isprintable():
            return text
        shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
        return shown.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def heading(self, title: str, rest: str | None = None) -> None:
        """Begin a part: its title, in capitals here, and what else is said of it; a text alone is written as it is."""
        if self.lines:
            self.lines.append(("", ""))
        text = title if rest is None else title.upper() + rest
        self.lines += [(line, "bold") for line in wrapped(self.clean(text), self.width)]

    def note(self, text: str) -> None:
        """Add a paragraph."""
        self.lines += [(line, "") for line in wrapped(self.clean(text), self.width)]

    def item(self, text: str) -> None:
        """Add a line below a title, indented, what follows of it farther."""
        lines = wrapped(self.clean(text), self.width - 4)
        self.lines += [(("  " if at == 0 else "    ") + line, "") for at, line in enumerate(lines)]

    def opening(self, title: str, rest: str = "", style: str = "bold") -> None:
        """Begin a short part: its title, in capitals, and beside it what is said of it."""
        lines = wrapped(self.clean(rest), self.width - cell_len(title) - 2) or [""]
        self.lines.append((f"{title}  {lines[0]}" if rest else title, style))
        self.lines += [(" " * (cell_len(title) + 2) + line, "") for line in lines[1:]]

    def rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows of three cells in columns, the last of them wrapped."""
        cells = [[self.clean(cell) for cell in row] for row in rows]
        widths = [min(max(cell_len(row[at]) for row in cells), self.width // 3) for at in range(2)]
        for name, change, where in cells:
            start = f"  {padded(cut(name, widths[0]), widths[0])}  {padded(change, widths[1])}  "
            for at, line in enumerate(wrapped(where, self.width - cell_len(start)) or [""]):
                self.lines.append(((start if at == 0 else " " * cell_len(start)) + line, ""))

    def where(self, block: str = "") -> str:
        """Return in words where more of a block is told, or of everything."""
        return f"--show {block}" if block else "--full"

    def brief(self, text: str, most: int = 1) -> None:
        """Add a paragraph of at most `most` lines; two dots stand for what does not fit."""
        lines = wrapped(self.clean(text), self.width)
        if len(lines) > most:
            lines = [*lines[: most - 1], _first(" ".join(lines[most - 1 :]), self.width - 2) + ".."]
        self.lines += [(line, "") for line in lines]

    def facts(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Add rows of label, figure and what the figure means; the meaning is wrapped beside the figure."""
        label = max(cell_len(row[0]) for row in rows)
        figure = max(cell_len(row[1]) for row in rows)
        for name, value, meaning in rows:
            start = f"{padded(name, label)}  {padded(value, figure, right=True)}  "
            for number_, line in enumerate(wrapped(self.clean(meaning), self.width - cell_len(start))):
                self.lines.append((start + line if number_ == 0 else " " * cell_len(start) + line, ""))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> None:
        """Add a table, indented by two columns; names are shortened where the page is too narrow.

        A line break in the header begins a second line; a row of one cell is a line across all columns. `align` has a
        letter a column: ``n`` a name, which may be shortened; ``r`` a figure, aligned right; ``l`` aligned left. By
        default a name and then figures.
        """
        align = align or "n" + "r" * (len(header) - 1)
        body = [[self.clean(cell) for cell in row] for row in rows]
        tops = [self.clean(cell).split("\n") for cell in header]
        head = [[cell[i] if i < len(cell) else "" for cell in tops] for i in range(max(map(len, tops)))]
        full = [row for row in body if len(row) > 1]
        widths, gap = _fitted(_widths(head + full, len(tops)), _widths(full, len(tops)), align, self.width - 2)
        for number_, cells in enumerate([*head, *body]):
            if len(cells) == 1 < len(widths):
                line = cut(cells[0], self.width - 2)
            else:
                shown = (padded(cut(c, w), w, right=a == "r") for c, w, a in zip(cells, widths, align, strict=True))
                line = (" " * gap).join(shown)
            if line.strip():
                self.lines.append(("  " + line, "dim" if number_ < len(head) else ""))

    def indented(self, text: str) -> None:
        """Add a line indented by two columns, as a tree is."""
        self.lines.append((f"  {self.clean(text)}", ""))

    def tree(self, twigs: Sequence[Twig]) -> None:
        """Add a tree, indented by two columns, its lines wrapped beside their branches."""
        drawn = ("├─ ", "└─ ", "│  ") if self.encoding.lower().startswith("utf") else ("|- ", "`- ", "|  ")
        self._twigs(twigs, "", drawn)

    def _twigs(self, twigs: Sequence[Twig], before: str, drawn: tuple[str, str, str]) -> None:
        for number_, twig in enumerate(twigs):
            last = number_ == len(twigs) - 1
            rest = before + ("   " if last else drawn[2])
            start = before + (drawn[1] if last else drawn[0])
            room = rest + (drawn[2] if twig.below else "   ")
            lines = wrapped(self.clean(twig.text), self.width - 2 - cell_len(start) - 3)
            self.lines += [(f"  {start if i == 0 else room}{line}", "") for i, line in enumerate(lines)]
            self._twigs(twig.below, rest, drawn)

    def bar(self, value: float, most: float, width: int) -> str:
        """Return a bar of at most `width` columns for a figure between 0 and `most`."""
        length = width * min(max(value / most, 0.0), 1.0) if most > 0 and np.isfinite(value) else 0.0
        if not self.blocks:
            return padded("#" * round(length), width)
        eighths = ceil(length * 8 - 0.5)
        return padded("█" * (eighths // 8) + EIGHTHS[eighths % 8].strip(), width)

    def beside(self, left: Page, right: Page) -> None:
        """Add the lines of two narrower pages side by side; those on the right are plain."""
        for at in range(max(len(left.lines), len(right.lines))):
            line, style = left.lines[at] if at < len(left.lines) else ("", "")
            other = right.lines[at][0] if at < len(right.lines) else ""
            self.lines.append((f"{padded(line, left.width)}  {other}" if other else line, style))

    def text(self) -> Text:
        """Return the printout."""
        page = Text()
        for line, style in self.lines:
            page.append(line.rstrip(), style or None)
            page.append("\n")
        return page


@contextmanager
def printed(console: Console | None = None) -> Iterator[Page]:
    """Yield a page of the console's width that is printed when the block ends."""
    console = console or Console()
    console.width = max(console.width, 1)  # of a console without columns nothing would be printed
    width = min(max(console.width, NARROWEST), WIDEST)
    page = Page(width, console.encoding, blocks=console.is_terminal and console.encoding.startswith("utf"))
    yield page
    console.print(page.text(), end="", soft_wrap=True, markup=False, highlight=False, emoji=False)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks up to a width in columns, before it if it is to stand at the right."""
    blank = " " * max(width - cell_len(text), 0)
    return blank + text if right else text + blank


def _widths(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    return [max((cell_len(row[i]) for row in rows), default=0) for i in range(columns)]


def _fitted(widths: list[int], figures: list[int], align: str, room: int) -> tuple[list[int], int]:
    """Return widths of columns and the gap between them that fit the room.

    The widest gives way first: names that stay readable, then headers of figures, then names again. Figures are the
    last to be cut.
    """
    widths, between = list(widths), len(widths) - 1
    gap = 2 if sum(widths) + 2 * between <= room else 1
    floors = (
        [READABLE_NAME if a == "n" else w for a, w in zip(align, widths, strict=True)],
        [READABLE_NAME if a == "n" else max(w, NARROWEST_NAME) for a, w in zip(align, figures, strict=True)],
        [NARROWEST_NAME if a == "n" else max(w, NARROWEST_NAME) for a, w in zip(align, figures, strict=True)],
        [0] * len(widths),
    )
    for floor in floors:
        while sum(widths) + gap * between > room and (wide := [i for i, w in enumerate(widths) if w > floor[i]]):
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths, gap
