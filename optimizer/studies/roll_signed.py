"""What was signed by the new start, as contracts of the next instance; what is left of offers stays on offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import ROUNDING
from gwplan.instance.instance import Instance, replaced
from gwplan.language.cursor import Name
from gwplan.language.edits import Edit
from gwplan.solver.program import FloatArray, IntArray
from gwplan.tree.calendar import NEVER, calendar_of
from gwplan.tree.contracts import Tranches, tranches
from gwplan.tree.timeline import Timeline, timeline


@dataclass(frozen=True)
class Signature:
    """A share of an offer that was signed: in which period, at which price ($bn per GW-year), with which lead."""

    share: float
    period: int
    price: float
    lead: int


def signatures(laid_out: Timeline, signed: FloatArray, path: IntArray) -> dict[str, list[Signature]]:
    """Return what was signed of each offer on a path of nodes, from the shares signed by offer and node."""
    data = laid_out.data
    parts: dict[str, list[Signature]] = {}
    for o, k in enumerate(data.offer_of.tolist()):
        before = 0.0
        for node in path.tolist():
            if data.offered[o, node] and signed[o, node] - before > ROUNDING:
                price, lead = float(data.price[o, node]), int(data.lead[o, node])
                one = Signature(float(signed[o, node] - before), int(data.tree.period[node]), price, lead)
                parts.setdefault(laid_out.contract_of[k], []).append(one)
                before = float(signed[o, node])
    return parts


def with_signed(instance: Instance, signed: Mapping[str, list[Signature]], to: dt.date) -> Instance:
    """Return an instance in which what was signed is a firm contract, scaled, from its own dates and at its own price.

    What is left of an offer is scaled, or dropped where its window has closed. A share of a contract that was extended
    is a contract of its own, which can no longer be left.
    """
    laid_out = timeline(instance.deterministic())
    there = tranches(instance, laid_out.names, calendar_of(instance))
    following = instance
    for cells in instance.tables["offers"].to_dict("records"):
        row = {str(column): cell for column, cell in cells.items()}
        name, parts = row["contract"], signed.get(row["contract"], [])
        share = sum(part.share for part in parts)
        most = float(instance.filled("offers").set_index("contract").loc[name, "max_share"])
        closed = row["closes"].date() < to or most - share <= ROUNDING
        groups = _groups(there, laid_out, name, parts)
        for number, own in enumerate(groups, start=1):
            whole = closed and number == len(groups)
            following = _firm(following, there, laid_out, name, f"{name} signed {number}", own, keep_name=whole)
        if row["extends"] and parts:
            following = _extended(following, row["extends"], share)
        if closed and not groups:
            following = following.edited(Edit("contracts", "drop", {"contract": Name(name)}))
        elif not closed and groups:
            following = _rest(following, row, name, share, most)
    return following


@dataclass(frozen=True)
class _Delivery:
    """A tranche of an offer as it was signed: its row and part, and the periods of its arrival and of its delay."""

    row: int
    part: Signature
    arrival: int
    delay: int


def _groups(there: Tranches, laid_out: Timeline, offer: str, parts: list[Signature]) -> list[list[_Delivery]]:
    """Return what was signed of an offer in groups of one price and, where lateness is paid for, of one delay."""
    groups: dict[tuple[float, int], list[_Delivery]] = {}
    line = laid_out.contract_of.index(offer)
    for part in parts:
        for row in np.flatnonzero((there.line == line) & (there.gw > 0)).tolist():
            lead = np.full(part.period + 1, part.lead)
            arrival, _ = there.signed(row, lead)
            late = int(arrival[-1]) - there.signed_due(row, part.period, lead) if there.filed.late[row] > 0 else 0
            one = _Delivery(row, part, int(arrival[-1]), late)
            groups.setdefault((part.price, late), []).append(one)
    return list(groups.values())


def _firm(
    instance: Instance,
    there: Tranches,
    laid_out: Timeline,
    offer: str,
    name: str,
    signed: list[_Delivery],
    *,
    keep_name: bool,
) -> Instance:
    """Return the instance with what was signed of an offer at one price as a contract without an offer."""
    calendar = calendar_of(instance)
    rows: list[dict[str, Any]] = []
    parts = list(dict.fromkeys(one.part for one in signed))
    for one in signed:
        term, date = int(there.term[one.row]), one.arrival - one.delay
        rows.append(
            {
                "contract": offer if keep_name else name,
                "date": calendar.starts(date + 1)[-1].astype("datetime64[s]"),
                "gw": float(there.gw[one.row]) * one.part.share,
                "note": f"signed on {calendar.starts(one.part.period + 1)[-1]}",
                "term_months": float(term * calendar.months) if term < NEVER else np.nan,
                "upfront_bn_per_gw": float(there.filed.upfront[one.row]) or np.nan,
            }
        )
    contracts, share = instance.tables["contracts"], sum(part.share for part in parts)
    mine = contracts["contract"] == offer
    own = contracts[mine].copy()
    own["contract"], own["cost_bn_per_gw_year"] = offer if keep_name else name, parts[0].price
    own["delay_months"] = float(signed[0].delay * calendar.months)
    own["face_value_bn"] *= share
    own["signed"] = calendar.starts(max(part.period for part in parts) + 1)[-1].astype("datetime64[s]")
    tables = dict(instance.tables)
    tables["contracts"] = pd.concat([contracts[~mine] if keep_name else contracts, _inserted(own)])
    deliveries = tables["deliveries"]
    kept = deliveries[deliveries["contract"] != offer] if keep_name else deliveries
    tables["deliveries"] = pd.concat([kept, _inserted(_as_rows(rows, deliveries))])
    windows = tables["cancellations"]
    exits = windows[windows["contract"] == offer].copy()
    exits["contract"] = own["contract"].iloc[0]
    exits["max_share"] = np.minimum(exits["max_share"].fillna(1.0) / share, 1.0)
    tables["cancellations"] = pd.concat(
        [windows[windows["contract"] != offer] if keep_name else windows, _inserted(exits)]
    )
    if keep_name:
        for table in ("offers", "offer_prices"):
            tables[table] = tables[table][tables[table]["contract"] != offer]
    return replaced(instance, tables)


def _as_rows(rows: list[dict[str, Any]], like: pd.DataFrame) -> pd.DataFrame:
    """Return rows as a table with the columns and types of another."""
    blank = {name: "" for name in like.columns if like[name].dtype == object}
    return pd.DataFrame([{**blank, **row} for row in rows]).reindex(columns=like.columns).astype(like.dtypes.to_dict())


def _inserted(rows: pd.DataFrame) -> pd.DataFrame:
    rows.index = pd.Index([0] * len(rows))
    return rows


def _extended(instance: Instance, contract: str, share: float) -> Instance:
    """Return the instance with the share of a contract that was extended as a contract of its own, to be kept."""
    left = 1.0 - share
    if left <= ROUNDING:
        return _without_windows(instance, contract)
    tables = dict(instance.tables)
    for table, columns in (("contracts", ("face_value_bn",)), ("deliveries", SCALED)):
        rows = tables[table]
        part = rows[rows["contract"] == contract].copy()
        part["contract"] = f"{contract} extended"
        part[list(columns)] *= share
        tables[table] = pd.concat([rows, _inserted(part)])
    following = replaced(instance, tables)
    following = replaced(following, {"deliveries": scaled_deliveries(following, contract, left)})
    windows = following.tables["cancellations"]
    if (windows["contract"] == contract).any():
        windows = windows.copy()
        mine = (windows["contract"] == contract).to_numpy()
        windows.loc[mine, "max_share"] = np.minimum(windows.loc[mine, "max_share"].fillna(1.0) / left, 1.0)
        following = replaced(following, {"cancellations": windows})
    return following


SCALED: Final = ("gw", "credit_bn")
"""Columns of ``deliveries`` that a share of a contract has a share of."""


def scaled_deliveries(instance: Instance, contract: str, share: float) -> pd.DataFrame:
    """Return the deliveries, with a share of a contract's in place of them."""
    rows = instance.tables["deliveries"].copy()
    rows.loc[rows["contract"] == contract, list(SCALED)] *= share
    return rows


