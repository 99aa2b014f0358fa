"""Edits applied to an instance: what-ifs, ``--set`` and outcomes change tables through this one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import EDITABLE_ONLY_BY_WHATIF, TABLES, Column, Kind, Table
from gwplan.catalogue.tolerances import DIGITS
from gwplan.instance.cells import check_cells, filled_default, frame_of, place, shown
from gwplan.instance.selection import (
    Mask,
    column_of,
    finite,
    meets,
    owners_of,
    refused,
    select,
    typed,
    with_column,
)
from gwplan.language.cursor import Cell
from gwplan.language.edits import Edit, Factor, Outcome, spell
from gwplan.problems import InstanceError, Problem, nearest

TARGET: Final = "uncertainty"
_KEYS: Final = ("factor", "outcome", "given")


def reweighted(factors: tuple[Factor, ...], edit: Edit) -> tuple[Factor, ...]:
    """Return the factors with the probability of the matching outcomes changed.

    The other outcomes of the same factor share what is left in their old proportions, row by row of what is given.

    Raises
    ------
    InstanceError
        If nothing matches, or a probability would leave (0, 1), or no other outcome is left to rescale.
    """
    _refuse_other_than_probability(edit)
    factor_pattern, outcome_pattern = (edit.where.get(key, "*") for key in _KEYS[:2])
    named = _matching(edit, "factor", factor_pattern, [factor.name for factor in factors])
    candidates = [outcome.name for factor in factors if factor.name in named for outcome in factor.outcomes]
    chosen = _matching(edit, "outcome", outcome_pattern, candidates)
    every = [row for factor in factors if factor.name in named for row in given_rows(factor)]
    rows = _matching(edit, "given", as_given(edit.where["given"]), every) if "given" in edit.where else {""}
    if "given" not in edit.where and len(set(every)) > 1:
        rows_there = " or ".join(f'given="{row}"' for row in dict.fromkeys(every))
        rule = "probabilities that hang on earlier factors have several rows, and an edit names the one it changes"
        raise refused(edit, "no row of probabilities", rule, f"add {rows_there}, or given=* for all of them")
    for row in dict.fromkeys(row for row in every if row in rows):
        factors = tuple(
            _reweighted(edit, factor, chosen, row) if factor.name in named and row in given_rows(factor) else factor
            for factor in factors
        )
    return factors


def given_rows(factor: Factor) -> list[str]:
    """Return what the rows of a factor's probabilities are given; ``""`` is that of none."""
    return list(dict.fromkeys(["", *(row.text for o in factor.outcomes for row in o.probability_given)]))


def as_given(pattern: Cell) -> Cell:
    """Return a pattern for what is given with the blanks after commas as they are written."""
    return ", ".join(part.strip() for part in pattern.split(",")) if isinstance(pattern, str) else pattern


def probability_in(outcome: Outcome, row: str) -> float | None:
    """Return an outcome's probability in a row of what is given, None where it has none there."""
    rows = {"": outcome.probability, **{each.text: each.probability for each in outcome.probability_given}}
    return rows.get(row)


def _with_probability(outcome: Outcome, row: str, probability: float) -> Outcome:
    if not row:
        return replace(outcome, probability=probability)
    rows = tuple(
        replace(each, probability=probability) if each.text == row else each for each in outcome.probability_given
    )
    return replace(outcome, probability_given=rows)


def _refuse_other_than_probability(edit: Edit) -> None:
    if edit.operation in ("insert", "drop"):
        rule = "outcomes are neither added nor dropped by an edit"
        raise refused(edit, edit.operation, rule, "to take an outcome as known there is --given")
    if edit.column != "probability":
        hint = nearest(edit.column, ["probability"])
        raise refused(edit, f"column '{edit.column}'", "of uncertainty only the probability is edited", hint)
    if edit.operation == "shift_months":
        raise refused(edit, "shift_months", "probability is a number column: it takes set, scale and add")
    if edit.start or edit.until:
        raise refused(edit, "dates", "uncertainty is undated: an edit of it takes no dates")
    unknown = [key for key in edit.where if key not in _KEYS]
    if unknown:
        raise refused(edit, f"column '{unknown[0]}'", "uncertainty has no such column", nearest(unknown[0], _KEYS))


