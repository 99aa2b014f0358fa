"""The axes of the model, the path from each node to its parent, and the pairs of pathway and pool."""

from __future__ import annotations

import numpy as np

from models.terms import Terms


def axes_terms(terms: Terms) -> None:
    """Enter what every family of constraints is indexed by."""
    data, tree = terms.data, terms.data.tree
    lags, tiers = int(data.term.max(initial=0)), int(data.tiers.max(initial=0))
    signatures = int(data.in_service.count.max(initial=0)), int(data.in_the_end.count.max(initial=0))
    counts = range(max(lags, tiers, 1, *signatures) + 1)
    terms.indexed_sets["FIRST"] = {count: range(count) for count in counts}
    terms.parameter("root", "N", tree.root)
    terms.parameter("parents", "N", (tree.parent >= 0).astype(np.int64))
    terms.parameter("parent", "N", np.maximum(tree.parent, 0))
    terms.parameter("discount", "N", data.node_discount)

    terms.index_set("PAIRS", "PQN", data.eligible[:, :, tree.root])
    pathways, pools, roots = list(enumerate(data.pathways)), list(enumerate(data.pools)), range(len(tree.roots))
    terms.indexed_sets["POOLS_OF"] = {
        (p, r): [q for j, q in pools if data.eligible[i, j, r]] for i, p in pathways for r in roots
    }
    terms.indexed_sets["PATHWAYS_OF"] = {
        (q, r): [p for i, p in pathways if data.eligible[i, j, r]] for j, q in pools for r in roots
    }
