"""Breakevens bracketed: the value where one re-solve is on this side and the next on the other."""

from __future__ import annotations

from typing import Final

from optimizer.errors import InfeasibleError
from optimizer.problems import InstanceError
from optimizer.session import Answer
from optimizer.solver.parametric import same_structure
from optimizer.studies.breakeven.breakeven_goals import BRACKETED, Break, Goal, Search, Threshold
from optimizer.studies.breakeven.breakeven_scan import scanned
from optimizer.studies.breakeven.cases import Cases, Moved, State, held

NARROWED: Final = 1e-6
"""Width of a bracket in the end, as a share of the way from the start to the bound."""

TIED: Final = 1e-7
"""Worth that the plan as it is may lack, relative to 1 + the best, and still count as the best."""


def search(cases: Cases, goal: Goal, start: float, bound: float, reason: str) -> Search:
    """Return the nearest breakeven between where the cells are and a bound, bracketed by re-solves.

    Parameters
    ----------
    cases : Cases
        The cells.
    goal : Goal
        What is looked for.
    start, bound : float
        The value that the cells have, and the one up to which is searched; the input is valid at both.
    reason : str
        Why the breakeven is not found exactly.
    """
    bracket, whole = _Bracket(cases, goal, start), cases.varied.whole
    direction = 1 if bound > start else -1
    width = 1.0 if whole else NARROWED * abs(bound - start)
    if isinstance(goal, Threshold) and goal.side(bracket.base) == 0:
        here = bracket.found(start, start, direction * width)
        return Search(direction, here, BRACKETED, reason, start, "", bracket.solved)
    scan = scanned(bracket.over, start, bound, width, whole=whole)
    found: Break | None = None
    if scan.near is not None and scan.over is not None:
        found = bracket.found(scan.near, scan.over, direction * width)
    return Search(direction, found, BRACKETED, reason, scan.until, scan.ended, bracket.solved, scan=True)


class _Bracket:
    """Re-solves at values of the cells, each done once."""

    def __init__(self, cases: Cases, goal: Goal, start: float) -> None:
        self._cases, self._goal = cases, goal
        self.base = cases.state_of(start, cases.session.base)
        self._answers: dict[float, tuple[Answer, State] | None] = {start: (cases.session.base, self.base)}

    @property
    def solved(self) -> int:
        """Values solved, the start left out."""
        return len(self._answers) - 1

    def _at(self, value: float) -> tuple[Answer, State] | None:
        """Return the answer at a value; None where there is none."""
        if value not in self._answers:
            try:
                answer = self._cases.answer(value)
                self._answers[value] = answer, self._cases.state_of(value, answer)
            except InfeasibleError:
                self._answers[value] = None
        return self._answers[value]

    def over(self, value: float) -> bool | None:
        """Return whether it has happened at a value; None where there is no plan."""
        solved = self._at(value)
        if solved is None:
            return None
        answer, state = solved
        if isinstance(self._goal, Threshold):
            return self._goal.side(state) in (0, -self._goal.side(self.base))
        return state.differs(self.base) and self._held_loses(answer)

    def _held_loses(self, answer: Answer) -> bool:
        """Return whether the plan as it is, held, is worth less than the best at another value, or possible no more."""
        base = self._cases.session.base
        if not same_structure(base.program, answer.program):
            return True
        try:
            worth = self._cases.session.solve_laid_out(
                answer.laid_out, narrowed=lambda program: held(program, base.columns), start=answer
            ).objective_bn
        except InfeasibleError:
            return True
        return answer.objective_bn - worth > TIED * (1 + abs(worth))

    def found(self, near: float, over: float, step: float) -> Break:
        """Return the breakeven between two values, the plans there, audited, and how they change on either side."""
        here, there = self._at(near), self._at(over)
        if here is None or there is None:
            raise ValueError("both sides of a bracket have plans")
        for answer, _ in (here, there):
            answer.plan  # noqa: B018 - audits it
        step = step if abs(step) >= 1 else 100 * step
        before, after = self._change(near - step, near), self._change(over, over + step)
        return Break(
            over, min(near, over), max(near, over), here[1], there[1], before[0], after[0], before[1], after[1]
        )

    def _change(self, one: float, other: float) -> tuple[float | None, dict[Moved, float]]:
        """Return the change of the figure and of GW per unit between two values; nothing where one has no plan."""
        try:
            first, second = self._at(one), self._at(other)
        except InstanceError:  # the cells may not have it
            return None, {}
        if first is None or second is None:
            return None, {}
        a, b, by = first[1], second[1], other - one
        return (b.figure - a.figure) / by, {name: (b.gw.get(name, 0.0) - gw) / by for name, gw in a.gw.items()}
