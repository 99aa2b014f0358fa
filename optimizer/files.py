"""Files and folders, read without hanging and written whole or not at all.

Everything is made inside a hidden folder beside the target and then renamed into place, so that a failure, Ctrl-C or
a kill leaves what was there before, and at worst a hidden folder ``.gwplan-*.partial`` that nothing reads.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gwplan.extras import imported
from gwplan.problems import InstanceError, Problem
from gwplan.problems import printable as printable

LARGEST: Final = 200_000_000
"""Most bytes that one input file may have."""

_CHUNK: Final = 1 << 16


def refuse_occupied(target: Path, *, force: bool | None, replaceable: Callable[[Path], bool], kind: str) -> None:
    """Raise unless `target` can be written: nothing is there, or something that may be replaced."""
    place = Path(os.path.abspath(target))
    with naming(target):
        if not _there(place):
            parent = next(folder for folder in place.parents if _there(folder))
            if not os.access(parent, os.W_OK | os.X_OK):
                rule = f"{printable(str(parent))} may not be written into"
                raise InstanceError(_problem(target, "cannot be written", rule, "give another place"))
            return
        if not force:
            remedy = "give another name" + ("" if force is None else f", or --force to replace {kind}")
            raise InstanceError(_problem(target, "exists already", "nothing is overwritten unasked", remedy))
        if place.is_symlink() or not replaceable(place):
            remedy = "give another name, or remove it yourself"
            raise InstanceError(_problem(target, f"not {kind}", f"--force replaces only {kind}", remedy))


def new_file(path: str | Path, endings: Sequence[str], rule: str, *, force: bool) -> Path:
    """Return where a file is to be written; raise if its name ends otherwise, or what is there stays."""
    target = Path(path)
    if target.suffix.lower() not in endings:
        remedy = f"end the name in {' or '.join(endings)}"
        raise InstanceError(_problem(target, f"ending '{target.suffix}'", rule, remedy))
    refuse_occupied(target, force=force, replaceable=Path.is_file, kind="a file")
    return target


@contextmanager
def whole_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a new empty folder that becomes `target` when the block ends without an exception.

    Raises
    ------
    InstanceError
        If it cannot be written, in one line; no trace of it is left then.
    """
    with naming(target), _workshop(target) as (work, place):
        new = work / "new"
        new.mkdir()
        yield new
        if replace and _there(place):
            _swap(new, place, work / "old")
        else:
            os.rename(new, place)


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield the path of a new file that becomes `target`, replacing a file there, when the block ends well.

    Raises
    ------
    InstanceError
        If it cannot be written, in one line; no trace of it is left then.
    """
    with naming(target), _workshop(target) as (work, place):
        new = work / f"new{place.suffix}"
        yield new
        os.replace(new, place)


@contextmanager
def whole_workbook(path: Path, **options: bool) -> Iterator[Any]:
    """Yield a workbook of XlsxWriter that is made in memory and then written: XlsxWriter itself trips over a full disk.

    Raises
    ------
    InstanceError
        If XlsxWriter is not installed.
    """
    writer, data = imported("xlsxwriter", "XlsxWriter", extra="xlsx", doing="workbooks"), BytesIO()
    book = writer.Workbook(data, {"strings_to_formulas": False, "in_memory": True, **options})
    yield book
    book.close()  # of no use after an error, which a context manager would save all the same
    path.write_bytes(data.getvalue())


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Turn the system's refusals (no permission, disk full, impossible name) into one line that names `target`."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        remedy = "check the path, its permissions and the free space"
        raise InstanceError(_problem(target, "cannot be written", reason, remedy)) from error


@contextmanager
def _workshop(target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a hidden folder beside `target`, removed in the end, and the absolute path of `target`."""
    place = Path(os.path.abspath(target))
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".gwplan-", suffix=".partial", dir=place.parent))
    try:
        yield work, place
    finally:
        # what was replaced is the only copy until the new one stands in its place
        if not _there(work / "old") or _there(place):
            shutil.rmtree(work)


def _swap(new: Path, place: Path, old: Path) -> None:
    """Put `new` in the place of a folder that is there, or leave that one where it was."""
    os.rename(place, old)
    try:
        os.rename(new, place)
    except BaseException:
        os.rename(old, place)
        raise


def _there(path: Path) -> bool:
    """Return whether anything has that path, a link that leads nowhere included."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except ValueError as error:
        raise OSError(22, str(error)) from error
    return True


def _problem(target: Path, what: str, rule: str, remedy: str) -> Problem:
    return Problem(printable(str(target)), what, rule, remedy)


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a file that the user named, wherever it is."""
    data = bytes_inside(Path(Path(os.path.abspath(path)).anchor), Path(path), printable(str(path)))
    if isinstance(data, Problem):
        raise InstanceError(data)
    return data


def bytes_inside(root: Path, path: Path, name: str) -> bytes | Problem:
    """Return the bytes of a file inside a folder, called `name`, or why there are none."""
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root.resolve()):
            return leads_out(name)
        if not stat.S_ISREG(os.stat(resolved).st_mode):
            return Problem(name, "not a regular file", "every input is a regular file", "replace it by a file")
        # opened without blocking and checked again: it may have been swapped for a pipe since
        with os.fdopen(os.open(resolved, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Problem(name, "not a regular file", "every input is a regular file", "replace it by a file")
            # by chunks: to ask for the most that there may be would set aside as much memory
            data = b"".join(islice(iter(partial(file.read, _CHUNK), b""), LARGEST // _CHUNK + 1))
    except (OSError, RuntimeError) as error:
        return Problem(name, "cannot be read", reason(error), "check that it exists and may be read")
    if len(data) > LARGEST:
        return Problem(name, "too large", f"a file may have {LARGEST // 10**6} MB", "split or shorten it")
    return data


def leads_out(name: str) -> Problem:
    """Say that a file lies outside the folder that is read."""
    rule = "an instance is read from its own folder only"
    return Problem(name, "a link that leads out of the folder", rule, "copy what it points to into the folder")


def reason(error: Exception) -> str:
    """Return why the system refused, as the end of a sentence."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()
