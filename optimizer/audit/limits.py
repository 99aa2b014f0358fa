"""Whether a plan keeps the limits: supply, floors, caps, ramps, locks, deals and cancellations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.audit.bills import ENDLESS, LATE, PREPAID, RISEN, UPFRONT
from gwplan.audit.contracts import way_name
from gwplan.audit.facts import Facts
from gwplan.audit.scenarios import Axis, Flags, Floats, Ints
from gwplan.catalogue.tolerances import KILOWATT, PROVED

Namer = Callable[..., str]
"""Makes the name of a figure from its position along each axis."""


@dataclass(frozen=True)
class Finding:
    """One figure of a plan that does not agree with the instance's tables or with the plan's other figures."""

    figure: str  # which figure, in words, with its unit
    stated: float | str  # what the plan says
    expected: float | str  # what it should be; for a limit, the limit
    difference: float = float("nan")  # found less expected; nan where they are no numbers
    limit: str = ""  # the limit of the catalogue that is not kept, by name; blank where it is none

    def __str__(self) -> str:
        """Return the finding as one line."""
        stated, expected = (f"{x:.9g}" if isinstance(x, float) else str(x) for x in (self.stated, self.expected))
        apart = "" if np.isnan(self.difference) else f" (difference {self.difference:.3g})"
        return " ".join(f"{self.figure}: found {stated}, expected {expected}{apart}".split())


class Findings:
    """Collects findings from comparisons of whole arrays."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def wrong(self, figure: str, stated: object, expected: object) -> None:
        """Note something other than a number that is not as it should be."""
        self.all.append(Finding(figure, str(stated), str(expected)))

    def same(self, name: Namer, stated: Any, expected: Any, magnitude: Any = 0.0, limit: str = "") -> None:
        """Note every element of `stated` that differs from `expected`.

        `name` makes a position a name; `magnitude` is the size of what `expected` was added up from, where it cancels
        out; `limit` is the limit of the catalogue that is not kept where they differ.
        """
        stated, expected = np.asarray(stated, dtype=float), np.asarray(expected, dtype=float)
        size = np.maximum(np.maximum(np.abs(expected), np.where(np.isfinite(stated), np.abs(stated), 0.0)), magnitude)
        # Written so that a nan is a difference.
        apart = ~(np.abs(stated - expected) <= PROVED * (1 + size))
        for at in _where(apart):
            f, e = float(stated[at]), float(expected[at])
            self.all.append(Finding(name(*at), f, e, f - e, limit))

    def at_most(self, name: Namer, stated: Any, most: Any, magnitude: Any = 0.0, limit: str = "") -> None:
        """Note every element of `stated` above the most (inf: none); the rest as in `same`."""
        self._within(name, stated, most, magnitude, 1.0, limit)

    def at_least(self, name: Namer, stated: Any, least: Any = 0.0, magnitude: Any = 0.0, limit: str = "") -> None:
        """Note every element of `stated` below the least; the rest as in `same`."""
        self._within(name, stated, least, magnitude, -1.0, limit)

    def _within(self, name: Namer, stated: Any, bound: Any, magnitude: Any, sign: float, limit: str) -> None:
        stated = np.asarray(stated, dtype=float)
        bound = np.broadcast_to(np.asarray(bound, dtype=float), stated.shape)
        size = np.maximum(np.where(np.isfinite(bound), np.abs(bound), 0.0), magnitude)
        beyond = ~(sign * (stated - bound) <= PROVED * (1 + size))
        words = "at most" if sign > 0 else "at least"
        for at in _where(beyond):
            f, e = float(stated[at]), float(bound[at])
            self.all.append(Finding(name(*at), f, f"{words} {e:.9g}", f - e, limit))


def _where(mask: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in place) for place in np.argwhere(mask)] if mask.any() else []


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
    """What a plan's tables say, as arrays by node; 0 where there is no row."""

    allocate: Floats  # (N, P, Q) GW
    supply: dict[str, Floats]  # the number columns of ``supply``
    # (N, W) the number columns of ``cancellations``, and ``effective`` (NaT where there is no row)
    cancellations: dict[str, NDArray[Any]]
    # (N, K) the number columns of ``commitments``, and how many ``rows`` there are
    commitments: dict[str, NDArray[Any]]
    deals: dict[str, Floats]  # the number columns of ``deals``


