"""A plan's tables as arrays, and whether their rows are the ones that the tree and the instance ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.audit.audit_findings import Findings, Namer
from optimizer.audit.contracts import way_name
from optimizer.audit.facts import Axis, Facts
from optimizer.audit.tree import Flags, Floats, Ints

NODE: Final = ("node", "period", "start", "known", "probability")

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "allocation": (*NODE, "pathway", "pool", "gw"),
    "supply": (*NODE, "pool", "delivered_gw", "cancelled_gw", "sold_gw", "unserved_gw", "used_gw", "idle_gw"),
    "cashflow": (*NODE, "component", "name", "bn", "discounted_bn"),
    "cancellations": (*NODE, "contract", "window", "share", "gw", "effective", "fee_bn"),
    "commitments": (
        *NODE,
        "contract",
        "side",
        "share",
        "signed_gw",
        "extended_gw",
        "given_back_gw",
        "in_service_gw",
        "unserved_gw",
    ),
    "deals": (
        *NODE,
        "pathway",
        "in_force_gw",
        "signed_gw",
        "notice_given_gw",
        "returned_gw",
        "lost_gw",
        "breached_gw",
    ),
    "obligations": ("vendor", "contract", "side", "year", "as_signed_bn", "after_cancellation_bn", "gw"),
}
"""The tables that are audited and the columns that are read."""

_NAMES: Final = ("pathway", "pool", "contract", "window", "side")
"""Columns that name what a row is about."""


@dataclass(frozen=True)
class Decisions:
    """What a plan's tables say, as arrays by node; 0 where there is no row.

    Attributes
    ----------
    allocate : (N, P, Q) float array
        GW.
    supply : dict of (N, Q) float arrays
        The number columns of ``supply``.
    cancellations : dict of (N, W) arrays
        The number columns of ``cancellations``, and ``effective`` (NaT where there is no row).
    commitments : dict of (N, K) arrays
        The number columns of ``commitments``, and how many ``rows`` there are.
    deals : dict of (N, P) float arrays
        The number columns of ``deals``.
    """

    allocate: Floats
    supply: dict[str, Floats]
    cancellations: dict[str, NDArray[Any]]
    commitments: dict[str, NDArray[Any]]
    deals: dict[str, Floats]


def missing(tables: Mapping[str, pd.DataFrame], findings: Findings) -> bool:
    """Note the tables and columns that are not there; return whether there are any."""
    before = len(findings.all)
    for name, columns in COLUMNS.items():
        if name not in tables:
            findings.wrong(f"table {name}", "none", "a table")
            continue
        for column in columns:
            if column not in tables[name].columns:
                findings.wrong(f"table {name}, column {column}", "none", "a column")
    return len(findings.all) > before


def check_nodes(facts: Facts, tables: Mapping[str, pd.DataFrame], findings: Findings) -> None:
    """Compare what every table says of its nodes with the tree: period, start, outcomes known and probability."""
    tree = facts.nodes
    for name, frame in tables.items():
        if not {*NODE} <= {*frame.columns}:
            continue
        node, real = rows_nodes(facts, frame)
        for row in np.flatnonzero(~real):
            findings.wrong(f"{name} row {row}, node", frame["node"].iloc[row], f"0 to {tree.count - 1}")
        node = node[real]
        frame = frame if real.all() else frame[real]
        told = partial(_told, facts, name, node)
        findings.same(told("period"), frame["period"].to_numpy(), tree.period[node])
        findings.same(told("probability"), frame["probability"].to_numpy(), tree.probability[node])
        for column, expected in (("start", tree.start[node]), ("known", tree.known[node])):
            values = frame[column].to_numpy(dtype=expected.dtype)
            for row in np.flatnonzero(values != expected):
                findings.wrong(told(column)(row), values[row], expected[row])
        if name == "nodes":
            _check_node_table(facts, frame, node, findings)


def _told(facts: Facts, table: str, node: Ints, column: str) -> Namer:
    return lambda row: f"{column} of {facts.nodes.label(int(node[row]))} in {table}"


def _check_node_table(facts: Facts, frame: pd.DataFrame, node: Ints, findings: Findings) -> None:
    tree = facts.nodes
    rows = np.bincount(node, minlength=tree.count)
    findings.same(lambda n: f"rows of {tree.label(n)} in nodes", rows, np.ones(tree.count))
    parent = frame["parent"].to_numpy() if "parent" in frame.columns else np.full(len(node), np.nan)
    findings.same(lambda i: f"parent of {tree.label(int(node[i]))}", parent, tree.parent[node])


def rows_nodes(facts: Facts, frame: pd.DataFrame) -> tuple[Ints, Flags]:
    """Return each row's node, and whether there is such a node."""
    number = frame["node"].to_numpy(dtype=float)
    real = (number >= 0) & (number < facts.nodes.count) & (number == np.floor(number))
    return np.where(real, number, 0).astype(np.int64), real


