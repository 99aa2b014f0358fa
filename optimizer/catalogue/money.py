"""The catalogue of money: every part that worth sums to, and the cells that price it.

Worth of a plan is the sum of its parts, costs negative. Cash (NPV) is the sum of those that are cash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from gwplan.catalogue.tables import PER_GW, PER_YEAR, RATE, TABLES


@dataclass(frozen=True)
class WorthPart:
    """One part of worth."""

    label: str  # what it is called where parts stand side by side
    of: Literal["pathway", "pool", "contract"]  # whose amounts it sums
    rests_on: tuple[str, ...]  # tables that it is reckoned from
    # whether money moves for it within the horizon; else it is a weight of the planner or lies beyond
    cash: bool = True


MONEY: Final[Mapping[str, WorthPart]] = MappingProxyType(
    {
        "value": WorthPart(
            "value of use", "pathway", ("value", "curves", "pathways", "demand", "eligibility", "churn")
        ),
        "contract_cost": WorthPart("contracts", "contract", ("contracts", "deliveries")),
        "sales": WorthPart("sold to customers", "contract", ("contracts", "deliveries")),
        "prepayments": WorthPart("prepayments", "contract", ("contracts", "deliveries")),
        "upfront": WorthPart("paid on delivery", "contract", ("deliveries",)),
        "late_credit": WorthPart("late credits", "contract", ("contracts",)),
        "offer_cost": WorthPart("signing offers", "contract", ("offers", "offer_prices")),
        "operating_cost": WorthPart("operation", "pathway", ("eligibility",)),
        "migration_cost": WorthPart("moving GW", "pathway", ("pathways",)),
        "signing_cost": WorthPart("signing deals", "pathway", ("pathways",)),
        "breach_cost": WorthPart("breaking deals", "pathway", ("pathways",)),
        "cancellation_fees": WorthPart("cancellation fees", "contract", ("cancellations",)),
        "idle_penalty": WorthPart("idle penalty", "pool", ("pools",), cash=False),
        "shortfall_penalty": WorthPart("shortfall penalty", "pathway", ("pathways", "demand"), cash=False),
        "move_penalty": WorthPart("move penalty", "pathway", (), cash=False),
        "terminal": WorthPart("terminal line", "contract", ("pools", "contracts"), cash=False),
    }
)
"""By component of ``cashflow`` and of the summary, in the order in which they are told."""

COSTS: Final = tuple(name for name, part in MONEY.items() if part.cash and name != "value")
"""Parts that are cash, value apart."""

NOT_CASH: Final = tuple(name for name, part in MONEY.items() if not part.cash)
"""Parts that are no part of NPV."""

OF_A_PATHWAY: Final = tuple(name for name, part in MONEY.items() if part.of == "pathway")
"""Parts that belong to a pathway."""

_PRICED: Final = "value curves contracts deliveries cancellations offers offer_prices pools pathways eligibility"
PRICES: Final = {
    name: tuple(column.name for column in TABLES[name].columns if column.unit in (RATE, PER_GW, PER_YEAR))
    for name in _PRICED.split()
}
"""By table: the columns whose cells are values and costs, in the order in which allowable changes are told."""
