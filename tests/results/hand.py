"""A tiny instance and a plan for it whose every figure was worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

FILES = {
    "instance.toml": """
schema = 1
name = "hand"
[calendar]
start = 2027-01-01
resolution = "year"
periods = 2
[economics]
discount_rate = 0.21
""",
    "pools.csv": """
pool,idle_penalty_bn_per_gw_year,terminal_value_bn_per_gw_year
gpu,0.1,2
""",
    "contracts.csv": """
contract,vendor,pool,end,cost_bn_per_gw_year
lease,Acme,gpu,2030-01-01,1
""",
    "deliveries.csv": """
contract,date,gw
lease,2026-06-15,2
lease,2027-01-02,1
""",
    "cancellations.csv": """
contract,opens,closes,notice_days,fee_bn_per_gw,max_share
lease,2027-01-01,2027-12-31,365,0.3,0.5
""",
    "pathways.csv": """
pathway,shortfall_penalty_bn_per_gw_year,migration_cost_bn_per_gw,notice_days,signing_cost_bn_per_gw,churn_per_year
train,3,0.2,,,
deals,,,365,0.1,0.25
""",
    "eligibility.csv": """
pathway,pool,operating_cost_bn_per_gw_year,initial_gw
train,gpu,,0.5
deals,gpu,0.05,0.4
""",
    "demand.csv": """
pathway,from,target_gw
train,2026-01-01,1.5
""",
    "value.csv": """
pathway,from,tier,width_gw,value_bn_per_gw_year
train,2026-01-01,1,1,4
train,2026-01-01,2,,2
deals,2026-01-01,1,1,5
""",
    "uncertainty.toml": """
