"""What a stranger, a script or a full disk does to the commands: one line and an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gwplan.kept import run as kept_runs
from tests.cli.conftest import INSTANCES, Run
from tests.instance.folders import SMALL, written

DEALS = INSTANCES / "tiny-deals"


def test_every_mistake_of_a_command_line_is_told_at_once(gwplan: Run) -> None:
    """A planner who misspelt four options mends four, not one after the other."""
    done = gwplan(
        "solve", DEALS, "--with", "nope", "--with", "no.toml", "--set", "deals", "--set", "a.b", "--given", "f=o"
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    places = [line.split(": ")[1] for line in done.stderr.splitlines()]
    assert places == ["what-if nope", "no.toml", "edit deals", "edit a.b", "given f=o"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("check", ""), 1, "error: instance: no folder is named"),
        (("solve", ""), 1, "error: instance: no folder is named"),
        (("solve", DEALS, "--time-limit", "nan"), 2, "nan is not a number of seconds"),
    ],
)
def test_what_is_no_name_and_no_number(gwplan: Run, arguments: tuple[str | Path, ...], code: int, said: str) -> None:
    """An unset variable of the shell is not taken for the folder one stands in, nor nan for a limit."""
    done = gwplan(*arguments)
    assert done.returncode == code
    assert said in done.stderr and "Traceback" not in done.stderr


def test_new_offers_no_option_that_it_lacks(gwplan: Run, tmp_path: Path) -> None:
    """Where a folder is there already, the way out that is named exists."""
    (tmp_path / "mine").mkdir()
    assert "--force" not in gwplan("new", "mine").stderr


def test_a_whatif_that_changes_nothing_is_said(gwplan: Run, tmp_path: Path) -> None:
    """A what-if file whose edits were forgotten is warned of by the command, not only by the rule."""
    written(tmp_path / "x", {**SMALL, "whatifs/late.toml": 'description = "soon"\n'})
    done = gwplan("check", "x")
    assert done.returncode == 0
    assert "warning: whatifs/late.toml: no edit and no given; the what-if changes nothing" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
@pytest.mark.parametrize("command", ["check", "solve"])
def test_output_that_cannot_be_written_is_one_line(command: str) -> None:
    """A disk that is full when the plan is printed ends in one line and a code, not in a traceback."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gwplan.cli", command, DEALS],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: the system refused: ") and "Traceback" not in done.stderr


def test_ctrl_c_while_a_run_is_kept_shows_the_plan_and_says_what_is_missing(
    gwplan: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan was found by then: it is printed, and nobody is told that there is none, or that it was kept."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kept_runs, "keep", interrupted)
    done = gwplan("solve", DEALS, "--out", tmp_path / "run")
    assert done.returncode == 4
    assert done.stdout.startswith("tiny-deals   Jan 2026")
    assert done.stderr == f"error: stopped (interrupted): the run is not kept in {tmp_path / 'run'}\n"
