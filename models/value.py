"""Value: what the plan earns and costs on a node, and what it is worth."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.cancellation import cancellation_fees
from gwplan.models.nearness import move_penalty
from gwplan.models.offers import offers_due, offers_in_the_end, signing_fees
from gwplan.models.terms import Terms


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
    firm, of = data.firm[:, None], data.way_out_of
    bill = data.side[:, None] * data.paid(data.bill, data.prepaid, data.upfront, data.late)
    terms.parameter("contract_cost", "N", np.where(firm, bill, 0.0).sum(axis=0))
    terms.parameter("saved_cost", "WN", np.where(data.ref >= 0, bill[of], 0.0))
    ends = (data.last_window >= 0) & (data.terminal != 0)[of]
    terms.parameter("terminal_worth", "N", np.where(firm, data.terminal, 0.0).sum(axis=0))
    terms.parameter("terminal_lost", "WN", np.where(ends, data.terminal[of], 0.0))
    terms.family("ENDING", "ending", "N", ends.T, data.ways_out)
    terms.parameter("last_window", "WN", np.where(ends, data.last_window, 0))
    terms.parameter("probability", "N", data.tree.probability)


def add_value(m: ConcreteModel) -> None:
    """Add `serve` (effective GW)."""
    m.serve = Var(m.TIERS, within=NonNegativeReals)


def yearly_worth(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what the plan earns and costs on a node while it lasts ($bn per year).

    .. math::
        & \sum_{p,i} \mathrm{value}_{pin} \, \mathrm{serve}_{pin}
        - \sum_{p,q} \mathrm{operating\ cost}_{pq} \, \mathrm{allocate}_{pqn} \\
        & - \sum_k \pm \mathrm{bill}_{kn} (\mathrm{signed}_{k,\mathrm{sref}(k,n)}
        - \sum_w \mathrm{cancelled}_{kw,\mathrm{ref}(k,w,n)})
        - \sum_k \mathrm{late\ credit}_k \, \mathrm{unserved}_{kn} \\
        & - \sum_q \mathrm{idle\ penalty}_q \, \mathrm{idle}_{qn}
        - \sum_p \mathrm{shortfall\ penalty}_p \, \mathrm{shortfall}_{pn} - \mathrm{move\ penalty}(n)

    Of a firm contract `signed` is 1; the bill of a contract sold is received. A `bill` holds what is prepaid on the
    node and paid upfront for what arrives on it, over its length, less what is received for what is late.
    """
    return (
        sum(m.value[p, i, n] * m.serve[p, i, n] for p in m.PATHWAYS for i in m.FIRST[m.tiers[p, n]])
        - sum(
            m.operating_cost[p, q, m.root[n]] * m.allocate[p, q, n]
            for p in m.PATHWAYS
            for q in m.POOLS_OF[p, m.root[n]]
        )
        - m.contract_cost[n]
        + sum(m.saved_cost[w, n] * m.cancelled[w, m.ref[w, n]] for q in m.POOLS for w in m.LAPSED[m.lapsed[q, n]])
        - offers_due(m, n)
        - sum(m.late_credit[k, n] * m.unserved[k, n] for q in m.POOLS for k in m.UNSERVED_IN[m.unserved_in[q, n]])
        - sum(m.idle_penalty[q, m.root[n]] * m.idle[q, n] for q in m.POOLS)
        - sum(
            m.shortfall_penalty[p, m.root[n]] * m.shortfall[p, n] for p in m.PATHWAYS for _ in m.FIRST[m.targets[p, n]]
        )
        - move_penalty(m, n)
    )


def one_off_costs(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what moving, signing deals and offers, breaching and cancelling cost on a node ($bn).

    .. math::
        & \sum_{p,q} \mathrm{migration\ cost}_p \, \mathrm{onboard}_{pqn}
        + \sum_p \mathrm{signing\ cost}_p \, \mathrm{sign}_{pn} \\
        & + \sum_p \mathrm{breach\ cost}_p \, \mathrm{breach}_{pn} + \mathrm{cancellation\ fees}(n)
        + \mathrm{signing\ fees}(n)
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
        + signing_fees(m, n)
    )


def terminal_worth(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return the worth of capacity under contract beyond the horizon, at a leaf; 0 elsewhere ($bn, discounted).

    .. math::
        \sum_{k,j} \pm d_{T+j} \Delta t (\mathrm{terminal\ value}_{q(k)} \, \mathrm{delivered}_{k,T+j}
        - \mathrm{bill}_{k,T+j}) (\mathrm{signed}_{k,\mathrm{last}} - \sum_w \mathrm{cancelled}_{kw,\mathrm{last}})

    Over contracts that end, in pools with a terminal value; `last` is the last node of that window on the path to n.
    """
    return (
        m.terminal_worth[n]
        - sum(m.terminal_lost[w, n] * m.cancelled[w, m.last_window[w, n]] for w in m.ENDING[m.ending[n]])
        + offers_in_the_end(m, n)
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
