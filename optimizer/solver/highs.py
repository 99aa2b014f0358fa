"""The solver: the only file that knows highspy."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray

from gwplan.catalogue.tolerances import EPSILON
from gwplan.errors import SolverError
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.solver.program import (
    DEVEX,
    PRIMAL,
    RANGED_COLUMNS,
    Basis,
    FloatArray,
    IntArray,
    LinearProgram,
    Option,
    Solution,
    SolveOptions,
    Status,
)
from gwplan.solver.weights import Priced, is_light, priced

_STATUS: Final = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE_OR_UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    highspy.HighsModelStatus.kIterationLimit: Status.ITERATION_LIMIT,
    highspy.HighsModelStatus.kSolutionLimit: Status.SEARCH_LIMIT,
    highspy.HighsModelStatus.kInterrupt: Status.INTERRUPTED,
}

MOST_ROUNDS: Final = 6
"""Times that a solution is refined; once is enough where weights do not span more than nine powers of ten."""

_OURS: Final = ("output_flag", "log_to_console", "log_file", "solution_file", "write_model_file", "time_limit")


LOWER: Final = int(highspy.HighsBasisStatus.kLower)
BASIC: Final = int(highspy.HighsBasisStatus.kBasic)
UPPER: Final = int(highspy.HighsBasisStatus.kUpper)
FREE: Final = int(highspy.HighsBasisStatus.kZero)
"""Codes of a column or row in a basis: at its lower bound, basic, at its upper one, nonbasic without bounds."""


def basis_codes(basis: Basis) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return the status of each column and row of a basis as HiGHS numbers them: `LOWER`, `BASIC`, ..."""
    return tuple(  # type: ignore[return-value]
        np.fromiter(map(int, statuses), dtype=np.int8, count=len(statuses))
        for statuses in (basis.col_status, basis.row_status)
    )


def basis_of(columns: NDArray[np.int8], rows: NDArray[np.int8]) -> Basis:
    """Return a basis of status codes; the solver repairs one that is singular or of the wrong size."""
    every = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}
    basis = highspy.HighsBasis()
    basis.col_status = [every[code] for code in columns.tolist()]
    basis.row_status = [every[code] for code in rows.tolist()]
    basis.valid, basis.alien = True, True
    return basis


def with_slack_row(basis: Basis) -> Basis:
    """Return a basis with a row more that does not bind."""
    columns, rows = basis_codes(basis)
    return basis_of(columns, np.append(rows, np.int8(BASIC)))


def version() -> str:
    """Return the version of HiGHS."""
    return str(_silent().version())


def checked_options(given: Mapping[str, str]) -> dict[str, Option]:
    """Return HiGHS options with their texts turned into the types that HiGHS expects."""
    problems, options = [], {}
    highs = _silent()
    names = [name for name in dir(highs.getOptions()) if not name.startswith("_")]
    for name, text in given.items():
        where = f"--solver-option {name}={text}"
        if name in _OURS:
            problems.append(Problem(where, f"gwplan sets {name} itself", "use --log and --time-limit"))
            continue
        status, current = highs.getOptionValue(name)
        if status != highspy.HighsStatus.kOk:
            problems.append(Problem(where, f"HiGHS has no option '{name}'", nearest(name, names)))
            continue
        value = _typed(text, current)
        if value is None or highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            kind = type(current).__name__
            problems.append(Problem(where, f"HiGHS does not take '{text}'", f"it expects {kind}, e.g. {current}"))
            continue
        if name == "threads" and int(value) > MOST_THREADS:  # HiGHS would end the process
            problems.append(
                Problem(where, "too many threads", f"at most {MOST_THREADS:,}", "the cores of this machine do")
            )
        options[name] = value
    if problems:
        raise InstanceError(problems)
    return options


def _typed(text: str, current: Any) -> Option | None:
    if isinstance(current, bool):
        return {"true": True, "on": True, "false": False, "off": False}.get(text.lower())
    if isinstance(current, str):
        return text
    try:
        return int(text) if isinstance(current, int) else float(text)
    except ValueError:
        return None


