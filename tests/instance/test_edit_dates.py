"""Edits with dates: step functions are cut, dated rows are selected."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gwplan.instance.instance import Instance, apply_edits
from gwplan.language.edits import Edit, edit
from gwplan.problems import InstanceError
from tests.instance.tiny import TINY, problem_of, rows


def test_a_range_cuts_the_step_on_both_dates() -> None:
    """The row in force is repeated on both dates with its row number, and only what lies between changes."""
    edited = TINY.edited("demand[pathway=msl].target_gw = 9 @ 2027-01-01..2027-10-01")
    assert rows(edited, "demand", "pathway", "from", "target_gw", "cap_gw") == [
        ("msl", "2026-07-01", 1, 1.5),
        ("msl", "2027-01-01", 9, 1.5),
        ("deals", "2026-10-01", 0, 1),
        ("msl", "2027-07-01", 9, None),
        ("msl", "2027-10-01", 2, None),
        ("msl", "2028-01-01", 3, 4),
    ]
    assert edited.tables["demand"].index.tolist() == [2, 2, 3, 4, 4, 5]


def test_all_tiers_in_force_are_repeated() -> None:
    """A cut for one tier repeats the whole row set: a tier left out would otherwise vanish on that date."""
    edited = TINY.edited("value[pathway=deals, tier=1].value_bn_per_gw_year *= 2 @ 2027-01-01..2027-02-01")
    assert rows(edited, "value", "from", "tier", "value_bn_per_gw_year")[2:11] == [
        ("2026-10-01", 1, 4),
        ("2026-10-01", 2, 3),
        ("2026-10-01", 3, 1),
        ("2027-01-01", 1, 8),
        ("2027-01-01", 2, 3),
        ("2027-01-01", 3, 1),
        ("2027-02-01", 1, 4),
        ("2027-02-01", 2, 3),
        ("2027-02-01", 3, 1),
    ]


def test_a_tier_that_is_not_in_force_does_not_cut() -> None:
    """Tier 3 ended in April 2027: from then on there is nothing to change, and nothing is repeated for it."""
    tier_3 = "value[pathway=deals, tier=3].width_gw = 1 @"
    assert "no matching row of value from 2027-05-01" in problem_of(lambda: TINY.edited(f"{tier_3} 2027-05-01"))
    both = TINY.edited("value[tier=2].width_gw = 1 @ 2027-08-01")
    assert "msl" not in [p for p, start in rows(both, "value", "pathway", "from") if start == "2027-08-01"]


def test_an_existing_row_on_the_date_is_not_repeated() -> None:
    """A cut on a date on which the rows begin anyway adds nothing."""
    edited = TINY.edited("demand[pathway=msl].target_gw *= 2 @ 2027-07-01..2028-01-01")
    assert rows(edited, "demand", "target_gw") == [(1,), (0,), (4,), (3,)]


def test_nothing_is_repeated_before_the_first_row() -> None:
    """Before its first row a pathway has no demand, and an edit from that time on does not invent any."""
    edited = TINY.edited("demand[pathway=deals].cap_gw = 2 @ 2026-07-01..2026-12-01")
    assert rows(edited, "demand", "pathway", "from", "cap_gw")[1:3] == [
        ("deals", "2026-10-01", 2),
        ("deals", "2026-12-01", 1),
    ]


def test_copies_inherit_the_match_on_the_from_date() -> None:
    """A row picked by its own from date is changed from the later date on that the edit gives."""
    edited = TINY.edited("demand[pathway=msl, from=2026-07-01].target_gw = 5 @ 2027-01-01")
    assert rows(edited, "demand", "from", "target_gw")[:2] == [("2026-07-01", 1), ("2027-01-01", 5)]


def test_dates_select_deliveries_before_they_move() -> None:
    """Rows are chosen by the date they had, so that a shift into the range does not shift twice or slip out."""
    edited = TINY.edited("deliveries.date += 12 months @ 2026-08-01..2027-02-01")
    assert [date for (date,) in rows(edited, "deliveries", "date")] == [
        "2027-08-31",
        "2027-08-31",
        "2026-07-01",
        "2028-01-31",
        "2028-01-31",
        "2028-01-31",
    ]


def test_dropping_a_tier_from_a_date_on_leaves_the_others() -> None:
    """Before the date the tier stands, afterwards the remaining tiers hold on."""
    edited = TINY.edited("drop value[pathway=deals, tier=1] @ 2027-01-01")
    assert rows(edited, "value", "pathway", "from", "tier")[2:8] == [
        ("deals", "2026-10-01", 1),
        ("deals", "2026-10-01", 2),
        ("deals", "2026-10-01", 3),
        ("deals", "2027-01-01", 2),
        ("deals", "2027-01-01", 3),
        ("deals", "2027-04-01", 2),
    ]


def test_dropping_all_rows_from_a_date_on_is_refused() -> None:
    """Without rows on that date the earlier ones would hold on, the opposite of what was meant."""
    line = problem_of(lambda: TINY.edited("drop value[pathway=deals] @ 2027-01-01"))
    assert "no row of 'deals' would be left on 2027-01-01; its earlier rows would then hold on" in line


DATES = st.dates(dt.date(2026, 4, 1), dt.date(2028, 6, 1))


Cells = list[tuple[object, ...]]


def cells_of(instance: Instance, table: str, column: str) -> Cells:
    """Return pathway, date, tier (where there are tiers) and the column's value."""
    tier = "tier" if table == "value" else "pathway"
    return rows(instance, table, "pathway", "from", tier, column)


