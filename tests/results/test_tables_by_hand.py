"""Tables of tiny plans, row by row, each worked out by hand from the README of its instance."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gwplan as gw
from gwplan.language.edits import Factor, Outcome
from gwplan.plan.first_moves import ENDED, first_moves
from gwplan.plan.tables import cvar, gained, quantile, weighed
from gwplan.plan.values import as_told
from gwplan.planning import alternatives_of
from gwplan.session import Session
from gwplan.show.report.plan import _parts
from gwplan.show.view import View
from tests.cli.conftest import INSTANCES

LIMITS = ["start", "constraint", "name", "bn_per_gw_year", "relaxed", "tightened", "limit_gw", "from_gw", "to_gw"]
ALLOWED = ["row", "column", "value", "allowable_decrease", "allowable_increase"]
OWED = ["vendor", "contract", "year", "as_signed_bn", "after_cancellation_bn", "gw"]
MONEY = ["start", "component", "name", "bn"]
DEALS = ["start", "in_force_gw", "signed_gw", "notice_given_gw", "returned_gw", "lost_gw", "breached_gw"]

TABLES = {
    # A GW of ads taken for batch: 1.5 for 1.2, the other way 1 for 1.2; in 2027 2 for 1.2, and batch has none.
    ("tiny-curve", "firmness"): """
        ads first 0.3 0.2
        ads 2026 0.3 0.2
        ads 2027 0.8 inf
        batch first 0.2 0.3
        batch 2026 0.2 0.3
        batch 2027 inf 0.8
        """,
    # Half of 3 stays above 1.2 and below the chord's 2. The curve's chords of 2 and 1: until 1.2 is passed. In 2027
    # its second chord, 2, until the tier's 1.5. No price drops or adds a contract that cannot be cancelled.
    ("tiny-curve", "allowable_changes"): """
        pathway=ads, from=2026-01-01, tier=1 value_bn_per_gw_year 3 0.6 1
        pathway=batch, from=2026-01-01, tier=1 value_bn_per_gw_year 1.2 0.2 0.3
        pathway=ads, from=2026-01-01 base_value_bn_per_year 40 16 8
        pathway=ads, from=2027-01-01 base_value_bn_per_year 80 20 inf
        contract=own cost_bn_per_gw_year 1 inf inf
        """,
    ("tiny-curve", "marginal_values"): """
        2026-01-01 supply cluster 1.2 1.2 1.2 2.5 2 inf
        2027-01-01 supply cluster 2 2 2 2.5 1 3
        """,
    # Training is worth 6, 2 more than ads: where a lock holds it, that is what moving it is worth.
    ("tiny-locks", "marginal_values"): """
        2026-01-01 supply cluster 4 4 4 1 0.8 inf
        2026-01-01 lock training[cluster] max 2 2 2 0.8 0 1
        2027-01-01 supply cluster 6 6 6 1 0.3 inf
        2027-01-01 lock ads min 2 2 2 0.3 0 1
        2028-01-01 supply cluster 6 6 6 1 0 inf
        """,
    # Growth of a GW in Q1 trains in Q1, where a GW is idle at -1, and in Q2 in place of ads: 6 + 4. In Q2: 4.
    ("tiny-ramp", "marginal_values"): """
        2026-01-01 supply cluster -4 -4 -4 1 0.9 inf
        2026-01-01 cap ads 8 8 8 0.4 0 0.5
        2026-01-01 ramp training 10 10 10 0.5 0.4 0.6
        2026-04-01 supply cluster 4 4 4 1 0.8 1.2
        2026-04-01 cap ads 0 0 0 0.4 0.2 inf
        2026-04-01 ramp training 4 4 4 0.3 0.2 0.5
        2026-07-01 supply cluster 20 20 20 1 0.7 1.1
        2026-07-01 cap ads 0 0 0 0.4 0 inf
        2026-07-01 ramp training 0 0 0 0.3 0.2 inf
        2026-10-01 supply cluster 20 20 20 1 0 1.3
        2026-10-01 cap ads 0 0 0 0.4 0 inf
        2026-10-01 ramp training 0 0 0 0.3 0 inf
        """,
    # Training's other use in Q1 is ads at 16 less a year in Q2 and an idle GW in Q1: 6 + 4. An idle GW is -1.
    ("tiny-ramp", "firmness"): """
        training first 10 inf
        training 2026 16 inf
        ads first 2 inf
        ads 2026 8 16
        """,
    # Both run on after the plan; what is cancelled of the second does not.
    ("tiny-terminal", "obligations"): """
        acme cheap 2026 4 4 2
        acme cheap 2027 4 4 2
        acme cheap 2028 4 4 2
        acme cheap 2029 4 4 2
        other dear 2026 4 4 1
        other dear 2027 4 0 1
        other dear 2028 4 0 1
        """,
    ("tiny-terminal", "cashflow"): """
        2026-01-01 value training 7
        2026-01-01 contract_cost cheap -4
        2026-01-01 contract_cost dear -4
        2027-01-01 value training 7
        2027-01-01 contract_cost cheap -4
        2027-01-01 cancellation_fees dear -1
        2027-01-01 terminal cheap 4
        """,
    # The lease goes only while training earns 2.5 in a quarter that it costs 1; half of it for 0.25 saves 1.
    ("tiny-cancellation", "allowable_changes"): """
        pathway=training, from=2026-01-01, tier=1 value_bn_per_gw_year 10 6 inf
        pathway=training, from=2026-07-01, tier=1 value_bn_per_gw_year 10 10 inf
        contract=lease cost_bn_per_gw_year 4 3 6
        contract=lease fee_bn_per_gw 0.5 inf 1.5
        """,
    ("tiny-deals", "deals"): """
        2026-01-01 0.4 0 0.4 0 0 0
        2026-04-01 0 0 0 0.4 0 0
        2026-07-01 1 1 0 0 0 0
        2026-10-01 1 0 1 0 0 0
        2027-01-01 0 0 0 1 0 0
        """,
    ("tiny-churn", "deals"): """
        2026-01-01 1 1 0 0 0 0
        2027-01-01 1 0.5 0 0 0.5 0
        2028-01-01 0.25 0 0 0 0.75 0
        """,
    # Training earned by each GW signed: 2.75 less of 2026's, which costs 6.5 and leaves half a GW worth 3.25.
    ("tiny-churn", "firmness"): """
        training first inf 2.75
        training 2026 inf 2.75
        training 2027 inf 1
        training 2028 0.5 4
        service first 2.75 inf
        service 2026 2.75 inf
        service 2027 1 inf
        service 2028 4 0.5
        """,
}
COLUMNS = {"marginal_values": LIMITS, "allowable_changes": ALLOWED, "obligations": OWED, "cashflow": MONEY,
           "deals": DEALS, "firmness": ["pathway", "when", "less_loses_bn_per_gw", "more_loses_bn_per_gw"]}  # fmt: skip
EDITS = {"tiny-terminal": ["contracts[contract=cheap].vendor = acme", "contracts[contract=dear].vendor = other"]}


def written(cell: object) -> str:
    """Return a cell as the tables above have it."""
    if isinstance(cell, float):
        return f"{round(cell, 9) + 0.0:g}"
    return f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else str(cell)


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_tables_are_what_was_worked_out_by_hand(name: str, table: str) -> None:
    """Protects every figure beside its name: sides, signs, units and dates of a plan's tables."""
    plan = gw.solve(gw.load(INSTANCES / name).edited(*EDITS.get(name, ())), allowable=True)
    rows = plan.tables[table][COLUMNS[table]].itertuples(index=False)
    wanted = TABLES[name, table].strip().splitlines()
    assert [" ".join(map(written, row)) for row in rows] == [line.strip() for line in wanted]


