"""Factors and what-ifs, read from TOML and written back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwplan.language.edits import Edit, Factor, Outcome, WhatIf, edit, noted
from gwplan.storage.toml import factors_toml, read_factors, read_whatif, whatif_toml
from tests.instance.test_spelling import edits

OUTCOMES = """
[[factor]]
name = "market"
revealed = "2027-07-01"
[[factor.outcome]]
name = "tight"
probability = 0.6
[[factor.outcome]]
name = "glut"
probability = 0.4
"""


def _whatif(text: str) -> WhatIf:
    whatif, problems = read_whatif(text, "whatifs/w.toml", "w")
    assert whatif is not None, problems
    assert not problems
    return whatif


@pytest.mark.parametrize(
    ("toml", "spelt"),
    [
        (
            'table = "value"\nwhere = { tier = 1 }\ncolumn = "width_gw"\nscale = 2\nfrom = 2027-01-01',
            "value[tier=1].width_gw *= 2 @ 2027-01-01",
        ),
        (
            'table = "demand"\ncolumn = "cap_gw"\nset = ""\nfrom = "2027-01-01"\nuntil = 2028-01-01',
            'demand.cap_gw = "" @ 2027-01-01..2028-01-01',
        ),
        ('table = "demand"\ncolumn = "cap_gw"\nadd = -1\nuntil = "2028-01-01"', "demand.cap_gw -= 1 @ ..2028-01-01"),
        ('table = "deliveries"\ncolumn = "date"\nshift_months = 6', "deliveries.date += 6 months"),
        ('table = "calendar"\ncolumn = "start"\nset = 2027-01-01', "calendar.start = 2027-01-01"),
        (
            'table = "churn"\ninsert = { pathway = "deals", date = 2027-06-01, fraction = 1.0 }',
            "insert churn[pathway=deals, date=2027-06-01, fraction=1.0]",
        ),
        ('table = "contracts"\nwhere = { contract = "n*" }\ndrop = true', "drop contracts[contract=n*]"),
    ],
)
def test_both_spellings_give_the_same_edit(toml: str, spelt: str) -> None:
    """A what-if file and the command line say the same thing in two ways."""
    assert _whatif(f"[[edit]]\n{toml}").edits == (edit(spelt),)


def test_a_whatif_carries_its_description_and_conditions() -> None:
    """What a file says beside its edits reaches the what-if, and its name is the file's."""
    whatif = _whatif('description = "MSL lags"\ngiven = { msl_progress = "lags" }')
    assert whatif == WhatIf("w", "MSL lags", (), {"msl_progress": "lags"})


def test_factors_keep_order_dates_and_edits() -> None:
    """Factors, outcomes and edits come in the order written, dates also from ISO text."""
    edits_of_glut = (
        '[[factor.outcome.edit]]\ntable = "churn"\ndrop = true\n[[factor.outcome.edit]]\ntable = "locks"\ndrop = true'
    )
    factors, problems = read_factors(OUTCOMES + edits_of_glut, "uncertainty.toml")
    assert not problems
    glut = Outcome("glut", 0.4, (edit("drop churn"), edit("drop locks")))
    assert factors == (Factor("market", dt.date(2027, 7, 1), (Outcome("tight", 0.6), glut)),)


def test_an_empty_document_has_no_factors() -> None:
    """A file without factors is a deterministic instance, not an error."""
    assert read_factors("# nothing\n", "uncertainty.toml") == ((), [])


