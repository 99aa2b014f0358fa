"""Exported workbooks under names that mean something to a spreadsheet, and at the limits of the format."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.kept.run import Run, keep, read_run
from gwplan.problems import InstanceError
from gwplan.show.workbook import page
from gwplan.show.workbook.book import to_xlsx
from gwplan.show.workbook.into import read_allocation
from tests.office.excel_rules import findings
from tests.office.libreoffice import assert_recalculates, formulas, needs_office, recalculated, values
from tests.office.planners import Book, sorted_rows

openpyxl = pytest.importorskip("openpyxl", reason="the extra 'xlsx' is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:Unable to read chart:UserWarning")

TOML = """schema = 1
name = "x"
[calendar]
start = 2027-01-01
resolution = "month"
periods = 2
[economics]
discount_rate = 0.09
[risk]
"""


def run_of(folder: Path, pathways: Sequence[str], pools: Sequence[str]) -> Run:
    """Solve an instance of these pathways and pools, each with a price and a cost to move, and keep the run."""
    pathways, pools = ([name.replace('"', '""') for name in names] for names in (pathways, pools))
    tables = {
        "pools": ["pool,idle_penalty_bn_per_gw_year", *(f'"{pool}",0.05' for pool in pools)],
        "contracts": ["contract,pool,cost_bn_per_gw_year", *(f'c{i},"{pool}",0.5' for i, pool in enumerate(pools))],
        "deliveries": ["contract,date,gw", *(f"c{i},2026-06-01,3" for i in range(len(pools)))],
        "pathways": ["pathway,ramp_gw_per_month,migration_cost_bn_per_gw", *(f'"{name}",1,0.02' for name in pathways)],
        "value": [
            "pathway,from,tier,width_gw,value_bn_per_gw_year",
            *(f'"{name}",2027-01-01,1,0.5,{3 - i / 50}' for i, name in enumerate(pathways)),
        ],
    }
    (folder / "x").mkdir()
    (folder / "x" / "instance.toml").write_text(TOML)
    for name, lines in tables.items():
        (folder / "x" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return read_run(keep(gw.solve(gw.load(folder / "x")), folder / "run", command=["gwplan"], options={}))


NAMES = {
    "cases": (["ads", "Ads", "ADS (2)"], ["pool", "Pool"]),
    "words of the workbook": (["value", "idle", "year", "cost", "supply after cancellations"], ["node", "period"]),
    "on": (["a", "a on x", "GPU on demand"], ["x on y", "y", "GPU on demand", "y idle"]),
    "references": (["Yahoo!H100", "=A1", "'s!B2"], ["R1C1!A1", "Yahoo!H100"]),
    "escapes": (["_x0041_", 'a "b" <&> [c] #d'], ["it's", "@x"]),
}
"""Pathways and pools by what is awkward about their names."""


@pytest.mark.parametrize("kind", NAMES)
def test_any_name_is_a_heading_and_is_read_back(kind: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Every sheet has its table with a column under each heading, charts name what they show, the plan comes back."""
    pathways, pools = NAMES[kind]
    run = run_of(tmp_path, pathways, pools)
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    assert not findings(path) and not [str(each.message) for each in recwarn if each.category is UserWarning]
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        tables = list(sheet.tables.values())
        assert len(tables) == (sheet.title not in ("summary", "manifest")), sheet.title
    pairs = [(pathway, pool) for pathway in pathways for pool in pools]
    found = read_allocation(path, "", pairs)
    wanted = run.tables["allocation"]
    keys = ["node", "pathway", "pool"]
    merged = found.merge(wanted[[*keys, "gw"]], how="left", on=keys, suffixes=("", "_then")).fillna({"gw_then": 0.0})
    assert (merged["gw"] == merged["gw_then"]).all() and len(merged) == 2 * len(pairs)
    heads = [cell.value for cell in book["periods"][4]]
    assert heads[-len(pools) - 2 : -len(pools)] == ["value", "cost"]
    charts = [data for name, data in Book(path).parts.items() if "charts/chart" in name]
    shown = [re.sub(r"<[^>]*>", "", tx.decode()) for data in charts for tx in re.findall(rb"<c:tx>.*?</c:tx>", data)]
    for name in [name for name in (*pathways, *pools) if "!" not in name and "&" not in name and "idle" not in name]:
        assert any(name.replace('"', "&quot;") in text or name in text for text in shown), (name, shown)


