"""How firm a plan is, from its optimal basis: what every other split by pathway and year loses at least.

Where the price of a pathway's GW in a year may rise by r before the plan changes, every plan that gives it one GW less
in that year loses at least r, however it is made up: the best plan, at the raised price, is still best. So these
figures are sure; how far a split may really move within a given loss is what `gwplan alternatives` solves for.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.plan.mean_use import use_cost, year_weights
from optimizer.solver.directions import Directions
from optimizer.solver.program import FloatArray, LinearProgram
from optimizer.solver.solution import Solution, Status
from optimizer.tree.timeline import Timeline

LEAST_LOSS = 1e-9
"""$bn per GW below which a loss is none."""


def firmness(laid_out: Timeline, program: LinearProgram, solution: Solution, *, worked_out: bool) -> pd.DataFrame:
    """Return what another split loses at least, by pathway, in the first period and in each year.

    Parameters
    ----------
    laid_out, program, solution : Timeline, LinearProgram, Solution
        What was planned for, and its certified solution.
    worked_out : bool
        Whether to work it out; else it is blank, as it is with whole numbers.

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
    return 0.0 if loss <= LEAST_LOSS else loss
