"""The arrays of one scenario's contracts: what they deliver and cost, when they may be left, and when signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import Instance
from gwplan.tree.arrays import MAKERS, Arrays, Names, dates, in_force, numbers, places, reads
from gwplan.tree.bills import FILED, Filed, Payments, payments
from gwplan.tree.calendar import NEVER, Calendar, Dates, add_months

SERVICE: Final = (
    "deliveries: contract date after_days gw term_months",
    "contracts: contract pool side end delay_months",
    "offers: contract extends",
)
"""What GW in service are made of."""

_OFFERS: Final = (
    "offers: contract opens closes lead_days signing_cost_bn_per_gw",
    "offers: max_share least_share min_share indivisible extends",
    "offer_prices: contract from cost_bn_per_gw_year signing_cost_bn_per_gw",
)
_PRICED: Final = (
    SERVICE[0],
    "contracts: contract pool side end delay_months cost_bn_per_gw_year late_credit_bn_per_gw_year",
    *FILED,
    "pools: pool terminal_value_bn_per_gw_year",
)

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tranches:
    """What the contracts of a scenario deliver, one element a delivery, and one for what an extension goes on with.

    Attributes
    ----------
    line : int array
        Contract along the axis.
    gw : float array
        GW added.
    from_signature : bool array
        Whether it arrives so long after the signature, not on a date.
    arrival : int array
        Period from which it is in service, or periods from the signature.
    term, stop : int array
        Periods of service; first period in which it is no longer in service; `NEVER` where that is not said.
    end : int array
        First period that starts on or after the end of its contract, or `NEVER`.
    begins, due : int array
        `arrival`, negative before the start; the same without the delay.
    filed : Filed
        Terms beyond a flat price.
    """

    line: Ints
    gw: Floats
    from_signature: Flags
    arrival: Ints
    term: Ints
    stop: Ints
    end: Ints
    begins: Ints
    due: Ints
    filed: Filed

    def payments(self, row: int, calendar: Calendar, price: float) -> Payments:
        """Return what a tranche with a date is paid by period, to its stop or the horizon if that is later."""
        stop, begins = min(int(self.stop[row]), int(self.end[row])), int(self.begins[row])
        count = max(calendar.periods, stop if stop < NEVER else 0)
        return payments(self.filed, row, calendar, price, begins, stop, int(self.due[row]), int(self.end[row]), count)

    def signed_payments(self, row: int, calendar: Calendar, price: float, signed: int, lead: Ints) -> Payments:
        """Return the same of one that is signed in a period, given the offer's lead by period of signature."""
        arrival, stop = (int(periods[signed]) for periods in self.signed(row, lead))
        due = self.signed_due(row, signed, lead)
        count = max(calendar.periods, arrival, stop if stop < NEVER else 0)
        end = int(self.end[row])
        return payments(self.filed, row, calendar, price, arrival, stop, due, end, count, signed)

    def signed_due(self, row: int, signed: int, lead: Ints) -> int:
        """Return the period in which one that is signed in a period would arrive without its delay."""
        return max(int(self.due[row]) + signed * bool(self.from_signature[row]), signed + int(lead[signed]))

    def signed(self, row: int, lead: Ints) -> tuple[Ints, Ints]:
        """Return when a tranche arrives and stops for each period of signature, its lead after that at the earliest."""
        period = np.arange(len(lead))
        arrival = np.maximum(self.arrival[row] + self.from_signature[row] * period, period + lead)
        late = self.from_signature[row] | (arrival > self.arrival[row])
        return arrival, np.where(late, np.minimum(arrival + self.term[row], self.end[row]), self.stop[row])


def delivered_gw(numbers: Callable[[str, str], Floats]) -> Floats:
    """Return the GW that each row of ``deliveries`` adds, from what gives a column of a table."""
    return numbers("deliveries", "gw")


