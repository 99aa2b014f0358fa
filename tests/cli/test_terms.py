"""Contracts as filed through the whole command line, on instances worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.oracle.hand_examples import EXAMPLES


def test_a_prepaid_contract_is_told_by_its_parts(gwplan: Run, tmp_path: Path) -> None:
    """H4: a fifth of 3.31 is paid ahead and the rest by its bills, in the figures as on the page."""
    folder = EXAMPLES["a price that rises and is prepaid"].write(tmp_path / "h4")
    parts = json.loads(gwplan("solve", folder, "--json").stdout)["components_bn"]
    assert (parts["contract_cost"], parts["prepayments"]) == (pytest.approx(-2.648), pytest.approx(-0.662))
    page = gwplan("solve", folder, "--full").stdout
    assert any(line.split() == ["prepayments", "-0.66"] for line in page.splitlines())


@pytest.mark.parametrize(
    ("name", "edits", "worth"),
    [
        ("on time", ["contracts[contract=own].delay_months = 12"], 4.4),
        (
            "on time",
            ["contracts[contract=own].delay_months = 12", "contracts[contract=own].end = 2029-01-01"],
            2.4,
        ),
        ("upfront", ["deliveries[contract=new].upfront_bn_per_gw = 4"], 0.0),
    ],
)
def test_delays_and_capital_are_what_ifs(
    gwplan: Run, name: str, edits: list[str], worth: float, tmp_path: Path
) -> None:
    """H12 and S7: a year late is worth 4.4 in place of 4, with a fixed end 2.4; capital of 4 a GW is not worth it."""
    sets = [part for each in edits for part in ("--set", each)]
    answer = json.loads(gwplan("whatif", EXAMPLES[name].write(tmp_path / "x"), *sets, "--json").stdout)
    assert answer["base"]["figures"]["objective_bn"] == pytest.approx(EXAMPLES[name].optimum_bn)
    assert answer["cases"]["set"]["figures"]["objective_bn"] == pytest.approx(worth, abs=1e-9)


def test_the_report_says_the_terms_in_words(gwplan: Run, tmp_path: Path) -> None:
    """Whoever reads the report's table of contracts sees more than a flat price, and the book below it."""
    folder = EXAMPLES["a price that rises and is prepaid"].write(tmp_path / "h4")
    assert gwplan("solve", folder, "--out", "run").returncode == 0
    assert gwplan("export", "run", "--html", "plan.html").returncode == 0
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "price 10 % more a year; 20 % prepaid 0 days ahead, set off from month 24" in page
    assert "Book of obligations" in page and "credited" in page
