"""What offers, ways out, extensions and contracts sold must keep, and what of them decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from gwplan.check.facts import Facts, Finding, iso, rule
from gwplan.instance.cells import Array, shown
from gwplan.tree.calendar import add_months

_CALENDAR: Final = "calendar: start resolution periods"
_CONTRACTS: Final = "contracts: contract"


MOST_YEARS: Final = 100
"""Years up to which a price may rise."""


def _of_offers(facts: Facts) -> Array:
    """Return the row of ``offers`` of each contract, -1 for a firm one."""
    of = np.full(len(facts.rows("contracts")) + 1, -1)  # the last stands for unknown names
    code = facts.codes("offers", "contract", "contracts")
    of[code] = np.arange(len(code))
    of[-1] = -1
    return of


@rule("deliveries: contract date after_days", _CONTRACTS, "offers: contract")
def deliveries_have_one_time(facts: Facts) -> Iterator[Finding]:
    """Find deliveries with neither a date nor days from the signature, with both, or of firm contracts with days."""
    dated = ~np.isnat(facts.dates("deliveries", "date"))
    after = ~np.isnan(facts.numbers("deliveries", "after_days"))
    for i in np.flatnonzero(~dated & ~after):
        yield facts.finding("deliveries", i, "date", "blank", "a delivery has a date, or after_days", "give it one")
    for i in np.flatnonzero(dated & after):
        what, rule = (
            f"{shown(facts.numbers('deliveries', 'after_days')[i])} beside a date",
            "a delivery has one of them",
        )
        yield facts.finding("deliveries", i, "after_days", what, rule, "clear one of the two")
    contract = facts.codes("deliveries", "contract", "contracts")
    firm = (contract >= 0) & (_of_offers(facts)[contract] < 0)
    for i in np.flatnonzero(after & firm):
        name = facts.texts("deliveries", "contract")[i]
        what, rule = shown(facts.numbers("deliveries", "after_days")[i]), f"'{name}' is no offer: it has no signature"
        yield facts.finding("deliveries", i, "after_days", what, rule, "give it a date, or add it to offers.csv")


@rule(_CALENDAR, "offers: contract opens closes")
def windows_of_offers(facts: Facts) -> Iterator[Finding]:
    """Find offers that close before they open, or before the start."""
    opens, closes, start = facts.dates("offers", "opens"), facts.dates("offers", "closes"), facts.calendar.starts(1)[0]
    for i in np.flatnonzero(closes < opens):
        rule = f"the offer opens on {iso(opens[i])}, after it closes"
        yield facts.finding("offers", i, "closes", iso(closes[i]), rule, "correct one of the two dates")
    for i in np.flatnonzero((closes < start) & (opens <= closes)):
        rule = f"the plan starts on {iso(start)}: it can no longer be signed"
        remedy = "delete the offer, or where it was signed its row here alone, so that it is a firm contract"
        yield facts.finding("offers", i, "closes", iso(closes[i]), rule, remedy)


@rule("offers: contract max_share least_share min_share indivisible")
def shares_of_offers(facts: Facts) -> Iterator[Finding]:
    """Find least shares above the largest, and whole offers of which less is allowed."""
    most = facts.numbers("offers", "max_share")
    for column in ("least_share", "min_share"):
        least = facts.numbers("offers", column)
        for i in np.flatnonzero(least > most):
            rule = f"above max_share {shown(most[i])}"
            yield facts.finding("offers", i, column, shown(least[i]), rule, "lower it, or raise max_share")
    for i in np.flatnonzero((facts.numbers("offers", "indivisible") > 0) & (most < 1)):
        rule = "it is indivisible: signed whole or not at all"
        yield facts.finding("offers", i, "max_share", shown(most[i]), rule, "clear one of the two")


@rule(
    _CALENDAR,
    "contracts: contract pool end delay_months",
    "deliveries: contract date after_days term_months",
    "offers: contract closes lead_days extends",
    "pools: pool terminal_value_bn_per_gw_year",
)
def offers_that_outlive_the_plan(facts: Facts) -> Iterator[Finding]:
    """Find offers without an end, and those that run beyond the plan where that is worth nothing that is said."""
    offers = facts.codes("offers", "contract", "contracts")
    endless = np.isnat(facts.dates("contracts", "end"))
    without = facts.codes("deliveries", "contract", "contracts")[np.isnan(facts.numbers("deliveries", "term_months"))]
    open_ended = endless & np.isin(np.arange(len(endless)), without)
    last = np.searchsorted(facts.calendar.starts(), facts.dates("offers", "closes"), side="right") - 1
    pool = facts.codes("contracts", "pool", "pools")
    unsaid = np.append(np.isnan(facts.numbers("pools", "terminal_value_bn_per_gw_year")), False)[pool]
    for i in np.flatnonzero(offers >= 0).tolist():
        k = offers[i]
        name = facts.texts("offers", "contract")[i]
        if open_ended[k] or (endless[k] and facts.texts("offers", "extends")[i]):
            rule = "an offer has an end in contracts.csv, or a term_months on each of its deliveries"
            yield facts.finding("offers", i, "contract", f"'{name}' has no end", rule, "give it one")
        elif unsaid[k] and _service(facts, i, int(last[i]))[1].max(initial=0) > facts.calendar.periods:
            q = facts.texts("contracts", "pool")[k]
            what = f"'{name}' runs beyond the plan's end, {iso(facts.horizon)}"
            rule = f"pool '{q}' has no terminal value: it would be judged by its first years alone"
            remedy = "give the pool a terminal_value_bn_per_gw_year, or the offer an end within the plan"
            yield facts.finding("offers", i, "contract", what, rule, remedy)


@rule(
    "offers: contract lead_days extends",
    "offer_prices: contract cost_bn_per_gw_year",
    "deliveries: contract after_days term_months",
    "cancellations: contract",
    _CONTRACTS,
)
def offers_by_signature_without_ways_out(facts: Facts) -> Iterator[Finding]:
    """Find ways out of offers whose price or deliveries depend on when each share was signed."""
    of = _of_offers(facts)
    prices = facts.codes("offer_prices", "contract", "contracts")
    priced = set(prices[~np.isnan(facts.numbers("offer_prices", "cost_bn_per_gw_year"))].tolist())
    contract = facts.codes("deliveries", "contract", "contracts")
    lead = np.append(facts.numbers("offers", "lead_days"), 0.0)[of[contract]]
    termed = ~np.isnan(facts.numbers("deliveries", "term_months")) & (lead > 0)
    counted = set(contract[~np.isnan(facts.numbers("deliveries", "after_days")) | termed].tolist())
    for i, k in enumerate(facts.codes("cancellations", "contract", "contracts").tolist()):
        if k >= 0 and of[k] >= 0 and k in priced | counted:
            what = f"'{facts.texts('cancellations', 'contract')[i]}', whose "
            what += "price depends" if k in priced else "deliveries depend"
            rule = "on the date of signature: what a share given back saves would not be known"
            remedy = "delete the way out, or enter an offer for each date, with dates and a price of its own"
            yield facts.finding("cancellations", i, "contract", what, rule, remedy)


@rule("offers: contract extends", "contracts: contract pool side end", "deliveries: contract after_days")
def extensions_fit(facts: Facts) -> Iterator[Finding]:
    """Find extensions of what has no end, is of another pool or side, or counts from its signature; and in a circle."""
    offers, of = facts.codes("offers", "contract", "contracts"), facts.codes("offers", "extends", "contracts")
    contracts, ends = facts.texts("contracts", "contract"), facts.dates("contracts", "end")
    delivering = facts.codes("deliveries", "contract", "contracts")
    counted = set(delivering[~np.isnan(facts.numbers("deliveries", "after_days"))].tolist())
    extended = dict(zip(offers.tolist(), of.tolist(), strict=True))
    for i, (k, j) in enumerate(zip(offers.tolist(), of.tolist(), strict=True)):
        if k < 0 or j < 0:
            continue
        faults = {
            "extends itself": k in _chain(j, extended),
            "has no end to go on from": bool(np.isnat(ends[j])),
            "counts from its signature": j in counted,
            "is in another pool": facts.texts("contracts", "pool")[k] != facts.texts("contracts", "pool")[j],
            "is on the other side": (facts.texts("contracts", "side")[k] == "sell")
            != (facts.texts("contracts", "side")[j] == "sell"),
        }
        for fault in (words for words, there in faults.items() if there):
            what = f"'{contracts[j]}' {fault}"
            rule = "an extension goes on with a dated contract of its pool and side from its end"
            yield facts.finding("offers", i, "extends", what, rule, "correct it, or one of the two contracts")
        for row in np.flatnonzero(delivering == k)[:1]:
            rule = f"it extends '{contracts[j]}' and goes on with what that delivers last"
            what = f"'{contracts[k]}' has deliveries of its own"
            yield facts.finding("deliveries", row, "contract", what, rule, "delete them, or clear extends")


def _service(facts: Facts, i: int, signed: int) -> tuple[Array, Array]:
    """Return the periods in which deliveries of an offer that is signed in a period arrive, and are over."""
    k = facts.codes("offers", "contract", "contracts")[i]
    own = facts.codes("deliveries", "contract", "contracts") == k
    months, after = facts.calendar.months, facts.numbers("deliveries", "after_days")[own]
    waits = facts.calendar.periods_of_days(np.nan_to_num(after)) + np.ceil(
        facts.numbers("contracts", "delay_months")[k] / months
    )
    due = np.where(np.isnan(after), facts.arrivals[own], signed + waits)
    arrival = np.maximum(due, signed + facts.calendar.periods_of_days(facts.numbers("offers", "lead_days"))[i])
    over = np.fmin(arrival + np.ceil(facts.numbers("deliveries", "term_months")[own] / months), facts.ends[k])
    return arrival, over if own.any() else facts.ends[[k]]


def _chain(k: int, extended: dict[int, int]) -> list[int]:
    """Return a contract and what it extends, and so on."""
    chain = [k]
    while extended.get(chain[-1], -1) >= 0 and extended[chain[-1]] not in chain:
        chain.append(extended[chain[-1]])
    return chain


@rule("offer_prices: contract cost_bn_per_gw_year signing_cost_bn_per_gw", "offers: contract", _CONTRACTS)
def prices_of_offers(facts: Facts) -> Iterator[Finding]:
    """Find prices by date of signature of what is no offer, or that say nothing."""
    contract = facts.codes("offer_prices", "contract", "contracts")
    if not facts.all_known("offers", "contract", "contracts"):
        return
    of = _of_offers(facts)[contract]
    for i in np.flatnonzero((contract >= 0) & (of < 0)):
        what = f"'{facts.texts('offer_prices', 'contract')[i]}' is no offer"
        yield facts.finding("offer_prices", i, "contract", what, "it has no date of signature", "add it to offers.csv")


@rule("contracts: contract end", "cancellations: contract fee_share_of_rest", "deliveries: contract term_months")
def shares_of_the_rest(facts: Facts) -> Iterator[Finding]:
    """Find fees that are a share of bills without an end."""
    contract, share = (
        facts.codes("cancellations", "contract", "contracts"),
        facts.numbers("cancellations", "fee_share_of_rest"),
    )
    endless = np.append(np.isnat(facts.dates("contracts", "end")), False)
    without = facts.codes("deliveries", "contract", "contracts")[np.isnan(facts.numbers("deliveries", "term_months"))]
    for i in np.flatnonzero((share > 0) & endless[contract] & np.isin(contract, without)):
        rule = f"'{facts.texts('cancellations', 'contract')[i]}' has no end, so that its bills have none"
        yield facts.finding("cancellations", i, "fee_share_of_rest", shown(share[i]), rule, "give it an end")


@rule("contracts: contract end prepaid_share", "deliveries: contract term_months")
def prepayments_of_what_has_no_end(facts: Facts) -> Iterator[Finding]:
    """Find prepayments that are a share of bills without an end."""
    share, endless = facts.numbers("contracts", "prepaid_share"), np.isnat(facts.dates("contracts", "end"))
    without = facts.codes("deliveries", "contract", "contracts")[np.isnan(facts.numbers("deliveries", "term_months"))]
    for i in np.flatnonzero((share > 0) & endless & np.isin(np.arange(len(share)), without)):
        rule = f"'{facts.texts('contracts', 'contract')[i]}' has no end, so that its bills have none"
        remedy = "give it an end, or each of its deliveries a term_months"
        yield facts.finding("contracts", i, "prepaid_share", shown(share[i]), rule, remedy)


@rule(_CALENDAR, "contracts: contract end price_growth_per_year price_from", "deliveries: contract date term_months")
def prices_that_rise_for_ever(facts: Facts) -> Iterator[Finding]:
    """Find prices that rise for more than a century: after so many years they are no prices any more."""
    growth, end = facts.numbers("contracts", "price_growth_per_year"), facts.dates("contracts", "end")
    since, far = facts.dates("contracts", "price_from"), np.timedelta64(366 * MOST_YEARS, "D")
    of = np.where((code := facts.codes("deliveries", "contract", "contracts")) >= 0, code, len(growth))
    long = np.zeros(len(growth) + 1, dtype=bool)
    long[of[facts.numbers("deliveries", "term_months") > 12 * MOST_YEARS]] = True
    long[of[facts.dates("deliveries", "date") < facts.horizon - far]] = True
    for i in np.flatnonzero((growth > 0) & ((end > facts.horizon + far) | (since < facts.horizon - far) | long[:-1])):
        what = f"{shown(growth[i])} for '{facts.texts('contracts', 'contract')[i]}', which runs for more than a century"
        rule = f"a price rises for {MOST_YEARS} years at most"
        yield facts.finding("contracts", i, "price_growth_per_year", what, rule, "correct its dates, or clear it")


@rule("offers: contract", "deliveries: contract credit_bn", _CONTRACTS)
def credits_of_offers(facts: Facts) -> Iterator[Finding]:
    """Find what is left of prepayments for offers, which cannot have been made."""
    contract, credit = facts.codes("deliveries", "contract", "contracts"), facts.numbers("deliveries", "credit_bn")
    for i in np.flatnonzero((credit > 0) & (contract >= 0) & (_of_offers(facts)[contract] >= 0)):
        rule = f"'{facts.texts('deliveries', 'contract')[i]}' is an offer: nothing of it is paid before it is signed"
        yield facts.finding("deliveries", i, "credit_bn", shown(credit[i]), rule, "clear it")


@rule(
    "offers: contract",
    "cancellations: contract",
    "contracts: contract side price_growth_per_year price_from prepaid_share late_credit_bn_per_gw_year",
    "deliveries: contract upfront_bn_per_gw",
)
def bills_by_signature_without_ways_out(facts: Facts) -> Iterator[Finding]:
    """Find ways out of offers whose payments count from an arrival, and so from when each share was signed."""
    of, said = _of_offers(facts)[:-1], _filed(facts)
    leaving = facts.codes("cancellations", "contract", "contracts")
    for column, there in said.items():
        for i in np.flatnonzero(there & (of >= 0) & np.isin(np.arange(len(of)), leaving)):
            name = facts.texts("contracts", "contract")[i]
            what = f"'{name}' is an offer with a way out"
            rule = "what it is paid counts from the date of signature: what a share given back saves would not be known"
            remedy = "delete the way out, or the term"
            if column == "price_growth_per_year":
                remedy = "give it a price_from, or delete the way out"
            yield facts.finding("contracts", i, column, what, rule, remedy)


def _filed(facts: Facts) -> dict[str, Array]:
    """Return for each term that counts from an arrival which contracts have it."""
    growth, since = facts.numbers("contracts", "price_growth_per_year"), facts.dates("contracts", "price_from")
    sold = np.array([side == "sell" for side in facts.texts("contracts", "side")], dtype=bool)
    upfront = np.zeros(len(growth) + 1, dtype=bool)
    upfront[
        facts.codes("deliveries", "contract", "contracts")[facts.numbers("deliveries", "upfront_bn_per_gw") > 0]
    ] = True
    return {
        "price_growth_per_year": (growth > 0) & np.isnat(since),
        "prepaid_share": facts.numbers("contracts", "prepaid_share") > 0,
        "late_credit_bn_per_gw_year": (facts.numbers("contracts", "late_credit_bn_per_gw_year") > 0) & ~sold,
        "contract": upfront[:-1],
    }


@rule(
    "contracts: contract price_growth_per_year price_from prepaid_share prepaid_days credit_after_months",
    "deliveries: contract credit_bn",
    severity="warning",
)
def terms_without_effect(facts: Facts) -> Iterator[Finding]:
    """Find dates of a growth and of a prepayment that is none."""
    prepaid = facts.numbers("contracts", "prepaid_share") > 0
    credit = facts.codes("deliveries", "contract", "contracts")[facts.numbers("deliveries", "credit_bn") > 0]
    credited = prepaid | np.isin(np.arange(len(prepaid)), credit)
    growth = facts.numbers("contracts", "price_growth_per_year") > 0
    for column, needed, word in (
        ("prepaid_days", prepaid, "prepaid_share"),
        ("credit_after_months", credited, "prepaid_share"),
        ("price_from", growth, "price_growth_per_year"),
    ):
        dated = column == "price_from"
        given = ~np.isnat(facts.dates("contracts", column)) if dated else facts.numbers("contracts", column) > 0
        for i in np.flatnonzero(given & ~needed):
            cell = iso(facts.dates("contracts", column)[i]) if dated else shown(facts.numbers("contracts", column)[i])
            what = f"{cell} for '{facts.texts('contracts', 'contract')[i]}'"
            yield facts.finding(
                "contracts", i, column, what, f"without a {word} it says nothing", "give one, or clear it"
            )


@rule(
    "contracts: contract end delay_months prepaid_share credit_after_months",
    "deliveries: contract date term_months credit_bn",
    severity="warning",
)
def credits_that_come_too_late(facts: Facts) -> Iterator[Finding]:
    """Find prepayments that are set off when the contract is over: nothing of them would come back."""
    of = facts.codes("deliveries", "contract", "contracts")
    prepaid = np.append(facts.numbers("contracts", "prepaid_share"), 0.0)[of] + np.nan_to_num(
        facts.numbers("deliveries", "credit_bn")
    )
    waits, delay = (
        np.append(facts.numbers("contracts", name), 0.0)[of].astype(np.int64)
        for name in ("credit_after_months", "delay_months")
    )
    end, day = (
        np.append(facts.dates("contracts", "end"), np.datetime64("NaT", "D"))[of],
        facts.dates("deliveries", "date"),
    )
    term = facts.numbers("deliveries", "term_months")
    over = (waits >= term) | (add_months(day, waits + delay) >= end)
    for i in np.flatnonzero((prepaid > 0) & over).tolist():
        k = of[i]
        name, row = facts.texts("deliveries", "contract")[i], facts.rows("deliveries")[i]
        what = f"{waits[i]} for '{name}', deliveries.csv row {row}"
        rule = "its service is over by then: the prepayment is never set off"
        yield facts.finding("contracts", k, "credit_after_months", what, rule, "correct it, the term or the end")


@rule(
    _CALENDAR,
    "offers: contract opens closes lead_days extends",
    "contracts: contract end delay_months",
    "deliveries: contract date after_days term_months",
    severity="warning",
)
def offers_without_effect(facts: Facts) -> Iterator[Finding]:
    """Find offers that can be signed in no period, or too late for any delivery."""
    opens, closes, starts = facts.dates("offers", "opens"), facts.dates("offers", "closes"), facts.calendar.starts()
    offers, of = facts.codes("offers", "contract", "contracts"), facts.codes("deliveries", "contract", "contracts")
    for i in np.flatnonzero((opens <= closes) & (closes >= starts[0])).tolist():
        name = facts.texts("offers", "contract")[i]
        inside = np.flatnonzero((opens[i] <= starts) & (starts <= closes[i]))
        if not len(inside):
            what, rule = f"no period starts from {iso(opens[i])} to {iso(closes[i])}", f"'{name}' can never be signed"
            yield facts.finding("offers", i, "opens", what, rule, "move or widen the window, or delete the offer")
            continue
        own = np.flatnonzero(of == offers[i])
        if facts.texts("offers", "extends")[i] or not len(own) or offers[i] < 0:
            continue
        arrival, over = _service(facts, i, int(inside[0]))
        if (arrival >= over).all():
            what = f"'{name}', signed on {iso(starts[inside[0]])} at the earliest"
            rule = "none of its deliveries can follow: they would come when it has ended"
            yield facts.finding("offers", i, "lead_days", what, rule, "correct lead, window, deliveries or end")
