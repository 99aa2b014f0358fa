"""Draws edits of what pathways earn, ask for and lose."""

from __future__ import annotations

from tests.generate.draft import add_months
from tests.generate.scope import Edit, Scope, one_of, reached, written
from tests.generate.tables import PATHWAYS, demand_step, value_step


def scale_all_values(scope: Scope) -> list[Edit]:
    """Scale every pathway's values: the first pathway always has some in force."""
    if scope.draft.chance(0.6):
        return []
    where = {"where": {"pathway": "*"}} if scope.draft.chance(0.5) else {}
    factor = scope.draft.number(0.3, 1.6)
    dates = {k: v for k, v in scope.range().items() if k == "from"}
    return [{"table": "value", **where, "column": "value_bn_per_gw_year", "scale": factor, **dates}]


def edit_tiers(scope: Scope) -> list[Edit]:
    """Change values or widths of a pathway, or its last tier alone: values must not rise from tier to tier."""
    draft, p = scope.draft, one_of(scope, "value", scope.pathways, "pathway")
    if p is None:
        return []
    last = max(row["tier"] for row in draft.rows("value", pathway=p))
    dates, everything = scope.range(), {"table": "value", "where": {"pathway": p}}
    last_tier = {"table": "value", "where": {"pathway": p, "tier": last}}
    options: list[Edit] = [
        {**everything, "column": "value_bn_per_gw_year", "scale": draft.number(0.3, 1.6)},
        {**everything, "column": "value_bn_per_gw_year", "add": draft.number(0, 2)},
        {**everything, "column": "width_gw", "scale": draft.number(0.4, 1.6)},
        {**last_tier, "column": "width_gw", "set": draft.choice(["", draft.number(0.1, 2)])},
        {**last_tier, "column": "value_bn_per_gw_year", "scale": draft.number(0.2, 1)},
        *([{**last_tier, "drop": True}] if last > 1 else []),
    ]
    edit = draft.choice(options)
    return [{**edit, **dates}] if reached(scope, "value", edit["where"], dates) else []


def move_step(scope: Scope, table: str, p: str) -> list[Edit]:
    """Shift a step's date, where both old and new date lie after the reveal and no other step is there."""
    dates = {row["from"] for row in scope.draft.rows(table, pathway=p)}
    movable = sorted(date for date in dates if date >= scope.since)
    # Moved forward, a step would carry what another factor does to it to a date before that factor's reveal.
    months = scope.draft.choice([-5, -2, 1, 3, 8] if scope.alone else [1, 3, 8])
    if not movable:
        return []
    date = scope.draft.choice(movable)
    later = add_months(date, months)
    if later in dates | scope.draft.cuts or later < scope.since:
        return []
    return [{"table": table, "where": {"pathway": p, "from": date}, "column": "from", "shift_months": months}]


def keeps_first_values(scope: Scope, p: str) -> bool:
    """Whether a change of steps could leave the first pathway without any, on which other edits rely."""
    return p == PATHWAYS[0] and scope.anything


def edit_value_steps(scope: Scope) -> list[Edit]:
    """Shift a step of values, or insert one."""
    p = one_of(scope, "value", scope.pathways, "pathway")
    if p is None or keeps_first_values(scope, p):
        return []
    if scope.draft.chance(0.5):
        return move_step(scope, "value", p)
    date = scope.new_step({row["from"] for row in scope.draft.rows("value", pathway=p)})
    if date is None:
        return []
    return [{"table": "value", "insert": written(row)} for row in value_step(scope.draft, p, date)]


