"""The rules of the catalogue for single cells, and their messages."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gwplan.catalogue.tables import TABLES, allowed_columns
from gwplan.instance import cells
from gwplan.instance.cells import check_cells, empty, frame_of, name_fault, shown
from tests.instance.folders import OFFERED, errors, written
from tests.instance.messages import GOLDEN, Case, cases, kept, messages
from tests.instance.typed import to_typed

KEPT = kept()
DTYPES = {"text": "object", "number": "float64", "integer": "float64", "date": "datetime64[s]", "flag": "boolean"}


def test_the_choices_are_listed_once() -> None:
    """A value that resembles none of the few that are allowed is answered with their list, not with two."""
    _, (problem,) = to_typed(TABLES["calendar"], pd.DataFrame({"resolution": ["fortnight"]}, index=[1]))
    assert str(problem).endswith("'fortnight'; must be one of: month, quarter, year")


@pytest.mark.parametrize("case", cases(), ids=lambda case: " ".join(case[:2]))
def test_each_rule_of_each_column_has_its_message(case: Case, tmp_path: Path) -> None:
    """Every column x rule of the catalogue is refused, in exactly the one line that was read and found good."""
    assert case in KEPT, (
        f"no message kept in {GOLDEN.name}: run python -m tests.instance.messages and read what it wrote"
    )
    assert messages(case, tmp_path / "x") == KEPT[case]
    assert len(KEPT[case]) == 1


def test_no_message_is_kept_of_a_rule_that_is_gone() -> None:
    """The kept messages are those of the catalogue as it is."""
    assert set(KEPT) == set(cases())


def test_the_small_instance_itself_loads(tmp_path: Path) -> None:
    """What the cases say is due to the one broken cell."""
    assert errors(written(tmp_path / "x")) == []
    assert errors(written(tmp_path / "y", OFFERED)) == []
    assert {table.file for table in TABLES.values()} == set(OFFERED)


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_has_the_catalogues_columns_and_dtypes(name: str) -> None:
    """Absent tables look like present ones to whatever reads them."""
    frame = empty(TABLES[name])
    assert len(frame) == 0
    assert {c: str(t) for c, t in frame.dtypes.items()} == {
        c.name: DTYPES[c.kind] for c in allowed_columns(TABLES[name])
    }


def test_emptying_one_table_does_not_touch_the_next() -> None:
    """Two empty tables share nothing that can be changed."""
    one = empty(TABLES["pools"])
    one["pool"] = pd.Series([], dtype="float64")
    one.insert(0, "more", 0.0)
    assert "more" not in empty(TABLES["pools"]) and str(empty(TABLES["pools"])["pool"].dtype) == "object"


def test_cells_become_values_and_blanks_stay_blank() -> None:
    """Text, numbers, dates and flags are read as written; a blank is no value; columns that are absent are blank."""
    raw = pd.DataFrame(
        {
            "opens": ["2027-01-01", " 2027-02-28 "],
            "contract": ["=cmd|x", "ü"],
            "closes": ["2028-01-01", "9999-12-31"],
            "notice_days": ["90", ""],
            "fee_bn_per_gw": [" 1e-3", "+.5"],
            "indivisible": ["TRUE", ""],
            "note": ["  kept ", ""],
        },
        index=[2, 5],
        dtype=object,
    )
    frame, problems = to_typed(TABLES["cancellations"], raw)
    assert problems == []
    assert list(frame.columns) == [column.name for column in allowed_columns(TABLES["cancellations"])]
    assert frame.index.tolist() == [2, 5]
    assert frame["contract"].tolist() == ["=cmd|x", "ü"]
    assert [d.date() for d in frame["opens"]] == [dt.date(2027, 1, 1), dt.date(2027, 2, 28)]
    assert frame["closes"].to_numpy()[1] == np.datetime64("9999-12-31", "s")
    assert frame["notice_days"][2] == 90 and np.isnan(frame["notice_days"][5])
    assert frame["fee_bn_per_gw"].tolist() == [0.001, 0.5]
    assert frame["max_share"].isna().all()
    assert frame["indivisible"][2] is np.True_ and frame["indivisible"].isna().tolist() == [False, True]
    assert frame["note"].tolist() == ["  kept ", ""] and frame["source"].tolist() == ["", ""]


@pytest.mark.parametrize(
    "cell", ["1,5", "1_000", "0x10", "\u0663", "--1", "1e", "1 000", "GW", "1.5 GW", "1d5", "true"]
)
def test_what_only_looks_like_a_number_is_refused(cell: str) -> None:
    """No cell is read as a number that a planner would read as another one, or as none."""
    frame, problems = to_typed(TABLES["deliveries"], _delivery(gw=cell))
    assert [str(p) for p in problems] == [
        f"deliveries.csv row 2, gw: '{cell}'; must be a number (GW); "
        "write digits and a decimal point, such as 1.5, without unit or thousands separator"
    ]
    assert np.isnan(frame["gw"].iloc[0])


@pytest.mark.parametrize(
    "cell", ["20270131", "2027-W05-1", "2027-1-31", "31/01/2027", "2027-01-31T00:00:00", "2027-01", "\u0662027-01-31"]
)
def test_only_one_spelling_of_dates_is_read(cell: str) -> None:
    """A date means the same day to everyone."""
    _, problems = to_typed(TABLES["deliveries"], _delivery(date=cell))
    assert [(p.what, p.rule) for p in problems] == [(f"'{cell}'", "must be a date as year-month-day")]


def test_every_faulty_cell_is_told_row_by_row() -> None:
    """Nothing hides behind the first problem."""
    raw = pd.DataFrame(
        {"contract": ["", "x"], "date": ["never", "2027-02-29"], "gw": ["-1", "nan"], "status": ["", "sure"]},
        index=[2, 3],
        dtype=object,
    )
    _, problems = to_typed(TABLES["deliveries"], raw)
    assert [p.where for p in problems] == [
        "deliveries.csv row 2, contract",
        "deliveries.csv row 2, date",
        "deliveries.csv row 2, gw",
        "deliveries.csv row 3, date",
        "deliveries.csv row 3, gw",
        "deliveries.csv row 3, status",
    ]


def test_another_reader_says_where_its_cells_are() -> None:
    """A workbook's cells are located as the workbook has them."""
    _, problems = to_typed(TABLES["deliveries"], _delivery(gw="-1"), lambda row, column: f"deliveries!{column}{row}")
    assert problems[0].where == "deliveries!gw2"


