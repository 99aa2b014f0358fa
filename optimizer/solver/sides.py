"""What a row's bound is worth when it is moved up and when it is moved down, and how far each holds.

Where the optimum is degenerate a row has many duals: the solver returns one of them, and the value of a little more
differs from that of a little less. On the side where the solver's dual holds for no distance at all the program is
solved again with the bound moved a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from optimizer.catalogue.tolerances import CHANGES, EPSILON, FEASIBLE, ROUNDING, SLOPE
from optimizer.solver.highs import BASIC, UPPER, Moved, basis_codes, loaded, must
from optimizer.solver.program import FloatArray, IntArray, LinearProgram, Solution, SolveOptions
from optimizer.solver.weights import priced

STEPS: Final = (1e-3, 1e-4, 1e-5, 1e-6)
"""Distances tried, GW: the largest over which the objective is a straight line tells its slope."""

TOLD: Final = 1e-3
"""Weight of a node below which the worth of the whole no longer tells whether it is a straight line there."""

MOST_WORK: Final = 200_000
"""Columns times sides beyond which solving again would take longer than the plan itself."""


@dataclass(frozen=True)
class Sides:
    """Change of the objective ($bn) per unit by which a row's bound is moved up or down, by row."""

    # (m,) slopes of the objective against the bound above and below it; nan where not worked out, or not possible
    up: FloatArray
    down: FloatArray
    # (m,) how far down and up these slopes hold: values of the bound
    low: FloatArray
    high: FloatArray


def both_sides(program: LinearProgram, solution: Solution, rows: IntArray, *, always: bool = False) -> Sides | None:
    """Return the slopes on both sides of some rows' bounds, None without an optimal basis."""
    if solution.row_ranges is None or solution.basis is None or not len(solution.row_duals):
        return None
    if solution.light_duals is not None:  # the basis says nothing of what was solved by itself
        rows = rows[np.isnan(solution.light_duals[rows])]
    empty = np.full(program.shape[0], np.nan)
    sides = Sides(empty.copy(), empty.copy(), empty.copy(), empty.copy())
    bound = np.where(np.isfinite(program.row_lower), program.row_lower, program.row_upper)[rows]
    low, high = _ranges(program, solution)
    low, high = low[rows], high[rows]
    sides.low[rows], sides.high[rows] = np.minimum(low, bound), np.maximum(high, bound)
    sides.up[rows] = np.where(high - bound > FEASIBLE, solution.row_duals[rows], np.nan)
    sides.down[rows] = np.where(bound - low > FEASIBLE, solution.row_duals[rows], np.nan)
    again = [(row, 1.0, b) for row, b in zip(rows, bound, strict=True) if np.isnan(sides.up[row])]
    again += [(row, -1.0, b) for row, b in zip(rows, bound, strict=True) if np.isnan(sides.down[row])]
    if again and (always or len(again) * len(program.cost) <= MOST_WORK):
        best = float(program.cost @ solution.columns) + program.offset
        moved, weight = Moved(program, solution.basis), priced(program, solution.row_duals).weight
        for row, direction, at in again:
            slope, end = _slope(moved, int(row), direction, float(at), best, known=weight[row] >= TOLD)
            (sides.up if direction > 0 else sides.down)[row] = slope
            (sides.high if direction > 0 else sides.low)[row] = end
    return sides


def _ranges(program: LinearProgram, solution: Solution) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest bound of each row for which its dual holds.

    What the solver says of a row that does not bind is about something else: there the bound may move up to the row's
    activity, and away from it without end. Of an equality that happens not to bind nothing is known.
    """
    assert solution.row_ranges is not None
    low, high = (side.copy() for side in solution.row_ranges)
    slack = basis_codes(solution.basis)[1] == BASIC
    activity = program.times(solution.columns)
    above, below = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    bound = np.where(below, program.row_lower, program.row_upper)
    low = np.where(slack, np.where(below & ~above, -np.inf, np.where(above & ~below, activity, bound)), low)
    high = np.where(slack, np.where(above & ~below, np.inf, np.where(below & ~above, activity, bound)), high)
    return low, high


def _slope(moved: Moved, row: int, direction: float, bound: float, best: float, *, known: bool) -> tuple[float, float]:
    """Return the objective's slope on one side of a bound, and the bound up to which it holds.

    Where the objective does not tell what happens on a node, the range of the dual must reach back to the bound.
    """
    for step in STEPS:
        answer = moved.solve(row, direction * step)
        if answer is None:
            continue
        objective, dual, low, high = answer
        mean = (objective - best) / (direction * step)
        if not known and not (low - FEASIBLE <= bound if direction > 0 else bound <= high + FEASIBLE):
            continue
        if abs(mean - dual) * step <= ROUNDING * (1 + abs(best)) and abs(mean - dual) <= SLOPE * (1 + abs(dual)):
            end = bound + direction * step  # so far it was seen to hold
            return dual, max(high, end) if direction > 0 else min(low, end)
    return np.nan, bound


class Directions:
    """An optimal basis that is asked how far costs may move.

    Parameters
    ----------
    program : LinearProgram
        A linear program without whole numbers.
    solution : Solution
        Its certified optimum, with a basis.
    """

    def __init__(self, program: LinearProgram, solution: Solution) -> None:
        self._program = program
        self._highs = loaded(program, SolveOptions())
        must(self._highs.setBasis(solution.basis), "starting from a basis")
        status, basic = self._highs.getBasicVariables()
        must(status, "factorising a basis")
        self._basic = np.asarray(basic)
        code = np.concatenate(basis_codes(solution.basis))
        lower = np.concatenate([program.column_lower, program.row_lower])
        upper = np.concatenate([program.column_upper, program.row_upper])
        self._able = (code != BASIC) & (lower < upper)
        self._sign = np.where(code == UPPER, -1.0, 1.0)[self._able]
        duals = solution.row_duals
        reduced = np.concatenate([program.cost - program.transposed_times(duals), duals])
        self._weight = np.roll(priced(program, duals).weight, -len(duals))
        self._slack = np.maximum(self._sign * reduced[self._able], 0.0)

    def reach(self, direction: FloatArray) -> tuple[float, float]:
        """Return how far costs may move against a direction, and along it, while the plan stays best; both >= 0."""
        at_basic = np.where(self._basic >= 0, direction[np.maximum(self._basic, 0)], 0.0)
        status, duals = self._highs.getBasisTransposeSolve(at_basic)
        must(status, "solving with a basis")
        change = np.concatenate([direction - self._program.transposed_times(duals), duals])[self._able] * self._sign
        heaviest = (np.abs(direction) / self._weight[: len(direction)]).max(initial=0.0)
        noise = CHANGES * self._weight[self._able] * heaviest + EPSILON * np.abs(direction).max(initial=0.0)
        change[np.abs(change) <= noise] = 0.0
        against, along = (
            float(np.divide(self._slack, side, out=np.full(len(side), np.inf), where=side > 0).min(initial=np.inf))
            for side in (change, -change)
        )
        return against, along
