"""Engines of sweeps on this machine: in this process, or in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, Final

from optimizer.studies.sweep.worker import LOST, Row, answered, one_thread

TRIES: Final = 3
"""Workers that a task may be given to when they die of it."""

_SERVE: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from optimizer.studies.sweep.worker import serve; serve()"
)


class InProcess:
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

    def answer(self, future: Future[Row]) -> Row:
        """Return the answer to a task."""
        return future.result()

    def close(self, *, at_once: bool) -> None:
        """Let linear algebra run in as many threads as before."""
        self._open.close()


class Processes:
    """Answers tasks in worker processes, one task a worker at a time; a worker that dies is replaced.

    Parameters
    ----------
    jobs : int
        How many workers.
    """

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

    def answer(self, future: Future[Row]) -> Row:
        """Return the answer to a task."""
        return future.result()

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
