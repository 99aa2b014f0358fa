"""A Dask cluster started by command line: it loses nothing, and its rows are those of one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.problems import InstanceError
from gwplan.studies.sweep import engines
from gwplan.studies.sweep.engines import Cluster, InProcess
from gwplan.studies.sweep.sweep import Study, Task, run
from tests.sweeps.cluster import ROOT, local_cluster

pytest.importorskip("distributed")

CASES = int(os.environ.get("GWPLAN_SWEEP_CASES", "24"))
DEALS = ROOT / "instances" / "tiny-deals"


def test_a_cluster_that_loses_a_worker_half_way_has_every_row(tmp_path: Path) -> None:
    """Scheduler and two workers without a disk in common, one killed half-way: every row equals the serial run's."""
    share = [n / CASES for n in range(CASES)]
    edits = [
        (f"value[pathway=deals].value_bn_per_gw_year *= {1 + s}", f"economics.discount_rate = {s / 5}") for s in share
    ]
    study = Study(
        "sweep", gw.load(DEALS), tuple(Task(edit, {"share": s}) for edit, s in zip(edits, share, strict=True))
    )
    with local_cluster(tmp_path) as local:
        lost: list[int] = []

        def tell(done: int, total: int) -> None:
            if done >= total // 2 and not lost:
                lost.append(done)
                local.workers[0].kill()

        there = run(study, Cluster(local.address), tell=tell)
        command = [
            sys.executable, "-m", "gwplan.cli", "sweep", str(DEALS), "--grid", "economics.discount_rate = 0, 0.1",
            "--cluster", local.address,
        ]  # fmt: skip
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert lost and there.rows == run(study, InProcess()).rows and len(there.rows) == CASES
    assert told.returncode == 0 and "SWEEP of tiny-deals: 2 cases" in told.stdout, told.stderr


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address says so, and what to do."""
    monkeypatch.setattr(engines, "PATIENCE", 1.0)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(InstanceError, match="no scheduler"):
            Cluster(address)
