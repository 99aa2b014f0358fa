"""The case's pages, made from their templates: every figure in them is computed.

``{{name arguments:format}}`` in a template is one of `FIGURES`, ``{{name arguments}}`` alone on a line one of `BLOCKS`.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.case.figures import BLOCKS, FIGURES, ROOT

HERE = Path(__file__).resolve().parent

PAGES = {
    HERE / "burden-or-option.md": ROOT / "docs" / "burden-or-option.md",
    HERE / "meta-2026h1.md": ROOT / "instances" / "meta-2026h1" / "README.md",
}
"""Templates and the pages that they become."""

HEADLINES = HERE / "headlines.md"
"""The table of ranges, which takes minutes: ``python -m tests.case.headlines`` writes it."""


def page(template: Path) -> str:
    """Return the page that a template becomes."""
    text = template.read_text(encoding="utf-8").replace("{{headlines}}", HEADLINES.read_text(encoding="utf-8").strip())
    text = re.sub(r"^\{\{(\w+)(?: ([^}]*))?\}\}$", _block, text, flags=re.MULTILINE)
    return re.sub(r"\{\{([^}]*)\}\}", _figure, text)


def _block(found: re.Match[str]) -> str:
    name, words = found.groups()
    return BLOCKS[name](words or "") if name in BLOCKS else found.group()


def _figure(found: re.Match[str]) -> str:
    call, _, style = found.group(1).partition(":")
    name, *words = call.split()
    value = FIGURES[name](*words)
    text = value if isinstance(value, str) else f"{value:{style}}"
    return "0" if re.fullmatch(r"-0\.?0*", text) else text


def main() -> None:
    """Write every page anew."""
    for template, target in PAGES.items():
        target.write_text(page(template), encoding="utf-8")
        print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
