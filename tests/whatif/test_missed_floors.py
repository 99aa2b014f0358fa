"""Floors priced: every case has a plan, and where floors are met it is the same as with hard ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.session import Session
from gwplan.studies.attempt import floors_in_the_way, floors_priced
from gwplan.studies.exposure import vendor_risks
from tests.instance.folders import PLAIN, written

BOOM = """[[factor]]
name = "demand"
revealed = 2027-01-01
[[factor.outcome]]
name = "boom"
probability = 0.5
[[factor.outcome.edit]]
table = "demand"
column = "floor_gw"
scale = 2.0
from = 2027-01-01
[[factor.outcome]]
name = "plan"
probability = 0.5
"""


def case(folder: Path, gw_delivered: float) -> gw.Instance:
    """Return two vendors of half the GW each, a floor of 0.5 GW that doubles in a boom, and cheaper uses."""
    tables = {
        "contracts": "contract,vendor,pool,cost_bn_per_gw_year\na,one,cloud,4\nb,two,cloud,4\n",
        "deliveries": f"contract,date,gw\na,2026-01-01,{gw_delivered / 2}\nb,2026-01-01,{gw_delivered / 2}\n",
        "pathways": "pathway\nads\nbatch\n",
        "demand": "pathway,from,floor_gw\nads,2026-01-01,0.5\n",
        "value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,1\nbatch,2026-01-01,1,10\n",
    }
    written(folder, PLAIN, **tables)
    (folder / "uncertainty.toml").write_text(BOOM)
    return gw.load(folder)


def test_a_floor_that_can_be_met_is_met_at_any_price_that_is_high(tmp_path: Path) -> None:
    """Protects the worth: priced above what GW earn elsewhere, floors are kept, in the boom too."""
    instance = case(tmp_path, 2.0)
    hard, soft = gw.solve(instance), gw.solve(floors_priced(instance, 30.0))
    assert soft.objective_bn == pytest.approx(hard.objective_bn)
    assert soft.summary["components_bn"]["shortfall_penalty"] == pytest.approx(0.0)


def test_what_is_missing_is_priced_and_every_case_has_a_plan(tmp_path: Path) -> None:
    """Protects the price: a vendor's half of 1 GW is missing for a year of the boom, at 30 $bn a GW-year."""
    instance = case(tmp_path, 1.0)
    with Session(instance) as session:
        reasons = [risk["fails_reason"] for risk in vendor_risks(session, lambda stage: None)]
        assert all("ads needs at least" in reason for reason in reasons)
        (advice,) = floors_in_the_way(instance, reasons)
        assert "the floor of ads leaves 2 cases without a plan; --missed-floor-cost 20" in advice
        assert "demand.csv row 2, floor_gw" in advice
    with Session(floors_priced(instance, 30.0)) as session:
        assert session.base.objective_bn == pytest.approx(gw.solve(instance).objective_bn)
        for risk in vendor_risks(session, lambda stage: None):
            # less batch in 2026, in 2027 half a GW missing in the boom, less batch else, less price
            lost = 0.5 * 10 + 0.5 * (0.5 * 30 + 0.5 * 1) + 0.5 * 0.5 * 10 - 2 * 0.5 * 4
            assert risk["fails_bn"] == pytest.approx(lost)
