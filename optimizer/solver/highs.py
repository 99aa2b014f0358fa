"""The solver: the only file that knows highspy."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray

from optimizer.errors import SolverError
from optimizer.problems import InstanceError, Problem, nearest
from optimizer.solver.program import (
    RANGED_COLUMNS,
    Basis,
    FloatArray,
    LinearProgram,
    Option,
    Solution,
    SolveOptions,
    Status,
)

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


def version() -> str:
    """Return the version of HiGHS."""
    return str(_silent().version())


def checked_options(given: Mapping[str, str]) -> dict[str, Option]:
    """Return HiGHS options with their texts turned into the types that HiGHS expects.

    Raises
    ------
    InstanceError
        For every option that HiGHS does not know, does not take, or that gwplan sets itself.
    """
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


class _Silent(highspy.Highs):
    """HiGHS without the banner that highspy's constructor prints when it enables callbacks."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _silent() -> Any:
    return _Silent()  # type: ignore[no-untyped-call]


def loaded(program: LinearProgram, options: SolveOptions) -> Any:
    """Return a HiGHS object that holds the program.

    Raises
    ------
    SolverError
        If HiGHS refuses the program or an option.
    """
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


def must(status: Any, doing: str) -> None:
    """Raise unless HiGHS says that all is well."""
    if status != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS failed at {doing}")


def solve(
    program: LinearProgram, options: SolveOptions | None = None, basis: Basis | None = None, *, ranges: bool = True
) -> Solution:
    """Solve a program.

    Parameters
    ----------
    program : LinearProgram
        What to solve.
    options : SolveOptions, optional
        How to solve it.
    basis : Basis, optional
        Where the simplex method starts; presolve is left out then.
    ranges : bool
        Whether to find the ranges of the rows too, which can take longer than a warm solve.

    Returns
    -------
    Solution
        With whatever the solver has, whether or not it is optimal; Ctrl-C stops the solver, not the process.
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
    found, info, ended_at = highs.getSolution(), highs.getInfo(), highs.getBasis()
    whole = bool(program.whole.any())
    counts = (info.simplex_iteration_count, info.ipm_iteration_count, info.crossover_iteration_count)
    return Solution(
        status=status,
        columns=np.array(found.col_value) if found.value_valid else np.empty(0),
        row_duals=np.array(found.row_dual) if found.dual_valid else np.empty(0),
        row_ranges=_row_ranges(highs) if ranges and status is Status.OPTIMAL and not whole else None,
        iterations=sum(max(int(count), 0) for count in counts),
        seconds=seconds,
        message=str(highs.modelStatusToString(model_status)),
        basis=ended_at if ended_at.valid else None,
        bound=float(info.mip_dual_bound) if whole else None,
        interrupted=interrupted,
    )


class Moved:
    """A solved program in which one row's bounds at a time are moved a little.

    Parameters
    ----------
    program : LinearProgram
        A linear program.
    basis : Basis
        Its optimal basis: each move starts from there.
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
            ranges = _row_ranges(self._highs)
            low, high = (float(side[row]) for side in ranges) if ranges else (np.inf, -np.inf)
            if self._highs.getBasis().row_status[row] == highspy.HighsBasisStatus.kBasic:
                low, high = np.inf, -np.inf  # of a row that does not bind the solver's range says something else
                activity = float(self._highs.getSolution().row_value[row])
                low = activity if np.isinf(lower) else -np.inf if np.isinf(upper) else low
                high = activity if np.isinf(upper) else np.inf if np.isinf(lower) else high
            dual = float(self._highs.getSolution().row_dual[row])
            return float(self._highs.getInfo().objective_function_value), dual, low, high
        finally:
            must(self._highs.changeRowBounds(row, lower, upper), "moving a row back")


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
