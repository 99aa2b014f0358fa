"""Programs on a line: the same matrix, costs and bounds that move evenly with one number, and the bases along it.

With a basis held, the columns and the duals are affine functions of that number. A basis stays optimal up to the value
at which a column leaves its bounds or a dual its sign; a warm solve just beyond gives the next one (parametric simplex,
Gass and Saaty 1955). So every breakpoint is a ratio, not the end of a search.

Of one program: what a row's bound is worth when it is moved up and when it is moved down, and how far each holds.
Where the optimum is degenerate a row has many duals: the solver returns one of them, and the value of a little more
differs from that of a little less. On the side where the solver's dual holds for no distance at all the program is
solved again with the bound moved a little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tolerances import CHANGES, EPSILON, FEASIBLE, ROUNDING, SLOPE
from gwplan.solver.highs import BASIC, UPPER, Moved, basis_codes, loaded, must
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import (
    Basis,
    BoolArray,
    FloatArray,
    IntArray,
    LinearProgram,
    Option,
    Solution,
    SolveOptions,
    Status,
)
from gwplan.solver.weights import priced

BOUNDS: Final = ("column_lower", "column_upper", "row_lower", "row_upper")

MOVING: Final = ("cost", "offset", "node_weight", *BOUNDS)
"""Parts of a program that may move along a line."""

FIXED: Final = ("start", "index", "value", "whole")
"""Parts that may not."""

FIRST_STEP: Final = 1e-6
"""How far beyond a breakpoint the next basis is looked for at first, as a share of the line."""

MOST_TRIES: Final = 200
"""Values at which the next basis is looked for, at the most."""

_TIGHT: Final[dict[str, Option]] = {
    "primal_feasibility_tolerance": ROUNDING,
    "dual_feasibility_tolerance": ROUNDING,
    "dual_simplex_cost_perturbation_multiplier": 0.0,
    "primal_simplex_bound_perturbation_multiplier": 0.0,
}


class NotExact(Exception):  # noqa: N818
    """Steps of the basis do not go all the way; the message says why."""


@dataclass(frozen=True)
class Line:
    """Programs ``P(t) = P(origin) + (t - origin) * rate`` for t from `low` to `high`."""

    origin: float  # where `program` stands
    # the program there, and what its costs and bounds gain per unit (0 where a bound is infinite)
    program: LinearProgram
    rate: LinearProgram
    # ends of the line
    low: float
    high: float

    def at(self, t: float) -> LinearProgram:
        """Return the program at a value."""
        by = t - self.origin
        return replace(
            self.program, **{name: getattr(self.program, name) + by * getattr(self.rate, name) for name in MOVING}
        )

    @property
    def span(self) -> float:
        """Length of the line."""
        return self.high - self.low

    @property
    def costs_move(self) -> bool:
        """Whether costs move along it."""
        return bool(np.any(self.rate.cost))

    @property
    def bounds_move(self) -> bool:
        """Whether bounds of rows or columns do."""
        return any(bool(np.any(getattr(self.rate, name))) for name in BOUNDS)


def same_structure(a: LinearProgram, b: LinearProgram) -> bool:
    """Return whether the rows and columns of two programs are the same, whatever their numbers."""
    return (
        a.shape == b.shape
        and a.labels == b.labels
        and _same_keys(a.columns, b.columns, a.column_keys, b.column_keys)
        and _same_keys(a.rows, b.rows, a.row_keys, b.row_keys)
    )


def _same_keys(a: object, b: object, a_keys: object, b_keys: object) -> bool:
    return a == b and all(np.array_equal(a_keys[name], b_keys[name]) for name in a_keys)  # type: ignore[index, attr-defined]


def line(values: Sequence[float], programs: Sequence[LinearProgram], low: float, high: float) -> Line | str:
    """Return the line on which three programs lie, or in words what does not."""
    first, middle, last = programs
    if not (same_structure(first, middle) and same_structure(first, last)):
        return "the program gains or loses rows or columns"
    for name in FIXED:
        if not all(np.array_equal(getattr(first, name), getattr(other, name)) for other in (middle, last)):
            return "it enters the matrix"
    if bool(first.whole.any()):
        return "the plan has whole numbers"
    rates: dict[str, Any] = {}
    share = (values[1] - values[0]) / (values[2] - values[0])
    for name in MOVING:
        parts = [np.asarray(getattr(program, name), dtype=np.float64) for program in programs]
        rate = _rate(parts, share, values[2] - values[0])
        if rate is None:
            return f"{name.replace('_', ' ')} does not move evenly"
        rates[name] = rate if name != "offset" else float(rate)
    return Line(values[0], first, replace(first, **rates), low, high)


def _rate(parts: Sequence[FloatArray], share: float, span: float) -> FloatArray | None:
    """Return what one part of the program gains per unit; None if it does not move evenly."""
    first, middle, last = parts
    finite = np.isfinite(first)
    if not (np.array_equal(first[~finite], middle[~finite]) and np.array_equal(first[~finite], last[~finite])):
        return None
    if not (np.isfinite(middle[finite]).all() and np.isfinite(last[finite]).all()):
        return None
    gain = np.where(finite, last, 0.0) - np.where(finite, first, 0.0)
    expected = np.where(finite, first, 0.0) + share * gain
    off = np.abs(np.where(finite, middle, 0.0) - expected)
    size = 1 + np.maximum(np.abs(np.where(finite, first, 0.0)), np.abs(np.where(finite, last, 0.0)))
    rate: FloatArray = gain / span
    return rate if bool(np.all(off <= ROUNDING * size)) else None


@dataclass(frozen=True)
class Piece:
    """A basis, the values of t from `low` to `high` over which it is optimal, and its solution there."""

    # ends
    low: float
    high: float
    at: float  # where `columns` and `duals` stand
    basis: Basis  # the basis
    _columns: FloatArray
    _columns_rate: FloatArray
    _duals: FloatArray
    _duals_rate: FloatArray

    def columns(self, t: float) -> FloatArray:
        """Return the columns at a value, shape (n,)."""
        return self._columns + (t - self.at) * self._columns_rate

    def duals(self, t: float) -> FloatArray:
        """Return the duals of the rows at a value, shape (m,)."""
        return self._duals + (t - self.at) * self._duals_rate

    def end(self, direction: int) -> float:
        """Return the end in a direction, 1 up or -1 down."""
        return self.high if direction > 0 else self.low


@dataclass(frozen=True)
class _Held:
    """A basis held: all columns (those of the program, then a column per row that is its activity), and their duals."""

    basic: BoolArray
    values: FloatArray
    values_rate: FloatArray
    reduced: FloatArray
    reduced_rate: FloatArray
    upper: BoolArray


def piece(line: Line, basis: Basis, at: float) -> Piece:
    """Return the piece of a basis that is optimal at a value."""
    program, rate = line.at(at), line.rate
    columns = len(program.cost)
    held = _hold(program, rate, basis)
    low, high = line.low - at, line.high - at
    lower, lower_rate = _joined(program, "lower"), _joined(rate, "lower")
    upper, upper_rate = _joined(program, "upper"), _joined(rate, "upper")
    within = [
        (held.values - lower, held.values_rate - lower_rate, held.basic & np.isfinite(lower)),
        (upper - held.values, upper_rate - held.values_rate, held.basic & np.isfinite(upper)),
    ]
    fixed = (lower == upper) & (lower_rate == upper_rate)
    # by the weight of its node, so that none counts for nothing; rows stand first there
    weight = np.roll(priced(program, held.reduced[columns:]).weight, columns)
    reduced, reduced_rate = held.reduced / weight, held.reduced_rate / weight
    free = np.isinf(lower) & np.isinf(upper)
    able = ~held.basic & ~fixed
    within += [
        (reduced, reduced_rate, able & (~held.upper | free)),
        (-reduced, -reduced_rate, able & (held.upper | free)),
    ]
    for slack, moves, where in within:
        down, up = _reach(slack[where], moves[where], line.span)
        low, high = max(low, down), min(high, up)
    near = ROUNDING * line.span  # of an end of the line, a piece reaches it
    return Piece(
        line.low if at + low <= line.low + near else at + min(low, 0.0),
        line.high if at + high >= line.high - near else at + max(high, 0.0),
        at, basis, held.values[:columns], held.values_rate[:columns],
        held.reduced[columns:], held.reduced_rate[columns:],
    )  # fmt: skip


def _reach(slack: FloatArray, moves: FloatArray, span: float) -> tuple[float, float]:
    """Return how far down and up every slack stays at least 0."""
    still = np.abs(moves) * span <= ROUNDING * (1 + np.abs(slack))
    slack, moves = np.maximum(slack[~still], 0.0), moves[~still]
    falls, rises = moves < 0, moves > 0
    up = float(np.min(slack[falls] / -moves[falls], initial=np.inf))
    down = float(np.min(slack[rises] / moves[rises], initial=np.inf))
    return -down, up


def _hold(program: LinearProgram, rate: LinearProgram, basis: Basis) -> _Held:
    """Return the columns, duals and how they move while a basis is held."""
    rows, columns = program.shape
    codes = np.concatenate(basis_codes(basis))
    basic = codes == BASIC
    from scipy.sparse import csc_matrix, hstack, identity  # takes a while, and a plain solve needs none of it
    from scipy.sparse.linalg import splu

    matrix = csc_matrix((program.value, program.index, program.start), shape=(rows, columns))
    whole = hstack([matrix, -identity(rows, format="csc")], format="csc")
    factors = splu(whole[:, np.flatnonzero(basic)])
    lower, upper = _joined(program, "lower"), _joined(program, "upper")
    at_upper = ~basic & np.isfinite(upper) & ((codes == UPPER) | np.isinf(lower))

    def columns_of(low: FloatArray, high: FloatArray) -> FloatArray:
        values = np.where(basic | np.isinf(np.where(at_upper, upper, lower)), 0.0, np.where(at_upper, high, low))
        values[basic] = factors.solve(-(whole @ values))
        return values

    def duals_of(cost: FloatArray) -> FloatArray:
        every = np.concatenate([cost, np.zeros(rows)])
        reduced: FloatArray = every - whole.T @ factors.solve(every[basic], trans="T")
        reduced -= whole.T @ factors.solve(reduced[basic], trans="T")  # exact on light nodes, too
        reduced[basic] = 0.0
        return reduced

    return _Held(
        basic,
        columns_of(lower, upper),
        columns_of(_joined(rate, "lower"), _joined(rate, "upper")),
        duals_of(program.cost),
        duals_of(rate.cost),
        at_upper,
    )


def _joined(program: LinearProgram, side: str) -> FloatArray:
    return np.concatenate([getattr(program, f"column_{side}"), getattr(program, f"row_{side}")])


def pieces(line: Line, basis: Basis, start: float, direction: int) -> Iterator[Piece]:
    """Yield the pieces from a value to the line's end in a direction, each beginning where the one before ended.

    They end early where the program beyond has no solution.
    """
    now: Piece | None = piece(line, basis, start)
    last = line.high if direction > 0 else line.low
    while now is not None:
        yield now
        now = None if now.end(direction) == last else _next(line, now, direction, last)


def _next(line: Line, now: Piece, direction: int, last: float) -> Piece | None:
    """Return the piece that follows; None where there is no solution beyond.

    A basis found farther on than where this one ends is walked back from, unless the solver cannot tell what lies
    between from either.
    """
    from_, near = now.end(direction), ROUNDING * line.span
    step, basis = FIRST_STEP * line.span, now.basis
    nearest: Piece | None = None
    for _ in range(MOST_TRIES):
        at = from_ + direction * step if step < abs(last - from_) else last
        beyond_it = optimal(line, basis, at)
        if beyond_it is None:
            if step <= near:
                return None
            step /= 16
            continue
        beyond, before = direction * (beyond_it.end(direction) - from_), direction * (beyond_it.end(-direction) - from_)
        if beyond <= near and at != last:  # the same vertex, which the solver still takes for optimal
            if nearest is not None:
                return _from(nearest, from_, direction)
            step = 4 * abs(at - from_)
            continue
        nearest = beyond_it
        if before <= near or step <= near:
            return _from(beyond_it, from_, direction)
        basis, step = beyond_it.basis, before / 2
    raise NotExact(f"the solver does not tell the bases near {from_:.9g} apart")


def optimal(line: Line, basis: Basis, at: float) -> Piece | None:
    """Return the piece of a basis that is optimal at a value; None where there is no optimum."""
    for start in (basis, None):
        solution = run_solver(line.at(at), SolveOptions(solver=_TIGHT), start, ranges=False)
        if solution.status is Status.OPTIMAL and solution.basis is not None:
            return piece(line, solution.basis, at)
    return None


def _from(piece: Piece, start: float, direction: int) -> Piece:
    """Return a piece that begins at a value, going in a direction."""
    return replace(piece, low=start) if direction > 0 else replace(piece, high=start)


STEPS: Final = (1e-3, 1e-4, 1e-5, 1e-6)
"""Distances tried, GW: the largest over which the objective is a straight line tells its slope."""

TOLD: Final = 1e-3
"""Weight of a node below which the worth of the whole no longer tells whether it is a straight line there."""

MOST_WORK: Final = 200_000
"""Columns times sides beyond which solving again would take longer than the plan itself."""


@dataclass(frozen=True)
class Sides:
    """Change of the objective ($bn) per unit by which a row's bound is moved up or down, by row."""

    # (m,) slopes of the objective against the bound above and below it; nan where not worked out, or not possible
    up: FloatArray
    down: FloatArray
    # (m,) how far down and up these slopes hold: values of the bound
    low: FloatArray
    high: FloatArray


