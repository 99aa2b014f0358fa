"""Draws what may be signed, extended, given back in several ways and sold, and outcomes that change it afterwards.

It comes last and from choices of its own, so that the rest of an instance is the same with it and without.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from tests.generate.draft import Draft, Row
from tests.generate.scope import Edit, written
from tests.generate.tables import cancellation


def add_commitments(draft: Draft, rng: np.random.Generator, integers: bool) -> None:
    """Draw offers, contracts sold, extensions and second ways out, and edits of outcomes that reach them."""
    draft.rng, before = rng, draft.rng
    edits = [edit for factor in draft.factors for outcome in factor["outcome"] for edit in outcome["edit"]]
    pools = (
        draft.names("pools")[:1] if any(e["table"] == "pools" and "drop" in e for e in edits) else draft.names("pools")
    )
    blanks = any(edit.get("column", "").startswith("terminal") and edit.get("set") == "" for edit in edits)
    for row in draft.tables.get("cancellations", []):
        row |= {"window": None, "fee_share_of_rest": None}
    for row in draft.tables["contracts"]:
        row |= {"side": None, "late_credit_bn_per_gw_year": None}
    for row in draft.tables["deliveries"]:
        row |= {"after_days": None, "term_months": None}
    endless = {row["pool"] for row in draft.tables["pools"] if row["terminal_value_bn_per_gw_year"] is None}
    for number in range(draft.count(1, 4)):
        sold = draft.chance(0.4)
        pool = draft.choice(pools)
        bounded = blanks or pool in endless
        add_offer(draft, f"{'sale' if sold else 'offer'} {number}", pool, sold, bounded, integers)
    if draft.chance(0.4):
        add_sale(draft, draft.choice(pools))
    extend(draft, edits, pools, endless | ({*pools} if blanks else set()), integers)
    second_ways_out(draft, edits)
    for factor in draft.factors:
        for outcome in factor["outcome"]:
            if draft.chance(0.6):
                outcome["edit"] += later(draft, factor["revealed"], f"{factor['name'][-1]}{outcome['name'][-1]}")
    draft.rng = before


def contract(draft: Draft, name: str, pool: str, sold: bool, end: dt.date | None) -> Row:
    """Draw a contract bought or sold."""
    return {
        "contract": name,
        "vendor": "Acme" if sold else None,
        "kind": None,
        "pool": pool,
        "end": end,
        "cost_bn_per_gw_year": draft.number(0.2, 4 if sold else 2),
        "delay_months": draft.count(1, 5) if draft.chance(0.2) else None,
        "side": "sell" if sold else draft.choice(["buy", None]),
        "late_credit_bn_per_gw_year": draft.maybe(0.5, 0, 6) if sold else None,
    }


def delivery(name: str, date: dt.date | None, gw: float, after: int | None = None, term: int | None = None) -> Row:
    """Return a row of deliveries."""
    return {"contract": name, "date": date, "after_days": after, "gw": gw, "term_months": term}


def window(draft: Draft) -> tuple[dt.date, dt.date]:
    """Draw a window of signature that holds at least one period."""
    opens = draft.tau(draft.count(0, draft.periods))
    return opens, max(opens, draft.date(draft.count(0, draft.periods + 2)))


def offer(draft: Draft, name: str, opens: dt.date, closes: dt.date, integers: bool) -> Row:
    """Draw the terms of an offer."""
    most = draft.maybe(0.3, 0.4, 1)
    kind = draft.choice(["whole", "part", ""]) if integers else ""
    least = draft.maybe(0.25, 0.05, most or 1)
    return {
        "contract": name,
        "opens": opens,
        "closes": closes,
        "lead_days": draft.choice([None, 0, 30, 90, 200, 365]),
        "signing_cost_bn_per_gw": draft.maybe(0.5, 0, 0.3),
        "max_share": None if kind == "whole" else most,
        "least_share": None if kind == "whole" else least,
        "min_share": draft.number(0.1, 0.4) if kind == "part" else None,
        "indivisible": True if kind == "whole" else draft.choice([None, False]),
        "extends": None,
    }


def prices(draft: Draft, name: str) -> None:
    """Draw prices by date of signature."""
    dates = {draft.tau(draft.count(-1, draft.periods)) for _ in range(draft.count(1, 4))}
    for date in sorted(dates):
        row = {
            "contract": name,
            "from": date,
            "cost_bn_per_gw_year": draft.maybe(0.8, 0.2, 3),
            "signing_cost_bn_per_gw": draft.maybe(0.4, 0, 0.4),
        }
        draft.tables.setdefault("offer_prices", []).append(row)


def add_offer(draft: Draft, name: str, pool: str, sold: bool, bounded: bool, integers: bool) -> None:
    """Draw an offer: by date, with ways out, or counted from the signature, at prices by date."""
    by_signature = draft.chance(0.5)
    terms = by_signature and draft.chance(0.5)
    beyond = draft.date(draft.periods + draft.count(1, 12))
    end = draft.tau(draft.count(2, draft.periods + 1)) if bounded else beyond
    draft.tables["contracts"].append(contract(draft, name, pool, sold, None if terms and not bounded else end))
    opens, closes = window(draft)
    draft.tables.setdefault("offers", []).append(offer(draft, name, opens, closes, integers))
    row = draft.tables["offers"][-1]
    if sold and row["least_share"]:
        draft.tables["contracts"][-1]["late_credit_bn_per_gw_year"] = draft.number(0, 5)
    for _ in range(draft.count(1, 4)):
        after = draft.choice([0, 30, 100, 400]) if by_signature and draft.chance(0.6) else None
        date = None if after is not None else draft.date(draft.count(-1, draft.periods + 3))
        term = draft.count(1, 40) if terms else None
        draft.tables["deliveries"].append(delivery(name, date, draft.number(0.05, 0.8), after, term))
    if by_signature:
        prices(draft, name)
        return
    for number in range(draft.count(0, 3)):
        leaves, until = window(draft)
        draft.tables.setdefault("cancellations", []).append(way_out(draft, name, f"way {number}", leaves, until))


def way_out(draft: Draft, name: str, called: str | None, opens: dt.date, closes: dt.date) -> Row:
    """Draw a way out; a share of the rest only where there is an end."""
    row = cancellation(draft, name, opens, closes) | {"window": called, "fee_share_of_rest": None}
    ends = draft.rows("contracts", contract=name)[0]["end"] is not None
    return row | {"fee_share_of_rest": draft.maybe(0.4, 0, 0.6) if ends else None}


def add_sale(draft: Draft, pool: str) -> None:
    """Draw a contract sold firmly, of which GW may be missing, with a way out now and then."""
    end = draft.date(draft.count(2, draft.periods + 8))
    draft.tables["contracts"].append(
        contract(draft, "sold", pool, True, end) | {"late_credit_bn_per_gw_year": draft.number(0, 6)}
    )
    date = draft.date(draft.count(-2, draft.periods))
    draft.tables["deliveries"].append(delivery("sold", date, draft.number(0.05, 0.5)))
    if draft.chance(0.5):
        opens, closes = window(draft)
        draft.tables.setdefault("cancellations", []).append(way_out(draft, "sold", None, opens, closes))


def extend(draft: Draft, edits: list[Edit], pools: list[str], bounded: set[str], integers: bool) -> None:
    """Draw an extension of a contract that ends within the plan, and another of the extension."""
    gone = {e["where"]["contract"] for e in edits if e["table"] == "contracts" and "drop" in e}
    able = [r for r in draft.tables["contracts"] if r["end"] and r["contract"] not in gone and r["pool"] in pools]
    able = [r for r in able if r["end"] and draft.start < r["end"] < draft.tau(draft.periods - 1)]
    able = [r for r in able if all(d["date"] for d in draft.rows("deliveries", contract=r["contract"]))]
    if not able or draft.chance(0.3):
        return
    of = draft.choice(able)
    for number in range(draft.count(1, 3)):
        name = f"more {number}"
        far = draft.tau(draft.periods) if of["pool"] in bounded else draft.date(draft.periods + draft.count(0, 8))
        end = of["end"] + dt.timedelta(days=draft.count(30, 500))
        sold = of["side"] == "sell"
        row = contract(draft, name, of["pool"], sold, min(max(end, far), far)) | {
            "side": of["side"],
            "delay_months": None,
        }
        draft.tables["contracts"].append(row)
        opens = draft.tau(draft.count(0, draft.periods))
        terms = offer(draft, name, opens, max(opens, of["end"]), integers) | {
            "extends": of["contract"],
            "least_share": None,
        }
        draft.tables.setdefault("offers", []).append(terms)
        of = row


def second_ways_out(draft: Draft, edits: list[Edit]) -> None:
    """Draw second windows for contracts that have one which no outcome edits."""
    edited = {{**e.get("where", {}), **e.get("insert", {})}["contract"] for e in edits if e["table"] == "cancellations"}
    gone = {e["where"]["contract"] for e in edits if e["table"] == "contracts" and "drop" in e}
    for row in list(draft.tables.get("cancellations", [])):
        if row["window"] is None and row["contract"] not in edited | gone and draft.chance(0.5):
            opens, closes = window(draft)
            draft.tables["cancellations"].append(way_out(draft, row["contract"], "second", opens, closes))


def later(draft: Draft, revealed: dt.date, mark: str) -> list[Edit]:
    """Draw edits of offers that leave what lies before a reveal as it is; each outcome and offer is met once."""
    edits: list[Edit] = []
    anything = revealed <= draft.start
    for row in draft.rows("offers"):
        name = row["contract"]
        key = {"table": "offers", "where": {"contract": name}}
        if draft.chance(0.6) or row["extends"] or any(name in met for met in draft.met):
            continue
        draft.met.add((name, mark))
        deliveries = [d["date"] for d in draft.rows("deliveries", contract=name) if d["date"] and d["date"] >= revealed]
        options: list[Edit] = []
        if deliveries:
            shift = {"table": "deliveries", "where": {"contract": name}, "column": "date", "from": revealed}
            options.append({**shift, "shift_months": draft.count(1, 7)})
        if row["closes"] >= revealed:
            options.append({**key, "column": "closes", "shift_months": draft.count(1, 6)})
        if row["opens"] >= revealed or anything:
            options += [
                {**key, "column": "lead_days", "set": draft.choice([0, 60, 250])},
                {**key, "column": "signing_cost_bn_per_gw", "set": draft.number(0, 0.3)},
            ]
            dated = all(d["date"] for d in draft.rows("deliveries", contract=name))
            follows = draft.rows("cancellations", contract=name) + draft.rows("offers", extends=name)
            unopened = all(window["opens"] >= revealed for window in follows)
            if anything or (dated and unopened and not draft.delivered_before(name, revealed)):
                options += [{"table": "contracts", "where": {"contract": name}, "drop": True}]
        if draft.rows("offer_prices", contract=name) and draft.tau(draft.periods - 1) > revealed:
            dates = {price["from"] for price in draft.rows("offer_prices", contract=name)}
            if revealed not in dates:
                cells = {"contract": name, "from": revealed, "cost_bn_per_gw_year": draft.number(0.2, 3)}
                options.append({"table": "offer_prices", "insert": cells})
        if not draft.rows("offer_prices", contract=name):
            opens = max(revealed, draft.start)
            cells = written(cancellation(draft, name, opens, opens + dt.timedelta(days=draft.count(0, 300))))
            options.append({"table": "cancellations", "insert": {**cells, "window": f"out {mark}"}})
        if options:
            edits.append(draft.choice(options))
    return edits
