from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run

TINY = INSTANCES / "tiny-deals"
EDIT = "pathways[pathway=deals].notice_days = 0"


@pytest.fixture
def kept(gwplan: Run, tmp_path: Path) -> Path:
    """Return a folder with runs: the instance as written, with shorter notice, and over another horizon."""
    edits = {"base": (), "short": ("--set", EDIT), "long": ("--set", "calendar.periods += 1")}
    for name, options in edits.items():
        assert gwplan("solve", TINY, *options, "--out", name).returncode == 0
    return tmp_path


def test_only_what_differs_is_shown(gwplan: Run, kept: Path) -> None:
    """Inputs cell by cell, figures with their difference, allocations that moved; nothing of what is the same."""
    done = gwplan("compare", "base", "short")
    assert done.returncode == 0, done.stderr
    words = [line.split() for line in done.stdout.splitlines()]
    assert ["pathways[pathway=deals].notice_days", "90", "0"] in words
    assert ["worth,", "$bn", "15.30", "16.50", "(+1.20)"] in words
    assert sum("pathways[" in line for line in done.stdout.splitlines()) == 1
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_equal_runs_differ_in_nothing(gwplan: Run, kept: Path) -> None:
    """A run beside itself has no difference, in words and as data; --all shows the figures nevertheless."""
    done = gwplan("compare", "base", "base")
    assert [line for line in done.stdout.splitlines() if "the same" in line] == [
        "INPUTS of A and B: the same",
        "THIS QUARTER'S DECISION: the same",
        "FIGURES: the same",
        "ALLOCATION: the same",
    ]
    record = json.loads(gwplan("compare", "base", "base", "--json").stdout)
    assert record["inputs"] == [[]] and record["figures"] == record["allocation_gw"] == []
    assert "15.30" in gwplan("compare", "base", "base", "--all").stdout


def test_runs_that_mean_something_else_are_refused(gwplan: Run, kept: Path) -> None:
    """Worth over another horizon is no difference but another quantity: it is refused, with what to do."""
    done = gwplan("compare", "base", "long")
    assert done.returncode == 1
    assert "calendar.periods" in done.stderr and "do not mean the same" in done.stderr
    assert gwplan("compare", "base").returncode == 2
    assert gwplan("compare", "base", "nothing").returncode == 1
