"""What rests on cells that nobody has verified: each swung by a stated range, by status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.catalogue.tables import TABLES, Column, Table
from optimizer.instance.instance import Cell, Edit, Instance
from optimizer.plan.claims import STATUSES
from optimizer.session import Session
from optimizer.studies.attempt import Told, attempt
from optimizer.studies.exposure import Figures
from optimizer.tree.timeline import TABLES_READ

UNVERIFIED: Final = STATUSES[1:]
"""What counts as unverified: every status but ``reported``, and none."""

SWUNG: Final = tuple(name for name in TABLES_READ if name != "locks")
"""Tables whose figures say how things are; locks are the planner's own decisions."""

NOT_READ: Final = {"contracts.face_value_bn", "curves.segments"}
"""Figures that no plan rests on: one is never read, the other is a matter of arithmetic."""


@dataclass(frozen=True)
class Group:
    """Cells that are swung together: rows of one column with one status and one owner."""

    table: Table
    column: Column
    status: str
    owner: str
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """The cells in words."""
        return f"{self.table.name}.{self.column.name}" + (f" [{self.owner}]" if self.owner else "")

    def edits(self, share: float) -> list[Edit]:
        """Return the edits that scale each cell by 1 + share; none where every cell is at its largest value already."""
        return [edit for _, row in self.rows.iterrows() for edit in self._edit(row, share)]

    def _edit(self, row: pd.Series, share: float) -> Iterator[Edit]:
        value = float(row[self.column.name])
        swung = value * (1 + share)
        if self.column.kind == "integer":
            swung = float(np.floor(swung) if share < 0 else np.ceil(swung))
        if self.column.most is not None:
            swung = min(swung, self.column.most)
        if swung != value:
            where = {name: _cell(row[name]) for name in key_of(self.table)}
            yield Edit(self.table.name, "set", where, self.column.name, swung)


def groups(instance: Instance, *, each: bool = False, statuses: Sequence[str] = UNVERIFIED) -> list[Group]:
    """Return the unverified cells of an instance by column, status and owner, or each for itself.

    Cells that are blank or 0 are left out: there is nothing to scale.

    Parameters
    ----------
    instance : Instance
        The instance.
    each : bool
        Whether every cell is a group of its own. Otherwise a pathway's, or pool's, cells of one column and status are
        swung together, and those of all contracts of one kind.
    statuses : sequence of str
        The statuses whose cells are wanted.
    """
    found = []
    for name in SWUNG:
        table, frame = TABLES[name], instance.filled(name)
        owner = _owners(instance, table, frame, each=each)
        for column in table.columns:
            if column.kind not in ("number", "integer") or column.key or f"{name}.{column.name}" in NOT_READ:
                continue
            filled = frame[frame[column.name].fillna(0.0).to_numpy() != 0]
            for status in statuses:
                rows = filled[filled["status"] == status]
                for whose in dict.fromkeys(owner[rows.index].tolist()):
                    found.append(Group(table, column, status, whose, rows[owner[rows.index] == whose]))
    return found


def key_of(table: Table) -> tuple[str, ...]:
    """Return the columns that name a row; deliveries, which have no key, go by contract and date."""
    return table.key or ("contract", "date")


def _owners(instance: Instance, table: Table, frame: pd.DataFrame, *, each: bool) -> pd.Series:
    """Return for every row whose cells it is swung with."""
    if each:
        cells = [[str(_cell(value)) for value in frame[name]] for name in key_of(table)]
        return pd.Series([", ".join(row) for row in zip(*cells, strict=True)], frame.index, dtype=object)
    if "contract" in frame:
        contracts = instance.filled("contracts")
        kinds = dict(zip(contracts["contract"], contracts["kind"], strict=True))
        return frame["contract"].map(kinds)
    return frame["pathway" if "pathway" in frame else "pool"]


def _cell(value: Any) -> Cell:
    """Return a value of a table as an edit's condition has it."""
    if isinstance(value, pd.Timestamp):
        return value.date()
    return value if isinstance(value, str | dt.date) else float(value)


def unverified(session: Session, share: float, tell: Told, *, each: bool = False) -> Figures:
    """Return what rests on unverified cells: GW, and worth when they are a share lower or higher, group by group.

    Parameters
    ----------
    session : Session
        The instance.
    share : float
        The swing, such as 0.2 for a fifth each way; a cell with a largest value goes no higher.
    tell : callable
        Told what is being solved.
    each : bool
        As in `groups`.

    Returns
    -------
    dict
        ``swings``: by group the change of worth each way, $bn, and ``at_risk_bn``, the larger loss of the two; None,
        with the reason, where a case has no plan. ``statuses``: by status how many cells there are, GW by the status of
        the contract's row and of the delivery's, the largest loss of one group, and the losses of all groups added,
        as if all went wrong at once and none made another worse.
    """
    base = session.base.objective_bn
    swings: list[Figures] = []
    for group in groups(session.instance, each=each):
        tell(f"{group.name} {share:.0%} down and up")
        down, up = (attempt(session, group.edits(sign * share)) for sign in (-1, 1))
        changes = [None if case.worth_bn is None else case.worth_bn - base for case in (down, up)]
        swings.append(
            {"cells": group.name, "status": group.status, "count": len(group.rows), "down_bn": changes[0],
             "up_bn": changes[1], "at_risk_bn": max([-c for c in changes if c is not None] + [0.0]),
             "reason": down.reason or up.reason}
        )  # fmt: skip
    swings.sort(key=lambda swing: -swing["at_risk_bn"])
    gw = gw_by_status(session.instance)
    statuses = []
    for status in STATUSES:
        mine = [swing for swing in swings if swing["status"] == status]
        risks = [swing["at_risk_bn"] for swing in mine]
        statuses.append(
            {"status": status, "cells": sum(swing["count"] for swing in mine), "contract_gw": gw[status][0],
             "delivery_gw": gw[status][1], "largest_bn": max(risks, default=0.0), "added_bn": sum(risks)}
        )  # fmt: skip
    return {"swing": share, "each": each, "statuses": statuses, "swings": swings}


def gw_by_status(instance: Instance) -> dict[str, tuple[float, float]]:
    """Return GW by the status of the contract's row, and by that of the delivery's: as written, all delivered."""
    contracts, deliveries = instance.filled("contracts").set_index("contract"), instance.filled("deliveries")
    of_contract = contracts["status"].reindex(deliveries["contract"]).to_numpy()
    gw = deliveries["gw"].to_numpy()
    return {
        status: (float(gw[of_contract == status].sum()), float(gw[(deliveries["status"] == status).to_numpy()].sum()))
        for status in STATUSES
    }
