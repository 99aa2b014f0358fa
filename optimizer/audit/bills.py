"""What deliveries are paid beyond a flat price, worked out anew, bill by bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gwplan.audit.scenarios import Floats, Ints, Long, Periods

ENDLESS: Final = 10**9
"""Period of an end that is not said."""

RISEN: Final = 0
"""Place of bills above the flat price, less what prepayments cover of them."""

PREPAID: Final = 1
"""Place of what is paid ahead."""

UPFRONT: Final = 2
"""Place of what is paid on arrival."""

LATE: Final = 3
"""Place of what is received for delay, the one that is taken off."""


def periods_from(calendar: Periods, day: NDArray[np.datetime64]) -> Ints:
    """Return the first period on or after each date, negative before the start, `ENDLESS` where there is none."""
    period = np.full(day.shape, ENDLESS)
    there = ~np.isnat(day)
    month = day[there].astype("datetime64[M]")
    begun = day[there] > month.astype("datetime64[D]")
    months = (month - calendar.start.astype("datetime64[M]")).astype(np.int64) + begun
    period[there] = np.ceil(months / calendar.months).astype(np.int64)
    return period


def terms(
    deliveries: Long, row_of: Ints, by_line: Mapping[str, NDArray[Any]], at: Any, calendar: Periods
) -> dict[str, NDArray[Any]]:
    """Return the terms of every delivery beyond a flat price.

    Parameters
    ----------
    deliveries : Long
        The table.
    row_of : (D,) int array
        Row of ``deliveries`` of each, -1 for what an extension goes on with.
    by_line : dict of (S, K) arrays
        Columns of ``contracts`` by scenario and contract.
    at : (D,), (D,) int array
        Scenario and contract of each.
    calendar : Periods
        The periods.
    """

    def own(column: str) -> Floats:
        return np.append(deliveries[column], np.nan)[row_of]

    said = {name: cells[at] for name, cells in by_line.items()}
    late = np.where(said["side"] == "sell", 0.0, np.nan_to_num(said["late_credit_bn_per_gw_year"]))
    filed = {
        "growth": said["price_growth_per_year"],
        "from": periods_from(calendar, said["price_from"]),
        "share": said["prepaid_share"],
        "ahead": calendar.of_days(said["prepaid_days"]),
        "credited": np.ceil(said["credit_after_months"] / calendar.months).astype(np.int64),
        "credit": own("credit_bn"),
        "capital": np.nan_to_num(own("upfront_bn_per_gw")),
        "late": np.where(said["delay_months"] > 0, late, 0.0),
    }
    filed["dated"] = (filed["share"] > 0) | (filed["capital"] > 0) | (filed["late"] > 0)
    return {**filed, "special": filed["dated"] | (filed["growth"] > 0) | (filed["credit"] > 0)}


def paid(
    later: Mapping[str, NDArray[Any]], d: int, price: float, calendar: Periods, size: int,
    arrival: int, stop: int, due: int, since: int = -ENDLESS,
) -> Floats:  # fmt: skip
    """Return the parts of what a delivery is paid beyond its flat price, $bn of each of `size` periods, (size, 4).

    Parameters
    ----------
    later, d : dict of (D,) arrays, int
        Deliveries, and which.
    price : float
        $bn per GW-year.
    calendar, size : Periods, int
        The periods, and how many with those after the horizon.
    arrival, stop : int
        Its periods of arrival, perhaps before the start, and of its end.
    due : int
        Period in which it would arrive without a delay.
    since : int
        Period of its signature, before which nothing is paid.

    Returns
    -------
    (size, 4) float array
        Bills above its flat price less what its prepayment covers of them; what is paid ahead, of a payment before the
        start nothing; what is paid on arrival; what is received until it arrives or its contract ends.
    """
    parts = np.zeros((size, 4))
    last = calendar.count if stop >= ENDLESS else min(stop, size)
    gw, growth, flat = later["gw"][d], later["growth"][d], later["gw"][d] * price * calendar.dt
    base = arrival if later["from"][d] == ENDLESS else int(later["from"][d])
    bills = {t: flat * (1 + growth) ** max((t - base) * calendar.months // 12, 0) for t in range(arrival, last)}
    advance, purse = later["share"][d] * sum(bills.values()), float(later["credit"][d])
    made = not np.isnan(purse)
    purse = purse if made else advance
    for t, bill in bills.items():
        open_ = t >= arrival + later["credited"][d] and (t >= 0 or not made)
        covered = min(bill, purse) if open_ else 0.0
        purse -= covered
        if t >= 0:
            parts[t, RISEN] += bill - covered - flat
    day = max(arrival - int(later["ahead"][d]), since)
    if 0 <= day < size and not made:
        parts[day, PREPAID] += advance
    if 0 <= arrival < size and bills:
        parts[arrival, UPFRONT] += later["capital"][d] * gw
    until = min(arrival, int(later["end"][d]), calendar.count if stop >= ENDLESS else size)
    parts[max(due, 0) : max(until, 0), LATE] += later["late"][d] * gw * calendar.dt
    return parts
