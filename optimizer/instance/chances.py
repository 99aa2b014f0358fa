"""Chances that hang together: what outcomes of earlier factors make of a factor's probabilities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from gwplan.catalogue.tolerances import ROUNDING
from gwplan.language.edits import Factor, Outcome, ProbabilityGiven

MOST_SCENARIOS: Final = 20_000
"""Most combinations of outcomes that are laid out on one tree."""

Chances = tuple[float, ...] | tuple[tuple[float, ...], ...]
"""Of a factor's outcomes; a row for each combination of the outcomes of the factors before it where that matters."""


def combinations(factors: Sequence[Factor]) -> Iterator[dict[str, str]]:
    """Yield every combination of outcomes by factor, the first factor varying slowest."""
    names = [factor.name for factor in factors]
    for chosen in itertools.product(*([o.name for o in factor.outcomes] for factor in factors)):
        yield dict(zip(names, chosen, strict=True))


def depends_on(factor: Factor) -> set[str]:
    """Return the factors that a factor's probabilities are written for."""
    return {name for outcome in factor.outcomes for row in outcome.probability_given for name in row.given}


def chances(factors: Sequence[Factor]) -> tuple[Chances, ...]:
    """Return the probabilities of every factor's outcomes.

    Where a factor that they hang on is left out, those that hold without it are scaled to sum to 1.
    """
    made: list[Chances] = []
    for place, factor in enumerate(factors):
        earlier, named = factors[:place], depends_on(factor)
        if not named:
            made.append(tuple(outcome.probability for outcome in factor.outcomes))
            continue
        rows = [tuple(o.chance(others) for o in factor.outcomes) for others in combinations(earlier)]
        if not named <= {other.name for other in earlier}:
            rows = [tuple(p / math.fsum(row) for p in row) for row in rows]
        made.append(tuple(rows))
    return tuple(made)


def related(factors: Sequence[Factor], place: int) -> list[Factor]:
    """Return the earlier factors on which the probabilities of one hang, directly or through others."""
    named, kept = depends_on(factors[place]), list[Factor]()
    for factor in reversed(factors[:place]):
        if factor.name in named:
            kept.append(factor)
            named = named | depends_on(factor)
    return kept[::-1]


def known(factors: tuple[Factor, ...], place: int, outcome: Outcome) -> tuple[tuple[Factor, ...], list[str]]:
    """Return the factors with one outcome known, and what that says about the factors on which it hangs.

    Whoever learns of a glut knows that weak demand is likelier than it was: the probabilities of earlier factors become
    those given the outcome.
    """
    earlier, learnt = related(factors, place), list[str]()
    weights = [
        (case, math.prod(_chance(f, case) for f in earlier) * outcome.chance(case)) for case in combinations(earlier)
    ]
    made = {factors[place].name: replace(factors[place], outcomes=(Outcome(outcome.name, 1.0, outcome.edits),))}
    for number, factor in enumerate(earlier):
        before = [f for f in earlier[:number] if len(f.outcomes) > 1]
        fixed = {f.name: f.outcomes[0].name for f in earlier[:number] if len(f.outcomes) == 1}
        rows = {o.name: list[ProbabilityGiven]() for o in factor.outcomes}
        same = True
        for case in combinations(before):
            for o in factor.outcomes:
                chance = _share(weights, case, {**case, factor.name: o.name})
                rows[o.name].append(ProbabilityGiven(case, chance))
                was = o.chance({**case, **fixed})
                if abs(chance - was) > ROUNDING:
                    same = False
                    where = f" where {rows[o.name][-1].text}" if case else ""
                    learnt.append(f"{factor.name}={o.name}{where} {was:g} -> {chance:.6g}")
        if not same:
            made[factor.name] = replace(
                factor,
                outcomes=tuple(
                    replace(
                        o,
                        probability=_share(weights, {}, {factor.name: o.name}),
                        probability_given=tuple(rows[o.name]) if before else (),
                    )
                    for o in factor.outcomes
                ),
            )
    pair = factors[place].name, outcome.name
    return tuple(made.get(factor.name) or _where(factor, *pair) for factor in factors), learnt


def _where(factor: Factor, name: str, outcome: str) -> Factor:
    """Return a factor without the rows for other outcomes of a factor that is known."""
    if name not in depends_on(factor):
        return factor
    outcomes = (
        replace(o, probability_given=tuple(r for r in o.probability_given if r.given.get(name, outcome) == outcome))
        for o in factor.outcomes
    )
    return replace(factor, outcomes=tuple(outcomes))


def _chance(factor: Factor, case: dict[str, str]) -> float:
    return next(o for o in factor.outcomes if o.name == case[factor.name]).chance(case)


def _share(weights: list[tuple[dict[str, str], float]], of: dict[str, str], part: dict[str, str]) -> float:
    """Return the share of the weight of cases that hold `of` in those that hold `part`."""
    whole, some = (math.fsum(w for case, w in weights if held.items() <= case.items()) for held in (of, part))
    return some / whole
