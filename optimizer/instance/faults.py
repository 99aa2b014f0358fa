"""What is said of a cell that breaks a rule of the catalogue."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from optimizer.catalogue.sheets import SHEETS
from optimizer.catalogue.tables import Column, Table
from optimizer.problems import nearest


@dataclass(frozen=True)
class Fault:
    """A rule that a cell breaks, and what to do about it."""

    rule: str
    remedy: str


def name_fault(name: str) -> Fault | None:
    """Return what is wrong with a name, or None.

    Parameters
    ----------
    name : str
        Name of a pool, pathway, contract, factor, outcome, what-if or claim; a blank one is not judged here.
    """
    if name != name.strip():
        return Fault("a name must not begin or end with a blank", "remove the blank")
    if not name.isprintable() and any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        return Fault("a name must not hold control characters or line breaks", "remove them")
    return None


def type_fault(column: Column) -> Fault:
    """Return what is said of a cell whose text is not of the column's type."""
    unit = f" ({column.unit})" if column.unit else ""
    match column.kind:
        case "number":
            remedy = "write digits and a decimal point, such as 1.5, without unit or thousands separator"
            return Fault(f"must be a number{unit}", remedy)
        case "integer":
            return Fault(f"must be a whole number{unit}", "write digits only, such as 3")
        case "date":
            return Fault("must be a date as year-month-day", "write it like 2027-01-31")
        case "flag":
            return Fault("must be true or false", "write true or false")
    return Fault("must be text", "put the text in quotes")


def choice_fault(column: Column, cell: str) -> Fault:
    """Return what is said of a cell that is none of the words that its column takes."""
    hint = nearest(cell, column.choices)
    return Fault(f"must be one of: {', '.join(column.choices)}", "" if hint.startswith("known") else hint)


def blank_fault(table: Table) -> Fault:
    """Return what is said of a blank cell where a value is required."""
    is_key = table.section and table.name not in SHEETS
    return Fault("must not be blank", "give the key a value" if is_key else "fill the cell in, or delete the row")


def finite_fault(column: Column) -> Fault:
    """Return what is said of an infinite number, and of one that is none."""
    default = "" if column.required else ", or leave it blank for the default"
    return Fault("must be a finite number", f"write the number itself{default}")
