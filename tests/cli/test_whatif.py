from __future__ import annotations

import json
from pathlib import Path

import pytest

from gwplan.kept.run import read_run
from tests.cli.conftest import INSTANCES, Run

TINY = INSTANCES / "tiny-deals"
FLOOR = "insert demand[pathway=training, from=2026-07-01, floor_gw=100]"


def test_edits_are_compared_with_the_base_at_80_columns(gwplan: Run) -> None:
    """``--set`` makes one case beside the base; the table fits a terminal."""
    done = gwplan("whatif", TINY, "--set", "pathways[pathway=deals].notice_days = 0", "--full")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:2] == ["base", "15.30"] for line in lines)
    assert any(line.split()[:3] == ["set", "16.50", "(+1.20)"] for line in lines)


def test_the_comparison_and_each_run_are_kept(gwplan: Run, tmp_path: Path) -> None:
    """``--out`` keeps the table and whole runs, and does not overwrite without --force."""
    (tmp_path / "dearer.toml").write_text(
        '[[edit]]\ntable = "contracts"\ncolumn = "cost_bn_per_gw_year"\nadd = 0.1\n', encoding="utf-8"
    )
    arguments = ("whatif", TINY, "dearer.toml", "--out", "kept")
    assert gwplan(*arguments).returncode == 0
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["comparison.csv", "comparison.json", "runs"]
    record = json.loads((tmp_path / "kept" / "comparison.json").read_text(encoding="utf-8"))
    run = read_run(tmp_path / "kept" / "runs" / "dearer")
    assert record["cases"]["dearer"]["figures"]["objective_bn"] == pytest.approx(run.summary["objective_bn"])
    assert gwplan(*arguments).returncode == 1
    assert gwplan(*arguments, "--force").returncode == 0


def test_a_whatif_without_a_plan_is_told_and_ends_with_3(gwplan: Run) -> None:
    """The comparison is printed all the same; the exit code says that something has no plan."""
    done = gwplan("whatif", TINY, "--set", FLOOR)
    assert done.returncode == 3
    assert "base" in done.stdout and "set has no plan: infeasible" in " ".join(done.stdout.split())
    assert done.stderr.startswith("error: set: infeasible")


def test_what_is_asked_for_must_exist(gwplan: Run) -> None:
    """A misspelt what-if is one line with the nearest name; an instance without what-ifs says what to give."""
    done = gwplan("whatif", INSTANCES / "meta-2026h1", "msl-lag")
    assert done.returncode == 1 and "did you mean 'msl-lags'?" in done.stderr
    done = gwplan("whatif", TINY)
    assert done.returncode == 1 and "--set EDIT" in done.stderr


def test_a_stack_is_attributed(gwplan: Run) -> None:
    """``--attribute`` says what each part of a stack contributes, also in JSON."""
    edits = ("--set", "contracts.cost_bn_per_gw_year += 0.1", "--set", "pathways[pathway=deals].notice_days = 0")
    done = gwplan("whatif", TINY, *edits, "--attribute", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    shares = [share for _, share in record["attribution"]["set"]["share_bn"]]
    assert sum(shares) == pytest.approx(record["cases"]["set"]["difference"]["objective_bn"])
