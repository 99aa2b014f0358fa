"""The planning model: mathematics on a scenario tree, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import isfinite

from pyomo.core import ConcreteModel, Constraint, NonNegativeIntegers, Objective, Set, maximize
from pyomo.core.expr import ExpressionBase

from gwplan.models.cancellation import add_cancellation, cancellation_terms, commit
from gwplan.models.data import PlanData
from gwplan.models.deals import add_deals, deals, deals_terms, term
from gwplan.models.demand import (
    add_demand,
    cap,
    demand_terms,
    floor,
    lock_least,
    lock_most,
    migration,
    ramp,
    service,
    signing_ramp,
    target,
)
from gwplan.models.integer import add_integer, block_least, block_most, integer_terms
from gwplan.models.nearness import add_nearness, nearness, nearness_terms
from gwplan.models.offers import (
    add_offers,
    in_service,
    least_signed,
    offers_terms,
    signed_stands,
    taken_least,
    taken_most,
    whole,
)
from gwplan.models.restricted import add_shares, owned, parts_of_one, restriction_terms, same_split
from gwplan.models.risk import add_risk, cumulative_worth, deficit, risk_averse_worth, risk_terms
from gwplan.models.supply import add_supply, balance, served, supply_terms
from gwplan.models.terms import Terms, axes_terms, declare
from gwplan.models.tree import Tree, build_tree
from gwplan.models.value import add_value, expected_worth, value_terms

__all__ = ["PlanData", "Terms", "Tree", "build", "build_tree", "terms"]

if __name__ == "models":  # a checkout's folder under its old name
    import_module("gwplan.old_name").answer_to(__name__)

FAMILIES = (
    axes_terms,
    supply_terms,
    demand_terms,
    deals_terms,
    cancellation_terms,
    offers_terms,
    value_terms,
    integer_terms,
    nearness_terms,
)
"""What enters the sets and parameters of each family of constraints."""


ADDED = (add_supply, add_demand, add_deals, add_cancellation, add_offers, add_value, add_integer, add_nearness)
"""What adds the variables of each family."""


def terms(data: PlanData, restriction: str = "") -> Terms:
    """Return the sets and parameters of a plan's model as arrays; capacity in GW, money in $bn, rates per year."""
    entered = Terms(data)
    for enter in FAMILIES:
        enter(entered)
    if data.aversion > 0:
        risk_terms(entered)
    restriction_terms(entered, restriction)
    return entered


def build(data: PlanData | Terms, *, sketch: bool = False) -> ConcreteModel:
    """Return the model of a plan.

    Returns
    -------
    ConcreteModel
        Maximises worth in $bn; capacity in GW. Every constraint is a component named as in the formulation.
    """
    entered = data if isinstance(data, Terms) else terms(data)
    m = ConcreteModel("gwplan")
    declare(m, entered, sketch=sketch)
    for add_variables in ADDED:
        add_variables(m)
    if not sketch:
        bound(m, entered)

    constrain(m, "balance", balance, m.POOLS, m.NODES)
    constrain(m, "served", served, m.UNSERVED)
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
    constrain(m, "signed_stands", signed_stands, m.SIGNED_BEFORE)
    constrain(m, "whole", whole, m.WHOLE)
    constrain(m, "in_service", in_service, m.IN_SERVICE)
    constrain(m, "least_signed", least_signed, m.LEAST_SIGNED)
    constrain(m, "taken_least", taken_least, m.TAKEN)
    constrain(m, "taken_most", taken_most, m.TAKEN)
    constrain(m, "lock_least", lock_least, m.LEAST_LOCKS)
    constrain(m, "lock_most", lock_most, m.MOST_LOCKS)
    constrain(m, "block_least", block_least, m.BLOCKS)
    constrain(m, "block_most", block_most, m.BLOCKS)
    constrain(m, "nearness", nearness, m.KEPT)
    restrict(m, entered)

    if entered.data.aversion > 0:
        add_risk(m)
        constrain(m, "cumulative_worth", cumulative_worth, m.NODES)
        constrain(m, "deficit_met", deficit, m.LEAVES)
        m.objective = Objective(rule=risk_averse_worth, sense=maximize)
    else:
        m.objective = Objective(rule=expected_worth, sense=maximize)
    return m


def restrict(m: ConcreteModel, entered: Terms) -> None:
    """Add what a plan with less freedom must keep."""
    if "FOLLOWERS" in entered.sets:
        constrain(m, "same_split", same_split, m.FOLLOWERS)
    if "SHARES" in entered.sets:
        add_shares(m)
        constrain(m, "owned", owned, m.PAIRS)
        constrain(m, "parts_of_one", parts_of_one, m.SHARED)


def constrain(m: ConcreteModel, name: str, rule: Callable[..., ExpressionBase], *over: Set) -> None:
    """Add a constraint unless the set that it runs over is empty: an empty set has no template."""
    if all(len(indices) for indices in over):
        setattr(m, name, Constraint(*over, rule=rule))


def bound(m: ConcreteModel, entered: Terms) -> None:
    """Give the variables their upper bounds (shares, widths in effective GW) and say which are whole numbers."""
    for name, upper in entered.upper.items():
        for variable, most in zip(m.component(name).values(), upper.tolist(), strict=True):
            if isfinite(most):
                variable.setub(most)
    for name, integer in entered.whole.items():
        for variable, is_whole in zip(m.component(name).values(), integer.tolist(), strict=True):
            if is_whole:
                variable.domain = NonNegativeIntegers
