"""A kept run as a workbook whose figures follow when its allocation and its inputs are overtyped."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gwplan.catalogue.plan_tables import COLUMNS, MEANING
from gwplan.catalogue.tolerances import KILOWATT
from gwplan.files import new_file, whole_file, whole_workbook
from gwplan.kept.run import Run
from gwplan.plan.obligations import BOOK, book
from gwplan.show.workbook.facts import BookFacts
from gwplan.show.workbook.formulas import gathered, literals
from gwplan.show.workbook.inputs import Inputs
from gwplan.show.workbook.nodes import Nodes, Slacks, add_limits
from gwplan.show.workbook.page import MOST_SERIES, PRINTED, TOP, Exported, Page, put, too_large
from gwplan.show.workbook.summary import Overview, Summary

PLAIN = ("supply", "cashflow", "cancellations", "deals", "obligations", "marginal_values", "more_supply",
         "looser_limits")  # fmt: skip
"""Tables that are written as they were solved."""

SHEETS = ("summary", "periods", "years", "allocation", "inputs", "tiers", "worth", "contracts", "scenarios", "paths",
          "book", "filed", *PLAIN, "manifest")  # fmt: skip
"""What the sheets hold, in their order."""

_LOOKS = {"text": "text", "integer": "whole", "date": "date", "number": "rate"}


def to_xlsx(run: Run, path: str | Path, force: bool = False) -> Path:
    """Write a run as a workbook of its own."""
    target = new_file(path, [".xlsx"], "a workbook is written without macros", force=force)
    with whole_file(target) as new:
        write_book(run, new)
    return target


def write_book(
    run: Run, path: Path, prefix: str = "", *, sheets: Mapping[str, str] | None = None, since_1904: bool = False
) -> None:
    """Write a run's sheets into a new file, its days counted from 1900 or 1904.

    Their names begin with a prefix, or are those given by what they hold.
    """
    facts = BookFacts(run)
    with whole_workbook(path, date_1904=since_1904) as workbook:
        workbook.set_size(2600, 1600)
        workbook.set_properties({"title": f"{run.manifest['instance']}: plan", "author": "gwplan",
                             "created": dt.datetime.fromisoformat(run.manifest["created"])})  # fmt: skip
        exported = Exported(workbook, prefix, sheets)
        for name in PLAIN:
            exported.refuse_larger(name, TOP + len(run.tables[name]), 1)
        series = max(len(facts.data.pathways) + 2, len(facts.data.pools))
        if series > MOST_SERIES:
            raise too_large(exported.title("summary"), f"a chart of {series} series", f"a chart takes {MOST_SERIES}")
        inputs = Inputs(facts, exported)
        nodes = Nodes(facts, exported, inputs)
        slacks = add_limits(nodes)
        overview = Overview(facts, exported, nodes)
        Summary(overview, slacks).write()
        overview.periods.write(frozen=2)
        overview.years.write(frozen=1)
        _write_allocation(nodes, slacks)
        inputs.page.write(frozen=3, widths={"source": 36, "note": 70})
        nodes.tiers.page.write(frozen=1)
        nodes.worth.write(frozen=5, printed=PRINTED)
        nodes.contracts.write()
        overview.scenarios.write(frozen=1)
        overview.paths.write(frozen=0, printed=PRINTED)
        _book(exported, facts)
        for name in PLAIN:
            _plain(exported, run, name)
        _manifest(exported, run)


def _write_allocation(nodes: Nodes, slacks: Slacks) -> None:
    """Write the allocation; a pair turns red where it is negative or breaks a limit, and so does the limit."""
    page, last = nodes.allocation, nodes.facts.tree.size - 1
    sheet = page.write(frozen=5, printed=PRINTED)
    bad = nodes.exported.formats["broken"]
    keys = list(page.letter)
    first = page.top + 1
    for key in slacks:
        at = keys.index(key)
        rule = {"type": "formula", "criteria": f"=N(${page.letter[key]}{first})<-{KILOWATT!r}", "format": bad}
        sheet.conditional_format(page.top, at, page.top + last, at, rule)
    for g in range(len(nodes.facts.pairs)):
        at = keys.index(f"gw{g}")
        cells = [f"${page.letter[f'gw{g}']}{first}"]
        cells += [f"${page.letter[key]}{first}" for key, pairs in slacks.items() if g in pairs]
        rule = {"type": "formula", "criteria": f"=MIN({','.join(cells)})<-{KILOWATT!r}", "format": bad}
        sheet.conditional_format(page.top, at, page.top + last, at, rule)
    begins, ends = page.letter["gw0"], page.letter[f"gw{len(nodes.facts.pairs) - 1}"]
    nodes.exported.define("allocation_gw", f"{page.sheet}!${begins}${first}:${ends}${first + last}")


def _book(exported: Exported, facts: BookFacts) -> None:
    """Write what is to be paid by contract and year, and the totals that follow beside those that were filed."""
    rows, totals = book(facts.timeline, facts.run.plan.decided)
    note = "Minimum payments as signed and after the plan, expected; least and most of the futures. As solved."
    page = Page(exported, "book", "Book of obligations: what is to be paid by contract and year", note)
    for name in map(str, rows):
        unit, look = ("$bn", "bn") if name in BOOK else ("", "whole" if name == "year" else "text")
        page.add(name, name, unit, look, rows[name].tolist())
    page.write(frozen=2)
    note = "Each contract's rows of the book added up; what all its bills come to beside the total that was filed."
    sums = Page(exported, "filed", "Totals of contracts beside those that were filed", note)
    names = [sums.add(name, name, "", "text", totals[name].tolist()) for name in ("vendor", "contract", "side")]
    for name in BOOK:
        added = name not in ("least_bn", "most_bn") and len(rows)
        whole = literals(totals[name].to_numpy())
        cells = gathered("SUMIFS", page.ref(name), page.ref("contract"), names[1]) if added else whole
        sums.add(name, name, "$bn", "bn", cells)
    for name in ("before_bn", "whole_bn", "filed_bn"):
        sums.add(name, name, "$bn", "bn", totals[name].tolist())
    apart = sums.at("whole_bn") - sums.at("filed_bn")
    known = totals["difference_bn"].notna().to_numpy()
    sums.add("difference_bn", "difference_bn", "$bn", "bn", apart.where(known, np.nan))
    sums.write(frozen=2)


def _plain(exported: Exported, run: Run, name: str) -> None:
    """Write a table of the plan as it was solved."""
    note = f"{MEANING[name]} As solved: does not follow."
    page = Page(exported, name, name.replace("_", " ").capitalize(), note, buttons=True)
    frame = run.tables[name]
    for key, column in COLUMNS[name].items():
        page.add(key, key, column.unit, _LOOKS[column.kind], frame[key].tolist())
    page.write(frozen=1, printed=PRINTED)


def _manifest(exported: Exported, run: Run) -> None:
    """Write what was solved, with what, when and how sure the answer is."""
    sheet: Any = exported.add("manifest", "Manifest: where these figures come from", "As in manifest.json of the run.")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 110, exported.formats["wrap"])
    row = TOP - 1
    for at, head in enumerate(("key", "value")):
        put(sheet, row, at, head, exported.formats["head"])
    manifest = {"status": run.summary["status"], "certificate": run.summary["certificate"], **run.manifest}
    for key, value in _flat(manifest):
        row += 1
        put(sheet, row, 0, key)
        put(sheet, row, 1, value, exported.formats["wrap"])
    sheet.freeze_panes(TOP, 1)


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return nested figures as pairs of a dotted key and a text."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _flat(item, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list):
        return [(name, "\n".join(map(str, value)))]
    return [(name, value if isinstance(value, str) else json.dumps(value))]
