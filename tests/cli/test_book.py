"""The book of obligations: by hand, against the table of obligations, on the command line and in a workbook."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gwplan as gw
from gwplan.plan.obligations import book
from tests.cli.conftest import Run
from tests.generate import random_instance
from tests.oracle.hand_examples import EXAMPLES, Example

RISING = EXAMPLES["a price that rises and is prepaid"]
FILED = replace(
    RISING,
    contracts="own,buy,2029-01-01,1,,0.1,0.2,24,3.5",
    deliveries="own,2026-01-01,,1,",
    filed=f"{RISING.filed},face_value_bn",
    discount_rate=0.1,
)
"""From a year before the start on: 1 before it, then 1.1 and 1.21, of which what was prepaid, 0.662, covers a part."""


def figures(example: Example, folder: Path) -> Any:
    """Return the book of an example's plan."""
    return gw.exposure(gw.solve(gw.load(example.write(folder))), parts=["book"])["book"]


def test_the_book_ties_to_the_total_that_was_filed(tmp_path: Path) -> None:
    """What was paid before the start and what is left add up to all bills, which are 0.19 less than was filed."""
    told = figures(FILED, tmp_path / "x")
    assert [(row["year"], row["as_signed_bn"], row["credited_bn"]) for row in told["rows"]] == [
        (2027, pytest.approx(1.1), 0.0),
        (2028, pytest.approx(1.21 - 0.662), pytest.approx(-0.662)),
    ]
    row = told["contracts"][0]
    assert row["before_bn"] == pytest.approx(1 + 0.662) and row["prepaid_bn"] == 0
    assert row["before_bn"] + row["as_signed_bn"] == pytest.approx(row["whole_bn"]) == pytest.approx(3.31)
    assert (row["filed_bn"], row["difference_bn"]) == (3.5, pytest.approx(-0.19))
    assert row["after_discounted_bn"] == pytest.approx(1.1 / 1.1**0.5 + 0.548 / 1.1**1.5)


def test_a_share_given_back_is_off_the_book(tmp_path: Path) -> None:
    """Worth nothing and free to leave after a year: 1 and the prepayment are paid, and the latter covers nothing."""
    row = figures(replace(EXAMPLES["a prepayment is lost"]), tmp_path / "x")["contracts"][0]
    assert (row["as_signed_bn"], row["after_bn"]) == (pytest.approx(3.31), pytest.approx(1.662))
    assert (row["prepaid_bn"], row["credited_bn"]) == (pytest.approx(0.662), pytest.approx(0.0))


@pytest.mark.parametrize("seed", [4, 12])
def test_the_book_adds_up_to_the_table_of_obligations(seed: int, tmp_path: Path) -> None:
    """Row by row the audited table and the book say the same, and totals are sums of rows."""
    plan = gw.solve(gw.load(random_instance(seed, tmp_path / "x", commitments=True)))
    rows, totals = book(plan.laid_out, plan.decided)
    key = ["contract", "year"]
    table, mine = plan.obligations.set_index(key), rows.set_index(key)
    assert mine["as_signed_bn"].loc[table.index].to_numpy() == pytest.approx(table["as_signed_bn"].to_numpy())
    assert mine["after_bn"].loc[table.index].to_numpy() == pytest.approx(table["after_cancellation_bn"].to_numpy())
    assert (
        mine["after_bn"].sum()
        == pytest.approx(totals["after_bn"].sum())
        == pytest.approx(table["after_cancellation_bn"].sum())
    )
    assert (rows["least_bn"] <= rows["after_bn"] + 1e-12).all() and (rows["after_bn"] <= rows["most_bn"] + 1e-12).all()


def test_the_book_is_printed_and_told_as_json(gwplan: Run, tmp_path: Path) -> None:
    """A planner reads rows under their vendor, totals first, and the difference last."""
    folder = FILED.write(tmp_path / "x")
    lines = [line.split() for line in gwplan("exposure", "--part", "book", folder).stdout.splitlines()]
    assert ["2028", "0.55", "0.55", "0.55", "0.55", "-0.66"] in lines
    assert ["own", "1.52", "1.52", "1.66", "3.31", "3.50", "-0.19"] in lines
    told = json.loads(gwplan("exposure", "--part", "book", folder, "--json").stdout)
    assert set(told["book"]) == {"rows", "contracts", "total"} and "obligations" not in told
