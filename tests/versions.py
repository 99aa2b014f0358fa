"""Run a quick part of the suite with the lowest and the newest versions that pyproject allows: `make test-versions`.

Each set of versions has an environment of its own, under ``build/versions``, which is made once and then brought up to
date. The newest versions run on the newest Python that is found.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PYTHONS: Final = ("python3.13", "python3.12", "python3.11")
"""Newest first; those that the classifiers of pyproject.toml name."""

EXTRAS: Final = ("report", "xlsx")
TOOLS: Final = ("hypothesis", "openpyxl", "pytest")
"""What the tests need beside the product, in its newest version."""

QUICK: Final = (
    "tests/test_api.py", "tests/published", "tests/models", "tests/instance", "tests/results/test_claims.py",
    "tests/results/test_obligations.py", "tests/whatif/test_first_moves.py", "tests/whatif/test_roll.py",
    "tests/export/test_pictures.py", "tests/cli/test_traps.py",
)  # fmt: skip


def requirements() -> list[str]:
    """Return what the product and the extras that the tests use need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(text for extra in EXTRAS for text in project["optional-dependencies"][extra])]


def lowest(requirement: str) -> str:
    """Return a requirement of the lowest version that it allows: ``numpy>=2.0`` is ``numpy==2.0``."""
    return re.sub(r">=\s*([\w.]+).*", r"==\1", requirement)


def tested(name: str, python: str, wanted: list[str]) -> bool:
    """Run the tests in an environment of these versions; return whether they pass."""
    folder = ROOT / "build" / "versions" / name
    if not folder.exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    mine = str(folder / "bin" / "python")
    install = [mine, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([*install, *wanted, *TOOLS], check=True)
    print(f"== {name}: {python}, {', '.join(wanted)}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [mine, "-m", "pytest", "-p", "no:cacheprovider", *QUICK]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def runs(python: str) -> bool:
    """Return whether a Python is there and starts; a version manager's shim may be there and start nothing."""
    there = shutil.which(python)
    return there is not None and subprocess.run([there, "-c", ""], capture_output=True, check=False).returncode == 0


def main() -> None:
    """Test both ends, and end with 1 where one of them fails."""
    found = [python for python in PYTHONS if runs(python)] or [sys.executable]
    wanted = requirements()
    passed = [tested("newest", found[0], wanted), tested("lowest", found[-1], [lowest(each) for each in wanted])]
    sys.exit(not all(passed))


if __name__ == "__main__":
    main()
