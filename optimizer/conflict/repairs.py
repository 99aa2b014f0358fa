"""The cheapest ways to make an infeasible instance feasible: chosen by an elastic program, verified by solving."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from pandas import NaT

from optimizer.catalogue.tables import TABLES
from optimizer.check.check import check, raise_errors
from optimizer.conflict.demands import Demand, demands, elastic
from optimizer.conflict.ways_out import Given, Way, later, way_of
from optimizer.instance.instance import Instance
from optimizer.language.cursor import Cell
from optimizer.language.edits import Edit, spell
from optimizer.problems import InstanceError
from optimizer.solver.compile import compiled
from optimizer.solver.highs import solve as run_solver
from optimizer.solver.program import FloatArray, IntArray, LinearProgram, SolveOptions, Status
from optimizer.solver.solving import judged
from optimizer.tree.calendar import add_months
from optimizer.tree.timeline import Timeline, timeline


@dataclass(frozen=True)
class Relief:
    """GW by which one demand gives way, in one period or for good.

    Attributes
    ----------
    kind, pathway, pool : str
        Which demand.
    period : int
        The period; -1 where the table knows only one figure for all.
    rows, values : int and float arrays
        What one GW of it adds to the program's rows.
    gw_years : float
        GW-years that a GW of it counts as.
    most : float
        Largest relief, GW.
    now : float
        The figure in the tables that gives way, GW; 0 where there is none.
    row : int
        Place of a lock in its table; -1 elsewhere.
    lasts : bool
        Whether a supply runs from the period to the end.
    """

    kind: str
    pathway: str
    pool: str
    period: int
    rows: IntArray
    values: FloatArray
    gw_years: float
    most: float = np.inf
    now: float = 0.0
    row: int = -1
    lasts: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, pathway and pool."""
        return self.kind, self.pathway, self.pool


def reliefs(laid_out: Timeline, program: LinearProgram) -> tuple[LinearProgram, list[Relief]]:
    """Return every relief that an edit can bring about, and the program that it enters: each lock has its own rows."""
    makers = {"floor": _demand, "cap": _demand, "supply": _supplies(laid_out), "ramp": _ramp, "deals": _deals}
    found: list[Relief] = []
    for demand in demands(program, laid_out.data):
        make: Any = makers.get(demand.kind)
        if demand.kind.startswith("lock"):
            program, loosened = locks_apart(demand, laid_out, program)
            found += loosened
        elif make is not None:
            found += make(demand, laid_out)
    return program, [relief for relief in found if np.abs(relief.values).max(initial=0.0) > 0 and relief.most > 0]


def locks_apart(demand: Demand, laid_out: Timeline, program: LinearProgram) -> tuple[LinearProgram, list[Relief]]:
    """Return the program in which each lock of a pair, or of a pathway's sum, holds by itself, and what loosens each.

    On every node the demand may give way by as much as each lock in force there does, and by what that lock asks for
    less than the strictest.
    """
    column = "min_gw" if demand.kind == "lock min" else "max_gw"
    if any(edited_by_outcomes(laid_out.instance, "locks", name) for name in (column, "from", "until")):
        return program, []
    table = laid_out.instance.filled("locks").reset_index(drop=True)
    table = table[(table["pathway"] == demand.pathway) & (table["pool"] == demand.pool)].dropna(subset=[column])
    rows, signs = (part.reshape(-1) for part in _entered(demand))
    strictest = np.where(signs > 0, program.row_lower[rows], program.row_upper[rows])
    starts = laid_out.calendar.starts()
    period = laid_out.data.tree.period[demand.nodes]
    entered, values = [[row] for row in rows.tolist()], [[sign] for sign in signs.tolist()]
    free: list[float] = []
    loosened: list[Relief] = []
    for place, lock in table.iterrows():
        now, until = float(lock[column]), lock["until"]
        holds = starts >= lock["from"].to_datetime64()
        holds &= True if until is NaT else starts < until.to_datetime64()
        at = np.flatnonzero(holds[period])
        new = program.shape[0] + len(free) + np.arange(len(at))
        free += np.abs(strictest[at] - now).tolist()
        for k, row in zip(at.tolist(), new.tolist(), strict=True):
            entered[k].append(row)
            values[k].append(1.0)
        most = now if column == "min_gw" else np.inf
        years = laid_out.data.dt * len(np.unique(period[at]))
        key = demand.key
        loosened.append(Relief(*key, -1, new, -np.ones(len(new)), years, most, now, int(str(place))))
    count = len(rows)
    apart = elastic(program, map(np.array, entered), map(np.array, values), np.zeros(count), np.full(count, np.inf))
    lower = np.concatenate([program.row_lower, np.full(len(free), -np.inf)])
    return replace(apart, row_lower=lower, row_upper=np.concatenate([program.row_upper, free])), loosened


