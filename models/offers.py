"""Offers: a share of a contract is signed inside its window, for good, and delivers a lead later; mirror of cancelling.

What is in service depends on when it was signed; so does its price. With the window nodes a_1, a_2, ... on a path,
``signed[a_i]`` counts with what a whole share signed there brings less what one signed at the next brings.
"""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeIntegers, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.data import BoolArray, PlanData
from gwplan.models.terms import Terms
from gwplan.models.tree import IntArray


def offers_terms(terms: Terms) -> None:
    """Enter the data of offers.

    ``SIGNABLE`` holds the offers whose window is open on a node, ``STILL_SIGNABLE`` those whose window was open before.
    """
    data = terms.data
    open_before = data.offered & (data.previous_offer >= 0)
    terms.index_set("SIGNED", "ON", data.offered)
    terms.index_set("SIGNED_BEFORE", "ON", open_before)
    terms.upper["signed"] = data.most_signed[data.offered]
    terms.whole["signed"] = data.signed_whole[data.offered]
    terms.family("SIGNABLE", "signable", "N", data.offered.T, data.offers)
    terms.family("STILL_SIGNABLE", "still_signable", "N", open_before.T, data.offers)
    terms.parameter("signing_fee", "ON", np.where(data.offered, data.signing_fee, 0.0))
    terms.parameter("offer_before", "ON", np.where(open_before, data.previous_offer, 0))

    steps, side = data.in_service, data.side[data.offer_of][:, None, None]
    in_pool = (np.arange(len(data.pools))[:, None] == data.pool_of[data.offer_of])[:, :, None]
    terms.parameter("signatures", "ON", steps.count)
    terms.parameter("signatures_in", "QON", np.where(in_pool, steps.count, 0))
    terms.parameter("own_signatures", "KN", _of_contracts(data, steps.count))
    terms.parameter("signature", "ONI", steps.node)
    terms.parameter("signed_gw", "ONI", side * steps.values[0])
    terms.parameter("signed_bill", "ONI", side * data.paid(*steps.values[1:]))
    terms.parameter("end_signatures", "ON", data.in_the_end.count)
    terms.parameter("end_signature", "ONI", data.in_the_end.node)
    terms.parameter("end_signed", "ONI", data.in_the_end.values[0])
    _shares_terms(terms)


def _of_contracts(data: PlanData, by_offer: IntArray) -> IntArray:
    """Return whole numbers by offer, shape (O, N), as those of contracts, 0 for a firm one, shape (K, N)."""
    numbers = np.zeros((len(data.contracts), data.tree.size), dtype=np.int64)
    numbers[data.offer_of] = by_offer
    return numbers


def _shares_terms(terms: Terms) -> None:
    """Enter what binds a contract's ways out, its signature and its extension to each other, and the size of shares."""
    data = terms.data
    noticed, lapsed, taken_up = data.last_window >= 0, data.ref >= 0, data.last_offer >= 0
    terms.index_set("WHOLE", "KN", _shared(data))
    terms.parameter("firm", "K", data.firm.astype(float))
    terms.family_of_contracts("NOTICED", "noticed", data.way_out_of, noticed, data.ways_out)
    terms.parameter("notice_at", "WN", np.maximum(data.last_window, 0))
    offer, extended = np.nonzero(data.extends)
    names = [data.offers[o] for o in offer.tolist()]
    terms.family_of_contracts("EXTENDING", "extending", extended, taken_up[offer], names)
    terms.parameter("signed_itself", "KN", _of_contracts(data, taken_up.astype(np.int64)))
    terms.parameter("signed_at", "ON", np.maximum(data.last_offer, 0))
    terms.family_of_contracts("LAPSED_OF", "lapsed_of", data.way_out_of, lapsed, data.ways_out)
    lapsing = np.zeros(data.delivered.shape, dtype=bool)
    np.logical_or.at(lapsing, data.way_out_of, lapsed)
    terms.index_set("IN_SERVICE", "ON", (lapsing & (data.delivered > 0))[data.offer_of])
    terms.parameter("begins", "ON", (data.sref >= 0).astype(np.int64))
    terms.parameter("sref", "ON", np.maximum(data.sref, 0))

    last = np.zeros(data.offered.shape, dtype=bool)
    for leaf in data.tree.leaves:
        ever = np.flatnonzero(taken_up[:, leaf])
        last[ever, data.last_offer[ever, leaf]] = True
    terms.index_set("LEAST_SIGNED", "ON", last & (data.least_signed > 0))
    terms.parameter("least_share", "ON", data.least_signed)
    in_part = data.offered & (data.min_signed > 0)
    terms.index_set("TAKEN", "ON", in_part)
    terms.parameter("min_signed", "ON", data.min_signed)
    terms.parameter("most_signed", "ON", data.most_signed)
    terms.upper["taken"] = np.ones(int(in_part.sum()))
    terms.whole["taken"] = np.ones(int(in_part.sum()), dtype=bool)


