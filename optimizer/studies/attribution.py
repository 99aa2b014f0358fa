"""How much of the difference between a stack of changes and its base is due to each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Final

from optimizer.errors import InfeasibleError
from optimizer.problems import InstanceError
from optimizer.session import Session
from optimizer.studies.attempt import why_no_plan
from optimizer.studies.stacks import Part, Stack

MOST_EXACT: Final = 4
"""Parts of a stack up to which every subset of them is solved."""


@dataclass(frozen=True)
class Attribution:
    """Shares of a difference in worth.

    Attributes
    ----------
    shares : tuple of (str, float)
        Name of each part and its share, $bn; they sum to the difference.
    exact : bool
        Whether they are Shapley shares, the same in any order; else each is what its part adds in the given order.
    failure : str
        Why there are none; blank where there are.
    """

    shares: tuple[tuple[str, float], ...] = ()
    exact: bool = True
    failure: str = ""


def attribute(session: Session, stack: Stack) -> Attribution:
    """Return what each part of a stack contributes to its worth against the base.

    Up to four parts the shares are Shapley's: what a part adds, averaged over all orders in which the parts could come.
    Beyond four each part counts with what it adds to the ones before it. Whatever the order, the parts of a subset are
    applied as they stand in the stack.
    """
    parts = stack.parts
    exact = len(parts) <= MOST_EXACT
    everything = tuple(range(len(parts)))
    sizes = range(len(parts) + 1)
    subsets = (
        [s for size in sizes for s in combinations(everything, size)] if exact else [everything[:n] for n in sizes]
    )
    worth: dict[tuple[int, ...], float] = {}
    for subset in subsets:
        chosen = [parts[place] for place in subset]
        try:
            worth[subset] = _worth(session, chosen)
        except InfeasibleError as error:
            return Attribution(failure=f"{_named(chosen)} alone has no plan: {why_no_plan(error)}")
        except InstanceError as error:
            return Attribution(failure=f"{_named(chosen)} alone does not fit the instance: {error.problems[0]}")
    shares = [_shapley(worth, place, len(parts)) if exact else _in_order(worth, place) for place in everything]
    return Attribution(tuple(zip((part.name for part in parts), shares, strict=True)), exact)


def _worth(session: Session, parts: Sequence[Part]) -> float:
    return session.solve_case(Stack("", tuple(parts)).applied(session.instance)).objective_bn


def _shapley(worth: dict[tuple[int, ...], float], place: int, count: int) -> float:
    """Return what a part adds to the others, averaged over all orders."""
    total = 0.0
    for subset, before in worth.items():
        if place not in subset:
            orders = factorial(len(subset)) * factorial(count - len(subset) - 1)
            total += orders * (worth[tuple(sorted((*subset, place)))] - before)
    return total / factorial(count)


def _in_order(worth: dict[tuple[int, ...], float], place: int) -> float:
    return worth[tuple(range(place + 1))] - worth[tuple(range(place))]


def _named(parts: Sequence[Part]) -> str:
    return "+".join(part.name for part in parts) or "the base"
