"""What an instance's tables say of every scenario and period, worked out anew for the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.catalogue.tables import TABLES, Table
from optimizer.instance.instance import Instance, apply_edits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Dates = NDArray[np.datetime64]
Texts = NDArray[np.object_]

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Long:
    """A table's rows in every scenario."""

    table: Table  # its entry in the catalogue
    frames: list[pd.DataFrame]  # the different states in which scenarios have the table
    rows: Ints  # (R,) row of each scenario's row in all states put below each other
    scenario: Ints  # (R,) whose row it is

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> NDArray[Any]:
        """Return a column, defaults filled in; "none" is nan or NaT, days are datetime64[D]."""
        cells = np.concatenate([frame[column].to_numpy() for frame in self.frames])
        default = self.table[column].default
        if self.table[column].kind == "date":
            cells = cells.astype("datetime64[D]")
        elif self.table[column].kind == "flag":
            cells = np.where(pd.isna(cells), bool(default), cells).astype(bool)
        elif isinstance(default, int | float):
            cells = np.where(np.isnan(cells), default, cells)
        return np.asarray(cells[self.rows])

    def limits(self, column: str) -> Floats:
        """Return a column of limits, inf where there is none."""
        cells = self[column]
        return np.where(np.isnan(cells), np.inf, cells)


@dataclass(frozen=True)
class Scenarios:
    """Every combination of outcomes, the first factor varying slowest."""

    written: Instance  # the instance as written
    instances: list[Instance]  # the instance with the edits of each scenario, S of them
    outcomes: list[list[str]]  # each scenario's outcome of every factor
    probability: Floats  # (S,) probability of each scenario

    def long(self, name: str) -> Long:
        """Return a table's rows in every scenario, one scenario after the other."""
        frames: dict[tuple[int, ...], pd.DataFrame] = {}
        versions = []
        for instance in self.instances:
            pairs_missing = name == "eligibility" and name not in instance.present
            key = tuple(id(instance.tables[t]) for t in (("pathways", "pools") if pairs_missing else (name,)))
            if key not in frames:
                frames[key] = instance.filled(name) if pairs_missing else instance.tables[name]
            versions.append(key)
        ends = dict(zip(frames, np.cumsum([len(frame) for frame in frames.values()]).tolist(), strict=True))
        rows = [np.arange(ends[key] - len(frames[key]), ends[key]) for key in versions]
        scenario = np.repeat(np.arange(len(versions)), [len(r) for r in rows])
        return Long(TABLES[name], list(frames.values()), np.concatenate(rows), scenario)


def scenarios(instance: Instance) -> Scenarios:
    """Apply the edits of every combination of outcomes, factor by factor."""
    reached: list[tuple[Instance, list[str], float]] = [(instance, [], 1.0)]
    for factor in instance.factors:
        reached = [
            (
                apply_edits(before, outcome.edits, note=False, inside_outcome=True),
                [*names, outcome.name],
                probability * outcome.probability,
            )
            for before, names, probability in reached
            for outcome in factor.outcomes
        ]
    instances, outcomes, probabilities = (list(part) for part in zip(*reached, strict=True))
    return Scenarios(instance, instances, outcomes, np.array(probabilities, dtype=float))


