"""From Pyomo model to matrix through Pyomo's own compiler: slower, and independent of templates.

It is what plans are compiled with where Pyomo lacks the switches that `optimizer.solver.compile` needs, and what the
tests hold the expansion of templates against. Pyomo's compiler is what needs scipy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.core import ConcreteModel, Constraint, Objective, Var, maximize
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from models.terms import Terms
from optimizer.solver.expand import Columnwise, Expansion, Templates
from optimizer.solver.program import FloatArray, IntArray, LinearProgram


def from_pyomo(model: ConcreteModel, entered: Terms) -> LinearProgram:
    """Return the linear program of an ordinary model.

    A variable that no row and no cost speaks of keeps its column, and a row that only says what is always true keeps
    its place, without coefficients or bounds: whoever counts columns or rows of a family finds all of them.
    """
    # The default sense would turn a maximisation round; mixed form keeps one row, with its sign, for each constraint.
    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    objective = next(model.component_objects(Objective, active=True))
    sign = -1.0 if objective.sense == maximize else 1.0
    variables = list(model.component_objects(Var, active=True))
    constraints = [c for c in model.component_objects(Constraint, active=True) if len(c)]
    columns, rows = _places(variables), _places(constraints)
    held = {id(data): place for place, data in enumerate(v for variable in variables for v in variable.values())}
    column_of = np.array([held[id(variable)] for variable in form.columns], dtype=np.int64)
    cost = np.zeros(len(held))
    cost[column_of] = sign * form.c.toarray()[0]
    bounds = np.array([v.bounds for variable in variables for v in variable.values()], dtype=float).reshape(-1, 2)
    row_of, lower, upper = _rows(form, constraints)
    matrix = form.A.tocoo()
    once = _first(row_of)[matrix.row]
    row, column = row_of[matrix.row][once], column_of[matrix.col][once]
    start, index, value = Columnwise(row, column, len(lower), len(held)).compress(matrix.data[once])
    codes = Expansion(Templates(model), entered)
    return LinearProgram(
        cost=cost,
        offset=sign * float(form.c_offset[0]),
        column_lower=np.where(np.isnan(bounds[:, 0]), -np.inf, bounds[:, 0]),
        column_upper=np.where(np.isnan(bounds[:, 1]), np.inf, bounds[:, 1]),
        row_lower=lower,
        row_upper=upper,
        start=start,
        index=index,
        value=value,
        columns=columns,
        rows=rows,
        column_keys={variable.name: codes.codes(variable) for variable in variables},
        row_keys={constraint.name: codes.codes(constraint.index_set()) for constraint in constraints},
        labels=tuple(codes.labels),
        whole=np.array([v.is_integer() for variable in variables for v in variable.values()], dtype=bool),
    )


def _places(components: list[Any]) -> dict[str, slice]:
    """Return where each component stands when their elements are put one after another."""
    ends = np.cumsum([0, *map(len, components)]).tolist()
    return {c.name: slice(first, end) for c, first, end in zip(components, ends[:-1], ends[1:], strict=True)}


def _rows(form: Any, constraints: list[Constraint]) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the place of each compiled row among the model's, and the model's rows' bounds."""
    held = {id(data): place for place, data in enumerate(c for constraint in constraints for c in constraint.values())}
    place = np.array([held[id(row.constraint)] for row in form.rows], dtype=np.int64)
    bound = np.array([row.bound_type for row in form.rows], dtype=np.int64)
    limit = np.array(form.rhs, dtype=float)
    lower, upper = np.full(len(held), -np.inf), np.full(len(held), np.inf)
    lower[place[bound <= 0]] = limit[bound <= 0]
    upper[place[bound >= 0]] = limit[bound >= 0]
    return place, lower, upper


def _first(place: IntArray) -> NDArray[np.bool_]:
    """Return which compiled rows are the first of their place: a row with two bounds is compiled twice."""
    first = np.zeros(len(place), dtype=bool)
    first[np.unique(place, return_index=True)[1]] = True
    return first
