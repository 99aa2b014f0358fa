"""Reliefs as edits that can be pasted, and in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas import NaT

from gwplan.catalogue.limits import BY_KIND, Limit
from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import DIGITS, ROUNDING
from gwplan.conflict.demands import Demand, demands, elastic
from gwplan.instance.instance import Instance
from gwplan.language.cursor import Name
from gwplan.language.edits import Edit, spell
from gwplan.problems import InstanceError
from gwplan.solver.program import BoolArray, FloatArray, IntArray, LinearProgram
from gwplan.tree.timeline import Timeline, timeline


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
    makers = {"steps": _stepped, "contracts": _supplies(laid_out), "cell": _cell, "breach": _deals}
    every: list[Relief] = []
    for demand in demands(program, laid_out.data):
        eases = BY_KIND[demand.kind].eases
        if eases == "rows":
            program, loosened = locks_apart(demand, laid_out, program)
            every += loosened
        elif eases:
            every += makers[eases](demand, laid_out)
    return program, [relief for relief in every if np.abs(relief.values).max(initial=0.0) > 0 and relief.most > 0]


def locks_apart(demand: Demand, laid_out: Timeline, program: LinearProgram) -> tuple[LinearProgram, list[Relief]]:
    """Return the program in which each lock of a pair, or of a pathway's sum, holds by itself, and what loosens each.

    On every node the demand may give way by as much as each lock in force there does, and by what that lock asks for
    less than the strictest.
    """
    column = BY_KIND[demand.kind].column
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
        most = now if BY_KIND[demand.kind].sign > 0 else np.inf
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


def _entered(demand: Demand) -> tuple[IntArray, FloatArray]:
    return np.concatenate(demand.rows), np.concatenate(demand.values)


def _by_period(demand: Demand, laid_out: Timeline) -> Iterator[tuple[int, IntArray, FloatArray, IntArray]]:
    period = laid_out.data.tree.period[demand.nodes]
    rows, values = _entered(demand)
    for t in np.unique(period).tolist():
        yield t, rows[period == t], values[period == t], demand.nodes[period == t]


def _stepped(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
    """A floor is lowered, to 0 at the least, or a cap raised, in a period."""
    limit, written = BY_KIND[demand.kind], laid_out.as_written
    if demand.pathway not in written.data.pathways:
        return
    now = getattr(written.data, limit.figure)[written.data.pathways.index(demand.pathway)]
    reach = _reach(laid_out, limit, demand.pathway)
    for t, rows, values, nodes in _by_period(demand, laid_out):
        most = float(now[t]) if limit.sign > 0 else np.inf
        if np.isfinite(now[t]):
            through, now_gw = values * reach[nodes], float(now[t])
            yield Relief(demand.kind, demand.pathway, "", t, rows, through, laid_out.data.dt, most, now_gw)


def _reach(laid_out: Timeline, limit: Limit, pathway: str) -> FloatArray:
    """Return how much of a GW more in the tables outcomes let through to each node."""
    if not edited_by_outcomes(laid_out.instance, limit.table, limit.column):
        return np.ones(laid_out.data.tree.size)
    probe = Edit(limit.table, "add", {"pathway": Name(pathway)}, limit.column, 1.0)
    p = laid_out.data.pathways.index(pathway)
    before = getattr(laid_out.data, limit.figure)[p]
    try:
        after = getattr(timeline(laid_out.instance.edited(probe)).data, limit.figure)[p]
    except InstanceError:
        return np.zeros(laid_out.data.tree.size)
    through = np.subtract(after, before, out=np.zeros_like(before), where=np.isfinite(before) & np.isfinite(after))
    return np.where(np.abs(through) < DIGITS, 0.0, through)


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


def _cell(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
    """A limit that one cell states for good is looser, by so many GW in every period."""
    limit = BY_KIND[demand.kind]
    if not edited_by_outcomes(laid_out.instance, limit.table, limit.column):
        years = laid_out.data.dt * laid_out.data.tree.periods
        yield Relief(*demand.key, -1, *_entered(demand), years)


def _deals(demand: Demand, laid_out: Timeline) -> Iterator[Relief]:
    """GW in deals end without notice, on any node; it counts for the years of the notice or term that is not kept."""
    data = laid_out.data
    if edited_by_outcomes(laid_out.instance, "pathways", "breach_cost_bn_per_gw"):
        return
    terms = [laid_out.terms(root).get(demand.pathway, 0) for root in data.tree.roots.tolist()]
    for node, rows, values in zip(demand.nodes.tolist(), demand.rows, demand.values, strict=True):
        years = float(data.tree.probability[node]) * data.dt * terms[data.tree.root[node]]
        yield Relief("deals", demand.pathway, "", int(data.tree.period[node]), rows, values, years)


MOST_STEPS: Final = 6
"""Most steps of a floor or cap in a way out; one more would be read by nobody."""

MOST_CONTRACTS: Final = 3
"""Most contracts that a way out adds to a pool: each takes two edits."""


@dataclass(frozen=True)
class Step:
    """Successive periods with one figure.

    Attributes
    ----------
    first, end : int
        The first period, and the one after the last.
    gw : float
        The figure from then on, GW.
    given : float
        What it gives way by, summed over the periods, GW.
    """

    first: int
    end: int
    gw: float
    given: float


def steps(now: FloatArray, to: FloatArray, most: int | None) -> tuple[Step, ...]:
    """Return steps that give way at least as far as figures do in every period, and together by as little as can be.

    Parameters
    ----------
    now, to : (T,) float arrays
        The figure as it is and as it must become, GW; equal where nothing must give way. It gives way in one direction.
    most : int or None
        Most steps; None: as many as it takes to give way by no more than it must.
    """
    touched = np.flatnonzero((now != to) & ~np.isclose(now, to, rtol=0.0, atol=ROUNDING))
    exact = _exact(now, to, touched.tolist())
    if most is None or len(exact) <= most:
        return exact
    lowered = bool(now[touched[0]] > to[touched[0]])
    first, end = int(touched[0]), int(touched[-1]) + 1
    cost, level = _costs(now[first:end], to[first:end], lowered=lowered)
    return tuple(
        Step(first + i, first + j, float(level[i, j]), float(cost[i, j]))
        for i, j in _cheapest(cost, most, np.isin(np.arange(first, end), touched))
    )


def _exact(now: FloatArray, to: FloatArray, touched: Sequence[int]) -> tuple[Step, ...]:
    steps_of: list[Step] = []
    for t in touched:
        last, given = (steps_of[-1] if steps_of else None), abs(float(now[t] - to[t]))
        if last and last.end == t and abs(last.gw - float(to[t])) < ROUNDING:
            steps_of[-1] = Step(last.first, t + 1, last.gw, last.given + given)
        else:
            steps_of.append(Step(t, t + 1, float(to[t]), given))
    return tuple(steps_of)


def _costs(now: FloatArray, to: FloatArray, *, lowered: bool) -> tuple[FloatArray, FloatArray]:
    """Return what one step from each period up to each other gives way by, and its figure; no figure: infinite."""
    count = len(now)
    cost, level = np.full((count, count + 1), np.inf), np.zeros((count, count + 1))
    far = np.minimum if lowered else np.maximum
    for i in range(count):
        level[i, i + 1 :] = far.accumulate(to[i:])
        before = np.cumsum(now[i:])
        with np.errstate(invalid="ignore"):  # a figure that is none is infinite: no step may reach over it
            given = np.abs(before - level[i, i + 1 :] * np.arange(1, count - i + 1))
        cost[i, i + 1 :] = np.where(np.isfinite(given), given, np.inf)
    return cost, level


def _cheapest(cost: FloatArray, most: int, touched: BoolArray) -> list[tuple[int, int]]:
    """Return the steps, so many at most, that cover all periods touched and cost least; others may be left out."""
    count = len(touched)
    best = np.full((most + 1, count + 1), np.inf)
    best[:, 0] = 0.0
    came = np.full((most + 1, count + 1), -1, dtype=np.int64)
    for k in range(1, most + 1):
        for j in range(1, count + 1):
            through = best[k - 1, :j] + cost[:j, j]
            i = int(np.argmin(through))
            best[k, j], came[k, j] = through[i], i
            if not touched[j - 1] and best[k, j - 1] <= best[k, j]:
                best[k, j], came[k, j] = best[k, j - 1], -1
    chosen: list[tuple[int, int]] = []
    k, j = most, count
    while j:
        i = int(came[k, j])
        if i >= 0:
            chosen.append((i, j))
            k, j = k - 1, i
        else:
            j -= 1
    return chosen[::-1]


Key = tuple[str, str, str]
"""Kind, pathway and pool of a demand."""


@dataclass(frozen=True)
class Given:
    """A relief and how much of it is given, GW."""

    relief: Relief
    gw: float


@dataclass(frozen=True)
class Way:
    """What was chosen, in words and as edits.

    Attributes
    ----------
    words : str
        What to do.
    edits : tuple of str
        The same in the command line's spelling.
    gw_years : float
        GW-years by which demands give way with these edits.
    """

    words: str
    edits: tuple[str, ...]
    gw_years: float


_MOST: Final = {"steps": MOST_STEPS, "contracts": MOST_CONTRACTS}
"""Demands that give way from period to period, by what eases them, and how many steps each may take."""


def way_of(choice: list[Given], laid_out: Timeline, *, few: bool = True) -> Way:
    """Return what was chosen as a way out, in few steps, where a figure that would take many gives way farther."""
    words: list[str] = []
    edits: list[Edit] = []
    gw_years = 0.0
    for key, part in _by_demand(choice):
        if most := _MOST.get(BY_KIND[key[0]].eases):
            stepped = _steps(key, part, laid_out, most if few else None)
            gw_years += sum(step.given for step in stepped) * laid_out.data.dt
            edits += _stepped_edits(key, stepped, laid_out)
            words.append(_stepped_words(key, stepped, laid_out))
        else:
            gw_years += sum(given.gw * given.relief.gw_years for given in part)
            edits += _edits(key, part, laid_out)
            words += _words(key, part, laid_out)
    return Way("; ".join(words), tuple(map(spell, edits)), gw_years)


def later(choice: list[Given], laid_out: Timeline) -> Way | None:
    """Return a floor that begins later, where a choice lowers one floor alone and not to the end; None elsewhere."""
    keys = {given.relief.key for given in choice}
    kind, pathway, _ = next(iter(keys))
    if len(keys) > 1 or kind != "floor":
        return None
    now = laid_out.as_written.data.floor[laid_out.as_written.data.pathways.index(pathway)]
    touched = [given.relief.period for given in choice]
    first, end = min(touched), max(touched) + 1
    while first and now[first - 1] == now[first]:
        first -= 1
    before = float(now[first - 1]) if first else 0.0
    if end == len(now) or (now[first:end] <= before).any():
        return None
    at, months = {"pathway": Name(pathway)}, (end - first) * laid_out.calendar.months
    edit = Edit("demand", "set", at, "floor_gw", before, _date(laid_out, first), _cut(laid_out, end, pathway))
    words = f"let the floor of {pathway} begin {months} month{'s' if months > 1 else ''} later"
    stays = f", and stay at {before:.4g} GW until then" if before else ""
    given = float((now[first:end] - before).sum()) * laid_out.data.dt
    return Way(f"{words}, in {_date(laid_out, end):%Y-%m}{stays}", (spell(edit),), given)


def _by_demand(choice: list[Given]) -> Iterator[tuple[Key, list[Given]]]:
    def place(given: Given) -> tuple[Key, int, int]:
        return given.relief.key, given.relief.period, given.relief.row

    for key, part in groupby(sorted(choice, key=place), lambda g: g.relief.key):
        yield key, list(part)


def _steps(key: Key, part: list[Given], laid_out: Timeline, most: int | None) -> tuple[Step, ...]:
    """Return the figures that a floor, a cap or what is more in a pool takes on; a supply that lasts is the last."""
    kind, pathway, _ = key
    now = np.zeros(laid_out.calendar.periods)
    if kind != "supply":
        written = laid_out.as_written.data
        now = np.array(getattr(written, BY_KIND[kind].figure)[written.pathways.index(pathway)])
    to = now.copy()
    for given in part:
        if not given.relief.lasts:
            by = -BY_KIND[kind].sign * given.gw
            to[given.relief.period] = max(round(float(to[given.relief.period]) + by, 9), 0.0)
    lasting = [(given.relief.period, given.gw) for given in part if given.relief.lasts]
    if most and len(lasting) > most:
        lasting = [(lasting[0][0], sum(gw for _, gw in lasting))]
    more = [Step(first, len(now), gw, gw * (len(now) - first)) for first, gw in lasting]
    return (*steps(now, to, most), *more)


def _stepped_edits(key: Key, stepped: tuple[Step, ...], laid_out: Timeline) -> Iterator[Edit]:
    kind, pathway, pool = key
    if kind == "supply":
        yield from _contracts(pool, stepped, laid_out)
        return
    for s in stepped:
        when = _date(laid_out, s.first), _cut(laid_out, s.end, pathway)
        limit = BY_KIND[kind]
        yield Edit(limit.table, "set", {"pathway": Name(pathway)}, limit.column, round(s.gw, 9), *when)


def _edits(key: Key, part: list[Given], laid_out: Timeline) -> Iterator[Edit]:
    limit, pathway = BY_KIND[key[0]], key[1]
    at: dict[str, Any] = {"pathway": Name(pathway)} if pathway else {}
    if limit.eases == "cell":
        yield Edit(limit.table, "add", at, limit.column, round(_in_cell(limit, part, laid_out), 9))
    elif limit.eases == "breach":
        yield Edit("pathways", "set", at, "breach_cost_bn_per_gw", breach_cost(pathway, laid_out))
    else:
        for given in part:
            lock = _lock(given, laid_out)
            where = at | {"pool": Name(str(lock["pool"])), "from": lock["from"].date()}
            yield Edit("locks", "set", where, limit.column, _loosened(given))


def _in_cell(limit: Limit, part: list[Given], laid_out: Timeline) -> float:
    """Return what one cell gives way by, in its own unit: GW, or GW a month."""
    monthly = TABLES[limit.table][limit.column].unit.endswith("per month")
    given: float = part[0].gw / (laid_out.calendar.months if monthly else 1)
    return given


def _lock(given: Given, laid_out: Timeline) -> pd.Series[Any]:
    return laid_out.instance.filled("locks").iloc[given.relief.row]


def _loosened(given: Given) -> float:
    """Return what a lock holds to once it gives way, GW."""
    return max(round(given.relief.now - BY_KIND[given.relief.kind].sign * given.gw, 9), 0.0)


def _cut(laid_out: Timeline, end: int, pathway: str) -> dt.date | None:
    """Return the date up to which an edit reaches the demand of the periods before one, and of no others.

    A row dated within a period takes effect in the next: the edit must end before it.
    """
    if end >= laid_out.calendar.periods:
        return None
    rows = laid_out.instance.tables["demand"]
    dates = rows["from"][rows["pathway"] == pathway].dt.date
    last, until = _date(laid_out, end - 1), _date(laid_out, end)
    return last + dt.timedelta(days=1) if ((dates > last) & (dates < until)).any() else until


def _contracts(pool: str, stepped: tuple[Step, ...], laid_out: Timeline) -> Iterator[Edit]:
    """A contract for each step, at the average price of the pool's contracts."""
    price = price_of(pool, laid_out)
    taken = set(laid_out.instance.tables["contracts"]["contract"])
    number = 0
    for s in stepped:
        number += 1
        while (name := f"more_{pool}_{number}") in taken:
            number += 1
        row: dict[str, Any] = {"contract": name, "pool": pool}
        end = _end(laid_out, s.end)
        row |= {"end": end} if end else {}
        row |= {"cost_bn_per_gw_year": price} if price else {}
        yield Edit("contracts", "insert", row)
        yield Edit("deliveries", "insert", {"contract": name, "date": _date(laid_out, s.first), "gw": round(s.gw, 9)})


