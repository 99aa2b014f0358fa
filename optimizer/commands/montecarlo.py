"""``gwplan montecarlo``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from optimizer.commands.common import Case, ends_with_code, takes_case
from optimizer.commands.sweeping import Work, as_json, end, works

if TYPE_CHECKING:
    from optimizer.instance.instance import Instance
    from optimizer.studies.sweep.sweep import Study


@click.command(short_help="Solve again for drawn inputs: quantiles of the worth.")
@takes_case
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
    study = _study(case.load(), draws, files, pairs, correlations, samples, seed, work)
    results = work.answered(study)
    from optimizer.studies.sweep.montecarlo import tables

    made = tables(results)
    work.keep(results, made)
    work.draw(results, made)
    if work.as_json:
        click.echo(as_json(results, made))
    else:
        from optimizer.show.page import printed
        from optimizer.show.text.sweep import montecarlo as show

        with printed() as page:
            show(page, results.described(), made)
    end(results)


def _study(
    instance: Instance,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    pairs: tuple[str, ...],
    correlations: str | None,
    samples: int,
    seed: int,
    work: Work,
) -> Study:
    from optimizer.problems import all_told
    from optimizer.studies.sweep.draws import correlation, correlations_of, draw, draws_of, matrix
    from optimizer.studies.sweep.montecarlo import study

    single, listed, paired, tabled = all_told(
        [partial(draw, text) for text in texts],
        [partial(draws_of, file) for file in files],
        [partial(correlation, text) for text in pairs],
        [partial(correlations_of, correlations)] if correlations else [],
    )
    drawn = [*single, *(each for rows in listed for each in rows)]
    together = [*paired, *(each for rows in tabled for each in rows)]
    ranks = matrix(drawn, together) if together else None
    return study(instance, drawn, samples, seed, ranks, work.quantities, work.options)
