"""The figures of the case's pages, each computed when a page asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

import gwplan as gw
from gwplan.instance.instance import Instance
from gwplan.models.tree import FloatArray
from gwplan.plan.claims import Claim, judged
from gwplan.session import Answer, Session
from gwplan.show.text.values import average_prices, known_means
from gwplan.show.view import View
from gwplan.studies.attempt import Solved
from gwplan.studies.uncertainty import dedicated, expected_result, foresight, rigid
from tests.cli.conftest import in_process

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "instances/meta-2026h1"

WITHOUT = {
    "ads": "demand[pathway=ads].cap_gw = 0",
    "platform": "demand[pathway=platform].cap_gw = 0",
    "deals": "demand[pathway=deals].cap_gw = 0",
}
"""Edits that close an outlet."""

CASES: dict[str, tuple[str, ...]] = {
    "without-ads": (WITHOUT["ads"],),
    "without-platform-and-deals": (WITHOUT["platform"], WITHOUT["deals"]),
    "without-ramps": ('pathways.ramp_gw_per_month = ""',),
    "lags-without-outlets": ("msl-lags", "no-cancellation", *WITHOUT.values()),
    "tenfold-msl-as-printed": (
        "prices-reconciled",
        "value[pathway=msl].value_bn_per_gw_year *= 0.1",
        "pathways[pathway=msl].shortfall_penalty_bn_per_gw_year *= 0.1",
    ),
}
"""Cases beside the instance's own what-ifs: what-ifs and edits, applied in turn."""

Figure = float | str


@cache
def instance() -> Instance:
    """Return the reference instance."""
    return gw.load(ROOT / SOURCE)


@cache
def session() -> Session:
    """Return it solved."""
    return Session(instance())


@cache
def answer(case: str = "base") -> Answer:
    """Return the answer to a case: ``base``, a what-if of the instance, or one of `CASES`."""
    if case == "base":
        return session().base
    whatifs = instance().whatifs
    return session().solve([whatifs.get(change, change) for change in CASES.get(case, (case,))])


@cache
def view(case: str = "base") -> View:
    """Return a case's plan laid out by name and node."""
    return View(answer(case).plan)


def worth(case: str = "base") -> float:
    """Return a case's worth, $bn."""
    return answer(case).objective_bn


def lost(case: str) -> float:
    """Return how much less than the base a case is worth, $bn."""
    return worth() - worth(case)


def part(name: str, case: str = "base") -> float:
    """Return a component of worth, or a pathway's value, $bn."""
    components = answer(case).summary["components_bn"]
    return float(components["value"][name] if name in components["value"] else components[name])


def summary(name: str, case: str = "base") -> float:
    """Return one figure of a case's summary."""
    return float(answer(case).summary[name])


def gw_years(pathway: str, case: str = "base") -> float:
    """Return expected GW-years of a pathway; 0 where the case has none of the name."""
    return float(answer(case).summary["expected_gw_years"].get(pathway, 0.0))


def used(pathway: str, year: str) -> float:
    """Return GW of a pathway, mean of a year, expected."""
    return float(view().use.of(pathway) @ _year(year))


def next_gw(pool: str, year: str) -> float:
    """Return what one more GW of a pool would add, mean of a year, $bn per GW-year."""
    spans = view().spans(99)
    values = view().marginal("supply")
    means = known_means(view(), values, spans)
    return float(means[values.names.index(pool), _span(year)])


def price(pool: str, year: str) -> float:
    """Return the average contract price of a pool in a year, $bn per GW-year."""
    return float(average_prices(view(), view().spans(99))[pool][_span(year)])


def idle_most() -> float:
    """Return the most GW that stand idle in any month of any future."""
    return float(view().idle.total.max())


def idle_worst() -> str:
    """Return when and where that is."""
    node = int(view().idle.total.argmax())
    return f"{view().dates[int(view().tree.period[node])][:7]} ({view().plan.tables['nodes']['known'][node]})"


@cache
def cancelled(case: str = "base") -> FloatArray:
    """Return GW cancelled in the end by scenario."""
    looked = view(case)
    table = looked.plan.cancellations
    if table.empty:
        return np.zeros(len(looked.tree.node_of))
    by_contract = looked.matrix("cancellations", "contract", "gw").values
    total: FloatArray = by_contract[:, looked.tree.node_of].max(axis=2).sum(axis=0)
    return total


def cancelled_expected(case: str = "base") -> float:
    """Return GW cancelled in the end, expected."""
    looked = view(case)
    return float(cancelled(case) @ looked.tree.probability[looked.tree.node_of[:, -1]])


def cancelled_range(outcome: str) -> str:
    """Return the least and most GW cancelled where MSL has an outcome."""
    looked = view()
    known = looked.plan.tables["nodes"]["known"].to_numpy()[looked.tree.node_of[:, -1]]
    mine = [gw for gw, text in zip(cancelled(), known, strict=True) if f"msl_progress={outcome}" in text]
    return f"{min(mine):.1f} to {max(mine):.1f}"


def futures_without_cancellation() -> str:
    """Return in how many futures nothing is cancelled."""
    return str(int((cancelled() < 0.005).sum()))


def evpi() -> float:
    """Return what it would be worth to know the future: scenarios solved alone, weighted, less the plan; $bn."""
    tree = session().base.laid_out.data.tree
    return float(foresight(session()) @ tree.probability[tree.leaves]) - worth()


