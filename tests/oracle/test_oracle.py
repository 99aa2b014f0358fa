"""The oracle's constraints and cash flows on instances worked out by hand.

They run in years without discounting unless the test says otherwise.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.oracle.by_hand import ONE_GW, POOL, factor, solved


def test_deals_come_back_after_notice_and_churn(tmp_path: Path) -> None:
    """Protects notice and churn in rule 6.

    1 GW of deals at the start churns to 0.8 in year 0 (earning 3 each); notice then frees all of it for year 1.
    The own use earns 10: 0.8 * 3 + 0.2 * 10 + 10 + 10 = 24.4, less 3 GW-years at 1.
    """
    result = solved(
        tmp_path,
        "year 3",
        {
            **POOL,
            "contracts": "contract,pool,cost_bn_per_gw_year\nc,cloud,1\n",
            "deliveries": "contract,date,gw\nc,2026-01-01,1\n",
            "pathways": "pathway,notice_days,churn_per_year\nown,,\ndeals,365,0.2\n",
            "eligibility": "pathway,pool,initial_gw\nown,cloud,\ndeals,cloud,1\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nown,2020-01-01,1,10\ndeals,2020-01-01,1,3\n",
        },
    )
    assert result.objective_bn == pytest.approx(21.4)
    assert result.components_bn["contract_cost"] == pytest.approx(-3)
    assert result.gw["release", "deals", 0, ""] == pytest.approx(0.8)


def test_what_churned_is_not_given_back_twice(tmp_path: Path) -> None:
    """Protects K in rule 6: notice for the whole deal stays possible although one branch loses the deal meanwhile.

    Year 0: the deal earns 3. Year 1: the own use earns 10 in both branches. Without K the notice would have to be 0,
    and the worth 3 + (10 + 3) / 2.
    """
    lost = 'table = "churn"\ninsert = { pathway = "deals", date = 2027-01-01, fraction = 1.0 }'
    result = solved(
        tmp_path,
        "year 2",
        {
            **POOL,
            **ONE_GW,
            "pathways": "pathway,notice_days\nown,\ndeals,365\n",
            "eligibility": "pathway,pool,initial_gw\nown,cloud,\ndeals,cloud,1\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nown,2020-01-01,1,10\ndeals,2020-01-01,1,3\n",
        },
        factor("2027-01-01", ("kept", 0.5, ""), ("lost", 0.5, lost)),
    )
    assert result.nodes == 3
    assert result.objective_bn == pytest.approx(13)


@pytest.mark.parametrize(("breach", "worth"), [("", 1.4), ("0.3", 1.6), ("0.6", 1.4)])
def test_term_holds_a_deal_unless_it_is_breached(tmp_path: Path, breach: str, worth: float) -> None:
    """Protects term, signing and breach: rules 6 and 7.

    A GW in a deal earns 1 in month 0 only and costs 0.1 to sign; the own use earns 0.5 in months 1 and 2.
    60 days are two months: the deal holds the GW in month 1 unless 0.5 is worth more than the breach.
    """
    result = solved(
        tmp_path,
        "month 3",
        {
            **POOL,
            **ONE_GW,
            "pathways": "pathway,min_term_days,signing_cost_bn_per_gw,breach_cost_bn_per_gw\n"
            f"own,,,\ndeals,60,0.1,{breach}\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\n"
            "deals,2026-01-01,1,12\ndeals,2026-01-15,1,0\nown,2026-01-02,1,6\n",
        },
    )
    assert result.objective_bn == pytest.approx(worth)
    assert result.components_bn["signing_cost"] == pytest.approx(-0.1)


def test_notice_is_not_given_before_the_deal_is_signed(tmp_path: Path) -> None:
    """Protects that a deal's term is at least its notice.

    A GW in a deal earns 1 in month 1 only, the own use 0.5 in months 2 and 3; 60 days' notice are two months, 30 days'
    term one. The GW comes in month 1. Signed then, it is back in month 3: 1 + 0.5. Notice in month 0 for what is
    signed in month 1 would bring it back in month 2.
    """
    result = solved(
        tmp_path,
        "month 4",
        {
            **POOL,
            "contracts": "contract,pool\nc,cloud\n",
            "deliveries": "contract,date,gw\nc,2026-02-01,1\n",
            "pathways": "pathway,notice_days,min_term_days\nown,,\ndeals,60,30\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\n"
            "deals,2026-02-01,1,12\ndeals,2026-03-01,1,0\nown,2026-03-01,1,6\n",
        },
    )
    assert result.objective_bn == pytest.approx(1.5)


def test_cancellation_pays_its_fee_at_once_and_saves_after_notice(tmp_path: Path) -> None:
    """Protects window, notice, fee basis and largest share.

    In quarters 2, 2, 3, 3 GW are delivered at 4 a GW-year: 10. Notice for 0.4 of it in quarter 0 saves
    0.4 * (2 + 3 + 3) = 3.2 from quarter 1 and costs 0.5 * 3 * 0.4 = 0.6. One GW earns 10 a year throughout.
    """
    result = solved(
        tmp_path,
        "quarter 4",
        {
            **POOL,
            "contracts": "contract,pool,cost_bn_per_gw_year\nc,cloud,4\n",
            "deliveries": "contract,date,gw\nc,2026-01-01,2\nc,2026-06-30,1\n",
            "cancellations": "contract,opens,closes,notice_days,fee_bn_per_gw,max_share\n"
            "c,2026-01-01,2026-04-01,90,0.5,0.4\n",
            "pathways": "pathway\nads\n",
            "demand": "pathway,from,cap_gw\nads,2026-01-01,1\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,10\n",
        },
    )
    assert result.components_bn["cancellation_fees"] == pytest.approx(-0.6)
    assert result.components_bn["contract_cost"] == pytest.approx(-6.8)
    assert result.objective_bn == pytest.approx(2.6)
    assert ("cancelled", "c", 1, "") in result.gw
    assert ("cancelled", "c", 2, "") not in result.gw


@pytest.mark.parametrize(("terminal_value", "expected_terminal"), [(3, 2 * (1.1**-2.5 + 1.1**-3.5)), (0.5, 0)])
def test_terminal_line(tmp_path: Path, terminal_value: float, expected_terminal: float) -> None:
    """Protects the terminal line: periods that start before the contract's end, worth less price, cancelled or not.

    1 GW at 1 a GW-year, two years at 10 %, then 2028 and 2029 under contract. Notice in year 1 is too late to save
    any cost within the horizon; it is given only where the capacity is worth less than its price.
    """
    result = solved(
        tmp_path,
        "year 2 discount_rate = 0.1",
        {
            "pools": f"pool,terminal_value_bn_per_gw_year\ncloud,{terminal_value}\n",
            "contracts": "contract,pool,end,cost_bn_per_gw_year\nc,cloud,2029-06-01,1\n",
            "deliveries": "contract,date,gw\nc,2026-01-01,1\n",
            "cancellations": "contract,opens,closes,notice_days\nc,2027-01-01,2027-12-31,400\n",
            "pathways": "pathway\nads\n",
        },
    )
    cost = 1.1**-0.5 + 1.1**-1.5
    assert result.components_bn["terminal"] == pytest.approx(expected_terminal)
    assert result.npv_bn == pytest.approx(-cost)
    assert result.objective_bn == pytest.approx(expected_terminal - cost)


def test_cvar_of_two_outcomes(tmp_path: Path) -> None:
    """Protects the measure of risk.

    Worth is 10 with probability 0.75, else 2: mean 8. The worst half is 2 and 10 in equal parts: 6.
    With aversion 0.4: 0.6 * 8 + 0.4 * 6 = 7.2.
    """
    fall = 'table = "value"\ncolumn = "value_bn_per_gw_year"\nset = 2'
    result = solved(
        tmp_path,
        "year 2 aversion = 0.4; tail = 0.5",
        {
            **POOL,
            **ONE_GW,
            "pathways": "pathway\nads\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2027-01-01,1,10\n",
        },
        factor("2027-01-01", ("good", 0.75, ""), ("bad", 0.25, fall)),
    )
    assert result.worth_bn == pytest.approx({"f=good": 10, "f=bad": 2})
    assert sum(result.components_bn.values()) == pytest.approx(8)
    assert result.objective_bn == pytest.approx(7.2)


def test_cvar_changes_the_decision(tmp_path: Path) -> None:
    """Protects that risk is weighed in the optimisation, not on its result.

    1 GW costs 3 in year 1 and earns 10 or 0 there, each with probability 0.5: kept, 2 on average but -3 at worst.
    Cancelled in year 0 it is worth 0. With the worst half weighed 0.9, keeping is 0.1 * 2 - 0.9 * 3 < 0.
    """
    tables = {
        **POOL,
        "contracts": "contract,pool,cost_bn_per_gw_year\nc,cloud,3\n",
        "deliveries": "contract,date,gw\nc,2027-01-01,1\n",
        "cancellations": "contract,opens,closes\nc,2026-01-01,2026-12-31\n",
        "pathways": "pathway\nads\n",
        "value": "pathway,from,tier,value_bn_per_gw_year\nads,2027-01-01,1,10\n",
    }
    worthless = 'table = "value"\ncolumn = "value_bn_per_gw_year"\nset = 0'
    risk = factor("2027-01-01", ("good", 0.5, ""), ("bad", 0.5, worthless))
    assert solved(tmp_path, "year 2", tables, risk).objective_bn == pytest.approx(2)
    averse = solved(tmp_path, "year 2 aversion = 0.9; tail = 0.5", tables, risk)
    assert averse.objective_bn == pytest.approx(0)
    assert averse.gw["cancelled", "c", 0, "f=good"] == pytest.approx(1)


def test_curve_is_merged_with_tiers(tmp_path: Path) -> None:
    """Protects the chords: 10 * log2(1 + g) in two chords is 1 GW at 10 and 2 GW at 5, a tier of 0.5 GW at 7 between.

    2 GW earn 10 + 3.5 + 2.5 = 16, of which half is realised.
    """
    result = solved(
        tmp_path,
        "year 1",
        {
            **POOL,
            "contracts": "contract,pool\nc,cloud\n",
            "deliveries": "contract,date,gw\nc,2026-01-01,2\n",
            "pathways": "pathway,realisation\nads,0.5\n",
            "value": "pathway,from,tier,width_gw,value_bn_per_gw_year\nads,2026-01-01,1,0.5,7\n",
            "curves": "pathway,from,kind,base_gw,base_value_bn_per_year,uplift_per_doubling,max_gw,segments\n"
            "ads,2026-01-01,log2,1,100,0.1,3,2\n",
        },
    )
    assert result.objective_bn == pytest.approx(8)
    assert result.value_bn == pytest.approx({"ads": 8})


def test_migration_costs_once_a_gw(tmp_path: Path) -> None:
    """Protects rule 5: 3 earned in the old pool, then 3 in the new one less 2 for the move, whatever the period."""
    result = solved(
        tmp_path,
        "quarter 2",
        {
            "pools": "pool\nold\nnew\n",
            "contracts": "contract,pool,end\na,old,2026-04-01\nb,new,\n",
            "deliveries": "contract,date,gw\na,2025-01-01,1\nb,2026-01-01,1\n",
            "pathways": "pathway,migration_cost_bn_per_gw\nads,2\n",
            "eligibility": "pathway,pool,initial_gw\nads,old,1\nads,new,\n",
            "demand": "pathway,from,cap_gw\nads,2026-01-01,1\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,12\n",
        },
    )
    assert result.objective_bn == pytest.approx(4)
    assert result.components_bn["migration_cost"] == pytest.approx(-2)


def test_ramp_and_locks(tmp_path: Path) -> None:
    """Protects ramp and locks: 0.3 GW a quarter (0.1 a month) from 0.2, and at most 0.4 in the second quarter.

    0.5 + 0.4 + 0.7 GW-quarters at 4 a GW-year earn 1.6.
    """
    result = solved(
        tmp_path,
        "quarter 3",
        {
            **POOL,
            **ONE_GW,
            "pathways": "pathway,ramp_gw_per_month\nads,0.1\n",
            "eligibility": "pathway,pool,initial_gw\nads,cloud,0.2\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,4\n",
            "locks": "pathway,pool,from,until,max_gw\nads,,2026-02-01,2026-07-01,0.4\n",
        },
    )
    assert result.objective_bn == pytest.approx(1.6)


@pytest.mark.parametrize(("indivisible", "block", "worth"), [("", "", -1.2), ("true", "", -2.4), ("", "0.5", -1.5)])
def test_integer_options(tmp_path: Path, indivisible: str, block: str, worth: float) -> None:
    """Protects whole cancellations and least blocks.

    1 GW costs 2, operating it 1 a GW; 0.4 GW must be used. Freely, 0.6 of the contract is cancelled: -0.8 - 0.4.
    Indivisible, it stays whole: -2 - 0.4. With a least block of 0.5 GW half of it stays and is used: -1 - 0.5.
    """
    result = solved(
        tmp_path,
        "year 1",
        {
            **POOL,
            "contracts": "contract,pool,cost_bn_per_gw_year\nc,cloud,2\n",
            "deliveries": "contract,date,gw\nc,2026-01-01,1\n",
            "cancellations": f"contract,opens,closes,indivisible\nc,2026-01-01,2026-01-01,{indivisible}\n",
            "pathways": "pathway\nads\n",
            "eligibility": f"pathway,pool,operating_cost_bn_per_gw_year,min_block_gw\nads,cloud,1,{block}\n",
            "demand": "pathway,from,floor_gw\nads,2026-01-01,0.4\n",
        },
    )
    assert result.objective_bn == pytest.approx(worth)


def test_floor_above_supply_is_infeasible(tmp_path: Path) -> None:
    """Protects the status: no figures without a plan."""
    result = solved(
        tmp_path,
        "year 1",
        {**POOL, **ONE_GW, "pathways": "pathway\nads\n", "demand": "pathway,from,floor_gw\nads,2026-01-01,1.5\n"},
    )
    assert result.status == "infeasible"
    assert math.isnan(result.objective_bn)
    assert not result.components_bn
