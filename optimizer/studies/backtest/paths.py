"""Paths outside the tree: what is drawn, and when it is known.

A path is what really happens: one outcome of every factor, revealed when it is, and events, which are edits of the
instance: a drawn cell, deliveries that move, a what-if that comes true. An event is known from the first period whose
data it changes; an outcome from its reveal, which may slip with all that it does.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tables import TABLES
from gwplan.instance.chances import known
from gwplan.instance.edit import TARGET
from gwplan.instance.instance import Instance
from gwplan.language.cursor import Name
from gwplan.language.edits import Edit, Factor, Outcome, edit, noted, spell_cells
from gwplan.models.data import BY_NODE, BY_ROOT, PlanData
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.solver.program import FloatArray, IntArray
from gwplan.studies.sweep.draws import Draw, draw, fitting, shares
from gwplan.studies.sweep.sweep import Task
from gwplan.tree.calendar import add_months, calendar_of
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import reveals, timeline

NO_EVIDENCE: Final = (
    "along the tree's own leaves the re-plan on the tree follows its own plan, so that a backtest would only reproduce "
    "the plan's worth, RP, and be no evidence for it"
)


@dataclass(frozen=True)
class Hazards:
    """What may happen on a path that the tree does not have."""

    draws: tuple[Draw, ...] = ()  # cells that are drawn
    slips: Mapping[str, Draw] = field(default_factory=dict)  # by factor: months by which its reveal moves
    happens: Mapping[str, float] = field(default_factory=dict)  # by what-if: the probability that it comes true

    def __bool__(self) -> bool:
        return bool(self.draws or self.slips or self.happens)


_SLIP: Final = re.compile(r"(?P<factor>.*?)\s*\+?~\s*(?P<drawn>\S.*)", re.DOTALL)


def slip(text: str, instance: Instance) -> tuple[str, Draw]:
    """Return the factor and the months by which its reveal moves that a text spells: ``FACTOR ~ discrete(...)``."""
    where, parts, names = f"slip {text.strip()}", _SLIP.fullmatch(text.strip()), [f.name for f in instance.factors]
    if parts is None:
        raise InstanceError(Problem(where, "no slip", "write FACTOR ~ discrete(MONTHS: PROBABILITY, ...)"))
    if parts["factor"] not in names:
        raise InstanceError(Problem(where, f"no factor '{parts['factor']}'", nearest(parts["factor"], names)))
    return parts["factor"], draw(f"deliveries.date +~ {parts['drawn']}", where)


def happening(text: str, instance: Instance) -> tuple[str, float]:
    """Return the what-if and the probability that it comes true that a text spells: ``WHATIF ~ 0.1``."""
    where, (name, sign, number) = f"happens {text.strip()}", text.partition("~")
    try:
        chance = float(number) if sign else -1.0
    except ValueError:
        chance = -1.0
    if not 0 < chance <= 1:
        raise InstanceError(Problem(where, "no probability", "write WHATIF ~ P with P above 0 and at most 1"))
    whatif = instance.whatif(name.strip())
    if whatif.given:
        rule = "a what-if that comes true edits cells, it takes no outcome as known"
        raise InstanceError(Problem(where, f"given {', '.join(whatif.given)}", rule, "give one without conditions"))
    return whatif.name, chance


def delays(text: str, instance: Instance) -> list[Draw]:
    """Return draws of the months by which each contract's deliveries still to come move, each on its own."""
    rows, start = instance.tables["deliveries"], np.datetime64(instance.start, "s")
    names = rows["contract"][rows["date"].to_numpy() > start].tolist()
    second = calendar_of(instance).starts(2)[1]
    return [
        draw(f"deliveries[{spell_cells({'contract': Name(name)})}].date +~ {text} @ {second}", f"--delays {text}")
        for name in dict.fromkeys(names)
    ]


def refused(hazards: Hazards, instance: Instance) -> list[Problem]:
    """Return what keeps hazards from an instance."""
    problems = fitting(hazards.draws, instance)
    rule, remedy = "it is the same on every path, as each factor's outcome is one", "leave it out, or --set it"
    problems += [
        Problem(f"draw {each.name}", f"a cell of {each.varied.table}", rule, remedy)
        for each in hazards.draws
        if each.varied.table == TARGET or TABLES[each.varied.table].section
    ]
    return problems


