"""A case that may have no plan: its worth, or the reason in one line; floors priced, so that it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gwplan.catalogue.tables import TABLES
from gwplan.conflict.diagnose import conflicts_in_words
from gwplan.errors import InfeasibleError, SolverError, StoppedError
from gwplan.instance.cells import place
from gwplan.instance.instance import Instance, replaced
from gwplan.instance.selection import meets
from gwplan.language.cursor import Name
from gwplan.language.edits import Edit, noted
from gwplan.plan.tables import gained
from gwplan.problems import InstanceError
from gwplan.session import Answer, Session

Told = Callable[[str], None]
"""Is told what is being solved."""


@dataclass(frozen=True)
class Solved:
    """A case that was solved, or why it has no plan."""

    worth_bn: float | None  # the case's objective, $bn; None where it has no plan
    reason: str = ""  # why it has none; blank where it has one

    def lost(self, base_bn: float) -> float | None:
        """Return how much less than the base it is worth, $bn: 0 where only arithmetic differs, None without a plan."""
        return None if self.worth_bn is None else gained(base_bn, self.worth_bn)


def attempt(session: Session, edits: Iterable[Edit]) -> Solved:
    """Return the worth of the base with edits, or why there is none; without any it is the base's."""
    changes = list(edits)
    if not changes:
        return Solved(session.base.objective_bn)
    answer = attempted(lambda: session.solve(changes))
    return Solved(None, answer) if isinstance(answer, str) else Solved(answer.objective_bn)


def attempted(solve: Callable[[], Answer]) -> Answer | str:
    """Return an answer, or in one line why there is none; one that fails its own check stays an error."""
    try:
        return solve()
    except InstanceError as error:
        return str(error.problems[0])
    except InfeasibleError as error:
        return why_no_plan(error)
    except StoppedError as error:
        return str(error)


def why_no_plan(error: InfeasibleError) -> str:
    """Return in one line why a case has no plan: the demands in conflict where they can be told, else the status."""
    if error.instance is None or error.status == "unbounded":
        return str(error)
    try:
        words = conflicts_in_words(error.instance)
    except (StoppedError, SolverError):  # it has no plan all the same
        return str(error)
    return error.because(words)


def floors_priced(instance: Instance, cost_bn_per_gw_year: float) -> Instance:
    """Return an instance whose floors are targets, what is missing from them at a cost, $bn per GW-year.

    In outcomes and what-ifs too. Where a pathway has a target above its floor all that is missing costs so much.
    """
    demand, pathways = instance.filled("demand"), instance.filled("pathways")
    floored = demand["pathway"][demand["floor_gw"] > 0].tolist()
    for edit in _every_edit(instance):
        floored += (
            _reached(instance, edit) if edit.table == "demand" and "floor_gw" in (edit.column, *edit.where) else []
        )
    names = list(dict.fromkeys(floored))
    mine = demand["pathway"].isin(names)
    demand["target_gw"] = np.where(mine, demand[["floor_gw", "target_gw"]].max(axis=1), demand["target_gw"])
    demand["floor_gw"] = 0.0
    column = "shortfall_penalty_bn_per_gw_year"
    dear = np.maximum(pathways[column], cost_bn_per_gw_year)
    pathways[column] = np.where(pathways["pathway"].isin(names), dear, pathways[column])
    factors = tuple(
        replace(factor, outcomes=tuple(replace(o, edits=tuple(_priced(o.edits, instance))) for o in factor.outcomes))
        for factor in instance.factors
    )
    whatifs = {k: replace(w, edits=tuple(_priced(w.edits, instance))) for k, w in instance.whatifs.items()}
    note = f"what is missing from floors costs {cost_bn_per_gw_year:g} $bn per GW-year ({', '.join(names) or 'none'})"
    priced = replaced(instance, {"demand": demand, "pathways": pathways}, [note])
    return replace(priced, factors=factors, whatifs=whatifs)


def _every_edit(instance: Instance) -> Iterator[Edit]:
    for factor in instance.factors:
        for outcome in factor.outcomes:
            yield from outcome.edits
    for whatif in instance.whatifs.values():
        yield from whatif.edits


def _reached(instance: Instance, edit: Edit) -> list[str]:
    """Return the pathways whose demand an edit changes."""
    pattern = edit.where.get("pathway", "*")
    return [
        name for name in instance.tables["pathways"]["pathway"] if isinstance(pattern, str) and meets(pattern, name)
    ]


def _priced(edits: Iterable[Edit], instance: Instance) -> Iterator[Edit]:
    """Yield edits with floors as targets; of a pathway with a target of its own, what changes its floor is left out."""
    demand = instance.filled("demand")
    aimed = set(demand["pathway"][demand["target_gw"] > 0])
    for edit in edits:
        if edit.table == "demand" and edit.column == "floor_gw":
            free = [name for name in _reached(instance, edit) if name not in aimed]
            if len(free) == len(_reached(instance, edit)):
                yield noted(replace(edit, column="target_gw"))
            else:
                for name in free:
                    yield noted(replace(edit, column="target_gw", where={**edit.where, "pathway": Name(name)}))
        elif edit.table == "demand" and edit.operation == "insert" and "floor_gw" in edit.where:
            cells = dict(edit.where)
            cells["target_gw"] = max(float(cells.pop("floor_gw") or 0), float(cells.get("target_gw") or 0))  # type: ignore[arg-type]
            yield noted(replace(edit, where=cells))
        else:
            yield edit


def floors_in_the_way(instance: Instance, reasons: Iterable[str]) -> Iterator[str]:
    """Yield for each floor that leaves cases without a plan how many those are, and how it may be priced."""
    given, demand = [reason for reason in reasons if reason], instance.filled("demand")
    earned = float(instance.filled("value")["value_bn_per_gw_year"].max()) if len(instance.tables["value"]) else 5.0
    dear = float(f"{2 * earned:.1g}")
    for name in dict.fromkeys(demand["pathway"][demand["floor_gw"] > 0]):
        rows = demand[(demand["pathway"] == name) & (demand["floor_gw"] > 0)]
        signs = (f"{name} needs at least", *(place(TABLES["demand"], row, "floor_gw") for row in rows.index))
        named = [any(sign in reason for sign in signs) for reason in given]
        unnamed = [" GW" not in reason for reason in given]
        if not any(named) and not any(unnamed):
            continue
        count = sum(named)
        does = (
            f"leaves {count} case{'s' if count > 1 else ''} without a plan" if count else "may leave cases without one"
        )
        yield (
            f"the floor of {name} {does}; --missed-floor-cost {dear:g} prices what is missing, here at twice what a "
            f"GW-year earns at the most; to keep it so, write floor_gw into target_gw ({signs[1]}) and {dear:g} into "
            "the pathway's shortfall_penalty_bn_per_gw_year"
        )
