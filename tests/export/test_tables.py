"""Exports of a kept run's tables: the same numbers, with units, and nothing foreign overwritten."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gwplan.catalogue.plan_tables import COLUMNS, dtypes
from gwplan.kept.run import KIND, Run, keep, read_run
from gwplan.planning import solve
from gwplan.problems import InstanceError
from gwplan.show.tables import to_csv, to_parquet
from gwplan.storage.read import load

INSTANCES = Path(__file__).parents[2] / "instances"
Export = Callable[[Run, Path, bool], Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a kept run with deals; no contract of it can be cancelled, so one table is empty."""
    plan = solve(load(INSTANCES / "tiny-deals"))
    folder = keep(plan, tmp_path_factory.mktemp("runs") / "run", command=["gwplan", "solve"], options={})
    kept = read_run(folder)
    assert len(kept.tables["deals"]) and not len(kept.tables["cancellations"])
    return kept


def test_csv_is_the_tables(run: Run, tmp_path: Path) -> None:
    """The CSV export holds every table as the run does, byte for byte, and the unit of every column."""
    folder = to_csv(run, tmp_path / "csv")
    for name in COLUMNS:
        assert (folder / f"{name}.csv").read_bytes() == (run.folder / f"{name}.csv").read_bytes()
    assert len(list(folder.iterdir())) == len(COLUMNS) + 1
    units = pd.read_csv(folder / "columns.csv", keep_default_na=False).set_index(["table", "column"])
    assert set(units.index) == {(table, column) for table, columns in COLUMNS.items() for column in columns}
    assert units.loc[("supply", "idle_gw"), "unit"] == "GW"
    assert units.loc[("cashflow", "discounted_bn"), "unit"] == "$bn"
    assert (units["meaning"] != "").all()


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t"])
def test_no_name_is_a_formula_in_a_spreadsheet(begin: str, run: Run, tmp_path: Path) -> None:
    """A name that a vendor's file brought in runs no command when the export is opened in a spreadsheet."""
    name = f"{begin}cmd|' /C calc'!A0"
    tables = {"allocation": run.tables["allocation"].replace("deals", name)}
    folder = to_csv(Run(run.folder, run.manifest, run.summary, {**run.tables, **tables}), tmp_path / "csv")
    shown = pd.read_csv(folder / "allocation.csv", keep_default_na=False)
    assert set(shown["pathway"]) == set(run.tables["allocation"]["pathway"]) - {"deals"} | {f"'{name}"}
    pd.testing.assert_series_equal(shown["gw"], run.tables["allocation"]["gw"])


@pytest.mark.parametrize("name", COLUMNS)
def test_parquet_is_the_tables(name: str, run: Run, tmp_path: Path) -> None:
    """Any Parquet reader finds the same rows, plain types, units and the manifest; pandas finds the same frame."""
    path = to_parquet(run, tmp_path / "parquet") / f"{name}.parquet"
    table = pq.read_table(path)
    kinds = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64(), "date": pa.timestamp("ms")}
    for field in table.schema:
        column = COLUMNS[name][field.name]
        assert field.type == kinds[column.kind]
        assert field.metadata[b"unit"].decode() == column.unit
        assert field.metadata[b"meaning"].decode() == column.meaning
    assert table.schema.metadata[b"gwplan.table"].decode() == name
    assert table.schema.metadata[b"gwplan.meaning"].decode().endswith(".")
    assert json.loads(table.schema.metadata[b"gwplan.manifest"]) == run.manifest
    assert json.loads(table.schema.metadata[b"gwplan.summary"]) == run.summary
    pd.testing.assert_frame_equal(pd.read_parquet(path).astype(dtypes(name)), run.tables[name], check_exact=True)


def test_blank_numbers_are_null(run: Run, tmp_path: Path) -> None:
    """A marginal value that is blank is null in Parquet, not a NaN that poisons sums."""
    blank = run.tables["marginal_values"].assign(bn_per_gw_year=float("nan"))
    changed = Run(run.folder, run.manifest, run.summary, {**run.tables, "marginal_values": blank})
    path = to_parquet(changed, tmp_path / "parquet") / "marginal_values.parquet"
    assert pq.read_table(path)["bn_per_gw_year"].null_count == len(blank) > 0


@pytest.mark.parametrize("export", [to_csv, to_parquet])
def test_only_an_export_is_replaced(export: Export, run: Run, tmp_path: Path) -> None:
    """--force replaces an earlier export of the same kind; a run or a folder with anything else in it stays."""
    target = export(run, tmp_path / "export", False)
    assert not KIND.made(target)
    first = min(target.iterdir())
    whole = first.read_bytes()
    first.write_bytes(b"")
    with pytest.raises(InstanceError, match="exists already"):
        export(run, target, False)
    assert first.read_bytes() == b""
    assert export(run, target, True) == target and first.read_bytes() == whole

    (target / "notes.txt").write_text("mine")
    for folder in (target, run.folder):
        before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        with pytest.raises(InstanceError, match=r"--force replaces only a (CSV|Parquet) export") as caught:
            export(run, folder, True)
        assert "\n" not in str(caught.value)
        assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("export", [to_csv, to_parquet])
def test_export_is_whole_or_not_at_all(
    export: Export, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the last table leaves nothing behind but one line that says so."""
    write, write_table = Path.write_bytes, pq.write_table

    def refuse_last(path: Path) -> None:
        if path.stem == list(COLUMNS)[-1]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def writing(path: Path, data: bytes) -> int:
        refuse_last(path)
        return write(path, data)

    def writing_table(table: pa.Table, path: Path) -> None:
        refuse_last(path)
        write_table(table, path)

    monkeypatch.setattr(Path, "write_bytes", writing)
    monkeypatch.setattr(pq, "write_table", writing_table)
    with pytest.raises(InstanceError, match="export: cannot be written; no space left on device"):
        export(run, tmp_path / "export", False)
    assert not list(tmp_path.iterdir())
