"""A plan's tables, made from arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.money import MONEY
from gwplan.catalogue.tolerances import COUNTS, DIGITS, ROUNDING
from gwplan.models.data import PlanData
from gwplan.plan.values import Decided, Values, carried, of_contracts
from gwplan.solver.program import FloatArray, IntArray, LinearProgram
from gwplan.tree.contracts import tail_periods
from gwplan.tree.timeline import Timeline


@dataclass(frozen=True)
class NodeColumns:
    """The columns that name a node in every table."""

    period: IntArray
    start: NDArray[np.datetime64]
    known: NDArray[np.object_]
    probability: FloatArray

    def frame(self, node: IntArray, **columns: Any) -> pd.DataFrame:
        """Return a table with the node's columns first."""
        named = {
            "node": node,
            "period": self.period[node],
            "start": self.start[node],
            "known": self.known[node],
            "probability": self.probability[node],
        }
        return pd.DataFrame({**named, **columns})


def node_columns(timeline: Timeline) -> NodeColumns:
    """Return the columns that name each node of a plan."""
    tree = timeline.data.tree
    starts = timeline.calendar.starts().astype("datetime64[s]")
    return NodeColumns(tree.period, starts[tree.period], np.array(timeline.known, dtype=object), tree.probability)


def _by_node(mask: NDArray[np.bool_]) -> tuple[IntArray, ...]:
    """Return the positions of true elements, ordered by node, the last axis."""
    node, *others = np.nonzero(np.moveaxis(mask, -1, 0))
    return (*others, node)


def _names(names: tuple[str, ...], at: IntArray) -> NDArray[np.object_]:
    return np.array(names, dtype=object)[at] if names else np.empty(0, dtype=object)


def makers(laid_out: Timeline, decided: Values) -> dict[str, Callable[[], pd.DataFrame]]:
    """Return what makes each table that decisions alone make: few may be wanted at once."""
    data, columns = laid_out.data, node_columns(laid_out)
    return {
        "nodes": lambda: nodes(laid_out, columns),
        "allocation": lambda: allocation(data, decided, columns),
        "supply": lambda: supply(data, decided, columns),
        "cashflow": lambda: cashflow(laid_out, decided, columns),
        "cancellations": lambda: cancellations(laid_out, decided, columns),
        "commitments": lambda: commitments(laid_out, decided, columns),
        "deals": lambda: deals(data, decided, columns),
    }


def nodes(timeline: Timeline, columns: NodeColumns) -> pd.DataFrame:
    """Return one row per node, with its parent (-1 at a root)."""
    tree = timeline.data.tree
    return columns.frame(np.arange(tree.size), parent=tree.parent)


def allocation(data: PlanData, plan: Values, columns: NodeColumns) -> pd.DataFrame:
    """Return GW by node, pathway and pool."""
    p, q, n = _by_node(data.eligible[:, :, data.tree.root])
    return columns.frame(n, pathway=_names(data.pathways, p), pool=_names(data.pools, q), gw=plan.allocate[p, q, n])


def supply(data: PlanData, plan: Values, columns: NodeColumns) -> pd.DataFrame:
    """Return GW delivered, cancelled, sold, missing of what is sold, used and idle by node and pool."""
    q, n = _by_node(np.ones(data.supply.shape, dtype=bool))
    return columns.frame(
        n,
        pool=_names(data.pools, q),
        delivered_gw=data.in_pools(~data.sold[:, None] * plan.signed_gw)[q, n],
        cancelled_gw=plan.cancelled_gw[q, n],
        sold_gw=data.in_pools(data.sold[:, None] * plan.in_service)[q, n],
        unserved_gw=data.in_pools(plan.unserved)[q, n],
        used_gw=plan.allocate.sum(axis=0)[q, n],
        idle_gw=plan.idle[q, n],
    )


