"""Proof of a plan's optimality from the duals, on the matrix alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from optimizer.solve.program import FloatArray, LinearProgram

TOLERANCE = 1e-6
"""Largest infeasibility, relative to the size of what is compared, that a certificate forgives."""


@dataclass(frozen=True)
class Certificate:
    """How far a solution is from being feasible and optimal.

    Attributes
    ----------
    primal_infeasibility : float
        Largest violation of a row or bound, relative to 1 + the bound's size.
    dual_infeasibility : float
        Largest reduced cost or row dual of the wrong sign, relative to 1 + the cost's size.
    gap : float
        Difference between the primal and the dual objective, relative to 1 + the objective's size.
    objective : float
        The program's objective recomputed from the columns, $bn (negative worth).
    """

    primal_infeasibility: float
    dual_infeasibility: float
    gap: float
    objective: float

    @property
    def feasible(self) -> bool:
        """Whether the solution keeps every limit."""
        return self.primal_infeasibility <= TOLERANCE

    @property
    def optimal(self) -> bool:
        """Whether the solution is proved optimal."""
        return self.feasible and self.dual_infeasibility <= TOLERANCE and self.gap <= TOLERANCE

    def as_dict(self) -> dict[str, float | bool | None]:
        """Return the figures for a summary; the objective as worth, None where nothing was proved."""
        figures = {name: figure if np.isfinite(figure) else None for name, figure in asdict(self).items()}
        figures.pop("objective")
        return {**figures, "recomputed_objective_bn": -self.objective, "optimal": self.optimal}


def certify(program: LinearProgram, columns: FloatArray, row_duals: FloatArray) -> Certificate:
    """Judge a solution by the program alone.

    The reduced costs are computed anew from the row duals, and the dual objective from both: a row or a column counts
    with the bound that its dual's sign points to. By weak duality a small gap between feasible values proves
    optimality.

    Parameters
    ----------
    program : LinearProgram
        The program.
    columns : (n,) float array
        Values of the columns.
    row_duals : (m,) float array
        Duals of the rows; empty: optimality is not judged (infinite infeasibility and gap).
    """
    activity = program.times(columns)
    objective = float(program.cost @ columns) + program.offset
    primal = max(
        _violation(columns, program.column_lower, program.column_upper),
        _violation(activity, program.row_lower, program.row_upper),
    )
    if len(row_duals) != len(activity):
        return Certificate(primal, np.inf, np.inf, objective)
    reduced = program.cost - program.transposed_times(row_duals)
    wrong, dual_objective = 0.0, program.offset
    sides = (
        (row_duals, program.row_lower, program.row_upper, np.ones_like(row_duals)),
        (reduced, program.column_lower, program.column_upper, 1 + np.abs(program.cost)),
    )
    for dual, lower, upper, scale in sides:
        bound = np.where(dual >= 0, lower, upper)
        free = np.isinf(bound)
        wrong = max(wrong, float(np.max(np.abs(dual) / scale, where=free, initial=0.0)))
        dual_objective += float(np.sum(dual * np.where(free, 0.0, bound)))
    return Certificate(primal, wrong, abs(objective - dual_objective) / (1 + abs(objective)), objective)


def _violation(values: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    below, above = lower - values, values - upper  # minus infinity where there is no bound
    below, above = (
        np.divide(excess, 1 + np.abs(bound), out=np.zeros_like(excess), where=np.isfinite(bound))
        for excess, bound in ((below, lower), (above, upper))
    )
    return float(max(np.max(below, initial=0.0), np.max(above, initial=0.0)))
