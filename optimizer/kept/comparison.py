"""Comparisons kept: a folder of the comparison and of every run in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from optimizer.files import whole_folder
from optimizer.kept.record import Kind, harmless
from optimizer.kept.run import keep as keep_run
from optimizer.plan.plan import Plan

RECORD, TABLE, RUNS = "comparison.json", "comparison.csv", "runs"
KIND: Final = Kind("kept comparison", "gwplan comparison", 1, "gwplan whatif --out", RECORD, (TABLE, RUNS))


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
    """
    KIND.refuse(folder, force=force)
    with whole_folder(Path(folder), replace=force) as new:
        for name, plan in runs.items():
            keep_run(plan, new / RUNS / name, command=command, options={**options, "case": name})
        table = table.assign(**{column: table[column].map(harmless) for column in ("case", "name")})
        (new / TABLE).write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
        (new / RECORD).write_text(record + "\n", encoding="utf-8")