def price_of(pool: str, laid_out: Timeline) -> float:
    """Return the average price of a pool's contracts, each as much as it delivers, $bn per GW-year."""
    tables = laid_out.instance.filled("contracts"), laid_out.instance.tables["deliveries"]
    gw = tables[1].groupby("contract")["gw"].sum()
    contracts = tables[0][(tables[0]["pool"] == pool) & (tables[0]["side"] != "sell")]
    size = np.array([float(gw.get(name, 0.0)) for name in contracts["contract"]])
    if not size.sum():
        return 0.0
    return round(float(contracts["cost_bn_per_gw_year"].to_numpy(dtype=float) @ size / size.sum()), 6)


def breach_cost(pathway: str, laid_out: Timeline) -> float:
    """Return the most that a GW of deals earns in the notice or term that is not kept, $bn per GW."""
    data = laid_out.data
    p = data.pathways.index(pathway)
    years = max(laid_out.terms(root).get(pathway, 0) for root in data.tree.roots.tolist()) * data.dt
    return round(float(data.value[p].max(initial=0.0)) * years, 6)


def _stepped_words(key: Key, stepped: tuple[Step, ...], laid_out: Timeline) -> str:
    kind, pathway, pool = key
    if len(stepped) > 2 * _MOST[BY_KIND[kind].eases]:
        return _many_words(key, stepped, laid_out)
    if kind == "supply":
        amounts = [f"{s.gw:.4g} GW more" for s in stepped]
        amounts[0] = f"have {amounts[0]} in pool {pool}"
    else:
        amounts = [f"to {f'{s.gw:.4g} GW' if s.gw else '0'}" for s in stepped]
        amounts[0] = f"{BY_KIND[kind].loosen} of {pathway} {amounts[0]}"
    return ", ".join(f"{amount} {span(laid_out, s.first, s.end)}" for amount, s in zip(amounts, stepped, strict=True))