def both_sides(program: LinearProgram, solution: Solution, rows: IntArray, *, always: bool = False) -> Sides | None:
    """Return the slopes on both sides of some rows' bounds, None without an optimal basis."""
    if solution.row_ranges is None or solution.basis is None or not len(solution.row_duals):
        return None
    if solution.light_duals is not None:  # the basis says nothing of what was solved by itself
        rows = rows[np.isnan(solution.light_duals[rows])]
    empty = np.full(program.shape[0], np.nan)
    sides = Sides(empty.copy(), empty.copy(), empty.copy(), empty.copy())
    bound = np.where(np.isfinite(program.row_lower), program.row_lower, program.row_upper)[rows]
    low, high = _ranges(program, solution)
    low, high = low[rows], high[rows]
    sides.low[rows], sides.high[rows] = np.minimum(low, bound), np.maximum(high, bound)
    sides.up[rows] = np.where(high - bound > FEASIBLE, solution.row_duals[rows], np.nan)
    sides.down[rows] = np.where(bound - low > FEASIBLE, solution.row_duals[rows], np.nan)
    again = [(row, 1.0, b) for row, b in zip(rows, bound, strict=True) if np.isnan(sides.up[row])]
    again += [(row, -1.0, b) for row, b in zip(rows, bound, strict=True) if np.isnan(sides.down[row])]
    if again and (always or len(again) * len(program.cost) <= MOST_WORK):
        best = float(program.cost @ solution.columns) + program.offset
        moved, weight = Moved(program, solution.basis), priced(program, solution.row_duals).weight
        for row, direction, at in again:
            slope, end = _slope(moved, int(row), direction, float(at), best, known=weight[row] >= TOLD)
            (sides.up if direction > 0 else sides.down)[row] = slope
            (sides.high if direction > 0 else sides.low)[row] = end
    return sides


