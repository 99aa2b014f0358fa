"""What a backtest came to: policies held against each other path by path, and what may be chance.

Policies are compared on the same paths, so that what is hard or easy about a path counts for none. Differences have
bootstrap intervals over paths (Efron and Tibshirani 1993, bias-corrected and accelerated).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import PROVED
from gwplan.plan.tables import QUANTILES
from gwplan.solver.program import FloatArray

CONFIDENCE: Final = 0.95
"""Of every interval."""

RESAMPLES: Final = 9_999
"""Samples of paths that an interval is drawn from."""

FEWEST: Final = 20
"""Paths from which on an interval is said to tell chance: of fewer it is too narrow."""

NEAR: Final = 0.01
"""Share of the best policy's mean worth within which a simpler one is as good."""

DECISIONS: Final = ("allocate", "give_back", "sign")
"""What worth is divided into."""

FORESIGHT: Final = "foresight"
"""The best plan of a path, known from the start: a bound, no policy."""


def tables(cases: pd.DataFrame, policies: Sequence[str], *, evidence: bool = True) -> dict[str, pd.DataFrame]:
    """Return what the paths come to: tables by name, money in $bn.

    Parameters
    ----------
    cases : pandas.DataFrame
        A row a path: worth and other figures by policy, ``worth_bn[NAME]``.
    policies : sequence of str
        The policies, from the simplest on.
    evidence : bool
        Whether the paths are evidence for anything, so that sentences on chance can be made.
    """
    measure = _lead(cases, policies)
    made = {
        "policies": _by_policy(cases, policies),
        "pairs": _pairs(cases, policies, measure),
        "decisions": _decisions(cases, policies, measure),
        "spread": _spread(cases, policies, measure),
    }
    return {**made, "sentences": pd.DataFrame({"sentence": _sentences(made) if evidence else []})}


def _lead(cases: pd.DataFrame, policies: Sequence[str]) -> str:
    """Return the policy that the others are held against: the re-plan on the tree, else the last that has a plan."""
    walked = [name for name in policies if f"worth_bn[{name}]" in cases]
    return "tree" if "tree" in walked else walked[-1] if walked else policies[-1]


def _column(cases: pd.DataFrame, figure: str, name: str) -> FloatArray:
    column = f"{figure}[{name}]"
    return cases[column].to_numpy(np.float64) if column in cases else np.full(len(cases), math.nan)


