"""How firm a plan is, against solves of its own kind."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.planning import alternatives_of
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance

TREE = INSTANCES / "tiny-tree"


def test_ranges_hold_the_best_plan_and_widen_with_the_distance() -> None:
    """Protects the meaning: the best plan lies within its range, and more freedom never narrows it."""
    narrow, wide = (alternatives_of(gw.load(TREE), within).ranges for within in (0.01, 0.05))
    for table in (narrow, wide):
        assert (table["least_gw"] <= table["best_gw"] + 1e-7).all()
        assert (table["best_gw"] <= table["most_gw"] + 1e-7).all()
    assert (wide["least_gw"] <= narrow["least_gw"] + 1e-7).all()
    assert (narrow["most_gw"] <= wide["most_gw"] + 1e-7).all()
    assert (wide["most_gw"] - wide["least_gw"] > narrow["most_gw"] - narrow["least_gw"] + 1e-3).any()


@pytest.mark.parametrize("integers", [False, True])
def test_an_extreme_can_be_reached_and_not_passed(integers: bool, tmp_path: Path) -> None:
    """Protects the figures: a plan locked to an extreme is worth what was allowed, and one beyond it is worth less."""
    instance = gw.load(random_instance(1, tmp_path / "instance", integers=integers)).deterministic()
    instance = instance.edited("calendar.periods = 1")
    found = alternatives_of(instance, 0.02)
    wide = found.ranges[found.ranges["most_gw"] - found.ranges["least_gw"] > 1e-3]
    for row in wide.to_dict("records"):
        lock = f'insert locks[pathway="{row["pathway"]}", from={instance.start}'
        at = gw.solve(instance.edited(f"{lock}, min_gw={row['most_gw'] - 1e-7:.9f}]"))
        assert at.objective_bn >= found.least_bn - 1e-5
        try:
            beyond = gw.solve(instance.edited(f"{lock}, min_gw={row['most_gw'] + 1e-3:.9f}]")).objective_bn
        except gw.InfeasibleError:
            continue
        assert beyond < found.least_bn
    assert len(wide) or found.best_bn == pytest.approx(found.least_bn, abs=1e-3)
