"""The package by its name, beside files of a user that have names of ours, and by its old name."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.rooms import MODULES, PACKAGES, ROOT, room

OURS = f"import sys; root = {str(ROOT)!r}; sys.path.append(root)\n"
SOLVED = f"""
import gwplan as gw
assert round(gw.solve(gw.load({str(ROOT / "instances" / "tiny-deals")!r})).objective_bn, 1) == 15.3
"""
ONCE = """
from collections import Counter
from pathlib import Path
files = {id(module): getattr(module, "__file__", None) for module in sys.modules.values()}
ours = [Path(root, name) for name in ("optimizer", "models")]
counted = Counter(path for path in (Path(f).resolve() for f in files.values() if f) if {*ours} & {*path.parents})
assert len(counted) > 20
twice = [file for file, count in counted.items() if count > 1]
assert not twice, twice
"""
OLD = """
import optimizer, optimizer.show.text.plan
from models.terms import Terms
from optimizer.plan.plan import Plan
assert Plan is gw.Plan is optimizer.Plan and optimizer is gw
assert Terms is sys.modules["gwplan.models.terms"].Terms and optimizer.show.text.plan is gw.show.text.plan
assert "gwplan" in sys.modules["gwplan.show.text.plan"].__spec__.name
try:
    import optimizer.nothing
except ModuleNotFoundError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError
"""


def run(code: str, cwd: Path) -> None:
    """Run a script in a folder, as a notebook there would; it must end well."""
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_files_of_a_user_beside_a_notebook_break_nothing(tmp_path: Path) -> None:
    """A folder with the user's own models.py and optimizer.py plans, and its own files stay what they are."""
    for name in ("models", "optimizer"):
        (tmp_path / f"{name}.py").write_text("mine = True\n", encoding="utf-8")
    mine = "\nimport models, optimizer\nassert models.mine and optimizer.mine and gw.solve\n"
    run(OURS + SOLVED + mine + ONCE, tmp_path)


def test_the_old_name_is_the_same_package(tmp_path: Path) -> None:
    """``import optimizer`` and what is under it are gwplan's own modules, none a second copy, whichever comes first."""
    run(OURS + "import optimizer" + SOLVED + OLD + ONCE, tmp_path)
    run(OURS + "import gwplan as gw" + OLD + ONCE, tmp_path)


def test_packages_are_the_folders() -> None:
    """A folder that is added is in the wheel, under the name that imports have for it."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert set(told["packages"]) == {room(name) for name in MODULES} | {"optimizer"}
    assert {told["package-dir"][package]: package for package in PACKAGES.values()} == PACKAGES
