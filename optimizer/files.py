"""Files and folders that are written whole or not at all.

Everything is made inside a hidden folder beside the target and then renamed into place, so that a failure, Ctrl-C or
a kill leaves what was there before, and at worst a hidden folder ``.gwplan-*.partial`` that nothing reads.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from optimizer.problems import InstanceError, Problem
from optimizer.storage.sources import printable


def refuse_occupied(target: Path, *, force: bool | None, replaceable: Callable[[Path], bool], kind: str) -> None:
    """Raise unless `target` can be written: nothing is there, or something that may be replaced.

    Parameters
    ----------
    target : Path
        File or folder that is to be written.
    force : bool or None
        Whether the user asked to replace what is there; None where there is no asking.
    replaceable : callable
        Tells whether what is at a path is of the kind that `force` replaces.
    kind : str
        That kind, with its article, for the message.

    Raises
    ------
    InstanceError
        If something else is there, or the place cannot be written to.
    """
    place = Path(os.path.abspath(target))
    with told(target):
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


@contextmanager
def whole_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a new empty folder that becomes `target` when the block ends without an exception.

    Parameters
    ----------
    target : Path
        The folder to be; the folders above it are made.
    replace : bool
        Whether a folder that is there gives way; it stays until the new one is complete.

    Raises
    ------
    InstanceError
        If it cannot be written, in one line; no trace of it is left then.
    """
    with told(target), _workshop(target) as (work, place):
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
    with told(target), _workshop(target) as (work, place):
        new = work / f"new{place.suffix}"
        yield new
        os.replace(new, place)


@contextmanager
def told(target: Path) -> Iterator[None]:
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
