"""Workbooks of the user refreshed in place: everything of theirs as it was, their references alive."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.instance.instance import Instance
from gwplan.kept.run import Run, keep, read_run
from gwplan.problems import InstanceError
from gwplan.show.workbook.into import refresh
from tests.office.excel_rules import findings
from tests.office.libreoffice import convert, needs_office, recalculated, values

openpyxl = pytest.importorskip("openpyxl", reason="the extra 'xlsx' is not installed")
xlsxwriter = pytest.importorskip("xlsxwriter", reason="the extra 'xlsx' is not installed")
pytest.importorskip("lxml", reason="the extra 'xlsx' is not installed")

INSTANCES = Path(__file__).parents[2] / "instances"
INDEX = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
"""Parts that list what is in a workbook, which must change when sheets are added."""


@pytest.fixture(autouse=True)
def _what_openpyxl_cannot_read() -> Iterator[None]:
    """Openpyxl warns of parts that it would lose; no test saves with it what it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def kept(instance: Instance, folder: Path) -> Run:
    """Solve an instance and keep the run."""
    return read_run(keep(gw.solve(instance), folder, command=["gwplan"], options={}))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Two runs whose tables differ in length: with and without uncertainty."""
    folder = tmp_path_factory.mktemp("runs")
    instance = gw.load(INSTANCES / "tiny-tree")
    return kept(instance.deterministic(), folder / "short"), kept(instance, folder / "long")


def by_xlsxwriter(path: Path) -> Path:
    """Write a planner's workbook with charts, sparklines, text boxes, dynamic arrays and looks of its own."""
    with xlsxwriter.Workbook(str(path)) as book:
        own = book.add_worksheet("model")
        look = book.add_format({"num_format": '0.00" GW"', "bold": True, "font_color": "#cc0000"})
        for row in range(6):
            own.write_number(row, 0, row * 1.5, look)
        own.write_formula("C1", "=SUM(A1:A6)", look, 22.5)
        own.write_dynamic_array_formula("D1:D6", "=SORT(A1:A6,1,-1)")
        own.add_sparkline("E1", {"range": "model!A1:A6"})
        own.insert_textbox("G2", "hands off")
        own.insert_checkbox("F1", True)
        own.conditional_format("A1:A6", {"type": "data_bar", "data_bar_2010": True})
        own.write_comment("A1", "a note")
        own.data_validation("B1", {"validate": "list", "source": ["a", "b"]})
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=model!$A$1:$A$6"})
        own.insert_chart("H10", chart)
        own.add_table("A10:B12", {"name": "mine", "columns": [{"header": "x"}, {"header": "y"}]})
        book.define_name("growth", "=model!$A$2")
        other = book.add_worksheet("notes")
        other.print_area("A1:B2")
        other.write_string("A1", "<&> text")
    return path


def by_openpyxl(path: Path) -> Path:
    """Write a planner's workbook with openpyxl."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "model"
    for row in range(1, 7):
        sheet.append([row, row * 2.0])
    sheet["C1"] = "=SUM(B1:B6)"
    chart = openpyxl.chart.BarChart()
    chart.add_data(openpyxl.chart.Reference(sheet, min_col=2, min_row=1, max_row=6))
    sheet.add_chart(chart, "E2")
    book.save(path)
    return path


def by_libreoffice(path: Path) -> Path:
    """Write a planner's workbook and save it with LibreOffice."""
    needs_office()
    saved = convert(by_openpyxl(path.with_name("by-openpyxl.xlsx")), "xlsx", path.parent / "made")
    saved.rename(path)
    return path


