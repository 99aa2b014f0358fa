"""``gwplan price`` as a planner types it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Run
from tests.oracle.hand_examples import EXAMPLES


@pytest.fixture
def waits(tmp_path: Path) -> Path:
    """Return the folder of an offer that may be signed a year later, when it is known whether it is needed."""
    return EXAMPLES["signs when it knows"].write(tmp_path / "waits")


def test_price_prints_findings_first_and_keeps_them(gwplan: Run, waits: Path, tmp_path: Path) -> None:
    """The page fits 80 columns and begins with the answer; CSV and pictures are written whole, and not over others."""
    page = gwplan("price", waits, "new", "--csv", "new.csv", "--svg", "new.svg")
    assert page.returncode == 0, page.stderr
    lines = page.stdout.splitlines()
    assert lines[0] == "PRICE OF new: 1 GW of cloud, 2.00 $bn per GW-year asked"
    assert lines[1].startswith("Signed by 2027-01-01 the most to pay is 1.50 for the first 0.1 GW, 1.50 for all")
    assert any(line.split() == ["2028-01-01,", "if", "f=more", "50%", "3.00", "3.00"] for line in lines)
    assert any(line.split() == ["f,", "2028-01-01", "6.00", "6.50", "0.500", "0.250"] for line in lines)
    assert len(lines) <= 35 and max(map(len, lines)) <= 80
    table = pd.read_csv(tmp_path / "new.csv")
    assert (
        set(table["part"]) == {"most", "clause", "waiting"} and "the most to pay" in (tmp_path / "new.svg").read_text()
    )
    again = gwplan("price", waits, "new", "--csv", "new.csv")
    assert again.returncode == 1 and "--force" in again.stderr


def test_price_as_json_and_of_a_customer(gwplan: Run, waits: Path, tmp_path: Path) -> None:
    """The JSON holds every figure; of a customer it is the least to take."""
    told = json.loads(gwplan("price", waits, "new", "--json").stdout)
    assert (told["offer"], told["gw"], told["asked"], told["terminal_value"]) == ("new", 1.0, 2.0, None)
    assert {(row["aversion"], row["before_bn"], row["after_bn"]) for row in told["waiting"]} == {
        (0, 6, 6.5),
        (0.5, 6, 6.25),
    }
    page = gwplan("price", EXAMPLES["customer"].write(tmp_path / "customer"), "deal")
    assert "Signed by 2027-01-01 the least to take is 1.00" in page.stdout and "THE LEAST TO TAKE" in page.stdout


def test_what_cannot_be_priced_ends_in_one_line(gwplan: Run, gwplan_started: Run, waits: Path) -> None:
    """A misspelt offer names those there are, a firm contract says so, a wrong ending is wrong usage."""
    for run, offer, words in ((gwplan, "nww", "offers are: new"), (gwplan_started, "own", "it is a firm contract")):
        bad = run("price", waits, offer)
        assert (bad.returncode, bad.stdout, bad.stderr.count("\n")) == (1, "", 1) and words in bad.stderr
    assert gwplan("price", waits, "new", "--png", "new.jpg").returncode == 2
