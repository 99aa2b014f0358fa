"""What-ifs beside their base: each case solved from the base's basis, its tables audited, its figures compared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from gwplan.errors import InfeasibleError
from gwplan.instance.instance import Instance
from gwplan.kept.run import COMPARISON
from gwplan.language.edits import Edit, WhatIf, edit
from gwplan.plan.plan import Plan
from gwplan.plan.tables import decision_changes, first_period_gw
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.session import Answer, Reached, Session
from gwplan.storage.read import load_whatif
from gwplan.studies.attempt import Told, why_no_plan
from gwplan.studies.compare import Figure, figures

BASE = "base"
"""Name of the case without any change."""

SET = "set"
"""Name of the case that the edits of a command line make."""


@dataclass(frozen=True)
class Part:
    """One change of a stack: a what-if, or an edit."""

    name: str
    change: WhatIf | Edit

    def applied(self, instance: Instance) -> Instance:
        """Return an instance with the change."""
        change = self.change
        return instance.with_whatif(change) if isinstance(change, WhatIf) else instance.edited(change)


@dataclass(frozen=True)
class Stack:
    """A named case: parts applied in their order."""

    name: str
    parts: tuple[Part, ...] = ()

    def applied(self, instance: Instance) -> Instance:
        """Return an instance with all the parts applied."""
        for part in self.parts:
            instance = part.applied(instance)
        return instance


def stacks(instance: Instance, names: Sequence[str], edits: Sequence[str] = ()) -> list[Stack]:
    """Return the cases that a command line asks for; every what-if of the instance where it names none."""
    problems: list[Problem] = []
    cases: list[Stack] = []
    for name in dict.fromkeys(names or ([] if edits else instance.whatifs)):
        try:
            parts = tuple(_part(instance, each) for each in _split(instance, name))
            cases.append(Stack("+".join(part.name for part in parts), parts))
        except InstanceError as error:
            problems += error.problems
    try:
        parsed = [Part(text, edit(text)) for text in edits]
        cases += [Stack(SET, tuple(parsed))] if parsed else []
    except InstanceError as error:
        problems += error.problems
    repeated = [name for name in {s.name for s in cases} if sum(s.name == name for s in cases) > 1 or name == BASE]
    problems += [
        Problem(f"what-if {name}", "stands for two cases", "every case has a name of its own") for name in repeated
    ]
    if not cases and not problems:
        remedy = "name a .toml file, or give --set EDIT"
        problems.append(Problem("what-ifs", "none", "the instance has no whatifs/ to compare", remedy))
    if problems:
        raise InstanceError(problems)
    return cases


def _split(instance: Instance, name: str) -> list[str]:
    """Return the parts of a name; a what-if whose own name holds a ``+`` stays whole."""
    return [name] if name in instance.whatifs else name.split("+")


def _part(instance: Instance, name: str) -> Part:
    if name in instance.whatifs:
        return Part(name, instance.whatifs[name])
    if name.endswith(".toml"):
        return Part(Path(name).stem, load_whatif(name))
    known = nearest(name, instance.whatifs)
    raise InstanceError(Problem(f"what-if {name}", "no such what-if in the instance", known))


@dataclass(frozen=True)
class ComparedCase:
    """A case of a comparison."""

    stack: Stack  # what is changed
    plan: Plan | None  # its audited plan; None where it has none
    figures: Mapping[Figure, float]  # its figures, each in the unit of its group; empty without a plan
    reached: str = ""  # what of the base's program it changed, with the reason where that was rebuilt
    cold_again: bool = False  # whether its warm answer was in doubt, so that it was solved again cold
    failure: str = ""  # why it has no plan; blank where it has one

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.stack.name

    def changes(self, base: ComparedCase) -> list[tuple[str, float, float]]:
        """Return the pathways whose GW in the first period are others than the base's: name, GW there, GW here."""
        if self.plan is None or base.plan is None:
            return []
        return decision_changes(*(first_period_gw(case.plan.decided) for case in (base, self) if case.plan))


@dataclass(frozen=True)
class Comparison:
    """An instance, its plan as the base, and cases of it, in the order asked for."""

    instance: Instance
    base: ComparedCase
    cases: tuple[ComparedCase, ...]

    @property
    def all(self) -> tuple[ComparedCase, ...]:
        """The base, then the cases."""
        return (self.base, *self.cases)

    def named(self, group: str) -> list[str]:
        """Return the names that a group of figures has in any case, the base's first."""
        return list(dict.fromkeys(f.name for case in self.all for f in case.figures if f.group == group))

    def table(self) -> pd.DataFrame:
        """Return every figure of every case in long form, beside the base's and with the difference."""
        rows = []
        for case in self.all:
            for figure in dict.fromkeys([*self.base.figures, *case.figures]) if case.plan else ():
                value, base = (of.get(figure, float("nan")) for of in (case.figures, self.base.figures))
                rows.append((case.name, figure.group, figure.name, figure.unit, value, base, value - base))
        return pd.DataFrame(rows, columns=["case", "figure", "name", "unit", "value", "base", "difference"])


