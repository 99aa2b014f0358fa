"""The plan: typed figures and tables of one solved instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gwplan.catalogue.money import NOT_CASH
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.instance.instance import Instance
from gwplan.models.data import PlanData
from gwplan.plan import tables as make
from gwplan.plan.allowable import allowable_changes
from gwplan.plan.firmness import firmness
from gwplan.plan.marginals import marginal_rows, marginal_values
from gwplan.plan.more_supply import looser_limits, more_supply
from gwplan.plan.obligations import obligations
from gwplan.plan.values import Decided, Values, as_told, of_contracts, values
from gwplan.shown import by_notebook
from gwplan.solver.certify import Certificate
from gwplan.solver.parametric import both_sides
from gwplan.solver.program import LinearProgram, Solution
from gwplan.solver.solving import with_whole_fixed
from gwplan.tree.timeline import Timeline, timeline


@dataclass(frozen=True, repr=False)
class Plan:
    """A checked plan.

    Attributes
    ----------
    instance : Instance
        What was planned for.
    status : str
        ``optimal``, or why the solver stopped early.
    summary : mapping
        The figures of ``summary.json``: money in $bn, capacity in GW-years.
    tables : mapping of str to pandas.DataFrame
        Every table in long form, by name: those of `gwplan.catalogue.plan_tables.COLUMNS`.
    warnings : tuple of str
        What is allowed in the instance but decides nothing.
    timings : mapping of str to float
        Seconds by phase.
    solved : mapping
        Where the solver started (``cold``, ``lift``), the stages on the way, iterations and seconds of the last.
    """

    instance: Instance
    status: str
    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    solved: Mapping[str, Any] = field(default_factory=dict)
    _laid_out: Timeline | None = field(default=None, repr=False, compare=False)
    _decided: Decided | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<plan of {self.instance.name}: {self.status}, ${expected_bn(self.summary):,.1f}bn>"

    def _repr_html_(self) -> str:
        return str(by_notebook("plan_html")(self))

    @cached_property
    def charts(self) -> Any:
        """Its pictures as Altair charts: ``plan.charts.gw``; ``dir(plan.charts)`` names them."""
        return by_notebook("Charts")(self)

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Keep the plan in a new folder, as ``gwplan solve --out`` does; `force` replaces an earlier run."""
        return Path(by_notebook("save")(self, folder, force=force))

    def to_html(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the report: one page, nothing else needed; `force` replaces an earlier report."""
        return Path(by_notebook("to_html")(self, path, force=force))

    def to_excel(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the plan as a workbook whose value follows when cells are overtyped; `force` replaces a file."""
        return Path(by_notebook("to_excel")(self, path, force=force))

    @cached_property
    def laid_out(self) -> Timeline:
        """The instance on its tree; of a plan that was kept it is made when first asked for."""
        return self._laid_out or timeline(self.instance)

    @cached_property
    def decided(self) -> Decided:
        """The decisions as arrays over pathways, pools, contracts and nodes, GW and shares."""
        return self._decided or as_told(self.tables, self.laid_out.data)

    @property
    def objective_bn(self) -> float:
        """Worth that the plan maximises: expected, or weighed with CVaR; $bn, discounted."""
        return float(self.summary["objective_bn"])

    @property
    def npv_bn(self) -> float:
        """Expected discounted cash, without penalties and the terminal line, $bn."""
        return float(self.summary["npv_bn"])

    @property
    def allocation(self) -> pd.DataFrame:
        """GW by node, pathway and pool."""
        return self.tables["allocation"]

    @property
    def supply(self) -> pd.DataFrame:
        """GW delivered, cancelled, used and idle by node and pool."""
        return self.tables["supply"]

    @property
    def cashflow(self) -> pd.DataFrame:
        """$bn by node, component and name."""
        return self.tables["cashflow"]

    @property
    def cancellations(self) -> pd.DataFrame:
        """Share and GW cancelled by window node and contract."""
        return self.tables["cancellations"]

    @property
    def commitments(self) -> pd.DataFrame:
        """Share and GW of each contract signed, extended, given back and in service, by node."""
        return self.tables["commitments"]

    @property
    def deals(self) -> pd.DataFrame:
        """GW in deals by node and deal pathway."""
        return self.tables["deals"]

    @property
    def obligations(self) -> pd.DataFrame:
        """$bn owed by vendor, contract and year."""
        return self.tables["obligations"]

    @property
    def marginal_values(self) -> pd.DataFrame:
        """$bn per GW-year of supply, targets, floors, caps and locks; $bn per GW of ramps."""
        return self.tables["marginal_values"]

    @property
    def allowable_changes(self) -> pd.DataFrame:
        """How far each value and cost may rise and fall, in its own unit, before the plan changes."""
        return self.tables["allowable_changes"]

    @property
    def firmness(self) -> pd.DataFrame:
        """What other splits lose at least, $bn per GW, by pathway, for the first period and each year."""
        return self.tables["firmness"]

    @property
    def more_supply(self) -> pd.DataFrame:
        """What more GW of each pool add in each year, $bn, re-solved, and the size up to which they pay."""
        return self.tables["more_supply"]

    @property
    def looser_limits(self) -> pd.DataFrame:
        """What limits that cost most add when looser, re-solved; no rows where it was not worked out."""
        return self.tables["looser_limits"]


def make_plan(
    laid_out: Timeline,
    program: LinearProgram,
    solution: Solution,
    certificate: Certificate,
    *,
    allowable: bool = False,
    more: str = "",
) -> Plan:
    """Return the plan that a solution means; `more` says for what `more_supply` is worked out."""
    data = laid_out.data
    decided = values(program, data, solution.columns)
    duals = solution.row_duals if len(solution.row_duals) else np.full(program.shape[0], np.nan)
    linear = with_whole_fixed(program, solution.columns) if program.whole.any() else program
    sides = both_sides(linear, solution, marginal_rows(program))
    tables = decision_tables(laid_out, decided)
    tables |= {
        "obligations": obligations(laid_out, decided),
        "marginal_values": marginal_values(program, data, duals, make.node_columns(laid_out), sides),
        "allowable_changes": allowable_changes(laid_out, program, solution, worked_out=allowable),
        "firmness": firmness(laid_out, program, solution, worked_out=sides is not None),
        "more_supply": more_supply(laid_out, program, solution, worked_out=more),
        "looser_limits": looser_limits(laid_out, program, solution, worked_out=more),
    }
    summary = summarise(laid_out, decided, str(solution.status), certificate)
    return Plan(laid_out.instance, str(solution.status), summary, tables, _laid_out=laid_out, _decided=decided)


def decision_tables(laid_out: Timeline, decided: Values) -> dict[str, pd.DataFrame]:
    """Return the tables of a plan that its decisions make within the horizon."""
    return {name: table() for name, table in make.makers(laid_out, decided).items()}


def summarise(laid_out: Timeline, plan: Values, status: str, certificate: Certificate) -> dict[str, Any]:
    """Return the figures of a plan: expected, discounted where they are money, signed so that costs are negative."""
    data, tree = laid_out.data, laid_out.data.tree
    weight = tree.probability * data.node_discount
    by_name = {component: (names, amounts @ weight) for component, (names, amounts) in make.flows(data, plan).items()}
    components: dict[str, Any] = {component: float(amounts.sum()) for component, (_, amounts) in by_name.items()}
    components["terminal"] = float((plan.terminal @ tree.probability).sum())
    npv = sum(amount for name, amount in components.items() if name not in NOT_CASH)
    pathways, value = by_name["value"]
    components["value"] = dict(zip(pathways, value.tolist(), strict=True))
    years = tree.probability * data.dt
    used = plan.use @ years
    idle = float((plan.idle @ years).sum())
    busy = float(used.sum())
    return {
        "status": status,
        "objective_bn": 0.0 - certificate.objective,  # no negative zero
        "npv_bn": float(npv),
        "components_bn": components,
        "expected_gw_years": dict(zip(data.pathways, used.tolist(), strict=True)),
        "idle_gw_years": idle,
        "idle_cost_bn": _idle_cost(data, plan),
        **({"moved_gw_years": float((plan.moved @ years).sum())} if data.near else {}),
        "utilisation": busy / (busy + idle) if busy + idle > 0 else 0.0,
        "cancelled_gw": cancelled_gw(data, plan),
        **({"signed_gw": signed_gw(data, plan)} if data.offers else {}),
        "scenarios": len(tree.node_of),
        "nodes": tree.size,
        "certificate": certificate.as_dict(),
        "marginal_values": "integers fixed" if certificate.bound is not None else "linear",
    }


def cancelled_gw(data: PlanData, plan: Values) -> dict[str, float]:
    """Return the expected GW of each contract for which notice is given within the plan."""
    given = (of_contracts(data, plan.newly_cancelled) * data.contracted) @ data.tree.probability
    return dict(zip(data.contracts, given.tolist(), strict=True))


def signed_gw(data: PlanData, plan: Values) -> dict[str, float]:
    """Return the expected GW of each offer that are signed within the plan."""
    signed = (plan.newly_signed * data.contracted[data.offer_of]) @ data.tree.probability
    return dict(zip(data.offers, signed.tolist(), strict=True))


def _idle_cost(data: PlanData, plan: Values) -> float:
    """Return what idle GW cost at the average contract price of their pool, expected and discounted, $bn."""
    bought = ~data.sold[:, None]
    capacity, cost = data.in_pools(bought * plan.in_service), data.in_pools(bought * plan.bill)
    price = np.divide(cost, capacity, out=np.zeros_like(cost), where=capacity > ROUNDING)
    return float((price * plan.idle * data.node_discount * data.dt * data.tree.probability).sum())


def expected_bn(summary: Mapping[str, Any]) -> float:
    """Return the expected worth of a plan, $bn: the sum of its parts; with aversion it maximises another figure."""
    parts = summary["components_bn"].values()
    return float(sum(sum(part.values()) if isinstance(part, Mapping) else part for part in parts))
