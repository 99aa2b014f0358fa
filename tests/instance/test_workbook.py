"""Instances as workbooks: nothing lost on the way, every problem told with its cell, nothing hostile unpacked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import Instance
from gwplan.planning import valid
from gwplan.problems import InstanceError, composed
from gwplan.spreadsheet.cells import letters, numbered
from gwplan.storage.read import load
from gwplan.storage.starter import starter_instance
from gwplan.storage.workbook_write import save_workbook
from tests.generate import instances, random_instance
from tests.instance.folders import WHOLE, written
from tests.office.excel_rules import findings

openpyxl = pytest.importorskip("openpyxl", reason="the extra 'xlsx' is not installed")

INSTANCES = Path(__file__).parents[2] / "instances"
FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def through_a_workbook(instance: Instance) -> Instance:
    """Return what comes back of an instance that is written as a workbook and read again."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "book.xlsx"
        save_workbook(instance, path)
        assert not findings(path)
        return load(path)


def assert_same(again: Instance, instance: Instance) -> None:
    """Assert that two instances hold the same in every table and document."""
    for table in TABLES:
        pd.testing.assert_frame_equal(
            again.tables[table].reset_index(drop=True), instance.tables[table].reset_index(drop=True)
        )
    assert again.present == instance.present
    assert again.factors == instance.factors
    assert dict(again.whatifs) == dict(instance.whatifs)
    assert again == instance


@pytest.mark.parametrize("name", sorted(path.name for path in INSTANCES.iterdir() if path.is_dir()))
def test_instances_come_back_equal(name: str) -> None:
    """Tables, dates, blanks, annotations, uncertainty and what-ifs survive the way through a workbook."""
    instance = load(INSTANCES / name)
    assert_same(through_a_workbook(instance), instance)


def test_an_empty_table_is_not_an_absent_one(tmp_path: Path) -> None:
    """Without eligibility every pair may be used, with an empty one none: a workbook keeps them apart."""
    folder = written(tmp_path / "x", WHOLE, demand=None, locks=None, eligibility="pathway,pool,note\n")
    instance = load(folder)
    again = through_a_workbook(instance)
    assert "eligibility" in again.present and "demand" not in again.present
    assert_same(again, instance)


@FEW
@given(instances())
def test_random_instances_come_back_equal(seed: int) -> None:
    """Every edit, date and number that the generator knows survives the way through a workbook."""
    with TemporaryDirectory() as scratch:
        instance = load(random_instance(seed, Path(scratch) / "x"))
    assert_same(through_a_workbook(instance), instance)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=20).map(composed)


@settings(FEW, max_examples=20)
@given(st.lists(TEXTS, min_size=2, max_size=2), st.lists(st.floats(0, 1e9, allow_nan=False), min_size=3, max_size=3))
@example(["=cmd|'/C calc'!A0", "+1"], [0.1 + 0.2, 5e-324, 999999999.9999999])
@example(["_x0041_", " a\r\nb\t "], [1e-17, 123456789.123456789, 1 / 3])
@example(["@SUM(A1)", "007"], [2.0**29, 0.0, 1.0])
@example(["<&>\"'", ""], [1e9, 1e-5, 0.1])
def test_any_text_and_number_comes_back(texts: list[str], numbers: list[float]) -> None:
    """No text becomes a formula, loses a blank or is taken for a number, and no number loses a digit."""
    starter = starter_instance("x")
    pools, contracts = starter.table("pools"), starter.table("contracts")
    pools["description"] = np.array(texts, dtype=object)
    contracts["cost_bn_per_gw_year"] = numbers
    instance = replace(starter, tables={**starter.tables, "pools": pools, "contracts": contracts})
    again = through_a_workbook(instance)
    assert again.tables["pools"]["description"].tolist() == texts
    assert again.tables["contracts"]["cost_bn_per_gw_year"].tolist() == numbers


def test_early_days_come_back(tmp_path: Path) -> None:
    """Days before March 1900, which spreadsheets number wrongly or not at all, are kept."""
    starter = starter_instance("x")
    contracts = starter.table("contracts")
    contracts["signed"] = np.array(["1899-12-31", "1900-02-28", "1900-03-01"], dtype="datetime64[s]")
    instance = replace(starter, tables={**starter.tables, "contracts": contracts})
    assert_same(through_a_workbook(instance), instance)


