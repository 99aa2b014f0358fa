"""Sheets of one workbook put among those of another, at the level of the package's parts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from optimizer.spreadsheet.package import Package
from optimizer.spreadsheet.styles import MAIN, Styles, q

CONTENT: Final = "[Content_Types].xml"
_CONTENT_NS: Final = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELS_NS: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_ID: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SHEET: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
_BEFORE_NAMES: Final = ("sheets", "functionGroups", "externalReferences")
_DXF: Final = ("headerRowDxfId", "dataDxfId", "totalsRowDxfId", "headerRowBorderDxfId", "tableBorderDxfId", "dxfId")


def rels_of(part: str) -> str:
    """Return the part that holds the relations of a part."""
    folder, base = posixpath.split(part)
    return f"{folder}/_rels/{base}.rels".lstrip("/")


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

    def reached(self, part: str) -> set[str]:
        """Return a part and every part that it leads to."""
        found: set[str] = set()
        waiting = [part]
        while waiting:
            at = waiting.pop()
            if at in found or not self.has(at):
                continue
            found.add(at)
            waiting += [target for _, target in self.package.related(at).values()]
        return found


class Graft:
    """Replaces gwplan's sheets in a workbook by those of a new one."""

    def __init__(self, own: Parts, new: Parts, prefix: str) -> None:
        self.own, self.new, self.prefix, self.etree = own, new, prefix, own.etree
        self.book, self.new_book = own.tree(own.main), new.tree(new.main)
        self.rels = own.tree(rels_of(own.main))
        self.types = own.tree(CONTENT)
        types = self.new.tree(CONTENT).iter(f"{_CONTENT_NS}Override")
        self.new_types = {each.get("PartName"): each.get("ContentType") for each in types}

    def run(self) -> None:
        """Do it: old sheets out, new ones in their places, styles, names and tables with them."""
        own_styles, styles_part = self._styles()
        self.styles = Styles(self.etree, own_styles, self.new.tree(self._related(self.new, "styles")))
        if self.styles.changed:
            self.own.put(styles_part, own_styles)
        self.strings = self._strings()
        before = [sheet.get("name") for sheet in self._sheets(self.book)]
        made = {sheet.get("name"): self._target(self.new, sheet) for sheet in self._sheets(self.new_book)}
        old = [sheet for sheet in self._sheets(self.book) if sheet.get("name") in made]
        ids = {sheet.get("sheetId") for sheet in old}
        self._drop([self._target(self.own, sheet) for sheet in old])
        self._enter(made, old)
        self._names(before)
        self._calculate(ids)
        self.own.put(self.own.main, self.book)
        self.own.put(rels_of(self.own.main), self.rels)
        self.own.put(CONTENT, self.types)

    def _sheets(self, book: Any) -> list[Any]:
        return list(book.find(q("sheets")))

    def _target(self, parts: Parts, sheet: Any) -> str:
        return parts.package.related(parts.main)[sheet.get(_ID)][1]

    def _related(self, parts: Parts, kind: str) -> str:
        return next((target for k, target in parts.package.related(parts.main).values() if k == kind), "")

    def _styles(self) -> tuple[Any, str]:
        part = self._related(self.own, "styles")
        if not part:
            raise self.own.package.refused("a workbook without styles", "gwplan's sheets need some to be shown with")
        return self.own.tree(part), part

    def _strings(self) -> list[Any]:
        part = self._related(self.new, "sharedStrings")
        return list(self.new.tree(part)) if part else []

    def _drop(self, sheets: Iterable[str]) -> None:
        """Remove the parts of old sheets that nothing else leads to."""
        gone = set().union(*(self.own.reached(sheet) for sheet in sheets))
        stay: set[str] = set()
        for part in self.own.package.parts:
            if part not in gone and not part.endswith(".rels") and part != CONTENT and part != self.own.main:
                stay |= {target for _, target in self.own.package.related(part).values()}
        for part in gone - stay:
            self.own.removed |= {part, rels_of(part)}
            for each in [t for t in self.types if t.get("PartName") == f"/{part}"]:
                self.types.remove(each)
        for each in [r for r in self.rels if self._resolved(r) in gone]:
            self.rels.remove(each)

    def _resolved(self, relation: Any) -> str:
        folder = posixpath.dirname(self.own.main)
        return posixpath.normpath(posixpath.join("/" + folder, relation.get("Target", ""))).lstrip("/")

    def _enter(self, made: dict[str, str], old: list[Any]) -> None:
        """Copy the new sheets with all that hangs on them, each into the place of the one that it replaces."""
        sheets = self.book.find(q("sheets"))
        places = {sheet.get("name"): sheet for sheet in old}
        number = max((int(sheet.get("sheetId")) for sheet in sheets), default=0)
        table = self._tables()
        for name, part in made.items():
            target = self._copy(part, table)
            relation = self._free_id()
            folder = posixpath.dirname(self.own.main)
            self.etree.SubElement(
                self.rels, f"{_RELS_NS}Relationship", Id=relation, Type=_SHEET, Target=posixpath.relpath(target, folder)
            )
            sheet = places.get(name)
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

    def _tables(self) -> Callable[[], str]:
        """Return what gives numbers that no table of the workbook has."""
        taken = 0
        for part in self.own.package.parts:
            if re.match(r"xl/tables/[^/]*\.xml$", part) and self.own.has(part):
                root = self.own.tree(part)
                name = root.get("displayName", "")
                if name.startswith(self.prefix):
                    rule = f"gwplan's tables begin with {self.prefix}"
                    raise self.own.package.refused(f"a table {name} on a sheet of yours", rule)
                taken = max(taken, int(root.get("id", "0")))
        numbers = iter(range(taken + 1, 10**6))
        return lambda: str(next(numbers))

    def _copy(self, part: str, table: Callable[[], str]) -> str:
        """Copy a part and all that it leads to under free names; return its new name."""
        target = self._free_name(part)
        self.own.changed[target] = b""
        folder = posixpath.dirname(target)
        if self.new.has(rels_of(part)):
            rels = self.new.tree(rels_of(part))
            related = self.new.package.related(part)
            for each in rels:
                if each.get("TargetMode") != "External":
                    copied = self._copy(related[each.get("Id")][1], table)
                    each.set("Target", posixpath.relpath(copied, folder))
            self.own.put(rels_of(target), rels)
        self.own.put(target, self._changed(part, table))
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

    def _changed(self, part: str, table: Callable[[], str]) -> Any:
        """Return the XML of a part of the new workbook, its styles and texts those of the other one."""
        root = self.new.tree(part)
        if root.tag == q("worksheet"):
            self._change_sheet(root)
        elif root.tag == q("table"):
            root.set("id", table())
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
        fresh = self.new_book.find(q("definedNames"))
        for each in list(names):
            local = each.get("localSheetId")
            if each.get("name", "").startswith(self.prefix) if local is None else before[int(local)] in new_sheets:
                names.remove(each)
            elif local is not None:
                each.set("localSheetId", str(after.index(before[int(local)])))
        for each in [] if fresh is None else list(fresh):
            if each.get("localSheetId") is not None:
                each.set("localSheetId", str(after.index(new_sheets[int(each.get("localSheetId"))])))
            names.append(each)
        marker = self.etree.SubElement(names, q("definedName"), name=f"{self.prefix}{MARKER}", hidden="1")
        marker.text = "1"

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
        self.own.removed.add(part)
        for each in [r for r in self.rels if self._resolved(r) == part]:
            self.rels.remove(each)
        for each in [t for t in self.types if t.get("PartName") == f"/{part}"]:
            self.types.remove(each)


MARKER: Final = "made_by_gwplan"
"""Hidden name by which gwplan knows the sheets that it made."""


def is_strict(book: Any) -> bool:
    """Return whether a workbook is of the strict kind, whose names differ."""
    return not str(book.tag).startswith(f"{{{MAIN}}}")
