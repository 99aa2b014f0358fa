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
EVERY_RULE = INSTANCES.parent / "tests" / "formulation" / "every-rule"
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


def test_limits_initial_gw_and_the_period_are_inputs(tmp_path: Path) -> None:
    """Overtyped, each limit moves what is left of it, a longer period what is paid; no formula types figures."""
    needs_office()
    run = kept(EVERY_RULE, tmp_path)
    path = to_xlsx(run, tmp_path / "plan.xlsx")
    before, inputs = values(path), values(path)["inputs"]
    typed = {"1", "0", "0.5", "1.0", f"{float(timeline(run.instance).data.keep.min()):g}"}  # what is left after churn
    for sheet in ("allocation", "worth"):
        for formula in formulas(path)[sheet].values():
            assert set(re.findall(r"(?<![A-Za-z$\d.!])\d+(?:\.\d+)?(?![\d.!:])", formula)) <= typed, formula
    eased = {"floor": 0.1, "lock min": 0.1, "cap": -0.1, "ramp": -0.1, "lock max": -0.1}
    rows = {r: str(inputs[f"A{r}"]) for r in range(5, 200) if inputs.get(f"A{r}")}
    assert {*eased, "target", "GW before the start", "period length"} <= set(rows.values())
    tighter = [("inputs", f"D{r}", inputs[f"D{r}"] + eased[what]) for r, what in rows.items() if what in eased]
    length = next(f"D{r}" for r, what in rows.items() if what == "period length")
    changed = overtyped(path, tmp_path / "new.xlsx", *tighter, ("inputs", length, 2 * inputs[length]))
    found = recalculated(changed, tmp_path / "office")
    heads = {cell[:-1]: str(head).split()[-1] for cell, head in before["allocation"].items() if cell[1:] == "4"}
    limits = [column for column, last in heads.items() if last in ("floor", "cap", "ramp", "lock")]
    assert len(limits) >= 9
    for column in limits:
        for node in range(timeline(run.instance).data.tree.size):
            left = before["allocation"].get(f"{column}{node + 5}")
            if left is not None and left != "":
                assert found["allocation"][f"{column}{node + 5}"] == pytest.approx(left - 0.1, abs=1e-9)
    paid = next(cell[:-1] for cell, head in before["worth"].items() if head == "contract cost")
    assert found["worth"][f"{paid}5"] == pytest.approx(2 * before["worth"][f"{paid}5"]) != 0


def test_raw_tables_print_their_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody prints hundreds of pages: of a table of nodes some rows are; a year that is not whole names its months."""
    monkeypatch.setattr("gwplan.show.workbook.book.PRINTED", 2)
    book = openpyxl.load_workbook(to_xlsx(kept(INSTANCES / "tiny-tree", tmp_path), tmp_path / "plan.xlsx"))
    for name in ("worth", "cashflow", "marginal_values"):
        first, last = book[name].print_area.split("!")[1].replace("$", "").split(":")
        assert first == "A1" and re.sub(r"\D", "", last) == "6"
    assert book["years"]["B5"].value == "2026 Jan-Mar"


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
