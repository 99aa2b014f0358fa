"""The case's pages: every figure in them is what the commands say, and headlines end where the table says they do."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from gwplan.show.charts.pictures import PICTURES
from tests.case.figures import ROOT, instance, session
from tests.case.headlines import ASSUMPTIONS, GRID, HEADLINES_TOLD, Verdicts, edits, tried
from tests.case.pages import HEADLINES, PAGES, page

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")


def test_pages_are_what_their_templates_become() -> None:
    """Words are the template's and figures the commands', each within two units of its last digit."""
    for template, target in PAGES.items():
        made, kept = page(template), target.read_text(encoding="utf-8")
        assert re.sub(r" +", " ", NUMBER.sub("#", made)) == re.sub(r" +", " ", NUMBER.sub("#", kept)), (
            f"{target.name} is out of date: python -m tests.case.pages"
        )
        for new, old in zip(NUMBER.findall(made), NUMBER.findall(kept), strict=True):
            places = len(old.partition(".")[2])
            assert abs(float(new) - float(old)) <= 2.001 * 10.0**-places * (places > 0), (target.name, old, new)


@pytest.mark.parametrize("name", ASSUMPTIONS)
def test_headlines_end_where_the_table_says(name: str) -> None:
    """At the ends of a range a headline holds, and a step of the grid beyond it does not; "all" holds at both ends."""
    (row,) = [line for line in HEADLINES.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} |")]
    ranges = dict(zip(HEADLINES_TOLD, [cell.strip() for cell in row.strip("|").split("|")[1:]], strict=True))
    known: dict[float, Verdicts] = {}

    def holds(headline: str, factor: float) -> bool:
        if factor not in known:
            known[factor] = tried(session(), edits(name, factor) if factor != 1.0 else [])
        return known[factor].holds[headline]

    for headline, told in ranges.items():
        if told == "all":
            assert holds(headline, GRID[0]) and holds(headline, GRID[-1]), (name, headline)
        factors = {float(factor) for factor in re.findall(r"x([\d.]+)", told)}
        for end in factors:
            outwards = -1 if f"x{end:g} up" == told or told.startswith(f"x{end:g} to") else 1
            for factor, wanted in ((end, True), (GRID[GRID.index(end) + outwards], False)):
                assert holds(headline, factor) is wanted, (name, headline, factor)


def test_every_assumption_is_in_the_table_and_reaches_cells() -> None:
    """The table has a row for each assumption, and doubling one changes the instance."""
    lines = HEADLINES.read_text(encoding="utf-8").splitlines()[2:]
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert rows == list(ASSUMPTIONS)
    for name in ASSUMPTIONS:
        assert instance().edited(*edits(name, 1.5)) != instance()


@pytest.mark.parametrize(
    "number",
    [
        "5",
        "10",
        "2.5",
        "21",
        "27",
        "3.5",
        "1.2",
        "3.1",
        "4.8",
        "2.6",
        "4",
        "90",
        "0.3",
        "0.04",
        "0.05",
        "0.03",
        "23",
        "1.43",
        "16",
        "1.19",
        "1.12",
    ],
)
def test_each_number_of_the_article_is_claimed(number: str) -> None:
    """Every figure of the article is reported by a claim, or is what one is computed from, with source and grade."""
    with (ROOT / "instances" / "meta-2026h1" / "claims.csv").open(encoding="utf-8", newline="") as file:
        claims = list(csv.DictReader(file))
    found = [c for c in claims if float(c["reported"]) == float(number) or number in NUMBER.findall(c["quantity"])]
    assert found
    assert all(claim["source"] and claim["status"] for claim in claims)


def test_the_pages_pictures_exist() -> None:
    """The pictures that the page shows are among those that ``gwplan export RUN --svg DIR`` writes."""
    text = (ROOT / "docs" / "burden-or-option.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(burden-or-option/(\w+)\.svg\)", text)
    assert {"signed", "capacity", "premium"} <= set(shown) <= set(PICTURES)
    for name in shown:
        assert Path(ROOT / "docs" / "burden-or-option" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
