"""A Dask scheduler and its workers, started by command line as a user starts them, bound to this machine alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class LocalCluster:
    """A scheduler and workers, each a process with a log in a folder."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._started = folder, list[subprocess.Popen[bytes]]()
        scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.address = self._said(scheduler, r"Scheduler at:\s*(tcp://127\.0\.0\.1:\d+)")
        self.workers = [self.add(f"worker{i}") for i in range(workers)]

    def add(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker and wait until the scheduler knows it."""
        options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
        worker = self._start("worker", self.address, *options, "--no-nanny", "--name", name, log=name)
        self._said(worker, r"(Registered to:)", log=name)
        return worker

    def _start(self, command: str, *options: str, log: str = "scheduler") -> subprocess.Popen[bytes]:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (self._folder / f"{log}.log").open("wb") as file:
            started = subprocess.Popen(
                [sys.executable, "-m", "dask", command, *options],
                cwd=self._folder, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": path},
            )  # fmt: skip
        self._started.append(started)
        return started

    def _said(self, process: subprocess.Popen[bytes], pattern: str, log: str = "scheduler") -> str:
        """Return what a process says of itself in its log."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            text = (self._folder / f"{log}.log").read_text(errors="replace")
            if found := re.search(pattern, text):
                return found.group(1)
            assert process.poll() is None, text
            time.sleep(0.05)
        raise AssertionError(f"{log} does not start:\n{text}")

    def end(self) -> None:
        """End every process."""
        for process in reversed(self._started):
            process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def local_cluster(folder: Path, workers: int = 2) -> Iterator[LocalCluster]:
    """Yield a cluster of this machine that ends with the block."""
    cluster = LocalCluster(folder, workers)
    try:
        yield cluster
    finally:
        cluster.end()
