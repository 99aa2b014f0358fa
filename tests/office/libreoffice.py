"""Real LibreOffice, headless: recalculates workbooks, and shows them as pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from atexit import register
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item>
</oor:items>
"""
"""Every formula is calculated again when a file is opened, whatever values it carries."""


@cache
def office() -> str | None:
    """Return where LibreOffice is; None where it is not installed."""
    found = shutil.which("soffice")
    if found is None and os.environ.get("GWPLAN_REQUIRE_OFFICE") == "1":
        raise RuntimeError("GWPLAN_REQUIRE_OFFICE=1, but there is no soffice: apt-get install libreoffice-calc-nogui")
    return found


def needs_office() -> None:
    """Skip the test where LibreOffice is missing, unless it is required."""
    if office() is None:
        pytest.skip("LibreOffice (soffice) is not installed")


@cache
def _profile() -> Path:
    """Return LibreOffice's settings, made once for each process of tests: to make them takes a while."""
    folder = Path(mkdtemp(prefix="gwplan-office-"))
    register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "user").mkdir()
    (folder / "user" / "registrymodifications.xcu").write_text(SETTINGS)
    return folder


def convert(path: Path, kind: str, folder: Path) -> Path:
    """Open a file, calculate it and save it as another kind into a new folder; return the new file."""
    folder.mkdir(parents=True)
    profile, out = _profile(), folder / "out"
    subprocess.run(
        [
            str(office()),
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--convert-to",
            kind,
            "--outdir",
            str(out),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return next(out.iterdir())


def recalculated(path: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the values of every cell after recalculation, by sheet and cell."""
    return values(convert(path, "xlsx", folder))


def values(path: Path) -> dict[str, dict[str, Any]]:
    """Return the values that a workbook carries, by sheet and cell."""
    import openpyxl

    book = openpyxl.load_workbook(path, data_only=True)
    return {
        sheet.title: {
            cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None
        }
        for sheet in book.worksheets
    }


def formulas(path: Path) -> dict[str, dict[str, str]]:
    """Return every formula of a workbook, by sheet and cell."""
    import openpyxl

    book = openpyxl.load_workbook(path)
    return {
        sheet.title: {
            cell.coordinate: str(cell.value) for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
        }
        for sheet in book.worksheets
    }


def assert_recalculates(path: Path, folder: Path, tolerance: float = 1e-9) -> dict[str, dict[str, Any]]:
    """Assert that every formula has the value that it carries, and none is an error; return the new values."""
    carried, found = values(path), recalculated(path, folder)
    wrong = []
    for sheet, cells in formulas(path).items():
        for cell in cells:
            was, now = carried[sheet].get(cell), found[sheet].get(cell)
            same = was == now
            if isinstance(was, int | float) and isinstance(now, int | float):
                same = abs(was - now) <= tolerance * (1 + abs(was))
            if not same:
                wrong.append(f"{sheet}!{cell}: carries {was!r}, calculates to {now!r}: {cells[cell]}")
    for sheet, cells_now in found.items():
        wrong += [f"{sheet}!{c}: {v}" for c, v in cells_now.items() if isinstance(v, str) and v.startswith("#")]
    assert not wrong, f"{len(wrong)} cells\n" + "\n".join(wrong[:20])
    return found
