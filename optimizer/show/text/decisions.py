"""What to do: the split of the first period, cancellations to take, deals to sign and to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.cells import cell_len

from gwplan.catalogue.tolerances import KILOWATT
from gwplan.models.data import BoolArray
from gwplan.models.tree import FloatArray, IntArray
from gwplan.plan.first_moves import ENDED, IDLE, NEW, Branch, Move
from gwplan.show.page import Page, Twig, decimals, left_out, listed, number, percent
from gwplan.show.view import View

MOST_PATHWAYS = 8
MOST_LINES = 10
MOST_SIGNED = 30
MOST_BRANCHES = 4
MOST_NAMED = 4

TERMS = {
    "notice_days": "{:g} days' notice",
    "min_term_days": "at least {:g} days",
    "signing_cost_bn_per_gw": "{:g} $bn per GW to sign",
}

Pair = tuple[str, str]


def first_period(page: Page, view: View) -> None:
    """Show the split of the first period beside today's, what to sign and cancel now, and what will be known next."""
    planned, change = split(view)
    if not planned:
        return
    moving = {name for pair, gw in change.items() if float(view.gw(gw)) for name in pair}
    weight: dict[str, float] = {}
    for pair, gw in planned.items():
        for name in pair:
            weight[name] = weight.get(name, 0.0) + gw + abs(change[pair])
    figure = max(len(view.gw(gw)) for gw in (*view.use.values[:, view.tree.roots].max(axis=1), 0.0))
    every = list(dict.fromkeys(pool for _, pool in planned))
    room = max((page.width - 18) // (2 * figure + 6) - 1, 1)
    pools = _shown(every, weight, moving, room)
    pathways = _shown(view.use.names, weight, moving, MOST_PATHWAYS)
    resolution = view.instance.resolution
    page.heading("Do now", f": GW in the {resolution} from {view.dates[0]} (in brackets: change from before)")
    rows = []
    for p in pathways:
        pairs = [[(p, q)] if (p, q) in planned else [] for q in pools]
        pairs += [[pair for pair in planned if pair[0] == p]] if len(every) > 1 else []
        rows.append([p, *(_moved(view, planned, change, cell, figure) for cell in pairs)])
    page.table(["", *pools, *(["all pools"] if len(every) > 1 else [])], rows)
    beside = [(p, q) for p, q in planned if float(view.gw(change[p, q])) and not (p in pathways and q in pools)]
    also = [f"{p} on {q} {_moved(view, planned, change, [(p, q)], 0).strip()}" for p, q in beside]
    page.note(f"Moved besides: {', '.join(also)}." if also else "")
    page.note(left_out((len(every) - len(pools), "pool"), (len(view.use.names) - len(pathways), "pathway")))
    page.note(_acts_now(view) + _next_reveal(view))


def split(view: View) -> tuple[dict[Pair, float], dict[Pair, float]]:
    """Return expected GW of the first period by pathway and pool, and the change against the initial allocation."""
    first = view.column("allocation", "period") == 0
    (pathway, pathways), (pool, pools) = view.coded("allocation", "pathway"), view.coded("allocation", "pool")
    expected = view.column("allocation", "gw")[first] * view.column("allocation", "probability")[first]
    planned: dict[Pair, float] = {}
    for p, q, gw in zip(pathway[first].tolist(), pool[first].tolist(), expected.tolist(), strict=True):
        planned[pathways[p], pools[q]] = planned.get((pathways[p], pools[q]), 0.0) + gw
    pairs = view.instance.tables["eligibility"]
    gw_now = np.nan_to_num(pairs["initial_gw"].to_numpy(dtype=float)).tolist()
    initial = dict(zip(zip(pairs["pathway"], pairs["pool"], strict=True), gw_now, strict=True))
    return planned, {pair: gw - initial.get(pair, 0.0) for pair, gw in planned.items()}


def _shown(names: list[str], weight: dict[str, float], moving: set[str], most: int) -> list[str]:
    """Return so many names: those in which something moves, the heaviest first, then others; in the order given."""
    kept = set(sorted(names, key=lambda name: (name not in moving, -weight.get(name, 0.0)))[:most])
    return [name for name in names if name in kept]


def _moved(view: View, planned: dict[Pair, float], change: dict[Pair, float], pairs: list[Pair], figure: int) -> str:
    """Return the GW of some pairs together, and in brackets the change."""
    if not pairs:
        return ""
    moved = sum(change[pair] for pair in pairs)
    sign = f"({'+' if moved > 0 else ''}{view.gw(moved)})" if float(view.gw(moved)) else ""
    return f"{view.gw(sum(planned[pair] for pair in pairs))} {sign:<{figure + 3}}"


def _acts_now(view: View) -> str:
    """Say which deals to sign or end and which contracts to cancel in the first period."""
    roots, acts = view.tree.roots, []
    for column, verb in (("signed_gw", "sign"), ("notice_given_gw", "give notice for"), ("breached_gw", "break off")):
        deals = view.deals(column)
        amounts = deals.values[:, roots] @ view.tree.probability[roots]
        named = [f"{view.gw(x)} GW of {p}" for p, x in zip(deals.names, amounts, strict=True) if x >= view.least_gw]
        acts += [f"{verb} {_some(named)}"] if named else []
    signed = signatures(view)
    now = np.flatnonzero(view.tree.period[signed.node] == 0)
    named = [f"{view.gw(signed.gw[row])} GW of {signed.contract[row]}" for row in now]
    acts = [*([f"sign {_some(list(dict.fromkeys(named)))} (see below)"] if named else []), *acts]
    passed = declined_now(view)
    acts += [f"decline {_some(passed)} (can be signed no later)"] if passed else []
    given = notices(view)
    cancelled = list(dict.fromkeys(given.contract[view.tree.period[given.node] == 0].tolist()))
    acts += [f"cancel {_some(cancelled)} (see below)"] if cancelled else []
    return f"For that: {'; '.join(acts)}. " if acts else ""


def declined_now(view: View) -> list[str]:
    """Return the offers that can be signed in the first period alone, and are not."""
    signed, rows = signatures(view), view.instance.filled("offers")
    taken = set(signed.contract[view.tree.period[signed.node] == 0].tolist())
    closing = rows["contract"].to_numpy()[(rows["closes"] < pd.Timestamp(view.dates[1])).to_numpy()]
    return [str(name) for name in closing.tolist() if name not in taken]


def _next_reveal(view: View) -> str:
    """Say how long the plan is the same in all futures, and what it depends on next."""
    if not view.branching:
        return ""
    first = view.reveals[view.branching[0]]
    named = []
    for f in (f for f in view.branching if view.reveals[f] == first):
        factor = view.instance.factors[f]
        outcomes = [f"{outcome.name} {percent(view.chance(f, o))}" for o, outcome in enumerate(factor.outcomes)]
        named.append(f"{factor.name} ({_some(outcomes, 'or')})")
    if not first:
        return f"It depends from the start on {listed(named)}; the figures above are expected."
    return f"Until {view.dates[first]} the plan is the same in all futures; then it depends on {listed(named)}."


def _some(names: list[str], last: str = "and") -> str:
    """Return the first few names in words, and how many more there are."""
    more = len(names) - MOST_NAMED
    return listed([*names[:MOST_NAMED], f"{more} more"] if more > 0 else names, last)


@dataclass(frozen=True)
class Notices:
    """Notices of cancellation by node, first periods first; those that would print as 0 GW are left out."""

    node: IntArray  # (R,) where notice is given
    contract: NDArray[np.object_]  # (R,) what is cancelled
    gw: FloatArray  # (R,) GW that this notice adds
    share: FloatArray  # (R,) share of the contract that is cancelled then, earlier notices included
    effective: NDArray[np.datetime64]  # (R,) day from which the capacity is gone
    fee_bn: FloatArray  # (R,) fee for this notice, $bn

    def at(self, rows: BoolArray | IntArray) -> Notices:
        """Return some of the notices."""
        return Notices(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def _ways_out(view: View) -> tuple[IntArray, list[str]]:
    """Return which way out each row of the cancellations is about, and the contract of each."""
    rows = view.plan.cancellations[["contract", "window"]].fillna({"window": ""})
    code, ways = pd.factorize(pd.MultiIndex.from_frame(rows))
    return code, [str(contract) for contract, _ in ways]


def notices(view: View) -> Notices:
    """Return what each node adds to the cancellations of the nodes above it."""
    code, contracts = _ways_out(view)
    node, share = view.column("cancellations", "node"), view.column("cancellations", "share")
    tree, size = view.tree, (len(contracts), view.tree.size)
    reached, before = np.zeros(size), np.zeros(size)
    own = np.full(size, np.nan)
    own[code, node] = share
    for t in range(tree.periods if len(node) else 0):
        at = np.flatnonzero(tree.period == t)
        before[:, at] = reached[:, tree.parent[at]] if t else 0.0
        reached[:, at] = np.where(np.isnan(own[:, at]), before[:, at], own[:, at])
    part = np.divide(share - before[code, node], share, out=np.zeros(len(share)), where=share > 0)
    given = Notices(
        node,
        np.array(contracts, dtype=object)[code],
        view.column("cancellations", "gw") * part,
        share,
        view.column("cancellations", "effective"),
        view.column("cancellations", "fee_bn"),
    )
    order = np.argsort(node, kind="stable")
    return given.at(order[given.gw[order] >= view.least_gw])


Block = tuple[tuple[int, ...], list[int]]


def _blocks(view: View, given: Notices) -> Iterator[Block]:
    """Yield the nodes and rows of notices that are given together, first periods and likelier futures first."""
    period = view.tree.period[given.node]
    for t in np.unique(period).tolist():
        alike: dict[tuple[str, ...], list[int]] = {}
        for row in np.flatnonzero(period == t).tolist():
            shown = (view.gw(given.gw[row]), percent(given.share[row]), str(given.effective[row]))
            alike.setdefault((given.contract[row], *shown), []).append(row)
        together: dict[tuple[int, ...], list[int]] = {}
        for rows in alike.values():
            together.setdefault(tuple(given.node[rows].tolist()), []).append(rows[0])
        likelier = sorted(together.items(), key=lambda block: -float(view.tree.probability[list(block[0])].sum()))
        yield from ((nodes, sorted(rows, key=lambda row: -given.gw[row])) for nodes, rows in likelier)


def cancellations(page: Page, view: View) -> None:
    """Show which contracts to cancel, when and in which futures, first decisions first."""
    if view.plan.cancellations.empty:
        return
    given = notices(view)
    page.heading("Cancellations to take", ", first decisions first")
    if len(given.node):
        _table_of_notices(page, view, given)
    else:
        page.note("None: to keep every contract is worth more than what cancelling would save.")
    _undervalued(page, view)


def _table_of_notices(page: Page, view: View, given: Notices) -> None:
    lines: list[list[str]] = []
    left = np.ones(len(given.node), dtype=bool)
    for nodes, rows in _blocks(view, given):
        room = MOST_LINES - len(lines) - 1
        if lines and len(rows) > room:
            break
        futures = f" {view.futures(nodes)}" if view.branching else ""
        together = f" {view.gw(float(given.gw[rows].sum()))} GW" if len(rows) > 1 else ""
        lines.append([f"On {view.dates[view.tree.period[nodes[0]]]}{futures}:{together}"])
        for row in rows[:room]:
            lines.append(_notice(view, given, row))
            left[np.isin(given.node, nodes) & (given.contract == given.contract[row])] = False
    page.table(["notice, contract (vendor)", "pool", "GW", "% of it", "ends", "fee"], lines, "nnrrrr")
    page.note(
        f"% of it: cancelled by then. fee: $bn. Cancelled as far as the price saved, also after {view.dates[-1]}, "
        "outweighs the fee and what the GW would earn."
    )
    if left.any():
        rest = given.at(left)
        probability = view.tree.probability[rest.node]
        kinds = "smaller, in rarer futures or later" if view.branching else "smaller or later"
        page.note(
            f"{left.sum()} more ({kinds}), the first on {view.dates[view.tree.period[rest.node].min()]}: expected "
            f"{view.gw(float(rest.gw @ probability))} GW, fees {view.money(float(rest.fee_bn @ probability))} $bn; a "
            "kept run (--out) lists them."
        )


def _notice(view: View, given: Notices, row: int) -> list[str]:
    contract, effective = str(given.contract[row]), given.effective[row].astype("datetime64[D]")
    supplier = view.suppliers[contract]
    return [
        f"  {contract} ({'to: ' if supplier.sold else ''}{supplier.vendor})" if supplier.vendor else f"  {contract}",
        supplier.pool,
        view.gw(given.gw[row]),
        percent(given.share[row]).removesuffix("%"),
        str(effective.astype("datetime64[M]")),
        view.money(given.fee_bn[row]),
    ]


def signatures(view: View) -> Notices:
    """Return what is signed of offers on each node, as `Notices`: with the day of signature and its one-off cost."""
    offers = set(view.plan.summary.get("signed_gw", {}))
    share, gw = (view.matrix("commitments", "contract", column) for column in ("share", "signed_gw"))
    cost, tree = view.flows("offer_cost", "bn"), view.tree
    own = np.array([k for k, name in enumerate(gw.names) if name in offers], dtype=np.int64)
    reached = share.values[own]
    part = reached - np.where(tree.parent >= 0, reached[:, tree.parent], 0.0)
    # the GW of a share may differ by what is known, so that they grow where nothing is signed
    signed = gw.values[own] * np.divide(part, reached, out=np.zeros_like(part), where=reached > 0)
    row, node = np.nonzero(signed >= view.least_gw)
    order = np.lexsort((row, node))
    row, node = row[order], node[order]
    starts = np.array(view.dates, dtype="datetime64[D]")
    names = np.array(gw.names, dtype=object)[own[row]]
    paid = np.array([-cost.of(name)[n] for name, n in zip(names, node, strict=True)])
    return Notices(node, names, signed[row, node], reached[row, node], starts[tree.period[node]], paid)


def offers(page: Page, view: View) -> None:
    """Show which offers to sign, and which customers to accept, when and in which futures; and which to decline."""
    if "signed_gw" not in view.plan.summary:
        return
    signed, terms = signatures(view), view.instance.filled("offers").set_index("contract")
    closes = {name: str(last.date()) for name, last in terms["closes"].items()}
    adds = view.plan.summary.get("offers_bn", {}).get("adds", {})
    page.heading("Offers to sign", ", first decisions first; what is sold takes GW, its price is received")
    lines: list[list[str]] = []
    for nodes, rows in _blocks(view, signed):
        futures = f" {view.futures(nodes)}" if view.branching else ""
        lines.append([f"On {view.dates[view.tree.period[nodes[0]]]}{futures}:"])
        for row in rows:
            name = str(signed.contract[row])
            cells = [*_notice(view, signed, row)[:4], closes.get(view.suppliers[name].contract, "-")]
            lines.append([*cells, *([_bn(adds.get(name))] if adds else []), view.money(signed.fee_bn[row])])
    if lines:
        header = ["offer (vendor, to: customer)", "pool", "GW", "% of it", "by", *(["adds"] if adds else []), "cost"]
        page.table(header, lines[:MOST_SIGNED], "nn" + "r" * (len(header) - 2))
        page.note("% of it: signed by then. by: the last day on which it may be signed. cost: of signing, once, $bn.")
    more = left_out((len(lines) - MOST_SIGNED, "line"))
    page.note(f"{more} A kept run (--out) has them all, in commitments.csv." if more else "")
    _not_signed(page, view, signed)
    extends = terms["extends"][terms["extends"] != ""]
    page.note(f"Extensions: {listed([f'{name} of {of}' for name, of in extends.items()])}." if len(extends) else "")
    if any(KILOWATT < part < 1 - KILOWATT for part in signed.share.tolist()):
        page.note(
            "A share of an offer that comes whole in life is a hint of size, not a term sheet: mark it `indivisible` "
            "to have it signed whole or not at all."
        )
    _without_offers(page, view)


def _bn(worth: float | None) -> str:
    return "all" if worth is None else number(worth, 3)


def _not_signed(page: Page, view: View, signed: Notices) -> None:
    """Say which offers to wait with, since only some futures have them signed, and which to decline."""
    tree, chance = view.tree, dict.fromkeys(view.plan.summary["signed_gw"], 0.0)
    for name in chance:
        there = np.isin(tree.path[tree.node_of[:, -1]], signed.node[signed.contract == name]).any(axis=1)
        chance[name] = float(tree.scenario_probability @ there)
    some = [f"{name} ({percent(p)})" for name, p in chance.items() if 0 < p < 1 - KILOWATT]
    none = [name for name, p in chance.items() if not p]
    page.note(f"To wait with, since some futures alone have them signed: {listed(some)}." if some else "")
    page.note(f"To decline, signed in no future: {listed(none)}." if none else "")


def _without_offers(page: Page, view: View) -> None:
    """Say what each offer adds and what the plan is worth with none, where that was asked for."""
    known = view.plan.summary.get("offers_bn")
    if known is None:
        page.note("What each adds, and what the plan is worth with none of them: gwplan solve --offers.")
        return
    none, worth = known["none"], float(view.plan.summary["objective_bn"])
    page.note(
        "adds: worth, $bn, less the worth of the plan made anew without it; all: no plan keeps every limit without it."
    )
    page.note(
        f"With none of them the plan is worth {number(none, 3)} $bn, {number(worth - none, 3)} less."
        if none is not None
        else "With none of them no plan keeps every limit."
    )


def _undervalued(page: Page, view: View) -> None:
    """Say of which contracts the plan does not count the years after the horizon."""
    contracts, pools = view.instance.tables["contracts"], view.instance.tables["pools"]
    end = dict(zip(contracts["contract"], contracts["end"], strict=True))
    terminal = dict(zip(pools["pool"], pools["terminal_value_bn_per_gw_year"], strict=True))
    horizon = pd.Timestamp(view.dates[-1])
    named: list[str] = []
    for name in view.coded("cancellations", "contract")[1]:
        last, after = end.get(name, pd.NaT), terminal.get(view.suppliers[name].pool, np.nan)
        if pd.isna(last) or (last > horizon and pd.isna(after)):
            named.append(name)
    if named:
        page.note(
            f"Undervalued: what {_some(named)} would cost and earn after {view.dates[-1]} is not counted (no terminal "
            "value or no end), so cancellations near that date are undervalued."
        )


def deals(page: Page, view: View) -> None:
    """Show GW to sign and to give notice for by year, and how that differs with what is known first."""
    if view.plan.deals.empty:
        return
    signed, ended = view.deals("signed_gw"), view.deals("notice_given_gw")
    factor = view.branching[0] if view.branching else None
    branches = _first_branches(view, factor)
    figure = len(view.gw(view.peak_gw))
    labels = [max(map(cell_len, names)) for names in (signed.names, [name for name, _ in branches])]
    spans = view.spans(max((page.width - 2 - min(sum(labels), 30)) // (2 * figure + 3), 1))
    rows = []
    for name in signed.names[:MOST_PATHWAYS]:
        for at, (branch, probability) in enumerate(branches):
            sums = view.sums(spans, probability)
            pair = zip(signed.of(name) @ sums, ended.of(name) @ sums, strict=True)
            rows.append(["" if at else name, branch, *(f"{view.gw(s)}/{view.gw(e)}" for s, e in pair)])
    page.heading("Deals", ": GW to sign / to give notice for, sum of the year")
    condition = "" if factor is None or len(branches) == 1 else f"if {view.instance.factors[factor].name}"
    page.table(["", condition, *(span.label for span in spans)], rows, "nn" + "r" * len(spans))
    page.note(left_out((len(signed.names) - MOST_PATHWAYS, "deal pathway")))
    _terms(page, view, signed.names[:MOST_PATHWAYS])


def _first_branches(view: View, factor: int | None) -> list[tuple[str, FloatArray]]:
    """Return the outcomes of the factor revealed first, with the probability of each node given them."""
    outcomes = () if factor is None else view.instance.factors[factor].outcomes
    if factor is None or len(outcomes) > MOST_BRANCHES:
        return [("", view.tree.probability)]
    return [(f"= {outcome.name}", view.given({factor: o})[0]) for o, outcome in enumerate(outcomes)]


def _terms(page: Page, view: View, names: list[str]) -> None:
    """Say how deals end, and how much is expected to be lost or broken off."""
    said = []
    written = {text: view.pathway(column) for column, text in TERMS.items()}
    for name in names:
        terms = [text.format(rows[name]) for text, rows in written.items() if rows.get(name, 0.0) > 0]
        for column, verb in (("lost_gw", "churn takes"), ("breached_gw", "break off")):
            gw = float(view.deals(column).of(name) @ view.tree.probability)
            terms += [f"{verb} {view.gw(gw)} GW"] if gw >= view.least_gw else []
        said += [f"{name}: {', '.join(terms)}."] if terms else []
    page.note(" ".join(said))


MOST_BRANCHES_OF_MOVES: Final = 30
MOST_MOVES: Final = 12

LEAST_SHARE: Final = 0.005
"""Moves below this share of the capacity at its largest are left out."""

COMMITMENTS: Final = {
    "cancel": ("give notice on contracts:", 0),
    "notice": ("give notice on deals:", 1),
    "breach": ("break off deals:", 2),
    "sign": ("sign deals:", 3),
    "offer": ("sign offers:", -1),
}
"""What is done that binds, and its place among the decisions."""


def moves_before_reveal(page: Page, branches: Sequence[Branch], peak_gw: float, rest: str = "--json") -> None:
    """Show what is decided before the first reveal; `rest` names where all moves are told."""
    first = branches[0]
    if sum(branch.parent < 0 for branch in branches) > 1:
        page.heading("First moves", ", the same in every future")
        page.note(f"None: futures are told apart from the start, {first.since}, on.")
        return
    agreed = "the same in every future" if len(branches) > 1 else "no future is told apart"
    gw, least = _figures(peak_gw)
    moves = [move for move in first.moves if move.gw >= least]
    page.heading("First moves", f", {agreed}: {first.since} until {first.until}")
    if not moves:
        page.note("None: the plan keeps what is in use.")
        return
    moves = sorted(moves, key=lambda move: _parts(move)[0])[:MOST_MOVES]
    rows = [[" ".join(_parts(move)[1:]), gw(move.gw), move.since] for move in moves]
    page.table(["decision", "GW", "from"], rows, "nrl")
    _say_what_is_left_out(page, len(first.moves) - len(rows), gw(least), rest)


def tree_of_moves(page: Page, branches: Sequence[Branch], peak_gw: float, rest: str = "--json") -> None:
    """Show what is decided on each branch as a tree; `rest` names where all moves are told."""
    if len(branches) < 2:
        return
    page.heading("What is decided on each branch", ", until the next reveal or for a year, in GW")
    children: dict[int, list[Branch]] = {}
    for branch in branches:
        children.setdefault(branch.parent, []).append(branch)
    depth = _depth(children)
    gw, least = _figures(peak_gw)

    def twig(branch: Branch, level: int) -> Twig:
        below = children.get(branch.number, []) if level + 1 < depth else []
        text = f"if {branch.begins} in {branch.since[:7]} ({percent(branch.probability)}): "
        text += _sentence(branch, gw, least)
        if children.get(branch.number) and not below:
            text += " ..."
        return Twig(text, [twig(child, level + 1) for child in below])

    tops = children[-1]
    if len(tops) == 1:
        page.indented(f"in every future until {tops[0].until}: as above")
        tops = children.get(tops[0].number, [])
    page.tree([twig(branch, 0) for branch in tops])
    page.note(f"GW, net of the dates shown, all pools together; below {gw(least)} GW, and what follows ..., in {rest}.")


def _say_what_is_left_out(page: Page, count: int, least: str, rest: str) -> None:
    if count:
        page.note(f"{count} more, most of them below {least} GW, {'are' if count > 1 else 'is'} in {rest}.")


def _depth(children: dict[int, list[Branch]]) -> int:
    """Return how many levels of the tree fit the page; at least one."""
    level = children[-1] if len(children[-1]) > 1 else children.get(children[-1][0].number, [])
    depth = count = 0
    while level and (depth == 0 or count + len(level) <= MOST_BRANCHES_OF_MOVES):
        depth, count = depth + 1, count + len(level)
        level = [child for branch in level for child in children.get(branch.number, [])]
    return depth


def _figures(peak_gw: float) -> tuple[Callable[[float], str], float]:
    """Return what writes GW, and the least GW worth telling: half a percent of all, never what prints as 0."""
    places = decimals([peak_gw])
    return (lambda gw: number(gw, places)), max(0.5 * 10.0**-places, LEAST_SHARE * peak_gw)


def _sentence(branch: Branch, gw: Callable[[float], str], least: float) -> str:
    """Return a branch's decisions: what binds first, then what can be moved back, alike ones together."""
    together: dict[tuple[int, str], list[str]] = {}
    for move in branch.moves:
        if move.gw >= least:
            rank, verb, what = _parts(move)
            later = f" from {move.since[:7]}" if move.since > branch.since and move.decision != "move" else ""
            words = f"{gw(move.gw)} {what}" if verb == "move" else f"{what} {gw(move.gw)}"
            together.setdefault((rank, verb), []).append(words + later)
    parts = [f"{verb} {', '.join(whats)}" for (_, verb), whats in sorted(together.items(), key=lambda item: item[0][0])]
    return "; ".join(parts) if parts else "little changes"


def _parts(move: Move) -> tuple[int, str, str]:
    """Return the place of a decision among others, what is done, and with what."""
    if move.decision in COMMITMENTS:
        verb, rank = COMMITMENTS[move.decision]
        return rank, verb, move.source
    if move.source in (NEW, IDLE):
        if move.target == IDLE:
            return 6, "leave idle:", "new capacity"
        return (5, "new capacity into", move.target) if move.source == NEW else (6, "idle capacity into", move.target)
    if move.target in (IDLE, ENDED):
        return (7, "leave idle: from", move.source) if move.target == IDLE else (8, "lose by ends:", move.source)
    return 4, "move", f"from {move.source} to {move.target}"
