"""Expressions that give the numbers of a workbook's cells and their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from gwplan.show.workbook.formulas import Formulas, gathered, literals, products, total

A = Formulas(np.array([1.0, 2.0]), ["A1", "A2"])
B = Formulas(np.array([3.0, -4.0]), ["s!$B$1", "s!$B$2"])
NONE = literals(np.array([np.nan, 5.0])).where(np.array([False, True]))

EXPRESSIONS = {
    "a sum takes brackets inside a product": (2.0 * (A + B), [8.0, -4.0], "2.0*(A1+s!$B$1)"),
    "and behind a minus": (1 - (A - B), [3.0, -5.0], "1-(A1-s!$B$1)"),
    "a product takes none": (A - -0.5 * B * A, [2.5, -2.0], "A1-(-0.5*s!$B$1*A1)"),
    "a negative term is taken off": (A + -B, [-2.0, 6.0], "A1-s!$B$1"),
    "nothing adds nothing": (NONE + A, [1.0, 7.0], "A1"),
    "nothing times something is nothing": (NONE * A, [0.0, 10.0], ""),
    "a sum of nothing is 0": (total([NONE], 2), [0.0, 5.0], "0"),
    "what is above 0": ((A - B).positive(), [0.0, 6.0], "MAX(0,A1-s!$B$1)"),
    "how far apart": (abs(A - B), [2.0, 6.0], "ABS(A1-s!$B$1)"),
    "the row above, or what was before": (B.on(np.array([-1, 0]), 0.5), [0.5, 3.0], "0.5"),
    "an array comes first": (np.array([10.0, 20.0]) - A, [9.0, 18.0], "10.0-A1"),
    "rows that are not there": (A.where(np.array([False, True]), np.nan), [np.nan, 2.0], ""),
    "sums of products by range": (
        products(A, B, ranges=[(0, 1), (1, 1)]),
        [-5.0, -8.0],
        "SUMPRODUCT(A1:A2,s!$B$1:$B$2)",
    ),
    "sums by key": (gathered("SUMIFS", B, A, A), [3.0, -4.0], "SUMIFS(s!$B$1:$B$2,A1:A2,A1)"),
    "means by key": (gathered("AVERAGEIFS", B, 0 * A, 0 * A), [-0.5, -0.5], "AVERAGEIFS(s!$B$1:$B$2,0*A1:0*A2,0*A1)"),
}


@pytest.mark.parametrize("rule", EXPRESSIONS)
def test_numbers_and_formulas_say_the_same(rule: str) -> None:
    """What a cell shows is what its formula calculates: brackets, signs and blanks follow the numbers."""
    formulas, values, first = EXPRESSIONS[rule]
    assert formulas.values.tolist() == pytest.approx(values, nan_ok=True)
    assert formulas.texts[0] == first
