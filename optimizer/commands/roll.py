"""``gwplan roll``."""

from __future__ import annotations

from datetime import datetime

import click

from gwplan.commands.common import ends_with_code, pairs, warn


@click.command(short_help="Write the next instance, from a later date on.")
@click.argument("source", metavar="INSTANCE")
@click.option("--to", "to", metavar="DATE", required=True, type=click.DateTime(["%Y-%m-%d"]), help="New start.")
@click.option("--run", metavar="RUN", help="The plan that was followed: allocation, deals, notices, cancellations.")
@click.option("--actuals", metavar="FILE", help="CSV of pathway, pool, gw in use, not the run's; a pair left out: 0.")
@click.option("--given", metavar="FACTOR=OUTCOME", multiple=True, callback=pairs, help="What was revealed by DATE.")
@click.option("--out", metavar="DIR", required=True, help="Folder of the new instance.")
@ends_with_code
def roll(source: str, to: datetime, run: str | None, actuals: str | None, given: dict[str, str], out: str) -> None:
    """Write the next instance: INSTANCE from DATE on, in the state that a RUN or actuals leave it in."""
    if run is None and actuals is None:
        raise click.UsageError("give --run, --actuals or both")
    from pathlib import Path

    from gwplan.kept.run import read_run
    from gwplan.problems import InstanceError, Problem
    from gwplan.storage.read import load
    from gwplan.storage.write import save
    from gwplan.studies.roll import following

    if Path(out).exists():
        raise InstanceError(Problem(out, "exists already", "nothing is overwritten unasked", "give another name"))
    instance, day = load(source), to.date()
    rolled = following(instance, day, None if run is None else read_run(run), actuals, given)
    state = rolled.state
    save(rolled.instance, out)
    warn(rolled.notes)
    running = f"{len(state.running)} terms and notices run on"
    click.echo(f"{out}: {instance.name} from {day} on, {rolled.instance.periods} periods; {running}")
    offers, open_ = (dict.fromkeys(i.tables["offers"]["contract"]) for i in (instance, rolled.instance))
    passed = [name for name in offers if name not in open_ and name not in state.signed]
    for said, names in (("contracts now, since they were signed", state.signed), ("no longer on offer", passed)):
        if names:
            click.echo(f"{said}: {', '.join(names)}")
