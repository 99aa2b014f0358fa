"""The files of an instance folder: which there are, and their bytes, read once and without hanging."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from optimizer.catalogue.tables import TABLES
from optimizer.problems import InstanceError, Problem, nearest

LARGEST: Final = 200_000_000
"""Most bytes that one input file may have."""

_CHUNK: Final = 1 << 16

WHATIFS: Final = "whatifs"
KNOWN: Final = tuple(dict.fromkeys([*(table.file for table in TABLES.values()), "uncertainty.toml"]))
"""Every file that an instance folder may hold, beside the what-ifs."""

_WHAT: Final = "an instance is a folder or a workbook (.xlsx, .xlsm)"


@dataclass
class Sources:
    """The texts of an instance folder.

    Attributes
    ----------
    texts : dict of str to str
        Text of every file that could be read, by its path inside the folder.
    unreadable : set of str
        Files that are there but could not be read.
    hashes : dict of str to str
        sha256 of every file that was read.
    problems : list of Problem
        What kept files from being read, and names that the format does not know.
    """

    texts: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    hashes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_folder(path: str | Path) -> Sources:
    """Read every input file of an instance folder.

    Raises
    ------
    InstanceError
        If there is no such folder, or it cannot be listed.
    """
    if not str(path):  # a variable of the shell that is not set; a Path of it would be the folder one stands in
        remedy = "name the folder that holds instance.toml"
        raise InstanceError(Problem("instance", "no folder is named", "an instance is a folder", remedy))
    root = Path(path)
    sources = Sources()
    for name, entry in _listed(root):
        if name == WHATIFS:
            _read_whatifs(sources, root, entry)
        elif is_input(name):
            if name in KNOWN:
                _read(sources, root, entry, name)
            else:
                sources.problems.append(
                    Problem(name, "unknown file", "the format has no such file", nearest(name, KNOWN))
                )
        elif entry.is_dir() and get_close_matches(name.lower().strip("."), [WHATIFS], cutoff=0.8):
            rule = "what-ifs are read from the folder 'whatifs' only"
            sources.problems.append(Problem(f"{name}/", "unknown folder", rule, "rename it to 'whatifs'"))
    return sources


def read_file(path: str | Path) -> Sources:
    """Read one input file that the user named, wherever it is."""
    sources, given = Sources(), Path(path)
    _read(sources, Path(Path(os.path.abspath(path)).anchor), given, printable(str(given)))
    return sources


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a file that the user named, wherever it is.

    Raises
    ------
    InstanceError
        If it is no regular file, cannot be read or is too large.
    """
    data = _bytes(Path(Path(os.path.abspath(path)).anchor), Path(path), printable(str(path)))
    if isinstance(data, Problem):
        raise InstanceError(data)
    return data


def is_input(name: str) -> bool:
    """Return whether a file of that name is read as a part of an instance."""
    return name.lower().endswith((".csv", ".toml"))


def _listed(folder: Path) -> list[tuple[str, Path]]:
    """Return printable name and path of everything in a folder, sorted."""
    where = printable(str(folder))
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        remedy = "check the path, or make one with gwplan new"
        raise InstanceError(Problem(where, "no such folder", _WHAT, remedy)) from None
    except NotADirectoryError:
        remedy = "give the folder that holds instance.toml"
        raise InstanceError(Problem(where, "not a folder", _WHAT, remedy)) from None
    except (OSError, ValueError) as error:
        raise InstanceError(Problem(where, "cannot be listed", _reason(error), "check the path")) from None
    return [(printable(name), folder / name) for name in names]


def _read_whatifs(sources: Sources, root: Path, folder: Path) -> None:
    try:
        outside = not folder.resolve().is_relative_to(root.resolve())
        names = [] if outside else sorted(os.listdir(folder))
    except (OSError, RuntimeError) as error:
        sources.problems.append(
            Problem(WHATIFS, "cannot be listed", _reason(error), "make it a folder that may be read")
        )
        return
    if outside:
        sources.problems.append(_outside(WHATIFS))
    for file in names:
        name, entry = printable(file), folder / file
        relative = f"{WHATIFS}/{name}"
        if name.endswith(".toml"):
            _read(sources, root, entry, relative)
        elif is_input(name):
            rule = "what-ifs are files that end in .toml"
            sources.problems.append(Problem(relative, "unknown file", rule, "rename or remove it"))


def _outside(name: str) -> Problem:
    rule = "an instance is read from its own folder only"
    return Problem(name, "a link that leads out of the folder", rule, "copy what it points to into the folder")


def _read(sources: Sources, root: Path, path: Path, name: str) -> None:
    """Read one file into the sources, or note why not."""
    data = _bytes(root, path, name)
    if isinstance(data, bytes):
        sources.hashes[name] = hashlib.sha256(data).hexdigest()
        text = _decoded(data, name)
        if isinstance(text, str):
            sources.texts[name] = text
            return
        data = text
    sources.unreadable.add(name)
    sources.problems.append(data)


def _bytes(root: Path, path: Path, name: str) -> bytes | Problem:
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root.resolve()):
            return _outside(name)
        if not stat.S_ISREG(os.stat(resolved).st_mode):
            return Problem(name, "not a regular file", "every input is a regular file", "replace it by a file")
        # opened without blocking and checked again: it may have been swapped for a pipe since
        with os.fdopen(os.open(resolved, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Problem(name, "not a regular file", "every input is a regular file", "replace it by a file")
            # by chunks: to ask for the most that there may be would set aside as much memory
            data = b"".join(islice(iter(partial(file.read, _CHUNK), b""), LARGEST // _CHUNK + 1))
    except (OSError, RuntimeError) as error:
        return Problem(name, "cannot be read", _reason(error), "check that it exists and may be read")
    if len(data) > LARGEST:
        return Problem(name, "too large", f"a file may have {LARGEST // 10**6} MB", "split or shorten it")
    return data


def _decoded(data: bytes, name: str) -> str | Problem:
    """Return the bytes as text; UTF-8 only, with or without a byte order mark."""
    if 0 in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        where = f"{name} line {_line(data, data.index(0))}"
        what = f"a NUL character at byte {data.index(0)}"
        return Problem(where, what, "a text file has none", "save it as plain text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # with a byte order mark the decoder counts from behind it
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        where = f"{name} line {_line(data, start)}"
        what = f"byte {start} (0x{data[start]:02x}) is not UTF-8"
        return Problem(where, what, "files are read as UTF-8", "save it as UTF-8 (in Excel: CSV UTF-8)")


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def printable(name: str) -> str:
    """Return a file name that can be printed, whatever bytes it has."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()
