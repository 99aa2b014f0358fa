"""Relations between the worth of an instance and that of a changed one, each said in a sentence."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest

import gwplan as gw
from gwplan.instance.instance import Instance
from gwplan.language.edits import Factor, Outcome
from tests.generate import random_instance
from tests.properties import change
from tests.solve.afresh import afresh

INSTANCES = Path(__file__).resolve().parents[2] / "instances"

TREES = ("random-1", "random-4", "random-7", "random-32")
"""Random instances with outcomes; quarters, months, years and quarters. They sign, give notice, breach, lose deals to
churn, cancel contracts, pay for moving, have curves, ramps and locks, and all but random-4 are averse to risk."""

ALL = ("tiny-cancellation", "tiny-deals", *TREES)


@cache
def base(name: str) -> Instance:
    """Return a tiny instance, or the random one of a seed."""
    if name.startswith("tiny"):
        return gw.load(INSTANCES / name)
    with TemporaryDirectory() as scratch:
        return gw.load(random_instance(int(name.split("-")[1]), Path(scratch) / "instance"))


@cache
def worth(instance: Instance) -> float:
    """Return the objective in $bn."""
    return gw.solve(instance).objective_bn


@cache
def proved_worth(instance: Instance) -> float:
    """Return the objective in $bn, proved from the duals, of instances whose tables are as good as those of `base`."""
    return afresh(instance)


def same(expected_bn: float) -> object:
    """Return what compares equal to a worth but for the solver's rounding."""
    return pytest.approx(expected_bn, rel=1e-8, abs=1e-8)


def at_least(bn: float) -> float:
    """Return a worth less the solver's rounding."""
    return bn - 1e-8 * (1 + abs(bn))


