"""A planner's own policy: a table of rules, or a Python function.

A rule gives a pathway a share of a pool as long as its trigger holds, in an order of merit, and says whether notice may
be given to end the pathway's deals; or it signs an offer, or gives a contract back, once its trigger holds.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.files import printable
from gwplan.instance.instance import Instance
from gwplan.models.data import PlanData
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.solver.program import FloatArray
from gwplan.storage.read import given_table
from gwplan.studies.backtest.policies import in_service
from gwplan.studies.backtest.state import Course
from gwplan.studies.backtest.walk import Walk
from gwplan.tree.timeline import Timeline

ALL: Final = "*"

QUANTITIES: Final[Mapping[str, str]] = {
    "value": "the most that a GW-year of the pathway earns now, $bn",
    "target": "the pathway's target now, effective GW",
    "cap": "the pathway's cap now, GW",
    "use": "GW that the pathway had just before the review",
    "idle": "GW of the pool that were idle just before",
    "supply": "GW of the pool in service now",
    "date": "the day of the review",
}
"""What a trigger may look at, and in which unit it is."""

_COLUMNS: Final = ("pathway", "pool", "contract", "share", "order", "trigger", "notice")

OF_A_POOL: Final = ("idle", "supply", "date")
"""Those that are there without a pathway."""

_TRIGGER: Final = re.compile(r"\s*(?P<name>\w+)\s*(?P<way><=|>=|<|>)\s*(?P<value>\S+)\s*")
_WAYS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Trigger:
    """What must hold for a rule to count: a quantity compared with a number, or the day of the review with a day."""

    name: str
    way: str
    value: float  # in the quantity's unit; of a day its number since 1970

    def holds(self, value: float) -> bool:
        """Return whether it holds of a quantity, in the quantity's own unit."""
        return _WAYS[self.way](value, self.value)


@dataclass(frozen=True)
class OwnRule:
    """A row of a table of rules."""

    pathway: str
    pool: str  # ``*``: every pool that the pathway may use
    contract: str  # an offer to sign or a contract to give back; blank: the rule is about a pathway
    share: float  # share of the pool, or of the contract
    order: int  # order of merit, the first served first
    trigger: Trigger | None
    notice: bool  # whether notice may be given to end the pathway's deals


def rules_of(path: str, instance: Instance) -> list[dict[str, Any]]:
    """Return the rows of a table of rules, CSV or TOML, as JSON holds them; every bad rule is told.

    Raises
    ------
    InstanceError
        With a line for each rule that names nothing in the instance, or that cannot be read.
    """
    rows = given_table(path, "rules")
    file = f"{printable(PurePath(path).name)} row"
    plain = [
        {
            **row,
            "pool": row["pool"] or ALL,
            "share": _or(row["share"], 1.0),
            "order": int(_or(row["order"], 1)),
            "notice": _flag(row["notice"]),
        }
        for row in ({name: cells[name] for name in _COLUMNS} for cells in rows.to_dict("records"))
    ]
    records = [(f"{file} {number}", row) for number, row in zip(rows.index, plain, strict=True)]
    problems = [problem for where, row in records for problem in _wrong(where, row, instance)]
    if problems:
        raise InstanceError(problems)
    return plain


def _or(cell: Any, otherwise: float) -> float:
    return otherwise if cell != cell else float(cell)


def _flag(cell: Any) -> bool:
    return True if pd.isna(cell) else bool(cell)


def _wrong(where: str, row: Mapping[Any, Any], instance: Instance) -> list[Problem]:
    """Return the first thing that is wrong with a rule."""
    names = {name: instance.tables[table][name].tolist()
             for name, table in (("pathway", "pathways"), ("pool", "pools"), ("contract", "contracts"))}  # fmt: skip
    for name, known in names.items():
        if row[name] and row[name] not in known and not (name == "pool" and row[name] == ALL):
            return [Problem(f"{where}, {name}", f"'{row[name]}'", f"no such {name}", nearest(row[name], known))]
    if bool(row["pathway"]) == bool(row["contract"]):
        return [Problem(where, "no pathway and no contract" if not row["pathway"] else "a pathway and a contract",
                        "a rule is about one of them", "fill in one of the two columns")]  # fmt: skip
    if row["contract"]:
        ways = {table: instance.tables[table]["contract"].tolist() for table in ("offers", "cancellations")}
        if not any(row["contract"] in known for known in ways.values()):
            rule = "it is no offer, and no window lets it be given back"
            return [Problem(f"{where}, contract", f"'{row['contract']}'", rule, "name one that can be decided on")]
    else:
        pairs = instance.filled("eligibility")
        mine = pairs[pairs["pathway"] == row["pathway"]]["pool"].tolist()
        if row["pool"] != ALL and row["pool"] not in mine:
            rule = f"{row['pathway']} may not use it"
            return [Problem(f"{where}, pool", f"'{row['pool']}'", rule, nearest(row["pool"], mine))]
    try:
        trigger = _trigger(row["trigger"])
    except ValueError as error:
        what = f"'{row['trigger']}'"
        remedy = f"write one of {', '.join(QUANTITIES)}, then < <= > or >=, then a number"
        return [Problem(f"{where}, trigger", what, str(error), remedy)]
    if trigger and row["contract"] and trigger.name not in OF_A_POOL:
        rule = f"a rule about a contract looks at {', '.join(OF_A_POOL)}"
        return [Problem(f"{where}, trigger", f"'{row['trigger']}'", rule, "look at one of these")]
    return []


def told_rule(row: Mapping[str, Any]) -> str:
    """Return a rule in a few words, for what is kept of a backtest."""
    what = row["contract"] or f"{row['pathway']} on {row['pool']}"
    when = f" where {row['trigger']}" if row["trigger"] else ""
    return f"{row['order']}. {what}: {row['share']:g}{when}{'' if row['notice'] else ', no notice'}"


