"""A tree solved a factor at a time, held against the tree solved at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import gwplan as gw
from gwplan import planning
from gwplan.solver import stages
from gwplan.solver.certify import certify
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import LinearProgram, Solution, SolveOptions, Status
from gwplan.solver.solving import certified
from gwplan.solver.stages import Lowest, Start, lifted, start_of
from gwplan.tree.timeline import Timeline, timeline
from tests.generate import random_instance

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
CASES = ("tiny-tree", "tiny-risk", "meta-2026h1", *range(100, 106))


def laid(case: str | int, folder: Path) -> tuple[Timeline, LinearProgram]:
    """Return a case on its tree and its program."""
    tree = timeline(gw.load(INSTANCES / case if isinstance(case, str) else random_instance(case, folder / "random")))
    return tree, compiled(tree.data)


@pytest.mark.parametrize("case", CASES)
def test_lifted_and_cold_find_the_same_optimum(case: str | int, tmp_path: Path) -> None:
    """A start changes how long a plan takes, never what it is worth, with aversion and in forests too."""
    tree, program = laid(case, tmp_path)
    lift, proof, report = planning.solved(tree, program, SolveOptions(start="lift"))
    cold, certificate, _ = planning.solved(tree, program, SolveOptions(start="cold"))
    assert lift.status is cold.status
    assert report["start"] in ("lift", "cold after lift")
    if proof is not None and certificate is not None:
        assert proof.optimal
        assert proof.objective == pytest.approx(certificate.objective, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_outcomes_continued_alone_lead_to_the_same_optimum(
    case: str | int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start put together from each outcome's continuation changes no optimum, with aversion and in forests too."""
    monkeypatch.setattr(stages, "CONTINUED_COLUMNS", 0)
    tree, program = laid(case, tmp_path)
    solution, told = lifted(tree, program, SolveOptions())
    _, certificate = certified(program, SolveOptions())
    if certificate is None:
        assert solution is None or solution.status is not Status.OPTIMAL
    elif solution is not None:
        proof = certify(program, solution.columns, solution.row_duals)
        assert proof.optimal and proof.objective == pytest.approx(certificate.objective, rel=1e-7, abs=1e-7)
        edited = {f"{f.name}={o.name}" for f in tree.instance.factors for o in f.outcomes if o.edits}
        assert {stage.outcome for stage in told if stage.outcome} <= edited


