"""First moves in print: a table of what every future agrees on, and a tree of what is decided on each branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.cells import cell_len

from optimizer.export.printed_layout import Page, decimals, number, percent, wrapped
from optimizer.whatif.first_moves import ENDED, IDLE, NEW, Branch, Move
from optimizer.whatif.uncertainty import Uncertainty

MOST_BRANCHES: Final = 30
MOST_MOVES: Final = 12

LEAST_SHARE: Final = 0.005
"""Moves below this share of the capacity at its largest are left out."""

COMMITMENTS: Final = {
    "cancel": ("give notice on contracts:", 0),
    "notice": ("give notice on deals:", 1),
    "breach": ("break off deals:", 2),
    "sign": ("sign deals:", 3),
}
"""What is done that binds, and its place among the decisions."""


def moves_before_reveal(page: Page, found: Uncertainty) -> None:
    """Show what is decided before the first reveal."""
    first = found.first_moves[0]
    if sum(branch.parent < 0 for branch in found.first_moves) > 1:
        page.heading("FIRST MOVES, the same in every future")
        page.note(f"None: futures are told apart from the start, {first.since}, on.")
        return
    agreed = "the same in every future" if len(found.first_moves) > 1 else "no future is told apart"
    gw, least = _figures(found)
    moves = [move for move in first.moves if move.gw >= least]
    page.heading(f"FIRST MOVES, {agreed}: {first.since} until {first.until}")
    if not moves:
        page.note("None: the plan keeps what is in use.")
        return
    moves = sorted(moves, key=lambda move: _parts(move)[0])[:MOST_MOVES]
    rows = [[" ".join(_parts(move)[1:]), gw(move.gw), move.since] for move in moves]
    page.table(["decision", "GW", "from"], rows, "nrl")
    _say_what_is_left_out(page, len(first.moves) - len(rows), gw(least))


def tree_of_moves(page: Page, found: Uncertainty) -> None:
    """Show what is decided on each branch as a tree."""
    if len(found.first_moves) < 2:
        return
    page.heading("WHAT IS DECIDED ON EACH BRANCH, until the next reveal or for a year, in GW")
    children: dict[int, list[Branch]] = {}
    for branch in found.first_moves:
        children.setdefault(branch.parent, []).append(branch)
    depth = _depth(children)
    gw, least = _figures(found)
    drawn = ("├─ ", "└─ ", "│  ") if page.encoding.lower().startswith("utf") else ("|- ", "`- ", "|  ")

    def say(branch: Branch, before: str, last: bool, level: int) -> None:
        below = children.get(branch.number, []) if level + 1 < depth else []
        text = f"if {branch.told} in {branch.since[:7]} ({percent(branch.probability)}): "
        text += _sentence(branch, gw, least)
        if children.get(branch.number) and not below:
            text += " ..."
        rest = before + ("   " if last else drawn[2])
        start = before + (drawn[1] if last else drawn[0])
        lines = wrapped(page.clean(text), page.width - 2 - cell_len(start) - 3)
        room = rest + (drawn[2] if below else "   ")
        page.lines += [(f"  {start if i == 0 else room}{line}", "") for i, line in enumerate(lines)]
        for child in below:
            say(child, rest, child is below[-1], level + 1)

    tops = children[-1]
    if len(tops) == 1:
        page.lines.append((f"  in every future until {tops[0].until}: as above", ""))
        tops = children.get(tops[0].number, [])
    for branch in tops:
        say(branch, "", branch is tops[-1], 0)
    page.note(f"GW, net of the dates shown, all pools together; below {gw(least)} GW, and what follows ..., in --json.")


def _say_what_is_left_out(page: Page, count: int, least: str) -> None:
    if count:
        page.note(f"{count} more, most of them below {least} GW, {'are' if count > 1 else 'is'} in --json.")


def _depth(children: dict[int, list[Branch]]) -> int:
    """Return how many levels of the tree fit the page; at least one."""
    level = children[-1] if len(children[-1]) > 1 else children.get(children[-1][0].number, [])
    depth = count = 0
    while level and (depth == 0 or count + len(level) <= MOST_BRANCHES):
        depth, count = depth + 1, count + len(level)
        level = [child for branch in level for child in children.get(branch.number, [])]
    return depth


def _figures(found: Uncertainty) -> tuple[Callable[[float], str], float]:
    """Return what writes GW, and the least GW worth telling: half a percent of all, never what prints as 0."""
    peak = float(found.plan.laid_out.data.supply.sum(axis=0).max(initial=0.0))
    places = decimals([peak])
    return (lambda gw: number(gw, places)), max(0.5 * 10.0**-places, LEAST_SHARE * peak)


def _sentence(branch: Branch, gw: Callable[[float], str], least: float) -> str:
    """Return a branch's decisions: what binds first, then what can be moved back, alike ones together."""
    together: dict[tuple[int, str], list[str]] = {}
    for move in branch.moves:
        if move.gw >= least:
            rank, verb, what = _parts(move)
            later = f" from {move.since[:7]}" if move.since > branch.since and move.decision != "move" else ""
            told = f"{gw(move.gw)} {what}" if verb == "move" else f"{what} {gw(move.gw)}"
            together.setdefault((rank, verb), []).append(told + later)
    parts = [f"{verb} {', '.join(whats)}" for (_, verb), whats in sorted(together.items(), key=lambda item: item[0][0])]
    return "; ".join(parts) if parts else "little changes"


def _parts(move: Move) -> tuple[int, str, str]:
    """Return the place of a decision among others, what is done, and with what."""
    if move.decision in COMMITMENTS:
        verb, rank = COMMITMENTS[move.decision]
        return rank, verb, move.source
    if move.source in (NEW, IDLE):
        if move.target == IDLE:
            return 6, "leave idle:", "new capacity"
        return (5, "new capacity into", move.target) if move.source == NEW else (6, "idle capacity into", move.target)
    if move.target in (IDLE, ENDED):
        return (7, "leave idle: from", move.source) if move.target == IDLE else (8, "lose by ends:", move.source)
    return 4, "move", f"from {move.source} to {move.target}"
