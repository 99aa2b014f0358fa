"""The command ``gwplan``: options in, exit codes out, the work elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import click

if TYPE_CHECKING:
    from optimizer.instance.instance import Instance
    from optimizer.results.plan import Plan

BAD_INPUT, NO_PLAN, STOPPED, FAILED_CHECK = 1, 3, 4, 5

Arguments = ParamSpec("Arguments")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 solved to optimality; 1 bad input; 2 wrong usage; 3 infeasible or unbounded; "
    "4 stopped by a limit, best plan kept and labelled; 5 the answer failed its own check.",
)
@click.version_option(package_name="gwplan")
def main() -> None:
    """Split gigawatts of compute among their uses over time and over a tree of futures."""


def _ends_with_code(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turn the errors of planning into lines on stderr and the exit codes of the interface."""

    @wraps(command)
    def run(*args: Arguments.args, **options: Arguments.kwargs) -> None:
        from optimizer.errors import AuditError, InfeasibleError, SolverError, StoppedError
        from optimizer.instance.problems import InstanceError

        try:
            command(*args, **options)
        except InstanceError as error:
            _stop(BAD_INPUT, *map(str, error.problems))
        except InfeasibleError as error:
            _stop(NO_PLAN, str(error))
        except StoppedError as error:
            _stop(STOPPED, str(error))
        except (AuditError, SolverError) as error:
            _stop(FAILED_CHECK, str(error))
        except KeyboardInterrupt:
            _stop(STOPPED, "stopped (interrupted) before there was a plan")

    return run


def _stop(code: int, *lines: str) -> None:
    for line in lines:
        click.echo(f"error: {line}", err=True)
    sys.exit(code)


def _warn(lines: Iterator[str] | list[str] | tuple[str, ...]) -> None:
    for line in lines:
        click.echo(f"warning: {line}", err=True)


