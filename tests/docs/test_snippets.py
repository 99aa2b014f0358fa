"""Everything that the docs show works as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.snippets import ELSEWHERE, NOT_RUN, ROOT, SILENT, blocks, faults, pages

TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
RUN_HERE = [
    name
    for name, text in TEXTS.items()
    if name != "README.md" and not ELSEWHERE.search(text) and any(block.runs for block in blocks(text))
]


@pytest.mark.parametrize("name", RUN_HERE)
def test_a_page_prints_what_it_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands and Python of a page, in order, in a folder of its own, print what the page says."""
    (tmp_path / "instances").symlink_to(ROOT / "instances")
    monkeypatch.chdir(tmp_path)
    assert not list(faults(TEXTS[name]))


@pytest.mark.parametrize("name", TEXTS)
def test_a_block_that_is_not_run_says_why(name: str) -> None:
    """A block is run, or the page tells the reason, or the file that runs it."""
    elsewhere = ELSEWHERE.search(TEXTS[name])
    if elsewhere:
        assert name in (ROOT / elsewhere[1]).read_text(encoding="utf-8") or Path(name).name in (
            ROOT / elsewhere[1]
        ).read_text(encoding="utf-8")
        return
    silent = [
        f"line {block.line}"
        for block in blocks(TEXTS[name])
        if not block.runs and block.kind not in SILENT and not NOT_RUN.fullmatch(block.before)
    ]
    assert not silent


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("```console\n$ gwplan check instances/tiny-tree\ntiny-tree: valid\n```\n", "line 1: $ gwplan check"),
        ("```console\n$ gwplan check \\\n  instances/tiny-tree\ntiny-tree\n```\n", "prints\ntiny-tree: valid, 0 w"),
        ("```console\n$ gwplan check instances/tiny-tree\n```\n", "no output is shown"),
        ("```console\n$ gwplan check nowhere\n...\n```\n", "ended with 1"),
        ("```console\n$ gwplan check instances/tiny-tree\nerror: bad\n```\n", "ended with 0"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "prints\n1"),
        ("```python\nprint(1)\n```\n", "prints\n1"),
    ],
)
def test_what_is_shown_wrongly_is_found(page: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another output than shown, another ending, and no output at all are each told."""
    (tmp_path / "instances").symlink_to(ROOT / "instances")
    monkeypatch.chdir(tmp_path)
    (found,) = faults(page)
    assert fault in found
