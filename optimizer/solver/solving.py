"""A program solved and the answer proved; one in doubt is solved again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tolerances import PROVED, THREE_DIGITS
from gwplan.solver.certify import Certificate, certify, certify_whole
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import Basis, FloatArray, LinearProgram, Option, Solution, SolveOptions, Status
from gwplan.solver.search import branched


def judged(
    program: LinearProgram, options: SolveOptions, basis: Basis | None = None
) -> tuple[Solution, Certificate | None]:
    """Solve a program, with or without whole numbers, and judge the answer on the matrix.

    A search for whole numbers may begin from a basis.
    """
    if program.whole.any():
        return _searched(program, options, basis)
    solution = run_solver(program, options)
    if not len(solution.columns):
        return solution, None
    return solution, certify(program, solution.columns, solution.row_duals, solution.light_duals)


SEARCH: Final[Mapping[str, Option]] = {
    "mip_rel_gap": PROVED,
    "mip_allow_restart": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""How whole numbers are searched for: large linear programs with few of them, so that branching finds what HiGHS would
look for in smaller searches and after a restart; on whole offers these take half of the time and more."""


def _searched(
    program: LinearProgram, options: SolveOptions, basis: Basis | None
) -> tuple[Solution, Certificate | None]:
    asked = {**SEARCH, **options.solver}
    gap = options.solver.get("mip_rel_gap")
    blocks = "in_use" in program.columns and len(program.column_keys["in_use"])  # for these its cuts do more
    ours = not blocks and not {*options.solver} - {"mip_rel_gap"}  # other options are meant for the solver's search
    searched = branched(program, options, None if gap is None else float(gap), basis) if ours else None
    if searched is None:
        searched = run_solver(program, replace(options, solver=asked))
    elif gap is None:
        asked["mip_rel_gap"] = THREE_DIGITS
    if not len(searched.columns) or searched.bound is None:
        return searched, None
    fixed = with_whole_fixed(program, searched.columns)
    rest = run_solver(fixed, replace(options, meanwhile=None, time_limit=None), searched.basis)
    if rest.status is Status.OPTIMAL:
        solution = replace(rest, status=searched.status, message=searched.message, bound=searched.bound)
        solution = replace(solution, seconds=searched.seconds + rest.seconds)
        solution = replace(solution, iterations=searched.iterations + rest.iterations)
    else:  # within its tolerance the search may keep limits that whole numbers do not: without duals nothing is proved
        solution = replace(searched, row_duals=np.empty(0))
    certificate = certify_whole(program, fixed, solution, searched.bound)
    return solution, replace(certificate, mip_gap_asked=float(asked["mip_rel_gap"]))


def with_whole_fixed(program: LinearProgram, columns: FloatArray) -> LinearProgram:
    """Return the linear program in which the whole numbers stay as they are in a solution.

    A pair that is in use may have all of its pool, however large the pool becomes: what another GW is worth does not
    depend on the figure that stands for "any amount" in `block_most`.
    """
    lower, upper, most = program.column_lower.copy(), program.column_upper.copy(), program.row_upper.copy()
    lower[program.whole] = upper[program.whole] = np.round(columns[program.whole])
    if "block_most" in program.rows:
        in_use = np.round(columns[program.columns["in_use"]]) > 0
        rows = program.rows["block_most"]
        most[rows] = np.where(in_use, np.inf, most[rows])
    return replace(program, column_lower=lower, column_upper=upper, row_upper=most, whole=np.zeros_like(program.whole))


COLD_AGAIN: Final[tuple[dict[str, str | int], ...]] = ({"presolve": "off"}, {"solver": "ipm", "run_crossover": "on"})
"""What is tried, in turn, when an answer said to be optimal, or that there is none, does not prove to be right."""


def taken(report: Mapping[str, Any]) -> int:
    """Return the solver's iterations of a solve that was not warm, those of its stages together."""
    staged = sum(int(stage["iterations"]) for stage in report["stages"])
    return staged if report["start"] == "lift" else staged + int(report["iterations"])


def certified(
    program: LinearProgram, options: SolveOptions, meanwhile: Callable[[], object] | None = None
) -> tuple[Solution, Certificate | None]:
    """Solve a program and judge the answer on the matrix; an optimum that does not prove to be one is solved again."""
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
