"""The catalogue of tolerances: what is told apart, and from when on; each with its reason.

Each value stands once. Where the arithmetic of two places rounds alike, they share one; docs/decisions.md tells where
two that meant the same had differed. How far an algorithm steps is no tolerance and stays with the algorithm.
"""

from __future__ import annotations

from typing import Final

KILOWATT: Final = 1e-6
"""GW, or GW-years, that no plan turns on: limits missed by less count as kept, moves of less as none. The solver keeps
limits to `FEASIBLE`, and a plan adds up some of them."""

MEGAWATT: Final = 1e-3
"""GW by which first moves of two cases may differ and yet count as the same: where plans tie, cases fall either way."""

COUNTS: Final = 1e-2
"""GW from which a change of first moves counts when it is asked what changes them: 10 MW, the least people act on."""

THREE_DECIMALS: Final = 5e-4
"""$bn, GW or GW-years that three decimals would show as 0."""

TWO_DECIMALS: Final = 5e-3
"""$bn that two decimals would show as 0."""

THOUSAND_DOLLARS: Final = 1e-6
"""$bn below which money is told as none."""

THREE_DIGITS: Final = 1e-3
"""Relative: what worth is told with. A search for whole numbers that takes long may leave so much open, and says so."""

MORE_STEPS: Final = 1e-4
"""GW-years that a way out may take more than it must before that is told: in four digits they would look the same."""

PROVED: Final = 1e-6
"""Relative to 1 + size: what a certificate forgives, so what certified figures, and all that is compared with them, may
differ by."""

FEASIBLE: Final = 1e-7
"""To what the solver itself keeps limits and duals: GW below which a range is a point; worth, relative to 1 + worth,
that a plan may lack and still tie with the best; rounding, relative to a node's weight, up to which duals prove."""

SLOPE: Final = 1e-5
"""Relative to 1 + the dual: up to here a slope that was measured by a small move is the dual itself."""

DUALS: Final = 1e-8
"""Relative to 1 + the dual: by how much a marginal value, led back through discount and probability, may miss it."""

ROUNDING: Final = 1e-9
"""What sums and products of written or certified figures may be off by, absolutely or relative to 1 + size; below it a
GW, a share, a loss or a value is none."""

CHANGES: Final = 1e-10
"""Changes of a reduced cost, relative to the largest for the weight of its node, that are the arithmetic's own."""

LET_BE: Final = 1e-9
"""By how much duals may be wrong, relative to the weight of their node, and no refinement is worth its time."""

DECIDED: Final = 1e-11
"""GW or shares in one column of a solution that are the solver's rounding, no decision; sums of them are held to
`ROUNDING`."""

DIGITS: Final = 1e-12
"""The last digits of a double, relative to 1: a sum of probabilities, a gap, a whole number multiplied back."""

EPSILON: Final = 1e-15
"""Share of the numbers in a sum of which the rest is the arithmetic's own."""

DOUBLE: Final = 1e-13
"""The last digit of a double, relative to the number that was changed a little."""

BRACKET: Final = 1e-6
"""Width of a bracket in the end, as a share of the way from the start to the bound: every halving is a solve."""

EDGE: Final = 1e-9
"""The same where a halving only checks tables, which costs next to nothing."""

ONE_CELL: Final = 1e-3
"""How far from a whole number the place of a cell may be found, told by the ratio of two small moves."""
