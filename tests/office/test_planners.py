"""What planners do to their workbooks between refreshes: nothing of theirs is lost, nothing needs repair."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gwplan as gw
from gwplan.kept.run import Run, keep, read_run
from gwplan.problems import InstanceError
from gwplan.show.workbook.into import read_allocation, refresh, refuse_unfit
from tests.office.excel_rules import MAIN, findings
from tests.office.planners import (
    HEAD,
    Book,
    cells_put,
    copied,
    logged,
    prefixed_styles,
    protected,
    renamed,
    with_link,
    with_mapped_cell,
    with_name,
    with_pivot,
    with_slicer,
    with_table,
    without_names,
)
from tests.office.refreshes import DEEDS, INSTANCES, contents, foreign, gwplans, planners_book, refreshed, runs


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Two runs whose tables differ in length."""
    return runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def base(both: tuple[Run, Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planner's workbook, refreshed once."""
    path = planners_book(tmp_path_factory.mktemp("base") / "book.xlsx")
    refresh(both[0], path)
    assert not findings(path)
    return path


@pytest.fixture
def path(base: Path, tmp_path: Path) -> Path:
    """A copy of the planner's workbook."""
    return Path(shutil.copy(base, tmp_path / "book.xlsx"))


def changed(path: Path, *deeds: Callable[[Book], object]) -> Path:
    """Do something to a workbook."""
    book = Book(path)
    for deed in deeds:
        deed(book)
    return book.save()


@pytest.mark.parametrize("deed", DEEDS)
def test_a_refresh_after_each_deed_leaves_all_else_as_it_was(deed: str, path: Path, both: tuple[Run, Run]) -> None:
    """No byte of the planner's changes and Excel repairs nothing; ``python -m tests.office.refreshes`` runs chains."""
    assert refreshed(path, both[1], deed) == []
    assert refreshed(path, both[0], "sorted rows") == []


def test_a_renamed_sheet_is_the_one_that_is_refreshed(path: Path, both: tuple[Run, Run]) -> None:
    """Protects against a sheet that goes stale under its new name beside a new one under the old."""
    changed(path, lambda book: renamed(book, "gw_allocation", "Who gets what"))
    refresh(both[1], path)
    assert "gw_allocation" not in Book(path).sheets()
    assert read_allocation(path, "gw_")["gw"].sum() == pytest.approx(both[1].tables["allocation"]["gw"].sum())
    assert b"'Who gets what'!" in contents(path)["xl/workbook.xml"]


def test_a_sheet_of_the_planners_may_take_the_old_name(path: Path, both: tuple[Run, Run]) -> None:
    """A sheet is gwplan's by what points to it, not by its name: the planner's own is left alone, or refused."""
    changed(path, lambda book: renamed(book, "gw_worth", "W"), lambda book: renamed(book, "notes", "gw_worth"))
    mine = Book(path).parts[Book(path).sheets()["gw_worth"]]
    refresh(both[1], path)
    assert Book(path).parts[Book(path).sheets()["gw_worth"]] == mine and gwplans(path, "worth") == "W"
    pointer = re.compile(r"'W'!|\bW!")

    def deleted(book: Book) -> None:
        book.parts["xl/workbook.xml"] = pointer.sub("#REF!", book.parts["xl/workbook.xml"].decode()).encode()

    with pytest.raises(InstanceError, match=r"sheet 'gw_worth': not gwplan's[^\n]*$"):
        refresh(both[1], changed(path, deleted))


def test_pivot_tables_keep_cells_records_and_cache(path: Path, both: tuple[Run, Run]) -> None:
    """Protects against a refresh that deletes the records of the planner's pivot tables, shared or not."""

    def pivots(book: Book) -> None:
        cache = with_pivot(book, "gw_supply", "Z3:Z6")
        with_pivot(book, "notes", "M3:M6", cache)
        with_pivot(book, "gw_supply", "AB80:AB90")

    changed(path, pivots)
    mine = {name: data for name, data in contents(path).items() if "pivot" in name}
    for run in (*both, both[0]):
        refresh(run, path)
        assert {name: data for name, data in contents(path).items() if "pivot" in name} == mine
        sheet = Book(path).xml(Book(path).sheets()["gw_supply"])
        shown = {cell.get("r"): "".join(cell.itertext()) for cell in sheet.iter(f"{MAIN}c")}
        assert (shown["Z3"], shown["Z6"], shown["AB90"]) == ("Sum", "42", "42")
        assert not findings(path)


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (lambda book: with_pivot(book, "gw_supply", "B7:B9"), "a pivot table on sheet 'gw_supply'; gwplan's cells"),
        (lambda book: with_table(book, "gw_deals", "Z5:Z6"), "sheet 'gw_deals' holds tables of yours"),
        (lambda book: with_slicer(book, "gw_supply", "node", "gw_years"), "sheet 'gw_years' holds slicers of yours"),
        (protected, "a workbook whose structure is protected"),
        (logged, "a shared workbook that logs its changes"),
        (
            lambda book: without_names(book, lambda each: each.get("hidden")),
            "gw_summary', 'gw_periods', 'gw_years' and",
        ),
        (lambda book: with_link(book, "notes", '<ddeLink ddeService="cmd" ddeTopic="x"/>'), "calls another program"),
    ],
)
def test_what_a_refresh_would_break_is_refused_in_one_line(
    deed: Callable[[Book], Any], told: str, path: Path, both: tuple[Run, Run]
) -> None:
    """What cannot be kept is not dropped: one line says what it is and what to do, and the workbook stays."""
    changed(path, deed)
    before = path.read_bytes()
    with pytest.raises(InstanceError, match=re.escape(told)) as refused:
        refresh(both[1], path)
    assert str(refused.value).count("\n") == 0 and path.read_bytes() == before