def with_foreign_parts(path: Path) -> Path:
    """Add a macro project, a pivot cache and a part that nobody knows, as Excel has them."""
    with zipfile.ZipFile(path) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    relation = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    rels = parts["xl/_rels/workbook.xml.rels"]
    added = b'<Relationship Id="rIdX1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
    added += b'Target="vbaProject.bin"/><Relationship Id="rIdX2" Type="' + relation
    added += b'pivotCacheDefinition" Target="pivotCache/pivotCacheDefinition1.xml"/></Relationships>'
    parts["xl/_rels/workbook.xml.rels"] = rels.replace(b"</Relationships>", added)
    parts["xl/vbaProject.bin"] = bytes(range(256)) * 9
    parts["xl/pivotCache/pivotCacheDefinition1.xml"] = b'<?xml version="1.0"?>\r\n<x  a = "1" />'
    parts["custom/thing.bin"] = b"\x00\x01"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of every part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


@pytest.mark.parametrize("make", [by_xlsxwriter, by_openpyxl, by_libreoffice])
def test_every_foreign_part_keeps_its_bytes(
    make: Callable[[Path], Path], runs: tuple[Run, Run], tmp_path: Path
) -> None:
    """Charts, sparklines, text boxes, macros and cached values survive refresh after refresh, byte for byte."""
    path = with_foreign_parts(make(tmp_path / "book.xlsx"))
    before, odd = contents(path), findings(path)
    for run in (*runs, runs[0]):
        refresh(run, path)
        after = contents(path)
        for name, data in before.items():
            if name not in INDEX:
                assert after[name] == data, name
        assert set(findings(path)) <= set(odd)
    assert values(path)["gw_summary"]["A8"] == "worth: what the plan maximises"
    once = contents(path)
    refresh(runs[0], path)
    again = contents(path)
    assert set(again) == set(once)
    assert {name for name in once if again[name] != once[name]} <= {"docProps/core.xml"}


