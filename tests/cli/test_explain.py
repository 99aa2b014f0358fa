"""``gwplan explain`` in a subprocess."""

from __future__ import annotations

import json

from tests.cli.conftest import INSTANCES, Run

LOCKED = "insert locks[pathway=deals, from=2027-01-01, min_gw=3]"


def test_explain_prints_what_an_infeasible_solve_prints(gwplan: Run) -> None:
    """Protects the command line: both end with 3 and give the same text, which pasted back makes the instance solve."""
    source = str(INSTANCES / "tiny-deals")
    explained = gwplan("explain", source, "--set", LOCKED)
    solved = gwplan("solve", source, "--set", LOCKED)
    assert explained.returncode == solved.returncode == 3
    assert explained.stdout and explained.stdout in solved.stderr and not solved.stdout
    found = json.loads(gwplan("explain", source, "--set", LOCKED, "--json").stdout)
    for repair in found["repairs"]:
        options = [word for edit in repair["edits"] for word in ("--set", edit)]
        assert gwplan("solve", source, "--set", LOCKED, *options, "--json").returncode == 0
    assert gwplan("explain", source).returncode == 0
