"""Remaining obligations: what is still owed to each vendor, and by customers, as signed and as the plan leaves it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    stops at the horizon. Fees and costs of signing are not obligations. Nothing of an offer is as signed.

    Parameters
    ----------
    timeline : Timeline
        The instance on its tree.
    cancelled : (W, N) float array
        Share of each contract for which notice has been given by each node of its window.
    signed : (O, N) float array
        Share of each offer that is signed by each node of its window.
    """
    data, calendar = timeline.data, timeline.calendar
    tree = data.tree
    services = _services(timeline)
    count = max(service.shape[1] for service, _, _ in services)
    year = calendar.starts(count).astype("datetime64[Y]").astype(np.int64) + 1970
    # a contract that ends in the year 9999 is one that never ends: no matrix of periods by years
    years, first_in_year, periods_in_year = np.unique(year, return_index=True, return_counts=True)
    ended = of_contracts(data, carried(cancelled, data.ref))
    newly = np.where(data.offered, signed - carried(signed, data.previous_offer), 0.0)
    shape = (len(timeline.scenarios), len(data.contracts), len(years))
    as_signed, left, gw, after = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape[:2])
    served = np.zeros((len(data.contracts), count))
    for s, (service, price, due) in enumerate(services):
        path, beyond = tree.node_of[s], service.shape[1] - tree.periods
        gone = np.concatenate([ended[:, path], _cancelled_beyond(data, cancelled, path, beyond)], axis=1)
        firm = np.where(data.firm[:, None], service, 0.0)
        whole = service * price[:, None] * calendar.dt
        flow = np.where(data.firm[:, None], whole, 0.0)
        kept = flow - whole * gone
        kept[data.offer_of] += calendar.dt * np.einsum("ot,otu->ou", newly[:, path], due)
        for by_year, amounts in ((as_signed, flow), (left, kept), (gw, firm)):
            by_year[s] = np.add.reduceat(
                np.pad(amounts, ((0, 0), (0, count - amounts.shape[1]))), first_in_year, axis=1
            )
        gw[s] /= periods_in_year
        after[s] = kept[:, tree.periods :].sum(axis=1)
        served[:, : firm.shape[1]] += tree.scenario_probability[s] * firm
    vendor = _vendors(timeline)
    vendors = tuple(vendor[name] for name in timeline.contract_of)
    return Owed(
        vendors, tuple(data.contracts), data.sold, years, as_signed, left, gw, after, served, tree.scenario_probability
    )


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
    k, year = np.nonzero((gw > 0) | (kept > 0))
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


def _services(timeline: Timeline) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """Return each scenario's GW in service by contract and period to the last end, prices, and $bn a year due.

    What has no end stops at the horizon. Shapes (K, U), (K,) and, by signature of offers, (O, T, U). Scenarios whose
    contracts are the same share them.
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
