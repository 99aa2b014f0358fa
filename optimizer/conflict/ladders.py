"""A figure that gives way from period to period, as steps: as few as a planner would write by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from optimizer.solver.program import BoolArray, FloatArray

MOST_STEPS: Final = 6
"""Most steps of a floor or cap in a way out; one more would be read by nobody."""

MOST_CONTRACTS: Final = 3
"""Most contracts that a way out adds to a pool: each takes two edits."""


@dataclass(frozen=True)
class Step:
    """Successive periods with one figure.

    Attributes
    ----------
    first, end : int
        The first period, and the one after the last.
    gw : float
        The figure from then on, GW.
    given : float
        What it gives way by, summed over the periods, GW.
    """

    first: int
    end: int
    gw: float
    given: float


def steps(now: FloatArray, to: FloatArray, most: int | None) -> tuple[Step, ...]:
    """Return steps that give way at least as far as figures do in every period, and together by as little as can be.

    Parameters
    ----------
    now, to : (T,) float arrays
        The figure as it is and as it must become, GW; equal where nothing must give way. It gives way in one direction.
    most : int or None
        Most steps; None: as many as it takes to give way by no more than it must.
    """
    touched = np.flatnonzero((now != to) & ~np.isclose(now, to, rtol=0.0, atol=1e-9))
    exact = _exact(now, to, touched.tolist())
    if most is None or len(exact) <= most:
        return exact
    lowered = bool(now[touched[0]] > to[touched[0]])
    first, end = int(touched[0]), int(touched[-1]) + 1
    cost, level = _costs(now[first:end], to[first:end], lowered=lowered)
    return tuple(
        Step(first + i, first + j, float(level[i, j]), float(cost[i, j]))
        for i, j in _cheapest(cost, most, np.isin(np.arange(first, end), touched))
    )


def _exact(now: FloatArray, to: FloatArray, touched: Sequence[int]) -> tuple[Step, ...]:
    found: list[Step] = []
    for t in touched:
        last, given = (found[-1] if found else None), abs(float(now[t] - to[t]))
        if last and last.end == t and abs(last.gw - float(to[t])) < 1e-9:
            found[-1] = Step(last.first, t + 1, last.gw, last.given + given)
        else:
            found.append(Step(t, t + 1, float(to[t]), given))
    return tuple(found)


def _costs(now: FloatArray, to: FloatArray, *, lowered: bool) -> tuple[FloatArray, FloatArray]:
    """Return what one step from each period up to each other gives way by, and its figure; no figure: infinite."""
    count = len(now)
    cost, level = np.full((count, count + 1), np.inf), np.zeros((count, count + 1))
    far = np.minimum if lowered else np.maximum
    for i in range(count):
        level[i, i + 1 :] = far.accumulate(to[i:])
        before = np.cumsum(now[i:])
        with np.errstate(invalid="ignore"):  # a figure that is none is infinite: no step may reach over it
            given = np.abs(before - level[i, i + 1 :] * np.arange(1, count - i + 1))
        cost[i, i + 1 :] = np.where(np.isfinite(given), given, np.inf)
    return cost, level


def _cheapest(cost: FloatArray, most: int, touched: BoolArray) -> list[tuple[int, int]]:
    """Return the steps, so many at most, that cover all periods touched and cost least; others may be left out."""
    count = len(touched)
    best = np.full((most + 1, count + 1), np.inf)
    best[:, 0] = 0.0
    came = np.full((most + 1, count + 1), -1, dtype=np.int64)
    for k in range(1, most + 1):
        for j in range(1, count + 1):
            through = best[k - 1, :j] + cost[:j, j]
            i = int(np.argmin(through))
            best[k, j], came[k, j] = through[i], i
            if not touched[j - 1] and best[k, j - 1] <= best[k, j]:
                best[k, j], came[k, j] = best[k, j - 1], -1
    found: list[tuple[int, int]] = []
    k, j = most, count
    while j:
        i = int(came[k, j])
        if i >= 0:
            found.append((i, j))
            k, j = k - 1, i
        else:
            j -= 1
    return found[::-1]