def _matching(edit: Edit, kind: str, pattern: Cell, names: Sequence[str]) -> set[str]:
    if not isinstance(pattern, str):
        raise refused(edit, f"{kind}: {pattern}", f"{kind} is text", "put it in double quotes")
    matching = {name for name in names if meets(pattern, name)}
    if not matching:
        rule = "an edit must match at least one outcome"
        raise refused(edit, f"no {kind} '{pattern}'", rule, nearest(pattern, names))
    return matching


def _reweighted(edit: Edit, factor: Factor, chosen: set[str], row: str) -> Factor:
    operand = finite(edit, "probability", edit.value)
    written = {o.name: p for o in factor.outcomes if (p := probability_in(o, row)) is not None}
    missing = [o.name for o in factor.outcomes if o.name not in written]
    if missing:
        what = f"no probability of {missing[0]} given {row}"
        raise refused(edit, what, "the outcomes of a row share what is left", f"write that of {missing[0]} too")
    change: dict[str, Callable[[float], float]] = {
        "set": lambda _: operand,
        "scale": lambda probability: probability * operand,
        "add": lambda probability: probability + operand,
    }
    changed = {name: change[edit.operation](probability) for name, probability in written.items() if name in chosen}
    if not changed:
        return factor
    others = [probability for name, probability in written.items() if name not in changed]
    if not others:
        raise refused(edit, f"every outcome of '{factor.name}' matches", "no other outcome is left to rescale")
    total = sum(changed.values())
    if min(changed.values()) <= 0.0 or total >= 1.0:
        shown = ", ".join(f"{name} {value:g}" for name, value in changed.items())
        raise refused(edit, f"probability of {shown}", "probabilities stay above 0 and together below 1")
    same = all(changed.get(name, probability) == probability for name, probability in written.items())
    share = 1.0 if same else (1.0 - total) / sum(others)
    outcomes = tuple(
        _with_probability(outcome, row, changed.get(outcome.name, written[outcome.name] * share))
        for outcome in factor.outcomes
    )
    return replace(factor, outcomes=outcomes)


EDITABLE: Final = tuple(name for name in TABLES if name != "instance")
REFERRERS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    name: tuple((t.name, c.name) for t in TABLES.values() for c in t.columns if c.refers_to == name) for name in TABLES
}
"""By table of names: the tables and columns that refer to it."""

_SPELT: Final = {
    "set": "set (=)",
    "scale": "scale (*=)",
    "add": "add (+=, -=)",
    "shift_months": "shift_months (+= N months)",
}
_TAKES: Final[dict[Kind, tuple[str, ...]]] = {
    "text": ("set",),
    "flag": ("set",),
    "number": ("set", "scale", "add"),
    "integer": ("set", "scale", "add"),
    "date": ("set", "shift_months"),
}
_MOST_MONTHS: Final = 120_000
"""Largest shift: ten thousand years, all that a calendar with years of four digits has room for."""


Edited = tuple[dict[str, pd.DataFrame], frozenset[str], tuple[Factor, ...]]
"""Tables, the names of those that the source holds, and the factors."""


def edited(
    tables: Mapping[str, pd.DataFrame],
    present: frozenset[str],
    factors: tuple[Factor, ...],
    edits: Iterable[Edit],
    *,
    inside_outcome: bool,
) -> Edited:
    """Return tables and factors after edits, each applied to what the earlier ones left; see `apply_edits`."""
    work = _Work(tables, present, factors)
    problems: list[Problem] = []
    for each in edits:
        try:
            work.apply(each, inside_outcome)
        except InstanceError as error:
            problems.extend(error.problems)
    problems += work.broken_cells() + work.dangling_names()
    if problems:
        raise InstanceError(problems)
    return work.tables, frozenset(work.present), work.factors if inside_outcome else work.factors_left()


