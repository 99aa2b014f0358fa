"""Damaged folders: whatever is in them, they load or say what is wrong."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

from gwplan.check.check import check
from gwplan.problems import InstanceError
from gwplan.storage.read import load
from gwplan.storage.starter import starter
from tests.instance.folders import SMALL, WHOLE, written

SEEDS: Final = range(200)
GARBAGE: Final = (
    *("", " ", "-", "-1", "0", "1e999", "nan", "inf", "1e308", "99999999999999999999", "0.5", "1_000", "-0", "true"),
    *("2027-02-30", "0000-00-00", "9999-12-31", "0001-01-01", "=1+1", "=cmd|x", "'", '"', '""', ",", "\r", "\n", "\\"),
    *("*", "[", "[[", "{", "=", "#", "ü", "\u202e", "\u0000", "\ufeff", "x" * 5000, "campus", "msl", "1;2", "\ud7ff"),
    *("\t", "NaT", "None", "<NA>"),
)
ENCODINGS: Final = ("utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-8-sig", "utf-7")
_LIMIT_SECONDS: Final = 10


@contextmanager
def _limited() -> Iterator[None]:
    """Fail, instead of waiting for ever, where loading hangs."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"loading took more than {_LIMIT_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _texts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in (".csv", ".toml"))


def _on_text(change: Callable[[str, random.Random], str]) -> Callable[[Path, random.Random], None]:
    def damage(folder: Path, generator: random.Random) -> None:
        path = generator.choice(_texts(folder))
        path.write_bytes(change(path.read_bytes().decode(errors="replace"), generator).encode(errors="replace"))

    damage.__name__ = change.__name__
    return damage


def _cells(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split("\n")]


def _joined(rows: list[list[str]]) -> str:
    return "\n".join(",".join(row) for row in rows)


@_on_text
def garbled_cell(text: str, generator: random.Random) -> str:
    """Put garbage into a cell."""
    rows = _cells(text)
    row = generator.choice(rows)
    row[generator.randrange(len(row))] = generator.choice(GARBAGE)
    return _joined(rows)


@_on_text
def blanked_cell(text: str, generator: random.Random) -> str:
    """Empty a cell."""
    rows = _cells(text)
    row = generator.choice(rows)
    row[generator.randrange(len(row))] = ""
    return _joined(rows)


@_on_text
def deleted_cell(text: str, generator: random.Random) -> str:
    """Take a cell out of its row."""
    rows = _cells(text)
    row = generator.choice(rows)
    row.pop(generator.randrange(len(row)))
    return _joined(rows)


@_on_text
def swapped_cells(text: str, generator: random.Random) -> str:
    """Exchange two cells of a file."""
    rows = _cells(text)
    one, two = generator.choice(rows), generator.choice(rows)
    i, j = generator.randrange(len(one)), generator.randrange(len(two))
    one[i], two[j] = two[j], one[i]
    return _joined(rows)


@_on_text
def deleted_line(text: str, generator: random.Random) -> str:
    """Take a line out."""
    lines = text.split("\n")
    lines.pop(generator.randrange(len(lines)))
    return "\n".join(lines)


@_on_text
def doubled_line(text: str, generator: random.Random) -> str:
    """Repeat a line somewhere."""
    lines = text.split("\n")
    lines.insert(generator.randrange(len(lines) + 1), generator.choice(lines))
    return "\n".join(lines)


@_on_text
def shuffled_lines(text: str, generator: random.Random) -> str:
    """Put the lines in another order."""
    lines = text.split("\n")
    generator.shuffle(lines)
    return "\n".join(lines)


@_on_text
def garbage_inserted(text: str, generator: random.Random) -> str:
    """Put garbage anywhere."""
    at = generator.randrange(len(text) + 1)
    return text[:at] + generator.choice(GARBAGE) + text[at:]


@_on_text
def cut_short(text: str, generator: random.Random) -> str:
    """Keep only the beginning."""
    return text[: generator.randrange(len(text) + 1)]


def other_encoding(folder: Path, generator: random.Random) -> None:
    """Write a file in another encoding."""
    path = generator.choice(_texts(folder))
    text = path.read_bytes().decode(errors="replace") + "\nübung"
    path.write_bytes(text.encode(generator.choice(ENCODINGS)))


def random_bytes(folder: Path, generator: random.Random) -> None:
    """Strew bytes into a file."""
    path = generator.choice(_texts(folder))
    data = bytearray(path.read_bytes())
    for _ in range(generator.randint(1, 8)):
        data.insert(generator.randrange(len(data) + 1), generator.randrange(256))
    path.write_bytes(bytes(data))


def exchanged_files(folder: Path, generator: random.Random) -> None:
    """Exchange the contents of two files."""
    one, two = generator.sample(_texts(folder), 2)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def something_else_in_place(folder: Path, generator: random.Random) -> None:
    """Put a folder, a pipe, a device, a bad link or nothing in a file's place."""
    path = generator.choice([*_texts(folder), folder / "whatifs"])
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    kind = generator.choice(["nothing", "folder", "fifo", "device", "dangling", "loop", "empty"])
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "empty":
        path.touch()
    elif kind != "nothing":
        path.symlink_to({"device": Path("/dev/zero"), "dangling": folder / "gone", "loop": path}[kind])


DAMAGES: Final[tuple[Callable[[Path, random.Random], None], ...]] = (
    *(garbled_cell, blanked_cell, deleted_cell, swapped_cells, deleted_line, doubled_line, shuffled_lines),
    *(garbage_inserted, cut_short, other_encoding, random_bytes, exchanged_files, something_else_in_place),
)


def _damaged(seed: int, folder: Path) -> str:
    """Write an instance, damage it, and return how."""
    generator = random.Random(seed)
    written(folder, generator.choice([SMALL, WHOLE, starter("new")]))
    done = []
    for _ in range(generator.choice([1, 1, 2, 4])):
        damage = generator.choice(DAMAGES)
        if _texts(folder)[1:]:
            damage(folder, generator)
            done.append(damage.__name__)
    return ", ".join(done)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_folder_loads_or_says_why_not(seed: int, tmp_path: Path) -> None:
    """Nothing but InstanceError comes out of a damaged folder, in time, with one printable line a problem."""
    how = _damaged(seed, tmp_path / "x")
    with _limited():
        try:
            problems = tuple(check(load(tmp_path / "x")))
        except InstanceError as error:
            problems = error.problems
            assert problems, how
    for problem in problems:
        line = str(problem)
        assert line.encode() and "\n" not in line and line.startswith(problem.where.split()[0]), how
        assert problem.what and problem.rule, how


def test_the_damage_is_damage(tmp_path: Path) -> None:
    """Most of the damaged folders are refused, and some still load: both ends of the test above are real."""
    refused = 0
    for seed in SEEDS[:60]:
        _damaged(seed, tmp_path / str(seed))
        try:
            load(tmp_path / str(seed))
        except InstanceError:
            refused += 1
    assert 20 < refused < 58
