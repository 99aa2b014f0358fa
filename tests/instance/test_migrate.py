from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from gwplan.cli import main
from gwplan.problems import InstanceError
from gwplan.storage.migrate import STEPS, migrate
from gwplan.storage.read import load
from tests.instance.version_zero import FILES, to_one, write_old


def with_cell(book: Path, target: Path, sheet: str, row: tuple[str, str], value: str) -> None:
    """Write a workbook with another value beside the two cells that begin a row."""
    opened = openpyxl.load_workbook(book)
    for cells in opened[sheet].iter_rows():
        if tuple(cell.value for cell in cells[:2]) == row:
            cells[2].value = value
    opened.save(target)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an instance of version 0, while there is a way from it."""
    monkeypatch.setitem(STEPS, 0, to_one)
    return write_old(tmp_path / "old")


def run(*arguments: object) -> tuple[int, str]:
    """Run ``gwplan`` and return its exit code and what it printed."""
    done = CliRunner().invoke(main, [*map(str, arguments)])
    return done.exit_code, done.output


def test_every_command_refuses_an_older_version_in_one_line_that_names_migrate(old: Path) -> None:
    """An old instance is never misread: the one thing that is said of it is what brings it up to date."""
    for command in (["check"], ["solve"], ["whatif"], ["convert"], ["claims"]):
        target = [old.parent / "new"] if command == ["convert"] else []
        code, told = run(*command, old, *target)
        assert code == 1 and told.count("\n") == 1 and "version 0" in told and "gwplan migrate" in told


def test_a_folder_is_brought_up_and_every_change_is_told(old: Path) -> None:
    """What a step changes reaches tables, what-ifs and outcomes; comments and untouched files stay to the byte."""
    code, told = run("migrate", old, "--out", old.parent / "new")
    assert code == 0, told
    assert "changed deliveries: column mw is now gw" in told and "changed calendar.begin is now start" in told
    new = load(old.parent / "new")
    assert new.tables["deliveries"]["gw"].tolist() == [1.5]
    assert new.tables["deliveries"]["note"].tolist() == ['one, "and" more']
    assert new.with_whatif("less").tables["deliveries"]["gw"].tolist() == [0.75]
    assert new.factors[0].outcomes[0].edits[0].where["gw"] == 0.5
    for name in ("pools.csv", "value.csv"):
        assert (old.parent / "new" / name).read_text() == FILES[name]
    assert "# half of it" in (old.parent / "new" / "whatifs" / "less.toml").read_text()
    assert (old / "deliveries.csv").read_text() == FILES["deliveries.csv"]


def test_in_place_what_was_there_is_kept(old: Path) -> None:
    """Without --out the folder is replaced and the old one kept; a second time there is nothing to do."""
    (old / "README.md").write_text("mine")
    code, told = run("migrate", old)
    assert code == 0 and "old.version-0" in told
    assert load(old).periods == 2 and (old / "README.md").read_text() == "mine"
    assert (old.parent / "old.version-0" / "instance.toml").read_text() == FILES["instance.toml"]
    code, told = run("migrate", old)
    assert code == 0 and "already" in told


def test_a_kept_copy_is_never_overwritten(old: Path) -> None:
    """Whole or not at all: where the old one cannot be kept nothing changes."""
    (old.parent / "old.version-0").mkdir()
    code, told = run("migrate", old)
    assert code == 1 and "exists already" in told
    assert (old / "instance.toml").read_text() == FILES["instance.toml"]


def test_a_workbook_of_an_older_version_is_refused_with_a_way_out(old: Path) -> None:
    """Folders alone are brought up; a workbook is made of one, or told to become one."""
    code, told = run("migrate", old, "--out", old.parent / "new.xlsx")
    assert code == 0, told
    assert load(old.parent / "new.xlsx").tables["deliveries"]["gw"].tolist() == [1.5]
    book = old.parent / "old.xlsx"
    with_cell(old.parent / "new.xlsx", book, "settings", ("instance", "schema"), "0")
    code, told = run("migrate", book, "--out", old.parent / "newer")
    assert code == 1 and "convert it to a folder" in told and not (old.parent / "newer").exists()
    told = run("check", book)[1]
    assert "gwplan migrate" in told and told.count("\n") == 1


@pytest.mark.parametrize(("version", "reason"), [("2", "use a newer gwplan"), ("-3", "no way leads from it")])
def test_versions_that_nobody_can_read_are_refused(old: Path, version: str, reason: str) -> None:
    """A newer version, and one that never was, is refused with the reason, and nothing is written."""
    text = FILES["instance.toml"].replace("schema = 0", f"schema = {version}")
    (old / "instance.toml").write_text(text)
    with pytest.raises(InstanceError, match=reason):
        migrate(old)
    code, told = run("migrate", old, "--out", old.parent / "new")
    assert code == 1 and reason in told and not (old.parent / "new").exists()


def test_a_result_that_breaks_a_rule_is_not_written(old: Path) -> None:
    """What could not be read afterwards is told, row by row, and not written."""
    (old / "value.csv").write_text(FILES["value.csv"].replace("ads,2026", "adds,2026"))
    code, told = run("migrate", old, "--out", old.parent / "new")
    assert code == 1 and "value.csv row 2, pathway" in told and not (old.parent / "new").exists()