class _Work:
    """The tables while edits are applied to them."""

    def __init__(
        self, tables: Mapping[str, pd.DataFrame], present: frozenset[str], factors: tuple[Factor, ...]
    ) -> None:
        self.tables_before, self.present_before = tables, present
        self.tables, self.present, self.factors = dict(tables), set(present), factors
        self.touched: dict[str, dict[str, Edit]] = {}
        self.renamed: dict[str, Edit] = {}
        self.shrunk: set[str] = set()

    def apply(self, edit: Edit, inside_outcome: bool) -> None:
        """Apply one edit, wholly or not at all."""
        if inside_outcome and edit.table in EDITABLE_ONLY_BY_WHATIF:
            rule = f"an outcome cannot edit {edit.table}: it is the same in every future"
            raise refused(edit, f"table '{edit.table}'", rule, "put the edit in a what-if or --set")
        if edit.table == TARGET:
            self.factors = reweighted(self.factors, edit)
            return
        if edit.table not in EDITABLE:
            hint = nearest(edit.table, (*EDITABLE, TARGET))
            raise refused(edit, f"table '{edit.table}'", "no such table to edit", hint)
        table = TABLES[edit.table]
        if table.section and (edit.where or edit.operation in ("insert", "drop")):
            rule = f"{table.name} is not a list of rows: nothing is selected, inserted or dropped there"
            raise refused(edit, f"table '{table.name}'", rule, f"write {table.name}.{table.columns[0].name} = value")
        verbs: dict[str, Callable[[Edit, Table], None]] = {"insert": self._insert, "drop": self._drop}
        verbs.get(edit.operation, self._change)(edit, table)

    def _store(self, edit: Edit, frame: pd.DataFrame, columns: Iterable[str] = ()) -> None:
        self.tables[edit.table] = frame
        self.present.add(edit.table)
        self.touched.setdefault(edit.table, {}).update(dict.fromkeys(columns, edit))

    def _change(self, edit: Edit, table: Table) -> None:
        """Change the cells of one column."""
        column = column_of(edit, table, edit.column)
        if edit.operation not in _TAKES[column.kind]:
            takes = " and ".join(_SPELT[o] for o in _TAKES[column.kind])
            named = _SPELT.get(edit.operation, edit.operation)
            raise refused(edit, named, f"{column.name} is a {column.kind} column: it takes {takes}")
        frame, mask = select(edit, table, rows_of(table, self.tables, self.present))
        if edit.operation == "set":
            values = self._set(edit, column, frame, mask)
        elif edit.operation == "shift_months":
            values = _shifted(edit, frame[column.name].to_numpy(copy=True), mask)
        else:
            values = _rescaled(edit, column, frame[column.name].to_numpy(copy=True), mask)
        frame = with_column(frame, column.name, values)
        if column.key:
            _refuse_repeats(edit, table, frame)
        if REFERRERS[table.name] and column.key:
            self.renamed[table.name] = edit
        self._store(edit, frame, (column.name,))

    def _set(self, edit: Edit, column: Column, frame: pd.DataFrame, mask: Mask) -> Any:
        value = typed(edit, column, edit.value)
        self._refuse_blank_or_unknown(edit, column, value)
        values = frame[column.name].array.copy()
        values[mask] = value
        return values

    def _refuse_blank_or_unknown(self, edit: Edit, column: Column, value: Any) -> None:
        if column.required and (pd.isna(value) or value == ""):
            raise refused(edit, f"{column.name} blank", f"{column.name} is required")
        if column.refers_to and value != "":
            known = self.tables[column.refers_to][TABLES[column.refers_to].key[0]].tolist()
            if value not in known:
                rule = f"{column.refers_to} has no such {column.name}"
                raise refused(edit, f"{column.name} '{value}'", rule, nearest(value, known))

    def _insert(self, edit: Edit, table: Table) -> None:
        """Add one row."""
        if edit.column or edit.start or edit.until:
            raise refused(edit, "a column or dates beside the row", "insert takes the cells of one row, nothing else")
        if table.name == "eligibility" and table.name not in self.present:
            raise refused(edit, "a pair", "without an eligibility table every pair is allowed already")
        row: dict[str, Any] = {}
        for name, value in edit.where.items():
            column = column_of(edit, table, name)
            row[name] = typed(edit, column, value)
            self._refuse_blank_or_unknown(edit, column, row[name])
        missing = [column.name for column in table.columns if column.required and column.name not in row]
        if missing:
            raise refused(edit, f"no {', '.join(missing)}", f"a row of {table.name} must have {' and '.join(missing)}")
        frame = rows_of(table, self.tables, self.present)
        number = min(frame.index.min(), 0) - 1 if len(frame) else -1
        frame = pd.concat([frame, _one_row(table, row, frame.dtypes, number)])
        if table.key:
            _refuse_repeats(edit, table, frame)
        self._store(edit, frame, row)

    def _drop(self, edit: Edit, table: Table) -> None:
        """Drop rows and what hangs on them."""
        if edit.column:
            raise refused(edit, f"column '{edit.column}'", "drop takes whole rows", 'a cell is cleared with set = ""')
        frame, mask = select(edit, table, rows_of(table, self.tables, self.present))
        if table.step and (edit.start or edit.until):
            _refuse_reign_of_the_past(edit, table, frame, mask)
        self._store(edit, frame[~mask])
        self.shrunk.add(table.name)
        self._drop_what_hangs(table, frame, mask)

    def _drop_what_hangs(self, table: Table, frame: pd.DataFrame, dropped: Mask) -> None:
        for name, column in REFERRERS[table.name]:
            rows = self.tables[name]
            hangs = rows[column].isin(frame[table.key[0]].to_numpy()[dropped]).to_numpy()
            if hangs.any():
                self.tables[name] = rows[~hangs]
                self.shrunk.add(name)
                self._drop_what_hangs(TABLES[name], rows, hangs)

    def broken_cells(self) -> list[Problem]:
        """Return the cells that no longer keep the catalogue's rules, with the edit that last changed them."""
        problems: list[Problem] = []
        for name, by_column in self.touched.items():
            where = partial(_blamed, TABLES[name], by_column)
            for column in by_column:
                problems += check_cells(TABLES[name], self.tables[name][column].to_frame(), where)
        return problems

    def dangling_names(self) -> list[Problem]:
        """Return the names that an edit changed while other rows still use them."""
        problems: list[Problem] = []
        for name, renaming in self.renamed.items():
            known = set(self.tables[name][TABLES[name].key[0]])
            for other, column in REFERRERS[name]:
                for gone in sorted(set(self.tables[other][column]) - known - {""}):
                    what = f"'{gone}' is no longer in {name}, but {other} still names it"
                    remedy = f"rename it in {other}.{column} too, in the edits that follow"
                    problems += refused(renaming, what, "a name must refer to a row", remedy).problems
        return problems

    def factors_left(self) -> tuple[Factor, ...]:
        """Return the factors without the edits of outcomes that reached dropped rows only."""
        if not self.shrunk:
            return self.factors
        return tuple(
            replace(
                factor,
                outcomes=tuple(
                    replace(outcome, edits=tuple(e for e in outcome.edits if not self._moot(e)))
                    for outcome in factor.outcomes
                ),
            )
            for factor in self.factors
        )

    def _moot(self, edit: Edit) -> bool:
        if edit.table not in TABLES:
            return False
        table, old = TABLES[edit.table], self.tables_before
        if edit.operation == "insert":
            named = [(c.refers_to, edit.where[c.name]) for c in table.columns if c.refers_to and c.name in edit.where]
            return any(_has(old, *name) and not _has(self.tables, *name) for name in named)
        return (
            edit.table in self.shrunk
            and _reaches(edit, table, rows_of(table, old, self.present_before))
            and not _reaches(edit, table, rows_of(table, self.tables, self.present))
        )


