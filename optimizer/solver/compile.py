"""From Pyomo model to matrix, and from new numbers to a new matrix without Pyomo.

Pyomo can keep a rule as one expression over index symbols instead of calling it for every index; `expand` walks that
expression with numpy, over the arrays that sets and parameters were entered as. So the model need not hold them: a
sketch of it, with the rules and one index of each set, takes the same time to build whatever the size of the plan, and
is built once for all plans that have the same sets. Where Pyomo lacks the switches, `from_pyomo` compiles the
ordinary model through Pyomo's own compiler, to the same matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any, Final

import numpy as np
import pyomo.core.base.constraint as constraint_switch
import pyomo.core.base.objective as objective_switch
from numpy.typing import NDArray
from pyomo.core import ConcreteModel, Constraint, Objective, Var, maximize, minimize

from gwplan.models import PlanData, Terms, build, terms
from gwplan.solver.expand import Columnwise, Expansion, Form, Templates
from gwplan.solver.program import BoolArray, FloatArray, IntArray, LinearProgram, totals

MOST_SKETCHES: Final = 32
"""Sketches of models that are kept; each takes some hundred kB, and longer to make than to walk for a small plan."""

_SKETCHED: Final[dict[Hashable, Templates]] = {}
_ALONE: Final = RLock()
"""Pyomo's templates are made with switches and counters of the whole process: one thread at a time."""
_SWITCHES = ((constraint_switch, "TEMPLATIZE_CONSTRAINTS"), (objective_switch, "TEMPLATIZE_OBJECTIVES"))


def templates_available() -> bool:
    """Return whether this Pyomo can keep rules as templates."""
    return all(hasattr(module, name) for module, name in _SWITCHES)


@contextmanager
def templates() -> Iterator[None]:
    """Build models with their rules kept as templates; the one place where Pyomo's undocumented switches are set."""
    before = [getattr(module, name) for module, name in _SWITCHES]
    for module, name in _SWITCHES:
        setattr(module, name, True)
    try:
        yield
    finally:
        for (module, name), value in zip(_SWITCHES, before, strict=True):
            setattr(module, name, value)


def compiled(data: PlanData) -> LinearProgram:
    """Return the linear program of a plan's data."""
    return compile_terms(terms(data)).program


def compile_terms(entered: Terms) -> Compiled:
    """Return the linear program of a plan's sets and parameters, ready to take other numbers."""
    if not templates_available():
        return Compiled(from_pyomo(build(entered), entered), entered)
    with _ALONE:
        return expand(_templates_of(entered), entered)


def _templates_of(entered: Terms) -> Templates:
    """Return the templates of a plan's model: they hold neither its size nor its numbers, so many plans share them."""
    outline = entered.outline
    made = _SKETCHED.get(outline)
    if made is None:
        with templates():
            made = Templates(build(entered, sketch=True))
        while len(_SKETCHED) >= MOST_SKETCHES:
            _SKETCHED.pop(next(iter(_SKETCHED)), None)
        _SKETCHED[outline] = made
    return made


def numbers_of(data: PlanData) -> Callable[[PlanData], LinearProgram | None]:
    """Return what makes programs of other numbers of a plan's data; None of data that have another structure."""
    base = compile_terms(terms(data))

    def program_of(other: PlanData) -> LinearProgram | None:
        entered = terms(other)
        return None if entered.difference(base.terms) else base.with_numbers(entered)

    return program_of


@dataclass
class _Rows:
    """The rows of one constraint, and the parameters that they were computed from."""

    constraint: Constraint
    reads: frozenset[str]
    form: Form
    lower: FloatArray
    upper: FloatArray


@dataclass
class _Walked:
    """What is kept of a walk over a model's templates so that other numbers need not go the whole way again."""

    expansion: Expansion
    constraints: list[_Rows]
    columnwise: Columnwise
    objective: Form
    objective_reads: frozenset[str]


@dataclass
class Compiled:
    """A linear program that can take the numbers of another instance of the same structure."""

    program: LinearProgram  # the program
    terms: Terms  # the sets and parameters that it was compiled from
    _walk: _Walked | None = None

    def with_numbers(self, other: Terms) -> LinearProgram:
        """Return the program of terms with the same structure (see `Terms.difference`), as if compiled anew.

        Only the rules that read a changed parameter are walked again.
        """
        if self._walk is None:
            return compile_terms(other).program
        walk, expansion = self._walk, self._walk.expansion
        changed = {
            name
            for name, (_, values) in self.terms.parameters.items()
            if values is not other.parameters[name][1] and not np.array_equal(values, other.parameters[name][1])
        }
        expansion.parameters = other.parameters
        rows = [_walked(expansion, part.constraint) if part.reads & changed else part for part in walk.constraints]
        objective = _objective(expansion) if walk.objective_reads & changed else walk.objective
        program = replace(
            self.program,
            cost=totals(objective.column, objective.value, len(self.program.cost)),
            offset=float(np.sum(objective.constant)),
            column_upper=_upper(self.program, other),
            node_weight=other.data.least_weight,
        )
        if any(new is not old for new, old in zip(rows, walk.constraints, strict=True)):
            start, index, value = walk.columnwise.compress(np.concatenate([part.form.value for part in rows]))
            lower, upper = (np.concatenate([getattr(part, side) for part in rows]) for side in ("lower", "upper"))
            program = replace(program, start=start, index=index, value=value, row_lower=lower, row_upper=upper)
        return program


