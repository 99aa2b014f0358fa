from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gwplan as gw
from gwplan import planning
from gwplan.cli import main
from gwplan.conflict import demands
from gwplan.conflict.demands import least_missed
from gwplan.solver import solving
from gwplan.solver.certify import certify
from gwplan.solver.compile import compiled
from gwplan.solver.highs import checked_options
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import Basis, LinearProgram, Solution, SolveOptions, Status
from gwplan.tree.timeline import timeline
from tests.cli.conftest import INSTANCES


@pytest.fixture(scope="module")
def program() -> LinearProgram:
    """Return the program of a small tree."""
    return compiled(timeline(gw.load(INSTANCES / "tiny-tree")).data)


def test_the_certificate_proves_an_optimum(program: LinearProgram) -> None:
    """A true optimum has no infeasibility and no gap."""
    solution = run_solver(program)
    certificate = certify(program, solution.columns, solution.row_duals)
    assert certificate.optimal
    assert -certificate.objective == pytest.approx(8.375)


def test_the_certificate_catches_every_changed_column(program: LinearProgram) -> None:
    """Whatever single value of a solution is changed, it no longer proves optimal (a tier worth nothing apart)."""
    solution = run_solver(program)
    worthless = set(np.flatnonzero(program.cost == 0)) & set(range(len(program.cost))[program.columns["serve"]])
    assert len(worthless) < len(program.cost) / 4
    for column in set(range(len(solution.columns))) - worthless:
        for step in (0.01, -0.01):
            changed = solution.columns.copy()
            changed[column] += step
            assert not certify(program, changed, solution.row_duals).optimal, column


def test_the_certificate_catches_wrong_duals(program: LinearProgram) -> None:
    """Duals of another plan prove nothing; without duals nothing is proved at all."""
    solution = run_solver(program)
    for row in np.flatnonzero(np.abs(solution.row_duals) > 1e-6):
        changed = solution.row_duals.copy()
        changed[row] *= -1
        assert not certify(program, solution.columns, changed).optimal, row
    without = certify(program, solution.columns, np.empty(0))
    assert without.feasible and not without.optimal
    assert without.as_dict()["gap"] is None


def test_numbers_that_the_solver_refuses_are_told(program: LinearProgram) -> None:
    """A product that is beyond all numbers ends in one line that says so, not in a traceback."""
    value = program.value.copy()
    value[0] = 1e300
    with pytest.raises(gw.SolverError, match=r"HiGHS refuses the program: its largest coefficient is 1e\+300"):
        run_solver(dataclasses.replace(program, value=value))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"column_upper": 0.0, "row_lower": 1.0, "row_upper": 1.0}, Status.INFEASIBLE),
        ({"column_upper": np.inf, "cost": -1.0, "row_lower": -np.inf, "row_upper": np.inf}, Status.UNBOUNDED),
    ],
)
def test_statuses_are_told_apart(program: LinearProgram, change: dict[str, float], status: Status) -> None:
    """Infeasible and unbounded programs are named as such, with presolve and without."""
    fields: dict[str, Any] = {name: np.full_like(getattr(program, name), value) for name, value in change.items()}
    broken = dataclasses.replace(program, **fields)
    solution, _ = solving.certified(broken, SolveOptions())
    assert solution.status is status
    with pytest.raises(gw.InfeasibleError, match=str(status)):
        planning.plan_or_error(solution, None, accept_stopped=True)


def test_a_doubtful_optimum_is_solved_again(monkeypatch: pytest.MonkeyPatch, program: LinearProgram) -> None:
    """An answer said to be optimal that does not prove so is not believed; the next way of solving is tried."""
    calls: list[dict[str, object]] = []

    def lying(program: LinearProgram, options: SolveOptions) -> Solution:
        calls.append(dict(options.solver))
        solution = run_solver(program, options)
        return dataclasses.replace(solution, columns=solution.columns * 1.01) if len(calls) == 1 else solution

    monkeypatch.setattr(solving, "run_solver", lying)
    solution, certificate = solving.certified(program, SolveOptions())
    assert certificate is not None and certificate.optimal
    assert calls == [{}, {"presolve": "off"}]
    assert solution.status is Status.OPTIMAL


