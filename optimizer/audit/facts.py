"""What an instance's tables say of every scenario and period, worked out anew for the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.audit.contracts import Promises, promises
from gwplan.audit.scenarios import (
    Axis,
    Dates,
    Flags,
    Floats,
    Ints,
    Long,
    Nodes,
    Periods,
    Scenarios,
    Texts,
    nodes,
    periods,
    scenarios,
)
from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import Instance


@dataclass(frozen=True)
class Facts:
    """An instance laid out for the audit; S scenarios, T periods, P pathways, Q pools, K contracts, N nodes.

    A contract counts once for each pool that some scenario gives it. Money in $bn, capacity in GW.
    """

    # what the axes run over; a contract that counts twice carries its pool in its name
    scenarios: Scenarios
    calendar: Periods
    nodes: Nodes
    pathways: Axis
    pools: Axis
    contracts: Axis
    contract_of: Texts  # (K,) name of each contract in the tables
    pool_of: Ints  # (K,) pool of each contract
    promises: Promises  # what the contracts deliver, and on which terms they are signed and left
    ways: Axis  # the ways out of the contracts
    # data without a date; `ramp` in GW per period (inf: none), `breach_cost` nan where there is no breach
    pathway: dict[str, NDArray[Any]]
    pair: dict[str, NDArray[Any]]
    effectiveness: Floats  # (S, T, P, Q) effective GW per GW
    pool: dict[str, NDArray[Any]]
    demand: dict[str, Floats]  # `floor`, `target`, `cap` (inf: none)
    keep: Floats  # (S, T, P) share of the deals in force that churn leaves
    # deals from before the start: `term`, GW within their term, and `notice`, GW that come back, less their churn
    running: dict[str, Floats]

    @property
    def discount(self) -> Floats:
        """Mid-period discount factor of each node's period, shape (N,)."""
        return discount_factor(self.scenarios.written, self.calendar, self.nodes.period)

    def of_nodes(self, by_scenario: NDArray[Any]) -> NDArray[Any]:
        """Return data without a date, shape (S, ...), at the nodes, shape (N, ...)."""
        return by_scenario[self.nodes.scenario]

    def is_open(self, window: dict[str, NDArray[Any]]) -> Flags:
        """Return whether windows, by their `first` and `last` period, are open, shape (S, T, ...)."""
        t = np.arange(self.calendar.count)[:, None]
        return (window["first"][:, None] <= t) & (t <= window["last"][:, None])

    def averaged(self, by_scenario: Floats, *, dated: bool = False) -> Floats:
        """Return figures, shape (S, ...) or (S, T, ...), averaged over the scenarios through each node, (N, ...)."""
        tree = self.nodes
        by_scenario = by_scenario if dated else by_scenario[:, None].repeat(self.calendar.count, axis=1)
        weight = tree.weight.reshape(-1, *[1] * (by_scenario.ndim - 1))
        summed = np.zeros((tree.count, *by_scenario.shape[2:]))
        np.add.at(summed, tree.node_of, weight * by_scenario)
        return summed / tree.probability.reshape(-1, *[1] * (summed.ndim - 1))


def discount_factor(instance: Instance, calendar: Periods, period: NDArray[Any]) -> Floats:
    """Return the mid-period discount factors of periods."""
    return np.asarray(np.exp(-np.log1p(instance.discount_rate) * (period + 0.5) * calendar.dt))


