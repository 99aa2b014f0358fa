"""The random instances that other tests lean on."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.generate import random_instance
from tests.oracle import solve
from tests.oracle.edits import OPERATIONS
from tests.oracle.reading import DEFAULTS, MANDATORY

SEEDS = range(60)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the instances of the first seeds."""
    folder = tmp_path_factory.mktemp("random")
    return [random_instance(seed, folder / str(seed), commitments=bool(seed % 2)) for seed in SEEDS]


def test_random_instances_are_small_valid_and_mostly_feasible(folders: list[Path]) -> None:
    """Protects the tests against the oracle from being vacuous: every decision occurs in some optimum."""
    results = [solve(folder) for folder in folders]
    statuses = Counter(result.status for result in results)
    assert set(statuses) <= {"optimal", "infeasible"}
    assert statuses["optimal"] >= 0.9 * len(folders)
    assert max(result.nodes for result in results) < 150
    assert sum(result.nodes > 20 for result in results) > 10
    used = Counter(key for result in results for key in {name[0] for name, gw in result.gw.items() if gw > 1e-6})
    rare = {"breach", "release", "sign", "cancelled", "onboard", "shortfall", "idle", "serve", "allocate"}
    rare |= {"signed", "unserved"}
    assert {name for name in rare if used[name] < 4} == set()


def test_every_column_and_operation_occurs(folders: list[Path]) -> None:
    """Protects the reach of the random instances: each column and each kind of edit is in use."""
    columns, edits = set(), set()
    for folder in folders:
        for path in folder.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                columns |= {(path.stem, c) for row in csv.DictReader(file) for c, cell in row.items() if cell}
        path = folder / "uncertainty.toml"
        for factor in tomllib.loads(path.read_text("utf-8"))["factor"] if path.exists() else []:
            for outcome in factor["outcome"]:
                for edit in outcome.get("edit", []):
                    edits |= {(edit["table"], name) for name in OPERATIONS if name in edit}
    unread = {"signed", "face_value_bn", "description", "min_block_gw", "min_share", "site", "power_per_gw"}
    expected = {(table, column) for table, known in DEFAULTS.items() for column in known if column not in unread}
    assert expected - columns == set()
    assert {operation for _, operation in edits} == set(OPERATIONS)
    assert {table for table, _ in edits} >= set(DEFAULTS) - {"eligibility", "running"}


def test_equal_seeds_write_equal_folders(tmp_path: Path) -> None:
    """Protects the replay of a failure: a seed names one instance."""
    one, two = (random_instance(11, tmp_path / name) for name in ("one", "two"))
    files = sorted(path.name for path in one.iterdir())
    assert set(files) >= {f"{table}.csv" for table in MANDATORY}
    assert [(one / name).read_bytes() for name in files] == [(two / name).read_bytes() for name in files]


def test_integers_on_demand(tmp_path: Path) -> None:
    """Protects the option: with it some contracts are indivisible and some pairs have least blocks, else none."""
    for integers in (False, True):
        folders = [random_instance(s, tmp_path / f"{integers}{s}", integers=integers) for s in range(8)]
        text = "".join((folder / "cancellations.csv").read_text("utf-8") for folder in folders)
        assert ("true" in text) is integers
        assert any(name[0] == "in use" for folder in folders for name in solve(folder).gw) is integers
