"""Allowable changes of values and costs, and what other splits lose at least, against solves afresh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.catalogue.money import PRICES
from gwplan.plan.allowable import _Reaches
from gwplan.planning import alternatives_of, valid
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import FloatArray, SolveOptions, Status
from gwplan.solver.solving import DECISIONS, certified
from gwplan.tree.timeline import timeline
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance
from tests.results.degenerate import corner

SEEDS = (2100, 2102, 2103)


def loss_of(instance: gw.Instance, decided: dict[str, FloatArray]) -> float:
    """Return how much less worth is left with decisions as they are, $bn; nan of an instance that breaks a rule."""
    try:
        valid(instance)
    except gw.InstanceError:  # a tier that would earn more than the one before it
        return np.nan
    program = compiled(timeline(instance).data)
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    for name, gw_or_share in decided.items():
        lower[program.columns[name]], upper[program.columns[name]] = gw_or_share - 1e-9, gw_or_share + 1e-9
    cases = program, replace(program, column_lower=lower, column_upper=upper)
    best, held = (float(program.cost @ run_solver(case, ranges=False).columns) for case in cases)
    return held - best


def changes(plan: gw.Plan, rows: int) -> list[tuple[str, bool]]:
    """Return edits that move cells as far as they may, and whether the plan's decisions stay best."""
    instance, program = plan.instance, compiled(timeline(plan.instance).data)
    columns = run_solver(program, ranges=False).columns
    decided = {name: columns[program.columns[name]] for name in DECISIONS}
    table, found = plan.allowable_changes, []
    for row in table.sample(min(len(table), rows), random_state=rows).to_dict("records"):
        for change, sign in ((row["allowable_increase"], 1), (row["allowable_decrease"], -1)):
            far = min(change, 0.5 * row["value"])
            if np.isnan(change):
                continue
            cell = f"{row['table']}[{row['row']}].{row['column']} += {sign * far:.12f}"
            loss = loss_of(instance.edited(cell), decided)
            if not np.isnan(loss):
                found.append((cell, loss <= 1e-6 * (1 + abs(plan.objective_bn))))
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_stays_best_within_the_allowable_changes(seed: int, tmp_path: Path) -> None:
    """Protects who trusts a plan to be right for other prices: it stays best as far as it is told."""
    instance = gw.load(random_instance(seed, tmp_path / "instance")).edited("risk.aversion = 0.0")
    moved = changes(gw.solve(instance, allowable=True), 5)
    assert moved and [cell for cell, best in moved if not best] == []


def told_and_lost(instance: gw.Instance, beyond: float) -> list[tuple[str, float, float, float]]:
    """Return, for each cell and side whose range ends where the plan can move, what a plan kept beyond it loses.

    The plan can move where a column that enters the basis there has room: at a degenerate corner it may have none, and
    the range told is then narrower than the true one. Each tuple: the cell, the change told, and of the plan kept as it
    is, by how much another way to find the change differs, and what is lost when the cell moves `beyond` farther.
    """
    laid_out = timeline(instance)
    program = compiled(laid_out.data)
    solution, proof = certified(program, SolveOptions())
    assert proof is not None and proof.optimal
    reaches, dense, found = _Reaches(laid_out, program, solution), corner(program, solution), []
    for table, columns in PRICES.items():
        for column in columns:
            value = instance.tables[table][column].to_numpy(dtype=np.float64)
            rows = np.flatnonzero(np.isfinite(value) & (value != 0))
            directions = reaches._by_cell(table, column, rows) if len(rows) else None
            for row, direction in zip(rows.tolist(), directions or (), strict=False):
                for sign, told in zip((-1, 1), reaches._directions.reach(direction), strict=True):
                    entering = dense.blocking(sign * direction) if np.isfinite(told) and direction.any() else []
                    step = max((min(dense.step(j), 1.0) for j, _ in entering), default=0.0)
                    if step < 1e-6:
                        continue
                    cost = program.cost + sign * (told + beyond) * direction
                    best = run_solver(replace(program, cost=cost), ranges=False)
                    kept = float(cost @ solution.columns)
                    lost = kept - float(cost @ best.columns) if best.status is Status.OPTIMAL else np.inf  # unbounded
                    found.append((f"{table} row {row} {column} {sign}", told, abs(entering[0][1] - told), lost))
    return found


@pytest.mark.parametrize(
    "name",
    [
        "tiny-cancellation",
        "tiny-terminal",
        "tiny-ramp",
        "tiny-locks",
        "tiny-curve",
        "tiny-migration",
        2100,
        2102,
        2110,
    ],
)
def test_a_plan_changes_beyond_the_allowable_changes(name: str | int, tmp_path: Path) -> None:
    """Protects against ranges too narrow to be of use: just beyond them another plan is better, unless degenerate."""
    folder = INSTANCES / name if isinstance(name, str) else random_instance(name, tmp_path / "instance")
    found = told_and_lost(gw.load(folder).edited("risk.aversion = 0.0"), 0.05)
    assert found and [each for each in found if not each[3] > 1e-9 or each[2] > 1e-6 * (1 + each[1])] == []


def test_what_cannot_be_worked_out_is_blank() -> None:
    """Protects the reader: with aversion to risk nothing is said rather than something wrong, and unasked neither."""
    risky = gw.solve(gw.load(INSTANCES / "tiny-risk"), allowable=True).allowable_changes
    unasked = gw.solve(gw.load(INSTANCES / "tiny-curve")).allowable_changes
    for table in (risky, unasked):
        assert len(table) and table[["allowable_increase", "allowable_decrease"]].isna().all(axis=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_nearly_best_plans_move_no_farther_than_firmness_allows(seed: int, tmp_path: Path) -> None:
    """Protects the line on how firm a plan is: no plan that `alternatives` finds loses less than it says."""
    instance = gw.load(random_instance(seed, tmp_path / "instance"))
    try:
        plan = gw.solve(instance)
    except gw.InfeasibleError:
        pytest.skip("this seed draws an infeasible instance on purpose")
    holds_for(plan, 0.01)


def holds_for(plan: gw.Plan, within: float) -> None:
    """Assert that a plan's firmness agrees with the plans within a distance of the best."""
    found = alternatives_of(plan.instance, within)
    lost = found.best_bn - found.least_bn
    told = {(cell["pathway"], cell["when"]): cell for cell in plan.firmness.to_dict("records")}
    for row in found.ranges.to_dict("records"):
        cell = told[row["pathway"], str(row["year"])]
        for side, moved in (("less", row["best_gw"] - row["least_gw"]), ("more", row["most_gw"] - row["best_gw"])):
            loss = cell[f"{side}_loses_bn_per_gw"]
            assert moved <= 1e-6 if np.isinf(loss) else loss * moved <= lost + 1e-6 * (1 + abs(found.best_bn)), row


def test_firmness_tells_ties_and_prices() -> None:
    """Protects the figures of a small tree: which shifts may cost nothing, and what the others lose."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-locks"))
    cell = next(c for c in plan.firmness.to_dict("records") if (c["pathway"], c["when"]) == ("training", "2026"))
    assert cell["less_loses_bn_per_gw"] == pytest.approx(2.0)
    assert np.isinf(cell["more_loses_bn_per_gw"])  # a lock holds it
    holds_for(plan, 0.05)
