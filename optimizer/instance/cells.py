"""Cells: text into typed columns, and the rules that the catalogue sets for a single cell."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.internals import create_dataframe_from_blocks  # type: ignore[import-not-found]

from gwplan.catalogue.tables import GIVEN, SHEETS, TABLES, Column, Scalar, Table, allowed_columns
from gwplan.problems import Problem, nearest


@dataclass(frozen=True)
class Fault:
    """A rule that a cell breaks, and what to do about it."""

    rule: str
    remedy: str


def name_fault(name: str) -> Fault | None:
    """Return what is wrong with a name, or None."""
    if name != name.strip():
        return Fault("a name must not begin or end with a blank", "remove the blank")
    if not name.isprintable() and any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        return Fault("a name must not hold control characters or line breaks", "remove them")
    return None


def type_fault(column: Column) -> Fault:
    """Return what is said of a cell whose text is not of the column's type."""
    unit = f" ({column.unit})" if column.unit else ""
    match column.kind:
        case "number":
            remedy = "write digits and a decimal point, such as 1.5, without unit or thousands separator"
            return Fault(f"must be a number{unit}", remedy)
        case "integer":
            return Fault(f"must be a whole number{unit}", "write digits only, such as 3")
        case "date":
            return Fault("must be a date as year-month-day", "write it like 2027-01-31")
        case "flag":
            return Fault("must be true or false", "write true or false")
    return Fault("must be text", "put the text in quotes")


def choice_fault(column: Column, cell: str) -> Fault:
    """Return what is said of a cell that is none of the words that its column takes."""
    hint = nearest(cell, column.choices)
    return Fault(f"must be one of: {', '.join(column.choices)}", "" if hint.startswith("known") else hint)


def blank_fault(table: Table) -> Fault:
    """Return what is said of a blank cell where a value is required."""
    is_key = table.section and table.name not in SHEETS
    return Fault("must not be blank", "give the key a value" if is_key else "fill the cell in, or delete the row")


def finite_fault(column: Column) -> Fault:
    """Return what is said of an infinite number, and of one that is none."""
    default = "" if column.required else ", or leave it blank for the default"
    return Fault("must be a finite number", f"write the number itself{default}")


Where = Callable[[int, str], str]
"""Row number and column name to the words that locate a cell."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Coded:
    """The cells of one column as its distinct texts and, for every row, which of them it holds."""

    distinct: list[str]
    codes: Array


Cells = Sequence[str] | Array | Coded
"""The cells of one column as text, or as numbers or dates that a reader has parsed already."""

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SHOWN: Final = 60
LARGEST_NUMBER: Final = 10**9
"""Largest amount that a cell may hold: the product of two stays below what the solver takes for infinite, 1e20."""
_DTYPES: Final = {"text": "object", "number": "float64", "date": "datetime64[s]"}
BLANKS: Final[dict[str, Any]] = {"text": "", "number": np.nan, "integer": np.nan, "date": np.datetime64("NaT", "s")}
"""By kind of column: the blank cell as a frame holds it."""


@dataclass
class Parsed:
    """A table as typed columns, with the problems of its cells."""

    frame: pd.DataFrame  # the typed table; cells that could not be read are blank
    faults: list[tuple[str, Problem]] = field(default_factory=list)  # column and problem, row by row

    @property
    def problems(self) -> list[Problem]:
        """The problems alone."""
        return [problem for _, problem in self.faults]


def place(table: Table, row: int, column: str) -> str:
    """Say where a cell of an instance folder is: ``demand.csv row 7, cap_gw``."""
    if table.section:
        return f"{table.file} {column}" if table.name == "instance" else f"{table.file} [{table.name}] {column}"
    return f"{table.file} {f'row {row}' if row > 0 else 'inserted row'}, {column}"


def shown(value: object) -> str:
    """Return a value as messages show it: text in quotes on one line, numbers short, dates as ISO."""
    if isinstance(value, str):
        text = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) + "'"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return repr(float(value)).removesuffix(".0")
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[D]"))
    return str(value)


def is_name(table: Table, column: Column) -> bool:
    """Whether a column holds names by which rows refer to each other."""
    return column.kind == "text" and (bool(column.refers_to) or (column.key and not table.section))


def range_rule(column: Column) -> str:
    """Return the rule on a column's range in words, blank where there is none."""
    least, most = column.least, column.most
    parts = []
    if least is not None:
        parts.append(f"{'more than' if '(' in column.open_ends else 'at least'} {shown(least)}")
    if most is not None:
        parts.append(f"{'less than' if ')' in column.open_ends else 'at most'} {shown(most)}")
    return " and ".join(parts)


