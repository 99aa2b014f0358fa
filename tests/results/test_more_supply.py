"""What more of a pool adds at the sizes that people buy, and the size up to which it pays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gwplan as gw
from gwplan.plan.plan import Plan
from tests.cli.conftest import INSTANCES, in_process
from tests.generate import random_instance


def gain_bn(plan: Plan, row: dict[Any, Any], size_gw: float) -> float:
    """Return what a contract of that size adds to worth: there all through the row's year, at the row's price."""
    starts = plan.laid_out.calendar.starts(plan.laid_out.calendar.periods + 1).astype("datetime64[D]")
    inside = np.flatnonzero(starts[:-1].astype("datetime64[Y]").astype(int) + 1970 == row["year"])
    begins, ends = starts[inside[0]], starts[inside[-1] + 1]
    pool = json.dumps(row["pool"], ensure_ascii=False)
    terms = f"contract=more, pool={pool}, end={ends}, cost_bn_per_gw_year={row['price_bn_per_gw_year']!r}"
    bought = plan.instance.edited(f"insert contracts[{terms}]")
    bought = bought.edited(f"insert deliveries[contract=more, date={begins}, gw={size_gw!r}]")
    return gw.solve(bought).objective_bn - plan.objective_bn


def test_every_size_is_a_contract_of_that_size() -> None:
    """Protects the figures told: each is what a firm contract of that size, for that year, adds at that price."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-ramp").edited("contracts.cost_bn_per_gw_year = 4"), more_supply="all")
    rows = [row for row in plan.more_supply.to_dict("records") if np.isfinite(row["size_gw"]) and row["size_gw"]]
    assert {row["size_gw"] for row in rows} >= {0.01, 0.1, 0.25, 1.0}
    for row in rows:
        assert row["gain_bn"] == pytest.approx(gain_bn(plan, row, row["size_gw"]), abs=1e-7)


def test_the_size_that_pays_by_hand() -> None:
    """tiny-cancellation: 1 GW at 4 a year that training uses half of; more of it pays at no size."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-cancellation"), more_supply="all")
    best = plan.more_supply.query("step == 'best'")
    assert best["size_gw"].tolist() == [0.0] and best["gain_bn"].tolist() == [0.0]
    assert (plan.more_supply.query("step == 'asked'")["gain_bn"] < 0).all()


@pytest.mark.parametrize("seed", range(30))
def test_worth_rises_up_to_the_size_that_pays_and_falls_beyond(seed: int, tmp_path: Path) -> None:
    """Protects who buys as much as is said to pay: of a little less and of a little more he has less worth."""
    instance = gw.load(random_instance(9000 + seed, tmp_path / "instance"))
    every = [edit for factor in instance.factors for outcome in factor.outcomes for edit in outcome.edits]
    if any(edit.table in ("contracts", "deliveries") and "contract" not in edit.where for edit in every):
        pytest.skip("an outcome edits every contract, and would edit the one added here")
    try:
        plan = gw.solve(instance, more_supply="all")
    except gw.InfeasibleError:
        pytest.skip("no plan")
    best = plan.more_supply.query("step == 'best' and 0.001 < size_gw < 1000")
    if not len(best):
        pytest.skip("no pool of which more pays up to some size")
    row = best.sort_values("gain_bn").to_dict("records")[-1]
    less, there, more = (gain_bn(plan, row, share * row["size_gw"]) for share in (0.9, 1.0, 1.1))
    slack = 1e-7 * (1 + abs(plan.objective_bn))
    assert there == pytest.approx(row["gain_bn"], abs=slack)
    assert less <= there + slack and more <= there + slack


def test_a_looser_limit_is_that_limit_edited() -> None:
    """Protects what limits are said to add: each size is that ramp or cap, edited by it; beyond the last none."""
    ramped = gw.load(INSTANCES / "tiny-ramp").edited("contracts.cost_bn_per_gw_year = 4")
    capped = gw.load(INSTANCES / "tiny-cancellation").edited(
        "insert demand[pathway=training, from=2026-01-01, cap_gw=0.2]"
    )
    for instance, limit, ease in (
        (ramped, "ramp", "pathways[pathway=training].ramp_gw_per_month += {:r}"),
        (capped, "cap", "demand[pathway=training].cap_gw += {:r}"),
    ):
        plan = gw.solve(instance, more_supply="all")
        months = plan.laid_out.calendar.months if limit == "ramp" else 1
        rows = plan.looser_limits.query(f"limit == '{limit}' and name == 'training'")
        assert set(rows["size_gw"]) >= {0.01, 0.1, 0.25, 1.0}
        best = rows.query("step == 'best'").to_dict("records")[0]
        for size in (*rows["size_gw"], best["size_gw"] + 1, 0.9 * best["size_gw"]):
            eased = instance.edited(ease.format(_Digits(size / months)))
            gain = gw.solve(eased).objective_bn - plan.objective_bn
            for row in rows.query(f"size_gw == {size!r}").to_dict("records"):
                assert row["gain_bn"] == pytest.approx(gain, abs=2e-6)
            assert gain <= best["gain_bn"] + 2e-6
        assert gain < best["gain_bn"]


class _Digits(float):
    """A figure that is written to its last digit."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


def test_a_large_program_is_not_solved_again_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the time of a plain solve: beyond a size only what is asked for is solved again."""
    monkeypatch.setattr("gwplan.plan.more_supply.RANGED_COLUMNS", 3)
    instance = gw.load(INSTANCES / "tiny-cancellation")
    assert not len(gw.solve(instance, more_supply="dearest").more_supply)
    assert len(gw.solve(instance, more_supply="all").more_supply)


def test_it_is_printed_and_told_as_json() -> None:
    """``--show buy`` has a line a pool and year, ``--json`` every row; the short page has one sentence."""
    asked = ("solve", str(INSTANCES / "tiny-ramp"), "--set", "contracts.cost_bn_per_gw_year = 4")
    page = in_process([*asked, "--show", "buy"])
    assert page.exit_code == 0, page.stderr
    assert page.stdout.startswith("WHAT THE NEXT MW ARE WORTH") and "BUY MORE?" in page.stdout
    record = json.loads(in_process([*asked, "--marginal-values", "--json"]).stdout)
    rows = {(row["step"], row["size_gw"]): row for row in record["more_supply"]}
    assert rows["asked", 0.1]["pool"] == "cluster" and rows["asked", 0.1]["year"] == 2026
    line = next(line for line in page.stdout.splitlines() if line.split()[:1] == ["cluster"] and line.count(".") > 4)
    assert f"{rows['asked', 0.1]['worth_bn_per_gw_year']:.2f}" in line
    assert "BUY?" in in_process([*asked]).stdout
