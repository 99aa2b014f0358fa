"""An instance folder or workbook into an `Instance`: every file read once, every problem of every file told at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from optimizer.catalogue.tables import SCHEMA_VERSION, TABLES
from optimizer.check.check import raise_errors
from optimizer.instance.cells import Parsed, empty, shown
from optimizer.instance.instance import Factor, Instance, WhatIf
from optimizer.problems import InstanceError, Problem
from optimizer.spreadsheet.package import ENDINGS
from optimizer.storage.reading import Reading
from optimizer.storage.rows import ALL, read_csv, read_sections
from optimizer.storage.sources import WHATIFS, Sources, is_input, read_file, read_folder
from optimizer.storage.toml import read_factors, read_whatif

UNCERTAINTY = "uncertainty.toml"


def load(path: str | Path) -> Instance:
    """Read an instance.

    Parameters
    ----------
    path : str or Path
        The folder that holds ``instance.toml``, or a workbook that ends in ``.xlsx`` or ``.xlsm``.

    Returns
    -------
    Instance
        The instance; ``files`` holds the sha256 of the bytes that were read.

    Raises
    ------
    InstanceError
        If anything in it breaks a rule of the format; it carries every problem found.
    """
    reading = _read_book(path) if is_workbook(path) else read_sources(read_folder(path))
    _refuse_other_version(reading)
    return reading.instance()


def is_workbook(path: str | Path) -> bool:
    """Return whether a path names a workbook rather than a folder."""
    return Path(path).suffix.lower() in ENDINGS and not Path(path).is_dir()


def left_behind(path: str | Path) -> list[str]:
    """Return the names of what is in an instance's folder or workbook and is no part of the instance."""
    if is_workbook(path):
        from optimizer.storage.workbook_read import other_sheets

        return other_sheets(path)
    return [entry.name for entry in sorted(Path(path).iterdir()) if entry.name != WHATIFS and not is_input(entry.name)]


def _read_book(path: str | Path) -> Reading:
    from optimizer.storage.workbook_read import read_workbook

    return read_workbook(path)


def read_sources(sources: Sources) -> Reading:
    """Read the texts of an instance's files."""
    reading = Reading(files=sources.hashes, problems=list(sources.problems))
    _read_sections(reading, sources)
    _read_tables(reading, sources)
    reading.factors, factors_whole = _read_factors(reading, sources)
    reading.whatifs = _read_whatifs(reading, sources)
    if not factors_whole:
        reading.broken.add("uncertainty")
    reading.present |= {name for name, table in TABLES.items() if table.file in sources.texts}
    return reading


def _read_sections(reading: Reading, sources: Sources) -> None:
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


def _refuse_other_version(reading: Reading) -> None:
    """Refuse an instance of another version alone: the rules of this version say nothing about its tables."""
    version = reading.frames["instance"]["schema"].iloc[0]
    if version != SCHEMA_VERSION and version == version:
        remedy = "bring it up to date with gwplan migrate" if version < SCHEMA_VERSION else "use a newer gwplan"
        rule = f"this gwplan reads version {SCHEMA_VERSION} of the format"
        where = reading.sheets.place(TABLES["instance"], 1, "schema") if reading.sheets else "instance.toml schema"
        raise InstanceError(Problem(where, f"version {shown(version)}", rule, remedy))


def _read_tables(reading: Reading, sources: Sources) -> None:
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


def _read_factors(reading: Reading, sources: Sources) -> tuple[tuple[Factor, ...], bool]:
    if UNCERTAINTY not in sources.texts:
        return (), UNCERTAINTY not in sources.unreadable
    factors, problems = read_factors(sources.texts[UNCERTAINTY], UNCERTAINTY)
    reading.problems += problems
    return factors, not problems


def _read_whatifs(reading: Reading, sources: Sources) -> dict[str, WhatIf]:
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
