"""Rows of the golden files worked out by hand from the tables of ``every-rule``.

Nodes: 0 in the first quarter, 1 in the second, then 2 (tight, 0.25) and 3 (glut, 0.75). A quarter is 0.25 years; its
flows count 0.8 ** 1, 0.8 ** 3, 0.8 ** 5, and 0.8 ** 7 in the fourth quarter of 2026, which lies beyond the horizon.
Deals: a notice of 180 days is 2 quarters, and the term of one quarter grows to as much; half is lost in a quarter
(0.9375 a year), and in the third quarter another fifth: 0.4 is kept. In a glut `lease` delivers 0.8 GW more.
"""

from __future__ import annotations

from dataclasses import dataclass

D0, D1, D2, D3 = 0.8, 0.8**3, 0.8**5, 0.8**7
"""Discount factors of the quarters' middles."""

QUARTER = 0.25
"""Years."""

TAIL = D3 * QUARTER
"""Discounted years of `lease` beyond the horizon: it ends on 1 January 2027; `reserve` and `own` have no end."""

LEASE_CONTRACTED = 2 + 0.75 * 0.8
"""GW on which a fee is paid before the market is known."""


@dataclass(frozen=True)
class Row:
    """A row: coefficients by variable, how it compares, and its right-hand side."""

    terms: dict[str, float]
    relation: str
    bound: float


