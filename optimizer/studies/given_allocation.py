"""A given allocation: a planner's own CSV, read against the tree of the instance that it is for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from optimizer.problems import InstanceError, Problem, nearest
from optimizer.solver.program import FloatArray, IntArray
from optimizer.storage.sources import printable
from optimizer.studies.table_file import csv_lines
from optimizer.tree.timeline import Timeline

WHEN: Final = ("node", "start", "period")
"""Columns that say where a row holds, the first of them that a file has; a date or a period means all its nodes."""

Rows = Sequence[tuple[int, Mapping[str, str]]]
"""Rows by their number in what they were read from, each its cells by column."""

COLUMNS: Final = ("node", "period", "start", "known", "probability", "pathway", "pool", "gw")


def read_given(path: str | Path, laid_out: Timeline) -> FloatArray:
    """Return GW of a given allocation by pathway, pool and node, nan where the file gives none; shape (P, Q, N).

    Parameters
    ----------
    path : str or Path
        A CSV file with columns ``pathway``, ``pool``, ``gw`` and one of ``node``, ``start`` (first day of a period) or
        ``period``; an ``allocation.csv`` of a kept run is one.
    laid_out : Timeline
        The instance on its tree.

    Raises
    ------
    InstanceError
        If the file cannot be read, or does not fit the instance; it carries every problem found.
    """
    return entered(read_rows(path, COLUMNS), printable(str(path)), laid_out)


def entered(rows: Rows, where: str, laid_out: Timeline) -> FloatArray:
    """Return GW of a given allocation as `read_given` does, from rows that were read already.

    Parameters
    ----------
    rows : Rows
        The rows.
    where : str
        What they were read from, for messages.
    laid_out : Timeline
        The instance on its tree.
    """
    reader = _Reader(where, laid_out)
    for number, row in rows:
        reader.read(number, row)
    if not rows:
        reader.problem("", "no rows", "a given allocation has at least one", "give pathway, pool, gw and start")
    if reader.problems:
        raise InstanceError(reader.problems)
    return reader.gw


def read_rows(path: str | Path, columns: Sequence[str]) -> Rows:
    """Return the rows of a CSV file that has some of these columns, ``pathway``, ``pool`` and ``gw`` among them.

    Of the columns in `WHEN` it must have one, where any is allowed.

    Raises
    ------
    InstanceError
        If it cannot be read, or its columns are others; it carries every problem found.
    """
    where, lines = csv_lines(path)
    header = [name.strip() for name in lines[0][1]] if lines else []
    problems = [Problem(where, f"column '{c}'", "unknown", nearest(c, columns)) for c in header if c not in columns]
    missing = [name for name in ("pathway", "pool", "gw") if name not in header]
    missing += [] if set(WHEN) & set(header) or not set(WHEN) & set(columns) else ["start (or node, or period)"]
    problems += [Problem(where, f"no column {name}", "a given allocation needs it", "add it") for name in missing]
    if len(set(header)) < len(header):
        problems.append(Problem(where, "a column stands twice", "every column has a name of its own", "remove one"))
    for number, row in lines[1:]:
        if len(row) != len(header):
            what, rule = f"{len(row)} cells", f"the header has {len(header)} columns"
            problems.append(Problem(f"{where} row {number}", what, rule, "add or remove cells"))
    if problems:
        raise InstanceError(problems)
    return [(number, dict(zip(header, map(str.strip, row), strict=True))) for number, row in lines[1:]]


class _Reader:
    """Rows of a given allocation as they become an array."""

    def __init__(self, where: str, laid_out: Timeline) -> None:
        data = laid_out.data
        self.where, self.laid_out = where, laid_out
        self.gw = np.full((len(data.pathways), len(data.pools), data.tree.size), np.nan)
        self.problems: list[Problem] = []
        starts = laid_out.calendar.starts().astype(str)
        self.start_of = starts[data.tree.period]
        self.period_of = {start: period for period, start in enumerate(starts.tolist())}

    def problem(self, row: str, what: str, rule: str, remedy: str = "") -> None:
        self.problems.append(Problem(f"{self.where}{row}", what, rule, remedy))

    def read(self, number: int, row: Mapping[str, str]) -> None:
        """Enter one row, or note what is wrong with it."""
        at = f" row {number}"
        data = self.laid_out.data
        p, q = (
            self._place(at, kind, row[kind], names)
            for kind, names in (("pathway", data.pathways), ("pool", data.pools))
        )
        nodes, gw = self._nodes(at, row), self._gw(at, row["gw"])
        if p is None or q is None or nodes is None or gw is None:
            return
        if gw > 0 and not data.eligible[p, q, data.tree.root[nodes]].all():
            rule = "eligibility.csv does not let the pathway use the pool"
            self.problem(
                f"{at}, gw", f"{gw:g} GW of {row['pool']} for {row['pathway']}", rule, "give 0, or add the pair"
            )
        elif not np.isnan(self.gw[p, q, nodes]).all():
            self.problem(
                at, f"{row['pathway']} on {row['pool']} is given twice there", "each cell once", "remove one row"
            )
        else:
            self.gw[p, q, nodes] = np.where(data.eligible[p, q, data.tree.root[nodes]], gw, np.nan)

    def _place(self, at: str, kind: str, name: str, names: Sequence[str]) -> int | None:
        if name in names:
            return names.index(name)
        self.problem(f"{at}, {kind}", f"'{name}'", f"no such {kind}", nearest(name, names))
        return None

    def _gw(self, at: str, text: str) -> float | None:
        try:
            gw = float(text)
        except ValueError:
            gw = math.nan
        if math.isfinite(gw) and gw >= -1e-9:
            return max(gw, 0.0)
        self.problem(
            f"{at}, gw", f"'{text}'", "must be a number of GW, at least 0", "leave the row out to have it chosen"
        )
        return None

    def _nodes(self, at: str, row: Mapping[str, str]) -> IntArray | None:
        """Return the nodes that a row holds on."""
        tree = self.laid_out.data.tree
        when = next(name for name in WHEN if name in row)
        text = row[when]
        if when == "start":
            if text in self.period_of:
                return np.flatnonzero(tree.period == self.period_of[text])
            self.problem(
                f"{at}, start",
                f"'{text}'",
                "not the first day of a period of the plan",
                f"write it like {self.start_of[0]}",
            )
            return None
        count = tree.size if when == "node" else tree.periods
        if not (text.isascii() and text.isdigit() and int(text) < count):
            self.problem(f"{at}, {when}", f"'{text}'", f"the plan has {when}s 0 to {count - 1}")
            return None
        if when == "period":
            return np.flatnonzero(tree.period == int(text))
        node = int(text)
        facts = {"start": self.start_of[node], "known": self.laid_out.known[node], "period": str(tree.period[node])}
        for name, mine in facts.items():
            if row.get(name, mine) != mine:
                rule = f"node {node} of this instance has {name} '{mine}'"
                self.problem(
                    f"{at}, {name}", f"'{row[name]}'", rule, "the file is of another tree: give start instead of node"
                )
                return None
        return np.array([node])
