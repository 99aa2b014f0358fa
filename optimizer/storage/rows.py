"""The text of a CSV file into rows of cells, and of ``instance.toml`` into its sections."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from gwplan.catalogue.tables import TABLES, Table, allowed_columns
from gwplan.check.check import check, raise_errors
from gwplan.instance.cells import Array, Cells, Coded, Fault, Parsed, frame_of, parse, place, shown, type_fault
from gwplan.instance.instance import Instance, SheetPlaces
from gwplan.language.edits import Factor, Lever, WhatIf
from gwplan.problems import Problem, nearest
from gwplan.tree.layouts import Layouts

LARGE: Final = 200_000
"""Characters from which a table is first tried with the fast reader."""

TITLES: Final = 20
"""Rows among which the header is looked for where row 1 is none."""

_REWRITTEN: Final = re.compile(r"'(\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./]\d{1,2}[./]\d{1,2}|\d{5})( .*)?'")

ALL: Final = "*"
"""Stands for every column of a table, where a fault leaves none of them to be trusted."""


def header_problems(table: Table, names: Sequence[str], where: str) -> list[tuple[str, Problem]]:
    """Return column and problem for what is wrong with a table's column names."""
    known = [column.name for column in allowed_columns(table)]
    faults = []
    respelt = {name: plain for name in names if name not in known and (plain := _plain(name)) in known}
    if respelt := {name: plain for name, plain in respelt.items() if plain not in names}:
        what = f"the column{'s' if len(respelt) > 1 else ''} {', '.join(map(shown, respelt))}"
        rule = "names of columns are written in small letters, with _ between words"
        unfit = Problem(f"{where} row 1", what, rule, f"write {', '.join(respelt.values())}")
        faults += [(plain, unfit) for plain in respelt.values()]
        names = [name for name in names if name not in respelt]
    for name, times in Counter(names).items():
        if not name:
            rule = "every column has a name in row 1"
            faults.append(("", Problem(f"{where} row 1", "a column without a name", rule, "name it or delete it")))
        elif name not in known:
            rule = f"{table.name} has no such column"
            faults.append(
                (name, Problem(f"{where} row 1", f"unknown column {shown(name)}", rule, nearest(name, known)))
            )
        elif times > 1:
            rule = "a column may occur once"
            faults.append(
                (name, Problem(f"{where} row 1", f"column '{name}' occurs {times} times", rule, "delete all but one"))
            )
    for column in table.columns:
        if column.required and column.name not in (*names, *respelt.values()):
            rule = f"{table.name} needs it"
            faults.append(
                (column.name, Problem(f"{where} row 1", f"no column '{column.name}'", rule, "add the column"))
            )
    return faults


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def misplaced_header(table: Table, rows: Mapping[int, Sequence[str]], where: str) -> Problem | None:
    """Return a problem where row 1 names no column of a table and one of the next rows names two or more."""
    known = {column.name for column in allowed_columns(table)}
    named = {row: len(known & set(map(_plain, rows[row]))) for row in sorted(rows) if row <= TITLES}
    row = next((row for row, count in named.items() if row > 1 and count >= 2), None)
    if row is None or named.get(1):
        return None
    rule, remedy = "row 1 must be the header", f"delete what stands above row {row}"
    return Problem(f"{where} row 1", f"the names of the columns stand in row {row}", rule, remedy)


def read_csv(table: Table, text: str) -> Parsed:
    """Return a table of the catalogue from the text of its CSV file, with everything that is wrong with it."""
    parsed = _read_fast(table, text) if len(text) >= LARGE else None
    return parsed or _read_rows(table, text)


def _read_rows(table: Table, text: str) -> Parsed:
    header, rows, faults = csv_rows(table.file, text, table)
    if not header:
        return Parsed(frame_of(table, {}, ()), faults)
    columns = list(zip(*rows.values(), strict=True)) or [()] * len(header)
    used = [i for i, name in enumerate(header) if name or any(columns[i])]
    faults += header_problems(table, [header[i] for i in used], table.file)
    cells = {header[i]: columns[i] for i in reversed(used)}  # of columns with the same name the first
    parsed = parse(table, cells, [*rows], partial(place, table))
    return Parsed(parsed.frame, faults + [(column, _rewritten(problem)) for column, problem in parsed.faults])