def test_an_answer_that_never_proves_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong optimum is an error, not a plan."""

    def lying(program: LinearProgram, options: SolveOptions) -> Solution:
        solution = run_solver(program, options)
        return dataclasses.replace(solution, columns=solution.columns * 1.01)

    monkeypatch.setattr(solving, "run_solver", lying)
    with pytest.raises(gw.AuditError, match="does not prove optimal"):
        gw.solve(gw.load(INSTANCES / "tiny-tree"))


def test_a_failing_solver_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver error is told with the solver's word for it."""

    def failing(program: LinearProgram, options: SolveOptions) -> Solution:
        return dataclasses.replace(
            run_solver(program, options), status=Status.SOLVER_ERROR, columns=np.empty(0), message="Solve error"
        )

    monkeypatch.setattr(solving, "run_solver", failing)
    with pytest.raises(gw.SolverError, match="Solve error"):
        gw.solve(gw.load(INSTANCES / "tiny-tree"))


class Denying:
    """A solver that says of a program that it is infeasible, the first so many times that it is asked."""

    def __init__(self, times: int) -> None:
        self.times, self.asked = times, 0

    def __call__(self, program: LinearProgram, options: SolveOptions, basis: Basis | None = None) -> Solution:
        """Solve a program, or deny it."""
        self.asked += 1
        if self.asked > self.times:
            return run_solver(program, options, basis)
        nothing = np.empty(0)
        return Solution(Status.INFEASIBLE, nothing, nothing, None, 0, 0.0, "Infeasible", None)


@pytest.mark.parametrize("edits", [(), ("eligibility.min_block_gw = 0.1",)])
@pytest.mark.parametrize("times", [1, 2])
def test_a_plan_that_the_solver_denies_is_found(
    edits: tuple[str, ...], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numerical trouble is no conflict: where every demand can be kept another way of solving finds the plan."""
    instance = gw.load(INSTANCES / "tiny-deals").edited(*edits)
    expected = gw.solve(instance).objective_bn
    denying = Denying(times)
    monkeypatch.setattr(solving, "run_solver", denying)
    assert gw.solve(instance).objective_bn == pytest.approx(expected)
    assert denying.asked > times


def test_what_misses_a_plan_by_less_than_a_kilowatt_has_none() -> None:
    """The solver forgives less than the least violation that proves a conflict: between the two its word stands."""
    lock = "insert locks[pathway=deals, from=2027-01-01, min_gw=1.0000005]"
    instance = gw.load(INSTANCES / "tiny-deals").edited(lock)
    with pytest.raises(gw.InfeasibleError) as refused:
        gw.solve(instance)
    assert "a lock holds deals at 1" in refused.value.in_conflict


def test_a_plan_that_the_solver_always_denies_is_a_failure_and_not_infeasible(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is possible is never told as infeasible: the command ends with 5 and says that the solver failed."""
    monkeypatch.setattr(solving, "run_solver", Denying(100))
    monkeypatch.setattr("sys.argv", ["gwplan", "solve", str(INSTANCES / "tiny-deals")])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert ended.value.code == 5 and not told.out
    assert "the solver finds no plan, and yet every demand can be kept" in told.err and "infeasible" not in told.err


def test_solver_options_take_the_types_of_highs() -> None:
    """Texts from a command line become what HiGHS expects, and reach it."""
    options = checked_options(
        {"presolve": "off", "simplex_iteration_limit": "7", "primal_feasibility_tolerance": "1e-9"}
    )
    assert options == {"presolve": "off", "simplex_iteration_limit": 7, "primal_feasibility_tolerance": 1e-9}
    reference = compiled(timeline(gw.load(INSTANCES / "meta-2026h1").deterministic()).data)
    assert run_solver(reference, SolveOptions(solver=options)).status is Status.ITERATION_LIMIT


def test_a_least_violation_that_does_not_prove_to_be_one_is_sought_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What says that there is no plan is certified as a plan is: a wrong answer is asked for anew, or not used."""
    lock = "insert locks[pathway=deals, from=2027-01-01, min_gw=3]"
    data = timeline(gw.load(INSTANCES / "tiny-deals").edited(lock)).data
    program = compiled(data)
    right = least_missed(program, data, SolveOptions())
    assert right is not None and right.proves_conflict

    def wrong(times: int) -> Callable[..., Solution]:
        asked = itertools.count()

        def solve(*arguments: Any, **options: Any) -> Solution:
            solution = run_solver(*arguments, **options)
            return (
                dataclasses.replace(solution, row_duals=0.5 * solution.row_duals) if next(asked) < times else solution
            )

        return solve

    monkeypatch.setattr(demands, "run_solver", wrong(1))
    again = least_missed(program, data, SolveOptions())
    assert again is not None and again.gw == pytest.approx(right.gw)
    monkeypatch.setattr(demands, "run_solver", wrong(100))
    assert least_missed(program, data, SolveOptions()) is None
