"""The plan in short: what is read first, held to what was worked out by hand and to the plan's own figures."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import gwplan as gw
from gwplan.show.text.brief import dollars
from gwplan.show.text.plan import BLOCKS, print_plan
from tests.cli.conftest import INSTANCES, in_process
from tests.oracle.by_hand import factor
from tests.oracle.hand_examples import EXAMPLES


def brief(plan: gw.Plan, width: int = 80) -> str:
    """Return the short page."""
    file = io.StringIO()
    print_plan(plan, Console(file=file, width=width))
    return file.getvalue()


@pytest.fixture(scope="module")
def reference() -> gw.Plan:
    """The reference case, with what more of its dearest pool adds."""
    return gw.solve(gw.load(INSTANCES / "meta-2026h1"), more_supply="dearest")


def test_a_page_by_hand() -> None:
    """Protects every word of the short page: 1 GW at 4 a year earns 7 a year; half of it is given back for 0.5 a GW."""
    page = brief(gw.solve(gw.load(INSTANCES / "tiny-cancellation"), more_supply="dearest"))
    assert page.splitlines() == [
        "tiny-cancellation   Jan 2026 - Dec 2026, quarterly, one scenario; optimal, checked",
        "DO NOW (Jan 2026)",
        "  training  0.00 -> 1.00 GW  +1.00 cloud",
        "  in all    0.00 -> 1.00 GW  +1.00 that is new or was idle, 0.00 GW idle",
        "NEXT DECISION  1 Apr 2026",
        "  give notice on 0.50 GW of lease; fee $250m",
        "VALUE  NPV $3.8bn cash to 2027, $0 terminal value and penalties = $3.8bn",
        "  mean GW    2026",
        "  training   0.75  ########",
        "  cancelled  0.25  ###",
        "  100% of what is kept is used, 75% of what was delivered",
        "RESTS ON  7 of 7 input rows are assumptions. A fifth less: value of training",
        "          about -$1.4bn. Firmest: training in 2026.",
        "BUY?  No cloud all through 2026 at $4.0bn a GW-year: it adds less than it costs.",
        "1 data warning (gwplan check). More: --full, or --show",
        "value|contracts|deals|buy|limits|scenarios|firmness|warnings",
    ]


def test_the_reference_in_short(reference: gw.Plan) -> None:
    """Protects who acts on it: within one screen what moves, what is decided next, worth and what it rests on."""
    page = brief(reference)
    lines = page.splitlines()
    assert len(lines) <= 32 and max(map(len, lines)) <= 80
    assert "ads     0.60 -> 0.72 GW  +0.07 regional_cloud, +0.05 colocation_hall" in page
    assert "the same in every scenario until Jan 2027" in page
    assert "NEXT DECISION  1 Jan 2027, when msl_progress is known" in page
    worth = reference.objective_bn
    assert f"= {dollars(worth)}" in page and f"NPV {dollars(reference.npv_bn)} cash to 2030" in page
    assert "132 of 150 input rows are assumptions" in page
    best = reference.more_supply.query("step == 'best'").iloc[0]
    assert f"Up to {best['size_gw']:.2g} GW of regional_cloud all through 2027" in page
    assert dollars(best["gain_bn"]) in " ".join(page.split())


def test_a_wide_terminal_shows_decisions_beside_the_table(reference: gw.Plan) -> None:
    """From 110 columns on what to do and GW by year stand side by side, and nothing is wider than the terminal."""
    lines = brief(reference, 118).splitlines()
    assert max(map(len, lines)) <= 118
    now = next(line for line in lines if line.startswith("DO NOW"))
    assert "mean GW" in now and len(lines) < len(brief(reference).splitlines())


def test_what_is_sold_is_committed_and_not_bought() -> None:
    """Protects who reads what to sign: GW of a training run, or for a customer, are given away and not added up."""
    page = brief(gw.solve(gw.load(INSTANCES / "tiny-training")))
    assert "NEXT DECISION  1 Jan 2028\n  commit 1.00 GW to run\n" in page and "sign" not in page


def test_a_rare_scenario_is_not_told_as_impossible() -> None:
    """A worst scenario of one in a million is rare: 0% would say that it cannot happen."""
    rare = "uncertainty[factor=market, outcome=bad].probability = 0.000001"
    page = brief(gw.solve(gw.load(INSTANCES / "tiny-risk").edited(rare)))
    words = " ".join(page.split())
    assert "(<0.1%); best scenario" in words and "(0%)" not in words


def test_gw_that_grow_by_themselves_are_not_signed(tmp_path: Path) -> None:
    """Protects what is told of signatures: an offer twice as large in one future is not signed again there."""
    larger = 'table = "deliveries"\nwhere = { contract = "new" }\ncolumn = "gw"\nscale = 2'
    uncertainty = factor("2028-01-01", ("same", 0.5, ""), ("larger", 0.5, larger))
    page = brief(gw.solve(gw.load(replace(EXAMPLES["must sign"], uncertainty=uncertainty).write(tmp_path))))
    assert "sign 1.50 GW of new" in page
    assert page.count("sign ") == 1
    assert "NEXT DECISION" not in page


def test_nothing_to_do_is_said() -> None:
    """A plan that keeps everything says so, rather than showing an empty table."""
    steady = ("value[pathway=deals].value_bn_per_gw_year = 0", "value[pathway=training].value_bn_per_gw_year = 20",
              "eligibility[pathway=deals].initial_gw = 0", "eligibility[pathway=training].initial_gw = 1")  # fmt: skip
    plan = gw.solve(gw.load(INSTANCES / "tiny-deals").edited(*steady))
    assert "nothing: every pathway keeps what it has, no contract is signed or given back" in " ".join(
        brief(plan).split()
    )


def test_every_block_is_shown_by_itself() -> None:
    """``--show`` knows each block, takes several, and refuses others with their names."""
    for block in BLOCKS:
        done = in_process(["solve", str(INSTANCES / "tiny-cancellation"), "--show", block])
        assert done.exit_code == 0, done.stderr
        assert done.stdout and "DO NOW" not in done.stdout
    done = in_process(["solve", str(INSTANCES / "tiny-cancellation"), "--show", "deal"])
    assert done.exit_code == 2 and all(block in done.stderr for block in BLOCKS)


@pytest.mark.parametrize(
    ("bn", "words"),
    [(37.12, "$37.1bn"), (0.18, "$180m"), (-0.0004, "-$0.4m"), (0.0, "$0"), (0.99961, "$1.0bn"), (1234.5, "$1234bn"),
     (0.0082, "$8.2m")],
)  # fmt: skip
def test_money_is_written_as_people_write_it(bn: float, words: str) -> None:
    """Protects the size of a figure: billions from one on, millions below, and a sign where there is one."""
    assert dollars(bn) == words
