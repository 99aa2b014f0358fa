"""The planning model in linopy: labelled arrays, masks for what does not exist."""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from gwplan.models import Terms
from tests.benchmarks.peers import node_rates


class _Axes:
    """Turns arrays into labelled ones."""

    def __init__(self, entered: Terms) -> None:
        data = entered.data
        self.terms = entered
        names = {"P": data.pathways, "Q": data.pools, "W": data.ways_out, "I": range(data.width.shape[1])}
        self.coords: dict[str, Any] = {a: pd.Index(list(labels), name=a) for a, labels in names.items()}
        self.coords["N"] = pd.RangeIndex(data.tree.size, name="N")

    def array(self, values: Any, axes: str) -> xr.DataArray:
        known = {a: self.coords[a] for a in axes if a in self.coords}
        return xr.DataArray(np.asarray(values), dims=list(axes), coords=known)

    def given(self, name: str, axes: str = "") -> xr.DataArray:
        own, values = self.terms.parameters[name]
        return self.array(values, axes or own)


def model(entered: Terms) -> Any:
    """Return the linopy model of a plan's terms, maximising worth in $bn less its constant: linopy takes none."""
    axes, data, tree = _Axes(entered), entered.data, entered.data.tree
    m = linopy.Model()
    _variables(m, axes)
    v, root = m.variables, tree.root
    has_parent = axes.array(tree.parent >= 0, "N")
    parent = xr.DataArray(np.maximum(tree.parent, 0), dims="N")

    def before(expression: Any) -> Any:
        return expression.isel(N=parent).assign_coords(N=axes.coords["N"]).where(has_parent)

    use = v["allocate"].sum("Q")
    effective = (axes.array(data.effectiveness, "PQN") * v["allocate"]).sum("Q")
    initial = axes.array(np.where(tree.parent < 0, data.initial[:, :, root].sum(axis=1), 0.0), "PN")
    ended = _at(v["cancelled"], "W", axes, data.ref)
    lapsed = (
        (axes.given("delivered") * ended)
        .groupby(axes.array(np.array(data.pools)[data.pool_of[data.way_out_of]], "W"))
        .sum()
    )
    lapsed = lapsed.rename({"group": "Q"}).reindex(Q=axes.coords["Q"])  # a pool may have no way out
    m.add_constraints(v["allocate"].sum("P") + v["idle"] + lapsed == axes.array(data.supply, "QN"), name="balance")
    m.add_constraints(v["serve"].sum("I") - effective <= 0, name="service", mask=axes.array(data.tiers > 0, "PN"))
    target = axes.array(data.target, "PN")
    m.add_constraints(effective + v["shortfall"] >= target, name="target", mask=target > 0)
    cap = axes.array(data.cap, "PN")
    m.add_constraints(use <= cap.where(np.isfinite(cap), 0), name="cap", mask=np.isfinite(cap))
    limit = axes.array(np.where(np.isfinite(data.ramp), data.ramp, 0.0)[:, root], "PN")
    ramped = axes.array(entered.sets["RAMPS"][1], "PN")
    m.add_constraints(use - before(use) <= limit + initial, name="ramp", mask=ramped)
    m.add_constraints(v["sign"] <= limit, name="signing_ramp", mask=axes.array(entered.sets["SIGNING_RAMPS"][1], "PN"))
    moves = axes.array(entered.sets["MIGRATIONS"][1], "PQN")
    gained = v["allocate"] - before(1 * v["allocate"]) - v["onboard"]
    m.add_constraints(gained <= axes.given("initial"), name="migration", mask=moves)
    deal = axes.array(entered.sets["DEALS"][1], "PN")
    keep = axes.given("keep")
    returned = axes.given("kept_since_notice") * _at(v["release"], "P", axes, data.notified)
    m.add_constraints(use - keep * before(use) - v["sign"] + returned == keep * initial, name="deals", mask=deal)
    above = xr.DataArray(entered.parameters["above"][1], dims=("N", "lag"))
    kept = xr.DataArray(
        entered.parameters["kept_since"][1],
        dims=("P", "N", "lag"),
        coords={"P": axes.coords["P"], "N": axes.coords["N"]},
    )
    signed = (kept * (1 * v["sign"]).rename({"N": "M"}).isel(M=above).drop_vars("M")).sum("lag")
    m.add_constraints(use - signed >= 0, name="term", mask=deal)
    committed = axes.array(entered.sets["COMMITTED"][1], "WN")
    earlier = _at(v["cancelled"], "W", axes, np.where(committed, data.previous_window, -1))
    m.add_constraints(v["cancelled"] - earlier >= 0, name="commit", mask=committed)
    m.add_objective(_worth(m, axes, ended, earlier), sense="max")
    return m


def _variables(m: Any, axes: _Axes) -> None:
    data, sets = axes.terms.data, axes.terms.sets

    def add(name: str, letters: str, mask: Any = None, upper: Any = np.inf) -> None:
        coords = [axes.coords[a] for a in letters]
        there = None if mask is None else axes.array(mask, letters)
        m.add_variables(lower=0, upper=upper, coords=coords, mask=there, name=name)

    add("allocate", "PQN", sets["PAIRS"][1])
    add("idle", "QN")
    add("serve", "PIN", sets["TIERS"][1], axes.array(data.width, "PIN"))
    add("shortfall", "PN", sets["TARGETS"][1])
    add("onboard", "PQN", sets["MIGRATIONS"][1])
    add("sign", "PN", sets["DEALS"][1])
    add("release", "PN", sets["RELEASES"][1])
    add("cancelled", "WN", sets["WINDOW"][1], axes.array(data.max_share, "WN"))


def _at(variable: Any, rows: str, axes: _Axes, node: Any) -> Any:
    """Return a variable at a node of each row and node; nothing where that is -1."""
    row = xr.DataArray(np.arange(len(axes.coords[rows])), dims=rows)
    places = xr.DataArray(np.maximum(node, 0), dims=(rows, "N"))
    taken = (1 * variable).rename({"N": "M", rows: "R"}).isel(R=row, M=places).drop_vars(["R", "M"])
    return taken.assign_coords({rows: axes.coords[rows], "N": axes.coords["N"]}).where(
        axes.array(node >= 0, rows + "N")
    )


def _worth(m: Any, axes: _Axes, ended: Any, earlier: Any) -> Any:
    data, v, root = axes.terms.data, m.variables, axes.terms.data.tree.root
    rates = {name: axes.array(values, "N") for name, values in node_rates(axes.terms).items()}
    years, weight = rates["years"], rates["weight"]
    fee = axes.given("fee")
    gone = _at(v["cancelled"], "W", axes, np.where(axes.given("terminal_lost") != 0, data.last_window, -1))
    return (
        (years * axes.given("value") * v["serve"]).sum()
        - (years * axes.array(data.operating_cost[:, :, root], "PQN") * v["allocate"]).sum()
        + (years * axes.given("saved_cost") * ended).sum()
        - (years * axes.array(data.idle_penalty[:, root], "QN") * v["idle"]).sum()
        - (years * axes.array(data.shortfall_penalty[:, root], "PN") * v["shortfall"]).sum()
        - (weight * axes.array(data.migration_cost[:, root], "PN") * v["onboard"].sum("Q")).sum()
        - (weight * axes.array(data.signing_cost[:, root], "PN") * v["sign"]).sum()
        - (weight * fee * v["cancelled"]).sum()
        + (weight * fee * earlier).sum()
        - (axes.array(data.tree.probability, "N") * axes.given("terminal_lost") * gone).sum()
    )
