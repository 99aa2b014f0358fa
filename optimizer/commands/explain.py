"""``gwplan explain``."""

from __future__ import annotations

import sys

import click

from gwplan.commands.common import NO_PLAN, Case, ends_with_code, progress, takes_case, tell_json


@click.command(short_help="Say why there is no plan, and the cheapest ways out.")
@takes_case
@click.option("--json", "as_json", is_flag=True, help="Print the conflict and the repairs as JSON.")
@ends_with_code
def explain(case: Case, as_json: bool) -> None:
    """Say why INSTANCE has no plan: the smallest set of demands in conflict, and the cheapest ways out.

    Ends with 3 where there is no plan, with 0 where there is one.
    """
    from gwplan.conflict.diagnose import diagnose
    from gwplan.planning import valid

    instance = case.load()
    valid(instance)
    with progress() as tell:
        tell("explain")
        diagnosis = diagnose(instance)
    if as_json:
        tell_json(diagnosis.as_dict())
    else:
        for line in diagnosis.lines():
            click.echo(line)
    if diagnosis.conflicts:
        sys.exit(NO_PLAN)
