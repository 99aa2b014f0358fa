"""Supply: what the contracts deliver is used by a pathway, left idle, or was cancelled."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from models.terms import Terms


def supply_terms(terms: Terms) -> None:
    """Enter the data of supply.

    ``LAPSED`` holds the contracts of a pool of which, on a node, some notice is over.
    """
    data = terms.data
    terms.parameter("supply", "QN", data.supply)
    terms.parameter("initial", "PQN", np.where(data.tree.parent < 0, data.initial[:, :, data.tree.root], 0.0))
    in_pool = np.arange(len(data.pools))[:, None, None] == data.pool_of
    terms.family("LAPSED", "lapsed", "QN", in_pool & (data.ref >= 0).T)
    terms.parameter("ref", "KN", np.maximum(data.ref, 0))
    terms.parameter("delivered", "KN", np.where(data.ref >= 0, data.delivered, 0.0))


def add_supply(m: ConcreteModel) -> None:
    """Add `allocate` and `idle` (GW)."""
    m.allocate = Var(m.PAIRS, within=NonNegativeReals)
    m.idle = Var(m.POOLS, m.NODES, within=NonNegativeReals)


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
    r"""Every GW delivered is used, idle, or cancelled with its notice over (GW).

    .. math::
        \sum_p \mathrm{allocate}_{pqn} + \mathrm{idle}_{qn}
        + \sum_{k \in q} \mathrm{delivered}_{kn} \, \mathrm{cancelled}_{k,\mathrm{ref}(k,n)} = \mathrm{supply}_{qn}
    """
    return (
        sum(m.allocate[p, q, n] for p in m.PATHWAYS_OF[q, m.root[n]])
        + m.idle[q, n]
        + sum(m.delivered[k, n] * m.cancelled[k, m.ref[k, n]] for k in m.LAPSED[m.lapsed[q, n]])
        == m.supply[q, n]
    )
