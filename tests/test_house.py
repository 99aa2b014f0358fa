"""What no linter knows beside the rules of the house: units, commands, columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import gwplan as gw
from gwplan.catalogue.plan_tables import COLUMNS
from gwplan.catalogue.tables import TABLES
from gwplan.cli import COMMANDS
from gwplan.instance.instance import Instance
from gwplan.tree.timeline import timeline
from tests.instance.folders import SMALL, UNCERTAINTY, written

ROOT = Path(__file__).resolve().parents[1]

UNIT = re.compile(
    r"GW|\$bn|\bbn\b|\b(years?|months?|periods?|days?|seconds?)\b|"
    r"\b(shares?|probabilit(y|ies)|weight|relative|unit|number of|correlations?)\b",
    re.I,
)
"""What says in which unit, or that it has none, a quantity is told."""

WITH_QUANTITIES = (
    "models",
    "optimizer/instance/instance.py",
    "optimizer/instance/instance.py",
    "optimizer/plan",
    "optimizer/session.py",
    "optimizer/studies",
)
"""Where quantities of plans are named; the audit's and the solver's arrays hold figures of any kind."""

NOT_THE_MODELS = {
    "contracts.signed": "a date of the past, told with obligations",
    "contracts.face_value_bn": "held against GW, price and years by check",
    "claims.reported": "a claim is judged after the plan",
    "claims.tolerance": "a claim is judged after the plan",
    "contracts.power_per_gw": "is for limits",
    "instance.schema": "decides whether the rest is read",
}
"""Columns that are neither text nor read by the model, and why."""


def sources(*folders: str) -> list[Path]:
    """Return the Python files of some folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def quantities(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every public field, property and function of a file that is, or returns, a quantity, with what is told."""
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _is_quantity(node.returns):
            yield node.name, ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            told = ast.get_docstring(node) or ""
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    if not part.target.id.startswith("_") and _is_quantity(part.annotation):
                        yield f"{node.name}.{part.target.id}", _of_attribute(told, part.target.id) + _beside(text, part)
                elif isinstance(part, ast.FunctionDef) and not part.name.startswith("_") and _is_quantity(part.returns):
                    yield f"{node.name}.{part.name}", ast.get_docstring(part) or ""


def _is_quantity(annotation: ast.expr | None) -> bool:
    return annotation is not None and bool(re.search(r"\bfloat\b|FloatArray|\bFloats\b", ast.unparse(annotation)))


def _beside(text: str, field: ast.AnnAssign) -> str:
    """Return the comment beside a field, or the one above it and the fields that it heads."""
    above = text.splitlines()[: field.end_lineno]
    beside = above[-1].partition("  # ")[2]
    while above and not beside and above[-1].strip():
        beside = above[-1].strip() if above[-1].lstrip().startswith("#") else ""
        above.pop()
    return beside


def _of_attribute(docstring: str, name: str) -> str:
    """Return what the section on attributes says of one, or the whole where there is no such section."""
    found = re.search(rf"^(?:\w+, )*{name}\b[\w, ]*(?: :.*)?\n((?:    .*\n?)+)", docstring, re.MULTILINE)
    return found[0] if found else docstring


@pytest.mark.parametrize("place", WITH_QUANTITIES)
def test_quantities_name_their_unit(place: str) -> None:
    """A figure whose unit must be guessed is a wrong figure: its name or what is told of it says the unit."""
    files = sources(place) if (ROOT / place).is_dir() else [ROOT / place]
    found = [
        f"{path.relative_to(ROOT)} {name}"
        for path in files
        if path.parent.name != "audit"
        for name, told in quantities(path)
        if not UNIT.search(f"{name.replace('_', ' ')} {told}")
    ]
    assert not found
    assert any(True for path in files for _ in quantities(path))


def test_every_number_of_a_table_has_a_unit() -> None:
    """Every number of the format and of a plan's tables is told with its unit, or is a share or a count."""
    plain = {"instance.schema", "value.tier", "curves.segments", "claims.reported", "risk.aversion"}
    for table in TABLES.values():
        for column in table.columns:
            if column.kind in ("number", "integer") and f"{table.name}.{column.name}" not in plain:
                assert column.unit, f"{table.name}.{column.name}"
    for name, columns in COLUMNS.items():
        for column_name, told in columns.items():
            if told.kind == "number" and column_name not in ("probability", "share"):
                assert told.unit, f"{name}.{column_name}"


def test_every_public_name_is_documented() -> None:
    """What ``gw.`` offers can be understood without its source: the name and all its public members are told."""
    for name in gw.__all__:
        found: Any = getattr(gw, name)
        if not isinstance(found, type) and not callable(found):
            continue
        assert (found.__doc__ or "").strip(), name
        for member in vars(found) if isinstance(found, type) else ():
            value = vars(found)[member]
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert (value.__doc__ or "").strip(), f"{name}.{member}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_and_tested(command: str) -> None:
    """No command can be added that the README and the docs do not name, or that no test of the command line runs."""
    named = re.compile(rf"gwplan {command}\b")
    assert named.search((ROOT / "README.md").read_text(encoding="utf-8")), f"README.md says nothing of gwplan {command}"
    docs = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    assert named.search(docs), f"no page of docs/ says anything of gwplan {command}"
    run = re.compile(rf"""gwplan\(\s*["']{command}["']|\(\s*["']{command}["'],""")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "cli").glob("test_*.py"))
    assert run.search(tests), f"no test in tests/cli runs gwplan {command}"


def test_every_column_is_read_by_the_model_or_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that nothing reads would take what a planner writes and ignore it."""
    instance = gw.load(written(tmp_path, {**SMALL, "uncertainty.toml": UNCERTAINTY}))
    read: set[str] = set()
    getitem, filled = pd.DataFrame.__getitem__, Instance.filled
    asleep = [False]

    def noted(frame: pd.DataFrame, key: Any) -> Any:
        if isinstance(key, str) and not asleep[0]:
            read.add(key)
        return getitem(frame, key)

    def unnoted(self: Instance, name: str) -> pd.DataFrame:  # fills in every default, which is no use of a column
        asleep[0] = True
        try:
            return filled(self, name)
        finally:
            asleep[0] = False

    monkeypatch.setattr(pd.DataFrame, "__getitem__", noted)
    monkeypatch.setattr(Instance, "filled", unnoted)
    timeline(instance)
    unread = {
        f"{table.name}.{column.name}"
        for table in TABLES.values()
        for column in table.columns
        if column.kind != "text" and column.name not in read
    }
    assert unread == set(NOT_THE_MODELS)
