"""``gwplan breakeven``."""

from __future__ import annotations

from math import inf, isfinite

import click

from gwplan.catalogue.tolerances import COUNTS, KILOWATT
from gwplan.commands.common import Case, ends_with_code, progress, show, takes_case, tell_json


@click.command(short_help="Find the value of a cell at which a figure or the plan turns.")
@takes_case
@click.argument("cell", metavar="CELL")
@click.option(
    "--figure",
    metavar="QUANTITY",
    default="plan.objective_bn",
    show_default=True,
    help="What is looked at, as claims spell it: 'plan.expected_gw_years[pathway=ads]'.",
)
@click.option("--threshold", type=float, metavar="X", help="Find where the figure becomes X.")
@click.option("--until-plan-changes", is_flag=True, help="Find where the plan of now stops being the best.")
@click.option(
    "--until-first-moves-change",
    is_flag=True,
    help="Find where what the plan of now does in the first period stops being the best.",
)
@click.option(
    "--counts-from",
    type=float,
    metavar="GW",
    help="Size from which a change counts, of a pathway in a pool or of a contract; 0.01 for first moves, else any.",
)
@click.option("--between", type=float, nargs=2, metavar="LOW HIGH", help="Bounds of the search; by default wide.")
@click.option("--json", "as_json", is_flag=True, help="Print what is found as JSON.")
@ends_with_code
def breakeven(
    case: Case,
    cell: str,
    figure: str,
    threshold: float | None,
    until_plan_changes: bool,
    until_first_moves_change: bool,
    counts_from: float | None,
    between: tuple[float, float] | None,
    as_json: bool,
) -> None:
    """Find the value of CELL of INSTANCE at which a figure, the plan or its first moves turn, all re-optimised.

    CELL is spelled as in --set, without a value: 'value[pathway=deals, tier=1].value_bn_per_gw_year @ 2027-01-01'; with
    *= behind it the value is a factor on all cells it names, with += what is added to them. Of a column of dates the
    value is the months by which they move.
    """
    if (threshold is not None) + until_plan_changes + until_first_moves_change != 1:
        wanted = "--threshold X, with --figure, --until-plan-changes or --until-first-moves-change"
        raise click.UsageError(f"give one of {wanted}")
    if counts_from is not None and (threshold is not None or not KILOWATT <= counts_from < inf):
        raise click.UsageError(
            f"--counts-from takes GW, {KILOWATT:g} or more, of a change of the plan or of first moves"
        )
    if between is not None and not between[0] < between[1]:
        raise click.UsageError(f"--between takes the lower bound first: {between[0]:g} is not below {between[1]:g}")
    for name, given in (("--threshold", threshold), *(("--between", bound) for bound in between or ())):
        if given is not None and not isfinite(given):
            raise click.UsageError(f"{name} takes finite numbers, not {given:g}")
    from gwplan.instance.varied_cells import varied

    cells = varied(cell)
    instance = case.load()
    cells.now(instance)

    from gwplan.session import Session
    from gwplan.studies.breakeven import breakeven as search

    goal: search.PlanChanges | search.Threshold
    if threshold is not None:
        goal = search.Threshold(threshold)
    else:
        smallest = counts_from or (COUNTS if until_first_moves_change else KILOWATT)
        goal = search.PlanChanges(smallest, until_first_moves_change)
    with progress() as tell:
        tell("the plan as it is")
        result = search.breakeven(Session(instance), cells, goal, figure, between, tell)
    if as_json:
        tell_json({"instance": instance.name, **result.as_dict()})
        return
    from gwplan.show.text.breakeven import breakeven as part

    show(lambda page: part(page, instance.name, result))
