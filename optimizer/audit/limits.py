"""Whether a plan keeps the limits: supply, floors, caps, ramps, locks, deals and cancellations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.audit.facts import Axis, Facts, Flags, Floats, Ints
from optimizer.catalogue.tolerances import KILOWATT, PROVED

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
    "supply": (*NODE, "pool", "delivered_gw", "cancelled_gw", "used_gw", "idle_gw"),
    "cashflow": (*NODE, "component", "name", "bn", "discounted_bn"),
    "cancellations": (*NODE, "contract", "share", "gw", "effective", "fee_bn"),
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
    "obligations": ("vendor", "contract", "year", "as_signed_bn", "after_cancellation_bn", "gw"),
}
"""The tables that are audited and the columns that are read."""


@dataclass(frozen=True)
class Decisions:
    """What a plan's tables say, as arrays by node; 0 where there is no row."""

    allocate: Floats  # (N, P, Q) GW
    supply: dict[str, Floats]  # the number columns of ``supply``
    # the number columns of ``cancellations``, and ``effective`` (NaT where there is no row)
    cancellations: dict[str, NDArray[Any]]
    deals: dict[str, Floats]  # the number columns of ``deals``


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
    windows = facts.nodes.at(facts.is_window())
    deal = facts.of_nodes(facts.pathway["deal"])
    by_pair = {"pathway": facts.pathways, "pool": facts.pools}
    allocation = _arrays(facts, "allocation", tables, by_pair, eligible, findings)
    cancellations = _arrays(facts, "cancellations", tables, {"contract": facts.contracts}, windows, findings)
    return Decisions(
        allocate=allocation["gw"],
        supply=_arrays(facts, "supply", tables, {"pool": facts.pools}, everywhere, findings),
        cancellations=cancellations,
        deals=_arrays(facts, "deals", tables, {"pathway": facts.pathways}, deal, findings),
    )


def _arrays(
    facts: Facts,
    name: str,
    tables: Mapping[str, pd.DataFrame],
    axes: Mapping[str, Axis],
    expected: Flags,
    findings: Findings,
) -> dict[str, NDArray[Any]]:
    """Return a table's number and date columns as arrays of the shape of `expected`, which says where rows must be."""
    frame = tables[name]
    node, real = rows_nodes(facts, frame)
    flat = _places(frame, node, real, axes, name, findings)
    known = flat >= 0

    def label(*at: int) -> str:
        names = ", ".join(str(axis.names[i]) for axis, i in zip(axes.values(), at[1:], strict=True))
        return f"rows of {name} for {names} at {facts.nodes.label(at[0])}"

    rows = np.bincount(flat[known], minlength=expected.size).reshape(expected.shape)
    findings.same(label, rows, expected)
    arrays = {}
    for column in COLUMNS[name][len(NODE) + len(axes) :]:
        values = frame[column].to_numpy()
        out: NDArray[Any] = (
            np.full(expected.size, np.datetime64("NaT", "s")) if values.dtype.kind == "M" else np.zeros(expected.size)
        )
        out[flat[known]] = values[known]
        arrays[column] = _finite(out.reshape(expected.shape), name, column, facts, findings)
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
    ended: Floats  # (N, K) share of each contract that is out of service: cancelled at least its notice before
    increase: Floats  # (N, K) share for which notice is given at the node itself
    last_share: Floats  # (S, K) share cancelled by the last window node of each scenario
    in_service: Floats  # (N, K) GW delivered and not cancelled
    contracted: Floats  # (N, K) GW of all deliveries, averaged over the scenarios through the node


