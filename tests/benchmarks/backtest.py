"""Where the time of a backtest goes: ``python -m tests.benchmarks.backtest PATHS`` walks paths of the reference.

Told are seconds of CPU by part, each without what it calls of the others, and by policy, for so many paths; and what
200 paths would take on two cores.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import gwplan as gw
from gwplan.session import Session
from gwplan.studies.backtest import backtest as studied
from gwplan.studies.backtest import walk as walked
from gwplan.studies.backtest.paths import DrawnPath, Hazards, delays, slip, tasks
from gwplan.studies.backtest.policies import policy
from gwplan.studies.sweep.draws import draw

ROOT = Path(__file__).resolve().parents[2]

POLICIES: Final = ("shares", "first", "greedy", "view-6", "written", "tree")

DRAWN: Final = (
    "value[pathway=deals].value_bn_per_gw_year *~ lognormal(1, 0.25) @ 2027-01-01",
    "value[pathway=platform].value_bn_per_gw_year *~ lognormal(1, 0.25) @ 2027-04-01",
    "demand[pathway=msl].target_gw *~ uniform(0.8, 1.2) @ 2027-01-01",
)

LATE: Final = "discrete(0: 0.6, 3: 0.25, 6: 0.15)"

PARTS: Final = (
    ("checked", walked, "valid"),
    ("laid out on trees", walked, "timeline"),
    ("programs made", Session, "_program"),
    ("solved and proved", Session, "_solution"),
    ("what is known when", DrawnPath, "_differs"),
    ("counted and audited", studied, "figures"),
)


class Clock:
    """CPU seconds by part, each without what it calls of the others."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner: list[float] = [0.0]

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose time counts as a part's."""

        def run(*arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            self._inner.append(0.0)
            try:
                return call(*arguments, **named)
            finally:
                spent = time.process_time() - began
                self.seconds[part] += spent - self._inner.pop()
                self._inner[-1] += spent

        return run


def main(paths: int) -> None:
    """Walk so many paths of the reference and print where the time went."""
    instance = gw.load(ROOT / "instances" / "meta-2026h1")
    slips = dict(slip(f"{name} ~ discrete(0: 0.7, 3: 0.3)", instance) for name in ("deliveries", "market"))
    hazards = Hazards((*map(draw, DRAWN), *delays(LATE, instance)), slips)
    drawn, clock = tasks(instance, hazards, paths, 1), Clock()
    began = time.process_time()
    desk = walked.Desk(Session(instance), 3)
    clock.seconds["the instance itself"] = time.process_time() - began
    policies = [policy(name) for name in POLICIES]
    for part, home, name in PARTS:
        patch.object(home, name, clock.timed(part, getattr(home, name))).start()
    walk = clock.timed("all else", studied.walked)
    for task in drawn:
        walk(desk, task.edits[0], policies)
    patch.stopall()
    total = sum(clock.seconds.values())
    for part, seconds in sorted(clock.seconds.items(), key=lambda item: -item[1]):
        print(f"{part:24}{seconds:8.1f} s{seconds / total:7.0%}")
    minutes = total / paths * 200 / 2 / 60
    print(f"{paths} paths x {len(policies)} policies: {total:.0f} s of CPU; 200 on two cores {minutes:.1f} min")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
