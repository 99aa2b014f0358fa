"""Writes a draft as an instance folder: columns and rows in any order, blank columns left out now and then."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

from tests.generate.draft import Draft, Row

OPTIONAL_ANNOTATIONS = {"source": ["page 3", None], "status": ["estimate", "assumption", None], "note": ["a, b", None]}


def write(draft: Draft, folder: Path, name: str) -> None:
    """Write every table, ``instance.toml`` and ``uncertainty.toml``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instance.toml").write_text(head(draft, name), encoding="utf-8")
    for table, rows in draft.tables.items():
        if rows:
            write_table(draft, folder / f"{table}.csv", rows)
    if draft.factors:
        text = "\n".join(factor_text(draft, factor) for factor in draft.factors)
        (folder / "uncertainty.toml").write_text(text, encoding="utf-8")


def head(draft: Draft, name: str) -> str:
    """Return ``instance.toml``; sections without a figure are left out now and then."""
    start = draft.start.isoformat()
    lines = ["schema = 1", f'name = "{name}"', "[calendar]"]
    lines += [f'start = "{start}"' if draft.chance(0.2) else f"start = {start}"]
    lines += [f'resolution = "{draft.resolution}"', f"periods = {draft.periods}"]
    rate = draft.maybe(0.7, 0, 0.15)
    if rate is not None or draft.chance(0.5):
        lines += ["[economics]"] + ([] if rate is None else [f"discount_rate = {rate}"])
    aversion, tail = draft.maybe(0.55, 0, 0.95), draft.maybe(0.6, 0.05, 1)
    if aversion is not None or draft.chance(0.5):
        lines += ["[risk]"] + ([] if aversion is None else [f"aversion = {aversion}"])
        lines += [] if tail is None else [f"tail = {tail}"]
    return "\n".join(lines) + "\n"


def write_table(draft: Draft, path: Path, rows: list[Row]) -> None:
    """Write rows in a random order, columns too; a column without any cell is often left out."""
    columns = [c for c in rows[0] if any(row.get(c) is not None for row in rows) or draft.chance(0.4)]
    extra = [c for c in OPTIONAL_ANNOTATIONS if draft.chance(0.1)]
    rows = [{**row, **{c: draft.choice(OPTIONAL_ANNOTATIONS[c]) for c in extra}} for row in rows]
    columns = [str(c) for c in draft.rng.permutation(columns + extra)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for number in draft.rng.permutation(len(rows)):
            writer.writerow([cell_text(rows[number].get(c)) for c in columns])


def cell_text(cell: Any) -> str:
    """Return a cell as it stands in a CSV file."""
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def factor_text(draft: Draft, factor: dict[str, Any]) -> str:
    """Return a factor in TOML."""
    lines = ["[[factor]]", f"name = {literal(draft, factor['name'])}", f"revealed = {factor['revealed']}"]
    for outcome in factor["outcome"]:
        lines += ["[[factor.outcome]]", f"name = {literal(draft, outcome['name'])}"]
        lines += [f"probability = {outcome['probability']}"]
        for row in outcome.get("probability_given", []):
            lines += ["[[factor.outcome.probability_given]]", f"given = {literal(draft, row['given'])}"]
            lines += [f"probability = {row['probability']}"]
        for edit in outcome["edit"]:
            lines.append("[[factor.outcome.edit]]")
            lines += [f"{key} = {literal(draft, value)}" for key, value in edit.items()]
    return "\n".join(lines) + "\n"


def literal(draft: Draft, value: Any) -> str:
    """Return a TOML value; dates now and then as text."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {literal(draft, item)}" for key, item in value.items()) + " }"
    if isinstance(value, dt.date):
        return f'"{value}"' if draft.chance(0.3) else str(value)
    return json.dumps(value, ensure_ascii=False)
