"""Sheets of an exported workbook: columns of values and formulas that know where they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.problems import InstanceError, Problem
from gwplan.show.theme import FAINT, GREY, RAMP
from gwplan.show.workbook.formulas import Formulas
from gwplan.spreadsheet.cells import MOST_COLUMNS, MOST_ROWS, letters, quoted
from gwplan.storage.workbook_write import LONGEST, Exact

TOP: Final = 4
"""Rows above the first row of a table: title, explanation, units, names."""

ACCENT, INPUT, BROKEN = RAMP[0], "#fff6d6", "#f4b6b0"

MONEY: Final = "[>=0.005]#,##0.00;[<=-0.005]-#,##0.00;0.00"
"""Two decimals, and no sign on what rounds to nothing."""

LONGEST_FORMULA: Final = 8_192
LONGEST_HEAD: Final = 255
"""Most characters that spreadsheets take in a formula, and in a heading of a table."""

MOST_SERIES: Final = 255
"""Most series that a chart takes."""

LINE: Final = 15
"""Height of a line, points."""

PRINTED: Final = 50
"""Rows of a raw table that are printed."""

WIDE: Final = 17
"""Columns that fit on the width of a page."""

_BOLD: Final = {"bold": True, "font_color": "white", "bg_color": ACCENT}
_HEAD: Final = {**_BOLD, "text_wrap": True, "valign": "top", "border": 1}
_YELLOW: Final = {"bg_color": INPUT, "border": 1, "border_color": FAINT}
_WIDTH: Final = {"num_format": '[>=1000000]"unlimited";0.000', "align": "right"}

LOOKS: Final[dict[str, dict[str, Any]]] = {
    "title": {"bold": True, "font_size": 16, "font_color": ACCENT},
    "note": {"font_color": GREY, "italic": True},
    "unit": {"font_color": GREY, "align": "right"},
    "head": _HEAD,
    "head_right": {**_HEAD, "align": "right"},
    "head_aside": {**_HEAD, "align": "left", "indent": 1},
    "aside": {"font_color": GREY, "italic": True, "indent": 1},
    "section": {"bold": True, "font_color": ACCENT, "bottom": 1, "bottom_color": ACCENT},
    "text": {"quote_prefix": True, "valign": "top"},
    "wrap": {"quote_prefix": True, "text_wrap": True, "valign": "top"},
    "whole": {"num_format": "0"},
    "gw": {"num_format": "[>=0.0005]0.000;[<=-0.0005]-0.000;0.000"},
    "gw_input": {**_YELLOW, "num_format": "0.000", "locked": False},
    "rate": {"num_format": "0.0000"},
    "rate_input": {**_YELLOW, "num_format": "0.0000##", "valign": "top", "locked": False},
    "width_input": {**_YELLOW, **_WIDTH},
    "width": _WIDTH,
    "bn": {"num_format": "[>=0.00005]#,##0.0000;[<=-0.00005]-#,##0.0000;0.0000"},
    "money": {"num_format": MONEY},
    "money_total": {"num_format": MONEY, "bold": True, "top": 1},
    "check": {"num_format": MONEY, "bold": True},
    "factor": {"num_format": "0.0000"},
    "share": {"num_format": "0.0%"},
    "date": {"num_format": "yyyy-mm-dd", "align": "left", "indent": 1},
    "choice": {"bold": True, "bg_color": INPUT, "border": 1, "border_color": ACCENT},
    "broken": {"bg_color": BROKEN, "font_color": "#8a1c12"},
}


class Exported:
    """A workbook under way: formats by name, and the names of sheets, tables and ranges.

    Parameters
    ----------
    book : xlsxwriter.Workbook
        The workbook.
    prefix : str
        What the names of its sheets begin with; blank for a workbook of its own.
    sheets : mapping of str to str
        What sheets are called that are called otherwise, by what they hold.
    """

    def __init__(self, book: Any, prefix: str = "", sheets: Mapping[str, str] | None = None) -> None:
        self.book = book
        self.prefix = prefix
        self.sheets = sheets or {}
        self.names = prefix or "gw_"
        self.formats = {name: book.add_format(look) for name, look in LOOKS.items()}

    def title(self, name: str) -> str:
        """Return what one of gwplan's sheets is called."""
        return self.sheets.get(name, f"{self.prefix}{name}")

    def sheet_name(self, name: str) -> str:
        """Return the name of one of gwplan's sheets as formulas write it."""
        return quoted(self.title(name))

    def refuse_larger(self, name: str, rows: int, columns: int) -> None:
        """Refuse a sheet that Excel could not hold, rather than cut it."""
        for count, most, what in ((rows, MOST_ROWS, "rows"), (columns, MOST_COLUMNS, "columns")):
            if count > most:
                raise too_large(self.title(name), f"{count:,} {what}", f"a sheet has {most:,}")

    def define(self, name: str, target: str) -> None:
        """Give a range a name."""
        self.book.define_name(f"{self.names}{name}", f"={target}")

    def add(self, name: str, title: str, note: str, *, colour: str = ACCENT) -> Any:
        """Add a sheet with its title, explanation and print set-up."""
        sheet = self.book.add_worksheet(self.title(name))
        sheet.set_tab_color(colour)
        sheet.hide_gridlines(2)
        sheet.write_string(0, 0, title, self.formats["title"])
        sheet.write_string(1, 0, note, self.formats["note"])
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(0.4, 0.4, 0.6, 0.6)
        sheet.set_footer("&L&F: &A&RPage &P of &N")
        return sheet


