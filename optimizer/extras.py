"""Packages that only some tasks need, imported when the task is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gwplan.problems import InstanceError, Problem


def imported(module: str, name: str, *, extra: str, doing: str) -> Any:
    """Import a package of an extra. `doing` says, in the plural, what needs it."""
    try:
        return import_module(module)
    except ImportError:
        rule = f"{doing} need the extra '{extra}'"
        raise InstanceError(Problem(name, "not installed", rule, f'pip install "gwplan[{extra}]"')) from None
