"""Re-solves: one instance kept ready, and cases of it solved from its optimal basis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from types import TracebackType
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import PROVED
from gwplan.instance.instance import Instance
from gwplan.kept.stay_near import left_free
from gwplan.language.edits import Edit, WhatIf, edit
from gwplan.models import Terms, terms
from gwplan.plan.plan import Plan, make_plan, summarise
from gwplan.plan.tables import leaf_worth
from gwplan.plan.values import Values, values
from gwplan.planning import checked, checked_decisions, plan_or_error, solved, valid
from gwplan.problems import Problem
from gwplan.solver.certify import Certificate, certify
from gwplan.solver.compile import Compiled, compile_terms
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import (
    DUAL,
    PERTURBED_PRIMAL,
    PRIMAL,
    Basis,
    FloatArray,
    LinearProgram,
    Option,
    Solution,
    SolveOptions,
    Status,
)
from gwplan.solver.solving import judged, taken
from gwplan.solver.stages import Lowest, carried
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, timeline

KEPT_STRUCTURES: Final = 4
"""Models of another structure than the base's that a session keeps."""

LEAST_ITERATIONS: Final = 200
"""Iterations that a warm start may always take: so few cost nothing."""

STRAIGHT_ITERATIONS: Final = 500
"""Iterations that a start from the base's basis may take where the base was lifted, as the case then is."""

Change = Edit | str | WhatIf
"""An edit, its spelling on the command line, or a what-if."""


class Reached(StrEnum):
    """What of the base's program a case changed."""

    UNCHANGED = "unchanged"
    COSTS = "costs"
    BOUNDS = "bounds"
    MATRIX = "matrix"
    REBUILT = "rebuilt"


