"""What contracts deliver and cost by what is signed and cancelled of them, worked out anew, tranche by tranche."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.audit.bills import ENDLESS, paid, periods_from
from gwplan.audit.bills import terms as filed_terms
from gwplan.audit.scenarios import Flags, Floats, Ints, Long, Periods, Scenarios, Texts
from gwplan.catalogue.tolerances import DIGITS


@dataclass(frozen=True)
class Promises:
    """Contracts laid out for the audit; S scenarios, T periods, K contracts, W ways out, D deliveries of all scenarios.

    Attributes
    ----------
    sold, offer : (K,), (S, K) bool array
        Whether it is sold; whether it is in force only as far as it is signed.
    ways, way_of : (W,) object array of str, int array
        Name and contract of each way out.
    window : dict of (S, W) arrays
        `first` and `last` period, `notice` (periods), `fee` ($bn per GW), `share` (fee, of the bills after the notice),
        `max_share`, `indivisible`.
    terms : dict of (S, K) arrays
        Of offers: `first`, `last`, `lead`, `most`, `least`, `min`, `whole`.
    price, signing : (S, T, K) float array
        $bn per GW-year, of an offer that of what is signed then; $bn per GW of signing.
    cost, credit : (S, K) float array
        Price of what is given back; $bn per GW-year for GW sold and not there, nan where they must be.
    extends : (K, K) bool array
        Whether a contract, the row, extends another.
    line_of : (S, C) int array
        Place of each contract by its name alone in each scenario, -1 where the scenario lacks it.
    contracted : (S, K) float array
        GW of all deliveries.
    service : (S, T, K) float array
        GW in service of whole contracts, of those dated.
    later : dict of (D,) arrays
        `scenario`, `contract`, `gw`, `period` (of arrival, or periods from the signature where `after`), `term`,
        `stop` and `end` in periods; `begins` and `due` as `period`, negative before the start, and without the delay;
        the terms beyond a flat price, and whether there are any (`special`).
    more : (S, U, K, 4) float array
        What whole contracts are paid beyond their price, of deliveries with a date, by period, $bn, after the horizon
        too where there is any.
    tail_periods : (S, K) int array
        Periods after the horizon in which the contract may be in service.
    """

    sold: Flags
    offer: Flags
    ways: Texts
    way_of: Ints
    window: dict[str, NDArray[Any]]
    terms: dict[str, NDArray[Any]]
    price: Floats
    signing: Floats
    cost: Floats
    credit: Floats
    extends: Flags
    line_of: Ints
    contracted: Floats
    service: Floats
    later: dict[str, NDArray[Any]]
    more: Floats
    tail_periods: Ints
    calendar: Periods

    def signed_more(self, increase: Floats) -> Floats:
        """Return `more`, of offers as far as they are signed, given the share that is signed in each period."""
        more = np.where(self.offer[:, None, :, None], 0.0, self.more)
        after, special = self.later["after"], np.flatnonzero(self.later["special"])
        for t, share, arrival, stop in self.signed_tranches(increase):
            for d in special[share[special] > 0].tolist():
                s, k = self.later["scenario"][d], self.later["contract"][d]
                due = max(int(self.later["due"][d]) + t * bool(after[d]), t + int(self.terms["lead"][s, k]))
                price, size = float(self.price[s, t, k]), more.shape[1]
                more[s, :, k] += share[d] * paid(
                    self.later, d, price, self.calendar, size, int(arrival[d]), int(stop[d]), due, t
                )
        return more

    def signed_tranches(self, increase: Floats) -> Iterator[tuple[int, Floats, Ints, Ints]]:
        """Yield, by period of signature, the share of each delivery that is signed then, its arrival and its stop.

        Parameters
        ----------
        increase : (S, T, K) float array
            Share that is signed in each period.
        """
        s, k, lead = self.later["scenario"], self.later["contract"], self.terms["lead"]
        for t in range(increase.shape[1]):
            share = increase[s, t, k]
            if share.any():
                written = self.later["period"] + np.where(self.later["after"], t, 0)
                arrival = np.maximum(written, t + lead[s, k])
                moved = self.later["after"] | (arrival > written)
                ends = np.minimum(arrival + self.later["term"], self.later["end"])
                yield t, share, arrival, np.where(moved, ends, self.later["stop"])


def promises(futures: Scenarios, calendar: Periods, lines: pd.DataFrame, at: tuple[Ints, Ints]) -> Promises:
    """Lay the contracts of every scenario out.

    Parameters
    ----------
    futures, calendar : Scenarios, Periods
        The scenarios and the periods.
    lines : DataFrame
        Contract and pool of each contract along the axis.
    at : (R,), (R,) int array
        Scenario and line of each row of ``contracts`` in all scenarios.
    """
    contracts, shape = futures.long("contracts"), (len(futures.instances), len(lines))
    known = pd.Index(lines["contract"].unique())
    line_of = np.full((shape[0], len(known)), -1)
    line_of[at[0], known.get_indexer(contracts["contract"])] = at[1]

    def line(rows: Long) -> tuple[Ints, Ints]:
        return rows.scenario, line_of[rows.scenario, known.get_indexer(rows["contract"])]

    by_line = {c: _spread(shape, at, contracts[c], none) for c, none in _OF_CONTRACTS.items()}
    sold = np.zeros(shape[1], dtype=bool)
    sold[at[1]] |= contracts["side"] == "sell"
    offers, steps = futures.long("offers"), futures.long("offer_prices")
    ways, way_of, window = _ways(futures, calendar, lines, line)
    place, periods = line(offers), calendar.count
    offer = _spread(shape, place, np.ones(len(offers), dtype=bool), False)
    terms = _terms(offers, place, shape, calendar)
    to_sign = _spread(shape, place, offers["signing_cost_bn_per_gw"], 0.0)
    usual = {"cost_bn_per_gw_year": by_line["cost_bn_per_gw_year"], "signing_cost_bn_per_gw": to_sign}
    price, signing = (_in_force(steps, line(steps), column, usual[column], calendar) for column in usual)
    last = np.clip(terms["last"], 0, periods - 1)
    cost = np.where(offer, np.take_along_axis(price, last[:, None], axis=1)[:, 0], by_line["cost_bn_per_gw_year"])
    extends = np.zeros((shape[1], shape[1]), dtype=bool)
    of = known.get_indexer(offers["extends"])
    extended = np.where(of >= 0, line_of[offers.scenario, np.maximum(of, 0)], -1)
    extends[place[1][extended >= 0], extended[extended >= 0]] = True
    later = _deliveries(futures, calendar, line, by_line, (place, extended))
    service = np.zeros((shape[0], periods + 1, shape[1]))
    dated = ~later["after"] & (later["period"] < later["stop"])
    for when, sign in (("period", 1), ("stop", -1)):
        ends = np.minimum(later[when], periods)
        np.add.at(service, (later["scenario"], ends, later["contract"]), np.where(dated, sign * later["gw"], 0.0))
    contracted = np.zeros(shape)
    np.add.at(contracted, (later["scenario"], later["contract"]), later["gw"])
    service = service[:, :periods].cumsum(axis=1)
    service[np.abs(service) < DIGITS] = 0.0
    s, k = later["scenario"], later["contract"]
    tail = np.where(np.isnat(by_line["end"]), 0, _periods(calendar, by_line["end"]) - periods)
    lead = np.where(terms["first"] <= terms["last"], terms["lead"], 0)[s, k]
    moved = np.minimum(later["period"] + periods + lead + later["term"], later["end"])
    for over in (later["stop"], np.where(offer[s, k], moved, 0)):
        np.maximum.at(tail, (s, k), np.where(over < ENDLESS, over - periods, 0))
    size = periods + (int(tail.max(initial=0)) if later["special"].any() else 0)
    more = np.zeros((shape[0], max(size, periods), shape[1], 4))
    for d in np.flatnonzero(later["special"] & ~later["after"]).tolist():
        begins, stop, due = (int(later[name][d]) for name in ("begins", "stop", "due"))
        more[s[d], :, k[d]] += paid(later, d, float(cost[s[d], k[d]]), calendar, more.shape[1], begins, stop, due)
    return Promises(
        sold=sold, offer=offer, ways=ways, way_of=way_of, window=window, terms=terms, price=price, signing=signing,
        cost=cost, credit=by_line["late_credit_bn_per_gw_year"], extends=extends, line_of=line_of,
        contracted=contracted, service=service, later=later, more=more,
        calendar=calendar, tail_periods=np.maximum(tail, 0),
    )  # fmt: skip


_OF_CONTRACTS: Final[dict[str, Any]] = {
    "cost_bn_per_gw_year": 0.0,
    "delay_months": 0.0,
    "end": np.datetime64("NaT", "D"),
    "late_credit_bn_per_gw_year": np.nan,
    "price_growth_per_year": 0.0,
    "price_from": np.datetime64("NaT", "D"),
    "prepaid_share": 0.0,
    "prepaid_days": 0.0,
    "credit_after_months": 0.0,
    "side": "",
}
"""Columns of ``contracts`` with what stands for a contract that a scenario has not."""


def _spread(shape: tuple[int, ...], at: tuple[Any, ...], values: Any, absent: Any) -> NDArray[Any]:
    values = np.asarray(values)
    out = np.full(shape, absent, dtype=values.dtype)
    out[at] = values
    return out


def _first_and_last(rows: Long, calendar: Periods) -> tuple[Ints, Ints]:
    """Return the first and last period of each window."""
    starts = calendar.starts(calendar.count)
    return (
        np.searchsorted(starts, rows["opens"], side="left").astype(np.int64),
        np.searchsorted(starts, rows["closes"], side="right").astype(np.int64) - 1,
    )


def _ways(
    futures: Scenarios, calendar: Periods, lines: pd.DataFrame, line: Any
) -> tuple[Texts, Ints, dict[str, NDArray[Any]]]:
    """Return name, contract and terms of each way out."""
    rows = futures.long("cancellations")
    scenario, place = line(rows)
    twice = lines["contract"].duplicated(keep=False)
    labels = lines["contract"].where(~twice, lines["contract"] + "@" + lines["pool"]).to_numpy(dtype=object)
    names = np.array([way_name(labels[k], w) for k, w in zip(place, rows["window"], strict=True)], dtype=object)
    ways, first, number = np.unique(names.astype(str), return_index=True, return_inverse=True)
    at, shape = (scenario, number.reshape(-1)), (len(futures.instances), len(ways))
    opens, closes = _first_and_last(rows, calendar)
    columns = {"fee": "fee_bn_per_gw", "share": "fee_share_of_rest", "max_share": "max_share"}
    window = {
        "first": _spread(shape, at, opens, 0),
        "last": _spread(shape, at, closes, -1),
        "notice": _spread(shape, at, calendar.of_days(rows["notice_days"]), 0),
        "indivisible": _spread(shape, at, rows["indivisible"], False),
        **{name: _spread(shape, at, rows[column], 0.0) for name, column in columns.items()},
    }
    return ways.astype(object), np.asarray(place)[first], window


def way_name(contract: str, window: str) -> str:
    """Return the name of a way out."""
    return f"{contract}/{window}" if window else contract


def _terms(offers: Long, at: Any, shape: tuple[int, int], calendar: Periods) -> dict[str, NDArray[Any]]:
    opens, closes = _first_and_last(offers, calendar)
    shares = {"most": "max_share", "least": "least_share", "min": "min_share"}
    return {
        "first": _spread(shape, at, opens, 0),
        "last": _spread(shape, at, closes, -1),
        "lead": _spread(shape, at, calendar.of_days(offers["lead_days"]), 0),
        "whole": _spread(shape, at, offers["indivisible"], False),
        **{name: _spread(shape, at, offers[column], 0.0) for name, column in shares.items()},
    }


def _in_force(steps: Long, at: tuple[Ints, Ints], column: str, usual: Floats, calendar: Periods) -> Floats:
    """Return a term of offers by period of signature: the latest row on or before it that says one, else the usual."""
    in_periods = np.repeat(usual[:, None], calendar.count, axis=1)
    since, cells = np.searchsorted(calendar.starts(calendar.count), steps["from"]), steps[column]
    for row in np.argsort(steps["from"], kind="stable"):
        s, k = at[0][row], at[1][row]
        in_periods[s, since[row] :, k] = usual[s, k] if np.isnan(cells[row]) else cells[row]
    return in_periods


def _deliveries(
    futures: Scenarios, calendar: Periods, line: Any, by_line: dict[str, NDArray[Any]], extensions: Any
) -> dict[str, NDArray[Any]]:
    """Return every delivery of every scenario, those of extensions added."""
    rows = futures.long("deliveries")
    scenario, contract = line(rows)
    gw, months, days = rows["gw"], rows["term_months"], rows["after_days"]
    delay, ends = by_line["delay_months"], by_line["end"]
    written = rows["date"]
    day, row_of = _later(written, delay[scenario, contract]), np.arange(len(rows))
    (who, offer), extended = extensions
    for s, k, j in zip(who.tolist(), offer.tolist(), extended.tolist(), strict=True):
        if j >= 0 and not np.isnat(ends[s, j]):
            last = _last_gw(s, j, {(a, b): c for a, b, c in zip(who, offer, extended, strict=True)}, ends,
                            (scenario, contract, gw, day, months))  # fmt: skip
            scenario, contract, gw = np.append(scenario, s), np.append(contract, k), np.append(gw, last)
            day = np.append(day, _later(ends[s, j : j + 1], delay[s, k : k + 1]))
            months, days, row_of = np.append(months, np.nan), np.append(days, np.nan), np.append(row_of, -1)
            written = np.append(written, ends[s, j])
    after, has_term = ~np.isnan(days), ~np.isnan(months)
    moved = _later(day, np.where(has_term & ~after, months, 0.0))
    whole = np.where(has_term, months, 0.0)
    end = _periods(calendar, ends[scenario, contract])
    lag = calendar.of_days(np.where(after, days, 0.0)) + np.ceil(delay[scenario, contract] / calendar.months).astype(
        int
    )
    stop = np.where(has_term & ~after, _periods(calendar, moved), ENDLESS)
    return {
        **filed_terms(rows, row_of, by_line, (scenario, contract), calendar),
        "begins": np.where(after, lag, periods_from(calendar, day)),
        "due": np.where(after, calendar.of_days(np.where(after, days, 0.0)), periods_from(calendar, written)),
        "scenario": scenario,
        "contract": contract,
        "gw": gw,
        "after": after,
        "period": np.where(after, lag, _periods(calendar, day)),
        "term": np.where(has_term, np.ceil(whole / calendar.months), ENDLESS).astype(np.int64),
        "stop": np.minimum(stop, end),
        "end": end,
    }


def _last_gw(s: int, j: int, extends: dict[tuple[int, int], int], ends: Any, deliveries: Any) -> float:
    """Return what a contract delivers just before its end; an extension goes on with what the other delivered."""
    while extends.get((s, j), -1) >= 0:
        j = extends[s, j]
    scenario, contract, gw, day, months = deliveries
    own = (scenario == s) & (contract == j)
    over = _later(day, np.nan_to_num(months)) < ends[s, j]
    there = own & ~((day >= ends[s, j]) | (over & ~np.isnan(months)))
    return float(gw[there].sum())


def _later(day: Any, months: Any) -> NDArray[np.datetime64]:
    """Return dates moved by whole months."""
    moved = np.array(day, dtype="datetime64[D]")
    for count in np.unique(months[~np.isnat(moved)]):
        at = (months == count) & ~np.isnat(moved)
        moved[at] = (pd.DatetimeIndex(moved[at]) + pd.DateOffset(months=int(count))).to_numpy().astype("datetime64[D]")
    return moved


def _periods(calendar: Periods, day: NDArray[np.datetime64]) -> Ints:
    """Return the first period on or after each date, `ENDLESS` where there is none."""
    there = ~np.isnat(day)
    period = np.full(day.shape, ENDLESS)
    period[there] = calendar.first_on_or_after(day[there]) if there.any() else 0
    return period
