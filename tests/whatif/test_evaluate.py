from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.kept.record import table_csv
from gwplan.studies.evaluate import Evaluation, evaluate, read_given
from gwplan.studies.locks import lock_costs

INSTANCES = Path(__file__).resolve().parents[2] / "instances"


def priced(session: gw.Session, tmp_path: Path, text: str | bytes) -> Evaluation:
    """Return the price of an allocation given as CSV."""
    path = tmp_path / "given.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return evaluate(session.base, read_given(path, session.base._laid_out))


@pytest.fixture(scope="module")
def reference() -> gw.Session:
    """Return a session of the reference instance."""
    return gw.Session(gw.load(INSTANCES / "meta-2026h1"))


def test_the_best_plan_given_has_no_gap(reference: gw.Session, tmp_path: Path) -> None:
    """A plan's own allocation, node by node, is worth what the plan is, and breaks nothing."""
    found = priced(reference, tmp_path, table_csv("allocation", reference.base.allocation))
    assert found.broken == ()
    assert found.gap_bn == pytest.approx(0, abs=1e-6)


def test_cells_given_are_worth_what_they_are_as_locks(reference: gw.Session, tmp_path: Path) -> None:
    """Holding cells by a file and by locks are two ways to one worth; the gap by year adds up to the gap."""
    found = priced(reference, tmp_path, "start,pathway,pool,gw\n2027-07-01,ads,regional_cloud,0.3\n")
    cells = "pathway=ads, pool=regional_cloud, from=2027-07-01, until=2027-08-01, min_gw=0.3, max_gw=0.3"
    locked = reference.solve(f"insert locks[{cells}]")
    assert found.broken == ()
    assert found.plan.objective_bn == pytest.approx(locked.objective_bn, abs=1e-6)
    assert found.gap_bn > 1e-4
    assert found.gap_by_year().to_numpy().sum() == pytest.approx(found.gap_bn, abs=1e-6)


BEYOND = {
    "period,pathway,pool,gw\n0,deals,neocloud,9\n": "more of neocloud is used",
    "period,pathway,pool,gw\n0,deals,neocloud,0\n": "deals of deals come back, or go, without notice",
}
"""Allocations of tiny-deals that break a limit, and what is said of them."""


@pytest.mark.parametrize("text", BEYOND)
def test_limits_that_are_broken_are_named(text: str, tmp_path: Path) -> None:
    """An allocation that cannot be is priced all the same, with the limit, how far and where."""
    with gw.Session(gw.load(INSTANCES / "tiny-deals")) as session:
        pool = session.base.allocation["pool"].iloc[0]
        found = priced(session, tmp_path, text.replace("neocloud", pool))
        told = [broken for broken in found.broken if broken.words.startswith(BEYOND[text].replace("neocloud", pool))]
        assert told and told[0].start == str(session.instance.start) and told[0].most_gw > 0.1


def test_a_file_of_another_tree_is_refused(reference: gw.Session, tmp_path: Path) -> None:
    """A node's number means nothing without its date and what is known there: where they differ, it is said."""
    table = (
        table_csv("allocation", reference.base.allocation).decode().replace("msl_progress=leads", "msl_progress=won")
    )
    with pytest.raises(gw.InstanceError, match="another tree"):
        priced(reference, tmp_path, table)


def test_a_problem_is_told_with_the_row_of_the_file(reference: gw.Session, tmp_path: Path) -> None:
    """Blank lines count as rows of the file, so the number told is the one an editor or a spreadsheet shows."""
    with pytest.raises(gw.InstanceError, match=r"given\.csv row 4"):
        priced(reference, tmp_path, "pathway,pool,gw,start\n\n\nnobody,gw,1,2027-01-01\n")


def test_a_lock_costs_the_worth_that_it_takes() -> None:
    """The cost of a lock is the worth without that row less the worth with all of them, solved afresh."""
    instance = gw.load(INSTANCES / "tiny-locks")
    (least,) = [cost for cost in lock_costs(instance) if cost.lock.startswith("ads >= 0.3 @ 2027-01-01..2028-01-01")]
    without = gw.solve(instance.edited("drop locks[pathway=ads]")).objective_bn
    assert least.cost_bn == pytest.approx(without - gw.solve(instance).objective_bn)
    assert least.cost_bn > 0


def test_a_use_below_its_least_block_is_priced_and_named(tmp_path: Path) -> None:
    """Protects plans with whole numbers: a given use that no block allows is a broken limit, not "no plan"."""
    instance = gw.load(INSTANCES / "tiny-deals").edited("eligibility[pathway=training].min_block_gw = 0.3")
    with gw.Session(instance) as session:
        found = priced(session, tmp_path, "period,pathway,pool,gw\n0,training,cloud,0.1\n")
    (block,) = [broken for broken in found.broken if "least block" in broken.words]
    assert (
        block.most_gw == pytest.approx(0.1) and block.nodes == 1 and block.words.startswith("training[cloud] is used")
    )
