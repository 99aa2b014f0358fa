"""What to pay for an offer: hand examples, and prices against re-solves that hold nothing but the tables."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.studies.price import Clause
from tests.generate import random_instance
from tests.oracle.hand_examples import EXAMPLES, Example

SEEDS = range(int(os.environ.get("GWPLAN_RANDOM_CASES", "3")))
"""Random instances with offers; ``GWPLAN_RANDOM_CASES=30`` asks for more than the tests have time for."""

WORTH_THEIR_PRICE = replace(EXAMPLES["waits"], terminal_value="1", contracts="own,buy,,0, new,buy,2031-01-01,2,")
"""The same offer, three years longer: 2028 is worth 1.5, 2029 and 2030 are worth 1."""


def priced(example: Example, folder: Path) -> gw.OfferPrice:
    """Return what is to pay for the one offer of an example."""
    return gw.price(gw.load(example.write(folder)), next(iter(example.signed)))


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        ("waits", [("2027-01-01", "", 1.5)]),
        # In 2028 it is known: nothing for a GW that nobody needs, 3 for the other.
        ("signs when it knows", [("2027-01-01", "", 1.5), ("2028-01-01", "f=same", 0), ("2028-01-01", "f=more", 3)]),
        # 0.5 * (3 - p) - 0.5 * 0.3 = 0.
        ("signs with a way out", [("2027-01-01", "", 2.7)]),
        # One year at 3, nine at 1.
        ("ten years", [("2027-01-01", "", 1.2)]),
        ("extends", [("2027-01-01", "", 2.0)]),
        # Two years at 3, in 2028 one of them after the plan at 0.
        ("from a later signature", [("2027-01-01", "", 3.0), ("2028-01-01", "", 1.5)]),
        # The least to take: what own use earns, and half of a year's credit of 6 on two years.
        ("customer", [("2027-01-01", "", 1.0)]),
        ("customer who must not wait", [("2027-01-01", "", 2.25)]),
    ],
)
def test_prices_are_what_was_worked_out(name: str, prices: list[tuple[str, str, float]], tmp_path: Path) -> None:
    """Protects the most to pay, and the least to take, by date, by what is known, and for a first piece alike."""
    result = priced(EXAMPLES[name], tmp_path)
    rows = [row for row in result.most if row.aversion == 0]
    assert sorted({row.gw for row in rows}) == [0.1, 1.0]
    for size in (0.1, 1.0):
        given = {(row.signed_on, row.known): row.price for row in rows if row.gw == size}
        assert given == pytest.approx({(day, known): price for day, known, price in prices}, abs=1e-7)


def test_clauses_and_waiting_are_worth_what_was_worked_out(tmp_path: Path) -> None:
    """Protects H1: the way out gains 0.35, or 0.7 a GW-year, a year's wait 0.15; without it waiting is worth 0.5."""
    result = priced(EXAMPLES["signs with a way out"], tmp_path / "out")
    clauses = {row.clause: row for row in result.clauses if row.aversion == 0}
    assert figures(clauses["the way out"]) == pytest.approx((0.35, 0.7))
    assert figures(clauses["deciding 12 months later"]) == pytest.approx((0.15, 0.3))
    assert figures(clauses["deciding 3 months later"]) == (0, 0)
    assert figures(clauses["half the size"]) == pytest.approx((-0.175, -0.35))
    averse = {row.clause: row.value_bn for row in result.clauses if row.aversion == 0.5}
    # Always 6 + 3 - 2 where it is needed, 6 - 0.3 where not, and CVaR sees the worse alone.
    assert averse["the way out"] == pytest.approx(0.5 * 0.35 + 0.5 * (0.0 - 0.3))
    waits = priced(EXAMPLES["waits"], tmp_path / "waits")
    told = [(row.before_bn, row.after_bn, row.value_bn) for row in waits.waiting if row.aversion == 0]
    assert told == [pytest.approx((6.0, 6.5, 0.5))]


def figures(clause: Clause) -> tuple[float | None, float | None]:
    """Return what a clause is worth in $bn and per GW-year."""
    return clause.value_bn, clause.price


