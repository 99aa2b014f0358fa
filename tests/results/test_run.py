"""Kept runs: what is kept is read back, and nothing is ever half written, lost or taken for what it is not."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwplan.catalogue.plan_tables import COLUMNS, MEANING, dtypes
from gwplan.kept.record import read_table, table_csv
from gwplan.kept.run import KIND, VERSION, Run, keep, read_run
from gwplan.plan.plan import Plan
from gwplan.planning import solve
from gwplan.problems import InstanceError
from gwplan.storage.read import load

INSTANCES = Path(__file__).parents[2] / "instances"
TINY = ("tiny-cancellation", "tiny-deals", "tiny-locks", "tiny-risk", "tiny-terminal", "tiny-tree")


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """Plans of tiny instances, by name."""
    return {name: solve(load(INSTANCES / name), more_supply="all") for name in TINY}


@pytest.fixture(scope="module")
def plan(plans: dict[str, Plan]) -> Plan:
    """One plan over a tree of futures."""
    return plans["tiny-tree"]


def kept(plan: Plan, folder: Path, **given: Any) -> Run:
    """Keep a plan and read it back."""
    return read_run(keep(plan, folder, **{"command": ["gwplan", "solve"], "options": {}, **given}))


def complaint(act: Callable[[], object]) -> str:
    """Return what an act is refused with, one line a problem."""
    with pytest.raises(InstanceError) as caught:
        act()
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    return "\n".join(lines)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def same_tables(run: Run, plan: Plan) -> None:
    """Assert that a run holds the tables of a plan, to the last digit."""
    assert set(run.tables) == set(plan.tables)
    for name, table in plan.tables.items():
        # an empty table says nothing of its types; all others must have them from the start
        expected = table if len(table) else table.astype(dtypes(name))
        pd.testing.assert_frame_equal(run.tables[name], expected, check_exact=True)


@pytest.mark.parametrize("name", TINY)
def test_reads_back_what_was_kept(name: str, plans: dict[str, Plan], tmp_path: Path) -> None:
    """A kept run gives back every table to the last digit, the figures and the instance."""
    plan = plans[name]
    run = kept(plan, tmp_path / "runs" / "first")
    same_tables(run, plan)
    assert run.summary == plan.summary
    assert run.instance == plan.instance
    assert run.instance.files == plan.instance.files


def test_catalogue_is_the_tables(plans: dict[str, Plan]) -> None:
    """The catalogue of columns names exactly the tables, columns and types that plans have, in their order."""
    assert set(MEANING) == set(COLUMNS)
    seen = set()
    for plan in plans.values():
        assert list(plan.tables) == list(COLUMNS)
        for name, table in plan.tables.items():
            assert list(table.columns) == list(COLUMNS[name])
            if len(table):
                seen.add(name)
                assert table.dtypes.to_dict() == dtypes(name)
    assert seen == set(COLUMNS)


def test_catalogue_tells_the_units() -> None:
    """A column whose name ends in a unit has that unit in the catalogue, and each has a meaning."""
    for columns in COLUMNS.values():
        for name, column in columns.items():
            assert column.meaning
            if column.unit in ("GW", "$bn"):
                assert name.split("_")[-1] == {"GW": "gw", "$bn": "bn"}[column.unit]
            if name.endswith(("gw", "bn")) and "_per_" not in name:
                assert column.unit in ("GW", "$bn")


TEXT = st.one_of(
    st.sampled_from(["NA", "", "null", "=cmd|x", 'say "hi"', "a, b", " padded ", "1e5", "2026-01-01", "nan", "'", "#"]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8),
)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "number": st.floats(),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "date": st.dates().map(str),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_tables_survive_as_csv(data: st.DataObject) -> None:
    """Whatever names, numbers and dates a table holds, its CSV reads back as the same table."""
    name = data.draw(st.sampled_from(sorted(COLUMNS)))
    size = data.draw(st.integers(0, 4))
    cells = {
        column: data.draw(st.lists(CELLS[about.kind], min_size=size, max_size=size))
        for column, about in COLUMNS[name].items()
    }
    arrays = {
        column: np.array(values, dtype="datetime64[s]" if COLUMNS[name][column].kind == "date" else object)
        for column, values in cells.items()
    }
    frame = pd.DataFrame(arrays).astype(dtypes(name))
    pd.testing.assert_frame_equal(read_table(name, table_csv(name, frame)), frame, check_exact=True)


def test_manifest_tells_where_the_plan_came_from(plan: Plan, tmp_path: Path) -> None:
    """The manifest proves the inputs by hash, repeats command, edits and options, and holds no path of the machine."""
    edited = replace(plan, instance=replace(plan.instance, applied=("risk.tail = 0.2",)), warnings=("a, b",))
    command = [str(tmp_path / "bin" / "gwplan"), "solve", "tiny-tree", "--set", "risk.tail = 0.2", "bad\udcff"]
    run = kept(edited, tmp_path / "run", command=command, options={"time_limit_s": 5.0})
    manifest = run.manifest
    source = INSTANCES / "tiny-tree"
    for file, digest in manifest["files"].items():
        assert digest == hashlib.sha256((source / file).read_bytes()).hexdigest()
    assert set(manifest["files"]) == {p.name for p in source.iterdir() if p.suffix in (".csv", ".toml")}
    assert (manifest["instance"], manifest["digest"]) == ("tiny-tree", plan.instance.digest)
    assert manifest["command"] == ["gwplan", *command[1:]]
    assert manifest["edits"] == ["risk.tail = 0.2"] and run.instance.applied == ("risk.tail = 0.2",)
    assert manifest["options"] == {"time_limit_s": 5.0} and manifest["warnings"] == ["a, b"]
    assert manifest["versions"]["pandas"] == pd.__version__ and "highspy" in manifest["versions"]
    assert set(manifest["timings"]) == set(plan.timings) and manifest["created"].endswith("+00:00")
    assert str(tmp_path) not in (run.folder / "manifest.json").read_text()
    assert str(INSTANCES) not in (run.folder / "manifest.json").read_text()


def test_figures_never_judged_are_null(plan: Plan, tmp_path: Path) -> None:
    """An infinite gap of a plan that was not proved best is kept as null, in JSON that every reader takes."""
    unproved = replace(plan, summary={**plan.summary, "certificate": {"gap": np.inf, "optimal": False}})
    run = kept(unproved, tmp_path / "run")
    assert run.summary["certificate"] == {"gap": None, "optimal": False}
    assert "Infinity" not in (run.folder / "summary.json").read_text()


def test_edits_that_no_whatif_survives(plan: Plan, tmp_path: Path) -> None:
    """A run of an edited instance reads back though the what-ifs of the instance no longer fit the edited one."""
    instance = load(INSTANCES / "meta-2026h1").with_whatif("no-cancellation")
    run = kept(replace(plan, instance=instance), tmp_path / "run")
    assert run.instance == replace(instance, whatifs={}, levers=())
    assert run.instance.applied == instance.applied


def test_nothing_is_overwritten_unasked(plan: Plan, tmp_path: Path) -> None:
    """A folder, a file or a link that is there is refused without --force, and stays as it is."""
    folder, file, link = tmp_path / "folder", tmp_path / "file", tmp_path / "link"
    folder.mkdir()
    file.write_text("mine")
    link.symlink_to(tmp_path / "nowhere")
    for target in (folder, file, link):
        found = complaint(partial(kept, plan, target))
        assert found.startswith(
            f"{target}: exists already; nothing is overwritten unasked; give another name, or --force"
        )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_force_replaces_only_kept_runs(plan: Plan, plans: dict[str, Plan], tmp_path: Path) -> None:
    """--force replaces a kept run as a whole, and never a folder, file or link that is none."""
    run = tmp_path / "run"
    keep(plans["tiny-deals"], run, command=["gwplan"], options={})
    same_tables(kept(plan, run, force=True), plan)

    other, foreign, file, link = (tmp_path / name for name in ("other", "foreign", "file", "link"))
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    foreign.mkdir()
    (foreign / "manifest.json").write_text('{"name": "a web app"}')
    file.write_text("mine")
    link.symlink_to(run)
    before = contents(tmp_path)
    for target in (other, foreign, file, link):
        found = complaint(partial(kept, plan, target, force=True))
        assert found == (
            f"{target}: not a kept run; --force replaces only a kept run; give another name, or remove it yourself"
        )
    assert contents(tmp_path) == before


def test_force_loses_nothing_that_was_put_into_a_run(plan: Plan, tmp_path: Path) -> None:
    """Notes, pictures or runs that somebody keeps inside a run's folder are not deleted with it."""
    run = tmp_path / "run"
    keep(plan, run, command=["gwplan"], options={})
    (run / "notes.txt").write_text("what we agreed on")
    before = contents(tmp_path)
    assert complaint(partial(kept, plan, run, force=True)) == (
        f"{run}: holds 'notes.txt'; --force replaces a kept run, nothing else; move it elsewhere, or give another name"
    )
    assert contents(tmp_path) == before
    keep(plan, run / "inner", command=["gwplan"], options={})
    assert "holds 'inner'" in complaint(partial(kept, plan, run, force=True))


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
@pytest.mark.parametrize("force", [False, True])
def test_failure_in_the_last_write(
    failure: BaseException,
    force: bool,
    plan: Plan,
    plans: dict[str, Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that fills up, or Ctrl-C, in the very last write leaves no trace, and an earlier run as it was."""
    target = tmp_path / "run"
    if force:
        keep(plans["tiny-deals"], target, command=["gwplan"], options={})
    before, write = contents(tmp_path), Path.write_bytes

    def failing(path: Path, data: bytes) -> int:
        if path.name == "manifest.json":
            raise failure
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises((InstanceError, KeyboardInterrupt)) as caught:
        keep(plan, target, command=["gwplan"], options={}, force=force)
    if isinstance(failure, OSError):
        assert str(caught.value) == (
            f"{target}: cannot be written; no space left on device; check the path, its permissions and the free space"
        )
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == (["run"] if force else [])


@pytest.mark.parametrize("failure", [OSError(errno.EACCES, os.strerror(errno.EACCES)), KeyboardInterrupt()])
def test_failure_between_old_and_new(
    failure: BaseException, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is being replaced comes back when the new one cannot be put in its place."""
    target = tmp_path / "run"
    keep(plan, target, command=["gwplan"], options={})
    before, rename = contents(tmp_path), os.rename

    def failing(source: Path, place: Path) -> None:
        if Path(source).name == "new":
            raise failure
        rename(source, place)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises((InstanceError, KeyboardInterrupt)):
        keep(plan, target, command=["gwplan"], options={}, force=True)
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_what_a_kill_leaves_is_no_run(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays behind when the process dies just before the end is hidden, and is not read as a run."""
    monkeypatch.setattr(shutil, "rmtree", lambda path, **given: None)
    monkeypatch.setattr(os, "rename", lambda source, place: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        keep(plan, tmp_path / "run", command=["gwplan"], options={})
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".gwplan-")
    assert not KIND.made(left)
    assert "not a kept run" in complaint(lambda: read_run(left))


def test_places_that_cannot_be_written(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that no run can be kept in is refused in one line before a long solve."""
    file = tmp_path / "file"
    file.write_text("")
    assert "cannot be written; not a directory" in complaint(lambda: KIND.refuse(file / "run"))
    assert "cannot be written; file name too long" in complaint(lambda: KIND.refuse(tmp_path / ("x" * 300)))
    assert "embedded null" in complaint(lambda: KIND.refuse(tmp_path / "a\0b"))
    assert "not a kept run" in complaint(lambda: KIND.refuse(tmp_path, force=True))
    KIND.refuse(tmp_path / "new" / "run")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = complaint(lambda: KIND.refuse(tmp_path / "new" / "run"))
    assert f"cannot be written; {tmp_path} may not be written into" in found


def test_what_is_no_run(tmp_path: Path) -> None:
    """Nothing, a file, an instance and a foreign or garbled manifest are told apart."""
    (tmp_path / "file").write_text("")
    assert complaint(lambda: read_run(tmp_path / "absent")) == (
        f"{tmp_path}/absent: no such folder; a kept run is a folder; give one made by gwplan solve --out"
    )
    assert "file: not a folder" in complaint(lambda: read_run(tmp_path / "file"))
    assert "tiny-tree: not a kept run; a kept run has a manifest.json" in complaint(
        lambda: read_run(INSTANCES / "tiny-tree")
    )
    manifest = tmp_path / "manifest.json"
    for garbled in (b"", b"{", b"\xff\xfe", b"[1]", b"[" * 200_000, b'{"format": "other", "version": 1}'):
        manifest.write_bytes(garbled)
        assert "manifest.json: garbled" in complaint(lambda: read_run(tmp_path))
        assert not KIND.made(tmp_path)
    manifest.write_text('{"format": "gwplan run", "version": 1}')
    assert "manifest.json: garbled; no instance in it" in complaint(lambda: read_run(tmp_path))
    manifest.unlink()
    manifest.mkdir()
    assert "manifest.json: not a regular file" in complaint(lambda: read_run(tmp_path))


def test_newer_version(plan: Plan, tmp_path: Path) -> None:
    """A run of a later gwplan is refused by its version alone, whatever else it holds."""
    path = kept(plan, tmp_path / "run").folder / "manifest.json"
    path.write_text(json.dumps({"format": "gwplan run", "version": VERSION + 1}))
    assert complaint(lambda: read_run(path.parent)) == (
        f"{path}: version {VERSION + 1}; this gwplan reads version {VERSION} of kept runs; use a newer gwplan"
    )
    assert KIND.made(path.parent)


def test_every_missing_or_changed_file_is_told(plan: Plan, tmp_path: Path) -> None:
    """Missing, changed and irregular files of a run are all told at once; a pipe does not hang the reader."""
    folder = kept(plan, tmp_path / "run").folder
    (folder / "summary.json").unlink()
    lines = (folder / "supply.csv").read_text().splitlines(keepends=True)
    (folder / "supply.csv").write_text("".join(lines[:-1]))
    (folder / "deals.csv").unlink()
    os.mkfifo(folder / "deals.csv")
    assert complaint(lambda: read_run(folder)).splitlines() == [
        f"{folder}/summary.json: no such file; every kept run has one; solve and keep it again",
        f"{folder}/supply.csv: changed since it was kept; a kept run is a record; its manifest.json tells another "
        "content; solve and keep it again",
        f"{folder}/deals.csv: not a regular file; a kept run holds regular files; solve and keep it again",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("node,gw\n", "its columns are not node, period"),
        ("{header}\nx,0,2026-01-01,,1.0,a,b,1.0\n", "invalid"),
        ("{header}\n0,0,2026-13-01,,1.0,a,b,1.0\n", "out of range"),
        ("{header}\n0,0,2026-01-01,,1.0,a,b,many\n", "many"),
        ("{header}\n0,0,2026-01-01,,1.0,a,b,1.0,more,and,more\n", "row 2 has 11 cells for 8 columns"),
        ("{header}\n\n", "row 2 has 0 cells"),
        ('{header}\n"', "unexpected end of data"),
        ("", "its columns are not node, period"),
    ],
)
def test_garbled_table(text: str, reason: str, plan: Plan, tmp_path: Path) -> None:
    """A table that agrees with its hash and still is none is refused in one line."""
    folder = kept(plan, tmp_path / "run").folder
    data = text.format(header=",".join(COLUMNS["allocation"])).encode()
    (folder / "allocation.csv").write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["contents"]["allocation.csv"] = hashlib.sha256(data).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = complaint(lambda: read_run(folder))
    assert found.startswith(f"{folder}/allocation.csv: garbled; ") and reason in found


def test_changed_instance(plan: Plan, tmp_path: Path) -> None:
    """An instance that was changed inside a run is not taken for the one that was planned."""
    run = kept(plan, tmp_path / "run")
    path = run.folder / "instance" / "instance.toml"
    path.write_text(path.read_text().replace("tiny-tree", "tiny-treason"))
    assert "run/instance: changed since it was kept" in complaint(lambda: run.instance)


def test_tables_are_written_as_pandas_writes_them() -> None:
    """The faster way to CSV gives the same bytes: blanks, negative zero, tiny numbers, quotes and line breaks."""
    plain = {"integer": [3, -1, 3, 0, 2**40], "date": np.array(["2027-01-31"] * 4 + ["NaT"], dtype="datetime64[s]")}
    plain |= {"number": [0.0, -0.0, np.nan, 1e-300, 0.1 + 0.2], "text": ["", "a, b", 'say "a"', "two\nlines", "é"]}
    for name, columns in COLUMNS.items():
        frame = pd.DataFrame({c: pd.Series(plain[column.kind], dtype=dtypes(name)[c]) for c, column in columns.items()})
        expected = frame.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")
        assert table_csv(name, frame).decode() == expected
        assert table_csv(name, frame[:0]).decode() == frame[:0].to_csv(index=False, lineterminator="\n")