def tasks(
    instance: Instance, hazards: Hazards, paths: int, seed: int, ranks: FloatArray | None = None
) -> tuple[Task, ...]:
    """Return drawn paths as tasks: a Latin hypercube over cells, slips, what-ifs and outcomes together."""
    count, factors = len(hazards.draws), instance.factors
    size = count + len(hazards.slips) + len(hazards.happens) + len(factors)
    whole = np.eye(size)
    if ranks is not None:
        whole[:count, :count] = ranks
    spread = iter(shares(size, paths, seed, whole).T)
    inputs: dict[str, list[Any]] = {each.name: each.values(next(spread)).tolist() for each in hazards.draws}
    slips = {name: each.values(next(spread)).astype(int).tolist() for name, each in hazards.slips.items()}
    true = {name: (next(spread) < chance).tolist() for name, chance in hazards.happens.items()}
    outcomes = _outcomes(factors, [next(spread).tolist() for _ in factors], paths)
    return tuple(
        _task(
            instance,
            [(each.name, (each.varied.edit(inputs[each.name][i]),)) for each in hazards.draws]
            + [(name, instance.whatif(name).edits) for name, happened in true.items() if happened[i]],
            outcomes[i],
            {name: months[i] for name, months in slips.items()},
            {**{name: values[i] for name, values in inputs.items()},
             **{f"happens[{name}]": str(happened[i]).lower() for name, happened in true.items()}},
        )
        for i in range(paths)
    )  # fmt: skip


def leaves(instance: Instance) -> tuple[Task, ...]:
    """Return the tree's own leaves as tasks, each once."""
    tree = timeline(instance).data.tree
    return tuple(
        _task(instance, [], {f.name: f.outcomes[o].name for f, o in zip(instance.factors, row, strict=True)}, {}, {})
        for row in tree.scenario_outcome[tree.example[tree.leaves]].tolist()
    )


def _outcomes(factors: Sequence[Factor], spread: Sequence[Sequence[float]], paths: int) -> list[dict[str, str]]:
    """Return the outcome of every factor on each path, by its probability where earlier factors came out so."""
    drawn = [dict[str, str]() for _ in range(paths)]
    for factor, along in zip(factors, spread, strict=True):
        for came, share in zip(drawn, along, strict=True):
            through = np.cumsum([outcome.chance(came) for outcome in factor.outcomes])
            at = min(int(np.searchsorted(through, share * through[-1])), len(through) - 1)
            came[factor.name] = factor.outcomes[at].name
    return drawn


def _task(
    instance: Instance,
    events: Sequence[tuple[str, Sequence[Edit]]],
    outcomes: Mapping[str, str],
    slips: Mapping[str, int],
    inputs: Mapping[str, Any],
) -> Task:
    said = {
        "events": [[name, [noted(each).text for each in edits]] for name, edits in events],
        "outcomes": dict(outcomes),
        "slips": dict(slips),
    }
    named = {f"outcome[{name}]": outcome for name, outcome in outcomes.items()
             if len(next(f for f in instance.factors if f.name == name).outcomes) > 1}  # fmt: skip
    slipped = {f"slip_months[{name}]": months for name, months in slips.items()}
    return Task((json.dumps(said),), {**inputs, **named, **slipped})


def shifted(factor: Factor, months: int) -> Factor:
    """Return a factor whose reveal, and all that its outcomes do on dates, comes so many months later."""
    if not months:
        return factor
    outcomes = tuple(replace(o, edits=tuple(_shifted(e, months) for e in o.edits)) for o in factor.outcomes)
    return replace(factor, revealed=_later(factor.revealed, months), outcomes=outcomes)


def _shifted(edit: Edit, months: int) -> Edit:
    row = edit.where
    if edit.operation == "insert":
        row = {name: _later(cell, months) if isinstance(cell, dt.date) else cell for name, cell in row.items()}
    start, until = (day and _later(day, months) for day in (edit.start, edit.until))
    return noted(replace(edit, where=row, start=start, until=until))


def _later(day: dt.date, months: int) -> dt.date:
    return add_months(np.array([day], dtype="datetime64[D]"), np.array([months])).astype(object)[0]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Knowledge:
    """What is known in a period of a path: the events that have shown, by number, and the factors revealed."""

    events: frozenset[int]
    factors: frozenset[str]


