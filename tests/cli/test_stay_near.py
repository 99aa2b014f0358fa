from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import INSTANCES, Run

TREE = INSTANCES / "tiny-tree"


def test_next_month_stays_near_this_months_plan(gwplan: Run, tmp_path: Path) -> None:
    """A kept run, rolled a month on, is stayed near: the page, the manifest and evaluate all count what is moved.

    A run of something else is one line of bad input.
    """
    assert gwplan("solve", TREE, "--out", "january").returncode == 0
    rolled = gwplan("roll", TREE, "--to", "2026-02-01", "--run", "january", "--out", "february")
    assert rolled.returncode == 0, rolled.stderr
    asked = ("february", "--set", "deliveries.gw *= 1.5", "--stay-near", "january", "--move-cost", "0.5")
    done = gwplan("solve", *asked, "--full", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "stay near january at 0.5 $bn" in " ".join(done.stdout.split())
    assert "move penalty" in done.stdout and "GW-years off the earlier plan" in done.stdout
    options = json.loads((tmp_path / "run" / "manifest.json").read_text())["options"]
    assert (options["stay_near"], options["move_cost_bn_per_gw_year"]) == ("january", 0.5)
    assert gwplan("export", "run", "--html", "report.html").returncode == 0
    assert "move penalty" in (tmp_path / "report.html").read_text()
    priced = gwplan("evaluate", *asked, "--plan", "run/allocation.csv", "--json")
    assert priced.returncode == 0, priced.stderr
    record = json.loads(priced.stdout)
    assert abs(record["gap_bn"]) < 1e-6 and record["summary"]["components_bn"]["move_penalty"] < 0

    other = gwplan("whatif", INSTANCES / "tiny-risk", "--stay-near", "january", "--move-cost", "1")
    assert other.returncode == 1 and other.stderr.startswith("error: ") and other.stderr.count("\n") == 1


def test_half_a_wish_is_wrong_usage(gwplan: Run) -> None:
    """A plan to stay near without a cost, or a cost without a plan, is told before anything is solved."""
    alone = gwplan("solve", TREE, "--stay-near", "run")
    assert alone.returncode == 2 and "--stay-near RUN and --move-cost X together" in alone.stderr
