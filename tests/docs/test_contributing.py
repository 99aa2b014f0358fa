"""The worked examples of CONTRIBUTING.md apply to the code as it is, and do what they say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, blocks

PATCHES = [
    block.text for block in blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")) if block.kind == "diff"
]

USED = """
import json
from pathlib import Path
from click.testing import CliRunner
import gwplan as gw
from gwplan import models
from gwplan.models.supply import balance
from gwplan.cli import main
from gwplan.conflict.diagnose import diagnose
from gwplan.catalogue.tables import VALUE_FACTORS
from gwplan.tree.timeline import timeline
from tests.docs.generated import PAGES
from tests.formulation.by_hand import ROWS
from tests.published.test_tiny import CHANGED_OPTIMA_BN

assert "value_scale" in VALUE_FACTORS
(edit,) = [edits for _, edits, _ in CHANGED_OPTIMA_BN if "value_scale" in edits[0]]
assert abs(gw.solve(gw.load("instances/tiny-curve").edited(*edit)).objective_bn - 17.0) < 1e-9
by_name = {path.name: make() for path, make in PAGES.items()}
assert "| `value_scale` | number | ratio |" in by_name["instance-format.md"]
assert "**`shortfall_kept`**" in by_name["formulation.md"]
assert "| `--json DIR` |" in by_name["commands.md"] and "| `--seed N` |" in by_name["commands.md"]
assert "shortfall_kept" in ROWS
every = gw.load("tests/formulation/every-rule")
assert models.build(timeline(every).data).component("shortfall_kept") is not None

capped = gw.load("instances/tiny-ramp").edited("pathways[pathway=training].year_cap_gw = 0.75")
plan = gw.solve(capped)
assert abs(plan.objective_bn - 15.8) < 1e-9 and "year_cap_kept" in ROWS
marginal = plan.marginal_values.query("constraint == 'year cap' and period == 3")
assert abs(marginal["bn_per_gw_year"].item() - 4 * (5 - 1)) < 1e-9
held = capped.edited("insert locks[pathway=training, from=2026-01-01, min_gw=0.9]")
held = held.edited("pathways.ramp_gw_per_month = \\"\\"")
told = diagnose(held)
assert any(repair.edits == ("pathways[pathway=training].year_cap_gw += 0.15",) for repair in told.repairs)
assert any("training may use at most 0.75 GW on average" in conflict.words for conflict in told.conflicts)

def run(*arguments, code=0):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == code, done.output
    return done.output

run("solve", "instances/tiny-deals", "--seed", "3", "--out", "run")
run("export", "run", "--json", "tables")
assert json.loads(Path("tables/allocation.json").read_text())
run("solve", "instances/tiny-ramp", "--set", "pathways[pathway=training].year_cap_gw = 0.75", "--out", "capped")
run("export", "capped", "--xlsx", "capped.xlsx")
Path("given.csv").write_text("pathway,pool,period,gw\\ntraining,cluster,3,1.2\\n")
broken = run("evaluate", "instances/tiny-ramp", "--set", "pathways.year_cap_gw = 0.25", "--plan", "given.csv",
             code=3)
assert "training has more than its year's cap: by" in broken
"""
"""What the five examples add, used in the copy; the copy's own modules do it."""


@pytest.mark.parametrize("at", range(5), ids=["column", "constraint", "limit", "export", "solver option"])
def test_an_example_still_applies(at: int, tmp_path: Path) -> None:
    """Each patch fits the code as it is."""
    patch = tmp_path / "example.diff"
    patch.write_text(PATCHES[at], encoding="utf-8")
    done = subprocess.run(
        ["git", "apply", "--check", "-p1", patch], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_examples_do_what_they_say(tmp_path: Path) -> None:
    """Who follows the page gets a column, a constraint, a limit, an export, an option: they work and are documented."""
    assert len(PATCHES) == 5
    for folder in ("models", "optimizer", "tests", "docs", "instances"):
        shutil.copytree(
            ROOT / folder,
            tmp_path / folder,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__", "*.svg", "*.png"),
        )
    (tmp_path / "gwplan").symlink_to("optimizer")
    for patch in PATCHES:
        applied = subprocess.run(
            ["git", "apply", "-p1", "-"], cwd=tmp_path, input=patch, capture_output=True, text=True, check=False
        )
        assert applied.returncode == 0, applied.stderr
    done = subprocess.run([sys.executable, "-c", USED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
