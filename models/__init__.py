"""The planning model: mathematics on a scenario tree, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from pyomo.core import ConcreteModel, Constraint, Objective, Set, maximize
from pyomo.core.expr import ExpressionBase

from models.axes import add_axes
from models.cancellation import add_cancellation, commit
from models.data import PlanData
from models.deals import add_deals, deals, term
from models.demand import (
    add_demand,
    cap,
    floor,
    lock_least,
    lock_most,
    migration,
    ramp,
    service,
    signing_ramp,
    target,
)
from models.risk import add_risk, cumulative_worth, deficit, risk_averse_worth
from models.supply import add_supply, balance
from models.tree import Tree, build_tree
from models.value import add_value, expected_worth

__all__ = ["PlanData", "Tree", "build", "build_tree"]


def build(data: PlanData) -> ConcreteModel:
    """Return the model of a plan.

    Parameters
    ----------
    data : PlanData
        The data on the scenario tree.

    Returns
    -------
    ConcreteModel
        Maximises worth in $bn; capacity in GW. Every constraint is a component named as in the formulation.
    """
    m = ConcreteModel("gwplan")
    add_axes(m, data)
    add_supply(m, data)
    add_demand(m, data)
    add_deals(m, data)
    add_cancellation(m, data)
    add_value(m, data)

    constrain(m, "balance", balance, m.POOLS, m.NODES)
    constrain(m, "service", service, m.SERVED)
    constrain(m, "target_met", target, m.TARGETS)
    constrain(m, "floor_met", floor, m.FLOORS)
    constrain(m, "cap_kept", cap, m.CAPS)
    constrain(m, "ramp", ramp, m.RAMPS)
    constrain(m, "signing_ramp", signing_ramp, m.SIGNING_RAMPS)
    constrain(m, "migration", migration, m.MIGRATIONS)
    constrain(m, "deals", deals, m.DEALS)
    constrain(m, "term", term, m.DEALS)
    constrain(m, "commit", commit, m.COMMITTED)
    constrain(m, "lock_least", lock_least, m.LEAST_LOCKS)
    constrain(m, "lock_most", lock_most, m.MOST_LOCKS)

    if data.aversion > 0:
        add_risk(m, data)
        constrain(m, "cumulative_worth", cumulative_worth, m.NODES)
        constrain(m, "deficit_met", deficit, m.LEAVES)
        m.objective = Objective(rule=risk_averse_worth, sense=maximize)
    else:
        m.objective = Objective(rule=expected_worth, sense=maximize)
    return m


def constrain(m: ConcreteModel, name: str, rule: Callable[..., ExpressionBase], *over: Set) -> None:
    """Add a constraint unless the set that it runs over is empty: an empty set has no template."""
    if all(len(indices) for indices in over):
        setattr(m, name, Constraint(*over, rule=rule))
