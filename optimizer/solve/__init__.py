"""From model to solution: matrix, solver, certificate.

The package is named like the function that plans, ``gw.solve(instance)``. Python puts an imported subpackage where the
function stood, so the package can be called and means the function.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.results.plan import Plan


class _CallablePackage(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Plan:
        """Return the best plan of an instance; see `optimizer.planning.solve`."""
        from optimizer.planning import solve

        return solve(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
