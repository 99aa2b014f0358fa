"""Rows of a sweep on disk as they come, so that a sweep that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from gwplan.errors import SolverError
from gwplan.files import naming, printable
from gwplan.problems import InstanceError, Problem
from gwplan.studies.sweep.sweep import BASE, Store, Study
from gwplan.studies.sweep.worker import Row

FORMAT: Final = "gwplan unfinished sweep"
ROWS: Final = "rows.jsonl"
SECONDS: Final = 1.0
"""Rows of so long may be lost when the machine itself goes down; a process that is killed loses none."""


def beside(out: str | Path) -> Path:
    """Return the folder that holds the rows of an unfinished sweep: beside the folder that it is to become."""
    place = Path(os.path.abspath(out))
    return place.with_name(f"{place.name}.unfinished")


def discard(out: str | Path) -> None:
    """Throw away the rows of an unfinished sweep: it is kept whole now."""
    with naming(beside(out)):
        (beside(out) / ROWS).unlink()
        beside(out).rmdir()


class Journal(Store):
    """The rows of one study, each a line with its checksum; a line that is torn ends what is read.

    With `force` the rows of another study are thrown away.

    Raises
    ------
    InstanceError
        If the rows of another study are there, another process writes them, or the place cannot be written to.
    """

    def __init__(self, out: str | Path, study: Study, *, force: bool = False) -> None:
        self.folder, self._study, self._force = beside(out), study, force
        super().__init__()
        self._fingerprint = ""
        self._synced = time.monotonic()
        with naming(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / ROWS
            # a link there would lead to a file that is not ours to write to
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            self._file = os.fdopen(os.open(path, flags, 0o666), "r+b")
            try:
                self._lock()
                self._read()
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def answered(self) -> int:
        """How many cases are kept, the base apart."""
        return sum(number != BASE for number in self.rows)

    def begin(self, fingerprint: str) -> None:
        """Note where every case starts; refuse to go on from rows that started elsewhere."""
        if self._fingerprint and self._fingerprint != fingerprint:
            raise SolverError(
                f"{self.folder} holds rows from another machine, whose last digits differ: "
                "go on there, or remove that folder to begin anew"
            )
        if not self._fingerprint:
            self._fingerprint = fingerprint
            self._append({"base": fingerprint})

    def add(self, number: int, row: Row) -> None:
        """Keep a row."""
        self._append({"number": number, "row": row})
        self.rows[number] = row

    def close(self) -> None:
        """Write what is not yet on the disk, and let others write."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _lock(self) -> None:
        """Keep other processes from writing the same rows; the system unlocks what a killed process had locked."""
        try:
            import fcntl
        except ImportError:  # there is no such lock on Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            rule = "one process at a time writes a sweep"
            raise InstanceError(self._problem("is being written", rule, "wait for it, or give another --out")) from None

    def _read(self) -> None:
        """Read the rows that are there and cut a torn line off; write what is asked at the head of an empty file."""
        header = _line({"format": FORMAT, "study": self._study.digest})
        first = self._file.readline()
        whole = len(first)
        if first != header:
            if not header.startswith(first.rstrip(b"\0")) and not self._force:
                what = "holds the rows of another sweep"
                rule = "only the same instance, cases, options and versions go on from rows that are there"
                raise InstanceError(self._problem(what, rule, "repeat that command, give another --out, or --force"))
            whole = 0
        while whole and (record := _record(line := self._file.readline())):
            whole += len(line)
            if "row" in record:
                self.rows[int(record["number"])] = record["row"]
            self._fingerprint = record.get("base", self._fingerprint)
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._file.write(header)
            self._file.flush()

    def _append(self, record: Mapping[str, Any]) -> None:
        """Write a line at once, and let the disk have it within `SECONDS`."""
        with naming(self.folder):
            self._file.write(_line(record))
            self._file.flush()
            if time.monotonic() - self._synced > SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()

    def _problem(self, what: str, rule: str, remedy: str) -> Problem:
        return Problem(printable(str(self.folder)), what, rule, remedy)


def _line(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _record(line: bytes) -> dict[str, Any] | None:
    """Return what a line says; None where it is torn."""
    checksum, _, text = line.partition(b" ")
    if not text.endswith(b"\n") or checksum != f"{zlib.crc32(text[:-1]):08x}".encode():
        return None
    return dict(json.loads(text))
