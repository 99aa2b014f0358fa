"""Records: how runs, sweeps and comparisons are kept, read back and told from what is none of them."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from gwplan.catalogue.plan_tables import COLUMNS, dtypes
from gwplan.files import printable, refuse_occupied, whole_folder
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError, Problem
from gwplan.storage.write import save

MANIFEST, INSTANCE = "manifest.json", "instance"
_PACKAGES: Final = ("gwplan", "pyomo", "highspy", "numpy", "pandas")


@dataclass(frozen=True)
class Kind:
    """A kind of kept folder."""

    words: str  # what such a folder is called
    form: str  # what its manifest says as its ``format``
    newest: int  # version of it that this gwplan writes, and the newest that it reads
    maker: str  # the commands that make one
    record: str = MANIFEST  # the file that says what the folder is
    parts: tuple[str, ...] = ()  # what it holds besides, where the record does not list its contents

    def made(self, folder: Path) -> bool:
        """Return whether a folder is of this kind, of any version, whole or not."""
        record = folder / self.record
        if not record.is_file():
            return False
        try:
            return self._is_record(json.loads(record.read_bytes()))
        except (ValueError, RecursionError):
            return False

    def refuse(self, folder: str | Path, *, force: bool = False) -> None:
        """Raise unless one can be kept in `folder`; ask before long work."""
        target = Path(folder)
        refuse_occupied(target, force=force, replaceable=self.made, kind=f"a {self.words}")
        foreign = self._foreign(target) if force and self.made(target) else []
        if foreign:
            rule, remedy = f"--force replaces a {self.words}, nothing else", "move it elsewhere, or give another name"
            raise InstanceError(Problem(printable(str(target)), f"holds '{printable(foreign[0])}'", rule, remedy))

    def _foreign(self, folder: Path) -> list[str]:
        """Return what somebody has put into a kept folder: it would be lost with it."""
        kept = json.loads((folder / self.record).read_bytes()).get("contents")
        own = {self.record, *self.parts, *(kept if isinstance(kept, dict) else ())}
        return sorted(entry.name for entry in folder.iterdir() if entry.name not in own)

    def keep(
        self,
        instance: Instance,
        said: Mapping[str, Any],
        contents: Mapping[str, bytes],
        folder: str | Path,
        *,
        force: bool = False,
    ) -> Path:
        """Keep parts and the instance in a new folder, whole or not at all, with what is said of them and digests."""
        target = Path(folder)
        self.refuse(target, force=force)
        created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        digests = {INSTANCE: instance.digest, **{name: sha256(data) for name, data in contents.items()}}
        manifest = {"format": self.form, "version": self.newest, "created": created, **said, "contents": digests}
        with whole_folder(target, replace=force) as new:
            save(instance, new / INSTANCE)
            for name, data in {**contents, self.record: json_bytes(manifest)}.items():
                (new / name).write_bytes(data)
        return target

    def read(
        self, root: Path, manifest: Mapping[str, Any], readers: Mapping[str, Callable[[bytes], Any]]
    ) -> dict[str, Any]:
        """Return parts of a kept folder by name, each as its reader reads it."""
        problems, parts = [], {}
        for name, reader in readers.items():
            path = root / name
            data = self._part(path)
            if isinstance(data, Problem):
                problems.append(data)
            elif sha256(data) != manifest["contents"].get(name):
                problems.append(self.changed(path))
            else:
                try:
                    parts[name] = reader(data)
                except (ValueError, OSError, OverflowError, csv.Error, RecursionError) as error:
                    problems.append(garbled(path, " ".join(str(error).split())))
        if problems:
            raise InstanceError(problems)
        return parts

    def changed(self, path: Path) -> Problem:
        """Return the problem of a part that is not what was kept."""
        rule = f"a {self.words} is a record; its {MANIFEST} tells another content"
        return Problem(printable(str(path)), "changed since it was kept", rule, "solve and keep it again")

    def _part(self, path: Path) -> bytes | Problem:
        """Return the bytes of a file of a kept folder, or why there are none; waits for no pipe or device."""
        where = printable(str(path))
        try:
            if path.exists() and not path.is_file():
                rule = f"a {self.words} holds regular files"
                return Problem(where, "not a regular file", rule, "solve and keep it again")
            return path.read_bytes()
        except FileNotFoundError:
            return Problem(where, "no such file", f"every {self.words} has one", "solve and keep it again")
        except OSError as error:
            return Problem(where, "cannot be read", (error.strerror or str(error)).lower(), "check that it may be read")

    def manifest(self, root: Path) -> dict[str, Any]:
        """Return the manifest of a folder of this kind that this version can read."""
        where = printable(str(root))
        if not root.is_dir():
            what = "not a folder" if root.exists() else "no such folder"
            raise InstanceError(Problem(where, what, f"a {self.words} is a folder", f"give one made by {self.maker}"))
        path = root / MANIFEST
        if not path.exists():
            rule = f"a {self.words} has a {MANIFEST}"
            raise InstanceError(Problem(where, f"not a {self.words}", rule, f"give one made by {self.maker}"))
        data = self._part(path)
        if isinstance(data, Problem):
            raise InstanceError(data)
        try:
            manifest = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise InstanceError(garbled(path, str(error))) from None
        if not self._is_record(manifest) or type(manifest.get("version")) is not int:
            raise InstanceError(garbled(path, f"its format is not '{self.form}'"))
        if manifest["version"] > self.newest:
            rule = f"this gwplan reads version {self.newest} of {self.words}s"
            where = printable(str(path))
            raise InstanceError(Problem(where, f"version {manifest['version']}", rule, "use a newer gwplan"))
        for key, kind in (("instance", str), ("digest", str), ("files", dict), ("edits", list), ("contents", dict)):
            if not isinstance(manifest.get(key), kind):
                raise InstanceError(garbled(path, f"no {key} in it"))
        return dict(manifest)

    def _is_record(self, record: object) -> bool:
        return isinstance(record, dict) and record.get("format") == self.form


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
    formulas = instance.sheets.formulas if instance.sheets else {}
    calculated = {cell: {"formula": formula, "value": value} for cell, (formula, value) in formulas.items()}
    return {
        "instance": instance.name,
        "digest": instance.digest,
        "files": dict(instance.files),
        **({"formulas": calculated} if calculated else {}),
        "edits": list(instance.applied),
    }


def as_given(command: Sequence[str]) -> list[str]:
    """Return a command as given; of the program only its name."""
    return [PurePath(part).name if i == 0 else part for i, part in enumerate(command)]


def garbled(path: Path, reason: str) -> Problem:
    """Return the problem of a part that says nothing."""
    return Problem(printable(str(path)), "garbled", reason, "solve and keep it again")


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


FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How text begins that a spreadsheet may take for a formula."""

