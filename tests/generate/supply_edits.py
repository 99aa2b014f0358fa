"""Draws edits of contracts, deliveries, cancellation windows and pools."""

from __future__ import annotations

import datetime as dt

from tests.generate.draft import add_months
from tests.generate.scope import Edit, Scope, one_of, written
from tests.generate.tables import cancellation


def edit_deliveries(scope: Scope) -> list[Edit]:
    """Move, resize, drop or insert deliveries of a contract that come after the reveal."""
    draft, known = scope.draft, scope.draft.rows("cancellations")
    # Fees of a window that opens before the reveal rest on what is expected, not on what turns out.
    open_before = [r["contract"] for r in known if r["contract"] in scope.contracts and r["opens"] < scope.since]
    names = open_before if open_before and draft.chance(0.7) else scope.contracts
    k = one_of(scope, "deliveries", names, "contract")
    if k is None or ("dropped", k) in scope.touched:
        return []
    later = [row["date"] for row in draft.rows("deliveries", contract=k) if row["date"] >= scope.since]
    if not later and draft.chance(0.5):
        return []
    if not later or draft.chance(0.2):
        return [
            {"table": "deliveries", "insert": {"contract": k, "date": scope.new_date(), "gw": draft.number(0.1, 1)}}
        ]
    name = draft.choice([k, k + "*", "c[" + k[1] + "]" + k[2:]])
    own = {"table": "deliveries", "where": {"contract": name}}
    dates: Edit = {} if scope.anything and draft.chance(0.5) else {"from": scope.since}
    if draft.chance(0.3):
        dates["until"] = max(later) + dt.timedelta(days=draft.count(1, 90))
    date = draft.choice(later)
    options: list[Edit] = [
        {**own, "column": "date", "shift_months": draft.count(1, 13), **dates},
        {**own, "column": "gw", "scale": draft.number(0.2, 1.5), **dates},
        {**own, "column": "gw", "add": draft.number(0.05, 0.5), **dates},
        {**own, "drop": True, **dates},
        {"table": "deliveries", "where": {"contract": k, "date": date}, "column": "gw", "set": draft.number(0.1, 1)},
    ]
    if add_months(min(later), -3) >= scope.since:
        options.append({**own, "column": "date", "shift_months": -3, **dates})
    return [draft.choice(options)]


def edit_contract(scope: Scope) -> list[Edit]:
    """Delay, reprice or end a contract as far as this leaves the past alone, or drop it."""
    draft, k = scope.draft, one_of(scope, "contracts", scope.contracts, "contract")
    if k is None:
        return []
    own, end = {"table": "contracts", "where": {"contract": k}}, draft.rows("contracts", contract=k)[0]["end"]
    options: list[Edit] = []
    if scope.undelivered(k):
        options += [
            {**own, "column": "delay_months", "add": draft.count(1, 9)},
            {**own, "column": "delay_months", "set": draft.count(8, 12)},
            {**own, "column": "cost_bn_per_gw_year", "scale": draft.number(0.3, 2)},
        ]
        if not scope.touched & {("deliveries", k), ("cancellations", k)}:
            options += [{**own, "drop": True}] * 2
    if scope.at_leaves and (end is None or end >= scope.since):
        options.append({**own, "column": "end", "set": scope.new_date(10)})
        if end is not None and (end > add_months(scope.since, 4) or scope.anything):
            options.append({**own, "column": "end", "shift_months": draft.choice([-3, 2, 12])})
    edit = draft.choice(options) if options else None
    if edit and "drop" in edit:
        scope.touched.add(("dropped", k))
    return [edit] if edit else []