def edited_by_outcomes(instance: Instance, table: str, column: str) -> bool:
    """Return whether some outcome changes a column, or adds or drops rows of its table."""
    edits = [edit for factor in instance.factors for outcome in factor.outcomes for edit in outcome.edits]
    return any(edit.table == table and (edit.column == column or not edit.column) for edit in edits)


def pattern(name: str) -> str:
    """Return the pattern that matches a name alone."""
    return glob.escape(name)


def _entered(demand: Demand) -> tuple[IntArray, FloatArray]:
    return np.concatenate(demand.rows), np.concatenate(demand.values)


def _by_period(demand: Demand, laid_out: Timeline) -> Iterator[tuple[int, IntArray, FloatArray, IntArray]]:
    period = laid_out.data.tree.period[demand.nodes]
    rows, values = _entered(demand)
    for t in np.unique(period).tolist():
        yield t, rows[period == t], values[period == t], demand.nodes[period == t]


def _demand(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
    """A floor is lowered, to 0 at the least, or a cap raised, in a period."""
    p, written = laid_out.data.pathways.index(demand.pathway), laid_out.as_written
    if demand.pathway not in written.data.pathways:
        return
    now = getattr(written.data, demand.kind)[written.data.pathways.index(demand.pathway)]
    reach = _reach(laid_out, demand.kind, demand.pathway, p)
    for t, rows, values, nodes in _by_period(demand, laid_out):
        most = float(now[t]) if demand.kind == "floor" else np.inf
        if np.isfinite(now[t]):
            through, now_gw = values * reach[nodes], float(now[t])
            yield Relief(demand.kind, demand.pathway, "", t, rows, through, laid_out.data.dt, most, now_gw)


def _reach(laid_out: Timeline, kind: str, pathway: str, p: int) -> FloatArray:
    """Return how much of a GW more in the tables outcomes let through to each node."""
    column = f"{kind}_gw"
    if not edited_by_outcomes(laid_out.instance, "demand", column):
        return np.ones(laid_out.data.tree.size)
    probe = Edit("demand", "add", {"pathway": pattern(pathway)}, column, 1.0)
    before = getattr(laid_out.data, kind)[p]
    try:
        after = getattr(timeline(laid_out.instance.edited(probe)).data, kind)[p]
    except InstanceError:
        return np.zeros(laid_out.data.tree.size)
    through = np.subtract(after, before, out=np.zeros_like(before), where=np.isfinite(before) & np.isfinite(after))
    return np.where(np.abs(through) < 1e-12, 0.0, through)


def _supplies(laid_out: Timeline) -> Callable[[Demand, Timeline], Iterator[Relief]]:
    """Return what makes reliefs of a pool's supply: a contract more delivers in a period.

    Where outcomes change deliveries or contracts, it comes only where they let it through, which is tried; there a
    contract may run to the end besides, since what slips is late once, not in every period anew.
    """
    data, periods = laid_out.data, laid_out.calendar.periods
    edits = [edit for factor in laid_out.instance.factors for outcome in factor.outcomes for edit in outcome.edits]
    probed = any(edit.table in ("deliveries", "contracts", "pools") for edit in edits)
    through = _delivered(laid_out) if probed else {}

    def make(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
        pool, (rows, values) = demand.pool, _entered(demand)
        for t, at, enters, _ in _by_period(demand, laid_out):
            if not probed:
                yield Relief("supply", "", pool, t, at, enters, data.dt)
            for lasts in (False, True) if (pool, t, True) in through else ():
                come = through[pool, t, lasts][demand.nodes]
                inside, years = come > 0, data.dt * (periods - t if lasts else 1)
                more = values[inside] * come[inside]
                yield Relief("supply", "", pool, t, rows[inside], more, years, lasts=lasts)

    return make


def _delivered(laid_out: Timeline) -> dict[tuple[str, int, bool], FloatArray]:
    """Return what comes on each node of a GW more in a pool, ordered for one period or from it to the end."""
    starts = laid_out.calendar.starts(laid_out.calendar.periods + 1).astype(object).tolist()
    taken = set(laid_out.instance.tables["contracts"]["contract"])
    names: dict[tuple[str, int, bool], str] = {}
    probes: list[Edit] = []
    written = set(laid_out.instance.tables["pools"]["pool"])
    for pool in (pool for pool in laid_out.data.pools if pool in written):
        for t, lasts in product(range(len(starts) - 1), (False, True)):
            number = 2 * t + lasts + 1
            while (name := f"more_{pool}_{number}") in taken:
                number += 2 * len(starts)
            names[pool, t, lasts] = name
            row = {"contract": name, "pool": pool} | ({} if lasts else {"end": starts[t + 1]})
            probes.append(Edit("contracts", "insert", row))
            probes.append(Edit("deliveries", "insert", {"contract": name, "date": starts[t], "gw": 1.0}))
    try:
        tried = timeline(laid_out.instance.edited(*probes))
    except InstanceError:
        return {}
    line = {name: k for k, name in enumerate(tried.contract_of)}
    return {key: tried.data.delivered[line[name]] for key, name in names.items()}


def _ramp(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
    """A pathway grows faster, by so many GW in every period."""
    if edited_by_outcomes(laid_out.instance, "pathways", "ramp_gw_per_month"):
        return
    years = laid_out.data.dt * laid_out.data.tree.periods
    yield Relief("ramp", demand.pathway, "", -1, *_entered(demand), years)


def _deals(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
    """GW in deals end without notice, on any node; it counts for the years of the notice or term that is not kept."""
    data = laid_out.data
    if edited_by_outcomes(laid_out.instance, "pathways", "breach_cost_bn_per_gw"):
        return
    terms = [laid_out.terms(root).get(demand.pathway, 0) for root in data.tree.roots.tolist()]
    for node, rows, values in zip(demand.nodes.tolist(), demand.rows, demand.values, strict=True):
        years = float(data.tree.probability[node]) * data.dt * terms[data.tree.root[node]]
        yield Relief("deals", demand.pathway, "", int(data.tree.period[node]), rows, values, years)


MOST_REPAIRS = 5
MOST_EARLIER = 6
"""Deliveries that are tried earlier, those nearest to what is lacking first."""

SAME = 1e-6
"""GW-years by which ways out may differ and yet take as many."""

STEP = 1e-6
"""GW to which reliefs are rounded up: a kilowatt."""


@dataclass(frozen=True)
class Repair:
    """A way to make an instance feasible, verified by solving with it.

    Attributes
    ----------
    words : str
        What to do.
    edits : tuple of str
        The same as edits, each to be pasted after ``--set``.
    gw_years : float
        GW-years by which demands give way.
    worth_bn : float
        Worth of the best plan then, $bn, discounted.
    least_gw_years : float
        What the same would take in as many steps as periods ask for; fewer than `gw_years` where steps are kept few.
    """

    words: str
    edits: tuple[str, ...]
    gw_years: float
    worth_bn: float
    least_gw_years: float


def repairs(laid_out: Timeline, program: LinearProgram, options: SolveOptions) -> list[Repair]:
    """Return repairs, the one that takes fewest GW-years first: of all demands together, and of one demand alone.

    Parameters
    ----------
    laid_out, program : Timeline, LinearProgram
        An infeasible instance.
    options : SolveOptions
        How to solve.
    """
    program, every = reliefs(laid_out, program)
    best = _cheapest(program, every, options)
    if best is None:
        return []
    choices = [best]
    for some in {tuple(map(id, some)): some for some in _allowed(every, best) if some}.values():
        choice = _cheapest(program, some, options)
        if choice and not any(_same(choice, other) for other in choices):
            choices.append(choice)
    drafts = [_draft(best, laid_out, few=False), *(_draft(choice, laid_out) for choice in choices)]
    drafts += [_Draft(way, way.gw_years) for choice in choices if (way := later(choice, laid_out))]
    drafts += _earlier(laid_out, [given for choice in choices for given in choice])
    return _verified(laid_out.instance, drafts, options)


def _allowed(every: list[Relief], best: list[Given]) -> Iterator[list[Relief]]:
    """Yield what may give way in other ways out: one demand, one kind, or all but one that the cheapest way needs."""
    for key in dict.fromkeys(relief.key for relief in every):
        yield [relief for relief in every if relief.key == key]
    for kind in dict.fromkeys(relief.kind for relief in every):
        yield [relief for relief in every if relief.kind == kind]
    for key in sorted({given.relief.key for given in best}):
        yield [relief for relief in every if relief.key != key]


def _same(one: list[Given], other: list[Given]) -> bool:
    """Return whether two choices differ by less than a watt."""
    gives = [{id(given.relief): given.gw for given in choice} for choice in (one, other)]
    return gives[0].keys() == gives[1].keys() and all(abs(gw - gives[1][r]) < 1e-9 for r, gw in gives[0].items())


@dataclass(frozen=True)
class _Draft:
    """A repair that has not been verified.

    `spare` is the same with a kilowatt more of everything, for where rounded figures just miss.
    """

    way: Way
    least_gw_years: float
    spare: Way | None = None
    kinds: int = 1


def _draft(choice: list[Given], laid_out: Timeline, *, few: bool = True) -> _Draft:
    more = [replace(given, gw=min(given.gw + STEP, given.relief.most)) for given in choice]
    return _Draft(
        way_of(choice, laid_out, few=few),
        sum(given.gw * given.relief.gw_years for given in choice),
        way_of(more, laid_out, few=few),
        len({given.relief.kind for given in choice}),
    )


def _cheapest(program: LinearProgram, allowed: list[Relief], options: SolveOptions) -> list[Given] | None:
    """Return the reliefs that take fewest GW-years among those allowed, None where they are not enough."""
    if not allowed:
        return None
    stretched = elastic(
        program,
        [relief.rows for relief in allowed],
        [relief.values for relief in allowed],
        np.array([relief.gw_years for relief in allowed]),
        np.array([relief.most for relief in allowed]),
    )
    solution = run_solver(stretched, options, ranges=False)
    if solution.status is not Status.OPTIMAL:
        return None
    amounts = solution.columns[len(program.cost) :]
    return [
        Given(relief, min(math.ceil(gw / STEP - 1e-3) * STEP, relief.most))
        for relief, gw in zip(allowed, amounts.tolist(), strict=True)
        if gw > STEP / 10
    ]


def _earlier(laid_out: Timeline, given: list[Given]) -> list[_Draft]:
    """Return later deliveries of the pools that lack capacity, brought forward to when it is first lacking."""
    lacking: dict[str, int] = {}
    for one in given:
        if one.relief.kind == "supply":
            lacking[one.relief.pool] = min(one.relief.period, lacking.get(one.relief.pool, one.relief.period))
    contracts = laid_out.instance.filled("contracts").set_index("contract")
    pools, delays = contracts["pool"].to_dict(), contracts["delay_months"].to_dict()
    found: list[_Draft] = []
    for row in laid_out.instance.tables["deliveries"].to_dict("records"):
        contract, gw, date = str(row["contract"]), float(row["gw"]), pd.Timestamp(row["date"]).date()
        if pools[contract] not in lacking:
            continue
        needed = lacking[pools[contract]]
        first = laid_out.calendar.starts()[needed].astype("datetime64[M]")
        months = int((np.datetime64(date, "M") - first).astype(int)) + int(delays[contract]) + (date.day > 1)
        delivered = add_months(np.array([date], dtype="datetime64[D]"), np.array([int(delays[contract])]))
        periods = min(int(laid_out.calendar.period(delivered)[0]), laid_out.calendar.periods) - needed
        if months > 0 and periods > 0:
            where: dict[str, Cell] = {"contract": pattern(contract), "date": date, "gw": gw}
            text = spell(Edit("deliveries", "shift_months", where, "date", -months))
            by = f"{months} month{'s' if months > 1 else ''}"
            words = f"bring the {gw:g} GW that {contract} delivers on {date} forward by {by}"
            years = gw * periods * laid_out.data.dt
            found.append(_Draft(Way(words, (text,), years), years))
    return sorted(found, key=lambda draft: draft.way.gw_years)[:MOST_EARLIER]


def _verified(instance: Instance, drafts: list[_Draft], options: SolveOptions) -> list[Repair]:
    """Return the drafts that make the instance feasible, each once, those that take fewest GW-years first.

    The first draft, the cheapest, is among them; of the others, ways that ask for one kind of change come first.
    """
    found: list[Repair] = []
    seen: set[tuple[str, ...]] = set()
    cheapest = drafts[0]
    for draft in sorted(drafts, key=lambda d: (d is not cheapest, d.kinds > 1, d.way.gw_years)):
        if draft.way.edits in seen or len(found) == MOST_REPAIRS:
            continue
        seen.add(draft.way.edits)
        for tried in filter(None, (draft.way, draft.spare)):
            worth = worth_with(instance, tried.edits, options)
            if worth is not None:
                found.append(Repair(tried.words, tried.edits, tried.gw_years, worth, draft.least_gw_years))
                break
    return in_order(found)


def in_order(found: Iterable[Repair]) -> list[Repair]:
    """Return repairs, fewest GW-years first; of equal ones, that worth most, then that of fewest edits."""
    rest = sorted(found, key=lambda repair: repair.gw_years)
    ordered: list[Repair] = []
    while rest:
        equal = [repair for repair in rest if repair.gw_years <= rest[0].gw_years + SAME]
        ordered += sorted(equal, key=lambda repair: (-repair.worth_bn, len(repair.edits)))
        rest = rest[len(equal) :]
    return ordered


def worth_with(instance: Instance, edits: Iterable[str], options: SolveOptions) -> float | None:
    """Return the worth of the best plan with edits, $bn; None if they do not fit or there still is no plan."""
    try:
        edited = instance.edited(*edits)
        raise_errors(check(edited, changed={*TABLES, "uncertainty"}))
        program = compiled(timeline(edited).data)
    except InstanceError:
        return None
    solution, certificate = judged(program, options)
    if solution.status is not Status.OPTIMAL or certificate is None or not certificate.optimal:
        return None
    return -certificate.objective
