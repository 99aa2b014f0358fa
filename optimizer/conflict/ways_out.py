"""Reliefs as edits that can be pasted, and in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.conflict.ladders import MOST_CONTRACTS, MOST_STEPS, Step, steps
from optimizer.conflict.reliefs import Relief, pattern
from optimizer.instance.instance import Edit
from optimizer.language.edits import spell
from optimizer.tree.timeline import Timeline

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


_MOST: Final = {"floor": MOST_STEPS, "cap": MOST_STEPS, "supply": MOST_CONTRACTS}
"""Demands that give way from period to period, and how many steps each may take."""


def way_of(choice: list[Given], laid_out: Timeline, *, few: bool = True) -> Way:
    """Return what was chosen as a way out, in few steps, where a figure that would take many gives way farther."""
    words: list[str] = []
    edits: list[Edit] = []
    gw_years = 0.0
    for key, part in _by_demand(choice):
        if key[0] in _MOST:
            found = _steps(key, part, laid_out, _MOST[key[0]] if few else None)
            gw_years += sum(step.given for step in found) * laid_out.data.dt
            edits += _stepped_edits(key, found, laid_out)
            words.append(_stepped_words(key, found, laid_out))
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
    at, months = {"pathway": pattern(pathway)}, (end - first) * laid_out.calendar.months
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
        now = np.array(getattr(written, kind)[written.pathways.index(pathway)])
    to = now.copy()
    for given in part:
        if not given.relief.lasts:
            by = -given.gw if kind == "floor" else given.gw
            to[given.relief.period] = max(round(float(to[given.relief.period]) + by, 9), 0.0)
    lasting = [(given.relief.period, given.gw) for given in part if given.relief.lasts]
    if most and len(lasting) > most:
        lasting = [(lasting[0][0], sum(gw for _, gw in lasting))]
    more = [Step(first, len(now), gw, gw * (len(now) - first)) for first, gw in lasting]
    return (*steps(now, to, most), *more)


def _stepped_edits(key: Key, found: tuple[Step, ...], laid_out: Timeline) -> Iterator[Edit]:
    kind, pathway, pool = key
    if kind == "supply":
        yield from _contracts(pool, found, laid_out)
        return
    for s in found:
        when = _date(laid_out, s.first), _cut(laid_out, s.end, pathway)
        yield Edit("demand", "set", {"pathway": pattern(pathway)}, f"{kind}_gw", round(s.gw, 9), *when)


def _edits(key: Key, part: list[Given], laid_out: Timeline) -> Iterator[Edit]:
    kind, pathway, _ = key
    at: dict[str, Any] = {"pathway": pattern(pathway)}
    if kind == "ramp":
        yield Edit("pathways", "add", at, "ramp_gw_per_month", round(part[0].gw / laid_out.calendar.months, 9))
    elif kind == "deals":
        yield Edit("pathways", "set", at, "breach_cost_bn_per_gw", breach_cost(pathway, laid_out))
    else:
        for given in part:
            lock = _lock(given, laid_out)
            where = at | {"pool": pattern(str(lock["pool"])), "from": lock["from"].date()}
            yield Edit("locks", "set", where, "min_gw" if kind == "lock min" else "max_gw", _loosened(given))


def _lock(given: Given, laid_out: Timeline) -> pd.Series[Any]:
    return laid_out.instance.filled("locks").iloc[given.relief.row]


def _loosened(given: Given) -> float:
    """Return what a lock holds to once it gives way, GW."""
    by = -given.gw if given.relief.kind == "lock min" else given.gw
    return max(round(given.relief.now + by, 9), 0.0)


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


def _contracts(pool: str, found: tuple[Step, ...], laid_out: Timeline) -> Iterator[Edit]:
    """A contract for each step, at the average price of the pool's contracts."""
    price = price_of(pool, laid_out)
    taken = set(laid_out.instance.tables["contracts"]["contract"])
    number = 0
    for s in found:
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
    contracts = tables[0][tables[0]["pool"] == pool]
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


def _stepped_words(key: Key, found: tuple[Step, ...], laid_out: Timeline) -> str:
    kind, pathway, pool = key
    if len(found) > 2 * _MOST[kind]:
        return _many_words(key, found, laid_out)
    if kind == "supply":
        amounts = [f"{s.gw:.4g} GW more" for s in found]
        amounts[0] = f"have {amounts[0]} in pool {pool}"
    else:
        amounts = [f"to {f'{s.gw:.4g} GW' if s.gw else '0'}" for s in found]
        verb = "lower the floor" if kind == "floor" else "raise the cap"
        amounts[0] = f"{verb} of {pathway} {amounts[0]}"
    return ", ".join(f"{amount} {span(laid_out, s.first, s.end)}" for amount, s in zip(amounts, found, strict=True))


def _many_words(key: Key, found: tuple[Step, ...], laid_out: Timeline) -> str:
    """Return steps that nobody would read one by one: how many, how far, and when."""
    kind, pathway, pool = key
    when, gw = span(laid_out, found[0].first, max(step.end for step in found)), [step.gw for step in found]
    if kind == "supply":
        return f"have up to {max(gw):.4g} GW more in pool {pool} {when}, in {len(found)} contracts"
    if kind == "floor":
        return f"lower the floor of {pathway} in {len(found)} steps, to {min(gw):.4g} GW at the least, {when}"
    return f"raise the cap of {pathway} in {len(found)} steps, to {max(gw):.4g} GW at the most, {when}"


def _words(key: Key, part: list[Given], laid_out: Timeline) -> Iterator[str]:
    kind, pathway, pool = key
    if kind == "ramp":
        yield f"raise the ramp of {pathway} by {part[0].gw / laid_out.calendar.months:.4g} GW a month"
    elif kind == "deals":
        months = sorted({_date(laid_out, given.relief.period) for given in part})
        most = f"{'up to ' if len(part) > 1 else ''}{max(given.gw for given in part):.4g} GW"
        when = f"in {months[0]:%Y-%m}" + (" and later" if len(months) > 1 else "")
        yield f"let {most} of {pathway} come back without notice, at a price, {when}"
    else:
        for given in part:
            lock, left = _lock(given, laid_out), _loosened(given)
            until = f" until {_month(lock['until'])}" if lock["until"] is not pd.NaT else ""
            what = f"{'lower' if kind == 'lock min' else 'raise'} the lock on {owner(pathway, pool)}"
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
