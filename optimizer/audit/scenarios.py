"""What the tables of an instance hold in every scenario, its periods and the nodes of its tree, for the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.tables import TABLES, Table
from gwplan.instance.instance import Instance, apply_edits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Dates = NDArray[np.datetime64]
Texts = NDArray[np.object_]

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Long:
    """A table's rows in every scenario."""

    table: Table  # its entry in the catalogue
    frames: list[pd.DataFrame]  # the different states in which scenarios have the table
    rows: Ints  # (R,) row of each scenario's row in all states put below each other
    scenario: Ints  # (R,) whose row it is

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> NDArray[Any]:
        """Return a column, defaults filled in; "none" is nan or NaT, days are datetime64[D]."""
        cells = np.concatenate([frame[column].to_numpy() for frame in self.frames])
        default = self.table[column].default
        if self.table[column].kind == "date":
            cells = cells.astype("datetime64[D]")
        elif self.table[column].kind == "flag":
            cells = np.where(pd.isna(cells), bool(default), cells).astype(bool)
        elif isinstance(default, int | float):
            cells = np.where(np.isnan(cells), default, cells)
        return np.asarray(cells[self.rows])

    def limits(self, column: str) -> Floats:
        """Return a column of limits, inf where there is none."""
        cells = self[column]
        return np.where(np.isnan(cells), np.inf, cells)


@dataclass(frozen=True)
class Scenarios:
    """Every combination of outcomes, the first factor varying slowest."""

    written: Instance  # the instance as written
    instances: list[Instance]  # the instance with the edits of each scenario, S of them
    outcomes: list[list[str]]  # each scenario's outcome of every factor
    probability: Floats  # (S,) probability of each scenario

    def long(self, name: str) -> Long:
        """Return a table's rows in every scenario, one scenario after the other."""
        frames: dict[tuple[int, ...], pd.DataFrame] = {}
        versions = []
        for instance in self.instances:
            pairs_missing = name == "eligibility" and name not in instance.present
            key = tuple(id(instance.tables[t]) for t in (("pathways", "pools") if pairs_missing else (name,)))
            if key not in frames:
                frames[key] = instance.filled(name) if pairs_missing else instance.tables[name]
            versions.append(key)
        ends = dict(zip(frames, np.cumsum([len(frame) for frame in frames.values()]).tolist(), strict=True))
        rows = [np.arange(ends[key] - len(frames[key]), ends[key]) for key in versions]
        scenario = np.repeat(np.arange(len(versions)), [len(r) for r in rows])
        return Long(TABLES[name], list(frames.values()), np.concatenate(rows), scenario)


def scenarios(instance: Instance) -> Scenarios:
    """Apply the edits of every combination of outcomes, factor by factor."""
    reached: list[tuple[Instance, list[str], float]] = [(instance, [], 1.0)]
    written = [factor.name for factor in instance.factors]
    for factor in instance.factors:
        reached = [
            (
                apply_edits(before, outcome.edits, note=False, inside_outcome=True),
                [*names, outcome.name],
                probability * _chance(outcome, dict(zip(written, names, strict=False))),
            )
            for before, names, probability in reached
            for outcome in factor.outcomes
        ]
    instances, outcomes, probabilities = (list(part) for part in zip(*reached, strict=True))
    return Scenarios(instance, instances, outcomes, np.array(probabilities, dtype=float))


def _chance(outcome: Any, earlier: dict[str, str]) -> float:
    """Return an outcome's probability after earlier ones: that of the last row which they meet."""
    chance: float = outcome.probability
    for row in outcome.probability_given:
        if all(earlier[name] == came_out for name, came_out in row.given.items()):
            chance = row.probability
    return chance


