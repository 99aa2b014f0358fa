"""First moves: branches of the tree and what is decided on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.plan.first_moves import ENDED, IDLE, NEW, Branch, first_moves
from gwplan.session import Session
from tests.instance.folders import plain
from tests.whatif.cases import INSTANCES, PUBLISHED, random_case


def branches(instance: gw.Instance) -> tuple[Session, tuple[Branch, ...]]:
    """Return a session of an instance and the branches of its plan."""
    session = Session(instance)
    return session, first_moves(session.base.laid_out, session.base.decided)


def test_branches_of_the_air_conditioners() -> None:
    """Protects the reading of the tree: what is made in each month of a published plan, branch by branch."""
    _, found = branches(gw.load(PUBLISHED / "air-conditioners"))
    assert [(branch.parent, branch.begins, branch.since) for branch in found] == [
        (-1, "", "2026-01-01"),
        (0, "february=low", "2026-02-01"),
        (1, "march=low", "2026-03-01"),
        (1, "march=high", "2026-03-01"),
        (0, "february=high", "2026-02-01"),
        (4, "march=low", "2026-03-01"),
        (4, "march=high", "2026-03-01"),
    ]
    made = [{m.source: round(m.gw, 6) for m in branch.moves if m.decision == "sign"} for branch in found]
    assert made == [{"regular": 2}, {"regular": 1}, {}, {"regular": 2}, {"regular": 2}, {"regular": 1},
                    {"regular": 2, "overtime": 1}]  # fmt: skip
    moved = [(m.source, m.target, round(m.gw, 6)) for m in found[4].moves if m.decision == "move"]
    assert moved == [("unmade", "regular", 2.0)]


@pytest.mark.parametrize("seed", [4, 12, 33])
def test_moves_of_a_branch_add_up_to_what_each_pathway_gains(seed: int, tmp_path: Path) -> None:
    """Protects the moves: what a pathway receives less what it gives is how its use changes over the dates shown."""
    session, found = branches(random_case(seed, tmp_path))
    laid_out, plan = session.base.laid_out, session.base.decided
    data, tree = laid_out.data, laid_out.data.tree
    starts = [str(day) for day in laid_out.calendar.starts(tree.periods + 1)]
    for branch in found:
        nodes = [n for n, known in enumerate(laid_out.known) if starts[tree.period[n]] == branch.since]
        first = next(n for n in nodes if laid_out.known[n] == branch.known)
        last = first
        while starts[tree.period[last] + 1] != branch.until:
            last = int(np.flatnonzero(tree.parent == last)[0])
        before = plan.use[:, tree.parent[first]] if tree.parent[first] >= 0 else data.initial[:, :, 0].sum(axis=1)
        gains = dict.fromkeys([*data.pathways, NEW, IDLE, ENDED], 0.0)
        for move in branch.moves:
            if move.decision == "move":
                gains[move.source] -= move.gw
                gains[move.target] += move.gw
        assert [gains[p] for p in data.pathways] == pytest.approx((plan.use[:, last] - before).tolist(), abs=1e-4)


def test_notice_on_contracts_is_told_once(tmp_path: Path) -> None:
    """Protects against counting a cancellation again on every node: a branch tells what it adds, in GW contracted."""
    session, found = branches(gw.load(INSTANCES / "tiny-cancellation"))
    told = [(m.source, m.gw, m.since) for m in found[0].moves if m.decision == "cancel"]
    table = session.base.plan.cancellations
    ((name, gw_cancelled, since),) = told
    assert name == "lease"
    assert gw_cancelled == pytest.approx(table["gw"].max())
    assert since == str(table.loc[table["share"] > 0, "start"].min().date())


def test_a_change_of_pool_is_no_move_and_a_move_begins_with_its_target(tmp_path: Path) -> None:
    """Protects the totals: a pathway that only leaves one pool for another gives nothing, and none starts too early."""
    tables = {
        "pools": "pool\nold\nnew\n",
        "contracts": "contract,pool\na,old\nb,new\n",
        "deliveries": "contract,date,gw\na,2026-01-01,1\nb,2026-04-01,1\n",
        "pathways": "pathway\nmeta\noai\nrun\n",
        "eligibility": "pathway,pool,initial_gw\nmeta,old,0.6\nmeta,new,\noai,old,\nrun,old,0.4\n",
        "value": "pathway,from,tier,width_gw,value_bn_per_gw_year\nmeta,2026-01-01,1,0.6,8\nrun,2026-01-01,1,0.4,2\n"
        "oai,2026-07-01,1,1,9\n",
        "demand": "pathway,from,cap_gw\nmeta,2026-01-01,0.6\n",
    }
    _, (branch,) = branches(plain(tmp_path, "quarter 4", **tables))
    assert [(m.source, m.target, round(m.gw, 6), m.since) for m in branch.moves] == [
        (NEW, "oai", 0.6, "2026-07-01"),
        ("run", "oai", 0.4, "2026-07-01"),
        (NEW, IDLE, 0.4, "2026-04-01"),
    ]
