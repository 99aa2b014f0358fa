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
    from optimizer.errors import AuditError as AuditError
    from optimizer.errors import InfeasibleError as InfeasibleError
    from optimizer.errors import PlanError as PlanError
    from optimizer.errors import SolverError as SolverError
    from optimizer.errors import StoppedError as StoppedError
    from optimizer.instance.instance import Instance as Instance
    from optimizer.kept.stay_near import stay_near as stay_near
    from optimizer.language.edits import Edit as Edit
    from optimizer.language.edits import WhatIf as WhatIf
    from optimizer.language.edits import edit as edit
    from optimizer.plan.plan import Plan as Plan
    from optimizer.planning import solve as solve
    from optimizer.problems import InstanceError as InstanceError
    from optimizer.problems import Problem as Problem
    from optimizer.session import Answer as Answer
    from optimizer.session import Session as Session
    from optimizer.solver.program import SolveOptions as SolveOptions
    from optimizer.storage.read import load as load
    from optimizer.storage.write import save as save
    from optimizer.studies.backtest.backtest import Backtest as Backtest
    from optimizer.studies.backtest.backtest import backtest as backtest
    from optimizer.studies.price import OfferPrice as OfferPrice
    from optimizer.studies.price import price as price
    from optimizer.studies.uncertainty import Uncertainty as Uncertainty
    from optimizer.studies.uncertainty import uncertainty as uncertainty

_HOME = {
    name: f"optimizer.{module}"
    for module, names in (
        ("errors", "AuditError InfeasibleError PlanError SolverError StoppedError"),
        ("instance.instance", "Instance"),
        ("kept.stay_near", "stay_near"),
        ("language.edits", "Edit WhatIf edit"),
        ("plan.plan", "Plan"),
        ("planning", "solve"),
        ("problems", "InstanceError Problem"),
        ("session", "Answer Session"),
        ("solver.program", "SolveOptions"),
        ("storage.read", "load"),
        ("storage.write", "save"),
        ("studies.backtest.backtest", "Backtest backtest"),
        ("studies.price", "OfferPrice price"),
        ("studies.uncertainty", "Uncertainty uncertainty"),
    )
    for name in names.split()
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that nothing heavy is imported before it is needed."""
    if name not in _HOME:
        raise AttributeError(f"module 'optimizer' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
