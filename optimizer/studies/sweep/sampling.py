"""Samples of drawn cells: a Latin hypercube, and rank correlations by the method of Iman and Conover.

Iman and Conover (1982) permute each column of a sample until its ranks are those of normal scores with the correlation
asked for. The columns themselves, and so every distribution, stay as they were drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from optimizer.instance.varied_cells import Varied, VariedReader
from optimizer.language.cursor import NUMBER
from optimizer.problems import InstanceError, Problem, all_told, nearest
from optimizer.solver.program import FloatArray
from optimizer.studies.sweep.draws import Draw
from optimizer.studies.table_file import table_rows

FORMS: Final = "write CELL, CELL = RANK CORRELATION between -1 and 1, each cell as it is drawn"

_END: Final = re.compile(rf"=\s*({NUMBER.pattern})\s*")


@dataclass(frozen=True)
class Correlation:
    """A rank correlation of two drawn cells, between -1 and 1."""

    first: str
    second: str
    value: float
    where: str


def correlation(text: str, where: str = "") -> Correlation:
    """Return the correlation that a text spells: ``CELL, CELL = 0.6``.

    Raises
    ------
    InstanceError
        If the text is none.
    """
    where = where or f"correlation {text.strip()}"
    reader = VariedReader(text, where, FORMS)
    first = reader.varied()
    reader.literal(",", "',' and the other cell")
    reader.skip()
    table, conditions, column = reader.cells()
    start, until = reader.dates()
    found = _END.fullmatch(text, reader.at)
    if not found:
        reader.fail("'=' and a number between -1 and 1")
    value = float(found.group(1))
    if not -1 < value < 1:
        reader.fail("a number between -1 and 1")
    second = Varied(table, column, conditions, "set", start, until)
    return Correlation(first.cells_text, second.cells_text, value, where)


def correlations_of(path: str) -> list[Correlation]:
    """Return the correlations of a CSV file with the columns ``first``, ``second`` and ``correlation``.

    Raises
    ------
    InstanceError
        With every problem found in it.
    """
    rows = table_rows(path, ("first", "second", "correlation"))
    texts = ((f"{row['first']}, {row['second']} = {row['correlation']}", where) for where, row in rows)
    (found,) = all_told([partial(correlation, text, where) for text, where in texts])
    return list(found)


def matrix(draws: Sequence[Draw], correlations: Sequence[Correlation]) -> FloatArray:
    """Return the matrix of rank correlations, shape (draws, draws).

    Raises
    ------
    InstanceError
        If a correlation names a cell that is not drawn, a pair twice or a cell with itself, or no cells can be
        correlated like that: the matrix is not positive definite.
    """
    place = {draw.varied.cells_text: i for i, draw in enumerate(draws)}
    problems: list[Problem] = []
    found, seen = np.eye(len(draws)), set[frozenset[str]]()
    for each in correlations:
        pair = frozenset((each.first, each.second))
        unknown = [name for name in (each.first, each.second) if name not in place]
        if unknown:
            problems += [Problem(each.where, f"'{n}'", "this cell is not drawn", nearest(n, place)) for n in unknown]
        elif len(pair) == 1:
            problems.append(Problem(each.where, "a cell with itself", "a correlation is one of two cells"))
        elif pair in seen:
            problems.append(Problem(each.where, "these cells again", "a pair has one correlation", "leave one out"))
        else:
            i, j = place[each.first], place[each.second]
            found[i, j] = found[j, i] = each.value
        seen.add(pair)
    if problems:
        raise InstanceError(problems)
    _refuse_impossible(draws, found)
    return found


def scores_correlation(ranks: FloatArray) -> FloatArray:
    """Return the correlation of normal variables whose ranks correlate so (Pearson 1907)."""
    return 2 * np.sin(np.pi / 6 * ranks)


def _refuse_impossible(draws: Sequence[Draw], ranks: FloatArray) -> None:
    values, vectors = np.linalg.eigh(scores_correlation(ranks))
    if values[0] > 1e-9:
        return
    weight = np.abs(vectors[:, 0])
    named = [draws[i].varied.cells_text for i in np.flatnonzero(weight > 0.1 * weight.max()).tolist()]
    what = f"of {len(named)} cells that contradict each other: {'; '.join(named)}"
    rule = f"the matrix of correlations must be positive definite, its least eigenvalue is {values[0]:.3g}"
    raise InstanceError(Problem("correlations", what, rule, "bring some of them nearer to 0"))


def sample(draws: Sequence[Draw], samples: int, seed: int, ranks: FloatArray | None = None) -> FloatArray:
    """Return values of the drawn cells in their units, shape (samples, draws): the same for the same seed.

    Parameters
    ----------
    draws : sequence of Draw
        The cells.
    samples : int
        How many.
    seed : int
        Of numpy's PCG64.
    ranks : (draws, draws) float array, optional
        Rank correlations, from `matrix`.

    Raises
    ------
    InstanceError
        If there are too few samples to be correlated.
    """
    from scipy.stats import qmc

    generator = np.random.Generator(np.random.PCG64(seed))
    shares: FloatArray = qmc.LatinHypercube(len(draws), rng=generator).random(samples)
    if ranks is not None and not np.array_equal(ranks, np.eye(len(draws))):
        shares = _correlated(shares, ranks, generator)
    return np.column_stack([draw.values(shares[:, i]) for i, draw in enumerate(draws)])


def _correlated(shares: FloatArray, ranks: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return the columns permuted to rank correlations, with the correction by what the sample has by chance."""
    from scipy.special import ndtri

    samples, count = shares.shape
    if samples < count + 2:
        what = f"{samples} samples of {count} correlated cells"
        raise InstanceError(Problem("--samples", what, f"it takes {count + 2} at least", "draw more"))
    scores = ndtri(np.arange(1, samples + 1) / (samples + 1))
    drawn = np.column_stack([generator.permutation(scores) for _ in range(count)])
    by_chance = np.linalg.cholesky(np.corrcoef(drawn, rowvar=False))
    wanted = np.linalg.cholesky(scores_correlation(ranks))
    targets = np.linalg.solve(by_chance, drawn.T).T @ wanted.T
    order = np.argsort(np.argsort(targets, axis=0, kind="stable"), axis=0, kind="stable")
    return np.take_along_axis(np.sort(shares, axis=0), order, axis=0)
