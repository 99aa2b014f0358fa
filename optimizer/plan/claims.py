"""The claims of an instance against its data and its plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.instance.cells import place
from gwplan.instance.instance import Instance
from gwplan.instance.quantity_values import Evaluator, needs_plan
from gwplan.language.quantities import FIGURES, Quantity, parse
from gwplan.problems import InstanceError, Problem

HOLDS: Final = "holds"
TOO_LOW: Final = "too low"
TOO_HIGH: Final = "too high"

STATUSES: Final = ("reported", "estimate", "scenario", "assumption", "")
"""How sure a row is, from the surest; a blank says nothing and counts last."""


@dataclass(frozen=True)
class Claim:
    """One claim, judged."""

    claim: str  # as in the table
    statement: str
    quantity: str
    reported: float  # the published figure, in `unit`
    relation: str  # how the data's figure should stand to it
    unit: str
    tolerance: float  # relative difference up to which it holds
    figure: float  # what the data (and the plan, where the quantity names it) give, in `unit`
    ratio: float | None  # figure relative to what was reported; None where that is 0
    verdict: str  # how the figure stands to what was reported
    grade: str  # status of the claim itself
    # the least sure status among the rows that the figure was read from (``unmarked`` where one has none); ``plan``
    # where it is a plan's, ``arithmetic`` where it was read from no row
    rests_on: str
    source: str

    def as_dict(self) -> dict[str, Any]:
        """Return the claim as JSON can hold it."""
        return asdict(self)


def judged(instance: Instance, plan: Callable[[], Mapping[str, Any]]) -> list[Claim]:
    """Return every claim of an instance beside the figure from its data."""
    rows: list[Any] = instance.filled("claims").to_dict("records")
    problems: list[Problem] = []
    read: list[tuple[dict[str, Any], Quantity, str]] = []
    for number, row in zip(instance.tables["claims"].index, rows, strict=True):
        where = f"{place(TABLES['claims'], number, 'quantity')} of claim {row['claim']}"
        try:
            read.append((row, parse(row["quantity"], where), where))
        except InstanceError as error:
            problems += error.problems
    claims: list[Claim] = []
    figures = _Figures(plan)
    for row, quantity, where in read:
        reading = Evaluator(instance, where, figures)
        try:
            figure = reading.value(quantity)
        except InstanceError as error:
            problems += error.problems
            continue
        claims.append(_claim(row, figure, "plan" if needs_plan(quantity) else _least_sure(reading.statuses)))
    if problems:
        raise InstanceError(problems)
    return claims


class _Figures:
    """The figures of a plan that is found when one is first asked for."""

    def __init__(self, plan: Callable[[], Mapping[str, Any]]) -> None:
        self._plan = plan
        self._summary: Mapping[str, Any] | None = None

    def __call__(self, name: str) -> dict[str, float]:
        self._summary = self._plan() if self._summary is None else self._summary
        return figures(self._summary, name)


def figures(summary: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return a figure of a plan's summary by what it is told apart by; under ``""`` where it is one number.

    Money in $bn, capacity in GW-years; `name` is one of `FIGURES`.
    """
    components = summary["components_bn"]
    if name == "value_bn":
        return dict(components["value"])
    if name == "components_bn":
        return {key: math.fsum(value.values()) if key == "value" else value for key, value in components.items()}
    return dict(summary.get(name, {})) if FIGURES[name] else {"": float(summary[name])}  # no offers: none is signed


def _claim(row: Mapping[str, Any], figure: float, rests_on: str) -> Claim:
    taken = {column.name: row[column.name] for column in TABLES["claims"].columns}
    taken |= {"source": row["source"], "grade": row["status"]}
    reported = float(row["reported"])
    slack = row["tolerance"] * abs(reported) + ROUNDING * max(abs(reported), abs(figure))
    low, high = figure < reported - slack, figure > reported + slack
    verdict = HOLDS
    if low and row["relation"] != "at_most":
        verdict = TOO_LOW
    elif high and row["relation"] != "at_least":
        verdict = TOO_HIGH
    ratio = figure / reported if reported else None
    return Claim(**taken, figure=figure, ratio=ratio, verdict=verdict, rests_on=rests_on)


def _least_sure(statuses: Iterable[str]) -> str:
    grades = set(statuses)
    if not grades:
        return "arithmetic"
    return max(grades, key=STATUSES.index) or "unmarked"
