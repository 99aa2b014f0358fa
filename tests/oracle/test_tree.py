"""The oracle's dates, edits and tree on instances worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle import OracleError
from tests.oracle.by_hand import ONE_GW, POOL, factor, solved


@pytest.mark.parametrize("revealed", ["2026-01-01", "2025-03-01"])
def test_factor_revealed_by_the_start_makes_a_forest(tmp_path: Path, revealed: str) -> None:
    """Protects the forest: each root has its own plan and the initial allocation as its past.

    Moving 1 GW in costs 1 and earns 3 or 0.5 in the only year: (3 - 1 + 0) / 2 = 1.
    """
    poor = 'table = "value"\ncolumn = "value_bn_per_gw_year"\nset = 0.5'
    result = solved(
        tmp_path,
        "year 1",
        {
            **POOL,
            **ONE_GW,
            "pathways": "pathway,migration_cost_bn_per_gw\nads,1\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2020-01-01,1,3\n",
        },
        factor(revealed, ("rich", 0.5, ""), ("poor", 0.5, poor)),
    )
    assert result.nodes == 2
    assert result.worth_bn == pytest.approx({"f=rich": 2, "f=poor": 0})
    assert result.objective_bn == pytest.approx(1)


def test_dates_take_effect_at_the_next_start_of_a_period(tmp_path: Path) -> None:
    """Protects delays, month ends and ends of contracts.

    1 GW of 31 January, a month late, comes on 28 February: in March. It ends on 15 April: April still counts.
    A GW-month earns 1; the target of 2 GW in April costs 0.5 a GW-month of shortfall, idle 0.
    """
    result = solved(
        tmp_path,
        "month 5",
        {
            **POOL,
            "contracts": "contract,pool,end,delay_months\nc,cloud,2026-04-15,1\n",
            "deliveries": "contract,date,gw\nc,2026-01-31,1\n",
            "pathways": "pathway,shortfall_penalty_bn_per_gw_year\nads,6\n",
            "demand": "pathway,from,target_gw\nads,2026-03-31,2\nads,2026-05-01,\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,12\n",
        },
    )
    assert result.value_bn["ads"] == pytest.approx(2)
    assert result.components_bn["shortfall_penalty"] == pytest.approx(-0.5)
    assert result.npv_bn == pytest.approx(2)


def test_range_of_an_edit_cuts_the_steps(tmp_path: Path) -> None:
    """Protects from and until on step functions, and `deterministic`.

    10 a year for four years, halved in the second with probability 0.5: 40 - 2.5. As written: 40.
    """
    tables = {
        **POOL,
        **ONE_GW,
        "pathways": "pathway\nads\n",
        "value": "pathway,from,tier,value_bn_per_gw_year\nads,2020-01-01,1,10\n",
    }
    halved = 'table = "value"\ncolumn = "value_bn_per_gw_year"\nscale = 0.5\nfrom = 2027-01-01\nuntil = 2028-01-01'
    risk = factor("2027-01-01", ("same", 0.5, ""), ("halved", 0.5, halved))
    assert solved(tmp_path, "year 4", tables, risk).objective_bn == pytest.approx(37.5)
    assert solved(tmp_path, "year 4", tables, risk, deterministic=True).objective_bn == pytest.approx(40)


def test_fee_basis_does_not_know_the_future(tmp_path: Path) -> None:
    """Protects `contracted`: 1 GW at the start and 2 more only if not dropped, so the fee of year 0 is on 2 GW.

    Cancelling costs 1 * 2 and saves 5 in year 0 and 5 or 15 in year 1.
    """
    result = solved(
        tmp_path,
        "year 2",
        {
            **POOL,
            "contracts": "contract,pool,cost_bn_per_gw_year\nc,cloud,5\n",
            "deliveries": "contract,date,gw\nc,2026-01-01,1\nc,2027-01-01,2\n",
            "cancellations": "contract,opens,closes,fee_bn_per_gw\nc,2026-01-01,2026-12-31,1\n",
            "pathways": "pathway\nads\n",
        },
        factor(
            "2027-01-01",
            ("more", 0.5, ""),
            ("less", 0.5, 'table = "deliveries"\nwhere = { contract = "c*" }\nfrom = 2026-06-01\ndrop = true'),
        ),
    )
    assert result.components_bn["cancellation_fees"] == pytest.approx(-2)
    assert result.objective_bn == pytest.approx(-2)


def test_edit_of_pairs_without_a_table_edits_every_pair(tmp_path: Path) -> None:
    """Protects the missing eligibility: halved effectiveness in one of two outcomes, 10 and 5 a year."""
    result = solved(
        tmp_path,
        "year 1",
        {
            **POOL,
            **ONE_GW,
            "pathways": "pathway\nads\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\nads,2020-01-01,1,10\n",
        },
        factor(
            "2026-01-01",
            ("same", 0.5, ""),
            ("half", 0.5, 'table = "eligibility"\ncolumn = "effectiveness"\nscale = 0.5'),
        ),
    )
    assert result.objective_bn == pytest.approx(7.5)


def test_changed_past_is_refused(tmp_path: Path) -> None:
    """Protects the tests that lean on random trees: an outcome whose edit reaches behind its reveal is no instance."""
    early = 'table = "value"\ncolumn = "value_bn_per_gw_year"\nscale = 0.5\nfrom = 2026-01-01'
    with pytest.raises(OracleError, match="period 0 before it is revealed"):
        solved(
            tmp_path,
            "year 2",
            {
                **POOL,
                **ONE_GW,
                "pathways": "pathway\nads\n",
                "value": "pathway,from,tier,value_bn_per_gw_year\nads,2020-01-01,1,10\n",
            },
            factor("2027-01-01", ("same", 0.5, ""), ("early", 0.5, early)),
        )
