from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, Printed, blocks, commands, faults

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLES = [block for block in blocks(README) if block.kind == "console"]


def in_a_process(arguments: list[str]) -> Printed:
    """Run ``gwplan`` as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "gwplan.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)},
    )
    return done.returncode, done.stdout, done.stdout + done.stderr


def test_the_tour_prints_what_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's commands run in order, each in a process of its own, and print what it says they print."""
    (tmp_path / "instances").symlink_to(ROOT / "instances")
    monkeypatch.chdir(tmp_path)
    assert sum(len(list(commands(block.text))) for block in CONSOLES) >= 5
    assert not list(faults("\n".join(f"```console\n{block.text}```\n" for block in CONSOLES), in_a_process))


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's Python works as printed."""
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})
    assert "pathway" in capsys.readouterr().out
