"""Figures that look like ones of another unit, by their size and beside the others; each says which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tables import reading
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.check.facts import EFFECTIVENESS, RULES, Facts, Finding, Rule, rule
from gwplan.instance.cells import Array, shown
from gwplan.tree.contracts import SERVICE, delivered_gw

LARGEST_GW: Final = 10.0
"""GW of one contract beyond which megawatts are thought of."""

LARGEST_PRICE: Final = 60.0
"""$bn per GW-year, or per GW, beyond which millions are thought of."""

LARGEST_RATE: Final = 0.5
"""Share, or rate per year, beyond which percent are thought of."""

FAR: Final = 20.0
"""How many times other prices a price may be."""

MOST_ROUNDED_DAYS: Final = 3
"""Days beyond whole periods for which a whole period more is told."""

_PRICES: Final = {
    "contracts": ("cost_bn_per_gw_year", "late_credit_bn_per_gw_year"),
    "deliveries": ("upfront_bn_per_gw",),
    "value": ("value_bn_per_gw_year",),
    "pools": ("terminal_value_bn_per_gw_year",),
    "eligibility": ("operating_cost_bn_per_gw_year",),
    "cancellations": ("fee_bn_per_gw",),
    "pathways": ("migration_cost_bn_per_gw", "signing_cost_bn_per_gw"),
}
_RATES: Final = {
    "economics": ("discount_rate",),
    "curves": ("uplift_per_doubling",),
    "contracts": ("price_growth_per_year",),
}
_DAYS: Final = {
    "pathways": ("notice_days", "min_term_days"),
    "cancellations": ("notice_days",),
    "contracts": ("prepaid_days",),
}


def _enter(columns: Mapping[str, tuple[str, ...]], more: tuple[str, ...], find: Any) -> None:
    reads = reading(*more, *(f"{table}: {' '.join(names)}" for table, names in columns.items()))
    RULES.append(Rule(find, reads, "warning"))


def _cells(facts: Facts, columns: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str, Array]]:
    for table, names in columns.items():
        for name in names:
            yield table, name, facts.numbers(table, name)


@rule("contracts: contract", "deliveries: contract gw", severity="warning")
def contracts_in_megawatts(facts: Facts) -> Iterator[Finding]:
    """Find contracts of more GW than any has."""
    contract, gw = facts.codes("deliveries", "contract", "contracts"), delivered_gw(facts.numbers)
    whole = np.zeros(len(facts.rows("contracts")) + 1)
    np.add.at(whole, contract, gw)
    of = np.where(contract < 0, 0.0, whole[contract])
    rows = sorted(_largest_first(of, LARGEST_GW), key=lambda i: (-of[i], -gw[i]))
    if rows:
        name, now = shown(facts.texts("deliveries", "contract")[rows[0]]), float(gw[rows[0]])
        what = f"{shown(round(float(whole[contract[rows[0]]]), 9))} GW of {name}"
        rule = f"a contract of more than {LARGEST_GW:g} GW is larger than any that is known"
        yield facts.finding("deliveries", rows, "gw", what, rule, _in_megawatts(now))


def _largest_first(size: Array, limit: float) -> list[int]:
    """Return the positions of what is above a limit, the largest first."""
    return [i for i in np.argsort(-size, kind="stable").tolist() if size[i] > limit]


def _in_megawatts(gw: float) -> str:
    return f"does it say MW? write {shown(round(gw / 1000, 9))} for {gw:g} MW"


def _prices_in_millions(facts: Facts) -> Iterator[Finding]:
    """Find prices that are larger than any, or far from the others of their pool or from what the GW earn."""
    for table, name, price in _cells(facts, _PRICES):
        a_year = "year" in name
        rule = f"no GW costs or earns more than {LARGEST_PRICE:g} $bn{' a year' if a_year else ''}"
        suspects = [(_largest_first(price, LARGEST_PRICE), rule)]
        suspects += _beside(facts) if name == "cost_bn_per_gw_year" else []
        for rows, rule in suspects:
            if len(rows):
                now, unit = float(price[rows[0]]), "a GW-year" if a_year else "a GW"
                dollars = now > 1000 * LARGEST_PRICE
                remedy = f"does it say $m? write {shown(round(now / 1000, 9))} for ${now:g}m {unit}"
                remedy = f"does it say dollars? write {shown(round(now / 1e9, 9))}" if dollars else remedy
                remedy = remedy if now > 1 else "correct it, or the others"
                yield facts.finding(table, rows, name, f"{shown(now)} $bn {unit}", rule, remedy)


def _beside(facts: Facts) -> Iterator[tuple[list[int], str]]:
    """Yield contracts whose price is far from those of their pool, or beyond what a GW earns, with what is so."""
    price, pool = facts.numbers("contracts", "cost_bn_per_gw_year"), facts.codes("contracts", "pool", "pools")
    earned = float(np.max(facts.numbers("value", "value_bn_per_gw_year"), initial=0.0))
    plausible = (price > 0) & (price <= LARGEST_PRICE)
    for i in np.flatnonzero(plausible).tolist():
        others = price[plausible & (pool == pool[i]) & (np.arange(len(price)) != i)]
        middle = float(np.median(others)) if len(others) else 0.0
        if middle and not middle / FAR <= price[i] <= middle * FAR:
            yield [i], f"the pool's other contracts cost about {shown(round(middle, 6))} $bn a GW-year"
        elif not facts.rows("curves") and earned and price[i] > FAR * earned:
            yield [i], f"a GW-year earns {shown(round(earned, 6))} $bn at the most"


_enter(_PRICES, ("contracts: pool", "pools: pool", "curves: pathway"), _prices_in_millions)


def _rates_in_percent(facts: Facts) -> Iterator[Finding]:
    """Find rates that are larger than any."""
    for table, name, rate in _cells(facts, _RATES):
        for i in np.flatnonzero(rate > LARGEST_RATE).tolist():
            now = float(rate[i])
            what = f"{shown(now)}: {shown(round(100 * now, 6))} %{' a year' if table == 'economics' else ''}"
            rule = f"a rate above {LARGEST_RATE:g} is larger than any that is known"
            remedy = f"does it say percent? write {shown(round(now / 100, 9))} for {now:g} %"
            yield facts.finding(table, i, name, what, rule, remedy)


_enter(_RATES, (), _rates_in_percent)


@rule(
    "calendar: start resolution periods",
    "pathways: pathway",
    "pools: pool",
    *EFFECTIVENESS,
    *SERVICE,
    "demand: pathway floor_gw target_gw",
    severity="warning",
)
def demands_above_supply(facts: Facts) -> Iterator[Finding]:
    """Find floors and targets above all that a pathway's pools deliver at any time."""
    reached = (facts.most_effective @ facts.supply).max(axis=1, initial=0.0)
    pathway = facts.codes("demand", "pathway", "pathways")
    most = np.append(reached, np.nan)[pathway]
    for column, then in (("floor_gw", "no plan keeps such a floor"), ("target_gw", "it is never reached")):
        gw = facts.numbers("demand", column)
        rows = [i for i in _largest_first(gw, 0.0) if gw[i] > most[i] * (1 + ROUNDING) + ROUNDING]
        for i in rows[:1]:
            name, have = shown(facts.texts("demand", "pathway")[i]), shown(round(float(most[i]), 9))
            what = f"{shown(float(gw[i]))} effective GW, where all that {name} may use comes to {have} at the most"
            remedy = _in_megawatts(float(gw[i])) if gw[i] > LARGEST_GW else "correct it, or add what is to be delivered"
            yield facts.finding("demand", rows, column, what, then, remedy)


def _days_rounded_up(facts: Facts) -> Iterator[Finding]:
    """Find days that are a few more than whole periods, and become a whole period more."""
    length = facts.calendar.dt * 365.25
    for table, name, days in _cells(facts, _DAYS):
        whole = np.floor(days / length)
        for i in np.flatnonzero((whole > 0) & (days > whole * length) & (days <= whole * length + MOST_ROUNDED_DAYS)):
            unit, count = facts.instance.resolution, int(whole[i])
            what = f"{days[i]:g} days become {count + 1} {unit}s"
            rule = f"days are rounded up to whole {unit}s of {length:.6g} days"
            remedy = f"write {int(count * length)} for {count} {unit}{'s' * (count > 1)}"
            yield facts.finding(table, i, name, what, rule, remedy)


_enter(_DAYS, ("calendar: start resolution periods",), _days_rounded_up)
