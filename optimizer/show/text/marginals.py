"""Marginal values in sentences, and how far values and costs may change before the plan does."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.plan.marginals import ONE_OFF
from optimizer.plan.plan import Plan
from optimizer.show.page import Page, left_out
from optimizer.tree.calendar import calendar_of

MOST_SENTENCES: Final = 12
MOST_CELLS: Final = 16

MORE: Final = {
    "supply": ("one more GW of {}", "one less"),
    "target": ("a target of {} lower by a GW", "a higher one"),
    "floor": ("a floor of {} lower by a GW", "a higher one"),
    "cap": ("a cap of {} higher by a GW", "a lower one"),
    "ramp": ("one more GW of growth by {}", "one less"),
    "lock min": ("a lock on {} lower by a GW", "a higher one"),
    "lock max": ("a lock on {} higher by a GW", "a lower one"),
}
"""By limit: what relaxes it and what tightens it, in words."""

RAISED: Final = ("supply", "cap", "ramp", "lock max")
"""Limits that are relaxed by raising them."""


def marginal_values(page: Page, plan: Plan) -> None:
    """Say what a GW more and less of each limit is worth, in the period and future in which it matters most."""
    page.heading("MARGINAL VALUES (shadow prices), each where it matters most, and how far they hold")
    table = plan.marginal_values
    best = table[["relaxed", "tightened", "bn_per_gw_year"]].max(axis=1).fillna(0.0)
    # what a GW more for one period adds to worth, as seen from the start
    rate = plan.instance.discount_rate
    years = calendar_of(plan.instance).dt
    lasting = np.where(table["unit"] == ONE_OFF, 1.0, years)
    counts = best * table["probability"] * lasting * (1 + rate) ** (-(table["period"] + 0.5) * years)
    table = table.assign(counts=counts)[best > 1e-9]
    if not len(table):
        page.note("None: only a plan proved optimal has them, and no limit of this one is worth anything.")
        return
    first = table.loc[table.groupby(["constraint", "name"])["counts"].idxmax()].sort_values("counts", ascending=False)
    for row in first.head(MOST_SENTENCES).to_dict("records"):
        page.note(f"- {sentence(row, plan.instance.resolution)}")
    more = left_out((len(first) - MOST_SENTENCES, "smaller one"))
    page.note(
        "Gross of contract cost, for that period alone. The range runs from the allowable decrease to the allowable "
        f"increase of the limit. A kept run has all of them, in marginal_values.csv. {more}"
    )


def sentence(row: dict[Any, Any], resolution: str) -> str:
    """Return a row of the marginal values in words.

    Parameters
    ----------
    row : dict
        One row of the table.
    resolution : {"month", "quarter", "year"}
        Length of a period.
    """
    side = str(row["name"]).rpartition(" ")[2] if row["constraint"] == "lock" else ""
    kind = f"{row['constraint']} {side}".strip()
    more, less = MORE[kind]
    rooms = row["to_gw"] - row["limit_gw"], row["limit_gw"] - row["from_gw"]
    relaxing, tightening = rooms if kind in RAISED else rooms[::-1]
    each = "$bn" if row["unit"] == ONE_OFF else "$bn a year"
    known = f" (if {row['known']})" if row["known"] else ""
    told = f"{period_name(row['start'], resolution)}{known} {more.format(str(row['name']).removesuffix(f' {side}'))} "
    if math.isnan(row["relaxed"]):
        told += f"adds at most {row['bn_per_gw_year']:.3g} {each}"
    else:
        told += f"adds {row['relaxed']:.3g} {each}{_room(relaxing)}"
    if not math.isnan(row["tightened"]):
        told += f"; {less} costs {row['tightened']:.3g}{_room(tightening)}"
    return f"in {told}"


def period_name(start: pd.Timestamp, resolution: str) -> str:
    """Return a period's name: ``2027-04``, ``2027 Q2`` or ``2027``; a year that begins later by its first month."""
    if resolution == "quarter" and start.month % 3 == 1:
        return f"{start:%Y} Q{(start.month + 2) // 3}"
    return f"{start:%Y}" if resolution == "year" and start.month == 1 else f"{start:%Y-%m}"


def _room(gw: float) -> str:
    if math.isnan(gw):
        return ""
    return f", for up to {max(gw, 0.0):.2g} GW" if math.isfinite(gw) else ", however many"


def allowable_changes(page: Page, plan: Plan) -> None:
    """Show the values and costs by whose change the plan changes soonest."""
    page.heading("ALLOWABLE CHANGES of values and costs: by how much each alone may change before the plan does")
    table = plan.allowable_changes
    low, high = table["allowable_decrease"], table["allowable_increase"]
    known = low.notna()
    if not known.any():
        page.note("Not known: they are worked out for plans proved optimal without aversion to risk or whole numbers.")
        return
    least = np.minimum(low, high)
    matters = known & np.isfinite(least) & (least > 1e-9)
    shown = table[matters].assign(share=least / table["value"].abs()).sort_values("share", kind="stable")
    rows = [
        [f"{row['table']}[{row['row']}].{row['column']}", f"{row['value']:g}", *_changes(row)]
        for row in shown.head(MOST_CELLS).to_dict("records")
    ]
    for name, value, less, more in rows:
        page.note(f"- {name}: {value}, may fall by {less} and rise by {more}")
    free = int((known & ~np.isfinite(least)).sum())
    tied = int((known & (least <= 1e-9)).sum())
    page.note(
        f"Those that may change least, relative to their size. {tied} may not change at all: another plan is, or may "
        f"be, worth as much. On {free} the plan does not depend. At a degenerate optimum the plan may stay best "
        f"farther. A kept run has all of them, in allowable_changes.csv. "
        f"{left_out((len(shown) - MOST_CELLS, 'cell'))}"
    )


def _changes(row: dict[Any, Any]) -> list[str]:
    return [
        "any amount" if math.isinf(change) else f"{change:.3g}"
        for change in (row["allowable_decrease"], row["allowable_increase"])
    ]
