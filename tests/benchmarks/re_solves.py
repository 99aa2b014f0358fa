"""How long re-solves take, beside the same change made by hand on the solver, and beside solves afresh.

Run ``python -m tests.benchmarks.re_solves``; docs/re-solves.md says what it printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import highspy
import numpy as np

import gwplan as gw
from gwplan.session import Reached
from gwplan.solver.highs import loaded
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import DUAL, PRIMAL, LinearProgram
from gwplan.solver.stages import carried
from tests.benchmarks.mix import REFERENCE, cases, shorter

REPEATS = 5
ALLOWED = 0.030
"""Seconds that a re-solve may take beside twice the solver's own."""

STARTS: dict[str, dict[str, Any]] = {
    "dual, as HiGHS sets it": {},
    "dual, devex": {"simplex_dual_edge_weight_strategy": 1},
    "dual, devex, unperturbed": dict(DUAL),
    "primal, as HiGHS sets it": {"simplex_strategy": 4},
    "primal, unperturbed": dict(PRIMAL),
}
"""Ways to go on from the base's basis."""


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes on one core: other work on the machine counts for little."""
    began = time.process_time()
    work()
    return time.process_time() - began


def by_hand(base: LinearProgram, program: LinearProgram, basis: Any, start: Any) -> float:
    """Return how long bare highspy takes for the change that leads from one program to another.

    Where the shape stays the same the solver holds the base at its optimum, and what differs is changed there; else the
    new program is handed over with the basis that would be carried to it.
    """
    same = base.shape == program.shape and np.array_equal(base.index, program.index)
    highs = loaded(base if same else program, gw.SolveOptions())
    if same:
        highs.setBasis(basis)
        highs.run()
    else:
        highs = loaded(base, gw.SolveOptions())

    def work() -> None:
        nonlocal highs
        if same:
            changed(highs, base, program)
        else:
            highs = loaded(program, gw.SolveOptions())
            if start is not None:
                highs.setBasis(start)
        highs.run()
        solution = highs.getSolution()
        np.array(solution.col_value), np.array(solution.row_dual)

    taken = seconds(work)
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return taken


def changed(highs: Any, base: LinearProgram, program: LinearProgram) -> None:
    """Change the costs, bounds and coefficients that differ."""
    columns = np.flatnonzero(base.cost != program.cost).astype(np.int32)
    highs.changeColsCost(len(columns), columns, program.cost[columns])
    bounds = (base.column_lower != program.column_lower) | (base.column_upper != program.column_upper)
    at = np.flatnonzero(bounds).astype(np.int32)
    highs.changeColsBounds(len(at), at, program.column_lower[at], program.column_upper[at])
    rows = (base.row_lower != program.row_lower) | (base.row_upper != program.row_upper)
    for row in np.flatnonzero(rows).tolist():
        highs.changeRowBounds(row, program.row_lower[row], program.row_upper[row])
    column_of = np.repeat(np.arange(len(base.cost)), np.diff(base.start))
    for entry in np.flatnonzero(base.value != program.value).tolist():
        highs.changeCoeff(int(base.index[entry]), int(column_of[entry]), float(program.value[entry]))


def report(title: str, kinds: Sequence[str], ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> None:
    """Print medians, p95 and ratios by kind of case, and over all."""
    print(f"\n{title}\n{'':12}{'cases':>6}{'median ms':>20}{'p95 ms':>20}{'ratio':>8}")
    for kind in [*dict.fromkeys(kinds), "all"]:
        at = np.array([kind in (k, "all") for k in kinds])
        a, b = ours[at] * 1e3, theirs[at] * 1e3
        middle, high = (f"{f(a):9.0f} / {f(b):6.0f}" for f in (np.median, lambda x: np.percentile(x, 95)))
        print(f"{kind:12}{at.sum():6}{middle:>20}{high:>20}{np.median(a / b):8.2f}")


def against_the_solver() -> None:
    """Compare edit to certified summary with the same change made by hand, on about 16,000 columns."""
    instance = shorter(gw.load(REFERENCE), 37)
    kinds, ours, theirs = [], [], []
    with gw.Session(instance) as session:
        base = session.base
        print(f"{base._program.shape[1]} columns, {base._program.shape[0]} rows, {base.iterations} iterations cold")
        for kind, case in cases(instance):
            answer = session.solve_case(case)
            start = base._solution.basis
            if answer.reached is Reached.REBUILT:
                start = carried(start, base._program, base._laid_out, answer._program, answer._laid_out)
            mine = [seconds(lambda c=case: session.solve_case(c).summary) for _ in range(REPEATS)]  # type: ignore[misc]
            hand = [by_hand(base._program, answer._program, base._solution.basis, start) for _ in range(REPEATS)]
            kinds.append(kind)
            ours.append(np.median(mine))
            theirs.append(np.median(hand))
        print(f"{session.solved} cases solved, {session.cold_again} of them again cold")
    mine_, hand_ = np.array(ours), np.array(theirs)
    report("edit to certified summary / the same change by hand on bare highspy", kinds, mine_, hand_)
    within = mine_ <= 2 * hand_ + ALLOWED
    print(
        f"at most 2 x by hand + 30 ms: {within.sum()} of {len(within)} cases; {mine_.sum():.2f} s in all against ",
        end="",
    )
    print(f"{2 * hand_.sum() + ALLOWED * len(within):.2f} s allowed")


def against_afresh() -> None:
    """Compare what-ifs a second with solves afresh, on the reference instance."""
    instance = gw.load(REFERENCE)
    kinds, ours, theirs = [], [], []
    with gw.Session(instance) as session:
        for kind, case in cases(instance):
            kinds.append(kind)
            ours.append(np.median([seconds(lambda c=case: session.solve_case(c).summary) for _ in range(REPEATS)]))  # type: ignore[misc]
            theirs.append(seconds(lambda c=case: gw.solve(c)))  # type: ignore[misc]
    mine, fresh = np.array(ours), np.array(theirs)
    report("a session's answer / gw.solve afresh, reference instance", kinds, mine, fresh)
    edits = np.array([kind != "what-ifs" for kind in kinds])
    for name, at in (("edits", edits), ("edits and shipped what-ifs", np.ones(len(edits), dtype=bool))):
        rates = at.sum() / mine[at].sum(), at.sum() / fresh[at].sum()
        print(f"{name}: {rates[0]:.1f} a second against {rates[1]:.2f}, {rates[0] / rates[1]:.1f} times as many")


def starts() -> None:
    """Compare ways to go on from the base's basis, in milliseconds and iterations, by what a case changed."""
    instance = gw.load(REFERENCE)
    times: dict[str, dict[str, list[float]]] = {}
    with gw.Session(instance) as session:
        basis = session.base._solution.basis
        for _, case in cases(instance):
            answer = session.solve_case(case)
            if answer.reached in (Reached.UNCHANGED, Reached.REBUILT):
                continue
            row = times.setdefault(str(answer.reached), {})
            row.setdefault("cold, presolved", []).append(run_solver(answer._program, ranges=False).seconds)
            for name, options in STARTS.items():
                found = run_solver(answer._program, gw.SolveOptions(solver=options), basis, ranges=False)
                row.setdefault(name, []).append(found.seconds)
    print(f"\nsolver alone, median ms{'':6}" + "".join(f"{kind:>10}" for kind in times))
    for name in ("cold, presolved", *STARTS):
        print(f"{name:28}" + "".join(f"{1e3 * np.median(row[name]):10.0f}" for row in times.values()))


if __name__ == "__main__":
    against_the_solver()
    against_afresh()
    starts()
