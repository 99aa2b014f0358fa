"""The instances that fuzzing found worth keeping, run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS, reached


@pytest.mark.parametrize("folder", sorted(CORPUS.iterdir()), ids=lambda folder: folder.name)
@pytest.mark.parametrize("command", ["check", "solve", "explain"])
def test_what_fuzzing_found_still_ends_as_it_should(folder: Path, command: str) -> None:
    """Protects against the return of tracebacks and wrong exit codes on files that once reached new lines."""
    options = [] if command == "check" else ["--json"]
    assert reached([command, str(folder), *options], traced=False)[1] == ""
