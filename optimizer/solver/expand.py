"""Templates to matrix: each rule, written once over index symbols, is walked once over arrays of indices.

An index symbol becomes an array, a parameter an array of values, a variable an array of column numbers, and a sum over
an indexed set a repetition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pyomo.core import ConcreteModel, Constraint, Param, Var
from pyomo.core.base.set import SetProduct
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

from gwplan.models.terms import Array, Terms, axis_labels
from gwplan.solver.program import FloatArray, IntArray, totals


class TemplateError(TypeError):
    """A rule that is not a linear template; it names the constraint."""


@dataclass
class Form:
    """A linear expression for each of `count` rows: a constant and scattered terms."""

    constant: FloatArray | float
    row: IntArray
    column: IntArray
    value: FloatArray

    def scaled(self, factor: FloatArray | float) -> Form:
        """Return the form times a factor, or times one for each row."""
        by_term = factor[self.row] if isinstance(factor, np.ndarray) else factor
        return Form(self.constant * factor, self.row, self.column, self.value * by_term)


_WHOLE_AXES: Final = {"PATHWAYS": "P", "POOLS": "Q", "OFFERS": "O", "NODES": "N"}
"""Sets that are an axis of the arrays, by name."""

_NO_INDEX: IntArray = np.empty(0, dtype=np.int64)
_NO_VALUE: FloatArray = np.empty(0)


def _constant(value: FloatArray | float) -> Form:
    return Form(value, _NO_INDEX, _NO_INDEX, _NO_VALUE)


def _sum(forms: list[Form]) -> Form:
    return Form(
        sum(form.constant for form in forms),
        np.concatenate([form.row for form in forms]),
        np.concatenate([form.column for form in forms]),
        np.concatenate([form.value for form in forms]),
    )


class Places:
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


class Templates:
    """The rules of a model as expressions over index symbols, each made when it is first asked for."""

    def __init__(self, model: ConcreteModel) -> None:
        self.model = model
        self._made: dict[int, tuple[Any, list[Any]]] = {}

    def of(self, component: Any) -> tuple[Any, list[Any]]:
        """Return the rule of a constraint or an objective as one expression, and the symbols of its indices."""
        made = self._made.get(id(component))
        if made is None:
            if isinstance(component, Constraint):
                made = templatize_constraint(component)
            else:
                made = templatize_rule(component.parent_block(), component.rule, None)
            self._made[id(component)] = made
        return made


class Expansion:
    """Walks the templates of a model over the arrays of one plan.

    Attributes
    ----------
    templates : Templates
        The rules; plans that differ in numbers alone share them.
    parameters : mapping of str to (str, array)
        Axes and values of each parameter, as in `Terms`; each walk takes the values that are here then.
    read : set of str
        Names of the parameters that were read since it was last cleared.
    """

    def __init__(self, templates: Templates, terms: Terms) -> None:
        self.templates = templates
        self.labels: dict[str, int] = {}
        self.parameters: Mapping[str, tuple[str, Array]] = terms.parameters
        self.read: set[str] = set()
        self._terms = terms
        self._positions: dict[str, IntArray] = {}
        self._number(terms)
        self.first_column: dict[int, int] = {}
        self._codes: dict[int, IntArray] = {}
        self._tables: dict[int, Places] = {}
        self._members: dict[int, tuple[IntArray, list[IntArray]]] = {}
        self.variables: list[Var] = list(templates.model.component_objects(Var, active=True))
        count = 0
        for variable in self.variables:
            self.first_column[id(variable)] = count
            count += self.count(variable)
        self.columns = count

    def _number(self, terms: Terms) -> None:
        """Give every name its code, and note where each code stands along each axis."""
        named = {letter: axis_labels(terms.data, letter) or () for letter in "PQKWOL"}
        for names in named.values():
            for name in names:
                self.labels.setdefault(name, len(self.labels))
        for letter, names in named.items():
            self._positions[letter] = np.full(len(self.labels), -1, dtype=np.int64)
            self._positions[letter][[self.labels[name] for name in names]] = np.arange(len(names))

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
        """Return the codes of a set's members or of the indices of a component, shape (count, dimensions)."""
        codes = self._codes.get(id(component))
        if codes is None:
            codes = self._codes[id(component)] = self._all_codes(component)
        return codes

    def _all_codes(self, component: Any) -> IntArray:
        """Return the codes of all members: a model may be a sketch, with the first of them alone."""
        terms = self._terms
        if component.name in terms.sets:
            axes, mask = terms.sets[component.name]
            return np.stack([self._along(a, at) for a, at in zip(axes, np.nonzero(mask), strict=True)], axis=1)
        if component.name in terms.indexed_sets:
            return self.encode(list(terms.indexed_sets[component.name]))
        if component.name in _WHOLE_AXES:
            axis = _WHOLE_AXES[component.name]
            count = terms.data.tree.size if axis == "N" else len(axis_labels(terms.data, axis) or ())
            return self._along(axis, np.arange(count))[:, None]
        if isinstance(component, SetProduct):
            factors = [self.codes(part) for part in component.subsets()]
            places = np.indices([len(codes) for codes in factors]).reshape(len(factors), -1)
            return np.concatenate([codes[at] for codes, at in zip(factors, places, strict=True)], axis=1)
        if isinstance(component, (Var, Constraint)) and component.is_indexed():
            return self.codes(component.index_set())
        keys = list(component)
        return self.encode([] if keys == [None] else keys)

    def _along(self, axis: str, at: IntArray) -> IntArray:
        """Return the codes of positions along an axis."""
        names = axis_labels(self._terms.data, axis)
        if names is None:
            return at.astype(np.int64)
        return np.array([self.labels[name] for name in names], dtype=np.int64)[at]

    def count(self, component: Any) -> int:
        """Return how many indices a variable or a constraint has; without an index it is one."""
        return len(self.codes(component.index_set())) if component.is_indexed() else 1

    def find(self, component: Any, codes: list[IntArray]) -> IntArray:
        """Return the place of each index in a component."""
        table = self._tables.get(id(component))
        if table is None:
            table = self._tables[id(component)] = Places(self.codes(component))
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

    def form(self, expression: Any, env: dict[int, IntArray], count: int) -> Form:
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
            return Form(0.0, rows, np.full(count, place), np.ones(count))
        raise TemplateError(f"cannot expand {type(expression).__name__}")

    @staticmethod
    def must_be_constant(form: Form, expression: Any) -> None:
        """Refuse a factor or divisor that holds a variable."""
        if len(form.row):
            raise TemplateError(f"{type(expression).__name__} of variables is not linear")

    def item(self, expression: Any, env: dict[int, IntArray], count: int) -> Form:
        """Return the form of a parameter's or a variable's element."""
        component, *arguments = expression.args
        codes = [self.index(argument, env, count) for argument in arguments]
        if isinstance(component, Param):
            self.read.add(component.name)
            axes, values = self.parameters[component.name]
            at = [
                self._positions[axis][code] if axis in self._positions else code
                for axis, code in zip(axes, codes, strict=True)
            ]
            return _constant(values[tuple(at)].astype(float, copy=False))
        places = self.find(component, codes)
        if len(places) and places.min() < 0:
            raise TemplateError(f"{component.name} lacks an index that a rule asks for")
        return Form(0.0, np.arange(count), self.first_column[id(component)] + places, np.ones(count))

    def template_sum(self, expression: Any, env: dict[int, IntArray], count: int) -> Form:
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
        return Form(totals(row, weights, count), row[body.row], body.column, body.value)

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
        stored = self._members.get(id(component))
        if stored is None:
            by_index = self._terms.indexed_sets.get(component.name)
            sets = [list(component[key]) for key in component] if by_index is None else list(by_index.values())
            codes = self.encode([member for members in sets for member in members])
            first = np.concatenate([[0], np.cumsum([len(members) for members in sets])]).astype(np.int64)
            stored = self._members[id(component)] = (first, list(codes.T))
        return stored

    # ---- rows

    def rows(self, constraint: Constraint) -> tuple[Form, FloatArray, FloatArray]:
        """Return the body of a constraint's rows and their bounds."""
        template, symbols = self.templates.of(constraint)
        count = self.count(constraint)
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


class Columnwise:
    """Where scattered matrix entries go when they are compressed by columns."""

    def __init__(self, row: IntArray, column: IntArray, rows: int, columns: int) -> None:
        place = column * max(rows, 1) + row
        self.order = np.argsort(place, kind="stable")
        place = place[self.order]
        self.first = np.flatnonzero(np.diff(place, prepend=-1))
        self.column, self.row = np.divmod(place[self.first], max(rows, 1))
        self.columns = columns

    def compress(self, value: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Return the starts of the columns, rows and values: entries of one place added, zeros left out."""
        value = np.add.reduceat(value[self.order], self.first) if len(self.first) else value
        there = value != 0
        counts = np.bincount(self.column[there], minlength=self.columns)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), self.row[there], value[there]
