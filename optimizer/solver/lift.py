"""A basis carried from one tree to another: a start for the simplex method on a model that was never solved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.solver.expand import Table
from optimizer.solver.highs import BASIC, FREE, LOWER, basis_codes, basis_of
from optimizer.solver.program import NUMBERED, Basis, BoolArray, FloatArray, IntArray, LinearProgram
from optimizer.tree.timeline import Timeline

RISK_ROWS = ("cumulative_worth", "deficit_met")

LEAST_SHARED = 0.9
"""Share of the rows that a carried basis must speak of: a start that leaves much open takes longer than none."""


def carried(
    basis: Basis,
    source: LinearProgram,
    source_tree: Timeline,
    target: LinearProgram,
    target_tree: Timeline,
    worth: FloatArray | None = None,
) -> Basis | None:
    """Return the basis of a solved program as a start for another one.

    A column or row of the target takes the status of the source's with the same names on the node that
    `matching_nodes` finds; what the source lacks starts as if it were not there: a column at its bound, a row slack.

    Parameters
    ----------
    basis : Basis
        Optimal basis of the source.
    source, target : LinearProgram
        The program that was solved, and the one that is to be.
    source_tree, target_tree : Timeline
        The instances on their trees.
    worth : (L,) float array, optional
        $bn of the source's plan at each of its leaves, where the target weighs risk and the source does not: the rows
        and columns of risk then start at what they are for that plan.
    """
    node = matching_nodes(source_tree, target_tree)
    columns, rows = basis_codes(basis)
    free = np.isinf(target.column_lower) & np.isinf(target.column_upper)
    column_codes = np.where(free, FREE, LOWER).astype(np.int8)
    row_codes = np.full(target.shape[0], BASIC, dtype=np.int8)
    label = _label_codes(source.labels, target.labels)
    shared = 0
    for taken, given, mine, theirs, my_keys, their_keys in (
        (column_codes, columns, target.columns, source.columns, target.column_keys, source.column_keys),
        (row_codes, rows, target.rows, source.rows, target.row_keys, source.row_keys),
    ):
        for name in mine.keys() & theirs.keys():
            at = _places(name, their_keys[name], my_keys[name], label, node)
            status, place = given[theirs[name]], mine[name]
            if at is None:
                taken[place] = status
                continue
            there = np.flatnonzero(at >= 0)
            taken[place.start + there] = status[at[there]]
            shared += len(there) if taken is row_codes else 0
    if worth is not None:
        leaf_of = np.full(source_tree.data.tree.size, -1, dtype=np.int64)
        leaf_of[source_tree.data.tree.leaves] = np.arange(len(worth))
        leaf = leaf_of[node[target_tree.data.tree.leaves]]
        _weigh_risk(target, target_tree, np.where(leaf >= 0, worth[leaf], worth.mean()), column_codes, row_codes)
        shared += sum(target.rows[name].stop - target.rows[name].start for name in RISK_ROWS)
    return basis_of(column_codes, row_codes) if shared >= LEAST_SHARED * len(row_codes) else None


def spliced(basis: Basis, other: Basis, program: LinearProgram, nodes: BoolArray) -> Basis:
    """Return a program's basis with the statuses of another one on some nodes, shape (N,) of the mask."""
    mine, theirs = basis_codes(basis), basis_codes(other)
    for codes, given, places, keys in zip(
        mine, theirs, (program.columns, program.rows), (program.column_keys, program.row_keys), strict=True
    ):
        for name, place in places.items():
            if len(keys[name]):  # what has no index stands on no node
                at = place.start + np.flatnonzero(nodes[keys[name][:, -1]])
                codes[at] = given[at]
    return basis_of(*mine)


