"""Whole cancellations and least blocks: solved, proved as far as they can be, and labelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gwplan as gw
from gwplan.audit.audit import audit
from gwplan.solver import search, solving
from gwplan.solver.compile import compiled
from gwplan.solver.highs import solve as run_solver
from gwplan.solver.program import LinearProgram, Solution, SolveOptions, Status
from gwplan.solver.solving import judged
from gwplan.tree.timeline import timeline
from tests.generate import random_instance
from tests.oracle import solve as second_opinion

DISAGREE = "both implementations say the same"

TABLES = {
    "instance.toml": """schema = 1
name = "blocks"
[calendar]
start = 2026-01-01
resolution = "year"
periods = 2
""",
    "pools.csv": "pool\ncloud\nhall\n",
    "contracts.csv": "contract,pool,cost_bn_per_gw_year\nlease,cloud,4\nown,hall,1\n",
    "deliveries.csv": "contract,date,gw\nlease,2026-01-01,1\nown,2026-01-01,1\n",
    "cancellations.csv": "contract,opens,closes,fee_bn_per_gw,indivisible\nlease,2027-01-01,2027-01-01,0.5,true\n",
    "pathways.csv": "pathway\nads\n",
    "eligibility.csv": "pathway,pool,min_block_gw\nads,cloud,\nads,hall,0.6\n",
    "demand.csv": "pathway,from,cap_gw\nads,2026-01-01,1.4\nads,2027-01-01,0.5\n",
    "value.csv": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,10\n",
}
"""1.4 GW may be used in the first year, 0.5 GW in the second, when the hall's block of 0.6 GW is too large."""


@pytest.fixture
def blocks(tmp_path: Path) -> Path:
    """Return the folder of an instance with a contract that is cancelled whole and a pair with a least block."""
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_whole_cancellations_and_blocks_are_planned_as_worked_out_by_hand(blocks: Path) -> None:
    """Protects the meaning of both options: the lease stays whole, since the hall's block is too big."""
    plan = gw.solve(gw.load(blocks))
    # 2027: to keep the lease earns 0.5 * 10 - 4; to cancel it costs 0.5 and leaves 0.5 GW nowhere to go.
    assert plan.objective_bn == pytest.approx(1.4 * 10 - 4 - 1 + 0.5 * 10 - 4 - 1)
    assert plan.cancellations["share"].tolist() == [0.0]
    used = plan.allocation.pivot_table(index="period", columns="pool", values="gw")
    assert used.loc[1].to_dict() == pytest.approx({"cloud": 0.5, "hall": 0.0})
    split = gw.solve(gw.load(blocks).edited('cancellations.indivisible = ""', 'eligibility.min_block_gw = ""'))
    assert split.objective_bn == pytest.approx(14 - 5 + 5 - 1 - 0.5)


def test_bound_gap_and_the_label_of_marginal_values_are_told(blocks: Path) -> None:
    """Protects the reader: a plan with whole numbers says what bounds it and that marginal values hold them fixed."""
    plan = gw.solve(gw.load(blocks))
    certificate = plan.summary["certificate"]
    assert certificate["bound_bn"] == pytest.approx(plan.objective_bn)
    assert certificate["mip_gap"] <= 1e-6 and certificate["integrality"] <= 1e-9
    assert plan.summary["marginal_values"] == "integers fixed"
    assert set(plan.marginal_values["integers"]) == {"fixed"}
    divisible = gw.solve(gw.load(blocks).edited('cancellations.indivisible = ""', 'eligibility.min_block_gw = ""'))
    assert "bound_bn" not in divisible.summary["certificate"]
    assert divisible.summary["marginal_values"] == "linear"
    assert set(divisible.marginal_values["integers"]) == {""}


def test_marginal_value_of_a_block_in_use_is_not_cut_off_by_the_rule_that_states_it(blocks: Path) -> None:
    """Protects marginal values: a pool's next GW goes to the pathway that uses its block, as it would without one."""
    instance = gw.load(blocks).edited('demand.cap_gw = ""', "cancellations.indivisible = false")
    values = gw.solve(instance).marginal_values
    supply = values[values["constraint"] == "supply"]
    assert supply["bn_per_gw_year"].tolist() == pytest.approx([10.0] * 4)


@pytest.mark.parametrize("seed", range(25))
def test_random_instances_with_integers_have_the_oracles_worth(seed: int, tmp_path: Path) -> None:
    """Protects every answer with integers: status, objective and NPV agree with a second implementation."""
    folder = random_instance(seed, tmp_path / "instance", integers=True)
    expected = second_opinion(folder)
    try:
        answer: gw.Plan | gw.InfeasibleError = gw.solve(gw.load(folder))
    except gw.InfeasibleError as error:
        answer = error
    assert answer.status == expected.status, DISAGREE
    if not isinstance(answer, gw.InfeasibleError):
        assert answer.objective_bn == pytest.approx(expected.objective_bn, rel=1e-6, abs=1e-6), DISAGREE


def test_audit_finds_a_split_contract_a_block_too_small_and_a_bound_that_is_passed(blocks: Path) -> None:
    """Protects against an answer that only looks whole: the audit reads shares and blocks from the tables."""
    instance = gw.load(blocks)
    plan = gw.solve(instance)

    def found(table: str, column: str, row: int, value: float) -> str:
        frame = plan.tables[table].copy()
        frame.loc[row, column] = value
        changed: dict[str, pd.DataFrame] = {**plan.tables, table: frame}
        return "\n".join(map(str, audit(instance, changed, plan.summary)))

    assert audit(instance, plan.tables, plan.summary) == []
    assert "share cancelled, whole or not at all, of lease" in found("cancellations", "share", 0, 0.5)
    hall = plan.allocation.index[(plan.allocation["pool"] == "hall") & (plan.allocation["period"] == 1)][0]
    assert "block of ads on hall" in found("allocation", "gw", int(hall), 0.3)
    summary = {**plan.summary, "certificate": {**plan.summary["certificate"], "bound_bn": plan.objective_bn - 1}}
    wrong = "\n".join(map(str, audit(instance, plan.tables, summary)))
    assert "against the bound" in wrong and "mip_gap" in wrong


