"""Demand: what the pathways must have, ask for, can use, and how fast they can move."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Set, Var
from pyomo.core.expr import ExpressionBase

from models.axes import add_parameter, index_set
from models.data import PlanData
from models.supply import use, use_before


def add_demand(m: ConcreteModel, data: PlanData) -> None:
    """Add `shortfall` (effective GW) and `onboard` (GW), and the data of demand."""
    root = data.tree.root
    add_parameter(m, "effectiveness", data, "PQR", data.effectiveness)
    add_parameter(m, "floor", data, "PN", data.floor)
    add_parameter(m, "target", data, "PN", data.target)
    add_parameter(m, "cap", data, "PN", np.where(np.isfinite(data.cap), data.cap, 0.0))
    m.FLOORS = index_set(data, "PN", data.floor > 0)
    m.TARGETS = index_set(data, "PN", data.target > 0)
    served = np.any(data.eligible, axis=1)[:, root]
    m.CAPS = index_set(data, "PN", np.isfinite(data.cap) & served)
    add_parameter(m, "targets", data, "PN", (data.target > 0).astype(np.int64))
    m.SERVED = index_set(data, "PN", data.tiers > 0)
    m.shortfall = Var(m.TARGETS, within=NonNegativeReals)

    ramped = np.isfinite(data.ramp)
    add_parameter(m, "ramp_limit", data, "PR", np.where(ramped, data.ramp, 0.0))
    m.RAMPS = index_set(data, "PN", (ramped & ~data.deal)[:, root] & served)
    m.SIGNING_RAMPS = index_set(data, "PN", (ramped & data.deal)[:, root])

    migrates = data.migration_cost > 0
    m.MIGRATIONS = index_set(data, "PQN", (migrates[:, None, :] & data.eligible)[:, :, root])
    add_parameter(m, "migrates", data, "PR", migrates.astype(np.int64))
    m.onboard = Var(m.MIGRATIONS, within=NonNegativeReals)

    add_parameter(m, "lock_least_gw", data, "PLN", np.nan_to_num(data.lock_least))
    add_parameter(m, "lock_most_gw", data, "PLN", np.nan_to_num(data.lock_most, posinf=0.0))
    m.LEAST_LOCKS = index_set(data, "PLN", np.nan_to_num(data.lock_least) > 0)
    m.MOST_LOCKS = index_set(data, "PLN", np.isfinite(data.lock_most))
    m.LOCKED = Set(
        m.PATHWAYS,
        m.LOCKABLE,
        m.ROOTS,
        initialize={
            (p, q, r): [name for j, name in enumerate(data.pools) if data.eligible[i, j, r] and q in ("", name)]
            for i, p in enumerate(data.pathways)
            for q in (*data.pools, "")
            for r in range(len(data.tree.roots))
        },
    )


def effective_use(m: ConcreteModel, p: str, n: int) -> ExpressionBase:
    r"""Return the effective GW that a pathway uses.

    .. math:: E_{pn} = \sum_q \mathrm{effectiveness}_{pq} \, \mathrm{allocate}_{pqn}
    """
    return sum(m.effectiveness[p, q, m.root[n]] * m.allocate[p, q, n] for q in m.POOLS_OF[p, m.root[n]])


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
