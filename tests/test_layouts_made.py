"""How often an instance is laid out and its tree is made: counts, where seconds cannot be asserted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.kept.run import Run, keep, read_run
from gwplan.models.tree import build_tree
from gwplan.show.charts.pictures import save_all
from gwplan.show.report.plan import plan_report
from gwplan.show.text.plan import print_plan
from gwplan.show.workbook.book import to_xlsx
from gwplan.studies.exposure import obligations
from gwplan.studies.sweep.worker import Worker, packed
from gwplan.tree.timeline import timeline
from tests.entered import EDIT, calls, times

INSTANCE = Path(__file__).resolve().parents[1] / "instances" / "tiny-tree"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a kept run."""
    return keep(gw.solve(gw.load(INSTANCE)), tmp_path_factory.mktemp("kept") / "run", command=["gwplan"], options={})


def laid_out(work: Callable[[], object]) -> tuple[int, int]:
    """Return how many layouts and how many trees a piece of work makes."""
    with calls() as found:
        work()
    return times(found, timeline), times(found, build_tree)


@pytest.mark.parametrize(
    "show",
    [
        lambda run, folder: plan_report(run),
        lambda run, folder: to_xlsx(run, folder / "plan.xlsx"),
        lambda run, folder: save_all(run, folder / "pictures", ".svg"),
        lambda run, folder: obligations(run.plan),
        lambda run, folder: print_plan(run.plan),
    ],
    ids=["report", "workbook", "pictures", "obligations", "print"],
)
def test_what_is_shown_of_a_kept_run_lays_it_out_once(
    show: Callable[[Run, Path], object], folder: Path, tmp_path: Path
) -> None:
    """Every chart, table and formula reads the one layout that the plan carries."""
    run = read_run(folder)
    assert laid_out(lambda: show(run, tmp_path)) == (1, 1)
    assert laid_out(lambda: plan_report(run)) == (0, 0)


def test_a_case_is_laid_out_once() -> None:
    """A what-if, its plan and a sweep's case take one layout each, on the base's tree; showing them takes none."""
    instance = gw.load(INSTANCE)
    session, worker = gw.Session(instance), Worker(packed(instance))
    answers: list[gw.Answer] = []
    assert laid_out(lambda: answers.append(session.solve(EDIT))) == (1, 0)
    assert laid_out(lambda: print_plan(answers[0].plan)) == (0, 0)
    assert laid_out(lambda: worker.answer([EDIT])) == (1, 0)
