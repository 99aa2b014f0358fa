"""What planners do to workbooks in Excel, done to the parts of the file, as Excel leaves them.

Excel cannot run here; what it writes for pivot tables, slicers, mapped cells and links is written by hand.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest

from tests.office.excel_rules import LINK, MAIN, SHEET, box

etree: Any = pytest.importorskip("lxml.etree", reason="the extra 'xlsx' is not installed")

OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}"
TYPES: Final = "{http://schemas.openxmlformats.org/package/2006/content-types}"
SPREADSHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
X14: Final = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
X15: Final = "http://schemas.microsoft.com/office/spreadsheetml/2010/11/main"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
NAMES: Final = f'xmlns="{MAIN[1:-1]}" xmlns:r="{OFFICE}"'


RECORDS: Final = f'<pivotCacheRecords {NAMES} count="1"><r><n v="1"/></r></pivotCacheRecords>'
CACHE: Final = f"""<pivotCacheDefinition {NAMES} r:id="rId1" recordCount="1"><cacheSource type="worksheet">
<worksheetSource name="gw_supply"/></cacheSource><cacheFields count="1"><cacheField name="node"/></cacheFields>
</pivotCacheDefinition>"""
PIVOT: Final = f"""<pivotTableDefinition {NAMES} name="P" cacheId="{{cache}}" dataCaption="Values">
<location ref="{{at}}" firstHeaderRow="1" firstDataRow="1" firstDataCol="0"/>
<pivotFields count="1"><pivotField/></pivotFields></pivotTableDefinition>"""
FILTER: Final = f"""<slicerCacheDefinition xmlns="{X14}" xmlns:x15="{X15}" name="{{name}}" sourceName="{{source}}">
<extLst><ext uri="{{{{2F2917AC-EB37-4324-AD4E-5DD8C200BD13}}}}">
<x15:tableSlicerCache tableId="{{table}}" column="{{column}}"/></ext>
</extLst></slicerCacheDefinition>"""
MAPPED: Final = f"""<singleXmlCells {NAMES}><singleXmlCell id="{{number}}" r="B9" connectionId="0">
<xmlCellPr id="1" uniqueName="x"><xmlPr mapId="1" xpath="/x" xmlDataType="string"/></xmlCellPr></singleXmlCell>
</singleXmlCells>"""
TABLE: Final = f"""<table {NAMES} id="{{number}}" name="own{{number}}" displayName="own{{number}}" ref="{{at}}">
<tableColumns count="1"><tableColumn id="1" name="k"/></tableColumns></table>"""


class Book:
    """The parts of a workbook, changed one by one and saved under the same name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        self.main = "xl/workbook.xml"

    def save(self) -> Path:
        """Write the parts back."""
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.parts.items():
                archive.writestr(name, data)
        return self.path

    def xml(self, part: str) -> Any:
        """Return a part's XML."""
        return etree.fromstring(self.parts[part], etree.XMLParser(huge_tree=True))

    def put(self, part: str, root: Any) -> None:
        """Keep a part's XML."""
        self.parts[part] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)

    def add(self, part: str, xml: str, kind: str = "") -> str:
        """Add a part of a content type."""
        self.parts[part] = (HEAD + xml).encode()
        if kind:
            types = self.xml("[Content_Types].xml")
            etree.SubElement(types, f"{TYPES}Override", PartName=f"/{part}", ContentType=kind)
            self.put("[Content_Types].xml", types)
        return part

    def free(self, pattern: str) -> str:
        """Return the first name of a pattern, such as ``xl/tables/table{}.xml``, that no part has."""
        return next(name for i in range(1, 999) if (name := pattern.format(i)) not in self.parts)

    def link(self, part: str, target: str, kind: str, **more: str) -> str:
        """Let a part lead to another one; return the relation's id."""
        folder, base = posixpath.split(part)
        rels = f"{folder}/_rels/{base}.rels".lstrip("/")
        root = (
            self.xml(rels)
            if rels in self.parts
            else etree.Element(f"{PACKAGE}Relationships", nsmap={None: PACKAGE[1:-1]})
        )
        taken = {each.get("Id") for each in root}
        identity = next(f"rId{i}" for i in range(1, 999) if f"rId{i}" not in taken)
        where = target if more else posixpath.relpath(target, folder)
        kind = kind if "/" in kind else f"{OFFICE}/{kind}"
        etree.SubElement(root, f"{PACKAGE}Relationship", Id=identity, Type=kind, Target=where, **more)
        self.put(rels, root)
        return identity

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return kind and target of a part's relations, by id."""
        folder, base = posixpath.split(part)
        rels = f"{folder}/_rels/{base}.rels"
        return {
            each.get("Id"): (
                each.get("Type").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/" + folder, each.get("Target"))).lstrip("/"),
            )
            for each in (self.xml(rels) if rels in self.parts else ())
        }

    def sheets(self) -> dict[str, str]:
        """Return the parts of the sheets, by their names."""
        related = self.related(self.main)
        listed = self.xml(self.main).find(f"{MAIN}sheets")
        return {each.get("name"): related[each.get(f"{LINK}id")][1] for each in listed}

    def number(self) -> int:
        """Return the next number of tables, which they share with cells that are mapped to XML."""
        roots = [self.xml(part) for part in self.parts if re.search(r"tables/[^/]*\.xml$", part)]
        ids = [int(each.get("id")) for root in roots for each in root.iter(f"{MAIN}table", f"{MAIN}singleXmlCell")]
        return max([0, *ids]) + 1

    def inserted(self, part: str, element: Any, order: str) -> None:
        """Put an element among the children of a part, in their order."""
        root, places = self.xml(part), order.split()
        at = places.index(etree.QName(element).localname)
        before = [i for i, each in enumerate(root) if etree.QName(each).localname in places[: at + 1]]
        root.insert(before[-1] + 1, element)
        self.put(part, root)


