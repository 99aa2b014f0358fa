"""``gwplan montecarlo``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from gwplan.commands.common import Case, ends_with_code, prices_floors, takes_case
from gwplan.commands.sweeping import Work, works

if TYPE_CHECKING:
    from gwplan.show.page import Page
    from gwplan.solver.program import FloatArray
    from gwplan.studies.sweep.draws import Draw


@click.command(short_help="Solve again for drawn inputs: quantiles of the worth.")
@takes_case
@prices_floors
@click.option(
    "--draw", "draws", metavar="DRAW", multiple=True, help="Draw cells: 'CELL ~ normal(10, 2)', 'CELL *~ ...'."
)
@click.option("--draws", "files", metavar="FILE", multiple=True, help="Draws from a CSV: cell,distribution,parameters.")
@click.option(
    "--correlation", "pairs", metavar="PAIR", multiple=True, help="Rank correlation of two drawn cells: 'A, B = 0.6'."
)
@click.option("--correlations", metavar="FILE", help="Rank correlations from a CSV: first,second,correlation.")
@click.option("--samples", type=click.IntRange(2), default=500, show_default=True, metavar="N", help="How many draws.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Same seed, same draws."
)
@works
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
    drawn, ranks = _drawn(draws, files, pairs, correlations)
    results = work.answered(study(instance, drawn, samples, seed, ranks, work.quantities, work.options))
    from gwplan.show.text.sweep import decision_changes_in
    from gwplan.show.text.sweep import montecarlo as part
    from gwplan.studies.sweep.montecarlo import tables

    made = tables(results)

    def shown(page: Page) -> None:
        part(page, results.described(), made)
        page.note(decision_changes_in(results.table, "draw", instance.resolution))

    work.finish(results, made, shown)


def _drawn(
    texts: tuple[str, ...], files: tuple[str, ...], pairs: tuple[str, ...], correlations: str | None
) -> tuple[list[Draw], FloatArray | None]:
    """Return the draws that are asked for and their rank correlations; None: independent."""
    from gwplan.problems import all_told
    from gwplan.studies.sweep.draws import correlation, correlations_of, draw, draws_of, matrix

    single, listed, paired, tabled = all_told(
        [partial(draw, text) for text in texts],
        [partial(draws_of, file) for file in files],
        [partial(correlation, text) for text in pairs],
        [partial(correlations_of, correlations)] if correlations else [],
    )
    drawn = [*single, *(each for rows in listed for each in rows)]
    together = [*paired, *(each for rows in tabled for each in rows)]
    return drawn, matrix(drawn, together) if together else None
