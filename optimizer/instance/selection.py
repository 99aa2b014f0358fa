"""The cells that an edit reaches: columns, values, matching rows, and the cut of a step function at dates."""

from __future__ import annotations

import datetime as dt
import fnmatch
import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from gwplan.catalogue.tables import TABLES, Column, Table, allowed_columns
from gwplan.instance.cells import BLANKS, filled_default, shown
from gwplan.language.cursor import Cell, Name
from gwplan.language.edits import GLOB, Edit, spell
from gwplan.problems import InstanceError, Problem, nearest

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

BLANK: Final[dict[str, Any]] = {**BLANKS, "flag": pd.NA}
"""By kind of column: what an edit writes into a cell that it clears."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")

ROW: Final = "row"
"""What conditions call the number of a row in its file; rows that edits inserted have -1, -2, ..."""


def refused(edit: Edit, what: str, rule: str, remedy: str = "") -> InstanceError:
    """Return the error that says why an edit cannot be applied."""
    return InstanceError(Problem(f"edit {edit.text or spell(edit)}", what, rule, remedy))


def column_of(edit: Edit, table: Table, name: str) -> Column:
    """Return a column of the table that the edit names."""
    columns = {column.name: column for column in allowed_columns(table)}
    if name not in columns:
        raise refused(edit, f"column '{name}'", f"{table.name} has no such column", nearest(name, columns))
    return columns[name]


def typed(edit: Edit, column: Column, value: Cell) -> Any:
    """Return a value as the column stores it; ``""`` becomes the column's blank."""
    if value == "" and isinstance(value, str):
        return BLANK[column.kind]
    if column.kind == "text":
        if isinstance(value, str):
            return value
        raise refused(edit, f"{column.name}: {shown(value)}", f"{column.name} is text", "put it in double quotes")
    if column.kind == "date":
        return _date(edit, column, value)
    if column.kind == "flag":
        if isinstance(value, bool):
            return value
        raise refused(edit, f"{column.name}: {shown(value)}", f"{column.name} is true or false")
    number = finite(edit, column.name, value)
    if column.kind == "integer" and not number.is_integer():
        raise refused(edit, f"{column.name}: {shown(value)}", f"{column.name} is a whole number")
    return number


def finite(edit: Edit, name: str, value: Cell) -> float:
    """Return a value as a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise refused(edit, f"{name}: {shown(value)}", f"{name} takes a finite number")


def _date(edit: Edit, column: Column, value: Cell) -> np.datetime64:
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            return np.datetime64(dt.date.fromisoformat(value), "s")
        except ValueError as error:
            raise refused(edit, f"{column.name}: '{value}'", "there is no such date") from error
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return np.datetime64(value, "s")
    raise refused(edit, f"{column.name}: {shown(value)}", f"{column.name} is a date, written YYYY-MM-DD")


def stamp(date: dt.date | None) -> np.datetime64 | None:
    """Return a date in the resolution of the tables."""
    return None if date is None else np.datetime64(date, "s")


def select(edit: Edit, table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, Mask]:
    """Return the rows that an edit reaches."""
    mask = matching(edit, table, frame)
    start, until = stamp(edit.start), stamp(edit.until)
    if start is None and until is None:
        return frame, mask
    if not table.dated_by:
        dated = ", ".join(t.name for t in TABLES.values() if t.dated_by)
        raise refused(edit, "dates", f"{table.name} is undated: an edit of it takes no dates", f"dated are {dated}")
    if start is not None and until is not None and start >= until:
        raise refused(edit, f"from {edit.start} until {edit.until}", "the range of dates is empty")
    if table.step:
        frame, mask = _cut(table, frame, mask, start, until)
    else:
        mask = mask & _within(frame[table.dated_by].to_numpy(), start, until)
    if not mask.any():
        dates = " ".join(f"{word} {date}" for word, date in (("from", edit.start), ("until", edit.until)) if date)
        raise refused(edit, f"no matching row of {table.name} {dates}", "an edit must reach at least one row")
    return frame, mask


def matching(edit: Edit, table: Table, frame: pd.DataFrame) -> Mask:
    """Return which rows match every pattern of the edit's ``where``."""
    rule = "an edit must match at least one row"
    if frame.empty:
        raise refused(edit, f"{table.name} has no rows", rule)
    mask = np.ones(len(frame), dtype=np.bool_)
    for name, pattern in edit.where.items():
        if name == ROW:
            met = np.asarray(frame.index == pattern, dtype=np.bool_)
            if not met.any():
                raise refused(edit, f"no row {shown(pattern)} in {table.name}", rule)
            mask &= met
            continue
        column = column_of(edit, table, name)
        met = hits(column, frame[name], pattern, typed(edit, column, pattern))
        if not met.any():
            known = frame[name].dt.strftime("%Y-%m-%d") if column.kind == "date" else frame[name].astype(str)
            hint = nearest(str(pattern), (value for value in known.dropna() if value))
            raise refused(edit, f"no row of {table.name} has {name} {shown(pattern)}", rule, hint)
        mask &= met
    if not mask.any():
        raise refused(edit, f"no row of {table.name} matches {' and '.join(edit.where)} together", rule)
    return mask


