"""An instance whose plan should stay near an earlier one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from optimizer.catalogue.plan_tables import COLUMNS
from optimizer.instance.instance import Instance
from optimizer.kept.run import read_run
from optimizer.problems import InstanceError, Problem
from optimizer.storage.sources import printable
from optimizer.tree.earlier import Earlier

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.session import Answer

UNIT: Final = "$bn per GW-year moved"


def stay_near(instance: Instance, earlier: Plan | Answer | str | Path, move_cost_bn_per_gw_year: float) -> Instance:
    """Return the instance with a penalty on leaving an earlier plan; `solve` and `Session` take it like any other.

    Each pair of pathway and pool is charged for what it has more, and for what it has less, than the earlier plan gave
    it: a GW that goes from one pathway to another counts twice. Nodes are matched by day and by what is known at them;
    where the earlier plan says nothing, the plan is free.

    Parameters
    ----------
    instance : Instance
        What to plan for.
    earlier : Plan, Answer, str or Path
        The earlier plan, or the folder of a kept run.
    move_cost_bn_per_gw_year : float
        $bn per GW and year, at least 0.

    Raises
    ------
    InstanceError
        If the folder is no kept run, its periods have another length, or the cost is none. That the two have nothing in
        common shows when the instance is laid out.
    """
    problems = []
    if not (math.isfinite(move_cost_bn_per_gw_year) and move_cost_bn_per_gw_year >= 0):
        rule = "must be a number of $bn per GW-year, at least 0"
        problems.append(Problem("move cost", f"{move_cost_bn_per_gw_year}", rule))
    if isinstance(earlier, str | Path):
        plan: Plan | Answer = read_run(earlier).plan
        where = printable(str(earlier))
    else:
        plan, where = earlier, f"an earlier plan of {earlier.instance.name}"
    resolution = plan.instance.resolution
    if resolution != instance.resolution:
        what = f"its periods are {resolution}s, those of the instance are {instance.resolution}s"
        rule = "a plan can stay near one whose periods are as long"
        problems.append(Problem(where, what, rule, "solve and keep the earlier instance by the same periods"))
    if problems:
        raise InstanceError(problems)
    allocation = plan.allocation[list(COLUMNS["allocation"])].reset_index(drop=True)
    note = f"stay near {where} at {move_cost_bn_per_gw_year:g} {UNIT}"
    return replace(
        instance,
        earlier=Earlier(allocation, resolution, float(move_cost_bn_per_gw_year)),
        applied=(*instance.applied, note),
    )
