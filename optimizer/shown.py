"""How objects of lower rooms show themselves in a notebook and are written: by the room above that tells them.

Imports point down, so that room is named here, and imported when an object is first shown.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def by_notebook(name: str) -> Any:
    """Return a name of `gwplan.show.report.notebook`."""
    return getattr(import_module("gwplan.show.report.notebook"), name)
