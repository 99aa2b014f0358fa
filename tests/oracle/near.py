"""An earlier plan that the next one is charged for leaving: the rows of its ``allocation.csv``."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Near:
    """Rows of an earlier plan's allocation, and $bn per GW-year for leaving it."""

    rows: list[dict[str, str]]
    cost: float

    def kept(self, pathway: str, pool: str, day: date, known: dict[str, str]) -> float | None:
        """GW that the earlier plan gave a pair on a day, the mean over what it knew and this node does not; or None."""
        found = [
            (float(row["probability"]), float(row["gw"]))
            for row in self.rows
            if (row["pathway"], row["pool"], row["start"]) == (pathway, pool, day.isoformat())
            and not any(known.get(factor, outcome) != outcome for factor, outcome in told(row["known"]))
        ]
        if not found:
            return None
        return math.fsum(share * gw for share, gw in found) / math.fsum(share for share, _ in found)


def told(known: str) -> list[tuple[str, str]]:
    """Split ``factor=outcome, factor=outcome`` into pairs."""
    pairs = [part.split("=") for part in known.split(", ")] if known else []
    return [(factor, outcome) for factor, outcome in pairs]


def near(allocation: Path, cost: float) -> Near:
    """Read the allocation of a kept run."""
    with allocation.open(encoding="utf-8", newline="") as lines:
        return Near(list(csv.DictReader(lines)), cost)