def cells_put(book: Book, part: str, cells: dict[str, str]) -> None:
    """Write cells, given as XML by their places, among those of a sheet."""
    root = book.xml(part)
    data = root.find(f"{MAIN}sheetData")
    rows = {int(row.get("r")): row for row in data}
    for at, inside in cells.items():
        number = box(at)[1]
        if number not in rows:
            rows[number] = etree.SubElement(data, f"{MAIN}row", r=str(number))
        row = rows[number]
        row.attrib.pop("spans", None)
        row[:] = [each for each in row if each.get("r") != at]
        row.append(etree.fromstring(inside.replace("<c", f'<c xmlns="{MAIN[1:-1]}" r="{at}"', 1)))
        row[:] = sorted(row, key=lambda cell: box(cell.get("r")))
    data[:] = sorted(data, key=lambda each: int(each.get("r")))
    book.put(part, root)


def with_pivot(book: Book, sheet: str, at: str, cache: str = "") -> str:
    """Add a pivot table with the cells that it shows, on a cache of its own or one that is there; return its cache."""
    if not cache:
        cache = book.free("xl/pivotCache/pivotCacheDefinition{}.xml")
        records = cache.replace("Definition", "Records")
        book.add(records, RECORDS, f"{SPREADSHEET}.pivotCacheRecords+xml")
        book.add(cache, CACHE, f"{SPREADSHEET}.pivotCacheDefinition+xml")
        book.link(cache, records, "pivotCacheRecords")
        identity = book.link(book.main, cache, "pivotCacheDefinition")
        root = book.xml(book.main)
        listed = root.find(f"{MAIN}pivotCaches")
        if listed is None:
            listed = etree.Element(f"{MAIN}pivotCaches")
            root.find(f"{MAIN}calcPr").addnext(listed)
        etree.SubElement(listed, f"{MAIN}pivotCache", {"cacheId": str(len(listed) + 7), f"{LINK}id": identity})
        book.put(book.main, root)
    root = book.xml(book.main)
    identities = {target: each for each, (_, target) in book.related(book.main).items()}
    number = next(e.get("cacheId") for e in root.iter(f"{MAIN}pivotCache") if e.get(f"{LINK}id") == identities[cache])
    table = book.free("xl/pivotTables/pivotTable{}.xml")
    book.add(table, PIVOT.format(cache=number, at=at), f"{SPREADSHEET}.pivotTable+xml")
    book.link(table, cache, "pivotCacheDefinition")
    part = book.sheets()[sheet]
    book.link(part, table, "pivotTable")
    first, _, last = at.partition(":")
    cells_put(book, part, {first: '<c t="inlineStr"><is><t>Sum</t></is></c>', last: "<c><v>42</v></c>"})
    return cache


def referring(book: Book, old: str, new: str) -> None:
    """Let every reference to a sheet follow when it is renamed, as Excel does."""
    bare = re.compile(rf"(?<![\w.'])(?:{re.escape(old)}|'{re.escape(old)}')!", re.IGNORECASE)
    for part in [part for part in book.parts if part.endswith(".xml") and part != "[Content_Types].xml"]:
        text = book.parts[part].decode("utf-8")
        if old.lower() in text.lower():
            quoted = new.replace("'", "''").replace("&", "&amp;")
            book.parts[part] = bare.sub(lambda _, quoted=quoted: f"'{quoted}'!", text).encode()  # type: ignore[misc]


