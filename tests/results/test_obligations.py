from __future__ import annotations

import tracemalloc

import pytest

import gwplan as gw
from tests.cli.conftest import INSTANCES


def test_a_contract_that_ends_in_9999_is_cheap() -> None:
    """Who writes 9999-12-31 for "never" gets eight thousand years of obligations without gigabytes of memory."""
    instance = gw.load(INSTANCES / "tiny-terminal")
    endless = instance.edited("contracts.end = 9999-12-31")
    tracemalloc.start()
    owed = gw.solve(endless).obligations
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 300e6
    contract = owed[owed["contract"] == owed["contract"].iloc[0]]
    assert contract["year"].tolist() == list(range(instance.start.year, 10_000))
    yearly = contract["as_signed_bn"].iloc[-10:]
    assert yearly.tolist() == pytest.approx([yearly.iloc[0]] * 10)
