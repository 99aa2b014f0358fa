"""Recomputes a plan from the instance's tables and the plan's own, without the model or the solver.

Everything is derived anew from the tables: the tree, dates as periods, step functions, curves, churn, what
cancellations and notice bring about. The plan's decisions (allocation, deals signed, given notice and breached, shares
cancelled) are taken as they are; every other figure must follow from them, and they must keep every limit. Whether they
are the best is not judged here: duality proves that, with whole numbers the solver's bound, which no plan may pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from optimizer.audit.audit_findings import Finding, Findings
from optimizer.audit.facts import facts
from optimizer.audit.limits import check_limits, use
from optimizer.audit.money import check_cashflow, flows
from optimizer.audit.rows import check_nodes, missing, read
from optimizer.audit.summary import check_obligations, check_summary
from optimizer.instance.instance import Instance

__all__ = ["Finding", "audit"]


def audit(instance: Instance, tables: Mapping[str, pd.DataFrame], summary: Mapping[str, Any]) -> list[Finding]:
    """Return every figure of a plan that does not agree with the instance's tables.

    Parameters
    ----------
    instance : Instance
        What was planned for.
    tables : mapping of str to DataFrame
        The plan's tables by name; nodes are numbered by period, then by their first scenario. ``marginal_values`` is
        not recomputed: duals prove it.
    summary : mapping
        The plan's figures; its status and the certificate's tolerances are not recomputed.

    Returns
    -------
    list of Finding
        Empty for a sound plan.
    """
    findings = Findings()
    if missing(tables, findings):
        return findings.all
    laid_out = facts(instance)
    check_nodes(laid_out, tables, findings)
    plan = read(laid_out, tables, findings)
    used = use(laid_out, plan)
    check_limits(laid_out, plan, used, findings)
    worth = flows(laid_out, plan, used, findings)
    check_cashflow(laid_out, worth, tables["cashflow"], findings)
    check_obligations(laid_out, used, tables["obligations"], findings)
    check_summary(laid_out, plan, used, worth, summary, findings)
    return findings.all
