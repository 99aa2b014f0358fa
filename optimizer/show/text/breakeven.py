"""A printed breakeven, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tolerances import PROVED, ROUNDING
from gwplan.show.page import Page, decimals, formatter, left_out, maximised, number
from gwplan.studies.breakeven.breakeven import Breakeven
from gwplan.studies.breakeven.cases import EXACT, Break, PlanChanges, Search, Threshold
from gwplan.studies.evaluate import Evaluation
from gwplan.studies.locks import LockCost

WORTH: Final = "plan.objective_bn"
"""The figure that is looked at unless another is asked for."""

MOST_MOVES: Final = 12
"""Moves of the plan that are printed; all are in the JSON."""

WORDS: Final = {1: "UP", -1: "DOWN"}


def breakeven(page: Page, name: str, result: Breakeven) -> None:
    """Show where the cells and the figure are, and the nearest breakeven in each direction."""
    if isinstance(result.goal, Threshold):
        what = f"{result.figure} becomes {result.goal.value:g}"
    else:
        what = "the first moves change" if result.goal.first else "the plan changes"
        what += "" if result.goal.any_change else f" by {result.goal.by_gw:g} GW or more"
    page.heading(f"BREAKEVEN of {name}: where {what}")
    page.note(", ".join(filter(None, (result.varied.text, result.varied.unit))))
    page.facts(
        [
            ("Now", _written(result.now.value), f"{result.figure} is {_written(result.now.figure)}"),
            ("Searched", f"{result.low:g} to {result.high:g}", "every value re-optimised"),
        ]
    )
    if not result.searches:
        page.note("There is no room to search: the bounds are where the cells are.")
    for search in result.searches:
        _search(page, search, result)


def _search(page: Page, search: Search, result: Breakeven) -> None:
    if search.nearest is None:
        ended = f"; {search.ended}" if search.ended else ""
        page.heading(f"{WORDS[search.direction]}: none as far as {_written(search.until)}{ended}")
    else:
        page.heading(f"{WORDS[search.direction]}: at {_written(search.nearest.value)}")
        _break(page, search.nearest, result)
    if search.method:
        page.note(_method(search))


def _method(search: Search) -> str:
    one, many = ("basis", "bases") if search.method == EXACT else ("re-solve", "re-solves")
    steps = f"{search.steps} {one if search.steps == 1 else many}"
    words = f"Exact: {search.method} ({steps})." if search.method == EXACT else f"By bisection of re-solves ({steps})"
    if search.reason:
        words += f", since {search.reason}."
    if search.nearest and search.nearest.low != search.nearest.high:
        words += f" It lies between {_written(search.nearest.low)} and {_written(search.nearest.high)}."
    if search.scan:
        words += " Some of the way was solved at some values only: what happens and is undone between two is not seen."
    return words


def _break(page: Page, at: Break, result: Breakeven) -> None:
    sides = dict.fromkeys((_written(at.before.figure), _written(at.after.figure)))
    figure = [] if result.figure == WORTH else [("Figure there", " | ".join(sides), result.figure)]
    page.facts(
        [
            ("Worth there", _written(at.after.worth_bn), "$bn"),
            *figure,
            ("Its slope", f"{_slope(at.slope_before)} | {_slope(at.slope_after)}",
             "per unit of the cells, on the side of now | beyond"),
        ]
    )  # fmt: skip
    if isinstance(result.goal, PlanChanges) and result.goal.first:
        first = at.first_moves(result.now)
        write = formatter([move[side] for move in first for side in ("now_gw", "after_gw")])
        rows = [
            [f"{move['pathway']} on {move['pool']}", *(write(move[s]) for s in ("now_gw", "after_gw"))]
            for move in first
        ]
        page.table(["GW in the first period", "now", "at once\nbeyond"], rows[:MOST_MOVES])
        page.note(left_out((len(first) - MOST_MOVES, "pair")))
        return
    moves = at.moves(result.now)
    if not moves:
        page.note(
            "By year each pathway uses what it uses now, and the same notices are given: what moves, if anything, "
            "moves among pools, periods or futures."
        )
        return
    write = formatter([move[side] for move in moves for side in ("now_gw", "after_gw")])
    rates = any(np.isfinite(move["after_gw_per_unit"]) and abs(move["after_gw_per_unit"]) > ROUNDING for move in moves)
    rows = [
        [_name(move), *(write(move[side]) for side in ("now_gw", "before_gw", "after_gw")),
         *([f"{move['after_gw_per_unit']:.4g}"] if rates else [])]
        for move in moves[:MOST_MOVES]
    ]  # fmt: skip
    page.table(["mean GW", "now", "before", "at once\nbeyond", *(["per unit\nbeyond"] if rates else [])], rows)
    if len(moves) > MOST_MOVES:
        page.note(f"{len(moves) - MOST_MOVES} more in --json.")


def _slope(slope: float | None) -> str:
    return "-" if slope is None else f"{slope + 0.0:.6g}"


def _name(move: Mapping[str, Any]) -> str:
    return f"{move['name']} {move['year']}" if move["what"] == "use" else f"{move['name']} cancelled"


def _written(value: float) -> str:
    return f"{value + 0.0:.9g}"


MOST_BROKEN = 12


def evaluation(page: Page, evaluated: Evaluation) -> None:
    """Show the limits that a given allocation breaks, its worth, and where the gap to the best plan arises."""
    plan, best = evaluated.plan, evaluated.best
    money = formatter([plan.objective_bn, best.objective_bn])
    name = plan.instance.name
    if evaluated.broken:
        limits = f"{len(evaluated.broken)} limit" + "s" * (len(evaluated.broken) > 1)
        page.heading(f"NOT POSSIBLE: the given allocation of {name} breaks {limits}")
        _broken(page, evaluated)
        page.heading("WORTH as if those limits were lifted that far: what was not given is chosen best")
    else:
        page.heading(f"GIVEN ALLOCATION of {name}: it keeps every limit; what was not given is chosen best")
    page.facts(
        [
            (
                maximised(plan.instance).capitalize(),
                f"{money(plan.objective_bn)} $bn",
                "of the given allocation",
            ),
            ("Best plan", f"{money(best.objective_bn)} $bn", "of the plan that gwplan would choose"),
            ("Gap", f"{money(evaluated.gap_bn)} $bn", "best plan less the given allocation"),
            ("Cash (NPV)", f"{money(plan.npv_bn)} $bn", f"against {money(best.npv_bn)} $bn of the best plan"),
        ]
    )
    _gap(page, evaluated)


def _broken(page: Page, evaluated: Evaluation) -> None:
    for broken in evaluated.broken[:MOST_BROKEN]:
        where = f"{broken.start}{', ' + broken.known if broken.known else ''}"
        times = f"on {broken.nodes} nodes, first at {where}" if broken.nodes > 1 else f"at {where}"
        most = f"{number(broken.most_gw, 3)} {broken.measure}{' at most' if broken.nodes > 1 else ''}"
        page.note(f"- {broken.words}: by {most}, {times}")
    page.note(left_out((len(evaluated.broken) - MOST_BROKEN, "limit")))


def _gap(page: Page, evaluated: Evaluation) -> None:
    table = evaluated.gap_by_year()
    table = table[(table.abs() > PROVED).any(axis=1)]
    if not len(table):
        return
    page.heading("WHERE THE GAP ARISES: best plan less the given one, $bn, expected and discounted")
    places = min(decimals(table.to_numpy().ravel()), 3)
    years = [str(year) for year in table.columns]
    rows = [
        [str(owner), *(number(v, places) for v in row), number(row.sum(), places)] for owner, row in table.iterrows()
    ]
    total = [number(v, places) for v in table.sum()]
    page.table(["", *years, "all"], [*rows, ["all", *total, number(float(table.to_numpy().sum()), places)]])
    if evaluated.plan.instance.aversion:
        page.note("The objective weighs bad outcomes too, so that its gap is another than the expected one here.")


def locks(page: Page, costs: Sequence[LockCost]) -> None:
    """Show what each lock costs."""
    page.heading("WHAT EACH LOCK COSTS: worth without it, the others held, less worth with it, $bn")
    places = min(decimals([cost.cost_bn for cost in costs]), 4)
    page.table(["", "$bn"], [[cost.lock, number(cost.cost_bn, places)] for cost in costs])