def test_nearly_best_plans_are_named_by_what_they_make_extreme() -> None:
    """Protects alternatives: 0.17 of 17 lets 0.085 GW go from training at 6 to ads at 4, no more than locks allow."""
    found = alternatives_of(gw.load(INSTANCES / "tiny-locks"), 0.01)
    assert [tuple(row) for row in found.ranges.round(6).itertuples(index=False)] == [
        ("training", 2026, 0.8, 0.715, 0.8),
        ("training", 2027, 0.7, 0.615, 0.7),
        ("training", 2028, 1.0, 0.915, 1.0),
        ("ads", 2026, 0.2, pytest.approx(0.2 - 0.17 / 4, abs=1e-6), 0.285),
        ("ads", 2027, 0.3, 0.3, 0.385),
        ("ads", 2028, 0.0, 0.0, 0.085),
    ]
    assert (found.best_bn, found.least_bn) == pytest.approx((17.0, 16.83))
    for plan, rows in found.plans.groupby("plan"):
        side, pathway, _, year = ("best", "ads", "in", "2026") if plan == "best" else str(plan).split()
        made = rows[(rows["pathway"] == pathway) & (rows["year"] == int(year))]["gw"].item()
        extreme = found.ranges[(found.ranges["pathway"] == pathway) & (found.ranges["year"] == int(year))]
        assert made == pytest.approx(extreme[f"{side}_gw"].item(), abs=1e-6)


