"""The linear program as a file that other solvers read, its names those of the formulation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import numpy as np

from optimizer.files import printable, refuse_occupied, whole_file
from optimizer.instance.instance import Instance
from optimizer.problems import InstanceError, Problem
from optimizer.solver.compile import compiled
from optimizer.solver.program import NUMBERED, IntArray, LinearProgram
from optimizer.tree.timeline import timeline

Kind = Literal["lp", "mps"]

CONSTANT: Final = "constant"
"""Column fixed at 1 that carries the objective's constant: readers differ in where they look for one."""

LONGEST: Final = 200
"""Most characters of a name; readers stop at 255."""

_PLAIN: Final = re.compile(r"[^A-Za-z0-9_]+")


def write_model(instance: Instance, path: str | Path, kind: Kind, *, force: bool = False) -> Path:
    """Write the linear program of an instance: minimise the negative of worth, in $bn.

    Raises
    ------
    InstanceError
        If the path may not be replaced, or cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != f".{kind}":
        rule = "readers tell the format by the ending"
        where = printable(str(target))
        raise InstanceError(Problem(where, f"ending '{target.suffix}'", rule, f"end the name in .{kind}"))
    refuse_occupied(target, force=force, replaceable=Path.is_file, kind="a file")
    program = compiled(timeline(instance).data)
    lines = lp_lines(program) if kind == "lp" else mps_lines(program)
    with whole_file(target) as new, new.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
    return target


def names(program: LinearProgram, families: Mapping[str, slice], keys: Mapping[str, IntArray], count: int) -> list[str]:
    """Return a name for each column or row: the family and its index, as ``allocate.ads.regional_cloud.12``.

    The last part is the node. Characters that some reader refuses become ``_``; where that makes two names one, a
    number tells them apart.
    """
    found, taken = [""] * count, {CONSTANT}
    for family, at in families.items():
        for place, key in zip(range(at.start, at.stop), keys[family].tolist() or [[]], strict=False):
            numbers = (*NUMBERED.get(family, ()), len(key) - 1)
            parts = [str(code) if i in numbers else program.labels[code] or "all" for i, code in enumerate(key)]
            name = ".".join([family, *(_PLAIN.sub("_", part) for part in parts)])[:LONGEST]
            known, number = name, 1
            while name in taken:
                number += 1
                name = f"{known}.{number}"
            taken.add(name)
            found[place] = name
    return found


def _rows(program: LinearProgram) -> Iterator[tuple[int, str, str, float]]:
    """Yield position, name, sense and bound of every row; one with two bounds comes twice."""
    for i, name in enumerate(names(program, program.rows, program.row_keys, program.shape[0])):
        low, high = float(program.row_lower[i]), float(program.row_upper[i])
        if low == high:
            yield i, name, "=", low
            continue
        both = np.isfinite(low) and np.isfinite(high)
        if np.isfinite(low):
            yield i, f"{name}.least" if both else name, ">=", low
        if np.isfinite(high):
            yield i, f"{name}.most" if both else name, "<=", high


def _columns(program: LinearProgram) -> list[tuple[str, float, float, float]]:
    """Return name, cost and bounds of every column, the constant last."""
    named = names(program, program.columns, program.column_keys, program.shape[1])
    figures = (program.cost.tolist(), program.column_lower.tolist(), program.column_upper.tolist())
    return [*zip(named, *figures, strict=True), (CONSTANT, float(program.offset), 1.0, 1.0)]


def _by_row(program: LinearProgram) -> tuple[IntArray, IntArray, list[float]]:
    """Return the matrix by rows: where each row starts, the column and the value of each entry."""
    column = np.repeat(np.arange(len(program.cost)), np.diff(program.start))
    order = np.argsort(program.index, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(program.index, minlength=program.shape[0]))])
    return start, column[order], program.value[order].tolist()


def lp_lines(program: LinearProgram) -> Iterator[str]:
    """Yield the lines of the program in CPLEX's LP format."""
    columns = _columns(program)
    yield "\\ gwplan: minimises the negative of worth, $bn; capacity in GW; names end in the number of the node"
    yield "Minimize"
    yield " objective:"
    yield from _terms([(cost, name) for name, cost, _, _ in columns if cost])
    yield "Subject To"
    start, column, value = _by_row(program)
    for i, name, sense, bound in _rows(program):
        entries = range(start[i], start[i + 1])
        terms = [(value[e], columns[column[e]][0]) for e in entries] or [(0.0, CONSTANT)]
        yield f" {name}:"
        yield from _terms(terms)
        yield f"  {sense} {bound!r}"
    yield "Bounds"
    for name, _, low, high in columns:
        yield _bound(name, low, high)
    yield "End"


def _terms(terms: list[tuple[float, str]]) -> Iterator[str]:
    for value, name in terms or [(0.0, CONSTANT)]:
        yield f"  {'-' if value < 0 else '+'} {abs(value)!r} {name}"


def _bound(name: str, low: float, high: float) -> str:
    if low == high:
        return f" {name} = {low!r}"
    least = f"{low!r}" if np.isfinite(low) else "-inf"
    if np.isfinite(high):
        return f" {least} <= {name} <= {high!r}"
    return f" {name} >= {least}" if np.isfinite(low) else f" {name} free"


def mps_lines(program: LinearProgram) -> Iterator[str]:
    """Yield the lines of the program in free MPS format."""
    columns, rows = _columns(program), list(_rows(program))
    sense = {"=": "E", ">=": "G", "<=": "L"}
    at: dict[int, list[str]] = {}
    for i, name, _, _ in rows:
        at.setdefault(i, []).append(name)
    yield "NAME gwplan"
    yield "ROWS"
    yield " N objective"
    yield from (f" {sense[kind]} {name}" for _, name, kind, _ in rows)
    yield "COLUMNS"
    for j, (name, cost, _, _) in enumerate(columns):
        entries = range(program.start[j], program.start[j + 1]) if j < len(program.cost) else range(0)
        if cost or not entries:
            yield f" {name} objective {cost!r}"
        for e in entries:
            yield from (f" {name} {row} {float(program.value[e])!r}" for row in at.get(int(program.index[e]), []))
    yield "RHS"
    yield from (f" RHS {name} {bound!r}" for _, name, _, bound in rows if bound)
    yield "BOUNDS"
    for name, _, low, high in columns:
        yield from _mps_bounds(name, low, high)
    yield "ENDATA"


def _mps_bounds(name: str, low: float, high: float) -> Iterator[str]:
    if low == high:
        yield f" FX BND {name} {low!r}"
    elif not np.isfinite(low) and not np.isfinite(high):
        yield f" FR BND {name}"
    else:
        if low != 0:
            yield f" LO BND {name} {low!r}" if np.isfinite(low) else f" MI BND {name}"
        if np.isfinite(high):
            yield f" UP BND {name} {high!r}"