def csv_rows(
    file: str, text: str, table: Table | None = None
) -> tuple[list[str], dict[int, list[str]], list[tuple[str, Problem]]]:
    """Return the header of a CSV file, its whole rows by their number in the file, and what is wrong with the others.

    Where the header cannot be read it is empty.
    """
    rows: list[list[str]] = []
    faults: list[tuple[str, Problem]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows.extend(reader)
    except csv.Error as error:
        faults.append((ALL, _unreadable(f"{file} row {len(rows) + 1}", str(error))))
    header = [name.strip() for name in rows[0]] if rows else []
    if not header:
        if not faults:
            rule = "row 1 holds the names of the columns"
            faults.append((ALL, Problem(file, "no header", rule, "write the column names, or delete the file")))
        return [], {}, faults
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        remedy = "save the file with commas between the cells and points in numbers"
        what = f"row 1 is one cell, {shown(header[0])}"
        return [], {}, [(ALL, Problem(f"{file} row 1", what, "cells are separated by commas", remedy))]
    if misplaced := table and misplaced_header(table, dict(enumerate(rows[:TITLES], 1)), file):
        return [], {}, [*faults, (ALL, misplaced)]
    kept = {number: cells for number, cells in enumerate(rows[1:], 2) if any(map(str.strip, cells))}
    for number, cells in kept.items():
        if len(cells) != len(header):
            what, rule = f"{len(cells)} cells", f"row 1 names {len(header)} columns"
            remedy = "add or delete commas; text with commas stands in double quotes"
            faults.append((ALL, Problem(f"{file} row {number}", what, rule, remedy)))
    return header, {n: cells for n, cells in kept.items() if len(cells) == len(header)}, faults


def _rewritten(problem: Problem) -> Problem:
    """Say what to do where a spreadsheet rewrote the dates of a file."""
    if "must be a date" not in problem.rule or not _REWRITTEN.fullmatch(problem.what):
        return problem
    remedy = "spreadsheets rewrite the dates of CSV files: gwplan convert FOLDER BOOK.xlsx makes a workbook to edit"
    return replace(problem, remedy=f"{problem.remedy}; {remedy}")


def _unreadable(where: str, error: str) -> Problem:
    if "unexpected end" in error:
        return Problem(where, "a double quote that is not closed", "quoted text ends with a quote", "close the quote")
    if "field larger" in error:
        rule = f"a cell holds at most {csv.field_size_limit()} characters"
        return Problem(where, "a cell that is too long", rule, "shorten it, or close the quote that opens it")
    remedy = "put the whole cell in double quotes, and write quotes inside it twice"
    return Problem(where, "a double quote inside a cell", "a quote opens or closes a whole cell", remedy)


def _read_fast(table: Table, text: str) -> Parsed | None:
    """Return a large table read by Arrow, None where it is not plain enough or has any problem.

    Plain is a text without quotes in which every line has as many cells as the header: there the two readers cannot
    differ in what a cell is. Whatever they could understand differently, and every fault for its
    message, is left to the other one.
    """
    text = text.replace("\r\n", "\n") if "\r" in text else text
    header = [name.strip() for name in text.partition("\n")[0].split(",")]
    if '"' in text or "\r" in text or header_problems(table, header, table.file):
        return None
    kinds = {column.name: column.kind for column in allowed_columns(table)}
    try:
        raw = arrow_csv.read_csv(
            pa.py_buffer(text.encode()),
            arrow_csv.ReadOptions(use_threads=False, column_names=header, skip_rows=1),
            arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types={name: _ARROW_TYPES.get(kinds[name], _DISTINCT) for name in header}, null_values=[""]
            ),
        )
    except ValueError:
        return None
    columns: dict[str, Cells] = {}
    for name in header:
        cells = _cells(raw[name])
        if cells is None:
            return None
        columns[name] = cells
    parsed = parse(table, columns, pd.Index(np.arange(2, len(raw) + 2)), partial(place, table))
    return None if parsed.faults else parsed


_DISTINCT: Final = pa.dictionary(pa.int32(), pa.string())
_ARROW_TYPES: Final = {"number": pa.float64(), "integer": pa.float64(), "date": pa.date32()}


def _cells(column: pa.ChunkedArray) -> Cells | None:
    """Return a column that Arrow read, None where it took for a number or a day what is none to the other reader."""
    if pa.types.is_dictionary(column.type):
        whole = column.unify_dictionaries().combine_chunks()
        return Coded(whole.dictionary.to_pylist(), whole.indices.to_numpy())
    values: Array = column.to_numpy()
    if pa.types.is_date(column.type):
        return None if (values < _FIRST_DAY).any() else values.astype("datetime64[s]")
    return None if np.isnan(values).sum() != column.null_count else values.astype(np.float64, copy=False)


_FIRST_DAY: Final = np.datetime64("0001-01-01", "D")


def read_sections(text: str | None) -> dict[str, Parsed]:
    """Return the sections of ``instance.toml`` as one-row tables, with everything that is wrong with them."""
    sections = {name: table for name, table in TABLES.items() if table.section}
    blank = {name: Parsed(frame_of(table, {}, (1,))) for name, table in sections.items()}
    if text is None:
        return blank
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = Problem("instance.toml", "cannot be read", toml_reason(error), "correct it there")
        return {
            name: Parsed(parsed.frame, [(ALL, problem)] if name == "instance" else []) for name, parsed in blank.items()
        }
    top = {key: value for key, value in document.items() if key not in sections or key == "instance"}
    tables = {name: document.get(name, {}) for name in sections if name != "instance"} | {"instance": top}
    return {name: _section(table, tables[name], name in document) for name, table in sections.items()}


