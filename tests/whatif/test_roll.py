from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gwplan as gw
from gwplan.kept.run import keep, read_run
from gwplan.studies.roll import period_of, rolled, state_of
from tests.generate import instances, random_instance
from tests.instance.folders import plain

INSTANCES = Path(__file__).resolve().parents[2] / "instances"


def rolled_after(plan: gw.Plan, folder: Path, count: int, known: dict[str, str] | None = None) -> gw.Instance:
    """Return the instance rolled on by some periods, by way of a kept run and a written folder."""
    from gwplan.tree.calendar import calendar_of

    run = read_run(keep(plan, folder / f"run {count}", command=["gwplan"], options={}))
    to: dt.date = calendar_of(plan.instance).starts().astype(object)[count]
    following, _ = rolled(plan.instance, to, state_of(run, to, known or {}), known or {})
    gw.save(following, folder / f"next {count}")
    return gw.load(folder / f"next {count}")


def remaining_bn(plan: gw.Plan, count: int) -> float:
    """Return what the rest of a plan is worth, discounted to the start of that rest."""
    from gwplan.tree.calendar import calendar_of

    rows = plan.cashflow
    later = rows[rows["period"] >= count]
    years = calendar_of(plan.instance).dt * count
    return float((later["discounted_bn"] * later["probability"]).sum() * (1 + plan.instance.discount_rate) ** years)


@settings(max_examples=12, derandomize=True, deadline=None, database=None)
@given(seed=instances(), commitments=st.booleans())
def test_the_rest_of_a_plan_is_worth_the_same_after_rolling_on(
    seed: int, commitments: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Deals within term, running notices, cancellations, churn and signatures all carry over, or worth would move."""
    folder = tmp_path_factory.mktemp("roll")
    written = random_instance(seed, folder / "first", commitments=commitments)
    instance = gw.load(written).deterministic().edited("risk.aversion = 0")
    try:
        plan = gw.solve(instance)
    except gw.InfeasibleError:
        return
    for count in sorted({1, instance.periods // 2}):
        following = gw.solve(rolled_after(plan, folder, count))
        expected = remaining_bn(plan, count)
        assert following.objective_bn == pytest.approx(expected, rel=1e-6, abs=1e-6), (seed, count)


def test_the_reference_instance_rolls_on_month_by_month(tmp_path: Path) -> None:
    """The reference plan, with cancellations and deals under way, is worth the same from half a year on, and again."""
    instance = gw.load(INSTANCES / "meta-2026h1").deterministic()
    plan = gw.solve(instance.edited("demand[pathway=msl].target_gw *= 0.5", "demand[pathway=msl].cap_gw *= 0.5"))
    assert plan.cancellations["share"].max() > 0.5
    first = gw.solve(rolled_after(plan, tmp_path / "a", 14))
    assert len(first.instance.tables["running"]) > 0
    assert first.objective_bn == pytest.approx(remaining_bn(plan, 14), rel=1e-6)
    second = gw.solve(rolled_after(first, tmp_path / "b", 3))
    assert second.objective_bn == pytest.approx(remaining_bn(plan, 17), rel=1e-6)


def test_a_term_that_outlasts_the_horizon_is_carried_over_whole(tmp_path: Path) -> None:
    """A planner who makes the horizon longer after rolling on is held to deals for as long as they were signed for."""
    changes = ("pathways[pathway=deals].min_term_days = 1000", "value[pathway=deals].value_bn_per_gw_year = 30")
    plan = gw.solve(gw.load(INSTANCES / "tiny-deals").edited(*changes))
    running = rolled_after(plan, tmp_path, 1).tables["running"]
    until = running.loc[running["kind"] == "term", "until"]
    assert until.astype(str).tolist() == ["2028-10-01"]  # 11 quarters after the start; the plan ends in 2027-03


def test_a_branch_is_asked_for_where_there_are_several(tmp_path: Path) -> None:
    """On a tree the state depends on what was revealed: without it rolling on is refused."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-tree"))
    with pytest.raises(gw.InstanceError, match="--given market=OUTCOME"):
        rolled_after(plan, tmp_path / "a", 2)
    following = rolled_after(plan, tmp_path / "b", 2, {"market": "up"})
    assert [len(factor.outcomes) for factor in following.factors] == [1, 2]
    assert gw.solve(following).summary["scenarios"] == 2


@pytest.mark.parametrize("day", ["2026-01-01", "2026-01-15", "2030-01-01"])
def test_only_a_later_period_can_be_rolled_to(day: str) -> None:
    """A date that is no period's first day, the start itself or one beyond the plan is refused."""
    with pytest.raises(gw.InstanceError, match="first day of a later period"):
        period_of(gw.load(INSTANCES / "tiny-tree"), dt.date.fromisoformat(day))


def test_contracts_are_rolled_by_their_own_names(tmp_path: Path) -> None:
    """Protects `azure2027` from what is done to a contract called `azure*`, whose name its own matches."""
    tables = {
        "contracts": "contract,pool,cost_bn_per_gw_year\nazure*,cloud,4\nazure2027,cloud,2\n",
        "deliveries": "contract,date,gw\nazure*,2026-01-01,1\nazure2027,2026-01-01,1\n",
        "cancellations": "contract,opens,closes,notice_days,fee_bn_per_gw,max_share\n"
        "azure*,2026-01-01,2026-04-01,90,0.5,0.5\nazure2027,2026-01-01,2027-04-01,90,0.1,1\n",
        "value": "pathway,from,tier,width_gw,value_bn_per_gw_year\nads,2026-01-01,1,2,10\nads,2026-07-01,1,1.4,10\n",
    }
    plan = gw.solve(plain(tmp_path / "plain", "quarter 6", **tables))
    following = rolled_after(plan, tmp_path, 2)
    kept = dict(following.tables["deliveries"].groupby("contract")["gw"].sum())
    assert kept["azure2027"] == pytest.approx(0.9) and kept["azure*"] == pytest.approx(0.5)
    assert following.tables["cancellations"]["contract"].tolist() == ["azure2027"]
    assert gw.solve(following).objective_bn == pytest.approx(10.2)
