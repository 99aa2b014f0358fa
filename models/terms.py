"""Index sets and parameters as arrays: what the model is declared from, and what two models are compared by.

Every rule of the model is written without ``if`` on an index: what exists only on some nodes is summed over
``FIRST[count]``, the first `count` whole numbers, with `count` a parameter that is 0 where the thing is missing. So
each rule is one template that holds for all its indices, and models that differ in numbers alone have the same indices.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.core import Any as AnyIndex
from pyomo.core import ConcreteModel, Param, Set

from gwplan.models.data import BoolArray, PlanData
from gwplan.models.tree import FloatArray, IntArray

Key = tuple[str | int, ...]
Array = NDArray[Any]


@dataclass(frozen=True)
class Terms:
    """What the model of a plan is declared from.

    Axes are one letter each: P pathways, Q pools, K contracts, W ways out, O offers, L pools and the pathway's sum
    (blank); any other letter stands for whole numbers (nodes, roots, tiers, lags).

    Attributes
    ----------
    data : PlanData
        The data on the tree.
    sets : dict of str to (str, bool array)
        Axes of each index set, and which of their products are its members.
    indexed_sets : dict of str to dict
        Members of each set that depends on an index, by index.
    parameters : dict of str to (str, array)
        Axes and values of each parameter. Whole numbers lead from index to index; all else are quantities.
    upper : dict of str to float array
        Upper bounds of a variable in its own unit, in the order of its index set; inf where there is none.
    whole : dict of str to bool array
        Which elements of a variable are whole numbers, in the order of its index set.
    """

    data: PlanData
    sets: dict[str, tuple[str, BoolArray]] = field(default_factory=dict)
    indexed_sets: dict[str, Mapping[Any, Sequence[Any]]] = field(default_factory=dict)
    parameters: dict[str, tuple[str, Array]] = field(default_factory=dict)
    upper: dict[str, FloatArray] = field(default_factory=dict)
    whole: dict[str, BoolArray] = field(default_factory=dict)

    def index_set(self, name: str, axes: str, mask: BoolArray | np.bool_) -> None:
        """Enter an index set: the true elements of a mask."""
        self.sets[name] = (axes, np.asarray(mask))

    def parameter(self, name: str, axes: str, values: Array) -> None:
        """Enter a parameter: one value for each index."""
        self.parameters[name] = (axes, values)

    def family(self, name: str, parameter: str, axes: str, mask: BoolArray, of: Sequence[str] = ()) -> None:
        """Enter sets of contracts, or of other names, that depend on an index.

        A set for every node would be a thousand Pyomo sets, nearly all alike; a parameter that leads from the node to
        one of a few sets says the same.
        """
        rows = mask.reshape(int(np.prod(mask.shape[:-1])), mask.shape[-1])  # -1 would not do where there is none
        packed = np.packbits(rows, axis=1) if rows.shape[1] else np.zeros((len(rows), 1), dtype=np.uint8)
        _, example, number = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        names = tuple(of) or self.data.contracts
        self.indexed_sets[name] = {
            i: [names[k] for k in np.flatnonzero(rows[row])] for i, row in enumerate(example.tolist())
        }
        self.parameter(parameter, axes, number.reshape(mask.shape[:-1]))

    def family_of_contracts(
        self, name: str, parameter: str, of: IntArray, mask: BoolArray, names: Sequence[str]
    ) -> None:
        """Enter sets that depend on a contract and a node, of things that each belong to a contract.

        Parameters
        ----------
        name, parameter : str
            As in `family`; the axes of the parameter are K and N.
        of : (X,) int array
            Contract of each thing.
        mask : (X, N) bool array
            Nodes on which it belongs to the set.
        names : sequence of str
            Names of the things.
        """
        number = np.zeros((len(self.data.contracts), self.data.tree.size), dtype=np.int64)
        sets: dict[int, list[str]] = {0: []}
        for contract in np.unique(of):
            own = np.flatnonzero(of == contract)
            patterns, place = np.unique(mask[own], axis=1, return_inverse=True)
            number[contract] = len(sets) + place.reshape(-1)
            sets |= {len(sets) + i: [names[x] for x in own[there]] for i, there in enumerate(patterns.T)}
        self.indexed_sets[name] = sets
        self.parameter(parameter, "KN", number)

    @property
    def outline(self) -> Hashable:
        """What a sketch of the model depends on, its names apart: which sets there are, and which have no member."""
        members = {name: any(map(len, _sketched(by_index).values())) for name, by_index in self.indexed_sets.items()}
        masks = {name: bool(mask.any()) for name, (_, mask) in self.sets.items()}
        return self.data.dt, tuple(masks.items()), tuple(members.items())

    def difference(self, other: Terms) -> str:
        """Return the name of what two models do not share besides numbers: an axis, a set, an index; blank: nothing."""
        for name in ("pathways", "pools", "contracts", "ways_out", "offers", "dt"):
            if getattr(self.data, name) != getattr(other.data, name):
                return name
        if (self.data.aversion > 0) != (other.data.aversion > 0):
            return "aversion"
        return next(self._differing(other), "")

    def _differing(self, other: Terms) -> Iterator[str]:
        for name in self.sets.keys() ^ other.sets.keys():
            yield name
        for name, (_, mask) in self.sets.items():
            if not np.array_equal(mask, other.sets[name][1]):
                yield name
        for name, members in self.indexed_sets.items():
            if members != other.indexed_sets[name]:
                yield name
        for name, whole in self.whole.items():
            if not np.array_equal(whole, other.whole[name]):
                yield name
        for name, (_, values) in self.parameters.items():
            theirs = other.parameters[name][1]
            same = np.array_equal(values, theirs) if values.dtype.kind == "i" else values.shape == theirs.shape
            if not same:
                yield name


def keys(data: PlanData, axes: str, mask: BoolArray) -> list[Key]:
    """Return the index of every true element of a mask, in names."""
    columns = []
    for letter, positions in zip(axes, np.nonzero(mask), strict=True):
        labels = axis_labels(data, letter)
        columns.append(positions.tolist() if labels is None else [labels[i] for i in positions.tolist()])
    return list(zip(*columns, strict=True))


def axis_labels(data: PlanData, letter: str) -> Sequence[str] | None:
    """Return the names along an axis, None where it is numbered."""
    named: dict[str, Sequence[str]] = {
        "P": data.pathways,
        "Q": data.pools,
        "K": data.contracts,
        "W": data.ways_out,
        "O": data.offers,
        "L": (*data.pools, ""),
    }
    return named.get(letter)


def declare(m: ConcreteModel, terms: Terms, *, sketch: bool = False) -> None:
    """Add every set and parameter to a Pyomo model.

    A parameter leaves zeros to its default, takes any index and is filled at once: to look up each index in the product
    of its axes, and to check each of the values, which are numbers already, would cost more than all the rest.
    """
    data = terms.data
    m.dt = data.dt
    m.PATHWAYS, m.POOLS = Set(initialize=data.pathways), Set(initialize=data.pools)
    m.NODES = Set(initialize=range(1 if sketch else data.tree.size))
    m.OFFERS = Set(initialize=data.offers or [""])  # a template needs a member: one without a signature adds nothing
    for name, (axes, mask) in terms.sets.items():
        members = keys(data, axes, _first(mask) if sketch else mask)
        m.add_component(name, Set(initialize=_unpacked(members, axes), dimen=len(axes)))
    for name, by_index in terms.indexed_sets.items():
        here = _sketched(by_index) if sketch else dict(by_index)
        m.add_component(name, Set(list(here), initialize=here))
    for name, (axes, values) in terms.parameters.items():
        m.add_component(name, Param(AnyIndex, default=0, within=AnyIndex))
        if not sketch:
            mask = values != 0
            entries = zip(_unpacked(keys(data, axes, mask), axes), values[mask].tolist(), strict=True)
            m.component(name)._data.update(entries)


def _sketched(by_index: Mapping[Any, Sequence[Any]]) -> dict[Any, Sequence[Any]]:
    """Return the sets of an indexed set that a sketch has, with one member each."""
    return {key: members[:1] for key, members in by_index.items() if _at_zero(key)}


def _at_zero(key: Any) -> bool:
    """Whether the whole numbers of an index are 0, as every parameter of a sketch is."""
    return all(part == 0 for part in (key if isinstance(key, tuple) else (key,)) if not isinstance(part, str))


def _first(mask: BoolArray) -> BoolArray:
    first = np.zeros_like(mask)
    if mask.any():
        first.flat[np.argmax(mask)] = True
    return first


def _unpacked(members: list[Key], axes: str) -> Sequence[Any]:
    return [key[0] for key in members] if len(axes) == 1 else members


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