def in_force(cells: Cells, date: dt.date) -> dict[tuple[object, ...], object]:
    """Return the value in force on a date by pathway and tier: the meaning of the rows, without any code of edits."""
    begun = [cell for cell in cells if str(cell[1]) <= str(date)]
    latest = {cell[0]: max(str(other[1]) for other in begun if other[0] == cell[0]) for cell in begun}
    return {(cell[0], cell[2]): cell[3] for cell in begun if cell[1] == latest[cell[0]]}


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    table=st.sampled_from(["demand", "value"]),
    pathway=st.sampled_from(["msl", "deals", "*"]),
    tier=st.none() | st.integers(1, 3),
    start=st.none() | DATES,
    until=st.none() | DATES,
    probes=st.lists(DATES, min_size=8, max_size=8),
)
def test_a_scaled_range_means_what_it_says(
    table: str, pathway: str, tier: int | None, start: dt.date | None, until: dt.date | None, probes: list[dt.date]
) -> None:
    """On any date the value in force is scaled exactly where it matches and the date lies in the range."""
    where = {"pathway": pathway} | ({"tier": tier} if tier and table == "value" else {})
    column = "width_gw" if table == "value" else "target_gw"
    scaled = Edit(table, "scale", where, column, 2, start, until)
    probes = [*probes, *(date + dt.timedelta(days=d) for date in (start, until) if date for d in (-1, 0, 1))]
    cells = cells_of(TINY, table, column)
    reached = {}
    for date in probes:
        inside = (start is None or date >= start) and (until is None or date < until)
        reached[date] = {
            key
            for key in in_force(cells, date)
            if inside and pathway in ("*", key[0]) and (table == "demand" or tier in (None, key[1]))
        }
    try:
        edited = cells_of(apply_edits(TINY, [scaled]), table, column)
    except InstanceError:
        assert not any(reached.values())
        return
    for date, keys in reached.items():
        before, after = in_force(cells, date), in_force(edited, date)
        assert after == {key: _twice(cell) if key in keys else cell for key, cell in before.items()}


def _twice(cell: object) -> object:
    return 2 * cell if isinstance(cell, float) else cell


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    start=st.none() | DATES,
    until=st.none() | DATES,
    change=st.sampled_from(["demand.target_gw *= 1", "value.width_gw += 0", "value[tier=1].width_gw *= 1"]),
    probe=DATES,
)
def test_edits_that_do_nothing_change_no_meaning(
    start: dt.date | None, until: dt.date | None, change: str, probe: dt.date
) -> None:
    """Scaling by 1 and adding 0 leave what is in force on every date as it was."""
    assume(start is None or until is None or start < until)
    parsed = replace(edit(change), start=start, until=until)
    try:
        edited = apply_edits(TINY, [parsed])
    except InstanceError:
        assume(False)
    before, after = (cells_of(instance, parsed.table, parsed.column) for instance in (TINY, edited))
    assert in_force(after, probe) == in_force(before, probe)


def test_a_shift_by_nothing_is_the_same_table() -> None:
    """Shifting by 0 months keeps every date, month ends included."""
    pd.testing.assert_frame_equal(
        TINY.edited("deliveries.date += 0 months").tables["deliveries"], TINY.tables["deliveries"]
    )
