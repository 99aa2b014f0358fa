from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.plan.marginals import disagreements
from gwplan.plan.plan import make_plan
from gwplan.solver.compile import compiled
from gwplan.solver.program import SolveOptions
from gwplan.solver.solving import certified
from gwplan.solver.weights import node_weights
from gwplan.tree.timeline import timeline
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance

STEP_GW = 1e-4


def with_supply(instance: gw.Instance, pool: str, gw_more: float) -> gw.Instance:
    """Return the instance with free capacity added to a pool for the whole horizon."""
    free = instance.edited(f'insert contracts[contract="extra", pool="{pool}"]')
    return free.edited(f'insert deliveries[contract="extra", date={instance.start.isoformat()}, gw={gw_more}]')


@pytest.mark.parametrize("seed", range(12))
def test_supply_values_bound_what_one_more_gw_adds(seed: int, tmp_path: Path) -> None:
    """Worth is concave in supply: free GW added to a pool add at most their marginal value, and nearly that.

    Sign, scale, discounting and the weight of the nodes must all be right for the two to meet.
    """
    instance = gw.load(random_instance(seed, tmp_path / "instance")).edited("risk.aversion = 0.0")
    try:
        plan = gw.solve(instance)
    except gw.InfeasibleError:
        pytest.skip("this seed draws an infeasible instance on purpose")
    data = timeline(instance).data
    weight = data.tree.probability * data.node_discount * data.dt
    values = plan.marginal_values
    for pool in instance.tables["pools"]["pool"]:
        of_pool = values[(values["constraint"] == "supply") & (values["name"] == pool)]
        promised = float((of_pool["bn_per_gw_year"].to_numpy() * weight[of_pool["node"].to_numpy()]).sum())
        gained = gw.solve(with_supply(instance, pool, STEP_GW)).objective_bn - plan.objective_bn
        assert gained <= promised * STEP_GW + 1e-7


def test_supply_values_are_what_one_more_gw_adds() -> None:
    """On the reference case a hundredth of a GW more adds what the table of marginal values says."""
    instance = gw.load(INSTANCES / "meta-2026h1").deterministic()
    plan = gw.solve(instance)
    data = timeline(instance).data
    weight = data.node_discount * data.dt
    values = plan.marginal_values.query("constraint == 'supply' and name == 'regional_cloud'")
    promised = float((values["bn_per_gw_year"].to_numpy() * weight[values["node"].to_numpy()]).sum())
    gained = gw.solve(with_supply(instance, "regional_cloud", STEP_GW)).objective_bn - plan.objective_bn
    assert gained == pytest.approx(promised * STEP_GW, rel=2e-2)


def test_the_weights_of_nodes_follow_the_tail() -> None:
    """With aversion a node weighs (1 - aversion) x its probability plus aversion x its leaves' share of the tail."""
    instance = gw.load(INSTANCES / "tiny-risk")
    laid_out = timeline(instance)
    program = compiled(laid_out.data)
    solution, _ = certified(program, SolveOptions())
    weight = node_weights(program, solution.row_duals)
    tree, aversion = laid_out.data.tree, instance.aversion
    assert weight[tree.roots].sum() == pytest.approx(1)
    assert weight[tree.leaves].sum() == pytest.approx(1)
    tail = (weight[tree.leaves] - (1 - aversion) * tree.probability[tree.leaves]) / aversion
    assert (tail >= -1e-9).all()
    assert (tail <= tree.probability[tree.leaves] / instance.tail + 1e-9).all()


def test_every_changed_marginal_value_is_caught() -> None:
    """The table of marginal values must lead back to the duals that prove the plan optimal, number by number."""
    instance = gw.load(INSTANCES / "tiny-locks")
    laid_out = timeline(instance)
    program = compiled(laid_out.data)
    solution, certificate = certified(program, SolveOptions())
    assert certificate is not None
    table = make_plan(laid_out, program, solution, certificate).marginal_values
    assert disagreements(table, program, laid_out.data, solution.row_duals) == []
    for row in range(len(table)):
        for column, other in (("bn_per_gw_year", 0.125), ("name", "nobody"), ("node", 99), ("constraint", "wish")):
            changed = table.copy()
            changed[column] = changed[column].astype(object)
            changed.loc[row, column] = (
                float(table["bn_per_gw_year"][row]) + other if isinstance(other, float) else other
            )
            assert disagreements(changed, program, laid_out.data, solution.row_duals), (row, column)
    assert disagreements(table.iloc[1:], program, laid_out.data, solution.row_duals)


def test_ranges_hold_the_limits_they_belong_to() -> None:
    """A marginal value holds over a range of its limit that includes the limit itself."""
    plan = gw.solve(gw.load(INSTANCES / "meta-2026h1").deterministic())
    values = plan.marginal_values.query("constraint == 'supply'")
    supply = plan.supply.rename(columns={"pool": "name"})
    both = values.merge(supply, on=["node", "name"])
    assert len(both) == len(values)
    slack = 1e-7
    assert (both["from_gw"] <= both["delivered_gw"] + slack).all()
    assert (both["to_gw"] >= both["delivered_gw"] - slack).all()
    assert np.isfinite(both["bn_per_gw_year"]).all()


def test_a_pathway_called_like_a_pair_keeps_its_own_locks() -> None:
    """The lock of the pathway 'ads[cluster]' and that of ads on cluster are two rows with two names."""
    instance = gw.load(INSTANCES / "tiny-locks").edited(
        'insert pathways[pathway="ads[cluster]"]',
        'insert value[pathway="ads[cluster]", from=2026-01-01, tier=1, value_bn_per_gw_year=5]',
        'insert locks[pathway="ads[cluster]", pool="", from=2026-01-01, max_gw=0.1]',
        "insert locks[pathway=ads, pool=cluster, from=2026-01-01, max_gw=0.5]",
    )
    values = gw.solve(instance).marginal_values
    locks = values[(values["constraint"] == "lock") & (values["period"] == 0)].set_index("name")["bn_per_gw_year"]
    assert locks['"ads[cluster]" max'] == pytest.approx(1.0)
    assert locks["ads[cluster] max"] == 0.0
