"""First moves in print: a table of what every future agrees on, and a tree of what is decided on each branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from optimizer.plan.first_moves import ENDED, IDLE, NEW, Branch, Move
from optimizer.show.page import Page, Twig, decimals, number, percent

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


def moves_before_reveal(page: Page, branches: Sequence[Branch], peak_gw: float, rest: str = "--json") -> None:
    """Show what is decided before the first reveal; `rest` names where all moves are told."""
    first = branches[0]
    if sum(branch.parent < 0 for branch in branches) > 1:
        page.heading("First moves", ", the same in every future")
        page.note(f"None: futures are told apart from the start, {first.since}, on.")
        return
    agreed = "the same in every future" if len(branches) > 1 else "no future is told apart"
    gw, least = _figures(peak_gw)
    moves = [move for move in first.moves if move.gw >= least]
    page.heading("First moves", f", {agreed}: {first.since} until {first.until}")
    if not moves:
        page.note("None: the plan keeps what is in use.")
        return
    moves = sorted(moves, key=lambda move: _parts(move)[0])[:MOST_MOVES]
    rows = [[" ".join(_parts(move)[1:]), gw(move.gw), move.since] for move in moves]
    page.table(["decision", "GW", "from"], rows, "nrl")
    _say_what_is_left_out(page, len(first.moves) - len(rows), gw(least), rest)


def tree_of_moves(page: Page, branches: Sequence[Branch], peak_gw: float, rest: str = "--json") -> None:
    """Show what is decided on each branch as a tree; `rest` names where all moves are told."""
    if len(branches) < 2:
        return
    page.heading("What is decided on each branch", ", until the next reveal or for a year, in GW")
    children: dict[int, list[Branch]] = {}
    for branch in branches:
        children.setdefault(branch.parent, []).append(branch)
    depth = _depth(children)
    gw, least = _figures(peak_gw)

    def twig(branch: Branch, level: int) -> Twig:
        below = children.get(branch.number, []) if level + 1 < depth else []
        text = f"if {branch.told} in {branch.since[:7]} ({percent(branch.probability)}): "
        text += _sentence(branch, gw, least)
        if children.get(branch.number) and not below:
            text += " ..."
        return Twig(text, [twig(child, level + 1) for child in below])

    tops = children[-1]
    if len(tops) == 1:
        page.indented(f"in every future until {tops[0].until}: as above")
        tops = children.get(tops[0].number, [])
    page.tree([twig(branch, 0) for branch in tops])
    page.note(f"GW, net of the dates shown, all pools together; below {gw(least)} GW, and what follows ..., in {rest}.")


def _say_what_is_left_out(page: Page, count: int, least: str, rest: str) -> None:
    if count:
        page.note(f"{count} more, most of them below {least} GW, {'are' if count > 1 else 'is'} in {rest}.")


def _depth(children: dict[int, list[Branch]]) -> int:
    """Return how many levels of the tree fit the page; at least one."""
    level = children[-1] if len(children[-1]) > 1 else children.get(children[-1][0].number, [])
    depth = count = 0
    while level and (depth == 0 or count + len(level) <= MOST_BRANCHES):
        depth, count = depth + 1, count + len(level)
        level = [child for branch in level for child in children.get(branch.number, [])]
    return depth


def _figures(peak_gw: float) -> tuple[Callable[[float], str], float]:
    """Return what writes GW, and the least GW worth telling: half a percent of all, never what prints as 0."""
    places = decimals([peak_gw])
    return (lambda gw: number(gw, places)), max(0.5 * 10.0**-places, LEAST_SHARE * peak_gw)


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
