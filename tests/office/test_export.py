"""Exported workbooks in real LibreOffice: every formula right, and alive when cells are overtyped."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gwplan as gw
from gwplan.instance.instance import Instance
from gwplan.kept.run import Run, keep, read_run
from gwplan.show.workbook.book import to_xlsx
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.storage.starter import starter_instance
from gwplan.tree.timeline import timeline
from tests.generate import random_instance
from tests.office.excel_rules import findings
from tests.office.libreoffice import assert_recalculates, convert, formulas, needs_office, recalculated, values

openpyxl = pytest.importorskip("openpyxl", reason="the extra 'xlsx' is not installed")
pytest.importorskip("xlsxwriter", reason="the extra 'xlsx' is not installed")

INSTANCES = Path(__file__).parents[2] / "instances"
CHECK = "B9"


@pytest.fixture(autouse=True)
def _charts_that_openpyxl_cannot_read() -> Iterator[None]:
    """Openpyxl warns of charts by LibreOffice that it cannot read; no test looks at those."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unable to read chart", category=UserWarning)
        yield


def kept(source: Path | Instance, folder: Path, *edits: str) -> Run:
    """Solve an instance and keep the run."""
    instance = source if isinstance(source, Instance) else gw.load(source)
    instance = instance.edited(*map(gw.edit, edits)) if edits else instance
    return read_run(keep(gw.solve(instance), folder / "run", command=["gwplan"], options={}))


def overtyped(path: Path, target: Path, *cells: tuple[str, str, Any]) -> Path:
    """Save a workbook with some cells changed, as a planner would."""
    book = openpyxl.load_workbook(path)
    for sheet, cell, value in cells:
        book[sheet][cell] = value
    book.save(target)
    return target


def worth_of(run: Run, change: tuple[int, str, str], gw_now: float) -> float:
    """Return the model's own worth of a run's allocation with one cell changed; notices and breaches as planned."""
    data = timeline(run.instance).data
    program = compiled(data)
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    solution = run_solver(program)
    for name in ("allocate", "cancelled", "signed", "release", "breach"):
        at = program.columns[name]
        lower[at], upper[at] = solution.columns[at] - 1e-10, solution.columns[at] + 1e-10
    keys = [tuple(row) for row in program.column_keys["allocate"].tolist()]
    node, pathway, pool = change
    labels = program.labels
    wanted = (labels.index(pathway), labels.index(pool), node)
    place = program.columns["allocate"].start + keys.index(wanted)
    lower[place] = upper[place] = gw_now
    fixed = run_solver(replace(program, column_lower=lower, column_upper=upper))
    assert str(fixed.status) == "optimal"
    return -float(program.cost @ fixed.columns + program.offset)


CASES = {
    "meta-2026h1": (),
    "tiny-risk": (),
    "tiny-locks": (),
    "tiny-terminal": ("economics.discount_rate = 0.07",),
}


@pytest.mark.parametrize("name", CASES)
def test_every_formula_has_the_value_that_it_carries(name: str, tmp_path: Path) -> None:
    """LibreOffice calculates every cell anew: no error, no other value, and the check against the solver is 0."""
    needs_office()
    run = kept(INSTANCES / name, tmp_path, *CASES[name])
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    found = assert_recalculates(path, tmp_path / "office")
    assert abs(found["summary"][CHECK]) < 1e-6
    assert abs(found["summary"]["B8"] - run.summary["objective_bn"]) < 1e-6
    assert abs(found["summary"]["B12"] - run.summary["npv_bn"]) < 1e-6
    assert found["summary"]["B13"] == 0
    assert path.stat().st_size < 5_000_000 and not findings(path)


@pytest.mark.parametrize(("seed", "commitments"), [(11, False), (77, False), (4, True), (18, True)])
def test_random_instances_recalculate(seed: int, commitments: bool, tmp_path: Path) -> None:
    """What the shipped instances do not have (forests, breaches, locks, offers, what is sold) is calculated right."""
    needs_office()
    run = kept(random_instance(seed, tmp_path / "x", commitments=commitments), tmp_path)
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    assert not findings(path)
    found = assert_recalculates(path, tmp_path / "office", tolerance=1e-7)
    assert abs(found["summary"][CHECK]) < 1e-6
    assert found["summary"]["B13"] == 0