def cancellations(timeline: Timeline, plan: Values, columns: NodeColumns) -> pd.DataFrame:
    """Return the share and GW cancelled by window node and contract, when it takes effect, and its fee."""
    data = timeline.data
    w, n = _by_node(data.window)
    effective = data.tree.period[n] + data.cancel_notice[w, n]
    starts = timeline.calendar.starts(int(effective.max(initial=0)) + 1).astype("datetime64[s]")
    k = data.way_out_of[w]
    return columns.frame(
        n,
        contract=_names(data.contracts, k),
        window=_names(tuple(window for _, _, window in timeline.names.ways_out), w),
        share=plan.cancelled[w, n],
        gw=plan.cancelled[w, n] * data.contracted[k, n],
        effective=starts[effective],
        fee_bn=(data.fee * plan.newly_cancelled)[w, n],
    )


def commitments(timeline: Timeline, plan: Values, columns: NodeColumns) -> pd.DataFrame:
    """Return GW of each contract that is signed, extended, given back, in service and missing, by node.

    There is a row where a contract is in service, or something of it is signed by offer, extended or given back.
    """
    data = timeline.data
    share = np.repeat(data.firm[:, None].astype(float), data.tree.size, axis=1)
    share[data.offer_of] = carried(plan.signed, data.last_offer)
    extended = data.extends.T.astype(float) @ share[data.offer_of]
    given_back = of_contracts(data, carried(plan.cancelled, data.last_window))
    decided = (extended > 0) | (given_back > 0) | (~data.firm[:, None] & (share > 0))
    k, n = _by_node((plan.in_service != 0) | decided)
    total = data.contracted[k, n]
    return columns.frame(
        n,
        contract=_names(data.contracts, k),
        side=np.where(data.sold, "sell", "buy").astype(object)[k],
        share=share[k, n],
        signed_gw=share[k, n] * total,
        extended_gw=extended[k, n] * total,
        given_back_gw=given_back[k, n] * total,
        in_service_gw=plan.in_service[k, n],
        unserved_gw=plan.unserved[k, n],
    )


def deals(data: PlanData, plan: Values, columns: NodeColumns) -> pd.DataFrame:
    """Return GW in deals by node and deal pathway: in force, signed, given notice, returned, lost, breached."""
    tree = data.tree
    returned = data.returning.copy()
    given = carried(plan.release, data.notified)
    for i, lag in sorted({(i, lag) for i, row in enumerate(data.notice.tolist()) for lag in row}):
        at = data.notice[i, tree.root] == lag
        returned[i, at] += (data.kept_since(i, lag) * given[i])[at]
    p, n = _by_node(data.deal[:, tree.root])
    return columns.frame(
        n,
        pathway=_names(data.pathways, p),
        in_force_gw=plan.use[p, n],
        signed_gw=plan.sign[p, n],
        notice_given_gw=plan.release[p, n],
        returned_gw=returned[p, n],
        lost_gw=((1 - data.keep) * plan.use_before)[p, n],
        breached_gw=plan.breach[p, n],
    )


