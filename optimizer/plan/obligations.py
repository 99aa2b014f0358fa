"""Remaining obligations: what is still owed to each vendor, and by customers, as signed and as the plan leaves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.tolerances import ROUNDING
from gwplan.models.data import PlanData
from gwplan.plan.values import Decided, carried, of_contracts
from gwplan.solver.program import FloatArray, IntArray
from gwplan.tree import contracts
from gwplan.tree.timeline import Timeline


@dataclass(frozen=True)
class Owed:
    """What is owed in each scenario, undiscounted; of contracts sold, to us.

    Attributes
    ----------
    vendors, contracts : tuple of str
        Of each contract along the axis K.
    sold : (K,) bool array
        Whether it is owed to us.
    years : (Y,) int array
        Calendar years.
    signed, kept : (S, K, Y) float array
        $bn as signed, and after what the plan cancels and signs.
    gw : (S, K, Y) float array
        Mean GW in service as signed, over the plan's and the contract's periods of the year.
    after : (S, K) float array
        $bn of `kept` that fall due after the horizon.
    served : (K, T + beyond) float array
        GW in service as signed by period, expected.
    probability : (S,) float array
        Of each scenario.
    """

    vendors: tuple[str, ...]
    contracts: tuple[str, ...]
    sold: NDArray[np.bool_]
    years: IntArray
    signed: FloatArray
    kept: FloatArray
    gw: FloatArray
    after: FloatArray
    served: FloatArray
    probability: FloatArray

    def bought(self) -> Owed:
        """Return what is owed to vendors alone."""
        kept = np.flatnonzero(~self.sold)
        names = (tuple(part[k] for k in kept) for part in (self.vendors, self.contracts))
        vendors, contracts = names
        return Owed(
            vendors, contracts, self.sold[kept], self.years, self.signed[:, kept], self.kept[:, kept],
            self.gw[:, kept], self.after[:, kept], self.served[kept], self.probability,
        )  # fmt: skip

    def expected(self, amounts: FloatArray) -> FloatArray:
        """Return the mean of amounts (S, ...) over the scenarios in their own unit, shape (...)."""
        mean: FloatArray = np.tensordot(self.probability, amounts, axes=1)
        return np.clip(mean, amounts.min(axis=0), amounts.max(axis=0))  # a mean of equal amounts is none other


def owed(timeline: Timeline, cancelled: FloatArray, signed: FloatArray) -> Owed:
    """Return what is owed by scenario, contract and calendar year.

    Beyond the horizon a contract runs on to its end, less what was cancelled once its notice is over; what has no end
    stops at the horizon. Prepayments count when they are paid, bills as far as these do not cover them. Fees, costs of
    signing and credits for late delivery are not obligations. Nothing of an offer is as signed.

    Parameters
    ----------
    timeline : Timeline
        The instance on its tree.
    cancelled : (W, N) float array
        Share of each contract for which notice has been given by each node of its window.
    signed : (O, N) float array
        Share of each offer that is signed by each node of its window.
    """
    data, tree = timeline.data, timeline.data.tree
    services = _services(timeline)
    count = max(service.shape[1] for service, _, _ in services)
    years, first_in_year, periods_in_year = _by_year(timeline, count)
    shape = (len(timeline.scenarios), len(data.contracts), len(years))
    as_signed, left, gw, after = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape[:2])
    served = np.zeros((len(data.contracts), count))
    for s, (flow, kept) in enumerate(_flows(timeline, cancelled, signed, services)):
        firm = np.where(data.firm[:, None], services[s][0], 0.0)
        for by_year, amounts in ((as_signed, flow.sum(axis=0)), (left, kept.sum(axis=0)), (gw, firm)):
            by_year[s] = _in_years(amounts, first_in_year, count)
        gw[s] /= periods_in_year
        after[s] = kept[:, :, tree.periods :].sum(axis=(0, 2))
        served[:, : firm.shape[1]] += tree.scenario_probability[s] * firm
    vendor = _vendors(timeline)
    vendors = tuple(vendor[name] for name in timeline.contract_of)
    return Owed(
        vendors, tuple(data.contracts), data.sold, years, as_signed, left, gw, after, served, tree.scenario_probability
    )


Services = list[tuple[FloatArray, FloatArray, FloatArray]]
"""By scenario, what `contracts.to_the_end` returns."""


def _by_year(timeline: Timeline, count: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return the calendar years of some periods, the first period of each, and how many there are."""
    year = timeline.calendar.starts(count).astype("datetime64[Y]").astype(np.int64) + 1970
    # a contract that ends in the year 9999 is one that never ends: no matrix of periods by years
    years, first, periods = np.unique(year, return_index=True, return_counts=True)
    return years, first, periods


