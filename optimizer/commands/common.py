"""What the commands share: options, errors as exit codes, progress."""

from __future__ import annotations

import errno
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec

import click

if TYPE_CHECKING:
    from gwplan.errors import InfeasibleError
    from gwplan.instance.instance import Instance
    from gwplan.language.edits import WhatIf
    from gwplan.show.page import Page

BAD_INPUT, NO_PLAN, STOPPED, FAILED_CHECK = 1, 3, 4, 5

Arguments = ParamSpec("Arguments")


def ends_with_code(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turn the errors of planning into lines on stderr and the exit codes of the interface."""

    @wraps(command)
    def run(*args: Arguments.args, **options: Arguments.kwargs) -> None:
        from gwplan.errors import AuditError, InfeasibleError, SolverError, StoppedError
        from gwplan.problems import InstanceError

        try:
            with PULSE.beating():
                command(*args, **options)
        except InstanceError as error:
            stop(BAD_INPUT, *map(str, error.problems))
        except InfeasibleError as error:
            click.echo(f"error: {error}", err=True)
            with PULSE.beating():
                PULSE.tell("why there is no plan")
                _explain(error)
            sys.exit(NO_PLAN)
        except StoppedError as error:
            stop(STOPPED, str(error))
        except (AuditError, SolverError) as error:
            stop(FAILED_CHECK, *str(error).splitlines())
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader has gone; click ends quietly then
                raise
            stop(BAD_INPUT, f"the system refused: {error}")
        except MemoryError:
            remedy = "take longer or fewer periods, fewer factors or outcomes, or a larger machine"
            stop(BAD_INPUT, f"out of memory: the instance is too large for what is free here; {remedy}")
        except KeyboardInterrupt:
            stop(STOPPED, "stopped (interrupted) before there was a plan")

    return run


class Pulse:
    """Says on stderr what the work is at and for how long, as long as nothing else is shown.

    Attributes
    ----------
    seconds : float
        Of silence before each line.
    """

    def __init__(self) -> None:
        self.seconds = 8.0
        self._stage, self._quiet = "", False

    def tell(self, stage: str) -> None:
        """Note what the work is at."""
        self._stage = stage

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Say it every so many seconds until the block ends."""
        ended, began = threading.Event(), time.monotonic()

        def beat() -> None:
            while not ended.wait(self.seconds):
                if not self._quiet:
                    with suppress(OSError, ValueError):  # nobody reads it any more
                        click.echo(f"... {self._stage or 'working'}, {time.monotonic() - began:.0f} s", err=True)

        self._stage = ""
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Say nothing in the block: something else is shown."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False


PULSE: Final = Pulse()
"""The one of this process."""


def _explain(error: InfeasibleError) -> None:
    """Say on stderr which demands are in conflict and what would help, as ``gwplan explain`` does."""
    from gwplan.errors import PlanError

    if error.instance is None or error.status == "unbounded":
        return
    from gwplan.conflict.diagnose import diagnose

    try:
        diagnosis = diagnose(error.instance)
        nothing = "not explained: every demand can be kept to within what the solver forgives"
        lines = list(diagnosis.lines()) if diagnosis.conflicts else [nothing]
    except (PlanError, KeyboardInterrupt) as stopped:  # the instance is infeasible all the same
        lines = [f"not explained: {str(stopped) or 'interrupted'}; try: gwplan explain"]
    for line in lines:
        click.echo(line, err=True)


def stop(code: int, *lines: str) -> None:
    """End the command with an exit code, each line an error on stderr."""
    for line in lines:
        click.echo(f"error: {line}", err=True)
    sys.exit(code)


def warn(lines: Iterable[str]) -> None:
    """Print warnings on stderr."""
    for line in lines:
        click.echo(f"warning: {line}", err=True)


def pairs(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Return KEY=VALUE options as a mapping."""
    pairs: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise click.BadParameter(f"'{text}' is not of the form {parameter.metavar}")
        if key in pairs:
            raise click.BadParameter(f"'{key}' is given twice")
        pairs[key] = value
    return pairs


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show the stage of the work on stderr: as it is on a terminal, elsewhere where nothing was said for long."""
    if not sys.stderr.isatty():
        yield PULSE.tell
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status, PULSE.still():
        yield lambda stage: status.update(f"{stage} ...")


@dataclass(frozen=True)
class Case:
    """What a command is asked to look at: an instance, and what is changed in it."""

    source: str  # folder or workbook of the instance
    # what-ifs (names or files) and, after them, edits in the command line's spelling
    whatifs: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)  # outcome of each factor that is taken as known
    deterministic: bool = False  # whether uncertainty is ignored
    locks: tuple[str, ...] = ()  # cells of the allocation that are held, in the command line's spelling
    earlier: str | None = None  # folder of a kept run whose plan is to be stayed near
    move_cost: float | None = None  # what leaving it costs, $bn per GW-year moved
    missed_floor_cost: float | None = None  # what is missing from floors costs, $bn per GW-year; none: kept

    def __post_init__(self) -> None:
        if (self.earlier is None) != (self.move_cost is None):
            raise click.UsageError("give --stay-near RUN and --move-cost X together")

    def load(self) -> Instance:
        """Return the instance that is asked for."""
        from gwplan.language.edits import edit
        from gwplan.problems import all_told
        from gwplan.storage.read import load
        from gwplan.studies.locks import lock

        instance = load(self.source)
        whatifs, edits, locks, _ = all_told(
            [partial(self._whatif, name, instance) for name in self.whatifs],
            [partial(edit, text) for text in self.edits],
            [partial(lock, text, instance) for text in self.locks],
            [partial(instance.given, self.given)],
        )
        for whatif in whatifs:
            instance = instance.with_whatif(whatif)
        instance = instance.edited(*edits, *locks) if edits or locks else instance
        instance = instance.given(self.given) if self.given else instance
        instance = instance.deterministic() if self.deterministic else instance
        if self.missed_floor_cost is not None:
            from gwplan.studies.attempt import floors_priced

            instance = floors_priced(instance, self.missed_floor_cost)
        if self.earlier is None or self.move_cost is None:
            return instance
        from gwplan.kept.stay_near import stay_near

        return stay_near(instance, self.earlier, self.move_cost)

    def asked(self) -> dict[str, Any]:
        """Return what a manifest tells of it among the options."""
        return {
            "deterministic": self.deterministic,
            "stay_near": self.earlier,
            "move_cost_bn_per_gw_year": self.move_cost,
        }

    @staticmethod
    def _whatif(name: str, instance: Instance) -> WhatIf:
        """Return a what-if of the instance by its name, or one of a file."""
        from gwplan.storage.read import load_whatif

        is_file = name.endswith(".toml") and name not in instance.whatifs
        return load_whatif(name) if is_file else instance.whatif(name)


def tell_json(record: Any) -> None:
    """Print plain data as JSON."""
    import json

    click.echo(json.dumps(record, indent=2, allow_nan=False))


def show(*parts: Callable[[Page], None]) -> None:
    """Print parts of a page."""
    from gwplan.show.page import printed

    with printed() as page:
        for part in parts:
            part(page)


def refuse_report(path: str | None, *, force: bool) -> None:
    """Raise unless a report that is asked for can be written; ask before long work."""
    if path is not None:
        from gwplan.show.report.report import refuse

        refuse(path, force=force)


def share(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """Return a share from 0 up to 1, written as 20% or 0.2."""
    from gwplan.language.cursor import NUMBER

    digits = text.removesuffix("%")
    number = float(digits) / (100 if digits != text else 1) if NUMBER.fullmatch(digits) else -1.0
    if not 0 <= number < 1:
        raise click.BadParameter(f"'{text}' is not a share from 0 up to 1; write 20% or 0.2")
    return number


def swung(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """Return a share above 0, by which something is moved."""
    number = share(context, parameter, text)
    if not number:
        raise click.BadParameter(f"'{text}' moves nothing; write 20% or 0.2")
    return number


_CASE_OPTIONS = (
    click.argument("source", metavar="INSTANCE"),
    click.option(
        "--set", "edits", metavar="EDIT", multiple=True, help="Edit cells, e.g. 'risk.aversion = 0.3'; may be repeated."
    ),
    click.option(
        "--with", "whatifs", metavar="WHATIF", multiple=True, help="Apply a what-if: its name, or a .toml file."
    ),
    click.option(
        "--given", metavar="FACTOR=OUTCOME", multiple=True, callback=pairs, help="Know an outcome, e.g. market=glut."
    ),
    click.option("--deterministic", is_flag=True, help="Ignore uncertainty: plan the instance as written."),
    click.option(
        "--lock", "locks", metavar="CELL", multiple=True, help="Hold a cell, e.g. 'ads[cloud] = 0.8 @ 2027-01-01'."
    ),
)

_REPORT_OPTIONS = (
    click.option("--html", metavar="FILE", help="Write a report too: one page, nothing else needed."),
    click.option("--force", is_flag=True, help="Let --html replace an earlier report."),
)

_NEAR_OPTIONS = (
    click.option("--stay-near", "earlier", metavar="RUN", help="Penalise leaving the plan of this kept run."),
    click.option("--move-cost", metavar="X", type=float, help="What leaving it costs, $bn per GW-year moved."),
)


Command = Callable[..., None]


def with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    """Return a command with more options, in their order."""
    for option in reversed(options):
        command = option(command)
    return command


def takes_case(command: Command) -> Command:
    """Give a command the argument INSTANCE and the options that change it, as one `Case` called ``case``."""

    @wraps(command)
    def run(**options: Any) -> None:
        chosen = {name.name: options.pop(name.name) for name in fields(Case) if name.name in options}
        command(case=Case(**chosen), **options)

    return with_options(run, _CASE_OPTIONS)


def prices_floors(command: Command) -> Command:
    """Give a command the option --missed-floor-cost, as ``missed_floor_cost`` of its `Case`."""
    return click.option(
        "--missed-floor-cost",
        metavar="X",
        type=click.FloatRange(min=0, max=1e6),
        help="Let floors be missed at X $bn per GW-year, so that every case has a plan.",
    )(command)


def advise(instance: Instance, reasons: Iterable[str]) -> None:
    """Say on stderr which floors leave cases without a plan, and how to price them."""
    from gwplan.studies.attempt import floors_in_the_way

    warn(floors_in_the_way(instance, reasons))


def stays_near(command: Command) -> Command:
    """Give a command the options --stay-near and --move-cost, as ``earlier`` and ``move_cost`` of its `Case`."""
    return with_options(command, _NEAR_OPTIONS)


def reports(command: Command) -> Command:
    """Give a command the options --html and --force, which writes and replaces a report beside what is printed."""
    return with_options(command, _REPORT_OPTIONS)
