"""The command line's spelling of edits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwplan.catalogue.tables import TABLES, Column, allowed_columns
from gwplan.instance.varied_cells import varied
from gwplan.language.axes import axis
from gwplan.language.cursor import Cell, Name, Operation
from gwplan.language.edits import Edit, edit, noted, spell
from gwplan.language.quantities import parse
from gwplan.problems import InstanceError, composed
from gwplan.studies.sweep.draws import correlation
from gwplan.studies.sweep.draws import draw as drawn

OPERATIONS: Final[tuple[Operation, ...]] = ("set", "scale", "add", "shift_months", "insert", "drop")
JANUARY, JULY = dt.date(2027, 1, 1), dt.date(2027, 7, 1)

FORMS = {
    "value[pathway=deals].value_bn_per_gw_year *= 0.8 @ 2027-01-01": Edit(
        "value", "scale", {"pathway": "deals"}, "value_bn_per_gw_year", 0.8, JANUARY
    ),
    "deliveries[contract=nebius*].date += 6 months": Edit(
        "deliveries", "shift_months", {"contract": "nebius*"}, "date", 6
    ),
    "drop contracts[contract==azure*]": Edit("contracts", "drop", {"contract": Name("azure*")}),
    "deliveries[contract=own, row=3].gw = 2": Edit("deliveries", "set", {"contract": "own", "row": 3}, "gw", 2),
    "deliveries.date -= 1 month": Edit("deliveries", "shift_months", {}, "date", -1),
    "demand[pathway=msl].target_gw = 2.5 @ 2027-01-01..2027-07-01": Edit(
        "demand", "set", {"pathway": "msl"}, "target_gw", 2.5, JANUARY, JULY
    ),
    "demand[pathway=msl].target_gw -= 2 @ ..2027-07-01": Edit(
        "demand", "add", {"pathway": "msl"}, "target_gw", -2, None, JULY
    ),
    "demand.target_gw += 2": Edit("demand", "add", {}, "target_gw", 2),
    "risk.aversion = 0.3": Edit("risk", "set", {}, "aversion", 0.3),
    "calendar.start = 2027-01-01": Edit("calendar", "set", {}, "start", JANUARY),
    'demand.cap_gw = ""': Edit("demand", "set", {}, "cap_gw", ""),
    "cancellations.indivisible = true": Edit("cancellations", "set", {}, "indivisible", True),
    "value[pathway=deals, tier=1, from=2027-01-01].width_gw = 2": Edit(
        "value", "set", {"pathway": "deals", "tier": 1, "from": JANUARY}, "width_gw", 2
    ),
    'contracts[vendor="Meta (New Albany, Ohio)"].vendor = "say \\"Meta\\""': Edit(
        "contracts", "set", {"vendor": "Meta (New Albany, Ohio)"}, "vendor", 'say "Meta"'
    ),
    "uncertainty[factor=market, outcome=glut].probability = 0.5": Edit(
        "uncertainty", "set", {"factor": "market", "outcome": "glut"}, "probability", 0.5
    ),
    "drop contracts[contract=nebius_backstop]": Edit("contracts", "drop", {"contract": "nebius_backstop"}),
    "drop churn @ 2027-01-01": Edit("churn", "drop", start=JANUARY),
    "drop churn": Edit("churn", "drop"),
    "insert churn[pathway=deals, date=2027-01-01, fraction=1.0]": Edit(
        "churn", "insert", {"pathway": "deals", "date": JANUARY, "fraction": 1.0}
    ),
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form_is_read_and_spelt(text: str) -> None:
    """Each form of the grammar means what the format says, and is spelt in that very form."""
    assert edit(text) == noted(FORMS[text])
    assert spell(FORMS[text]) == text


@pytest.mark.parametrize(
    ("loose", "canonical"),
    [
        (
            "  demand [ pathway = msl ] . target_gw=2@2027-01-01 .. 2027-07-01  ",
            "demand[pathway=msl].target_gw = 2 @ 2027-01-01..2027-07-01",
        ),
        ("demand.target_gw += -2", "demand.target_gw -= 2"),
        ("demand.target_gw = 2 @ 2027-01-01..", "demand.target_gw = 2 @ 2027-01-01"),
        ("deliveries.date += -6months", "deliveries.date -= 6 months"),
        ("deliveries.date -= 6 month@2027-01-01", "deliveries.date -= 6 months @ 2027-01-01"),
        ('demand[pathway="msl"].target_gw = .5', "demand[pathway=msl].target_gw = 0.5"),
        ("cancellations.indivisible = TRUE", "cancellations.indivisible = true"),
        ("drop   churn [pathway=deals]", "drop churn[pathway=deals]"),
    ],
)
def test_blanks_and_variants_do_not_matter(loose: str, canonical: str) -> None:
    """Spacing, quoting and equivalent forms give one and the same edit, noted in one spelling."""
    assert edit(loose) == edit(canonical)
    assert edit(loose).text == canonical


def test_a_bare_word_is_text_where_the_column_is_text() -> None:
    """A pathway called 2027, true or 2027-01-01 can be named without quotes; a number column still gets a number."""
    for name in ("2027", "true", "2027-01-01", "1e3"):
        parsed = edit(f"demand[pathway={name}].target_gw = 2027")
        assert parsed.where == {"pathway": name}
        assert parsed.value == 2027


def test_quoted_text_is_never_a_number() -> None:
    """Double quotes keep a value text also where the column takes numbers, so that the type error is seen."""
    assert edit('demand.target_gw = "2"').value == "2"


def test_names_with_marks_of_the_grammar_survive_in_quotes() -> None:
    """A pool may be called like a formula or like a piece of grammar."""
    for name in ("=cmd|x", "a]b", "a, b", "x@y", 'q"q', "back\\slash", "drop x", "ü ∑", "line\nbreak", "6 months"):
        written = spell(Edit("pools", "drop", {"pool": name}))
        assert edit(written).where == {"pool": name}


ERRORS = [
    ("", 1, "a table's name"),
    ("=", 1, "a table's name"),
    ("demand", 7, "'.' and the column"),
    ("drop", 5, "'.' and the column"),
    ("demand target_gw = 2", 8, "'.' and the column"),
    ("demand.", 8, "the column to change"),
    ("demand.target_gw", 17, "one of =, *=, += and -="),
    ("demand.target_gw /= 2", 18, "one of =, *=, += and -="),
    ("demand.target_gw =", 19, "a value"),
    ("demand.target_gw == 2", 19, "a value"),
    ("demand.target_gw *= x", 21, "a number after *="),
    ("demand.target_gw *= 2x", 21, "a number after *="),
    ("demand.target_gw *= 6 months", 21, "a whole number of months after += or -="),
    ("deliveries.date += 1.5 months", 20, "a whole number of months"),
    ("deliveries.date += 2027-01-01", 20, "a number after +=, or a number of months"),
    ("deliveries.date = 6 months", 19, "a date after ="),
    ("demand.target_gw = 2 3", 22, "the end of the edit"),
    ("contracts.vendor = Big Vendor", 24, "the end of the edit"),
    ("demand[pathway=msl.target_gw = 2", 30, "',' or ']'"),
    ("demand[pathway=msl", 19, "',' or ']'"),
    ("demand[].target_gw = 2", 8, "a column's name"),
    ("demand[pathway].target_gw = 2", 15, "'=' after the column 'pathway'"),
    ("demand[pathway=].target_gw = 2", 16, "a value"),
    ("demand[pathway=a, pathway=b].target_gw = 2", 19, "'pathway' stands twice"),
    ('demand[pathway="a].target_gw = 2', 16, "a value"),
    ('demand[pathway="a\\q"].target_gw = 2', 16, "a backslash is written"),
    ("demand.target_gw = 2 @", 23, "a date YYYY-MM-DD"),
    ("demand.target_gw = 2 @ ..", 26, "a date YYYY-MM-DD"),
    ("demand.target_gw = 2 @ 2027-01", 24, "a date YYYY-MM-DD"),
    ("demand.target_gw = 2 @ 2027-02-30", 24, "a date that exists"),
    ("demand.target_gw = 2 @ 2027-01-01...", 36, "a date YYYY-MM-DD"),
    ("demand.target_gw = 2 @ 2027-01-01 x", 35, "the end of the edit"),
    ("calendar.start = 2027-02-30", 18, "a date that exists"),
    ("drop demand[pathway=a].target_gw", 23, "the end of the edit"),
]


@pytest.mark.parametrize(("text", "character", "expected"), ERRORS)
def test_errors_say_where_and_what_was_expected(text: str, character: int, expected: str) -> None:
    """A mistyped edit is one line that points at the character where reading stopped."""
    with pytest.raises(InstanceError) as caught:
        edit(text)
    (problem,) = caught.value.problems
    assert problem.what.endswith(f"at character {character}")
    assert expected in problem.rule
    assert problem.remedy


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(alphabet='dropinst demand.value[]=*+-@"\\,2027-01.6months\n\x00', max_size=40))
def test_any_text_is_an_edit_or_an_input_error(text: str) -> None:
    """Garbage never gives a traceback, and what is accepted is spelt so that it is read again as the same edit."""
    try:
        parsed = edit(text)
    except InstanceError as error:
        assert len(error.problems) == 1
    else:
        assert edit(parsed.text) == parsed


def _cells(column: Column) -> st.SearchStrategy[Cell]:
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(composed)
    numbers = st.integers(-(10**18) + 1, 10**18 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    return {
        "text": texts,
        "number": numbers | texts,
        "integer": numbers | texts,
        "date": st.dates() | texts,
        "flag": st.booleans() | texts,
    }[column.kind]


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """Return any edit that a what-if could hold, well-typed or not."""
    table = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    columns = draw(st.lists(st.sampled_from(allowed_columns(table)), max_size=3, unique_by=lambda c: c.name))
    where = {column.name: draw(_cells(column)) for column in columns}
    start, until = draw(st.none() | st.dates()), draw(st.none() | st.dates())
    operation: Operation = draw(st.sampled_from(OPERATIONS))
    if operation in ("insert", "drop"):
        return Edit(table.name, operation, where, start=start, until=until)
    column = draw(st.sampled_from(table.columns))
    operands: dict[str, st.SearchStrategy[Cell]] = {
        "set": _cells(column),
        "scale": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
        "add": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
        "shift_months": st.integers(-1000, 1000),
    }
    return Edit(table.name, operation, where, column.name, draw(operands[operation]), start, until)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(edits())
def test_spelling_is_read_back_as_the_same_edit(any_edit: Edit) -> None:
    """Whatever stands in a manifest can be given to --set again and means the same."""
    assert edit(spell(any_edit)) == noted(any_edit)


@pytest.mark.parametrize("digits", ["0_6", "\u0660.\u0666"])
@pytest.mark.parametrize(
    ("read", "text"),
    [
        (edit, "demand.target_gw *= {}"),
        (axis, "demand.target_gw *= 1, {}"),
        (drawn, "demand.target_gw ~ normal({}, 1)"),
        (correlation, "demand.target_gw, demand.floor_gw = {}"),
        (partial(parse, where="claim"), "1 + {}"),
    ],
)
def test_every_spelling_has_the_numbers_of_tables(read: Callable[[str], object], text: str, digits: str) -> None:
    """What is no number in a table is none in an edit, an axis, a draw, a correlation or a quantity."""
    read(text.format("0.6"))
    with pytest.raises(InstanceError, match="at character"):
        read(text.format(digits))


def test_dates_have_the_digits_of_tables() -> None:
    """A date is told with its place wherever dates stand behind cells."""
    assert varied("demand.target_gw @ 2027-01-01").start == dt.date(2027, 1, 1)
    for read in (edit, varied):
        with pytest.raises(InstanceError, match="expected a date YYYY-MM-DD"):
            read("demand.target_gw @ 2027-1-1" if read is varied else "demand.target_gw = 1 @ \u0662027-01-01")
