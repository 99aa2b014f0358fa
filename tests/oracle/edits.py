"""Edits of an outcome, applied one after the other to the rows of an instance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from tests.oracle.reading import (
    ANNOTATIONS,
    DEFAULTS,
    REQUIRED,
    TEXTS,
    Book,
    OracleError,
    Row,
    add_months,
    as_date,
    row_of,
    typed,
)

Edit = dict[str, Any]
STEPS = {
    "demand": ("pathway",),
    "value": ("pathway",),
    "curves": ("pathway",),
    "offer_prices": ("contract",),
    "effectiveness": ("pathway", "pool"),
}
DATED = {
    "demand": "from",
    "value": "from",
    "curves": "from",
    "deliveries": "date",
    "churn": "date",
    "offer_prices": "from",
    "effectiveness": "from",
}
OPERATIONS = ("set", "scale", "add", "shift_months", "insert", "drop")


def edited(book: Book, edits: Iterable[Edit]) -> Book:
    """Return a copy of the book with the edits applied in order."""
    book = {table: [dict(row) for row in rows] for table, rows in book.items()}
    for edit in edits:
        apply(book, edit)
    return book


def apply(book: Book, edit: Edit) -> None:
    """Apply one edit to the book in place."""
    table = edit["table"]
    if table not in DEFAULTS:
        raise OracleError(f"an outcome may not edit {table}: {edit}")
    operations = [name for name in OPERATIONS if name in edit]
    if len(operations) != 1 or set(edit) - {"table", "where", "column", "from", "until", *OPERATIONS}:
        raise OracleError(f"not an edit: {edit}")
    if operations == ["insert"]:
        if table == "eligibility" and table not in book:
            raise OracleError("a pair inserted where every pair is eligible already")
        book.setdefault(table, []).append(row_of(table, edit["insert"]))
        return
    if table == "eligibility" and table not in book:
        pairs = [(p["pathway"], q["pool"]) for p in book["pathways"] for q in book["pools"]]
        book[table] = [row_of(table, {"pathway": p, "pool": q}) for p, q in pairs]
    chosen = in_range(book, table, edit, [row for row in book.get(table, []) if matches(table, row, edit)])
    if not chosen:
        raise OracleError(f"nothing matches {edit}")
    if operations == ["drop"]:
        drop(book, table, chosen)
        return
    for row in chosen:
        row[edit["column"]] = changed(table, row, edit, operations[0])


def matches(table: str, row: Row, edit: Edit) -> bool:
    """Whether every column of ``where`` matches: a glob on text, equality on the rest; a blank is its default."""
    for column, pattern in edit.get("where", {}).items():
        cell = default_of(table, column) if row[column] is None else row[column]
        if column in TEXTS:
            if not fnmatchcase(cell, str(pattern)):
                return False
        elif cell is REQUIRED or cell != typed(column, pattern):
            return False
    return True


def default_of(table: str, column: str) -> Any:
    """Return what a blank cell of the column stands for."""
    return {**ANNOTATIONS, **DEFAULTS[table]}[column]


def in_range(book: Book, table: str, edit: Edit, chosen: list[Row]) -> list[Row]:
    """Return the chosen rows dated in ``[from, until)``, after cutting the steps at both dates."""
    start = as_date(edit["from"]) if "from" in edit else None
    until = as_date(edit["until"]) if "until" in edit else None
    if start is None and until is None:
        return chosen
    if table not in DATED:
        raise OracleError(f"{table} has no dates to select by: {edit}")
    if table in STEPS:
        for date in (start, until):
            if date is not None:
                chosen = chosen + repeat_rows_in_force(book[table], chosen, date, STEPS[table])
    dates = [row[DATED[table]] for row in chosen]
    return [
        row
        for row, date in zip(chosen, dates, strict=True)
        if date is not None and (start is None or date >= start) and (until is None or date < until)
    ]


def repeat_rows_in_force(rows: list[Row], chosen: list[Row], when: dt.date, owner: tuple[str, ...]) -> list[Row]:
    """Start a new step on a date with the rows in force then; return the copies of chosen rows."""
    inherited = []
    for names in sorted({tuple(row[column] for column in owner) for row in chosen}):
        own = [row for row in rows if tuple(row[column] for column in owner) == names and row["from"] <= when]
        latest = max((row["from"] for row in own), default=when)
        if latest == when:
            continue
        for row in [row for row in own if row["from"] == latest]:
            copy = {**row, "from": when}
            rows.append(copy)
            if any(row is one for one in chosen):
                inherited.append(copy)
    return inherited


def changed(table: str, row: Row, edit: Edit, operation: str) -> Any:
    """Return the new cell; scale, add and shift leave "none" as it is."""
    column, operand = edit["column"], edit[operation]
    if operation == "set":
        return typed(column, operand)
    cell = default_of(table, column) if row[column] is None else row[column]
    if cell is None:
        return None
    if operation == "shift_months":
        return add_months(cell, operand)
    return cell * operand if operation == "scale" else cell + operand


def drop(book: Book, table: str, chosen: list[Row]) -> None:
    """Drop rows and whatever refers to a dropped contract, pathway or pool."""
    book[table] = [row for row in book[table] if not any(row is one for one in chosen)]
    column = {"contracts": "contract", "pathways": "pathway", "pools": "pool"}.get(table)
    if column is None:
        return
    names = {row[column] for row in chosen}
    for other in list(book):
        hanging = [
            row
            for row in book[other]
            if row.get(column) in names or (column == "contract" and row.get("extends") in names)
        ]
        if other != table and hanging:
            drop(book, other, hanging)
