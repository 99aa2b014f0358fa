"""What the commands of many cases share: where the cases are solved, how far they are, and what is kept of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click

from gwplan.commands.common import (
    BAD_INPUT,
    FAILED_CHECK,
    NO_PLAN,
    PULSE,
    STOPPED,
    Command,
    show,
    stop,
    warn,
    with_options,
)

if TYPE_CHECKING:
    import pandas as pd

    from gwplan.show.page import Page
    from gwplan.solver.program import FloatArray, SolveOptions
    from gwplan.studies.sweep.draws import Draw
    from gwplan.studies.sweep.sweep import Engine, Results, Study


@dataclass(frozen=True)
class Work:
    """How the cases of a command are worked through, and what becomes of them."""

    jobs: int  # worker processes; 1: this process
    cluster: str | None  # address of a Dask scheduler
    out: str | None  # folder in which the cases are kept
    force: bool  # whether what is there, finished or not, gives way
    quantities: tuple[str, ...]  # quantities that each case gives besides the usual figures
    time_limit: float | None  # seconds that one case may take
    pictures: tuple[str, ...]  # files of the picture, each with its ending
    as_json: bool  # whether the figures are printed as JSON

    @property
    def options(self) -> SolveOptions:
        """Options of every solve."""
        from gwplan.solver.program import SolveOptions

        return SolveOptions(self.time_limit)

    def refuse_existing(self) -> None:
        """Raise unless what is to be written can be; ask before anything long."""
        from gwplan.kept.sweep import KIND
        from gwplan.problems import all_told
        from gwplan.show.charts.pictures import refuse_existing as refuse_picture

        checks: list[Callable[[], Any]] = [partial(refuse_picture, path, force=self.force) for path in self.pictures]
        if self.out is not None:
            checks.append(partial(KIND.refuse, self.out, force=self.force))
        all_told(checks)

    def answered(self, study: Study) -> Results:
        """Return the answers to a study; those of a sweep that was broken off are taken from where it left them."""
        from gwplan.studies.sweep.journal import Journal
        from gwplan.studies.sweep.sweep import Store, run

        began = time.monotonic()
        with ExitStack() as open_:
            journal = None
            if self.out is not None:
                journal = open_.enter_context(Journal(self.out, study, force=self.force))
                if journal.rows:
                    click.echo(f"going on with {journal.folder}: {journal.answered} cases are there", err=True)
            tell = open_.enter_context(_bar(len(study.tasks)))
            store = journal or Store()
            try:
                results = run(study, self._engine(), store, tell)
            except KeyboardInterrupt:
                done = sum(number >= 0 for number in store.rows)
                after = f"stopped (interrupted) after {time.monotonic() - began:.1f} s"
                kept = f"; they are kept in {journal.folder}: repeat the command to go on" if journal else ""
                stop(STOPPED, f"{after} with {done} of {len(study.tasks)} cases{kept}")
        warn(_without_plan(results))
        return results

    def _engine(self) -> Engine:
        if self.cluster is not None:
            from gwplan.studies.sweep.engines import Cluster

            return Cluster(self.cluster)
        from gwplan.studies.sweep.engines import InProcess, Processes

        return InProcess() if self.jobs == 1 else Processes(self.jobs)

    def finish(self, results: Results, made: Mapping[str, pd.DataFrame], part: Callable[[Page], None]) -> None:
        """Keep and draw the cases and the tables made of them where that is asked for, tell them, and end."""
        from gwplan.kept.sweep import CASES, keep
        from gwplan.studies.sweep.journal import discard

        tables = {CASES: results.table, **made}
        if self.out is not None:
            command = ["gwplan", *sys.argv[1:]]
            keep(results.study.instance, results.asked(), tables, self.out, command=command, force=self.force)
            discard(self.out)
            click.echo(f"kept in {self.out}", err=True)
        if self.pictures:
            draw(results.study.kind, tables, results.described(), self.pictures, self.force)
        if self.as_json:
            click.echo(_as_json(results, made))
        else:
            show(part)
        _end(results)


def draw(
    kind: str, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any], paths: Iterable[str], force: bool
) -> None:
    """Write the picture of a sweep to files; a sweep that has nothing for it is a problem of the input."""
    from gwplan.show.charts.pictures import save
    from gwplan.show.charts.sweep import chart
    from gwplan.show.theme import NothingToShowError

    try:
        drawn = chart(kind, tables, about).picture_of(str(about["instance"]))
    except NothingToShowError as reason:
        stop(BAD_INPUT, f"no picture: {reason}")
    for path in paths:
        save(drawn, path, force=force)
        click.echo(f"wrote {path}", err=True)


def _as_json(results: Results, tables: Mapping[str, pd.DataFrame]) -> str:
    """Return a sweep as JSON: the base's figures, each case's, and the tables made of them."""
    import json

    from gwplan.kept.record import plain

    study = results.study
    cases = [
        {"case": number, "inputs": dict(task.inputs), **row}
        for number, (task, row) in enumerate(zip(study.tasks, results.rows, strict=True), start=1)
    ]
    made = {name: table.to_dict("records") for name, table in tables.items()}
    return json.dumps(plain({**results.described(), **made, "cases": cases}), indent=2, ensure_ascii=False)


def _end(results: Results) -> None:
    """End with the exit code that fits: 5 where a case failed its own check, 3 where none has a plan."""
    statuses = set(results.table["status"])
    if statuses & {"failed_check", "solver_error", "error", "lost"}:
        sys.exit(FAILED_CHECK)
    if statuses and "optimal" not in statuses:
        sys.exit(NO_PLAN)


def _without_plan(results: Results) -> Iterator[str]:
    """Yield a line for every way in which cases have no plan, with the first such case and its reason."""
    from gwplan.errors import InfeasibleError
    from gwplan.studies.attempt import why_no_plan

    table, study = results.table, results.study
    for status, rows in table[table["status"] != "optimal"].groupby("status", sort=False):
        first = rows.iloc[0]
        words = "1 case is" if len(rows) == 1 else f"{len(rows)} cases are"
        reason = str(first["reason"])
        if status == "infeasible":  # found out for the one that is shown: it takes many solves
            reason = why_no_plan(
                InfeasibleError("infeasible", study.instance.edited(*study.tasks[first["case"] - 1].edits))
            )
        yield f"{words} {str(status).replace('_', ' ')}, first case {first['case']}: {reason}"


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int, int], None] | None]:
    """Show on stderr, when that is a terminal, how many cases are answered, how fast, and how long the rest takes."""
    if not sys.stderr.isatty():
        yield lambda done, total: PULSE.tell(f"{done} of {total} cases")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown, PULSE.still():
        task = shown.add_task("cases", total=total, rate="")

        def tell(done: int, total: int) -> None:
            speed = shown.tasks[0].speed
            shown.update(task, completed=done, rate=f"{speed:.1f}/s" if speed else "")

        yield tell


def _jobs(context: click.Context, parameter: click.Parameter, given: int) -> int:
    from os import cpu_count

    return given or cpu_count() or 1


_FIGURE = click.option(
    "--figure",
    "quantities",
    metavar="QUANTITY",
    multiple=True,
    help="One more figure of each case, as claims spell it: 'plan.expected_gw_years[pathway=ads] / 4'.",
)

_OPTIONS = (
    click.option("--jobs", type=click.IntRange(0), default=1, show_default=True, callback=_jobs, metavar="N",
                 help="Worker processes on this machine; 0: one a core."),
    click.option("--cluster", metavar="ADDRESS", help="Solve on a Dask cluster: its scheduler, tcp://HOST:PORT."),
    _FIGURE,
    click.option("--time-limit", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds for one case."),
    click.option("--out", metavar="DIR", help="Keep the cases in this new folder; a broken-off sweep goes on."),
    click.option("--force", is_flag=True, help="Replace what is kept in DIR, finished or not, and pictures."),
    click.option("--png", metavar="FILE", help="Draw the picture as FILE.png."),
    click.option("--svg", metavar="FILE", help="The same as SVG."),
    click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON."),
)  # fmt: skip


def works(*, figures: bool = True) -> Callable[[Command], Command]:
    """Return what gives a command the options of many cases, as one `Work` called ``work``; `figures`: --figure too."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**options: Any) -> None:
            pictures = []
            for kind in ("png", "svg"):
                path = options.pop(kind)
                if path and not path.lower().endswith(f".{kind}"):
                    raise click.UsageError(f"--{kind} takes a file that ends in .{kind}, not '{path}'")
                pictures += [path] if path else []
            if options["cluster"] and options["jobs"] != 1:
                raise click.UsageError("--jobs and --cluster are two places to solve: give one of them")
            taken = {f.name: options.pop(f.name, ()) for f in fields(Work) if f.name != "pictures"}
            command(work=Work(**taken, pictures=tuple(pictures)), **options)

        return with_options(run, [option for option in _OPTIONS if figures or option is not _FIGURE])

    return decorate


