"""Words under test: conflicts of tiny instances and ways out of them, each worked out by hand."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.conflict.diagnose import Conflict, Diagnosis, _gw, conflicts_in_words, diagnose, listed, quoted
from gwplan.conflict.repairs import Repair, in_order
from gwplan.conflict.ways_out import Step, _stepped_words, price_of, span, steps
from gwplan.language.edits import Edit, Factor, Outcome
from gwplan.tree.timeline import timeline
from tests.cli.conftest import INSTANCES

Q3 = "in the quarter from 2026-07"
CASES = {
    # Training grows by 0.3 a quarter from 0.2: 0.8 in Q2. A 30th of 0.5 GW-years is missing in either way.
    "ramp": (
        "tiny-ramp",
        ["insert demand[pathway=training, from=2026-04-01, floor_gw=0.9]"],
        ["training needs at least 0.9 GW of effective capacity in the quarter from 2026-04",
         "training may grow by at most 0.1 GW a month from 2026-01 until 2026-07, from 0.2 GW before the start "
         "(pathways.csv row 2)"],
        ["lower the floor of training to 0.8 GW in the quarter from 2026-04: 0.025 GW-years, 17.0",
         "raise the ramp of training by 0.01667 GW a month: 0.05 GW-years, 17.7",
         "let the floor of training begin 3 months later, in 2026-07: 0.225 GW-years, 17.0"],
    ),
    # The third of a floor that is there already: it stays until the higher one begins.
    "stays": (
        "tiny-ramp",
        ["insert demand[pathway=training, from=2026-01-01, floor_gw=0.5]",
         "insert demand[pathway=training, from=2026-04-01, floor_gw=0.9]"],
        None,
        ["lower the floor of training to 0.8 GW in the quarter from 2026-04: 0.025 GW-years, 17.0",
         "raise the ramp of training by 0.01667 GW a month: 0.05 GW-years, 17.7",
         "let the floor of training begin 3 months later, in 2026-07, and stay at 0.5 GW until then: 0.1 GW-years, "
         "17.0"],
    ),
    # 0.6 GW from the start on, where 0.5 is the most in Q1: 0.1 less, or a 30th of a GW a month more in all quarters.
    "start": (
        "tiny-ramp",
        ["insert demand[pathway=training, from=2026-01-01, floor_gw=0.6]"],
        None,
        ["lower the floor of training to 0.5 GW in the quarter from 2026-01: 0.025 GW-years, 17.0",
         "raise the ramp of training by 0.03333 GW a month: 0.1 GW-years, 18.4",
         "let the floor of training begin 3 months later, in 2026-04: 0.15 GW-years, 17.0"],
    ),
    # 0.2 GW over a cap for a quarter; a GW of ads brings 1 where training brings 5.
    "cap": (
        "tiny-ramp",
        ["insert locks[pathway=ads, from=2026-07-01, until=2026-10-01, min_gw=0.6]"],
        [f"a lock holds ads at 0.6 GW or more {Q3}", f"ads may use at most 0.4 GW {Q3} (demand.csv row 2)"],
        ["lower the lock on ads from 2026-07 until 2026-10 by 0.2 GW, to 0.4 GW: 0.05 GW-years, 15.0",
         f"raise the cap of ads to 0.6 GW {Q3}: 0.05 GW-years, 13.4"],
    ),
    # 0.5 GW more than there is, for a year; 6 of training for the half that ads do not need.
    "supply": (
        "tiny-locks",
        ["locks[pathway=ads].min_gw = 1.5"],
        ["a lock holds ads at 1.5 GW or more in the year from 2027-01 (locks.csv row 3)",
         "pool cluster holds 1 GW in the year from 2027-01 (deliveries.csv row 2)"],
        ["have 0.5 GW more in pool cluster in the year from 2027-01: 0.5 GW-years, 17.6",
         "lower the lock on ads from 2027-01 until 2028-01 by 0.5 GW, to 1 GW: 0.5 GW-years, 15.6"],
    ),
    # Least against most: the one counts for one year, the other for the two in which it is in force.
    "locks": (
        "tiny-locks",
        ["insert locks[pathway=ads, pool=cluster, from=2027-01-01, max_gw=0]"],
        ["a lock holds ads at 0.3 GW or more in the year from 2027-01 (locks.csv row 3)",
         "a lock holds ads on cluster at 0 GW from 2027-01 to the end"],
        ["lower the lock on ads from 2027-01 until 2028-01 by 0.3 GW, to 0: 0.3 GW-years, 17.6",
         "raise the lock on ads on cluster from 2027-01 by 0.3 GW, to 0.3 GW: 0.6 GW-years, 17.0"],
    ),
    # 0.4 GW in deals come back a quarter after notice; broken off it counts for a term of two quarters.
    "deals": (
        "tiny-deals",
        ["insert locks[pathway=training, from=2026-01-01, until=2026-04-01, min_gw=0.8]"],
        ["a lock holds training at 0.8 GW or more in the quarter from 2026-01",
         "pool cloud holds 1 GW in the quarter from 2026-01 (deliveries.csv row 2)",
         "what deals has (0.4 GW before the start) comes back only 90 days after notice and stays for at least 180 "
         "days once signed, in the quarter from 2026-01 (pathways.csv row 3)"],
        ["have 0.2 GW more in pool cloud in the quarter from 2026-01: 0.05 GW-years, 16.3",
         "lower the lock on training from 2026-01 until 2026-04 by 0.2 GW, to 0.6 GW: 0.05 GW-years, 15.3",
         "let 0.2 GW of deals come back without notice, at a price, in 2026-01: 0.1 GW-years, 15.1"],
    ),
    # 0.4 GW of deals before the start in one pool, 0.1 in another, where 0.1 GW more earns 0.2 in all five quarters
    # and in Q4 lets as much of the other train: 15.3 + 1 + 0.1. What is broken off costs 4 a GW, trained in Q1 it
    # brings 3.
    "pools": (
        "tiny-deals",
        ["insert pools[pool=hall]", "insert contracts[contract=more, pool=hall]",
         "insert deliveries[contract=more, date=2026-01-01, gw=0.1]",
         "insert eligibility[pathway=deals, pool=hall, initial_gw=0.1]",
         "insert locks[pathway=deals, from=2026-01-01, until=2026-04-01, max_gw=0.2]"],
        ["a lock holds deals at 0.2 GW or less in the quarter from 2026-01",
         "what deals has (0.5 GW before the start) comes back only 90 days after notice and stays for at least 180 "
         "days once signed, in the quarter from 2026-01 (pathways.csv row 3)"],
        ["raise the lock on deals from 2026-01 until 2026-04 by 0.3 GW, to 0.5 GW: 0.075 GW-years, 16.4",
         "let 0.3 GW of deals come back without notice, at a price, in 2026-01: 0.15 GW-years, 16.1"],
    ),
    # 0.8 GW signed in 2026 shrink to 0.4, which leave 0.6 of 0.9; 0.1 would come of 0.2.
    "churn": (
        "tiny-churn",
        ["insert locks[pathway=training, from=2027-01-01, until=2028-01-01, min_gw=0.9]",
         "insert locks[pathway=service, from=2026-01-01, until=2027-01-01, min_gw=0.8]"],
        ["a lock holds service at 0.8 GW or more in the year from 2026-01",
         "a lock holds training at 0.9 GW or more in the year from 2027-01",
         "pool cloud holds 1 GW in the year from 2027-01 (deliveries.csv row 2)",
         "what service has stays for at least 730 days once signed, in the year from 2027-01 (pathways.csv row 3)"],
        ["have 0.3 GW more in pool cloud in the year from 2027-01: 0.3 GW-years, 15.8",
         "lower the lock on training from 2027-01 until 2028-01 by 0.3 GW, to 0.6 GW: 0.3 GW-years, 14.6",
         "lower the lock on service from 2026-01 until 2027-01 by 0.6 GW, to 0.2 GW: 0.6 GW-years, 12.65",
         "let 0.3 GW of service come back without notice, at a price, in 2027-01: 0.6 GW-years, 6.35"],
    ),
    # A row dated within Q2 holds from Q3 on: the edit must end before it.
    "midway": (
        "tiny-ramp",
        ["insert demand[pathway=training, from=2026-04-01, floor_gw=0.9]",
         "insert demand[pathway=training, from=2026-05-15, floor_gw=0.5]"],
        None,
        ["lower the floor of training to 0.8 GW in the quarter from 2026-04: 0.025 GW-years, 17.0",
         "raise the ramp of training by 0.01667 GW a month: 0.05 GW-years, 17.7",
         "let the floor of training begin 3 months later, in 2026-07: 0.225 GW-years, 17.0"],
    ),
    "named": (
        "tiny-locks", ["insert contracts[contract=more_cluster_1, pool=cluster]", "locks[pathway=ads].min_gw = 1.5"],
        None, None,
    ),
    # No pool for a pathway that must have 0.2 GW.
    "nowhere": (
        "tiny-ramp",
        ["drop eligibility[pathway=ads]", "insert demand[pathway=ads, from=2026-04-01, floor_gw=0.2]"],
        ["ads needs at least 0.2 GW of effective capacity from 2026-04 to the end, and no pool may be used by it"],
        None,
    ),
    # 0.4 GW on offer for two years do not help in the last.
    "offered": (
        "tiny-training",
        ["insert contracts[contract=more, pool=cluster, end=2030-01-01]",
         "insert deliveries[contract=more, date=2028-01-01, gw=0.4]",
         "insert offers[contract=more, opens=2027-01-01, closes=2027-12-31]",
         "insert demand[pathway=inference, from=2028-01-01, floor_gw=2.5]"],
        ["inference needs at least 2.5 GW of effective capacity from 2028-01 to the end",
         "pool cluster holds 2 GW from 2028-01 to the end, 0.4 falling to 0 GW more if every offer is signed "
         "(deliveries.csv row 2)"],
        None,
    ),
    "sold": (
        "tiny-training",
        ["drop contracts[contract=run]", "insert contracts[contract=sale, side=sell, pool=cluster, end=2030-01-01]",
         "insert deliveries[contract=sale, date=2028-01-01, gw=3]"],
        ["of pool cluster 1 GW more are sold than it has from 2028-01 until 2030-01 (deliveries.csv row 2)"],
        None,
    ),
    # A deal pathway that may sign 0.3 a quarter and has none.
    "signing": (
        "tiny-churn",
        ["pathways[pathway=service].ramp_gw_per_month = 0.02",
         "insert locks[pathway=service, from=2026-01-01, until=2027-01-01, min_gw=0.3]"],
        ["a lock holds service at 0.3 GW or more in the year from 2026-01",
         "service may sign at most 0.02 GW a month in the year from 2026-01, from 0 GW before the start "
         "(pathways.csv row 3)"],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_conflict_and_its_ways_out_are_told(case: str) -> None:
    """Protects whoever has no plan: who is in conflict, how much and when; what to give up, its GW-years, its worth."""
    name, edits, conflict, ways = CASES[case]
    found = diagnose(gw.load(INSTANCES / name).edited(*edits))
    if conflict is not None:
        assert [part.words + (f" ({part.where})" if part.where else "") for part in found.conflicts] == conflict
    if ways is not None:
        told = [f"{r.words}: {round(r.gw_years, 6):g} GW-years, {round(r.worth_bn, 4)}" for r in found.repairs]
        assert told == ways
    assert not found.another and found.because == ()


def test_one_month_later_is_one_month() -> None:
    """Protects the words of a floor that begins a month later: 0.1 GW a month from 0.2 are 0.3 in January."""
    monthly = ("calendar.resolution = month", "insert demand[pathway=training, from=2026-01-01, floor_gw=0.35]")
    found = diagnose(gw.load(INSTANCES / "tiny-ramp").edited(*monthly))
    assert "let the floor of training begin 1 month later, in 2026-02" in [repair.words for repair in found.repairs]


EDITS = {
    "ramp": ["demand[pathway=training].floor_gw = 0.8 @ 2026-04-01..2026-07-01",
             "pathways[pathway=training].ramp_gw_per_month += 0.016666667",
             "demand[pathway=training].floor_gw = 0.0 @ 2026-04-01..2026-07-01"],
    "cap": ['locks[pathway=ads, pool="", from=2026-07-01].min_gw = 0.4',
            "demand[pathway=ads].cap_gw = 0.6 @ 2026-07-01..2026-10-01"],
    "supply": ["insert contracts[contract=more_cluster_1, pool=cluster, end=2028-01-01]",
               "insert deliveries[contract=more_cluster_1, date=2027-01-01, gw=0.5]",
               'locks[pathway=ads, pool="", from=2027-01-01].min_gw = 1.0'],
    "midway": ["demand[pathway=training].floor_gw = 0.8 @ 2026-04-01..2026-04-02",
               "pathways[pathway=training].ramp_gw_per_month += 0.016666667",
               "demand[pathway=training].floor_gw = 0.0 @ 2026-04-01..2026-04-02"],
    "named": ["insert contracts[contract=more_cluster_2, pool=cluster, end=2028-01-01]",
              "insert deliveries[contract=more_cluster_2, date=2027-01-01, gw=0.5]",
              'locks[pathway=ads, pool="", from=2027-01-01].min_gw = 1.0'],
    "locks": ['locks[pathway=ads, pool="", from=2027-01-01].min_gw = 0.0',
              "locks[pathway=ads, pool=cluster, from=2027-01-01].max_gw = 0.3"],
}  # fmt: skip


@pytest.mark.parametrize("case", EDITS)
def test_a_way_out_can_be_pasted(case: str) -> None:
    """Protects whoever pastes a line: the edits do what the words say."""
    name, edits, _, _ = CASES[case]
    assert [edit for r in diagnose(gw.load(INSTANCES / name).edited(*edits)).repairs for edit in r.edits] == EDITS[case]


JULY = dt.date(2026, 7, 1)


@pytest.mark.parametrize(
    ("written", "outcome", "needs", "cell", "lowered"),
    [
        # Half a GW more than the table: what is 0.2 too much is taken off the table's 0.7. Twice: half as far.
        (
            "demand",
            Edit("demand", "add", {"pathway": "training"}, "floor_gw", 0.5, JULY),
            "1.2",
            "0.7 GW as written, ",
            "0.5",
        ),
        (
            "demand",
            Edit("demand", "scale", {"pathway": "training"}, "floor_gw", 2.0, JULY),
            "1.4",
            "0.7 GW x 2, ",
            "0.5",
        ),
        (
            "demand",
            Edit("demand", "set", {"pathway": "training"}, "floor_gw", 1.3, JULY),
            "1.3",
            "0.7 GW as written, ",
            "",
        ),
        ("locks", Edit("locks", "add", {"pathway": "training"}, "min_gw", 0.5), "1.2", "", ""),
    ],
)  # fmt: skip
def test_what_an_outcome_changes_gives_way_as_far_as_it_lets_through(
    written: str, outcome: Edit, needs: str, cell: str, lowered: str
) -> None:
    """Protects a way out on a tree: the table's figure gives way by what reaches the future that is in conflict."""
    column = "floor_gw" if written == "demand" else "min_gw"
    base = gw.load(INSTANCES / "tiny-ramp").edited(f"insert {written}[pathway=training, from=2026-07-01, {column}=0.7]")
    news = Factor("news", dt.date(2026, 4, 1), (Outcome("high", 0.5, (outcome,)), Outcome("low", 0.5)))
    found = diagnose(replace(base, factors=(news,)))
    about = (
        f"training needs at least {needs} GW of effective capacity" if written == "demand"
        else f"a lock holds training at {needs} GW or more"
    )  # fmt: skip
    assert [part.words for part in found.conflicts] == [
        f"{about} from 2026-07 to the end ({cell}if news=high)",
        "pool cluster holds 1 GW from 2026-07 to the end (if news=high)",
    ]
    assert [(part.first, part.until) for part in found.conflicts] == [("2026-07-01", "2027-01-01")] * 2
    less = [repair.words for repair in found.repairs if repair.words.startswith("lower")]
    assert less == ([f"lower the floor of training to {lowered} GW from 2026-07 to the end"] if lowered else [])


