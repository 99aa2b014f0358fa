from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.audit.audit import audit
from gwplan.kept.run import EARLIER, keep, read_run
from gwplan.kept.stay_near import stay_near

INSTANCES = Path(__file__).resolve().parents[2] / "instances"


@cache
def earlier() -> gw.Plan:
    """Return the plan to stay near."""
    return gw.solve(gw.load(INSTANCES / "tiny-tree"))


@cache
def near() -> gw.Plan:
    """Return a plan that has to leave it: a fifth of what was to be delivered is missing."""
    instance = gw.load(INSTANCES / "tiny-tree").edited("deliveries.gw *= 0.8")
    return gw.solve(instance, stay_near=earlier(), move_cost_bn_per_gw_year=0.5)


def test_a_run_keeps_the_plan_that_it_stayed_near(tmp_path: Path) -> None:
    """A kept run can be audited, and solved again, without the run that it stayed near; the manifest tells of it."""
    folder = keep(near(), tmp_path / "run", command=["gwplan"], options={})
    run = read_run(folder)
    assert json.loads((folder / "manifest.json").read_text())["stay_near"] == {
        "resolution": "month",
        "move_cost_bn_per_gw_year": 0.5,
    }
    assert run.instance == near().instance
    assert audit(run.instance, run.tables, run.summary) == []
    assert gw.solve(run.instance).objective_bn == pytest.approx(near().objective_bn, rel=1e-9)
    (folder / EARLIER).write_text((folder / EARLIER).read_text().replace("training", "deals"))
    with pytest.raises(gw.InstanceError, match=r"earlier_allocation\.csv: changed since it was kept"):
        read_run(folder)


def test_the_audit_finds_a_wrong_penalty() -> None:
    """Protects the penalty from the code that reports it: the audit works it out from the two allocations."""
    plan, instance = near(), near().instance
    assert instance.earlier is not None
    dearer = replace(instance, earlier=replace(instance.earlier, move_cost_bn_per_gw_year=0.6))
    named = " ".join(map(str, audit(dearer, plan.tables, plan.summary)))
    assert "components_bn move_penalty" in named and "objective_bn" in named and "moved_gw_years" not in named
    for other in (instance.earlier.allocation.assign(gw=0.0), instance.earlier.allocation.assign(known="market=x")):
        elsewhere = replace(instance, earlier=replace(instance.earlier, allocation=other))
        assert "moved_gw_years" in " ".join(map(str, audit(elsewhere, plan.tables, plan.summary)))
    unasked = audit(replace(instance, earlier=None), plan.tables, plan.summary)
    assert "move_penalty" in " ".join(map(str, unasked))


def test_the_parts_sum_to_the_objective_and_cash_has_no_penalty() -> None:
    """The penalty is a planning weight: a part of worth, of the cash flow table and of no cash."""
    parts, rows = near().summary["components_bn"], near().cashflow
    penalty = rows[rows["component"] == "move_penalty"]
    whole = sum(parts["value"].values()) + sum(bn for name, bn in parts.items() if name != "value")
    assert whole == pytest.approx(near().objective_bn, abs=1e-9)
    assert parts["move_penalty"] == pytest.approx((penalty["probability"] * penalty["discounted_bn"]).sum(), abs=1e-12)
    not_cash = sum(parts[name] for name in ("idle_penalty", "shortfall_penalty", "move_penalty", "terminal"))
    assert near().npv_bn == pytest.approx(near().objective_bn - not_cash, abs=1e-9)


def test_what_cannot_be_followed_is_said() -> None:
    """A later horizon, a pathway that is gone and a coarser view of the future are each named in a warning."""
    instance = gw.load(INSTANCES / "tiny-tree")
    gone = instance.deterministic().edited("drop pathways[pathway=deals]", "calendar.periods = 6")
    told = "\n".join(gw.solve(gone, stay_near=earlier(), move_cost_bn_per_gw_year=0.1).warnings)
    assert "nodes, the first of" in told and "have no counterpart in the earlier plan" in told
    assert "for deals; that cannot be kept here" in told
    assert "knew more than this one does" in told


@pytest.mark.parametrize(
    ("cost", "edits", "reason"),
    [
        (-1.0, (), "move cost: -1.0; must be a number of"),
        (float("nan"), (), "move cost: nan; must be a number of"),
        (1.0, ('calendar.resolution = "year"',), "its periods are months, those of the instance are years"),
    ],
)
def test_costs_and_plans_that_mean_nothing_are_refused(cost: float, edits: tuple[str, ...], reason: str) -> None:
    """Bad input is one line that says what to give instead."""
    with pytest.raises(gw.InstanceError, match=reason):
        stay_near(gw.load(INSTANCES / "tiny-tree").edited(*edits), earlier(), cost)


def test_cost_and_plan_are_given_together() -> None:
    """A cost without a plan, or a plan without a cost, would be silently ignored."""
    with pytest.raises(TypeError, match="together"):
        gw.solve(gw.load(INSTANCES / "tiny-tree"), move_cost_bn_per_gw_year=1.0)
