"""A program solved and the answer proved; one in doubt is solved again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from optimizer.solver.certify import Certificate, certify
from optimizer.solver.highs import solve as run_solver
from optimizer.solver.mixed import judged
from optimizer.solver.program import LinearProgram
from optimizer.solver.solution import Solution, SolveOptions, Status

COLD_AGAIN: Final[tuple[dict[str, str | int], ...]] = ({"presolve": "off"}, {"solver": "ipm", "run_crossover": "on"})
"""What is tried, in turn, when an answer said to be optimal, or that there is none, does not prove to be right."""


def taken(report: Mapping[str, Any]) -> int:
    """Return the solver's iterations of a solve that was not warm, those of its stages together."""
    staged = sum(int(stage["iterations"]) for stage in report["stages"])
    return staged if report["start"] == "lift" else staged + int(report["iterations"])


def certified(
    program: LinearProgram, options: SolveOptions, meanwhile: Callable[[], object] | None = None
) -> tuple[Solution, Certificate | None]:
    """Solve a program and judge the answer on the matrix; an optimum that does not prove to be one is solved again.

    Returns
    -------
    (Solution, Certificate or None)
        The certificate is None where there is no point to judge.
    """
    solution, certificate = judged(program, replace(options, meanwhile=meanwhile))
    for again in COLD_AGAIN:
        doubtful = solution.status is Status.OPTIMAL and not (certificate and certificate.optimal)
        unclear = solution.status is Status.INFEASIBLE_OR_UNBOUNDED
        if not (doubtful or unclear):
            break
        solution, certificate = judged(program, replace(options, solver={**options.solver, **again}))
    return solution, certificate


DECISIONS: Final = ("allocate", "cancelled", "signed", "sign", "release", "breach")
"""The variables that are somebody's decision; all others follow from them."""


def settled(program: LinearProgram, solution: Solution) -> tuple[Solution, Certificate]:
    """Return a stopped solution with its decisions kept and everything that follows from them chosen best.

    Short of the optimum the solver may leave value unearned or count a shortfall that is none. The duals say nothing of
    the plan then, so there are none.
    """
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    for name in DECISIONS:
        at = program.columns[name]
        lower[at] = upper[at] = np.clip(solution.columns[at], program.column_lower[at], program.column_upper[at])
    followed = run_solver(replace(program, column_lower=lower, column_upper=upper))
    if followed.status is Status.OPTIMAL:
        solution = replace(solution, columns=followed.columns)
    nothing = np.empty(0)
    return replace(solution, row_duals=nothing, row_ranges=None), certify(program, solution.columns, nothing)
