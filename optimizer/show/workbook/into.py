"""A run's sheets inside the user's own workbook: refreshed, all else as it was, and the allocation read back."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import GIVEN
from gwplan.extras import imported
from gwplan.files import naming, printable, read_bytes, whole_file
from gwplan.instance.cells import Fault, parsed
from gwplan.kept.run import Run
from gwplan.problems import InstanceError, Problem
from gwplan.show.workbook.book import SHEETS, write_book
from gwplan.show.workbook.facts import pair_head
from gwplan.show.workbook.page import TOP, unlike
from gwplan.spreadsheet.cells import Odd, Sheet, Workbook, letters, quoted, sheet_of
from gwplan.spreadsheet.graft import MARKER, Graft, Parts, Tables, is_strict, q
from gwplan.spreadsheet.package import ENDINGS, Package, open_package

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


_NODE, _FIRST_PAIR = 1, 6
_FORMULA = Odd("a formula", "an allocation is read as numbers", "copy the cell and paste it as a value")


def sheets_by_kind(book: Workbook, prefix: str, where: str) -> dict[str, str]:
    """Return what gwplan's sheets are called in a workbook, by what they hold; the usual names where there are none.

    Hidden names point to the sheets, and follow when a user renames, moves or copies them.
    """
    titles = {title.lower(): title for title in book.parts}
    sheets, problems = {}, []
    for kind in SHEETS:
        usual = f"{prefix}{kind}"
        pointer = book.names.get(f"{prefix}{MARKER}_{kind}".lower())
        title = titles.get(usual.lower())
        if pointer is not None:
            sheet = sheet_of(pointer)
            if title and sheet.lower() not in titles:
                rule, remedy = "gwplan's sheet of that name was deleted", "rename the sheet, or give another prefix"
                problems.append(Problem(f"{where}: sheet '{printable(title)}'", "not gwplan's", rule, remedy))
            title = titles.get(sheet.lower())
        sheets[kind] = title or usual
    if problems:
        raise InstanceError(problems)
    return sheets


def read_allocation(path: str | Path, prefix: str = "", pairs: Iterable[tuple[str, str]] = ()) -> pd.DataFrame:
    """Return the allocation of a workbook that `to_xlsx` or `refresh` wrote.

    `pairs` are the pathways and pools that it may name, in the order of the plan. Without any, a column's heading is
    split where it says " on ".

    Returns
    -------
    pandas.DataFrame
        Columns node, pathway, pool and gw (GW): one row for each node and pair.
    """
    where = printable(str(path))
    book = Workbook(open_package(read_bytes(path), where))
    name = sheets_by_kind(book, prefix, where)["allocation"]
    if name not in book.parts:
        others = [
            key.removesuffix(f"{MARKER}_allocation") for key in book.names if key.endswith(f"{MARKER}_allocation")
        ]
        remedy = f"give --sheet-prefix {others[0]}" if others else "give a workbook that has it"
        rule = "gwplan export --xlsx writes one"
        raise InstanceError(Problem(f"{where}: sheet '{name}'", "no such sheet", rule, remedy))
    sheet = book.sheet(name)
    problems: list[Problem] = []
    columns = _pairs(sheet, name, list(pairs), problems)
    rows = sorted(row for row, cells in sheet.rows.items() if row > TOP and _NODE in cells)
    if not rows:
        problems.append(Problem(name, "no rows", "the allocation has a row for each node", "export the run again"))
    node = [_number(sheet, name, row, _NODE, problems) for row in rows]
    parts = [
        pd.DataFrame(
            {
                "node": np.array(node, dtype=np.float64),
                "pathway": pathway,
                "pool": pool,
                "gw": [_number(sheet, name, row, at, problems) for row in rows],
            }
        )
        for at, (pathway, pool) in columns.items()
    ]
    if problems:
        raise InstanceError(problems)
    table = pd.concat(parts, ignore_index=True).astype({"node": np.int64})
    return table.sort_values(["node"], kind="stable").set_axis(range(2, len(table) + 2))


def _pairs(
    sheet: Sheet, name: str, pairs: list[tuple[str, str]], problems: list[Problem]
) -> dict[int, tuple[str, str]]:
    """Return pathway and pool of each column of GW: those from the first pair to the idle GW of the first pool."""
    known = dict(zip(unlike([pair_head(*pair) for pair in pairs]), pairs, strict=True))
    idle = {f"{pool} idle" for _, pool in pairs}
    by_column: dict[int, tuple[str, str]] = {}
    heads = sheet.rows.get(TOP, {})
    at = _FIRST_PAIR
    while isinstance(head := heads.get(at, ""), str) and " on " in head and (head in known or head not in idle):
        pathway, _, pool = head.partition(" on ")
        by_column[at] = known.get(head, (pathway, pool))
        at += 1
    if not by_column:
        rule = f"row {TOP} names the pairs, as 'pathway on pool'"
        problems.append(Problem(f"{name}!{letters(_FIRST_PAIR)}{TOP}", "no pair", rule, "export the run again"))
    return by_column


def _number(sheet: Sheet, name: str, row: int, at: int, problems: list[Problem]) -> float:
    cell = _FORMULA if (row, at) in sheet.formulas else sheet.rows.get(row, {}).get(at, "0")
    number = Fault(cell.rule, cell.remedy) if isinstance(cell, Odd) else parsed(GIVEN["plan"]["gw"], cell)
    if not isinstance(number, Fault):
        return float(number)
    what, rule, remedy = cell.what if isinstance(cell, Odd) else f"'{cell}'", number.rule, number.remedy
    problems.append(Problem(f"{name}!{letters(at)}{row}", what, rule, remedy))
    return 0.0
