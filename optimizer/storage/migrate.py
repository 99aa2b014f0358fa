"""An instance of an older version of the format brought to the current one, step by step from version to version."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from optimizer.catalogue.tables import ABOUT, KNOWN_SHEETS, OUTCOME_EDITS, SCHEMA_VERSION, SETTINGS, WHATIF_EDITS
from optimizer.files import printable, read_bytes, refuse_occupied, whole_folder
from optimizer.instance.instance import Instance
from optimizer.problems import InstanceError, Problem
from optimizer.spreadsheet.cells import Odd, Workbook, letters
from optimizer.spreadsheet.package import open_package
from optimizer.storage.read import Sources, is_workbook, read_folder, read_sources
from optimizer.storage.workbook_read import read_book
from optimizer.storage.write import write_texts

Grid = list[list[str]]
"""Rows of cells, the header first."""

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"


def grids(path: str | Path) -> dict[str, Grid]:
    """Return every sheet but the one that explains, as text.

    Raises
    ------
    InstanceError
        If it is no workbook that may be trusted, or a cell holds a formula or an error.
    """
    book = Workbook(open_package(read_bytes(path), printable(str(path))))
    found: dict[str, Grid] = {}
    problems: list[Problem] = []
    for name in book.parts:
        rows = book.sheet(name).rows if name != ABOUT else {}
        odd = [
            Problem(f"{name}!{letters(column)}{row}", cell.what, cell.rule, cell.remedy)
            for row, cells in rows.items()
            for column, cell in cells.items()
            if isinstance(cell, Odd)
        ]
        if odd and name not in KNOWN_SHEETS:  # a sheet of the planner's own
            continue
        problems += odd
        width = max((max(cells) for cells in rows.values()), default=0)
        grid: Grid = [[""] * width for _ in range(max(rows, default=0))]
        for row, cells in rows.items():
            for column, cell in cells.items():
                if isinstance(cell, str):
                    grid[row - 1][column - 1] = cell.strip() if row == 1 else cell
        if grid:
            found[name] = grid
    if problems:
        raise InstanceError(problems)
    return found


def packed(sheets: Mapping[str, Grid]) -> bytes:
    """Return sheets as the bytes of a plain workbook, every cell a text."""
    data, names = BytesIO(), [*sheets]
    with zipfile.ZipFile(data, "w") as archive:
        main = "".join(f'<sheet name="{escape(n, {chr(34): "&quot;"})}" r:id="r{i}"/>' for i, n in enumerate(names))
        root = f'<Relationship Id="r" Type="{_RELATIONS}/officeDocument" Target="workbook.xml"/>'
        parts = (f'<Relationship Id="r{i}" Type="{_RELATIONS}/worksheet" Target="{i}.xml"/>' for i in range(len(names)))
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}">{root}</Relationships>')
        archive.writestr(
            "_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{"".join(parts)}</Relationships>'
        )
        archive.writestr(
            "workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{main}</sheets></workbook>'
        )
        for i, grid in enumerate(sheets.values()):
            rows = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in grid)
            archive.writestr(f"{i}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>')
    return data.getvalue()


def _cell(text: str) -> str:
    kept = text.replace("_x", "_x005F_x")  # what looks like an escape is none
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(kept)}</t></is></c>' if text else "<c/>"


_SCHEMA: Final = re.compile(r"^(\s*schema\s*=\s*)[-+]?\d+", re.MULTILINE)
_HEADING: Final = re.compile(r"^\s*\[", re.MULTILINE)


@dataclass
class Draft:
    """An instance as text, while it is brought to another version.

    Attributes
    ----------
    tables : dict of str to list of list of str
        Rows of cells of each table, the header first; of a workbook those of every sheet that is read.
    documents : dict of str to str
        Text of every TOML file by its path in the folder; none of a workbook.
    changes : list of str
        What was changed, a line each.
    touched : set of str
        Tables that are no longer as they were.
    """

    tables: dict[str, Grid] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def rename_column(self, table: str, old: str, new: str) -> None:
        """Give a column another name, in its table and in every edit of it."""
        if table in self.tables and old in self.tables[table][0]:
            header = self.tables[table][0]
            header[header.index(old)] = new
            self._changed(table, f"{table}: column {old} is now {new}")
        for name, text in self.documents.items():
            blocks = [_in_block(block, table, old, new) for block in _blocks(text)]
            self._document(name, "".join(blocks), f"edits of {table}.{old} now name {new}")
        for sheet in (OUTCOME_EDITS.name, WHATIF_EDITS.name):
            self.change_cells(sheet, "edit", lambda edit: _in_spelling(edit, table, old, new), f"edits name {new}")

    def change_cells(self, table: str, column: str, change: Callable[[str], str], what: str) -> None:
        """Change every cell of a column that is not blank; `what` says what was done."""
        rows = self.tables.get(table, [[]])
        if column not in rows[0]:
            return
        at, count = rows[0].index(column), 0
        for row in rows[1:]:
            if at < len(row) and row[at] and change(row[at]) != row[at]:
                row[at], count = change(row[at]), count + 1
        if count:
            self._changed(table, f"{table}: {what} ({count} {'cell' if count == 1 else 'cells'})")

    def rename_setting(self, section: str, old: str, new: str) -> None:
        """Give a key of a section of ``instance.toml``, or of the sheet ``settings``, another name."""
        text = self.documents.get("instance.toml", "")
        blocks = _blocks(text)
        for i, block in enumerate(blocks):
            if (section == "instance" and i == 0) or re.match(rf"\s*\[{re.escape(section)}\]", block):
                blocks[i] = re.sub(rf"(?m)^(\s*){re.escape(old)}(\s*=)", rf"\g<1>{new}\g<2>", block)
        self._document("instance.toml", "".join(blocks), f"{section}.{old} is now {new}")
        for row in self._settings(section, old):
            row[1] = new
            self._changed(SETTINGS.name, f"settings: {section}.{old} is now {new}")

    def set_version(self, version: int) -> None:
        """Write the version of the format."""
        if "instance.toml" in self.documents:
            self.documents["instance.toml"] = _SCHEMA.sub(rf"\g<1>{version}", self.documents["instance.toml"], count=1)
        for row in self._settings("instance", "schema"):
            row[2] = str(version)
            self.touched.add(SETTINGS.name)

    @property
    def version(self) -> int | None:
        """The version of the format that it says it has; None where it says none."""
        try:
            found = tomllib.loads(self.documents.get("instance.toml", "")).get("schema")
        except (ValueError, RecursionError):
            return None
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        cells = [row[2] for row in self._settings("instance", "schema")]
        return int(cells[0]) if cells and re.fullmatch(r"-?\d+", cells[0]) else None

    def texts(self) -> dict[str, str]:
        """Return the text of every file of the folder; tables that no step touched are left as they were written."""
        return {**{f"{name}.csv": _csv(self.tables[name]) for name in sorted(self.touched)}, **self.documents}

    def _settings(self, section: str, key: str) -> list[list[str]]:
        rows = self.tables.get(SETTINGS.name, [[]])
        return [row for row in rows[1:] if row[:2] == [section, key] and len(row) > 2]

    def _changed(self, table: str, what: str) -> None:
        self.touched.add(table)
        self.changes.append(what)

    def _document(self, name: str, text: str, what: str) -> None:
        if name in self.documents and self.documents[name] != text:
            self.documents[name] = text
            self.changes.append(f"{name}: {what}")


STEPS: Final[MutableMapping[int, Callable[[Draft], None]]] = {}
"""By version: what brings an instance of it to the next one. Version 1 is the first that there was."""


@dataclass(frozen=True)
class Migrated:
    """An instance brought to the current version.

    Attributes
    ----------
    instance : Instance
        It, checked.
    texts : dict of str to str
        Text of every file of its folder, comments kept; empty for a workbook.
    version : int
        The version that it had.
    changes : tuple of str
        What was changed, a line each.
    """

    instance: Instance
    texts: dict[str, str]
    version: int
    changes: tuple[str, ...]


def migrate(path: str | Path) -> Migrated:
    """Return an instance of an older version brought to the current one; what is there stays as it is.

    Raises
    ------
    InstanceError
        If it cannot be read, says no version or one that cannot be brought up, or breaks a rule of the format then.
    """
    where = printable(str(path))
    if is_workbook(path):
        draft, texts = Draft(tables=grids(path)), {}
    else:
        sources = read_folder(path)
        refused = [p for p in sources.problems if p.where in sources.unreadable]
        if refused:
            raise InstanceError(refused)
        texts = dict(sources.texts)
        draft = Draft(
            tables={name.removesuffix(".csv"): _grid(text) for name, text in texts.items() if name.endswith(".csv")},
            documents={name: text for name, text in texts.items() if not name.endswith(".csv")},
        )
    version = _known_version(draft, where)
    for number in range(version, SCHEMA_VERSION):
        STEPS[number](draft)
        draft.set_version(number + 1)
    if texts:
        texts |= draft.texts()
    reading = read_sources(Sources(texts)) if texts else read_book(packed(draft.tables), where)
    return Migrated(reading.instance(), texts, version, tuple(draft.changes))


def _known_version(draft: Draft, where: str) -> int:
    version = draft.version
    if version is None:
        rule = "instance.toml, or the sheet settings, says 'schema = NUMBER' first"
        raise InstanceError(
            Problem(where, "no version", rule, f"write the version; the current one is {SCHEMA_VERSION}")
        )
    if version > SCHEMA_VERSION:
        rule = f"this gwplan reads version {SCHEMA_VERSION} of the format"
        raise InstanceError(Problem(where, f"version {version}", rule, "use a newer gwplan"))
    if any(number not in STEPS for number in range(version, SCHEMA_VERSION)):
        rule = f"no way leads from it to version {SCHEMA_VERSION}; the first version that there was is 1"
        raise InstanceError(Problem(where, f"version {version}", rule, "correct the number"))
    return version


def _grid(text: str) -> Grid:
    header, *rows = [*csv.reader(io.StringIO(text, newline=""))] or [[]]
    return [[name.strip() for name in header], *rows]


def _csv(grid: Grid) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(grid)
    return text.getvalue()


def _blocks(text: str) -> list[str]:
    """Return a TOML text cut before each heading."""
    places = [0, *(found.start() for found in _HEADING.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


def _in_block(block: str, table: str, old: str, new: str) -> str:
    """Return an edit of a TOML file with a column's new name, if it is an edit of that table."""
    if not re.search(rf"""(?m)^\s*table\s*=\s*["']{re.escape(table)}["']""", block):
        return block
    block = re.sub(rf"""(?m)^(\s*column\s*=\s*["']){re.escape(old)}(["'])""", rf"\g<1>{new}\g<2>", block)
    return re.sub(
        r"(?m)^\s*(where|insert)\s*=\s*\{.*\}",
        lambda line: re.sub(rf"([{{,]\s*){re.escape(old)}(\s*=)", rf"\g<1>{new}\g<2>", line[0]),
        block,
    )


