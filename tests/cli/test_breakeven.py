"""``gwplan breakeven`` and ``gwplan montecarlo`` as a planner types them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import INSTANCES, Run

CELL = "value[pathway=deals].value_bn_per_gw_year"


def test_breakeven_prints_and_gives_json(gwplan: Run) -> None:
    """The page fits 80 columns and says how it was found; the JSON has the same figures."""
    page = gwplan("breakeven", INSTANCES / "tiny-deals", CELL, "--until-plan-changes")
    assert page.returncode == 0, page.stderr
    assert "DOWN: at 7\n" in page.stdout and "UP: at 12\n" in page.stdout
    assert "Exact: parametric steps of the basis" in page.stdout
    assert max(map(len, page.stdout.splitlines())) <= 80
    told = gwplan("breakeven", INSTANCES / "tiny-deals", CELL, "--threshold", "15", "--between", "0", "9", "--json")
    found = json.loads(told.stdout)
    assert found["searches"][0]["breakeven"]["value"] == 7.5
    assert found["searches"][1]["breakeven"] is None and found["searches"][1]["searched_until"] == 9


def test_wrong_breakevens_end_in_one_line(gwplan: Run) -> None:
    """A misspelt cell is bad input with the nearest name, a missing goal wrong usage."""
    bad = gwplan("breakeven", INSTANCES / "tiny-deals", "value.value_bn_per_gw_yeer", "--until-plan-changes")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.count("\n") == 1 and "did you mean 'value_bn_per_gw_year'" in bad.stderr
    assert gwplan("breakeven", INSTANCES / "tiny-deals", CELL).returncode == 2
    nowhere = gwplan("breakeven", INSTANCES / "tiny-deals", CELL, "--threshold", "nan")
    assert nowhere.returncode == 2 and "--threshold takes finite numbers, not nan" in nowhere.stderr
    far = gwplan("breakeven", INSTANCES / "tiny-deals", CELL, "--threshold", "20", "--between", "0", "1e308")
    assert far.returncode == 1 and "no cell holds more than 1,000,000,000; narrow --between" in far.stderr


def test_first_moves_change_where_they_count(gwplan: Run) -> None:
    """Training gives its 0.6 GW to deals today once they earn 20; from which size a change counts moves the plan's.

    In 2026 deals have 0.4 GW at any price; that training ends them from a price of 7 down is a matter of later years.
    """
    asked = ("breakeven", INSTANCES / "tiny-deals", CELL, "--json")
    moves = json.loads(gwplan(*asked, "--until-first-moves-change").stdout)
    down, up = moves["searches"]
    assert (moves["goal"], moves["counts_from_gw"], down["breakeven"]) == ("first moves change", 0.01, None)
    assert up["breakeven"]["value"] == pytest.approx(20, rel=1e-4)
    assert {(m["pathway"], round(m["now_gw"], 6), round(m["after_gw"], 6)) for m in up["breakeven"]["first_moves"]} == {
        ("training", 0.6, 0.0), ("deals", 0.4, 1.0)
    }  # fmt: skip
    plan = json.loads(gwplan(*asked, "--until-plan-changes", "--counts-from", "0.1").stdout)
    assert plan["searches"][0]["breakeven"]["value"] == pytest.approx(7, rel=1e-4)
    all_of_it = json.loads(gwplan(*asked, "--until-plan-changes", "--counts-from", "2").stdout)
    assert [search["breakeven"] for search in all_of_it["searches"]] == [None, None]
    page = gwplan("breakeven", INSTANCES / "tiny-deals", CELL, "--until-first-moves-change")
    assert "where the first moves change by 0.01 GW or more" in page.stdout
    assert "since a change counts from 0.01 GW" in " ".join(page.stdout.split())
    for wrong in (("--counts-from", "1", "--threshold", "3"), ("--until-plan-changes", "--until-first-moves-change")):
        assert gwplan("breakeven", INSTANCES / "tiny-deals", CELL, *wrong).returncode == 2


def test_montecarlo_is_kept_and_printed(gwplan: Run, tmp_path: Path) -> None:
    """Cases and tables are kept as CSV and Parquet alike, and the page says how many draws have no plan."""
    done = gwplan(
        "montecarlo", INSTANCES / "tiny-deals", "--draw", f"{CELL} ~ discrete(-1: 0.25, 8: 0.75)", "--samples", "8",
        "--out", "kept",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 8 draws have no plan" in done.stdout and "warning: 2 cases are bad input" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    cases = pd.read_parquet(tmp_path / "kept" / "cases.parquet")
    assert len(cases) == 8 == len(pd.read_csv(tmp_path / "kept" / "cases.csv"))
    assert (tmp_path / "kept" / "quantiles.parquet").is_file()
