"""Worth by future, and what is said of it: expected, of the worst share, by quantile."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.data import PlanData
from optimizer.plan import tables
from optimizer.plan.values import Values
from optimizer.solver.program import FloatArray

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are told of what varies."""

ROUNDING: Final = 1e-9
"""Difference of two optima, relative to 1 + their size, that says nothing."""


def node_worth(data: PlanData, plan: Values) -> FloatArray:
    """Return what each node adds to worth: discounted $bn, penalties and the terminal line included, shape (N,)."""
    amounts = sum((flow.sum(axis=0) for _, flow in tables.flows(data, plan).values()), np.zeros(data.tree.size))
    worth: FloatArray = amounts * data.node_discount + plan.terminal.sum(axis=0)
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
