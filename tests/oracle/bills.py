"""What one tranche is paid month by month, as filed: growth, prepayment and credit, capital, credits for delay."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from tests.oracle.contracts import Tranche
from tests.oracle.reading import add_months

if TYPE_CHECKING:
    from tests.oracle.data import Data


@dataclass(frozen=True)
class Account:
    """$bn by period: bills net of credits, paid ahead, paid on arrival, received for delay."""

    net: dict[int, float]
    ahead: dict[int, float]
    capital: dict[int, float]
    late: dict[int, float]

    def paid(self, t: int) -> float:
        """All that is paid in a period, less what is received."""
        return self.net.get(t, 0.0) + self.ahead.get(t, 0.0) + self.capital.get(t, 0.0) - self.late.get(t, 0.0)


def account(data: Data, k: str, part: Tranche, price: float, a: int | None = None) -> Account:
    """Return the account of a tranche of contract k; `a`: of an offer, the period in which it is signed."""
    row, calendar = data.contracts[k], data.calendar
    months, late_months = calendar.months, int(row["delay_months"])
    lead = data.lead(k) if a is not None else 0
    if part.day is None:
        promised = (a or 0) + calendar.periods_of(part.after_days)
        begins = promised - (-late_months // months)
    else:
        promised, begins = (first_after(data, add_to(part.day, -late_months, part)), first_after(data, part.day))
    if a is not None:
        promised, moved = max(promised, a + lead), max(begins, a + lead)
    else:
        moved = begins
    by_date = part.day is not None and moved == begins
    begins, ahead_of_it = moved, calendar.periods_of(row["prepaid_days"])
    bills: dict[int, float] = {}
    credits_from = begins - (-int(row["credit_after_months"]) // months)
    t = begins
    while not over(data, k, part, t, begins, by_date):
        since = tau(data, begins) if row["price_from"] is None else row["price_from"]
        years = whole_years(since, tau(data, t))
        bills[t] = part.gw * price * calendar.dt * (1 + row["price_growth_per_year"]) ** years
        t += 1
    given = part.credit
    advance = row["prepaid_share"] * math.fsum(bills.values())
    purse, net = advance if given is None else given, {}
    for t, bill in sorted(bills.items()):
        back = min(purse, bill) if t >= credits_from and (given is None or t >= 0) else 0.0
        purse, net[t] = purse - back, bill - back
    account = Account(net, defaultdict(float), defaultdict(float), defaultdict(float))
    day = begins - ahead_of_it if a is None else max(a, begins - ahead_of_it)
    if given is None and day >= 0:
        account.ahead[day] = advance
    if bills and begins >= 0:
        account.capital[begins] = part.upfront * part.gw
    credit = row["late_credit_bn_per_gw_year"] or 0.0
    if not data.sold(k) and late_months > 0:
        for t in range(max(promised, 0), begins):
            if not data.ended(k, t) and (t < calendar.periods or not endless(data, k, part)):
                account.late[t] = credit * part.gw * calendar.dt
    return account


def endless(data: Data, k: str, part: Tranche) -> bool:
    """Whether nothing says when a tranche is over."""
    return data.contracts[k]["end"] is None and part.term_months is None


def over(data: Data, k: str, part: Tranche, t: int, begins: int, by_date: bool) -> bool:
    """Whether a tranche is no longer in service; what has no end is billed to the horizon."""
    if endless(data, k, part):
        return t >= data.calendar.periods
    end = data.contracts[k]["end"]
    if end is not None and end <= tau(data, t):
        return True
    if part.term_months is None:
        return False
    if by_date and part.day is not None:
        return tau(data, t) >= add_months(part.day, int(part.term_months))
    return t >= begins - (-int(part.term_months) // data.calendar.months)


def tau(data: Data, t: int) -> date:
    """First day of a period, before the start too."""
    return add_months(data.calendar.start, t * data.calendar.months)


def first_after(data: Data, day: date) -> int:
    """First period that starts on or after a day, negative before the start."""
    t = (day.year - data.calendar.start.year) * 12 // data.calendar.months - 14
    while tau(data, t) < day:
        t += 1
    return t


@cache
def whole_years(since: date, until: date) -> int:
    """Whole years between two days, 0 before the first."""
    years = 0
    while add_months(since, 12 * (years + 1)) <= until:
        years += 1
    return years


def add_to(day: date, months: int, part: Tranche) -> date:
    """Return the day that was written: the delay taken off again."""
    return part.written if part.written is not None else add_months(day, months)
