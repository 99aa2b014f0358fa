"""What planners and spreadsheets leave in the cells of an instance's workbook: each fault told once, and well."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.kept.run import keep, read_run
from gwplan.planning import valid
from gwplan.problems import InstanceError
from gwplan.storage.read import left_behind, load
from gwplan.storage.starter import starter_instance
from gwplan.storage.workbook_write import save_workbook
from tests.instance.folders import WHOLE, written
from tests.office.excel_rules import MAIN
from tests.office.planners import Book, cells_put, renamed, with_link

pytest.importorskip("xlsxwriter", reason="the extra 'xlsx' is not installed")

Deed = Callable[[Book], object]


def text(words: str) -> str:
    """Return a cell that holds a text."""
    return f"<c t='inlineStr'><is><t xml:space='preserve'>{words}</t></is></c>"


def cells(sheet: str, **new: str) -> Deed:
    """Return the deed that writes cells of a sheet."""
    return lambda book: cells_put(book, book.sheets()[sheet], new)


def saved_by_excel(book: Book) -> None:
    """Calculate: what a spreadsheet that calculates has saved is not marked to be calculated anew."""
    main = book.parts["xl/workbook.xml"].decode()
    book.parts["xl/workbook.xml"] = re.sub(r"<calcPr[^>]*/>", '<calcPr calcId="191029"/>', main).encode()


def setting(old: str, new: str) -> Deed:
    """Return the deed that replaces something in the workbook's own part."""

    def deed(book: Book) -> None:
        assert old.encode() in book.parts["xl/workbook.xml"]
        book.parts["xl/workbook.xml"] = book.parts["xl/workbook.xml"].replace(old.encode(), new.encode())

    return deed


def merged(sheet: str, area: str) -> Deed:
    """Return the deed that merges cells."""

    def deed(book: Book) -> None:
        part = book.sheets()[sheet]
        end, merge = b"</sheetData>", f'</sheetData><mergeCells count="1"><mergeCell ref="{area}"/></mergeCells>'
        book.parts[part] = book.parts[part].replace(end, merge.encode())

    return deed


def moved_down(sheet: str, title: str) -> Deed:
    """Return the deed that puts a title above a sheet's header."""

    def deed(book: Book) -> None:
        part = book.sheets()[sheet]
        root = book.xml(part)
        for row in root.find(f"{MAIN}sheetData"):
            row.set("r", str(int(row.get("r")) + 2))
            for cell in row:
                cell.set("r", re.sub(r"\d+", row.get("r"), cell.get("r")))
        book.put(part, root)
        cells_put(book, part, {"A1": text(title)})

    return deed


def starter(path: Path, *deeds: Deed) -> Path:
    """Write the starter's workbook, as a spreadsheet that calculates would save it, and do something to it."""
    save_workbook(starter_instance("x"), path)
    book = Book(path)
    for deed in (saved_by_excel, *deeds):
        deed(book)
    return book.save()


def told(path: Path) -> list[str]:
    """Return everything that is said of an instance."""
    try:
        return [str(problem) for problem in valid(load(path))]
    except InstanceError as error:
        return [str(problem) for problem in error.problems]


CAPITALS = {"A1": text("Contract"), "B1": text("DATE"), "C1": text(" Gw ")}
TOTAL = {"A9": text("Total"), "C9": "<c><f>SUM(C2:C8)</f><v>3</v></c>"}

