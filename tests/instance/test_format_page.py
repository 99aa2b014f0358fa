"""The page on the format is the catalogue's, and what it shows works."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from gwplan.catalogue.tables import TABLES
from gwplan.language.edits import edit, spell
from gwplan.storage.read import KNOWN
from gwplan.storage.toml import read_factors, read_levers, read_whatif
from tests.docs.format_page import format_page

PAGE = Path(__file__).parents[2] / "docs" / "instance-format.md"
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", format_page(), re.MULTILINE)]


def test_the_page_is_up_to_date() -> None:
    """The page in docs is what the catalogue gives; its third line has the command that writes it."""
    assert PAGE.read_text() == format_page()


def test_every_table_and_column_is_on_the_page() -> None:
    """A column that a reader can write is a column that a reader can look up."""
    page = format_page()
    assert all(f"### {file}" in page for file in KNOWN if file.endswith(".csv"))
    for table in TABLES.values():
        for column in table.columns:
            (line,) = {
                row for row in page.splitlines() if row.startswith(f"| `{column.name}` |") and column.about in row
            }
            assert not column.unit or f"| {column.unit} |" in line
            assert ("required" in line) == column.required


@pytest.mark.parametrize("line", re.findall(r"--set '(.*)'", format_page()))
def test_the_edits_on_the_page_can_be_given(line: str) -> None:
    """Each --set of the page is one that the command line takes."""
    assert spell(edit(line)) == line


def test_the_documents_on_the_page_can_be_read() -> None:
    """Each TOML example of the page is one that gwplan reads."""
    read = [_read(block) for block in BLOCKS if "[[" in block or "given" in block]
    assert read == ["what-if", "factors", "factors", "what-if", "levers"]


def _read(block: str) -> str:
    if "[[factor]]" in block:
        factors, problems = read_factors(block, "page")
        assert factors and not problems
        return "factors"
    if "[[lever]]" in block:
        levers, problems = read_levers(block, "page")
        assert levers and not problems
        return "levers"
    whatif, problems = read_whatif(block, "page", "page")
    assert tomllib.loads(block) and whatif and not problems
    return "what-if"


def test_prose_is_wrapped() -> None:
    """The source of the page reads well too."""
    assert max(len(line) for line in format_page().splitlines() if not line.startswith("|")) <= 120
