"""The worth of a plan, component by component, worked out anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gwplan.audit.bills import ENDLESS, LATE
from gwplan.audit.facts import Facts, in_force
from gwplan.audit.limits import Decisions, Findings, Namer, Use, rows_nodes
from gwplan.audit.scenarios import Axis, Floats, Ints
from gwplan.catalogue.tolerances import ROUNDING


def moved(facts: Facts, plan: Decisions, earlier: pd.DataFrame) -> Floats:
    """Return the GW that each pathway has more and less than an earlier plan allocated, pool by pool, shape (N, P)."""
    nodes, eligible = facts.nodes, facts.of_nodes(facts.pair["eligible"])
    pathway, pool = facts.pathways.places(earlier["pathway"]), facts.pools.places(earlier["pool"])
    day, (code, known) = earlier["start"].to_numpy().astype("datetime64[s]"), pd.factorize(earlier["known"])
    gw, weight = earlier["gw"].to_numpy(), earlier["probability"].to_numpy()
    named = (pathway >= 0) & (pool >= 0)
    apart = np.zeros((nodes.count, len(facts.pathways)))
    for n in range(nodes.count):
        outcomes = _told(nodes.known[n])
        fitting = np.array([_fits(outcomes, _told(other)) for other in known])
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


def _fits(outcomes: frozenset[str], other: frozenset[str]) -> bool:
    """Whether no factor has two outcomes in what two nodes are told."""
    both = outcomes | other
    return len({outcome.split("=")[0] for outcome in both}) == len(both)


def earned(facts: Facts, effective: Floats) -> Floats:
    """Return what effective GW earn in every scenario and period, $bn a year."""
    on_paths = effective[facts.nodes.node_of]
    # A use is a pathway in one period of one scenario: its position in on_paths, flattened.
    use, width, value = (np.concatenate(part) for part in zip(_tiers(facts), _curves(facts), strict=True))
    order = np.lexsort((-value, use))
    use, value = use[order], value[order]
    room = np.maximum(on_paths.ravel()[use], 0.0)
    width = np.minimum(width[order], room)
    through = np.cumsum(width)
    first = np.searchsorted(use, use)
    better = (through - width) - (through - width)[first]
    amount = np.clip(room - better, 0.0, width)
    per_year = np.bincount(use, weights=value * amount, minlength=on_paths.size).reshape(on_paths.shape)
    return np.asarray(per_year * facts.pathway["value_factor"][:, None])


def _uses(facts: Facts) -> Ints:
    """Return every use, in rows by scenario and pathway and columns by period."""
    scenarios, periods, pathways = len(facts.scenarios.instances), facts.calendar.count, len(facts.pathways)
    by_period = np.arange(scenarios * periods * pathways).reshape(scenarios, periods, pathways)
    return by_period.swapaxes(1, 2).reshape(-1, periods)


def _ranges(owner: Ints, first: Ints, length: Ints) -> tuple[Ints, Ints]:
    """Return each owner with every position of its range that starts at `first`."""
    repeated = np.repeat(owner, length)
    return repeated, np.repeat(first - (np.cumsum(length) - length), length) + np.arange(len(repeated))


def _tiers(facts: Facts) -> tuple[Ints, Floats, Floats]:
    """Return use, width (effective GW) and value ($bn per effective GW-year) of every tier in force."""
    rows = facts.scenarios.long("value")
    owner = rows.scenario * len(facts.pathways) + facts.pathways.places(rows["pathway"])
    since = rows["from"]
    order = np.lexsort((since, owner))
    owner, since = owner[order], since[order]
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (owner[1:] != owner[:-1]) | (since[1:] != since[:-1])
    first = np.flatnonzero(begins)
    length = np.diff(np.append(first, len(rows)))
    uses = _uses(facts)
    step = in_force(owner[first], since[first], len(uses), facts.calendar)
    held = step >= 0
    use, row = _ranges(uses[held], first[step[held]], length[step[held]])
    widths = rows.limits("width_gw")[order]
    return use, widths[row], rows["value_bn_per_gw_year"][order][row]


def _curves(facts: Facts) -> tuple[Ints, Floats, Floats]:
    """Return use, width and value of every chord of the curves in force, as `_tiers`."""
    rows = facts.scenarios.long("curves")
    owner = rows.scenario * len(facts.pathways) + facts.pathways.places(rows["pathway"])
    segments = rows["segments"].astype(np.int64)
    first = np.cumsum(segments) - segments
    curve, chord = _ranges(np.arange(len(rows)), first, segments)
    share = (chord - first[curve]) / segments[curve]
    base, most = rows["base_gw"][curve], rows["max_gw"][curve]
    doublings = np.log2(1 + most / base)
    from_gw, until_gw = (base * (2 ** (doublings * s) - 1) for s in (share, share + 1 / segments[curve]))
    width = until_gw - from_gw
    scale = (rows["base_value_bn_per_year"] * rows["uplift_per_doubling"])[curve]
    # Equal steps of the logarithm: every chord earns the same, on an ever wider range.
    value = scale * doublings / segments[curve] / width

    uses = _uses(facts)
    row = in_force(owner, rows["from"], len(uses), facts.calendar)
    held = row >= 0
    use, at = _ranges(uses[held], first[row[held]], segments[row[held]])
    return use, width[at], value[at]


@dataclass(frozen=True)
class Flow:
    """One component of worth: $bn of the period and discounted, by node and name, shape (N, names)."""

    names: Axis
    bn: Floats
    discounted: Floats


def flows(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> dict[str, Flow]:
    """Return every component of worth that the plan's decisions bring; costs are negative."""
    tree, dt, d = facts.nodes, facts.calendar.dt, facts.discount[:, None]
    pathway = {name: facts.of_nodes(values) for name, values in facts.pathway.items()}
    pair = {name: facts.of_nodes(values) for name, values in facts.pair.items()}
    worth = earned(facts, used.effective)
    for node in tree.contradictions(worth, ROUNDING):
        findings.wrong(f"value at {tree.label(int(node))}", "different among its scenarios", "the same")
    shortfall = np.maximum(tree.at(facts.demand["target"]) - used.effective, 0.0)
    onboard = np.maximum(plan.allocate - tree.before(plan.allocate, pair["initial"]), 0.0).sum(axis=2)
    there, contracted = facts.promises, used.contracted
    fees = np.zeros_like(contracted)
    np.add.at(fees.T, there.way_of, (used.fee * used.increase).T)
    bn = {
        "value": (facts.pathways, dt * tree.at(worth)),
        "contract_cost": (facts.contracts, -dt * ~there.sold * used.bill),
        "operating_cost": (facts.pathways, -dt * (pair["operating_cost"] * plan.allocate).sum(axis=2)),
        "migration_cost": (facts.pathways, -pathway["migration_cost"] * onboard),
        "signing_cost": (facts.pathways, -pathway["signing_cost"] * plan.deals["signed_gw"]),
        "breach_cost": (facts.pathways, -np.nan_to_num(pathway["breach_cost"]) * plan.deals["breached_gw"]),
        "cancellation_fees": (facts.contracts, -fees),
        "idle_penalty": (facts.pools, -dt * facts.of_nodes(facts.pool["idle_penalty"]) * plan.supply["idle_gw"]),
        "shortfall_penalty": (facts.pathways, -dt * pathway["shortfall_penalty"] * shortfall),
    }
    if there.offer.any() or there.sold.any():
        credit = np.nan_to_num(facts.of_nodes(there.credit))
        bn["sales"] = (facts.contracts, dt * there.sold * used.bill)
        bn["offer_cost"] = (facts.contracts, -tree.at(there.signing) * contracted * used.signed)
        bn["late_credit"] = (facts.contracts, dt * (used.late - credit * plan.commitments["unserved_gw"]))
    if there.later["dated"].any():
        sign = np.where(there.sold, 1.0, -1.0)
        bn["prepayments"] = (facts.contracts, sign * used.prepaid)
        bn["upfront"] = (facts.contracts, sign * used.upfront)
        bn.setdefault("late_credit", (facts.contracts, dt * used.late))
    earlier = facts.scenarios.written.earlier
    if earlier is not None:
        penalty = dt * earlier.move_cost_bn_per_gw_year * moved(facts, plan, earlier.allocation)
        bn["move_penalty"] = (facts.pathways, -penalty)
    flows_of = {name: Flow(axis, amounts, amounts * d) for name, (axis, amounts) in bn.items()}
    return {**flows_of, "terminal": _terminal(facts, used)}


