"""Risk: the mean of the worst outcomes, after Rockafellar and Uryasev (2000)."""

from __future__ import annotations

import numpy as np
from pyomo.core import ConcreteModel, NonNegativeReals, Reals, Var
from pyomo.core.expr import ExpressionBase

from gwplan.models.terms import Terms
from gwplan.models.value import node_worth


def risk_terms(terms: Terms) -> None:
    """Enter the data of risk."""
    data, tree = terms.data, terms.data.tree
    leaf = np.zeros(tree.size, dtype=bool)
    leaf[tree.leaves] = True
    terms.index_set("LEAVES", "N", leaf)
    probability = np.where(leaf, tree.probability, 0.0)
    terms.parameter("mean_weight", "N", (1 - data.aversion) * probability)
    terms.parameter("averse_weight", "N", data.aversion * probability)
    terms.parameter("tail_weight", "N", data.aversion * probability / data.tail)


def add_risk(m: ConcreteModel) -> None:
    """Add `worth` so far at each node, `value_at_risk` and the `deficit` of each leaf below it ($bn)."""
    m.worth = Var(m.NODES, within=Reals)
    m.value_at_risk = Var(within=Reals)
    m.deficit = Var(m.LEAVES, within=NonNegativeReals)


def cumulative_worth(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""Worth of the path so far; written from node to node so that no row is as long as a path ($bn).

    .. math:: \mathrm{worth}_n = \mathrm{worth}_{\mathrm{parent}(n)} + \mathrm{node\ worth}(n)
    """
    return m.worth[n] == sum(m.worth[m.parent[n]] for _ in m.FIRST[m.parents[n]]) + node_worth(m, n)


def deficit(m: ConcreteModel, n: int) -> ExpressionBase:
    r"""What a leaf's worth lacks to the value at risk ($bn).

    .. math:: \mathrm{deficit}_n \ge \mathrm{value\ at\ risk} - \mathrm{worth}_n
    """
    return m.deficit[n] >= m.value_at_risk - m.worth[n]


def risk_averse_worth(m: ConcreteModel) -> ExpressionBase:
    r"""Return expected worth and CVaR, weighed by the aversion ($bn, discounted, constants included).

    .. math::
        & (1 - \mathrm{aversion}) \sum_n \mathrm{prob}(n) \, \mathrm{worth}_n \\
        & + \mathrm{aversion} \left( \mathrm{value\ at\ risk}
        - \frac{1}{\mathrm{tail}} \sum_n \mathrm{prob}(n) \, \mathrm{deficit}_n \right)
        \quad \text{over the leaves}

    Written leaf by leaf, so that another aversion or tail changes parameters alone.
    """
    return sum(
        m.mean_weight[n] * m.worth[n] + m.averse_weight[n] * m.value_at_risk - m.tail_weight[n] * m.deficit[n]
        for n in m.LEAVES
    )
