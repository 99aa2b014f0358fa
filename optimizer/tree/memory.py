"""How much memory a plan takes at the least, told before anything large is made, and how much there is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from optimizer.instance.instance import Instance
from optimizer.problems import InstanceError, Problem

BYTES_A_COLUMN: Final = 1_500
"""Memory that a solve takes at the least for each column that `columns` counts; docs/trust.md has what was measured."""

_CGROUP: Final = Path("/sys/fs/cgroup")


def columns(instance: Instance, nodes: int) -> int:
    """Return how many columns a program has at least: on each node the GW of each pair, and idle GW of each pool."""
    edits = [edit for factor in instance.factors for outcome in factor.outcomes for edit in outcome.edits]
    may_go = {edit.table for edit in edits if edit.operation == "drop"}
    pairs = 0 if may_go & {"eligibility", "pathways", "pools"} else len(instance.filled("eligibility"))
    pools = 0 if "pools" in may_go else len(instance.tables["pools"])
    return nodes * (pairs + pools)


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
    """Raise where a plan cannot fit into memory: even the least that it may take is not free.

    Raises
    ------
    InstanceError
        With the numbers: what it takes at the least, and what there is.
    """
    there, count = available(), columns(instance, nodes)
    needed = count * BYTES_A_COLUMN
    if there is not None and needed > there:
        what = f"{count:,} decisions or more on {nodes:,} nodes take at least {needed / 1e9:,.2f} GB of memory"
        rule = f"{there / 1e9:,.2f} GB are free"
        remedy = "take longer or fewer periods, fewer factors or outcomes, or a larger machine"
        raise InstanceError(Problem("instance", what, rule, remedy))


def _read(path: Path) -> str:
    """Return a file of the system, blank where there is none."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