MOST_THREADS: Final = 1024
"""Most threads that HiGHS may be asked for."""


class _Silent(highspy.Highs):
    """HiGHS without the banner that highspy's constructor prints when it enables callbacks."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _silent() -> Any:
    return _Silent()  # type: ignore[no-untyped-call]


def loaded(program: LinearProgram, options: SolveOptions) -> Any:
    """Return a HiGHS object that holds the program."""
    highs = _silent()
    settings: dict[str, Option] = {"threads": 1, **options.solver, "log_to_console": False, "output_flag": options.log}
    if options.log:
        highs.cbLogging += lambda event: sys.stderr.write(event.message)
    if options.time_limit is not None:
        settings["time_limit"] = options.time_limit
    for name, value in settings.items():
        must(highs.setOptionValue(name, value), f"setting {name}")
    rows, columns = program.shape
    status = highs.passModel(
        columns,
        rows,
        len(program.value),
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        program.offset,
        program.cost,
        program.column_lower,
        program.column_upper,
        program.row_lower,
        program.row_upper,
        program.start[:-1].astype(np.int32),
        program.index.astype(np.int32),
        program.value,
        program.whole.astype(np.int32),
    )
    # HiGHS warns of values that it treats as zero or infinite; the certificate judges what comes of that.
    if status == highspy.HighsStatus.kError:
        largest = max((float(np.abs(part).max(initial=0.0)) for part in (program.cost, program.value)), default=0.0)
        raise SolverError(f"HiGHS refuses the program: its largest coefficient is {largest:.3g}; look for huge numbers")
    return highs


def write(program: LinearProgram, columns: Sequence[str], rows: Sequence[str], path: Path) -> Path:
    """Write a program, as ``.lp`` or ``.mps`` by the ending; its constant is the cost of a last column, fixed at 1."""
    highs = loaded(program, SolveOptions())
    must(highs.addCol(program.offset, 1.0, 1.0, 0, np.empty(0, np.int32), np.empty(0)), "adding the constant")
    must(highs.changeObjectiveOffset(0.0), "moving the constant")
    for give, names in ((highs.passColName, columns), (highs.passRowName, rows)):
        for i, name in enumerate(names):
            must(give(i, name), f"naming {name}")
    must(highs.writeModel(str(path)), f"writing {path.name}")
    return path


def must(status: Any, doing: str) -> None:
    """Raise unless HiGHS says that all is well."""
    if status != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS failed at {doing}")


def solve(
    program: LinearProgram, options: SolveOptions | None = None, basis: Basis | None = None, *, ranges: bool = True
) -> Solution:
    """Solve a program.

    From a basis the simplex method starts without presolve. To find the ranges of the rows can take longer than a warm
    solve. The solution has whatever the solver has, optimal or not; Ctrl-C stops the solver, not the process.
    """
    options = options or SolveOptions()
    highs = loaded(program, options)
    ranges = ranges and (options.ranges or len(program.cost) <= RANGED_COLUMNS)
    began = time.perf_counter()
    if basis is not None:
        must(highs.setBasis(basis), "starting from a basis")
    run_status, interrupted = _run(highs, options.meanwhile)
    seconds = time.perf_counter() - began
    model_status = highs.getModelStatus()
    status = _STATUS.get(model_status, Status.SOLVER_ERROR)
    if run_status == highspy.HighsStatus.kError:
        status = Status.SOLVER_ERROR
    ended_with, info, ended_at = highs.getSolution(), highs.getInfo(), highs.getBasis()
    whole = bool(program.whole.any())
    counts = (info.simplex_iteration_count, info.ipm_iteration_count, info.crossover_iteration_count)
    solution = Solution(
        status=status,
        columns=np.array(ended_with.col_value) if ended_with.value_valid else np.empty(0),
        row_duals=np.array(ended_with.row_dual) if ended_with.dual_valid else np.empty(0),
        row_ranges=None,
        iterations=sum(max(int(count), 0) for count in counts),
        seconds=seconds,
        message=str(highs.modelStatusToString(model_status)),
        basis=ended_at if ended_at.valid else None,
        bound=float(info.mip_dual_bound) if whole else None,
        interrupted=interrupted,
    )
    if status is not Status.OPTIMAL or whole:
        return solution
    refined = _refined(program, options, solution)
    if not ranges or refined.status is not Status.OPTIMAL:
        return refined
    if refined.basis is not ended_at:
        must(highs.setBasis(refined.basis), "starting from a basis")
        _run(highs)
    return replace(refined, row_ranges=_row_ranges(highs))


def _refined(program: LinearProgram, options: SolveOptions, solution: Solution) -> Solution:
    """Return an optimum whose duals are right by the weight of each node, too: see `gwplan.solver.weights`."""
    if not is_light(program) or solution.basis is None:
        return solution
    rows, columns = program.shape
    now = priced(program, solution.row_duals)
    for _ in range(MOST_ROUNDS):
        wrong = now.unrefined(solution.columns)
        if not wrong.any():
            break
        enlarged, by = now.enlarged(wrong)
        start = basis_of(np.concatenate(basis_codes(solution.basis)), np.full(rows, LOWER, dtype=np.int8))
        again = {**options.solver, **PRIMAL, "solver": "simplex"}
        refined = solve(enlarged, replace(_rest(options, solution), solver=again), start, ranges=False)
        spent = _spent(solution, refined)
        if refined.status is not Status.OPTIMAL or refined.basis is None:
            stopped = refined.status if refined.status.stopped else solution.status
            return replace(solution, **spent, status=stopped, interrupted=refined.interrupted)
        codes = basis_codes(refined.basis)[0]
        solution = replace(
            solution,
            **spent,
            columns=refined.columns[:columns],
            row_duals=np.where(codes[columns:] == BASIC, 0.0, solution.row_duals + refined.row_duals / by),
            basis=basis_of(codes[:columns], codes[columns:]),
        )
        now = priced(program, solution.row_duals)
    return _afterwards(now, options, solution) if now.blurred.any() else solution


def _afterwards(now: Priced, options: SolveOptions, solution: Solution) -> Solution:
    """Return a solution with nodes whose duals are lost in rounding, and all after them, solved by themselves."""
    part, by, there = now.afterwards(solution.columns)
    if by <= 1:  # this is such a part already
        return solution
    rest = solve(part, _rest(options, solution), ranges=False)
    if rest.status is not Status.OPTIMAL:
        return solution
    duals, rows = solution.row_duals, len(solution.row_duals)
    deeper = np.full(rows, np.nan) if rest.light_duals is None else rest.light_duals
    own, at = np.where(np.isnan(deeper), rest.row_duals, deeper) / by, there[:rows]
    lost = at & (np.abs(duals - own) <= EPSILON * np.abs(duals[at]).max())
    return replace(
        solution,
        **_spent(solution, rest),
        columns=np.where(there[rows:], rest.columns, solution.columns),
        row_duals=np.where(lost, own, duals),
        light_duals=np.where(at, own, np.nan),
    )


def _rest(options: SolveOptions, solution: Solution) -> SolveOptions:
    left = None if options.time_limit is None else max(options.time_limit - solution.seconds, 0.0)
    return replace(options, time_limit=left, meanwhile=None)


def _spent(solution: Solution, more: Solution) -> dict[str, Any]:
    return {"iterations": solution.iterations + more.iterations, "seconds": solution.seconds + more.seconds}


class Kept:
    """A linear program that stays loaded: bounds change, rows are added, and each solve goes on from the last basis."""

    def __init__(self, program: LinearProgram, options: SolveOptions, basis: Basis) -> None:
        self.program, self.iterations, self.objective = program, 0, np.nan
        self.columns, self.reduced_costs = np.empty(0), np.empty(0)
        self._highs = loaded(program, options)
        must(self._highs.setBasis(basis), "starting from a basis")

    def bound(self, columns: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Change the bounds of some columns."""
        must(self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper), "moving bounds")

    def add_row(self, columns: Sequence[int], values: Sequence[float], lower: float, upper: float) -> None:
        """Add a row."""
        places, factors = np.array(columns, dtype=np.int32), np.array(values, dtype=float)
        must(self._highs.addRow(lower, upper, len(places), places, factors), "adding a row")

    def solve(self) -> bool:
        """Solve it, and say whether there is an optimum; Ctrl-C is a KeyboardInterrupt."""
        _, interrupted = _run(self._highs)
        if interrupted:
            raise KeyboardInterrupt
        info = self._highs.getInfo()
        self.iterations += max(int(info.simplex_iteration_count), 0)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        point = self._highs.getSolution()
        self.objective = float(info.objective_function_value)
        self.columns, self.reduced_costs = np.array(point.col_value), np.array(point.col_dual)
        return True

    def ray(self) -> FloatArray | None:
        """Return weights of the rows that prove that there is no plan, shape (m,); None where there are none."""
        status, there, ray = self._highs.getDualRay()
        return np.array(ray) if status == highspy.HighsStatus.kOk and there else None

    def codes(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Return the status of each column and row where the last solve ended."""
        return basis_codes(self._highs.getBasis())


@dataclass(frozen=True)
class Relaxation:
    """A relaxed program, solved."""

    status: Status
    interrupted: bool  # whether Ctrl-C was pressed
    iterations: int
    objective: float  # with its constant; infinity where there is no solution
    whole: FloatArray  # values of the columns that are to be whole
    basis: Basis
    columns: Callable[[], FloatArray]  # returns all columns, (n,), until the next step


class Relaxed:
    """A program whose whole numbers may be any, solved again and again with other bounds of theirs."""

    def __init__(self, program: LinearProgram, options: SolveOptions) -> None:
        self._at = np.flatnonzero(program.whole).astype(np.int32)
        self._meanwhile = options.meanwhile
        relaxed = replace(program, whole=np.zeros_like(program.whole))
        self._highs = loaded(relaxed, replace(options, solver={**options.solver, **DEVEX}))

    def solve(self, lower: FloatArray, upper: FloatArray, basis: Basis | None, most: float) -> Relaxation:
        """Solve with these bounds of the whole numbers, from a basis or, without one, anew.

        Where no objective is below `most`, what is told may be that there is no solution.
        """
        must(self._highs.changeColsBounds(len(self._at), self._at, lower, upper), "bounding whole numbers")
        if basis is not None:
            must(self._highs.setBasis(basis), "starting from a basis")
        must(self._highs.setOptionValue("objective_bound", most), "setting objective_bound")
        meanwhile, self._meanwhile = self._meanwhile, None
        _, interrupted = _run(self._highs, meanwhile)
        model_status, info = self._highs.getModelStatus(), self._highs.getInfo()
        over = model_status == highspy.HighsModelStatus.kObjectiveBound
        status = Status.INFEASIBLE if over else _STATUS.get(model_status, Status.SOLVER_ERROR)
        solved = status is Status.OPTIMAL
        point = self._highs.getSolution() if solved else None
        columns = np.array(point.col_value) if point else np.empty(0)
        return Relaxation(
            status, interrupted, max(int(info.simplex_iteration_count), 0),
            float(info.objective_function_value) if solved else (most if over else np.inf),
            columns[self._at] if solved else np.empty(0), self._highs.getBasis() if solved else None, lambda: columns,
        )  # fmt: skip


class Moved:
    """A solved program in which one row's bounds at a time are moved a little.

    Each move starts from the optimal basis.
    """

    def __init__(self, program: LinearProgram, basis: Basis) -> None:
        self._program, self._basis = program, basis
        self._highs = loaded(program, SolveOptions())

    def solve(self, row: int, by: float) -> tuple[float, float, float, float] | None:
        """Return the objective, the row's dual, and the range of its bound over which that holds; None: no optimum.

        A range of infinity down to minus infinity is not known.
        """
        lower, upper = float(self._program.row_lower[row]), float(self._program.row_upper[row])
        must(self._highs.setBasis(self._basis), "starting from a basis")
        must(self._highs.changeRowBounds(row, lower + by, upper + by), "moving a row")
        try:
            status, interrupted = _run(self._highs)
            if interrupted:
                raise KeyboardInterrupt
            if status == highspy.HighsStatus.kError:
                raise RuntimeError("HiGHS failed at a moved row")
            if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return None
            at, point = self._highs.getBasis(), self._highs.getSolution()
            solution = Solution(
                Status.OPTIMAL, np.array(point.col_value), np.array(point.row_dual), None, 0, 0.0, "", basis=at
            )
            if is_light(self._program):
                solution = self._refined(solution, row, by)
            ranges = _row_ranges(self._highs)
            low, high = (float(side[row]) for side in ranges) if ranges else (np.inf, -np.inf)
            if basis_codes(solution.basis)[1][row] == BASIC:
                low, high = np.inf, -np.inf  # of a row that does not bind the solver's range says something else
                activity = float(self._program.times(solution.columns)[row])
                low = activity if np.isinf(lower) else -np.inf if np.isinf(upper) else low
                high = activity if np.isinf(upper) else np.inf if np.isinf(lower) else high
            worth = float(self._program.cost @ solution.columns) + self._program.offset
            return worth, float(solution.row_duals[row]), low, high
        finally:
            must(self._highs.changeRowBounds(row, lower, upper), "moving a row back")

    def _refined(self, solution: Solution, row: int, by: float) -> Solution:
        """Return the solution with a row moved, right by the weight of each node, and leave the solver where it is."""
        lower, upper = self._program.row_lower.copy(), self._program.row_upper.copy()
        lower[row] += by
        upper[row] += by
        refined = _refined(replace(self._program, row_lower=lower, row_upper=upper), SolveOptions(), solution)
        if refined.basis is not solution.basis:
            must(self._highs.setBasis(refined.basis), "starting from a basis")
            _run(self._highs)
        return refined


def _row_ranges(highs: Any) -> tuple[FloatArray, FloatArray] | None:
    status, ranging = highs.getRanging()
    if status != highspy.HighsStatus.kOk:
        return None
    return np.array(ranging.row_bound_dn.value_), np.array(ranging.row_bound_up.value_)


def _run(highs: Any, meanwhile: Callable[[], object] | None = None) -> tuple[Any, bool]:
    """Run the solver so that Ctrl-C stops it and what it has by then can still be read; return too whether it came.

    The solver runs beside the main thread, which alone hears Ctrl-C. Only then is the solver told to ask, at each
    iteration, whether to stop: to ask all along would make the reference case a fifth slower.
    """
    if threading.current_thread() is not threading.main_thread():
        return highs.run(), False
    ended = threading.Event()
    result: list[Any] = []
    pressed: list[bool] = []
    failed: list[MemoryError] = []

    def stop() -> None:
        pressed.append(True)
        for asked in (highs.cbSimplexInterrupt, highs.cbIpmInterrupt, highs.cbMipInterrupt):
            asked += _interrupt

    def work() -> None:
        try:
            result.append(highs.run())
        except MemoryError as error:  # told by the main thread
            failed.append(error)
        finally:
            ended.set()

    threading.Thread(target=work, daemon=True).start()
    try:
        if meanwhile is not None:
            meanwhile()
    except KeyboardInterrupt:
        stop()
    # An event, not the thread, is waited for: Ctrl-C during Thread.join leaves the thread looking finished.
    while not ended.is_set():
        try:
            ended.wait()
        except KeyboardInterrupt:
            stop()
    if failed:
        raise failed[0]
    return result[0] if result else highspy.HighsStatus.kError, bool(pressed)


def _interrupt(event: Any) -> None:
    event.interrupt()
