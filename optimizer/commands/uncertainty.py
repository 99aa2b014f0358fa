"""``gwplan uncertainty``."""

from __future__ import annotations

import click

from gwplan.commands.common import (
    Case,
    advise,
    ends_with_code,
    prices_floors,
    progress,
    refuse_report,
    reports,
    takes_case,
    tell_json,
    warn,
)


@click.command(short_help="Say what uncertainty costs and what to do first.")
@takes_case
@prices_floors
@click.option(
    "--frontier", metavar="N", type=click.IntRange(min=1), help="Plan for N aversions to risk, from 0 in equal steps."
)
@reports
@click.option("--full", is_flag=True, help="Print scenarios, options and every move on every branch too.")
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON instead of the report.")
@ends_with_code
def uncertainty(case: Case, frontier: int | None, html: str | None, force: bool, full: bool, as_json: bool) -> None:
    """Say what the uncertainty of INSTANCE costs, what flexibility is worth and what to do first."""
    refuse_report(html, force=force)
    instance = case.load()

    from gwplan.studies.uncertainty import uncertainty as found_of

    with progress() as tell:
        result = found_of(instance, frontier=frontier or 0, progress=tell)
    warn(map(str, result.plan.warnings))
    if as_json:
        tell_json(result.as_dict())
    else:
        from gwplan.show.text.uncertainty import print_uncertainty

        print_uncertainty(result, full=full)
    advise(instance, [*result.reasons.values(), *(option.reason for option in result.options)])
    if html is not None:
        from gwplan.show.report.cases import uncertainty_report

        uncertainty_report(result).save(html, force=force)
