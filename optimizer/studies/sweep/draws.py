"""Cells that are drawn: what they are drawn from, and how the command line and files spell it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from gwplan.catalogue.tolerances import ROUNDING
from gwplan.files import printable
from gwplan.instance.instance import Instance
from gwplan.instance.varied_cells import Varied, VariedReader
from gwplan.problems import InstanceError, Problem, all_told, nearest
from gwplan.solver.program import FloatArray
from gwplan.storage.read import given_table

FORMS: Final = (
    "write CELL ~ normal(mean, sd), lognormal(mean, sd), triangular(low, mode, high), uniform(low, high) or "
    "discrete(value: probability, ...), with *~ for factors on the cells and +~ for amounts added to them"
)

PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "normal": ("mean", "sd"),
    "lognormal": ("mean", "sd"),
    "triangular": ("low", "mode", "high"),
    "uniform": ("low", "high"),
    "discrete": (),
}
"""Distributions and their parameters in order; of ``discrete`` they are values, each with its probability."""

MOST_SPREAD: Final = 1e6
"""Standard deviation of a lognormal, at most, as a multiple of its mean."""

_CELL: Final = re.compile(r"(?P<cells>.*?)\s*(?:(?P<way>[*+])[=~]?)?\s*(?P<dates>@[^\]\"]*)?")
_WAYS: Final = re.compile(r"[*+]?~")


@dataclass(frozen=True)
class Draw:
    """Cells and the distribution that their value is drawn from."""

    varied: Varied  # the cells, and whether a draw stands in them, multiplies them or is added to them
    distribution: str  # one of `PARAMETERS`
    # as `PARAMETERS` names them; of ``discrete`` the values; in the cell's unit or as factors
    parameters: tuple[float, ...]
    probabilities: tuple[float, ...] = ()  # of ``discrete``: of each value; else empty

    @property
    def name(self) -> str:
        """The cells in the command line's spelling: the draw's column in the table of cases."""
        return self.varied.text

    @property
    def text(self) -> str:
        """The distribution as it is written."""
        if self.distribution == "discrete":
            inner = (f"{v:g}: {p:g}" for v, p in zip(self.parameters, self.probabilities, strict=True))
        else:
            inner = (f"{value:g}" for value in self.parameters)
        return f"{self.distribution}({', '.join(inner)})"

    def values(self, share: FloatArray) -> FloatArray:
        """Return the quantiles of the distribution at shares in (0, 1)."""
        from scipy import stats

        if self.distribution == "discrete":
            through = np.cumsum(self.probabilities)
            at = np.searchsorted(through, share, side="left")
            return np.array(self.parameters)[np.minimum(at, len(through) - 1)]
        low, *_, last = self.parameters
        match self.distribution:
            case "normal":
                drawn = stats.norm(low, last)
            case "lognormal":  # mean and sd are those of the value itself: of its logarithm they follow
                variance = math.log1p((last / low) ** 2)
                drawn = stats.lognorm(math.sqrt(variance), scale=low * math.exp(-variance / 2))
            case "triangular":
                drawn = stats.triang((self.parameters[1] - low) / (last - low), low, last - low)
            case _:
                drawn = stats.uniform(low, last - low)
        values: FloatArray = drawn.ppf(share)
        return values


def draw(text: str, where: str = "") -> Draw:
    """Return the draw that a text spells.

    ``CELL ~ normal(10, 2) [@ FROM..UNTIL]``, ``CELL *~ ...`` or ``CELL +~ ...``; of dates the draws are months. `where`
    says in messages where it stands.
    """
    return _DrawReader(text, where or f"draw {text.strip()}", FORMS).draw()


class _DrawReader(VariedReader):
    """A cursor on the text of one draw."""

    def draw(self) -> Draw:
        """Return the draw that the whole text spells."""
        self.skip()
        table, where, column = self.cells()
        operator = self.operator(_WAYS, "one of ~, *~ and +~")
        way = self.way(table, column, operator.replace("~", "=") if len(operator) > 1 else "")
        at, name = self.at, self.name("a distribution")
        if name not in PARAMETERS:
            self.refuse(at, f"'{name}'", "there is no such distribution", nearest(name, PARAMETERS))
        self.literal("(", f"'(' after {name}")
        numbers, probabilities = self._numbers(name)
        start, until = self.dates()
        self.end("the end of the draw or '@' and dates")
        drawn = Draw(Varied(table, column, where, way, start, until), name, numbers, probabilities)
        for what, rule, remedy in _wrong(drawn):
            self.refuse(at, what, rule, remedy)
        return drawn

    def _numbers(self, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Read the parameters up to the closing parenthesis."""
        numbers, probabilities = list[float](), list[float]()

        def parameter() -> None:
            numbers.append(float(self.number("a number")))
            if name == "discrete":
                self.literal(":", "':' and the value's probability")
                probabilities.append(float(self.number("a number")))

        self.listed(parameter, ")", "',' and one more number, or ')'")
        return tuple(numbers), tuple(probabilities)


