"""Cases of one instance in which some cells take one value after another, and what is looked at in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from gwplan.catalogue.tolerances import BRACKET, FEASIBLE, KILOWATT, ROUNDING
from gwplan.errors import AuditError, InfeasibleError
from gwplan.instance.instance import Instance
from gwplan.instance.quantity_values import Evaluator
from gwplan.instance.varied_cells import Varied
from gwplan.language.quantities import Quantity, parse
from gwplan.models import terms
from gwplan.models.data import PlanData
from gwplan.plan.claims import figures
from gwplan.plan.plan import summarise
from gwplan.plan.tables import mean_use, year_weights
from gwplan.plan.values import Decided, values
from gwplan.planning import valid
from gwplan.problems import InstanceError
from gwplan.session import Answer, Session
from gwplan.solver.certify import certify
from gwplan.solver.compile import Compiled, compile_terms
from gwplan.solver.parametric import same_structure
from gwplan.solver.program import FloatArray, LinearProgram, Status
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, timeline

DECIDED: Final = ("allocate", "cancelled", "signed")
"""Variables that make two plans the same."""

REMEMBERED: Final = 4
"""Values whose instance, laid out, is kept for a while."""

Moved = tuple[str, str, str]
"""What of a plan may move: ``use``, a pathway and a year; or ``cancelled``, a contract and a blank."""


@dataclass(frozen=True)
class PlanAt:
    """A plan at one value of the cells."""

    value: float  # what the cells have, in their unit
    figure: float  # the figure that is looked at, in its own unit
    worth_bn: float  # the plan's objective, $bn
    # expected mean GW of each pathway and year, and GW of each contract for which notice is given
    gw: Mapping[Moved, float]
    decided: Decided = field(repr=False)  # all decisions


@dataclass
class Cases:
    """An instance solved, cells of it that take other values, and the figure that is looked at."""

    session: Session  # the instance as it is
    varied: Varied  # the cells
    figure: str  # a quantity, such as ``plan.objective_bn``
    _quantity: Quantity = field(init=False)
    _layouts: Layouts = field(init=False, default_factory=Layouts)
    _compiled: Compiled | None = field(init=False, default=None)
    _latest: tuple[Timeline, LinearProgram] | None = field(init=False, default=None)
    _recent: dict[float, Timeline] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._quantity = parse(self.figure, f"--figure {self.figure}")

    def instance(self, value: float) -> Instance:
        """Return the instance with the cells at a value."""
        return self.session.instance.edited(self.varied.edit(value))

    def laid_out(self, value: float) -> Timeline:
        """Return that instance, valid, on its tree."""
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
        """Return the certified answer to that instance, solved from the base's basis."""
        return self.session.solve_case(self.instance(value))

    def state_of(self, value: float, answer: Answer) -> PlanAt:
        """Return what is looked at in an answer."""
        return self._state(value, answer.laid_out, answer.program, answer.columns, answer.summary)

    def state(self, value: float, program: LinearProgram, columns: FloatArray, duals: FloatArray) -> PlanAt:
        """Return what is looked at in a solution of a program at a value, once it is proved optimal."""
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
    ) -> PlanAt:
        reading = Evaluator(laid_out.instance, f"--figure {self.figure}", lambda name: figures(summary, name))
        years, weights = year_weights(laid_out)
        decided = values(program, laid_out.data, columns)
        use = mean_use(decided, weights)
        gw: dict[Moved, float] = {
            ("use", pathway, str(year)): float(use[p, y])
            for p, pathway in enumerate(laid_out.data.pathways)
            for y, year in enumerate(years.tolist())
        }
        gw |= {("cancelled", name, ""): given for name, given in figures(summary, "cancelled_gw").items()}
        return PlanAt(
            value,
            reading.value(self._quantity),
            float(summary["objective_bn"]),
            gw,
            decided,
        )


EXACT: Final = "parametric steps of the basis"
BRACKETED: Final = "bracketed by re-solves"


