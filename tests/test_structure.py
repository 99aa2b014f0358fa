"""The eight rules of the house, each with the places that it excuses and why."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.rooms import MODULES, ROOT, imports, listed, module, offered, parsed, room

FLOORS = (
    ("gwplan.models",),
    ("gwplan.problems", "gwplan.errors", "gwplan.files", "gwplan.extras", "gwplan.shown"),
    ("gwplan.catalogue",),
    ("gwplan.language",),
    ("gwplan.spreadsheet",),
    ("gwplan.instance",),
    ("gwplan.tree",),
    ("gwplan.check",),
    ("gwplan.storage",),
    ("gwplan.solver",),
    ("gwplan.plan",),
    ("gwplan.audit",),
    ("gwplan.conflict",),
    ("gwplan.kept",),
    ("gwplan.planning",),
    ("gwplan.session",),
    ("gwplan.studies",),
    ("gwplan.show",),
    ("gwplan.ui",),
    ("gwplan.interface",),
    ("gwplan.commands",),
    ("gwplan.cli",),
    ("gwplan.old_name",),
)
"""The rooms from the ground up; each imports from those beneath it alone."""

LOOKED_FOR = {
    "--lock": ("optimizer/studies/locks.py", "lock"),
    "--grid": ("optimizer/studies/sweep/grid.py", "grid"),
    "a kept sweep": ("optimizer/kept/sweep.py", "KeptSweep"),
    "gwplan compare": ("optimizer/studies/compare.py", "figure_differences"),
    "first moves": ("optimizer/plan/first_moves.py", "first_moves"),
    "memory limit": ("optimizer/tree/timeline.py", "available"),
    "stay near": ("optimizer/kept/stay_near.py", "stay_near"),
    "tornado": ("optimizer/studies/sweep/tornado.py", "tornado"),
    "expected value of perfect information": ("optimizer/studies/uncertainty.py", "uncertainty"),
    "a backtest": ("optimizer/studies/backtest/backtest.py", "study"),
    "what to pay for an offer": ("optimizer/studies/price.py", "price"),
    "what is owed": ("optimizer/plan/obligations.py", "owed"),
    "why there is no plan": ("optimizer/conflict/diagnose.py", "diagnose"),
    "the certificate": ("optimizer/solver/certify.py", "certify"),
    "a column of the format": ("optimizer/catalogue/tables.py", "TABLES"),
    "a kept run": ("optimizer/kept/run.py", "keep"),
    "gwplan roll": ("optimizer/studies/roll.py", "rolled"),
    "the printed plan": ("optimizer/show/text/plan.py", "print_plan"),
    "the report of a plan": ("optimizer/show/report/plan.py", "plan_report"),
    "pictures": ("optimizer/show/charts/pictures.py", "PICTURES"),
    "what-ifs from a basis": ("optimizer/session.py", "Session"),
    "gwplan ui": ("optimizer/ui/server.py", "application"),
    "levers of the page": ("optimizer/ui/levers.py", "levers"),
    "gw.evaluate": ("optimizer/interface.py", "evaluate"),
    "what a notebook shows": ("optimizer/show/report/notebook.py", "plan_html"),
    "the audit": ("optimizer/audit/audit.py", "audit"),
}
"""Rule 1: what somebody new looks for, the file that its name leads to, and what stands there."""

WIDE = {
    "gwplan.models.demand": "each function is one constraint, as the formulation lists them",
    "gwplan.models.value": "each function is one term of the objective",
    "gwplan.models.offers": "each function is one constraint, as the formulation lists them",
    "gwplan.tree.arrays": "each function makes the arrays of one table",
    "gwplan.plan.plan": "a plan's tables and figures, each by its name",
    "gwplan.plan.tables": "each function makes one table of a plan",
    "gwplan.studies.backtest.policies": "each function is one policy",
    "gwplan.studies.sweep.montecarlo": "each function makes one table of a Monte Carlo",
    "gwplan.show.charts.over_time": "each function draws one picture",
    "gwplan.show.charts.drawing": "the vocabulary that pictures are written in",
    "gwplan.show.theme": "the vocabulary that pictures are written in",
    "gwplan.show.page": "the vocabulary that printed parts are written in",
    "gwplan.show.report.report": "the vocabulary that reports are written in",
    "gwplan.show.workbook.page": "the vocabulary that workbooks are written in",
    "gwplan.instance.cells": "one function for each kind of cell, read and written",
    "gwplan.instance.selection": "the steps of an edit, which edits, draws and quantities share",
    "gwplan.kept.sweep": "one function for each thing that is done with a kept sweep",
    "gwplan.files": "the ground: what is read and written safely",
    "gwplan.commands.common": "the options that commands share",
    "gwplan.interface": "one function for each command",
    "gwplan.show.report.notebook": "one function for each object that shows itself, each for what it writes",
    "gwplan.planning": "the stages from instance to plan, one by one",
}
"""Rule 2: files with many public names for their size, and why."""

SMALL = {"gwplan.cli": "where the command line begins"}
"""Rule 3: files of fewer than 120 lines that one room alone uses, and why; none may have more than 900."""

FOLDERS = {
    "gwplan.commands": "one command a file",
    "gwplan.models": "one family of constraints a file, beside what they stand on",
}
"""Rule 5: folders with fewer than 3 or more than 12 files, and why."""

TWICE = {
    "Facts": "the audit has its own, that it may share nothing with what it audits",
    "Finding": "the audit has its own, that it may share nothing with what it audits",
    "Nodes": "the audit has its own, that it may share nothing with what it audits",
    "Page": "a printed page and a page of a workbook are written alike",
    "Column": "a column of the format and a column of a workbook's page",
}
"""Rule 8: class names that exist twice, and why."""

CODE = [name for name in MODULES if MODULES[name].name != "__init__.py"]


def within(name: str, *packages: str) -> bool:
    """Return whether a module is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def public(name: str) -> list[ast.FunctionDef | ast.ClassDef]:
    """Return the public functions and classes of a module."""
    return [
        node
        for node in parsed(name).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]


