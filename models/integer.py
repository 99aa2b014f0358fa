"""Integer options, only where the data ask for them: contracts cancelled whole, pairs used at 0 or at a least block."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeIntegers, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.terms import Terms


def integer_terms(terms: Terms) -> None:
    """Enter which decisions are whole numbers.

    A contract marked indivisible is cancelled whole or not at all: its share is a whole number. A pair with a least
    block has a variable of its own.
    """
    data = terms.data
    blocks = ((data.min_block > 0) & data.eligible)[:, :, data.tree.root]
    terms.index_set("BLOCKS", "PQN", blocks)
    terms.parameter("min_block", "PQR", data.min_block)
    terms.parameter("most_supply", "QN", data.most_supply)
    terms.whole["cancelled"] = data.indivisible[data.window]
    terms.whole["in_use"] = np.ones(int(blocks.sum()), dtype=bool)
    terms.upper["in_use"] = np.ones(int(blocks.sum()))


def add_integer(m: ConcreteModel) -> None:
    """Add `in_use`, whether a pair with a least block is used (0 or 1)."""
    m.in_use = Var(m.BLOCKS, within=NonNegativeIntegers)


def block_least(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""A pair that is in use has at least its block (GW).

    .. math:: \mathrm{allocate}_{pqn} \ge \mathrm{min\ block}_{pq} \, \mathrm{in\ use}_{pqn}
    """
    return m.allocate[p, q, n] >= m.min_block[p, q, m.root[n]] * m.in_use[p, q, n]


def block_most(m: ConcreteModel, p: str, q: str, n: int) -> ExpressionBase:
    r"""A pair that is not in use has nothing; one that is has no more than the pool anyway (GW).

    .. math:: \mathrm{allocate}_{pqn} \le \mathrm{most\ supply}_{qn} \, \mathrm{in\ use}_{pqn}
    """
    return m.allocate[p, q, n] <= m.most_supply[q, n] * m.in_use[p, q, n]
