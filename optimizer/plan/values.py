"""The solver's columns as arrays over the axes of the plan's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from models.data import PlanData
from optimizer.catalogue.tolerances import DECIDED
from optimizer.solver.program import FloatArray, IntArray, LinearProgram


@dataclass(frozen=True)
class Decided:
    """The decisions that the tables of a plan tell; 0 where a variable does not exist.

    Attributes
    ----------
    data : PlanData
        What was decided on.
    allocate : (P, Q, N) float array
        GW.
    idle : (Q, N) float array
        GW.
    sign, release, breach : (P, N) float array
        GW.
    cancelled : (K, N) float array
        Share for which notice has been given by each node of the window.
    """

    data: PlanData
    allocate: FloatArray
    idle: FloatArray
    sign: FloatArray
    release: FloatArray
    breach: FloatArray
    cancelled: FloatArray

    @cached_property
    def use(self) -> FloatArray:
        """GW used by each pathway, shape (P, N)."""
        used: FloatArray = self.allocate.sum(axis=1)
        return used

    @cached_property
    def use_before(self) -> FloatArray:
        """GW used by each pathway in the period before, initial at a root, shape (P, N)."""
        tree = self.data.tree
        initial = self.data.initial.sum(axis=1)[:, tree.root]
        return np.where(tree.parent < 0, initial, self.use[:, tree.parent])

    @cached_property
    def moved(self) -> FloatArray:
        """GW by which each pair has more or less than an earlier plan gave it, 0 where none did, shape (P, Q, N)."""
        kept = np.where(self.data.eligible[:, :, self.data.tree.root], self.data.kept, np.nan)
        moved = np.abs(np.where(np.isnan(kept), 0.0, self.allocate - kept))
        return np.where(moved < DECIDED, 0.0, moved)

    @cached_property
    def ended(self) -> FloatArray:
        """Share of each contract that is out of service on each node: cancelled at ``ref(k, n)``, shape (K, N)."""
        return carried(self.cancelled, self.data.ref)

    @cached_property
    def cancelled_gw(self) -> FloatArray:
        """GW of each pool whose cancellation has taken effect, shape (Q, N)."""
        gw = np.zeros_like(self.data.supply)
        np.add.at(gw, self.data.pool_of, self.data.delivered * self.ended)
        return gw

    @cached_property
    def newly_cancelled(self) -> FloatArray:
        """Share for which notice is given on each window node, shape (K, N)."""
        before = carried(self.cancelled, self.data.previous_window)
        return np.where(self.data.window, self.cancelled - before, 0.0)


@dataclass(frozen=True)
class Values(Decided):
    """Every decision of a plan; 0 where a variable does not exist.

    Attributes
    ----------
    onboard : (P, Q, N) float array
        GW.
    serve : (P, I, N) float array
        Effective GW by tier.
    shortfall : (P, N) float array
        Effective GW.
    """

    onboard: FloatArray
    serve: FloatArray
    shortfall: FloatArray


def carried(by_node: FloatArray, source: IntArray) -> FloatArray:
    """Return each row's value, in its own unit, at a source node, 0 where the source is -1; both of shape (rows, N)."""
    return np.where(source >= 0, np.take_along_axis(by_node, np.maximum(source, 0), axis=1), 0.0)


def values(program: LinearProgram, data: PlanData, columns: FloatArray) -> Values:
    """Return a solution's columns as arrays."""
    clean = np.where(np.abs(columns) < DECIDED, 0.0, columns)
    label = {name: code for code, name in enumerate(program.labels)}
    places = {
        letter: _places(names, label, len(program.labels))
        for letter, names in (("P", data.pathways), ("Q", data.pools), ("K", data.contracts))
    }
    sizes = {
        "P": len(data.pathways),
        "Q": len(data.pools),
        "K": len(data.contracts),
        "I": data.width.shape[1],
        "N": data.tree.size,
    }

    def array(name: str, axes: str) -> FloatArray:
        out = np.zeros([sizes[axis] for axis in axes])
        codes = program.column_keys[name]
        if len(codes):
            at = tuple(places[a][codes[:, i]] if a in places else codes[:, i] for i, a in enumerate(axes))
            out[at] = clean[program.columns[name]]
        return out

    return Values(
        allocate=array("allocate", "PQN"),
        onboard=array("onboard", "PQN"),
        serve=array("serve", "PIN"),
        idle=array("idle", "QN"),
        shortfall=array("shortfall", "PN"),
        sign=array("sign", "PN"),
        release=array("release", "PN"),
        breach=array("breach", "PN"),
        cancelled=array("cancelled", "KN"),
        data=data,
    )


def as_told(tables: Mapping[str, pd.DataFrame], data: PlanData) -> Decided:
    """Return the decisions that the tables of a plan tell."""

    def filled(table: str, column: str, **axes: tuple[str, ...]) -> FloatArray:
        rows = tables[table]
        array = np.zeros([*map(len, axes.values()), data.tree.size])
        at = [rows[name].map({key: i for i, key in enumerate(keys)}).to_numpy(np.int64) for name, keys in axes.items()]
        array[(*at, rows["node"].to_numpy())] = rows[column].to_numpy()
        return array

    return Decided(
        data=data,
        allocate=filled("allocation", "gw", pathway=data.pathways, pool=data.pools),
        idle=filled("supply", "idle_gw", pool=data.pools),
        sign=filled("deals", "signed_gw", pathway=data.pathways),
        release=filled("deals", "notice_given_gw", pathway=data.pathways),
        breach=filled("deals", "breached_gw", pathway=data.pathways),
        cancelled=filled("cancellations", "share", contract=data.contracts),
    )


def _places(names: tuple[str, ...], label: dict[str, int], size: int) -> IntArray:
    """Return the place along an axis of each label's code, -1 for the labels of other axes."""
    places = np.full(size, -1, dtype=np.int64)
    for place, name in enumerate(names):
        if name in label:
            places[label[name]] = place
    return places
