"""An instance back into a folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import LEVERS, TABLES, Column, Table, allowed_columns
from gwplan.files import printable, refuse_occupied, whole_file, whole_folder
from gwplan.instance.instance import Instance
from gwplan.language.edits import Lever
from gwplan.problems import InstanceError, Problem
from gwplan.spreadsheet.package import ENDINGS
from gwplan.storage.read import WHATIFS, is_input
from gwplan.storage.toml import factors_toml, levers_toml, toml_text, whatif_toml

_TO_QUOTE = frozenset(',"\r\n')


def save(instance: Instance, folder: str | Path, *, force: bool = False) -> None:
    """Write an instance as a folder, whole or not at all; reading it back gives an equal instance.

    Parameters
    ----------
    instance : Instance
        The instance.
    folder : str or Path
        Folder to make; the folders above it are made.
    force : bool
        Whether to replace an instance that is there. Files that no instance is read from (a README, say) stay.

    Raises
    ------
    InstanceError
        If the folder exists and is not to be replaced, or holds no instance, or cannot be written.
    """
    write_texts(tables_written(instance), folder, force=force)


def is_workbook_name(path: str | Path) -> bool:
    """Return whether a path that is to be written names a workbook."""
    return Path(path).suffix.lower() in ENDINGS


def write(instance: Instance, target: str | Path, *, force: bool = False) -> None:
    """Write an instance as the path's ending says: a workbook where it is ``.xlsx``, else a folder."""
    if is_workbook_name(target):
        from gwplan.storage.workbook_write import save_workbook

        save_workbook(instance, target, force=force)
    else:
        save(instance, target, force=force)


def tables_written(instance: Instance) -> dict[str, str]:
    """Return the text of every file of an instance, by its path inside the folder."""
    texts = {"instance.toml": _sections(instance)}
    for name, table in TABLES.items():
        if not table.section and (table.required or name in instance.present or len(instance.tables[name])):
            texts[table.file] = _csv(table, instance.tables[name])
    if instance.factors:
        texts["uncertainty.toml"] = factors_toml(instance.factors)
    if instance.levers:
        texts[LEVERS.file] = levers_toml(instance.levers)
    for name, whatif in instance.whatifs.items():
        texts[f"{WHATIFS}/{name}.toml"] = whatif_toml(whatif)
    return texts


def write_texts(texts: Mapping[str, str], folder: str | Path, *, force: bool | None = False) -> None:
    """Write texts as the files of an instance folder, whole or not at all."""
    target = Path(os.path.realpath(folder))
    refuse_occupied(target, force=force, replaceable=_holds_instance, kind="a folder that holds an instance")
    with whole_folder(target, replace=bool(force)) as fresh:
        for name, text in texts.items():
            path = fresh / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        if target.is_dir():
            _keep_other_files(target, fresh)


def write_levers(levers: Sequence[Lever], source: str | Path) -> Path:
    """Write levers as the ``levers.toml`` of an instance's folder, where there is none."""
    target = Path(source) / LEVERS.file
    if not _holds_instance(Path(source)):
        rule, remedy = (
            "levers are written into the folder of an instance",
            "gwplan convert makes a folder of a workbook",
        )
        raise InstanceError(Problem(printable(str(source)), "no folder of an instance", rule, remedy))
    refuse_occupied(target, force=None, replaceable=lambda _: False, kind="")
    if levers:
        with whole_file(target) as new:
            new.write_text(levers_toml(levers), encoding="utf-8")
    return target


def _holds_instance(folder: Path) -> bool:
    return (folder / "instance.toml").is_file()


def _keep_other_files(source: Path, fresh: Path) -> None:
    """Copy what no instance is read from: it is not the instance's to delete."""
    for entry in source.iterdir():
        if is_input(entry.name) or (fresh / entry.name).exists() or entry.name == WHATIFS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, fresh / entry.name, symlinks=True)
        else:
            shutil.copy2(entry, fresh / entry.name, follow_symlinks=False)


def _sections(instance: Instance) -> str:
    blocks = []
    for name, table in TABLES.items():
        if table.section:
            frame = instance.tables[name]
            values = {column: frame[column.name].iloc[0] for column in table.columns}
            lines = [f"{c.name} = {_toml(c, value)}" for c, value in values.items() if not _is_blank(value)]
            if name == "instance":
                blocks.append("\n".join(lines))
            elif lines:
                blocks.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def _is_blank(value: Any) -> bool:
    return bool(value == "" if isinstance(value, str) else pd.isna(value))


def _toml(column: Column, value: Any) -> str:
    return toml_text(value) if column.kind == "text" else _cell(column, value)


def _cell(column: Column, value: Any) -> str:
    """Return a typed cell as text that reads back as the same value."""
    match column.kind:
        case "number" | "integer":
            return "" if np.isnan(value) else repr(float(value)).removesuffix(".0")
        case "date":
            return "" if pd.isna(value) else str(pd.Timestamp(value).date())
        case "flag":
            return "" if pd.isna(value) else str(bool(value)).lower()
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if _TO_QUOTE & set(value) else value


def _csv(table: Table, frame: pd.DataFrame) -> str:
    own = {column.name for column in table.columns}
    columns = [
        c for c in allowed_columns(table) if (c.name in own and (c.key or c.required)) or not _all_blank(c, frame)
    ]
    cells = [
        [_cell(column, value) for column, value in zip(columns, row, strict=True)] for row in _rows(columns, frame)
    ]
    lines = [[column.name for column in columns], *cells]
    return "".join(",".join(line) + "\n" for line in lines)


def _rows(columns: list[Column], frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(zip(*(frame[column.name].tolist() for column in columns), strict=True))


def _all_blank(column: Column, frame: pd.DataFrame) -> bool:
    cells = frame[column.name]
    return bool((cells == "").all() if column.kind == "text" else cells.isna().all())
