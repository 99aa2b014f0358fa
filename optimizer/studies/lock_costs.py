"""What each lock costs: how much more the plan is worth without it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from optimizer.instance.instance import Edit, Instance, replaced
from optimizer.language.edits import spell
from optimizer.session import Session


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
