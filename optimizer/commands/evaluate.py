"""``gwplan evaluate``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from gwplan.commands.common import NO_PLAN, Case, ends_with_code, stays_near, takes_case, warn

if TYPE_CHECKING:
    from gwplan.solver.program import FloatArray
    from gwplan.studies.evaluate import Evaluation
    from gwplan.tree.timeline import Timeline


@click.command(short_help="Price a given allocation, and say which limits it breaks.")
@takes_case
@stays_near
@click.option(
    "--plan",
    "path",
    metavar="FILE",
    required=True,
    help="CSV of pathway, pool, gw and start (or node), or a workbook; what it leaves out is chosen best.",
)
@click.option("--sheet-prefix", "prefix", metavar="TEXT", default="", help="Begins the names of the workbook's sheets.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@ends_with_code
def evaluate(case: Case, path: str, prefix: str, as_json: bool) -> None:
    """Price a given allocation of INSTANCE: limits broken, worth, gap to the best plan and where it arises.

    One that breaks limits is not possible: exit code 3.
    """
    instance = case.load()

    from gwplan.session import Session
    from gwplan.studies.evaluate import evaluate as price
    from gwplan.studies.evaluate import left_out

    with Session(instance) as session:
        given = _given(path, prefix, session.base.laid_out)
        warn(left_out(given, path, session.base.laid_out))
        evaluated = price(session.base, given)
    if as_json:
        import json

        click.echo(json.dumps(_record(evaluated), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from gwplan.show.page import printed
        from gwplan.show.text.breakeven import evaluation

        with printed() as page:
            evaluation(page, evaluated)
    if evaluated.broken:
        sys.exit(NO_PLAN)


def _given(path: str, prefix: str, laid_out: Timeline) -> FloatArray:
    """Return the given allocation of a CSV file, or of a workbook that gwplan wrote and a planner overtyped."""
    from gwplan.storage.write import is_workbook_name
    from gwplan.studies.evaluate import entered, read_given

    if not is_workbook_name(path):
        return read_given(path, laid_out)
    from gwplan.show.workbook.facts import usable_pairs
    from gwplan.show.workbook.into import read_allocation

    data = laid_out.data
    pairs = [(data.pathways[p], data.pools[q]) for p, q in usable_pairs(data)]
    return entered(read_allocation(path, prefix, pairs), f"{path}: {prefix}allocation", laid_out)


def _record(evaluated: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain data."""
    from dataclasses import asdict

    gap = evaluated.gap_by_year()
    return {
        "objective_bn": evaluated.plan.objective_bn,
        "best_objective_bn": evaluated.best.objective_bn,
        "gap_bn": evaluated.gap_bn,
        "possible": not evaluated.broken,
        "broken": [asdict(broken) for broken in evaluated.broken],
        "gap_by_year_bn": {str(owner): {str(y): float(v) for y, v in row.items()} for owner, row in gap.iterrows()},
        "summary": dict(evaluated.plan.summary),
    }
