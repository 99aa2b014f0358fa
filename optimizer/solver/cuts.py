"""A tree cut at its first reveal: what is decided before is found from what each outcome's future makes of it.

The L-shaped method (Van Slyke and Wets 1969) with a box as trust region (Linderoth and Wright 2003): a master program
holds what stands before the reveal and, for each outcome, the worst that its future may cost according to the cuts so
far; each future is a program of its own, whose costs move with what was decided before by its reduced costs. The bases
at the end, put together, are a start from which the whole program is a few iterations from its optimum.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gwplan.catalogue.tolerances import FEASIBLE, ROUNDING
from gwplan.solver.highs import LOWER, Kept, basis_codes, basis_of
from gwplan.solver.program import Basis, FloatArray, IntArray, LinearProgram, SolveOptions, part_of, with_columns

MOST_ROUNDS: Final = 40

BOX: Final = 0.05
"""How far the first round may move what is decided before the reveal: GW, shares, $bn."""

LEAST_COST: Final = -1e9
"""What a future may cost at the least before its first cut, $bn."""


@dataclass(frozen=True)
class Blocks:
    """Where columns and rows of a program stand: in the future of an outcome by its number, before the reveal -1."""

    column: IntArray
    row: IntArray


def blocks(program: LinearProgram, outcome: IntArray) -> Blocks | None:
    """Return the blocks of a program whose nodes know an outcome (N,), -1 none; None where futures share a row."""
    column = np.full(program.shape[1], -1)
    for name, place in program.columns.items():
        if len(program.column_keys[name]):
            column[place] = outcome[program.column_keys[name][:, -1]]
    of_entry = np.repeat(column, np.diff(program.start))
    row, least = np.full(program.shape[0], -1), np.full(program.shape[0], np.iinfo(np.int64).max)
    np.maximum.at(row, program.index, of_entry)
    later = of_entry >= 0
    np.minimum.at(least, program.index[later], of_entry[later])
    return Blocks(column, row) if (least[row >= 0] == row[row >= 0]).all() else None


@dataclass
class _Future:
    """One outcome's program, in which what was decided before is fixed."""

    columns: IntArray  # places of its own columns in the whole program
    rows: IntArray
    before: IntArray  # places of the columns before the reveal that it meets
    kept: Kept

    def costs(self, decided: FloatArray) -> tuple[float, FloatArray] | None:
        """Return what it costs and how that moves with each decision before it; None where it has no plan."""
        at = decided[self.before]
        self.kept.bound(np.arange(len(self.before)) + len(self.columns), at, at)
        if not self.kept.solve():
            return None
        return self.kept.objective, self.kept.reduced_costs[len(self.columns) :]

    def forbids(self, decided: FloatArray) -> tuple[FloatArray, float, float] | None:
        """Return why it has no plan: coefficients of what is decided before, and the least and most of their sum."""
        ray = self.kept.ray()
        if ray is None:
            return None
        program, own = self.kept.program, len(self.columns)
        ray[np.abs(ray) < ROUNDING * np.abs(ray).max(initial=0.0)] = 0.0
        slope = program.transposed_times(ray)
        slope[np.abs(slope) < ROUNDING * np.abs(slope).max(initial=0.0)] = 0.0
        low, high = _span(slope[:own], program.column_lower[:own], program.column_upper[:own])
        least, most = _span(ray, program.row_lower, program.row_upper)
        at = float(np.sum(slope[own:] * decided[self.before]))
        if at + high < least:
            return slope[own:], least - high, np.inf
        return (slope[own:], -np.inf, most - low) if at + low > most else None


def _span(factor: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[float, float]:
    """Return the least and the most that a sum of bounded amounts can be."""
    some = factor != 0
    ends = np.stack([factor[some] * lower[some], factor[some] * upper[some]])
    return float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())


@dataclass(frozen=True)
class Composed:
    """A start for the whole program, and what it took."""

    basis: Basis
    rounds: int
    iterations: int


