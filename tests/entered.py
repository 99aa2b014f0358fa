"""Which files of the product a piece of work enters, and how often it calls a function: `python -m tests.entered`."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import gwplan as gw

ROOT = Path(gw.__file__).resolve().parents[1]
HOMES = tuple(f"{folder}/" for folder in (Path(gw.__file__).parent, ROOT / "optimizer", ROOT / "models"))
INSTANCE = str(ROOT / "instances" / "meta-2026h1")
EDIT = "contracts.cost_bn_per_gw_year *= 1.1"


@contextlib.contextmanager
def calls() -> Iterator[Counter[CodeType]]:
    """Count the calls of every function of the product, in all threads; what a module runs at import is none."""
    found: Counter[CodeType] = Counter()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(HOMES) and frame.f_code.co_name != "<module>":
            found[frame.f_code] += 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def times(found: Counter[CodeType], function: Any) -> int:
    """Return how often a function of the product was called."""
    return found[function.__code__]


def gwplan(*arguments: str) -> None:
    """Run a command in this process, its words left unsaid."""
    from gwplan.cli import main

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main(list(arguments), standalone_mode=False)


def workbook(folder: Path) -> None:
    """Solve an instance, keep the run and make its workbook."""
    gwplan("solve", INSTANCE, "--out", str(folder / "run"))
    gwplan("export", str(folder / "run"), "--xlsx", str(folder / "plan.xlsx"))


def home(definition: str) -> Any:
    """Return the module that holds a definition, wherever it lives."""
    found = [path for path in (ROOT / "optimizer").rglob("*.py") if definition in path.read_text(encoding="utf-8")]
    return import_module(".".join(("gwplan", *found[0].relative_to(ROOT / "optimizer").with_suffix("").parts)))


def files(work: Callable[[], object]) -> list[str]:
    """Return the files whose functions a piece of work enters."""
    with calls() as found:
        work()
    return sorted({str(Path(code.co_filename).relative_to(ROOT)) for code in found})


def main() -> None:
    """Print how many files are entered on three ways, and with -v which."""
    instance = gw.load(INSTANCE)
    session = gw.Session(instance)
    engine = home("\nclass Worker:")
    worker = engine.Worker(engine.packed(instance))
    with tempfile.TemporaryDirectory() as scratch:
        ways = {
            "instance folder to workbook": lambda: workbook(Path(scratch)),
            "a what-if's edit to its answer": lambda: session.solve(EDIT).objective_bn,
            "a sweep's case to its row": lambda: worker.answer([EDIT]),
        }
        for name, work in ways.items():
            entered = files(work)
            print(f"{name}: {len(entered)} files", *(entered if "-v" in sys.argv else ()), sep="\n  ")


if __name__ == "__main__":
    main()
