"""What the docs show, read from their pages and run: commands, Python, files.

A block in a page is one of these, by the word behind its fence:

- ``console``: commands behind ``$``, each with what it prints; a line ``...`` stands for any lines, a line that ends in
  a backslash goes on in the next. A command that is shown to print an error, or that there is no plan, must fail, any
  other must not.
- ``python``: run; what it prints stands in a block ``text`` right behind it.
- ``csv``, ``toml``: written to the file that the line before it ends in, as in: Into `mine/demand.csv`:
- ``diff``: an example of CONTRIBUTING.md, which has tests of its own.
- anything else needs a comment right before it that says why it is not run: ``<!-- not run: REASON -->``; or the page
  has one comment that says where its blocks are run: ``<!-- blocks run by: FILE -->``.

Each page runs from top to bottom in a folder of its own that holds the instances.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests.cli.conftest import in_process

ROOT = Path(__file__).resolve().parents[2]

NOT_RUN = re.compile(r"<!-- not run: (\S.*?) -->\s*")
ELSEWHERE = re.compile(r"<!-- blocks run by: (\S+) -->")
SILENT = {"math", "{toctree}", "{eval-rst}", "diff"}
"""Blocks that are no snippets, or have tests of their own."""

_FAILS = re.compile(r"^(error: |No plan can keep)", re.MULTILINE)
_WRITES = re.compile(r"gwplan (new|convert|export|roll|migrate)\b| --(out|into|force)\b")

Printed = tuple[int, str, str]
"""Exit code, what was printed on stdout, and on stdout and stderr as they came."""


@dataclass(frozen=True)
class Block:
    """A block of code in a page.

    Attributes
    ----------
    line : int
        Where it begins, from 1.
    kind : str
        The word behind its fence; blank: an indented block.
    text : str
        What is in it.
    before : str
        Source of the paragraph or comment right before it.
    shown : str
        Of Python: what it is said to print.
    """

    line: int
    kind: str
    text: str
    before: str = ""
    shown: str = ""

    @property
    def file(self) -> str:
        """The file that the block is the content of; blank: none is named."""
        named = re.search(r"`([^`\s]+)`:\s*$", self.before)
        return named[1] if named and self.kind in {"csv", "toml"} else ""

    @property
    def runs(self) -> bool:
        """Whether the block is run."""
        return self.kind in {"console", "python"} or bool(self.file)


def pages() -> list[Path]:
    """Return every page of the docs."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return sorted([*found, *(ROOT / "instances").glob("*/README.md")])


def blocks(page: str) -> list[Block]:
    """Return the blocks of code of a page, output of Python with its code."""
    source = page.splitlines(keepends=True)
    found: list[Block] = []
    before, behind_python = "", False
    for token in MarkdownIt("commonmark").parse(page):
        if token.map is None or token.type.endswith("_close"):
            continue
        if token.type in {"fence", "code_block"}:
            kind = token.info.split()[0] if token.info.split() else ""
            if kind == "text" and behind_python:
                found[-1] = Block(found[-1].line, "python", found[-1].text, found[-1].before, token.content)
            else:
                found.append(Block(token.map[0] + 1, kind, token.content, before))
            behind_python, before = kind == "python", ""
        elif token.type in {"inline", "html_block", "heading_open"}:
            before, behind_python = "".join(source[token.map[0] : token.map[1]]), False
    return found


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Yield every command of a console block with the output shown for it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        end = next((number for number, line in enumerate(lines) if not line.endswith("\\")), 0) + 1
        yield "\n".join(lines[:end]), "\n".join(lines[end:])


def matches(shown: str, found: str) -> bool:
    """Return whether the output is as shown, where a line ``...`` stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in shown.splitlines())
    return re.fullmatch(pattern, found) is not None


def here(arguments: list[str]) -> Printed:
    """Run ``gwplan`` in this process."""
    done = in_process(arguments)
    return done.exit_code, done.stdout, done.output


def run(command: str, gwplan: Callable[[list[str]], Printed]) -> Printed:
    """Run a command of a console block."""
    program, *arguments = shlex.split(command.replace("\\\n", " "))
    if program == "cat":
        text = "".join(Path(name).read_text(encoding="utf-8") for name in arguments)
        return 0, text, text
    if program != "gwplan":
        raise ValueError(f"the docs run gwplan and cat, not: {command}")
    return gwplan(arguments)


@dataclass(frozen=True)
class Outcome:
    """What came of a command or of Python.

    Attributes
    ----------
    line : int
        Where its block begins.
    head : str
        Source right before the output that is shown.
    shown : str
        The output that is shown.
    code : int
        Exit code; 0 of Python.
    printed : tuple of str
        What may be shown of it: stdout, or stdout and stderr as they came.
    """

    line: int
    head: str
    shown: str
    code: int
    printed: tuple[str, ...]


def outcomes(page: str, gwplan: Callable[[list[str]], Printed] = here) -> Iterator[Outcome]:
    """Run a page in the working folder and yield what comes of each command and piece of Python."""
    names: dict[str, Any] = {}
    known: dict[str, Printed] = {}  # a page may show what one command prints in parts, while its files stay as they are
    for block in blocks(page):
        if NOT_RUN.fullmatch(block.before):
            continue
        if block.kind == "console":
            for command, shown in commands(block.text):
                if _WRITES.search(command):
                    known.clear()
                if command not in known:
                    known[command] = run(command, gwplan)
                code, *printed = known[command]
                yield Outcome(block.line, f"$ {command}\n", shown, code, tuple(printed))
        elif block.kind == "python":
            told = io.StringIO()
            with contextlib.redirect_stdout(told):
                exec(compile(block.text, f"line {block.line}", "exec"), names)
            yield Outcome(block.line, f"{block.text}```\n\n```text\n", block.shown, 0, (told.getvalue(),))
        elif block.file:
            known.clear()
            path = Path(block.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def faults(page: str, gwplan: Callable[[list[str]], Printed] = here) -> Iterator[str]:
    """Run a page in the working folder and yield what does not come out as shown."""
    for each in outcomes(page, gwplan):
        what = f"line {each.line}: {each.head.splitlines()[0]}"
        if (each.code != 0) != bool(_FAILS.search(each.shown)):
            yield f"{what}\nended with {each.code}:\n{each.printed[-1]}"
        elif each.shown.strip() in ("", "...") and each.head.startswith("$ "):
            yield f"{what}\nno output is shown"
        elif not any(matches(each.shown, text) for text in each.printed):
            yield f"{what}\nprints\n{each.printed[-1]}"


def changes(page: str) -> Iterator[tuple[str, str, str]]:
    """Run a page; of what does not come out as shown, yield the source before it, what is shown and what is printed."""
    for each in outcomes(page):
        if not any(matches(each.shown, text) for text in each.printed):
            yield each.head, each.shown, each.printed[-1 if each.code else 0]
