"""The search for whole numbers: branch and bound from the relaxed program, each step from the basis of the one before.

Whole offers make large linear programs with few decisions that are whole. HiGHS' own search begins each of its linear
programs, its cuts and smaller searches from nothing that is known here; a step of this one takes a few iterations of
the dual simplex. What was measured is in docs/decisions.md.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gwplan.catalogue.tolerances import FEASIBLE, PROVED, THREE_DIGITS
from gwplan.solver.highs import Relaxation, Relaxed
from gwplan.solver.program import Basis, BoolArray, FloatArray, LinearProgram, Solution, SolveOptions, Status

EFFORT: Final = 9_000_000
"""Steps times columns after which a gap of `THREE_DIGITS` will do; after ten times as many the search is given up."""


@dataclass(order=True)
class _Open:
    """A part of the search that is left: bounds of the whole numbers, and where its relaxed program is bounded from."""

    bound: float
    number: int
    lower: FloatArray = field(compare=False)
    upper: FloatArray = field(compare=False)
    basis: Basis = field(compare=False)
    branch: tuple[int, int, float] = field(compare=False)  # place, 0 down or 1 up, how far it moves


class _Search:
    """One search; costs are minimised."""

    def __init__(self, program: LinearProgram, options: SolveOptions, gap: float | None) -> None:
        self._gap, self._columns = gap, len(program.cost)
        self.began, self._limit = time.perf_counter(), options.time_limit
        self._relaxed = Relaxed(program, options)
        self.best, self.columns, self.iterations, self.steps = np.inf, np.empty(0), 0, 0
        self.basis: Basis = None
        self._passed_over = np.inf  # the least bound of what was left out since it is no better
        self._open: list[_Open] = []
        size = int(program.whole.sum())
        self._lost, self._tried = np.zeros((2, size)), np.zeros((2, size))  # by branching down and up
        self._lower = np.ceil(program.column_lower[program.whole] - FEASIBLE)
        self._upper = np.floor(program.column_upper[program.whole] + FEASIBLE)

    def run(self, basis: Basis | None) -> Status | None:
        """Search from a basis, or anew; None: given up."""
        root = self._step(self._lower, self._upper, basis)
        try:
            return self._from(root)
        except KeyboardInterrupt:  # between two steps, so that a part may be missing
            self._passed_over = min(self._passed_over, root.objective)
            return Status.INTERRUPTED

    def _from(self, root: Relaxation) -> Status | None:
        if root.status is not Status.OPTIMAL:
            known = root.status in (Status.INFEASIBLE, Status.TIME_LIMIT, Status.INTERRUPTED)
            return root.status if known else None
        self._dive(root, self._lower, self._upper)
        while self._open and self.gap > self._accepted():
            if self._late():
                return Status.TIME_LIMIT
            if self.steps * self._columns > 10 * EFFORT:
                return None
            part = heapq.heappop(self._open)
            step = self._step(part.lower, part.upper, part.basis)
            if step.interrupted:
                heapq.heappush(self._open, part)
                return Status.INTERRUPTED
            if step.status is Status.TIME_LIMIT:
                heapq.heappush(self._open, part)
                return Status.TIME_LIMIT
            if not self._learned(step, part.bound, part.branch):
                return None
            if step.objective < self._cut_off():
                self._dive(step, part.lower, part.upper)
            else:
                self._passed_over = min(self._passed_over, step.objective)
        return Status.OPTIMAL if len(self.columns) else Status.INFEASIBLE

    @property
    def bound(self) -> float:
        """What no solution's objective can be below."""
        return min(self.best, self._passed_over, self._open[0].bound if self._open else np.inf)

    @property
    def gap(self) -> float:
        """How far the best is from the bound, relative to 1 + its size."""
        return (self.best - self.bound) / (1 + abs(self.best)) if np.isfinite(self.best) else np.inf

    def _accepted(self) -> float:
        if self._gap is not None:
            return self._gap
        return THREE_DIGITS if self.steps * self._columns > EFFORT else PROVED / 2

    def _cut_off(self) -> float:
        """Return from what objective on nothing better can follow."""
        slack = PROVED / 2 if self._gap is None else min(self._gap, PROVED / 2)
        return self.best - slack * (1 + abs(self.best)) if np.isfinite(self.best) else np.inf

    def _late(self) -> bool:
        return self._limit is not None and time.perf_counter() - self.began > self._limit

    def _step(self, lower: FloatArray, upper: FloatArray, basis: Basis | None) -> Relaxation:
        step = self._relaxed.solve(lower, upper, basis, self._cut_off())
        self.steps += 1
        self.iterations += step.iterations
        return step

    def _learned(self, step: Relaxation, bound: float, branch: tuple[int, int, float]) -> bool:
        """Note what a branch cost; return whether the step may be believed."""
        place, side, moved = branch
        if step.status is Status.OPTIMAL:
            self._lost[side, place] += max(step.objective - bound, 0.0) / max(moved, FEASIBLE)
            self._tried[side, place] += 1
        return step.status in (Status.OPTIMAL, Status.INFEASIBLE)

    def _dive(self, step: Relaxation, lower: FloatArray, upper: FloatArray) -> None:
        """Follow the nearest whole numbers down until they are whole, or no better; leave the others open."""
        while True:
            place = self._fraction(step.whole)
            if place is None:
                if step.objective < self.best:
                    self.best, self.columns, self.basis = step.objective, step.columns(), step.basis
                return
            value, up = float(step.whole[place]), int(step.whole[place] % 1 >= 0.5)
            sides = []
            for side in (0, 1):
                low, high = lower.copy(), upper.copy()
                (low if side else high)[place] = np.ceil(value) if side else np.floor(value)
                sides.append((low, high, (place, side, np.ceil(value) - value if side else value - np.floor(value))))
            other, (lower, upper, branch) = sides[1 - up], sides[up]
            basis = step.basis
            heapq.heappush(self._open, _Open(step.objective, self.steps, other[0], other[1], basis, other[2]))
            bound = step.objective
            step = self._step(lower, upper, basis)
            stopped = step.interrupted or step.status is Status.TIME_LIMIT
            if stopped or not self._learned(step, bound, branch):
                heapq.heappush(self._open, _Open(bound, -self.steps, lower, upper, basis, branch))
                return
            if step.objective >= self._cut_off():
                self._passed_over = min(self._passed_over, step.objective)
                return

    def _fraction(self, whole: FloatArray) -> int | None:
        """Return the place of the whole number whose rounding, either way, is expected to cost most; None: all are."""
        part = whole - np.floor(whole)
        at = np.flatnonzero((part > PROVED) & (part < 1 - PROVED))
        if not len(at):
            return None
        usual = self._lost.sum(axis=1, keepdims=True) / np.maximum(self._tried.sum(axis=1, keepdims=True), 1)
        tried: BoolArray = self._tried[:, at] > 0
        lost = np.where(tried, self._lost[:, at] / np.maximum(self._tried[:, at], 1), np.maximum(usual, PROVED))
        down, up = lost * np.stack([part[at], 1 - part[at]])
        return int(at[np.argmax(np.maximum(down, FEASIBLE) * np.maximum(up, FEASIBLE))])


def branched(
    program: LinearProgram, options: SolveOptions, gap: float | None, basis: Basis | None = None
) -> Solution | None:
    """Return the best solution with whole numbers and its bound; None where the search is given up.

    Parameters
    ----------
    program : LinearProgram
        What is solved.
    options : SolveOptions
        Time limit and log; what is called meanwhile.
    gap : float or None
        Gap, relative to 1 + the objective's size, at which the search ends; None: none that counts, or after some
        effort `THREE_DIGITS`.
    basis : Basis, optional
        Where the relaxed program may be near its optimum.
    """
    search = _Search(program, options, gap)
    status = search.run(basis)
    if status is None:
        return None
    return Solution(
        status=status,
        columns=search.columns,
        row_duals=np.empty(0),
        row_ranges=None,
        iterations=search.iterations,
        seconds=time.perf_counter() - search.began,
        message=f"{search.steps} steps",
        basis=search.basis,
        bound=search.bound if np.isfinite(search.bound) else None,
        interrupted=status is Status.INTERRUPTED,
    )