def test_the_worst_the_middle_and_the_weighed() -> None:
    """Protects figures over futures: the tail cuts through an outcome, a quantile is an outcome."""
    worth, chance = np.array([10.0, 0.0, 4.0]), np.array([0.5, 0.4, 0.1])
    assert cvar(worth, chance, 0.4) == 0.0
    assert cvar(worth, chance, 0.8) == pytest.approx((0.4 * 0 + 0.1 * 4 + 0.3 * 10) / 0.8)
    assert [quantile(worth, chance, share) for share in (0.1, 0.4, 0.45, 0.5, 0.51, 1.0)] == [0, 0, 4, 4, 10, 10]
    assert weighed(worth, chance, 0.25, 0.4) == pytest.approx(0.75 * 5.4)
    assert [gained(3.0, 1.0), gained(1.0, 3.0), gained(1.0, 1.0 - 1e-10)] == [2.0, -2.0, 0.0]


RESTS_ON = {
    "value of training": {"value", "pathways", "demand", "eligibility"},
    "value of deals": {"value", "pathways", "demand", "eligibility"},
    "contracts": {"contracts", "deliveries"},
    "operation": {"eligibility"},
    "moving GW": {"pathways"},
    "signing deals": {"pathways"},
    "breaking deals": {"pathways"},
    "cancellation fees": {"cancellations"},
    "idle penalty": {"pools"},
    "shortfall penalty": {"pathways", "demand"},
    "terminal line": {"pools", "contracts"},
}
"""By part of worth: the tables that state what it is reckoned from, those that the instance below has."""


def test_each_part_of_worth_rests_on_the_tables_that_state_it() -> None:
    """Protects who asks how sure a part is: the grades are those of the rows in which its rate and its GW stand."""
    tables = {"contracts", "deliveries", "pools", "pathways", "value", "eligibility", "demand", "cancellations"}
    instance = gw.load(INSTANCES / "tiny-deals").edited(
        "pathways[pathway=deals].breach_cost_bn_per_gw = 0.1",
        "pathways[pathway=deals].notice_days = 180",
        "pathways[pathway=training].migration_cost_bn_per_gw = 0.01",
        "eligibility[pathway=deals].operating_cost_bn_per_gw_year = 0.5",
        "contracts.cost_bn_per_gw_year = 1",
        "contracts.end = 2028-01-01",
        "insert pools[pool=hall, idle_penalty_bn_per_gw_year=1]",
        "insert contracts[contract=unused, pool=hall, end=2028-01-01]",
        "insert deliveries[contract=unused, date=2026-01-01, gw=0.1]",
        "pools.terminal_value_bn_per_gw_year = 3",
        "insert contracts[contract=spare, pool=cloud, cost_bn_per_gw_year=50, end=2028-01-01]",
        "insert deliveries[contract=spare, date=2026-01-01, gw=0.5]",
        "insert cancellations[contract=spare, opens=2026-04-01, closes=2026-04-01, fee_bn_per_gw=0.1]",
        "insert demand[pathway=training, from=2026-07-01, target_gw=1.2]",
        "insert demand[pathway=deals, from=2026-01-01, floor_gw=0.1, cap_gw=0.4]",
        "pathways[pathway=training].shortfall_penalty_bn_per_gw_year = 1",
        *[f"{table}.status = assumption" for table in tables - {"demand", "cancellations"}],
        *[f"{table}.source = {table}" for table in sorted(tables)],
    )
    view = View(gw.solve(instance))
    found = {part: {s for frame in frames for s in frame["source"]} for part, _, frames in _parts(view)}
    assert found == RESTS_ON