def missing(tables: Mapping[str, pd.DataFrame], left_out: Collection[str], findings: Findings) -> bool:
    """Note the tables and columns that are not there and not left out; return whether there are any."""
    before = len(findings.all)
    for name, columns in COLUMNS.items():
        if name in left_out:
            continue
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
        written = partial(_told, facts, name, node)
        findings.same(written("period"), frame["period"].to_numpy(), tree.period[node])
        findings.same(written("probability"), frame["probability"].to_numpy(), tree.probability[node])
        for column, expected in (("start", tree.start[node]), ("known", tree.known[node])):
            values = frame[column].to_numpy(dtype=expected.dtype)
            for row in np.flatnonzero(values != expected):
                findings.wrong(written(column)(row), values[row], expected[row])
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
    cancelled_rows = tables["cancellations"]
    ways = [
        way_name(k, w) for k, w in zip(cancelled_rows["contract"], cancelled_rows["window"].fillna(""), strict=True)
    ]
    tables = {**tables, "cancellations": cancelled_rows.assign(way=np.array(ways, dtype=object))}
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
    arrays = _arrays(facts, "commitments", tables, {"contract": axis}, None, findings, (facts.nodes.count, len(axis)))
    place = axis.places(frame["contract"])
    sides = np.where(facts.promises.sold, "sell", "buy")[np.maximum(place, 0)]
    for row in np.flatnonzero((place >= 0) & (frame["side"].to_numpy(dtype=object) != sides)):
        findings.wrong(f"commitments row {row}, side", frame["side"].iloc[row], sides[row])
    return arrays


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


@dataclass(frozen=True)
class Use:
    """What the allocation and the cancellations amount to, by node."""

    # (N, P) GW used by each pathway, the same in the period before, and effective GW
    total: Floats
    before: Floats
    effective: Floats
    increase: Floats  # (N, W) share for which notice is given at the node itself
    signed: Floats  # (N, K) share that is signed at the node itself
    # (N, K) share that is out of service: cancelled at least its notice before; share for which notice has been given
    ended: Floats
    left: Floats
    in_force: Floats  # (N, K) share that is signed by the node, 1 of a firm contract
    # (N, K) GW in service if nothing were cancelled, and as it is
    whole: Floats
    in_service: Floats
    bill: Floats  # (N, K) $bn per year due for them
    # (N, K) $bn prepaid, and paid for what arrives; $bn per year received for what is late
    prepaid: Floats
    upfront: Floats
    late: Floats
    more: Floats  # (S, U, K, 4) what is paid beyond a flat price by period if nothing were cancelled, $bn
    contracted: Floats  # (N, K) GW of all deliveries, averaged over the scenarios through the node
    fee: Floats  # (N, W) $bn for all of a contract


def use(facts: Facts, plan: Decisions) -> Use:
    """Add up the allocation, and carry signatures and cancellations on to where they take effect."""
    tree, there = facts.nodes, facts.promises
    total = plan.allocate.sum(axis=2)
    given, increase = _cumulated(facts, plan.cancellations["share"], there.window)
    offer = facts.of_nodes(there.offer)
    share, signed = _cumulated(facts, np.where(offer, plan.commitments["share"], 0.0), there.terms)
    ended = _of_contracts(facts, _lagged(facts, given, there.window))
    whole, bill = _delivered(facts, signed)
    more, count = there.signed_more(signed[tree.node_of]), facts.calendar.count
    here = tree.at(more[:, :count]) - tree.at(there.more[:, :count]) * ended[..., None]
    service = tree.at(there.service)
    contracted = facts.averaged(there.contracted)
    return Use(
        total=total,
        before=tree.before(total, facts.of_nodes(facts.pair["initial"]).sum(axis=2)),
        effective=(tree.at(facts.effectiveness) * plan.allocate).sum(axis=2),
        increase=increase,
        signed=signed,
        ended=ended,
        left=_of_contracts(facts, given),
        in_force=np.where(offer, share, 1.0),
        whole=whole,
        in_service=whole - service * ended,
        bill=bill - facts.of_nodes(there.cost) * service * ended + here[..., RISEN] / facts.calendar.dt,
        prepaid=here[..., PREPAID],
        upfront=here[..., UPFRONT],
        late=here[..., LATE] / facts.calendar.dt,
        more=more,
        contracted=contracted,
        fee=_fees(facts, contracted),
    )


