"""Kept runs: a plan as a folder that can be read back, exported, compared and audited without its source."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from optimizer.catalogue.plan_tables import COLUMNS
from optimizer.files import printable, refuse_occupied, whole_folder
from optimizer.instance.instance import Earlier, Instance
from optimizer.kept.record import (
    INSTANCE,
    MANIFEST,
    Kind,
    about,
    as_given,
    changed,
    garbled,
    json_bytes,
    read_part,
    read_table,
    sha256,
    table_csv,
    versions,
)
from optimizer.plan.plan import Plan
from optimizer.problems import InstanceError, Problem
from optimizer.storage.read import load
from optimizer.storage.write import save

FORMAT: Final = "gwplan run"
VERSION: Final = 1
"""Version of the format of kept runs that this gwplan writes, and the newest that it reads."""

SUMMARY: Final = "summary.json"
EARLIER: Final = "earlier_allocation.csv"
"""The allocation that the plan was asked to stay near, if any."""
_KIND: Final = Kind("kept run", FORMAT, VERSION, "gwplan solve --out")


@dataclass(frozen=True, eq=False)
class Run:
    """A kept run.

    Attributes
    ----------
    folder : pathlib.Path
        Where it is kept.
    manifest : mapping
        What was planned, with what, when and how: instance, input files, edits, options, versions, seconds by phase.
    summary : mapping
        The plan's figures: money in $bn, capacity in GW-years.
    tables : mapping of str to pandas.DataFrame
        The plan's tables in long form, by name.
    earlier : Earlier or None
        The plan that it was asked to stay near.
    """

    folder: Path
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    earlier: Earlier | None = None

    @cached_property
    def instance(self) -> Instance:
        """The instance that was planned, read when it is first asked for.

        Where edits were applied it is without what-ifs: those start from the instance before the edits.

        Raises
        ------
        InstanceError
            If it cannot be read, or is not the one that was planned.
        """
        folder = self.folder / INSTANCE
        instance = load(folder)
        if instance.digest != self.manifest["contents"].get(INSTANCE):
            raise InstanceError(changed(folder))
        return replace(
            instance, files=self.manifest["files"], applied=tuple(self.manifest["edits"]), earlier=self.earlier
        )

    @property
    def plan(self) -> Plan:
        """The plan as it was kept."""
        warnings = tuple(self.manifest.get("warnings", ()))
        return Plan(self.instance, str(self.summary["status"]), self.summary, self.tables, warnings)


def refuse_existing(folder: str | Path, *, force: bool = False) -> None:
    """Raise unless a run can be kept in `folder`; ask before a long solve.

    Raises
    ------
    InstanceError
        If the folder exists and `force` is not given, or what is there is no kept run or holds more than one, or the
        place is not writable.
    """
    refuse_occupied(Path(folder), force=force, replaceable=is_run, kind="a kept run")
    foreign = _foreign(Path(folder)) if force and is_run(Path(folder)) else []
    if foreign:
        rule, remedy = "--force replaces a kept run, nothing else", "move it elsewhere, or give another name"
        raise InstanceError(Problem(printable(str(folder)), f"holds '{printable(foreign[0])}'", rule, remedy))


def is_run(folder: Path) -> bool:
    """Return whether a folder is a kept run, of any version, whole or not."""
    return _KIND.made(folder)


def _foreign(run: Path) -> list[str]:
    """Return what somebody has put into the folder of a kept run: it would be lost with the run."""
    kept = json.loads((run / MANIFEST).read_bytes()).get("contents")
    own = {MANIFEST, *(kept if isinstance(kept, dict) else ())}
    return sorted(entry.name for entry in run.iterdir() if entry.name not in own)


def keep(
    plan: Plan, folder: str | Path, *, command: Sequence[str], options: Mapping[str, Any], force: bool = False
) -> Path:
    """Keep a plan in a new folder, whole or not at all.

    Raises
    ------
    InstanceError
        If the folder may not be replaced, or cannot be written.
    """
    target = Path(folder)
    refuse_existing(target, force=force)
    contents = {f"{name}.csv": table_csv(name, plan.tables[name]) for name in COLUMNS}
    contents[SUMMARY] = json_bytes(plan.summary)
    if plan.instance.earlier is not None:
        contents[EARLIER] = table_csv("allocation", plan.instance.earlier.allocation)
    # what-ifs start from the instance before the edits and need not fit the one after
    whatifs = {} if plan.instance.applied else plan.instance.whatifs
    instance = replace(plan.instance, whatifs=whatifs, earlier=None)
    digests = {INSTANCE: instance.digest, **{name: sha256(data) for name, data in contents.items()}}
    with whole_folder(target, replace=force) as new:
        save(instance, new / INSTANCE)
        for name, data in contents.items():
            (new / name).write_bytes(data)
        (new / MANIFEST).write_bytes(json_bytes(_manifest(plan, command, options, digests)))
    return target


def read_run(folder: str | Path) -> Run:
    """Read a kept run.

    Raises
    ------
    InstanceError
        If there is no run, or a part of it is missing or not what was kept; it carries every problem found.
    """
    root = Path(folder)
    manifest = _KIND.manifest(root)
    problems: list[Problem] = []

    def parsed(name: str, parse: Callable[[bytes], Any]) -> Any:
        path = root / name
        data = read_part(path)
        if isinstance(data, Problem):
            problems.append(data)
        elif sha256(data) != manifest["contents"].get(name):
            problems.append(changed(path))
        else:
            try:
                return parse(data)
            except (ValueError, OverflowError, csv.Error, RecursionError) as error:
                problems.append(garbled(path, " ".join(str(error).split())))
        return None

    summary = parsed(SUMMARY, json.loads)
    tables = {name: parsed(f"{name}.csv", partial(read_table, name)) for name in COLUMNS}
    near, earlier = manifest.get("stay_near"), None
    if near is not None:
        allocation = parsed(EARLIER, partial(read_table, "allocation"))
        earlier = Earlier(allocation, near["resolution"], near["move_cost_bn_per_gw_year"])
    if problems:
        raise InstanceError(problems)
    return Run(root, manifest, summary, tables, earlier)


def _manifest(
    plan: Plan, command: Sequence[str], options: Mapping[str, Any], contents: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        **about(plan.instance),
        "stay_near": _near(plan.instance),
        "command": as_given(command),
        "options": dict(options),
        "versions": versions(),
        "timings": dict(plan.timings),
        "solved": dict(plan.solved),
        "warnings": list(plan.warnings),
        "contents": dict(contents),
    }


def _near(instance: Instance) -> dict[str, Any] | None:
    """Return what is told of an earlier plan to stay near, beside its allocation."""
    earlier = instance.earlier
    if earlier is None:
        return None
    return {"resolution": earlier.resolution, "move_cost_bn_per_gw_year": earlier.move_cost_bn_per_gw_year}
