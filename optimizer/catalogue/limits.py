"""The catalogue of limits: every constraint that holds a plan back, told once.

Marginal values, conflicts and ways out, given allocations and what is printed of them all read it. A limit that is
stated in one cell of a table and reaches nodes of the tree is known to them by its row here alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

PER_YEAR: Final = "$bn per GW-year"
ONE_OFF: Final = "$bn per GW"


@dataclass(frozen=True)
class Limit:
    """One constraint that limits something."""

    name: str  # what it is called, in tables and in findings of the audit
    # whose it is: ``pathway``, ``pool``, in the order of the constraint's index, in which the node is last
    of: tuple[str, ...]
    sign: float  # 1: at least; -1: at most. Turns the program's dual so that positive means relaxing helps.
    stated: str  # table and column that state it
    figure: str = ""  # array of `gwplan.models.PlanData` that holds it, in its measure; blank where no one array does
    side: str = ""  # tells the two limits of one name apart
    unit: str = ""  # unit of its marginal value; blank: it has none
    measure: str = "GW"  # what it is counted in, as told
    firm: int = 0  # place in which it is told among demands in conflict, and given up last; 0: no demand
    # what loosens it: ``steps`` of a dated column, ``rows`` of locks, one ``cell``, ``contracts`` more, or a
    # ``breach``; blank: no edit that is known beforehand
    eases: Literal["", "steps", "rows", "cell", "contracts", "breach"] = ""
    broken: str = ""  # what it means to break it, of a name; blank: it cannot be broken
    # what it demands, of pathway, pool, owner, gw and when; the same where the figure is 0 everywhere
    demanded: str = ""
    nothing: str = ""
    ask: str = ""  # what a planner may ask for to relax it, of name and than
    relaxed: str = ""  # what relaxes it by a GW, of a name, and what tightens it
    tightened: str = ""

    @property
    def kind(self) -> str:
        """Name and side, which tell demands apart."""
        return f"{self.name} {self.side}".strip()

    @property
    def table(self) -> str:
        """Table that states it."""
        return self.stated.partition(".")[0]

    @property
    def column(self) -> str:
        """Column that states it."""
        return self.stated.partition(".")[2]

    @property
    def loosen(self) -> str:
        """What an edit does that loosens it, in words."""
        return f"{'lower' if self.sign > 0 else 'raise'} the {self.name}"


LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "balance": Limit(
            "supply", ("pool",), -1.0, "deliveries.gw", "supply", unit=PER_YEAR, firm=5, eases="contracts",
            broken="more of {} is used than is delivered and not cancelled",
            demanded="pool {pool} holds {gw} {when}", nothing="pool {pool} has no capacity {when}",
            relaxed="one more GW of {}", tightened="one less",
        ),
        "target_met": Limit(
            "target", ("pathway",), 1.0, "demand.target_gw", "target", unit=PER_YEAR,
            ask="{name}: lower target", relaxed="a target of {} lower by a GW", tightened="a higher one",
        ),
        "floor_met": Limit(
            "floor", ("pathway",), 1.0, "demand.floor_gw", "floor", unit=PER_YEAR, firm=1, eases="steps",
            broken="{} has less than its floor",
            demanded="{pathway} needs at least {gw} of effective capacity {when}",
            ask="{name}: lower floor", relaxed="a floor of {} lower by a GW", tightened="a higher one",
        ),
        "cap_kept": Limit(
            "cap", ("pathway",), -1.0, "demand.cap_gw", "cap", unit=PER_YEAR, firm=4, eases="steps",
            broken="{} has more than its cap", demanded="{pathway} may use at most {gw} {when}",
            ask="{name}: higher cap", relaxed="a cap of {} higher by a GW", tightened="a lower one",
        ),
        "ramp": Limit(
            "ramp", ("pathway",), -1.0, "pathways.ramp_gw_per_month", unit=ONE_OFF, firm=7, eases="cell",
            broken="{} grows faster than its ramp",
            ask="{name}: grow faster{than}", relaxed="one more GW of growth by {}", tightened="one less",
        ),
        "signing_ramp": Limit(
            "ramp", ("pathway",), -1.0, "pathways.ramp_gw_per_month", unit=ONE_OFF, firm=8, eases="cell",
            broken="{} signs faster than its ramp",
            ask="{name}: sign faster{than}", relaxed="one more GW of growth by {}", tightened="one less",
        ),
        "lock_least": Limit(
            "lock", ("pathway", "pool"), 1.0, "locks.min_gw", "lock_least", "min", PER_YEAR, firm=2, eases="rows",
            broken="{} has less than its lock", demanded="a lock holds {owner} at {gw} or more {when}",
            ask="{name}: looser lock", relaxed="a lock on {} lower by a GW", tightened="a higher one",
        ),
        "lock_most": Limit(
            "lock", ("pathway", "pool"), -1.0, "locks.max_gw", "lock_most", "max", PER_YEAR, firm=3, eases="rows",
            broken="{} has more than its lock", demanded="a lock holds {owner} at {gw} or less {when}",
            nothing="a lock holds {owner} at {gw} {when}",
            ask="{name}: looser lock", relaxed="a lock on {} higher by a GW", tightened="a lower one",
        ),
        "deals": Limit(
            "deals", ("pathway",), 1.0, "pathways.notice_days", firm=6, eases="breach",
            broken="deals of {} come back, or go, without notice",
        ),
        "term": Limit(
            "term", ("pathway",), 1.0, "pathways.min_term_days", broken="deals of {} end within their term"
        ),
        "block_least": Limit(
            "block", ("pathway", "pool"), 1.0, "eligibility.min_block_gw", "min_block", firm=9,
            broken="{} is used, and less than its least block",
            demanded="{owner} is used at 0 or at least {gw} {when}",
        ),
        "block_most": Limit(
            "block", ("pathway", "pool"), -1.0, "eligibility.min_block_gw",
            broken="{} is used, and less than its least block",
        ),
    }
)  # fmt: skip
"""By constraint of the model, in the order of the table of marginal values."""

DEMANDS: Final = {row: limit for row, limit in sorted(LIMITS.items(), key=lambda item: item[1].firm) if limit.firm}
"""The planner's own demands, which can be in conflict, in the order in which they are told."""

BY_KIND: Final = {limit.kind: limit for limit in [*LIMITS.values()][::-1]}
"""By kind; of several constraints with one, the first."""

PRICED: Final = {row: limit for row, limit in LIMITS.items() if limit.unit}
"""Limits with a marginal value."""