def _cumulated(facts: Facts, share: Floats, window: Any) -> tuple[Floats, Floats]:
    """Return shares that are told on the nodes of windows carried on to the nodes after, and what each node adds."""
    tree, inside = facts.nodes, facts.nodes.at(facts.is_open(window))
    carried = np.zeros_like(share)
    for t in range(facts.calendar.count):
        nodes = np.flatnonzero(tree.period == t)
        before = carried[tree.parent[nodes]] if t else 0.0
        carried[nodes] = np.where(inside[nodes], share[nodes], before)
    return carried, np.where(inside, share - tree.before(carried), 0.0)


def _lagged(facts: Facts, carried: Floats, window: Any, lag: str = "notice") -> Floats:
    """Return the share of the last window node that lies at least its lag before each node, 0 where there is none."""
    t = np.arange(facts.calendar.count)[:, None]
    decided = np.minimum(window["last"][:, None], t - window[lag][:, None])
    on_path = carried[facts.nodes.node_of]
    lagged = np.take_along_axis(on_path, np.maximum(decided, 0), axis=1)
    return facts.nodes.at(np.where(decided >= window["first"][:, None], lagged, 0.0))


def _of_contracts(facts: Facts, by_way: Floats) -> Floats:
    """Return figures of ways out, shape (N, W), added up by contract, shape (N, K)."""
    summed = np.zeros((len(by_way), len(facts.contracts)))
    np.add.at(summed.T, facts.promises.way_of, by_way.T)
    return summed


def _delivered(facts: Facts, signed: Floats) -> tuple[Floats, Floats]:
    """Return GW in service and $bn a year due if nothing were cancelled, shape (N, K)."""
    there, tree, count = facts.promises, facts.nodes, facts.calendar.count
    offer = facts.of_nodes(there.offer)
    service = tree.at(there.service)
    gw, bill = (np.zeros((len(tree.node_of), count + 1, len(facts.contracts))) for _ in range(2))
    s, k = there.later["scenario"], there.later["contract"]
    for t, share, arrival, stop in there.signed_tranches(signed[tree.node_of]):
        size = share * there.later["gw"] * (arrival < stop)
        for when, sign in ((arrival, 1.0), (stop, -1.0)):
            at = (s, np.minimum(when, count), k)
            np.add.at(gw, at, sign * size)
            np.add.at(bill, at, sign * size * there.price[s, t, k])
    on_path = [tree.at(amounts.cumsum(axis=1)[:, :count]) for amounts in (gw, bill)]
    return np.where(offer, on_path[0], service), np.where(offer, on_path[1], facts.of_nodes(there.cost) * service)


def _fees(facts: Facts, contracted: Floats) -> Floats:
    """Return the fee for all of a contract by each way out, $bn, shape (N, W)."""
    there, count = facts.promises, facts.calendar.count
    window, later, way_of = there.window, there.later, there.way_of
    rest = np.zeros((len(there.offer), count, len(way_of)))
    for w in np.flatnonzero(window["share"].any(axis=0)):
        own = np.flatnonzero((later["contract"] == way_of[w]) & (later["stop"] < ENDLESS))
        s = later["scenario"][own]
        size = later["gw"][own] * there.cost[s, way_of[w]] * facts.calendar.dt
        for t in range(count):
            since = np.maximum(later["period"][own], t + window["notice"][s, w])
            np.add.at(rest[:, t, w], s, size * np.maximum(later["stop"][own] - since, 0))
            effect = t + window["notice"][:, w, None]
            after = np.arange(there.more.shape[1]) >= effect
            rest[:, t, w] += (there.more[:, :, way_of[w], RISEN] * after).sum(axis=1)
    fee, share = (facts.of_nodes(window[name]) for name in ("fee", "share"))
    return fee * contracted[:, way_of] + share * facts.averaged(rest, dated=True)


def named(facts: Facts, axis: Axis, what: str) -> Namer:
    """Return the namer of a figure that belongs to a node and a name."""
    return lambda n, i: f"{what} of {axis.names[i]} at {facts.nodes.label(n)}"


