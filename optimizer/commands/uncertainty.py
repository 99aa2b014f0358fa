"""``gwplan uncertainty``."""

from __future__ import annotations

import click

from optimizer.commands.common import Case, ends_with_code, progress, takes_case, warn


@click.command(short_help="Say what uncertainty costs and what to do first.")
@takes_case
@click.option(
    "--frontier", metavar="N", type=click.IntRange(min=1), help="Plan for N aversions to risk, from 0 in equal steps."
)
@click.option("--html", metavar="FILE", help="Write a report too: one page, nothing else needed.")
@click.option("--force", is_flag=True, help="Let --html replace an earlier report.")
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON instead of the report.")
@ends_with_code
def uncertainty(case: Case, frontier: int | None, html: str | None, force: bool, as_json: bool) -> None:
    """Say what the uncertainty of INSTANCE costs, what flexibility is worth and what to do first."""
    if html is not None:
        from optimizer.show.report.report import refuse

        refuse(html, force=force)
    instance = case.load()

    from optimizer.studies.uncertainty import uncertainty as found_of

    with progress() as tell:
        found = found_of(instance, frontier=frontier or 0, progress=tell)
    warn(map(str, found.plan.warnings))
    if as_json:
        import json

        click.echo(json.dumps(found.as_dict(), indent=2, allow_nan=False))
    else:
        from optimizer.show.text.uncertainty import print_uncertainty

        print_uncertainty(found)
    if html is not None:
        from optimizer.show.report.cases import uncertainty_report

        uncertainty_report(found).save(html, force=force)
