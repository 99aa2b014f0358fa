"""Sheets of one workbook put among those of another, at the level of the package's parts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from gwplan.problems import InstanceError, Problem
from gwplan.spreadsheet.cells import Box, area, overlapping, quoted
from gwplan.spreadsheet.package import Package

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

_ORDER: Final = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs")
_FIRST_OWN_FORMAT: Final = 164
"""Number formats below are built in."""


Key = tuple[Any, ...]


def q(name: str) -> str:
    """Return the name of an element of a workbook, with its namespace."""
    return f"{{{MAIN}}}{name}"


class Styles:
    """Takes the styles of one workbook into those of another.

    Parameters
    ----------
    etree : module
        lxml.etree.
    own, other : elements
        The style sheets: the one that grows, and the one whose styles are taken over.
    """

    def __init__(self, etree: Any, own: Any, other: Any) -> None:
        self.etree, self.own, self.other = etree, own, other
        self.changed = False
        formats = self._formats()
        parts = {name: self._taken(name) for name in ("fonts", "fills", "borders")}
        self.dxfs = self._taken("dxfs", formats)
        self.cells = self._cells(formats, parts)

    def _list(self, root: Any, name: str) -> Any:
        return root.find(q(name))

    def _made(self, name: str) -> Any:
        """Return a list of the own style sheet, made where it is missing."""
        element = self._list(self.own, name)
        if element is None:
            element = self.etree.Element(q(name))
            before = [q(other) for other in _ORDER[: _ORDER.index(name)]]
            at = max((i + 1 for i, child in enumerate(self.own) if child.tag in before), default=0)
            self.own.insert(at, element)
        return element

    def _key(self, element: Any) -> Key:
        """Return what an element says, whatever prefix it is written with."""
        text = (element.text or "").strip()
        return element.tag, tuple(sorted(element.attrib.items())), text, tuple(map(self._key, element))

    def _place(self, name: str, element: Any, known: dict[Key, int]) -> int:
        """Return an element's place in an own list, appended where there is none like it."""
        key = self._key(element)
        if key not in known:
            target = self._made(name)
            known[key] = len(target)
            target.append(element)
            target.set("count", str(len(target)))
            self.changed = True
        return known[key]

    def _known(self, name: str) -> dict[Key, int]:
        elements = self._list(self.own, name)
        known: dict[Key, int] = {}
        for place, element in enumerate([] if elements is None else elements):
            known.setdefault(self._key(element), place)
        return known

    def _formats(self) -> dict[str, str]:
        """Return the own number of each number format of the other workbook."""
        own = self._list(self.own, "numFmts")
        codes = {} if own is None else {each.get("formatCode"): each.get("numFmtId") for each in own}
        known_codes: dict[str, str] = {}
        for each in self._list(self.other, "numFmts") if self._list(self.other, "numFmts") is not None else []:
            code = each.get("formatCode")
            if code not in codes:
                codes[code] = str(max([_FIRST_OWN_FORMAT - 1, *(int(number) for number in codes.values())]) + 1)
                target = self._made("numFmts")
                self.etree.SubElement(target, q("numFmt"), numFmtId=codes[code], formatCode=code)
                target.set("count", str(len(target)))
                self.changed = True
            known_codes[each.get("numFmtId")] = codes[code]
        return known_codes

    def _taken(self, name: str, formats: dict[str, str] | None = None) -> list[int]:
        known, source = self._known(name), self._list(self.other, name)
        taken = []
        for element in [] if source is None else list(source):
            copy = deepcopy(element)
            for each in copy.iter(q("numFmt")):
                each.set("numFmtId", (formats or {}).get(each.get("numFmtId"), each.get("numFmtId")))
            taken.append(self._place(name, copy, known))
        return taken

    def _cells(self, formats: dict[str, str], parts: dict[str, list[int]]) -> list[int]:
        known, cells = self._known("cellXfs"), []
        for element in list(self._list(self.other, "cellXfs")):
            copy = deepcopy(element)
            number = copy.get("numFmtId", "0")
            copy.set("numFmtId", formats.get(number, number))
            for key, name in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
                copy.set(key, str(parts[name][int(copy.get(key, "0"))]))
            copy.set("xfId", "0")
            for key in ("applyNumberFormat", "applyFont", "applyFill", "applyBorder"):
                copy.set(key, "1")
            cells.append(self._place("cellXfs", copy, known))
        return cells


