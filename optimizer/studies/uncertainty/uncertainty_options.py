"""What each option in the data is worth: the plan with it beside the plan without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.data import BoolArray, PlanData
from optimizer.errors import InfeasibleError
from optimizer.plan.worth import gained
from optimizer.session import Session
from optimizer.solver.program import LinearProgram
from optimizer.studies.attempt import Told
from optimizer.tree.timeline import Timeline

NO_PLAN = "no plan keeps every limit without it"


@dataclass(frozen=True)
class OptionValue:
    """An option, and the plan's worth without it.

    Attributes
    ----------
    option : str
        ``contract``, ``cancellation`` (a contract's window), ``exit`` (ending a pathway's deals by notice), ``notice``
        (the time that takes: without it capacity comes back at once) or ``breach``.
    name : str
        The contract or pathway.
    without_bn : float or None
        Objective without it, $bn; None: there is no plan.
    value_bn : float or None
        What it adds, $bn; negative where it costs.
    reason : str
        Why there is no figure; blank where there is one.
    """

    option: str
    name: str
    without_bn: float | None
    value_bn: float | None
    reason: str = ""


@dataclass(frozen=True)
class _Without:
    option: str
    name: str
    data: PlanData
    closed: tuple[str, str] | None = None
    """A variable of a pathway that is held at 0."""


def option_values(session: Session, tell: Told) -> list[OptionValue]:
    """Return the value of every option in the data, each taken away alone; the rest of the instance stays.

    Parameters
    ----------
    session : Session
        The plan with all options.
    tell : callable
        Told what is being solved.
    """
    laid_out, worth = session.base.laid_out, session.base.objective_bn
    found = []
    for case in _cases(laid_out):
        tell(f"without {case.option} {case.name}")
        narrowed = None if case.closed is None else _closed(*case.closed)
        try:
            answer = session.solve_laid_out(replace(laid_out, data=case.data), narrowed=narrowed)
        except InfeasibleError:
            found.append(OptionValue(case.option, case.name, None, None, NO_PLAN))
        else:
            without = answer.objective_bn
            found.append(OptionValue(case.option, case.name, without, gained(worth, without)))
    return found


def _cases(laid_out: Timeline) -> Iterator[_Without]:
    data = laid_out.data
    contracts = np.array(laid_out.contract_of, dtype=object)
    for name in dict.fromkeys(laid_out.contract_of):
        rows = contracts == name
        yield _Without("contract", name, _zero(data, rows, "delivered", "contracted"))
    for name in dict.fromkeys(laid_out.contract_of):
        rows = contracts == name
        if data.window[rows].any():
            yield _Without("cancellation", name, _zero(data, rows, "max_share"))
    for p, name in enumerate(data.pathways):
        if data.deal[p].any():
            yield _Without("exit", name, data, ("release", name))
        if (data.notice[p] > 0).any():
            at_once = data.notice.copy()
            at_once[p] = 0  # the term stays: capacity is bound no shorter, it comes back sooner
            yield _Without("notice", name, replace(data, notice=at_once))
        if (data.deal[p] & np.isfinite(data.breach_cost[p])).any():
            yield _Without("breach", name, data, ("breach", name))


def _zero(data: PlanData, rows: BoolArray, *names: str) -> PlanData:
    arrays: dict[str, Any] = {}
    for name in names:
        arrays[name] = getattr(data, name).copy()
        arrays[name][rows] = 0.0
    return replace(data, **arrays)


def _closed(variable: str, pathway: str) -> Callable[[LinearProgram], LinearProgram]:
    """Return what holds a pathway's variable at 0."""

    def narrowed(program: LinearProgram) -> LinearProgram:
        keys = program.column_keys[variable]
        upper = program.column_upper.copy()
        own = np.flatnonzero(keys[:, 0] == program.labels.index(pathway)) if len(keys) else np.empty(0, dtype=np.int64)
        upper[program.columns[variable].start + own] = 0.0
        return replace(program, column_upper=upper)

    return narrowed
