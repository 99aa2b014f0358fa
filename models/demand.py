"""Demand: what the pathways must have, ask for, can use, and how fast they can move."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.supply import use, use_before
from gwplan.models.terms import Terms


def demand_terms(terms: Terms) -> None:
    """Enter the data of demand."""
    data, root = terms.data, terms.data.tree.root
    terms.parameter("effectiveness", "PQN", data.effectiveness)
    terms.parameter("floor", "PN", data.floor)
    terms.parameter("target", "PN", data.target)
    terms.parameter("cap", "PN", np.where(np.isfinite(data.cap), data.cap, 0.0))
    terms.index_set("FLOORS", "PN", data.floor > 0)
    terms.index_set("TARGETS", "PN", data.target > 0)
    served = np.any(data.eligible, axis=1)[:, root]
    terms.index_set("CAPS", "PN", np.isfinite(data.cap) & served)
    terms.parameter("targets", "PN", (data.target > 0).astype(np.int64))
    terms.index_set("SERVED", "PN", data.tiers > 0)

    ramped = np.isfinite(data.ramp)
    terms.parameter("ramp_limit", "PR", np.where(ramped, data.ramp, 0.0))
    terms.index_set("RAMPS", "PN", (ramped & ~data.deal)[:, root] & served)
    terms.index_set("SIGNING_RAMPS", "PN", (ramped & data.deal)[:, root])

    migrates = data.migration_cost > 0
    terms.index_set("MIGRATIONS", "PQN", (migrates[:, None, :] & data.eligible)[:, :, root])
    terms.parameter("migrates", "PR", migrates.astype(np.int64))

    terms.parameter("lock_least_gw", "PLN", np.nan_to_num(data.lock_least))
    terms.parameter("lock_most_gw", "PLN", np.nan_to_num(data.lock_most, posinf=0.0))
    terms.index_set("LEAST_LOCKS", "PLN", np.nan_to_num(data.lock_least) > 0)
    terms.index_set("MOST_LOCKS", "PLN", np.isfinite(data.lock_most))
    terms.indexed_sets["LOCKED"] = {
        (p, q, r): [name for j, name in enumerate(data.pools) if data.eligible[i, j, r] and q in ("", name)]
        for i, p in enumerate(data.pathways)
        for q in (*data.pools, "")
        for r in range(len(data.tree.roots))
    }


def add_demand(m: ConcreteModel) -> None:
    """Add `shortfall` (effective GW) and `onboard` (GW)."""
    m.shortfall = Var(m.TARGETS, within=NonNegativeReals)
    m.onboard = Var(m.MIGRATIONS, within=NonNegativeReals)


def effective_use(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Return the effective GW that a pathway uses.

    .. math:: E_{pn} = \sum_q \mathrm{effectiveness}_{pqn} \, \mathrm{allocate}_{pqn}
    """
    return sum(m.effectiveness[p, q, n] * m.allocate[p, q, n] for q in m.POOLS_OF[p, m.root[n]])


def service(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Only effective GW earn a tier; output beyond the last tier earns nothing (effective GW).

    .. math:: \sum_i \mathrm{serve}_{pin} \le E_{pn}
    """
    return sum(m.serve[p, i, n] for i in m.FIRST[m.tiers[p, n]]) <= effective_use(m, p, n)


def target(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""What is missing from the target is a shortfall (effective GW).

    .. math:: E_{pn} + \mathrm{shortfall}_{pn} \ge \mathrm{target}_{pn}
    """
    return effective_use(m, p, n) + m.shortfall[p, n] >= m.target[p, n]


def floor(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""The pathway has at least its floor (effective GW).

    .. math:: E_{pn} \ge \mathrm{floor}_{pn}
    """
    return effective_use(m, p, n) >= m.floor[p, n]


def cap(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""The pathway uses at most its cap (GW).

    .. math:: A_{pn} \le \mathrm{cap}_{pn}
    """
    return use(m, p, n) <= m.cap[p, n]


def ramp(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""A pathway without deals grows no faster than its ramp (GW per period).

    .. math:: A_{pn} - A_{p,\mathrm{parent}(n)} \le \mathrm{ramp}_p
    """
    return use(m, p, n) - use_before(m, p, n) <= m.ramp_limit[p, m.root[n]]


def signing_ramp(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""A deal pathway signs no faster than its ramp (GW per period).

    .. math:: \mathrm{sign}_{pn} \le \mathrm{ramp}_p
    """
    return m.sign[p, n] <= m.ramp_limit[p, m.root[n]]


def migration(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""What a pair gains in a period was moved onto it (GW).

    .. math:: \mathrm{allocate}_{pqn} - \mathrm{allocate}_{pq,\mathrm{parent}(n)} \le \mathrm{onboard}_{pqn}
    """
    before = m.initial[p, q, n] + sum(m.allocate[p, q, m.parent[n]] for _ in m.FIRST[m.parents[n]])
    return m.allocate[p, q, n] - before <= m.onboard[p, q, n]


def lock_least(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""A lock holds a pair, or a pathway's sum where no pool is named, at or above its least capacity (GW).

    .. math:: \mathrm{min}_{pqn} \le \mathrm{allocate}_{pqn}
    """
    return sum(m.allocate[p, l, n] for l in m.LOCKED[p, q, m.root[n]]) >= m.lock_least_gw[p, q, n]  # noqa: E741


def lock_most(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""A lock holds a pair, or a pathway's sum where no pool is named, at or below its most capacity (GW).

    .. math:: \mathrm{allocate}_{pqn} \le \mathrm{max}_{pqn}
    """
    return sum(m.allocate[p, l, n] for l in m.LOCKED[p, q, m.root[n]]) <= m.lock_most_gw[p, q, n]  # noqa: E741
