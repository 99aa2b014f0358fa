"""Tornados: each input lower and higher, one at a time, and which of them the plan hangs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import LEVERS, TABLES
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.check.check import check
from gwplan.instance.edit import rows_of
from gwplan.instance.instance import Instance
from gwplan.instance.selection import picks, select
from gwplan.language.axes import ValueAxis, limits
from gwplan.language.edits import Edit, Lever, noted, spell
from gwplan.plan.claims import STATUSES
from gwplan.problems import InstanceError, Problem, all_told
from gwplan.storage.toml import MOST_LETTERS, levers_toml, read_levers
from gwplan.studies.exposure import UNVERIFIED, Group, groups
from gwplan.studies.sweep.sweep import OPTIMAL, Results, Task

COLUMNS: Final = [
    "input",
    "status",
    "cells",
    "range",
    "base",
    "down",
    "up",
    "swing",
    "first_moves_changed_gw",
    "reason",
]
"""Columns of a tornado's table."""


MOST_EDITS: Final = 60
"""Edits of one lever, at most."""


@dataclass(frozen=True)
class Input:
    """An input and its two cases."""

    name: str  # its cells in words
    status: str  # how sure they are; blank where that is not said, or differs
    cells: int  # how many they are
    range: str  # how far it goes down and up
    # what makes it so; none where it is at its largest or smallest value already
    down: tuple[Edit, ...]
    up: tuple[Edit, ...]
    owner: str | None = None
    blank: bool = False


def inputs(
    instance: Instance, share: float, ranges: Sequence[str], *, each: bool, every: bool, only: bool
) -> list[Input]:
    """Return the inputs to swing: those with a range of their own, and the other cells by a share.

    A range is ``CELL = LOW..HIGH`` or ``CELL *= LOW..HIGH``; what it reaches is not swung by the share too, and with
    `only` nothing else is swung. With `each` every cell is an input of its own; `every` swings cells that are reported
    as well.
    """
    (own,) = all_told([partial(limits, text) for text in ranges])
    all_told([partial(instance.edited, edit) for one in own for edit in one.edits])
    names = [one.name for one in own]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        rule = "an input has one range"
        raise InstanceError([Problem(f"range {name}", "given twice", rule, "leave one of them out") for name in twice])
    mine = [_own(instance, one) for one in own]
    if not only:
        statuses = STATUSES if every else UNVERIFIED
        for group in groups(instance, each=each, statuses=statuses):
            left = _without(instance, group, own)
            if len(left.rows):
                down, up = (tuple(left.edits(sign * share)) for sign in (-1, 1))
                written = instance.tables[group.table.name][group.column.name]
                blank = not written[written.index.isin(left.rows.index)].notna().any()
                name, cells = group.name, len(left.rows)
                mine.append(Input(name, group.status, cells, f"{share:.4g}", down, up, group.owner, blank))
    if not mine:
        rule = "a tornado swings cells that are not reported, or those with a --range"
        raise InstanceError(Problem("inputs", "none", rule, "give --all, or --range 'CELL = LOW..HIGH'"))
    return mine


def _one(each: Input, other: Input, down: float, up: float, row: Mapping[str, Any]) -> bool:
    """Return whether two inputs are one assumption: of one owner, and with one swing as far as both swing."""
    ways = ((each.down, other.down, down, row["down"]), (each.up, other.up, up, row["up"]))
    both = [(mine, its) for edits, others, mine, its in ways if edits and others]
    same = all(np.isclose(mine, its, rtol=ROUNDING, atol=ROUNDING, equal_nan=True) for mine, its in both)
    return each.owner is not None and each.owner == other.owner and bool(both) and same and not row["reason"]


def _joined(name: str, other: str) -> str:
    """Return the name of inputs that swing as one, whose they are once."""
    first, _, owner = name.partition(" [")
    return f"{first} = {other}" if owner == other.partition(" [")[2] else f"{name} = {other}"


def _own(instance: Instance, one: ValueAxis) -> Input:
    """Return an input with its own range."""
    first = one.edits[0]
    statuses, cells = {""}, 1
    if first.table in TABLES and not TABLES[first.table].section:
        rows = _reached(instance, first)
        statuses, cells = set(rows["status"]), len(rows)
    low, high = one.values
    status = statuses.pop() if len(statuses) == 1 else ""
    return Input(one.name, status, cells, f"{low:.6g}..{high:.6g}", one.edits[:1], one.edits[1:])


def _without(instance: Instance, group: Group, own: Sequence[ValueAxis]) -> Group:
    """Return a group without the cells that have a range of their own throughout."""
    rows = group.rows
    for first in (one.edits[0] for one in own):
        if (first.table, first.column) == (group.table.name, group.column.name) and not (first.start or first.until):
            taken = {tuple(where.items()) for where in _reached(instance, first)["picked"]}
            rows = rows[[tuple(where.items()) not in taken for where in rows["picked"]]]
    return replace(group, rows=rows)


def _reached(instance: Instance, edit: Edit) -> pd.DataFrame:
    """Return the rows that an edit reaches on some date, and what picks each."""
    table = TABLES[edit.table]
    frame, mask = select(
        replace(edit, start=None, until=None), table, rows_of(table, instance.tables, instance.present)
    )
    return frame.assign(picked=pd.Series(picks(table, frame), index=frame.index, dtype=object))[mask]


