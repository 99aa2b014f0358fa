"""An instance of an older version of the format brought to the current one, step by step from version to version."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gwplan.catalogue.tables import SCHEMA_VERSION
from gwplan.files import printable, refuse_occupied, whole_folder
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError, Problem
from gwplan.storage.read import is_workbook, read_any, read_folder, read_sources, version
from gwplan.storage.write import write_texts

STEPS: Final[MutableMapping[int, Callable[[dict[str, str]], list[str]]]] = {}
"""By version: changes the texts of a folder's files to those of the next version, and returns what it changed, a line
each. Version 1 is the first that there was, so that there is none yet."""

_SCHEMA: Final = re.compile(r"^(\s*schema\s*=\s*)[-+]?\d+", re.MULTILINE)


@dataclass(frozen=True)
class Migrated:
    """An instance brought to the current version, checked."""

    instance: Instance
    texts: dict[str, str]  # of its files by their path in the folder, comments kept; empty for a workbook
    version: int  # that it had
    changes: tuple[str, ...]


def migrate(path: str | Path) -> Migrated:
    """Return an instance of an older version brought to the current one; what is there stays as it is.

    Raises
    ------
    InstanceError
        If it says no version or one that cannot be brought up, or breaks a rule of the format then.
    """
    reading, where = read_any(path), printable(str(path))
    old = version(reading)
    if old is None or old == SCHEMA_VERSION:
        return Migrated(reading.instance(), {}, SCHEMA_VERSION, ())
    if old > SCHEMA_VERSION:
        rule = f"this gwplan reads version {SCHEMA_VERSION} of the format"
        raise InstanceError(Problem(where, f"version {old}", rule, "use a newer gwplan"))
    if any(number not in STEPS for number in range(old, SCHEMA_VERSION)):
        rule = f"no way leads from it to version {SCHEMA_VERSION}; the first version that there was is 1"
        raise InstanceError(Problem(where, f"version {old}", rule, "correct the number"))
    if is_workbook(path):
        rule = "folders alone are brought up"
        remedy = "convert it to a folder with the gwplan that wrote it"
        raise InstanceError(Problem(where, f"a workbook of version {old}", rule, remedy))
    sources, changes = read_folder(path), []
    for number in range(old, SCHEMA_VERSION):
        changes += STEPS[number](sources.texts)
        sources.texts["instance.toml"] = _SCHEMA.sub(rf"\g<1>{number + 1}", sources.texts["instance.toml"], count=1)
    return Migrated(read_sources(sources).instance(), sources.texts, old, tuple(changes))


def replace(migrated: Migrated, folder: str | Path) -> Path:
    """Put what was migrated in the place of the folder that it came from, and return where that is kept."""
    source = Path(os.path.realpath(folder))
    kept = source.with_name(f"{source.name}.version-{migrated.version}")
    refuse_occupied(kept, force=None, replaceable=lambda _: False, kind="")
    with whole_folder(kept) as copy:
        shutil.copytree(source, copy, symlinks=True, dirs_exist_ok=True)
    write_texts(migrated.texts, source, force=True)
    return kept