_LARGE: Final = Fault(f"must be at most {LARGEST_NUMBER}", "correct the number")


def _range_fault(column: Column) -> Fault:
    unit = f" ({column.unit})" if column.unit else ""
    remedy = "write a share such as 0.25, not a percentage" if column.most == 1.0 else f"check its sign and unit{unit}"
    return Fault(f"must be {range_rule(column)}", remedy)


def parsed(column: Column, cell: str) -> Any | Fault:
    """Return the value of one text cell, or the fault that keeps it from having one."""
    text = cell.strip()
    match column.kind:
        case "text":
            return text if column.choices else cell
        case "number" | "integer":
            if not text:
                return np.nan
            if _NUMBER.fullmatch(text):
                return float(text)
            return finite_fault(column) if _NOT_FINITE.fullmatch(text) else type_fault(column)
        case "date":
            return _parse_date(column, text)
        case "flag":
            return {"": None, "true": True, "false": False}.get(text.lower(), type_fault(column))


def _parse_date(column: Column, text: str) -> Any | Fault:
    if not text:
        return BLANKS["date"]
    if not _DATE.fullmatch(text):
        return type_fault(column)
    try:
        return np.datetime64(dt.date.fromisoformat(text), "s")
    except ValueError:
        return Fault("there is no such day", "correct the day, the month or the year")


def _array(kind: str, values: Sequence[Any] | Array) -> Any:
    """Return typed values as the array that a frame holds."""
    if kind == "flag":
        mask = np.array([value is None for value in values], dtype=bool)
        return pd.arrays.BooleanArray(np.array([bool(value) for value in values], dtype=bool), mask)
    if kind == "date":
        return np.array(values, dtype="datetime64[s]")
    if kind == "text":
        return np.asarray(values, dtype=object)
    return np.array(values, dtype=np.float64)


def _coded(cells: Sequence[str] | Coded) -> Coded:
    """Return the distinct cells of a column and, for every row, which of them it holds."""
    if isinstance(cells, Coded):
        return cells
    number = {cell: i for i, cell in enumerate(dict.fromkeys(cells))}
    return Coded(list(number), np.fromiter(map(number.__getitem__, cells), dtype=np.intp, count=len(cells)))


def _typed(column: Column, cells: Cells) -> tuple[Any, list[tuple[int, object, Fault]]]:
    """Return one column typed, and (position, cell, fault) of the cells that could not be read."""
    if isinstance(cells, np.ndarray):
        return cells, []
    if column.kind == "text" and not column.choices and not isinstance(cells, Coded):
        return _array(column.kind, cells), []
    coded = _coded(cells)
    values: list[Any] = []
    faults: list[tuple[int, object, Fault]] = []
    for i, cell in enumerate(coded.distinct):
        value = parsed(column, cell)
        if isinstance(value, Fault):
            faults += [(int(position), cell, value) for position in np.flatnonzero(coded.codes == i)]
            value = BLANKS.get(column.kind)
        values.append(value)
    return _array(column.kind, values)[coded.codes], faults


def frame_of(table: Table, columns: Mapping[str, Any], rows: Sequence[int] | pd.Index[Any]) -> pd.DataFrame:
    """Return a table's frame from typed columns; absent columns are blank."""
    index = rows if isinstance(rows, pd.Index) else pd.Index(np.array(rows, dtype=np.int64))
    names, places = _layout(table.name)
    blocks: list[tuple[Any, Array]] = []
    for kind, at in places.items():
        if kind == "flag":
            flags = [columns[name] if name in columns else [None] * len(index) for name in names[at]]
            blocks += [(pd.array(values, dtype="boolean"), at[i : i + 1]) for i, values in enumerate(flags)]
            continue
        block = np.empty((len(at), len(index)), dtype=_DTYPES[kind])
        for i, name in enumerate(names[at]):
            block[i] = columns[name] if name in columns else BLANKS[kind]
        blocks.append((block, at))
    # The ordinary constructor would turn text into pandas' own string type, and is ten times slower on small tables.
    frame: pd.DataFrame = create_dataframe_from_blocks(blocks, index, names)
    return frame


@cache
def _layout(name: str) -> tuple[pd.Index[Any], dict[str, Array]]:
    """Return the column names of a table and, for every kind, the places of its columns."""
    columns = allowed_columns({**TABLES, **SHEETS, **GIVEN}[name])
    kinds: list[str] = ["number" if column.kind == "integer" else column.kind for column in columns]
    places = {kind: np.flatnonzero([k == kind for k in kinds]) for kind in dict.fromkeys(kinds)}
    return pd.Index([column.name for column in columns], dtype=object), places


