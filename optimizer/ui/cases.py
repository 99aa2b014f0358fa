"""What the page shows of a case: figures beside the base's, what to do now and next, GW, and the chart's rows."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.plan_tables import COLUMNS
from gwplan.models.tree import FloatArray
from gwplan.plan.plan import Plan, expected_bn
from gwplan.plan.tables import decision_changes, first_period_gw, makers, quantile
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.session import Answer
from gwplan.show import theme
from gwplan.show.charts import drawing, over_time
from gwplan.show.page import Page, decimals, formatter, listed, number, percent, signed
from gwplan.show.text import brief
from gwplan.show.view import Span, View
from gwplan.studies.compare import GROUPS, Figure, figures

WIDE, NARROW = 880, 358
"""Widths for which the chart is drawn: for screens, and for phones; pixels."""

HEADROOM: Final = 1.25
"""How far above the base's supply the chart's scale reaches, so that a case need not change it."""

MOST_LINES: Final = 400
"""Letters in a line of what is printed: none is broken."""

CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ "

MOST_YEARS: Final = 12

LIKELY: Final = (0.1, 0.9)
"""Quantiles of worth between which 80% of futures lie."""


class _Lazy(Mapping[str, pd.DataFrame]):
    """Tables of a plan, each made when it is first asked for; those that take duals are empty."""

    def __init__(self, makers: Mapping[str, Callable[[], pd.DataFrame]]) -> None:
        self._makers = makers
        self._made: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._made:
            make = self._makers.get(name, lambda: pd.DataFrame(columns=list(COLUMNS[name])))
            self._made[name] = make()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


@dataclass(frozen=True)
class CaseView:
    """A plan as the page shows it."""

    view: View
    worth_bn: FloatArray  # worth in each future, $bn, in the order of the tree's leaves
    warnings: tuple[str, ...]

    @cached_property
    def figures(self) -> dict[Figure, float]:
        """The figures that ``gwplan whatif`` gives of the same case, but for marginal values, each in its unit."""
        return {each: value for each, value in figures(self.view.plan).items() if each.group != "marginal_value"}

    @cached_property
    def chances(self) -> FloatArray:
        """Probability of each future."""
        tree = self.view.tree
        chances: FloatArray = tree.probability[tree.leaves]
        return chances


def of_answer(answer: Answer) -> CaseView:
    """Return an answer as a case; its tables are made as far as they are shown."""
    tables = _Lazy(makers(answer.laid_out, answer.decided))
    plan = Plan(
        answer.instance, answer.status, answer.summary, tables, _laid_out=answer.laid_out, _decided=answer.decided
    )
    return CaseView(View(plan), answer.leaf_worth, tuple(map(str, answer.warnings)))


def of_run(plan: Plan) -> CaseView:
    """Return a plan that was kept as a case."""
    view = View(plan)
    return CaseView(view, view.worth_of_future[view.tree.example[view.tree.leaves]], plan.warnings)


@dataclass(frozen=True)
class Look:
    """How a page is shown, and what it has of the chart already."""

    dark: bool = False
    narrow: bool = False
    chart: str = ""  # what the page has of the chart
    scenario: tuple[tuple[str, str], ...] = ()  # outcome of each factor that is looked at; the others are averaged over


def looked_at(said: Any) -> Look:
    """Return how a page says that it is shown."""
    if not isinstance(said, dict) or not isinstance(said.get("scenario", {}), dict):
        raise InstanceError(Problem("the page's look", "cannot be read", "a table", "reload the page"))
    pairs = said.get("scenario", {}).items()
    if not all(isinstance(word, str) for pair in pairs for word in pair):
        raise InstanceError(Problem("the scenario", "cannot be read", "an outcome for each factor", "reload the page"))
    return Look(bool(said.get("dark")), bool(said.get("narrow")), str(said.get("chart", ""))[:64], tuple(pairs))


def looked_from(view: View, look: Look) -> tuple[FloatArray, float, str]:
    """Return each node's probability in the scenario looked at, the probability of that, and it in words.

    Of a factor that the case knows already, or that does not split its tree, nothing is left to choose.
    """
    chosen, words = {}, []
    for name, outcome in look.scenario:
        for factor in (f for f in view.branching if view.instance.factors[f].name == name):
            names = [each.name for each in view.instance.factors[factor].outcomes]
            if outcome not in names:
                raise InstanceError(Problem(f"scenario {name}={outcome}", "no such outcome", nearest(outcome, names)))
            chosen[factor] = names.index(outcome)
            words.append(view.outcome(factor, chosen[factor]))
    probability, chance = view.given(chosen) if chosen else (view.tree.probability, 1.0)
    return probability, chance, listed(words)


def shown(case: CaseView, base: CaseView | None, look: Look) -> dict[str, Any]:
    """Return all that the page shows of a case, as plain data; texts are not markup."""
    view, other = case.view, base.view if base else None
    probability, chance, scenario = looked_from(view, look)
    before = looked_from(other, look)[0] if other else None
    return {
        "figures": _figures(case, base),
        "facts": _facts(case, base),
        "scenario": {"words": scenario, "chance": percent(chance), "worth": _given_worth(case, probability)},
        "now": _now(view, other),
        "next": [line.removesuffix(": --show contracts") for line in _lines(brief.next_decision, view)],
        "years": _years(view, other, probability, before),
        "contracts": _contracts(case, base),
        "warnings": list(case.warnings),
        "offers": view.instance.tables["offers"]["contract"].tolist(),
        "chart": _chart(view, other, probability, before, look),
    }


def _figures(case: CaseView, base: CaseView | None) -> list[list[Any]]:
    """Return each figure's group, name, unit, value (none: nothing to tell), text, and text of the base."""
    rows: list[list[Any]] = []
    for each, value in case.figures.items():
        known = value if math.isfinite(value) else None
        before = base.figures.get(each, math.nan) if base else math.nan
        text, was = (number(figure, decimals([value])) for figure in (value, before))
        rows.append([each.group, each.name, GROUPS[each.group], known, text, was])
    return rows


