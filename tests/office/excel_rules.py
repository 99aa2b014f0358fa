"""What Excel refuses or repairs in a workbook, though the schemas of the format allow it.

``findings(path)`` says it in lines; ``python -m tests.office.excel_rules FILE ...`` prints them.
"""

from __future__ import annotations

import posixpath
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest

etree: Any = pytest.importorskip("lxml.etree", reason="the extra 'xlsx' is not installed")

MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
IGNORABLE: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Ignorable"
TYPES: Final = "[Content_Types].xml"

BOOK: Final = """
    fileVersion fileSharing workbookPr workbookProtection bookViews sheets functionGroups externalReferences
    definedNames calcPr oleSize customWorkbookViews pivotCaches smartTagPr smartTagTypes webPublishing
    fileRecoveryPr webPublishObjects extLst"""
SHEET: Final = """
    sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection protectedRanges scenarios
    autoFilter sortState dataConsolidate customSheetViews mergeCells phoneticPr conditionalFormatting dataValidations
    hyperlinks printOptions pageMargins pageSetup headerFooter rowBreaks colBreaks customProperties cellWatches
    ignoredErrors smartTags drawing legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls
    webPublishItems tableParts extLst"""
STYLES: Final = "numFmts fonts fills borders cellStyleXfs cellXfs cellStyles dxfs tableStyles colors extLst"
"""Children of the three kinds of parts, in the only order that Excel opens."""

LONGEST_FORMULA, LONGEST_TEXT, LONGEST_HEAD, LAST_ROW, LAST_COLUMN = 8_192, 32_767, 255, 1_048_576, 16_384
CELL_LIKE: Final = re.compile(r"[A-Z]{1,3}[0-9]{1,7}|R[0-9]*C[0-9]*|R|C", re.IGNORECASE)
SHEET_IN_FORMULA: Final = re.compile(r"'((?:[^']|'')+)'!|(?<![\w.'\]])([A-Za-z_][\w.]*)!")

Box = tuple[int, int, int, int]
"""First column and row, last column and row, from 1."""


def box(reference: str) -> Box:
    """Return the cells of a reference such as ``B2:C7``."""
    ends = [re.fullmatch(r"\$?([A-Z]+)\$?([0-9]+)", end) for end in reference.split(":")]
    if not all(ends):
        raise ValueError(f"no reference: {reference}")
    places = [(_number(end[1]), int(end[2])) for end in ends if end]
    return (*places[0], *places[-1])


def _number(column: str) -> int:
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - 64
    return number


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a cell."""
    return all(one[i] <= other[i + 2] and other[i] <= one[i + 2] for i in (0, 1))


def elements(parent: Any) -> list[Any]:
    """Return the elements below one, comments left out; none below None."""
    return [] if parent is None else [each for each in parent if isinstance(each.tag, str)]


def plain(text: str | None) -> str:
    """Return a text as it is shown, escapes such as ``_x000A_`` resolved."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text or "")


def doubled(values: Iterable[Any]) -> list[Any]:
    """Return what occurs more than once."""
    return [value for value, times in Counter(values).items() if times > 1]


