"""Kept runs: a plan as a folder that can be read back, exported, compared and audited without its source."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.instance.instance import Instance
from optimizer.instance.problems import InstanceError, Problem
from optimizer.instance.read import load
from optimizer.instance.sources import printable
from optimizer.instance.write import save
from optimizer.results.columns import COLUMNS, dtypes
from optimizer.results.plan import Plan
from optimizer.results.record import (
    INSTANCE,
    MANIFEST,
    Kind,
    about,
    as_given,
    changed,
    garbled,
    json_bytes,
    read_part,
    sha256,
    versions,
)
from optimizer.whole import refuse_occupied, whole_folder

FORMAT: Final = "gwplan run"
VERSION: Final = 1
"""Version of the format of kept runs that this gwplan writes, and the newest that it reads."""

SUMMARY: Final = "summary.json"
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
    """

    folder: Path
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

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
        return replace(instance, files=self.manifest["files"], applied=tuple(self.manifest["edits"]))

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

    Parameters
    ----------
    plan : Plan
        What to keep.
    folder : str or Path
        The folder to be; the folders above it are made.
    command : sequence of str
        The command as given; of the program only its name is kept.
    options : mapping
        The options of the solve, as far as JSON can hold them.
    force : bool
        Whether a kept run in `folder` is replaced. It stays until the new one is complete.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InstanceError
        If the folder may not be replaced, or cannot be written.
    """
    target = Path(folder)
    refuse_existing(target, force=force)
    contents = {f"{name}.csv": table_csv(name, plan.tables[name]) for name in COLUMNS}
    contents[SUMMARY] = json_bytes(plan.summary)
    # what-ifs start from the instance before the edits and need not fit the one after
    instance = replace(plan.instance, whatifs={}) if plan.instance.applied else plan.instance
    digests = {INSTANCE: instance.digest, **{name: sha256(data) for name, data in contents.items()}}
    with whole_folder(target, replace=force) as new:
        save(instance, new / INSTANCE)
        for name, data in contents.items():
            (new / name).write_bytes(data)
        (new / MANIFEST).write_bytes(json_bytes(_manifest(plan, command, options, digests)))
    return target


def read_run(folder: str | Path) -> Run:
    """Read a kept run.

    Parameters
    ----------
    folder : str or Path
        Where it is kept.

    Returns
    -------
    Run
        Its manifest, summary and tables; the instance is read when it is first asked for.

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
    if problems:
        raise InstanceError(problems)
    return Run(root, manifest, summary, tables)


def table_csv(name: str, frame: pd.DataFrame) -> bytes:
    """Return a table of a plan as CSV: ISO dates, and numbers with all the digits that tell them apart."""
    columns = list(COLUMNS[name])
    text = frame[columns].to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")
    return str(text).encode()


def read_table(name: str, data: bytes) -> pd.DataFrame:
    """Return a table of a plan from its CSV, with the dtypes of the catalogue.

    Raises
    ------
    ValueError
        If the columns are not the catalogue's, or a cell is not of its column's type.
    """
    types = dtypes(name)
    lines = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    if header != list(types):
        raise ValueError(f"its columns are not {', '.join(types)}")
    ragged = next((i for i, row in enumerate(rows) if len(row) != len(header)), None)
    if ragged is not None:
        raise ValueError(f"row {ragged + 2} has {len(rows[ragged])} cells for {len(header)} columns")
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    return pd.DataFrame({c: _typed(texts, types[c]) for c, texts in zip(header, cells, strict=True)})


def _typed(texts: Sequence[str], dtype: np.dtype[Any] | pd.StringDtype) -> Any:
    """Return the cells of a column; Python reads a number to the last digit, pandas not always."""
    if isinstance(dtype, pd.StringDtype):
        return pd.array(list(texts), dtype=dtype)
    if dtype.kind == "f":
        return np.array([float(text or "nan") for text in texts], dtype=dtype)
    if dtype.kind == "i":
        return np.array(list(map(int, texts)), dtype=dtype)
    return np.array(texts, dtype=str).astype(dtype)


def _manifest(
    plan: Plan, command: Sequence[str], options: Mapping[str, Any], contents: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        **about(plan.instance),
        "command": as_given(command),
        "options": dict(options),
        "versions": versions(),
        "timings": dict(plan.timings),
        "solved": dict(plan.solved),
        "warnings": list(plan.warnings),
        "contents": dict(contents),
    }