def _given_worth(case: CaseView, probability: FloatArray) -> str:
    """Return the worth expected in the scenario that is looked at."""
    return brief.dollars(float(probability[case.view.tree.leaves] @ case.worth_bn))


def _facts(case: CaseView, base: CaseView | None) -> list[dict[str, str]]:
    """Return the figures at the top: each its name, text, text of the base and the difference, and what it means."""
    rows = []
    mine, its = _money(case), _money(base) if base else {}
    for name, (value, about) in mine.items():
        row = {"name": name, "text": brief.dollars(value), "about": about, "base": "", "change": ""}
        if name in its:
            row["base"] = brief.dollars(its[name][0])
            row["change"] = _change(value, its[name][0])
        rows.append(row)
    used = [sum(each.view.plan.summary["expected_gw_years"].values()) for each in (case, base) if each]
    write = formatter(used)
    row = {"name": "In use", "text": f"{write(used[0])} GW-years", "about": "by all pathways, expected", "base": "",
           "change": ""}  # fmt: skip
    if base:
        change = signed(write(used[0] - used[-1]))
        row |= {"base": f"{write(used[-1])} GW-years", "change": change if float(change) else "no change"}
    return [*rows, row]


def _change(value: float, before: float) -> str:
    text = brief.dollars(value - before, sign=True)
    return "no change" if text.endswith("$0") else text