def _wrong(draw: Draw) -> list[tuple[str, str, str]]:
    """Return what is wrong with the parameters of a draw: what, the rule, what to do."""
    names, given = PARAMETERS[draw.distribution], draw.parameters
    if names and len(given) != len(names):
        form = f"{draw.distribution}({', '.join(names)})"
        return [(f"{len(given)} parameters", f"{draw.distribution} has {len(names)}", f"write {form}")]
    checks: dict[str, list[tuple[bool, str, str]]] = {
        "normal": [(given[-1] > 0, draw.text, "sd is above 0")],
        "lognormal": [
            (min(given) > 0, draw.text, "mean and sd are above 0"),
            (given[-1] <= MOST_SPREAD * given[0], draw.text, f"sd is at most {MOST_SPREAD:,.0f} times the mean"),
        ],
        "triangular": [
            (list(given) == sorted(given) and given[0] < given[-1], draw.text, "low <= mode <= high, low < high")
        ],
        "uniform": [(given[0] < given[-1], draw.text, "low < high")],
        "discrete": [
            (len(set(given)) == len(given), draw.text, "each value stands once"),
            (all(0 < p <= 1 for p in draw.probabilities), draw.text, "probabilities are above 0, at most 1"),
            (abs(math.fsum(draw.probabilities) - 1) <= ROUNDING, f"{draw.text}: probabilities add up to "
             f"{math.fsum(draw.probabilities):g}", "they add up to 1"),
        ],
    }  # fmt: skip
    wrong = [(what, rule, "correct the parameters") for fine, what, rule in checks[draw.distribution] if not fine]
    fractions = draw.distribution != "discrete" or not all(value.is_integer() for value in given)
    if draw.varied.whole and fractions:
        wrong.append(
            (draw.text, f"{draw.varied.column} takes whole numbers", "write discrete(value: probability, ...)")
        )
    return wrong


def fitting(draws: Sequence[Draw], instance: Instance) -> list[Problem]:
    """Return what keeps draws from an instance: cells not there or in two draws, means that break rules."""
    problems: list[Problem] = []
    names = [draw.name for draw in draws]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        problems.append(Problem(f"draw {name}", "drawn twice", "each cell is drawn once", "leave one of them out"))
    for each in draws:
        try:
            median = float(each.values(np.array([0.5]))[0])
            instance.edited(each.varied.edit(median))
        except InstanceError as error:
            problems += error.problems
    return problems


def draws_of(path: str) -> list[Draw]:
    """Return the draws of a CSV file with the columns ``cell``, ``distribution`` and ``parameters``."""
    (draws,) = all_told([partial(draw, text, where) for text, where in _rows(path)])
    return list(draws)


def _rows(path: str) -> list[tuple[str, str]]:
    """Return each row of a file of draws as a draw's text, and where it stands."""
    texts = []
    for where, cells, distribution, parameters in _told(path, "draws", "cell", "distribution", "parameters"):
        cell = _CELL.fullmatch(cells)
        if not cell:
            raise InstanceError(Problem(where, f"cell '{cells}'", "names no cells", FORMS))
        drawn = f"{cell['way'] or ''}~ {distribution}({parameters})"
        texts.append((f"{cell['cells']} {drawn} {cell['dates'] or ''}", where))
    return texts


