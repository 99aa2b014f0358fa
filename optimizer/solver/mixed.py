"""Programs with whole numbers: the solver's search, then the linear program with the whole numbers fixed.

The second gives the values that go with these whole numbers to the last digit, and the duals that a search has none of.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.solver.certify import TOLERANCE, Certificate, certify, certify_whole
from optimizer.solver.highs import solve as run_solver
from optimizer.solver.program import FloatArray, LinearProgram
from optimizer.solver.solution import Solution, SolveOptions, Status


def judged(program: LinearProgram, options: SolveOptions) -> tuple[Solution, Certificate | None]:
    """Solve a program, with or without whole numbers, and judge the answer on the matrix.

    Returns
    -------
    (Solution, Certificate or None)
        The certificate is None where there is no point to judge. With whole numbers, the duals and ranges are those of
        the linear program with the whole numbers fixed.
    """
    if program.whole.any():
        return _searched(program, options)
    solution = run_solver(program, options)
    if not len(solution.columns):
        return solution, None
    return solution, certify(program, solution.columns, solution.row_duals)


def _searched(program: LinearProgram, options: SolveOptions) -> tuple[Solution, Certificate | None]:
    asked = {"mip_rel_gap": TOLERANCE, **options.solver}
    found = run_solver(program, replace(options, solver=asked))
    if not len(found.columns) or found.bound is None:
        return found, None
    fixed = with_whole_fixed(program, found.columns)
    rest = run_solver(fixed, replace(options, meanwhile=None, time_limit=None))
    if rest.status is Status.OPTIMAL:
        solution = replace(rest, status=found.status, message=found.message, bound=found.bound)
        solution = replace(solution, seconds=found.seconds + rest.seconds)
    else:  # within its tolerance the search may keep limits that whole numbers do not: without duals nothing is proved
        solution = replace(found, row_duals=np.empty(0))
    certificate = certify_whole(program, fixed, solution.columns, solution.row_duals, found.bound)
    return solution, replace(certificate, mip_gap_asked=float(asked["mip_rel_gap"]))


def with_whole_fixed(program: LinearProgram, columns: FloatArray) -> LinearProgram:
    """Return the linear program in which the whole numbers stay as they are in a solution.

    A pair that is in use may have all of its pool, however large the pool becomes: what another GW is worth does not
    depend on the figure that stands for "any amount" in `block_most`.

    Parameters
    ----------
    program : LinearProgram
        With whole numbers.
    columns : (n,) float array
        A solution's columns.
    """
    lower, upper, most = program.column_lower.copy(), program.column_upper.copy(), program.row_upper.copy()
    lower[program.whole] = upper[program.whole] = np.round(columns[program.whole])
    if "block_most" in program.rows:
        in_use = np.round(columns[program.columns["in_use"]]) > 0
        rows = program.rows["block_most"]
        most[rows] = np.where(in_use, np.inf, most[rows])
    return replace(program, column_lower=lower, column_upper=upper, row_upper=most, whole=np.zeros_like(program.whole))
