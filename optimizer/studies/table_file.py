"""Small tables that a command is given as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from optimizer.problems import InstanceError, Problem, nearest
from optimizer.storage.sources import printable, read_file

Lines = list[tuple[int, list[str]]]
"""Rows that are not blank, each with its number in the file."""


def csv_lines(path: str | Path) -> tuple[str, Lines]:
    """Return the name of a CSV file, for messages, and its rows.

    Raises
    ------
    InstanceError
        If it cannot be read.
    """
    sources = read_file(path)
    if sources.problems:
        raise InstanceError(sources.problems)
    where, text = next(iter(sources.texts.items()))
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        return where, [(n, row) for n, row in enumerate(rows, start=1) if any(row)]
    except csv.Error as error:
        raise InstanceError(Problem(where, "cannot be read as CSV", str(error))) from None


def table_rows(path: str, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Return each row of a CSV file with these columns, in any order, and where it stands.

    Raises
    ------
    InstanceError
        If the file cannot be read, has other columns or no rows, or a row has other cells than the header.
    """
    where, lines = csv_lines(path)
    header = [name.strip() for name in lines[0][1]] if lines else []
    told = ",".join(columns)
    if sorted(header) != sorted(columns):
        unknown = [name for name in header if name not in columns]
        what = f"column '{unknown[0]}'" if unknown else f"the header '{','.join(header)}'"
        hint = nearest(unknown[0], columns) if unknown else f"write {told}"
        raise InstanceError(Problem(where, what, f"the columns are {told}", hint))
    if len(lines) < 2:
        raise InstanceError(Problem(where, "holds no row", f"below the header {told} each row says one thing"))
    short = printable(Path(where).name)
    wrong = [
        Problem(
            f"{short} row {number}", f"{len(row)} cells", f"the header has {len(header)}", "quote cells with commas"
        )
        for number, row in lines[1:]
        if len(row) != len(header)
    ]
    if wrong:
        raise InstanceError(wrong)
    return [
        (f"{short} row {number}", {name: cell.strip() for name, cell in zip(header, row, strict=True)})
        for number, row in lines[1:]
    ]
