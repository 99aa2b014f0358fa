"""Nearness: how far the plan leaves an earlier one, which costs a penalty."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.terms import Terms


def nearness_terms(terms: Terms) -> None:
    """Enter what an earlier plan gave each pair, where it says so, and what leaving it costs."""
    data, root = terms.data, terms.data.tree.root
    given = np.isfinite(data.kept) & data.eligible[:, :, root]
    terms.index_set("KEPT", "PQN", given)
    terms.family("KEEPING", "keeping", "PN", np.moveaxis(given, 1, -1), data.pools)
    terms.parameter("kept", "PQN", np.where(given, data.kept, 0.0))
    terms.parameter("move_cost", "N", np.full(data.tree.size, data.move_cost))


def add_nearness(m: ConcreteModel) -> None:
    """Add `moved_up` and `moved_down`, GW that a pair has more and less than an earlier plan gave it."""
    m.moved_up = Var(m.KEPT, within=NonNegativeReals)
    m.moved_down = Var(m.KEPT, within=NonNegativeReals)


def nearness(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""What a pair has more or less than an earlier plan gave it was moved (GW); `kept` is what that plan gave.

    .. math:: \mathrm{allocate}_{pqn} - \mathrm{kept}_{pqn} = \mathrm{moved\_up}_{pqn} - \mathrm{moved\_down}_{pqn}
    """
    return m.allocate[p, q, n] - m.moved_up[p, q, n] + m.moved_down[p, q, n] == m.kept[p, q, n]


def move_penalty(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what leaving an earlier plan costs on a node, a planning weight ($bn per year).

    .. math:: \mathrm{move\_cost} \sum_{pq} (\mathrm{moved\_up}_{pqn} + \mathrm{moved\_down}_{pqn})
    """
    return sum(
        m.move_cost[n] * (m.moved_up[p, q, n] + m.moved_down[p, q, n])
        for p in m.PATHWAYS
        for q in m.KEEPING[m.keeping[p, n]]
    )
