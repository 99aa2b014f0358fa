"""How much faster two processes finish many what-ifs of a large instance than one.

Run ``python -m tests.benchmarks.sweeps [CASES]``; docs/sweeps.md says what it printed. Both engines take turns at parts
of the same cases, so that what else the machine does falls on both alike.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np

import gwplan as gw
from gwplan.studies.sweep.engines import InProcess, Processes
from gwplan.studies.sweep.sweep import Engine, Results, Study, Task, run
from gwplan.studies.sweep.worker import Row
from tests.benchmarks.registry import folder_of

CASE, CASES, SLICES = "16,000", 500, 4
JOBS = 2


def tasks(count: int) -> list[Task]:
    """Return so many what-ifs: values, prices, supply and demand a little lower and higher, one at a time."""
    cells = ("value.value_bn_per_gw_year", "contracts.cost_bn_per_gw_year", "deliveries.gw", "demand.target_gw")
    factors = np.linspace(0.9, 1.1, -(-count // len(cells)))
    edits = [f"{cell} *= {factor!r}" for factor in factors.tolist() for cell in cells]
    return [Task((edit,), {"edit": edit}) for edit in edits[:count]]


class Kept(Engine):
    """An engine whose workers stay, so that they are warmed up once, as in one long sweep."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def submit(self, setup: str, edits: tuple[str, ...]) -> Future[Row]:
        """As the engine does."""
        return self.engine.submit(setup, edits)

    @property
    def width(self) -> int:
        """As the engine's."""
        return self.engine.width

    def close(self, *, at_once: bool) -> None:
        """Keep it."""


def timed(engine: Engine, study: Study) -> tuple[float, Results]:
    """Return how long an engine takes for a study, seconds, and its answers."""
    began = time.perf_counter()
    results = run(study, engine)
    return time.perf_counter() - began, results


def main(count: int) -> None:
    """Print the times of one process and of two, and whether their answers are the same."""
    with tempfile.TemporaryDirectory() as scratch:
        instance = gw.load(folder_of(CASE, Path(scratch)))
    cases = tasks(count)
    engines = {1: Kept(InProcess()), JOBS: Kept(Processes(JOBS))}
    warm = {jobs: timed(engine, Study("sweep", instance, tuple(cases[:JOBS])))[0] for jobs, engine in engines.items()}
    spent, same, solved = dict.fromkeys(engines, 0.0), True, 0
    for part in range(SLICES):
        study = Study("sweep", instance, tuple(cases[part::SLICES]))
        answers = {}
        for jobs, engine in engines.items():
            seconds, answers[jobs] = timed(engine, study)
            spent[jobs] += seconds
        same &= answers[1].rows == answers[JOBS].rows
        solved += sum(row["status"] == "optimal" for row in answers[1].rows)
    for engine in engines.values():
        engine.engine.close(at_once=False)
    print(f"{count} what-ifs of the instance '{CASE}', {solved} of them with a plan; rows identical: {same}")
    for jobs, seconds in spent.items():
        whole = seconds + warm[jobs]
        print(f"{jobs} process{'es' if jobs > 1 else ''}: {whole:.1f} s, {warm[jobs]:.1f} s of it to begin")
    print(f"{(spent[1] + warm[1]) / (spent[JOBS] + warm[JOBS]):.2f} times as fast")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