def renamed(book: Book, old: str, new: str) -> None:
    """Rename a sheet."""
    referring(book, old, new)
    root = book.xml(book.main)
    next(each for each in root.find(f"{MAIN}sheets") if each.get("name") == old).set("name", new)
    book.put(book.main, root)


def recased(book: Book, sheet: str) -> None:
    """Write a sheet's name, and its table's, in capitals."""
    renamed(book, sheet, sheet.upper())
    for kind, target in book.related(book.sheets()[sheet.upper()]).values():
        if kind == "table":
            root = book.xml(target)
            for key in ("name", "displayName"):
                root.set(key, root.get(key).upper())
            book.put(target, root)


def copied(book: Book, sheet: str) -> str:
    """Copy a sheet: its table gets another name and number, names that point to it get a twin on the copy."""
    old = book.sheets()[sheet]
    new = book.free("xl/worksheets/sheet{}.xml")
    book.add(new, "<x/>", f"{SPREADSHEET}.worksheet+xml")
    root, title = book.xml(old), f"{sheet} (2)"
    for each in [each for each in root if etree.QName(each).localname in ("drawing", "extLst", "tableParts")]:
        root.remove(each)
    book.put(new, root)
    for kind, target in book.related(old).values():
        if kind == "table":
            table = book.xml(target)
            number = str(book.number())
            for key in ("name", "displayName"):
                table.set(key, table.get(key) + number)
            table.set("id", number)
            part = book.add(book.free("xl/tables/table{}.xml"), "<x/>", f"{SPREADSHEET}.table+xml")
            book.put(part, table)
            parts = etree.Element(f"{MAIN}tableParts", count="1")
            etree.SubElement(parts, f"{MAIN}tablePart", {f"{LINK}id": book.link(new, part, "table")})
            book.inserted(new, parts, SHEET)
    identity = book.link(book.main, new, "worksheet")
    main = book.xml(book.main)
    sheets = main.find(f"{MAIN}sheets")
    number = str(max(int(each.get("sheetId")) for each in sheets) + 1)
    etree.SubElement(sheets, f"{MAIN}sheet", {"name": title, "sheetId": number, f"{LINK}id": identity})
    names = main.find(f"{MAIN}definedNames")
    for each in list(names):
        if each.get("localSheetId") is None and (each.text or "").startswith((f"{sheet}!", f"'{sheet}'!")):
            twin = deepcopy(each)
            twin.set("localSheetId", str(len(sheets) - 1))
            twin.text = f"'{title}'!" + twin.text.rpartition("!")[2]
            names.append(twin)
    book.put(book.main, main)
    return title


def sorted_rows(book: Book, sheet: str) -> None:
    """Turn the rows of a sheet's table upside down, as a sort does."""
    part = book.sheets()[sheet]
    area = box(next(book.xml(t).get("ref") for kind, t in book.related(part).values() if kind == "table"))
    root = book.xml(part)
    rows = [row for row in root.find(f"{MAIN}sheetData") if area[1] < int(row.get("r")) <= area[3]]
    numbers = [row.get("r") for row in rows]
    for row, number in zip(rows, reversed(numbers), strict=True):
        row.set("r", number)
        for cell in row:
            cell.set("r", re.sub(r"\d+", number, cell.get("r")))
    data = root.find(f"{MAIN}sheetData")
    data[:] = sorted(data, key=lambda row: int(row.get("r")))
    book.put(part, root)


def with_slicer(book: Book, table: str, column: str, sheet: str) -> None:
    """Let a slicer on a sheet of the planner's filter a column of a table."""
    roots = [book.xml(part) for part in book.parts if re.search(r"tables/[^/]*\.xml$", part)]
    found = next(root for root in roots if root.get("displayName", "").lower() == table)
    number = next(c.get("id") for c in found.iter(f"{MAIN}tableColumn") if c.get("name") == column)
    name, kind = f"Slicer_{len(book.parts)}", "application/vnd.ms-excel.slicer"
    filters = {"name": name, "source": column, "table": found.get("id"), "column": number}
    cache = book.add(book.free("xl/slicerCaches/slicerCache{}.xml"), FILTER.format(**filters), f"{kind}Cache+xml")
    slicer = f'<slicers xmlns="{X14}"><slicer name="{name}" cache="{name}"/></slicers>'
    slicer = book.add(book.free("xl/slicers/slicer{}.xml"), slicer, f"{kind}+xml")
    book.link(book.sheets()[sheet], slicer, "http://schemas.microsoft.com/office/2007/relationships/slicer")
    book.link(book.main, cache, "http://schemas.microsoft.com/office/2007/relationships/slicerCache")