def edit_demand(scope: Scope) -> list[Edit]:
    """Change target, cap or floor; floors fall, and caps that a hold needs do not."""
    draft, p = scope.draft, one_of(scope, "demand", scope.pathways, "pathway")
    if p is None:
        return []
    dates, target = scope.range(), {"table": "demand", "where": {"pathway": p}}
    options: list[Edit] = [
        {**target, "column": "target_gw", "scale": draft.number(0.2, 2)},
        {**target, "column": "target_gw", "add": draft.number(0, 1)},
        {**target, "column": "target_gw", "set": draft.choice(["", draft.number(0, 3)])},
        {**target, "column": "cap_gw", "set": ""},
        {**target, "column": "cap_gw", "scale": draft.number(1, 2)},
        {**target, "column": "cap_gw", "set": round(draft.hold[p] + draft.number(0, 1) + 1e-3, 3)},
        {**target, "column": "floor_gw", "scale": draft.number(0, 1)},
    ]
    return [{**draft.choice(options), **dates}] if reached(scope, "demand", {"pathway": p}, dates) else []


def edit_demand_steps(scope: Scope) -> list[Edit]:
    """Shift, insert or drop a step of demand."""
    draft, p = scope.draft, one_of(scope, "demand", scope.pathways, "pathway")
    if p is None or draft.chance(0.3):
        return move_step(scope, "demand", p) if p else []
    dates = {row["from"] for row in draft.rows("demand", pathway=p)}
    later, date = sorted(d for d in dates if d >= scope.since), scope.new_step(dates)
    if later and draft.chance(0.4):
        return [{"table": "demand", "where": {"pathway": p, "from": draft.choice(later)}, "drop": True}]
    return [] if date is None else [{"table": "demand", "insert": written(demand_step(draft, p, date))}]


def edit_curves(scope: Scope) -> list[Edit]:
    """Change a curve, or shift it."""
    draft, p = scope.draft, one_of(scope, "curves", scope.pathways, "pathway")
    if p is None or draft.chance(0.2):
        return move_step(scope, "curves", p) if p else []
    dates, curve = scope.range(), {"table": "curves", "where": {"pathway": p}}
    edit = draft.choice(
        [
            {**curve, "column": "base_value_bn_per_year", "scale": draft.number(0.5, 1.5)},
            {**curve, "column": "uplift_per_doubling", "add": draft.number(0, 0.1)},
            {**curve, "column": "segments", "set": draft.count(1, 9)},
            {**curve, "column": "max_gw", "set": draft.number(0.5, 3)},
        ]
    )
    return [{**edit, **dates}] if reached(scope, "curves", {"pathway": p}, dates) else []


def edit_churn(scope: Scope) -> list[Edit]:
    """Insert a loss of deals, or change those that come after the reveal."""
    draft = scope.draft
    deals = [p for p in scope.pathways if draft.is_deal(p)]
    if not deals:
        return []
    p = draft.choice(deals)
    if not scope.first("churn", p):
        return []
    dates = [row["date"] for row in draft.rows("churn", pathway=p)]
    later, losses = [d for d in dates if d >= scope.since], {"table": "churn", "where": {"pathway": p}}
    if not later or draft.chance(0.4):
        date, fraction = scope.new_date(), draft.choice([1.0, draft.number(0.1, 1)])
        row = {"pathway": p, "date": date, "fraction": fraction}
        return [] if date in dates else [{"table": "churn", "insert": row}]
    date = draft.choice(later)
    options: list[Edit] = [
        {**losses, "column": "fraction", "scale": draft.number(0, 1), "from": scope.since},
        {**losses, "column": "fraction", "set": draft.number(0, 1), "from": date},
        {**losses, "drop": True, "from": date},
    ]
    if add_months(date, 4) not in dates:
        options.append({"table": "churn", "where": {"pathway": p, "date": date}, "column": "date", "shift_months": 4})
    return [draft.choice(options)]


