"""The cases of a grid, and cases written in a file, one row each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from gwplan.check.check import raise_errors
from gwplan.instance.instance import Instance
from gwplan.language.axes import ValueAxis, axis
from gwplan.language.cursor import NUMBER
from gwplan.language.edits import edit, spell
from gwplan.problems import InstanceError, Problem, all_told
from gwplan.storage.read import given_rows
from gwplan.studies.sweep.sweep import Task

MOST_CASES: Final = 100_000
"""Cases of one sweep, at most."""


def axes(instance: Instance, texts: Sequence[str]) -> list[ValueAxis]:
    """Return the axes of a grid; every value of each fits the instance on its own.

    Raises
    ------
    InstanceError
        If a text is no axis, two are the same, or an edit names nothing; it carries every problem found. Or if there
        are more than `MOST_CASES` combinations, which is told before any edit is tried.
    """
    (sides,) = all_told([partial(axis, text) for text in texts])
    names = [each.name for each in sides]
    twice = [
        Problem(f"grid {n}", "given twice", "each axis stands once") for n in dict.fromkeys(names) if names.count(n) > 1
    ]
    if twice:
        raise InstanceError(twice)
    count = math.prod(len(each.values) for each in sides)
    if count > MOST_CASES:
        rule = f"a sweep has at most {MOST_CASES:,}"
        raise InstanceError(Problem("grid", f"{count:,} cases", rule, "take fewer values, or draws: gwplan montecarlo"))
    all_told([partial(instance.edited, each) for one in sides for each in one.edits])
    return list(sides)


def grid(axes_: Sequence[ValueAxis]) -> tuple[Task, ...]:
    """Return the cases of a grid: every value of each axis with every value of the others, the last varying fastest."""
    sides = [list(zip(each.edits, each.values, strict=True)) for each in axes_]
    names = [each.name for each in axes_]
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
    """
    file, header, rows, problems = given_rows(path)
    if len(rows) > MOST_CASES:
        raise InstanceError(Problem(file, f"{len(rows):,} cases", f"a sweep has at most {MOST_CASES:,}"))
    if len(set(header)) < len(header) or "" in header:
        raise InstanceError(Problem(file, "a header that is blank or stands twice", "each column is another cell"))
    cases = [partial(_case, f"{file} row {number}", header, row, instance) for number, row in rows.items()]
    _, tasks = all_told([partial(raise_errors, problems)], cases)
    return tuple(tasks)


def _case(at: str, header: Sequence[str], row: Sequence[str], instance: Instance) -> Task:
    """Return the case of a row, checked against the instance."""
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
    return float(cell) if NUMBER.fullmatch(cell) and math.isfinite(float(cell)) else cell
