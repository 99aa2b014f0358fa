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
from optimizer.audit.contracts import ENDLESS
from optimizer.audit.facts import Axis, Facts
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
    there, contracted = facts.promises, used.contracted
    fees = np.zeros_like(contracted)
    np.add.at(fees.T, there.way_of, (used.fee * used.increase).T)
    side = np.where(there.sold, -1.0, 1.0)
    bn = {
        "value": (facts.pathways, dt * tree.at(worth)),
        "contract_cost": (facts.contracts, -dt * side * used.bill),
        "operating_cost": (facts.pathways, -dt * (pair["operating_cost"] * plan.allocate).sum(axis=2)),
        "migration_cost": (facts.pathways, -pathway["migration_cost"] * onboard),
        "signing_cost": (facts.pathways, -pathway["signing_cost"] * plan.deals["signed_gw"]),
        "breach_cost": (facts.pathways, -np.nan_to_num(pathway["breach_cost"]) * plan.deals["breached_gw"]),
        "cancellation_fees": (facts.contracts, -fees),
        "idle_penalty": (facts.pools, -dt * facts.of_nodes(facts.pool["idle_penalty"]) * plan.supply["idle_gw"]),
        "shortfall_penalty": (facts.pathways, -dt * pathway["shortfall_penalty"] * shortfall),
    }
    if there.offer.any() or there.sold.any():
        credit = np.nan_to_num(facts.of_nodes(there.credit))
        bn["offer_cost"] = (facts.contracts, -tree.at(there.signing) * contracted * used.signed)
        bn["late_credit"] = (facts.contracts, -dt * credit * plan.commitments["unserved_gw"])
    earlier = facts.scenarios.written.earlier
    if earlier is not None:
        penalty = dt * earlier.move_cost_bn_per_gw_year * moved(facts, plan, earlier.allocation)
        bn["move_penalty"] = (facts.pathways, -penalty)
    found = {name: Flow(axis, amounts, amounts * d) for name, (axis, amounts) in bn.items()}
    return {**found, "terminal": _terminal(facts, used)}


def _terminal(facts: Facts, used: Use) -> Flow:
    """Return what capacity under contract is worth after the horizon, less its price, at the leaves.

    A leaf through which several scenarios pass has their mean. Of an offer a tranche with a date and no term counts
    from that date on, whenever it is signed.
    """
    there, tree, later = facts.promises, facts.nodes, facts.promises.later
    s, k = later["scenario"], later["contract"]
    leaf = tree.node_of[:, -1]
    value = facts.pool["terminal_value"][:, facts.pool_of][s, k]
    side = np.where(there.sold, -1.0, 1.0)[k] * later["gw"]
    found = [np.zeros((len(leaf), len(facts.contracts))) for _ in range(2)]

    def add(share: Floats, price: Floats, arrival: Ints, stop: Ints) -> None:
        margin = np.nan_to_num(value - price) * side * share  # no terminal value: nothing is counted
        for amounts, rate in zip(found, (0.0, facts.scenarios.written.discount_rate), strict=True):
            np.add.at(amounts, (s, k), margin * _years(facts, arrival, stop, rate))

    whole = np.where(there.offer, 0.0, 1.0)[s, k]
    add(whole - used.left[leaf][s, k], there.cost[s, k], later["period"], later["stop"])
    for t, share, arrival, stop in there.signed_tranches(used.signed[tree.node_of]):
        dated = ~later["after"] & (later["term"] == ENDLESS)
        add(share, there.price[s, t, k], np.where(dated, later["period"], arrival), stop)
    is_leaf = tree.period == facts.calendar.count - 1
    bn, discounted = (np.where(is_leaf[:, None], facts.averaged(amounts), 0.0) for amounts in found)
    return Flow(facts.contracts, bn, discounted)


def _years(facts: Facts, since: Ints, until: Ints, discount_rate: float) -> Floats:
    """Return the years after the horizon of what runs between periods, discounted; of what has no end 0."""
    count, dt = facts.calendar.count, facts.calendar.dt
    first, last = (np.maximum(np.minimum(period, ENDLESS), count) - count for period in (since, until))
    rate = np.log1p(discount_rate) * dt
    # a geometric series of discount factors
    series = (np.exp(-rate * first) - np.exp(-rate * last)) / -np.expm1(-rate) if rate else (last - first).astype(float)
    years = dt * series * np.exp(-np.log1p(discount_rate) * (count + 0.5) * dt)
    return np.where((until < ENDLESS) & (last > first), years, 0.0)


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
