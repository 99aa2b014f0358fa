"""The printed price of an offer: the most to pay, or the least to take, and what clauses and waiting are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gwplan.catalogue.tolerances import THREE_DECIMALS
from gwplan.show.page import Page, left_out, number, percent, signed
from gwplan.studies.price import Clause, MostToPay, OfferPrice

STEP: Final = 0.1
"""By how much higher a terminal value is told, $bn per GW-year."""

MOST_ROWS: Final = 8
"""Dates and futures that are printed; all are in the JSON and the CSV."""

Row = tuple[str, str]
"""First date of signature and what is known by then."""


def price(page: Page, result: OfferPrice) -> None:
    """Show what is found first, then prices by date and size, clauses and waiting."""
    deal = "taken" if result.sold else "asked"
    page.heading(
        f"PRICE OF {result.offer}: {result.gw:g} GW of {result.pool}, {result.asked:.2f} $bn per GW-year {deal}"
    )
    _first(page, result)
    page.heading("THE LEAST TO TAKE" if result.sold else "THE MOST TO PAY", ", $bn per GW-year")
    for aversion in result.signed:
        _prices(page, result, aversion)
    page.note(left_out((result.left_out, "date or future")))
    if result.terminal_value is not None:
        page.note(
            f"Behind each figure: what it gains if {result.pool} were worth {STEP:g} more than "
            f"{result.terminal_value:g} after the plan, where {percent(result.beyond)} of the offer's discounted "
            "GW-years lie."
        )
    _clauses(page, result)
    _waiting(page, result)


def _first(page: Page, result: OfferPrice) -> None:
    """Say the findings in sentences."""
    first = [row for row in result.most if row.aversion == 0 and row.signed_on == result.most[0].signed_on]
    most, sides = ("least to take", "above") if result.sold else ("most to pay", "below")
    by_size = [f"{_bare(row)} for {_size(row, result)}" for row in {row.gw: row for row in first}.values()]
    page.note(f"Signed by {first[0].until} the {most} is {', '.join(by_size)}; what is {sides} it pays.")
    share, gain = result.signed[0.0], result.with_bn[0.0] - result.without_bn[0.0]
    if share > THREE_DECIMALS:
        hint = ": a hint of size, where it comes whole in life" if share < 1 - THREE_DECIMALS else ""
        signs = f"signs {number(share * result.gw, 2)} GW of it, expected, and gains {_bn(gain)} $bn"
        page.note(f"At the price named the plan {signs}{hint}.")
    else:
        page.note("At the price named the plan signs nothing of it.")


def _size(row: MostToPay, result: OfferPrice) -> str:
    return f"all {row.gw:g} GW" if row.gw == result.gw else f"the first {row.gw:g} GW"


def _bare(row: MostToPay) -> str:
    return row.reason if row.price is None else number(row.price, 2)


def _prices(page: Page, result: OfferPrice, aversion: float) -> None:
    rows = [row for row in result.most if row.aversion == aversion]
    sizes = list(dict.fromkeys(row.gw for row in rows))
    at = {((row.signed_on, row.known), row.gw): row for row in rows}
    moments: list[Row] = list(dict.fromkeys((row.signed_on, row.known) for row in rows))
    shown = _telling(moments, {moment: at[moment, result.gw] for moment in moments})
    header = [f"aversion {aversion:g}", "chance", *(f"{gw:g} GW" for gw in sizes)]
    body = []
    for moment in shown:
        row = at[moment, result.gw]
        when = row.signed_on if row.signed_on == row.until else f"by {row.until}"
        words = f"{when}, if {row.known}" if row.known else when
        body.append([words, percent(row.probability), *(_cell(at[moment, gw]) for gw in sizes)])
    page.table(header, body)
    page.note(left_out((len(moments) - len(shown), "date or future")))


def _telling(moments: Sequence[Row], whole: dict[Row, MostToPay]) -> list[Row]:
    """Return the moments to show: all, or the first and those at which most and least may be paid for the whole."""
    if len(moments) <= MOST_ROWS:
        return list(moments)
    priced = sorted(moments[1:], key=lambda moment: -(whole[moment].price or 0.0))
    half = (MOST_ROWS - 1) // 2
    kept = {moments[0], *priced[: MOST_ROWS - 1 - half], *priced[len(priced) - half :]}
    return [moment for moment in moments if moment in kept]


def _cell(row: MostToPay) -> str:
    return "none" if row.price is None else _with(number(row.price, 2), row.by_terminal_value)


def _with(figure: str, by_terminal: float | None) -> str:
    return figure if by_terminal is None else f"{figure} {signed(number(STEP * by_terminal, 2))}"


def _bn(value: float) -> str:
    return number(value, 2 if abs(value) >= 1 else 3)


def _clauses(page: Page, result: OfferPrice) -> None:
    page.heading("What each clause is worth", " at the price named, any share allowed")
    aversions = list(result.signed)
    by_words: dict[str, list[Clause]] = {}
    for clause in result.clauses:
        by_words.setdefault(clause.clause, []).append(clause)
    header = ["", *(text for aversion in aversions for text in (f"aversion {aversion:g}\n$bn", "per\nGW-year"))]
    rows = []
    for words, clauses in by_words.items():
        cells = [words if clauses[0].has else f"({words})"]
        for clause in clauses:
            value = (
                "no plan" if clause.value_bn is None else _with(_bn(clause.value_bn), clause.value_by_terminal_value)
            )
            price = "-" if clause.price is None else _with(number(clause.price, 2), clause.price_by_terminal_value)
            cells += [value, price]
        rows.append(cells)
    nothing = [words for words, clauses in by_words.items() if all(clause.value_bn == 0 for clause in clauses)]
    page.table(header, [row for row in rows if row[0].strip("()") not in nothing])
    page.note(f"Worth nothing: {', '.join(nothing)}." if nothing else "")
    page.note(
        "In brackets: what the offer has not. $bn: worth with it less worth without. Per GW-year: by how much the "
        f"price may be {'lower' if result.sold else 'higher'} with it for the same worth."
    )


def _waiting(page: Page, result: OfferPrice) -> None:
    if not result.waiting:
        return
    page.heading("What waiting is worth", ": signed by the last date before it is known, or then, too, $bn")
    at = {(row.revealed, row.aversion): row for row in result.waiting}
    averse = [aversion for aversion in result.signed if aversion]
    rows = [
        [f"{row.factor}, {row.revealed}", number(row.before_bn, 2), number(row.after_bn, 2),
         *(_with(_bn(there.value_bn), there.by_terminal_value)
           for there in (row, *(at[row.revealed, aversion] for aversion in averse)))]
        for row in result.waiting if not row.aversion
    ]  # fmt: skip
    page.table(["known from", "before", "then", "waiting", *(f"waiting,\naversion {a:g}" for a in averse)], rows)
