"""``gwplan exposure``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwplan.commands.common import (
    Case,
    advise,
    ends_with_code,
    prices_floors,
    progress,
    swung,
    takes_case,
    tell_json,
)

if TYPE_CHECKING:
    from gwplan.instance.instance import Instance
    from gwplan.plan.plan import Plan

PARTS = ("obligations", "whatifs", "vendors", "unverified")
BOOK = "book"
"""A part that is shown only where it is asked for: a row by contract and year."""


@click.command(short_help="Show what is owed to whom, and what puts the plan at risk.")
@takes_case
@prices_floors
@click.option(
    "--part", "parts", type=click.Choice((*PARTS, BOOK)), multiple=True, help="Only this part; may be repeated."
)
@click.option(
    "--swing", metavar="SHARE", callback=swung, default="20%", show_default=True, help="Swing of unverified cells."
)
@click.option("--each", is_flag=True, help="Swing every unverified cell alone, not a pathway's or kind's together.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@ends_with_code
def exposure(case: Case, parts: tuple[str, ...], swing: float, each: bool, as_json: bool) -> None:
    """Show what INSTANCE (or a kept run) owes to whom, and what vendors and unverified cells put at risk.

    Obligations as signed and after the plan's cancellations, by vendor, contract, year and future (part book: row by
    row, with prepayments and credits, beside the totals that were filed); what each what-if does to them; worth at risk
    if a vendor is a quarter late or fails; what rests on cells that are not reported facts.
    """
    from gwplan.studies.exposure import exposure as exposed

    instance, plan = _asked(case)
    with progress() as tell:
        figures = exposed(instance, plan, parts or PARTS, swing, tell, each=each)
    rows = [*figures.get("whatifs", ()), *figures.get("vendors", ()), *figures.get("unverified", {}).get("swings", ())]
    advise(instance, [row[name] for row in rows for name in row if name.endswith("reason")])
    if as_json:
        tell_json(figures)
        return
    from gwplan.show.text.exposure import print_exposure

    print_exposure(figures)


def _asked(case: Case) -> tuple[Instance, Plan | None]:
    """Return the instance, and its plan where it is a kept run's."""
    from gwplan.kept.run import KIND, read_run

    if not KIND.made(Path(case.source)):
        return case.load(), None
    if case != Case(case.source):
        raise click.UsageError("a kept run is taken as it was planned: change its instance and solve that")
    run = read_run(case.source)
    return run.instance, run.plan