@pytest.mark.parametrize("deed", [protected, logged])
def test_what_cannot_be_refreshed_is_told_before_a_long_solve(deed: Callable[[Book], Any], path: Path) -> None:
    """Nobody waits for a plan that then cannot be put where it was asked for."""
    with pytest.raises(InstanceError):
        refuse_unfit(changed(path, deed))


def test_names_of_the_planners_that_begin_with_the_prefix_are_kept(path: Path, both: tuple[Run, Run]) -> None:
    """Protects against names that vanish from the second refresh on, and against two of one name."""
    changed(
        path,
        lambda book: with_name(book, "gw_mine", "model!$A$3"),
        lambda book: with_name(
            book, "mine_here", "gw_worth!$A$3", localSheetId=str([*book.sheets()].index("gw_worth"))
        ),
    )
    for run in both:
        refresh(run, path)
        text = contents(path)["xl/workbook.xml"].decode()
        assert all(text.count(f'name="{name}"') == 1 for name in ("gw_mine", "gw_growth", "mine_here", "gw_worth_bn"))
        refresh(run, path, prefix="GW_")
        assert not findings(path)


def test_a_copied_sheet_stays_the_planners(path: Path, both: tuple[Run, Run]) -> None:
    """A copy kept for comparison, its table called after gwplan's with a number, blocks nothing and stays as it is."""
    changed(path, lambda book: copied(book, "gw_supply"), lambda book: copied(book, "gw_summary"))
    before = foreign(contents(path))
    refresh(both[1], path)
    assert {name: contents(path)[name] for name in before} == before and not findings(path)


def test_table_numbers_last_and_meet_no_other(path: Path, both: tuple[Run, Run]) -> None:
    """Slicers find their table and column by number, and mapped cells have theirs from the same row."""
    changed(
        path,
        lambda book: with_mapped_cell(book, "notes"),
        lambda book: with_slicer(book, "gw_supply", "pool", "notes"),
        lambda book: with_table(book, "notes", "T1:T2"),
    )
    for run in both:
        refresh(run, path)
        assert not findings(path)


def test_mapped_cells_are_counted_before_the_first_refresh(both: tuple[Run, Run], tmp_path: Path) -> None:
    """The first tables that come into a workbook take no number of a cell that is mapped to XML."""
    path = changed(planners_book(tmp_path / "book.xlsx"), lambda book: with_mapped_cell(book, "notes"))
    refresh(both[0], path)
    assert not findings(path)


def test_a_table_of_the_planners_that_is_called_as_gwplans_is_refused(both: tuple[Run, Run], tmp_path: Path) -> None:
    """Two tables whose names differ in case only are one name to a spreadsheet: told, before anything is written."""
    deed = replaced("xl/tables/table1.xml", ' displayName="mine"', ' displayName="GW_Supply"')
    path = changed(planners_book(tmp_path / "book.xlsx"), deed)
    with pytest.raises(InstanceError, match=r"a table GW_Supply on a sheet of yours; [^\n]*; rename the table[^\n]*$"):
        refresh(both[0], path)


def test_styles_do_not_grow(path: Path, both: tuple[Run, Run]) -> None:
    """Looks that are there are found, whatever prefix the program that saved the workbook writes them with."""
    changed(path, prefixed_styles)
    refresh(both[0], path)
    once = contents(path)["xl/styles.xml"]
    refresh(both[1], path)
    assert contents(path)["xl/styles.xml"] == once


