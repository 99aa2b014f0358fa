"""Backtests: what is carried and known on a path, what must hold between policies, what is said of chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gwplan as gw
from gwplan.kept.run import keep, read_run
from gwplan.language.edits import edit
from gwplan.session import Session
from gwplan.studies.backtest import paths as drawn
from gwplan.studies.backtest.backtest import study
from gwplan.studies.backtest.policies import policy
from gwplan.studies.backtest.rules import by_rules, rules_of
from gwplan.studies.backtest.score import interval, tables
from gwplan.studies.backtest.walk import Desk, Walk, figures
from gwplan.studies.roll import rolled, state_of
from gwplan.studies.sweep.draws import draw
from gwplan.studies.sweep.engines import InProcess, Processes
from gwplan.studies.sweep.journal import Journal
from gwplan.studies.sweep.sweep import run
from gwplan.tree.calendar import calendar_of
from tests.instance.folders import written

FIRM = {
    "instance.toml": 'schema = 1\nname = "walked"\n[calendar]\nstart = 2026-01-01\nresolution = "month"\nperiods = 9\n'
    "[economics]\ndiscount_rate = 0.1\n",
    "pools.csv": "pool,idle_penalty_bn_per_gw_year,terminal_value_bn_per_gw_year\ncloud,0.1,2\n",
    "contracts.csv": "contract,pool,end,cost_bn_per_gw_year\nown,cloud,,1\nlease,cloud,2028-01-01,3\n"
    "late,cloud,2028-01-01,2\n",
    "deliveries.csv": "contract,date,gw\nown,2026-01-01,1\nlease,2026-01-01,0.6\nlate,2026-04-01,0.4\n",
    "cancellations.csv": "contract,opens,closes,notice_days,fee_bn_per_gw\nlease,2026-03-01,2026-08-01,60,0.2\n",
    "pathways.csv": "pathway,ramp_gw_per_month,notice_days,min_term_days,churn_per_year,signing_cost_bn_per_gw\n"
    "training,0.3,,,,\nshort deals,,60,90,0.2,0.1\n",
    "eligibility.csv": "pathway,pool,initial_gw\ntraining,cloud,0.6\nshort deals,cloud,0.3\n",
    "value.csv": "pathway,from,tier,width_gw,value_bn_per_gw_year\ntraining,2026-01-01,1,0.9,6\n"
    "training,2026-01-01,2,,1.5\nshort deals,2026-01-01,1,0.5,7\nshort deals,2026-04-01,1,0.8,7\n",
    "uncertainty.toml": '[[factor]]\nname = "market"\nrevealed = 2026-04-01\n'
    '[[factor.outcome]]\nname = "up"\nprobability = 0.5\n'
    '[[factor.outcome]]\nname = "down"\nprobability = 0.5\n[[factor.outcome.edit]]\ntable = "value"\n'
    'where = { pathway = "short deals" }\ncolumn = "value_bn_per_gw_year"\nscale = 0.2\nfrom = 2026-04-01\n',
    "whatifs/strike.toml": '[[edit]]\ntable = "deliveries"\nwhere = { contract = "late" }\ncolumn = "date"\n'
    "shift_months = 12\n",
}
"""An instance on which deals, notices, a cancellation and a tree all count."""

OFFERED = {
    **FIRM,
    "contracts.csv": f"{FIRM['contracts.csv']}more,cloud,2028-01-01,1.5\n",
    "deliveries.csv": f"{FIRM['deliveries.csv']}more,2026-06-01,0.3\n",
    "offers.csv": "contract,opens,closes,indivisible\nmore,2026-03-01,2026-04-01,true\n",
}
"""The same with an offer, whole or not at all."""

LATE = "deliveries[contract=late].date +~ discrete(0: 0.5, 2: 0.5)"
VALUE = "value[pathway=training, tier=1].value_bn_per_gw_year *~ uniform(0.6, 1.4) @ 2026-05-01"


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> gw.Instance:
    """Return the instance with an offer."""
    return gw.load(written(tmp_path_factory.mktemp("backtest") / "offered", OFFERED))


@pytest.fixture(scope="module")
def desk(offered: gw.Instance) -> Desk:
    """Return a desk whose reviews are quarterly."""
    return Desk(Session(offered), 3)


@pytest.fixture(scope="module")
def tested(offered: gw.Instance) -> gw.Sweep:
    """Return a backtest of every policy."""
    return gw.backtest(offered, LATE, VALUE, paths=4, slips=["market ~ discrete(0: 0.6, 2: 0.4)"],
                       happens=["strike ~ 0.2"], seed=3)  # fmt: skip


def path_of(desk: Desk, *events: str, slips: int = 0, outcome: str = "down") -> drawn.DrawnPath:
    """Return a path on which edits happen and the market is revealed some months later."""
    edits = [(text, [edit(text)]) for text in events]
    task = drawn._task(desk.instance, edits, {"market": outcome}, {"market": slips}, {})
    return drawn.DrawnPath(desk.instance, task.edits[0], desk.layouts.forked())


def test_the_plans_own_decisions_realise_a_leafs_worth(desk: Desk) -> None:
    """Along a leaf of the tree the re-plan and the first plan come to exactly what the plan says of that leaf."""
    for task, worth in zip(drawn.leaves(desk.instance), desk.first.answer.leaf_worth.tolist(), strict=True):
        for name in ("tree", "first"):
            walk = Walk(desk, drawn.DrawnPath(desk.instance, task.edits[0], desk.layouts.forked()), {})
            assert figures(walk.run(policy(name).decide))["worth_bn"] == pytest.approx(worth, abs=1e-7)


def test_foresight_is_never_beaten(tested: gw.Sweep) -> None:
    """No policy comes to more than the best plan of the path known from the start; each is walked on every path."""
    cases = tested.cases
    assert (cases["status"] == "optimal").all()
    for name in (*usual_names(tested), "foresight"):
        assert (cases[f"worth_bn[{name}]"] <= cases["worth_bn[foresight]"] + 1e-6).all(), name
    best = cases[[f"worth_bn[{name}]" for name in usual_names(tested)]].max(axis=1)
    assert (best < cases["worth_bn[foresight]"] - 1e-3).any()  # not all are handed what happens


def usual_names(tested: gw.Sweep) -> list[str]:
    """Return the policies of a backtest."""
    return [name for name in tested.tables["policies"]["policy"] if name != "foresight"]


def test_state_in_memory_is_that_of_rolling_through_folders(tmp_path: Path) -> None:
    """Re-planned as written every quarter, a path is worth the same whether `roll` carries the state or memory does."""
    tables = {name: text for name, text in OFFERED.items() if name != "uncertainty.toml"}
    known = gw.load(written(tmp_path / "first", tables))
    late = "deliveries[contract=late].date += 3 months"  # seen on 2026-04-01, a review
    poor = 'value[pathway="short deals"].value_bn_per_gw_year *= 0.1 @ 2026-04-01'  # seen then, too
    rich = "value[pathway=training].value_bn_per_gw_year *= 1.5 @ 2026-07-01"  # seen on the next
    rate, worth = known.discount_rate, 0.0
    starts = calendar_of(known).starts().astype(object)
    for number, (count, news) in enumerate([(0, ()), (3, (late, poor)), (6, (rich,))]):
        if news:
            run_ = read_run(tmp_path / f"run {number - 1}")
            following, _ = rolled(known, starts[count], state_of(run_, starts[count], {}), {})
            gw.save(following.edited(*news), tmp_path / f"next {number}")
            known = gw.load(tmp_path / f"next {number}")
        plan = gw.solve(known)
        keep(plan, tmp_path / f"run {number}", command=["gwplan"], options={})
        flows = plan.cashflow[plan.cashflow["period"] < (3 if count < 6 else 99)]
        worth += float(flows["discounted_bn"].sum()) * (1 + rate) ** (-count / 12)
    desk = Desk(Session(gw.load(tmp_path / "first")), 3)
    task = drawn._task(desk.instance, [(text, [edit(text)]) for text in (late, poor, rich)], {}, {}, {})
    walk = Walk(desk, drawn.DrawnPath(desk.instance, task.edits[0], desk.layouts.forked()), {})
    realised = walk.run(policy("written").decide)
    assert realised.decided.cancelled.max() > 0 and realised.decided.release.max() > 0
    assert realised.decided.signed.max() == 1
    assert figures(realised)["worth_bn"] == pytest.approx(worth, abs=1e-7)
    assert walk.adapted == 0


def test_the_tree_is_not_worse_than_as_written_where_it_holds_the_paths(offered: gw.Instance) -> None:
    """Where paths differ from leaves in what no decision hangs on, planning for the tree pays on average."""
    nothing = "contracts[contract=own].cost_bn_per_gw_year *~ uniform(0.9, 1.1)"
    bound = offered.edited('pathways[pathway="short deals"].min_term_days = 270',
                           "value[pathway=training, tier=2].value_bn_per_gw_year = 5")  # fmt: skip
    tested = gw.backtest(bound, nothing, paths=12, policies=["written", "tree"])
    row = tested.tables["pairs"].set_index("policy").loc["written"]
    assert row["low_bn"] > 0


def test_rows_are_the_same_in_processes_and_go_on_from_a_journal(offered: gw.Instance, tmp_path: Path) -> None:
    """To the last bit, whoever walks a path and whatever was walked before it; a broken-off backtest goes on."""
    hazards = drawn.Hazards((draw(LATE), draw(VALUE)))
    asked = study(offered, hazards, 3, 5, policies=["shares", "view-4", "tree"])
    here = run(asked, InProcess())
    assert run(asked, Processes(2)).rows == here.rows
    with Journal(tmp_path / "out", asked) as journal:
        run(asked, InProcess(), journal)
        rows = dict(journal.rows)
    with Journal(tmp_path / "out", asked) as journal:
        assert journal.rows == rows
        assert run(asked, InProcess(), journal).rows == here.rows


def test_a_draw_is_known_from_the_first_period_that_it_changes(desk: Desk) -> None:
    """A late delivery shows when it does not come, a value when it holds; what shows together is known together."""
    late, value = (
        "deliveries[contract=late].date += 2 months",
        "value[pathway=training].value_bn_per_gw_year *= 2 @ 2026-05-01",
    )
    path = path_of(desk, late, value)
    assert path.shows.tolist() == [3, 4]
    assert path.known(3).events == {0} and path.known(3).factors == {"market"}
    both = path_of(desk, "deliveries[contract=late].gw *= 2", "deliveries[contract=late].gw *= 3")
    assert both.shows.tolist() == [3, 3]
    other = path_of(desk, late, "deliveries[contract=late].date += 12 months")
    assert other.shows.tolist() == [3, 3]  # either alone would explain that nothing came


def test_a_reveal_that_slips_comes_later_with_all_that_it_does(desk: Desk) -> None:
    """What was to be revealed in April and is in June changes values from June; till then it is expected at reviews."""
    path = path_of(desk, slips=2)
    assert path.reveals == {"market": 5}
    assert str(path.actual["market"].outcomes[0].edits[0].start) == "2026-06-01"
    open_ = path.believed(3, 3, tree=True).factors[0]
    assert open_.revealed.isoformat() == "2026-07-01" and len(open_.outcomes) == 2
    assert path.believed(3, 3, tree=False).factors == ()
    assert len(path.believed(5, 3, tree=True).factors[0].outcomes) == 1


def test_decisions_stand_between_reviews_as_far_as_the_world_lets_them(desk: Desk) -> None:
    """A delivery that fails to come in April changes what is used from April on, not what was signed in March."""
    late = "deliveries[contract=late].date += 2 months"
    walk, other = Walk(desk, path_of(desk, late, outcome="up"), {}), Walk(desk, path_of(desk, outcome="up"), {})
    yearly = Desk(Session(desk.instance), 12)
    for each in (walk, other):
        each.desk = yearly
        each.run(policy("tree").decide)
    mine, theirs = (each.state.on(each.world) for each in (walk, other))
    assert walk.adapted == 1 and other.adapted == 0  # when it did not come; then it is known when it will
    assert np.allclose(mine["signed"], theirs["signed"]) and np.allclose(mine["cancelled"], theirs["cancelled"])
    short = theirs["allocate"].sum(axis=(0, 1)) - mine["allocate"].sum(axis=(0, 1))
    assert short[:3].max() < 1e-9 and short[3] == pytest.approx(0.4) and abs(short[5]) < 1e-9


def test_along_leaves_a_backtest_is_no_evidence(offered: gw.Instance) -> None:
    """Refused unless it is asked for as a check, and then nothing is said of chance."""
    with pytest.raises(gw.InstanceError, match="only reproduce the plan's worth, RP"):
        gw.backtest(offered)
    checked = gw.backtest(offered, leaves=True, policies=["first", "tree"])
    assert len(checked.cases) == 2 and checked.tables["pairs"]["ties"].tolist() == [2]
    assert len(checked.tables["sentences"]) == 0


def test_what_does_not_fit_is_told_at_once(offered: gw.Instance) -> None:
    """A line each for a draw of what is the same on every path, a policy that does not exist, reviews too short."""
    with pytest.raises(gw.InstanceError) as raised:
        gw.backtest(offered, "risk.aversion ~ uniform(0, 0.5)", LATE, LATE, policies=["views", "view-0"])
    assert [problem.where for problem in raised.value.problems] == [
        "draw deliveries[contract=late].date", "draw risk.aversion", "--policy views", "--policy view-0",
    ]  # fmt: skip
    with pytest.raises(gw.InstanceError) as raised:
        gw.backtest(offered, slips=["markt ~ discrete(0: 1)", "market"], happens=["strike ~ 2", "fire ~ 0.1"])
    assert [str(problem)[:30] for problem in raised.value.problems] == [
        "slip markt ~ discrete(0: 1): n", "slip market: no slip; write FA", "happens strike ~ 2: no probabi",
        "what-if fire: no such what-if ",
    ]  # fmt: skip


CASES = pd.DataFrame({
    "case": [1, 2, 3, 4],
    "worth_bn[first]": [10.0, 9.0, 8.0, np.nan],
    "worth_bn[tree]": [10.0, 10.0, 7.0, 6.0],
    "worth_bn[foresight]": [11.0, 10.0, 9.0, 8.0],
    **{f"{part}_bn[first]": [0.0] * 4 for part in ("allocate", "sign")},
    **{f"{part}_bn[tree]": [1.0] * 4 for part in ("allocate", "sign")},
    **{f"give_back_bn[{name}]": [0.0] * 4 for name in ("first", "tree")},
})  # fmt: skip
"""Four paths of two policies, one of which has no plan on the last."""


def test_policies_are_compared_on_the_same_paths() -> None:
    """Differences are of paths on which both have a plan; a policy without one has lost there."""
    made = tables(CASES, ["first", "tree"])
    first, tree, foresight = made["policies"].to_dict("records")
    assert (first["paths"], first["without_plan"], first["mean_worth_bn"]) == (3, 1, 9.0)
    assert (tree["best_in"], first["best_in"], foresight["mean_regret_bn"]) == (3, 2, 0.0)
    assert tree["mean_regret_bn"] == pytest.approx(1.25)
    (pair,) = made["pairs"].to_dict("records")
    assert (pair["difference_bn"], pair["wins"], pair["losses"], pair["ties"]) == (0.0, 2, 1, 1)
    assert (pair["most_won"], pair["most_lost"]) == (2, 3)
    assert made["decisions"].to_dict("records") == [
        {"policy": "first", "against": "tree", "allocate_bn": 1.0, "give_back_bn": 0.0, "sign_bn": 1.0}
    ]
    chance, simplest = made["sentences"]["sentence"]
    assert chance == "tree is worth 0 $bn more than first on average; 3 paths are too few to tell chance."
    (many, _) = tables(pd.concat([CASES.iloc[:3]] * 8), ["first", "tree"])["sentences"]["sentence"]
    assert "over 24 paths): that could be chance" in many
    assert simplest == "No simpler policy is within 1% of the best on average, tree."


def test_an_interval_covers_a_mean_as_often_as_it_says() -> None:
    """Of means of drawn differences about 95 of 100 lie within; equal differences have an interval of no width."""
    generator = np.random.default_rng(1)
    hits = sum(low <= 0.3 <= high for low, high in (interval(generator.normal(0.3, 1, 40)) for _ in range(60)))
    assert 52 <= hits <= 60
    assert interval(np.full(5, 0.25)) == (0.25, 0.25)
    assert np.isnan(interval(np.array([1.0]))).all()


RULES = {
    "mine.csv": "pathway,pool,contract,share,order,trigger,notice\n"
    "short deals,cloud,,0.3,1,value > 2,false\ntraining,*,,,2,,\n,,more,,,date >= 2026-03-01,\n",
    "mine.toml": '[[rule]]\npathway = "short deals"\npool = "cloud"\nshare = 0.3\ntrigger = "value > 2"\n'
    'notice = false\n[[rule]]\npathway = "training"\norder = 2\n'
    '[[rule]]\ncontract = "more"\ntrigger = "date >= 2026-03-01"\n',
}


def test_rules_give_shares_in_their_order_as_long_as_their_trigger_holds(desk: Desk, tmp_path: Path) -> None:
    """Three tenths to deals while they pay, the rest to training; an offer signed; the same from CSV and TOML."""
    folder = written(tmp_path / "rules", RULES)
    rows = [rules_of(str(folder / name), desk.instance) for name in RULES]
    assert rows[0] == rows[1]
    walk = Walk(desk, path_of(desk, outcome="up"), {})
    walk.run(by_rules(rows[0]))
    mine = walk.state.on(walk.world)
    deals = mine["allocate"][1, 0]
    assert mine["signed"].max() == 1 and mine["cancelled"].max() == 0 and mine["release"][1].max() == 0
    assert deals[4] == pytest.approx(0.3 * 2.0) and deals[8] == pytest.approx(0.3 * 2.3)
    down = Walk(desk, path_of(desk, outcome="down"), {})
    down.run(by_rules([{**row, "notice": True} for row in rows[0]]))
    assert down.state.on(down.world)["release"][1].max() > 0.2  # they pay less than 2 now


def test_each_bad_rule_gets_a_line(desk: Desk, tmp_path: Path) -> None:
    """All bad rules are told at once: names, triggers, what may not be used or decided, cells that break a rule."""
    bad = [
        "train,cloud,,,,,", "training,clouds,,,,,", ",,,,1,,", "training,,more,,,,", ",,own,,,,",
        "training,cloud,,,,price > 2,", "training,cloud,,,,value = 2,", "training,cloud,,,,date > soon,",
        ",,more,,,value > 2,", "training,cloud,,,,idle > x,",
    ]  # fmt: skip
    header = "pathway,pool,contract,share,order,trigger,notice\n"
    cells = {"cells.csv": f"{header}training,,,2,0,,perhaps\n", "keys.toml": "share = 1\n", "no.toml": "[[rule]"}
    folder = written(tmp_path / "bad", {"bad.csv": header + "\n".join(bad), **cells})
    with pytest.raises(gw.InstanceError) as raised:
        rules_of(str(folder / "bad.csv"), desk.instance)
    assert [problem.where for problem in raised.value.problems] == [
        "bad.csv row 2, pathway", "bad.csv row 3, pool", "bad.csv row 4", "bad.csv row 5", "bad.csv row 6, contract",
        *(f"bad.csv row {row}, trigger" for row in range(7, 12)),
    ]  # fmt: skip
    for name, lines in {"cells.csv": 2, "keys.toml": 1, "no.toml": 1}.items():
        with pytest.raises(gw.InstanceError) as raised:
            rules_of(str(folder / name), desk.instance)
        assert len(raised.value.problems) == lines and "\n" not in str(raised.value.problems[0])


def test_a_function_is_a_policy(offered: gw.Instance) -> None:
    """It is shown what is known, decides what it likes, follows a plan, or is told what it may not."""

    def planned(review: gw.Review) -> gw.Answer:
        return review.plan(tree=True)

    def halves(review: gw.Review) -> gw.Decision:
        gw_now = review.supply["cloud"].iloc[0]
        assert review.allocation["gw"].sum() <= gw_now + 1e-9
        assert "more" not in review.open or review.date.month in (3, 4)
        return gw.Decision({("training", "cloud"): gw_now / 2}, {"more": 1.0})

    tested = gw.backtest(offered, LATE, paths=2, policies=[planned, halves, "tree"])
    assert tested.tables["policies"]["policy"].tolist() == ["planned", "halves", "tree", "foresight"]
    cases = tested.cases
    assert np.allclose(cases["worth_bn[planned]"], cases["worth_bn[tree]"])
    assert (cases["worth_bn[halves]"] < cases["worth_bn[tree]"]).all() and (cases["signed_gw[halves]"] > 0).all()
    with pytest.raises(gw.InstanceError, match="lives in this process"):
        gw.backtest(offered, LATE, policies=[planned], jobs=2)

    def wrong(review: gw.Review) -> dict[tuple[str, str], float]:
        return {("training", "clouds"): 1.0}

    assert "no such pool" in gw.backtest(offered, LATE, paths=1, policies=[wrong]).cases["reason"].iloc[0]


def test_a_path_without_any_plan_is_a_row_that_says_so(offered: gw.Instance) -> None:
    """Where nobody, not even foresight, can keep a floor, the row has a status and the reason, and no figures."""
    floor = offered.edited("insert demand[pathway=training, from=2026-01-01]")
    needs = "demand[pathway=training].floor_gw ~ discrete(0: 0.5, 9: 0.5) @ 2026-08-01"
    cases = gw.backtest(floor, needs, paths=2, policies=["first", "tree"]).cases
    assert sorted(cases["status"]) == ["no_plan", "optimal"]
    assert cases.loc[cases["status"] == "no_plan", "worth_bn[tree]"].isna().all()
    assert cases.loc[cases["status"] == "no_plan", "reason"].str.startswith("no plan keeps every limit").all()
