"""How firm a plan is: how far the split may move while worth stays nearly best, and nearly best plans that differ most.

The method is the variable minimisation and maximisation of modelling to generate alternatives (Brill 1979; compared by
Lau, Patankar and Jenkins 2024): worth is held within a distance of the best, and each pathway's GW in each year is made
as small and as large as can be. Each of these extremes is a plan; those farthest apart are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import KILOWATT, ROUNDING
from gwplan.errors import SolverError
from gwplan.plan.tables import mean_use, use_cost, year_weights
from gwplan.plan.values import values
from gwplan.solver.certify import certify
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.highs import with_slack_row
from gwplan.solver.parametric import Directions
from gwplan.solver.program import PRIMAL, Basis, FloatArray, LinearProgram, Solution, SolveOptions, Status
from gwplan.tree.timeline import Timeline

MOST_PLANS = 3


@dataclass(frozen=True)
class Alternatives:
    """How far plans may differ that are nearly best."""

    within: float  # share of the best plan's worth that a plan may lack
    best_bn: float  # worth of the best plan, and what each plan is worth at the least, $bn
    least_bn: float
    # one row per pathway and year: `pathway`, `year`, and expected mean GW of the best plan (`best_gw`), the least
    # (`least_gw`) and the most (`most_gw`) among nearly best plans
    ranges: pd.DataFrame
    plans: pd.DataFrame  # one row per plan, pathway and year: `plan` (what it makes extreme), `pathway`, `year`, `gw`


def alternatives(
    laid_out: Timeline,
    program: LinearProgram,
    best: Solution,
    within: float,
    options: SolveOptions,
    tell: Callable[[str], None] = lambda stage: None,
) -> Alternatives:
    """Return how far each pathway's GW in each year may move among plans within a distance of the best.

    Parameters
    ----------
    laid_out, program : Timeline, LinearProgram
        What was planned for.
    best : Solution
        The best plan. Every extreme is sought from its basis, by the primal simplex, since it is a plan that keeps the
        distance: so no extreme depends on another one, and each takes a fraction of a cold solve.
    within : float
        Share of worth that a plan may lack, as 0.01.
    options : SolveOptions
        How to solve.
    tell : callable
        Told what is being worked out.

    Raises
    ------
    SolverError
        If a plan that must exist is not found, or does not prove extreme.
    """
    objective = (
        float(np.sum(program.cost * best.columns)) + program.offset
    )  # not `@`: its threads decide the last digits
    most = objective + within * abs(objective)
    held = _held(program, most)
    years, weights = year_weights(laid_out)
    start = None if best.basis is None or program.whole.any() else with_slack_row(best.basis)
    nearby: list[tuple[str, FloatArray]] = []
    rows = []
    data = laid_out.data
    now = mean_use(values(program, data, best.columns), weights)
    for p, pathway in enumerate(data.pathways):
        for y, year in enumerate(years.tolist()):
            tell(f"{pathway} {year}")
            extreme = []
            for sign, name in ((1.0, "least"), (-1.0, "most")):
                cost = sign * use_cost(laid_out, program, p, weights[y])
                columns = _extreme(replace(held, cost=cost, offset=0.0), options, start)
                use = mean_use(values(program, data, columns), weights)
                nearby.append((f"{name} {pathway} in {year}", use))
                extreme.append(float(use[p, y]))
            rows.append((pathway, year, float(now[p, y]), extreme[0], extreme[1]))
    ranges = pd.DataFrame(rows, columns=["pathway", "year", "best_gw", "least_gw", "most_gw"])
    plans = [("best", now), *_apart(now, nearby)]
    parts = [
        (name, pathway, year, float(use[p, y]))
        for name, use in plans
        for p, pathway in enumerate(data.pathways)
        for y, year in enumerate(years.tolist())
    ]
    table = pd.DataFrame(parts, columns=["plan", "pathway", "year", "gw"])
    return Alternatives(within, -objective, -most, ranges, table)


def _held(program: LinearProgram, most: float) -> LinearProgram:
    """Return the program with a row more: its objective is at most so much."""
    columns = np.repeat(np.arange(program.shape[1]), np.diff(program.start))
    costly = np.flatnonzero(program.cost)
    column = np.concatenate([columns, costly])
    order = np.argsort(column, kind="stable")
    index = np.concatenate([program.index, np.full(len(costly), program.shape[0])])[order]
    value = np.concatenate([program.value, program.cost[costly]])[order]
    start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=program.shape[1]))]).astype(np.int64)
    return replace(
        program,
        start=start,
        index=index,
        value=value,
        row_lower=np.append(program.row_lower, -np.inf),
        row_upper=np.append(program.row_upper, most - program.offset),
        node_weight=np.empty(0),
    )


def _extreme(program: LinearProgram, options: SolveOptions, start: Basis | None) -> FloatArray:
    """Return an optimum that proves to be one, from a basis if that helps, else cold."""
    whole = bool(program.whole.any())
    warm = replace(options, solver={**PRIMAL, **options.solver})
    for basis, settings in [(start, warm), (None, options)] if start is not None else [(None, options)]:
        solution = run_solver(program, settings, basis, ranges=False)
        if solution.status is Status.OPTIMAL:
            certificate = certify(program, solution.columns, np.empty(0) if whole else solution.row_duals)
            if certificate.feasible if whole else certificate.optimal:
                return solution.columns
    raise SolverError(f"no proved extreme among the nearly best plans: {solution.message}")


def _apart(now: FloatArray, plans: list[tuple[str, FloatArray]]) -> Iterator[tuple[str, FloatArray]]:
    """Yield a few plans, each the one farthest (GW, summed over pathways and years) from those before it."""
    chosen = [now]
    for _ in range(MOST_PLANS):
        distance = [min(float(np.abs(use - other).sum()) for other in chosen) for _, use in plans]
        if not distance or max(distance) < KILOWATT:
            return
        name, use = plans[int(np.argmax(distance))]
        chosen.append(use)
        yield name, use


def firmness(laid_out: Timeline, program: LinearProgram, solution: Solution, *, worked_out: bool) -> pd.DataFrame:
    """Return what another split loses at least, by pathway, in the first period and in each year.

    Returns
    -------
    pandas.DataFrame
        `pathway`, `when` (``first`` or the year), and $bn of worth that each GW less and each GW more of expected mean
        use in that time loses at least: `less_loses_bn_per_gw`, `more_loses_bn_per_gw`; 0 where another split may be
        worth as much, infinite where no plan has less, or more.
    """
    able = worked_out and solution.status is Status.OPTIMAL and solution.basis is not None and not program.whole.any()
    directions = Directions(program, solution) if able else None
    rows = []
    for p, pathway in enumerate(laid_out.data.pathways):
        for when, weight in _times(laid_out):
            more, less = directions.reach(use_cost(laid_out, program, p, weight)) if directions else (np.nan, np.nan)
            rows.append((pathway, when, _told(less), _told(more)))
    return pd.DataFrame(rows, columns=["pathway", "when", "less_loses_bn_per_gw", "more_loses_bn_per_gw"])


def _times(laid_out: Timeline) -> list[tuple[str, FloatArray]]:
    """Return the first period and each year, with every node's weight in its expected mean."""
    tree = laid_out.data.tree
    years, weights = year_weights(laid_out)
    first = np.where(tree.period == 0, tree.probability, 0.0)
    return [("first", first), *zip(map(str, years.tolist()), weights, strict=True)]


def _told(loss: float) -> float:
    return 0.0 if loss <= ROUNDING else loss
