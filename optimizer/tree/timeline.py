"""From tables to arrays on the scenario tree: ``Instance`` to ``PlanData``."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gwplan.catalogue.tables import TABLES
from gwplan.instance.chances import MOST_SCENARIOS, chances
from gwplan.instance.instance import Instance
from gwplan.language.edits import Factor, Outcome
from gwplan.models.data import BY_ROOT, PlanData
from gwplan.models.tree import Tree, build_tree
from gwplan.problems import InstanceError, Problem
from gwplan.tree.arrays import Arrays, Maker, Names, whole_deal_periods
from gwplan.tree.calendar import Calendar, calendar_of
from gwplan.tree.layouts import Layouts
from gwplan.tree.near import kept

_WHOLE: Final = "_total"
"""How figures end that reach beyond a node's own time: no part of the past, and an average over the future."""


def changes_of_the_past(
    factors: Sequence[Factor],
    alone: list[list[tuple[Instance, dict[Maker, Arrays], Instance, dict[Maker, Arrays]]]],
    revealed: NDArray[np.int64],
    calendar: Calendar,
    names: Names,
    layouts: Layouts,
) -> list[Problem]:
    """Return a problem for each outcome, table and row whose data before the reveal differ from those as written.

    Parameters
    ----------
    factors : sequence of Factor
        The factors.
    alone : list of list of (Instance, dict of arrays, Instance, dict of arrays)
        For each factor and outcome, the instance before that outcome's edits and its data, then after them; data that
        change over time end with the axis of periods.
    revealed : (F,) int array
        Period in which each factor is revealed.
    calendar : Calendar
        The periods.
    names : Names
        Names along the axes.
    layouts : Layouts
        Remembers what was compared before.
    """
    problems: dict[tuple[str, ...], Problem] = {}
    for factor, outcomes, period in zip(factors, alone, revealed.tolist(), strict=True):
        before = min(period, calendar.periods)
        if before == 0:
            continue
        for outcome, (instance, as_written, edited, arrays) in zip(factor.outcomes, outcomes, strict=True):
            for maker, field in ((maker, field) for maker, made in as_written.items() for field in made):
                mine, theirs = as_written[maker][field], arrays[maker][field]
                if theirs is mine or field.endswith(_WHOLE):
                    continue
                compare = partial(_first_difference, mine, theirs, before, len(maker.about), calendar.periods)
                place = layouts.once(("past", field, before, calendar.periods), (mine, theirs), compare)
                if place is None:
                    continue
                where, t = place
                owner = _owner(maker.about, where, names)
                changed = [t for t in maker.tables if instance.tables[t] is not edited.tables[t]]
                table = (changed or maker.tables)[0]
                problem = _told(factor, outcome, table, owner, field, t, instance, edited, calendar)
                problems.setdefault((factor.name, outcome.name, table, *owner.values()), problem)
    return list(problems.values())


def _first_difference(
    mine: NDArray[Any], theirs: NDArray[Any], before: int, owners: int, periods: int
) -> tuple[tuple[int, ...], int | None] | None:
    """Return the owner and period of the first difference before a period, None where there is none."""
    dated = mine.ndim > owners and mine.shape[-1] == periods
    if mine.ndim == 3 and mine.shape != theirs.shape:  # tiers: a missing tier is one of width 0
        most = max(mine.shape[1], theirs.shape[1])
        mine, theirs = (np.pad(a, ((0, 0), (0, most - a.shape[1]), (0, 0))) for a in (mine, theirs))
    differ = ~((mine == theirs) | (_is_nan(mine) & _is_nan(theirs)))
    if dated:
        differ = differ[..., :before]
        if not differ.any():
            return None
        t = int(np.argmax(differ.reshape(-1, before).any(axis=0)))
        return tuple(int(i) for i in np.argwhere(differ[..., t])[0][:owners]), t
    if not differ.any():
        return None
    return tuple(int(i) for i in np.argwhere(differ)[0]), None


def _is_nan(array: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=bool)


def _owner(axes: tuple[str, ...], where: tuple[int, ...], names: Names) -> dict[str, str]:
    known = {"pathway": names.pathways, "pool": names.pools, "contract": tuple(c for c, _ in names.contracts)}
    of_contract = {"way_out": names.way_out_of, "offer": names.offer_of}
    owner = {}
    for axis, i in zip(axes, where, strict=True):
        axis, i = ("contract", int(of_contract[axis][i])) if axis in of_contract else (axis, i)
        owner[axis] = known[axis][i]
    return owner


