"""Deals: capacity that comes back only some periods after notice, or at a cost."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from models.axes import add_parameter, index_set
from models.data import PlanData
from models.supply import use, use_before


def add_deals(m: ConcreteModel, data: PlanData) -> None:
    """Add `sign`, `release` and `breach` (GW) of the deal pathways, and the data of deals."""
    tree, root = data.tree, data.tree.root
    deal = data.deal[:, root]
    breachable = np.isfinite(data.breach_cost) & data.deal
    m.DEALS = index_set(data, "PN", deal)
    add_parameter(m, "deals_at", data, "PN", deal.astype(np.int64))
    m.sign = Var(m.DEALS, within=NonNegativeReals)
    later = np.stack([tree.has_descendant(lag) for lag in data.notice[:, root]]) if len(deal) else deal
    m.RELEASES = index_set(data, "PN", deal & later)
    m.release = Var(m.RELEASES, within=NonNegativeReals)
    m.BREACHES = index_set(data, "PN", breachable[:, root])
    add_parameter(m, "breaches", data, "PR", breachable.astype(np.int64))
    m.breach = Var(m.BREACHES, within=NonNegativeReals)

    add_parameter(m, "keep", data, "PN", np.where(deal, data.keep, 0.0))
    add_parameter(m, "returns", data, "PN", (data.notified >= 0).astype(np.int64))
    add_parameter(m, "notified", data, "PN", np.maximum(data.notified, 0))
    kept_since_notice = np.zeros(deal.shape)
    lags = int(data.term.max(initial=0))
    kept = np.zeros((*deal.shape, lags + 1))
    above = np.zeros((tree.size, lags + 1), dtype=np.int64)
    for lag in range(lags):
        above[:, lag] = np.maximum(tree.ancestor(np.full(tree.size, lag)), 0)
    for p in np.flatnonzero(data.deal.any(axis=1)):
        for lag in range(lags + 1):
            since = data.kept_since(int(p), lag)
            kept[p, :, lag] = since
            kept_since_notice[p] = np.where(data.notice[p, root] == lag, since, kept_since_notice[p])
    add_parameter(m, "kept_since_notice", data, "PN", np.where(data.notified >= 0, kept_since_notice, 0.0))
    term_nodes = np.where(deal, np.minimum(data.term[:, root], tree.period + 1), 0)
    in_term = np.arange(lags + 1) < term_nodes[:, :, None]
    add_parameter(m, "term_nodes", data, "PN", term_nodes)
    add_parameter(m, "kept_since", data, "PNI", np.where(in_term, kept, 0.0)[:, :, : len(m.COUNTS)])
    add_parameter(m, "above", data, "NI", above[:, : len(m.COUNTS)])


def deals(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Deals in force: what churn left, plus what is signed, less what comes back (GW).

    Capacity comes back a notice after notice was given, on a node that did not know what the later nodes know; what
    churned meanwhile is not given back twice.

    .. math::
        A_{pn} = \mathrm{keep}_{pn} A_{p,\mathrm{parent}(n)} + \mathrm{sign}_{pn}
        - K(a, n) \, \mathrm{release}_{pa} - \mathrm{breach}_{pn}, \quad a = \mathrm{anc}(n, \mathrm{notice}_p)
    """
    return use(m, p, n) == m.keep[p, n] * use_before(m, p, n) + m.sign[p, n] - sum(
        m.kept_since_notice[p, n] * m.release[p, m.notified[p, n]] for _ in m.FIRST[m.returns[p, n]]
    ) - sum(m.breach[p, n] for _ in m.FIRST[m.breaches[p, m.root[n]]])


def term(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""What was signed in the last `term` periods, and not breached, is still in force (GW).

    .. math:: A_{pn} \ge \sum_{a} K(a, n) (\mathrm{sign}_{pa} - \mathrm{breach}_{pa})
    """
    return use(m, p, n) >= sum(
        m.kept_since[p, n, lag] * m.sign[p, m.above[n, lag]] for lag in m.FIRST[m.term_nodes[p, n]]
    ) - sum(
        m.kept_since[p, n, lag] * m.breach[p, m.above[n, lag]]
        for lag in m.FIRST[m.term_nodes[p, n]]
        for _ in m.FIRST[m.breaches[p, m.root[n]]]
    )
