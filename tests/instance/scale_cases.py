"""Cells out of scale with the others: name, what is changed, what is said."""

from __future__ import annotations

from typing import Final

from tests.instance.folders import SMALL

_RULE: Final = (
    "numbers more than six orders of magnitude apart cost the solver its accuracy; "
    "check its unit, or leave it out if it does not matter"
)

OUT_OF_SCALE: Final[list[tuple[str, dict[str, str | None], list[str]]]] = [
    (
        "an effectiveness out of scale",
        {"eligibility": SMALL["eligibility.csv"].replace("msl,campus,1,", "msl,campus,1e-7,")},
        [f"eligibility.csv row 2, effectiveness: 1e-07 where others are near 1; {_RULE}"],
    ),
    (
        "a price in dollars",
        {"value": SMALL["value.csv"] + "msl,2027-07-01,1,1,9e8\n"},
        [f"value.csv row 5, value_bn_per_gw_year: 900000000 where others are near 1.2; {_RULE}"],
    ),
]
