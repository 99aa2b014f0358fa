"""A program cut into futures, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gwplan.solver.cuts import Blocks, blocks, composed
from gwplan.solver.highs import basis_of
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import LinearProgram, SolveOptions

NONE = np.empty(0)


def shell(most: float) -> LinearProgram:
    """Return min 2.5 x + y + z with x <= 2 decided first; then x + y >= 2.5, or x + z >= 2.2, y and z up to a limit."""
    return LinearProgram(
        cost=np.array([2.5, 1.0, 1.0]), offset=0.0, column_lower=np.zeros(3), column_upper=np.array([2.0, most, most]),
        row_lower=np.array([2.5, 2.2]), row_upper=np.full(2, np.inf), start=np.array([0, 2, 3, 4]),
        index=np.array([0, 1, 0, 1]), value=np.ones(4), columns={"x": slice(0, 1), "y": slice(1, 3)},
        rows={"need": slice(0, 2)}, column_keys={"x": np.empty((0, 0), dtype=int), "y": np.array([[0], [1]])},
        row_keys={"need": np.array([[0], [1]])}, labels=(), whole=np.zeros(3, dtype=bool), node_weight=NONE,
    )  # fmt: skip


@pytest.mark.parametrize(("most", "cost"), [(3.0, 4.7), (1.0, 5.45), (0.6, 5.65)])
def test_futures_say_what_they_cost_and_what_they_forbid(most: float, cost: float) -> None:
    """A GW now costs 2.5 and saves 1 in each of two futures, which forbid fewer than what they lack themselves."""
    program = shell(most)
    at = Blocks(np.array([-1, 0, 1]), np.array([0, 1]))
    start = basis_of(np.zeros(3, dtype=np.int8), np.ones(2, dtype=np.int8))
    cut = composed(program, at, start, np.array([2.0, 0.0, 0.0]), SolveOptions())
    assert cut is not None and cut.rounds > 1
    whole = run_solver(program, SolveOptions(), cut.basis)
    assert float(program.cost @ whole.columns) == pytest.approx(cost)
    assert whole.iterations <= 1


def test_no_start_is_made_where_a_future_has_no_plan() -> None:
    """What was decided on a smaller tree may leave a future without a plan: then the tree is solved another way."""
    at = Blocks(np.array([-1, 0, 1]), np.array([0, 1]))
    start = basis_of(np.zeros(3, dtype=np.int8), np.ones(2, dtype=np.int8))
    assert composed(shell(0.6), at, start, np.zeros(3), SolveOptions()) is None


def test_rows_that_two_futures_share_cannot_be_cut() -> None:
    """A limit over what is decided in different futures, which no tree has, would be lost without a word."""
    program = shell(3.0)
    assert blocks(program, np.array([0, 1])) is not None
    shared = replace(program, index=np.array([0, 1, 0, 0]))
    assert blocks(shared, np.array([0, 1])) is None
