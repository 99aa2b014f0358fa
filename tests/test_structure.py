from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("models", "optimizer") for path in (ROOT / package).rglob("*.py"))

MAY_IMPORT = {
    "models": {"models"},
    "optimizer.extras": {"optimizer.instance"},
    "optimizer.instance": {"models.data", "models.tree", "optimizer.extras", "optimizer.instance", "optimizer.whole"},
    "optimizer.solve": {"models", "optimizer.errors", "optimizer.instance", "optimizer.solve", "optimizer.whole"},
    "optimizer.results": {
        "models.data",
        "optimizer.errors",
        "optimizer.instance",
        "optimizer.solve",
        "optimizer.results",
        "optimizer.whole",
    },
    "optimizer.export": {
        "models.data",
        "models.tree",
        "optimizer.extras",
        "optimizer.instance",
        "optimizer.results",
        "optimizer.whatif",
        "optimizer.export",
        "optimizer.whole",
    },
    "optimizer.whatif": {
        "models",
        "optimizer.errors",
        "optimizer.extras",
        "optimizer.instance",
        "optimizer.planning",
        "optimizer.results",
        "optimizer.session",
        "optimizer.solve",
        "optimizer.whatif",
        "optimizer.whole",
    },
    "optimizer.planning": {"optimizer.errors", "optimizer.instance", "optimizer.results", "optimizer.solve"},
    "optimizer.session": {
        "models",
        "optimizer.instance",
        "optimizer.planning",
        "optimizer.results",
        "optimizer.solve",
    },
    "optimizer.whole": {"optimizer.instance"},
}
"""What each part may import of the project itself."""

BACKWARDS = {
    "optimizer.solve": {"optimizer.planning", "optimizer.results.plan"},
    "optimizer.results.nearness": {"optimizer.session"},
    "optimizer.planning": {"optimizer.session"},
}
"""What single files may import besides: the package that can be called, and types in signatures."""


def module(path: Path) -> str:
    """Return the dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def within(name: str, packages: set[str]) -> bool:
    """Return whether a module is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_imports_point_one_way() -> None:
    """The way from tables to plan is a one-way street, so that each part can be read without those after it."""
    for path in SOURCES:
        name = module(path)
        for part, allowed in MAY_IMPORT.items():
            if within(name, {part}):
                for other in imports(path):
                    if within(other, {"models", "optimizer"}):
                        assert within(other, allowed | BACKWARDS.get(name, set())), f"{name} imports {other}"


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
    for path in SOURCES:
        name, imported = module(path), set(imports(path))
        if name != "optimizer.solve.highs":
            assert not any(other.split(".")[0] == "highspy" for other in imported), name
        if path.name.startswith("audit"):
            banned = {"models", "pyomo", "highspy", "optimizer.solve", "optimizer.planning"} | {
                f"optimizer.instance.{part}" for part in ("timeline", "steps", "calendar", "past")
            }
            assert not [other for other in imported if within(other, banned)], name
