"""The mix of cases that re-solves are measured on: edits of the reference instance, and its shipped what-ifs."""

from __future__ import annotations

from pathlib import Path

import gwplan as gw

REFERENCE = Path(__file__).resolve().parents[2] / "instances" / "meta-2026h1"

EDITS = {
    "costs": (
        "value[pathway=deals].value_bn_per_gw_year *= 0.8 @ 2027-01-01",
        "contracts[contract=coreweave_2026].cost_bn_per_gw_year *= 1.1",
        "contracts[vendor=Nebius].cost_bn_per_gw_year *= 0.9",
        "uncertainty[factor=msl_progress,outcome=lags].probability = 0.4",
    ),
    "bounds": (
        "demand[pathway=msl].target_gw *= 1.05",
        "demand[pathway=msl].target_gw *= 0.9 @ 2028-01-01",
        "pathways[pathway=ads].ramp_gw_per_month *= 1.1",
        "insert locks[pathway=ads, from=2027-01-01, min_gw=1]",
    ),
    "matrix": (
        "eligibility[pathway=msl,pool=regional_cloud].effectiveness *= 0.95",
        "eligibility[pathway=msl,pool=colocation_hall].effectiveness *= 1.05",
        "pathways[pathway=platform].churn_per_year += 0.05",
        "pathways[pathway=deals].churn_per_year = 0.1",
    ),
    "deliveries": (
        "deliveries[contract=coreweave_2026].date += 1 month",
        "deliveries[contract=coreweave_2026].date += 3 months",
        "deliveries[contract=nebius*].date += 2 months",
        "deliveries.date += 1 month @ 2027-06-01",
    ),
}
"""Edits by what a planner changes."""


def cases(instance: gw.Instance) -> list[tuple[str, gw.Instance]]:
    """Return the mix: each edit above, and each what-if that the instance ships with, rebuilds as they occur."""
    edited = [(kind, instance.edited(text)) for kind, texts in EDITS.items() for text in texts]
    return edited + [("what-ifs", instance.with_whatif(name)) for name in sorted(instance.whatifs)]


def shorter(instance: gw.Instance, periods: int) -> gw.Instance:
    """Return the instance over fewer periods."""
    return instance.edited(f"calendar.periods = {periods}")
