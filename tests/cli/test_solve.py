from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run

TREE = INSTANCES / "tiny-tree"
DEALS = INSTANCES / "tiny-deals"
REFERENCE = INSTANCES / "meta-2026h1"


def test_a_plan_is_printed_and_proved_optimal(gwplan_started: Run) -> None:
    """A planner who types one command reads a plan and that it is proved best."""
    done = gwplan_started("solve", DEALS)
    assert done.returncode == 0, done.stderr
    assert "15.3" in done.stdout
    assert "optimal" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_is_the_summary_and_nothing_else(gwplan_started: Run) -> None:
    """Programs can read the summary from stdout, whatever warnings there are."""
    done = gwplan_started("solve", TREE, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["status"] == "optimal"
    assert summary["objective_bn"] == pytest.approx(8.375, abs=1e-9)
    assert summary["scenarios"] == 4
    components = summary["components_bn"]
    total = sum(components["value"].values()) + sum(v for k, v in components.items() if k != "value")
    assert total == pytest.approx(summary["objective_bn"], abs=1e-9)


def test_the_solver_log_goes_to_stderr(gwplan_started: Run) -> None:
    """``--log`` shows the solver's own words without spoiling the summary on stdout."""
    done = gwplan_started("solve", DEALS, "--json", "--log")
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "optimal"
    assert "HiGHS" in done.stderr


def test_edits_whatifs_and_conditions_change_the_plan(gwplan: Run, tmp_path: Path) -> None:
    """Each way to ask for another case reaches the plan."""
    edit = "pathways[pathway=deals].notice_days = 0"
    assert json.loads(gwplan("solve", DEALS, "--json", "--set", edit).stdout)["objective_bn"] == pytest.approx(16.5)
    file = tmp_path / "no-notice.toml"
    file.write_text(
        'name = "no-notice"\n[[edit]]\ntable = "pathways"\nwhere = { pathway = "deals" }\n'
        'column = "notice_days"\nset = 0\n'
    )
    by_file = gwplan("solve", DEALS, "--json", "--with", file)
    assert json.loads(by_file.stdout)["objective_bn"] == pytest.approx(16.5)
    risk = INSTANCES / "tiny-risk"
    neutral = gwplan("solve", risk, "--json", "--set", "risk.aversion = 0")
    assert json.loads(neutral.stdout)["objective_bn"] == pytest.approx(15.8)
    named = gwplan("solve", REFERENCE, "--json", "--with", "no-cancellation", "--deterministic")
    assert named.returncode == 0, named.stderr
    assert json.loads(named.stdout)["components_bn"]["cancellation_fees"] == 0
    known = gwplan("solve", REFERENCE, "--json", "--given", "msl_progress=lags")
    assert known.returncode == 0, known.stderr
    assert json.loads(known.stdout)["scenarios"] == 4


def test_a_run_is_kept_and_refused_where_one_exists(gwplan: Run, tmp_path: Path) -> None:
    """``--out`` keeps the whole run, and never overwrites without ``--force``."""
    first = gwplan("solve", DEALS, "--out", "run")
    assert first.returncode == 0, first.stderr
    run = tmp_path / "run"
    names = {path.name for path in run.iterdir()}
    assert {"manifest.json", "summary.json", "allocation.csv", "marginal_values.csv", "obligations.csv"} <= names
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["files"]["instance.toml"]
    with (run / "allocation.csv").open() as file:
        header = next(csv.reader(file))
    assert header == ["node", "period", "start", "known", "probability", "pathway", "pool", "gw"]
    again = gwplan("solve", DEALS, "--out", "run")
    assert again.returncode == 1
    assert "run" in again.stderr and "--force" in again.stderr
    assert gwplan("solve", DEALS, "--out", "run", "--force").returncode == 0
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    assert gwplan("solve", DEALS, "--out", "precious", "--force").returncode == 1
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "years of work"


def test_infeasible_ends_with_3_and_keeps_nothing(gwplan_started: Run, tmp_path: Path) -> None:
    """No plan is never an empty table: the exit code and one line say so."""
    done = gwplan_started(
        "solve", DEALS, "--out", "run", "--set", "insert demand[pathway=training, from=2026-07-01, floor_gw=100]"
    )
    assert done.returncode == 3, done.stderr
    assert "infeasible" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "run").exists()


def test_bad_input_ends_with_1_and_one_line_a_problem(gwplan_started: Run, tmp_path: Path) -> None:
    """All problems at once, each with its place, and no traceback."""
    broken = tmp_path / "broken"
    shutil.copytree(TREE, broken)
    table = broken / "contracts.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["pool"] = "nowhere"
    rows[0]["cost_bn_per_gw_year"] = "-1"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    for command in ("solve", "check"):
        done = gwplan_started(command, broken)
        assert done.returncode == 1
        lines = done.stderr.splitlines()
        assert any("contracts.csv row 2, pool" in line and "nowhere" in line for line in lines)
        assert any("contracts.csv row 2, cost_bn_per_gw_year" in line for line in lines)
        assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["solve"],
        ["solve", "a", "b"],
        ["solve", "a", "--given", "nonsense"],
        ["solve", "a", "--time-limit", "-1"],
        ["export", "run"],
        ["frobnicate"],
    ],
)
def test_wrong_usage_ends_with_2(gwplan: Run, arguments: list[str]) -> None:
    """Usage errors are told apart from bad input."""
    assert gwplan(*arguments).returncode == 2


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("presolv=off", "did you mean 'presolve'"),
        ("presolve=perhaps", "does not take 'perhaps'"),
        ("time_limit=3", "--time-limit"),
        ("threads=many", "expects int"),
    ],
)
def test_a_wrong_solver_option_is_named(gwplan: Run, option: str, said: str) -> None:
    """A misspelt solver option is an error, not silence."""
    done = gwplan("solve", DEALS, "--solver-option", option)
    assert done.returncode == 1
    assert said in done.stderr


