"""Words under test, part by part: what is said of figures that are given by hand, where no tiny instance says it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

import gwplan as gw
from gwplan.catalogue.limits import ONE_OFF, PER_YEAR
from gwplan.catalogue.tolerances import MEGAWATT
from gwplan.plan.claims import Claim
from gwplan.plan.first_moves import ENDED, IDLE, NEW, Branch, Move
from gwplan.session import Session
from gwplan.show.page import Page
from gwplan.show.text import breakeven, claims, comparison, decisions, sweep, uncertainty, values
from gwplan.show.text.exposure import print_exposure
from gwplan.show.text.plan import print_plan
from gwplan.show.view import View
from gwplan.studies.breakeven.cases import EXACT, Search, Threshold
from gwplan.studies.compare import Figure
from gwplan.studies.evaluate import Broken, Evaluation
from gwplan.studies.whatif import Attribution, Stack, compare, stacks
from tests.cli.conftest import INSTANCES, in_process
from tests.export.test_words import MORE

ONE_ROW = {"name": "p", "start": pd.Timestamp("2027-04-01"), "known": "", "limit_gw": 2.0, "from_gw": 1.5,
           "to_gw": math.inf, "relaxed": 3.0, "tightened": 4.0, "bn_per_gw_year": 3.5, "unit": PER_YEAR}  # fmt: skip


def said(show: Callable[..., None], *what: Any) -> str:
    """Return what a part puts on a page, in one line."""
    page = Page(80, blocks=False)
    show(page, *what)
    return " ".join(" ".join(line for line, _ in page.lines).split())


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"constraint": "supply"},
         "in 2027 Q2 one more GW of p adds 3 $bn a year, however many; one less costs 4, for up to 0.5 GW"),
        ({"constraint": "target"},
         "in 2027 Q2 a target of p lower by a GW adds 3 $bn a year, for up to 0.5 GW; a higher one costs 4, however "
         "many"),
        ({"constraint": "floor"},
         "in 2027 Q2 a floor of p lower by a GW adds 3 $bn a year, for up to 0.5 GW; a higher one costs 4, however "
         "many"),
        ({"constraint": "cap", "known": "market=up"},
         "in 2027 Q2 (if market=up) a cap of p higher by a GW adds 3 $bn a year, however many; a lower one costs 4, "
         "for up to 0.5 GW"),
        ({"constraint": "ramp", "unit": ONE_OFF, "tightened": math.nan},
         "in 2027 Q2 one more GW of growth by p adds 3 $bn, however many"),
        ({"constraint": "ramp", "unit": ONE_OFF, "to_gw": math.nan},
         "in 2027 Q2 one more GW of growth by p adds 3 $bn; one less costs 4, for up to 0.5 GW"),
        ({"constraint": "lock", "name": "p[q] min", "relaxed": math.nan, "tightened": math.nan},
         "in 2027 Q2 a lock on p[q] lower by a GW adds at most 3.5 $bn a year"),
        ({"constraint": "lock", "name": "p max", "from_gw": 2.1},
         "in 2027 Q2 a lock on p higher by a GW adds 3 $bn a year, however many; a lower one costs 4, for up to 0 GW"),
    ],
)  # fmt: skip
def test_a_marginal_value_says_more_and_less_the_right_way_round(row: dict[str, Any], words: str) -> None:
    """Protects who acts on a shadow price: what relaxes is what adds, and each range is that of its own side."""
    assert values.sentence({**ONE_ROW, **row}, "quarter") == words


def test_the_dozen_that_matters_is_what_a_gw_adds_as_seen_from_the_start() -> None:
    """Protects the order of shadow prices: what a GW adds is discounted, for its period's length; ramps count once."""
    # At 21% one more GW is worth 4 / 1.1 in 2026, in ads, and 4.5 / 1.1^3 in 2027; the locks 0.5 in either year.
    late = ("economics.discount_rate = 0.21", "value[pathway=training].value_bn_per_gw_year = 4.5")
    page = said(values.marginal_values, gw.solve(gw.load(INSTANCES / "tiny-locks").edited(*late)))
    assert "- in 2026 one more GW of cluster adds 4 $bn a year" in page
    assert page.index("of cluster") < page.index("training[cluster]") < page.index("a lock on ads")


