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
    from optimizer.instance.instance import Instance
    from optimizer.kept.stay_near import stay_near
    from optimizer.language.edits import Edit, WhatIf, edit
    from optimizer.plan.plan import Plan
    from optimizer.planning import solve
    from optimizer.problems import InstanceError, Problem
    from optimizer.session import Answer, Session
    from optimizer.solver.program import SolveOptions
    from optimizer.storage.read import load
    from optimizer.storage.write import save
    from optimizer.studies.uncertainty import Uncertainty, uncertainty

_HOME = {
    "Answer": "optimizer.session",
    "AuditError": "optimizer.errors",
    "Edit": "optimizer.language.edits",
    "InfeasibleError": "optimizer.errors",
    "Instance": "optimizer.instance.instance",
    "InstanceError": "optimizer.problems",
    "Plan": "optimizer.plan.plan",
    "PlanError": "optimizer.errors",
    "Problem": "optimizer.problems",
    "Session": "optimizer.session",
    "SolveOptions": "optimizer.solver.program",
    "SolverError": "optimizer.errors",
    "StoppedError": "optimizer.errors",
    "Uncertainty": "optimizer.studies.uncertainty",
    "WhatIf": "optimizer.language.edits",
    "edit": "optimizer.language.edits",
    "load": "optimizer.storage.read",
    "save": "optimizer.storage.write",
    "solve": "optimizer.planning",
    "stay_near": "optimizer.kept.stay_near",
    "uncertainty": "optimizer.studies.uncertainty",
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
