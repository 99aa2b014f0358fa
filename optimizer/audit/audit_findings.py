"""What an audit finds: figures that do not agree with what they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TOLERANCE: Final = 1e-6
"""Largest difference, relative to 1 + the magnitude of what is compared, that counts as rounding."""

Namer = Callable[..., str]
"""Makes the name of a figure from its position along each axis."""


@dataclass(frozen=True)
class Finding:
    """One figure of a plan that does not agree with the instance's tables or with the plan's other figures.

    Attributes
    ----------
    figure : str
        Which figure, in words, with its unit.
    found : float or str
        What the plan says.
    expected : float or str
        What it should be; for a limit, the limit.
    difference : float
        Found less expected; nan where they are no numbers.
    """

    figure: str
    found: float | str
    expected: float | str
    difference: float = float("nan")

    def __str__(self) -> str:
        """Return the finding as one line."""
        found, expected = (f"{x:.9g}" if isinstance(x, float) else str(x) for x in (self.found, self.expected))
        apart = "" if np.isnan(self.difference) else f" (difference {self.difference:.3g})"
        return " ".join(f"{self.figure}: found {found}, expected {expected}{apart}".split())


class Findings:
    """Collects findings from comparisons of whole arrays."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def wrong(self, figure: str, found: object, expected: object) -> None:
        """Note something other than a number that is not as it should be."""
        self.all.append(Finding(figure, str(found), str(expected)))

    def same(self, name: Namer, found: Any, expected: Any, magnitude: Any = 0.0) -> None:
        """Note every element of `found` that differs from `expected`.

        Parameters
        ----------
        name : callable
            Element's position to the figure's name.
        found, expected : array_like of float
            Of the same shape.
        magnitude : array_like of float
            Size of the terms that `expected` was added up from, where they cancel out.
        """
        found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
        size = np.maximum(np.maximum(np.abs(expected), np.where(np.isfinite(found), np.abs(found), 0.0)), magnitude)
        # Written so that a nan is a difference.
        apart = ~(np.abs(found - expected) <= TOLERANCE * (1 + size))
        for at in _places(apart):
            f, e = float(found[at]), float(expected[at])
            self.all.append(Finding(name(*at), f, e, f - e))

    def at_most(self, name: Namer, found: Any, limit: Any, magnitude: Any = 0.0) -> None:
        """Note every element of `found` above its limit (inf: none); `magnitude` as in `same`."""
        self._within(name, found, limit, magnitude, 1.0, "at most")

    def at_least(self, name: Namer, found: Any, limit: Any = 0.0, magnitude: Any = 0.0) -> None:
        """Note every element of `found` below its limit; `magnitude` as in `same`."""
        self._within(name, found, limit, magnitude, -1.0, "at least")

    def _within(self, name: Namer, found: Any, limit: Any, magnitude: Any, sign: float, words: str) -> None:
        found = np.asarray(found, dtype=float)
        limit = np.broadcast_to(np.asarray(limit, dtype=float), found.shape)
        size = np.maximum(np.where(np.isfinite(limit), np.abs(limit), 0.0), magnitude)
        beyond = ~(sign * (found - limit) <= TOLERANCE * (1 + size))
        for at in _places(beyond):
            f, e = float(found[at]), float(limit[at])
            self.all.append(Finding(name(*at), f, f"{words} {e:.9g}", f - e))


def _places(mask: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in place) for place in np.argwhere(mask)] if mask.any() else []
