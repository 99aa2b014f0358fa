"""Cancellation: notice is given inside one of a contract's windows, for good, and takes effect a notice later."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.terms import Terms


def cancellation_terms(terms: Terms) -> None:
    """Enter the data of cancellation.

    ``OPEN`` holds the ways out whose window is open on a node, ``STILL_OPEN`` those whose window was open before.
    """
    data = terms.data
    open_before = data.window & (data.previous_window >= 0)
    terms.index_set("WINDOW", "WN", data.window)
    terms.index_set("COMMITTED", "WN", open_before)
    terms.upper["cancelled"] = data.max_share[data.window]
    terms.family("OPEN", "open", "N", data.window.T, data.ways_out)
    terms.family("STILL_OPEN", "still_open", "N", open_before.T, data.ways_out)
    terms.parameter("fee", "WN", np.where(data.window, data.fee, 0.0))
    terms.parameter("window_before", "WN", np.where(open_before, data.previous_window, 0))


def add_cancellation(m: ConcreteModel) -> None:
    """Add `cancelled`, the share of a contract for which notice has been given by one of its ways out."""
    m.cancelled = Var(m.WINDOW, within=NonNegativeReals)


def commit(m: ConcreteModel, w: str, n: int) -> ExpressionBase:
    r"""Notice once given stands (share).

    .. math:: \mathrm{cancelled}_{kwn} \ge \mathrm{cancelled}_{kw,\mathrm{parent}(n)}
    """
    return m.cancelled[w, n] >= m.cancelled[w, m.window_before[w, n]]


def cancellation_fees(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return the fees on a node for the share for which notice is given there: the increase of `cancelled` ($bn).

    .. math::
        \sum_{k,w} \mathrm{fee}_{kwn} (\mathrm{cancelled}_{kwn} - \mathrm{cancelled}_{kw,\mathrm{parent}(n)})

    The fee is that for the whole contract: per contracted GW, and a share of the bills from the day on which the notice
    takes effect.
    """
    return sum(m.fee[w, n] * m.cancelled[w, n] for w in m.OPEN[m.open[n]]) - sum(
        m.fee[w, n] * m.cancelled[w, m.window_before[w, n]] for w in m.STILL_OPEN[m.still_open[n]]
    )
