from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run

TINY = INSTANCES / "tiny-locks"


def test_a_planners_own_allocation_is_priced(gwplan: Run, tmp_path: Path) -> None:
    """A file of plain dates is read, priced against the best plan and printed at 80 columns."""
    (tmp_path / "mine.csv").write_text("start,pathway,pool,gw\n2026-01-01,training,cluster,0.2\n", encoding="utf-8")
    done = gwplan("evaluate", TINY, "--plan", "mine.csv")
    assert done.returncode == 0, done.stderr
    assert "it keeps every limit" in done.stdout and "Gap" in done.stdout
    assert "mine.csv leaves out training on cluster, ads on cluster: chosen best there" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    record = json.loads(gwplan("evaluate", TINY, "--plan", "mine.csv", "--json").stdout)
    assert record["gap_bn"] == pytest.approx(record["best_objective_bn"] - record["objective_bn"])
    assert record["possible"] is True


def test_an_impossible_allocation_is_not_taken_for_a_plan(gwplan: Run, tmp_path: Path) -> None:
    """The first line says that it is not possible, and so does the exit code, printed or as JSON."""
    (tmp_path / "mine.csv").write_text("start,pathway,pool,gw\n2026-01-01,training,cluster,5\n", encoding="utf-8")
    done = gwplan("evaluate", TINY, "--plan", "mine.csv")
    assert done.returncode == 3
    assert done.stdout.startswith("NOT POSSIBLE: the given allocation of tiny-locks breaks 2 limits\n")
    told = gwplan("evaluate", TINY, "--plan", "mine.csv", "--json")
    assert told.returncode == 3 and json.loads(told.stdout)["possible"] is False


def test_everything_wrong_with_the_file_is_said_at_once(gwplan: Run, tmp_path: Path) -> None:
    """Each bad cell is one line with its place; no traceback, exit code 1."""
    text = "start,pathway,pool,gw\n2026-01-02,trainin,cluster,0.2\n2026-01-01,ads,cluster,-1\n"
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    done = gwplan("evaluate", TINY, "--plan", "mine.csv")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 3 and "did you mean 'training'?" in done.stderr
    (tmp_path / "mine.csv").write_text("pathway,gws\n", encoding="utf-8")
    assert "column 'gws'" in gwplan("evaluate", TINY, "--plan", "mine.csv").stderr
    assert gwplan("evaluate", TINY, "--plan", "nothing.csv").returncode == 1


def test_a_lock_on_the_command_line_holds_and_says_what_it_costs(gwplan: Run) -> None:
    """``--lock`` adds a lock to those of the instance; each has its cost below the plan and in the JSON."""
    lock = "ads = 0.5 @ 2026-01-01..2027-01-01"
    done = gwplan("solve", TINY, "--lock", lock)
    assert done.returncode == 0, done.stderr
    assert any(lock in line and line.split()[-1] == "0.600" for line in done.stdout.splitlines())
    record = json.loads(gwplan("solve", TINY, "--lock", lock, "--json").stdout)
    assert record["lock_costs_bn"][lock] == pytest.approx(0.6)
    assert "no such pathway" in gwplan("solve", TINY, "--lock", "adz = 1").stderr


def test_the_sheet_of_an_exported_plan_is_priced(gwplan: Run, tmp_path: Path) -> None:
    """The allocation of an exported workbook is read back: as exported it is the best plan; a missing sheet is said."""
    assert gwplan("solve", TINY, "--out", "run").returncode == 0
    assert gwplan("export", "run", "--xlsx", "plan.xlsx").returncode == 0
    done = gwplan("evaluate", TINY, "--plan", "plan.xlsx", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["gap_bn"] == pytest.approx(0.0, abs=1e-9)
    assert record["broken"] == []
    wrong = gwplan("evaluate", TINY, "--plan", "plan.xlsx", "--sheet-prefix", "my_")
    assert wrong.returncode == 1
    assert "sheet 'my_allocation'" in wrong.stderr
