"""Measures every phase of the registry's cases (``run``), or holds another commit beside this one (``compare``)."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.registry import CASES, LARGE, QUICK, READING
from tests.benchmarks.report import SLOWER, Runs, markdown, slower

ROOT: Final = Path(__file__).resolve().parents[2]
PEERS: Final = ("gwplan", "bare highspy", "linopy", "Pyomo appsi_highs")
TREES: Final = tuple(case for case in CASES if case not in LARGE)
MARK: Final = "<!-- tables of the last run: python -m tests.benchmarks run -->"
SLOW_PEERS: Final = ("Pyomo appsi_highs",)
"""Measured once."""
PEER_CASES: Final = ("16,000", "120,000")
SOLVED: Final = "16,000"
"""The case of which each peer's program is solved too, to the same optimum."""


def measured(root: Path, *what: str) -> dict[str, Any]:
    """Return what one process measured with the checkout at `root`."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.benchmarks.measure", *what]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(what)}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def progress(text: str) -> None:
    """Tell on stderr what is measured next."""
    print(text, file=sys.stderr, flush=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure, and write the tables and the JSON."""
    page = arguments.json.with_suffix(".md")
    runs: Runs = {"phases": [], "warm": [], "peers": [], "starts": [], "reading": []}
    if arguments.json.exists() and arguments.add:
        runs |= json.loads(arguments.json.read_text(encoding="utf-8"))
    for part, what in _asked(arguments):
        progress(" ".join(what))
        runs[part].append(measured(ROOT, *what))
        arguments.json.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    tables = markdown(runs)
    if page.exists():
        text = page.read_text(encoding="utf-8").partition(MARK)[0]
        page.write_text(f"{text}{MARK}\n\n{tables}\n", encoding="utf-8")
    print(tables)


def _asked(arguments: argparse.Namespace) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every measurement that is asked for, and where it belongs; repeats of a case are not next to each other."""
    cases = [case for case in arguments.cases or CASES if case in QUICK or not arguments.quick]
    trees = [case for case in arguments.trees if case in QUICK or not arguments.quick]
    for turn in range(arguments.repeats):
        for case in READING if "reading" in arguments.parts else ():
            yield "reading", ("reading", case)
        for case in cases:
            if turn and case in LARGE:
                continue
            yield "phases", ("phases", case, "solves")
            if "warm" in arguments.parts and case not in LARGE:
                yield "warm", ("warm", case)
        for case in PEER_CASES if "peers" in arguments.parts and not arguments.quick else ():
            for name in PEERS:
                if turn and name in SLOW_PEERS:
                    continue
                yield "peers", ("peer", case, name, *(("solves",) if not turn and case == SOLVED else ()))
    for case in trees if "starts" in arguments.parts else ():
        yield "starts", ("starts", case)


def compare(arguments: argparse.Namespace) -> None:
    """Measure another commit and this checkout in turn, and name every phase that became much slower."""
    found: dict[str, list[dict[str, Any]]] = {"base": [], "here": []}
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch) / "base"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", base, arguments.base], cwd=ROOT, check=True)
        try:
            for case in arguments.cases:
                for _ in range(arguments.repeats):
                    for name, root in (("base", base), ("here", ROOT)):
                        progress(f"{case}: {name}")
                        found[name].append(measured(root, "phases", case, "solves"))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", base], cwd=ROOT, check=True)
    report, flagged = slower(found["base"], found["here"])
    print(report)
    if flagged:
        raise SystemExit(f"more than {SLOWER} times slower: {', '.join(flagged)}")


def _case(name: str) -> str:
    # argparse holds an empty list of names against `choices` too
    if name not in CASES:
        raise argparse.ArgumentTypeError(f"no such case: '{name}'; there are {', '.join(CASES)}")
    return name


def main(words: Iterable[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run", help="measure this checkout")
    running.add_argument("cases", nargs="*", type=_case, metavar="CASE", help="default: all of the registry")
    running.add_argument("--parts", nargs="*", default=["warm", "peers", "starts", "reading"])
    running.add_argument("--trees", nargs="*", default=TREES, choices=[*CASES])
    running.add_argument("--repeats", type=int, default=3)
    running.add_argument("--quick", action="store_true", help="the small cases alone, without peers")
    running.add_argument("--json", type=Path, default=ROOT / "docs" / "benchmarks.json")
    running.add_argument("--add", action="store_true", help="keep what the JSON file holds already")
    running.set_defaults(does=run)
    comparing = commands.add_parser("compare", help="hold another commit beside this checkout")
    comparing.add_argument("base")
    comparing.add_argument("--cases", nargs="*", default=["reference", "2,000", "16,000"], choices=[*CASES])
    comparing.add_argument("--repeats", type=int, default=5)
    comparing.set_defaults(does=compare)
    arguments = parser.parse_args(None if words is None else list(words))
    arguments.does(arguments)


if __name__ == "__main__":
    main()
