"""The objective worked out by hand from the tables of ``every-term``.

Quarters and discount factors are those of `by_hand`; nothing is uncertain. A quarter of `lease` costs 2 from the second
quarter on and 3 from the third, its price rising by half on 1 July: of these 8 a quarter is paid in the first quarter
and set off against the bill of the third. `plant` comes a quarter late, for which 0.25 * 1.5 * 0.8 is received, and
asks 0.6 a GW on arrival. Half of what `swift` bills, 0.75 in each of two quarters, is paid a quarter before it arrives,
which is when it is signed, and covers the first of its bills. `deal` is paid for as a whole in the first quarter.
"""

from __future__ import annotations

from tests.formulation.by_hand import D0, D1, D2, D3, QUARTER

LEFT = QUARTER * 2 * 3 - 3
"""What `lease` adds in the quarter beyond the horizon, in which capacity is worth 3 a GW-year."""

SWIFT = QUARTER * 0.5 * 3 - 0.75
"""The same of `swift` signed in the second quarter."""

OBJECTIVES: dict[str, dict[str, float]] = {
    "expected_worth_of_terms": {
        "serve(use_0_1)": D1 * QUARTER * 10,
        "cancelled(lease_1)": D1 * 2 + D2 * (3 - 2) - D3 * LEFT,
        # Signed in the first quarter 0.75 are paid then, signed in the second a quarter later, and so are the bills.
        "signed(swift_0)": -(D0 - D1) * 0.75 - D2 * 0.75 - D3 * SWIFT,
        "signed(swift_1)": -D1 * 0.75 + D3 * SWIFT,
        "ONE_VAR_CONSTANT": -D0 * 2 - D1 * 2 - D2 * (3 - 2) + D3 * LEFT
        + D0 * QUARTER * 1.5 * 0.8 - D1 * (0.8 * 0.6 + 1) - D2 * 1
        + D0 * 2 * QUARTER * 7 * 0.3,
    },
}  # fmt: skip
"""Every coefficient of the contracts, and one of use."""
