"""Change instance files at random and watch the commands: ``python -m tests.fuzz SECONDS FOLDER [SEED]``.

Whatever the files say, a command ends with an exit code of the interface, within ten seconds, without a traceback.
Files that reach lines which none reached before are kept as the start of further changes, and written to FOLDER.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from click.testing import CliRunner

from gwplan.cli import main
from tests.cli.conftest import INSTANCES
from tests.generate import random_instance

Files = dict[str, bytes]
PACKAGE = str(Path(INSTANCES).parent / "optimizer")
CELLS = (
    b"", b"0", b"-1", b"1e308", b"nan", b"inf", b"none", b"true", b"2026-13-01", b"2026-02-29", b"9999-12-31", b"x",
    b"1,5", b'"', b"=1+1", b"1e-320", b"0.0001", b"2027-01-01", b"\xff", b"\x00", b"*", b"[a]", b"  1 ", b"12",
)  # fmt: skip
HANG_S = 10


class Hang(BaseException):
    """A command took longer than it may."""


CORPUS = Path(__file__).parent / "corpus"
"""Instances that earlier runs kept: they end in different ways, and the suite runs them again."""


def seeds() -> list[Files]:
    """Return the instances from which changes start."""
    folders = [*INSTANCES.glob("tiny-*"), *CORPUS.iterdir()]
    with tempfile.TemporaryDirectory() as scratch:
        folders += [random_instance(s, Path(scratch) / str(s), integers=bool(s % 2)) for s in range(6)]
        return [{f.name: f.read_bytes() for f in folder.glob("*.*") if f.suffix != ".md"} for folder in folders]


def changed(files: Files, others: list[Files], rng: random.Random) -> Files:
    """Return files with a few changes."""
    new = dict(files)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        name = rng.choice(sorted(new))
        lines = new[name].split(b"\n")
        at = rng.randrange(len(lines))
        match rng.randrange(9):
            case 0 | 1 | 2:
                mark = b"," if name.endswith(".csv") else b" "
                cells = lines[at].split(mark)
                cells[rng.randrange(len(cells))] = rng.choice(CELLS)
                lines[at] = mark.join(cells)
            case 3:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 4:
                del lines[at]
            case 5:
                text = bytearray(new[name])
                if text:
                    text[rng.randrange(len(text))] = rng.randrange(256)
                lines = bytes(text).split(b"\n")
            case 6:
                donor = rng.choice(others)
                lines = donor.get(name, new[name]).split(b"\n")
            case 7:
                donor = rng.choice(others)
                other = rng.choice(sorted(donor))
                new[other] = donor[other]
            case _ if len(new) > 1 and rng.random() < 0.3:
                del new[name]
                continue
        new[name] = b"\n".join(lines)
    return new


def reached(arguments: list[str], *, traced: bool = True) -> tuple[set[tuple[str, int]], str]:
    """Run a command; return the lines of the package that it reached, and what is wrong with how it ended.

    What takes too long while every line is traced is tried again without.
    """
    lines: set[tuple[str, int]] = set()

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        return local if frame.f_code.co_filename.startswith(PACKAGE) else None

    if traced:
        sys.settrace(trace)
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)  # processor time: others may be busy on the machine
    exception: BaseException | None = None
    try:
        result = CliRunner().invoke(main, arguments)
        exception = result.exception
    except Hang as hang:
        exception = hang
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.settrace(None)
    if isinstance(exception, Hang):
        return (lines, reached(arguments, traced=False)[1]) if traced else (lines, "hang")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return lines, "".join(traceback.format_exception(result.exception)[-6:])
    if result.exit_code not in (0, 1, 3, 4):
        return lines, f"exit code {result.exit_code}: {result.output[-500:]}"
    if result.exit_code == 1 and "error:" not in result.output:
        return lines, f"exit code 1 without a word: {result.output[-300:]}"
    return lines, ""


def run(seconds: float, folder: Path, seed: int) -> int:
    """Fuzz for some time and print what was found; return how many runs ended wrongly."""
    rng = random.Random(seed)
    signal.signal(signal.SIGPROF, _too_long)
    corpus, seen, runs, wrong = seeds(), set[tuple[str, int]](), 0, 0
    began = said = time.monotonic()
    while time.monotonic() - began < seconds:
        files = changed(rng.choice(corpus), corpus, rng)
        with tempfile.TemporaryDirectory() as scratch:
            instance = Path(scratch) / "instance"
            instance.mkdir()
            for name, content in files.items():
                (instance / name).write_bytes(content)
            command = rng.choice((["check"], ["check"], ["solve", "--json"], ["explain", "--json"]))
            lines, fault = reached([command[0], str(instance), *command[1:]])
            runs += 1
            kept = f"{'wrong' if fault else 'kept'}-{runs:06d}"
            if fault:
                wrong += 1
                print(f"{kept} {command[0]}: {fault}", flush=True)
            if fault or lines - seen:
                shutil.copytree(instance, folder / kept)
            if lines - seen:
                corpus.append(files)
                seen |= lines
        if time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"{runs} runs, {len(corpus)} kept, {len(seen)} lines, {wrong} wrong", flush=True)
    print(f"done: {runs} runs, {len(corpus)} kept, {len(seen)} lines, {wrong} wrong", flush=True)
    return wrong


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Hang


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    sys.exit(1 if run(float(sys.argv[1]), target, int(sys.argv[3]) if len(sys.argv) > 3 else 0) else 0)
