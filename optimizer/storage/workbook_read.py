"""An instance from a workbook: one sheet a table, every problem told with sheet and cell."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from gwplan.catalogue.tables import (
    ABOUT,
    KNOWN_SHEETS,
    LEVERS,
    OUTCOME_EDITS,
    OUTCOMES,
    PROBABILITIES_GIVEN,
    SETTINGS,
    TABLES,
    WHATIF_EDITS,
    WHATIFS,
    Table,
    allowed_columns,
)
from gwplan.files import printable, read_bytes
from gwplan.instance.cells import Parsed, empty, frame_of, is_name, parse, shown
from gwplan.instance.instance import SheetPlaces
from gwplan.language.edits import Edit, Factor, Lever, Outcome, ProbabilityGiven, WhatIf, edit
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.spreadsheet.cells import Cell, Odd, Sheet, Workbook, day, letters, sheet_of
from gwplan.spreadsheet.graft import MARKER
from gwplan.spreadsheet.package import open_package
from gwplan.storage.rows import ALL, TITLES, Reading, header_problems, misplaced_header
from gwplan.storage.toml import factors_toml, levers_toml, read_factors, read_levers, read_whatif, whatif_toml

_TOTAL: Final = re.compile(r"\s*((grand |sub)?totals?|sums?)\s*:?\s*", re.IGNORECASE)
_CLOSE: Final = 0.85
"""Likeness from which an unknown sheet is taken for a misspelt one."""


@dataclass(frozen=True)
class _SheetRows:
    """The rows of a sheet: texts by column, and row numbers."""

    columns: dict[str, list[str]]
    numbers: list[int]
    already: set[str]
    """The cells of which something was said already."""


def read_workbook(path: str | Path) -> Reading:
    """Read an instance's tables, uncertainty and what-ifs from a workbook."""
    return read_book(read_bytes(path), printable(str(path)))


def read_book(data: bytes, name: str) -> Reading:
    """Read an instance from the bytes of a workbook; `name` is its name, for messages."""
    book = Workbook(open_package(data, name))
    reader = _BookReader(book)
    reading = reader.reading
    reading.files[Path(name).name] = hashlib.sha256(data).hexdigest()
    reading.problems += _misspelt(book.parts)
    reader.sections()
    for table in TABLES.values():
        if not table.section:
            reader.table(table)
    reader.factors()
    reader.whatifs()
    reader.levers()
    reading.sheets = SheetPlaces(reader.letters, reader.setting_rows, reader.formulas)
    return reading


def other_sheets(path: str | Path) -> list[str]:
    """Return the names of a workbook's sheets that are not read, but for those that gwplan made."""
    book = Workbook(open_package(read_bytes(path), printable(str(path))))
    own = [sheet_of(meaning) for name, meaning in book.names.items() if MARKER in name]
    return [f"sheet '{name}'" for name in book.parts if name not in (*KNOWN_SHEETS, ABOUT, *own)]


def _misspelt(names: Iterable[str]) -> list[Problem]:
    """Return a problem for each sheet whose name is nearly one that is read."""
    problems = []
    for name in names:
        plain = re.sub(r"\s*\(\d+\)$", "", name.strip().lower())  # a copy, as spreadsheets call it
        close = get_close_matches(plain, KNOWN_SHEETS, n=1, cutoff=_CLOSE)
        near = close and (plain == close[0] or not plain.endswith(close[0]))  # no prefix, as gwplan's own sheets have
        if name not in KNOWN_SHEETS and near and close[0] not in names:
            rule = "sheets are read by their exact names"
            problems.append(
                Problem(f"sheet {shown(name)}", "unknown sheet", rule, f"rename it to '{close[0]}', or unlike it")
            )
    return problems


