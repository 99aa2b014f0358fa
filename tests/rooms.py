"""The rooms of the house as their files are: what imports what, and what each room offers to the others.

``python -m tests.rooms`` writes into each room's ``__init__`` which of its names other rooms use.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"models": "gwplan.models", "optimizer": "gwplan"}
USED = "Other rooms use:"
_LISTED = re.compile(rf'\n\n{USED}\n.*?(?=""")', re.DOTALL)


def module(path: Path) -> str:
    """Return the dotted name of a source file."""
    top, *inside = path.relative_to(ROOT).with_suffix("").parts
    return ".".join((PACKAGES[top], *inside)).removesuffix(".__init__")


MODULES = {module(path): path for folder in PACKAGES for path in sorted((ROOT / folder).rglob("*.py"))}


@cache
def parsed(name: str) -> ast.Module:
    """Return a module as its syntax tree."""
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[tuple[str, str]]:
    """Yield every module that a module imports, wherever in the file, with the name taken from it; blank: all of it."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole, "") if whole in MODULES else (node.module, alias.name)


def room(name: str) -> str:
    """Return the folder of a module, dotted."""
    return name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]


def offered() -> dict[str, dict[str, set[str]]]:
    """Return, for each room and each of its files, the names that other rooms import; ``*``: the file as a whole."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in MODULES:
        for other, taken in imports(name):
            if other in MODULES and other != room(other) and room(other) != room(name) and name != "gwplan":
                found[room(other)][other.rpartition(".")[2]].add(taken or "*")
    return found


def listed(name: str) -> dict[str, set[str]]:
    """Return what a room's docstring says that other rooms use."""
    told = ast.get_docstring(parsed(name)) or ""
    rows = re.findall(r"^- ``(\w+)``(?:: ((?:[\w, *]|\n  )+))?", told.partition(USED)[2], re.MULTILINE)
    return {file: {word.strip() for word in (names or "*").split(",")} for file, names in rows}


def _written(name: str, uses: dict[str, set[str]]) -> str:
    lines = []
    for file, names in sorted(uses.items()):
        line = f"- ``{file}``" + (
            "" if names == {"*"} else ": " + ", ".join(sorted(names, key=lambda name: (name.lower(), name)))
        )
        while len(line) > 118:
            at = line.rindex(", ", 0, 117)
            lines.append(line[: at + 1])
            line = f"  {line[at + 2 :]}"
        lines.append(line)
    text = _LISTED.sub("", MODULES[name].read_text(encoding="utf-8").rstrip())
    summary, quotes, rest = text.removeprefix('"""').partition('"""')
    return f'"""{summary.rstrip()}\n\n{USED}\n\n' + "\n".join(lines) + f"\n{quotes}{rest}\n"


if __name__ == "__main__":
    for each, used in offered().items():
        if each not in ("gwplan.models", "gwplan"):
            MODULES[each].write_text(_written(each, used), encoding="utf-8")
    sys.exit(0)
