"""Instances written back: nothing lost, nothing half written, nothing of the user's destroyed."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwplan.catalogue.tables import TABLES
from gwplan.check.check import check
from gwplan.instance.cells import frame_of
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError
from gwplan.storage.read import load
from gwplan.storage.starter import starter
from gwplan.storage.write import save, tables_written, write_texts
from tests.instance.folders import SMALL, WHOLE, written

INSTANCES = Path(__file__).parents[2] / "instances"


def _saved(instance: Instance, folder: Path) -> Instance:
    save(instance, folder)
    return load(folder)


@pytest.mark.parametrize("name", sorted(path.name for path in INSTANCES.iterdir() if path.is_dir()))
def test_instances_come_back_equal(name: str, tmp_path: Path) -> None:
    """Tables, blanks, annotations, uncertainty and what-ifs survive being written and read."""
    instance = load(INSTANCES / name)
    again = _saved(instance, tmp_path / "x")
    assert again == instance and again.digest == instance.digest
    for table in TABLES:
        pd.testing.assert_frame_equal(
            again.tables[table].reset_index(drop=True), instance.tables[table].reset_index(drop=True)
        )
    assert again.factors == instance.factors
    assert dict(again.whatifs) == dict(instance.whatifs)


def test_blank_cells_and_absent_tables_stay_so(tmp_path: Path) -> None:
    """A default is not written out, an empty table is not an absent one."""
    folder = written(tmp_path / "x", WHOLE, demand=None, locks=None, eligibility="pathway,pool,note\n")
    again = _saved(load(folder), tmp_path / "y")
    assert "eligibility" in again.present and "demand" not in again.present
    assert sorted(p.name for p in (tmp_path / "y").glob("*.csv")) == sorted(p.name for p in folder.glob("*.csv"))
    assert again.tables["contracts"]["end"].isna().tolist() == [True, False]
    assert (tmp_path / "y" / "pools.csv").read_text() == SMALL["pools.csv"]


def test_an_edited_instance_comes_back_as_it_is(tmp_path: Path) -> None:
    """Inserted rows, cleared cells and changed probabilities are written like any others."""
    instance = load(written(tmp_path / "x", WHOLE)).edited(
        'contracts[contract=rent].end = ""',
        "insert churn[pathway=deals, date=2027-06-01, fraction=0.5]",
        "demand[pathway=msl].target_gw *= 1.1 @ 2026-10-01..2026-12-01",
        "uncertainty[factor=market, outcome=glut].probability = 0.1",
        "risk.aversion = 0.25",
    )
    again = _saved(instance, tmp_path / "y")
    assert again == instance and len(again.tables["demand"]) == 4


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).map(
    partial(normalize, "NFC")
)
NUMBER = st.one_of(
    st.just(np.nan), st.floats(0, 1e9, allow_nan=False), st.sampled_from([0.1, 123456789.123456789, 5e-324, 2.0])
)
NAME = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=6).map(partial(normalize, "NFC"))


CALENDAR = {
    "start": np.array(["2027-01-01"], dtype="datetime64[s]"),
    "resolution": np.array(["month"], dtype=object),
    "periods": np.array([1.0]),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(NAME, TEXT, NUMBER, TEXT), min_size=1, max_size=4, unique_by=lambda row: row[0]),
    name=TEXT.filter(str.strip),
)
def test_any_text_and_any_number_survive(rows: list[tuple[str, str, float, str]], name: str, tmp_path: Path) -> None:
    """Commas, quotes, line ends, control characters and the last bit of a number come back as they were."""
    names, descriptions, numbers, notes = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    pools = {"pool": names, "description": descriptions, "idle_penalty_bn_per_gw_year": numbers, "note": notes}
    titles = {"schema": np.array([1.0]), "name": np.array([name], dtype=object)}
    columns = {"pools": pools, "instance": titles, "calendar": CALENDAR}
    sizes = {**{table: int(TABLES[table].section) for table in TABLES}, "pools": len(rows)}
    tables = {t: frame_of(TABLES[t], columns.get(t, {}), range(2, 2 + sizes[t])) for t in TABLES}
    instance = Instance(tables, frozenset(TABLES) - {"eligibility"})
    shutil.rmtree(tmp_path / "x", ignore_errors=True)
    again = _saved(instance, tmp_path / "x")
    assert again == instance and again.name == name
    pd.testing.assert_frame_equal(again.tables["pools"], instance.tables["pools"], check_exact=True)


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """Without force nothing that exists is touched."""
    instance = load(written(tmp_path / "x"))
    for name in ("folder", "file"):
        there = tmp_path / name
        if name == "folder":
            there.mkdir()
        else:
            there.write_text("mine")
        with pytest.raises(InstanceError, match="exists already; nothing is overwritten unasked"):
            save(instance, there)
    assert not list((tmp_path / "folder").iterdir()) and (tmp_path / "file").read_text() == "mine"
    assert {p.name for p in tmp_path.iterdir()} == {"x", "folder", "file"}


def test_force_replaces_an_instance_and_nothing_else(tmp_path: Path) -> None:
    """Force never deletes a folder that holds no instance, and keeps files that no instance is read from."""
    folder = written(tmp_path / "x", {**WHOLE, "README.md": "mine", "notes/a.txt": "mine too"})
    instance = replace(load(folder), whatifs={}, factors=())
    save(instance, folder, force=True)
    assert load(folder) == instance
    assert (folder / "README.md").read_text() == "mine" and (folder / "notes" / "a.txt").read_text() == "mine too"
    assert not (folder / "whatifs").exists() and not (folder / "uncertainty.toml").exists()
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("mine")
    with pytest.raises(InstanceError, match="not a folder that holds an instance; --force replaces only"):
        save(instance, home, force=True)
    assert (home / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("failing", ["mkdir", "write_bytes", "rename 1", "rename 2"])
def test_a_failure_leaves_everything_as_it_was(failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or a lost right in the middle of writing costs nothing, and leaves no rubbish."""
    folder = written(tmp_path / "x", {**WHOLE, "README.md": "mine"})
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    instance = load(folder).edited("risk.aversion = 0.9")
    what, _, number = failing.partition(" ")
    real, calls = os.rename, []

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def fail_at(source: str, target: str) -> None:
        calls.append(source)
        if len(calls) == int(number):
            fail()
        real(source, target)

    with monkeypatch.context() as patched:
        if what == "rename":
            patched.setattr(os, "rename", fail_at)
        else:
            patched.setattr(Path, what, fail)
        with pytest.raises(InstanceError, match="cannot be written; no space left on device"):
            save(instance, folder, force=True)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_the_way_to_the_folder_is_made(tmp_path: Path) -> None:
    """Folders above the new one need not exist."""
    instance = load(written(tmp_path / "x"))
    save(instance, tmp_path / "no" / "where")
    assert load(tmp_path / "no" / "where") == instance


