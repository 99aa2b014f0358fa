"""Cells so large or small beside the others that the solver loses digits over them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from optimizer.check.facts import RULES, Facts, Finding, Rule, reading
from optimizer.instance.cells import shown

WIDEST: Final = 1e6
"""Largest ratio of two coefficients of one kind with which the solver's tolerances still mean something."""

_COEFFICIENTS: Final = {"deliveries": "gw", "eligibility": "effectiveness"}
_MONEY: Final = {
    "value": "value_bn_per_gw_year",
    "contracts": "cost_bn_per_gw_year",
    "pools": "idle_penalty_bn_per_gw_year terminal_value_bn_per_gw_year",
    "pathways": "shortfall_penalty_bn_per_gw_year migration_cost_bn_per_gw signing_cost_bn_per_gw "
    "breach_cost_bn_per_gw",
    "eligibility": "operating_cost_bn_per_gw_year",
    "cancellations": "fee_bn_per_gw",
}


def _out_of_scale(columns: dict[str, str], others: float | None, facts: Facts) -> Iterator[Finding]:
    """Find the cell that lies furthest from the others, where the widest ratio between cells is too wide.

    Where `others` is None the middle of the cells stands for the others; in the matrix most coefficients are 1.
    """
    cells = [(table, column) for table, names in columns.items() for column in names.split()]
    sizes = [np.abs(facts.numbers(table, column)) for table, column in cells]
    sizes = [np.where(np.isfinite(size) & (size > 0), size, np.nan) for size in sizes]
    every = np.concatenate(sizes)
    every = every[~np.isnan(every)]
    if not len(every):
        return
    middle = float(np.median(every)) if others is None else others
    if max(every.max(), middle) <= WIDEST * min(every.min(), middle):
        return
    far = [np.nan_to_num(np.abs(np.log(size / middle))) for size in sizes]
    which = int(np.argmax([distance.max(initial=0.0) for distance in far]))
    (table, column), row = cells[which], int(np.argmax(far[which]))
    what = f"{shown(facts.numbers(table, column)[row])} where others are near {middle:.3g}"
    rule = "numbers more than six orders of magnitude apart cost the solver its accuracy"
    yield facts.finding(table, row, column, what, rule, "check its unit, or leave it out if it does not matter")


for _columns, _others in ((_COEFFICIENTS, 1.0), (_MONEY, None)):
    _reads = reading(*(f"{table}: {names}" for table, names in _columns.items()))
    RULES.append(Rule(partial(_out_of_scale, _columns, _others), _reads, "warning"))
