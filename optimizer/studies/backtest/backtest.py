"""A backtest: many paths, on each every policy walked and counted in the world as it was.

A path is a task of the sweep engine: its policies share what is seen of the world, its answer is one row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from gwplan.errors import InfeasibleError
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError, Problem, all_told
from gwplan.session import Answer
from gwplan.solver.program import FloatArray, SolveOptions
from gwplan.studies.attempt import why_no_plan
from gwplan.studies.backtest import score
from gwplan.studies.backtest.paths import NO_EVIDENCE, DrawnPath, Hazards, happening, refused, slip, tasks
from gwplan.studies.backtest.paths import delays as delayed
from gwplan.studies.backtest.paths import leaves as leaves_of
from gwplan.studies.backtest.policies import Policy, policy, usual
from gwplan.studies.backtest.score import FORESIGHT
from gwplan.studies.backtest.walk import Desk, Walk, figures
from gwplan.studies.sweep.draws import Draw, draw
from gwplan.studies.sweep.engines import InProcess, Processes
from gwplan.studies.sweep.sweep import OPTIMAL, Study, run
from gwplan.studies.sweep.worker import Row, Worker
from gwplan.tree.calendar import MONTHS


class Tester(Worker):
    """An instance kept solved, along whose paths policies are walked."""

    def __init__(self, setup: str) -> None:
        super().__init__(setup)
        known = json.loads(setup)
        self._desk = Desk(self._session, known["review"], self._options)
        self._policies = [policy(name) for name in known["policies"]]

    def _row(self, edits: list[str]) -> Row:
        if not edits:
            return {"status": OPTIMAL, "reason": ""}
        return walked(self._desk, edits[0], self._policies)


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
    return row


def study(
    instance: Instance,
    hazards: Hazards,
    paths: int,
    seed: int,
    *,
    review: str = "quarter",
    policies: Sequence[str] = (),
    ranks: FloatArray | None = None,
    along_leaves: bool = False,
    options: SolveOptions | None = None,
) -> Study:
    """Return the paths of a backtest as the tasks of a study.

    Raises
    ------
    InstanceError
        If nothing may happen that the tree does not have, unless the tree's own leaves are asked for to check policies;
        if a draw does not fit the instance, a policy does not exist, or reviews are shorter than periods.
    """
    problems = refused(hazards, instance)
    names = tuple(dict.fromkeys(policies)) or usual(instance)
    for name in names:
        try:
            policy(name)
        except InstanceError as error:
            problems += error.problems
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
        "policies": list(names),
        "draws": [[each.name, each.text] for each in hazards.draws],
        "slips": [[name, each.text] for name, each in hazards.slips.items()],
        "happens": [[name, chance] for name, chance in hazards.happens.items()],
        "rank_correlations": None if ranks is None else ranks.tolist(),
    }
    asked = {
        "worker": "backtest",
        "review": MONTHS[review] // MONTHS[instance.resolution],
        "policies": list(names),
    }
    drawn = leaves_of(instance) if along_leaves else tasks(instance, hazards, paths, seed, ranks)
    return Study("backtest", instance, drawn, (), options or SolveOptions(), settings, asked)


@dataclass(frozen=True)
class Backtest:
    """What policies came to on drawn paths.

    Attributes
    ----------
    cases : pandas.DataFrame
        A row a path: what was drawn, and by policy ``worth_bn[NAME]``, ``idle_gw_years[NAME]``, ``fees_bn[NAME]`` and
        the other figures; $bn discounted, GW and GW-years.
    policies : pandas.DataFrame
        A row a policy, the simplest first, perfect foresight last: mean and quantiles of worth, regret, $bn.
    pairs : pandas.DataFrame
        A row a policy: by how much the re-plan on the tree is worth more on the same paths, $bn, with the interval of
        the mean, wins, losses and ties.
    decisions : pandas.DataFrame
        That difference by what was decided: the split, giving back, signing; $bn.
    spread : pandas.DataFrame
        Quantiles over the paths of each policy's difference to the re-plan, $bn.
    sentences : tuple of str
        Whether the differences may be chance, and which is the simplest policy within 1 % of the best. Along the tree's
        own leaves: why these are no evidence.
    """

    cases: pd.DataFrame
    policies: pd.DataFrame
    pairs: pd.DataFrame
    decisions: pd.DataFrame
    spread: pd.DataFrame
    sentences: tuple[str, ...]


def backtest(
    instance: Instance,
    *,
    paths: int = 100,
    draws: Sequence[str | Draw] = (),
    delays: str = "",
    slips: Sequence[str] = (),
    happens: Sequence[str] = (),
    review: str = "quarter",
    policies: Sequence[str] = (),
    seed: int = 0,
    leaves: bool = False,
    jobs: int = 1,
    options: SolveOptions | None = None,
) -> Backtest:
    """Hold policies against each other along paths that the instance's tree does not have.

    On each path each policy decides at every review with what is known then; its decisions stand until the next, the
    world moves on, and in the end the audit counts what it came to.

    Parameters
    ----------
    instance : Instance
        What is planned for; its factors are drawn by their probabilities.
    paths : int
        How many paths are drawn, as a Latin hypercube.
    draws : sequence of str or Draw
        Cells that are drawn: ``CELL ~ normal(10, 2)``, ``*~`` for factors, ``+~`` for amounts added, months of dates.
    delays : str
        Distribution of the months by which each contract's deliveries still to come move, each on its own.
    slips : sequence of str
        Months by which reveals come later: ``FACTOR ~ discrete(0: 0.7, 3: 0.3)``.
    happens : sequence of str
        What-ifs of the instance that may come true: ``WHATIF ~ 0.1``.
    review : {"month", "quarter", "year"}
        How often decisions are reviewed.
    policies : sequence of str
        Policies by name; none: all that make a difference.
    seed : int
        The same seed draws the same paths.
    leaves : bool
        Whether the tree's own leaves are walked in place of drawn paths: a check of policies, and no evidence.
    jobs : int
        Worker processes; 1: this process. The answers are the same.
    options : SolveOptions, optional
        Solver options of every solve.

    Returns
    -------
    Backtest
        Worth by policy, differences path by path and what may be chance; money in $bn.

    Raises
    ------
    InstanceError
        If nothing is drawn, or what is drawn or asked for does not fit the instance.
    InfeasibleError, StoppedError, AuditError, SolverError
        As `gwplan.solve` of the instance itself; a policy that finds no plan on a path has none in its row.
    """
    parsed, moved, slipping, happening_ = all_told(
        [partial(draw, each) for each in draws if isinstance(each, str)],
        [partial(delayed, delays, instance)] if delays else [],
        [partial(slip, text, instance) for text in slips],
        [partial(happening, text, instance) for text in happens],
    )
    cells = (*(each for each in draws if isinstance(each, Draw)), *parsed, *(each for rows in moved for each in rows))
    hazards = Hazards(cells, dict(slipping), dict(happening_))
    asked = study(
        instance, hazards, paths, seed, review=review, policies=policies, along_leaves=leaves, options=options
    )
    results = run(asked, InProcess() if jobs == 1 else Processes(jobs))
    made = score.tables(results.table, asked.settings["policies"])
    words = (f"no evidence: {NO_EVIDENCE}",) if leaves else tuple(score.sentences(made, len(results.rows)))
    return Backtest(results.table, made["policies"], made["pairs"], made["decisions"], made["spread"], words)
