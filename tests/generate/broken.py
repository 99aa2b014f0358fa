"""Random instances that have no plan: what a planner may ask for by mistake."""

from __future__ import annotations

import datetime as dt

import numpy as np

import gwplan as gw
from gwplan.tree.calendar import calendar_of

KEPT_OUTCOMES = {"value", "curves", "churn"}
"""Tables that outcomes may edit; where they edit others the instance is taken without uncertainty."""


def broken(instance: gw.Instance, seed: int) -> gw.Instance | None:
    """Return a random instance with demands added that are likely in conflict; None if they break a rule."""
    rng = np.random.default_rng([seed, 8])
    tables = {e.table for f in instance.factors for o in f.outcomes for e in o.edits}
    instance = instance if tables <= KEPT_OUTCOMES else instance.deterministic()
    for _ in range(int(rng.integers(1, 4))):
        try:
            instance = instance.edited(*_mistake(instance, rng))
        except gw.InstanceError:
            return None
    return instance


def _mistake(instance: gw.Instance, rng: np.random.Generator) -> list[str]:
    starts = [d.astype(dt.date) for d in calendar_of(instance).starts()]
    first = int(rng.integers(0, len(starts)))
    last = int(rng.integers(first, len(starts)))
    end = f"{starts[last + 1]}" if last + 1 < len(starts) else ""
    pathway = str(rng.choice(sorted(instance.tables["pathways"]["pathway"])))
    pool = str(rng.choice(sorted(instance.tables["pools"]["pool"])))
    gw_much, gw_little = round(float(rng.uniform(0.5, 6)), 3), round(float(rng.uniform(0.01, 0.3)), 3)
    has_demand = (instance.tables["demand"]["pathway"] == pathway).any() if "demand" in instance.tables else False
    when = f"{starts[first]}..{end}"
    until = f", until={end}" if end else ""
    match int(rng.integers(0, 6)):
        case 0 if has_demand:
            return [f"demand[pathway={pathway}].floor_gw += {gw_much} @ {when}"]
        case 1:
            return [f"insert locks[pathway={pathway}, from={starts[first]}{until}, min_gw={gw_much}]"]
        case 2 if has_demand:
            return [
                f"demand[pathway={pathway}].cap_gw = {gw_little} @ {when}",
                f"insert locks[pathway={pathway}, from={starts[first]}{until}, min_gw={gw_much}]",
            ]
        case 3:
            return [
                f"pathways[pathway={pathway}].ramp_gw_per_month = {gw_little}",
                f"insert locks[pathway={pathway}, from={starts[last]}, min_gw={gw_much}]",
            ]
        case 4:
            return [
                f"pathways[pathway={pathway}].notice_days = 200",
                f"pathways[pathway={pathway}].min_term_days = 400",
                f'pathways[pathway={pathway}].breach_cost_bn_per_gw = ""',
                f"insert locks[pathway={pathway}, from={starts[0]}, until={starts[1]}, min_gw={gw_little}]",
                f"insert locks[pathway={pathway}, from={starts[1]}, max_gw=0]",
            ]
        case _:
            return [f"insert locks[pathway={pathway}, pool={pool}, from={starts[first]}{until}, min_gw={gw_much}]"]
