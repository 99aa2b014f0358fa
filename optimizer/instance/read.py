"""An instance folder into an `Instance`: every file read once, every problem of every file told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from optimizer.instance.cells import Parsed, empty, shown
from optimizer.instance.check import check, raise_errors
from optimizer.instance.documents import read_factors, read_whatif
from optimizer.instance.instance import Factor, Instance, WhatIf
from optimizer.instance.problems import InstanceError, Problem
from optimizer.instance.rows import ALL, read_csv, read_sections
from optimizer.instance.schema import SCHEMA_VERSION, TABLES, Table, allowed_columns
from optimizer.instance.sources import WHATIFS, Sources, read_file, read_folder

UNCERTAINTY = "uncertainty.toml"


@dataclass
class _Reading:
    """What has been read so far, and what was wrong with it."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def take(self, table: Table, parsed: Parsed) -> None:
        """Keep a table with its problems, and note the columns that they leave incomplete."""
        self.frames[table.name] = parsed.frame
        self.problems += parsed.problems
        columns = {column for column, _ in parsed.faults}
        if ALL in columns:
            columns = {column.name for column in allowed_columns(table)}
        self.broken |= {f"{table.name}.{column}" for column in columns}


def load(path: str | Path) -> Instance:
    """Read an instance folder.

    Parameters
    ----------
    path : str or Path
        The folder that holds ``instance.toml``.

    Returns
    -------
    Instance
        The instance; ``files`` holds the sha256 of the bytes that were read.

    Raises
    ------
    InstanceError
        If anything in the folder breaks a rule of the format; it carries every problem found.
    """
    sources = read_folder(path)
    reading = _Reading()
    _read_sections(reading, sources)
    _read_tables(reading, sources)
    factors, factors_whole = _read_factors(reading, sources)
    whatifs = _read_whatifs(reading, sources)
    if not factors_whole:
        reading.broken.add("uncertainty")
    present = frozenset(name for name, table in TABLES.items() if table.section or table.file in sources.texts)
    instance = Instance(reading.frames, present, factors, whatifs, sources.hashes)
    problems = sources.problems + reading.problems
    problems += check(instance, broken=reading.broken, warnings=False)
    raise_errors(dict.fromkeys(problems))
    return instance


def _read_sections(reading: _Reading, sources: Sources) -> None:
    file = "instance.toml"
    if file not in sources.texts and file not in sources.unreadable:
        remedy = "give the folder of an instance, or make one with gwplan new"
        reading.problems.append(Problem(file, "no such file", "every instance has one", remedy))
    sections = read_sections(sources.texts.get(file))
    readable = file in sources.texts and not any(column == ALL for column, _ in sections["instance"].faults)
    for name, parsed in sections.items():
        reading.take(TABLES[name], parsed if readable else Parsed(parsed.frame, parsed.faults))
        if not readable:
            reading.broken |= {f"{name}.{column.name}" for column in TABLES[name].columns}
    _refuse_other_version(reading.frames["instance"])


def _refuse_other_version(section: pd.DataFrame) -> None:
    """Refuse an instance of another version alone: the rules of this version say nothing about its tables."""
    version = section["schema"].iloc[0]
    if version != SCHEMA_VERSION and version == version:
        remedy = "bring it up to date with gwplan migrate" if version < SCHEMA_VERSION else "use a newer gwplan"
        rule = f"this gwplan reads version {SCHEMA_VERSION} of the format"
        raise InstanceError(Problem("instance.toml schema", f"version {shown(version)}", rule, remedy))


def _read_tables(reading: _Reading, sources: Sources) -> None:
    for table in TABLES.values():
        if table.section:
            continue
        if table.file in sources.texts:
            reading.take(table, read_csv(table, sources.texts[table.file]))
            continue
        reading.frames[table.name] = empty(table)
        if table.file in sources.unreadable or table.required:
            reading.broken |= {f"{table.name}.{column.name}" for column in table.columns}
        if table.required and table.file not in sources.unreadable:
            remedy = "add it; gwplan new writes one of each file"
            reading.problems.append(Problem(table.file, "no such file", "every instance has one", remedy))


def _read_factors(reading: _Reading, sources: Sources) -> tuple[tuple[Factor, ...], bool]:
    if UNCERTAINTY not in sources.texts:
        return (), UNCERTAINTY not in sources.unreadable
    factors, problems = read_factors(sources.texts[UNCERTAINTY], UNCERTAINTY)
    reading.problems += problems
    return factors, not problems


def _read_whatifs(reading: _Reading, sources: Sources) -> dict[str, WhatIf]:
    whatifs = {}
    for file in _whatif_files(sources.texts):
        name = PurePosixPath(file).stem
        whatif, problems = read_whatif(sources.texts[file], file, name)
        reading.problems += problems
        if whatif is not None:
            whatifs[name] = whatif
    return whatifs


def load_whatif(path: str | Path) -> WhatIf:
    """Read one what-if file.

    Parameters
    ----------
    path : str or Path
        A TOML file; its stem is the what-if's name.

    Raises
    ------
    InstanceError
        If it cannot be read or breaks a rule of the format.
    """
    sources = read_file(path)
    problems, whatif = list(sources.problems), None
    for where, text in sources.texts.items():
        whatif, found = read_whatif(text, where, Path(path).stem)
        problems += found
    raise_errors(problems)
    if whatif is None:
        raise InstanceError(problems)
    return whatif


def _whatif_files(files: Iterable[str]) -> list[str]:
    return sorted(file for file in files if file.startswith(f"{WHATIFS}/"))