CONTENT: Final = "[Content_Types].xml"
_CONTENT_NS: Final = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELS_NS: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_ID: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PIVOT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/pivotTable"
_SHEET: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
_BEFORE_NAMES: Final = ("sheets", "functionGroups", "externalReferences")
_DXF: Final = ("headerRowDxfId", "dataDxfId", "totalsRowDxfId", "headerRowBorderDxfId", "tableBorderDxfId", "dxfId")


def rels_of(part: str) -> str:
    """Return the part that holds the relations of a part."""
    folder, base = posixpath.split(part)
    return f"{folder}/_rels/{base}.rels".lstrip("/")


def resolved(part: str, relation: Any) -> str:
    """Return the part to which a relation of another part leads."""
    folder = posixpath.dirname(part)
    return posixpath.normpath(posixpath.join("/" + folder, relation.get("Target", ""))).lstrip("/")


@dataclass
class Parts:
    """The parts of a package that is being changed; those that nobody touches keep their bytes."""

    package: Package
    etree: Any
    main: str
    changed: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def has(self, part: str) -> bool:
        """Return whether there is such a part."""
        return part in self.changed or (part in self.package.archive.namelist() and part not in self.removed)

    def tree(self, part: str) -> Any:
        """Return a part's XML; entities are refused when the part is first walked."""
        data = self.changed.get(part)
        if data is None:
            self.package.parse(part, lambda tag, attributes: None)  # refuses document types
            data = self.package.read(part)
        parser = self.etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        return self.etree.fromstring(data, parser)

    def put(self, part: str, root: Any) -> None:
        """Keep the new XML of a part."""
        self.changed[part] = self.etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
        self.removed.discard(part)

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return a part's relations inside the package as they are now: by id, kind and target."""
        if not self.has(rels_of(part)):
            return {}
        return {
            each.get("Id"): (each.get("Type", "").rpartition("/")[2], resolved(part, each))
            for each in self.tree(rels_of(part))
            if isinstance(each.tag, str) and each.get("TargetMode") != "External"
        }

    def reached(self, *parts: str) -> set[str]:
        """Return parts and every part that they lead to."""
        reached: set[str] = set()
        waiting = [*parts]
        while waiting:
            at = waiting.pop()
            if at not in reached and (not at or self.has(at)):
                reached.add(at)
                waiting += [target for _, target in self.related(at).values()]
        return reached