BREACHED = ("pathways[pathway=deals].breach_cost_bn_per_gw = 0.1", "pathways[pathway=deals].notice_days = 180")
MOVES = {
    # Net over the first year: what is new is used, and half of a lease is given notice of a quarter later.
    "tiny-locks": ((), "2026-01-01 2027-01-01 move new capacity training 0.8 2026-01-01; move new capacity ads 0.2 "
                   "2026-01-01"),
    "tiny-cancellation": ((), "2026-01-01 2027-01-01 move new capacity training 0.5 2026-01-01; cancel lease - 0.5 "
                          "2026-04-01"),
    # 0.4 GW come back in Q2, 1 GW is signed in Q3 and given notice of in Q4.
    "tiny-deals": ((), "2026-01-01 2027-01-01 move training deals 0.6 2026-07-01; sign deals - 1 2026-07-01; notice "
                   "deals - 1.4 2026-01-01"),
    "tiny-deals ": ((*BREACHED, "calendar.periods = 3"), "2026-01-01 2026-10-01 move training deals 0.6 2026-07-01; "
                    "sign deals - 1 2026-07-01; breach deals - 0.4 2026-01-01"),
    # Training has 1 GW from Q3 on, of which 0.2 are not new.
    "tiny-ramp": ((), "2026-01-01 2027-01-01 move new capacity training 0.8 2026-01-01"),
    "tiny-migration": ((), "2026-01-01 2027-01-01 "),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_first_moves_are_those_of_the_plan_solved_or_kept(name: str) -> None:
    """Protects what is to be done first: who gives, who takes, how much and when; the same from the tables kept."""
    edits, told = MOVES[name]
    base = Session(gw.load(INSTANCES / name.strip()).edited(*edits)).base
    for decisions in (base.decided, as_told(base.plan.tables, base.laid_out.data)):
        (branch,) = first_moves(base.laid_out, decisions)
        moves = (f"{m.decision} {m.source} {m.target or '-'} {round(m.gw, 9):g} {m.since}" for m in branch.moves)
        assert f"{branch.since} {branch.until} {'; '.join(moves)}" == told


def test_outcomes_told_together_begin_one_branch() -> None:
    """Protects the name of a branch: all outcomes that begin it, none of an earlier one, none that cannot be else."""
    instance = gw.load(INSTANCES / "tiny-tree")
    market, progress = instance.factors
    sure = Factor("weather", market.revealed, (Outcome("mild", 1.0),))
    base = Session(replace(instance, factors=(market, replace(progress, revealed=market.revealed), sure))).base
    assert [branch.begins for branch in first_moves(base.laid_out, base.decided)] == [
        "", "market=up, progress=fast", "market=up, progress=slow", "market=down, progress=fast",
        "market=down, progress=slow",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "edits", "lost"),
    [
        # Training has 0.8 of 1.5 GW, ads the rest; then 0.7 and 0.3 of 1.
        ("tiny-locks",
         ("insert contracts[contract=short, pool=cluster, end=2027-01-01]",
          "insert deliveries[contract=short, date=2026-01-01, gw=0.5]", "locks[pathway=training].until = 2026-06-01"),
         [("ads", ENDED, 0.4), ("training", ENDED, 0.1)]),
        # Half of the lease is gone from Q3 on.
        ("tiny-cancellation", (), [("training", ENDED, 0.5)]),
    ],
)  # fmt: skip
def test_what_ends_is_lost_by_whoever_used_it(
    name: str, edits: tuple[str, ...], lost: list[tuple[str, str, float]]
) -> None:
    """Protects a branch on which capacity ends or is cancelled: each pathway loses what it used of it."""
    reveal = dt.date(2027, 1, 1) if edits else dt.date(2026, 7, 1)
    news = Factor("news", reveal, (Outcome("good", 0.5), Outcome("bad", 0.5)))
    base = Session(replace(gw.load(INSTANCES / name).edited(*edits), factors=(news,))).base
    for branch in first_moves(base.laid_out, base.decided)[1:]:
        assert [(m.source, m.target, round(m.gw, 9)) for m in branch.moves if m.decision == "move"] == lost