def _ranges(program: LinearProgram, solution: Solution) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest bound of each row for which its dual holds.

    What the solver says of a row that does not bind is about something else: there the bound may move up to the row's
    activity, and away from it without end. Of an equality that happens not to bind nothing is known.
    """
    assert solution.row_ranges is not None
    low, high = (side.copy() for side in solution.row_ranges)
    slack = basis_codes(solution.basis)[1] == BASIC
    activity = program.times(solution.columns)
    above, below = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    bound = np.where(below, program.row_lower, program.row_upper)
    low = np.where(slack, np.where(below & ~above, -np.inf, np.where(above & ~below, activity, bound)), low)
    high = np.where(slack, np.where(above & ~below, np.inf, np.where(below & ~above, activity, bound)), high)
    return low, high


def _slope(moved: Moved, row: int, direction: float, bound: float, best: float, *, known: bool) -> tuple[float, float]:
    """Return the objective's slope on one side of a bound, and the bound up to which it holds.

    Where the objective does not tell what happens on a node, the range of the dual must reach back to the bound.
    """
    for step in STEPS:
        answer = moved.solve(row, direction * step)
        if answer is None:
            continue
        objective, dual, low, high = answer
        mean = (objective - best) / (direction * step)
        if not known and not (low - FEASIBLE <= bound if direction > 0 else bound <= high + FEASIBLE):
            continue
        if abs(mean - dual) * step <= ROUNDING * (1 + abs(best)) and abs(mean - dual) <= SLOPE * (1 + abs(dual)):
            end = bound + direction * step  # so far it was seen to hold
            return dual, max(high, end) if direction > 0 else min(low, end)
    return np.nan, bound


class Directions:
    """An optimal basis that is asked how far costs may move.

    Parameters
    ----------
    program : LinearProgram
        A linear program without whole numbers.
    solution : Solution
        Its certified optimum, with a basis.
    """

    def __init__(self, program: LinearProgram, solution: Solution) -> None:
        self._program = program
        self._highs = loaded(program, SolveOptions())
        must(self._highs.setBasis(solution.basis), "starting from a basis")
        status, basic = self._highs.getBasicVariables()
        must(status, "factorising a basis")
        self._basic = np.asarray(basic)
        code = np.concatenate(basis_codes(solution.basis))
        lower = np.concatenate([program.column_lower, program.row_lower])
        upper = np.concatenate([program.column_upper, program.row_upper])
        self._able = (code != BASIC) & (lower < upper)
        self._sign = np.where(code == UPPER, -1.0, 1.0)[self._able]
        duals = solution.row_duals
        reduced = np.concatenate([program.cost - program.transposed_times(duals), duals])
        self._weight = np.roll(priced(program, duals).weight, -len(duals))
        self._slack = np.maximum(self._sign * reduced[self._able], 0.0)

    def reach(self, direction: FloatArray) -> tuple[float, float]:
        """Return how far costs may move against a direction, and along it, while the plan stays best; both >= 0."""
        at_basic = np.where(self._basic >= 0, direction[np.maximum(self._basic, 0)], 0.0)
        status, duals = self._highs.getBasisTransposeSolve(at_basic)
        must(status, "solving with a basis")
        change = np.concatenate([direction - self._program.transposed_times(duals), duals])[self._able] * self._sign
        heaviest = (np.abs(direction) / self._weight[: len(direction)]).max(initial=0.0)
        noise = CHANGES * self._weight[self._able] * heaviest + EPSILON * np.abs(direction).max(initial=0.0)
        change[np.abs(change) <= noise] = 0.0
        against, along = (
            float(np.divide(self._slack, side, out=np.full(len(side), np.inf), where=side > 0).min(initial=np.inf))
            for side in (change, -change)
        )
        return against, along
