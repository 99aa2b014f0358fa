"""Both ways from a model to a matrix, held against each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyomo.core import ConcreteModel, Constraint, NonNegativeReals, Objective, Set, Var, exp, maximize
from pyomo.core.base.constraint import TemplateConstraintData
from pyomo.core.base.objective import TemplateDataMixin

import gwplan as gw
from gwplan.models import build, terms
from gwplan.models.data import PlanData
from gwplan.solver import compile as compiler
from gwplan.solver.compile import compile_terms, compiled, expand, from_pyomo, templates
from gwplan.solver.expand import TemplateError, Templates
from gwplan.solver.program import IntArray, LinearProgram
from gwplan.tree.timeline import timeline
from tests.generate import random_instance
from tests.properties.change import renamed

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
TINY = sorted(folder.name for folder in INSTANCES.glob("tiny-*"))
REFERENCE = "meta-2026h1"
RANDOM_SEEDS = range(100, 120)


def data_of(folder: Path) -> PlanData:
    """Return the arrays of the instance in a folder."""
    return timeline(gw.load(folder)).data


def assert_same(one: LinearProgram, other: LinearProgram) -> None:
    """Assert that two programs are one: rows, columns and signs; numbers but for the rounding of sums."""
    assert one.columns == other.columns
    assert one.rows == other.rows
    assert named(one, one.column_keys) == named(other, other.column_keys)
    assert named(one, one.row_keys) == named(other, other.row_keys)
    for field in ("start", "index"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
    for field in ("value", "cost", "offset", "column_lower", "column_upper", "row_lower", "row_upper"):
        np.testing.assert_allclose(
            getattr(one, field), getattr(other, field), rtol=1e-12, atol=1e-13, err_msg=field, strict=True
        )


def named(program: LinearProgram, keys: Mapping[str, IntArray]) -> dict[str, list[tuple[str | int, ...]]]:
    """Return the indices of each component in names, since codes may be handed out in any order.

    The last index is a node, but of parts of pools; the second one of `serve` a tier; all others are names.
    """
    found = {}
    for component, codes in keys.items():
        numbers = set() if component in ("share", "parts_of_one") else {codes.shape[1] - 1}
        numbers |= {1} if component == "serve" else set()
        found[component] = [
            tuple(code if axis in numbers else program.labels[code] for axis, code in enumerate(key))
            for key in codes.tolist()
        ]
    return found


@pytest.mark.parametrize("name", [*TINY, REFERENCE])
def test_templates_and_ordinary_rules_give_the_same_program(name: str) -> None:
    """Protects the expansion of templates: on a known instance Pyomo's own compiler finds the same matrix."""
    data = data_of(INSTANCES / name)
    assert_same(compiled(data), from_pyomo(build(data), terms(data)))


@pytest.mark.parametrize("restriction", ["rigid", "dedicated"])
@pytest.mark.parametrize("seed", RANDOM_SEEDS[:4])
def test_templates_and_ordinary_rules_restrict_alike(restriction: str, seed: int, tmp_path: Path) -> None:
    """Protects plans with less freedom: their rules expand to the matrix that Pyomo's own compiler finds."""
    entered = terms(data_of(random_instance(seed, tmp_path / "random")), restriction)
    assert_same(compile_terms(entered).program, from_pyomo(build(entered), entered))


@pytest.mark.parametrize("seed", RANDOM_SEEDS)
def test_templates_and_ordinary_rules_agree_on_random_instances(seed: int, tmp_path: Path) -> None:
    """Protects the expansion where features meet: forests, several deal pathways, windows that outcomes move."""
    data = data_of(random_instance(seed, tmp_path / "random"))
    assert_same(compiled(data), from_pyomo(build(data), terms(data)))


