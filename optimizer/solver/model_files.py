"""The linear program as a file that other solvers read, its names those of the formulation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from gwplan.files import new_file, whole_file
from gwplan.instance.instance import Instance
from gwplan.solver import highs
from gwplan.solver.compile import compiled
from gwplan.solver.program import NUMBERED, IntArray, LinearProgram
from gwplan.tree.timeline import timeline

Kind = Literal["lp", "mps"]

CONSTANT: Final = "constant"
"""Column fixed at 1 that carries the objective's constant: readers differ in where they look for one."""

LONGEST: Final = 200
"""Most characters of a name; readers stop at 255."""

_PLAIN: Final = re.compile(r"[^A-Za-z0-9_]+")


def write_model(instance: Instance, path: str | Path, kind: Kind, *, force: bool = False) -> Path:
    """Write the linear program of an instance: minimise the negative of worth, in $bn."""
    target = new_file(path, [f".{kind}"], "readers tell the format by the ending", force=force)
    program = compiled(timeline(instance).data)
    columns = [*names(program, program.columns, program.column_keys, program.shape[1]), CONSTANT]
    rows = names(program, program.rows, program.row_keys, program.shape[0])
    with whole_file(target) as new:
        written = highs.write(program, columns, rows, new.with_suffix(f".{kind}"))
        written.replace(new)
    return target


def names(program: LinearProgram, families: Mapping[str, slice], keys: Mapping[str, IntArray], count: int) -> list[str]:
    """Return a name for each column or row: the family and its index, as ``allocate.ads.regional_cloud.12``.

    The last part is the node. Characters that some reader refuses become ``_``; where that makes two names one, a
    number tells them apart.
    """
    named, taken = [""] * count, {CONSTANT}
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
            named[place] = name
    return named
