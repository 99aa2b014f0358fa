"""Printed sweeps and tornados, on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import COUNTS, MEGAWATT
from gwplan.kept.sweep import unit
from gwplan.show.page import Page, cut, decimals, formatter, listed, maximised, number, percent, signed
from gwplan.studies.sweep.montecarlo import CONFIDENCE
from gwplan.studies.sweep.sweep import OPTIMAL, Results

MOST_ROWS: Final = 60
"""Cases that are printed; all are kept."""

MOST_COLUMNS: Final = 8
"""Values of the second axis up to which a grid of two is printed as a grid."""

MOST_INPUTS: Final = 20
"""Inputs of a tornado that are printed."""

BAR: Final = 8
"""Columns of a tornado's bars."""


def sweep(page: Page, results: Results, axes: Sequence[str], figure: str) -> None:
    """Show the cases of a sweep: a grid of two axes as one, all others as a list."""
    study, table = results.study, results.table
    base = float(results.base[figure])
    page.heading(f"SWEEP of {study.instance.name}: {len(table)} cases, {figure}{_unit(figure)}; base {_figure(base)}")
    for letter, name in zip(_letters(axes), axes, strict=True):
        page.note(f"{letter} = {name}")
    if len(axes) == 2 and len(study.tasks) > 1 and _is_grid(table, axes):
        _grid(page, table, axes, figure)
    else:
        _list(page, results, axes, figure)
    if not (table["status"] == OPTIMAL).all():
        page.note("none: no plan; `--out` keeps the reason of each case.")
    page.note(decision_changes_in(table, "case", results.study.instance.resolution))


def decision_changes_in(table: pd.DataFrame, what: str, resolution: str) -> str:
    """Say in how many cases, or draws, the decision of the first period is another by a size that counts."""
    planned = table[table["status"] == OPTIMAL]
    changed = int((planned["first_moves_changed_gw"] >= COUNTS).sum())
    if not len(planned):
        return ""
    often = f"In {changed} of {len(planned)} {what}s" if changed else f"In no {what}"
    return f"{often} this {resolution}'s decision changes, by {1000 * COUNTS:g} MW of a pathway or more."


def _is_grid(table: pd.DataFrame, axes: Sequence[str]) -> bool:
    rows, columns = (table[name].nunique() for name in axes)
    return bool(rows * columns == len(table) and columns <= MOST_COLUMNS)


def _grid(page: Page, table: pd.DataFrame, axes: Sequence[str], figure: str) -> None:
    down, across = axes
    write = formatter(table[figure])
    columns = list(dict.fromkeys(table[across]))
    rows = [
        [_value(value), *("none" if np.isnan(cell) else write(cell) for cell in cells[figure])]
        for value, cells in table.groupby(down, sort=False)
    ]
    page.table(["A \\ B", *map(_value, columns)], rows[:MOST_ROWS])
    _rest(page, len(rows) - MOST_ROWS, "rows")


def _list(page: Page, results: Results, axes: Sequence[str], figure: str) -> None:
    table, base = results.table, results.base
    called = maximised(results.study.instance)
    extra = [q for q in results.study.quantities if q != figure]
    shown = [figure, *(name for name in ("objective_bn", "npv_bn", "idle_gw_years") if name != figure)][:3]
    columns = [*shown, *extra[:2]]
    writers = {name: formatter(table[name]) for name in columns if name in table}
    change = formatter(table[figure] - base[figure])
    rows = []
    for _, case in table.head(MOST_ROWS).iterrows():
        cells = [str(case["case"]), *(_value(case[name]) for name in axes)]
        if case["status"] == OPTIMAL:
            cells += [writers[shown[0]](case[shown[0]]), signed(change(case[figure] - base[figure]))]
            cells += [writers[name](case[name]) for name in columns[1:]]
        else:
            cells += [str(case["status"]).replace("_", " "), *("" for _ in columns)]
        rows.append(cells)
    header = ["case", *_letters(axes), _heading(shown[0], called), "against\nbase"]
    header += [_heading(name, called) for name in columns[1:]]
    page.table(header, rows, "r" + "n" * len(axes) + "r" * (len(columns) + 1))
    _rest(page, len(table) - MOST_ROWS, "cases")


def _rest(page: Page, count: int, what: str) -> None:
    if count > 0:
        page.note(f"{count} more {what} are not shown; `--out DIR` keeps all.")


