"""Stacks: what-ifs and edits applied one after the other, as one case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optimizer.instance.edit import edit
from optimizer.instance.instance import Edit, Instance, WhatIf
from optimizer.problems import InstanceError, Problem, nearest
from optimizer.storage.read import load_whatif

BASE = "base"
"""Name of the case without any change."""

SET = "set"
"""Name of the case that the edits of a command line make."""


@dataclass(frozen=True)
class Part:
    """One change of a stack: a what-if, or an edit."""

    name: str
    change: WhatIf | Edit

    def applied(self, instance: Instance) -> Instance:
        """Return an instance with the change."""
        change = self.change
        return instance.with_whatif(change) if isinstance(change, WhatIf) else instance.edited(change)


@dataclass(frozen=True)
class Stack:
    """A named case: parts applied in their order."""

    name: str
    parts: tuple[Part, ...] = ()

    def applied(self, instance: Instance) -> Instance:
        """Return an instance with all the parts applied.

        Raises
        ------
        InstanceError
            If a part does not fit what the earlier ones left.
        """
        for part in self.parts:
            instance = part.applied(instance)
        return instance


def stacks(instance: Instance, names: Sequence[str], edits: Sequence[str] = ()) -> list[Stack]:
    """Return the cases that a command line asks for; every what-if of the instance where it names none.

    Parameters
    ----------
    instance : Instance
        The base.
    names : sequence of str
        What-ifs of the instance or files that end in ``.toml``; what-ifs joined by ``+`` stack.
    edits : sequence of str
        Edits in the command line's spelling; together they are one more case.

    Raises
    ------
    InstanceError
        If a name or an edit means nothing, or there is no case; it carries every problem found.
    """
    problems: list[Problem] = []
    found: list[Stack] = []
    for name in dict.fromkeys(names or ([] if edits else instance.whatifs)):
        try:
            parts = tuple(_part(instance, each) for each in _split(instance, name))
            found.append(Stack("+".join(part.name for part in parts), parts))
        except InstanceError as error:
            problems += error.problems
    try:
        parsed = [Part(text, edit(text)) for text in edits]
        found += [Stack(SET, tuple(parsed))] if parsed else []
    except InstanceError as error:
        problems += error.problems
    repeated = [name for name in {s.name for s in found} if sum(s.name == name for s in found) > 1 or name == BASE]
    problems += [
        Problem(f"what-if {name}", "stands for two cases", "every case has a name of its own") for name in repeated
    ]
    if not found and not problems:
        remedy = "name a .toml file, or give --set EDIT"
        problems.append(Problem("what-ifs", "none", "the instance has no whatifs/ to compare", remedy))
    if problems:
        raise InstanceError(problems)
    return found


def _split(instance: Instance, name: str) -> list[str]:
    """Return the parts of a name; a what-if whose own name holds a ``+`` stays whole."""
    return [name] if name in instance.whatifs else name.split("+")


def _part(instance: Instance, name: str) -> Part:
    if name in instance.whatifs:
        return Part(name, instance.whatifs[name])
    if name.endswith(".toml"):
        return Part(Path(name).stem, load_whatif(name))
    known = nearest(name, instance.whatifs)
    raise InstanceError(Problem(f"what-if {name}", "no such what-if in the instance", known))
