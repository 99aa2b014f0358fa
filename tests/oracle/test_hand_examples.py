"""What is signed, extended, given back and sold, on instances worked out by hand: the oracle and the planner."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.conftest import Run, gwplan_started, in_process
from tests.oracle import solve
from tests.oracle.hand_examples import EXAMPLES, Example

__all__ = ["gwplan_started"]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_oracle_gives_what_was_worked_out(name: str, tmp_path: Path) -> None:
    """Protects the second opinion on contracts: each example is worth what pencil and paper say."""
    assert solve(EXAMPLES[name].write(tmp_path)).objective_bn == pytest.approx(EXAMPLES[name].optimum_bn)


def told(done: Result | subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what a command printed as JSON."""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def assert_worked_out(example: Example, summary: dict[str, Any]) -> None:
    """Assert worth, and the GW of each offer that are signed in the end, expected: each is an offer of 1 GW."""
    assert summary["objective_bn"] == pytest.approx(example.optimum_bn)
    assert {offer: summary["signed_gw"][offer] for offer in example.signed} == pytest.approx(example.signed)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_planner_gives_what_was_worked_out(name: str, tmp_path: Path) -> None:
    """Protects offers, ways out and contracts sold, by the command: worth, and what is signed in the end."""
    done = in_process(["solve", str(EXAMPLES[name].write(tmp_path)), "--json"])
    assert_worked_out(EXAMPLES[name], told(done))


@pytest.mark.parametrize("name", ["signs with a way out", "extends what it keeps", "a run of training"])
def test_a_process_of_its_own_gives_what_was_worked_out(name: str, tmp_path: Path, gwplan_started: Run) -> None:
    """Protects the installed command from what only a fresh start shows."""
    assert_worked_out(EXAMPLES[name], told(gwplan_started("solve", EXAMPLES[name].write(tmp_path / name), "--json")))


@pytest.mark.parametrize(
    ("name", "offer", "prices"),
    [
        ("waits", "new", [1.5]),
        ("ten years", "new", [1.2]),
        ("customer", "deal", [1]),
        ("a run of training", "run", [2, 1]),
    ],
)
def test_the_last_price_that_pays_is_the_one_worked_out(
    name: str, offer: str, prices: list[float], tmp_path: Path
) -> None:
    """Protects `gwplan price`: the most to pay for all of it, and the least to take, by date of signature.

    A GW in 2028 earns 3 with probability 1/2. Ten years, one at 3 and nine at 1. A customer takes what own use would
    earn, 1; a run that begins in 2027 the mean of 3 and 1, in 2028 two years of 1.
    """
    priced = told(in_process(["price", str(EXAMPLES[name].write(tmp_path)), offer, "--json"]))
    whole = [row["price"] for row in priced["most"] if row["aversion"] == 0 and row["gw"] == 1]
    assert whole == pytest.approx(prices)
