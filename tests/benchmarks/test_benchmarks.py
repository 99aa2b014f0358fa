"""The benchmarks themselves: what they compare must be the same, and a slower phase must be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gwplan as gw
from gwplan.models import build, terms
from gwplan.models.data import PlanData
from gwplan.planning import valid
from gwplan.solver.compile import compiled, from_pyomo
from gwplan.tree.timeline import timeline
from tests.benchmarks import __main__ as running
from tests.benchmarks import peers
from tests.benchmarks.generator import Shape, generate
from tests.benchmarks.registry import CASES, folder_of
from tests.benchmarks.report import slower

SMALL = Shape(pools=3, pathways=3, contracts=8, periods=12, factors=2, outcomes=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PlanData:
    """Return the arrays of a small generated instance."""
    instance = gw.load(generate(SMALL, tmp_path_factory.mktemp("small") / "instance"))
    assert not [problem for problem in valid(instance) if problem.severity == "error"]
    return timeline(instance).data


def test_equal_seeds_write_equal_instances(tmp_path: Path) -> None:
    """What is measured can be measured again."""
    one, two = (gw.load(generate(SMALL, tmp_path / name)) for name in ("one", "two"))
    assert one.digest == two.digest


def test_peers_solve_the_same_program(data: PlanData) -> None:
    """A tool is compared only on the same rows, columns and optimum."""
    ours = peers.gwplan(data)
    by_hand = peers.bare_highspy(data)
    for of in ("getNumCol", "getNumRow", "getNumNz"):
        assert getattr(ours, of)() == getattr(by_hand, of)()
    assert peers.objective_bn(by_hand) == pytest.approx(peers.objective_bn(ours), rel=1e-9)


def test_linopy_solves_the_same_program(data: PlanData) -> None:
    """The linopy model says what the others say; it is an extra that need not be there."""
    pytest.importorskip("linopy")
    assert peers.objective_bn(peers.linopy(data)) == pytest.approx(peers.objective_bn(peers.gwplan(data)), rel=1e-9)


def test_a_generated_instance_compiles_as_pyomo_does(data: PlanData) -> None:
    """The sketch that templates are read from says nothing else than the whole model."""
    ours, theirs = compiled(data), from_pyomo(build(data), terms(data))
    np.testing.assert_array_equal(ours.index, theirs.index)
    np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-12)


def test_the_reference_is_a_case(tmp_path: Path) -> None:
    """The case that users start from is measured too."""
    assert gw.load(folder_of("reference", tmp_path)).name == "meta-2026h1"


@pytest.mark.parametrize(("took", "flagged"), [(1.2, []), (1.5, ["a solve"])])
def test_a_phase_that_became_slower_is_flagged(took: float, flagged: list[str]) -> None:
    """A comparison names what is more than 1.3 times slower, and nothing else."""

    def runs(seconds: float) -> list[dict[str, Any]]:
        return [{"case": "a", "seconds": {"solve": seconds * noise, "read": 0.001 * seconds**3}} for noise in (1, 9, 1)]

    assert slower(runs(1.0), runs(took))[1] == flagged


def test_a_run_without_cases_measures_every_case_and_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make bench` names no case: it asks for all of the registry, and large ones once."""
    asked = list[tuple[str, ...]]()

    def noted(_: Path, *what: str) -> dict[str, Any]:
        asked.append(what)
        return {}

    monkeypatch.setattr(running, "measured", noted)
    monkeypatch.setattr(running, "markdown", lambda runs: "")
    running.main(["run", "--json", str(tmp_path / "benchmarks.json")])
    phases = [what[1] for what in asked if what[0] == "phases"]
    assert {*phases} == {*CASES} and phases.count("500,000") == 1 and phases.count("reference") == 3
    assert {what[0] for what in asked} == {"phases", "warm", "peer", "starts", "reading"}
