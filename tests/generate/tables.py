"""Draws the tables of an instance so that a plan exists.

Feasibility comes from the contract ``base``: it is in service from the start, no outcome touches it, and each pathway
has a share of it (`Draft.hold`) on which its floor, its locks and its initial deals fit at any time.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from tests.generate.draft import Draft, Row, add_months

SIZES = {
    "small": {"month": (6, 15), "quarter": (5, 13), "year": (4, 9), "contracts": (2, 9), "outcomes": (2, 4)},
    "medium": {"month": (18, 37), "quarter": (12, 25), "year": (8, 16), "contracts": (8, 19), "outcomes": (2, 4)},
}
"""Ranges of the number of periods by resolution, of contracts and of outcomes a factor; the end is excluded."""

POOLS = ("frontier cluster", "regional", "=hall|1", "Zürich, north")
PATHWAYS = ("ads", "msl", "model service", "deals")


def add_supply(draft: Draft, integers: bool) -> None:
    """Draw pools, contracts, deliveries and cancellation windows."""
    add_pools(draft)
    add_contracts(draft)
    add_cancellations(draft, integers)


def add_use(draft: Draft, integers: bool, *, dated: bool) -> None:
    """Draw pathways and everything that is keyed by them."""
    add_pathways(draft)
    add_eligibility(draft, integers)
    if dated:
        add_effectiveness(draft)
    for pathway in draft.names("pathways"):
        add_demand(draft, pathway)
        add_value(draft, pathway)
        add_churn(draft, pathway)
    add_locks(draft)


def add_pools(draft: Draft) -> None:
    """Draw one to four pools."""
    draft.tables["pools"] = [
        {
            "pool": name,
            "idle_penalty_bn_per_gw_year": draft.maybe(0.4, 0, 0.5),
            "terminal_value_bn_per_gw_year": draft.maybe(0.5, 0, 3),
        }
        for name in POOLS[: draft.count(1, 5)]
    ]


def add_contracts(draft: Draft) -> None:
    """Draw contracts and their deliveries; the first one carries every hold."""
    pools, horizon = draft.names("pools"), draft.periods
    base_end = draft.date(horizon + draft.count(1, 10)) if draft.chance(0.4) else None
    draft.tables["contracts"] = [
        {
            "contract": "base",
            "vendor": "own",
            "kind": "self_build",
            "pool": pools[0],
            "end": base_end,
            "cost_bn_per_gw_year": draft.maybe(0.8, 0.2, 1.5),
            "delay_months": None,
        }
    ]
    draft.tables["deliveries"] = [
        {"contract": "base", "date": draft.date(draft.count(-6, 1)), "gw": draft.number(0.8, 3)}
    ]
    for number in range(1, draft.count(*SIZES[draft.size]["contracts"])):
        name = f"c{number:02}"
        end = draft.date(draft.count(1, horizon + 12)) if draft.chance(0.6) else None
        draft.tables["contracts"].append(
            {
                "contract": name,
                "vendor": draft.choice(["Nebius", "CoreWeave", None]),
                "kind": draft.choice(["cloud", "colocation", "self_build", None]),
                "pool": draft.choice(pools),
                "end": end,
                "cost_bn_per_gw_year": draft.maybe(0.85, 0.1, 2.5),
                "delay_months": draft.count(1, 8) if draft.chance(0.25) else None,
            }
        )
        for _ in range(draft.count(1, 5)):
            date = draft.date(draft.count(-3, horizon + 2))
            draft.tables["deliveries"].append({"contract": name, "date": date, "gw": draft.number(0.05, 1.2)})


def cancellation(draft: Draft, contract: str, opens: dt.date, closes: dt.date) -> Row:
    """Draw the terms of a window."""
    return {
        "contract": contract,
        "opens": opens,
        "closes": closes,
        "notice_days": draft.choice([None, 0, 30, 60, 90, 180, 365]),
        "fee_bn_per_gw": draft.maybe(0.7, 0, 0.8),
        "max_share": draft.maybe(0.4, 0.2, 1),
        "indivisible": draft.choice([None, False]),
    }


def add_cancellations(draft: Draft, integers: bool) -> None:
    """Draw windows for about half of the contracts; some hold no period."""
    for contract in draft.names("contracts"):
        if draft.chance(0.55):
            opens = draft.date(draft.count(-1, draft.periods))
            closes = max(opens, draft.date(draft.count(-1, draft.periods + 2)))
            row = cancellation(draft, contract, opens, closes)
            if integers and draft.chance(0.5):
                row |= {"indivisible": True, "max_share": None}
            draft.tables.setdefault("cancellations", []).append(row)


def add_pathways(draft: Draft) -> None:
    """Draw one to four pathways, most of them with deals."""
    rows = []
    for number, name in enumerate(PATHWAYS[: draft.count(1, 5)]):
        deal = draft.chance(0.65 if number else 0.3)
        # A deal pathway has notice, a term or both.
        has = draft.choice([(True, True), (True, False), (False, True)]) if deal else (False, False)
        days = [
            draft.choice([15, 30, 61, 90, 90, 180, 365, 500]) if has[i] else draft.choice([None, 0]) for i in (0, 1)
        ]
        rows.append(
            {
                "pathway": name,
                "realisation": draft.maybe(0.3, 0.3, 1),
                "shortfall_penalty_bn_per_gw_year": draft.maybe(0.6, 0, 3),
                "ramp_gw_per_month": draft.maybe(0.45, 0, 0.3 / draft.months**0.5),
                "migration_cost_bn_per_gw": draft.maybe(0.4, 0, 0.4),
                "notice_days": days[0],
                "min_term_days": days[1],
                "churn_per_year": draft.maybe(0.6, 0, 0.6) if deal else None,
                "signing_cost_bn_per_gw": draft.maybe(0.6, 0, 0.3) if deal else None,
                "breach_cost_bn_per_gw": draft.maybe(0.6, 0, 0.15) if deal else None,
            }
        )
    draft.tables["pathways"] = rows


def supply_at_start(draft: Draft, pool: str) -> float:
    """GW delivered to a pool in period 0."""
    return math.fsum(
        delivery["gw"]
        for row in draft.rows("contracts", pool=pool)
        if row["end"] is None or row["end"] > draft.start
        for delivery in draft.rows("deliveries", contract=row["contract"])
        if add_months(delivery["date"], row["delay_months"] or 0) <= draft.start
    )


def add_eligibility(draft: Draft, integers: bool) -> None:
    """Draw who may use what, initial use, and the part of the base contract that each pathway may hold."""
    pools, base = draft.names("pools"), draft.tables["deliveries"][0]["gw"]
    shares = draft.rng.dirichlet(np.ones(len(PATHWAYS))) * base * 0.95
    missing = draft.chance(0.12)
    rows = []
    for pathway, gw in zip(draft.tables["pathways"], shares, strict=False):
        name, share = pathway["pathway"], down(gw)
        initial = 0.0 if missing or draft.chance(0.2) else down(share * draft.number(0.2, 1))
        draft.hold[name] = share if pathway["ramp_gw_per_month"] is None else initial
        for number, pool in enumerate(pools):
            if number and draft.chance(0.3):
                continue
            # Initial deals use the base contract only: what an outcome does to the others cannot leave them bare.
            other = 0.0 if draft.is_deal(name) else down(supply_at_start(draft, pool) * draft.number(0, 0.25))
            rows.append(
                {
                    "pathway": name,
                    "pool": pool,
                    "effectiveness": draft.maybe(0.5, 0 if number else 0.4, 1.5),
                    "operating_cost_bn_per_gw_year": draft.maybe(0.5, 0, 0.6),
                    "initial_gw": (other if number else initial) or None,
                    "min_block_gw": draft.maybe(0.4, 0.05, 0.3) if integers and number else None,
                }
            )
    if not missing:
        draft.tables["eligibility"] = rows


def add_effectiveness(draft: Draft) -> None:
    """Draw effectiveness by date, in numbers of its own; on the pool of the base contract it does not fall."""
    (rng,) = draft.rng.spawn(1)
    for row in draft.rows("eligibility"):
        for t in np.flatnonzero(rng.random(draft.periods + 1) < 0.3 / draft.periods).tolist():
            least = (row["effectiveness"] or 1.0) if row["pool"] == draft.names("pools")[0] else 0.0
            draft.tables.setdefault("effectiveness", []).append(
                {
                    "pathway": row["pathway"],
                    "pool": row["pool"],
                    "from": draft.tau(t - 1) - dt.timedelta(int(rng.integers(28))),
                    "effectiveness": round(float(least + rng.uniform(0, 0.8)), 3),
                }
            )


def down(gw: float) -> float:
    """Round to three decimals, never up and never below 0."""
    return max(float(np.floor(gw * 1000)) / 1000, 0.0)


def floor_of(draft: Draft, pathway: str) -> float | None:
    """Draw a floor in effective GW that fits the pathway's hold."""
    if draft.is_deal(pathway) and draft.rows("pathways", pathway=pathway)[0]["ramp_gw_per_month"] is not None:
        return None
    pairs = draft.rows("eligibility", pathway=pathway, pool=draft.names("pools")[0])
    effectiveness = pairs[0]["effectiveness"] if pairs else None
    reach = draft.hold[pathway] * (1.0 if effectiveness is None else effectiveness)
    return round(reach * draft.number(0.2, 0.9), 3) if draft.chance(0.5) else None