def test_columns_have_letters() -> None:
    """Letters and numbers of columns are each other's inverse, from A to XFD."""
    assert [letters(at) for at in (1, 26, 27, 702, 703, 16384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert all(numbered(f"{letters(at)}7") == (7, at) for at in range(1, 16385, 97))
    assert numbered("a1") is None and numbered("A0") is None and numbered("A1B") is None


Change = Callable[[Any], object]


def problems_after(tmp_path: Path, *changes: Change) -> list[str]:
    """Return what is said of the starter's workbook after somebody changed it with another program."""
    path = tmp_path / "book.xlsx"
    save_workbook(starter_instance("x"), path)
    book = openpyxl.load_workbook(path)
    for change in changes:
        change(book)
    book.save(path)
    try:
        return [str(problem) for problem in valid(load(path))]
    except InstanceError as error:
        return [str(problem) for problem in error.problems]


def put(sheet: str, cell: str, value: object) -> Change:
    """Return the change that puts a value into a cell."""
    return lambda book: book[sheet].__setitem__(cell, value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put("demand", "C2", "lots"), "demand!C2: 'lots'"),
        (put("demand", "C2", "=1+1"), "demand!C2: a formula"),
        (put("contracts", "D3", "rentd"), "contracts!D3: 'rentd'"),
        (put("pools", "D2", True), "pools!D2: 'true'"),
        (put("deliveries", "B3", "1.9.2026"), "deliveries!B3: '1.9.2026'; must be a date"),
        (put("deliveries", "D1", "gww"), "deliveries!D1: unknown column 'gww'"),
        (put("deliveries", "Z4", 1), "deliveries!Z4: a cell below no column name"),
        (put("pathways", "A2", None), "pathways!A2: blank"),
        (put("settings", "C5", "2027-01-02"), "settings!C5: 2027-01-02"),
        (put("settings", "B5", "strat"), "settings!B5: 'strat'; calendar has no such key; did you mean 'start'?"),
        (put("settings", "A5", "calender"), "settings!A5: 'calender'; there is no such section"),
        (put("outcomes", "D2", 0.9), "probabilities 0.9 + 0.4"),
        (put("outcomes", "B3", "2027-08-01"), "outcomes!B3: '2027-08-01'; all outcomes of market are revealed on one"),
        (put("outcome_edits", "C2", "value.x *="), "outcome_edits!C2"),
        (put("outcome_edits", "B2", "gult"), "outcome_edits, 'market' 'gult': edits without an owner"),
        (put("whatif_edits", "B2", 'drop pools[pool="nowhere"]'), "sheet whatifs, deliveries-slip"),
        (put("whatifs", "C2", "market"), "whatifs!C2: 'market'; known outcomes are written factor=outcome"),
        (lambda book: book.remove(book["deliveries"]), "sheet 'deliveries': no such sheet"),
        (lambda book: book.remove(book["settings"]), "sheet 'settings': no such sheet"),
        (lambda book: book.create_sheet("Demands"), None),
        (lambda book: setattr(book["curves"], "title", "curve"), "sheet 'curve': unknown sheet"),
    ],
)
def test_problems_name_sheet_and_cell(tmp_path: Path, change: Change, told: str | None) -> None:
    """What is wrong in a workbook is told where the planner sees it, not as a row of a CSV file."""
    problems = problems_after(tmp_path, change)
    assert any(problem.startswith(told) or told in problem for problem in problems) if told else not problems
    assert not any(".csv" in problem.partition(";")[0] for problem in problems)


def test_warnings_name_sheet_and_cell(tmp_path: Path) -> None:
    """What decides nothing is told by its cell too, after the workbook was read."""
    problems = problems_after(tmp_path, put("curves", "B2", "2040-01-01"))
    assert any(problem.startswith("curves!B2") for problem in problems), problems


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """One pass over a workbook finds what is wrong on each of its sheets."""
    problems = problems_after(tmp_path, put("demand", "C2", "x"), put("pools", "C2", -1), put("settings", "C7", "x"))
    assert len(problems) >= 3


def test_planners_may_type_as_they_do(tmp_path: Path) -> None:
    """Dates with another format, numbers kept as text, sheets of one's own and columns in another order are read."""
    path = tmp_path / "book.xlsx"
    save_workbook(starter_instance("x"), path)
    before = load(path)
    book = openpyxl.load_workbook(path)
    book["demand"]["B2"].number_format = '[$-809]dd" of "mmmm yyyy'
    book["demand"]["D2"] = str(book["demand"]["D2"].value)
    book["demand"].tables.clear()
    book["demand"].move_range("C1:C9", cols=8)
    book["demand"].move_range("A1:A9", cols=12)
    book.create_sheet("scratch")["A1"] = "=1/0"
    book.save(path)
    assert load(path) == before


def test_dates_since_1904_are_read(tmp_path: Path) -> None:
    """A workbook that counts its days from 1904, as some programs do, says the same dates."""
    path = tmp_path / "book.xlsx"
    save_workbook(starter_instance("x"), path)
    before = load(path)
    book = openpyxl.load_workbook(path)
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.save(path)
    assert load(path) == before


DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def rewritten(source: Path, target: Path, parts: dict[str, bytes], *added: tuple[str, bytes]) -> Path:
    """Copy a package with some of its parts replaced and others added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, parts.get(entry.filename, old.read(entry)))
        for name, data in added:
            new.writestr(name, data)
    return target


def hostile(kind: str, good: Path, path: Path) -> Path:
    """Write a workbook that means harm, from one that does not."""
    with zipfile.ZipFile(good) as archive:
        book, sheet = archive.read("xl/workbook.xml"), archive.read("xl/worksheets/sheet2.xml")
    data = sheet.index(b"<sheetData>") + len(b"<sheetData>")
    if kind == "bomb":
        return rewritten(good, path, {"xl/worksheets/sheet2.xml": sheet[:data] + b" " * 80_000_000 + sheet[data:]})
    if kind == "entities":
        end = sheet.index(b"?>") + 2
        return rewritten(good, path, {"xl/worksheets/sheet2.xml": sheet[:end] + DOCTYPE + sheet[end:]})
    if kind == "external":
        return rewritten(
            good, path, {}, ("xl/externalLinks/externalLink1.xml", b"<externalLink><ddeLink/></externalLink>")
        )
    if kind == "encoding":
        return rewritten(good, path, {"xl/workbook.xml": book.replace(b"UTF-8", b"nan", 1)})
    if kind == "command":
        names = b"<definedNames><definedName name=\"x\">cmd|'/C calc'!A0</definedName>"
        return rewritten(good, path, {"xl/workbook.xml": book.replace(b"<definedNames>", names)})
    if kind == "rows":
        rows = b'<row r="2"/>' * 10_000_000
        return rewritten(good, path, {"xl/worksheets/sheet2.xml": sheet[:data] + rows + sheet[data:]})
    if kind == "short rows":
        return rewritten(good, path, {"xl/worksheets/sheet2.xml": sheet[:data] + b"<row/>" * 10_000_000 + sheet[data:]})
    if kind == "wide":
        cell = b'<row r="9"><c r="XFE9"><v>1</v></c></row>'
        return rewritten(good, path, {"xl/worksheets/sheet2.xml": sheet[:data] + cell + sheet[data:]})
    path.write_bytes({"old": b"\xd0\xcf\x11\xe0" * 999, "text": b"a,b", "empty": b""}[kind])
    return path


HOSTILE = {
    "bomb": "unpacks to 8",
    "entities": "declares a document type",
    "external": "a link that calls another program",
    "encoding": "xl/workbook.xml is not XML; unknown encoding",
    "command": "a name that calls another program",
    "rows": "unpacks to",
    "short rows": "more than 1,048,576 rows",
    "wide": "XFE9",
    "old": "an old or encrypted workbook",
    "text": "not a workbook",
    "empty": "not a workbook",
}
"""Workbooks that mean harm, and what is said of each."""

LIMITED = f"""
import contextlib, io, json, pathlib, resource, sys, time
resource.setrlimit(resource.RLIMIT_DATA, ({500 * 10**6},) * 2)
from gwplan.cli import main
for path in sys.argv[1:]:
    out, err, code, began = io.StringIO(), io.StringIO(), 0, time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["check", path])
        except SystemExit as ended:
            code = ended.code
    told = [code, out.getvalue(), err.getvalue(), time.process_time() - began]
    print(json.dumps([pathlib.Path(path).stem, told]), flush=True)
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str, float]]:
    """Return exit code, output and CPU seconds of ``gwplan check`` of each hostile workbook, within 500 MB.

    All in one process: what one leaves in memory counts against the next.
    """
    folder = tmp_path_factory.mktemp("hostile")
    save_workbook(starter_instance("x"), folder / "good.xlsx")
    paths = [str(hostile(kind, folder / "good.xlsx", folder / f"{kind}.xlsx")) for kind in HOSTILE]
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    return {kind: tuple(told) for kind, told in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_workbooks_are_refused(kind: str, refusals: dict[str, tuple[int, str, str, float]]) -> None:
    """A workbook that would fill the memory or call other programs is refused in one line, within 500 MB."""
    code, out, err, seconds = refusals[kind]
    assert (code, out) == (1, ""), err
    assert err.startswith("error: ") and HOSTILE[kind] in err and err.count("\n") == 1
    assert seconds < 5


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """An existing file stays, and so does one whose successor cannot be written."""
    path = tmp_path / "book.xlsx"
    path.write_text("mine")
    with pytest.raises(InstanceError, match="exists already"):
        save_workbook(starter_instance("x"), path)
    starter = starter_instance("x")
    pools = starter.table("pools")
    pools["note"] = np.array(["x" * 40_000] * len(pools), dtype=object)
    with pytest.raises(InstanceError, match="pools row 2, note: a longer text"):
        save_workbook(replace(starter, tables={**starter.tables, "pools": pools}), path, force=True)
    assert path.read_text() == "mine"


def test_damaged_workbooks_are_refused_or_read(tmp_path: Path) -> None:
    """Protects against a traceback: a workbook with bytes changed or cut off is bad input, however it fails."""
    whole, damaged = tmp_path / "whole.xlsx", tmp_path / "damaged.xlsx"
    save_workbook(load(written(tmp_path / "x", WHOLE)), whole)
    data, random = whole.read_bytes(), np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        changed = bytearray(data)
        for place in random.integers(len(data), size=random.choice([1, 3, 20])):
            changed[place] = random.integers(256)
        damaged.write_bytes(changed[: random.integers(len(data))] if random.random() < 0.2 else changed)
        try:
            load(damaged)
        except InstanceError:
            refused += 1
    assert refused >= 30
