"""Edits that are refused, and what is said of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwplan.catalogue.tables import TABLES
from gwplan.instance.cells import check_cells
from gwplan.instance.instance import apply_edits
from gwplan.language.edits import Edit, edit
from gwplan.problems import InstanceError
from tests.instance.test_spelling import edits
from tests.instance.tiny import TINY, dangling, problem_of


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("demands.target_gw = 1", "table 'demands'; no such table to edit; did you mean 'demand'?"),
        ("instance.name = x", "table 'instance'; no such table to edit"),
        ("demand.targt_gw = 1", "column 'targt_gw'; demand has no such column; did you mean 'target_gw'?"),
        ("demand[pathwy=msl].target_gw = 1", "column 'pathwy'; demand has no such column; did you mean 'pathway'?"),
        (
            "demand[pathway=mls].target_gw = 1",
            ("no row of demand has pathway 'mls'; an edit must match at least one row; did you mean 'msl'?"),
        ),
        ("demand[pathway=MSL*].target_gw = 1", "no row of demand has pathway 'MSL*'"),
        ("demand[from=2026-07-02].target_gw = 1", "no row of demand has from 2026-07-02"),
        ("demand[pathway=deals, from=2026-07-01].target_gw = 1", "no row of demand matches pathway and from together"),
        ('demand[from="2026*"].target_gw = 1', "from: '2026*'; from is a date, written YYYY-MM-DD"),
        ("value[tier=x].width_gw = 1", "tier: 'x'; tier takes a finite number"),
        ("value[tier=1.5].width_gw = 1", "tier: 1.5; tier is a whole number"),
        ("cancellations[indivisible=1].notice_days = 1", "indivisible: 1; indivisible is true or false"),
        ("contracts.vendor *= 2", "scale (*=); vendor is a text column: it takes set (=)"),
        (
            "deliveries.date += 6",
            "add (+=, -=); date is a date column: it takes set (=) and shift_months (+= N months)",
        ),
        (
            "deliveries.gw += 6 months",
            ("shift_months (+= N months); gw is a number column: it takes set (=) and scale (*=) and add (+=, -=)"),
        ),
        ("deliveries.gw = x", "gw: 'x'; gw takes a finite number"),
        ("deliveries.gw = 1e999", "gw: inf; gw takes a finite number"),
        ("deliveries.date = 3", "date: 3; date is a date, written YYYY-MM-DD"),
        ("calendar.periods = 1.5", "periods: 1.5; periods is a whole number"),
        ('deliveries.gw = ""', "gw blank; gw is required"),
        ('deliveries.contract = ""', "contract blank; contract is required"),
        ("deliveries.date += 120001 months", "months are a whole number, at most 120000"),
        ("deliveries.date -= 24331 months", "the dates would leave the calendar"),
        (
            "deliveries[contract=own].contract = owm",
            "contract 'owm'; contracts has no such contract; did you mean 'own'?",
        ),
        ("contracts.cost_bn_per_gw_year = 1 @ 2027-01-01", "contracts is undated: an edit of it takes no dates"),
        ("locks.min_gw = 1 @ 2027-01-01", "locks is undated"),
        ("risk.aversion = 0.5 @ 2027-01-01", "risk is undated"),
        ("risk[tail=0.1].aversion = 0.5", "risk is not a list of rows"),
        ("drop risk", "risk is not a list of rows"),
        ("insert risk[tail=0.1]", "risk is not a list of rows"),
        ("demand.target_gw = 1 @ 2027-01-01..2027-01-01", "the range of dates is empty"),
        ("demand.target_gw = 1 @ ..2026-07-01", "no matching row of demand until 2026-07-01"),
        (
            "deliveries.gw = 1 @ 2029-01-01..2030-01-01",
            "no matching row of deliveries from 2029-01-01 until 2030-01-01",
        ),
        ("drop churn @ 2029-01-01", "no matching row of churn from 2029-01-01"),
        ("insert churn[pathway=deals, fraction=1]", "no date; a row of churn must have date"),
        ("insert churn", "no pathway, date, fraction"),
        (
            "insert churn[pathway=deal, date=2027-02-01, fraction=1]",
            "pathways has no such pathway; did you mean 'deals'?",
        ),
        (
            "insert churn[pathway=deals, date=2027-01-01, fraction=1]",
            ("churn would have pathway 'deals', date 2027-01-01 twice (row 2 and an inserted row); a key stands once"),
        ),
        (
            'insert locks[pathway=msl, pool="", from=2027-01-01]',
            "locks would have pathway 'msl', pool '', from 2027-01-01",
        ),
        ("insert churn[pathway=deals, date=2027-02-01, fractn=1]", "did you mean 'fraction'?"),
        ('insert churn[pathway=deals, date=2027-02-01, fraction=""]', "fraction blank; fraction is required"),
        ("insert churn[pathway=deals, date=2027-02-01, fraction=1] @ 2027-01-01", "insert takes the cells of one row"),
        ("churn.date = 2027-01-01", "churn would have pathway 'deals', date 2027-01-01 twice (row 2 and row 3)"),
        ("churn[date=2027-01-01].date += 6 months", "churn would have pathway 'deals', date 2027-07-01 twice"),
        ("value[pathway=deals, tier=1].tier += 1", "value would have pathway 'deals', from 2026-10-01, tier 2 twice"),
        ("demand.target_gw -= 5", "demand.target_gw -= 5: demand.csv row 2, target_gw: -4; must be at least 0"),
        ("churn[date=2027-01-01].fraction *= 11", "churn.csv row 2, fraction: 1.1; must be at least 0 and at most 1"),
        (
            "contracts[contract=rent_a].delay_months *= 0.5",
            "contracts.csv row 3, delay_months: 1.5; must be a whole number",
        ),
        ("insert churn[pathway=deals, date=2027-02-01, fraction=2]", "churn.csv inserted row, fraction: 2; must be"),
        ("risk.aversion = 1", "instance.toml [risk] aversion: 1; must be at least 0 and less than 1"),
        ("contracts[contract=own].kind = clod", "contracts.csv row 2, kind: 'clod'; must be one of"),
        ('pools[pool=cloud].pool = " a"', "a name must not begin or end with a blank"),
    ],
)
def test_wrong_edits_say_what_is_wrong(change: str, told: str) -> None:
    """An edit that names nothing or breaks a rule is refused in one line that starts with the edit itself."""
    with pytest.raises(InstanceError) as caught:
        TINY.edited(change)
    lines = [str(problem) for problem in caught.value.problems]
    assert all(line.startswith(f"edit {edit(change).text}: ") for line in lines)
    assert any(told in line for line in lines), lines


def test_hand_made_edits_are_checked_like_parsed_ones() -> None:
    """Python callers get the same errors as files and the command line."""
    wrong = [
        Edit("deliveries", "scale", {}, "gw", True),
        Edit("deliveries", "scale", {}, "gw", 10**400),
        Edit("deliveries", "shift_months", {}, "date", 1.5),
        Edit("deliveries", "set", {}, "date", dt.datetime(2027, 1, 1)),
        Edit("deliveries", "set", {}, "date", "2027-02-30"),
        Edit("deliveries", "drop", {"contract": "own"}, "gw"),
        Edit("demand", "set", {"pathway": 3}, "target_gw", 1),
        Edit("contracts", "set", {}, "vendor", 3),
        Edit("cancellations", "set", {}, "indivisible", "true"),
        Edit("uncertainty", "set", {"factor": 3}, "probability", 0.5),
        Edit("demand", "sett", {}, "target_gw", 1),  # type: ignore[arg-type]
    ]
    for each in wrong:
        problem_of(lambda each=each: apply_edits(TINY, [each]))  # type: ignore[misc]


def test_every_problem_of_a_list_is_told() -> None:
    """A planner mends a what-if once: problems of all its edits are collected, then raised."""
    with pytest.raises(InstanceError) as caught:
        TINY.edited("demand[pathway=x].cap_gw = 1", "risk.aversion = 2", "churn.fraction *= 9", "pool.x = 1")
    told = [p.what for p in caught.value.problems]
    assert told == ["no row of demand has pathway 'x'", "table 'pool'", "2", "1.8"]


def test_a_rename_must_reach_every_row_that_names_it() -> None:
    """A renamed pool whose contracts still carry the old name is an error, unless later edits rename them too."""
    rename = ["pools[pool=cloud].pool = sky"]
    with pytest.raises(InstanceError) as caught:
        TINY.edited(*rename)
    assert [p.what for p in caught.value.problems] == [
        f"'cloud' is no longer in pools, but {table} still names it" for table in ("contracts", "eligibility")
    ]
    rename += [f"{table}[pool=cloud].pool = sky" for table in ("contracts", "eligibility")]
    assert dangling(TINY.edited(*rename)) == []


@settings(max_examples=400, deadline=None, derandomize=True)
@given(any_edit=edits(), everywhere=st.booleans())
def test_any_edit_is_applied_or_refused(any_edit: Edit, everywhere: bool) -> None:
    """No edit, however odd, gives a traceback; what it leaves keeps types, rules, keys and references."""
    reach_all = everywhere and any_edit.operation != "insert"
    odd = replace(any_edit, where={}, start=None, until=None) if reach_all else any_edit
    try:
        edited = apply_edits(TINY, [odd])
    except InstanceError as error:
        assert error.problems
        return
    assert dangling(edited) == []
    for name, frame in edited.tables.items():
        assert frame.dtypes.equals(TINY.tables[name].dtypes)
        assert check_cells(TABLES[name], frame) == []
        assert not TABLES[name].key or not frame.duplicated(subset=list(TABLES[name].key)).any()
