"""Pages of the docs that are made from the code, and what makes each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.docs import commands, formulation
from tests.docs.format_page import format_page
from tests.docs.notebook import notebook

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "instance-format.md": format_page,
    DOCS / "commands.md": commands.page,
    DOCS / "notebook.ipynb": notebook,
    DOCS / "formulation.md": lambda: formulation.page((DOCS / "formulation.md").read_text(encoding="utf-8")),
}
"""``python -m tests.docs`` writes them; a test fails where one is not what it would write."""
