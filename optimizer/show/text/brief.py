"""The printed plan in about 25 lines: what to do now, what comes next, what it is worth, and on what it rests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from rich.cells import cell_len

from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import ROUNDING, THOUSAND_DOLLARS
from gwplan.models.tree import IntArray
from gwplan.plan.obligations import owed
from gwplan.plan.plan import expected_bn
from gwplan.show.page import Page, listed, number, percent, wrapped
from gwplan.show.text.decisions import Notices, declined_now, notices, signatures, split
from gwplan.show.text.values import shortfall_gw
from gwplan.show.view import MONTH_NAMES, Span, View

MOST_ROWS: Final = 8
MOST_CASES: Final = 6
MOST_NAMED: Final = 3
SHORTEST_BAR, LONGEST_BAR, LONGEST_NAME = 3, 8, 24
WIDE: Final = 110
"""Columns from which what to do and GW by year stand side by side."""

BESIDE: Final = 58
"""Columns of GW by year there."""

ACTION: Final = "bold cyan"
"""How titles of what is to be done look on a terminal; nothing is said by colour alone."""

SWING: Final = 0.2
"""A fifth: by how much value is swung; what that costs is first order, and so the most."""


def brief(page: Page, view: View, blocks: Iterable[str]) -> None:
    """Show the plan in short, and name the blocks that tell more; on a wide page decisions stand beside GW by year."""
    _title(page, view)
    do, table = (Page(page.width, page.encoding, page.blocks) for _ in range(2))
    if page.width >= WIDE:
        do.width, table.width = page.width - BESIDE - 2, BESIDE
    for part in (decisions_now, next_decision):
        part(do, view)
    _by_year(table, view)
    if page.width >= WIDE:
        page.beside(do, table)
    else:
        page.lines += do.lines
    value(page, view)
    page.lines += table.lines if page.width < WIDE else []
    for part in (rests_on, buy):
        part(page, view)
    words = " ".join(filter(None, (_warned(view), f"More: --full, or --show {'|'.join(blocks)}")))
    page.lines += [(line, "dim") for line in wrapped(words, page.width)]


def _title(page: Page, view: View) -> None:
    text, proved = f"{page.clean(view.instance.name)}   {horizon(view)}", proof(view)
    gap = page.width - cell_len(text) - cell_len(proved)
    if gap > 1:
        page.lines.append((text + " " * gap + proved, "bold"))
    else:
        page.opening(f"{text}; {proved}")
    if view.instance.applied:
        page.brief(f"Changed from the instance as written: {'; '.join(view.instance.applied)}", most=2)


def horizon(view: View) -> str:
    """Return in words over what is planned: from when until when, in which steps, over how many scenarios."""
    calendar, futures = view.calendar, len(view.tree.leaves)
    ends = f"{month(view.dates[0])} - {month(str(calendar.starts(calendar.periods + 1)[-1] - 1))}"
    resolution = {"month": "monthly", "quarter": "quarterly", "year": "yearly"}[view.instance.resolution]
    return f"{ends}, {resolution}, {f'{futures} scenarios' if futures > 1 else 'one scenario'}"


def proof(view: View) -> str:
    """Return whether the plan is proved best, in two words where it is."""
    certificate = view.plan.summary["certificate"]
    if view.plan.status == "optimal" and certificate["optimal"]:
        return "optimal, checked"
    gap = certificate.get("mip_gap", certificate["gap"])
    missing = f"may miss {100 * gap:.2g}% of it" if gap is not None and np.isfinite(gap) else "how far off is not known"
    return f"NOT PROVED BEST ({view.plan.status.replace('_', ' ')}): {missing}"


def decisions_now(page: Page, view: View) -> None:
    """Show every pathway that changes in the first period, from what to what and in which pools."""
    first = view.reveals[view.branching[0]] if view.branching else 0
    until = f"the same in every scenario until {month(view.dates[first])}" if first else ""
    page.opening(f"DO NOW ({month(view.dates[0])})", until, ACTION)
    planned, change = split(view)
    signed, ended = (_deals_now(view, column) for column in ("signed_gw", "notice_given_gw"))
    rows = []
    for pathway in view.use.names:
        pairs = {q: gw for (p, q), gw in change.items() if p == pathway and abs(gw) >= view.least_gw}
        acts = [
            f"{verb} {view.gw(gw[pathway])} GW"
            for verb, gw in (("sign", signed), ("give notice on", ended))
            if gw.get(pathway, 0.0) >= view.least_gw
        ]
        if pairs or acts:
            now = sum(gw for (p, _), gw in planned.items() if p == pathway)
            before = now - sum(gw for (p, _), gw in change.items() if p == pathway)
            pools = [f"{_signed(view, gw)} {q}" for q, gw in sorted(pairs.items(), key=lambda pair: -pair[1])]
            rows.append([pathway, f"{view.gw(before)} -> {view.gw(now)} GW", ", ".join([*pools, *acts])])
    if rows:
        new, total = sum(change.values()), sum(planned.values())
        idle = float(view.idle.total[view.tree.roots] @ view.tree.probability[view.tree.roots])
        came = f"{_signed(view, new)} that is new or was idle, " if new >= view.least_gw else ""
        rows.append(["in all", f"{view.gw(total - new)} -> {view.gw(total)} GW", f"{came}{view.gw(idle)} GW idle"])
        page.rows(rows)
    acts = list(_acts(view, view.tree.roots))
    passed = declined_now(view)
    acts += [f"decline {listed(passed)}, which can be signed no later"] if passed else []
    for act in acts:
        page.item(act)
    if not (rows or acts):
        page.item("nothing: every pathway keeps what it has, no contract is signed or given back")


def _signed(view: View, gw: float) -> str:
    return f"{'+' if gw > 0 else ''}{view.gw(gw)}"


def _deals_now(view: View, column: str) -> dict[str, float]:
    deals, roots = view.deals(column), view.tree.roots
    return dict(zip(deals.names, (deals.values[:, roots] @ view.tree.probability[roots]).tolist(), strict=True))


def _acts(view: View, nodes: IntArray) -> Iterator[str]:
    """Yield what is signed and given back on some nodes, what is bought apart from what is sold."""
    data = view.plan.laid_out.data
    sold = {name for name, is_sold in zip(data.contracts, data.sold.tolist(), strict=True) if is_sold}
    for made, paid, verbs in (
        (signatures(view), "once", (("sign", "of"), ("commit", "to"))),
        (notices(view), "fee", (("give notice on", "of"), ("take back", "from"))),
    ):
        is_sold = np.array([contract in sold for contract in made.contract.tolist()], dtype=bool)
        for side, (verb, link) in zip((~is_sold, is_sold), verbs, strict=True):
            rows = np.flatnonzero(side & np.isin(made.node, nodes))
            for node in dict.fromkeys(made.node[rows].tolist()):
                yield _act(view, made, rows[made.node[rows] == node], verb, link, paid)


def _act(view: View, made: Notices, rows: IntArray, verb: str, link: str, paid: str) -> str:
    """Return one act in words: GW in all, each contract's, and what is paid for it."""
    rows = rows[np.argsort(-made.gw[rows], kind="stable")]
    named = [f"{made.contract[row]} {view.gw(made.gw[row])}" for row in rows[:MOST_NAMED]]
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    cost = float(made.fee_bn[rows].sum())
    fee = f"; {paid} {dollars(cost)}" if cost >= ROUNDING else ""
    if paid == "once" and any(ROUNDING < share < 1 - ROUNDING for share in made.share[rows].tolist()):
        fee += "; a share is a hint of size"
    if len(rows) == 1:
        return f"{verb} {view.gw(made.gw[rows[0]])} GW {link} {made.contract[rows[0]]}{fee}"
    return f"{verb} {view.gw(float(made.gw[rows].sum()))} GW: {', '.join(named)}{more}{fee}"