def test_edited_cells_keep_the_same_rules() -> None:
    """A typed table is judged like a written one: ranges, blanks, choices, names, whole numbers."""
    good, _ = to_typed(TABLES["contracts"], _contract())
    bad = good.copy()
    bad["contract"], bad["kind"], bad["cost_bn_per_gw_year"] = " own", "colud", -0.5
    bad["delay_months"], bad["pool"], bad["face_value_bn"] = 1.5, "", np.inf
    bad.index = pd.Index([0])
    assert check_cells(TABLES["contracts"], good) == []
    assert [f"{p.where}: {p.what}; {p.rule}" for p in check_cells(TABLES["contracts"], bad)] == [
        "contracts.csv inserted row, contract: ' own'; a name must not begin or end with a blank",
        "contracts.csv inserted row, kind: 'colud'; must be one of: cloud, colocation, self_build",
        "contracts.csv inserted row, pool: blank; must not be blank",
        "contracts.csv inserted row, cost_bn_per_gw_year: -0.5; must be at least 0",
        "contracts.csv inserted row, delay_months: 1.5; must be a whole number (months)",
        "contracts.csv inserted row, face_value_bn: inf; must be a finite number",
    ]


def test_a_range_holds_exactly_the_values_that_it_says() -> None:
    """Closed ends belong to the range, open ends do not."""
    column = TABLES["risk"]["aversion"]
    for ends, allowed in (("", [0, 1]), ("(", [1]), (")", [0]), ("()", [])):
        table = replace(TABLES["risk"], columns=(replace(column, open_ends=ends),))
        refused = {
            value
            for value in (-1e-12, 0.0, 0.5, 1.0, 1 + 1e-12)
            if check_cells(table, pd.DataFrame({"aversion": [value]}, index=[1]))
        }
        assert refused == {-1e-12, 0.0, 1.0, 1 + 1e-12} - set(allowed)


@pytest.mark.parametrize("name", ["a", "=cmd|x", "a b", "ü", "a,b", '"', "x\u00a0y"])
def test_names_may_be_any_words(name: str) -> None:
    """Text is text, whatever a spreadsheet would make of it."""
    assert name_fault(name) is None


@pytest.mark.parametrize("name", [" a", "a ", "a\nb", "a\x00", "a\x1b[31m", "a\u2028b", "\u00a0a"])
def test_names_that_cannot_be_told_apart_in_print_are_refused(name: str) -> None:
    """A name shows as what it is."""
    assert name_fault(name) is not None


def test_messages_show_values_on_one_short_line() -> None:
    """No cell can break a message, fill a screen or steer a terminal."""
    assert shown("a\nb\x1b[2J") == "'a\\nb\\x1b[2J'"
    assert len(shown("x" * 1000)) == 62
    assert [shown(v) for v in (2.0, 0.1, True, np.datetime64("2027-01-31", "s"))] == ["2", "0.1", "true", "2027-01-31"]


def test_a_row_of_every_kind_keeps_its_dtypes() -> None:
    """Frames made from typed columns look alike, blanks included."""
    frame = frame_of(TABLES["cancellations"], {"contract": np.array(["own"], dtype=object)}, [7])
    assert frame["contract"].tolist() == ["own"] and frame.index.tolist() == [7]
    assert str(frame["indivisible"].dtype) == "boolean" and str(frame["opens"].dtype) == "datetime64[s]"
    assert frame.drop(columns=["contract", "window", "source", "status", "note"]).isna().all(axis=None)
    assert cells.is_name(TABLES["locks"], TABLES["locks"]["pool"])


def _delivery(**cell: str) -> pd.DataFrame:
    row = {"contract": "own", "date": "2027-01-01", "gw": "1", **cell}
    return pd.DataFrame({name: [value] for name, value in row.items()}, index=[2], dtype=object)


def _contract() -> pd.DataFrame:
    return pd.DataFrame({"contract": ["own"], "pool": ["campus"]}, index=[2], dtype=object)
