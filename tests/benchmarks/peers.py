"""The same linear program written with other tools, as their own documentation recommends, up to a loaded HiGHS.

Every one gets what gwplan's model gets, the arrays on the tree and the terms made of them, so that only the way from
arrays to HiGHS is compared. They know what generated instances use: neither floors, locks, breaches, offers, contracts
sold nor risk.
"""

from __future__ import annotations

import warnings
from typing import Any

import highspy
import numpy as np

from gwplan.models import PlanData, Terms, build, terms
from gwplan.solver.compile import compiled
from gwplan.solver.highs import loaded
from gwplan.solver.program import SolveOptions


def gwplan(data: PlanData) -> Any:
    """Templates of the Pyomo model, expanded by numpy."""
    return loaded(compiled(data), SolveOptions())


def pyomo_appsi(data: PlanData) -> Any:
    """The Pyomo model with ordinary rules, through ``appsi_highs``."""
    from pyomo.contrib.appsi.solvers.highs import Highs

    solver = Highs()
    solver.config.stream_solver = False
    solver.set_instance(build(data))
    return solver._solver_model


def objective_bn(highs: Any) -> float:
    """Solve and return the worth, $bn; peers that minimise its negative are turned round."""
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"not solved: {highs.getModelStatus()}")
    worth = float(highs.getInfo().objective_function_value)
    return worth if highs.getObjectiveSense()[1] == highspy.ObjSense.kMaximize else -worth


def supported(data: PlanData) -> bool:
    """Return whether the peers' models say all that an instance asks for."""
    without = (data.floor > 0, np.isfinite(data.lock_least), np.isfinite(data.lock_most), np.isfinite(data.breach_cost))
    several = len(data.ways_out) > len(set(data.way_out_of.tolist()))
    return not (any(mask.any() for mask in without) or data.offers or data.sold.any() or several or data.aversion)


def node_rates(entered: Terms) -> dict[str, Any]:
    """Return probability and discount of each node, and their product with the period's length, years."""
    weight = entered.data.tree.probability * entered.data.node_discount
    return {"weight": weight, "years": weight * entered.data.dt}


def constant_bn(entered: Terms) -> float:
    """Return the part of worth that no decision changes: contract cost and terminal worth, $bn."""
    given = {name: values for name, (_, values) in entered.parameters.items()}
    years, probability = node_rates(entered)["years"], entered.data.tree.probability
    return float(probability @ given["terminal_worth"] - years @ given["contract_cost"])


def linopy(data: PlanData) -> Any:
    """The model in linopy, passed to highspy directly."""
    from tests.benchmarks.peer_linopy import model

    with warnings.catch_warnings():  # what is masked counts as 0 in a sum: linopy's default, of which it warns
        warnings.simplefilter("ignore")
        entered = terms(data)
        highs = model(entered).to_highspy(set_names=False)
    sense = 1.0 if highs.getObjectiveSense()[1] == highspy.ObjSense.kMaximize else -1.0
    highs.changeObjectiveOffset(sense * constant_bn(entered))
    return highs


def bare_highspy(data: PlanData) -> Any:
    """The matrix assembled by hand from numpy arrays."""
    from tests.benchmarks.peer_numpy import loaded_by_hand

    return loaded_by_hand(terms(data))


PEERS = {"gwplan": gwplan, "bare highspy": bare_highspy, "linopy": linopy, "Pyomo appsi_highs": pyomo_appsi}