def _in_spelling(edit: str, table: str, old: str, new: str) -> str:
    """Return an edit in the command line's spelling with a column's new name, if it is an edit of that table."""
    if not re.match(rf"\s*((insert|drop)\s+)?{re.escape(table)}\b", edit):
        return edit
    edit = re.sub(rf"(\]\.|^\s*{re.escape(table)}\.){re.escape(old)}\b", rf"\g<1>{new}", edit)
    return re.sub(rf"([\[,]\s*){re.escape(old)}(\s*=)", rf"\g<1>{new}\g<2>", edit)


def replace(found: Migrated, folder: str | Path) -> Path:
    """Put what was migrated in the place of the folder that it came from, and return where that is kept.

    Raises
    ------
    InstanceError
        If it came from a workbook, whose other sheets and formats would be lost, or something is there already, or the
        disk refuses; then nothing has changed.
    """
    source = Path(os.path.realpath(folder))
    if not found.texts:
        rule = "a workbook is not changed in place: its formats and other sheets would be lost"
        raise InstanceError(Problem(printable(str(folder)), "a workbook", rule, "give --out BOOK.xlsx"))
    kept = source.with_name(f"{source.name}.version-{found.version}")
    refuse_occupied(kept, force=None, replaceable=lambda _: False, kind="")
    with whole_folder(kept) as copy:
        shutil.copytree(source, copy, symlinks=True, dirs_exist_ok=True)
    write_texts(found.texts, source, force=True)
    return kept
