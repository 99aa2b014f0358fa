"""What a breakeven is looked for: a figure that crosses a threshold, or a plan that changes; and what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from optimizer.studies.breakeven.cases import LEAST_GW, Moved, State

EXACT: Final = "parametric steps of the basis"
BRACKETED: Final = "bracketed by re-solves"

SAME: Final = 1e-9
"""Difference of a figure from its threshold, relative to 1 + its size, that is rounding."""


@dataclass(frozen=True)
class Threshold:
    """A figure reaches a value, in the figure's unit."""

    value: float

    def side(self, state: State) -> int:
        """Return on which side a plan is: -1 below, 1 above, 0 there."""
        by = state.figure - self.value
        if abs(by) <= SAME * (1 + max(abs(state.figure), abs(self.value))):
            return 0
        return 1 if by > 0 else -1


class PlanChanges:
    """The plan of the instance as it is is no longer the best one."""


Goal = Threshold | PlanChanges


@dataclass(frozen=True)
class Break:
    """A value at which it happens.

    Attributes
    ----------
    value : float
        The breakeven, in the cell's unit.
    low, high : float
        It lies between them, in the cell's unit: both are `value` where it is exact.
    before, after : State
        The plan just short of it, and just beyond: as close as it was bracketed, or at that very value where two plans
        are equally good there.
    slope_before, slope_after : float or None
        Change of the figure per unit of the cells on either side; None where nothing is known there.
    rates_before, rates_after : mapping of Moved to float
        Change of GW per unit likewise; empty where nothing is known.
    """

    value: float
    low: float
    high: float
    before: State
    after: State
    slope_before: float | None
    slope_after: float | None
    rates_before: Mapping[Moved, float]
    rates_after: Mapping[Moved, float]

    def moves(self, now: State) -> list[dict[str, Any]]:
        """Return what of the plan moves there, beyond it, or on the way from now; the largest first."""
        rows = []
        for name in dict.fromkeys([*now.gw, *self.after.gw]):
            was, before, after = (state.gw.get(name, 0.0) for state in (now, self.before, self.after))
            falls, rises = self.rates_before.get(name, 0.0), self.rates_after.get(name, 0.0)
            if max(abs(after - before), abs(after - was), abs(rises - falls)) > LEAST_GW:
                kind, owner, year = name
                rows.append(
                    {"what": kind, "name": owner, "year": int(year) if year else None, "now_gw": was,
                     "before_gw": before, "after_gw": after, "before_gw_per_unit": falls, "after_gw_per_unit": rises}
                )  # fmt: skip
        return sorted(rows, key=lambda r: (-abs(r["after_gw"] - r["before_gw"]), -abs(r["after_gw"] - r["now_gw"])))


@dataclass(frozen=True)
class Search:
    """What a search in one direction came to.

    Attributes
    ----------
    direction : {1, -1}
        Up or down from the value that the cells have.
    found : Break or None
        The nearest breakeven; None where there is none.
    method : str
        `EXACT` or `BRACKETED`.
    reason : str
        Why it is not exact; blank where it is.
    until : float
        How far was searched, in the cell's unit.
    ended : str
        Why not as far as the bounds; blank where it was.
    steps : int
        Bases, or re-solves, that were gone through.
    scan : bool
        Whether some of the way was looked at in some values only, so that what happens and is undone between two of
        them is not seen.
    """

    direction: int
    found: Break | None
    method: str
    reason: str
    until: float
    ended: str
    steps: int
    scan: bool = False
