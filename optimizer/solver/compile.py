"""From Pyomo model to matrix, and from new numbers to a new matrix without Pyomo.

Pyomo can keep a rule as one expression over index symbols instead of calling it for every index; `expand` walks that
expression with numpy, over the arrays that sets and parameters were entered as. So the model need not hold them: a
sketch of it, with the rules and one index of each set, takes the same time to build whatever the size of the plan, and
is built once for all plans that have the same sets. Where Pyomo lacks the switches, `compile_pyomo` compiles the
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
from pyomo.core import Constraint, Objective, minimize

from models import PlanData, Terms, build, terms
from optimizer.solver.expand import Columnwise, Expansion, Form, Templates
from optimizer.solver.program import BoolArray, FloatArray, LinearProgram, totals

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
        from optimizer.solver.compile_pyomo import from_pyomo

        program: LinearProgram = from_pyomo(build(entered), entered)
        return Compiled(program, entered)
    with _ALONE:
        return expand(_templates_of(entered), entered)


def _templates_of(entered: Terms) -> Templates:
    """Return the templates of a plan's model: they hold neither its size nor its numbers, so many plans share them."""
    outline = entered.outline
    found = _SKETCHED.get(outline)
    if found is None:
        with templates():
            found = Templates(build(entered, sketch=True))
        while len(_SKETCHED) >= MOST_SKETCHES:
            _SKETCHED.pop(next(iter(_SKETCHED)), None)
        _SKETCHED[outline] = found
    return found


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
class _Walk:
    """What is kept of a walk over a model's templates so that other numbers need not go the whole way again."""

    expansion: Expansion
    constraints: list[_Rows]
    columnwise: Columnwise
    objective: Form
    objective_reads: frozenset[str]


@dataclass
class Compiled:
    """A linear program that can take the numbers of another instance of the same structure.

    Attributes
    ----------
    program : LinearProgram
        The program.
    terms : Terms
        The sets and parameters that it was compiled from.
    """

    program: LinearProgram
    terms: Terms
    _walk: _Walk | None = None

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
        )
        if any(new is not old for new, old in zip(rows, walk.constraints, strict=True)):
            start, index, value = walk.columnwise.compress(np.concatenate([part.form.value for part in rows]))
            lower, upper = (np.concatenate([getattr(part, side) for part in rows]) for side in ("lower", "upper"))
            program = replace(program, start=start, index=index, value=value, row_lower=lower, row_upper=upper)
        return program


def expand(rules: Templates, entered: Terms) -> Compiled:
    """Return the linear program of a plan from the templates of its model.

    Raises
    ------
    TemplateError
        If a rule is not a linear template.
    """
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
    )
    return Compiled(program, entered, _Walk(walk, constraints, columnwise, objective, reads))


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
