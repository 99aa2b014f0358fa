"""The value of some cells at which a figure crosses a threshold, or the plan first changes, all re-optimised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from optimizer.catalogue.tables import TABLES
from optimizer.errors import InfeasibleError
from optimizer.instance.cells import LARGEST_NUMBER
from optimizer.instance.varied_cells import Varied
from optimizer.problems import InstanceError, Problem
from optimizer.session import Answer, Session
from optimizer.solver.parametric import same_structure
from optimizer.studies.attempt import Told
from optimizer.studies.breakeven import exact as breakeven_exact
from optimizer.studies.breakeven.cases import (
    BRACKETED,
    Break,
    Cases,
    Goal,
    Moved,
    PlanChanges,
    Search,
    State,
    Threshold,
    held,
)
from optimizer.studies.breakeven.exact import NotExact

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


VALID: Final = 1e-9
"""Width to which the end of what the cells may have is found, as a share of the way to the bound or of the value now,
whichever is less."""


@dataclass(frozen=True)
class Breakeven:
    """What was looked for, and what was found below and above the value that the cells have.

    Attributes
    ----------
    varied : Varied
        The cells.
    figure : str
        The quantity that is looked at.
    goal : Goal
        What is looked for.
    now : State
        The plan as it is.
    low, high : float
        Bounds of the search, in the cell's unit.
    searches : tuple of Search
        Down and up; a direction without room is left out.
    """

    varied: Varied
    figure: str
    goal: Goal
    now: State
    low: float
    high: float
    searches: tuple[Search, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        threshold = self.goal.value if isinstance(self.goal, Threshold) else None
        return {
            "cells": self.varied.text,
            "unit": self.varied.unit,
            "figure": self.figure,
            "goal": "threshold" if isinstance(self.goal, Threshold) else "plan changes",
            "threshold": threshold,
            "value_now": self.now.value,
            "figure_now": self.now.figure,
            "objective_bn": self.now.worth_bn,
            "low": self.low,
            "high": self.high,
            "searches": [_search(search, self.now) for search in self.searches],
        }


def _search(search: Search, now: State) -> dict[str, Any]:
    return {
        "direction": "up" if search.direction > 0 else "down",
        "breakeven": None if search.found is None else _break(search.found, now),
        "method": search.method,
        "reason": search.reason,
        "searched_until": search.until,
        "ended": search.ended,
        "steps": search.steps,
        "scanned": search.scan,
    }


def _break(found: Break, now: State) -> dict[str, Any]:
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "figure_before": found.before.figure,
        "figure_after": found.after.figure,
        "objective_bn": found.after.worth_bn,
        "slope_before": found.slope_before,
        "slope_after": found.slope_after,
        "moves": found.moves(now),
    }


def breakeven(
    session: Session,
    varied: Varied,
    goal: Goal,
    figure: str = "plan.objective_bn",
    between: tuple[float, float] | None = None,
    tell: Told = lambda stage: None,
) -> Breakeven:
    """Return the nearest breakevens below and above the value that some cells have.

    Parameters
    ----------
    session : Session
        The instance.
    varied : Varied
        The cells.
    goal : Threshold or PlanChanges
        What is looked for.
    figure : str
        A quantity of the claims' grammar: what crosses the threshold, and whose slopes are told.
    between : pair of float, optional
        Bounds of the search, the value that the cells have between them.
    tell : callable, optional
        Told what is being done.

    Raises
    ------
    InstanceError
        If the cells or the figure cannot be found, or the bounds do not hold the value that the cells have.
    StoppedError, AuditError, SolverError
        As `Session.solve_case`.
    """
    _refuse_fractions(varied)
    cases = Cases(session, varied, figure)
    start = varied.now(session.instance)
    low, high = between or varied.bounds(session.instance)
    if not low <= start <= high:
        what = f"the cells have {start:g}, which is not between {low:g} and {high:g}"
        raise InstanceError(Problem(varied.text, what, "the search goes from there", "widen --between"))
    if max(abs(low), abs(high)) > LARGEST_NUMBER:
        what, rule = f"bounds {low:g} and {high:g}", f"no cell holds more than {LARGEST_NUMBER:,}"
        raise InstanceError(Problem(varied.text, what, rule, "narrow --between"))
    now = cases.state_of(start, session.base)
    searches = []
    for bound, word in ((low, "down"), (high, "up")):
        if bound != start:
            tell(f"{word} to {bound:g}")
            searches.append(_searched(cases, goal, start, bound))
    return Breakeven(varied, figure, goal, now, low, high, tuple(searches))


def _refuse_fractions(varied: Varied) -> None:
    if varied.way == "scale" and varied.table in TABLES and TABLES[varied.table][varied.column].kind == "integer":
        what = f"{varied.column} times a number"
        raise InstanceError(Problem(varied.text, what, "it holds whole numbers", "leave out *=, or write += "))


def _searched(cases: Cases, goal: Goal, start: float, bound: float) -> Search:
    """Search in one direction, exactly if that can be."""
    end, why = _allowed(cases, start, bound)
    if end == start:
        return Search(1 if bound > start else -1, None, "", "", start, why, 0)
    found = _either(cases, goal, start, end)
    if found.found is None and not found.ended and why:
        return replace(found, ended=why)
    return found


def _either(cases: Cases, goal: Goal, start: float, end: float) -> Search:
    if cases.varied.whole:
        return search(cases, goal, start, end, "its values are whole numbers")
    try:
        return breakeven_exact.search(cases, goal, start, end)
    except NotExact as error:
        return search(cases, goal, start, end, str(error))


def _allowed(cases: Cases, start: float, bound: float) -> tuple[float, str]:
    """Return how far towards a bound the cells may go by the rules of the format, and the rule that ends it."""
    broken = [""]

    def fits(value: float) -> bool:
        try:
            cases.laid_out(value)
        except InstanceError as error:
            broken[0] = f"beyond it the input breaks a rule: {error.problems[0]}"
            return False
        return True

    if fits(bound):
        return bound, ""
    width = VALID * min(abs(bound - start), max(1.0, abs(start)))
    return narrowed(fits, start, bound, width, whole=cases.varied.whole), broken[0]


__all__ = ["Breakeven", "PlanChanges", "Threshold", "breakeven"]