def picks(table: Table, frame: pd.DataFrame, by: Sequence[str] = ()) -> list[dict[str, Cell]]:
    """Return for each row the conditions that no other row meets: its key, and its number where that stands twice.

    Deliveries, which have no key, go by contract and date, or by the columns given.
    """
    by = by or table.key or ("contract", "date")
    picked = [dict(zip(by, map(_picked, cells), strict=True)) for cells in zip(*(frame[n] for n in by), strict=True)]
    twins = frame.duplicated(list(by), keep=False).tolist()
    return [
        {**cells, **({ROW: row} if twin else {})} for cells, row, twin in zip(picked, frame.index, twins, strict=True)
    ]


def _picked(value: Any) -> Cell:
    if isinstance(value, pd.Timestamp):
        return value.date()
    return Name(value) if isinstance(value, str) else float(value)


def hits(column: Column, series: pd.Series, pattern: Cell, value: Any) -> Mask:
    """Return which cells of a column match: text by glob or exact name, the rest by value, blanks as their default."""
    if column.kind == "text":
        cells = series.to_numpy()
        if isinstance(value, Name) or GLOB.isdisjoint(value):
            return np.asarray(cells == value, dtype=np.bool_)
        number, names = pd.factorize(cells)
        return np.array([*map(partial(meets, value), names), False], dtype=np.bool_)[number]
    if pattern == "" and isinstance(pattern, str):
        return series.isna().to_numpy()
    default = filled_default(column)
    if default is not None:
        series = series.fillna(default)
    return np.asarray(series.to_numpy(np.float64 if column.kind == "flag" else None) == value, dtype=np.bool_)


def meets(pattern: str, name: str) -> bool:
    """Return whether a pattern matches a name: its glob, or the name itself."""
    if pattern == name:
        return True
    return not (isinstance(pattern, Name) or GLOB.isdisjoint(pattern)) and _glob(pattern)(name) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(fnmatch.translate(pattern)).match


def _within(dates: npt.NDArray[Any], start: np.datetime64 | None, until: np.datetime64 | None) -> Mask:
    inside = np.ones(len(dates), dtype=np.bool_) if start is None else dates >= start
    return inside if until is None else inside & (dates < until)


def _cut(
    table: Table, frame: pd.DataFrame, matched: Mask, start: np.datetime64 | None, until: np.datetime64 | None
) -> tuple[pd.DataFrame, Mask]:
    """Repeat the rows in force at both dates on those dates, for every owner that the range reaches.

    A repeated row stands behind the rows that it repeats, keeps their row number, and matches where they match.
    """
    owners, dates = owners_of(table, frame), frame[table.dated_by].to_numpy()
    selected = np.zeros(len(frame), dtype=np.bool_)
    copies: list[tuple[Rows, np.datetime64, Mask]] = []
    for owner in dict.fromkeys(owners[matched]):
        rows = np.flatnonzero(owners == owner)
        inside = rows[matched[rows] & _within(dates[rows], start, until)]
        opening, closing = _in_force(rows, dates, start), _in_force(rows, dates, until)
        opened = matched[opening]
        if not inside.size and not opened.any():
            continue
        selected[inside] = True
        if start is not None and opening.size:
            copies.append((opening, start, opened))
        if until is not None and closing.size:
            copies.append((closing, until, np.zeros(len(closing), dtype=np.bool_)))
    return _with_copies(table, frame, selected, copies) if copies else (frame, selected)


def owners_of(table: Table, frame: pd.DataFrame) -> npt.NDArray[Any]:
    """Return whose step function each row belongs to: the key's columns before the date, several as one number."""
    names = list(table.key[: table.key.index(table.dated_by)])
    return frame[names[0]].to_numpy() if len(names) == 1 else frame.groupby(names, sort=False).ngroup().to_numpy()


def _in_force(rows: Rows, dates: npt.NDArray[Any], date: np.datetime64 | None) -> Rows:
    """Return the rows to repeat at a date: those in force on it, none where rows begin on that very date."""
    if date is None:
        return rows[:0]
    earlier = rows[dates[rows] <= date]
    if not earlier.size or dates[earlier].max() == date:
        return rows[:0]
    return earlier[np.flatnonzero(dates[earlier] == dates[earlier].max())]


def _with_copies(
    table: Table, frame: pd.DataFrame, selected: Mask, copies: list[tuple[Rows, np.datetime64, Mask]]
) -> tuple[pd.DataFrame, Mask]:
    count = np.arange(len(frame))
    source = np.concatenate([count, *(rows for rows, _, _ in copies)])
    place = np.concatenate([count, *(np.full(len(rows), rows.max() + 0.5) for rows, _, _ in copies)])
    dates = np.concatenate([frame[table.dated_by].to_numpy(), *(np.full(len(rows), date) for rows, date, _ in copies)])
    mask = np.concatenate([selected, *(opened for _, _, opened in copies)])
    order = np.argsort(place, kind="stable")
    return with_column(frame.take(source[order]), table.dated_by, dates[order]), mask[order]


def with_column(frame: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """Return the frame with one column replaced; the frame itself and its dtypes stay."""
    changed = frame.copy(deep=False)
    text = frame[name].dtype == object
    # pandas would guess its own string type; the format's text columns are plain objects
    changed[name] = pd.Series(values, index=frame.index, dtype=object) if text else values
    return changed