def _by_policy(cases: pd.DataFrame, policies: Sequence[str]) -> pd.DataFrame:
    """Return one row a policy, foresight last: mean, quantiles and regret of worth, $bn, idle capacity, fees.

    Beside them stands on how many paths it is the best, and on how many it finds no plan. Means are over the paths on
    which the policy has a plan.
    """
    worth = np.array([_column(cases, "worth_bn", name) for name in policies])
    best = np.nanmax(np.where(np.isnan(worth), -np.inf, worth), axis=0, initial=-np.inf)
    bound = _column(cases, "worth_bn", FORESIGHT)
    rows = []
    for name in (*policies, FORESIGHT):
        mine = _column(cases, "worth_bn", name)
        planned = ~np.isnan(mine)
        has = mine[planned]
        quantiles = np.quantile(has, QUANTILES, method="median_unbiased") if has.size else [math.nan] * len(QUANTILES)
        rows.append({
            "policy": name,
            "paths": int(planned.sum()),
            "without_plan": int((~planned).sum()),
            "mean_worth_bn": _mean(mine),
            **{f"worth_q{100 * share:02.0f}_bn": float(q) for share, q in zip(QUANTILES, quantiles, strict=True)},
            "mean_regret_bn": _mean(bound - mine),
            "best_in": int((mine >= best - PROVED * (1 + np.abs(best)))[planned].sum()) if name != FORESIGHT else 0,
            "idle_gw_years": _mean(_column(cases, "idle_gw_years", name)),
            "fees_bn": _mean(_column(cases, "fees_bn", name)),
            "cancelled_gw": _mean(_column(cases, "cancelled_gw", name)),
            "signed_gw": _mean(_column(cases, "signed_gw", name)),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def _pairs(cases: pd.DataFrame, policies: Sequence[str], measure: str) -> pd.DataFrame:
    """Return one row a policy: by how much another one, the measure, beats it on the same paths.

    ``difference_bn`` is the mean, ``low_bn`` and ``high_bn`` its interval; a path without a plan of one of the two
    counts as won by the other, and in no difference. ``most_won`` and ``most_lost`` are the paths, from 1, on which the
    measure wins and loses most.
    """
    mine = _column(cases, "worth_bn", measure)
    rows = []
    for name in policies:
        if name == measure:
            continue
        theirs = _column(cases, "worth_bn", name)
        by = mine - theirs
        both = ~np.isnan(by)
        tied = np.abs(by) <= PROVED * (1 + np.abs(mine))
        alone, lost = ~np.isnan(mine) & np.isnan(theirs), np.isnan(mine) & ~np.isnan(theirs)
        low, high = interval(by[both])
        numbers = cases["case"].to_numpy()
        rows.append({
            "policy": name,
            "against": measure,
            "paths": int(both.sum()),
            "difference_bn": _mean(by),
            "low_bn": low,
            "high_bn": high,
            "wins": int((both & (by > 0) & ~tied).sum() + alone.sum()),
            "losses": int((both & (by < 0) & ~tied).sum() + lost.sum()),
            "ties": int((both & tied).sum()),
            "most_won": int(numbers[np.nanargmax(by)]) if both.any() else 0,
            "most_lost": int(numbers[np.nanargmin(by)]) if both.any() else 0,
        })  # fmt: skip
    return pd.DataFrame(rows)


def interval(differences: FloatArray) -> tuple[float, float]:
    """Return the bootstrap interval of a mean of differences, $bn; nan of fewer than two paths."""
    if len(differences) < 2:
        return math.nan, math.nan
    if np.ptp(differences) <= PROVED * (1 + np.abs(differences).max()):
        return float(differences.min()), float(differences.max())
    from scipy.stats import bootstrap

    drawn = bootstrap((differences,), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES, method="BCa",
                      rng=np.random.Generator(np.random.PCG64(0)))  # fmt: skip
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def _decisions(cases: pd.DataFrame, policies: Sequence[str], measure: str) -> pd.DataFrame:
    """Return one row a policy: how the mean difference to the measure divides into decisions, $bn."""
    rows = []
    for name in policies:
        if name != measure:
            parts = {f"{part}_bn": _mean(_column(cases, f"{part}_bn", measure) - _column(cases, f"{part}_bn", name))
                     for part in DECISIONS}  # fmt: skip
            rows.append({"policy": name, "against": measure, **parts})
    return pd.DataFrame(rows, columns=["policy", "against", *(f"{part}_bn" for part in DECISIONS)])


def _spread(cases: pd.DataFrame, policies: Sequence[str], measure: str) -> pd.DataFrame:
    """Return quantiles over the paths of what each policy is worth more than the measure, $bn, one row each."""
    rows = []
    for name in policies:
        by = _column(cases, "worth_bn", name) - _column(cases, "worth_bn", measure)
        by = by[~np.isnan(by)]
        if name != measure and by.size:
            values = np.quantile(by, QUANTILES, method="median_unbiased").tolist()
            rows += [(name, measure, share, value) for share, value in zip(QUANTILES, values, strict=True)]
    return pd.DataFrame(rows, columns=["policy", "against", "quantile", "difference_bn"])


def _simplest(policies: pd.DataFrame) -> tuple[str, str]:
    """Return the policy of the highest mean worth, and the simplest within `NEAR` of it that has a plan as often."""
    ranked = policies[policies["policy"] != FORESIGHT]
    ranked = ranked[ranked["paths"] == ranked["paths"].max()]
    mean = ranked["mean_worth_bn"].to_numpy()
    top = float(mean.max())
    near = ranked["policy"].to_numpy()[mean >= top - NEAR * abs(top)]
    return str(ranked["policy"].to_numpy()[int(mean.argmax())]), str(near[0])


def _sentences(made: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return in words whether the differences may be chance, and which simple policy is as good as the best."""
    if not made["policies"]["paths"].any():
        return []
    lines = []
    for row in made["pairs"].to_dict("records"):
        lines.append(_chance(row))
    best, near = _simplest(made["policies"])
    mean = made["policies"].set_index("policy")["mean_worth_bn"]
    if near == best:
        lines.append(f"No simpler policy is within {NEAR:.0%} of the best on average, {best}.")
    else:
        lost = (mean[best] - mean[near]) / abs(mean[best])
        lines.append(
            f"The simplest policy within {NEAR:.0%} of the best, {best}, is {near}: it loses {lost:.2%} on average."
        )
    return lines


def _chance(row: Mapping[Any, Any]) -> str:
    by, low, high = row["difference_bn"], row["low_bn"], row["high_bn"]
    if math.isnan(by):
        return f"{row['against']} and {row['policy']} have no path in common on which both have a plan."
    more = "more" if by >= 0 else "less"
    said = f"{row['against']} is worth {abs(by):.3g} $bn {more} than {row['policy']} on average"
    if math.isnan(low) or row["paths"] < FEWEST:
        return f"{said}; {row['paths']} paths are too few to tell chance."
    within = f"{low:+.3g} to {high:+.3g} with {CONFIDENCE:.0%} confidence over {row['paths']} paths"
    return f"{said} ({within}): " + ("that could be chance." if low <= 0 <= high else "hardly chance.")
