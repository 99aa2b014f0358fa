"""Deals: capacity that comes back only some periods after notice, or at a cost."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.supply import use, use_before
from gwplan.models.terms import Terms


def deals_terms(terms: Terms) -> None:
    """Enter the data of deals."""
    data, tree, root = terms.data, terms.data.tree, terms.data.tree.root
    deal = data.deal[:, root]
    breachable = np.isfinite(data.breach_cost) & data.deal
    terms.index_set("DEALS", "PN", deal)
    terms.parameter("deals_at", "PN", deal.astype(np.int64))
    later = np.stack([tree.has_descendant(lag) for lag in data.notice[:, root]]) if len(deal) else deal
    terms.index_set("RELEASES", "PN", deal & later)
    terms.index_set("BREACHES", "PN", breachable[:, root])
    terms.parameter("breaches", "PR", breachable.astype(np.int64))

    terms.parameter("keep", "PN", np.where(deal, data.keep, 0.0))
    terms.parameter("held", "PN", np.where(deal, data.held, 0.0))
    terms.parameter("returning", "PN", np.where(deal, data.returning, 0.0))
    terms.parameter("returns", "PN", (data.notified >= 0).astype(np.int64))
    terms.parameter("notified", "PN", np.maximum(data.notified, 0))
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
    terms.parameter("kept_since_notice", "PN", np.where(data.notified >= 0, kept_since_notice, 0.0))
    term_nodes = np.where(deal, np.minimum(data.term[:, root], tree.period + 1), 0)
    in_term = np.arange(lags + 1) < term_nodes[:, :, None]
    terms.parameter("term_nodes", "PN", term_nodes)
    terms.parameter("kept_since", "PNI", np.where(in_term, kept, 0.0))
    terms.parameter("above", "NI", above)


def add_deals(m: ConcreteModel) -> None:
    """Add `sign`, `release` and `breach` (GW) of the deal pathways."""
    m.sign = Var(m.DEALS, within=NonNegativeReals)
    m.release = Var(m.RELEASES, within=NonNegativeReals)
    m.breach = Var(m.BREACHES, within=NonNegativeReals)


def deals(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Deals in force: what churn left, plus what is signed, less what comes back (GW).

    Capacity comes back a notice after notice was given, on a node that did not know what the later nodes know; what
    churned meanwhile is not given back twice. `returning` is what comes back by notice given before the start.

    .. math::
        A_{pn} = {} & \mathrm{keep}_{pn} A_{p,\mathrm{parent}(n)} + \mathrm{sign}_{pn} - \mathrm{returning}_{pn} \\
        & - K(a, n) \, \mathrm{release}_{pa} - \mathrm{breach}_{pn}, \quad a = \mathrm{anc}(n, \mathrm{notice}_p)
    """
    return use(m, p, n) == m.keep[p, n] * use_before(m, p, n) + m.sign[p, n] - m.returning[p, n] - sum(
        m.kept_since_notice[p, n] * m.release[p, m.notified[p, n]] for _ in m.FIRST[m.returns[p, n]]
    ) - sum(m.breach[p, n] for _ in m.FIRST[m.breaches[p, m.root[n]]])


def term(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""What was signed in the last `term` periods, and not breached, is still in force (GW).

    `held` is what was signed before the start and is within its term.

    .. math:: A_{pn} \ge \mathrm{held}_{pn} + \sum_{a} K(a, n) (\mathrm{sign}_{pa} - \mathrm{breach}_{pa})
    """
    return use(m, p, n) >= m.held[p, n] + sum(
        m.kept_since[p, n, lag] * m.sign[p, m.above[n, lag]] for lag in m.FIRST[m.term_nodes[p, n]]
    ) - sum(
        m.kept_since[p, n, lag] * m.breach[p, m.above[n, lag]]
        for lag in m.FIRST[m.term_nodes[p, n]]
        for _ in m.FIRST[m.breaches[p, m.root[n]]]
    )
