"""What planners vary: edits of cells, outcomes of uncertainty factors, what-ifs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Operation = Literal["set", "scale", "add", "shift_months", "insert", "drop"]
Cell = str | float | int | bool | dt.date


@dataclass(frozen=True)
class Edit:
    """A change of cells of one table, from a what-if, an outcome or the command line.

    Attributes
    ----------
    table : str
        Table of the catalogue, or ``uncertainty``.
    operation : {"set", "scale", "add", "shift_months", "insert", "drop"}
        What is done to the cells.
    where : mapping of str to Cell
        Column to glob (text) or value (numbers, dates); all must match. For ``insert`` the row.
    column : str
        Column that is changed; blank for ``insert`` and ``drop``.
    value : Cell
        Operand; ``""`` clears a cell.
    start, until : datetime.date or None
        Dates in ``[start, until)`` that the edit reaches; None: open.
    text : str
        The edit in the command line's spelling, for messages and manifests.
    """

    table: str
    operation: Operation
    where: Mapping[str, Cell] = field(default_factory=dict)
    column: str = ""
    value: Cell = ""
    start: dt.date | None = None
    until: dt.date | None = None
    text: str = ""


@dataclass(frozen=True)
class Outcome:
    """One outcome of an uncertainty factor."""

    name: str
    probability: float
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Factor:
    """Something uncertain, revealed on a date."""

    name: str
    revealed: dt.date
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class WhatIf:
    """A named list of edits, or outcomes taken as known."""

    name: str
    description: str = ""
    edits: tuple[Edit, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
