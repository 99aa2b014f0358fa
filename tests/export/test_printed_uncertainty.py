"""The printed report on uncertainty where there is more than fits."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import gwplan as gw
from gwplan.show.text import decisions
from gwplan.show.text import uncertainty as printed_uncertainty

INSTANCES = Path(__file__).resolve().parents[2] / "instances"


@pytest.fixture(scope="module")
def found() -> gw.Uncertainty:
    """Return what is found of the tiny tree."""
    return gw.uncertainty(gw.load(INSTANCES / "tiny-tree"))


def printed(found: gw.Uncertainty) -> str:
    """Return the report."""
    console = Console(file=io.StringIO(), width=80)
    printed_uncertainty.print_uncertainty(found, console, full=True)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_what_is_left_out_is_counted(found: gw.Uncertainty, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the reader of a large tree: futures and branches that are not shown are said to be missing."""
    whole = printed(found)
    assert "left out" not in whole and "..." not in whole.split("EACH BRANCH")[1].split("GW, net")[0]
    monkeypatch.setattr(printed_uncertainty, "MOST_FUTURES", 3)
    monkeypatch.setattr(decisions, "MOST_BRANCHES_OF_MOVES", 3)
    short = printed(found)
    assert "1 future between the worst and the best is left out." in short
    tree = short.split("EACH BRANCH")[1]
    assert "market=up" in tree and "progress" not in tree and " ..." in tree


def test_each_branch_tells_its_decisions(found: gw.Uncertainty) -> None:
    """Protects the tree of decisions: the branch, its chance and what is decided there, as in the plan's tables."""
    words = " ".join(printed(found).replace("│", " ").split())
    assert (
        "if progress=fast in 2026-03 (12%): give notice on deals: deals 1.00; move 1.00 from deals to training" in words
    )
    assert "sign deals: deals 1.00 2026-01-01" in words
