"""What is signed, extended, given back and sold, on instances worked out by hand: the oracle and the planner."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from tests.oracle import solve
from tests.oracle.hand_examples import EXAMPLES


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_oracle_gives_what_was_worked_out(name: str, tmp_path: Path) -> None:
    """Protects the second opinion on contracts: each example is worth what pencil and paper say."""
    assert solve(EXAMPLES[name].write(tmp_path)).objective_bn == pytest.approx(EXAMPLES[name].optimum_bn)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_planner_gives_what_was_worked_out(name: str, tmp_path: Path) -> None:
    """Protects offers, ways out and contracts sold: worth, and the share of each offer that is signed in the end."""
    example = EXAMPLES[name]
    plan = gw.solve(gw.load(example.write(tmp_path)))
    assert plan.objective_bn == pytest.approx(example.optimum_bn)
    rows = plan.commitments.query("period == period.max()")
    signed = (rows["share"] * rows["probability"]).groupby(rows["contract"]).sum()
    assert {offer: signed.get(offer, 0.0) for offer in example.signed} == pytest.approx(example.signed)
