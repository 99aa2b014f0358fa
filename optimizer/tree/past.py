"""The rule that an outcome must not change the past, and how a breach of it is told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from optimizer.catalogue.tables import TABLES
from optimizer.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.instance.instance import Factor, Instance, Outcome
    from optimizer.tree.arrays import Arrays, Names
    from optimizer.tree.calendar import Calendar
    from optimizer.tree.layouts import Layouts

_ABOUT: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "eligible": ("pathway pool", ("eligibility", "pathways", "pools")),
    "effectiveness": ("pathway pool", ("eligibility",)),
    "operating_cost": ("pathway pool", ("eligibility",)),
    "initial": ("pathway pool", ("eligibility",)),
    "min_block": ("pathway pool", ("eligibility",)),
    "idle_penalty": ("pool", ("pools",)),
    "shortfall_penalty": ("pathway", ("pathways",)),
    "migration_cost": ("pathway", ("pathways",)),
    "ramp": ("pathway", ("pathways",)),
    "signing_cost": ("pathway", ("pathways",)),
    "breach_cost": ("pathway", ("pathways",)),
    "notice": ("pathway", ("pathways",)),
    "term": ("pathway", ("pathways",)),
    "delivered": ("contract", ("deliveries", "contracts")),
    "bill": ("contract", ("contracts", "offer_prices")),
    "late_credit": ("contract", ("contracts",)),
    "window": ("way_out", ("cancellations",)),
    "cancel_notice": ("way_out", ("cancellations",)),
    "fee": ("way_out", ("cancellations",)),
    "fee_share": ("way_out", ("cancellations",)),
    "max_share": ("way_out", ("cancellations",)),
    "indivisible": ("way_out", ("cancellations",)),
    "offered": ("offer", ("offers",)),
    "lead": ("offer", ("offers",)),
    "price": ("offer", ("offer_prices", "contracts")),
    "signing_fee": ("offer", ("offer_prices", "offers")),
    "most_signed": ("offer", ("offers",)),
    "least_signed": ("offer", ("offers",)),
    "min_signed": ("offer", ("offers",)),
    "signed_whole": ("offer", ("offers",)),
    "unit": ("offer", ("deliveries", "contracts", "offers")),
    "floor": ("pathway", ("demand",)),
    "target": ("pathway", ("demand",)),
    "cap": ("pathway", ("demand",)),
    "tiers": ("pathway", ("value", "curves")),
    "width": ("pathway", ("value", "curves")),
    "value": ("pathway", ("value", "curves", "pathways")),
    "keep": ("pathway", ("churn", "pathways")),
    "held": ("pathway", ("running", "churn", "pathways")),
    "returning": ("pathway", ("running", "churn", "pathways")),
    "lock_least": ("pathway", ("locks",)),
    "lock_most": ("pathway", ("locks",)),
}
"""Whose row a field is, and the tables that it is computed from."""


def changes_of_the_past(
    factors: Sequence[Factor],
    alone: list[list[tuple[Instance, Arrays, Instance, Arrays]]],
    revealed: NDArray[np.int64],
    calendar: Calendar,
    names: Names,
    layouts: Layouts,
) -> list[Problem]:
    """Return a problem for each outcome, table and row whose data before the reveal differ from those as written.

    Parameters
    ----------
    factors : sequence of Factor
        The factors.
    alone : list of list of (Instance, dict of arrays, Instance, dict of arrays)
        For each factor and outcome, the instance before that outcome's edits and its data, then after them; data that
        change over time end with the axis of periods.
    revealed : (F,) int array
        Period in which each factor is revealed.
    calendar : Calendar
        The periods.
    names : Names
        Names along the axes.
    layouts : Layouts
        Remembers what was compared before.
    """
    problems: dict[tuple[str, ...], Problem] = {}
    for factor, outcomes, period in zip(factors, alone, revealed.tolist(), strict=True):
        before = min(period, calendar.periods)
        if before == 0:
            continue
        for outcome, (instance, as_written, edited, arrays) in zip(factor.outcomes, outcomes, strict=True):
            for field, (axes, _) in _ABOUT.items():
                mine, theirs = as_written[field], arrays[field]
                if theirs is mine:
                    continue
                compare = partial(_first_difference, mine, theirs, before, len(axes.split()), calendar.periods)
                place = layouts.once(("past", field, before, calendar.periods), (mine, theirs), compare)
                if place is None:
                    continue
                where, t = place
                owner = _owner(axes, where, names)
                table = _changed_table(field, instance, edited)
                problem = _told(factor, outcome, table, owner, field, t, instance, edited, calendar)
                problems.setdefault((factor.name, outcome.name, table, *owner.values()), problem)
    return list(problems.values())


def _first_difference(
    mine: NDArray[Any], theirs: NDArray[Any], before: int, owners: int, periods: int
) -> tuple[tuple[int, ...], int | None] | None:
    """Return the owner and period of the first difference before a period, None where there is none."""
    dated = mine.ndim > owners and mine.shape[-1] == periods
    if mine.ndim == 3 and mine.shape != theirs.shape:  # tiers: a missing tier is one of width 0
        most = max(mine.shape[1], theirs.shape[1])
        mine, theirs = (np.pad(a, ((0, 0), (0, most - a.shape[1]), (0, 0))) for a in (mine, theirs))
    differ = ~((mine == theirs) | (_is_nan(mine) & _is_nan(theirs)))
    if dated:
        differ = differ[..., :before]
        if not differ.any():
            return None
        t = int(np.argmax(differ.reshape(-1, before).any(axis=0)))
        return tuple(int(i) for i in np.argwhere(differ[..., t])[0][:owners]), t
    if not differ.any():
        return None
    return tuple(int(i) for i in np.argwhere(differ)[0]), None


def _is_nan(array: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=bool)


def _owner(axes: str, where: tuple[int, ...], names: Names) -> dict[str, str]:
    known = {"pathway": names.pathways, "pool": names.pools, "contract": tuple(c for c, _ in names.contracts)}
    of_contract = {"way_out": names.way_out_of, "offer": names.offer_of}
    owner = {}
    for axis, i in zip(axes.split(), where, strict=True):
        axis, i = ("contract", int(of_contract[axis][i])) if axis in of_contract else (axis, i)
        owner[axis] = known[axis][i]
    return owner


def _changed_table(field: str, instance: Instance, edited: Instance) -> str:
    tables = _ABOUT[field][1]
    changed = [table for table in tables if instance.tables[table] is not edited.tables[table]]
    return changed[0] if changed else tables[0]


def _told(
    factor: Factor,
    outcome: Outcome,
    table: str,
    owner: dict[str, str],
    field: str,
    t: int | None,
    instance: Instance,
    edited: Instance,
    calendar: Calendar,
) -> Problem:
    row = _changed_row(table, owner, instance, edited)
    named = ", ".join(f"{axis} {name}" for axis, name in owner.items())
    when = calendar.starts()[t or 0]
    return Problem(
        f"uncertainty.toml factor {factor.name}, outcome {outcome.name}: {TABLES[table].file}{row}, {named}",
        f"changes {field.replace('_', ' ')} from {when} on, before the factor is revealed on {factor.revealed}",
        "an outcome must not change the past",
        f"date the edit on or after {factor.revealed}"
        if t is not None
        else f"the data of {table}.csv hold from the start: put the change into a dated table, or reveal the factor by "
        f"{calendar.starts()[0]}",
    )


def _changed_row(table: str, owner: dict[str, str], instance: Instance, edited: Instance) -> str:
    """Return the first row of the table that the outcome changed for the owner, as it is numbered in the file."""
    before, after = instance.tables[table], edited.tables[table]
    mine = after
    for axis, name in owner.items():
        mine = mine[mine[axis] == name] if axis in mine.columns else mine
    for row, cells in zip(mine.index.tolist(), mine.itertuples(index=False), strict=True):
        if row == 0:
            return " inserted row"
        if row not in before.index or not _same(before.loc[[row]].iloc[0].tolist(), list(cells)):
            return f" row {row}"
    return ""


def _same(left: list[Any], right: list[Any]) -> bool:
    return all(a == b or (a != a and b != b) or str(a) == str(b) for a, b in zip(left, right, strict=True))
