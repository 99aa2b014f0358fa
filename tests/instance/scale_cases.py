"""Cells out of scale with the others: name, what is changed, what is said."""
# ruff: noqa: E501

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
        [
            "demand.csv row 3, target_gw: 0.8 effective GW, where all that 'msl' may use comes to 0.30000015 at the most "
            "(also row 2); it is never reached; correct it, or add what is to be delivered",
            f"eligibility.csv row 2, effectiveness: 1e-07 where others are near 1; {_RULE}",
        ],
    ),
    (
        "a price in dollars",
        {"value": SMALL["value.csv"] + "msl,2027-07-01,1,1,9e8\n"},
        [
            "value.csv row 5, value_bn_per_gw_year: 900000000 $bn a GW-year; no GW costs or earns more than 60 $bn a "
            "year; does it say dollars? write 0.9",
            f"value.csv row 5, value_bn_per_gw_year: 900000000 where others are near 1.2; {_RULE}",
        ],
    ),
    (
        "a contract in megawatts",
        {"deliveries": SMALL["deliveries.csv"] + "rent,2027-01-01,600\n"},
        [
            "deliveries.csv row 5, gw: 600.4 GW of 'rent' (also row 4); a contract of more than 10 GW is larger than any "
            "that is known; does it say MW? write 0.6 for 600 MW"
        ],
    ),
    (
        "a curve in percent, and a notice of a month and a day",
        {
            "curves": SMALL["curves.csv"].replace("0.04", "4"),
            "pathways": SMALL["pathways.csv"].replace("deals,,90", "deals,,31"),
        },
        [
            "curves.csv row 2, uplift_per_doubling: 4: 400 %; a rate above 0.5 is larger than any that is known; does it "
            "say percent? write 0.04 for 4 %",
            "pathways.csv row 4, notice_days: 31 days become 2 months; days are rounded up to whole months of 30.4375 "
            "days; write 30 for 1 month",
        ],
    ),
]
