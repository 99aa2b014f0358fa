"""The solver's columns as arrays over the axes of the plan's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import DECIDED
from gwplan.models.data import PlanData
from gwplan.solver.program import FloatArray, IntArray, LinearProgram
from gwplan.tree.arrays import way_out_name


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
    cancelled : (W, N) float array
        Share for which notice has been given by each way out, at the nodes of its window.
    signed : (O, N) float array
        Share of each offer that is signed, at the nodes of its window.
    unserved : (K, N) float array
        GW due of a contract sold that are not there.
    """

    data: PlanData
    allocate: FloatArray
    idle: FloatArray
    sign: FloatArray
    release: FloatArray
    breach: FloatArray
    cancelled: FloatArray
    signed: FloatArray
    unserved: FloatArray

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
        return of_contracts(self.data, carried(self.cancelled, self.data.ref))

    @cached_property
    def signed_gw(self) -> FloatArray:
        """GW of each contract in service if nothing were cancelled, of an offer as far as signed, shape (K, N)."""
        gw = self.data.delivered.copy()
        gw[self.data.offer_of] = self.data.in_service.of(self.signed)
        return gw

    @cached_property
    def in_service(self) -> FloatArray:
        """GW of each contract in service, shape (K, N)."""
        return self.signed_gw - self.data.delivered * self.ended

    @cached_property
    def bill(self) -> FloatArray:
        """$bn per year due for each contract, to us for one sold, shape (K, N)."""
        return self._paid(self.data.bill, 1)

    @cached_property
    def prepaid(self) -> FloatArray:
        """$bn prepaid on each node for each contract, to us for one sold, shape (K, N)."""
        return self._paid(self.data.prepaid, 2)

    @cached_property
    def upfront(self) -> FloatArray:
        """$bn paid for what arrives on each node of each contract, to us for one sold, shape (K, N)."""
        return self._paid(self.data.upfront, 3)

    @cached_property
    def late(self) -> FloatArray:
        """$bn per year received for what is due and late of each contract, shape (K, N)."""
        return self._paid(self.data.late, 4)

    def _paid(self, whole: FloatArray, value: int) -> FloatArray:
        """Return what is left of an amount for whole contracts, given its place among those by signature."""
        paid = whole.copy()
        paid[self.data.offer_of] = self.data.in_service.of(self.signed, value)
        return paid - whole * self.ended

    @cached_property
    def terminal(self) -> FloatArray:
        """What each contract adds beyond the horizon, at the leaves, $bn discounted, shape (K, N)."""
        return self.beyond(self.data.terminal, self.data.terminal_unit)

    def beyond(self, whole: FloatArray, by_signature: FloatArray) -> FloatArray:
        """Return what is left of figures of whole contracts at the leaves, shape (K, N).

        Parameters
        ----------
        whole : (K, N) float array
            Of whole contracts.
        by_signature : (O, T, N) float array
            Of whole offers by period of signature.
        """
        left = whole * of_contracts(self.data, carried(self.cancelled, self.data.last_window))
        there = whole.copy()
        there[self.data.offer_of] = self.data.steps(by_signature).of(self.signed)
        return there - left

    @cached_property
    def cancelled_gw(self) -> FloatArray:
        """GW bought of each pool whose cancellation has taken effect, shape (Q, N)."""
        return self.data.in_pools(~self.data.sold[:, None] * (self.signed_gw - self.in_service))

    @cached_property
    def newly_cancelled(self) -> FloatArray:
        """Share for which notice is given on each window node, shape (W, N)."""
        before = carried(self.cancelled, self.data.previous_window)
        return np.where(self.data.window, self.cancelled - before, 0.0)

    @cached_property
    def newly_signed(self) -> FloatArray:
        """Share that is signed on each node on which an offer may be, shape (O, N)."""
        before = carried(self.signed, self.data.previous_offer)
        return np.where(self.data.offered, self.signed - before, 0.0)


def of_contracts(data: PlanData, by_way_out: FloatArray) -> FloatArray:
    """Return figures of ways out, shape (W, N), added up by contract in their own unit, shape (K, N)."""
    summed = np.zeros((len(data.contracts), data.tree.size))
    np.add.at(summed, data.way_out_of, by_way_out)
    return summed


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
    axes = {"P": data.pathways, "Q": data.pools, "K": data.contracts, "W": data.ways_out, "O": data.offers}
    places = {letter: _places(names, label, len(program.labels)) for letter, names in axes.items()}
    sizes = {**{letter: len(names) for letter, names in axes.items()}, "I": data.width.shape[1], "N": data.tree.size}

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
        cancelled=array("cancelled", "WN"),
        signed=array("signed", "ON"),
        unserved=array("unserved", "KN"),
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

    given, signed = tables["cancellations"], tables["commitments"]
    ways = [way_out_name(*way) for way in zip(given["contract"], given["window"].fillna(""), strict=True)]
    tables = {**tables, "cancellations": given.assign(way_out=ways)}
    tables["offers"] = signed[signed["contract"].isin(data.offers)]
    return Decided(
        data=data,
        allocate=filled("allocation", "gw", pathway=data.pathways, pool=data.pools),
        idle=filled("supply", "idle_gw", pool=data.pools),
        sign=filled("deals", "signed_gw", pathway=data.pathways),
        release=filled("deals", "notice_given_gw", pathway=data.pathways),
        breach=filled("deals", "breached_gw", pathway=data.pathways),
        cancelled=filled("cancellations", "share", way_out=data.ways_out),
        signed=np.where(data.offered, filled("offers", "share", contract=data.offers), 0.0),
        unserved=filled("commitments", "unserved_gw", contract=data.contracts),
    )


def _places(names: tuple[str, ...], label: dict[str, int], size: int) -> IntArray:
    """Return the place along an axis of each label's code, -1 for the labels of other axes."""
    places = np.full(size, -1, dtype=np.int64)
    for place, name in enumerate(names):
        if name in label:
            places[label[name]] = place
    return places
