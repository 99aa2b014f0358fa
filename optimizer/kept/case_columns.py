"""What the columns of a table of cases are called and counted in, and their cells in words."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from optimizer.storage.sources import printable

_UNITS: Final = (
    ("bn_per_gw_year", "$bn per GW-year"),
    ("bn_per_gw", "$bn per GW"),
    ("gw_years", "GW-years"),
    ("gw_per_month", "GW per month"),
    ("_bn", "$bn"),
    ("_gw", "GW"),
    ("_days", "days"),
    ("_months", "months"),
    ("utilisation", "share"),
    ("share", "share"),
)


def unit(column: str) -> str:
    """Return the unit of a column by its name; blank where it has none."""
    plain = column.partition(" @ ")[0].rpartition("].")[2].partition("[")[0]
    return next((words for ending, words in _UNITS if plain.endswith(ending)), "")


def unit_behind(column: str) -> str:
    """Return the unit of a column as it stands behind a figure; blank where it has none."""
    return f" {unit(column)}" if unit(column) else ""


def in_words(figure: str) -> str:
    """Return what a figure of a case is called."""
    return {"objective_bn": "worth", "npv_bn": "cash (NPV)", "idle_gw_years": "idle capacity"}.get(figure, figure)


def with_unit(figure: str) -> str:
    """Return what a figure of a case is called, with its unit."""
    return f"{in_words(figure)}, {unit(figure)}" if unit(figure) else in_words(figure)


def label(value: Any) -> str:
    """Return a value of an axis in words; blank: as in the base."""
    if pd.isna(value):
        return "as in the base"
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))
