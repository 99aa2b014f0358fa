"""From Pyomo model to matrix: each rule is written once as a template and expanded over arrays of indices.

Pyomo can keep a rule as one expression over index symbols instead of calling it for every index. Here that expression
is walked once per constraint with numpy: an index symbol becomes an array, a parameter an array of values, a variable
an array of column numbers, and a sum over an indexed set a repetition. Where Pyomo lacks the switches, `from_pyomo`
compiles the ordinary model through Pyomo's own compiler, to the same matrix up to the order and sign of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.core.base.constraint as constraint_switch
import pyomo.core.base.objective as objective_switch
from pyomo.core import ConcreteModel, Constraint, Objective, Param, Var, minimize
from pyomo.core.expr.numeric_expr import (
    DivisionExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)
from pyomo.core.expr.relational_expr import EqualityExpression, InequalityExpression
from pyomo.core.expr.template_expr import (
    GetItemExpression,
    IndexTemplate,
    TemplateSumExpression,
    templatize_constraint,
    templatize_rule,
)

from models import build
from models.data import PlanData
from optimizer.solve.program import FloatArray, IntArray, LinearProgram, totals

_SWITCHES = ((constraint_switch, "TEMPLATIZE_CONSTRAINTS"), (objective_switch, "TEMPLATIZE_OBJECTIVES"))


class TemplateError(TypeError):
    """A rule that is not a linear template; it names the constraint."""


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
    """Return the linear program of a plan's data.

    Parameters
    ----------
    data : PlanData
        The data on the scenario tree.
    """
    if not templates_available():
        from optimizer.solve.compile_pyomo import from_pyomo

        program: LinearProgram = from_pyomo(build(data))
        return program
    with templates():
        model = build(data)
    return expand(model)


@dataclass
class _Form:
    """A linear expression for each of `count` rows: a constant and scattered terms."""

    constant: FloatArray | float
    row: IntArray
    column: IntArray
    value: FloatArray

    def scaled(self, factor: FloatArray | float) -> _Form:
        by_term = factor[self.row] if isinstance(factor, np.ndarray) else factor
        return _Form(self.constant * factor, self.row, self.column, self.value * by_term)


_NO_INDEX: IntArray = np.empty(0, dtype=np.int64)
_NO_VALUE: FloatArray = np.empty(0)


def _constant(value: FloatArray | float) -> _Form:
    return _Form(value, _NO_INDEX, _NO_INDEX, _NO_VALUE)


def _sum(forms: list[_Form]) -> _Form:
    return _Form(
        sum(form.constant for form in forms),
        np.concatenate([form.row for form in forms]),
        np.concatenate([form.column for form in forms]),
        np.concatenate([form.value for form in forms]),
    )


class _Table:
    """Finds the place of index codes among the indices of a component."""

    def __init__(self, codes: IntArray) -> None:
        self.empty = not len(codes)
        self.size = codes.max(axis=0, initial=0) + 1
        self.stride = np.append(np.cumprod(self.size[::-1])[::-1][1:], 1).astype(np.int64)
        packed = codes @ self.stride
        space = int(np.prod(self.size, dtype=np.float64))
        self.dense = space <= 4 * len(packed) + 1_000_000
        if self.dense:
            self.places = np.full(space, -1, dtype=np.int64)
            self.places[packed] = np.arange(len(packed))
        else:
            self.places = np.argsort(packed)
            self.packed = packed[self.places]

    def find(self, codes: list[IntArray]) -> IntArray:
        """Return the place of each index, -1 where there is none."""
        if self.empty:
            return np.full(len(codes[0]), -1, dtype=np.int64)
        inside = np.ones(len(codes[0]), dtype=bool)
        packed = np.zeros(len(codes[0]), dtype=np.int64)
        for code, size, stride in zip(codes, self.size, self.stride, strict=True):
            inside &= (code >= 0) & (code < size)
            packed += code * stride
        if self.dense:
            return np.where(inside, self.places[np.where(inside, packed, 0)], -1)
        place = np.minimum(np.searchsorted(self.packed, packed), len(self.packed) - 1)
        return np.where(inside & (self.packed[place] == packed), self.places[place], -1)


class _Expansion:
    """Walks the templates of one model."""

    def __init__(self, model: ConcreteModel) -> None:
        self.labels: dict[str, int] = {}
        self.first_column: dict[int, int] = {}
        self._codes: dict[int, IntArray] = {}
        self._tables: dict[int, _Table] = {}
        self._values: dict[int, FloatArray] = {}
        self._members: dict[int, tuple[_Table, IntArray, list[IntArray]]] = {}
        self.variables: list[Var] = list(model.component_objects(Var, active=True))
        count = 0
        for variable in self.variables:
            self.first_column[id(variable)] = count
            count += len(variable)
        self.columns = count
        self.walkers: dict[type, Callable[[Any, dict[int, IntArray], int], _Form]] = {}

    # ---- indices

    def encode(self, keys: list[Any]) -> IntArray:
        """Return index keys as codes, shape (count, dimensions)."""
        if not keys:
            return np.empty((0, 1), dtype=np.int64)
        columns = list(zip(*keys, strict=True)) if isinstance(keys[0], tuple) else [tuple(keys)]
        encoded = []
        for column in columns:
            if isinstance(column[0], str):
                for label in dict.fromkeys(column):
                    self.labels.setdefault(label, len(self.labels))
                encoded.append(np.array([self.labels[label] for label in column], dtype=np.int64))
            else:
                encoded.append(np.array(column, dtype=np.int64))
        return np.stack(encoded, axis=1)

    def codes(self, component: Any) -> IntArray:
        """Return the codes of a set's members or of the indices that a component holds."""
        found = self._codes.get(id(component))
        if found is None:
            keys = list(component.sparse_keys()) if isinstance(component, Param) else list(component)
            found = self._codes[id(component)] = self.encode([] if keys == [None] else keys)
        return found

    def find(self, component: Any, codes: list[IntArray]) -> IntArray:
        """Return the place of each index in a component."""
        table = self._tables.get(id(component))
        if table is None:
            table = self._tables[id(component)] = _Table(self.codes(component))
        return table.find(codes)

    def index(self, argument: Any, env: dict[int, IntArray], count: int) -> IntArray:
        """Return the codes that an index argument takes on."""
        if isinstance(argument, IndexTemplate):
            return env[argument._id]
        if isinstance(argument, GetItemExpression):
            values = self.form(argument, env, count).constant
            return np.broadcast_to(np.asarray(values), (count,)).astype(np.int64)
        return np.full(count, self.encode([argument])[0, 0])

    # ---- expressions

    def form(self, expression: Any, env: dict[int, IntArray], count: int) -> _Form:
        """Return the linear form of an expression for `count` rows, given the codes of its index symbols."""
        if isinstance(expression, (int, float)):
            return _constant(float(expression))
        if isinstance(expression, TemplateSumExpression):
            return self.template_sum(expression, env, count)
        if isinstance(expression, GetItemExpression):
            return self.item(expression, env, count)
        if isinstance(expression, NegationExpression):
            return self.form(expression.args[0], env, count).scaled(-1.0)
        if isinstance(expression, SumExpression):
            return _sum([self.form(argument, env, count) for argument in expression.args])
        if isinstance(expression, DivisionExpression):
            left, right = (self.form(argument, env, count) for argument in expression.args)
            self.must_be_constant(right, expression)
            return left.scaled(1.0 / right.constant)
        if isinstance(expression, ProductExpression):
            left, right = (self.form(argument, env, count) for argument in expression.args)
            if len(left.row):
                self.must_be_constant(right, expression)
                left, right = right, left
            return right.scaled(left.constant)
        place = self.first_column.get(id(expression))
        if place is not None:
            rows = np.arange(count)
            return _Form(0.0, rows, np.full(count, place), np.ones(count))
        raise TemplateError(f"cannot expand {type(expression).__name__}")

    @staticmethod
    def must_be_constant(form: _Form, expression: Any) -> None:
        if len(form.row):
            raise TemplateError(f"{type(expression).__name__} of variables is not linear")

    def item(self, expression: Any, env: dict[int, IntArray], count: int) -> _Form:
        """Return the form of a parameter's or a variable's element."""
        component, *arguments = expression.args
        codes = [self.index(argument, env, count) for argument in arguments]
        if isinstance(component, Param):
            values = self._values.get(id(component))
            if values is None:
                stored = [*component.sparse_values(), component.default()]
                values = self._values[id(component)] = np.array(stored, dtype=float)
            return _constant(values[self.find(component, codes)])
        places = self.find(component, codes)
        if len(places) and places.min() < 0:
            raise TemplateError(f"{component.name} lacks an index that a rule asks for")
        return _Form(0.0, np.arange(count), self.first_column[id(component)] + places, np.ones(count))

    def template_sum(self, expression: Any, env: dict[int, IntArray], count: int) -> _Form:
        """Return the form of a sum over sets, which may depend on the row."""
        row = np.arange(count)
        inner = dict(env)
        for group in expression._iters:
            repeat, members = self.iterate(group[0]._set, inner, len(row))
            for symbol in inner:
                inner[symbol] = inner[symbol][repeat]
            row = row[repeat]
            for symbol, codes in zip(group, members, strict=True):
                inner[symbol._id] = codes
        body = self.form(expression._local_args_[0], inner, len(row))
        weights = np.broadcast_to(np.asarray(body.constant, dtype=float), (len(row),))
        return _Form(totals(row, weights, count), row[body.row], body.column, body.value)

    def iterate(self, over: Any, env: dict[int, IntArray], count: int) -> tuple[IntArray, list[IntArray]]:
        """Return, for a sum over a set, the row that each term belongs to and the codes of the set's members."""
        if not isinstance(over, GetItemExpression):
            codes = self.codes(over)
            repeat = np.repeat(np.arange(count), len(codes))
            return repeat, [np.tile(column, count) for column in codes.T]
        component, *arguments = over.args
        first, columns = self.members(component)
        places = self.find(component, [self.index(argument, env, count) for argument in arguments])
        if len(places) and places.min() < 0:
            raise TemplateError(f"{component.name} lacks an index that a rule asks for")
        sizes = first[places + 1] - first[places]
        repeat = np.repeat(np.arange(count), sizes)
        within = np.arange(len(repeat)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        at = np.repeat(first[places], sizes) + within
        return repeat, [column[at] for column in columns]

    def members(self, component: Any) -> tuple[IntArray, list[IntArray]]:
        """Return where each set of an indexed set begins, and the codes of all its members one after another."""
        found = self._members.get(id(component))
        if found is None:
            sets = [list(component[key]) for key in component]
            codes = self.encode([member for members in sets for member in members])
            first = np.concatenate([[0], np.cumsum([len(members) for members in sets])]).astype(np.int64)
            found = self._members[id(component)] = (first, list(codes.T))  # type: ignore[assignment]
        return found  # type: ignore[return-value]

    # ---- rows

    def rows(self, constraint: Constraint) -> tuple[_Form, FloatArray, FloatArray]:
        """Return the body of a constraint's rows and their bounds."""
        template, symbols = templatize_constraint(constraint)
        count = len(constraint)
        codes = self.codes(constraint.index_set())
        env = {symbol._id: codes[:, position] for position, symbol in enumerate(symbols)}
        if not isinstance(template, (InequalityExpression, EqualityExpression)):
            raise TemplateError(f"{constraint.name}: cannot expand {type(template).__name__}")
        try:
            left, right = (self.form(argument, env, count) for argument in template.args)
        except TemplateError as error:
            raise TemplateError(f"{constraint.name}: {error}") from error
        unbounded = np.full(count, np.inf)
        if isinstance(template, EqualityExpression):
            body = _sum([left, right.scaled(-1.0)])
            bound = -np.broadcast_to(np.asarray(body.constant), (count,)).astype(float)
            return body, bound, bound
        if not len(left.row):
            bound = np.broadcast_to(np.asarray(left.constant - right.constant), (count,)).astype(float)
            return right, bound, unbounded
        body = _sum([left, right.scaled(-1.0)])
        return body, -unbounded, -np.broadcast_to(np.asarray(body.constant), (count,)).astype(float)


def expand(model: ConcreteModel) -> LinearProgram:
    """Return the linear program of a model whose rules are templates.

    Parameters
    ----------
    model : ConcreteModel
        Built inside `templates()`.

    Raises
    ------
    TemplateError
        If a rule is not a linear template.
    """
    walk = _Expansion(model)
    rows: dict[str, slice] = {}
    row_keys: dict[str, IntArray] = {}
    forms, lower, upper, count = [], [], [], 0
    for constraint in model.component_objects(Constraint, active=True):
        if not len(constraint):
            continue
        form, least, most = walk.rows(constraint)
        forms.append(_Form(0.0, form.row + count, form.column, form.value))
        lower.append(least)
        upper.append(most)
        rows[constraint.name] = slice(count, count + len(least))
        row_keys[constraint.name] = walk.codes(constraint.index_set())
        count += len(least)
    objective = next(model.component_objects(Objective, active=True))
    expression, _ = templatize_rule(model, objective.rule, None)
    worth = walk.form(expression, {}, 1).scaled(1.0 if objective.sense == minimize else -1.0)
    columns = {
        variable.name: slice(first, first + len(variable))
        for variable in walk.variables
        for first in (walk.first_column[id(variable)],)
    }
    bounds = np.array([data.bounds for variable in walk.variables for data in variable.values()], dtype=float).reshape(
        -1, 2
    )
    body = _sum(forms) if forms else _constant(0.0)
    start, index, value = by_columns(body.row, body.column, body.value, count, walk.columns)
    return LinearProgram(
        cost=totals(worth.column, worth.value, walk.columns),
        offset=float(np.sum(worth.constant)),
        column_lower=np.where(np.isnan(bounds[:, 0]), -np.inf, bounds[:, 0]),
        column_upper=np.where(np.isnan(bounds[:, 1]), np.inf, bounds[:, 1]),
        row_lower=np.concatenate(lower) if lower else _NO_VALUE,
        row_upper=np.concatenate(upper) if upper else _NO_VALUE,
        start=start,
        index=index,
        value=value,
        columns=columns,
        rows=rows,
        column_keys={variable.name: walk.codes(variable) for variable in walk.variables},
        row_keys=row_keys,
        labels=tuple(walk.labels),
    )


def by_columns(
    row: IntArray, column: IntArray, value: FloatArray, rows: int, columns: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return scattered matrix entries compressed by columns, entries of the same place added, zeros left out."""
    place = column * max(rows, 1) + row
    order = np.argsort(place, kind="stable")
    place, value = place[order], value[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    value = np.add.reduceat(value, first) if len(first) else value
    place = place[first]
    place, value = place[value != 0], value[value != 0]
    column, row = np.divmod(place, max(rows, 1))
    start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=columns))]).astype(np.int64)
    return start, row, value
