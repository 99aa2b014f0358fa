"""How many cold solves of its tree ``gwplan uncertainty`` takes: ``python -m tests.benchmarks.uncertainty``.

Both are the command line as a planner starts it, one after the other in one run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[2] / "instances" / "meta-2026h1"
MOST = 30
"""Cold solves that the command may take as long as."""


def seconds(*arguments: str) -> float:
    """Return the wall time of a command."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gwplan.cli", *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Print both times and their ratio; fail where it is too large."""
    cold = min(seconds("solve", str(REFERENCE)) for _ in range(3))
    whole = seconds("uncertainty", str(REFERENCE), "--frontier", "5")
    print(f"cold solve {cold:.2f} s, uncertainty {whole:.2f} s: {whole / cold:.1f} cold solves (at most {MOST})")
    sys.exit(whole > MOST * cold)


if __name__ == "__main__":
    main()