def check_limits(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Check everything that a plan must keep, money apart."""
    _check_past(facts, findings)
    _check_allocation(facts, plan, findings)
    _check_supply(facts, plan, used, findings)
    _check_demand(facts, plan, used, findings)
    _check_locks(facts, plan, used, findings)
    _check_cancellations(facts, plan, used, findings)
    _check_commitments(facts, plan, used, findings)
    _check_deals(facts, plan, used, findings)


def _check_past(facts: Facts, findings: Findings) -> None:
    """Scenarios that share a node must agree on its data, or the node's data are nobody's."""
    there = facts.promises
    is_there = (there.service > 0) & ~there.offer[:, None]
    ways, offered = facts.is_open(there.window), facts.is_open(there.terms)
    exits = [there.window[name] for name in ("notice", "fee", "share", "max_share", "indivisible")]
    terms = [there.terms[name] for name in ("lead", "most", "least", "min", "whole")]
    dated = {
        "GW in service": np.where(there.offer[:, None], 0.0, there.service),
        "payments": np.where(there.offer[:, None, :, None], 0.0, there.more[:, : facts.calendar.count]),
        "contract prices": np.where(is_there, there.cost[:, None], 0.0),
        "late credits": np.where(is_there, there.credit[:, None], 0.0),
        "cancellation windows": ways,
        "terms of cancellation": np.where(ways[..., None], np.stack(exits, axis=-1)[:, None], 0.0),
        "windows of offers": offered,
        "terms of offers": np.where(offered[..., None], np.stack(terms, axis=-1)[:, None], 0.0),
        "prices of offers": np.where(offered, there.price, 0.0),
        "costs of signing": np.where(offered, there.signing, 0.0),
        "churn": facts.keep,
        **{f"{name}s": values for name, values in facts.demand.items()},
    }
    for data in (facts.pathway, facts.pair, facts.pool):
        for name, values in data.items():
            if name not in ("value_factor", "terminal_value"):  # these show in what is computed from them
                dated[name.replace("_", " ")] = values[:, None]  # who shares any node shares the first
    for name, values in dated.items():
        for node in facts.nodes.contradictions(values):
            findings.wrong(f"{name} at {facts.nodes.label(int(node))}", "different among its scenarios", "the same")


def _check_allocation(facts: Facts, plan: Decisions, findings: Findings) -> None:
    findings.at_least(
        lambda n, p, q: (
            f"allocation of {facts.pathways.names[p]} on {facts.pools.names[q]} at {facts.nodes.label(n)}, GW"
        ),
        plan.allocate,
    )
    block = facts.of_nodes(facts.pair["min_block"])
    findings.at_least(
        lambda n, p, q: f"block of {facts.pathways.names[p]} on {facts.pools.names[q]} at {facts.nodes.label(n)}, GW",
        plan.allocate,
        np.where(plan.allocate > KILOWATT, block, 0.0),
        limit="block",
    )


def _check_supply(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """GW delivered are used, idle, sold or cancelled; of those sold some may be missing."""
    there, stated = facts.promises, plan.supply
    in_pool = (facts.pool_of[:, None] == np.arange(len(facts.pools))).astype(float)
    bought, sold = ~there.sold, there.sold
    delivered = (used.whole * bought) @ in_pool
    cancelled = ((used.whole - used.in_service) * bought) @ in_pool
    due = (used.in_service * sold) @ in_pool
    missing = plan.commitments["unserved_gw"] @ in_pool
    busy = plan.allocate.sum(axis=1)

    def name(what: str) -> Namer:
        return named(facts, facts.pools, what)

    findings.same(name("delivered GW"), stated["delivered_gw"], delivered)
    findings.same(name("cancelled GW"), stated["cancelled_gw"], cancelled, delivered)
    findings.same(name("sold GW"), stated["sold_gw"], due)
    findings.same(name("unserved GW"), stated["unserved_gw"], missing, due)
    findings.same(name("used GW"), stated["used_gw"], busy)
    idle = delivered - cancelled - due + missing - busy
    findings.same(name("balance"), stated["idle_gw"], idle, delivered + due, limit="supply")
    findings.at_least(name("idle GW"), stated["idle_gw"], 0.0, delivered + due, limit="supply")


def _check_demand(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Floors, caps and ramps."""
    demand = {name: facts.nodes.at(values) for name, values in facts.demand.items()}

    def name(what: str) -> Namer:
        return named(facts, facts.pathways, what)

    findings.at_least(name("floor: effective GW"), used.effective, demand["floor"], limit="floor")
    findings.at_most(name("cap: GW"), used.total, demand["cap"], limit="cap")
    ramp, deal = (facts.of_nodes(facts.pathway[name]) for name in ("ramp", "deal"))
    growth = np.where(deal, plan.deals["signed_gw"], used.total - used.before)
    findings.at_most(name("ramp: GW more"), growth, ramp, np.where(deal, 0.0, used.total), limit="ramp")


def _check_locks(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Every lock in force holds, of several the tightest."""
    rows, tree = facts.scenarios.long("locks"), facts.nodes
    scenario = rows.scenario
    pathway, pool = facts.pathways.places(rows["pathway"]), facts.pools.places(rows["pool"])
    starts = facts.calendar.starts(facts.calendar.count)
    since, until = rows["from"][:, None], rows["until"][:, None]
    holds = (since <= starts) & ~(until <= starts)
    lock, t = np.nonzero(holds)
    node = tree.node_of[scenario[lock], t]
    once = tree.scenario[node] == scenario[lock]
    lock, node = lock[once], node[once]
    p, q = pathway[lock], pool[lock]
    on_pool = plan.allocate[node, p, np.maximum(q, 0)]
    amount = np.where(q >= 0, on_pool, used.total[node, p])

    def name(i: int) -> str:
        where = f" on {facts.pools.names[q[i]]}" if q[i] >= 0 else ""
        return f"lock: GW of {facts.pathways.names[p[i]]}{where} at {tree.label(int(node[i]))}"

    findings.at_least(name, amount, rows["min_gw"][lock], limit="lock")
    findings.at_most(name, amount, rows.limits("max_gw")[lock], limit="lock")


def _check_cancellations(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Shares only rise, up to the most; GW, date and fee follow from them."""
    tree, stated, window = facts.nodes, plan.cancellations, facts.promises.window
    inside = tree.at(facts.is_open(window))
    notice, most = (facts.of_nodes(window[name]) for name in ("notice", "max_share"))

    def name(what: str) -> Namer:
        return named(facts, facts.ways, what)

    findings.at_least(name("increase of the share cancelled"), used.increase)
    findings.at_most(name("share cancelled"), np.where(inside, stated["share"], 0.0), most)
    whole = inside & facts.of_nodes(window["indivisible"])
    share = np.where(whole, stated["share"], 0.0)
    findings.same(name("share cancelled, whole or not at all,"), share, np.round(share))
    contracted = used.contracted[:, facts.promises.way_of]
    findings.same(name("GW cancelled"), stated["gw"], np.where(inside, stated["share"] * contracted, 0.0))
    findings.same(name("fee, $bn,"), stated["fee_bn"], np.where(inside, used.fee * used.increase, 0.0), used.fee)
    later = tree.period[:, None] + notice
    starts = facts.calendar.starts(int(later.max(initial=0)) + 1).astype("datetime64[s]")
    rows = inside & ~(stated["effective"] == starts[later])
    for n, k in np.argwhere(rows):
        findings.wrong(name("effective date")(n, k), stated["effective"][n, k], starts[later[n, k]])


def _check_commitments(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Shares of offers only rise, up to the most, in their windows alone; none is given up that is not there."""
    tree, stated, there = facts.nodes, plan.commitments, facts.promises
    offer, terms = facts.of_nodes(there.offer), {name: facts.of_nodes(cells) for name, cells in there.terms.items()}

    def name(what: str) -> Namer:
        return named(facts, facts.contracts, what)

    row = stated["rows"] > 0
    findings.same(name("share signed"), np.where(row, stated["share"], 0.0), np.where(row, used.in_force, 0.0))
    findings.at_least(name("increase of the share signed"), used.signed)
    findings.at_most(name("share signed"), np.where(offer, used.in_force, 0.0), np.where(offer, terms["most"], np.inf))
    share = np.where(offer & terms["whole"], used.in_force, 0.0)
    findings.same(name("share signed, whole or not at all,"), share, np.round(share))
    some = np.where(offer & (used.in_force > PROVED), terms["min"], 0.0)
    findings.at_least(name("share signed"), np.where(offer, used.in_force, 0.0), some)
    leaf = facts.nodes.node_of[:, -1]
    ever = there.offer & (there.terms["first"] <= there.terms["last"])
    findings.at_least(
        lambda s, k: f"share signed of {facts.contracts.names[k]} in the end at {tree.label(int(leaf[s]))}",
        np.where(ever, used.in_force[leaf], 0.0),
        np.where(ever, there.terms["least"], 0.0),
    )
    extended = np.where(offer, used.in_force, 0.0) @ there.extends.astype(float)
    findings.at_most(name("share given up and extended"), used.left + extended, used.in_force)
    begun = _lagged(facts, np.where(offer, used.in_force, 0.0), there.terms, "lead")
    running = np.where(offer & (tree.at(there.service) > 0), used.ended, 0.0)
    findings.at_most(name("share cancelled of what is in service"), running, np.where(offer, begun, np.inf))
    findings.same(name("GW signed"), stated["signed_gw"], np.where(row, used.in_force * used.contracted, 0.0))
    findings.same(name("GW extended"), stated["extended_gw"], extended * used.contracted)
    findings.same(name("GW given back"), stated["given_back_gw"], used.left * used.contracted)
    findings.same(name("GW in service"), stated["in_service_gw"], used.in_service, used.whole)
    credit = facts.of_nodes(there.credit)
    most = np.where(there.sold & ~np.isnan(credit), used.in_service, 0.0)
    findings.at_least(name("GW due and not there"), stated["unserved_gw"])
    findings.at_most(name("GW due and not there"), stated["unserved_gw"], most, used.whole)


def _check_deals(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Deals come back only with notice, and stay for their term."""
    tree, stated = facts.nodes, plan.deals
    deal, notice, breach_cost = (facts.of_nodes(facts.pathway[name]) for name in ("deal", "notice", "breach_cost"))
    keep = tree.at(facts.keep)
    returned, bound = _returned_and_bound(facts, plan)

    def name(what: str) -> Namer:
        return named(facts, facts.pathways, what)

    moves = ("signed_gw", "notice_given_gw", "breached_gw")
    for move in moves:
        findings.at_least(name(f"{move[:-3].replace('_', ' ')} GW"), stated[move])
    too_late = tree.period[:, None] + notice >= facts.calendar.count
    never = np.where(deal & too_late, stated["notice_given_gw"], 0.0)
    findings.same(name("notice that ends after the horizon, GW,"), never, np.zeros_like(never))
    breached = np.where(deal & np.isnan(breach_cost), stated["breached_gw"], 0.0)
    findings.same(name("breached GW (no breach is possible)"), breached, np.zeros_like(breached))

    used_in_deals = np.where(deal, used.total, 0.0)
    findings.same(name("GW in force"), stated["in_force_gw"], used_in_deals)
    findings.same(name("returned GW"), stated["returned_gw"], np.where(deal, returned, 0.0))
    findings.same(name("lost GW"), stated["lost_gw"], np.where(deal, (1 - keep) * used.before, 0.0), used.before)
    after = keep * used.before + stated["signed_gw"] - returned - stated["breached_gw"]
    size = used.before + np.abs(stated["signed_gw"]) + np.abs(returned)
    findings.same(name("deals in force after what was signed, returned and lost, GW,"), used_in_deals,
                  np.where(deal, after, 0.0), size, limit="deals")  # fmt: skip
    bound = np.where(deal, bound, 0.0)
    findings.at_least(name("deals within their term: GW in force"), used_in_deals, bound, size, limit="term")


def _returned_and_bound(facts: Facts, plan: Decisions) -> tuple[Floats, Floats]:
    """Return GW that earlier notice brings back at each node, and GW signed within the term, both less their churn."""
    tree = facts.nodes
    notice, term = (facts.pathway[name][:, None] for name in ("notice", "term"))
    released = plan.deals["notice_given_gw"][tree.node_of]
    signed = (plan.deals["signed_gw"] - plan.deals["breached_gw"])[tree.node_of]
    returned, bound = facts.running["notice"].copy(), facts.running["term"].copy()
    kept = np.ones_like(signed)
    deal: Flags = facts.pathway["deal"][:, None]
    periods = facts.calendar.count
    for lag in range(min(int(max(notice.max(initial=0), term.max(initial=1) - 1)) + 1, periods)):
        later, earlier = slice(lag, None), slice(0, periods - lag)
        returned[:, later] += np.where(deal & (notice == lag), kept[:, later] * released[:, earlier], 0.0)
        bound[:, later] += np.where(term > lag, kept[:, later] * signed[:, earlier], 0.0)
        # kept[t] becomes the share of period t - lag - 1's deals that is left in t.
        kept[:, later] *= facts.keep[:, earlier]
    return tree.at(returned), tree.at(bound)