@dataclass(frozen=True, repr=False)
class Answer:
    """A case solved and certified; its tables are made, and audited, when they are asked for.

    Attributes
    ----------
    instance : Instance
        The case.
    reached : Reached
        What of the base's program it changed.
    reason : str
        Why the model was rebuilt; blank where it was not.
    cold_again : bool
        Whether a warm answer was in doubt and the case was solved again cold.
    iterations : int
        Iterations of the solver, all tries together.
    seconds : mapping of str to float
        Wall time by stage.
    warnings : tuple of Problem
        What is allowed in the case but decides nothing.
    """

    instance: Instance
    reached: Reached
    reason: str
    cold_again: bool
    iterations: int
    seconds: dict[str, float]
    warnings: tuple[Problem, ...]
    _laid_out: Timeline = field(repr=False)
    _program: LinearProgram = field(repr=False)
    _solution: Solution = field(repr=False)
    _certificate: Certificate = field(repr=False)

    def __repr__(self) -> str:
        return f"<answer of {self.instance.name}: {self.status}, ${self.objective_bn:,.1f}bn, {self.reached}>"

    def _repr_html_(self) -> str:
        return self.plan._repr_html_()

    @property
    def laid_out(self) -> Timeline:
        """The case on its tree."""
        return self._laid_out

    @property
    def program(self) -> LinearProgram:
        """The program that was solved."""
        return self._program

    @property
    def columns(self) -> FloatArray:
        """Its columns, GW, shares or $bn, shape (n,)."""
        return self._solution.columns

    @property
    def row_duals(self) -> FloatArray:
        """Change of the program's objective per unit of each row's bound, shape (m,)."""
        return self._solution.row_duals

    @property
    def basis(self) -> Basis | None:
        """Where the simplex method ended; None where it did not."""
        return self._solution.basis

    @property
    def status(self) -> str:
        """How the solve ended: ``optimal``."""
        return str(self._solution.status)

    @property
    def objective_bn(self) -> float:
        """Worth that the plan maximises: expected, or weighed with CVaR; $bn, discounted."""
        return 0.0 - self._certificate.objective  # no negative zero

    @cached_property
    def decided(self) -> Values:
        """Every decision as arrays over pathways, pools, contracts and nodes, GW and shares."""
        return values(self._program, self._laid_out.data, self._solution.columns)

    @cached_property
    def leaf_worth(self) -> FloatArray:
        """Worth of the plan in each future, $bn, in the order of the tree's leaves."""
        return leaf_worth(self._laid_out.data, self.decided)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures of ``summary.json``: money in $bn, capacity in GW-years."""
        return summarise(self._laid_out, self.decided, self.status, self._certificate)

    @cached_property
    def audited(self) -> Mapping[str, Any]:
        """The same figures, recomputed from the case's own tables: an `AuditError` where one does not agree."""
        return checked_decisions(self._laid_out, self.decided, self.summary)

    @property
    def npv_bn(self) -> float:
        """Expected discounted cash, without penalties and the terminal line, $bn."""
        return float(self.summary["npv_bn"])

    @cached_property
    def plan(self) -> Plan:
        """The plan with all its tables, audited against the case's own tables.

        Raises
        ------
        AuditError
            If the tables do not agree with the instance.
        """
        solution = self._solution
        # Ranges are left out of a warm solve, which they would take longer than.
        if solution.row_ranges is None and not self._program.whole.any():
            solution = replace(solution, row_ranges=run_solver(self._program, basis=solution.basis).row_ranges)
        plan = make_plan(self._laid_out, self._program, solution, self._certificate)
        checked(plan, self._laid_out, self._program, self._solution)
        return replace(plan, warnings=tuple(map(str, self.warnings)), timings=self.seconds)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the plan in long form, by name."""
        return dict(self.plan.tables)

    @property
    def allocation(self) -> pd.DataFrame:
        """GW by node, pathway and pool."""
        return self.plan.allocation

    @property
    def marginal_values(self) -> pd.DataFrame:
        """$bn per GW-year of supply, targets, floors, caps and locks; $bn per GW of ramps."""
        return self.plan.marginal_values


class Session:
    """An instance solved once and kept: its tables laid out, its model compiled, its optimal basis.

    Each case starts from that base, never from the case before, so that an answer does not depend on what was asked
    earlier. Use it in one thread at a time.

    Parameters
    ----------
    instance : Instance
        The base.
    options : SolveOptions, optional
        Solver options of every solve.

    Attributes
    ----------
    base : Answer
        The base's own answer.
    solved : int
        Cases answered.
    cold_again : int
        Cases whose warm answer was in doubt and that were solved again cold.

    Raises
    ------
    InstanceError, InfeasibleError, StoppedError, AuditError, SolverError
        As `gwplan.solve` of the base.
    """

    def __init__(self, instance: Instance, options: SolveOptions | None = None) -> None:
        given = options or SolveOptions()
        # cases are compared: what a search may leave open must not be what tells them apart
        self._options = replace(given, solver={"mip_rel_gap": PROVED / 2, **given.solver})
        self._layouts = Layouts(by_content=True)
        self.solved = 0
        self.cold_again = 0
        began = time.perf_counter()
        warnings = valid(instance, self._layouts)
        laid_out = timeline(instance, self._layouts)
        self._compiled: Compiled = compile_terms(terms(laid_out.data))
        self._rebuilt: list[Compiled] = []
        lowest = Lowest()
        solution, proof, report = solved(
            laid_out, self._compiled.program, self._options, layouts=self._layouts, lowest=lowest
        )
        self._lowest = lowest.reached  # None: the base was not lifted
        certificate = plan_or_error(solution, proof, report, accept_stopped=False, instance=instance)
        warnings = (*warnings, *left_free(laid_out))
        seconds = {"base": time.perf_counter() - began}
        self.base = Answer(
            instance, Reached.UNCHANGED, "", False, taken(report), seconds, warnings,
            laid_out, self._compiled.program, solution, certificate,
        )  # fmt: skip

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the model; the base's answer stays."""
        del self._compiled, self._rebuilt, self._layouts

    @property
    def instance(self) -> Instance:
        """The base."""
        return self.base.instance

    def solve(self, *changes: Change | Iterable[Change]) -> Answer:
        """Return the answer to the base with changes: edits, in the order given, and what-ifs.

        Raises
        ------
        InstanceError
            If a change does not fit the base, or makes it break a rule of the format.
        InfeasibleError, StoppedError, AuditError, SolverError
            As `gwplan.solve`; later cases are not affected.
        """
        case = self.instance
        for change in _flat(changes):
            case = case.with_whatif(change) if isinstance(change, WhatIf) else case.edited(change)
        return self.solve_case(case)

    def solve_case(self, case: Instance) -> Answer:
        """Return the answer to a case of the base: an instance made from it by edits, what-ifs or conditions.

        Any other instance is solved as well, but little of the base helps it.
        """
        began = time.perf_counter()
        layouts = self._layouts.forked()
        warnings = valid(case, layouts)
        laid_out = timeline(case, layouts)
        seconds = {"tables": time.perf_counter() - began}
        answer = self.solve_laid_out(laid_out)
        warnings = (*warnings, *left_free(laid_out))
        return replace(answer, warnings=warnings, seconds={**seconds, **answer.seconds})

    def solve_laid_out(
        self,
        laid_out: Timeline,
        *,
        restriction: str = "",
        narrowed: Callable[[LinearProgram], LinearProgram] | None = None,
        start: Answer | None = None,
    ) -> Answer:
        """Return the answer to what lies on a tree already, with all freedom of the plan or less.

        Parameters
        ----------
        laid_out : Timeline
            A case of the base, or the base itself, on its tree.
        restriction : {"", "rigid", "dedicated"}
            Freedom that the plan has not, see `gwplan.models.restricted`.
        narrowed : callable, optional
            Returns the program with narrower bounds of its columns.
        start : Answer, optional
            Answer to the same with narrower bounds: what it decides is possible here, and likely nearer than the base.
        """
        marks = [time.perf_counter()]
        program, reason = self._program(terms(laid_out.data, restriction))
        program = narrowed(program) if narrowed else program
        reached = Reached.REBUILT if reason else _reached(self.base._program, program)
        marks.append(time.perf_counter())
        # with less freedom than the instance has, the instance does not explain why there is no plan
        whole = None if restriction or narrowed else laid_out.instance
        solution, certificate, iterations, cold_again = self._solution(program, laid_out, reached, start, whole)
        marks.append(time.perf_counter())
        self.solved += 1
        self.cold_again += cold_again
        seconds = dict(zip(("matrix", "solve"), np.diff(marks).tolist(), strict=True))
        return Answer(
            laid_out.instance, reached, reason, cold_again, iterations, seconds, (), laid_out, program, solution,
            certificate,
        )  # fmt: skip

    def _program(self, entered: Terms) -> tuple[LinearProgram, str]:
        """Return the program of a case and what of its structure the base has not; the last few structures are kept."""
        reason = entered.difference(self._compiled.terms)
        if not reason:
            return self._compiled.with_numbers(entered), ""
        for known in self._rebuilt:
            if not entered.difference(known.terms):
                return known.with_numbers(entered), reason
        rebuilt = compile_terms(entered)
        self._rebuilt = [rebuilt, *self._rebuilt[: KEPT_STRUCTURES - 1]]
        return rebuilt.program, reason

    def _solution(
        self,
        program: LinearProgram,
        laid_out: Timeline,
        reached: Reached,
        start: Answer | None,
        explained_by: Instance | None,
    ) -> tuple[Solution, Certificate, int, bool]:
        """Return a certified solution, from the base's basis where that proves optimal, else cold."""
        if reached is Reached.UNCHANGED:
            return self.base._solution, self.base._certificate, 0, False
        iterations, doubted = 0, False
        if program.whole.any() and (near := self._carried(program, laid_out, reached)) is not None:
            searched, known = judged(program, self._options, near)
            if searched.status.stopped:
                plan_or_error(searched, known, accept_stopped=False)
            if searched.status is Status.OPTIMAL and known is not None and known.optimal:
                return searched, known, searched.iterations, False
        for basis, options in self._starts(program, laid_out, reached, start):
            settings = replace(self._options, solver={**options, **self._options.solver})
            warm = run_solver(program, settings, basis, ranges=False)
            iterations += warm.iterations
            if warm.interrupted or warm.status is Status.TIME_LIMIT:
                status = Status.INTERRUPTED if warm.interrupted else warm.status
                plan_or_error(replace(warm, status=status), None, accept_stopped=False)
            doubted = warm.status is not Status.ITERATION_LIMIT
            if warm.status is Status.OPTIMAL:
                proof = certify(program, warm.columns, warm.row_duals, warm.light_duals)
                if proof.optimal:
                    return warm, proof, iterations, False
        layouts, lowest = self._layouts.forked(), Lowest(self._lowest)
        solution, cold_proof, report = solved(laid_out, program, self._options, layouts=layouts, lowest=lowest)
        certificate = plan_or_error(
            solution, cold_proof, report if explained_by else None, accept_stopped=False, instance=explained_by
        )
        return solution, certificate, iterations + taken(report), doubted

    def _newly_averse(self, program: LinearProgram) -> bool:
        return "deficit_met" in program.rows and "deficit_met" not in self.base._program.rows

    def _carried(self, program: LinearProgram, laid_out: Timeline, reached: Reached) -> Basis | None:
        """Return the base's basis, carried to a program of another structure."""
        basis = self.base._solution.basis
        if reached is Reached.REBUILT and basis is not None:
            worth = self.base.leaf_worth if self._newly_averse(program) else None
            basis = carried(basis, self.base._program, self.base._laid_out, program, laid_out, worth)
        return basis

    def _starts(
        self, program: LinearProgram, laid_out: Timeline, reached: Reached, start: Answer | None
    ) -> Iterable[tuple[Basis, dict[str, Option]]]:
        """Yield the warm starts worth trying, by what changed: the measurements are in docs/re-solves.md.

        Where costs alone changed the base's plan is still feasible and the primal simplex goes on from it, as long as
        it has not far to go. In all other cases the dual simplex does, for as many iterations as the base took: a case
        that needs more is better off without the base. A large tree whose base was lifted is left sooner: the case is
        lifted, too, its first stage from the base's. A plan that is possible without and with aversion, or with
        narrower bounds, is a start for the primal simplex.
        """
        if program.whole.any():  # a search begins anew
            return
        most = max(self.base.iterations, LEAST_ITERATIONS)
        if start is not None and start._solution.basis is not None:
            yield start._solution.basis, {**PERTURBED_PRIMAL, "simplex_iteration_limit": 2 * most}
            return
        basis = self._carried(program, laid_out, reached)
        if basis is None:
            return
        if self._newly_averse(program):
            yield basis, {**PERTURBED_PRIMAL, "simplex_iteration_limit": most}
        if reached is Reached.COSTS:
            yield basis, {**PRIMAL, "simplex_iteration_limit": LEAST_ITERATIONS}
        if self._lowest is None:
            yield basis, {**DUAL, "simplex_iteration_limit": most}
        elif reached is not Reached.COSTS:
            yield basis, {**DUAL, "simplex_iteration_limit": STRAIGHT_ITERATIONS}


def _flat(changes: Iterable[Change | Iterable[Change]]) -> Iterable[Edit | WhatIf]:
    for change in changes:
        if isinstance(change, str):
            yield edit(change)
        elif isinstance(change, (Edit, WhatIf)):
            yield change
        else:
            yield from _flat(change)


def _reached(base: LinearProgram, program: LinearProgram) -> Reached:
    """Return what differs between two programs of the same structure."""
    if not all(np.array_equal(getattr(base, name), getattr(program, name)) for name in ("start", "index", "value")):
        return Reached.MATRIX
    bounds = ("row_lower", "row_upper", "column_lower", "column_upper")
    if not all(np.array_equal(getattr(base, name), getattr(program, name)) for name in bounds):
        return Reached.BOUNDS
    same = np.array_equal(base.cost, program.cost) and base.offset == program.offset
    return Reached.UNCHANGED if same else Reached.COSTS
