"""Axes, grids and cases of a file: every value where it is meant, every mistake told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.instance.instance import Instance
from gwplan.language.axes import axis, limits
from gwplan.problems import InstanceError
from gwplan.studies.sweep import grid as sweep_grid
from gwplan.studies.sweep.grid import axes, grid, written

DEALS = Path(__file__).resolve().parents[2] / "instances" / "tiny-deals"


@pytest.fixture(scope="module")
def deals() -> Instance:
    """Return a tiny instance."""
    return gw.load(DEALS)


@pytest.mark.parametrize(
    ("text", "name", "edits"),
    [
        (
            "risk.aversion = 0, .2,0.4",
            "risk.aversion",
            ["risk.aversion = 0", "risk.aversion = 0.2", "risk.aversion = 0.4"],
        ),
        (
            "value[pathway=deals, tier=1].value_bn_per_gw_year *= 0.1..0.3 step 0.1 @ 2027-01-01..2028-01-01",
            "value[pathway=deals, tier=1].value_bn_per_gw_year *= @ 2027-01-01..2028-01-01",
            [
                f"value[pathway=deals, tier=1].value_bn_per_gw_year *= {f} @ 2027-01-01..2028-01-01"
                for f in ("0.1", "0.2", "0.3")
            ],
        ),
        ("demand.target_gw = 1, 3..5 step 2", "demand.target_gw", [f"demand.target_gw = {v}" for v in (1, 3, 5)]),
        (
            "deliveries.date += 0, 3 months",
            "deliveries.date += months",
            ["deliveries.date += 0 months", "deliveries.date += 3 months"],
        ),
        ("deliveries.date -= 6 months", "deliveries.date -= months", ["deliveries.date -= 6 months"]),
        ("risk.aversion -= 0.1, 0.2", "risk.aversion -=", ["risk.aversion -= 0.1", "risk.aversion -= 0.2"]),
        ('contracts.pool = a, "b c"', "contracts.pool", ["contracts.pool = a", 'contracts.pool = "b c"']),
        (
            "calendar.start = 2026-01-01, 2026-07-01",
            "calendar.start",
            [f"calendar.start = 2026-0{m}-01" for m in (1, 7)],
        ),
    ],
)
def test_an_axis_is_an_edit_with_several_values(text: str, name: str, edits: list[str]) -> None:
    """Each value makes the edit that `--set` would; the name is the cells, the change and the dates."""
    found = axis(text)
    assert found.name == name
    assert [edit.text for edit in found.edits] == edits


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("risk.aversion = 0..1", "a range with its step"),
        ("risk.aversion = 1..0 step 0.1", "a range that rises"),
        ("risk.aversion = 0..1 step 0.00001", "at most 10,000 values"),
        ("risk.aversion *= x", "a number after *="),
        ("risk.aversion = 0, 0.0", "every value once"),
        ("risk.aversion = 0 0.2", "expected ','"),
        ("risk.aversion", "one of =, *=, += and -="),
        ("deliveries.date += 0.5 months", "whole numbers before months"),
    ],
)
def test_a_slip_in_an_axis_is_told_with_its_place(text: str, told: str) -> None:
    """The message says what was expected, and at which character."""
    with pytest.raises(InstanceError, match="at character") as error:
        axis(text)
    assert told in str(error.value)


def test_a_range_has_two_ends() -> None:
    """A tornado's own range is a lower and a higher value, and nothing else."""
    assert [edit.text for edit in limits("risk.aversion *= .5..2").edits] == [
        "risk.aversion *= 0.5",
        "risk.aversion *= 2",
    ]
    for text in ("risk.aversion = 1..0", "risk.aversion = 1", "risk.aversion = 0..1 step 0.5"):
        with pytest.raises(InstanceError):
            limits(text)


def test_a_grid_is_every_combination_the_last_axis_fastest(deals: Instance) -> None:
    """Cases come in the order in which they are written, with the values of each axis."""
    texts = ["economics.discount_rate = 0, 0.1", "pathways[pathway=deals].notice_days = 0, 30, 90"]
    cases = grid(axes(deals, texts))
    assert [tuple(case.inputs.values()) for case in cases] == [(a, b) for a in (0.0, 0.1) for b in (0.0, 30.0, 90.0)]
    assert cases[1].edits == ("economics.discount_rate = 0", "pathways[pathway=deals].notice_days = 30")


def test_what_fits_no_instance_is_refused_before_anything_is_solved(
    deals: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that is not there, a value that breaks a rule, an axis given twice, too many cases: told at once."""
    with pytest.raises(InstanceError) as error:
        axes(deals, ["value[pathway=deal].value_bn_per_gw_year = 1", "risk.aversion = 0, 2"])
    assert len(error.value.problems) == 2
    with pytest.raises(InstanceError, match="given twice"):
        axes(deals, ["risk.aversion = 0", "risk.aversion = 0.1"])
    monkeypatch.setattr(sweep_grid, "MOST_CASES", 3)
    with pytest.raises(InstanceError, match="4 cases"):
        grid(axes(deals, ["risk.aversion = 0, 0.1", "economics.discount_rate = 0, 0.1"]))


def test_cases_of_a_file_are_its_rows(deals: Instance, tmp_path: Path) -> None:
    """A column is a cell, its header the left side of an edit; blanks leave cells as they are."""
    file = tmp_path / "cases.csv"
    file.write_text(
        'name,"value[pathway=deals, tier=1].value_bn_per_gw_year *= @ 2026-07-01",economics.discount_rate\n'
        "low,0.5,\n\nboth,2,0.1\n"
    )
    first, second = written(str(file), deals)
    scaled = "value[pathway=deals, tier=1].value_bn_per_gw_year *= {} @ 2026-07-01"
    assert first.edits == (scaled.format(0.5),) and first.inputs["name"] == "low"
    assert second.edits == (scaled.format(2), "economics.discount_rate = 0.1")
    file.write_text("risk.aversion,economics.rate\n3,1\n0.1\n")
    with pytest.raises(InstanceError) as error:
        written(str(file), deals)
    told = [str(problem) for problem in error.value.problems]
    assert all(text.startswith("cases.csv row ") for text in told) and {text[14] for text in told} == {"2", "3"}


def test_numbers_beyond_floats_and_huge_grids_are_refused_before_they_cost_anything(
    deals: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exponents that no float has are a slip; a grid is counted before any of its edits is tried."""
    for text in ("risk.aversion = 0..1 step 1e-999999999", "risk.aversion = 0..1e999999 step 1e-99999"):
        with pytest.raises(InstanceError, match="at most 300 digits"):
            axis(text)
    monkeypatch.setattr(Instance, "edited", lambda *_: pytest.fail("an edit was tried"))
    many = "0..0.9999 step 0.0001"
    with pytest.raises(InstanceError, match="100,000,000 cases"):
        axes(deals, [f"risk.aversion = {many}", f"economics.discount_rate = {many}"])


@pytest.mark.parametrize("name", ["one\u2028row", "one\nrow"])
def test_a_quoted_cell_may_hold_any_line_break(name: str, deals: Instance, tmp_path: Path) -> None:
    """Only the end of a row ends a row of a file of cases; a name may hold what else breaks lines."""
    file = tmp_path / "cases.csv"
    file.write_text(f'name,risk.aversion\n"{name}",0.1\n', encoding="utf-8")
    (case,) = written(str(file), deals)
    assert case.inputs["name"] == name
