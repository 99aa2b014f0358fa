"""A policy along a path: it decides at each review with what is known then, the decisions stand, the world moves on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from gwplan.errors import InfeasibleError
from gwplan.instance.instance import Instance, T
from gwplan.models.data import PlanData
from gwplan.plan.tables import flows
from gwplan.planning import valid
from gwplan.session import Answer, Session
from gwplan.solver.program import FloatArray, LinearProgram, SolveOptions
from gwplan.studies.backtest.paths import DrawnPath, Knowledge, shifted
from gwplan.studies.backtest.state import Amounts, Course, Ledger, held
from gwplan.tree.calendar import calendar_of
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, reveals, timeline

Narrow = Callable[[LinearProgram, Timeline], LinearProgram]
"""Returns a program with narrower bounds."""

Change = Callable[[PlanData], PlanData]
"""Returns what a policy takes the data to be."""

STAY: Final = 100.0
"""What having less than was meant costs, as a multiple of the highest value of a GW-year."""


class Desk:
    """An instance kept solved in the shapes that reviews need: trees of what is still open, horizons."""

    def __init__(self, session: Session, review: int, options: SolveOptions | None = None) -> None:
        self.instance, self.review = session.instance, review  # periods between reviews
        self.layouts = Layouts(by_content=True)
        self._options = options
        self._sessions = {self._shape(session.instance): session}
        self._made: dict[str, Any] = {}
        self.first = Course(session.base, Knowledge(frozenset(), frozenset()))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` makes, made once."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def _shape(self, case: Instance) -> tuple[Any, ...]:
        open_ = [(f.name, at) for f, at in zip(case.factors, reveals(case), strict=True) if len(f.outcomes) > 1]
        return (case.periods, *open_)

    def session(self, case: Instance) -> Session:
        """Return a session whose base has the case's shape, and nothing of the path that the case is of."""
        shape = self._shape(case)
        if shape not in self._sessions:
            written = dict(zip((f.name for f in self.instance.factors), reveals(self.instance), strict=True))
            months = calendar_of(case).months
            later = {name: (at - written[name]) * months for name, at in shape[1:]}
            open_ = tuple(shifted(f, later[f.name]) for f in self.instance.factors if f.name in later)
            base = replace(self.instance, factors=open_)
            if case.periods != base.periods:
                base = base.edited(f"calendar.periods = {case.periods}")
            self._sessions[shape] = Session(base, self._options)
        return self._sessions[shape]


