"""The way from an instance to a checked plan, stage by stage."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from gwplan.audit.audit import audit
from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.check.check import check, raise_errors
from gwplan.conflict.demands import least_missed
from gwplan.conflict.diagnose import shortly
from gwplan.errors import AuditError, InfeasibleError, SolverError, StoppedError
from gwplan.instance.instance import Instance
from gwplan.instance.quantity_values import not_found
from gwplan.kept.stay_near import Planned, left_free
from gwplan.kept.stay_near import stay_near as near
from gwplan.plan.firmness import Alternatives, alternatives
from gwplan.plan.marginals import disagreements
from gwplan.plan.plan import Plan, decision_tables, make_plan
from gwplan.plan.values import Values
from gwplan.problems import Problem
from gwplan.solver.certify import Certificate, certify
from gwplan.solver.compile import compiled
from gwplan.solver.program import LinearProgram, Solution, SolveOptions, Status
from gwplan.solver.solving import COLD_AGAIN, certified, judged, settled
from gwplan.solver.stages import Lowest, Stage, Start, lifted, start_of
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, timeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def solve(
    instance: Instance,
    options: SolveOptions | None = None,
    *,
    stay_near: Planned | str | Path | None = None,
    move_cost_bn_per_gw_year: float | None = None,
    accept_stopped: bool = False,
    allowable: bool = False,
    more_supply: str = "",
    progress: Callable[[str], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Plan:
    """Return the best plan of an instance, certified from the duals and recomputed from the tables.

    Parameters
    ----------
    instance : Instance
        What to plan for.
    options : SolveOptions, optional
        Time limit (seconds), solver log and solver options.
    stay_near : Plan, Answer, str or Path, optional
        An earlier plan, or the folder of a kept run, that leaving is penalised: see `gwplan.stay_near`.
    move_cost_bn_per_gw_year : float, optional
        What leaving it costs, $bn per GW-year moved; given with `stay_near` alone, and with it always.
    accept_stopped : bool
        Whether a feasible plan that a limit or Ctrl-C left unproved is returned, labelled by its status.
    allowable : bool
        Whether it is worked out how far values and costs may change before the plan does (`allowable_changes`).
    more_supply : {"", "dearest", "all"}
        For which pools and years it is worked out what more GW add at sizes that people buy (`more_supply`).
    progress : callable, optional
        Told the name of each stage as it begins.
    meanwhile : callable, optional
        Called while the solver runs, which leaves a core to others.

    Returns
    -------
    Plan
        Money in $bn, capacity in GW.

    Raises
    ------
    InstanceError
        If the instance breaks a rule of the format.
    InfeasibleError
        If no plan keeps every limit, or worth has none.
    StoppedError
        If a limit or Ctrl-C ended the solve with no plan to keep, or with one that was not asked for.
    AuditError
        If the answer fails its own check.
    SolverError
        If the solver fails.
    """
    if (stay_near is None) != (move_cost_bn_per_gw_year is None):
        raise TypeError("stay_near and move_cost_bn_per_gw_year are given together")
    if stay_near is not None and move_cost_bn_per_gw_year is not None:
        instance = near(instance, stay_near, move_cost_bn_per_gw_year)
    options = options or SolveOptions()
    timings: dict[str, float] = {}
    tell = progress or (lambda stage: None)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        tell(name)
        began = time.perf_counter()
        yield
        timings[name] = time.perf_counter() - began

    with _without_collector():
        with stage("check"):
            layouts = Layouts.of(instance)
            warnings = valid(instance, layouts)
        with stage("timeline"):
            laid_out = timeline(instance, layouts)
        with stage("build"):
            program = compiled(laid_out.data)
        with stage("solve"):
            solution, certificate, report = solved(laid_out, program, options, meanwhile, layouts)
        certificate = plan_or_error(solution, certificate, report, accept_stopped=accept_stopped, instance=instance)
        if solution.status.stopped and not program.whole.any():
            solution, certificate = settled(program, solution)
        with stage("results"):
            plan = make_plan(laid_out, program, solution, certificate, allowable=allowable, more=more_supply)
        with stage("audit"):
            checked(plan, laid_out, program, solution)
    warnings = (*warnings, *left_free(laid_out), *_opposed(plan.summary))
    warned = [*map(str, warnings), *_without_ranges(program, solution)]
    return replace(plan, warnings=tuple(warned), timings=timings, solved=report)


_BESIDE_CASH: Final = {
    "terminal": "pools, terminal_value_bn_per_gw_year",
    "shortfall_penalty": "pathways, shortfall_penalty_bn_per_gw_year",
    "idle_penalty": "pools, idle_penalty_bn_per_gw_year",
}
"""Parts of worth that are no cash within the plan, and the cells that they come of."""


def _opposed(summary: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a warning where worth and cash have opposite signs: a weight beside the cash may be of another unit."""
    worth, cash = float(summary["objective_bn"]), float(summary["npv_bn"])
    parts = {name: summary["components_bn"].get(name, 0.0) for name in _BESIDE_CASH}
    name = max(parts, key=lambda part: parts[part] * worth)
    if worth * cash < 0 and min(abs(worth), abs(cash)) > 1e-3 and parts[name] * worth > 0:
        what = f"{parts[name]:.4g} $bn of it make the plan's worth {worth:.4g} $bn where its cash is {cash:.4g} $bn"
        rule = "worth and cash of opposite sign hang on what is weighed beside the cash"
        yield Problem(_BESIDE_CASH[name], what, rule, "does it say $m? else read the plan with it in mind", "warning")


