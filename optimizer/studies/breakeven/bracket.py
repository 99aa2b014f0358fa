"""Breakevens bracketed: the value where one re-solve is on this side and the next on the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from optimizer.errors import InfeasibleError
from optimizer.problems import InstanceError
from optimizer.session import Answer
from optimizer.solver.parametric import same_structure
from optimizer.studies.breakeven.cases import BRACKETED, Break, Cases, Goal, Moved, Search, State, Threshold, held

SCANNED: Final = 12
"""Values between the start and the bound that are looked at before a bracket is narrowed."""

NO_PLAN: Final = "beyond it no plan keeps every limit"

Look = Callable[[float], bool | None]
"""Whether it has happened at a value; None where there is no plan."""


@dataclass(frozen=True)
class Scan:
    """Where it happens first.

    Attributes
    ----------
    near, over : float
        The last value before it and the first one after, in the cell's unit; both None where it does not happen.
    until : float
        How far was looked, in the cell's unit.
    ended : str
        Why not as far as the bound; blank where it was.
    """

    near: float | None
    over: float | None
    until: float
    ended: str = ""


def narrowed(inside: Callable[[float], bool], good: float, bad: float, width: float, *, whole: bool) -> float:
    """Return a value inside that is within `width` of one that is not, by halving.

    Parameters
    ----------
    inside : callable
        Whether a value is inside.
    good, bad : float
        A value inside, and one that is not.
    width : float
        Distance, in the cell's unit.
    whole : bool
        Whether only whole numbers are tried: the next one is outside then.
    """
    while abs(bad - good) > (1.0 if whole else width):
        middle = (good + bad) / 2
        middle = float(np.floor(middle)) if whole else middle
        if middle in (good, bad):
            break
        good, bad = (middle, bad) if inside(middle) else (good, middle)
    return good


def scanned(look: Look, start: float, bound: float, width: float, *, whole: bool) -> Scan:
    """Return where it happens first on the way from a value at which it has not.

    What happens and is undone between two neighbouring values of the scan is not seen.
    """
    seen: dict[float, bool | None] = {start: False}

    def known(value: float) -> bool | None:
        if value not in seen:
            seen[value] = look(value)
        return seen[value]

    last = start
    for value in _values(start, bound, whole=whole):
        ended = ""
        if known(value) is None:
            value = narrowed(lambda v: known(v) is not None, last, value, width, whole=whole)
            ended = NO_PLAN
        if known(value):
            near = narrowed(lambda v: known(v) is False, last, value, width, whole=whole)
            over = min((v for v, had in seen.items() if had and abs(v - start) > abs(near - start)),
                       key=lambda v: abs(v - near))  # fmt: skip
            return Scan(near, over, over)
        if ended:
            return Scan(None, None, value, ended)
        last = value
    return Scan(None, None, bound)


def _values(start: float, bound: float, *, whole: bool) -> list[float]:
    """Return the values that are looked at first, from the start to the bound."""
    count = min(SCANNED, int(abs(bound - start))) if whole else SCANNED
    values = np.linspace(start, bound, count + 1)[1:]
    return list(dict.fromkeys((np.rint(values) if whole else values).tolist()))


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
