"""Records: what kept folders have in common, their manifest and the digests that tell when a part was changed."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any, Final

from optimizer.instance.instance import Instance
from optimizer.problems import InstanceError, Problem
from optimizer.storage.sources import printable

MANIFEST, INSTANCE = "manifest.json", "instance"
_PACKAGES: Final = ("gwplan", "pyomo", "highspy", "numpy", "pandas")


@dataclass(frozen=True)
class Kind:
    """A kind of kept folder.

    Attributes
    ----------
    words : str
        What such a folder is called.
    form : str
        What its manifest says as its ``format``.
    newest : int
        Version of it that this gwplan writes, and the newest that it reads.
    maker : str
        The commands that make one.
    """

    words: str
    form: str
    newest: int
    maker: str

    def made(self, folder: Path) -> bool:
        """Return whether a folder is of this kind, of any version, whole or not."""
        manifest = folder / MANIFEST
        if not manifest.is_file():
            return False
        try:
            return self._is_manifest(json.loads(manifest.read_bytes()))
        except (ValueError, RecursionError):
            return False

    def manifest(self, root: Path) -> dict[str, Any]:
        """Return the manifest of a folder of this kind that this version can read.

        Raises
        ------
        InstanceError
            If there is no such folder, or its manifest is not one that can be read.
        """
        where = printable(str(root))
        if not root.is_dir():
            what = "not a folder" if root.exists() else "no such folder"
            raise InstanceError(Problem(where, what, f"a {self.words} is a folder", f"give one made by {self.maker}"))
        path = root / MANIFEST
        if not path.exists():
            rule = f"a {self.words} has a {MANIFEST}"
            raise InstanceError(Problem(where, f"not a {self.words}", rule, f"give one made by {self.maker}"))
        data = read_part(path, self.words)
        if isinstance(data, Problem):
            raise InstanceError(data)
        try:
            manifest = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise InstanceError(garbled(path, str(error))) from None
        if not self._is_manifest(manifest):
            raise InstanceError(garbled(path, f"its format is not '{self.form}'"))
        if manifest["version"] > self.newest:
            rule = f"this gwplan reads version {self.newest} of {self.words}s"
            where = printable(str(path))
            raise InstanceError(Problem(where, f"version {manifest['version']}", rule, "use a newer gwplan"))
        for key, kind in (("instance", str), ("digest", str), ("files", dict), ("edits", list), ("contents", dict)):
            if not isinstance(manifest.get(key), kind):
                raise InstanceError(garbled(path, f"no {key} in it"))
        return dict(manifest)

    def _is_manifest(self, found: object) -> bool:
        return isinstance(found, dict) and found.get("format") == self.form and type(found.get("version")) is int


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a plan rests on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def about(instance: Instance) -> dict[str, Any]:
    """Return what a manifest says of the instance."""
    return {
        "instance": instance.name,
        "digest": instance.digest,
        "files": dict(instance.files),
        "edits": list(instance.applied),
    }


def as_given(command: Sequence[str]) -> list[str]:
    """Return a command as given; of the program only its name."""
    return [PurePath(part).name if i == 0 else part for i, part in enumerate(command)]


def read_part(path: Path, words: str = "kept run") -> bytes | Problem:
    """Return the bytes of a file of a kept folder, or why there are none; waits for no pipe or device."""
    where = printable(str(path))
    try:
        if path.exists() and not path.is_file():
            return Problem(where, "not a regular file", f"a {words} holds regular files", "solve and keep it again")
        return path.read_bytes()
    except FileNotFoundError:
        return Problem(where, "no such file", f"every {words} has one", "solve and keep it again")
    except OSError as error:
        return Problem(where, "cannot be read", (error.strerror or str(error)).lower(), "check that it may be read")


def garbled(path: Path, reason: str) -> Problem:
    """Return the problem of a part that says nothing."""
    return Problem(printable(str(path)), "garbled", reason, "solve and keep it again")


def changed(path: Path, words: str = "kept run") -> Problem:
    """Return the problem of a part that is not what was kept."""
    rule = f"a {words} is a record; its {MANIFEST} tells another content"
    return Problem(printable(str(path)), "changed since it was kept", rule, "solve and keep it again")


def json_bytes(figures: Mapping[str, Any]) -> bytes:
    """Return figures as JSON."""
    text = json.dumps(plain(figures), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # a file name typed on the command line need not be text; its odd bytes become escapes that JSON knows
    return text.encode("utf-8", "backslashreplace")


def plain(value: Any) -> Any:
    """Return figures as JSON can hold them: what is not finite (a gap never judged) becomes null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sha256(data: bytes) -> str:
    """Return the digest of a part."""
    return hashlib.sha256(data).hexdigest()
