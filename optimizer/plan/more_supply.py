"""What more of a pool, or a looser limit, adds at sizes that people ask for, each re-solved; and up to which it pays.

A marginal value holds for the next few MW. Here GW of a pool are there all through a year, in every scenario alike, at
the average price of the pool's contracts in that year, and the plan is made anew around them; and limits that cost most
are looser by some GW wherever they are stated, which costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.limits import PRICED, Limit
from gwplan.catalogue.plan_tables import COLUMNS
from gwplan.catalogue.tolerances import KILOWATT, ROUNDING, THOUSAND_DOLLARS
from gwplan.errors import SolverError
from gwplan.plan.marginals import row_name
from gwplan.plan.tables import year_weights
from gwplan.plan.values import Values, values
from gwplan.solver.certify import certify
from gwplan.solver.highs import LOWER, basis_codes, basis_of
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import (
    DUAL,
    PERTURBED_PRIMAL,
    RANGED_COLUMNS,
    Basis,
    FloatArray,
    IntArray,
    LinearProgram,
    Solution,
    SolveOptions,
    Status,
    with_columns,
)
from gwplan.tree.timeline import Timeline

SIZES_GW: Final = (0.01, 0.1, 0.25, 1.0)
"""Sizes that are re-solved, the smallest being the next step that anybody buys."""

MOST_LIMITS: Final = 5
"""Limits that are looser, those that cost most."""

MOST_WORK: Final = 400_000
"""Columns times pools and years beyond which to solve again would take longer than the plan itself."""


def more_supply(laid_out: Timeline, program: LinearProgram, solution: Solution, *, worked_out: str) -> pd.DataFrame:
    """Return what more of each pool adds in each year, at each of `SIZES_GW` and at the size that adds most.

    `worked_out` says for what: ``all``; ``dearest``, the pool with the highest price in the first whole year (or the
    first), and only the size that adds most; or blank for nothing.
    """
    rows: list[dict[str, Any]] = []
    if worked_out and solution.status is Status.OPTIMAL and not program.whole.any():
        decided = values(program, laid_out.data, solution.columns)
        years, weights = year_weights(laid_out)
        places = list(_priced(laid_out, decided, weights))
        if worked_out == "dearest":
            places = _dearest(laid_out, years, places) if program.shape[1] <= RANGED_COLUMNS else []
        if len(places) * program.shape[1] <= MOST_WORK:
            for q, y, price in places:
                asked = _Asked.of_pool(laid_out, program, solution, q, weights[y] > 0, price)
                at = {"pool": laid_out.data.pools[q], "year": int(years[y]), "price_bn_per_gw_year": price}
                rows += [{**at, **row} for row in asked.rows(SIZES_GW if worked_out == "all" else ())]
    return pd.DataFrame(rows, columns=list(COLUMNS["more_supply"]))


def looser_limits(laid_out: Timeline, program: LinearProgram, solution: Solution, *, worked_out: str) -> pd.DataFrame:
    """Return what the limits that cost most add when looser, at each of `SIZES_GW` and where looser adds no more.

    Worked out where `more_supply` is for ``all``.
    """
    rows: list[dict[str, Any]] = []
    known = solution.status is Status.OPTIMAL and not program.whole.any() and len(solution.row_duals)
    if worked_out == "all" and known and MOST_LIMITS * program.shape[1] <= MOST_WORK:
        for (name, of), at in _costliest(program, solution.row_duals):
            relaxing = np.concatenate([np.full(len(where), limit.sign) for limit, where in at])
            where = np.concatenate([where for _, where in at])
            # what adds less than a thousand dollars a GW is not asked for
            asked = _Asked(program, solution, where, -relaxing, THOUSAND_DOLLARS, 1.0)
            rows += [
                {"limit": name, "name": of, **{key: row[key] for key in ("size_gw", "gain_bn", "step")}}
                for row in asked.rows(SIZES_GW)
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS["looser_limits"]))


def _costliest(
    program: LinearProgram, row_duals: FloatArray
) -> list[tuple[tuple[str, str], list[tuple[Limit, IntArray]]]]:
    """Return name and owner of the limits whose duals add up to most, each with the places of its rows."""
    stated: dict[tuple[str, str], list[tuple[Limit, IntArray]]] = {}
    worth: dict[tuple[str, str], float] = {}
    for row, limit in PRICED.items():
        if limit.ask and row in program.rows:
            keys = program.row_keys[row]
            for owner in np.unique(keys[:, :-1], axis=0):
                at = program.rows[row].start + np.flatnonzero((keys[:, :-1] == owner).all(axis=1))
                key = limit.name, row_name(program.labels, [*owner.tolist(), -1])
                stated.setdefault(key, []).append((limit, at))
                worth[key] = worth.get(key, 0.0) + float(np.maximum(limit.sign * row_duals[at], 0.0).sum())
    costly = sorted((key for key in worth if worth[key] > THOUSAND_DOLLARS), key=lambda key: -worth[key])
    return [(key, stated[key]) for key in costly[:MOST_LIMITS]]


def _priced(laid_out: Timeline, decided: Values, weights: FloatArray) -> Iterator[tuple[int, int, float]]:
    """Yield pools and years with their average contract price, $bn per GW-year, where any of the pool is in service."""
    data = laid_out.data
    bought = ~data.sold[:, None]
    gw = data.in_pools(bought * decided.in_service) @ weights.T
    bill = data.in_pools(bought * decided.bill) @ weights.T
    for q, y in np.argwhere(gw > ROUNDING).tolist():
        yield q, y, float(bill[q, y] / gw[q, y])


def _dearest(laid_out: Timeline, years: IntArray, places: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    of_year = np.array([int(str(day)[:4]) for day in laid_out.calendar.starts()])
    whole = [y for y, year in enumerate(years.tolist()) if (of_year == year).sum() * laid_out.data.dt > 1 - ROUNDING]
    first = [place for place in places if place[1] == (whole or [0])[0]]
    return [max(first, key=lambda place: place[2])] if first else []


class _Asked:
    """Rows of a program whose bounds are to move, up by 1 or down by -1 for each GW, and what a GW costs, $bn."""

    def __init__(
        self, program: LinearProgram, solution: Solution, at: IntArray, way: FloatArray, cost: float, years: float
    ) -> None:
        self._program, self._solution = program, solution
        self._at, self._way, self._cost, self._years = at, way, cost, years

    @classmethod
    def of_pool(
        cls, laid_out: Timeline, program: LinearProgram, solution: Solution, q: int, nodes: Any, price: float
    ) -> _Asked:
        """Return more of a pool all through some nodes, at a price in $bn per GW-year."""
        data, tree = laid_out.data, laid_out.data.tree
        keys, at = program.row_keys["balance"], program.rows["balance"]
        mine = (keys[:, 0] == program.labels.index(data.pools[q])) & nodes[keys[:, 1]]
        balance = at.start + np.flatnonzero(mine)
        # every scenario pays the same, so that aversion weighs it like any other sum
        years = float((tree.probability * data.node_discount * data.dt)[nodes].sum())
        return cls(program, solution, balance, np.ones(len(balance)), price * years, years)

    def rows(self, sizes: tuple[float, ...]) -> Iterator[dict[str, Any]]:
        """Yield what each size adds, and the size that adds most."""
        basis = self._solution.basis
        for size in sizes:
            lower, upper = self._program.row_lower.copy(), self._program.row_upper.copy()
            lower[self._at] += size * self._way
            upper[self._at] += size * self._way
            gain, basis, _ = self._gain(replace(self._program, row_lower=lower, row_upper=upper), basis, DUAL)
            yield self._row(size, gain - self._cost * size, step="asked")
        bought = with_columns(self._program, [self._at], [-self._way], np.array([self._cost]))
        start = self._solution.basis
        if start is not None:
            column_codes, row_codes = basis_codes(start)
            start = basis_of(np.append(column_codes, np.int8(LOWER)), row_codes)
        gain, _, columns = self._gain(bought, start, PERTURBED_PRIMAL)
        size = float(columns[-1]) if len(columns) else np.inf
        yield self._row(size if size > KILOWATT else 0.0, gain if size > KILOWATT else 0.0, step="best")

    def _row(self, size: float, gain_bn: float, *, step: str) -> dict[str, Any]:
        gross = (gain_bn / size + self._cost) / self._years if size and np.isfinite(size) else np.nan
        return {"size_gw": size, "worth_bn_per_gw_year": gross, "gain_bn": gain_bn, "step": step}

    def _gain(self, program: LinearProgram, basis: Basis | None, way: Any) -> tuple[float, Basis | None, FloatArray]:
        """Return what a program adds to the plan's worth, $bn; without end where no columns are returned.

        A warm answer that does not prove optimal is solved again cold.
        """
        for start, solver in ((basis, way), (None, {})):
            solved = run_solver(program, SolveOptions(solver=solver), start, ranges=False)
            if solved.status is Status.OPTIMAL:
                proof = certify(program, solved.columns, solved.row_duals, solved.light_duals)
                if proof.optimal:
                    before = float(np.sum(self._program.cost * self._solution.columns)) + self._program.offset
                    return before - proof.objective, solved.basis, solved.columns
        if solved.status is Status.UNBOUNDED:
            return np.inf, None, np.empty(0)
        raise SolverError(f"more of a pool than is delivered has no proved plan: {solved.message}")