def test_an_edit_that_matches_nothing_is_an_error(gwplan: Run) -> None:
    """A misspelt name in an edit suggests the right one."""
    done = gwplan("solve", DEALS, "--set", "pathways[pathway=dealz].notice_days = 0")
    assert done.returncode == 1
    assert "deals" in done.stderr


def test_a_time_limit_without_a_plan_ends_with_4(gwplan_started: Run, tmp_path: Path) -> None:
    """Stopped before there is a plan: said so, nothing kept."""
    done = gwplan_started("solve", REFERENCE, "--time-limit", "0", "--out", "run")
    assert done.returncode == 4
    assert "time limit" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "run").exists()


PRIMAL = ("--start", "cold", "--solver-option", "simplex_strategy=4", "--solver-option", "presolve=off")


def test_a_limit_keeps_the_feasible_plan_and_labels_it(gwplan: Run, tmp_path: Path) -> None:
    """A plan that is feasible but not proved best is kept, printed and told apart from the best."""
    best = json.loads(gwplan("solve", REFERENCE, "--deterministic", "--json").stdout)["objective_bn"]
    done = gwplan(
        "solve", REFERENCE, "--deterministic", "--json", "--out", "run", *PRIMAL,
        "--solver-option", "simplex_iteration_limit=1300",
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "not proved best" in done.stderr
    summary = json.loads(done.stdout)
    assert summary["status"] == "iteration_limit"
    assert summary["objective_bn"] < best
    kept = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert kept["status"] == "iteration_limit"
    assert kept["certificate"]["optimal"] is False


INTERRUPTED = """
import os, signal, sys, threading
from gwplan.cli import main
from gwplan.solver import highs

def loaded(program, options, load=highs.loaded):
    solver = load(program, options)
    def press_ctrl_c(event=None):
        if event is None or event.data_out.simplex_iteration_count == {iteration}:
            os.kill(os.getpid(), signal.SIGINT)
    if {iteration}:
        solver.cbSimplexInterrupt += press_ctrl_c
    else:
        threading.Timer(0.05, press_ctrl_c).start()
    return solver

highs.loaded = loaded
main()
"""


@pytest.mark.parametrize("feasible", [False, True], ids=["no plan yet", "a feasible plan"])
def test_ctrl_c_stops_the_solver_and_keeps_what_it_has(tmp_path: Path, feasible: bool) -> None:
    """Ctrl-C ends with exit code 4: with the feasible plan where the solver has one, else without.

    The signal is a real one: sent from inside the solve, so that it comes at a chosen iteration on any machine, or just
    after the solve began.
    """
    code = INTERRUPTED.format(iteration=14000 if feasible else 0)
    done = subprocess.run(
        [sys.executable, "-c", code, "solve", REFERENCE, "--json", "--out", "run", *(PRIMAL if feasible else ())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "interrupted" in done.stderr
    if feasible:
        assert json.loads(done.stdout)["status"] == "interrupted"
        assert "not proved best" in done.stderr
    else:
        assert done.stdout == ""
    assert (tmp_path / "run").exists() is feasible


def test_nothing_heavy_is_imported_for_help() -> None:
    """``--help`` answers at once: neither pandas nor Pyomo nor the solver is imported."""
    code = (
        "import sys\nfrom gwplan.cli import main\n"
        "try:\n    main(['solve', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'pyomo', 'highspy', 'rich', 'pydantic', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_scipy_is_not_imported_to_solve() -> None:
    """The way to the matrix stays clear of scipy, behind which Pyomo imports half a second of statistics."""
    code = (
        "import sys, gwplan as gw\n"
        f"gw.solve(gw.load({str(DEALS)!r}))\n"
        "sys.exit('scipy was imported' if 'scipy' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_start_is_reported_in_the_manifest(gwplan: Run, tmp_path: Path) -> None:
    """Whoever forces a start can read in the kept run how the solver got to the plan, stage by stage."""
    done = gwplan("solve", TREE, "--start", "lift", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["options"]["start"] == "lift"
    assert manifest["solved"]["start"] in ("lift", "cold after lift")
    assert [stage["factors"] for stage in manifest["solved"]["stages"]] == [0, 1, 2]
    assert gwplan("solve", TREE, "--start", "warm").returncode == 2


def test_a_lab_signs_its_offers_whole_and_starts_its_runs(gwplan: Run) -> None:
    """A whole position of offers, extensions and training runs solves by its search, and signs nothing in part."""
    done = gwplan("solve", INSTANCES / "ai-lab-2026", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["status"] == "optimal" and record["certificate"]["mip_gap"] <= 1e-6
    assert record["signed_gw"]["google_1gw"] == pytest.approx(1.0)
    assert record["signed_gw"]["run_a"] == pytest.approx(0.4) and record["signed_gw"]["run_b"] > 0