EDIT = '[[edit]]\ntable = "demand"\ncolumn = "cap_gw"\n'
WHATIF_ERRORS = [
    ("edit = 3", "w.toml edit: 3; each edit is written below a line [[edit]]"),
    ("[edit]\ntable = 'x'", "w.toml edit: a table of keys; each edit is written below a line [[edit]]"),
    ("edit = [4]", "w.toml edit 1: 4; each edit is written below a line [[edit]]"),
    ("given = { market = 1 }", "w.toml given, market: 1; must be text, in quotes"),
    ("given = 'x'", "w.toml given: 'x'; must be a table { name = value, ... }"),
    ("discription = 'x'", "w.toml: unknown key 'discription'; there is no such key here; did you mean 'description'?"),
    ("name = 'v'", "w.toml name: 'v'; a what-if is called as its file: 'w'; leave the name out, or rename the file"),
    ("x = [", "w.toml: cannot be read; Invalid value (at end of document); correct it there"),
    ("x = 2027-02-30", "w.toml: cannot be read; Invalid date or datetime (at line 1, column 5); correct it there"),
    ("x = " + "[" * 5000, "w.toml: cannot be read; it is nested too deeply; correct it there"),
    ("[[edit]]\ndrop = true", "w.toml edit 1: no table; it is required; add table = ..."),
    (EDIT, "w.toml edit 1: nothing to do; an edit has exactly one of set, scale, add, shift_months, insert, drop"),
    (
        EDIT + "set = 1\nscale = 2",
        ("w.toml edit 1: set and scale; an edit has exactly one of set, scale, add, shift_months, insert, drop"),
    ),
    (EDIT + "scael = 2", "w.toml edit 1: unknown key 'scael'; an edit has no such key; did you mean 'scale'?"),
    (EDIT + "scale = true", "w.toml edit 1, scale: true; must be a finite number"),
    (EDIT + "scale = nan", "w.toml edit 1, scale: nan; must be a finite number"),
    (EDIT + "add = '2'", "w.toml edit 1, add: '2'; must be a finite number"),
    (EDIT + "add = " + "9" * 400, "w.toml edit 1, add: a huge number; must be a finite number"),
    (EDIT + "set = [1]", "w.toml edit 1, set: a list; must be text, a number, a date, true or false"),
    (EDIT + "set = inf", "w.toml edit 1, set: inf; must be a finite number"),
    (
        EDIT + "set = 2027-01-01T00:00:00",
        ("w.toml edit 1, set: 2027-01-01 00:00:00; must be text, a number, a date, true or false"),
    ),
    (EDIT + "shift_months = 1.5", "w.toml edit 1, shift_months: 1.5; must be a whole number"),
    (EDIT + "set = 1\nfrom = '2027-02-30'", "w.toml edit 1, from: '2027-02-30'; there is no such day"),
    (
        EDIT + "set = 1\nfrom = 2027-01-01T00:00:00",
        ("w.toml edit 1, from: 2027-01-01 00:00:00; must be a date; write it like 2027-01-31"),
    ),
    (EDIT + "set = 1\nuntil = '1 May'", "w.toml edit 1, until: '1 May'; must be a date; write it like 2027-01-31"),
    (
        EDIT + "set = 1\nwhere = { pathway = ['a'] }",
        ("w.toml edit 1, where, pathway: a list; must be text, a number, a date, true or false"),
    ),
    (
        "[[edit]]\ntable = 'demand'\nset = 1",
        ('w.toml edit 1: set without column; must name the column that it changes; add column = "..."'),
    ),
    (EDIT + "drop = true", "w.toml edit 1: drop with column; drop takes no column"),
    ("[[edit]]\ntable = 'demand'\ndrop = false", "w.toml edit 1, drop: false; must be true, or left out"),
    ("[[edit]]\ntable = 'demand'\ndrop = 1", "w.toml edit 1, drop: 1; must be true, or left out"),
    (
        "[[edit]]\ntable = 'demand'\nwhere = {}\nfrom = 2027-01-01\ninsert = { pathway = 'a' }",
        "w.toml edit 1: insert with where and from; insert takes no where and no from",
    ),
]


@pytest.mark.parametrize(("text", "line"), WHATIF_ERRORS)
def test_a_whatif_that_is_wrong_says_so(text: str, line: str) -> None:
    """Each mistake in a what-if file is one line with the place, what stands there and the rule."""
    whatif, problems = read_whatif(text, "w.toml", "w")
    assert whatif is None
    assert [str(problem) for problem in problems] == [line]


def test_a_whatif_may_change_nothing() -> None:
    """A what-if without edits and conditions can be read; to say that it decides nothing is for the check."""
    assert read_whatif('description = "x"', "w.toml", "w") == (WhatIf("w", "x"), [])


@pytest.mark.parametrize("name", ["", " ", "a ", "a/b", "a\\b", "a\nb"])
def test_names_of_whatifs_are_names(name: str) -> None:
    """A what-if's name is never a path, blank or unprintable."""
    whatif, problems = read_whatif("given = { a = 'b' }", "w.toml", name)
    assert whatif is None
    assert len(problems) == 1