class Graft:
    """Replaces gwplan's sheets in a workbook by those of a new one.

    Parameters
    ----------
    own, new : Parts
        The workbook, and the new one, whose sheets are called as those that they replace.
    prefix : str
        What gwplan's names begin with.
    kinds : mapping of str to str
        The name of each of gwplan's sheets by what it holds.
    """

    def __init__(self, own: Parts, new: Parts, prefix: str, kinds: Mapping[str, str]) -> None:
        self.own, self.new, self.prefix, self.kinds, self.etree = own, new, prefix, kinds, own.etree
        self.book, self.new_book = own.tree(own.main), new.tree(new.main)
        self.rels = own.tree(rels_of(own.main))
        self.types = own.tree(CONTENT)
        types = self.new.tree(CONTENT).iter(f"{_CONTENT_NS}Override")
        self.new_types = {each.get("PartName"): each.get("ContentType") for each in types}

    def run(self) -> None:
        """Do it: old sheets out, new ones in their places, styles, names and tables with them."""
        before = [sheet.get("name") for sheet in self._sheets(self.book)]
        made = {sheet.get("name"): self._target(self.new, sheet) for sheet in self._sheets(self.new_book)}
        old = {sheet.get("name"): sheet for sheet in self._sheets(self.book) if sheet.get("name") in made}
        parts = {name: self._target(self.own, sheet) for name, sheet in old.items()}
        self.tables = Tables(self.own, self.new, set(parts.values()))
        pivots = {name: Pivots(self.own, part) for name, part in parts.items()}
        self._refuse_additions(parts, made)
        own_styles, styles_part = self._styles()
        self.styles = Styles(self.etree, own_styles, self.new.tree(self._related(self.new, "styles")))
        if self.styles.changed:
            self.own.put(styles_part, own_styles)
        self.strings = self._strings()
        self._drop(old.values(), parts.values(), [part for each in pivots.values() for part in each.parts])
        self._enter(made, old, pivots)
        self._names(before)
        self._calculate({sheet.get("sheetId") for sheet in old.values()})
        self.own.put(self.own.main, self.book)
        self.own.put(rels_of(self.own.main), self.rels)
        self.own.put(CONTENT, self.types)

    def _sheets(self, book: Any) -> list[Any]:
        return list(book.find(q("sheets")))

    def _target(self, parts: Parts, sheet: Any) -> str:
        return parts.related(parts.main)[sheet.get(_ID)][1]

    def _related(self, parts: Parts, kind: str) -> str:
        return next((target for k, target in parts.related(parts.main).values() if k == kind), "")

    def _styles(self) -> tuple[Any, str]:
        part = self._related(self.own, "styles")
        if not part:
            raise self.own.package.refused("a workbook without styles", "gwplan's sheets need some to be shown with")
        return self.own.tree(part), part

    def _strings(self) -> list[Any]:
        part = self._related(self.new, "sharedStrings")
        return list(self.new.tree(part)) if part else []

    def _refuse_additions(self, parts: Mapping[str, str], made: Mapping[str, str]) -> None:
        """Refuse what somebody put on gwplan's sheets that cannot move to the new ones, rather than lose it."""
        problems = []
        for name, part in parts.items():
            foreign = []
            for kind, target in self.own.related(part).values():
                if kind == "drawing":
                    new = [self.new.tree(t) for k, t in self.new.related(made[name]).values() if k == "drawing"]
                    if len(self.own.tree(target)) > sum(map(len, new)):
                        foreign.append("drawings")
                elif kind not in _CARRIED and target not in self.tables.replaced:
                    foreign.append(_WORDS.get(kind, kind))
            if foreign:
                what = f"sheet '{name}' holds {', '.join(dict.fromkeys(foreign))} of yours"
                problems.append(Problem(self.own.package.name, what, _REPLACED, "move them to a sheet of your own"))
        if problems:
            raise InstanceError(problems)

    def _drop(self, sheets: Iterable[Any], parts: Iterable[str], kept: Iterable[str]) -> None:
        """Remove the old sheets and all that only they lead to."""
        ids = {sheet.get(_ID) for sheet in sheets}
        gone = self.own.reached(*parts)
        for each in [r for r in self.rels if r.get("Id") in ids]:
            self.rels.remove(each)
        self.own.put(rels_of(self.own.main), self.rels)
        for part in gone - self.own.reached("", *kept):
            self._remove(part)

    def _remove(self, part: str) -> None:
        gone = {part, rels_of(part)}  # LibreOffice lists relations among the types, too
        self.own.removed |= gone
        for each in [t for t in self.types if t.get("PartName", "").removeprefix("/") in gone]:
            self.types.remove(each)

    def _enter(self, made: Mapping[str, str], old: Mapping[str, Any], pivots: Mapping[str, Pivots]) -> None:
        """Copy the new sheets with all that hangs on them, each into the place of the one that it replaces."""
        sheets = self.book.find(q("sheets"))
        number = max((int(sheet.get("sheetId")) for sheet in sheets), default=0)
        for name, part in made.items():
            target = self._copy(part)
            if name in pivots:
                pivots[name].carry(self.own, target, name)
            relation = self._free_id()
            folder = posixpath.dirname(self.own.main)
            self.etree.SubElement(
                self.rels, f"{_RELS_NS}Relationship", Id=relation, Type=_SHEET, Target=posixpath.relpath(target, folder)
            )
            sheet = old.get(name)
            if sheet is None:
                number += 1
                sheet = self.etree.SubElement(sheets, q("sheet"), name=name, sheetId=str(number))
            sheet.set(_ID, relation)

    def _free_id(self) -> str:
        taken = {each.get("Id") for each in self.rels}
        number = 1
        while f"gwplan{number}" in taken:
            number += 1
        return f"gwplan{number}"

    def _copy(self, part: str) -> str:
        """Copy a part and all that it leads to under free names; return its new name."""
        target = self._free_name(part)
        self.own.changed[target] = b""
        folder = posixpath.dirname(target)
        if self.new.has(rels_of(part)):
            rels = self.new.tree(rels_of(part))
            for each in rels:
                if each.get("TargetMode") != "External":
                    each.set("Target", posixpath.relpath(self._copy(resolved(part, each)), folder))
            self.own.put(rels_of(target), rels)
        self.own.put(target, self._changed(part))
        kind = self.new_types.get(f"/{part}")
        if kind:
            self.etree.SubElement(self.types, f"{_CONTENT_NS}Override", PartName=f"/{target}", ContentType=kind)
        return target

    def _free_name(self, part: str) -> str:
        folder, base = posixpath.split(part)
        number = int(re.sub(r"\D", "", base) or 1)
        stem = re.sub(r"\d*\.xml$", "", base)
        while self.own.has(f"{folder}/gwplan_{stem}{number}.xml"):
            number += 1
        return f"{folder}/gwplan_{stem}{number}.xml"

    def _changed(self, part: str) -> Any:
        """Return the XML of a part of the new workbook, its styles and texts those of the other one."""
        root = self.new.tree(part)
        if root.tag == q("worksheet"):
            self._change_sheet(root)
        elif root.tag == q("table"):
            self.tables.number(root)
            for each in root.iter():
                self._dxf(each)
        return root

    def _change_sheet(self, root: Any) -> None:
        cells = self.styles.cells
        for view in root.iter(q("sheetView")):
            view.attrib.pop("tabSelected", None)
        for name, key in (("col", "style"), ("row", "s"), ("c", "s")):
            for each in root.iter(q(name)):
                if each.get(key) is not None:
                    each.set(key, str(cells[int(each.get(key))]))
        for rule in root.iter(q("cfRule")):
            self._dxf(rule)
        for cell in root.iter(q("c")):
            if cell.get("t") == "s":
                cell.set("t", "inlineStr")
                value = cell.find(q("v"))
                text = self.etree.SubElement(cell, q("is"))
                for child in self.strings[int(value.text)]:
                    text.append(self.etree.fromstring(self.etree.tostring(child)))
                cell.remove(value)

    def _dxf(self, element: Any) -> None:
        for key in _DXF:
            if element.get(key) is not None:
                element.set(key, str(self.styles.dxfs[int(element.get(key))]))

    def _names(self, before: list[str]) -> None:
        """Replace gwplan's names by the new ones; the names of the user's sheets follow their sheets."""
        after = [sheet.get("name") for sheet in self._sheets(self.book)]
        new_sheets = [sheet.get("name") for sheet in self._sheets(self.new_book)]
        names = self.book.find(q("definedNames"))
        if names is None:
            names = self.etree.Element(q("definedNames"))
            at = [i for i, child in enumerate(self.book) if child.tag in [q(name) for name in _BEFORE_NAMES]]
            self.book.insert(at[-1] + 1, names)
        fresh = list(self.new_book.find(q("definedNames")))
        replaced = {each.get("name").lower() for each in fresh if each.get("localSheetId") is None}
        marker = f"{self.prefix}{MARKER}"
        for each in list(names):
            name, local = each.get("name", "").lower(), each.get("localSheetId")
            if local is None:
                if name in replaced or name.startswith(marker.lower()):
                    names.remove(each)
            elif before[int(local)] in new_sheets and name.startswith("_xlnm."):
                names.remove(each)
            else:
                each.set("localSheetId", str(after.index(before[int(local)])))
        for each in fresh:
            if each.get("localSheetId") is not None:
                each.set("localSheetId", str(after.index(new_sheets[int(each.get("localSheetId"))])))
            names.append(each)
        self.etree.SubElement(names, q("definedName"), name=marker, hidden="1").text = "1"
        for kind, title in self.kinds.items():
            known = self.etree.SubElement(names, q("definedName"), name=f"{marker}_{kind}", hidden="1")
            known.text = f"{quoted(title)}!$A$1"

    def _calculate(self, ids: set[str]) -> None:
        """Have everything calculated when the workbook is opened next; forget the order of what is gone."""
        settings = self.book.find(q("calcPr"))
        if settings is None:
            settings = self.etree.Element(q("calcPr"))
            self.book.insert(self.book.index(self.book.find(q("definedNames"))) + 1, settings)
        settings.set("fullCalcOnLoad", "1")
        part = self._related(self.own, "calcChain")
        if not part or not self.own.has(part):
            return
        chain, sheet, gone = self.own.tree(part), "", False
        for cell in list(chain):
            sheet = cell.get("i", sheet)
            if sheet in ids:
                chain.remove(cell)
                gone = True
            else:
                cell.set("i", sheet)
        if not gone:
            return
        if len(chain):
            self.own.put(part, chain)
            return
        self._remove(part)
        for each in [r for r in self.rels if resolved(self.own.main, r) == part]:
            self.rels.remove(each)


