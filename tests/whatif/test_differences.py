from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.studies.compare import inputs

REFERENCE = Path(__file__).resolve().parents[2] / "instances" / "meta-2026h1"

EDITS = {
    "contracts[contract=coreweave_2026].cost_bn_per_gw_year = 2": [
        ("contracts[contract=coreweave_2026].cost_bn_per_gw_year", "1.2", "2")
    ],
    'pathways[pathway=ads].ramp_gw_per_month = ""': [("pathways[pathway=ads].ramp_gw_per_month", "0.12", "")],
    "uncertainty[factor=market,outcome=glut].probability = 0.5": [
        ("uncertainty[factor=market,outcome=tight].probability", "0.6", "0.5"),
        ("uncertainty[factor=market,outcome=glut].probability", "0.4", "0.5"),
    ],
    "risk.aversion = 0.3": [("risk.aversion", "0", "0.3")],
    "insert churn[pathway=deals, date=2027-06-01, fraction=0.5]": [
        ("churn[pathway=deals, date=2027-06-01]", "(no row)", "fraction=0.5")
    ],
    "deliveries[contract=google_2025].date += 2 months @ 2026-01-01..2026-01-02": [
        ("deliveries[contract=google_2025] row 2.date", "2026-01-01", "2026-03-01")
    ],
}
"""Edits of the reference instance, and the cells that differ after them."""


@pytest.mark.parametrize("text", EDITS)
def test_inputs_differ_where_an_edit_changed_them(text: str) -> None:
    """The comparison of two instances names the cells that were edited, and no others."""
    instance = gw.load(REFERENCE)
    found = [(d.where, d.before, d.after) for d in inputs(instance, instance.edited(text))]
    assert found == EDITS[text]


def test_a_given_outcome_is_a_difference_of_the_uncertainty() -> None:
    """Outcomes taken as known show as probabilities that changed and outcomes that are gone."""
    instance = gw.load(REFERENCE)
    found = {d.where: d.after for d in inputs(instance, instance.given({"market": "glut"}))}
    assert found["uncertainty[factor=market,outcome=glut].probability"] == "1"
    assert found["uncertainty[factor=market,outcome=tight].probability"] == "(no row)"
