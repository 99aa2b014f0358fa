"""An earlier plan that the next one should stay near."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import pandas as pd


@dataclass(frozen=True, eq=False)
class Earlier:
    """An earlier plan, and what it costs to leave it.

    Attributes
    ----------
    allocation : pandas.DataFrame
        The earlier plan's table of that name.
    resolution : str
        Length of its periods: ``month``, ``quarter`` or ``year``.
    move_cost_bn_per_gw_year : float
        Penalty, $bn per GW and year by which a pair of pathway and pool has more or less than the earlier plan gave it.
    """

    allocation: pd.DataFrame
    resolution: str
    move_cost_bn_per_gw_year: float

    @cached_property
    def digest(self) -> str:
        """sha256 of the plan and the cost."""
        content = f"{self.resolution} {self.move_cost_bn_per_gw_year!r}\n{self.allocation.to_csv(index=False)}"
        return hashlib.sha256(content.encode()).hexdigest()

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """Node, start, known and probability of every node of the earlier plan."""
        return self.allocation.drop_duplicates("node")[["node", "start", "known", "probability"]]

    def days(self) -> list[str]:
        """Return the first day of each period that the earlier plan has, in order."""
        return sorted(set(self.nodes["start"].dt.strftime("%Y-%m-%d")))
