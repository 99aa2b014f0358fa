"""The looks of one workbook's cells among those of another: appended where they are missing, never changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

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
        found = self._list(self.own, name)
        if found is None:
            found = self.etree.Element(q(name))
            before = [q(other) for other in _ORDER[: _ORDER.index(name)]]
            at = max((i + 1 for i, child in enumerate(self.own) if child.tag in before), default=0)
            self.own.insert(at, found)
        return found

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
        found = self._list(self.own, name)
        known: dict[Key, int] = {}
        for place, element in enumerate([] if found is None else found):
            known.setdefault(self._key(element), place)
        return known

    def _formats(self) -> dict[str, str]:
        """Return the own number of each number format of the other workbook."""
        own = self._list(self.own, "numFmts")
        codes = {} if own is None else {each.get("formatCode"): each.get("numFmtId") for each in own}
        found: dict[str, str] = {}
        for each in self._list(self.other, "numFmts") if self._list(self.other, "numFmts") is not None else []:
            code = each.get("formatCode")
            if code not in codes:
                codes[code] = str(max([_FIRST_OWN_FORMAT - 1, *(int(number) for number in codes.values())]) + 1)
                target = self._made("numFmts")
                self.etree.SubElement(target, q("numFmt"), numFmtId=codes[code], formatCode=code)
                target.set("count", str(len(target)))
                self.changed = True
            found[each.get("numFmtId")] = codes[code]
        return found

    def _taken(self, name: str, formats: dict[str, str] | None = None) -> list[int]:
        known, source = self._known(name), self._list(self.other, name)
        found = []
        for element in [] if source is None else list(source):
            copy = deepcopy(element)
            for each in copy.iter(q("numFmt")):
                each.set("numFmtId", (formats or {}).get(each.get("numFmtId"), each.get("numFmtId")))
            found.append(self._place(name, copy, known))
        return found

    def _cells(self, formats: dict[str, str], parts: dict[str, list[int]]) -> list[int]:
        known, found = self._known("cellXfs"), []
        for element in list(self._list(self.other, "cellXfs")):
            copy = deepcopy(element)
            number = copy.get("numFmtId", "0")
            copy.set("numFmtId", formats.get(number, number))
            for key, name in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
                copy.set(key, str(parts[name][int(copy.get(key, "0"))]))
            copy.set("xfId", "0")
            for key in ("applyNumberFormat", "applyFont", "applyFill", "applyBorder"):
                copy.set(key, "1")
            found.append(self._place("cellXfs", copy, known))
        return found