class DrawnPath:
    """A path, and what may be known of it when."""

    def __init__(self, instance: Instance, text: str, layouts: Layouts) -> None:
        said = json.loads(text)
        self.instance, self.layouts = instance, layouts
        self._events = [tuple(edit(each) for each in edits) for _, edits in said["events"]]
        named: Mapping[str, str] = said["outcomes"]
        self.outcomes = named
        self.slips: Mapping[str, int] = said["slips"]
        self.actual = {f.name: self._chosen(shifted(f, self.slips.get(f.name, 0))) for f in instance.factors}
        self._written: dict[frozenset[int], Instance] = {}

    def _chosen(self, factor: Factor) -> Factor:
        outcome = next(o for o in factor.outcomes if o.name == self.outcomes[factor.name])
        return replace(factor, outcomes=(Outcome(outcome.name, 1.0, outcome.edits),))

    def written(self, events: frozenset[int]) -> Instance:
        """Return the instance with events, and all its factors."""
        if events not in self._written:
            edits = [each for number in sorted(events) for each in self._events[number]]
            self._written[events] = self.instance.edited(*edits)
        return self._written[events]

    @cached_property
    def all_events(self) -> frozenset[int]:
        """Every event, by number."""
        return frozenset(range(len(self._events)))

    @cached_property
    def world(self) -> Instance:
        """What really happens: one future."""
        return replace(self.written(self.all_events), factors=tuple(self.actual.values()))

    @cached_property
    def reveals(self) -> dict[str, int]:
        """Period in which each factor is revealed on this path."""
        return dict(zip(self.actual, reveals(self.world), strict=True))

    @cached_property
    def shows(self) -> IntArray:
        """First period in which each event's data differ from what they were without it; never: the number of periods.

        What is known then must explain all data up to then: events that only show together are known together.
        """
        first = self._differs([self.all_events - {number} for number in range(len(self._events))])
        periods = [-1, *sorted(set(first.tolist()))]
        together = [frozenset(np.flatnonzero(first <= period).tolist()) for period in periods]
        until = [*periods[1:], self.instance.periods]
        for differs, following in zip(self._differs(together).tolist(), until, strict=True):
            if differs < following:
                first[:] = np.minimum(first, differs)
                break
        return first

    def _differs(self, others: Sequence[frozenset[int]]) -> IntArray:
        """Return the first period in which the data of the world with other events differ from the world's."""
        if not others:
            return np.empty(0, dtype=np.int64)
        outcomes = [edits for factor in self.actual.values() for edits in factor.outcomes[0].edits]
        every = [self.all_events, *others]
        edits = [tuple([e for number in sorted(events) for e in self._events[number]] + outcomes) for events in every]
        futures = tuple(Outcome(str(i), 1 / len(every), each) for i, each in enumerate(edits))
        forked = Factor("world", self.instance.start, futures)
        data = timeline(replace(self.instance, factors=(forked,)), self.layouts).data
        return np.array([_first_difference(data, i) for i in range(1, len(every))])

    def known(self, period: int) -> Knowledge:
        """Return what is known in a period: its own data and those before, and the factors revealed by then."""
        return self._knowledge[period]

    @cached_property
    def _knowledge(self) -> list[Knowledge]:
        return [
            Knowledge(
                frozenset(np.flatnonzero(self.shows <= period).tolist()),
                frozenset(name for name, at in self.reveals.items() if at <= period),
            )
            for period in range(self.instance.periods)
        ]

    def due(self, period: int, review: int) -> tuple[int, ...]:
        """Return by how many periods each factor's reveal is overdue, and expected at the next review instead."""
        known = self.known(period).factors
        return tuple(
            period + review - at if at <= period and f.name not in known else 0
            for f, at in zip(self.instance.factors, reveals(self.instance), strict=True)
        )

    def believed(self, period: int, review: int, *, tree: bool) -> Instance:
        """Return the instance as it is seen in a period: with what is known, and on the tree what may still come.

        A reveal that is overdue is expected at the next review, with all that hangs on it that much later.
        """
        revealed, months = self.known(period).factors, calendar_of(self.instance).months
        learnt = self.instance.factors
        for place, factor in enumerate(learnt):
            if factor.name in revealed:
                came = next(o for o in factor.outcomes if o.name == self.outcomes[factor.name])
                learnt, _ = known(learnt, place, came)
        factors = []
        for factor, due in zip(learnt, self.due(period, review), strict=True):
            if factor.name in revealed or len(factor.outcomes) == 1:
                factors.append(self.actual[factor.name])
            elif tree:
                factors.append(shifted(factor, due * months))
        return replace(self.written(self.known(period).events), factors=tuple(factors))


def _first_difference(data: PlanData, future: int) -> int:
    """Return the first period in which a future's data differ from those of the first; the number of periods: never."""
    tree = data.tree
    mine, theirs = tree.node_of[0], tree.node_of[future]
    for name, array in _arrays(data):
        if name in BY_ROOT and not _same(array[..., 0], array[..., future]):
            return 0
    differ = np.zeros(tree.periods, dtype=bool)
    for name, array in _arrays(data):
        if name in BY_NODE:
            one, other = array[..., mine], array[..., theirs]
            apart = (one != other) & ~((one != one) & (other != other))
            differ |= apart.reshape(-1, tree.periods).any(axis=0) if apart.size else False
    return int(np.argmax(differ)) if differ.any() else tree.periods


def _arrays(data: PlanData) -> Iterator[tuple[str, Any]]:
    """Yield the data that are seen when they hold; of what counts beyond the horizon, or in all, nothing is."""
    for name in (*BY_ROOT, *BY_NODE):
        if name not in ("contracted", "fee", "signing_fee", "kept") and not name.startswith("terminal"):
            yield name, getattr(data, name)
    for name, of in (("fee", data.way_out_of), ("signing_fee", data.offer_of)):
        per_gw = data.contracted[of]
        yield name, np.divide(getattr(data, name), per_gw, out=np.zeros_like(per_gw), where=per_gw > 0)


def _same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
