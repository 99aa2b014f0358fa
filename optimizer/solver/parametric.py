"""Programs on a line: the same matrix, costs and bounds that move evenly with one number, and the bases along it.

With a basis held, the columns and the duals are affine functions of that number. A basis stays optimal up to the value
at which a column leaves its bounds or a dual its sign; a warm solve just beyond gives the next one (parametric simplex,
Gass and Saaty 1955). So every breakpoint is a ratio, not the end of a search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.sparse import csc_matrix, hstack, identity
from scipy.sparse.linalg import splu

from optimizer.catalogue.tolerances import ROUNDING
from optimizer.solver.highs import BASIC, UPPER, basis_codes
from optimizer.solver.highs import solve as run_solver
from optimizer.solver.program import Basis, BoolArray, FloatArray, LinearProgram, Option, SolveOptions, Status
from optimizer.solver.weights import priced

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
