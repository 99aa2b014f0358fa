"""Claims: verdicts by relation and tolerance, grades, and a plan only where one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gwplan as gw
from gwplan.language.quantities import FIGURES
from gwplan.plan.claims import figures, judged
from gwplan.show.text.claims import print_claims
from tests.instance.folders import plain

INSTANCES = Path(__file__).parents[2] / "instances"
TINY = gw.load(INSTANCES / "tiny-tree")


def no_plan() -> dict[str, Any]:
    """Fail: no claim asks for a plan."""
    raise AssertionError("a plan was made")


def claim(quantity: str, reported: float, **cells: Any) -> gw.Instance:
    """Return a small instance with one claim."""
    row = {"claim": "one", "statement": "one", "quantity": quantity, "reported": reported, "unit": "GW", **cells}
    return TINY.edited(gw.Edit("claims", "insert", row))


@pytest.mark.parametrize(
    ("relation", "verdicts"),
    [
        ("about", ["too low", "holds", "holds", "holds", "too high"]),
        ("at_least", ["too low", "holds", "holds", "holds", "holds"]),
        ("at_most", ["holds", "holds", "holds", "holds", "too high"]),
    ],
)
@pytest.mark.parametrize("reported", [8.0, -8.0])
def test_verdicts(relation: str, verdicts: list[str], reported: float) -> None:
    """A figure holds on its side of what was reported, and within the tolerance, ends included, on the other."""
    for factor, verdict in zip([-0.2501, -0.25, 0.0, 0.25, 0.2501], verdicts, strict=True):
        text = f"{reported} + {abs(reported) * factor:.6f}".replace("+ -", "- ")
        (found,) = judged(claim(text, reported, relation=relation, tolerance=0.25), no_plan)
        assert found.verdict == verdict
        assert found.ratio == pytest.approx(found.figure / reported)


def test_nothing_reported_has_no_ratio() -> None:
    """Zero can be compared with, not divided by."""
    (found,) = judged(claim("3", 0.0, relation="at_least"), no_plan)
    assert (found.ratio, found.verdict) == (None, "holds")
    assert judged(claim("3", 0.0), no_plan)[0].verdict == "too high"


def test_the_least_sure_row_counts() -> None:
    """A figure rests on the least sure of its rows; a row that says nothing is the least sure of all."""
    for status, wanted in (("reported", "reported"), ("scenario", "scenario"), ("", "unmarked")):
        instance = claim("sum(deliveries.gw)", 1.0).edited(gw.Edit("deliveries", "set", {}, "status", "reported"))
        if status != "reported":
            row = {
                "contract": instance.tables["contracts"]["contract"][2],
                "date": "2027-01-01",
                "gw": 1,
                "status": status,
            }
            instance = instance.edited(gw.Edit("deliveries", "insert", row))
        assert judged(instance, no_plan)[0].rests_on == wanted
    assert judged(claim("1 + 1", 2.0), no_plan)[0].rests_on == "arithmetic"


def test_figures_of_a_plan() -> None:
    """Every figure that the grammar knows is in a plan's summary, and the plan is made once."""
    plan = gw.solve(TINY)
    instance, made = claim("plan.objective_bn", plan.objective_bn), []
    instance = instance.edited(
        'insert claims[claim=two, statement=x, quantity="sum(plan.components_bn)", reported=1, unit="$bn"]'
    )

    def make() -> Any:
        made.append(plan)
        return plan.summary

    one, two = judged(instance, make)
    assert len(made) == 1
    assert one.figure == two.figure == pytest.approx(plan.objective_bn)
    assert one.rests_on == "plan"
    for name, key in FIGURES.items():
        assert (set(figures(plan.summary, name)) == {""}) is not bool(key)


def test_all_problems_at_once() -> None:
    """Every claim that cannot be judged is named, not only the first."""
    instance = claim("sum(deliveries[contract=nowhere].gw)", 1.0)
    instance = instance.edited('insert claims[claim=two, statement=x, quantity="1 / 0", reported=1, unit=GW]')
    with pytest.raises(gw.InstanceError) as caught:
        judged(instance, no_plan)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 2
    assert "claim one: no row of deliveries with contract 'nowhere' at character 1" in said[0]
    assert "claim two: a division by zero at character 3" in said[1]


@pytest.mark.parametrize("column", ["", ",relation"])
def test_a_relation_left_blank_is_about(column: str, tmp_path: Path) -> None:
    """Protects claims without the column, or with a blank in it: they are judged and printed as `about`."""
    text = f"claim,statement,quantity,reported,unit{column}\nc,one,1,1,-{',' if column else ''}\n"
    instance = plain(tmp_path, claims=text)
    found = judged(instance, no_plan)
    assert [(claim.relation, claim.verdict) for claim in found] == [("about", "holds")]
    print_claims(instance, found)