def _pairs(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
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
def _progress() -> Iterator[Callable[[str], None] | None]:
    """Show the stage of the work on stderr when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda stage: status.update(f"{stage} ...")


def _case(
    source: str, edits: tuple[str, ...], whatifs: tuple[str, ...], given: Mapping[str, str], deterministic: bool
) -> Instance:
    """Return the instance that the options ask for: what-ifs first, then edits."""
    from optimizer.instance.edit import edit
    from optimizer.instance.read import load, load_whatif

    instance = load(source)
    for name in whatifs:
        known = name in instance.whatifs
        instance = instance.with_whatif(name if known or not name.endswith(".toml") else load_whatif(name))
    instance = instance.edited(*map(edit, edits)) if edits else instance
    instance = instance.given(given) if given else instance
    return instance.deterministic() if deterministic else instance


@main.command()
@click.argument("instance", metavar="INSTANCE")
@click.option("--out", metavar="DIR", help="Keep the run in this new folder.")
@click.option("--force", is_flag=True, help="Let --out replace an earlier run.")
@click.option("--set", "edits", metavar="EDIT", multiple=True, help="Edit cells, e.g. 'risk.aversion = 0.3'.")
@click.option("--with", "whatifs", metavar="WHATIF", multiple=True, help="Apply a what-if: its name, or a .toml file.")
@click.option("--given", metavar="FACTOR=OUTCOME", multiple=True, callback=_pairs, help="Take an outcome as known.")
@click.option("--deterministic", is_flag=True, help="Ignore uncertainty: plan the instance as written.")
@click.option("--time-limit", metavar="S", type=click.FloatRange(min=0), help="Stop the solver after S seconds.")
@click.option(
    "--solver-option", "solver", metavar="KEY=VALUE", multiple=True, callback=_pairs, help="Set an option of HiGHS."
)
@click.option("--log", is_flag=True, help="Show the solver's own log on stderr.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON instead of the plan.")
@_ends_with_code
def solve(
    instance: str,
    out: str | None,
    force: bool,
    edits: tuple[str, ...],
    whatifs: tuple[str, ...],
    given: dict[str, str],
    deterministic: bool,
    time_limit: float | None,
    solver: dict[str, str],
    log: bool,
    as_json: bool,
) -> None:
    """Find the best plan of INSTANCE (a folder), check it and print it."""
    import gc

    from optimizer.results.run import keep, refuse_existing

    gc.disable()  # the process ends with the plan; to walk its many small objects again and again only costs time
    if out is not None:
        refuse_existing(out, force=force)
    case = _case(instance, edits, whatifs, given, deterministic)

    from optimizer.planning import solve as best_plan
    from optimizer.solve.highs import SolveOptions, checked_options

    options = SolveOptions(time_limit, log, checked_options(solver))
    with _progress() as progress:
        plan = best_plan(case, options, accept_stopped=True, progress=progress, meanwhile=_printer)
    try:
        if out is not None:
            asked = {"time_limit_s": time_limit, "solver": dict(options.solver), "deterministic": deterministic}
            keep(plan, out, command=["gwplan", *sys.argv[1:]], options=asked, force=force)
    finally:  # a disk that filled up meanwhile does not cost the planner the plan
        _show(plan, as_json)
    if plan.status != "optimal":
        _stop(STOPPED, f"stopped ({plan.status.replace('_', ' ')}): this plan keeps every limit but is not proved best")


def _show(plan: Plan, as_json: bool) -> None:
    if as_json:
        import json

        _warn(plan.warnings)
        click.echo(json.dumps(plan.summary, indent=2, allow_nan=False))
    else:
        _printer()(plan)


def _printer() -> Callable[[Plan], None]:
    from optimizer.export.printed import print_plan

    return print_plan


@main.command()
@click.argument("instance", metavar="INSTANCE")
@_ends_with_code
def check(instance: str) -> None:
    """Validate INSTANCE: every problem at once, with where it is, the rule and what to do."""
    from optimizer.instance.read import load
    from optimizer.planning import lay_out

    laid_out, warnings = lay_out(load(instance))
    _warn([str(warning) for warning in warnings])
    tree = laid_out.data.tree
    found = f"{len(warnings)} warning{'s' if len(warnings) != 1 else ''}"
    click.echo(
        f"{laid_out.instance.name}: valid, {found}; {len(laid_out.data.contracts)} contracts, "
        f"{len(laid_out.data.pathways)} pathways, {len(laid_out.data.pools)} pools, {tree.periods} periods, "
        f"{len(tree.node_of)} scenarios, {tree.size} nodes"
    )


@main.command()
@click.argument("name", metavar="NAME")
@_ends_with_code
def new(name: str) -> None:
    """Write a commented starter instance into the new folder NAME."""
    from pathlib import Path

    from optimizer.instance.starter import starter
    from optimizer.instance.write import write_texts

    write_texts(starter(Path(name).resolve().name), name)
    click.echo(f"{name}: a starter instance; read its README.md, then: gwplan solve {name}")


@main.command()
@click.argument("run", metavar="RUN")
@click.option("--csv", metavar="DIR", help="Tables as CSV.")
@click.option("--parquet", metavar="DIR", help="Tables as Parquet, with units and the manifest in their metadata.")
@click.option("--png", metavar="FILE", help="Picture of GW by pathway over time against supply.")
@click.option("--svg", metavar="FILE", help="The same picture as SVG.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@_ends_with_code
def export(run: str, csv: str | None, parquet: str | None, png: str | None, svg: str | None, force: bool) -> None:
    """Export a kept RUN."""
    from optimizer.results.run import read_run

    wanted = {"csv": csv, "parquet": parquet, "png": png, "svg": svg}
    if not any(wanted.values()):
        raise click.UsageError("name at least one of --csv, --parquet, --png, --svg")
    kept = read_run(run)
    for kind, target in wanted.items():
        if target:
            _export(kept, kind, target, force)
            click.echo(f"wrote {target}")


def _export(kept: Any, kind: str, target: str, force: bool) -> None:
    if kind in ("csv", "parquet"):
        from optimizer.export import tables

        (tables.to_csv if kind == "csv" else tables.to_parquet)(kept, target, force=force)
    else:
        from optimizer.export import charts

        charts.save(charts.gw_over_time(kept), target, force=force)


if __name__ == "__main__":
    main()
