"""Edits applied to an instance: what each operation does, and what stays as it was."""

from __future__ import annotations

import pandas as pd
import pytest

from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import apply_edits
from gwplan.language.edits import Edit, edit
from gwplan.problems import InstanceError
from gwplan.storage.toml import read_whatif
from tests.instance.tiny import GLUT, TINY, made, problem_of, rows


def test_set_scale_add_reach_matching_cells_only() -> None:
    """An edit changes the cells it names and no other."""
    edited = TINY.edited(
        "contracts[contract=rent_*].cost_bn_per_gw_year *= 2",
        "contracts[pool=campus].cost_bn_per_gw_year += 0.25",
        "contracts[contract=own].vendor = Meta",
    )
    assert rows(edited, "contracts", "contract", "vendor", "cost_bn_per_gw_year") == [
        ("own", "Meta", 0.75),
        ("rent_a", "", 2.4),
        ("rent_b", "", 2.6),
        ("rent[1]", "", 1.25),
    ]
    untouched = [c for c in TINY.tables["contracts"] if c not in ("vendor", "cost_bn_per_gw_year")]
    pd.testing.assert_frame_equal(edited.tables["contracts"][untouched], TINY.tables["contracts"][untouched])


def test_whole_numbers_stay_whole_when_scaled() -> None:
    """90 days times 1.1 are 99 days: what binary fractions add to a product is nobody's mistake."""
    longer = TINY.edited("pathways[pathway=deals].notice_days *= 1.1")
    assert rows(longer, "pathways", "pathway", "notice_days")[1] == ("deals", 99.0)


def test_scale_and_add_read_a_blank_as_its_default_and_leave_none() -> None:
    """A blank delay is 0 months and grows; a cap of "none" has no number to scale."""
    edited = TINY.edited(
        "contracts.delay_months += 2", "demand.cap_gw *= 2", "demand.cap_gw += 1", "risk.aversion += 0.5"
    )
    assert rows(edited, "contracts", "delay_months") == [(2,), (5,), (2,), (2,)]
    assert rows(edited, "demand", "cap_gw") == [(4,), (3,), (None,), (9,)]
    assert edited.aversion == 0.5


def test_empty_text_clears_a_cell() -> None:
    """A cleared cell means the default again."""
    edited = TINY.edited('demand[pathway=msl].cap_gw = ""', 'contracts.end = ""', 'cancellations.indivisible = ""')
    assert rows(edited, "demand", "cap_gw") == [(None,), (1,), (None,), (None,)]
    assert rows(edited, "contracts", "end") == [(None,)] * 4
    assert rows(edited, "cancellations", "indivisible") == [(False,), (False,)]


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (6, "2027-02-28"),
        (18, "2028-02-29"),
        (1, "2026-09-30"),
        (-2, "2026-06-30"),
        (12, "2027-08-31"),
        (0, "2026-08-31"),
    ],
)
def test_months_are_clamped_to_the_months_end(months: int, expected: str) -> None:
    """The 31st moved to a shorter month is its last day, leap years included."""
    edited = TINY.edited(Edit("deliveries", "shift_months", {"contract": "own"}, "date", months))
    assert rows(edited, "deliveries", "date")[0] == (expected,)


def test_shifts_leave_blank_dates_blank() -> None:
    """A contract without an end gets none by shifting the ends."""
    edited = TINY.edited("contracts.end += 12 months")
    assert rows(edited, "contracts", "end") == [(None,), ("2032-01-01",), ("2033-01-01",), ("2033-01-01",)]


def test_a_flag_is_set() -> None:
    """Both flags reach a flag column, and are matched by value with a blank read as false."""
    edited = TINY.edited("cancellations[indivisible=false].indivisible = true")
    assert rows(edited, "cancellations", "indivisible") == [(True,), (True,)]
    assert str(edited.tables["cancellations"]["indivisible"].dtype) == "boolean"


def test_sections_are_edited_without_brackets() -> None:
    """The calendar, discount rate and risk are tables of one row."""
    edited = TINY.edited("risk.aversion = 0.3", "economics.discount_rate *= 0.5", "calendar.periods = 12")
    assert (edited.aversion, edited.discount_rate, edited.periods) == (0.3, 0.045, 12)


