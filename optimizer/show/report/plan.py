"""The report of a plan: what to do, what it is worth and why, and what all of it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any, Final

import pandas as pd

from gwplan.catalogue.money import MONEY
from gwplan.catalogue.tables import TABLES
from gwplan.instance.cells import shown
from gwplan.kept.run import Run
from gwplan.language.edits import spell
from gwplan.plan import claims as of_instance
from gwplan.plan.claims import STATUSES
from gwplan.plan.first_moves import first_moves
from gwplan.plan.plan import expected_bn
from gwplan.problems import InstanceError
from gwplan.show.charts import decisions, money, over_time, position, scenarios
from gwplan.show.charts.drawing import Chart, worth
from gwplan.show.page import listed, percent
from gwplan.show.report.report import HtmlPage, Report
from gwplan.show.text.brief import (
    buy,
    decisions_now,
    dollars,
    horizon,
    next_decision,
    proof,
    rests_on,
    use_of_delivered,
    value,
    warned,
)
from gwplan.show.text.claims import figure, judged
from gwplan.show.text.decisions import (
    TERMS,
    cancellations,
    deals,
    first_period,
    moves_before_reveal,
    notices,
    offers,
    tree_of_moves,
)
from gwplan.show.text.exposure import book, obligations
from gwplan.show.text.plan import firmness, headline
from gwplan.show.text.values import branches, limits, more_supply, next_gw, use_by_year, worth_by_part
from gwplan.show.view import View
from gwplan.studies import exposure
from gwplan.tree.contracts import TABLES_READ

MOST_SOURCES: Final = 3


def _filed(view: View, row: Mapping[Any, Any]) -> str:
    """Return the terms of a contract beyond a flat price in words, blank where there are none."""
    deliveries = view.instance.filled("deliveries")
    upfront = deliveries["upfront_bn_per_gw"][deliveries["contract"] == row["contract"]].unique()
    since = "" if pd.isna(row["price_from"]) else f" from {_cell(row['price_from'])}"
    later = f", set off from month {row['credit_after_months']:g}" if row["credit_after_months"] else ""
    words = [
        f"price {100 * row['price_growth_per_year']:g} % more a year{since}" * bool(row["price_growth_per_year"]),
        f"{100 * row['prepaid_share']:g} % prepaid {row['prepaid_days']:g} days ahead{later}"
        * bool(row["prepaid_share"]),
        *(f"{rate:g} $bn per GW on arrival" for rate in upfront if rate),
        f"{row['late_credit_bn_per_gw_year']:g} $bn per GW-year late" * bool(row["late_credit_bn_per_gw_year"] > 0),
    ]
    return "; ".join(filter(None, words))


def contracts(report: Report, view: View) -> None:
    """Add the contracts as written, and what is on offer: GW, price, dates, and how each can be left."""
    table = view.instance.filled("contracts")
    gw = view.instance.filled("deliveries").groupby("contract")["gw"].sum()
    ways, on_offer = view.instance.filled("cancellations"), view.instance.filled("offers").set_index("contract")
    rows = []
    for row in table.sort_values("signed", na_position="last", kind="stable").to_dict("records"):
        name, extended = row["contract"], ""
        if name in on_offer.index:
            extended = on_offer.loc[name, "extends"]
            row["signed"] = f"on offer until {_cell(on_offer.loc[name, 'closes'])}"
        who = f"to: {row['vendor'] or 'a customer'}" if row["side"] == "sell" else row["vendor"] or "-"
        rows.append(
            [name, who, row["kind"] or "-", row["pool"],
             f"extends {extended}" if extended else view.gw(float(gw.get(name, 0.0))),
             f"{row['cost_bn_per_gw_year']:g}", _cell(row["signed"]), _cell(row["end"]),
             "yes" if name in set(ways["contract"]) else "no", row["status"] or "not marked", _filed(view, row)]
        )  # fmt: skip
    header = [
        "contract",
        "vendor",
        "kind",
        "pool",
        "GW",
        "$bn per\nGW-year",
        "signed",
        "ends",
        "can be\ncancelled",
        "grade",
        "terms as filed",
    ]
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    shape = "nnnnrrnnnnn"[: len(header)]
    report.say(lambda page: _table(page, ("Contracts", ": as written, GW when all is delivered"), header, rows, shape))
    if len(ways):
        header = ["contract", "notice from", "notice until", "days' notice", "fee, $bn per GW", "at most", "grade"]
        rows = [
            [row["contract"], _cell(row["opens"]), _cell(row["closes"]), f"{row['notice_days']:g}",
             f"{row['fee_bn_per_gw']:g}",
             percent(row["max_share"]) + (", whole or not at all" if row["indivisible"] else ""),
             row["status"] or "not marked"]
            for row in ways.to_dict("records")
        ]  # fmt: skip
        report.say(lambda page: _table(page, ("Ways out of contracts",), header, rows, "nnnrrrn"))
    terms = []
    for name in view.deals("in_force_gw").names:
        said = [
            text.format(view.pathway(column)[name]) for column, text in TERMS.items() if view.pathway(column)[name] > 0
        ]
        terms += [f"{name}: {', '.join(said)}."] if said else []
    if terms:
        report.say(lambda page: page.note(f"Deals end otherwise. {' '.join(terms)}"))


def _table(
    page: HtmlPage, heading: Sequence[str], header: Sequence[str], rows: Sequence[Sequence[str]], align: str
) -> None:
    page.heading(*heading)
    page.table(header, rows, align)


def evidence(report: Report, view: View) -> None:
    """Add what each part of worth rests on: how sure its rows are, and where they come from."""
    rows = []
    for part, amount, frames in _parts(view):
        together = pd.concat(frames) if frames else pd.DataFrame({"status": [], "source": []})
        counts = Counter(together["status"].tolist())
        grades = [f"{counts[status]} {status or 'not marked'}" for status in STATUSES if counts[status]]
        rows.append(
            [part, view.money(amount), listed(grades) or "nothing written", _distinct_sources(together["source"])]
        )
    heading, header = (
        ("What each part of worth rests on", ": rows of the inputs by grade"),
        ["part of worth", "$bn", "rows by grade", "sources"],
    )
    report.say(lambda page: _table(page, heading, header, rows, "nrnn"))
    counts = Counter(status for name in TABLES_READ for status in _written(view, name)["status"])
    total = sum(counts.values())
    sure = ", ".join(f"{counts[s]} {s or 'not marked'}" for s in STATUSES if counts[s])
    outcomes = sum(len(factor.outcomes) for factor in view.instance.factors)
    report.say(
        lambda page: page.note(
            f"Of {total} rows that the plan reads: {sure}."
            + (f" Probabilities and edits of {outcomes} outcomes come on top; they carry no grade." if outcomes else "")
        )
    )


def _parts(view: View) -> Iterator[tuple[str, float, list[pd.DataFrame]]]:
    """Yield each part of worth with its $bn and the rows that it is reckoned from."""
    for pathway, amount in sorted(view.parts["value"].items(), key=lambda item: -item[1]):
        frames = [_written(view, name) for name in MONEY["value"].rests_on]
        yield f"value of {pathway}", amount, [frame[frame["pathway"] == pathway] for frame in frames]
    for name, part in MONEY.items():
        if amount := view.parts.get(name, {}).get("", 0.0):
            yield part.label, amount, [_written(view, table) for table in part.rests_on]


def _written(view: View, name: str) -> pd.DataFrame:
    """Return a table of the instance, its defaults filled in; no rows where the instance does not have it."""
    frame = view.instance.filled(name)
    return frame if name in view.instance.present else frame.iloc[:0]


def _distinct_sources(sources: pd.Series) -> str:
    distinct = [source for source in dict.fromkeys(sources.tolist()) if source]
    more = len(distinct) - MOST_SOURCES
    return "; ".join([*distinct[:MOST_SOURCES], *([f"and {more} more"] if more > 0 else [])]) or "none named"


def rows_as_written(report: Report, view: View) -> None:
    """Add every row of the inputs with its source, grade and note, shown when asked for."""
    for name in TABLES_READ:
        frame = _written(view, name)
        if frame.empty:
            continue
        columns = [c for c in TABLES[name].columns if not frame[c.name].isna().all()]
        annotated = [c for c in ("source", "status", "note") if (frame[c] != "").any()]
        header = [_named(column.name) for column in columns] + ["grade" if c == "status" else c for c in annotated]
        align = ["r" if c.kind in ("number", "integer") else "n" for c in columns] + ["n"] * len(annotated)
        rows = [[_cell(row[c]) for c in [*(c.name for c in columns), *annotated]] for row in frame.to_dict("records")]
        report.more(f"{name}: {len(rows)} rows", header, rows, "".join(align), f"{name}: {TABLES[name].about}")


def _named(column: str) -> str:
    return column.replace("_", " ")


def _cell(value: Any) -> str:
    """Return a cell as a table file holds it; a dash where there is nothing."""
    if isinstance(value, str):
        return value or "-"
    if value is None or pd.isna(value):
        return "-"
    return str(value.date()) if isinstance(value, pd.Timestamp) else shown(value)


WORDS: Final = {
    "GW": "gigawatts of compute capacity that can be used (IT load); a GW-year is one GW used for a year",
    "$bn": "billions of US dollars; worth and cash are discounted to the start of the plan, obligations are not",
    "pathway": "a use of capacity, such as training, ads, a model service or short deals",
    "pool": "capacity of one kind, which any contract that supplies it can serve",
    "idle": "delivered and not cancelled, but in no use",
    "supply as signed": "all that the contracts in force deliver, before any cancellation",
    "supply with offers signed": "that, and what the offers deliver that the plan has signed by then",
    "worth": "what the plan maximises: value of use less costs and penalties, and what contracts hold after its end",
    "marginal value": "what one more GW of a pool for a year would add to worth, before its own cost",
    "future": "one combination of outcomes of all that is uncertain; a branch is what some futures have in common",
    "window": "the dates between which notice may be given; the capacity ends when the notice is over",
    "blank": "in the table of what to do now: the pathway may not use that pool",
    "grade": "how sure a row of the inputs is: reported, estimate, scenario, or assumption",
}
"""Words that a reader may not know."""


def plan_report(run: Run) -> Report:
    """Return the report of a kept run: what to do, what it is worth, on what it rests; annexes are folded."""
    view = View(run.plan)
    applied = view.instance.applied
    report = Report(
        f"Plan of {view.instance.name}",
        [f"{horizon(view)}: {proof(view)}. {view.instance.description or ''}".rstrip(),
         *([f"Changed from the instance as written: {'; '.join(applied)}"] if applied else [])],
    )  # fmt: skip
    for section in (_short, _now, _futures, _worth, _next_gw, _ways_out, _supply, _owed, _sources):
        section(report, view)
    for annex in (_every_move, _book, _as_written, _claims, _rows):
        annex(report, view)
    _certificate(report, run)
    report.section("Words", annex=True)
    report.say(lambda page: page.table(["word", "meaning"], list(map(list, WORDS.items())), "nl"))
    return report


def _chart(report: Report, view: View, name: str, draw: Callable[[View], Chart]) -> None:
    report.chart(name, partial(draw, view), [worth(view)])


def _say(report: Report, view: View, *parts: Callable[[Any, View], None]) -> None:
    report.say(*(partial(_part, part, view) for part in parts))


def _part(part: Callable[[Any, View], None], view: View, page: Any) -> None:
    part(page, view)


def _short(report: Report, view: View) -> None:
    report.section("In short")
    first_cards(report, view)
    _chart(report, view, "GW over time", over_time.gw_over_time)
    _say(report, view, use_by_year)


def first_cards(report: Report, view: View) -> None:
    """Add the cards of the first screen: what to decide, what it is worth, on what that rests."""
    money_top = f'<p class="big">{escape(dollars(expected_bn(view.plan.summary)))}</p>{_strip(view)}'
    cards: tuple[tuple[str, tuple[Callable[[Any, View], None], ...]], ...] = (
        ("", (decisions_now, next_decision, buy)),
        (money_top, (value, use_of_delivered)),
        ("", (rests_on, warned)),
    )
    report.cards(*((top, [partial(_part, part, view) for part in parts]) for top, parts in cards))


STRIP_WIDTH, STRIP_HEIGHT, LARGEST_DOT = 400, 34, 9
"""Of the dots of scenarios along a line of worth, pixels."""


def _strip(view: View) -> str:
    """Return a line from the worst scenario to the best, a dot for each whose area is its probability."""
    if not view.branching:
        return ""
    leaves = view.tree.leaves
    worth, chance = view.worth_of_future[view.tree.example[leaves]], view.tree.probability[leaves]
    low, high = float(worth.min()), float(worth.max())
    ends = [dollars(low), dollars(high)]
    room = STRIP_WIDTH - 2 * LARGEST_DOT

    def at(bn: float) -> float:
        return round(LARGEST_DOT + room * (bn - low) / ((high - low) or 1.0), 1)

    dots = "".join(
        f'<circle cx="{at(bn)}" cy="10" r="{LARGEST_DOT * (share / chance.max()) ** 0.5:.1f}"></circle>'
        for bn, share in zip(worth.tolist(), chance.tolist(), strict=True)
    )
    mean = at(float(worth @ chance))
    words = f"Value by scenario, from {ends[0]} to {ends[1]}; the area of a dot is its probability, the line the mean"
    return (
        f'<svg class="strip" role="img" aria-label="{escape(words)}" viewBox="0 0 {STRIP_WIDTH} {STRIP_HEIGHT}">'
        f'{dots}<path d="M{mean},0v20"></path><text x="0" y="32">worst {ends[0]}</text>'
        f'<text x="{mean}" y="32" text-anchor="middle">mean</text>'
        f'<text x="{STRIP_WIDTH}" y="32" text-anchor="end">best {ends[1]}</text></svg>'
    )


def _now(report: Report, view: View) -> None:
    report.section("What to do first")
    _say(report, view, first_period)
    report.say(partial(moves_before_reveal, **_moves(view)))


def _moves(view: View) -> dict[str, Any]:
    """Return what the parts on first moves are told."""
    return {
        "branches": first_moves(view.plan.laid_out, view.plan.decided),
        "peak_gw": view.peak_gw,
        "rest": "gwplan uncertainty --json",
    }


def _futures(report: Report, view: View) -> None:
    if not view.branching:
        return
    report.section("What the future decides")
    _chart(report, view, "value by scenario", scenarios.worth_by_scenario)
    _say(report, view, branches)
    rows = [
        [factor.name, str(factor.revealed), outcome.name, percent(view.chance(f, o)),
         "; ".join(map(spell, outcome.edits)) or "nothing"]
        for f, factor in enumerate(view.instance.factors) for o, outcome in enumerate(factor.outcomes)
    ]  # fmt: skip
    header = ["what is uncertain", "known from", "outcome", "chance", "what it changes in the inputs"]
    report.more("What each outcome changes", header, rows, "nnnrn")
    _chart(report, view, "GW by scenario", scenarios.lines)
    _chart(report, view, "one scenario", scenarios.branches)


def _every_move(report: Report, view: View) -> None:
    if view.branching:
        report.section("What is decided on each branch", annex=True)
        report.say(partial(tree_of_moves, **_moves(view)))


def _worth(report: Report, view: View) -> None:
    report.section("What it is worth")
    _say(report, view, headline)
    _chart(report, view, "worth", money.waterfall)
    _say(report, view, worth_by_part)


def _next_gw(report: Report, view: View) -> None:
    report.section("What the next GW is worth")
    _chart(report, view, "marginal values", money.marginal_values)
    _say(report, view, next_gw, more_supply, limits)


def _ways_out(report: Report, view: View) -> None:
    report.section("Cancellations and deals")
    _chart(report, view, "cancellations", decisions.cancellations)
    _say(report, view, offers)
    _say(report, view, cancellations)
    _every_notice(report, view)
    _chart(report, view, "deals", decisions.deals)
    _say(report, view, deals)


def _every_notice(report: Report, view: View) -> None:
    """Add every notice of cancellation with the future in which it is given, shown when asked for."""
    every, nodes = notices(view), view.plan.tables["nodes"]
    known = dict(zip(nodes["node"].tolist(), nodes["known"].tolist(), strict=True))
    rows = [
        [view.dates[int(view.tree.period[node])], known[node] or "every future",
         percent(float(view.tree.probability[node])), str(every.contract[i]), view.gw(float(every.gw[i])),
         percent(float(every.share[i])), str(every.effective[i].astype("datetime64[D]")),
         view.money(float(every.fee_bn[i]))]
        for i, node in enumerate(every.node.tolist())
    ]  # fmt: skip
    if rows:
        header = ["notice given", "in the future", "chance", "contract", "GW", "of it by then", "ends", "fee, $bn"]
        report.more("Every notice, by future", header, rows, "nnrnrrnr")


def _supply(report: Report, view: View) -> None:
    report.section("Contracts and deliveries")
    _chart(report, view, "deliveries", position.ramp)
    _chart(report, view, "what was signed", position.signed_by_quarter)
    _chart(report, view, "prices", position.price_premium)
    _chart(report, view, "idle GW", over_time.idle_over_time)


def _as_written(report: Report, view: View) -> None:
    report.section("Contracts as written", annex=True)
    contracts(report, view)


def _owed(report: Report, view: View) -> None:
    report.section("What is owed")
    _chart(report, view, "obligations", money.obligations_by_year)
    owing = exposure.obligations(view.plan)
    report.say(partial(obligations, owed=owing))


def _book(report: Report, view: View) -> None:
    report.section("Book of obligations", annex=True)
    report.say(partial(book, figures=exposure.book(view.plan)))


def _claims(report: Report, view: View) -> None:
    report.section("Claims", annex=True)
    try:
        verdicts = of_instance.judged(view.instance, lambda: view.plan.summary)
    except InstanceError as error:  # a claim may name what an edit took away; the plan does not rest on it
        report.note(f"The claims cannot be judged: {'; '.join(map(str, error.problems))}")
        return
    report.say(partial(judged, claims=verdicts))
    if verdicts:
        rows = [
            [
                c.claim,
                c.statement,
                f"{figure(c.reported)} {c.unit}",
                f"{figure(c.figure)} {c.unit}",
                c.verdict,
                c.source,
            ]
            for c in verdicts
        ]
        header = ["claim", "statement", "reported", "the data give", "verdict", "source"]
        report.more("What each claim says, and its source", header, rows, "nnrrnn")


def _sources(report: Report, view: View) -> None:
    report.section("What the plan rests on")
    evidence(report, view)
    _chart(report, view, "grades", position.grades)
    _say(report, view, firmness)


def _rows(report: Report, view: View) -> None:
    report.section("Inputs, row by row", annex=True)
    rows_as_written(report, view)


def _certificate(report: Report, run: Run) -> None:
    report.section("Can it be trusted", annex=True)
    summary, manifest = run.summary, run.manifest
    certificate = summary["certificate"]
    report.note(
        "The solver's answer was recomputed from the input tables by code that does not share its source, and proved "
        "from its duals. These are the figures of that proof."
    )
    facts = [("Status", str(summary["status"]).replace("_", " "), "what the solver ended with")]
    meanings = {
        "primal_infeasibility": ("Largest limit broken", "relative; 0 is none"),
        "dual_infeasibility": ("Largest dual infeasibility", "relative; 0 is none"),
        "gap": ("Gap", "relative: by how much more a plan could be worth at the most"),
        "mip_gap": ("MIP gap", "relative: what the search for whole offers, cancellations and blocks left open"),
        "bound_bn": ("Bound", "$bn: no plan is worth more"),
        "recomputed_objective_bn": ("Worth, recomputed", "$bn, from the input tables"),
    }
    for name, (label, meaning) in meanings.items():
        if certificate.get(name) is not None:
            facts.append((label, _precise(name, float(certificate[name])), meaning))
    facts.append(("Futures", f"{int(summary['scenarios']):,}", f"on {int(summary['nodes']):,} nodes of the tree"))
    report.facts(facts)
    warnings = manifest.get("warnings", ())
    report.say(partial(_warnings, warnings=warnings))
    report.more("How the plan was made", ["", ""], _made(manifest), "nl")


def _warnings(page: HtmlPage, warnings: Sequence[str]) -> None:
    page.heading(f"Warnings on the instance: {len(warnings)}")
    for warning in warnings:
        page.item(warning)


def _precise(name: str, value: float) -> str:
    return f"{value:.6f}" if name.endswith("_bn") else f"{value:.1e}"


def _made(manifest: Mapping[str, Any]) -> list[list[str]]:
    rows = [["instance", str(manifest["instance"])], ["made", str(manifest["created"])]]
    rows += [["edit", str(edit)] for edit in manifest["edits"]]
    rows += [[f"version of {name}", str(version)] for name, version in manifest["versions"].items()]
    rows += [[f"seconds: {phase}", f"{seconds:.2f}"] for phase, seconds in manifest["timings"].items()]
    rows.append(["sha256 of the instance", str(manifest["digest"])])
    return rows + [[f"sha256 of {name}", str(digest)] for name, digest in manifest["files"].items()]