def test_more_capacity_costs_what_the_pool_costs_on_average() -> None:
    """Protects the worth of a way out: each contract of the pool counts as much as it delivers, others not at all."""
    laid_out = timeline(gw.load(INSTANCES / "tiny-terminal").edited("insert pools[pool=hall]"))
    assert price_of("cloud", laid_out) == pytest.approx((2 * 2 + 1 * 4) / 3)
    assert price_of("hall", laid_out) == 0.0


@pytest.mark.parametrize(("rows", "where"), [(2, "rows 2 and 3"), (3, "rows 2 to 4"), (4, "")])
def test_where_demands_are_written(rows: int, where: str, tmp_path: Path) -> None:
    """Protects whoever looks a demand up: one row, two or a run of them; many are found by their name instead."""
    folder = tmp_path / "instance"
    shutil.copytree(INSTANCES / "tiny-ramp", folder)
    lines = "".join(f"own,2026-01-0{row + 1},{1 / rows}\n" for row in range(rows))
    (folder / "deliveries.csv").write_text(f"contract,date,gw\n{lines}")
    locked = gw.load(folder).edited("insert locks[pathway=training, from=2026-07-01, until=2026-10-01, min_gw=1.05]")
    found = {part.kind: part.where for part in diagnose(locked).conflicts}
    assert found["supply"] == (f"deliveries.csv {where}" if where else "")