def test_a_period_is_called_by_its_length() -> None:
    """Protects dates in words: a year that begins in May, or a quarter in February, is named by its first month."""
    starts = [pd.Timestamp(day) for day in ("2027-01-01", "2027-05-01", "2027-10-01")]
    told = {length: [values.period_name(day, length) for day in starts] for length in ("month", "quarter", "year")}
    assert told == {
        "month": ["2027-01", "2027-05", "2027-10"],
        "quarter": ["2027 Q1", "2027-05", "2027 Q4"],
        "year": ["2027", "2027-05", "2027-10"],
    }


MOVES = {
    "give notice on contracts: lease": Move("cancel", "lease", "", 0.1, "2026-01-01"),
    "give notice on deals: d": Move("notice", "d", "", 0.2, "2026-01-01"),
    "break off deals: d": Move("breach", "d", "", 0.3, "2026-01-01"),
    "sign deals: d": Move("sign", "d", "", 0.4, "2026-01-01"),
    "move from a to b": Move("move", "a", "b", 0.5, "2026-01-01"),
    "new capacity into a": Move("move", NEW, "a", 0.6, "2026-01-01"),
    "leave idle: new capacity": Move("move", NEW, IDLE, 0.8, "2026-01-01"),
    "idle capacity into a": Move("move", IDLE, "a", 0.7, "2026-01-01"),
    "leave idle: from a": Move("move", "a", IDLE, 0.9, "2026-01-01"),
    "lose by ends: a": Move("move", "a", ENDED, 1.0, "2026-01-01"),
}
"""Decisions in the order in which they are told: what binds comes first."""


def branch(number: int, parent: int, told: str, moves: tuple[Move, ...], since: str = "2026-01-01") -> Branch:
    """Return a branch of half a chance."""
    return Branch(number, parent, told, told, 0.5, since, "2027-01-01", moves)


def test_first_moves_are_called_what_they_are() -> None:
    """Protects who acts tomorrow: giver and taker are not exchanged, what binds comes first, all else is counted."""
    moves = tuple(MOVES.values())
    page = said(decisions.moves_before_reveal, [branch(0, -1, "", moves[5:] + moves[:5])], 1.0)
    assert page.startswith("FIRST MOVES, no future is told apart: 2026-01-01 until 2027-01-01 decision GW from")
    rows = [f"{words} {move.gw:.2f} 2026-01-01" for words, move in MOVES.items()]
    places = [page.index(row) for row in rows]
    assert places == sorted(places) and "more, most of them" not in page
    small = [Move("sign", f"d{i}", "", gw_signed, "2026-01-01") for i, gw_signed in enumerate((1.0, 0.005, 0.0049))]
    page = said(decisions.moves_before_reveal, [branch(0, -1, "", tuple(small))], 1.0)
    assert "sign deals: d1 0.01" in page or "sign deals: d1 0.00" in page
    assert page.endswith("1 more, most of them below 0.01 GW, is in --json.")
    page = said(decisions.moves_before_reveal, [branch(0, -1, "", tuple(small * 8))], 1.0)
    assert page.endswith("12 more, most of them below 0.01 GW, are in --json.")
    assert "None: the plan keeps what is in use." in said(decisions.moves_before_reveal, [branch(0, -1, "", ())], 1.0)
    forest = [branch(0, -1, "market=up", moves), branch(1, -1, "market=down", moves)]
    assert said(decisions.moves_before_reveal, forest, 1.0) == (
        "FIRST MOVES, the same in every future None: futures are told apart from the start, 2026-01-01, on."
    )


def test_a_branch_says_what_binds_first_and_what_begins_later() -> None:
    """Protects the tree of decisions: alike ones stand together, a later beginning has its month, a move has none."""
    late = [replace(MOVES[words], since="2026-03-01") for words in ("sign deals: d", "move from a to b")]
    few = branch(1, 0, "market=up", (*late, Move("sign", "e", "", 0.2, "2026-01-01")))
    page = said(decisions.tree_of_moves, [branch(0, -1, "", ()), few, branch(2, 0, "market=down", ())], 1.0)
    assert "in every future until 2027-01-01: as above" in page
    told = "if market=up in 2026-01 (50%): sign deals: d 0.40 from 2026-03, e 0.20; move 0.50 from a to b"
    assert told in " ".join("".join(c for c in page if c not in "│├└─").split())
    assert "if market=down in 2026-01 (50%): little changes" in page
    assert said(decisions.tree_of_moves, [few], 1.0) == ""


