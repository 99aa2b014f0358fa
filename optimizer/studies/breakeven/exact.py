"""Breakevens exactly: along the pieces of a line of programs, each proved optimal at its ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq

from gwplan.catalogue.tolerances import BRACKET, DOUBLE, FEASIBLE, ROUNDING
from gwplan.errors import AuditError
from gwplan.problems import InstanceError
from gwplan.solver.certify import certify
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.parametric import Line, NotExact, Piece, line, optimal, pieces, same_structure
from gwplan.solver.program import Basis, SolveOptions, Status
from gwplan.solver.solving import certified
from gwplan.studies.breakeven.cases import (
    EXACT,
    NO_PLAN,
    Break,
    Cases,
    Goal,
    Moved,
    PlanAt,
    PlanChanges,
    Search,
    Threshold,
    scanned,
)

COMPARED: Final = (1e-3, 0.381966, 0.999)
"""Where on the way to the bound the three programs lie that are compared, as shares of it."""

WALKED: Final = 30
"""Pieces that are gone through one after another; then the breakeven is bracketed, and only the last are."""

WALKED_ALONE: Final = 8
"""The same where it can happen only once, so that a scan does not miss it."""

WORTH: Final = "plan.objective_bn"


def search(cases: Cases, goal: Goal, start: float, bound: float) -> Search:
    """Return the nearest breakeven between where the cells are and a bound, by parametric steps of the basis.

    Raises
    ------
    NotExact
        If the programs on the way do not move on a line, by what three of them say or one at a breakpoint does.
    """
    walk = _Walk(cases, goal, start, bound)
    first = walk.first()
    if first is not None:
        walk.prove(first)
    return Search(walk.direction, first, EXACT, "", walk.reached, walk.ended, walk.steps, walk.leapt)


@dataclass(frozen=True)
class _Stretch:
    """A piece and the plans at its two ends, nearer to the start of the search and farther from it."""

    piece: Piece
    near: PlanAt
    far: PlanAt

    @property
    def length(self) -> float:
        """Its length, negative on the way down."""
        return self.far.value - self.near.value

    def rates(self) -> Mapping[Moved, float]:
        """Return the change of GW per unit; empty on a piece without length."""
        if not self.length:
            return {}
        return {name: (self.far.gw[name] - gw) / self.length for name, gw in self.near.gw.items()}


class _Walk:
    """A search on its way from the start to the bound."""

    def __init__(self, cases: Cases, goal: Goal, start: float, bound: float) -> None:
        self._cases, self._goal, self._start, self._bound = cases, goal, start, bound
        self.direction = 1 if bound > start else -1
        self.reached, self.ended, self.steps, self.leapt = start, "", 0, False
        self._line = self._lined_up()
        self._first = self._stretch(next(pieces(self._line, self._basis(), start, self.direction)))

    def _lined_up(self) -> Line:
        """Return the line on which the programs between start and bound lie."""
        at = sorted(self._start + share * (self._bound - self._start) for share in COMPARED)
        try:
            programs = [self._cases.program(value) for value in at]
        except InstanceError as error:
            raise NotExact(f"it may not have every value: {error.problems[0]}") from error
        programs_line = line(at, programs, min(self._start, self._bound), max(self._start, self._bound))
        if isinstance(programs_line, str):
            raise NotExact(programs_line)
        return programs_line

    def _basis(self) -> Basis:
        """Return an optimal basis where the search starts: the base's own, if the line's programs have its columns."""
        base, program = self._cases.session.base, self._line.at(self._start)
        if same_structure(base.program, program) and base.basis is not None:
            return base.basis
        solution, certificate = certified(program, SolveOptions())
        worth = -certificate.objective if certificate and certificate.optimal else np.nan
        if not _equal(worth, base.objective_bn) or solution.basis is None:
            raise NotExact("the program is another as soon as the value is")
        return solution.basis

    def first(self) -> Break | None:
        """Return the first breakeven on the way."""
        first, last = self._walked(self._first.piece.basis, self._start, WALKED_ALONE if self._alone() else WALKED)
        if first is None and not self.ended and self.reached != self._bound:
            return self._leap(last.piece)
        return first

    def _walked(self, basis: Basis, start: float, most: int) -> tuple[Break | None, _Stretch]:
        """Return the first breakeven on so many pieces from a value on, and the last piece."""
        before: _Stretch | None = None
        for number, piece in enumerate(pieces(self._line, basis, start, self.direction), 1):
            self.steps += 1
            stretch = self._stretch(piece)
            turn = self._on(before, stretch)
            self.reached = stretch.far.value if turn is None else turn.value
            if turn is not None or number == most or self.reached == self._bound:
                return turn, stretch
            before = stretch
        self.ended = NO_PLAN
        return None, before or self._first

    def _leap(self, piece: Piece) -> Break | None:
        """Return the first breakeven beyond the pieces gone through: bracketed on the line, then exactly."""
        self.leapt = not self._alone()
        basis = piece.basis

        def over(value: float) -> bool | None:
            self.steps += 1
            there = optimal(self._line, basis, value)
            return None if there is None else self._over(there, value)

        scan = scanned(over, self.reached, self._bound, BRACKET * self._line.span, whole=False)
        self.reached, self.ended = scan.until, scan.ended
        near = None if scan.near is None else optimal(self._line, basis, scan.near)
        if near is None or scan.near is None:
            return None
        first, _ = self._walked(near.basis, scan.near, 10 * WALKED)
        if first is None:
            raise NotExact("too many bases in a bracket")
        return first

    def _alone(self) -> bool:
        """Return whether it can happen once at most on the way, so that no scan overlooks it.

        Worth is convex in costs, and the plans of one basis lie on one stretch of them; worth is concave in bounds.
        """
        costs, bounds = self._line.costs_move, self._line.bounds_move
        if not isinstance(self._goal, Threshold):
            return not bounds
        below = self._goal.side(self._first.near) < 0
        return self._cases.figure == WORTH and (below if not bounds else not costs and not below)

    def _stretch(self, piece: Piece) -> _Stretch:
        near, far = (self._state(piece, piece.end(side)) for side in (-self.direction, self.direction))
        return _Stretch(piece, near, far)

    def _state(self, piece: Piece, value: float) -> PlanAt:
        """Return the plan of a piece at a value, proved optimal for the program of the very tables with that value."""
        columns, duals = piece.columns(value), piece.duals(value)
        program = self._cases.program(value)
        same = same_structure(program, self._line.program)
        program = program if same else self._line.at(value)
        if not certify(program, columns, duals).optimal:
            raise NotExact("the program leaves its line between the values that were compared")
        state = self._cases.state(value, program, columns, duals)
        # At an end rows may be missing that say nothing there: a target of 0, a cost of 0.
        if not same and not _equal(self._cases.answer(value).objective_bn, state.worth_bn):
            raise NotExact("the program gains or loses rows that bind")
        return state

    def _on(self, before: _Stretch | None, stretch: _Stretch) -> Break | None:
        """Return the breakeven where a stretch begins, or on it."""
        goal = self._goal
        if not isinstance(goal, Threshold):
            return self._joint(before, stretch) if self._over(stretch.piece, stretch.far.value, stretch) else None
        side = goal.side(self._first.near)
        if goal.side(stretch.near) in (0, -side):
            return self._joint(before, stretch)
        turn = self._turn(stretch)
        from_ = stretch.near
        for state in (*([] if turn is None else [self._state(stretch.piece, turn)]), stretch.far):
            if goal.side(state) in (0, -side):
                value = self._root(stretch.piece, goal, from_, state)
                there, rates = self._state(stretch.piece, value), stretch.rates()
                slope = self._slope(stretch, value)
                return Break(value, value, value, there, there, slope, slope, rates, rates)
            from_ = state
        return None

    def _over(self, piece: Piece, value: float, stretch: _Stretch | None = None) -> bool:
        """Return whether it has happened on a piece, at a value of it (of a stretch: at either end)."""
        states = (stretch.near, stretch.far) if stretch else (self._state(piece, value),)
        if isinstance(self._goal, Threshold):
            return self._goal.side(states[-1]) in (0, -self._goal.side(self._first.near))
        return any(self._goal.differ(state, self._first.near) for state in states) and self._held_loses(piece, value)

    def _held_loses(self, piece: Piece, value: float) -> bool:
        """Return whether the plan where the search began is worth less than the best at a value, or possible no more.

        Where only costs move both are worth a line's height, and their slopes tell; else what was decided is held.
        """
        columns, other = self._first.piece.columns(self._start), piece.columns(value)
        if not self._line.bounds_move:
            rate = self._line.rate.cost
            loss = self.direction * float(rate @ (columns - other))
            return loss > ROUNDING * (1e-3 + float(np.abs(rate) @ np.abs(columns)))
        program = PlanChanges().held(self._line.at(value), self._cases.laid_out(value).data, columns)
        solution = run_solver(program, basis=piece.basis, ranges=False)
        if solution.status is not Status.OPTIMAL:
            return True
        best = float(self._line.at(value).cost @ other)
        return float(program.cost @ solution.columns) - best > ROUNDING * (1 + abs(best))

    def _root(self, piece: Piece, goal: Threshold, from_: PlanAt, to: PlanAt) -> float:
        if goal.side(to) == 0:
            return to.value

        def gap(value: float) -> float:
            return self._state(piece, value).figure - goal.value

        return float(brentq(gap, from_.value, to.value, xtol=DOUBLE * self._line.span))

    def _parabola(self, stretch: _Stretch) -> tuple[float, float]:
        """Return a and b of the parabola ``a * x ** 2 + b * x + c`` that the figure is, x counted from the near end."""
        half = stretch.length / 2
        middle = self._state(stretch.piece, stretch.near.value + half).figure
        near, far = stretch.near.figure, stretch.far.figure
        square = (far - 2 * middle + near) / (2 * half**2)
        return square, (middle - near) / half - square * half

    def _slope(self, stretch: _Stretch | None, value: float) -> float | None:
        """Return the change of the figure per unit at a value; None on a piece without length."""
        if stretch is None or abs(stretch.length) <= ROUNDING * self._line.span:
            return None
        square, linear = self._parabola(stretch)
        return 2 * square * (value - stretch.near.value) + linear

    def _turn(self, stretch: _Stretch) -> float | None:
        """Return where on a piece the figure turns: only where costs and bounds move together it can."""
        both = self._line.costs_move and self._line.bounds_move
        if not both or abs(stretch.length) <= ROUNDING * self._line.span:
            return None
        square, linear = self._parabola(stretch)
        at = -linear / (2 * square) if square else 0.0
        return stretch.near.value + at if 0 < at / stretch.length < 1 else None

    def _joint(self, before: _Stretch | None, after: _Stretch) -> Break:
        """Return the breakeven where one stretch ends and the next begins."""
        value = after.near.value
        slopes = self._slope(before, value), self._slope(after, value)
        state, rates = (before.far, before.rates()) if before else (after.near, {})
        return Break(value, value, value, state, after.near, *slopes, rates, after.rates())

    def prove(self, at: Break) -> None:
        """Have the plan at the breakeven solved and audited like any other."""
        answer = self._cases.answer(at.value)
        if not _equal(answer.plan.objective_bn, at.before.worth_bn):
            what = f"{answer.objective_bn!r} $bn solved anew, {at.before.worth_bn!r} $bn by steps of the basis"
            raise AuditError(f"two worths at {self._cases.varied.text} = {at.value!r}", [what])


def _equal(one: float, other: float) -> bool:
    return abs(one - other) <= FEASIBLE * (1 + abs(one))
