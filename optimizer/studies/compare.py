"""What differs between kept runs: cells of their inputs, figures, allocations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import ANNOTATIONS, TABLES, Table
from gwplan.catalogue.tolerances import PROVED
from gwplan.instance.cells import shown
from gwplan.instance.instance import Instance
from gwplan.kept.run import Run
from gwplan.language.edits import spell
from gwplan.plan.plan import Plan
from gwplan.problems import InstanceError, Problem

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
    "signed_gw": "GW",
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
    values = {Figure(name): float(summary[name]) for name in totals}
    for pathway, years in summary["expected_gw_years"].items():
        values[Figure("gw_years", pathway)] = float(years)
    for contract, gw in cancelled(tables).items():
        values[Figure("cancelled_gw", contract)] = gw
    for offer, gw in summary.get("signed_gw", {}).items():
        values[Figure("signed_gw", offer)] = float(gw)
    for pool, value in marginal_values(tables).items():
        values[Figure("marginal_value", pool)] = value
    return values


def cancelled(tables: Tables) -> dict[str, float]:
    """Return the expected GW of each contract for which notice has been given by the end of the plan."""
    nodes, rows = tables["nodes"], tables["cancellations"]
    parent, leaves = nodes["parent"].to_numpy(), nodes["period"].to_numpy() == nodes["period"].max()
    probability = nodes["probability"].to_numpy()
    gw: dict[str, float] = {}
    for (contract, _), mine in rows.fillna({"window": ""}).groupby(["contract", "window"], sort=True):
        at = dict(zip(mine["node"].tolist(), mine["gw"].tolist(), strict=True))
        given = np.zeros(len(nodes))
        for node in range(len(nodes)):
            given[node] = at.get(node, given[parent[node]] if parent[node] >= 0 else 0.0)
        gw[str(contract)] = gw.get(str(contract), 0.0) + float((probability * given)[leaves].sum())
    return gw


def marginal_values(tables: Tables) -> dict[str, float]:
    """Return the mean marginal value of each pool's supply over the nodes, by probability, $bn per GW-year."""
    rows: Any = tables["marginal_values"]
    rows = rows[rows["constraint"] == "supply"]
    means = {}
    for pool, mine in rows.groupby("name", sort=True):
        known = mine[mine["bn_per_gw_year"].notna()]
        weight = known["probability"].to_numpy()
        total = float(weight.sum())
        means[str(pool)] = float(weight @ known["bn_per_gw_year"].to_numpy()) / total if total > 0 else np.nan
    return means


ABSENT: Final = "(no row)"


@dataclass(frozen=True)
class InputDifference:
    """One cell that differs, or a row that only one of two instances has."""

    where: str  # the cell, as an edit would name it
    # the cell in the first and in the other instance; blank: a blank cell
    before: str
    after: str


def refuse_unlike(runs: Sequence[Run]) -> None:
    """Raise unless the figures of the runs mean the same.

    Raises
    ------
    InstanceError
        For every run whose periods differ from the first one's, so that its money is discounted to another day or
        summed over other years, or that shares no pathway with it.
    """
    first = runs[0].instance
    problems = []
    rule = "figures of such runs do not mean the same"
    for run in runs[1:]:
        other, where = run.instance, str(run.folder)
        for what in ("start", "resolution", "periods"):
            mine, theirs = getattr(other, what), getattr(first, what)
            if mine != theirs:
                what_differs = f"calendar.{what} is {mine}, in {runs[0].folder} it is {theirs}"
                problems.append(Problem(where, what_differs, rule, "solve one of the two over the other's periods"))
        if not set(other.tables["pathways"]["pathway"]) & set(first.tables["pathways"]["pathway"]):
            what_differs = f"it shares no pathway with {runs[0].folder}"
            problems.append(Problem(where, what_differs, rule, "compare runs of the same instance"))
    if problems:
        raise InstanceError(problems)


def caveats(runs: Sequence[Run]) -> list[str]:
    """Return what a reader of the comparison must know: runs not proved best, worth weighed in another way."""
    first, lines = runs[0].instance, []
    for run in runs:
        status = str(run.summary["status"])
        if status != "optimal":
            lines.append(f"{run.folder} stopped ({status.replace('_', ' ')}): it may be worth more than it says")
    for run in runs[1:]:
        for what in ("discount_rate", "aversion", "tail"):
            mine, theirs = getattr(run.instance, what), getattr(first, what)
            if mine != theirs and (what != "tail" or run.instance.aversion):
                lines.append(f"{run.folder} weighs money with {what} {mine:g} instead of {theirs:g}")
        if _nearness(first, run.instance):
            lines.append(f"{run.folder} and {runs[0].folder} stay near different plans: their worth counts other moves")
    return lines


def inputs(first: Instance, other: Instance) -> list[InputDifference]:
    """Return every cell that differs between two instances, in the order of the format; annotations do not count."""
    differences: list[InputDifference] = []
    for name, table in TABLES.items():
        before, after = (_rows(instance, table) for instance in (first, other))
        for key in dict.fromkeys([*before, *after]):
            rows = before.get(key), after.get(key)
            differences += _row_differences(name, table, key, *rows)
    return differences + _uncertainty(first, other) + _nearness(first, other)


