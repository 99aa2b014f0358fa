"""What was decided on a path so far, carried in memory: held in the next plan, and read off it.

A plan of the instance from its start, in which all that was decided before a review is held, is the plan of the
instance rolled on to that day: allocation, deals with their terms and notices, contracts given back, offers signed and
money spent need no translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gwplan.models.data import BoolArray, PlanData
from gwplan.plan.values import Decided
from gwplan.session import Answer
from gwplan.solver.program import FloatArray, LinearProgram
from gwplan.studies.backtest.paths import DrawnPath, Knowledge
from gwplan.tree.timeline import Timeline

DECISIONS: Final[Mapping[str, str]] = {"allocate": "PQ", "release": "P", "cancelled": "W", "signed": "O"}
"""What is decided, each with its axes beside time; deals signed and breached, and idle GW, follow."""

Amounts = Mapping[str, FloatArray]
"""By decision: GW or shares over its axes and periods; nan where nothing is decided."""


def _axes(laid_out: Timeline) -> dict[str, tuple[Any, ...]]:
    """Return the names along each axis as tables spell them: ways out by contract and window, offers by contract."""
    names = laid_out.names
    ways, offers = tuple((c, window) for c, _, window in names.ways_out), tuple(c for c, _ in names.offers)
    return {"P": names.pathways, "Q": names.pools, "W": ways, "O": offers}


class Ledger:
    """Decisions by name and period."""

    def __init__(self, periods: int, *laid_out: Timeline) -> None:
        self._axes: dict[str, dict[Any, int]] = {axis: {} for axis in "PQWO"}
        for each in laid_out:
            for axis, names in _axes(each).items():
                for name in names:
                    self._axes[axis].setdefault(name, len(self._axes[axis]))
        self._amounts = {
            name: np.full((*(len(self._axes[axis]) for axis in axes), periods), np.nan)
            for name, axes in DECISIONS.items()
        }

    def copied(self) -> Ledger:
        """Return the same decisions, to which others are added elsewhere."""
        copy = Ledger(0)
        copy._axes = self._axes
        copy._amounts = {name: amounts.copy() for name, amounts in self._amounts.items()}
        return copy

    def _places(self, laid_out: Timeline, axes: str) -> tuple[Any, ...]:
        theirs = _axes(laid_out)
        at = [np.array([self._axes[axis][name] for name in theirs[axis]], dtype=np.int64) for axis in axes]
        return np.ix_(*at) if at else ()

    def write(self, laid_out: Timeline, decided: Decided, node: int, period: int) -> None:
        """Enter what a plan decides on a node as what was decided in a period."""
        for name, axes in DECISIONS.items():
            self._amounts[name][..., period] = 0.0
            self._amounts[name][(*self._places(laid_out, axes), period)] = getattr(decided, name)[..., node]

    def on(self, laid_out: Timeline) -> dict[str, FloatArray]:
        """Return what was decided, GW or shares, along the axes of an instance and over its periods."""
        periods = laid_out.data.tree.periods
        return {
            name: self._amounts[name][self._places(laid_out, axes)][..., :periods] for name, axes in DECISIONS.items()
        }


def held(
    program: LinearProgram,
    data: PlanData,
    amounts: Amounts,
    nodes: BoolArray,
    names: Iterable[str] = tuple(DECISIONS),
) -> LinearProgram:
    """Return a program with decisions on some nodes, shape (N,), held at amounts; where these are nan it stays free."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    code = {label: i for i, label in enumerate(program.labels)}
    along = {"P": data.pathways, "Q": data.pools, "W": data.ways_out, "O": data.offers}
    place = {axis: np.full(len(code), -1, dtype=np.int64) for axis in along}
    for axis, labels in along.items():
        known = [(code[label], i) for i, label in enumerate(labels) if label in code]
        for at, i in known:
            place[axis][at] = i
    for name in names:
        keys = program.column_keys.get(name, np.empty((0, 1), dtype=np.int64))
        keyed = np.flatnonzero(nodes[keys[:, -1]]) if len(keys) else np.empty(0, dtype=np.int64)
        index = [place[axis][keys[keyed, i]] for i, axis in enumerate(DECISIONS[name])] if len(keyed) else []
        amount = amounts[name][(*index, data.tree.period[keys[keyed, -1]])] if len(keyed) else np.empty(0)
        at, amount = program.columns[name].start + keyed[~np.isnan(amount)], amount[~np.isnan(amount)]
        lower[at] = upper[at] = np.clip(amount, lower[at], upper[at])
    whole = program.whole & (lower < upper)
    for name, keys in program.column_keys.items():
        if len(keys) and keys.shape[1] and program.whole.any():
            past = nodes[keys[:, -1]] & (name not in DECISIONS)
            whole[program.columns[name]] &= ~past
    return replace(program, column_lower=lower, column_upper=upper, whole=whole)


@dataclass(frozen=True)
class Course:
    """A plan that is followed, and what was known when it was made."""

    answer: Answer
    known: Knowledge

    @property
    def laid_out(self) -> Timeline:
        """The instance as it was seen, on its tree."""
        return self.answer.laid_out

    def node(self, path: DrawnPath, period: int) -> tuple[int, bool]:
        """Return the plan's node for a period of a path, and whether the plan foresaw all that is known there.

        Where it did not, the node is the likeliest of those that know most of the same.
        """
        tree, factors, known = self.laid_out.data.tree, self.laid_out.instance.factors, path.known(period)
        nodes = np.flatnonzero(tree.period == period)
        actual = np.array([
            -1 if f.name not in known.factors
            else next((i for i, o in enumerate(f.outcomes) if o.name == path.outcomes[f.name]), -2)
            for f in factors
        ], dtype=np.int64)  # fmt: skip
        open_ = np.array([len(f.outcomes) > 1 for f in factors], dtype=bool)
        agree = (tree.known[nodes] == actual)[:, open_].sum(axis=1)
        best = int(nodes[np.lexsort((-tree.probability[nodes], -agree))[0]])
        exact = agree.max(initial=0) == open_.sum() and known.events == self.known.events
        return best, bool(exact) and all(self._foreseen(path, name) for name in known.factors - self.known.factors)

    def _foreseen(self, path: DrawnPath, name: str) -> bool:
        """Return whether the plan holds an outcome that was revealed since as it came."""
        mine = [f for f in self.laid_out.instance.factors if f.name == name]
        came = path.actual[name]
        return any(f.revealed == came.revealed and o.edits == came.outcomes[0].edits
                   for f in mine for o in f.outcomes if o.name == path.outcomes[name])  # fmt: skip
