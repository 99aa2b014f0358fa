"""By how much each demand may give way, in GW, and what it then enters: the columns of the elastic program.

A relief is what an edit of the tables can bring about, so it is the same in all futures: a floor that is lowered in a
period is lowered on every node of it, by as much as outcomes leave of the change, and a delivery that an outcome would
move comes as late there as all others do.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from pandas import NaT

from optimizer.conflict.demands import Demand, demands, elastic
from optimizer.instance.instance import Edit, Instance
from optimizer.problems import InstanceError
from optimizer.solver.program import FloatArray, IntArray, LinearProgram
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
