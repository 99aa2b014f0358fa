"""Comparisons kept: a folder of the comparison and of every run in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from optimizer.files import refuse_occupied, whole_folder
from optimizer.kept.csv import harmless
from optimizer.kept.run import keep as keep_run
from optimizer.studies.attribution import Attribution
from optimizer.studies.whatif import Case, Comparison

FORMAT: Final = "gwplan comparison"
RECORD, TABLE, RUNS = "comparison.json", "comparison.csv", "runs"


def refuse_existing(folder: str | Path, *, force: bool) -> None:
    """Raise unless a comparison can be kept in `folder`; ask before a long series of solves.

    Raises
    ------
    InstanceError
        If something is there that `force` does not replace, or the place is not writable.
    """
    refuse_occupied(Path(folder), force=force, replaceable=is_comparison, kind="a kept comparison")


def is_comparison(folder: Path) -> bool:
    """Return whether a folder is a kept comparison."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("format") == FORMAT


def keep(
    found: Comparison,
    shares: Mapping[str, Attribution],
    folder: str | Path,
    *,
    command: Sequence[str],
    options: Mapping[str, Any],
    force: bool = False,
) -> None:
    """Keep a comparison in a new folder, whole or not at all: ``comparison.csv``, ``comparison.json``, ``runs/``.

    Each run is kept as ``gwplan solve --out`` keeps it.

    Raises
    ------
    InstanceError
        If the folder may not be replaced, or cannot be written.
    """
    refuse_existing(folder, force=force)
    with whole_folder(Path(folder), replace=force) as new:
        for case in found.all:
            if case.plan is not None:
                keep_run(case.plan, new / RUNS / case.name, command=command, options={**options, "case": case.name})
        table = found.table()
        for column in ("case", "name"):
            table[column] = table[column].map(harmless)
        (new / TABLE).write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
        (new / RECORD).write_text(as_json(found, shares) + "\n", encoding="utf-8")


def as_json(found: Comparison, shares: Mapping[str, Attribution]) -> str:
    """Return a comparison as JSON: the base's figures, and each case's with what they differ by."""
    record = {
        "format": FORMAT,
        "base": _record(found.base),
        "cases": {case.name: _record(case, found.base) for case in found.cases},
        "attribution": {
            name: {"exact": each.exact, "failure": each.failure or None, "share_bn": [list(s) for s in each.shares]}
            for name, each in shares.items()
        },
    }
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)


def _record(case: Case, base: Case | None = None) -> dict[str, Any]:
    """Return a case's figures by group, those of one name beneath it, and the differences to the base's."""
    record: dict[str, Any] = {"status": case.plan.status if case.plan else "infeasible"}
    record |= {"reason": case.failure} if case.failure else {"reached": case.reached, "cold_again": case.cold_again}
    record |= {"changes": [part.name for part in case.stack.parts]}
    values: dict[str, Any] = {}
    differences: dict[str, Any] = {}
    for figure, value in case.figures.items():
        for into, amount in ((values, value), (differences, _less(value, base, figure))):
            shown = amount if math.isfinite(amount) else None
            if figure.name:
                into.setdefault(figure.group, {})[figure.name] = shown
            else:
                into[figure.group] = shown
    record["figures"] = values
    if base is not None:
        record["difference"] = differences
    return record


def _less(value: float, base: Case | None, figure: Any) -> float:
    return value - base.figures.get(figure, math.nan) if base is not None else math.nan
