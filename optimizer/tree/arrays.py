"""The arrays of one scenario, table by table: dates become periods, step functions become rows over time.

Every function under `reads` takes the scenario's instance, the names along the axes and the calendar, and returns
arrays by the names of `PlanData`; those that change over time end with the axis of periods. From the columns
beside it follow what is made again when a cell changes, and what is told of an outcome that changes the past.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.tables import VALUE_FACTORS, reading
from gwplan.instance.instance import Instance
from gwplan.tree.calendar import Calendar, Dates

Arrays = dict[str, NDArray[Any]]
"""Arrays by their names in `gwplan.models.PlanData`."""


@dataclass(frozen=True)
class Names:
    """Names along the axes of the arrays, over all scenarios.

    A contract that an outcome moves to another pool counts once for each pool. An offer, and a way out by the name of
    its window, is one of a contract and pool; `sold` tells which contracts are sold, `extends` which offer extends
    which contract, by their names.
    """

    pathways: tuple[str, ...]
    pools: tuple[str, ...]
    contracts: tuple[tuple[str, str], ...]
    ways_out: tuple[tuple[str, str, str], ...] = ()
    offers: tuple[tuple[str, str], ...] = ()
    sold: frozenset[str] = frozenset()
    extends: tuple[tuple[str, str], ...] = ()

    @cached_property
    def contract_names(self) -> tuple[str, ...]:
        """Name of each contract, with its pool where the name alone would stand for two."""
        names = [contract for contract, _ in self.contracts]
        return tuple(c if names.count(c) == 1 else f"{c}@{q}" for c, q in self.contracts)

    @cached_property
    def way_out_names(self) -> tuple[str, ...]:
        """Name of each way out: its contract's, with that of its window if it has one."""
        line = dict(zip(self.contracts, self.contract_names, strict=True))
        return tuple(way_out_name(line[c, q], window) for c, q, window in self.ways_out)

    @cached_property
    def offer_of(self) -> NDArray[np.int64]:
        """Position of each offer among the contracts."""
        return places(self.contracts, list(self.offers))

    @cached_property
    def way_out_of(self) -> NDArray[np.int64]:
        """Position of each way out's contract."""
        return places(self.contracts, [(c, q) for c, q, _ in self.ways_out])


def way_out_name(contract: str, window: str) -> str:
    """Return the name of a way out of a contract: that of its window follows the contract's, if it has one."""
    return f"{contract}/{window}" if window else contract


Make = Callable[[Instance, Names, Calendar], Arrays]


@dataclass(frozen=True, eq=False)
class Maker:
    """What makes arrays of one scenario: the columns that it reads, ``table.column``, and whose arrays they are."""

    make: Make
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    about: tuple[str, ...]


MAKERS: Final[list[Maker]] = []
"""Everything that makes arrays of one scenario, in the order of the fields that they make."""


def reads(*columns: str, about: str) -> Callable[[Make], Make]:
    """Enter a function into the list of makers; its own table comes first among those that it reads."""

    def entered(make: Make) -> Make:
        tables = tuple(read.partition(":")[0] for read in columns)
        MAKERS.append(Maker(make, tables, tuple(sorted(reading(*columns))), tuple(about.split())))
        return make

    return entered


def places(names: tuple[Any, ...], cells: list[Any]) -> NDArray[np.int64]:
    """Return the place of each cell among names."""
    place = {name: position for position, name in enumerate(names)}
    return np.array([place[cell] for cell in cells], dtype=np.int64)


def dates(frame: pd.DataFrame, column: str) -> Dates:
    """Return a column of dates; blanks are NaT."""
    return frame[column].to_numpy().astype("datetime64[D]")


def numbers(frame: pd.DataFrame, column: str, none: float = np.nan) -> NDArray[np.float64]:
    """Return a column of numbers in its own unit, `none` where a cell is blank."""
    cells = frame[column].to_numpy(dtype=float, na_value=np.nan)
    return cells if np.isnan(none) else np.where(np.isnan(cells), none, cells)