def middle(instance: Instance) -> str:
    """Return the first day of the period in the middle of the horizon."""
    months = {"month": 1, "quarter": 3, "year": 12}[instance.resolution] * (instance.periods // 2)
    return str((pd.Timestamp(instance.start) + pd.DateOffset(months=months)).date())


# ---- the same thing said differently


@pytest.mark.parametrize("name", ALL)
def test_splitting_contracts_changes_nothing(name: str) -> None:
    """A contract split in two, each with a share of every delivery and all else alike, is worth what it was whole."""
    split, contracts = change.halves(base(name))
    assert contracts
    assert worth(split) == same(worth(base(name)))


@pytest.mark.parametrize("name", ALL)
def test_names_mean_nothing(name: str) -> None:
    """Pathways, pools and contracts under other names, in tables and outcomes, leave the worth as it is."""
    assert worth(change.renamed(base(name), lambda old: f"Ünit 7: {old}")) == same(worth(base(name)))


@pytest.mark.parametrize("name", ALL)
def test_names_may_be_shared_between_kinds(name: str) -> None:
    """A pathway, a pool and a contract of one name are three things: numbering each kind leaves the worth as it is."""
    instance = replace(base(name), factors=())
    numbers = {
        column: {old: str(place) for place, old in enumerate(instance.tables[table][column])}
        for table, column in (("pathways", "pathway"), ("pools", "pool"), ("contracts", "contract"))
    }
    numbered = change.everywhere(instance, lambda column, cell: numbers.get(column, {}).get(cell, cell))
    assert worth(numbered) == same(worth(instance))


@pytest.mark.parametrize("name", ALL)
def test_order_means_nothing(name: str) -> None:
    """Rows and columns of every table in another order leave the worth as it is."""
    assert worth(change.shuffled(base(name), seed=7)) == same(worth(base(name)))


@pytest.mark.parametrize("name", ALL)
def test_years_mean_nothing(name: str) -> None:
    """Start, reveals and every other date one year later leave the worth as it is."""
    assert worth(change.moved(base(name), 1)) == same(worth(base(name)))


@pytest.mark.parametrize("name", ALL)
def test_doubling_every_price_doubles_worth(name: str) -> None:
    """All amounts and rates in $bn doubled, in tables and outcomes, double the worth."""
    assert worth(change.scaled(base(name), change.MONEY, 2)) == same(2 * worth(base(name)))


@pytest.mark.parametrize("name", ALL)
def test_scaling_every_gigawatt_scales_worth(name: str) -> None:
    """All capacities times 3, and what a curve earns on its base with them, are worth 3 times as much."""
    assert worth(change.scaled(base(name), change.CAPACITY, 3)) == same(3 * worth(base(name)))


# ---- what adds nothing


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("usable", [True, False])
def test_a_pathway_without_value_adds_nothing(name: str, usable: bool) -> None:
    """A pathway without value or demand leaves the worth as it is where using it costs more than to idle, or no pool is
    open to it.
    """  # noqa: D205
    instance = base(name)
    pairs: list[Any] = instance.filled("eligibility").to_dict("records")
    pools = instance.tables["pools"]["pool"].tolist() if usable else []
    pairs += [{"pathway": "nobody", "pool": q, "operating_cost_bn_per_gw_year": 100.0} for q in pools]
    more = change.with_rows(instance, "pathways", [{"pathway": "nobody"}])
    more = replace(more, tables={**more.tables, "eligibility": more.tables["eligibility"].iloc[:0]})
    assert worth(change.with_rows(more, "eligibility", pairs)) == same(worth(instance))


@pytest.mark.parametrize("name", ALL)
def test_knowing_what_does_not_matter_is_worth_nothing(name: str) -> None:
    """A factor whose outcomes change nothing splits nodes and leaves the worth as it is, whatever the aversion."""
    instance = base(name)
    coin = Factor("coin", pd.Timestamp(middle(instance)).date(), (Outcome("heads", 0.3), Outcome("tails", 0.7)))
    assert worth(replace(instance, factors=(*instance.factors, coin))) == same(worth(instance))


@pytest.mark.parametrize("name", ALL)
def test_outcomes_that_are_all_alike_are_certain(name: str) -> None:
    """A factor whose outcomes all make the same edit is worth what the instance is with that edit."""
    instance = base(name)
    scale = f"value[pathway=*].value_bn_per_gw_year *= 0.7 @ {middle(instance)}"
    alike = tuple(Outcome(outcome, 0.5, (gw.edit(scale),)) for outcome in ("one", "other"))
    factor = Factor("alike", pd.Timestamp(middle(instance)).date(), alike)
    certain = instance.edited(scale)
    assert worth(certain) != same(worth(instance))
    assert worth(replace(instance, factors=(factor, *instance.factors))) == same(worth(certain))


# ---- what cannot hurt


RELAXED = {
    "cap": ("demand[pathway=*].cap_gw += 0.2", "random-1"),
    "floor": ("demand[pathway=*].floor_gw *= 0.5", "random-4"),
    "target": ("demand[pathway=*].target_gw *= 0.5", "random-4"),
    "ramp": ("pathways[pathway=*].ramp_gw_per_month *= 1.5", "random-1"),
    "most": ("locks[pathway=*].max_gw += 0.2", "tiny-locks"),
    "least": ("locks[pathway=*].min_gw *= 0.5", "tiny-locks"),
    "share": ("cancellations[contract=*].max_share = 1", "random-32"),
    "breach": ("pathways[pathway=*].breach_cost_bn_per_gw = 0.01", "random-4"),
}
"""An edit that relaxes each limit, and an instance in which that limit binds."""


@pytest.mark.parametrize("limit", RELAXED)
def test_relaxing_a_limit_helps_where_it_binds(limit: str) -> None:
    """A higher cap, ramp, lock or share, a lower floor, target or least lock, a way out: worth more where it binds."""
    edit, name = RELAXED[limit]
    assert proved_worth(base(name).edited(edit)) > proved_worth(base(name)) + 1e-6


@pytest.mark.parametrize(
    ("limit", "name"),
    [(limit, name) for limit in RELAXED for name in TREES if name == "random-32" or limit not in ("most", "least")],
)
def test_relaxing_a_limit_never_hurts(limit: str, name: str) -> None:
    """A limit relaxed is worth no less than kept, whether or not it binds; only random-32 has locks."""
    assert proved_worth(base(name).edited(RELAXED[limit][0])) >= at_least(proved_worth(base(name)))


@pytest.mark.parametrize("name", TREES)
def test_free_supply_never_hurts_where_idling_is_free(name: str) -> None:
    """A contract that costs nothing is worth something or nothing where no pool has an idle penalty."""
    free = change.without(base(name), lambda edit: edit.column == "idle_penalty_bn_per_gw_year")
    free = free.edited("pools[pool=*].idle_penalty_bn_per_gw_year = 0")
    gift = {"contract": "gift", "pool": free.tables["pools"]["pool"].iloc[0], "cost_bn_per_gw_year": 0.0}
    more = change.with_rows(free, "contracts", [gift])
    arrival = {"contract": "gift", "date": pd.Timestamp(free.start), "gw": 0.4}
    assert proved_worth(change.with_rows(more, "deliveries", [arrival])) >= at_least(proved_worth(free))


@pytest.mark.parametrize("name", ["tiny-risk", *TREES])
def test_worth_falls_with_aversion_and_bends_upwards(name: str) -> None:
    """More aversion never raises worth, since the worst outcomes average at most the mean; and worth is convex in it,
    being the best of plans whose worth is linear in it.
    """  # noqa: D205
    low, middle_, high = (proved_worth(base(name).edited(f"risk.aversion = {aversion}")) for aversion in (0, 0.4, 0.8))
    assert low >= at_least(middle_)
    assert middle_ >= at_least(high)
    assert (low + high) / 2 >= at_least(middle_)


@pytest.mark.parametrize("name", ["tiny-risk", *TREES])
def test_worth_falls_with_a_smaller_tail(name: str) -> None:
    """The mean over a smaller share of worst outcomes is never higher; over all outcomes it is the mean itself."""
    averse = base(name).edited("risk.aversion = 0.6")
    whole, half, tenth = (proved_worth(averse.edited(f"risk.tail = {tail}")) for tail in (1, 0.5, 0.1))
    assert whole == same(proved_worth(base(name).edited("risk.aversion = 0")))
    assert whole >= at_least(half)
    assert half >= at_least(tenth)


def deals_with(name: str, **cells: object) -> Instance:
    """Return an instance whose deal pathways all have these cells, which no outcome changes."""
    own = ("notice_days", "min_term_days", *cells)
    instance = change.without(base(name), lambda edit: edit.table == "pathways" and edit.column in own)
    frame = instance.tables["pathways"]
    deals = frame["pathway"][(frame[["notice_days", "min_term_days"]].fillna(0) > 0).any(axis=1)]
    assert len(deals)
    edits = [f'pathways[pathway="{p}"].{column} = {cell}' for p in deals for column, cell in cells.items()]
    return instance.edited(*edits)


@pytest.mark.parametrize("name", ["tiny-deals", *TREES])
def test_a_longer_notice_never_helps(name: str) -> None:
    """Where the minimum term covers either notice, the longer one never raises worth: what it gives back could have
    been given back by the shorter one.
    """  # noqa: D205
    none, quarter, year = (proved_worth(deals_with(name, min_term_days=400, notice_days=days)) for days in (0, 90, 400))
    assert none >= at_least(quarter)
    assert quarter >= at_least(year)


@pytest.mark.parametrize("name", ["tiny-deals", *TREES])
def test_a_longer_term_never_helps(name: str) -> None:
    """Where no deal can be breached, a longer minimum term never raises worth: it only binds for longer."""
    terms = (30, 200, 800)
    short, longer, longest = (
        proved_worth(deals_with(name, min_term_days=days, breach_cost_bn_per_gw='""')) for days in terms
    )
    assert short >= at_least(longer)
    assert longer >= at_least(longest)


# ---- worked out


def one_gw_in_a_shaky_market(folder: Path, notice_days: int, signing_cost: float) -> Instance:
    """Write 1 GW over three quarters: training earns 1 a quarter, deals 2, and nothing any more if the market ends.

    Whether it ends is known from the second quarter on, each with probability 0.5. A deal binds for a quarter.
    """
    texts = {
        "instance.toml": 'schema = 1\nname = "shaky"\n[calendar]\nstart = 2026-01-01\n'
        'resolution = "quarter"\nperiods = 3\n',
        "pools.csv": "pool\ncloud\n",
        "contracts.csv": "contract,pool\nown,cloud\n",
        "deliveries.csv": "contract,date,gw\nown,2026-01-01,1\n",
        "pathways.csv": "pathway,notice_days,min_term_days,signing_cost_bn_per_gw\ntraining,,,\n"
        f"deals,{notice_days},1,{signing_cost}\n",
        "value.csv": "pathway,from,tier,value_bn_per_gw_year\ntraining,2026-01-01,1,4\ndeals,2026-01-01,1,8\n",
        "uncertainty.toml": '[[factor]]\nname = "market"\nrevealed = 2026-04-01\n'
        '[[factor.outcome]]\nname = "holds"\nprobability = 0.5\n'
        '[[factor.outcome]]\nname = "ends"\nprobability = 0.5\n[[factor.outcome.edit]]\ntable = "value"\n'
        'where = { pathway = "deals" }\ncolumn = "value_bn_per_gw_year"\nset = 0\nfrom = 2026-04-01\n',
    }
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return gw.load(folder)


@pytest.mark.parametrize(("signing_cost", "free_bn", "bound_bn"), [(0.4, 4.6, 4.4), (0.0, 5.0, 5.0)])
def test_notice_costs_exactly_where_signing_does(
    signing_cost: float, free_bn: float, bound_bn: float, tmp_path: Path
) -> None:
    """90 days' notice is worth strictly less than none where deals cost something to sign, and nothing where they do
    not: whoever gives notice at once may sign again.

    Without notice: signed in the first quarter (2 - s), kept if the market holds (4), else left (2): 5 - s. With notice
    given at once: 2 - s, signed anew if it holds (4 - s), else training (2): 5 - 1.5 s. Without giving notice: the
    second quarter is lost if the market ends: 2 - s + (4 + 1) / 2 = 4.5 - s, which is less for any s below 1.
    """  # noqa: D205
    free = one_gw_in_a_shaky_market(tmp_path / "free", 0, signing_cost)
    bound = one_gw_in_a_shaky_market(tmp_path / "bound", 90, signing_cost)
    assert worth(free) == same(free_bn)
    assert worth(bound) == same(bound_bn)


@pytest.mark.parametrize(
    ("name", "resolution", "times"),
    [
        ("tiny-cancellation", "month", 3),
        ("tiny-deals", "month", 3),
        ("tiny-curve", "quarter", 4),
        ("tiny-locks", "quarter", 4),
        ("tiny-migration", "quarter", 4),
        ("tiny-risk", "quarter", 4),
    ],
)
def test_a_finer_calendar_is_worth_the_same(name: str, resolution: str, times: int) -> None:
    """Without discounting, churn or ramps, and with every date and number of days on whole periods of the coarser
    calendar, shorter periods add nothing: any plan on them can be averaged over each longer one.
    """  # noqa: D205
    instance = base(name)
    assert instance.discount_rate == 0
    assert not instance.tables["pathways"][["ramp_gw_per_month", "churn_per_year"]].notna().any(axis=None)
    finer = change.on_calendar(instance, resolution, instance.periods * times)
    assert worth(finer) == same(worth(instance))
