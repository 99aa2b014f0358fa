"""Kept runs: a plan as a folder that can be read back, exported, compared and audited without its source.

A kept comparison is a folder of such folders, with what was compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from gwplan.catalogue.plan_tables import COLUMNS
from gwplan.files import whole_folder
from gwplan.instance.instance import Earlier, Instance
from gwplan.kept.record import INSTANCE, Kind, about, as_given, harmless, json_bytes, read_table, table_csv, versions
from gwplan.plan.plan import Plan
from gwplan.problems import InstanceError
from gwplan.storage.read import load

VERSION: Final = 1
"""Version of the format of kept runs that this gwplan writes, and the newest that it reads."""

SUMMARY: Final = "summary.json"
EARLIER: Final = "earlier_allocation.csv"
"""The allocation that the plan was asked to stay near, if any."""
KIND: Final = Kind("kept run", "gwplan run", VERSION, "gwplan solve --out")

_RECORD, _TABLE, _RUNS = "comparison.json", "comparison.csv", "runs"
COMPARISON: Final = Kind("kept comparison", "gwplan comparison", 1, "gwplan whatif --out", _RECORD, (_TABLE, _RUNS))


@dataclass(frozen=True, eq=False)
class Run:
    """A kept run."""

    folder: Path  # where it is kept
    # what was planned, with what, when and how: instance, input files, edits, options, versions, seconds by phase
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]  # the plan's figures: money in $bn, capacity in GW-years
    tables: Mapping[str, pd.DataFrame]  # the plan's tables in long form, by name
    earlier: Earlier | None = None  # the plan that it was asked to stay near

    @cached_property
    def instance(self) -> Instance:
        """The instance that was planned, read when it is first asked for.

        Where edits were applied it is without what-ifs: those start from the instance before the edits.
        """
        folder = self.folder / INSTANCE
        instance = load(folder)
        if instance.digest != self.manifest["contents"].get(INSTANCE):
            raise InstanceError(KIND.changed(folder))
        return replace(
            instance, files=self.manifest["files"], applied=tuple(self.manifest["edits"]), earlier=self.earlier
        )

    @cached_property
    def plan(self) -> Plan:
        """The plan as it was kept."""
        warnings = tuple(self.manifest.get("warnings", ()))
        return Plan(self.instance, str(self.summary["status"]), self.summary, self.tables, warnings)


def keep(
    plan: Plan, folder: str | Path, *, command: Sequence[str], options: Mapping[str, Any], force: bool = False
) -> Path:
    """Keep a plan in a new folder, whole or not at all."""
    KIND.refuse(folder, force=force)
    contents = {f"{name}.csv": table_csv(name, plan.tables[name]) for name in COLUMNS}
    contents[SUMMARY] = json_bytes(plan.summary)
    earlier, near = plan.instance.earlier, None
    if earlier is not None:
        contents[EARLIER] = table_csv("allocation", earlier.allocation)
        near = {"resolution": earlier.resolution, "move_cost_bn_per_gw_year": earlier.move_cost_bn_per_gw_year}
    # what-ifs start from the instance before the edits and need not fit the one after
    base = plan.instance
    base = replace(base, whatifs={}, levers=()) if base.applied else base
    said = {
        **about(plan.instance),
        "stay_near": near,
        "command": as_given(command),
        "options": dict(options),
        "versions": versions(),
        "timings": dict(plan.timings),
        "solved": dict(plan.solved),
        "warnings": list(plan.warnings),
    }
    return KIND.keep(replace(base, earlier=None), said, contents, folder, force=force)


def read_run(folder: str | Path) -> Run:
    """Read a kept run."""
    root = Path(folder)
    manifest = KIND.manifest(root)
    near = manifest.get("stay_near")
    readers = {f"{name}.csv": partial(read_table, name) for name in COLUMNS}
    kept = {EARLIER: partial(read_table, "allocation")} if near is not None else {}
    parts = KIND.read(root, manifest, {SUMMARY: json.loads, **readers, **kept})
    earlier = near and Earlier(parts[EARLIER], near["resolution"], near["move_cost_bn_per_gw_year"])
    return Run(root, manifest, parts[SUMMARY], {name: parts[f"{name}.csv"] for name in COLUMNS}, earlier)


def keep_comparison(
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
    COMPARISON.refuse(folder, force=force)
    with whole_folder(Path(folder), replace=force) as new:
        for name, plan in runs.items():
            keep(plan, new / _RUNS / name, command=command, options={**options, "case": name})
        table = table.assign(**{column: table[column].map(harmless) for column in ("case", "name")})
        (new / _TABLE).write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
        (new / _RECORD).write_text(record + "\n", encoding="utf-8")