def next_decision(page: Page, view: View) -> None:
    """Show the next date on which a contract is signed or given back, by what is known then."""
    made = [view.tree.period[each.node] for each in (signatures(view), notices(view))]
    later = np.unique(np.concatenate(made))
    later = later[later > 0]
    if not len(later):
        return
    t = int(later[0])
    known = [f for f in view.branching if view.reveals[f] == t]
    when = f", when {listed([view.instance.factors[f].name for f in known])} is known" if known else ""
    page.opening("NEXT DECISION", f"{day(view.dates[t])}{when}", ACTION)
    nodes = np.flatnonzero(view.tree.period == t)
    said: dict[str, list[int]] = {}
    for node in nodes[np.argsort(-view.tree.probability[nodes], kind="stable")].tolist():
        acts = list(_acts(view, np.array([node])))
        said.setdefault("; ".join(acts) or "no contract is signed or given back", []).append(node)
    for text, at in list(said.items())[:MOST_CASES]:
        page.item(f"{_case(view, known, at)}: {text}" if view.branching else text)
    more = len(said) - MOST_CASES
    if more > 0:
        page.item(f"{more} more cases: {page.where('contracts')}")
    if len(later) > 1:
        last = day(view.dates[int(later[-1])])
        page.item(f"then on {len(later) - 1} later dates, the last {last}: {page.where('contracts')}")