ROWS: dict[str, dict[str, Row]] = {
    # The pool's pathways, what is idle, and the contracts whose notice is over by now: a quarter for `lease`, nothing
    # for `reserve`. Deals may not use the hall, and `own` cannot be cancelled.
    "balance": {
        "cloud_0": Row({"allocate(training_cloud_0)": 1, "allocate(deals_cloud_0)": 1, "idle(cloud_0)": 1}, "=", 2),
        "cloud_1": Row(
            {
                "allocate(training_cloud_1)": 1,
                "allocate(deals_cloud_1)": 1,
                "idle(cloud_1)": 1,
                "cancelled(lease_0)": 2,
                "cancelled(reserve_1)": 0.9,
            },
            "=",
            2 + 0.9,
        ),
        "cloud_3": Row(
            {
                "allocate(training_cloud_3)": 1,
                "allocate(deals_cloud_3)": 1,
                "idle(cloud_3)": 1,
                "cancelled(lease_1)": 2 + 0.8,
                "cancelled(reserve_1)": 0.9,
            },
            "=",
            2 + 0.8 + 0.9,
        ),
        "hall_2": Row({"allocate(training_hall_2)": 1, "idle(hall_2)": 1}, "=", 1),
    },
    # What is served in all tiers is at most the effective GW; deals have no tier before the second quarter.
    "service": {
        "training_0": Row(
            {
                "serve(training_0_0)": 1,
                "serve(training_1_0)": 1,
                "allocate(training_cloud_0)": -1.5,
                "allocate(training_hall_0)": -0.75,
            },
            "<=",
            0,
        ),
        "deals_1": Row({"serve(deals_0_1)": 1, "allocate(deals_cloud_1)": -1}, "<=", 0),
    },
    # Effective GW and what they lack make up the target.
    "target_met": {
        "training_1": Row(
            {"allocate(training_cloud_1)": 1.5, "allocate(training_hall_1)": 0.75, "shortfall(training_1)": 1},
            ">=",
            1.2,
        )
    },
    # A floor is in effective GW, too, and has no way round.
    "floor_met": {"training_1": Row({"allocate(training_cloud_1)": 1.5, "allocate(training_hall_1)": 0.75}, ">=", 0.2)},
    # A cap is in GW, whatever they are worth; that of deals begins in the third quarter.
    "cap_kept": {
        "training_1": Row({"allocate(training_cloud_1)": 1, "allocate(training_hall_1)": 1}, "<=", 2.5),
        "deals_2": Row({"allocate(deals_cloud_2)": 1}, "<=", 1.1),
    },
    # 0.1 GW a month is 0.3 a quarter, over both pools together; 0.7 GW were in use before the start.
    "ramp": {
        "training_0": Row({"allocate(training_cloud_0)": 1, "allocate(training_hall_0)": 1}, "<=", 0.7 + 0.3),
        "training_3": Row(
            {
                "allocate(training_cloud_3)": 1,
                "allocate(training_hall_3)": 1,
                "allocate(training_cloud_1)": -1,
                "allocate(training_hall_1)": -1,
            },
            "<=",
            0.3,
        ),
    },
    # Deals have no ramp but one on what is signed: 0.15 GW a month.
    "signing_ramp": {"deals_2": Row({"sign(deals_2)": 1}, "<=", 0.45)},
    # Pool by pool, what was there before (0.6 and 0.1 GW at the start) need not be moved.
    "migration": {
        "training_cloud_0": Row({"allocate(training_cloud_0)": 1, "onboard(training_cloud_0)": -1}, "<=", 0.6),
        "training_hall_3": Row(
            {"allocate(training_hall_3)": 1, "allocate(training_hall_1)": -1, "onboard(training_hall_3)": -1}, "<=", 0
        ),
    },
    # In force: what is kept of before (half of 0.8 GW at the start), plus signed, less breached, less what comes back
    # of the notice of two quarters ago, of which 0.5 * 0.4 is left. In the second quarter nothing can come back.
    "deals": {
        "deals_0": Row({"allocate(deals_cloud_0)": 1, "sign(deals_0)": -1, "breach(deals_0)": 1}, "=", 0.5 * 0.8),
        "deals_1": Row(
            {
                "allocate(deals_cloud_1)": 1,
                "allocate(deals_cloud_0)": -0.5,
                "sign(deals_1)": -1,
                "breach(deals_1)": 1,
            },
            "=",
            0,
        ),
        "deals_3": Row(
            {
                "allocate(deals_cloud_3)": 1,
                "allocate(deals_cloud_1)": -0.4,
                "sign(deals_3)": -1,
                "breach(deals_3)": 1,
                "release(deals_0)": 0.5 * 0.4,
            },
            "=",
            0,
        ),
    },
    # Two quarters bind: at node 3 what was signed there and at node 1, less breaches, as far as churn left it.
    "term": {
        "deals_0": Row({"sign(deals_0)": 1, "breach(deals_0)": -1, "allocate(deals_cloud_0)": -1}, "<=", 0),
        "deals_3": Row(
            {
                "sign(deals_1)": 0.4,
                "sign(deals_3)": 1,
                "breach(deals_1)": -0.4,
                "breach(deals_3)": -1,
                "allocate(deals_cloud_3)": -1,
            },
            "<=",
            0,
        ),
    },
    # Only `lease` has a window of two quarters.
    "commit": {"lease_1": Row({"cancelled(lease_0)": 1, "cancelled(lease_1)": -1}, "<=", 0)},
    # One pool in the first quarter, the pathway's sum from the second quarter on.
    "lock_least": {
        "training_cloud_0": Row({"allocate(training_cloud_0)": 1}, ">=", 0.15),
        "training__1": Row({"allocate(training_cloud_1)": 1, "allocate(training_hall_1)": 1}, ">=", 0.25),
    },
    "lock_most": {
        "training__3": Row({"allocate(training_cloud_3)": 1, "allocate(training_hall_3)": 1}, "<=", 2.2),
        "deals_cloud_2": Row({"allocate(deals_cloud_2)": 1}, "<=", 0.85),
    },
    # An earlier plan gave 0.45 and 0.55 GW; of the tight market it said nothing.
    "nearness": {
        "training_cloud_0": Row(
            {"allocate(training_cloud_0)": 1, "moved_up(training_cloud_0)": -1, "moved_down(training_cloud_0)": 1},
            "=",
            0.45,
        ),
        "training_hall_1": Row(
            {"allocate(training_hall_1)": 1, "moved_up(training_hall_1)": -1, "moved_down(training_hall_1)": 1},
            "=",
            0.65,
        ),
        "training_cloud_3": Row(
            {"allocate(training_cloud_3)": 1, "moved_up(training_cloud_3)": -1, "moved_down(training_cloud_3)": 1},
            "=",
            0.55,
        ),
    },
    # The hall is used by training at 0 or at 0.35 GW and more, up to all of its 1 GW.
    "block_least": {
        "training_hall_2": Row({"in_use(training_hall_2)": 0.35, "allocate(training_hall_2)": -1}, "<=", 0)
    },
    "block_most": {"training_hall_2": Row({"allocate(training_hall_2)": 1, "in_use(training_hall_2)": -1}, "<=", 0)},
    # Worth so far, less that of the node before, less the node's own: earned and paid by the year, paid at once
    # (moving, signing, breaching, fees on what is newly cancelled), and at a leaf 3 - 4 for each GW of `lease` kept.
    "cumulative_worth": {
        "0": Row(
            {
                "worth(0)": 1,
                "serve(training_0_0)": -D0 * QUARTER * 10,
                "serve(training_1_0)": -D0 * QUARTER * 7,
                "allocate(training_cloud_0)": D0 * QUARTER * 0.11,
                "allocate(training_hall_0)": D0 * QUARTER * 0.13,
                "allocate(deals_cloud_0)": D0 * QUARTER * 0.17,
                "idle(cloud_0)": D0 * QUARTER * 0.3,
                "idle(hall_0)": D0 * QUARTER * 0.05,
                "shortfall(training_0)": D0 * QUARTER * 6,
                "onboard(training_cloud_0)": D0 * 0.7,
                "onboard(training_hall_0)": D0 * 0.7,
                "sign(deals_0)": D0 * 0.55,
                "breach(deals_0)": D0 * 0.95,
                "cancelled(lease_0)": D0 * 0.4 * LEASE_CONTRACTED,
                **{
                    f"{moved}({pair}_0)": D0 * QUARTER * 1.9
                    for moved in ("moved_up", "moved_down")
                    for pair in ("training_cloud", "deals_cloud")
                },
            },
            "=",
            -D0 * QUARTER * (0.6 * 1 + 4 * 2),
        ),
        "3": Row(
            {
                "worth(3)": 1,
                "worth(1)": -1,
                "serve(training_0_3)": -D2 * QUARTER * 10,
                "serve(training_1_3)": -D2 * QUARTER * 7,
                "serve(deals_0_3)": -D2 * QUARTER * 8 * 0.25,
                "allocate(training_cloud_3)": D2 * QUARTER * 0.11,
                "allocate(training_hall_3)": D2 * QUARTER * 0.13,
                "allocate(deals_cloud_3)": D2 * QUARTER * 0.17,
                "idle(cloud_3)": D2 * QUARTER * 0.3,
                "idle(hall_3)": D2 * QUARTER * 0.05,
                "shortfall(training_3)": D2 * QUARTER * 6,
                "onboard(training_cloud_3)": D2 * 0.7,
                "onboard(training_hall_3)": D2 * 0.7,
                "sign(deals_3)": D2 * 0.55,
                "breach(deals_3)": D2 * 0.95,
                "cancelled(lease_1)": -D2 * QUARTER * 4 * 2.8 + TAIL * (3 - 4) * 2.8,
                "cancelled(reserve_1)": -D2 * QUARTER * 5 * 0.9,
                "moved_up(training_cloud_3)": D2 * QUARTER * 1.9,
                "moved_down(training_cloud_3)": D2 * QUARTER * 1.9,
            },
            "=",
            -D2 * QUARTER * (0.6 * 1 + 4 * 2.8 + 5 * 0.9) + TAIL * (3 - 4) * 2.8,
        ),
    },
    # The third quarter has two nodes; the glut's split is that of the tight market.
    "same_split": {
        "training_hall_3": Row({"allocate(training_hall_3)": 1, "allocate(training_hall_2)": -1}, "=", 0),
    },
    # A part of what is delivered, cancelled or not; in a glut `lease` delivers 0.8 GW more.
    "owned": {
        "training_cloud_0": Row({"allocate(training_cloud_0)": 1, "share(training_cloud)": -2}, "<=", 0),
        "deals_cloud_3": Row({"allocate(deals_cloud_3)": 1, "share(deals_cloud)": -(2 + 0.8 + 0.9)}, "<=", 0),
    },
    # Deals may not use the hall.
    "parts_of_one": {
        "cloud": Row({"share(training_cloud)": 1, "share(deals_cloud)": 1}, "<=", 1),
        "hall": Row({"share(training_hall)": 1}, "<=", 1),
    },
    # What a leaf lacks to the value at risk.
    "deficit_met": {"3": Row({"value_at_risk": 1, "worth(3)": -1, "deficit(3)": -1}, "<=", 0)},
}
"""Some rows of each constraint, by the index in their label."""

