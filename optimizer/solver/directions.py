"""How far costs may change before a plan stops being best, from one factorisation of its optimal basis.

Moved along a direction, costs move every reduced cost in a straight line; the plan stays best until the first of them
changes its sign (cost ranging; of a single column it is what spreadsheets call allowable increase and decrease). The
same figure is a price: if the cost of what a plan uses may rise by r before it changes, then every plan that uses one
unit less loses at least r.
"""

from __future__ import annotations

import numpy as np

from optimizer.solver.highs import BASIC, UPPER, basis_codes, loaded, must
from optimizer.solver.program import FloatArray, LinearProgram
from optimizer.solver.solution import Solution, SolveOptions

_NOISE = 1e-10
"""Changes of a reduced cost, relative to the largest, that are the arithmetic's own."""


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
        self._slack = np.maximum(self._sign * reduced[self._able], 0.0)

    def reach(self, direction: FloatArray) -> tuple[float, float]:
        """Return how far costs may move against a direction, and along it, while the plan stays best; both >= 0.

        Parameters
        ----------
        direction : (n,) float array
            Change of each column's cost.
        """
        at_basic = np.where(self._basic >= 0, direction[np.maximum(self._basic, 0)], 0.0)
        status, duals = self._highs.getBasisTransposeSolve(at_basic)
        must(status, "solving with a basis")
        change = np.concatenate([direction - self._program.transposed_times(duals), duals])[self._able] * self._sign
        change[np.abs(change) <= _NOISE * np.abs(direction).max(initial=0.0)] = 0.0
        against, along = (
            float(np.divide(self._slack, side, out=np.full(len(side), np.inf), where=side > 0).min(initial=np.inf))
            for side in (change, -change)
        )
        return against, along
