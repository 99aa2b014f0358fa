"""What-ifs beside their base: each case solved from the base's basis, its tables audited, its figures compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from optimizer.errors import InfeasibleError
from optimizer.instance.instance import Instance
from optimizer.plan.plan import Plan
from optimizer.problems import InstanceError, Problem
from optimizer.session import Answer, Reached, Session
from optimizer.studies.attempt import Told, why_no_plan
from optimizer.studies.figures import Figure, figures
from optimizer.studies.stacks import BASE, Stack


@dataclass(frozen=True)
class Case:
    """A case of a comparison.

    Attributes
    ----------
    stack : Stack
        What is changed.
    plan : Plan or None
        Its audited plan; None where it has none.
    figures : mapping of Figure to float
        Its figures, each in the unit of its group; empty without a plan.
    reached : str
        What of the base's program it changed, with the reason where that was rebuilt.
    cold_again : bool
        Whether its warm answer was in doubt, so that it was solved again cold.
    failure : str
        Why it has no plan; blank where it has one.
    """

    stack: Stack
    plan: Plan | None
    figures: Mapping[Figure, float]
    reached: str = ""
    cold_again: bool = False
    failure: str = ""

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.stack.name


@dataclass(frozen=True)
class Comparison:
    """An instance, its plan as the base, and cases of it, in the order asked for."""

    instance: Instance
    base: Case
    cases: tuple[Case, ...]

    @property
    def all(self) -> tuple[Case, ...]:
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

    Raises
    ------
    InstanceError
        If a case does not fit the base; it names the case, and carries every problem of every case.
    AuditError, SolverError, StoppedError
        As `optimizer.solve`.
    """
    tell = progress or (lambda stage: None)
    instances, problems = [], []
    for stack in asked:
        try:
            instances.append((stack, stack.applied(session.instance)))
        except InstanceError as error:
            problems += [told(stack.name, problem) for problem in error.problems]
    if problems:
        raise InstanceError(problems)
    base = session.base.plan
    cases = []
    for stack, instance in instances:
        tell(stack.name)
        try:
            cases.append(_case(stack, session.solve_case(instance)))
        except InfeasibleError as error:
            cases.append(Case(stack, None, {}, failure=why_no_plan(error)))
        except InstanceError as error:
            problems += [told(stack.name, problem) for problem in error.problems]
    if problems:
        raise InstanceError(problems)
    return Comparison(session.instance, Case(Stack(BASE), base, figures(base), str(Reached.UNCHANGED)), tuple(cases))


def _case(stack: Stack, answer: Answer) -> Case:
    reached = f"{answer.reached}: {answer.reason}" if answer.reason else str(answer.reached)
    return Case(stack, answer.plan, figures(answer.plan), reached, answer.cold_again)


def told(case: str, problem: Problem) -> Problem:
    """Return a problem that says in which case it arises."""
    return Problem(f"{case}: {problem.where}", problem.what, problem.rule, problem.remedy, problem.severity)
