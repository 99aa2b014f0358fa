from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from rich.console import Console

import gwplan as gw
from gwplan.plan.plan import expected_bn
from gwplan.show.page import printed as page_of
from gwplan.show.text.comparison import comparison
from gwplan.studies.compare import Figure
from gwplan.studies.whatif import Part, Stack, attribute, compare, stacks

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

DEARER = "contracts.cost_bn_per_gw_year += 0.1"
POORER = "value[pathway=deals].value_bn_per_gw_year *= 0.5"
SIGNING = "pathways[pathway=deals].signing_cost_bn_per_gw += 0.1"
SHORTER = "pathways[pathway=deals].notice_days = 0"


@pytest.fixture(scope="module")
def session() -> gw.Session:
    """Return a session of a tiny instance."""
    return gw.Session(gw.load(INSTANCES / "tiny-deals"))


def stack(*edits: str) -> Stack:
    """Return a stack of edits."""
    return Stack("case", tuple(Part(text, gw.edit(text)) for text in edits))


def test_figures_of_a_case_are_those_of_its_own_plan(session: gw.Session) -> None:
    """A comparison shows what a solve afresh of each case would, and differences to the base."""
    found = compare(session, [stack(POORER, SIGNING)])
    fresh = gw.solve(session.instance.edited(POORER, SIGNING))
    (case,) = found.cases
    assert case.figures[Figure("objective_bn")] == pytest.approx(fresh.objective_bn)
    assert case.plan is not None
    rows = case.plan.allocation
    years = (rows["gw"] * rows["probability"] / 4).groupby(rows["pathway"]).sum()
    for name, amount in years.items():
        assert case.figures[Figure("gw_years", str(name))] == pytest.approx(amount, abs=1e-9)
    table = found.table()
    row = table[(table["case"] == "case") & (table["figure"] == "objective_bn")].iloc[0]
    assert row["difference"] == pytest.approx(fresh.objective_bn - session.base.objective_bn)


def test_cancelled_gw_count_the_last_notice_once() -> None:
    """What is cancelled by the end is the share standing at the leaves, not the sum over a window's nodes."""
    plan = gw.solve(gw.load(INSTANCES / "tiny-cancellation"))
    rows = plan.cancellations
    found = compare(gw.Session(plan.instance), []).base.figures
    for contract, mine in rows.groupby("contract"):
        assert found[Figure("cancelled_gw", str(contract))] == pytest.approx(float(mine["gw"].iloc[-1]))
    assert max(rows["gw"]) > 0


@pytest.mark.parametrize(
    "edits", [(DEARER, POORER), (DEARER, POORER, SIGNING, SHORTER), (DEARER, POORER, SIGNING, SHORTER, DEARER)]
)
def test_shares_sum_to_the_difference(session: gw.Session, edits: tuple[str, ...]) -> None:
    """Whatever the number of parts, what is attributed is the difference in worth, no more and no less."""
    found = attribute(session, stack(*edits))
    difference = session.solve(*edits).objective_bn - session.base.objective_bn
    assert math.fsum(share for _, share in found.shares) == pytest.approx(difference, abs=1e-9)
    assert found.exact is (len(edits) <= 4)
    assert [name for name, _ in found.shares] == list(edits)


def test_shapley_shares_do_not_depend_on_the_order_of_independent_parts(session: gw.Session) -> None:
    """Exact shares are the same in any order, and two parts that do the same share alike."""
    one = dict(attribute(session, stack(POORER, SIGNING, DEARER)).shares)
    other = dict(attribute(session, stack(DEARER, POORER, SIGNING)).shares)
    assert one == pytest.approx(other, abs=1e-9)
    first, second = attribute(session, stack(DEARER, DEARER)).shares
    assert first[1] == pytest.approx(second[1], abs=1e-9)


def test_a_part_that_has_no_plan_alone_cannot_be_attributed(session: gw.Session) -> None:
    """Where a subset of the parts is infeasible the attribution says which, instead of a number."""
    floor = "insert demand[pathway=training, from=2026-07-01, floor_gw=100]"
    found = attribute(session, stack(floor, "drop demand[pathway=training]"))
    assert not found.shares and floor in found.failure and "no plan" in found.failure


def test_a_case_without_a_plan_keeps_its_place_and_reason(session: gw.Session) -> None:
    """One infeasible what-if costs neither the comparison nor the others."""
    floor = "insert demand[pathway=training, from=2026-07-01, floor_gw=100]"
    found = compare(session, [stack(floor), Stack("fine", stack(SIGNING).parts)])
    assert found.cases[0].failure.startswith("infeasible: these cannot all be kept: training needs at least 100 GW")
    assert found.cases[1].plan is not None


def test_names_stack_and_what_means_nothing_is_told_at_once(tmp_path: Path) -> None:
    """``a+b`` is one case; every unknown name is reported, with the nearest known one."""
    instance = gw.load(INSTANCES / "meta-2026h1")
    (both,) = stacks(instance, ["msl-lags+deliveries-slip"])
    assert [part.name for part in both.parts] == ["msl-lags", "deliveries-slip"]
    assert both.applied(instance).applied == instance.with_whatif("msl-lags").with_whatif("deliveries-slip").applied
    assert len(stacks(instance, [])) == len(instance.whatifs)
    assert [s.name for s in stacks(instance, [], [DEARER, SIGNING])] == ["set"]
    with pytest.raises(gw.InstanceError, match="msl-lags") as error:
        stacks(instance, ["msl-lag", "msl-lags+deliveries-slips"], ["nonsense"])
    assert len(error.value.problems) == 3


def test_with_aversion_the_objective_is_called_so_and_worth_is_expected() -> None:
    """Protects one word for one figure: `worth` is expected in whatif as in solve, whatever is maximised."""
    session = gw.Session(gw.load(INSTANCES / "tiny-risk").edited("risk.aversion = 0.5"))
    found = compare(session, stacks(session.instance, (), ["risk.tail = 0.5"]))
    file = io.StringIO()
    with page_of(Console(file=file, width=80)) as page:
        comparison(page, found)
    lines = file.getvalue().splitlines()
    plan = session.base.plan
    base = next(line for line in lines if line.strip().startswith("base"))
    assert "objective" in lines[1] and "worth" in lines[1] and "worth" not in lines[0].lower()
    assert f"{plan.objective_bn:.2f}" in base and f"{expected_bn(plan.summary):.2f}" in base
    assert plan.objective_bn < expected_bn(plan.summary) - 0.1
