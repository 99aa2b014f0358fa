from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run

TINY = INSTANCES / "tiny-deals"


def test_the_next_instance_is_written_and_can_be_solved(gwplan: Run, tmp_path: Path) -> None:
    """From a kept run, and from a file of actuals; nothing is overwritten, and a wrong date or pair is one line."""
    assert gwplan("solve", TINY, "--out", "run").returncode == 0
    done = gwplan("roll", TINY, "--to", "2026-10-01", "--run", "run", "--out", "next")
    assert done.returncode == 0, done.stderr
    assert "from 2026-10-01 on" in done.stdout
    assert gwplan("solve", "next").returncode == 0
    assert gwplan("roll", TINY, "--to", "2026-10-01", "--run", "run", "--out", "next").returncode == 1
    assert (
        "first day of a later period" in gwplan("roll", TINY, "--to", "2026-10-02", "--run", "run", "--out", "x").stderr
    )
    assert gwplan("roll", TINY, "--to", "2026-10-01", "--out", "x").returncode == 2
    (tmp_path / "now.csv").write_text("pathway,pool,gw\nnobody,nowhere,1\n", encoding="utf-8")
    done = gwplan("roll", TINY, "--to", "2026-10-01", "--actuals", "now.csv", "--out", "x")
    assert done.returncode == 1 and "no such pair" in done.stderr and not (tmp_path / "x").exists()


def test_actuals_take_the_place_of_the_plan(gwplan: Run, tmp_path: Path) -> None:
    """What is in use is what the file says, pairs that it leaves out are at 0, and what it cannot tell is said."""
    pair = (TINY / "eligibility.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[:2]
    (tmp_path / "now.csv").write_text(f"pathway,pool,gw\n{pair[0]},{pair[1]},0.25\n", encoding="utf-8")
    done = gwplan("roll", TINY, "--to", "2026-10-01", "--actuals", "now.csv", "--out", "next")
    assert done.returncode == 0, done.stderr
    assert "cancellations given before" in done.stderr
    assert "now.csv leaves out deals on cloud: 0 GW in use" in done.stderr
    rows = (tmp_path / "next" / "eligibility.csv").read_text(encoding="utf-8").splitlines()
    assert sum("0.25" in row for row in rows[1:]) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pathway,pool,gw\ntraining,cloud,0_6\n", "given.csv row 2, gw: '0_6'; must be a number (GW)"),
        ("pathway,pool,gw\ntraining,cloud,\u0660.6\n", "given.csv row 2, gw: '\u0660.6'; must be a number (GW)"),
        ("pathway,pool,gw\n\ntraining,cloud,inf\n", "given.csv row 3, gw: 'inf'; must be a finite number"),
        ("pathway;pool;gw\ntraining;cloud;0,6\n", "cells are separated by commas; save the file with commas"),
        ("pathway,pool,gws\ntraining,cloud,1\n", "unknown column 'gws'"),
        ("pathway,pool,gw\ntraining,cloud\n", "given.csv row 2: 2 cells; row 1 names 3 columns"),
        ("pathway,pool,gw\n", "given.csv: no rows"),
    ],
)
def test_given_tables_are_read_by_the_grammar_of_tables(text: str, told: str, gwplan: Run, tmp_path: Path) -> None:
    """What a cell of an instance may not say, a file of actuals or of a plan may not say either: 0_6 is no 6 GW."""
    (tmp_path / "given.csv").write_text(text, encoding="utf-8")
    for command in (("roll", TINY, "--to", "2026-10-01", "--out", "next", "--actuals"), ("evaluate", TINY, "--plan")):
        done = gwplan(*command, "given.csv")
        assert done.returncode == 1 and told in done.stderr and not (tmp_path / "next").exists()
