"""The rules between cells and tables that a valid instance keeps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from gwplan.catalogue.tables import TABLES, reading
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.check.facts import EFFECTIVENESS, RULES, Facts, Finding, Rule, iso, rule
from gwplan.instance.cells import shown
from gwplan.instance.chances import MOST_SCENARIOS, combinations, depends_on
from gwplan.language.edits import Factor
from gwplan.language.quantities import parse
from gwplan.problems import InstanceError, nearest
from gwplan.tree.arrays import CHURN
from gwplan.tree.contracts import SERVICE

_SUGGESTIONS: Final = 50
_LAST_YEAR: Final = 9999


def _unknown_names(table: str, column: str, of: str, facts: Facts) -> Iterator[Finding]:
    """Find names that the table which defines them does not have."""
    names = facts.texts(table, column)
    unknown: dict[str, list[int]] = {}
    for i in np.flatnonzero(facts.codes(table, column, of) < 0):
        if names[i]:
            unknown.setdefault(names[i], []).append(int(i))
    known, rule = facts.numbering(of), f"{TABLES[of].file} has no such {TABLES[of].key[0]}"
    for count, (name, at) in enumerate(unknown.items()):
        remedy = nearest(name, known) if count < _SUGGESTIONS else f"add it to {TABLES[of].file}, or correct the name"
        yield facts.finding(table, at, column, shown(name), rule, remedy)


def _repeated_keys(table: str, facts: Facts) -> Iterator[Finding]:
    """Find keys that occur more than once."""
    if not facts.key_order(table)[1].any():
        return
    key = TABLES[table].key
    cells = [_key_cells(facts, table, column) for column in key]
    first: dict[tuple[object, ...], int] = {}
    for i, values in enumerate(zip(*cells, strict=True)):
        blank = any(v in ("", None) and TABLES[table][c].required for c, v in zip(key, values, strict=True))
        if blank or first.setdefault(values, i) == i:
            continue
        named = ", ".join(
            f"{c} {v if isinstance(v, str) and v else shown(v)}" for c, v in zip(key, values, strict=True)
        )
        row = facts.rows(table)[first[values]]
        both = f"row {row} has the same {', '.join(key)}" if row else f"an inserted row has the same {', '.join(key)}"
        yield facts.finding(table, i, key[-1], f"{named} again", both, "delete or correct one of the two rows")


def _key_cells(facts: Facts, table: str, column: str) -> list[object]:
    kind = TABLES[table][column].kind
    if kind == "text":
        return list(facts.texts(table, column))
    if kind == "date":
        return [date and str(date) for date in facts.dates(table, column).tolist()]
    return [None if number != number else number for number in facts.numbers(table, column).tolist()]


for _table in TABLES.values():
    for _column in _table.columns:
        if _column.refers_to:
            _key = f"{_column.refers_to}: {TABLES[_column.refers_to].key[0]}"
            _find = partial(_unknown_names, _table.name, _column.name, _column.refers_to)
            RULES.append(Rule(_find, reading(f"{_table.name}: {_column.name}", _key), "error"))
    if _table.key:
        _reads = reading(f"{_table.name}: {' '.join(_table.key)}")
        RULES.append(Rule(partial(_repeated_keys, _table.name), _reads, "error"))


@rule("calendar: start resolution periods")
def periods_that_exist(facts: Facts) -> Iterator[Finding]:
    """Find a start within a month, and a horizon beyond what dates can say."""
    start = facts.instance.start
    if start.day != 1:
        remedy = f"write {start.replace(day=1)}, or the first of the next month"
        yield Finding("calendar", (1,), "start", str(start), "must be the first day of a month", remedy)
    if facts.horizon.astype("datetime64[Y]").astype(int) + 1970 > _LAST_YEAR:
        what = f"{facts.calendar.periods} periods from {start}"
        rule = f"the last period must end by {_LAST_YEAR}-12-31"
        yield Finding("calendar", (1,), "periods", what, rule, "correct the start or the number of periods")


@rule("cancellations: opens closes")
def windows_open_before_they_close(facts: Facts) -> Iterator[Finding]:
    """Find windows that close before they open."""
    opens, closes = facts.dates("cancellations", "opens"), facts.dates("cancellations", "closes")
    for i in np.flatnonzero(closes < opens):
        rule = f"the window opens on {iso(opens[i])}, after it closes"
        yield facts.finding("cancellations", i, "closes", iso(closes[i]), rule, "correct one of the two dates")


@rule("value: pathway from tier value_bn_per_gw_year", "pathways: pathway")
def tiers_do_not_rise(facts: Facts) -> Iterator[Finding]:
    """Find tiers that earn more than an earlier one: the value of a use must be concave."""
    one, two = facts.neighbouring_tiers
    tier, worth = facts.numbers("value", "tier"), facts.numbers("value", "value_bn_per_gw_year")
    rises = worth[two] > worth[one] * (1 + ROUNDING)
    for a, b in zip(one[rises], two[rises], strict=True):
        what = f"{shown(worth[b])} in tier {shown(tier[b])}"
        row = facts.rows("value")[a]
        rule = (
            f"more than the {shown(worth[a])} of tier {shown(tier[a])} in {f'row {row}' if row else 'an inserted row'}"
        )
        remedy = "tiers must not rise in value: order them from the best to the least"
        yield facts.finding("value", b, "value_bn_per_gw_year", what, rule, remedy)


@rule("demand: pathway floor_gw cap_gw", "pathways: pathway", "pools: pool", *EFFECTIVENESS)
def floors_within_caps(facts: Facts) -> Iterator[Finding]:
    """Find floors above what the cap allows on the most effective pool."""
    floor, cap = facts.numbers("demand", "floor_gw"), facts.numbers("demand", "cap_gw")
    pathway = facts.codes("demand", "pathway", "pathways")
    most_effective = facts.most_effective.max(axis=1, initial=0.0)
    best = np.append(most_effective, np.nan)[pathway]
    usable = np.append(facts.eligible.any(axis=1), True)[pathway]
    for i in np.flatnonzero(usable & (floor > cap * best * (1 + ROUNDING))):
        most = shown(round(float(cap[i] * best[i]), 9))
        rule = f"above the {most} effective GW that cap_gw {shown(cap[i])} gives at effectiveness {shown(best[i])}"
        yield facts.finding("demand", i, "floor_gw", shown(floor[i]), rule, "lower the floor or raise the cap")
    for i in np.flatnonzero(~usable & (floor > 0)) if facts.pairs_known else ():
        name = facts.texts("demand", "pathway")[i]
        rule = f"pathway '{name}' may use no pool, so that no floor can be met"
        yield facts.finding("demand", i, "floor_gw", shown(floor[i]), rule, "add a row for it to eligibility.csv")


_NO_DEAL: Final = "is no deal pathway: it has neither notice_days nor min_term_days"


@rule("pathways: churn_per_year notice_days min_term_days")
def yearly_churn_of_deals(facts: Facts) -> Iterator[Finding]:
    """Find yearly churn on pathways that have no deals."""
    churn = facts.numbers("pathways", "churn_per_year")
    for i in np.flatnonzero((churn > 0) & ~facts.is_deal):
        name = facts.texts("pathways", "pathway")[i]
        remedy = "give the pathway a notice or a term, or clear its churn"
        yield facts.finding("pathways", i, "churn_per_year", shown(churn[i]), f"pathway '{name}' {_NO_DEAL}", remedy)


@rule("churn: pathway fraction", "pathways: pathway notice_days min_term_days")
def losses_of_deals(facts: Facts) -> Iterator[Finding]:
    """Find one-off losses on pathways that have no deals."""
    is_deal = np.append(facts.is_deal, True)[facts.codes("churn", "pathway", "pathways")]
    fraction = facts.numbers("churn", "fraction")
    for i in np.flatnonzero((fraction > 0) & ~is_deal):
        name = facts.texts("churn", "pathway")[i]
        remedy = "give the pathway a notice or a term in pathways.csv, or delete the row"
        yield facts.finding("churn", i, "fraction", shown(fraction[i]), f"pathway '{name}' {_NO_DEAL}", remedy)


@rule("running: pathway kind gw", "pathways: pathway notice_days min_term_days")
def running_deals(facts: Facts) -> Iterator[Finding]:
    """Find terms and notices that run on pathways without deals, and notice for less than nothing."""
    is_deal = np.append(facts.is_deal, True)[facts.codes("running", "pathway", "pathways")]
    gw, kind = facts.numbers("running", "gw"), facts.texts("running", "kind")
    for i in np.flatnonzero((gw != 0) & ~is_deal):
        name = facts.texts("running", "pathway")[i]
        remedy = "give the pathway a notice or a term in pathways.csv, or delete the row"
        yield facts.finding("running", i, "gw", shown(gw[i]), f"pathway '{name}' {_NO_DEAL}", remedy)
    for i in np.flatnonzero(gw < 0):
        if kind[i] == "notice":
            yield facts.finding("running", i, "gw", shown(gw[i]), "notice is given for 0 GW or more", "correct it")


@rule(
    "calendar: start resolution periods",
    "pools: pool",
    *SERVICE,
    "pathways: pathway notice_days breach_cost_bn_per_gw",
    *CHURN,
    "eligibility: pathway pool initial_gw",
    "running: pathway kind until gw",
)
def initial_deals_fit_the_supply(facts: Facts) -> Iterator[Finding]:
    """Find deals that cannot be ended in the first period and have no capacity to stand on."""
    supplied = facts.all_known("deliveries", "contract", "contracts") and facts.all_known("contracts", "pool", "pools")
    if facts.every_pair or not facts.pairs_known or not supplied:
        return
    initial = facts.pairs("initial_gw", 0.0).sum(axis=1)
    held = (facts.numbers("pathways", "notice_days") > 0) & np.isnan(facts.numbers("pathways", "breach_cost_bn_per_gw"))
    stays = np.where(held, (initial - facts.back_at_start) * facts.kept_at_start, 0.0)
    supply = facts.supply[:, 0]
    own = (facts.eligible * supply).sum(axis=1)
    pathway = facts.codes("eligibility", "pathway", "pathways")
    uses = facts.numbers("eligibility", "initial_gw") > 0
    remedy = "lower initial_gw, correct the deliveries, or give the pathway a breach cost"
    over = np.flatnonzero(stays > own * (1 + ROUNDING) + ROUNDING)
    for p in over:
        name = facts.texts("pathways", "pathway")[p]
        what = f"{shown(round(float(stays[p]), 9))} GW of deals of '{name}' that need notice"
        rule = f"its pools deliver {shown(round(float(own[p]), 9))} GW at the start"
        yield facts.finding("eligibility", np.flatnonzero((pathway == p) & uses), "initial_gw", what, rule, remedy)
    if not len(over) and stays.sum() > supply.sum() * (1 + ROUNDING) + ROUNDING:
        what = f"{shown(round(float(stays.sum()), 9))} GW of deals of all pathways that need notice"
        rule = f"all pools deliver {shown(round(float(supply.sum()), 9))} GW at the start"
        needy = np.append(stays > 0, False)[pathway] & uses
        yield facts.finding("eligibility", np.flatnonzero(needy), "initial_gw", what, rule, remedy)


@rule("locks: min_gw max_gw")
def locks_leave_room(facts: Facts) -> Iterator[Finding]:
    """Find locks whose least is above their most."""
    least, most = facts.numbers("locks", "min_gw"), facts.numbers("locks", "max_gw")
    for i in np.flatnonzero(least > most):
        yield facts.finding(
            "locks", i, "min_gw", shown(least[i]), f"above max_gw {shown(most[i])}", "correct one of the two"
        )


@rule("locks: from until")
def locks_begin_before_they_end(facts: Facts) -> Iterator[Finding]:
    """Find locks that end before they begin."""
    since, until = facts.dates("locks", "from"), facts.dates("locks", "until")
    for i in np.flatnonzero(until <= since):
        rule = f"must be after the lock's from, {iso(since[i])}"
        yield facts.finding("locks", i, "until", iso(until[i]), rule, "correct one of the two dates")


@rule("locks: pathway pool", "pathways: pathway", "pools: pool", "eligibility: pathway pool")
def locks_on_eligible_pairs(facts: Facts) -> Iterator[Finding]:
    """Find locks on pairs that may not be used."""
    p, q = facts.codes("locks", "pathway", "pathways"), facts.codes("locks", "pool", "pools")
    known = np.flatnonzero((p >= 0) & (q >= 0) & facts.pairs_known)
    for i in known[~facts.eligible[p[known], q[known]]]:
        pool, pathway = facts.texts("locks", "pool")[i], facts.texts("locks", "pathway")[i]
        rule = f"eligibility.csv does not let '{pathway}' use it"
        yield facts.finding(
            "locks", i, "pool", shown(pool), rule, "add the pair to eligibility.csv, or delete the lock"
        )


@rule("uncertainty")
def probabilities_given_earlier_factors(facts: Facts) -> Iterator[Finding]:
    """Find probabilities that hang on what is no earlier outcome, or that do not sum to 1 where some came out."""
    every = facts.instance.factors
    for place, factor in enumerate(every):
        earlier = {other.name: [o.name for o in other.outcomes] for other in every[:place]}
        unknown = list(_unknown_given(factor, earlier, [other.name for other in every]))
        yield from unknown
        named = [other for other in every[:place] if other.name in depends_on(factor)]
        if unknown or math.prod(len(other.outcomes) for other in named) > MOST_SCENARIOS:
            continue
        for case in combinations(named) if named else ():
            total = math.fsum(outcome.chance(case) for outcome in factor.outcomes)
            if abs(total - 1.0) > ROUNDING:
                parts = " + ".join(f"{outcome.name} {outcome.chance(case):g}" for outcome in factor.outcomes)
                where = f"uncertainty.toml factor {factor.name}"
                what = f"given {', '.join(f'{f}={o}' for f, o in case.items())} probabilities {parts} = {total:.12g}"
                rule = "for each combination of earlier outcomes a factor's probabilities sum to 1"
                yield Finding("", (), where, what, rule, "correct the probabilities, or write a row for every outcome")


def _unknown_given(factor: Factor, earlier: dict[str, list[str]], every: list[str]) -> Iterator[Finding]:
    for outcome in factor.outcomes:
        where, rows = f"uncertainty.toml factor {factor.name}, outcome {outcome.name}", outcome.probability_given
        for text in [text for text, times in Counter(row.text for row in rows).items() if times > 1]:
            yield Finding("", (), where, f"given {text} stands twice", "a key stands once", "delete one of them")
        for name, came_out in ((name, o) for row in rows for name, o in row.given.items()):
            if name not in earlier:
                rule = "probabilities hang on factors that stand earlier in the file"
                remedy = "move that factor up" if name in every else nearest(name, earlier)
                yield Finding("", (), where, f"given {name}={came_out}", rule, remedy)
            elif came_out not in earlier[name]:
                rule = f"'{name}' has no such outcome"
                yield Finding("", (), where, f"given {name}={came_out}", rule, nearest(came_out, earlier[name]))


@rule("effectiveness: pathway pool", "pathways: pathway", "pools: pool", "eligibility: pathway pool")
def effectiveness_of_eligible_pairs(facts: Facts) -> Iterator[Finding]:
    """Find effectiveness by date of pairs that may not be used."""
    p, q = facts.codes("effectiveness", "pathway", "pathways"), facts.codes("effectiveness", "pool", "pools")
    known = np.flatnonzero((p >= 0) & (q >= 0) & facts.pairs_known)
    for i in known[~facts.eligible[p[known], q[known]]]:
        pool, pathway = facts.texts("effectiveness", "pool")[i], facts.texts("effectiveness", "pathway")[i]
        rule, remedy = f"eligibility.csv does not let '{pathway}' use it", "add the pair there, or delete the row"
        yield facts.finding("effectiveness", i, "pool", shown(pool), rule, remedy)


@rule("claims: claim quantity")
def quantities_that_cannot_be_read(facts: Facts) -> Iterator[Finding]:
    """Find claims whose quantity is not of the grammar, or names what no table or plan has."""
    claims = zip(facts.texts("claims", "claim"), facts.texts("claims", "quantity"), strict=True)
    for i, (claim, text) in enumerate(claims):
        try:
            parse(text, "")
        except InstanceError as error:
            problem = error.problems[0]
            what = f"claim {claim}: {problem.what}"
            yield facts.finding("claims", i, "quantity", what, problem.rule, problem.remedy)
