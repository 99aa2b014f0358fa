"""Remaining obligations: what is still owed to each vendor, with and without the planned cancellations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.data import PlanData
from optimizer.plan.values import Decided, carried
from optimizer.solver.program import FloatArray, IntArray
from optimizer.tree.arrays import in_service, of_rows, tail_periods
from optimizer.tree.timeline import Timeline


@dataclass(frozen=True)
class Owed:
    """What is owed in each scenario, undiscounted.

    Attributes
    ----------
    vendors, contracts : tuple of str
        Of each contract along the axis K.
    years : (Y,) int array
        Calendar years.
    signed, kept : (S, K, Y) float array
        $bn as signed, and after the plan's cancellations.
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
    years: IntArray
    signed: FloatArray
    kept: FloatArray
    gw: FloatArray
    after: FloatArray
    served: FloatArray
    probability: FloatArray

    def expected(self, amounts: FloatArray) -> FloatArray:
        """Return the mean of amounts (S, ...) over the scenarios in their own unit, shape (...)."""
        mean: FloatArray = np.tensordot(self.probability, amounts, axes=1)
        return np.clip(mean, amounts.min(axis=0), amounts.max(axis=0))  # a mean of equal amounts is none other


def owed(timeline: Timeline, cancelled: FloatArray) -> Owed:
    """Return what is owed by scenario, contract and calendar year.

    Beyond the horizon a contract runs on to its end, less what was cancelled once its notice is over; a contract
    without an end stops at the horizon. Cancellation fees are not obligations.

    Parameters
    ----------
    timeline : Timeline
        The instance on its tree.
    cancelled : (K, N) float array
        Share of each contract for which notice has been given by each node of its window.
    """
    data, calendar = timeline.data, timeline.calendar
    tree, horizon = data.tree, data.tree.periods
    count = horizon + max(
        int(tail_periods(calendar, s.tables["contracts"]["end"].to_numpy().astype("datetime64[D]")).max(initial=0))
        for s in timeline.scenarios
    )
    year = calendar.starts(count).astype("datetime64[Y]").astype(np.int64) + 1970
    # a contract that ends in the year 9999 is one that never ends: no matrix of periods by years
    years, first_in_year, periods_in_year = np.unique(year, return_index=True, return_counts=True)
    ended = carried(cancelled, data.ref)
    shape = (len(timeline.scenarios), len(data.contracts), len(years))
    signed, kept, gw, after = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape[:2])
    served = np.zeros((len(data.contracts), count))
    made: dict[tuple[int, int], tuple[FloatArray, FloatArray]] = {}
    for s, scenario in enumerate(timeline.scenarios):
        key = (id(scenario.tables["contracts"]), id(scenario.tables["deliveries"]))
        if key not in made:
            made[key] = _service(timeline, s, count)
        service, price = made[key]
        path = tree.node_of[s]
        left = np.empty_like(service)
        left[:, :horizon] = 1 - ended[:, path]
        left[:, horizon:] = 1 - _cancelled_beyond(data, cancelled, ended, path, count - horizon)
        flow = service * price[:, None] * calendar.dt
        for into, amounts in ((signed, flow), (kept, flow * left), (gw, service)):
            into[s] = np.add.reduceat(amounts, first_in_year, axis=1)
        gw[s] /= periods_in_year
        after[s] = (flow * left)[:, horizon:].sum(axis=1)
        served += tree.scenario_probability[s] * service
    vendor = _vendors(timeline)
    vendors = tuple(vendor[name] for name in timeline.contract_of)
    return Owed(vendors, tuple(data.contracts), years, signed, kept, gw, after, served, tree.scenario_probability)


def obligations(timeline: Timeline, plan: Decided) -> pd.DataFrame:
    """Return undiscounted obligations by vendor, contract and calendar year, expected over the scenarios.

    Returns
    -------
    pandas.DataFrame
        ``vendor, contract, year, as_signed_bn, after_cancellation_bn`` ($bn) and ``gw`` (expected mean GW in service
        as signed, over the plan's and the contract's periods of that year).
    """
    owing = owed(timeline, plan.cancelled)
    signed, kept, gw = (owing.expected(amounts) for amounts in (owing.signed, owing.kept, owing.gw))
    k, year = np.nonzero(gw > 0)
    return pd.DataFrame(
        {
            "vendor": [owing.vendors[i] for i in k.tolist()],
            "contract": [owing.contracts[i] for i in k.tolist()],
            "year": owing.years[year],
            "as_signed_bn": signed[k, year],
            "after_cancellation_bn": kept[k, year],
            "gw": gw[k, year],
        }
    ).sort_values(["vendor", "contract", "year"], ignore_index=True, kind="stable")


def _cancelled_beyond(
    data: PlanData, cancelled: FloatArray, ended: FloatArray, path: IntArray, beyond: int
) -> FloatArray:
    """Return the share of each contract that is out of service in each period beyond the horizon, shape (K, beyond).

    The terminal line of the objective ends every cancelled share at the horizon; what is owed runs on to the end of the
    notice.
    """
    horizon = data.tree.periods
    after = np.repeat(ended[:, path[-1:]], beyond, axis=1)
    effective = data.tree.period[path] + data.cancel_notice[:, path] - horizon
    late = data.window[:, path] & (effective >= 0)
    for t in np.flatnonzero(late.any(axis=0)).tolist():
        for k in np.flatnonzero(late[:, t]).tolist():
            after[k, effective[k, t] :] = cancelled[k, path[t]]
    return after


def _service(timeline: Timeline, scenario: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Return GW in service by contract and period, beyond the horizon to the contract's end, and its price."""
    instance = timeline.scenarios[scenario]
    service, row = in_service(instance, timeline.names, timeline.calendar, count)
    contracts = instance.filled("contracts")
    endless = of_rows(contracts["end"].isna().to_numpy(), row, True)
    service[endless, timeline.calendar.periods :] = 0.0
    price = of_rows(contracts["cost_bn_per_gw_year"].to_numpy(dtype=float), row, 0.0)
    return service, price


def _vendors(timeline: Timeline) -> dict[str, str]:
    vendors: dict[str, str] = {}
    for scenario in (timeline.instance, *timeline.scenarios):
        table = scenario.tables["contracts"]
        for contract, vendor in zip(table["contract"].tolist(), table["vendor"].tolist(), strict=True):
            vendors.setdefault(contract, vendor)
    return vendors
