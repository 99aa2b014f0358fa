"""The engine of sweeps: the same rows wherever, and in whatever order, they are worked out."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gwplan as gw
from gwplan.errors import InfeasibleError, SolverError
from gwplan.instance.instance import Instance
from gwplan.language.edits import spell
from gwplan.studies.sweep import engines as sweep_engines
from gwplan.studies.sweep.engines import InProcess, Processes
from gwplan.studies.sweep.sweep import Results, Store, Study, Task, run
from gwplan.studies.sweep.worker import LOST, Row, Worker, answered, packed, unpacked
from tests.generate import random_instance
from tests.generate.any_edit import draw_edit, every_operation

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
NO_PLAN = "insert locks[pathway=training, from=2026-01-01, min_gw=5]"
NO_INPUT = "risk.aversion = 2"


@pytest.fixture(scope="module")
def deals() -> Instance:
    """Return a tiny instance."""
    return gw.load(INSTANCES / "tiny-deals")


def study_of(instance: Instance, *edits: str) -> Study:
    """Return a sweep with a case for each edit."""
    return Study("sweep", instance, tuple(Task((edit,), {"edit": edit}) for edit in edits))


def any_cases(seed: int, folder: Path, count: int = 7) -> Study:
    """Return a sweep of a random instance: edits of every operation and table, those that fit no plan included."""
    instance = gw.load(random_instance(seed, folder / str(seed)))
    rng, operations = np.random.default_rng(seed), every_operation()
    edits: list[str] = []
    while len(edits) < count:
        drawn = draw_edit(instance, rng, *operations[rng.integers(len(operations))])
        edits += [spell(drawn)] if drawn is not None else []
    return study_of(instance, *edits)


def test_rows_are_the_same_in_process_in_processes_and_in_any_order(tmp_path: Path) -> None:
    """To the last bit, whatever a case changes, wherever it is solved, and whatever was solved before it."""
    study = any_cases(4, tmp_path)
    here = run(study, InProcess())
    assert sum(row["status"] == "optimal" for row in here.rows) > 2
    assert run(study, Processes(2)).rows == here.rows
    order = list(range(len(study.tasks)))
    random.Random(4).shuffle(order)
    shuffled = run(replace(study, tasks=tuple(study.tasks[n] for n in order)), InProcess())
    assert [shuffled.rows[order.index(n)] for n in range(len(order))] == list(here.rows)


def test_an_answer_does_not_hang_on_the_structures_that_a_session_has_seen(deals: Instance) -> None:
    """A case of another structure than the base's is the same first, last, and after its structure was given up."""
    late = [f"calendar.periods = {n}" for n in (2, 3, 4, 6, 7)]  # one structure more than a session keeps
    priced = [f"{edit}; value.value_bn_per_gw_year *= 1.1" for edit in late[:2]]
    tasks = [edit.split("; ") for edit in (*late, *priced, *late)]
    setup = packed(deals)
    worker = Worker(setup)
    rows = [worker.answer(edits) for edits in tasks]
    assert rows[: len(late)] == rows[-len(late) :]
    assert rows[: len(late) + len(priced)] == [
        Worker(setup).answer(edits) for edits in tasks[: len(late) + len(priced)]
    ]


def test_rows_are_the_figures_of_the_plan_solved_afresh(deals: Instance) -> None:
    """A row says what `gwplan solve` would say of the same instance."""
    study = replace(
        study_of(deals, "value[pathway=deals].value_bn_per_gw_year *= 3", "economics.discount_rate = 0.1"),
        quantities=("2 * plan.expected_gw_years[pathway=deals]",),
    )
    results = run(study, InProcess())
    for task, row in zip(study.tasks, results.rows, strict=True):
        plan = gw.solve(deals.edited(*task.edits))
        assert row["objective_bn"] == pytest.approx(plan.objective_bn, abs=1e-9)
        assert row["npv_bn"] == pytest.approx(plan.npv_bn, abs=1e-9)
        years = plan.summary["expected_gw_years"]
        assert row["expected_gw_years[deals]"] == pytest.approx(years["deals"], abs=1e-9)
        assert row["2 * plan.expected_gw_years[pathway=deals]"] == pytest.approx(2 * years["deals"], abs=1e-9)
        first = plan.allocation[plan.allocation["period"] == 0].groupby("pathway")["gw"].sum()
        assert row["first_period_gw[deals]"] == pytest.approx(first["deals"], abs=1e-9)
        moved = max(abs(first[p] - results.base[f"first_period_gw[{p}]"]) for p in first.index)
        assert row["first_moves_changed_gw"] == pytest.approx(moved, abs=1e-9)