def test_an_inserted_row_has_a_number_of_its_own_and_defaults() -> None:
    """A row that no file holds is numbered below 1, each otherwise; what it does not say is blank."""
    edited = TINY.edited(
        "insert churn[pathway=msl, date=2027-01-01, fraction=1]", "insert locks[pathway=ads, from=2027-01-01]"
    )
    assert edited.tables["churn"].index.tolist() == [2, 3, -1]
    assert rows(edited, "churn", "pathway", "date", "fraction", "note")[-1] == ("msl", "2027-01-01", 1, "")
    assert rows(edited, "locks", "pathway", "pool", "min_gw", "max_gw")[-1] == ("ads", "", 0, None)
    for name in ("churn", "locks"):
        assert edited.tables[name].dtypes.equals(TINY.tables[name].dtypes)
    again = edited.edited("insert churn[pathway=ads, date=2027-01-01, fraction=1]", "drop churn[row=-1]")
    assert again.tables["churn"].index.tolist() == [2, 3, -2]


def test_a_name_that_stands_for_itself_reaches_no_other_row() -> None:
    """A contract's name that is a pattern, or the escaped spelling of one, is never taken for one: `==` and `Name`."""
    named = 'insert contracts[contract="rent*", pool=cloud]', 'insert contracts[contract="rent[*]", pool=cloud]'
    base = TINY.edited(*named)
    for pattern, reached in (('="rent*"', 5), ('=="rent*"', 1), ('=="rent[*]"', 1)):
        left = base.edited(f"drop contracts[contract{pattern}]").tables["contracts"]
        assert len(base.tables["contracts"]) - len(left) == reached
    with pytest.raises(InstanceError, match="no row of deliveries has contract 'rent"):
        base.edited('deliveries[contract=="rent*"].gw *= 2')
    with pytest.raises(InstanceError, match="no row 99 in deliveries"):
        base.edited("drop deliveries[row=99]")


def test_an_insert_may_rely_on_an_earlier_one() -> None:
    """Edits apply in the order given, so a new pathway can be given a pool, demand and value."""
    inserts = (
        "insert pathways[pathway=lease]",
        "insert eligibility[pathway=lease, pool=cloud]",
        "insert value[pathway=lease, from=2026-07-01, tier=1, value_bn_per_gw_year=1.2]",
    )
    edited = TINY.edited(*inserts)
    assert rows(edited, "value", "pathway", "value_bn_per_gw_year")[-1] == ("lease", 1.2)
    with pytest.raises(InstanceError, match="no such pathway"):
        TINY.edited(*inserts[1:], inserts[0])


def test_edits_see_what_earlier_ones_left() -> None:
    """Order decides: adding before scaling is not scaling before adding."""
    add, scale = "demand[pathway=msl].target_gw += 1", "demand[pathway=msl].target_gw *= 2"
    assert rows(TINY.edited(add, scale), "demand", "target_gw")[0] == (4,)
    assert rows(TINY.edited(scale, add), "demand", "target_gw")[0] == (3,)


def test_an_insert_into_a_missing_table_makes_it_present() -> None:
    """A table that the folder lacks exists once an edit has put a row into it."""
    edited = made(churn="").edited("insert churn[pathway=deals, date=2027-01-01, fraction=1]")
    assert "churn" in edited.present


def test_globs_are_case_sensitive_and_exact_names_with_marks_match() -> None:
    """A contract called rent[1] is matched by its own name, and a capital letter makes a different name."""
    edited = TINY.edited(
        'contracts[contract="rent[1]"].cost_bn_per_gw_year = 9', 'contracts[contract="rent_[ab]"].end = ""'
    )
    assert rows(edited, "contracts", "cost_bn_per_gw_year", "end") == [
        (0.5, None),
        (1.2, None),
        (1.3, None),
        (9, "2032-01-01"),
    ]
    assert "did you mean 'own'?" in problem_of(lambda: TINY.edited("contracts[contract=OWN].end = 2030-01-01"))


def test_numbers_dates_and_blanks_match_by_value() -> None:
    """Numbers and dates are compared as such, a blank as its default, "" with what is blank."""
    edited = TINY.edited(
        "value[tier=1.0, from=2026-10-01].width_gw = 5",
        'value[width_gw=""].width_gw = 7',
        "contracts[delay_months=0].delay_months = 1",
        'contracts[end=""].end = 2040-01-01',
        Edit("deliveries", "set", {"date": "2026-07-01"}, "gw", 1.5),
    )
    assert rows(edited, "value", "width_gw") == [(1,), (7,), (5,), (0.4,), (0.6,), (0.2,), (0.4,), (2,)]
    assert rows(edited, "contracts", "delay_months") == [(1,), (3,), (1,), (1,)]
    assert rows(edited, "contracts", "end")[0] == ("2040-01-01",)
    assert rows(edited, "deliveries", "gw")[2] == (1.5,)


