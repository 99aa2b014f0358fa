"""Plans of random instances against an implementation that shares no code with the package."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gwplan as gw
from gwplan.tree.calendar import calendar_of
from tests.generate import instances, random_instance
from tests.oracle import OracleResult
from tests.oracle import solve as second_opinion

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

INFEASIBLE = (76, 155, 194)
"""Seeds of instances with a floor above all supply."""

COMBINED = {0: False, 3: True, 4: True, 9: False, 12: False, 21: True, 33: False, 34: True, 55: True, 85: False} | {
    90: False, 97: False, 145: False, 147: True, 157: False, 227: False, 322: False, 350: True
}  # fmt: skip
"""Seeds of instances with offers, and whether they have integers: every three of `features`, each there or not."""

FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def both(folder: Path) -> tuple[gw.Plan | gw.InfeasibleError, OracleResult]:
    """Return the package's plan, or why there is none, and the oracle's answer."""
    try:
        answer: gw.Plan | gw.InfeasibleError = gw.solve(gw.load(folder))
    except gw.InfeasibleError as error:
        answer = error
    return answer, second_opinion(folder)


def assert_agreement(seed: int, size: str = "small", **kind: bool) -> str:
    """Assert that both implementations say the same of a random instance, and return its status."""
    with TemporaryDirectory() as scratch:
        answer, expected = both(random_instance(seed, Path(scratch) / "instance", size=size, **kind))
    assert answer.status == expected.status
    if not isinstance(answer, gw.InfeasibleError):
        assert answer.objective_bn == pytest.approx(expected.objective_bn, rel=1e-6, abs=1e-9)
        assert answer.npv_bn == pytest.approx(expected.npv_bn, rel=1e-6, abs=1e-6)
        assert answer.summary["nodes"] == expected.nodes
        assert_same_parts(answer.summary["components_bn"], expected)
    return expected.status


def assert_same_parts(components_bn: dict[str, Any], expected: OracleResult) -> None:
    """Assert that worth is made of the same parts.

    Prices of three decimals seldom leave two best plans to choose from: of 2,800 instances one, whose idle penalty
    equals an operating cost. Parts that differ where the objectives agree are such a tie before they are a mistake.
    """
    value = {p: bn for p, bn in components_bn["value"].items() if p in expected.value_bn}
    others = {name: bn for name, bn in components_bn.items() if name != "value"}
    within = 1e-6 * max(1.0, abs(expected.objective_bn))
    assert value == pytest.approx(expected.value_bn, abs=within)
    assert sum(components_bn["value"].values()) == pytest.approx(expected.components_bn["value"], abs=within)
    assert others == pytest.approx({name: expected.components_bn.get(name, 0.0) for name in others}, abs=within)


@FEW
@given(instances())
def test_random_instances_have_the_oracles_worth(seed: int) -> None:
    """Protects every answer: status, objective, NPV and each part of worth agree with a second implementation."""
    assert_agreement(seed)


@settings(FEW, max_examples=42)
@given(instances(), st.booleans())
def test_random_offers_have_the_oracles_worth(seed: int, integers: bool) -> None:
    """Protects what is signed, extended, given back in several ways and sold, in every combination that is drawn."""
    assert_agreement(seed, integers=integers, commitments=True)


def features(instance: gw.Instance) -> dict[str, bool]:
    """Return what an instance has of what makes an offer hard to get right."""
    offers, ways = instance.filled("offers"), instance.filled("cancellations")
    opens, closes = (offers[side].to_numpy(dtype="datetime64[D]")[:, None] for side in ("opens", "closes"))
    starts = calendar_of(instance).starts()
    dates = ((opens <= starts) & (starts <= closes)).sum(axis=1)
    return {
        "a window of several dates": bool((dates > 1).any()),
        "a lead": bool((offers["lead_days"][dates > 0] > 0).any()),
        "a price by date": bool(instance.tables["offer_prices"]["cost_bn_per_gw_year"].notna().any()),
        "delivery from the signature": bool(instance.tables["deliveries"]["after_days"].notna().any()),
        "several ways out": bool(ways["contract"].duplicated().any()),
        "an extension": bool((offers["extends"] != "").any()),
        "integers": bool(offers["indivisible"].any() or (offers["min_share"] > 0).any() or ways["indivisible"].any()),
    }


def test_features_of_offers_come_in_every_combination_of_three(tmp_path: Path) -> None:
    """Protects the seeds below: whichever three features, one has them all, one none, one each other set of them."""
    rows = [
        features(gw.load(random_instance(seed, tmp_path / str(seed), integers=integers, commitments=True)))
        for seed, integers in COMBINED.items()
    ]
    missing = {
        three: absent
        for three in itertools.combinations(rows[0], 3)
        if (absent := {*itertools.product([False, True], repeat=3)} - {tuple(row[f] for f in three) for row in rows})
    }
    assert not missing


@pytest.mark.parametrize("seed", COMBINED)
def test_combined_features_of_offers_have_the_oracles_worth(seed: int) -> None:
    """Protects what one feature of an offer does to another: both implementations agree where they come together."""
    assert_agreement(seed, integers=COMBINED[seed], commitments=True)


def test_infeasible_instances_are_infeasible_for_both() -> None:
    """Protects the status: a floor that no plan meets is called infeasible, not answered with a plan."""
    assert [assert_agreement(seed) for seed in INFEASIBLE] == ["infeasible"] * len(INFEASIBLE)


@pytest.mark.parametrize("seed", [5000, 5001, 5002])
def test_larger_random_instances_have_the_oracles_worth(seed: int) -> None:
    """Protects what only shows on longer horizons: terms and notices of many periods, hundreds of nodes."""
    assert assert_agreement(seed, "medium") == "optimal"


def test_an_outcome_may_edit_what_every_outcome_of_an_earlier_factor_inserts(tmp_path: Path) -> None:
    """Protects the order of edits: outcomes apply in the order of their factors, each seeing what the others left."""
    folder = tmp_path / "instance"
    shutil.copytree(INSTANCES / "tiny-tree", folder)
    inserted = [
        '[[factor]]\nname = "size"\nrevealed = 2026-01-01',
        *(
            f'[[factor.outcome]]\nname = "{name}"\nprobability = 0.5\n[[factor.outcome.edit]]\ntable = "contracts"\n'
            f'insert = {{ contract = "more", pool = "cluster" }}\n[[factor.outcome.edit]]\ntable = "deliveries"\n'
            f'insert = {{ contract = "more", date = 2026-03-01, gw = {gw} }}'
            for name, gw in (("small", 1), ("large", 2))
        ),
        '[[factor]]\nname = "luck"\nrevealed = 2026-02-01\n[[factor.outcome]]\nname = "none"\nprobability = 0.5',
        '[[factor.outcome]]\nname = "double"\nprobability = 0.5\n[[factor.outcome.edit]]\ntable = "deliveries"\n'
        'where = { contract = "more" }\ncolumn = "gw"\nscale = 2',
    ]
    (folder / "uncertainty.toml").write_text("\n".join(inserted), encoding="utf-8")
    answer, expected = both(folder)
    assert answer.status == expected.status == "optimal"
    assert isinstance(answer, gw.Plan)
    assert answer.objective_bn == pytest.approx(expected.objective_bn, rel=1e-9)
