"""Monte Carlo: an instance re-solved for drawn inputs, and what its figures come to.

Quantiles are Hyndman and Fan's (1996) median-unbiased ones. Their confidence intervals are order statistics (David and
Nagaraja 2003, 7.1), the shares' are Wilson's (1927). Both count draws as independent, which a Latin hypercube's are
not: it spreads them more evenly, so that the intervals are wider than need be.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import KILOWATT
from gwplan.instance.instance import Instance
from gwplan.plan.tables import QUANTILES
from gwplan.problems import InstanceError, Problem
from gwplan.solver.program import FloatArray, SolveOptions
from gwplan.studies.sweep.draws import Draw, fitting, sample
from gwplan.studies.sweep.sweep import OPTIMAL, Results, Study, Task

CONFIDENCE: Final = 0.95
"""Of every interval."""

MOST_SAMPLES: Final = 100_000
"""Draws of one study, at most."""

NOT_SPREAD: Final = ("status", "reason")


def study(
    instance: Instance,
    draws: Sequence[Draw],
    samples: int,
    seed: int,
    ranks: FloatArray | None = None,
    quantities: tuple[str, ...] = (),
    options: SolveOptions | None = None,
) -> Study:
    """Return the cases of a Monte Carlo: one a draw of all cells together."""
    problems = fitting(draws, instance)
    if problems:
        raise InstanceError(problems)
    if samples > MOST_SAMPLES:
        raise InstanceError(Problem("--samples", f"{samples:,}", f"at most {MOST_SAMPLES:,} draws are made"))
    drawn = sample(draws, samples, seed, ranks)
    tasks = tuple(
        Task(
            tuple(each.varied.edit(value).text for each, value in zip(draws, row, strict=True)),
            {each.name: value for each, value in zip(draws, row, strict=True)},
        )
        for row in drawn.tolist()
    )
    settings: dict[str, Any] = {
        "samples": samples,
        "seed": seed,
        "draws": [[each.name, each.text] for each in draws],
        "rank_correlations": None if ranks is None else ranks.tolist(),
    }
    return Study("montecarlo", instance, tasks, quantities, options or SolveOptions(), settings)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Return what the draws come to: ``quantiles``, ``pathways``, ``inputs`` and ``statuses``.

    Figures are those of the draws that have a plan; ``statuses`` counts the others by their reason.
    """
    cases = results.table
    planned = cases[cases["status"] == OPTIMAL]
    figures = [
        name for name, value in results.base.items() if name not in NOT_SPREAD and isinstance(value, int | float)
    ]
    return {
        "quantiles": quantiles(planned, figures),
        "pathways": pathways(planned, results),
        "inputs": inputs(results, cases, planned),
        "statuses": statuses(cases),
    }


def quantiles(planned: pd.DataFrame, figures: Sequence[str]) -> pd.DataFrame:
    """Return one row a figure and quantile: `figure`, `quantile`, `value`, and `low` and `high` of its interval.

    A bound that so few draws do not give is blank. The mean and its standard error stand beside: `mean`, `sd`, `draws`.
    """
    rows = []
    for figure in figures if len(planned) else ():
        values = np.sort(planned[figure].dropna().to_numpy(dtype=np.float64))
        if not values.size:
            continue
        spread = float(values.std(ddof=1)) if values.size > 1 else math.nan
        for share in QUANTILES:
            low, high = quantile_interval(values, share)
            value = float(np.quantile(values, share, method="median_unbiased"))
            rows.append((figure, share, value, low, high, float(values.mean()), spread, values.size))
    return pd.DataFrame(rows, columns=["figure", "quantile", "value", "low", "high", "mean", "sd", "draws"])


def quantile_interval(values: FloatArray, share: float) -> tuple[float, float]:
    """Return the order statistics (the values' unit) between which a quantile lies; nan where none is so far out."""
    from scipy.stats import binom

    tail = (1 - CONFIDENCE) / 2
    below = int(binom.ppf(tail, len(values), share))
    above = int(binom.ppf(1 - tail, len(values), share)) + 1
    low = float(values[below - 1]) if below >= 1 else math.nan
    return low, float(values[above - 1]) if above <= len(values) else math.nan


def pathways(planned: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Return one row a pathway: in how many draws it gets capacity, the share of draws, and its interval."""
    rows = []
    names = [name for name in results.base if name.startswith("expected_gw_years[")]
    for name in names if len(planned) else ():
        with_ = int((planned[name] > KILOWATT).sum())
        low, high = share_interval(with_, len(planned))
        pathway = name.removeprefix("expected_gw_years[").removesuffix("]")
        rows.append((pathway, with_, len(planned), with_ / len(planned), low, high))
    return pd.DataFrame(rows, columns=["pathway", "with_capacity", "draws", "share", "low", "high"])


def share_interval(count: int, of: int) -> tuple[float, float]:
    """Return Wilson's interval of a share at `CONFIDENCE`."""
    from scipy.stats import binomtest

    interval = binomtest(count, of).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def inputs(results: Results, cases: pd.DataFrame, planned: pd.DataFrame) -> pd.DataFrame:
    """Return one row a drawn cell: its distribution, the drawn mean and sd, and its rank correlation with worth."""
    rows = []
    for name, text in results.study.settings["draws"]:
        drawn = cases[name].to_numpy(dtype=np.float64)
        spread = float(drawn.std(ddof=1)) if drawn.size > 1 else math.nan
        rows.append((name, text, float(drawn.mean()), spread, rank_correlation(planned, name, "objective_bn")))
    columns = ["cell", "distribution", "drawn_mean", "drawn_sd", "rank_correlation_with_worth"]
    return pd.DataFrame(rows, columns=columns)


def rank_correlation(table: pd.DataFrame, one: str, other: str) -> float:
    """Return Spearman's rank correlation of two columns; nan where one does not vary."""
    if other not in table:
        return math.nan
    correlations: Any = table[[one, other]].corr("spearman", min_periods=3)
    return float(correlations.iloc[0, 1])


def statuses(cases: pd.DataFrame) -> pd.DataFrame:
    """Return how many draws ended in which way, for which reason: `status`, `reason`, `draws`."""
    counted = Counter(zip(cases["status"].tolist(), cases["reason"].tolist(), strict=True))
    rows = [{"status": key[0], "reason": key[1], "draws": count} for key, count in counted.most_common()]
    rows.sort(key=lambda row: row["status"] != OPTIMAL)
    return pd.DataFrame(rows, columns=["status", "reason", "draws"])
