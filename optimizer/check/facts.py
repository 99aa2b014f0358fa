"""What the rules between tables are written with: an instance as arrays, findings, and the list of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import TABLES, Column, Table, reading
from gwplan.instance.cells import Array, place
from gwplan.instance.instance import Instance
from gwplan.problems import Problem
from gwplan.tree.calendar import Calendar, Dates, add_months, calendar_of
from gwplan.tree.contracts import delivered_gw

Place = Callable[[Table, int, str], str]
"""Table, row number and column to the words that locate a cell."""

Severity = Literal["error", "warning"]
_NAMED: Final = 5

EFFECTIVENESS: Final = ("eligibility: pathway pool effectiveness", "effectiveness: pathway pool effectiveness")
"""What the effectiveness of pairs is made of."""


@dataclass(frozen=True)
class Finding:
    """Rows of one table that break a rule, or decide nothing."""

    table: str  # table of the catalogue; blank: not about a row of a table
    rows: tuple[int, ...]  # row numbers in the file, below 1 for inserted rows
    column: str  # column that is at fault; without a table, the words that locate the fault
    # as in a Problem
    what: str
    rule: str
    remedy: str

    def as_problem(self, severity: Severity, place: Place = place) -> Problem:
        """Return the finding as a problem that names the first rows."""
        if not self.table:
            return Problem(self.column, self.what, self.rule, self.remedy, severity)
        first, *others = self.rows
        where = place(TABLES[self.table], first, self.column)
        more = [str(row) for row in others[:_NAMED] if row > 0]
        more += [f"{len(others) - _NAMED} more"] * (len(others) > _NAMED)
        also = f" (also {'rows' if len(others) > 1 else 'row'} {', '.join(more)})" if more else ""
        return Problem(where, self.what + also, self.rule, self.remedy, severity)


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule between cells, and the columns that it reads as ``table.column``."""

    find: Callable[[Facts], Iterable[Finding]]
    reads: frozenset[str]
    severity: Severity

    @cached_property
    def tables(self) -> frozenset[str]:
        """Names of the tables that it reads."""
        return frozenset(read.partition(".")[0] for read in self.reads)

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """The columns that it reads, and the row numbers of their tables, ``table.``, which a finding names."""
        return tuple(sorted(self.reads | {f"{table}." for table in self.tables}))


RULES: Final[list[Rule]] = []
"""Every rule between tables, in the order in which problems are told."""


def rule(
    *reads: str, severity: Severity = "error"
) -> Callable[[Callable[[Facts], Iterator[Finding]]], Callable[[Facts], Iterator[Finding]]]:
    """Enter a function into the list of rules."""

    def register(find: Callable[[Facts], Iterator[Finding]]) -> Callable[[Facts], Iterator[Finding]]:
        RULES.append(Rule(find, reading(*reads), severity))
        return find

    return register


