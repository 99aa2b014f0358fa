"""Why there is no plan: conflicts and repairs held against an elastic program written from the format alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import optimizer as gw
from optimizer.instance.calendar import calendar_of
from optimizer.results.diagnose import Diagnosis, diagnose
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance
from tests.generate.broken import broken
from tests.oracle.elastic import Key, can_be_kept, least_gw_years

LOCKED = "insert locks[pathway=deals, from=2027-01-01, min_gw=3]"
SEEDS = (1000, 1009, 1011, 1039, 1389, 1405, 1415, 1420)
"""Instances that have no plan: some of them once were told or mended wrongly."""


def periods(instance: gw.Instance, diagnosis: Diagnosis) -> list[set[tuple[Key, int]]]:
    """Return the demands in conflict, each as its key in each of its periods."""
    starts = [str(date) for date in calendar_of(instance).starts(instance.periods + 1)]
    return [
        {((c.kind, c.pathway, c.pool), t) for t in range(starts.index(c.first), starts.index(c.until))}
        for c in diagnosis.conflicts
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_conflicts_are_irreducible_and_the_first_repair_costs_the_least(seed: int, tmp_path: Path) -> None:
    """Protects the diagnosis: no demand in it can be spared, the first repair works, and none takes fewer GW-years."""
    instance = broken(gw.load(random_instance(seed, tmp_path / "whole")), seed)
    assert instance is not None
    diagnosis = diagnose(instance)
    gw.save(instance, tmp_path / "broken")
    with pytest.raises(gw.InfeasibleError):
        gw.solve(instance)
    parts = periods(instance, diagnosis)
    together = set().union(*parts)
    assert not can_be_kept(tmp_path / "broken", together)
    assert all(can_be_kept(tmp_path / "broken", together - part) for part in parts)
    first = diagnosis.repairs[0]
    assert first.gw_years == pytest.approx(least_gw_years(tmp_path / "broken"), rel=1e-5, abs=1e-5)
    assert [repair.gw_years for repair in diagnosis.repairs] == sorted(r.gw_years for r in diagnosis.repairs)
    for repair in diagnosis.repairs:
        assert gw.solve(instance.edited(*repair.edits)).objective_bn == pytest.approx(repair.worth_bn)


def test_a_conflict_is_told_in_the_planners_words() -> None:
    """Protects the reader: demands are named with their GW and dates, never as rows, and repairs as things to do."""
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(LOCKED))
    assert [part.words for part in diagnosis.conflicts] == [
        "a lock holds deals at 3 GW or more in the quarter from 2027-01",
        "cloud holds 1 GW in the quarter from 2027-01",
    ]
    assert [(repair.words, repair.gw_years) for repair in diagnosis.repairs] == [
        ("lower the lock on deals by 2 GW", 0.5),
        ("have 2 GW more in cloud in the quarter from 2027-01", 0.5),
    ]


def test_a_later_delivery_is_offered_earlier() -> None:
    """Protects the planner's own way out: capacity that comes later is offered sooner, and checked by solving."""
    changes = (
        "insert contracts[contract=late, pool=cloud]",
        "insert deliveries[contract=late, date=2027-04-01, gw=2.5]",
        LOCKED,
        "calendar.periods = 7",
    )
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(*changes))
    earlier = next(r for r in diagnosis.repairs if r.words.startswith("deliver late's 2.5 GW"))
    assert earlier.words == "deliver late's 2.5 GW of 2027-04-01 3 months earlier"
    assert earlier.edits == ("deliveries[contract=late, date=2027-04-01, gw=2.5].date -= 3 months",)
    assert len(diagnosis.repairs) >= 3


def test_blocks_that_do_not_fit_are_named() -> None:
    """Protects plans with whole numbers: a least block can be what is in conflict."""
    changes = (
        "eligibility[pathway=ads].min_block_gw = 0.6",
        "locks[pathway=ads].max_gw = 0.4",
    )
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-locks").edited(*changes))
    assert {part.kind for part in diagnosis.conflicts} == {"block", "lock min", "lock max"}
    assert "ads on cluster is used at 0 or at least 0.6 GW" in "\n".join(part.words for part in diagnosis.conflicts)


def test_an_instance_with_a_plan_is_not_explained_away() -> None:
    """Protects against a diagnosis of what is well."""
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-tree"))
    assert diagnosis.as_dict() == {"status": "feasible", "conflict": [], "because": [], "repairs": []}


@pytest.mark.parametrize(
    ("edits", "because"),
    [
        (("insert locks[pathway=deals, from=2026-07-01, max_gw=0]",), ()),
        (
            (
                "insert running[pathway=deals, kind=term, until=2026-09-30, gw=0.3]",
                "insert locks[pathway=deals, from=2026-07-01, max_gw=0]",
            ),
            ("of deals 0.3 GW stay in deals until 2026-09-30",),
        ),
        (
            (
                "insert running[pathway=deals, kind=notice, until=2026-04-01, gw=0.3]",
                "pathways[pathway=deals].ramp_gw_per_month = 0",
                "insert locks[pathway=deals, from=2026-04-01, min_gw=0.2]",
            ),
            ("of deals 0.3 GW come back from deals on 2026-04-01",),
        ),
    ],
)
def test_what_runs_on_from_before_the_start_is_named(edits: tuple[str, ...], because: tuple[str, ...]) -> None:
    """Protects the reader of a conflict with facts: terms and notices that nobody can take back are told beside it."""
    diagnosis = diagnose(gw.load(INSTANCES / "tiny-deals").edited(*edits))
    assert diagnosis.because == because
    assert bool(diagnosis.conflicts) is bool(because)
    assert all(words in "\n".join(diagnosis.lines()) for words in because)