def test_what_a_tornado_hangs_on() -> None:
    """Protects who trusts first moves: from which change on they are others, what leaves no plan, and why."""
    table = pd.DataFrame(
        {"input": ["a", "b", "c"], "swing": [1.0, 2.0, 3.0], "reason": "",
         "first_moves_changed_gw": [MEGAWATT, 0.9 * MEGAWATT, 0.0]}
    )  # fmt: skip
    assert said(sweep.hangs_on, table) == ("Half of all swings together is that of c alone. First moves change with a.")
    still = table.assign(first_moves_changed_gw=0.0, swing=[1.0, 1.0, 1.0], reason=["", "no pool", "no pool"])
    assert said(sweep.hangs_on, still) == (
        "Half of all swings together is that of the first 2 of 3 inputs. First moves stay the same whichever input is "
        "off. There is no plan at one end of b and c: no pool."
    )
    assert said(sweep.hangs_on, still.assign(swing=0.0, reason="")).startswith("First moves stay")
    many = pd.DataFrame({"input": list("abcdefgh"), "swing": 0.0, "reason": "", "first_moves_changed_gw": 1.0})
    assert said(sweep.hangs_on, many) == "First moves change with a, b, c, d, e, f and 2 more."
    assert MEGAWATT == 0.001  # a megawatt


def test_draws_without_a_plan_are_counted_by_their_reasons() -> None:
    """Protects a Monte Carlo from silence: how many draws have no plan, why, and of what the other figures speak."""
    statuses = pd.DataFrame(
        [("optimal", "", 5), ("infeasible", "a lock", 2), ("infeasible", "a cap", 1), ("bad_input", "below 0", 2)],
        columns=["status", "reason", "draws"],
    )
    assert said(sweep._without_plan, statuses, 5, 10) == (
        "5 of 10 draws have no plan; the figures below are those of the other 5. "
        "3 infeasible: a lock (and 1 reasons like it, see --json) 2 bad input: below 0"
    )


def searched(**changed: Any) -> str:
    """Return how a breakeven of tiny-locks was found, in words, some of it changed."""
    return breakeven._method(replace(Search(1, None, EXACT, "", 9.0, "", 3), **changed))


def test_how_a_breakeven_was_found_is_said() -> None:
    """Protects the difference between what is exact and what is bracketed, with the reason and what is not seen."""
    assert searched() == "Exact: parametric steps of the basis (3 bases)."
    assert searched(steps=1) == "Exact: parametric steps of the basis (1 basis)."
    assert [breakeven._slope(slope) for slope in (None, -0.0, 0.1234567)] == ["-", "0", "0.123457"]
    between = SimpleNamespace(low=4.0, high=4.5)
    assert searched(method="bisection", reason="blocks are whole", nearest=between, scan=True) == (
        "By bisection of re-solves (3 re-solves), since blocks are whole. It lies between 4 and 4.5. Some of the way "
        "was solved at some values only: what happens and is undone between two is not seen."
    )
    assert searched(nearest=SimpleNamespace(low=4.0, high=4.0)) == "Exact: parametric steps of the basis (3 bases)."


