"""``gwplan uncertainty`` on the real command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.conftest import INSTANCES, Run
from tests.generate import random_instance

PUBLISHED = Path(__file__).resolve().parents[1] / "published"

FEED_BOUGHT = 238 * 200 + 210 * 240
"""Dollars: what the farmer's recast leaves out, see tests/published."""

SOLD_STOCK = 0.5 * (1 + 3 + 5)
"""What storing all that was sold would cost: the air conditioners' recast pays it for all that was made."""

KEYS = ("rp", "ws", "eev", "evpi", "vss", "rigid", "reallocation", "dedicated", "fungibility")


def figures(gwplan: Run, *arguments: str | Path) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    done = gwplan("uncertainty", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_farmer_through_the_command(gwplan: Run) -> None:
    """Protects every published figure of Birge and Louveaux's farmer, and regret against the published foresight."""
    found = figures(gwplan, PUBLISHED / "farmer")
    assert round(found["rp_bn"] - FEED_BOUGHT) == 108_390
    assert round(found["ws_bn"] - FEED_BOUGHT) == 115_406
    assert round(found["eev_bn"] - FEED_BOUGHT) == 107_240
    assert round(found["evpi_bn"]) == 7_016
    assert round(found["vss_bn"]) == 1_150
    foresight = {future["known"]: future["foresight_bn"] - FEED_BOUGHT for future in found["scenarios"]}
    published = {"yield=good": 167_666.67, "yield=average": 118_600.0, "yield=poor": 59_950.0}
    assert foresight == pytest.approx(published, abs=0.01)


def test_a_published_problem_of_three_stages_through_the_command(gwplan: Run) -> None:
    """Protects trees of several stages: Birge and Louveaux's air conditioners cost 6.25 (chapter 6.1, example 1).

    By hand: with orders known 3, 5.5, 5.5 and 9.5, so 5.875; making 1 first, as for mean orders, 6.75.
    """
    found = figures(gwplan, PUBLISHED / "air-conditioners")
    assert -found["rp_bn"] - SOLD_STOCK == pytest.approx(6.25, abs=1e-7)
    assert -found["ws_bn"] - SOLD_STOCK == pytest.approx(5.875, abs=1e-7)
    assert -found["eev_bn"] - SOLD_STOCK == pytest.approx(6.75, abs=1e-7)


def test_json_has_every_figure_and_a_reason_for_each_that_is_null(gwplan: Run, tmp_path: Path) -> None:
    """Protects programs that read the report: the keys are there, numbers or null with a reason."""
    found = figures(gwplan, random_instance(52, tmp_path / "random"))
    assert all(f"{key}_bn" in found for key in KEYS)
    null = {f"{key}_bn" for key in KEYS if found[f"{key}_bn"] is None}
    assert null == {"rigid_bn", "reallocation_bn"} == set(found["reasons"])
    assert all(set(f) >= {"known", "probability", "worth_bn", "regret_bn"} for f in found["scenarios"])
    assert sum(f["probability"] for f in found["scenarios"]) == pytest.approx(1)
    assert "cvar_bn" in found and found["frontier"] == []


def test_the_report_fits_the_terminal_and_names_every_part(
    gwplan_started: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the planner's reading: parts, the tree in words, 80 columns, plain characters where asked."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    asked = ("--frontier", "3", "--set", "risk.aversion = 0.5", "--full", "--html", "report.html")
    done = gwplan_started("uncertainty", INSTANCES / "tiny-tree", *asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert max(map(cell_len, done.stdout.splitlines())) <= 80
    for said in ("RP", "EVPI", "WORTH BY FUTURE", "down / slow", "WHAT KNOWING ONE THING NOW", "WHAT EACH OPTION ADDS",
                 "RISK FRONTIER", "0.5*", "FIRST MOVES", "|- if market=up in 2026-02 (50%): "):  # fmt: skip
        assert said in done.stdout, said
    assert done.stderr == ""
    assert "<h1>Uncertainty of tiny-tree</h1>" in (tmp_path / "report.html").read_text()


def test_the_report_says_why_a_case_has_no_plan(gwplan: Run, tmp_path: Path) -> None:
    """Protects the planner from an empty figure: the report says none, and why."""
    done = gwplan("uncertainty", random_instance(74, tmp_path / "random"), "--full")
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "EEV none" in words and "VSS none" in words
    assert "leaves no plan that keeps every limit in every future" in words


def test_no_plan_no_figures(gwplan: Run, tmp_path: Path) -> None:
    """Protects the exit codes: an instance without a plan is 3, bad input 1, wrong usage 2; nothing is printed."""
    nothing = gwplan("uncertainty", random_instance(76, tmp_path / "random"))
    assert (nothing.returncode, nothing.stdout) == (3, "")
    assert nothing.stderr.startswith("error: infeasible")
    broken = tmp_path / "broken"
    shutil.copytree(INSTANCES / "tiny-tree", broken)
    (broken / "pools.csv").write_text("pol\ncloud\n", encoding="utf-8")
    assert gwplan("uncertainty", broken).returncode == 1
    assert gwplan("uncertainty", INSTANCES / "tiny-tree", "--frontier", "0").returncode == 2
