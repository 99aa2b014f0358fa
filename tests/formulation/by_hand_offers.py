"""Rows of the golden files on offers worked out by hand from the tables of ``every-offer``.

Nodes and discount factors are those of `by_hand`. 1.3 GW of `plant` are contracted, in a glut 0.5 GW more; it may be
signed in the first two quarters and delivers a quarter later. `more` extends the 2 GW of `lease` from the third quarter
on. `swift` delivers 0.6 GW for two quarters, a quarter after the signature, at 6 if signed in the first quarter and at
5.5 in the second. `deal` and `run` are sold.
"""

from __future__ import annotations

from tests.formulation.by_hand import D0, D1, D2, D3, QUARTER, Row

TAIL = D3 * QUARTER
"""Discounted years of the fourth quarter, the only one beyond the horizon in which anything runs."""

PLANT, GLUT = 1.3, 1.3 + 0.5
"""GW of `plant` in all, in a tight market and in a glut."""

MEAN = 0.25 * PLANT + 0.75 * GLUT
"""GW of `plant` on which a cost is paid before the market is known."""

ROWS: dict[str, dict[str, Row]] = {
    # What is sold firmly is off the supply; both ways out of `lease` have taken effect; of `swift` whoever signed in
    # the first quarter has 0.6 GW in the second, and in the third whoever signed by the second.
    "balance_of_offers": {
        "cloud_0": Row(
            {"allocate(use_cloud_0)": 1, "idle(cloud_0)": 1, "signed(run_0)": 0.3, "unserved(run_0)": -1}, "=", 2
        ),
        "cloud_1": Row(
            {
                "allocate(use_cloud_1)": 1,
                "idle(cloud_1)": 1,
                "signed(plant_0)": -0.9,
                "signed(swift_0)": -0.6,
                "signed(run_0)": 0.3,
                "unserved(deal_1)": -1,
                "unserved(run_1)": -1,
                "cancelled(lease_0)": 2,
                "cancelled(lease_late_1)": 2,
            },
            "=",
            2 - 0.7,
        ),
        "cloud_3": Row(
            {
                "allocate(use_cloud_3)": 1,
                "idle(cloud_3)": 1,
                "signed(plant_1)": -(0.9 + 0.5),
                "signed(more_1)": -2,
                "signed(swift_1)": -0.6,
                "signed(run_0)": 0.3,
                "unserved(deal_3)": -1,
                "unserved(run_3)": -1,
                "cancelled(plant_3)": 0.9 + 0.5,
                "cancelled(deal_3)": -0.7,
            },
            "=",
            -0.7,
        ),
    },
    # The first quarter: `lease` is paid, `run` pays; costs of signing and a fee are paid at once.
    "cumulative_worth_of_offers": {
        "0": Row(
            {
                "worth(0)": 1,
                "serve(use_0_0)": -D0 * QUARTER * 10,
                "signed(plant_0)": D0 * 0.2 * MEAN,
                "signed(swift_0)": D0 * 0.15 * 0.6,
                "signed(run_0)": -D0 * QUARTER * 6.5 * 0.3,
                "unserved(run_0)": D0 * QUARTER * 9,
                "cancelled(lease_0)": D0 * 0.35 * 2,
            },
            "=",
            -D0 * QUARTER * 4 * 2,
        ),
    },
    # What is due: of a firm contract all but what is given back, of an offer what is signed.
    "served": {
        "deal_1": Row({"unserved(deal_1)": 1}, "<=", 0.7),
        "deal_3": Row({"unserved(deal_3)": 1, "cancelled(deal_3)": 0.7}, "<=", 0.7),
        "run_2": Row({"unserved(run_2)": 1, "signed(run_0)": -0.3}, "<=", 0),
    },
    # `run` can be signed in the first quarter alone.
    "signed_stands": {"plant_1": Row({"signed(plant_0)": 1, "signed(plant_1)": -1}, "<=", 0)},
    # Two ways out and an extension share `lease`; `plant` is given back as far as it is signed.
    "whole": {
        "lease_1": Row({"cancelled(lease_0)": 1, "cancelled(lease_late_1)": 1, "signed(more_1)": 1}, "<=", 1),
        "plant_3": Row({"cancelled(plant_3)": 1, "signed(plant_1)": -1}, "<=", 0),
    },
    "in_service": {"plant_2": Row({"cancelled(plant_2)": 1, "signed(plant_1)": -1}, "<=", 0)},
    "least_signed": {"plant_1": Row({"signed(plant_1)": 1}, ">=", 0.1)},
    "taken_least": {"swift_0": Row({"taken(swift_0)": 0.25, "signed(swift_0)": -1}, "<=", 0)},
    "taken_most": {"swift_1": Row({"signed(swift_1)": 1, "taken(swift_1)": -1}, "<=", 0)},
}
"""Some rows of each constraint, by the index in their label."""

OBJECTIVES: dict[str, dict[str, float]] = {
    "expected_worth_of_offers": {
        "serve(use_0_1)": D1 * QUARTER * 10,
        # Signed in the first quarter: 0.9 GW in the second, and a cost of signing now and not in the second.
        "signed(plant_0)": -D1 * QUARTER * 5 * 0.9 - (D0 - D1) * 0.2 * MEAN,
        "signed(plant_1)": -D2 * QUARTER * 5 * (0.9 + 0.75 * 0.5) - D1 * 0.2 * MEAN + TAIL * (3 - 5) * MEAN,
        "signed(more_1)": -D2 * QUARTER * 4.5 * 2 + TAIL * (3 - 4.5) * 2,
        # In the third quarter both signatures deliver, at 6 and at 5.5; only the second does in the fourth.
        "signed(swift_0)": -D1 * QUARTER * 6 * 0.6
        - D2 * QUARTER * (6 - 5.5) * 0.6
        - TAIL * (3 - 5.5) * 0.6
        - (D0 - D1) * 0.15 * 0.6,
        "signed(swift_1)": -D2 * QUARTER * 5.5 * 0.6 + TAIL * (3 - 5.5) * 0.6 - D1 * 0.15 * 0.6,
        "signed(run_0)": (D0 + D1 + D2) * QUARTER * 6.5 * 0.3,
        "unserved(deal_3)": -0.75 * D2 * QUARTER * 8,
        "unserved(run_0)": -D0 * QUARTER * 9,
        "cancelled(lease_0)": D1 * QUARTER * 4 * 2 - D0 * 0.35 * 2,
        # A quarter of what is billed from the second quarter to the end.
        "cancelled(lease_late_1)": D1 * (1 - 0.25) * QUARTER * 4 * 2,
        "cancelled(plant_3)": 0.75 * (D2 * QUARTER * 5 * (0.9 + 0.5) - D2 * 0.3 * GLUT - TAIL * (3 - 5) * GLUT),
        # A customer who leaves pays no more, and leaves what capacity is worth after the plan.
        "cancelled(deal_2)": 0.25 * 0.7 * (-D2 * QUARTER * 7 + TAIL * (3 - 7)),
        "ONE_VAR_CONSTANT": -(D0 + D1) * QUARTER * 4 * 2 + (D1 + D2) * QUARTER * 7 * 0.7 - TAIL * (3 - 7) * 0.7,
    },
}
"""Coefficients of the objective, some of each kind."""