def demand_step(draft: Draft, pathway: str, date: dt.date) -> Row:
    """Draw one step of demand."""
    cap = draft.hold[pathway] + draft.number(0, 1.5) if draft.chance(0.45) else None
    return {
        "pathway": pathway,
        "from": date,
        "floor_gw": floor_of(draft, pathway),
        "target_gw": draft.maybe(0.6, 0, 2.5),
        "cap_gw": None if cap is None else round(cap + 1e-3, 3),
    }


def value_step(draft: Draft, pathway: str, date: dt.date) -> list[Row]:
    """Draw the tiers of one step, values falling."""
    values = sorted((draft.number(0.2, 7) for _ in range(draft.count(1, 4))), reverse=True)
    return [
        {
            "pathway": pathway,
            "from": date,
            "tier": tier,
            "width_gw": draft.number(0.05, 1.2) if tier < len(values) or draft.chance(0.6) else None,
            "value_bn_per_gw_year": value,
        }
        for tier, value in enumerate(values, 1)
    ]


def step_dates(draft: Draft, most: int, *, early: bool = False) -> list[dt.date]:
    """Draw the dates of a step function; an early one is in force at the start."""
    dates = {draft.date(draft.count(-2, draft.periods)) for _ in range(draft.count(1, most + 1))}
    if early or draft.chance(0.6):
        dates.add(draft.date(draft.count(-4, 1)))
    return sorted(dates)


