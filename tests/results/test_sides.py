"""Marginal values of one more and one less against solves afresh with the limit moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.plan.marginals import marginal_rows
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.parametric import both_sides
from gwplan.solver.program import LinearProgram, SolveOptions
from gwplan.solver.solving import certified
from gwplan.tree.timeline import timeline
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance

FARTHEST = 0.2
"""GW by which a limit is moved at most."""


def moved(program: LinearProgram, row: int, by: float) -> float:
    """Return the objective with a row's bounds moved, from a solve afresh."""
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[row] += by
    upper[row] += by
    solution = run_solver(replace(program, row_lower=lower, row_upper=upper), ranges=False)
    return float(program.cost @ solution.columns) + program.offset if len(solution.columns) else np.inf


def differences(program: LinearProgram, rows: int, seed: int) -> list[str]:
    """Return where the slopes on both sides do not agree with finite differences within the ranges stated."""
    solution, certificate = certified(program, SolveOptions())
    assert certificate is not None and certificate.optimal
    every = marginal_rows(program)
    sides = both_sides(program, solution, every, always=True)
    assert sides is not None
    best, found = certificate.objective, []
    bound = np.where(np.isfinite(program.row_lower), program.row_lower, program.row_upper)
    for row in np.random.default_rng(seed).permutation(every)[:rows].tolist():
        for slope, end, sign in ((sides.up[row], sides.high[row], 1), (sides.down[row], sides.low[row], -1)):
            if np.isnan(slope):
                if np.isfinite(moved(program, row, sign * 1e-4)):
                    found.append(f"row {row}, side {sign}: nothing said of a side that has a plan")
                continue
            room = min(abs(end - bound[row]), FARTHEST)
            if room < 1e-6:
                found.append(f"row {row}, side {sign}: holds for no distance")
                continue
            actual = (moved(program, row, sign * room) - best) / (sign * room)
            if not abs(actual - slope) <= 1e-5 * (1 + abs(slope)) + 1e-8 * (1 + abs(best)) / room:
                found.append(f"row {row}, side {sign}: {slope} up to {room} GW, a solve afresh gives {actual}")
    return found


@pytest.mark.parametrize("seed", range(301, 307))
def test_values_of_one_more_and_one_less_agree_with_solves_afresh(seed: int, tmp_path: Path) -> None:
    """Protects who acts on a marginal value: it is what a solve afresh gains, on the side and over the range told."""
    program = compiled(timeline(gw.load(random_instance(seed, tmp_path / "instance"))).data)
    assert differences(program, 10, seed) == []


def test_both_sides_stand_in_the_table_and_differ_where_the_optimum_is_degenerate() -> None:
    """Protects the table: relaxing never gains more than tightening loses, and the dual lies between."""
    table = gw.solve(gw.load(INSTANCES / "tiny-tree")).marginal_values
    relaxed, tightened, dual = (table[name].to_numpy() for name in ("relaxed", "tightened", "bn_per_gw_year"))
    assert (relaxed <= tightened + 1e-9).all() and (relaxed < tightened - 1).any()
    assert ((relaxed - 1e-9 <= dual) & (dual <= tightened + 1e-9)).all()
    row = table[(table["constraint"] == "supply") & (table["node"] == 1)].iloc[0]
    assert (row["relaxed"], row["tightened"], row["to_gw"]) == pytest.approx((42.0, 48.0, 2.0))
