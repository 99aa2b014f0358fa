"""The cells of a workbook's sheets as the texts that a CSV file would hold."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from gwplan.problems import composed
from gwplan.spreadsheet.package import Package

MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
MOST_CELLS: Final = 2_000_000
"""Most cells with content that one sheet may have."""

_DATE_FORMATS: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_CODES: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_CELL_LIKE: Final = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*C[0-9]*|R|C", re.IGNORECASE)
_DDE: Final = re.compile(r"^[^'\"!]*\|")


@dataclass(frozen=True)
class Odd:
    """A cell that holds no plain value."""

    what: str
    rule: str
    remedy: str


_VALUE: Final = "open and save the workbook in a spreadsheet that calculates, or paste the cell as a value"
UNKEPT: Final = Odd("a formula without a kept value", "gwplan does not calculate", _VALUE)
MARKED: Final = Odd(
    "a formula", "its kept value may be out of date: the workbook is marked to be calculated anew", _VALUE
)
BY_HAND: Final = Odd("a formula", "its kept value may be out of date: the workbook calculates by hand only", _VALUE)
FLEETING: Final = Odd("a formula", "its value changes with each calculation", "paste the cell as a value")

Cell = str | Odd


@dataclass
class Sheet:
    """The cells of a sheet that are not blank: row number to column number (from 1) to content."""

    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    """The formulas whose kept values stand in `rows`, by row and column."""
    merged: list[Box] = field(default_factory=list)
    """Areas of cells that are merged into one."""


def letters(column: int) -> str:
    """Return a column's letters; columns count from 1."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def numbered(reference: str) -> tuple[int, int] | None:
    """Return row and column number of a reference such as ``C7``; None where it is none."""
    parts = _REFERENCE.fullmatch(reference)
    if not parts:
        return None
    column = 0
    for letter in parts.group(1):
        column = column * 26 + ord(letter) - 64
    return int(parts.group(2)), column


Box = tuple[int, int, int, int]
"""First column and row, last column and row, from 1."""


def area(reference: str) -> Box:
    """Return the cells of a reference such as ``C7`` or ``C7:D9``; all-zero where it is none."""
    first, _, last = reference.replace("$", "").partition(":")
    begins, ends = numbered(first), numbered(last or first)
    return (begins[1], begins[0], ends[1], ends[0]) if begins and ends else (0, 0, 0, 0)


def overlapping(one: Box, other: Box) -> bool:
    """Return whether two areas share a cell."""
    return all(one[i] <= other[i + 2] and other[i] <= one[i + 2] for i in (0, 1))