def facts(instance: Instance) -> Facts:
    """Work out an instance's data from its tables."""
    cases, calendar = scenarios(instance), periods(instance)
    contracts = cases.long("contracts")
    pathways = Axis(_names(cases, "pathways", "pathway"))
    pools = Axis(_names(cases, "pools", "pool"))
    lines = _lines(instance, contracts)
    twice = lines["contract"].duplicated(keep=False)
    labels = lines["contract"].where(~twice, lines["contract"] + "@" + lines["pool"])
    at = (contracts.scenario, _line(lines, contracts["contract"], contracts["pool"]))
    laid_out = promises(cases, calendar, lines, at)
    return Facts(
        scenarios=cases,
        calendar=calendar,
        nodes=nodes(cases, calendar),
        pathways=pathways,
        pools=pools,
        contracts=Axis(labels.to_numpy(dtype=object)),
        contract_of=lines["contract"].to_numpy(dtype=object),
        pool_of=pools.places(lines["pool"]),
        pathway=_pathways(cases, calendar, pathways),
        pair=_pairs(cases, pathways, pools),
        effectiveness=_effectiveness(cases, calendar, pathways, pools),
        pool=_pools(cases, pools),
        demand=_demand(cases, calendar, pathways),
        keep=_keep(cases, calendar, pathways),
        running=_running(cases, calendar, pathways),
        promises=laid_out,
        ways=Axis(laid_out.ways),
    )


def _names(cases: Scenarios, table: str, column: str) -> Texts:
    written = cases.written.tables[table][column].to_numpy(dtype=object)
    return np.unique(np.concatenate([written, cases.long(table)[column]]))


def _lines(instance: Instance, contracts: Long) -> pd.DataFrame:
    names = ["contract", "pool"]
    everywhere = pd.DataFrame({name: contracts[name] for name in names})
    return pd.concat([instance.tables["contracts"][names], everywhere]).drop_duplicates(ignore_index=True)


def _line(lines: pd.DataFrame, contract: Any, pool: Any) -> Ints:
    known = pd.MultiIndex.from_frame(lines)
    return np.asarray(known.get_indexer(pd.MultiIndex.from_arrays([contract, pool])), dtype=np.int64)


def _spread(shape: tuple[int, ...], at: tuple[Any, ...], values: Any, absent: Any = 0.0) -> NDArray[Any]:
    values = np.asarray(values)
    out = np.full(shape, absent, dtype=values.dtype)
    out[at] = values
    return out


def _pathways(cases: Scenarios, calendar: Periods, pathways: Axis) -> dict[str, NDArray[Any]]:
    rows = cases.long("pathways")
    at = (rows.scenario, pathways.places(rows["pathway"]))
    shape = (len(cases.instances), len(pathways))
    columns = {
        "shortfall_penalty": "shortfall_penalty_bn_per_gw_year",
        "migration_cost": "migration_cost_bn_per_gw",
        "signing_cost": "signing_cost_bn_per_gw",
        "breach_cost": "breach_cost_bn_per_gw",
    }
    data = {name: _spread(shape, at, rows[column]) for name, column in columns.items()}
    data["value_factor"] = np.ones(shape)
    for column in TABLES["pathways"].columns:
        if column.scales_value:
            data["value_factor"] *= _spread(shape, at, rows[column.name])
    data["breach_cost"] = _spread(shape, at, rows["breach_cost_bn_per_gw"], np.nan)
    ramp = rows.limits("ramp_gw_per_month") * calendar.months
    data["ramp"] = _spread(shape, at, ramp, np.inf)
    data["notice"] = _spread(shape, at, calendar.of_days(rows["notice_days"]), 0)
    term = _spread(shape, at, calendar.of_days(rows["min_term_days"]), 0)
    data["term"] = np.maximum(term, data["notice"])
    data["deal"] = data["term"] > 0
    return data


def _pairs(cases: Scenarios, pathways: Axis, pools: Axis) -> dict[str, NDArray[Any]]:
    rows = cases.long("eligibility")
    at = (rows.scenario, pathways.places(rows["pathway"]), pools.places(rows["pool"]))
    shape = (len(cases.instances), len(pathways), len(pools))
    return {
        "eligible": _spread(shape, at, np.ones(len(rows), dtype=bool), False),
        "operating_cost": _spread(shape, at, rows["operating_cost_bn_per_gw_year"]),
        "initial": _spread(shape, at, rows["initial_gw"]),
        "min_block": _spread(shape, at, rows["min_block_gw"]),
    }


