"""The printed plan: the plan's own numbers, in 80 columns, readable by one who knows neither code nor instance."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

import gwplan as gw
from gwplan.kept.run import Run
from gwplan.plan.plan import Plan
from gwplan.show.page import percent
from gwplan.show.text.decisions import notices
from gwplan.show.text.plan import print_plan
from gwplan.show.view import View
from tests.export.printouts import PARTS, floats, part, printed, row, yearly
from tests.instance.folders import plain


@pytest.fixture(scope="module")
def reference(reference_run: Run) -> Plan:
    """Return the plan of the reference instance."""
    return reference_run.plan


@pytest.fixture(scope="module")
def page(reference: Plan) -> str:
    """Return its printout."""
    return printed(reference)


def test_the_reference_plan_fits_80_columns_and_little_more_than_four_screens(page: str) -> None:
    """Protects the layout: nothing wraps on an ordinary terminal and no list runs away."""
    lines = page.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert len(lines) <= 121
    assert not any(line.endswith(" ") for line in lines)


def test_the_reference_plan_has_every_part_in_order(page: str) -> None:
    """Protects against a part that is lost: each answers a question that a planner asks."""
    places = [page.index(f"\n{title}") for title in PARTS]
    assert places == sorted(places)
    assert "Proved optimal" in page
    assert "42 months, 12 futures" in page


def test_a_wider_terminal_changes_no_figure(reference: Plan, page: str) -> None:
    """Protects the figures from the layout: only blanks, cut names and line breaks depend on the width."""
    wide = printed(reference, width=120)
    assert max(map(cell_len, wide.splitlines())) <= 120
    for title in ("GW BY YEAR", "WORTH BY PART", "WHAT THE NEXT MW", "WHAT DIFFERS"):
        assert re.findall(r"\d+\.\d+", " ".join(part(wide, title))) == re.findall(
            r"\d+\.\d+", " ".join(part(page, title))
        )


def test_printing_twice_gives_the_same(reference: Plan, page: str) -> None:
    """Protects comparisons of two printouts: the same plan reads the same."""
    assert printed(reference) == page


def test_headline_figures_are_those_of_the_summary(reference: Plan, page: str) -> None:
    """Protects the first figures that anyone reads."""
    lines = page.splitlines()
    summary = reference.summary
    assert floats(row(lines, "Worth "))[0] == round(summary["objective_bn"], 2)
    assert floats(row(lines, "Cash (NPV)"))[0] == round(summary["npv_bn"], 2)
    in_use = row(lines, "In use")
    assert in_use[0] == f"{100 * summary['utilisation']:.0f}%"
    assert floats(in_use) == [round(summary["idle_gw_years"], 2), round(summary["idle_cost_bn"], 2)]


def test_worst_and_best_future_are_the_extremes_of_the_paths(reference: Plan, page: str) -> None:
    """Protects the range of worth: sums along paths of the tree, found here by walking up from each leaf."""
    nodes, cashflow = reference.tables["nodes"], reference.cashflow
    worth = cashflow.groupby("node")["discounted_bn"].sum()
    parent = nodes.set_index("node")["parent"]
    totals = {}
    for leaf in nodes.loc[nodes["period"] == nodes["period"].max(), "node"]:
        node, total = leaf, 0.0
        while node >= 0:
            total, node = total + worth.get(node, 0.0), parent[node]
        totals[nodes.loc[nodes["node"] == leaf, "known"].item()] = total
    for label, known in (
        ("Worst case", min(totals, key=totals.__getitem__)),
        ("Best case", max(totals, key=totals.__getitem__)),
    ):
        line = next(line for line in page.splitlines() if line.startswith(label))
        assert floats(line.split())[0] == round(totals[known], 2)
        assert known in line


def test_gw_by_year_are_the_expected_means_of_the_tables(reference: Plan, page: str) -> None:
    """Protects the split by year: probabilities weigh nodes, and every month of a year counts alike."""
    lines = part(page, "GW BY YEAR")
    for name, frame in reference.allocation.groupby("pathway"):
        assert floats(row(lines, str(name))) == pytest.approx(yearly(frame, "gw").tolist(), abs=0.00501)
    names = {"= in use": "used_gw", "+ idle": "idle_gw", "+ cancelled": "cancelled_gw", "= delivered": "delivered_gw"}
    for name, column in names.items():
        assert floats(row(lines, name)) == pytest.approx(yearly(reference.supply, column).tolist(), abs=0.00501)
    used, idle = yearly(reference.supply, "used_gw"), yearly(reference.supply, "idle_gw")
    assert floats(row(lines, "in use %")) == pytest.approx((100 * used / (used + idle)).tolist(), abs=0.501)


def test_missed_targets_are_what_the_penalty_paid_for(reference: Plan, page: str) -> None:
    """Protects the GW short of target, which no table holds: the penalty over its rate."""
    paid = reference.cashflow[reference.cashflow["component"] == "shortfall_penalty"]
    by_year = -(paid["bn"] * paid["probability"]).groupby(paid["start"].dt.year).sum() / 1.5
    months = pd.Series({2026: 6, 2027: 12, 2028: 12, 2029: 12})
    expected = (by_year.reindex(months.index).fillna(0) * 12 / months).tolist()
    assert floats(row(part(page, "GW BY YEAR"), "effective, short")) == pytest.approx(expected, abs=0.00501)


def test_bars_grow_with_the_figures(reference: Plan) -> None:
    """Protects the bars: the longest belongs to the largest figure, and none to zero."""
    lines = part(printed(reference), "GW BY YEAR")
    cells = [
        cell
        for name in ("msl", "ads", "platform", "deals")
        for cell in re.findall(r"(\d\.\d\d) (#*)", " ".join(row(lines, name)))
    ]
    sizes = [(float(figure), len(bar)) for figure, bar in cells]
    assert max(sizes)[1] == max(bar for _, bar in sizes) > 0
    assert sorted(sizes)[0] == (0.0, 0)
    assert [bar for _, bar in sorted(sizes)] == sorted(bar for _, bar in sizes)


def test_parts_of_worth_are_the_summary_and_sum_to_it(reference: Plan, page: str) -> None:
    """Protects the sum that a reader will make: the three sums are the worth, the first two the cash."""
    lines = part(page, "WORTH BY PART")
    sums = floats(next(line.split() for line in lines if line.strip().startswith("sum")))
    assert sum(sums) == pytest.approx(reference.objective_bn, abs=0.016)
    assert sum(sums[:2]) == pytest.approx(reference.npv_bn, abs=0.011)
    text, parts = " ".join(lines), reference.summary["components_bn"]
    labels = {"contract_cost": "contracts", "cancellation_fees": "cancellation fees", "terminal": "terminal line"}
    for pathway, amount in parts["value"].items():
        assert re.search(rf"\b{pathway} +{amount:.2f}\b", text)
    for name, label in labels.items():
        assert re.search(rf"{label} +{parts[name]:.2f}\b", text)


def test_first_period_is_the_allocation_of_the_root(reference: Plan, page: str) -> None:
    """Protects what is to be done now: GW by pathway and pool at the start, and their change."""
    lines = part(page, "DO NOW")
    first = reference.allocation[reference.allocation["period"] == 0].set_index(["pathway", "pool"])["gw"]
    initial = reference.instance.filled("eligibility").set_index(["pathway", "pool"])["initial_gw"]
    for pathway in ("msl", "ads", "platform"):
        figures = floats(row(lines, pathway))
        assert figures == pytest.approx([*first[pathway].tolist(), first[pathway].sum()], abs=0.00501)
    change = (first - initial)["ads"]
    shown = [float(x) for x in re.findall(r"\(([+-]\d\.\d\d)\)", " ".join(row(lines, "ads")))]
    assert shown == pytest.approx([*change[change.abs() > 0.005], change.sum()], abs=0.00501)
    signed = reference.deals[reference.deals["period"] == 0].set_index("pathway")["signed_gw"]["deals"]
    assert f"sign {signed:.2f} GW of deals" in " ".join(lines)


def test_first_cancellations_are_those_of_the_table(reference: Plan, page: str) -> None:
    """Protects what is to be cancelled: date, future, contract, pool, GW, share, end and fee of the first notices."""
    text = "\n".join(part(page, "CANCELLATIONS TO TAKE"))
    table = reference.cancellations
    first = table[(table["start"] == table["start"].min()) & (table["gw"] > 0.005)]
    assert len(first) == 4
    for notice in first.itertuples():
        block = text[text.index(f"On {notice.start:%Y-%m-%d} if {notice.known} ({100 * notice.probability:.0f}%):") :]
        figures = rf"{notice.gw:.2f} +{100 * notice.share:.0f} +{notice.effective:%Y-%m} +{notice.fee_bn:.2f}"
        assert re.search(rf"    {notice.contract} \(.*\) +regional_cloud +{figures}$", block, re.MULTILINE)


def test_notices_add_up_to_the_fees_that_are_paid(reference: Plan) -> None:
    """Protects the steps by which shares grow: each step's GW at the fee of its contract is the fee of the table."""
    view = View(reference)
    found = notices(view)
    assert found.fee_bn == pytest.approx(0.45 * found.gw, abs=1e-9)
    total = float((reference.cancellations["fee_bn"] * reference.cancellations["probability"]).sum())
    assert found.fee_bn @ view.tree.probability[found.node] == pytest.approx(total, rel=0.01)


