"""A program solved from the start that suits it, and the answer proved; one in doubt is solved again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from optimizer.instance.layouts import Layouts
from optimizer.instance.timeline import Timeline
from optimizer.solve.certify import Certificate, certify
from optimizer.solve.highs import solve as run_solver
from optimizer.solve.mixed import judged
from optimizer.solve.program import LinearProgram
from optimizer.solve.solution import Solution, SolveOptions, Status
from optimizer.solve.stages import Stage, Start, lifted, start_of

COLD_AGAIN: Final[tuple[dict[str, str | int], ...]] = ({"presolve": "off"}, {"solver": "ipm", "run_crossover": "on"})
"""What is tried, in turn, when an answer said to be optimal does not prove to be."""


def solved(
    laid_out: Timeline,
    program: LinearProgram,
    options: SolveOptions,
    meanwhile: Callable[[], object] | None = None,
    layouts: Layouts | None = None,
) -> tuple[Solution, Certificate | None, dict[str, Any]]:
    """Solve an instance's program from the start that suits it, and judge the answer.

    Returns
    -------
    (Solution, Certificate or None, dict)
        The last says where the solver started, every stage of a lifted solve, and iterations and seconds of the last.
    """
    start = start_of(laid_out, program, options)
    stages: tuple[Stage, ...] = ()
    report: dict[str, Any] = {"start": str(start), "stages": []}
    if start is Start.LIFT:
        lift, stages = lifted(laid_out, program, options, meanwhile, layouts)
        report["stages"] = [asdict(stage) for stage in stages]
        if lift is not None:
            certificate = certify(program, lift.columns, lift.row_duals) if len(lift.columns) else None
            if lift.status.stopped or (certificate and certificate.optimal):
                return lift, certificate, {**report, "iterations": lift.iterations, "seconds": lift.seconds}
        report["start"] = "cold after lift"
    spent = sum(stage.seconds for stage in stages)
    left = None if options.time_limit is None else max(options.time_limit - spent, 0.0)
    solution, certificate = certified(program, replace(options, time_limit=left), meanwhile)
    return solution, certificate, {**report, "iterations": solution.iterations, "seconds": solution.seconds}


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


DECISIONS: Final = ("allocate", "cancelled", "sign", "release", "breach")
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
