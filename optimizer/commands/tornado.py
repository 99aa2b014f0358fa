"""``gwplan tornado``."""

from __future__ import annotations

import click

from gwplan.commands.common import Case, advise, ends_with_code, prices_floors, swung, takes_case
from gwplan.commands.sweeping import Work, of_figure, works


@click.command(short_help="Swing each input down and up, one at a time.")
@takes_case
@prices_floors
@click.option("--by", metavar="SHARE", callback=swung, default="10%", show_default=True, help="How far inputs swing.")
@click.option(
    "--range",
    "ranges",
    metavar="RANGE",
    multiple=True,
    help="An input's own range: 'risk.aversion = 0..0.5', 'CELL *= 0.5..2'; may be repeated.",
)
@click.option("--only", is_flag=True, help="Swing nothing but the inputs with a --range.")
@click.option("--all", "every", is_flag=True, help="Swing cells that are reported too.")
@click.option("--each", is_flag=True, help="Swing every cell alone, not a pathway's or kind's together.")
@click.option(
    "--levers",
    metavar="N",
    type=click.IntRange(1, 40),
    help="Write the N inputs with the largest swing into INSTANCE as levers.toml, for gwplan ui; never over another.",
)
@of_figure("The figure whose swing is told.")
@works()
@ends_with_code
def tornado(
    case: Case,
    by: float,
    ranges: tuple[str, ...],
    only: bool,
    every: bool,
    each: bool,
    figure: str,
    levers: int | None,
    work: Work,
) -> None:
    """Swing each input of INSTANCE down and up, one at a time, and say which of them the plan hangs on.

    By default the inputs are the cells whose status is not reported; a pathway's cells of one column and status, or
    those of all contracts of a kind, swing together.
    """
    if only and not ranges:
        raise click.UsageError("--only swings the inputs with a --range: give one")
    work.refuse_existing()
    if levers is not None:
        from gwplan.storage.write import write_levers

        write_levers((), case.source)  # asked before long work
    from gwplan.studies.sweep import tornado as swings
    from gwplan.studies.sweep.sweep import Study

    instance = case.load()
    inputs = swings.inputs(instance, by, ranges, each=each, every=every, only=only)
    settings = {"by": by, "of": figure, "each": each}
    results = work.answered(Study("tornado", instance, swings.tasks(inputs), work.quantities, work.options, settings))
    table = swings.tornado(inputs, results, figure)
    from gwplan.show.text.sweep import tornado as part

    advise(instance, table["reason"])
    if levers is not None:
        from gwplan.storage.read import load

        made = swings.levers(load(case.source), inputs, table, levers)
        path = write_levers(made, case.source) if made else None
        click.echo(f"wrote {path}: {len(made)} levers" if path else "no input makes a lever: nothing written", err=True)
    work.finish(results, {"tornado": table}, lambda page: part(page, results, table, figure, by))
