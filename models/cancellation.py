"""Cancellation: notice is given inside a contract's window, for good, and takes effect a notice later."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Var
from pyomo.core.expr import ExpressionBase

from models.terms import Terms


def cancellation_terms(terms: Terms) -> None:
    """Enter the data of cancellation.

    ``OPEN`` holds the contracts whose window is open on a node, ``STILL_OPEN`` those whose window was open before.
    """
    data = terms.data
    open_before = data.window & (data.previous_window >= 0)
    terms.index_set("WINDOW", "KN", data.window)
    terms.index_set("COMMITTED", "KN", open_before)
    terms.upper["cancelled"] = data.max_share[data.window]
    terms.family("OPEN", "open", "N", data.window.T)
    terms.family("STILL_OPEN", "still_open", "N", open_before.T)
    terms.parameter("fee", "KN", np.where(data.window, data.fee * data.contracted, 0.0))
    terms.parameter("window_before", "KN", np.where(open_before, data.previous_window, 0))


def add_cancellation(m: ConcreteModel) -> None:
    """Add `cancelled`, the share of a contract for which notice has been given."""
    m.cancelled = Var(m.WINDOW, within=NonNegativeReals)


def commit(m: ConcreteModel, k: str, n: int) -> ExpressionBase:
    r"""Notice once given stands (share).

    .. math:: \mathrm{cancelled}_{kn} \ge \mathrm{cancelled}_{k,\mathrm{parent}(n)}
    """
    return m.cancelled[k, n] >= m.cancelled[k, m.window_before[k, n]]


def cancellation_fees(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Return the fees on a node for the share for which notice is given there: the increase of `cancelled` ($bn).

    .. math::
        \sum_k \mathrm{fee}_k \, \mathrm{contracted}_{kn}
        (\mathrm{cancelled}_{kn} - \mathrm{cancelled}_{k,\mathrm{parent}(n)})
    """
    return sum(m.fee[k, n] * m.cancelled[k, n] for k in m.OPEN[m.open[n]]) - sum(
        m.fee[k, n] * m.cancelled[k, m.window_before[k, n]] for k in m.STILL_OPEN[m.still_open[n]]
    )