def _money(case: CaseView) -> dict[str, tuple[float, str]]:
    """Return the money at the top, $bn, and what each means."""
    view, worth, chances = case.view, case.worth_bn, case.chances
    summary, aversion = view.plan.summary, view.instance.aversion
    rows: dict[str, tuple[float, str]] = {}
    if aversion:
        rows["Objective"] = (view.plan.objective_bn, f"what the plan maximises: {aversion:g} of it the worst futures")
    rows["Worth"] = (expected_bn(summary) if aversion else view.plan.objective_bn, view.weighed)
    rows["Cash (NPV)"] = (view.plan.npv_bn, "the part of worth that is cash within the plan")
    if len(worth) > 1:
        least, most = int(worth.argmin()), int(worth.argmax())
        low, high = (quantile(worth, chances, share) for share in LIKELY)
        likely = f"80% of futures: {brief.dollars(low)} to {brief.dollars(high)}"
        rows["Worst scenario"] = (float(worth[least]), f"probability {percent(float(chances[least]))}")
        rows["Best scenario"] = (float(worth[most]), f"probability {percent(float(chances[most]))}; {likely}")
    return rows


def _now(view: View, other: View | None) -> dict[str, Any]:
    """Return the decision of the first period, whether it is another than the base's, and both in words."""
    mine = first_period_gw(view.plan.decided)
    its = first_period_gw(other.plan.decided) if other else mine
    changes = decision_changes(its, mine)
    rows = [[name, view.gw(its.get(name, 0.0)), view.gw(mine.get(name, 0.0))] for name in dict.fromkeys([*its, *mine])]
    month = {"month": "This month", "quarter": "This quarter", "year": "This year"}[view.instance.resolution]
    lines, before = _lines(brief.decisions_now, view), _lines(brief.decisions_now, other) if other else None
    moves = ", ".join(f"{name} {view.gw(was)} -> {view.gw(now)} GW" for name, was, now in changes)
    words = f"{month} changes: {moves}" if changes else f"{month} does not change"
    if not changes and before is not None and lines != before:
        words = f"{month}: the same GW for every pathway, other acts or pools"
    changed = {name for name, _, _ in changes}
    return {
        "words": words,
        "changed": bool(changes) or (before is not None and lines != before),
        "lines": lines[1:],
        "when": lines[0],
        "rows": [[*row, row[0] in changed] for row in rows],
    }


def _lines(part: Callable[[Page, View], None], view: View) -> list[str]:
    """Return what a part of the printed plan says, a line each; the first is its title."""
    page = Page(width=MOST_LINES)
    part(page, view)
    title, *rest = [" ".join(text.split()) for text, _ in page.lines] or [""]
    capitals = title[: len(title) - len(title.lstrip(CAPITALS))]
    return [capitals.capitalize() + title[len(capitals) :], *rest]


def _years(view: View, other: View | None, probability: FloatArray, before: FloatArray | None) -> dict[str, Any]:
    """Return GW by pathway and year, mean of the year in the scenario looked at, beside the base's."""
    spans = view.spans(MOST_YEARS)
    mine = _by_year(view, spans, probability)
    its = _by_year(other, spans, before) if other is not None and before is not None else None
    rows = []
    for name in dict.fromkeys([*(its or ()), *mine]):
        here, was = (table.get(name, np.zeros(len(spans))) for table in (mine, its or {}))
        cells = [
            {"gw": view.gw(gw), "change": _gw_change(view, gw - was[at]) if its is not None else ""}
            for at, gw in enumerate(here)
        ]
        rows.append({"name": name, "cells": cells})
    return {"spans": [" ".join(span.label.split("\n")) for span in spans], "rows": rows}


def _by_year(view: View, spans: list[Span], probability: FloatArray) -> dict[str, FloatArray]:
    means = view.sums(spans, probability) / np.array([span.periods.sum() for span in spans])
    rows = {name: view.use.of(name) @ means for name in view.use.names}
    sold = {f"sold: {name}": gw @ means for name, gw in zip(view.sold.names, view.sold.values, strict=True)}
    return {**rows, **sold, "idle": view.idle.total @ means, "cancelled": view.cancelled.total @ means}


def _gw_change(view: View, gw: float) -> str:
    text = signed(view.gw(gw))
    return text if float(text) else ""