def quoted(sheet: str) -> str:
    """Return a sheet's name as formulas write it."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", sheet, re.ASCII) and not _CELL_LIKE.fullmatch(sheet)
    return sheet if plain else "'" + sheet.replace("'", "''") + "'"


def sheet_of(reference: str) -> str:
    """Return the sheet of a reference such as ``'my plan'!$A$1``."""
    name = reference.rpartition("!")[0]
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


class Workbook:
    """A workbook's sheets, read one at a time.

    Attributes
    ----------
    names : dict of str to str
        What the names that hold in the whole workbook stand for, the names in small letters.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self._sheet_ids: list[tuple[str, str]] = []
        self.since_1904 = False
        self.stale: Odd | None = None
        """Why kept values of formulas may be out of date."""
        relations = package.related("")
        self.part = next((target for kind, target in relations.values() if kind == "officeDocument"), "")
        if not self.part:
            raise package.refused("not a workbook", "it has no main part")
        self._related = package.related(self.part)
        self.names: dict[str, str] = {}
        self._name: list[str] | None = None
        self._called = ""
        package.parse(self.part, self._start, self._end, self._text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(":")[2]
        if local == "sheet":
            identity = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self._sheet_ids.append((attributes.get("name", ""), identity))
        elif local == "workbookPr":
            self.since_1904 = attributes.get("date1904") in ("1", "true")
        elif local == "calcPr":
            if attributes.get("fullCalcOnLoad") in ("1", "true") or attributes.get("calcCompleted") in ("0", "false"):
                self.stale = MARKED
            elif attributes.get("calcMode") == "manual":
                self.stale = BY_HAND
        elif local == "definedName":
            self._name = []
            self._called = "" if "localSheetId" in attributes else attributes.get("name", "").lower()

    def _text(self, text: str) -> None:
        if self._name is not None:
            self._name.append(text)

    def _end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "definedName" and self._name is not None:
            meaning = "".join(self._name)
            if self._called:
                self.names[self._called] = meaning
            if _DDE.match(meaning):
                rule = "gwplan reads no workbook that refers to another one or starts a program"
                raise self.package.refused("a name that calls another program", rule)
            self._name = None

    @cached_property
    def parts(self) -> dict[str, str]:
        """The part of every worksheet, by the sheet's name, in order."""
        parts = {name: self._related.get(identity, ("", "")) for name, identity in self._sheet_ids}
        return {name: target for name, (kind, target) in parts.items() if kind == "worksheet"}

    def _part(self, kind: str) -> str | None:
        target = next((target for k, target in self._related.values() if k == kind), None)
        return target if target in self.package.archive.namelist() else None

    @cached_property
    def strings(self) -> list[str]:
        """The texts that cells refer to by number."""
        part = self._part("sharedStrings")
        texts: list[str] = []
        if part is None:
            return texts
        reader = _Texts()

        def end(tag: str) -> None:
            reader.end(tag)
            if tag.rpartition(":")[2] == "si":
                texts.append(reader.taken())

        self.package.parse(part, reader.start, end, reader.text)
        return texts

    @cached_property
    def date_styles(self) -> frozenset[int]:
        """Numbers of the cell styles that show a number as a date or a time."""
        part = self._part("styles")
        formats: dict[int, str] = {}
        styles: list[int] = []
        inside = [False]

        def start(tag: str, attributes: dict[str, str]) -> None:
            local = tag.rpartition(":")[2]
            if local == "numFmt":
                formats[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
            elif local == "cellXfs":
                inside[0] = True
            elif local == "xf" and inside[0]:
                styles.append(int(attributes.get("numFmtId", "0")))

        def end(tag: str) -> None:
            if tag.rpartition(":")[2] == "cellXfs":
                inside[0] = False

        if part is not None:
            try:
                self.package.parse(part, start, end)
            except ValueError as error:
                raise self.package.refused(f"{part} is garbled", str(error)) from None
        return frozenset(i for i, code in enumerate(styles) if _shows_date(code, formats.get(code)))

    def sheet(self, name: str) -> Sheet:
        """Read a sheet's cells."""
        reader = _SheetReader(self, self.parts[name])
        self.package.parse(reader.part, reader.start, reader.end, reader.text)
        return reader.sheet


def _shows_date(code: int, written: str | None) -> bool:
    if written is None:
        return code in _DATE_FORMATS
    codes = _NOT_CODES.sub("", written.split(";")[0]).lower()
    return codes != "general" and bool(re.search(r"[ymdhs]", codes))


class _Texts:
    """Gathers the text of ``t`` elements, phonetic hints left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open = self._hint = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(":")[2]
        self._hint = self._hint or local == "rPh"
        self._open = local == "t" and not self._hint

    def end(self, tag: str) -> None:
        local = tag.rpartition(":")[2]
        self._open = False
        self._hint = self._hint and local != "rPh"

    def text(self, text: str) -> None:
        if self._open:
            self._parts.append(text)

    def taken(self) -> str:
        text, self._parts = "".join(self._parts), []
        return composed(_ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text) if "_x" in text else text)


class _SheetReader:
    """Gathers one sheet's cells from its XML."""

    def __init__(self, book: Workbook, part: str) -> None:
        self.book, self.part, self.sheet = book, part, Sheet()
        self._row = self._column = self._count = self._rows = 0
        self._kind, self._style = "n", 0
        self._open: list[str] | None = None
        self._formula: list[str] | None = None
        self._fleeting = self._kept = False
        self._si = ""
        self._shared: dict[str, str] = {}
        self._value: list[str] = []
        self._texts = _Texts()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(":")[2]
        if local == "c":
            self._cell(attributes)
        elif local == "row":
            self._begin_row(attributes)
        elif local == "v":
            self._open, self._kept = self._value, True
        elif local == "f":
            self._open = self._formula = []
            self._fleeting = attributes.get("ca") in ("1", "true")
            self._si = attributes.get("si", "") if attributes.get("t") == "shared" else ""
        elif local == "mergeCell":
            self.sheet.merged.append(area(attributes.get("ref", "")))
        elif local in ("t", "rPh"):
            self._texts.start(tag, attributes)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._rows += 1
        self._row = self._whole(attributes["r"]) if "r" in attributes else self._row + 1
        self._column = 0
        if self._row > MOST_ROWS or self._rows > MOST_ROWS:
            what = f"{self.part} has more than {MOST_ROWS:,} rows"
            raise self.book.package.refused(what, "no sheet has more")

    def _cell(self, attributes: dict[str, str]) -> None:
        place = numbered(attributes["r"]) if "r" in attributes else (self._row, self._column + 1)
        if place is None or place[0] != self._row or place[1] > MOST_COLUMNS:
            what = f"{self.part} has a cell {attributes.get('r')!r} in row {self._row}"
            raise self.book.package.refused(what, "no such place is in that row")
        self._column = place[1]
        self._kind, self._style = attributes.get("t", "n"), self._whole(attributes.get("s", "0"))
        self._formula, self._kept, self._value = None, False, []

    def _whole(self, text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise self.book.package.refused(f"{self.part} is garbled", f"{text[:20]!r} is no number")
        return int(text)

    def text(self, text: str) -> None:
        if self._open is not None:
            self._open.append(text)
        else:
            self._texts.text(text)

    def end(self, tag: str) -> None:
        local = tag.rpartition(":")[2]
        self._open = None
        if local in ("t", "rPh"):
            self._texts.end(tag)
        elif local == "c":
            self._keep()

    def _keep(self) -> None:
        value = self._plain("".join(self._value)) if self._formula is None else self._calculated("".join(self._formula))
        if value == "":
            return
        self._count += 1
        if self._count > MOST_CELLS:
            what, rule = f"{self.part} has more than {MOST_CELLS:,} cells", "a table of this size belongs in a folder"
            raise self.book.package.refused(what, rule)
        self.sheet.rows.setdefault(self._row, {})[self._column] = value

    def _calculated(self, formula: str) -> Cell:
        """Return the value that a formula had when it was last calculated, or why it is not to be trusted."""
        first = self._shared.setdefault(self._si, f"{letters(self._column)}{self._row}")
        kept = self._value or (self._kept and self._kind == "str")  # a formula may say nothing, but only as a text
        odd = self.book.stale or (UNKEPT if not kept else FLEETING if self._fleeting else None)
        if odd is None:
            self.sheet.formulas[self._row, self._column] = f"={formula}" if formula else f"(of {first}, filled on)"
        return odd or self._plain("".join(self._value))

    def _plain(self, value: str) -> Cell:
        match self._kind:
            case "inlineStr":
                return self._texts.taken()
            case "s" | "e" if not value:
                return ""
            case "s":
                at = self._whole(value)
                strings = self.book.strings
                if not 0 <= at < len(strings):
                    raise self.book.package.refused(f"{self.part} is garbled", f"there is no text number {value[:20]}")
                return strings[at]
            case "b":
                return {"1": "true", "0": "false"}.get(value, value)
            case "e":
                return Odd(f"the error {value}", "a cell holds a value", "correct it")
            case "n":
                return self._number(value)
        return value

    def _number(self, value: str) -> str:
        if not value:
            return ""
        try:
            number = float(value)
        except ValueError:
            raise self.book.package.refused(f"{self.part} is garbled", f"{value[:20]!r} is no number") from None
        if self._style in self.book.date_styles:
            return day(number, self.book.since_1904)
        return repr(number).removesuffix(".0")


def day(serial: float, since_1904: bool) -> str:
    """Return a serial date as ISO text, with its time where it has one."""
    # Excel counts a 29 February 1900 that never was: before it, day 1 is 1 January 1900
    origin = dt.datetime(1904, 1, 1) if since_1904 else dt.datetime(1899, 12, 30 if serial >= 60 else 31)
    try:
        moment = origin + dt.timedelta(seconds=round(serial * 86_400))
    except (OverflowError, ValueError):
        return repr(serial)
    return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(" ")
