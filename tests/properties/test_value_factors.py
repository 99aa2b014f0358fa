"""Columns that the catalogue marks as factors of value are that, on every way from the tables to the worth."""

from __future__ import annotations

import pytest

import gwplan as gw
from gwplan.catalogue.tables import VALUE_FACTORS
from tests.cli.conftest import INSTANCES

EARNED = {"value": "value_bn_per_gw_year", "curves": "base_value_bn_per_year"}
"""What a pathway earns, by table."""


@pytest.mark.parametrize("column", VALUE_FACTORS)
def test_a_factor_scales_all_that_a_pathway_earns(column: str) -> None:
    """A factor of 0.5 and halved tiers and curves give the same worth, each plan audited, solved afresh or again."""
    instance = gw.load(INSTANCES / "tiny-curve")
    pathways = instance.table("pathways")["pathway"].tolist()
    full = instance.edited(*[f"pathways[pathway={name}].{column} = 1" for name in pathways])
    halved = full.edited(*[f"{table}.{cell} *= 0.5" for table, cell in EARNED.items()])
    scaled = full.edited(f"pathways.{column} = 0.5")
    assert gw.solve(scaled).objective_bn == pytest.approx(gw.solve(halved).objective_bn, rel=1e-9)
    with gw.Session(full) as session:
        assert session.solve(f"pathways.{column} = 0.5").objective_bn == pytest.approx(gw.solve(halved).objective_bn)
    assert gw.solve(scaled).objective_bn < gw.solve(full).objective_bn - 1e-3
