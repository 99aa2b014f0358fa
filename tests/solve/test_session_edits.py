"""Long sequences of edits of every kind, each answered from the base's basis and afresh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import gwplan as gw
from gwplan.session import Reached
from gwplan.tree.timeline import timeline
from tests.generate import instances, random_instance
from tests.generate.any_edit import draw_edit, every_operation, impossible
from tests.solve.afresh import afresh

TINY = Path(__file__).resolve().parents[2] / "instances" / "tiny-tree"

LENGTH = 200
"""Edits in a sequence."""


def outcome(work: object, *arguments: object) -> float | str:
    """Return a worth, or in words why there is none."""
    try:
        return work(*arguments)  # type: ignore[operator, no-any-return]
    except gw.InstanceError as error:
        return "\n".join(map(str, error.problems))
    except gw.InfeasibleError as error:
        return error.status


@settings(max_examples=1, derandomize=True, deadline=None, database=None)
@given(seed=instances())
def test_a_long_sequence_of_edits_is_answered_warm_as_cold(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Protects every operation on every table: 200 edits in a row, impossible ones among them, each as afresh."""
    rng = np.random.default_rng(seed)
    instance = feasible_instance(seed, tmp_path_factory)
    operations = every_operation()
    reached: dict[Reached, int] = {}
    counts = {"worth": 0, "refused": 0, "infeasible": 0}
    with gw.Session(instance) as session:
        for number in range(LENGTH):
            name, operation = operations[number % len(operations)]
            edit = impossible(instance, rng) if number % 20 == 10 else draw_edit(instance, rng, name, operation)
            if edit is None:
                continue
            warm = outcome(lambda edit=edit: remember(reached, session.solve(edit)))
            cold = outcome(lambda edit=edit: afresh(instance.edited(edit)))
            if isinstance(cold, float):
                assert warm == pytest.approx(cold, rel=1e-7, abs=1e-7), edit
            else:
                assert warm == cold, edit
            counts[kind(cold)] += 1
        assert session.solve().objective_bn == session.base.objective_bn
    assert counts["worth"] >= 60 and counts["infeasible"] >= 5 and counts["refused"] >= 1, counts
    assert len(reached) >= 4, reached


def feasible_instance(seed: int, folders: pytest.TempPathFactory) -> gw.Instance:
    """Return a random instance with uncertainty that has a plan; of few nodes, since it is solved hundreds of times."""
    for place in range(seed, seed + 200):
        instance = gw.load(random_instance(place, folders.mktemp("random")))
        small = bool(instance.factors) and 6 <= timeline(instance).data.tree.size <= 14
        if small and isinstance(outcome(afresh, instance), float):
            return instance
    raise AssertionError("two hundred random instances and not one small one with a plan")


def remember(reached: dict[Reached, int], answer: gw.Answer) -> float:
    """Return an answer's worth and count what it reached."""
    reached[answer.reached] = reached.get(answer.reached, 0) + 1
    return answer.objective_bn


def kind(found: float | str) -> str:
    """Return which of the three ends a case came to."""
    return "worth" if isinstance(found, float) else found if found == "infeasible" else "refused"


def test_a_table_of_pairs_that_is_not_there_follows_its_names(tmp_path: Path) -> None:
    """An outcome that edits pairs where every pair is eligible reaches a pathway that a case adds."""
    folder = tmp_path / "pairs"
    for name in ("instance.toml", "contracts.csv", "deliveries.csv", "pathways.csv", "pools.csv", "value.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text((TINY / name).read_text(encoding="utf-8"), encoding="utf-8")
    start = gw.load(folder).start
    text = f'[[factor]]\nname = "f"\nrevealed = {start}\n'
    for outcome_name, scale in (("a", 0.5), ("b", 0.8)):
        text += f'[[factor.outcome]]\nname = "{outcome_name}"\nprobability = 0.5\n[[factor.outcome.edit]]\n'
        text += f'table = "eligibility"\nwhere = {{ pathway = "*" }}\ncolumn = "effectiveness"\nscale = {scale}\n'
    (folder / "uncertainty.toml").write_text(text, encoding="utf-8")
    instance = gw.load(folder)
    case = instance.edited(
        "insert pathways[pathway=new]", f"insert value[pathway=new, from={start}, tier=1, value_bn_per_gw_year=50]"
    )
    with gw.Session(instance) as session:
        assert session.solve_case(case).objective_bn == pytest.approx(afresh(case), rel=1e-9)
