"""Why there is no plan: conflicts and repairs held against an elastic program written from the format alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gwplan as gw
from gwplan.catalogue.tolerances import KILOWATT
from gwplan.conflict import demands
from gwplan.conflict.diagnose import diagnose
from gwplan.conflict.ways_out import breach_cost, reliefs, steps
from gwplan.language.edits import Edit, Factor, Outcome
from gwplan.solver.compile import compiled
from gwplan.tree.timeline import timeline
from tests.cli.conftest import INSTANCES
from tests.instance.folders import PLAIN, plain, written
from tests.results.infeasible import CLOSE, explained

LOCKED = "insert locks[pathway=deals, from=2027-01-01, min_gw=3]"
ENDS = "locks[pathway=deals, from=2027-01-01].until = 2027-07-01"
SEEDS = (1000, 1009, 1011, 1039, 1389, 1405, 1415, 1420)
"""Instances that have no plan: some of them once were told or mended wrongly."""


@pytest.mark.parametrize("seed", SEEDS)
def test_conflicts_are_irreducible_and_the_first_repair_costs_the_least(seed: int, tmp_path: Path) -> None:
    """Protects the diagnosis: no demand in it can be spared, the first repair works, and none takes fewer GW-years."""
    case = explained(seed, tmp_path)
    assert case is not None and case.in_conflict and case.irreducible
    years = [repair.gw_years for repair in case.diagnosis.repairs]
    assert years[0] == pytest.approx(case.least_gw_years, rel=CLOSE, abs=CLOSE)
    assert years == pytest.approx(sorted(years), abs=KILOWATT)
    assert case.mended


def test_a_conflict_is_told_in_the_planners_words() -> None:
    """Protects the reader: demands are named with their GW and dates, never as rows, and repairs as things to do."""
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(LOCKED))
    assert [part.words for part in diagnosis.conflicts] == [
        "a lock holds deals at 3 GW or more in the quarter from 2027-01",
        "pool cloud holds 1 GW in the quarter from 2027-01",
    ]
    assert [part.where for part in diagnosis.conflicts] == ["", "deliveries.csv row 2"]  # the lock is in no file
    assert [(repair.words, repair.gw_years) for repair in diagnosis.repairs] == [
        ("have 2 GW more in pool cloud in the quarter from 2027-01", 0.5),
        ("lower the lock on deals from 2027-01 by 2 GW, to 1 GW", 0.5),
    ]


def test_another_conflict_is_told_and_an_outcome_only_where_it_decides() -> None:
    """Protects whoever mends one conflict of two, or looks for a future that has nothing to do with a conflict."""
    second = "insert locks[pathway=training, from=2026-02-01, until=2026-03-01, min_gw=9]"
    base = gw.load(INSTANCES / "tiny-tree")
    one = diagnose(base.edited(second))
    two = diagnose(base.edited(second, "insert locks[pathway=deals, from=2026-03-01, min_gw=9]"))
    assert (one.another, two.another) == (False, True)
    text = ["\n".join(each.lines()) for each in (one, two)]
    assert "give up any one of them, and there is a plan" in text[0] and "at least one more" in text[1]
    assert "(if " not in text[0] + text[1] and "the best of these" in text[0]
    more = Edit("deliveries", "insert", {"contract": "own", "date": dt.date(2026, 2, 1), "gw": 9.0})
    outcomes = (Outcome("much", 0.5, (more,)), Outcome("little", 0.5))
    some = replace(base.edited(second), factors=(Factor("size", dt.date(2026, 2, 1), outcomes),))
    assert all(part.words.endswith("in 2026-02 (if size=little)") for part in diagnose(some).conflicts)


def test_text_is_80_columns_wide_and_edits_stay_whole() -> None:
    """Protects the reader on a terminal, and whoever pastes: only lines of edits are longer."""
    lines = list(diagnose(gw.load(INSTANCES / "tiny-deals").edited(LOCKED)).lines())
    assert all(len(line) <= 80 for line in lines if "--set '" not in line)
    assert sum("--set '" in line for line in lines) == 2


def test_a_deal_that_ends_early_counts_for_all_of_its_term() -> None:
    """Protects the order of repairs: a term that outlasts the horizon costs as many GW-years as it lasts."""
    edits = ("pathways[pathway=deals].min_term_days = 1000", LOCKED)
    laid_out = timeline(gw.load(INSTANCES / "tiny-deals").edited(*edits))
    ended = [relief for relief in reliefs(laid_out, compiled(laid_out.data))[1] if relief.kind == "deals"]
    assert {relief.gw_years for relief in ended} == {11 / 4}  # 11 quarters; the plan has 5
    assert breach_cost("deals", laid_out) == 8 * 11 / 4


def test_a_later_delivery_is_offered_earlier() -> None:
    """Protects the planner's own way out: capacity that comes later is offered sooner, and checked by solving."""
    changes = (
        "insert contracts[contract=late, pool=cloud]",
        "insert deliveries[contract=late, date=2027-04-01, gw=2.5]",
        LOCKED,
        "calendar.periods = 7",
    )
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(*changes))
    earlier = next(r for r in diagnosis.repairs if r.words.startswith("bring the 2.5 GW"))
    assert earlier.words == "bring the 2.5 GW that late delivers on 2027-04-01 forward by 3 months"
    assert earlier.edits == ("deliveries[contract=late, date=2027-04-01, gw=2.5].date -= 3 months",)
    assert len(diagnosis.repairs) >= 3