def reallocation() -> float:
    """Return what it is worth to split anew as futures unfold, against one split for all of them; $bn."""
    return told(rigid(session()))


def fungibility() -> float:
    """Return what it is worth that GW are fungible, against fixed parts of each pool; $bn."""
    return told(dedicated(session()))


def vss() -> float:
    """Return what planning for all futures adds to following the plan as written until the first reveal; $bn."""
    return told(expected_result(session()))


def told(case: Solved) -> float:
    """Return by how much a case lies below the plan, $bn."""
    less = case.lost(worth())
    assert less is not None, case.reason
    return less


def swing(share: str, *edit: str) -> float:
    """Return the change of worth when cells are multiplied: ``0.8 pathways[pathway=ads].realisation``."""
    return session().solve(f"{' '.join(edit)} *= {share}").objective_bn - worth()


@cache
def claims() -> dict[str, Claim]:
    """Return the claims, judged."""
    return {claim.claim: claim for claim in judged(instance(), lambda: answer().summary)}


def claimed(name: str) -> float:
    """Return what the data give for a claim."""
    return claims()[name].figure


def claims_that(verdict: str) -> str:
    """Return how many claims ``hold`` or ``fail``."""
    return str(sum((claim.verdict == "holds") == (verdict == "hold") for claim in claims().values()))


@cache
def printed(*arguments: str) -> str:
    """Return what a command prints on 80 columns."""
    done = in_process([word.replace(SOURCE, str(ROOT / SOURCE)) for word in arguments])
    if done.exit_code != 0:
        raise AssertionError(f"gwplan {' '.join(arguments)}: {done.output}")
    return done.stdout


def shown(words: str) -> str:
    """Return a command with a part of its output: ``claims instances/... | from words of a heading``."""
    command, _, heading = (text.strip() for text in words.partition("|"))
    lines = printed(*command.split()).splitlines()
    if heading:
        first = next(i for i, line in enumerate(lines) if line.startswith(heading))
        last = next((i for i in range(first, len(lines)) if not lines[i]), len(lines))
        lines = ["..."] * (first > 0) + lines[first:last] + ["..."] * (last < len(lines))
    return "\n".join(["```console", f"$ gwplan {command}", *lines, "```"])


def rows_of_claims(words: str) -> str:
    """Return claims as rows of a table, by name."""
    found = []
    for name in words.split():
        claim = claims()[name]
        sign = {"about": "", "at_least": "≥ ", "at_most": "≤ "}[claim.relation]
        ratio = "-" if claim.ratio is None else f"{claim.ratio:.2g}"
        found.append(
            f"| {claim.statement} | {sign}{claim.reported:g} | {claim.figure:.3g} | {claim.unit} | {ratio} | "
            f"{claim.verdict} | {claim.grade} | {claim.rests_on} |"
        )
    return "\n".join(found)


def rows_of_whatifs(_: str = "") -> str:
    """Return the what-ifs as rows of a table: worth, GW-years by pathway, idle, cancelled."""
    rows = []
    for name in ("base", *instance().whatifs):
        years = " | ".join(f"{gw_years(p, name):.2f}" for p in ("msl", "ads", "platform", "deals"))
        title = name if name == "base" else f"`{name}`"
        idle = summary("idle_gw_years", name)
        rows.append(f"| {title} | {worth(name):.2f} | {years} | {idle:.2f} | {cancelled_expected(name):.2f} |")
    return "\n".join(rows)


def rows_of_bases(_: str = "") -> str:
    """Return the plan on the printed and on the tenfold price basis, side by side."""
    cases = ("base", "prices-reconciled", "tenfold-msl-as-printed")
    rows: list[tuple[str, Callable[[str], float]]] = [
        ("worth, $bn", worth),
        ("cash (NPV), $bn", lambda case: summary("npv_bn", case)),
        ("cost of contracts, $bn", lambda case: part("contract_cost", case)),
        *((f"{p}, GW-years", lambda case, p=p: gw_years(p, case)) for p in ("msl", "ads", "platform", "deals")),
        *((f"value of {p}, $bn", lambda case, p=p: part(p, case)) for p in ("msl", "ads", "platform", "deals")),
        ("idle GW-years", lambda case: summary("idle_gw_years", case)),
        ("GW cancelled, expected", cancelled_expected),
    ]
    return "\n".join(f"| {name} | " + " | ".join(f"{find(case):.2f}" for case in cases) + " |" for name, find in rows)


def _span(year: str) -> int:
    return next(i for i, span in enumerate(view().spans(99)) if span.label.startswith(year))


def _year(year: str) -> FloatArray:
    return view().means(view().spans(99))[:, _span(year)]


FIGURES: dict[str, Callable[..., Figure]] = {
    function.__name__: function
    for function in (
        worth, lost, part, summary, gw_years, used, next_gw, price, idle_most, idle_worst, cancelled_expected,
        cancelled_range, futures_without_cancellation, evpi, reallocation, fungibility, vss, swing, claimed,
        claims_that,
    )
}  # fmt: skip
"""What a page may ask for, with words as arguments."""

BLOCKS: dict[str, Callable[[str], str]] = {
    "shown": shown,
    "rows_of_claims": rows_of_claims,
    "rows_of_whatifs": rows_of_whatifs,
    "rows_of_bases": rows_of_bases,
}
"""What a page may ask for on lines of its own, with the rest of the line as the argument."""