def test_cancellations_that_are_not_listed_are_counted(reference: Plan, page: str) -> None:
    """Protects against a list that ends without saying so."""
    lines = part(page, "CANCELLATIONS TO TAKE")
    listed = sum(line.startswith("    ") for line in lines)
    more = re.search(r"(\d+) more \(smaller, in rarer futures or later\)", " ".join(lines))
    assert more
    assert listed + int(more[1]) == len(notices(View(reference)).node)


def test_deals_by_year_and_branch_average_to_the_table(reference: Plan, page: str) -> None:
    """Protects the deals: sums of the year given each outcome, which the outcomes' chances turn into the expected."""
    lines = [line.split() for line in part(page, "DEALS") if re.search(r"= (leads|holds|lags)", line)]
    pairs = np.array([[cell.split("/") for cell in line[-4:]] for line in lines], dtype=float).reshape(2, 3, 4, 2)
    expected = np.einsum("pbys,b->pys", pairs, [0.25, 0.45, 0.3])
    for at, name in enumerate(("platform", "deals")):
        frame = reference.deals[reference.deals["pathway"] == name]
        for side, column in enumerate(("signed_gw", "notice_given_gw")):
            amounts = (frame[column] * frame["probability"]).groupby(frame["start"].dt.year).sum()
            assert expected[at, :, side] == pytest.approx(amounts.to_numpy(), abs=0.006)


