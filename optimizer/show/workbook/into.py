"""A run's sheets refreshed inside the user's own workbook, of which everything else stays as it was."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from optimizer.extras import imported
from optimizer.files import naming, printable, read_bytes, whole_file
from optimizer.kept.run import Run
from optimizer.problems import InstanceError, Problem
from optimizer.show.workbook.back import sheets_by_kind
from optimizer.show.workbook.book import write_book
from optimizer.spreadsheet.cells import Workbook, quoted
from optimizer.spreadsheet.graft import MARKER, Graft, Parts, Tables, is_strict, q
from optimizer.spreadsheet.package import ENDINGS, Package, open_package

PREFIX: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,9}")


@dataclass(frozen=True)
class Refreshed:
    """What became of a workbook."""

    backup: Path | None = None  # the workbook as it was, if it was to be kept
    warnings: tuple[Problem, ...] = ()  # cells of the user's that refer to what is no longer there


def refresh(run: Run, path: str | Path, *, prefix: str = "gw_", backup: bool = False) -> Refreshed:
    """Put a run's sheets, tables, charts and names into a workbook, in place of those of an earlier run.

    Every part of the workbook that is not gwplan's keeps its bytes, but for its index: the list of sheets and names,
    of parts and relations, and the styles, to which gwplan's are appended. Sheets that the user renamed or moved stay
    so; pivot tables that stand on gwplan's sheets move to the new ones.

    Parameters
    ----------
    run : Run
        What to show.
    path : str or Path
        A workbook that ends in ``.xlsx`` or ``.xlsm``.
    prefix : str
        What the names of gwplan's sheets, tables and ranges begin with.
    backup : bool
        Whether the workbook as it was is kept beside it.

    Raises
    ------
    InstanceError
        If the workbook cannot be read or changed or is open elsewhere, or has sheets, tables or names called as
        gwplan's that are not; it is as it was then.
    """
    target, name = Path(os.path.realpath(path)), printable(str(path))
    own, book, data = _opened(path, prefix)
    kinds = sheets_by_kind(book, prefix, own.package.name)
    with TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "fresh.xlsx"
        write_book(run, fresh, prefix, sheets=kinds, since_1904=book.since_1904)
        new = _parts(open_package(fresh.read_bytes(), name), own.etree)
    if f"{prefix}{MARKER}".lower() not in book.names:
        _refuse_strangers(own, new)
    foreign = {title: part for title, part in book.parts.items() if title not in kinds.values()}
    graft = Graft(own, new, prefix, kinds)
    graft.run()
    warnings = lost_columns(own, foreign, graft.tables)
    kept = _backup(target) if backup else None
    with whole_file(target) as file:
        file.write_bytes(_packed(own))
        shutil.copymode(target, file)
        _refuse_path(path, prefix)
        if hashlib.sha256(read_bytes(target)).digest() != hashlib.sha256(data).digest():
            rule = "it was saved by somebody else meanwhile"
            raise InstanceError(Problem(name, "changed while gwplan worked", rule, "give the command again"))
    return Refreshed(kept, tuple(warnings))


def refuse_unfit(path: str | Path, prefix: str = "gw_") -> None:
    """Raise unless a path names a workbook that may be changed now; ask before a long solve."""
    _opened(path, prefix)


def _opened(path: str | Path, prefix: str) -> tuple[Parts, Workbook, bytes]:
    """Return the parts and sheets of a workbook that may be changed, and its bytes."""
    etree = imported("lxml.etree", "lxml", extra="xlsx", doing="workbooks")
    _refuse_path(path, prefix)
    data = read_bytes(Path(os.path.realpath(path)))
    package = open_package(data, printable(str(path)))
    book = Workbook(package)
    own = Parts(package, etree, book.part)
    root = own.tree(own.main)
    if is_strict(root):
        raise package.refused("a strict workbook", "gwplan writes into ordinary ones", "save it as .xlsx once more")
    if any(part.startswith("_xmlsignatures/") for part in package.parts):
        raise package.refused("a signed workbook", "a change would break its signature", "remove it, or give another")
    if any(kind == "revisionHeaders" for kind, _ in own.related(own.main).values()):
        remedy = "stop sharing it (Review, Share Workbook), or give another"
        raise package.refused("a shared workbook that logs its changes", "its log would no longer fit it", remedy)
    protection = root.find(q("workbookProtection"))
    if protection is not None and protection.get("lockStructure") in ("1", "true"):
        remedy = "unprotect it (Review, Protect Workbook), or give another"
        raise package.refused("a workbook whose structure is protected", "gwplan adds and replaces sheets", remedy)
    return own, book, data


def _refuse_path(path: str | Path, prefix: str) -> None:
    given, name = Path(path), printable(str(path))
    if not PREFIX.fullmatch(prefix):
        rule = "it begins names: a letter or _, then letters, digits and _, at most ten in all"
        raise InstanceError(Problem(f"--sheet-prefix {printable(prefix)}", "no prefix", rule, "give one such as gw_"))
    if given.suffix.lower() not in ENDINGS:
        rule = "gwplan writes into workbooks that end in .xlsx or .xlsm"
        raise InstanceError(Problem(name, f"ending '{printable(given.suffix)}'", rule, "save it as one of these"))
    target = Path(os.path.realpath(given))
    with naming(given):
        if not target.is_file():
            rule = "gwplan refreshes a workbook of yours"
            remedy = "check the path, or write one of its own with --xlsx"
            raise InstanceError(Problem(name, "no such file", rule, remedy))
        for lock in (target.with_name(f"~${target.name}"), target.with_name(f".~lock.{target.name}#")):
            if lock.exists():
                remedy = f"close it there; if nobody has it open, delete {printable(lock.name)}"
                raise InstanceError(Problem(name, "open in another program", "what is open is not replaced", remedy))
        if not os.access(target, os.W_OK) or not os.access(target.parent, os.W_OK | os.X_OK):
            rule = "the file and its folder may not be written"
            raise InstanceError(Problem(name, "cannot be replaced", rule, "change their permissions, or copy it"))


def _parts(package: Package, etree: Any) -> Parts:
    return Parts(package, etree, Workbook(package).part)


def _refuse_strangers(own: Parts, new: Parts) -> None:
    """Refuse a workbook in which something is called as gwplan calls it and was not made by gwplan."""
    ours, made = _called(own), _called(new)
    taken = [title for key, title in ours.items() if key in made]
    if taken:
        more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
        what = f"{', '.join(repr(printable(title)) for title in taken[:3])}{more}: not gwplan's"
        rule = "only what gwplan made is replaced, and the hidden names by which it would know are not there"
        remedy = "delete them if they are of an earlier plan, or rename them, or give another --sheet-prefix"
        raise InstanceError(Problem(own.package.name, what, rule, remedy))


def _called(parts: Parts) -> dict[str, str]:
    """Return what the sheets and names of a workbook are called, by the same in small letters."""
    book = parts.tree(parts.main)
    titles = [sheet.get("name") for sheet in book.find(q("sheets"))]
    titles += [each.get("name") for each in book.iter(q("definedName")) if each.get("localSheetId") is None]
    return {title.lower(): title for title in titles}


def lost_columns(own: Parts, sheets: Mapping[str, str], tables: Tables) -> list[Problem]:
    """Return a warning for each column that the new tables lack and formulas of the user's name."""
    lost = {table: set(columns.values()) for table, columns in tables.lost.items() if columns}
    if not lost:
        return []
    places: dict[tuple[str, str], list[str]] = {}
    for title, part in sheets.items():
        if any(f"{table}[".encode() in own.package.read(part).lower() for table in lost):
            for cell in own.tree(part).iter(q("c")):
                for use in _uses(cell.findtext(q("f")) or "", lost):
                    places.setdefault(use, []).append(f"{quoted(title)}!{cell.get('r')}")
    for name in own.tree(own.main).iter(q("definedName")):
        for use in _uses(name.text or "", lost):
            places.setdefault(use, []).append(f"the name {name.get('name')}")
    for part in own.package.parts:
        for cache in own.tree(part).iter(_SLICER) if "slicerCaches/" in part and part.endswith(".xml") else ():
            for table, columns in tables.lost.items():
                if (cache.get("tableId"), cache.get("column")) in [(tables.ids[table], number) for number in columns]:
                    what = f"a slicer filters {table}[{columns[cache.get('column')]}]"
                    raise own.package.refused(what, "this plan has no such column", "delete the slicer")
    rule, remedy = "this plan has no such column", "correct the formulas, which calculate to an error"
    return [
        Problem(own.package.name, f"{table}[{column}] in {', '.join(cells)}", rule, remedy, "warning")
        for (table, column), cells in places.items()
    ]


