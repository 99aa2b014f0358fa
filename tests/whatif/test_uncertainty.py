"""What uncertainty costs: figures against their definitions, against each other and against numbers worked out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.errors import AuditError
from gwplan.plan.tables import cvar, quantile, weighed
from gwplan.session import Answer, Session
from gwplan.studies.uncertainty import _refuse_contradictions, dedicated, expected_result, foresight, informed, rigid
from gwplan.tree.timeline import branching
from tests.oracle import by_hand
from tests.oracle.hand_examples import EXAMPLES, LATE, Example
from tests.whatif.cases import INSTANCES, alike, random_case

SEEDS = range(int(os.environ.get("GWPLAN_RANDOM_CASES", "12")))
"""Random instances; ``GWPLAN_RANDOM_CASES=200`` asks for more than the tests have time for."""

WITHOUT_EEV, WITHOUT_RIGID = 74, 52
"""Seeds of instances in which early decisions as written, or one split for all futures, break a limit later."""


@pytest.fixture(scope="module")
def tiny() -> gw.Uncertainty:
    """Return what is found of the tiny tree."""
    return gw.uncertainty(gw.load(INSTANCES / "tiny-tree"), frontier=2)


def test_figures_of_the_tiny_tree(tiny: gw.Uncertainty) -> None:
    """Protects every definition: the figures of a tree that is small enough to be worked out by hand.

    One split: deals in January and February (3 + 2), training in March (2.25). Own parts: deals throughout (3 + 2 + 2).
    As written deals are signed in January, as in the plan.
    """
    assert (tiny.rp_bn, tiny.ws_bn, tiny.eev_bn) == pytest.approx((8.375, 8.875, 8.375), abs=1e-7)
    assert (tiny.rigid_bn, tiny.dedicated_bn) == pytest.approx((7.25, 7.0), abs=1e-7)
    assert (tiny.evpi_bn, tiny.vss_bn) == pytest.approx((0.5, 0.0), abs=1e-7)
    assert (tiny.reallocation_bn, tiny.fungibility_bn) == pytest.approx((1.125, 1.375), abs=1e-7)
    assert {future.known: future.foresight_bn for future in tiny.scenarios} == pytest.approx(
        {
            "market=up, progress=fast": 13.0,
            "market=up, progress=slow": 11.0,
            "market=down, progress=fast": 10.0,
            "market=down, progress=slow": 5.0,
        },
        abs=1e-7,
    )
    assert [future.regret_bn for future in tiny.scenarios] == pytest.approx([0, 0, 1, 1], abs=1e-7)
    assert [(entry.factor, round(entry.value_bn, 7)) for entry in tiny.information] == [
        ("market", 0.5),
        ("progress", 0),
    ]


@pytest.mark.parametrize("aversion", [0.0, 0.5])
@pytest.mark.parametrize("seed", SEEDS)
def test_less_freedom_is_never_worth_more(seed: int, aversion: float, tmp_path: Path) -> None:
    """Protects every comparison: EEV <= RP <= WS, rigid <= RP, dedicated <= RP, whatever the instance and aversion."""
    instance = random_case(seed, tmp_path, aversion)
    try:
        session = Session(instance)
    except gw.InfeasibleError:
        pytest.skip("a floor of the random instance lies above all supply")
    rp = session.base.objective_bn
    tree = session.base.laid_out.data.tree
    alone = foresight(session)
    slack = 1e-6 * (1 + abs(rp))
    assert rp <= weighed(alone, tree.probability[tree.leaves], instance.aversion, instance.tail) + slack
    assert (session.base.leaf_worth <= alone + slack).all()
    for restricted in (expected_result, rigid, dedicated):
        case = restricted(session)
        assert (case.worth_bn is None) == bool(case.reason)
        assert case.worth_bn is None or case.worth_bn <= rp + slack


@pytest.mark.parametrize("seed", [1, 3, 7, 71])
def test_outcomes_that_change_nothing_cost_nothing(seed: int, tmp_path: Path) -> None:
    """Protects the definitions: where all futures are the same, knowing, waiting and planning for them add nothing."""
    found = gw.uncertainty(alike(random_case(seed, tmp_path, aversion=0.4)))
    assert (found.ws_bn, found.eev_bn) == pytest.approx((found.rp_bn, found.rp_bn), rel=1e-7, abs=1e-7)
    assert found.rigid_bn == pytest.approx(found.rp_bn, rel=1e-7, abs=1e-7)
    assert [entry.value_bn for entry in found.information] == pytest.approx([0.0] * len(found.information), abs=1e-6)
    assert [future.regret_bn for future in found.scenarios] == pytest.approx([0.0] * len(found.scenarios), abs=1e-6)


def restricted_answers(session: Session) -> Iterator[tuple[str, Answer]]:
    """Yield the answers behind the figures of less freedom, as `expected_result` and the others ask for them."""
    asked: list[Answer] = []
    solve = session.solve_laid_out

    def noted(*args: object, **options: object) -> Answer:
        asked.append(solve(*args, **options))  # type: ignore[arg-type]
        return asked[-1]

    session.solve_laid_out = noted  # type: ignore[method-assign]
    for name, restricted in (("eev", expected_result), ("rigid", rigid), ("dedicated", dedicated)):
        asked.clear()
        if restricted(session).worth_bn is not None:
            yield name, asked[-1]


@pytest.mark.parametrize("seed", [2, 5, 11, 40])
def test_plans_with_less_freedom_keep_what_they_promise(seed: int, tmp_path: Path) -> None:
    """Protects the restrictions themselves: each plan passes the audit of its tables and does what its name says."""
    session = Session(random_case(seed, tmp_path))
    data = session.base.laid_out.data
    for name, answer in restricted_answers(session):
        assert answer.plan.status == "optimal"  # audited
        allocate = answer.decided.allocate
        if name == "rigid":
            for t in range(data.tree.periods):
                nodes = data.tree.period == t
                assert np.ptp(allocate[:, :, nodes], axis=2) == pytest.approx(0.0, abs=1e-6)
        if name == "dedicated":
            some = data.supply > 1e-9
            used = np.divide(allocate, data.supply, out=np.zeros_like(allocate), where=some)
            assert used.max(axis=2).sum(axis=0) == pytest.approx(
                np.minimum(used.max(axis=2).sum(axis=0), 1.0), abs=1e-6
            )


def test_following_the_plan_as_written_is_what_its_locks_say(tmp_path: Path) -> None:
    """Protects EEV: early use locked to the plan as written, in the instance's own tables, is worth the same."""
    instance = gw.load(INSTANCES / "tiny-risk")
    written = gw.solve(instance.deterministic()).allocation.query("period == 0")
    locks = [
        f"insert locks[pathway={row.pathway}, pool={row.pool}, from=2026-01-01, until=2027-01-01, min_gw={row.gw}, "
        f"max_gw={row.gw}]"
        for row in written.itertuples()
    ]
    eev = expected_result(Session(instance)).worth_bn
    assert eev == pytest.approx(gw.solve(instance.edited(*locks)).objective_bn, abs=1e-7)
    assert eev == pytest.approx(12.68, abs=1e-7)  # all of it signed as written: 12.88 - 0.2, see the README


