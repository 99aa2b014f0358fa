"""``gwplan backtest``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from gwplan.commands.common import Case, ends_with_code, prices_floors, takes_case
from gwplan.commands.sweeping import Work, drawn, draws, works

if TYPE_CHECKING:
    from gwplan.instance.instance import Instance
    from gwplan.show.page import Page
    from gwplan.solver.program import FloatArray
    from gwplan.studies.backtest.paths import Hazards


@click.command(short_help="Hold policies against each other on drawn paths.")
@takes_case
@prices_floors
@click.option("--paths", type=click.IntRange(1), default=100, show_default=True, metavar="N", help="How many paths.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Same seed, same paths."
)
@click.option("--review", type=click.Choice(["month", "quarter", "year"]), default="quarter", show_default=True,
              help="How often decisions are reviewed.")  # fmt: skip
@click.option(
    "--policy",
    "policies",
    metavar="NAME",
    multiple=True,
    help="Walk this policy: its name, or a table of rules (.csv, .toml).",
)
@draws
@click.option("--delays", metavar="DIST", help="Months by which each contract's deliveries move: 'discrete(0: 1)'.")
@click.option("--slip", "slips", metavar="SLIP", multiple=True, help="Months a reveal slips: 'FACTOR ~ discrete(...)'.")
@click.option("--happens", metavar="WHATIF", multiple=True, help="A what-if that may come true: 'WHATIF ~ 0.1'.")
@click.option("--leaves", is_flag=True, help="Walk the tree's own leaves: a check of policies, no evidence.")
@works(figures=False)
@ends_with_code
def backtest(
    case: Case,
    paths: int,
    seed: int,
    review: str,
    policies: tuple[str, ...],
    draws: tuple[str, ...],
    files: tuple[str, ...],
    pairs: tuple[str, ...],
    correlations: str | None,
    delays: str | None,
    slips: tuple[str, ...],
    happens: tuple[str, ...],
    leaves: bool,
    work: Work,
) -> None:
    """Hold policies against each other along paths that the tree of INSTANCE does not have.

    On each path each policy decides at every review with what is known then; its decisions stand, the world moves on,
    and in the end the audit counts what it came to. A draw is known from the first period that it changes.
    """
    work.refuse_existing()
    from gwplan.studies.backtest.backtest import study

    instance = case.load()
    hazards, ranks = _hazards(instance, draws, files, pairs, correlations, delays, slips, happens)
    asked = study(instance, hazards, paths, seed, review=review, policies=policies, ranks=ranks, along_leaves=leaves,
                  options=work.options)  # fmt: skip
    results = work.answered(asked)
    from gwplan.kept.sweep import CASES
    from gwplan.show.text.backtest import backtest as part
    from gwplan.studies.backtest.score import tables

    made = tables(results.table, asked.settings["policies"], evidence=not leaves)

    def shown(page: Page) -> None:
        part(page, results.described(), {CASES: results.table, **made})

    work.finish(results, made, shown)


def _hazards(
    instance: Instance,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    pairs: tuple[str, ...],
    correlations: str | None,
    moved: str | None,
    slips: tuple[str, ...],
    happens: tuple[str, ...],
) -> tuple[Hazards, FloatArray | None]:
    """Return what may happen on a path, and rank correlations of what is drawn; None: independent."""
    from gwplan.problems import all_told
    from gwplan.studies.backtest.paths import Hazards, delays, happening, slip

    ((cells, ranks),), moves, slipping, happening_ = all_told(
        [partial(drawn, texts, files, pairs, correlations)],
        [partial(delays, moved, instance)] if moved else [],
        [partial(slip, text, instance) for text in slips],
        [partial(happening, text, instance) for text in happens],
    )
    more = [each for rows in moves for each in rows]
    if ranks is not None and more:
        import numpy as np

        whole = np.eye(len(cells) + len(more))
        whole[: len(cells), : len(cells)] = ranks
        ranks = whole
    return Hazards((*cells, *more), dict(slipping), dict(happening_)), ranks
