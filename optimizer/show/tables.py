"""A kept run's tables as CSV and as Parquet, with units and meanings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gwplan.catalogue.plan_tables import COLUMNS, MEANING, Column
from gwplan.files import refuse_occupied, whole_folder
from gwplan.kept.record import FORMULA, table_csv
from gwplan.kept.run import Run

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CATALOGUE: Final = "columns.csv"
"""What the columns of the CSV export mean, beside its tables."""


def to_csv(run: Run, folder: str | Path, force: bool = False) -> Path:
    """Write a run's tables as CSV, and the unit and meaning of their columns as ``columns.csv``.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; the kept run itself has it as it is.
    """
    files = {f"{name}.csv": table_csv(name, _no_formulas(run.tables[name])) for name in COLUMNS}
    files[CATALOGUE] = _catalogue_csv()
    target = Path(folder)
    _refuse(target, force, set(files), "a CSV export")
    with whole_folder(target, replace=force) as new:
        for name, data in files.items():
            (new / name).write_bytes(data)
    return target


def to_parquet(run: Run, folder: str | Path, force: bool = False) -> Path:
    """Write a run's tables as Parquet.

    Each column's metadata hold its ``unit`` and ``meaning``; each table's hold its meaning as ``gwplan.meaning`` and,
    as JSON, the run's manifest as ``gwplan.manifest`` and its figures as ``gwplan.summary``.
    """
    import pyarrow.parquet as pq

    target = Path(folder)
    _refuse(target, force, {f"{name}.parquet" for name in COLUMNS}, "a Parquet export")
    with whole_folder(target, replace=force) as new:
        for name in COLUMNS:
            pq.write_table(arrow_table(run, name), new / f"{name}.parquet")
    return target


def _no_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text begins like a formula, as `harmless` has it."""
    harmless = table.copy(deep=False)
    for name in map(str, table.select_dtypes("string").columns):
        begins = table[name].str.startswith(FORMULA).to_numpy(dtype=bool)
        harmless[name] = table[name].mask(begins, "'" + table[name])
    return harmless


def arrow_table(run: Run, name: str) -> pa.Table:
    """Return a run's table for Arrow: text as strings, dates as timestamps, blank numbers as null."""
    import pyarrow as pa

    # Parquet has no coarser timestamps than milliseconds
    kinds = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64(), "date": pa.timestamp("ms")}

    def field(label: str, column: Column) -> pa.Field:
        return pa.field(label, kinds[column.kind], metadata={"unit": column.unit, "meaning": column.meaning})

    metadata = {
        "gwplan.table": name,
        "gwplan.meaning": MEANING[name],
        "gwplan.manifest": json.dumps(run.manifest),
        "gwplan.summary": json.dumps(run.summary),
    }
    schema = pa.schema([field(label, column) for label, column in COLUMNS[name].items()])
    table = pa.Table.from_pandas(run.tables[name], schema=schema, preserve_index=False)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})


def _catalogue_csv() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "column", "unit", "meaning"])
    for table, columns in COLUMNS.items():
        writer.writerows([table, name, column.unit, column.meaning] for name, column in columns.items())
    return text.getvalue().encode()


def _refuse(target: Path, force: bool, files: set[str], kind: str) -> None:
    """Refuse a folder that is there, but for an earlier export that may be replaced: one that holds nothing else."""

    def only_exported(folder: Path) -> bool:
        return folder.is_dir() and all(entry.name in files and entry.is_file() for entry in folder.iterdir())

    refuse_occupied(target, force=force, replaceable=only_exported, kind=kind)
