"""Write anew what the pages show of commands and Python: ``python -m tests.docs.refresh PAGE ...``; read what changed.

A part of an output stays the part from the line that is most like its first to the one that is most like its last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.snippets import ROOT, changes


def shown_again(shown: str, found: str) -> str:
    """Return the parts of an output that were shown before; all of it where it cannot be told which they were."""
    lines, kept, at = found.splitlines(), [], 0
    for part in _parts(shown.splitlines()):
        if part == ["..."]:
            kept.append("...")
            continue
        ends = []
        for line in (part[0], part[-1]):
            like = get_close_matches(line, lines[at:], n=1, cutoff=0.5)
            if not like:
                return found
            at = lines.index(like[0], at)
            ends.append(at)
        kept += lines[ends[0] : ends[1] + 1]
    return "\n".join(kept) + "\n"


def _parts(lines: list[str]) -> Iterator[list[str]]:
    """Yield what stands between lines ``...``, and these lines, in order."""
    part: list[str] = []
    for line in lines:
        if line != "...":
            part.append(line)
            continue
        if part:
            yield part
        part = []
        yield ["..."]
    if part:
        yield part


def refresh(page: Path) -> None:
    """Write one page anew."""
    text = page.read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            Path("instances").symlink_to(ROOT / "instances")
            for head, shown, found in changes(text):
                again = shown_again(shown.rstrip("\n") + "\n", found) if "...\n" in shown else found
                text = text.replace(head + shown, head + again, 1)
        finally:
            os.chdir(before)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name).resolve())
