"""A plan's obligations and its summary, worked out anew."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.audit.facts import Facts, Floats, Ints, Texts, facts
from optimizer.audit.limits import Decisions, Finding, Findings, Use, check_limits, check_nodes, missing, read, use
from optimizer.audit.money import Flow, check_cashflow, flows, moved
from optimizer.catalogue.tolerances import ROUNDING
from optimizer.instance.instance import Instance

NOT_CASH: Final = ("idle_penalty", "shortfall_penalty", "move_penalty", "terminal")
"""Components that no money moves for within the horizon."""


def check_obligations(facts: Facts, used: Use, frame: pd.DataFrame, findings: Findings) -> None:
    """Compare what is owed by contract and calendar year; an absent row says 0."""
    first, owed = _owed(facts, used)
    shape = owed["gw"].shape
    contract = facts.contracts.places(frame["contract"])
    year = frame["year"].to_numpy(dtype=float) - first
    known = (contract >= 0) & (year >= 0) & (year < shape[1]) & (year == np.floor(year))
    for row in np.flatnonzero(~known):
        place = f"{frame['contract'].iloc[row]} in {frame['year'].iloc[row]}"
        findings.wrong(f"obligations row {row}, contract and year", place, "a contract in a year of service")
    vendor = _vendors(facts)
    told_vendor = frame["vendor"].to_numpy(dtype=object)
    for row in np.flatnonzero(known & (told_vendor != vendor[np.maximum(contract, 0)])):
        name = frame["contract"].iloc[row]
        findings.wrong(f"obligations row {row}, vendor of {name}", told_vendor[row], vendor[contract[row]])

    flat = (contract * shape[1] + np.where(known, year, 0).astype(np.int64))[known]
    rows = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    findings.at_most(lambda k, y: f"rows in obligations for {facts.contracts.names[k]} in {first + y}", rows, 1.0)
    for column, expected in owed.items():
        values = np.zeros(rows.size)
        values[flat] = frame[column].to_numpy(dtype=float)[known]
        findings.same(lambda k, y, c=column: f"{c} of {facts.contracts.names[k]} in {first + y}",
                      values.reshape(shape), expected)  # fmt: skip


def _vendors(facts: Facts) -> Texts:
    """Return the vendor of each contract, as written or, where an outcome adds it, as first added."""
    written, added = facts.scenarios.written.tables["contracts"], facts.scenarios.long("contracts")
    contract, vendor = (np.concatenate([written[name], added[name]]) for name in ("contract", "vendor"))
    names, first = np.unique(contract.astype(object), return_index=True)
    return vendor[first][np.searchsorted(names, facts.contract_of)]


def _owed(facts: Facts, used: Use) -> tuple[int, dict[str, Floats]]:
    """Return the first year and, by contract and year, $bn as signed and after cancellation, and mean GW as signed.

    A year's mean is taken over its periods up to the last one before any contract's end.
    """
    calendar, weight, dt = facts.calendar, facts.nodes.weight, facts.calendar.dt
    count = calendar.count + int(facts.tail_periods.max(initial=0))
    years = calendar.starts(count).astype("datetime64[Y]").astype(np.int64) + 1970
    first, size = int(years[0]), int(years[-1] - years[0]) + 1
    begins = np.searchsorted(years, first + np.arange(size + 1))

    # Within the horizon: GW by scenario, contract and year, counted in periods.
    gw_periods = np.add.reduceat(facts.service, begins[begins < calendar.count], axis=1).swapaxes(1, 2)
    ended = used.ended[facts.nodes.node_of]
    kept_periods = np.add.reduceat(facts.service * (1 - ended), begins[begins < calendar.count], axis=1).swapaxes(1, 2)
    beyond = np.zeros((size - gw_periods.shape[2],))
    signed, kept = (np.concatenate([part, np.broadcast_to(beyond, (*part.shape[:2], len(beyond)))], axis=2)
                    for part in (gw_periods, kept_periods))  # fmt: skip

    later, cancelled_later = _beyond(facts, used, begins)
    signed, kept = signed + later, kept + later - cancelled_later

    price = weight[:, None, None] * facts.cost[:, :, None] * dt
    return first, {
        "as_signed_bn": (price * signed).sum(axis=0),
        "after_cancellation_bn": (price * kept).sum(axis=0),
        "gw": (weight[:, None, None] * signed).sum(axis=0) / np.diff(begins),
    }


def _beyond(facts: Facts, used: Use, begins: Ints) -> tuple[Floats, Floats]:
    """Return GW-periods beyond the horizon by scenario, contract and year, as signed and of them cancelled.

    Each delivery runs from its own date to its contract's end; what is cancelled of it stops a notice after notice was
    given.
    """
    count = facts.calendar.count
    s, k = facts.later["scenario"], facts.later["contract"]
    until = (count + facts.tail_periods[s, k])[:, None]
    since = np.maximum(facts.later["period"], count)

    def gw_periods(share: Floats, start: Ints) -> Floats:
        overlap = np.minimum(until, begins[1:]) - np.maximum(start[:, None], begins[:-1])
        total = np.zeros((*facts.tail_periods.shape, len(begins) - 1))
        np.add.at(total, (s, k), (share * facts.later["gw"])[:, None] * np.maximum(overlap, 0))
        return total

    signed = gw_periods(np.ones(len(s)), since)
    cancelled = np.zeros_like(signed)
    for t, nodes in enumerate(facts.nodes.node_of.T):
        increase = used.increase[nodes][s, k]
        if increase.any():
            cancelled += gw_periods(increase, np.maximum(since, t + facts.window["notice"][s, k]))
    return signed, cancelled


def check_summary(
    facts: Facts, plan: Decisions, used: Use, flows: Mapping[str, Flow], summary: Mapping[str, Any], findings: Findings
) -> None:
    """Compare every figure of the summary."""
    tree, dt = facts.nodes, facts.calendar.dt
    by_name = {
        component: dict(zip(flow.names.names.tolist(), (tree.probability @ flow.discounted).tolist(), strict=True))
        for component, flow in flows.items()
    }
    components: dict[str, Any] = {component: sum(parts.values()) for component, parts in by_name.items()}
    npv = sum(amount for component, amount in components.items() if component not in NOT_CASH)
    components["value"] = by_name["value"]
    busy = dict(zip(facts.pathways.names.tolist(), (tree.probability @ used.total * dt).tolist(), strict=True))
    idle = float((tree.probability @ plan.supply["idle_gw"]).sum()) * dt
    all_busy = sum(busy.values())
    objective = _objective(facts, flows)
    expected = {
        "objective_bn": objective,
        "npv_bn": npv,
        "components_bn": components,
        "expected_gw_years": busy,
        "idle_gw_years": idle,
        "idle_cost_bn": _idle_cost(facts, plan, used),
        "utilisation": all_busy / (all_busy + idle) if all_busy + idle > 0 else 0.0,
        "cancelled_gw": dict(zip(facts.contracts.names.tolist(), _given(tree.probability, used), strict=True)),
        "scenarios": float(len(tree.node_of)),
        "nodes": float(tree.count),
    }
    earlier = facts.scenarios.written.earlier
    if earlier is not None:
        expected["moved_gw_years"] = float((tree.probability @ moved(facts, plan, earlier.allocation)).sum()) * dt
    # What a figure was added up from decides how far rounding may move it, not what is left of it.
    turnover = sum(float((tree.probability @ np.abs(flow.discounted)).sum()) for flow in flows.values())
    stated = {name: summary[name] for name in (*expected, "moved_gw_years") if name in summary}
    certificate = summary.get("certificate")
    if isinstance(certificate, Mapping) and "recomputed_objective_bn" in certificate:
        stated["certificate: recomputed_objective_bn"] = certificate["recomputed_objective_bn"]
        expected["certificate: recomputed_objective_bn"] = objective
    if isinstance(certificate, Mapping) and certificate.get("bound_bn") is not None:
        _check_bound(certificate, objective, findings)
    sums = {"objective_bn", "npv_bn", "certificate: recomputed_objective_bn"}
    _compare("", stated, expected, {name: turnover for name in sums}, findings)


def _given(probability: Floats, used: Use) -> list[float]:
    """Return the expected GW of each contract for which notice is given."""
    given: list[float] = (probability @ (used.increase * used.contracted)).tolist()
    return given


def _check_bound(certificate: Mapping[str, Any], objective: float, findings: Findings) -> None:
    """No plan is worth more than the bound, this one included, and the gap is what lies between."""
    bound = certificate["bound_bn"]
    findings.at_most(lambda: "objective, $bn, against the bound on any plan's", objective, bound)
    gap = abs(bound - objective) / (1 + abs(objective))
    findings.same(lambda: "summary certificate: mip_gap", certificate.get("mip_gap", np.nan), gap)


def _compare(
    within: str, stated: Mapping[str, Any], expected: Mapping[str, Any], sizes: Mapping[str, float], findings: Findings
) -> None:
    """Compare figures by name, those within figures too; all must be there and no others."""
    for name in [*expected, *(n for n in stated if n not in expected)]:
        figure = f"summary {within}{name}"
        if name not in stated or name not in expected:
            findings.wrong(figure, stated.get(name, "none"), expected.get(name, "none"))
        elif isinstance(expected[name], Mapping):
            inner = stated[name] if isinstance(stated[name], Mapping) else {}
            _compare(f"{within}{name} ", inner, expected[name], {}, findings)
        elif not isinstance(stated[name], Real):
            findings.wrong(figure, stated[name], expected[name])
        else:
            findings.same(lambda figure=figure: figure, stated[name], expected[name], sizes.get(name, 0.0))


def _objective(facts: Facts, parts: Mapping[str, Flow]) -> float:
    """Return expected worth, weighed with the mean of the worst share of scenarios, $bn."""
    instance, tree = facts.scenarios.written, facts.nodes
    by_node = sum((flow.discounted.sum(axis=1) for flow in parts.values()), np.zeros(tree.count))
    worth = by_node[tree.node_of].sum(axis=1)
    order = np.argsort(worth)
    through = np.cumsum(tree.weight[order])
    in_tail = np.clip(instance.tail - (through - tree.weight[order]), 0.0, tree.weight[order])
    worst = float((worth[order] * in_tail).sum() / in_tail.sum())
    return (1 - instance.aversion) * float(worth @ tree.weight) + instance.aversion * worst


def _idle_cost(facts: Facts, plan: Decisions, used: Use) -> float:
    """Return what idle GW cost at their pool's average contract price on the node, expected and discounted, $bn."""
    tree = facts.nodes
    in_pool = (facts.pool_of[:, None] == np.arange(len(facts.pools))).astype(float)
    capacity = used.in_service @ in_pool
    cost = (facts.of_nodes(facts.cost) * used.in_service) @ in_pool
    price = np.divide(cost, capacity, out=np.zeros_like(cost), where=capacity > ROUNDING)
    per_node = (price * plan.supply["idle_gw"]).sum(axis=1) * facts.calendar.dt
    return float((per_node * facts.discount) @ tree.probability)


__all__ = ["Finding", "audit"]


def audit(instance: Instance, tables: Mapping[str, pd.DataFrame], summary: Mapping[str, Any]) -> list[Finding]:
    """Return every figure of a plan that does not agree with the instance's tables.

    Not recomputed: ``marginal_values``, which duals prove, the status and the certificate's tolerances.
    """
    findings = Findings()
    if missing(tables, findings):
        return findings.all
    laid_out = facts(instance)
    check_nodes(laid_out, tables, findings)
    plan = read(laid_out, tables, findings)
    used = use(laid_out, plan)
    check_limits(laid_out, plan, used, findings)
    worth = flows(laid_out, plan, used, findings)
    check_cashflow(laid_out, worth, tables["cashflow"], findings)
    check_obligations(laid_out, used, tables["obligations"], findings)
    check_summary(laid_out, plan, used, worth, summary, findings)
    return findings.all
