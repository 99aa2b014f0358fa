"""Whether a plan keeps the limits: supply, floors, caps, ramps, locks, deals and cancellations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.audit.audit_findings import TOLERANCE, Findings, Namer
from optimizer.audit.facts import Axis, Facts
from optimizer.audit.rows import Decisions
from optimizer.audit.tree import Flags, Floats


@dataclass(frozen=True)
class Use:
    """What the allocation and the cancellations amount to, by node.

    Attributes
    ----------
    total, before, effective : (N, P) float array
        GW used by each pathway, the same in the period before, and effective GW.
    ended : (N, K) float array
        Share of each contract that is out of service: cancelled at least its notice before.
    increase : (N, K) float array
        Share for which notice is given at the node itself.
    last_share : (S, K) float array
        Share cancelled by the last window node of each scenario.
    in_service : (N, K) float array
        GW delivered and not cancelled.
    contracted : (N, K) float array
        GW of all deliveries, averaged over the scenarios through the node.
    """

    total: Floats
    before: Floats
    effective: Floats
    ended: Floats
    increase: Floats
    last_share: Floats
    in_service: Floats
    contracted: Floats


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
        np.where(plan.allocate > TOLERANCE, block, 0.0),
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
    findings.same(name("balance"), plan.supply["idle_gw"], delivered - cancelled - busy, delivered)
    findings.at_least(name("idle GW"), plan.supply["idle_gw"], 0.0, delivered)


def _check_demand(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Floors, caps and ramps."""
    demand = {name: facts.nodes.at(values) for name, values in facts.demand.items()}
    findings.at_least(named(facts, facts.pathways, "floor: effective GW"), used.effective, demand["floor"])
    findings.at_most(named(facts, facts.pathways, "cap: GW"), used.total, demand["cap"])
    ramp, deal = (facts.of_nodes(facts.pathway[name]) for name in ("ramp", "deal"))
    growth = np.where(deal, plan.deals["signed_gw"], used.total - used.before)
    findings.at_most(named(facts, facts.pathways, "ramp: GW more"), growth, ramp, np.where(deal, 0.0, used.total))


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

    findings.at_least(name, amount, rows["min_gw"][lock])
    findings.at_most(name, amount, rows.limits("max_gw")[lock])


def _check_cancellations(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Shares only rise, up to the most; GW, date and fee follow from them."""
    tree, told = facts.nodes, plan.cancellations
    inside = tree.at(facts.is_window())
    notice, fee, most = (facts.of_nodes(facts.window[name]) for name in ("notice", "fee", "max_share"))

    def name(what: str) -> Namer:
        return named(facts, facts.contracts, what)

    findings.at_least(name("increase of the share cancelled"), used.increase)
    findings.at_most(name("share cancelled"), np.where(inside, told["share"], 0.0), most)
    whole = inside & facts.of_nodes(facts.window["indivisible"])
    share = np.where(whole, told["share"], 0.0)
    findings.same(name("share cancelled, whole or not at all,"), share, np.round(share))
    findings.same(name("GW cancelled"), told["gw"], np.where(inside, told["share"] * used.contracted, 0.0))
    findings.same(name("fee, $bn,"), told["fee_bn"], fee * used.contracted * used.increase, fee * used.contracted)
    later = tree.period[:, None] + notice
    starts = facts.calendar.starts(int(later.max(initial=0)) + 1).astype("datetime64[s]")
    rows = inside & ~(told["effective"] == starts[later])
    for n, k in np.argwhere(rows):
        findings.wrong(name("effective date")(n, k), told["effective"][n, k], starts[later[n, k]])


def _check_deals(facts: Facts, plan: Decisions, used: Use, findings: Findings) -> None:
    """Deals come back only with notice, and stay for their term."""
    tree, told = facts.nodes, plan.deals
    deal, notice, breach_cost = (facts.of_nodes(facts.pathway[name]) for name in ("deal", "notice", "breach_cost"))
    keep = tree.at(facts.keep)
    returned, bound = _returned_and_bound(facts, plan)

    def name(what: str) -> Namer:
        return named(facts, facts.pathways, what)

    moves = ("signed_gw", "notice_given_gw", "breached_gw")
    for move in moves:
        findings.at_least(name(f"{move[:-3].replace('_', ' ')} GW"), told[move])
    too_late = tree.period[:, None] + notice >= facts.calendar.count
    never = np.where(deal & too_late, told["notice_given_gw"], 0.0)
    findings.same(name("notice that ends after the horizon, GW,"), never, np.zeros_like(never))
    breached = np.where(deal & np.isnan(breach_cost), told["breached_gw"], 0.0)
    findings.same(name("breached GW (no breach is possible)"), breached, np.zeros_like(breached))

    used_in_deals = np.where(deal, used.total, 0.0)
    findings.same(name("GW in force"), told["in_force_gw"], used_in_deals)
    findings.same(name("returned GW"), told["returned_gw"], np.where(deal, returned, 0.0))
    findings.same(name("lost GW"), told["lost_gw"], np.where(deal, (1 - keep) * used.before, 0.0), used.before)
    after = keep * used.before + told["signed_gw"] - returned - told["breached_gw"]
    size = used.before + np.abs(told["signed_gw"]) + np.abs(returned)
    findings.same(name("deals in force after what was signed, returned and lost, GW,"), used_in_deals,
                  np.where(deal, after, 0.0), size)  # fmt: skip
    findings.at_least(name("deals within their term: GW in force"), used_in_deals, np.where(deal, bound, 0.0), size)


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