def _blamed(table: Table, by_column: Mapping[str, Edit], row: int, column: str) -> str:
    """Say where a cell is, and which edit changed its column last."""
    culprit = by_column[column]
    return f"edit {culprit.text or spell(culprit)}: {place(table, row, column)}"


def _one_row(table: Table, cells: Mapping[str, Any], dtypes: pd.Series, number: int) -> pd.DataFrame:
    columns = {name: pd.Series([cell], dtype=dtypes[name]).array for name, cell in cells.items()}
    return frame_of(table, columns, [number])


def rows_of(table: Table, tables: Mapping[str, pd.DataFrame], present: Iterable[str]) -> pd.DataFrame:
    """Return a table's rows; a missing ``eligibility`` becomes a row for every pair."""
    if table.name != "eligibility" or table.name in present:
        return tables[table.name]
    pathways, pools = tables["pathways"]["pathway"].to_numpy(), tables["pools"]["pool"].to_numpy()
    pairs = {"pathway": np.repeat(pathways, len(pools)), "pool": np.tile(pools, len(pathways))}
    return frame_of(table, pairs, [0] * (len(pathways) * len(pools)))


def _rescaled(edit: Edit, column: Column, values: Any, mask: Mask) -> Any:
    """Return the column scaled or added to where the mask holds, a blank read as its default; "none" stays."""
    operand = finite(edit, edit.operation, edit.value)
    cells = values[mask]
    default = filled_default(column)
    if default is not None:
        cells = np.where(np.isnan(cells), float(default), cells)
    with np.errstate(over="ignore"):
        changed = cells * operand if edit.operation == "scale" else cells + operand
    if column.kind == "integer":  # 90 days times 1.1 are 99 days, not the 99.00000000000001 of binary fractions
        whole = np.round(changed)
        changed = np.where(np.isclose(changed, whole, rtol=DIGITS, atol=0), whole, changed)
    values[mask] = changed
    return values


