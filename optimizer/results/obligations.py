"""Remaining obligations: what is still owed to each vendor, with and without the planned cancellations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.data import PlanData
from optimizer.instance.steps import in_service, of_rows, tail_periods
from optimizer.instance.timeline import Timeline
from optimizer.results.values import Values
from optimizer.solve.program import FloatArray, IntArray


def obligations(timeline: Timeline, plan: Values) -> pd.DataFrame:
    """Return undiscounted obligations by vendor, contract and calendar year, expected over the scenarios.

    Beyond the horizon a contract runs on to its end, less what was cancelled once its notice is over; a contract
    without an end stops at the horizon. Cancellation fees are not obligations.

    Parameters
    ----------
    timeline : Timeline
        The instance on its tree.
    plan : Values
        The plan's decisions.

    Returns
    -------
    pandas.DataFrame
        ``vendor, contract, year, as_signed_bn, after_cancellation_bn`` ($bn) and ``gw`` (expected mean GW in service
        as signed, over the plan's and the contract's periods of that year).
    """
    tree, calendar = timeline.data.tree, timeline.calendar
    horizon = tree.periods
    beyond = max(
        int(tail_periods(calendar, s.tables["contracts"]["end"].to_numpy().astype("datetime64[D]")).max(initial=0))
        for s in timeline.scenarios
    )
    count = horizon + beyond
    years = calendar.starts(count).astype("datetime64[Y]").astype(np.int64) + 1970
    # a contract that ends in the year 9999 is one that never ends: no matrix of periods by years
    year_of, first_in_year, periods_in_year = np.unique(years, return_index=True, return_counts=True)

    def by_year(amounts: FloatArray) -> FloatArray:
        summed: FloatArray = np.add.reduceat(amounts, first_in_year, axis=1)
        return summed

    contracts = len(timeline.data.contracts)
    signed = np.zeros((contracts, len(year_of)))
    kept, gw = np.zeros_like(signed), np.zeros_like(signed)
    made: dict[tuple[int, int], tuple[FloatArray, FloatArray]] = {}
    for s, scenario in enumerate(timeline.scenarios):
        frames = (scenario.tables["contracts"], scenario.tables["deliveries"])
        key = (id(frames[0]), id(frames[1]))
        if key not in made:
            made[key] = _service(timeline, s, count)
        service, price = made[key]
        path = tree.node_of[s]
        left = np.empty_like(service)
        left[:, :horizon] = 1 - plan.ended[:, path]
        left[:, horizon:] = 1 - _cancelled_beyond(timeline.data, plan, path, beyond)
        owed = service * price[:, None] * calendar.dt * tree.scenario_probability[s]
        signed += by_year(owed)
        kept += by_year(owed * left)
        gw += tree.scenario_probability[s] * by_year(service)
    gw /= periods_in_year
    k, year = np.nonzero(gw > 0)
    vendor = _vendors(timeline)
    return pd.DataFrame(
        {
            "vendor": [vendor[timeline.contract_of[i]] for i in k.tolist()],
            "contract": [timeline.data.contracts[i] for i in k.tolist()],
            "year": year_of[year],
            "as_signed_bn": signed[k, year],
            "after_cancellation_bn": kept[k, year],
            "gw": gw[k, year],
        }
    ).sort_values(["vendor", "contract", "year"], ignore_index=True, kind="stable")


def _cancelled_beyond(data: PlanData, plan: Values, path: IntArray, beyond: int) -> FloatArray:
    """Return the share of each contract that is out of service in each period beyond the horizon, shape (K, beyond).

    The terminal line of the objective ends every cancelled share at the horizon; what is owed runs on to the end of the
    notice.
    """
    horizon = data.tree.periods
    ended = np.repeat(plan.ended[:, path[-1:]], beyond, axis=1)
    effective = data.tree.period[path] + data.cancel_notice[:, path] - horizon
    late = data.window[:, path] & (effective >= 0)
    for t in np.flatnonzero(late.any(axis=0)).tolist():
        for k in np.flatnonzero(late[:, t]).tolist():
            ended[k, effective[k, t] :] = plan.cancelled[k, path[t]]
    return ended


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
