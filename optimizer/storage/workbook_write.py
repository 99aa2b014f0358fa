"""An instance into a workbook, whole or not at all: one sheet a table, with lists to choose from and notes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from gwplan.catalogue.tables import (
    ABOUT,
    KNOWN_SHEETS,
    LEVERS,
    OUTCOME_EDITS,
    OUTCOMES,
    PROBABILITIES_GIVEN,
    SETTINGS,
    TABLES,
    WHATIF_EDITS,
    WHATIFS,
    Column,
    Table,
    allowed_columns,
)
from gwplan.files import new_file, whole_file, whole_workbook
from gwplan.instance.instance import Instance
from gwplan.language.edits import spell
from gwplan.problems import InstanceError, Problem
from gwplan.spreadsheet.cells import MOST_ROWS, letters
from gwplan.storage.starter import default_words, one_line, rule_words, type_words

SPARE: Final = 500
"""Rows below the last one of a table that lists to choose from and notes reach."""
LONGEST: Final = 32_767
"""Most characters that a cell of a workbook holds."""
_FIRST_DAY: Final = dt.date(1900, 3, 1)
"""Earlier days are written as text: spreadsheets count a 29 February 1900 that never was."""
_WIDEST: Final = 44

Rows = list[dict[Any, Any]]


class Exact(float):
    """A number that XlsxWriter writes with all the digits that tell it apart, instead of sixteen."""

    def __format__(self, _: str) -> str:
        return repr(float(self)).removesuffix(".0")


def save_workbook(instance: Instance, path: str | Path, *, force: bool = False) -> None:
    """Write an instance as a workbook; reading it back gives an equal instance."""
    target = new_file(path, [".xlsx"], "a workbook is written without macros", force=force)
    sheets = _sheets(instance)
    _refuse_what_does_not_fit(sheets)
    with whole_file(target) as new, whole_workbook(new) as book:
        _Writer(book, instance).write(sheets)


def _sheets(instance: Instance) -> dict[str, Rows]:
    """Return the rows of every sheet, in the order in which they are written."""
    sheets = {SETTINGS.name: _settings(instance)}
    for name, table in TABLES.items():
        if not table.section and (table.required or name in instance.present or len(instance.tables[name])):
            sheets[name] = instance.tables[name].to_dict("records")
    if instance.factors:
        sheets[OUTCOMES.name] = [
            {"factor": f.name, "revealed": pd.Timestamp(f.revealed), "outcome": o.name, "probability": o.probability}
            for f in instance.factors
            for o in f.outcomes
        ]
        given = [
            {"factor": f.name, "outcome": o.name, "given": row.text, "probability": row.probability}
            for f in instance.factors
            for o in f.outcomes
            for row in o.probability_given
        ]
        sheets |= {PROBABILITIES_GIVEN.name: given} if given else {}
        sheets[OUTCOME_EDITS.name] = [
            {"factor": f.name, "outcome": o.name, "edit": e.text}
            for f in instance.factors
            for o in f.outcomes
            for e in o.edits
        ]
    if instance.whatifs:
        sheets[WHATIFS.name] = [
            {
                "whatif": w.name,
                "description": w.description,
                "given": ", ".join(f"{factor}={outcome}" for factor, outcome in w.given.items()),
            }
            for w in instance.whatifs.values()
        ]
        edits = [{"whatif": w.name, "edit": edit.text} for w in instance.whatifs.values() for edit in w.edits]
        sheets[WHATIF_EDITS.name] = edits
    if instance.levers:
        said = ("label", "least", "most", "step", "unit", "group")
        sheets[LEVERS.name] = [
            {"edit": spell(each), **{name: getattr(lever, name) for name in said}}
            for lever in instance.levers
            for each in lever.edits
        ]
    return sheets


def _settings(instance: Instance) -> Rows:
    rows = []
    for name, table in TABLES.items():
        if table.section:
            for column in table.columns:
                value = instance.tables[name][column.name].iloc[0]
                about = f"{column.about} ({one_line(column)})"
                rows.append({"section": name, "key": column.name, "value": value, "about": about})
    return rows


def _refuse_what_does_not_fit(sheets: Mapping[str, Rows]) -> None:
    problems = []
    for name, rows in sheets.items():
        if len(rows) >= MOST_ROWS:
            rule = f"a sheet has {MOST_ROWS:,} rows"
            problems.append(Problem(name, f"{len(rows):,} rows", rule, "keep the instance as a folder"))
        for row, cells in enumerate(rows, 2):
            for column, value in cells.items():
                if isinstance(value, str) and len(value) > LONGEST:
                    rule = f"a cell of a workbook holds {LONGEST:,} characters"
                    problems.append(Problem(f"{name} row {row}, {column}", "a longer text", rule, "shorten it"))
    if problems:
        raise InstanceError(problems)


@dataclass
class _Writer:
    """Writes the sheets of one workbook."""

    book: Any
    instance: Instance

    def write(self, sheets: Mapping[str, Rows]) -> None:
        formats = {
            "title": {"bold": True, "font_size": 14},
            "wrap": {"text_wrap": True, "valign": "top"},
            "head": {"bold": True, "font_color": "white", "bg_color": "#1b2a5c", "valign": "top", "text_wrap": True},
            "date": {"num_format": "yyyy-mm-dd", "align": "left"},
            "text": {"quote_prefix": True},
            "plain": {},
        }
        self.formats = {name: self.book.add_format(look) for name, look in formats.items()}
        self.sizes = {name: len(rows) for name, rows in sheets.items()}
        self._about(sheets)
        for name, rows in sheets.items():
            self._sheet(KNOWN_SHEETS[name], rows)

    def _about(self, sheets: Mapping[str, Rows]) -> None:
        """Write what the workbook is, and every column with unit, default, rule and meaning."""
        sheet = self.book.add_worksheet(ABOUT)
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 1, 32)
        sheet.set_column(2, 5, 20, self.formats["wrap"])
        sheet.set_column(6, 6, 70, self.formats["wrap"])
        sheet.write_string(0, 0, f"{self.instance.name}: an instance for gwplan", self.formats["title"])
        lines = (
            "One sheet is one table; row 1 names the columns, in any order. A blank cell means the column's default.",
            "Formulas count with the value that they had when it was saved. Other sheets are yours; gwplan reads none.",
            "gwplan check BOOK.xlsx names everything that is wrong, with sheet and cell; gwplan solve BOOK.xlsx plans.",
        )
        for row, line in enumerate(lines, 1):
            sheet.write_string(row, 0, line)
        head = ("sheet", "column", "type", "unit", "blank means", "rule", "meaning")
        top = len(lines) + 2
        for at, text in enumerate(head):
            sheet.write_string(top, at, text, self.formats["head"])
        row = top
        for name in [*sheets, *(other for other in KNOWN_SHEETS if other not in sheets)]:
            table = KNOWN_SHEETS[name]
            for column in allowed_columns(table):
                row += 1
                shown = name if name in sheets else f"{name} (not used)"
                words = (shown, column.name, type_words(column).replace("`", ""), column.unit, default_words(column))
                for at, text in enumerate((*words, rule_words(column).replace("`", ""), column.about)):
                    sheet.write_string(row, at, text)
        sheet.freeze_panes(top + 1, 2)
        _printed(sheet)

    def _sheet(self, table: Table, rows: Rows) -> None:
        sheet = self.book.add_worksheet(table.name)
        columns = allowed_columns(table)
        for at, column in enumerate(columns):
            cells = [row[column.name] for row in rows]
            self._column(sheet, at, column, cells)
            self._choices(sheet, table, at, column, len(rows))
        bottom = max(len(rows), 1)
        heads = [{"header": column.name, "header_format": self.formats["head"]} for column in columns]
        look = {"name": f"in_{table.name}", "style": "Table Style Light 1", "columns": heads}
        sheet.add_table(0, 0, bottom, len(columns) - 1, look)
        sheet.freeze_panes(1, max(sum(column.key for column in columns), 1))
        _printed(sheet)
        sheet.repeat_rows(0)

    def _column(self, sheet: Any, at: int, column: Column, cells: Sequence[Any]) -> None:
        longest = max((len(_shown(cell)) for cell in cells), default=0)
        width = min(max(longest + 2, min(len(column.name) + 3, 18), 11), _WIDEST)
        sheet.set_column(at, at, width, self.formats["date" if column.kind == "date" else "plain"])
        for row, cell in enumerate(cells, 1):
            self._cell(sheet, row, at, cell)

    def _cell(self, sheet: Any, row: int, at: int, cell: Any) -> None:
        if isinstance(cell, str):
            if cell:
                sheet.write_string(row, at, cell, self.formats["text"])
        elif pd.isna(cell):
            return
        elif isinstance(cell, pd.Timestamp):
            day = cell.date()
            if day < _FIRST_DAY:
                sheet.write_string(row, at, day.isoformat())
            else:
                sheet.write_datetime(row, at, dt.datetime(day.year, day.month, day.day), self.formats["date"])
        elif isinstance(cell, bool):
            sheet.write_boolean(row, at, cell)
        else:
            sheet.write_number(row, at, Exact(cell))

    def _choices(self, sheet: Any, table: Table, at: int, column: Column, rows: int) -> None:
        """Let the cells of a column say what they take, and offer it as a list where it is one of few."""
        rule: dict[str, Any] = {"validate": "any"}
        if column.choices:
            rule = {"validate": "list", "source": list(column.choices)}
        elif column.kind == "flag":
            rule = {"validate": "list", "source": ["TRUE", "FALSE"]}
        elif column.refers_to in self.sizes:
            owner = TABLES[column.refers_to]
            letter = letters([c.name for c in owner.columns].index(owner.key[0]) + 1)
            last = self.sizes[column.refers_to] + SPARE
            rule = {"validate": "list", "source": f"={owner.name}!${letter}$2:${letter}${last}"}
        elif column.kind in ("number", "integer") and column.least is not None:
            most = column.most if column.most is not None else 1e12
            whole = column.kind == "integer"
            ends: tuple[Any, Any] = (int(column.least), int(most)) if whole else (column.least, most)
            bounds = {"criteria": "between", "minimum": ends[0], "maximum": ends[1]}
            rule = {"validate": "integer" if whole else "decimal", **bounds}
        elif column.kind == "date":
            rule = {"validate": "date", "criteria": ">=", "value": _FIRST_DAY}
        text = f"{column.about} ({one_line(column)})"
        error = f"{column.name}: {one_line(column)}"
        sheet.data_validation(
            1,
            at,
            rows + SPARE,
            at,
            {
                **rule,
                "ignore_blank": True,
                "input_title": column.name[:32],
                "input_message": _cut(text, 255),
                "error_title": f"{table.name} takes no such cell"[:32],
                "error_message": _cut(error, 255),
            },
        )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _shown(cell: Any) -> str:
    if isinstance(cell, pd.Timestamp):
        return str(cell.date())
    return cell if isinstance(cell, str) else "" if pd.isna(cell) else str(cell)


def _printed(sheet: Any) -> None:
    """Let a sheet print on A4 across, as wide as the paper."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P of &N")