def flows(data: PlanData, plan: Values) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Return the money of every period by component: its names, and $bn undiscounted of shape (names, N)."""
    dt, root = data.dt, data.tree.root
    bn = {
        "value": dt * (data.value * plan.serve).sum(axis=1),
        "contract_cost": -dt * ~data.sold[:, None] * plan.bill,
        "operating_cost": -dt * (data.operating_cost[:, :, root] * plan.allocate).sum(axis=1),
        "migration_cost": -data.migration_cost[:, root] * plan.onboard.sum(axis=1),
        "signing_cost": -data.signing_cost[:, root] * plan.sign,
        "breach_cost": -np.where(plan.breach > 0, data.breach_cost[:, root], 0.0) * plan.breach,
        "cancellation_fees": -of_contracts(data, data.fee * plan.newly_cancelled),
        "idle_penalty": -dt * data.idle_penalty[:, root] * plan.idle,
        "shortfall_penalty": -dt * data.shortfall_penalty[:, root] * plan.shortfall,
        **({"move_penalty": -dt * data.move_cost * plan.moved.sum(axis=1)} if data.near else {}),
        **(_offer_flows(data, plan) if len(data.offers) or data.sold.any() else {}),
        **(_filed_flows(data, plan) if data.dated else {}),
    }
    return {name: (getattr(data, f"{part.of}s"), bn[name]) for name, part in MONEY.items() if name in bn}


def _offer_flows(data: PlanData, plan: Decided) -> dict[str, FloatArray]:
    """Return what contracts sold bring, what is missing of them, and what signing offers costs, $bn, shape (K, N)."""
    signing = np.zeros_like(data.bill)
    signing[data.offer_of] = -data.signing_fee * plan.newly_signed
    return {
        "sales": data.dt * data.sold[:, None] * plan.bill,
        "late_credit": _late_credit(data, plan),
        "offer_cost": signing,
    }


def _filed_flows(data: PlanData, plan: Decided) -> dict[str, FloatArray]:
    """Return what contracts prepay, pay as they arrive and receive while they are late, $bn, shape (K, N)."""
    side = data.side[:, None]
    return {
        "prepayments": -side * plan.prepaid,
        "upfront": -side * plan.upfront,
        "late_credit": _late_credit(data, plan),
    }


def _late_credit(data: PlanData, plan: Decided) -> FloatArray:
    """Return what is received for late delivery, less what is due for GW sold and not there, $bn, shape (K, N)."""
    missing = np.where(plan.unserved > 0, data.late_credit, 0.0) * plan.unserved
    late: FloatArray = data.dt * (plan.late - missing)
    return late


def leaf_tail_periods(timeline: Timeline) -> IntArray:
    """Return the periods after the horizon that start before each contract's end, at the leaves, shape (K, N)."""
    tree = timeline.data.tree
    periods = np.zeros((len(timeline.data.contracts), tree.size), dtype=np.int64)
    for leaf in tree.leaves:
        contracts = timeline.scenarios[tree.example[leaf]].tables["contracts"]
        ends = dict(zip(contracts["contract"], contracts["end"].to_numpy().astype("datetime64[D]"), strict=True))
        end = np.array([ends.get(c, np.datetime64("NaT", "D")) for c in timeline.contract_of], dtype="datetime64[D]")
        periods[:, leaf] = tail_periods(timeline.calendar, end)
    return periods


def cashflow(timeline: Timeline, plan: Values, columns: NodeColumns) -> pd.DataFrame:
    """Return every amount of money ($bn of the period, and discounted) by node, component and name; costs negative."""
    data = timeline.data
    parts = []
    for component, (names, amounts) in flows(data, plan).items():
        i, n = _by_node(amounts != 0)
        bn = amounts[i, n]
        parts.append((np.full(len(n), component, dtype=object), _names(names, i), n, bn, bn * data.node_discount[n]))
    parts.append(_terminal(timeline, plan))
    order = np.argsort(np.concatenate([part[2] for part in parts]), kind="stable")
    of, name, node, bn, discounted = (np.concatenate(column)[order] for column in zip(*parts, strict=True))
    return columns.frame(node, component=of, name=name, bn=bn, discounted_bn=discounted)


def _terminal(timeline: Timeline, plan: Values) -> tuple[Any, ...]:
    """Return the terminal line at the leaves, and undiscounted."""
    k, n = _by_node(plan.terminal != 0)
    return (
        np.full(len(n), "terminal", dtype=object),
        _names(timeline.data.contracts, k),
        n,
        plan.beyond(timeline.data.terminal_flat, timeline.data.terminal_unit_flat)[k, n],
        plan.terminal[k, n],
    )


QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are told of what varies."""


def node_worth(data: PlanData, plan: Values) -> FloatArray:
    """Return what each node adds to worth: discounted $bn, penalties and the terminal line included, shape (N,)."""
    amounts = sum((flow.sum(axis=0) for _, flow in flows(data, plan).values()), np.zeros(data.tree.size))
    worth: FloatArray = amounts * data.node_discount + plan.terminal.sum(axis=0)
    return worth


def leaf_worth(data: PlanData, plan: Values) -> FloatArray:
    """Return the worth of the plan on the path to each leaf, $bn, in the order of `Tree.leaves`."""
    paths = data.tree.path[data.tree.leaves]
    worth: FloatArray = node_worth(data, plan)[paths].sum(axis=1)
    return worth


def cvar(worth: FloatArray, probability: FloatArray, tail: float) -> float:
    """Return the mean of the worst `tail` share of outcomes, $bn."""
    order = np.argsort(worth)
    through = np.minimum(np.cumsum(probability[order]), tail)
    counted = np.diff(through, prepend=0.0)
    return float(counted @ worth[order] / counted.sum())


def quantile(worth: FloatArray, probability: FloatArray, share: float) -> float:
    """Return the least worth that is not exceeded with at least this probability, $bn."""
    order = np.argsort(worth)
    through = np.cumsum(probability[order])
    place = int(np.searchsorted(through, share - DIGITS))
    return float(worth[order][min(place, len(order) - 1)])


def weighed(worth: FloatArray, probability: FloatArray, aversion: float, tail: float) -> float:
    """Return what a plan maximises: ``(1 - aversion) * expected + aversion * CVaR``, $bn."""
    expected = float(worth @ probability)
    return (1 - aversion) * expected + aversion * cvar(worth, probability, tail)


def gained(more: float, less: float) -> float:
    """Return the difference of two optima, $bn; one that is arithmetic's own is 0."""
    difference = more - less
    return difference if abs(difference) > ROUNDING * (1 + abs(more)) else 0.0


def year_weights(laid_out: Timeline) -> tuple[IntArray, FloatArray]:
    """Return the years, and each node's weight in a year's expected mean, shape (years, N)."""
    tree = laid_out.data.tree
    of_period = laid_out.calendar.starts().astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.unique(of_period)
    inside = of_period[tree.period] == years[:, None]
    periods = (of_period == years[:, None]).sum(axis=1)
    return years, inside * tree.probability / periods[:, None]


def mean_use(decided: Values, weights: FloatArray) -> FloatArray:
    """Return the expected mean GW by pathway and year, shape (P, years)."""
    # not as a product of matrices, whose threads decide the last digits
    used: FloatArray = np.einsum("pn,yn->py", decided.use, weights)
    return used


def first_period_gw(decided: Decided) -> dict[str, float]:
    """Return the GW of each pathway in the first period, expected where scenarios differ from the first day."""
    tree = decided.data.tree
    gw = decided.use[:, tree.roots] * tree.probability[tree.roots]
    return dict(zip(decided.data.pathways, gw.sum(axis=1).tolist(), strict=True))


def decision_changes(before: Mapping[str, float], after: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Return pathways whose GW in the first period, before and after, differ by a size that counts; the most first."""
    names = [name for name in {**before, **after} if abs(after.get(name, 0.0) - before.get(name, 0.0)) >= COUNTS]
    changes = [(name, before.get(name, 0.0), after.get(name, 0.0)) for name in names]
    return sorted(changes, key=lambda change: -abs(change[2] - change[1]))


def use_cost(laid_out: Timeline, program: LinearProgram, p: int, weight: FloatArray) -> FloatArray:
    """Return the cost that makes a program's objective a pathway's expected mean GW."""
    cost = np.zeros(program.shape[1])
    keys, columns = program.column_keys["allocate"], program.columns["allocate"]
    mine = keys[:, 0] == program.labels.index(laid_out.data.pathways[p])
    cost[columns] = np.where(mine, weight[keys[:, -1]], 0.0)
    return cost