def _without_ranges(program: LinearProgram, solution: Solution) -> list[str]:
    if solution.status is not Status.OPTIMAL or solution.row_ranges is not None:
        return []
    columns = f"{program.shape[1]:,} columns"
    return [f"marginal_values: from_gw and to_gw are blank; for {columns} they take long, ask for them with --ranges"]


def checked(plan: Plan, laid_out: Timeline, program: LinearProgram, solution: Solution) -> Plan:
    """Return a plan whose tables and figures agree with the instance's tables and with the certified duals."""
    findings = [str(finding) for finding in audit(plan.instance, plan.tables, plan.summary)]
    findings += disagreements(plan.marginal_values, program, laid_out.data, solution.row_duals)
    _refuse(findings)
    return plan


def checked_decisions(laid_out: Timeline, decided: Values, summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures of a plan that agree with the instance's tables; obligations and duals are no part of them."""
    tables, left_out = decision_tables(laid_out, decided), ("obligations", "marginal_values")
    _refuse([str(finding) for finding in audit(laid_out.instance, tables, summary, left_out=left_out)])
    return summary


def _refuse(findings: Sequence[str]) -> None:
    if findings:
        raise AuditError("the plan does not agree with the instance's tables", findings)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector from walking a model of many small objects again and again while it is built."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def lay_out(instance: Instance) -> tuple[Timeline, tuple[Problem, ...]]:
    """Return an instance on its tree and its warnings, those on its claims too: all that needs no solving."""
    layouts = Layouts.of(instance)
    return timeline(instance, layouts), (*valid(instance, layouts), *not_found(instance))


def valid(instance: Instance, layouts: Layouts | None = None) -> tuple[Problem, ...]:
    """Return an instance's warnings, raise its errors; what was found in the same tables before is remembered.

    Its what-ifs are not applied: they fit the instance as loaded, not one that was edited since.
    """
    return raise_errors(check(instance, changed={*TABLES, "uncertainty", "whatifs"}, layouts=layouts))


def solved(
    laid_out: Timeline,
    program: LinearProgram,
    options: SolveOptions,
    meanwhile: Callable[[], object] | None = None,
    layouts: Layouts | None = None,
    lowest: Lowest | None = None,
) -> tuple[Solution, Certificate | None, dict[str, Any]]:
    """Solve an instance's program from the start that suits it, and judge the answer.

    The report says where the solver started, every stage of a lifted solve, iterations and seconds of the last; and,
    where there is no plan, ``in_conflict`` as `confirmed` tells it.
    """
    start = start_of(laid_out, program, options)
    stages: tuple[Stage, ...] = ()
    report: dict[str, Any] = {"start": str(start), "stages": []}
    if start is Start.LIFT:
        lift, stages = lifted(laid_out, program, options, meanwhile, layouts, lowest)
        report["stages"] = [asdict(stage) for stage in stages]
        if lift is not None:
            proof = (lift.columns, lift.row_duals, lift.light_duals)
            certificate = certify(program, *proof) if len(lift.columns) else None
            if lift.status.stopped or (certificate and certificate.optimal):
                return lift, certificate, {**report, "iterations": lift.iterations, "seconds": lift.seconds}
        report["start"] = "cold after lift"
    spent = sum(stage.seconds for stage in stages)
    left = None if options.time_limit is None else max(options.time_limit - spent, 0.0)
    solution, certificate, in_conflict = confirmed(laid_out, program, replace(options, time_limit=left), meanwhile)
    report |= {"iterations": solution.iterations, "seconds": solution.seconds}
    return solution, certificate, report | ({"in_conflict": in_conflict} if in_conflict else {})


def confirmed(
    laid_out: Timeline, program: LinearProgram, options: SolveOptions, meanwhile: Callable[[], object] | None = None
) -> tuple[Solution, Certificate | None, str]:
    """Solve a program as `certified` does, and believe that it has no plan only where demands prove to be in conflict.

    Where that cannot be told, since a limit or Ctrl-C came first or all demands together are not what forbids a plan
    that has less freedom, the solver's word stands; so it does where demands give way by less than a kilowatt, which no
    way of solving forgives.

    Raises
    ------
    SolverError
        If the solver finds no plan, whichever way it is asked, though every demand can be kept.
    """
    first, proof = certified(program, options, meanwhile)
    if first.status is not Status.INFEASIBLE:
        return first, proof, ""
    left = None if options.time_limit is None else max(options.time_limit - first.seconds, 0.0)
    least = least_missed(program, laid_out.data, replace(options, time_limit=left))
    words = shortly(laid_out, least.pointed) if least else ""
    if least is None or least.proves_conflict:
        return first, proof, words
    for again in COLD_AGAIN:
        solution, certificate = judged(program, replace(options, solver={**options.solver, **again}))
        if solution.status.stopped or (certificate and certificate.optimal):
            return solution, certificate, ""
    if least.gw > ROUNDING:
        return first, proof, words
    raise SolverError(
        f"the solver finds no plan, and yet every demand can be kept to within {ROUNDING:g} GW; look for limits "
        "that leave no room at all, or for very large and very small figures side by side"
    )


def plan_or_error(
    solution: Solution,
    certificate: Certificate | None,
    report: Mapping[str, Any] | None = None,
    *,
    accept_stopped: bool,
    instance: Instance | None = None,
) -> Certificate:
    """Return the certificate of a solve that left a plan; raise the error that fits one which did not."""
    status = solution.status
    if status is Status.OPTIMAL:
        if certificate is not None and certificate.optimal:
            return certificate
        raise AuditError("the solver's answer does not prove optimal", [str(certificate)])
    if status in (Status.INFEASIBLE, Status.UNBOUNDED, Status.INFEASIBLE_OR_UNBOUNDED):
        raise InfeasibleError(str(status), instance, (report or {}).get("in_conflict", ""))
    if status.stopped:
        if certificate is not None and certificate.feasible and accept_stopped:
            return certificate
        feasible = certificate is not None and certificate.feasible
        raise StoppedError(str(status), solution.seconds, plan_found=feasible)
    raise SolverError(f"the solver failed: {solution.message}")


def alternatives_of(
    instance: Instance, within: float, *, progress: Callable[[str], None] | None = None
) -> Alternatives:
    """Return how far the split may move among plans whose worth is within a share of the best.

    They may lack the share `within` of its worth.
    """
    valid(instance)
    laid_out = timeline(instance)
    program = compiled(laid_out.data)
    options = SolveOptions()
    solution, certificate, _ = confirmed(laid_out, program, options)
    plan_or_error(solution, certificate, accept_stopped=False, instance=instance)
    return alternatives(laid_out, program, solution, within, options, progress or (lambda stage: None))
