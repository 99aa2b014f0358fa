"""The worth of an instance alone, proved optimal, without the tables of its plan."""

from __future__ import annotations

from dataclasses import replace

import gwplan as gw
from gwplan.planning import plan_or_error, valid
from gwplan.solver.compile import compiled
from gwplan.solver.solving import certified
from gwplan.tree.timeline import timeline


def afresh(case: gw.Instance) -> float:
    """Return the worth of a case in $bn, without anything that was made for another."""
    case = replace(case, checked=None)
    valid(case)
    solution, certificate = certified(compiled(timeline(case).data), gw.SolveOptions())
    return -plan_or_error(solution, certificate, accept_stopped=False).objective