ONCE: dict[str, tuple[Deed, str]] = {
    "error": (cells("deliveries", C2='<c t="e"><v>#N/A</v></c>'), r"deliveries!C2: the error #N/A; .*"),
    "formula without value": (
        cells("deliveries", C2="<c><f>1+1</f></c>"),
        r"deliveries!C2: a formula without a kept value; gwplan does not calculate; open and save .*",
    ),
    "formula with an error": (
        cells("deliveries", C2='<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
        r"deliveries!C2: the error #DIV/0!; .*",
    ),
    "formula that changes": (
        cells("deliveries", C2='<c><f ca="1">RAND()</f><v>1</v></c>'),
        r"deliveries!C2: a formula; its value changes with each calculation; .*",
    ),
    "number in place of a date": (
        cells("deliveries", B2="<c><v>45748</v></c>"),
        r"deliveries!B2: '45748'; must be a date .*; it is the number of the day 2025-04-01: .*",
    ),
    "capitals": (
        cells("deliveries", **CAPITALS),
        r"deliveries row 1: the columns 'Contract', 'DATE', 'Gw'; names .*; write contract, date, gw",
    ),
    "title": (
        moved_down("deliveries", "All deliveries"),
        r"deliveries row 1: the names of the columns stand in row 3; .*",
    ),
    "total": (cells("deliveries", **TOTAL), r"deliveries row 9: a row of totals; .*; delete it, or move it .*"),
    "merged": (merged("contracts", "G2:G3"), r"contracts!G2:G3: merged cells; .*; unmerge the cells, .*"),
    "merged and blank": (
        lambda book: (merged("deliveries", "A2:C3")(book), cells("deliveries", A3="<c/>", B3="<c/>", C3="<c/>")(book)),
        r"deliveries!A2:C3: merged cells; .*",
    ),
    "sheet": (
        lambda book: renamed(book, "cancellations", "cancelation"),
        r"sheet 'cancelation': unknown sheet; .*; rename it to 'cancellations', or unlike it",
    ),
    "copy": (lambda book: renamed(book, "cancellations", "Cancellations (2)"), r"sheet 'Cancellations \(2\)': .*"),
}
"""What somebody does to a workbook, and the one line that is said of it."""


@pytest.mark.parametrize("kind", ONCE)
def test_each_fault_is_told_once(kind: str, tmp_path: Path) -> None:
    """One fault is one line that names its cause: a cell that cannot be read is not blank as well."""
    deed, line = ONCE[kind]
    if kind in ("sheet", "copy"):
        instance = load(written(tmp_path / "x", WHOLE))
        save_workbook(instance, tmp_path / "book.xlsx")
        book = Book(tmp_path / "book.xlsx")
        deed(book)
        path = book.save()
    else:
        path = starter(tmp_path / "book.xlsx", deed)
    found = told(path)
    assert len(found) == 1 and re.fullmatch(line, found[0]), found


@pytest.mark.parametrize(
    "deed",
    [
        cells("deliveries", F2='<c t="s"/>', F3='<c t="e"/>', F4='<c t="str"/>', F5="<c/>"),
        cells("deliveries", A60=text(" "), Z3=text("  "), F2=text(" ")),
        cells("pools", A1='<c t="str"><f>"po"&amp;"ol"</f><v>pool</v></c>'),
        lambda book: with_link(book, "about"),
    ],
)
def test_what_says_nothing_is_read(deed: Deed, tmp_path: Path) -> None:
    """Cells without content, whatever their kind, a stray blank, and a link to another workbook are no fault."""
    assert told(starter(tmp_path / "book.xlsx", deed)) == []


FORMULAS = cells(
    "deliveries",
    C2="<c><f>SUM(notes!A1:A3)</f><v>0.75</v></c>",
    C3='<c><f t="shared" ref="C3:C4" si="0">B3*0+0.25</f><v>0.25</v></c>',
    C4='<c><f t="shared" si="0"/><v>0.25</v></c>',
)


def test_values_of_formulas_are_taken_told_and_kept(tmp_path: Path) -> None:
    """Planners compute their inputs: what a formula had when the workbook was saved counts, and the run says so."""
    path = starter(tmp_path / "book.xlsx", FORMULAS)
    instance = load(path)
    assert instance.tables["deliveries"]["gw"].tolist()[:3] == [0.75, 0.25, 0.25]
    warnings = [str(problem) for problem in valid(instance)]
    assert [line for line in warnings if "formula" in line] == [
        "deliveries!C2, deliveries!C3, deliveries!C4: 3 formulas; the values that they had when the workbook was saved "
        "are taken; save it after each change"
    ]
    run = read_run(keep(gw.solve(instance), tmp_path / "run", command=["gwplan"], options={}))
    assert run.manifest["formulas"] == {
        "deliveries!C2": {"formula": "=SUM(notes!A1:A3)", "value": "0.75"},
        "deliveries!C3": {"formula": "=B3*0+0.25", "value": "0.25"},
        "deliveries!C4": {"formula": "(of C3, filled on)", "value": "0.25"},
    }
    assert "formulas" not in gw.load(written(tmp_path / "x", WHOLE)).tables


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ('calcId="1" fullCalcOnLoad="1"', "is marked to be calculated anew"),
        ('calcId="1" calcCompleted="0"', "is marked to be calculated anew"),
        ('calcId="1" calcMode="manual"', "calculates by hand only"),
    ],
)
def test_values_that_may_be_out_of_date_are_refused(mark: str, why: str, tmp_path: Path) -> None:
    """A workbook that says itself that its values are old is not planned with: a line for each formula."""
    path = starter(tmp_path / "book.xlsx", FORMULAS, setting('<calcPr calcId="191029"/>', f"<calcPr {mark}/>"))
    assert [line.partition(";")[0] for line in told(path)] == [f"deliveries!C{row}: a formula" for row in (2, 3, 4)]
    assert all(why in line for line in told(path))


