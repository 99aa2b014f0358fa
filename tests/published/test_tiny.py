"""The tiny instances against optima worked out by hand; each folder's README holds the reasoning."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

OPTIMA_BN = {
    "tiny-cancellation": 3.75,
    "tiny-churn": 15.75,
    "tiny-curve": 6.1,
    "tiny-deals": 15.3,
    "tiny-locks": 17.0,
    "tiny-migration": 13.0,
    "tiny-ramp": 17.0,
    "tiny-risk": 12.88,
    "tiny-terminal": -1 / 1.1 + 2 / 1.1**3 + 2 / 1.1**5 + 2 / 1.1**7,
    "tiny-training": 19.0,
    "tiny-tree": 8.375,
}

CHANGED_OPTIMA_BN = [
    ("tiny-cancellation", ["cancellations[contract=lease].max_share = 1"], 3.9),
    ("tiny-cancellation", ["cancellations[contract=lease].notice_days = 0"], 3.0),
    ("tiny-cancellation", ["drop cancellations[contract=lease]"], 3.0),
    ("tiny-churn", ["drop churn[pathway=service]"], 17.25),
    ("tiny-curve", ["curves[pathway=ads].segments = 1"], 3.5 + 20 / 3 - 5),
    ("tiny-curve", ["pathways[pathway=ads].realisation = 1"], 17.0),
    ("tiny-deals", ["pathways[pathway=deals].notice_days = 0"], 16.5),
    ("tiny-deals", ["pathways[pathway=deals].min_term_days = 0"], 16.3),
    ("tiny-locks", ["drop locks[pathway=ads]"], 17.6),
    ("tiny-migration", ["pathways[pathway=*].migration_cost_bn_per_gw = 0"], 15.0),
    ("tiny-ramp", ["pathways[pathway=training].ramp_gw_per_month = 0.2"], 19.2),
    ("tiny-risk", ["risk.aversion = 0"], 15.8),
    ("tiny-terminal", ["pools[pool=cloud].terminal_value_bn_per_gw_year = 2"], -1 / 1.1 + 3 / 1.1**3),
    ("tiny-training", ["offers[contract=run].closes = 2027-12-31"], 17.0),
    ("tiny-training", ["contracts[contract=run].cost_bn_per_gw_year = 0.9"], 16.0),
    ("tiny-training", ["offers[contract=run].indivisible = false", "deliveries[contract=run].gw = 3"], 22.0),
    ("tiny-training", ["deliveries[contract=run].gw = 3"], 16.0),
    ("tiny-tree", ["pathways[pathway=deals].min_term_days = 0"], 9.375),
]

TREE_WORTH_BN = {("up", "fast"): 13.0, ("up", "slow"): 11.0, ("down", "fast"): 10.0, ("down", "slow"): 5.0}


@pytest.mark.parametrize("name", sorted(OPTIMA_BN))
def test_optimum_is_the_one_worked_out_by_hand(name: str) -> None:
    """Protects the one feature that the instance is named for."""
    plan = gw.solve(gw.load(INSTANCES / name))
    assert plan.objective_bn == pytest.approx(OPTIMA_BN[name], rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(("name", "edits", "optimum_bn"), CHANGED_OPTIMA_BN)
def test_optimum_moves_as_worked_out_when_the_feature_is_changed(
    name: str, edits: list[str], optimum_bn: float
) -> None:
    """Protects against a feature that is read but decides nothing: changing it gives the other number of the README."""
    plan = gw.solve(gw.load(INSTANCES / name).edited(*edits))
    assert plan.objective_bn == pytest.approx(optimum_bn, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(("market", "progress"), sorted(TREE_WORTH_BN))
def test_known_futures_of_the_tiny_tree(market: str, progress: str) -> None:
    """Protects conditioning on outcomes: each scenario known from the start is worth what the README says."""
    instance = gw.load(INSTANCES / "tiny-tree").given({"market": market, "progress": progress})
    assert gw.solve(instance).objective_bn == pytest.approx(TREE_WORTH_BN[market, progress], abs=1e-7)


def test_every_tiny_instance_has_a_worked_optimum_and_a_reader() -> None:
    """Protects against a tiny instance that nobody has worked out: each is in the table above and explains itself."""
    folders = {folder.name for folder in INSTANCES.glob("tiny-*")}
    assert folders == set(OPTIMA_BN)
    unexplained = [name for name in sorted(folders) if "**Optimum" not in (INSTANCES / name / "README.md").read_text()]
    assert not unexplained
