"""Cancellation: notice is given inside a contract's window, for good, and takes effect a notice later."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Set, Var
from pyomo.core.expr import ExpressionBase

from models.axes import add_parameter, family, index_set
from models.data import PlanData


def add_cancellation(m: ConcreteModel, data: PlanData) -> None:
    """Add `cancelled`, the share of a contract for which notice has been given, and its data.

    ``OPEN`` holds the contracts whose window is open on a node, ``STILL_OPEN`` those whose window was open before.
    """
    m.WINDOW = index_set(data, "KN", data.window)
    m.cancelled = Var(m.WINDOW, within=NonNegativeReals)
    for (k, n), most in zip(m.WINDOW, data.max_share[data.window].tolist(), strict=True):
        m.cancelled[k, n].setub(most)
    open_before = data.window & (data.previous_window >= 0)
    m.COMMITTED = index_set(data, "KN", open_before)
    for name, mask in (("open", data.window), ("still_open", open_before)):
        sets, number = family(data, mask.T)
        setattr(m, name.upper(), Set(range(len(sets)), initialize=sets))
        add_parameter(m, name, data, "N", number)
    add_parameter(m, "fee", data, "KN", np.where(data.window, data.fee * data.contracted, 0.0))
    add_parameter(m, "window_before", data, "KN", np.where(open_before, data.previous_window, 0))


def commit(m: ConcreteModel, k: str, n: int) -> ExpressionBase:
    r"""Notice once given stands (share).

    .. math:: \mathrm{cancelled}_{kn} \ge \mathrm{cancelled}_{k,\mathrm{parent}(n)}
    """
    return m.cancelled[k, n] >= m.cancelled[k, m.window_before[k, n]]


def cancellation_fees(m: ConcreteModel, n: int) -> ExpressionBase:
    """Return the fees on a node for the share for which notice is given there: the increase of `cancelled` ($bn)."""
    return sum(m.fee[k, n] * m.cancelled[k, n] for k in m.OPEN[m.open[n]]) - sum(
        m.fee[k, n] * m.cancelled[k, m.window_before[k, n]] for k in m.STILL_OPEN[m.still_open[n]]
    )