@dataclass(frozen=True)
class Threshold:
    """A figure reaches a value, in the figure's unit."""

    value: float

    def side(self, state: PlanAt) -> int:
        """Return on which side a plan is: -1 below, 1 above, 0 there."""
        by = state.figure - self.value
        if abs(by) <= ROUNDING * (1 + max(abs(state.figure), abs(self.value))):
            return 0
        return 1 if by > 0 else -1


@dataclass(frozen=True)
class PlanChanges:
    """The plan of the instance as it is, or what it does first, is no longer the best."""

    by_gw: float = KILOWATT  # GW of a pathway in a pool, or of a contract, from which a change counts
    first: bool = False  # whether only what is decided in the first period counts

    @property
    def any_change(self) -> bool:
        """Whether every change counts, wherever it is."""
        return self == PlanChanges()

    def differ(self, one: PlanAt, other: PlanAt) -> bool:
        """Return whether two plans allocate, cancel or sign otherwise: in sum, or in some period and future."""
        pairs = zip(self._decided_gw(one.decided), self._decided_gw(other.decided), strict=True)
        if any(a.shape == b.shape and float(np.abs(a - b).max(initial=0.0)) > self.by_gw for a, b in pairs):
            return True
        names = {*one.gw, *other.gw}
        return self.any_change and any(abs(one.gw.get(n, 0.0) - other.gw.get(n, 0.0)) > KILOWATT for n in names)

    def _decided_gw(self, decided: Decided) -> list[FloatArray]:
        data = decided.data
        given = decided.cancelled * data.contracted[data.way_out_of], decided.signed * data.contracted[data.offer_of]
        arrays = [decided.allocate, *given]
        return [array[..., data.tree.roots] for array in arrays] if self.first else arrays

    def held(self, program: LinearProgram, data: PlanData, columns: FloatArray) -> LinearProgram:
        """Return a program in which what was decided in a solution of the same columns changes by no more."""
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        contract = dict(zip(data.ways_out, data.way_out_of.tolist(), strict=True))
        contract |= dict(zip(data.offers, data.offer_of.tolist(), strict=True))
        for name in DECIDED:
            place, keys = program.columns[name], program.column_keys[name]
            if not len(keys):
                continue
            unit_gw = np.ones(len(keys))
            if name != "allocate":
                unit_gw = data.contracted[[contract[program.labels[code]] for code in keys[:, 0].tolist()], keys[:, -1]]
            room = np.zeros(len(keys))
            if not self.any_change:
                room = np.divide(self.by_gw, unit_gw, out=np.full(len(keys), np.inf), where=unit_gw > 0)
            if self.first:
                room[data.tree.period[keys[:, -1]] > 0] = np.inf
            at = np.clip(columns[place], lower[place], upper[place])
            lower[place], upper[place] = np.maximum(lower[place], at - room), np.minimum(upper[place], at + room)
        return replace(program, column_lower=lower, column_upper=upper)


Goal = Threshold | PlanChanges


