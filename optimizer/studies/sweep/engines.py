"""Engines of sweeps on this machine: in this process, or in processes of its own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, Final

from gwplan.extras import imported
from gwplan.problems import InstanceError, Problem
from gwplan.studies.sweep.sweep import Engine
from gwplan.studies.sweep.worker import LOST, Row, answered, answered_alone, one_thread

TRIES: Final = 3
"""Workers that a task may be given to when they die of it."""

_SERVE: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from gwplan.studies.sweep.worker import serve; serve()"
)


class InProcess(Engine):
    """Answers one task at a time in this process."""

    width = 1

    def __init__(self) -> None:
        self._open = ExitStack()
        self._open.enter_context(one_thread())

    def submit(self, setup: str, edits: tuple[str, ...]) -> Future[Row]:
        """Answer a task."""
        future: Future[Row] = Future()
        future.set_result(answered(setup, edits))
        return future

    def close(self, *, at_once: bool) -> None:
        """Let linear algebra run in as many threads as before."""
        self._open.close()


class Processes(Engine):
    """Answers tasks in worker processes, one task a worker at a time; a worker that dies is replaced."""

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(jobs, "sweep")
        self._all = [_Child() for _ in range(jobs)]
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        for child in self._all:
            self._idle.put(child)

    @property
    def width(self) -> int:
        """A task more than there are workers, so that none waits for the next."""
        return len(self._all) + 1

    def submit(self, setup: str, edits: tuple[str, ...]) -> Future[Row]:
        """Give a task to the next worker that is idle."""
        return self._threads.submit(self._answer, setup, edits)

    def _answer(self, setup: str, edits: tuple[str, ...]) -> Row:
        child = self._idle.get()
        try:
            for _ in range(TRIES):
                answer = child.answer(setup, edits)
                if answer is not None:
                    return answer
            return {"row": {"status": LOST, "reason": f"its worker died, {TRIES} times: {child.ended}"}}
        finally:
            self._idle.put(child)

    def close(self, *, at_once: bool) -> None:
        """End the workers."""
        for child in self._all:
            child.end(at_once=at_once)
        self._threads.shutdown(cancel_futures=True)


class _Child:
    """A worker process, started when it is first needed.

    It speaks lines of JSON on its standard input and output, which end with this process, so that no worker outlives it
    for longer than the case it is at. Ctrl-C does not reach it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._setup = ""
        self._closed = False
        self.ended = ""

    def answer(self, setup: str, edits: tuple[str, ...]) -> Row | None:
        """Return the answer to a task; None where the worker died of it."""
        try:
            process = self._started(setup)
            _say(process, edits)
            line = process.stdout.readline() if process.stdout else b""
            if line.endswith(b"\n"):
                return dict(json.loads(line))
        except BrokenPipeError:
            pass  # it died before it heard all
        self.end(at_once=True, closed=self._closed)
        return None

    def _started(self, setup: str) -> subprocess.Popen[bytes]:
        if self._closed:
            raise RuntimeError("the sweep has ended")
        if self._process is None or setup != self._setup:
            self.end(at_once=True, closed=False)
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for this process to hear
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
            self._setup = setup
            _say(self._process, setup)
        return self._process

    def end(self, *, at_once: bool, closed: bool = True) -> None:
        """End the process, after the task that it is at or at once; with `closed` no other takes its place."""
        process, self._process, self._closed = self._process, None, closed
        if process is None:
            return
        if at_once:
            process.kill()
        with process:  # closes its input, which ends it, and waits
            pass
        code = process.returncode
        self.ended = f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _say(process: subprocess.Popen[bytes], what: Any) -> None:
    if process.stdin is not None:
        process.stdin.write(json.dumps(what).encode() + b"\n")
        process.stdin.flush()


PATIENCE: Final = 10.0
"""Seconds that a scheduler has to answer the first call."""

SPARE: Final = 16
"""Tasks given to a cluster beyond two for each of its threads, for workers that join later."""

COUNTED_EVERY: Final = 2.0
"""Seconds after which the cluster's threads are counted again."""

RETRIES: Final = 2
"""Times that a case is given to another worker when Dask itself fails at it."""


class Cluster(Engine):
    """Answers tasks on the workers of a Dask scheduler, which need gwplan but no disk in common.

    Each worker is sent the instance's tables as text. What a worker was at when it was lost is given to another.
    """

    def __init__(self, address: str) -> None:
        self._distributed = imported("distributed", "Dask", extra="cluster", doing="sweeps on a cluster")
        self._address = address
        try:
            self._client: Any = self._distributed.Client(address, timeout=PATIENCE)
        except (OSError, ValueError, TypeError, MemoryError) as error:  # the last two: TLS unasked, another server
            reason = " ".join(str(error).split()) or "it does not answer"
            remedy = "start dask scheduler there, or check the address"
            raise InstanceError(Problem(f"--cluster {address}", "no scheduler", reason, remedy)) from error
        self._executor = self._client.get_executor(retries=RETRIES)
        self._sent: dict[str, Any] = {}
        self._counted, self._threads = -math.inf, 0

    @property
    def width(self) -> int:
        """Enough tasks to keep every worker busy, those that join later too."""
        now = time.monotonic()
        if now - self._counted > COUNTED_EVERY:
            self._counted, self._threads = now, sum(self._client.nthreads().values())
        return 2 * self._threads + SPARE

    def submit(self, setup: str, edits: tuple[str, ...]) -> Future[Row]:
        """Give a task to the cluster."""
        if setup not in self._sent:
            # a task that gives it back, so that the scheduler can have it made again when those who hold it are lost
            self._sent[setup] = self._client.submit(str, setup, pure=False)
        future: Future[Row] = self._executor.submit(answered_alone, self._sent[setup], list(edits))
        return future

    def answer(self, future: Future[Row]) -> Row:
        """Return the answer to a task; a task that kills worker after worker has a row that says so."""
        try:
            return future.result()
        except self._distributed.KilledWorker as error:
            return {"row": {"status": LOST, "reason": " ".join(str(error).split())}}
        except ImportError as error:
            raise self._refused(f"a worker has no gwplan: {error}", "install gwplan where the workers run") from error
        except (CancelledError, OSError) as error:
            raise self._refused("the scheduler has gone", "start it again and repeat the command") from error

    def close(self, *, at_once: bool) -> None:
        """Leave the cluster as it was found."""
        self._executor.shutdown(wait=not at_once)
        self._sent.clear()
        self._client.close()

    def _refused(self, what: str, remedy: str) -> InstanceError:
        return InstanceError(Problem(f"--cluster {self._address}", what, "a sweep needs its workers", remedy))