class Tables:
    """Numbers of tables and of their columns: those of the table that is replaced, or free ones.

    Parameters
    ----------
    own, new : Parts
        The workbook, and the one whose tables come in.
    sheets : set of str
        The sheets that are replaced.

    Attributes
    ----------
    replaced : set of str
        The parts of the tables that are replaced.
    lost : dict of str to dict of str to str
        Number and name of the columns that the new tables lack, by table.
    ids : dict of str to str
        The number of each table that is replaced, by its name.
    """

    def __init__(self, own: Parts, new: Parts, sheets: set[str]) -> None:
        fresh = {root.get("displayName").lower(): root for _, root in _tables(new)}
        names = new.tree(new.main).iter(q("definedName"))
        used = {*fresh, *(each.get("name").lower() for each in names if each.get("localSheetId") is None)}
        self.replaced: set[str] = set()
        self._old: dict[str, Any] = {}
        self._taken: set[int] = set()
        problems = []
        for sheet, part in _hanging(own, "table"):
            root = own.tree(part)
            name = root.get("displayName", "").lower()
            if sheet in sheets and name in fresh:
                self._old[name] = root
                self.replaced.add(part)
                continue
            self._taken.add(int(root.get("id", "0")))
            if name in used:
                what, rule = f"a table {root.get('displayName')} on a sheet of yours", "gwplan's has that name"
                problems.append(Problem(own.package.name, what, rule, "rename the table, or give another prefix"))
        if problems:
            raise InstanceError(problems)
        for _, part in _hanging(own, "tableSingleCells"):
            self._taken |= {int(each.get("id", "0")) for each in own.tree(part).iter(q("singleXmlCell"))}
        self._free = max([0, *self._taken, *(int(root.get("id")) for root in self._old.values())])
        self.ids = {name: root.get("id") for name, root in self._old.items()}
        self.lost = {name: _missing(root, fresh[name]) for name, root in self._old.items()}

    def number(self, root: Any) -> None:
        """Give a new table and its columns the numbers of those that they replace, or free ones."""
        old = self._old.get(root.get("displayName").lower())
        if old is not None and int(old.get("id")) not in self._taken:
            root.set("id", old.get("id"))
        else:
            self._free += 1
            root.set("id", str(self._free))
        known = {} if old is None else _columns(old)
        free = max([0, *map(int, known.values())])
        for name, column in zip(_columns(root), root.iter(q("tableColumn")), strict=True):
            free += name not in known
            column.set("id", known.get(name) or str(free))


