"""``gwplan alternatives`` in a subprocess."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import INSTANCES, Run

TREE = str(INSTANCES / "tiny-tree")


def test_alternatives_are_printed_and_given_as_json(gwplan: Run) -> None:
    """Protects the command: least, best and most by pathway and year, and the plans that differ most."""
    printed = gwplan("alternatives", TREE, "--within", "5%")
    assert printed.returncode == 0 and "least < best < most" in printed.stdout and "plan 1: " in printed.stdout
    found = json.loads(gwplan("alternatives", TREE, "--within", "0.05", "--json").stdout)
    assert found["within"] == 0.05 and found["least_bn"] == pytest.approx(0.95 * found["best_bn"])
    assert {row["pathway"] for row in found["ranges"]} == {"training", "deals"}
    assert gwplan("alternatives", TREE, "--within", "much").returncode == 2
