"""What an earlier plan gave, found again on the tree of another instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gwplan.instance.instance import Earlier
from gwplan.problems import InstanceError, Problem

if TYPE_CHECKING:
    from gwplan.models.tree import FloatArray


def kept(
    earlier: Earlier, starts: Sequence[str], known: Sequence[str], pathways: Sequence[str], pools: Sequence[str]
) -> FloatArray:
    """Return the GW that an earlier plan gives each pair on each node, nan where it gives none; shape (P, Q, N).

    A node follows the earlier plan's node of the same day that knows nothing else: no factor has another outcome there.
    Where there are several, because the earlier plan knew more by then, it follows their mean by probability.

    Parameters
    ----------
    earlier : Earlier
        The earlier plan.
    starts, known : sequence of str
        First day of each node's period, and the outcomes known at it, as in a plan's tables.
    pathways, pools : sequence of str
        Names along the axes.
    """
    gw, on_day = _by_node(earlier, pathways, pools), nodes_by_day(earlier)
    probability = earlier.nodes["probability"].to_numpy()
    kept_gw = np.full((len(pathways), len(pools), len(starts)), np.nan)
    for n, (day, said) in enumerate(zip(starts, known, strict=True)):
        at = [m for m, other in on_day.get(day, ()) if agree(said, other)]
        if at:
            kept_gw[:, :, n] = _mean(gw[:, :, at], probability[at])
    if np.isnan(kept_gw).all():
        raise InstanceError(_unlike(earlier, starts, pathways, pools))
    return kept_gw


def _by_node(earlier: Earlier, pathways: Sequence[str], pools: Sequence[str]) -> FloatArray:
    """Return the GW of each pair on each of the earlier plan's own nodes, in the order of `Earlier.nodes`."""
    rows = earlier.allocation
    places = [
        pd.Index(list(names)).get_indexer(pd.Index(rows[column].tolist()))
        for names, column in ((pathways, "pathway"), (pools, "pool"), (earlier.nodes["node"], "node"))
    ]
    there = (places[0] >= 0) & (places[1] >= 0)
    gw = np.full((len(pathways), len(pools), len(earlier.nodes)), np.nan)
    gw[places[0][there], places[1][there], places[2][there]] = rows["gw"].to_numpy()[there]
    return gw


def nodes_by_day(earlier: Earlier) -> dict[str, list[tuple[int, str]]]:
    """Return place and what is known of each of an earlier plan's nodes, by day."""
    by_day: dict[str, list[tuple[int, str]]] = {}
    days = earlier.nodes["start"].dt.strftime("%Y-%m-%d")
    for place, (day, known) in enumerate(zip(days, earlier.nodes["known"], strict=True)):
        by_day.setdefault(day, []).append((place, str(known)))
    return by_day


@cache
def agree(known: str, other: str) -> bool:
    """Return whether what two nodes know can be true at once: no factor has two outcomes."""
    mine, theirs = _outcomes(known), _outcomes(other)
    return all(theirs.get(factor, outcome) == outcome for factor, outcome in mine.items())


def _outcomes(known: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in known.split(", ") if part)
    return {factor: outcome for factor, _, outcome in pairs}


def _mean(gw: FloatArray, probability: FloatArray) -> FloatArray:
    """Return the mean over the last axis, of those that are given."""
    given = ~np.isnan(gw)
    weight = (given * probability).sum(axis=-1)
    total = (np.where(given, gw, 0.0) * probability).sum(axis=-1)
    mean: FloatArray = np.divide(total, weight, out=np.full(weight.shape, np.nan), where=weight > 0)
    return mean


def _unlike(earlier: Earlier, starts: Sequence[str], pathways: Sequence[str], pools: Sequence[str]) -> Problem:
    """Say why an earlier plan tells nothing."""
    rows, days = earlier.allocation, earlier.days()
    rule = "the plan to stay near must be one of this instance, or of what became of it"
    remedy = "give a run of this instance"
    if not set(days) & set(starts):
        its = f"its periods, {days[0]} to {days[-1]}," if days else "it has no periods, and"
        return Problem("stay near", f"{its} share no first day with {min(starts)} to {max(starts)}", rule, remedy)
    if not (set(rows["pathway"]) & set(pathways) and set(rows["pool"]) & set(pools)):
        return Problem("stay near", "it shares no pair of pathway and pool with this instance", rule, remedy)
    return Problem("stay near", "what it knows contradicts every future of this instance", rule, remedy)
