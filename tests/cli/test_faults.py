"""What happens to outputs when a process is killed, or two write the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optimizer.results.run import read_run
from tests.cli.conftest import INSTANCES

TREE = str(INSTANCES / "tiny-tree")


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a command."""
    environment = {**os.environ, "PYTHONPATH": str(INSTANCES.parent)}
    command = [sys.executable, "-m", "optimizer.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.parametrize("wait", [0.0, 0.002, 0.01])
def test_a_killed_solve_leaves_a_whole_run_or_none(wait: float, tmp_path: Path) -> None:
    """Protects kept runs: a process killed while it writes leaves nothing that looks like a run and is not."""
    target = tmp_path / "run"
    process = started("solve", TREE, "--out", str(target))
    while process.poll() is None and not list(tmp_path.glob(".gwplan-*")):
        time.sleep(0.0005)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if target.exists():
        assert read_run(str(target)).summary["status"] == "optimal"
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(".gwplan-")} <= {"run"}


def test_two_processes_that_keep_the_same_run_leave_one_whole(tmp_path: Path) -> None:
    """Protects kept runs: of two that write the same folder one wins, whole, and the other says why it did not."""
    target = tmp_path / "run"
    both = [started("solve", TREE, "--out", str(target)) for _ in range(2)]
    told = [process.communicate()[1].decode() for process in both]
    codes = sorted(process.returncode for process in both)
    assert read_run(str(target)).summary["status"] == "optimal"
    assert codes in ([0, 0], [0, 1])
    assert all("Traceback" not in text for text in told)
    if codes == [0, 1]:
        assert any("run" in text and "error:" in text for text in told)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
