"""The printed plan of odd instances: nothing to show, too much to show, long names, poor terminals."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from gwplan.plan.plan import Plan
from gwplan.planning import solve
from gwplan.show.page import cut, decimals, left_out, number, percent, wrapped
from gwplan.show.text.plan import print_plan
from gwplan.show.view import View
from gwplan.storage.read import load
from tests.export.printouts import INSTANCES, PARTS, floats, part, printed, row, yearly


def test_parts_without_matter_are_left_out() -> None:
    """Protects readers of simple instances from empty parts: no deals, windows, limits or futures, no such heading."""
    page = printed(solve(load(INSTANCES / "tiny-curve")))
    for title in ("CANCELLATIONS", "DEALS", "LIMITS", "WHAT DIFFERS", "WARNING", "Worst case", "futures"):
        assert title not in page
    for title in ("GW BY YEAR", "WORTH BY PART", "DO NOW", "WHAT THE NEXT MW"):
        assert title in page
    assert "one future (no uncertainty)" in page
    assert "not discounted" in page


def test_aversion_is_explained_by_figures_that_combine() -> None:
    """Protects the objective with aversion: its two shares are shown and give it back."""
    plan = solve(load(INSTANCES / "tiny-risk"))
    text = " ".join(printed(plan).split())
    found = re.search(r"Objective ([\d.]+) .*: ([\d.]+) x expected worth \+ ([\d.]+) x ([\d.]+), .* worst 50% of", text)
    worth = re.search(r"Worth ([\d.]+) \$bn", text)
    assert found
    assert worth
    objective, share, aversion, tail = map(float, found.groups())
    assert objective == pytest.approx(plan.objective_bn, abs=0.005)
    assert share * float(worth[1]) + aversion * tail == pytest.approx(objective, abs=0.02)


def test_cancellations_near_an_uncounted_end_are_called_undervalued() -> None:
    """Protects the caveat: without a terminal line late cancellations save more than the plan counts; with one not."""
    page = printed(solve(load(INSTANCES / "tiny-cancellation")))
    assert "Undervalued: what lease would cost" in page
    assert "On 2026-04-01:" in page
    assert "Undervalued" not in printed(solve(load(INSTANCES / "tiny-terminal")))


def test_keeping_every_contract_is_said() -> None:
    """Protects against silence where contracts may be cancelled but none should be."""
    instance = load(INSTANCES / "tiny-cancellation").edited("cancellations[contract=lease].fee_bn_per_gw = 50")
    assert "None: to keep every contract is worth more" in printed(solve(instance))


def test_a_single_month_is_named_once() -> None:
    """Protects headings: a plan of one month is headed by that month, not by a span of it."""
    instance = load(INSTANCES / "tiny-curve").edited("calendar.resolution = month", "calendar.periods = 1")
    heading = part(printed(solve(instance)), "GW BY YEAR")
    assert heading[2].split() == ["Jan"]


def test_edits_of_the_instance_are_shown() -> None:
    """Protects against a what-if being read as the plan of the instance as written."""
    instance = load(INSTANCES / "tiny-curve").edited("pathways[pathway=ads].realisation = 1")
    page = printed(solve(instance))
    assert "Changed from the instance as written: " in page
    assert "realisation" in page


LONG = {
    "deals": "short_premium_deals_with_model_companies",
    "ads": "広告ランキングの学習に使う計算資源の割当",
    "frontier_cluster": "前線クラスタ前線クラスタ前線クラスタ一番",
    "colocation_hall": "colocation_halls_with_own_servers_[red]x",
    "neocloud_2026_d": "neocloud_contract_of_2026_with_letter_d!",
    "msl_progress": "how_the_superintelligence_lab_gets_along",
    "leads": "leads_the_field_by_half_a_year_or_more_x",
}


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Return the plan of the reference instance with names of 40 columns, some of them Japanese, and fewer months."""
    folder = tmp_path_factory.mktemp("long")
    for source in (INSTANCES / "meta-2026h1").glob("*.*"):
        if source.suffix in (".csv", ".toml"):
            text = source.read_text(encoding="utf-8")
            for name, longer in LONG.items():
                text = re.sub(rf"(?<![\w-]){name}(?![\w'-])", longer, text)
            text = text.replace("periods = 42", "periods = 15")
            if source.name != "claims.csv":
                (folder / source.name).write_text(text, encoding="utf-8")
    return solve(load(folder))


@pytest.mark.parametrize("width", [80, 100])
def test_long_and_wide_names_do_not_break_the_layout(long_names: Plan, width: int) -> None:
    """Protects the layout from names: wide characters count twice, both ends of a cut name stay, markup is text."""
    page = printed(long_names, width=width)
    assert max(map(cell_len, page.splitlines())) <= width
    assert re.search(r"short_.*\.\..*panies", page)
    assert re.search(r"short.*\.\..*es: sign faster than 0.06 GW/month", page)
    assert "広告" in page
    assert "[red]x" in page
    for title in PARTS:
        assert title in page


