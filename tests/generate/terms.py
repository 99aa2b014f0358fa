"""Draws terms of contracts as filed: growth, prepayments and credits, capital on arrival, credits for late delivery.

It comes after all else and from choices of its own. What an outcome may change before it is known, a prepayment of
bills that it edits, is left out.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import numpy as np

from tests.generate.draft import Draft, Row

OF_CONTRACTS = ("price_growth_per_year", "price_from", "prepaid_share", "prepaid_days", "credit_after_months")


def add_terms(draft: Draft, rng: np.random.Generator) -> None:
    """Draw terms for some contracts."""
    draft.rng, before = rng, draft.rng
    offers = {row["contract"] for row in draft.rows("offers")}
    leaving = {row["contract"] for row in draft.rows("cancellations")} | inserted_windows(draft)
    edited = edited_contracts(draft)
    for row in draft.tables["deliveries"]:
        row |= {"upfront_bn_per_gw": None, "credit_bn": None}
    for row in draft.tables["contracts"]:
        row |= dict.fromkeys(OF_CONTRACTS)
        name = row["contract"]
        anchored = name in offers & leaving
        if draft.chance(0.4):
            row["price_growth_per_year"] = draft.choice([0.03, 0.1, 0.35])
            if anchored or draft.chance(0.3):
                row["price_from"] = draft.date(draft.count(-9, draft.periods))
        if not anchored and not any(fnmatchcase(name, pattern) for pattern in edited):
            add_payments(draft, row)
    draft.rng = before


def add_payments(draft: Draft, row: Row) -> None:
    """Draw what is paid at other times than while a contract is in service."""
    own = draft.rows("deliveries", contract=row["contract"])
    if draft.chance(0.5) and (row["end"] or all(delivery["term_months"] for delivery in own)):
        row |= {
            "prepaid_share": draft.number(0.05, 0.6),
            "prepaid_days": draft.choice([None, 30, 95, 400]),
            "credit_after_months": draft.choice([None, 1, 6, 14]),
        }
        for delivery in own if not draft.rows("offers", contract=row["contract"]) else ():
            delivery["credit_bn"] = draft.maybe(0.2, 0, 0.3)
    for delivery in own:
        delivery["upfront_bn_per_gw"] = draft.maybe(0.3, 0.1, 1)
    offers = [offer for offer in draft.rows("offers", contract=row["contract"]) if not offer["extends"]]
    if row["side"] != "sell" and (row["delay_months"] or offers):
        row["late_credit_bn_per_gw_year"] = draft.maybe(0.8, 0.1, 1)
        row["delay_months"] = row["delay_months"] or draft.count(1, 9)


def inserted_windows(draft: Draft) -> set[str]:
    """Return the contracts for which an outcome inserts a way out."""
    return {e["insert"]["contract"] for e in edits(draft) if e["table"] == "cancellations" and "insert" in e}


def edits(draft: Draft) -> list[Row]:
    """Return every edit of every outcome."""
    return [edit for factor in draft.factors for outcome in factor["outcome"] for edit in outcome["edit"]]


def edited_contracts(draft: Draft) -> list[str]:
    """Return patterns of the contracts whose bills an outcome edits."""
    tables = ("contracts", "deliveries", "offers", "offer_prices")
    return [
        {**edit.get("where", {}), **edit.get("insert", {})}.get("contract", "*")
        for edit in edits(draft)
        if edit["table"] in tables
    ]