def test_what_moves_at_a_breakeven_has_its_four_figures() -> None:
    """Protects columns that look alike: now, just before, just beyond, and for each unit more; the rest is counted."""
    use = {"what": "use", "name": "a", "year": 2026, "now_gw": 1.0, "before_gw": 2.0, "after_gw": 3.0,
           "after_gw_per_unit": 0.5}  # fmt: skip
    gone = {**use, "what": "cancelled", "name": "lease", "year": None, "after_gw_per_unit": 0.0}
    at = SimpleNamespace(
        before=SimpleNamespace(figure=7.0), after=SimpleNamespace(figure=8.0, worth_bn=9.0), slope_before=1.0,
        slope_after=None, moves=lambda now: [use, *[gone] * 13],
    )  # fmt: skip
    found = SimpleNamespace(figure="plan.npv_bn", now=None, goal=Threshold(7.0))
    page = said(breakeven._break, at, found)
    assert page.startswith("Worth there 9 $bn Figure there 7 | 8 plan.npv_bn Its slope 1 | - per unit of the cells")
    assert "mean GW now before at once per unit beyond beyond a 2026 1.00 2.00 3.00 0.5 lease cancelled 1.00" in page
    assert page.endswith("2 more in --json.")
    assert "per unit beyond" not in said(
        breakeven._break, SimpleNamespace(**{**vars(at), "moves": lambda _: [gone]}), found
    )


def test_claims_are_told_beside_the_data() -> None:
    """Protects a published figure: what holds is counted, what does not is said with figure, ratio and direction."""
    one = Claim(
        claim="one", statement="Two GW run", quantity="", reported=2.0, relation="at_least", unit="GW", tolerance=0.1,
        figure=1.0, ratio=0.5, verdict="too low", grade="", rests_on="reported", source="",
    )  # fmt: skip
    share = replace(one, claim="two", unit="share", relation="at_most", reported=0.0, ratio=None, figure=0.25,
                    verdict="too high", statement="None idle", grade="estimate")  # fmt: skip
    holds = replace(one, claim="three", relation="about", verdict="holds", figure=2.0, ratio=1.0)
    page = said(claims.judged, [one, share, holds])
    assert page.startswith("3 claims: 1 hold, 2 do not. claim reported data ratio verdict grade rests on")
    rows = ["one >= 2 1 0.5 too low - reported", "two <= 0 0.25 - too high estimate reported", "three 2 2 1 holds -"]
    assert all(row in page for row in rows)
    assert page.endswith(
        "WHAT DOES NOT HOLD - one: Two GW run. The data give 1 GW, 0.5 times the 2 reported. "
        "- two: None idle. The data give 0.25."
    )
    assert "WHAT DOES NOT HOLD" not in said(claims.judged, [holds])
    assert said(claims.judged, []) == "There are none: write them into claims.csv."
    shown = {0.0: "0", 1234.5: "1234", 12.34: "12.3", 0.5: "0.5", 0.00123: "0.00123", 1.23456e-7: "1.23e-07"}
    assert {value: claims.figure(value) for value in shown} == shown


def test_stacks_are_attributed_in_words() -> None:
    """Protects the shares of a stack: to what each part adds, how that was reckoned, who gains and loses the GW."""
    session = Session(gw.load(INSTANCES / "tiny-locks"))
    edits = ["value[pathway=ads].value_bn_per_gw_year = 9"]
    found = compare(session, stacks(session.instance, [], edits))
    parts = (found, found.cases[0])
    page = said(comparison.attribution, *parts, Attribution((("dear", 11.0), ("free", -1.0))))
    assert page == (
        "set: why it is worth +10.000 $bn against the base $bn dear +11.000 free -1.000 Shapley shares: what each part "
        "adds, averaged over all orders of the parts. Gain GW-years: ads +2.500. Lose GW-years: training -2.500."
    )
    page = said(comparison.attribution, *parts, Attribution((("dear", 10.0),), exact=False))
    assert "What each part adds to those before it, in the order given; with more than 4 parts" in page
    page = said(comparison.attribution, *parts, Attribution(failure="dear alone has no plan"))
    assert page.endswith("It cannot be attributed: dear alone has no plan.")