def new_lock(scope: Scope) -> list[Edit]:
    """Insert an override that leaves the base contract alone."""
    draft = scope.draft
    pools = draft.names("pools")[1:]
    pairs = [(p, q) for p in scope.pathways for q in pools if is_eligible(scope, p, q)]
    if not pairs or (not scope.anything and draft.chance(0.5)):
        return []
    (p, q), date = draft.choice(pairs), scope.new_date()
    if draft.rows("locks", pathway=p, pool=q, **{"from": date}) or not scope.first("pair", f"{p} {q}"):
        return []
    until = {"until": draft.date_from(date, 5)} if draft.chance(0.5) else {}
    if until.get("until") == date:
        return []
    return [
        {"table": "locks", "insert": {"pathway": p, "pool": q, "from": date, "max_gw": draft.number(0, 1), **until}}
    ]


def is_eligible(scope: Scope, pathway: str, pool: str) -> bool:
    """Whether a pathway may use a pool."""
    table = "eligibility"
    return table not in scope.draft.tables or bool(scope.draft.rows(table, pathway=pathway, pool=pool))


def edit_pathway(scope: Scope) -> list[Edit]:
    """Change an undated property of a pathway; a deal pathway stays one."""
    draft, p = scope.draft, one_of(scope, "pathways", scope.pathways, "pathway")
    if p is None:
        return []
    own = {"table": "pathways", "where": {"pathway": p}}
    options: list[Edit] = [
        {**own, "column": "realisation", "scale": draft.number(0.4, 1)},
        {**own, "column": "realisation", "set": draft.number(0, 1)},
        {**own, "column": "ramp_gw_per_month", "scale": draft.number(0.5, 2)},
        {**own, "column": "migration_cost_bn_per_gw", "add": draft.number(0, 0.3)},
        {**own, "column": "shortfall_penalty_bn_per_gw_year", "scale": draft.number(0, 2)},
    ]
    if draft.is_deal(p):
        options += [
            {**own, "column": "notice_days", "set": draft.choice([30, 90, 200])},
            {**own, "column": "min_term_days", "add": draft.choice([10, 60, 400])},
            {**own, "column": "churn_per_year", "set": draft.choice(["", draft.number(0, 0.8)])},
            {**own, "column": "signing_cost_bn_per_gw", "add": draft.number(0, 0.4)},
            {**own, "column": "breach_cost_bn_per_gw", "set": draft.choice(["", draft.number(0, 0.5)])},
        ]
    return [draft.choice(options)]


def edit_effectiveness(scope: Scope) -> list[Edit]:
    """Raise the effectiveness of a pair from the reveal on, where it has one by date."""
    rows = [row for row in scope.draft.rows("effectiveness") if row["pathway"] in scope.pathways]
    if not rows:
        return []
    where = {column: rows[0][column] for column in ("pathway", "pool")}
    if ("dropped", where["pool"]) in scope.touched or not scope.first("effectiveness", str(where)):
        return []
    edit = {"table": "effectiveness", "where": where, "column": "effectiveness", "from": scope.since}
    return [{**edit, "scale": round(1 + 0.1 * len(rows), 2)}]


def edit_pairs(scope: Scope) -> list[Edit]:
    """Change or drop a pair of pathway and pool; the base contract's pool stays usable."""
    draft = scope.draft
    pairs = [row for row in draft.rows("eligibility") if row["pathway"] in scope.pathways]
    if not pairs:
        return []
    row = draft.choice(pairs)
    p, q = row["pathway"], row["pool"]
    if not scope.first("pair", f"{p} {q}"):
        return []
    pair = {"table": "eligibility", "where": {"pathway": p, "pool": q}}
    options: list[Edit] = [
        {**pair, "column": "effectiveness", "scale": draft.number(1, 1.4)},
        {**pair, "column": "operating_cost_bn_per_gw_year", "add": draft.number(0, 0.3)},
    ]
    if q != draft.names("pools")[0]:
        options.append({**pair, "column": "initial_gw", "scale": draft.number(0, 1)})
        if not draft.rows("locks", pathway=p, pool=q) and not draft.rows("effectiveness", pathway=p, pool=q):
            options.append({**pair, "drop": True})
    return [draft.choice(options)]
