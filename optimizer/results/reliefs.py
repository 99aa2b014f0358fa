"""By how much each demand may give way, in GW, and what it then enters: the columns of the elastic program.

A relief is what an edit of the tables can bring about, so it is the same in all futures: a floor that is lowered in a
period is lowered on every node of it, by as much as outcomes leave of the change.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.instance.instance import Edit, Instance
from optimizer.instance.problems import InstanceError
from optimizer.instance.timeline import Timeline, timeline
from optimizer.results.demands import Demand, demands
from optimizer.solve.program import FloatArray, IntArray, LinearProgram


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
    """

    kind: str
    pathway: str
    pool: str
    period: int
    rows: IntArray
    values: FloatArray
    gw_years: float
    most: float = np.inf

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, pathway and pool."""
        return self.kind, self.pathway, self.pool


def reliefs(laid_out: Timeline, program: LinearProgram) -> list[Relief]:
    """Return every relief that an edit can bring about."""
    makers = {"floor": _demand, "cap": _demand, "supply": _supply, "ramp": _ramp, "deals": _deals}
    written = timeline(laid_out.instance.deterministic())
    found: list[Relief] = []
    for demand in demands(program, laid_out.data):
        make: Any = makers.get(demand.kind, _lock if demand.kind.startswith("lock") else None)
        if make is not None:
            found += make(demand, laid_out, written, program)
    return [relief for relief in found if np.abs(relief.values).max(initial=0.0) > 0 and relief.most > 0]


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


def _demand(demand: Demand, laid_out: Timeline, written: Timeline, program: LinearProgram) -> Iterator[Relief]:
    """A floor is lowered, to 0 at the least, or a cap raised, in a period."""
    p = laid_out.data.pathways.index(demand.pathway)
    if demand.pathway not in written.data.pathways:
        return
    now = getattr(written.data, demand.kind)[written.data.pathways.index(demand.pathway)]
    reach = _reach(laid_out, demand.kind, demand.pathway, p)
    for t, rows, values, nodes in _by_period(demand, laid_out):
        most = float(now[t]) if demand.kind == "floor" else np.inf
        if np.isfinite(now[t]):
            yield Relief(demand.kind, demand.pathway, "", t, rows, values * reach[nodes], laid_out.data.dt, most)


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


def _supply(demand: Demand, laid_out: Timeline, written: Timeline, program: LinearProgram) -> Iterator[Relief]:
    """A contract more delivers to a pool in a period."""
    for t, rows, values, _ in _by_period(demand, laid_out):
        yield Relief("supply", "", demand.pool, t, rows, values, laid_out.data.dt)


def _ramp(demand: Demand, laid_out: Timeline, written: Timeline, program: LinearProgram) -> Iterator[Relief]:
    """A pathway grows faster, by so many GW in every period."""
    if edited_by_outcomes(laid_out.instance, "pathways", "ramp_gw_per_month"):
        return
    years = laid_out.data.dt * laid_out.data.tree.periods
    yield Relief("ramp", demand.pathway, "", -1, *_entered(demand), years)


def _lock(demand: Demand, laid_out: Timeline, written: Timeline, program: LinearProgram) -> Iterator[Relief]:
    """All locks of a pair, or of a pathway's sum, are loosened by as much, down to 0."""
    column = "min_gw" if demand.kind == "lock min" else "max_gw"
    if edited_by_outcomes(laid_out.instance, "locks", column):
        return
    years = laid_out.data.dt * len(np.unique(laid_out.data.tree.period[demand.nodes]))
    rows, values = _entered(demand)
    most = float(program.row_lower[rows].max()) if demand.kind == "lock min" else np.inf
    yield Relief(demand.kind, demand.pathway, demand.pool, -1, rows, values, years, most)


def _deals(demand: Demand, laid_out: Timeline, written: Timeline, program: LinearProgram) -> Iterator[Relief]:
    """GW in deals end without notice, on any node; it counts for the years of the notice or term that is not kept."""
    data = laid_out.data
    if edited_by_outcomes(laid_out.instance, "pathways", "breach_cost_bn_per_gw"):
        return
    terms = [laid_out.terms(root).get(demand.pathway, 0) for root in data.tree.roots.tolist()]
    for node, rows, values in zip(demand.nodes.tolist(), demand.rows, demand.values, strict=True):
        years = float(data.tree.probability[node]) * data.dt * terms[data.tree.root[node]]
        yield Relief("deals", demand.pathway, "", int(data.tree.period[node]), rows, values, years)
