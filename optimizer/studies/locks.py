"""What each lock costs: how much more the plan is worth without it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from gwplan.instance.instance import Instance, replaced
from gwplan.language.cursor import Cell
from gwplan.language.edits import Edit, noted, spell
from gwplan.problems import InstanceError, Problem, composed
from gwplan.session import Session


@dataclass(frozen=True)
class LockCost:
    """A lock, in the words of the planner, and what worth is lost by it alone while the others hold ($bn)."""

    lock: str
    cost_bn: float


def lock_costs(instance: Instance) -> list[LockCost]:
    """Return what each row of ``locks`` costs: the worth without it less the worth with it, $bn.

    The costs of several locks need not sum to what they cost together.
    """
    with Session(instance) as session:
        worth = session.base.objective_bn
        return [
            LockCost(_words(row), session.solve_case(_without(instance, place)).objective_bn - worth)
            for place, row in enumerate(instance.filled("locks").to_dict("records"))
        ]


def _without(instance: Instance, place: int) -> Instance:
    table = instance.tables["locks"]
    kept = [other for other in range(len(table)) if other != place]
    return replaced(instance, {"locks": table.iloc[kept]})


def _words(row: Mapping[Hashable, Any]) -> str:
    """Return a lock as the command line spells it."""
    least, most = row["min_gw"], row["max_gw"]
    where = f"{row['pathway']}[{row['pool']}]" if row["pool"] else str(row["pathway"])
    dates = spell(Edit("locks", "drop", start=_day(row["from"]), until=_day(row["until"]))).partition(" @ ")[2]
    if least == most:
        held = f"= {least:g}"
    elif pd.isna(most):
        held = f">= {least:g}"
    else:
        held = f"<= {most:g}" if not least else f"from {least:g} to {most:g}"
    return f"{where} {held} @ {dates}"


def _day(cell: Any) -> dt.date | None:
    return None if cell is None or pd.isna(cell) else pd.Timestamp(cell).date()


FORM: Final = "write PATHWAY[POOL] = GW @ FROM..UNTIL; <= and >= for =, without [POOL] the sum over all pools"

_NAME: Final = r'"(?:[^"\\]|\\.)*"|[^\s\[\]=<>@"]+'
_LOCK: Final = re.compile(
    rf"\s*(?P<pathway>{_NAME})\s*(?:\[\s*(?P<pool>{_NAME})\s*\])?\s*(?P<side><=|>=|=)\s*"
    r"(?P<gw>\d+(?:\.\d*)?|\.\d+)\s*(?:@\s*(?P<start>\d{4}-\d\d-\d\d)?(?P<range>\.\.(?P<until>\d{4}-\d\d-\d\d)?)?\s*)?"
)


def lock(text: str, instance: Instance) -> Edit:
    """Return a lock as the edit that inserts it into ``locks``.

    ``PATHWAY[POOL] = GW @ FROM..UNTIL``: GW of the pool that the pathway uses from FROM (left out: the start of the
    plan) until the day before UNTIL (left out: the end). ``<=`` and ``>=`` hold one side; without a pool the pathway's
    sum is held.
    """
    text = composed(text)
    parts = _LOCK.fullmatch(text)
    if not parts or (text.rstrip().endswith("@")):
        raise InstanceError(Problem(f"--lock '{text}'", "cannot be read", FORM))
    gw = float(parts["gw"])
    cells: dict[str, Cell] = {"pathway": _name(parts["pathway"], text)}
    if parts["pool"]:
        cells["pool"] = _name(parts["pool"], text)
    try:
        cells["from"] = dt.date.fromisoformat(parts["start"]) if parts["start"] else instance.start
        if parts["until"]:
            cells["until"] = dt.date.fromisoformat(parts["until"])
    except ValueError as error:
        raise InstanceError(Problem(f"--lock '{text}'", str(error), "there is no such day")) from None
    if parts["side"] != "<=":
        cells["min_gw"] = gw
    if parts["side"] != ">=":
        cells["max_gw"] = gw
    return noted(Edit("locks", "insert", cells))


def _name(word: str, text: str) -> str:
    """Return the name that a word of a lock spells."""
    try:
        return str(json.loads(word)) if word.startswith('"') else word
    except json.JSONDecodeError:
        remedy = 'write a backslash \\\\ and a double quote \\"'
        raise InstanceError(Problem(f"--lock '{text}'", f"{word} cannot be read", "no such escape", remedy)) from None
