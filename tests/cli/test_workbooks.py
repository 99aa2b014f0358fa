"""Workbooks on the real command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run

openpyxl = pytest.importorskip("openpyxl", reason="the extra 'xlsx' is not installed")


def test_edit_solve_look_is_one_loop(gwplan: Run, tmp_path: Path) -> None:
    """A new workbook is checked, solved into itself, edited and solved again; the plan in it follows."""
    assert gwplan("new", "book.xlsx").returncode == 0
    assert gwplan("check", "book.xlsx").stdout.startswith("book: valid, 0 warnings")
    worths = []
    for _ in range(2):
        done = gwplan("solve", "book.xlsx", "--into", "book.xlsx", "--json")
        assert done.returncode == 0, done.stderr
        book = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
        worths.append(book["gw_summary"]["B8"].value)
        book = openpyxl.load_workbook(tmp_path / "book.xlsx")
        book["pathways"]["H2"] = None
        (price,) = [cell for cell in book["contracts"][1] if cell.value == "cost_bn_per_gw_year"]
        book["contracts"].cell(2, price.column).value = 0.1
        for name in [name for name in book.sheetnames if name.startswith("gw_")]:
            del book[name]
        for name in [name for name in book.defined_names if name.startswith("gw_")]:
            del book.defined_names[name]
        book.save(tmp_path / "book.xlsx")
    assert worths[1] > worths[0] + 0.01


def test_sheets_that_are_not_read_and_prefixes_are_named(gwplan: Run, tmp_path: Path) -> None:
    """Check says which sheets count for nothing, and a plan that stands under a prefix says which."""
    assert gwplan("new", "book.xlsx").returncode == 0
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    book.create_sheet("demand and caps")
    book.save(tmp_path / "book.xlsx")
    assert gwplan("check", "book.xlsx").stdout.endswith("\nnot read: sheet 'demand and caps'\n")
    assert gwplan("solve", "book.xlsx", "--into", "book.xlsx").returncode == 0
    without = gwplan("evaluate", "book.xlsx", "--plan", "book.xlsx")
    assert without.returncode == 1 and without.stderr.endswith("; give --sheet-prefix gw_\n")
    there = gwplan("evaluate", "book.xlsx", "--plan", "book.xlsx", "--sheet-prefix", "gw_", "--json")
    assert there.returncode == 0 and json.loads(there.stdout)["gap_bn"] < 1e-6


def test_exports_for_spreadsheets_and_solvers(gwplan: Run, tmp_path: Path) -> None:
    """One command writes workbook, LP and MPS, refreshes a workbook and keeps it as it was."""
    assert gwplan("solve", INSTANCES / "tiny-deals", "--out", "run").returncode == 0
    openpyxl.Workbook().save(tmp_path / "mine.xlsx")
    targets = ("--xlsx", "plan.xlsx", "--lp", "plan.lp", "--mps", "plan.mps", "--into", "mine.xlsx", "--backup")
    done = gwplan("export", "run", *targets)
    assert done.returncode == 0, done.stderr
    assert "refreshed mine.xlsx; as it was: mine." in done.stdout.replace(f"{tmp_path}/", "")
    assert sorted(p.name.split(".")[-1] for p in tmp_path.iterdir() if p.is_file()) == ["lp", "mps", *["xlsx"] * 3]
    again = gwplan("export", "run", "--xlsx", "plan.xlsx")
    assert again.returncode == 1 and "plan.xlsx: exists already" in again.stderr
    wrong = gwplan("export", "run", "--lp", "plan.txt")
    assert wrong.returncode == 1 and "end the name in .lp" in wrong.stderr


def test_convert_goes_both_ways(gwplan: Run, tmp_path: Path) -> None:
    """A folder becomes a workbook and a folder again; what is left behind is named, nothing is overwritten."""
    shutil.copytree(INSTANCES / "tiny-tree", tmp_path / "folder")
    there = gwplan("convert", "folder", "book.xlsx")
    assert there.returncode == 0 and "README.md not copied" in there.stderr
    assert gwplan("convert", "book.xlsx", "back").returncode == 0
    assert gwplan("solve", "back", "--json").stdout == gwplan("solve", "folder", "--json").stdout
    assert gwplan("convert", "folder", "book.xlsx").returncode == 1
    assert gwplan("convert", "folder", "book.xlsx", "--force").returncode == 0


@pytest.mark.parametrize("target", ["none.xlsx", "plan.ods", "~locked.xlsx"])
def test_a_workbook_that_cannot_be_refreshed_is_told_before_the_solve(gwplan: Run, tmp_path: Path, target: str) -> None:
    """Nobody waits for a plan that then cannot be put where it was asked for."""
    (tmp_path / "~locked.xlsx").write_text("x")
    (tmp_path / ".~lock.~locked.xlsx#").write_text("x")
    done = gwplan("solve", INSTANCES / "tiny-deals", "--into", target)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1