def test_a_case_without_a_plan_and_a_figure_of_some_cases_only() -> None:
    """Protects the table of what-ifs: a dash where a case lacks a figure, no difference to a base without one."""
    session = Session(gw.load(INSTANCES / "tiny-locks"))
    found = compare(session, stacks(session.instance, [], ["locks[pathway=ads].min_gw = 2"]))
    page = said(comparison.comparison, found)
    assert "set none none none none" in page
    assert "set has no plan: " in page and page.endswith("in the year from 2027-01.")
    more = replace(found.base, figures={**found.base.figures, Figure("gw_years", "x"): 1.0})
    other = replace(found, cases=(more,))
    assert "training ads x base 2.50 0.500 - base 2.50 (=) 0.500 (=) 1.00 CANCELLED" in said(
        comparison.comparison, other
    )
    long = {Figure("gw_years", f"a pathway with a long name {i}"): 1.0 + i for i in range(3)}
    wide = replace(found.base, figures={**found.base.figures, **long})
    page = said(comparison.comparison, replace(found, base=wide, cases=(replace(found.base, stack=Stack("other")),)))
    assert "training ads a pathway with a long name 0 base 2.50 0.500 1.00 other" in page
    assert page.split().count("other") == 3  # with worth, GW-years and the next GW; not in a table of dashes alone


OWED: Mapping[str, Any] = {
    "vendor": "acme", "contract": "lease", "gw": 1.0, "as_signed_bn": 4.0, "share_as_signed": 0.8,
    "after_cancellation_bn": 3.0, "share_after": 0.6, "least_bn": 1.0, "most_bn": 5.0, "year": 2026,
    "largest_vendor": "acme", "share": 0.8, "known": "market=up, news=good", "probability": 0.25,
}  # fmt: skip
SHOWN: Mapping[str, Any] = {
    "instance": "tiny",
    "aversion": 0.0,
    "edits": ["a = 1", "b = 2"],
    "status": "time_limit",
    "obligations": {
        "vendors": [OWED, *[{**OWED, "vendor": f"small{i}"} for i in range(26)]],
        "total": OWED,
        "largest": {"as_signed": OWED, "after": {"largest_vendor": None, "share": None}},
        "contracts": [{**OWED, "contract": "small", "as_signed_bn": 1.0}, OWED],
        "years": [{**OWED, "share": None}, *[OWED] * 31],
        "branches": [OWED, {**OWED, "known": "market=down, news=bad", "probability": 0.75}],
    },
    "whatifs": [
        {"whatif": "late-start", "vendors": {"acme": {"change_bn": -0.5}, "calm": {"change_bn": 0.004}},
         "total_bn": 2.5, "objective_bn": 7.0, "reason": ""},
        {"whatif": "gone", "vendors": {}, "total_bn": None, "objective_bn": None, "reason": "a lock"},
    ],
    "vendors": [
        {"vendor": "acme", "open_gw": 0.5, "late_bn": 0.2, "fails_bn": -0.3, "late_reason": "", "fails_reason": ""},
        {"vendor": "", "open_gw": 0.0, "late_bn": 0.001, "fails_bn": None, "late_reason": "", "fails_reason": "a cap"},
    ],
    "unverified": {
        "swing": 0.2,
        "statuses": [
            {"status": "reported", "contract_gw": 1.0, "delivery_gw": 2.0, "cells": 3, "largest_bn": 9.0,
             "added_bn": 9.0},
            {"status": "", "contract_gw": 0.5, "delivery_gw": 0.0, "cells": 2, "largest_bn": 0.6, "added_bn": 0.7},
            {"status": "scenario", "contract_gw": 0.0, "delivery_gw": 0.0, "cells": 0, "largest_bn": 0.0,
             "added_bn": 0.0},
        ],
        "swings": [
            {"cells": "value", "status": "", "count": 2, "down_bn": -0.6, "up_bn": None, "at_risk_bn": 0.6,
             "reason": "a floor"},
            {"cells": "fee", "status": "scenario", "count": 1, "down_bn": 0.004, "up_bn": 0.25, "at_risk_bn": 0.005,
             "reason": ""},
            {"cells": "width", "status": "scenario", "count": 1, "down_bn": 0.0, "up_bn": 0.0, "at_risk_bn": 0.004,
             "reason": ""},
        ],
    },
}  # fmt: skip


