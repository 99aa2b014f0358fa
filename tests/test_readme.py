from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def consoles() -> list[tuple[str, str]]:
    """Return every command of the README's console blocks with the output shown for it."""
    shown = []
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            shown.append((command, output))
    return shown


def matches(shown: str, found: str) -> bool:
    """Return whether the output is as shown, where a line ``...`` stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in shown.splitlines())
    return re.fullmatch(pattern, found) is not None


def test_the_tour_prints_what_the_readme_shows(tmp_path: Path) -> None:
    """The README's commands run in order and print what it says they print."""
    (tmp_path / "instances").symlink_to(ROOT / "instances")
    commands = consoles()
    assert len(commands) >= 5
    for command, shown in commands:
        program, *arguments = shlex.split(command)
        assert program == "gwplan"
        done = subprocess.run(
            [sys.executable, "-m", "optimizer.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "80"},
        )
        assert done.returncode == 0, (command, done.stderr)
        assert shown.strip() not in ("", "..."), f"the README shows no output of: {command}"
        assert matches(shown, done.stdout), f"{command}\n{done.stdout}"


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's Python works as printed."""
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})
    assert "pathway" in capsys.readouterr().out


def test_links_lead_somewhere() -> None:
    """Every relative link in the README and the docs points to a file that exists."""
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