@dataclass(frozen=True)
class Periods:
    """The periods of a plan: T of them, and as many after the horizon as are asked for."""

    start: np.datetime64
    months: int
    count: int

    @property
    def dt(self) -> float:
        """Length of a period, years."""
        return self.months / 12

    def starts(self, count: int) -> Dates:
        """Return the first days of the first `count` periods."""
        return (self.start + self.months * np.arange(count)).astype("datetime64[D]")

    def first_on_or_after(self, dates: Dates) -> Ints:
        """Return the first period that starts on or after each date, beyond the horizon too; dates are known."""
        latest = np.max(np.append(dates, self.starts(1)))
        months = int((latest.astype("datetime64[M]") - self.start).astype(int))
        return np.searchsorted(self.starts(months // self.months + 2), dates).astype(np.int64)

    def of_days(self, days: Floats) -> Ints:
        """Return days as whole periods, rounded up."""
        # A period of 30.4375 days a month is exact in binary, so that the quotient of a whole number of them is too.
        return np.ceil(days / (30.4375 * self.months)).astype(np.int64)


def periods(instance: Instance) -> Periods:
    """Return the periods of an instance."""
    return Periods(np.datetime64(instance.start, "M"), _MONTHS[instance.resolution], instance.periods)


@dataclass(frozen=True)
class Nodes:
    """The nodes of the scenario tree, numbered by period, then by their first scenario."""

    node_of: Ints  # (S, T) node of each scenario and period
    # (N,) period; first scenario through the node; parent, -1 at a root
    period: Ints
    scenario: Ints
    parent: Ints
    start: Dates  # (N,) first day of the node's period
    known: Texts  # (N,) the outcomes known
    probability: Floats  # (N,) probability of the node
    weight: Floats  # (S,) probability of each scenario

    @property
    def count(self) -> int:
        """Number of nodes."""
        return len(self.period)

    def label(self, node: int) -> str:
        """Name a node in words."""
        known = f", {self.known[node]}" if self.known[node] else ""
        return f"node {node} ({np.datetime_as_string(self.start[node], 'D')}{known})"

    def at(self, dated: NDArray[Any]) -> NDArray[Any]:
        """Return data by scenario and period, shape (S, T, ...), at the nodes, shape (N, ...)."""
        return dated[self.scenario, self.period]

    def before(self, by_node: Floats, initial: Floats | float = 0.0) -> Floats:
        """Return the value at each node's parent, `initial` (by node) at a root."""
        root = (self.parent < 0).reshape(-1, *([1] * (by_node.ndim - 1)))
        return np.where(root, initial, by_node[self.parent])

    def contradictions(self, dated: NDArray[Any], slack: float = 0.0) -> NDArray[np.int64]:
        """Return the nodes whose scenarios differ, by more than a slack, in data of the first t periods (S, t, ...)."""
        node_of = self.node_of[:, : dated.shape[1]]
        shared = dated[self.scenario[node_of], np.arange(dated.shape[1])]
        differ = (dated != shared) & ~((dated != dated) & (shared != shared))  # nan equals nan here
        if slack:
            differ &= ~(np.abs(dated - shared) <= slack * (1 + np.abs(shared)))
        return np.unique(node_of[differ.reshape(*node_of.shape, -1).any(axis=2)])


def nodes(cases: Scenarios, calendar: Periods) -> Nodes:
    """Return the nodes of the tree: scenarios share them while they agree on what has been revealed."""
    factors = cases.written.factors
    starts = calendar.starts(calendar.count)
    revealed = np.array([f.revealed for f in factors], dtype="datetime64[D]")
    is_known = revealed[None, :] <= starts[:, None]
    node_of = np.empty((len(cases.instances), calendar.count), dtype=np.int64)
    known, first, period = [], [], []
    count, codes, labels = 0, np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    for t in range(calendar.count):
        if t == 0 or (is_known[t] != is_known[t - 1]).any():
            outcomes = [", ".join(f"{f.name}={o}" for f, o, k in zip(factors, names, is_known[t], strict=True) if k)
                    for names in cases.outcomes]  # fmt: skip
            codes, labels = pd.factorize(np.array(outcomes, dtype=object))
        node_of[:, t] = count + codes
        known.append(labels)
        first.append(np.unique(codes, return_index=True)[1])
        period.append(np.full(len(labels), t))
        count += len(labels)
    scenario, at = np.concatenate(first), np.concatenate(period)
    parent = np.where(at > 0, node_of[scenario, np.maximum(at - 1, 0)], -1)
    weights = np.repeat(cases.probability, calendar.count)
    return Nodes(
        node_of=node_of,
        period=at,
        scenario=scenario,
        parent=parent,
        start=starts[at].astype("datetime64[s]"),
        known=np.concatenate(known),
        probability=np.asarray(np.bincount(node_of.ravel(), weights=weights, minlength=count), dtype=float),
        weight=cases.probability,
    )


@dataclass(frozen=True)
class Axis:
    """The names along an axis."""

    names: Texts

    def __len__(self) -> int:
        return len(self.names)

    def places(self, cells: Any) -> Ints:
        """Return each name's place along the axis, -1 for a name that is not on it."""
        return np.asarray(pd.Index(self.names, dtype=object).get_indexer(pd.Index(cells, dtype=object)), dtype=np.int64)
