"""``gwplan sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gwplan.commands.common import Case, ends_with_code, prices_floors, takes_case
from gwplan.commands.sweeping import Work, of_figure, works

if TYPE_CHECKING:
    from gwplan.instance.instance import Instance
    from gwplan.studies.sweep.sweep import Task


@click.command(short_help="Solve over a grid of values, or over cases of a file.")
@takes_case
@prices_floors
@click.option(
    "--grid",
    "grids",
    metavar="AXIS",
    multiple=True,
    help="Cells and their values: 'risk.aversion = 0, 0.2, 0.4'; several make every combination.",
)
@click.option("--cases", metavar="FILE", help="Cases from a CSV file: a column a cell, a row a case.")
@of_figure("The figure that is printed and drawn.")
@works()
@ends_with_code
def sweep(case: Case, grids: tuple[str, ...], cases: str | None, figure: str, work: Work) -> None:
    """Solve INSTANCE over a grid of values of its cells, or over the cases of a file.

    An axis is spelled like an edit with several values: 'value[pathway=deals].value_bn_per_gw_year *= 0.5..1.5 step 0.1
    @ 2027-01-01'.
    """
    if bool(grids) == bool(cases):
        raise click.UsageError("give --grid 'CELL = VALUE, VALUE, ...', which may be repeated, or --cases FILE")
    work.refuse_existing()
    from gwplan.studies.sweep.sweep import Study

    instance = case.load()
    tasks, axes = _asked(instance, grids, cases)
    settings = {"axes": axes, "of": figure}
    results = work.answered(Study("sweep", instance, tasks, work.quantities, work.options, settings))
    from gwplan.show.text.sweep import sweep as part

    work.finish(results, {}, lambda page: part(page, results, axes, figure))


def _asked(instance: Instance, grids: tuple[str, ...], cases: str | None) -> tuple[tuple[Task, ...], list[str]]:
    """Return the cases, and the names of their inputs."""
    from gwplan.studies.sweep.grid import axes, grid, written

    if cases is not None:
        tasks = written(cases, instance)
        return tasks, list(tasks[0].inputs)
    sides = axes(instance, grids)
    return grid(sides), [each.name for each in sides]