@dataclass
class Book:
    """A package under examination; what is wrong gathers in ``found``."""

    path: Path
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with zipfile.ZipFile(self.path) as archive:
            if broken := archive.testzip():
                self.found.append(f"{broken}: damaged")
            listed = archive.namelist()
            self.parts = {name: archive.read(name) for name in listed if not name.endswith("/")}
        self.found += [f"two parts are called {name}" for name in doubled(name.lower() for name in listed)]
        self.lower = {name.lower(): name for name in self.parts}
        self._trees: dict[str, Any] = {}
        self._related: dict[str, dict[str, tuple[str, str]]] = {}

    def tree(self, part: str) -> Any:
        """Return a part's XML."""
        if part not in self._trees:
            parser = etree.XMLParser(huge_tree=True, resolve_entities=False)
            self._trees[part] = etree.fromstring(self.parts[part], parser)
        return self._trees[part]

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return kind and target of a part's relations inside the package, by id."""
        if part not in self._related:
            folder, base = posixpath.split(part)
            held = self.lower.get(f"{folder}/_rels/{base}.rels".lstrip("/").lower())
            links = elements(self.tree(held)) if held else []
            self.found += [f"{held}: two relations {each}" for each in doubled(link.get("Id") for link in links)]
            self._related[part] = {}
            for link in links:
                kind, target = link.get("Type").rpartition("/")[2], link.get("Target")
                if link.get("TargetMode") != "External" and not target.startswith("#"):
                    whole = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
                    target = self.lower.get(whole.lower(), whole)
                self._related[part][link.get("Id")] = (kind, target)
                if link.get("TargetMode") != "External" and target not in self.parts and target[:1] != "#":
                    self.found.append(f"{held}: {link.get('Id')} leads to {target}, which is not there")
        return self._related[part]

    @cached_property
    def main(self) -> str:
        """The part that lists the sheets."""
        return next(target for kind, target in self.related("").values() if kind == "officeDocument")

    def of_kind(self, kind: str) -> str | None:
        """Return the part of a kind to which the main part leads."""
        return next((target for k, target in self.related(self.main).values() if k == kind), None)

    @cached_property
    def sheets(self) -> dict[str, tuple[str, str]]:
        """Part and number of every worksheet, by name."""
        related, found = self.related(self.main), {}
        for sheet in elements(self.tree(self.main).find(f"{MAIN}sheets")):
            kind, part = related.get(sheet.get(f"{LINK}id"), ("", ""))
            if kind == "worksheet" and part in self.parts:
                found[sheet.get("name")] = (part, sheet.get("sheetId"))
        return found

    @cached_property
    def strings(self) -> list[str]:
        """The texts that cells refer to by number."""
        part = self.of_kind("sharedStrings")
        texts = []
        for item in elements(self.tree(part)) if part in self.parts else []:
            runs = [each for each in item.iter(f"{MAIN}t") if each.getparent().tag != f"{MAIN}rPh"]
            texts.append("".join(each.text or "" for each in runs))
        return texts


def findings(path: str | Path) -> list[str]:
    """Return a line for each thing in a workbook that Excel would refuse or repair."""
    book = Book(Path(path))
    _package(book)
    _ordered(book, book.main, BOOK)
    names = _book(book)
    looks = _styles(book)
    tables = _Tables(book, names)
    formulas = {}
    for name, (part, number) in book.sheets.items():
        _ordered(book, part, SHEET)
        cells = _cells(book, name, part, looks)
        formulas[number] = {at for at, cell in cells.items() if cell.find(f"{MAIN}f") is not None}
        tables.sheet(name, part, cells)
    tables.slicers()
    _chain(book, formulas)
    _charts(book)
    _pivots(book)
    return sorted(set(book.found))


def _package(book: Book) -> None:
    """Every part has a type and is led to; every relation leads somewhere; every id that is used is there."""
    types = elements(book.tree(TYPES))
    defaults = {each.get("Extension", "").lower() for each in types if each.tag.endswith("}Default")}
    overrides = [each.get("PartName").lstrip("/").lower() for each in types if each.tag.endswith("}Override")]
    book.found += [f"two types for {part}" for part in doubled(overrides)]
    book.found += [f"a type for {part}, which is not there" for part in overrides if part not in book.lower]
    reached, waiting = set(), [""]
    while waiting:
        part = waiting.pop()
        if part not in reached and (part in book.parts or not part):
            reached.add(part)
            waiting += [target for _, target in book.related(part).values()]
    for part in book.parts:
        if part == TYPES:
            continue
        if part.lower() not in overrides and part.rpartition(".")[2].lower() not in defaults:
            book.found.append(f"{part}: no type")
        if "/_rels/" in f"/{part}":
            folder, _, base = part.rpartition("_rels/")
            if base != ".rels" and folder + base.removesuffix(".rels") not in book.parts:
                book.found.append(f"{part}: relations of a part that is not there")
        elif part not in reached:
            book.found.append(f"{part}: nothing leads to it")
        elif part.endswith(".xml"):
            _ids(book, part)


def _ids(book: Book, part: str) -> None:
    try:
        root = book.tree(part)
    except etree.XMLSyntaxError as error:
        book.found.append(f"{part}: not XML: {error}")
        return
    known = book.related(part)
    for each in root.iter():
        for key, value in each.attrib.items() if isinstance(each.tag, str) else ():
            if key.startswith(LINK) and value and value not in known:
                book.found.append(f"{part}: {value} is no relation")
    for prefix in root.get(IGNORABLE, "").split():
        if prefix not in root.nsmap:
            book.found.append(f"{part}: prefix {prefix} is ignorable but not declared")


def _ordered(book: Book, part: str, listed: str) -> None:
    order = listed.split()
    names = [each.tag.removeprefix(MAIN) for each in elements(book.tree(part)) if each.tag.startswith(MAIN)]
    book.found += [f"{part}: unknown element {name}" for name in names if name not in order]
    places = [order.index(name) for name in names if name in order]
    if places != sorted(places):
        book.found.append(f"{part}: elements out of order: {names}")