_QUOTED: Final = frozenset(',"\r\n')


def harmless(cell: Any) -> Any:
    """Return a cell as no spreadsheet takes it for a formula: a name in an instance may come from anybody."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def table_csv(name: str, frame: pd.DataFrame) -> bytes:
    """Return a table of a plan as CSV: ISO dates, and numbers with all the digits that tell them apart.

    Most cells of a column are like others of it: each distinct one is written out once. Cell by cell, as pandas does
    it, writing took as long as solving.
    """
    columns = list(COLUMNS[name])
    cells = [_texts(frame[column]) for column in columns]
    return ("\n".join([",".join(columns), *map(",".join, zip(*cells, strict=True))]) + "\n").encode()


def _texts(cells: pd.Series) -> list[str]:
    """Return the cells of a column as texts, those with commas, quotes or line breaks in quotes; blanks are blank."""
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "fiM":
        values = cells.to_numpy()
        if values.dtype.kind == "M":
            values = values.astype("datetime64[D]")
        bits, place = np.unique(values.view(np.int64), return_inverse=True)  # -0.0 is not 0.0 here
        distinct = bits.view(values.dtype)
        texts = list(map(repr, distinct.tolist())) if values.dtype.kind == "f" else distinct.astype(str).tolist()
        shown = ["" if text in ("nan", "NaT") else text for text in texts]
        return list(map(shown.__getitem__, place.tolist()))
    texts = cells.tolist()
    quoted = {text: _quoted(text) for text in dict.fromkeys(texts)}
    return list(map(quoted.__getitem__, texts))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED & set(text) else text


def read_table(name: str, data: bytes) -> pd.DataFrame:
    """Return a table of a plan from its CSV, with the dtypes of the catalogue.

    Arrow reads what was kept, to the last digit and in a tenth of the time that cells need one by one; what it does not
    read is told cell by cell.

    Raises
    ------
    ValueError
        If the columns are not the catalogue's, or a cell is not of its column's type.
    """
    types = dtypes(name)
    try:
        return _by_column(types, data)
    except (pa.ArrowException, ValueError):
        return _cell_by_cell(types, data)


def _by_column(types: Mapping[str, np.dtype[Any] | pd.StringDtype], data: bytes) -> pd.DataFrame:
    arrow = {c: pa.string() if isinstance(t, pd.StringDtype) else pa.from_numpy_dtype(t) for c, t in types.items()}
    table = pa_csv.read_csv(
        pa.BufferReader(data),
        pa_csv.ReadOptions(use_threads=False),
        pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pa_csv.ConvertOptions(check_utf8=True, column_types=arrow, null_values=[""], strings_can_be_null=False),
    )
    if table.column_names != list(types):
        raise ValueError("its columns are others")
    return pd.DataFrame({c: table[c].to_pandas().astype(dtype) for c, dtype in types.items()}, copy=False)


def _cell_by_cell(types: Mapping[str, np.dtype[Any] | pd.StringDtype], data: bytes) -> pd.DataFrame:
    lines = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    if header != list(types):
        raise ValueError(f"its columns are not {', '.join(types)}")
    ragged = next((i for i, row in enumerate(rows) if len(row) != len(header)), None)
    if ragged is not None:
        raise ValueError(f"row {ragged + 2} has {len(rows[ragged])} cells for {len(header)} columns")
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    return pd.DataFrame({c: _typed(texts, types[c]) for c, texts in zip(header, cells, strict=True)})


def _typed(texts: Sequence[str], dtype: np.dtype[Any] | pd.StringDtype) -> Any:
    """Return the cells of a column; Python reads a number to the last digit, pandas not always."""
    if isinstance(dtype, pd.StringDtype):
        return pd.array(list(texts), dtype=dtype)
    if dtype.kind == "f":
        return np.array([float(text or "nan") for text in texts], dtype=dtype)
    if dtype.kind == "i":
        return np.array(list(map(int, texts)), dtype=dtype)
    return np.array(texts, dtype=str).astype(dtype)
