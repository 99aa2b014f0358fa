"""The figures by which plans are compared, each with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.kept.run import Run
from optimizer.plan.plan import Plan

Tables = Mapping[str, pd.DataFrame]

GROUPS: Final = {
    "objective_bn": "$bn",
    "npv_bn": "$bn",
    "utilisation": "share",
    "idle_gw_years": "GW-years",
    "idle_cost_bn": "$bn",
    "moved_gw_years": "GW-years",
    "gw_years": "GW-years",
    "cancelled_gw": "GW",
    "marginal_value": "$bn per GW-year",
}
"""Every group of figures and its unit."""


@dataclass(frozen=True, order=True)
class Figure:
    """What a figure is about: its group, and the pathway, contract or pool; blank: the plan."""

    group: str
    name: str = ""

    @property
    def unit(self) -> str:
        """Unit of the figure."""
        return GROUPS[self.group]


def figures(plan: Plan | Run) -> dict[Figure, float]:
    """Return the figures of a plan.

    Worth (`objective_bn`), cash and idle; expected GW-years by pathway; expected GW of each contract for which notice
    has been given by the end of the plan; the mean marginal value of supply by pool over the plan's nodes, blank (nan)
    where it has none.
    """
    summary, tables = plan.summary, plan.tables
    totals = [name for name in GROUPS if not isinstance(summary.get(name, {}), dict)]
    found = {Figure(name): float(summary[name]) for name in totals}
    for pathway, years in summary["expected_gw_years"].items():
        found[Figure("gw_years", pathway)] = float(years)
    for contract, gw in cancelled(tables).items():
        found[Figure("cancelled_gw", contract)] = gw
    for pool, value in marginal_values(tables).items():
        found[Figure("marginal_value", pool)] = value
    return found


def cancelled(tables: Tables) -> dict[str, float]:
    """Return the expected GW of each contract for which notice has been given by the end of the plan."""
    nodes, rows = tables["nodes"], tables["cancellations"]
    parent, leaves = nodes["parent"].to_numpy(), nodes["period"].to_numpy() == nodes["period"].max()
    probability = nodes["probability"].to_numpy()
    found = {}
    for contract, mine in rows.groupby("contract", sort=True):
        at = dict(zip(mine["node"].tolist(), mine["gw"].tolist(), strict=True))
        given = np.zeros(len(nodes))
        for node in range(len(nodes)):
            given[node] = at.get(node, given[parent[node]] if parent[node] >= 0 else 0.0)
        found[str(contract)] = float((probability * given)[leaves].sum())
    return found


def marginal_values(tables: Tables) -> dict[str, float]:
    """Return the mean marginal value of each pool's supply over the nodes, by probability, $bn per GW-year."""
    rows: Any = tables["marginal_values"]
    rows = rows[rows["constraint"] == "supply"]
    found = {}
    for pool, mine in rows.groupby("name", sort=True):
        known = mine[mine["bn_per_gw_year"].notna()]
        weight = known["probability"].to_numpy()
        total = float(weight.sum())
        found[str(pool)] = float(weight @ known["bn_per_gw_year"].to_numpy()) / total if total > 0 else np.nan
    return found
