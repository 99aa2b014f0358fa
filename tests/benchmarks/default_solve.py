"""How long `gwplan solve` takes beside its imports and a bare solve: ``python -m tests.benchmarks.default_solve``."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

INSTANCE = str(Path(__file__).parents[2] / "instances" / "meta-2026h1")
TIMES = 5

BARE = f"""
from gwplan.cli import main
from gwplan.planning import solve
from gwplan.show.text.plan import print_plan
from gwplan.storage.read import load
solve(load({INSTANCE!r}))
"""
"""What any command has to do that plans: the same imports, reading, solving, proving and auditing; nothing is told."""


def seconds(*arguments: str) -> float:
    """Return the seconds of processor that a process of Python takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print both, taken in turns, the least of each, and their ratio."""
    runs = [(seconds("-c", BARE), seconds("-m", "gwplan.cli", "solve", INSTANCE)) for _ in range(TIMES)]
    bare, told = (min(each) for each in zip(*runs, strict=True))
    print(f"imports and bare solve {bare:.2f} s, gwplan solve {told:.2f} s of processor: {told / bare:.2f} times")


if __name__ == "__main__":
    main()
