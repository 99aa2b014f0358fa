from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, Run


@pytest.mark.parametrize("name", sorted(path.name for path in INSTANCES.iterdir()))
def test_every_shipped_instance_is_valid(gwplan: Run, name: str) -> None:
    """What the project ships passes its own check."""
    done = gwplan("check", INSTANCES / name)
    assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())


def test_a_starter_instance_solves_and_is_never_overwritten(gwplan: Run, tmp_path: Path) -> None:
    """``gwplan new`` gives a first-time user something that works, and never touches what exists."""
    made = gwplan("new", "mine")
    assert made.returncode == 0, made.stderr
    solved = gwplan("solve", "mine")
    assert solved.returncode == 0, solved.stderr
    (tmp_path / "mine" / "pools.csv").write_text("changed")
    again = gwplan("new", "mine")
    assert again.returncode == 1
    assert (tmp_path / "mine" / "pools.csv").read_text() == "changed"


def test_a_run_is_exported_in_every_format(gwplan: Run, tmp_path: Path) -> None:
    """A kept run becomes CSV, Parquet and pictures, and nothing is overwritten unasked."""
    assert gwplan("solve", INSTANCES / "tiny-tree", "--out", "run").returncode == 0
    arguments = ["--csv", "csv", "--parquet", "parquet", "--png", "plan.png", "--svg", "plan.svg"]
    done = gwplan("export", "run", *arguments)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "csv" / "allocation.csv").exists()
    assert (tmp_path / "parquet" / "allocation.parquet").exists()
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "plan.svg").read_text()
    pictures = gwplan("export", "run", "--svg", "pictures")
    assert pictures.returncode == 0 and "warning: signed.svg is left out: no contract says" in pictures.stderr
    assert (tmp_path / "pictures" / "gw.svg").exists() and (tmp_path / "pictures" / "idle.svg").exists()
    wrong = gwplan("export", "run", "--png", "plan.svg")
    assert wrong.returncode == 2 and "takes a file that ends in .png, or a folder" in wrong.stderr
    assert gwplan("export", "run", "--csv", "csv").returncode == 1
    assert gwplan("export", "run", "--csv", "csv", "--force").returncode == 0


def test_what_is_not_a_run_is_said_so(gwplan: Run, tmp_path: Path) -> None:
    """Exporting a folder that is no run is bad input, told in one line."""
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        done = gwplan("export", name, "--csv", "out")
        assert done.returncode == 1
        assert done.stderr.startswith("error: ") and name in done.stderr
        assert not (tmp_path / "out").exists()


def test_a_mistyped_command_is_suggested(gwplan: Run) -> None:
    """Wrong usage names the command that is nearest, or those there are."""
    done = gwplan("slove", "mine")
    assert done.returncode == 2 and "no such command 'slove'; did you mean 'solve'?" in done.stderr
    assert "known: solve, check" in gwplan("zzz").stderr
