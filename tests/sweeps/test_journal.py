"""Rows on disk: whatever is torn off their end, what is left is whole, and the sweep ends with the same table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.errors import SolverError
from gwplan.problems import InstanceError
from gwplan.studies.sweep.engines import InProcess
from gwplan.studies.sweep.journal import ROWS, Journal, beside, discard
from gwplan.studies.sweep.sweep import Study, Task, run
from tests.sweeps.killed import ROOT, killed, whole

DEALS = Path(__file__).resolve().parents[2] / "instances" / "tiny-deals"
KILLS = int(os.environ.get("GWPLAN_SWEEP_KILLS", "2"))


@pytest.fixture(scope="module")
def study() -> Study:
    """Return a small sweep."""
    edits = [f"value.value_bn_per_gw_year *= 1.{n}" for n in range(1, 5)]
    return Study("sweep", gw.load(DEALS), tuple(Task((edit,), {"edit": edit}) for edit in edits))


@pytest.fixture
def rows(study: Study, tmp_path: Path) -> Iterator[Path]:
    """Yield the file of a sweep's rows, all of them there."""
    with Journal(tmp_path / "out", study) as journal:
        run(study, InProcess(), journal)
    yield beside(tmp_path / "out") / ROWS


def test_a_line_torn_anywhere_is_worked_out_again(study: Study, rows: Path, tmp_path: Path) -> None:
    """Cut after any byte, or overwritten by zeros as a crash of the machine leaves it, the file goes on whole."""
    data = rows.read_bytes()
    expected = run(study, InProcess()).rows
    with Journal(tmp_path / "out", study) as journal:
        kept = dict(journal.rows)
    assert len(kept) == len(study.tasks) + 1
    for end in range(0, len(data), 97):
        for left in (data[:end], data[:end] + bytes(40)):
            if not end and left:
                continue  # a file that never began as a sweep's is not ours
            rows.write_bytes(left)
            with Journal(tmp_path / "out", study) as journal:
                assert dict(journal.rows) == dict(list(kept.items())[: max(data[:end].count(b"\n") - 2, 0)])
                assert rows.read_bytes() == data[: max(data[:end].rfind(b"\n") + 1, data.index(b"\n") + 1)]
    with Journal(tmp_path / "out", study) as journal:
        assert run(study, InProcess(), journal).rows == expected
    assert rows.read_bytes() == data
    discard(tmp_path / "out")
    assert not rows.parent.exists()


def test_rows_of_another_sweep_are_refused_and_left_alone(study: Study, rows: Path, tmp_path: Path) -> None:
    """Another case, instance, quantity or option is another sweep; only --force throws its rows away."""
    data = rows.read_bytes()
    others = (
        replace(study, tasks=study.tasks[:-1]),
        replace(study, instance=study.instance.edited("economics.discount_rate = 0.01")),
        replace(study, quantities=("plan.npv_bn",)),
        replace(study, options=gw.SolveOptions(time_limit=5)),
        replace(study, settings={"seed": 2}),
    )
    for other in others:
        with pytest.raises(InstanceError, match="holds the rows of another sweep"):
            Journal(tmp_path / "out", other)
        assert rows.read_bytes() == data
    with Journal(tmp_path / "out", others[0], force=True) as journal:
        assert not journal.rows
    rows.write_bytes(b"somebody's own notes\n")
    with pytest.raises(InstanceError, match="holds the rows of another sweep"):
        Journal(tmp_path / "out", study)
    assert rows.read_bytes() == b"somebody's own notes\n"


def test_a_link_in_place_of_the_rows_is_not_followed(study: Study, tmp_path: Path) -> None:
    """Even --force, which throws rows away, leaves a file alone that a link at their place leads to."""
    notes = tmp_path / "notes"
    notes.write_text("precious")
    beside(tmp_path / "out").mkdir()
    (beside(tmp_path / "out") / ROWS).symlink_to(notes)
    with pytest.raises(InstanceError, match="cannot be written"):
        Journal(tmp_path / "out", study, force=True)
    assert notes.read_text() == "precious"


def test_two_processes_do_not_write_the_same_rows(study: Study, tmp_path: Path) -> None:
    """While one writes, a second is told to wait; afterwards it may."""
    with Journal(tmp_path / "out", study), pytest.raises(InstanceError, match="is being written"):
        Journal(tmp_path / "out", study)
    Journal(tmp_path / "out", study).close()


def test_rows_from_another_machine_are_not_gone_on_from(study: Study, rows: Path, tmp_path: Path) -> None:
    """Where the base's last digits differ, the rest of the rows would not be comparable."""
    with Journal(tmp_path / "out", study) as journal:
        journal.begin(journal._fingerprint)
        with pytest.raises(SolverError, match="another machine"):
            journal.begin("0123456789abcdef")


def test_a_sweep_that_is_killed_goes_on_to_the_same_table(tmp_path: Path) -> None:
    """SIGKILL at random moments, again and again: the tables of the whole sweep are the same byte for byte."""
    asked = ["sweep", str(DEALS), "--grid", "economics.discount_rate = 0..0.11 step 0.01", "--jobs"]
    seconds = whole([*asked, "1"], tmp_path / "whole")
    compared, left = killed([*asked, "1"], tmp_path, KILLS, seed=3, seconds=seconds + 1)
    assert compared and len(left) == KILLS and ROOT.exists()