def test_exposure_says_what_is_owed_and_at_risk(capsys: pytest.CaptureFixture[str]) -> None:
    """Protects columns that look alike: signed and kept, late and failed, down and up, gain and loss."""
    print_exposure(SHOWN)
    page, at = " ".join(capsys.readouterr().out.split()), 0
    for words in (
        "EXPOSURE OF tiny Changed from the instance as written: a = 1; b = 2 The plan is NOT PROVED BEST (time limit).",
        "acme 1.00 4.00 80% 3.00 60% 1.00 5.00 small0 1.00",
        "all 4.00 3.00 1.00 5.00 2 smaller vendors are left out.",
        "As signed, most is owed to acme, 80%. OWED BY CONTRACT",
        "lease 4.00 3.00 1.00 5.00 small 1.00 3.00 1.00 5.00 OWED BY YEAR",
        "2026 4.00 3.00 - 2026 4.00 3.00 acme, 80%",
        "2 later years are left out. OWED BY FUTURE, $bn market, news chance as signed after plan",
        "down, bad 75% 4.00 3.00 up, good 25% 4.00 3.00",
        "WHAT EACH WHAT-IF CHANGES OF WHAT IS OWED, $bn after the plan's cancellations late gone start",
        "acme -0.50 - all that is owed 2.50 no plan worth of the plan 7.00 no plan",
        "For 1 other vendors nothing changes. gone has no plan: a lock",
        "WORTH AT RISK BY VENDOR, $bn of the plan's worth GW open a quarter late fails",
        "acme 0.50 -0.20 +0.30 no vendor named 0.00 0 no plan",
        "no vendor named: no plan: a cap",
        "each swung 20% down and up",
        "reported 1.00 2.00 - - - no status 0.50 0.00 2 0.60 0.70 GW by the status",
        "column status cells -20% +20% value none 2 -0.60 no plan fee scenario 1 0 +0.25 1 smaller swing is left out.",
        "value: a side has no plan: a floor",
    ):
        assert words in page[at:], f"{words!r} is not in ... {page[at : at + 300]}"
        at = page.index(words, at) + len(words)


def test_a_broken_limit_says_where_and_how_often() -> None:
    """Protects who reads of a limit that a given plan breaks on several nodes: the most of it, and where first."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-risk"))
    often = Broken("ads has more than its cap", 0.25, 3, "2027-01-01", "market=bad")
    once = [replace(often, nodes=1, known="")] * 12
    page = said(breakeven.evaluation, Evaluation(plan, plan, (often, *once)))
    assert "- ads has more than its cap: by 0.250 GW at most, on 3 nodes, first at 2027-01-01, market=bad -" in page
    assert "- ads has more than its cap: by 0.250 GW, at 2027-01-01 - ads" in page
    assert "1 limit is left out. WORTH as if those limits were lifted that far" in page
    assert "WHERE THE GAP" not in page
    other = gw.solve(gw.load(INSTANCES / "tiny-risk").edited("value[pathway=deals].value_bn_per_gw_year = 0"))
    page = said(breakeven.evaluation, Evaluation(other, plan, ()))
    assert page.endswith(
        "The objective weighs bad outcomes too, so that its gap is another than the expected one here."
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"gap": 0.0123, "optimal": False}, "NOT PROVED BEST, stopped (time limit): it keeps every limit; it may miss "
         "1.2% of worth."),
        ({"gap": math.inf, "optimal": False}, "it keeps every limit; how far it is from the best is not known."),
        ({"gap": 3e-7, "mip_gap": 2e-4, "bound_bn": 6.5, "optimal": True}, "by the solver's search no plan is worth "
         "more than 6.5 $bn (MIP gap 2e-04)."),
        ({"gap": 3e-7, "optimal": True}, "Proved optimal: it keeps every limit and no plan is worth more (gap 3e-07)."),
    ],
)  # fmt: skip
def test_the_proof_is_said_as_it_is(changed: dict[str, Any], words: str) -> None:
    """Protects against a plan being taken for better proved than it is."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-curve"))
    status = "optimal" if changed["optimal"] else "time_limit"
    summary = {**plan.summary, "certificate": {**plan.summary["certificate"], **changed}}
    file = io.StringIO()
    print_plan(replace(plan, status=status, summary=summary), Console(file=file, width=80), full=True)
    assert words in " ".join(file.getvalue().split())


