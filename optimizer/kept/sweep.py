"""Kept sweeps: a folder of the cases as CSV and Parquet in long form, which can be read back and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.files import printable
from gwplan.instance.instance import Instance
from gwplan.kept.record import INSTANCE, MANIFEST, Kind, as_given, garbled, harmless, versions
from gwplan.problems import InstanceError

_UNITS: Final = (
    ("bn_per_gw_year", "$bn per GW-year"),
    ("bn_per_gw", "$bn per GW"),
    ("gw_years", "GW-years"),
    ("gw_per_month", "GW per month"),
    ("_bn", "$bn"),
    ("_gw", "GW"),
    ("_days", "days"),
    ("_months", "months"),
    ("utilisation", "share"),
    ("share", "share"),
)


def unit(column: str) -> str:
    """Return the unit of a column by its name; blank where it has none."""
    plain = column.partition(" @ ")[0].rpartition("].")[2].partition("[")[0]
    return next((words for ending, words in _UNITS if plain.endswith(ending)), "")


def unit_behind(column: str) -> str:
    """Return the unit of a column as it stands behind a figure; blank where it has none."""
    return f" {unit(column)}" if unit(column) else ""


def in_words(figure: str) -> str:
    """Return what a figure of a case is called."""
    return {"objective_bn": "worth", "npv_bn": "cash (NPV)", "idle_gw_years": "idle capacity"}.get(figure, figure)


def with_unit(figure: str) -> str:
    """Return what a figure of a case is called, with its unit."""
    return f"{in_words(figure)}, {unit(figure)}" if unit(figure) else in_words(figure)


def label(value: Any) -> str:
    """Return a value of an axis in words; blank: as in the base."""
    if pd.isna(value):
        return "as in the base"
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))


CASES: Final = "cases"
"""The table of all cases, one row each."""

KIND: Final = Kind("kept sweep", "gwplan sweep", 1, "gwplan sweep, tornado, montecarlo or backtest with --out")


@dataclass(frozen=True, eq=False)
class KeptSweep:
    """A kept sweep."""

    folder: Path  # where it is kept
    # what was asked, with what, when and how; ``kind`` is the command, ``base`` the figures of the base
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]  # ``cases`` and whatever else the kind has


def keep(
    instance: Instance,
    asked: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    command: Sequence[str],
    force: bool = False,
) -> None:
    """Keep a sweep in a new folder, whole or not at all: manifest, instance, and each table as CSV and Parquet.

    The tables hold nothing of when and where they were worked out: the same sweep has the same bytes.
    """
    KIND.refuse(folder, force=force)
    contents: dict[str, bytes] = {}
    for name, table in tables.items():
        contents[f"{name}.csv"], contents[f"{name}.parquet"] = _csv(table), _parquet(name, table)
    statuses = tables[CASES]["status"].tolist()
    said = {
        **asked,
        "command": as_given(command),
        "versions": versions(),
        "cases": {status: statuses.count(status) for status in dict.fromkeys(statuses)},
    }
    KIND.keep(
        replace(instance, whatifs={}, levers=()) if instance.applied else instance, said, contents, folder, force=force
    )


def read_sweep(folder: str | Path) -> KeptSweep:
    """Read a kept sweep."""
    root = Path(folder)
    manifest = KIND.manifest(root)
    # the instance is a folder, which is checked by whoever reads it
    files = [Path(name).name for name in manifest["contents"] if name != INSTANCE]
    parts = KIND.read(root, manifest, {name: _read if name.endswith(".parquet") else bytes for name in files})
    tables = {Path(name).stem: parts[name] for name in files if name.endswith(".parquet")}
    if CASES not in tables:
        raise InstanceError(garbled(root / MANIFEST, f"it names no {CASES}.parquet"))
    return KeptSweep(root, manifest, tables)


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
