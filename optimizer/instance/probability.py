"""Edits of ``uncertainty[factor=..., outcome=...].probability``."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from optimizer.instance.instance import Cell, Edit, Factor
from optimizer.instance.selection import finite, refused
from optimizer.problems import nearest

TARGET: Final = "uncertainty"
_KEYS: Final = ("factor", "outcome")


def reweighted(factors: tuple[Factor, ...], edit: Edit) -> tuple[Factor, ...]:
    """Return the factors with the probability of the matching outcomes changed.

    The other outcomes of the same factor share what is left in their old proportions.

    Raises
    ------
    InstanceError
        If nothing matches, or a probability would leave (0, 1), or no other outcome is left to rescale.
    """
    _refuse_other_than_probability(edit)
    factor_pattern, outcome_pattern = (edit.where.get(key, "*") for key in _KEYS)
    named = _matching(edit, "factor", factor_pattern, [factor.name for factor in factors])
    candidates = [outcome.name for factor in factors if factor.name in named for outcome in factor.outcomes]
    chosen = _matching(edit, "outcome", outcome_pattern, candidates)
    return tuple(_reweighted(edit, factor, chosen) if factor.name in named else factor for factor in factors)


def _refuse_other_than_probability(edit: Edit) -> None:
    if edit.operation in ("insert", "drop"):
        rule = "outcomes are neither added nor dropped by an edit"
        raise refused(edit, edit.operation, rule, "to take an outcome as known there is --given")
    if edit.column != "probability":
        hint = nearest(edit.column, ["probability"])
        raise refused(edit, f"column '{edit.column}'", "of uncertainty only the probability is edited", hint)
    if edit.operation == "shift_months":
        raise refused(edit, "shift_months", "probability is a number column: it takes set, scale and add")
    if edit.start or edit.until:
        raise refused(edit, "dates", "uncertainty is undated: an edit of it takes no dates")
    unknown = [key for key in edit.where if key not in _KEYS]
    if unknown:
        raise refused(edit, f"column '{unknown[0]}'", "uncertainty has no such column", nearest(unknown[0], _KEYS))


def _matching(edit: Edit, kind: str, pattern: Cell, names: Sequence[str]) -> set[str]:
    if not isinstance(pattern, str):
        raise refused(edit, f"{kind}: {pattern}", f"{kind} is text", "put it in double quotes")
    found = {name for name in names if name == pattern or fnmatch.fnmatchcase(name, pattern)}
    if not found:
        rule = "an edit must match at least one outcome"
        raise refused(edit, f"no {kind} '{pattern}'", rule, nearest(pattern, names))
    return found


def _reweighted(edit: Edit, factor: Factor, chosen: set[str]) -> Factor:
    operand = finite(edit, "probability", edit.value)
    change: dict[str, Callable[[float], float]] = {
        "set": lambda _: operand,
        "scale": lambda probability: probability * operand,
        "add": lambda probability: probability + operand,
    }
    changed = {o.name: change[edit.operation](o.probability) for o in factor.outcomes if o.name in chosen}
    if not changed:
        return factor
    others = [outcome for outcome in factor.outcomes if outcome.name not in changed]
    if not others:
        raise refused(edit, f"every outcome of '{factor.name}' matches", "no other outcome is left to rescale")
    total = sum(changed.values())
    if min(changed.values()) <= 0.0 or total >= 1.0:
        shown = ", ".join(f"{name} {value:g}" for name, value in changed.items())
        raise refused(edit, f"probability of {shown}", "probabilities stay above 0 and together below 1")
    same = all(changed.get(outcome.name, outcome.probability) == outcome.probability for outcome in factor.outcomes)
    share = 1.0 if same else (1.0 - total) / sum(outcome.probability for outcome in others)
    outcomes = tuple(
        replace(outcome, probability=changed.get(outcome.name, outcome.probability * share))
        for outcome in factor.outcomes
    )
    return replace(factor, outcomes=outcomes)
