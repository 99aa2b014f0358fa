"""A backtest: many paths, on each every policy walked and counted in the world as it was.

A path is a task of the sweep engine: its policies share what is seen of the world, its answer is one row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any

from gwplan.errors import InfeasibleError
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError, Problem
from gwplan.session import Answer
from gwplan.solver.program import FloatArray, SolveOptions
from gwplan.studies.attempt import why_no_plan
from gwplan.studies.backtest.functions import FUNCTIONS, Decides, by_function
from gwplan.studies.backtest.paths import NO_EVIDENCE, DrawnPath, Hazards, leaves, refused, tasks
from gwplan.studies.backtest.policies import Policy, policy, rank, usual
from gwplan.studies.backtest.rules import by_rules, rules_of, told_rule
from gwplan.studies.backtest.score import FORESIGHT
from gwplan.studies.backtest.walk import Desk, Walk, figures
from gwplan.studies.sweep.sweep import OPTIMAL, Study
from gwplan.studies.sweep.worker import Row, Worker
from gwplan.tree.calendar import MONTHS


class Tester(Worker):
    """An instance kept solved, along whose paths policies are walked."""

    def __init__(self, setup: str) -> None:
        super().__init__(setup)
        known = json.loads(setup)
        self._desk = Desk(self._session, known["review"], self._options)
        self._policies = [_policy(name, known["rules"]) for name in known["policies"]]

    def _row(self, edits: list[str]) -> Row:
        if not edits:
            return {"status": OPTIMAL, "reason": ""}
        return walked(self._desk, edits[0], self._policies)


def _policy(name: str, rules: Mapping[str, Sequence[Mapping[str, Any]]]) -> Policy:
    """Return a policy by its name: a table of rules, a function of this process, or one of the product's."""
    if name in rules:
        return Policy(name, "a table of rules", by_rules(rules[name]))
    return Policy(name, "a function", by_function(FUNCTIONS[name])) if name in FUNCTIONS else policy(name)


def walked(desk: Desk, text: str, policies: Sequence[Policy]) -> Row:
    """Return what every policy came to on a path, and the path's best plan with foresight."""
    path, kept = DrawnPath(desk.instance, text, desk.layouts.forked()), dict[Any, Any]()
    row: Row = {"status": OPTIMAL, "reason": ""}
    starts = desk.first.laid_out.calendar.starts()

    def counted(name: str, walk: Walk, go: Callable[[Walk], Any]) -> None:
        try:
            came = kept_figures(go(walk))
        except InfeasibleError as error:
            why = why_no_plan(error) if error.instance else f"no plan keeps every limit from {starts[walk.period]} on"
            row[f"reason[{name}]"] = why
        else:
            row.update({f"{figure}[{name}]": amount for figure, amount in came.items()})
            row.update({f"{count}[{name}]": getattr(walk, count) for count in ("solves", "adapted")})

    def kept_figures(answer: Answer) -> dict[str, float]:
        """Audit the same decisions once."""
        key = answer.columns.tobytes()
        if key not in kept:
            kept[key] = figures(answer)
        came: dict[str, float] = kept[key]
        return came

    counted(FORESIGHT, Walk(desk, path, kept), lambda walk: walk.solve(walk.world, 0))
    for each in policies:
        counted(each.name, Walk(desk, path, kept), partial(Walk.run, decide=each.decide))
    if not any(figure.startswith("worth_bn") for figure in row):
        return {"status": "no_plan", "reason": row[f"reason[{FORESIGHT}]"]}
    return row


def _named(each: str | Decides, instance: Instance, rules: dict[str, list[dict[str, Any]]]) -> str:
    """Return the name of a policy that is asked for; a table's rows are entered by it."""
    if callable(each):
        name = str(getattr(each, "__name__", type(each).__name__))
        FUNCTIONS[name] = each
        return name
    if each.lower().endswith((".csv", ".toml")):
        name = PurePath(each).stem
        rules[name] = rules_of(each, instance)
        return name
    return policy(each).name


def study(
    instance: Instance,
    hazards: Hazards,
    paths: int,
    seed: int,
    *,
    review: str = "quarter",
    policies: Sequence[str | Decides] = (),
    ranks: FloatArray | None = None,
    along_leaves: bool = False,
    options: SolveOptions | None = None,
) -> Study:
    """Return the paths of a backtest as the tasks of a study.

    A policy is a name, the file of a table of rules (``.csv`` or ``.toml``), or a function, which only an engine in
    this process can ask.

    Raises
    ------
    InstanceError
        If nothing may happen that the tree does not have, unless the tree's own leaves are asked for to check policies;
        if a draw does not fit the instance, a policy does not exist, or reviews are shorter than periods.
    """
    problems = refused(hazards, instance)
    rules: dict[str, list[dict[str, Any]]] = {}
    names: dict[str, None] = {}
    for each in policies or usual(instance):
        try:
            names[_named(each, instance, rules)] = None
        except InstanceError as error:
            problems += error.problems
    ordered = sorted(names, key=rank)
    if not hazards and not along_leaves:
        remedy = "give what is drawn: --draw, --delays, --slip or --happens; or --leaves, to check policies"
        problems.append(Problem("backtest", "nothing is drawn", NO_EVIDENCE, remedy))
    if MONTHS[review] < MONTHS[instance.resolution]:
        rule = f"a period of the instance is a {instance.resolution}"
        problems.append(
            Problem(f"--review {review}", "shorter than a period", rule, f"review every {instance.resolution}")
        )
    if problems:
        raise InstanceError(problems)
    settings: dict[str, Any] = {
        "paths": "leaves" if along_leaves else paths,
        "seed": seed,
        "review": review,
        "policies": ordered,
        "rules": [[name, "; ".join(map(told_rule, rows))] for name, rows in rules.items()],
        "draws": [[each.name, each.text] for each in hazards.draws],
        "slips": [[name, each.text] for name, each in hazards.slips.items()],
        "happens": [[name, chance] for name, chance in hazards.happens.items()],
        "rank_correlations": None if ranks is None else ranks.tolist(),
    }
    asked = {
        "worker": "backtest",
        "review": MONTHS[review] // MONTHS[instance.resolution],
        "policies": ordered,
        "rules": rules,
    }
    drawn = leaves(instance) if along_leaves else tasks(instance, hazards, paths, seed, ranks)
    return Study("backtest", instance, drawn, (), options or SolveOptions(), settings, asked)
