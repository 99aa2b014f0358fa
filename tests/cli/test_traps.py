"""Inputs and surroundings that once ended in a traceback, in nothing at all, or in silence."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.commands.common import PULSE
from gwplan.kept.run import keep, read_run
from gwplan.problems import InstanceError
from gwplan.show.charts.pictures import save_all
from gwplan.show.workbook.book import to_xlsx
from gwplan.storage.write import write
from gwplan.studies.sweep.draws import draw
from gwplan.studies.sweep.engines import _SERVE
from gwplan.studies.sweep.sweep import Study
from tests.cli.conftest import INSTANCES, Run
from tests.instance.folders import PLAIN, plain, written

DEALS = INSTANCES / "tiny-deals"
ESCAPE = "\x1b]0;mine\x07\x1b[31m"
ALLOCATION = "start,pathway,pool,gw\n2026-01-01,{},cluster,1\n"


def test_more_factors_than_numpy_has_axes(tmp_path: Path) -> None:
    """Seventy factors of one outcome, and one of two, are two futures."""
    factor = '[[factor]]\nname = "f{0}"\nrevealed = 2027-01-01\n'
    outcome = '[[factor.outcome]]\nname = "{0}"\nprobability = {1}\n'
    one = "".join(factor.format(i) + outcome.format("only", 1.0) for i in range(70))
    written(
        tmp_path,
        {**PLAIN, "uncertainty.toml": one + factor.format(70) + outcome.format("a", 0.4) + outcome.format("b", 0.6)},
    )
    plan = gw.solve(gw.load(tmp_path))
    assert plan.summary["scenarios"] == 2 and plan.objective_bn == pytest.approx(12.0)


def test_a_value_that_is_drawn_alone() -> None:
    """A discrete distribution of one value has one parameter."""
    assert draw("risk.aversion ~ discrete(0.5: 1)").parameters == (0.5,)


def test_a_breach_that_costs_nothing_is_exported(tmp_path: Path) -> None:
    """GW taken back at no cost have no cell that says what they cost."""
    plan = gw.solve(gw.load(DEALS).edited("pathways[pathway=deals].breach_cost_bn_per_gw = 0"))
    assert plan.deals["breached_gw"].max() > 0
    run = read_run(keep(plan, tmp_path / "run", command=["gwplan"], options={}))
    assert to_xlsx(run, tmp_path / "plan.xlsx").is_file()


def test_an_encoding_that_there_is_not(tmp_path: Path) -> None:
    """A workbook whose XML names an encoding that nobody knows is refused."""
    with zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        for part in ("_rels/.rels", "xl/workbook.xml"):
            package.writestr(part, '<?xml version="1.0" encoding="nan"?><workbook/>')
    with pytest.raises(InstanceError, match="not XML"):
        gw.load(tmp_path / "odd.xlsx")


def test_a_disk_that_is_full_under_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in one line, for instances and plans, and nothing is left of the file."""

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InstanceError, match=r"x\.xlsx: cannot be written; no space left on device"):
        write(gw.load(DEALS), tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_worker_whose_parent_is_gone_says_nothing() -> None:
    """A parent that is killed leaves no traceback of its workers behind."""
    setup = Study("sweep", gw.load(DEALS), (), (), None).setup  # type: ignore[arg-type]
    command = [sys.executable, "-c", _SERVE, json.dumps(sys.path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as worker:
        assert worker.stdin and worker.stdout and worker.stderr
        worker.stdout.close()
        worker.stdin.write(json.dumps(setup).encode() + b"\n" + json.dumps(()).encode() + b"\n")
        worker.stdin.close()
        assert worker.stderr.read() == b""
    assert worker.returncode == 0


def test_pictures_of_a_plan_in_which_nothing_is_delivered(tmp_path: Path) -> None:
    """What has nothing to show is left out, with the reason."""
    plan = gw.solve(plain(tmp_path / "x", deliveries="contract,date,gw\nown,2030-01-01,1\n"))
    run = read_run(keep(plan, tmp_path / "run", command=["gwplan"], options={}))
    left = save_all(run, tmp_path / "pictures", "svg")
    assert left["capacity"] == "no GW are delivered" and any((tmp_path / "pictures").iterdir())


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (("evaluate", DEALS, "--plan", "f.csv"), ALLOCATION.format(ESCAPE)),
        (("evaluate", DEALS, "--plan", "f.csv"), ALLOCATION.format("deals").replace("gw", ESCAPE)),
        (("montecarlo", DEALS, "--draws", "f.csv"), f"{ESCAPE}\n"),
        (("sweep", DEALS, "--cases", "f.csv"), f"case,risk.aversion\n{ESCAPE},{ESCAPE}\n"),
        (("solve", DEALS, "--set", ESCAPE), ""),
        (("whatif", DEALS, ESCAPE), ""),
        (("solve", DEALS, "--lock", ESCAPE), ""),
    ],
)
def test_what_a_terminal_would_obey_is_shown(
    gwplan: Run, tmp_path: Path, arguments: tuple[str, ...], file: str
) -> None:
    """Text of a file or an argument is told as text: no escape reaches the terminal."""
    (tmp_path / "f.csv").write_text(file)
    done = gwplan(*arguments)
    assert done.returncode == 1 and "\x1b" not in done.stdout + done.stderr and "\\x1b" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("solve", DEALS, "--solver-option", "threads=99999"), "threads=99999: too many threads"),
        (("tornado", DEALS, "--figure", "nonsense"), "--figure nonsense: 'nonsense' at character 1"),
        (("tornado", DEALS, "--figure", "sum(pools[pool=x].idle_penalty_bn_per_gw_year)"), "no row of pools"),
    ],
)
def test_options_that_no_case_can_have(gwplan: Run, arguments: tuple[str, ...], said: str) -> None:
    """They are an error of the command line, told before anything is solved."""
    done = gwplan(*arguments)
    assert done.returncode == 1 and said in done.stderr


def test_a_terminal_without_columns(gwplan_started: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS=0 is no reason to print nothing."""
    monkeypatch.setenv("COLUMNS", "0")
    monkeypatch.setenv("PYTHONPATH", str(INSTANCES.parent))
    assert gwplan_started("solve", DEALS).stdout.startswith("tiny-deals   Jan 2026")


def test_no_command_is_silent_for_long(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing else is shown, what the work is at is said again and again, and no more once it has ended."""
    monkeypatch.setattr(PULSE, "seconds", 0.02)
    with PULSE.beating():
        PULSE.tell("the plan")
        time.sleep(0.2)
        with PULSE.still():
            time.sleep(0.05)
            capsys.readouterr()
            time.sleep(0.1)
            assert capsys.readouterr().err == ""
        time.sleep(0.2)
    assert capsys.readouterr().err.startswith("... the plan, 0 s\n")
    time.sleep(0.1)
    assert capsys.readouterr().err == ""
