"""The cheapest ways to make an infeasible instance feasible: chosen by an elastic program, verified by solving."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import KILOWATT, ROUNDING
from gwplan.check.check import check, raise_errors
from gwplan.conflict.demands import elastic
from gwplan.conflict.ways_out import Given, Relief, Way, later, reliefs, way_of
from gwplan.instance.instance import Instance
from gwplan.instance.selection import picks
from gwplan.language.cursor import Cell, Name
from gwplan.language.edits import Edit, spell
from gwplan.problems import InstanceError
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import LinearProgram, SolveOptions, Status
from gwplan.solver.solving import judged
from gwplan.tree.calendar import add_months
from gwplan.tree.timeline import Timeline, timeline

MOST_REPAIRS = 5
MOST_EARLIER = 6
"""Deliveries that are tried earlier, those nearest to what is lacking first."""


@dataclass(frozen=True)
class Repair:
    """A way to make an instance feasible, verified by solving with it."""

    words: str  # what to do
    edits: tuple[str, ...]  # the same as edits, each to be pasted after ``--set``
    gw_years: float  # GW-years by which demands give way
    worth_bn: float  # worth of the best plan then, $bn, discounted
    # what the same would take in as many steps as periods ask for; fewer than `gw_years` where steps are kept few
    least_gw_years: float


def repairs(laid_out: Timeline, program: LinearProgram, options: SolveOptions) -> list[Repair]:
    """Return repairs, the one that takes fewest GW-years first: of all demands together, and of one demand alone."""
    program, every = reliefs(laid_out, program)
    best = _cheapest(program, every, options)
    if best is None:
        return []
    choices = [best]
    for some in {tuple(map(id, some)): some for some in _allowed(every, best) if some}.values():
        choices += filter(None, [_cheapest(program, some, options)])
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
    more = [replace(given, gw=min(given.gw + KILOWATT, given.relief.most)) for given in choice]
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
        Given(relief, min(math.ceil(gw / KILOWATT - ROUNDING / KILOWATT) * KILOWATT, relief.most))
        for relief, gw in zip(allowed, amounts.tolist(), strict=True)
        if gw > KILOWATT / 10
    ]


def _earlier(laid_out: Timeline, given: list[Given]) -> list[_Draft]:
    """Return later deliveries of the pools that lack capacity, brought forward to when it is first lacking."""
    lacking: dict[str, int] = {}
    for one in given:
        if one.relief.kind == "supply":
            lacking[one.relief.pool] = min(one.relief.period, lacking.get(one.relief.pool, one.relief.period))
    contracts = laid_out.instance.filled("contracts").set_index("contract")
    pools, delays = contracts["pool"].to_dict(), contracts["delay_months"].to_dict()
    drafts: list[_Draft] = []
    contracts = contracts[contracts["side"] != "sell"]
    deliveries = laid_out.instance.tables["deliveries"]
    dated = deliveries[deliveries["date"].notna() & deliveries["contract"].isin(contracts.index)]
    for contract, date, gw, where in _tranches(dated):
        if pools[contract] not in lacking:
            continue
        needed = lacking[pools[contract]]
        first = laid_out.calendar.starts()[needed].astype("datetime64[M]")
        months = int((np.datetime64(date, "M") - first).astype(int)) + int(delays[contract]) + (date.day > 1)
        delivered = add_months(np.array([date], dtype="datetime64[D]"), np.array([int(delays[contract])]))
        periods = min(int(laid_out.calendar.period(delivered)[0]), laid_out.calendar.periods) - needed
        if months > 0 and periods > 0:
            text = spell(Edit("deliveries", "shift_months", where, "date", -months))
            by = f"{months} month{'s' if months > 1 else ''}"
            words = f"bring the {gw:g} GW that {contract} delivers on {date} forward by {by}"
            years = gw * periods * laid_out.data.dt
            drafts.append(_Draft(Way(words, (text,), years), years))
    return sorted(drafts, key=lambda draft: draft.way.gw_years)[:MOST_EARLIER]


def _tranches(deliveries: pd.DataFrame) -> Iterator[tuple[str, dt.date, float, dict[str, Cell]]]:
    """Yield contract, date, GW and conditions of every delivery, and of all that a contract has on one date."""
    single = picks(TABLES["deliveries"], deliveries, ("contract", "date", "gw"))
    together: dict[tuple[str, dt.date], list[float]] = {}
    for contract, date, gw, where in zip(
        deliveries["contract"], deliveries["date"], deliveries["gw"].tolist(), single, strict=True
    ):
        together.setdefault((str(contract), date.date()), []).append(gw)
        yield str(contract), date.date(), gw, where
    for (contract, day), each in together.items():
        if len(each) > 1:
            yield contract, day, sum(each), {"contract": Name(contract), "date": day}


def _verified(instance: Instance, drafts: list[_Draft], options: SolveOptions) -> list[Repair]:
    """Return the drafts that make the instance feasible, each once, those that take fewest GW-years first.

    The first draft, the cheapest, is among them; of the others, ways that ask for one kind of change come first.
    """
    verified: list[Repair] = []
    seen: set[tuple[str, ...]] = set()
    cheapest = drafts[0]
    for draft in sorted(drafts, key=lambda d: (d is not cheapest, d.kinds > 1, d.way.gw_years)):
        if draft.way.edits in seen or len(verified) == MOST_REPAIRS:
            continue
        seen.add(draft.way.edits)
        for tried in filter(None, (draft.way, draft.spare)):
            worth = worth_with(instance, tried.edits, options)
            if worth is not None:
                verified.append(Repair(tried.words, tried.edits, tried.gw_years, worth, draft.least_gw_years))
                break
    return in_order(verified)


def in_order(mended: Iterable[Repair]) -> list[Repair]:
    """Return repairs, fewest GW-years first; of equal ones, that worth most, then that of fewest edits."""
    rest = sorted(mended, key=lambda repair: repair.gw_years)
    ordered: list[Repair] = []
    while rest:
        equal = [repair for repair in rest if repair.gw_years <= rest[0].gw_years + KILOWATT]
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
