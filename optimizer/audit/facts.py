"""What an instance's tables say of every scenario and period, worked out anew for the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimizer.audit.contracts import Promises, promises
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
    """A table's rows in every scenario.

    Attributes
    ----------
    table : Table
        Its entry in the catalogue.
    frames : list of DataFrame
        The different states in which scenarios have the table.
    rows : (R,) int array
        Row of each scenario's row in all states put below each other.
    scenario : (R,) int array
        Whose row it is.
    """

    table: Table
    frames: list[pd.DataFrame]
    rows: Ints
    scenario: Ints

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
    """Every combination of outcomes, the first factor varying slowest.

    Attributes
    ----------
    written : Instance
        The instance as written.
    instances : list of Instance
        The instance with the edits of each scenario, S of them.
    outcomes : list of list of str
        Each scenario's outcome of every factor.
    probability : (S,) float array
        Probability of each scenario.
    """

    written: Instance
    instances: list[Instance]
    outcomes: list[list[str]]
    probability: Floats

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
    """The nodes of the scenario tree, numbered by period, then by their first scenario.

    Attributes
    ----------
    node_of : (S, T) int array
        Node of each scenario and period.
    period, scenario, parent : (N,) int array
        Period; first scenario through the node; parent, -1 at a root.
    start : (N,) datetime64[s] array
        First day of the node's period.
    known : (N,) object array of str
        The outcomes known.
    probability : (N,) float array
        Probability of the node.
    weight : (S,) float array
        Probability of each scenario.
    """

    node_of: Ints
    period: Ints
    scenario: Ints
    parent: Ints
    start: Dates
    known: Texts
    probability: Floats
    weight: Floats

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


def nodes(found: Scenarios, calendar: Periods) -> Nodes:
    """Return the nodes of the tree: scenarios share them while they agree on what has been revealed."""
    factors = found.written.factors
    starts = calendar.starts(calendar.count)
    revealed = np.array([f.revealed for f in factors], dtype="datetime64[D]")
    is_known = revealed[None, :] <= starts[:, None]
    node_of = np.empty((len(found.instances), calendar.count), dtype=np.int64)
    known, first, period = [], [], []
    count, codes, labels = 0, np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    for t in range(calendar.count):
        if t == 0 or (is_known[t] != is_known[t - 1]).any():
            told = [", ".join(f"{f.name}={o}" for f, o, k in zip(factors, names, is_known[t], strict=True) if k)
                    for names in found.outcomes]  # fmt: skip
            codes, labels = pd.factorize(np.array(told, dtype=object))
        node_of[:, t] = count + codes
        known.append(labels)
        first.append(np.unique(codes, return_index=True)[1])
        period.append(np.full(len(labels), t))
        count += len(labels)
    scenario, at = np.concatenate(first), np.concatenate(period)
    parent = np.where(at > 0, node_of[scenario, np.maximum(at - 1, 0)], -1)
    weights = np.repeat(found.probability, calendar.count)
    return Nodes(
        node_of=node_of,
        period=at,
        scenario=scenario,
        parent=parent,
        start=starts[at].astype("datetime64[s]"),
        known=np.concatenate(known),
        probability=np.asarray(np.bincount(node_of.ravel(), weights=weights, minlength=count), dtype=float),
        weight=found.probability,
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

    Attributes
    ----------
    scenarios, calendar, nodes, pathways, pools, contracts, ways : Scenarios, Periods, Nodes, Axis
        What the axes run over; a contract that counts twice carries its pool in its name.
    contract_of : (K,) object array of str
        Name of each contract in the tables.
    pool_of : (K,) int array
        Pool of each contract.
    promises : Promises
        What the contracts deliver, and on which terms they are signed and left.
    pathway, pair, pool : dict of arrays, shapes (S, P), (S, P, Q), (S, Q)
        Data without a date; `ramp` in GW per period (inf: none), `breach_cost` nan where there is no breach.
    demand : dict of (S, T, P) float arrays
        `floor`, `target`, `cap` (inf: none).
    keep : (S, T, P) float array
        Share of the deals in force that churn leaves.
    running : dict of (S, T, P) float arrays
        Deals from before the start: `term`, GW within their term, and `notice`, GW that come back, less their churn.
    """

    scenarios: Scenarios
    calendar: Periods
    nodes: Nodes
    pathways: Axis
    pools: Axis
    contracts: Axis
    contract_of: Texts
    pool_of: Ints
    promises: Promises
    ways: Axis
    pathway: dict[str, NDArray[Any]]
    pair: dict[str, NDArray[Any]]
    pool: dict[str, NDArray[Any]]
    demand: dict[str, Floats]
    keep: Floats
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
    found, calendar = scenarios(instance), periods(instance)
    contracts = found.long("contracts")
    pathways = Axis(_names(found, "pathways", "pathway"))
    pools = Axis(_names(found, "pools", "pool"))
    lines = _lines(instance, contracts)
    twice = lines["contract"].duplicated(keep=False)
    labels = lines["contract"].where(~twice, lines["contract"] + "@" + lines["pool"])
    at = (contracts.scenario, _line(lines, contracts["contract"], contracts["pool"]))
    laid_out = promises(found, calendar, lines, at)
    return Facts(
        scenarios=found,
        calendar=calendar,
        nodes=nodes(found, calendar),
        pathways=pathways,
        pools=pools,
        contracts=Axis(labels.to_numpy(dtype=object)),
        contract_of=lines["contract"].to_numpy(dtype=object),
        pool_of=pools.places(lines["pool"]),
        pathway=_pathways(found, calendar, pathways),
        pair=_pairs(found, pathways, pools),
        pool=_pools(found, pools),
        demand=_demand(found, calendar, pathways),
        keep=_keep(found, calendar, pathways),
        running=_running(found, calendar, pathways),
        promises=laid_out,
        ways=Axis(laid_out.ways),
    )


