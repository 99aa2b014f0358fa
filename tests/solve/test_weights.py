"""Nodes of small weight: planned, proved and priced as if they weighed as much as any other."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.instance.varied_cells import Varied
from gwplan.session import Session
from gwplan.solver.certify import certify
from gwplan.solver.weights import priced
from gwplan.studies.breakeven.breakeven import PlanChanges, breakeven
from gwplan.studies.breakeven.cases import EXACT
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance
from tests.properties.test_light_nodes import lacking, light
from tests.whatif.test_roll import rolled_after

TABLES = {
    "instance.toml": """schema = 1
name = "rare"
[calendar]
start = 2027-01-01
resolution = "month"
periods = 12
""",
    "pools.csv": "pool\ncloud\n",
    "contracts.csv": "contract,pool,cost_bn_per_gw_year\nown,cloud,1\n",
    "deliveries.csv": "contract,date,gw\nown,2026-12-01,1\n",
    "pathways.csv": "pathway,migration_cost_bn_per_gw,ramp_gw_per_month\nads,0.05,0.1\nmsl,0.05,0.1\n",
    "value.csv": "pathway,from,tier,width_gw,value_bn_per_gw_year\nads,2026-12-01,1,0.6,3\nmsl,2026-12-01,1,0.6,2\n",
}

FACTOR = """[[factor]]
name = "{name}"
revealed = {revealed}
[[factor.outcome]]
name = "no"
probability = {likely!r}
[[factor.outcome]]
name = "yes"
probability = {rare!r}
[[factor.outcome.edit]]
table = "{table}"
where = {{ {where} }}
column = "{column}"
scale = {scale}
from = {revealed}
"""

GRID = ("grid", "2027-04-01", "value", 'pathway = "msl"', "value_bn_per_gw_year", 0.9)
WAR = ("war", "2027-04-01", "value", 'pathway = "ads"', "value_bn_per_gw_year", 0.9)
ADS = Varied("value", "value_bn_per_gw_year", {"pathway": "ads"})

FIRE = ("fire", "2027-07-01", "value", "tier = 1", "width_gw", 0.5)


def rare(folder: Path, probability: float, *factors: tuple[object, ...], **changed: str) -> gw.Instance:
    """Return the instance in which each factor's second outcome has a probability."""
    for name, text in (TABLES | {f"{name}.csv": text for name, text in changed.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "uncertainty.toml").write_text(uncertain(probability, *factors), encoding="utf-8")
    return gw.load(folder)


def uncertain(probability: float, *factors: tuple[object, ...]) -> str:
    """Return the uncertainty of factors whose second outcome has a probability."""
    names = ("name", "revealed", "table", "where", "column", "scale")
    chances = {"likely": 1 - probability, "rare": probability}
    return "\n".join(FACTOR.format(**chances, **dict(zip(names, factor, strict=True))) for factor in factors)


@pytest.mark.parametrize("aversion", [0.0, 0.5, 0.99999, 1 - 1e-9])
@pytest.mark.parametrize("probability", [1e-4, 1e-6, 1e-9, 1e-12])
def test_rare_outcomes_have_the_best_plan_of_their_own(tmp_path: Path, probability: float, aversion: float) -> None:
    """Protects the worst case, regret and roll into it: 0.90 where the worst case was an arbitrary 0.20."""
    instance = rare(tmp_path, probability, GRID, WAR).edited(f"risk.aversion = {aversion}")
    with Session(instance) as session:
        assert lacking(session.base) == []
        if not aversion:
            assert session.base.leaf_worth.min() == pytest.approx(0.8975)


@pytest.mark.parametrize("probability", [1e-3, 1e-4, 1e-6])
def test_a_lifted_solve_plans_rare_futures_as_well(tmp_path: Path, probability: float) -> None:
    """Protects large trees, which are solved a factor at a time: eight futures, the rarest 1e-9 and less."""
    instance = rare(tmp_path, probability, GRID, (*WAR[:-1], 0.5), FIRE)
    with Session(instance, gw.SolveOptions(start="lift")) as session:
        assert lacking(session.base) == []


def test_the_reference_with_three_risks_of_two_percent_has_a_plan(tmp_path: Path) -> None:
    """Protects the reference instance with three independent risks, the rarest future 8e-6 (in place of its own)."""
    risks = (
        ("quake", "2027-10-01", "deliveries", 'contract = "own_*"', "gw", 0.5),
        ("ban", "2028-01-01", "value", 'pathway = "deals"', "value_bn_per_gw_year", 0.2),
        ("fire", "2028-01-01", "value", 'pathway = "platform"', "value_bn_per_gw_year", 0.2),
    )
    folder = tmp_path / "reference"
    shutil.copytree(INSTANCES / "meta-2026h1", folder, ignore=shutil.ignore_patterns("whatifs", "levers.toml"))
    (folder / "uncertainty.toml").write_text(uncertain(0.02, *risks), encoding="utf-8")
    with Session(gw.load(folder).edited("calendar.periods = 24")) as session:
        assert lacking(session.base) == []


def test_warm_answers_are_right_where_probabilities_become_small(tmp_path: Path) -> None:
    """Protects sweeps over a probability or the aversion: a warm answer is as right as a cold one."""
    with Session(rare(tmp_path, 0.5, GRID, WAR)) as session:
        for rarely in (1e-4, 1e-9, 1e-12):
            chance = f"uncertainty[outcome=yes].probability = {rarely}"
            turned = "value[pathway=msl].value_bn_per_gw_year = 3.5"
            assert lacking(session.solve(chance, turned)) == []
            assert lacking(session.solve(chance, turned, "risk.aversion = 0.999999")) == []


@pytest.mark.parametrize("probability", [1e-9, 1e-12])
def test_marginal_values_are_those_of_a_common_outcome(tmp_path: Path, probability: float) -> None:
    """Protects who reads a rare future's prices: where nothing is decided before, they do not depend on its chance."""
    free = "pathway\nads\nmsl\n"
    tables = []
    for chance in (0.5, probability):
        folder = tmp_path / str(chance)
        folder.mkdir()
        tables.append(gw.solve(rare(folder, chance, GRID, WAR, pathways=free)).marginal_values)
    numbers = ["bn_per_gw_year", "relaxed", "tightened", "limit_gw", "from_gw", "to_gw"]
    common, rarely = (table[["node", "constraint", "name", *numbers]] for table in tables)
    assert common[numbers].notna().all(axis=None)
    assert np.allclose(common[numbers], rarely[numbers], rtol=1e-6, atol=1e-9)


def test_a_certificate_judges_each_node_by_its_own_weight(tmp_path: Path) -> None:
    """Protects every plan: neither a worse plan nor wrong duals of the rarest future prove optimal."""
    with Session(rare(tmp_path, 1e-6, GRID, WAR)) as session:
        program, solution = session.base.program, session.base._solution
    assert certify(program, solution.columns, solution.row_duals).optimal
    node = int(np.argmin(program.node_weight))
    at, keys = program.columns["serve"], program.column_keys["serve"]
    worse = solution.columns.copy()
    worse[at.start + np.flatnonzero(keys[:, -1] == node)] = 0.0  # what is in use earns nothing
    assert not certify(program, worse, solution.row_duals).optimal
    row = int(
        np.argmax(
            np.where(priced(program, solution.row_duals).node == node, 1.0, 0.0)[: len(solution.row_duals)]
            * np.abs(solution.row_duals)
        )
    )
    wrong = solution.row_duals.copy()
    wrong[row] *= 1.001
    assert not certify(program, solution.columns, wrong).optimal
    blind = replace(program, node_weight=np.empty(0))
    assert certify(blind, worse, wrong).optimal  # without weights anything passes there


def test_what_must_be_possible_on_a_light_node_is_proved_apart(tmp_path: Path) -> None:
    """Protects a rare future that rules what is decided before: its own plan is not lost in the rounding of the whole.

    There the duals of the whole prove nothing; those of the node with what was decided before held do, and no others.
    """
    instance = light(gw.load(random_instance(188, tmp_path / "instance")), np.random.default_rng([188, 17]))
    with Session(instance) as session:
        program, solution = session.base.program, session.base._solution
        assert lacking(session.base) == []
    own = solution.light_duals
    assert own is not None and 0 < np.count_nonzero(np.isfinite(own)) < len(own)
    assert certify(program, solution.columns, solution.row_duals, own).optimal
    assert not certify(program, solution.columns, solution.row_duals).optimal
    assert not certify(program, solution.columns, solution.row_duals, 1.01 * own).optimal


def test_a_rare_conflict_is_still_one(tmp_path: Path) -> None:
    """Protects who explains: however rare the future, demands that it cannot keep leave no plan."""
    floor = {"demand": "pathway,from,floor_gw\nads,2027-08-01,0.8\n"}
    lost = ("war", "2027-07-01", "demand", 'pathway = "ads"', "floor_gw", 2.0)
    assert gw.solve(rare(tmp_path, 1e-12, **floor)).status == "optimal"
    with pytest.raises(gw.InfeasibleError, match="floor"):
        gw.solve(rare(tmp_path, 1e-12, lost, **floor))


def test_a_plan_rolled_into_a_rare_future_goes_on_as_it_said(tmp_path: Path) -> None:
    """Protects the next instance: what was planned for the rare future is the best from there on."""
    plan = gw.solve(rare(tmp_path, 1e-9, GRID, WAR))
    known = {"grid": "yes", "war": "yes"}
    following = gw.solve(rolled_after(plan, tmp_path, 3, known))
    future = ["grid=yes, war=yes"]
    rows = plan.cashflow[(plan.cashflow["period"] >= 3) & plan.cashflow["known"].isin(future)]
    assert following.objective_bn == pytest.approx(float(rows["discounted_bn"].sum()))


@pytest.mark.parametrize("probability", [1e-4, 1e-6])
def test_a_breakeven_on_a_rare_node_is_exact(tmp_path: Path, probability: float) -> None:
    """Protects breakevens: the plan changes where a rare future's does, though the worth of the whole shows nothing."""
    common, rarely = (
        breakeven(Session(rare(tmp_path, chance, WAR, pathways="pathway\nads\nmsl\n")), ADS, PlanChanges()).searches[0]
        for chance in (0.5, probability)
    )
    assert rarely.method == common.method == EXACT
    assert rarely.nearest and common.nearest
    assert rarely.nearest.value == pytest.approx(common.nearest.value)
    assert rarely.nearest.value == pytest.approx(2 / 0.9)