def _case(view: View, known: list[int], nodes: list[int]) -> str:
    """Return the scenarios in words: by their outcomes alone where the title names the one uncertainty there is."""
    revealed = [f for f in view.branching if view.tree.known[nodes[0], f] >= 0]
    if len(known) == len(revealed) == 1:
        outcomes = [view.instance.factors[known[0]].outcomes[o].name for o in view.tree.known[nodes, known[0]].tolist()]
        return f"{listed(outcomes, 'or')} {percent(float(view.tree.probability[nodes].sum()))}"
    return view.futures(tuple(nodes)).replace("futures", "scenarios")


def value(page: Page, view: View) -> None:
    """Say what the plan is worth, of what that consists, how it ranges, and what is owed beyond."""
    summary, aversion = view.plan.summary, view.instance.aversion
    expected, npv = expected_bn(summary), view.plan.npv_bn
    end = view.dates[-1][:4] if view.dates[-1].endswith("-01-01") else day(view.dates[-1])
    text = f"NPV {dollars(npv)} cash to {end}, {dollars(expected - npv, sign=True)} terminal value and penalties"
    page.opening("VALUE", f"{text} = {dollars(expected)}")
    parts = []
    if aversion:
        tail = f"{100 * aversion:g}% of it the worst {100 * view.instance.tail:g}%"
        parts.append(f"objective {dollars(view.plan.objective_bn)}, {tail}")
    if view.branching:
        worth, leaves = view.worth_of_future[view.tree.example[view.tree.leaves]], view.tree.leaves
        for label, leaf in (("worst", int(worth.argmin())), ("best", int(worth.argmax()))):
            likely = float(view.tree.probability[leaves[leaf]])
            chance = percent(likely) if float(percent(likely).rstrip("%")) else "<0.1%"
            parts.append(f"{label} scenario {dollars(float(worth[leaf]))} ({chance})")
    if view.instance.earlier:
        parts.append(f"{view.plan.summary['moved_gw_years']:.3g} GW-years off the earlier plan")
    after = owed(view.plan.laid_out, view.plan.decided.cancelled, view.plan.decided.signed).bought()
    beyond = float(after.probability @ after.after.sum(axis=1))
    if beyond >= ROUNDING:
        parts.append(f"owed after {end} {dollars(beyond)}")
    if parts:
        page.item("; ".join(parts))


