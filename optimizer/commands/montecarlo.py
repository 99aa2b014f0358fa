"""``gwplan montecarlo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gwplan.commands.common import Case, ends_with_code, prices_floors, takes_case
from gwplan.commands.sweeping import Work, drawn, draws, works

if TYPE_CHECKING:
    from gwplan.show.page import Page


@click.command(short_help="Solve again for drawn inputs: quantiles of the worth.")
@takes_case
@prices_floors
@draws
@click.option("--samples", type=click.IntRange(2), default=500, show_default=True, metavar="N", help="How many draws.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Same seed, same draws."
)
@works()
@ends_with_code
def montecarlo(
    case: Case,
    draws: tuple[str, ...],
    files: tuple[str, ...],
    pairs: tuple[str, ...],
    correlations: str | None,
    samples: int,
    seed: int,
    work: Work,
) -> None:
    """Re-solve INSTANCE for drawn inputs: quantiles of its figures, and how often each pathway gets capacity.

    Distributions: normal(mean, sd), lognormal(mean, sd), triangular(low, mode, high), uniform(low, high) and
    discrete(value: probability, ...). With ~ a draw stands in the cells, with *~ it multiplies them, with +~ it is
    added.
    """
    if not (draws or files):
        raise click.UsageError("give --draw 'CELL ~ normal(10, 2)', which may be repeated, or --draws FILE")
    work.refuse_existing()
    from gwplan.studies.sweep.montecarlo import study

    instance = case.load()
    cells, ranks = drawn(draws, files, pairs, correlations)
    results = work.answered(study(instance, cells, samples, seed, ranks, work.quantities, work.options))
    from gwplan.show.text.sweep import decision_changes_in
    from gwplan.show.text.sweep import montecarlo as part
    from gwplan.studies.sweep.montecarlo import tables

    made = tables(results)

    def shown(page: Page) -> None:
        part(page, results.described(), made)
        page.note(decision_changes_in(results.table, "draw", instance.resolution))

    work.finish(results, made, shown)