def _shifted(edit: Edit, values: Any, mask: Mask) -> Any:
    """Return the dates moved by whole months where the mask holds; a day that a month lacks becomes its last."""
    months = finite(edit, "shift_months", edit.value)
    if not months.is_integer() or abs(months) > _MOST_MONTHS:
        raise refused(edit, f"{edit.value} months", f"months are a whole number, at most {_MOST_MONTHS}")
    month = values[mask].astype("datetime64[M]")
    day = values[mask].astype("datetime64[D]") - month.astype("datetime64[D]")
    month = month + np.timedelta64(int(months), "M")
    last = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    years = month.astype("datetime64[Y]").astype(np.int64)[~np.isnat(month)] + 1970
    if years.size and (years.min() < 1 or years.max() > 9999):
        raise refused(edit, f"{edit.value} months", "the dates would leave the calendar (years 1 to 9999)")
    values[mask] = np.minimum(month.astype("datetime64[D]") + day, last)
    return values


def _refuse_repeats(edit: Edit, table: Table, frame: pd.DataFrame) -> None:
    keys = [frame[name].to_numpy() for name in table.key]
    if len(set(zip(*(key.tolist() for key in keys), strict=True))) == len(frame):
        return
    first = frame[frame.duplicated(subset=list(table.key))].iloc[0]
    same = np.logical_and.reduce([key == first[name] for key, name in zip(keys, table.key, strict=True)])
    rows = [f"row {row}" if row > 0 else "an inserted row" for row in frame.index[same][:2]]
    cells = ", ".join(f"{name} {shown(key[same][0])}" for key, name in zip(keys, table.key, strict=True))
    raise refused(edit, f"{table.name} would have {cells} twice ({' and '.join(rows)})", "a key stands once")


def _refuse_reign_of_the_past(edit: Edit, table: Table, frame: pd.DataFrame, dropped: Mask) -> None:
    """Refuse to drop a pathway's last row of a date where older rows would silently hold on."""
    owners, dates = owners_of(table, frame), frame[table.dated_by].to_numpy()
    kept = set(zip(owners[~dropped], dates[~dropped], strict=True))
    for owner, date in dict.fromkeys(zip(owners[dropped], dates[dropped], strict=True)):
        if (owner, date) not in kept and ((owners == owner) & (dates < date) & ~dropped).any():
            names = list(table.key[: table.key.index(table.dated_by)])
            named = " on ".join(map(str, frame[names].to_numpy()[owners == owner][0]))
            what = f"no row of '{named}' would be left on {np.datetime_as_string(date, 'D')}"
            remedy = "set the values to 0 over these dates instead"
            raise refused(edit, what, "its earlier rows would then hold on", remedy)


def _has(tables: Mapping[str, pd.DataFrame], name: str, value: object) -> bool:
    return bool((tables[name][TABLES[name].key[0]].to_numpy() == value).any())


def _reaches(edit: Edit, table: Table, frame: pd.DataFrame) -> bool:
    try:
        select(edit, table, frame)
    except InstanceError:
        return False
    return True