def test_an_ascii_output_gets_ascii_and_no_error(long_names: Plan) -> None:
    """Protects pipes and old terminals: what they cannot hold is escaped, nothing is lost and nothing fails."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_plan(long_names, Console(file=file, width=80, force_terminal=True, color_system=None), full=True)
    file.flush()
    page = raw.getvalue().decode("ascii")
    assert max(map(len, page.splitlines())) <= 80
    assert r"\u5e83" in page


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Return a plan of many pathways, pools, contracts, years and outcomes."""
    folder = tmp_path_factory.mktemp("crowd")
    pathways, pools = [f"pathway_{i}" for i in range(12)], [f"pool_{i}" for i in range(25)]
    tables: dict[str, Iterator[str] | list[str]] = {
        "pools": ["pool", *pools],
        "contracts": ["contract,pool,cost_bn_per_gw_year", *(f"contract_{i},pool_{i % 25},1" for i in range(60))],
        "deliveries": ["contract,date,gw", *(f"contract_{i},2026-01-01,{1 + i / 10}" for i in range(60))],
        "cancellations": ["contract,opens,closes", *(f"contract_{i},2027-01-01,2027-01-01" for i in range(60))],
        "pathways": [
            "pathway,min_term_days,ramp_gw_per_month",
            *(f"{p},{9 * (i > 1)},0.1" for i, p in enumerate(pathways)),
        ],
        "value": [
            "pathway,from,tier,width_gw,value_bn_per_gw_year",
            *(f"{p},2026-01-01,1,{5 + i},{2 + i / 10}" for i, p in enumerate(pathways)),
        ],
    }
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    calendar = '[calendar]\nstart = 2026-01-01\nresolution = "year"\nperiods = 9\n'
    outcomes = "".join(f'[[factor.outcome]]\nname = "o{i}"\nprobability = 0.05\n' for i in range(20))
    (folder / "instance.toml").write_text(f'schema = 1\nname = "crowd"\n{calendar}')
    (folder / "uncertainty.toml").write_text(f'[[factor]]\nname = "news"\nrevealed = 2034-01-01\n{outcomes}')
    return solve(load(folder))


def test_lists_are_cut_and_say_how_many_more(crowd: Plan) -> None:
    """Protects the printout from large instances: every list is capped, says so, and sums what it leaves out."""
    page = printed(crowd)
    lines = page.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert len(lines) <= 150
    assert "4 others" in " ".join(part(page, "GW BY YEAR"))
    assert "4 others" in " ".join(part(page, "WORTH BY PART"))
    assert "4 pathways are left out" in " ".join(part(page, "DO NOW"))
    assert "2 deal pathways are left out" in " ".join(part(page, "DEALS"))
    assert "17 smaller pools are left out" in " ".join(part(page, "WHAT THE NEXT MW"))
    assert "4 outcomes and 7 pathways are left out" in " ".join(part(page, "WHAT DIFFERS"))
    assert re.search(r"\d+ more \(smaller, in rarer futures or later\)", " ".join(part(page, "CANCELLATIONS")))


