"""Published models, recast in the instance format, come out at their published optima.

Each recast is a folder beside this file. What the format cannot hold is a constant, derived here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import gwplan as gw
from tests.cli.conftest import in_process

FOLDER = Path(__file__).resolve().parent

TRANSPORT_COST = 153.675
"""Dantzig 1963: least freight, thousand dollars."""

TRANSPORT_PRICES = {"new_york": 0.225, "chicago": 0.153, "topeka": 0.126}
"""Published marginals of the markets' demand, thousand dollars a case."""

AIRCRAFT_COST = 1566.042189
"""Ferguson and Dantzig 1956, Dantzig 1963 ch. 28: least expected operating and bumping cost, thousand dollars."""

BUMPING_COST_OF_ALL = 13 * (252.5 + 120) + 7 * (180 + 90) + 1 * 600
"""Cost of carrying nobody: revenue lost per hundred passengers times expected hundreds, summed over the routes.

The tiers earn what carrying avoids, ``k * P(demand >= level)`` a hundred; what is left is cost = this - objective.
"""

ASSIGNMENT_COST = 250 * (10 + 19 + 25 + 15)
"""Migration cost of putting every aircraft somewhere, once, in the first year of the tree.

Reassigning one after demand is known costs 250 again and can save at most 208 (16 hundred passengers at 13) in bumping
and 10.5 (half of 21) in operating cost, so nobody does; leaving one idle until then costs a penalty of 300 to save
the same 218.5 at most, and idle in both years it costs 600 to save 250. So every optimal plan pays this constant.
"""

AIR_CONDITIONERS_COST = 6.25
"""Birge and Louveaux 2011, ch. 6.1, example 1: least expected cost of three months, $10,000."""

FEED_BOUGHT = 238 * 200 + 210 * 240
"""Cost in dollars of buying all feed: the first tiers of wheat and corn earn what each ton grown saves of it."""

FARMER_PROFIT = {"good": 167_666.67, "average": 118_600.0, "poor": 59_950.0}
"""Birge and Louveaux: profit in dollars when the yield is known before planting."""

FARMER_ACRES = {"wheat": 170.0, "corn": 80.0, "beets": 250.0}
"""Birge and Louveaux: the stochastic solution."""

MEAN_VALUE_ACRES = {"wheat": 120, "corn": 80, "beets": 300}
"""Birge and Louveaux: the plan for the average yield."""

EXPANSIONS = {
    "lands": (381.8533333, {"plant_1": 8 / 3, "plant_2": 4, "plant_3": 10 / 3, "plant_4": 2}),
    "apl1p": (24_642.32, {"g1": 1800, "g2": 11_000 / 7}),
}
"""Least expected cost, and units bought, of two models of investment in generation.

LandS: Louveaux and Smeers 1988, as in the SMPS test sets and GAMS lands.188; 381.853. APL1P: Infanger 1994; 24,642.32.
"""


def solved(name: str) -> gw.Plan:
    """Return the plan of a recast as it stands."""
    return gw.solve(gw.load(FOLDER / name))


def test_transport() -> None:
    """Protects balance, floors and operating costs: Dantzig's transport problem, without a constant."""
    assert -solved("transport").objective_bn == pytest.approx(TRANSPORT_COST, abs=1e-6)


@pytest.mark.parametrize("market", sorted(TRANSPORT_PRICES))
def test_transport_price_of_demand(market: str) -> None:
    """Protects re-solving an edited instance: one case more costs the published marginal of its market."""
    more = gw.load(FOLDER / "transport").edited(f"demand[pathway={market}].floor_gw += 1")
    assert -gw.solve(more).objective_bn - TRANSPORT_COST == pytest.approx(TRANSPORT_PRICES[market], abs=1e-6)


def test_aircraft_by_tiers() -> None:
    """Protects tiers and effectiveness: expected bumping cost folded into one tier for each level of demand."""
    cost = BUMPING_COST_OF_ALL - solved("aircraft").objective_bn
    assert cost == pytest.approx(AIRCRAFT_COST, abs=1e-5)


