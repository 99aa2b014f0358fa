"""The linear program as LP and MPS: other solvers read it, find the same optimum, and the names can be read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import highspy
import pytest

import gwplan as gw
from gwplan.solver.compile import compiled
from gwplan.solver.model_files import Kind, names, write_model
from gwplan.solver.program import LinearProgram
from gwplan.tree.timeline import timeline
from tests.generate import random_instance

INSTANCES = Path(__file__).parents[2] / "instances"
KINDS: tuple[Kind, ...] = ("lp", "mps")
SMALL = ("tiny-locks", "tiny-risk", "tiny-cancellation", "tiny-churn")


def by_highs(path: Path) -> float:
    """Return the optimum that HiGHS finds when it reads a file."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getInfo().objective_function_value)


def by_cbc(path: Path) -> float:
    """Return the optimum that CBC finds when it reads a file."""
    program = pytest.importorskip("cbcbox", reason="cbcbox, which carries CBC, is not installed").cbc_bin_path()
    kind = ["-import", str(path)]
    ended = subprocess.run([program, *kind, "-solve", "-quit"], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"Obj: ([-+0-9.e]+)", ended.stdout)
    assert found, ended.stdout
    return float(found.group(1))


def by_glpk(path: Path, kind: Kind) -> float:
    """Return the optimum that GLPK finds when it reads a file."""
    if shutil.which("glpsol") is None:
        pytest.skip("glpsol (glpk-utils) is not installed")
    report = path.with_suffix(".txt")
    reader = "--lp" if kind == "lp" else "--freemps"
    command = ["glpsol", reader, str(path), "-o", str(report)]
    subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    text = report.read_text()
    assert "OPTIMAL" in text
    found = re.search(r"Objective:\s+obj = ([-+0-9.e]+)", text, re.IGNORECASE)
    assert found
    return float(found.group(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SMALL)
def test_other_solvers_find_the_same_optimum(name: str, kind: Kind, tmp_path: Path) -> None:
    """A file says the whole program: HiGHS's own reader and CBC come to the plan's worth."""
    instance = gw.load(INSTANCES / name)
    worth = gw.solve(instance).objective_bn
    path = write_model(instance, tmp_path / f"model.{kind}", kind)
    assert -by_highs(path) == pytest.approx(worth, rel=1e-9)
    assert -by_cbc(path) == pytest.approx(worth, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_glpk_finds_the_same_optimum(kind: Kind, tmp_path: Path) -> None:
    """A third reader, stricter about names, comes to the plan's worth too."""
    instance = gw.load(INSTANCES / "tiny-risk")
    path = write_model(instance, tmp_path / f"model.{kind}", kind)
    assert -by_glpk(path, kind) == pytest.approx(gw.solve(instance).objective_bn, rel=1e-6)


@pytest.mark.parametrize("seed", range(5, 11))
def test_random_programs_come_back(seed: int, tmp_path: Path) -> None:
    """Whatever the generator makes of constraints and bounds survives both formats."""
    instance = gw.load(random_instance(seed, tmp_path / "x"))
    worth = gw.solve(instance).objective_bn
    for kind in KINDS:
        path = write_model(instance, tmp_path / f"model.{kind}", kind)
        assert -by_highs(path) == pytest.approx(worth, rel=1e-7)


def test_names_say_what_they_are() -> None:
    """A name is the family, its index and the node; odd names of the instance stay apart and harmless."""
    odd = gw.load(INSTANCES / "tiny-locks")
    for table in ("pathways", "eligibility", "value", "locks"):
        frame = odd.tables[table]
        if "pathway" in frame:
            frame["pathway"] = [{"training": "a b", "ads": "a,b"}.get(p, p) for p in frame["pathway"]]
    program: LinearProgram = compiled(timeline(odd).data)
    found = names(program, program.columns, program.column_keys, program.shape[1])
    assert found[0] == "allocate.a_b.cluster.0"
    assert len(set(found)) == len(found) and all(re.fullmatch(r"[a-z_]+(\.\w+)*", name) for name in found)
    rows = names(program, program.rows, program.row_keys, program.shape[0])
    assert "balance.cluster.0" in rows and len(set(rows)) == len(rows)
