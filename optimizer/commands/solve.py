"""``gwplan solve``."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwplan.commands.common import STOPPED, Case, ends_with_code, pairs, progress, stays_near, stop, takes_case, warn

SHOWN = ("value", "contracts", "deals", "buy", "limits", "scenarios", "firmness", "warnings")
"""The blocks of a plan, as `gwplan.show.text.plan.BLOCKS` has them; not imported for --help."""

if TYPE_CHECKING:
    from gwplan.plan.plan import Plan
    from gwplan.studies.locks import LockCost


def _number(context: click.Context, parameter: click.Parameter, given: float | None) -> float | None:
    """Return a number; nan, which every range lets through, is none."""
    if given is not None and math.isnan(given):
        raise click.BadParameter("nan is not a number of seconds")
    return given


@click.command(short_help="Find the best plan.")
@takes_case
@stays_near
@click.option("--out", metavar="DIR", help="Keep the run in this new folder.")
@click.option("--into", metavar="WORKBOOK", help="Refresh the plan's sheets in a workbook of yours.")
@click.option("--force", is_flag=True, help="Let --out replace an earlier run.")
@click.option(
    "--time-limit", metavar="S", type=click.FloatRange(min=0), callback=_number, help="Stop the solver after S seconds."
)
@click.option(
    "--start",
    type=click.Choice(["cold", "lift"]),
    help="Solve the whole tree at once, or a factor at a time; default: by its shape.",
)
@click.option(
    "--solver-option", "solver", metavar="KEY=VALUE", multiple=True, callback=pairs, help="Set an option of HiGHS."
)
@click.option("--ranges", is_flag=True, help="Find from_gw and to_gw of marginal values of a large model too.")
@click.option(
    "--marginal-values",
    "marginals",
    is_flag=True,
    help="Print too what one GW more and less is worth, and how far values and costs may change before the plan does.",
)
@click.option("--full", is_flag=True, help="Print all blocks of the plan instead of the short page.")
@click.option(
    "--show",
    multiple=True,
    type=click.Choice(SHOWN),
    help="Print this block alone; again for another.",
)
@click.option(
    "--offers", is_flag=True, help="Say too what each offer adds, and what the plan is worth with none: solved without."
)
@click.option("--log", is_flag=True, help="Show the solver's own log on stderr.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON instead of the plan.")
@ends_with_code
def solve(
    case: Case,
    out: str | None,
    into: str | None,
    force: bool,
    time_limit: float | None,
    start: str | None,
    solver: dict[str, str],
    ranges: bool,
    marginals: bool,
    full: bool,
    show: tuple[str, ...],
    offers: bool,
    log: bool,
    as_json: bool,
) -> None:
    """Find the best plan of INSTANCE (a folder or a workbook), check it and print it."""
    import gc

    from gwplan.kept.run import KIND, keep

    gc.disable()  # the process ends with the plan; to walk its many small objects again and again only costs time
    if out is not None:
        KIND.refuse(out, force=force)
    if into is not None:
        from gwplan.show.workbook.into import refuse_unfit

        refuse_unfit(into)
    instance = case.load()

    from gwplan.planning import solve as best_plan
    from gwplan.solver.highs import checked_options
    from gwplan.solver.program import SolveOptions

    options = SolveOptions(time_limit, log, checked_options(solver), start=start or "", ranges=ranges)
    with progress() as tell:
        kept = out is not None or into is not None
        every = kept or full or marginals or "buy" in show or "limits" in show
        more = "all" if every else "" if as_json or show else "dearest"
        plan = best_plan(
            instance, options, accept_stopped=True, allowable=marginals or kept, more_supply=more, progress=tell,
            meanwhile=printer,
        )  # fmt: skip
        if offers and plan.status == "optimal" and "signed_gw" in plan.summary:
            from gwplan.studies.offers import with_offers_valued

            plan = with_offers_valued(plan, tell)
    asked = {"time_limit_s": time_limit, "start": start, "solver": dict(options.solver), **case.asked()}
    keep_in = partial(keep, plan, command=["gwplan", *sys.argv[1:]], options=asked)
    try:
        if out is not None:
            keep_in(out, force=force)
        if into is not None:
            _refresh(keep_in, into)
    except KeyboardInterrupt:
        missing = f"the run is not kept in {out}" if into is None else f"the plan is not in {into}"
        stop(STOPPED, f"stopped (interrupted): {missing}")
    finally:  # a disk that filled up meanwhile does not cost the planner the plan
        _show(plan, as_json, marginals, full, show, offers, _lock_costs(plan) if plan.status == "optimal" else [])
    if plan.status != "optimal":
        stop(STOPPED, f"stopped ({plan.status.replace('_', ' ')}): this plan keeps every limit but is not proved best")


def _lock_costs(plan: Plan) -> list[LockCost]:
    """Return what each lock costs, if there is any."""
    if not len(plan.instance.tables["locks"]):
        return []
    from gwplan.studies.locks import lock_costs

    return lock_costs(plan.instance)


def _refresh(keep_in: Callable[[Path], Path], workbook: str) -> None:
    """Put the plan's sheets into a workbook, by way of a run that is kept for as long as that takes."""
    from tempfile import TemporaryDirectory

    from gwplan.kept.run import read_run
    from gwplan.show.workbook.into import refresh

    with TemporaryDirectory() as scratch:
        warn(map(str, refresh(read_run(keep_in(Path(scratch) / "run")), workbook).warnings))


def _show(
    plan: Plan, as_json: bool, marginals: bool, full: bool, show: tuple[str, ...], offers: bool, costs: list[LockCost]
) -> None:
    if as_json:
        import json

        warn(plan.warnings)
        beside: dict[str, object] = {"lock_costs_bn": {cost.lock: cost.cost_bn for cost in costs}} if costs else {}
        for name in ("more_supply", "looser_limits"):
            if len(plan.tables[name]):
                from gwplan.kept.record import plain

                beside[name] = plain(plan.tables[name].to_dict("records"))
        click.echo(json.dumps({**plan.summary, **beside}, indent=2, allow_nan=False))
        return
    printer()(plan, full=full, show=show)
    if offers and not (full or show):
        printer()(plan, show=("contracts",))
    if costs or marginals:
        from gwplan.show.page import printed
        from gwplan.show.text.breakeven import locks
        from gwplan.show.text.values import allowable_changes, marginal_values

        click.echo()
        with printed() as page:
            if costs:
                locks(page, costs)
            for part in (marginal_values, allowable_changes) if marginals else ():
                part(page, plan)


def printer() -> Callable[..., None]:
    """Return what prints a plan; to import it takes a while."""
    from gwplan.show.text.plan import print_plan

    return print_plan