def test_a_search_that_is_stopped_keeps_its_plan_and_says_how_far_it_may_be_from_the_best(tmp_path: Path) -> None:
    """Protects a stopped search: its plan keeps every limit, its bound holds for the best plan, and it is labelled."""
    folder = random_instance(5005, tmp_path / "instance", size="medium", integers=True)
    instance = gw.load(folder)
    best = gw.solve(instance)
    stopped = gw.solve(instance, SolveOptions(solver={"mip_max_improving_sols": 1}), accept_stopped=True)
    certificate = stopped.summary["certificate"]
    assert stopped.status == "search_limit" and not certificate["optimal"]
    assert stopped.objective_bn < best.objective_bn <= certificate["bound_bn"] + 1e-6
    gap = (certificate["bound_bn"] - stopped.objective_bn) / (1 + abs(stopped.objective_bn))
    assert certificate["mip_gap"] == pytest.approx(gap) and gap > 1e-4
    assert set(stopped.marginal_values["integers"]) == {"fixed"}


def test_the_solvers_own_search_takes_what_is_asked_for(blocks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects whoever sets the solver's options: they are meant for its own search, which least blocks have anyway."""
    given: list[dict[str, object]] = []

    def solver(program: LinearProgram, options: SolveOptions, basis: object = None) -> Solution:
        given.append({**options.solver})
        return run_solver(program, options)

    monkeypatch.setattr(solving, "run_solver", solver)
    asked = {"mip_allow_restart": True, "mip_rel_gap": 1e-3}
    whole = gw.load(blocks).edited('eligibility.min_block_gw = ""')
    for instance, options in ((whole, {}), (whole, asked), (gw.load(blocks), {})):
        judged(compiled(timeline(instance).data), SolveOptions(solver=options))
    assert given == [{}, {**solving.SEARCH, **asked}, asked, solving.SEARCH, {}]


def test_the_search_finds_what_the_solvers_does_and_stops_where_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the search: its optimum is HiGHS' own; with little effort it is within the gap that it tells, with none
    HiGHS searches; and stopped at once it says so and what bounds it.
    """  # noqa: D205
    instance = gw.load(random_instance(322, tmp_path / "instance", integers=True, commitments=True))
    program = compiled(timeline(instance.edited('eligibility.min_block_gw = ""')).data)
    best = run_solver(program, SolveOptions(solver={"mip_rel_gap": 0.0}))
    least = float(program.cost @ best.columns) + program.offset
    ours, proof = judged(program, SolveOptions())
    assert ours.message.endswith("steps") and int(ours.message.split()[0]) > 50
    assert proof is not None and proof.optimal and proof.objective == pytest.approx(least, rel=1e-6, abs=1e-6)
    assert ours.bound is not None and ours.bound <= proof.objective + 1e-9
    monkeypatch.setattr(search, "EFFORT", 9 * len(program.cost))
    soon, loose = judged(program, SolveOptions())
    assert loose is not None and loose.optimal and loose.bound is not None and loose.mip_gap is not None
    assert loose.bound <= least + 1e-9 and loose.mip_gap <= 1e-3
    assert int(soon.message.split()[0]) <= int(ours.message.split()[0])
    monkeypatch.setattr(search, "EFFORT", 0)
    theirs, exact = judged(program, SolveOptions())
    assert theirs.message == "Optimal" and exact is not None and exact.objective == pytest.approx(least, rel=1e-6)
    monkeypatch.undo()
    stopped, _ = judged(program, SolveOptions(time_limit=0))
    assert stopped.status is Status.TIME_LIMIT and (stopped.bound is None or stopped.bound <= least)


def test_whole_numbers_that_are_none_prove_nothing(blocks: Path) -> None:
    """Protects the certificate: a fraction of a contract, or a bound on the wrong side, is not called optimal."""
    program = compiled(timeline(gw.load(blocks)).data)
    solution, certificate = judged(program, SolveOptions())
    assert solution.status is Status.OPTIMAL and certificate is not None and certificate.optimal
    assert not replace(certificate, integrality=0.3).optimal
    assert not replace(certificate, integrality=0.3).feasible
    assert not replace(certificate, bound=certificate.objective + 0.1).optimal
    assert np.array_equal(solution.columns[program.whole], np.round(solution.columns[program.whole]))


def test_a_session_answers_cases_with_and_without_whole_numbers_as_a_solve_afresh_does(blocks: Path) -> None:
    """Protects what-ifs: a case that gains or loses whole numbers is searched anew, not taken from the base's basis."""
    instance = gw.load(blocks)
    edits = ('cancellations.indivisible = ""', 'eligibility.min_block_gw = ""')
    cases = ((), edits[:1], edits, ("value.value_bn_per_gw_year *= 0.3",))
    for base in (instance, instance.edited(*edits)):
        session = gw.Session(base)
        for case in cases:
            answer, afresh = session.solve(*case), gw.solve(base.edited(*case) if case else base)
            assert answer.objective_bn == pytest.approx(afresh.objective_bn)
            assert answer.plan.summary["marginal_values"] == afresh.summary["marginal_values"]