@pytest.mark.parametrize("case", CASES)
def test_a_tree_that_is_cut_has_the_same_optimum(
    case: str | int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start put together from the parts of a cut tree changes no optimum, with aversion and in forests too."""
    monkeypatch.setattr(stages, "CONTINUED_COLUMNS", 0)
    monkeypatch.setattr(stages, "CUT_LEAVES", 0)
    tree, program = laid(case, tmp_path)
    lift, proof, _ = planning.solved(tree, program, SolveOptions(start="lift"))
    cold, certificate, _ = planning.solved(tree, program, SolveOptions(start="cold"))
    assert lift.status is cold.status
    if proof is not None and certificate is not None:
        assert proof.optimal
        assert proof.objective == pytest.approx(certificate.objective, rel=1e-7, abs=1e-7)


def test_a_cut_leaves_next_to_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects what a cut is for: the bases of the parts are all but optimal for the whole tree."""
    monkeypatch.setattr(stages, "CONTINUED_COLUMNS", 0)
    monkeypatch.setattr(stages, "CUT_LEAVES", 0)
    tree, program = laid("meta-2026h1", Path())
    solution, told = lifted(tree, program, SolveOptions())
    assert solution is not None and solution.status is Status.OPTIMAL
    assert told[-2].rounds > 1 and told[-1].rounds == 0
    assert told[-1].iterations < 100


def test_a_cases_first_stage_starts_from_the_bases() -> None:
    """Protects what makes cases of large trees fast: most of a lifted solve is its first stage."""
    tree, program = laid("meta-2026h1", Path())
    lowest = Lowest()
    lifted(tree, program, SolveOptions(), lowest=lowest)
    case = timeline(tree.instance.edited("contracts[contract=coreweave_2026].cost_bn_per_gw_year *= 1.1"))
    afresh, near = (lifted(case, compiled(case.data), SolveOptions(), lowest=first) for first in (None, lowest))
    assert near[0] is not None and near[0].status is Status.OPTIMAL
    assert 2 * near[1][0].iterations < afresh[1][0].iterations


def test_continued_outcomes_leave_little_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided before the reveal is kept, and each outcome goes on from it: that is nearly the tree's plan."""
    tree, program = laid("meta-2026h1", Path())
    copied = lifted(tree, program, SolveOptions())[1]
    monkeypatch.setattr(stages, "CONTINUED_COLUMNS", 0)
    solution, continued = lifted(tree, program, SolveOptions())
    assert solution is not None and solution.status is Status.OPTIMAL
    assert 4 * continued[-1].iterations < copied[-1].iterations
    assert [stage.factors for stage in continued if not stage.outcome] == [stage.factors for stage in copied]


def test_an_outcome_that_cannot_go_on_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an outcome has no plan that keeps what was decided before, the tree is solved all the same."""

    def failing(program: LinearProgram, *arguments: object, **options: object) -> Solution:
        solution = run_solver(program, *arguments, **options)  # type: ignore[arg-type]
        held = (program.column_lower == program.column_upper).any()
        return dataclasses.replace(solution, status=Status.INFEASIBLE) if held else solution

    monkeypatch.setattr(stages, "CONTINUED_COLUMNS", 0)
    monkeypatch.setattr(stages, "run_solver", failing)
    tree, program = laid("tiny-tree", Path())
    solution, told = lifted(tree, program, SolveOptions())
    assert solution is not None and solution.status is Status.OPTIMAL
    assert any(stage.outcome for stage in told)


def test_factors_come_in_one_at_a_time_the_last_revealed_first() -> None:
    """The stages of the reference instance grow by one factor each, and are told as they were."""
    tree, program = laid("meta-2026h1", Path())
    solution, told = lifted(tree, program, SolveOptions())
    assert solution is not None and solution.status is Status.OPTIMAL
    assert [stage.factors for stage in told] == list(range(len(tree.instance.factors) + 1))
    columns = [stage.columns for stage in told]
    assert columns == sorted(columns) and columns[-1] == program.shape[1]


def test_a_stage_that_fails_leaves_the_tree_to_a_cold_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a stage does not help the plan is found all the same, and the report says how."""

    def failing(*arguments: object, **options: object) -> Solution:
        return dataclasses.replace(run_solver(*arguments, **options), status=Status.ITERATION_LIMIT)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "run_solver", failing)
    tree, program = laid("tiny-tree", Path())
    solution, proof, report = planning.solved(tree, program, SolveOptions(start="lift"))
    assert solution.status is Status.OPTIMAL and proof is not None and proof.optimal
    assert report["start"] == "cold after lift"


def test_a_wrong_lifted_answer_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer from a carried basis that does not prove optimal is replaced by a cold one that does."""

    def lying(*arguments: object, **options: object) -> Solution:
        solution = run_solver(*arguments, **options)  # type: ignore[arg-type]
        return dataclasses.replace(solution, columns=solution.columns * 1.01)

    monkeypatch.setattr(stages, "run_solver", lying)
    tree, program = laid("tiny-tree", Path())
    _, proof, report = planning.solved(tree, program, SolveOptions(start="lift"))
    assert proof is not None and proof.optimal and report["start"] == "cold after lift"


def test_time_runs_out_over_all_stages_together() -> None:
    """A time limit that ends in an early stage ends the solve, with no values of another program."""
    tree, program = laid("meta-2026h1", Path())
    solution, told = lifted(tree, program, SolveOptions(time_limit=0.0))
    assert solution is not None and solution.status is Status.TIME_LIMIT
    assert not len(solution.columns) and len(told) == 1


def test_the_start_follows_the_shape_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small trees and single chains are solved cold; whoever asks gets what was asked for."""
    tree, program = laid("tiny-tree", Path())
    assert start_of(tree, program, SolveOptions()) is Start.COLD
    assert start_of(tree, program, SolveOptions(start="lift")) is Start.LIFT
    large, its_program = laid("meta-2026h1", Path())
    assert start_of(large, its_program, SolveOptions()) is Start.COLD
    monkeypatch.setattr(stages, "LEAST_COLUMNS", its_program.shape[1])
    assert start_of(large, its_program, SolveOptions()) is Start.LIFT
    assert start_of(large, its_program, SolveOptions(solver={"solver": "ipm"})) is Start.COLD
