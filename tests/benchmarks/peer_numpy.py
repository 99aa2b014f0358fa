"""The planning model by hand: blocks of coordinates from numpy arrays, put together by scipy, passed to highspy."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from scipy.sparse import coo_array

from gwplan.models import Terms
from tests.benchmarks.peers import constant_bn, node_rates


class _Matrix:
    """Collects columns, and blocks of rows with their entries."""

    def __init__(self) -> None:
        self.columns = self.rows = 0
        self.upper: list[Any] = []
        self.cost: list[Any] = []
        self.low: list[Any] = []
        self.high: list[Any] = []
        self.entries: list[tuple[Any, Any, Any]] = []

    def variables(self, mask: Any, upper: Any = np.inf) -> Any:
        """Return the column of each element of a mask, -1 where there is none."""
        at = np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1 + self.columns, -1)
        count = int(np.sum(mask))
        self.columns += count
        self.upper.append(np.broadcast_to(upper, mask.shape)[mask])
        self.cost.append(np.zeros(count))
        return at

    def constraint(self, mask: Any, low: Any, high: Any, *parts: tuple[Any, Any]) -> None:
        """Add a row for each element of a mask; a part is columns and coefficients, summed over leading axes."""
        row = np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1 + self.rows, -1)
        self.rows += int(np.sum(mask))
        for limits, values in ((self.low, low), (self.high, high)):
            limits.append(np.broadcast_to(values, mask.shape)[mask])
        for column, value in parts:
            rows, values = np.broadcast_to(row, column.shape), np.broadcast_to(value, column.shape)
            there = (column >= 0) & (rows >= 0) & (values != 0)
            self.entries.append((rows[there], column[there], values[there]))


def _at(columns: Any, node: Any) -> Any:
    return np.where(node >= 0, np.take_along_axis(columns, np.maximum(node, 0), axis=-1), -1)


def loaded_by_hand(entered: Terms) -> Any:
    """Return HiGHS with the program of a plan's terms, minimising the negative of worth in $bn."""
    data, tree, root = entered.data, entered.data.tree, entered.data.tree.root
    given = {name: values for name, (_, values) in entered.parameters.items()}
    member = {name: mask for name, (_, mask) in entered.sets.items()}
    m, everywhere, free = _Matrix(), np.ones(data.supply.shape, dtype=bool), np.inf
    allocate, idle = m.variables(member["PAIRS"]), m.variables(everywhere)
    serve, shortfall = m.variables(member["TIERS"], data.width), m.variables(member["TARGETS"])
    onboard, sign = m.variables(member["MIGRATIONS"]), m.variables(member["DEALS"])
    release, cancelled = m.variables(member["RELEASES"]), m.variables(member["WINDOW"], data.max_share)

    by_pool = np.swapaxes(allocate, 0, 1)  # (Q, P, N): a pathway's pools lead, for sums over them
    before, pool_before = (np.where(tree.parent >= 0, columns[..., tree.parent], -1) for columns in (allocate, by_pool))
    effectiveness = np.swapaxes(data.effectiveness, 0, 1)
    initial = np.where(tree.parent < 0, data.initial[:, :, root].sum(axis=1), 0.0)
    ended, earlier = _at(cancelled, data.ref), _at(cancelled, np.where(member["COMMITTED"], data.previous_window, -1))
    way_pool = data.pool_of[data.way_out_of]
    in_pool = [(ended[way_pool == q], given["delivered"][way_pool == q]) for q in range(len(data.pools))]
    for q, (columns, gw) in enumerate(in_pool):
        supply = data.supply[q]
        m.constraint(everywhere[q], supply, supply, (allocate[:, q], 1.0), (idle[q], 1.0), (columns, gw))
    m.constraint(member["SERVED"], -free, 0.0, (np.swapaxes(serve, 0, 1), 1.0), (by_pool, -effectiveness))
    m.constraint(member["TARGETS"], data.target, free, (by_pool, effectiveness), (shortfall, 1.0))
    m.constraint(member["CAPS"], -free, data.cap, (by_pool, 1.0))
    limit = data.ramp[:, root]
    m.constraint(member["RAMPS"], -free, limit + initial, (by_pool, 1.0), (pool_before, -1.0))
    m.constraint(member["SIGNING_RAMPS"], -free, limit, (sign, 1.0))
    m.constraint(member["MIGRATIONS"], -free, given["initial"], (allocate, 1.0), (before, -1.0), (onboard, -1.0))
    keep, notified = given["keep"], _at(release, data.notified)
    kept = (notified, given["kept_since_notice"])
    start = keep * initial
    m.constraint(member["DEALS"], start, start, (by_pool, 1.0), (pool_before, -keep), (sign, -1.0), kept)
    signed = np.moveaxis(sign[:, given["above"]], -1, 0)
    m.constraint(member["DEALS"], 0.0, free, (by_pool, 1.0), (signed, -np.moveaxis(given["kept_since"], -1, 0)))
    m.constraint(member["COMMITTED"], 0.0, free, (cancelled, 1.0), (earlier, -1.0))

    cost, rates = np.zeros(m.columns), node_rates(entered)
    years, weight = rates["years"], rates["weight"]
    gone = _at(cancelled, np.where(given["terminal_lost"] != 0, data.last_window, -1))
    for columns, worth in (
        (serve, years * given["value"]),
        (allocate, -years * data.operating_cost[:, :, root]),
        (ended, years * given["saved_cost"]),
        (idle, -years * data.idle_penalty[:, root]),
        (shortfall, -years * data.shortfall_penalty[:, root]),
        (onboard, -weight * data.migration_cost[:, None, root]),
        (sign, -weight * data.signing_cost[:, root]),
        (cancelled, -weight * given["fee"]),
        (earlier, weight * given["fee"]),
        (gone, -tree.probability * given["terminal_lost"]),
    ):
        there = columns >= 0
        cost -= np.bincount(columns[there], weights=np.broadcast_to(worth, columns.shape)[there], minlength=m.columns)
    return _passed(m, cost, -constant_bn(entered))


def _passed(m: _Matrix, cost: Any, offset: float) -> Any:
    row, column, value = (np.concatenate(part) for part in zip(*m.entries, strict=True))
    matrix = coo_array((value, (row, column)), shape=(m.rows, m.columns)).tocsc()
    upper, low, high = (np.concatenate(part) for part in (m.upper, m.low, m.high))
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.passModel(
        m.columns, m.rows, matrix.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), offset,
        cost, np.zeros(m.columns), upper, low, high, matrix.indptr[:-1].astype(np.int32),
        matrix.indices.astype(np.int32), matrix.data, np.zeros(m.columns, dtype=np.int32),
    )  # fmt: skip
    return highs