def test_any_share_against_whole(tmp_path: Path) -> None:
    """Protects the worth of a share: a customer of 2 GW for half a GW that is free for him costs more than he pays."""
    wide = replace(
        EXAMPLES["customer"],
        contracts="own,buy,,0, deal,sell,2030-01-01,1.2,",
        deliveries="own,2027-01-01,,1, deal,2028-01-01,,1,",
        value="2027-01-01,0.5,3",
        optimum_bn=4.5 + 2 * 0.6,
    )
    result = priced(wide, tmp_path)
    (share,) = [row for row in result.clauses if row.clause == "any share, not whole alone"]
    # Half: 2 * 0.5 * 1.2 = 1.2; whole: 2 * (1.2 - 1.5) < 0: none.
    assert result.with_bn[0.0] == pytest.approx(wide.optimum_bn)
    assert figures(share) == pytest.approx((1.2, 1.2))


def test_prices_move_with_the_terminal_value_as_re_solved(tmp_path: Path) -> None:
    """Protects what stands beside each figure: its slope is what the same costs with the terminal value 0.1 higher."""
    instance = gw.load(WORTH_THEIR_PRICE.write(tmp_path))
    now, more = (gw.price(instance.edited(f"pools.terminal_value_bn_per_gw_year = {v}"), "new") for v in (1, 1.1))
    assert now.most[-1].price is not None and now.most[0].price == pytest.approx((1.5 + 2 * 1) / 3)
    assert now.beyond == pytest.approx(2 / 3)
    for before, after in zip((*now.most,), (*more.most,), strict=True):
        assert before.by_terminal_value is not None and before.price is not None
        assert after.price == pytest.approx(before.price + 0.1 * before.by_terminal_value)
        assert before.by_terminal_value >= 0


def held(instance: gw.Instance, result: gw.OfferPrice, gw_signed: float, day: str, price: float) -> gw.Instance:
    """Return the instance with so much of an offer forced on a date at a price, by its tables alone."""
    offer, share = result.offer, gw_signed / result.gw
    mine = f'offers[contract=="{offer}"]'
    edits = [f"{mine}.opens = {day}", f"{mine}.closes = {day}", f"{mine}.max_share = {share!r}"]
    edits += [f"{mine}.least_share = {share!r}", f'contracts[contract=="{offer}"].cost_bn_per_gw_year = {price!r}']
    if (instance.tables["offer_prices"]["contract"] == offer).any():
        edits.append(f'offer_prices[contract=="{offer}"].cost_bn_per_gw_year = {price!r}')
    return instance.edited(*edits)


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_agree_with_re_solves_on_both_sides(seed: int, tmp_path: Path) -> None:
    """At the price the plan is worth what it is without the offer, dearer less, cheaper more: solved anew, cold."""
    instance = gw.load(random_instance(seed, tmp_path, commitments=True))
    offer = str(instance.tables["offers"]["contract"].iloc[0])
    try:
        result = gw.price(instance, offer)
    except gw.InstanceError as error:
        assert "it delivers nothing" in str(error)
        return
    freed = instance.edited(*(f"offers[contract==\"{offer}\"].{c} = {v}" for c, v in
                              (("indivisible", "false"), ("min_share", 0), ("least_share", 0))))  # fmt: skip
    rows = [row for row in result.most if not row.known and row.price is not None and row.price > 1e-3]
    for row in rows[:1] + rows[-1:]:
        case = freed.edited(f"risk.aversion = {row.aversion}")
        without = gw.solve(case.edited(f'offers[contract=="{offer}"].max_share = 0')).objective_bn
        assert without == pytest.approx(result.without_bn[row.aversion], abs=1e-6)
        assert row.price is not None
        worth = [
            gw.solve(held(case, result, row.gw, row.signed_on, row.price + by)).objective_bn - without
            for by in (-1e-4, 0.0, 1e-4)
        ]
        assert abs(worth[1]) <= 1e-6 * (1 + abs(without))
        assert np.sign(worth[0]) == -np.sign(worth[2]) == (-1 if result.sold else 1)


def test_what_is_no_offer_is_refused_in_a_line(tmp_path: Path) -> None:
    """A firm contract, a misspelt name, and an offer that can never be signed are told apart."""
    instance = gw.load(EXAMPLES["waits"].write(tmp_path))
    for offer, words in (
        ("own", "it is a firm contract: nothing of it is left to sign; offers are: new"),
        ("nw", "no such offer; did you mean 'new'?; offers are: new"),
    ):
        with pytest.raises(gw.InstanceError, match=words.replace("?", r"\?")):
            gw.price(instance, offer)
    never = instance.edited("offers.opens = 2027-03-01", "offers.closes = 2027-04-01")
    with pytest.raises(gw.InstanceError, match="no date of its window starts a period: it can never be signed"):
        gw.price(never, "new")
