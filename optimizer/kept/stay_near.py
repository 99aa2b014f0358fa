"""An instance whose plan should stay near an earlier one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pandas as pd

from gwplan.catalogue.plan_tables import COLUMNS
from gwplan.catalogue.tolerances import KILOWATT
from gwplan.files import printable
from gwplan.instance.instance import Earlier, Instance
from gwplan.kept.run import read_run
from gwplan.problems import InstanceError, Problem
from gwplan.tree.near import agree, nodes_by_day
from gwplan.tree.timeline import Timeline


class Planned(Protocol):
    """What has an allocation: a `Plan`, or a session's `Answer`."""

    @property
    def instance(self) -> Instance:
        """What was planned for."""

    @property
    def allocation(self) -> pd.DataFrame:
        """GW by pathway, pool and node."""


UNIT: Final = "$bn per GW-year moved"


def stay_near(instance: Instance, earlier: Planned | str | Path, move_cost_bn_per_gw_year: float) -> Instance:
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
        plan: Planned = read_run(earlier).plan
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


def left_free(laid_out: Timeline) -> list[Problem]:
    """Return warnings on what an earlier plan does not say of a case, or says and the case cannot follow."""
    earlier, data = laid_out.instance.earlier, laid_out.data
    if earlier is None:
        return []
    warnings = []
    said = np.asarray(~np.isnan(data.kept).all(axis=(0, 1)))
    if not said.all():
        first = laid_out.calendar.starts()[data.tree.period[np.flatnonzero(~said)[0]]]
        what = (
            f"{int((~said).sum())} of {len(said)} nodes, the first of {first}, have no counterpart in the earlier plan"
        )
        warnings.append(_warning(what, "there the split is free to move"))
    rows = earlier.allocation
    days = set(laid_out.calendar.starts().astype(str).tolist())
    p, q = np.nonzero(data.eligible.any(axis=2))
    pairs = {(data.pathways[i], data.pools[j]) for i, j in zip(p.tolist(), q.tolist(), strict=True)}
    used = rows[(rows["gw"] > KILOWATT) & rows["start"].dt.strftime("%Y-%m-%d").isin(days)]
    gone = sorted(set(zip(used["pathway"], used["pool"], strict=True)) - pairs)
    if gone:
        what = f"the earlier plan uses {', '.join(f'{pool} for {pathway}' for pathway, pool in gone)}"
        warnings.append(_warning(what, "that cannot be kept here, and is not counted as moved"))
    finer = _knew_more(earlier, laid_out)
    if finer:
        what = f"on {finer} nodes the earlier plan knew more than this one does"
        warnings.append(_warning(what, "there the plan stays near its mean over what was known"))
    return warnings


def _knew_more(earlier: Earlier, laid_out: Timeline) -> int:
    """Return on how many nodes several of the earlier plan's agree."""
    on_day = nodes_by_day(earlier)
    starts = laid_out.calendar.starts().astype(str)[laid_out.data.tree.period]
    agreeing = (
        sum(agree(known, other) for _, other in on_day.get(day, ()))
        for day, known in zip(starts.tolist(), laid_out.known, strict=True)
    )
    return sum(count > 1 for count in agreeing)


def _warning(what: str, rule: str) -> Problem:
    return Problem("stay near", what, rule, severity="warning")
