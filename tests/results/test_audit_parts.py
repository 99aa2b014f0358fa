"""What the audit derives for itself: periods, the tree, the value of curves, and how it tells what it finds."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import gwplan
from gwplan.audit.facts import facts
from gwplan.audit.limits import Findings
from gwplan.audit.money import earned
from gwplan.audit.scenarios import Periods
from gwplan.storage.read import load
from tests.results import hand


def test_chords_are_merged_with_tiers(tmp_path: Path) -> None:
    """A curve earns along its chords, best tiers first, and no more beyond its end."""
    edits = (
        "value[pathway=deals].value_bn_per_gw_year = 0.7",
        "insert curves[pathway=deals, from=2026-12-31, kind=log2, base_gw=1, base_value_bn_per_year=10, "
        "uplift_per_doubling=0.1, max_gw=3, segments=2]",
        "pathways[pathway=deals].realisation = 0.5",
    )
    laid_out = facts(load(hand.folder(tmp_path)).deterministic().edited(*edits))
    deals = int(laid_out.pathways.places(["deals"])[0])
    # The chords earn 1 on the first GW and 0.5 on each of the next two; the tier earns 0.7 on one GW.
    for effective, value in ((0.5, 0.5), (1.5, 1.35), (2.5, 1.95), (4.0, 2.7), (9.0, 2.7)):
        by_node = np.zeros((2, 2))
        by_node[:, deals] = effective
        assert earned(laid_out, by_node)[0, :, deals] == pytest.approx([value / 2] * 2)


@pytest.mark.parametrize(
    ("months", "days", "expected"),
    [(1, 0, 0), (1, 90, 3), (1, 91, 3), (1, 92, 4), (1, 487, 16), (3, 90, 1), (3, 92, 2), (12, 365, 1), (12, 366, 2)],
)
def test_days_as_periods(months: int, days: int, expected: int) -> None:
    """Days become whole periods, rounded up, and not by the rounding of a quotient."""
    assert Periods(np.datetime64("2026-07", "M"), months, 4).of_days(np.array([float(days)])).tolist() == [expected]


def test_dates_take_effect_in_the_first_period_that_starts_on_or_after_them() -> None:
    """A date counts from its own day on if a period starts then, else from the next period; the past counts at once."""
    dates = np.array(["2020-02-29", "2026-07-01", "2026-07-02", "2026-10-01", "2031-01-15"], dtype="datetime64[D]")
    assert Periods(np.datetime64("2026-07", "M"), 3, 2).first_on_or_after(dates).tolist() == [0, 0, 1, 1, 19]


def test_tree_of_three_factors(tmp_path: Path) -> None:
    """Factors revealed at the start, within and after the horizon make a forest, split it, and never split it."""
    text = "".join(
        f'[[factor]]\nname = "{name}"\nrevealed = {date}\n'
        + "".join(f'[[factor.outcome]]\nname = "{o}"\nprobability = {p}\n' for o, p in outcomes)
        for name, date, outcomes in (
            ("late", "2028-01-02", [("x", 0.5), ("y", 0.5)]),
            ("mid", "2027-01-02", [("up", 0.1), ("down", 0.9)]),
            ("now", "2026-05-05", [("a", 0.3), ("b", 0.7)]),
        )
    )
    tree = facts(load(hand.folder(tmp_path, uncertainty=text))).nodes
    assert tree.known.tolist() == ["now=a", "now=b", *(f"mid={m}, now={n}" for m in ("up", "down") for n in "ab")]
    assert tree.probability == pytest.approx([0.3, 0.7, 0.03, 0.07, 0.27, 0.63])
    assert tree.parent.tolist() == [-1, -1, 0, 1, 0, 1]
    assert len(tree.node_of) == 8


def test_findings_are_told_in_one_line() -> None:
    """A finding says what, what was found, what was expected and how far apart they are."""
    findings = Findings()
    findings.same(lambda i: f"balance of gpu at node {i}", [1.0, 2.5], [1.0, 2.0])
    findings.at_most(lambda i: f"cap of ads at node {i}", [3.0, 1.0], [2.0, np.inf])
    findings.wrong("known of node 1", "a\nb", "a")
    assert [str(finding) for finding in findings.all] == [
        "balance of gpu at node 1: found 2.5, expected 2 (difference 0.5)",
        "cap of ads at node 0: found 3, expected at most 2 (difference 1)",
        "known of node 1: found a b, expected a",
    ]


def test_tolerance_follows_the_magnitude() -> None:
    """Rounding passes on large figures, and the same difference does not on small ones."""
    findings = Findings()
    findings.same(lambda i: str(i), [1e6 + 0.5, 0.5, 1 + 1e-7, 1 + 1e-5], [1e6, 0.0, 1.0, 1.0])
    assert [finding.figure for finding in findings.all] == ["1", "3"]


def test_audit_shares_no_code_with_what_it_audits() -> None:
    """The audit stays an independent derivation: it imports neither the model, the solver nor the timeline."""
    folder = Path(gwplan.__file__).parent / "audit"
    files = sorted(folder.glob("*.py"))
    assert len(files) >= 2
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            )  # fmt: skip
            for module in modules:
                top, *rest = module.split(".")
                assert top not in ("pyomo", "highspy", "scipy"), f"{file.name} imports {module}"
                if top == "gwplan":
                    assert rest[0] in ("audit", "catalogue", "instance", "problems"), f"{file.name} imports {module}"
