"""``gwplan claims``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gwplan.commands.common import Case, ends_with_code, progress, takes_case, tell_json

if TYPE_CHECKING:
    from gwplan.instance.instance import Instance


@click.command(short_help="Set the claims of an instance beside what its data give.")
@takes_case
@click.option("--json", "as_json", is_flag=True, help="Print the claims as JSON.")
@ends_with_code
def claims(case: Case, as_json: bool) -> None:
    """Set the claims of INSTANCE (claims.csv) beside what its data and its plan give, and say which hold."""
    from gwplan.plan.claims import judged
    from gwplan.planning import valid

    instance = case.load()
    valid(instance)
    verdicts = judged(instance, lambda: _summary(instance))
    if as_json:
        tell_json([claim.as_dict() for claim in verdicts])
        return
    from gwplan.show.text.claims import print_claims

    print_claims(instance, verdicts)


def _summary(instance: Instance) -> Any:
    """Return the figures of the instance's plan, which takes a solve."""
    from gwplan.planning import solve

    with progress() as tell:
        return solve(instance, progress=tell).summary
