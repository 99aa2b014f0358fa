"""By hand: ``python -m tests.mutants FOLDER COUNT SEED`` changes what the code says, to see what tests notice.

COUNT places of FOLDER are drawn: a word, figure, comparison, sign, ``and``, ``not`` or choice of two is another there.
The tests that reach the place run, the quickest first, for about `SECONDS`; the changes that they let live are listed.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import accumulate
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 - once, before all the forks
import pyomo.environ  # noqa: F401
import pytest

REACHING = {
    "optimizer/show/text": "export/test_printed* export/test_words* cli/test_[bceuw]* cli/test_al* cli/test_sw*",
    "optimizer/plan": "export/test_[pw]* results/test_[!d]* whatif/test_first* whatif/test_exp* published/test_tiny*",
    "optimizer/conflict": "results/test_diagnose* results/test_words* cli/test_inf*",
}
"""By folder: the tests that may reach it."""

SECONDS = 8.0
PAIRS = ("Lt GtE", "Gt LtE", "Eq NotEq", "Is IsNot", "In NotIn", "And Or", "Add Sub", "Mult Div")
OTHER = {getattr(ast, a): getattr(ast, b) for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])}


def other(value: Any) -> Any:
    """Return another word or figure; the same for what is neither, or is a tolerance of arithmetic."""
    if isinstance(value, str):
        digit = re.search(r"(?<=\.)\d", value)  # of a format
        word = max(re.findall(r"\w+", value), key=len, default="")
        return value.replace(*((digit[0], str(int(digit[0]) + 1)) if digit else (word, "XX")), 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or 0 < value < 1e-5:
        return not value if isinstance(value, bool) else value
    return 3 * value if isinstance(value, float) and value else value + 1


def others(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand instead of a part of the code."""
    match node:
        case ast.Constant(value) if other(value) is not value:
            yield ast.Constant(other(value))
        case ast.Compare(left, [op], right) if type(op) in OTHER:
            yield ast.Compare(left, [OTHER[type(op)]()], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(OTHER[type(op)](), values)
        case ast.BinOp(left, op, right) if type(op) in OTHER:
            yield ast.BinOp(left, OTHER[type(op)](), right)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Tuple([one, two, *rest], ast.Load()) if ast.dump(one) != ast.dump(two):
            yield ast.Tuple([two, one, *rest], ast.Load())
        case ast.Dict([*keys], [one, two, *rest]):
            yield ast.Dict(keys, [two, one, *rest])


def places(tree: ast.AST, named: bool = False) -> Iterator[tuple[ast.AST, ast.AST, Callable[[], None]]]:
    """Yield each part, what may stand there, and what puts it there; types, docstrings, names of columns stay."""
    for field, value in ast.iter_fields(tree):
        parts = value if isinstance(value, list) else [value]
        for i, part in enumerate(parts):
            if not isinstance(part, ast.AST) or field in ("annotation", "returns", "keys"):
                continue
            names = (named or field == "slice") and not isinstance(part, ast.Call)
            text = isinstance(part, ast.Constant) and isinstance(part.value, str)
            plain = field == "format_spec" and not re.search(r"\.\d", ast.dump(part))
            if plain or (text and (names or isinstance(tree, ast.Expr))):
                continue
            for new in others(part):
                ast.fix_missing_locations(ast.copy_location(new, part))
                at = partial(value.__setitem__, i) if isinstance(value, list) else partial(setattr, tree, field)
                yield part, new, partial(at, new)
            yield from places(part, names)


class Mutant(SourceFileLoader):
    """Finds and loads one module, with another part in one place."""

    def __init__(self, path: str, number: int) -> None:
        super().__init__(path.removesuffix(".py").replace("/", "."), path)
        self.tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        old, new, put = list(places(self.tree))[number]
        self.line: int = old.lineno  # type: ignore[attr-defined]
        self.told = f"{path}:{self.line}: {ast.unparse(old)[:90]} -> {ast.unparse(new)[:90]}"
        put()

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Return where this module is, and no other."""
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, _: str) -> Any:
        """Return the other code."""
        return compile(self.tree, self.path, "exec")


class Reached:
    """Notes the lines that each test reaches, and the seconds of computing that it takes."""

    def __init__(self, folder: str) -> None:
        self.inside, self.tests = str(Path(folder).resolve()), dict[str, tuple[float, list[str]]]()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Trace a test."""
        lines: set[tuple[str, int]] = set()

        def trace(frame: Any, *_: Any) -> Any:
            code = frame.f_code
            if not code.co_filename.startswith(self.inside) or code.co_name == "<module>":
                return None
            lines.add((code.co_filename, frame.f_lineno))
            return trace

        began, failed = time.process_time(), item.session.testsfailed
        sys.settrace(trace)
        yield
        sys.settrace(None)
        if item.session.testsfailed == failed:  # what fails as the code is tells nothing
            told = [f"{os.path.relpath(path, ROOT)}:{line}" for path, line in lines]
            self.tests[item.nodeid] = time.process_time() - began, told


ROOT = Path(__file__).parents[1]


def forked(work: Callable[[], int], seconds: float) -> int:
    """Return what some work returns in a process of its own, silent; 1 of one that computes too long."""
    if not (child := os.fork()):
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        os._exit(work())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return 1 if code < 0 else code


def reached(folder: str) -> dict[str, tuple[float, list[str]]]:
    """Return, by test, the seconds of computing that it takes and the lines of the folder that it reaches."""
    with tempfile.NamedTemporaryFile("r") as file:

        def work() -> int:
            note = Reached(folder)
            files = [str(path) for glob in REACHING[folder].split() for path in sorted(ROOT.glob(f"tests/{glob}.py"))]
            pytest.main(["-p", "no:cacheprovider", *files], plugins=[note])
            return Path(file.name).write_text(json.dumps(note.tests), encoding="utf-8") and 0

        forked(work, 3600)
        found: dict[str, tuple[float, list[str]]] = json.load(file)
    return found


def noticed(mutant: Mutant, tests: dict[str, tuple[float, list[str]]]) -> bool:
    """Return whether a test fails with other code: of those that reach its line, then its module, for some seconds."""
    there = f"{mutant.path}:{mutant.line}"
    ranked = sorted((there not in lines, seconds, test) for test, (seconds, lines) in tests.items()
                    if any(line.startswith(f"{mutant.path}:") for line in lines))  # fmt: skip
    spent = accumulate(seconds for _, seconds, _ in ranked)
    chosen = [
        test for at, ((_, _, test), so_far) in enumerate(zip(ranked, spent, strict=True)) if not at or so_far <= SECONDS
    ]

    def work() -> int:
        sys.meta_path.insert(0, mutant)
        return int(pytest.main(["-x", "-p", "no:cacheprovider", *chosen]))

    return bool(chosen) and forked(work, 5 * SECONDS + 10) != 0


def main(folder: str, count: int, seed: int) -> None:
    """Draw, try and tell."""
    os.chdir(ROOT)
    tests = reached(folder)
    every = [(str(path), number) for path in sorted(Path(folder).glob("*.py"))
             for number, _ in enumerate(places(ast.parse(path.read_text(encoding="utf-8"))))]  # fmt: skip
    drawn = sorted(random.Random(seed).sample(every, min(count, len(every))))
    lived = 0
    for path, number in drawn:
        mutant = Mutant(path, number)
        if not noticed(mutant, tests):
            lived += 1
            print("lives:", mutant.told, flush=True)
    print(f"{folder}: {len(drawn)} of {len(every)} changes, seed {seed}: {len(drawn) - lived} noticed, {lived} live")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), int(sys.argv[2]), int(sys.argv[3]))
