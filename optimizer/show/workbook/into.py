"""A run's sheets refreshed inside the user's own workbook, of which everything else stays as it was."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import zipfile
from copy import copy
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from optimizer.extras import imported
from optimizer.files import printable, read_bytes, told, whole_file
from optimizer.kept.run import Run
from optimizer.problems import InstanceError, Problem
from optimizer.show.workbook.book import write_book
from optimizer.spreadsheet.cells import Workbook
from optimizer.spreadsheet.graft import MARKER, Graft, Parts, is_strict
from optimizer.spreadsheet.package import ENDINGS, Package, open_package
from optimizer.spreadsheet.styles import q

PREFIX: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,9}")


def refresh(run: Run, path: str | Path, *, prefix: str = "gw_", backup: bool = False) -> Path | None:
    """Put a run's sheets, tables, charts and names into a workbook, in place of those of an earlier run.

    Every part of the workbook that is not gwplan's keeps its bytes, but for its index: the list of sheets and names,
    of parts and relations, and the styles, to which gwplan's are appended.

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
        If the workbook cannot be read or is open elsewhere, or holds sheets or names of the prefix that are not
        gwplan's; it is as it was then.
    """
    etree = imported("lxml.etree", "lxml", extra="xlsx", doing="workbooks")
    target = Path(os.path.realpath(path))
    name = printable(str(path))
    refuse_unfit(path, prefix)
    data = read_bytes(target)
    package = open_package(data, name)
    own = _parts(package, etree)
    if is_strict(own.tree(own.main)):
        raise package.refused("a strict workbook", "gwplan writes into ordinary ones; save it as .xlsx once more")
    if any(part.startswith("_xmlsignatures/") for part in package.parts):
        raise package.refused("a signed workbook", "a change would break its signature")
    with TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "fresh.xlsx"
        write_book(run, fresh, prefix, since_1904=Workbook(package).since_1904)
        new = _parts(open_package(fresh.read_bytes(), name), etree)
    _refuse_strangers(own, new, prefix)
    Graft(own, new, prefix).run()
    kept = _backup(target) if backup else None
    with whole_file(target) as file:
        file.write_bytes(_packed(own))
        shutil.copymode(target, file)
        refuse_unfit(path, prefix)
        if hashlib.sha256(read_bytes(target)).digest() != hashlib.sha256(data).digest():
            rule = "it was saved by somebody else meanwhile"
            raise InstanceError(Problem(name, "changed while gwplan worked", rule, "give the command again"))
    return kept


def refuse_unfit(path: str | Path, prefix: str = "gw_") -> None:
    """Raise unless a path names a workbook that may be replaced now; ask before a long solve.

    Raises
    ------
    InstanceError
        If it is no workbook, is open elsewhere, may not be replaced, or the prefix cannot begin names.
    """
    given, name = Path(path), printable(str(path))
    if not PREFIX.fullmatch(prefix):
        rule = "it begins names: a letter or _, then letters, digits and _, at most ten in all"
        raise InstanceError(Problem(f"--sheet-prefix {printable(prefix)}", "no prefix", rule, "give one such as gw_"))
    if given.suffix.lower() not in ENDINGS:
        rule = "gwplan writes into workbooks that end in .xlsx or .xlsm"
        raise InstanceError(Problem(name, f"ending '{printable(given.suffix)}'", rule, "save it as one of these"))
    target = Path(os.path.realpath(given))
    with told(given):
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


def _refuse_strangers(own: Parts, new: Parts, prefix: str) -> None:
    """Refuse a workbook in which something of gwplan's names is there and was not made by gwplan."""
    book = own.tree(own.main)
    names = [each.get("name", "") for each in book.iter(q("definedName"))]
    if f"{prefix}{MARKER}" in names:
        return
    made = {sheet.get("name").lower() for sheet in new.tree(new.main).find(q("sheets"))}
    taken = [sheet.get("name") for sheet in book.find(q("sheets")) if sheet.get("name").lower() in made]
    taken += [name for name in names if name.lower().startswith(prefix.lower())]
    if taken:
        rule = "only sheets and names that gwplan made are replaced"
        remedy = "rename them, or give another --sheet-prefix"
        where = own.package.name
        raise InstanceError([Problem(where, f"'{printable(name)}' is not gwplan's", rule, remedy) for name in taken])


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