@pytest.mark.parametrize("aversion", [0.0, 0.6])
def test_a_factor_known_now_is_the_instance_with_its_date_moved(aversion: float) -> None:
    """Protects the value of information: revealing a factor now is the instance with another date of its reveal."""
    instance = gw.load(INSTANCES / "meta-2026h1").edited(f"risk.aversion = {aversion}", "calendar.periods = 15")
    session = Session(instance)
    for factor in branching(instance):
        dated = list(instance.factors)
        dated[factor] = replace(dated[factor], revealed=instance.start)
        cold = gw.solve(replace(instance, factors=tuple(dated))).objective_bn
        assert informed(session, factor).objective_bn == pytest.approx(cold, rel=1e-8)


def test_a_case_without_a_plan_is_null_and_says_why(tmp_path: Path) -> None:
    """Protects against figures made up where there is no plan: EEV and rigid can lack one where the plan exists."""
    eev = gw.uncertainty(random_case(WITHOUT_EEV, tmp_path))
    assert eev.eev_bn is None and eev.vss_bn is None
    assert "as written" in eev.reasons["eev_bn"] and eev.reasons["vss_bn"] == eev.reasons["eev_bn"]
    one_split = gw.uncertainty(random_case(WITHOUT_RIGID, tmp_path))
    assert one_split.rigid_bn is None and one_split.reallocation_bn is None
    assert "same in all futures" in one_split.reasons["rigid_bn"]
    assert one_split.eev_bn is not None


def test_figures_in_an_impossible_order_are_refused(tiny: gw.Uncertainty) -> None:
    """Protects against silent wrong answers: a violation is an error that names both figures, not a report."""
    _refuse_contradictions(tiny)
    for wrong in ({"eev_bn": 9.0}, {"ws_bn": 8.0}, {"rigid_bn": 8.5}, {"dedicated_bn": 8.5}):
        with pytest.raises(AuditError, match="exceeds"):
            _refuse_contradictions(replace(tiny, **wrong))  # type: ignore[arg-type]


def test_outcomes_taken_as_known_stay_known_in_the_plan_as_written(tiny: gw.Uncertainty) -> None:
    """Protects conditioned instances: what is certain is no uncertainty, so with all of it certain nothing costs."""
    known = gw.uncertainty(gw.load(INSTANCES / "tiny-tree").given({"market": "down", "progress": "slow"}))
    assert known.rp_bn == pytest.approx(5.0, abs=1e-7)
    assert (known.ws_bn, known.eev_bn) == pytest.approx((5.0, 5.0), abs=1e-7)
    assert known.first_reveal == "" and known.information == ()


