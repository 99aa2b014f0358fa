"""Marginal values: what one more GW would add, from the duals of the constraints."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.limits import PER_YEAR, PRICED, Limit
from gwplan.catalogue.tolerances import DUALS, ROUNDING
from gwplan.models.data import PlanData
from gwplan.plan.tables import NodeColumns
from gwplan.solver.parametric import Sides
from gwplan.solver.program import FloatArray, IntArray, LinearProgram
from gwplan.solver.weights import node_weights


def marginal_values(
    program: LinearProgram,
    data: PlanData,
    row_duals: FloatArray,
    columns: NodeColumns,
    sides: Sides | None = None,
) -> pd.DataFrame:
    """Return the marginal value of every supply, target, floor, cap, ramp and lock.

    Parameters
    ----------
    program : LinearProgram
        Tells which row is what.
    data : PlanData
        Discount factors and probabilities.
    row_duals : (m,) float array
        Duals of the program, $bn per unit.
    columns : NodeColumns
        The columns that name a node.
    sides : Sides, optional
        What each row's bound is worth above and below it, and how far that holds, GW.

    Returns
    -------
    pandas.DataFrame
        ``bn_per_gw_year`` is in $bn per GW-year, gross of contract cost; for ramps in $bn per GW, as ``unit`` says.
        Positive: relaxing helps. Blank without duals. ``relaxed`` is the value of a
        little more relief and ``tightened`` that of a little less, which differ where the optimum is degenerate;
        ``from_gw`` and ``to_gw`` tell how far below and above the limit, ``limit_gw``, they hold. ``integers`` tells
        that whole cancellations and blocks are fixed as planned.
    """
    weight = node_weights(program, row_duals)
    bound = np.where(np.isfinite(program.row_lower), program.row_lower, program.row_upper)
    frames = []
    for limit, keys, rows in _limits(program):
        node = keys[:, -1]
        per_unit = weight[node] * data.node_discount[node] * (data.dt if limit.unit == PER_YEAR else 1.0)
        dual = limit.sign * row_duals[rows]
        value = _per_unit(dual, per_unit)
        unknown = np.full(len(dual), np.nan)
        up, down, low, high = (
            (sides.up[rows], sides.down[rows], sides.low[rows], sides.high[rows]) if sides else (unknown,) * 4
        )
        # Relaxing moves a limit from below up and a limit from above down: `sign` tells which.
        relaxed, tightened = (up, down) if limit.sign < 0 else (down, up)
        frames.append(
            columns.frame(
                node,
                constraint=limit.name,
                name=_names(program.labels, keys, limit.side),
                bn_per_gw_year=value,
                relaxed=_per_unit(limit.sign * relaxed, per_unit),
                tightened=_per_unit(limit.sign * tightened, per_unit),
                limit_gw=bound[rows],
                from_gw=low,
                to_gw=high,
                unit=limit.unit,
                integers="fixed" if program.whole.any() else "",
            )
        )
    return pd.concat(frames, ignore_index=True).sort_values("node", kind="stable", ignore_index=True)


def marginal_rows(program: LinearProgram) -> IntArray:
    """Return the rows that have a marginal value."""
    return np.concatenate([np.arange(rows.start, rows.stop) for _, _, rows in _limits(program)])


def _limits(program: LinearProgram) -> Iterator[tuple[Limit, IntArray, slice]]:
    """Yield the limits of a program that have a marginal value, with the keys and the places of their rows."""
    for row, limit in PRICED.items():
        if row in program.rows and len(program.row_keys[row]):
            yield limit, program.row_keys[row], program.rows[row]


def _per_unit(dual: FloatArray, per_unit: FloatArray) -> FloatArray:
    """Return duals as marginal values; blank without them."""
    value: FloatArray = np.divide(dual, per_unit, out=np.full(len(dual), np.nan), where=per_unit > 0)
    value[np.abs(value) < ROUNDING] = 0.0
    return value


def _names(labels: tuple[str, ...], keys: IntArray, side: str) -> NDArray[np.object_]:
    """Return the name of every row of a constraint; a name is spelt out once, not on every node."""
    distinct, place = np.unique(keys[:, :-1], axis=0, return_inverse=True)
    names = [row_name(labels, key) + (f" {side}" if side else "") for key in distinct.tolist()]
    return np.array(names, dtype=object)[place.reshape(-1)]


def row_name(labels: tuple[str, ...], key: list[int]) -> str:
    """Return the name of a row's pathway or pool, if any; of a lock on a pair ``pathway[pool]``."""
    if len(key) < 2:
        return "".join(labels[code] for code in key)
    owner, *pool = (labels[code] for code in key)
    return f"{_unmistakable(owner)}[{_unmistakable(pool[0])}]" if pool[0] else _unmistakable(owner)


def _unmistakable(name: str) -> str:
    """Return a name in double quotes if it has brackets: a pathway ``a[b]`` is not pathway a on pool b."""
    return json.dumps(name, ensure_ascii=False) if set("[]") & set(name) else name


def disagreements(table: pd.DataFrame, program: LinearProgram, data: PlanData, row_duals: FloatArray) -> list[str]:
    """Return where a table of marginal values does not lead back to the duals that prove the plan optimal.

    The table is read as it will be shown: by constraint, name and node, not by position.
    """
    if not len(row_duals):
        return []
    weight = node_weights(program, row_duals)
    shown = dict(
        zip(
            zip(table["constraint"], table["name"], table["node"].tolist(), strict=True),
            table["bn_per_gw_year"].tolist(),
            strict=True,
        )
    )
    wrong, expected = [], 0
    for limit, keys, rows in _limits(program):
        years = data.dt if limit.unit == PER_YEAR else 1.0
        names = _names(program.labels, keys, limit.side)
        for node, name, dual in zip(keys[:, -1].tolist(), names, row_duals[rows].tolist(), strict=True):
            expected += 1
            value = shown.get((limit.name, name, node))
            per_unit = float(weight[node] * data.node_discount[node] * years)
            back = np.nan if value is None else value * per_unit
            if not abs(back - limit.sign * dual) <= DUALS * (per_unit + abs(dual)):
                wrong.append(
                    f"marginal value of {limit.name} {name} at node {node}: {value} means a dual of {back}, "
                    f"the certified one is {limit.sign * dual}"
                )
    if expected != len(table):
        wrong.append(f"marginal values: {len(table)} rows for {expected} constraints")
    return wrong
