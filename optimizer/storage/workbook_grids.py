"""A workbook's sheets as rows of text, and back: what an older version of the format is migrated through."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from optimizer.catalogue.sheets import ABOUT, KNOWN_SHEETS
from optimizer.problems import InstanceError, Problem
from optimizer.spreadsheet.cells import Odd, Workbook, letters
from optimizer.spreadsheet.package import open_package
from optimizer.storage.sources import printable, read_bytes

Grid = list[list[str]]
"""Rows of cells, the header first."""

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"


def grids(path: str | Path) -> dict[str, Grid]:
    """Return every sheet but the one that explains, as text.

    Raises
    ------
    InstanceError
        If it is no workbook that may be trusted, or a cell holds a formula or an error.
    """
    book = Workbook(open_package(read_bytes(path), printable(str(path))))
    found: dict[str, Grid] = {}
    problems: list[Problem] = []
    for name in book.parts:
        rows = book.sheet(name).rows if name != ABOUT else {}
        odd = [
            Problem(f"{name}!{letters(column)}{row}", cell.what, cell.rule, cell.remedy)
            for row, cells in rows.items()
            for column, cell in cells.items()
            if isinstance(cell, Odd)
        ]
        if odd and name not in KNOWN_SHEETS:  # a sheet of the planner's own
            continue
        problems += odd
        width = max((max(cells) for cells in rows.values()), default=0)
        grid: Grid = [[""] * width for _ in range(max(rows, default=0))]
        for row, cells in rows.items():
            for column, cell in cells.items():
                if isinstance(cell, str):
                    grid[row - 1][column - 1] = cell.strip() if row == 1 else cell
        if grid:
            found[name] = grid
    if problems:
        raise InstanceError(problems)
    return found


def packed(sheets: Mapping[str, Grid]) -> bytes:
    """Return sheets as the bytes of a plain workbook, every cell a text."""
    data, names = BytesIO(), [*sheets]
    with zipfile.ZipFile(data, "w") as archive:
        main = "".join(f'<sheet name="{escape(n, {chr(34): "&quot;"})}" r:id="r{i}"/>' for i, n in enumerate(names))
        root = f'<Relationship Id="r" Type="{_RELATIONS}/officeDocument" Target="workbook.xml"/>'
        parts = (f'<Relationship Id="r{i}" Type="{_RELATIONS}/worksheet" Target="{i}.xml"/>' for i in range(len(names)))
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}">{root}</Relationships>')
        archive.writestr(
            "_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{"".join(parts)}</Relationships>'
        )
        archive.writestr(
            "workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{main}</sheets></workbook>'
        )
        for i, grid in enumerate(sheets.values()):
            rows = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in grid)
            archive.writestr(f"{i}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>')
    return data.getvalue()


def _cell(text: str) -> str:
    kept = text.replace("_x", "_x005F_x")  # what looks like an escape is none
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(kept)}</t></is></c>' if text else "<c/>"
