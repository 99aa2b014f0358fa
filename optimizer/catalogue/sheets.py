"""The sheets that a workbook has in place of TOML files, catalogued like the tables.

A workbook holds one sheet for every table, with the columns of `schema.TABLES`, and these for what a folder keeps in
``instance.toml``, ``uncertainty.toml`` and ``whatifs/``.
"""

from __future__ import annotations

from typing import Final

from optimizer.catalogue.tables import REQUIRED, TABLES, Column, Table

_FACTOR: Final = Column("factor", "text", "Name of the factor: something uncertain.", REQUIRED)
_OUTCOME: Final = Column("outcome", "text", "Name of the outcome.", REQUIRED)
_WHATIF: Final = Column("whatif", "text", "Name of the what-if.", REQUIRED)
_EDIT: Final = Column(
    "edit",
    "text",
    "What changes, as --set takes it: value[pathway=deals].value_bn_per_gw_year *= 0.8 @ 2027-01-01. In the order of "
    "the rows.",
    REQUIRED,
)

SETTINGS: Final = Table(
    "settings",
    "What stands in instance.toml: one row per key; a blank value means the default.",
    (
        Column("section", "text", "Section: instance, calendar, economics or risk.", REQUIRED),
        Column("key", "text", "Key of the section.", REQUIRED),
        Column("value", "text", "Its value.", ""),
        Column("about", "text", "Unit, default, rule and meaning of the key; for reading only.", ""),
    ),
    section=True,
    required=True,
)

OUTCOMES: Final = Table(
    "outcomes",
    "Outcomes of what is uncertain: one row per outcome; rows of one factor stand together.",
    (
        _FACTOR,
        Column("revealed", "date", "Date on which the factor is known; the same on all its rows.", REQUIRED),
        _OUTCOME,
        Column("probability", "number", "Probability of the outcome; those of a factor sum to 1.", REQUIRED, "share"),
    ),
    section=True,
)

OUTCOME_EDITS: Final = Table(
    "outcome_edits", "What outcomes change: one row per edit.", (_FACTOR, _OUTCOME, _EDIT), section=True
)

WHATIFS: Final = Table(
    "whatifs",
    "What-ifs: one row each.",
    (
        _WHATIF,
        Column("description", "text", "What it asks, in words.", ""),
        Column("given", "text", "Outcomes that it takes as known: factor=outcome, joined by commas.", ""),
    ),
    section=True,
)

WHATIF_EDITS: Final = Table("whatif_edits", "What what-ifs change: one row per edit.", (_WHATIF, _EDIT), section=True)

SHEETS: Final[dict[str, Table]] = {
    table.name: table for table in (SETTINGS, OUTCOMES, OUTCOME_EDITS, WHATIFS, WHATIF_EDITS)
}
"""The sheets in place of TOML files, by name, in the order in which they are written."""

KNOWN_SHEETS: Final[dict[str, Table]] = {
    **SHEETS,
    **{name: table for name, table in TABLES.items() if not table.section},
}
"""Every sheet that is read from a workbook, by name."""

ABOUT: Final = "about"
"""The sheet that explains a workbook and is not read."""