def read(facts: Facts, tables: Mapping[str, pd.DataFrame], findings: Findings) -> Decisions:
    """Return the plan's decisions; note rows that are missing, repeated or about something that does not exist."""
    eligible = facts.of_nodes(facts.pair["eligible"])
    everywhere = np.ones((facts.nodes.count, len(facts.pools)), dtype=bool)
    windows = facts.nodes.at(facts.is_open(facts.promises.window))
    deal = facts.of_nodes(facts.pathway["deal"])
    by_pair = {"pathway": facts.pathways, "pool": facts.pools}
    allocation = _arrays(facts, "allocation", tables, by_pair, eligible, findings)
    told = tables["cancellations"]
    ways = [way_name(k, w) for k, w in zip(told["contract"], told["window"].fillna(""), strict=True)]
    tables = {**tables, "cancellations": told.assign(way=np.array(ways, dtype=object))}
    cancellations = _arrays(facts, "cancellations", tables, {"way": facts.ways}, windows, findings)
    commitments = _commitments(facts, tables, findings)
    return Decisions(
        allocate=allocation["gw"],
        supply=_arrays(facts, "supply", tables, {"pool": facts.pools}, everywhere, findings),
        cancellations=cancellations,
        commitments=commitments,
        deals=_arrays(facts, "deals", tables, {"pathway": facts.pathways}, deal, findings),
    )


def _arrays(
    facts: Facts,
    name: str,
    tables: Mapping[str, pd.DataFrame],
    axes: Mapping[str, Axis],
    expected: Flags | None,
    findings: Findings,
    shape: tuple[int, ...] = (),
) -> dict[str, NDArray[Any]]:
    """Return a table's number and date columns as arrays of the shape of `expected`, which says where rows must be.

    Where it is None there may be one row or none, and `shape` is that of the arrays.
    """
    frame = tables[name]
    node, real = rows_nodes(facts, frame)
    flat = _places(frame, node, real, axes, name, findings)
    known = flat >= 0

    def label(*at: int) -> str:
        names = ", ".join(str(axis.names[i]) for axis, i in zip(axes.values(), at[1:], strict=True))
        return f"rows of {name} for {names} at {facts.nodes.label(at[0])}"

    shape = shape if expected is None else expected.shape
    size = int(np.prod(shape))
    rows = np.bincount(flat[known], minlength=size).reshape(shape)
    if expected is None:
        findings.at_most(label, rows, 1.0)
    else:
        findings.same(label, rows, expected)
    arrays: dict[str, NDArray[Any]] = {"rows": rows}
    for column in COLUMNS[name][len(NODE) :]:
        if column in _NAMES:
            continue
        values = frame[column].to_numpy()
        out: NDArray[Any] = np.full(size, np.datetime64("NaT", "s")) if values.dtype.kind == "M" else np.zeros(size)
        out[flat[known]] = values[known]
        arrays[column] = _finite(out.reshape(shape), name, column, facts, findings)
    return arrays


def _commitments(facts: Facts, tables: Mapping[str, pd.DataFrame], findings: Findings) -> dict[str, NDArray[Any]]:
    """Return what is told of contracts; an absent row says that nothing of it is in force."""
    frame, axis = tables["commitments"], facts.contracts
    found = _arrays(facts, "commitments", tables, {"contract": axis}, None, findings, (facts.nodes.count, len(axis)))
    place = axis.places(frame["contract"])
    sides = np.where(facts.promises.sold, "sell", "buy")[np.maximum(place, 0)]
    for row in np.flatnonzero((place >= 0) & (frame["side"].to_numpy(dtype=object) != sides)):
        findings.wrong(f"commitments row {row}, side", frame["side"].iloc[row], sides[row])
    return found


def _finite(values: NDArray[Any], table: str, column: str, facts: Facts, findings: Findings) -> NDArray[Any]:
    """Return decisions without those that are no numbers, which are noted, so that what follows from the rest is."""
    if values.dtype.kind == "M" or np.isfinite(values).all():
        return values
    for place in np.argwhere(~np.isfinite(values)):
        findings.wrong(f"{table}, {column} at {facts.nodes.label(int(place[0]))}", values[tuple(place)], "a number")
    return np.where(np.isfinite(values), values, 0.0)


def _places(
    frame: pd.DataFrame, first: Ints, known: Flags, axes: Mapping[str, Axis], table: str, findings: Findings
) -> Ints:
    """Return each row's flat position over a first axis and the axes of its columns of names, -1 where it has none."""
    flat, known = first.copy(), known.copy()
    for column, axis in axes.items():
        at = axis.places(frame[column])
        for row in np.flatnonzero(at < 0):
            findings.wrong(f"{table} row {row}, {column}", frame[column].iloc[row], f"a {column} of the instance")
        known &= at >= 0
        flat = flat * len(axis) + at
    return np.where(known, flat, -1)