def _shared(data: PlanData) -> BoolArray:
    """Return where several decisions share a contract, shape (K, N): more than a bound says."""
    ways = np.bincount(data.way_out_of, minlength=len(data.contracts))
    shared = (ways > 1) | ~data.firm | data.extends.any(axis=0)
    deciding = np.zeros(data.delivered.shape, dtype=bool)
    np.logical_or.at(deciding, data.way_out_of, data.window)
    for offer, extended in np.argwhere(data.extends):
        deciding[extended] |= data.offered[offer]
    return shared[:, None] & deciding


def add_offers(m: ConcreteModel) -> None:
    """Add `signed`, the share of an offer that is signed, and `taken`, whether any is where a part has a least size."""
    m.signed = Var(m.SIGNED, within=NonNegativeReals)
    m.taken = Var(m.TAKEN, within=NonNegativeIntegers)


def signed_stands(m: ConcreteModel, o: str, n: int) -> ExpressionBase:
    r"""A signature stands (share).

    .. math:: \mathrm{signed}_{kn} \ge \mathrm{signed}_{k,\mathrm{parent}(n)}
    """
    return m.signed[o, n] >= m.signed[o, m.offer_before[o, n]]


def whole(m: ConcreteModel, k: str, n: int) -> ExpressionBase:
    r"""No more of a contract is given up by all its ways out, and extended, than there is (share).

    .. math::
        \sum_w \mathrm{cancelled}_{kw,\mathrm{last}} + \sum_{j \text{ extends } k} \mathrm{signed}_{j,\mathrm{last}}
        \le 1 \text{, or } \mathrm{signed}_{k,\mathrm{last}} \text{ of an offer}

    Here `last` is the last node of that window on the path to n, n included.
    """
    return (
        sum(m.cancelled[w, m.notice_at[w, n]] for w in m.NOTICED[m.noticed[k, n]])
        + sum(m.signed[o, m.signed_at[o, n]] for o in m.EXTENDING[m.extending[k, n]])
        - sum(m.signed[k, m.signed_at[k, n]] for _ in m.FIRST[m.signed_itself[k, n]])
        <= m.firm[k]
    )


def in_service(m: ConcreteModel, o: str, n: int) -> ExpressionBase:
    r"""What is not yet in service cannot go out of it (share).

    .. math:: \sum_w \mathrm{cancelled}_{kw,\mathrm{ref}(k,w,n)} \le \mathrm{signed}_{k,\mathrm{sref}(k,n)}
    """
    return (
        sum(m.cancelled[w, m.ref[w, n]] for w in m.LAPSED_OF[m.lapsed_of[o, n]])
        - sum(m.signed[o, m.sref[o, n]] for _ in m.FIRST[m.begins[o, n]])
        <= 0
    )


def least_signed(m: ConcreteModel, o: str, n: int) -> ExpressionBase:
    r"""When the window closes at least the smallest share is signed (share).

    .. math:: \mathrm{signed}_{kn} \ge \mathrm{least\_share}_k
    """
    return m.signed[o, n] >= m.least_share[o, n]


def taken_least(m: ConcreteModel, o: str, n: int) -> ExpressionBase:
    r"""A share that is signed at all has its least size (share).

    .. math:: \mathrm{signed}_{kn} \ge \mathrm{min\_share}_k \, \mathrm{taken}_{kn}
    """
    return m.signed[o, n] >= m.min_signed[o, n] * m.taken[o, n]


def taken_most(m: ConcreteModel, o: str, n: int) -> ExpressionBase:
    r"""What is not taken is not signed (share).

    .. math:: \mathrm{signed}_{kn} \le \mathrm{max\_share}_k \, \mathrm{taken}_{kn}
    """
    return m.signed[o, n] <= m.most_signed[o, n] * m.taken[o, n]


def offers_due(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what is due for the shares of offers in service, less what contracts sold pay ($bn per year).

    .. math:: \sum_{k \in O} \pm \mathrm{bill}_{kn} \, \mathrm{signed}_{k,\mathrm{sref}(k,n)}

    The bill of a share is that of the node on which it was signed.
    """
    return sum(
        m.signed_bill[o, n, i] * m.signed[o, m.signature[o, n, i]]
        for o in m.OFFERS
        for i in m.FIRST[m.signatures[o, n]]
    )


def signing_fees(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return what signing costs on a node for the share that is signed there: the increase of `signed` ($bn).

    .. math::
        \sum_{k \in O} \mathrm{signing\ fee}_{kn} (\mathrm{signed}_{kn} - \mathrm{signed}_{k,\mathrm{parent}(n)})
    """
    return sum(m.signing_fee[o, n] * m.signed[o, n] for o in m.SIGNABLE[m.signable[n]]) - sum(
        m.signing_fee[o, n] * m.signed[o, m.offer_before[o, n]] for o in m.STILL_SIGNABLE[m.still_signable[n]]
    )


def offers_in_the_end(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return the worth of signed shares beyond the horizon, at a leaf; 0 elsewhere ($bn, discounted).

    .. math:: \sum_{k \in O} \mathrm{terminal}_{kn} \, \mathrm{signed}_{k,\mathrm{last}(k,n)}
    """
    return sum(
        m.end_signed[o, n, i] * m.signed[o, m.end_signature[o, n, i]]
        for o in m.OFFERS
        for i in m.FIRST[m.end_signatures[o, n]]
    )