@reads("pools: pool idle_penalty_bn_per_gw_year", about="pool")
def pools(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``idle_penalty`` ($bn per GW-year), shape (Q,)."""
    frame = instance.filled("pools")
    penalty = np.zeros(len(names.pools))
    penalty[places(names.pools, frame["pool"].tolist())] = numbers(frame, "idle_penalty_bn_per_gw_year")
    return {"idle_penalty": penalty}


def deal_periods(instance: Instance, calendar: Calendar) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return notice and term of each row of ``pathways`` in periods; a term is at least its notice.

    Neither is counted beyond the horizon, where longer ones bind no further: the model has a lag for every period.
    """
    notice, term = whole_deal_periods(instance, calendar)
    return np.minimum(notice, calendar.periods), np.minimum(term, calendar.periods)


def whole_deal_periods(instance: Instance, calendar: Calendar) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return notice and term of each row of ``pathways`` in periods, however far beyond the horizon they reach."""
    frame = instance.filled("pathways")
    notice, term = (calendar.periods_of_days(numbers(frame, f"{name}_days")) for name in ("notice", "min_term"))
    return notice, np.maximum(term, notice)


@reads(
    "pathways: pathway shortfall_penalty_bn_per_gw_year ramp_gw_per_month migration_cost_bn_per_gw notice_days "
    "min_term_days signing_cost_bn_per_gw breach_cost_bn_per_gw",
    about="pathway",
)
def pathways(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return the penalties, limits, costs ($bn per GW) and periods of each pathway, shape (P,)."""
    frame = instance.filled("pathways")
    at = places(names.pathways, frame["pathway"].tolist())

    def spread(values: NDArray[Any], absent: float = 0.0) -> NDArray[Any]:
        out = np.full(len(names.pathways), absent, dtype=values.dtype)
        out[at] = values
        return out

    notice, term = deal_periods(instance, calendar)
    return {
        "shortfall_penalty": spread(numbers(frame, "shortfall_penalty_bn_per_gw_year")),
        "migration_cost": spread(numbers(frame, "migration_cost_bn_per_gw")),
        "ramp": spread(numbers(frame, "ramp_gw_per_month", np.inf) * calendar.months, np.inf),
        "signing_cost": spread(numbers(frame, "signing_cost_bn_per_gw")),
        "breach_cost": spread(numbers(frame, "breach_cost_bn_per_gw", np.inf), np.inf),
        "notice": spread(notice),
        "term": spread(term),
    }


@reads(
    "eligibility: pathway pool operating_cost_bn_per_gw_year initial_gw min_block_gw",
    "pathways: pathway",
    "pools: pool",
    about="pathway pool",
)
def pairs(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return which pairs are eligible and what they do and cost, shape (P, Q)."""
    frame = instance.filled("eligibility")
    at = (places(names.pathways, frame["pathway"].tolist()), places(names.pools, frame["pool"].tolist()))
    shape = (len(names.pathways), len(names.pools))
    columns = {
        "operating_cost": "operating_cost_bn_per_gw_year",
        "initial": "initial_gw",
        "min_block": "min_block_gw",
    }
    arrays: Arrays = {"eligible": np.zeros(shape, dtype=bool)}
    arrays["eligible"][at] = True
    for name, column in columns.items():
        arrays[name] = np.zeros(shape)
        arrays[name][at] = numbers(frame, column)
    return arrays


def in_force(since: Dates, starts: Dates) -> NDArray[np.int64]:
    """Return the position of the latest date on or before each start, -1 before the first; dates are sorted."""
    return np.searchsorted(since, starts.astype(since.dtype), side="right") - 1


@reads(
    "effectiveness: pathway pool from effectiveness",
    "eligibility: pathway pool effectiveness",
    "pathways: pathway",
    "pools: pool",
    about="pathway pool",
)
def effectiveness(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``effectiveness``, effective GW per GW, shape (P, Q, T)."""
    pairs, frame = instance.filled("eligibility"), instance.tables["effectiveness"]
    at = (places(names.pathways, pairs["pathway"].tolist()), places(names.pools, pairs["pool"].tolist()))
    effective = np.zeros((len(names.pathways), len(names.pools), calendar.periods))
    effective[at] = numbers(pairs, "effectiveness")[:, None]
    p, q = places(names.pathways, frame["pathway"].tolist()), places(names.pools, frame["pool"].tolist())
    since, cells, starts = dates(frame, "from"), numbers(frame, "effectiveness"), calendar.starts()
    for row in np.argsort(since, kind="stable"):
        effective[p[row], q[row], starts >= since[row]] = cells[row]
    return {"effectiveness": effective}


@reads("demand: pathway from floor_gw target_gw cap_gw", about="pathway")
def demand(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``floor``, ``target`` (effective GW) and ``cap`` (GW), shape (P, T)."""
    frame = instance.filled("demand")
    shape = (len(names.pathways), calendar.periods)
    arrays: Arrays = {"floor": np.zeros(shape), "target": np.zeros(shape), "cap": np.full(shape, np.inf)}
    columns = {name: numbers(frame, f"{name}_gw", np.inf if name == "cap" else np.nan) for name in arrays}
    at, since = places(names.pathways, frame["pathway"].tolist()), dates(frame, "from")
    for p in np.unique(at):
        rows = np.flatnonzero(at == p)
        rows = rows[np.argsort(since[rows], kind="stable")]
        rows_in_force = in_force(since[rows], calendar.starts())
        held = rows_in_force >= 0
        for name, values in columns.items():
            arrays[name][p, held] = values[rows[rows_in_force[held]]]
    return arrays


def chords(
    base_gw: float, base_value: float, uplift: float, max_gw: float, segments: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return widths (effective GW) and values ($bn per effective GW-year) of the chords of a ``log2`` curve.

    The curve earns ``base_value * uplift * log2(1 + g / base_gw)`` $bn a year; its chords meet it at the ends of equal
    steps of the logarithm, so they are never above it.
    """
    share = np.arange(segments + 1) / segments
    points = base_gw * ((1 + max_gw / base_gw) ** share - 1)
    earned = base_value * uplift * np.log2(1 + points / base_gw)
    widths = np.diff(points)
    return widths, np.diff(earned) / widths


_CURVE_COLUMNS = ("base_gw", "base_value_bn_per_year", "uplift_per_doubling", "max_gw", "segments")


@reads(
    "value: pathway from tier width_gw value_bn_per_gw_year",
    "curves: pathway from " + " ".join(_CURVE_COLUMNS),
    "pathways: pathway " + " ".join(VALUE_FACTORS),
    about="pathway",
)
def tiers(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``width``, ``value`` (its factors included), shape (P, I, T), and the count of ``tiers``, shape (P, T)."""
    value, curves, pathway = (instance.filled(name) for name in ("value", "curves", "pathways"))
    factors = np.prod([numbers(pathway, column) for column in VALUE_FACTORS], axis=0)
    factor_of = dict(zip(pathway["pathway"].tolist(), factors.tolist(), strict=True))
    value_at = places(names.pathways, value["pathway"].tolist())
    curve_at = places(names.pathways, curves["pathway"].tolist())
    value_from, curve_from = dates(value, "from"), dates(curves, "from")
    widths, values = numbers(value, "width_gw", np.inf), numbers(value, "value_bn_per_gw_year")
    order = np.lexsort((numbers(value, "tier"), value_from.astype(np.int64), value_at))
    log2 = [numbers(curves, column) for column in _CURVE_COLUMNS]
    starts = calendar.starts()

    by_step: list[tuple[int, slice, NDArray[np.float64], NDArray[np.float64]]] = []
    for p in np.union1d(value_at, curve_at).tolist():
        rows = order[value_at[order] == p]
        steps = np.unique(value_from[rows])
        curve_rows = np.flatnonzero(curve_at == p)
        curve_rows = curve_rows[np.argsort(curve_from[curve_rows], kind="stable")]
        both = np.stack([in_force(steps, starts), in_force(curve_from[curve_rows], starts)])
        changes = np.flatnonzero((np.diff(both, axis=1) != 0).any(axis=0)) + 1
        for first, last in pairwise([0, *changes.tolist(), calendar.periods]):
            step, curve = both[:, first]
            held = rows[value_from[rows] == steps[step]] if step >= 0 else rows[:0]
            parts = [(widths[held], values[held])]
            if curve >= 0:
                base, worth_bn, uplift, most, segments = (float(column[curve_rows[curve]]) for column in log2)
                parts.append(chords(base, worth_bn, uplift, most, int(segments)))
            width, worth = (np.concatenate(part) for part in zip(*parts, strict=True))
            best_first = np.argsort(-worth, kind="stable")
            worth = worth[best_first] * factor_of[names.pathways[p]]
            by_step.append((p, slice(first, last), width[best_first], worth))
    most = max((len(width) for _, _, width, _ in by_step), default=0)
    shape = (len(names.pathways), most, calendar.periods)
    arrays: Arrays = {
        "tiers": np.zeros((shape[0], shape[2]), dtype=np.int64),
        "width": np.zeros(shape),
        "value": np.zeros(shape),
    }
    for p, periods, width, worth in by_step:
        arrays["width"][p, : len(width), periods] = width[:, None]
        arrays["value"][p, : len(width), periods] = worth[:, None]
        arrays["tiers"][p, periods] = len(width)
    return arrays


CHURN: Final = ("churn: pathway date fraction", "pathways: pathway churn_per_year")
"""What the share of deals that churn leaves is made of."""


@reads(*CHURN, about="pathway")
def churn(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``keep``: the share of the deals in force that churn leaves in each period, shape (P, T)."""
    pathway, losses = instance.filled("pathways"), instance.filled("churn")
    keep = np.ones((len(names.pathways), calendar.periods))
    at = places(names.pathways, pathway["pathway"].tolist())
    keep[at] *= ((1 - numbers(pathway, "churn_per_year")) ** calendar.dt)[:, None]
    period = calendar.period(dates(losses, "date"))
    inside = period < calendar.periods
    where = (places(names.pathways, losses["pathway"].tolist())[inside], period[inside])
    np.multiply.at(keep, where, 1 - numbers(losses, "fraction")[inside])
    return {"keep": keep}


@reads("running: pathway kind until gw", *CHURN, about="pathway")
def running(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``held`` and ``returning``, GW of deals from before the start within their term, and back by notice.

    Their shape is (P, T). What churns from the start on is taken off.
    """
    frame = instance.tables["running"]
    shape = (len(names.pathways), calendar.periods)
    held, returning = np.zeros(shape), np.zeros(shape)
    at, gw, until = places(names.pathways, frame["pathway"].tolist()), numbers(frame, "gw"), dates(frame, "until")
    term = frame["kind"].to_numpy(dtype=object) == "term"
    np.add.at(held, at[term], gw[term, None] * (calendar.starts() < until[term, None]))
    period = calendar.period(until)
    back = ~term & (period < calendar.periods)
    np.add.at(returning, (at[back], period[back]), gw[back])
    kept = np.cumprod(churn(instance, names, calendar)["keep"], axis=1)
    return {"held": held * kept, "returning": returning * kept}


@reads("locks: pathway pool from until min_gw max_gw", about="pathway")
def locks(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return ``lock_least`` and ``lock_most`` (GW, nan: none), shape (P, Q + 1, T); the last pool is the sum."""
    frame = instance.filled("locks")
    shape = (len(names.pathways), len(names.pools) + 1, calendar.periods)
    least, most = np.full(shape, np.nan), np.full(shape, np.nan)
    p = places(names.pathways, frame["pathway"].tolist())
    q = places((*names.pools, ""), frame["pool"].tolist())
    starts = calendar.starts()
    until = dates(frame, "until")
    holds = (dates(frame, "from")[:, None] <= starts) & (np.isnat(until)[:, None] | (starts < until[:, None]))
    bounds = zip(numbers(frame, "min_gw"), numbers(frame, "max_gw"), strict=True)
    for row, (low, high) in enumerate(bounds):
        periods = holds[row]
        least[p[row], q[row], periods] = np.fmax(least[p[row], q[row], periods], low)
        most[p[row], q[row], periods] = np.fmin(most[p[row], q[row], periods], high)
    return {"lock_least": least, "lock_most": most}