def read_listed(table: Table, text: str) -> Parsed:
    """Return a table from TOML in which each row is a table of its name in the singular, numbered from 1."""
    name = table.name.removesuffix("s")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        fault = Problem(table.file, "cannot be read", toml_reason(error), "correct it there")
        return Parsed(frame_of(table, {}, ()), [(ALL, fault)])
    rows = document.pop(name, [])
    if document or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        what = f"keys outside of {name}: {', '.join(map(shown, document))}" if document else f"'{name}' is no list"
        fault = Problem(table.file, what, f"each {name} is a table of keys", f"begin each with [[{name}]]")
        return Parsed(frame_of(table, {}, ()), [(ALL, fault)])
    columns = list(dict.fromkeys(key for row in rows for key in row))
    faults = header_problems(table, columns, table.file)
    cells = {key: [_listed_cell(row.get(key, "")) for row in rows] for key in columns}
    parsed = parse(table, cells, range(1, len(rows) + 1), partial(place, table))
    return Parsed(parsed.frame, [*faults, *parsed.faults])


def _listed_cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def toml_reason(error: Exception) -> str:
    """Return what a TOML reader says of a text that it cannot read."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]


def _section(table: Table, values: Any, there: bool) -> Parsed:
    where = table.file if table.name == "instance" else f"{table.file} [{table.name}]"
    if not isinstance(values, dict):
        what = f"{shown(str(values))} in place of a section"
        problem = Problem(where, what, "a section is a table of keys", f"write [{table.name}] and its keys below it")
        return Parsed(frame_of(table, {}, (1,)), [(ALL, problem)])
    faults: list[tuple[str, Problem]] = []
    if not there and table.required and table.name != "instance":
        problem = Problem(where, "no such section", "the section is required", f"add [{table.name}] with its keys")
        return Parsed(frame_of(table, {}, (1,)), [(ALL, problem)])
    known = [column.name for column in table.columns]
    sections = [name for name in TABLES if TABLES[name].section and name != "instance"]
    for key in values:
        if key not in known:
            hint = nearest(key, known + sections if table.name == "instance" else known)
            faults.append((key, Problem(where, f"unknown key {shown(key)}", "the format has no such key", hint)))
    cells: dict[str, str] = {}
    for column in table.columns:
        cell = _cell_text(column.kind, values[column.name]) if column.name in values else ""
        if isinstance(cell, Fault):
            fault = type_fault(column)
            remedy = "write it without quotes" if isinstance(values[column.name], str) else fault.remedy
            unfit = Problem(place(table, 1, column.name), shown_toml(values[column.name]), fault.rule, remedy)
            faults.append((column.name, unfit))
        elif column.name in values or not column.required:
            cells[column.name] = cell
        else:
            unfit = Problem(place(table, 1, column.name), "missing", "the key is required", "add it")
            faults.append((column.name, unfit))
    parsed = parse(table, {name: [cell] for name, cell in cells.items()}, (1,), partial(place, table))
    return Parsed(parsed.frame, faults + parsed.faults)


_WRONG: Final = Fault("", "")


def _cell_text(kind: str, value: Any) -> str | Fault:
    """Return a TOML value as the text that a cell of its kind would have, a fault where it is of another kind."""
    if kind in ("number", "integer") and isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value) if abs(value) < 1e300 or isinstance(value, float) else "inf"
    if kind == "date" and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    if kind in ("date", "text") and isinstance(value, str):
        return value
    return str(value).lower() if kind == "flag" and isinstance(value, bool) else _WRONG


def shown_toml(value: Any) -> str:
    """Return a TOML value as messages show it."""
    if isinstance(value, dict | list):
        return "a table of keys" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) > 1e300:
        return "a huge number"
    return shown(value)


@dataclass
class Reading:
    """What has been read so far, and what was wrong with it."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)  # tables by name
    # names of the tables that the source holds
    present: set[str] = field(default_factory=lambda: {name for name, table in TABLES.items() if table.section})
    # columns, as ``table.column``, that could not be read whole; ``uncertainty`` where the factors could not
    broken: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)  # sheets in place of TOML files that could not be read whole
    problems: list[Problem] = field(default_factory=list)
    factors: tuple[Factor, ...] = ()
    whatifs: dict[str, WhatIf] = field(default_factory=dict)
    levers: tuple[Lever, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    sheets: SheetPlaces | None = None

    def take(self, table: Table, parsed: Parsed) -> None:
        """Keep a table with its problems, and note the columns that they leave incomplete."""
        self.frames[table.name] = parsed.frame
        self.problems += parsed.problems
        columns = {column for column, _ in parsed.faults}
        if ALL in columns:
            columns = {column.name for column in allowed_columns(table)}
        self.broken |= {f"{table.name}.{column}" for column in columns}

    def instance(self) -> Instance:
        """Return the instance that was read."""
        known = Layouts()
        present = frozenset(self.present)
        made = Instance(
            self.frames, present, self.factors, self.whatifs, self.files, sheets=self.sheets, checked=known,
            levers=self.levers,
        )  # fmt: skip
        problems = self.problems + check(made, broken=self.broken, warnings=False, layouts=known)
        raise_errors(dict.fromkeys(problems))
        return made