_SLICER: Final = "{http://schemas.microsoft.com/office/spreadsheetml/2010/11/main}tableSlicerCache"
_TABLE_CELLS: Final = re.compile(r"([A-Za-z_]\w*)\[((?:[^\[\]']|'.|\[(?:[^\[\]']|'.)*\])*)\]", re.ASCII)
_COLUMN: Final = re.compile(r"\[((?:[^\[\]']|'.)*)\]")


def _uses(formula: str, lost: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield table and column of each reference such as ``gw_supply[[#This Row],[used_gw]]`` to a lost column."""
    for table, inside in _TABLE_CELLS.findall(formula):
        for column in _COLUMN.findall(inside) or [inside.removeprefix("@")]:
            name = re.sub(r"'(.)", r"\1", column).lower()
            if name in lost.get(table.lower(), ()):
                yield table.lower(), name


def _backup(target: Path) -> Path:
    """Copy the workbook as it is beside itself, under a name with the time."""
    now = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
    place = target.with_name(f"{target.stem}.{now}{target.suffix}")
    number = 1
    while place.exists():
        number += 1
        place = target.with_name(f"{target.stem}.{now}-{number}{target.suffix}")
    with whole_file(place) as new:
        shutil.copy2(target, new)
    return place


def _packed(parts: Parts) -> bytes:
    """Return the package as a file: what was there in its order, what is new behind it."""
    archive = parts.package.archive
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in archive.infolist():
            if entry.filename not in parts.removed:
                packed.writestr(copy(entry), parts.changed.get(entry.filename) or archive.read(entry))
        known = set(archive.namelist())
        for part, content in parts.changed.items():
            if part not in known or part in parts.removed:
                packed.writestr(part, content)
    return data.getvalue()
