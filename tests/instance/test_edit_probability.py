"""Probabilities edited."""

from __future__ import annotations

import pytest

from gwplan.instance.instance import Instance
from tests.instance.tiny import GLUT, TINY, problem_of


def probabilities(instance: Instance, factor: int = 0) -> list[float]:
    """Return the probabilities of a factor's outcomes."""
    return [outcome.probability for outcome in instance.factors[factor].outcomes]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("uncertainty[factor=market, outcome=glut].probability = 0.6", [0.25, 0.15, 0.6]),
        ("uncertainty[factor=market, outcome=glut].probability *= 2", [0.375, 0.225, 0.4]),
        ("uncertainty[factor=m*, outcome=tight].probability -= 0.25", [0.25, 0.45, 0.3]),
        ("uncertainty[outcome=glut].probability = 0.6", [0.25, 0.15, 0.6]),
        ("uncertainty[factor=market, outcome=?l*].probability = 0.1", [0.8, 0.1, 0.1]),
    ],
)
def test_the_other_outcomes_rescale(change: str, expected: list[float]) -> None:
    """A changed probability takes from or gives to its siblings in proportion, and other factors stay."""
    edited = TINY.edited(change)
    assert probabilities(edited) == pytest.approx(expected, rel=1e-12)
    assert edited.factors[1] == TINY.factors[1]
    assert sum(probabilities(edited)) == pytest.approx(1, abs=1e-12)


def test_the_same_probability_changes_nothing() -> None:
    """Setting a probability to what it is leaves the siblings exactly as written."""
    assert TINY.edited("uncertainty[factor=market, outcome=glut].probability = 0.2") == TINY


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (f"{GLUT}.probability = 0", "probability of glut 0; probabilities stay above 0 and together below 1"),
        (f"{GLUT}.probability = 1", "probability of glut 1"),
        (f"{GLUT}.probability -= 0.2", "probability of glut 0"),
        (f"{GLUT}.probability *= 5", "probability of glut 1"),
        (f'{GLUT}.probability = ""', "takes a finite number"),
        (f"{GLUT}.probability += 6 months", "takes set, scale and add"),
        (f"{GLUT}.probability = 0.5 @ 2027-01-01", "uncertainty is undated"),
        (f"{GLUT}.name = x", "only the probability is edited"),
        (f"drop {GLUT}", "neither added nor dropped"),
        ("uncertainty[factor=market].probability = 0.2", "every outcome of 'market' matches"),
        ("uncertainty[factor=markt, outcome=glut].probability = 0.2", "no factor 'markt'"),
        ("uncertainty[factor=market, outcome=glutt].probability = 0.2", "did you mean 'glut'?"),
        ("uncertainty[factr=market].probability = 0.2", "did you mean 'factor'?"),
    ],
)
def test_probabilities_stay_probabilities(change: str, told: str) -> None:
    """An edit that would leave no proper distribution, or names nothing, is an error."""
    assert told in problem_of(lambda: TINY.edited(change))
