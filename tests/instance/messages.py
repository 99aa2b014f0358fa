"""Every rule of every column of the catalogue, broken once: the cases, and the messages that they give.

``python -m tests.instance.messages`` writes the messages anew; read the difference before keeping it.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gwplan.catalogue.tables import TABLES, Column, Table
from tests.instance.folders import OFFERED, SMALL, errors, written

GOLDEN: Final = Path(__file__).with_name("messages.txt")

Case = tuple[str, str, str]
"""``table.column``, the rule that is broken, and the cell that breaks it."""


def cases() -> list[Case]:
    """Return the cases that the catalogue as it is asks for."""
    return [
        (f"{table.name}.{column.name}", rule, cell)
        for table in TABLES.values()
        for column in table.columns
        for rule, cell in _broken(table, column)
    ]


def _broken(table: Table, column: Column) -> Iterator[tuple[str, str]]:
    if column.required:
        yield "required", ""
        yield "absent", ""
    wrong = {"number": "many", "integer": "1.5", "date": "31.12.2027", "flag": "perhaps"}
    if column.kind in wrong:
        yield "type", wrong[column.kind]
    if column.kind in ("number", "integer"):
        yield "finite", "inf"
        yield "not a number", "nan"
    if column.kind == "integer" or (column.least is not None and column.most is None):
        yield "largest", "2000000000"
    if column.kind == "date":
        yield "day", "2027-02-30"
    if column.choices:
        yield "choice", column.choices[0] + "x"
    if column.least is not None:
        yield "least", f"{column.least - (0 if '(' in column.open_ends else 1):g}"
    if column.most is not None:
        yield "most", f"{column.most + (0 if ')' in column.open_ends else 1):g}"
    if column.refers_to:
        yield "reference", "nowhere"
    if column.kind == "text" and (column.key or column.refers_to):
        yield "name", "x "
        yield "control", "x\ty"
    if column.key:
        yield "repeated", ""


def messages(case: Case, folder: Path) -> list[str]:
    """Return what is said of the small instance with one cell broken."""
    where, rule, cell = case
    table, column = where.split(".")
    files = SMALL if TABLES[table].file in SMALL else OFFERED
    text = files[TABLES[table].file]
    broken = (
        _in_section(text, table, column, rule, cell) if TABLES[table].section else _in_csv(text, column, rule, cell)
    )
    return errors(written(folder, {**files, TABLES[table].file: broken}))


def _in_csv(text: str, column: str, rule: str, cell: str) -> str:
    header, *rows = csv.reader(io.StringIO(text))
    if rule == "repeated":
        rows.append(rows[0])
    elif rule == "absent":
        at = header.index(column)
        header, *rows = ([*line[:at], *line[at + 1 :]] for line in (header, *rows))
    else:
        if column not in header:
            header, rows = [*header, column], [[*row, ""] for row in rows]
        rows[0][header.index(column)] = cell
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def _in_section(text: str, table: str, column: str, rule: str, cell: str) -> str:
    kind = TABLES[table][column].kind
    quoted = kind in ("text", "date") or rule == "type"
    line = "" if rule == "absent" else f'{column} = "{cell}"' if quoted or not cell else f"{column} = {cell}"
    return "\n".join(line if old.startswith(f"{column} =") else old for old in text.split("\n"))


def kept() -> dict[Case, list[str]]:
    """Return the messages as they were last read and found good."""
    found: dict[Case, list[str]] = {}
    for line in GOLDEN.read_text().splitlines():
        where, rule, cell, message = line.split(" | ", 3)
        found.setdefault((where, rule, _unescaped(cell)), []).append(message)
    return found


def _escaped(cell: str) -> str:
    return repr(cell)


def _unescaped(cell: str) -> str:
    return cell[1:-1].replace("\\t", "\t")


def main() -> None:
    """Write the messages of all cases."""
    lines = []
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            where, rule, cell = case
            said = messages(case, Path(folder))
            lines += [" | ".join((where, rule, _escaped(cell), message.rstrip())) for message in said]
    GOLDEN.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
