"""``docs/notebook.ipynb``, from the page on notebooks: its prose and its Python, which the tests run."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.docs.snippets import ROOT

PAGE = ROOT / "docs" / "how-to" / "notebook.md"

_PARTS = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE)
_ABOUT_ITSELF = re.compile(r" The same steps are a notebook.*?\.$|<!--.*?-->\n*", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def notebook() -> str:
    """Return the notebook as JSON; links are left out, since it may be opened anywhere."""
    prose = True
    cells: list[dict[str, Any]] = []
    for text in _PARTS.split(PAGE.read_text(encoding="utf-8")):
        source = _LINK.sub(r"\1", _ABOUT_ITSELF.sub("", text)).strip() if prose else text.strip()
        if source:
            own: dict[str, Any] = {} if prose else {"execution_count": None, "outputs": []}
            kind = "markdown" if prose else "code"
            lines = source.splitlines(keepends=True)
            cells.append({"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, **own, "source": lines})
        prose = not prose
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