@pytest.mark.parametrize("name", [*TINY, REFERENCE])
def test_no_rule_falls_back_to_ordinary_construction(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Protects the speed of building: Pyomo calls a rule that it cannot keep as a template once for every index."""
    data = data_of(INSTANCES / name)
    with caplog.at_level(logging.WARNING, logger="pyomo"), templates():
        model = build(data)
    assert [record.getMessage() for record in caplog.records] == []
    for constraint in model.component_objects(Constraint):
        kinds = {type(row) for row in constraint.values()}
        assert kinds == {TemplateConstraintData}, f"{constraint.name} is built of {kinds}"
    assert isinstance(model.objective, TemplateDataMixin)


@pytest.mark.parametrize("name", ["tiny-deals", "tiny-curve"])
def test_plans_share_rules_and_nothing_else(name: str) -> None:
    """Protects many plans in one process: rules kept from another plan, of other names and size, give what new ones do.

    The other one has every name changed, and three periods more.
    """
    instance = gw.load(INSTANCES / name)
    other = renamed(instance, lambda old: f"other {old}").edited(f"calendar.periods = {instance.periods + 3}")
    entered, others = terms(timeline(instance).data), terms(timeline(other).data)
    assert entered.outline == others.outline
    with templates():
        rules = Templates(build(others, sketch=True))
        own = Templates(build(entered, sketch=True))
    for each in (others, entered):
        assert_same(expand(rules, each).program, expand(own, each).program)


def test_switches_are_put_back_after_an_error() -> None:
    """Protects other models in the process: templates stay off outside, also when building fails."""
    before = [getattr(module, name) for module, name in compiler._SWITCHES]
    with pytest.raises(ZeroDivisionError), templates():
        assert all(getattr(module, name) for module, name in compiler._SWITCHES)
        raise ZeroDivisionError
    assert [getattr(module, name) for module, name in compiler._SWITCHES] == before == [False, False]


def test_without_the_switches_plans_are_compiled_the_ordinary_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects users of a Pyomo that cannot keep templates: they get the same program."""
    data = data_of(INSTANCES / "tiny-risk")
    expected = compiled(data)
    monkeypatch.setattr(compiler, "templates_available", lambda: False)
    monkeypatch.setattr(compiler, "expand", None)
    assert_same(compiled(data), expected)


def one_rule(rule: Callable[[ConcreteModel, int], Any]) -> ConcreteModel:
    """Return a model of three columns `x`, one of them short of `y`, and one constraint called `bent`."""
    with templates():
        m = ConcreteModel()
        m.I = Set(initialize=range(3))
        m.J = Set(initialize=range(2))
        m.x = Var(m.I, within=NonNegativeReals)
        m.y = Var(m.J, within=NonNegativeReals)
        m.bent = Constraint(m.I, rule=rule)
        m.objective = Objective(rule=lambda m: sum(m.x[i] for i in m.I), sense=maximize)
    return m


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (lambda m, i: m.x[i] * m.x[i] <= 1, "ProductExpression of variables is not linear"),
        (lambda m, i: 1 / (1 + m.x[i]) <= 1, "DivisionExpression of variables is not linear"),
        (lambda m, i: exp(m.x[i]) <= 1, "cannot expand UnaryFunctionExpression"),
        (lambda m, i: m.x[i] + m.y[i] <= 1, "y lacks an index that a rule asks for"),
        (lambda m, i: (0, m.x[i], 1), "cannot expand RangedExpression"),
    ],
    ids=["product", "quotient", "function", "index", "range"],
)
def test_a_rule_that_cannot_be_expanded_is_named(rule: Callable[[ConcreteModel, int], Any], why: str) -> None:
    """Protects whoever adds a constraint: the error says which one, and why."""
    with pytest.raises(TemplateError, match=f"^bent: {why}$"):
        expand(Templates(one_rule(rule)), terms(data_of(INSTANCES / "tiny-ramp")))


def test_ordinary_compiler_keeps_every_column_and_row() -> None:
    """Protects the places of columns and rows: none is lost, doubled or turned round, whatever form it has.

    The middle `x` is nowhere used; `always` says 0 <= 1; `both` has two bounds; `even` is an equation.
    """
    m = ConcreteModel()
    m.x = Var(range(3), bounds=(0, None))
    m.free = Var(bounds=(None, 5))
    m.always = Constraint(expr=m.x[0] - m.x[0] <= 1)
    m.both = Constraint(expr=(1, m.x[0] + 2 * m.x[2], 3))
    m.even = Constraint(expr=m.x[2] == 4 * m.free + 7)
    m.least = Constraint(expr=m.x[0] >= m.x[2] + 1)
    m.objective = Objective(expr=6 * m.x[0] - m.free + 10, sense=maximize)
    program = from_pyomo(m, terms(data_of(INSTANCES / "tiny-ramp")))
    matrix = np.column_stack([program.times(column) for column in np.eye(4)])
    np.testing.assert_array_equal(matrix, [[0, 0, 0, 0], [1, 0, 2, 0], [0, 0, 1, -4], [-1, 0, 1, 0]])
    np.testing.assert_array_equal(program.row_lower, [-np.inf, 1, 7, -np.inf])
    np.testing.assert_array_equal(program.row_upper, [np.inf, 3, 7, -1])
    np.testing.assert_array_equal(program.cost, [-6, 0, 0, 1])
    np.testing.assert_array_equal(program.column_lower, [0, 0, 0, -np.inf])
    np.testing.assert_array_equal(program.column_upper, [np.inf, np.inf, np.inf, 5])
    assert program.offset == -10
    assert program.columns == {"x": slice(0, 3), "free": slice(3, 4)}
    assert program.rows == {name: slice(i, i + 1) for i, name in enumerate(("always", "both", "even", "least"))}
