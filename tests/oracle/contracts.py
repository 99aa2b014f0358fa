"""What one scenario's contracts deliver, cost and bring after the horizon, tranche by tranche."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.oracle.reading import Row, add_months

if TYPE_CHECKING:
    from tests.oracle.bills import Account
    from tests.oracle.data import Calendar

OFFER_TERMS = ("lead_days", "max_share", "least_share", "min_share", "indivisible")


@dataclass(frozen=True)
class Tranche:
    """GW of one delivery: from a day on (delay included), or some days after the signature; for a term or for good."""

    gw: float
    day: date | None
    after_days: float
    term_months: float | None
    written: date | None = None
    upfront: float = 0.0
    credit: float | None = None


class Contracts:
    """The contracts of one scenario; t counts periods, beyond the horizon too."""

    calendar: Calendar
    rows: dict[str, list[Row]]
    pools: dict[str, Row]
    contracts: dict[str, Row]

    def read_contracts(self) -> None:
        """Key the rows of offers and ways out."""
        self.offers = {row["contract"]: row for row in self.rows.get("offers", [])}
        self.ways_out = {(row["contract"], row["window"]): row for row in self.rows.get("cancellations", [])}
        self.known_accounts: dict[tuple[str, int | None], list[Account]] = {}

    def ways_out_of(self, k: str) -> list[tuple[str, str]]:
        """The ways out of contract k, by contract and window."""
        return [way for way in self.ways_out if way[0] == k]

    def sold(self, k: str) -> bool:
        """Whether we sell contract k."""
        return bool(self.contracts[k]["side"] == "sell")

    def ended(self, k: str, t: int) -> bool:
        """Whether contract k is over in period t."""
        end = self.contracts[k]["end"]
        return end is not None and bool(end <= self.calendar.tau(t))

    def extended(self, k: str) -> str | None:
        """The contract that k extends."""
        return (self.offers[k]["extends"] or None) if k in self.offers else None

    def tranches(self, k: str) -> list[Tranche]:
        """Return the deliveries of contract k; of an extension what it goes on with, from the other's end."""
        late = int(self.contracts[k]["delay_months"])
        of = self.extended(k)
        if of in self.contracts and self.contracts[of]["end"] is not None:
            began = self.contracts[of]["end"]
            return [Tranche(self.last_gw(of), add_months(began, late), 0.0, None, began)]
        return [
            Tranche(
                row["gw"],
                None if row["date"] is None else add_months(row["date"], late),
                0.0 if row["after_days"] is None else row["after_days"],
                row["term_months"],
                row["date"],
                row["upfront_bn_per_gw"],
                row["credit_bn"],
            )
            for row in self.rows["deliveries"]
            if row["contract"] == k
        ]

    def last_gw(self, k: str) -> float:
        """GW that contract k delivers just before its end."""
        of = self.extended(k)
        if of is not None:
            return self.last_gw(of)
        end = self.contracts[k]["end"]
        return math.fsum(
            part.gw
            for part in self.tranches(k)
            if part.day is None
            or (part.day < end and (part.term_months is None or add_months(part.day, int(part.term_months)) >= end))
        )

    def delivered(self, k: str, t: int) -> float:
        """GW of contract k in service, as dated."""
        if k not in self.contracts or self.ended(k, t):
            return 0.0
        return math.fsum(part.gw for part in self.tranches(k) if self.is_there(part, t))

    def is_there(self, part: Tranche, t: int) -> bool:
        """Whether a dated tranche is in service, its contract's end apart."""
        if part.day is None or part.day > self.calendar.tau(t):
            return False
        return part.term_months is None or self.calendar.tau(t) < add_months(part.day, int(part.term_months))

    def unit(self, k: str, a: int, t: int, *, lead: int | None = None) -> float:
        """GW in service in period t for the whole of offer k signed in period a."""
        if self.ended(k, t):
            return 0.0
        lead = self.lead(k) if lead is None else lead
        months = self.calendar.months
        found = []
        for part in self.tranches(k):
            if part.day is None:
                late = int(self.contracts[k]["delay_months"])
                by_itself = a + self.calendar.periods_of(part.after_days) + -(-late // months)
            else:
                by_itself = self.calendar.takes_effect(part.day)
                if by_itself >= a + lead:
                    found += [part.gw] if self.is_there(part, t) else []
                    continue
            begins = max(by_itself, a + lead)
            over = math.inf if part.term_months is None else begins + -(-int(part.term_months) // months)
            found += [part.gw] if begins <= t < over else []
        return math.fsum(found)

    def deliveries_in_all(self, k: str) -> float:
        """GW of all deliveries of contract k, whenever they come."""
        return math.fsum(part.gw for part in self.tranches(k)) if k in self.contracts else 0.0

    def offered(self, k: str, t: int) -> bool:
        """Whether offer k may be signed in period t."""
        row = self.offers.get(k)
        return row is not None and row["opens"] <= self.calendar.tau(t) <= row["closes"]

    def lead(self, k: str) -> int:
        """Periods from the signature to the first delivery at the earliest."""
        return self.calendar.periods_of(self.offers[k]["lead_days"])

    def term_of_offer(self, k: str, a: int, column: str, otherwise: float) -> float:
        """Return a price of what is signed in period a."""
        steps = [
            r for r in self.rows.get("offer_prices", []) if r["contract"] == k and r["from"] <= self.calendar.tau(a)
        ]
        cell = max(steps, key=lambda row: row["from"])[column] if steps else None
        return float(otherwise if cell is None else cell)

    def price(self, k: str, a: int) -> float:
        """Price of contract k; of an offer that of what is signed in period a, $bn per GW-year."""
        written = self.contracts[k]["cost_bn_per_gw_year"]
        return self.term_of_offer(k, a, "cost_bn_per_gw_year", written) if k in self.offers else float(written)

    def signing_cost(self, k: str, a: int) -> float:
        """$bn per contracted GW for what is signed in period a."""
        return self.term_of_offer(k, a, "signing_cost_bn_per_gw", self.offers[k]["signing_cost_bn_per_gw"])

    def last_price(self, k: str) -> float:
        """Price of contract k, of an offer that of the last period of its window."""
        signable = [t for t in range(self.calendar.periods) if self.offered(k, t)]
        return self.price(k, signable[-1] if signable else self.calendar.periods - 1)

    def later(self, k: str) -> Iterator[int]:
        """The periods after the horizon until nothing of contract k can be in service."""
        end = self.contracts[k]["end"]
        if end is None and any(part.term_months is None for part in self.tranches(k)):
            limit: float = self.longest_term(k)  # what has neither end nor term does not count
        else:
            limit = math.inf if end is not None else self.longest_term(k)
        t = self.calendar.periods
        while t < limit and not self.ended(k, t):
            yield t
            t += 1

    def longest_term(self, k: str) -> int:
        """First period by which every tranche with a term is over, whenever signed."""
        latest = self.calendar.periods
        for part in self.tranches(k):
            if part.term_months is not None:
                day = self.calendar.start if part.day is None else part.day
                begins = (
                    self.calendar.takes_effect(day) + self.calendar.periods + self.calendar.periods_of(part.after_days)
                )
                lead = self.lead(k) if k in self.offers else 0
                late = int(self.contracts[k]["delay_months"])
                latest = max(latest, begins + lead + late + int(part.term_months) + 1)
        return latest

    def terminal(self, k: str, a: int | None = None) -> float:
        """$bn that contract k brings after the horizon, of an offer the whole of it signed in period a."""
        if k not in self.contracts:
            return 0.0
        worth = self.pools[self.contracts[k]["pool"]]["terminal_value_bn_per_gw_year"]
        if worth is None:
            return 0.0
        price = self.last_price(k) if a is None else self.price(k, a)
        endless = self.contracts[k]["end"] is None
        parts = [part for part in self.tranches(k) if not (endless and part.term_months is None)]
        bn = 0.0
        accounts = self.accounts(k, a)
        for t in self.later(k):
            here = math.fsum(self.after_horizon(k, part, a, t) for part in parts)
            flat = here * price * self.calendar.dt
            if self.is_filed(k):
                flat = flat - self.flat(k, parts, a, t) + math.fsum(acc.paid(t) for acc in accounts)
            bn += self.calendar.discount(t) * (here * worth * self.calendar.dt - flat)
        return (-1 if self.sold(k) else 1) * float(bn)

    def after_horizon(self, k: str, part: Tranche, a: int | None, t: int) -> float:
        """GW of a tranche in a period after the horizon; a dated one without a term counts from its date."""
        if a is None or (part.day is not None and part.term_months is None):
            return part.gw if self.is_there(part, t) else 0.0
        alone = OneTranche(self, k, part)
        return alone.unit(k, a, t)

    def is_filed(self, k: str) -> bool:
        """Whether contract k is paid otherwise than by a flat price."""
        row = self.contracts[k]
        own = [r for r in self.rows["deliveries"] if r["contract"] == k]
        return bool(
            row["price_growth_per_year"]
            or row["prepaid_share"]
            or row["late_credit_bn_per_gw_year"]
            or any(r["upfront_bn_per_gw"] or r["credit_bn"] for r in own)
        )

    def accounts(self, k: str, a: int | None = None) -> list[Account]:
        """Return what each tranche of contract k is paid, of an offer that is signed in period a."""
        from tests.oracle.bills import account

        if k not in self.contracts or not self.is_filed(k):
            return []
        key = (k, a)
        if key not in self.known_accounts:
            price = self.last_price(k) if a is None else self.price(k, a)
            parts = [part for part in self.tranches(k) if a is not None or part.day is not None]
            self.known_accounts[key] = [account(self, k, part, price, a) for part in parts]  # type: ignore[arg-type]
        return self.known_accounts[key]

    def whole_bill(self, k: str, t: int, a: int | None = None) -> float:
        """$bn a year due for the whole of contract k in period t, less what a prepayment covers."""
        if k in self.contracts and self.is_filed(k):
            return math.fsum(one.net.get(t, 0.0) for one in self.accounts(k, a)) / self.calendar.dt
        if a is None:
            return self.last_price(k) * self.delivered(k, t) if k in self.contracts else 0.0
        return self.unit(k, a, t) * self.price(k, a)

    def once(self, k: str, t: int, what: str, a: int | None = None) -> float:
        """$bn of the period that is paid ``ahead``, as ``capital`` or received as ``late``, for all of contract k."""
        return math.fsum(getattr(one, what).get(t, 0.0) for one in self.accounts(k, a))

    def flat(self, k: str, parts: list[Tranche], a: int | None, t: int) -> float:
        """$bn that what is in service after the horizon costs at a flat price."""
        price = self.last_price(k) if a is None else self.price(k, a)
        gw = math.fsum(
            OneTranche(self, k, part).unit(k, a, t) if a is not None else part.gw * self.is_there(part, t)
            for part in parts
        )
        return gw * price * self.calendar.dt

    def rest(self, k: str, t: int) -> float:
        """$bn billed for the whole of contract k from period t to its end."""
        total = 0.0
        for later in [*range(t, self.calendar.periods), *(p for p in self.later(k) if p >= t)]:
            total += self.whole_bill(k, later) * self.calendar.dt
        return total

    def terms_of_offer(self, k: str, t: int) -> list[Any]:
        """Return everything that is said of offer k when it is signed in period t."""
        row = self.offers[k]
        return [*(row[c] for c in OFFER_TERMS), self.price(k, t), self.signing_cost(k, t)]


class OneTranche(Contracts):
    """A contract of one tranche alone."""

    def __init__(self, of: Contracts, k: str, part: Tranche) -> None:
        self.calendar, self.rows, self.pools, self.contracts = of.calendar, of.rows, of.pools, of.contracts
        self.offers, self.part = of.offers, part

    def tranches(self, k: str) -> list[Tranche]:
        """Return the tranche."""
        return [self.part]