def _told(
    factor: Factor,
    outcome: Outcome,
    table: str,
    owner: dict[str, str],
    field: str,
    t: int | None,
    instance: Instance,
    edited: Instance,
    calendar: Calendar,
) -> Problem:
    row = _changed_row(table, owner, instance, edited)
    named = ", ".join(f"{axis} {name}" for axis, name in owner.items())
    when = calendar.starts()[t or 0]
    return Problem(
        f"uncertainty.toml factor {factor.name}, outcome {outcome.name}: {TABLES[table].file}{row}, {named}",
        f"changes {field.replace('_', ' ')} from {when} on, before the factor is revealed on {factor.revealed}",
        "an outcome must not change the past",
        f"date the edit on or after {factor.revealed}"
        if t is not None and TABLES[table].dated_by
        else f"the data of {table}.csv hold from the start: put the change into a dated table, or reveal the factor by "
        f"{calendar.starts()[0]}",
    )


def _changed_row(table: str, owner: dict[str, str], instance: Instance, edited: Instance) -> str:
    """Return the first row of the table that the outcome changed for the owner, as it is numbered in the file."""
    before, after = instance.tables[table], edited.tables[table]
    mine = after
    for axis, name in owner.items():
        mine = mine[mine[axis] == name] if axis in mine.columns else mine
    for row, cells in zip(mine.index.tolist(), mine.itertuples(index=False), strict=True):
        if row <= 0:
            return " inserted row"
        if row not in before.index or not _same(before.loc[[row]].iloc[0].tolist(), list(cells)):
            return f" row {row}"
    return ""


def _same(left: list[Any], right: list[Any]) -> bool:
    return all(a == b or (a != a and b != b) or str(a) == str(b) for a, b in zip(left, right, strict=True))


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
    limits = []
    info = _read(Path("/proc/meminfo"))
    for line in info.splitlines():
        if line.startswith("MemAvailable:"):
            limits.append(int(line.split()[1]) * 1024)
    most, now = _read(_CGROUP / "memory.max").strip(), _read(_CGROUP / "memory.current").strip()
    if most.isdigit() and now.isdigit():
        limits.append(int(most) - int(now))
    pages = _read(Path("/proc/self/statm")).split()
    if sys.platform != "win32" and pages:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            limits.append(limit - int(pages[0]) * resource.getpagesize())
    return max(min(limits), 0) if limits else None


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


@dataclass(frozen=True)
class Timeline:
    """A planning instance laid out on its tree.

    Attributes
    ----------
    instance : Instance
        The instance as given.
    data : PlanData
        Its arrays on the tree.
    scenarios : tuple of Instance
        The instance with the edits of each scenario's outcomes, in the order of the tree.
    names : Names
        Names along the axes.
    """

    instance: Instance
    data: PlanData
    scenarios: tuple[Instance, ...]
    names: Names

    @cached_property
    def contract_of(self) -> tuple[str, ...]:
        """Name in the tables of each contract along the axis."""
        return tuple(contract for contract, _ in self.names.contracts)

    @cached_property
    def known(self) -> list[str]:
        """The outcomes known at each node, ``factor=outcome`` joined by a comma."""
        return known_at(self.instance, self.data.tree)

    def terms(self, node: int) -> dict[str, int]:
        """Return each pathway's term in periods as a node knows it, what lies beyond the horizon included."""
        scenario = self.scenarios[self.data.tree.example[node]]
        term = whole_deal_periods(scenario, self.calendar)[1]
        return dict(zip(scenario.tables["pathways"]["pathway"].tolist(), term.tolist(), strict=True))

    @cached_property
    def as_written(self) -> Timeline:
        """The instance without its uncertainty: what its tables say before any outcome edits them."""
        return timeline(self.instance.deterministic())

    @cached_property
    def calendar(self) -> Calendar:
        """The periods of the plan."""
        return calendar_of(self.instance)


def known_at(instance: Instance, tree: Tree) -> list[str]:
    """Return the outcomes known at each node of an instance's tree, ``factor=outcome`` joined by a comma."""
    return [
        ", ".join(f"{f.name}={f.outcomes[o].name}" for f, o in zip(instance.factors, row, strict=True) if o >= 0)
        for row in tree.known.tolist()
    ]


def reveals(instance: Instance) -> list[int]:
    """Return the period in which each factor is revealed; the number of periods or more: never."""
    dates = np.array([f.revealed for f in instance.factors], dtype="datetime64[D]")
    return [int(period) for period in calendar_of(instance).period(dates)]


def branching(instance: Instance) -> list[int]:
    """Return the factors that split the tree, those revealed first coming first."""
    revealed, factors = reveals(instance), instance.factors
    splits = [f for f, period in enumerate(revealed) if period < instance.periods]
    return sorted((f for f in splits if len(factors[f].outcomes) > 1), key=lambda f: revealed[f])


