"""Exposure: what is owed to whom, and what is at risk if a vendor is late or fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import TABLES, Column, Table
from gwplan.instance.instance import Instance
from gwplan.instance.selection import ROW, picks
from gwplan.language.cursor import Cell, Name
from gwplan.language.edits import Edit
from gwplan.plan.claims import STATUSES
from gwplan.plan.obligations import BOOK, Owed, owed
from gwplan.plan.obligations import book as obligations_book
from gwplan.plan.plan import Plan
from gwplan.session import Session
from gwplan.solver.program import FloatArray
from gwplan.studies.attempt import Told, attempt, attempted
from gwplan.tree.calendar import add_months
from gwplan.tree.contracts import TABLES_READ

SLIP_MONTHS: Final = 3
"""Months by which a vendor is late: a quarter."""

Figures = dict[str, Any]
"""Figures by name, as JSON holds them."""


def exposure(
    instance: Instance,
    plan: Plan | None,
    parts: Sequence[str],
    swing: float,
    tell: Told = lambda stage: None,
    *,
    each: bool = False,
) -> Figures:
    """Return the parts asked for, of a plan or of the instance's best, money in $bn; only what needs solves is solved.

    Parts: ``obligations``, ``book``, ``whatifs``, ``vendors``, ``unverified``.
    """
    session = None
    if plan is None or set(parts) - {"obligations", "book"}:
        tell("the plan")
        session = Session(instance)
        plan = plan or session.base.plan
    figures: Figures = {
        "instance": instance.name,
        "edits": list(instance.applied),
        "objective_bn": plan.objective_bn,
        "aversion": instance.aversion,
        "status": plan.status,
    }
    if "obligations" in parts:
        figures["obligations"] = obligations(plan)
    if "book" in parts:
        figures["book"] = book(plan)
    if session is not None:
        if "whatifs" in parts:
            figures["whatifs"] = whatifs(session, tell)
        if "vendors" in parts:
            figures["vendors"] = vendor_risks(session, tell)
        if "unverified" in parts:
            figures["unverified"] = unverified(session, swing, tell, each=each)
    return figures


def obligations(plan: Plan) -> Figures:
    """Return what a plan leaves owed, undiscounted, to each contract's end.

    Returns
    -------
    dict
        ``total``, ``vendors``, ``contracts`` and ``years``: $bn as signed and after the plan's cancellations, expected;
        ``least_bn`` and ``most_bn`` over the futures. ``branches``: the same by future. ``largest``: the vendor to whom
        most is owed, as signed and after, with its share. ``detail``: the amounts by vendor, contract and year.
    """
    owing, futures = _owed(plan)
    signed, kept = (owing.expected(amounts) for amounts in (owing.signed, owing.kept))
    signed_bn, kept_bn = float(signed.sum()), float(kept.sum())
    vendors = list(dict.fromkeys(owing.vendors))
    rows = []
    for vendor in vendors:
        chosen = np.array([name == vendor for name in owing.vendors])
        row = {
            "vendor": vendor,
            "gw": float(owing.served[chosen].sum(axis=0).max(initial=0.0)),
            **_amounts(owing, chosen),
        }
        rows.append({**row, **_shares(row, signed_bn, kept_bn)})
    rows.sort(key=lambda row: -row["as_signed_bn"])
    contracts = [
        {"contract": name, "vendor": owing.vendors[k], **_amounts(owing, np.arange(len(owing.vendors)) == k)}
        for k, name in enumerate(owing.contracts)
    ]
    years = [
        {
            "year": int(year),
            "as_signed_bn": float(signed[:, y].sum()),
            "after_cancellation_bn": float(kept[:, y].sum()),
            **_largest(by_vendor(owing, kept[:, y])),
        }
        for y, year in enumerate(owing.years)
    ]
    branches = [
        {
            "known": known,
            "probability": float(owing.probability[s]),
            "as_signed_bn": float(owing.signed[s].sum()),
            "after_cancellation_bn": float(owing.kept[s].sum()),
            "vendors": by_vendor(owing, owing.kept[s]),
        }
        for s, known in enumerate(futures)
    ]
    return {
        "total": _amounts(owing, np.ones(len(owing.vendors), dtype=bool)),
        "largest": {"as_signed": _largest(by_vendor(owing, signed)), "after": _largest(by_vendor(owing, kept))},
        "vendors": rows, "contracts": contracts, "years": years, "branches": branches, "detail": _detail(owing),
    }  # fmt: skip


def book(plan: Plan) -> Figures:
    """Return the book of obligations: what is to be paid by contract and year, and how totals tie to published ones.

    Returns
    -------
    dict
        ``rows`` by vendor, contract and year, and ``contracts``, their totals beside ``before_bn``, ``whole_bn``,
        ``filed_bn`` and ``difference_bn``, as `gwplan.plan.obligations.book` has them; ``total`` of what is bought and
        of what is sold, by side. What is not known is None.
    """
    rows, contracts = obligations_book(plan.laid_out, plan.decided)
    total = {side: {name: float(part[name].sum()) for name in BOOK} for side, part in contracts.groupby("side")}
    for side in total:  # the least of a sum is that of one future
        futures = owed(plan.laid_out, plan.decided.cancelled, plan.decided.signed)
        kept = futures.kept[:, futures.sold == (side == "sell")].sum(axis=(1, 2))
        total[side] |= {"least_bn": float(kept.min()), "most_bn": float(kept.max())}
    return {"rows": _records(rows), "contracts": _records(contracts), "total": total}


def _records(frame: pd.DataFrame) -> list[Figures]:
    """Return the rows of a table, None for what is not known."""
    return [
        {str(name): None if isinstance(cell, float) and np.isnan(cell) else cell for name, cell in row.items()}
        for row in frame.to_dict("records")
    ]


def _detail(owing: Owed) -> list[Figures]:
    """Return a row by contract and year in which something is owed."""
    signed, kept = (owing.expected(amounts) for amounts in (owing.signed, owing.kept))
    least, most = owing.kept.min(axis=0), owing.kept.max(axis=0)
    return [
        {
            "vendor": owing.vendors[k],
            "contract": owing.contracts[k],
            "year": int(owing.years[y]),
            "as_signed_bn": float(signed[k, y]),
            "after_cancellation_bn": float(kept[k, y]),
            "least_bn": float(least[k, y]),
            "most_bn": float(most[k, y]),
        }
        for k, y in zip(*(axis.tolist() for axis in np.nonzero((signed > 0) | (kept > 0))), strict=True)
    ]


def by_vendor(owing: Owed, amounts: FloatArray) -> dict[str, float]:
    """Return amounts (K, ...) summed by vendor in their own unit, in the order in which vendors first occur."""
    sums: dict[str, float] = dict.fromkeys(owing.vendors, 0.0)
    for vendor, amount in zip(owing.vendors, amounts.reshape(len(owing.vendors), -1).sum(axis=1), strict=True):
        sums[vendor] += float(amount)
    return sums


def _owed(plan: Plan) -> tuple[Owed, list[str]]:
    """Return what is owed, and what is known at the end of each scenario."""
    laid_out = plan.laid_out
    owing = owed(laid_out, plan.decided.cancelled, plan.decided.signed).bought()
    return owing, [laid_out.known[node] for node in laid_out.data.tree.node_of[:, -1].tolist()]


def _amounts(owing: Owed, chosen: Any) -> Figures:
    kept = owing.kept[:, chosen].sum(axis=(1, 2))
    return {
        "as_signed_bn": float(owing.expected(owing.signed[:, chosen].sum(axis=(1, 2)))),
        "after_cancellation_bn": float(owing.expected(kept)),
        "least_bn": float(kept.min()),
        "most_bn": float(kept.max()),
    }


def _shares(row: Figures, signed_bn: float, kept_bn: float) -> Figures:
    return {
        "share_as_signed": row["as_signed_bn"] / signed_bn if signed_bn > 0 else 0.0,
        "share_after": row["after_cancellation_bn"] / kept_bn if kept_bn > 0 else 0.0,
    }


def _largest(amounts: dict[str, float]) -> Figures:
    whole = sum(amounts.values())
    if whole <= 0:
        return {"largest_vendor": None, "share": 0.0}
    vendor = max(amounts, key=amounts.__getitem__)
    return {"largest_vendor": vendor, "share": amounts[vendor] / whole}


def whatifs(session: Session, tell: Told) -> list[Figures]:
    """Return what each what-if of the instance does to what is owed to each vendor, expected after cancellations."""
    base = _by_vendor_after(session.base.plan)
    effects: list[Figures] = []
    for name, whatif in session.instance.whatifs.items():
        tell(f"what-if {name}")
        answer = attempted(partial(session.solve, whatif))
        if isinstance(answer, str):
            effects.append({"whatif": name, "objective_bn": None, "reason": answer, "total_bn": None, "vendors": {}})
            continue
        after = _by_vendor_after(answer.plan)
        rows = {}
        for vendor in dict.fromkeys([*base, *after]):
            left = after.get(vendor, 0.0)
            rows[vendor] = {"after_cancellation_bn": left, "change_bn": left - base.get(vendor, 0.0)}
        worth, total = answer.objective_bn, sum(after.values())
        effects.append({"whatif": name, "objective_bn": worth, "reason": "", "total_bn": total, "vendors": rows})
    return effects


def _by_vendor_after(plan: Plan) -> dict[str, float]:
    owing, _ = _owed(plan)
    return by_vendor(owing, owing.expected(owing.kept))


def vendor_risks(session: Session, tell: Told) -> list[Figures]:
    """Return for each vendor the worth that is at risk if it is late, and if it fails.

    Late: every delivery that is open when the plan starts comes `SLIP_MONTHS` later, ends of contracts stay. Fails: its
    contracts fall away from the start, and their price with them.
    """
    base, contracts = session.base.objective_bn, session.instance.filled("contracts")
    contracts = contracts[contracts["side"] != "sell"]
    risks: list[Figures] = []
    for vendor in dict.fromkeys(contracts["vendor"]):
        names = contracts["contract"][contracts["vendor"] == vendor].tolist()
        tell(f"{vendor or 'no vendor named'} late")
        edits, open_gw = _late(session.instance, names)
        late = attempt(session, edits)
        tell(f"{vendor or 'no vendor named'} fails")
        fails = attempt(session, [Edit("contracts", "drop", {"contract": Name(name)}) for name in names])
        risks.append(
            {"vendor": vendor, "open_gw": open_gw, "late_bn": late.lost(base), "late_reason": late.reason,
             "fails_bn": fails.lost(base), "fails_reason": fails.reason}
        )  # fmt: skip
    return risks


def _late(instance: Instance, contracts: list[str]) -> tuple[list[Edit], float]:
    """Return the edits that make open deliveries late, and the GW that are open."""
    delays = instance.filled("contracts").set_index("contract")["delay_months"]
    deliveries = instance.filled("deliveries")
    edits, gw = [], 0.0
    for name in contracts:
        # a delivery is open while its date after the contract's delay lies in the plan
        start = add_months(np.array([instance.start], dtype="datetime64[D]"), np.array([-int(delays[name])]))[0]
        dated = (deliveries["contract"] == name) & (deliveries["date"] > start)
        if dated.any():
            gw += float(deliveries["gw"][dated].sum())
            first = (start + np.timedelta64(1, "D")).astype(object)
            edits.append(Edit("deliveries", "shift_months", {"contract": Name(name)}, "date", SLIP_MONTHS, start=first))
    return edits, gw


UNVERIFIED: Final = STATUSES[1:]
"""What counts as unverified: every status but ``reported``, and none."""

SWUNG: Final = tuple(name for name in TABLES_READ if name != "locks")
"""Tables whose figures say how things are; locks are the planner's own decisions."""

