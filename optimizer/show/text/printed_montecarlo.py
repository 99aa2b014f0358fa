"""A printed Monte Carlo, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from optimizer.kept.case_columns import unit
from optimizer.show.page import Page, decimals, formatter, number, percent
from optimizer.studies.sweep.montecarlo import CONFIDENCE
from optimizer.studies.sweep.sweep import OPTIMAL

SHOWN: Final = ("objective_bn", "npv_bn", "idle_gw_years", "utilisation")
"""Figures whose quantiles are printed, besides GW-years of pathways and quantities asked for; all are kept."""


def montecarlo(page: Page, about: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Show quantiles of the figures, how often each pathway gets capacity, the inputs, and draws without a plan.

    Parameters
    ----------
    page : Page
        Where to write.
    about : mapping
        What a manifest says of the study.
    tables : mapping of str to pandas.DataFrame
        What was made of the draws.
    """
    found, total = tables["quantiles"], int(tables["statuses"]["draws"].sum())
    planned = int(tables["statuses"].loc[tables["statuses"]["status"] == OPTIMAL, "draws"].sum())
    page.heading("Monte Carlo", f" of {about['instance']}: {total} draws, seed {about['settings']['seed']}")
    _without_plan(page, tables["statuses"], planned, total)
    if not planned:
        return
    page.heading("Quantiles", f" of {planned} draws, with {CONFIDENCE:.0%} intervals of the quantiles")
    _quantiles(page, about, found)
    page.heading("Draws in which a pathway gets capacity", "")
    rows = [
        [row["pathway"], str(row["with_capacity"]), percent(row["share"]), f"{percent(row['low'])} to "
         f"{percent(row['high'])}"]
        for row in tables["pathways"].to_dict("records")
    ]  # fmt: skip
    page.table(["pathway", "draws", "share", f"{CONFIDENCE:.0%} interval"], rows)
    _inputs(page, tables["inputs"])
    page.note(
        "Intervals take draws as independent; a Latin hypercube spreads them more evenly: they are wider than need be."
    )


def _without_plan(page: Page, statuses: pd.DataFrame, planned: int, total: int) -> None:
    failed = statuses[statuses["status"] != OPTIMAL]
    if failed.empty:
        page.note(f"Every one of the {total} draws has a plan.")
        return
    page.note(f"{total - planned} of {total} draws have no plan; the figures below are those of the other {planned}.")
    for status, rows in failed.groupby("status", sort=False):
        count, reasons = int(rows["draws"].sum()), rows["reason"].tolist()
        more = f" (and {len(reasons) - 1} reasons like it, see --json)" if len(reasons) > 1 else ""
        page.note(f"{count} {str(status).replace('_', ' ')}: {reasons[0]}{more}")


def _quantiles(page: Page, about: Mapping[str, Any], found: pd.DataFrame) -> None:
    """Add a line of quantiles a figure, and below it their intervals."""
    levels = list(dict.fromkeys(found["quantile"]))
    named = [*SHOWN, *(n for n in about["base"] if n.startswith("expected_gw_years[")), *about["quantities"]]
    rows: list[list[str]] = []
    for figure in named:
        mine = found[found["figure"] == figure]
        if mine.empty:
            continue
        write = formatter(mine["value"])
        short = figure.removesuffix("_bn") if figure == "objective_bn" else figure
        words = f"{short}, {unit(figure)}" if unit(figure) else short
        rows.append([_short(words), *(write(value) for value in mine["value"])])
        rows.append(["", *(write(value) for value in mine["low"])])
        rows.append(["", *(write(value) for value in mine["high"])])
    page.table(["", *(f"{100 * level:g} %" for level in levels)], rows)
    worth = found[found["figure"] == "objective_bn"].iloc[0]
    places = decimals([worth["mean"]])
    base = number(float(about["base"]["objective_bn"]), places)
    mean, spread = number(worth["mean"], places), number(worth["sd"], places)
    page.note(f"Worth: mean {mean} $bn, standard deviation {spread}; with the inputs as written {base}.")
    page.note("Below each quantile the lower and the upper end of its interval; -: too few draws for one.")


def _short(words: str) -> str:
    return words.replace("expected_gw_years[", "").replace("], GW-years", ", GW-years")


def _inputs(page: Page, inputs: pd.DataFrame) -> None:
    page.heading("Drawn inputs", ", and the rank correlation of each with worth")
    rows = []
    for row in inputs.to_dict("records"):
        write = formatter([row["drawn_mean"], row["drawn_sd"]])
        correlated = number(row["rank_correlation_with_worth"], 2)
        rows.append([row["cell"], row["distribution"], write(row["drawn_mean"]), write(row["drawn_sd"]), correlated])
    page.table(["cell", "drawn from", "mean", "sd", "worth"], rows, "nnrrr")