def test_value_of_the_next_gw_stands_beside_the_price_paid(reference: Plan, page: str) -> None:
    """Protects the comparison that decides whether to buy: yearly means, and the sign between value and price."""
    lines = part(page, "WHAT THE NEXT MW")
    marginal, cashflow = reference.marginal_values, reference.cashflow
    contracts = reference.instance.tables["contracts"].set_index("contract")["pool"]
    paid = cashflow[cashflow["component"] == "contract_cost"]
    for pool, supply in reference.supply.groupby("pool"):
        rows = marginal[(marginal["constraint"] == "supply") & (marginal["name"] == pool)]
        cost = paid[paid["name"].map(contracts) == pool]
        cost_bn = -(cost["bn"] * cost["probability"]).groupby(cost["start"].dt.year).sum()
        in_service = (supply["delivered_gw"] - supply["cancelled_gw"]) * supply["probability"] / 12
        price = (cost_bn / in_service.groupby(supply["start"].dt.year).sum()).tolist()
        words = row(lines, str(pool))
        assert floats(words[0::3]) == pytest.approx(yearly(rows, "bn_per_gw_year").tolist(), abs=0.00501)
        assert floats(words[2::3]) == pytest.approx(price, abs=0.00501)
        assert words[1::3] == [
            ">" if float(v) > float(p) else "<" for v, p in zip(words[0::3], words[2::3], strict=True)
        ]


def test_limits_are_ranked_by_what_they_cost(reference: Plan, page: str) -> None:
    """Protects the list of limits: how often each binds and what room is worth, from the table, dearest first."""
    lines = part(page, "LIMITS THAT COST MOST")[2:]
    gains = [float(line.split()[-1]) for line in lines if "$bn per GW" in line]
    assert gains == sorted(gains, reverse=True)
    table = reference.marginal_values
    ads = table[(table["constraint"] == "ramp") & (table["name"] == "ads") & (table["bn_per_gw_year"] > 0)]
    words = row(lines, "ads: grow faster than 0.12 GW/month")
    assert words[0] == f"{100 * ads['probability'].sum() / 42:.0f}%"
    discounted = ads["bn_per_gw_year"] * ads["probability"] * 1.09 ** -((ads["period"] + 0.5) / 12)
    assert float(words[-1]) == pytest.approx(1000 * 0.01 * discounted.sum(), abs=0.0501)
    limits = table[(table["constraint"] != "supply") & (table["bn_per_gw_year"] > 1e-9)]
    idle = reference.supply.assign(waits=reference.supply["idle_gw"] * reference.supply["probability"])
    share = idle.loc[idle["node"].isin(limits["node"]), "waits"].sum() / idle["waits"].sum()
    assert f"{percent(share)} of idle GW wait while one binds." in " ".join(lines)
    assert any(line.strip().startswith("msl: lower target") and "per GW-year" in line for line in lines)


