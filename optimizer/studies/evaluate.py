"""A given allocation priced: the limits it breaks, its worth with all else chosen best, the gap to the best plan."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from models.data import PlanData
from optimizer.audit.audit import audit
from optimizer.conflict.demands import elastic
from optimizer.errors import AuditError
from optimizer.files import printable
from optimizer.plan.marginals import row_name
from optimizer.plan.plan import Plan, make_plan
from optimizer.planning import plan_or_error
from optimizer.problems import InstanceError, Problem, nearest
from optimizer.session import Answer
from optimizer.solver.certify import certify
from optimizer.solver.program import FloatArray, IntArray, LinearProgram, Solution, SolveOptions
from optimizer.solver.solving import certified
from optimizer.storage.read import read_file
from optimizer.tree.timeline import Timeline

WORDS: Final = {
    "balance": "more of {} is used than is delivered and not cancelled",
    "floor_met": "{} has less than its floor",
    "cap_kept": "{} has more than its cap",
    "ramp": "{} grows faster than its ramp",
    "signing_ramp": "{} signs faster than its ramp",
    "deals": "deals of {} come back, or go, without notice",
    "term": "deals of {} end within their term",
    "lock_least": "{} has less than its lock",
    "lock_most": "{} has more than its lock",
    "block_least": "{} is used, and less than its least block",
    "block_most": "{} is used, and less than its least block",
}
"""By constraint: what it means to break it."""

_AUDITED: Final = (
    "balance",
    "idle GW",
    "floor:",
    "cap:",
    "ramp:",
    "lock:",
    "deals in force after",
    "deals within",
    "block of",
)
"""How the audit's findings on those limits begin."""

BROKEN: Final = 1e-6
"""GW beyond a limit that count as breaking it."""

PATHWAY_MONEY: Final = (
    "value", "operating_cost", "migration_cost", "signing_cost", "breach_cost", "shortfall_penalty",
    "move_penalty",
)  # fmt: skip
"""Components of worth that belong to a pathway."""

REST: Final = "contracts and idle"
"""Owner of the other components."""


@dataclass(frozen=True)
class Broken:
    """A limit that a given allocation breaks, on one or several nodes.

    Attributes
    ----------
    words : str
        What is broken.
    most_gw : float
        How far, at most, GW.
    nodes : int
        On how many nodes.
    start, known : str
        First day of the first such node, and what is known there.
    """

    words: str
    most_gw: float
    nodes: int
    start: str
    known: str


@dataclass(frozen=True)
class Evaluation:
    """A given allocation beside the best plan.

    Attributes
    ----------
    plan : Plan
        The given allocation with everything not given chosen best; without marginal values. Where it breaks limits, as
        if those were lifted by what it is beyond them.
    best : Plan
        The best plan.
    broken : tuple of Broken
        The limits that it breaks; as few GW beyond them as possible.
    """

    plan: Plan
    best: Plan
    broken: tuple[Broken, ...]

    @property
    def gap_bn(self) -> float:
        """Worth of the best plan less that of the given allocation, $bn."""
        return self.best.objective_bn - self.plan.objective_bn

    def gap_by_year(self) -> pd.DataFrame:
        """Return where the expected gap arises: rows of pathways and the rest, columns of years, $bn discounted."""
        best, mine = (_by_owner_and_year(plan) for plan in (self.best, self.plan))
        return best.sub(mine, fill_value=0.0).fillna(0.0)


def evaluate(best: Answer, given: FloatArray) -> Evaluation:
    """Price a given allocation.

    Parameters
    ----------
    best : Answer
        The best plan of the instance.
    given : (P, Q, N) float array
        GW; nan where nothing is given.

    Raises
    ------
    AuditError, SolverError, StoppedError
        As `optimizer.solve`.
    """
    program, laid_out = best.program, best.laid_out
    fixed = _fixed(program, laid_out.data, given)
    size = program.shape[1]
    breakable, rows = _elastic(fixed)
    least = _solved(breakable).columns[size:]
    beyond = np.where(least > BROKEN, least, 0.0)
    lifted = replace(
        breakable,
        cost=np.append(program.cost, np.zeros(len(beyond))),
        offset=program.offset,
        column_upper=np.append(fixed.column_upper, beyond + BROKEN / 10 * (beyond > 0)),
    )
    solution = _solved(lifted)
    own = replace(solution, columns=solution.columns[:size], row_duals=np.empty(0), row_ranges=None)
    proof = certify(lifted, solution.columns, solution.row_duals)
    plan = make_plan(laid_out, program, own, proof)
    _check(plan, broken=bool(beyond.any()))
    return Evaluation(plan, best.plan, tuple(_told(best, rows, beyond)))


def _fixed(program: LinearProgram, data: PlanData, given: FloatArray) -> LinearProgram:
    """Return the program with the allocation held at what is given."""
    label = np.array(program.labels, dtype=object)
    place = {
        kind: {name: i for i, name in enumerate(names)} for kind, names in (("p", data.pathways), ("q", data.pools))
    }
    at, keys = program.columns["allocate"], program.column_keys["allocate"]
    p, q = ([place[kind][label[code]] for code in keys[:, axis]] for axis, kind in enumerate("pq"))
    held = given[p, q, keys[:, 2]]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[at] = np.where(np.isnan(held), lower[at], held)
    upper[at] = np.where(np.isnan(held), upper[at], held)
    return replace(program, column_lower=lower, column_upper=upper)


