"""What a valid instance says that decides nothing, or not what its author may think."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from gwplan.catalogue.tables import PER_GW, RATE, TABLES, VALUE_FACTORS, reading
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.check.commitments import MOST_YEARS
from gwplan.check.facts import RULES, Facts, Finding, Rule, iso, rule
from gwplan.instance.cells import Array, shown
from gwplan.tree.calendar import Dates, add_months
from gwplan.tree.contracts import SERVICE, TABLES_READ, delivered_gw

_CALENDAR: Final = "calendar: start resolution periods"
_DELIVERIES: Final = ("contracts: contract end delay_months", "deliveries: contract date")
_PAIRS: Final = ("pathways: pathway", "pools: pool", "eligibility: pathway pool")
_FACE_VALUE_SLACK: Final = 0.1
_DAYS_PER_YEAR: Final = 365.25


@rule(
    f"pathways: pathway {' '.join(VALUE_FACTORS)} shortfall_penalty_bn_per_gw_year",
    "demand: pathway floor_gw target_gw",
    "value: pathway width_gw value_bn_per_gw_year",
    "curves: pathway base_value_bn_per_year uplift_per_doubling",
    severity="warning",
)
def pathways_without_worth(facts: Facts) -> Iterator[Finding]:
    """Find pathways that earn nothing and ask for nothing."""
    wanted = np.zeros(len(facts.rows("pathways")) + 1, dtype=bool)  # the last stands for unknown names
    penalised = np.append(facts.numbers("pathways", "shortfall_penalty_bn_per_gw_year") > 0, False)
    p = facts.codes("demand", "pathway", "pathways")
    wanted[p[facts.numbers("demand", "floor_gw") > 0]] = True
    wanted[p[(facts.numbers("demand", "target_gw") > 0) & penalised[p]]] = True
    factors = np.prod([facts.numbers("pathways", column) for column in VALUE_FACTORS], axis=0)
    realised = np.append(factors > 0, False)
    p = facts.codes("value", "pathway", "pathways")
    paid = (facts.numbers("value", "value_bn_per_gw_year") > 0) & (facts.numbers("value", "width_gw") != 0)
    wanted[p[paid & realised[p]]] = True
    earned = facts.numbers("curves", "base_value_bn_per_year") * facts.numbers("curves", "uplift_per_doubling")
    p = facts.codes("curves", "pathway", "pathways")
    wanted[p[(earned > 0) & realised[p]]] = True
    for i in np.flatnonzero(~wanted[:-1]):
        what = f"{shown(facts.texts('pathways', 'pathway')[i])} has no value, no floor and no penalised target"
        remedy = "give it tiers in value.csv or a demand in demand.csv, or delete it"
        yield facts.finding("pathways", i, "pathway", what, "it is never given capacity", remedy)


@rule("pools: pool", "contracts: pool", severity="warning")
def pools_without_contract(facts: Facts) -> Iterator[Finding]:
    """Find pools that no contract supplies."""
    supplied = set(facts.texts("contracts", "pool"))
    for i, name in enumerate(facts.texts("pools", "pool")):
        if name not in supplied:
            what = f"no contract supplies {shown(name)}"
            yield facts.finding(
                "pools", i, "pool", what, "the pool is always empty", "add its contract, or delete the pool"
            )


@rule("contracts: contract", "deliveries: contract", "offers: contract extends", severity="warning")
def contracts_without_deliveries(facts: Facts) -> Iterator[Finding]:
    """Find contracts without deliveries that extend no other."""
    extends = zip(facts.texts("offers", "contract"), facts.texts("offers", "extends"), strict=True)
    delivering = {*facts.texts("deliveries", "contract"), *(name for name, of in extends if of)}
    for i, name in enumerate(facts.texts("contracts", "contract")):
        if name not in delivering:
            what = f"{shown(name)} has no deliveries"
            remedy = "add them to deliveries.csv, or delete the contract"
            yield facts.finding("contracts", i, "contract", what, "the contract supplies and costs nothing", remedy)


@rule(_CALENDAR, *SERVICE, "pools: pool terminal_value_bn_per_gw_year", severity="warning")
def deliveries_after_the_horizon(facts: Facts) -> Iterator[Finding]:
    """Find deliveries that take effect after the last period, where nothing is said of what they are worth then."""
    contract = facts.codes("deliveries", "contract", "contracts")
    ends = np.append(facts.ends < np.iinfo(np.int64).max, False)[contract] | (facts.stops >= 0)
    pool = np.append(facts.codes("contracts", "pool", "pools"), -1)[contract]
    worth = np.append(~np.isnan(facts.numbers("pools", "terminal_value_bn_per_gw_year")), False)[pool]
    late = np.flatnonzero((facts.arrivals >= facts.calendar.periods) & ~(ends & worth))
    if len(late):
        what = f"delivered on or after the end of the plan, {iso(facts.horizon)}, or too late for its last period"
        rule = "the delivery adds nothing; it counts only in what a cancellation fee is charged on"
        remedy = "delete it, lengthen the plan, or give the contract an end and the pool a terminal value"
        yield facts.finding("deliveries", late, "date", what, rule, remedy)


@rule(_CALENDAR, *_DELIVERIES, severity="warning")
def deliveries_after_the_end(facts: Facts) -> Iterator[Finding]:
    """Find deliveries that take effect when their contract has ended."""
    contract = facts.codes("deliveries", "contract", "contracts")
    ends = np.append(facts.ends, np.iinfo(np.int64).max)[contract]
    never = (facts.arrivals >= 0) & (facts.arrivals >= ends) & (facts.arrivals < facts.calendar.periods)
    for k in dict.fromkeys(contract[never].tolist()):
        name, end = facts.texts("contracts", "contract")[k], facts.dates("contracts", "end")[k]
        what = f"delivered when {shown(name)} has ended on {iso(end)}, before or in the period in which it would count"
        rule = "the delivery adds nothing"
        remedy = "correct the date, the contract's delay or its end, or delete the delivery"
        yield facts.finding("deliveries", np.flatnonzero(never & (contract == k)), "date", what, rule, remedy)


@rule(_CALENDAR, "cancellations: contract opens closes", severity="warning")
def windows_without_period(facts: Facts) -> Iterator[Finding]:
    """Find windows in which no period starts."""
    opens, closes = facts.dates("cancellations", "opens"), facts.dates("cancellations", "closes")
    first, starts = facts.period(opens), facts.calendar.starts()
    inside = (first >= 0) & (first < len(starts))
    used = inside & (starts[np.where(inside, first, 0)] <= closes)
    for i in np.flatnonzero(~used & (opens <= closes)):
        what = f"no period starts from {iso(opens[i])} to {iso(closes[i])}"
        rule = f"'{facts.texts('cancellations', 'contract')[i]}' can never be cancelled"
        yield facts.finding("cancellations", i, "opens", what, rule, "move or widen the window, or delete the row")


@rule(_CALENDAR, "uncertainty", severity="warning")
def factors_after_the_horizon(facts: Facts) -> Iterator[Finding]:
    """Find factors that are revealed after the last period has started."""
    for factor in facts.instance.factors:
        if facts.period(np.array([factor.revealed], dtype="datetime64[D]"))[0] >= facts.calendar.periods:
            what = f"revealed {factor.revealed}, after the last period has started"
            where = f"uncertainty.toml factor {factor.name}"
            rule = "no decision of the plan can wait for it"
            yield Finding("", (), where, what, rule, "reveal it earlier, lengthen the plan, or delete the factor")


@rule("pathways: pathway notice_days min_term_days signing_cost_bn_per_gw", severity="warning")
def notice_that_costs_nothing(facts: Facts) -> Iterator[Finding]:
    """Find notice that deals can go round: given when they are signed, and signed anew for nothing."""
    notice, term = facts.numbers("pathways", "notice_days"), facts.numbers("pathways", "min_term_days")
    free = facts.numbers("pathways", "signing_cost_bn_per_gw") == 0
    for i in np.flatnonzero((notice > 0) & (term <= notice) & free):
        name = facts.texts("pathways", "pathway")[i]
        what = f"{shown(notice[i])} days without a longer term or a signing cost on '{name}'"
        rule = "the notice costs nothing to go round: give it when a deal is signed, and sign the next one for nothing"
        yield facts.finding("pathways", i, "notice_days", what, rule, "give the deals a term or a signing cost")


@rule("pathways: pathway notice_days min_term_days signing_cost_bn_per_gw breach_cost_bn_per_gw", severity="warning")
def costs_of_no_deal(facts: Facts) -> Iterator[Finding]:
    """Find costs of signing and breach where there are no deals."""
    for column in ("signing_cost_bn_per_gw", "breach_cost_bn_per_gw"):
        cost = facts.numbers("pathways", column)
        for i in np.flatnonzero((cost > 0) & ~facts.is_deal):
            rule = (
                f"'{facts.texts('pathways', 'pathway')[i]}' has neither notice nor term, so that the cost is never paid"
            )
            yield facts.finding(
                "pathways", i, column, shown(cost[i]), rule, "give it a notice or a term, or clear the cost"
            )


@rule(
    _CALENDAR,
    "pools: pool terminal_value_bn_per_gw_year",
    "contracts: contract pool end",
    "cancellations: contract",
    severity="warning",
)
def windows_without_terminal_value(facts: Facts) -> Iterator[Finding]:
    """Find pools without a terminal value whose contracts may be cancelled and outlive the plan."""
    contract = facts.codes("cancellations", "contract", "contracts")
    outlives = np.append(facts.ends > facts.calendar.periods, False)[contract]
    pools = set(np.append(facts.codes("contracts", "pool", "pools"), -1)[contract[outlives]].tolist()) - {-1}
    missing = np.isnan(facts.numbers("pools", "terminal_value_bn_per_gw_year"))
    for i in sorted(pools):
        if missing[i]:
            name = facts.texts("pools", "pool")[i]
            what = f"none for '{name}', whose contracts may be cancelled and run beyond {iso(facts.horizon)}"
            rule = (
                "what a cancellation saves after the end of the plan does not count, so that late ones are undervalued"
            )
            remedy = "give the pool a terminal value, and the contracts their end"
            yield facts.finding("pools", i, "terminal_value_bn_per_gw_year", what, rule, remedy)


@rule(
    "contracts: contract end cost_bn_per_gw_year price_growth_per_year price_from face_value_bn",
    *SERVICE,
    severity="warning",
)
def face_values_that_do_not_fit(facts: Facts) -> Iterator[Finding]:
    """Find face values that the bills from delivery to end do not come near."""
    contract = facts.codes("deliveries", "contract", "contracts")
    none = np.datetime64("NaT", "D")
    end, from_ = (np.append(facts.dates("contracts", column), none)[contract] for column in ("end", "price_from"))
    since, term = facts.dates("deliveries", "date"), facts.numbers("deliveries", "term_months")
    over = np.where(np.isnan(term), end, add_months(since, np.nan_to_num(term).astype(np.int64)))
    growth = np.append(facts.numbers("contracts", "price_growth_per_year"), 0.0)[contract]
    base = np.where(np.isnat(from_), since, from_)
    until = np.maximum(np.fmin(end, over), since)
    gw = delivered_gw(facts.numbers)
    gw_years, grown = np.zeros((2, len(facts.rows("contracts")) + 1))
    np.add.at(gw_years, contract, np.fmax(gw * _years(since, until), 0.0))
    risen = _grown(growth, _years(base, until)) - _grown(growth, _years(base, since))
    np.add.at(grown, contract, np.fmax(gw * risen, 0.0))
    price = facts.numbers("contracts", "cost_bn_per_gw_year")
    face, implied = facts.numbers("contracts", "face_value_bn"), grown[:-1] * price
    differs = np.abs(implied - face) > _FACE_VALUE_SLACK * face * (1 + ROUNDING)
    for i in np.flatnonzero(differs & (gw_years[:-1] > 0)):
        what = f"{shown(face[i])} for '{facts.texts('contracts', 'contract')[i]}'"
        yearly = facts.numbers("contracts", "price_growth_per_year")[i]
        grows = f", {shown(100 * yearly)} % more each year," if yearly > 0 else ""
        rule = f"{gw_years[i]:.3g} GW-years at the plan's {shown(price[i])} $bn per GW-year{grows} come to "
        remedy = "correct GW, price, dates or face value, or say in a note why they differ"
        yield facts.finding("contracts", i, "face_value_bn", what, f"{rule}{implied[i]:.3g} $bn", remedy)


def _years(since: Dates, until: Dates) -> Array:
    """Return the years from date to date."""
    return np.asarray((until - since) / np.timedelta64(1, "D") / _DAYS_PER_YEAR)


def _grown(growth: Array, years: Array) -> Array:
    """Return the sum of a price of 1 over years in which it rises on each anniversary; before the first it is 1."""
    whole = np.where(growth > 0, np.clip(np.floor(years), 0.0, MOST_YEARS), 0.0)
    rate = np.where(growth > 0, growth, 1.0)
    risen = np.where(growth > 0, ((1 + growth) ** whole - 1) / rate, whole)
    return np.asarray(np.where(years > 0, risen + (1 + growth) ** whole * (years - whole), years))


@rule(_CALENDAR, "churn: pathway date", severity="warning")
def losses_outside_the_plan(facts: Facts) -> Iterator[Finding]:
    """Find losses before the start, and after the last period."""
    dates = facts.dates("churn", "date")
    before = np.flatnonzero(dates < facts.calendar.starts(1)[0])
    if len(before):
        what = f"before the plan starts on {facts.instance.start}"
        rule = "the loss is taken off the initial deals in the first period"
        yield facts.finding("churn", before, "date", what, rule, "delete the row where initial_gw is already net of it")
    late = np.flatnonzero(facts.period(dates) >= facts.calendar.periods)
    if len(late):
        what = f"too late for the last period of the plan, which ends on {iso(facts.horizon)}"
        yield facts.finding(
            "churn", late, "date", what, "the loss takes nothing", "delete the row, or lengthen the plan"
        )


@rule(*_PAIRS, severity="warning")
def unusable_pools_and_pathways(facts: Facts) -> Iterator[Finding]:
    """Find pools that no pathway may use, and pathways that may use no pool."""
    for i in np.flatnonzero(~facts.eligible.any(axis=0)) if facts.rows("pathways") else ():
        what = f"no pathway may use {shown(facts.texts('pools', 'pool')[i])}"
        yield facts.finding("pools", i, "pool", what, "its capacity is always idle", "add its pairs to eligibility.csv")
    for i in np.flatnonzero(~facts.eligible.any(axis=1)) if facts.rows("pools") else ():
        what = f"{shown(facts.texts('pathways', 'pathway')[i])} may use no pool"
        yield facts.finding(
            "pathways", i, "pathway", what, "it is never given capacity", "add its pairs to eligibility.csv"
        )


def _late_rows(table: str, facts: Facts) -> Iterator[Finding]:
    """Find steps that begin after the last period has started."""
    late = np.flatnonzero(facts.period(facts.dates(table, "from")) >= facts.calendar.periods)
    if len(late):
        what = f"too late for the last period of the plan, which ends on {iso(facts.horizon)}"
        yield facts.finding(table, late, "from", what, "the row never holds", "delete it, or lengthen the plan")


for _name in ("demand", "value", "curves"):
    RULES.append(Rule(partial(_late_rows, _name), reading(_CALENDAR, f"{_name}: from"), "warning"))


@rule(_CALENDAR, "locks: from until", severity="warning")
def locks_outside_the_plan(facts: Facts) -> Iterator[Finding]:
    """Find locks that hold in no period."""
    since, until = facts.dates("locks", "from"), facts.dates("locks", "until")
    starts = facts.calendar.starts()
    first = facts.period(since)
    inside = (first >= 0) & (first < len(starts))
    begins: Dates = starts[np.where(inside, first, 0)]
    holds = inside & (np.isnat(until) | (begins < until))
    for i in np.flatnonzero(~holds & ~(until <= since)):
        what = f"in force in no period from {facts.instance.start} to {iso(facts.horizon)}"
        yield facts.finding("locks", i, "from", what, "the lock decides nothing", "correct its dates, or delete it")


@rule("value: pathway from tier width_gw", "pathways: pathway", severity="warning")
def tiers_beyond_an_unlimited_one(facts: Facts) -> Iterator[Finding]:
    """Find tiers behind one without a width: they earn nothing."""
    one, two = facts.neighbouring_tiers
    tier, unlimited = facts.numbers("value", "tier"), np.isnan(facts.numbers("value", "width_gw"))[one]
    for a, b in zip(one[unlimited], two[unlimited], strict=True):
        row = facts.rows("value")[a]
        at = f" in row {row}" if row > 0 else ""
        what = f"tier {shown(tier[b])} follows the unlimited tier {shown(tier[a])}{at}"
        yield facts.finding(
            "value", b, "tier", what, "it earns nothing", "give the earlier tier a width_gw, or delete this one"
        )


@rule(_CALENDAR, *SERVICE, *_PAIRS, "eligibility: initial_gw", severity="warning")
def initial_use_above_supply(facts: Facts) -> Iterator[Finding]:
    """Find pools of which more is in use before the start than they deliver."""
    if facts.every_pair:
        return
    used: Array = facts.pairs("initial_gw", 0.0).sum(axis=0)
    pool = facts.codes("eligibility", "pool", "pools")
    uses = facts.numbers("eligibility", "initial_gw") > 0
    for q in np.flatnonzero(used > facts.supply[:, 0] * (1 + ROUNDING) + ROUNDING):
        name, supply = facts.texts("pools", "pool")[q], facts.supply[:, 0][q]
        what = f"{shown(round(float(used[q]), 9))} GW in use in '{name}' before the start"
        rule = (
            f"it delivers {shown(round(float(supply), 9))} GW in the first period: the rest has to end or move at once"
        )
        rows = np.flatnonzero((pool == q) & uses)
        yield facts.finding("eligibility", rows, "initial_gw", what, rule, "correct initial_gw or the deliveries")


@rule("whatifs", severity="warning")
def whatifs_that_change_nothing(facts: Facts) -> Iterator[Finding]:
    """Find what-ifs without edits and conditions."""
    for name, whatif in facts.instance.whatifs.items():
        if not whatif.edits and not whatif.given:
            remedy = "add [[edit]] or given = { ... }"
            yield Finding("", (), f"whatifs/{name}.toml", "no edit and no given", "the what-if changes nothing", remedy)


WIDEST: Final = 1e6
"""Largest ratio of two coefficients of one kind with which the solver's tolerances still mean something."""