def test_every_lock_gives_way_by_itself() -> None:
    """Protects the other locks of a pair: only the one in the way is lowered, and only its own months count."""
    later = "insert locks[pathway=deals, from=2027-04-01, min_gw=0.9]"
    over = "insert locks[pathway=deals, from=2026-10-01, until=2027-04-01, min_gw=1.5]"
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(LOCKED, ENDS, later, over, "calendar.periods = 7"))
    alone = next(r for r in diagnosis.repairs if all(edit.startswith("locks[") for edit in r.edits))
    assert alone.gw_years == pytest.approx(2 * 0.5 + 0.5 * 0.5)  # 2 GW and 0.5 GW, half a year each
    assert alone.words == (
        "lower the lock on deals from 2027-01 until 2027-07 by 2 GW, to 1 GW; "
        "lower the lock on deals from 2026-10 until 2027-04 by 0.5 GW, to 1 GW"
    )


def test_what_outcomes_let_slip_mends_no_future_in_which_it_slips() -> None:
    """Protects the cheapest way out on a tree: capacity that an outcome delays is not counted on where it is late."""
    slip = Edit("deliveries", "shift_months", {"contract": "*"}, "date", 6, dt.date(2027, 1, 1))
    outcomes = (Outcome("on_time", 0.5), Outcome("slip", 0.5, (slip,)))
    instance = gw.load(INSTANCES / "tiny-deals").edited(
        "calendar.periods = 7",
        LOCKED,
        ENDS,
        "insert contracts[contract=late, pool=cloud]",
        "insert deliveries[contract=late, date=2027-04-01, gw=0.1]",
    )
    broken = replace(instance, factors=(Factor("deliveries", dt.date(2027, 1, 1), outcomes),))
    found = diagnose(broken).repairs
    assert [(repair.words, repair.gw_years) for repair in found] == [
        ("lower the lock on deals from 2027-01 until 2027-07 by 2 GW, to 1 GW", 1.0),
        ("have 2 GW more in pool cloud from 2026-10 to the end", 2.0),  # from before deliveries may slip
    ]


def test_a_floor_takes_few_steps_or_begins_later() -> None:
    """Protects the reader of a floor that must give way month by month: a few steps that do, or a later beginning."""
    now, to = np.full(20, 5.0), np.concatenate([np.linspace(1.0, 4.6, 19), [5.0]])
    few = steps(now, to, 6)
    assert len(few) == 6 and all(step.gw <= to[step.first : step.end].min() + 1e-12 for step in few)
    assert [t for step in few for t in range(step.first, step.end)] == list(range(19))
    assert sum(step.given for step in few) == pytest.approx(
        sum(5.0 * (s.end - s.first) - s.gw * (s.end - s.first) for s in few)
    )
    assert len(steps(now, to, None)) == 19


def test_blocks_that_do_not_fit_are_named() -> None:
    """Protects plans with whole numbers: a least block can be what is in conflict."""
    changes = (
        "eligibility[pathway=ads].min_block_gw = 0.6",
        "locks[pathway=ads].max_gw = 0.4",
    )
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-locks").edited(*changes))
    assert {part.kind for part in diagnosis.conflicts} == {"block", "lock min", "lock max"}
    assert "ads on cluster is used at 0 or at least 0.6 GW" in "\n".join(part.words for part in diagnosis.conflicts)