def test_days_are_told_as_the_workbook_counts_them(tmp_path: Path) -> None:
    """In a workbook that counts from 1904 the number of a day is another one."""
    deeds = (cells("deliveries", B2="<c><v>44286</v></c>"), setting("<workbookPr", '<workbookPr date1904="1"'))
    assert any("the number of the day 2025-04-01" in line for line in told(starter(tmp_path / "book.xlsx", *deeds)))


def test_a_pool_may_be_called_total(tmp_path: Path) -> None:
    """A row is one of totals only where it could be nothing else."""
    instance = load(written(tmp_path / "x", WHOLE))
    edits = ["insert pools[pool=Total]", "insert contracts[contract=sum, pool=Total, cost_bn_per_gw_year=1]"]
    named = instance.edited(*map(gw.edit, edits))
    save_workbook(named, tmp_path / "book.xlsx")
    assert load(tmp_path / "book.xlsx").tables["pools"]["pool"].tolist()[-1] == "Total"


HEAD = "contract,date,gw\n"
CSV = {
    "dates": (
        f"{HEAD}own,31/01/2027,1\n",
        r"deliveries.csv row 2, date: '31/01/2027'; .* gwplan convert.*",
    ),
    "number": (f"{HEAD}own,45748,1\n", r"deliveries.csv row 2, date: '45748'; .* gwplan convert .*"),
    "title": ("Deliveries\n\ncontract,date,gw\nown,2027-01-31,1\n", r"deliveries.csv row 1: .* stand in row 3; .*"),
    "capitals": (
        "Contract,Date,GW\nown,2027-01-31,1\n",
        r"deliveries.csv row 1: the columns 'Contract', 'Date'.*",
    ),
    "blank": (f"{HEAD}own,2027-01-31,1\n , ,\nown,2027-02-31,1\n", r"deliveries.csv row 4, date: .*"),
}
"""Deliveries as spreadsheets and planners leave them in a CSV file, and what is said of them."""


@pytest.mark.parametrize("kind", CSV)
def test_each_fault_of_a_file_is_told_once(kind: str, tmp_path: Path) -> None:
    """Files that a spreadsheet saved anew get one line too, which says where dates are safe from it."""
    lines, line = CSV[kind]
    found = told(written(tmp_path / "x", WHOLE, deliveries=lines))
    assert re.fullmatch(line, found[0]) and len(found) == 1, found


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    """Sheets of the planner's own and files that are no part of an instance are listed, gwplan's own sheets are not."""
    from gwplan.show.workbook.into import refresh

    path = starter(tmp_path / "book.xlsx")
    run = read_run(keep(gw.solve(load(path)), tmp_path / "run", command=["gwplan"], options={}))
    refresh(run, path)
    assert left_behind(path) == []
    book = Book(path)
    renamed(book, "gw_years", "Year's end")
    renamed(book, "curves", "shapes of ads")
    book.save()
    assert left_behind(path) == ["sheet 'shapes of ads'"]
