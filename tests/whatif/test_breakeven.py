"""Breakevens against grids of re-solves that know nothing of bases, and where they are known by hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gwplan import load
from gwplan.errors import PlanError
from gwplan.instance.instance import Instance
from gwplan.instance.varied_cells import Varied, varied
from gwplan.planning import plan_or_error
from gwplan.problems import InstanceError
from gwplan.session import Session
from gwplan.solver.certify import certify
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import SolveOptions
from gwplan.solver.solving import certified
from gwplan.studies.breakeven.breakeven import PlanChanges, Threshold, breakeven
from gwplan.studies.breakeven.cases import BRACKETED, EXACT, NO_PLAN, Goal, Search
from gwplan.tree.timeline import timeline
from tests.generate import random_instance
from tests.instance.folders import plain

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
CASES = int(os.environ.get("GWPLAN_RANDOM_CASES", "2"))

COLUMNS = (
    ("value", "value_bn_per_gw_year"),
    ("value", "width_gw"),
    ("demand", "target_gw"),
    ("demand", "cap_gw"),
    ("contracts", "cost_bn_per_gw_year"),
    ("deliveries", "gw"),
    ("pathways", "realisation"),
    ("pathways", "ramp_gw_per_month"),
    ("pathways", "shortfall_penalty_bn_per_gw_year"),
    ("eligibility", "operating_cost_bn_per_gw_year"),
    ("eligibility", "effectiveness"),
    ("economics", "discount_rate"),
)


def cell_of(instance: Instance, rng: np.random.Generator) -> Varied | None:
    """Return a random cell that is not blank or 0."""
    for at in rng.permutation(len(COLUMNS)).tolist():
        table, column = COLUMNS[at]
        frame = instance.filled(table)
        rows = frame[frame[column].fillna(0.0).to_numpy() != 0]
        if len(rows):
            row = rows.iloc[int(rng.integers(len(rows)))]
            names = [n for n in ("pathway", "pool", "contract", "tier", "from", "date") if n in rows]
            where = {n: row[n].date() if n in ("from", "date") else row[n] for n in names}
            found = Varied(table, column, where)
            if len(found.cells(instance)) == 1:
                return found
    return None


def random_cell(seed: int, folder: Path) -> tuple[Session, Varied, float, float] | None:
    """Return a random instance, solved, a cell of it, its value, and another value at which there is a plan."""
    rng = np.random.default_rng([seed, 5])
    instance = load(random_instance(seed, folder))
    cell = cell_of(instance, rng)
    if cell is None:
        return None
    now = cell.now(instance)
    other = now * float(rng.uniform(0.3, 0.9) if rng.random() < 0.5 else rng.uniform(1.05, 1.6))
    try:
        session = Session(instance)
        session.solve(cell.edit(other))
        return session, cell, now, other
    except (InstanceError, PlanError):
        return None


def worth(session: Session, cell: Varied, value: float) -> float:
    """Return the worth of a case, solved cold."""
    program = compiled(timeline(session.instance.edited(cell.edit(value))).data)
    solution, certificate = certified(program, SolveOptions())
    return -plan_or_error(solution, certificate, accept_stopped=False).objective


def toward(searches: tuple[Search, ...], now: float, other: float) -> Search:
    """Return the search in the direction of a value."""
    return next(search for search in searches if search.direction == (1 if other > now else -1))


@pytest.mark.parametrize("seed", range(CASES))
def test_threshold_agrees_with_a_grid_of_re_solves(seed: int, tmp_path: Path) -> None:
    """Worth is the threshold at the breakeven, and on every value of a grid short of it on the side of now."""
    asked = random_cell(seed, tmp_path / "instance")
    if asked is None:
        pytest.skip("no cell with a plan at another value")
    session, cell, now, other = asked
    goal = worth(session, cell, other)
    base = session.base.objective_bn
    if abs(goal - base) < 1e-4 * (1 + abs(base)):
        pytest.skip("worth does not hang on the cell")
    low, high = sorted((now, other + 0.01 * (other - now)))
    search = toward(breakeven(session, cell, Threshold(goal), between=(low, high)).searches, now, other)
    assert search.nearest is not None
    at, slack = search.nearest.value, 1e-7 * (1 + abs(goal))
    if search.method == EXACT:
        assert worth(session, cell, at) == pytest.approx(goal, abs=slack)
    else:
        sides = {bool(worth(session, cell, value) > goal) for value in (search.nearest.low, search.nearest.high)}
        near = abs(worth(session, cell, at) - goal)
        assert len(sides) == 2 or near < 1e-6 * (1 + abs(goal))
    for value in np.linspace(now, at, 12)[1:-1].tolist():
        assert (worth(session, cell, value) - goal) * (base - goal) > -slack * abs(base - goal)


@pytest.mark.parametrize("seed", sorted({*range(CASES), 47, 61, 66}))  # those three: GW change places within a year
def test_plan_holds_up_to_where_it_first_changes_and_no_farther(seed: int, tmp_path: Path) -> None:
    """The plan of now, held, is worth the best on a grid short of the breakeven, and less than the best beyond it."""
    asked = random_cell(seed, tmp_path / "instance")
    if asked is None:
        pytest.skip("no cell with a plan at another value")
    session, cell, now, other = asked
    if session.base.program.whole.any():
        pytest.skip("held in a linear program")

    def loss(value: float) -> float:
        case = session.instance.edited(cell.edit(value))
        program = compiled(timeline(case).data)
        if program.shape != session.base.program.shape:
            return np.nan
        held = PlanChanges().held(program, session.base.laid_out.data, session.base.columns)
        kept, best = run_solver(held), run_solver(program)
        assert certify(program, best.columns, best.row_duals).optimal
        if not len(kept.columns) or str(kept.status) != "optimal":
            return np.inf
        return float(program.cost @ (kept.columns - best.columns))

    found = breakeven(session, cell, PlanChanges(), between=tuple(sorted((now, other))))  # type: ignore[arg-type]
    search = toward(found.searches, now, other)
    at = other if search.nearest is None else search.nearest.before.value
    slack = 2e-7 * (1 + abs(session.base.objective_bn))
    for value in np.linspace(now, at, 8)[1:-1].tolist():
        assert not loss(value) > slack
    if search.nearest is not None:
        beyond = search.nearest.value + 0.2 * (other - search.nearest.value)
        assert not loss(beyond) <= 0 or search.nearest.value == other


def test_breakevens_known_by_hand() -> None:
    """A deal is taken up to the price of training less its signing cost: 8 a GW-year, from 7 and until 12."""
    session = Session(load(INSTANCES / "tiny-deals"))
    found = breakeven(session, varied("value[pathway=deals].value_bn_per_gw_year"), PlanChanges())
    down, up = found.searches
    assert (down.method, up.method) == (EXACT, EXACT)
    assert down.nearest is not None and up.nearest is not None
    assert down.nearest.value == pytest.approx(7, abs=1e-9)
    assert up.nearest.value == pytest.approx(12, abs=1e-9)
    assert down.nearest.slope_before == pytest.approx(0.6) and down.nearest.slope_after == pytest.approx(0.1)
    moved = {(move["name"], move["year"]): move["after_gw"] - move["now_gw"] for move in down.nearest.moves(found.now)}
    assert moved == {("training", 2026): pytest.approx(0.5), ("deals", 2026): pytest.approx(-0.5)}


def test_figure_that_jumps_is_met_where_the_plan_does() -> None:
    """A figure of the plan that jumps over its threshold has its breakeven at the jump, with both sides told."""
    session = Session(load(INSTANCES / "tiny-deals"))
    cell = varied("value[pathway=deals].value_bn_per_gw_year")
    figure = "plan.expected_gw_years[pathway=deals]"
    now = session.base.summary["expected_gw_years"]["deals"]
    found = breakeven(session, cell, Threshold(now - 0.2), figure).searches[0].nearest
    assert found is not None and found.value == pytest.approx(7, abs=1e-9)
    assert found.before.figure == pytest.approx(now) and found.after.figure < now - 0.2


def test_dates_are_bracketed_between_two_months() -> None:
    """Of dates the breakeven is a whole number of months: the first at which the threshold is crossed."""
    session = Session(load(INSTANCES / "tiny-curve"))
    cell = varied("deliveries.date")
    goal = session.base.objective_bn - 0.1
    search = breakeven(session, cell, Threshold(goal), between=(0, 9)).searches[0]
    worths = [worth(session, cell, month) for month in range(10) if month]
    first = 1 + next(i for i, bn in enumerate(worths) if bn <= goal)
    assert search.method == BRACKETED and search.nearest is not None
    assert (search.nearest.low, search.nearest.high, search.nearest.value) == (first - 1, first, first)


def test_none_within_the_bounds_is_said() -> None:
    """Without a breakeven each direction says how far was searched."""
    session = Session(load(INSTANCES / "tiny-deals"))
    cell = varied("value[pathway=deals].value_bn_per_gw_year")
    found = breakeven(session, cell, PlanChanges(), between=(7.5, 11.5))
    assert [(search.nearest, search.until) for search in found.searches] == [(None, 7.5), (None, 11.5)]


def test_cells_without_one_value_are_refused() -> None:
    """A blank, several values, and bounds that leave now out are one line each."""
    session = Session(load(INSTANCES / "tiny-deals"))
    for text, bounds, words in (
        ("value.value_bn_per_gw_year", None, "no one value"),
        ("pathways[pathway=deals].breach_cost_bn_per_gw", None, "stands for none"),
        ("value[pathway=deals].value_bn_per_gw_year", (1.0, 2.0), "not between"),
        ("pathways.notice_days *=", None, "whole numbers"),
    ):
        with pytest.raises(InstanceError, match=words):
            breakeven(session, varied(text), PlanChanges(), between=bounds)


def test_a_search_ends_where_plans_end() -> None:
    """At the edge of what is possible a floor is missed by less than a kilowatt: there is no plan, not a failure."""
    floor = "insert demand[pathway=training, from=2026-01-01, floor_gw=0.37]"
    session = Session(load(INSTANCES / "tiny-deals").edited(floor))
    cell = varied("eligibility[pathway=training].effectiveness")
    down = next(s for s in breakeven(session, cell, Threshold(-1000), between=(0.1, 1)).searches if s.direction < 0)
    assert down.nearest is None and down.ended == NO_PLAN and down.until == pytest.approx(0.37 / 0.6, abs=1e-5)


@pytest.mark.parametrize(
    ("cell", "goal", "between"),
    [
        ("contracts.cost_bn_per_gw_year", PlanChanges(), (0.1, 3.0)),
        ("contracts.cost_bn_per_gw_year", Threshold(99.0), (0.1, 3.0)),
        ("value.value_bn_per_gw_year", PlanChanges(), None),
        ("deliveries.gw", Threshold(99.0), (0.1, 2.8)),
    ],
)
def test_a_search_ends_at_a_bound_that_is_a_rounding_away(
    cell: str, goal: Goal, between: tuple[float, float] | None, tmp_path: Path
) -> None:
    """Protects whoever waits: from 1 to 0.1 and back is 0.09999999999999998, and the search went on for ever."""
    instance = plain(tmp_path, contracts="contract,pool,cost_bn_per_gw_year\nown,cloud,1\n")
    found = breakeven(Session(instance), varied(cell), goal, between=between)
    assert [search.until for search in found.searches] == [found.low, found.high]
    assert all(search.nearest is None and search.method == EXACT for search in found.searches)
