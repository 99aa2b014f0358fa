"""The worth of a plan, component by component, worked out anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from optimizer.audit.audit_findings import Findings, Namer
from optimizer.audit.audit_nearness import moved
from optimizer.audit.audit_value import earned
from optimizer.audit.facts import Axis, Facts, discount_factor
from optimizer.audit.limits import Use
from optimizer.audit.rows import Decisions, rows_nodes
from optimizer.audit.tree import Floats, Ints

SLACK: Final = 1e-9
"""Relative difference that the order of additions may make between scenarios with the same data."""


@dataclass(frozen=True)
class Flow:
    """One component of worth: $bn of the period and discounted, by node and name, shape (N, names)."""

    names: Axis
    bn: Floats
    discounted: Floats


def flows(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> dict[str, Flow]:
    """Return every component of worth that the plan's decisions bring; costs are negative."""
    tree, dt, d = facts.nodes, facts.calendar.dt, facts.discount[:, None]
    pathway = {name: facts.of_nodes(values) for name, values in facts.pathway.items()}
    pair = {name: facts.of_nodes(values) for name, values in facts.pair.items()}
    worth = earned(facts, used.effective)
    for node in tree.contradictions(worth, SLACK):
        findings.wrong(f"value at {tree.label(int(node))}", "different among its scenarios", "the same")
    shortfall = np.maximum(tree.at(facts.demand["target"]) - used.effective, 0.0)
    onboard = np.maximum(plan.allocate - tree.before(plan.allocate, pair["initial"]), 0.0).sum(axis=2)
    fees = facts.of_nodes(facts.window["fee"]) * used.contracted * used.increase
    bn = {
        "value": (facts.pathways, dt * tree.at(worth)),
        "contract_cost": (facts.contracts, -dt * facts.of_nodes(facts.cost) * used.in_service),
        "operating_cost": (facts.pathways, -dt * (pair["operating_cost"] * plan.allocate).sum(axis=2)),
        "migration_cost": (facts.pathways, -pathway["migration_cost"] * onboard),
        "signing_cost": (facts.pathways, -pathway["signing_cost"] * plan.deals["signed_gw"]),
        "breach_cost": (facts.pathways, -np.nan_to_num(pathway["breach_cost"]) * plan.deals["breached_gw"]),
        "cancellation_fees": (facts.contracts, -fees),
        "idle_penalty": (facts.pools, -dt * facts.of_nodes(facts.pool["idle_penalty"]) * plan.supply["idle_gw"]),
        "shortfall_penalty": (facts.pathways, -dt * pathway["shortfall_penalty"] * shortfall),
    }
    earlier = facts.scenarios.written.earlier
    if earlier is not None:
        penalty = dt * earlier.move_cost_bn_per_gw_year * moved(facts, plan, earlier.allocation)
        bn["move_penalty"] = (facts.pathways, -penalty)
    found = {name: Flow(axis, amounts, amounts * d) for name, (axis, amounts) in bn.items()}
    return {**found, "terminal": _terminal(facts, used, findings)}


def _terminal(facts: Facts, used: Use, findings: Findings) -> Flow:
    """Return what capacity under contract is worth after the horizon, less its price, at the leaves."""
    count, dt = facts.calendar.count, facts.calendar.dt
    margin = facts.pool["terminal_value"][:, facts.pool_of] - facts.cost
    left = facts.service[:, -1] * (1 - used.last_share)
    periods = facts.tail_periods
    # The tail is a geometric series of discount factors.
    rate = np.log1p(facts.scenarios.written.discount_rate) * dt
    factors = np.expm1(-rate * periods) / np.expm1(-rate) if rate else periods.astype(float)
    factors = factors * discount_factor(facts.scenarios.written, facts.calendar, np.array(count))
    bn, discounted = (np.zeros((facts.nodes.count, len(facts.contracts))) for _ in range(2))
    margin = np.nan_to_num(margin) * left * dt  # no terminal value: nothing is counted
    by_scenario = np.zeros(facts.service.shape)
    by_scenario[:, -1] = margin * factors
    leaf, scenario = np.unique(facts.nodes.node_of[:, -1], return_index=True)
    bn[leaf], discounted[leaf] = (margin * periods)[scenario], by_scenario[scenario, -1]
    for node in facts.nodes.contradictions(by_scenario, SLACK):
        findings.wrong(f"terminal line at {facts.nodes.label(int(node))}", "different among its scenarios", "the same")
    return Flow(facts.contracts, bn, discounted)


def check_cashflow(facts: Facts, found: Mapping[str, Flow], frame: pd.DataFrame, findings: Findings) -> None:
    """Compare every amount of ``cashflow``; an absent row says 0."""
    names = [f"{component} {name}".rstrip() for component, flow in found.items() for name in flow.names.names]
    node, real = rows_nodes(facts, frame)
    at = _columns(found, frame)
    for row in np.flatnonzero(at < 0):
        told = f"{frame['component'].iloc[row]} {frame['name'].iloc[row]}"
        findings.wrong(f"cashflow row {row}, component and name", told, "a component and a name that it has")
    known = real & (at >= 0)
    flat = (node * len(names) + at)[known]

    def label(what: str) -> Namer:
        return lambda n, i: f"{what} of {names[i]} at {facts.nodes.label(n)}"

    shape = (facts.nodes.count, len(names))
    findings.at_most(label("rows in cashflow"), np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape), 1.0)
    expected = {
        "bn": np.concatenate([flow.bn for flow in found.values()], axis=1),
        "discounted_bn": np.concatenate([flow.discounted for flow in found.values()], axis=1),
    }
    for column, amounts in expected.items():
        values = np.zeros(shape[0] * shape[1])
        values[flat] = frame[column].to_numpy(dtype=float)[known]
        findings.same(label(column), values.reshape(shape), amounts)


def _columns(found: Mapping[str, Flow], frame: pd.DataFrame) -> Ints:
    """Return the place of each row of ``cashflow`` among all components' names in turn, -1 where there is none."""
    component = Axis(np.array([*found], dtype=object)).places(frame["component"])
    name = frame["name"].to_numpy(dtype=object)
    at, before = np.full(len(frame), -1), 0
    for i, flow in enumerate(found.values()):
        rows = np.flatnonzero(component == i)
        place = flow.names.places(name[rows])
        at[rows] = np.where(place >= 0, before + place, -1)
        before += len(flow.names)
    return at
