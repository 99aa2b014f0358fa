"""Proof of a plan's optimality from the duals, on the matrix alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from optimizer.solver.program import FloatArray, LinearProgram

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
    integrality : float or None
        With whole numbers: the largest distance of one from a whole number. The dual infeasibility and the gap are then
        those of the linear program with the whole numbers fixed.
    bound : float or None
        With whole numbers: what no solution's objective can be below by the solver's search, $bn.
    mip_gap_asked : float
        The relative gap to that bound with which a solution counts as optimal.
    """

    primal_infeasibility: float
    dual_infeasibility: float
    gap: float
    objective: float
    integrality: float | None = None
    bound: float | None = None
    mip_gap_asked: float = TOLERANCE

    @property
    def feasible(self) -> bool:
        """Whether the solution keeps every limit."""
        return self.primal_infeasibility <= TOLERANCE and (self.integrality or 0.0) <= TOLERANCE

    @property
    def mip_gap(self) -> float | None:
        """With whole numbers: how far the objective is from the bound, relative to 1 + its size.

        A bound on the wrong side of the objective counts as a gap, too: it cannot be right.
        """
        if self.bound is None:
            return None
        return abs(self.objective - self.bound) / (1 + abs(self.objective))

    @property
    def optimal(self) -> bool:
        """Whether the solution is proved optimal."""
        proved = self.feasible and self.dual_infeasibility <= TOLERANCE and self.gap <= TOLERANCE
        return proved and (self.mip_gap is None or self.mip_gap <= max(TOLERANCE, self.mip_gap_asked))

    def as_dict(self) -> dict[str, float | bool | None]:
        """Return the figures for a summary; the objective as worth, None where nothing was proved.

        A bound and what belongs to it are there only with whole numbers.
        """
        figures = {name: _finite(asdict(self)[name]) for name in ("primal_infeasibility", "dual_infeasibility", "gap")}
        if self.integrality is not None and self.bound is not None:
            mip = {"integrality": self.integrality, "mip_gap": self.mip_gap, "bound_bn": -self.bound}
            figures |= {name: _finite(figure) for name, figure in mip.items()}
        return {**figures, "recomputed_objective_bn": -self.objective, "optimal": self.optimal}


def _finite(figure: float | None) -> float | None:
    return figure if figure is not None and np.isfinite(figure) else None


def certify(program: LinearProgram, columns: FloatArray, row_duals: FloatArray) -> Certificate:
    """Judge a solution by the program alone.

    The reduced costs are computed anew from the row duals, and the dual objective from both: a row or a column counts
    with the bound that its dual's sign points to. By weak duality a small gap between feasible values proves
    optimality.
    """
    activity = program.times(columns)
    # not as a product of vectors: what numpy hands that to wakes threads, which takes longer than all the rest
    objective = float(np.sum(program.cost * columns)) + program.offset
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


def certify_whole(
    program: LinearProgram, fixed: LinearProgram, columns: FloatArray, row_duals: FloatArray, bound: float
) -> Certificate:
    """Judge a solution with whole numbers.

    The duals prove that no other choice of the rest goes better with these whole numbers; that no other whole numbers
    do is the word of the solver's search, its bound.

    Parameters
    ----------
    program, fixed : LinearProgram
        The program, and the linear program that it becomes when its whole numbers are fixed.
    columns, row_duals : float arrays
        The solution of the latter; no duals: optimality is not judged.
    bound : float
        What no solution's objective can be below, $bn.
    """
    kept, best = certify(program, columns, np.empty(0)), certify(fixed, columns, row_duals)
    whole = columns[program.whole]
    return replace(
        best,
        primal_infeasibility=max(kept.primal_infeasibility, best.primal_infeasibility),
        integrality=float(np.max(np.abs(whole - np.round(whole)), initial=0.0)),
        bound=bound,
    )


def _violation(values: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    below, above = lower - values, values - upper  # minus infinity where there is no bound
    below, above = (
        np.divide(excess, 1 + np.abs(bound), out=np.zeros_like(excess), where=np.isfinite(bound))
        for excess, bound in ((below, lower), (above, upper))
    )
    return float(max(np.max(below, initial=0.0), np.max(above, initial=0.0)))
