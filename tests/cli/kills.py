"""Processes killed at random moments of solve and export: ``python -m tests.cli.kills COUNT SEED``.

Half of the kills are spread over the whole time that a command takes, half over the time during which it writes: from
the moment when what is written in the making appears beside the target.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import gwplan as gw
from gwplan.kept.run import keep, read_run
from tests.cli.conftest import INSTANCES

MAKING = ".gwplan-*"
"""Where outputs are made before they are whole."""

COMMANDS = ("solve", "export csv", "export xlsx")


@dataclass(frozen=True)
class Subject:
    """A command that writes, and what it writes if it is left to end.

    Attributes
    ----------
    command : str
        One of `COMMANDS`.
    given : str
        The instance to solve, or the kept run to export.
    expected : mapping of str to int, or None
        Size of each file of the whole output by name, bytes; None where that is not known.
    seconds, writing : float
        Wall time of the whole command, and of its part from the first file in the making to the whole output.
    """

    command: str
    given: str
    expected: dict[str, int] | None = None
    seconds: float = 0.0
    writing: float = 0.0


def started(command: str, given: str, target: Path) -> subprocess.Popen[bytes]:
    """Start a command that writes a target."""
    words = {
        "solve": ["solve", given, "--out", str(target)],
        "export csv": ["export", given, "--csv", str(target)],
        "export xlsx": ["export", given, "--xlsx", str(target)],
    }[command]
    environment = {**os.environ, "PYTHONPATH": str(INSTANCES.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "gwplan.cli", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def target_of(command: str, folder: Path) -> Path:
    """Return what a command writes in a folder."""
    return folder / ("plan.xlsx" if command == "export xlsx" else "out")


def measured(command: str, given: str, folder: Path) -> Subject:
    """Let a command end, and return what it wrote and how long it took."""
    target = target_of(command, folder)
    began = time.perf_counter()
    process = started(command, given, target)
    _wait_for(process, folder, MAKING)
    making = time.perf_counter()
    _wait_for(process, folder, target.name)
    made = time.perf_counter()
    assert process.wait() == 0 and target.exists()
    return Subject(command, given, _files(target), time.perf_counter() - began, made - making)


def killed(subject: Subject, folder: Path, wait: float, *, writing: bool) -> str:
    """Kill a command some seconds after its start, or after it begins to write; return in which phase it was.

    Returns
    -------
    str
        ``before writing``, ``writing``, ``written`` (the output was whole, and its maker not yet away) or ``ended``.

    Raises
    ------
    AssertionError
        If something is left that is neither whole nor hidden.
    """
    target = target_of(subject.command, folder)
    process = started(subject.command, subject.given, target)
    if writing:
        _wait_for(process, folder, MAKING)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = list(folder.glob(MAKING))
    assert {path.name for path in folder.iterdir()} <= {target.name, *(path.name for path in left)}
    if target.exists():
        _assert_whole(subject, target)
        return "ended" if process.returncode == 0 else "written"
    assert process.returncode == -signal.SIGKILL
    return "writing" if left else "before writing"


def _wait_for(process: subprocess.Popen[bytes], folder: Path, name: str) -> None:
    """Wait until something of a name is in a folder, or the process has ended."""
    while process.poll() is None and not any(folder.glob(name)):
        time.sleep(0.0002)


def _files(target: Path) -> dict[str, int]:
    if target.is_file():
        with zipfile.ZipFile(target) as book:
            return {part.filename: part.file_size for part in book.infolist()}
    return {str(path.relative_to(target)): path.stat().st_size for path in target.rglob("*") if path.is_file()}


def _assert_whole(subject: Subject, target: Path) -> None:
    """Hold an output against that of a command which was left to end: the same files, none shorter but by a time."""
    files, expected = _files(target), subject.expected
    if expected is not None:
        assert files.keys() == expected.keys()
        assert all(abs(size - expected[name]) <= 64 for name, size in files.items()), files
    if subject.command == "solve":
        assert read_run(str(target)).summary["status"] == "optimal"
    if target.is_file():
        with zipfile.ZipFile(target) as book:
            assert book.testzip() is None


def main() -> None:
    """Kill the commands in turn at random moments and print in which phase the kills found them."""
    wanted, chance = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        instance = INSTANCES / "meta-2026h1"
        run = keep(gw.solve(gw.load(instance)), folder / "run", command=["gwplan"], options={})
        subjects = []
        for place, command in enumerate(COMMANDS):
            (here := folder / f"whole {place}").mkdir()
            subjects.append(measured(command, str(instance if command == "solve" else run), here))
            took = subjects[-1]
            print(f"{command}: {took.seconds:.2f} s, of which it writes for {took.writing:.3f} s", flush=True)
        found: Counter[tuple[str, str, str]] = Counter()
        for number in range(wanted):
            subject, writing = subjects[number % len(subjects)], number % 2 == 1
            wait = chance.uniform(0.0, subject.writing if writing else subject.seconds)
            (here := folder / f"kill {number}").mkdir()
            phase = killed(subject, here, wait, writing=writing)
            found[subject.command, "while it writes" if writing else "at any moment", phase] += 1
        for (command, when, phase), times in sorted(found.items()):
            print(f"{command}, killed {when}: {times} {phase}")
        phases = Counter(phase for _, _, phase in found.elements())
        print(f"{wanted} kills: {dict(phases)}; nothing half-written")


if __name__ == "__main__":
    main()