def test_the_worst_share_and_quantiles_cut_through_outcomes() -> None:
    """Protects CVaR and quantiles: by hand, for a tail that ends inside an outcome."""
    worth, probability = np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.2, 0.3])
    assert cvar(worth, probability, 0.4) == pytest.approx((0.2 * 1 + 0.2 * 2) / 0.4)
    assert cvar(worth, probability, 1.0) == pytest.approx(2.3)
    assert weighed(worth, probability, 0.25, 0.4) == pytest.approx(0.75 * 2.3 + 0.25 * 1.5)
    assert [quantile(worth, probability, share) for share in (0.1, 0.2, 0.21, 0.5, 0.6, 1.0)] == [1, 1, 2, 2, 3, 3]


def test_the_frontier_trades_expected_worth_for_the_worst(tmp_path: Path) -> None:
    """Protects the frontier: each point is the plan of its aversion, and aversion never adds expected worth."""
    instance = random_case(9, tmp_path, aversion=0.3)
    points = gw.uncertainty(instance, frontier=4).frontier
    assert [point.aversion for point in points] == [0.0, 0.25, 0.3, 0.5, 0.75]
    expected, worst = ([getattr(point, name) for point in points] for name in ("expected_bn", "cvar_bn"))
    assert expected == pytest.approx(sorted(expected, reverse=True), abs=1e-6)
    assert worst == pytest.approx(sorted(worst), abs=1e-6)
    for point in points:
        cold = gw.solve(instance.edited(f"risk.aversion = {point.aversion}")).objective_bn
        assert point.objective_bn == pytest.approx(cold, rel=1e-8, abs=1e-8)
        mixed = (1 - point.aversion) * point.expected_bn + point.aversion * point.cvar_bn
        assert point.objective_bn == pytest.approx(mixed, rel=1e-7, abs=1e-7)


_NEEDED = Example(
    2,
    "own,buy,,0, new,buy,2029-01-01,2,",
    "own,2027-01-01,,1, new,2028-01-01,,1,",
    "2027-01-01,1,3 2028-01-01,2,3",
    6.0,
    "new,2027-01-01,2027-01-01,,,,,,,",
    uncertainty=by_hand.factor(
        "2028-01-01",
        ("same", 0.5, ""),
        ("less", 0.5, 'table = "value"\ncolumn = "width_gw"\nset = 1\nfrom = 2028-01-01'),
    ),
)
"""A GW for 2028 that is signed as written, where both GW earn 3, and not in the tree, where the second does by half."""

_LATE_ONE = replace(
    _NEEDED,
    value="2027-01-01,1,3",
    deliveries="own,2028-01-01,,1, new,2028-01-01,,1,",
    offers="new,2027-01-01,2028-01-01,,,,,,,",
    optimum_bn=0.5 * 3 + 0.5 * (3 - 2),
    uncertainty=by_hand.factor("2028-01-01", ("on time", 0.5, ""), ("late", 0.5, LATE)),
)
"""A GW that comes a year late with probability 1/2, and one on offer in its place: the same use in both futures."""


def test_signatures_before_the_first_reveal_are_those_of_the_plan_as_written(tmp_path: Path) -> None:
    """Protects EEV and VSS: as written the GW is signed, 3 + 1/2 * (6 - 2) + 1/2 * (3 - 2) = 5.5, the tree waits: 6."""
    found = gw.uncertainty(gw.load(_NEEDED.write(tmp_path)))
    assert (found.rp_bn, found.eev_bn, found.vss_bn) == pytest.approx((6.0, 5.5, 0.5))


def test_one_split_for_all_futures_leaves_signatures_free(tmp_path: Path) -> None:
    """Protects rigid: 1 GW is used in both futures and signed where it is late alone; held in both it costs 1 more."""
    found = gw.uncertainty(gw.load(_LATE_ONE.write(tmp_path)))
    assert (found.rp_bn, found.rigid_bn) == pytest.approx((_LATE_ONE.optimum_bn, _LATE_ONE.optimum_bn))
    (offer,) = [option for option in found.options if option.option == "offer"]
    assert (offer.without_bn, offer.value_bn) == pytest.approx((1.5, 0.5))


@pytest.mark.parametrize(
    ("name", "worth"), [("must sign", 5.5), ("signs when it knows", 6.5), ("signs with a way out", 6.35)]
)
def test_own_parts_are_of_what_the_plan_signs(name: str, worth: float, tmp_path: Path) -> None:
    """Protects dedicated: the one pathway owns all of the pool, what is signed of the offer included."""
    assert dedicated(Session(gw.load(EXAMPLES[name].write(tmp_path)))).worth_bn == pytest.approx(worth)
