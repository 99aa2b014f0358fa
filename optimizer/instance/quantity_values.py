"""The value of a quantity: cells of the instance and figures of a plan put in."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import TABLES
from gwplan.instance.cells import place, shown
from gwplan.instance.instance import Instance
from gwplan.instance.selection import Mask, hits
from gwplan.language.cursor import Cell
from gwplan.language.quantities import Cells, Number, Operation, Path, PlanFigure, Quantity, Range, parse
from gwplan.problems import InstanceError, Problem, nearest

_SHOWN: Final = 3


@dataclass
class Evaluator:
    """What evaluates the quantity of one claim on one instance, and notes the status of the rows that it read."""

    instance: Instance  # whose cells are read
    where: str  # words that say which claim it is, for messages
    # gives the values of a plan's figure by pathway or component (one value under ``""`` where there is no key)
    figures: Callable[[str], dict[str, float]] | None = None
    statuses: set[str] = field(default_factory=set)  # status of each row read so far, ``""`` where a row has none

    def value(self, quantity: Quantity) -> float:
        """Return the value of a quantity."""
        match quantity:
            case Number():
                return quantity.value
            case Cells():
                return self._cells(quantity)
            case PlanFigure():
                return self._figure(quantity)
            case Operation():
                return self._operation(quantity)

    def _operation(self, operation: Operation) -> float:
        left, right = self.value(operation.left), self.value(operation.right)
        if operation.operator == "/" and right == 0:
            self._refuse(operation.at, "a division by zero", "the divisor comes to 0", "correct the quantity")
        try:
            result = {"+": left + right, "-": left - right, "*": left * right}.get(operation.operator)
            result = left / right if result is None else result
        except OverflowError:
            result = math.inf
        if not math.isfinite(result):
            self._refuse(operation.at, "a result beyond all numbers", "it must be finite", "correct the quantity")
        return result

    def _figure(self, figure: PlanFigure) -> float:
        if self.figures is None:
            raise ValueError("a plan's figure needs a plan")
        values = self.figures(figure.name)
        if figure.total:
            pattern = np.array(list(values), dtype=object)
            mask = hits(_PATHWAY, pd.Series(pattern, dtype=object), figure.key, figure.key)
            if mask.any():
                return float(np.array(list(values.values()))[mask].sum())
        elif figure.key in values:
            return values[figure.key]
        what = f"'{figure.key}'"
        self._refuse(figure.at, what, f"plan.{figure.name} has no such entry", nearest(figure.key, values))

    def _cells(self, cells: Cells) -> float:
        frame = self.instance.filled(cells.table)
        mask = self._meets(cells, frame)
        rows = frame[mask]
        if cells.total == "one" and len(rows) != 1:
            what = f"{len(rows)} rows of {cells.table}"
            self._refuse(cells.at, what, "a cell is one row's", "add conditions, or sum them: sum(...)")
        self.statuses.update(rows.get("status", [""]))
        if cells.total == "count":
            return float(len(rows))
        product = np.ones(len(rows))
        for path in cells.columns:
            product *= self._numbers(cells, path, rows)
        return float(math.fsum(product.tolist()))

    def _meets(self, cells: Cells, frame: pd.DataFrame) -> Mask:
        mask = np.ones(len(frame), dtype=np.bool_)
        for path, wanted in cells.where:
            series = self._column(path, frame)
            met = _within(series, wanted) if isinstance(wanted, Range) else _equal(path, series, wanted)
            if not met.any():
                known = [shown(value) if path.column.kind != "text" else value for value in series.dropna() if value]
                hint = nearest(str(wanted), known) if isinstance(wanted, str) else ""
                name = f"{path.via}.{path.column.name}" if path.via else path.column.name
                what = f"no row of {cells.table} with {name} {_spelt(wanted)}"
                self._refuse(cells.at, what, "a quantity must find its rows", hint)
            mask &= met
        if not mask.any() and cells.where:
            self._refuse(cells.at, f"no row of {cells.table} meets all conditions", "a quantity must find its rows")
        return mask

    def _column(self, path: Path, frame: pd.DataFrame) -> pd.Series:
        """Return a column for every row of a table, of another table where a column names its rows."""
        if not path.via:
            return frame[path.column.name]
        other = self.instance.filled(path.table)
        named = other[path.column.name].set_axis(other[TABLES[path.table].key[0]])
        joined = named.reindex(frame[path.via]).set_axis(frame.index)
        return joined.fillna("") if path.column.kind == "text" else joined

    def _numbers(self, cells: Cells, path: Path, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        values = self._column(path, rows).to_numpy(dtype=np.float64)
        if path.via:
            named = self.instance.tables[path.table]
            self.statuses.update(named["status"][named[TABLES[path.table].key[0]].isin(rows[path.via])])
        blank = np.flatnonzero(np.isnan(values))
        if blank.size:
            names = [str(row) for row in rows.index[blank[:_SHOWN]]]
            what = f"{path.column.name} of {cells.table} row {', '.join(names)}{' ...' if blank.size > _SHOWN else ''}"
            self._refuse(cells.at, what, "it is blank, which stands for none", "fill it in, or select other rows")
        return values

    def _refuse(self, at: int, what: str, rule: str, remedy: str = "") -> NoReturn:
        raise InstanceError(Problem(self.where, f"{what} at character {at + 1}", rule, remedy))


_PATHWAY: Final = TABLES["pathways"]["pathway"]


def _equal(path: Path, series: pd.Series, wanted: Cell) -> Mask:
    return hits(path.column, series, wanted, _stored(wanted))


def _within(series: pd.Series, span: Range) -> Mask:
    values, met = series.to_numpy(), series.notna().to_numpy()
    if span.start is not None:
        met = met & (values >= _stored(span.start))
    if span.until is not None:
        met = met & (values < _stored(span.until))
    return np.asarray(met, dtype=np.bool_)


def _stored(value: Cell) -> Any:
    """Return a value as the tables hold it."""
    return np.datetime64(value, "s") if isinstance(value, dt.date) else value


def _spelt(wanted: Cell | Range) -> str:
    if not isinstance(wanted, Range):
        return shown(wanted)
    ends = (wanted.start, wanted.until)
    return "..".join("" if end is None else f"{end:g}" if isinstance(end, float) else str(end) for end in ends)


def parts(quantity: Quantity) -> Iterator[Cells | PlanFigure]:
    """Yield the cells and figures that a quantity is made of, from left to right."""
    match quantity:
        case Cells() | PlanFigure():
            yield quantity
        case Operation():
            yield from parts(quantity.left)
            yield from parts(quantity.right)


def needs_plan(quantity: Quantity) -> bool:
    """Return whether a quantity names a figure of the plan."""
    return any(isinstance(part, PlanFigure) for part in parts(quantity))


def not_found(instance: Instance) -> list[Problem]:
    """Return warnings of the claims that cannot be judged: a cell of their quantity is not to be found, or is blank."""
    problems: list[Problem] = []
    claims = instance.tables["claims"]
    for row, claim, text in zip(claims.index, claims["claim"], claims["quantity"], strict=True):
        where = f"{place(TABLES['claims'], row, 'quantity')} of claim {claim}"
        try:
            for part in parts(parse(text, where)):
                if isinstance(part, Cells):
                    Evaluator(instance, where).value(part)
        except InstanceError as error:
            problems += [replace(problem, severity="warning") for problem in error.problems]
    return problems