def _rows(instance: Instance, table: Table) -> dict[tuple[Any, ...], dict[str, str]]:
    """Return the rows of a table by their key and a number that tells apart those of the same; defaults filled in."""
    frame = instance.filled(table.name)
    key = _key(table)
    cells = {column.name: [_shown(cell) for cell in frame[column.name].tolist()] for column in table.columns}
    rows: dict[tuple[Any, ...], dict[str, str]] = {}
    for place in range(len(frame)):
        values = tuple(cells[name][place] for name in key)
        number = 0
        while (*values, number) in rows:
            number += 1
        rows[(*values, number)] = {name: column[place] for name, column in cells.items()}
    return rows


def _key(table: Table) -> tuple[str, ...]:
    """Return the columns that name a row; of a table without a key its first, so that a row that moved is the same."""
    return () if table.section else table.key or (table.columns[0].name,)


def _row_differences(
    name: str, table: Table, key: tuple[Any, ...], before: dict[str, str] | None, after: dict[str, str] | None
) -> list[InputDifference]:
    names = _key(table)
    selected = ", ".join(f"{column}={value}" for column, value in zip(names, key[:-1], strict=True))
    where = f"{name}[{selected}]" if selected else name
    where += f" row {key[-1] + 1}" if key[-1] else ""
    if before is None or after is None:
        row = before or after or {}
        cells = ", ".join(f"{column}={value}" for column, value in row.items() if value and column not in names)
        cells = cells or "a row"
        return [InputDifference(where, cells if before else ABSENT, cells if after else ABSENT)]
    skipped = {column.name for column in ANNOTATIONS} | ({"name", "description"} if name == "instance" else set())
    return [
        InputDifference(f"{where}.{column}", before[column], after[column])
        for column in before
        if column not in skipped and before[column] != after[column]
    ]


def _shown(cell: Any) -> str:
    """Return a cell as a table file holds it, blank where it is."""
    if isinstance(cell, str):
        return cell
    if cell is None or pd.isna(cell):
        return ""
    return cell.date().isoformat() if isinstance(cell, pd.Timestamp) else shown(cell)


def _uncertainty(first: Instance, other: Instance) -> list[InputDifference]:
    """Return the dates, probabilities and edits of outcomes that differ."""
    before, after = (_facts_of_factors(instance) for instance in (first, other))
    return [
        InputDifference(where, before.get(where, ABSENT), after.get(where, ABSENT))
        for where in dict.fromkeys([*before, *after])
        if before.get(where) != after.get(where)
    ]


def _nearness(first: Instance, other: Instance) -> list[InputDifference]:
    """Return the plans to stay near, and what leaving them costs, where they differ."""
    before, after = (
        f"{near.move_cost_bn_per_gw_year:g} $bn per GW-year off plan {near.digest[:8]}" if near else ""
        for near in (first.earlier, other.earlier)
    )
    return [InputDifference("plan to stay near", before, after)] if before != after else []


def _facts_of_factors(instance: Instance) -> dict[str, str]:
    facts = {}
    for factor in instance.factors:
        facts[f"uncertainty[factor={factor.name}].revealed"] = factor.revealed.isoformat()
        for outcome in factor.outcomes:
            where = f"uncertainty[factor={factor.name},outcome={outcome.name}]"
            facts[f"{where}.probability"] = f"{outcome.probability:g}"
            for row in outcome.probability_given:
                given = f'uncertainty[factor={factor.name},outcome={outcome.name},given="{row.text}"]'
                facts[f"{given}.probability"] = f"{row.probability:g}"
            facts[f"{where}.edits"] = "; ".join(each.text or spell(each) for each in outcome.edits)
    return facts


def figure_differences(runs: Sequence[Run], *, everything: bool = False) -> list[tuple[Figure, list[float]]]:
    """Return the figures that differ between runs, each its value in every run (nan: none) in its unit; or all."""
    by_run = [figures(run) for run in runs]
    rows = []
    for figure in dict.fromkeys(figure for each in by_run for figure in each):
        values = [each.get(figure, np.nan) for each in by_run]
        if everything or any(_differ(values[0], value) for value in values[1:]):
            rows.append((figure, values))
    return rows


def _differ(one: float, other: float) -> bool:
    if np.isnan(one) or np.isnan(other):
        return bool(np.isnan(one) != np.isnan(other))
    return abs(one - other) > PROVED * (1 + abs(one))


def allocations(runs: Sequence[Run], *, everything: bool = False) -> pd.DataFrame:
    """Return the expected GW of each pair of pathway and pool by year, a column for each run; only where they differ.

    The mean over the periods that start in the year; columns are numbered as the runs are.
    """
    columns = []
    for number, run in enumerate(runs):
        rows = run.tables["allocation"]
        year = rows["start"].dt.year.rename("year")
        periods = rows.groupby(year)["period"].nunique()
        gw = (rows["gw"] * rows["probability"]).groupby([rows["pathway"], rows["pool"], year]).sum()
        columns.append((gw / periods.reindex(gw.index.get_level_values("year")).to_numpy()).rename(number))
    table = pd.concat(columns, axis=1).fillna(0.0)
    apart = (table.sub(table[0], axis=0).abs() > PROVED).any(axis=1)
    kept = table if everything else table[apart]
    return kept.sort_index().reset_index()
