"""What has been read of an instance, from a folder or a workbook, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from optimizer.catalogue.tables import TABLES, Table, allowed_columns
from optimizer.check.check import check, raise_errors
from optimizer.instance.cells import Parsed
from optimizer.instance.instance import Factor, Instance, WhatIf
from optimizer.instance.sheet_places import SheetPlaces
from optimizer.problems import Problem
from optimizer.storage.rows import ALL
from optimizer.tree.layouts import Layouts


@dataclass
class Reading:
    """What has been read so far, and what was wrong with it.

    Attributes
    ----------
    frames : dict of str to DataFrame
        Tables by name.
    present : set of str
        Names of the tables that the source holds.
    broken : set of str
        Columns, as ``table.column``, that could not be read whole; ``uncertainty`` where the factors could not.
    faulty : set of str
        Sheets in place of TOML files that could not be read whole.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    present: set[str] = field(default_factory=lambda: {name for name, table in TABLES.items() if table.section})
    broken: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    factors: tuple[Factor, ...] = ()
    whatifs: dict[str, WhatIf] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    sheets: SheetPlaces | None = None

    def take(self, table: Table, parsed: Parsed) -> None:
        """Keep a table with its problems, and note the columns that they leave incomplete."""
        self.frames[table.name] = parsed.frame
        self.problems += parsed.problems
        columns = {column for column, _ in parsed.faults}
        if ALL in columns:
            columns = {column.name for column in allowed_columns(table)}
        self.broken |= {f"{table.name}.{column}" for column in columns}

    def instance(self) -> Instance:
        """Return the instance that was read.

        Raises
        ------
        InstanceError
            If anything was wrong with it; it carries every problem found.
        """
        known = Layouts()
        present = frozenset(self.present)
        made = Instance(self.frames, present, self.factors, self.whatifs, self.files, sheets=self.sheets, checked=known)
        problems = self.problems + check(made, broken=self.broken, warnings=False, layouts=known)
        raise_errors(dict.fromkeys(problems))
        return made