def test_what_uncertainty_cannot_say_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the report where a figure is missing, where options are many, and where nothing is uncertain."""
    found = gw.uncertainty(gw.load(INSTANCES / "tiny-tree"))
    lacking = replace(found, rigid_bn=None, reallocation_bn=None, reasons={"rigid_bn": "no split fits"})
    page = said(uncertainty.figures, lacking, uncertainty.money_of(found))
    assert "for all futures - no split fits" in page and "reallocation none RP" in page
    assert "In short: foresight would add 6% of the plan's worth and fungible GW are 16% of it." in page
    monkeypatch.setattr(uncertainty, "MOST_FUTURES", 3)
    page = said(uncertainty.futures, found, uncertainty.money_of(found))
    ends = "down / slow 38% 4.000 5.000 1.000 down / fast 12% 9.000 10.000 1.000 up / fast 12% 13.000 13.000 0.000"
    assert f"{ends} 1 future between the worst and the best is left out." in page
    some = replace(found.options[0], option="contract")
    many = [replace(some, name=f"c{i}", value_bn=float(i), without_bn=8.0 - i) for i in range(11)]
    none = replace(some, name="all", value_bn=None, without_bn=None, reason="no plan without it")
    page = said(uncertainty.options, replace(found, options=(*many, none)), uncertainty.money_of(found))
    assert "all none none c10 10.000 -2.000 c9 9.000 -1.000 c8 8.000 0.000 ... 4 between, see --json c3 3.000" in page
    assert page.endswith("c0 0.000 8.000 Negative: the plan would be worth more without it. "
                         "contract all: no plan without it.")  # fmt: skip
    sure = gw.uncertainty(gw.load(INSTANCES / "tiny-locks").edited("locks.max_gw = 1"))
    file = io.StringIO()
    uncertainty.print_uncertainty(sure, Console(file=file, width=80), full=True)
    page = " ".join(file.getvalue().split())
    assert (
        "One future: nothing uncertain is revealed within the plan's dates, so foresight adds nothing. Changed" in page
    )
    assert "Changed from the instance as written: locks.max_gw = 1" in page
    assert "kept throughout" in page and "In short" not in page and "WORTH BY FUTURE" not in page


def test_runs_are_told_apart_by_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a comparison of kept runs: what differs, of which run, from what to what, with its sign."""
    monkeypatch.chdir(tmp_path)
    tiny = str(INSTANCES / "tiny-locks")
    assert in_process(["solve", tiny, "--out", "one"]).exit_code == 0
    dear = "value[pathway=ads].value_bn_per_gw_year = 9"
    assert in_process(["solve", tiny, "--set", dear, "--out", "two"]).exit_code == 0
    page = " ".join(in_process(["compare", "one", "two", "one"]).stdout.split())
    for words in (
        "RUNS of tiny-locks A = one (the others are held against it) B = two C = one",
        "INPUTS of A and B A B value[pathway=ads, from=2026-01-01, tier=1].value_bn_per_gw_year 4 9",
        "INPUTS of A and C: the same",
        "THIS YEAR'S DECISION B: training 0.80 -> 0.00 GW and ads 0.20 -> 1.00 GW. C: the same as A's.",
        "FIGURES that differ A B (difference) C (difference)",
        "worth, $bn 17.00 27.00 (+10.00) 17.00 (+0.00)",
        "GW-years: training 2.50 0.00 (-2.50) 2.50 (+0.00)",
        "ALLOCATION that moved: expected GW, mean of the year year A B (difference) C (difference)",
        "ads on cluster 2026 0.20 1.00 (+0.80) 0.20 (+0.00)",
    ):
        assert words in page, f"{words!r} is not in {page}"
    assert [comparison.letter(place) for place in (0, 25, 26)] == ["A", "Z", "run 27"]


def test_notices_that_are_not_listed_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the end of the list of cancellations: how many more, from when, their GW and their fees."""
    monkeypatch.setattr(decisions, "MOST_LINES", 2)
    plan = gw.solve(gw.load(INSTANCES / "tiny-cancellation").edited(*MORE))
    page = said(decisions.cancellations, View(plan))
    assert "On 2026-04-01: 0.80 GW lease cloud 0.50 50 2026-07 0.25 % of it" in page
    assert (
        "1 more (smaller or later), the first on 2026-04-01: expected 0.30 GW, fees 0.03 $bn; a kept run (--out) lists "
        "them." in page
    )