def test_aircraft_by_tree() -> None:
    """Protects the tree at its full product of five factors (750 scenarios), targets and migration costs."""
    cost = -solved("aircraft-tree").objective_bn - ASSIGNMENT_COST
    assert cost == pytest.approx(AIRCRAFT_COST, abs=1e-5)


def test_farmer() -> None:
    """Protects deals whose term outlives a reveal: published profit and acres of the stochastic solution."""
    plan = solved("farmer")
    assert plan.objective_bn - FEED_BOUGHT == pytest.approx(108_390, abs=1e-3)
    planted = plan.allocation.query("period == 0").groupby("pathway")["gw"].sum()
    assert {crop: planted[crop] for crop in FARMER_ACRES} == pytest.approx(FARMER_ACRES, abs=1e-6)


def test_farmer_with_perfect_information() -> None:
    """Protects conditioning on outcomes: published profit in each known yield, wait-and-see value and EVPI."""
    instance = gw.load(FOLDER / "farmer")
    profit = {
        yields: gw.solve(instance.given({"yield": yields})).objective_bn - FEED_BOUGHT for yields in FARMER_PROFIT
    }
    assert profit == pytest.approx(FARMER_PROFIT, abs=0.01)
    wait_and_see = sum(o.probability * profit[o.name] for o in instance.factors[0].outcomes)
    assert round(wait_and_see) == 115_406
    assert round(wait_and_see - (solved("farmer").objective_bn - FEED_BOUGHT)) == 7_016


def test_farmer_with_the_plan_for_the_average() -> None:
    """Protects locks across a reveal: the acres planned for the average yield bring 107,240, so VSS is 1,150."""
    instance = gw.load(FOLDER / "farmer")
    locks = [
        f"insert locks[pathway={crop}, pool=land, from=2026-01-01, until=2027-01-01, min_gw={acres}, max_gw={acres}]"
        for crop, acres in MEAN_VALUE_ACRES.items()
    ]
    eev = gw.solve(instance.edited(*locks)).objective_bn - FEED_BOUGHT
    assert eev == pytest.approx(107_240, abs=1e-3)
    assert solved("farmer").objective_bn - FEED_BOUGHT - eev == pytest.approx(1_150, abs=1e-3)


def test_air_conditioners() -> None:
    """Protects trees of three stages: Birge and Louveaux's production of air conditioners, ch. 6.1, example 1.

    What was made since the start is in deals that never end, and pays storage for all of it; what storing the orders
    to date (1, 3 and 5 on average) would cost is the constant.
    """
    plan = solved("air-conditioners")
    assert -plan.objective_bn - 0.5 * (1 + 3 + 5) == pytest.approx(AIR_CONDITIONERS_COST, abs=1e-7)
    made = plan.allocation.query("period == 0").groupby("pathway")["gw"].sum()
    assert made["regular"] + made["overtime"] == pytest.approx(2, abs=1e-7)


@pytest.mark.parametrize("name", sorted(EXPANSIONS))
def test_expansion(name: str) -> None:
    """Protects offers on a tree, by the command: what is bought before demand, or what is available of it, is known.

    In LandS what is bought takes its cost out of a budget in the first year; in APL1P the 68 and 64 % that are there on
    average are what is contracted.
    """
    cost, bought = EXPANSIONS[name]
    told = json.loads(in_process(["solve", str(FOLDER / name), "--json"]).stdout)
    assert -told["objective_bn"] == pytest.approx(cost, rel=1e-7)
    whole = gw.load(FOLDER / name).deterministic().tables["deliveries"].groupby("contract")["gw"]
    units = whole.last() / (whole.sum() if name == "lands" else whole.sum() * pd.Series({"g1": 0.68, "g2": 0.64}))
    assert {plant: told["signed_gw"][plant] * units[plant] for plant in bought} == pytest.approx(bought, rel=1e-6)