_COEFFICIENTS: Final = {"deliveries": "gw", "eligibility": "effectiveness", "effectiveness": "effectiveness"}
_MONEY: Final = {
    name: " ".join(c.name for c in TABLES[name].columns if c.unit in (RATE, PER_GW)) for name in TABLES_READ
}


def _out_of_scale(columns: dict[str, str], others: float | None, facts: Facts) -> Iterator[Finding]:
    """Find the cell that lies furthest from the others, where the widest ratio between cells is too wide.

    Where `others` is None the middle of the cells stands for the others; in the matrix most coefficients are 1.
    """
    cells = [(table, column) for table, names in columns.items() for column in names.split()]
    sizes = [np.abs(facts.numbers(table, column)) for table, column in cells]
    sizes = [np.where(np.isfinite(size) & (size > 0), size, np.nan) for size in sizes]
    every = np.concatenate(sizes)
    every = every[~np.isnan(every)]
    if not len(every):
        return
    middle = float(np.median(every)) if others is None else others
    if max(every.max(), middle) <= WIDEST * min(every.min(), middle):
        return
    far = [np.nan_to_num(np.abs(np.log(size / middle))) for size in sizes]
    which = int(np.argmax([distance.max(initial=0.0) for distance in far]))
    (table, column), row = cells[which], int(np.argmax(far[which]))
    what = f"{shown(facts.numbers(table, column)[row])} where others are near {middle:.3g}"
    rule = "numbers more than six orders of magnitude apart cost the solver its accuracy"
    yield facts.finding(table, row, column, what, rule, "check its unit, or leave it out if it does not matter")


for _columns, _others in ((_COEFFICIENTS, 1.0), (_MONEY, None)):
    _reads = reading(*(f"{table}: {names}" for table, names in _columns.items() if names))
    RULES.append(Rule(partial(_out_of_scale, _columns, _others), _reads, "warning"))
