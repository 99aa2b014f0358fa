"""``gwplan backtest`` as a planner types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
DRAW = "value[pathway=training].value_bn_per_gw_year *~ uniform(0.8, 1.2) @ 2026-02-01"


def test_a_backtest_is_printed_kept_drawn_and_reported(gwplan: Run, tmp_path: Path) -> None:
    """All that is told: worth, differences, words; tables as Parquet, a picture, a report of what was kept."""
    out, picture, page = tmp_path / "kept", tmp_path / "fan.svg", tmp_path / "report.html"
    asked = ("backtest", INSTANCES / "tiny-tree", "--draw", DRAW, "--paths", "4", "--review", "month")
    done = gwplan(*asked, "--policy", "first", "--policy", "tree", "--out", out, "--svg", picture)
    assert done.returncode == 0
    for part in ("BACKTEST of tiny-tree: 4 paths, seed 0, reviewed every month", "REALISED WORTH", "TREE AGAINST THE",
                 "IN WORDS", "foresight"):  # fmt: skip
        assert part in done.stdout
    assert {"cases.parquet", "policies.parquet", "pairs.csv", "decisions.parquet"} <= {p.name for p in out.iterdir()}
    assert "worth less that of tree" in picture.read_text()
    assert gwplan("export", out, "--html", page).returncode == 0
    assert "In words" in page.read_text()


def test_along_leaves_it_says_that_this_is_no_evidence(gwplan: Run) -> None:
    """Refused unless asked for, and then said with the reason."""
    refused = gwplan("backtest", INSTANCES / "tiny-tree", "--review", "month")
    assert refused.returncode == 1 and "would only reproduce the plan's worth, RP" in refused.stderr
    checked = gwplan("backtest", INSTANCES / "tiny-tree", "--review", "month", "--leaves", "--policy", "tree", "--json")
    told = json.loads(checked.stdout)
    assert told["settings"]["paths"] == "leaves" and told["policies"][0]["mean_regret_bn"] >= 0
    assert len(told["cases"]) == 4


@pytest.mark.parametrize("given", [("--review", "week"), ("--paths", "0")])
def test_what_is_mistyped_is_wrong_usage(gwplan: Run, given: tuple[str, str]) -> None:
    """Told by the option before anything is drawn."""
    assert gwplan("backtest", INSTANCES / "tiny-tree", "--draw", DRAW, *given).returncode == 2