def _in_years(amounts: FloatArray, first: IntArray, count: int) -> FloatArray:
    """Return amounts by period, which end before the last one, added up by year."""
    summed: FloatArray = np.add.reduceat(np.pad(amounts, ((0, 0), (0, count - amounts.shape[1]))), first, axis=1)
    return summed


def _flows(
    timeline: Timeline, cancelled: FloatArray, signed: FloatArray, services: Services
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield for each scenario $bn owed by period to the last end, as signed and after the plan, shape (B, K, U).

    The parts B are those of `contracts.to_the_end`.
    """
    data = timeline.data
    ended = of_contracts(data, carried(cancelled, data.ref))
    newly = np.where(data.offered, signed - carried(signed, data.previous_offer), 0.0)
    for s, (service, owing, due) in enumerate(services):
        path, beyond = data.tree.node_of[s], service.shape[1] - data.tree.periods
        gone = np.concatenate([ended[:, path], _cancelled_beyond(data, cancelled, path, beyond)], axis=1)
        flow = np.where(data.firm[:, None], owing, 0.0)
        kept = flow - owing * gone
        kept[:, data.offer_of] += np.einsum("ot,botu->bou", newly[:, path], due)
        yield flow, kept


BOOK: Final = (
    "as_signed_bn", "after_bn", "least_bn", "most_bn", "prepaid_bn", "credited_bn", "upfront_bn",
    "as_signed_discounted_bn", "after_discounted_bn",
)  # fmt: skip
"""Columns of amounts of the book of obligations, $bn."""


def book(timeline: Timeline, plan: Decided) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the book of obligations: by contract and calendar year, and by contract beside its published value.

    Amounts are expected over the futures, least and most those of a future, after the plan; ``prepaid_bn``,
    ``credited_bn`` (negative: what prepayments cover of the bills) and ``upfront_bn`` are parts of ``after_bn``.

    Returns
    -------
    pandas.DataFrame
        ``vendor, contract, side, year`` and `BOOK`.
    pandas.DataFrame
        ``vendor, contract, side``, `BOOK` summed over the years, and of the instance as written ``before_bn``, what was
        paid before the start, ``whole_bn``, all that the contract bills over its term, ``filed_bn``, its published
        value, and ``difference_bn``, how much more it bills; nan of what has no end or no published value.
    """
    data, calendar = timeline.data, timeline.calendar
    services, probability = _services(timeline), data.tree.scenario_probability
    count = max(service.shape[1] for service, _, _ in services)
    years, first, _ = _by_year(timeline, count)
    amounts = {name: np.zeros((len(services), len(data.contracts), len(years))) for name in BOOK}
    discount = (1 + timeline.instance.discount_rate) ** -((np.arange(count) + 0.5) * calendar.dt)
    for s, (flow, kept) in enumerate(_flows(timeline, plan.cancelled, plan.signed, services)):
        now = discount[: flow.shape[2]]
        parts = {"as_signed_bn": flow.sum(axis=0), "after_bn": kept.sum(axis=0)}
        parts |= {f"{name[:-3]}_discounted_bn": paid * now for name, paid in parts.items()}
        parts |= dict(zip(("credited_bn", "prepaid_bn", "upfront_bn"), kept[1:], strict=False))
        for name, paid in parts.items():
            amounts[name][s] = _in_years(paid, first, count)
    of = {"vendor": [_vendors(timeline)[name] for name in timeline.contract_of], "contract": list(data.contracts),
          "side": np.where(data.sold, "sell", "buy").tolist()}  # fmt: skip
    k, y = np.nonzero(np.any([np.abs(amounts[name]).sum(axis=0) > 0 for name in BOOK], axis=0))
    rows = pd.DataFrame({**{name: np.array(cells, dtype=object)[k] for name, cells in of.items()}, "year": years[y]})
    column = {name: _of_futures(name, amounts, probability) for name in BOOK}
    for name in BOOK:
        rows[name] = column[name][k, y]
    totals = pd.DataFrame(of)
    summed = {name: paid.sum(axis=2) for name, paid in amounts.items()}
    for name in BOOK:
        totals[name] = _of_futures(name, summed, probability)
    whole = contracts.whole_bills(timeline.instance, timeline.names, calendar)
    owing = contracts.to_the_end(timeline.instance, timeline.names, calendar)[1]
    before = np.where(data.firm, whole - owing[:3].sum(axis=(0, 2)), 0.0)
    totals["before_bn"] = np.where(np.abs(before) < ROUNDING, 0.0, before)
    filed = timeline.instance.tables["contracts"].set_index("contract")["face_value_bn"]
    totals["whole_bn"], totals["filed_bn"] = whole, filed.reindex(timeline.contract_of).to_numpy(dtype=float)
    totals["difference_bn"] = totals["whole_bn"] - totals["filed_bn"]
    order = ["vendor", "contract"]
    return (rows.sort_values([*order, "year"], ignore_index=True, kind="stable"),
            totals.sort_values(order, ignore_index=True, kind="stable"))  # fmt: skip


def _of_futures(name: str, amounts: Mapping[str, FloatArray], probability: FloatArray) -> FloatArray:
    """Return a column of the book from amounts by scenario: their mean, or the least or most of what is owed."""
    if name in ("least_bn", "most_bn"):
        after = amounts["after_bn"]
        least: FloatArray = after.min(axis=0) if name == "least_bn" else after.max(axis=0)
        return least
    mean: FloatArray = np.tensordot(probability, amounts[name], axes=1)
    return mean


def obligations(timeline: Timeline, plan: Decided) -> pd.DataFrame:
    """Return undiscounted obligations by vendor, contract and calendar year, expected over the scenarios.

    Returns
    -------
    pandas.DataFrame
        ``vendor, contract, side, year, as_signed_bn, after_cancellation_bn`` ($bn) and ``gw`` (expected mean GW in
        service as signed, over the plan's and the contract's periods of that year).
    """
    owing = owed(timeline, plan.cancelled, plan.signed)
    signed, kept, gw = (owing.expected(amounts) for amounts in (owing.signed, owing.kept, owing.gw))
    k, year = np.nonzero((gw > 0) | (signed > 0) | (kept > 0))
    return pd.DataFrame(
        {
            "vendor": [owing.vendors[i] for i in k.tolist()],
            "contract": [owing.contracts[i] for i in k.tolist()],
            "side": ["sell" if owing.sold[i] else "buy" for i in k.tolist()],
            "year": owing.years[year],
            "as_signed_bn": signed[k, year],
            "after_cancellation_bn": kept[k, year],
            "gw": gw[k, year],
        }
    ).sort_values(["vendor", "contract", "year"], ignore_index=True, kind="stable")


def _cancelled_beyond(data: PlanData, cancelled: FloatArray, path: IntArray, beyond: int) -> FloatArray:
    """Return the share of each contract that is out of service in each period beyond the horizon, shape (K, beyond).

    The terminal line of the objective ends every cancelled share at the horizon; what is owed runs on to the end of the
    notice.
    """
    horizon, after = data.tree.periods, np.zeros((len(data.ways_out), beyond))
    effective = data.tree.period[path] + data.cancel_notice[:, path] - horizon
    for t in range(horizon):
        for w in np.flatnonzero(data.window[:, path[t]]).tolist():
            after[w, max(effective[w, t], 0) :] = cancelled[w, path[t]]
    gone = np.zeros((len(data.contracts), beyond))
    np.add.at(gone, data.way_out_of, after)
    return gone


def _services(timeline: Timeline) -> Services:
    """Return each scenario's GW in service by contract and period to the last end, and $bn owed then, by signature too.

    What has no end stops at the horizon. Shapes (K, U), (B, K, U) and, of offers, (B, O, T, U); parts B add up.
    Scenarios whose contracts are the same share them.
    """
    made: dict[tuple[int, ...], tuple[FloatArray, FloatArray, FloatArray]] = {}
    keys = [
        tuple(id(scenario.tables[table]) for table in ("contracts", "deliveries", "offers", "offer_prices"))
        for scenario in timeline.scenarios
    ]
    for key, scenario in dict(zip(keys, timeline.scenarios, strict=True)).items():
        made[key] = contracts.to_the_end(scenario, timeline.names, timeline.calendar)
    return [made[key] for key in keys]


def _vendors(timeline: Timeline) -> dict[str, str]:
    vendors: dict[str, str] = {}
    for scenario in (timeline.instance, *timeline.scenarios):
        table = scenario.tables["contracts"]
        for contract, vendor in zip(table["contract"].tolist(), table["vendor"].tolist(), strict=True):
            vendors.setdefault(contract, vendor)
    return vendors
