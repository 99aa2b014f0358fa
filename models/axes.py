"""Index sets and the parameters that lead from node to node.

Every rule of the model is written without ``if`` on an index: what exists only on some nodes is summed over
``FIRST[count]``, the first `count` whole numbers, with `count` a parameter that is 0 where the thing is missing. So
each rule is one template that holds for all its indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.core import Any as AnyIndex
from pyomo.core import ConcreteModel, Param, Set

from models.data import PlanData

Key = tuple[str | int, ...]


def keys(data: PlanData, axes: str, mask: NDArray[np.bool_]) -> list[Key]:
    """Return the index of every true element of a mask, in names.

    Parameters
    ----------
    data : PlanData
        Gives the names.
    axes : str
        One letter for each axis of the mask: P pathways, Q pools, K contracts, L pools and the pathway's sum (blank);
        any other letter stands for whole numbers (nodes, roots, tiers, lags).
    mask : bool array
        What is indexed.
    """
    names: dict[str, Sequence[str]] = {
        "P": data.pathways,
        "Q": data.pools,
        "K": data.contracts,
        "L": (*data.pools, ""),
    }
    columns = []
    for letter, positions in zip(axes, np.nonzero(mask), strict=True):
        labels = names.get(letter)
        columns.append(positions.tolist() if labels is None else [labels[i] for i in positions.tolist()])
    return list(zip(*columns, strict=True))


def index_set(data: PlanData, axes: str, mask: NDArray[np.bool_]) -> Set:
    """Return a Pyomo set of the true elements of a mask; see `keys`."""
    members = keys(data, axes, mask)
    return Set(initialize=[key[0] for key in members] if len(axes) == 1 else members, dimen=len(axes))


def add_parameter(m: ConcreteModel, name: str, data: PlanData, axes: str, values: NDArray[Any]) -> None:
    """Add a Pyomo parameter that holds an array; zeros are left to the default.

    It takes any index and is filled at once: to look up each index in the product of its axes, and to check each of the
    values, which are numbers already, would cost more than all the rest of the model.

    Parameters
    ----------
    m : ConcreteModel
        Gets the parameter.
    name : str
        Its name.
    data : PlanData
        Gives the names.
    axes : str
        One letter for each axis, as in `keys`.
    values : array
        One value for each index.
    """
    mask = values != 0
    indices = keys(data, axes, mask)
    m.add_component(name, Param(AnyIndex, default=0, within=AnyIndex))
    entries = zip([key[0] for key in indices] if len(axes) == 1 else indices, values[mask].tolist(), strict=True)
    m.component(name)._data.update(entries)


def family(data: PlanData, mask: NDArray[np.bool_]) -> tuple[dict[int, list[str]], NDArray[np.int64]]:
    """Return the distinct sets of contracts in a mask, by number, and the number of each of its rows.

    A set that depends on the node would be a thousand Pyomo sets, nearly all alike; a parameter that leads from the
    node to one of a few sets says the same.

    Parameters
    ----------
    data : PlanData
        Gives the names.
    mask : (..., K) bool array
        Contracts that belong to each row.
    """
    rows = mask.reshape(-1, mask.shape[-1])
    packed = np.packbits(rows, axis=1) if rows.shape[1] else np.zeros((len(rows), 1), dtype=np.uint8)
    _, example, number = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    sets = {i: [data.contracts[k] for k in np.flatnonzero(rows[row])] for i, row in enumerate(example.tolist())}
    return sets, number.reshape(mask.shape[:-1])


def add_axes(m: ConcreteModel, data: PlanData) -> None:
    """Add the axes, the path from each node to its parent, and the pairs of pathway and pool."""
    tree = data.tree
    lags = int(data.term.max(initial=0))
    tiers = int(data.tiers.max(initial=0))
    m.PATHWAYS = Set(initialize=data.pathways)
    m.POOLS = Set(initialize=data.pools)
    m.LOCKABLE = Set(initialize=(*data.pools, ""))
    m.NODES = Set(initialize=range(tree.size))
    m.ROOTS = Set(initialize=range(len(tree.roots)))
    m.COUNTS = Set(initialize=range(max(lags, tiers, 1) + 1))
    m.FIRST = Set(m.COUNTS, initialize={count: range(count) for count in m.COUNTS})

    add_parameter(m, "root", data, "N", tree.root)
    add_parameter(m, "parents", data, "N", (tree.parent >= 0).astype(np.int64))
    add_parameter(m, "parent", data, "N", np.maximum(tree.parent, 0))
    m.dt = data.dt
    add_parameter(m, "discount", data, "N", data.node_discount)

    m.PAIRS = index_set(data, "PQN", data.eligible[:, :, tree.root])
    roots = range(len(tree.roots))
    m.POOLS_OF = Set(
        m.PATHWAYS,
        m.ROOTS,
        initialize={
            (p, r): [q for j, q in enumerate(data.pools) if data.eligible[i, j, r]]
            for i, p in enumerate(data.pathways)
            for r in roots
        },
    )
    m.PATHWAYS_OF = Set(
        m.POOLS,
        m.ROOTS,
        initialize={
            (q, r): [p for i, p in enumerate(data.pathways) if data.eligible[i, j, r]]
            for j, q in enumerate(data.pools)
            for r in roots
        },
    )
