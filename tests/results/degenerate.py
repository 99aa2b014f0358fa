"""Whether a plan really changes where its allowable change ends: the step of the column that then enters the basis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gwplan.solver.highs import BASIC, basis_codes
from gwplan.solver.program import FloatArray, LinearProgram, Solution


@dataclass(frozen=True)
class Corner:
    """An optimal basis as dense arrays over columns and then rows: A x - r = 0, each within its bounds.

    Attributes
    ----------
    matrix : float array
        [A, -I].
    at, lower, upper, reduced : float arrays
        Value, bounds and reduced cost of each column and row.
    code : int array
        0 at the lower bound, 1 basic, 2 at the upper.
    """

    matrix: FloatArray
    at: FloatArray
    lower: FloatArray
    upper: FloatArray
    reduced: FloatArray
    code: np.ndarray[tuple[int], np.dtype[np.int8]]

    def blocking(self, direction: FloatArray) -> list[tuple[int, float]]:
        """Return what enters as costs move along a direction, and where: index and distance, the nearest alone."""
        basic = self.code == BASIC
        costs = np.append(direction, np.zeros(len(self.at) - len(direction)))
        prices = np.linalg.solve(self.matrix[:, basic].T, costs[basic])
        change = costs - self.matrix.T @ prices
        change[np.abs(change) < 1e-9 * np.abs(direction).max()] = 0.0
        sign = np.where(self.code == 2, -1.0, 1.0)
        slack, falls = np.maximum(sign * self.reduced, 0.0), -sign * change
        able = ~basic & (self.lower < self.upper) & (falls > 0)
        ratio = np.full(len(self.at), np.inf)
        ratio[able] = slack[able] / falls[able]
        nearest = ratio.min()
        return (
            [(int(j), float(nearest)) for j in np.flatnonzero(ratio <= nearest + 1e-9)] if np.isfinite(nearest) else []
        )

    def step(self, entering: int) -> float:
        """Return how far what enters moves before a bound stops it; 0 at a degenerate corner."""
        basic = np.flatnonzero(self.code == BASIC)
        sign = -1.0 if self.code[entering] == 2 else 1.0
        moves = -sign * np.linalg.solve(self.matrix[:, basic], self.matrix[:, entering])
        moves[np.abs(moves) < 1e-9] = 0.0
        room = np.where(moves > 0, self.upper[basic] - self.at[basic], self.at[basic] - self.lower[basic])
        room = np.maximum(np.where(moves == 0, np.inf, room), 0.0) / np.maximum(np.abs(moves), 1e-300)
        return float(min(room.min(initial=np.inf), self.upper[entering] - self.lower[entering]))


def corner(program: LinearProgram, solution: Solution) -> Corner:
    """Return the optimal basis of a solution."""
    rows, columns = program.shape
    matrix = np.zeros((rows, columns))
    matrix[program.index, np.repeat(np.arange(columns), np.diff(program.start))] = program.value
    code = np.concatenate(basis_codes(solution.basis))
    return Corner(
        np.hstack([matrix, -np.eye(rows)]),
        np.concatenate([solution.columns, matrix @ solution.columns]),
        np.concatenate([program.column_lower, program.row_lower]),
        np.concatenate([program.column_upper, program.row_upper]),
        np.concatenate([program.cost - matrix.T @ solution.row_duals, solution.row_duals]),
        code,
    )