def _contracts(case: CaseView, base: CaseView | None) -> list[dict[str, Any]]:
    """Return the contracts of which something is given back or signed, expected GW, beside the base's."""
    view, rows = case.view, []
    for group, verb in (("cancelled_gw", "given back"), ("signed_gw", "signed")):
        mine = {each.name: gw for each, gw in case.figures.items() if each.group == group}
        its = {each.name: gw for each, gw in base.figures.items() if each.group == group} if base else {}
        for name in dict.fromkeys([*its, *mine]):
            here, was = mine.get(name, 0.0), its.get(name, 0.0)
            if max(here, was) >= view.least_gw or group == "signed_gw":
                change = _gw_change(view, here - was) if base else ""
                rows.append({"name": name, "what": verb, "gw": view.gw(here), "base": view.gw(was) if base else "",
                             "change": change})  # fmt: skip
    return rows


def _chart(
    view: View, other: View | None, probability: FloatArray, before: FloatArray | None, look: Look
) -> dict[str, Any]:
    """Return GW by pathway over time, what the base has in use as a line: the chart's rows, and it itself if new."""
    layers = over_time.use_layers(view, over_time.expected(view, probability))
    line = over_time.supply_line(view, layers[-1].top)
    reach = max(float(line.top.max(initial=0.0)), _reach(other or view) * HEADROOM) or 1.0
    times, was = drawing.periods(view), None
    if other is not None and before is not None:
        was = other.use.total @ over_time.expected(other, before)
    rows = [times.steps(bottom=layer.bottom, top=layer.top) for layer in layers]
    rows += [times.steps(top=top) for top in (line.top, was) if top is not None]
    drawn = over_time.stack(view, times, layers, line, "GW by pathway", [], highest=reach)
    fixed = (
        *((each.text, str(each.fill)) for each in drawn.key),
        *times.ends,
        reach,
        was is None,
        look.dark,
        look.narrow,
    )
    key = hashlib.sha256(repr(fixed).encode()).hexdigest()[:16]
    entries = [{"text": each.text, "fill": _fill(each.fill, dark=look.dark)} for each in drawn.key]
    entries += [{"text": "in use in the base", "fill": "dashed"}] if was is not None else []
    chart = {"key": key, "rows": {f"rows{at}": each for at, each in enumerate(rows)}, "entries": entries}
    return chart if look.chart == key else {**chart, "spec": _spec(drawn, times, was, reach, look)}


def _spec(
    drawn: drawing.Drawing, times: drawing.Times, was: FloatArray | None, reach: float, look: Look
) -> dict[str, Any]:
    """Return the chart itself, which is the same for every case of these layers: its rows are given by name."""
    marks = drawn.marks

    def both(frame: drawing.Frame) -> list[Any]:
        dashed = {"color": theme.INK, "strokeWidth": 2.2, "strokeDash": [2, 3]}
        base = [] if was is None else [drawing.line(frame, times, was, drawing.amount("GW", reach), **dashed)]
        return [*marks(frame), *base]

    page = replace(drawn, marks=both, spots=None).on_page(NARROW if look.narrow else WIDE, 300)
    spec: dict[str, Any] = page
    for place, layer in enumerate(spec["layer"]):
        layer["data"] = {"name": f"rows{place}"}
    return dict(_in_dark(spec)) if look.dark else spec


def _reach(view: View) -> float:
    return float((view.delivered.total @ over_time.expected(view)).max(initial=0.0))


def _in_dark(part: Any) -> Any:
    """Return a chart, or a part of it, in the colours of a dark page."""
    if isinstance(part, dict):
        return {key: _in_dark(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_in_dark(value) for value in part]
    if isinstance(part, str):
        colour = "#ffffff" if part == "white" else part
        return theme.in_dark(colour) if colour.startswith("#") and len(colour) == 7 else part
    return part


def _fill(fill: theme.Fill, *, dark: bool) -> str:
    """Return a colour; stripes and lines by their name."""
    if isinstance(fill, str):
        return theme.in_dark(fill) if dark else fill
    return "stripes" if isinstance(fill, dict) else "line"
