"""Worth by future, and what is said of it: expected, of the worst share, by quantile."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.data import PlanData
from optimizer.plan import tables
from optimizer.plan.values import Values
from optimizer.solver.program import FloatArray, IntArray, LinearProgram
from optimizer.tree.timeline import Timeline

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are told of what varies."""

ROUNDING: Final = 1e-9
"""Difference of two optima, relative to 1 + their size, that says nothing."""


def node_worth(data: PlanData, plan: Values) -> FloatArray:
    """Return what each node adds to worth: discounted $bn, penalties and the terminal line included, shape (N,)."""
    amounts = sum((flow.sum(axis=0) for _, flow in tables.flows(data, plan).values()), np.zeros(data.tree.size))
    worth: FloatArray = amounts * data.node_discount + tables.terminal(data, plan).sum(axis=0)
    return worth


def leaf_worth(data: PlanData, plan: Values) -> FloatArray:
    """Return the worth of the plan on the path to each leaf, $bn, in the order of `Tree.leaves`."""
    paths = data.tree.path[data.tree.leaves]
    worth: FloatArray = node_worth(data, plan)[paths].sum(axis=1)
    return worth


def cvar(worth: FloatArray, probability: FloatArray, tail: float) -> float:
    """Return the mean of the worst `tail` share of outcomes, $bn."""
    order = np.argsort(worth)
    through = np.minimum(np.cumsum(probability[order]), tail)
    counted = np.diff(through, prepend=0.0)
    return float(counted @ worth[order] / counted.sum())


def quantile(worth: FloatArray, probability: FloatArray, share: float) -> float:
    """Return the least worth that is not exceeded with at least this probability, $bn."""
    order = np.argsort(worth)
    through = np.cumsum(probability[order])
    place = int(np.searchsorted(through, share - 1e-12))
    return float(worth[order][min(place, len(order) - 1)])


def weighed(worth: FloatArray, probability: FloatArray, aversion: float, tail: float) -> float:
    """Return what a plan maximises: ``(1 - aversion) * expected + aversion * CVaR``, $bn."""
    expected = float(worth @ probability)
    return (1 - aversion) * expected + aversion * cvar(worth, probability, tail)


def gained(more: float, less: float) -> float:
    """Return the difference of two optima, $bn; one that is arithmetic's own is 0."""
    difference = more - less
    return difference if abs(difference) > ROUNDING * (1 + abs(more)) else 0.0


def year_weights(laid_out: Timeline) -> tuple[IntArray, FloatArray]:
    """Return the years, and each node's weight in a year's expected mean, shape (years, N)."""
    tree = laid_out.data.tree
    of_period = laid_out.calendar.starts().astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.unique(of_period)
    inside = of_period[tree.period] == years[:, None]
    periods = (of_period == years[:, None]).sum(axis=1)
    return years, inside * tree.probability / periods[:, None]


def mean_use(decided: Values, weights: FloatArray) -> FloatArray:
    """Return the expected mean GW by pathway and year, shape (P, years)."""
    # not as a product of matrices, whose threads decide the last digits
    used: FloatArray = np.einsum("pn,yn->py", decided.use, weights)
    return used


def use_cost(laid_out: Timeline, program: LinearProgram, p: int, weight: FloatArray) -> FloatArray:
    """Return the cost that makes a program's objective a pathway's expected mean GW."""
    cost = np.zeros(program.shape[1])
    keys, columns = program.column_keys["allocate"], program.columns["allocate"]
    mine = keys[:, 0] == program.labels.index(laid_out.data.pathways[p])
    cost[columns] = np.where(mine, weight[keys[:, -1]], 0.0)
    return cost