@pytest.mark.parametrize(
    ("gw_of", "periods", "words"),
    [
        ([1.0, 1.0], [0, 1], "1 GW"),
        ([1.0, 1.5, 2.0], [0, 1, 2], "1 rising to 2 GW"),
        ([2.0, 1.0], [0, 1], "2 falling to 1 GW"),
        ([1.0, 2.0, 1.0], [0, 1, 2], "1 to 2 GW"),
        ([1.0, 2.0], [0, 0], "1 to 2 GW"),
        ([1.0, 2.0, 1.5, 2.5], [0, 0, 1, 1], "1 rising to 2.5 GW"),
        ([1.0, 3.0, 1.5, 4.0, 2.0, 3.5], [0, 0, 1, 1, 2, 2], "1 to 4 GW"),
    ],
)
def test_figures_rise_fall_or_neither(gw_of: list[float], periods: list[int], words: str) -> None:
    """Protects a range in a sentence: it rises, falls or only spans, and futures of one period are no order."""
    assert _gw(np.array(gw_of), np.array(periods)) == words


def test_periods_in_words() -> None:
    """Protects dates in words: one period by its length, several from first to last, or to the end."""
    laid_out = timeline(gw.load(INSTANCES / "tiny-ramp"))
    told = [span(laid_out, *ends) for ends in ((1, 2), (1, 3), (1, 4))]
    assert told == ["in the quarter from 2026-04", "from 2026-04 until 2026-10", "from 2026-04 to the end"]
    assert span(timeline(gw.load(INSTANCES / "tiny-tree")), 2, 3) == "in 2026-03"


