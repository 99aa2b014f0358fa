"""What uncertainty costs, what flexibility is worth and what to do first."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np

from optimizer.errors import AuditError
from optimizer.instance.instance import Instance
from optimizer.plan.first_moves import Branch, first_moves
from optimizer.plan.worth import QUANTILES, cvar, gained, quantile, weighed
from optimizer.session import Answer, Session
from optimizer.solver.program import FloatArray
from optimizer.solver.solution import SolveOptions
from optimizer.studies.attempt import Solved, Told
from optimizer.studies.uncertainty.cases import (
    dedicated,
    expected_result,
    first_split,
    foresight,
    informed,
    rigid,
)
from optimizer.studies.uncertainty.uncertainty_frontier import Point
from optimizer.studies.uncertainty.uncertainty_frontier import frontier as risk_frontier
from optimizer.studies.uncertainty.uncertainty_options import OptionValue, option_values
from optimizer.tree.timeline import branching, reveals

TOLERANCE: Final = 1e-6
"""By how much, relative to 1 + worth, certified optima may stand in the wrong order."""


@dataclass(frozen=True)
class Future:
    """A combination of outcomes, as far as they are revealed.

    Attributes
    ----------
    known : str
        The outcomes, ``factor=outcome`` joined by a comma.
    probability : float
        Its probability.
    worth_bn : float
        Worth of the plan in it, $bn.
    foresight_bn : float
        Worth of the plan made for it alone, $bn.
    regret_bn : float
        What the plan misses in it, $bn.
    """

    known: str
    probability: float
    worth_bn: float
    foresight_bn: float
    regret_bn: float


@dataclass(frozen=True)
class Information:
    """What revealing one factor now, and nothing else earlier than planned, would add.

    Attributes
    ----------
    factor : str
        The factor.
    revealed : str
        When it is revealed.
    value_bn : float
        What knowing it at the start adds to the plan's objective, $bn.
    """

    factor: str
    revealed: str
    value_bn: float


@dataclass(frozen=True)
class Uncertainty:
    """What uncertainty costs and flexibility is worth; every figure in $bn, None where a case has no plan.

    Attributes
    ----------
    instance : Instance
        What was planned for.
    rp_bn : float
        The plan's objective, the recourse problem.
    ws_bn, evpi_bn : float
        Each future planned alone, combined as the plan combines them; what foresight would add.
    eev_bn, vss_bn : float or None
        The plan as written kept until the first reveal; what planning for the tree adds to that.
    rigid_bn, reallocation_bn : float or None
        One split per period for all futures; what splitting anew adds.
    dedicated_bn, fungibility_bn : float or None
        Each pathway owns a fixed part of each pool; what fungible capacity adds.
    reasons : dict of str to str
        Why a figure is None, by its name.
    expected_bn, cvar_bn : float
        Expected worth and the mean worth of the worst `tail` share of futures.
    aversion, tail : float
        The instance's weight on CVaR and the share that it averages.
    quantiles_bn : dict of float to float
        Worth that is not exceeded with each probability.
    scenarios : tuple of Future
        The leaves of the tree.
    information : tuple of Information
        By factor, those revealed first coming first.
    options : tuple of OptionValue
        Contracts, cancellation windows and the notice of deals.
    first_reveal : str
        First day on which futures differ; blank where they never do.
    first_moves : tuple of Branch
        What is decided before the first reveal and on each branch.
    frontier : tuple of Point
        Plans by aversion; empty unless asked for.
    plan : Answer
        The plan.
    """

    instance: Instance
    rp_bn: float
    ws_bn: float
    eev_bn: float | None
    evpi_bn: float
    vss_bn: float | None
    rigid_bn: float | None
    reallocation_bn: float | None
    dedicated_bn: float | None
    fungibility_bn: float | None
    reasons: dict[str, str]
    expected_bn: float
    cvar_bn: float
    aversion: float
    tail: float
    quantiles_bn: dict[float, float]
    scenarios: tuple[Future, ...]
    information: tuple[Information, ...]
    options: tuple[OptionValue, ...]
    first_reveal: str
    first_moves: tuple[Branch, ...]
    frontier: tuple[Point, ...]
    plan: Answer

    def as_dict(self) -> dict[str, Any]:
        """Return every figure under its name, ready for JSON."""
        figures = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("instance", "plan")}
        figures = {"instance": self.instance.name, **figures}
        figures["quantiles_bn"] = {f"{share:g}": bn for share, bn in self.quantiles_bn.items()}
        for name in ("scenarios", "information", "options", "first_moves", "frontier"):
            figures[name] = [asdict(entry) for entry in figures[name]]
        return figures


def uncertainty(
    instance: Instance,
    options: SolveOptions | None = None,
    *,
    frontier: int = 0,
    progress: Told | None = None,
) -> Uncertainty:
    """Return what the uncertainty of an instance costs, what flexibility is worth and what to do first.

    Parameters
    ----------
    instance : Instance
        What to plan for.
    options : SolveOptions, optional
        Solver options of every solve.
    frontier : int
        Number of aversions, from 0 in equal steps below 1, for which the plan is made too; the instance's own is added.
    progress : callable, optional
        Told what is being solved.

    Raises
    ------
    InstanceError, InfeasibleError, StoppedError, SolverError
        As `optimizer.solve`.
    AuditError
        If a plan fails its own check, or figures stand in an order in which none can.
    """
    tell = progress or (lambda stage: None)
    tell("plan")
    with Session(instance, options) as session:
        plan = session.base
        plan.plan  # noqa: B018 - audited here, before anything is said of it
        tell("each future alone")
        alone = foresight(session)
        tell("the plan as written kept")
        eev = expected_result(session)
        tell("one split for all futures")
        stiff = rigid(session)
        tell("own parts of the pools")
        apart = dedicated(session)
        known = tuple(_information(session, factor, tell) for factor in branching(instance))
        valued = tuple(option_values(session, tell))
        points = tuple(risk_frontier(session, frontier, tell)) if frontier else ()
    found = _found(plan, alone, (eev, stiff, apart), known, valued, points)
    _refuse_contradictions(found)
    return found


def _found(
    plan: Answer,
    alone: FloatArray,
    cases: tuple[Solved, Solved, Solved],
    known: tuple[Information, ...],
    valued: tuple[OptionValue, ...],
    points: tuple[Point, ...],
) -> Uncertainty:
    instance, tree, rp = plan.instance, plan.laid_out.data.tree, plan.objective_bn
    worth, probability = plan.leaf_worth, tree.probability[tree.leaves]
    eev, stiff, apart = cases
    ws = weighed(alone, probability, instance.aversion, instance.tail)
    split = first_split(tree)
    return Uncertainty(
        instance=instance,
        rp_bn=rp,
        ws_bn=ws,
        eev_bn=eev.worth_bn,
        evpi_bn=gained(ws, rp),
        vss_bn=eev.lost(rp),
        rigid_bn=stiff.worth_bn,
        reallocation_bn=stiff.lost(rp),
        dedicated_bn=apart.worth_bn,
        fungibility_bn=apart.lost(rp),
        reasons=_reasons(*cases),
        expected_bn=float(worth @ probability),
        cvar_bn=cvar(worth, probability, instance.tail),
        aversion=instance.aversion,
        tail=instance.tail,
        quantiles_bn={share: quantile(worth, probability, share) for share in QUANTILES},
        scenarios=_futures(plan, alone),
        information=known,
        options=valued,
        first_reveal=str(plan.laid_out.calendar.starts(tree.periods + 1)[split]) if split < tree.periods else "",
        first_moves=first_moves(plan.laid_out, plan.decided),
        frontier=points,
        plan=plan,
    )


def _reasons(eev: Solved, stiff: Solved, apart: Solved) -> dict[str, str]:
    """Return why figures are missing, by the name of each."""
    named = {
        "eev_bn": eev,
        "vss_bn": eev,
        "rigid_bn": stiff,
        "reallocation_bn": stiff,
        "dedicated_bn": apart,
        "fungibility_bn": apart,
    }
    return {name: case.reason for name, case in named.items() if case.worth_bn is None}


def _futures(plan: Answer, alone: FloatArray) -> tuple[Future, ...]:
    laid_out = plan.laid_out
    leaves = laid_out.data.tree.leaves
    rows = zip(leaves.tolist(), plan.leaf_worth.tolist(), alone.tolist(), strict=True)
    probability = laid_out.data.tree.probability
    return tuple(
        Future(laid_out.known[leaf], float(probability[leaf]), worth, best, gained(best, worth))
        for leaf, worth, best in rows
    )


def _information(session: Session, factor: int, tell: Told) -> Information:
    laid_out = session.base.laid_out
    named = laid_out.instance.factors[factor]
    tell(f"{named.name} revealed now")
    if reveals(laid_out.instance)[factor] == 0:
        return Information(named.name, str(named.revealed), 0.0)
    more = gained(informed(session, factor).objective_bn, session.base.objective_bn)
    return Information(named.name, str(named.revealed), more)


def _refuse_contradictions(found: Uncertainty) -> None:
    """Raise an error where figures are in an order in which none can be: one case is freer than the other."""
    slack = TOLERANCE * (1 + abs(found.rp_bn))
    ordered: list[tuple[str, float | None, str, float | None]] = [
        ("EEV", found.eev_bn, "RP", found.rp_bn),
        ("RP", found.rp_bn, "WS", found.ws_bn),
        ("rigid", found.rigid_bn, "RP", found.rp_bn),
        ("dedicated", found.dedicated_bn, "RP", found.rp_bn),
        ("RP", found.rp_bn, "the plan's worth over its futures, weighed", _weighed(found)),
        ("the plan's worth over its futures, weighed", _weighed(found), "RP", found.rp_bn),
    ]
    ordered += [(f"worth if {f.known}", f.worth_bn, "worth with foresight", f.foresight_bn) for f in found.scenarios]
    ordered += [("nothing", 0.0, f"the value of knowing {i.factor}", i.value_bn) for i in found.information]
    ordered += [(f"knowing {i.factor}", i.value_bn, "EVPI", found.evpi_bn) for i in found.information]
    wrong = [
        f"{less} ({low:.9g} $bn) exceeds {more} ({high:.9g} $bn)"
        for less, low, more, high in ordered
        if low is not None and high is not None and low > high + slack
    ]
    if wrong:
        raise AuditError("the figures of uncertainty contradict each other", wrong)


def _weighed(found: Uncertainty) -> float:
    worth, probability = (np.array([getattr(f, name) for f in found.scenarios]) for name in ("worth_bn", "probability"))
    return weighed(worth, probability, found.aversion, found.tail)
