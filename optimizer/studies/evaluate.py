"""A given allocation priced: the limits it breaks, its worth with all else chosen best, the gap to the best plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.audit.audit import audit
from gwplan.catalogue.limits import LIMITS
from gwplan.catalogue.money import OF_A_PATHWAY
from gwplan.catalogue.tolerances import KILOWATT, ROUNDING
from gwplan.conflict.demands import elastic
from gwplan.errors import AuditError
from gwplan.files import printable
from gwplan.instance.cells import shown
from gwplan.models.data import PlanData
from gwplan.models.tree import Tree
from gwplan.plan.marginals import row_name
from gwplan.plan.plan import Plan, make_plan
from gwplan.planning import plan_or_error
from gwplan.problems import InstanceError, Problem, all_told, nearest
from gwplan.session import Answer
from gwplan.solver.certify import certify
from gwplan.solver.program import FloatArray, IntArray, LinearProgram, Solution, SolveOptions
from gwplan.solver.solving import certified
from gwplan.storage.read import given_table
from gwplan.tree.timeline import Timeline

REST: Final = "contracts and idle"
"""Owner of the components of worth that belong to no pathway."""


@dataclass(frozen=True)
class Broken:
    """A limit that a given allocation breaks, on one or several nodes."""

    words: str  # what is broken
    most_gw: float  # how far, at most, in its limit's measure: GW but for limits on money
    nodes: int  # on how many nodes
    start: str  # first day of the first such node, and what is known there
    known: str
    measure: str = "GW"  # what the limit is counted in


@dataclass(frozen=True)
class Evaluation:
    """A given allocation beside the best plan."""

    # the given allocation with everything not given chosen best; without marginal values. Where it breaks limits, as if
    # those were lifted by what it is beyond them.
    plan: Plan
    best: Plan  # the best plan
    broken: tuple[Broken, ...]  # the limits that it breaks; as few GW beyond them as possible

    @property
    def gap_bn(self) -> float:
        """Worth of the best plan less that of the given allocation, $bn."""
        return self.best.objective_bn - self.plan.objective_bn

    def gap_by_year(self) -> pd.DataFrame:
        """Return where the expected gap arises: rows of pathways and the rest, columns of years, $bn discounted."""
        best, mine = (_by_owner_and_year(plan) for plan in (self.best, self.plan))
        return best.sub(mine, fill_value=0.0).fillna(0.0)


def evaluate(best: Answer, given: FloatArray) -> Evaluation:
    """Price a given allocation.

    Parameters
    ----------
    best : Answer
        The best plan of the instance.
    given : (P, Q, N) float array
        GW; nan where nothing is given.
    """
    program, laid_out = best.program, best.laid_out
    fixed = _fixed(program, laid_out.data, given)
    size = program.shape[1]
    breakable, rows = _elastic(fixed)
    least = _solved(breakable).columns[size:]
    beyond = np.where(least > KILOWATT, least, 0.0)
    lifted = replace(
        breakable,
        cost=np.append(program.cost, np.zeros(len(beyond))),
        offset=program.offset,
        node_weight=program.node_weight,
        column_upper=np.append(fixed.column_upper, beyond + KILOWATT / 10 * (beyond > 0)),
    )
    solution = _solved(lifted)
    own = replace(solution, columns=solution.columns[:size], row_duals=np.empty(0), row_ranges=None)
    proof = certify(lifted, solution.columns, solution.row_duals, solution.light_duals)
    plan = make_plan(laid_out, program, own, proof)
    broken = _broken(best, rows, beyond)
    _check(plan, {LIMITS[row].name for row, _, _ in broken})
    return Evaluation(plan, best.plan, tuple(_told(best, broken)))


def _fixed(program: LinearProgram, data: PlanData, given: FloatArray) -> LinearProgram:
    """Return the program with the allocation held at what is given."""
    label = np.array(program.labels, dtype=object)
    place = {
        kind: {name: i for i, name in enumerate(names)} for kind, names in (("p", data.pathways), ("q", data.pools))
    }
    at, keys = program.columns["allocate"], program.column_keys["allocate"]
    p, q = ([place[kind][label[code]] for code in keys[:, axis]] for axis, kind in enumerate("pq"))
    held = given[p, q, keys[:, 2]]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[at] = np.where(np.isnan(held), lower[at], held)
    upper[at] = np.where(np.isnan(held), upper[at], held)
    return replace(program, column_lower=lower, column_upper=upper)


def _elastic(program: LinearProgram) -> tuple[LinearProgram, IntArray]:
    """Return the program in which every limit may be broken at 1 a GW, and the rows of the limits.

    Each such row has two columns more, one that adds GW to it and one that takes GW away; nothing else costs anything.
    """
    rows = np.concatenate([np.arange(at.start, at.stop) for name, at in program.rows.items() if _breakable(name)])
    count = len(rows)
    both, signs = np.tile(rows, 2)[:, None], np.repeat([1.0, -1.0], count)[:, None]
    return elastic(program, both, signs, np.ones(2 * count), np.full(2 * count, np.inf)), rows


def _solved(program: LinearProgram) -> Solution:
    """Return the solution of an elastic program: it has one, since the best plan keeps all that cannot be broken."""
    solution, proof = certified(program, SolveOptions())
    plan_or_error(solution, proof, accept_stopped=False)
    return solution


def _breakable(row: str) -> bool:
    return row in LIMITS and bool(LIMITS[row].broken)


def _check(plan: Plan, broken: set[str]) -> None:
    """Hold the tables against the instance; of a plan beyond its limits all but those limits must agree."""
    wrong = [str(f) for f in audit(plan.instance, plan.tables, plan.summary) if f.limit not in broken]
    if wrong:
        raise AuditError("the given allocation's figures do not agree with the instance's tables", wrong)


def _broken(best: Answer, rows: IntArray, beyond: FloatArray) -> list[tuple[str, list[int], float]]:
    """Return the constraint and key of each row that is broken, and by how many GW, in the order of the rows."""
    program = best.program
    gw = beyond[: len(rows)] + beyond[len(rows) :]
    beyond_of = dict(zip(rows[gw > 0].tolist(), gw[gw > 0].tolist(), strict=True))
    return [
        (name, program.row_keys[name][row - at.start].tolist(), beyond_of[row])
        for name, at in program.rows.items()
        for row in sorted(beyond_of)
        if at.start <= row < at.stop
    ]


def _told(best: Answer, broken: list[tuple[str, list[int], float]]) -> list[Broken]:
    """Return the limits that are broken, each once."""
    laid_out = best.laid_out
    starts = laid_out.calendar.starts()
    by_limit: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row, key, gw in broken:
        words = LIMITS[row].broken.format(row_name(best.program.labels, key[:-1]))
        by_limit.setdefault((words, LIMITS[row].measure), []).append((key[-1], gw))
    limits_broken = []
    for (words, measure), places in by_limit.items():
        node, most = min(node for node, _ in places), max(gw for _, gw in places)
        start = str(starts[laid_out.data.tree.period[node]])
        limits_broken.append(Broken(words, most, len(places), start, laid_out.known[node], measure))
    return limits_broken


def _by_owner_and_year(plan: Plan) -> pd.DataFrame:
    rows = plan.cashflow
    owner = rows["name"].where(rows["component"].isin(OF_A_PATHWAY), REST).rename("owner")
    expected = (rows["discounted_bn"] * rows["probability"]).groupby([owner, rows["start"].dt.year.rename("year")])
    return expected.sum().unstack().fillna(0.0)


WHEN: Final = ("node", "start", "period")
"""Columns that say where a row holds, the first of them that it gives; a date or a period means all its nodes."""


def read_given(path: str | Path, laid_out: Timeline) -> FloatArray:
    """Return GW of a given allocation by pathway, pool and node, nan where the file gives none; shape (P, Q, N).

    Parameters
    ----------
    path : str or Path
        A CSV file with columns ``pathway``, ``pool``, ``gw`` and one of ``node``, ``start`` (first day of a period) or
        ``period``; an ``allocation.csv`` of a kept run is one.
    laid_out : Timeline
        The instance on its tree.
    """
    return entered(given_table(path, "plan"), printable(Path(path).name), laid_out)


def entered(rows: pd.DataFrame, file: str, laid_out: Timeline) -> FloatArray:
    """Return GW of a given allocation as `read_given` does, from rows that were read already."""
    data, starts = laid_out.data, laid_out.calendar.starts().astype(str).tolist()
    period = data.tree.period.tolist()
    facts = {"start": [starts[t] for t in period], "known": laid_out.known, "period": list(map(str, period))}
    if "known" not in rows or not rows["known"].any():
        del facts["known"]
    if not any(rows[name].notna().any() for name in WHEN if name in rows):
        raise InstanceError(Problem(file, "no column start (or node, or period)", "an allocation needs it", "add it"))
    gw = np.full((len(data.pathways), len(data.pools), data.tree.size), np.nan)
    records = zip(rows.index.tolist(), rows.to_dict("records"), strict=True)
    all_told([partial(_enter, gw, facts, starts, f"{file} row {n}", row, data) for n, row in records])
    return gw


def left_out(given: FloatArray, where: str, laid_out: Timeline) -> list[str]:
    """Return what must be said of pairs that a given allocation leaves out, in some period or in all of them."""
    data = laid_out.data
    free = (np.isnan(given) & data.eligible[:, :, data.tree.root]).any(axis=2)
    pairs = [f"{data.pathways[p]} on {data.pools[q]}" for p, q in np.argwhere(free).tolist()]
    return [f"{where} leaves out {listed(pairs)}: chosen best there"] if pairs else []


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names in words, the first of many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _enter(
    gw: FloatArray, facts: Mapping[str, list[str]], starts: list[str], at: str, row: Mapping[Any, Any], data: PlanData
) -> None:
    """Enter one row into the array of GW."""
    pathway, pool, least = row["pathway"], row["pool"], row["gw"]
    (p, q), (nodes,), _ = all_told(
        [partial(_place, at, "pathway", pathway, data.pathways), partial(_place, at, "pool", pool, data.pools)],
        [partial(_nodes, facts, starts, at, row, data.tree)],
        [partial(_refuse, least < -ROUNDING, f"{at}, gw", shown(least), "must be at least 0 (GW)", "or leave it out")],
    )
    allowed = data.eligible[p, q, data.tree.root[nodes]]
    rule = "eligibility.csv does not let the pathway use the pool"
    what = f"{least:g} GW of {pool} for {pathway}"
    _refuse(least > 0 and not allowed.all(), f"{at}, gw", what, rule, "give 0, or add the pair")
    again = not np.isnan(gw[p, q, nodes]).all()
    _refuse(again, at, f"{pathway} on {pool} is given twice there", "each cell once", "remove one row")
    gw[p, q, nodes] = np.where(allowed, max(least, 0.0), np.nan)


def _place(at: str, kind: str, name: str, names: Sequence[str]) -> int:
    _refuse(name not in names, f"{at}, {kind}", f"'{name}'", f"no such {kind}", nearest(name, names))
    return names.index(name)


def _nodes(facts: Mapping[str, list[str]], starts: list[str], at: str, row: Mapping[Any, Any], tree: Tree) -> IntArray:
    """Return the nodes that a row holds on."""
    given = {name: _text(row[name]) for name in WHEN if name in row and not pd.isna(row[name])}
    when = next(iter(given), "start")
    text = given.get(when, "")
    if when == "start":
        rule = "not the first day of a period of the plan"
        _refuse(text not in starts, f"{at}, start", f"'{text}'", rule, f"write it like {starts[0]}")
        return np.flatnonzero(tree.period == starts.index(text))
    number, count = int(text), tree.size if when == "node" else tree.periods
    _refuse(number >= count, f"{at}, {when}", f"'{text}'", f"the plan has {when}s 0 to {count - 1}")
    if when == "period":
        return np.flatnonzero(tree.period == number)
    given["known"] = row.get("known", "")
    for name in (name for name in facts if name in given):
        rule = f"node {number} of this instance has {name} '{facts[name][number]}'"
        remedy = "the file is of another tree: give start instead of node"
        _refuse(given[name] != facts[name][number], f"{at}, {name}", f"'{given[name]}'", rule, remedy)
    return np.array([number])


def _refuse(wrong: bool, where: str, what: str, rule: str, remedy: str = "") -> None:
    if wrong:
        raise InstanceError(Problem(where, what, rule, remedy))


def _text(cell: float | pd.Timestamp) -> str:
    return f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else str(int(cell))
