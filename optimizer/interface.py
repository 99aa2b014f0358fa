"""What the commands do, as functions: for notebooks and scripts."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from gwplan.catalogue.tolerances import COUNTS, KILOWATT
from gwplan.conflict.diagnose import Diagnosis, diagnose
from gwplan.instance.instance import Instance
from gwplan.instance.varied_cells import varied
from gwplan.plan.claims import judged
from gwplan.plan.firmness import Alternatives
from gwplan.plan.plan import Plan
from gwplan.planning import alternatives_of, lay_out, solve, valid
from gwplan.problems import InstanceError, Problem, all_told
from gwplan.session import Session
from gwplan.show.report.notebook import as_run, sweep_html
from gwplan.solver.program import SolveOptions
from gwplan.storage import migrate as versions
from gwplan.storage.read import load
from gwplan.storage.starter import starter, starter_instance
from gwplan.storage.write import is_workbook_name, write, write_texts
from gwplan.studies import exposure as risks
from gwplan.studies.attempt import floors_priced
from gwplan.studies.backtest import backtest as tested
from gwplan.studies.backtest.functions import Decides
from gwplan.studies.backtest.paths import Hazards, happening, slip
from gwplan.studies.backtest.paths import delays as delayed
from gwplan.studies.backtest.score import tables as scored
from gwplan.studies.breakeven.breakeven import Breakeven, PlanChanges, Threshold
from gwplan.studies.breakeven.breakeven import breakeven as searched
from gwplan.studies.compare import allocations, figure_differences, inputs, refuse_unlike
from gwplan.studies.evaluate import Evaluation, entered, read_given
from gwplan.studies.evaluate import evaluate as evaluated
from gwplan.studies.roll import following
from gwplan.studies.sweep import montecarlo as draws_of_inputs
from gwplan.studies.sweep import tornado as swings
from gwplan.studies.sweep.draws import correlation, draw, matrix
from gwplan.studies.sweep.engines import InProcess, Processes
from gwplan.studies.sweep.grid import axes, grid, written
from gwplan.studies.sweep.sweep import Results, Study, run
from gwplan.studies.whatif import Comparison, stacks
from gwplan.studies.whatif import compare as compared

if TYPE_CHECKING:
    from altair import TopLevelMixin

    from gwplan.studies.exposure import Figures

PARTS = ("obligations", "whatifs", "vendors", "unverified")
"""Parts of `exposure`, in their order."""


def new(target: str | Path) -> Instance:
    """Write a commented starter instance, and return it.

    Parameters
    ----------
    target : str or Path
        A workbook where it ends in ``.xlsx``, else a new folder.
    """
    path = Path(target)
    if is_workbook_name(path):
        write(starter_instance(path.resolve().stem), path)
    else:
        write_texts(starter(path.resolve().name), path, force=None)
    return load(path)


def validate(instance: Instance) -> tuple[Problem, ...]:
    """Return the warnings on an instance, as ``gwplan check`` prints them; what is wrong is raised, all at once."""
    return lay_out(instance)[1]


def convert(source: str | Path, target: str | Path, *, force: bool = False) -> Path:
    """Write an instance, a folder or a workbook, as a workbook where `target` ends in ``.xlsx``, else as a folder."""
    write(load(source), target, force=force)
    return Path(target)


def migrate(source: str | Path, target: str | Path) -> Instance:
    """Write an instance of an older version of the format as one of the current version, and return it.

    Parameters
    ----------
    source : str or Path
        A folder or a workbook; it stays as it is.
    target : str or Path
        A workbook where it ends in ``.xlsx``, else a new folder.
    """
    brought = versions.migrate(source)
    if is_workbook_name(target) or not brought.texts:
        write(brought.instance, target)
    else:
        write_texts(brought.texts, target)
    return load(target)


def read_run(folder: str | Path) -> Plan:
    """Return the plan of a run that ``gwplan solve --out`` or `Plan.save` kept."""
    with as_run(folder) as kept:
        return kept.plan


def whatif(instance: Instance, *names: str, edits: Sequence[str] = ()) -> Comparison:
    """Solve an instance and what-ifs of it, and hold them against each other.

    Parameters
    ----------
    instance : Instance
        The base.
    *names : str
        What-ifs of the instance, or ``.toml`` files; joined by ``+`` they stack. None: all that the instance has.
    edits : sequence of str
        One more case: these edits, in their order.

    Returns
    -------
    Comparison
        ``table()`` has every figure of every case, money in $bn, capacity in GW and GW-years.
    """
    asked = stacks(instance, names, edits)
    with Session(instance) as session:
        return compared(session, asked)


@dataclass(frozen=True, repr=False)
class Sweep:
    """The cases of a sweep, a tornado, a Monte Carlo or a backtest.

    Attributes
    ----------
    results : Results
        What was asked, and every answer.
    tables : mapping of str to pandas.DataFrame
        What was made of them: ``tornado``; ``quantiles``, ``pathways``, ``inputs`` and ``statuses`` of draws; of a
        backtest ``policies``, ``pairs``, ``decisions``, ``spread`` and ``sentences``.
    """

    results: Results
    tables: Mapping[str, pd.DataFrame]

    @property
    def cases(self) -> pd.DataFrame:
        """Every case: inputs, status, money in $bn, capacity in GW-years."""
        return self.results.table

    @property
    def base(self) -> Mapping[str, Any]:
        """The same figures of the instance as it is: money in $bn, capacity in GW-years."""
        return self.results.base

    @property
    def chart(self) -> TopLevelMixin:
        """The picture of it as an Altair chart."""
        from gwplan.kept.sweep import CASES
        from gwplan.show.charts.sweep import chart
        from gwplan.show.vega import as_altair

        study = self.results.study
        drawn = chart(study.kind, {CASES: self.cases, **self.tables}, self.results.described())
        picture: TopLevelMixin = as_altair(drawn.picture_of(study.instance.name))
        return picture

    def __repr__(self) -> str:
        study = self.results.study
        return f"<{study.kind} of {study.instance.name}: {len(study.tasks)} cases>"

    def _repr_html_(self) -> str:
        return sweep_html(self.results, self.tables, self.results.study.settings)


def _answered(study: Study, jobs: int) -> Results:
    jobs = jobs or cpu_count() or 1
    return run(study, InProcess() if jobs == 1 else Processes(jobs))


def _priced(instance: Instance, missed_floor_cost: float | None) -> Instance:
    return instance if missed_floor_cost is None else floors_priced(instance, missed_floor_cost)


def sweep(
    instance: Instance,
    *grids: str,
    cases: str | Path | None = None,
    figure: str = "objective_bn",
    quantities: Sequence[str] = (),
    missed_floor_cost: float | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
) -> Sweep:
    """Solve an instance over a grid of values, or over the cases of a file.

    Parameters
    ----------
    instance : Instance
        The base.
    *grids : str
        Cells and their values, ``"risk.aversion = 0, 0.2, 0.4"``; several make every combination.
    cases : str or Path, optional
        A CSV file, a column a cell, a row a case; in place of grids.
    figure : str
        The figure that is shown and drawn; money in $bn, capacity in GW-years.
    quantities : sequence of str
        More figures of each case, as claims spell them.
    missed_floor_cost : float, optional
        $bn per GW-year at which floors may be missed, so that every case has a plan.
    time_limit : float, optional
        Seconds for one case.
    jobs : int
        Processes; 0: one a core.
    """
    if bool(grids) == (cases is not None):
        raise TypeError("give grids, or cases=FILE")
    instance = _priced(instance, missed_floor_cost)
    if cases is not None:
        tasks = written(str(cases), instance)
        names = list(tasks[0].inputs)
    else:
        sides = axes(instance, grids)
        tasks, names = grid(sides), [each.name for each in sides]
    settings = {"axes": names, "of": figure}
    study = Study("sweep", instance, tasks, tuple(quantities), SolveOptions(time_limit), settings)
    return Sweep(_answered(study, jobs), {})


def tornado(
    instance: Instance,
    *ranges: str,
    by: float = 0.1,
    only: bool = False,
    every: bool = False,
    each: bool = False,
    figure: str = "objective_bn",
    missed_floor_cost: float | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
) -> Sweep:
    """Swing each input of an instance down and up, one at a time: sensitivity analysis.

    Parameters
    ----------
    instance : Instance
        The base.
    *ranges : str
        Inputs with a range of their own: ``"risk.aversion = 0..0.5"``, ``"CELL *= 0.5..2"``.
    by : float
        Share by which the other inputs swing.
    only : bool
        Whether nothing but the inputs with a range swings.
    every : bool
        Whether cells that are reported swing, too.
    each : bool
        Whether every cell swings alone, not a pathway's or kind's together.
    figure : str
        The figure whose swing is shown; money in $bn, capacity in GW-years.
    missed_floor_cost : float, optional
        $bn per GW-year at which floors may be missed, so that every case has a plan.
    time_limit : float, optional
        Seconds for one case.
    jobs : int
        Processes; 0: one a core.

    Returns
    -------
    Sweep
        ``tables["tornado"]`` has the swings, the largest first.
    """
    instance = _priced(instance, missed_floor_cost)
    swung = swings.inputs(instance, by, ranges, each=each, every=every, only=only)
    settings = {"by": by, "of": figure, "each": each}
    study = Study("tornado", instance, swings.tasks(swung), (), SolveOptions(time_limit), settings)
    results = _answered(study, jobs)
    return Sweep(results, {"tornado": swings.tornado(swung, results, figure)})


def montecarlo(
    instance: Instance,
    *draws: str,
    correlations: Sequence[str] = (),
    samples: int = 500,
    seed: int = 0,
    quantities: Sequence[str] = (),
    missed_floor_cost: float | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
) -> Sweep:
    """Solve an instance again for drawn inputs.

    Parameters
    ----------
    instance : Instance
        The base.
    *draws : str
        What is drawn: ``"CELL ~ normal(10, 2)"``, ``"CELL *~ triangular(0.8, 1, 1.1)"``.
    correlations : sequence of str
        Rank correlations of two drawn cells: ``"A, B = 0.6"``.
    samples : int
        How many draws.
    seed : int
        The same seed makes the same draws.
    quantities : sequence of str
        More figures of each draw, as claims spell them.
    missed_floor_cost : float, optional
        $bn per GW-year at which floors may be missed, so that every draw has a plan.
    time_limit : float, optional
        Seconds for one draw.
    jobs : int
        Processes; 0: one a core.

    Returns
    -------
    Sweep
        ``tables["quantiles"]`` has the quantiles: money in $bn, capacity in GW-years.
    """
    instance = _priced(instance, missed_floor_cost)
    drawn, paired = all_told([partial(draw, text) for text in draws], [partial(correlation, t) for t in correlations])
    ranks = matrix(drawn, paired) if paired else None
    options = SolveOptions(time_limit)
    study = draws_of_inputs.study(instance, drawn, samples, seed, ranks, tuple(quantities), options)
    results = _answered(study, jobs)
    return Sweep(results, draws_of_inputs.tables(results))


def backtest(
    instance: Instance,
    *draws: str,
    delays: str = "",
    slips: Sequence[str] = (),
    happens: Sequence[str] = (),
    correlations: Sequence[str] = (),
    paths: int = 100,
    seed: int = 0,
    review: Literal["month", "quarter", "year"] = "quarter",
    policies: Sequence[str | Path | Decides] = (),
    leaves: bool = False,
    missed_floor_cost: float | None = None,
    time_limit: float | None = None,
    jobs: int = 1,
) -> Sweep:
    """Hold policies against each other along paths that the instance's tree does not have.

    On each path each policy decides at every review with what is known then; its decisions stand until the next, the
    world moves on, and in the end the audit counts what it came to.

    Parameters
    ----------
    instance : Instance
        What is planned for; its factors are drawn by their probabilities.
    *draws : str
        Cells that are drawn: ``"CELL ~ normal(10, 2)"``, ``"CELL *~ uniform(0.8, 1.2) @ 2027-01-01"``.
    delays : str
        Distribution of the months by which each contract's deliveries still to come move, each on its own.
    slips : sequence of str
        Months by which reveals come later: ``"FACTOR ~ discrete(0: 0.7, 3: 0.3)"``.
    happens : sequence of str
        What-ifs of the instance that may come true: ``"WHATIF ~ 0.1"``.
    correlations : sequence of str
        Rank correlations of two drawn cells: ``"A, B = 0.6"``.
    paths : int
        How many paths are drawn, as a Latin hypercube.
    seed : int
        The same seed draws the same paths.
    review : {"month", "quarter", "year"}
        How often decisions are reviewed.
    policies : sequence of str, Path or callable
        Policies by name, files of rules (``.csv``, ``.toml``), or functions that are shown a `Review` and return a
        `Decision`, GW by pathway and pool, or a plan to be followed. None: all that make a difference.
    leaves : bool
        Whether the tree's own leaves are walked in place of drawn paths: a check of policies, and no evidence.
    missed_floor_cost : float, optional
        $bn per GW-year at which floors may be missed, so that every policy has a plan on every path.
    time_limit : float, optional
        Seconds for one solve.
    jobs : int
        Processes; 0: one a core. Functions are asked in this process alone.

    Returns
    -------
    Sweep
        A case is a path. ``tables`` has ``policies``, ``pairs``, ``decisions``, ``spread`` and ``sentences``: money in
        $bn, capacity in GW and GW-years.
    """
    if jobs != 1 and any(map(callable, policies)):
        raise InstanceError(Problem(f"jobs={jobs}", "a policy is a function", "it lives in this process", "jobs=1"))
    instance = _priced(instance, missed_floor_cost)
    drawn, paired, moved, slipping, true = all_told(
        [partial(draw, text) for text in draws],
        [partial(correlation, text) for text in correlations],
        [partial(delayed, delays, instance)] if delays else [],
        [partial(slip, text, instance) for text in slips],
        [partial(happening, text, instance) for text in happens],
    )
    cells = (*drawn, *(each for rows in moved for each in rows))
    asked = tested.study(
        instance,
        Hazards(cells, dict(slipping), dict(true)),
        paths,
        seed,
        review=review,
        policies=[str(each) if isinstance(each, Path) else each for each in policies],
        ranks=matrix(cells, paired) if paired else None,
        along_leaves=leaves,
        options=SolveOptions(time_limit),
    )
    results = _answered(asked, jobs)
    return Sweep(results, scored(results.table, asked.settings["policies"], evidence=not leaves))


def breakeven(
    instance: Instance,
    cell: str,
    *,
    threshold: float | None = None,
    until: Literal["plan changes", "first moves change"] = "first moves change",
    figure: str = "plan.objective_bn",
    counts_from: float | None = None,
    between: tuple[float, float] | None = None,
) -> Breakeven:
    """Find the value of a cell at which a figure, the plan or its first moves turn, all re-optimised.

    Parameters
    ----------
    instance : Instance
        The base.
    cell : str
        Spelt as an edit without a value; with ``*=`` behind it the value is a factor on all cells that it names.
    threshold : float, optional
        Find where `figure` becomes this; in its unit. None: where what `until` says happens.
    until : str
        ``"plan changes"``: where the plan of now stops being the best; ``"first moves change"``: what it does now.
    figure : str
        The quantity that is looked at, as claims spell it.
    counts_from : float, optional
        GW from which a change counts; by default 0.01 for first moves, else any.
    between : tuple of two floats, optional
        Bounds of the search, in the cell's unit; by default wide.
    """
    cells = varied(cell)
    cells.now(instance)
    first = until == "first moves change"
    goal = (
        PlanChanges(counts_from or (COUNTS if first else KILOWATT), first)
        if threshold is None
        else Threshold(threshold)
    )
    with Session(instance) as session:
        return searched(session, cells, goal, figure, between)


def alternatives(instance: Instance, within: float = 0.01) -> Alternatives:
    """Return how firm the plan is: least and most GW by pathway and year among plans that are nearly as good.

    Parameters
    ----------
    instance : Instance
        What is planned for.
    within : float
        Share of the best plan's objective that a plan may lack.

    Returns
    -------
    Alternatives
        ``ranges`` and ``plans``: mean GW of the year.
    """
    return alternatives_of(instance, within)


def evaluate(instance: Instance, allocation: str | Path | pd.DataFrame) -> Evaluation:
    """Price a given allocation, and say which limits it breaks.

    Parameters
    ----------
    instance : Instance
        What is planned for.
    allocation : str, Path or DataFrame
        Columns ``pathway``, ``pool``, ``gw`` and one of ``start``, ``period``, ``node``; decisions that are left out
        are optimised.
    """
    with Session(instance) as session:
        laid_out = session.base.laid_out
        if isinstance(allocation, pd.DataFrame):
            given = entered(allocation, "allocation", laid_out)
        else:
            given = read_given(allocation, laid_out)
        return evaluated(session.base, given)


def explain(instance: Instance) -> Diagnosis:
    """Say why an instance has no plan: the smallest set of demands in conflict, and the cheapest ways out."""
    valid(instance)
    return diagnose(instance)


def exposure(
    asked: Instance | Plan, *, parts: Sequence[str] = PARTS, swing: float = 0.2, each: bool = False
) -> dict[str, Figures]:
    """Return what is owed to whom, and what vendors and unverified cells put at risk.

    Parameters
    ----------
    asked : Instance or Plan
        What is planned for, or its plan.
    parts : sequence of str
        Of ``obligations``, ``book``, ``whatifs``, ``vendors`` and ``unverified``; only what needs solves is solved.
    swing : float
        Share by which unverified cells swing.
    each : bool
        Whether every unverified cell swings alone, not a pathway's or kind's together.

    Returns
    -------
    dict
        By part, as ``gwplan exposure --json`` prints it; money in $bn.
    """
    instance, plan = (asked.instance, asked) if isinstance(asked, Plan) else (asked, None)
    return risks.exposure(instance, plan, parts, swing, each=each)


def claims(instance: Instance) -> pd.DataFrame:
    """Return the claims of an instance beside what its data and its plan give, each in its own unit."""
    valid(instance)
    return pd.DataFrame([claim.as_dict() for claim in judged(instance, lambda: solve(instance).summary)])


def compare(*plans: Plan | str | Path, everything: bool = False) -> dict[str, pd.DataFrame]:
    """Hold plans against the first: inputs cell by cell, figures, allocations.

    Parameters
    ----------
    *plans : Plan, str or Path
        Plans, or folders of kept runs; two or more.
    everything : bool
        Whether what is the same is returned, too.

    Returns
    -------
    dict of str to DataFrame
        ``inputs``, ``figures`` and ``allocation``: money in $bn, capacity in GW and GW-years.
    """
    if len(plans) < 2:
        raise TypeError("give two plans or more")
    with ExitStack() as open_:
        runs = [open_.enter_context(as_run(plan)) for plan in plans]
        refuse_unlike(runs)
        differing = [
            {"plan": place, **vars(difference)}
            for place, each in enumerate(runs[1:], start=2)
            for difference in inputs(runs[0].instance, each.instance)
        ]
    figures = [
        {"figure": figure.group, "name": figure.name, "unit": figure.unit, **_numbered(values)}
        for figure, values in figure_differences(runs, everything=everything)
    ]
    rows = [
        {"pathway": pathway, "pool": pool, "year": year, **_numbered(values)}
        for pathway, pool, year, *values in allocations(runs, everything=everything).itertuples(index=False)
    ]
    return {"inputs": pd.DataFrame(differing), "figures": pd.DataFrame(figures), "allocation": pd.DataFrame(rows)}


def _numbered(values: Sequence[float]) -> dict[str, float]:
    return {f"plan {place}": value for place, value in enumerate(values, start=1)}


def roll(
    instance: Instance,
    to: str | dt.date,
    plan: Plan | str | Path | None = None,
    *,
    actuals: str | Path | None = None,
    given: Mapping[str, str] | None = None,
) -> Instance:
    """Return the next instance: from a later date on, in the state that a plan, or what was in use, leaves it in.

    What it cannot carry over is a Python warning each.

    Parameters
    ----------
    instance : Instance
        What was planned for.
    to : str or date
        The new start.
    plan : Plan, str or Path, optional
        The plan that was followed, or the folder of its kept run.
    actuals : str or Path, optional
        CSV of pathway, pool and GW in use, in place of the plan's.
    given : mapping of str to str, optional
        Outcome of each factor that was revealed by then.
    """
    day = dt.date.fromisoformat(to) if isinstance(to, str) else to
    with ExitStack() as open_:
        kept = None if plan is None else open_.enter_context(as_run(plan))
        rolled = following(instance, day, kept, None if actuals is None else str(actuals), given or {})
    for line in rolled.notes:
        warnings.warn(line, stacklevel=2)
    return rolled.instance
