"""The printed backtest: worth by policy, differences path by path, what may be chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.show.page import Page, formatter, listed, number, signed
from gwplan.studies.backtest.paths import NO_EVIDENCE
from gwplan.studies.backtest.policies import policy, rank
from gwplan.studies.backtest.score import CONFIDENCE, FORESIGHT

MOST_REASONS: Final = 3
"""Reasons why there is no plan that are printed of each policy."""


def backtest(page: Page, about: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Show what the policies came to, and by how much the re-plan is better or worse than each."""
    settings, cases = about["settings"], tables["cases"]
    along = "the tree's own leaves" if settings["paths"] == "leaves" else f"{len(cases)} paths, seed {settings['seed']}"
    page.heading("Backtest", f" of {about['instance']}: {along}, reviewed every {settings['review']}")
    if settings["paths"] == "leaves":
        page.note(f"No evidence: {NO_EVIDENCE}.")
    if not len(tables["policies"]) or not tables["policies"]["paths"].any():
        page.note("No policy has a plan on any path.")
        return
    what_they_are(page, tables["policies"], settings)
    worth(page, tables["policies"])
    without_plan(page, tables)
    if len(tables["pairs"]):
        differences(page, tables)
    if settings["paths"] != "leaves":
        page.heading("In words", "")
        for line in tables["sentences"]["sentence"]:
            page.note(line)


def what_they_are(page: Page, policies: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """Say what each policy does."""
    rules = {name for name, _ in settings["rules"]}
    rows = [[name, "a table of rules" if name in rules else _about(name)] for name in policies["policy"]]
    page.table(["policy", "what it does at a review"], rows, "ll")


def _about(name: str) -> str:
    if rank(name)[0] < 0 and name != FORESIGHT:
        return "a function"
    if name == FORESIGHT:
        return "the best plan of the path, known from the start: a bound"
    return policy(name).about


def worth(page: Page, policies: pd.DataFrame) -> None:
    """Show realised worth by policy: mean, quantiles, regret against foresight; idle capacity and fees."""
    page.heading("Realised worth", ", $bn discounted, counted by the audit; the simplest policies first")
    money = formatter(policies["mean_worth_bn"])
    rows = [
        [
            row["policy"],
            *(money(row[name]) for name in ("mean_worth_bn", "worth_q05_bn", "worth_q50_bn", "worth_q95_bn")),
            money(row["mean_regret_bn"]),
            str(row["best_in"]) if row["policy"] != FORESIGHT else "",
            number(row["idle_gw_years"], 2),
            number(row["fees_bn"], 2),
        ]
        for row in policies.to_dict("records")
    ]
    page.table(["policy", "mean", "5 %", "50 %", "95 %", "regret", "best\nin", "idle\nGW-years", "fees\n$bn"], rows)


def without_plan(page: Page, tables: Mapping[str, pd.DataFrame]) -> None:
    """Say which policies came into a state from which no plan keeps every limit, and why."""
    cases = tables["cases"]
    for row in tables["policies"].to_dict("records"):
        column = f"reason[{row['policy']}]"
        if row["without_plan"] and column in cases:
            reasons = cases[column].dropna().value_counts()
            said = [f"{reason} ({count})" for reason, count in list(reasons.items())[:MOST_REASONS]]
            page.note(f"{row['policy']} has no plan on {row['without_plan']} of {len(cases)} paths: {'; '.join(said)}.")


def differences(page: Page, tables: Mapping[str, pd.DataFrame]) -> None:
    """Show how much better or worse the measure is than each other policy on the same paths, and by which decisions."""
    pairs = tables["pairs"].merge(tables["decisions"], on=["policy", "against"])
    measure = pairs["against"].iloc[0]
    page.heading(f"{measure} against the others", f", $bn on the same paths, {CONFIDENCE:.0%} intervals of the mean")
    write = formatter(pairs[["difference_bn", "low_bn", "high_bn"]].to_numpy().ravel())
    decided = ["allocate_bn", "give_back_bn", "sign_bn"]
    shown = [name for name in decided if pairs[name].abs().max() > 0]
    part = formatter(pairs[shown].to_numpy().ravel())
    rows = [
        [
            row["policy"],
            _signed(write, row["difference_bn"]),
            f"{_signed(write, row['low_bn'])} to {_signed(write, row['high_bn'])}",
            *(str(row[name]) for name in ("wins", "losses", "ties")),
            *(_signed(part, row[name]) for name in shown),
        ]
        for row in pairs.to_dict("records")
    ]
    heads = {"allocate_bn": "by\nsplit", "give_back_bn": "give\nback", "sign_bn": "sign"}
    page.table(["against", "better\nby", "interval", "won", "lost", "tied", *(heads[name] for name in shown)], rows)
    most = listed([f"{row['policy']} {row['most_won']} and {row['most_lost']}" for row in pairs.to_dict("records")])
    page.note(f"Paths on which {measure} wins most and loses most: {most}.")


def _signed(write: Any, value: float) -> str:
    text = write(value)
    return text if not np.isfinite(value) else signed(text)
