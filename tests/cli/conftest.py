"""The command line: in this process, all of it but the start of Python, or as a process of its own."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from gwplan.cli import main
from gwplan.commands.common import PULSE

Run = Callable[..., subprocess.CompletedProcess[str]]

INSTANCES = Path(__file__).resolve().parents[2] / "instances"


def in_process(arguments: Sequence[str]) -> Result:
    """Run ``gwplan`` in this process on 80 columns: the imports, most of what a start takes, are made once."""
    with patch("sys.argv", ["gwplan", *arguments]), patch.object(PULSE, "seconds", 600.0):
        try:
            done = CliRunner().invoke(main, list(arguments), prog_name="gwplan", env={"COLUMNS": "80"})
        finally:
            gc.enable()  # a process that solves ends with the plan and does without; this one goes on
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def gwplan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``gwplan`` with arguments in a fresh folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = list(map(str, arguments))
        done = in_process(command)
        return subprocess.CompletedProcess(command, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def gwplan_started(tmp_path: Path) -> Run:
    """Start ``gwplan`` with arguments in a fresh folder: for what only a process of its own shows."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gwplan.cli", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
