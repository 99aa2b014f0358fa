"""An instance in the making, and the random choices that fill it."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Row = dict[str, Any]
T = TypeVar("T")


@dataclass
class Draft:
    """An instance in the making; dates are dates, blanks are None.

    Attributes
    ----------
    hold : dict of str to float
        GW of the base contract on which a pathway may always count.
    cuts : set of datetime.date
        Dates at which edits cut step functions so far: a new step on one of them could repeat a key.
    met : set of (str, str)
        Offers that an outcome edits, and that outcome.
    """

    rng: np.random.Generator
    size: str
    start: dt.date = dt.date(2026, 7, 1)
    resolution: str = "month"
    months: int = 1
    periods: int = 6
    tables: dict[str, list[Row]] = field(default_factory=dict)
    factors: list[dict[str, Any]] = field(default_factory=list)
    hold: dict[str, float] = field(default_factory=dict)
    cuts: set[dt.date] = field(default_factory=set)
    met: set[tuple[str, str]] = field(default_factory=set)

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def count(self, least: int, end: int) -> int:
        """Return an integer in [least, end)."""
        return int(self.rng.integers(least, end))

    def number(self, least: float, most: float) -> float:
        """Return a number of three decimals."""
        return round(float(self.rng.uniform(least, most)), 3)

    def maybe(self, probability: float, least: float, most: float) -> float | None:
        """Return a number or, otherwise, a blank."""
        return self.number(least, most) if self.chance(probability) else None

    def choice(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.count(0, len(options))]

    def tau(self, t: int) -> dt.date:
        """First day of period t, which may lie outside the horizon."""
        return add_months(self.start, t * self.months)

    def date(self, t: int) -> dt.date:
        """Return a date that takes effect in period t: its first day, the day before it or an earlier one."""
        first, last = self.tau(t - 1), self.tau(t)
        kind = self.rng.random()
        days = 0 if kind < 0.4 else 1 if kind < 0.55 else self.count(1, (last - first).days)
        return last - dt.timedelta(days=days)

    def date_from(self, earliest: dt.date, periods: int) -> dt.date:
        """Return a date on or up to some periods after a date."""
        return earliest if self.chance(0.3) else earliest + dt.timedelta(self.count(0, periods * self.months * 30))

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Return a table's rows with these cells."""
        return [row for row in self.tables.get(table, []) if all(row[c] == v for c, v in where.items())]

    def names(self, table: str) -> list[str]:
        """Return the names in a table's first column."""
        return [next(iter(row.values())) for row in self.tables[table]]

    def delivered_before(self, contract: str, date: dt.date) -> bool:
        """Whether a contract delivers anything before a date, its delay counted."""
        delay = self.rows("contracts", contract=contract)[0]["delay_months"] or 0
        return any(add_months(row["date"], delay) < date for row in self.rows("deliveries", contract=contract))

    def is_deal(self, pathway: str) -> bool:
        """Whether a pathway has notice or a term."""
        row = self.rows("pathways", pathway=pathway)[0]
        return bool(row["notice_days"] or row["min_term_days"])


def add_months(date: dt.date, months: int) -> dt.date:
    """Move a date by months, clamped to the month's end."""
    months += date.year * 12 + date.month - 1
    year, month = months // 12, months % 12 + 1
    return dt.date(year, month, min(date.day, calendar.monthrange(year, month)[1]))