@dataclass(frozen=True)
class Periods:
    """The periods of a plan: T of them, and as many after the horizon as are asked for."""

    start: np.datetime64
    months: int
    count: int

    @property
    def dt(self) -> float:
        """Length of a period, years."""
        return self.months / 12

    def starts(self, count: int) -> Dates:
        """Return the first days of the first `count` periods."""
        return (self.start + self.months * np.arange(count)).astype("datetime64[D]")

    def first_on_or_after(self, dates: Dates) -> Ints:
        """Return the first period that starts on or after each date, beyond the horizon too; dates are known."""
        latest = np.max(np.append(dates, self.starts(1)))
        months = int((latest.astype("datetime64[M]") - self.start).astype(int))
        return np.searchsorted(self.starts(months // self.months + 2), dates).astype(np.int64)

    def of_days(self, days: Floats) -> Ints:
        """Return days as whole periods, rounded up."""
        # A period of 30.4375 days a month is exact in binary, so that the quotient of a whole number of them is too.
        return np.ceil(days / (30.4375 * self.months)).astype(np.int64)


def periods(instance: Instance) -> Periods:
    """Return the periods of an instance."""
    return Periods(np.datetime64(instance.start, "M"), _MONTHS[instance.resolution], instance.periods)


@dataclass(frozen=True)
class Nodes:
    """The nodes of the scenario tree, numbered by period, then by their first scenario."""

    node_of: Ints  # (S, T) node of each scenario and period
    # (N,) period; first scenario through the node; parent, -1 at a root
    period: Ints
    scenario: Ints
    parent: Ints
    start: Dates  # (N,) first day of the node's period
    known: Texts  # (N,) the outcomes known
    probability: Floats  # (N,) probability of the node
    weight: Floats  # (S,) probability of each scenario

    @property
    def count(self) -> int:
        """Number of nodes."""
        return len(self.period)

    def label(self, node: int) -> str:
        """Name a node in words."""
        known = f", {self.known[node]}" if self.known[node] else ""
        return f"node {node} ({np.datetime_as_string(self.start[node], 'D')}{known})"

    def at(self, dated: NDArray[Any]) -> NDArray[Any]:
        """Return data by scenario and period, shape (S, T, ...), at the nodes, shape (N, ...)."""
        return dated[self.scenario, self.period]

    def before(self, by_node: Floats, initial: Floats | float = 0.0) -> Floats:
        """Return the value at each node's parent, `initial` (by node) at a root."""
        root = (self.parent < 0).reshape(-1, *([1] * (by_node.ndim - 1)))
        return np.where(root, initial, by_node[self.parent])

    def contradictions(self, dated: NDArray[Any], slack: float = 0.0) -> NDArray[np.int64]:
        """Return the nodes whose scenarios differ, by more than a slack, in data of the first t periods (S, t, ...)."""
        node_of = self.node_of[:, : dated.shape[1]]
        shared = dated[self.scenario[node_of], np.arange(dated.shape[1])]
        differ = (dated != shared) & ~((dated != dated) & (shared != shared))  # nan equals nan here
        if slack:
            differ &= ~(np.abs(dated - shared) <= slack * (1 + np.abs(shared)))
        return np.unique(node_of[differ.reshape(*node_of.shape, -1).any(axis=2)])


def nodes(cases: Scenarios, calendar: Periods) -> Nodes:
    """Return the nodes of the tree: scenarios share them while they agree on what has been revealed."""
    factors = cases.written.factors
    starts = calendar.starts(calendar.count)
    revealed = np.array([f.revealed for f in factors], dtype="datetime64[D]")
    is_known = revealed[None, :] <= starts[:, None]
    node_of = np.empty((len(cases.instances), calendar.count), dtype=np.int64)
    known, first, period = [], [], []
    count, codes, labels = 0, np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    for t in range(calendar.count):
        if t == 0 or (is_known[t] != is_known[t - 1]).any():
            outcomes = [", ".join(f"{f.name}={o}" for f, o, k in zip(factors, names, is_known[t], strict=True) if k)
                    for names in cases.outcomes]  # fmt: skip
            codes, labels = pd.factorize(np.array(outcomes, dtype=object))
        node_of[:, t] = count + codes
        known.append(labels)
        first.append(np.unique(codes, return_index=True)[1])
        period.append(np.full(len(labels), t))
        count += len(labels)
    scenario, at = np.concatenate(first), np.concatenate(period)
    parent = np.where(at > 0, node_of[scenario, np.maximum(at - 1, 0)], -1)
    weights = np.repeat(cases.probability, calendar.count)
    return Nodes(
        node_of=node_of,
        period=at,
        scenario=scenario,
        parent=parent,
        start=starts[at].astype("datetime64[s]"),
        known=np.concatenate(known),
        probability=np.asarray(np.bincount(node_of.ravel(), weights=weights, minlength=count), dtype=float),
        weight=cases.probability,
    )


@dataclass(frozen=True)
class Axis:
    """The names along an axis."""

    names: Texts

    def __len__(self) -> int:
        return len(self.names)

    def places(self, cells: Any) -> Ints:
        """Return each name's place along the axis, -1 for a name that is not on it."""
        return np.asarray(pd.Index(self.names, dtype=object).get_indexer(pd.Index(cells, dtype=object)), dtype=np.int64)


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
    line_of: Ints  # (S, C) place of each contract by its name alone in each scenario, -1 where the scenario lacks it
    # data without a date; `ramp` in GW per period (inf: none), `breach_cost` nan where there is no breach
    pathway: dict[str, NDArray[Any]]
    pair: dict[str, NDArray[Any]]
    pool: dict[str, NDArray[Any]]
    # (S, K) price, $bn per GW-year; periods after the horizon that start before its end; GW of all deliveries
    cost: Floats
    tail_periods: Ints
    contracted: Floats
    service: Floats  # (S, T, K) GW in service
    later: dict[str, NDArray[Any]]  # every delivery of every scenario: `scenario`, `contract`, `gw`, `period`
    # cancellations: `first` and `last` period of the window, `notice` (periods), `fee`, `max_share`, `indivisible`
    window: dict[str, NDArray[Any]]
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

    def is_window(self) -> Flags:
        """Return whether notice may be given, shape (S, T, K)."""
        t = np.arange(self.calendar.count)[:, None]
        return (self.window["first"][:, None] <= t) & (t <= self.window["last"][:, None])


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
    supply = _supply(cases, calendar, contracts, at, lines)
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
        pool=_pools(cases, pools),
        demand=_demand(cases, calendar, pathways),
        keep=_keep(cases, calendar, pathways),
        running=_running(cases, calendar, pathways),
        **supply,
        window=_window(cases, calendar, lines, supply["line_of"]),
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
        "effectiveness": _spread(shape, at, rows["effectiveness"]),
        "operating_cost": _spread(shape, at, rows["operating_cost_bn_per_gw_year"]),
        "initial": _spread(shape, at, rows["initial_gw"]),
        "min_block": _spread(shape, at, rows["min_block_gw"]),
    }


def _pools(cases: Scenarios, pools: Axis) -> dict[str, NDArray[Any]]:
    rows = cases.long("pools")
    at = (rows.scenario, pools.places(rows["pool"]))
    shape = (len(cases.instances), len(pools))
    return {
        "idle_penalty": _spread(shape, at, rows["idle_penalty_bn_per_gw_year"]),
        "terminal_value": _spread(shape, at, rows["terminal_value_bn_per_gw_year"], np.nan),
    }


def _supply(
    cases: Scenarios, calendar: Periods, contracts: Long, at: tuple[Ints, Ints], lines: pd.DataFrame
) -> dict[str, Any]:
    """Return what the contracts and deliveries of every scenario amount to."""
    size, count = len(cases.instances), calendar.count
    names = Axis(lines["contract"].drop_duplicates().to_numpy(dtype=object))
    line_of = _spread((size, len(names)), (at[0], names.places(contracts["contract"])), at[1], -1)
    delay = _spread((size, len(lines)), at, contracts["delay_months"])
    end = _spread((size, len(lines)), at, contracts["end"], np.datetime64("NaT", "D"))

    rows = cases.long("deliveries")
    scenario, gw = rows.scenario, rows["gw"]
    line = line_of[scenario, names.places(rows["contract"])]
    date = rows["date"]
    for months in np.unique(delay[scenario, line]):
        late = delay[scenario, line] == months
        moved = pd.DatetimeIndex(rows["date"][late]) + pd.DateOffset(months=int(months))
        date[late] = moved.to_numpy().astype("datetime64[D]")
    period = calendar.first_on_or_after(date)

    added = np.zeros((size, count + 1, len(lines)))
    np.add.at(added, (scenario, np.minimum(period, count), line), gw)
    contracted = added.sum(axis=1)
    ended = end[:, None, :] <= calendar.starts(count)[:, None]
    stop = np.zeros(end.shape, dtype=np.int64)
    stop[~np.isnat(end)] = calendar.first_on_or_after(end[~np.isnat(end)])
    return {
        "line_of": line_of,
        "cost": _spread((size, len(lines)), at, contracts["cost_bn_per_gw_year"]),
        "tail_periods": np.maximum(stop - count, 0),
        "contracted": contracted,
        "service": np.where(ended, 0.0, added[:, :count].cumsum(axis=1)),
        "later": {"scenario": scenario, "contract": line, "gw": gw, "period": period},
    }


def _window(cases: Scenarios, calendar: Periods, lines: pd.DataFrame, line_of: Ints) -> dict[str, NDArray[Any]]:
    rows = cases.long("cancellations")
    names = Axis(lines["contract"].drop_duplicates().to_numpy(dtype=object))
    scenario = rows.scenario
    at = (scenario, line_of[scenario, names.places(rows["contract"])])
    shape = (len(cases.instances), len(lines))
    opens, closes = (rows[name] for name in ("opens", "closes"))
    starts = calendar.starts(calendar.count)
    return {
        "first": _spread(shape, at, np.searchsorted(starts, opens, side="left"), 0),
        "last": _spread(shape, at, np.searchsorted(starts, closes, side="right") - 1, -1),
        "notice": _spread(shape, at, calendar.of_days(rows["notice_days"]), 0),
        "fee": _spread(shape, at, rows["fee_bn_per_gw"]),
        "max_share": _spread(shape, at, rows["max_share"]),
        "indivisible": _spread(shape, at, rows["indivisible"], False),
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
