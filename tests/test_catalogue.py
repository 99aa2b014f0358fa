"""The catalogues of the product hold all that there is of a kind, and nothing else holds it again."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import gwplan as gw
from gwplan.audit import audit
from gwplan.catalogue import tolerances as catalogue
from gwplan.catalogue.limits import DEMANDS, LIMITS, PRICED, Limit
from gwplan.catalogue.money import MONEY, NOT_CASH, PRICES
from gwplan.catalogue.tables import TABLES
from gwplan.models.data import PlanData
from gwplan.plan.tables import flows
from gwplan.plan.values import values
from gwplan.solver.compile import compiled
from tests.formulation.golden import AVERSIONS, VARIANTS, data, stated

ROOT = Path(__file__).resolve().parents[1]

ACCOUNTS = {
    "service": "what earns is at most what is used",
    "migration": "what a pair gains was moved onto it",
    "commit": "notice once given stays given",
    "signed_stands": "a signature once given stays given",
    "whole": "what is given up or extended was there",
    "in_service": "what is given back has arrived",
    "least_signed": "what an offer asks of who signs it, not of its limits: its shares are terms of the market",
    "taken_least": "as before",
    "taken_most": "as before",
    "served": "no more goes unserved than is due",
    "nearness": "counts what leaves an earlier plan",
    "cumulative_worth": "worth along a path",
    "deficit_met": "what a future is short of the quantile",
    "same_split": "less freedom, of which gwplan uncertainty tells the cost",
    "owned": "less freedom, of which gwplan uncertainty tells the cost",
    "parts_of_one": "less freedom, of which gwplan uncertainty tells the cost",
}
"""Constraints that are no limit of the planner's, and what they do."""


def test_every_limit_of_the_model_has_a_row() -> None:
    """A constraint that the catalogue does not know could bind or be broken, and nobody would say so."""
    constraints = set().union(*(stated(*variant) for variant in VARIANTS)) - set(AVERSIONS)
    assert constraints == set(LIMITS) | set(ACCOUNTS)


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_a_row_names_what_there_is_and_says_all_that_is_asked_of_it(limit: Limit) -> None:
    """A row with a hole would print a blank, or fail only on the day that its limit binds."""
    assert limit.column in {column.name for column in TABLES[limit.table].columns}
    assert not limit.figure or limit.figure in {field.name for field in fields(PlanData)} | {"supply"}
    assert limit.measure in TABLES[limit.table][limit.column].unit or limit.name in ("deals", "term")
    if limit.unit:
        assert limit.relaxed and limit.tightened and (limit.ask or limit.name == "supply")
    if limit.firm:
        assert limit.broken and ((limit.demanded and limit.figure) or limit.name in ("ramp", "deals"))
    assert not limit.broken.format("x").count("{") and not limit.relaxed.format("x").count("{")


def test_places_among_demands_differ_and_marginal_values_keep_their_order() -> None:
    """Which of two conflicts is told must not hang on chance; rows of a table stay where kept runs have them."""
    assert len({limit.firm for limit in DEMANDS.values()}) == len(DEMANDS)
    kept = ("supply", "target", "floor", "cap", "ramp", "lock")
    assert [name for name in dict.fromkeys(limit.name for limit in PRICED.values()) if name in kept] == list(kept)


def test_the_audit_holds_a_plan_against_every_limit_that_can_be_broken() -> None:
    """A finding is excused in a given allocation by the limit that it names, so it must name one that there is."""
    tree = ast.parse((ROOT / "optimizer" / "audit" / "limits.py").read_text(encoding="utf-8"))
    named = {
        keyword.value.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "limit" and isinstance(keyword.value, ast.Constant)
    }
    assert named == {limit.name for limit in LIMITS.values() if limit.broken}


def test_every_part_of_worth_has_a_row() -> None:
    """A part that the catalogue does not know would be summed into worth and told nowhere."""
    told = set()
    for laid_out in (data(0.0), data(0.0, offers=True), data(0.0, terms=True)):
        program = compiled(laid_out)
        made = flows(laid_out, values(program, laid_out, program.column_lower))
        told |= {*made, "terminal"}
        assert [*made, "terminal"] == [part for part in MONEY if part in made or part == "terminal"]
    assert told == set(MONEY)
    assert set(gw.solve(gw.load("instances/tiny-curve")).summary["components_bn"]) <= set(MONEY)


def test_the_audit_has_its_own_word_on_what_is_cash() -> None:
    """The audit shares no list with what it audits; the two must agree."""
    assert audit.NOT_CASH == NOT_CASH


def test_every_part_rests_on_tables_and_every_price_is_one_of_them() -> None:
    """A column in $bn that no part is priced by would be left out of the allowable changes."""
    assert all(name in TABLES for part in MONEY.values() for name in part.rests_on)
    priced = {f"{table}.{column}" for table, columns in PRICES.items() for column in columns}
    money = {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if c.unit.startswith("$bn")}
    assert money - priced == {
        "contracts.face_value_bn",  # a published figure that no part is reckoned from
        "deliveries.credit_bn",  # what is left of a payment of the past
    }
    assert priced <= money


STEPS = {
    "plan/allowable.py": {1e-4: "how far cells are moved"},
    "planning.py": {1e-3: "$bn, a million, below which worth and cash have no sign"},
    "solver/parametric.py": {
        1e-3: "distances tried, and the weight of a light node",
        1e-4: "",
        1e-5: "",
        1e-6: "the last of these, and the first step beyond a breakpoint",
    },
    "studies/breakeven/exact.py": {1e-3: "where programs are compared, and what a cost is measured against"},
    "studies/uncertainty.py": {1e-300: "a divisor that is never 0"},
    "show/text/plan.py": {1e-3: "$bn per GW that are next to nothing, in words", 1e-300: "a divisor that is never 0"},
    "show/page.py": {1e-3: "sizes by which decimals are chosen"},
}
"""Small numbers that are no tolerances, by the file of gwplan that has them, and what they are."""


def test_no_tolerance_stands_outside_the_catalogue() -> None:
    """A tolerance that each file sets for itself is soon set twice, and then a plan is kept here and broken there."""
    found: dict[str, set[float]] = {}
    for folder in ("optimizer", "models"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value <= 1e-3:
                    found.setdefault(path.relative_to(ROOT / folder).as_posix(), set()).add(node.value)
    tolerances = found.pop("catalogue/tolerances.py")
    assert {name: set(values) for name, values in STEPS.items()} == found
    assert {vars(catalogue)[name] for name in vars(catalogue) if name.isupper()} - {5e-3, 1e-2} == tolerances
