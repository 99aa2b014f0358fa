"""Allowable changes of values and costs, and what other splits lose at least, against solves afresh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import optimizer as gw
from optimizer.instance.timeline import timeline
from optimizer.planning import DECISIONS, alternatives_of, valid
from optimizer.solve.compile import compiled
from optimizer.solve.highs import solve as run_solver
from optimizer.solve.program import FloatArray
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance

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


def changes(plan: gw.Plan, rows: int, *, beyond: bool) -> list[tuple[str, bool]]:
    """Return edits that move cells as far as they may, or beyond, and whether the plan's decisions stay best."""
    instance, program = plan.instance, compiled(timeline(plan.instance).data)
    columns = run_solver(program, ranges=False).columns
    decided = {name: columns[program.columns[name]] for name in DECISIONS}
    table, found = plan.allowable_changes, []
    for row in table.sample(min(len(table), rows), random_state=rows).to_dict("records"):
        for change, sign in ((row["allowable_increase"], 1), (row["allowable_decrease"], -1)):
            far = change + 0.05 * row["value"] if beyond else min(change, 0.5 * row["value"])
            if np.isnan(change) or (beyond and far >= row["value"]):
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
    moved = changes(gw.solve(instance, allowable=True), 5, beyond=False)
    assert moved and [cell for cell, best in moved if not best] == []


@pytest.mark.parametrize("name", ["tiny-cancellation", "tiny-terminal", "tiny-ramp", "tiny-locks"])
def test_a_plan_changes_beyond_the_allowable_changes(name: str) -> None:
    """Protects against ranges that are too narrow to be of use: beyond them another plan is better."""
    moved = changes(gw.solve(gw.load(INSTANCES / name), allowable=True), 50, beyond=True)
    assert moved and [cell for cell, best in moved if best] == []


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
