"""A sweep killed at random moments, and repeated until it is whole."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("cases.csv", "cases.parquet")


def command(arguments: Sequence[str], out: Path) -> list[str]:
    """Return the command line of a sweep that is kept."""
    return [sys.executable, "-m", "gwplan.cli", *arguments, "--out", str(out)]


def tables(out: Path) -> dict[str, bytes]:
    """Return the bytes of a kept sweep's tables."""
    return {name: (out / name).read_bytes() for name in TABLES}


def whole(arguments: Sequence[str], out: Path) -> float:
    """Run a sweep to its end and return how long it took, seconds."""
    began = time.monotonic()
    subprocess.run(command(arguments, out), cwd=ROOT, check=True, capture_output=True)
    return time.monotonic() - began


def killed(arguments: Sequence[str], folder: Path, times: int, seed: int, seconds: float) -> tuple[int, list[int]]:
    """Kill a sweep at random moments until that has been done so many times, and see that its tables come out the same.

    Whenever it is whole it is compared and begun anew.

    Parameters
    ----------
    arguments : sequence of str
        The sweep without ``--out``.
    folder : Path
        Holds ``whole``, the sweep without interruption.
    times : int
        How many times it is killed.
    seed : int
        Of the moments.
    seconds : float
        How long the sweep takes; each run is killed after at most half of it.

    Returns
    -------
    (int, list of int)
        How many sweeps were compared, and the bytes of rows that each kill left behind.
    """
    moments, expected = random.Random(seed), tables(folder / "whole")
    out, compared, left = folder / "killed", 0, list[int]()
    rows = folder / "killed.unfinished" / "rows.jsonl"
    while len(left) < times or not out.exists():
        if out.exists():
            shutil.rmtree(out)
        process = subprocess.Popen(
            command(arguments, out), cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            process.wait(moments.uniform(0.3, max(seconds / 2, 1.5)) if len(left) < times else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            left.append(rows.stat().st_size if rows.exists() else 0)
        else:
            assert process.returncode == 0, process.returncode
        if out.exists():
            assert tables(out) == expected
            assert not rows.parent.exists()
            compared += 1
    return compared, left


if __name__ == "__main__":
    import tempfile

    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    asked = [
        "sweep", "instances/tiny-tree", "--grid", "economics.discount_rate = 0..0.199 step 0.001",
        "--grid", "value.value_bn_per_gw_year *= 1, 1.2", "--jobs", "2",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        taken = whole([*asked[:-1], "1"], place / "whole")
        found, sizes = killed(asked, place, kills, seed=5, seconds=taken)
    print(f"killed {len(sizes)} times, rows kept then: {sizes} bytes; whole and equal {found} times")