@dataclass(frozen=True)
class Break:
    """A value at which it happens."""

    value: float  # the breakeven, in the cell's unit
    # it lies between them, in the cell's unit: both are `value` where it is exact
    low: float
    high: float
    # the plan just short of it, and just beyond: as close as it was bracketed, or at that very value where two plans
    # are equally good there
    before: PlanAt
    after: PlanAt
    # change of the figure per unit of the cells on either side; None where nothing is known there
    slope_before: float | None
    slope_after: float | None
    # change of GW per unit likewise; empty where nothing is known
    rates_before: Mapping[Moved, float]
    rates_after: Mapping[Moved, float]

    def moves(self, now: PlanAt) -> list[dict[str, Any]]:
        """Return what of the plan moves there, beyond it, or on the way from now; the largest first."""
        rows = []
        for name in dict.fromkeys([*now.gw, *self.after.gw]):
            was, before, after = (state.gw.get(name, 0.0) for state in (now, self.before, self.after))
            falls, rises = self.rates_before.get(name, 0.0), self.rates_after.get(name, 0.0)
            if max(abs(after - before), abs(after - was), abs(rises - falls)) > KILOWATT:
                kind, owner, year = name
                rows.append(
                    {"what": kind, "name": owner, "year": int(year) if year else None, "now_gw": was,
                     "before_gw": before, "after_gw": after, "before_gw_per_unit": falls, "after_gw_per_unit": rises}
                )  # fmt: skip
        return sorted(rows, key=lambda r: (-abs(r["after_gw"] - r["before_gw"]), -abs(r["after_gw"] - r["now_gw"])))

    def first_moves(self, now: PlanAt) -> list[dict[str, Any]]:
        """Return the pairs whose GW in the first period, expected over its futures, differs there; the most first."""
        data = now.decided.data
        chance = data.tree.probability[data.tree.roots]
        was, after = (state.decided.allocate[..., data.tree.roots] @ chance for state in (now, self.after))
        moved = np.argwhere(np.abs(after - was) > KILOWATT)
        return [
            {
                "pathway": data.pathways[p],
                "pool": data.pools[q],
                "now_gw": float(was[p, q]),
                "after_gw": float(after[p, q]),
            }
            for p, q in sorted(moved.tolist(), key=lambda at: -abs((after - was)[*at]))
        ]


@dataclass(frozen=True)
class Search:
    """What a search in one direction came to."""

    direction: int  # up or down from the value that the cells have
    nearest: Break | None  # the nearest breakeven; None where there is none
    method: str  # `EXACT` or `BRACKETED`
    reason: str  # why it is not exact; blank where it is
    until: float  # how far was searched, in the cell's unit
    ended: str  # why not as far as the bounds; blank where it was
    steps: int  # bases, or re-solves, that were gone through
    # whether some of the way was looked at in some values only, so that what happens and is undone between two of them
    # is not seen
    scan: bool = False


SCANNED: Final = 12
"""Values between the start and the bound that are looked at before a bracket is narrowed."""

NO_PLAN: Final = "beyond it no plan keeps every limit"

Look = Callable[[float], bool | None]
"""Whether it has happened at a value; None where there is no plan."""


@dataclass(frozen=True)
class Scan:
    """Where it happens first."""

    # the last value before it and the first one after, in the cell's unit; both None where it does not happen
    near: float | None
    over: float | None
    until: float  # how far was looked, in the cell's unit
    ended: str = ""  # why not as far as the bound; blank where it was


def narrowed(inside: Callable[[float], bool], good: float, bad: float, width: float, *, whole: bool) -> float:
    """Return a value inside that is within `width` of one that is not, by halving; both in the unit of the cells."""
    while abs(bad - good) > (1.0 if whole else width):
        middle = (good + bad) / 2
        middle = float(np.floor(middle)) if whole else middle
        if middle in (good, bad):
            break
        good, bad = (middle, bad) if inside(middle) else (good, middle)
    return good


def scanned(look: Look, start: float, bound: float, width: float, *, whole: bool) -> Scan:
    """Return where it happens first on the way from a value at which it has not.

    What happens and is undone between two neighbouring values of the scan is not seen.
    """
    seen: dict[float, bool | None] = {start: False}

    def known(value: float) -> bool | None:
        if value not in seen:
            seen[value] = look(value)
        return seen[value]

    last = start
    count = min(SCANNED, int(abs(bound - start))) if whole else SCANNED
    values = np.linspace(start, bound, count + 1)[1:]
    for value in list(dict.fromkeys((np.rint(values) if whole else values).tolist())):
        ended = ""
        if known(value) is None:
            value = narrowed(lambda v: known(v) is not None, last, value, width, whole=whole)
            ended = NO_PLAN
        if known(value):
            near = narrowed(lambda v: known(v) is False, last, value, width, whole=whole)
            over = min((v for v, had in seen.items() if had and abs(v - start) > abs(near - start)),
                       key=lambda v: abs(v - near))  # fmt: skip
            return Scan(near, over, over)
        if ended:
            return Scan(None, None, value, ended)
        last = value
    return Scan(None, None, bound)