def test_branches_average_to_the_plan(reference: Plan, page: str) -> None:
    """Protects what differs: worth given each outcome, weighed by its chance, is the plan's worth, for every factor."""
    lines = part(page, "WHAT DIFFERS")
    for outcomes in (("leads", "holds", "lags"), ("on_time", "slip"), ("tight", "glut")):
        found = [row(lines, name) for name in outcomes]
        chances = [float(words[0].removesuffix("%")) / 100 for words in found]
        worth = [float(words[1]) for words in found]
        assert np.dot(chances, worth) == pytest.approx(reference.objective_bn, abs=0.006)
    lags = reference.allocation[reference.allocation["known"].str.contains("msl_progress=lags")]
    mean = (
        (lags["gw"] * lags["probability"] / 0.3)
        .groupby([lags["pathway"], lags["period"]])
        .sum()
        .groupby("pathway")
        .mean()
    )
    assert floats(row(lines, "lags"))[1:5] == pytest.approx(
        mean[["msl", "ads", "platform", "deals"]].tolist(), abs=0.00501
    )


def test_warnings_come_last_and_are_counted(reference: Plan) -> None:
    """Protects the warnings: all are counted, at the top too, the first is shown, none is cut off without a sign."""
    page = printed(replace(reference, warnings=("first " + "x " * 90, "second", "third")))
    lines = page.splitlines()[-3:]
    assert lines[0].startswith("3 WARNINGS") and "`gwplan check` shows all" in lines[0]
    assert lines[1].startswith("- first")
    assert lines[2].endswith("x ..")
    assert "Warnings            3  on the instance: read them first" in page
    assert "WARNING" not in printed(replace(reference, warnings=()))


def test_a_stopped_plan_says_that_it_is_not_proved_best(reference: Plan) -> None:
    """Protects against a plan that a limit cut short being taken for the best one."""
    summary = {**reference.summary, "status": "time_limit"}
    summary["certificate"] = {**summary["certificate"], "gap": float("inf"), "optimal": False}
    blank = reference.marginal_values.assign(bn_per_gw_year=np.nan, from_gw=np.nan, to_gw=np.nan)
    stopped = replace(
        reference, status="time_limit", summary=summary, tables={**reference.tables, "marginal_values": blank}
    )
    page = printed(stopped)
    assert "NOT PROVED BEST, stopped (time limit)" in page
    assert "Proved optimal" not in page
    assert "Not known: only a plan proved optimal has marginal values." in page
    assert "LIMITS" not in page


def test_output_that_is_no_terminal_is_plain(page: str, reference: Plan) -> None:
    """Protects logs and files: no escape sequences and no block characters; a terminal gets bars of blocks."""
    assert page.isascii()
    assert "\x1b" not in page
    file = io.StringIO()
    print_plan(reference, Console(file=file, width=80, force_terminal=True, color_system="standard"), full=True)
    assert "█" in file.getvalue()
    assert "\x1b[1m" in file.getvalue()
    assert "█" in printed(reference, terminal=True)


def test_printing_goes_to_standard_output_by_default(
    capsys: pytest.CaptureFixture[str], reference: Plan, page: str
) -> None:
    """Protects the command line, which gives no console."""
    print_plan(reference, full=True)
    assert capsys.readouterr().out == page