def test_cells_that_use_a_lost_column_are_listed(path: Path, tmp_path: Path, both: tuple[Run, Run]) -> None:
    """A formula that would calculate to an error is named, and a slicer that Excel would repair is refused."""
    used = [
        "SUM(gw_periods[deals])",
        "gw_periods[[#This Row],[deals]]",
        "SUM(gw_periods[value])",
        "gw_years[@Deals]",
    ]
    cells = {f"D{at}": f"<c><f>{formula}</f><v>1</v></c>" for at, formula in enumerate(used, 1)}
    changed(
        path,
        lambda book: cells_put(book, book.sheets()["notes"], cells),
        lambda book: with_name(book, "all_of_it", "SUM(gw_periods[deals])"),
    )
    instance = gw.load(INSTANCES / "tiny-locks")
    other = read_run(keep(gw.solve(instance), tmp_path / "run", command=["gwplan"], options={}))
    assert "deals" not in other.instance.tables["pathways"]["pathway"].tolist()
    told = sorted(map(str, refresh(both[0], path).warnings))
    assert told == []
    told = sorted(map(str, refresh(other, path).warnings))
    assert [line.partition(": ")[2].partition(";")[0] for line in told] == [
        "gw_periods[deals] in notes!D1, notes!D2, the name all_of_it",
        "gw_years[deals] in notes!D4",
    ]
    refresh(both[0], path)
    changed(path, lambda book: with_slicer(book, "gw_years", "deals", "notes"))
    with pytest.raises(InstanceError, match=r"a slicer filters gw_years\[deals\]"):
        refresh(other, path)


def test_links_to_other_workbooks_pass_untouched(path: Path, both: tuple[Run, Run]) -> None:
    """Every eighth model of planners refers to another workbook: the link is neither opened nor changed."""
    changed(path, lambda book: with_link(book, "notes"))
    before = {name: data for name, data in contents(path).items() if "externalLink" in name}
    refresh(both[1], path)
    assert {name: data for name, data in contents(path).items() if "externalLink" in name} == before
    assert b"<externalReference " in contents(path)["xl/workbook.xml"] and len(before) == 2


def _sheet(book: Book) -> str:
    return book.sheets()["gw_supply"]


def replaced(part: str, old: str, new: str) -> Callable[[Book], None]:
    """Return the deed that replaces the first of some texts in a part, or in a sheet of gwplan's (blank)."""

    def deed(book: Book) -> None:
        at = part or _sheet(book)
        assert old.encode() in book.parts[at], (part, old)
        book.parts[at] = book.parts[at].replace(old.encode(), new.encode(), 1)

    return deed


WRONG: dict[str, Callable[[Book], object]] = {
    "which is not there": lambda book: book.parts.pop(_sheet(book)),
    "nothing leads to it": lambda book: book.add("xl/x.xml", "<x/>", "application/xml"),
    ": no type": lambda book: book.parts.update({"xl/thing.thing": b"x"}),
    "is no relation": replaced("", 'r:id="rId1"', 'r:id="rId77"'),
    "out of order": lambda book: book.put(_sheet(book), _turned(book)),
    "two sheets of one name": replaced("xl/workbook.xml", 'name="notes"', 'name="MODEL"'),
    "refers to a sheet that is not there": replaced("xl/workbook.xml", ">model!$A$2<", ">modle!$A$2<"),
    "two names": lambda book: with_name(book, "GW_GROWTH", "1"),
    "two tables or names": lambda book: with_name(book, "GW_supply", "1"),
    "is a reference": lambda book: with_name(book, "AB12", "1"),
    "a look that is not there": replaced("", ' s="', ' s="9'),
    "counts": replaced("xl/styles.xml", '<fonts count="', '<fonts count="9'),
    "the cell says": replaced("", "<t>pool</t>", "<t>pond</t>"),
    "out of place": replaced("", ' r="B5"', ' r="B6"'),
    "a formula of": lambda book: cells_put(book, book.sheets()["notes"], {"A3": f"<c><f>1{'+1' * 5000}</f></c>"}),
    "no formula in": lambda book: book.link(
        book.main, book.add("xl/calcChain.xml", f'<calcChain xmlns="{MAIN[1:-1]}"><c r="Z9" i="1"/></calcChain>',
                            "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"), "calcChain"),
    "overlaps": lambda book: with_table(book, "model", "A20:A21"),
    "its cache is not": lambda book: (
        with_pivot(book, "notes", "A9:A12"),
        replaced("xl/pivotTables/pivotTable1.xml", 'cacheId="7"', 'cacheId="8"')(book),
    ),
    "filters a table or column": lambda book: [
        deed(book)
        for deed in (
            lambda book: with_slicer(book, "gw_supply", "node", "notes"),
            replaced("xl/slicerCaches/slicerCache1.xml", 'column="', 'column="9'),
        )
    ],
}  # fmt: skip
"""Workbooks that Excel would refuse or repair, by what is said of each."""


def _turned(book: Book) -> Any:
    root = book.xml(_sheet(book))
    root[:] = root[::-1]
    return root


@pytest.mark.parametrize("told", WRONG)
def test_the_rules_find_what_excel_would_repair(told: str, path: Path) -> None:
    """The checks that guard every workbook of these tests would notice: each finds its own kind of damage."""
    assert HEAD.startswith("<?xml")
    found = findings(changed(path, WRONG[told]))
    assert any(told in line for line in found), found