def test_a_link_to_an_instance_stays_a_link(tmp_path: Path) -> None:
    """Where a folder is reached through a link, what it leads to is replaced."""
    folder = written(tmp_path / "x")
    (tmp_path / "link").symlink_to(folder)
    instance = load(folder).edited("risk.aversion = 0.9")
    save(instance, tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink() and load(folder) == instance


def test_the_texts_hold_no_column_without_a_cell() -> None:
    """What is written is as small as what was read."""
    texts = tables_written(load(INSTANCES / "meta-2026h1"))
    assert texts["churn.csv"].splitlines()[0] == "pathway,date,fraction,source,status,note"
    assert "delay_months" not in texts["contracts.csv"]


@pytest.mark.parametrize("name", ["mine", 'a "b" \\ c', "ü", "=cmd|x"])
def test_the_starter_is_valid_and_names_everything(name: str, tmp_path: Path) -> None:
    """What gwplan new writes loads without a word, has the name asked for, and explains every column."""
    files = starter(name)
    write_texts(files, tmp_path / "x")
    instance = load(tmp_path / "x")
    assert instance.name == name
    assert check(instance) == []
    assert instance.factors and instance.whatifs
    columns = {column.name for table in TABLES.values() if not table.section for column in table.columns}
    assert all(f"`{column}`" in files["README.md"] for column in columns)
    keys = [column for table in TABLES.values() if table.section for column in table.columns]
    assert all(f"# {column.about} (" in files["instance.toml"] for column in keys)


@pytest.mark.parametrize("name", ["", " ", "a\nb", " a"])
def test_the_starter_refuses_names_that_are_none(name: str) -> None:
    """A name that could not be read back is refused."""
    with pytest.raises(InstanceError):
        starter(name)


def test_writing_needs_only_what_is_asked(tmp_path: Path) -> None:
    """A file of the folder that is written has exactly the bytes of its text, whatever the platform's line ends."""
    write_texts({"instance.toml": "a\r\nb\nü", "whatifs/x.toml": ""}, tmp_path / "x")
    assert (tmp_path / "x" / "instance.toml").read_bytes() == "a\r\nb\nü".encode()
    assert (tmp_path / "x" / "whatifs" / "x.toml").read_bytes() == b""