def test_annotations_select_and_are_edited() -> None:
    """Grades of sources can be used to pick rows, such as everything that is reported."""
    edited = TINY.edited("deliveries[status=reported].gw *= 2", "deliveries[status=reported].status = scenario")
    assert rows(edited, "deliveries", "gw", "status")[:2] == [(1, "scenario"), (0.5, "")]


def test_missing_eligibility_becomes_every_pair_when_edited() -> None:
    """A missing table means every pair, so an edit of one pair leaves the others allowed."""
    edited = made(eligibility="").edited("eligibility[pathway=ads, pool=cloud].effectiveness = 0.5")
    assert "eligibility" in edited.present
    pairs = {(p, q): e for p, q, e in rows(edited, "eligibility", "pathway", "pool", "effectiveness")}
    assert len(pairs) == 6
    assert pairs.pop(("ads", "cloud")) == 0.5
    assert set(pairs.values()) == {1}
    dropped = made(eligibility="").edited("drop eligibility[pool=cloud]")
    assert rows(dropped, "eligibility", "pool") == [("campus",)] * 3


def test_inserting_a_pair_where_every_pair_is_allowed_is_an_error() -> None:
    """Otherwise one inserted pair would either forbid all others or change nothing."""
    line = problem_of(lambda: made(eligibility="").edited("insert eligibility[pathway=ads, pool=cloud]"))
    assert "without an eligibility table every pair is allowed already" in line


@pytest.mark.parametrize(
    "change",
    [
        "demand[pathway=msl].target_gw *= 2 @ 2027-01-01",
        "deliveries.date += 6 months",
        "contracts.vendor = x",
        "cancellations.indivisible = true",
        "insert churn[pathway=deals, date=2028-01-01, fraction=1]",
        "drop pools[pool=cloud]",
        "risk.aversion = 0.5",
        "uncertainty[factor=market, outcome=glut].probability = 0.5",
    ],
)
def test_the_instance_edited_does_not_change(change: str) -> None:
    """Instances are immutable: frames of the original stay, dtypes too, and untouched tables are shared."""
    original = made()
    copies = {name: frame.copy(deep=True) for name, frame in original.tables.items()}
    edited = original.edited(change)
    for name, frame in copies.items():
        pd.testing.assert_frame_equal(original.tables[name], frame)
        assert edited.tables[name].dtypes.equals(frame.dtypes)
    if not change.startswith("drop"):
        touched = edit(change).table
        assert all(edited.tables[name] is original.tables[name] for name in TABLES if name != touched)
    assert edited != original
    assert original == made()


def test_applied_edits_are_noted_for_whatifs_only() -> None:
    """The manifest names what a user asked for, not what the outcomes do."""
    change = edit("  demand.target_gw*=2")
    assert apply_edits(TINY, [change]).applied == ("demand.target_gw *= 2",)
    assert apply_edits(TINY, [change], note=False).applied == ()
    assert apply_edits(TINY, []) is TINY


@pytest.mark.parametrize(
    "change",
    ["risk.aversion = 0.5", "economics.discount_rate = 0", "calendar.periods = 3", f"{GLUT}.probability = 0.5"],
)
def test_outcomes_do_not_reach_what_all_futures_share(change: str) -> None:
    """An outcome cannot change the calendar, the weighing of money and risk, or probabilities."""
    line = problem_of(lambda: apply_edits(TINY, [edit(change)], inside_outcome=True))
    assert "the same in every future" in line


@pytest.mark.parametrize(
    ("toml", "spelt"),
    [
        (
            'table = "value"\nwhere = { pathway = "deals" }\ncolumn = "width_gw"\nscale = 0.8\nfrom = 2027-01-01',
            "value[pathway=deals].width_gw *= 0.8 @ 2027-01-01",
        ),
        ('table = "calendar"\ncolumn = "start"\nset = "2027-01-01"', "calendar.start = 2027-01-01"),
        (
            'table = "churn"\ninsert = { pathway = "deals", date = "2027-06-01", fraction = 1 }',
            "insert churn[pathway=deals, date=2027-06-01, fraction=1.0]",
        ),
        ('table = "contracts"\nwhere = { contract = "rent_b" }\ndrop = true', "drop contracts[contract=rent_b]"),
    ],
)
def test_both_spellings_give_equal_instances(toml: str, spelt: str) -> None:
    """A what-if file and --set lead to the same data, whichever way dates and numbers are written."""
    whatif, problems = read_whatif(f"[[edit]]\n{toml}", "w.toml", "w")
    assert whatif is not None
    assert not problems
    assert apply_edits(TINY, whatif.edits) == TINY.edited(spelt)