def _terminal(facts: Facts, used: Use) -> Flow:
    """Return what capacity under contract is worth after the horizon, less its price, at the leaves.

    A leaf through which several scenarios pass has their mean. Of an offer a tranche with a date and no term counts
    from that date on, whenever it is signed.
    """
    there, tree, later = facts.promises, facts.nodes, facts.promises.later
    s, k = later["scenario"], later["contract"]
    leaf = tree.node_of[:, -1]
    value = facts.pool["terminal_value"][:, facts.pool_of][s, k]
    side = np.where(there.sold, -1.0, 1.0)[k] * later["gw"]
    lines = [np.zeros((len(leaf), len(facts.contracts))) for _ in range(2)]

    def add(share: Floats, price: Floats, arrival: Ints, stop: Ints) -> None:
        margin = np.nan_to_num(value - price) * side * share  # no terminal value: nothing is counted
        for amounts, rate in zip(lines, (0.0, facts.scenarios.written.discount_rate), strict=True):
            np.add.at(amounts, (s, k), margin * _years(facts, arrival, stop, rate))

    whole = np.where(there.offer, 0.0, 1.0)[s, k]
    add(whole - used.left[leaf][s, k], there.cost[s, k], later["period"], later["stop"])
    for t, share, arrival, stop in there.signed_tranches(used.signed[tree.node_of]):
        dated = ~later["after"] & (later["term"] == ENDLESS)
        add(share, there.price[s, t, k], np.where(dated, later["period"], arrival), stop)
    _add_later(facts, used, lines)
    is_leaf = tree.period == facts.calendar.count - 1
    bn, discounted = (np.where(is_leaf[:, None], facts.averaged(amounts), 0.0) for amounts in lines)
    return Flow(facts.contracts, bn, discounted)


