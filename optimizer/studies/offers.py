"""What each offer adds: the plan made anew without it, and with none of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gwplan.errors import InfeasibleError
from gwplan.plan.plan import Plan
from gwplan.plan.tables import gained
from gwplan.session import Session
from gwplan.studies.attempt import Told
from gwplan.studies.uncertainty import unsigned


def with_offers_valued(plan: Plan, tell: Told) -> Plan:
    """Return a plan whose summary says what each offer adds and what the plan is worth with none, $bn.

    ``offers_bn``: ``adds`` by offer, ``none`` the worth; None where there is no plan without. What several add together
    need not be the sum.
    """
    with Session(plan.instance) as session:
        laid_out = session.base.laid_out
        contract = np.array(laid_out.contract_of, dtype=object)[laid_out.data.offer_of]

        def without(name: str | None) -> float | None:
            tell(f"without {name or 'any offer'}")
            data = unsigned(laid_out.data, np.ones(len(contract), dtype=bool) if name is None else contract == name)
            try:
                return session.solve_laid_out(replace(laid_out, data=data)).objective_bn
            except InfeasibleError:
                return None

        worth = session.base.objective_bn
        left = {name: without(name) for name in dict.fromkeys(contract.tolist())}
        adds = {name: None if bn is None else gained(worth, bn) for name, bn in left.items()}
        values: dict[str, Any] = {"adds": adds, "none": without(None)}
    return replace(plan, summary={**plan.summary, "offers_bn": values})
