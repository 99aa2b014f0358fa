"""What a plan rests on, in a report: contracts with their ways out, and every row with its source and grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pandas as pd

from optimizer.catalogue.tables import TABLES
from optimizer.instance.cells import shown
from optimizer.plan.claims import STATUSES
from optimizer.show.page import listed, percent
from optimizer.show.report.html import HtmlPage
from optimizer.show.report.report import Report
from optimizer.show.text.decisions import TERMS
from optimizer.show.text.printed_overview import COSTS, NOT_CASH
from optimizer.show.view import View
from optimizer.tree.timeline import TABLES_READ

MOST_SOURCES: Final = 3

RESTS_ON: Final = {
    "contract_cost": ("contracts", "deliveries"),
    "operating_cost": ("eligibility",),
    "migration_cost": ("pathways",),
    "signing_cost": ("pathways",),
    "breach_cost": ("pathways",),
    "cancellation_fees": ("cancellations",),
    "idle_penalty": ("pools",),
    "shortfall_penalty": ("pathways", "demand"),
    "move_penalty": (),
    "terminal": ("pools", "contracts"),
}
"""Tables that each part of worth is reckoned from, value apart."""

OF_A_PATHWAY: Final = ("value", "curves", "pathways", "demand", "eligibility", "churn")
"""Tables that a pathway's value is reckoned from."""


def contracts(report: Report, view: View) -> None:
    """Add the contracts as written: GW, price, dates, and how each can be left."""
    table = view.instance.filled("contracts")
    gw = view.instance.filled("deliveries").groupby("contract")["gw"].sum()
    ways = view.instance.filled("cancellations")
    rows = []
    for row in table.sort_values("signed", na_position="last", kind="stable").to_dict("records"):
        name = row["contract"]
        rows.append(
            [name, row["vendor"] or "-", row["kind"] or "-", row["pool"], view.gw(float(gw.get(name, 0.0))),
             f"{row['cost_bn_per_gw_year']:g}", _cell(row["signed"]), _cell(row["end"]),
             "yes" if name in set(ways["contract"]) else "no", row["status"] or "not marked"]
        )  # fmt: skip
    header = [
        "contract",
        "vendor",
        "kind",
        "pool",
        "GW",
        "$bn per\nGW-year",
        "signed",
        "ends",
        "can be\ncancelled",
        "grade",
    ]
    report.say(
        lambda page: _table(page, ("Contracts", ": as written, GW when all is delivered"), header, rows, "nnnnrrnnnn")
    )
    if len(ways):
        header = ["contract", "notice from", "notice until", "days' notice", "fee, $bn per GW", "at most", "grade"]
        rows = [
            [row["contract"], _cell(row["opens"]), _cell(row["closes"]), f"{row['notice_days']:g}",
             f"{row['fee_bn_per_gw']:g}",
             percent(row["max_share"]) + (", whole or not at all" if row["indivisible"] else ""),
             row["status"] or "not marked"]
            for row in ways.to_dict("records")
        ]  # fmt: skip
        report.say(lambda page: _table(page, ("Ways out of contracts",), header, rows, "nnnrrrn"))
    terms = []
    for name in view.deals("in_force_gw").names:
        said = [
            text.format(view.pathway(column)[name]) for column, text in TERMS.items() if view.pathway(column)[name] > 0
        ]
        terms += [f"{name}: {', '.join(said)}."] if said else []
    if terms:
        report.say(lambda page: page.note(f"Deals end otherwise. {' '.join(terms)}"))


def _table(
    page: HtmlPage, heading: Sequence[str], header: Sequence[str], rows: Sequence[Sequence[str]], align: str
) -> None:
    page.heading(*heading)
    page.table(header, rows, align)


def rests_on(report: Report, view: View) -> None:
    """Add what each part of worth rests on: how sure its rows are, and where they come from."""
    rows = []
    for part, amount, frames in _parts(view):
        together = pd.concat(frames) if frames else pd.DataFrame({"status": [], "source": []})
        counts = Counter(together["status"].tolist())
        grades = [f"{counts[status]} {status or 'not marked'}" for status in STATUSES if counts[status]]
        rows.append([part, view.money(amount), listed(grades) or "nothing written", _sources(together["source"])])
    heading, header = (
        ("What each part of worth rests on", ": rows of the inputs by grade"),
        ["part of worth", "$bn", "rows by grade", "sources"],
    )
    report.say(lambda page: _table(page, heading, header, rows, "nrnn"))
    counts = Counter(status for name in TABLES_READ for status in _written(view, name)["status"])
    total = sum(counts.values())
    sure = ", ".join(f"{counts[s]} {s or 'not marked'}" for s in STATUSES if counts[s])
    outcomes = sum(len(factor.outcomes) for factor in view.instance.factors)
    report.say(
        lambda page: page.note(
            f"Of {total} rows that the plan reads: {sure}."
            + (f" Probabilities and edits of {outcomes} outcomes come on top; they carry no grade." if outcomes else "")
        )
    )


def _parts(view: View) -> Iterator[tuple[str, float, list[pd.DataFrame]]]:
    """Yield each part of worth with its $bn and the rows that it is reckoned from."""
    for pathway, amount in sorted(view.parts["value"].items(), key=lambda item: -item[1]):
        frames = [_written(view, name) for name in OF_A_PATHWAY]
        yield f"value of {pathway}", amount, [frame[frame["pathway"] == pathway] for frame in frames]
    for name, label in {**COSTS, **NOT_CASH}.items():
        if amount := view.parts.get(name, {}).get("", 0.0):
            yield label, amount, [_written(view, table) for table in RESTS_ON[name]]


def _written(view: View, name: str) -> pd.DataFrame:
    """Return a table of the instance, its defaults filled in; no rows where the instance does not have it."""
    frame = view.instance.filled(name)
    return frame if name in view.instance.present else frame.iloc[:0]


def _sources(sources: pd.Series) -> str:
    found = [source for source in dict.fromkeys(sources.tolist()) if source]
    more = len(found) - MOST_SOURCES
    return "; ".join([*found[:MOST_SOURCES], *([f"and {more} more"] if more > 0 else [])]) or "none named"


def rows_as_written(report: Report, view: View) -> None:
    """Add every row of the inputs with its source, grade and note, shown when asked for."""
    report.say(lambda page: page.heading("The inputs, row by row"))
    for name in TABLES_READ:
        frame = _written(view, name)
        if frame.empty:
            continue
        columns = [c for c in TABLES[name].columns if not frame[c.name].isna().all()]
        told = [c for c in ("source", "status", "note") if (frame[c] != "").any()]
        header = [_named(column.name) for column in columns] + ["grade" if c == "status" else c for c in told]
        align = ["r" if c.kind in ("number", "integer") else "n" for c in columns] + ["n"] * len(told)
        rows = [[_cell(row[c]) for c in [*(c.name for c in columns), *told]] for row in frame.to_dict("records")]
        report.more(f"{name}: {len(rows)} rows", header, rows, "".join(align), f"{name}: {TABLES[name].about}")


def _named(column: str) -> str:
    return column.replace("_", " ")


def _cell(value: Any) -> str:
    """Return a cell as a table file holds it; a dash where there is nothing."""
    if isinstance(value, str):
        return value or "-"
    if value is None or pd.isna(value):
        return "-"
    return str(value.date()) if isinstance(value, pd.Timestamp) else shown(value)