[[factor]]
name = "market"
revealed = 2028-01-01
[[factor.outcome]]
name = "tight"
probability = 0.6
[[factor.outcome]]
name = "glut"
probability = 0.4
[[factor.outcome.edit]]
table = "value"
where = { pathway = "deals" }
column = "value_bn_per_gw_year"
scale = 0.4
from = 2028-01-01
""",
}
"""Two years, a root and two leaves; the discount factors are 1 / 1.1, 1 / 1.1 ** 3 and, for the tail, 1 / 1.1 ** 5."""

NODES = pd.DataFrame(
    {
        "node": [0, 1, 2],
        "period": [0, 1, 1],
        "start": pd.to_datetime(["2027-01-01", "2028-01-01", "2028-01-01"]).astype("datetime64[s]"),
        "known": ["", "market=tight", "market=glut"],
        "probability": [1.0, 0.6, 0.4],
    }
)
D0, D1, D2 = 1.1**-1, 1.1**-3, 1.1**-5

# In 2027 deals of 0.4 GW lose a quarter to churn, 0.2 are signed: 0.5; notice is given for 0.4, of which 0.3 survive
# churn until it ends in 2028, when 0.125 of the 0.5 churn: 0.075 stay. In the tight market 0.725 more are signed.
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "allocation": [
        (0, "deals", "gpu", 0.5),
        (0, "train", "gpu", 1.2),
        (1, "deals", "gpu", 0.8),
        (1, "train", "gpu", 1.6),
        (2, "deals", "gpu", 0.075),
        (2, "train", "gpu", 1.8),
    ],
    # A fifth of the lease is cancelled in 2027 and leaves in 2028.
    "supply": [
        (0, "gpu", 2.0, 0.0, 0.0, 0.0, 1.7, 0.3),
        (1, "gpu", 3.0, 0.6, 0.0, 0.0, 2.4, 0.0),
        (2, "gpu", 3.0, 0.6, 0.0, 0.0, 1.875, 0.525),
    ],
    "cashflow": [
        (0, "value", "train", 4.4, 4.4 * D0),
        (0, "value", "deals", 2.5, 2.5 * D0),
        (0, "contract_cost", "lease", -2.0, -2.0 * D0),
        (0, "operating_cost", "deals", -0.025, -0.025 * D0),
        (0, "migration_cost", "train", -0.14, -0.14 * D0),
        (0, "signing_cost", "deals", -0.02, -0.02 * D0),
        (0, "cancellation_fees", "lease", -0.18, -0.18 * D0),
        (0, "idle_penalty", "gpu", -0.03, -0.03 * D0),
        (0, "shortfall_penalty", "train", -0.9, -0.9 * D0),
        (1, "value", "train", 5.2, 5.2 * D1),
        (1, "value", "deals", 4.0, 4.0 * D1),
        (1, "contract_cost", "lease", -2.4, -2.4 * D1),
        (1, "operating_cost", "deals", -0.04, -0.04 * D1),
        (1, "migration_cost", "train", -0.08, -0.08 * D1),
        (1, "signing_cost", "deals", -0.0725, -0.0725 * D1),
        (1, "terminal", "lease", 2.4, 2.4 * D2),
        (2, "value", "train", 5.6, 5.6 * D1),
        (2, "value", "deals", 0.15, 0.15 * D1),
        (2, "contract_cost", "lease", -2.4, -2.4 * D1),
        (2, "operating_cost", "deals", -0.00375, -0.00375 * D1),
        (2, "migration_cost", "train", -0.12, -0.12 * D1),
        (2, "idle_penalty", "gpu", -0.0525, -0.0525 * D1),
        (2, "terminal", "lease", 2.4, 2.4 * D2),
    ],
    "cancellations": [(0, "lease", "", 0.2, 0.6, pd.Timestamp("2028-01-01"), 0.18)],
    "commitments": [
        (0, "lease", "buy", 1.0, 3.0, 0.0, 0.6, 2.0, 0.0),
        (1, "lease", "buy", 1.0, 3.0, 0.0, 0.6, 2.4, 0.0),
        (2, "lease", "buy", 1.0, 3.0, 0.0, 0.6, 2.4, 0.0),
    ],
    "deals": [
        (0, "deals", 0.5, 0.2, 0.4, 0.0, 0.1, 0.0),
        (1, "deals", 0.8, 0.725, 0.0, 0.3, 0.125, 0.0),
        (2, "deals", 0.075, 0.0, 0.0, 0.3, 0.125, 0.0),
    ],
}
COLUMNS = {
    "allocation": ("pathway", "pool", "gw"),
    "supply": ("pool", "delivered_gw", "cancelled_gw", "sold_gw", "unserved_gw", "used_gw", "idle_gw"),
    "cashflow": ("component", "name", "bn", "discounted_bn"),
    "cancellations": ("contract", "window", "share", "gw", "effective", "fee_bn"),
    "commitments": (
        "contract",
        "side",
        "share",
        "signed_gw",
        "extended_gw",
        "given_back_gw",
        "in_service_gw",
        "unserved_gw",
    ),
    "deals": (
        "pathway",
        "in_force_gw",
        "signed_gw",
        "notice_given_gw",
        "returned_gw",
        "lost_gw",
        "breached_gw",
    ),
}
WORTH = {
    "tight": (4.4 + 2.5 - 2 - 0.025 - 0.14 - 0.02 - 0.18 - 0.03 - 0.9) * D0
    + (5.2 + 4.0 - 2.4 - 0.04 - 0.08 - 0.0725) * D1
    + 2.4 * D2,
    "glut": (4.4 + 2.5 - 2 - 0.025 - 0.14 - 0.02 - 0.18 - 0.03 - 0.9) * D0
    + (5.6 + 0.15 - 2.4 - 0.00375 - 0.12 - 0.0525) * D1
    + 2.4 * D2,
}
"""Worth of each scenario, $bn."""


def folder(path: Path, **changed: str) -> Path:
    """Write the instance, some files (named without ending) replaced, and return its folder."""
    path.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (path / name).write_text(changed.get(name.partition(".")[0], text).lstrip(), encoding="utf-8")
    for name in changed:
        if not any(file.startswith(f"{name}.") for file in FILES):
            (path / f"{name}.csv").write_text(changed[name].lstrip(), encoding="utf-8")
    return path


def tables() -> dict[str, pd.DataFrame]:
    """Return the tables of the plan."""
    made = {"nodes": NODES.assign(parent=[-1, 0, 0])}
    for name, rows in ROWS.items():
        frame = pd.DataFrame(rows, columns=["node", *COLUMNS[name]])
        made[name] = NODES.merge(frame, on="node", how="inner", validate="one_to_many")
    made["cancellations"]["effective"] = made["cancellations"]["effective"].astype("datetime64[s]")
    made["obligations"] = pd.DataFrame(
        {
            "vendor": "Acme",
            "contract": "lease",
            "side": "buy",
            "year": [2027, 2028, 2029],
            "as_signed_bn": [2.0, 3.0, 3.0],
            "after_cancellation_bn": [2.0, 2.4, 2.4],
            "gw": [2.0, 3.0, 3.0],
        }
    )
    return made


def summary() -> dict[str, Any]:
    """Return the summary of the plan."""
    worth = 0.6 * WORTH["tight"] + 0.4 * WORTH["glut"]
    idle_penalty = -0.03 * D0 - 0.4 * 0.0525 * D1
    used, idle = 1.7 + 0.6 * 2.4 + 0.4 * 1.875, 0.3 + 0.4 * 0.525
    return {
        "status": "optimal",
        "objective_bn": worth,
        "npv_bn": worth - idle_penalty + 0.9 * D0 - 2.4 * D2,
        "components_bn": {
            "value": {
                "train": 4.4 * D0 + (0.6 * 5.2 + 0.4 * 5.6) * D1,
                "deals": 2.5 * D0 + (0.6 * 4.0 + 0.4 * 0.15) * D1,
            },
            "contract_cost": -2 * D0 - 2.4 * D1,
            "operating_cost": -0.025 * D0 - (0.6 * 0.04 + 0.4 * 0.00375) * D1,
            "migration_cost": -0.14 * D0 - (0.6 * 0.08 + 0.4 * 0.12) * D1,
            "signing_cost": -0.02 * D0 - 0.6 * 0.0725 * D1,
            "breach_cost": 0.0,
            "cancellation_fees": -0.18 * D0,
            "idle_penalty": idle_penalty,
            "shortfall_penalty": -0.9 * D0,
            "terminal": 2.4 * D2,
        },
        "expected_gw_years": {"train": 1.2 + 0.6 * 1.6 + 0.4 * 1.8, "deals": 0.5 + 0.6 * 0.8 + 0.4 * 0.075},
        "idle_gw_years": idle,
        "idle_cost_bn": 0.3 * D0 + 0.4 * 0.525 * D1,
        "utilisation": used / (used + idle),
        "cancelled_gw": {"lease": 0.6},
        "scenarios": 2,
        "nodes": 3,
        "certificate": {"recomputed_objective_bn": worth, "gap": 0.0},
    }
