"""Tornados: each input alone, the right way round, by its share or its own range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError
from gwplan.studies.sweep.engines import InProcess
from gwplan.studies.sweep.sweep import Study, run
from gwplan.studies.sweep.tornado import inputs, tasks, tornado
from tests.instance.folders import plain

DEALS = Path(__file__).resolve().parents[2] / "instances" / "tiny-deals"
VALUE = "value[pathway=training].value_bn_per_gw_year"


@pytest.fixture(scope="module")
def deals() -> Instance:
    """Return a tiny instance in which the price of deals is reported and all else assumed."""
    return gw.load(DEALS).edited("value[pathway=deals].status = reported")


def test_every_swing_is_that_of_the_plans_solved_afresh(deals: Instance) -> None:
    """Down and up are what plans of the edited instance are worth; the largest swing comes first."""
    found = inputs(deals, 0.1, [], each=False, every=False, only=False)
    names = [each.name for each in found]
    assert "value.value_bn_per_gw_year [training]" in names and "value.value_bn_per_gw_year [deals]" not in names
    table = tornado(found, run(Study("tornado", deals, tasks(found)), InProcess()), "objective_bn")
    assert table["swing"].is_monotonic_decreasing
    joined = "pathways.realisation = eligibility.effectiveness = value.value_bn_per_gw_year [training]"
    row = table.set_index("input").loc[joined]
    for way, factor in (("down", 0.9), ("up", 1.1)):
        assert row[way] == pytest.approx(gw.solve(deals.edited(f"{VALUE} *= {factor}")).objective_bn, abs=1e-9)
    assert row["base"] == pytest.approx(gw.solve(deals).objective_bn)
    assert row["swing"] == pytest.approx(max(row["up"], row["base"]) - min(row["down"], row["base"]))
    assert (row["cells"], row["range"], row["status"]) == (4, "0.1", "assumption")  # a value of 0 cannot be scaled


def test_an_input_with_its_own_range_is_not_swung_by_the_share_too(deals: Instance) -> None:
    """Its cells leave the group that they belonged to; reported cells swing only when asked for."""
    own = "value[pathway=training, from=2026-01-01].value_bn_per_gw_year = 10..30"
    found = {each.name: each for each in inputs(deals, 0.1, [own], each=False, every=True, only=False)}
    ranged = found["value[pathway=training, from=2026-01-01].value_bn_per_gw_year"]
    assert (ranged.cells, ranged.range, ranged.status) == (1, "10..30", "assumption")
    assert found["value.value_bn_per_gw_year [training]"].cells == 1
    assert found["value.value_bn_per_gw_year [deals]"].status == "reported"
    assert [each.name for each in inputs(deals, 0.1, [own], each=False, every=False, only=True)] == [ranged.name]
    with pytest.raises(InstanceError, match="did you mean 'training'"):
        inputs(deals, 0.1, [own.replace("training", "trainin")], each=False, every=False, only=True)


def test_an_input_that_leaves_no_plan_comes_last_with_its_reason(deals: Instance) -> None:
    """What cannot be compared never stands before what can."""
    floor = deals.edited("insert locks[pathway=training, from=2026-10-01, min_gw=0.5]")
    own = ["deliveries.gw *= 0.4..1", f"{VALUE} *= 0.5..2"]
    found = inputs(floor, 0.1, own, each=False, every=False, only=True)
    table = tornado(found, run(Study("tornado", floor, tasks(found)), InProcess()), "objective_bn")
    assert table["input"].tolist() == [f"{VALUE} *=", "deliveries.gw *="]
    assert np.isnan(table["down"][1]) and table["reason"][1].startswith("down: infeasible")
    assert table["swing"][0] > table["swing"][1]


def test_one_assumption_is_one_row_and_blank_cells_that_swing_nothing_go(tmp_path: Path) -> None:
    """Protects the sum of swings: realisation times value is one assumption, and a default of 0 or 1 is none."""
    tables = {
        "pathways": "pathway,realisation,status\nads,0.8,estimate\n",
        "value": "pathway,from,tier,value_bn_per_gw_year,status\nads,2026-01-01,1,10,estimate\n",
        "cancellations": "contract,opens,closes\nown,2027-01-01,2027-01-01\n",
    }
    instance = plain(tmp_path, **tables)
    found = inputs(instance, 0.1, [], each=False, every=False, only=False)
    table = tornado(found, run(Study("tornado", instance, tasks(found)), InProcess()), "objective_bn")
    joined = "pathways.realisation = value.value_bn_per_gw_year [ads]"
    assert table[["input", "cells", "swing"]].to_numpy().tolist() == [[joined, 2, pytest.approx(3.2)]]
    assert {one.name for one in found} > {"cancellations.max_share [cloud]", "pathways.realisation [ads]"}
