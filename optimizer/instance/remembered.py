"""What was made of tables and is made once: remembered by the objects that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Self, TypeVar

T = TypeVar("T")

_Made = dict[tuple[Any, ...], tuple[tuple[Any, ...], Any]]


class Remembered:
    """What was made of tables, the same objects, so that it is made once.

    Beside what was made stands what it was made from, so that an `id` stays that object's.

    Parameters
    ----------
    by_content : bool
        Whether columns count as the same where their cells are equal, too: worth comparing where many instances are
        laid out that differ in a few cells.
    known : Remembered, optional
        What is known already; what is learnt beyond it stays here alone.
    """

    def __init__(self, *, by_content: bool = False, known: Remembered | None = None) -> None:
        self._by_content = by_content
        self._made: _Made = {}
        self._known: tuple[_Made, ...] = (known._made, *known._known) if known else ()

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Leave behind what is remembered: the tables stand elsewhere in another process."""
        return partial(type(self), by_content=self._by_content), ()

    def forked(self) -> Self:
        """Return what knows all that this knows; what it learns is its alone."""
        return type(self)(by_content=self._by_content, known=self)

    def once(self, what: Hashable, sources: Sequence[Any], make: Callable[[], T]) -> T:
        """Return what `make` makes of the sources; of the same objects it is made once."""
        return self._once((what, *map(id, sources)), sources, make)

    def _once(self, key: tuple[Any, ...], sources: Sequence[Any], make: Callable[[], T]) -> T:
        found = self._made.get(key)
        for known in self._known:
            found = found or known.get(key)
        if found is None:
            found = self._made[key] = (tuple(sources), make())
        made: T = found[1]
        return made

    def _standing_for(self, *content: Hashable) -> object:
        """Return an object that is the same where the content is equal: much cheaper to look up than the content."""
        return self._once(("standing for", *content), (), object)