def tranches(instance: Instance, names: Names, calendar: Calendar) -> Tranches:
    """Return what a scenario's contracts deliver."""
    contracts, deliveries = instance.filled("contracts"), instance.filled("deliveries")
    row = {name: i for i, name in enumerate(contracts["contract"].tolist())}
    of = np.array([row[name] for name in deliveries["contract"].tolist()], dtype=np.int64)
    delay, ends = numbers(contracts, "delay_months").astype(np.int64), dates(contracts, "end")
    gw = delivered_gw(lambda table, column: numbers(instance.filled(table), column))
    term, after = (numbers(deliveries, name) for name in ("term_months", "after_days"))
    written = dates(deliveries, "date")
    extended = extended_contracts(instance)
    if extended:
        of, gw, written, term, after = _with_extensions(extended, row, ends, delay, (of, gw, written, term, after))
    day = add_months(written, delay[of])

    first = calendar.starts(1)[0]
    end = np.where(np.isnat(ends), NEVER, calendar.period(np.where(np.isnat(ends), first, ends)))[of]
    from_signature, months = ~np.isnan(after), np.nan_to_num(term).astype(np.int64)
    dated, due = np.where(from_signature, first, day), np.where(from_signature, first, written)
    waits = calendar.periods_of_days(np.nan_to_num(after)) - (-delay[of] // calendar.months)
    line = places(names.contracts, list(zip(contracts["contract"], contracts["pool"], strict=True)))[of]
    return Tranches(
        line,
        gw,
        from_signature,
        arrival=np.where(from_signature, waits, calendar.period(dated)),
        term=np.where(months > 0, -(-months // calendar.months), NEVER),
        stop=np.where(months > 0, np.minimum(calendar.period(add_months(dated, months)), end), end),
        end=end,
        begins=np.where(from_signature, waits, calendar.unclipped(dated)),
        due=np.where(from_signature, calendar.periods_of_days(np.nan_to_num(after)), calendar.unclipped(due)),
        filed=Filed.of(contracts, deliveries, of, gw, calendar),
    )


def extended_contracts(instance: Instance) -> dict[str, str]:
    """Return the contract that each extension extends."""
    offers = instance.tables["offers"]
    return {offer: of for offer, of in zip(offers["contract"].tolist(), offers["extends"].tolist(), strict=True) if of}


def _with_extensions(
    extended: dict[str, str], row: dict[str, int], ends: Dates, delay: Ints, deliveries: tuple[NDArray[Any], ...]
) -> tuple[NDArray[Any], ...]:
    """Return the deliveries and those of extensions: the last GW of the contract that each extends, from its end."""
    of, gw, day, term, after = deliveries
    late = add_months(day, delay[of])

    def last(name: str, seen: tuple[str, ...] = ()) -> float:
        if name in extended and name not in seen:
            return last(extended[name], (*seen, name))
        end = ends[row[name]]
        over = np.isnan(after) & (
            (late >= end) | (add_months(late, np.nan_to_num(term).astype(np.int64)) < end) & (term > 0)
        )
        return float(gw[(of == row[name]) & ~over].sum())

    known = [(row[offer], row[name], name) for offer, name in extended.items() if offer in row and name in row]
    places = np.array([offer for offer, _, _ in known], dtype=np.int64)
    began = ends[np.array([of for _, of, _ in known], dtype=np.int64)]
    keep = ~np.isnat(began)
    blank = np.full(int(keep.sum()), np.nan)
    sizes = np.array([last(name) for _, _, name in known])
    more = (places[keep], sizes[keep], began[keep], blank, blank)
    return tuple(np.concatenate(pair) for pair in zip(deliveries, more, strict=True))


def to_the_end(instance: Instance, names: Names, calendar: Calendar) -> tuple[Floats, Floats, Floats]:
    """Return GW in service by period to the last end, and $bn owed then, of offers by period of signature too.

    What has no end stops at the horizon. What is owed has parts B: bills, of which the last ones are in excess of
    bills: what prepayments cover, negative, prepayments, and what is paid on arrival; the first alone where no contract
    has more. Shapes (K, U), (B, K, U) and (B, O, T, U).
    """
    there, horizon = tranches(instance, names, calendar), calendar.periods
    filed, terms = there.filed.there, _on_offer(instance, names, calendar, there)
    ends = np.where(there.stop < NEVER, there.stop, horizon)
    there = replace(there, stop=ends, end=np.where((there.end < NEVER) | (there.term < NEVER), there.end, horizon))
    lead = terms["lead"]
    signed = list(_signed(there, names, lead))
    count = max(horizon, _last_end(instance, calendar), int(ends.max(initial=0)))
    latest = [there.arrival[row] + horizon + lead[o].max() + there.term[row] for row, _, o, _, _ in signed]
    count = max([count, *(int(min(when, there.end[row])) for when, (row, *_) in zip(latest, signed, strict=True))])
    unit = np.zeros((*lead.shape, count))
    for _, gw, o, arrival, stop in signed:
        unit[o] += gw * ((arrival[:, None] <= np.arange(count)) & (np.arange(count) < stop[:, None]))
    price = _prices(instance, names, calendar)[0]
    service = _service(there, len(names.contracts), count)
    parts = len(_PARTS) if filed.any() else 1
    owed, due = np.zeros((parts, *service.shape)), np.zeros((parts, *unit.shape))
    owed[0] = calendar.dt * price[:, None] * service
    due[0] = calendar.dt * np.where(terms["offered"][:, :, None], unit * terms["price"][:, :, None], 0.0)
    for row in np.flatnonzero(filed & ~there.from_signature).tolist():
        one = there.payments(row, calendar, price[there.line[row]])
        _add(owed[:, there.line[row]], _parts(one))
    for row, _, o, _, _ in signed:
        for t in np.flatnonzero(terms["offered"][o]).tolist() if filed[row] else ():
            one = there.signed_payments(row, calendar, terms["price"][o, t], t, lead[o])
            _add(due[:, o, t], _parts(one))
    return service, owed, due


def whole_bills(instance: Instance, names: Names, calendar: Calendar) -> Floats:
    """Return what each contract bills from its first delivery to its end, before the start too, $bn, shape (K,).

    Of an offer what its deliveries with a date bill as dated; nan of what has no end, or was over before the start.
    """
    there, price = tranches(instance, names, calendar), _prices(instance, names, calendar)[0]
    whole = np.zeros(len(names.contracts))
    for row in range(len(there.line)):
        over = there.stop[row] == 0 or there.from_signature[row] or min(there.stop[row], there.end[row]) == NEVER
        bills = np.nan if over else there.payments(row, calendar, price[there.line[row]]).whole
        whole[there.line[row]] += bills
    return whole


_PARTS: Final = ("risen", "covered", "prepaid", "upfront")
"""What is owed for a delivery beyond its flat price: parts of `Payments`."""


def _parts(one: Payments) -> list[Floats]:
    return [getattr(one, part) for part in _PARTS]


def _add(to: Iterable[Floats], amounts: Sequence[Floats]) -> None:
    for part, amount in zip(to, amounts, strict=True):
        part[: len(amount)] += amount[: len(part)]


def _last_end(instance: Instance, calendar: Calendar) -> int:
    ends = dates(instance.tables["contracts"], "end")
    return int(calendar.period(ends[~np.isnat(ends)]).max(initial=0))


def _signed(there: Tranches, names: Names, lead: Ints) -> Iterator[tuple[int, float, int, Ints, Ints]]:
    """Yield each tranche of an offer: its number, GW, offer, and when it arrives and stops by period of signature."""
    place = {int(k): o for o, k in enumerate(names.offer_of)}
    for row in np.flatnonzero(np.isin(there.line, names.offer_of)).tolist():
        offer = place[int(there.line[row])]
        yield row, float(there.gw[row]), offer, *there.signed(row, lead[offer])


def _rows(instance: Instance, names: Names) -> Ints:
    contracts = instance.tables["contracts"]
    row_of = np.full(len(names.contracts), -1)
    at = places(names.contracts, list(zip(contracts["contract"], contracts["pool"], strict=True)))
    row_of[at] = np.arange(len(at))
    return row_of


def in_service(instance: Instance, names: Names, calendar: Calendar) -> Floats:
    """Return GW in service of each contract in every period, of an offer of what has a date; shape (K, T)."""
    return _service(tranches(instance, names, calendar), len(names.contracts), calendar.periods)


def _service(there: Tranches, contracts: int, periods: int) -> Floats:
    added = np.zeros((contracts, periods + 1))
    dated, in_term = ~there.from_signature, there.term < NEVER
    lasting = dated & ~in_term
    np.add.at(added, (there.line[lasting], np.minimum(there.arrival[lasting], periods)), there.gw[lasting])
    end = np.full(contracts, NEVER)
    end[there.line] = there.end
    service = np.where(np.arange(periods) < end[:, None], np.cumsum(added[:, :periods], axis=1), 0.0)
    for row in np.flatnonzero(dated & in_term):
        service[there.line[row], there.arrival[row] : there.stop[row]] += there.gw[row]
    return service


def of_rows(values: NDArray[Any], row_of: NDArray[np.int64], absent: Any) -> NDArray[Any]:
    """Return a column's value for each row number, `absent` for -1; the table may be empty in a scenario."""
    return np.append(values, absent)[row_of]


def _prices(instance: Instance, names: Names, calendar: Calendar) -> tuple[Floats, Floats]:
    """Return the price of each contract, of an offer that of its last date of signature, and of offers in each period.

    Shapes (K,) and (O, T); $bn per GW-year.
    """
    contracts, offers = instance.filled("contracts"), instance.tables["offers"]["contract"].tolist()
    price = of_rows(numbers(contracts, "cost_bn_per_gw_year"), _rows(instance, names), 0.0)
    at = _lines_of(instance, names.offers, offers)
    by_period = np.repeat(price[names.offer_of][:, None], calendar.periods, axis=1)
    by_period[at] = _stepped(instance, calendar, "cost_bn_per_gw_year", price[names.offer_of[at]])
    last = calendar.periods - 1 - np.argmax(_offered(instance, names, calendar)[:, ::-1], axis=1)
    price[names.offer_of] = by_period[np.arange(len(last)), last]
    return price, by_period


def _offered(instance: Instance, names: Names, calendar: Calendar) -> Flags:
    frame, starts = instance.tables["offers"], calendar.starts()
    offered = np.zeros((len(names.offers), calendar.periods), dtype=bool)
    at = _lines_of(instance, names.offers, frame["contract"].tolist())
    offered[at] = (dates(frame, "opens")[:, None] <= starts) & (starts <= dates(frame, "closes")[:, None])
    return offered


@reads(*_PRICED, *_OFFERS, about="contract")
def supply(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return what each contract delivers, shape (K, T), and for how much.

    Of an offer ``delivered`` is what is in service if it is signed early enough, or whenever that is most, from when
    its window opens; ``bill`` is at the price of the last date of signature so far, so that it tells no later one.
    ``terminal_total`` (K,) is what a whole contract adds beyond the horizon, $bn discounted, of one sold with its sign
    turned, and ``terminal_flat_total`` (K,) the same undiscounted; ``contracted_total`` (K,) is GW of all deliveries.
    ``dated_total`` (K,) tells whether a contract has payments of a date: ``prepaid`` and ``upfront`` (K, T) are $bn
    paid in a period, ``late`` (K, T) $bn a year received for late delivery.
    """
    contracts = instance.filled("contracts")
    there, row_of = tranches(instance, names, calendar), _rows(instance, names)
    price, _ = _prices(instance, names, calendar)
    delivered = _service(there, len(names.contracts), calendar.periods)
    total, terminal = np.zeros(len(names.contracts)), np.zeros(len(names.contracts))
    np.add.at(total, there.line, there.gw)
    margin = (_worth(instance, names) - price)[there.line]
    years = _Years.of(instance, calendar, there).between(there.arrival, there.stop)
    np.add.at(terminal, there.line, np.nan_to_num(margin) * there.gw * years)
    flat = np.zeros_like(terminal)
    np.add.at(flat, there.line, np.nan_to_num(margin) * there.gw * later_years(calendar, there.arrival, there.stop))
    side = np.where([name in names.sold for name, _ in names.contracts], -1.0, 1.0)
    on_offer = _on_offer(instance, names, calendar, there)
    opened = np.maximum.accumulate(on_offer["offered"], axis=1)
    latest = np.maximum.accumulate(on_offer["offered"] * np.arange(calendar.periods), axis=1)
    delivered[names.offer_of] *= opened
    bill = price[:, None] * delivered
    bill[names.offer_of] = np.take_along_axis(on_offer["price"], latest, axis=1) * delivered[names.offer_of]
    prepaid, upfront, late = np.zeros((3, *bill.shape))
    later, signable = _Later.of(instance, names, calendar), set(names.offer_of) - set(names.way_out_of)
    for row in np.flatnonzero(there.filed.there & ~there.from_signature).tolist():
        k = int(there.line[row])
        if k in signable:
            continue  # an offer is paid by its signature; the whole of it counts where shares are given back
        one = there.payments(row, calendar, price[k])
        a_year, *once = one.within(calendar)
        _add((bill[k], prepaid[k], upfront[k], late[k]), (a_year * (delivered[k] > 0), *once))
        beyond, undiscounted = later.owed(one, there, row)
        terminal[k] -= beyond
        flat[k] -= undiscounted
    delivered[names.offer_of] = np.maximum(delivered[names.offer_of], on_offer["unit"].max(axis=1, initial=0.0))
    credit = of_rows(numbers(contracts, "late_credit_bn_per_gw_year"), row_of, np.nan)
    return {
        "delivered": delivered,
        "bill": bill,
        "late_credit": np.where(delivered > 0, credit[:, None], np.nan),
        "dated_total": np.isin(np.arange(len(names.contracts)), there.line[there.filed.dated]).astype(float),
        "prepaid": prepaid,
        "upfront": upfront,
        "late": late,
        "terminal_total": side * terminal,
        "terminal_flat_total": side * flat,
        "contracted_total": total,
    }


def _worth(instance: Instance, names: Names) -> Floats:
    """Return what capacity of each contract is worth beyond the horizon, $bn per GW-year; nan where it is not said."""
    pool = instance.filled("pools")
    worth = dict(zip(pool["pool"].tolist(), numbers(pool, "terminal_value_bn_per_gw_year").tolist(), strict=True))
    return np.array([worth.get(q, np.nan) for _, q in names.contracts])


@dataclass(frozen=True)
class _Years:
    """Discounted years of the periods beyond the horizon, added up, from the horizon on."""

    horizon: int
    summed: Floats

    @classmethod
    def of(cls, instance: Instance, calendar: Calendar, there: Tranches, lead: int = 0) -> _Years:
        """Return the years up to the last end of any tranche, signed in any period."""
        terms = np.where(there.term < NEVER, there.term + there.arrival + calendar.periods + lead, 0)
        ends = np.concatenate([there.stop, there.end, terms])
        count = max(int(ends[ends < NEVER].max(initial=0)) - calendar.periods, 0)
        later = calendar.periods + np.arange(count)
        years = calendar.dt * (1 + instance.discount_rate) ** -((later + 0.5) * calendar.dt)
        return cls(calendar.periods, np.concatenate([[0.0], np.cumsum(years)]))

    def between(self, since: Ints, until: Ints) -> Floats:
        """Return the discounted years beyond the horizon of what runs between periods; 0 of what has no end."""
        first, last = (np.clip(period - self.horizon, 0, len(self.summed) - 1) for period in (since, until))
        return np.where(until < NEVER, np.maximum(self.summed[last] - self.summed[first], 0.0), 0.0)


@dataclass(frozen=True)
class _Later:
    """What is owed beyond the horizon above a flat price, where that is counted."""

    calendar: Calendar
    discount_rate: float
    counted: Flags  # (K,) whether the pool's capacity is worth anything beyond the horizon

    @classmethod
    def of(cls, instance: Instance, names: Names, calendar: Calendar) -> _Later:
        return cls(calendar, instance.discount_rate, ~np.isnan(_worth(instance, names)))

    def owed(self, one: Payments, there: Tranches, row: int) -> tuple[float, float]:
        """Return what a tranche is paid beyond the horizon more than its price, $bn discounted and not."""
        if not self.counted[there.line[row]] or min(there.term[row], there.end[row]) == NEVER:
            return 0.0, 0.0
        paid = one.more[self.calendar.periods :]
        middle = (self.calendar.periods + np.arange(len(paid)) + 0.5) * self.calendar.dt
        return float(paid @ (1 + self.discount_rate) ** -middle), float(paid.sum())


def later_years(calendar: Calendar, since: Ints, until: Ints) -> Floats:
    """Return the years beyond the horizon of what runs between periods; 0 of what has no end."""
    later = np.maximum(until - np.maximum(since, calendar.periods), 0)
    return np.where(until < NEVER, later * calendar.dt, 0.0)


def tail_periods(calendar: Calendar, end: Dates) -> NDArray[np.int64]:
    """Return how many periods after the horizon start before each end; 0 without an end."""
    known = ~np.isnat(end)
    first_that_does_not = calendar.period(np.where(known, end, calendar.starts(1)[0]))
    return np.where(known, np.maximum(first_that_does_not - calendar.periods, 0), 0)


@reads(*_OFFERS, *_PRICED, about="offer")
def offers(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return the windows of offers and their terms on the periods inside them, shape (O, T).

    ``unit`` and ``due`` (O, T, T) are GW in service and $bn a year due by period of signature;
    ``terminal_unit_total`` (O, T) is what a whole share signed then adds beyond the horizon, $bn discounted, and
    ``terminal_unit_flat_total`` the same undiscounted. ``prepaid_signed``, ``upfront_signed`` and ``late_signed``
    (O, T, T) are ``prepaid``, ``upfront`` and ``late`` of `supply` by period of signature.
    """
    return _on_offer(instance, names, calendar, tranches(instance, names, calendar))


def _on_offer(instance: Instance, names: Names, calendar: Calendar, there: Tranches) -> Arrays:
    frame = instance.filled("offers")
    at = _lines_of(instance, names.offers, frame["contract"].tolist())
    offered = _offered(instance, names, calendar)

    def on_window(values: NDArray[Any]) -> NDArray[Any]:
        spread = np.zeros(offered.shape, dtype=values.dtype)
        spread[at] = values if values.ndim == 2 else values[:, None]
        return np.where(offered, spread, np.zeros(1, dtype=values.dtype))

    price = np.where(offered, _prices(instance, names, calendar)[1], 0.0)
    lead = on_window(calendar.periods_of_days(numbers(frame, "lead_days")))
    unit, *beyond = _by_signature(instance, names, calendar, there, lead, price)
    asked = np.where(offered, price, np.nan)
    due, *more = _filed_by_signature(instance, names, calendar, there, lead, asked, beyond)
    signing = _stepped(instance, calendar, "signing_cost_bn_per_gw", numbers(frame, "signing_cost_bn_per_gw"))
    return {
        "offered": offered,
        "lead": lead,
        "price": price,
        "signing_fee": on_window(signing),
        "most_signed": on_window(numbers(frame, "max_share")),
        "least_signed": on_window(numbers(frame, "least_share")),
        "min_signed": on_window(numbers(frame, "min_share")),
        "signed_whole": on_window(frame["indivisible"].to_numpy(dtype=bool)),
        "unit": np.where(offered[:, :, None], unit, 0.0),
        "due": np.where(offered[:, :, None], unit * price[:, :, None], 0.0) + due,
        "prepaid_signed": more[0],
        "upfront_signed": more[1],
        "late_signed": more[2],
        "terminal_unit_total": np.where(offered, beyond[0], 0.0),
        "terminal_unit_flat_total": np.where(offered, beyond[1], 0.0),
    }


def _by_signature(
    instance: Instance, names: Names, calendar: Calendar, there: Tranches, lead: Ints, price: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return GW in service, and the worth beyond the horizon, discounted and not, of a whole share by its signature.

    The terminal line counts a tranche with a date, and no term, from that date on whenever it is signed.
    """
    worth = _worth(instance, names)
    years, period = _Years.of(instance, calendar, there, int(lead.max(initial=0))), np.arange(calendar.periods)
    unit, beyond, flat = np.zeros((*lead.shape, calendar.periods)), np.zeros(lead.shape), np.zeros(lead.shape)
    for row, gw, offer, arrival, stop in _signed(there, names, lead):
        unit[offer] += gw * ((arrival[:, None] <= period) & (period < stop[:, None]))
        if not there.from_signature[row] and there.term[row] == NEVER:
            arrival = np.full_like(stop, there.arrival[row])
        sign = -1.0 if names.offers[offer][0] in names.sold else 1.0
        margin = np.nan_to_num(worth[there.line[row]] - price[offer]) * sign * gw
        beyond[offer] += margin * years.between(arrival, stop)
        flat[offer] += margin * later_years(calendar, arrival, stop)
    return unit, beyond, flat


def _filed_by_signature(
    instance: Instance,
    names: Names,
    calendar: Calendar,
    there: Tranches,
    lead: Ints,
    price: Floats,
    beyond: Sequence[Floats],
) -> Floats:
    """Return what is due of a whole share above its price, and paid once, by its signature, shape (4, O, T, T).

    What is paid beyond the horizon is taken off `beyond`, discounted and not; `price` is nan where none is offered.
    """
    later = _Later.of(instance, names, calendar)
    paid = np.zeros((4, *lead.shape, calendar.periods))
    for row, _, o, _, _ in _signed(there, names, lead):
        sign = -1.0 if names.offers[o][0] in names.sold else 1.0
        for t in np.flatnonzero(~np.isnan(price[o])).tolist() if there.filed.there[row] else ():
            one = there.signed_payments(row, calendar, price[o, t], t, lead[o])
            _add(paid[:, o, t], one.within(calendar))
            for amounts, more in zip(beyond, later.owed(one, there, row), strict=True):
                amounts[o, t] -= sign * more
    return paid


def _lines_of(instance: Instance, axis: tuple[Any, ...], contracts: list[str], *more: list[str]) -> Ints:
    """Return the place on an axis of each row about a contract, whose pool is that of the scenario."""
    table = instance.tables["contracts"]
    pool = dict(zip(table["contract"].tolist(), table["pool"].tolist(), strict=True))
    return places(axis, [(c, pool[c], *rest) for c, *rest in zip(contracts, *more, strict=True)])


def _stepped(instance: Instance, calendar: Calendar, column: str, otherwise: Floats) -> Floats:
    """Return a term of each row of ``offers`` in every period: that of ``offer_prices``, else the usual one."""
    steps = instance.tables["offer_prices"]
    owner, since, cells = steps["contract"].tolist(), dates(steps, "from"), numbers(steps, column)
    in_periods = np.repeat(otherwise[:, None], calendar.periods, axis=1)
    for i, contract in enumerate(instance.tables["offers"]["contract"].tolist()):
        rows = np.array([row for row, name in enumerate(owner) if name == contract], dtype=np.int64)
        rows = rows[np.argsort(since[rows], kind="stable")]
        row = np.append(rows, -1)[in_force(since[rows], calendar.starts())] if len(rows) else None
        if row is not None:
            in_periods[i] = np.where((row >= 0) & ~np.isnan(cells[row]), cells[row], in_periods[i])
    return in_periods


@reads(
    "cancellations: contract window opens closes notice_days fee_bn_per_gw fee_share_of_rest max_share indivisible",
    *_PRICED,
    *_OFFERS,
    about="way_out",
)
def cancellations(instance: Instance, names: Names, calendar: Calendar) -> Arrays:
    """Return the windows, and their terms on the periods inside them, shape (W, T).

    ``rest_total`` is what is billed from the day the notice takes effect to the end, $bn, beyond the horizon too.
    """
    frame = instance.filled("cancellations")
    at = _lines_of(instance, names.ways_out, frame["contract"].tolist(), frame["window"].tolist())
    shape = (len(names.ways_out), calendar.periods)
    starts = calendar.starts()
    window = np.zeros(shape, dtype=bool)
    window[at] = (dates(frame, "opens")[:, None] <= starts) & (starts <= dates(frame, "closes")[:, None])

    def on_window(values: NDArray[Any]) -> NDArray[Any]:
        whole = np.zeros(shape, dtype=values.dtype)
        whole[at] = values[:, None]
        return np.where(window, whole, np.zeros(1, dtype=values.dtype))

    share = on_window(numbers(frame, "fee_share_of_rest"))
    notice = on_window(calendar.periods_of_days(numbers(frame, "notice_days")))
    return {
        "window": window,
        "cancel_notice": notice,
        "fee": on_window(numbers(frame, "fee_bn_per_gw")),
        "fee_share": share,
        "rest_total": _rest(instance, names, calendar, notice, share),
        "max_share": on_window(numbers(frame, "max_share")),
        "indivisible": on_window(frame["indivisible"].to_numpy(dtype=bool)),
    }


def _rest(instance: Instance, names: Names, calendar: Calendar, notice: Ints, share: Floats) -> Floats:
    """Return the bills of a whole contract after notice given in each period, $bn, where a fee is a share of them."""
    rest = np.zeros(notice.shape)
    if not share.any():
        return rest
    there, price = tranches(instance, names, calendar), _prices(instance, names, calendar)[0]
    over = np.arange(calendar.periods) + notice
    for way in np.flatnonzero(share.any(axis=1)):
        for row in np.flatnonzero((there.line == names.way_out_of[way]) & (there.stop < NEVER)).tolist():
            left = np.maximum(there.stop[row] - np.maximum(there.arrival[row], over[way]), 0)
            rest[way] += price[there.line[row]] * there.gw[row] * calendar.dt * left
            if there.filed.there[row] and not there.from_signature[row]:
                one = there.payments(row, calendar, price[there.line[row]])
                more = np.append(np.cumsum((one.risen + one.covered)[::-1])[::-1], 0.0)
                rest[way] += more[np.minimum(over[way], len(more) - 1)]
    return np.where(share > 0, rest, 0.0)


TABLES_READ: Final = tuple(name for name in TABLES if any(name in maker.tables for maker in MAKERS))
"""The tables that decide a plan, in the order of the format."""
