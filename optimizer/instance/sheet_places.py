"""Where things are in an instance that was read from a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from optimizer.catalogue.tables import Table
from optimizer.problems import Problem


@dataclass(frozen=True)
class SheetPlaces:
    """Where the cells of an instance stand in its workbook.

    Attributes
    ----------
    letters : mapping of str to mapping of str to str
        Column letters by sheet and column name.
    settings : mapping of str to int
        Row of the sheet ``settings`` by ``section.key``.
    """

    letters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    settings: Mapping[str, int] = field(default_factory=dict)

    def place(self, table: Table, row: int, column: str) -> str:
        """Say where a cell is: ``demand!C7``. Rows are the sheet's; 0 is a row that an edit inserted."""
        if table.section:
            at = self.settings.get(f"{table.name}.{column}")
            letter = self.letters.get("settings", {}).get("value")
            return f"settings!{letter}{at}" if at and letter else f"settings, {table.name}.{column}"
        found = self.letters.get(table.name, {}).get(column)
        return f"{table.name}!{found}{row}" if found and row else f"{table.name} {_row(row)}, {column}"

    def told(self, problem: Problem) -> Problem:
        """Return a problem that names a file of a folder as one that names the sheet in its place."""
        where = problem.where.replace("uncertainty.toml", "sheet outcomes")
        if where.startswith("whatifs/"):
            where = "sheet whatifs, " + where.removeprefix("whatifs/").replace(".toml", "", 1)
        return replace(problem, where=where)


def _row(row: int) -> str:
    return f"row {row}" if row else "inserted row"