def _told(path: str, name: str, *columns: str) -> Iterator[tuple[str, ...]]:
    """Yield where each row of a file stands, and its cells as texts."""
    short = printable(Path(path).name)
    for number, *cells in given_table(path, name)[list(columns)].itertuples(name=None):
        yield (f"{short} row {number}", *(str(cell).strip() for cell in cells))


CORRELATION_FORMS: Final = "write CELL, CELL = RANK CORRELATION between -1 and 1, each cell as it is drawn"


@dataclass(frozen=True)
class Correlation:
    """A rank correlation of two drawn cells, between -1 and 1."""

    first: str
    second: str
    value: float
    where: str


def correlation(text: str, where: str = "") -> Correlation:
    """Return the correlation that a text spells: ``CELL, CELL = 0.6``."""
    where = where or f"correlation {text.strip()}"
    reader = VariedReader(text, where, CORRELATION_FORMS)
    first = reader.varied()
    reader.literal(",", "',' and the other cell")
    reader.skip()
    table, conditions, column = reader.cells()
    start, until = reader.dates()
    reader.literal("=", "'=' and a number between -1 and 1")
    at, value = reader.at, float(reader.number("a number between -1 and 1"))
    reader.end("the end of the correlation")
    if not -1 < value < 1:
        reader.at = at
        reader.fail("a number between -1 and 1")
    second = Varied(table, column, conditions, "set", start, until)
    return Correlation(first.cells_text, second.cells_text, value, where)


def correlations_of(path: str) -> list[Correlation]:
    """Return the correlations of a CSV file with the columns ``first``, ``second`` and ``correlation``."""
    rows = _told(path, "correlations", "first", "second", "correlation")
    texts = ((f"{first}, {second} = {value}", where) for where, first, second, value in rows)
    (correlations,) = all_told([partial(correlation, text, where) for text, where in texts])
    return list(correlations)


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
    ranks, seen = np.eye(len(draws)), set[frozenset[str]]()
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
            ranks[i, j] = ranks[j, i] = each.value
        seen.add(pair)
    if problems:
        raise InstanceError(problems)
    _refuse_impossible(draws, ranks)
    return ranks


def scores_correlation(ranks: FloatArray) -> FloatArray:
    """Return the correlation of normal variables whose ranks correlate so (Pearson 1907)."""
    return 2 * np.sin(np.pi / 6 * ranks)


def _refuse_impossible(draws: Sequence[Draw], ranks: FloatArray) -> None:
    values, vectors = np.linalg.eigh(scores_correlation(ranks))
    if values[0] > ROUNDING:
        return
    weight = np.abs(vectors[:, 0])
    named = [draws[i].varied.cells_text for i in np.flatnonzero(weight > 0.1 * weight.max()).tolist()]
    what = f"of {len(named)} cells that contradict each other: {'; '.join(named)}"
    rule = f"the matrix of correlations must be positive definite, its least eigenvalue is {values[0]:.3g}"
    raise InstanceError(Problem("correlations", what, rule, "bring some of them nearer to 0"))


def sample(draws: Sequence[Draw], samples: int, seed: int, ranks: FloatArray | None = None) -> FloatArray:
    """Return values of the drawn cells, each in its unit, shape (samples, draws): the same for the same seed."""
    spread = shares(len(draws), samples, seed, ranks)
    return np.column_stack([draw.values(spread[:, i]) for i, draw in enumerate(draws)])


def shares(count: int, samples: int, seed: int, ranks: FloatArray | None = None) -> FloatArray:
    """Return a Latin hypercube of shares in (0, 1), with rank correlations if any, shape (samples, count)."""
    from scipy.stats import qmc

    generator = np.random.Generator(np.random.PCG64(seed))
    spread: FloatArray = qmc.LatinHypercube(count, rng=generator).random(samples)
    if ranks is not None and not np.array_equal(ranks, np.eye(count)):
        spread = _correlated(spread, ranks, generator)
    return spread


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