def new_contract(scope: Scope) -> list[Edit]:
    """Insert a contract with deliveries and, sometimes, a window."""
    draft = scope.draft
    if draft.chance(0.6) or not scope.contracts:
        return []
    pools = [q for q in draft.names("pools") if ("dropped", q) not in scope.touched]
    # The name stays the factor's own, whatever other factors insert.
    name, date = f"new {scope.contracts[0]}", scope.new_date()
    contract = {"contract": name, "pool": draft.choice(pools), "cost_bn_per_gw_year": draft.number(0, 1.5)}
    if draft.chance(0.5):
        contract["end"] = date + dt.timedelta(days=draft.count(100, 2000))
    edits: list[Edit] = [
        {"table": "contracts", "insert": contract},
        {"table": "deliveries", "insert": {"contract": name, "date": date, "gw": draft.number(0.1, 1)}},
    ]
    if draft.chance(0.5):
        opens = scope.new_date()
        window = cancellation(draft, name, opens, opens + dt.timedelta(days=draft.count(0, 400)))
        edits.append({"table": "cancellations", "insert": written(window)})
    return edits


def edit_window(scope: Scope) -> list[Edit]:
    """Insert, move, reprice or drop a cancellation window."""
    draft = scope.draft
    free = [k for k in scope.contracts if ("dropped", k) not in scope.touched]
    if not free:
        return []
    k = draft.choice(free)
    if not scope.first("cancellations", k):
        return []
    rows, window = draft.rows("cancellations", contract=k), {"table": "cancellations", "where": {"contract": k}}
    if not rows:
        opens = scope.new_date()
        row = cancellation(draft, k, opens, opens + dt.timedelta(days=draft.count(0, 400)))
        return [{"table": "cancellations", "insert": written(row)}]
    opens, closes = rows[0]["opens"], rows[0]["closes"]
    options: list[Edit] = []
    if closes >= scope.since:
        options.append({**window, "column": "closes", "shift_months": draft.count(1, 7)})
        options.append({**window, "column": "closes", "set": max(opens, scope.new_date())})
    if opens >= scope.since:
        options += [
            {**window, "column": "fee_bn_per_gw", "scale": draft.number(0, 2)},
            {**window, "column": "fee_bn_per_gw", "add": draft.number(0, 0.5)},
            {**window, "column": "max_share", "scale": draft.number(0.3, 1)},
            {**window, "column": "notice_days", "set": draft.choice([0, 45, 120, ""])},
            {**window, "drop": True},
        ]
        if add_months(opens, 3) <= closes:
            options.append({**window, "column": "opens", "shift_months": 3})
    return [draft.choice(options)] if options else []


def edit_terminal(scope: Scope) -> list[Edit]:
    """Change what capacity is worth beyond the horizon, which no period before the last one sees."""
    draft = scope.draft
    if not scope.at_leaves or draft.chance(0.6):
        return []
    column = {"table": "pools", "column": "terminal_value_bn_per_gw_year"}
    if draft.chance(0.5):
        return [{**column, "where": {"pool": "*"}, "scale": draft.number(0, 2)}]
    return [{**column, "where": {"pool": draft.names("pools")[0]}, "set": draft.choice(["", draft.number(0, 3)])}]


def edit_rates(scope: Scope) -> list[Edit]:
    """Change undated prices of all contracts or pools."""
    draft = scope.draft
    return [
        draft.choice(
            [
                {"table": "contracts", "column": "cost_bn_per_gw_year", "scale": draft.number(0.5, 1.5)},
                {"table": "pools", "column": "idle_penalty_bn_per_gw_year", "add": draft.number(0, 0.3)},
            ]
        )
    ]


def drop_something(scope: Scope) -> list[Edit]:
    """Drop a whole pool or pathway, not the first, before the other edits and where no other factor can miss it."""
    draft = scope.draft
    if not scope.alone or not scope.anything or draft.chance(0.5):
        return []
    pools, pathways = draft.names("pools")[1:], draft.names("pathways")[1:]
    if pools and draft.chance(0.5):
        q = draft.choice(pools)
        scope.contracts = [k for k in scope.contracts if draft.rows("contracts", contract=k)[0]["pool"] != q]
        scope.touched |= {("dropped", q), *(("pair", f"{p} {q}") for p in draft.names("pathways"))}
        return [{"table": "pools", "where": {"pool": q}, "drop": True}]
    if pathways:
        p = draft.choice(pathways)
        scope.pathways = [other for other in scope.pathways if other != p]
        return [{"table": "pathways", "where": {"pathway": p}, "drop": True}]
    return []