class Walk:
    """One policy on its way along one path: where it is, what it has decided, what it follows."""

    def __init__(self, desk: Desk, path: DrawnPath, kept: dict[Any, Any]) -> None:
        self.desk, self.path = desk, path
        self._kept = kept  # what policies on the same path share: instances as they are seen, on their trees
        self.world = self._laid_out("world", lambda: path.world)
        self.state = Ledger(desk.instance.periods, desk.first.laid_out, self.world)
        self.period = 0
        self.course = desk.first
        self.solves = 0
        self.adapted = 0  # periods in which the world did not let what was decided stand

    def _laid_out(self, key: Any, make: Callable[[], Instance]) -> Timeline:
        if key not in self._kept:
            case = make()
            valid(case, self.path.layouts)
            self._kept[key] = timeline(case, self.path.layouts)
        laid_out: Timeline = self._kept[key]
        return laid_out

    @property
    def until(self) -> int:
        """Period of the next review."""
        return min(self.period + self.desk.review, self.desk.instance.periods)

    def seen(self, *, tree: bool, view: int | None = None) -> Timeline:
        """Return the instance as it is seen now, on its tree, up to the end of the view (periods) if there is one."""
        horizon = min(self.period + view, self.desk.instance.periods) if view else self.desk.instance.periods

        def make() -> Instance:
            case = self.path.believed(self.period, self.desk.review, tree=tree)
            whole = horizon == self.desk.instance.periods
            return case if whole else case.edited(f"calendar.periods = {horizon}")

        known = self.path.known(self.period)
        return self._laid_out(
            (known, tree, horizon, self.path.due(self.period, self.desk.review) if tree else ()), make
        )

    def plan(
        self, *, tree: bool = False, view: int | None = None, change: Change | None = None, narrow: Narrow | None = None
    ) -> Answer:
        """Return the best plan from now on, with what was decided before held."""
        laid_out = self.seen(tree=tree, view=view)
        if change is not None:
            laid_out = replace(laid_out, data=change(laid_out.data))
        return self.solve(laid_out, self.period, narrow)

    def solve(self, laid_out: Timeline, before: int, narrow: Narrow | None = None) -> Answer:
        """Return the best plan of an instance with what was decided before a period held."""
        past = laid_out.data.tree.period < before

        def narrowed(program: LinearProgram) -> LinearProgram:
            program = held(program, laid_out.data, self.state.on(laid_out), past)
            return narrow(program, laid_out) if narrow else program

        self.solves += 1
        return self.desk.session(laid_out.instance).solve_laid_out(laid_out, narrowed=narrowed)

    def follow(self, answer: Answer) -> Course:
        """Return a plan as what is followed from now on."""
        return Course(answer, self.path.known(self.period))

    def near(self, wish: FloatArray, decided: Amounts | None = None) -> Answer:
        """Return the plan as written that comes nearest to a wish with all its limits kept, from now on.

        Parameters
        ----------
        wish : (P, Q, T) float array
            GW, along the axes of the instance as written, that each pair should have at the least; nan: nothing.
        decided : mapping, optional
            By decision, shares or GW that stand until the next review as far as the limits allow.
        """
        laid_out = self.seen(tree=False)
        now = laid_out.data.tree.period >= self.period
        kept = np.where(now & ~np.isnan(wish), wish, 0.0)
        dear = STAY * max(float(np.abs(laid_out.data.value).max(initial=0.0)), 1.0)
        wished = replace(laid_out, data=replace(laid_out.data, kept=kept, move_cost=dear))
        stands = now & (laid_out.data.tree.period < self.until)

        def narrow(program: LinearProgram, laid_out: Timeline) -> LinearProgram:
            """More than the wish costs nothing, less does; decisions stand."""
            cost = program.cost.copy()
            cost[program.columns["moved_up"]] = 0.0
            program = replace(program, cost=cost)
            names = ("release", "cancelled", "signed")
            return held(program, laid_out.data, decided, stands, names) if decided else program

        try:
            return self.solve(wished, self.period, narrow)
        except InfeasibleError:
            if decided is None:
                raise
            return self.near(wish)

    def adapt(self, course: Course) -> Course:
        """Return what can be done of a plan that did not foresee what is known now."""
        wish = self.meant(course, self.seen(tree=False))
        return self.follow(self.near(wish["allocate"], wish))

    def meant(self, course: Course, laid_out: Timeline) -> dict[str, FloatArray]:
        """Return what was decided and what a plan means to decide, GW or shares, along the axes of an instance."""
        state = self.state.copied()
        for period in range(self.period, course.laid_out.data.tree.periods):
            node, _ = course.node(self.path, period)
            state.write(course.laid_out, course.answer.decided, node, period)
        return state.on(laid_out)

    def run(self, decide: Callable[[Walk], Course]) -> Answer:
        """Return a policy's decisions along the whole path, counted in the world as it was."""
        adapted: Course | None = None
        for period in range(self.desk.instance.periods):
            self.period = period
            if period % self.desk.review == 0:
                self.course, adapted = decide(self), None
            node, exact = self.course.node(self.path, period)
            course = self.course
            if not exact:
                if adapted is None or adapted.known != self.path.known(period):
                    adapted = self.adapt(self.course)
                    self.adapted += 1
                course, node = adapted, period
            self.state.write(course.laid_out, course.answer.decided, node, period)
        return self.solve(self.world, self.desk.instance.periods)


def figures(answer: Answer) -> dict[str, float]:
    """Return what a walk came to, audited: money in $bn, capacity in GW and GW-years.

    Worth is the sum of what using capacity, giving contracts back and signing offers brought: what is paid and received
    under firm contracts is counted with giving back, what is under offers with signing.
    """
    summary, laid_out, decided = answer.audited, answer.laid_out, answer.decided
    data = laid_out.data
    offers = np.zeros(len(data.contracts), dtype=bool)
    offers[data.offer_of] = True
    parts = {"allocate": 0.0, "give_back": 0.0, "sign": 0.0}
    by_contract = {"contract_cost", "sales", "late_credit", "offer_cost", "cancellation_fees"}
    for name, (_, amounts) in flows(data, decided).items():
        worth = amounts @ data.node_discount
        if name in by_contract:
            parts["sign"] += float(worth[offers].sum())
            parts["give_back"] += float(worth[~offers].sum())
        else:
            parts["allocate"] += float(worth.sum())
    terminal = decided.terminal.sum(axis=1)
    parts["sign"] += float(terminal[offers].sum())
    parts["give_back"] += float(terminal[~offers].sum())
    paid: Mapping[str, float] = summary["components_bn"]
    return {
        "worth_bn": float(summary["objective_bn"]),
        "idle_gw_years": float(summary["idle_gw_years"]),
        "fees_bn": -float(paid["cancellation_fees"]) - float(paid.get("offer_cost", 0.0)),
        "cancelled_gw": sum(summary["cancelled_gw"].values()),
        "signed_gw": sum(summary.get("signed_gw", {}).values()),
        **{f"{name}_bn": value for name, value in parts.items()},
    }
