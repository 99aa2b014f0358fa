"""A plan's tables as CSV and back, to the last digit."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.catalogue.plan_tables import COLUMNS, dtypes

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

    Raises
    ------
    ValueError
        If the columns are not the catalogue's, or a cell is not of its column's type.
    """
    types = dtypes(name)
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
