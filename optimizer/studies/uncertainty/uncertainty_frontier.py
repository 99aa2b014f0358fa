"""The risk frontier: how the plan, its expected worth and its worst outcomes change with aversion."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.plan.worth import cvar
from optimizer.session import Session
from optimizer.studies.attempt import Told


@dataclass(frozen=True)
class Point:
    """A plan on the risk frontier.

    Attributes
    ----------
    aversion : float
        Weight on CVaR.
    objective_bn, expected_bn, cvar_bn : float
        What the plan maximises, its expected worth and the mean of its worst outcomes, $bn.
    gw_years : dict of str to float
        Expected GW-years by pathway.
    idle_gw_years, cancelled_gw : float
        Expected idle GW-years; expected GW for which notice is given.
    """

    aversion: float
    objective_bn: float
    expected_bn: float
    cvar_bn: float
    gw_years: dict[str, float]
    idle_gw_years: float
    cancelled_gw: float


def frontier(session: Session, count: int, tell: Told) -> list[Point]:
    """Return the plans of aversions 0, 1/count, 2/count, ... below 1, and of the instance's own.

    Parameters
    ----------
    session : Session
        The plan of the instance's own aversion.
    count : int
        How many steps.
    tell : callable
        Told what is being solved.
    """
    instance = session.instance
    points = []
    for aversion in sorted({*(step / count for step in range(count)), instance.aversion}):
        tell(f"aversion {aversion:g}")
        answer = session.solve(f"risk.aversion = {aversion!r}")
        data, decided = answer.laid_out.data, answer.decided
        probability = data.tree.probability
        at_leaves = probability[data.tree.leaves]
        points.append(
            Point(
                aversion,
                answer.objective_bn,
                float(answer.leaf_worth @ at_leaves),
                cvar(answer.leaf_worth, at_leaves, instance.tail),
                dict(zip(data.pathways, (decided.use @ probability * data.dt).tolist(), strict=True)),
                float((decided.idle @ probability).sum() * data.dt),
                float(((decided.newly_cancelled * data.contracted) @ probability).sum()),
            )
        )
    return points
