from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("models", "optimizer") for path in (ROOT / package).rglob("*.py"))

ROOMS = (
    ("models",),
    ("optimizer.problems", "optimizer.errors", "optimizer.files", "optimizer.extras"),
    ("optimizer.catalogue",),
    ("optimizer.language",),
    ("optimizer.spreadsheet",),
    ("optimizer.instance",),
    ("optimizer.tree",),
    ("optimizer.check",),
    ("optimizer.storage",),
    ("optimizer.solver",),
    ("optimizer.plan",),
    ("optimizer.audit",),
    ("optimizer.conflict",),
    ("optimizer.kept",),
    ("optimizer.planning",),
    ("optimizer.session",),
    ("optimizer.studies",),
    ("optimizer.show",),
    ("optimizer.commands",),
    ("optimizer.cli",),
)
"""The rooms of the house, each importing from those before it alone."""


def module(path: Path) -> str:
    """Return the dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in SOURCES}


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in MODULES else node.module


def within(name: str, packages: set[str]) -> bool:
    """Return whether a module is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def floor(name: str) -> int:
    """Return how far up in the house a module is."""
    return next(number for number, rooms in enumerate(ROOMS) if within(name, set(rooms)))


def test_imports_point_down_alone() -> None:
    """The way from tables to plan is a one-way street, so that each room can be read without those above it."""
    upwards = {
        (name, other)
        for name, path in MODULES.items()
        if name != "optimizer"
        for other in imports(path)
        if other in MODULES and floor(other) > floor(name)
    }
    assert not upwards


def test_the_mathematics_know_no_tables_files_or_solver() -> None:
    """``models`` can be read, and used, as mathematics."""
    for path in SOURCES:
        if within(module(path), {"models"}):
            foreign = {name.split(".")[0] for name in imports(path)} - {
                "__future__",
                "collections",
                "dataclasses",
                "functools",
                "math",
                "typing",
            }
            assert foreign <= {"models", "numpy", "pyomo"}, path


def test_one_file_knows_the_solver_and_the_audit_knows_no_model() -> None:
    """Highspy stays in one file; the audit shares neither the model nor the arrays that it was built from."""
    for name, path in MODULES.items():
        imported = set(imports(path))
        if name != "optimizer.solver.highs":
            assert not any(other.split(".")[0] == "highspy" for other in imported), name
        if within(name, {"optimizer.audit"}):
            banned = {"models", "pyomo", "highspy", "optimizer.tree", "optimizer.solver", "optimizer.planning"}
            assert not [other for other in imported if within(other, banned)], name