def timeline(instance: Instance, layouts: Layouts | None = None) -> Timeline:
    """Lay an instance out on its scenario tree.

    Returns
    -------
    Timeline
        Arrays in GW, $bn per GW-year and $bn per GW.

    Raises
    ------
    InstanceError
        If an outcome's edits do not fit the instance, or change data before the outcome is revealed.
    """
    _refuse_too_many_scenarios(instance)
    calendar = calendar_of(instance)
    revealed = calendar.period(np.array([f.revealed for f in instance.factors], dtype="datetime64[D]"))
    layouts = layouts or Layouts.of(instance)
    shape = (calendar.periods, tuple(revealed.tolist()), chances(instance.factors))
    tree = layouts.once(("tree", *shape), (), partial(build_tree, *shape))
    refuse_too_large(instance, tree.size)
    scenarios = layouts.outcomes_applied(instance, instance.factors)
    alone = layouts.alone(instance)
    names = _names((instance, *scenarios))
    _refuse_empty_axes(names)
    _refuse_ambiguous_contracts(names)
    _refuse_changed_sides(scenarios, names)

    def arrays(of: Instance) -> dict[Maker, Arrays]:
        return layouts.arrays(of, names, calendar)

    by_scenario = [{n: a for made in arrays(s).values() for n, a in made.items()} for s in scenarios]
    made = [[(before, arrays(before), after, arrays(after)) for before, after in row] for row in alone]
    problems = changes_of_the_past(instance.factors, made, revealed, calendar, names, layouts)
    if problems:
        raise InstanceError(problems)
    _same_on_shared_nodes(instance, tree, by_scenario, calendar, layouts)
    return Timeline(instance, _on_tree(instance, tree, names, calendar, by_scenario, layouts), scenarios, names)


def _refuse_too_many_scenarios(instance: Instance) -> None:
    """Refuse a tree that would fill the memory before anything could be said of it."""
    scenarios = math.prod(len(factor.outcomes) for factor in instance.factors)
    if scenarios > MOST_SCENARIOS:
        what = f"{scenarios} scenarios, one for each combination of the outcomes of {len(instance.factors)} factors"
        remedy = "take some outcomes as known (--given), leave some out, or join factors that move together"
        raise InstanceError(Problem("uncertainty.toml", what, f"a tree may have {MOST_SCENARIOS}", remedy))


def _refuse_empty_axes(names: Names) -> None:
    """Refuse an instance in which no future has a pool, a contract or a pathway: there is nothing to split."""
    axes = {"pools": names.pools, "contracts": names.contracts, "pathways": names.pathways}
    empty = [table for table, named in axes.items() if not named]
    if empty:
        rule = "a plan has at least one pool, one contract and one pathway"
        raise InstanceError([Problem(f"{table}.csv", "no rows", rule, "add a row") for table in empty])


def _refuse_ambiguous_contracts(names: Names) -> None:
    """Refuse a contract that is called like one of the lines of another which an outcome moves to another pool."""
    ambiguous = sorted(name for name, times in Counter(names.contract_names).items() if times > 1)
    if ambiguous:
        rule = "an outcome moves another contract to another pool, and so its lines are told apart: contract@pool"
        where = "contracts.csv contract"
        raise InstanceError([Problem(where, f"'{name}'", rule, "call it something else") for name in ambiguous])


def _names(instances: tuple[Instance, ...]) -> Names:
    named = ("pathways", "pools", "contracts", "offers")
    distinct = {name: {id(i.tables[name]): i.tables[name] for i in instances} for name in named}

    def union(table: str, *columns: str) -> tuple[Any, ...]:
        seen: dict[Any, None] = {}
        for frame in distinct[table].values():
            cells = [frame[column].tolist() for column in columns]
            seen.update(dict.fromkeys(cells[0] if len(cells) == 1 else zip(*cells, strict=True)))
        return tuple(seen)

    lines = union("contracts", "contract", "pool")
    ways_out, offers = _on_lines(instances, lines, "cancellations", "window"), _on_lines(instances, lines, "offers")
    sold = frozenset(contract for contract, side in union("contracts", "contract", "side") if side == "sell")
    extends = tuple(pair for pair in union("offers", "contract", "extends") if pair[1])
    return Names(union("pathways", "pathway"), union("pools", "pool"), lines, ways_out, offers, sold, extends)