def _book(book: Book) -> set[str]:
    """Judge the list of sheets and of names; return the names that hold everywhere, in small letters."""
    root = book.tree(book.main)
    sheets = elements(root.find(f"{MAIN}sheets"))
    titles = [sheet.get("name") for sheet in sheets]
    for what, values in (
        ("name", [title.lower() for title in titles]),
        ("number", [sheet.get("sheetId") for sheet in sheets]),
        ("relation", [sheet.get(f"{LINK}id") for sheet in sheets]),
    ):
        book.found += [f"two sheets of one {what}: {value}" for value in doubled(values)]
    book.found += [f"no name for a sheet: {t}" for t in titles if len(t) > 31 or re.search(r"[\[\]:*?/\\]|^'|'$", t)]
    book.found += [f"sheet number {s.get('sheetId')}" for s in sheets if not 1 <= int(s.get("sheetId")) <= 65_534]
    if all(sheet.get("state", "visible") != "visible" for sheet in sheets):
        book.found.append("no sheet can be seen")
    for view in elements(root.find(f"{MAIN}bookViews")):
        for key in ("activeTab", "firstSheet"):
            if int(view.get(key, "0")) >= len(sheets):
                book.found.append(f"{key} is no sheet")
    listed = root.find(f"{MAIN}definedNames")
    if listed is not None and not elements(listed):
        book.found.append("an empty list of names")
    names = [(each.get("name").lower(), each.get("localSheetId")) for each in elements(listed)]
    book.found += [f"two names {name} on {local}" for name, local in doubled(names)]
    for name, local in names:
        if local is not None and int(local) >= len(sheets):
            book.found.append(f"name {name} of a sheet that is not there")
        if CELL_LIKE.fullmatch(name):
            book.found.append(f"name {name} is a reference")
    known = {title.lower() for title in titles}
    for each in elements(listed):
        for quoted, bare in SHEET_IN_FORMULA.findall(each.text or ""):
            title = (quoted or bare).replace("''", "'").lower()
            if title not in known and "[" not in title and "#ref" not in title:
                book.found.append(f"name {each.get('name')} refers to a sheet that is not there: {title}")
    return {name for name, local in names if local is None}


@dataclass
class Looks:
    """How many looks of cells and of conditions a workbook has."""

    cells: int = 1
    conditions: int = 0


def _styles(book: Book) -> Looks:
    part = book.of_kind("styles")
    if part not in book.parts:
        return Looks()
    _ordered(book, part, STYLES)
    root = book.tree(part)
    lists = {name: elements(root.find(f"{MAIN}{name}")) for name in STYLES.split()}
    for name in STYLES.split()[:8]:
        held = root.find(f"{MAIN}{name}")
        if held is not None and held.get("count") not in (None, str(len(lists[name]))):
            book.found.append(f"styles: {name} counts {held.get('count')} of {len(lists[name])}")
    formats = [int(each.get("numFmtId")) for each in lists["numFmts"]]
    book.found += [f"styles: two number formats {number}" for number in doubled(formats)]
    for group in ("cellStyleXfs", "cellXfs"):
        for look in lists[group]:
            kinds = [("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")]
            kinds += [("xfId", "cellStyleXfs")] if group == "cellXfs" else []
            for key, name in kinds:
                if int(look.get(key, "0")) >= max(len(lists[name]), 1):
                    book.found.append(f"styles: {group} has a {key} that is not there")
            number = int(look.get("numFmtId", "0"))
            if number >= 164 and number not in formats:
                book.found.append(f"styles: number format {number} is not there")
    if len(lists["cellXfs"]) > 64_000 or len(lists["fonts"]) > 1_024:
        book.found.append("styles: more than Excel takes")
    return Looks(max(len(lists["cellXfs"]), 1), len(lists["dxfs"]))