NOT_READ: Final = {"contracts.face_value_bn", "contracts.power_per_gw", "curves.segments"}
"""Figures that no plan rests on: two are never read, the other is a matter of arithmetic."""


@dataclass(frozen=True)
class Group:
    """Cells that are swung together: rows of one column with one status and one owner, and what picks each row."""

    table: Table
    column: Column
    status: str
    owner: str
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """The cells in words."""
        return f"{self.table.name}.{self.column.name}" + (f" [{self.owner}]" if self.owner else "")

    def edits(self, share: float) -> list[Edit]:
        """Return the edits that scale each cell by 1 + share; none where every cell is at its largest value already."""
        cells = self.rows[self.column.name].astype(float).tolist()
        return [
            edit
            for value, where in zip(cells, self.rows["picked"], strict=True)
            for edit in self._edit(value, where, share)
        ]

    def _edit(self, value: float, where: dict[str, Cell], share: float) -> Iterator[Edit]:
        swung = value * (1 + share)
        if self.column.kind == "integer":
            swung = float(np.floor(swung) if share < 0 else np.ceil(swung))
        if self.column.most is not None:
            swung = min(swung, self.column.most)
        if swung != value:
            yield Edit(self.table.name, "set", where, self.column.name, swung)


def groups(instance: Instance, *, each: bool = False, statuses: Sequence[str] = UNVERIFIED) -> list[Group]:
    """Return the unverified cells of an instance by column, status and owner, or each for itself.

    Cells that are blank or 0 are left out: there is nothing to scale.
    """
    grouped = []
    for name in SWUNG:
        table, frame = TABLES[name], instance.filled(name)
        frame["picked"] = pd.Series(picks(table, frame), frame.index, dtype=object)
        owner = _owners(instance, frame, each=each)
        for column in table.columns:
            if column.kind not in ("number", "integer") or column.key or f"{name}.{column.name}" in NOT_READ:
                continue
            filled = frame[frame[column.name].fillna(0.0).to_numpy() != 0]
            for status in statuses:
                rows = filled[filled["status"] == status]
                for whose in dict.fromkeys(owner[rows.index].tolist()):
                    grouped.append(Group(table, column, status, whose, rows[owner[rows.index] == whose]))
    return grouped


