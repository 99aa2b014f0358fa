"""Draws an edit of any table by any operation: most leave a plan, some leave none, some break a rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import TABLES, Column, Table
from gwplan.instance.edit import EDITABLE
from gwplan.instance.instance import Instance
from gwplan.language.cursor import Cell
from gwplan.language.edits import Edit

CHANGES = {
    "text": ("set",),
    "flag": ("set",),
    "number": ("set", "scale", "add"),
    "integer": ("set", "scale", "add"),
    "date": ("set", "shift_months"),
}
"""What can be done to the cells of each kind of column."""


def every_operation() -> list[tuple[str, str]]:
    """Return each table with each operation that it takes; probabilities are the table ``uncertainty``."""
    pairs: dict[tuple[str, str], None] = {}
    for name in EDITABLE:
        table = TABLES[name]
        pairs |= {(name, operation): None for column in table.columns for operation in CHANGES[column.kind]}
        if not table.section:
            pairs |= {(name, "insert"): None, (name, "drop"): None}
    return [*pairs, ("uncertainty", "set"), ("uncertainty", "scale")]


def draw_edit(instance: Instance, rng: np.random.Generator, table: str, operation: str) -> Edit | None:
    """Return an edit of that table by that operation, None where the instance has no cell for it."""
    if table == "uncertainty":
        return _reweighting(instance, rng, operation)
    about, frame = TABLES[table], instance.filled(table)
    if operation == "insert":
        return Edit(table, "insert", _new_row(instance, rng, about))
    if not len(frame):
        return None
    where = {} if about.section else _where(about, frame.iloc[int(rng.integers(len(frame)))])
    if operation == "drop":
        return Edit(table, "drop", where)
    columns = [column for column in about.columns if operation in CHANGES[column.kind]]
    column = columns[int(rng.integers(len(columns)))]
    start = until = None
    if about.dated_by and rng.random() < 0.4:
        start = _date(instance, rng)
        until = start + dt.timedelta(days=int(rng.integers(1, 400))) if rng.random() < 0.5 else None
    value = _operand(instance, rng, column, operation)
    return Edit(table, operation, where, column.name, value, start, until)  # type: ignore[arg-type]


def impossible(instance: Instance, rng: np.random.Generator) -> Edit:
    """Return an edit that no plan survives: more is asked for than all the contracts will ever deliver."""
    pathways = instance.tables["pathways"]["pathway"].tolist()
    cells: dict[str, Cell] = {"pathway": pathways[int(rng.integers(len(pathways)))], "pool": ""}
    return Edit("locks", "insert", {**cells, "from": dt.date(2000, 1, 1), "min_gw": 1e4})


def _reweighting(instance: Instance, rng: np.random.Generator, operation: str) -> Edit | None:
    uncertain = [factor for factor in instance.factors if len(factor.outcomes) > 1]
    if not uncertain:
        return None
    factor = uncertain[int(rng.integers(len(uncertain)))]
    where: dict[str, Cell] = {"factor": factor.name, "outcome": factor.outcomes[0].name}
    if any(outcome.probability_given for outcome in factor.outcomes):
        where["given"] = ""
    value = round(float(rng.uniform(0.05, 0.95)), 3)
    return Edit("uncertainty", operation, where, "probability", value)  # type: ignore[arg-type]


def _where(table: Table, row: pd.Series[Any]) -> dict[str, Cell]:
    """Return what selects a row, and perhaps others of the same name."""
    keys = table.key or (table.columns[0].name,)
    return {name: _cell(row[name]) for name in keys[:1]}


def _cell(value: Any) -> Cell:
    if isinstance(value, pd.Timestamp):
        return value.date()
    cell: Cell = value
    return cell


def _new_row(instance: Instance, rng: np.random.Generator, table: Table) -> dict[str, Cell]:
    """Return a row of the required cells and of one other."""
    others = [column for column in table.columns if not column.required]
    chosen = [column for column in table.columns if column.required]
    if others:
        chosen.append(others[int(rng.integers(len(others)))])
    return {column.name: _operand(instance, rng, column, "set") for column in chosen}


def _operand(instance: Instance, rng: np.random.Generator, column: Column, operation: str) -> Cell:
    if operation == "shift_months":
        return int(rng.integers(-3, 7))
    if column.kind == "date":
        return _date(instance, rng)
    if column.kind == "flag":
        return False
    if column.kind == "text":
        return _text(instance, rng, column)
    if column.kind == "integer":
        return int(rng.integers(1, 4)) if operation != "scale" else 1
    if operation == "scale":
        return round(float(rng.uniform(0.6, 1.4)), 3)
    most = min(column.most or 2.0, 2.0)
    return round(float(rng.uniform(column.least or 0.0, most if operation == "set" else most / 10)), 3)


def _text(instance: Instance, rng: np.random.Generator, column: Column) -> str:
    names = column.choices
    if column.refers_to:
        names = tuple(instance.tables[column.refers_to][TABLES[column.refers_to].key[0]])
    return str(names[int(rng.integers(len(names)))]) if names else f"new {rng.integers(100)}"


def _date(instance: Instance, rng: np.random.Generator) -> dt.date:
    return instance.start + dt.timedelta(days=int(rng.integers(-30, 500)))
