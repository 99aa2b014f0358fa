"""Plans that may do less: what a freedom is worth is what the best plan without it lacks."""

from __future__ import annotations

from typing import Final

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.terms import Terms

RIGID: Final = "rigid"
"""One split of the capacity per period for all futures."""

DEDICATED: Final = "dedicated"
"""Each pathway owns a fixed part of each pool."""


def restriction_terms(terms: Terms, restriction: str) -> None:
    """Enter the data of a plan with less freedom; blank: with all of it.

    ``FOLLOWERS`` holds the pairs on every node but the first of its period, ``leader``. A pair that some future has not
    is out of use in all, where there is one split for all.
    """
    data, tree = terms.data, terms.data.tree
    if restriction == RIGID:
        leader = np.searchsorted(tree.period, tree.period)
        everywhere = np.asarray(data.eligible.all(axis=2))
        follows = leader != np.arange(tree.size)
        terms.index_set("FOLLOWERS", "PQN", everywhere[:, :, None] & follows)
        terms.parameter("leader", "N", leader)
        if not np.array_equal(everywhere, data.eligible.any(axis=2)):
            pairs = data.eligible[:, :, tree.root]
            used = np.broadcast_to(everywhere[:, :, None], pairs.shape)[pairs]
            terms.upper["allocate"] = np.where(used, np.inf, 0.0)
    elif restriction == DEDICATED:
        owners = np.asarray(data.eligible.any(axis=2))
        firm = data.in_pools((data.firm & ~data.sold)[:, None] * data.delivered)
        terms.parameter("owned_gw", "QN", firm if data.signed_supply is None else data.signed_supply)
        terms.index_set("SHARES", "PQ", owners)
        terms.index_set("SHARED", "Q", owners.any(axis=0))
        terms.indexed_sets["OWNERS"] = {
            q: [p for i, p in enumerate(data.pathways) if owners[i, j]] for j, q in enumerate(data.pools)
        }
    elif restriction:
        raise ValueError(f"no restriction called {restriction}")


def add_shares(m: ConcreteModel) -> None:
    """Add `share`, the part of each pool that a pathway owns."""
    m.share = Var(m.SHARES, within=NonNegativeReals)


def same_split(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""One split per period, whatever becomes known (GW); for the rigid plan.

    .. math:: \mathrm{allocate}_{pqn} = \mathrm{allocate}_{pqm}, \quad m \text{ the first node of } t(n)
    """
    return m.allocate[p, q, n] == m.allocate[p, q, m.leader[n]]


def owned(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""A pathway uses no more of a pool than its part of what is delivered (GW); for the dedicated plan.

    .. math:: \mathrm{allocate}_{pqn} \le \mathrm{share}_{pq} \, \mathrm{supply}_{qn}
    """
    return m.allocate[p, q, n] <= m.owned_gw[q, n] * m.share[p, q]


def parts_of_one(m: ConcreteModel, q: str) -> ExpressionBase:
    r"""The parts of a pool are at most all of it (share); for the dedicated plan.

    .. math:: \sum_p \mathrm{share}_{pq} \le 1
    """
    return sum(m.share[p, q] for p in m.OWNERS[q]) <= 1
