"""The first value at which something has happened: a scan of some values, and a bracket narrowed by halving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

SCANNED: Final = 12
"""Values between the start and the bound that are looked at before a bracket is narrowed."""

NO_PLAN: Final = "beyond it no plan keeps every limit"

Look = Callable[[float], bool | None]
"""Whether it has happened at a value; None where there is no plan."""


@dataclass(frozen=True)
class Scan:
    """Where it happens first.

    Attributes
    ----------
    near, over : float
        The last value before it and the first one after, in the cell's unit; both None where it does not happen.
    until : float
        How far was looked, in the cell's unit.
    ended : str
        Why not as far as the bound; blank where it was.
    """

    near: float | None
    over: float | None
    until: float
    ended: str = ""


def narrowed(inside: Callable[[float], bool], good: float, bad: float, width: float, *, whole: bool) -> float:
    """Return a value inside that is within `width` of one that is not, by halving.

    Parameters
    ----------
    inside : callable
        Whether a value is inside.
    good, bad : float
        A value inside, and one that is not.
    width : float
        Distance, in the cell's unit.
    whole : bool
        Whether only whole numbers are tried: the next one is outside then.
    """
    while abs(bad - good) > (1.0 if whole else width):
        middle = (good + bad) / 2
        middle = float(np.floor(middle)) if whole else middle
        if middle in (good, bad):
            break
        good, bad = (middle, bad) if inside(middle) else (good, middle)
    return good


def scanned(look: Look, start: float, bound: float, width: float, *, whole: bool) -> Scan:
    """Return where it happens first on the way from a value at which it has not.

    What happens and is undone between two neighbouring values of the scan is not seen.
    """
    seen: dict[float, bool | None] = {start: False}

    def known(value: float) -> bool | None:
        if value not in seen:
            seen[value] = look(value)
        return seen[value]

    last = start
    for value in _values(start, bound, whole=whole):
        ended = ""
        if known(value) is None:
            value = narrowed(lambda v: known(v) is not None, last, value, width, whole=whole)
            ended = NO_PLAN
        if known(value):
            near = narrowed(lambda v: known(v) is False, last, value, width, whole=whole)
            over = min((v for v, had in seen.items() if had and abs(v - start) > abs(near - start)),
                       key=lambda v: abs(v - near))  # fmt: skip
            return Scan(near, over, over)
        if ended:
            return Scan(None, None, value, ended)
        last = value
    return Scan(None, None, bound)


def _values(start: float, bound: float, *, whole: bool) -> list[float]:
    """Return the values that are looked at first, from the start to the bound."""
    count = min(SCANNED, int(abs(bound - start))) if whole else SCANNED
    values = np.linspace(start, bound, count + 1)[1:]
    return list(dict.fromkeys((np.rint(values) if whole else values).tolist()))
