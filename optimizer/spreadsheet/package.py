"""The parts of a spreadsheet file (an OPC package: XML parts in a ZIP archive), opened with limits and without trust.

Sizes are judged before anything is unpacked, and documents that declare entities are never parsed.
"""

from __future__ import annotations

import lzma
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final
from xml.parsers import expat

from gwplan.problems import InstanceError, Problem

ENDINGS: Final = (".xlsx", ".xlsm")
"""Endings of the spreadsheet files that are read."""

MOST_PARTS: Final = 5_000
LARGEST_PART: Final = 64_000_000
"""Most bytes of one part that is read, unpacked."""
LARGEST_PACKAGE: Final = 400_000_000
"""Most bytes of all parts together, unpacked."""

UNPACKING_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip
"""What a damaged or encrypted part, or a way of packing that nobody knows (`NotImplementedError`), ends in."""

_EXTERNAL: Final = re.compile(r"(^|/)externalLinks/[^/]*\.xml$", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """The parts of a spreadsheet file."""

    name: str  # name of the file, for messages
    archive: zipfile.ZipFile  # the file

    @property
    def parts(self) -> list[str]:
        """Names of the parts, in the order of the archive."""
        return [entry.filename for entry in self.archive.infolist()]

    def read(self, part: str) -> bytes:
        """Return a part's bytes."""
        try:
            entry = self.archive.getinfo(part)
        except KeyError:
            raise self.refused("not a workbook", f"it has no part {part}") from None
        if entry.file_size > LARGEST_PART:
            raise self.refused(
                f"{part} unpacks to {entry.file_size / 1e6:,.0f} MB", f"a part may have {LARGEST_PART // 10**6} MB"
            )
        try:
            return self.archive.read(entry)
        except UNPACKING_ERRORS as error:
            raise self.refused(f"{part} cannot be unpacked", str(error).lower()) from None

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return a part's relations to other parts: by id, the last word of the type and the name of the target."""
        folder, base = posixpath.split(part)
        path = f"{folder}/_rels/{base}.rels".lstrip("/")
        related: dict[str, tuple[str, str]] = {}
        if path not in self.archive.namelist():
            return related

        def start(tag: str, attributes: dict[str, str]) -> None:
            if _local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/" + folder, attributes.get("Target", ""))).lstrip("/")
                related[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target)

        self.parse(path, start)
        return related

    def parse(
        self,
        part: str,
        start: Callable[[str, dict[str, str]], object],
        end: Callable[[str], object] | None = None,
        text: Callable[[str], object] | None = None,
    ) -> None:
        """Walk through a part's XML, telling of each element, its end and its text."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = start
        if end is not None:
            parser.EndElementHandler = end
        if text is not None:
            parser.CharacterDataHandler = text

        def refuse(*_: Any) -> None:
            raise self.refused(f"{part} declares a document type", "a workbook has none, and entities are not expanded")

        parser.StartDoctypeDeclHandler = refuse
        try:
            parser.Parse(self.read(part), True)
        except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two of encodings that there are not
            raise self.refused(f"{part} is not XML", str(error)) from None

    def refused(
        self, what: str, rule: str, remedy: str = "save it anew as .xlsx, or give another file"
    ) -> InstanceError:
        """Return the error that says why the file is not read."""
        return InstanceError(Problem(self.name, what, rule, remedy))


def open_package(data: bytes, name: str) -> Package:
    """Open the bytes of a spreadsheet file."""
    broken = Package(name, zipfile.ZipFile(BytesIO(b"PK\5\6" + bytes(18))))  # an empty archive
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise broken.refused("an old or encrypted workbook", "only .xlsx and .xlsm without a password are read")
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise broken.refused("not a workbook", str(error).lower()) from None
    package = Package(name, archive)
    if len(entries) > MOST_PARTS:
        raise package.refused(f"{len(entries):,} parts", f"a workbook may have {MOST_PARTS:,}")
    total = sum(entry.file_size for entry in entries)
    if total > LARGEST_PACKAGE:
        raise package.refused(f"unpacks to {total / 1e6:,.0f} MB", f"a workbook may have {LARGEST_PACKAGE // 10**6} MB")
    names = [entry.filename.lower() for entry in entries]
    if len(set(names)) < len(names):
        raise package.refused("a part occurs twice", "every part of a workbook has a name of its own")
    for entry in entries:
        if _EXTERNAL.search(entry.filename):
            package.parse(entry.filename, lambda tag, _, part=entry.filename: _refuse_call(package, part, tag))  # type: ignore[misc]
    return package


def _refuse_call(package: Package, part: str, tag: str) -> None:
    """Refuse a link that starts another program; one that refers to another workbook is let through, never opened."""
    if _local(tag) == "ddeLink":
        raise package.refused(f"a link that calls another program ({part})", "gwplan reads no workbook that starts one")


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]
