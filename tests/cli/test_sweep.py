"""The commands of many cases on the real command line."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from gwplan.kept.sweep import read_sweep
from gwplan.problems import InstanceError
from gwplan.storage.read import load
from tests.cli.conftest import INSTANCES, Run
from tests.sweeps.killed import ROOT, command, tables

DEALS = INSTANCES / "tiny-deals"
GRID = ("--grid", "value[pathway=deals].value_bn_per_gw_year = 1, 8, 30", "--grid", "economics.discount_rate = 0, 0.1")


def test_a_sweep_is_printed_kept_and_drawn(gwplan: Run, tmp_path: Path) -> None:
    """One row a case in CSV and Parquet alike, figures of `gwplan solve`; the kept folder draws the same picture."""
    told = gwplan("sweep", DEALS, *GRID, "--figure", "plan.npv_bn", "--out", "kept", "--svg", "grid.svg", "--jobs", "2")
    assert told.returncode == 0, told.stderr
    assert "SWEEP of tiny-deals: 6 cases" in told.stdout and max(map(len, told.stdout.splitlines())) <= 80
    kept = read_sweep(tmp_path / "kept")
    cases = kept.tables["cases"]
    pd.testing.assert_frame_equal(cases, pd.read_csv(tmp_path / "kept" / "cases.csv", keep_default_na=False))
    assert (cases["plan.npv_bn"] == cases["npv_bn"]).all() and cases["case"].tolist() == [1, 2, 3, 4, 5, 6]
    edits = ("--set", "value[pathway=deals].value_bn_per_gw_year = 30", "--set", "economics.discount_rate = 0.1")
    alone = json.loads(gwplan("solve", DEALS, *edits, "--json").stdout)
    assert cases["objective_bn"][5] == pytest.approx(alone["objective_bn"], abs=1e-9)
    assert kept.manifest["kind"] == "sweep" and kept.manifest["cases"] == {"optimal": 6}
    assert gwplan("export", "kept", "--svg", "again.svg", "--html", "report.html").returncode == 0
    assert "<h1>Sweep of " in (tmp_path / "report.html").read_text()
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "grid.svg").read_bytes()
    for name in ("cases.csv", "cases.parquet"):
        data = (tmp_path / "kept" / name).read_bytes()
        (tmp_path / "kept" / name).write_bytes(b"PAR1")
        with pytest.raises(InstanceError, match=f"{name}: changed since it was kept"):
            read_sweep(tmp_path / "kept")
        (tmp_path / "kept" / name).write_bytes(data)


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """A sweep broken off says how to go on, and comes out as if it had not been."""
    asked = ["sweep", str(DEALS), "--grid", "economics.discount_rate = 0..0.039 step 0.001", "--jobs", "2"]
    rows = tmp_path / "out.unfinished" / "rows.jsonl"
    process = subprocess.Popen(command(asked, tmp_path / "out"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (rows.exists() and rows.read_bytes().count(b"\n") > 3) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 4 and "Traceback" not in told
    found = re.search(r"with (\d+) of 40 cases; they are kept in .*: repeat the command to go on", told)
    assert found and 0 < int(found.group(1)) < 40
    other = subprocess.run(
        command([*asked[:3], "risk.aversion = 0"], tmp_path / "out"), cwd=ROOT, capture_output=True, check=False
    )
    assert other.returncode == 1 and b"holds the rows of another sweep" in other.stderr
    again = subprocess.run(command(asked, tmp_path / "out"), cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{found.group(1)} cases are there" in again.stderr
    cases = read_sweep(tmp_path / "out").tables["cases"]
    assert len(cases) == 40 and (cases["status"] == "optimal").all() and tables(tmp_path / "out")


def test_wrong_use_is_one_line(gwplan: Run, tmp_path: Path) -> None:
    """No axis, a misspelt cell or figure, an occupied folder: told before anything is solved, nothing left behind."""
    (tmp_path / "taken").mkdir()
    for arguments, code, words in (
        ((), 2, "give --grid"),
        (("--grid", "economics.discount_rat = 0"), 1, "did you mean 'discount_rate'"),
        ((*GRID, "--out", "taken"), 1, "exists already"),
        ((*GRID, "--jobs", "2", "--cluster", "tcp://127.0.0.1:9"), 2, "give one of them"),
        ((*GRID, "--png", "grid.svg"), 2, "ends in .png"),
        ((*GRID, "--of", "objective"), 1, "did you mean 'objective_bn'"),
        (("--grid", "insert locks"), 1, "at character"),
    ):
        told = gwplan("sweep", DEALS, *arguments)
        assert told.returncode == code and words in told.stderr, told.stderr
        assert "Traceback" not in told.stderr and not told.stdout
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]
    slip = gwplan("sweep", DEALS, *GRID, "--of", "objective", "--out", "later")
    assert slip.returncode == 1 and "did you mean 'objective_bn'" in slip.stderr
    assert (tmp_path / "later.unfinished" / "rows.jsonl").read_bytes().count(b"\n") == 3  # study, basis and base
    again = gwplan("sweep", DEALS, *GRID, "--out", "later")
    assert again.returncode == 0 and "going on with" in again.stderr, again.stderr
    own = ("--range", "risk.aversion = 0..0.5", "--range", "risk.aversion = 0..0.4")
    twice = gwplan("tornado", DEALS, *own)
    assert twice.returncode == 1 and "range risk.aversion: given twice" in twice.stderr


def test_a_tornado_says_what_the_plan_hangs_on(gwplan: Run, tmp_path: Path) -> None:
    """Printed within 80 columns, kept with its swings, and as JSON."""
    told = gwplan(
        "tornado",
        DEALS,
        "--by",
        "20%",
        "--range",
        "economics.discount_rate = 0..0.2",
        "--out",
        "kept",
        "--png",
        "t.png",
    )
    assert told.returncode == 0, told.stderr
    assert "TORNADO of tiny-deals" in told.stdout and "First moves" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
    kept = read_sweep(tmp_path / "kept")
    assert "economics.discount_rate" in kept.tables["tornado"]["input"].tolist()
    assert len(kept.tables["cases"]) >= 2 * len(kept.tables["tornado"])
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    only = gwplan("tornado", DEALS, "--only", "--range", "economics.discount_rate = 0..0.2", "--json")
    figures = json.loads(only.stdout)
    assert [row["input"] for row in figures["tornado"]] == ["economics.discount_rate"] and len(figures["cases"]) == 2


def test_sweeps_import_no_cluster_unasked() -> None:
    """Dask is imported only where a cluster is asked for."""
    code = "import sys, gwplan.commands.sweep, gwplan.studies.sweep.engines; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_tornado_writes_levers_of_what_swings_most(gwplan: Run, tmp_path: Path) -> None:
    """``--levers`` makes a file that the instance is read with, an input a lever; it never writes over one."""
    folder = tmp_path / "own"
    shutil.copytree(INSTANCES / "tiny-ramp", folder)
    ranges = ("--range", "calendar.periods = 2..4", "--range", "economics.discount_rate = 0..0.1")
    done = gwplan("tornado", folder, "--levers", "3", *ranges)
    assert done.returncode == 0 and "levers.toml: 3 levers" in done.stderr
    made = load(folder).levers
    assert [each.label for each in made][:2] == ["calendar.periods", "deliveries.gw"]
    assert (made[0].step, made[1].start, made[1].least, made[1].most) == (1.0, 1.0, 0.9, 1.1)
    again = gwplan("tornado", folder, "--levers", "3")
    assert again.returncode == 1 and "exists already" in again.stderr and load(folder).levers == made
    book = gwplan("tornado", tmp_path / "x.xlsx", "--levers", "3")
    assert book.returncode == 1 and "gwplan convert makes a folder" in book.stderr