def compare(session: Session, asked: Iterable[Stack], progress: Told | None = None) -> Comparison:
    """Solve the base and each case, and compare them.

    A case without a plan stays in the comparison with its reason.
    """
    tell = progress or (lambda stage: None)
    instances, problems = [], []
    for stack in asked:
        try:
            instances.append((stack, stack.applied(session.instance)))
        except InstanceError as error:
            problems += [in_case(stack.name, problem) for problem in error.problems]
    if problems:
        raise InstanceError(problems)
    plan = session.base.plan
    base = ComparedCase(Stack(BASE), plan, figures(plan), str(Reached.UNCHANGED))
    cases = []
    for stack, instance in instances:
        tell(stack.name)
        try:
            cases.append(_case(stack, session.solve_case(instance)))
        except InfeasibleError as error:
            cases.append(ComparedCase(stack, None, {}, failure=why_no_plan(error)))
        except InstanceError as error:
            problems += [in_case(stack.name, problem) for problem in error.problems]
    if problems:
        raise InstanceError(problems)
    return Comparison(session.instance, base, tuple(cases))


def _case(stack: Stack, answer: Answer) -> ComparedCase:
    reached = f"{answer.reached}: {answer.reason}" if answer.reason else str(answer.reached)
    return ComparedCase(stack, answer.plan, figures(answer.plan), reached, answer.cold_again)


def in_case(case: str, problem: Problem) -> Problem:
    """Return a problem that says in which case it arises."""
    return Problem(f"{case}: {problem.where}", problem.what, problem.rule, problem.remedy, problem.severity)


MOST_EXACT: Final = 4
"""Parts of a stack up to which every subset of them is solved."""


@dataclass(frozen=True)
class Attribution:
    """Shares of a difference in worth."""

    shares: tuple[tuple[str, float], ...] = ()  # name of each part and its share, $bn; they sum to the difference
    # whether they are Shapley shares, the same in any order; else each is what its part adds in the given order
    exact: bool = True
    failure: str = ""  # why there are none; blank where there are


def attribute(session: Session, stack: Stack) -> Attribution:
    """Return what each part of a stack contributes to its worth against the base.

    Up to four parts the shares are Shapley's: what a part adds, averaged over all orders in which the parts could come.
    Beyond four each part counts with what it adds to the ones before it. Whatever the order, the parts of a subset are
    applied as they stand in the stack.
    """
    parts = stack.parts
    exact = len(parts) <= MOST_EXACT
    everything = tuple(range(len(parts)))
    sizes = range(len(parts) + 1)
    subsets = (
        [s for size in sizes for s in combinations(everything, size)] if exact else [everything[:n] for n in sizes]
    )
    worth: dict[tuple[int, ...], float] = {}
    for subset in subsets:
        chosen = [parts[place] for place in subset]
        try:
            worth[subset] = _worth(session, chosen)
        except InfeasibleError as error:
            return Attribution(failure=f"{_named(chosen)} alone has no plan: {why_no_plan(error)}")
        except InstanceError as error:
            return Attribution(failure=f"{_named(chosen)} alone does not fit the instance: {error.problems[0]}")
    shares = [_shapley(worth, place, len(parts)) if exact else _in_order(worth, place) for place in everything]
    return Attribution(tuple(zip((part.name for part in parts), shares, strict=True)), exact)


def _worth(session: Session, parts: Sequence[Part]) -> float:
    return session.solve_case(Stack("", tuple(parts)).applied(session.instance)).objective_bn


def _shapley(worth: dict[tuple[int, ...], float], place: int, count: int) -> float:
    """Return what a part adds to the others, averaged over all orders."""
    total = 0.0
    for subset, before in worth.items():
        if place not in subset:
            orders = factorial(len(subset)) * factorial(count - len(subset) - 1)
            total += orders * (worth[tuple(sorted((*subset, place)))] - before)
    return total / factorial(count)


def _in_order(worth: dict[tuple[int, ...], float], place: int) -> float:
    return worth[tuple(range(place + 1))] - worth[tuple(range(place))]


def _named(parts: Sequence[Part]) -> str:
    return "+".join(part.name for part in parts) or "the base"


def compared_as_json(compared: Comparison, shares: Mapping[str, Attribution]) -> str:
    """Return a comparison as JSON: the base's figures, and each case's with what they differ by."""
    record = {
        "format": COMPARISON.form,
        "base": _record(compared.base),
        "cases": {case.name: _record(case, compared.base) for case in compared.cases},
        "attribution": {
            name: {"exact": each.exact, "failure": each.failure or None, "share_bn": [list(s) for s in each.shares]}
            for name, each in shares.items()
        },
    }
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)


def _record(case: ComparedCase, base: ComparedCase | None = None) -> dict[str, Any]:
    """Return a case's figures by group, those of one name beneath it, and the differences to the base's."""
    record: dict[str, Any] = {"status": case.plan.status if case.plan else "infeasible"}
    record |= {"reason": case.failure} if case.failure else {"reached": case.reached, "cold_again": case.cold_again}
    record |= {"changes": [part.name for part in case.stack.parts]}
    values: dict[str, Any] = {}
    differences: dict[str, Any] = {}
    for figure, value in case.figures.items():
        for into, amount in ((values, value), (differences, _less(value, base, figure))):
            shown = amount if math.isfinite(amount) else None
            if figure.name:
                into.setdefault(figure.group, {})[figure.name] = shown
            else:
                into[figure.group] = shown
    record["figures"] = values
    if case.plan:
        record["first_period_gw"] = first_period_gw(case.plan.decided)
    if base is not None:
        record["difference"] = differences
        if case.plan and base.plan:
            record["first_moves_change"] = bool(case.changes(base))
    return record


def _less(value: float, base: ComparedCase | None, figure: Any) -> float:
    return value - base.figures.get(figure, math.nan) if base is not None else math.nan
