"""Runs that tests of several folders look at, made once a process."""

from __future__ import annotations

import os

import pytest

from gwplan.kept.run import Run

# a command starts in a fifth less time from kept bytecode, as it does where it is used; tests start hundreds
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def reference_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of the reference instance, over all its scenarios."""
    from tests.export.test_charts import kept

    return kept("meta-2026h1", tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of an instance of few periods and two futures."""
    from tests.export.test_charts import kept

    return kept("tiny-tree", tmp_path_factory.mktemp("runs"))