def _weigh_risk(
    target: LinearProgram, tree: Timeline, worth: FloatArray, columns: NDArray[np.int8], rows: NDArray[np.int8]
) -> None:
    """Enter the columns and rows of risk into a basis so that a plan that kept every limit still does.

    `worth` has no bounds and follows from its row. The value at risk is the worth of the leaf at which the tail is
    full; the leaves that are worth less have a `deficit`, the others room to spare.
    """
    data = tree.data
    order = np.argsort(worth)
    through = np.cumsum(data.tree.probability[data.tree.leaves][order])
    full = min(int(np.searchsorted(through, data.tail)), len(order) - 1)
    worse, better = order[:full], order[full + 1 :]
    columns[target.columns["worth"]] = columns[target.columns["value_at_risk"]] = BASIC
    rows[target.rows["cumulative_worth"]] = rows[target.rows["deficit_met"]] = LOWER
    columns[target.columns["deficit"]] = LOWER
    columns[target.columns["deficit"].start + worse] = BASIC
    rows[target.rows["deficit_met"].start + better] = BASIC


def matching_nodes(source: Timeline, target: Timeline) -> IntArray:
    """Return, for each node of the target, the source's node of the same date that knows most of the same, else -1."""
    source_starts, target_starts = source.calendar.starts(), target.calendar.starts()
    mine, theirs = target.data.tree, source.data.tree
    known = _known_of(source, target)
    matched = np.full(mine.size, -1, dtype=np.int64)
    for t in range(mine.periods):
        nodes = np.flatnonzero(mine.period == t)
        others = np.flatnonzero(source_starts[theirs.period] == target_starts[t])
        if len(others):
            agree = (known[nodes][:, None, :] == theirs.known[others][None, :, :]).sum(axis=2)
            matched[nodes] = others[np.argmax(agree, axis=1)]
    return matched


def _known_of(source: Timeline, target: Timeline) -> IntArray:
    """Return what the target's nodes know, in the factors and outcomes of the source; -2: nothing that it has."""
    known = np.full((target.data.tree.size, len(source.instance.factors)), -2, dtype=np.int64)
    numbers = {factor.name: i for i, factor in enumerate(target.instance.factors)}
    for place, factor in enumerate(source.instance.factors):
        if factor.name in numbers:
            names = [outcome.name for outcome in target.instance.factors[numbers[factor.name]].outcomes]
            outcomes = {outcome.name: i for i, outcome in enumerate(factor.outcomes)}
            number = np.array([*(outcomes.get(name, -2) for name in names), -1])
            known[:, place] = number[target.data.tree.known[:, numbers[factor.name]]]
    return known


def fixed_where(
    names: tuple[str, ...],
    decided: FloatArray,
    source: LinearProgram,
    target: LinearProgram,
    node: IntArray,
) -> LinearProgram:
    """Return a program with variables fixed to what another one's solution decided."""
    lower, upper = target.column_lower.copy(), target.column_upper.copy()
    label = _label_codes(source.labels, target.labels)
    for name in names:
        at = _places(name, source.column_keys[name], target.column_keys[name], label, node)
        if at is None:
            continue
        place = target.columns[name].start + np.flatnonzero(at >= 0)
        amount = decided[source.columns[name]][at[at >= 0]]
        lower[place] = upper[place] = np.clip(amount, lower[place], upper[place])
    return replace(target, column_lower=lower, column_upper=upper)


def _label_codes(source: tuple[str, ...], target: tuple[str, ...]) -> IntArray:
    """Return the source's code of each name of the target, -1 where it has none."""
    number = {label: i for i, label in enumerate(source)}
    return np.array([number.get(name, -1) for name in target], dtype=np.int64)


def _places(name: str, source: IntArray, target: IntArray, label: IntArray, node: IntArray) -> IntArray | None:
    """Return the place among the source's keys of each of the target's, -1 where there is none; None: without an index.

    The last index is a node.
    """
    if not len(source) or not len(target):
        return np.full(len(target), -1, dtype=np.int64) if len(source) != len(target) else None
    last = target.shape[1] - 1
    numbered = NUMBERED.get(name, ())
    keys = [
        node[codes] if axis == last else codes if axis in numbered else label[codes]
        for axis, codes in enumerate(target.T)
    ]
    return Table(source).find(keys)