def tornado(page: Page, results: Results, table: pd.DataFrame, figure: str, share: float) -> None:
    """Show the swing of a figure by input, and which inputs the plan and its first moves hang on."""
    base = float(results.base[figure])
    page.heading(f"TORNADO of {results.study.instance.name}: {figure}{_unit(figure)}; base {_figure(base)}")
    page.note(f"Each input by {100 * share:.4g}% down and up, or over its own range; what {figure} changes by.")
    shown = table.head(MOST_INPUTS)
    changes = table[["down", "up"]].to_numpy() - base
    places = min(decimals(changes.ravel()), 4)
    most = float(table["swing"].max())
    rows = []
    for _, each in shown.iterrows():
        moved = each["first_moves_changed_gw"]
        rows.append(
            [each["input"], each["status"] or "-", *(_change(each[way] - base, places) for way in ("down", "up")),
             page.bar(each["swing"], most, BAR), number(moved, 3) if moved >= MEGAWATT else ""]
        )  # fmt: skip
    page.table(["input", "status", "down", "up", "swing", "moves\nGW"], rows, "nlrrlr")
    if len(table) > MOST_INPUTS:
        page.note(f"{len(table) - MOST_INPUTS} more inputs swing less; `--out DIR` keeps all.")
    hangs_on(page, table)


def hangs_on(page: Page, table: pd.DataFrame) -> None:
    """Say what the plan hangs on: half of all swings, other first moves, no plan at all."""
    total, names = (
        float(table["swing"].sum()),
        list(table.sort_values("swing", ascending=False, kind="stable")["input"]),
    )
    shares = np.cumsum(np.sort(table["swing"].to_numpy())[::-1])
    if total > 0:
        half = int(np.searchsorted(shares, total / 2)) + 1
        words = f"the first {half} of {len(table)} inputs" if half > 1 else f"{names[0]} alone"
        page.note(f"Half of all swings together is that of {words}.")
    moved = table[table["first_moves_changed_gw"] >= MEGAWATT]["input"].tolist()
    page.note(
        f"First moves change with {_some(moved)}." if moved else "First moves stay the same whichever input is off."
    )
    broken = table[table["reason"] != ""]
    if len(broken):
        page.note(f"There is no plan at one end of {_some(broken['input'].tolist())}: {broken['reason'].iloc[0]}.")


def _some(names: Sequence[str]) -> str:
    shown = [cut(name, 40) for name in names[:6]]
    return listed([*shown, f"{len(names) - 6} more"] if len(names) > 6 else shown)


def _change(value: float, places: int) -> str:
    text = number(value, places)
    return "none" if text == "-" else signed(text)


def _letters(axes: Sequence[str]) -> list[str]:
    return [chr(ord("A") + i) if i < 26 else f"A{i}" for i in range(len(axes))]


def _heading(name: str, called: str) -> str:
    words = {"objective_bn": f"{called}\n$bn", "npv_bn": "cash (NPV)\n$bn", "idle_gw_years": "idle\nGW-years"}
    return words.get(name, cut(name, 16) + (f"\n{unit(name)}" if unit(name) else ""))


def _unit(figure: str) -> str:
    return f", {unit(figure)}" if unit(figure) else ""


def _figure(value: float) -> str:
    return number(value, decimals([value]))


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


SHOWN: Final = ("objective_bn", "npv_bn", "idle_gw_years", "utilisation")
"""Figures whose quantiles are printed, besides GW-years of pathways and quantities asked for; all are kept."""


def montecarlo(page: Page, about: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Show quantiles of the figures, how often each pathway gets capacity, the inputs, and draws without a plan."""
    quantiles, total = tables["quantiles"], int(tables["statuses"]["draws"].sum())
    planned = int(tables["statuses"].loc[tables["statuses"]["status"] == OPTIMAL, "draws"].sum())
    page.heading("Monte Carlo", f" of {about['instance']}: {total} draws, seed {about['settings']['seed']}")
    _without_plan(page, tables["statuses"], planned, total)
    if not planned:
        return
    page.heading("Quantiles", f" of {planned} draws, with {CONFIDENCE:.0%} intervals of the quantiles")
    _quantiles(page, about, quantiles)
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


def _quantiles(page: Page, about: Mapping[str, Any], quantiles: pd.DataFrame) -> None:
    """Add a line of quantiles a figure, and below it their intervals."""
    levels = list(dict.fromkeys(quantiles["quantile"]))
    named = [*SHOWN, *(n for n in about["base"] if n.startswith("expected_gw_years[")), *about["quantities"]]
    rows: list[list[str]] = []
    for figure in named:
        mine = quantiles[quantiles["figure"] == figure]
        if mine.empty:
            continue
        write = formatter(mine["value"])
        short = figure.removesuffix("_bn") if figure == "objective_bn" else figure
        words = f"{short}, {unit(figure)}" if unit(figure) else short
        rows.append([_short(words), *(write(value) for value in mine["value"])])
        rows.append(["", *(write(value) for value in mine["low"])])
        rows.append(["", *(write(value) for value in mine["high"])])
    page.table(["", *(f"{100 * level:g} %" for level in levels)], rows)
    worth = quantiles[quantiles["figure"] == "objective_bn"].iloc[0]
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
