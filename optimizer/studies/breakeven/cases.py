"""Cases of one instance in which some cells take one value after another, and what is looked at in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from models import terms
from optimizer.errors import AuditError
from optimizer.instance.instance import Instance
from optimizer.instance.quantity_values import Evaluation
from optimizer.instance.varied_cells import Varied
from optimizer.language.quantities import Quantity, parse
from optimizer.plan.claims import figures
from optimizer.plan.mean_use import mean_use, year_weights
from optimizer.plan.plan import summarise
from optimizer.plan.values import values
from optimizer.planning import valid
from optimizer.session import Answer, Session
from optimizer.solver.certify import certify
from optimizer.solver.compile import Compiled, compile_terms
from optimizer.solver.program import FloatArray, LinearProgram
from optimizer.solver.solution import Status
from optimizer.tree.layouts import Layouts
from optimizer.tree.timeline import Timeline, timeline

LEAST_GW: Final = 1e-6
"""A change of GW, or of a share, below this is no change of the plan."""

DECIDED: Final = ("allocate", "cancelled")
"""Variables that make two plans the same."""

REMEMBERED: Final = 4
"""Values whose instance, laid out, is kept for a while."""

Moved = tuple[str, str, str]
"""What of a plan may move: ``use``, a pathway and a year; or ``cancelled``, a contract and a blank."""


@dataclass(frozen=True)
class State:
    """A plan at one value of the cells.

    Attributes
    ----------
    value : float
        What the cells have, in their unit.
    figure : float
        The figure that is looked at, in its own unit.
    worth_bn : float
        The plan's objective, $bn.
    gw : mapping of Moved to float
        Expected mean GW of each pathway and year, and GW of each contract for which notice is given.
    decided : (P, Q, N) and (K, N) float array
        GW of each pathway, pool and node, and share of each contract for which notice is given.
    """

    value: float
    figure: float
    worth_bn: float
    gw: Mapping[Moved, float]
    decided: tuple[FloatArray, FloatArray] = field(repr=False)

    def differs(self, other: State) -> bool:
        """Return whether the two plans allocate or cancel otherwise: in sum, by pool, by period or in some future."""
        names = {*self.gw, *other.gw}
        return any(abs(self.gw.get(name, 0.0) - other.gw.get(name, 0.0)) > LEAST_GW for name in names) or any(
            one.shape == two.shape and float(np.abs(one - two).max(initial=0.0)) > LEAST_GW
            for one, two in zip(self.decided, other.decided, strict=True)
        )


def held(program: LinearProgram, columns: FloatArray) -> LinearProgram:
    """Return a program in which what was decided in a solution of the same columns is fixed."""
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    for name in DECIDED:
        place = program.columns[name]
        lower[place] = upper[place] = np.clip(columns[place], program.column_lower[place], program.column_upper[place])
    return replace(program, column_lower=lower, column_upper=upper)


@dataclass
class Cases:
    """An instance solved, cells of it that take other values, and the figure that is looked at.

    Attributes
    ----------
    session : Session
        The instance as it is.
    varied : Varied
        The cells.
    figure : str
        A quantity, such as ``plan.objective_bn``.
    """

    session: Session
    varied: Varied
    figure: str
    _quantity: Quantity = field(init=False)
    _layouts: Layouts = field(init=False, default_factory=Layouts)
    _compiled: Compiled | None = field(init=False, default=None)
    _latest: tuple[Timeline, LinearProgram] | None = field(init=False, default=None)
    _recent: dict[float, Timeline] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._quantity = parse(self.figure, f"--figure {self.figure}")

    def instance(self, value: float) -> Instance:
        """Return the instance with the cells at a value.

        Raises
        ------
        InstanceError
            If they may not have it.
        """
        return self.session.instance.edited(self.varied.edit(value))

    def laid_out(self, value: float) -> Timeline:
        """Return that instance, valid, on its tree.

        Raises
        ------
        InstanceError
            If it breaks a rule of the format.
        """
        if value not in self._recent:
            case, layouts = self.instance(value), self._layouts.forked()
            valid(case, layouts)
            while len(self._recent) >= REMEMBERED:
                del self._recent[next(iter(self._recent))]
            self._recent[value] = timeline(case, layouts)
        return self._recent[value]

    def program(self, value: float) -> LinearProgram:
        """Return that instance's program."""
        laid_out = self.laid_out(value)
        if self._latest is None or self._latest[0] is not laid_out:
            self._latest = laid_out, self._programmed(laid_out)
        return self._latest[1]

    def _programmed(self, laid_out: Timeline) -> LinearProgram:
        entered = terms(laid_out.data)
        if self._compiled is None or entered.difference(self._compiled.terms):
            self._compiled = compile_terms(entered)
            return self._compiled.program
        return self._compiled.with_numbers(entered)

    def answer(self, value: float) -> Answer:
        """Return the certified answer to that instance, solved from the base's basis.

        Raises
        ------
        InstanceError, InfeasibleError, StoppedError, AuditError, SolverError
            As `Session.solve_case`.
        """
        return self.session.solve_case(self.instance(value))

    def state_of(self, value: float, answer: Answer) -> State:
        """Return what is looked at in an answer."""
        return self._state(value, answer.laid_out, answer.program, answer.columns, answer.summary)

    def state(self, value: float, program: LinearProgram, columns: FloatArray, duals: FloatArray) -> State:
        """Return what is looked at in a solution of a program at a value, once it is proved optimal.

        Raises
        ------
        AuditError
            If it is not.
        """
        laid_out, certificate = self.laid_out(value), certify(program, columns, duals)
        if not certificate.optimal:
            raise AuditError(f"the plan at {self.varied.text} = {value!r} does not prove optimal", [str(certificate)])
        decided = values(program, laid_out.data, columns)
        summary = summarise(laid_out, decided, str(Status.OPTIMAL), certificate)
        return self._state(value, laid_out, program, columns, summary)

    def _state(
        self,
        value: float,
        laid_out: Timeline,
        program: LinearProgram,
        columns: FloatArray,
        summary: Mapping[str, Any],
    ) -> State:
        reading = Evaluation(laid_out.instance, f"--figure {self.figure}", lambda name: figures(summary, name))
        years, weights = year_weights(laid_out)
        decided = values(program, laid_out.data, columns)
        use = mean_use(decided, weights)
        gw: dict[Moved, float] = {
            ("use", pathway, str(year)): float(use[p, y])
            for p, pathway in enumerate(laid_out.data.pathways)
            for y, year in enumerate(years.tolist())
        }
        gw |= {("cancelled", name, ""): given for name, given in figures(summary, "cancelled_gw").items()}
        return State(
            value,
            reading.value(self._quantity),
            float(summary["objective_bn"]),
            gw,
            (decided.allocate, decided.cancelled),
        )