class _BookReader:
    """Reads the sheets of one workbook into one `Reading`."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.reading = Reading()
        self.letters: dict[str, dict[str, str]] = {}
        self.setting_rows: dict[str, int] = {}
        self.formulas: dict[str, tuple[str, str]] = {}

    def place(self, sheet: str, row: int, column: str) -> str:
        letter = self.letters.get(sheet, {}).get(column)
        return f"{sheet}!{letter}{row}" if letter else f"{sheet} row {row}, {column}"

    def table(self, table: Table) -> None:
        """Read the sheet of one table."""
        if table.name not in self.book.parts:
            self.reading.frames[table.name] = empty(table)
            if table.required:
                self.reading.broken |= {f"{table.name}.{column.name}" for column in table.columns}
                rule, remedy = "every instance has one", "add it; gwplan new BOOK.xlsx writes one of each"
                self.reading.problems.append(Problem(f"sheet '{table.name}'", "no such sheet", rule, remedy))
            return
        self.reading.present.add(table.name)
        parsed = self._parsed(table)
        self.reading.take(table, parsed)

    def _parsed(self, table: Table) -> Parsed:
        rows, faults = self._rows(table)
        if rows is None:
            return Parsed(frame_of(table, {}, ()), faults)
        cells: dict[str, Any] = dict(rows.columns)
        parsed = parse(table, cells, rows.numbers, lambda row, column: self.place(table.name, row, column))
        new = [(column, self._dated(problem)) for column, problem in parsed.faults if problem.where not in rows.already]
        return Parsed(parsed.frame, faults + new)

    def _dated(self, problem: Problem) -> Problem:
        """Say which day a number in a column of dates is."""
        number = re.fullmatch(r"'(\d+(\.\d+)?)'", problem.what) if "must be a date" in problem.rule else None
        if number is None:
            return problem
        meant = day(float(number[1]), self.book.since_1904)
        return replace(problem, remedy=f"it is the number of the day {meant}: give the cell a date format")

    def _rows(self, table: Table) -> tuple[_SheetRows | None, list[tuple[str, Problem]]]:
        """Return the texts of a sheet by column, and what is wrong with its header and its cells."""
        name = table.name
        sheet = self.book.sheet(name)
        head = sheet.rows.get(1, {})
        faults: list[tuple[str, Problem]] = []
        header = {at: cell.strip() for at, cell in head.items() if isinstance(cell, str) and cell.strip()}
        faults += [(ALL, _odd(f"{name}!{letters(at)}1", cell)) for at, cell in head.items() if isinstance(cell, Odd)]
        texts = {
            row: [cell for cell in cells.values() if isinstance(cell, str)]
            for row, cells in sheet.rows.items()
            if row <= TITLES
        }
        if misplaced := misplaced_header(table, texts, name):
            return None, [(ALL, misplaced)]
        if not header:
            rule = "row 1 holds the names of the columns"
            problem = Problem(f"{name}!A1", "no header", rule, "write the column names, or delete the sheet")
            return None, [*faults, (ALL, problem)]
        at_name = {column: at for at, column in reversed(header.items())}  # of columns with the same name the first
        self.letters[name] = {column: letters(at) for column, at in at_name.items()}
        for column, problem in header_problems(table, list(header.values()), name):
            where = f"{name}!{self.letters[name][column]}1" if column in at_name else f"{name} row 1"
            faults.append((column, replace(problem, where=where)))
        faults += _outside(name, sheet, header)
        filled = (row for row, cells in sheet.rows.items() if any(at in header and _says(cells[at]) for at in cells))
        numbers = sorted(row for row in filled if row > 1)
        if numbers and self._is_total(
            table, {column: sheet.rows[numbers[-1]].get(at, "") for column, at in at_name.items()}
        ):
            rule, remedy = "every row of a table counts", "delete it, or move it to a sheet of your own"
            faults.append(("", Problem(f"{name} row {numbers.pop()}", "a row of totals", rule, remedy)))
        columns = {column: self._column(name, sheet, numbers, column, at, faults) for column, at in at_name.items()}
        faults += _merged(name, sheet, numbers, header, told_cells := {each.where for _, each in faults})
        self._keep_formulas(name, sheet, set(numbers), header)
        return _SheetRows(columns, numbers, told_cells), faults

    def _keep_formulas(self, name: str, sheet: Sheet, rows: set[int], header: dict[int, str]) -> None:
        for (row, at), formula in sheet.formulas.items():
            value = sheet.rows.get(row, {}).get(at, "")
            if row in rows and at in header and isinstance(value, str):
                self.formulas[f"{name}!{letters(at)}{row}"] = (formula, value)

    def _is_total(self, table: Table, cells: dict[str, Cell]) -> bool:
        """Whether the last row is one of totals: it says so where a name stands that nothing has."""
        blank = any(column.required and not _says(cells.get(column.name, "?")) for column in table.columns)
        for column in allowed_columns(table):
            text = cells.get(column.name, "")
            if isinstance(text, str) and _TOTAL.fullmatch(text) and is_name(table, column):
                owner = TABLES.get(column.refers_to)
                known = self.reading.frames.get(column.refers_to)
                if blank if owner is None or known is None else text.strip() not in known[owner.key[0]].to_numpy():
                    return True
        return False

    def _column(
        self, name: str, sheet: Sheet, numbers: Sequence[int], column: str, at: int, faults: list[tuple[str, Problem]]
    ) -> list[str]:
        texts = []
        for row in numbers:
            cell: Cell = sheet.rows[row].get(at, "")
            if isinstance(cell, Odd):
                faults.append((column, _odd(f"{name}!{letters(at)}{row}", cell)))
                cell = ""
            texts.append(cell)
        return texts

    def _listed(self, table: Table) -> list[dict[str, Any]]:
        """Return the rows of a sheet that stands for TOML as typed cells, with ``row``; none when any is faulty."""
        if table.name not in self.book.parts:
            return []
        parsed = self._parsed(table)
        self.reading.problems += parsed.problems
        if parsed.faults:
            self.reading.faulty.add(table.name)
            return []
        rows: list[dict[Any, Any]] = parsed.frame.to_dict("records")
        return [{**cells, "row": int(row)} for row, cells in zip(parsed.frame.index, rows, strict=True)]

    def sections(self) -> None:
        """Read the sheet ``settings`` into the sections of ``instance.toml``."""
        if SETTINGS.name not in self.book.parts:
            remedy = "give a workbook that gwplan new or gwplan convert made, or add the sheet"
            raise InstanceError(Problem(f"sheet '{SETTINGS.name}'", "no such sheet", "every instance has one", remedy))
        sections = {name: table for name, table in TABLES.items() if table.section}
        cells: dict[str, dict[str, str]] = {name: {} for name in sections}
        for row in self._listed(SETTINGS):
            section, key, place = row["section"], row["key"], f"{row['section']}.{row['key']}"
            if section not in sections:
                self._wrong(SETTINGS, row, "section", "there is no such section", nearest(section, sections))
            elif key not in sections[section]:
                hint = nearest(key, [column.name for column in sections[section].columns])
                self._wrong(SETTINGS, row, "key", f"{section} has no such key", hint)
            elif place in self.setting_rows:
                rule = f"it stands in row {self.setting_rows[place]} too"
                self._wrong(SETTINGS, row, "key", rule, "delete one of them")
            else:
                self.setting_rows[place] = row["row"]
                cells[section][key] = row["value"]
        for name, table in sections.items():
            self._section(table, cells[name])

    def _section(self, table: Table, cells: dict[str, str]) -> None:
        def where(_: int, column: str) -> str:
            row = self.setting_rows.get(f"{table.name}.{column}")
            return self.place(SETTINGS.name, row, "value") if row else f"{SETTINGS.name}, {table.name}.{column}"

        if SETTINGS.name in self.reading.faulty:
            # the version alone decides whether the rest can be spoken of
            version = {key: [cell] for key, cell in cells.items() if (table.name, key) == ("instance", "schema")}
            self.reading.frames[table.name] = parse(table, version, (1,), where).frame
            self.reading.broken |= {f"{table.name}.{column.name}" for column in table.columns}
            return
        full = {column.name: [cells.get(column.name, "")] for column in table.columns}
        self.reading.take(table, parse(table, full, (1,), where))

    def _wrong(self, table: Table, row: dict[str, Any], column: str, rule: str, remedy: str) -> None:
        where = self.place(table.name, row["row"], column)
        self.reading.problems.append(Problem(where, shown(row[column]), rule, remedy))
        self.reading.faulty.add(table.name)

    def _edits(self, table: Table, *names: str) -> dict[tuple[str, ...], tuple[Edit, ...]]:
        """Return the edits of a sheet by the names that they belong to."""
        edits: dict[tuple[str, ...], tuple[Edit, ...]] = {}
        for row in self._listed(table):
            owner = tuple(row[name] for name in names)
            try:
                edits[owner] = (*edits.get(owner, ()), edit(row["edit"]))
            except InstanceError as error:
                where = self.place(table.name, row["row"], "edit")
                self.reading.problems += [replace(p, where=f"{where} {p.where}") for p in error.problems]
                self.reading.faulty.add(table.name)
        return edits

    def factors(self) -> None:
        """Read ``outcomes``, ``probabilities_given`` and ``outcome_edits``."""
        edits = self._edits(OUTCOME_EDITS, "factor", "outcome")
        chances: dict[tuple[str, ...], tuple[ProbabilityGiven, ...]] = {}
        for row in self._listed(PROBABILITIES_GIVEN):
            owner, chance = (row["factor"], row["outcome"]), float(row["probability"])
            given = ProbabilityGiven(self._given(PROBABILITIES_GIVEN, row), chance)
            chances[owner] = (*chances.get(owner, ()), given)
        factors: dict[str, Factor] = {}
        last = ""
        for row in self._listed(OUTCOMES):
            name, revealed = row["factor"], row["revealed"].date()
            factor = factors.get(name, Factor(name, revealed, ()))
            if name in factors and name != last:
                rule = "the rows of a factor stand together"
                self._wrong(OUTCOMES, row, "factor", rule, "move the row, or rename the factor")
            if factor.revealed != revealed:
                rule = f"all outcomes of {name} are revealed on one date, {factor.revealed} above"
                self._wrong(OUTCOMES, {**row, "revealed": str(revealed)}, "revealed", rule, "correct one of them")
            own = edits.pop((name, row["outcome"]), ())
            rows = chances.pop((name, row["outcome"]), ())
            outcome = Outcome(row["outcome"], float(row["probability"]), own, rows)
            factors[name] = replace(factor, outcomes=(*factor.outcomes, outcome))
            last = name
        self._left(OUTCOME_EDITS, edits, f"no such outcome on the sheet {OUTCOMES.name}")
        self._left(PROBABILITIES_GIVEN, chances, f"no such outcome on the sheet {OUTCOMES.name}")
        faulty = {OUTCOMES.name, PROBABILITIES_GIVEN.name, OUTCOME_EDITS.name} & self.reading.faulty
        if faulty:
            self.reading.broken.add("uncertainty")
        elif factors:
            read, problems = read_factors(factors_toml(tuple(factors.values())), f"sheet {OUTCOMES.name}")
            self.reading.problems += problems
            self.reading.factors = read
            if problems:
                self.reading.broken.add("uncertainty")

    def _left(self, table: Table, rows: Iterable[tuple[str, ...]], rule: str) -> None:
        """Refuse rows whose owner is not listed, unless the list itself could not be read."""
        owners = WHATIFS if table is WHATIF_EDITS else OUTCOMES
        what = "probabilities without an outcome" if table is PROBABILITIES_GIVEN else "edits without an owner"
        if owners.name not in self.reading.faulty:
            for owner in rows:
                where = f"{table.name}, {' '.join(map(shown, owner))}"
                self.reading.problems.append(Problem(where, what, rule, "add it, or correct it"))
                self.reading.faulty.add(table.name)

    def whatifs(self) -> None:
        """Read ``whatifs`` and ``whatif_edits``."""
        edits = self._edits(WHATIF_EDITS, "whatif")
        for row in self._listed(WHATIFS):
            name = row["whatif"]
            given = self._given(WHATIFS, row)
            if name in self.reading.whatifs:
                self._wrong(WHATIFS, row, "whatif", "every what-if has a name of its own", "rename one of them")
                continue
            whatif = WhatIf(name, row["description"], edits.pop((name,), ()), given)
            read, problems = read_whatif(whatif_toml(whatif), self.place(WHATIFS.name, row["row"], "whatif"), name)
            self.reading.problems += problems
            if read is not None:
                self.reading.whatifs[name] = read
        self._left(WHATIF_EDITS, edits, f"no such what-if on the sheet {WHATIFS.name}")

    def levers(self) -> None:
        """Read ``levers``."""
        edits = self._edits(LEVERS, "label")
        for row in self._listed(LEVERS):
            own = edits.pop((row["label"],), ())
            if not own:  # a later row of the same lever
                continue
            least, most, step = (float(row[name]) for name in ("least", "most", "step"))
            lever = Lever(row["label"], own, least, most, step, row["unit"], row["group"])
            read, problems = read_levers(levers_toml([lever]), self.place(LEVERS.name, row["row"], "label"))
            self.reading.problems += problems
            self.reading.levers += read

    def _given(self, table: Table, row: dict[str, Any]) -> dict[str, str]:
        given: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in row["given"].split(","))):
            factor, equals, outcome = (part.strip() for part in pair.partition("="))
            if not (factor and equals and outcome) or factor in given:
                rule = "known outcomes are written factor=outcome, each factor once, joined by commas"
                self._wrong(table, row, "given", rule, "correct it")
            given[factor] = outcome
        return given


def _odd(where: str, cell: Odd) -> Problem:
    return Problem(where, cell.what, cell.rule, cell.remedy)


def _says(cell: Cell) -> bool:
    return isinstance(cell, Odd) or bool(cell.strip())


def _merged(
    name: str, sheet: Sheet, numbers: Sequence[int], header: dict[int, str], already: set[str]
) -> list[tuple[str, Problem]]:
    """Return a problem for each area of merged cells that reaches several cells of a table; add them to `already`."""
    faults = []
    rule, remedy = "a merged cell holds a value for its first cell only", "unmerge the cells, and fill each one in"
    for left, top, right, bottom in sheet.merged:
        columns = [at for at in header if left <= at <= right]
        rows = range(max(top, 2), min(bottom, max(numbers, default=0)) + 1)
        if len(columns) * len(rows) > 1:
            what = f"{name}!{letters(left)}{top}:{letters(right)}{bottom}"
            faults += [(header[at], Problem(what, "merged cells", rule, remedy)) for at in columns]
            already |= {f"{name}!{letters(at)}{row}" for at in columns for row in rows}
    return faults


def _outside(name: str, sheet: Sheet, header: dict[int, str]) -> list[tuple[str, Problem]]:
    """Return a problem for each column without a name that has content."""
    seen: dict[int, int] = {}
    for row in sorted(sheet.rows):
        for at in sheet.rows[row]:
            if at not in header and row > 1 and _says(sheet.rows[row][at]):
                seen.setdefault(at, row)
    rule, remedy = "every column has a name in row 1", "name the column, or move what is there to a sheet of your own"
    return [
        (ALL, Problem(f"{name}!{letters(at)}{row}", "a cell below no column name", rule, remedy))
        for at, row in seen.items()
    ]