def _owners(instance: Instance, frame: pd.DataFrame, *, each: bool) -> pd.Series:
    """Return for every row whose cells it is swung with."""
    if each:
        names = [", ".join(f"row {c}" if n == ROW else str(c) for n, c in row.items()) for row in frame["picked"]]
        return pd.Series(names, frame.index, dtype=object)
    if "contract" in frame:
        contracts = instance.filled("contracts")
        kinds = dict(zip(contracts["contract"], contracts["kind"], strict=True))
        return frame["contract"].map(kinds)
    return frame["pathway" if "pathway" in frame else "pool"]


def unverified(session: Session, share: float, tell: Told, *, each: bool = False) -> Figures:
    """Return what rests on unverified cells: GW, and worth when they are a share lower or higher, group by group.

    Returns
    -------
    dict
        ``swings``: by group the change of worth each way, $bn, and ``at_risk_bn``, the larger loss of the two; None,
        with the reason, where a case has no plan. ``statuses``: by status how many cells there are, GW by the status of
        the contract's row and of the delivery's, the largest loss of one group, and the losses of all groups added,
        as if all went wrong at once and none made another worse.
    """
    base = session.base.objective_bn
    swings: list[Figures] = []
    for group in groups(session.instance, each=each):
        tell(f"{group.name} {share:.0%} down and up")
        down, up = (attempt(session, group.edits(sign * share)) for sign in (-1, 1))
        changes = [None if case.worth_bn is None else case.worth_bn - base for case in (down, up)]
        swings.append(
            {"cells": group.name, "status": group.status, "count": len(group.rows), "down_bn": changes[0],
             "up_bn": changes[1], "at_risk_bn": max([-c for c in changes if c is not None] + [0.0]),
             "reason": down.reason or up.reason}
        )  # fmt: skip
    swings.sort(key=lambda swing: -swing["at_risk_bn"])
    gw = gw_by_status(session.instance)
    statuses = []
    for status in STATUSES:
        mine = [swing for swing in swings if swing["status"] == status]
        risks = [swing["at_risk_bn"] for swing in mine]
        statuses.append(
            {"status": status, "cells": sum(swing["count"] for swing in mine), "contract_gw": gw[status][0],
             "delivery_gw": gw[status][1], "largest_bn": max(risks, default=0.0), "added_bn": sum(risks)}
        )  # fmt: skip
    return {"swing": share, "each": each, "statuses": statuses, "swings": swings}


def bought(instance: Instance) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of ``contracts`` that are bought and in force as written, no offers, and their deliveries."""
    contracts, deliveries = instance.filled("contracts"), instance.filled("deliveries")
    firm = (contracts["side"] != "sell") & ~contracts["contract"].isin(instance.tables["offers"]["contract"])
    return contracts[firm], deliveries[deliveries["contract"].isin(contracts["contract"][firm])]


def gw_by_status(instance: Instance) -> dict[str, tuple[float, float]]:
    """Return GW by the status of the contract's row, and by that of the delivery's: as written, all delivered."""
    contracts, deliveries = bought(instance)
    contracts = contracts.set_index("contract")
    of_contract = contracts["status"].reindex(deliveries["contract"]).to_numpy()
    gw = deliveries["gw"].to_numpy()
    return {
        status: (float(gw[of_contract == status].sum()), float(gw[(deliveries["status"] == status).to_numpy()].sum()))
        for status in STATUSES
    }