def with_mapped_cell(book: Book, sheet: str) -> None:
    """Map a cell to XML: it takes the next number of the tables."""
    part = book.free("xl/tables/tableSingleCells{}.xml")
    book.add(part, MAPPED.format(number=book.number()), f"{SPREADSHEET}.tableSingleCells+xml")
    book.link(book.sheets()[sheet], part, "tableSingleCells")


def with_table(book: Book, sheet: str, at: str) -> None:
    """Add a table of the planner's own, of one column; it takes the next number."""
    number = book.number()
    part = book.free("xl/tables/table{}.xml")
    book.add(part, TABLE.format(number=number, at=at), f"{SPREADSHEET}.table+xml")
    home = book.sheets()[sheet]
    cells_put(book, home, {at.partition(":")[0]: '<c t="inlineStr"><is><t>k</t></is></c>'})
    identity, root = book.link(home, part, "table"), book.xml(home)
    listed = root.find(f"{MAIN}tableParts")
    if listed is None:
        listed = etree.Element(f"{MAIN}tableParts")
        book.inserted(home, listed, SHEET)
        root = book.xml(home)
        listed = root.find(f"{MAIN}tableParts")
    etree.SubElement(listed, f"{MAIN}tablePart", {f"{LINK}id": identity})
    listed.set("count", str(len(listed)))
    book.put(home, root)


def with_link(book: Book, sheet: str, inside: str = "") -> None:
    """Let a cell refer to another workbook; `inside` is the link, of another kind if need be."""
    part = book.free("xl/externalLinks/externalLink{}.xml")
    inside = inside or '<externalBook r:id="rId1"><sheetNames><sheetName val="s"/></sheetNames></externalBook>'
    book.add(part, f"<externalLink {NAMES}>{inside}</externalLink>", f"{SPREADSHEET}.externalLink+xml")
    book.link(part, "file:///c:/other.xlsx", "externalLinkPath", TargetMode="External")
    identity, root = book.link(book.main, part, "externalLink"), book.xml(book.main)
    listed = root.find(f"{MAIN}externalReferences")
    if listed is None:
        listed = etree.Element(f"{MAIN}externalReferences")
        root.find(f"{MAIN}sheets").addnext(listed)
    etree.SubElement(listed, f"{MAIN}externalReference", {f"{LINK}id": identity})
    book.put(book.main, root)
    cells_put(book, book.sheets()[sheet], {"B12": f"<c><f>[{len(listed)}]s!$A$1</f><v>7</v></c>"})


def with_name(book: Book, name: str, meaning: str, **more: str) -> None:
    """Define a name."""
    root = book.xml(book.main)
    names = root.find(f"{MAIN}definedNames")
    if names is None:
        names = etree.Element(f"{MAIN}definedNames")
        root.find(f"{MAIN}sheets").addnext(names)
    etree.SubElement(names, f"{MAIN}definedName", name=name, **more).text = meaning
    book.put(book.main, root)


def without_names(book: Book, told: Callable[[Any], bool]) -> None:
    """Delete the names of which something is true."""
    root = book.xml(book.main)
    names = root.find(f"{MAIN}definedNames")
    for each in [each for each in names if told(each)]:
        names.remove(each)
    book.put(book.main, root)


def prefixed_styles(book: Book) -> None:
    """Write every element of the styles with a prefix, as some programs do."""
    text = book.parts["xl/styles.xml"].decode()
    text = re.sub(r"<(/?)(?=[A-Za-z])", r"<\1x:", text).replace("xmlns=", "xmlns:x=", 1)
    book.parts["xl/styles.xml"] = text.encode()


def protected(book: Book) -> None:
    """Protect the list of sheets."""
    root = book.xml(book.main)
    root.find(f"{MAIN}bookViews").addprevious(etree.Element(f"{MAIN}workbookProtection", lockStructure="1"))
    book.put(book.main, root)


def logged(book: Book) -> None:
    """Share the workbook as Excel did before there were clouds: with a log of changes."""
    part = book.add("xl/revisions/revisionHeaders.xml", f'<headers {NAMES} guid="{{0}}"/>',
                    f"{SPREADSHEET}.revisionHeaders+xml")  # fmt: skip
    book.link(book.main, part, "revisionHeaders")