def _many_words(key: Key, stepped: tuple[Step, ...], laid_out: Timeline) -> str:
    """Return steps that nobody would read one by one: how many, how far, and when."""
    kind, pathway, pool = key
    when, gw = span(laid_out, stepped[0].first, max(step.end for step in stepped)), [step.gw for step in stepped]
    if kind == "supply":
        return f"have up to {max(gw):.4g} GW more in pool {pool} {when}, in {len(stepped)} contracts"
    limit = BY_KIND[kind]
    farthest = f"{min(gw):.4g} GW at the least" if limit.sign > 0 else f"{max(gw):.4g} GW at the most"
    return f"{limit.loosen} of {pathway} in {len(stepped)} steps, to {farthest}, {when}"


def _words(key: Key, part: list[Given], laid_out: Timeline) -> Iterator[str]:
    limit, pathway, pool = BY_KIND[key[0]], key[1], key[2]
    if limit.eases == "cell":
        of, unit = f" of {pathway}" if pathway else "", TABLES[limit.table][limit.column].unit.replace(" per ", " a ")
        yield f"{limit.loosen}{of} by {_in_cell(limit, part, laid_out):.4g} {unit}"
    elif limit.eases == "breach":
        months = sorted({_date(laid_out, given.relief.period) for given in part})
        most = f"{'up to ' if len(part) > 1 else ''}{max(given.gw for given in part):.4g} GW"
        when = f"in {months[0]:%Y-%m}" + (" and later" if len(months) > 1 else "")
        yield f"let {most} of {pathway} come back without notice, at a price, {when}"
    else:
        for given in part:
            lock, left = _lock(given, laid_out), _loosened(given)
            until = f" until {_month(lock['until'])}" if lock["until"] is not pd.NaT else ""
            what = f"{limit.loosen} on {owner(pathway, pool)}"
            now_at = f"to {left:.4g} GW" if left else "to 0"
            yield f"{what} from {_month(lock['from'])}{until} by {given.gw:.4g} GW, {now_at}"


def _month(date: dt.date) -> str:
    return f"{date:%Y-%m}" if date.day == 1 else f"{date:%Y-%m-%d}"


def owner(pathway: str, pool: str) -> str:
    """Return a pathway, on one pool where there is one, in words."""
    return f"{pathway} on {pool}" if pool else pathway


def span(laid_out: Timeline, first: int, end: int) -> str:
    """Return periods from one up to another, which is not included, in words."""
    if end - first == 1:
        names = {"month": "%Y-%m", "quarter": "the quarter from %Y-%m", "year": "the year from %Y-%m"}
        return f"in {_date(laid_out, first).strftime(names[laid_out.instance.resolution])}"
    last = _end(laid_out, end)
    return f"from {_date(laid_out, first):%Y-%m}" + (f" until {last:%Y-%m}" if last else " to the end")


def _date(laid_out: Timeline, period: int) -> dt.date:
    date: dt.date = laid_out.calendar.starts()[period].astype(dt.date)
    return date


def _end(laid_out: Timeline, period: int) -> dt.date | None:
    return _date(laid_out, period) if period < laid_out.calendar.periods else None
