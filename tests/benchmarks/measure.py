"""One benchmark case in a process of its own: seconds of each phase, sizes, peak memory.

Seconds are the process's own (CPU): what else runs on the machine counts for little, and gwplan uses one core.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

import gwplan as gw
from gwplan.kept.run import keep
from gwplan.models import build, terms
from gwplan.plan.plan import make_plan
from gwplan.planning import checked, plan_or_error, solved, valid
from gwplan.session import Session
from gwplan.solver.compile import compiled, expand, templates
from gwplan.solver.expand import Templates
from gwplan.solver.highs import loaded
from gwplan.solver.program import SolveOptions
from gwplan.solver.solving import certified
from gwplan.tree.timeline import timeline
from tests.benchmarks.registry import folder_of

T = TypeVar("T")
EDIT = "value.value_bn_per_gw_year *= 1.02"
"""The edit of the warm phase: every price a little higher."""

COLD_LIMIT = 600.0
"""Wall seconds after which a cold solve is given up; its time is then at least what it took by then."""

LIFT_LIMIT = 300.0
"""Wall seconds after which the solve among the phases is given up, and with it the phases that follow."""


class Clock:
    """Collects seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.wall: dict[str, float] = {}

    def __call__(self, phase: str, work: Callable[[], T]) -> T:
        """Return what the work returns; note how long it took."""
        gc.collect()
        wall, own = time.perf_counter(), time.process_time()
        result = work()
        self.seconds[phase] = time.process_time() - own
        self.wall[phase] = time.perf_counter() - wall
        return result


def peak_mb() -> float:
    """Return the largest memory that this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def phases(case: str, *, solves: bool) -> dict[str, Any]:
    """Return seconds by phase of one run of a case, its sizes and peak memory."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder_of(case, Path(scratch))
        instance = clock("read", lambda: gw.load(folder))
        clock("validate", lambda: valid(instance))
        laid_out = clock("timeline", lambda: timeline(instance))
        entered = clock("terms", lambda: terms(laid_out.data))
        with templates():
            model = clock("build", lambda: build(entered, sketch=True))
        program = clock("compile", lambda: expand(Templates(model), entered).program)
        clock("load", lambda: loaded(program, SolveOptions()))
        report: dict[str, Any] = {}
        if solves:
            options = SolveOptions(time_limit=LIFT_LIMIT)
            solution, proof, report = clock("solve", lambda: solved(laid_out, program, options))
            given_up = solution.status.stopped
            report |= {"given up": given_up}
            if not given_up:
                certificate = plan_or_error(solution, proof, accept_stopped=False)
                plan = clock("extract", lambda: make_plan(laid_out, program, solution, certificate))
                clock("audit", lambda: checked(plan, laid_out, program, solution))
                clock("export", lambda: keep(plan, Path(scratch) / "run", command=["bench"], options={}))
        tree = laid_out.data.tree
        size = {
            "columns": program.shape[1],
            "rows": program.shape[0],
            "nonzeros": len(program.value),
            "nodes": tree.size,
            "leaves": len(tree.leaves),
        }
        found = {"case": case, "size": size, "seconds": clock.seconds, "wall": clock.wall, "peak_mb": peak_mb()}
        return {**found, "solved": report} if solves else found


def warm(case: str) -> dict[str, Any]:
    """Return seconds of one edited case of a session."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        instance = gw.load(folder_of(case, Path(scratch)))
        with clock("session", lambda: Session(instance)) as session:
            clock("warm edit", lambda: session.solve(EDIT).summary)
    return {"case": case, "seconds": clock.seconds, "wall": clock.wall}


def reading(case: str) -> dict[str, Any]:
    """Return seconds of reading and checking an instance, and of reading its tables with pandas, dates left as text."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder_of(case, Path(scratch))

        def tables() -> int:
            return sum(len(pd.read_csv(path)) for path in sorted(folder.glob("*.csv")))

        tables(), valid(gw.load(folder))  # imports do not count
        rows = clock("pandas", tables)
        clock("read and validate", lambda: valid(gw.load(folder)))
    return {"case": case, "size": {"rows": rows}, "seconds": clock.seconds, "wall": clock.wall}


def starts(case: str) -> dict[str, Any]:
    """Return seconds of a tree's solve by start: HiGHS with its default options, cold and lifted; the same optimum."""
    clock, worth = Clock(), dict[str, float]()
    with tempfile.TemporaryDirectory() as scratch:
        laid_out = timeline(gw.load(folder_of(case, Path(scratch))))
        program = compiled(laid_out.data)
        _, lifted, report = clock("lift", lambda: solved(laid_out, program, SolveOptions(ranges=False)))
        _, cold = clock("cold", lambda: certified(program, SolveOptions(time_limit=COLD_LIMIT)))
        for start, proof in (("lift", lifted), ("cold", cold)):
            if proof is not None and proof.optimal:
                worth[start] = -proof.objective
    size = {"columns": program.shape[1], "leaves": len(laid_out.data.tree.leaves)}
    return {"case": case, **size, "solved": report, "seconds": clock.seconds, "wall": clock.wall, "worth_bn": worth}


def peer(case: str, name: str, *, solves: bool) -> dict[str, Any]:
    """Return seconds from arrays to a loaded HiGHS with one tool, memory that it took, and its optimum."""
    from tests.benchmarks.peers import PEERS, objective_bn, supported

    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        data = timeline(gw.load(folder_of(case, Path(scratch)))).data
        if not supported(data):
            raise SystemExit(f"the peers' models do not say all that {case} asks for")
        small = timeline(gw.load(folder_of("2,000", Path(scratch) / "first"))).data
        PEERS[name](small)  # imports, and whatever is made once in a process, do not count
        before = peak_mb()
        highs = clock("load", lambda: PEERS[name](data))
        taken = peak_mb() - before
        found = {"case": case, "peer": name, "seconds": clock.seconds, "wall": clock.wall, "peak_mb": taken}
        size = {"columns": highs.getNumCol(), "rows": highs.getNumRow(), "nonzeros": highs.getNumNz()}
        return {**found, "size": size, "worth_bn": objective_bn(highs) if solves else None}


if __name__ == "__main__":
    what, case, *rest = sys.argv[1:]
    if what == "phases":
        found = phases(case, solves="solves" in rest)
    elif what == "reading":
        found = reading(case)
    elif what == "warm":
        found = warm(case)
    elif what == "starts":
        found = starts(case)
    else:
        found = peer(case, rest[0], solves="solves" in rest)
    print("\n" + json.dumps(found))