def composed(
    program: LinearProgram, at: Blocks, start: Basis, decided: FloatArray, options: SolveOptions
) -> Composed | None:
    """Return a basis that is nearly optimal for a program cut into the futures of its outcomes.

    Parameters
    ----------
    program, at : LinearProgram, Blocks
        The whole, and where it is cut.
    start : Basis
        Where the programs begin.
    decided : (n,) float array
        What was decided before the reveal on a smaller tree, in the unit of each column; other columns are not read.
    options : SolveOptions
        Time that is left, options of the solver.

    Returns
    -------
    Composed or None
        None where a future allows no plan after those decisions, or time is over.

    Raises
    ------
    KeyboardInterrupt
        If the user ends it.
    """
    began, (columns, rows) = time.perf_counter(), basis_codes(start)
    before = np.flatnonzero(at.column < 0)
    futures = [_future(program, at, number, columns, rows, options) for number in np.unique(at.row[at.row >= 0])]
    meets = np.unique(np.concatenate([future.before for future in futures]))
    master = _master(program, at, before, len(futures), columns, rows, options)
    place = np.full(program.shape[1], -1)
    place[before] = np.arange(len(before))
    lower, upper = program.column_lower[meets], program.column_upper[meets]
    best, worth, box, rounds = np.clip(decided, program.column_lower, program.column_upper), np.inf, BOX, 0
    tried, foreseen, inside = best, -np.inf, True
    while rounds < MOST_ROUNDS:
        costs = [future.costs(tried) for future in futures]
        if options.time_limit is not None and time.perf_counter() - began > options.time_limit:
            return None
        cost = float(np.sum(program.cost[before] * tried[before]))
        if all(costs):
            cost += sum(answer[0] for answer in costs if answer)
        for number, (future, answer) in enumerate(zip(futures, costs, strict=True)):
            cut = _cut(future, answer, tried)
            if cut is None:
                return None
            factors, least, most = cut
            theta = [len(before) + number] if answer else []
            master.add_row([*place[future.before], *theta], [*factors, *[1.0] * len(theta)], least, most)
        if not all(costs):
            if not np.isfinite(worth):
                return None
        else:
            gained = (worth - cost) / (worth - foreseen) if np.isfinite(foreseen) and worth > foreseen else 1.0
            if gained > 0.5 and not inside:
                box *= 3
            elif gained < -1:
                box /= min(-gained, 4.0)
            if cost < worth:
                best, worth = tried, cost
        master.bound(place[meets], np.maximum(lower, best[meets] - box), np.minimum(upper, best[meets] + box))
        rounds += 1
        if not master.solve():
            return None
        foreseen, point = master.objective, master.columns[: len(before)]
        moved = np.abs(point[place[meets]] - best[meets])
        inside = bool((moved < box * (1 - FEASIBLE)).all())
        if worth - foreseen <= ROUNDING * (1 + abs(worth)):
            if inside:
                break
            box *= 10
        again, tried = tried, best.copy()
        tried[before] = point
        if np.array_equal(again, tried):  # no cut can tell more of it
            break
    return Composed(
        _joined(program, at, before, master, futures),
        rounds,
        sum(kept.iterations for kept in (master, *(future.kept for future in futures))),
    )


def _cut(
    future: _Future, answer: tuple[float, FloatArray] | None, tried: FloatArray
) -> tuple[FloatArray, float, float] | None:
    """Return a row of the master: factors of what is decided before, and the least and most of the sum."""
    if answer is None:
        return future.forbids(tried)
    cost, slope = answer
    return -slope, cost - float(np.sum(slope * tried[future.before])), np.inf


def _future(
    program: LinearProgram,
    at: Blocks,
    number: int,
    columns: NDArray[np.int8],
    rows: NDArray[np.int8],
    options: SolveOptions,
) -> _Future:
    mine, own = np.flatnonzero(at.row == number), np.flatnonzero(at.column == number)
    of_entry = np.repeat(np.arange(program.shape[1]), np.diff(program.start))
    met = np.unique(of_entry[(at.row[program.index] == number) & (at.column[of_entry] < 0)])
    part = part_of(program, np.concatenate([own, met]), mine)
    part.cost[len(own) :] = 0.0  # the master counts it
    basis = basis_of(np.append(columns[own], np.full(len(met), LOWER, dtype=np.int8)), rows[mine])
    return _Future(own, mine, met, Kept(part, options, basis))


def _master(
    program: LinearProgram,
    at: Blocks,
    before: IntArray,
    futures: int,
    columns: NDArray[np.int8],
    rows: NDArray[np.int8],
    options: SolveOptions,
) -> Kept:
    """Return the program of what is decided before the reveal, with a column more for what each future costs."""
    mine = np.flatnonzero(at.row < 0)
    part = with_columns(
        part_of(program, before, mine), [mine[:0]] * futures, [program.cost[:0]] * futures, np.ones(futures)
    )
    part.column_lower[len(before) :] = LEAST_COST
    basis = basis_of(np.append(columns[before], np.full(futures, LOWER, dtype=np.int8)), rows[mine])
    return Kept(part, options, basis)


def _joined(program: LinearProgram, at: Blocks, before: IntArray, master: Kept, futures: list[_Future]) -> Basis:
    """Return the basis of the whole that the bases of its parts make."""
    columns, rows = (np.zeros(size, dtype=np.int8) for size in program.shape[::-1])
    of_columns, of_rows = master.codes()
    columns[before], rows[at.row < 0] = of_columns[: len(before)], of_rows[: int((at.row < 0).sum())]
    for future in futures:
        of_columns, of_rows = future.kept.codes()
        columns[future.columns], rows[future.rows] = of_columns[: len(future.columns)], of_rows
    return basis_of(columns, rows)
