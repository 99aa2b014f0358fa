"""What to do: the split of the first period, cancellations to take, deals to sign and to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from optimizer.export.printed_layout import Page, listed, percent
from optimizer.export.printed_view import FloatArray, Supplier, View

MOST_PATHWAYS = 8
MOST_LINES = 15
MOST_BRANCHES = 4
MOST_NAMED = 4

Pair = tuple[str, str]


def first_period(page: Page, view: View) -> None:
    """Show the split of the first period beside today's, what to sign and cancel now, and what will be known next."""
    planned, change = _split(view)
    weight: dict[str, float] = {}
    for (pathway, pool), gw in planned.items():
        for name in (pathway, pool):
            weight[name] = weight.get(name, 0.0) + gw + abs(change[pathway, pool])
    figure = len(view.gw(view.peak_gw))
    names = list(dict.fromkeys(pool for _, pool in planned))
    pools = _heaviest(names, weight, max((page.width - 18) // (2 * figure + 6), 1))
    pathways = _heaviest(view.use.names, weight, MOST_PATHWAYS)
    rows = [[p, *(_moved(view, planned, change, (p, q), figure) for q in pools)] for p in pathways]
    page.heading(f"DO NOW: GW from {view.dates[0]} on (in brackets: change from the initial split)")
    page.table(["", *pools], rows)
    hidden = [f"{len(names) - len(pools)} pools"] if len(pools) < len(names) else []
    hidden += [f"{len(view.use.names) - len(pathways)} pathways"] if len(pathways) < len(view.use.names) else []
    if hidden:
        page.note(f"{listed(hidden)} with less to do are left out.")
    page.note(_acts_now(view) + _next_reveal(view))


def _split(view: View) -> tuple[dict[Pair, float], dict[Pair, float]]:
    """Return expected GW of the first period by pathway and pool, and the change against the initial allocation."""
    frame = view.plan.allocation
    first = frame[frame["period"].to_numpy() == 0]
    planned: dict[Pair, float] = {}
    for pathway, pool, gw, p in zip(first["pathway"], first["pool"], first["gw"], first["probability"], strict=True):
        planned[pathway, pool] = planned.get((pathway, pool), 0.0) + gw * p
    pairs = view.instance.filled("eligibility")
    initial = dict(zip(zip(pairs["pathway"], pairs["pool"], strict=True), pairs["initial_gw"], strict=True))
    return planned, {pair: gw - float(initial.get(pair, 0.0)) for pair, gw in planned.items()}


def _heaviest(names: list[str] | tuple[str, ...], weight: dict[str, float], most: int) -> list[str]:
    kept = set(sorted(names, key=lambda name: -weight.get(name, 0.0))[:most])
    return [name for name in names if name in kept]


def _moved(view: View, planned: dict[Pair, float], change: dict[Pair, float], pair: Pair, figure: int) -> str:
    if pair not in planned:
        return ""
    moved = view.gw(change[pair])
    sign = f"({'+' if change[pair] > 0 else ''}{moved})" if float(moved) else ""
    return f"{view.gw(planned[pair])} {sign:<{figure + 3}}"


def _acts_now(view: View) -> str:
    """Say which deals to sign or end and which contracts to cancel in the first period."""
    roots = view.tree.roots
    acts = []
    for column, verb in (("signed_gw", "sign"), ("notice_given_gw", "give notice for"), ("breached_gw", "break off")):
        deals = view.matrix("deals", "pathway", column)
        amounts = deals.values[:, roots] @ view.tree.probability[roots]
        named = [f"{view.gw(x)} GW of {p}" for p, x in zip(deals.names, amounts, strict=True) if x >= view.least_gw]
        acts += [f"{verb} {listed(named)}"] if named else []
    steps = notices(view)
    cancelled = steps.loc[steps["period"] == 0, "contract"].unique().tolist()
    acts += [f"cancel {listed(cancelled)} (see below)"] if cancelled else []
    if acts:
        return f"Also now: {'; '.join(acts)}. "
    return ""


def _next_reveal(view: View) -> str:
    """Say how long the plan is the same in all futures, and what it depends on next."""
    if not view.branching:
        return ""
    first = view.reveals[view.branching[0]]
    factors = [view.instance.factors[f] for f in view.branching if view.reveals[f] == first]
    named = []
    for factor in factors:
        outcomes = ", ".join(f"{o.name} {percent(o.probability)}" for o in factor.outcomes)
        named.append(f"{factor.name} ({outcomes})")
    when = f"Until {view.dates[first]} the plan is the same in all futures; then" if first else "From the start"
    return f"{when} it depends on {listed(named)}."


def notices(view: View) -> pd.DataFrame:
    """Return every notice of cancellation worth showing, by node: GW and share it adds, and the share reached."""
    frame = view.plan.cancellations
    shares = view.matrix("cancellations", "contract", "share")
    rows = view.matrix("cancellations", "contract", "probability").values > 0
    tree = view.tree
    reached, before = np.zeros_like(shares.values), np.zeros_like(shares.values)
    for t in range(tree.periods):
        nodes = np.flatnonzero(tree.period == t)
        if t:
            before[:, nodes] = reached[:, tree.parent[nodes]]
        reached[:, nodes] = np.where(rows[:, nodes], shares.values[:, nodes], before[:, nodes])
    code = pd.Index(shares.names).get_indexer(frame["contract"].astype(object))
    share = frame["share"].to_numpy()
    part = np.divide(share - before[code, frame["node"]], share, out=np.zeros(len(share)), where=share > 0)
    added = frame.assign(added_gw=frame["gw"].to_numpy() * part)
    return added[added["added_gw"] >= view.least_gw].sort_values("node", kind="stable")


Block = tuple[int, tuple[int, ...], list["pd.Series[Any]"]]


def _blocks(view: View, steps: pd.DataFrame) -> Iterator[Block]:
    """Yield period, nodes and rows of notices that are given together, first periods and likelier futures first."""
    for period, sub in steps.groupby("period", sort=True):
        alike: dict[tuple[str, ...], list[int]] = {}
        row_of: dict[tuple[str, ...], pd.Series[Any]] = {}
        for _, row in sub.iterrows():
            key = (row["contract"], view.gw(row["added_gw"]), percent(row["share"]), str(row["effective"]))
            alike.setdefault(key, []).append(int(row["node"]))
            row_of[key] = row
        together: dict[tuple[int, ...], list[pd.Series[Any]]] = {}
        for key, nodes in alike.items():
            together.setdefault(tuple(nodes), []).append(row_of[key])
        likelier = sorted(together.items(), key=lambda item: -float(view.tree.probability[list(item[0])].sum()))
        for nodes, rows in likelier:
            yield int(period), nodes, rows


def cancellations(page: Page, view: View) -> None:
    """Show which contracts to cancel, when and in which futures, first decisions first."""
    if view.plan.cancellations.empty:
        return
    steps = notices(view)
    page.heading("CANCELLATIONS TO TAKE, first decisions first")
    if steps.empty:
        page.note("None: with this plan no contract that may be cancelled is worth less than it saves.")
    else:
        _table_of_notices(page, view, steps)
    _undervalued(page, view)


def _table_of_notices(page: Page, view: View, steps: pd.DataFrame) -> None:
    lines: list[list[str]] = []
    shown: list[tuple[int, str]] = []
    for period, nodes, rows in _blocks(view, steps):
        if lines and len(lines) + 1 + len(rows) > MOST_LINES:
            break
        futures = f" {view.futures(list(nodes))}" if view.branching else ""
        lines.append([f"By {view.dates[period]}{futures}:"])
        for row in rows[:MOST_LINES]:
            supplier = view.suppliers.get(row["contract"])
            vendor = supplier.vendor if supplier else ""
            price = supplier.price if supplier else np.nan
            lines.append(
                [
                    f"  {row['contract']} ({vendor})" if vendor else f"  {row['contract']}",
                    view.gw(row["added_gw"]),
                    percent(row["share"]).removesuffix(" %"),
                    str(row["effective"])[:7],
                    view.money(row["fee_bn"]),
                    view.rate(price),
                    view.rate(_earned(view, supplier, nodes, row["effective"])),
                ]
            )
            shown += [(node, row["contract"]) for node in nodes]
    page.table(["notice, contract (vendor)", "GW", "% of it", "ends", "fee", "saves", "earns"], lines)
    page.note(
        "% of it: cancelled in all by then. ends: first month without it. fee: $bn. saves: its price, earns: what the "
        f"next GW of its pool adds from then until {view.dates[-1]}, $bn per GW-year."
    )
    listed_ = set(shown)
    keys = list(zip(steps["node"].tolist(), steps["contract"].tolist(), strict=True))
    rest = steps[[key not in listed_ for key in keys]]
    if len(rest):
        gw = float((rest["added_gw"] * rest["probability"]).sum())
        fees = float((rest["fee_bn"] * rest["probability"]).sum())
        first = str(rest["start"].min())[:10]
        page.note(
            f"{len(rest)} more notices from {first} on in single futures: {view.gw(gw)} GW and "
            f"{view.money(fees)} $bn of fees expected in all; a kept run (`--out`) lists them."
        )


def _earned(view: View, supplier: Supplier | None, nodes: tuple[int, ...], effective: Any) -> float:
    """Return what the next GW of a contract's pool is worth after a notice takes effect there, $bn per GW-year."""
    if supplier is None:
        return np.nan
    values = view.marginal("supply").of(supplier.pool)
    below = view.below(nodes) & (view.starts >= np.datetime64(effective)) & np.isfinite(values)
    weight = view.weight[below]
    return float(values[below] @ weight / weight.sum()) if below.any() else np.nan


def _undervalued(page: Page, view: View) -> None:
    """Say which contracts save more by a cancellation than the plan counts, because nothing counts their later years."""
    windows = view.plan.cancellations["contract"].unique().tolist()
    contracts, pools = view.instance.tables["contracts"], view.instance.tables["pools"]
    end = dict(zip(contracts["contract"], contracts["end"], strict=True))
    terminal = dict(zip(pools["pool"], pools["terminal_value_bn_per_gw_year"], strict=True))
    horizon = pd.Timestamp(view.dates[-1])
    named = [
        name
        for name in windows
        if name in view.suppliers
        and (pd.isna(last := end.get(name)) or (last > horizon and pd.isna(terminal.get(view.suppliers[name].pool))))
    ]
    if named:
        more = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
        page.note(
            f"Undervalued: no terminal line counts what {listed([*named[:MOST_NAMED], *more])} costs and is worth after "
            f"{view.dates[-1]}, so cancelling near that date saves more than is shown."
        )


def deals(page: Page, view: View) -> None:
    """Show GW to sign and to give notice for by year, and how that differs with what is known first."""
    if view.plan.deals.empty:
        return
    signed, ended = view.matrix("deals", "pathway", "signed_gw"), view.matrix("deals", "pathway", "notice_given_gw")
    figure = len(view.gw(view.peak_gw))
    labels = max(len(branch) for branch, _ in _first_branches(view)) + max(map(len, signed.names))
    spans = view.spans(max((page.width - 5 - min(labels, 34)) // (2 * figure + 3), 1))
    rows = []
    for name in signed.names[:MOST_PATHWAYS]:
        for number, (branch, probability) in enumerate(_first_branches(view)):
            sums = view.sums(spans, probability)
            pair = zip(signed.of(name) @ sums, ended.of(name) @ sums, strict=True)
            cells = [f"{view.gw(s)}/{view.gw(e):<{figure}}" for s, e in pair]
            rows.append([name if number == 0 else "", branch, *cells])
    page.heading("DEALS: GW to sign / to give notice for, in the year")
    page.table(["", "", *(span.label for span in spans)], rows, "nn" + "r" * len(spans))
    if len(signed.names) > MOST_PATHWAYS:
        page.note(f"{len(signed.names) - MOST_PATHWAYS} more deal pathways are left out.")
    _terms(page, view, list(signed.names[:MOST_PATHWAYS]))


def _first_branches(view: View) -> list[tuple[str, FloatArray]]:
    """Return the outcomes of the factor revealed first, with the probability of each node given them."""
    if not view.branching:
        return [("", view.tree.probability)]
    factor = view.branching[0]
    outcomes = view.instance.factors[factor].outcomes
    if len(outcomes) > MOST_BRANCHES:
        return [("expected", view.tree.probability)]
    return [(f"if {view.outcome(factor, o)}", view.given(factor, o)) for o in range(len(outcomes))]


def _terms(page: Page, view: View, names: list[str]) -> None:
    """Say how deals end, and how much is expected to be lost or broken off."""
    pathways = view.instance.filled("pathways").set_index("pathway")
    probability = view.tree.probability
    said = []
    for name in names:
        terms = []
        if name in pathways.index:
            days, term, cost = pathways.loc[name, ["notice_days", "min_term_days", "signing_cost_bn_per_gw"]]
            terms += [f"{days:g} days' notice"] if days else []
            terms += [f"at least {term:g} days"] if term else []
            terms += [f"{cost:g} $bn per GW to sign"] if cost else []
        for column, verb in (("lost_gw", "lost to churn"), ("breached_gw", "broken off")):
            gw = float(view.matrix("deals", "pathway", column).of(name) @ probability)
            terms += [f"{view.gw(gw)} GW expected to be {verb}"] if gw >= view.least_gw else []
        said += [f"{name}: {', '.join(terms)}."] if terms else []
    if said:
        page.note(" ".join(said))
