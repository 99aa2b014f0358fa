"""Plans that stay near an earlier one: against the oracle, and how they change with what leaving it costs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

import gwplan as gw
from gwplan import models
from gwplan.instance.instance import Instance
from gwplan.kept.run import keep
from gwplan.solver.compile import compiled, from_pyomo
from gwplan.tree.timeline import timeline
from tests.generate import random_instance
from tests.oracle import solve as second_opinion
from tests.oracle.near import near

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

COSTS = (0.0, 0.5, 1e4)
"""$bn per GW-year moved."""


@cache
def base(name: str | int) -> Instance:
    """Return a tiny instance by name, or the random one of a seed."""
    if isinstance(name, str):
        return gw.load(INSTANCES / name)
    with TemporaryDirectory() as scratch:
        return gw.load(random_instance(name, Path(scratch) / "instance"))


@cache
def plan(instance: Instance) -> gw.Plan:
    """Return the best plan."""
    return gw.solve(instance)


def changed(instance: Instance) -> Instance:
    """Return the instance with what is possible unchanged and the value of every other pathway a quarter."""
    value = instance.tables["value"].copy()
    pathways = instance.tables["pathways"]["pathway"].tolist()
    value.loc[value["pathway"].isin(pathways[::2]), "value_bn_per_gw_year"] *= 0.25
    return replace(instance, tables={**instance.tables, "value": value})


def held(instance: Instance, cost: float) -> gw.Plan:
    """Return the plan of the changed instance that stays near the best plan of the instance itself."""
    return gw.solve(changed(instance), stay_near=plan(instance), move_cost_bn_per_gw_year=cost)


def test_the_dearer_leaving_is_the_less_is_moved() -> None:
    """Free moves change no worth; worth and what is moved fall as moves get dearer; dear ones keep the earlier plan."""
    instance = base(4)
    free, *others = [held(instance, cost) for cost in COSTS]
    assert free.objective_bn == pytest.approx(plan(changed(instance)).objective_bn, rel=1e-8, abs=1e-8)
    assert free.summary["components_bn"]["move_penalty"] == 0
    assert free.summary["moved_gw_years"] > 1e-3
    for less, more in zip((free, *others), others, strict=False):
        assert more.objective_bn <= less.objective_bn + 1e-8 * (1 + abs(less.objective_bn))
    assert others[-1].allocation["gw"].to_numpy() == pytest.approx(plan(instance).allocation["gw"].to_numpy(), abs=1e-5)
    assert instance.aversion == 0  # what is moved is discounted and weighed with the probability, as the penalty is
    moved = [-p.summary["components_bn"]["move_penalty"] / x for p, x in zip(others, COSTS[1:], strict=True)]
    assert moved[0] >= moved[1] - 1e-7


def test_the_best_plan_stays_near_itself_for_nothing() -> None:
    """A plan that is best already is best near itself, too, and pays no penalty."""
    alone = gw.solve(base("tiny-deals"), stay_near=plan(base("tiny-deals")), move_cost_bn_per_gw_year=3.0)
    assert alone.objective_bn == pytest.approx(plan(base("tiny-deals")).objective_bn, rel=1e-8)
    assert alone.summary["moved_gw_years"] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    ("kind", "seed"), [("same", 32), ("deterministic", 1), ("given", 4), ("later", 1), ("later", 4)]
)
def test_penalties_are_the_oracles(kind: str, seed: int) -> None:
    """Protects the matching of nodes and the penalty: both implementations charge the same for leaving a plan.

    Beside a plan of the same tree: one without futures, one of a single outcome, one that knew more than the next does.
    """
    with TemporaryDirectory() as scratch:
        folder = random_instance(seed, Path(scratch) / "instance")
        instance = gw.load(folder)
        earlier = changed(instance)
        if kind == "deterministic":
            earlier = earlier.deterministic()
        elif kind == "given":
            earlier = earlier.given({instance.factors[0].name: instance.factors[0].outcomes[0].name})
        elif kind == "later":
            instance = instance.deterministic()
        run = keep(gw.solve(earlier), Path(scratch) / "run", command=["gwplan"], options={})
        found = gw.solve(instance, stay_near=run, move_cost_bn_per_gw_year=0.7)
        expected = second_opinion(folder, deterministic=kind == "later", near=near(run / "allocation.csv", 0.7))
    assert found.objective_bn == pytest.approx(expected.objective_bn, rel=1e-6, abs=1e-9)
    parts = found.summary["components_bn"]
    assert parts["move_penalty"] < 0
    assert sum(parts["value"].values()) == pytest.approx(expected.components_bn["value"], abs=1e-5)
    assert parts["move_penalty"] == pytest.approx(expected.components_bn["move_penalty"], abs=1e-5)


def test_cases_of_a_session_stay_near_too() -> None:
    """Warm equals cold with an earlier plan, whatever of the program a case reaches, and the tables are audited."""
    instance = base("tiny-tree")
    near_one = gw.stay_near(changed(instance), plan(instance), 0.4)
    with gw.Session(near_one) as session:
        for text in ("deliveries.gw *= 0.8", "eligibility.effectiveness *= 0.9"):
            case = near_one.edited(text)
            warm = session.solve_case(case)
            assert warm.objective_bn == pytest.approx(gw.solve(case).objective_bn, rel=1e-7)
            assert warm.plan.summary["components_bn"]["move_penalty"] < 0 or "gw" not in text
        dearer = session.solve_case(gw.stay_near(changed(instance), plan(instance), 0.8))
        assert str(dearer.reached) == "costs"
        assert dearer.objective_bn == pytest.approx(held(instance, 0.8).objective_bn, rel=1e-7)


def test_both_compilers_make_the_same_program() -> None:
    """Templates and Pyomo's own compiler agree on the rows and costs of moves."""
    data = timeline(gw.stay_near(changed(base("tiny-tree")), plan(base("tiny-tree")), 0.4)).data
    entered = models.terms(data)
    ours, theirs = compiled(data), from_pyomo(models.build(entered), entered)
    assert ours.shape == theirs.shape and "nearness" in ours.rows
    for name in ("cost", "row_lower", "row_upper", "start", "index", "value"):
        assert np.allclose(getattr(ours, name), getattr(theirs, name)), name