def levers(instance: Instance, swung: Sequence[Input], table: pd.DataFrame, most: int) -> tuple[Lever, ...]:
    """Return the inputs that swing the figure most as levers, with the ranges that they were swung over.

    Left out are those that swing nothing, or have no plan one way, and those that a lever cannot move: cells that hold
    whole numbers, or more edits than a planner reads. Of inputs that swing as one the first is the lever.
    """
    made: list[Lever] = []
    for row in table[(table["swing"] > 0) & (table["reason"] == "")].to_dict("records"):
        first, _, owner = row["input"].partition(" [")
        name = first.partition(" = ")[0] + (f" [{owner}" if owner else "")
        known = [each for each in swung if each.name in (row["input"], name)]
        lever = _lever(instance, known[0]) if known and len(made) < most else None
        made += [lever] if lever is not None else []
    return tuple(made)


def _lever(instance: Instance, swung: Input) -> Lever | None:
    """Return an input as a lever; None where there is none that fits."""
    pairs = list(zip(swung.down, swung.up, strict=False))
    if not pairs or len(pairs) > MOST_EDITS or len(swung.down) != len(swung.up):
        return None
    edits, ends = _moved(instance, pairs[0]) if ".." in swung.range else _scaled(instance, pairs)
    if not edits or not ends[0] < ends[1]:
        return None
    table = TABLES.get(edits[0].table)
    whole = edits[0].operation == "shift_months" or (table is not None and table[edits[0].column].kind == "integer")
    step = 1.0 if whole else float(f"{(ends[1] - ends[0]) / 20:.4g}")
    unit = {"scale": "x as written", "shift_months": "months"}.get(edits[0].operation, "")
    lever = Lever(swung.name[:MOST_LETTERS].strip(), tuple(map(noted, edits)), *ends, step, unit, edits[0].table)
    read, problems = read_levers(levers_toml([lever]), LEVERS.file)
    problems += check(replace(instance, levers=read), warnings=False)
    return None if any(problem.severity == "error" for problem in problems) else lever


def _moved(instance: Instance, pair: tuple[Edit, Edit]) -> tuple[list[Edit], tuple[float, float]]:
    """Return the edit of an input with a range of its own where it changes nothing, and that range."""
    first, last = pair
    start: Any = {"scale": 1, "add": 0, "shift_months": 0}.get(first.operation)
    if start is None and first.table in TABLES:
        table = TABLES[first.table]
        frame = instance.filled(first.table)
        cells = frame[first.column] if table.section else frame.loc[_reached(instance, first).index, first.column]
        start = float(cells.iloc[0]) if cells.nunique(dropna=False) == 1 and cells.notna().all() else None
    ends = float(first.value), float(last.value)  # type: ignore[arg-type]
    return ([replace(first, value=start)], ends) if start is not None and ends[0] <= start <= ends[1] else ([], ends)


def _scaled(instance: Instance, pairs: Sequence[tuple[Edit, Edit]]) -> tuple[list[Edit], tuple[float, float]]:
    """Return edits that scale the cells of a group by 1, and how far all of them go down and up."""
    least, most = 0.0, np.inf
    for first, last in pairs:
        (cell,) = _reached(instance, first)[first.column].astype(float).unique().tolist() or [np.nan]
        least, most = max(least, float(first.value) / cell), min(most, float(last.value) / cell)  # type: ignore[arg-type]
    edits = [replace(first, operation="scale", value=1) for first, _ in pairs]
    return edits, (float(f"{least:.6g}"), float(f"{most:.6g}"))


def tasks(swung: Sequence[Input]) -> tuple[Task, ...]:
    """Return two cases for each input: down, up."""
    return tuple(
        Task(tuple(spell(edit) for edit in edits), {"input": each.name, "status of input": each.status, "swing": way})
        for each in swung
        for way, edits in (("down", each.down), ("up", each.up))
    )


def tornado(swung: Sequence[Input], results: Results, figure: str) -> pd.DataFrame:
    """Return the swing of a figure by input, the largest first.

    Columns: ``input`` (those of one owner whose swings are one joined by ``=``), ``status``, ``cells``, ``range``, the
    figure ``base``, ``down`` and ``up`` (blank without a plan), ``swing`` (from the least to the most of the three),
    ``first_moves_changed_gw`` (the most that a pathway's GW in the first period changes either way) and ``reason`` why
    a case has no plan. Cells left blank that swing nothing are left out.
    """
    rows: list[tuple[Input, dict[str, Any]]] = []
    base = float(results.base[figure])
    for number, each in enumerate(swung):
        cases = results.rows[2 * number : 2 * number + 2]
        down, up = (float(row[figure]) if row["status"] == OPTIMAL else np.nan for row in cases)
        known = [value for value in (base, down, up) if np.isfinite(value)]
        moved = [row["first_moves_changed_gw"] for row in cases if row["status"] == OPTIMAL]
        reasons = [f"{way}: {row['reason']}" for way, row in zip(("down", "up"), cases, strict=True) if row["reason"]]
        swing = max(known) - min(known)
        if each.blank and not swing and not reasons:  # a default that nothing hangs on
            continue
        alike = next((k for k, (other, row) in enumerate(rows) if swing and _one(each, other, down, up, row)), None)
        row = {
            "input": each.name,
            "status": each.status,
            "cells": each.cells,
            "range": each.range,
            "base": base,
            "down": down,
            "up": up,
            "swing": swing,
            "first_moves_changed_gw": max(moved, default=np.nan),
            "reason": "; ".join(reasons),
        }
        if alike is None:
            rows.append((each, row))
        else:
            other, same = rows[alike]
            whole = row if each.down and each.up else same
            status = each.status if each.status == same["status"] else ""
            joined = {"input": _joined(same["input"], each.name), "status": status, "cells": same["cells"] + each.cells}
            rows[alike] = (each if whole is row else other, {**whole, **joined})
    table = pd.DataFrame([row for _, row in rows])
    order = np.lexsort((-table["swing"].to_numpy(), table["reason"].to_numpy() != ""))
    return table.iloc[order].reset_index(drop=True)