def _add_later(facts: Facts, used: Use, lines: list[Floats]) -> None:
    """Take what is paid after the horizon beyond a flat price off what contracts bring, (S, K), flat and discounted."""
    there, count, dt = facts.promises, facts.calendar.count, facts.calendar.dt
    left = used.left[facts.nodes.node_of[:, -1]]
    beyond = used.more[:, count:] - there.more[:, count:] * left[:, None, :, None]
    owed = beyond[..., :LATE].sum(axis=-1) - beyond[..., LATE]
    counted = ~np.isnan(facts.pool["terminal_value"][:, facts.pool_of])
    sign = np.where(there.sold, -1.0, 1.0) * counted
    middle = (count + np.arange(owed.shape[1]) + 0.5) * dt
    for amounts, rate in zip(lines, (0.0, facts.scenarios.written.discount_rate), strict=True):
        amounts -= sign * np.einsum("suk,u->sk", owed, (1 + rate) ** -middle)


def _years(facts: Facts, since: Ints, until: Ints, discount_rate: float) -> Floats:
    """Return the years after the horizon of what runs between periods, discounted; of what has no end 0."""
    count, dt = facts.calendar.count, facts.calendar.dt
    first, last = (np.maximum(np.minimum(period, ENDLESS), count) - count for period in (since, until))
    rate = np.log1p(discount_rate) * dt
    # a geometric series of discount factors
    series = (np.exp(-rate * first) - np.exp(-rate * last)) / -np.expm1(-rate) if rate else (last - first).astype(float)
    years = dt * series * np.exp(-np.log1p(discount_rate) * (count + 0.5) * dt)
    return np.where((until < ENDLESS) & (last > first), years, 0.0)


def check_cashflow(facts: Facts, flows_of: Mapping[str, Flow], frame: pd.DataFrame, findings: Findings) -> None:
    """Compare every amount of ``cashflow``; an absent row says 0."""
    names = [f"{component} {name}".rstrip() for component, flow in flows_of.items() for name in flow.names.names]
    node, real = rows_nodes(facts, frame)
    at = _columns(flows_of, frame)
    for row in np.flatnonzero(at < 0):
        row_name = f"{frame['component'].iloc[row]} {frame['name'].iloc[row]}"
        findings.wrong(f"cashflow row {row}, component and name", row_name, "a component and a name that it has")
    known = real & (at >= 0)
    flat = (node * len(names) + at)[known]

    def label(what: str) -> Namer:
        return lambda n, i: f"{what} of {names[i]} at {facts.nodes.label(n)}"

    shape = (facts.nodes.count, len(names))
    findings.at_most(label("rows in cashflow"), np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape), 1.0)
    expected = {
        "bn": np.concatenate([flow.bn for flow in flows_of.values()], axis=1),
        "discounted_bn": np.concatenate([flow.discounted for flow in flows_of.values()], axis=1),
    }
    for column, amounts in expected.items():
        values = np.zeros(shape[0] * shape[1])
        values[flat] = frame[column].to_numpy(dtype=float)[known]
        findings.same(label(column), values.reshape(shape), amounts)


def _columns(flows_of: Mapping[str, Flow], frame: pd.DataFrame) -> Ints:
    """Return the place of each row of ``cashflow`` among all components' names in turn, -1 where there is none."""
    component = Axis(np.array([*flows_of], dtype=object)).places(frame["component"])
    name = frame["name"].to_numpy(dtype=object)
    at, before = np.full(len(frame), -1), 0
    for i, flow in enumerate(flows_of.values()):
        rows = np.flatnonzero(component == i)
        place = flow.names.places(name[rows])
        at[rows] = np.where(place >= 0, before + place, -1)
        before += len(flow.names)
    return at