def add_demand(draft: Draft, pathway: str) -> None:
    """Draw floors, targets and caps."""
    if draft.chance(0.8):
        steps = [demand_step(draft, pathway, date) for date in step_dates(draft, 3)]
        draft.tables.setdefault("demand", []).extend(steps)


def add_value(draft: Draft, pathway: str) -> None:
    """Draw tiers and curves; the first pathway always has tiers in force."""
    first = pathway == PATHWAYS[0]
    if first or draft.chance(0.85):
        for date in step_dates(draft, 2, early=first):
            draft.tables.setdefault("value", []).extend(value_step(draft, pathway, date))
    if draft.chance(0.35):
        draft.tables.setdefault("curves", []).extend(
            {
                "pathway": pathway,
                "from": date,
                "kind": "log2",
                "base_gw": draft.number(0.1, 1),
                "base_value_bn_per_year": draft.number(1, 30),
                "uplift_per_doubling": draft.number(0.02, 0.2),
                "max_gw": draft.number(0.2, 4),
                "segments": draft.count(1, 7),
            }
            for date in step_dates(draft, 1)
        )


def add_churn(draft: Draft, pathway: str) -> None:
    """Draw one-off losses of deals, before the start and twice in a period among them."""
    if draft.is_deal(pathway) and draft.chance(0.5):
        dates = {draft.date(draft.count(-2, draft.periods + 1)) for _ in range(draft.count(1, 4))}
        if draft.chance(0.3):
            dates.add(draft.date(-1))
        draft.tables.setdefault("churn", []).extend(
            {"pathway": pathway, "date": date, "fraction": draft.number(0.05, 1)} for date in sorted(dates)
        )


def add_running(draft: Draft, rng: np.random.Generator) -> None:
    """Draw terms and notices that run on from before the start, of less than half the deals that are in use then."""
    for row in draft.rows("pathways"):
        pairs = draft.rows("eligibility", pathway=row["pathway"])
        initial = sum(pair["initial_gw"] or 0.0 for pair in pairs)
        if initial <= 0 or not draft.is_deal(row["pathway"]) or rng.random() < 0.4:
            continue
        for kind in ("term", "notice"):
            for t in rng.choice(draft.periods + 2, size=int(rng.integers(0, 3)), replace=False):
                until = draft.tau(int(t)) - dt.timedelta(days=int(rng.integers(0, 20)))
                gw = round(initial * float(rng.uniform(0, 0.25)), 4)
                cells = {"pathway": row["pathway"], "kind": kind, "until": until, "gw": gw}
                draft.tables.setdefault("running", []).append(cells)


def add_locks(draft: Draft) -> None:
    """Draw a few overrides, seldom, none of which bars a pathway from its hold."""
    if not draft.chance(0.2):
        return
    keys = set()
    for _ in range(draft.count(1, 4)):
        pathway = draft.choice(draft.names("pathways"))
        pools = [r["pool"] for r in draft.rows("eligibility", pathway=pathway)] or draft.names("pools")
        pool, start = draft.choice([None, *pools]), draft.date(draft.count(-1, draft.periods))
        if (pathway, pool, start) in keys:
            continue
        keys.add((pathway, pool, start))
        held = draft.hold[pathway] if pool in (None, draft.names("pools")[0]) else 0.0
        free = not draft.is_deal(pathway) or draft.rows("pathways", pathway=pathway)[0]["ramp_gw_per_month"] is None
        draft.tables.setdefault("locks", []).append(
            {
                "pathway": pathway,
                "pool": pool,
                "from": start,
                "until": draft.date_from(start + dt.timedelta(days=1), 4) if draft.chance(0.5) else None,
                "min_gw": round(held * draft.number(0, 0.95), 3) if held and free and draft.chance(0.6) else None,
                "max_gw": round(held + draft.number(0, 1) + 1e-3, 3) if draft.chance(0.6) else None,
            }
        )


def ask_too_much(draft: Draft) -> None:
    """Put a floor above all supply in the last period."""
    pathway, date = PATHWAYS[0], draft.tau(draft.periods - 1)
    others = [r for r in draft.rows("demand") if (r["pathway"], r["from"]) != (pathway, date)]
    floor = {"pathway": pathway, "from": date, "floor_gw": 1000, "target_gw": None, "cap_gw": None}
    draft.tables["demand"] = [*others, floor]