def _cells(book: Book, name: str, part: str, looks: Looks) -> dict[str, Any]:
    """Judge the rows and cells of a sheet and return its cells by place."""
    root, cells, last = book.tree(part), {}, 0
    for row in elements(root.find(f"{MAIN}sheetData")):
        number = int(row.get("r", last + 1))
        if not last < number <= LAST_ROW:
            book.found.append(f"{name}: row {number} behind row {last}")
        last, before = number, 0
        for cell in elements(row):
            at = cell.get("r")
            if at is None:
                continue
            column, in_row = box(at)[:2]
            if in_row != number or not before < column <= LAST_COLUMN:
                book.found.append(f"{name}!{at}: out of place in row {number}")
            before, cells[at] = column, cell
            _cell(book, f"{name}!{at}", cell, looks)
        if int(row.get("s", "0")) >= looks.cells:
            book.found.append(f"{name}: row {number} has a look that is not there")
    for rule in root.iter(f"{MAIN}cfRule"):
        if int(rule.get("dxfId", "-1")) >= looks.conditions:
            book.found.append(f"{name}: a condition has a look that is not there")
    for formula in root.iter(f"{MAIN}formula", f"{MAIN}formula1", f"{MAIN}formula2"):
        if len(formula.text or "") > LONGEST_FORMULA:
            book.found.append(f"{name}: a condition's formula is too long")
        if (formula.text or "").startswith('"') and len(formula.text) > 257:
            book.found.append(f"{name}: a list to choose from is too long")
    return cells


def _cell(book: Book, place: str, cell: Any, looks: Looks) -> None:
    if int(cell.get("s", "0")) >= looks.cells:
        book.found.append(f"{place}: a look that is not there")
    kind, value, formula = cell.get("t", "n"), cell.findtext(f"{MAIN}v"), cell.findtext(f"{MAIN}f") or ""
    if len(formula) > LONGEST_FORMULA:
        book.found.append(f"{place}: a formula of {len(formula)} characters")
    if kind == "s" and value and int(value) >= len(book.strings):
        book.found.append(f"{place}: text number {value} is not there")
    elif kind == "inlineStr" and (cell.find(f"{MAIN}is") is None or value is not None):
        book.found.append(f"{place}: no text of its own")
    elif kind == "n" and value and not re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", value):
        book.found.append(f"{place}: no number: {value}")
    if len(text_of(book, cell)) > LONGEST_TEXT:
        book.found.append(f"{place}: a text that is too long")


def text_of(book: Book, cell: Any) -> str:
    """Return the text of a cell, blank where it holds none."""
    if cell.get("t") == "s":
        at = int(cell.findtext(f"{MAIN}v") or "-1")
        return book.strings[at] if 0 <= at < len(book.strings) else ""
    if cell.get("t") == "inlineStr":
        return "".join(each.text or "" for each in cell.iter(f"{MAIN}t"))
    return cell.findtext(f"{MAIN}v") or "" if cell.get("t") == "str" else ""


