"""Reads an instance folder into plain rows: a dict of typed cells each, ``None`` where the cell is blank."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Book = dict[str, list[Row]]
"""The tables that are present, by name."""


class OracleError(ValueError):
    """The oracle cannot give this folder a meaning."""


REQUIRED = object()
NONE = None
DATES = {"date", "from", "until", "opens", "closes", "end", "signed", "price_from"}
TEXTS = {
    "pool",
    "contract",
    "pathway",
    "description",
    "vendor",
    "kind",
    "source",
    "status",
    "note",
    "side",
    "site",
    "window",
    "extends",
}
FLAGS = {"indivisible"}
ANNOTATIONS = {"source": "", "status": "", "note": ""}

DEFAULTS: dict[str, dict[str, Any]] = {
    "pools": {
        "pool": REQUIRED,
        "description": "",
        "idle_penalty_bn_per_gw_year": 0.0,
        "terminal_value_bn_per_gw_year": NONE,
    },
    "contracts": {
        "contract": REQUIRED,
        "side": "buy",
        "vendor": "",
        "kind": "",
        "pool": REQUIRED,
        "site": "",
        "power_per_gw": 1.0,
        "signed": NONE,
        "end": NONE,
        "cost_bn_per_gw_year": 0.0,
        "price_growth_per_year": 0.0,
        "price_from": NONE,
        "prepaid_share": 0.0,
        "prepaid_days": 0.0,
        "credit_after_months": 0.0,
        "delay_months": 0.0,
        "late_credit_bn_per_gw_year": NONE,
        "face_value_bn": NONE,
    },
    "deliveries": {
        "contract": REQUIRED,
        "date": NONE,
        "after_days": NONE,
        "gw": REQUIRED,
        "term_months": NONE,
        "upfront_bn_per_gw": 0.0,
        "credit_bn": NONE,
    },
    "cancellations": {
        "contract": REQUIRED,
        "window": "",
        "opens": REQUIRED,
        "closes": REQUIRED,
        "notice_days": 0.0,
        "fee_bn_per_gw": 0.0,
        "fee_share_of_rest": 0.0,
        "max_share": 1.0,
        "indivisible": False,
    },
    "offers": {
        "contract": REQUIRED,
        "opens": REQUIRED,
        "closes": REQUIRED,
        "lead_days": 0.0,
        "signing_cost_bn_per_gw": 0.0,
        "max_share": 1.0,
        "least_share": 0.0,
        "min_share": 0.0,
        "indivisible": False,
        "extends": "",
    },
    "offer_prices": {
        "contract": REQUIRED,
        "from": REQUIRED,
        "cost_bn_per_gw_year": NONE,
        "signing_cost_bn_per_gw": NONE,
    },
    "pathways": {
        "pathway": REQUIRED,
        "description": "",
        "realisation": 1.0,
        "shortfall_penalty_bn_per_gw_year": 0.0,
        "ramp_gw_per_month": NONE,
        "migration_cost_bn_per_gw": 0.0,
        "notice_days": 0.0,
        "min_term_days": 0.0,
        "churn_per_year": 0.0,
        "signing_cost_bn_per_gw": 0.0,
        "breach_cost_bn_per_gw": NONE,
    },
    "eligibility": {
        "pathway": REQUIRED,
        "pool": REQUIRED,
        "effectiveness": 1.0,
        "operating_cost_bn_per_gw_year": 0.0,
        "initial_gw": 0.0,
        "min_block_gw": 0.0,
    },
    "effectiveness": {"pathway": REQUIRED, "pool": REQUIRED, "from": REQUIRED, "effectiveness": REQUIRED},
    "demand": {"pathway": REQUIRED, "from": REQUIRED, "floor_gw": 0.0, "target_gw": 0.0, "cap_gw": NONE},
    "value": {
        "pathway": REQUIRED,
        "from": REQUIRED,
        "tier": REQUIRED,
        "width_gw": NONE,
        "value_bn_per_gw_year": REQUIRED,
    },
    "curves": {
        "pathway": REQUIRED,
        "from": REQUIRED,
        "kind": REQUIRED,
        "base_gw": REQUIRED,
        "base_value_bn_per_year": REQUIRED,
        "uplift_per_doubling": REQUIRED,
        "max_gw": REQUIRED,
        "segments": REQUIRED,
    },
    "churn": {"pathway": REQUIRED, "date": REQUIRED, "fraction": REQUIRED},
    "running": {"pathway": REQUIRED, "kind": REQUIRED, "until": REQUIRED, "gw": REQUIRED},
    "locks": {"pathway": REQUIRED, "pool": "", "from": REQUIRED, "until": NONE, "min_gw": 0.0, "max_gw": NONE},
}
MANDATORY = ("pools", "contracts", "deliveries", "pathways")


@dataclass(frozen=True)
class Folder:
    """What an instance folder says: calendar, rates, rows and factors, nothing computed yet."""

    start: dt.date
    months_per_period: int
    periods: int
    discount_rate: float
    aversion: float
    tail: float
    book: Book
    factors: list[dict[str, Any]]


def read(folder: Path) -> Folder:
    """Read the folder's tables, ``instance.toml`` and ``uncertainty.toml``."""
    head = tomllib.loads((folder / "instance.toml").read_text("utf-8-sig"))
    calendar = head["calendar"]
    book: Book = {}
    for table in DEFAULTS:
        path = folder / f"{table}.csv"
        if path.exists():
            book[table] = read_rows(table, path)
        elif table in MANDATORY:
            raise OracleError(f"{path.name} is missing")
    uncertainty = folder / "uncertainty.toml"
    factors = tomllib.loads(uncertainty.read_text("utf-8-sig")).get("factor", []) if uncertainty.exists() else []
    return Folder(
        start=as_date(calendar["start"]),
        months_per_period={"month": 1, "quarter": 3, "year": 12}[calendar["resolution"]],
        periods=calendar["periods"],
        discount_rate=float(head.get("economics", {}).get("discount_rate", 0.0)),
        aversion=float(head.get("risk", {}).get("aversion", 0.0)),
        tail=float(head.get("risk", {}).get("tail", 0.1)),
        book=book,
        factors=factors,
    )


