"""Random instances without a plan, explained and checked: ``python -m tests.results.infeasible COUNT FIRST_SEED``."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import gwplan as gw
from gwplan.conflict.diagnose import Diagnosis, diagnose
from gwplan.tree.calendar import calendar_of
from tests.generate import random_instance
from tests.generate.broken import broken
from tests.oracle.elastic import Key, can_be_kept, least_gw_years

CLOSE = 1e-5
"""GW-years, or share of them, by which a repair's cost may differ from the least."""


@dataclass(frozen=True)
class Explained:
    """An instance without a plan, and what the oracle says of its diagnosis.

    Attributes
    ----------
    in_conflict, irreducible : bool
        Whether the demands named cannot all be kept, and whether they can without any one of them.
    least_gw_years : float
        The fewest GW-years by which demands must give way.
    """

    instance: gw.Instance
    diagnosis: Diagnosis
    in_conflict: bool
    irreducible: bool
    least_gw_years: float

    @property
    def cheapest(self) -> bool:
        """Whether the first repair costs the least."""
        told = [repair.gw_years for repair in self.diagnosis.repairs[:1]]
        return bool(told) and abs(told[0] - self.least_gw_years) <= CLOSE * max(1.0, self.least_gw_years)

    @property
    def mended(self) -> bool:
        """Whether every repair gives a plan of the worth that is told."""
        worth = [gw.solve(self.instance.edited(*repair.edits)).objective_bn for repair in self.diagnosis.repairs]
        told = [repair.worth_bn for repair in self.diagnosis.repairs]
        return bool(told) and all(abs(a - b) <= 1e-6 * (1 + abs(b)) for a, b in zip(worth, told, strict=True))


def explained(seed: int, folder: Path) -> Explained | None:
    """Return a random instance without a plan as explained and checked by the oracle; None if it has one."""
    instance = broken(gw.load(random_instance(seed, folder / "whole")), seed)
    if instance is None:
        return None
    try:
        gw.solve(instance)
    except gw.InstanceError:
        return None
    except gw.InfeasibleError:
        diagnosis = diagnose(instance)
    else:
        return None
    gw.save(instance, folder / "broken")
    parts = _periods(instance, diagnosis)
    together = set().union(*parts)
    return Explained(
        instance,
        diagnosis,
        not can_be_kept(folder / "broken", together),
        all(can_be_kept(folder / "broken", together - part) for part in parts),
        least_gw_years(folder / "broken"),
    )


def _periods(instance: gw.Instance, diagnosis: Diagnosis) -> list[set[tuple[Key, int]]]:
    """Return the demands in conflict, each as its key in each of its periods."""
    starts = [str(date) for date in calendar_of(instance).starts(instance.periods + 1)]
    return [
        {((c.kind, c.pathway, c.pool), t) for t in range(starts.index(c.first), starts.index(c.until))}
        for c in diagnosis.conflicts
    ]


def main() -> None:
    """Explain so many instances, from a seed on, and print how many pass each check and which do not."""
    wanted, first = int(sys.argv[1]), int(sys.argv[2])
    passed = {"in_conflict": 0, "irreducible": 0, "mended": 0, "cheapest": 0}
    found = 0
    for seed in count(first):
        if found == wanted:
            break
        with tempfile.TemporaryDirectory() as folder:
            case = explained(seed, Path(folder))
        if case is None:
            continue
        found += 1
        failed = [name for name in passed if not getattr(case, name)]
        for name in passed.keys() - failed:
            passed[name] += 1
        if failed:
            costs = [repair.gw_years for repair in case.diagnosis.repairs]
            print(f"seed {seed}: not {', '.join(failed)}; repairs {costs}, least {case.least_gw_years}", flush=True)
        if found % 25 == 0:
            print(f"{found} without a plan up to seed {seed}: {passed}", flush=True)
    print(f"{found} without a plan: {passed}")


if __name__ == "__main__":
    main()
