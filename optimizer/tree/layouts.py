"""What is made of an instance's tables, remembered by the tables: edited tables of outcomes, arrays of scenarios."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.tables import TABLES
from gwplan.instance.edit import REFERRERS
from gwplan.instance.instance import Instance, Remembered, T, apply_edits
from gwplan.language.edits import Edit, Factor, Outcome
from gwplan.problems import InstanceError
from gwplan.tree import contracts  # noqa: F401 - enters its makers into the list
from gwplan.tree.arrays import MAKERS, Arrays, Maker, Names
from gwplan.tree.calendar import Calendar


class Layouts(Remembered):
    """Makes arrays of scenarios; what depends on the same tables, the same objects, is made once."""

    @classmethod
    def of(cls, instance: Instance) -> Layouts:
        """Return layouts that know what was made of an instance's tables when they were read."""
        return cls(known=instance.checked)

    def of_columns(self, what: Hashable, instance: Instance, columns: Sequence[str], make: Callable[[], T]) -> T:
        """Return what `make` makes of some columns of an instance; equal tables or cells make it once."""
        names, tables = _split(tuple(columns))
        frames = [instance.tables[table] for table in tables]
        if not self._by_content:
            return self.once(what, frames, make)

        def of_cells() -> T:
            cells = (self._cells(instance.tables[table], column) for table, column in names)
            return self._once((what, columns, *cells), (), make)

        return self.once((what, "frames"), frames, of_cells)

    def _cells(self, frame: pd.DataFrame, column: str) -> Hashable:
        """Return what stands for the cells of a column, or the row numbers: the same object where they are equal."""
        known: dict[str, Hashable] = self.once("cells", (frame,), dict)
        if column not in known:
            values = frame[column] if column else frame.index
            if values.dtype == object:
                content: Hashable = tuple(values)
            else:
                numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) if values.dtype == "boolean" else values
                content = np.asarray(numbers).tobytes()
            known[column] = self._standing_for("cells", content)
        return known[column]

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
        for edits, reads in self.once("groups", (outcome,), lambda: _independent(outcome.edits)):
            frames = [before.tables[name] for name in reads]
            work = partial(_edited, before, edits, reads)
            changed, present = self.once(("edited", before.present), (*edits, *frames), work)
            before = replace(before, tables={**before.tables, **changed}, present=present)
        return before

    def arrays(self, instance: Instance, names: Names, calendar: Calendar) -> dict[Maker, Arrays]:
        """Return every array of one scenario by its maker; what changes over time ends with the axis of periods."""
        made = {}
        rate = self.once("discount rate", (instance.tables["economics"],), lambda: instance.discount_rate)
        beside = self._standing_for(names, calendar, rate, "eligibility" in instance.present)
        for maker in MAKERS:
            make = partial(maker.make, instance, names, calendar)
            arrays = self.of_columns((maker, beside), instance, maker.columns, make)
            made[maker] = {name: self._same(name, array) for name, array in arrays.items()}
        return made

    def _same(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """Return the array that was made first of those that hold the same, where that is compared."""
        if not self._by_content:
            return array
        return self.once(("same", name), (array,), lambda: self._first(name, array))

    def _first(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        key = ("first", name, array.dtype.str, array.shape, array.tobytes())
        return self._once(key, (), lambda: array)


@cache
def _split(columns: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the table and name of each column, and the tables."""
    names = [(table, name) for table, _, name in (column.partition(".") for column in columns)]
    return names, list(dict.fromkeys(table for table, _ in names))


def _edited(
    before: Instance, edits: tuple[Edit, ...], reads: list[str]
) -> tuple[dict[str, pd.DataFrame], frozenset[str]]:
    """Return the tables that edits change, and which tables there are then."""
    after = apply_edits(before, edits, note=False, inside_outcome=True)
    changed = {name: after.tables[name] for name in reads if after.tables[name] is not before.tables[name]}
    return changed, after.present


def _independent(edits: Iterable[Edit]) -> list[tuple[tuple[Edit, ...], list[str]]]:
    """Return edits in groups that reach no table in common, each in the order given, and the tables each reaches."""
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
    return [(members, sorted(tables)) for tables, members in groups]


def _reached(edit: Edit) -> frozenset[str]:
    """Return the tables that an edit reads or changes."""
    if edit.table not in TABLES:
        return frozenset()
    table = TABLES[edit.table]
    tables = {edit.table}
    if edit.operation in ("set", "insert") or edit.table == "eligibility":
        # a missing eligibility is read as every pair of a pathway and a pool
        tables |= {column.refers_to for column in table.columns if column.refers_to}
    if edit.operation == "drop" or edit.column in table.key:
        tables |= _referring(edit.table)
    return frozenset(tables)


@cache
def _referring(table: str) -> frozenset[str]:
    """Return the tables that name rows of a table, directly or through others."""
    direct = {name for name, _ in REFERRERS[table]}
    return frozenset(direct.union(*map(_referring, direct)))