def read_rows(table: str, path: Path) -> list[Row]:
    """Read one CSV file; unknown columns and blanks in required cells are refused."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row_of(table, cells) for cells in csv.DictReader(file, strict=True)]


def row_of(table: str, cells: dict[str, Any]) -> Row:
    """Turn cells into a typed row that has every column of the table."""
    known = {**ANNOTATIONS, **DEFAULTS[table]}
    unknown = set(cells) - set(known)
    if unknown:
        raise OracleError(f"{table}: unknown columns {unknown}")
    row = {column: typed(column, cells.get(column, "")) for column in known}
    blank = [column for column, default in known.items() if default is REQUIRED and row[column] is None]
    if blank:
        raise OracleError(f"{table}: {blank} blank in {cells}")
    return row


def typed(column: str, cell: Any) -> Any:
    """Return the cell as text, number, date or flag according to its column; ``None`` if blank."""
    if isinstance(cell, str):
        cell = cell.strip()
    if cell is None or cell == "":
        return None
    if column in TEXTS:
        return str(cell)
    if column in DATES:
        return as_date(cell)
    if column in FLAGS:
        return cell if isinstance(cell, bool) else {"true": True, "false": False}[cell.lower()]
    return float(cell)


def as_date(cell: str | dt.date) -> dt.date:
    """Return a date written as such or in ISO form."""
    return dt.date.fromisoformat(cell) if isinstance(cell, str) else cell


def filled(table: str, row: Row) -> Row:
    """Return the row with defaults in its blank cells; "none" stays ``None``."""
    return {column: default if row[column] is None else row[column] for column, default in DEFAULTS[table].items()}


def add_months(date: dt.date, months: int) -> dt.date:
    """Move a date by whole months, to the last day of a month that has no such day."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    following = dt.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last_day = (following - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(date.day, last_day))
