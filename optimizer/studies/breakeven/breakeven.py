"""The value of some cells at which a figure crosses a threshold, or the plan first changes, all re-optimised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import EDGE
from gwplan.instance.cells import LARGEST_NUMBER
from gwplan.instance.varied_cells import Varied
from gwplan.problems import InstanceError, Problem
from gwplan.session import Session
from gwplan.solver.parametric import NotExact
from gwplan.studies.attempt import Told
from gwplan.studies.breakeven import exact as breakeven_exact
from gwplan.studies.breakeven.cases import (
    Break,
    Cases,
    Goal,
    PlanAt,
    PlanChanges,
    Search,
    Threshold,
    bracketed,
    narrowed,
)


@dataclass(frozen=True)
class Breakeven:
    """What was looked for, and what was found below and above the value that the cells have."""

    varied: Varied  # the cells
    figure: str  # the quantity that is looked at
    goal: Goal  # what is looked for
    now: PlanAt  # the plan as it is
    # bounds of the search, in the cell's unit
    low: float
    high: float
    searches: tuple[Search, ...]  # down and up; a direction without room is left out

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        changes = None if isinstance(self.goal, Threshold) else self.goal
        threshold = self.goal.value if isinstance(self.goal, Threshold) else None
        goal = "threshold" if changes is None else "first moves change" if changes.first else "plan changes"
        return {
            "cells": self.varied.text,
            "unit": self.varied.unit,
            "figure": self.figure,
            "goal": goal,
            "threshold": threshold,
            "counts_from_gw": None if changes is None else changes.by_gw,
            "value_now": self.now.value,
            "figure_now": self.now.figure,
            "objective_bn": self.now.worth_bn,
            "low": self.low,
            "high": self.high,
            "searches": [_search(search, self.now) for search in self.searches],
        }


def _search(search: Search, now: PlanAt) -> dict[str, Any]:
    return {
        "direction": "up" if search.direction > 0 else "down",
        "breakeven": None if search.nearest is None else _break(search.nearest, now),
        "method": search.method,
        "reason": search.reason,
        "searched_until": search.until,
        "ended": search.ended,
        "steps": search.steps,
        "scanned": search.scan,
    }


def _break(at: Break, now: PlanAt) -> dict[str, Any]:
    return {
        "value": at.value,
        "low": at.low,
        "high": at.high,
        "figure_before": at.before.figure,
        "figure_after": at.after.figure,
        "objective_bn": at.after.worth_bn,
        "slope_before": at.slope_before,
        "slope_after": at.slope_after,
        "moves": at.moves(now),
        "first_moves": at.first_moves(now),
    }


def breakeven(
    session: Session,
    varied: Varied,
    goal: Goal,
    figure: str = "plan.objective_bn",
    between: tuple[float, float] | None = None,
    tell: Told = lambda stage: None,
) -> Breakeven:
    """Return the nearest breakevens below and above the value that some cells have."""
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
    search = _either(cases, goal, start, end)
    if search.nearest is None and not search.ended and why:
        return replace(search, ended=why)
    return search


def _either(cases: Cases, goal: Goal, start: float, end: float) -> Search:
    if cases.varied.whole:
        return bracketed(cases, goal, start, end, "its values are whole numbers")
    if isinstance(goal, PlanChanges) and not goal.any_change:
        return bracketed(cases, goal, start, end, f"a change counts from {goal.by_gw:g} GW")
    try:
        return breakeven_exact.search(cases, goal, start, end)
    except NotExact as error:
        return bracketed(cases, goal, start, end, str(error))


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
    width = EDGE * min(abs(bound - start), max(1.0, abs(start)))
    return narrowed(fits, start, bound, width, whole=cases.varied.whole), broken[0]


__all__ = ["Breakeven", "PlanChanges", "Threshold", "breakeven"]
