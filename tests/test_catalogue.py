"""The catalogues of the product hold all that there is of a kind, and nothing else holds it again."""

from __future__ import annotations

import optimizer as gw
from optimizer.audit import audit
from optimizer.catalogue.money import MONEY, NOT_CASH, PRICES
from optimizer.catalogue.tables import TABLES
from optimizer.plan.tables import flows
from optimizer.plan.values import values
from optimizer.solver.compile import compiled
from tests.formulation.golden import data


def test_every_part_of_worth_has_a_row() -> None:
    """A part that the catalogue does not know would be summed into worth and told nowhere."""
    near = data(0.0)
    program = compiled(near)
    made = flows(near, values(program, near, program.column_lower))
    assert [*made, "terminal"] == list(MONEY)
    assert set(gw.solve(gw.load("instances/tiny-curve")).summary["components_bn"]) <= set(MONEY)


def test_the_audit_has_its_own_word_on_what_is_cash() -> None:
    """The audit shares no list with what it audits; the two must agree."""
    assert audit.NOT_CASH == NOT_CASH


def test_every_part_rests_on_tables_and_every_price_is_one_of_them() -> None:
    """A column in $bn that no part is priced by would be left out of the allowable changes."""
    assert all(name in TABLES for part in MONEY.values() for name in part.rests_on)
    priced = {f"{table}.{column}" for table, columns in PRICES.items() for column in columns}
    money = {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if c.unit.startswith("$bn")}
    assert money - priced == {"contracts.face_value_bn"}, "a published figure that no part is reckoned from"
    assert priced <= money
