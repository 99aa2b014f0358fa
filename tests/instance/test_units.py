"""Figures that look like ones of another unit are warned of, by size and beside the others; plausible ones never."""
# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.check.check import check
from tests.instance.folders import plain

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
CONTRACTS = "contract,pool,cost_bn_per_gw_year\nown,cloud,{}\nb,cloud,2\nc,cloud,3\n"
PRICE = "contracts.csv row 2, cost_bn_per_gw_year: "
ENDS = "days are rounded up to whole years of 365.25 days; write "

CASES = {
    "megawatts": (
        {"deliveries": "contract,date,gw\nown,2026-01-01,600\n"},
        "deliveries.csv row 2, gw: 600 GW of 'own'; a contract of more than 10 GW is larger than any that is known; "
        "does it say MW? write 0.6 for 600 MW",
    ),
    "ten gigawatts": ({"deliveries": "contract,date,gw\nown,2026-01-01,6\nown,2027-01-01,4\n"}, ""),
    "millions": (
        {"contracts": CONTRACTS.format(1200)},
        f"{PRICE}1200 $bn a GW-year; no GW costs or earns more than 60 $bn a year; does it say $m? write 1.2 for $1200m "
        "a GW-year",
    ),
    "far above the pool's others": (
        {"contracts": CONTRACTS.format(52)},
        f"{PRICE}52 $bn a GW-year; the pool's other contracts cost about 2.5 $bn a GW-year; does it say $m? write 0.052 "
        "for $52m a GW-year",
    ),
    "far below them": (
        {"contracts": CONTRACTS.format(0.1)},
        f"{PRICE}0.1 $bn a GW-year; the pool's other contracts cost about 2.5 $bn a GW-year; correct it, or the others",
    ),
    "within twenty times": ({"contracts": CONTRACTS.format(49)}, ""),
    "far above what a GW earns": (
        {"value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,0.19\n"},
        f"{PRICE}4 $bn a GW-year; a GW-year earns 0.19 $bn at the most; does it say $m? write 0.004 for $4m a GW-year",
    ),
    "a fee in millions": (
        {"cancellations": "contract,opens,closes,fee_bn_per_gw\nown,2026-01-01,2026-02-01,400\n"},
        "cancellations.csv row 2, fee_bn_per_gw: 400 $bn a GW; no GW costs or earns more than 60 $bn; does it say $m? "
        "write 0.4 for $400m a GW",
    ),
    "capital in millions": (
        {"deliveries": "contract,date,gw,upfront_bn_per_gw\nown,2026-01-01,1,400\n"},
        "deliveries.csv row 2, upfront_bn_per_gw: 400 $bn a GW; no GW costs or earns more than 60 $bn; does it say $m? "
        "write 0.4 for $400m a GW",
    ),
    "a growth of a price in percent": (
        {"contracts": "contract,pool,cost_bn_per_gw_year,price_growth_per_year\nown,cloud,4,0.7\n"},
        "contracts.csv row 2, price_growth_per_year: 0.7: 70 %; a rate above 0.5 is larger than any that is known; does it "
        "say percent? write 0.007 for 0.7 %",
    ),
    "a target above all supply": (
        {"demand": "pathway,from,target_gw\nads,2026-01-01,500\n"},
        "demand.csv row 2, target_gw: 500 effective GW, where all that 'ads' may use comes to 1 at the most; it is never "
        "reached; does it say MW? write 0.5 for 500 MW",
    ),
    "a floor above effective supply": (
        {
            "demand": "pathway,from,floor_gw\nads,2026-01-01,0.9\n",
            "eligibility": "pathway,pool,effectiveness\nads,cloud,0.8\n",
        },
        "demand.csv row 2, floor_gw: 0.9 effective GW, where all that 'ads' may use comes to 0.8 at the most; no plan keeps "
        "such a floor; correct it, or add what is to be delivered",
    ),
    "a target that a later delivery reaches": (
        {"demand": "pathway,from,target_gw\nads,2026-01-01,2\n", "deliveries": "contract,date,gw\nown,2027-01-01,2\n"},
        "",
    ),
    "three years over a leap day": (
        {"pathways": "pathway,min_term_days\nads,1096\n"},
        f"pathways.csv row 2, min_term_days: 1096 days become 4 years; {ENDS}1095 for 3 years",
    ),
    "three years": ({"pathways": "pathway,min_term_days,notice_days\nads,1095,1099\n"}, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_figures_of_another_unit_are_named(case: str, tmp_path: Path) -> None:
    """Each implausible figure is told with its cell, what is odd about it and the unit that it looks like."""
    tables, said = CASES[case]
    units = ("MW", "$m", "GW-year;", "effective GW", "percent", "rounded up")
    told = [str(p) for p in check(plain(tmp_path, **tables)) if any(unit in str(p) for unit in units)]
    assert told == [said] * bool(said)


def test_a_rate_in_percent_is_named() -> None:
    """A discount rate of 8 is 800 % a year."""
    instance = gw.load(INSTANCES / "tiny-terminal")
    told = [str(problem) for problem in check(instance.edited("economics.discount_rate = 8"))]
    rule = "a rate above 0.5 is larger than any that is known; does it say percent? write 0.08 for 8 %"
    assert f"instance.toml [economics] discount_rate: 8: 800 % a year; {rule}" in told


def test_worth_and_cash_of_opposite_sign_are_told_with_the_cell(tmp_path: Path) -> None:
    """Protects who reads worth alone: a penalty of millions for billions turns its sign."""
    tables = {
        "pathways": "pathway,shortfall_penalty_bn_per_gw_year\nads,50\n",
        "demand": "pathway,from,target_gw\nads,2026-01-01,2\n",
    }
    (told,) = [line for line in gw.solve(plain(tmp_path, **tables)).warnings if "opposite" in line]
    assert told.startswith(
        "pathways, shortfall_penalty_bn_per_gw_year: -100 $bn of it make the plan's worth -88 $bn where its cash is 12 $bn"
    )


@pytest.mark.parametrize("name", sorted(path.name for path in INSTANCES.iterdir()))
def test_shipped_instances_look_like_their_units(name: str) -> None:
    """What is plausible is not warned of."""
    told = " ".join(map(str, check(gw.load(INSTANCES / name))))
    assert "does it say" not in told and "rounded up" not in told
