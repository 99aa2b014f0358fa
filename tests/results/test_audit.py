"""The audit: a sound plan passes, and nothing that a plan says can be changed without its noticing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gwplan.audit.audit import Finding, audit
from gwplan.audit.limits import COLUMNS
from gwplan.errors import InfeasibleError
from gwplan.instance.instance import Instance
from gwplan.plan.plan import Plan
from gwplan.planning import solve
from gwplan.storage.read import load
from tests.generate import random_instance
from tests.results import hand

Tables = dict[str, pd.DataFrame]
SEEDS = (1, 2, 5, 8, 13, 21, 34, 55)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """Return the instance worked out by hand."""
    return load(hand.folder(tmp_path_factory.mktemp("hand")))


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> list[Plan]:
    """Return the plans of some random instances."""
    folder = tmp_path_factory.mktemp("random")
    found = []
    for seed in SEEDS:
        try:
            found.append(solve(load(random_instance(seed, folder / str(seed)))))
        except InfeasibleError:
            continue
    assert len(found) > len(SEEDS) / 2
    return found


def richest(plans: list[Plan]) -> list[Plan]:
    """Return three plans in which no table is empty."""
    full = [plan for plan in plans if all(len(plan.tables[name]) for name in COLUMNS)]
    return full[:3]


def figures(findings: list[Finding]) -> str:
    """Return what was found, one finding a line."""
    return "\n".join(map(str, findings))


def changed(table: pd.DataFrame, row: int, column: str) -> pd.DataFrame:
    """Return a table with one cell changed: a number by a thousandth, an integer by one, a date by a day."""
    cells = table[column].tolist()
    old = cells[row]
    if isinstance(old, str):
        others = [cell for cell in dict.fromkeys(cells) if cell != old]
        cells[row] = others[0] if others else f"not {old}"
    elif isinstance(old, pd.Timestamp):
        cells[row] = old + pd.Timedelta(days=1)
    else:
        cells[row] = old + 1 if isinstance(old, int) else old + 1e-3 * (1 + abs(old))
    return table.assign(**{column: pd.Series(cells, index=table.index, dtype=table[column].dtype)})


def test_plan_worked_out_by_hand_is_sound(instance: Instance) -> None:
    """The audit's definitions are those of the formulation, as worked out on paper for a tiny tree."""
    assert figures(audit(instance, hand.tables(), hand.summary())) == ""


@pytest.mark.parametrize("name", [*COLUMNS, "nodes"])
def test_every_cell_is_audited(instance: Instance, name: str) -> None:
    """No cell of any table can be wrong without a finding."""
    sound, summary = hand.tables(), hand.summary()
    for column in sound[name].columns:
        # Of the long table every third row says enough about the columns that only name its node.
        step = 3 if name == "cashflow" and column not in ("bn", "discounted_bn") else 1
        for row in range(0, len(sound[name]), step):
            wrong = {**sound, name: changed(sound[name], row, column)}
            assert audit(instance, wrong, summary), f"{name} row {row}, {column}"