OBJECTIVES: dict[str, dict[str, float]] = {
    # The nodes' own worth, each times its probability; a share cancelled at node 1 is felt there and at both leaves.
    "expected_worth": {
        "serve(training_0_1)": D1 * QUARTER * 10,
        "serve(deals_0_1)": D1 * QUARTER * 8,
        "serve(deals_0_2)": 0.25 * D2 * QUARTER * 8,
        "serve(deals_0_3)": 0.75 * D2 * QUARTER * 8 * 0.25,
        "allocate(training_hall_2)": -0.25 * D2 * QUARTER * 0.13,
        "idle(cloud_3)": -0.75 * D2 * QUARTER * 0.3,
        "shortfall(training_2)": -0.25 * D2 * QUARTER * 6,
        "onboard(training_cloud_2)": -0.25 * D2 * 0.7,
        "sign(deals_1)": -D1 * 0.55,
        "breach(deals_3)": -0.75 * D2 * 0.95,
        "cancelled(lease_0)": -D0 * 0.4 * LEASE_CONTRACTED + D1 * (QUARTER * 4 * 2 + 0.4 * LEASE_CONTRACTED),
        "cancelled(lease_1)": -D1 * 0.4 * LEASE_CONTRACTED
        + (0.25 * 2 + 0.75 * 2.8) * (D2 * QUARTER * 4 - TAIL * (3 - 4)),
        "cancelled(reserve_1)": -D1 * 0.2 * 0.9 + (D1 + D2) * QUARTER * 5 * 0.9,
        "moved_up(training_cloud_0)": -D0 * QUARTER * 1.9,
        "moved_down(training_hall_1)": -D1 * QUARTER * 1.9,
        "moved_up(training_cloud_3)": -0.75 * D2 * QUARTER * 1.9,
        "ONE_VAR_CONSTANT": -D0 * QUARTER * 8.6
        - D1 * QUARTER * (8.6 + 4.5)
        - D2 * QUARTER * (0.6 + 4 * (2 + 0.75 * 0.8) + 4.5)
        + TAIL * (3 - 4) * (2 + 0.75 * 0.8),
    },
    # With aversion 0.25 and a tail of 0.4: three quarters of the mean worth, a quarter of the mean of the worst 0.4.
    "risk_averse_worth": {
        "worth(2)": 0.75 * 0.25,
        "worth(3)": 0.75 * 0.75,
        "value_at_risk": 0.25,
        "deficit(2)": -0.25 * 0.25 / 0.4,
        "deficit(3)": -0.25 * 0.75 / 0.4,
    },
}
"""Coefficients of each objective, all or some of each kind."""

BOUNDS: dict[str, tuple[str, str, str]] = {
    "balance": ("cancelled(lease_0)", "0", "0.5"),
    "service": ("serve(training_0_0)", "0", "1.3"),
    "deficit_met": ("value_at_risk", "-inf", "+inf"),
    "cumulative_worth": ("worth(0)", "-inf", "+inf"),
    "deals": ("release(deals_0)", "0", "+inf"),
}
"""Bounds of a variable that is first met in a rule: the largest share, a tier's width, money of either sign."""
