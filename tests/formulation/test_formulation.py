"""Each rule of the model against its golden file, and the golden files against rows worked out by hand."""

from __future__ import annotations

import re

import pytest

from tests.formulation import by_hand, by_hand_offers, by_hand_terms
from tests.formulation.by_hand import BOUNDS, Row
from tests.formulation.golden import GOLDEN, MORE, OF_TERMS, VARIANTS, stated, text

ROWS = {**by_hand.ROWS, **by_hand_offers.ROWS}
OBJECTIVES = {**by_hand.OBJECTIVES, **by_hand_offers.OBJECTIVES, **by_hand_terms.OBJECTIVES}
FILES = {path.stem: path for path in GOLDEN.glob("*.lp")}
TERM = re.compile(r"^([+-]\S+) (\S+)$", re.MULTILINE)
ROW = re.compile(
    r"^c_[elu]_(?P<rule>.+?)\((?P<index>.*)\)_:\n(?P<terms>(?:[+-].+\n)+)(?P<relation>[<>]?=) (?P<bound>\S+)$", re.M
)


def rows(name: str) -> dict[str, Row]:
    """Return the rows of a golden file by the index in their label."""
    return {
        row["index"]: Row({v: float(c) for c, v in TERM.findall(row["terms"])}, row["relation"], float(row["bound"]))
        for row in ROW.finditer(FILES[name].read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("name", sorted(FILES))
def test_rule_is_what_its_golden_file_says(name: str) -> None:
    """Protects the formulation: a rule says today what it said when its file was read and kept."""
    expected = FILES[name].read_text(encoding="utf-8")
    assert text(name) == expected, "if the rule is meant to change: python -m tests.formulation, and read what changed"


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_rule_has_a_golden_file(variant: tuple[float, str]) -> None:
    """Protects against a constraint that nobody has read: what `build` can add has a file, and each file is in use."""
    assert set(stated(*variant)) <= set(FILES)
    assert {OF_TERMS, *MORE}.union(*(stated(*each) for each in VARIANTS)) == set(FILES)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_golden_rows_are_those_worked_out_by_hand(name: str) -> None:
    """Protects against freezing a mistake: rows of every constraint follow from the tables and the formula."""
    found = rows(name)
    for index, expected in ROWS[name].items():
        assert found[index].relation == expected.relation
        assert found[index].bound == pytest.approx(expected.bound, rel=1e-11, abs=1e-15)
        assert found[index].terms == pytest.approx(expected.terms, rel=1e-11)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_golden_objectives_are_those_worked_out_by_hand(name: str) -> None:
    """Protects against freezing a mistake in the objective: coefficients of every kind of term, and the constant."""
    written = FILES[name].read_text(encoding="utf-8")
    assert written.splitlines()[2] == "max "
    terms = {variable: float(c) for c, variable in TERM.findall(written.split("s.t.")[0])}
    assert {variable: terms[variable] for variable in OBJECTIVES[name]} == pytest.approx(OBJECTIVES[name], rel=1e-11)
    assert {variable.split("(")[0] for variable in terms} == {variable.split("(")[0] for variable in OBJECTIVES[name]}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_golden_bounds_are_those_of_the_tables(name: str) -> None:
    """Protects the bounds, which no row holds: shares end at their maximum, tiers at their width, GW at zero."""
    variable, lower, upper = BOUNDS[name]
    assert f"   {lower} <= {variable} <= {upper}\n" in FILES[name].read_text(encoding="utf-8")


def test_every_golden_file_is_worked_out_by_hand() -> None:
    """Protects against a golden file that merely records what came out."""
    assert set(ROWS) | set(OBJECTIVES) == set(FILES)