def _names(found: Scenarios, table: str, column: str) -> Texts:
    written = found.written.tables[table][column].to_numpy(dtype=object)
    return np.unique(np.concatenate([written, found.long(table)[column]]))


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


def _pathways(found: Scenarios, calendar: Periods, pathways: Axis) -> dict[str, NDArray[Any]]:
    rows = found.long("pathways")
    at = (rows.scenario, pathways.places(rows["pathway"]))
    shape = (len(found.instances), len(pathways))
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


def _pairs(found: Scenarios, pathways: Axis, pools: Axis) -> dict[str, NDArray[Any]]:
    rows = found.long("eligibility")
    at = (rows.scenario, pathways.places(rows["pathway"]), pools.places(rows["pool"]))
    shape = (len(found.instances), len(pathways), len(pools))
    return {
        "eligible": _spread(shape, at, np.ones(len(rows), dtype=bool), False),
        "effectiveness": _spread(shape, at, rows["effectiveness"]),
        "operating_cost": _spread(shape, at, rows["operating_cost_bn_per_gw_year"]),
        "initial": _spread(shape, at, rows["initial_gw"]),
        "min_block": _spread(shape, at, rows["min_block_gw"]),
    }


def _pools(found: Scenarios, pools: Axis) -> dict[str, NDArray[Any]]:
    rows = found.long("pools")
    at = (rows.scenario, pools.places(rows["pool"]))
    shape = (len(found.instances), len(pools))
    return {
        "idle_penalty": _spread(shape, at, rows["idle_penalty_bn_per_gw_year"]),
        "terminal_value": _spread(shape, at, rows["terminal_value_bn_per_gw_year"], np.nan),
    }


def in_force(owner: Ints, dates: Dates, owners: int, calendar: Periods) -> Ints:
    """Return, for each owner and period, the row with the latest date on or before the period's start.

    Parameters
    ----------
    owner : (R,) int array
        Whose step function each row belongs to.
    dates : (R,) datetime64 array
        Date from which each row holds; an owner has no date twice.
    owners : int
        Number of owners.
    calendar : Periods
        The periods.
    """
    order = np.lexsort((dates, owner))
    since = np.searchsorted(calendar.starts(calendar.count), dates[order])
    place = owner[order] * (calendar.count + 1) + since
    asked = np.arange(owners)[:, None] * (calendar.count + 1) + np.arange(calendar.count)
    last = np.searchsorted(place, asked, side="right") - 1
    rows = np.append(order, -1)[last]
    return np.where(np.append(owner, -1)[rows] == np.arange(owners)[:, None], rows, -1)


def _demand(found: Scenarios, calendar: Periods, pathways: Axis) -> dict[str, Floats]:
    rows = found.long("demand")
    owner = rows.scenario * len(pathways) + pathways.places(rows["pathway"])
    owners = len(found.instances) * len(pathways)
    row = in_force(owner, rows["from"], owners, calendar)
    shape = (len(found.instances), len(pathways), calendar.count)

    def by_period(values: Any, absent: float) -> Floats:
        return np.append(values, absent)[row].reshape(shape).swapaxes(1, 2)  # row -1 is the one appended

    return {
        "floor": by_period(rows["floor_gw"], 0.0),
        "target": by_period(rows["target_gw"], 0.0),
        "cap": by_period(rows.limits("cap_gw"), np.inf),
    }


def _keep(found: Scenarios, calendar: Periods, pathways: Axis) -> Floats:
    size = (len(found.instances), calendar.count + 1, len(pathways))
    rows, losses = found.long("pathways"), found.long("churn")
    yearly = np.zeros((size[0], 1, size[2]))
    yearly[rows.scenario, 0, pathways.places(rows["pathway"])] = rows["churn_per_year"]
    keep = np.broadcast_to((1 - yearly) ** calendar.dt, size).copy()
    period = np.searchsorted(calendar.starts(calendar.count), losses["date"])
    at = (losses.scenario, period, pathways.places(losses["pathway"]))
    np.multiply.at(keep, at, 1 - losses["fraction"])
    return keep[:, :-1]


def _running(found: Scenarios, calendar: Periods, pathways: Axis) -> dict[str, Floats]:
    rows = found.long("running")
    left = np.cumprod(_keep(found, calendar, pathways), axis=1)
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