def use(facts: Facts, plan: Decisions) -> Use:
    """Add up the allocation and carry the cancellations on to where they take effect."""
    tree, window = facts.nodes, facts.window
    total = plan.allocate.sum(axis=2)
    share = plan.cancellations["share"]
    inside = tree.at(facts.is_window())
    increase = np.where(inside, share - tree.before(np.where(inside, share, 0.0)), 0.0)

    t = np.arange(facts.calendar.count)[:, None]
    decided = np.minimum(window["last"][:, None], t - window["notice"][:, None])
    on_path = share[tree.node_of]
    ended = np.take_along_axis(on_path, np.maximum(decided, 0), axis=1)
    ended = tree.at(np.where(decided >= window["first"][:, None], ended, 0.0))
    any_window = window["last"] >= window["first"]
    last = np.take_along_axis(on_path, np.maximum(window["last"], 0)[:, None], axis=1)[:, 0]

    weighted = (tree.weight[:, None] * facts.contracted)[:, None].repeat(facts.calendar.count, axis=1)
    contracted = np.zeros((tree.count, len(facts.contracts)))
    np.add.at(contracted, tree.node_of, weighted)
    return Use(
        total=total,
        before=tree.before(total, facts.of_nodes(facts.pair["initial"]).sum(axis=2)),
        effective=(facts.of_nodes(facts.pair["effectiveness"]) * plan.allocate).sum(axis=2),
        ended=ended,
        increase=increase,
        last_share=np.where(any_window, last, 0.0),
        in_service=tree.at(facts.service) * (1 - ended),
        contracted=contracted / tree.probability[:, None],
    )


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
    _check_deals(facts, plan, used, findings)


def _check_past(facts: Facts, findings: Findings) -> None:
    """Scenarios that share a node must agree on its data, or the node's data are nobody's."""
    window = facts.is_window()
    terms_of = [facts.window[name] for name in ("notice", "fee", "max_share", "indivisible")]
    terms = np.stack(terms_of, axis=-1)[:, None]
    dated = {
        "GW in service": facts.service,
        "contract prices": np.where(facts.service > 0, facts.cost[:, None], 0.0),
        "cancellation windows": window,
        "terms of cancellation": np.where(window[..., None], terms, 0.0),
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
    """GW delivered are used, idle or cancelled."""
    in_pool = (facts.pool_of[:, None] == np.arange(len(facts.pools))).astype(float)
    delivered = facts.nodes.at(facts.service) @ in_pool
    cancelled = (facts.nodes.at(facts.service) * used.ended) @ in_pool
    busy = plan.allocate.sum(axis=1)

    def name(what: str) -> Namer:
        return named(facts, facts.pools, what)

    findings.same(name("delivered GW"), plan.supply["delivered_gw"], delivered)
    findings.same(name("cancelled GW"), plan.supply["cancelled_gw"], cancelled, delivered)
    findings.same(name("used GW"), plan.supply["used_gw"], busy)
    findings.same(name("balance"), plan.supply["idle_gw"], delivered - cancelled - busy, delivered, limit="supply")
    findings.at_least(name("idle GW"), plan.supply["idle_gw"], 0.0, delivered, limit="supply")


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
    tree, stated = facts.nodes, plan.cancellations
    inside = tree.at(facts.is_window())
    notice, fee, most = (facts.of_nodes(facts.window[name]) for name in ("notice", "fee", "max_share"))

    def name(what: str) -> Namer:
        return named(facts, facts.contracts, what)

    findings.at_least(name("increase of the share cancelled"), used.increase)
    findings.at_most(name("share cancelled"), np.where(inside, stated["share"], 0.0), most)
    whole = inside & facts.of_nodes(facts.window["indivisible"])
    share = np.where(whole, stated["share"], 0.0)
    findings.same(name("share cancelled, whole or not at all,"), share, np.round(share))
    findings.same(name("GW cancelled"), stated["gw"], np.where(inside, stated["share"] * used.contracted, 0.0))
    findings.same(name("fee, $bn,"), stated["fee_bn"], fee * used.contracted * used.increase, fee * used.contracted)
    later = tree.period[:, None] + notice
    starts = facts.calendar.starts(int(later.max(initial=0)) + 1).astype("datetime64[s]")
    rows = inside & ~(stated["effective"] == starts[later])
    for n, k in np.argwhere(rows):
        findings.wrong(name("effective date")(n, k), stated["effective"][n, k], starts[later[n, k]])


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
