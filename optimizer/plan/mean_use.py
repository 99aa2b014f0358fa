"""Expected mean GW of a pathway in a year: of a plan, and as what a program minimises."""

from __future__ import annotations

import numpy as np

from optimizer.plan.values import Values
from optimizer.solver.program import FloatArray, IntArray, LinearProgram
from optimizer.tree.timeline import Timeline


def year_weights(laid_out: Timeline) -> tuple[IntArray, FloatArray]:
    """Return the years, and each node's weight in a year's expected mean, shape (years, N)."""
    tree = laid_out.data.tree
    of_period = laid_out.calendar.starts().astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.unique(of_period)
    inside = of_period[tree.period] == years[:, None]
    periods = (of_period == years[:, None]).sum(axis=1)
    return years, inside * tree.probability / periods[:, None]


def mean_use(decided: Values, weights: FloatArray) -> FloatArray:
    """Return the expected mean GW by pathway and year, shape (P, years)."""
    # not as a product of matrices, whose threads decide the last digits
    used: FloatArray = np.einsum("pn,yn->py", decided.use, weights)
    return used


def use_cost(laid_out: Timeline, program: LinearProgram, p: int, weight: FloatArray) -> FloatArray:
    """Return the cost that makes a program's objective a pathway's expected mean GW."""
    cost = np.zeros(program.shape[1])
    keys, columns = program.column_keys["allocate"], program.columns["allocate"]
    mine = keys[:, 0] == program.labels.index(laid_out.data.pathways[p])
    cost[columns] = np.where(mine, weight[keys[:, -1]], 0.0)
    return cost
