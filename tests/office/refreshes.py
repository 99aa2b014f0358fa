"""Workbooks that planners work on between refreshes: nothing of theirs may change, nothing may need repair.

``python -m tests.office.refreshes [N]`` runs N of them (40 by default) and says what was found.
"""

from __future__ import annotations

import random
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

import gwplan as gw
from gwplan.kept.run import Run, keep, read_run
from gwplan.show.workbook.into import read_allocation, refresh, sheets_by_kind
from gwplan.spreadsheet.cells import Workbook
from gwplan.spreadsheet.package import open_package
from tests.office.excel_rules import findings
from tests.office.planners import (
    Book,
    copied,
    prefixed_styles,
    recased,
    renamed,
    sorted_rows,
    with_link,
    with_mapped_cell,
    with_name,
    with_pivot,
    with_slicer,
    with_table,
)

xlsxwriter = pytest.importorskip("xlsxwriter", reason="the extra 'xlsx' is not installed")

INSTANCES: Final = Path(__file__).parents[2] / "instances"
INDEX: Final = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
"""Parts that list what is in a workbook, which must change when sheets are added."""


def runs(folder: Path) -> tuple[Run, Run]:
    """Return two runs whose tables differ in length: with and without uncertainty."""
    instance = gw.load(INSTANCES / "tiny-tree")
    kinds = (instance.deterministic(), folder / "short"), (instance, folder / "long")
    short, long = (read_run(keep(gw.solve(each), to, command=["gwplan"], options={})) for each, to in kinds)
    return short, long


def planners_book(path: Path) -> Path:
    """Write a planner's workbook with formulas, a chart, a comment and a table."""
    with xlsxwriter.Workbook(str(path)) as book:
        own = book.add_worksheet("model")
        for row in range(6):
            own.write_number(row, 0, row * 1.5)
        own.write_formula("C1", "=SUM(A1:A6)", None, 22.5)
        own.write_comment("A1", "a note")
        own.add_table("A20:B22", {"name": "mine", "columns": [{"header": "x"}, {"header": "y"}]})
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=model!$A$1:$A$6"})
        own.insert_chart("H10", chart)
        book.define_name("gw_growth", "=model!$A$2")
        book.add_worksheet("notes").write_string("A1", "<&> text")
    return path


def gwplans(path: Path, kind: str) -> str:
    """Return what a sheet of gwplan's is called now."""
    return sheets_by_kind(Workbook(open_package(path.read_bytes(), "book")), "gw_", "book")[kind]


def some_sheet(book: Book) -> str:
    """Return a sheet of gwplan's, by what it is called now."""
    return gwplans(book.path, random_of(book).choice(["supply", "worth", "deals", "manifest", "periods"]))


def random_of(book: Book) -> random.Random:
    """Return a source of choices that depends on the workbook alone."""
    return random.Random(len(book.parts))


def pivot_on_gwplans(book: Book) -> None:
    """A pivot table beside gwplan's table."""
    column, row = f"A{chr(65 + len(book.parts) % 7)}", 5 * len(book.parts)
    with_pivot(book, gwplans(book.path, "supply"), f"{column}{row}:{column}{row + 3}")


def shared_cache(book: Book) -> None:
    """Two pivot tables on one cache, one of them on a sheet of gwplan's."""
    row = 300 + 5 * len(book.parts)
    cache = with_pivot(book, gwplans(book.path, "years"), f"Z{row}:Z{row + 3}")
    with_pivot(book, "notes", f"M{row}:M{row + 3}", cache)


def rename(book: Book) -> None:
    """A name with a blank and a quote."""
    old = some_sheet(book)
    renamed(book, old, f"{old[:12]}'s {len(book.parts)}")


DEEDS: Final[dict[str, Callable[[Book], object]]] = {
    "pivot table on gwplan's sheet": pivot_on_gwplans,
    "pivot tables that share a cache": shared_cache,
    "renamed sheet": rename,
    "copied sheet": lambda book: copied(book, some_sheet(book)),
    "sorted rows": lambda book: sorted_rows(book, gwplans(book.path, "inputs")),
    "name in capitals": lambda book: recased(book, some_sheet(book)),
    "slicer on gwplan's table": lambda book: with_slicer(book, "gw_supply", "node", "notes"),
    "cell mapped to XML": lambda book: with_mapped_cell(book, "notes"),
    "another table": lambda book: with_table(book, "notes", f"T{len(book.parts)}:T{len(book.parts) + 1}"),
    "link to another workbook": lambda book: with_link(book, "notes"),
    "name with gwplan's prefix": lambda book: with_name(book, f"gw_of_mine_{len(book.parts)}", "model!$A$1"),
    "styles with prefixes": lambda book: None if b"<x:" in book.parts["xl/styles.xml"] else prefixed_styles(book),
}
"""What planners do between refreshes."""


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of every part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def foreign(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the parts that no refresh may touch."""
    return {name: data for name, data in parts.items() if name not in INDEX and "gwplan_" not in name}


def names_of(path: Path) -> set[str]:
    """Return the names that the planner defined."""
    defined = re.findall(rb'<definedName ([^>]*)name="([^"]+)"', contents(path)["xl/workbook.xml"])
    return {name.decode() for _, name in defined if b"of_mine" in name or b"growth" in name}


def refreshed(path: Path, run: Run, deed: str) -> list[str]:
    """Do something to a workbook, refresh it and return what was wrong."""
    book = Book(path)
    DEEDS[deed](book)
    book.save()
    wrong = [f"before the refresh: {line}" for line in findings(path)]
    before, names = foreign(contents(path)), names_of(path)
    tables = _ids(contents(path))
    refresh(run, path)
    after = contents(path)
    wrong += [f"{part} changed" for part, data in before.items() if after.get(part) != data]
    wrong += [f"the name {name} is gone" for name in names - names_of(path)]
    wrong += findings(path)
    wrong += [f"table {name} had another number" for name, number in tables.items() if _ids(after)[name] != number]
    found = read_allocation(path, "gw_")["gw"].sum()
    if abs(found - run.tables["allocation"]["gw"].sum()) > 1e-9:
        wrong.append("the allocation is not the plan's")
    return wrong


def _ids(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the numbers of all tables by their names in small letters."""
    found = {}
    for part, data in parts.items():
        for root in re.findall(rb"<table [^>]*>", data) if "tables/" in part else ():
            told = dict(re.findall(rb' (\w+)="([^"]*)"', root))
            found[told[b"displayName"].decode().lower()] = told[b"id"]
    return found


def main(count: int) -> int:
    """Refresh as often as asked, a new workbook every five times; print what was wrong and return how much."""
    found = 0
    with TemporaryDirectory() as scratch:
        both = runs(Path(scratch))
        deeds = list(DEEDS)
        for turn in range(count):
            path = Path(scratch) / f"book{turn // 5}.xlsx"
            if turn % 5 == 0:
                refresh(both[0], planners_book(path))
            deed = deeds[turn * 5 % len(deeds)]
            wrong = refreshed(path, both[(turn + 1) % 2], deed)
            found += len(wrong)
            print(f"{turn + 1:3} {path.stem} {deed}: {len(wrong)} findings", *wrong, sep="\n      ")
    print(f"{count} refreshes, {found} findings")
    return found


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 40) else 0)
