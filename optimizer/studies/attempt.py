"""A case that may have no plan: its worth, or the reason in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from optimizer.conflict.diagnose import conflicts_in_words
from optimizer.errors import InfeasibleError, SolverError, StoppedError
from optimizer.language.edits import Edit
from optimizer.plan.tables import gained
from optimizer.problems import InstanceError
from optimizer.session import Answer, Session

Told = Callable[[str], None]
"""Is told what is being solved."""


@dataclass(frozen=True)
class Solved:
    """A case that was solved, or why it has no plan."""

    worth_bn: float | None  # the case's objective, $bn; None where it has no plan
    reason: str = ""  # why it has none; blank where it has one

    def lost(self, base_bn: float) -> float | None:
        """Return how much less than the base it is worth, $bn: 0 where only arithmetic differs, None without a plan."""
        return None if self.worth_bn is None else gained(base_bn, self.worth_bn)


def attempt(session: Session, edits: Iterable[Edit]) -> Solved:
    """Return the worth of the base with edits, or why there is none; without any it is the base's."""
    changes = list(edits)
    if not changes:
        return Solved(session.base.objective_bn)
    answer = attempted(lambda: session.solve(changes))
    return Solved(None, answer) if isinstance(answer, str) else Solved(answer.objective_bn)


def attempted(solve: Callable[[], Answer]) -> Answer | str:
    """Return an answer, or in one line why there is none; one that fails its own check stays an error."""
    try:
        return solve()
    except InstanceError as error:
        return str(error.problems[0])
    except InfeasibleError as error:
        return why_no_plan(error)
    except StoppedError as error:
        return str(error)


def why_no_plan(error: InfeasibleError) -> str:
    """Return in one line why a case has no plan: the demands in conflict where they can be told, else the status."""
    if error.instance is None or error.status == "unbounded":
        return str(error)
    try:
        words = conflicts_in_words(error.instance)
    except (StoppedError, SolverError):  # it has no plan all the same
        return str(error)
    return error.because(words)
