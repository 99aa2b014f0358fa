"""What is wrong with an input, said so that a planner can mend it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal


@dataclass(frozen=True)
class Problem:
    """One thing wrong, or worth knowing, about an input.

    Attributes
    ----------
    where : str
        File or sheet, row and column, e.g. ``demand.csv row 7, cap_gw``.
    what : str
        What was found there.
    rule : str
        The rule that it breaks (for a warning: why it decides nothing).
    remedy : str
        What to do about it.
    severity : {"error", "warning"}
        Errors stop the work, warnings are printed and kept with the run.
    """

    where: str
    what: str
    rule: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """Return the problem as one line."""
        line = f"{self.where}: {self.what}; {self.rule}"
        return " ".join(f"{line}; {self.remedy}".split()) if self.remedy else " ".join(line.split())


class InstanceError(ValueError):
    """An input that cannot be planned with; carries every problem found, not only the first.

    Attributes
    ----------
    problems : tuple of Problem
        All problems, in the order of the files.
    """

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[InstanceError], tuple[tuple[Problem, ...]]]:
        """Keep the problems when the error crosses to another process."""
        return type(self), (self.problems,)


def all_told(*groups: Iterable[Callable[[], Any]]) -> list[list[Any]]:
    """Return what each function of each group returns, the problems of all of them told at once."""
    made: list[list[Any]] = []
    problems: list[Problem] = []
    for group in groups:
        made.append([])
        for make in group:
            try:
                made[-1].append(make())
            except InstanceError as error:
                problems += error.problems
    if problems:
        raise InstanceError(problems)
    return made


def composed(text: str) -> str:
    """Return a text with its accents in one normal form, NFC: a Mac writes names of files and sheets in another."""
    return unicodedata.normalize("NFC", text)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the known name nearest to `name`, or the known names when few."""
    names = list(dict.fromkeys(known))
    close = get_close_matches(name, names, n=1, cutoff=0.6) or [n for n in names if n.lower() == name.lower()]
    if close:
        strange = [c for c in dict.fromkeys(name) if ord(c) > 127 and c not in close[0]]
        named = ", ".join(f"'{c}' is {unicodedata.name(c, f'U+{ord(c):04X}')}" for c in strange)
        return f"did you mean '{close[0]}'?" + f" {named}" * bool(named)
    if not names:
        return "there are none"
    shown = ", ".join(names[:8])
    return f"known: {shown}" + (", ..." if len(names) > 8 else "")
