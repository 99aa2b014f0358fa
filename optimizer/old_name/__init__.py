"""``import optimizer``, the name of gwplan until 0.1: every module under it is gwplan's own, never a second copy.

A wheel installs this file as ``optimizer``; in a checkout the folders ``optimizer`` and ``models`` import it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAMES = {"optimizer": "gwplan", "models": "gwplan.models"}


class _OldNames(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        ours = NAMES.get(top) if top != fullname else None
        return ModuleSpec(fullname, self) if ours and sys.modules[top] is sys.modules.get(ours) else None

    def exec_module(self, module: ModuleType) -> None:
        top, _, rest = module.__name__.partition(".")
        sys.modules[module.__name__] = import_module(f"{NAMES[top]}.{rest}")  # the import hands out what stands here


def answer_to(name: str) -> None:
    """Let an old name, of which an import has just begun, stand for the package that it names."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OldNames())
    sys.modules[name] = import_module(NAMES[name])


if __name__ in NAMES:
    answer_to(__name__)
