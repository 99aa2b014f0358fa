"""A plan's obligations and its summary, worked out anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.audit.bills import ENDLESS, LATE
from gwplan.audit.facts import Facts, facts
from gwplan.audit.limits import Decisions, Finding, Findings, Use, check_limits, check_nodes, missing, read, use
from gwplan.audit.money import Flow, check_cashflow, flows, moved
from gwplan.audit.scenarios import Floats, Ints, Texts
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.instance.instance import Instance

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

    side = np.where(facts.promises.sold, "sell", "buy")
    told_side = frame["side"].to_numpy(dtype=object)
    for row in np.flatnonzero(known & (told_side != side[np.maximum(contract, 0)])):
        findings.wrong(f"obligations row {row}, side", told_side[row], side[contract[row]])

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
    calendar, weight, dt, there = facts.calendar, facts.nodes.weight, facts.calendar.dt, facts.promises
    count = calendar.count + int(there.tail_periods.max(initial=0))
    years = calendar.starts(count).astype("datetime64[Y]").astype(np.int64) + 1970
    first, size = int(years[0]), int(years[-1] - years[0]) + 1
    begins = np.searchsorted(years, first + np.arange(size + 1))
    later = there.later
    s, k, horizon = later["scenario"], later["contract"], calendar.count

    def gw_periods(share: Floats, start: Ints, stop: Ints) -> Floats:
        """Return GW-periods by scenario, contract and year; what has no end stops at the horizon."""
        until = np.where(stop < ENDLESS, stop, horizon)[:, None]
        overlap = np.minimum(until, begins[1:]) - np.maximum(start[:, None], begins[:-1])
        total = np.zeros((*there.offer.shape, len(begins) - 1))
        np.add.at(total, (s, k), (share * later["gw"])[:, None] * np.maximum(overlap, 0))
        return total

    firm = np.where(there.offer[s, k] | later["after"], 0.0, 1.0)
    signed = gw_periods(firm, later["period"], later["stop"])
    flow = there.cost[:, :, None] * signed
    kept = flow.copy()
    for t, share, arrival, stop in there.signed_tranches(used.signed[facts.nodes.node_of]):
        kept += there.price[:, t, :, None] * gw_periods(share, arrival, stop)
    for t, nodes in enumerate(facts.nodes.node_of.T):
        for w in np.flatnonzero(used.increase[nodes].any(axis=0)):
            mine = there.way_of[w] == k
            effect = np.maximum(later["period"], t + there.window["notice"][s, w])
            gone = gw_periods(np.where(mine, used.increase[nodes, w][s], 0.0), effect, later["stop"])
            kept -= there.cost[:, :, None] * gone
    price = weight[:, None, None] * dt
    more = _more_owed(facts, used, years - first, size)
    return first, {
        "as_signed_bn": (price * flow).sum(axis=0) + more[0],
        "after_cancellation_bn": (price * kept).sum(axis=0) + more[1],
        "gw": (weight[:, None, None] * signed).sum(axis=0) / np.diff(begins),
    }


def _more_owed(facts: Facts, used: Use, year: Ints, size: int) -> tuple[Floats, Floats]:
    """Return what is owed beyond flat prices by contract and year, expected, $bn: as signed and after cancellation."""
    there, path = facts.promises, facts.nodes.node_of
    periods = np.arange(there.more.shape[1])
    gone = np.zeros(there.more.shape[:3])
    for t, nodes in enumerate(path.T):
        for w in np.flatnonzero(used.increase[nodes].any(axis=0)):
            over = periods >= t + there.window["notice"][:, w, None]
            gone[:, :, there.way_of[w]] += used.increase[nodes, w][:, None] * over
    whole = there.more[..., :LATE].sum(axis=-1)
    signed = np.where(there.offer[:, None], 0.0, whole)
    kept = used.more[..., :LATE].sum(axis=-1) - whole * gone
    by_year = (year[: len(periods), None] == np.arange(size)).astype(float)
    one, two = (np.einsum("s,suk,uy->ky", facts.nodes.weight, amounts, by_year) for amounts in (signed, kept))
    return one, two


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
        "cancelled_gw": dict(zip(facts.contracts.names.tolist(), _given(facts, used), strict=True)),
        **({"signed_gw": _signed(facts, used)} if facts.promises.offer.any() else {}),
        "scenarios": float(len(tree.node_of)),
        "nodes": float(tree.count),
    }
    earlier = facts.scenarios.written.earlier
    if earlier is not None:
        expected["moved_gw_years"] = float((tree.probability @ moved(facts, plan, earlier.allocation)).sum()) * dt
    # What a figure was added up from decides how far rounding may move it, not what is left of it.
    turnover = sum(float((tree.probability @ np.abs(flow.discounted)).sum()) for flow in flows.values())
    stated = {name: summary[name] for name in (*expected, "moved_gw_years", "signed_gw") if name in summary}
    certificate = summary.get("certificate")
    if isinstance(certificate, Mapping) and "recomputed_objective_bn" in certificate:
        stated["certificate: recomputed_objective_bn"] = certificate["recomputed_objective_bn"]
        expected["certificate: recomputed_objective_bn"] = objective
    if isinstance(certificate, Mapping) and certificate.get("bound_bn") is not None:
        _check_bound(certificate, objective, findings)
    sums = {"objective_bn", "npv_bn", "certificate: recomputed_objective_bn"}
    _compare("", stated, expected, {name: turnover for name in sums}, findings)


def _given(facts: Facts, used: Use) -> list[float]:
    """Return the expected GW of each contract for which notice is given."""
    increase = np.zeros_like(used.contracted)
    np.add.at(increase.T, facts.promises.way_of, used.increase.T)
    given: list[float] = (facts.nodes.probability @ (increase * used.contracted)).tolist()
    return given


def _signed(facts: Facts, used: Use) -> dict[str, float]:
    """Return the expected GW of each offer that are signed."""
    gw = facts.nodes.probability @ (used.signed * used.contracted)
    offers = np.flatnonzero(facts.promises.offer.any(axis=0)).tolist()
    return {facts.contracts.names[k]: float(gw[k]) for k in offers}


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
    bought = ~facts.promises.sold
    capacity, cost = (used.in_service * bought) @ in_pool, (used.bill * bought) @ in_pool
    price = np.divide(cost, capacity, out=np.zeros_like(cost), where=capacity > ROUNDING)
    per_node = (price * plan.supply["idle_gw"]).sum(axis=1) * facts.calendar.dt
    return float((per_node * facts.discount) @ tree.probability)


__all__ = ["Finding", "audit"]


def audit(
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    summary: Mapping[str, Any],
    *,
    left_out: Collection[str] = (),
) -> list[Finding]:
    """Return every figure of a plan that does not agree with the instance's tables.

    `left_out` names tables of obligations or marginal values that were not made. Not recomputed: ``marginal_values``,
    which duals prove, the status and the certificate's tolerances.
    """
    findings = Findings()
    if missing(tables, left_out, findings):
        return findings.all
    laid_out = facts(instance)
    check_nodes(laid_out, tables, findings)
    plan = read(laid_out, tables, findings)
    used = use(laid_out, plan)
    check_limits(laid_out, plan, used, findings)
    worth = flows(laid_out, plan, used, findings)
    check_cashflow(laid_out, worth, tables["cashflow"], findings)
    if "obligations" not in left_out:
        check_obligations(laid_out, used, tables["obligations"], findings)
    check_summary(laid_out, plan, used, worth, summary, findings)
    return findings.all
