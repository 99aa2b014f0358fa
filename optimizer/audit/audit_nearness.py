"""What an earlier plan gave each pair on each node, and what leaving it costs, worked out anew."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.audit.facts import Facts
from optimizer.audit.rows import Decisions
from optimizer.audit.tree import Floats


def moved(facts: Facts, plan: Decisions, earlier: pd.DataFrame) -> Floats:
    """Return the GW that each pathway has more and less than an earlier plan allocated, pool by pool, shape (N, P)."""
    nodes, eligible = facts.nodes, facts.of_nodes(facts.pair["eligible"])
    pathway, pool = facts.pathways.places(earlier["pathway"]), facts.pools.places(earlier["pool"])
    day, (code, known) = earlier["start"].to_numpy().astype("datetime64[s]"), pd.factorize(earlier["known"])
    gw, weight = earlier["gw"].to_numpy(), earlier["probability"].to_numpy()
    named = (pathway >= 0) & (pool >= 0)
    apart = np.zeros((nodes.count, len(facts.pathways)))
    for n in range(nodes.count):
        told = _told(nodes.known[n])
        fitting = np.array([_fits(told, _told(other)) for other in known])
        mine = np.flatnonzero(named & (day == nodes.start[n]) & fitting[code])
        total, weights = np.zeros((2, len(facts.pathways), len(facts.pools)))
        np.add.at(total, (pathway[mine], pool[mine]), (gw * weight)[mine])
        np.add.at(weights, (pathway[mine], pool[mine]), weight[mine])
        given = (weights > 0) & eligible[n]
        mean = np.divide(total, weights, out=np.zeros_like(total), where=given)
        apart[n] = np.where(given, np.abs(plan.allocate[n] - mean), 0.0).sum(axis=1)
    return apart


def _told(known: object) -> frozenset[str]:
    return frozenset(filter(None, str(known).split(", ")))


def _fits(told: frozenset[str], other: frozenset[str]) -> bool:
    """Whether no factor has two outcomes in what two nodes are told."""
    both = told | other
    return len({outcome.split("=")[0] for outcome in both}) == len(both)
