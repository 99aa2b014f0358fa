"""Contracts entered as they were filed: their bills come to published totals, and every row says whence."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.check.check import check

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

FILED = {"nebius-meta-2025": 2.9 + 12 + 15, "iren-microsoft-2025": 9.7, "terawulf-fluidstack-2025": 3.7}
"""The totals in the filings, $bn."""

TOLERANCE = 0.01
"""What docs/how-to/contract.md promises."""


@pytest.mark.parametrize("name", FILED)
def test_bills_tie_to_the_filed_total(name: str) -> None:
    """An analyst who adds up what a filing states finds it in the last columns of the book, in sum and by contract."""
    instance = gw.load(INSTANCES / name)
    plan = gw.solve(instance)  # which is certified and audited
    contracts = gw.exposure(plan, parts=["book"])["book"]["contracts"]
    filed = [row for row in contracts if row["filed_bn"] is not None]
    assert sum(row["filed_bn"] for row in filed) == pytest.approx(FILED[name])
    assert all(abs(row["difference_bn"]) <= TOLERANCE * row["filed_bn"] for row in filed)
    if name.startswith("terawulf"):  # with both extensions 8.7 were filed
        assert sum(row["whole_bn"] for row in contracts) == pytest.approx(8.7, rel=TOLERANCE)
    assert not [problem for problem in check(instance) if problem.severity == "error"]


@pytest.mark.parametrize("name", FILED)
def test_every_row_of_a_filing_has_its_source_and_grade(name: str) -> None:
    """What is reported and what is assumed must never look alike, outcomes' rows included."""
    instance = gw.load(INSTANCES / name)
    for table, frame in instance.tables.items():
        if "source" in frame.columns:
            assert (frame["source"] != "").all() and (frame["status"] != "").all(), table
    inserted = [e for f in instance.factors for o in f.outcomes for e in o.edits if e.operation == "insert"]
    assert all("source" in str(edit.text) for edit in inserted)