def test_years_share_a_column_where_there_are_many(crowd: Plan) -> None:
    """Protects long plans: columns of several years average them all, and their sums still add up."""
    lines = part(printed(crowd), "GW BY YEAR")
    assert lines[1].split() == ["2026-27", "2028-29", "2030-31", "2032-33", "2034"]
    used = yearly(crowd.supply, "used_gw")
    pairs = used.groupby((used.index - 2026) // 2).mean()
    assert floats(row(lines, "= in use")) == pytest.approx(pairs.tolist(), abs=0.0501)
    names = ["= in use", "+ idle", "+ cancelled", "= delivered"]
    in_use, idle, cancelled, delivered = (np.array(floats(row(lines, name))) for name in names)
    assert in_use + idle + cancelled == pytest.approx(delivered, abs=0.2)


def test_futures_are_named_as_shortly_as_is_exact() -> None:
    """Protects the condition of a decision: outcomes that make no difference are not named, others never merged."""
    view = View(solve(load(INSTANCES / "tiny-tree")))
    leaves = view.tree.leaves.tolist()
    assert len(leaves) == 4
    assert view.futures(tuple(leaves)) == "in all futures"
    first, second = (view.instance.factors[f] for f in (0, 1))
    for outcome in (0, 1):
        half = tuple(leaf for leaf in leaves if view.tree.known[leaf, 0] == outcome)
        name, chance = first.outcomes[outcome].name, first.outcomes[outcome].probability
        assert view.futures(half) == f"if {first.name}={name} ({percent(chance)})"
    crossed = tuple(leaf for leaf in leaves if view.tree.known[leaf, 0] == view.tree.known[leaf, 1])
    either = "; or ".join(
        f"{first.name}={first.outcomes[o].name}, {second.name}={second.outcomes[o].name}" for o in (0, 1)
    )
    assert view.futures(crossed).startswith(f"if {either} (")


SMALL = {
    "instance.toml": 'schema = 1\nname = "e"\n[calendar]\nstart = 2026-05-01\nresolution = "quarter"\nperiods = 6\n',
    "pools.csv": "pool\na\n",
    "contracts.csv": "contract,pool,cost_bn_per_gw_year\nk,a,1\n",
    "deliveries.csv": "contract,date,gw\nk,2026-05-01,0.02\n",
    "pathways.csv": "pathway\np\n",
    "value.csv": "pathway,from,tier,value_bn_per_gw_year\np,2026-01-01,1,2\n",
    "uncertainty.toml": """
[[factor]]
name = "now"
revealed = 2026-05-01
[[factor.outcome]]
name = "more"
probability = 0.5
[[factor.outcome.edit]]
table = "contracts"
insert = { contract = "extra", pool = "a", cost_bn_per_gw_year = 0.5 }
[[factor.outcome.edit]]
table = "deliveries"
insert = { contract = "extra", date = 2026-08-01, gw = 0.01 }
[[factor.outcome]]
name = "same"
probability = 0.5
[[factor]]
name = "never"
revealed = 2040-01-01
[[factor.outcome]]
name = "x"
probability = 0.5
[[factor.outcome]]
name = "y"
probability = 0.5
""",
}


def small(folder: Path, **changed: str) -> str:
    """Return the printout of a small instance of quarters from May, whose contract an outcome adds at the start."""
    for name, text in {**SMALL, **changed}.items():
        (folder / name).write_text(text)
    return printed(solve(load(folder)))


def test_a_factor_known_from_the_start_and_one_never_known(tmp_path: Path) -> None:
    """Protects forests: futures that never part count once, and a contract that only an outcome holds has its price."""
    page = small(tmp_path)
    assert "6 quarters, 2 futures" in page
    assert "It depends from the start on now (more 50% or same 50%)" in page
    lines = part(page, "WHAT THE NEXT MW")
    assert [line.split() for line in lines[1:3]] == [["2026", "2027"], ["May-Jan", "Feb-Oct"]]
    price_2026 = (0.02 * 3 * 1.0 + 0.5 * 0.01 * 2 * 0.5) / (0.02 * 3 + 0.5 * 0.01 * 2)
    price_2027 = (0.02 + 0.5 * 0.01 * 0.5) / (0.02 + 0.5 * 0.01)
    assert floats(row(lines, "a ")) == pytest.approx([2, price_2026, 2, price_2027], abs=0.00501)
    assert row(part(page, "GW BY YEAR"), "p ")[0] == f"{(0.02 * 3 + 0.005 * 2) / 3:.4f}"
    assert row(part(page, "WHAT DIFFERS"), "more")[1] == f"{0.04 + 0.01 * 1.25 * 1.5 - 0.01:.4f}"
    assert "never, known" not in page


def test_a_plan_that_may_use_nothing_is_printed(tmp_path: Path) -> None:
    """Protects the printout from tables without rows: all capacity idles, and no split is shown."""
    page = small(tmp_path, **{"eligibility.csv": "pathway,pool\n", "uncertainty.toml": ""})
    assert "DO NOW" not in page
    assert floats(row(part(page, "GW BY YEAR"), "+ idle")) == [0.02, 0.02]
    assert "0.0300 idle GW-years" in page


def test_figures_have_the_decimals_that_their_size_needs() -> None:
    """Protects small and large instances alike: three figures that mean something, no negative zero, no exponent."""
    assert [decimals([x]) for x in (250000.0, 4000.0, 12.0, 0.5, 0.02, 0.0)] == [0, 1, 2, 3, 4, 2]
    assert number(-0.001, 2) == "0.00"
    assert number(float("nan"), 2) == "-"
    assert [percent(x) for x in (1.0, 0.997, 0.5, 0.002, 0.0)] == ["100%", "99.7%", "50%", "0.2%", "0%"]
    assert left_out((0, "pool"), (-2, "pathway")) == ""
    assert left_out((1, "pool")) == "1 pool is left out."


def test_texts_are_cut_and_wrapped_by_columns_not_by_characters() -> None:
    """Protects the width where characters take two columns or a word is longer than the page."""
    assert cut("frontier_cluster_north", 12) == "frontie..rth"
    assert cell_len(cut("前線クラスタ", 7)) <= 7
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert [cell_len(line) for line in wrapped("広" * 9, 8)] == [8, 8, 2]