def test_blocks_are_told_over_the_first_periods_in_which_they_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the reader of a conflict in whole numbers: no later nor longer range is told, in few solves."""
    changes = (
        "calendar.periods = 40",
        "eligibility[pathway=ads].min_block_gw = 0.6",
        "locks[pathway=ads].max_gw = 0.4 ",
        "insert locks[pathway=ads, from=2040-01-01, until=2050-01-01, min_gw=0.1, max_gw=0.4]",
        "locks[pathway=ads, from=2027-01-01].min_gw = 0",
    )
    instance = gw.load(INSTANCES / "tiny-locks").edited(*changes)
    solved: list[bool] = []
    can_keep = demands._can_keep

    def counted(*given: Any) -> bool:
        solved.append(True)
        return can_keep(*given)

    monkeypatch.setattr(demands, "_can_keep", counted)
    with pytest.raises(gw.InfeasibleError):
        gw.solve(instance)
    parts = diagnose(instance).conflicts
    assert {(part.kind, part.first, part.until) for part in parts} == {
        (kind, "2040-01-01", "2041-01-01") for kind in ("block", "lock min", "lock max")
    }
    assert len(solved) < 45


def test_an_instance_with_a_plan_is_not_explained_away() -> None:
    """Protects against a diagnosis of what is well."""
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-tree"))
    nothing = {"conflict": [], "because": [], "another_conflict": False, "repairs": []}
    assert diagnosis.as_dict() == {"status": "feasible", **nothing}


@pytest.mark.parametrize(
    ("edits", "because"),
    [
        (("insert locks[pathway=deals, from=2026-07-01, max_gw=0]",), ()),
        (
            (
                "insert running[pathway=deals, kind=term, until=2026-09-30, gw=0.3]",
                "insert locks[pathway=deals, from=2026-07-01, max_gw=0]",
            ),
            ("0.3 GW of deals are bound until 2026-09-30",),
        ),
        (
            (
                "insert running[pathway=deals, kind=notice, until=2026-04-01, gw=0.3]",
                "pathways[pathway=deals].ramp_gw_per_month = 0",
                "insert locks[pathway=deals, from=2026-04-01, min_gw=0.2]",
            ),
            ("0.3 GW of deals come back on 2026-04-01",),
        ),
    ],
)
def test_what_runs_on_from_before_the_start_is_named(edits: tuple[str, ...], because: tuple[str, ...]) -> None:
    """Protects the reader of a conflict with facts: terms and notices that nobody can take back are told beside it."""
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(*edits))
    assert diagnosis.because == because
    assert bool(diagnosis.conflicts) is bool(because)
    assert all(words in "\n".join(diagnosis.lines()) for words in because)


def test_the_cheapest_way_keeps_all_its_steps_and_the_next_few() -> None:
    """Protects the promise that no way out takes fewer GW-years than the first, and the reader of the others."""
    edits = ("calendar.periods = 120", "insert demand[pathway=training, from=2026-01-01, floor_gw=0.9]")
    instance = gw.load(INSTANCES / "tiny-ramp").edited(*edits, "pathways[pathway=training].ramp_gw_per_month = 0.01")
    first, few, *_ = diagnose(instance).repairs
    assert "lower the floor of training in 1" in first.words and len(first.edits) > 12
    assert first.gw_years == pytest.approx(first.least_gw_years, abs=CLOSE) and len(few.edits) == 7
    assert few.gw_years > few.least_gw_years == pytest.approx(first.least_gw_years, abs=CLOSE)


def test_deliveries_of_one_day_are_brought_forward_one_by_one_or_together(tmp_path: Path) -> None:
    """Protects the order of ways out: two deliveries of 1 GW are 2 GW, and one of them alone meets no floor of 1.5."""
    twice = "contract,date,gw\nown,2026-07-01,1\nown,2026-07-01,1\n"
    instance = plain(tmp_path, "quarter 4", deliveries=twice, demand="pathway,from,floor_gw\nads,2026-01-01,1.5\n")
    forward = "bring the 2 GW that own delivers on 2026-07-01 forward by 6 months"
    found = [(repair.words, repair.gw_years) for repair in diagnose(instance).repairs]
    assert [years for _, years in found] == [0.75, 0.75, 1.0] and found[-1][0] == forward
    one = diagnose(instance.edited("demand.floor_gw = 1")).repairs
    assert ("bring the 1 GW that own delivers on 2026-07-01 forward by 6 months", 0.5) in [
        (r.words, r.gw_years) for r in one
    ]
    assert ("deliveries[contract=own, date=2026-07-01, gw=1.0, row=2].date -= 6 months",) in [r.edits for r in one]


def test_a_figure_that_an_outcome_changes_is_told_with_its_cell_and_the_future(tmp_path: Path) -> None:
    """Protects who looks a figure up: 1.093 GW stand in no cell, 0.874 do, times 1.25 if demand booms."""
    written(tmp_path, PLAIN, demand="pathway,from,floor_gw\nads,2026-01-01,0.874\n")
    (tmp_path / "uncertainty.toml").write_text(
        '[[factor]]\nname = "demand"\nrevealed = 2027-01-01\n[[factor.outcome]]\nname = "boom"\nprobability = 0.4\n'
        '[[factor.outcome.edit]]\ntable = "demand"\ncolumn = "floor_gw"\nscale = 1.25\nfrom = 2027-01-01\n'
        '[[factor.outcome]]\nname = "plan"\nprobability = 0.6\n'
    )
    told = [part.words for part in diagnose(gw.load(tmp_path)).conflicts]
    assert told[0] == (
        "ads needs at least 1.093 GW of effective capacity in the year from 2027-01 (0.874 GW x 1.25, if demand=boom)"
    )
    assert told[1] == "pool cloud holds 1 GW in the year from 2027-01 (if demand=boom)"