def test_awkward_names_recalculate(tmp_path: Path) -> None:
    """LibreOffice calculates the same from headings, tables and charts whatever the names are."""
    needs_office()
    assert_recalculates(to_xlsx(run_of(tmp_path, *NAMES["references"]), tmp_path / "plan.xlsx"), tmp_path / "office")


def test_many_pathways_and_pools_fit_into_formulas(tmp_path: Path) -> None:
    """With 26 pathways on 8 pools no formula outgrows a spreadsheet, and each calculates to what it carries."""
    needs_office()
    run = run_of(tmp_path, [f"product_line_{i:02}" for i in range(26)], [f"region_{i}" for i in range(8)])
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    assert not findings(path)
    longest = max(len(text) for cells in formulas(path).values() for text in cells.values())
    assert longest <= 8_192
    assert abs(assert_recalculates(path, tmp_path / "office", 1e-7)["summary"]["B9"]) < 1e-6


@pytest.mark.parametrize(
    ("limit", "least", "told"),
    [
        ("LONGEST_FORMULA", 60, r"\w+!\$?\w+: a formula of \d+ characters; spreadsheets take 60"),
        ("MOST_ROWS", 5, r"\w+: [6-9] rows; a sheet has 5"),
        ("MOST_COLUMNS", 7, r"\w+: \d+ columns; a sheet has 7"),
        ("LONGEST", 20, r"\w+!\w+: a text of \d+ characters; a cell holds 20"),
        ("LONGEST_HEAD", 8, r"\w+: a heading of \d+ characters; a table takes 8"),
    ],
)
def test_what_a_workbook_cannot_hold_is_told_in_one_line(
    limit: str, least: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is cut without a word: formulas, rows, columns, texts and headings beyond the limits are refused."""
    run = run_of(tmp_path, ["ads", "deals"], ["campus"])
    monkeypatch.setattr(page, limit, least)
    with pytest.raises(InstanceError, match=told) as refused:
        to_xlsx(run, tmp_path / "plan.xlsx")
    assert len(refused.value.problems) == 1 and not (tmp_path / "plan.xlsx").exists()


def test_sorted_rows_are_counted_and_no_button_sorts_them(tmp_path: Path) -> None:
    """Formulas find rows by their places: what formulas refer to has no buttons, and a sort is told on the summary."""
    needs_office()
    path = to_xlsx(run_of(tmp_path, ["ads", "deals"], ["campus", "cloud"]), tmp_path / "plan.xlsx")
    with zipfile.ZipFile(path) as archive:
        tables = [archive.read(name).decode() for name in archive.namelist() if "tables/" in name]
    buttons = {re.search(r'displayName="gw_(\w+)"', text)[1] for text in tables if "<autoFilter" in text}  # type: ignore[index]
    assert buttons == {
        "supply", "cashflow", "cancellations", "deals", "obligations", "marginal_values", "more_supply", "looser_limits"
    }  # fmt: skip
    summary = values(path)["summary"]
    row = next(at for at in range(1, 40) if summary.get(f"A{at}") == "rows out of place")
    assert summary[f"B{row}"] == 0
    for sheet in ("inputs", "tiers", "allocation"):
        moved = path.with_name(f"{sheet}.xlsx")
        moved.write_bytes(path.read_bytes())
        book = Book(moved)
        sorted_rows(book, sheet)
        book.save()
        assert recalculated(moved, tmp_path / sheet)["summary"][f"B{row}"] > 0
