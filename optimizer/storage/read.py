"""An instance folder or workbook into an `Instance`: every file read once, every problem of every file told at once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from gwplan.catalogue.tables import GIVEN, LEVERS, SCHEMA_VERSION, TABLES
from gwplan.check.check import raise_errors
from gwplan.files import bytes_inside, leads_out, printable, reason
from gwplan.instance.cells import Parsed, empty, shown
from gwplan.instance.instance import Instance
from gwplan.language.edits import Factor, WhatIf
from gwplan.problems import InstanceError, Problem, composed, nearest
from gwplan.spreadsheet.package import ENDINGS
from gwplan.storage.rows import ALL, Reading, csv_rows, read_csv, read_listed, read_sections
from gwplan.storage.toml import read_factors, read_levers, read_whatif

WHATIFS: Final = "whatifs"
KNOWN: Final = tuple(dict.fromkeys([*(table.file for table in TABLES.values()), "uncertainty.toml", LEVERS.file]))
"""Every file that an instance folder may hold, beside the what-ifs."""

_WHAT: Final = "an instance is a folder or a workbook (.xlsx, .xlsm)"


@dataclass
class Sources:
    """The texts of an instance folder."""

    # text of every file that could be read, by its path inside the folder
    texts: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)  # files that are there but could not be read
    hashes: dict[str, str] = field(default_factory=dict)  # sha256 of every file that was read
    # what kept files from being read, and names that the format does not know
    problems: list[Problem] = field(default_factory=list)


def read_folder(path: str | Path) -> Sources:
    """Read every input file of an instance folder."""
    if not str(path):  # a variable of the shell that is not set; a Path of it would be the folder one stands in
        remedy = "name the folder that holds instance.toml"
        raise InstanceError(Problem("instance", "no folder is named", "an instance is a folder", remedy))
    root = Path(path)
    sources = Sources()
    for name, entry in _listed(root):
        if name == WHATIFS:
            _note_whatifs(sources, root, entry)
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


def given_table(path: str | Path, name: str) -> pd.DataFrame:
    """Return a small table that a command was given, typed as the catalogue says, its rows numbered as in the file.

    In TOML a row is a table of the name in the singular, ``[[rule]]`` of rules; they are numbered from 1.
    """
    file, content = _given_text(path)
    table = replace(GIVEN[name], path=file)
    parsed = read_listed(table, content) if file.lower().endswith(".toml") else read_csv(table, content)
    if parsed.faults or not len(parsed.frame):
        raise InstanceError(parsed.problems or _no_rows(file))
    return parsed.frame


def given_rows(path: str | Path) -> tuple[str, list[str], dict[int, list[str]], list[Problem]]:
    """Return a file that a command was given: its name, header and whole rows by number, and problems of others."""
    file, content = _given_text(path)
    header, rows, faults = csv_rows(file, content)
    problems = [problem for _, problem in faults]
    if not rows:
        raise InstanceError(problems or _no_rows(file))
    return file, header, rows, problems


def _given_text(path: str | Path) -> tuple[str, str]:
    sources = read_file(path)
    if sources.problems:
        raise InstanceError(sources.problems)
    return printable(Path(path).name), next(iter(sources.texts.values()))


def _no_rows(file: str) -> Problem:
    return Problem(file, "no rows", "each row below the header says one thing", "write one")


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
        raise InstanceError(Problem(where, "cannot be listed", reason(error), "check the path")) from None
    return [(printable(name), folder / name) for name in names]


def _note_whatifs(sources: Sources, root: Path, folder: Path) -> None:
    try:
        outside = not folder.resolve().is_relative_to(root.resolve())
        names = [] if outside else sorted(os.listdir(folder))
    except (OSError, RuntimeError) as error:
        sources.problems.append(
            Problem(WHATIFS, "cannot be listed", reason(error), "make it a folder that may be read")
        )
        return
    if outside:
        sources.problems.append(leads_out(WHATIFS))
    for file in names:
        name, entry = composed(printable(file)), folder / file
        relative = f"{WHATIFS}/{name}"
        if name.endswith(".toml"):
            _read(sources, root, entry, relative)
        elif is_input(name):
            rule = "what-ifs are files that end in .toml"
            sources.problems.append(Problem(relative, "unknown file", rule, "rename or remove it"))


def _read(sources: Sources, root: Path, path: Path, name: str) -> None:
    """Read one file into the sources, or note why not."""
    data = bytes_inside(root, path, name)
    if isinstance(data, bytes):
        sources.hashes[name] = hashlib.sha256(data).hexdigest()
        text = _decoded(data, name)
        if isinstance(text, str):
            sources.texts[name] = text
            return
        data = text
    sources.unreadable.add(name)
    sources.problems.append(data)


def _decoded(data: bytes, name: str) -> str | Problem:
    """Return the bytes as text; UTF-8 only, with or without a byte order mark."""
    if 0 in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        where = f"{name} line {_line(data, data.index(0))}"
        what = f"a NUL character at byte {data.index(0)}"
        return Problem(where, what, "a text file has none", "save it as plain text in UTF-8")
    try:
        return composed(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        # with a byte order mark the decoder counts from behind it
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        where = f"{name} line {_line(data, start)}"
        what = f"byte {start} (0x{data[start]:02x}) is not UTF-8"
        return Problem(where, what, "files are read as UTF-8", "save it as UTF-8 (in Excel: CSV UTF-8)")


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


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
    reading = read_any(path)
    _refuse_other_version(reading)
    return reading.instance()


def read_any(path: str | Path) -> Reading:
    """Read a folder or a workbook, of whatever version."""
    if is_workbook(path):
        from gwplan.storage.workbook_read import read_workbook

        return read_workbook(path)
    return read_sources(read_folder(path))


def version(reading: Reading) -> int | None:
    """Return the version of the format that an instance says it has; None where it says none."""
    schema = reading.frames["instance"]["schema"].iloc[0]
    return int(schema) if schema == schema else None


def is_workbook(path: str | Path) -> bool:
    """Return whether a path names a workbook rather than a folder."""
    return Path(path).suffix.lower() in ENDINGS and not Path(path).is_dir()


def left_behind(path: str | Path) -> list[str]:
    """Return the names of what lies beside an instance in its folder or workbook, hidden files apart."""
    if is_workbook(path):
        from gwplan.storage.workbook_read import other_sheets

        return other_sheets(path)
    names = sorted(entry.name for entry in Path(path).iterdir())
    return [name for name in names if not (name == WHATIFS or is_input(name) or name.startswith("."))]


def read_sources(sources: Sources) -> Reading:
    """Read the texts of an instance's files."""
    reading = Reading(files=sources.hashes, problems=list(sources.problems))
    _read_sections(reading, sources)
    _read_tables(reading, sources)
    reading.factors, factors_whole = _read_factors(reading, sources)
    reading.whatifs = _read_whatifs(reading, sources)
    if LEVERS.file in sources.texts:
        reading.levers, problems = read_levers(sources.texts[LEVERS.file], LEVERS.file)
        reading.problems += problems
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
    said = version(reading)
    if said not in (None, SCHEMA_VERSION):
        remedy = "bring it up to date with gwplan migrate" if said < SCHEMA_VERSION else "use a newer gwplan"
        rule = f"this gwplan reads version {SCHEMA_VERSION} of the format"
        where = reading.sheets.place(TABLES["instance"], 1, "schema") if reading.sheets else "instance.toml schema"
        raise InstanceError(Problem(where, f"version {shown(said)}", rule, remedy))


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
    for file in sorted(file for file in sources.texts if file.startswith(f"{WHATIFS}/")):
        name = PurePosixPath(file).stem
        whatif, problems = read_whatif(sources.texts[file], file, name)
        reading.problems += problems
        if whatif is not None:
            whatifs[name] = whatif
    return whatifs


def load_whatif(path: str | Path) -> WhatIf:
    """Read one what-if file."""
    sources = read_file(path)
    problems, whatif = list(sources.problems), None
    for where, text in sources.texts.items():
        whatif, more = read_whatif(text, where, Path(path).stem)
        problems += more
    raise_errors(problems)
    if whatif is None:
        raise InstanceError(problems)
    return whatif
