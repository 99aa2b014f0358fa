"""Reliefs as edits that can be pasted, and in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from optimizer.instance.instance import Edit
from optimizer.instance.spelling import spell
from optimizer.instance.timeline import Timeline
from optimizer.results.reliefs import Relief, pattern

SHOWN_STRETCHES: Final = 3
"""Stretches of a demand that are told one by one."""


@dataclass(frozen=True)
class Given:
    """A relief and how much of it is given, GW."""

    relief: Relief
    gw: float


@dataclass(frozen=True)
class _Stretch:
    """Successive periods in which a demand gives way by as much."""

    first: int
    end: int
    gw: float
    all_of_it: bool


def edits_of(choice: list[Given], laid_out: Timeline) -> tuple[str, ...]:
    """Return the edits that give what was chosen, in the command line's spelling."""
    return tuple(spell(edit) for key, part in _by_demand(choice) for edit in _edits(key, part, laid_out))


def words_of(choice: list[Given], laid_out: Timeline) -> str:
    """Return what was chosen as a sentence."""
    return "; ".join(_words(key, part, laid_out) for key, part in _by_demand(choice))


def _by_demand(choice: list[Given]) -> Iterator[tuple[tuple[str, str, str], list[Given]]]:
    for key, part in groupby(sorted(choice, key=lambda g: (g.relief.key, g.relief.period)), lambda g: g.relief.key):
        yield key, list(part)


def _stretches(part: list[Given]) -> list[_Stretch]:
    found: list[_Stretch] = []
    for given in part:
        t, whole = given.relief.period, bool(given.gw >= given.relief.most - 1e-9)
        last = found[-1] if found else None
        same = last is not None and last.all_of_it == whole and (whole or abs(last.gw - given.gw) < 1e-9)
        if last is not None and same and last.end == t:
            found[-1] = _Stretch(last.first, t + 1, max(last.gw, given.gw), whole)
        else:
            found.append(_Stretch(t, t + 1, given.gw, whole))
    return found


def _edits(key: tuple[str, str, str], part: list[Given], laid_out: Timeline) -> Iterator[Edit]:
    kind, pathway, pool = key
    at: dict[str, Any] = {"pathway": pattern(pathway)}
    if kind in ("floor", "cap"):
        for s in _stretches(part):
            gone = kind == "floor" and s.all_of_it
            gw = 0.0 if gone else round(-s.gw if kind == "floor" else s.gw, 9)
            when = _date(laid_out, s.first), _cut(laid_out, s.end, pathway)
            yield Edit("demand", "set" if gone else "add", at, f"{kind}_gw", gw, *when)
    elif kind == "supply":
        yield from _contracts(pool, part, laid_out)
    elif kind == "ramp":
        yield Edit("pathways", "add", at, "ramp_gw_per_month", round(part[0].gw / laid_out.calendar.months, 9))
    elif kind == "deals":
        yield Edit("pathways", "set", at, "breach_cost_bn_per_gw", breach_cost(pathway, laid_out))
    else:
        yield from _locks(kind, pathway, pool, part[0].gw, laid_out)


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


def _contracts(pool: str, part: list[Given], laid_out: Timeline) -> Iterator[Edit]:
    """A contract for each stretch, at the average price of the pool's contracts."""
    price = price_of(pool, laid_out)
    taken = set(laid_out.instance.tables["contracts"]["contract"])
    number = 0
    for s in _stretches(part):
        number += 1
        while (name := f"more_{pool}_{number}") in taken:
            number += 1
        row: dict[str, Any] = {"contract": name, "pool": pool}
        end = _end(laid_out, s.end)
        row |= {"end": end} if end else {}
        row |= {"cost_bn_per_gw_year": price} if price else {}
        yield Edit("contracts", "insert", row)
        yield Edit("deliveries", "insert", {"contract": name, "date": _date(laid_out, s.first), "gw": round(s.gw, 9)})


def _locks(kind: str, pathway: str, pool: str, gw: float, laid_out: Timeline) -> Iterator[Edit]:
    column = "min_gw" if kind == "lock min" else "max_gw"
    rows = laid_out.instance.filled("locks")
    for row in rows[(rows["pathway"] == pathway) & (rows["pool"] == pool)].to_dict("records"):
        now = float(row[column])
        if np.isnan(now) or (column == "min_gw" and now == 0):
            continue
        loosened = max(now - gw, 0.0) if column == "min_gw" else now + gw
        where = {"pathway": pattern(pathway), "pool": pattern(pool), "from": row["from"].date()}
        yield Edit("locks", "set", where, column, round(loosened, 9))


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


def _words(key: tuple[str, str, str], part: list[Given], laid_out: Timeline) -> str:
    kind, pathway, pool = key
    before, after = {
        "floor": (f"lower the floor of {pathway} ", ""),
        "cap": (f"raise the cap of {pathway} ", ""),
        "supply": ("have ", f" in {pool}"),
        "deals": ("let ", f" of {pathway} come back without notice, at a price,"),
        "lock min": (f"lower the lock on {owner(pathway, pool)} ", ""),
        "lock max": (f"raise the lock on {owner(pathway, pool)} ", ""),
        "ramp": (f"raise the ramp of {pathway} by ", " a month"),
    }[kind]
    if kind == "ramp":
        return f"{before}{part[0].gw / laid_out.calendar.months:.4g} GW{after}"
    if kind.startswith("lock"):
        return f"{before}by {part[0].gw:.4g} GW"
    if kind == "deals":
        months = sorted({_date(laid_out, given.relief.period) for given in part})
        most = f"{'up to ' if len(part) > 1 else ''}{max(given.gw for given in part):.4g} GW"
        return f"{before}{most}{after} in {months[0]:%Y-%m}" + (" and later" if len(months) > 1 else "")
    stretches = _stretches(part)
    if len(stretches) > SHOWN_STRETCHES:
        least, most = (f"{pick(s.gw for s in stretches):.4g}" for pick in (min, max))
        when, each = span(laid_out, stretches[0].first, stretches[-1].end), laid_out.instance.resolution
        return f"{before}{_amount(kind, f'{least} to {most} GW')}{after} {when}, {each} by {each}"
    amounts = ["to 0" if kind == "floor" and s.all_of_it else _amount(kind, f"{s.gw:.4g} GW") for s in stretches]
    amounts[0] = f"{before}{amounts[0]}{after}"
    return ", ".join(f"{amount} {span(laid_out, s.first, s.end)}" for amount, s in zip(amounts, stretches, strict=True))


def _amount(kind: str, gw: str) -> str:
    return f"{gw} more" if kind == "supply" else f"by {gw}"


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
