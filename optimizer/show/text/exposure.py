"""The printed exposure: what is owed to whom, and what is at risk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gwplan.catalogue.tolerances import TWO_DECIMALS
from gwplan.show.page import Page, left_out, number, percent, printed

MOST_VENDORS, MOST_CONTRACTS, MOST_YEARS, MOST_BRANCHES, MOST_SWINGS = 25, 30, 30, 16, 15
MOST_WHATIFS = 6
MOST_ROWS = 120

Figures = Mapping[str, Any]


def print_exposure(figures: Figures) -> None:
    """Print exposure figures. Parts that are missing are not printed."""
    with printed() as page:
        page.heading(f"EXPOSURE OF {figures['instance']}")
        if figures["edits"]:
            page.note(f"Changed from the instance as written: {'; '.join(figures['edits'])}")
        if figures["status"] != "optimal":
            page.note(f"The plan is NOT PROVED BEST ({figures['status'].replace('_', ' ')}).")
        if figures["aversion"] and {"whatifs", "vendors", "unverified"} & figures.keys():
            page.note("What is called worth below is the objective: the worst futures weigh more in it.")
        for name, show in PARTS.items():
            if name in figures:
                show(page, figures[name])


def _bn(value: float | None) -> str:
    return "no plan" if value is None else number(value, 2)


def _who(vendor: str | None) -> str:
    return vendor or "no vendor named"


def obligations(page: Page, owed: Figures) -> None:
    """Show what is owed to each vendor, by contract, year and future."""
    page.heading("Owed to each vendor", ", $bn undiscounted, from the start to each contract's end")
    header = ["", "GW at\nmost", "as\nsigned", "share", "after\nplan", "share", "least", "most"]
    rows = [
        [_who(row["vendor"]), number(row["gw"], 2), _bn(row["as_signed_bn"]), percent(row["share_as_signed"]),
         _bn(row["after_cancellation_bn"]), percent(row["share_after"]), _bn(row["least_bn"]), _bn(row["most_bn"])]
        for row in owed["vendors"][:MOST_VENDORS]
    ]  # fmt: skip
    total = owed["total"]
    rows.append(["all", "", _bn(total["as_signed_bn"]), "", _bn(total["after_cancellation_bn"]), "",
                 _bn(total["least_bn"]), _bn(total["most_bn"])])  # fmt: skip
    page.table(header, rows)
    page.note(left_out((len(owed["vendors"]) - MOST_VENDORS, "smaller vendor")))
    page.note(
        "As signed, and after what the plan cancels and signs of offers: expected over all futures, without fees. "
        "Least and most: over the futures, after the plan. A contract without an end counts to the plan's end."
    )
    for when, words in (("as_signed", "As signed"), ("after", "After the plan")):
        if owed["largest"][when]["largest_vendor"] is not None:
            page.note(f"{words}, most is owed to {_largest(owed['largest'][when])}.")
    _contracts(page, owed["contracts"])
    page.heading("Owed by year", ", $bn")
    page.table(
        ["", "as signed", "after plan", "largest vendor, its share"],
        [[str(row["year"]), _bn(row["as_signed_bn"]), _bn(row["after_cancellation_bn"]), _largest(row)]
         for row in owed["years"][:MOST_YEARS]],
        "lrrl",
    )  # fmt: skip
    page.note(left_out((len(owed["years"]) - MOST_YEARS, "later year")))
    if len(owed["branches"]) > 1:
        _branches(page, owed["branches"])


def book(page: Page, figures: Figures) -> None:
    """Show what is to be paid by contract and year, and how totals tie to those that were filed."""
    page.heading("Book of obligations", ": minimum payments, $bn undiscounted, expected over all futures")
    amounts = ("as_signed_bn", "after_bn", "least_bn", "most_bn", "prepaid_bn", "credited_bn", "upfront_bn")
    shown = [name for name in amounts if name in amounts[:4] or any(row[name] for row in figures["rows"])]
    header = ["", "", *(name[:-3].replace("_", "\n") for name in shown)]
    rows: list[list[str]] = []
    for side, total in figures["total"].items():
        rows.append([f"all {'bought' if side == 'buy' else 'sold'}", "", *(_bn(total[name]) for name in shown)])
    vendor = None
    for contract in figures["contracts"]:
        if contract["vendor"] != vendor:
            vendor = contract["vendor"]
            rows.append([f"{_who(vendor)}:", *[""] * (len(shown) + 1)])
        mine = [row for row in figures["rows"] if row["contract"] == contract["contract"]]
        who = f"  {contract['contract']}" + ", sold" * (contract["side"] == "sell")
        rows += [["" if at else who, str(row["year"]), *(_bn(row[name]) for name in shown)]
                 for at, row in enumerate(mine)]  # fmt: skip
        rows.append(["" if mine else who, "all", *(_bn(contract[name]) for name in shown)])
    page.table(header, rows[:MOST_ROWS], "nl" + "r" * len(shown))
    page.note(left_out((len(rows) - MOST_ROWS, "row")))
    page.note(
        "After: after what the plan cancels and signs; least and most: over the futures. Prepaid is part of the "
        "year in which it is paid; credited is what it covers of a year's bills, already taken off them."
    )
    names = ("as_signed_discounted", "after_discounted", "before", "whole", "filed", "difference")
    page.heading("Totals beside those that were filed", ", $bn; discounted ones to the plan's start")
    rows = [
        [row["contract"], *(_known(row[f"{name}_bn"]) for name in names)]
        for row in figures["contracts"][:MOST_CONTRACTS]
    ]  # fmt: skip
    header = [
        "",
        "signed,\ndiscounted",
        "after,\ndiscounted",
        "before\nthe start",
        "all its\nbills",
        "filed",
        "more\nthan filed",
    ]
    page.table(header, rows)
    page.note(left_out((len(figures["contracts"]) - MOST_CONTRACTS, "contract")))
    page.note("All its bills: as written, from the first delivery to the end, what is past included.")


def _known(value: float | None) -> str:
    return "-" if value is None else _bn(value)


def _largest(row: Figures) -> str:
    return f"{_who(row['largest_vendor'])}, {percent(row['share'])}" if row["share"] else "-"


def _contracts(page: Page, contracts: Sequence[Figures]) -> None:
    page.heading("Owed by contract", ", $bn")
    largest = sorted(contracts, key=lambda row: -row["as_signed_bn"])[:MOST_CONTRACTS]
    amounts = ("as_signed_bn", "after_cancellation_bn", "least_bn", "most_bn")
    rows = [[row["contract"], *(_bn(row[amount]) for amount in amounts)] for row in largest]
    page.table(["", "as signed", "after plan", "least", "most"], rows)
    page.note(left_out((len(contracts) - MOST_CONTRACTS, "smaller contract")))


def _branches(page: Page, branches: Sequence[Figures]) -> None:
    page.heading("Owed by future", ", $bn")
    likely = sorted(branches, key=lambda row: -row["probability"])[:MOST_BRANCHES]
    known = [[part.partition("=") for part in row["known"].split(", ")] for row in likely]
    rows = [
        [", ".join(outcome for _, _, outcome in outcomes), percent(row["probability"]), _bn(row["as_signed_bn"]),
         _bn(row["after_cancellation_bn"])]
        for row, outcomes in zip(likely, known, strict=True)
    ]  # fmt: skip
    page.table([", ".join(factor for factor, _, _ in known[0]), "chance", "as signed", "after plan"], rows)
    page.note(left_out((len(branches) - MOST_BRANCHES, "less likely future")))


def _whatifs(page: Page, effects: Sequence[Figures]) -> None:
    page.heading("WHAT EACH WHAT-IF CHANGES OF WHAT IS OWED, $bn after the plan's cancellations")
    if not effects:
        page.note("The instance has no what-ifs.")
        return
    for first in range(0, len(effects), MOST_WHATIFS):
        some = effects[first : first + MOST_WHATIFS]
        vendors = list(dict.fromkeys(vendor for effect in some for vendor in effect["vendors"]))
        moved = [v for v in vendors if any(abs(_change(effect, v) or 0.0) >= TWO_DECIMALS for effect in some)]
        rows = [[_who(vendor), *(_changed(_change(effect, vendor), "-") for effect in some)] for vendor in moved]
        rows.append(["all that is owed", *(_bn(effect["total_bn"]) for effect in some)])
        rows.append(["worth of the plan", *(_bn(effect["objective_bn"]) for effect in some)])
        page.table(["", *(effect["whatif"].replace("-", "\n") for effect in some)], rows)
        if len(moved) < len(vendors):
            page.note(f"For {len(vendors) - len(moved)} other vendors nothing changes.")
    for effect in effects:
        if effect["reason"]:
            page.note(f"{effect['whatif']} has no plan: {effect['reason']}")


def _change(effect: Figures, vendor: str) -> float | None:
    return effect["vendors"][vendor]["change_bn"] if vendor in effect["vendors"] else None


def _changed(change: float | None, none: str = "no plan") -> str:
    return none if change is None else f"{change:+.2f}" if abs(change) >= TWO_DECIMALS else "0"


def _vendors(page: Page, risks: Sequence[Figures]) -> None:
    page.heading("WORTH AT RISK BY VENDOR, $bn of the plan's worth")
    losses = ("late_bn", "fails_bn")
    worst = sorted(risks, key=lambda row: -(row["fails_bn"] if row["fails_bn"] is not None else float("-inf")))
    rows = [
        [_who(row["vendor"]), number(row["open_gw"], 2), *(_changed(row[loss] and -row[loss]) for loss in losses)]
        for row in worst[:MOST_VENDORS]
    ]
    page.table(["", "GW open", "a quarter late", "fails"], rows)
    page.note(left_out((len(risks) - MOST_VENDORS, "vendor at less risk")))
    page.note(
        "Change of worth, each vendor alone, the plan made anew. GW open: to be delivered after the plan's start. "
        "Fails: its contracts fall away from the start, and their price with them; + is a gain."
    )
    for row in risks:
        for reason in dict.fromkeys(r for r in (row["late_reason"], row["fails_reason"]) if r):
            page.note(f"{_who(row['vendor'])}: no plan: {reason}")


def _unverified(page: Page, risks: Figures) -> None:
    swing = percent(risks["swing"])
    page.heading(f"WHAT RESTS ON UNVERIFIED CELLS, each swung {swing} down and up, $bn of the plan's worth")
    rows = [
        [row["status"] or "no status", number(row["contract_gw"], 2), number(row["delivery_gw"], 2),
         str(row["cells"]) if row["status"] != "reported" else "-", *(
             [_bn(row["largest_bn"]), _bn(row["added_bn"])] if row["status"] != "reported" else ["-", "-"])]
        for row in risks["statuses"] if row["cells"] or row["contract_gw"] or row["delivery_gw"]
    ]  # fmt: skip
    page.table(["", "GW by\ncontract", "GW by\ndelivery", "cells", "largest\nloss", "losses\nadded"], rows)
    page.note(
        "GW by the status of the contract's row, and of the deliveries'. Losses added: as if all cells went wrong at "
        "once and none made another worse."
    )
    swings = [row for row in risks["swings"] if row["at_risk_bn"] >= TWO_DECIMALS][:MOST_SWINGS]
    rows = [
        [
            row["cells"],
            row["status"] or "none",
            str(row["count"]),
            *(_changed(row[way]) for way in ("down_bn", "up_bn")),
        ]
        for row in swings
    ]
    page.table(["column", "status", "cells", f"-{swing}", f"+{swing}"], rows, "nlrrr")
    page.note(left_out((len(risks["swings"]) - len(swings), "smaller swing")))
    without = [row for row in risks["swings"] if row["reason"]]
    for row in without[:3]:
        page.note(f"{row['cells']}: a side has no plan: {row['reason']}")


PARTS: Final[dict[str, Callable[[Page, Any], None]]] = {
    "obligations": obligations,
    "book": book,
    "whatifs": _whatifs,
    "vendors": _vendors,
    "unverified": _unverified,
}
"""What prints each part, in the order in which they are printed."""