def bracketed(cases: Cases, goal: Goal, start: float, bound: float, reason: str) -> Search:
    """Return the nearest breakeven between where the cells are and a bound, bracketed by re-solves."""
    bracket, whole = _Bracket(cases, goal, start), cases.varied.whole
    direction = 1 if bound > start else -1
    width = 1.0 if whole else BRACKET * abs(bound - start)
    if isinstance(goal, Threshold) and goal.side(bracket.base) == 0:
        here = bracket.between(start, start, direction * width)
        return Search(direction, here, BRACKETED, reason, start, "", bracket.solved)
    scan = scanned(bracket.over, start, bound, width, whole=whole)
    nearest: Break | None = None
    if scan.near is not None and scan.over is not None:
        nearest = bracket.between(scan.near, scan.over, direction * width)
    return Search(direction, nearest, BRACKETED, reason, scan.until, scan.ended, bracket.solved, scan=True)


class _Bracket:
    """Re-solves at values of the cells, each done once."""

    def __init__(self, cases: Cases, goal: Goal, start: float) -> None:
        self._cases, self._goal = cases, goal
        self.base = cases.state_of(start, cases.session.base)
        self._answers: dict[float, tuple[Answer, PlanAt] | None] = {start: (cases.session.base, self.base)}

    @property
    def solved(self) -> int:
        """Values solved, the start left out."""
        return len(self._answers) - 1

    def _at(self, value: float) -> tuple[Answer, PlanAt] | None:
        """Return the answer at a value; None where there is none."""
        if value not in self._answers:
            try:
                answer = self._cases.answer(value)
                self._answers[value] = answer, self._cases.state_of(value, answer)
            except InfeasibleError:
                self._answers[value] = None
        return self._answers[value]

    def over(self, value: float) -> bool | None:
        """Return whether it has happened at a value; None where there is no plan."""
        solved = self._at(value)
        if solved is None:
            return None
        answer, state = solved
        if isinstance(self._goal, Threshold):
            return self._goal.side(state) in (0, -self._goal.side(self.base))
        return self._goal.differ(state, self.base) and self._held_loses(answer, self._goal)

    def _held_loses(self, answer: Answer, goal: PlanChanges) -> bool:
        """Return whether the plan as it is, held, is worth less than the best at another value, or possible no more."""
        base = self._cases.session.base
        if not same_structure(base.program, answer.program):
            return True
        try:
            worth = self._cases.session.solve_laid_out(
                answer.laid_out,
                narrowed=lambda program: goal.held(program, answer.laid_out.data, base.columns),
                start=answer,
            ).objective_bn
        except InfeasibleError:
            return True
        return answer.objective_bn - worth > FEASIBLE * (1 + abs(worth))

    def between(self, near: float, over: float, step: float) -> Break:
        """Return the breakeven between two values, the plans there, audited, and how they change on either side."""
        here, there = self._at(near), self._at(over)
        if here is None or there is None:
            raise ValueError("both sides of a bracket have plans")
        for answer, _ in (here, there):
            answer.plan  # noqa: B018 - audits it
        step = step if abs(step) >= 1 else 100 * step
        before, after = self._change(near - step, near), self._change(over, over + step)
        return Break(
            over, min(near, over), max(near, over), here[1], there[1], before[0], after[0], before[1], after[1]
        )

    def _change(self, one: float, other: float) -> tuple[float | None, dict[Moved, float]]:
        """Return the change of the figure and of GW per unit between two values; nothing where one has no plan."""
        try:
            first, second = self._at(one), self._at(other)
        except InstanceError:  # the cells may not have it
            return None, {}
        if first is None or second is None:
            return None, {}
        a, b, by = first[1], second[1], other - one
        return (b.figure - a.figure) / by, {name: (b.gw.get(name, 0.0) - gw) / by for name, gw in a.gw.items()}
