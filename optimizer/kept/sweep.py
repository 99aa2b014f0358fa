"""Kept sweeps: a folder of the cases as CSV and Parquet in long form, which can be read back and drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.files import refuse_occupied, whole_folder
from optimizer.kept.case_columns import unit
from optimizer.kept.csv import harmless
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
    sha256,
    versions,
)
from optimizer.problems import InstanceError, Problem
from optimizer.storage.write import save
from optimizer.studies.sweep.sweep import Results

CASES: Final = "cases"
"""The table of all cases, one row each."""

FORMAT, VERSION = "gwplan sweep", 1
_KIND: Final = Kind("kept sweep", FORMAT, VERSION, "gwplan sweep, tornado or montecarlo with --out")


@dataclass(frozen=True, eq=False)
class KeptSweep:
    """A kept sweep.

    Attributes
    ----------
    folder : pathlib.Path
        Where it is kept.
    manifest : mapping
        What was asked, with what, when and how; ``kind`` is the command, ``base`` the figures of the base.
    tables : mapping of str to pandas.DataFrame
        ``cases`` and whatever else the kind has.
    """

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]


def refuse_existing(folder: str | Path, *, force: bool) -> None:
    """Raise unless a sweep can be kept in `folder`; ask before a long one.

    Raises
    ------
    InstanceError
        If something is there that `force` does not replace, or the place is not writable.
    """
    refuse_occupied(Path(folder), force=force, replaceable=is_sweep, kind="a kept sweep")


def is_sweep(folder: str | Path) -> bool:
    """Return whether a folder is a kept sweep, of any version, whole or not."""
    return _KIND.made(Path(folder))


def keep(
    results: Results,
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    command: Sequence[str],
    force: bool = False,
) -> None:
    """Keep a sweep in a new folder, whole or not at all: manifest, instance, and each table as CSV and Parquet.

    The tables hold nothing of when and where they were worked out: the same sweep has the same bytes.

    Parameters
    ----------
    results : Results
        The cases.
    tables : mapping of str to pandas.DataFrame
        What else was made of them, by name.
    folder : str or Path
        The folder to be.
    command : sequence of str
        The command as given.
    force : bool
        Whether a kept sweep in `folder` is replaced.

    Raises
    ------
    InstanceError
        If the folder may not be replaced, or cannot be written.
    """
    refuse_existing(folder, force=force)
    instance = results.study.instance
    contents: dict[str, bytes] = {}
    for name, table in {CASES: results.table, **tables}.items():
        contents[f"{name}.csv"], contents[f"{name}.parquet"] = _csv(table), _parquet(name, table)
    instance = replace(instance, whatifs={}) if instance.applied else instance
    with whole_folder(Path(folder), replace=force) as new:
        save(instance, new / INSTANCE)
        for file, data in contents.items():
            (new / file).write_bytes(data)
        digests = {INSTANCE: instance.digest, **{file: sha256(data) for file, data in contents.items()}}
        (new / MANIFEST).write_bytes(json_bytes(_manifest(results, command, digests)))


def read_sweep(folder: str | Path) -> KeptSweep:
    """Read a kept sweep.

    Raises
    ------
    InstanceError
        If there is none, or a part of it is missing or not what was kept; it carries every problem found.
    """
    root = Path(folder)
    manifest = _KIND.manifest(root)
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    for file, digest in manifest["contents"].items():
        if file == INSTANCE:  # a folder, which is checked by whoever reads it
            continue
        path = root / Path(file).name
        data = read_part(path, "kept sweep")
        if isinstance(data, Problem):
            problems.append(data)
        elif sha256(data) != digest:
            problems.append(changed(path, "kept sweep"))
        elif path.suffix == ".parquet":
            try:
                tables[path.stem] = _read(data)
            except (ValueError, OSError) as error:
                problems.append(garbled(path, " ".join(str(error).split())))
    if not problems and CASES not in tables:
        problems.append(garbled(root / MANIFEST, f"it names no {CASES}.parquet"))
    if problems:
        raise InstanceError(problems)
    return KeptSweep(root, manifest, tables)


def described(results: Results) -> dict[str, Any]:
    """Return what a manifest says of a sweep itself: what was asked, of which instance, and what the base comes to."""
    study = results.study
    return {
        "kind": study.kind,
        **about(study.instance),
        "settings": dict(study.settings),
        "quantities": list(study.quantities),
        "base": dict(results.base),
    }


def _manifest(results: Results, command: Sequence[str], contents: Mapping[str, str]) -> dict[str, Any]:
    study = results.study
    statuses = results.table["status"].tolist()
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        **described(results),
        "command": as_given(command),
        "study": study.digest,
        "options": {"time_limit": study.options.time_limit, "solver": dict(study.options.solver)},
        "versions": versions(),
        "cases": {status: statuses.count(status) for status in dict.fromkeys(statuses)},
        "contents": dict(contents),
    }


def _csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in which no text begins like a formula."""
    safe = table.rename(columns=harmless)
    for name in safe.columns[safe.dtypes != np.float64]:
        safe[name] = safe[name].map(harmless)
    return str(safe.to_csv(index=False, lineterminator="\n")).encode()


def _parquet(name: str, table: pd.DataFrame) -> bytes:
    """Return a table as Parquet: numbers as numbers, all else as text, each column with its unit."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields, arrays = [], []
    for label, cells in table.items():
        values = [None if pd.isna(cell) else cell for cell in cells]
        kind = _kind(values)
        arrays.append(pa.array([v if v is None or kind != pa.string() else str(v) for v in values], kind))
        fields.append(pa.field(str(label), kind, metadata={"unit": unit(str(label))}))
    schema = pa.schema(fields, metadata={"gwplan.table": name})
    out = BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), out)
    return out.getvalue()


def _kind(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool | np.bool_) for value in known):
        return pa.bool_()
    if any(isinstance(value, str | bool) for value in known):
        return pa.string()
    whole = known and all(isinstance(value, int | np.integer) for value in known)
    return pa.int64() if whole else pa.float64()


def _read(data: bytes) -> pd.DataFrame:
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pq.read_table(BytesIO(data)).to_pandas()
    return frame
