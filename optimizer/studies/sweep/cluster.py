"""The engine of sweeps on a Dask cluster; the only file that knows Dask."""

from __future__ import annotations

import math
import time
from concurrent.futures import CancelledError, Future
from typing import Any, Final

from optimizer.extras import imported
from optimizer.problems import InstanceError, Problem
from optimizer.studies.sweep.worker import LOST, Row, answered_alone

PATIENCE: Final = 10.0
"""Seconds that a scheduler has to answer the first call."""

SPARE: Final = 16
"""Tasks given to a cluster beyond two for each of its threads, for workers that join later."""

COUNTED_EVERY: Final = 2.0
"""Seconds after which the cluster's threads are counted again."""

RETRIES: Final = 2
"""Times that a case is given to another worker when Dask itself fails at it."""


class Cluster:
    """Answers tasks on the workers of a Dask scheduler, which need gwplan but no disk in common.

    Each worker is sent the instance's tables as text. What a worker was at when it was lost is given to another.

    Parameters
    ----------
    address : str
        The scheduler's, such as ``tcp://127.0.0.1:8786``.

    Raises
    ------
    InstanceError
        If Dask is not installed, or no scheduler answers there.
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