def _on_lines(instances: tuple[Instance, ...], lines: tuple[Any, ...], table: str, *columns: str) -> tuple[Any, ...]:
    """Return contract, pool and some columns of every row of a table, in the order of the contracts."""
    seen: dict[Any, None] = {}
    read: set[tuple[int, int]] = set()
    for instance in instances:
        contracts, frame = instance.tables["contracts"], instance.tables[table]
        if (key := (id(contracts), id(frame))) not in read and len(frame):
            pool = dict(zip(contracts["contract"].tolist(), contracts["pool"].tolist(), strict=True))
            cells = zip(*(frame[column].tolist() for column in ("contract", *columns)), strict=True)
            seen.update(dict.fromkeys((contract, pool[contract], *rest) for contract, *rest in cells))
        read.add(key)
    place = {line: i for i, line in enumerate(lines)}
    return tuple(sorted(seen, key=lambda row: place[row[:2]]))


def _refuse_changed_sides(scenarios: tuple[Instance, ...], names: Names) -> None:
    """Refuse outcomes that make a firm contract of an offer, or the other way round, or turn a contract's side."""
    offers, problems = {contract for contract, _ in names.offers}, []
    for scenario in {(id(s.tables["contracts"]), id(s.tables["offers"])): s for s in scenarios}.values():
        offered, extends = (scenario.tables["offers"][column].tolist() for column in ("contract", "extends"))
        contracts, sides = (scenario.tables["contracts"][column].tolist() for column in ("contract", "side"))
        delivering = {*scenario.tables["deliveries"]["contract"].tolist()}
        firm = sorted((offers & delivering & {*contracts}) - {*offered})
        problems += [("offers.csv", f"'{name}' is an offer in some outcomes and firm in others") for name in firm]
        turned = [c for c, side in zip(contracts, sides, strict=True) if (side == "sell") != (c in names.sold)]
        problems += [
            ("contracts.csv side", f"'{name}' is bought in some outcomes and sold in others") for name in turned
        ]
        other = [o for o, of in zip(offered, extends, strict=True) if {e for n, e in names.extends if n == o} - {of}]
        problems += [("offers.csv extends", f"'{name}' extends different contracts") for name in other]
    if problems:
        rule, remedy = "it is the same in every outcome", "drop the contract, or move its dates, in place of that"
        raise InstanceError([Problem(where, what, rule, remedy) for where, what in dict.fromkeys(problems)])


def _same_on_shared_nodes(
    instance: Instance, tree: Tree, by_scenario: list[Arrays], calendar: Calendar, layouts: Layouts
) -> None:
    """Refuse outcomes that change the past only together, which one outcome at a time does not show."""
    apart = []
    for name in by_scenario[0]:
        if not name.endswith(_WHOLE):
            parts = [arrays[name] for arrays in by_scenario]
            differing = layouts.once(("apart", name), (tree, *parts), partial(_apart, name, parts, tree))
            apart += [(*differing, name)] if differing else []
    if apart:
        s, last, name = min(apart)
        raise InstanceError(
            Problem(
                "uncertainty.toml",
                f"the outcomes {_scenario_name(instance, tree, s)} together change {name} before "
                f"{calendar.starts(calendar.periods + 1)[last + 1]}",
                "an outcome must not change the past",
                "date the edits on or after the reveal of their factor",
            )
        )


def _apart(name: str, parts: list[NDArray[Any]], tree: Tree) -> tuple[int, int] | None:
    """Return the first scenario whose data differ from another's on nodes that they share, and the last such period."""
    for s, array in enumerate(parts):
        examples = tree.example[tree.node_of[s]]
        for other in np.unique(examples[examples != s]):
            theirs = parts[other]
            if array is theirs:
                continue
            periods = np.flatnonzero(examples == other)
            mine = array
            if name in ("width", "value"):
                tiers = min(array.shape[1], theirs.shape[1])
                mine, theirs = array[:, :tiers], theirs[:, :tiers]
            if name not in BY_ROOT:
                mine, theirs = mine[..., periods], theirs[..., periods]
            if not np.array_equal(mine, theirs, equal_nan=True):
                return s, int(periods[-1])
    return None


def _scenario_name(instance: Instance, tree: Tree, scenario: int) -> str:
    outcomes = zip(instance.factors, tree.scenario_outcome[scenario].tolist(), strict=True)
    return ", ".join(f"{factor.name}={factor.outcomes[o].name}" for factor, o in outcomes)


