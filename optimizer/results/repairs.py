"""The cheapest ways to make an infeasible instance feasible: chosen by an elastic program, verified by solving."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.instance.calendar import add_months
from optimizer.instance.check import check, raise_errors
from optimizer.instance.instance import Cell, Edit, Instance
from optimizer.instance.problems import InstanceError
from optimizer.instance.schema import TABLES
from optimizer.instance.spelling import spell
from optimizer.instance.timeline import Timeline, timeline
from optimizer.results.demands import elastic
from optimizer.results.relief_edits import Given, edits_of, words_of
from optimizer.results.reliefs import Relief, pattern, reliefs
from optimizer.solve.compile import compiled
from optimizer.solve.highs import solve as run_solver
from optimizer.solve.mixed import judged
from optimizer.solve.program import LinearProgram
from optimizer.solve.solution import SolveOptions, Status

MOST_REPAIRS = 5
MOST_EARLIER = 6
"""Deliveries that are tried earlier, those nearest to what is lacking first."""

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
    """

    words: str
    edits: tuple[str, ...]
    gw_years: float
    worth_bn: float


def repairs(laid_out: Timeline, program: LinearProgram, options: SolveOptions) -> list[Repair]:
    """Return repairs, the one that takes fewest GW-years first: of all demands together, and of one demand alone.

    Parameters
    ----------
    laid_out, program : Timeline, LinearProgram
        An infeasible instance.
    options : SolveOptions
        How to solve.
    """
    every = reliefs(laid_out, program)
    keys = list(dict.fromkeys(relief.key for relief in every))
    best = _cheapest(program, every, options)
    if best is None:
        return []
    allowed = [[relief for relief in every if relief.key == key] for key in keys]
    allowed += [
        [relief for relief in every if relief.key != key] for key in sorted({given.relief.key for given in best})
    ]
    choices = [best, *(choice for some in allowed if (choice := _cheapest(program, some, options)))]
    drafts = [_draft(choice, laid_out) for choice in choices]
    drafts += _earlier(laid_out, [given for choice in choices for given in choice])
    return _verified(laid_out.instance, drafts, options)


@dataclass(frozen=True)
class _Draft:
    """A repair that has not been verified.

    `spare` is the same with a kilowatt more of everything, for where rounded figures just miss.
    """

    words: str
    edits: tuple[str, ...]
    gw_years: float
    spare: _Draft | None = None


def _draft(choice: list[Given], laid_out: Timeline, *, spare: bool = True) -> _Draft:
    more = [Given(given.relief, min(given.gw + STEP, given.relief.most)) for given in choice]
    return _Draft(
        words_of(choice, laid_out),
        edits_of(choice, laid_out),
        sum(given.gw * given.relief.gw_years for given in choice),
        _draft(more, laid_out, spare=False) if spare else None,
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
            found.append(
                _Draft(
                    f"bring the {gw:g} GW that {contract} delivers on {date} forward by {by}",
                    (text,),
                    gw * periods * laid_out.data.dt,
                )
            )
    return sorted(found, key=lambda draft: draft.gw_years)[:MOST_EARLIER]


def _verified(instance: Instance, drafts: list[_Draft], options: SolveOptions) -> list[Repair]:
    """Return the drafts that make the instance feasible, cheapest first, each once."""
    found: list[Repair] = []
    seen: set[tuple[str, ...]] = set()
    for draft in sorted(drafts, key=lambda d: d.gw_years):
        if draft.edits in seen or len(found) == MOST_REPAIRS:
            continue
        seen.add(draft.edits)
        for tried in filter(None, (draft, draft.spare)):
            worth = worth_with(instance, tried.edits, options)
            if worth is not None:
                found.append(Repair(tried.words, tried.edits, tried.gw_years, worth))
                break
    return found


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
