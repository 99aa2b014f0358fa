"""The cases of a grid, and cases written in a file, one row each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from optimizer.files import printable
from optimizer.instance.instance import Instance
from optimizer.language.axes import Axis, axis
from optimizer.language.edits import edit, spell
from optimizer.problems import InstanceError, Problem, all_told
from optimizer.studies.evaluate import csv_lines
from optimizer.studies.sweep.sweep import Task

MOST_CASES: Final = 100_000
"""Cases of one sweep, at most."""


def axes(instance: Instance, texts: Sequence[str]) -> list[Axis]:
    """Return the axes of a grid; every value of each fits the instance on its own.

    Raises
    ------
    InstanceError
        If a text is no axis, two are the same, or an edit names nothing; it carries every problem found. Or if there
        are more than `MOST_CASES` combinations, which is told before any edit is tried.
    """
    (found,) = all_told([partial(axis, text) for text in texts])
    names = [each.name for each in found]
    twice = [
        Problem(f"grid {n}", "given twice", "each axis stands once") for n in dict.fromkeys(names) if names.count(n) > 1
    ]
    if twice:
        raise InstanceError(twice)
    _refuse_too_many(found)
    all_told([partial(instance.edited, each) for one in found for each in one.edits])
    return list(found)


def _refuse_too_many(found: Sequence[Axis]) -> None:
    count = math.prod(len(each.values) for each in found)
    if count > MOST_CASES:
        rule = f"a sweep has at most {MOST_CASES:,}"
        raise InstanceError(Problem("grid", f"{count:,} cases", rule, "take fewer values, or draws: gwplan montecarlo"))


def grid(found: Sequence[Axis]) -> tuple[Task, ...]:
    """Return the cases of a grid: every value of each axis with every value of the others, the last varying fastest."""
    sides = [list(zip(each.edits, each.values, strict=True)) for each in found]
    names = [each.name for each in found]
    return tuple(
        Task(
            tuple(spell(change) for change, _ in point),
            dict(zip(names, (value for _, value in point), strict=True)),
        )
        for point in itertools.product(*sides)
    )


def written(path: str, instance: Instance) -> tuple[Task, ...]:
    """Return the cases of a CSV file, one a row; each column is a cell, its header as on the left side of an edit.

    A header is ``CELL``, ``CELL *=`` or ``CELL +=``, with ``@ FROM..UNTIL`` behind it where that is meant. A column
    called ``name`` names the cases. A blank leaves the cell as it is.

    Raises
    ------
    InstanceError
        If the file cannot be read, or a cell of it makes no edit that fits the instance; it carries every problem.
    """
    where, lines = csv_lines(path)
    if len(lines) < 2:
        rule = "a header names the cells, each row below it is a case"
        raise InstanceError(Problem(where, "holds no case", rule, "write 'risk.aversion' and below it 0.3"))
    if len(lines) - 1 > MOST_CASES:
        raise InstanceError(Problem(where, f"{len(lines) - 1:,} cases", f"a sweep has at most {MOST_CASES:,}"))
    header = [cell.strip() for cell in lines[0][1]]
    if len(set(header)) < len(header) or "" in header:
        raise InstanceError(Problem(where, "a header that is blank or stands twice", "each column is another cell"))
    (tasks,) = all_told([partial(_case, where, number, header, row, instance) for number, row in lines[1:]])
    return tuple(tasks)


def _case(where: str, number: int, header: Sequence[str], row: Sequence[str], instance: Instance) -> Task:
    """Return the case of a row, checked against the instance."""
    at = f"{printable(Path(where).name)} row {number}"
    if len(row) != len(header):
        raise InstanceError(Problem(at, f"{len(row)} cells", f"the header has {len(header)}"))
    spelt = list(_edits(header, row))
    try:
        edits = [edit(text) for text in spelt]
        instance.edited(*edits)
    except InstanceError as error:
        raise InstanceError([Problem(f"{at}: {p.where}", p.what, p.rule, p.remedy) for p in error.problems]) from None
    values = {name: _number(cell.strip()) for name, cell in zip(header, row, strict=True)}
    return Task(tuple(spell(change) for change in edits), values)


def _edits(header: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    for name, cell in zip(header, row, strict=True):
        if name == "name" or not cell.strip():
            continue
        target, at, dates = name.rpartition(" @ ") if " @ " in name else (name, "", "")
        operator = "" if target.rstrip().endswith("=") else " ="
        yield f"{target}{operator} {cell.strip()}{at}{dates}"


def _number(cell: str) -> str | float:
    try:
        value = float(cell)
    except ValueError:
        return cell
    return value if math.isfinite(value) else cell
