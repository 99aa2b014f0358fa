"""Where in the tables a demand is stated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from optimizer.catalogue.tables import TABLES
from optimizer.conflict.demands import Demand
from optimizer.tree.timeline import Timeline

MOST_ROWS: Final = 3
"""Most rows of deliveries, or else runs of rows, that are told; what stands in more is found by its name."""

_COLUMNS: Final = {
    "floor": ("demand", "floor_gw"),
    "cap": ("demand", "cap_gw"),
    "lock min": ("locks", "min_gw"),
    "lock max": ("locks", "max_gw"),
    "ramp": ("pathways", "ramp_gw_per_month"),
    "deals": ("pathways", "notice_days"),
    "block": ("eligibility", "min_block_gw"),
    "supply": ("deliveries", "gw"),
}
"""Table and column that state each kind of demand."""


def stated_at(demand: Demand, laid_out: Timeline) -> str:
    """Return where a demand is written, ``demand.csv row 10``; blank where many rows or an edit state it."""
    table, column = _COLUMNS[demand.kind]
    rows = np.array(sorted(set(_rows(demand, laid_out, column)) - {0}))
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    if not len(rows) or len(rows if demand.kind == "supply" else runs) > MOST_ROWS:
        return ""
    sheets = laid_out.instance.sheets
    named = [sheets.place(TABLES[table], row, column) if sheets else str(row) for run in runs for row in run[[0, -1]]]
    ends = [
        f"{first} to {last}" if size > 2 else f"{first} and {last}" if size == 2 else first
        for first, last, size in zip(named[::2], named[1::2], map(len, runs), strict=True)
    ]
    return listed(ends) if sheets else f"{TABLES[table].file} {'row' if len(rows) == 1 else 'rows'} {listed(ends)}"


def listed(names: Iterable[str]) -> str:
    """Return names as a list in words."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _rows(demand: Demand, laid_out: Timeline, column: str) -> list[int]:
    table = laid_out.instance.filled(_COLUMNS[demand.kind][0])
    if demand.kind == "supply":
        contracts = laid_out.instance.tables["contracts"]
        rows = table[table["contract"].isin(contracts["contract"][contracts["pool"] == demand.pool])]
    elif demand.kind in ("floor", "cap"):
        rows = _in_force(table[table["pathway"] == demand.pathway], demand, laid_out)
    else:
        rows = table[table["pathway"] == demand.pathway]
        rows = rows[rows["pool"] == demand.pool] if "pool" in rows else rows
        rows = _strictest(rows, demand, laid_out, column) if demand.kind.startswith("lock") else rows
    return [int(row) for row in rows.index]


def _starts(demand: Demand, laid_out: Timeline) -> pd.DatetimeIndex:
    periods = np.unique(laid_out.data.tree.period[demand.nodes])
    return pd.DatetimeIndex(laid_out.calendar.starts()[periods])


def _in_force(rows: pd.DataFrame, demand: Demand, laid_out: Timeline) -> pd.DataFrame:
    """Return the rows that state a pathway's demand at the start of one of the periods."""
    rows = rows.sort_values("from", kind="stable")
    at = rows["from"].searchsorted(_starts(demand, laid_out), side="right") - 1
    return rows.iloc[np.unique(at[at >= 0])]


def _strictest(rows: pd.DataFrame, demand: Demand, laid_out: Timeline, column: str) -> pd.DataFrame:
    """Return the locks that are the strictest in force in one of the periods."""
    found: set[int] = set()
    for start in _starts(demand, laid_out):
        holds = (rows["from"] <= start) & (rows["until"].isna() | (rows["until"] > start))
        limits = rows[column].where(holds)
        if limits.notna().any():
            strictest = limits.max() if column == "min_gw" else limits.min()
            found.update(np.flatnonzero(limits == strictest).tolist())
    return rows.iloc[sorted(found)]
