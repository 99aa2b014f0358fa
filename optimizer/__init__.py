"""Plan how fungible compute capacity is split among its uses.

>>> import gwplan as gw
>>> plan = gw.solve(gw.load("instances/tiny-deals"))
>>> round(plan.objective_bn, 1)
15.3
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gwplan.errors import AuditError as AuditError
    from gwplan.errors import InfeasibleError as InfeasibleError
    from gwplan.errors import PlanError as PlanError
    from gwplan.errors import SolverError as SolverError
    from gwplan.errors import StoppedError as StoppedError
    from gwplan.instance.instance import Instance as Instance
    from gwplan.interface import Sweep as Sweep
    from gwplan.interface import alternatives as alternatives
    from gwplan.interface import backtest as backtest
    from gwplan.interface import breakeven as breakeven
    from gwplan.interface import claims as claims
    from gwplan.interface import compare as compare
    from gwplan.interface import convert as convert
    from gwplan.interface import evaluate as evaluate
    from gwplan.interface import explain as explain
    from gwplan.interface import exposure as exposure
    from gwplan.interface import migrate as migrate
    from gwplan.interface import montecarlo as montecarlo
    from gwplan.interface import new as new
    from gwplan.interface import read_run as read_run
    from gwplan.interface import roll as roll
    from gwplan.interface import sweep as sweep
    from gwplan.interface import tornado as tornado
    from gwplan.interface import validate as validate
    from gwplan.interface import whatif as whatif
    from gwplan.kept.stay_near import stay_near as stay_near
    from gwplan.language.edits import Edit as Edit
    from gwplan.language.edits import WhatIf as WhatIf
    from gwplan.language.edits import edit as edit
    from gwplan.plan.plan import Plan as Plan
    from gwplan.planning import solve as solve
    from gwplan.problems import InstanceError as InstanceError
    from gwplan.problems import Problem as Problem
    from gwplan.session import Answer as Answer
    from gwplan.session import Session as Session
    from gwplan.solver.program import SolveOptions as SolveOptions
    from gwplan.storage.read import load as load
    from gwplan.storage.write import save as save
    from gwplan.studies.backtest.functions import Decision as Decision
    from gwplan.studies.backtest.functions import Review as Review
    from gwplan.studies.price import OfferPrice as OfferPrice
    from gwplan.studies.price import price as price
    from gwplan.studies.uncertainty import Uncertainty as Uncertainty
    from gwplan.studies.uncertainty import uncertainty as uncertainty

_HOME = {
    name: f"gwplan.{module}"
    for module, names in (
        ("errors", "AuditError InfeasibleError PlanError SolverError StoppedError"),
        ("instance.instance", "Instance"),
        (
            "interface",
            "Sweep alternatives backtest breakeven claims compare convert evaluate explain exposure migrate montecarlo "
            "new read_run roll sweep tornado validate whatif",
        ),
        ("kept.stay_near", "stay_near"),
        ("language.edits", "Edit WhatIf edit"),
        ("plan.plan", "Plan"),
        ("planning", "solve"),
        ("problems", "InstanceError Problem"),
        ("session", "Answer Session"),
        ("solver.program", "SolveOptions"),
        ("storage.read", "load"),
        ("storage.write", "save"),
        ("studies.backtest.functions", "Decision Review"),
        ("studies.price", "OfferPrice price"),
        ("studies.uncertainty", "Uncertainty uncertainty"),
    )
    for name in names.split()
}

__all__ = sorted(_HOME)

if __name__ == "optimizer":  # a checkout's folder under its old name
    import_module("gwplan.old_name").answer_to(__name__)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that nothing heavy is imported before it is needed."""
    if name not in _HOME:
        raise AttributeError(f"module 'gwplan' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