class Facts:
    """An instance as the arrays that rules compare; every array is made once, when it is first asked for."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._made: dict[tuple[str, ...], Any] = {}

    def _once(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def rows(self, table: str) -> list[int]:
        """Return the row number of every row."""
        rows: list[int] = self._once(("rows", table), lambda: self.instance.tables[table].index.tolist())
        return rows

    def texts(self, table: str, column: str) -> list[str]:
        """Return a text column."""
        texts: list[str] = self._once(("texts", table, column), lambda: self.instance.tables[table][column].tolist())
        return texts

    def numbers(self, table: str, column: str) -> Array:
        """Return a column of numbers with defaults filled in; "none" and missing values are NaN."""
        return np.asarray(self._once(("numbers", table, column), lambda: self._numbers(table, column)))

    def _numbers(self, table: str, column: str) -> Array:
        values = self.instance.tables[table][column].to_numpy(dtype=np.float64)
        default = TABLES[table][column].default
        return np.where(np.isnan(values), default, values) if isinstance(default, int | float) else values

    def dates(self, table: str, column: str) -> Dates:
        """Return a column of dates; blanks are NaT."""
        made = self._once(
            ("dates", table, column), lambda: self.instance.tables[table][column].to_numpy().astype("datetime64[D]")
        )
        return np.asarray(made)

    def numbering(self, table: str) -> dict[str, int]:
        """Return the number of every name of a table; of a repeated name, of its first row."""

        def make() -> dict[str, int]:
            first: dict[str, int] = {}
            for number, name in enumerate(self.texts(table, TABLES[table].key[0])):
                first.setdefault(name, number)
            return first

        numbering: dict[str, int] = self._once(("numbering", table), make)
        return numbering

    def codes(self, table: str, column: str, of: str) -> Array:
        """Return for every row the number of the name in table `of`, -1 where there is none."""

        def make() -> Array:
            codes, names = pd.factorize(self.instance.tables[table][column].to_numpy())
            numbers = np.array([*map(self.numbering(of).get, names, repeat(-1))], dtype=np.intp)
            return numbers[codes]

        return np.asarray(self._once(("codes", table, column), make))

    def all_known(self, table: str, column: str, of: str) -> bool:
        """Whether table `of` has every name of a column: else sums over it mean nothing."""
        return not (self.codes(table, column, of) < 0).any()

    @cached_property
    def pairs_known(self) -> bool:
        """Whether every row of ``eligibility`` is about a pathway and a pool that exist."""
        return self.all_known("eligibility", "pathway", "pathways") and self.all_known("eligibility", "pool", "pools")

    def key_order(self, table: str) -> tuple[Array, Array]:
        """Return the rows of a table sorted by its key, and whether each has the same key as the one before it."""

        def make() -> tuple[Array, Array]:
            columns = [self._sortable(table, TABLES[table][name]) for name in reversed(TABLES[table].key)]
            order = np.lexsort(columns)
            same = np.ones(max(len(order) - 1, 0), dtype=bool)
            for values in columns:
                same &= values[order[1:]] == values[order[:-1]]
            return order, np.append(False, same)[: len(order)]

        made: tuple[Array, Array] = self._once(("key_order", table), make)
        return made

    def _sortable(self, table: str, column: Column) -> Array:
        if column.kind == "date":
            return self.dates(table, column.name).astype(np.int64)
        if column.kind == "text":
            names = self.texts(table, column.name)
            number = {name: i for i, name in enumerate(dict.fromkeys(names))}
            return np.fromiter(map(number.__getitem__, names), dtype=np.intp, count=len(names))
        return self.numbers(table, column.name)

    @cached_property
    def calendar(self) -> Calendar:
        """The periods of the plan."""
        return calendar_of(self.instance)

    @cached_property
    def horizon(self) -> np.datetime64:
        """First day after the last period."""
        start: np.datetime64 = self.calendar.starts(self.calendar.periods + 1)[-1]
        return start

    def period(self, dates: Dates) -> Array:
        """Return the first period that starts on or after each date, -1 for a blank."""
        return np.where(np.isnat(dates), -1, self.calendar.period(dates))

    @cached_property
    def arrivals(self) -> Array:
        """Period in which each delivery takes effect, its contract's delay included; -1 where it is not known."""
        contract = self.codes("deliveries", "contract", "contracts")
        delays = np.append(self.numbers("contracts", "delay_months"), np.nan)[contract]
        known = ~np.isnan(delays)
        when = add_months(self.dates("deliveries", "date"), np.where(known, delays, 0).astype(np.int64))
        return np.where(known, self.period(when), -1)

    @cached_property
    def stops(self) -> Array:
        """Period in which the term of each delivery with a date is over; -1 without a term."""
        contract = self.codes("deliveries", "contract", "contracts")
        months = np.append(self.numbers("contracts", "delay_months"), 0.0)[contract]
        term = self.numbers("deliveries", "term_months")
        over = add_months(self.dates("deliveries", "date"), np.nan_to_num(months + term).astype(np.int64))
        return np.where(np.isnan(term), -1, self.period(over))

    @cached_property
    def ends(self) -> Array:
        """First period in which each contract no longer delivers; far beyond every period without an end."""
        ends = self.period(self.dates("contracts", "end"))
        return np.where(ends < 0, np.iinfo(np.int64).max, ends)

    @cached_property
    def supply(self) -> Array:
        """GW bought by pool (row) and period (column), offers among them as if signed as early as they may be."""
        contract = self.codes("deliveries", "contract", "contracts")
        pool = np.append(self.codes("contracts", "pool", "pools"), -1)[contract]
        bought = np.append([side != "sell" for side in self.texts("contracts", "side")], False).astype(bool)[contract]
        stop = np.append(self._last_ends, 0)[contract]
        stop = np.clip(np.where(self.stops >= 0, np.minimum(stop, self.stops), stop), 0, self.calendar.periods)
        first, gw = np.where(np.isnat(self.dates("deliveries", "date")), 0, self.arrivals), delivered_gw(self.numbers)
        steps = np.zeros((len(self.rows("pools")), self.calendar.periods + 1))
        there = (pool >= 0) & (first >= 0) & (first < stop) & bought
        np.add.at(steps, (pool[there], first[there]), gw[there])
        np.add.at(steps, (pool[there], stop[there]), -gw[there])
        return steps.cumsum(axis=1)[:, :-1]

    @property
    def _last_ends(self) -> Array:
        """`ends` of each contract with all its extensions."""
        last = self.ends.copy()
        offer, of = self.codes("offers", "contract", "contracts"), self.codes("offers", "extends", "contracts")
        extends = (offer >= 0) & (of >= 0)
        for _ in range(int(extends.sum())):
            np.maximum.at(last, of[extends], last[offer[extends]])
        return last

    @cached_property
    def back_at_start(self) -> Array:
        """GW of each pathway's initial deals that come back in period 0 by notice given before, before its churn."""
        back = np.zeros(len(self.rows("pathways")))
        pathway = self.codes("running", "pathway", "pathways")
        due = np.array([kind == "notice" for kind in self.texts("running", "kind")], dtype=bool) & (pathway >= 0)
        due &= self.period(self.dates("running", "until")) == 0
        np.add.at(back, pathway[due], self.numbers("running", "gw")[due])
        return back

    @cached_property
    def every_pair(self) -> bool:
        """Whether there is no table of eligible pairs, so that every pair is one."""
        return "eligibility" not in self.instance.present

    def pairs(self, column: str, none: float) -> Array:
        """Return a column of ``eligibility`` as a matrix of pathways and pools; `none` where a pair is not eligible."""
        shape = self.eligible.shape
        default = TABLES["eligibility"][column].default
        if self.every_pair:
            return np.full(shape, default, dtype=np.float64)
        p, q = self.codes("eligibility", "pathway", "pathways"), self.codes("eligibility", "pool", "pools")
        known = (p >= 0) & (q >= 0)
        matrix = np.full(shape, none)
        matrix[p[known], q[known]] = self.numbers("eligibility", column)[known]
        return matrix

    @cached_property
    def most_effective(self) -> Array:
        """Largest effectiveness that each pathway (row) ever has on each pool (column), 0 where it may not use it."""
        most = self.pairs("effectiveness", 0.0)
        p, q = self.codes("effectiveness", "pathway", "pathways"), self.codes("effectiveness", "pool", "pools")
        known = np.flatnonzero((p >= 0) & (q >= 0))
        known = known[self.eligible[p[known], q[known]]]
        np.maximum.at(most, (p[known], q[known]), self.numbers("effectiveness", "effectiveness")[known])
        return most

    @cached_property
    def eligible(self) -> Array:
        """Whether each pathway (row) may use each pool (column)."""
        matrix = np.full((len(self.rows("pathways")), len(self.rows("pools"))), self.every_pair)
        if not self.every_pair:
            p, q = self.codes("eligibility", "pathway", "pathways"), self.codes("eligibility", "pool", "pools")
            matrix[p[(p >= 0) & (q >= 0)], q[(p >= 0) & (q >= 0)]] = True
        return matrix

    @cached_property
    def neighbouring_tiers(self) -> tuple[Array, Array]:
        """Rows of ``value`` that hold a tier and the next one of the same pathway and date."""
        order, _ = self.key_order("value")
        pathway, since = self.codes("value", "pathway", "pathways"), self.dates("value", "from")
        one, two = order[:-1], order[1:]
        same = (pathway[one] == pathway[two]) & (pathway[one] >= 0) & (since[one] == since[two])
        return one[same], two[same]

    @cached_property
    def is_deal(self) -> Array:
        """Whether each pathway has a notice or a term."""
        return (self.numbers("pathways", "notice_days") > 0) | (self.numbers("pathways", "min_term_days") > 0)

    @cached_property
    def kept_at_start(self) -> Array:
        """Share of each pathway's initial deals that churn leaves in period 0."""
        kept = (1 - self.numbers("pathways", "churn_per_year")) ** self.calendar.dt
        p = self.codes("churn", "pathway", "pathways")
        now = (self.period(self.dates("churn", "date")) == 0) & (p >= 0)
        np.multiply.at(kept, p[now], 1 - self.numbers("churn", "fraction")[now])
        return kept

    def finding(
        self, table: str, at: int | np.integer[Any] | Iterable[int], column: str, what: str, rule: str, remedy: str
    ) -> Finding:
        """Return a finding about one row or several, given by position."""
        rows = self.rows(table)
        positions = [int(at)] if isinstance(at, int | np.integer) else at
        return Finding(table, tuple(rows[i] for i in positions), column, what, rule, remedy)


def iso(date: np.datetime64 | pd.Timestamp) -> str:
    """Return a date as year-month-day."""
    return str(date)[:10]