NOW, TO = np.array([5.0, 5.0, 5.0, 5.0]), np.array([5.0, 3.0, 4.0, 5.0])


@pytest.mark.parametrize(
    ("to", "most", "found"),
    [
        (TO, None, (Step(1, 2, 3.0, 2.0), Step(2, 3, 4.0, 1.0))),
        (TO, 2, (Step(1, 2, 3.0, 2.0), Step(2, 3, 4.0, 1.0))),
        (TO, 1, (Step(1, 3, 3.0, 4.0),)),
        (np.array([5.0, 6.0, 7.0, 5.0]), 1, (Step(1, 3, 7.0, 4.0),)),
        (np.array([3.0, 3.0, 5.0, 4.0]), None, (Step(0, 2, 3.0, 4.0), Step(3, 4, 4.0, 1.0))),
        (np.array([3.0, 3.0, 5.0, 4.0]), 1, (Step(0, 4, 3.0, 8.0),)),
        (np.array([1.0, 2.0, 5.0, 4.0]), 2, (Step(0, 2, 1.0, 8.0), Step(3, 4, 4.0, 1.0))),
        (NOW, 2, ()),
    ],
)
def test_few_steps_give_way_by_as_little_as_they_can(to: np.ndarray, most: int | None, found: tuple[Step, ...]) -> None:
    """Protects the figures of a way out in few steps: each holds the strictest of its periods, both up and down."""
    assert steps(NOW, to, most) == found