def _by_year(page: Page, view: View) -> None:
    """Show GW by pathway and year, and of what was delivered and kept how much is used."""
    every = np.concatenate([view.use.values, view.sold.values, view.idle.total[None], view.cancelled.total[None]])
    names = max(map(cell_len, (*view.use.names, "unserved demand")), default=0)
    figure = max(len(view.gw(float(every.max(initial=0.0)))), len("H2 2026"))
    room = page.width - min(names, LONGEST_NAME) - 4
    spans = view.spans(max((room - SHORTEST_BAR) // (figure + 1), 1))
    means, bar = view.means(spans), min(room - len(spans) * (figure + 1), LONGEST_BAR)
    order = np.argsort(-(view.use.values @ means).sum(axis=1), kind="stable")
    kept = sorted(order[:MOST_ROWS].tolist())
    rows = [(view.use.names[p], view.use.values[p] @ means) for p in kept]
    others = [p for p in order.tolist() if p not in kept]
    if others:
        rows.append((f"{len(others)} others", view.use.values[others].sum(axis=0) @ means))
    rows += [(f"sold: {name}", row) for name, row in zip(view.sold.names, view.sold.values @ means, strict=True)]
    most = max((float(row[-1]) for _, row in rows), default=0.0)
    missed = shortfall_gw(view)
    rest = [("idle", view.idle.total), ("cancelled", view.cancelled.total), ("unserved demand", missed)]
    rows += [(name, gw @ means) for name, gw in rest if gw is not None and (gw @ means >= view.least_gw).any()]
    cells = [[name, *map(view.gw, row), page.bar(float(row[-1]), most, bar)] for name, row in rows]
    page.table(["mean GW", *(_label(span) for span in spans), ""], cells, "n" + "r" * len(spans) + "l")
    use_of_delivered(page, view)


def use_of_delivered(page: Page, view: View) -> None:
    """Say how much is used of what is kept, and of what was delivered, terminated capacity included."""
    years = view.tree.probability * view.calendar.dt
    used, delivered = (float(gw.total @ years) for gw in (view.use, view.delivered))
    sold = float(view.sold.total @ years)
    share = percent((used + sold) / delivered) if delivered else "-"
    text = f"{percent(view.plan.summary['utilisation'])} of what is kept is used, {share} of what was delivered"
    page.item(text if delivered else "nothing is delivered")


def _label(span: Span) -> str:
    """Return a span's years in one line: of half a year ``H2 2026``."""
    year, _, months = span.label.partition("\n")
    halves = {"Jan-Jun": "H1 ", "Jul-Dec": "H2 "}
    return f"{halves[months]}{year}" if months in halves else span.label


def rests_on(page: Page, view: View) -> None:
    """Say how much of the input is assumed, on what the value rests, and where the split is open."""
    rows = [status for name, frame in view.instance.tables.items() if "status" in frame and name in TABLES
            for status in frame["status"].fillna("").tolist() if name != "claims"]  # fmt: skip
    assumed = sum(status == "assumption" for status in rows)
    unmarked = sum(status == "" for status in rows)
    graded = (
        f"{assumed} of {len(rows)} input rows are assumptions" if assumed else "no input row is marked an assumption"
    )
    if unmarked:
        graded += f", {unmarked} say nothing"
    largest = sorted(view.parts["value"].items(), key=lambda part: -part[1])[:2]
    swings = [f"of {name} about {dollars(-SWING * bn, sign=True)}" for name, bn in largest if bn > 0]
    swung = f" A fifth less: value {', '.join(swings)}." if swings else ""
    page.opening("RESTS ON", f"{graded}.{swung} {_open(view)}")


def _warned(view: View) -> str:
    count = len(view.plan.warnings)
    return f"{count} data warning{'s' if count > 1 else ''} (gwplan check)." if count else ""


def warned(page: Page, view: View) -> None:
    """Say how many warnings there are on the instance."""
    page.note(_warned(view))


def _open(view: View) -> str:
    """Name the pathway and year whose GW may be less for the least, and the one where that costs most."""
    year = np.array([date[:4] for date in view.dates[:-1]])[view.tree.period]
    there = []
    for cell in view.plan.firmness.to_dict("records"):
        used = view.use.of(cell["pathway"]) @ np.where(year == cell["when"], view.tree.probability, 0.0)
        if used >= view.least_gw and np.isfinite(cell["less_loses_bn_per_gw"]):
            there.append(cell)
    if not there:
        return ""
    softest = min(there, key=lambda cell: cell["less_loses_bn_per_gw"])
    firmest = max(there, key=lambda cell: cell["less_loses_bn_per_gw"])
    loses = f"Firmest: {firmest['pathway']} in {firmest['when']}"
    if softest["less_loses_bn_per_gw"] >= firmest["less_loses_bn_per_gw"]:
        return f"{loses}."
    return f"{loses}; least firm: {softest['pathway']} in {softest['when']}."


def buy(page: Page, view: View) -> None:
    """Say how much more of the dearest pool pays, re-solved."""
    rows = view.plan.more_supply
    rows = rows[rows["price_bn_per_gw_year"] > ROUNDING]
    if not len(rows):
        return
    best = rows[rows["step"] == "best"]
    years = np.array([int(date[:4]) for date in view.dates[:-1]])
    whole = [year for year in best["year"] if (years == year).sum() * view.calendar.dt > 1 - ROUNDING]
    best = best[best["year"] == (min(whole) if whole else best["year"].min())]
    dearest = best.loc[best["price_bn_per_gw_year"].idxmax()]
    offered = f"{dearest['pool']} all through {dearest['year']} at {dollars(dearest['price_bn_per_gw_year'])} a GW-year"
    if not dearest["size_gw"]:
        page.opening("BUY?", f"No {offered}: it adds less than it costs.")
        return
    if np.isinf(dearest["size_gw"]):
        page.opening("BUY?", f"Any amount of {offered} adds more than it costs: no use of it is limited.")
        return
    size = f"{dearest['size_gw']:.2g}"
    page.opening(
        "BUY?", f"Up to {size} GW of {offered} adds {dollars(dearest['gain_bn'])}; beyond, each GW more loses."
    )


def dollars(bn: float, *, sign: bool = False) -> str:
    """Return money as a reader expects it: ``$37.1bn``, ``$180m``, ``-$0.4m``; with its sign where asked."""
    size = abs(bn)
    if size >= 0.9995:
        text = f"${number(size, 1 if size < 1000 else 0)}bn"
    elif size >= 0.0095:
        text = f"${1000 * size:.0f}m"
    else:
        text = f"${1000 * size:.2g}m" if size >= THOUSAND_DOLLARS else "$0"
    if text == "$0":
        return text
    return f"{'-' if bn < 0 else '+' if sign else ''}{text}"


def month(date: str) -> str:
    """Return the month of an ISO date: ``Jul 2026``."""
    return f"{MONTH_NAMES[int(date[5:7]) - 1]} {date[:4]}"


def day(date: str) -> str:
    """Return an ISO date as ``1 Jan 2027``."""
    return f"{int(date[8:10])} {month(date)}"
