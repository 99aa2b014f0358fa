"""Quantities of claims: arithmetic as everyone does it, cells as the tables have them, errors where they are."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwplan.instance.instance import Instance
from gwplan.instance.quantity_values import Evaluator, needs_plan, not_found
from gwplan.language.quantities import DEEPEST, FIGURES, MOST, parse
from gwplan.problems import InstanceError
from gwplan.storage.read import load

META = load(Path(__file__).parents[2] / "instances" / "meta-2026h1")


def value(text: str, instance: Instance = META) -> float:
    """Return the value of a quantity of the reference instance, of a plan whose figures are their names' lengths."""
    figures = {name: {"": float(len(name))} if not key else {"a": 1.0, "ab": 2.0} for name, key in FIGURES.items()}
    return Evaluator(instance, "x", figures.__getitem__).value(parse(text, "x"))


def message(text: str, instance: Instance = META) -> str:
    """Return what is said of a quantity that cannot be read or evaluated."""
    with pytest.raises(InstanceError) as caught:
        Evaluator(instance, "claim c", lambda name: {"a": 1.0}).value(parse(text, "claim c"))
    (problem,) = caught.value.problems
    return str(problem)


numbers = st.integers(0, 400).map(lambda n: (str(n / 8), n / 8))


def _joined(parts: tuple[tuple[str, float], str, tuple[str, float]]) -> tuple[str, float]:
    (left, a), operator, (right, b) = parts
    results = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else math.nan}
    return f"({left} {operator} {right})", results[operator]


trees = st.recursive(
    numbers, lambda below: st.tuples(below, st.sampled_from("+-*/"), below).map(_joined), max_leaves=12
)


@given(trees)
def test_parentheses_say_what_comes_first(tree: tuple[str, float]) -> None:
    """A quantity in full parentheses is worth what its parts are, blanks or none."""
    text, wanted = tree
    if math.isfinite(wanted):
        assert value(text) == pytest.approx(wanted)
        assert value(text.replace(" ", "")) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7),
        ("10 - 2 - 3", 5),
        ("12 / 3 / 2", 2),
        ("2 * 3 + 4 * 5", 26),
        ("-2 * 3", -6),
        ("4 - -2", 6),
        ("1.5e2", 150),
        (".5", 0.5),
        ("((((7))))", 7),
    ],
)
def test_operators_bind_as_in_school(text: str, wanted: float) -> None:
    """Products before sums, from left to right."""
    assert value(text) == wanted


def test_cells_are_those_of_the_tables() -> None:
    """Conditions, globs, ranges, other tables' columns and products agree with the same done in pandas."""
    contracts, deliveries = META.filled("contracts").set_index("contract"), META.filled("deliveries")
    joined = deliveries.join(contracts[["signed", "kind", "cost_bn_per_gw_year"]], on="contract")
    assert value("contracts[contract=nebius_2025].face_value_bn") == contracts.loc["nebius_2025", "face_value_bn"]
    own = deliveries[deliveries["contract"].str.startswith("own_")]
    assert value("sum(deliveries[contract=own_*].gw)") == pytest.approx(own["gw"].sum())
    dated = deliveries[(deliveries["date"] >= "2027-01-01") & (deliveries["date"] < "2027-07-01")]
    assert value("sum(deliveries[date=2027-01-01..2027-07-01].gw)") == pytest.approx(dated["gw"].sum())
    assert value("sum(deliveries[date=2027-01-01..].gw) + sum(deliveries[date=..2027-01-01].gw)") == pytest.approx(
        deliveries["gw"].sum()
    )
    signed = joined[(joined["signed"] >= "2026-01-01") & (joined["kind"] == "cloud")]
    text = "sum(deliveries[contract.signed=2026-01-01.., contract.kind=cloud].gw * contract.cost_bn_per_gw_year)"
    assert value(text) == pytest.approx((signed["gw"] * signed["cost_bn_per_gw_year"]).sum())
    assert value("count(contracts[cost_bn_per_gw_year=0.5..1])") == 6
    assert value("count(contracts)") == len(contracts)
    assert value("contracts[contract=nebius_2025].delay_months") == 0, "a blank is its default"
    assert value("economics.discount_rate + calendar.periods") == 42.09


def test_figures_are_those_of_the_plan() -> None:
    """A plan's figure is taken by name, and by pathway or component where it has several."""
    assert value("plan.npv_bn / 2") == 3
    assert value("plan.expected_gw_years[pathway=ab]") == 2
    assert value("sum(plan.value_bn)") == value("sum(plan.components_bn[component=a*])") == 3
    assert needs_plan(parse("1 + sum(plan.value_bn)", "x")) and not needs_plan(parse("1 + count(pools)", "x"))