def test_many_steps_are_counted_not_told() -> None:
    """Protects the reader of a way out of more steps than anyone reads: how many, how far and when."""
    laid_out = timeline(gw.load(INSTANCES / "tiny-ramp").edited("calendar.periods = 20"))
    many = tuple(Step(t, t + 1, 1.0 + t / 10, 1.0) for t in range(13))
    when = "from 2026-01 until 2029-04"
    assert _stepped_words(("floor", "p", ""), many, laid_out) == (
        f"lower the floor of p in 13 steps, to 1 GW at the least, {when}"
    )
    assert _stepped_words(("cap", "p", ""), many, laid_out) == (
        f"raise the cap of p in 13 steps, to 2.2 GW at the most, {when}"
    )
    assert _stepped_words(("supply", "", "q"), many, laid_out) == (
        f"have up to 2.2 GW more in pool q {when}, in 13 contracts"
    )
    assert _stepped_words(("floor", "p", ""), (Step(0, 1, 0.5, 1.0), Step(1, 20, 0.0, 1.0)), laid_out) == (
        "lower the floor of p to 0.5 GW in the quarter from 2026-01, to 0 from 2026-04 to the end"
    )
    assert _stepped_words(("supply", "", "q"), many[:2], laid_out) == (
        "have 1 GW more in pool q in the quarter from 2026-01, 1.1 GW more in the quarter from 2026-04"
    )


