"""Value: what the plan earns and costs on a node, and what it is worth."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from models.cancellation import cancellation_fees
from models.nearness import move_penalty
from models.terms import Terms


def value_terms(terms: Terms) -> None:
    """Enter the data of worth."""
    data = terms.data
    in_force = np.arange(data.width.shape[1])[:, None] < data.tiers[:, None, :]
    terms.index_set("TIERS", "PIN", in_force)
    terms.upper["serve"] = data.width[in_force]
    terms.parameter("tiers", "PN", data.tiers)
    terms.parameter("value", "PIN", np.where(in_force, data.value, 0.0))

    terms.parameter("operating_cost", "PQR", data.operating_cost)
    terms.parameter("idle_penalty", "QR", data.idle_penalty)
    terms.parameter("shortfall_penalty", "PR", data.shortfall_penalty)
    terms.parameter("migration_cost", "PR", data.migration_cost)
    terms.parameter("signing_cost", "PR", data.signing_cost)
    terms.parameter("breach_cost", "PR", np.where(np.isfinite(data.breach_cost), data.breach_cost, 0.0))
    terms.parameter("contract_cost", "N", (data.cost * data.delivered).sum(axis=0))
    terms.parameter("saved_cost", "KN", np.where(data.ref >= 0, data.cost * data.delivered, 0.0))
    terminal = data.terminal_rate * data.delivered
    ends = (data.last_window >= 0) & (terminal != 0)
    terms.parameter("terminal_worth", "N", terminal.sum(axis=0))
    terms.parameter("terminal_lost", "KN", np.where(ends, terminal, 0.0))
    terms.family("ENDING", "ending", "N", ends.T)
    terms.parameter("last_window", "KN", np.where(ends, data.last_window, 0))
    terms.parameter("probability", "N", data.tree.probability)


def add_value(m: ConcreteModel) -> None:
    """Add `serve` (effective GW)."""
    m.serve = Var(m.TIERS, within=NonNegativeReals)


def yearly_worth(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what the plan earns and costs on a node while it lasts ($bn per year).

    .. math::
        & \sum_{p,i} \mathrm{value}_{pin} \, \mathrm{serve}_{pin}
        - \sum_{p,q} \mathrm{operating\ cost}_{pq} \, \mathrm{allocate}_{pqn} \\
        & - \sum_k \mathrm{cost}_k \, \mathrm{delivered}_{kn} (1 - \mathrm{cancelled}_{k,\mathrm{ref}(k,n)}) \\
        & - \sum_q \mathrm{idle\ penalty}_q \, \mathrm{idle}_{qn}
        - \sum_p \mathrm{shortfall\ penalty}_p \, \mathrm{shortfall}_{pn} - \mathrm{move\ penalty}(n)
    """
    return (
        sum(m.value[p, i, n] * m.serve[p, i, n] for p in m.PATHWAYS for i in m.FIRST[m.tiers[p, n]])
        - sum(
            m.operating_cost[p, q, m.root[n]] * m.allocate[p, q, n]
            for p in m.PATHWAYS
            for q in m.POOLS_OF[p, m.root[n]]
        )
        - m.contract_cost[n]
        + sum(m.saved_cost[k, n] * m.cancelled[k, m.ref[k, n]] for q in m.POOLS for k in m.LAPSED[m.lapsed[q, n]])
        - sum(m.idle_penalty[q, m.root[n]] * m.idle[q, n] for q in m.POOLS)
        - sum(
            m.shortfall_penalty[p, m.root[n]] * m.shortfall[p, n] for p in m.PATHWAYS for _ in m.FIRST[m.targets[p, n]]
        )
        - move_penalty(m, n)
    )


def one_off_costs(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what moving, signing, breaching and cancelling cost on a node ($bn).

    .. math::
        & \sum_{p,q} \mathrm{migration\ cost}_p \, \mathrm{onboard}_{pqn}
        + \sum_p \mathrm{signing\ cost}_p \, \mathrm{sign}_{pn} \\
        & + \sum_p \mathrm{breach\ cost}_p \, \mathrm{breach}_{pn} + \mathrm{cancellation\ fees}(n)
    """
    return (
        sum(
            m.migration_cost[p, m.root[n]] * m.onboard[p, q, n]
            for p in m.PATHWAYS
            for q in m.POOLS_OF[p, m.root[n]]
            for _ in m.FIRST[m.migrates[p, m.root[n]]]
        )
        + sum(m.signing_cost[p, m.root[n]] * m.sign[p, n] for p in m.PATHWAYS for _ in m.FIRST[m.deals_at[p, n]])
        + sum(
            m.breach_cost[p, m.root[n]] * m.breach[p, n] for p in m.PATHWAYS for _ in m.FIRST[m.breaches[p, m.root[n]]]
        )
        + cancellation_fees(m, n)
    )


def terminal_worth(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return the worth of capacity under contract beyond the horizon, at a leaf; 0 elsewhere ($bn, discounted).

    .. math::
        \sum_k \mathrm{tail}_k (\mathrm{terminal\ value}_{q(k)} - \mathrm{cost}_k) \, \mathrm{delivered}_{kn}
        (1 - \mathrm{cancelled}_{k,\mathrm{last}(k,n)})

    Here `last(k,n)` is the last node of the window on the path to n.
    """
    return m.terminal_worth[n] - sum(
        m.terminal_lost[k, n] * m.cancelled[k, m.last_window[k, n]] for k in m.ENDING[m.ending[n]]
    )


def node_worth(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what a node adds to the worth of every path through it ($bn, discounted).

    .. math:: d_t (\Delta t \cdot \mathrm{yearly\ worth} - \mathrm{one\ off\ costs}) + \mathrm{terminal\ worth}
    """
    return m.discount[n] * (m.dt * yearly_worth(m, n) - one_off_costs(m, n)) + terminal_worth(m, n)


def expected_worth(m: ConcreteModel) -> ExpressionBase:
    r"""Return the expected worth of the plan ($bn, discounted, constants included).

    .. math:: \sum_n \mathrm{prob}(n) \, \mathrm{node\ worth}(n)
    """
    return sum(m.probability[n] * node_worth(m, n) for n in m.NODES)
