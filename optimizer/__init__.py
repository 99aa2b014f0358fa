"""Plan how fungible compute capacity is split among its uses.

>>> import optimizer as gw
>>> plan = gw.solve(gw.load("instances/tiny-deals"))
>>> round(plan.objective_bn, 1)
15.3
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.errors import AuditError, InfeasibleError, PlanError, SolverError, StoppedError
    from optimizer.instance.edit import edit
    from optimizer.instance.instance import Edit, Instance, WhatIf
    from optimizer.instance.problems import InstanceError, Problem
    from optimizer.instance.read import load
    from optimizer.instance.write import save
    from optimizer.planning import solve
    from optimizer.results.nearness import stay_near
    from optimizer.results.plan import Plan
    from optimizer.session import Answer, Session
    from optimizer.solve.solution import SolveOptions
    from optimizer.whatif.uncertainty import Uncertainty, uncertainty

_HOME = {
    "Answer": "optimizer.session",
    "AuditError": "optimizer.errors",
    "Edit": "optimizer.instance.instance",
    "InfeasibleError": "optimizer.errors",
    "Instance": "optimizer.instance.instance",
    "InstanceError": "optimizer.instance.problems",
    "Plan": "optimizer.results.plan",
    "PlanError": "optimizer.errors",
    "Problem": "optimizer.instance.problems",
    "Session": "optimizer.session",
    "SolveOptions": "optimizer.solve.solution",
    "SolverError": "optimizer.errors",
    "StoppedError": "optimizer.errors",
    "Uncertainty": "optimizer.whatif.uncertainty",
    "WhatIf": "optimizer.instance.instance",
    "edit": "optimizer.instance.edit",
    "load": "optimizer.instance.read",
    "save": "optimizer.instance.write",
    "solve": "optimizer.planning",
    "stay_near": "optimizer.results.nearness",
    "uncertainty": "optimizer.whatif.uncertainty",
}

__all__ = [
    "Answer",
    "AuditError",
    "Edit",
    "InfeasibleError",
    "Instance",
    "InstanceError",
    "Plan",
    "PlanError",
    "Problem",
    "Session",
    "SolveOptions",
    "SolverError",
    "StoppedError",
    "Uncertainty",
    "WhatIf",
    "edit",
    "load",
    "save",
    "solve",
    "stay_near",
    "uncertainty",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that nothing heavy is imported before it is needed."""
    if name not in _HOME:
        raise AttributeError(f"module 'optimizer' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