TIGHT = 'name = "tight"\n'
FACTOR_ERRORS = [
    ("0.6", "0.5", "factor 1 'market': probabilities 0.5 + 0.4 = 0.9; must sum to 1; correct the probabilities"),
    (
        "0.4",
        "0.400000002",
        ("factor 1 'market': probabilities 0.6 + 0.400000002 = 1.000000002; must sum to 1; correct the probabilities"),
    ),
    (
        "0.6",
        "0",
        (
            "factor 1 'market', outcome 1 'tight', probability: 0; must be more than 0 and at most 1; "
            "leave out an outcome that cannot happen"
        ),
    ),
    (
        "0.6",
        "1.5",
        (
            "factor 1 'market', outcome 1 'tight', probability: 1.5; must be more than 0 and at most 1; "
            "leave out an outcome that cannot happen"
        ),
    ),
    ("0.6", "'0.6'", "factor 1 'market', outcome 1 'tight', probability: '0.6'; must be a finite number"),
    (
        "probability = 0.6\n",
        "",
        ("factor 1 'market', outcome 1 'tight': no probability; it is required; add probability = ..."),
    ),
    (
        "probability = 0.6",
        "p = 1\nprobability = 0.6",
        (
            "factor 1 'market', outcome 1 'tight': unknown key 'p'; "
            "an outcome has no such key; known: name, probability, probability_given, edit"
        ),
    ),
    (
        '"tight"',
        '"glut"',
        ("factor 1 'market': outcome 'glut' stands twice; every outcome has a name of its own; rename one of them"),
    ),
    (
        '"tight"',
        '"a=b"',
        ("factor 1 'market', outcome 1 'a=b', name: 'a=b'; must not hold '=' or ','; --given FACTOR=OUTCOME names it"),
    ),
    ('"market"', '"a,b"', "factor 1 'a,b', name: 'a,b'; must not hold '=' or ','; --given FACTOR=OUTCOME names it"),
    ('"market"', '" "', "factor 1 ' ', name: ' '; a name must not be blank"),
    (
        '"market"',
        '"market "',
        ("factor 1 'market ', name: 'market '; a name must not begin or end with a blank; remove the blank"),
    ),
    ('"market"', "3", "factor 1, name: 3; must be text, in quotes"),
    ('name = "market"', "", "factor 1: no name; it is required; add name = ..."),
    ('"2027-07-01"', "7", "factor 1 'market', revealed: 7; must be a date; write it like 2027-01-31"),
    ('"2027-07-01"', '"2027-07-32"', "factor 1 'market', revealed: '2027-07-32'; there is no such day"),
    (
        '"2027-07-01"\n',
        '"2027-07-01"\n[[factor]]\nname = "none"\nrevealed = 2027-01-01\n',
        "factor 1 'market': no outcome; a factor has at least one outcome; add [[factor.outcome]]",
    ),
    ("[[factor]]", "[factor]", "factor: a table of keys; each factor is written below a line [[factor]]"),
    (
        "[[factor.outcome]]\n" + TIGHT,
        "[[factor.outcomes]]\n" + TIGHT,
        ("factor 1 'market': unknown key 'outcomes'; a factor has no such key; did you mean 'outcome'?"),
    ),
    (
        TIGHT,
        TIGHT + "edit = 'x'\n",
        ("factor 1 'market', outcome 1 'tight', edit: 'x'; each edit is written below a line [[factor.outcome.edit]]"),
    ),
]


@pytest.mark.parametrize(("old", "new", "line"), FACTOR_ERRORS)
def test_a_factor_that_is_wrong_says_so(old: str, new: str, line: str) -> None:
    """Each mistake in uncertainty.toml is told with the factor, the outcome and the rule."""
    assert old in OUTCOMES
    factors, problems = read_factors(OUTCOMES.replace(old, new, 1), "u.toml")
    assert factors == ()
    assert f"u.toml {line}" in [str(problem) for problem in problems]


def test_factors_with_one_name_are_an_error() -> None:
    """Two factors of one name could not be told apart by --given."""
    _, problems = read_factors(OUTCOMES + OUTCOMES, "u.toml")
    assert [p.what for p in problems] == ["factor 'market' stands twice"]


def test_every_problem_of_a_document_is_told() -> None:
    """A planner mends a file once, not once for each mistake."""
    text = OUTCOMES.replace("0.6", "2").replace('"2027-07-01"', "1").replace('"glut"', '"a=b"')
    assert len(read_factors(text, "u.toml")[1]) == 3


def test_probabilities_may_miss_one_by_a_rounding() -> None:
    """Probabilities as decimals sum to 1 within 1e-9, which is enough."""
    assert read_factors(OUTCOMES.replace("0.4", "0.4000000009"), "u.toml")[1] == []


NAMES = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="=,"), min_size=1)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    some=st.lists(edits(), max_size=3),
    description=st.text(st.characters(exclude_categories=["Cs"])),
    names=st.tuples(NAMES, NAMES),
    revealed=st.dates(),
)
def test_whatifs_and_factors_survive_writing(
    some: list[Edit], description: str, names: tuple[str, str], revealed: dt.date
) -> None:
    """What is written reads back as the same factors and what-ifs, whatever text they hold."""
    held = tuple(noted(replace(e, start=None, until=None) if e.operation == "insert" else e) for e in some)
    whatif = WhatIf("w", description, held, {names[0]: names[1]})
    assert read_whatif(whatif_toml(whatif), "w.toml", "w") == (whatif, [])
    factor = Factor(names[0], revealed, (Outcome(names[1], 0.25, held), Outcome(names[1] + "2", 0.75)))
    assert read_factors(factors_toml([factor]), "u.toml") == ((factor,), [])
