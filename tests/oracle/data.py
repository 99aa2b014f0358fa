"""The data of one scenario, computed from its rows period by period."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from tests.oracle.contracts import Contracts
from tests.oracle.reading import ANNOTATIONS, Book, Folder, OracleError, Row, add_months, filled

WINDOW_TERMS = ("notice_days", "fee_bn_per_gw", "fee_share_of_rest", "max_share", "indivisible")
NOT_OF_ITSELF = (*ANNOTATIONS, "description", "realisation", "shortfall_penalty_bn_per_gw_year", "churn_per_year")
"""Columns of a pathway that a node sees, if at all, in what they make of others."""
KEYS = {
    "pools": ("pool",),
    "contracts": ("contract",),
    "cancellations": ("contract", "window"),
    "offers": ("contract",),
    "offer_prices": ("contract", "from"),
    "pathways": ("pathway",),
    "eligibility": ("pathway", "pool"),
    "demand": ("pathway", "from"),
    "value": ("pathway", "from", "tier"),
    "curves": ("pathway", "from"),
    "churn": ("pathway", "date"),
    "running": ("pathway", "kind", "until"),
    "effectiveness": ("pathway", "pool", "from"),
    "locks": ("pathway", "pool", "from"),
}


@dataclass(frozen=True)
class Calendar:
    """The periods, their dates and their discount factors."""

    start: date
    months: int
    periods: int
    rate: float

    @property
    def dt(self) -> float:
        """Length of a period in years."""
        return self.months / 12

    def tau(self, t: int) -> date:
        """First day of period t, also beyond the horizon."""
        return add_months(self.start, t * self.months)

    def discount(self, t: int) -> float:
        """Discount factor of the middle of period t."""
        return float((1 + self.rate) ** -((t + 0.5) * self.dt))

    def periods_of(self, days: float) -> int:
        """Days as whole periods, rounded up, exactly (a year has 1461/4 days)."""
        if days != int(days):
            raise OracleError(f"{days} days are not whole")
        return -(-int(days) * 48 // (self.months * 1461))

    def takes_effect(self, when: date) -> int:
        """First period that starts on or after a date."""
        t = 0
        while self.tau(t) < when:
            t += 1
        return t


def calendar_of(folder: Folder) -> Calendar:
    """Return the folder's calendar."""
    return Calendar(folder.start, folder.months_per_period, folder.periods, folder.discount_rate)