def too_large(where: str, what: str, rule: str) -> InstanceError:
    """Return the error that says what of a plan does not fit into a workbook."""
    return InstanceError(Problem(where, what, rule, "export the plan as tables: gwplan export RUN --csv DIR"))


def _place(sheet: Any, row: int, column: int) -> str:
    return f"{quoted(sheet.get_name())}!{letters(column + 1)}{row + 1}"


def put(sheet: Any, row: int, column: int, value: Any, look: Any = None) -> None:
    """Write a value: text always as text, numbers to the last digit, blanks as blanks."""
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise too_large(
                _place(sheet, row, column), f"a text of {len(value):,} characters", f"a cell holds {LONGEST:,}"
            )
        if value:
            sheet.write_string(row, column, value, look)
        else:
            sheet.write_blank(row, column, None, look)
    elif value is None or pd.isna(value):
        sheet.write_blank(row, column, None, look)
    elif isinstance(value, pd.Timestamp | np.datetime64):
        sheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), look)
    elif isinstance(value, bool | np.bool_):
        sheet.write_boolean(row, column, bool(value), look)
    elif np.isinf(value):
        sheet.write_string(row, column, "unlimited" if value > 0 else "-unlimited", look)
    else:
        sheet.write_number(row, column, Exact(value), look)


def put_formula(sheet: Any, row: int, column: int, formula: str, value: Any, look: Any = None) -> None:
    """Write a formula with the value that it has, for viewers that do not calculate."""
    if len(formula) + 1 > LONGEST_FORMULA:
        what = f"a formula of {len(formula) + 1:,} characters"
        raise too_large(_place(sheet, row, column), what, f"spreadsheets take {LONGEST_FORMULA:,}")
    kept = value if isinstance(value, str) else Exact(0.0 if value == 0 else value)
    sheet.write_formula(row, column, f"={formula}", look, kept)


@dataclass
class Column:
    """A column of a page."""

    head: str  # its name, its unit and how its cells look
    unit: str
    look: str
    values: Any  # what the cells show
    formulas: Sequence[str] | None = None  # what the cells calculate, a blank one for a cell that holds its value alone


