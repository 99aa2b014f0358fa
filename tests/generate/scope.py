"""What one outcome of a random instance may touch."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.generate.draft import Draft

Edit = dict[str, Any]


class Scope:
    """What one outcome may touch.

    Attributes
    ----------
    since : datetime.date
        Data that take effect before this date must stay as they are.
    anything : bool
        Whether the factor is revealed by the start, so that there is no past to keep.
    at_leaves : bool
        Whether the reveal lies within the horizon, so that what happens beyond it may change.
    alone : bool
        Whether there is no other factor.
    """

    def __init__(self, draft: Draft, revealed: dt.date, pathways: list[str], contracts: list[str]) -> None:
        self.draft = draft
        self.anything = revealed <= draft.start
        self.since = dt.date(2000, 1, 1) if self.anything else revealed
        self.at_leaves = revealed <= draft.tau(draft.periods - 1)
        self.alone = False
        self.pathways, self.contracts = pathways, contracts
        self.touched: set[tuple[str, str]] = set()

    def first(self, table: str, name: str) -> bool:
        """Whether this outcome touches a name's rows for the first time; from now on it has."""
        key = (table, name)
        fresh = key not in self.touched
        self.touched.add(key)
        return fresh

    def new_date(self, periods: int = 6) -> dt.date:
        """Return a date on which something may newly happen."""
        earliest = self.draft.date(0) if self.anything else self.since
        return self.draft.date_from(earliest, periods)

    def new_step(self, taken: set[dt.date]) -> dt.date | None:
        """Return a date on which a step may begin where others begin on the dates taken, if it comes up free."""
        date = self.new_date()
        return None if date in taken | self.draft.cuts else date

    def range(self) -> Edit:
        """Return the dates in which a step function changes."""
        dates: Edit = {}
        if not self.anything or self.draft.chance(0.6):
            dates["from"] = self.new_date()
        if self.draft.chance(0.4 if dates else 0.3):
            earliest = dates["from"] + dt.timedelta(days=1) if dates else self.new_date()
            dates["until"] = self.draft.date_from(earliest, 6)
        self.draft.cuts |= set(dates.values())
        return dates

    def undelivered(self, contract: str) -> bool:
        """Whether neither deliveries nor window of a contract reach before the reveal."""
        windows = self.draft.rows("cancellations", contract=contract)
        return not self.draft.delivered_before(contract, self.since) and all(w["opens"] >= self.since for w in windows)


def one_of(scope: Scope, table: str, names: list[str], column: str) -> str | None:
    """Return a name that has rows in a table and is not yet touched there by this outcome."""
    names = [name for name in names if scope.draft.rows(table, **{column: name})]
    name = scope.draft.choice(names) if names else None
    return name if name is not None and scope.first(table, name) else None


def reached(scope: Scope, table: str, where: dict[str, Any], dates: Edit) -> bool:
    """Whether a step function has a row of that description in a range, or in force on its first date."""
    rows = scope.draft.rows(table, pathway=where["pathway"])
    start, until = dates.get("from", dt.date.min), dates.get("until", dt.date.max)
    latest = max((row["from"] for row in rows if row["from"] <= start), default=start)
    chosen = scope.draft.rows(table, **where)
    return any(row["from"] == latest or start <= row["from"] < until for row in chosen)


def written(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row's cells that are not blank."""
    return {column: cell for column, cell in row.items() if cell is not None}