def test_references_to_gwplans_cells_keep_working(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """A planner's formulas on names, cells and tables follow each refresh, when tables grow and shrink too."""
    needs_office()
    path = tmp_path / "book.xlsx"
    refresh(runs[0], by_openpyxl(path))
    book = openpyxl.load_workbook(by_openpyxl(tmp_path / "with-formulas.xlsx"))
    sheet = book["model"]
    sheet["A10"], sheet["A11"] = "=gw_worth_bn*2", "=gw_summary!B8+1"
    sheet["A12"] = "=SUM(gw_supply[used_gw])"
    book.create_sheet("last")["A1"] = "=model!A10"
    book.save(path)
    for at, run in enumerate((runs[0], runs[1], runs[0])):
        refresh(run, path)
        found = recalculated(path, tmp_path / f"office{at}")
        worth = run.summary["objective_bn"]
        assert found["model"]["A10"] == pytest.approx(2 * worth, abs=1e-9)
        assert found["model"]["A11"] == pytest.approx(worth + 1, abs=1e-9)
        assert found["model"]["A12"] == pytest.approx(run.tables["supply"]["used_gw"].sum(), abs=1e-9)
        assert found["last"]["A1"] == pytest.approx(2 * worth, abs=1e-9)
        assert found["model"]["C1"] == 42
        assert abs(found["gw_summary"]["B9"]) < 1e-6
        assert not [v for cells in found.values() for v in cells.values() if isinstance(v, str) and v.startswith("#")]


def test_a_validator_finds_nothing_wrong_after_refreshes(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """The grafted package keeps the schemas of the format, and so do its indices."""
    audit = pytest.importorskip("openxml_audit", reason="openxml-audit is not installed")
    path = by_xlsxwriter(tmp_path / "book.xlsx")
    assert audit.OpenXmlValidator().validate(path).is_valid
    for run in runs:
        refresh(run, path)
        result = audit.OpenXmlValidator().validate(path)
        assert result.is_valid and not result.errors, result.errors[:5]
        assert not findings(path)


def test_a_refresh_survives_another_program(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """After LibreOffice saved the workbook under names of its own, gwplan still finds and replaces its sheets."""
    needs_office()
    path = tmp_path / "book.xlsx"
    refresh(runs[0], by_openpyxl(path))
    saved = convert(path, "xlsx", tmp_path / "saved")
    refresh(runs[1], saved)
    found = recalculated(saved, tmp_path / "office")
    assert found["gw_summary"]["B8"] == pytest.approx(runs[1].summary["objective_bn"], abs=1e-9)
    assert not findings(saved)
    assert sorted(found).count("gw_summary") == 1 and found["model"]["C1"] == 42
    tables = [name for name in contents(saved) if name.startswith("xl/tables/")]
    assert len(tables) == len({contents(saved)[name].split(b'displayName="')[1].split(b'"')[0] for name in tables})


@pytest.mark.parametrize("lock", ["~$book.xlsx", ".~lock.book.xlsx#"])
def test_an_open_workbook_is_refused(lock: str, runs: tuple[Run, Run], tmp_path: Path) -> None:
    """What Excel or LibreOffice has open is not replaced behind its back."""
    path = by_openpyxl(tmp_path / "book.xlsx")
    before = path.read_bytes()
    (tmp_path / lock).write_text("somebody")
    with pytest.raises(InstanceError, match="open in another program"):
        refresh(runs[0], path)
    assert path.read_bytes() == before


def test_a_backup_is_kept_on_request(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """The workbook as it was stands beside it, under a name of its own each time."""
    path = by_openpyxl(tmp_path / "book.xlsx")
    path.chmod(0o640)
    before = path.read_bytes()
    first = refresh(runs[0], path, backup=True).backup
    second = refresh(runs[0], path, backup=True).backup
    assert first and second and first != second and first.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert refresh(runs[0], path).backup is None and not list(tmp_path.glob(".gwplan-*"))


def test_what_gwplan_did_not_make_is_not_replaced(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """A sheet or a name of the planner's that looks like gwplan's is left alone, and another prefix helps."""
    path = tmp_path / "book.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "gw_summary"
    book.save(path)
    before = path.read_bytes()
    with pytest.raises(InstanceError, match="'gw_summary': not gwplan's"):
        refresh(runs[0], path)
    assert path.read_bytes() == before
    refresh(runs[0], path, prefix="plan_")
    refresh(runs[1], path, prefix="other_")
    names = openpyxl.load_workbook(path).sheetnames
    assert {"gw_summary", "plan_summary", "other_summary"} <= set(names)
    with pytest.raises(InstanceError, match="no prefix"):
        refresh(runs[0], path, prefix="a b")


def test_days_since_1904_are_kept(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """In a workbook that counts its days from 1904 gwplan's dates are the same days."""
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path), {"date_1904": True}) as book:
        book.add_worksheet("model").write_number(0, 0, 1)
    refresh(runs[0], path)
    assert values(path)["gw_worth"]["C5"].date() == runs[0].instance.start


def test_one_workbook_is_instance_and_plan(tmp_path: Path) -> None:
    """Edit, solve, look: the plan is put into the very workbook that holds the instance, and read again from it."""
    from gwplan.storage.workbook_write import save_workbook

    path = tmp_path / "book.xlsx"
    instance = gw.load(INSTANCES / "tiny-deals")
    save_workbook(instance, path)
    refresh(kept(gw.load(path), tmp_path / "run"), path)
    assert gw.load(path) == instance


def test_an_overtyped_allocation_is_read_back(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """The sheet of allocation gives the numbers as overtyped, and says which cells are none."""
    from gwplan.show.workbook.book import to_xlsx
    from gwplan.show.workbook.into import read_allocation

    path = to_xlsx(runs[1], tmp_path / "plan.xlsx")
    table = runs[1].tables["allocation"]
    keys = ["node", "pathway", "pool"]
    found = read_allocation(path).sort_values(keys, ignore_index=True)
    expected = table[[*keys, "gw"]].sort_values(keys, ignore_index=True)
    assert found.astype(str).equals(expected.astype(str))
    book = openpyxl.load_workbook(path)
    book["allocation"]["F5"] = 0.125
    book.save(path)
    assert 0.125 in read_allocation(path)["gw"].tolist()
    book["allocation"]["F5"], book["allocation"]["F6"] = "=1", "much"
    book.save(path)
    with pytest.raises(InstanceError, match=r"allocation!F5: a formula[^\n]*\nallocation!F6: 'much'"):
        read_allocation(path)