def test_overtyped_cells_move_the_worth_as_the_model_would(tmp_path: Path) -> None:
    """A planner's allocation is priced in the workbook as the model prices it, and a broken limit is counted."""
    needs_office()
    run = kept(starter_instance("starter"), tmp_path)
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    before = values(path)["allocation"]
    column = next(c for c in "FGHIJKLMNOPQ" if before[f"{c}4"] == "ads on rented")
    node = int(timeline(run.instance).data.tree.leaves[0])
    less = before[f"{column}{node + 5}"] - 0.05
    assert less > 0
    changed = overtyped(path, tmp_path / "less.xlsx", ("allocation", f"{column}{node + 5}", less))
    found = recalculated(changed, tmp_path / "office")
    expected = worth_of(run, (node, "ads", "rented"), less)
    assert found["summary"]["B8"] == pytest.approx(expected, abs=1e-7)
    assert found["summary"][CHECK] == pytest.approx(expected - run.summary["objective_bn"], abs=1e-7)
    assert found["summary"][CHECK] < -1e-6
    assert found["summary"]["B13"] == 0

    more = overtyped(path, tmp_path / "more.xlsx", ("allocation", f"{column}{node + 5}", less + 5.0))
    assert recalculated(more, tmp_path / "again")["summary"]["B13"] > 0


def test_an_overtyped_price_moves_the_worth(tmp_path: Path) -> None:
    """With the plan kept, a dearer contract costs what the model says it costs."""
    needs_office()
    run = kept(starter_instance("starter"), tmp_path)
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    inputs = values(path)["inputs"]
    priced = ("contract price", "own_campus")
    row = next(r for r in range(5, 200) if (inputs.get(f"A{r}"), inputs.get(f"B{r}")) == priced)
    changed = overtyped(path, tmp_path / "dearer.xlsx", ("inputs", f"D{row}", inputs[f"D{row}"] + 0.1))
    found = recalculated(changed, tmp_path / "office")
    data = timeline(run.instance).data
    dearer = run.instance.edited(gw.edit("contracts[contract=own_campus].cost_bn_per_gw_year += 0.1"))
    program, again = compiled(data), compiled(timeline(dearer).data)
    solution = run_solver(program)
    change = -float((again.cost - program.cost) @ solution.columns + again.offset - program.offset)
    assert change < -1e-3
    assert found["summary"][CHECK] == pytest.approx(change, abs=1e-7)


def test_the_picker_shows_one_future(tmp_path: Path) -> None:
    """Periods, years and charts follow the chosen scenario, and the worth does not."""
    needs_office()
    run = kept(INSTANCES / "tiny-tree", tmp_path)
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    scenario = values(path)["scenarios"]["A6"]
    chosen = overtyped(path, tmp_path / "one.xlsx", ("summary", "B4", scenario))
    found = recalculated(chosen, tmp_path / "office")
    assert found["summary"]["B5"] == 2
    assert abs(found["summary"][CHECK]) < 1e-6
    tree = timeline(run.instance).data.tree
    allocation = run.tables["allocation"]
    for t, node in enumerate(tree.node_of[0]):
        used = allocation[allocation["node"] == node]["gw"].sum()
        pathways = len(run.summary["expected_gw_years"])
        shown = sum(found["periods"][f"{chr(67 + p)}{t + 5}"] for p in range(pathways))
        assert shown == pytest.approx(used, abs=1e-9)


def test_a_validator_finds_nothing_wrong(tmp_path: Path) -> None:
    """What LibreOffice forgives Excel does not: the parts are held against the schemas of the format."""
    audit = pytest.importorskip("openxml_audit", reason="openxml-audit is not installed")
    path = to_xlsx(kept(INSTANCES / "tiny-deals", tmp_path), tmp_path / "plan.xlsx")
    result = audit.OpenXmlValidator().validate(path)
    assert result.is_valid and not result.errors, result.errors[:5]


def test_no_formula_is_volatile_or_too_new(tmp_path: Path) -> None:
    """Excel 2016 and LibreOffice 7.4 know every function that is used, and none recalculates without cause."""
    path = to_xlsx(kept(INSTANCES / "tiny-risk", tmp_path), tmp_path / "plan.xlsx")
    used = {
        name
        for cells in formulas(path).values()
        for formula in cells.values()
        for name in re.findall(r"([A-Z][A-Z.]+)\(", formula)
    }
    assert used <= {"SUMPRODUCT", "SUMIFS", "AVERAGEIFS", "SUM", "MAX", "IF", "INDEX", "MATCH", "COUNTIF", "ROW"}, used


def test_pages_show_no_hashes(tmp_path: Path) -> None:
    """No column is too narrow for its numbers on paper."""
    needs_office()
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    path = to_xlsx(kept(INSTANCES / "tiny-deals", tmp_path), tmp_path / "plan.xlsx")
    pdf = convert(path, "pdf", tmp_path / "office")
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    assert "###" not in text and "GW by pathway against supply" in text
