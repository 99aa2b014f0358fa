"""Comparisons kept: a folder of the comparison and of every run in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from optimizer.files import refuse_occupied, whole_folder
from optimizer.kept.record import harmless
from optimizer.kept.run import keep as keep_run
from optimizer.plan.plan import Plan

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
    runs: Mapping[str, Plan],
    table: pd.DataFrame,
    record: str,
    folder: str | Path,
    *,
    command: Sequence[str],
    options: Mapping[str, Any],
    force: bool = False,
) -> None:
    """Keep a comparison in a new folder, whole or not at all: ``comparison.csv``, ``comparison.json``, ``runs/``.

    Each run is kept as ``gwplan solve --out`` keeps it; `table` and `record` (JSON) say what was compared.

    Raises
    ------
    InstanceError
        If the folder may not be replaced, or cannot be written.
    """
    refuse_existing(folder, force=force)
    with whole_folder(Path(folder), replace=force) as new:
        for name, plan in runs.items():
            keep_run(plan, new / RUNS / name, command=command, options={**options, "case": name})
        table = table.assign(**{column: table[column].map(harmless) for column in ("case", "name")})
        (new / TABLE).write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
        (new / RECORD).write_text(record + "\n", encoding="utf-8")
