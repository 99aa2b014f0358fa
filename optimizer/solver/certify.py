"""Proof of a plan's optimality from the duals, on the matrix alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from gwplan.catalogue.tolerances import PROVED
from gwplan.solver.program import BoolArray, FloatArray, LinearProgram, Solution
from gwplan.solver.weights import Priced, priced


@dataclass(frozen=True)
class Certificate:
    """How far a solution is from being feasible and optimal."""

    primal_infeasibility: float  # largest violation of a row or bound, relative to 1 + the bound's size
    # largest reduced cost or row dual of the wrong sign, relative to the weight of its node in the objective and the
    # cost's size (where no node weighs less than a tenth, to 1 + the cost's size)
    dual_infeasibility: float
    # difference between the primal and the dual objective, relative to 1 + the objective's size. Where nodes weigh less
    # than a tenth, the same of each node by itself, relative to its weight too, if that is more.
    gap: float
    objective: float  # the program's objective recomputed from the columns, $bn (negative worth)
    # with whole numbers: the largest distance of one from a whole number. The dual infeasibility and the gap are then
    # those of the linear program with the whole numbers fixed.
    integrality: float | None = None
    # with whole numbers: what no solution's objective can be below by the solver's search, $bn
    bound: float | None = None
    mip_gap_asked: float = PROVED  # the relative gap to that bound with which a solution counts as optimal

    @property
    def feasible(self) -> bool:
        """Whether the solution keeps every limit."""
        return self.primal_infeasibility <= PROVED and (self.integrality or 0.0) <= PROVED

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
        proved = self.feasible and self.dual_infeasibility <= PROVED and self.gap <= PROVED
        return proved and (self.mip_gap is None or self.mip_gap <= max(PROVED, self.mip_gap_asked))

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


def certify(
    program: LinearProgram, columns: FloatArray, row_duals: FloatArray, light_duals: FloatArray | None = None
) -> Certificate:
    """Judge a solution by the program alone.

    The reduced costs are computed anew from the row duals, and the dual objective from both: a row or a column counts
    with the bound that its dual's sign points to. By weak duality a small gap between feasible values proves
    optimality. What is wrong on a node counts by the weight of the node, however little that is: so each node's plan is
    proved best for itself, too. Duals are those of a `Solution`; without row duals optimality is not judged.
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
    whole, values = priced(program, row_duals), np.concatenate([activity, columns])
    every = np.ones(len(values), dtype=bool)
    wrong, missed = 0.0, abs(objective - whole.objective)
    for judged, where in [(whole, every)] if light_duals is None else _apart(program, whole, light_duals):
        wrong, missed = max(wrong, judged.wrong(where)), max(missed, judged.loss(values, where))
    return Certificate(primal, wrong, missed / (1 + abs(objective)), objective)


def _apart(program: LinearProgram, whole: Priced, light_duals: FloatArray) -> Iterator[tuple[Priced, BoolArray]]:
    """Yield the duals of the whole and those of very light nodes by themselves, with what each of them proves."""
    known = ~np.isnan(light_duals)
    there = np.isin(whole.node, whole.node[: len(known)][known])
    yield whole, ~there
    yield replace(whole, weight=np.ones_like(whole.weight)), there
    yield priced(program, np.where(known, light_duals, 0.0)), there


def certify_whole(program: LinearProgram, fixed: LinearProgram, solution: Solution, bound: float) -> Certificate:
    """Judge a solution with whole numbers.

    The duals prove that no other choice of the rest goes better with these whole numbers; that no other whole numbers
    do is the word of the solver's search, its bound.

    `fixed` is the linear program that the program becomes when its whole numbers are fixed, and the solution is its;
    without duals optimality is not judged. No solution's objective can be below `bound`, $bn.
    """
    kept = certify(program, solution.columns, np.empty(0))
    best = certify(fixed, solution.columns, solution.row_duals, solution.light_duals)
    whole = solution.columns[program.whole]
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