@dataclass
class _Tables:
    """The tables of all sheets, which share numbers with cells that are mapped to XML, and names with everything."""

    book: Book
    names: set[str]
    ids: dict[str, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=dict)

    def sheet(self, name: str, part: str, cells: dict[str, Any]) -> None:
        root, related = self.book.tree(part), self.book.related(part)
        merged = [box(each.get("ref")) for each in root.iter(f"{MAIN}mergeCell")]
        areas: list[tuple[Box, str]] = [(each, "merged cells") for each in merged]
        for i, each in enumerate(merged[:400]):
            if any(overlap(each, other) for other in merged[:i]):
                self.found(f"{name}: merged cells overlap")
        if len(root.findall(f"{MAIN}drawing")) > 1:
            self.found(f"{name}: two drawings")
        for kind, target in related.values():
            if kind == "tableSingleCells" and target in self.book.parts:
                for mapped in elements(self.book.tree(target)):
                    self._id(mapped.get("id"), f"mapped cell {mapped.get('r')}")
            if kind == "pivotTable" and target in self.book.parts:
                location = self.book.tree(target).find(f"{MAIN}location")
                if location is not None:
                    areas.append((box(location.get("ref")), f"pivot table {target}"))
        listed = root.find(f"{MAIN}tableParts")
        links = [each.get(f"{LINK}id") for each in elements(listed)]
        if listed is not None and int(listed.get("count", len(links))) != len(links):
            self.found(f"{name}: tables are miscounted")
        if sorted(links) != sorted(identity for identity, (kind, _) in related.items() if kind == "table"):
            self.found(f"{name}: tables and relations to tables differ")
        for link in links:
            target = related.get(link, ("", ""))[1]
            if target in self.book.parts:
                areas.append(self._table(self.book.tree(target), cells))
        for i, (area, what) in enumerate(areas):
            for other, another in areas[:i]:
                if overlap(area, other) and what != another:
                    self.found(f"{name}: {what} overlaps {another}")

    def found(self, line: str) -> None:
        self.book.found.append(line)

    def _id(self, number: str, what: str) -> None:
        if number in self.ids:
            self.found(f"number {number} of {what} and of {self.ids[number]}")
        self.ids[number] = what

    def _table(self, root: Any, cells: dict[str, Any]) -> tuple[Box, str]:
        name, area = root.get("displayName"), box(root.get("ref"))
        self._id(root.get("id"), f"table {name}")
        if name.lower() in self.called | self.names:
            self.found(f"two tables or names {name}")
        self.called.add(name.lower())
        columns = elements(root.find(f"{MAIN}tableColumns"))
        self.columns[root.get("id")] = {column.get("id") for column in columns}
        if {len(columns), area[2] - area[0] + 1} != {int(root.find(f"{MAIN}tableColumns").get("count", len(columns)))}:
            self.found(f"{name}: columns are miscounted")
        heads = [plain(column.get("name")).replace("\r\n", "\n") for column in columns]
        self.book.found += [f"{name}: two columns {head}" for head in doubled(head.lower() for head in heads)]
        self.book.found += [f"{name}: a head of {len(head)} characters" for head in heads if len(head) > LONGEST_HEAD]
        self.book.found += [f"{name}: two columns numbered {i}" for i in doubled(c.get("id") for c in columns)]
        if root.get("headerRowCount", "1") != "0":
            shown = {box(at)[:2]: plain(text_of(self.book, cell)) for at, cell in cells.items()}
            for at, head in enumerate(heads, area[0]):
                text = shown.get((at, area[1]), "").replace("\r\n", "\n")
                if text != head:
                    self.found(f"{name}: the cell says {text!r}, the column {head!r}")
        if area[3] <= area[1]:
            self.found(f"{name}: no row")
        return area, f"table {name}"

    def slicers(self) -> None:
        for part in self.book.parts:
            if re.search(r"slicerCaches/[^/]*\.xml$", part):
                for each in self.book.tree(part).iter():
                    if isinstance(each.tag, str) and each.tag.endswith("}tableSlicerCache"):
                        columns = self.columns.get(each.get("tableId"))
                        if columns is None or each.get("column") not in columns:
                            self.found(f"{part}: filters a table or column that is not there")


def _chain(book: Book, formulas: dict[str, set[str]]) -> None:
    """The order of calculation names cells that hold formulas, and some."""
    part = book.of_kind("calcChain")
    if part not in book.parts:
        return
    cells, sheet = elements(book.tree(part)), "0"
    if not cells:
        book.found.append("calcChain: empty")
    for cell in cells:
        sheet = cell.get("i", sheet)
        if cell.get("r") not in formulas.get(sheet, ()):
            book.found.append(f"calcChain: no formula in {cell.get('r')} of sheet {sheet}")


def _charts(book: Book) -> None:
    """Charts refer to sheets that are there."""
    known = {title.lower() for title in book.sheets}
    for part in [part for part in book.parts if re.search(r"charts/[^/]*chart[^/]*\.xml$", part)]:
        for formula in book.tree(part).iter("{http://schemas.openxmlformats.org/drawingml/2006/chart}f"):
            for quoted, bare in SHEET_IN_FORMULA.findall(formula.text or ""):
                title = (quoted or bare).replace("''", "'").lower()
                if title not in known and "[" not in title:
                    book.found.append(f"{part}: refers to a sheet that is not there: {formula.text}")


def _pivots(book: Book) -> None:
    """Every cache that the workbook lists is there under a number of its own, and every pivot table has one."""
    related = book.related(book.main)
    caches = {each.get("cacheId"): each.get(f"{LINK}id") for each in _caches(book)}
    book.found += [f"two pivot caches {n}" for n in doubled(each.get("cacheId") for each in _caches(book))]
    for part, (_, target) in (
        (p, t) for p in list(book.parts) for t in book.related(p).values() if "pivotTables/" in p
    ):
        number = book.tree(part).get("cacheId")
        if related.get(caches.get(number, ""), ("", ""))[1] != target:
            book.found.append(f"{part}: its cache is not the workbook's number {number}")


def _caches(book: Book) -> Iterator[Any]:
    yield from elements(book.tree(book.main).find(f"{MAIN}pivotCaches"))


if __name__ == "__main__":
    wrong = 0
    for name in sys.argv[1:]:
        lines = findings(name)
        wrong += len(lines)
        print(f"{name}: {len(lines)} findings", *lines, sep="\n    ")
    sys.exit(1 if wrong else 0)
