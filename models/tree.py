"""The scenario tree: who knows what, when, and how likely it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """The scenario tree of a plan.

    Nodes are numbered by period, then by scenario, so that every ancestor has a smaller number. A factor revealed on or
    before the start makes it a forest: several nodes in period 0.
    """

    parent: IntArray  # (N,) parent node, -1 at a root
    period: IntArray  # (N,) period of the node
    probability: FloatArray  # (N,) probability that the plan passes through the node
    known: IntArray  # (N, F) outcome of each factor known at the node, -1 where it is not yet revealed
    node_of: IntArray  # (S, T) node of each scenario and period
    scenario_probability: FloatArray  # (S,) probability of each scenario
    scenario_outcome: IntArray  # (S, F) outcome of each factor in each scenario

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.parent)

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.node_of.shape[1])

    @cached_property
    def roots(self) -> IntArray:
        """Nodes of period 0."""
        return np.flatnonzero(self.parent < 0)

    @cached_property
    def leaves(self) -> IntArray:
        """Nodes of the last period."""
        return np.flatnonzero(self.period == self.periods - 1)

    @cached_property
    def root(self) -> IntArray:
        """Position in `roots` of the root above each node, shape (N,)."""
        root = np.empty(self.size, dtype=np.int64)
        root[self.node_of] = self.node_of[:, :1]
        return root

    @cached_property
    def example(self) -> IntArray:
        """The first scenario through each node, shape (N,); a node's data are those of any scenario through it."""
        scenario = np.empty(self.size, dtype=np.int64)
        for s in range(len(self.node_of) - 1, -1, -1):
            scenario[self.node_of[s]] = s
        return scenario

    @cached_property
    def path(self) -> IntArray:
        """Node of each period on the path to each node, shape (N, T); -1 after the node's own period."""
        nodes = self.node_of[self.example]
        return np.where(np.arange(self.periods) <= self.period[:, None], nodes, -1)

    def ancestor(self, lag: IntArray) -> IntArray:
        """Return the ancestor that lies `lag` periods above each node, -1 where there is none."""
        period = self.period - lag
        return np.where(period >= 0, self.path[np.arange(self.size), np.maximum(period, 0)], -1)

    def has_descendant(self, lag: IntArray) -> NDArray[np.bool_]:
        """Return whether a period `lag` periods after each node exists, shape (N,)."""
        return self.period + lag < self.periods


def build_tree(
    periods: int,
    revealed: Sequence[int],
    probabilities: Sequence[Sequence[float] | Sequence[Sequence[float]]],
) -> Tree:
    """Make the tree of all combinations of outcomes.

    Parameters
    ----------
    periods : int
        Number of periods T.
    revealed : sequence of int
        Period in which each factor is revealed; 0 splits the tree at the start, T or more never splits it.
    probabilities : sequence of sequence of float
        Probability of each outcome of each factor; where it depends on the factors before it, one row for each
        combination of their outcomes, the first factor varying slowest.
    """
    counts = [np.shape(p)[-1] for p in probabilities]
    scenarios = int(np.prod(counts, dtype=np.int64)) if counts else 1
    step = np.cumprod([1, *counts[:0:-1]], dtype=np.int64)[::-1] if counts else np.zeros(0, dtype=np.int64)
    outcome = np.arange(scenarios)[:, None] // step % np.array(counts, dtype=np.int64)
    probability = np.ones(1)
    for p in probabilities:
        probability = (probability[:, None] * np.asarray(p, dtype=float)).ravel()

    node_of = np.empty((scenarios, periods), dtype=np.int64)
    parents, node_period, knowledge = [], [], []
    first, previous = 0, np.full(scenarios, -1)
    for t in range(periods):
        known = np.where(np.asarray(revealed, dtype=np.int64) <= t, outcome, -1)
        _, example, group = np.unique(known, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(example)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        node_of[:, t] = first + rank[group.reshape(-1)]
        parents.append(previous[example[order]])
        knowledge.append(known[example[order]])
        node_period.append(np.full(len(order), t))
        first, previous = first + len(order), node_of[:, t]
    total = np.zeros(first)
    np.add.at(total, node_of.ravel(), np.repeat(probability, periods))
    return Tree(
        parent=np.concatenate(parents),
        period=np.concatenate(node_period),
        probability=total,
        known=np.concatenate(knowledge),
        node_of=node_of,
        scenario_probability=probability,
        scenario_outcome=outcome,
    )