def leaves(summary: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the path to every number of a summary."""
    for key, value in summary.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        elif not isinstance(value, str | bool):
            yield (*path, key)


def with_leaf(summary: dict[str, Any], path: tuple[str, ...], by: float) -> dict[str, Any]:
    """Return a summary with one number raised."""
    first, *rest = path
    value = with_leaf(summary[first], tuple(rest), by) if rest else summary[first] + by
    return {**summary, first: value}


def test_every_figure_of_the_summary_is_audited(instance: Instance) -> None:
    """No figure of the summary can be wrong, or left out, without a finding that names it."""
    sound, tables = hand.summary(), hand.tables()
    audited = [path for path in leaves(sound) if path != ("certificate", "gap")]
    assert len(audited) == 22
    for path in audited:
        found = audit(instance, tables, with_leaf(sound, path, 1e-3))
        assert [finding for finding in found if path[-1] in finding.figure], path
    for name in ("objective_bn", "components_bn", "idle_cost_bn", "nodes"):
        without = {key: value for key, value in sound.items() if key != name}
        assert f"summary {name}" in figures(audit(instance, tables, without))


EDITS = {
    "demand[pathway=train].floor_gw = 1.7": "floor: effective GW of train at node 0",
    "demand[pathway=train].cap_gw = 1.7": "cap: GW of train at node 2",
    "pathways[pathway=train].ramp_gw_per_month = 0.05": "ramp: GW more of train at node 0",
    "pathways[pathway=deals].ramp_gw_per_month = 0.06": "ramp: GW more of deals at node 1",
    "pathways[pathway=deals].min_term_days = 730": "deals within their term: GW in force of deals at node 2",
    "pathways[pathway=deals].notice_days = 366": "notice that ends after the horizon, GW, of deals at node 0",
    "pathways[pathway=deals].notice_days = 0": "rows of deals for deals at node 0",
    "pathways[pathway=deals].churn_per_year = 0.2": "lost GW of deals at node 1",
    "insert churn[pathway=deals, date=2027-12-31, fraction=0.1]": "deals in force after",
    "insert locks[pathway=train, from=2028-01-01, min_gw=1.7]": "lock: GW of train at node 1",
    "insert locks[pathway=train, pool=gpu, from=2027-06-01, max_gw=1.7]": "lock: GW of train on gpu at node 2",
    "insert locks[pathway=train, from=2027-01-01, until=2028-01-01, max_gw=1.1]": "lock: GW of train at node 0",
    "drop eligibility[pathway=deals]": "rows of allocation for deals, gpu at node 0",
    "eligibility[pathway=train].effectiveness = 1.1": "value train",
    "eligibility[pathway=train].initial_gw = 0.6": "migration_cost train at node 0",
    "eligibility[pathway=deals].initial_gw = 0.6": "lost GW of deals at node 0",
    "eligibility[pathway=deals].operating_cost_bn_per_gw_year = 0.06": "operating_cost deals at node 1",
    "cancellations[contract=lease].max_share = 0.1": "share cancelled of lease at node 0",
    "cancellations[contract=lease].opens = 2027-01-02": "rows of cancellations for lease at node 0",
    "cancellations[contract=lease].closes = 2028-01-01": "rows of cancellations for lease at node 2",
    "cancellations[contract=lease].notice_days = 366": "effective date of lease at node 0",
    "cancellations[contract=lease].fee_bn_per_gw = 0.4": "fee, $bn, of lease at node 0",
    "contracts[contract=lease].cost_bn_per_gw_year = 1.1": "contract_cost lease at node 0",
    "contracts[contract=lease].end = 2030-01-02": "terminal lease at node 1",
    "contracts[contract=lease].end = 2028-01-01": "node 1 (2028-01-01, market=tight): found 3, expected 0",
    "contracts[contract=lease].vendor = Bolt": "vendor of lease",
    "contracts[contract=lease].delay_months = 7": "delivered GW of gpu at node 0",
    "deliveries[contract=lease].gw *= 1.1": "balance of gpu at node 0",
    "deliveries[date=2027-01-02].date = 2027-01-01": "delivered GW of gpu at node 0",
    "pools[pool=gpu].idle_penalty_bn_per_gw_year = 0.2": "idle_penalty gpu at node 2",
    "pools[pool=gpu].terminal_value_bn_per_gw_year = 2.1": "terminal lease at node 2",
    'pools[pool=gpu].terminal_value_bn_per_gw_year = ""': "market=glut): found 2.4, expected 0",
    "pathways[pathway=train].realisation = 0.9": "value train at node 0",
    "pathways[pathway=train].shortfall_penalty_bn_per_gw_year = 4": "shortfall_penalty train at node 0",
    "pathways[pathway=train].migration_cost_bn_per_gw = 0.3": "migration_cost train at node 0",
    "pathways[pathway=deals].signing_cost_bn_per_gw = 0.2": "signing_cost deals at node 1",
    "demand[pathway=train].target_gw = 1.65": "shortfall_penalty train at node 1",
    "value[pathway=train, tier=1].width_gw = 1.1": "value train at node 0",
    "value[pathway=train, tier=2].value_bn_per_gw_year = 2.1": "value train at node 0",
    "value[pathway=deals].value_bn_per_gw_year = 4 @ 2028-01-01": "value deals at node 1",
    "insert curves[pathway=train, from=2028-01-01, kind=log2, base_gw=1, base_value_bn_per_year=10, "
    "uplift_per_doubling=1, max_gw=1, segments=1]": "value train at node 1",
    "economics.discount_rate = 0.2": "discounted_bn of value train at node 0",
    "risk.aversion = 0.5": "summary objective_bn",
    "uncertainty[factor=market, outcome=glut].probability = 0.41": "probability of node 2",
    "calendar.start = 2027-02-01": "start of node 0",
}  # fmt: skip


@pytest.mark.parametrize(("edit", "figure"), EDITS.items())
def test_every_input_counts(instance: Instance, edit: str, figure: str) -> None:
    """A plan made for other data than the instance's is found out, whichever cell it is that differs."""
    assert figure in figures(audit(instance.edited(edit), hand.tables(), hand.summary()))


def test_limits_that_hold_exactly(instance: Instance) -> None:
    """A plan that reaches a limit without passing it is sound."""
    limits = (
        "demand[pathway=train].floor_gw = 1.2",
        "demand[pathway=train].cap_gw = 1.8",
        "cancellations[contract=lease].max_share = 0.2",
        "insert locks[pathway=train, pool=gpu, from=2028-01-01, min_gw=1.6, max_gw=1.8]",
        "insert locks[pathway=deals, from=2027-01-01, until=2028-01-01, min_gw=0.5, max_gw=0.5]",
    )
    assert figures(audit(instance.edited(*limits), hand.tables(), hand.summary())) == ""


def with_cells(name: str, row: int, **cells: Any) -> Tables:
    """Return the tables of the plan with some cells of a row replaced."""
    made = hand.tables()
    for column, value in cells.items():
        made[name].loc[row, column] = value
    return made


def test_capacity_that_is_not_there(instance: Instance) -> None:
    """No pathway uses less than nothing, and negative idle GW do not make up for using what no one delivers."""
    found = figures(audit(instance, with_cells("allocation", 4, gw=-0.1), hand.summary()))
    assert "of deals on gpu at node 2 (2028-01-01, market=glut), GW: found -0.1, expected at least 0" in found
    tables = with_cells("allocation", 5, gw=2.4)
    tables["supply"].loc[2, ["used_gw", "idle_gw"]] = [2.475, -0.075]
    found = figures(audit(instance, tables, hand.summary()))
    assert "idle GW of gpu at node 2 (2028-01-01, market=glut): found -0.075, expected at least 0" in found
    assert "balance" not in found


def test_deals_taken_back_without_notice(instance: Instance) -> None:
    """GW are breached only where a breach has a price, and then it is paid."""
    tables = with_cells("deals", 1, signed_gw=0.825, breached_gw=0.1)
    assert "no breach is possible" in figures(audit(instance, tables, hand.summary()))
    priced = audit(instance.edited("pathways[pathway=deals].breach_cost_bn_per_gw = 1"), tables, hand.summary())
    assert "no breach is possible" not in figures(priced)
    assert "bn of breach_cost deals at node 1 (2028-01-01, market=tight): found 0, expected -0.1" in figures(priced)


def test_notice_on_the_last_node_comes_to_nothing(instance: Instance) -> None:
    """Notice that would end after the horizon is none."""
    tables = with_cells("deals", 2, notice_given_gw=0.05)
    assert "notice that ends after the horizon" in figures(audit(instance, tables, hand.summary()))


def test_shares_cancelled_never_fall(tmp_path: Path) -> None:
    """Notice once given is not taken back."""
    open_longer = hand.FILES["cancellations.csv"].replace("2027-12-31", "2028-12-31")
    longer = load(hand.folder(tmp_path, cancellations=open_longer))
    tables = hand.tables()
    kept = tables["cancellations"].iloc[[0, 0, 0]].reset_index(drop=True)
    kept[hand.NODES.columns] = hand.NODES
    tables["cancellations"] = kept.assign(share=[0.2, 0.2, 0.1])
    found = figures(audit(longer, tables, hand.summary()))
    assert "increase of the share cancelled of lease at node 2 (2028-01-01, market=glut): found -0.1" in found
    assert "increase of the share cancelled of lease at node 1" not in found


@pytest.mark.parametrize("column", ["gw", "discounted_bn"])
def test_figures_that_are_not_finite(instance: Instance, column: str) -> None:
    """A nan or an infinity never counts as agreement."""
    name = "allocation" if column == "gw" else "cashflow"
    for value in (np.nan, np.inf, -np.inf):
        assert audit(instance, with_cells(name, 0, **{column: value}), hand.summary())


@pytest.mark.parametrize("name", [*COLUMNS, "nodes"])
def test_rows_missing_repeated_or_unknown(instance: Instance, name: str) -> None:
    """Every row is there once, and nothing else is."""
    sound, summary = hand.tables(), hand.summary()
    table = sound[name]
    twice = pd.concat([table, table.iloc[[0]]], ignore_index=True)
    for wrong in (table.iloc[1:], twice, table.iloc[:0]):
        assert audit(instance, {**sound, name: wrong.reset_index(drop=True)}, summary), len(wrong)
    for column in ("pathway", "pool", "contract", "component", "name"):
        if column in table.columns:
            unknown = table.astype({column: object})
            unknown.loc[0, column] = "nobody"
            assert "nobody" in figures(audit(instance, {**sound, name: unknown}, summary))


def test_rows_of_cashflow_without_money_may_be_absent_or_present(instance: Instance) -> None:
    """An amount of 0 needs no row, and one that has a row is sound."""
    tables = hand.tables()
    zero = tables["cashflow"].iloc[[0]].assign(component="breach_cost", name="deals", bn=0.0, discounted_bn=0.0)
    tables["cashflow"] = pd.concat([tables["cashflow"], zero], ignore_index=True)
    assert figures(audit(instance, tables, hand.summary())) == ""


def test_missing_tables_and_columns_are_told(instance: Instance) -> None:
    """A plan that lacks a table or a column is no sound plan."""
    tables = hand.tables()
    del tables["deals"]
    tables["supply"] = tables["supply"].drop(columns="idle_gw")
    found = audit(instance, tables, hand.summary())
    assert [finding.figure for finding in found] == ["table supply, column idle_gw", "table deals"]


@pytest.mark.parametrize(("tail", "share"), [(0.5, 0.4 / 0.5), (0.3, 1.0), (1.0, 0.4)])
def test_objective_with_aversion(instance: Instance, tail: float, share: float) -> None:
    """With aversion the objective weighs the mean of the worst share of the scenarios, cut at the border."""
    averse = instance.edited("risk.aversion = 0.25", f"risk.tail = {tail}")
    worst = share * hand.WORTH["glut"] + (1 - share) * hand.WORTH["tight"]
    summary = hand.summary()
    objective = 0.75 * summary["objective_bn"] + 0.25 * worst
    summary |= {"objective_bn": objective, "certificate": {"recomputed_objective_bn": objective}}
    assert figures(audit(averse, hand.tables(), summary)) == ""


def test_outcome_that_changes_the_past_is_found(tmp_path: Path) -> None:
    """Data on which the scenarios through a node disagree are nobody's; a plan made for one of them is not sound."""
    early = hand.FILES["uncertainty.toml"].replace("from = 2028-01-01", "from = 2026-06-01")
    found = figures(audit(load(hand.folder(tmp_path, uncertainty=early)), hand.tables(), hand.summary()))
    assert "value at node 0 (2027-01-01): found different among its scenarios" in found
    cheaper = hand.FILES["uncertainty.toml"] + (
        '[[factor.outcome.edit]]\ntable = "contracts"\nwhere = { contract = "lease" }\n'
        'column = "cost_bn_per_gw_year"\nset = 0.9\n'
    )
    found = figures(audit(load(hand.folder(tmp_path, uncertainty=cheaper)), hand.tables(), hand.summary()))
    assert "contract prices at node 0 (2027-01-01): found different among its scenarios" in found


def test_contract_in_two_pools_and_deliveries_after_the_horizon(tmp_path: Path) -> None:
    """An outcome may move a contract to another pool, and another add deliveries that only obligations count."""
    text = """
[[factor]]
name = "place"
revealed = 2027-01-01
[[factor.outcome]]
name = "here"
probability = 0.5
[[factor.outcome]]
name = "there"
probability = 0.5
edit = [{ table = "contracts", where = { contract = "lease" }, column = "pool", set = "tpu" }]
[[factor]]
name = "later"
revealed = 2028-06-01
[[factor.outcome]]
name = "more"
probability = 0.25
edit = [{ table = "deliveries", insert = { contract = "lease", date = 2029-01-01, gw = 2 } }]
[[factor.outcome]]
name = "same"
probability = 0.75
"""
    pools = hand.FILES["pools.csv"] + "tpu,0.2,1\n"
    pairs = hand.FILES["eligibility.csv"].replace("0.4", "") + "train,tpu,,\n"
    plan = solve(load(hand.folder(tmp_path, uncertainty=text, pools=pools, eligibility=pairs)))
    assert figures(audit(plan.instance, plan.tables, plan.summary)) == ""
    assert set(plan.obligations["contract"]) == {"lease@gpu", "lease@tpu"}
    beyond = plan.obligations[plan.obligations["year"] == 2029]
    assert beyond["as_signed_bn"].to_numpy() == pytest.approx([0.5 * (3 + 0.25 * 2)] * 2)


def test_what_is_cancelled_late_is_owed_to_the_end_of_its_notice(tmp_path: Path) -> None:
    """Protects obligations beyond the horizon: a notice may end after it, and until then all is owed.

    3 GW at 1 $bn are leased to the end of 2030, the plan ends with 2028. Notice on 2028-01-01 for half of them saves
    2029 and 2030; two years' notice saves 2030 alone.
    """
    late = hand.FILES["cancellations.csv"].replace("2027-01-01,2027-12-31,365,0.3", "2028-01-01,2028-12-31,{},0")
    lease = hand.FILES["contracts.csv"].replace("2030-01-01", "2031-01-01")
    pools = hand.FILES["pools.csv"].replace(",2\n", ",0\n")
    owed = {}
    for notice in (365, 730):
        folder = hand.folder(
            tmp_path / str(notice), cancellations=late.format(notice), contracts=lease, pools=pools, uncertainty=""
        )
        plan = solve(load(folder))
        assert figures(audit(plan.instance, plan.tables, plan.summary)) == ""
        assert plan.cancellations["share"].tolist() == pytest.approx([0.5])
        owed[notice] = plan.obligations["after_cancellation_bn"].tolist()
    assert owed == {365: pytest.approx([2, 3, 1.5, 1.5]), 730: pytest.approx([2, 3, 3, 1.5])}


def test_plans_of_random_instances_are_sound(plans: list[Plan]) -> None:
    """The audit and the model, written apart, agree on everything that the format can say."""
    for plan in plans:
        assert figures(audit(plan.instance, plan.tables, plan.summary)) == "", plan.instance.name


@pytest.mark.parametrize("name", COLUMNS)
def test_random_changes_of_random_plans_are_found(plans: list[Plan], name: str) -> None:
    """One changed number, date or text anywhere in a plan is found, whatever the instance."""
    rng = np.random.default_rng(20261124)
    tried = 0
    for plan in richest(plans):
        tables, table = dict(plan.tables), plan.tables[name]
        if name == "cancellations":  # a share of a contract that delivers nothing decides nothing
            table = table[table["contract"].isin(plan.instance.tables["deliveries"]["contract"])]
            tables[name] = table
        for column in table.columns if len(table) else ():
            wrong = {**tables, name: changed(table, int(rng.integers(len(table))), column)}
            assert audit(plan.instance, wrong, plan.summary), f"{plan.instance.name}: {name}, {column}"
            tried += 1
    assert tried == 3 * len(COLUMNS[name])


def test_changed_summaries_of_random_plans_are_found(plans: list[Plan]) -> None:
    """One changed figure of a summary is found, whatever the instance."""
    for plan in richest(plans)[:1]:
        summary = dict(plan.summary)
        for path in leaves(summary):
            if path[0] == "certificate" and path[1] != "recomputed_objective_bn":
                continue
            assert audit(plan.instance, plan.tables, with_leaf(summary, path, 0.1)), path