def test_statuses_of_the_rows_read_are_noted() -> None:
    """A figure knows how sure the rows are that it was read from, those of the other table too."""
    reading = Evaluator(META, "x")
    reading.value(parse("sum(deliveries[contract=nebius_dedicated].gw * contract.cost_bn_per_gw_year)", "x"))
    assert reading.statuses == {"assumption", "reported"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the end at character 1; expected a number, '(', a table, sum, count or plan"),
        ("1 +", "the end at character 4; expected a number"),
        ("(1 + 2", "the end at character 7; expected ')' or an operator"),
        ("1 2", "'2' at character 3; expected an operator or the end"),
        ("2 ** 3", "'* 3' at character 4; expected a number"),
        ("1e999", "'1e999' at character 1; expected a number that a computer can hold"),
        ("__import__('os').getcwd()", "'__import__' at character 1; there is no such table"),
        ("sum(deliverys.gw)", "'deliverys' at character 5; there is no such table; did you mean 'deliveries'?"),
        (
            "deliveries.gv",
            "'gv' at character 12; deliveries has no such column; known: contract, date, gw, after_days, term_months",
        ),
        ("contracts[vendr=x].end", "'vendr' at character 11; contracts has no such column; did you mean 'vendor'?"),
        ("sum(deliveries[contract.kinds=x].gw)", "'kinds' at character 25; contracts has no such column"),
        ("contracts[contract=x].end", "'end' at character 23; it does not hold numbers"),
        ("count(deliveries[date=soon])", "'soon])' at character 23; expected a date YYYY-MM-DD"),
        ("count(deliveries[date=2027-02-30])", "'2027-02-30])' at character 23; expected a date that exists"),
        ("count(deliveries[date=2027-01-01..x])", "'x])' at character 35; expected a date YYYY-MM-DD"),
        ("count(deliveries[gw=much])", "'much])' at character 21; expected a number"),
        ("plan.npv", "'npv' at character 6; the plan has no such figure; did you mean 'npv_bn'?"),
        ("plan.value_bn", "the end at character 14; expected '[pathway=...]' after plan.value_bn"),
        ("sum(plan.npv_bn)", "'npv_bn' at character 10; there is nothing to sum; write plan.npv_bn"),
        ("plan.value_bn[pathway=b]", "'b' at character 1; plan.value_bn has no such entry; known: a"),
        ("1 / (2 - 2)", "a division by zero at character 3; the divisor comes to 0"),
        ("1e300 * 1e300", "a result beyond all numbers at character 7"),
        ("1 + contracts[vendor=Nebius].cost_bn_per_gw_year", "3 rows of contracts at character 5; a cell is one row's"),
        ("sum(deliveries[contract=nebus*].gw)", "no row of deliveries with contract 'nebus*' at character 1"),
        ("count(contracts[vendor=Nebius, kind=colocation])", "no row of contracts meets all conditions at character 1"),
        ("contracts[contract=colo_2024].face_value_bn", "face_value_bn of contracts row 2 at character 1; it is blank"),
        ("(" * (DEEPEST + 1) + "1", f"at most {DEEPEST} parentheses and signs within each other"),
        ("1" + "+1" * (MOST + 1), f"at most {MOST} operators"),
    ],
)
def test_errors_name_the_claim_and_the_place(text: str, said: str) -> None:
    """Whatever is wrong is told in one line, with the claim and the character."""
    told = message(text)
    assert told.startswith("claim c: ")
    assert said in told


def test_long_quantities_are_evaluated() -> None:
    """As many operators as are allowed neither overflow the stack nor lose a term."""
    assert value("1" + "+1" * MOST) == MOST + 1
    assert value("-" * (DEEPEST - 1) + "(1)") == -1


def test_a_blank_name_reaches_no_row_of_the_other_table() -> None:
    """A lock on a pathway's sum names no pool, and meets no condition on one."""
    locked = META.edited(
        "insert locks[pathway=ads, from=2027-01-01, min_gw=0.1]",
        "insert locks[pathway=msl, pool=regional_cloud, from=2027-01-01, min_gw=0.2]",
    )
    assert value("sum(locks[pool.pool=*cloud].min_gw)", locked) == 0.2
    assert "blank" in message("sum(locks.pool.idle_penalty_bn_per_gw_year)", locked)


def test_tables_of_an_edited_instance_are_read() -> None:
    """A quantity sees what edits did, inserted rows included."""
    edited = META.edited(
        "contracts.cost_bn_per_gw_year *= 10", "insert deliveries[contract=google_2025, date=2027-01-01, gw=1]"
    )
    assert value("contracts[contract=google_2025].cost_bn_per_gw_year", edited) == 12
    assert value("sum(deliveries[contract=google_2025].gw)", edited) == pytest.approx(1.15)
    assert value("count(claims)", replace(META)) == len(META.tables["claims"])


def test_claims_that_cannot_be_judged_are_warned_of() -> None:
    """A quantity that finds no row or a blank is told with its claim, a plan's figure and a sound one are not."""
    insert = 'insert claims[claim={}, statement=x, quantity="{}", reported=1, unit=GW]'
    edited = META.edited(
        insert.format("gone", "1 + sum(contracts[contract=rant].face_value_bn)"),
        insert.format("blank", "contracts[contract=colo_2024].face_value_bn / plan.npv_bn"),
        insert.format("fine", "plan.npv_bn / 0"),
    )
    assert not_found(META) == []
    gone, blank = not_found(edited)
    assert str(gone).startswith(
        "claims.csv inserted row, quantity of claim gone: no row of contracts with contract 'rant'"
    )
    assert "claim blank: face_value_bn of contracts row 2 at character 1; it is blank" in str(blank)
    assert {gone.severity, blank.severity} == {"warning"}
