"""Re-solves from the base's basis, held against solves afresh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.session import Reached
from tests.solve.afresh import afresh

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
REFERENCE = INSTANCES / "meta-2026h1"

CASES = {
    "value[pathway=deals].value_bn_per_gw_year *= 1": Reached.UNCHANGED,
    "value[pathway=deals].value_bn_per_gw_year *= 0.8 @ 2027-01-01": Reached.COSTS,
    "contracts.cost_bn_per_gw_year += 0.1": Reached.COSTS,
    "uncertainty[factor=msl_progress,outcome=lags].probability = 0.5": Reached.COSTS,
    "demand[pathway=msl].target_gw *= 1.2": Reached.BOUNDS,
    "deliveries[contract=coreweave_2026].date += 3 months": Reached.BOUNDS,
    "eligibility[pathway=msl,pool=regional_cloud].effectiveness *= 0.5": Reached.MATRIX,
    "pathways[pathway=deals].notice_days = 30": Reached.REBUILT,
    "drop contracts[contract=nebius_backstop]": Reached.REBUILT,
    "calendar.periods = 36": Reached.REBUILT,
    "risk.aversion = 0.3": Reached.REBUILT,
}
"""Edits of the reference instance, and what each reaches."""


@pytest.fixture(scope="module")
def session() -> gw.Session:
    """Return a session of the reference instance."""
    return gw.Session(gw.load(REFERENCE))


@pytest.mark.parametrize("text", CASES)
def test_a_warm_answer_is_the_cold_one(session: gw.Session, text: str) -> None:
    """Protects every what-if: from the base's basis the worth is what a solve afresh finds, and it says what it did."""
    answer = session.solve(text)
    assert answer.reached is CASES[text]
    assert bool(answer.reason) is (answer.reached is Reached.REBUILT)
    assert not answer.cold_again
    assert answer.objective_bn == pytest.approx(afresh(gw.load(REFERENCE).edited(text)), rel=1e-9)
    assert answer.audited["npv_bn"] == answer.npv_bn


def test_an_answers_tables_are_those_of_its_plan(session: gw.Session) -> None:
    """Protects what is read off an answer without its tables: the plan with all of them, audited, says the same."""
    answer = session.solve("demand[pathway=msl].target_gw *= 1.2", "contracts.cost_bn_per_gw_year += 0.1")
    cold = gw.solve(answer.instance)
    assert answer.npv_bn == pytest.approx(answer.plan.npv_bn, rel=1e-12)
    assert answer.plan.objective_bn == pytest.approx(cold.objective_bn, rel=1e-9)
    assert set(answer.tables) == set(cold.tables)


@pytest.mark.parametrize("name", sorted(gw.load(REFERENCE).whatifs))
def test_shipped_whatifs_are_answered_warm_as_cold(session: gw.Session, name: str) -> None:
    """Protects the shipped what-ifs, conditions on outcomes and structural changes among them."""
    case = session.instance.with_whatif(name)
    assert session.solve_case(case).objective_bn == pytest.approx(afresh(case), rel=1e-9)


def test_an_infeasible_case_is_an_error_and_leaves_the_next_alone(session: gw.Session) -> None:
    """Protects a series of what-ifs: one without a plan says so and changes no later answer."""
    with pytest.raises(gw.InfeasibleError):
        session.solve("insert demand[pathway=ads, from=2027-01-01, floor_gw=9]")
    assert session.solve().objective_bn == session.base.objective_bn


def test_a_pathway_more_has_its_pairs_where_outcomes_edit_every_pair(tmp_path: Path) -> None:
    """Protects what is remembered of outcomes: without an eligibility table the pairs are those of the case itself.

    1 GW earns 4 in ads, 2 where its effectiveness is halved: 3. A pathway that earns 10 takes all of it: 7.5.
    """
    texts = {
        "instance.toml": 'schema = 1\nname = "pairs"\n'
        '[calendar]\nstart = 2027-01-01\nresolution = "year"\nperiods = 1\n',
        "pools.csv": "pool\ngpu\n",
        "contracts.csv": "contract,pool\nlease,gpu\n",
        "deliveries.csv": "contract,date,gw\nlease,2027-01-01,1\n",
        "pathways.csv": "pathway\nads\nspare\n",
        "value.csv": "pathway,from,tier,value_bn_per_gw_year\nads,2027-01-01,1,4\n",
        "uncertainty.toml": '[[factor]]\nname = "yield"\nrevealed = 2027-01-01\n'
        '[[factor.outcome]]\nname = "full"\nprobability = 0.5\n[[factor.outcome]]\nname = "half"\nprobability = 0.5\n'
        'edit = [{ table = "eligibility", column = "effectiveness", scale = 0.5 }]\n',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    session = gw.Session(gw.load(tmp_path))
    assert session.base.objective_bn == pytest.approx(3)
    more = session.solve(
        "insert pathways[pathway=new]",
        "insert value[pathway=new, from=2027-01-01, tier=1, value_bn_per_gw_year=10]",
    )
    assert more.objective_bn == pytest.approx(7.5)
    assert session.solve("drop pathways[pathway=spare]").objective_bn == pytest.approx(3)


@pytest.mark.parametrize(("base", "aversion"), [(0.0, 0.3), (0.0, 0.9), (0.3, 0.6), (0.3, 0.0)])
def test_another_aversion_is_near(base: float, aversion: float) -> None:
    """Protects the risk frontier: the rows of risk come or go with the basis, not at the price of a solve afresh."""
    instance = gw.load(REFERENCE).edited(f"risk.aversion = {base}", "calendar.periods = 18")
    session = gw.Session(instance)
    answer = session.solve(f"risk.aversion = {aversion}")
    assert not answer.cold_again
    assert answer.iterations < session.base.iterations / 4
    assert answer.objective_bn == pytest.approx(afresh(instance.edited(f"risk.aversion = {aversion}")), rel=1e-9)


def test_a_tail_is_a_number() -> None:
    """Protects re-solves with another tail: the model's structure stays, and the answer is that of a solve afresh."""
    instance = gw.load(INSTANCES / "tiny-risk")
    answer = gw.Session(instance).solve("risk.tail = 0.9")
    assert answer.reached is Reached.COSTS
    assert answer.objective_bn == pytest.approx(gw.solve(instance.edited("risk.tail = 0.9")).objective_bn, abs=1e-9)


def test_cases_of_a_lifted_base_are_lifted_from_its_first_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far from a large base's plan cases are lifted as the base was, and bits do not depend on the order."""
    monkeypatch.setattr("gwplan.session.LEAST_ITERATIONS", 1)
    monkeypatch.setattr("gwplan.session.STRAIGHT_ITERATIONS", 1)
    base = gw.load(REFERENCE).edited("calendar.periods = 24")
    edits = ["contracts.cost_bn_per_gw_year *= 1.1", "demand.target_gw *= 1.05"]
    lift = gw.SolveOptions(start="lift")
    answers = []
    for order in (edits, edits[::-1]):
        with gw.Session(base, lift) as ready:
            answers.append({edit: ready.solve(edit) for edit in order})
            assert ready.cold_again == 0
    for edit in edits:
        one, other = answers[0][edit], answers[1][edit]
        assert np.array_equal(one.columns, other.columns)
        assert one.objective_bn == pytest.approx(afresh(base.edited(edit)), rel=1e-9)