@dataclass
class Page:
    """A sheet that holds one table, whose columns can be referred to before it is written."""

    exported: Exported
    name: str  # name of the sheet, its title and its explanation
    title: str
    note: str
    top: int = TOP  # rows above the first row of the table's cells
    # whether its heads have buttons that sort; none where formulas refer to its rows by their places
    buttons: bool = False
    columns: dict[str, Column] = field(default_factory=dict)
    letter: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return max((len(column.values) for column in self.columns.values()), default=0)

    @property
    def sheet(self) -> str:
        """Name of the sheet in formulas."""
        return self.exported.sheet_name(self.name)

    @property
    def heads(self) -> list[str]:
        """Heads of the columns, made unlike each other; those that hold a name of the instance give way."""
        keys = sorted(self.columns, key=lambda key: key[-1].isdigit())
        head_of = dict(zip(keys, unlike([self.columns[key].head for key in keys]), strict=True))
        return [head_of[key] for key in self.columns]

    def add(self, key: str, head: str, unit: str, look: str, values: Any) -> Formulas:
        """Add a column of values, or of what formulas give, and return its cells for formulas on any sheet."""
        formulas = values.texts if isinstance(values, Formulas) else None
        self.columns[key] = Column(head, unit, look, values if formulas is None else values.values, formulas)
        self.letter[key] = letters(len(self.columns))
        return self.ref(key)

    def at(self, key: str) -> Formulas:
        """Return the cells of a column, for formulas in the same rows of this sheet."""
        values = np.asarray(self.columns[key].values)
        return Formulas(values, [f"{self.letter[key]}{row + self.top + 1}" for row in range(len(values))])

    def ref(self, key: str) -> Formulas:
        """Return the cells of a column, for formulas on any sheet."""
        values, place = np.asarray(self.columns[key].values), f"{self.sheet}!${self.letter[key]}$"
        return Formulas(values, [f"{place}{row + self.top + 1}" for row in range(len(values))])

    def misplaced(self) -> str:
        """Return the formula of how many rows stand elsewhere than where formulas look for them: sorted, say."""
        if not self.rows:
            return "0"
        number = self.ref("row" if "row" in self.columns else "node").span()
        return f"SUMPRODUCT(--({number}<>ROW({number})-{self.top + 1}))"

    def series(self, key: str, name: str) -> str | list[Any]:
        """Return the name of a chart's series: as it is, or the head of its column where it looks like a reference."""
        at = [self.exported.title(self.name), self.top - 1, list(self.columns).index(key)]
        return at if re.match(r"=?[^!]+!", name) else name

    def write(self, *, frozen: int, widths: dict[str, float] | None = None, printed: int = 0) -> Any:
        """Write the sheet: a table with units above its heads, heads and first columns frozen.

        Of a table to be looked at on a screen, `printed` rows alone are printed, on one page.
        """
        exported = self.exported
        count = self.rows
        exported.refuse_larger(self.name, self.top + max(count, 1), len(self.columns))
        sheet = exported.add(self.name, self.title, self.note)
        heights = [1] * count
        head = 1
        heads = self.heads
        for at, (key, column) in enumerate(self.columns.items()):
            width = (widths or {}).get(key, _width(column))
            sheet.set_column(at, at, width)
            put(sheet, self.top - 2, at, column.unit, exported.formats["unit"])
            head = max(head, _lines(heads[at], width))
            if column.look == "wrap":
                heights = [max(h, _lines(text, width)) for h, text in zip(heights, column.values, strict=True)]
            self._cells(sheet, at, column)
        texts = [column.look in ("text", "wrap", "date") for column in self.columns.values()]
        add_table(exported, sheet, self.name, self.top - 1, count, list(zip(heads, texts, strict=True)), self.buttons)
        sheet.set_row(self.top - 1, LINE * head + 3)
        for row, lines in enumerate(heights):
            if lines > 1:
                sheet.set_row(row + self.top, LINE * lines)
        sheet.freeze_panes(self.top, frozen)
        if len(self.columns) > WIDE:
            sheet.set_paper(8)
            sheet.fit_to_pages(-(-len(self.columns) // WIDE), 0)
            sheet.repeat_columns(0, frozen - 1 if frozen else 0)
        sheet.repeat_rows(self.top - 2, self.top - 1)
        if printed and (count > printed or len(self.columns) > WIDE):
            sheet.print_area(0, 0, self.top + min(count, printed) - 1, min(len(self.columns), WIDE) - 1)
            sheet.fit_to_pages(1, 1)
            sheet.set_footer("&L&F: &A, its beginning&RPage &P of &N")
        return sheet

    def _cells(self, sheet: Any, at: int, column: Column) -> None:
        look = self.exported.formats[column.look]
        for row, value in enumerate(column.values):
            formula = column.formulas[row] if column.formulas is not None else ""
            if formula:
                put_formula(sheet, row + self.top, at, formula, value, look)
            else:
                put(sheet, row + self.top, at, value, look)


def unlike(heads: Sequence[str]) -> list[str]:
    """Return heads that differ by more than their case: behind one that is taken stands a number."""
    taken: dict[str, str] = {}
    for head in heads:
        new, number = head, 1
        while new.lower() in taken:
            number += 1
            new = f"{head} ({number})"
        taken[new.lower()] = new
    return list(taken.values())


def add_table(
    exported: Exported, sheet: Any, name: str, head: int, count: int, heads: list[tuple[str, bool]], buttons: bool
) -> None:
    """Make a written range a table: names in row `head` (from 0; of text or not), and `count` rows below them."""
    columns = []
    for text, is_text in heads:
        if len(text) > LONGEST_HEAD:
            what = f"a heading of {len(text):,} characters"
            raise too_large(exported.title(name), what, f"a table takes {LONGEST_HEAD}")
        written = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)  # else it would stand for a character
        columns.append({"header": written, "header_format": exported.formats["head" if is_text else "head_right"]})
    look = {"name": f"{exported.names}{name}", "style": "Table Style Light 1", "autofilter": buttons}
    sheet.add_table(head, 0, head + max(count, 1), len(heads) - 1, {**look, "columns": columns})
    for at, (text, _) in enumerate(heads):
        put(sheet, head, at, text, columns[at]["header_format"])


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes in a column."""
    return max(len(wrap(text, max(int(width) - 2, 6))), 1)


def _width(column: Column) -> float:
    """Return a width that shows every word of the head and, of text, all of it up to a limit."""
    word = max(len(part) for part in column.head.split()) + 3
    if column.look in ("text", "wrap"):
        longest = max((len(str(value)) for value in column.values), default=0)
        return float(min(max(longest + 2, 10, word), 44))
    return float(max(11, word, len(column.unit) + 2))
