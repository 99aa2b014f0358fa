"""Draws uncertainty factors whose outcomes edit every table without changing what lies before their reveal.

Each factor owns some contracts and pathways, and edits of single rows stay within them: an edit of one factor can
never take away the row that an edit of another one names.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.generate import supply_edits as supply
from tests.generate import use_edits as use
from tests.generate.draft import Draft
from tests.generate.scope import Edit, Scope
from tests.generate.tables import SIZES

ALWAYS = (
    use.scale_all_values,
    use.edit_tiers,
    use.edit_value_steps,
    use.edit_demand,
    use.edit_demand_steps,
    use.edit_curves,
    use.edit_churn,
    use.new_lock,
    supply.edit_deliveries,
    supply.edit_deliveries,
    supply.edit_contract,
    supply.new_contract,
    supply.edit_window,
    supply.edit_terminal,
)
WITHOUT_PAST = (use.edit_pathway, use.edit_pairs, supply.edit_rates)


def add_factors(draft: Draft) -> None:
    """Draw none to three factors."""
    number = int(draft.rng.choice([0, 1, 2, 3], p=[0.15, 0.4, 0.3, 0.15]))
    owner_of_pathway = {p: draft.count(0, max(number, 1)) for p in draft.names("pathways")}
    owner_of_contract = {k: draft.count(0, max(number, 1)) for k in draft.names("contracts")[1:]}
    for f in range(number):
        kind = str(draft.rng.choice(["forest", "inside", "late"], p=[0.25, 0.65, 0.1]))
        revealed = {
            "forest": draft.start if draft.chance(0.5) else draft.date(-1),
            "inside": draft.date(draft.count(1, draft.periods)),
            "late": draft.date(draft.periods + draft.count(0, 3)),
        }[kind]
        pathways = [p for p, owner in owner_of_pathway.items() if owner == f]
        contracts = [k for k, owner in owner_of_contract.items() if owner == f]
        least, end = SIZES[draft.size]["outcomes"]
        outcomes = draft.count(least, least + 1 if number == 3 and draft.size == "small" else end)
        parts = 1 + draft.rng.multinomial(20 - outcomes, [1 / outcomes] * outcomes)
        draft.factors.append({"name": f"factor {f + 1}", "revealed": revealed, "outcome": []})
        for o in range(outcomes):
            scope = Scope(draft, revealed, pathways, contracts)
            scope.alone = number == 1
            edits = [] if o == 0 and draft.chance(0.5) else draw_edits(scope)
            name = f"outcome {'abc'[o]}"
            draft.factors[-1]["outcome"].append({"name": name, "probability": int(parts[o]) / 20, "edit": edits})
    hang_together(draft)


def hang_together(draft: Draft) -> None:
    """Draw probabilities given an outcome of an earlier factor, in numbers that leave all others as they were."""
    (rng,) = draft.rng.spawn(1)
    for place, factor in enumerate(draft.factors):
        for other in draft.factors[:place]:
            given = {other["name"]: str(rng.choice([o["name"] for o in other["outcome"]]))}
            number = len(factor["outcome"])
            parts = 1 + rng.multinomial(20 - number, [1 / number] * number)
            for outcome, part in zip(factor["outcome"], parts, strict=True) if rng.random() < 0.4 else ():
                row = {"given": given, "probability": int(part) / 20}
                outcome.setdefault("probability_given", []).append(row)


def draw_edits(scope: Scope) -> list[Edit]:
    """Draw edits of several kinds; a kind that does not fit the instance is passed over."""
    kinds: tuple[Callable[[Scope], list[Edit]], ...] = ALWAYS + (WITHOUT_PAST * 2 if scope.anything else ())
    edits = supply.drop_something(scope)
    for number in scope.draft.rng.permutation(len(kinds)):
        if len(edits) < 5:
            edits += kinds[number](scope)
    return edits + use.edit_effectiveness(scope)  # draws nothing: what else is drawn stays as it was
