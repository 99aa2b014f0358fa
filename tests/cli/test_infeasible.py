"""Every command that solves says of an instance without a plan what is in conflict."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run

CONFLICT = ("a lock holds deals at 3 GW or more in the quarter from 2027-01", "cloud holds 1 GW in the quarter from")
MORE = "locks[pathway=deals].min_gw = 3"
CELL = "value[pathway=deals].value_bn_per_gw_year"
COMMANDS = {
    "solve": [],
    "explain": [],
    "whatif": ["--set", "risk.aversion = 0.1"],
    "evaluate": ["--plan", "plan.csv"],
    "alternatives": [],
    "uncertainty": [],
    "claims": [],
    "exposure": ["--part", "obligations"],
    "sweep": ["--grid", f"{CELL} = 8, 9"],
    "tornado": ["--range", f"{CELL} *= 0.9..1.1", "--only"],
    "montecarlo": ["--draw", f"{CELL} *~ uniform(0.9, 1.1)", "--samples", "2"],
    "breakeven": [CELL, "--until-plan-changes"],
}
"""Every command that solves an instance, with what else it must be given; `roll` and `compare` solve none."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an instance that has no plan, with a claim that takes one and a what-if."""
    folder = tmp_path_factory.mktemp("broken") / "instance"
    shutil.copytree(INSTANCES / "tiny-deals", folder)
    (folder / "locks.csv").write_text("pathway,from,min_gw\ndeals,2027-01-01,3\n")
    (folder / "claims.csv").write_text(
        "claim,statement,quantity,reported,unit\nidle,none,plan.idle_gw_years,0,GW-years\n"
    )
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_solves_names_the_conflict(command: str, broken: Path, gwplan: Run, tmp_path: Path) -> None:
    """Protects whoever has no plan: whatever was asked for, the exit code is 3 and the text is that of explain."""
    (tmp_path / "plan.csv").write_text("pathway,pool,gw,period\ndeals,cloud,0.5,0\n")
    done = gwplan(command, broken, *COMMANDS[command])
    told = done.stdout if command == "explain" else done.stderr
    assert done.returncode == 3, told
    assert all(words in told for words in CONFLICT)
    assert "Ways out" in told and "--set 'locks[" in told


@pytest.mark.parametrize(
    "arguments", [("whatif", "--set", MORE), ("exposure", "--part", "whatifs"), ("sweep", "--grid", f"{MORE}, 4")]
)
def test_a_case_without_a_plan_names_the_conflict(arguments: tuple[str, ...], gwplan: Run, tmp_path: Path) -> None:
    """Protects whoever changes an instance that has a plan into one that has none: its conflict is told."""
    shutil.copytree(INSTANCES / "tiny-deals", tmp_path / "instance")
    (tmp_path / "instance" / "locks.csv").write_text("pathway,from,min_gw\ndeals,2027-01-01,0.1\n")
    (tmp_path / "instance" / "whatifs").mkdir()
    edit = '[[edit]]\ntable = "locks"\ncolumn = "min_gw"\nset = 3\nwhere = {pathway = "deals"}\n'
    (tmp_path / "instance" / "whatifs" / "more.toml").write_text(edit)
    command, *options = arguments
    done = gwplan(command, tmp_path / "instance", *options)
    assert done.returncode == (0 if command == "exposure" else 3), done.stderr
    told = " ".join((done.stdout + done.stderr).split())
    assert all(words in told for words in CONFLICT)