def length(name: str) -> int:
    """Return the number of lines of a module."""
    return len(MODULES[name].read_text(encoding="utf-8").splitlines())


def without_docstrings(tree: ast.AST) -> set[int]:
    """Return the lines of docstrings beneath a node."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }


def defined(path: str) -> set[str]:
    """Return the names that a file defines, imports apart."""
    names = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("feature", LOOKED_FOR)
def test_a_concept_stands_in_the_file_that_its_name_leads_to(feature: str) -> None:
    """Rule 1: a stranger finds it at first try, and it is not moved or renamed without this list."""
    path, name = LOOKED_FOR[feature]
    assert name in defined(path)


def test_files_are_deep() -> None:
    """Rule 2: at most one public name or parameter for six lines of code, or six public names at most."""
    wide = set()
    for name in CODE:
        names = public(name)
        functions = [node for node in names if isinstance(node, ast.FunctionDef)]
        functions += [
            part
            for node in names
            if isinstance(node, ast.ClassDef)
            for part in node.body
            if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")
        ]
        given = [arg for each in functions for arg in (*each.args.args, *each.args.kwonlyargs) if arg.arg != "self"]
        text = MODULES[name].read_text(encoding="utf-8").splitlines()
        told = without_docstrings(parsed(name))
        code = sum(bool(line.strip()) and number not in told for number, line in enumerate(text, start=1))
        if len(names) > 6 and 6 * (len(names) + len(given)) > code:
            wide.add(name)
    assert wide == set(WIDE)


def test_files_are_neither_scraps_nor_heaps() -> None:
    """Rule 3: 120 to 900 lines; fewer with importers in two folders, for one command, one family of constraints."""
    users = defaultdict(set)
    for name in MODULES:
        for other, _ in imports(name):
            users[other].add(room(name))
    small = {
        name
        for name in CODE
        if length(name) < 120
        and len(users[name]) < 2
        and users[name] != {"gwplan.commands"}
        and not within(name, "gwplan.commands", "gwplan.models")
    }
    assert small == set(SMALL)
    assert {name for name in MODULES if length(name) > 900} == set()
    assert [str(path) for path in (ROOT / "tests").rglob("*.py") if len(path.read_text().splitlines()) > 900] == []


def test_functions_fit_a_screen() -> None:
    """Rule 4: a function has at most 60 lines, its docstring apart."""
    long = []
    for path in (*MODULES.values(), *(ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                told = node.body[0] if ast.get_docstring(node) else None
                without = (told.end_lineno or 0) - told.lineno + 1 if told else 0
                if (node.end_lineno or 0) - node.lineno + 1 - without > 60:
                    long.append(f"{path.relative_to(ROOT)} {node.name}")
    assert not long


def test_folders_are_rooms() -> None:
    """Rule 5: a folder holds 3 to 12 files; three files with one prefix would be a folder."""
    counted = Counter(room(name) for name in CODE)
    assert {name for name, count in counted.items() if not 3 <= count <= 12} == set(FOLDERS)
    prefixes = Counter((room(name), part[0]) for name in CODE if len(part := name.rpartition(".")[2].split("_")) > 1)
    assert {prefix for prefix, count in prefixes.items() if count > 2} == set()


def test_imports_point_down_alone() -> None:
    """Rule 6: the way from tables to plan is a one-way street, so that a room can be read without those above it."""

    def floor(name: str) -> int:
        return next(number for number, rooms in enumerate(FLOORS) if within(name, *rooms))

    edges = {name: {other for other, _ in imports(name) if other in MODULES} - {name} for name in MODULES}
    upwards = [
        (name, other)
        for name, others in edges.items()
        if name != "gwplan"
        for other in others
        if floor(other) > floor(name)
    ]
    assert not upwards
    both = {
        (a, b)
        for a, others in edges.items()
        for b in others
        if room(a) != room(b)
        and any(room(x) == room(b) and room(y) == room(a) for x, ys in edges.items() for y in ys)
        and "gwplan" not in (room(a), room(b))
    }
    assert not both
    left = {name: others - {"gwplan"} for name, others in edges.items() if name != "gwplan"}
    while leaves := [name for name, others in left.items() if not others & left.keys()]:
        for name in leaves:
            del left[name]
    assert not left  # what is left imports itself by way of others


def test_a_room_names_what_others_use() -> None:
    """Rule 7: what a room offers stands in its docstring (``python -m tests.rooms`` writes it), all else is its own."""
    rooms = {name: uses for name, uses in offered().items() if name not in ("gwplan.models", "gwplan")}
    assert {name: listed(name) for name in rooms} == rooms


def test_names_tell_apart() -> None:
    """Rule 8: a class name exists once; ``found`` and ``told`` name nothing."""
    homes = defaultdict(list)
    empty = []
    for name in MODULES:
        for node in ast.walk(parsed(name)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name)
            taken = (
                [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef)
                else [node.arg] if isinstance(node, ast.arg)
                else [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []
            )  # fmt: skip
            empty += [f"{name} {getattr(node, 'lineno', '')}" for each in taken if each in ("found", "told")]
    assert {name for name, modules in homes.items() if len(modules) > 1} == set(TWICE)
    assert not empty


def test_the_mathematics_know_no_tables_files_or_solver() -> None:
    """``models`` can be read, and used, as mathematics."""
    fine = {"__future__", "collections", "dataclasses", "functools", "importlib", "math", "typing", "numpy", "pyomo"}
    for name in MODULES:
        if within(name, "gwplan.models"):
            beyond = {other for other, _ in imports(name) if not within(other, "gwplan.models")}
            assert {other.split(".")[0] for other in beyond} <= fine, name


def test_one_file_knows_the_solver_and_the_audit_knows_no_model() -> None:
    """Highspy stays in one file; the audit shares neither the model nor the arrays that it was built from."""
    banned = ("gwplan.models", "pyomo", "highspy", "gwplan.tree", "gwplan.solver", "gwplan.planning")
    for name in MODULES:
        imported = {other for other, _ in imports(name)}
        if name != "gwplan.solver.highs":
            assert not any(within(other, "highspy") for other in imported), name
        if within(name, "gwplan.audit"):
            assert not [other for other in imported if within(other, *banned)], name


def test_every_file_lies_in_a_room() -> None:
    """The list of rooms is whole: no file of the product lies outside of it."""
    for name in MODULES:
        assert name == "gwplan" or any(within(name, *rooms) for rooms in FLOORS), module(Path(MODULES[name]))