def of_figure(about: str) -> Callable[[Command], Command]:
    """Return the option that names the figure which a command tells, called ``figure``."""
    return click.option("--of", "figure", default="objective_bn", show_default=True, metavar="FIGURE", help=about)


_DRAWS = (
    click.option("--draw", "draws", metavar="DRAW", multiple=True,
                 help="Draw cells: 'CELL ~ normal(10, 2)', 'CELL *~ ...'."),
    click.option("--draws", "files", metavar="FILE", multiple=True,
                 help="Draws from a CSV: cell,distribution,parameters."),
    click.option("--correlation", "pairs", metavar="PAIR", multiple=True,
                 help="Rank correlation of two drawn cells: 'A, B = 0.6'."),
    click.option("--correlations", metavar="FILE", help="Rank correlations from a CSV: first,second,correlation."),
)  # fmt: skip


def draws(command: Command) -> Command:
    """Give a command the options of drawn cells: ``draws``, ``files``, ``pairs`` and ``correlations``, for `drawn`."""
    return with_options(command, _DRAWS)


def drawn(
    texts: tuple[str, ...], files: tuple[str, ...], pairs: tuple[str, ...], correlations: str | None
) -> tuple[list[Draw], FloatArray | None]:
    """Return the draws that are asked for and their rank correlations; None: independent."""
    from gwplan.problems import all_told
    from gwplan.studies.sweep.draws import correlation, correlations_of, draw, draws_of, matrix

    single, listed, paired, tabled = all_told(
        [partial(draw, text) for text in texts],
        [partial(draws_of, file) for file in files],
        [partial(correlation, text) for text in pairs],
        [partial(correlations_of, correlations)] if correlations else [],
    )
    cells = [*single, *(each for rows in listed for each in rows)]
    together = [*paired, *(each for rows in tabled for each in rows)]
    return cells, matrix(cells, together) if together else None
