"""What is made of an instance's tables, remembered by the tables: edited tables of outcomes, arrays of scenarios."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Hashable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any, Final, TypeVar

import pandas as pd
from numpy.typing import NDArray

from optimizer.instance import steps
from optimizer.instance.calendar import Calendar
from optimizer.instance.edit import REFERRERS, apply_edits
from optimizer.instance.instance import Edit, Factor, Instance, Outcome
from optimizer.instance.problems import InstanceError
from optimizer.instance.schema import TABLES

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")


@dataclass(frozen=True)
class Names:
    """Names along the axes of the arrays, over all scenarios.

    A contract that an outcome moves to another pool counts once for each pool.
    """

    pathways: tuple[str, ...]
    pools: tuple[str, ...]
    contracts: tuple[tuple[str, str], ...]

    @cached_property
    def contract_names(self) -> tuple[str, ...]:
        """Name of each contract, with its pool where the name alone would stand for two."""
        names = [contract for contract, _ in self.contracts]
        return tuple(c if names.count(c) == 1 else f"{c}@{q}" for c, q in self.contracts)


_MAKERS: Final[tuple[tuple[Callable[[Instance, Names, Calendar], Arrays], tuple[str, ...]], ...]] = (
    (steps.pools, ("pools",)),
    (steps.pathways, ("pathways",)),
    (steps.pairs, ("eligibility", "pathways", "pools")),
    (steps.supply, ("contracts", "deliveries", "pools")),
    (steps.cancellations, ("cancellations", "contracts")),
    (steps.demand, ("demand",)),
    (steps.tiers, ("value", "curves", "pathways")),
    (steps.churn, ("churn", "pathways")),
    (steps.running, ("running", "churn", "pathways")),
    (steps.locks, ("locks",)),
)

_Made = MutableMapping[tuple[Any, ...], tuple[tuple[Any, ...], Any]]


class Layouts:
    """Makes arrays of scenarios; what depends on the same tables, the same objects, is made once.

    Beside what was made stands what it was made from, so that an `id` stays that object's.
    """

    def __init__(self, made: _Made | None = None) -> None:
        self._made: _Made = {} if made is None else made

    def forked(self) -> Layouts:
        """Return layouts that know all that these know; what they learn is theirs alone."""
        return Layouts(ChainMap({}, self._made))

    def once(self, what: Hashable, sources: Sequence[Any], make: Callable[[], T]) -> T:
        """Return what `make` makes of the sources; of the same objects it is made once.

        Parameters
        ----------
        what : hashable
            Tells apart what is made of the same sources.
        sources : sequence
            All that `make` reads, and that does not change.
        make : callable
            Makes it.
        """
        key = (what, *map(id, sources))
        if key not in self._made:
            self._made[key] = (tuple(sources), make())
        made: T = self._made[key][1]
        return made

    def outcomes_applied(self, instance: Instance, factors: Iterable[Factor]) -> tuple[Instance, ...]:
        """Return the instance in every combination of outcomes, the first factor varying slowest.

        Edits are applied factor by factor, so that combinations share the work, and the tables, of their first factors.
        """
        reached: list[Instance] = [instance]
        for factor in factors:
            reached = [self.applied(before, o) if o.edits else before for before in reached for o in factor.outcomes]
        return tuple(reached)

    def alone(self, instance: Instance) -> list[list[tuple[Instance, Instance]]]:
        """Return, for each factor and outcome, the instance before and after the outcome's edits.

        An outcome that edits what an earlier factor inserts does not fit the instance as written: it is applied after
        the first outcomes of the factors before it.
        """
        rows = []
        for place, factor in enumerate(instance.factors):
            row = []
            for outcome in factor.outcomes:
                before = instance
                try:
                    after = self.applied(before, outcome)
                except InstanceError:
                    for earlier in instance.factors[:place]:
                        before = self.applied(before, earlier.outcomes[0])
                    after = self.applied(before, outcome)
                row.append((before, after))
            rows.append(row)
        return rows

    def applied(self, before: Instance, outcome: Outcome) -> Instance:
        """Return an instance in one outcome.

        Raises
        ------
        InstanceError
            If an edit does not fit; it speaks of the first edits that do not.
        """
        for edits in _independent(outcome.edits):
            reads = sorted(set().union(*map(_reached, edits)))
            frames = [before.tables[name] for name in reads]
            work = partial(_edited, before, edits, reads)
            changed, present = self.once(("edited", before.present), (*edits, *frames), work)
            before = replace(before, tables={**before.tables, **changed}, present=present)
        return before

    def arrays(self, instance: Instance, names: Names, calendar: Calendar) -> Arrays:
        """Return every array of one scenario; fields that change over time end with the axis of periods."""
        made: Arrays = {}
        rate = instance.discount_rate
        for make, tables in _MAKERS:
            frames = [instance.tables[name] for name in tables]
            made.update(self.once((make, names, calendar, rate), frames, partial(make, instance, names, calendar)))
        return made


def _edited(
    before: Instance, edits: tuple[Edit, ...], reads: list[str]
) -> tuple[dict[str, pd.DataFrame], frozenset[str]]:
    """Return the tables that edits change, and which tables there are then."""
    after = apply_edits(before, edits, note=False, inside_outcome=True)
    changed = {name: after.tables[name] for name in reads if after.tables[name] is not before.tables[name]}
    return changed, after.present


def _independent(edits: Iterable[Edit]) -> list[tuple[Edit, ...]]:
    """Return edits in groups that reach no table in common, each in the order given."""
    groups: list[tuple[set[str], tuple[Edit, ...]]] = []
    for edit in edits:
        reached = set(_reached(edit))
        members: tuple[Edit, ...] = (edit,)
        apart = []
        for tables, others in groups:
            if tables & reached:
                reached, members = reached | tables, (*others, *members)
            else:
                apart.append((tables, others))
        groups = [*apart, (reached, members)]
    return [members for _, members in groups]


def _reached(edit: Edit) -> frozenset[str]:
    """Return the tables that an edit reads or changes."""
    if edit.table not in TABLES:
        return frozenset()
    table = TABLES[edit.table]
    found = {edit.table}
    if edit.operation in ("set", "insert") or edit.table == "eligibility":
        # a missing eligibility is read as every pair of a pathway and a pool
        found |= {column.refers_to for column in table.columns if column.refers_to}
    if edit.operation == "drop" or edit.column in table.key:
        found |= _referring(edit.table)
    return frozenset(found)


@cache
def _referring(table: str) -> frozenset[str]:
    """Return the tables that name rows of a table, directly or through others."""
    direct = {name for name, _ in REFERRERS[table]}
    return frozenset(direct.union(*map(_referring, direct)))
