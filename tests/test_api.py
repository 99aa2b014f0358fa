from __future__ import annotations

import subprocess
import sys

import pytest

import gwplan as gw
from tests.cli.conftest import INSTANCES


def test_every_public_name_is_there() -> None:
    """The names of the Python interface can be used as documented."""
    for name in gw.__all__:
        assert getattr(gw, name) is not None
    assert set(gw.__all__) <= set(dir(gw))
    with pytest.raises(AttributeError, match="no attribute 'sovle'"):
        gw.sovle  # noqa: B018


def test_solve_can_be_called_again_and_again() -> None:
    """``gw.solve`` stays the function although a subpackage has its name."""
    instance = gw.load(INSTANCES / "tiny-deals")
    first, second = gw.solve(instance), gw.solve(instance)
    assert first.objective_bn == second.objective_bn == pytest.approx(15.3)
    assert first.allocation.equals(second.allocation)


def test_importing_the_package_imports_nothing_heavy() -> None:
    """``import gwplan`` is free until something is used."""
    code = "import sys, gwplan; sys.exit(bool({'pandas', 'numpy', 'pyomo', 'highspy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_infeasible_instance_is_an_error_not_an_empty_plan() -> None:
    """A solve without a plan raises, with the reason."""
    edit = "insert demand[pathway=training, from=2026-07-01, floor_gw=100]"
    with pytest.raises(gw.InfeasibleError, match="infeasible"):
        gw.solve(gw.load(INSTANCES / "tiny-deals").edited(edit))


def test_instances_are_immutable_and_hashable() -> None:
    """An edit makes a new instance; equal content is an equal instance; a table handed out is a copy."""
    instance = gw.load(INSTANCES / "tiny-deals")
    same = gw.load(INSTANCES / "tiny-deals")
    assert instance == same and hash(instance) == hash(same)
    edited = instance.edited("pathways[pathway=deals].notice_days = 0")
    assert edited != instance
    table = instance.table("pathways")
    table["notice_days"] = 7.0
    assert instance == same
    with pytest.raises(TypeError):
        instance.tables["pathways"] = edited.table("pathways")  # type: ignore[index]