def _hanging(parts: Parts, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the sheet and the part of everything of a kind that hangs on a sheet."""
    for _, sheet in parts.related(parts.main).values():
        for target, part in parts.related(sheet).values():
            if target == kind:
                yield sheet, part


def _tables(parts: Parts) -> Iterator[tuple[str, Any]]:
    return ((part, parts.tree(part)) for _, part in _hanging(parts, "table"))


def _columns(table: Any) -> dict[str, str]:
    """Return the numbers of a table's columns by their names in small letters."""
    return {each.get("name").lower(): each.get("id") for each in table.iter(q("tableColumn"))}


def _missing(old: Any, new: Any) -> dict[str, str]:
    known = _columns(new)
    return {number: name for name, number in _columns(old).items() if name not in known}


class Pivots:
    """The pivot tables that stand on a sheet of gwplan's, with the cells that they show: they move to the new sheet."""

    def __init__(self, own: Parts, sheet: str) -> None:
        self.parts = [target for kind, target in own.related(sheet).values() if kind == "pivotTable"]
        self.areas: dict[str, Box] = {}
        for part in self.parts:
            location = own.tree(part).find(q("location"))
            left, top, right, bottom = area(location.get("ref"))
            pages = int(location.get("rowPageCount", "0"))
            self.areas[part] = (left, max(top - pages - 1, 1) if pages else top, right, bottom)
        rows = own.tree(sheet).iter(q("row")) if self.parts else ()
        self.cells = [cell for row in rows for cell in row if cell.get("r") and self._shown(area(cell.get("r")))]

    def _shown(self, cell: Box) -> bool:
        return any(overlapping(cell, each) for each in self.areas.values())

    def carry(self, own: Parts, sheet: str, title: str) -> None:
        """Put them on the sheet that replaces theirs, whose cells must leave them their place."""
        if not self.parts:
            return
        root = own.tree(sheet)
        used = [area(cell.get("r")) for cell in root.iter(q("c"))]
        whole = (1, 1, max(each[2] for each in used), max(each[3] for each in used))
        rels = own.tree(rels_of(sheet)) if own.has(rels_of(sheet)) else own.etree.Element(f"{_RELS_NS}Relationships")
        for number, (part, place) in enumerate(self.areas.items(), 1):
            if overlapping(whole, place):
                what = f"a pivot table on sheet '{title}'"
                raise own.package.refused(what, "gwplan's cells now reach it", "move it to a sheet of your own")
            target = posixpath.relpath(part, posixpath.dirname(sheet))
            names = {"Id": f"pivot{number}", "Type": _PIVOT, "Target": target}
            own.etree.SubElement(rels, f"{_RELS_NS}Relationship", names)
        data = root.find(q("sheetData"))
        rows = {int(row.get("r")): row for row in data}
        for cell in self.cells:
            at = area(cell.get("r"))[1]
            if at not in rows:
                rows[at] = own.etree.SubElement(data, q("row"), r=str(at))
            rows[at].attrib.pop("spans", None)
            rows[at].append(cell)
            rows[at][:] = sorted(rows[at], key=lambda each: area(each.get("r")))
        data[:] = sorted(data, key=lambda row: int(row.get("r")))
        own.put(sheet, root)
        own.put(rels_of(sheet), rels)


MARKER: Final = "made_by_gwplan"
"""Begins the hidden names by which gwplan knows the sheets that it made, whatever they are called now."""

_CARRIED: Final = ("pivotTable", "printerSettings")
_REPLACED: Final = "gwplan's sheets are replaced whole"
_WORDS: Final = {"comments": "comments", "threadedComment": "comments", "vmlDrawing": "comments", "slicer": "slicers",
                 "table": "tables", "timeline": "timelines", "tableSingleCells": "mapped cells"}  # fmt: skip


def is_strict(book: Any) -> bool:
    """Return whether a workbook is of the strict kind, whose names differ."""
    return not str(book.tag).startswith(f"{{{MAIN}}}")
