"""The scenario tree: scenarios share a node while they agree on everything revealed so far."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.data import Calendar, Data, calendar_of
from tests.oracle.edits import edited
from tests.oracle.reading import Folder, OracleError, as_date


@dataclass(eq=False)
class Scenario:
    """One outcome of each factor; `outcomes` holds their numbers."""

    name: str
    outcomes: tuple[int, ...]
    probability: float
    data: Data


@dataclass(eq=False)
class Node:
    """A period as seen with what is known in it, outcomes by factor; `number` counts the nodes."""

    number: int
    period: int
    parent: Node | None
    known: dict[str, str]
    scenarios: list[Scenario] = field(default_factory=list)

    @property
    def probability(self) -> float:
        """Probability that the node is reached."""
        return math.fsum(scenario.probability for scenario in self.scenarios)

    @property
    def data(self) -> Data:
        """Data of any scenario through the node."""
        return self.scenarios[0].data

    @property
    def path(self) -> list[Node]:
        """Nodes from the root to this one."""
        return [*(self.parent.path if self.parent else []), self]

    def back(self, periods: int) -> Node | None:
        """Return the ancestor some periods up, None before the start."""
        path = self.path
        return path[-1 - periods] if periods < len(path) else None

    def contracted(self, k: str) -> float:
        """GW of all deliveries of contract k, averaged over the scenarios through the node."""
        return math.fsum(s.probability * s.data.deliveries_in_all(k) for s in self.scenarios) / self.probability

    def fee(self, way: tuple[str, str]) -> float:
        """Fee in $bn for all of a contract given up on the node by one of its ways out."""
        row, now = self.data.ways_out[way], self.period + self.data.notice_of(way)
        rest = math.fsum(s.probability * s.data.rest(way[0], now) for s in self.scenarios if way[0] in s.data.contracts)
        fee = row["fee_bn_per_gw"] * self.contracted(way[0])
        return (
            float(fee + row["fee_share_of_rest"] * rest / self.probability) if row["fee_share_of_rest"] else float(fee)
        )


@dataclass(frozen=True)
class Tree:
    """Calendar, scenarios and nodes, parents before children."""

    calendar: Calendar
    scenarios: list[Scenario]
    nodes: list[Node]

    @property
    def leaves(self) -> list[Node]:
        """Nodes of the last period."""
        return [node for node in self.nodes if node.period == self.calendar.periods - 1]


def grow(folder: Folder, *, deterministic: bool = False) -> Tree:
    """Return the tree of a folder's factors; refuse outcomes that change the past."""
    calendar = calendar_of(folder)
    factors = [] if deterministic else folder.factors
    scenarios = scenarios_of(folder, factors, calendar)
    written = Data(folder.book, calendar)
    nodes: list[Node] = []
    known_before: dict[tuple[int | None, ...], Node] = {}
    for t in range(calendar.periods):
        known_now: dict[tuple[int | None, ...], Node] = {}
        for scenario in scenarios:
            known = what_is_known(scenario, factors, calendar, t)
            if known not in known_now:
                parent = known_before[what_is_known(scenario, factors, calendar, t - 1)] if t else None
                pairs = zip(factors, known, strict=True)
                told = {f["name"]: f["outcome"][o]["name"] for f, o in pairs if o is not None}
                known_now[known] = Node(len(nodes), t, parent, told)
                nodes.append(known_now[known])
            known_now[known].scenarios.append(scenario)
        for known, node in known_now.items():
            refuse_changed_past(node, written if all(outcome is None for outcome in known) else node.data)
        known_before = known_now
    return Tree(calendar, scenarios, nodes)


def scenarios_of(folder: Folder, factors: list[dict[str, Any]], calendar: Calendar) -> list[Scenario]:
    """Return every combination of outcomes, its edits applied in the order of the factors."""
    scenarios = []
    for chosen in itertools.product(*(enumerate(factor["outcome"]) for factor in factors)):
        outcomes = [outcome for _, outcome in chosen]
        book = edited(folder.book, (edit for outcome in outcomes for edit in outcome.get("edit", [])))
        name = ", ".join(f"{f['name']}={o['name']}" for f, o in zip(factors, outcomes, strict=True))
        came_out = {factor["name"]: outcome["name"] for factor, outcome in zip(factors, outcomes, strict=True)}
        probability = math.prod(chance(outcome, came_out) for outcome in outcomes)
        scenarios.append(Scenario(name, tuple(number for number, _ in chosen), probability, Data(book, calendar)))
    return scenarios


def chance(outcome: dict[str, Any], came_out: dict[str, str]) -> float:
    """Return an outcome's probability where the factors came out so: that of its last row that fits."""
    fitting = [row for row in outcome.get("probability_given", []) if row["given"].items() <= came_out.items()]
    return float((fitting or [outcome])[-1]["probability"])


def what_is_known(
    scenario: Scenario, factors: list[dict[str, Any]], calendar: Calendar, t: int
) -> tuple[int | None, ...]:
    """Return the outcomes revealed on or before the start of period t, None for the others."""
    return tuple(
        outcome if as_date(factor["revealed"]) <= calendar.tau(t) else None
        for factor, outcome in zip(factors, scenario.outcomes, strict=True)
    )


def refuse_changed_past(node: Node, reference: Data) -> None:
    """Raise if the scenarios through a node disagree on its data."""
    expected = reference.snapshot(node.period)
    for scenario in node.scenarios:
        found = scenario.data.snapshot(node.period)
        for what in expected:
            if found[what] != expected[what]:
                raise OracleError(
                    f"{scenario.name} changes {what} of period {node.period} before it is revealed: "
                    f"{expected[what]} -> {found[what]}"
                )