class Data(Contracts):
    """One scenario's data: every method answers for one period ``t``; rates in $bn per GW-year, capacity in GW."""

    def __init__(self, book: Book, calendar: Calendar) -> None:
        self.calendar = calendar
        self.rows = {table: [filled(table, row) for row in rows] for table, rows in book.items()}
        for table, key in KEYS.items():
            keys = [tuple(row[column] for column in key) for row in self.rows.get(table, [])]
            if len(keys) != len(set(keys)):
                raise OracleError(f"{table}: a key stands twice in {sorted(map(str, keys))}")
        self.pools = {row["pool"]: row for row in self.rows["pools"]}
        self.pathways = {row["pathway"]: row for row in self.rows["pathways"]}
        self.contracts = {row["contract"]: row for row in self.rows["contracts"]}
        self.read_contracts()
        if "eligibility" in self.rows:
            self.pairs = {(row["pathway"], row["pool"]): row for row in self.rows["eligibility"]}
        else:
            blank = {"effectiveness": 1.0, "operating_cost_bn_per_gw_year": 0.0, "initial_gw": 0.0, "min_block_gw": 0.0}
            self.pairs = {(p, q): blank for p in self.pathways for q in self.pools}
        # The answers never change, and the same ones are asked for at every node of a period.
        self.in_force = cache(self.in_force)  # type: ignore[method-assign]
        self.delivered = cache(self.delivered)  # type: ignore[method-assign]
        self.keep = cache(self.keep)  # type: ignore[method-assign]

    def supply(self, q: str, t: int) -> float:
        """GW that can be delivered to pool q, every offer signed."""
        bought = [k for k, row in self.contracts.items() if row["pool"] == q and not self.sold(k)]
        return math.fsum(self.most_delivered(k, t) for k in bought)

    def most_delivered(self, k: str, t: int) -> float:
        """GW of contract k in service, of an offer signed as is best for that."""
        if k not in self.offers:
            return self.delivered(k, t)
        signable = [a for a in range(t + 1) if self.offered(k, a)]
        return max([self.delivered(k, t), *(self.unit(k, a, t) for a in signable)])

    def in_window(self, way: tuple[str, str], t: int) -> bool:
        """Whether notice may be given by a way out in period t."""
        row = self.ways_out.get(way)
        return row is not None and row["opens"] <= self.calendar.tau(t) <= row["closes"]

    def notice_of(self, way: tuple[str, str]) -> int:
        """Periods between notice by a way out and its effect."""
        return self.calendar.periods_of(self.ways_out[way]["notice_days"])

    def in_force(self, table: str, p: str, t: int) -> list[Row]:
        """Return the rows of a step-function table with pathway p's latest date up to the period's start."""
        own = [r for r in self.rows.get(table, []) if r["pathway"] == p and r["from"] <= self.calendar.tau(t)]
        latest = max((row["from"] for row in own), default=None)
        return [row for row in own if row["from"] == latest]

    def effectiveness(self, p: str, q: str, t: int) -> float:
        """Effective GW of pathway p per GW of pool q."""
        now, rows = self.calendar.tau(t), self.rows.get("effectiveness", [])
        held = [row for row in rows if row["pathway"] == p and row["pool"] == q and row["from"] <= now]
        last = max(held, key=lambda row: row["from"], default=self.pairs[p, q])
        return float(last["effectiveness"])

    def demand(self, p: str, t: int) -> tuple[float, float, float | None]:
        """Floor and target in effective GW, cap in GW (None: no cap)."""
        rows = self.in_force("demand", p, t)
        return (rows[0]["floor_gw"], rows[0]["target_gw"], rows[0]["cap_gw"]) if rows else (0.0, 0.0, None)

    def tiers(self, p: str, t: int) -> list[tuple[float, float]]:
        """Width in effective GW and value of every tier and chord, best first; value times realisation."""
        steps = [
            (math.inf if row["width_gw"] is None else row["width_gw"], row["value_bn_per_gw_year"])
            for row in self.in_force("value", p, t)
        ]
        for row in self.in_force("curves", p, t):
            steps += chords(row)
        realisation = self.pathways[p]["realisation"]
        return sorted(((width, value * realisation) for width, value in steps), key=lambda step: -step[1])

    def keep(self, p: str, t: int) -> float:
        """Share of pathway p's deals that outlast period t's churn."""
        kept = (1 - self.pathways[p]["churn_per_year"]) ** self.calendar.dt
        for row in self.rows.get("churn", []):
            if row["pathway"] == p and self.calendar.takes_effect(row["date"]) == t:
                kept *= 1 - row["fraction"]
        return float(kept)

    def running(self, p: str, kind: str, t: int) -> float:
        """GW of pathway p's deals from before the start: in their term in period t, or back then; less churn."""
        found = 0.0
        for row in self.rows.get("running", []):
            if row["pathway"] == p and row["kind"] == kind:
                now, end = self.calendar.tau(t), self.calendar.takes_effect(row["until"])
                found += row["gw"] if (now < row["until"] if kind == "term" else end == t) else 0.0
        return found * math.prod(self.keep(p, earlier) for earlier in range(t + 1))

    def notice(self, p: str) -> int:
        """Periods of notice in pathway p's deals."""
        return self.calendar.periods_of(self.pathways[p]["notice_days"])

    def term(self, p: str) -> int:
        """Shortest term in periods of pathway p's deals, at least their notice; 0: not a deal pathway."""
        return max(self.calendar.periods_of(self.pathways[p]["min_term_days"]), self.notice(p))

    def ramp(self, p: str) -> float | None:
        """GW by which pathway p may grow in a period."""
        per_month = self.pathways[p]["ramp_gw_per_month"]
        return None if per_month is None else per_month * self.calendar.months

    def initial(self, p: str) -> float:
        """GW in use by pathway p just before the start."""
        return math.fsum(row["initial_gw"] for (pathway, _), row in self.pairs.items() if pathway == p)

    def locks(self, t: int) -> dict[tuple[str, str], tuple[float, float]]:
        """Least and most GW by pathway and pool (blank: all pools) of the locks in force."""
        limits: dict[tuple[str, str], tuple[float, float]] = {}
        now = self.calendar.tau(t)
        for row in self.rows.get("locks", []):
            if row["from"] <= now and (row["until"] is None or now < row["until"]):
                least, most = limits.get((row["pathway"], row["pool"]), (0.0, math.inf))
                upper = math.inf if row["max_gw"] is None else row["max_gw"]
                limits[row["pathway"], row["pool"]] = (max(least, row["min_gw"]), min(most, upper))
        return limits

    def payments(self, t: int) -> Iterator[tuple[tuple[str, int | None], tuple[float, ...]]]:
        """Yield what contracts with terms as filed are paid in period t, offers by period of signature."""
        for k in filter(self.is_filed, self.contracts):
            signed = [a for a in range(t + 1) if self.offered(k, a)] if k in self.offers else [None]
            for a in signed:
                once = (self.once(k, t, what, a) for what in ("ahead", "capital", "late"))
                yield (k, a), (self.whole_bill(k, t, a), *once)

    def snapshot(self, t: int) -> dict[str, Any]:
        """Return all that period t's constraints and cash flows can see: equal snapshots make equal nodes."""
        opened = [k for k in self.contracts if k not in self.offers or any(self.offered(k, a) for a in range(t + 1))]
        contracts = [k for k in opened if self.delivered(k, t) > 0]
        windows = [way for way in self.ways_out if self.in_window(way, t)]
        signed = [k for k in self.offers if self.offered(k, t)]
        return {
            "delivered": {
                k: (
                    *(self.contracts[k][c] for c in ("pool", "side", "late_credit_bn_per_gw_year")),
                    None if k in self.offers else self.last_price(k),  # an offer's is one of its terms below
                    self.delivered(k, t),
                )
                for k in contracts
            },
            "payments": {key: paid for key, paid in self.payments(t) if any(paid)},
            "units": {(k, a): self.unit(k, a, t) for k in self.offers for a in range(t + 1) if self.offered(k, a)},
            "windows": {way: [self.ways_out[way][c] for c in WINDOW_TERMS] for way in windows},
            "offers": {k: self.terms_of_offer(k, t) for k in signed},
            "pools": {q: row["idle_penalty_bn_per_gw_year"] for q, row in self.pools.items()},
            "pathways": {
                p: [cell for column, cell in row.items() if column not in NOT_OF_ITSELF]
                for p, row in self.pathways.items()
            },
            "penalties": {
                p: row["shortfall_penalty_bn_per_gw_year"]
                for p, row in self.pathways.items()
                if self.demand(p, t)[1] > 0
            },
            "pairs": self.pairs,
            "effectiveness": {(p, q): self.effectiveness(p, q, t) for p, q in self.pairs},
            "demand": {p: self.demand(p, t) for p in self.pathways},
            "tiers": {p: self.tiers(p, t) for p in self.pathways},
            "keep": {p: self.keep(p, t) for p in self.pathways},
            "running": {p: [self.running(p, kind, t) for kind in ("term", "notice")] for p in self.pathways},
            "locks": self.locks(t),
        }


def chords(curve: Row) -> list[tuple[float, float]]:
    """Width in effective GW and value per GW-year of the chords that stand for a log2 curve."""
    if curve["kind"] != "log2":
        raise OracleError(f"unknown curve {curve['kind']}")
    base, count = curve["base_gw"], int(curve["segments"])
    points = [base * ((1 + curve["max_gw"] / base) ** (i / count) - 1) for i in range(count + 1)]
    scale = curve["base_value_bn_per_year"] * curve["uplift_per_doubling"]
    earned = [scale * math.log2(1 + g / base) for g in points]
    return [
        (points[i] - points[i - 1], (earned[i] - earned[i - 1]) / (points[i] - points[i - 1]))
        for i in range(1, count + 1)
    ]
