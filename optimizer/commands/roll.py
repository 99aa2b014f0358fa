"""``gwplan roll``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from optimizer.commands.common import ends_with_code, pairs, warn

if TYPE_CHECKING:
    from optimizer.instance.instance import Instance


@click.command()
@click.argument("source", metavar="INSTANCE")
@click.option("--to", "to", metavar="DATE", required=True, type=click.DateTime(["%Y-%m-%d"]), help="New start.")
@click.option("--run", metavar="RUN", help="The plan that was followed: allocation, deals, notices, cancellations.")
@click.option("--actuals", metavar="FILE", help="CSV of pathway, pool and gw in use; takes the place of the run's.")
@click.option("--given", metavar="FACTOR=OUTCOME", multiple=True, callback=pairs, help="What was revealed by DATE.")
@click.option("--out", metavar="DIR", required=True, help="Folder of the new instance.")
@ends_with_code
def roll(source: str, to: datetime, run: str | None, actuals: str | None, given: dict[str, str], out: str) -> None:
    """Write the next instance: INSTANCE from DATE on, in the state that a RUN or actuals leave it in."""
    if run is None and actuals is None:
        raise click.UsageError("give --run, --actuals or both")
    from dataclasses import replace
    from pathlib import Path

    from optimizer.instance.problems import InstanceError, Problem
    from optimizer.instance.read import load
    from optimizer.instance.write import save
    from optimizer.results.run import read_run
    from optimizer.whatif.roll import State, rolled, state_of

    if Path(out).exists():
        raise InstanceError(Problem(out, "exists already", "nothing is overwritten unasked", "give another name"))
    instance, day = load(source), to.date()
    state = State({}, [], {})
    if run is not None:
        kept = read_run(run)
        _refuse_other(instance, kept.instance, run)
        known = {name: outcome for name, outcome in given.items() if name in {f.name for f in kept.instance.factors}}
        instance.given(given)  # a misspelt factor or outcome is told before it is looked for in the run
        state = state_of(kept, day, known)
    if actuals is not None:
        state = replace(state, initial=_actuals(actuals, instance))
    following, lines = rolled(instance, day, state, given)
    save(following, out)
    if run is None:
        lines.append("--actuals tell nothing of deals within their term, of notices and of cancellations given before")
    warn(lines)
    running = f"{len(state.running)} terms and notices run on"
    click.echo(f"{out}: {instance.name} from {day} on, {following.periods} periods; {running}")


def _refuse_other(instance: Instance, planned: Instance, run: str) -> None:
    """Refuse a run of other periods, or with names that the instance lacks: its state would not fit."""
    from optimizer.instance.problems import InstanceError, Problem

    problems = []
    for what in ("start", "resolution"):
        mine, theirs = getattr(instance, what), getattr(planned, what)
        if mine != theirs:
            problems.append(
                Problem(run, f"calendar.{what} is {theirs}", f"that of the instance is {mine}", "give its run")
            )
    for table, column in (("pathways", "pathway"), ("pools", "pool"), ("contracts", "contract")):
        unknown = set(planned.tables[table][column]) - set(instance.tables[table][column])
        problems += [
            Problem(
                run, f"{column} '{name}'", "the instance has none of that name", "give the instance that was planned"
            )
            for name in sorted(unknown)
        ]
    if problems:
        raise InstanceError(problems)


def _actuals(path: str, instance: Instance) -> dict[tuple[str, str], float]:
    """Return GW in use by pathway and pool, as a file tells it."""
    import math

    from optimizer.instance.problems import InstanceError, Problem, nearest
    from optimizer.whatif.given import read_rows

    frame = instance.filled("eligibility")
    allowed = set(zip(frame["pathway"], frame["pool"], strict=True))
    found: dict[tuple[str, str], float] = {}
    problems = []
    for number, row in enumerate(read_rows(path, ("pathway", "pool", "gw")), start=2):
        pair, where = (row["pathway"], row["pool"]), f"{path} row {number}"
        try:
            gw = float(row["gw"])
        except ValueError:
            gw = math.nan
        if pair not in allowed:
            hint = nearest(f"{pair[0]} on {pair[1]}", [f"{p} on {q}" for p, q in allowed])
            problems.append(Problem(where, f"{pair[0]} on {pair[1]}", "no such pair in the instance", hint))
        elif pair in found:
            problems.append(Problem(where, f"{pair[0]} on {pair[1]} stands twice", "each pair once", "remove one row"))
        elif not (math.isfinite(gw) and gw >= 0):
            problems.append(
                Problem(f"{where}, gw", f"'{row['gw']}'", "must be a number of GW, at least 0", "correct it")
            )
        else:
            found[pair] = gw
    if problems:
        raise InstanceError(problems)
    return found