def expand(rules: Templates, entered: Terms) -> Compiled:
    """Return the linear program of a plan from the templates of its model."""
    walk = Expansion(rules, entered)
    constraints = [_walked(walk, c) for c in rules.model.component_objects(Constraint, active=True) if walk.count(c)]
    ends = np.cumsum([0, *(len(part.lower) for part in constraints)]).tolist()
    forms = [part.form for part in constraints]
    row = [form.row + first for form, first in zip(forms, ends[:-1], strict=True)]
    columnwise = Columnwise(_joined(row), _joined([form.column for form in forms]), ends[-1], walk.columns)
    start, index, value = columnwise.compress(_joined([form.value for form in forms]))
    objective = _objective(walk)
    reads = frozenset(walk.read)
    lower, upper = _column_bounds(walk, entered)
    program = LinearProgram(
        cost=totals(objective.column, objective.value, walk.columns),
        offset=float(np.sum(objective.constant)),
        column_lower=lower,
        column_upper=upper,
        row_lower=_joined([part.lower for part in constraints]),
        row_upper=_joined([part.upper for part in constraints]),
        start=start,
        index=index,
        value=value,
        columns=_places(walk),
        rows={p.constraint.name: slice(*ends[i : i + 2]) for i, p in enumerate(constraints)},
        column_keys={variable.name: walk.codes(variable) for variable in walk.variables},
        row_keys={part.constraint.name: walk.codes(part.constraint.index_set()) for part in constraints},
        labels=tuple(walk.labels),
        whole=_whole(walk, entered),
        node_weight=entered.data.least_weight,
    )
    return Compiled(program, entered, _Walked(walk, constraints, columnwise, objective, reads))


def _walked(walk: Expansion, constraint: Constraint) -> _Rows:
    walk.read.clear()
    form, lower, upper = walk.rows(constraint)
    return _Rows(constraint, frozenset(walk.read), form, lower, upper)


def _objective(walk: Expansion) -> Form:
    """Return the cost to be minimised: the negative of a worth that is maximised."""
    walk.read.clear()
    objective = next(walk.templates.model.component_objects(Objective, active=True))
    expression, _ = walk.templates.of(objective)
    return walk.form(expression, {}, 1).scaled(1.0 if objective.sense == minimize else -1.0)


def _places(walk: Expansion) -> dict[str, slice]:
    """Return where the columns of each variable stand."""
    first = [*walk.first_column.values(), walk.columns]
    return {v.name: slice(*first[i : i + 2]) for i, v in enumerate(walk.variables)}


def _column_bounds(walk: Expansion, entered: Terms) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of the columns: those that a variable's domain sets, and the upper ones of its terms."""
    lower, upper = np.full(walk.columns, -np.inf), np.full(walk.columns, np.inf)
    for variable, place in zip(walk.variables, _places(walk).values(), strict=True):
        example = next(iter(variable.values()), None)
        if example is not None:
            low, high = example.bounds
            lower[place] = -np.inf if low is None else low
            upper[place] = entered.upper.get(variable.name, np.inf if high is None else high)
    return lower, upper


def _whole(walk: Expansion, entered: Terms) -> BoolArray:
    whole = np.zeros(walk.columns, dtype=bool)
    for name, place in _places(walk).items():
        if name in entered.whole:
            whole[place] = entered.whole[name]
    return whole


def _upper(program: LinearProgram, entered: Terms) -> FloatArray:
    upper = program.column_upper.copy()
    for name, most in entered.upper.items():
        upper[program.columns[name]] = most
    return upper


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def from_pyomo(model: ConcreteModel, entered: Terms) -> LinearProgram:
    """Return the linear program of an ordinary model by Pyomo's own compiler: slower, and independent of templates.

    The tests hold the expansion of templates against it. A variable that no row and no cost speaks of keeps its column,
    and a row that only says what is always true keeps its place, without coefficients or bounds: whoever counts columns
    or rows of a family finds all of them.
    """
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler  # needs scipy, which takes a while

    # The default sense would turn a maximisation round; mixed form keeps one row, with its sign, for each constraint.
    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    objective = next(model.component_objects(Objective, active=True))
    sign = -1.0 if objective.sense == maximize else 1.0
    variables = list(model.component_objects(Var, active=True))
    constraints = [c for c in model.component_objects(Constraint, active=True) if len(c)]
    columns, rows = _stands(variables), _stands(constraints)
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
        node_weight=entered.data.least_weight,
    )


def _stands(components: list[Any]) -> dict[str, slice]:
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
