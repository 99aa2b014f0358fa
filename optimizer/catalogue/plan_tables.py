"""The catalogue of a plan's tables: every column with its type, unit and meaning.

Kept runs are read by it, exports carry it, and the docs are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

Kind = Literal["text", "number", "integer", "date"]


@dataclass(frozen=True)
class Column:
    """One column of a plan's table.

    Attributes
    ----------
    kind : {"text", "number", "integer", "date"}
        Type of the cells; only numbers can be blank (NaN).
    unit : str
        Unit of the quantity; blank where there is none.
    meaning : str
        What a cell says.
    """

    kind: Kind
    unit: str
    meaning: str


def _text(meaning: str) -> Column:
    return Column("text", "", meaning)


def _gw(meaning: str) -> Column:
    return Column("number", "GW", meaning)


def _money(meaning: str) -> Column:
    return Column("number", "$bn", meaning)


_NODE: Final = {
    "node": Column("integer", "", "number of the node of the scenario tree; parents have smaller numbers"),
    "period": Column("integer", "", "number of the node's period, from 0"),
    "start": Column("date", "", "first day of the period"),
    "known": _text("outcomes known at the node, factor=outcome joined by commas; blank before the first reveal"),
    "probability": Column("number", "", "probability that the node is reached"),
}

MEANING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nodes": "The scenario tree: one row per node.",
        "allocation": "How pools are split among pathways: one row per node and eligible pair of pathway and pool.",
        "supply": "What is delivered and what becomes of it: one row per node and pool.",
        "cashflow": "Every amount of money, costs negative: one row per node, component and name; zeros may be absent.",
        "cancellations": "Notice given on contracts: one row per contract and node of its window.",
        "commitments": "Contracts in force: one row per node and contract, an offer from the signature on.",
        "deals": "Deals of the pathways that need notice: one row per node and deal pathway.",
        "obligations": "What is owed to vendors and by customers, beyond the horizon too: by contract and year.",
        "marginal_values": "Shadow prices, what relaxing a limit would add: one row per node, constraint and name.",
        "allowable_changes": "How far values and costs may change before the plan does: one row per cell.",
        "firmness": "What every other split loses at least: one row per pathway, for the first period and each year.",
        "more_supply": "What more of a pool adds, re-solved: one row per pool, year and size.",
        "looser_limits": "What limits that cost most add when looser, re-solved: one row per limit and size.",
    }
)
"""What each table says."""

COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = MappingProxyType(
    {
        "nodes": {**_NODE, "parent": Column("integer", "", "node one period earlier; -1 at a root")},
        "allocation": {
            **_NODE,
            "pathway": _text("use of the capacity"),
            "pool": _text("class of capacity"),
            "gw": _gw("capacity of the pool that the pathway uses"),
        },
        "supply": {
            **_NODE,
            "pool": _text("class of capacity"),
            "delivered_gw": _gw("capacity of the contracts in service, as signed"),
            "cancelled_gw": _gw("part of it whose cancellation has taken effect"),
            "sold_gw": _gw("capacity due to customers under contracts sold"),
            "unserved_gw": _gw("part of that which is not there"),
            "used_gw": _gw("part that some pathway uses"),
            "idle_gw": _gw("part that is paid for and unused"),
        },
        "cashflow": {
            **_NODE,
            "component": _text("what kind of amount it is, such as value, contract_cost or signing_cost"),
            "name": _text("pathway, contract or pool that it belongs to, depending on the component"),
            "bn": _money("amount of the whole period, undiscounted, not weighted by probability"),
            "discounted_bn": _money("the amount discounted to the start of the plan, not weighted by probability"),
        },
        "cancellations": {
            **_NODE,
            "contract": _text("contract that can be cancelled"),
            "window": _text("name of the window, where the contract has several"),
            "share": Column("number", "", "share of the contract for which notice has been given by this node"),
            "gw": _gw("that share of the capacity contracted"),
            "effective": Column("date", "", "first day of the period in which notice given now takes effect"),
            "fee_bn": _money("fee for the share newly cancelled at this node, positive, undiscounted"),
        },
        "commitments": {
            **_NODE,
            "contract": _text("contract in force, or offer of which a share is signed by this node"),
            "side": _text("buy or sell"),
            "share": Column("number", "", "share that is signed by this node; 1 of a firm contract"),
            "signed_gw": _gw("that share of the capacity contracted"),
            "extended_gw": _gw("part of it that is extended by this node"),
            "given_back_gw": _gw("part of it for which notice has been given by this node"),
            "in_service_gw": _gw("capacity of the contract in service during the period; of one sold, due"),
            "unserved_gw": _gw("part of what is due under a contract sold that is not there"),
        },
        "deals": {
            **_NODE,
            "pathway": _text("pathway whose capacity is let in deals"),
            "in_force_gw": _gw("capacity in deals during the period"),
            "signed_gw": _gw("deals signed at this node"),
            "notice_given_gw": _gw("deals for which notice is given at this node"),
            "returned_gw": _gw("capacity back at this node after notice given earlier"),
            "lost_gw": _gw("deals lost to churn at this node"),
            "breached_gw": _gw("deals taken back at this node without notice"),
        },
        "obligations": {
            "vendor": _text("vendor of the contract, or customer of one sold"),
            "contract": _text("contract"),
            "side": _text("buy, or sell where it is owed to us"),
            "year": Column("integer", "", "calendar year in which the periods start"),
            "as_signed_bn": _money("expected obligation without cancellations and offers, undiscounted"),
            "after_cancellation_bn": _money(
                "expected obligation after the planned cancellations and signatures, without their fees"
            ),
            "gw": _gw("expected capacity in service as signed, averaged over that year's periods"),
        },
        "marginal_values": {
            **_NODE,
            "constraint": _text("limit that is relaxed: supply, target, floor, cap, ramp or lock"),
            "name": _text(
                "pathway or pool of the limit; of a lock on a pool pathway[pool], names with brackets in quotes"
            ),
            "bn_per_gw_year": Column(
                "number",
                "as in unit",
                "worth of relaxing the limit by one unit, gross of contract cost; positive helps; blank in a plan that "
                "is not proved optimal",
            ),
            "relaxed": Column(
                "number", "as in unit", "worth of relaxing the limit by a little; blank where not worked out"
            ),
            "tightened": Column(
                "number",
                "as in unit",
                "worth lost by tightening the limit by a little; more than relaxed where the optimum is degenerate; "
                "blank where not worked out, or where no plan would be left",
            ),
            "limit_gw": _gw("the limit; of a ramp at the start with the capacity in use before"),
            "from_gw": _gw("least value of the limit down to which its value below holds (allowable decrease)"),
            "to_gw": _gw("greatest value of the limit up to which its value above holds (allowable increase)"),
            "unit": _text("unit of the marginal value: $bn per GW-year, of ramps $bn per GW"),
            "integers": _text(
                "fixed: the value holds with the plan's whole cancellations and the blocks in use as they are; "
                "blank: the plan has none"
            ),
        },
        "allowable_changes": {
            "table": _text("table of the instance"),
            "row": _text("key of its row, as in an edit: column=cell joined by commas"),
            "column": _text("column of the cell, a value or a cost"),
            "value": Column("number", "as in unit", "what the cell says; cells that are blank or 0 have no row"),
            "unit": _text("unit of the cell and of its changes"),
            "allowable_increase": Column(
                "number",
                "as in unit",
                "the plan stays best while the cell alone rises by no more (farther at a degenerate optimum); inf: "
                "however much; blank where not worked out",
            ),
            "allowable_decrease": Column("number", "as in unit", "the same of a cell that falls"),
        },
        "firmness": {
            "pathway": _text("use of the capacity"),
            "when": _text("first: the first period; else the calendar year"),
            "less_loses_bn_per_gw": Column(
                "number",
                "$bn per GW",
                "worth that a plan lacks at least for each GW less of expected mean use in that time; 0: another split "
                "may be worth as much; inf: there is no plan with less; blank where not worked out",
            ),
            "more_loses_bn_per_gw": Column("number", "$bn per GW", "the same for each GW more"),
        },
        "more_supply": {
            "pool": _text("pool of which there is more"),
            "year": Column("integer", "", "calendar year all through which it is there, in every scenario alike"),
            "price_bn_per_gw_year": Column(
                "number", "$bn per GW-year", "average contract price of the pool in that year"
            ),
            "size_gw": _gw("how much more"),
            "worth_bn_per_gw_year": Column(
                "number", "$bn per GW-year", "what it adds before its price, re-solved and discounted to that year"
            ),
            "gain_bn": Column("number", "$bn", "what it adds to worth less that price, re-solved"),
            "step": _text(
                "asked: a size that people buy; best: the size that adds most, beyond which each GW more loses"
            ),
        },
        "looser_limits": {
            "limit": _text("limit that is looser wherever it is stated, in every period and scenario"),
            "name": _text("pathway, or pathway and pool, whose limit it is"),
            "size_gw": _gw("by how much it is looser; of a ramp GW more of growth in every period"),
            "gain_bn": Column("number", "$bn", "what that adds to worth, re-solved"),
            "step": _text("asked: a size that people ask for; best: the size from which on looser adds no more"),
        },
    }
)
"""Every column of every table, in the order in which they are kept."""

_DTYPES: Final[Mapping[Kind, np.dtype[Any] | pd.StringDtype]] = {
    "text": pd.StringDtype(na_value=np.nan),
    "number": np.dtype("float64"),
    "integer": np.dtype("int64"),
    "date": np.dtype("datetime64[s]"),
}


def dtypes(table: str) -> dict[str, np.dtype[Any] | pd.StringDtype]:
    """Return the dtype of each column of a table."""
    return {name: _DTYPES[column.kind] for name, column in COLUMNS[table].items()}