def _elastic(program: LinearProgram) -> tuple[LinearProgram, IntArray]:
    """Return the program with every limit of `WORDS` allowed to be broken at 1 a GW, and the rows of those limits.

    Each such row has two columns more, one that adds GW to it and one that takes GW away; nothing else costs anything.
    """
    rows = np.concatenate([np.arange(at.start, at.stop) for name, at in program.rows.items() if name in WORDS])
    count = len(rows)
    both, signs = np.tile(rows, 2)[:, None], np.repeat([1.0, -1.0], count)[:, None]
    return elastic(program, both, signs, np.ones(2 * count), np.full(2 * count, np.inf)), rows


def _solved(program: LinearProgram) -> Solution:
    """Return the solution of an elastic program: it has one, since the best plan keeps all that cannot be broken."""
    solution, proof = certified(program, SolveOptions())
    plan_or_error(solution, proof, accept_stopped=False)
    return solution


def _check(plan: Plan, *, broken: bool) -> None:
    """Hold the tables against the instance; of a plan beyond its limits all but those limits must agree."""
    findings = audit(plan.instance, plan.tables, plan.summary)
    wrong = [str(f) for f in findings if not (broken and f.figure.startswith(_AUDITED))]
    if wrong:
        raise AuditError("the given allocation's figures do not agree with the instance's tables", wrong)


def _told(best: Answer, rows: IntArray, beyond: FloatArray) -> list[Broken]:
    """Return the limits that are broken, each once, in the order of the constraints."""
    program, laid_out = best.program, best.laid_out
    gw = beyond[: len(rows)] + beyond[len(rows) :]
    starts = laid_out.calendar.starts()
    found: dict[str, list[tuple[int, float]]] = {}
    for name, at in program.rows.items():
        for row in rows[(rows >= at.start) & (rows < at.stop) & (gw > 0)].tolist() if name in WORDS else ():
            key = program.row_keys[name][row - at.start].tolist()
            words = WORDS[name].format(row_name(program.labels, key[:-1]))
            found.setdefault(words, []).append((key[-1], float(gw[rows == row][0])))
    return [
        Broken(
            words,
            max(gw for _, gw in places),
            len(places),
            str(starts[laid_out.data.tree.period[node]]),
            laid_out.known[node],
        )
        for words, places in found.items()
        for node in [min(node for node, _ in places)]
    ]


def _by_owner_and_year(plan: Plan) -> pd.DataFrame:
    rows = plan.cashflow
    owner = rows["name"].where(rows["component"].isin(PATHWAY_MONEY), REST).rename("owner")
    expected = (rows["discounted_bn"] * rows["probability"]).groupby([owner, rows["start"].dt.year.rename("year")])
    return expected.sum().unstack().fillna(0.0)


Lines = list[tuple[int, list[str]]]
"""Rows that are not blank, each with its number in the file."""


def csv_lines(path: str | Path) -> tuple[str, Lines]:
    """Return the name of a CSV file, for messages, and its rows.

    Raises
    ------
    InstanceError
        If it cannot be read.
    """
    sources = read_file(path)
    if sources.problems:
        raise InstanceError(sources.problems)
    where, text = next(iter(sources.texts.items()))
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        return where, [(n, row) for n, row in enumerate(rows, start=1) if any(row)]
    except csv.Error as error:
        raise InstanceError(Problem(where, "cannot be read as CSV", str(error))) from None


def table_rows(path: str, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Return each row of a CSV file with these columns, in any order, and where it stands.

    Raises
    ------
    InstanceError
        If the file cannot be read, has other columns or no rows, or a row has other cells than the header.
    """
    where, lines = csv_lines(path)
    header = [name.strip() for name in lines[0][1]] if lines else []
    told = ",".join(columns)
    if sorted(header) != sorted(columns):
        unknown = [name for name in header if name not in columns]
        what = f"column '{unknown[0]}'" if unknown else f"the header '{','.join(header)}'"
        hint = nearest(unknown[0], columns) if unknown else f"write {told}"
        raise InstanceError(Problem(where, what, f"the columns are {told}", hint))
    if len(lines) < 2:
        raise InstanceError(Problem(where, "holds no row", f"below the header {told} each row says one thing"))
    short = printable(Path(where).name)
    wrong = [
        Problem(
            f"{short} row {number}", f"{len(row)} cells", f"the header has {len(header)}", "quote cells with commas"
        )
        for number, row in lines[1:]
        if len(row) != len(header)
    ]
    if wrong:
        raise InstanceError(wrong)
    return [
        (f"{short} row {number}", {name: cell.strip() for name, cell in zip(header, row, strict=True)})
        for number, row in lines[1:]
    ]


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
    """Return GW of a given allocation as `read_given` does, from rows that were read already."""
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
