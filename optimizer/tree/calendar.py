"""Dates become periods: the one place that knows how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gwplan.instance.instance import Instance

Dates = NDArray[np.datetime64]

NEVER: Final = 2**40
"""The period in which ends what has no end."""

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
"""Months in a period of each resolution."""


@dataclass(frozen=True)
class Calendar:
    """The periods of a plan."""

    first_month: np.datetime64  # month in which period 0 starts
    months: int  # months in a period
    periods: int  # number of periods T

    @property
    def dt(self) -> float:
        """Length of a period, years."""
        return self.months / 12

    def starts(self, count: int | None = None) -> Dates:
        """Return the first day of each period ``tau_t``; more than T periods run on beyond the horizon."""
        number = np.arange(self.periods if count is None else count)
        return (self.first_month + (number * self.months).astype("timedelta64[M]")).astype("datetime64[D]")

    def period(self, dates: Dates) -> NDArray[np.int64]:
        """Return the first period that starts on or after each date: 0 before the start, T or more past the end."""
        return np.maximum(self.unclipped(dates), 0)

    def unclipped(self, dates: Dates) -> NDArray[np.int64]:
        """Return the same, negative before the start."""
        number, distinct = pd.factorize(dates.view(np.int64))  # few dates are distinct
        dates = distinct.view(dates.dtype)
        month = dates.astype("datetime64[M]")
        late = dates > month.astype(dates.dtype)
        months = (month - self.first_month).astype(np.int64) + late
        periods: NDArray[np.int64] = (-(-months // self.months))[number]
        return periods

    def periods_of_days(self, days: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return days as whole periods, rounded up: ``ceil(days / (dt * 365.25))`` in exact whole numbers."""
        periods: NDArray[np.int64] = -(-days.astype(np.int64) * 48 // (self.months * 1461))
        return periods


def calendar_of(instance: Instance) -> Calendar:
    """Return the periods of an instance."""
    return Calendar(np.datetime64(instance.start, "M"), MONTHS[instance.resolution], instance.periods)


def add_months(dates: Dates, months: NDArray[np.int64]) -> Dates:
    """Return dates moved by whole months, clamped to the month's end; NaT stays NaT."""
    if not months.any():
        return dates.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    day = dates.astype("datetime64[D]") - month.astype("datetime64[D]")
    moved = month + months.astype("timedelta64[M]")
    last = (
        (moved + np.timedelta64(1, "M")).astype("datetime64[D]")
        - moved.astype("datetime64[D]")
        - np.timedelta64(1, "D")
    )
    shifted: Dates = moved.astype("datetime64[D]") + np.minimum(day, last)
    return shifted
