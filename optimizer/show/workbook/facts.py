"""A kept run as arrays by node, for the workbook's formulas and their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.catalogue.tables import VALUE_FACTORS
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.kept.run import Run
from gwplan.models.data import PlanData
from gwplan.models.tree import FloatArray, IntArray, Tree
from gwplan.plan.tables import leaf_tail_periods
from gwplan.plan.values import carried, of_contracts
from gwplan.tree.timeline import Timeline

UNLIMITED: Final = 1e6
"""GW that stand for "no limit" in cells that formulas read."""


@dataclass(frozen=True)
class BookFacts:
    """What the workbook's formulas are made of; N nodes, G pairs of pathway and pool, K contracts.

    Capacity in GW, money in $bn, rates in $bn per GW-year.
    """

    run: Run

    @property
    def timeline(self) -> Timeline:
        """The instance on its tree, with names and scenarios."""
        return self.run.plan.laid_out

    @property
    def data(self) -> PlanData:
        """The instance on its tree."""
        return self.timeline.data

    @property
    def tree(self) -> Tree:
        """The scenario tree."""
        return self.data.tree

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Pathway and pool of every pair that may be used in some future."""
        return usable_pairs(self.data)

    def pair_name(self, pair: tuple[int, int]) -> str:
        """Return how a pair is called."""
        return pair_head(self.data.pathways[pair[0]], self.data.pools[pair[1]])

    @cached_property
    def starts(self) -> list[pd.Timestamp]:
        """First day of each node's period."""
        starts = self.timeline.calendar.starts()
        return [pd.Timestamp(starts[t]) for t in self.tree.period]

    def of_pairs(self, by_root: NDArray[Any]) -> NDArray[Any]:
        """Return data by pathway, pool and root, shape (P, Q, R), by node and pair, shape (N, G)."""
        p, q = (np.array(axis, dtype=np.int64) for axis in zip(*self.pairs, strict=True))
        return np.asarray(by_root[p, q][:, self.tree.root].T)

    def of_nodes(self, by_root: NDArray[Any]) -> NDArray[Any]:
        """Return data by name and root, shape (X, R), by node, shape (N, X)."""
        return np.asarray(by_root[:, self.tree.root].T)

    @cached_property
    def allocate(self) -> FloatArray:
        """GW by node and pair, shape (N, G)."""
        p, q = zip(*self.pairs, strict=True)
        return np.asarray(self.run.plan.decided.allocate[list(p), list(q)].T)

    def deals(self, column: str) -> FloatArray:
        """Return a column of the table of deals by node and pathway, shape (N, P); 0 where there are none."""
        table = self.run.tables["deals"]
        at = [self.data.pathways.index(name) for name in table["pathway"]]
        deals = np.zeros((self.tree.size, len(self.data.pathways)))
        deals[table["node"].to_numpy(), at] = table[column].to_numpy()
        return deals

    @cached_property
    def in_service(self) -> FloatArray:
        """GW in service and not cancelled, of a contract sold due, shape (N, K)."""
        return np.asarray(self.run.plan.decided.in_service.T)

    @cached_property
    def price(self) -> FloatArray:
        """$bn per GW-year of what is in service, of an offer signed at several prices their mean, shape (K, N)."""
        data, decided = self.data, self.run.plan.decided
        whole = np.divide(data.bill, data.delivered, out=np.zeros_like(data.bill), where=data.delivered > 0)
        price = np.divide(decided.bill, decided.in_service, out=whole.copy(), where=decided.in_service > ROUNDING)
        return np.where(data.firm[:, None], whole, price)

    @cached_property
    def cost(self) -> FloatArray:
        """$bn per GW-year that stand in ``contracts``, shape (K, N)."""
        names = self.timeline.contract_of
        return self._of_scenarios("contracts", "contract", "cost_bn_per_gw_year", names, 0.0).T

    @cached_property
    def late_credit(self) -> FloatArray:
        """$bn per GW-year for what is due and not there, shape (K, N)."""
        names = self.timeline.contract_of
        credit = self._of_scenarios("contracts", "contract", "late_credit_bn_per_gw_year", names, 0.0)
        return np.nan_to_num(credit).T

    @cached_property
    def risen(self) -> NDArray[np.bool_]:
        """Whether a contract bills another amount than its price for what is in service, as filed, shape (K,)."""
        names = self.timeline.contract_of
        terms = [
            self._of_scenarios("contracts", "contract", column, names, 0.0)
            for column in ("price_growth_per_year", "prepaid_share")
        ]
        credit = self.run.instance.filled("deliveries").dropna(subset="credit_bn")["contract"].tolist()
        apart = np.any(np.array(terms) > 0, axis=(0, 1)) | np.isin(np.array(names, dtype=object), credit)
        return np.asarray(apart & (self.cost > 0).all(axis=1))

    @cached_property
    def billed(self) -> FloatArray:
        """GW that contracts bill for at the price in ``contracts``, of the others GW in service, shape (N, K)."""
        return np.where(self.risen, self.at_cost(self.run.plan.decided.bill), self.in_service)

    def at_cost(self, amounts: FloatArray) -> FloatArray:
        """Return amounts by contract as GW, or GW-years, at the price in ``contracts``, shape (N, K)."""
        return np.divide(amounts, self.cost, out=np.zeros_like(amounts), where=self.cost > 0).T

    @cached_property
    def upfront(self) -> FloatArray:
        """$bn per GW that the first delivery of each contract with such a payment asks for, shape (K, N)."""
        rates = []
        for s in self.tree.example.tolist():
            rows = self.timeline.scenarios[s].filled("deliveries")
            rows = rows[rows["upfront_bn_per_gw"] > 0].drop_duplicates("contract").set_index("contract")
            rates.append(rows["upfront_bn_per_gw"].reindex(self.timeline.contract_of, fill_value=0.0).to_numpy())
        return np.array(rates).T

    @cached_property
    def newly_cancelled(self) -> FloatArray:
        """Contracted GW for which notice is given at a node by each way out, shape (N, W)."""
        return np.asarray((self.data.contracted[self.data.way_out_of] * self.run.plan.decided.newly_cancelled).T)

    @cached_property
    def newly_signed(self) -> FloatArray:
        """Contracted GW of each offer that are signed at a node, shape (N, O)."""
        return np.asarray((self.data.contracted[self.data.offer_of] * self.run.plan.decided.newly_signed).T)

    def per_gw(self, amounts: FloatArray, of: IntArray) -> FloatArray:
        """Return $bn for whole contracts, shape (X, N), per contracted GW."""
        contracted = self.data.contracted[of]
        return np.divide(amounts, contracted, out=np.zeros_like(amounts), where=contracted > 0)

    @cached_property
    def left(self) -> FloatArray:
        """GW under contract when the plan ends, at the leaves, those sold with a minus, shape (N, K)."""
        at_leaf = np.zeros(self.tree.size, dtype=bool)
        at_leaf[self.tree.leaves] = True
        data, decided = self.data, self.run.plan.decided
        ended = of_contracts(data, carried(decided.cancelled, data.last_window))
        return np.asarray((data.side[:, None] * data.delivered * (1 - ended) * at_leaf).T)

    @cached_property
    def simple_tail(self) -> NDArray[np.bool_]:
        """Whether what a contract adds beyond the horizon is its GW at the end times a rate, shape (K,)."""
        later = (self.tree.periods + np.arange(self.tail_periods.max(initial=0)) + 0.5) * self.data.dt
        discount = (1 + self.run.instance.discount_rate) ** -later
        years = self.data.dt * np.append(0.0, np.cumsum(discount))[self.tail_periods]
        margin = np.nan_to_num(self.terminal_value[:, self.data.pool_of]) - self.price.T
        apart = np.abs(self.run.plan.decided.terminal.T - self.left * margin * years) > ROUNDING
        return self.data.firm & ~self.risen & ~apart.any(axis=0)

    @cached_property
    def tail_rate(self) -> FloatArray:
        """What a GW left at the end is worth less its price, $bn discounted, at the leaves, shape (K, N)."""
        data, left = self.data, np.where(self.data.delivered > 0, self.data.delivered, np.inf)
        return data.side[:, None] * data.terminal / left

    def _of_scenarios(self, table: str, key: str, column: str, names: tuple[str, ...], absent: float) -> FloatArray:
        """Return a column of a table by node and name, shape (N, X), in a scenario through each node."""
        rows = {}
        for s in np.unique(self.tree.example):
            frame = self.timeline.scenarios[s].filled(table)
            cells = dict(zip(frame[key], frame[column], strict=True))
            rows[int(s)] = [float(cells.get(name, absent)) for name in names]
        return np.array([rows[int(s)] for s in self.tree.example])

    @cached_property
    def value_factor(self) -> FloatArray:
        """What each pathway's value is multiplied by, such as its realisation, shape (N, P)."""
        names = self.data.pathways
        factors = [self._of_scenarios("pathways", "pathway", column, names, 1.0) for column in VALUE_FACTORS]
        return np.asarray(np.prod(factors, axis=0))

    @cached_property
    def terminal_value(self) -> FloatArray:
        """Worth of each pool's capacity after the horizon, nan where it is not counted, shape (N, Q)."""
        return self._of_scenarios("pools", "pool", "terminal_value_bn_per_gw_year", self.data.pools, np.nan)

    @cached_property
    def tail_periods(self) -> IntArray:
        """Periods after the horizon that start before each contract's end, at the leaves, shape (N, K)."""
        counted = ~np.isnan(self.terminal_value[:, self.data.pool_of])
        return np.where(counted, leaf_tail_periods(self.timeline).T, 0)

    @cached_property
    def initial(self) -> FloatArray:
        """GW in use before the start by node and pair, shape (N, G)."""
        return self.of_pairs(self.data.initial)

    @cached_property
    def scenario_names(self) -> list[str]:
        """What tells each scenario from the others: its outcomes."""
        factors = self.run.instance.factors
        if not factors:
            return ["the plan as written"]
        return [
            ", ".join(f"{f.name}={f.outcomes[o].name}" for f, o in zip(factors, row, strict=True))
            for row in self.tree.scenario_outcome.tolist()
        ]


def usable_pairs(data: PlanData) -> list[tuple[int, int]]:
    """Return pathway and pool of every pair that may be used in some future, by their numbers."""
    return [(int(p), int(q)) for p, q in zip(*np.nonzero(data.eligible.any(axis=2)), strict=True)]


def pair_head(pathway: str, pool: str) -> str:
    """Return how a pair is called in headings."""
    return f"{pathway} on {pool}"
