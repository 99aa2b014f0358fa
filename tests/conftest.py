"""Runs that tests of several folders look at, made once a process."""

from __future__ import annotations

import pytest

from optimizer.results.run import Run


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
