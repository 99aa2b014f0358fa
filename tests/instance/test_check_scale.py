"""Cells out of scale with the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwplan.check.check import check
from gwplan.storage.read import load
from tests.instance.folders import SMALL, written


def warned(folder: Path) -> list[str]:
    """Return what is said of cells out of scale."""
    return [str(p) for p in check(load(folder)) if "orders of magnitude" in str(p)]


@pytest.mark.parametrize(("cell", "told"), [("1e-5", False), ("1e-7", True), ("1e5", False), ("2e6", True)])
def test_an_effectiveness_out_of_scale_is_named(cell: str, told: bool, tmp_path: Path) -> None:
    """A typing error in a coefficient is named by row and column before the solver loses digits over it."""
    pairs = SMALL["eligibility.csv"].replace("msl,campus,1,", f"msl,campus,{cell},")
    found = warned(written(tmp_path / "x", SMALL, eligibility=pairs))
    assert len(found) == told
    assert all(line.startswith("eligibility.csv row 2, effectiveness: ") for line in found)