@pytest.mark.parametrize(("least", "words"), [(0.0, "may lose next to nothing"), (0.0123, "loses at least $12m")])
def test_how_firm_the_plan_is_stands_in_two_lines(reference: Plan, least: float, words: str) -> None:
    """Protects the reader: the softest and the hardest move of the table are named with their millions, and now's."""
    table = reference.tables["firmness"].copy()
    yearly = table["when"] != "first"
    figures = ["less_loses_bn_per_gw", "more_loses_bn_per_gw"]
    table.loc[yearly, figures] = 0.5
    table.loc[~yearly, figures] = 0.046
    table.loc[(table["pathway"] == "msl") & (table["when"] == "2027"), "less_loses_bn_per_gw"] = least
    table.loc[(table["pathway"] == "ads") & (table["when"] == "2028"), "less_loses_bn_per_gw"] = 2.5
    table.loc[(table["pathway"] == "platform") & (table["when"] == "2026"), "less_loses_bn_per_gw"] = (
        9.0  # it has no GW
    )
    lines = printed(replace(reference, tables={**reference.tables, "firmness": table})).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("How firm"))
    told = f"How firm: 1 GW moved for a year {words} (less msl in 2027) or at least $2,500m (less ads in 2028)"
    assert " ".join(lines[first : first + 2]) == f"{told}; in the first month at least $46m."


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"contracts": "contract,pool,end,cost_bn_per_gw_year\nown,cloud,2030-01-01,4\n"},
            ["8.00", "$bn", "undiscounted,"],
        ),
        ({"contracts": "contract,pool,end,cost_bn_per_gw_year\nown,cloud,2027-07-01,4\n"}, []),
        ({}, ["unknown", "undiscounted,"]),
    ],
)
@pytest.mark.parametrize("window", [None, "contract,opens,closes\nown,2027-01-01,2027-01-01\n"])
def test_what_is_owed_after_the_horizon_is_always_told(
    tables: dict[str, str], said: list[str], window: str | None, tmp_path: Path
) -> None:
    """Protects who signs: two years at 4 $bn are still owed, with or without a window, with no terminal value."""
    lines = printed(gw.solve(plain(tmp_path, cancellations=window, **tables))).splitlines()
    assert (row(lines, "Owed after")[: len(said)] if said else [line for line in lines if "Owed after" in line]) == said


def test_every_pool_in_which_something_moves_is_shown(tmp_path: Path) -> None:
    """Protects what is to be done now: nine pools do not fit one table, and a move in any of them is not left out."""
    pools = [f"pool_{q}" for q in range(9)]
    tables = {
        "pools": "\n".join(["pool", *pools]),
        "contracts": "\n".join(["contract,pool", *(f"c{q},{q}" for q in pools)]),
        "deliveries": "\n".join(["contract,date,gw", *(f"c{q},2026-01-01,1" for q in pools)]),
        "pathways": "pathway\nads\nold\n",
        "eligibility": "\n".join(
            ["pathway,pool,initial_gw", *(f"ads,{q},{int(q == 'pool_8')}\nold,{q},{int(q < 'pool_8')}" for q in pools)]
        ),
        "value": "pathway,from,tier,value_bn_per_gw_year\nads,2026-01-01,1,10\nold,2026-01-01,1,1\n",
    }
    lines = part(printed(gw.solve(plain(tmp_path, **tables))), "DO NOW")
    told, beside = " ".join(lines).split("Moved besides: ")
    shown = [q for q in pools if q in told]
    assert 0 < len(shown) < 8
    assert sorted(re.findall(r"ads on (pool_\d) 1.00 \(\+1.00\)", beside)) == sorted({*pools[:8]} - {*shown})


def test_years_together_are_headed_by_their_first_and_last_month(reference: Plan) -> None:
    """Protects the heading of a half and a whole year together, which is no half-year."""
    assert [span.label for span in View(reference).spans(2)] == ["Jul 2026-\nDec 2027", "2028-29"]


def test_effective_gw_are_told_where_they_differ(tmp_path: Path) -> None:
    """Protects a target, which is in effective GW, from being held against GW: 1 GW here is 0.8 effective."""
    tables = {
        "pathways": "pathway,shortfall_penalty_bn_per_gw_year\nads,1\n",
        "eligibility": "pathway,pool,effectiveness\nads,cloud,0.8\n",
        "demand": "pathway,from,target_gw\nads,2026-01-01,1\n",
    }
    lines = part(printed(gw.solve(plain(tmp_path, **tables))), "GW BY YEAR")
    assert floats(row(lines, "ads")) == [1.0, 1.0] and floats(row(lines, "effective")) == [0.8, 0.8]
    assert floats(row(lines, "effective, short")) == [0.2, 0.2]
