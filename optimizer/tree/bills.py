"""What a delivery is paid beyond a flat price: rising prices, prepayments, capital on arrival, credits for delay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.tree.arrays import dates, numbers
from gwplan.tree.calendar import NEVER, Calendar

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FILED = (
    "contracts: price_growth_per_year price_from prepaid_share prepaid_days credit_after_months",
    "contracts: side late_credit_bn_per_gw_year delay_months",
    "deliveries: upfront_bn_per_gw credit_bn",
)
"""The columns of those terms."""


@dataclass(frozen=True)
class Filed:
    """Terms of each delivery beyond a flat price; D deliveries, periods of the calendar.

    Attributes
    ----------
    gw : (D,) float array
        GW added.
    growth : (D,) float array
        Share by which the price rises a year.
    anniversary : (D,) int array
        Period from which years count, `NEVER`: the arrival.
    prepaid : (D,) float array
        Share of its bills that is paid ahead.
    ahead, credited : (D,) int array
        Periods before the arrival on which it is paid; periods of service before bills are set off against it.
    credit : (D,) float array
        $bn left of it at the start; nan: what bills before the start have not used up.
    upfront, late : (D,) float array
        $bn per GW paid on arrival; $bn per GW-year received while it is late.
    """

    gw: Floats
    growth: Floats
    anniversary: Ints
    prepaid: Floats
    ahead: Ints
    credited: Ints
    credit: Floats
    upfront: Floats
    late: Floats

    @classmethod
    def of(cls, contracts: pd.DataFrame, deliveries: pd.DataFrame, of: Ints, gw: Floats, calendar: Calendar) -> Filed:
        """Return the terms of deliveries, each of the contract in row `of`; the last ones may have no own row."""

        def own(column: str) -> Floats:
            cells = numbers(deliveries, column)
            return np.append(cells, np.full(len(of) - len(cells), np.nan))

        since, months = dates(contracts, "price_from"), calendar.months
        said = ~np.isnat(since)
        late = np.where(
            contracts["side"] == "sell", 0.0, np.nan_to_num(numbers(contracts, "late_credit_bn_per_gw_year"))
        )
        late = np.where(numbers(contracts, "delay_months") > 0, late, 0.0)
        anniversary = np.where(said, calendar.unclipped(np.where(said, since, calendar.starts(1)[0])), NEVER)
        credited = -(-numbers(contracts, "credit_after_months").astype(np.int64) // months)
        return cls(
            gw=gw,
            growth=numbers(contracts, "price_growth_per_year")[of],
            anniversary=anniversary[of],
            prepaid=numbers(contracts, "prepaid_share")[of],
            ahead=calendar.periods_of_days(numbers(contracts, "prepaid_days"))[of],
            credited=credited[of],
            credit=own("credit_bn"),
            upfront=np.nan_to_num(own("upfront_bn_per_gw")),
            late=late[of],
        )

    @cached_property
    def there(self) -> Flags:
        """Whether a delivery has such terms, shape (D,)."""
        return self.dated | (self.growth > 0) | (self.credit > 0)

    @property
    def dated(self) -> Flags:
        """Whether it is paid at other times than while it is in service."""
        return (self.prepaid > 0) | (self.upfront > 0) | (self.late > 0)


@dataclass(frozen=True)
class Payments:
    """What one delivery is paid by period, shape (U,) each, in $bn: what is due by the period, not a year.

    Attributes
    ----------
    bill, risen : float array
        What it bills, before anything is set off; what of that is more than its flat price.
    covered : float array
        What of that a prepayment covers, negative.
    prepaid, upfront : float array
        What is paid ahead and on arrival.
    late : float array
        What is received while it is late.
    left : float array
        What is left of a prepayment as the period begins; nan while it is not paid.
    whole : float
        All that it bills, before the start too.
    """

    bill: Floats
    risen: Floats
    covered: Floats
    prepaid: Floats
    upfront: Floats
    late: Floats
    left: Floats
    whole: float

    @property
    def more(self) -> Floats:
        """What is paid in all above the flat price, less what is received."""
        return self.risen + self.covered + self.prepaid + self.upfront - self.late

    def within(self, calendar: Calendar) -> tuple[Floats, Floats, Floats, Floats]:
        """Return, in the periods of the plan, $bn a year due above the flat price, prepaid, upfront; late a year."""
        of = slice(calendar.periods)
        a_year = (self.risen[of] + self.covered[of]) / calendar.dt
        return a_year, self.prepaid[of], self.upfront[of], self.late[of] / calendar.dt


def payments(
    filed: Filed, row: int, calendar: Calendar, price: float, begins: int, stop: int, due: int, until: int, count: int,
    signed: int = -NEVER,
) -> Payments:  # fmt: skip
    """Return what a delivery is paid in each of the first `count` periods, which hold all of its service.

    Parameters
    ----------
    filed, row : Filed, int
        Its terms.
    calendar : Calendar
        The periods.
    price : float
        $bn per GW-year.
    begins, stop : int
        Periods of arrival, which may lie before the start, and in which it is no longer in service.
    due, until : int
        Period in which it would arrive without its delay, and in which its contract ends.
    count : int
        How many periods.
    signed : int
        Period of its signature, before which nothing is paid.
    """
    first = min(begins, 0)
    t = np.arange(first, count)
    there = (begins <= t) & (t < stop)
    since = begins if filed.anniversary[row] == NEVER else int(filed.anniversary[row])
    years = np.maximum(t - since, 0) * calendar.months // 12
    gw = filed.gw[row]
    flat = np.where(there, gw * price * calendar.dt, 0.0)
    bill = flat * (1 + filed.growth[row]) ** years
    ahead, left = filed.prepaid[row] * bill.sum(), filed.credit[row]
    may = t >= begins + filed.credited[row]
    if np.isnan(left):
        left = ahead
    else:
        ahead, may = 0.0, may & (t >= 0)
    covered = -np.diff(np.minimum(np.cumsum(np.where(may, bill, 0.0)), left), prepend=0.0)
    paid = max(begins - int(filed.ahead[row]), signed)
    rest = np.where((t > paid) | (ahead == 0), left + np.cumsum(covered) - covered, np.nan)
    late = np.where((due <= t) & (t < min(begins, until)), filed.late[row] * gw * calendar.dt, 0.0)
    upfront = np.where((t == begins) & there.any(), filed.upfront[row] * gw, 0.0)
    prepaid = np.where(t == paid, ahead, 0.0)
    of = slice(-first, None)  # what lies before the start is past
    return Payments(
        bill[of], (bill - flat)[of], covered[of], prepaid[of], upfront[of], late[of], rest[of], float(bill.sum())
    )
