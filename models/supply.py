"""Supply: what the contracts deliver is used by a pathway, left idle, sold, or was cancelled."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.terms import Terms


def supply_terms(terms: Terms) -> None:
    """Enter the data of supply.

    ``LAPSED`` holds the ways out of a pool's contracts of which, on a node, some notice is over. ``UNSERVED`` holds
    the contracts sold of which GW that are due may be missing.
    """
    data = terms.data
    terms.parameter("supply", "QN", data.supply)
    terms.parameter("initial", "PQN", np.where(data.tree.parent < 0, data.initial[:, :, data.tree.root], 0.0))
    in_pool = np.arange(len(data.pools))[:, None, None] == data.pool_of
    lapsed = data.ref >= 0
    terms.family("LAPSED", "lapsed", "QN", in_pool[:, :, data.way_out_of] & lapsed.T, data.ways_out)
    terms.parameter("ref", "WN", np.maximum(data.ref, 0))
    delivered = (data.side[:, None] * data.delivered)[data.way_out_of]
    terms.parameter("delivered", "WN", np.where(lapsed, delivered, 0.0))

    unserved = data.sold[:, None] & np.isfinite(data.late_credit)
    terms.index_set("UNSERVED", "KN", unserved)
    terms.family("UNSERVED_IN", "unserved_in", "QN", in_pool & unserved.T)
    terms.parameter("late_credit", "KN", np.where(unserved, data.late_credit, 0.0))
    terms.parameter("firm_gw", "KN", np.where(unserved & data.firm[:, None], data.delivered, 0.0))


def add_supply(m: ConcreteModel) -> None:
    """Add `allocate`, `idle` and `unserved` (GW)."""
    m.allocate = Var(m.PAIRS, within=NonNegativeReals)
    m.idle = Var(m.POOLS, m.NODES, within=NonNegativeReals)
    m.unserved = Var(m.UNSERVED, within=NonNegativeReals)


def use(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Return the GW that a pathway uses.

    .. math:: A_{pn} = \sum_q \mathrm{allocate}_{pqn}
    """
    return sum(m.allocate[p, q, n] for q in m.POOLS_OF[p, m.root[n]])


def use_before(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Return the GW that a pathway used in the period before; at a root the initial ones.

    .. math:: A_{p,\mathrm{parent}(n)} = \sum_q \mathrm{allocate}_{pq,\mathrm{parent}(n)}
    """
    return sum(m.initial[p, q, n] for q in m.POOLS_OF[p, m.root[n]]) + sum(
        m.allocate[p, q, m.parent[n]] for q in m.POOLS_OF[p, m.root[n]] for _ in m.FIRST[m.parents[n]]
    )


def balance(m: ConcreteModel, q: str, n: int) -> ExpressionBase:
    r"""Every GW delivered is used, idle, sold, or cancelled with its notice over (GW).

    .. math::
        & \sum_p \mathrm{allocate}_{pqn} + \mathrm{idle}_{qn}
        + \sum_{k,w} \pm \mathrm{delivered}_{kn} \, \mathrm{cancelled}_{kw,\mathrm{ref}(k,w,n)} \\
        & \quad = \mathrm{supply}_{qn} + \sum_{k \in O} \pm \mathrm{delivered}_{kn} \,
        \mathrm{signed}_{k,\mathrm{sref}(k,n)} + \sum_k \mathrm{unserved}_{kn}

    `supply` is that of firm contracts, less what is sold firmly; what is sold counts with a minus.
    """
    return (
        sum(m.allocate[p, q, n] for p in m.PATHWAYS_OF[q, m.root[n]])
        + m.idle[q, n]
        + sum(m.delivered[w, n] * m.cancelled[w, m.ref[w, n]] for w in m.LAPSED[m.lapsed[q, n]])
        - sum(
            m.signed_gw[o, n, i] * m.signed[o, m.signature[o, n, i]]
            for o in m.OFFERS
            for i in m.FIRST[m.signatures_in[q, o, n]]
        )
        - sum(m.unserved[k, n] for k in m.UNSERVED_IN[m.unserved_in[q, n]])
        == m.supply[q, n]
    )


def served(m: ConcreteModel, k: str, n: int) -> ExpressionBase:
    r"""What is missing of a contract sold is at most what is due (GW).

    .. math::
        \mathrm{unserved}_{kn} \le \mathrm{delivered}_{kn}
        (\mathrm{signed}_{k,\mathrm{sref}(k,n)} - \sum_w \mathrm{cancelled}_{kw,\mathrm{ref}(k,w,n)})

    Of a firm contract `signed` is 1.
    """
    return m.unserved[k, n] <= (
        m.firm_gw[k, n]
        - sum(m.signed_gw[k, n, i] * m.signed[k, m.signature[k, n, i]] for i in m.FIRST[m.own_signatures[k, n]])
        + sum(m.delivered[w, n] * m.cancelled[w, m.ref[w, n]] for w in m.LAPSED_OF[m.lapsed_of[k, n]])
    )
