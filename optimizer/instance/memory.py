"""How much memory a plan will take, estimated before anything large is made, and how much there is."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Final

from optimizer.instance.instance import Instance
from optimizer.instance.problems import InstanceError, Problem

BYTES_A_COLUMN: Final = 1_500
"""Peak memory of a solve for each column counted as `columns` does, as measured on the reference."""

_CGROUP: Final = Path("/sys/fs/cgroup")


def columns(instance: Instance, nodes: int) -> int:
    """Return how many columns a plan's program has at most, about: decisions on a node times nodes."""
    tables = instance.tables
    pathways, pools = len(tables["pathways"]), len(tables["pools"])
    pairs = len(tables["eligibility"]) or pathways * pools
    value = tables["value"]
    tiers = max(Counter(zip(value["pathway"].tolist(), value["from"].tolist(), strict=True)).values(), default=0)
    segments = tables["curves"]["segments"].max() if len(tables["curves"]) else 0
    each = 2 * pairs + pools + 4 * pathways + pathways * (tiers + int(max(segments, 0)))
    return nodes * (each + len(tables["cancellations"]))


def available() -> int | None:
    """Return how many bytes this process may still take: of the machine, its group and its own limit; None: unknown."""
    found = []
    info = _read(Path("/proc/meminfo"))
    for line in info.splitlines():
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    most, now = _read(_CGROUP / "memory.max").strip(), _read(_CGROUP / "memory.current").strip()
    if most.isdigit() and now.isdigit():
        found.append(int(most) - int(now))
    pages = _read(Path("/proc/self/statm")).split()
    if sys.platform != "win32" and pages:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            found.append(limit - int(pages[0]) * resource.getpagesize())
    return max(min(found), 0) if found else None


def refuse_too_large(instance: Instance, nodes: int) -> None:
    """Raise where a plan will not fit into memory.

    Raises
    ------
    InstanceError
        With the numbers: what it is estimated to take, and what there is.
    """
    there, count = available(), columns(instance, nodes)
    needed = count * BYTES_A_COLUMN
    if there is not None and needed > there:
        what = f"about {count:,} decisions on {nodes:,} nodes take about {needed / 1e9:,.2f} GB of memory"
        rule = f"{there / 1e9:,.2f} GB are free"
        remedy = "take longer or fewer periods, fewer factors or outcomes, or a larger machine"
        raise InstanceError(Problem("instance", what, rule, remedy))


def _read(path: Path) -> str:
    """Return a file of the system, blank where there is none."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