def _on_tree(
    instance: Instance, tree: Tree, names: Names, calendar: Calendar, by_scenario: list[Arrays], layouts: Layouts
) -> PlanData:
    fields: dict[str, Any] = {}
    for name in by_scenario[0]:
        parts = [arrays[name] for arrays in by_scenario]
        spread = layouts.once(("on tree", name), (tree, *parts), partial(_spread, name, parts, tree))
        fields[name.removesuffix("_total")] = spread
    leaf = tree.period == tree.periods - 1
    for name in ("terminal", "terminal_flat", "terminal_unit", "terminal_unit_flat"):
        fields[name] = np.where(leaf, fields[name], 0.0)
    rest, share, contracted = fields.pop("rest"), fields.pop("fee_share"), fields["contracted"]
    fields["dated"] = bool(fields["dated"].any())
    fields["fee"] = fields["fee"] * contracted[names.way_out_of] + share * rest
    fields["signing_fee"] = fields["signing_fee"] * contracted[names.offer_of]
    return _plan_data(instance, tree, names, calendar, layouts, fields)


def _plan_data(
    instance: Instance, tree: Tree, names: Names, calendar: Calendar, layouts: Layouts, fields: dict[str, Any]
) -> PlanData:
    periods = np.arange(calendar.periods)
    extends = [[(offer, contract) in names.extends for contract, _ in names.contracts] for offer, _ in names.offers]
    return PlanData(
        tree=tree,
        pathways=names.pathways,
        pools=names.pools,
        contracts=names.contract_names,
        ways_out=names.way_out_names,
        offers=tuple(names.contract_names[k] for k in names.offer_of.tolist()),
        pool_of=np.array([names.pools.index(q) for _, q in names.contracts], dtype=np.int64),
        way_out_of=names.way_out_of,
        offer_of=names.offer_of,
        sold=np.array([contract in names.sold for contract, _ in names.contracts], dtype=bool),
        extends=np.array(extends, dtype=bool).reshape(len(names.offers), len(names.contracts)),
        dt=calendar.dt,
        discount=np.power(1 + instance.discount_rate, -((periods + 0.5) * calendar.dt)),
        aversion=instance.aversion,
        tail=instance.tail,
        kept=_kept(instance, tree, names, calendar, layouts),
        move_cost=instance.earlier.move_cost_bn_per_gw_year if instance.earlier else 0.0,
        **fields,
    )


def _kept(instance: Instance, tree: Tree, names: Names, calendar: Calendar, layouts: Layouts) -> NDArray[np.float64]:
    """Return what an earlier plan gives each pair on each node, GW; nan everywhere without one to stay near."""
    earlier = instance.earlier
    if earlier is None:
        return np.full((len(names.pathways), len(names.pools), tree.size), np.nan)
    starts = calendar.starts().astype(str)[tree.period].tolist()
    known = known_at(instance, tree)
    what = ("kept", names, calendar, tuple(known))
    return layouts.once(what, (earlier, tree), lambda: kept(earlier, starts, known, names.pathways, names.pools))


def _spread(name: str, parts: list[NDArray[Any]], tree: Tree) -> NDArray[Any]:
    """Return the data of every scenario on the nodes, or the roots, of the tree; the last axis."""
    if name in ("width", "value"):  # a tier that a scenario lacks is one of width 0
        most = max(array.shape[1] for array in parts)
        parts = [np.pad(array, ((0, 0), (0, most - array.shape[1]), (0, 0))) for array in parts]
    elif name not in BY_ROOT and not name.endswith("_total") and all(part is parts[0] for part in parts):
        return parts[0][..., tree.period]
    stacked = np.stack(parts)
    if name.endswith("_total"):
        spread = _mean(stacked, tree, dated=name == "rest_total")
    elif name in BY_ROOT:
        spread = np.moveaxis(stacked[tree.example[tree.roots]], 0, -1)
    else:
        spread = np.moveaxis(stacked[tree.example, ..., tree.period], 0, -1)
    return spread


def _mean(by_scenario: NDArray[Any], tree: Tree, *, dated: bool) -> NDArray[np.float64]:
    """Return figures of the scenarios averaged by probability over those through each node, the last axis.

    Parameters
    ----------
    by_scenario : (S, ...) array
        Figures.
    tree : Tree
        The tree.
    dated : bool
        Whether the last axis is that of periods, and each node's is its own.
    """
    shape = by_scenario.shape[1:-1] if dated else by_scenario.shape[1:]
    summed = np.zeros((tree.size, *shape))
    weight = tree.scenario_probability.reshape(-1, *[1] * len(shape))
    for t in range(tree.periods):
        np.add.at(summed, tree.node_of[:, t], weight * (by_scenario[..., t] if dated else by_scenario))
    return np.moveaxis(summed / tree.probability.reshape(-1, *[1] * len(shape)), 0, -1)