def _trigger(text: str) -> Trigger | None:
    if not text.strip():
        return None
    parts = _TRIGGER.fullmatch(text)
    if parts is None:
        raise ValueError("cannot be read")
    if parts["name"] not in QUANTITIES:
        raise ValueError(f"there is no '{parts['name']}' to look at")
    try:
        value = _day(parts["value"]) if parts["name"] == "date" else float(parts["value"])
    except ValueError:
        raise ValueError(f"'{parts['value']}' is no {'day' if parts['name'] == 'date' else 'number'}") from None
    if not np.isfinite(value):
        raise ValueError(f"'{parts['value']}' is no number")
    return Trigger(parts["name"], parts["way"], value)


def _day(text: str) -> float:
    return float(np.datetime64(dt.date.fromisoformat(text), "D").astype(int))


def by_rules(rows: Sequence[Mapping[str, Any]]) -> Callable[[Walk], Course]:
    """Return the policy of a table of rules."""
    rules = sorted(
        (OwnRule(**{**row, "trigger": _trigger(row["trigger"])}) for row in rows),
        key=lambda rule: rule.order,
    )

    def decide(walk: Walk) -> Course:
        laid_out = walk.seen(tree=False)
        now = _Now(walk, laid_out)
        decided = now.contracts([rule for rule in rules if rule.contract])
        used = [rule for rule in rules if rule.pathway]
        supply = in_service(laid_out.data, decided["cancelled"], decided["signed"])
        for rule in used:
            if not rule.notice:
                decided["release"][laid_out.data.pathways.index(rule.pathway), walk.period :] = 0.0
        return walk.follow(walk.near(now.wish(used, supply), decided))

    return decide


@dataclass
class _Now:
    """What rules look at at a review."""

    walk: Walk
    laid_out: Timeline
    before: dict[str, FloatArray] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.walk.state.on(self.laid_out)

    @property
    def data(self) -> PlanData:
        return self.laid_out.data

    def contracts(self, rules: Sequence[OwnRule]) -> dict[str, FloatArray]:
        """Return shares signed and given back from now on: by rules, as in the first plan where there are none."""
        period = self.walk.period
        decided = self.walk.meant(self.walk.desk.first, self.laid_out)
        decided["release"][:, period:] = np.nan
        if not rules:
            return decided
        owner = {"signed": self.data.offer_of, "cancelled": self.data.way_out_of}
        names = {what: [self.laid_out.contract_of[k] for k in of.tolist()] for what, of in owner.items()}
        windows = {"signed": self.data.offered, "cancelled": self.data.window}
        for what, window in windows.items():
            so_far = np.nan_to_num(self.before[what]).max(axis=1, initial=0.0)
            for rule in rules:
                mine = np.array([name == rule.contract for name in names[what]], dtype=bool) & window[:, period]
                if mine.any() and self._holds(rule, self.data.pool_of[self.data.contracts.index(rule.contract)]):
                    so_far = np.where(mine, np.maximum(so_far, rule.share), so_far)
            decided[what][:, period:] = so_far[:, None]
        return decided

    def wish(self, rules: Sequence[OwnRule], supply: FloatArray) -> FloatArray:
        """Return GW by pathway, pool and period that rules give, in their order of merit, shape (P, Q, T)."""
        data, now = self.data, slice(self.walk.period, None)
        wish = np.zeros((len(data.pathways), len(data.pools), data.tree.size))
        left, room = supply.copy(), _room(data)
        for rule in rules:
            p = data.pathways.index(rule.pathway)
            for q in range(len(data.pools)):
                if data.eligible[p, q, 0] and rule.pool in (ALL, data.pools[q]) and self._holds(rule, q):
                    per_gw = data.effectiveness[p, q, 0]
                    most = np.minimum(rule.share * supply[q], left[q])
                    useful = np.divide(room[p], per_gw, out=np.full_like(most, 0.0), where=per_gw > 0)
                    given = np.maximum(np.minimum(most, useful), 0.0)[now]
                    wish[p, q, now] += given
                    left[q, now] -= given
                    room[p, now] -= given * per_gw
        return wish

    def _holds(self, rule: OwnRule, q: int) -> bool:
        if rule.trigger is None:
            return True
        data, period = self.data, self.walk.period
        p = data.pathways.index(rule.pathway) if rule.pathway else -1
        used = self.before["allocate"][:, :, period - 1] if period else data.initial[:, :, 0]
        supplied = in_service(data, self.before["cancelled"], self.before["signed"])
        match rule.trigger.name:
            case "value":
                value = float(data.value[p, : int(data.tiers[p, period]), period].max(initial=0.0))
            case "target":
                value = float(data.target[p, period])
            case "cap":
                value = float(data.cap[p, period])
            case "use":
                value = float(used[p].sum())
            case "idle":
                value = float(supplied[q, max(period - 1, 0)] - used[:, q].sum())
            case "supply":
                value = float(supplied[q, period])
            case _:
                value = float(self.laid_out.calendar.starts()[period].astype("datetime64[D]").astype(int))
        return rule.trigger.holds(value)


def _room(data: PlanData) -> FloatArray:
    """Return the effective GW that each pathway can make use of at the most in each period, shape (P, T)."""
    in_force = np.arange(data.width.shape[1])[:, None] < data.tiers[:, None, :]
    earning = np.where(in_force, data.width, 0.0).sum(axis=1)
    best = data.effectiveness[:, :, 0].max(axis=1, initial=0.0)
    room: FloatArray = np.minimum(np.maximum(earning, data.target), data.cap * best[:, None])
    return room
