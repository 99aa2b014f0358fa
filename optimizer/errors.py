"""Why there is no plan: one error for each way in which a solve can end without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class PlanError(RuntimeError):
    """A solve that gave no plan to act on."""


class InfeasibleError(PlanError):
    """No plan keeps every limit (or, for want of one, worth grows without end).

    Attributes
    ----------
    status : str
        ``infeasible``, ``unbounded`` or ``infeasible_or_unbounded``.
    instance : Instance or None
        What was planned for, where that is known: `gwplan.conflict.diagnose.diagnose` explains it.
    in_conflict : str
        Demands that cannot all be kept, in words, as far as the solve itself told: not the fewest; may be blank.
    """

    def __init__(self, status: str, instance: Any = None, in_conflict: str = "") -> None:
        self.status, self.instance, self.in_conflict = status, instance, in_conflict
        super().__init__(_MEANING[status])

    def because(self, in_conflict: str) -> str:
        """Return in one line why there is no plan: demands in conflict where they are given, else the status alone."""
        return f"{self.status}: these cannot all be kept: {in_conflict}" if in_conflict else str(self)


_MEANING = {
    "infeasible": "infeasible: no plan keeps every floor, cap, lock, ramp and deal with the capacity delivered",
    "unbounded": "unbounded: some decision raises worth without end; look for a cost or a limit that is missing",
    "infeasible_or_unbounded": "infeasible or unbounded: the solver could not tell which",
}


class StoppedError(PlanError):
    """A limit or Ctrl-C ended the solve.

    Attributes
    ----------
    status : str
        ``time_limit``, ``iteration_limit`` or ``interrupted``.
    plan_found : bool
        Whether the solver had a feasible plan by then.
    """

    def __init__(self, status: str, seconds: float, *, plan_found: bool) -> None:
        self.status, self.plan_found = status, plan_found
        has = "a feasible plan, not proved best" if plan_found else "no feasible plan yet"
        super().__init__(f"stopped ({status.replace('_', ' ')}) after {seconds:.1f} s with {has}")


class AuditError(PlanError):
    """An answer that failed its own check; it is not shown.

    Attributes
    ----------
    findings : tuple of str
        Each figure that did not agree.
    """

    def __init__(self, message: str, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        shown = "\n".join(self.findings[:20]) + ("\n..." if len(self.findings) > 20 else "")
        super().__init__(f"{message}:\n{shown}")


class SolverError(PlanError):
    """The solver itself failed."""