def _without_windows(instance: Instance, contract: str) -> Instance:
    if (instance.tables["cancellations"]["contract"] == contract).any():
        return instance.edited(Edit("cancellations", "drop", {"contract": Name(contract)}))
    return instance


def _rest(instance: Instance, row: dict[str, Any], name: str, share: float, most: float) -> Instance:
    """Return the instance with what is left of an offer still on offer."""
    left = 1.0 - share
    edits = [] if row["extends"] else [Edit("deliveries", "scale", {"contract": Name(name)}, "gw", left)]
    edits.append(Edit("offers", "set", {"contract": Name(name)}, "max_share", min((most - share) / left, 1.0)))
    least = float(np.nan_to_num(row["least_share"]))
    for column, cell in (("least_share", max(least - share, 0.0) / left), ("min_share", 0.0)):
        edits.append(Edit("offers", "set", {"contract": Name(name)}, column, min(cell, 1.0)))
    windows = instance.tables["cancellations"]
    following = instance.edited(*edits)
    if (windows["contract"] == name).any():
        windows = following.tables["cancellations"].copy()
        mine = (windows["contract"] == name).to_numpy()
        windows.loc[mine, "max_share"] = np.minimum(windows.loc[mine, "max_share"].fillna(1.0) / left, 1.0)
        following = replaced(following, {"cancellations": windows})
    return following