@cache
def _empty(name: str) -> pd.DataFrame:
    return frame_of(TABLES[name], {}, ())


def empty(table: Table) -> pd.DataFrame:
    """Return a table without rows, with the right columns and dtypes."""
    return _empty(table.name).copy(deep=False)


def parse(table: Table, cells: Mapping[str, Cells], rows: Sequence[int] | pd.Index[Any], where: Where) -> Parsed:
    """Type a table's text cells, apply every rule of the catalogue, and keep the columns that faults are in."""
    placed: list[tuple[int, int, Problem]] = []
    columns = {}
    known = [column for column in allowed_columns(table) if column.name in cells]
    for order, column in enumerate(known):
        columns[column.name], faults = _typed(column, cells[column.name])
        unread = {position for position, _, _ in faults}
        faults += [f for f in _value_faults(table, column, columns[column.name]) if f[0] not in unread]
        for position, cell, fault in faults:
            placed.append((position, order, _problem(fault, cell, where(int(rows[position]), column.name))))
    placed.sort(key=lambda item: item[:2])
    return Parsed(frame_of(table, columns, rows), [(known[order].name, problem) for _, order, problem in placed])


def check_cells(table: Table, frame: pd.DataFrame, where: Where | None = None) -> list[Problem]:
    """Return what is wrong with the single cells of a typed table: blanks, ranges, choices, names."""
    where = where or partial(place, table)
    problems = []
    for column in allowed_columns(table):
        if column.name in frame.columns:
            values = frame[column.name].array if column.kind == "flag" else frame[column.name].to_numpy()
            for position, cell, fault in _value_faults(table, column, values):
                problems.append(_problem(fault, cell, where(int(frame.index[position]), column.name)))
    return problems


def _problem(fault: Fault, cell: object, where: str) -> Problem:
    blank = isinstance(cell, str) and not cell.strip()
    return Problem(where, "blank" if blank else shown(cell), fault.rule, fault.remedy)


def _value_faults(table: Table, column: Column, values: Any) -> list[tuple[int, object, Fault]]:
    """Return (position, value, fault) of every cell of a typed column that breaks a rule of the catalogue."""
    if column.kind == "text":
        return _text_faults(table, column, values)
    blank = np.asarray(pd.isna(values), dtype=bool)
    faults: list[tuple[int, object, Fault]] = []
    if column.required and blank.any():
        faults += [(int(i), "", blank_fault(table)) for i in np.flatnonzero(blank)]
    if column.kind in ("number", "integer"):
        faults += _number_faults(column, values)
    return faults


def _number_faults(column: Column, values: Array) -> list[tuple[int, object, Fault]]:
    infinite = np.isinf(values)
    faults: list[tuple[Array, Fault]] = [(infinite, finite_fault(column))]
    if column.least is not None and column.most is None:
        faults.append((~infinite & (values > LARGEST_NUMBER), _LARGE))
    if column.kind == "integer":
        faults.append((~infinite & (values != np.floor(values)) & (values == values), type_fault(column)))
    outside = np.zeros(len(values), dtype=bool)  # comparisons with a blank (NaN) are false
    if column.least is not None:
        outside |= values <= column.least if "(" in column.open_ends else values < column.least
    if column.most is not None:
        outside |= values >= column.most if ")" in column.open_ends else values > column.most
    faults.append((outside & ~infinite, _range_fault(column)))
    return [(int(i), values[i], fault) for mask, fault in faults if mask.any() for i in np.flatnonzero(mask)]


def _text_faults(table: Table, column: Column, values: Array) -> list[tuple[int, object, Fault]]:
    judged: dict[object, Fault] = {}
    for cell in set(values.tolist()):
        fault: Fault | None = None
        if not cell.strip():
            fault = blank_fault(table) if column.required else None
        elif column.choices and cell not in column.choices:
            fault = choice_fault(column, cell)
        elif is_name(table, column):
            fault = name_fault(cell)
        if fault:
            judged[cell] = fault
    return [(i, cell, judged[cell]) for i, cell in enumerate(values.tolist()) if cell in judged] if judged else []


def filled_default(column: Column) -> Scalar:
    """Return what a blank cell of a column stands for; None where that is "none" or a value is required."""
    return None if column.required else column.default  # type: ignore[return-value]