def _effectiveness(cases: Scenarios, calendar: Periods, pathways: Axis, pools: Axis) -> Floats:
    pairs, rows = cases.long("eligibility"), cases.long("effectiveness")
    shape = (len(cases.instances), len(pathways), len(pools))
    at = (pairs.scenario, pathways.places(pairs["pathway"]), pools.places(pairs["pool"]))
    always = _spread(shape, at, pairs["effectiveness"])
    owner = np.ravel_multi_index((rows.scenario, pathways.places(rows["pathway"]), pools.places(rows["pool"])), shape)
    row = in_force(owner, rows["from"], always.size, calendar).reshape(*shape, calendar.count)
    since = np.append(rows["effectiveness"], 0.0)[row]
    return np.moveaxis(np.where(row < 0, always[..., None], since), 3, 1)


def _pools(cases: Scenarios, pools: Axis) -> dict[str, NDArray[Any]]:
    rows = cases.long("pools")
    at = (rows.scenario, pools.places(rows["pool"]))
    shape = (len(cases.instances), len(pools))
    return {
        "idle_penalty": _spread(shape, at, rows["idle_penalty_bn_per_gw_year"]),
        "terminal_value": _spread(shape, at, rows["terminal_value_bn_per_gw_year"], np.nan),
    }


def in_force(owner: Ints, dates: Dates, owners: int, calendar: Periods) -> Ints:
    """Return, for each owner and period, the row with the latest date on or before the period's start.

    Each row belongs to one of the owners and holds from its date; an owner has no date twice.
    """
    order = np.lexsort((dates, owner))
    since = np.searchsorted(calendar.starts(calendar.count), dates[order])
    place = owner[order] * (calendar.count + 1) + since
    asked = np.arange(owners)[:, None] * (calendar.count + 1) + np.arange(calendar.count)
    last = np.searchsorted(place, asked, side="right") - 1
    rows = np.append(order, -1)[last]
    return np.where(np.append(owner, -1)[rows] == np.arange(owners)[:, None], rows, -1)


def _demand(cases: Scenarios, calendar: Periods, pathways: Axis) -> dict[str, Floats]:
    rows = cases.long("demand")
    owner = rows.scenario * len(pathways) + pathways.places(rows["pathway"])
    owners = len(cases.instances) * len(pathways)
    row = in_force(owner, rows["from"], owners, calendar)
    shape = (len(cases.instances), len(pathways), calendar.count)

    def by_period(values: Any, absent: float) -> Floats:
        return np.append(values, absent)[row].reshape(shape).swapaxes(1, 2)  # row -1 is the one appended

    return {
        "floor": by_period(rows["floor_gw"], 0.0),
        "target": by_period(rows["target_gw"], 0.0),
        "cap": by_period(rows.limits("cap_gw"), np.inf),
    }


def _keep(cases: Scenarios, calendar: Periods, pathways: Axis) -> Floats:
    size = (len(cases.instances), calendar.count + 1, len(pathways))
    rows, losses = cases.long("pathways"), cases.long("churn")
    yearly = np.zeros((size[0], 1, size[2]))
    yearly[rows.scenario, 0, pathways.places(rows["pathway"])] = rows["churn_per_year"]
    keep = np.broadcast_to((1 - yearly) ** calendar.dt, size).copy()
    period = np.searchsorted(calendar.starts(calendar.count), losses["date"])
    at = (losses.scenario, period, pathways.places(losses["pathway"]))
    np.multiply.at(keep, at, 1 - losses["fraction"])
    return keep[:, :-1]


def _running(cases: Scenarios, calendar: Periods, pathways: Axis) -> dict[str, Floats]:
    rows = cases.long("running")
    left = np.cumprod(_keep(cases, calendar, pathways), axis=1)
    p, kind = pathways.places(rows["pathway"]), rows["kind"]
    ends = np.searchsorted(calendar.starts(calendar.count), rows["until"])
    t = np.arange(calendar.count)
    applies = {"term": t < ends[:, None], "notice": t == ends[:, None]}
    running = {}
    for name, when in applies.items():
        running[name] = np.zeros(left.shape)
        row, period = np.nonzero(when & (kind == name)[:, None])
        np.add.at(running[name], (rows.scenario[row], period, p[row]), rows["gw"][row])
        running[name] *= left
    return running