ONE = Conflict("floor", "p", "", "2026-01-01", "2027-01-01", "p needs 1 GW", "demand.csv row 2")
WAY = Repair("do it", ("a = 1", "b = 2"), 0.5, 10.0, 0.5)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Diagnosis((), ()), "There is a plan that keeps every demand; `gwplan solve` finds the best."),
        (Diagnosis((ONE,), (WAY,)),
         "No plan can keep this: - p needs 1 GW (demand.csv row 2) Ways out, each checked by solving; the one that "
         "gives up fewest GW-years (GW given up times years) comes first. To take one, paste its line: gwplan solve "
         "FOLDER --set ... 1. do it 0.5 GW-years; the plan is then worth 10.000 $bn --set 'a = 1' --set 'b = 2'"),
        (Diagnosis((replace(ONE, where=""), ONE), (WAY, replace(WAY, worth_bn=9.0, gw_years=0.6)), another=True),
         "No plan can keep all of these: - p needs 1 GW - p needs 1 GW (demand.csv row 2) This is one conflict; there "
         "is at least one more, which the ways out mend too. Ways out, each checked by solving; the one that gives up "
         "fewest GW-years (GW given up times years) comes first. To take one, paste its line: gwplan solve FOLDER "
         "--set ... 1. do it 0.5 GW-years; the plan is then worth 10.000 $bn, the best of these --set 'a = 1' --set "
         "'b = 2' 2. do it 0.6 GW-years (0.5 with more steps); the plan is then worth 9.000 $bn, 1.000 $bn less than "
         "the best of these --set 'a = 1' --set 'b = 2'"),
        (Diagnosis((ONE, ONE), (), ("1 GW of p are bound until 2026-04-01",)),
         "No plan can keep all of these; give up any one of them, and there is a plan: - p needs 1 GW (demand.csv row "
         "2) - p needs 1 GW (demand.csv row 2) That is so because of what runs on from before the start (running.csv): "
         "- 1 GW of p are bound until 2026-04-01 No single change of a floor, cap, lock, ramp, deal or supply was "
         "found that makes a plan possible."),
        (Diagnosis((ONE, ONE), (), another=True),
         "No plan can keep all of these: - p needs 1 GW (demand.csv row 2) - p needs 1 GW (demand.csv row 2) This is "
         "one conflict; there is at least one more. No single change of a floor, cap, lock, ramp, deal or supply was "
         "found that makes a plan possible."),
    ],
)  # fmt: skip
def test_a_diagnosis_reads_so(found: Diagnosis, said: str) -> None:
    """Protects the whole text: one conflict or several, what it is due to, what each way costs beside the best."""
    assert " ".join(" ".join(found.lines()).split()) == said


def test_ways_out_of_the_same_gw_years_come_by_worth_then_by_edits() -> None:
    """Protects the order of ways out: fewest GW-years, then worth most, then fewest edits."""
    ways = [
        replace(WAY, words="more", gw_years=0.6, worth_bn=99.0),
        replace(WAY, words="poor", worth_bn=9.0),
        replace(WAY, words="two edits", gw_years=0.5 + 5e-7),
        replace(WAY, words="one edit", edits=("a = 1",)),
    ]
    assert [way.words for way in in_order(ways)] == ["one edit", "two edits", "poor", "more"]


def test_one_line_for_a_case_among_many() -> None:
    """Protects the reason of a case in a sweep: all demands in one line, what runs on from before beside them."""
    running = "insert running[pathway=deals, kind=term, until=2026-09-30, gw=0.3]"
    locked = "insert locks[pathway=deals, from=2026-07-01, max_gw=0]"
    deals = gw.load(INSTANCES / "tiny-deals")
    assert conflicts_in_words(deals.edited(running, locked)) == (
        "a lock holds deals at 0 GW from 2026-07 to the end; what deals has (0.4 GW before the start) comes back only "
        "90 days after notice and stays for at least 180 days once signed, from 2026-04 until 2026-10; because 0.3 GW "
        "of deals are bound until 2026-09-30"
    )
    assert conflicts_in_words(deals) == ""


def test_small_words() -> None:
    """Protects lists and quotes: the last name after an and; a quote within a quote ends no word of a shell."""
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert quoted("it's") == "'it'\"'\"'s'"