def test_a_case_that_fails_is_a_row_with_its_reason(deals: Instance) -> None:
    """Cases without a plan stand where they belong, and the cases beside them are none the worse."""
    fine = "value.value_bn_per_gw_year *= 1.1"
    rows = run(
        study_of(deals, NO_PLAN, fine, NO_INPUT, "value[pathway=none].value_bn_per_gw_year = 1"), InProcess()
    ).rows
    assert [row["status"] for row in rows] == ["infeasible", "optimal", "bad_input", "bad_input"]
    assert "cannot all be kept: a lock holds training at 5 GW or more" in rows[0]["reason"]
    assert "holds 1 GW" in rows[0]["reason"] and "objective_bn" not in rows[0]
    assert "risk.aversion" in rows[2]["reason"] and "'none'" in rows[3]["reason"]
    table = Results(study_of(deals, NO_PLAN, fine), rows[1], rows[:2]).table
    assert np.isnan(table["objective_bn"][0]) and table["objective_bn"][1] > 0


def test_a_base_without_a_plan_is_an_error(deals: Instance) -> None:
    """Nothing is swept around a base that cannot be planned."""
    broken = deals.edited(NO_PLAN)
    for engine in (InProcess(), Processes(1)):
        with pytest.raises(InfeasibleError):
            run(study_of(broken, NO_INPUT), engine)


def test_a_worker_that_is_killed_loses_nothing(deals: Instance) -> None:
    """Every case has its row, the same as without the loss."""
    study = study_of(deals, *(f"value.value_bn_per_gw_year *= 1.{n:02}" for n in range(14)))
    engine, pids = Processes(2), set[int]()

    def tell(done: int, total: int) -> None:
        if done in (3, 7):
            child = next(child._process for child in engine._all if child._process is not None)
            pids.add(child.pid)
            child.kill()

    assert run(study, engine, tell=tell).rows == run(study, InProcess()).rows
    assert pids


def test_a_case_that_kills_every_worker_is_a_row(deals: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """One poisonous case costs its own row and no other."""
    poison = (
        "import os, gwplan.studies.sweep.worker as w; answer = w.answered_alone; "
        "w.answered_alone = lambda setup, edits: os._exit(7) if 'poison' in str(edits) else answer(setup, edits); "
    )
    first, _, then = sweep_engines._SERVE.partition("from ")
    monkeypatch.setattr(sweep_engines, "_SERVE", f"{first}{poison}from {then}")
    fine = ["value.value_bn_per_gw_year *= 1.1", "value.value_bn_per_gw_year *= 1.2"]
    monkeypatch.setattr(sweep_engines, "TRIES", 2)
    rows = run(study_of(deals, fine[0], "poison", fine[1]), Processes(1)).rows
    assert [row["status"] for row in rows] == ["optimal", LOST, "optimal"]
    assert rows[1]["reason"] == "its worker died, 2 times: exit code 7"


def test_a_worker_gets_the_instance_whole(tmp_path: Path) -> None:
    """What is sent as text is read back as the same instance, each row under the number that messages name it by."""
    for seed in range(6):
        instance = gw.load(random_instance(seed, tmp_path / str(seed), integers=bool(seed % 2)))
        instance = instance.edited("pathways.realisation = 0.9").deterministic() if seed == 3 else instance
        there = unpacked(json.loads(packed(instance)))
        assert there == replace(instance, whatifs={})
        for name, frame in instance.tables.items():
            assert frame.index.tolist() == there.tables[name].index.tolist()


class Elsewhere(InProcess):
    """Answers every other task as a machine would that solves the base to other last digits."""

    asked = 0

    def submit(self, setup: str, edits: tuple[str, ...]) -> Future[Row]:
        """Answer a task."""
        future: Future[Row] = Future()
        self.asked += 1
        answer = answered(setup, edits)
        future.set_result(answer if self.asked % 2 else {**answer, "base": "0123456789abcdef"})
        return future


def test_rows_of_unlike_machines_are_not_mixed(deals: Instance) -> None:
    """A cluster of machines that disagree on the base's last digits is an error, not a table of two minds."""
    with pytest.raises(SolverError, match="other last digits"):
        run(study_of(deals, NO_INPUT, NO_PLAN), Elsewhere())


def test_a_worker_with_other_software_answers_nothing(deals: Instance) -> None:
    """A cluster whose workers have another solver says so."""
    known: dict[str, Any] = json.loads(packed(deals))
    known["versions"]["highspy"] = "0.0.1"
    answer: Mapping[str, Any] = answered(json.dumps(known), ())
    assert "instead of 0.0.1" in answer["no_base"]


def test_what_is_stored_is_not_asked_again(deals: Instance) -> None:
    """Rows that a store has are taken as they are: only what is left is solved."""
    study, store = study_of(deals, NO_INPUT, NO_PLAN), Store()
    store.rows.update(
        {-1: {"status": "optimal", "reason": "", "objective_bn": 1.0}, 1: {"status": "kept", "reason": ""}}
    )
    results = run(study, InProcess(), store)
    assert [row["status"] for row in results.rows] == ["bad_input", "kept"] and results.base["objective_bn"] == 1.0
